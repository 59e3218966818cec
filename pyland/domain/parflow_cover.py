"""What covers the cells and what soil they have, by the land files of ParFlow-CLM.

Each class of land cover becomes a plant type of pyland with those parameters of drv_vegp.dat that pyland has too;
classes of ice, lakes and wetlands (``itypwat``) become surfaces of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
import yaml

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.parflow import ParflowVegetationSection
from pyland.config.plants import VEGETATION_TYPES
from pyland.config.surface import MAXIMUM_PATCHES
from pyland.domain.grid import Domain
from pyland.domain.parflow_land import VegetationMap, read_vegetation_map, read_vegetation_parameters

DISPLACEMENT_RATIO = 2.0 / 3.0
"""Displacement height over height of the canopy [1] (Brutsaert 1982): ParFlow-CLM has the first, pyland the second."""

HEIGHT_OF_ROUGHNESS = 10.0
"""Height of the canopy over roughness length where there is no displacement height [1], as in clm_dynvegpar.F90."""

FIRST_COLOUR = 11
"""What a soil colour of ParFlow-CLM, 1 to 8, is less than the one of pyland's 20 with its albedo of wet soil."""

WARM_GROUND, SEASON = 298.0, 0.0016
"""Temperature of the ground from which leaf area is largest [K], and how it falls below [K-2]; clm_dynvegpar.F90, after
Dickinson et al. (1993), NCAR/TN-387+STR (BATS)."""

TROPICS, BOREAL = 23.4, 50.0  # latitudes that part the climates of igbp_plants.yaml [degrees]

PARFLOW_PLANT = MappingProxyType({"is_c4": 0.0, "ball_berry_slope": 7.0, "ball_berry_intercept": 2000.0})
"""Photosynthesis of all classes in ParFlow-CLM, and conductance [umol m-2 s-1]; drv_clmini.F90: c3psn, mp, bp."""

PARFLOW_CAPACITY = 33.0
"""Vcmax of every leaf at 25 degC in ParFlow-CLM [umol m-2 s-1]; drv_clmini.F90: vcmx25."""

CAPACITY_EXTINCTION = 0.3
"""How the capacity of pyland's canopy falls with the leaf area above [1], CLM5; ParFlow-CLM's does not fall."""

_SURFACES = MappingProxyType({2: "glacier", 3: "lake", 4: "lake", 5: "wetland"})
_NEEDED = ("lai", "lai0", "sai", "z0m", "displa", "roota", "rootb")
_PLANT_NAMES = MappingProxyType({
    "xl": "leaf_angle", "dleaf": "leaf_dimension",
    "rhol_vis": "leaf_reflectance_vis", "rhol_nir": "leaf_reflectance_nir",
    "rhos_vis": "stem_reflectance_vis", "rhos_nir": "stem_reflectance_nir",
    "taul_vis": "leaf_transmittance_vis", "taul_nir": "leaf_transmittance_nir",
    "taus_vis": "stem_transmittance_vis", "taus_nir": "stem_transmittance_nir",
})  # fmt: skip
_UNDEFINED = -90.0  # files have -99 where a class has no plants
_REPLACED = MappingProxyType({
    "types": "photosynthesis, stomata and water stress (vw) are those of the plant types",
    "parflow_clm": "photosynthesis and stomata are those of ParFlow-CLM, water stress (vw) that of the plant types",
})


@dataclass(frozen=True)
class ParflowCover:
    """Land cover of the cells of a domain or of a tile.

    Attributes
    ----------
    patches : mapping of str to object
        Fields of `pyland.domain.surface.Surface` that say what grows.
    fields : mapping of str to numpy.ndarray, shape (cell,)
        Sand, clay [%], soil colour, and the shares of glaciers, lakes and wetlands, as a domain file gives them.
    facts : mapping of str to str
        What was taken from the files and what not, for ``pyland check``.
    """

    patches: Mapping[str, Any]
    fields: Mapping[str, np.ndarray]
    facts: Mapping[str, str]


def read_cover(section: ParflowVegetationSection, domain: Domain) -> ParflowCover:
    """Read land cover and soil of the cells of a domain.

    Parameters
    ----------
    section : ParflowVegetationSection
        ``surface.vegetation.parflow``.
    domain : Domain
        Cells; the map covers the whole grid.

    Returns
    -------
    ParflowCover
        Plants, soil fields and other surfaces.

    Raises
    ------
    InputError
        If a file cannot be read or does not fit, or a parameter is missing or not possible.
    """
    found = read_vegetation_map(str(section.map), (domain.ny, domain.nx))
    table = read_vegetation_parameters(str(section.parameters))
    _check_table(section, table, found)
    water = table.get("itypwat", np.ones(found.fraction.shape[0])).astype(int)
    grows = np.array([kind not in _SURFACES for kind in water])
    count = min(int((found.fraction[grows][:, domain.mask] > 0.0).sum(axis=0).max(initial=1)), MAXIMUM_PATCHES)
    share = found.fraction.reshape(found.fraction.shape[0], -1)[:, domain.cell_id]
    fields = {
        "sand": 100.0 * found.sand, "clay": 100.0 * found.clay, "soil_colour": FIRST_COLOUR + found.colour,
    }  # fmt: skip
    fields = {name: np.asarray(field.ravel()[domain.cell_id]) for name, field in fields.items()}
    for name in dict.fromkeys(_SURFACES.values()):
        classes = [_SURFACES.get(kind) == name for kind in water]
        if found.fraction[classes][:, domain.mask].any():
            fields[f"{name}_fraction"] = share[classes].sum(axis=0)
    present = [number for number in range(1, len(share) + 1) if found.fraction[number - 1][domain.mask].any()]
    types = {number: _types(section, number) for number in present}
    patches = _patches(section, table, np.where(grows[:, None], share, 0.0), max(count, 1), types, domain)
    mean = {number: float(found.fraction[number - 1][domain.mask].mean()) for number in present}
    zones = np.unique(_zones(domain))
    facts = _facts(section, table, mean, {number: [names[zone] for zone in zones] for number, names in types.items()},
                   water)
    return ParflowCover(MappingProxyType(patches), MappingProxyType(fields), facts)


def _check_table(section: ParflowVegetationSection, table: Mapping[str, np.ndarray], found: VegetationMap) -> None:
    missing = [name for name in _NEEDED if name not in table]
    if missing:
        raise InputError(f"{section.parameters}: expected {', '.join(_NEEDED)}, got no {', '.join(missing)}.")
    size = len(found.fraction)
    if table["lai"].size != size:
        raise InputError(f"{section.parameters}: expected numbers of {size} classes as in {section.map}, got "
                         f"{table['lai'].size}.")


@cache
def _plant_table() -> Mapping[int, Mapping[str, str]]:
    text = resources.files("pyland.domain").joinpath("igbp_plants.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def class_title(number: int) -> str:
    """Return the name of a class of land cover."""
    return _plant_table()[number]["title"] if number in _plant_table() else f"class {number}"


def _types(section: ParflowVegetationSection, number: int) -> tuple[str, str, str]:
    """Return the plant types of a class in the tropics, temperate latitudes and the north."""
    if number in section.types:
        return (section.types[number],) * 3
    if number not in _plant_table():
        raise InputError(
            f"{section.map}: class {number} is none of IGBP's; name its plant type in "
            "surface.vegetation.parflow.types.")
    row = _plant_table()[number]
    return tuple(row.get(zone, row["temperate"]) for zone in ("tropical", "temperate", "boreal"))


def _patches(
    section: ParflowVegetationSection,
    table: Mapping[str, np.ndarray],
    share: np.ndarray,
    count: int,
    types: Mapping[int, tuple[str, str, str]],
    domain: Domain,
) -> dict[str, Any]:
    """Return what grows on the largest ``count`` classes of each cell; classes are numbered from 0 here."""
    largest = np.argsort(-share, axis=0, kind="stable")[:count]
    fraction = np.take_along_axis(share, largest, axis=0)
    largest = np.where(fraction > 0.0, largest, largest[:1])  # a patch without area repeats the first
    total = fraction.sum(axis=0)
    bare = total <= 0.0  # nothing but ice, lake or wetland: its soil has no area
    fraction = np.where(bare, np.eye(count)[:, :1], fraction / np.where(bare, 1.0, total))
    zone = _zones(domain)
    kinds: list[tuple[int, str]] = []
    kind = np.zeros(largest.shape, dtype=np.int64)
    for number, names in types.items():
        for place, name in enumerate(names):
            chosen = (largest == number - 1) & (zone == place) & ~bare
            if chosen.any():
                if (number, name) not in kinds:
                    kinds.append((number, name))
                kind[chosen] = kinds.index((number, name))
    if bare.any():
        kinds.append((0, "bare_ground"))
        kind[:, bare] = len(kinds) - 1
    plants = [_Plant(section, table, number, name) for number, name in kinds]
    return {
        "patch_types": tuple(plant.name for plant in plants),
        "plant_parameters": tuple(MappingProxyType(plant.parameters) for plant in plants),
        "root_profile": tuple(plant.roots for plant in plants),
        "patch_kind": kind,
        "patch_fraction": fraction,
        "monthly_leaf_area": np.array([plant.leaves for plant in plants])[kind].transpose(2, 0, 1),
        "monthly_stem_area": np.array([plant.stems for plant in plants])[kind].transpose(2, 0, 1),
        "canopy_top": np.array([plant.heights[1] for plant in plants])[kind],
        "canopy_bottom": np.array([plant.heights[0] for plant in plants])[kind],
    }


def _zones(domain: Domain) -> np.ndarray:
    """Return the climate of the cells: 0 tropical, 1 temperate, 2 boreal."""
    latitude = np.abs(domain.latitude)
    return (latitude >= TROPICS).astype(int) + (latitude >= BOREAL)


class _Plant:
    """A plant type of pyland with the parameters of a class of ParFlow-CLM."""

    def __init__(
        self, section: ParflowVegetationSection, table: Mapping[str, np.ndarray], number: int, name: str
    ) -> None:
        self.name, self.parameters, self.roots = name, dict[str, float](), None
        _, top, bottom = VEGETATION_TYPES[name]
        self.leaves = self.stems = [0.0] * 12
        self.heights = (bottom, top)
        if name == "bare_ground":
            return
        values = {key: float(row[number - 1]) for key, row in table.items()}
        self.leaves, self.stems = leaf_areas(values["lai0"], values["lai"], section), [values["sai"]] * 12
        height = values["displa"] / DISPLACEMENT_RATIO
        if height > 0.0:
            self.parameters["displacement_ratio"] = DISPLACEMENT_RATIO
        else:
            height = HEIGHT_OF_ROUGHNESS * values["z0m"]
        if height > 0.0:
            self.parameters["roughness_ratio"] = values["z0m"] / height
            self.heights = (bottom * height / top, height)
        self.parameters |= {_PLANT_NAMES[key]: value for key, value in values.items()
                            if key in _PLANT_NAMES and value > _UNDEFINED and (key != "dleaf" or value > 0.0)}
        if section.photosynthesis == "parflow_clm":
            self.parameters |= {**PARFLOW_PLANT, "vcmax25_top": capacity_at_top(max(self.leaves))}
        self.parameters |= section.plant_parameters
        if values["roota"] > 0.0 and values["rootb"] > 0.0 and "root_beta" not in section.plant_parameters:
            self.roots = (values["roota"], values["rootb"])
        where = f"{section.parameters}: class {number}"
        ranged = {key: value for key, value in self.parameters.items() if key != "is_c4"}
        for key, value in {**ranged, "leaf_area_index": max(self.leaves), "canopy_top": height,
                           "stem_area_index": values["sai"]}.items():
            variable(key).check_range(np.array([value]), where)


def capacity_at_top(leaf_area: float) -> float:
    """Return the Vcmax of the uppermost leaves with which a canopy has the capacity of ParFlow-CLM [umol m-2 s-1]."""
    depth = CAPACITY_EXTINCTION * leaf_area
    return PARFLOW_CAPACITY * depth / (1.0 - float(np.exp(-depth))) if depth > 0.0 else PARFLOW_CAPACITY


def leaf_areas(least: float, largest: float, section: ParflowVegetationSection) -> list[float]:
    """Return 12 monthly leaf areas [1] between the least and the largest, by the temperature of the ground."""
    given = section.ground_temperature
    months = np.broadcast_to(np.asarray(WARM_GROUND if given is None else given, dtype=float), (12,))
    cold = np.minimum(SEASON * np.maximum(WARM_GROUND - months, 0.0) ** 2, 1.0)
    return [float(area) for area in largest + (least - largest) * cold]


def _facts(
    section: ParflowVegetationSection,
    table: Mapping[str, np.ndarray],
    share: Mapping[int, float],
    types: Mapping[int, list[str]],
    water: np.ndarray,
) -> Mapping[str, str]:
    """Say which class becomes what, and which parameters count."""
    cover = [
        f"{number} {class_title(number)} {100.0 * part:.3g} % as "
        + (_SURFACES.get(int(water[number - 1])) or " or ".join(dict.fromkeys(types[number])))
        for number, part in share.items()
    ]
    used = [name for name in (*_NEEDED, *_PLANT_NAMES) if name in table]
    if section.ground_temperature is None:
        used.remove("lai0")
    irrigated = [str(number) for number in share if "irrig" in table and table["irrig"][number - 1] > 0]
    not_used = _REPLACED[section.photosynthesis]
    if section.ground_temperature is None:
        not_used += "; lai0 needs ground_temperature"
    if section.plant_parameters:
        not_used += f"; {', '.join(section.plant_parameters)} from the case"
    if irrigated:
        not_used += f"; irrig of class {', '.join(irrigated)} is not taken over"
    return MappingProxyType({
        "land cover": "; ".join(cover),
        "from drv_vegp": ", ".join(used) + "; " + not_used,
        "from drv_vegm": "classes, sand, clay, soil colour",
    })
