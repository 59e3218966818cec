"""Hydrogen other than that of soil water, as water: in minerals, organic matter, plants, and above the ground."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError

WATER_OF_CELLULOSE = 0.556
"""Water that the hydrogen of a mass of cellulose would make [1]: C6H10O5 has ten H of 162.14 g, five H2O of 18.015 g
(Franz et al. 2013, Geophys. Res. Lett. 40, 3929-3935)."""

CARBON_OF_ORGANIC_MATTER = 0.5
"""Share of carbon in soil organic matter [1] (Pribyl 2010, Geoderma 156, 75-83: 0.5 rather than 0.58)."""

PEAT_DENSITY = 130.0
"""Density of a soil that is organic matter [kg m-3] (Lawrence and Slater 2008, Clim. Dyn. 30, 145-160), to which the
model's ``organic`` refers."""

GRAIN_DENSITY = 2700.0
"""Density of soil minerals [kg m-3] (CLM Technical Note, eq. 2.3.2)."""

LATTICE_RELATIONS = MappingProxyType({
    "mhm": lambda clay, density: 0.1783 * clay,
    "avery2016": lambda clay, density: 0.097 * clay * 1.0e-3 * density,
})
"""From clay [1] and dry bulk density [kg m-3] to lattice water [m3 m-3]: mHM 5.13, by volume; Avery et al. (2016),
J. Hydrol. 537, 48-59 as used by crnpy, 9.7 % of the mass of clay."""


def lattice_water(clay: ArrayLike, bulk_density: ArrayLike = 1400.0, relation: str = "mhm") -> np.ndarray:
    """Return the water bound in minerals of a soil with so much clay.

    Parameters
    ----------
    clay : array_like
        Clay share of the soil by mass [%].
    bulk_density : array_like
        Dry bulk density [kg m-3]; used by ``avery2016``.
    relation : str
        Key of `LATTICE_RELATIONS`.

    Returns
    -------
    ndarray
        Lattice water [m3 m-3].

    Raises
    ------
    InputError
        If there is no such relation or a share is none.
    """
    if relation not in LATTICE_RELATIONS:
        raise InputError(f"lattice water: unknown relation '{relation}'; available: {', '.join(LATTICE_RELATIONS)}.")
    clay = np.asarray(clay, float)
    if not ((clay >= 0) & (clay <= 100)).all():
        raise InputError("lattice water: clay must lie between 0 and 100 %.")
    return LATTICE_RELATIONS[relation](0.01 * clay, np.asarray(bulk_density, float))


def organic_water(bulk_density: ArrayLike, *, carbon: ArrayLike = 0.0, matter: ArrayLike = 0.0) -> np.ndarray:
    """Return the hydrogen of soil organic matter as water.

    Parameters
    ----------
    bulk_density : array_like
        Dry bulk density [kg m-3].
    carbon, matter : array_like
        Organic carbon, or organic matter, over the dry soil by mass [kg kg-1]; what both name is added.

    Returns
    -------
    ndarray
        Water [m3 m-3].

    Raises
    ------
    InputError
        If a share is negative or above 1.
    """
    total = np.asarray(carbon, float) / CARBON_OF_ORGANIC_MATTER + np.asarray(matter, float)
    if not ((total >= 0) & (total <= 1)).all():
        raise InputError("organic water: organic matter must lie between 0 and 1 kg kg-1 of dry soil.")
    return WATER_OF_CELLULOSE * total * 1.0e-3 * np.asarray(bulk_density, float)


def organic_share_water(organic: ArrayLike) -> np.ndarray:
    """Return the hydrogen of the model's ``organic`` [1] as water [m3 m-3]; 1 is 130 kg m-3 of organic matter."""
    return WATER_OF_CELLULOSE * 1.0e-3 * PEAT_DENSITY * np.asarray(organic, float)


def mineral_density(porosity: ArrayLike) -> np.ndarray:
    """Return the dry bulk density [kg m-3] of a soil of minerals with this porosity [m3 m-3] (CLM Note, eq. 2.3.2)."""
    return GRAIN_DENSITY * (1.0 - np.asarray(porosity, float))


def biomass_water(fresh: ArrayLike, dry: ArrayLike) -> np.ndarray:
    """Return water and hydrogen of plants as water.

    Parameters
    ----------
    fresh, dry : array_like
        Fresh and dry mass of plants above the ground [kg m-2].

    Returns
    -------
    ndarray
        Water equivalent of biomass [kg m-2]: what is lost on drying, and 0.556 of the dry matter (Franz et al. 2013).

    Raises
    ------
    InputError
        If plants weigh less fresh than dry.
    """
    fresh, dry = np.asarray(fresh, float), np.asarray(dry, float)
    if not ((dry >= 0) & (fresh >= dry)).all():
        raise InputError("biomass water: dry mass must be at least 0 and fresh mass at least the dry one [kg m-2].")
    return fresh - dry + WATER_OF_CELLULOSE * dry


def water_above(
    *, snow: ArrayLike = 0.0, canopy: ArrayLike = 0.0, ponded: ArrayLike = 0.0, biomass: ArrayLike = 0.0
) -> np.ndarray:
    """Return all water above the ground.

    COSMIC takes it for a sheet of water on the soil. That is right for ponds, good for snow, and too much shielding for
    plants that stand apart from each other (Baatz et al. 2015); counts may be corrected for them instead.

    Parameters
    ----------
    snow, canopy, ponded, biomass : array_like
        Water of snow, on leaves, standing on the ground, and of plants (`biomass_water`) [kg m-2]; shapes that
        broadcast.

    Returns
    -------
    ndarray
        Water [kg m-2].

    Raises
    ------
    InputError
        If one is negative or not a number.
    """
    parts = {"snow": snow, "canopy": canopy, "ponded": ponded, "biomass": biomass}
    for name, values in parts.items():
        if not (np.asarray(values, float) >= 0).all():
            raise InputError(f"water above the ground: {name} must be at least 0 kg m-2.")
    return np.asarray(snow, float) + canopy + ponded + biomass


__all__ = ["LATTICE_RELATIONS", "PEAT_DENSITY", "WATER_OF_CELLULOSE", "biomass_water", "lattice_water",
           "mineral_density", "organic_share_water", "organic_water", "water_above"]
