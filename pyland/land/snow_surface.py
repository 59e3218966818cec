"""Ageing of snow, its albedo and light, and snow on plants, on arrays of columns.

The time step of the model calls the same compiled kernels; here each can be run alone, for tests and experiments.
Per-column arguments are arrays of shape ``(column,)`` or scalars; those of snow layers have shape ``(layer, column)``
with the layer on the ground last. Bands are 0 visible and 1 near infrared, always the first axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import land_surface
from pyland.core import snow_surface as core
from pyland.core.snow_pack import LAYER_FIELDS
from pyland.land.snow_pack import SnowPack

__all__ = [
    "CanopySnow",
    "age_snow_surface",
    "compute_grain_albedo",
    "compute_snow_absorption",
    "compute_snow_albedo",
    "expose_canopy",
    "grow_snow_grains",
    "intercept_snow",
]

Array = NDArray[np.float64]

_ALBEDO_SCHEMES = {"grains": 1, "age": 2}


@dataclass(frozen=True)
class CanopySnow:
    """Snow on a canopy; arrays ``(column,)``.

    Attributes
    ----------
    canopy_snow : numpy.ndarray
        At the end of the step [kg m-2].
    throughfall : numpy.ndarray
        Snow reaching the ground: what was not caught, the excess and what was unloaded [kg m-2 s-1].
    snow_share : numpy.ndarray
        Share of leaves and stems that light finds under snow [1].
    vapour_share : numpy.ndarray
        Share of leaves and stems that exchange the vapour of snow [1].
    wet_fraction, dry_fraction : numpy.ndarray
        Share of leaves and stems wet or under snow; dry leaves' share of leaves and stems [1].
    """

    canopy_snow: Array
    throughfall: Array
    snow_share: Array
    vapour_share: Array
    wet_fraction: Array
    dry_fraction: Array


def _columns(what: str, *values: ArrayLike) -> Array:
    try:
        return land_surface.pack(values)
    except ValueError as error:
        shapes = ", ".join(str(np.shape(value)) for value in values)
        raise InputError(f"{what}: arrays must have one value per column or be scalars, got shapes {shapes}") from error


def _match(what: str, *packs: Array) -> list[Array]:
    count = max(pack.shape[1] for pack in packs)
    if any(pack.shape[1] not in (1, count) for pack in packs):
        raise InputError(f"{what}: arrays differ in length: {sorted({pack.shape[1] for pack in packs})} columns")
    return [np.ascontiguousarray(np.broadcast_to(pack, (pack.shape[0], count))) for pack in packs]


def _layers(what: str, pack: SnowPack, columns: Array) -> tuple[Array, Array]:
    if columns.shape[1] != pack.ice.shape[1]:
        raise InputError(f"{what}: the pack has {pack.ice.shape[1]} columns, the other arguments {columns.shape[1]}")
    present = pack.ice + pack.liquid > 0.0
    if np.any(present[:-1] & ~present[1:]):
        raise InputError(f"{what}: layers without snow must lie above those with snow; the last layer is on the ground")
    if np.any(present & (pack.thickness == 0.0)):
        raise InputError(f"{what}: a layer with mass needs a thickness [m]")
    return np.concatenate([getattr(pack, name) for name in LAYER_FIELDS]), columns


def grow_snow_grains(
    pack: SnowPack,
    dt: float,
    soil_temperature: ArrayLike,
    *,
    soil_distance: ArrayLike = 0.01,
    refrozen: ArrayLike = 0.0,
    air_pressure: ArrayLike = 101325.0,
) -> SnowPack:
    """Grow the grains of snow over one step.

    Parameters
    ----------
    pack : SnowPack
        After heat and melt of the step.
    dt : float
        Time step, of any length: growth is exact for the state of the start [s].
    soil_temperature : array_like
        Of the top soil layer [K].
    soil_distance : array_like
        From the ground down to the middle of that layer [m].
    refrozen : array_like
        Liquid that froze in the step and is part of the ice, ``(layer, column)`` or scalar [kg m-2].
    air_pressure : array_like
        [Pa].

    Returns
    -------
    SnowPack
        With optical radii from 54.5 to 1500; those of absent layers are as they were [um].

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Jordan (1991), CRREL Special Report 91-16, eqs. 20, 21, 33 and 34; Flanner and Zender (2006), J. Geophys. Res. 111,
    D12208.
    """
    what = "snow grains"
    layers, columns = _layers(what, pack, _columns(what, pack.cover, air_pressure, soil_temperature, soil_distance))
    if np.any(columns[1:3] <= 0.0) or np.any(columns[3] < 0.0):
        raise InputError(
            f"{what}: air pressure [Pa] and soil temperature [K] must be positive, the distance not negative")
    frozen = np.asarray(refrozen, dtype=np.float64)
    try:
        frozen = np.ascontiguousarray(np.broadcast_to(frozen, pack.ice.shape))
    except ValueError as error:
        raise InputError(
            f"{what}: refrozen: expected shape (layer, column) = {pack.ice.shape}, got {frozen.shape}") from error
    if np.any(frozen < 0.0):
        raise InputError(f"{what}: the refrozen mass must not be negative")
    return replace(pack, grain_radius=core.grow(dt, layers, columns, frozen))


def age_snow_surface(
    pack: SnowPack, dt: float, surface_temperature: ArrayLike, new_snow: ArrayLike
) -> SnowPack:
    """Step the non-dimensional age of a snow surface.

    Parameters
    ----------
    pack : SnowPack
        With its non-dimensional age (BATS).
    dt : float
        Time step [s].
    surface_temperature : array_like
        Of the snow [K].
    new_snow : array_like
        That fell on it in the step [kg m-2].

    Returns
    -------
    SnowPack
        With its new age, 0 without snow and above 800 kg m-2.

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Dickinson et al. (1993), NCAR/TN-387+STR.
    """
    what = "snow age"
    layers, columns = _layers(
        what, pack, _columns(what, surface_temperature, new_snow))
    if np.any(columns[0] <= 0.0) or np.any(columns[1:] < 0.0):
        raise InputError(f"{what}: the temperature [K] must be positive, new snow not negative")
    return replace(pack, age=core.age(dt, layers, columns, pack.age[None])[0])


def compute_snow_albedo(
    pack: SnowPack,
    cosine_zenith: ArrayLike,
    *,
    scheme: str = "grains",
    air_pressure: ArrayLike = 101325.0,
    surface_age: ArrayLike = 0.0,
    soil_albedo: ArrayLike = (0.1, 0.2),
) -> tuple[Array, Array]:
    """Albedo of the snow-covered part of the ground.

    Parameters
    ----------
    pack : SnowPack
        With its non-dimensional age (scheme "age").
    cosine_zenith : array_like
        Of the sun; at night that of the horizon is taken [1].
    scheme : {"grains", "age"}
        By the size of the grains, or by the age of the surface.
    air_pressure : array_like
        (grains) [Pa].
    surface_age : array_like
        Time that dust has gathered on the surface (grains) [day].
    soil_albedo : array_like
        Of the soil below for diffuse light, visible and near infrared, ``(2,)`` or ``(2, column)`` (grains) [1].

    Returns
    -------
    direct, diffuse : numpy.ndarray
        Shape ``(2, column)`` [1].

    Raises
    ------
    InputError
        If the scheme is unknown, shapes do not fit or a value is impossible.

    References
    ----------
    Vionnet et al. (2012), Geosci. Model Dev. 5, 773-791, table 4; Kokhanovsky and Zege (2004), Appl. Opt. 43,
    1589-1602; Dickinson et al. (1993), NCAR/TN-387+STR.
    """
    what = "snow albedo"
    if scheme not in _ALBEDO_SCHEMES:
        raise InputError(f"{what}: unknown scheme {scheme!r}; choose one of {', '.join(_ALBEDO_SCHEMES)}")
    soil = np.asarray(soil_albedo, dtype=np.float64)
    if soil.ndim < 1 or soil.shape[0] != 2:
        raise InputError(
            f"{what}: expected a visible and a near-infrared soil albedo on the first axis, got {soil.shape}")
    layers, columns = _layers(
        what, pack, _columns(what, pack.cover, cosine_zenith, air_pressure, pack.age, surface_age, soil[0], soil[1]))
    if np.any(columns[2] <= 0.0) or np.any(columns[4] < 0.0) or np.any((columns[5:] < 0.0) | (columns[5:] > 1.0)):
        raise InputError(f"{what}: the pressure must be positive, the age not negative, the soil albedo in [0, 1]")
    r = core.reflect(_ALBEDO_SCHEMES[scheme], layers, columns)
    return r[:2], r[2:]


def compute_grain_albedo(
    grain_radius: ArrayLike, surface_age: ArrayLike = 0.0, air_pressure: ArrayLike = 87000.0
) -> Array:
    """Diffuse albedo of deep snow in three bands: 0.3-0.8, 0.8-1.5 and 1.5-2.8 um.

    Parameters
    ----------
    grain_radius : array_like
        Optical radius [um].
    surface_age : array_like
        Time that dust has gathered on the surface [day].
    air_pressure : array_like
        [Pa].

    Returns
    -------
    numpy.ndarray
        Shape ``(3, column)``; weights 0.71, 0.21 and 0.08 make the broadband albedo [1].

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Vionnet et al. (2012), Geosci. Model Dev. 5, 773-791, table 4.
    """
    what = "grain albedo"
    columns = _columns(what, grain_radius, surface_age, air_pressure)
    if np.any(columns[[0, 2]] <= 0.0) or np.any(columns[1] < 0.0):
        raise InputError(f"{what}: radius [um] and pressure [Pa] must be positive, the age [day] not negative")
    return core.bands(columns)


def compute_snow_absorption(
    pack: SnowPack, absorbed_visible: ArrayLike, absorbed_near_infrared: ArrayLike
) -> tuple[Array, Array]:
    """Where in a pack absorbed light stays.

    Parameters
    ----------
    pack : SnowPack
        The packs.
    absorbed_visible, absorbed_near_infrared : array_like
        By snow and the ground below it [W m-2].

    Returns
    -------
    per_layer : numpy.ndarray
        Shape ``(layer, column)`` [W m-2].
    to_ground : numpy.ndarray
        What passes the pack, shape ``(column,)``; with the layers it adds up to what was absorbed [W m-2].

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Vionnet et al. (2012), Geosci. Model Dev. 5, 773-791, table 4.
    """
    what = "snow absorption"
    layers, columns = _layers(what, pack, _columns(what, pack.cover, absorbed_visible, absorbed_near_infrared))
    if np.any(columns[1:] < 0.0):
        raise InputError(f"{what}: absorbed light must not be negative")
    per_layer, to_ground = core.light(layers, columns)
    return per_layer, to_ground[0]


def intercept_snow(
    dt: float,
    leaf_area: ArrayLike,
    stem_area: ArrayLike,
    snowfall: ArrayLike,
    air_temperature: ArrayLike,
    wind_speed: ArrayLike,
    canopy_snow: ArrayLike,
    *,
    rain_share: ArrayLike = 0.0,
) -> CanopySnow:
    """Catch snow in the canopy; let the excess and what wind and warmth unload fall.

    Parameters
    ----------
    dt : float
        Time step [s].
    leaf_area, stem_area : array_like
        Exposed one-sided area indices; below 0.05 together all snow falls [m2 m-2].
    snowfall : array_like
        Above the canopy [kg m-2 s-1].
    air_temperature, wind_speed : array_like
        Above the canopy [K, m s-1].
    canopy_snow : array_like
        Snow in the canopy at the start [kg m-2].
    rain_share : array_like
        Share of leaves and stems wet by rain [1].

    Returns
    -------
    CanopySnow
        ``canopy_snow`` at the end plus ``dt`` times ``throughfall`` equals the start plus ``dt`` times the snowfall.

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Lawrence et al. (2018), CLM5 Technical Note, section 7.1; Roesch et al. (2001), Clim. Dyn. 17, 933-946.
    """
    what = "snow interception"
    inputs, store = _match(
        what, _columns(what, leaf_area, stem_area, snowfall, air_temperature, wind_speed, rain_share),
        _columns(what, canopy_snow))
    if np.any(inputs < 0.0) or np.any(store < 0.0) or np.any(inputs[5] > 1.0):
        raise InputError(f"{what}: areas, snow, temperature [K] and wind must not be negative, rain_share in [0, 1]")
    new, r = core.canopy(dt, inputs, store)
    return CanopySnow(new[0], *r)


def expose_canopy(
    leaf_area: ArrayLike,
    stem_area: ArrayLike,
    snow_depth: ArrayLike,
    *,
    canopy_top: ArrayLike,
    canopy_bottom: ArrayLike = 0.0,
    is_low: ArrayLike = 0.0,
    snow_cover: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    """Leaf and stem area above the snow.

    Parameters
    ----------
    leaf_area, stem_area : array_like
        Of the whole plant [m2 m-2].
    snow_depth : array_like
        Where snow lies [m].
    canopy_top, canopy_bottom : array_like
        Of the crown; not used for low plants [m].
    is_low : array_like
        1 for grass and crops, which 0.2 m of snow bury; 0 for shrubs and trees.
    snow_cover : array_like
        Share of the ground under snow [1].

    Returns
    -------
    leaf_area, stem_area : numpy.ndarray
        Exposed, shape ``(column,)`` [m2 m-2].

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Lawrence et al. (2018), CLM5 Technical Note, section 2.2.
    """
    what = "buried canopy"
    columns, areas = _match(
        what, _columns(what, canopy_top, canopy_bottom, is_low, snow_depth, snow_cover),
        _columns(what, leaf_area, stem_area))
    if np.any(columns < 0.0) or np.any(areas < 0.0) or np.any(columns[4] > 1.0):
        raise InputError(f"{what}: areas, heights and snow must not be negative, the snow cover in [0, 1]")
    exposed = core.expose(columns, areas)
    return exposed[0], exposed[1]
