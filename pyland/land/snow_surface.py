"""Ageing of snow, its albedo and light, and snow on plants, on arrays of columns.

The time step of the model calls the same compiled kernels; here each can be run alone, for tests and experiments.
Per-column arguments are arrays of shape ``(column,)`` or scalars; those of snow layers have shape ``(layer, column)``
with the surface first and the layer on the ground last. Layers without mass are absent and must lie on top. Masses are
per m2 of ground, thickness is that where snow lies: mass = density * thickness * cover.
Bands are 0 visible and 1 near infrared, always the first axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import land_surface
from pyland.core import snow_surface as core

__all__ = [
    "CanopySnow",
    "SnowLayers",
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
class SnowLayers:
    """Snow packs; every member is ``(layer, column)``, ``(layer,)`` for one column, or a scalar.

    Attributes
    ----------
    ice, liquid : array_like
        Mass per m2 of ground [kg m-2].
    thickness : array_like
        Where snow lies [m].
    temperature : array_like
        [K].
    grain_radius : array_like
        Optical radius [um].
    """

    ice: ArrayLike
    liquid: ArrayLike = 0.0
    thickness: ArrayLike = 0.0
    temperature: ArrayLike = 273.15
    grain_radius: ArrayLike = 54.5

    def pack(self, what: str) -> Array:
        """Stack and check the members.

        Parameters
        ----------
        what : str
            Name of the process, for messages.

        Returns
        -------
        numpy.ndarray
            Shape ``(5 * layer, column)``.

        Raises
        ------
        InputError
            If shapes do not fit or a value is impossible.
        """
        names = ("ice", "liquid", "thickness", "temperature", "grain_radius")
        arrays = [np.asarray(getattr(self, name), dtype=np.float64) for name in names]
        arrays = [array[:, None] if array.ndim == 1 else array for array in arrays]
        try:
            rows = np.broadcast_arrays(np.zeros((1, 1)), *arrays)[1:]
        except ValueError as error:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise InputError(
                f"{what}: members of the snow must have one shape (layer, column), got {shapes}") from error
        ice, liquid, thickness, temperature, radius = rows
        if any(np.any(values < 0.0) for values in (ice, liquid, thickness)) or np.any(temperature <= 0.0):
            raise InputError(f"{what}: mass and thickness of snow must not be negative, its temperature [K] positive")
        if np.any(radius <= 0.0):
            raise InputError(f"{what}: the grain radius [um] must be positive")
        present = ice + liquid > 0.0
        if np.any(present[:-1] & ~present[1:]):
            raise InputError(
                f"{what}: layers without snow must lie above those with snow; the last layer is on the ground")
        if np.any(present & (thickness == 0.0)):
            raise InputError(f"{what}: a layer with mass needs a thickness [m]")
        return np.ascontiguousarray(np.concatenate(rows))


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


def _check_cover(what: str, packs: Array, cover: Array) -> None:
    layers = packs.shape[0] // 5
    lies = np.any(packs[:2 * layers] > 0.0, axis=0)
    if np.any((cover < 0.0) | (cover > 1.0)) or np.any(lies & (cover == 0.0)):
        raise InputError(f"{what}: the snow cover must lie in [0, 1], above 0 where there is snow")


def grow_snow_grains(
    dt: float,
    snow: SnowLayers,
    soil_temperature: ArrayLike,
    *,
    soil_distance: ArrayLike = 0.01,
    refrozen: ArrayLike = 0.0,
    cover: ArrayLike = 1.0,
    air_pressure: ArrayLike = 101325.0,
) -> Array:
    """Grow the grains of snow over one step.

    Parameters
    ----------
    dt : float
        Time step, of any length: growth is exact for the state of the start [s].
    snow : SnowLayers
        At the end of the step's heat and melt; layers ``n``.
    soil_temperature : array_like
        Of the top soil layer [K].
    soil_distance : array_like
        From the ground down to the middle of that layer [m].
    refrozen : array_like
        Liquid that froze in the step and is part of the ice, ``(layer, column)`` or scalar [kg m-2].
    cover : array_like
        Share of the ground under snow [1].
    air_pressure : array_like
        [Pa].

    Returns
    -------
    numpy.ndarray
        Optical radius ``(layer, column)``, from 54.5 to 1500; that of absent layers is as it was [um].

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
    packs, columns = _match(
        what, snow.pack(what), _columns(what, cover, air_pressure, soil_temperature, soil_distance))
    _check_cover(what, packs, columns[0])
    if np.any(columns[1:3] <= 0.0) or np.any(columns[3] < 0.0):
        raise InputError(
            f"{what}: air pressure [Pa] and soil temperature [K] must be positive, the distance not negative")
    shape = (packs.shape[0] // 5, packs.shape[1])
    frozen = np.asarray(refrozen, dtype=np.float64)
    frozen = frozen[:, None] if frozen.ndim == 1 else frozen
    try:
        frozen = np.ascontiguousarray(np.broadcast_to(frozen, shape))
    except ValueError as error:
        raise InputError(f"{what}: refrozen: expected shape (layer, column) = {shape}, got {frozen.shape}") from error
    if np.any(frozen < 0.0):
        raise InputError(f"{what}: the refrozen mass must not be negative")
    return core.grow(dt, packs, columns, frozen)


def age_snow_surface(
    dt: float,
    snow: SnowLayers,
    surface_temperature: ArrayLike,
    new_snow: ArrayLike,
    age: ArrayLike,
) -> Array:
    """Step the non-dimensional age of a snow surface.

    Parameters
    ----------
    dt : float
        Time step [s].
    snow : SnowLayers
        The packs.
    surface_temperature : array_like
        Of the snow [K].
    new_snow : array_like
        That fell on it in the step [kg m-2].
    age : array_like
        Non-dimensional age of BATS [1].

    Returns
    -------
    age : numpy.ndarray
        Shape ``(column,)``; 0 without snow and for packs above 800 kg m-2 [1].

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.

    References
    ----------
    Dickinson et al. (1993), NCAR/TN-387+STR.
    """
    what = "snow age"
    packs, columns, ages = _match(
        what, snow.pack(what), _columns(what, surface_temperature, new_snow), _columns(what, age))
    if np.any(columns[0] <= 0.0) or np.any(columns[1] < 0.0) or np.any(ages < 0.0):
        raise InputError(f"{what}: the temperature [K] must be positive, new snow and ages not negative")
    return core.age(dt, packs, columns, ages)[0]


def compute_snow_albedo(
    scheme: str,
    snow: SnowLayers,
    cosine_zenith: ArrayLike,
    *,
    cover: ArrayLike = 1.0,
    air_pressure: ArrayLike = 101325.0,
    age: ArrayLike = 0.0,
    surface_age: ArrayLike = 0.0,
    soil_albedo: ArrayLike = (0.1, 0.2),
) -> tuple[Array, Array]:
    """Albedo of the snow-covered part of the ground.

    Parameters
    ----------
    scheme : {"grains", "age"}
        By the size of the grains, or by the age of the surface.
    snow : SnowLayers
        The packs.
    cosine_zenith : array_like
        Of the sun; at night that of the horizon is taken [1].
    cover : array_like
        Share of the ground under snow [1].
    air_pressure : array_like
        (grains) [Pa].
    age : array_like
        Non-dimensional age of the surface (age) [1].
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
    packs, columns = _match(
        what, snow.pack(what),
        _columns(what, cover, cosine_zenith, air_pressure, age, surface_age, soil[0], soil[1]))
    _check_cover(what, packs, columns[0])
    if np.any(columns[2] <= 0.0) or np.any(columns[3:5] < 0.0) or np.any((columns[5:] < 0.0) | (columns[5:] > 1.0)):
        raise InputError(f"{what}: the pressure must be positive, ages not negative, the soil albedo in [0, 1]")
    r = core.reflect(_ALBEDO_SCHEMES[scheme], packs, columns)
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
    snow: SnowLayers, absorbed_visible: ArrayLike, absorbed_near_infrared: ArrayLike, *, cover: ArrayLike = 1.0
) -> tuple[Array, Array]:
    """Where in a pack absorbed light stays.

    Parameters
    ----------
    snow : SnowLayers
        The packs.
    absorbed_visible, absorbed_near_infrared : array_like
        By snow and the ground below it [W m-2].
    cover : array_like
        Share of the ground under snow [1].

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
    packs, columns = _match(
        what, snow.pack(what), _columns(what, cover, absorbed_visible, absorbed_near_infrared))
    _check_cover(what, packs, columns[0])
    if np.any(columns[1:] < 0.0):
        raise InputError(f"{what}: absorbed light must not be negative")
    per_layer, to_ground = core.light(packs, columns)
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
