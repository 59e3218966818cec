"""Brightness temperature of land: homogeneous rough ground under vegetation, with a share of open water."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core.microwave import EFFECTIVE, call_canopy, call_emission
from pyland.observe.microwave.dielectric import L_BAND, check_frequency, complete_soil, frozen_of

POLARISATIONS = ("h", "v")
"""Order of the first axis of results that hold both."""

DRY, WET = 0.05, 0.45
"""Water contents that roughness falls between where none are given [m3 m-3]; without effect while h is one number."""


def brightness_temperature(
    soil_moisture: ArrayLike,
    soil_temperature: ArrayLike,
    clay: ArrayLike,
    *,
    angle: ArrayLike = 40.0,
    polarisation: str | None = None,
    frequency: float = L_BAND,
    dielectric: str = "mironov2009",
    frozen: str = "practical",
    effective: str = "surface",
    ice: ArrayLike = 0.0,
    sand: ArrayLike = 0.4,
    bulk_density: ArrayLike | None = None,
    porosity: ArrayLike | None = None,
    deep_temperature: ArrayLike | None = None,
    canopy_temperature: ArrayLike | None = None,
    optical_depth: ArrayLike = 0.0,
    optical_depth_v: ArrayLike | None = None,
    albedo: ArrayLike = 0.0,
    roughness: ArrayLike = 0.0,
    roughness_wet: ArrayLike | None = None,
    dry: ArrayLike = DRY,
    wet: ArrayLike = WET,
    mixing: ArrayLike = 0.0,
    power_h: ArrayLike = 2.0,
    power_v: ArrayLike = 2.0,
    open_water: ArrayLike = 0.0,
    water_temperature: ArrayLike | None = None,
    sky: ArrayLike = 0.0,
) -> np.ndarray:
    """Return the brightness temperature above the vegetation.

    All arrays have shapes that can be broadcast; each may be one number.

    Parameters
    ----------
    soil_moisture, ice : array_like
        Liquid water of the topmost centimetres, and ice as the volume of its liquid water [m3 m-3].
    soil_temperature : array_like
        Temperature of the same soil [K].
    clay, sand, bulk_density, porosity : array_like
        As in :func:`soil_permittivity`: shares of the mineral mass [1], [kg m-3], [m3 m-3].
    angle : array_like
        Of incidence [degree], 0 to 85.
    polarisation : {"h", "v"}, optional
        Which to return; both where it is not given.
    frequency : float
        [Hz].
    dielectric, frozen : str
        As in :func:`soil_permittivity`.
    effective : {"surface", "wigneron", "choudhury"}
        Temperature that the ground emits with: that of the surface, or one between it and ``deep_temperature``.
    deep_temperature, canopy_temperature : array_like, optional
        Temperatures of the soil at 0.5 to 1 m and of the vegetation [K]; ``soil_temperature`` where not given.
    optical_depth, optical_depth_v : array_like
        tau of the vegetation at nadir [1], for both polarisations or for horizontal and vertical.
    albedo : array_like
        Single scattering albedo omega of the vegetation [1].
    roughness, roughness_wet : array_like
        h of dry and of wet ground [1]; one number for all where ``roughness_wet`` is not given.
    dry, wet : array_like
        Water contents between which h changes linearly [m3 m-3].
    mixing : array_like
        Q, share of the other polarisation in what rough ground reflects [1].
    power_h, power_v : array_like
        N, power of the cosine that h is multiplied with [1].
    open_water, water_temperature : array_like
        Share of the area under smooth fresh water [1] and its temperature [K], ``soil_temperature`` where not given.
    sky : array_like
        Brightness temperature that comes down [K]; 0 for products that have taken it away.

    Returns
    -------
    numpy.ndarray
        [K]; with both polarisations of shape ``(2, ...)``, horizontal first. NaN where an argument is not finite.

    Raises
    ------
    InputError
        If an option does not exist or does not know the frequency, shapes differ, or a value cannot be.
    """
    check_frequency(dielectric, frozen, frequency)
    density, pores = complete_soil(bulk_density, porosity)
    members = {
        "liquid": soil_moisture, "ice": ice, "temperature": soil_temperature, "clay": clay, "sand": sand,
        "bulk_density": density, "porosity": pores,
        "deep_temperature": _or(deep_temperature, soil_temperature),
        **canopy_members(
            angle=angle, canopy_temperature=_or(canopy_temperature, soil_temperature), optical_depth=optical_depth,
            optical_depth_v=optical_depth_v, albedo=albedo, roughness=roughness, roughness_wet=roughness_wet, dry=dry,
            wet=wet, mixing=mixing, power_h=power_h, power_v=power_v, open_water=open_water,
            water_temperature=_or(water_temperature, soil_temperature), sky=sky),
    }
    both = call_emission(dielectric, frozen_of(dielectric, frozen), effective, frequency, members)
    return both if polarisation is None else both[polarisation_number(polarisation)]


def brightness_above(
    reflectivity: ArrayLike,
    ground_temperature: ArrayLike,
    soil_moisture: ArrayLike,
    canopy_temperature: ArrayLike,
    *,
    frequency: float = L_BAND,
    **canopy: ArrayLike,
) -> np.ndarray:
    """Return the brightness temperature above ground whose smooth reflectivity is known.

    Parameters
    ----------
    reflectivity, ground_temperature : array_like, shape (2, ...)
        Of the smooth ground, horizontal and vertical [1], [K]; see :func:`layered_ground`.
    soil_moisture : array_like
        That the roughness depends on [m3 m-3].
    canopy_temperature : array_like
        Of the vegetation [K].
    frequency : float
        [Hz].
    **canopy
        ``angle`` to ``sky`` of :func:`brightness_temperature`; ``water_temperature`` is ``canopy_temperature`` where it
        is not given.

    Returns
    -------
    numpy.ndarray, shape (2, ...)
        Horizontal and vertical [K].

    Raises
    ------
    InputError
        If shapes differ or a value cannot be.
    """
    defaults = {
        "angle": 40.0, "optical_depth": 0.0, "optical_depth_v": None, "albedo": 0.0, "roughness": 0.0,
        "roughness_wet": None, "dry": DRY, "wet": WET, "mixing": 0.0, "power_h": 2.0, "power_v": 2.0,
        "open_water": 0.0, "water_temperature": canopy_temperature, "sky": 0.0,
    }
    unknown = sorted(set(canopy) - set(defaults))
    if unknown:
        raise InputError(f"brightness temperature: unknown {', '.join(unknown)}; expected {', '.join(defaults)}.")
    reflectivity, temperature = np.asarray(reflectivity, float), np.asarray(ground_temperature, float)
    return call_canopy(frequency, {
        "reflectivity_h": reflectivity[0], "reflectivity_v": reflectivity[1],
        "ground_temperature_h": temperature[0], "ground_temperature_v": temperature[1], "liquid": soil_moisture,
        **canopy_members(canopy_temperature=canopy_temperature, **{**defaults, **canopy}),
    })


def canopy_members(
    *, optical_depth: ArrayLike, optical_depth_v: ArrayLike | None, roughness: ArrayLike,
    roughness_wet: ArrayLike | None, **others: ArrayLike
) -> dict[str, ArrayLike]:
    """Return members of the core by their names there; what is not given for one is that of the other."""
    return {
        "optical_depth_h": optical_depth, "optical_depth_v": _or(optical_depth_v, optical_depth),
        "rough_dry": roughness, "rough_wet": _or(roughness_wet, roughness), **others,
    }


def optical_depth(vegetation_water: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Return the optical depth of vegetation at nadir, tau = b VWC (Jackson and Schmugge 1991).

    Parameters
    ----------
    vegetation_water : array_like
        Water in the vegetation [kg m-2].
    b : array_like
        [m2 kg-1], about 0.1 to 0.15 at L-band.

    Returns
    -------
    numpy.ndarray
        [1].

    Raises
    ------
    InputError
        If a value is negative.
    """
    water, factor = np.asarray(vegetation_water, float), np.asarray(b, float)
    if (water < 0.0).any() or (factor < 0.0).any():
        raise InputError("optical depth: the water of the vegetation and b must not be negative.")
    return factor * water


def vegetation_water(leaf_area_index: ArrayLike, leaf_water: ArrayLike) -> np.ndarray:
    """Return the water in the vegetation, VWC = LEWT LAI (De Lannoy et al. 2013).

    Parameters
    ----------
    leaf_area_index : array_like
        [1].
    leaf_water : array_like
        LEWT, water per leaf area [kg m-2]; 0.5 for low vegetation (CMEM).

    Returns
    -------
    numpy.ndarray
        [kg m-2].
    """
    return np.asarray(leaf_area_index, float) * np.asarray(leaf_water, float)


def polarisation_number(polarisation: str) -> int:
    """Return 0 for horizontal and 1 for vertical; raises `InputError` for another word."""
    if polarisation not in POLARISATIONS:
        raise InputError(f"polarisation: expected one of {', '.join(POLARISATIONS)}, got {polarisation!r}.")
    return POLARISATIONS.index(polarisation)


def _or(value: ArrayLike | None, default: ArrayLike) -> ArrayLike:
    return default if value is None else value


__all__ = [
    "EFFECTIVE",
    "POLARISATIONS",
    "brightness_above",
    "brightness_temperature",
    "canopy_members",
    "optical_depth",
    "polarisation_number",
    "vegetation_water",
]
