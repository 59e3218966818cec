"""Section ``diagnose.drought``: indices of monthly series."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown
from pyland.config.fields import Problem, Problems, Section, key

INDICES = ("spi", "spei", "scpdsi")
"""Indices of ``pyland diagnose CASE drought``."""


class DroughtSection(Section):
    """Settings of ``pyland diagnose CASE drought``."""

    indices: list[str] = key(lambda: list(INDICES), f"indices: {one_of(INDICES)}", factory=True)
    scales: list[float] = key(lambda: [1, 3, 6, 12], "months that SPI and SPEI add up", kind="numbers", at_least=1,
                              factory=True)
    calibration: list[float] | None = key(
        None, "first and last year that are fitted, both whole; null takes all months", kind="numbers", length=2)
    spi_distribution: str = key("gamma", "of precipitation above 0", choices=("gamma", "pearson3"))
    spi_zeros: str = key(
        "share", "probability of a month without rain where a share q of the months has none: share is q (McKee), "
        "centre is q/2, whose index is not wet where most months are dry", choices=("share", "centre"))
    spei_distribution: str = key(
        "log_logistic", "of precipitation less potential evapotranspiration", choices=("log_logistic", "pearson3"))
    potential: str = key(
        "priestley_taylor", "potential evapotranspiration, from net_radiation, ground_heat_flux, air_temperature and "
        "surface_pressure of history.nc; penman_monteith (FAO-56) also from specific_humidity and wind_speed",
        choices=("priestley_taylor", "penman_monteith"))
    wind_height: float = key(10.0, "height of the wind speed, for penman_monteith", unit="m", at_least=0.5)
    water: str = key(
        "bucket", "water of scPDSI: Palmer's bucket, or evapotranspiration, runoff and storage of the run",
        choices=("bucket", "model"))
    capacity: float = key(150.0, "available water of the bucket; one inch of it is the surface layer", unit="kg m-2",
                          above=25.4)
    dry_start: str = key(
        "program", "memory of a beginning dry spell of scPDSI: that of the published program, or of the paper",
        choices=("program", "paper"))
    threshold: float = key(-1.0, "index at or below which a drought is an event", unit="1", below=0)

    @field_validator("indices", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if not isinstance(value, list) or not value or any(name not in INDICES for name in value):
            raise ValueError(f"expected a list of {one_of(INDICES)}, got {shown(value)}")
        return list(dict.fromkeys(value))

    @model_validator(mode="after")
    def _check(self) -> DroughtSection:
        problems: list[Problem] = []
        for name in ("scales", "calibration"):
            if any(number != int(number) for number in getattr(self, name) or ()):
                problems.append((name, f"expected whole numbers, got {getattr(self, name)}", (name,)))
        if self.calibration is not None and self.calibration[0] > self.calibration[1]:
            problems.append(("calibration", f"expected the first year before the last, got {self.calibration}",
                             ("calibration",)))
        if self.changes("capacity") and self.water == "model":
            problems.append(("capacity", "expected none with water: model, which has no bucket", ("capacity", "water")))
        if self.changes("wind_height") and self.potential != "penman_monteith":
            problems.append(("wind_height", "expected none without potential: penman_monteith",
                             ("wind_height", "potential")))
        if problems:
            raise Problems(problems)
        return self
