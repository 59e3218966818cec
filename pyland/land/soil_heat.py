"""Heat of the ground, on arrays of columns: thermal properties of soil, conduction and phase change.

The time step of the model calls the same compiled kernels. Layered arguments have shape ``(layer, column)`` or are
scalars, per-column ones ``(column,)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import land_surface as core

__all__ = ["GroundHeatStep", "SoilTemperatureStep", "compute_soil_thermal_properties", "step_ground_heat",
           "step_soil_temperature"]

Array = NDArray[np.float64]

FREEZING_POINT = 273.15
"""Freezing point of water [K]."""


@dataclass(frozen=True)
class SoilTemperatureStep:
    """Result of one step of soil temperature without phase change.

    Attributes
    ----------
    temperature : numpy.ndarray
        Shape ``(layer, column)`` [K].
    mean_surface_change : numpy.ndarray
        Mean change of the top temperature as the surface flux sees it, shape ``(column,)`` [K].
    heat_change : numpy.ndarray
        Heat gained by the column, shape ``(column,)`` [J m-2].
    """

    temperature: Array
    mean_surface_change: Array
    heat_change: Array


@dataclass(frozen=True)
class GroundHeatStep:
    """Result of one step of heat in snow and soil.

    Attributes
    ----------
    temperature, liquid : numpy.ndarray
        Of snow layers, then soil layers, shape ``(row, column)`` [K], [kg m-2].
    snow_change, soil_change : numpy.ndarray
        Mean change of the surface temperatures as the fluxes see it, shape ``(column,)`` [K].
    snow_heat, soil_heat : numpy.ndarray
        Enthalpy gained, shape ``(column,)`` [J m-2].
    iterations : numpy.ndarray
        Newton iterations of both stages, shape ``(column,)`` [1].
    """

    temperature: Array
    liquid: Array
    snow_change: Array
    soil_change: Array
    snow_heat: Array
    soil_heat: Array
    iterations: Array


def compute_soil_thermal_properties(
    sand: ArrayLike,
    clay: ArrayLike,
    porosity: ArrayLike,
    water: ArrayLike,
    *,
    ice: ArrayLike = 0.0,
    organic: ArrayLike = 0.0,
    bedrock_layers: int = 0,
) -> tuple[Array, Array]:
    """Thermal conductivity and heat capacity of soil with bedrock below.

    Parameters
    ----------
    sand, clay : array_like
        Shares of the mineral soil, shape ``(layer, column)`` or scalar [%].
    porosity, water, ice : array_like
        Porosity, liquid water, and ice as the volume of its water, shape ``(layer, column)`` [m3 m-3].
    organic : array_like
        Organic share of the solids [1].
    bedrock_layers : int
        Layers of rock below the soil.

    Returns
    -------
    conductivity : numpy.ndarray
        Shape ``(layer + bedrock_layers, column)`` [W m-1 K-1].
    heat_capacity : numpy.ndarray
        Same shape, water and ice included [J m-3 K-1].

    Raises
    ------
    InputError
        If shapes do not fit, the porosity lies outside (0, 1) or ``bedrock_layers`` is negative.
    """
    what = "soil thermal properties"
    moisture = np.atleast_2d(np.asarray(water, dtype=np.float64))
    shape = np.broadcast_shapes(moisture.shape, *(np.atleast_2d(np.asarray(value)).shape for value in (porosity, ice)))
    layers = [_layers(what, shape, value) for value in (sand, clay, organic, porosity, moisture, ice)]
    if np.any((layers[3] <= 0.0) | (layers[3] >= 1.0)) or bedrock_layers < 0:
        raise InputError(f"{what}: the porosity must lie in (0, 1) and bedrock_layers must not be negative")
    return core.soil_thermal(*layers, shape[0] + bedrock_layers)


def step_ground_heat(
    dt: float,
    *,
    dry_capacity: ArrayLike,
    conductance: ArrayLike,
    temperature: ArrayLike,
    water: ArrayLike = 0.0,
    liquid: ArrayLike = 0.0,
    snow_rows: int = 0,
    top: ArrayLike | None = None,
    film: ArrayLike = 0.0,
    curve_scale: ArrayLike = 1.0,
    curve_power: ArrayLike = 1.0,
    source: ArrayLike = 0.0,
    snow_flux: ArrayLike = 0.0,
    snow_flux_slope: ArrayLike = 0.0,
    soil_flux: ArrayLike = 0.0,
    soil_flux_slope: ArrayLike = 0.0,
) -> GroundHeatStep:
    """Advance temperature and liquid water of snow and soil by one implicit step.

    Rows are ``snow_rows`` layers of snow, then soil. In soil, at most ``film + curve_scale*(273.15 - T)**-curve_power``
    stays liquid below the freezing point.

    Parameters
    ----------
    dt : float
        Time step [s].
    dry_capacity : array_like
        Heat capacity of a row without its water, shape ``(row, column)``; 1 in snow rows that are absent [J m-2 K-1].
    conductance : array_like
        To the row below; that of the last row is not used [W m-2 K-1].
    temperature : array_like
        At the start, shape ``(row, column)`` [K].
    water, liquid : array_like
        Ice and liquid, and its liquid part [kg m-2].
    snow_rows : int
        Rows of snow at the top.
    top : array_like, optional
        First row of snow that is present, from 1; ``snow_rows + 1`` without snow. All are present by default.
    film, curve_scale, curve_power : array_like
        Freezing curve of the soil rows, shape ``(row - snow_rows, column)`` [kg m-2], [kg m-2 K**power], [1].
    source : array_like
        Heat absorbed within a row [W m-2].
    snow_flux, snow_flux_slope, soil_flux, soil_flux_slope : array_like
        Heat into row ``top`` and into the first soil row at the temperatures of the start, and the derivatives to
        these temperatures, not positive; shape ``(column,)`` [W m-2], [W m-2 K-1].

    Returns
    -------
    GroundHeatStep
        ``snow_heat + soil_heat = dt*(fluxes + slopes*changes + sources)`` to round-off.

    Raises
    ------
    InputError
        If shapes do not fit, a capacity is negative or a slope positive.

    References
    ----------
    Alexander (1977), SIAM J. Numer. Anal. 14, 1006-1021; Niu and Yang (2006), J. Hydrometeorol. 7, 937-952.
    """
    what = "ground heat"
    start = np.ascontiguousarray(np.atleast_2d(np.asarray(temperature, dtype=np.float64)))
    nrow, ncolumn = start.shape
    rows = [_layers(what, start.shape, value) for value in (dry_capacity, water, conductance, source)]
    rows[2] = rows[2].copy()
    rows[2][-1] = 0.0
    melt = _layers(what, start.shape, liquid)
    curve = [_layers(what, (nrow - snow_rows, ncolumn), value) for value in (film, curve_scale, curve_power)]
    first = np.full(ncolumn, 1.0 if snow_rows else snow_rows + 1.0) if top is None else _column(what, ncolumn, top)
    surface_row = np.minimum(first.astype(int) - 1, nrow - 1)
    surfaces = np.stack([
        first,
        _column(what, ncolumn, snow_flux),
        _column(what, ncolumn, snow_flux_slope),
        start[surface_row, np.arange(ncolumn)],
        _column(what, ncolumn, soil_flux),
        _column(what, ncolumn, soil_flux_slope),
        start[snow_rows],
    ])
    if np.any(rows[0] < 0.0) or np.any(rows[1] < 0.0) or np.any(rows[2] < 0.0) or np.any(surfaces[[2, 5]] > 0.0):
        raise InputError(
            f"{what}: capacities, water and conductances must not be negative, the flux slopes not positive")
    new, melted, r = core.ground_heat(dt, snow_rows, np.concatenate(rows), np.concatenate(curve), surfaces, start, melt)
    return GroundHeatStep(new, melted, *r)


def step_soil_temperature(
    dt: float,
    thickness: ArrayLike,
    conductivity: ArrayLike,
    heat_capacity: ArrayLike,
    temperature: ArrayLike,
    surface_flux: ArrayLike,
    surface_flux_slope: ArrayLike = 0.0,
    bottom_flux: ArrayLike = 0.0,
) -> SoilTemperatureStep:
    """Advance the temperature of soil without water that could freeze by one implicit step.

    Parameters
    ----------
    dt : float
        Time step [s].
    thickness, conductivity, heat_capacity : array_like
        Shape ``(layer, column)`` or scalar [m, W m-1 K-1, J m-3 K-1].
    temperature : array_like
        At the start, shape ``(layer, column)`` [K].
    surface_flux : array_like
        Into the soil at the temperature of the start [W m-2].
    surface_flux_slope : array_like
        Its derivative to the top temperature, not positive [W m-2 K-1].
    bottom_flux : array_like
        Into the lowest layer from below [W m-2].

    Returns
    -------
    SoilTemperatureStep
        ``heat_change = dt*(surface_flux + surface_flux_slope*mean_surface_change + bottom_flux)`` to round-off.

    Raises
    ------
    InputError
        If shapes do not fit, a property is not positive or the slope is positive.

    References
    ----------
    Alexander (1977), SIAM J. Numer. Anal. 14, 1006-1021.
    """
    what = "soil temperature"
    start = np.ascontiguousarray(np.atleast_2d(np.asarray(temperature, dtype=np.float64)))
    dz, k, capacity = (_layers(what, start.shape, value) for value in (thickness, conductivity, heat_capacity))
    if np.any(dz <= 0.0) or np.any(k <= 0.0) or np.any(capacity <= 0.0) or np.any(np.asarray(surface_flux_slope) > 0.0):
        raise InputError(
            f"{what}: thickness, conductivity and heat capacity must be positive, the flux slope not positive")
    conductance = np.zeros_like(dz)
    conductance[:-1] = 2.0 * k[:-1] * k[1:] / (dz[:-1] * k[1:] + dz[1:] * k[:-1])
    source = np.zeros_like(dz)
    source[-1] = _column(what, start.shape[1], bottom_flux)
    step = step_ground_heat(dt, dry_capacity=capacity * dz, conductance=conductance, temperature=start, source=source,
                            soil_flux=surface_flux, soil_flux_slope=surface_flux_slope)
    return SoilTemperatureStep(step.temperature, step.soil_change, step.soil_heat)


def _layers(what: str, shape: tuple[int, ...], value: ArrayLike) -> Array:
    array = np.asarray(value, dtype=np.float64)
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape))
    except ValueError as error:
        raise InputError(f"{what}: expected shape (layer, column) = {shape}, got {array.shape}") from error


def _column(what: str, ncolumn: int, value: ArrayLike) -> Array:
    array = np.asarray(value, dtype=np.float64)
    try:
        return np.broadcast_to(array, (ncolumn,)).copy()
    except ValueError as error:
        raise InputError(f"{what}: expected shape (column,) = ({ncolumn},), got {array.shape}") from error
