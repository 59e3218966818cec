"""Retention curves: pressure head and water content of a soil."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.base.errors import InputError
from pyland.core.subsurface import RETENTION, SOIL, ColumnArrays, SolverOptions

CURVE_PARAMETERS = {
    "van_genuchten": ("van_genuchten_alpha", "van_genuchten_n"),
    "clapp_hornberger": ("air_entry_head", "clapp_hornberger_b"),
    "gardner": ("gardner_alpha",),
}
"""Names of the scale and the shape of each retention curve."""

SPECIFIC_STORAGE = 1.0e-5
"""Specific storage of a loose soil [m-1] where none is given (Domenico and Mifflin 1965, Water Resour. Res. 1, 563)."""


def pack_soil(soil: Mapping[str, np.ndarray], retention: str, shape: tuple[int, int]) -> np.ndarray:
    """Arrange soil parameters as the compiled core wants them.

    Parameters
    ----------
    soil : Mapping
        Parameters by name, see :class:`pyland.subsurface.Subsurface`; numbers, one value per layer ``(layer,)``, or
        ``(layer, column)``.
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    shape : tuple of int
        ``(layer, column)``.

    Returns
    -------
    numpy.ndarray, shape (6, layer, column)
        Values in the order of ``pyland.core.subsurface.SOIL``.

    Raises
    ------
    InputError
        If the curve is unknown, a parameter is missing or superfluous, not finite, or of another shape.
    """
    values = complete_soil(soil, retention)
    curve = CURVE_PARAMETERS[retention]
    scale = np.abs(values[curve[0]]) if retention == "clapp_hornberger" else values[curve[0]]
    columns = {
        "porosity": values["porosity"],
        "residual_water": values["residual_water"],
        "retention_scale": scale,
        "retention_shape": values[curve[1]] if len(curve) > 1 else 1.0,
        "saturated_conductivity": values["saturated_conductivity"],
        "specific_storage": values["specific_storage"],
    }
    return np.stack([spread(columns[name], shape, name) for name in SOIL])


def complete_soil(soil: Mapping[str, np.ndarray], retention: str, *more: str) -> dict[str, np.ndarray]:
    """Check the names of soil parameters and add defaults.

    Parameters
    ----------
    soil : Mapping
        Parameters by name.
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    *more : str
        Names that the soil may have, too.

    Returns
    -------
    dict
        ``soil`` with defaults.

    Raises
    ------
    InputError
        If the curve is unknown, or a parameter is missing or superfluous.
    """
    if retention not in CURVE_PARAMETERS:
        raise InputError(f"retention: expected one of {sorted(CURVE_PARAMETERS)}, got {retention!r}.")
    if not isinstance(soil, Mapping):
        raise InputError(f"soil: expected a mapping of parameters, got {soil!r:.80}.")
    required = {"porosity", "saturated_conductivity", *CURVE_PARAMETERS[retention]}
    defaults = {"residual_water": 0.0, "specific_storage": SPECIFIC_STORAGE}
    optional = {*defaults, *more}
    missing, unknown = required - set(soil), set(soil) - required - optional
    if missing or unknown:
        raise InputError(
            f"soil: a {retention} soil needs {sorted(required)} and may have {sorted(optional)}; "
            f"missing {sorted(missing)}, unknown {sorted(unknown)}."
        )
    return {**defaults, **soil}


def spread(value: np.ndarray, shape: tuple[int, int], name: str) -> np.ndarray:
    """Bring a number, one value per layer, or a field to ``(layer, column)``; InputError if it does not fit."""
    array = np.asarray(value, float)
    if array.ndim == 1:
        array = array[:, None]
    try:
        array = np.broadcast_to(array, shape)
    except ValueError:
        raise InputError(
            f"{name}: expected a number, {shape[0]} values (one per layer) or shape {shape} (layer, column), "
            f"got shape {np.shape(value)}."
        ) from None
    if not np.isfinite(array).all():
        raise InputError(f"{name}: holds NaN or infinity; give finite numbers.")
    return array


def head_from_water(
    soil_water: np.ndarray, soil: Mapping[str, np.ndarray], *, retention: str = "van_genuchten", air_entry: float = 0.02
) -> np.ndarray:
    """Return the pressure head at which a soil holds a water content.

    Parameters
    ----------
    soil_water : array_like, shape (layer,) or (layer, column)
        Volumetric water [m3 m-3].
    soil : Mapping
        Soil parameters, see :class:`pyland.subsurface.Subsurface`.
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    air_entry : float
        Air-entry head of van Genuchten soils with small n [m].

    Returns
    -------
    numpy.ndarray
        Pressure head [m], shape of ``soil_water``; minus the air-entry head where the soil is saturated, not below
        -1e6 m.

    Raises
    ------
    InputError
        If parameters or shapes do not fit.

    Examples
    --------
    >>> from pyland.subsurface import head_from_water, water_from_head
    >>> soil = {"porosity": 0.43, "residual_water": 0.08, "van_genuchten_alpha": 4.0, "van_genuchten_n": 1.6,
    ...         "saturated_conductivity": 5.8e-6}
    >>> float(head_from_water(water_from_head([-2.0], soil), soil)[0].round(9))
    -2.0
    """
    arrays, options, shape = _arrays(soil_water, soil, retention, air_entry)
    arrays.soil_water[:] = np.reshape(soil_water, arrays.soil_water.shape)
    arrays.head_from_water(options)
    return arrays.pressure_head.reshape(shape)


def water_from_head(
    pressure_head: np.ndarray,
    soil: Mapping[str, np.ndarray],
    *,
    retention: str = "van_genuchten",
    air_entry: float = 0.02,
) -> np.ndarray:
    """Return the water content of a soil at a pressure head.

    Parameters
    ----------
    pressure_head : array_like, shape (layer,) or (layer, column)
        Pressure head [m].
    soil : Mapping
        Soil parameters, see :class:`pyland.subsurface.Subsurface`.
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    air_entry : float
        Air-entry head of van Genuchten soils with small n [m].

    Returns
    -------
    numpy.ndarray
        Volumetric water [m3 m-3], shape of ``pressure_head``.

    Raises
    ------
    InputError
        If parameters or shapes do not fit.

    Examples
    --------
    >>> from pyland.subsurface import water_from_head
    >>> soil = {"porosity": 0.4, "clapp_hornberger_b": 5.0, "air_entry_head": -0.2, "saturated_conductivity": 1e-6}
    >>> float(water_from_head([-6.4], soil, retention="clapp_hornberger")[0].round(9))
    0.2
    """
    arrays, options, shape = _arrays(pressure_head, soil, retention, air_entry)
    arrays.pressure_head[:] = np.reshape(pressure_head, arrays.pressure_head.shape)
    arrays.water_from_head(options)
    return arrays.soil_water.reshape(shape)


def _arrays(
    field: np.ndarray, soil: Mapping, retention: str, air_entry: float
) -> tuple[ColumnArrays, SolverOptions, tuple]:
    shape = np.shape(field)
    if len(shape) not in (1, 2) or 0 in shape:
        raise InputError(f"water or head: expected shape (layer,) or (layer, column), got {shape}.")
    size = shape if len(shape) == 2 else (shape[0], 1)
    arrays = ColumnArrays(np.ones(size), pack_soil(soil, retention, size))
    return arrays, SolverOptions(retention=RETENTION[retention], air_entry=air_entry), shape
