"""Soil moisture as a probe or a satellite would see it.

The content of each layer is averaged over a depth window with the thickness of the overlap as weight, or with a weight
that decays with depth as the emission of a moist soil does, then over the cells of the footprint. A window of zero
thickness is a probe: linear between the centres of the layers. All sums run in the order of layers and of global cell
indices, so that results do not depend on how cells are split over ranks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.base.errors import InputError


def depth_weights(
    thickness: np.ndarray, top: float, bottom: float, e_folding_depth: float = np.inf
) -> np.ndarray:
    """Return the weight of each layer in the mean over a depth window.

    Parameters
    ----------
    thickness : array_like, shape (layer,) or (layer, cell)
        Thickness of the layers from the top [m].
    top, bottom : float
        Depth window [m], positive downward; ``top == bottom`` is a probe.
    e_folding_depth : float
        Depth over which the weight of the soil falls to 1/e within the window [m]; infinite: all of it weighs alike.

    Returns
    -------
    ndarray, shape of ``thickness``
        Weights [1]; they sum to 1 over the layers.

    Raises
    ------
    InputError
        If the window is upside down or leaves the soil column, or a thickness or the e-folding depth is not positive.
    """
    thickness = np.asarray(thickness, float)
    if thickness.ndim not in (1, 2) or thickness.size == 0 or not (thickness > 0).all():
        raise InputError("soil moisture operator: layer thicknesses must be positive, shape (layer,) or (layer, cell).")
    lower = np.cumsum(thickness, axis=0)
    depth = float(lower[-1].min())
    if not (0.0 <= top <= bottom):
        raise InputError(f"soil moisture operator: expected 0 <= top <= bottom [m], got top {top}, bottom {bottom}.")
    rounding = 1e-9 * depth  # the sum of thicknesses carries rounding errors
    if bottom > depth + rounding:
        raise InputError(
            f"soil moisture operator: the window {top}-{bottom} m reaches below the soil column of {depth:.4g} m. "
            "Use more layers or a shallower window."
        )
    if not e_folding_depth > 0:
        raise InputError(f"soil moisture operator: expected a positive e-folding depth [m], got {e_folding_depth}.")
    upper = lower - thickness
    if bottom > top:
        first = np.maximum(upper, top)
        overlap = np.clip(np.minimum(lower, bottom) - first, 0.0, None)
        if np.isfinite(e_folding_depth):  # the integral of exp(-z / e_folding_depth) over the overlap
            overlap = np.exp((top - first) / e_folding_depth) * -np.expm1(-overlap / e_folding_depth)
        return overlap / overlap.sum(axis=0)
    return _probe_weights(0.5 * (upper + lower), top)


def _probe_weights(centre: np.ndarray, depth: float) -> np.ndarray:
    """Return the weights of linear interpolation between layer centres (layer, ...), constant beyond the ends."""
    weight = np.zeros_like(centre)
    weight[0] = depth <= centre[0]
    for k in range(len(centre) - 1):
        share = (depth - centre[k]) / (centre[k + 1] - centre[k])
        inside = (share > 0.0) & (share <= 1.0)
        weight[k] += np.where(inside, 1.0 - share, 0.0)
        weight[k + 1] += np.where(inside, share, 0.0)
    weight[-1] += depth > centre[-1]
    return weight


def column_soil_moisture(
    soil_water: np.ndarray, thickness: np.ndarray, top: float, bottom: float, e_folding_depth: float = np.inf
) -> np.ndarray:
    """Return soil moisture of each member and cell, averaged over a depth window.

    Parameters
    ----------
    soil_water : array_like, shape (layer, member, cell)
        Volumetric soil water [m3 m-3].
    thickness : array_like, shape (layer,) or (layer, cell)
        Thickness of the layers [m].
    top, bottom : float
        Depth window [m].
    e_folding_depth : float
        As in :func:`depth_weights`.

    Returns
    -------
    ndarray, shape (member, cell)
        Soil moisture [m3 m-3].

    Raises
    ------
    InputError
        If shapes do not fit or the window leaves the column.
    """
    soil_water = np.asarray(soil_water)
    weight = depth_weights(thickness, top, bottom, e_folding_depth)
    if soil_water.ndim != 3 or len(soil_water) != len(weight) or weight.shape[1:] not in ((), soil_water.shape[2:]):
        raise InputError(
            f"soil moisture operator: soil_water must have shape (layer, member, cell) and thickness (layer,) or "
            f"(layer, cell); got {soil_water.shape} and {weight.shape}."
        )
    result = np.zeros(soil_water.shape[1:])
    for layer, share in enumerate(weight):
        if np.any(share):
            result += share * soil_water[layer]
    return result


def footprint_average(values: np.ndarray, cells: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average over the cells of each footprint.

    Parameters
    ----------
    values : array_like, shape (member, cell)
        Quantity of each cell.
    cells : array_like of int, shape (obs, slot)
        Cells of each footprint; -1 marks an empty slot.
    weights : array_like, shape (obs, slot)
        Weights [1] that sum to 1 over the slots; 0 in empty slots.

    Returns
    -------
    ndarray, shape (member, obs)
        Averages, summed in the order of the slots.

    Raises
    ------
    InputError
        If a footprint names a cell that does not exist or its weights do not sum to 1.
    """
    values, cells, weights = np.asarray(values, float), np.asarray(cells), np.asarray(weights, float)
    _check_footprints(cells, weights)
    if cells.size and cells.max() >= values.shape[1]:
        raise InputError(f"footprint: cell {int(cells.max())} does not exist; there are {values.shape[1]} cells.")
    result = np.zeros((values.shape[0], len(cells)))
    for slot in range(cells.shape[1]):
        used = np.flatnonzero(cells[:, slot] >= 0)
        result[:, used] += weights[used, slot] * values[:, cells[used, slot]]
    return result


def _check_footprints(cells: np.ndarray, weights: np.ndarray) -> None:
    if cells.ndim != 2 or cells.shape != weights.shape:
        raise InputError(f"footprint: cells and weights must have one shape (obs, slot), got {cells.shape}, "
                         f"{weights.shape}.")
    if not len(cells):
        return
    total = np.where(cells >= 0, weights, 0.0).sum(axis=1)
    wrong = np.flatnonzero(~(np.abs(total - 1.0) <= 1e-9) | (np.where(cells >= 0, weights, 0.0) < 0).any(axis=1))
    if wrong.size:
        raise InputError(
            f"footprint: the weights of observation {int(wrong[0])} must be positive and sum to 1, "
            f"got a sum of {total[wrong[0]]:.6g}."
        )


def soil_moisture(
    soil_water: np.ndarray, thickness: np.ndarray, top: float, bottom: float, cell_weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the soil moisture that each observation would see; all cells on this rank.

    Parameters
    ----------
    soil_water : array_like, shape (layer, member, cell)
        Volumetric soil water [m3 m-3].
    thickness : array_like, shape (layer,) or (layer, cell)
        Thickness of the layers [m].
    top, bottom : float
        Depth window [m]; equal for a probe.
    cell_weights : array_like, shape (obs, cell), optional
        Weight of each cell in each footprint [1]; rows sum to 1. Without it, each cell is one observation.

    Returns
    -------
    ndarray, shape (member, obs)
        Soil moisture [m3 m-3].

    Raises
    ------
    InputError
        If shapes do not fit, the window leaves the column, or weights do not sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> water = np.array([0.1, 0.2, 0.4]).reshape(3, 1, 1)
    >>> round(float(soil_moisture(water, [0.02, 0.04, 0.10], 0.0, 0.05)[0, 0]), 10)   # (0.02*0.1 + 0.03*0.2) / 0.05
    0.16
    """
    columns = column_soil_moisture(soil_water, thickness, top, bottom)
    if cell_weights is None:
        return columns
    dense = np.asarray(cell_weights, float)
    if dense.ndim != 2 or dense.shape[1] != columns.shape[1]:
        raise InputError(f"soil moisture operator: cell_weights must have shape (obs, {columns.shape[1]}), "
                         f"got {dense.shape}.")
    return footprint_average(columns, *footprint_slots(dense))


def footprint_slots(dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn weights (obs, cell) into cells and weights (obs, slot) in the order of cells; -1 and 0 in empty slots."""
    dense = np.asarray(dense, float)
    present = dense != 0.0
    count = present.sum(axis=1)
    cells = np.full((len(dense), int(count.max(initial=0))), -1, np.int64)
    weights = np.zeros(cells.shape)
    row, cell = np.nonzero(present)
    slot = np.arange(row.size) - (np.cumsum(count) - count)[row]
    cells[row, slot], weights[row, slot] = cell, dense[row, cell]
    return cells, weights


def combine_footprints(
    columns: np.ndarray, cell_id: np.ndarray, cells: np.ndarray, weights: np.ndarray, comm: Any
) -> np.ndarray:
    """Average over footprints whose cells are spread over ranks; the same bits for every split.

    Every rank sends the columns that some footprint needs, and every rank adds them up in the same order.

    Parameters
    ----------
    columns : array_like, shape (member, cell)
        Quantity of the cells of this rank, from :func:`column_soil_moisture`.
    cell_id : array_like of int, shape (cell,)
        Global indices of the cells of this rank.
    cells : array_like of int, shape (obs, slot)
        Global indices of the cells of each footprint, the same on every rank; -1 marks an empty slot.
    weights : array_like, shape (obs, slot)
        Weights [1] that sum to 1 over the slots.
    comm : Communicator
        Ranks that share the cells; only ``allgather`` is used.

    Returns
    -------
    ndarray, shape (member, obs)
        Averages, on every rank.

    Raises
    ------
    InputError
        If a footprint needs a cell that no rank owns.
    """
    columns, cell_id = np.asarray(columns, float), np.asarray(cell_id)
    cells, weights = np.asarray(cells), np.asarray(weights, float)
    needed = np.unique(cells[cells >= 0])
    mine = np.flatnonzero(np.isin(cell_id, needed))
    parts = comm.allgather((cell_id[mine], np.ascontiguousarray(columns[:, mine])))
    owned = np.concatenate([part[0] for part in parts])
    order = np.argsort(owned, kind="stable")
    owned = owned[order]
    if not np.array_equal(owned, needed):
        missing = np.setdiff1d(needed, owned)
        what = f"cell {int(missing[0])} is owned by no rank" if missing.size else "a cell is owned by two ranks"
        raise InputError(f"footprint: {what}; observations and tiles do not belong to the same domain.")
    values = np.concatenate([part[1] for part in parts], axis=1)[:, order]
    position = np.where(cells >= 0, np.searchsorted(needed, cells), -1)
    return footprint_average(values, position, weights)


def limit_to_porosity(
    values: np.ndarray, lower: np.ndarray | float, porosity: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Bring observed soil moisture into the range that the model soil can hold.

    Parameters
    ----------
    values : array_like, shape (obs,)
        Observed soil moisture [m3 m-3]; NaN stays NaN.
    lower : array_like or float
        Smallest content of the model soil, for example the residual water [m3 m-3].
    porosity : array_like or float
        Porosity of the model soil, averaged like the observation [m3 m-3].

    Returns
    -------
    limited : ndarray, shape (obs,)
        Values within the limits [m3 m-3].
    changed : ndarray of bool, shape (obs,)
        Where a value was outside.
    """
    values = np.asarray(values, float)
    limited = np.clip(values, lower, porosity)
    return limited, np.isfinite(values) & (limited != values)
