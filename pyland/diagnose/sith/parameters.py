"""Parameters of plants and soils of the ET model: published tables, or fields of a case."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError

WATER_DENSITY = 1000.0
"""Of liquid water [kg m-3]."""

LAYER_THICKNESS = np.array([0.05, 1.45, 3.5])
"""Layers of the model from the top [m] (Zhang et al. 2022)."""

LAYER_BOTTOM = np.cumsum(LAYER_THICKNESS)
"""Depth of their lower edges [m]."""

DEEP_YIELD = 0.2
"""Specific yield of the ground below the layers [1] (Zhu et al. 2019)."""

PLANTS = MappingProxyType({
    #                            beta, D50 [m], D95 [m], height [m]
    "evergreen_needleleaf_forest": (0.06, 1.771, 3.998, 20.0),
    "evergreen_broadleaf_forest": (0.02, 2.187, 4.316, 18.0),
    "deciduous_needleleaf_forest": (0.06, 1.668, 3.936, 18.0),
    "deciduous_broadleaf_forest": (0.06, 1.401, 3.888, 18.0),
    "mixed_forest": (0.04, 1.748, 3.866, 15.0),
    "closed_shrubland": (0.01, 0.701, 2.663, 1.5),
    "open_shrubland": (0.01, 0.753, 2.872, 1.5),
    "woody_savanna": (0.01, 0.765, 2.253, 1.2),
    "savanna": (0.01, 0.559, 1.877, 1.0),
    "grassland": (0.01, 0.598, 1.823, 1.0),
    "cropland": (0.01, 0.896, 2.203, 1.5),
    "wetland": (0.01, 0.752, 2.809, 1.5),
})
"""Interception per leaf area [1], depths of 50 and 95 % of the roots [m], canopy height [m]; values of SiTHv2 (Zhang et
al. 2022; of its public tables the numbers)."""

SOILS = MappingProxyType({
    #                  Ks [m d-1], porosity, b, field capacity, wilting point
    "sand": (1.3841, 0.373, 3.39, 0.151, 0.035),
    "loamy_sand": (0.8229, 0.386, 3.86, 0.189, 0.052),
    "sandy_loam": (0.5353, 0.416, 4.50, 0.265, 0.087),
    "loam": (0.4086, 0.435, 5.77, 0.331, 0.139),
    "silt": (0.4331, 0.455, 5.32, 0.371, 0.149),
    "silty_loam": (0.4427, 0.468, 4.98, 0.382, 0.156),
    "sandy_clay_loam": (0.4991, 0.416, 7.20, 0.314, 0.157),
    "clay_loam": (0.3552, 0.449, 8.32, 0.387, 0.212),
    "silty_clay_loam": (0.3848, 0.476, 8.32, 0.344, 0.203),
    "sandy_clay": (0.6157, 0.423, 9.59, 0.349, 0.207),
    "silty_clay": (0.2967, 0.481, 10.4, 0.390, 0.274),
    "clay": (0.2580, 0.461, 12.1, 0.417, 0.282),
})
"""Soil types of SiTHv2 (same source)."""


@dataclass(frozen=True)
class SithPlants:
    """Plants of each cell, arrays of shape (cell,).

    Attributes
    ----------
    interception : numpy.ndarray
        Share of the rain that a unit of leaf area catches [1].
    root_median, root_limit : numpy.ndarray
        Depths above which 50 and 95 % of the roots lie [m].
    height : numpy.ndarray
        Canopy height [m].
    """

    interception: np.ndarray
    root_median: np.ndarray
    root_limit: np.ndarray
    height: np.ndarray

    def __post_init__(self) -> None:
        """Check what formulas divide by or take the logarithm of."""
        if not ((self.root_median > 0.0) & (self.root_limit > self.root_median)).all():
            raise InputError("Plants of SiTH: expected 0 < depth of half of the roots < depth of 95 % of them.")
        if not (self.height > 0.0).all():
            raise InputError(f"Plants of SiTH: expected canopy heights above 0, got {self.height.min():g} m.")


@dataclass(frozen=True)
class SithSoil:
    """Soil of each cell, the same at all depths, arrays of shape (cell,).

    Attributes
    ----------
    saturated_conductivity : numpy.ndarray
        [kg m-2 d-1].
    porosity, field_capacity, wilting_point : numpy.ndarray
        Volumetric water contents [m3 m-3].
    exponent : numpy.ndarray
        b of Clapp and Hornberger [1].
    """

    saturated_conductivity: np.ndarray
    porosity: np.ndarray
    exponent: np.ndarray
    field_capacity: np.ndarray
    wilting_point: np.ndarray

    def __post_init__(self) -> None:
        """Check the order of the water contents."""
        order = (self.wilting_point > 0.0) & (self.field_capacity > self.wilting_point)
        wrong = np.flatnonzero(~(order & (self.porosity > self.field_capacity)))
        if wrong.size:
            one = wrong[0]
            raise InputError(
                "Soil of SiTH: expected 0 < wilting point < field capacity < porosity, got "
                f"{self.wilting_point[one]:.4g}, {self.field_capacity[one]:.4g} and {self.porosity[one]:.4g} in cell "
                f"{one}.")


def plants_by_name(names: list[str]) -> SithPlants:
    """Return the plants of cells by their names in ``PLANTS``; InputError for an unknown one."""
    unknown = sorted(set(names) - set(PLANTS))
    if unknown:
        raise InputError(f"Plants of SiTH: expected names of {', '.join(PLANTS)}; got {', '.join(unknown)}.")
    return SithPlants(*np.array([PLANTS[name] for name in names]).T)


def soil_by_name(names: list[str]) -> SithSoil:
    """Return the soils of cells by their names in ``SOILS``; InputError for an unknown one."""
    unknown = sorted(set(names) - set(SOILS))
    if unknown:
        raise InputError(f"Soils of SiTH: expected names of {', '.join(SOILS)}; got {', '.join(unknown)}.")
    conductivity, *rest = np.array([SOILS[name] for name in names]).T
    return SithSoil(WATER_DENSITY * conductivity, *rest)


def root_shares(plants: SithPlants) -> np.ndarray:
    """Return the share of the roots in each layer, the logistic dose-response curve of depth (Schenk and Jackson 2002).

    Returns
    -------
    numpy.ndarray, shape (3, cell)
        [1]; the sum is below 1 where roots reach below the layers.
    """
    shape = -2.944 / np.log(plants.root_limit / plants.root_median)  # ln 19: 95 % above root_limit
    cumulated = 1.0 / (1.0 + (LAYER_BOTTOM[:, None] / plants.root_median) ** shape)
    return np.diff(cumulated, axis=0, prepend=0.0)
