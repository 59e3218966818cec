"""Single processes of the land surface, on arrays of columns.

The time step of the model calls the same compiled kernels; here each can be run alone, for tests and experiments.
Per-column arguments are arrays of shape ``(column,)`` or scalars; layered ones have shape ``(layer, column)``.
Bands are 0 visible and 1 near infrared, always the first axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import land_surface as core

__all__ = [
    "CanopyLight",
    "DerivedWeather",
    "Interception",
    "PatchRadiation",
    "SoilSurface",
    "compute_patch_radiation",
    "compute_soil_albedo",
    "compute_soil_surface",
    "compute_two_stream",
    "derive_weather",
    "intercept_rain",
]

Array = NDArray[np.float64]

_PLANT_PACK = (
    "leaf_area", "stem_area", "leaf_angle",
    "leaf_reflectance_vis", "leaf_reflectance_nir", "leaf_transmittance_vis", "leaf_transmittance_nir",
    "stem_reflectance_vis", "stem_reflectance_nir", "stem_transmittance_vis", "stem_transmittance_nir",
)
_EVAPORATION_SCHEMES = {"dry_surface_layer": 1, "beta": 2}


@dataclass(frozen=True)
class CanopyLight:
    """Shares of unit incoming shortwave, of the direct beam or of diffuse light; band arrays ``(2, column)``.

    Attributes
    ----------
    albedo_direct, albedo_diffuse : numpy.ndarray
        Reflected by canopy and ground; direct is 1 at night [1].
    absorbed_direct, absorbed_diffuse : numpy.ndarray
        Absorbed by leaves and stems [1].
    sunlit_direct, sunlit_diffuse : numpy.ndarray
        Part of it that sunlit leaves and stems absorb [1].
    transmitted_direct, transmitted_diffuse : numpy.ndarray
        Diffuse light reaching the ground [1].
    beam_transmission : numpy.ndarray
        Direct beam reaching the ground, shape ``(column,)`` [1].
    extinction : numpy.ndarray
        Extinction of the beam per leaf and stem area, shape ``(column,)`` [1].
    sunlit_area : numpy.ndarray
        Sunlit leaf and stem area, shape ``(column,)`` [m2 m-2].
    """

    albedo_direct: Array
    albedo_diffuse: Array
    absorbed_direct: Array
    absorbed_diffuse: Array
    sunlit_direct: Array
    sunlit_diffuse: Array
    transmitted_direct: Array
    transmitted_diffuse: Array
    beam_transmission: Array
    extinction: Array
    sunlit_area: Array


@dataclass(frozen=True)
class PatchRadiation:
    """Shortwave of a patch; all arrays ``(column,)``.

    Attributes
    ----------
    canopy_absorbed, ground_absorbed, reflected : numpy.ndarray
        They add up to the incoming shortwave [W m-2].
    sunlit_leaf_area, shaded_leaf_area : numpy.ndarray
        They add up to the leaf area; 0 without a canopy [m2 m-2].
    sunlit_par, shaded_par : numpy.ndarray
        Visible light absorbed per leaf area [W m-2 leaf].
    extinction : numpy.ndarray
        Of the direct beam [1].
    canopy_emissivity : numpy.ndarray
        1 - exp(-(L + S)); 0 without a canopy [1].
    """

    canopy_absorbed: Array
    ground_absorbed: Array
    reflected: Array
    sunlit_leaf_area: Array
    shaded_leaf_area: Array
    sunlit_par: Array
    shaded_par: Array
    extinction: Array
    canopy_emissivity: Array


@dataclass(frozen=True)
class DerivedWeather:
    """Derived weather; arrays ``(column,)``, shortwave ``(2, column)``.

    Attributes
    ----------
    air_density : numpy.ndarray
        Of moist air [kg m-3].
    vapour_pressure : numpy.ndarray
        [Pa].
    potential_temperature : numpy.ndarray
        Air temperature + 0.0098 K m-1 times the reference height [K].
    shortwave_direct, shortwave_diffuse : numpy.ndarray
        Per band [W m-2].
    """

    air_density: Array
    vapour_pressure: Array
    potential_temperature: Array
    shortwave_direct: Array
    shortwave_diffuse: Array


@dataclass(frozen=True)
class Interception:
    """Rain on a canopy; arrays ``(column,)``.

    Attributes
    ----------
    canopy_water : numpy.ndarray
        At the end of the step [kg m-2].
    throughfall : numpy.ndarray
        Rain and drip reaching the ground [kg m-2 s-1].
    wet_fraction : numpy.ndarray
        Wet share of leaves and stems [1].
    dry_fraction : numpy.ndarray
        Dry leaves' share of leaves and stems [1].
    """

    canopy_water: Array
    throughfall: Array
    wet_fraction: Array
    dry_fraction: Array


@dataclass(frozen=True)
class SoilSurface:
    """Humidity of the soil surface and the soil's hold on its water; arrays ``(column,)``.

    Attributes
    ----------
    humidity : numpy.ndarray
        Specific humidity at the surface [kg kg-1].
    humidity_slope : numpy.ndarray
        Its derivative to temperature [kg kg-1 K-1].
    resistance : numpy.ndarray
        Of the dry surface layer; 0 in dew and with the beta scheme [s m-1].
    evaporation_factor : numpy.ndarray
        Factor on the conductance from soil to air; 1 in dew and with the dry surface layer [1].
    """

    humidity: Array
    humidity_slope: Array
    resistance: Array
    evaporation_factor: Array


def _pack(what: str, *values: ArrayLike) -> Array:
    try:
        return core.pack(values)
    except ValueError as error:
        shapes = ", ".join(str(np.shape(value)) for value in values)
        raise InputError(f"{what}: arrays must have one value per column or be scalars, got shapes {shapes}") from error


def _same_columns(what: str, *packs: Array) -> list[Array]:
    count = max(pack.shape[1] for pack in packs)
    if any(pack.shape[1] not in (1, count) for pack in packs):
        raise InputError(f"{what}: arrays differ in length: {sorted({pack.shape[1] for pack in packs})} columns")
    return [np.ascontiguousarray(np.broadcast_to(pack, (pack.shape[0], count))) for pack in packs]


def _plants(what: str, leaf_area: ArrayLike, stem_area: ArrayLike, optics: Mapping[str, ArrayLike],
            snow_share: ArrayLike) -> Array:
    missing = [name for name in _PLANT_PACK[2:] if name not in optics]
    if missing:
        raise InputError(f"{what}: optics lacks {', '.join(missing)}; `plant_parameters` returns all of them")
    plants = _pack(what, leaf_area, stem_area, *(optics[name] for name in _PLANT_PACK[2:]), snow_share)
    if np.any(plants[:2] < 0.0):
        raise InputError(f"{what}: leaf and stem area must not be negative")
    if np.any((plants[-1] < 0.0) | (plants[-1] > 1.0)):
        raise InputError(f"{what}: the share of leaves under snow must lie in [0, 1]")
    return plants


def _bands(what: str, *pairs: ArrayLike) -> Array:
    rows: list[ArrayLike] = []
    for pair in pairs:
        array = np.asarray(pair, dtype=np.float64)
        if array.ndim < 1 or array.shape[0] != 2:
            raise InputError(
                f"{what}: expected a visible and a near-infrared value on the first axis, got {array.shape}")
        rows.extend((array[0], array[1]))
    pack = _pack(what, *rows)
    if np.any((pack < 0.0) | (pack >= 1.0)):
        raise InputError(f"{what}: an albedo must lie in [0, 1)")
    return pack


def compute_two_stream(
    leaf_area: ArrayLike,
    stem_area: ArrayLike,
    optics: Mapping[str, ArrayLike],
    ground_albedo: ArrayLike,
    cosine_zenith: ArrayLike,
    *,
    ground_albedo_diffuse: ArrayLike | None = None,
    snow_share: ArrayLike = 0.0,
) -> CanopyLight:
    """Solve the two-stream equations of shortwave in a canopy.

    Parameters
    ----------
    leaf_area, stem_area : array_like
        One-sided area indices, shape ``(column,)`` or scalar [m2 m-2].
    optics : Mapping[str, array_like]
        ``leaf_angle`` and the reflectances and transmittances of leaves and stems, as `plant_parameters` returns them.
    ground_albedo : array_like
        For the direct beam, visible and near infrared, shape ``(2,)`` or ``(2, column)``, in [0, 1) [1].
    cosine_zenith : array_like
        Cosine of the sun's zenith angle; not above 0 means night [1].
    ground_albedo_diffuse : array_like, optional
        For diffuse light; by default the same as for the beam [1].
    snow_share : array_like
        Share of leaves and stems under intercepted snow, in [0, 1] [1].

    Returns
    -------
    CanopyLight
        Shares of unit incoming light.

    Raises
    ------
    InputError
        If shapes do not fit, an area is negative, an albedo outside [0, 1), or a value is not finite.

    References
    ----------
    Sellers (1985), Int. J. Remote Sens. 6, 1335-1372; CLM Technical Note, section 3.1.
    """
    what = "two-stream"
    diffuse = ground_albedo if ground_albedo_diffuse is None else ground_albedo_diffuse
    plants, albedos, sun = _same_columns(
        what, _plants(what, leaf_area, stem_area, optics, snow_share), _bands(what, ground_albedo, diffuse),
        _pack(what, cosine_zenith))
    r = core.two_stream(plants, albedos, sun)
    return CanopyLight(*(r[k:k + 2] for k in range(0, 16, 2)), r[16], r[17], r[18])


def _weather(what: str, air_temperature: ArrayLike, specific_humidity: ArrayLike, air_pressure: ArrayLike,
             shortwave_down: ArrayLike, cosine_zenith: ArrayLike, reference_height: ArrayLike) -> Array:
    pack = _pack(
        what, air_temperature, specific_humidity, air_pressure, shortwave_down, cosine_zenith, reference_height)
    if np.any(pack[[0, 2]] <= 0.0) or np.any(pack[[1, 3]] < 0.0):
        raise InputError(
            f"{what}: temperature [K] and pressure [Pa] must be positive, humidity and shortwave not negative")
    return pack


def derive_weather(
    air_temperature: ArrayLike,
    specific_humidity: ArrayLike,
    air_pressure: ArrayLike,
    shortwave_down: ArrayLike,
    cosine_zenith: ArrayLike,
    reference_height: ArrayLike = 10.0,
) -> DerivedWeather:
    """Density, vapour pressure, potential temperature, and shortwave split by band and direction.

    Parameters
    ----------
    air_temperature, specific_humidity, air_pressure, shortwave_down, cosine_zenith, reference_height : array_like
        Forcing, shape ``(column,)`` or scalar [K, kg kg-1, Pa, W m-2, 1, m].

    Returns
    -------
    DerivedWeather
        Shortwave is half visible; its direct share follows the CLM Technical Note and is 0 at night.

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.
    """
    r = core.weather(_weather("weather", air_temperature, specific_humidity, air_pressure, shortwave_down,
                              cosine_zenith, reference_height))
    return DerivedWeather(r[0], r[1], r[2], r[3:5], r[5:7])


def compute_patch_radiation(
    leaf_area: ArrayLike,
    stem_area: ArrayLike,
    optics: Mapping[str, ArrayLike],
    ground_albedo: ArrayLike,
    shortwave_down: ArrayLike,
    cosine_zenith: ArrayLike,
) -> PatchRadiation:
    """Shortwave absorbed by a patch and the ground below, and the light of sunlit and shaded leaves.

    Parameters
    ----------
    leaf_area, stem_area : array_like
        One-sided area indices; below 0.05 together the patch is bare ground [m2 m-2].
    optics : Mapping[str, array_like]
        As for `compute_two_stream`.
    ground_albedo : array_like
        Visible and near infrared, shape ``(2,)`` or ``(2, column)`` [1].
    shortwave_down : array_like
        Incoming shortwave [W m-2].
    cosine_zenith : array_like
        Cosine of the sun's zenith angle [1].

    Returns
    -------
    PatchRadiation
        Absorbed and reflected shortwave, leaf areas and light per leaf area.

    Raises
    ------
    InputError
        If shapes do not fit or a value is impossible.
    """
    what = "patch radiation"
    # light does not depend on the state of the air; any valid air serves the derivation of the weather
    weather = _weather(what, 288.0, 0.005, 1.0e5, shortwave_down, cosine_zenith, 10.0)
    plants, albedos, weather = _same_columns(
        what, _plants(what, leaf_area, stem_area, optics, 0.0), _bands(what, ground_albedo, ground_albedo), weather)
    return PatchRadiation(*core.radiation(plants, albedos, weather))


def compute_soil_albedo(dry: ArrayLike, saturated: ArrayLike, water: ArrayLike) -> Array:
    """Albedo of bare soil, the same for direct and diffuse light.

    Parameters
    ----------
    dry, saturated : array_like
        Albedo of the dry and the saturated soil colour, visible and near infrared,
        shape ``(2,)`` or ``(2, column)`` [1].
    water : array_like
        Volumetric water of the top layer [m3 m-3].

    Returns
    -------
    numpy.ndarray
        Shape ``(2, column)`` [1].

    Raises
    ------
    InputError
        If shapes do not fit or an albedo lies outside [0, 1).
    """
    what = "soil albedo"
    colour, moisture = _same_columns(what, _bands(what, dry, saturated), _pack(what, water))
    return core.albedo(colour, moisture)[:2]


def intercept_rain(
    dt: float, leaf_area: ArrayLike, stem_area: ArrayLike, rainfall: ArrayLike, canopy_water: ArrayLike
) -> Interception:
    """Catch rain in the canopy and let the excess drip.

    Parameters
    ----------
    dt : float
        Time step [s].
    leaf_area, stem_area : array_like
        One-sided area indices [m2 m-2].
    rainfall : array_like
        Rain above the canopy [kg m-2 s-1].
    canopy_water : array_like
        Water in the canopy at the start [kg m-2].

    Returns
    -------
    Interception
        ``canopy_water`` at the end plus ``dt`` times ``throughfall`` equals the start plus ``dt`` times the rain.

    Raises
    ------
    InputError
        If shapes do not fit or a value is negative.
    """
    what = "interception"
    inputs, store = _same_columns(what, _pack(what, leaf_area, stem_area, rainfall), _pack(what, canopy_water))
    if np.any(inputs < 0.0) or np.any(store < 0.0):
        raise InputError(f"{what}: areas, rain and canopy water must not be negative")
    new, r = core.intercept(dt, inputs, store)
    return Interception(new[0], r[0], r[1], r[2])


def compute_soil_surface(
    scheme: str,
    *,
    specific_humidity: ArrayLike,
    air_pressure: ArrayLike,
    porosity: ArrayLike,
    air_dry_water: ArrayLike,
    field_capacity: ArrayLike,
    exponent: ArrayLike,
    water: ArrayLike,
    pressure_head: ArrayLike,
    temperature: ArrayLike,
    ice: ArrayLike = 0.0,
) -> SoilSurface:
    """Humidity of the soil surface and the soil's resistance to evaporation.

    Parameters
    ----------
    scheme : {"dry_surface_layer", "beta"}
        How the soil holds its water.
    specific_humidity, air_pressure : array_like
        Of the air [kg kg-1, Pa].
    porosity, air_dry_water, field_capacity : array_like
        Of the top layer [m3 m-3].
    exponent : array_like
        Clapp-Hornberger b of the top layer; 1/(n - 1) for van Genuchten [1].
    water, pressure_head, temperature : array_like
        Of the top layer, water its liquid [m3 m-3, m, K].
    ice : array_like
        Of the top layer, as volume of liquid water [m3 m-3].

    Returns
    -------
    SoilSurface
        Humidity, its slope, resistance and factor.

    Raises
    ------
    InputError
        If the scheme is unknown, shapes do not fit, or the air-dry water is not below the porosity.
    """
    what = "soil surface"
    if scheme not in _EVAPORATION_SCHEMES:
        raise InputError(f"{what}: unknown scheme {scheme!r}; choose one of {', '.join(_EVAPORATION_SCHEMES)}")
    weather, soil, states = _same_columns(
        what,
        _pack(what, specific_humidity, air_pressure),
        _pack(what, porosity, air_dry_water, field_capacity, exponent),
        _pack(what, water, pressure_head, temperature, ice))
    if np.any(soil[1] >= soil[0]) or np.any(soil[2:] <= 0.0) or np.any(states[2] <= 0.0):
        raise InputError(
            f"{what}: air-dry water must be below the porosity; field capacity, exponent and temperature positive")
    return SoilSurface(*core.evaporation(_EVAPORATION_SCHEMES[scheme], weather, soil, states))
