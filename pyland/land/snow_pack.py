"""Mechanics of the snow pack, one process per function, on arrays of columns.

The time step of the model calls the same compiled kernels in the order `settle_snow_melt` (right after the phase
change), `add_snowfall`, `percolate_snow`, `remove_snow_trace`, `update_snow_cover`, `adjust_snow_layers`,
`compact_snow`.
Functions return a new pack. Per-column arguments have shape ``(column,)`` or are scalars.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import snow_pack as core

__all__ = [
    "SnowPack",
    "add_snowfall",
    "adjust_snow_layers",
    "compact_snow",
    "fresh_snow_density",
    "percolate_snow",
    "remove_snow_trace",
    "settle_snow_melt",
    "update_snow_cover",
]

Array = NDArray[np.float64]

FREEZING_POINT = 273.15
HEAT_CAPACITY_ICE = 2117.27
HEAT_CAPACITY_WATER = 4188.0
LATENT_FUSION = 3.337e5
DENSITY_ICE = 917.0


@dataclass(frozen=True)
class SnowPack:
    """Snow packs of columns; layered arrays ``(layer, column)``, the last layer at the ground, others ``(column,)``.

    Masses are per area of all ground, thickness is where snow lies: mass = density * thickness * cover. Layers above
    the surface layer hold nothing.

    Attributes
    ----------
    ice, liquid : numpy.ndarray
        Layered [kg m-2].
    thickness : numpy.ndarray
        Layered [m].
    temperature : numpy.ndarray
        Layered [K].
    grain_radius : numpy.ndarray
        Layered, optical [um].
    age : numpy.ndarray
        Non-dimensional age of the surface [1].
    cover : numpy.ndarray
        Snow-covered share of the ground [1].
    mass_maximum : numpy.ndarray
        Largest mass of the season [kg m-2].

    Raises
    ------
    InputError
        If shapes differ, a value is negative or not finite, ice is denser than 917 kg m-3, or snow has no cover.
    """

    ice: Array
    liquid: Array
    thickness: Array
    temperature: Array
    grain_radius: Array
    age: Array
    cover: Array
    mass_maximum: Array

    def __post_init__(self) -> None:
        shape = np.shape(self.ice)
        if len(shape) != 2 or not 1 <= shape[0] <= 12 or shape[1] < 1:
            raise InputError(f"snow pack: ice must have shape (layer, column) with 1 to 12 layers, got {shape}")
        for field in fields(self):
            expected = shape if field.name in core.LAYER_FIELDS else shape[1:]
            try:
                array = np.array(np.broadcast_to(getattr(self, field.name), expected), dtype=np.float64)
            except ValueError as error:
                raise InputError(
                    f"snow pack: {field.name} must have shape {expected}, got {np.shape(getattr(self, field.name))}"
                ) from error
            if not np.all(np.isfinite(array)) or np.any(array < 0.0):
                raise InputError(f"snow pack: {field.name} must be finite and not negative")
            object.__setattr__(self, field.name, array)
        present = self.mass > 0.0
        if np.any(present & ((self.cover <= 0.0) | (self.cover > 1.0))):
            raise InputError("snow pack: cover must lie in (0, 1] where there is snow")
        # a density one part in a million above that of ice is round-off of whoever made the pack
        if np.any(self.ice > 1.000001 * DENSITY_ICE * self.thickness * self.cover):
            raise InputError("snow pack: a layer holds more ice than 917 kg m-3 times its thickness and the cover")
        if np.any((self.ice + self.liquid > 0.0) & (self.temperature <= 0.0)):
            raise InputError("snow pack: temperature must be positive where there is snow [K]")

    @classmethod
    def without_snow(cls, nlayer: int, ncolumn: int) -> SnowPack:
        """Return columns without snow that may have up to ``nlayer`` layers."""
        nothing, flat = np.zeros((nlayer, ncolumn)), np.zeros(ncolumn)
        return cls(nothing, nothing, nothing, nothing + FREEZING_POINT, nothing + 54.5, flat, flat, flat)

    @property
    def mass(self) -> Array:
        """Ice and liquid of each column [kg m-2]."""
        return self.ice.sum(axis=0) + self.liquid.sum(axis=0)

    @property
    def depth(self) -> Array:
        """Depth where snow lies [m]."""
        return self.thickness.sum(axis=0)

    @property
    def layer_count(self) -> NDArray[np.int64]:
        """Layers from the surface layer down."""
        held = self.ice + self.liquid > 0.0
        return np.where(held.any(axis=0), held.shape[0] - held.argmax(axis=0), 0)

    @property
    def enthalpy(self) -> Array:
        """Heat of each column, 0 for ice at the freezing point, at which liquid water is [J m-2]."""
        cold = HEAT_CAPACITY_ICE * self.ice * (self.temperature - FREEZING_POINT)
        return (cold + LATENT_FUSION * self.liquid).sum(axis=0)


def _unpack(pack: SnowPack) -> tuple[Array, Array]:
    layers = np.concatenate([getattr(pack, name) for name in core.LAYER_FIELDS])
    return layers, np.stack([getattr(pack, name) for name in core.SURFACE_FIELDS])


def _repack(layers: Array, surface: Array) -> SnowPack:
    return SnowPack(*np.split(layers, len(core.LAYER_FIELDS)), *surface)


def _columns(what: str, ncolumn: int | None, *values: ArrayLike, least: float = 0.0) -> Array:
    try:
        rows = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values))
        shape = (ncolumn,) if ncolumn is not None else rows[0].shape
        table = np.stack([np.broadcast_to(row, shape) for row in rows])
    except ValueError as error:
        raise InputError(f"{what}: expected one value per column ({ncolumn}) or scalars") from error
    if table.ndim != 2 or not np.all(np.isfinite(table)) or np.any(table < least):
        raise InputError(f"{what}: values must be finite numbers per column and not negative")
    return np.ascontiguousarray(table)


def fresh_snow_density(air_temperature: ArrayLike, wind_speed: ArrayLike = 0.0, *, scheme: str = "clm5") -> Array:
    """Density of new snow.

    Parameters
    ----------
    air_temperature : array_like
        [K].
    wind_speed : array_like
        Some 10 m above ground [m s-1].
    scheme : {"clm5", "clm45"}
        With or without packing by wind and the density of snow colder than -15 degC.

    Returns
    -------
    numpy.ndarray
        Shape ``(column,)`` [kg m-3].

    Raises
    ------
    InputError
        If the scheme is unknown, shapes do not fit or a value is negative.

    References
    ----------
    Anderson (1976), NOAA Tech. Rep. NWS 19; van Kampenhout et al. (2017), J. Adv. Model. Earth Syst. 9, 2583-2600.
    """
    inputs = _columns("density of new snow", None, air_temperature, wind_speed)
    return core.fresh_density(core.make_options(fresh_density=scheme), inputs)


def add_snowfall(
    pack: SnowPack, dt: float, rate: ArrayLike, air_temperature: ArrayLike, density: ArrayLike
) -> SnowPack:
    """Let snow join the surface layer at that layer's temperature, or make a first layer.

    Parameters
    ----------
    pack : SnowPack
        At the start.
    dt : float
        Time step [s].
    rate : array_like
        Snowfall [kg m-2 s-1].
    air_temperature : array_like
        Sets the grain radius of new snow and the temperature of a first layer [K].
    density : array_like
        Of new snow, as `fresh_snow_density` gives it [kg m-3].

    Returns
    -------
    SnowPack
        A first layer has the least cover, 1e-4, until `update_snow_cover` spreads it.

    Raises
    ------
    InputError
        If shapes do not fit, a value is negative or the density is below 1 kg m-3.
    """
    layers, surface = _unpack(pack)
    inputs = _columns("snowfall", layers.shape[1], rate, air_temperature, density)
    if np.any(inputs[2] < 1.0) or np.any(inputs[2] > DENSITY_ICE):
        raise InputError("snowfall: the density of new snow must lie between 1 and 917 kg m-3")
    core.fall(dt, inputs, layers, surface)
    return _repack(layers, surface)


def update_snow_cover(
    pack: SnowPack,
    new_snow: ArrayLike = 0.0,
    topography: ArrayLike = 0.0,
    *,
    scheme: str = "swenson_lawrence",
    roughness: float = 0.01,
    exponent: float = 1.0,
) -> SnowPack:
    """Find the snow-covered share of the ground; layers keep mass and density and change thickness.

    Parameters
    ----------
    pack : SnowPack
        After snowfall.
    new_snow : array_like
        Fallen since the last call [kg m-2].
    topography : array_like
        Standard deviation of elevation, for ``swenson_lawrence`` [m].
    scheme : {"swenson_lawrence", "niu_yang"}
        By the season's largest mass, or by depth and density.
    roughness : float
        Of the ground that snow buries, for ``niu_yang`` [m].
    exponent : float
        Of density, for ``niu_yang`` [1].

    Returns
    -------
    SnowPack
        With cover in [1e-4, 1] where there is snow.

    Raises
    ------
    InputError
        If the scheme is unknown, shapes do not fit or a value is negative.

    References
    ----------
    Niu and Yang (2007), J. Geophys. Res. 112, D21101; Swenson and Lawrence (2012), J. Geophys. Res. 117, D21107.
    """
    layers, surface = _unpack(pack)
    inputs = _columns("snow cover", layers.shape[1], topography, new_snow)
    core.cover(
        core.make_options(cover=scheme, cover_roughness=roughness, cover_exponent=exponent), inputs, layers, surface)
    return _repack(layers, surface)


def settle_snow_melt(pack: SnowPack, ice_before: ArrayLike) -> SnowPack:
    """Let layers shrink in proportion to the ice that melted.

    Parameters
    ----------
    pack : SnowPack
        Right after the phase change.
    ice_before : array_like
        Ice before it, shape ``(layer, column)`` [kg m-2].

    Returns
    -------
    SnowPack
        Layers that lost ice have the density of ice they had.

    Raises
    ------
    InputError
        If shapes do not fit.
    """
    layers, surface = _unpack(pack)
    before = np.ascontiguousarray(ice_before, dtype=np.float64)
    core.settle_melt(np.atleast_2d(before), layers, surface)
    return _repack(layers, surface)


def compact_snow(
    pack: SnowPack, dt: float, wind_speed: ArrayLike = 0.0, *, overburden: str = "anderson", wind_drift: bool = False
) -> SnowPack:
    """Let layers settle by metamorphism, weight and, if asked for, wind.

    Parameters
    ----------
    pack : SnowPack
        At the start.
    dt : float
        Time step [s].
    wind_speed : array_like
        Some 10 m above ground [m s-1].
    overburden : {"anderson", "vionnet", "clm5"}
        Viscosity of snow.
    wind_drift : bool
        Whether wind packs the surface towards 350 kg m-3.

    Returns
    -------
    SnowPack
        Thickness has not grown; ice is not denser than 917 kg m-3.

    Raises
    ------
    InputError
        If the scheme is unknown, shapes do not fit or the wind is negative.

    References
    ----------
    Anderson (1976), NOAA Tech. Rep. NWS 19; Vionnet et al. (2012), Geosci. Model Dev. 5, 773-791.
    """
    layers, surface = _unpack(pack)
    wind = _columns("settling of snow", layers.shape[1], wind_speed)
    core.compact(core.make_options(overburden=overburden, wind_drift=wind_drift), dt, wind, layers, surface)
    return _repack(layers, surface)


def percolate_snow(
    pack: SnowPack, dt: float, rain: ArrayLike = 0.0, *, scheme: str = "bucket", holding: float = 0.033
) -> tuple[SnowPack, Array]:
    """Let rain in and liquid water down and out.

    Parameters
    ----------
    pack : SnowPack
        At the start.
    dt : float
        Time step [s].
    rain : array_like
        On the snow [kg m-2 s-1].
    scheme : {"bucket", "kinematic"}
        All water above the held share leaves at once, or flows by gravity (Colbeck 1972).
    holding : float
        Share of the pores that holds water, in [0, 1) [1].

    Returns
    -------
    pack : SnowPack
        No layer holds more than its pores.
    outflow : numpy.ndarray
        At the base of the snow; the rain where there is none, shape ``(column,)`` [kg m-2 s-1].

    Raises
    ------
    InputError
        If the scheme is unknown, shapes do not fit or a value is out of range.
    """
    layers, surface = _unpack(pack)
    water = _columns("water in snow", layers.shape[1], rain)
    outflow = core.percolate(core.make_options(percolation=scheme, holding=holding), dt, water, layers, surface)
    return _repack(layers, surface), outflow


def adjust_snow_layers(pack: SnowPack) -> SnowPack:
    """Join thin layers to a neighbour and divide thick ones.

    Parameters
    ----------
    pack : SnowPack
        At the start.

    Returns
    -------
    SnowPack
        Same mass and enthalpy; layers within the limits of thickness of the CLM5 Technical Note, chapter 8.
    """
    layers, surface = _unpack(pack)
    core.combine_divide(layers, surface)
    return _repack(layers, surface)


def remove_snow_trace(pack: SnowPack) -> tuple[SnowPack, Array, Array, Array]:
    """Give up packs with less than 1e-6 kg m-2.

    Parameters
    ----------
    pack : SnowPack
        At the start.

    Returns
    -------
    pack : SnowPack
        Without traces of snow.
    ice, liquid : numpy.ndarray
        Removed, shape ``(column,)`` [kg m-2].
    heat : numpy.ndarray
        Enthalpy of both, shape ``(column,)`` [J m-2].
    """
    layers, surface = _unpack(pack)
    ice, liquid, heat = core.remove_trace(layers, surface)
    return _repack(layers, surface), ice, liquid, heat
