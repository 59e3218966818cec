"""Section ``surface.soil.texture``: sand, clay and organic matter."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from pyland.base.text import shown
from pyland.config.fields import Problem, Problems, Section, key

PEAT_DENSITY = 130.0
"""Organic matter of pure peat [kg m-3] (Lawrence and Slater 2008, Clim. Dyn. 30, 145-160; CLM5, section 2.2.3)."""

CARBON_OF_ORGANIC_MATTER = 0.58
"""Carbon of organic matter by mass [1], van Bemmelen's factor, as in Lawrence and Slater (2008)."""

ORGANIC_KEYS = ("organic", "organic_matter", "organic_carbon")
"""Keys that say how much organic matter a soil has; one of them is given."""


class GeneratedTextureSection(Section):
    """Smooth seeded random fields of sand and clay."""

    sand: float = key(45.0, "mean sand share", unit="percent", at_least=0, at_most=100)
    clay: float = key(20.0, "mean clay share", unit="percent", at_least=0, at_most=100)
    spread: float = key(
        10.0,
        "standard deviation of sand; clay has half of it and the opposite sign",
        unit="percent",
        at_least=0,
        at_most=50,
    )
    length: float = key(5000.0, "correlation length", unit="m", above=0)
    seed: int = key(1, "seed of the random field", kind="integer", at_least=0)

    @model_validator(mode="after")
    def _check(self) -> GeneratedTextureSection:
        return _check_texture(self, [self.sand], [self.clay])


class TextureSection(Section):
    """Composition of the soil: numbers for the whole profile, or lists from the top."""

    sand: float | list[float] = key(
        43.0, "sand share of the mineral soil", unit="percent", kind="number_or_numbers", at_least=0, at_most=100
    )
    clay: float | list[float] = key(
        18.0, "clay share of the mineral soil", unit="percent", kind="number_or_numbers", at_least=0, at_most=100
    )
    organic: float | list[float] = key(
        0.0,
        "organic share of the solids; 1 is peat of 130 kg m-3",
        unit="1",
        kind="number_or_numbers",
        at_least=0,
        at_most=1,
    )
    organic_matter: float | list[float] | None = key(
        None,
        "organic matter per volume of soil instead of organic; the share is that over 130 kg m-3 (peat), at most 1",
        unit="kg m-3",
        kind="number_or_numbers",
        at_least=0,
        at_most=1500,
    )
    organic_carbon: float | list[float] | None = key(
        None,
        "organic carbon per volume of soil instead of organic; 0.58 of organic matter is carbon",
        unit="kg m-3",
        kind="number_or_numbers",
        at_least=0,
        at_most=900,
    )
    bottom: list[float] | None = key(
        None,
        "depth of the lower edge of each item of the lists, also of parameters; null: one item per model layer",
        unit="m",
        kind="numbers",
        above=0,
    )
    generate: GeneratedTextureSection | None = key(None, "random fields of sand and clay instead of numbers")

    @model_validator(mode="after")
    def _check(self) -> TextureSection:
        problems: list[Problem] = []
        if self.generate is not None:
            problems += [
                (name, f"expected no {name} beside generate", (name, "generate"))
                for name in ("sand", "clay")
                if self.changes(name)
            ]
        if self.bottom is not None:
            if any(lower <= upper for upper, lower in zip(self.bottom, self.bottom[1:], strict=False)):
                problems.append(
                    ("bottom", f"expected depths that increase downward, got {shown(self.bottom)}", ("bottom",))
                )
            for name in ("sand", "clay", *ORGANIC_KEYS):
                value = getattr(self, name)
                if isinstance(value, list) and len(value) != len(self.bottom):
                    problems.append(
                        (
                            name,
                            f"expected {len(self.bottom)} numbers, one for each depth of bottom, got {len(value)}",
                            (name, "bottom"),
                        )
                    )
        given = [name for name in ORGANIC_KEYS if self.changes(name)]
        problems += [
            (name, f"expected no {name} beside {given[0]}; they say the same", (given[0], name)) for name in given[1:]
        ]
        if problems:
            raise Problems(problems)
        return _check_texture(self, self.sand, self.clay)

    @property
    def organic_share(self) -> float | list[float]:
        """Organic share of the solids [1], a number or a list from the top, from whichever key gives it."""
        if self.organic_carbon is not None:
            return _scaled(self.organic_carbon, 1.0 / (CARBON_OF_ORGANIC_MATTER * PEAT_DENSITY))
        if self.organic_matter is not None:
            return _scaled(self.organic_matter, 1.0 / PEAT_DENSITY)
        return self.organic


def _scaled(value: float | list[float], factor: float) -> float | list[float]:
    """Return a share of at most 1 [1]."""
    if isinstance(value, list):
        return [min(one * factor, 1.0) for one in value]
    return min(value * factor, 1.0)


def _check_texture(section: Any, sand: float | list[float], clay: float | list[float]) -> Any:
    """Return the section if sand and clay have one length and fit into 100 %."""
    sands, clays = (value if isinstance(value, list) else [value] for value in (sand, clay))
    if len(sands) != len(clays):
        longer = max(len(sands), len(clays))
        sands, clays = (values * longer if len(values) == 1 else values for values in (sands, clays))
    if len(sands) != len(clays):
        raise Problems(
            [("clay", f"expected as many numbers as sand has ({len(sands)}), got {len(clays)}", ("sand", "clay"))]
        )
    worst = max(a + b for a, b in zip(sands, clays, strict=True))
    if worst > 100:
        raise Problems(
            [("clay", f"expected sand and clay of at most 100 percent together, got {worst:g}", ("sand", "clay"))]
        )
    return section
