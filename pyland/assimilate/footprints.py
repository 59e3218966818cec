"""What a sensor with a footprint sees of a grid: weights of the cells around each observation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import coo_array

from pyland.assimilate.nearby_points import ROUNDING, NearbyPoints
from pyland.assimilate.observation_operators import ObservationOperator
from pyland.base.errors import InputError
from pyland.base.text import one_of

EXTENT = {"uniform": 0.5, "gaussian": 1.0, "hamming": 0.5}
"""Default radius of a footprint in widths, where the sensor function ends; a Gaussian has 15/16 of its power within."""


def _uniform(s: np.ndarray) -> np.ndarray:
    return np.ones_like(s)


def _gaussian(s: np.ndarray) -> np.ndarray:
    return np.exp(-4.0 * np.log(2.0) * s**2)  # 1/2 at half a width


def _hamming(s: np.ndarray) -> np.ndarray:
    return 0.54 + 0.46 * np.cos(2.0 * np.pi * s)  # 0.08 at half a width, where the window ends


SENSORS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "uniform": _uniform, "gaussian": _gaussian, "hamming": _hamming,
}
"""Sensor functions of the distance in widths."""


def footprint_average(
    cells: Any,
    places: Any,
    width: Any,
    sensor: str = "uniform",
    *,
    extent: float | None = None,
    area: Any = None,
    metric: str = "euclidean",
    period: Any = None,
) -> ObservationOperator:
    """Return the operator that averages the cells in the footprint of each observation.

    Parameters
    ----------
    cells : array_like
        Centres of the cells of the state, shape ``(cell, ndim)``.
    places : array_like
        Centres of the footprints, shape ``(obs, ndim)``.
    width : float or array_like
        Width of the footprint, one or shape ``(obs,)``, in the unit of the coordinates (metres with ``haversine``),
        above 0: the diameter of ``uniform``, the half-power width of ``gaussian`` (a -3 dB beam), the whole width of
        the ``hamming`` window.
    sensor : {"uniform", "gaussian", "hamming"}
        Weight with the distance s from the centre: 1; exp(-4 ln 2 (s/width)²); 0.54 + 0.46 cos(2π s/width).
    extent : float, optional
        Radius in widths at which a footprint ends; default 1/2, for ``gaussian`` 1 (15/16 of its power). The windows of
        ``uniform`` and ``hamming`` end at 1/2.
    area : array_like, optional
        Area of the cells, shape ``(cell,)``, for grids whose cells differ; weights are multiplied with it.
    metric, period
        As in `NearbyPoints`.

    Returns
    -------
    ObservationOperator
        Weights sum to 1 for each observation; of a footprint that the cells cover in part, the part counts. An
        observation without a cell centre in its footprint takes the cell in which it lies, as `nearest_cell`.

    Raises
    ------
    InputError
        If an argument does not fit.

    References
    ----------
    .. [1] Harris, F. J. (1978). Proc. IEEE 66, 51-83 (the Hamming window).
    """
    if sensor not in SENSORS:
        raise InputError(f"sensor must be {one_of(SENSORS)}; got {sensor!r}")
    index = NearbyPoints(cells, metric, period, name="cells (cell, ndim)")
    nobs, ncell = len(np.asarray(places)), len(index.points)
    widths = np.asarray(width, dtype=np.float64)
    if widths.shape not in ((), (nobs,)) or not (np.isfinite(widths).all() and (widths > 0).all()):
        raise InputError(
            f"width must be one length or one per observation, shape ({nobs},), finite and above 0; got {width!r}"
        )
    widths = np.broadcast_to(widths, (nobs,))
    reach = EXTENT[sensor] if extent is None else float(extent)
    if not 0 < reach < np.inf or (sensor != "gaussian" and reach > EXTENT[sensor]):
        limit = "a number above 0" if sensor == "gaussian" else f"above 0 and at most {EXTENT[sensor]:g} for '{sensor}'"
        raise InputError(f"extent must be {limit}; got {extent!r}")
    if nobs == 0:
        return ObservationOperator(coo_array((0, ncell)))
    observation, cell, distance = index.within(places, reach * float(widths.max()))
    inside = distance <= reach * widths[observation]
    observation, cell, distance = observation[inside], cell[inside], distance[inside]
    weight = SENSORS[sensor](distance / widths[observation]) * _areas(area, ncell)[cell]
    without = np.setdiff1d(np.arange(nobs), observation)
    if without.size:
        nearest = _covering(index, np.asarray(places)[without], None)
        observation = np.concatenate([observation, without[nearest >= 0]])
        cell = np.concatenate([cell, nearest[nearest >= 0]])
        weight = np.concatenate([weight, np.ones(np.count_nonzero(nearest >= 0))])
    total = np.bincount(observation, weight, minlength=nobs)
    return ObservationOperator(coo_array((weight / total[observation], (observation, cell)), shape=(nobs, ncell)))


def nearest_cell(
    cells: Any, places: Any, *, reach: float | None = None, metric: str = "euclidean", period: Any = None
) -> ObservationOperator:
    """Return the operator that takes the cell in which an observation lies, by the nearest centre.

    Parameters
    ----------
    cells, places, metric, period
        As in `footprint_average`.
    reach : float, optional
        Largest distance from the centre, in the unit of the coordinates (metres with ``haversine``). The default is
        half the diagonal of a square (ndim 2) whose sides are the distance of the cell to its nearest neighbour, which
        is too little where cells are much longer than wide; a single cell covers everything.

    Returns
    -------
    ObservationOperator
        An observation beyond the reach of its cell is outside.
    """
    index = NearbyPoints(cells, metric, period, name="cells (cell, ndim)")
    nobs = len(np.asarray(places))
    if nobs == 0:
        return ObservationOperator(coo_array((0, len(index.points))))
    nearest = _covering(index, places, reach)
    row = np.flatnonzero(nearest >= 0)
    return ObservationOperator(coo_array((np.ones(row.size), (row, nearest[row])), shape=(nobs, len(index.points))))


def _covering(index: NearbyPoints, places: Any, reach: float | None) -> np.ndarray:
    """Return the nearest cell of each place, -1 where the place lies beyond its reach."""
    nearest, distance = index.nearest(places)
    if reach is None and len(index.points) > 1:
        limit = 0.5 * np.sqrt(index.points.shape[1]) * index.spacing(nearest)
    else:
        limit = np.full(len(nearest), np.inf if reach is None else reach)
    return np.where(distance <= limit * ROUNDING, nearest, -1)


def _areas(area: Any, ncell: int) -> np.ndarray:
    if area is None:
        return np.ones(ncell)
    areas = np.asarray(area, dtype=np.float64)
    if areas.shape != (ncell,) or not (np.isfinite(areas).all() and (areas > 0).all()):
        raise InputError(f"area must hold one size above 0 per cell, shape ({ncell},); got shape {areas.shape}")
    return areas


__all__ = ["EXTENT", "SENSORS", "footprint_average", "nearest_cell"]
