"""Which cell of a river network a gauge sees: its own, or the largest river near it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyland.observe import ObservationSet, TargetCells
from pyland.subsurface.river_network import RiverNetwork


def river_cells(x: np.ndarray, y: np.ndarray, snap: float, target: TargetCells, network: RiverNetwork) -> np.ndarray:
    """Return the cell of each gauge.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (gauge,)
        Places of the gauges [m].
    snap : float
        The cell with the largest upstream area within this distance is taken, else the nearest [m].
    target : TargetCells
        Cells of the run.
    network : RiverNetwork
        Rivers of these cells.

    Returns
    -------
    numpy.ndarray of int, shape (gauge,)
    """
    found = target.nearest_of(x, y)
    for gauge, (east, north) in enumerate(zip(x, y, strict=True)):
        near = np.flatnonzero(np.hypot(target.x - east, target.y - north) <= snap)
        if near.size:
            found[gauge] = network.largest_near(near)
    return found


def on_rivers(
    sets: list[ObservationSet], snap: float, target: TargetCells, network: RiverNetwork
) -> list[ObservationSet]:
    """Return sets of discharge whose gauges see the cells of `river_cells`; arguments as there."""
    places = np.concatenate([np.stack([one.x, one.y]) for one in sets], axis=1)
    gauges, which = np.unique(places, axis=1, return_inverse=True)
    cells = river_cells(*gauges, snap, target, network)[which.reshape(-1)]
    parts = np.split(cells, np.cumsum([one.size for one in sets])[:-1])
    return [replace(one, cells=part[:, None], weights=np.ones((part.size, 1)))
            for one, part in zip(sets, parts, strict=True)]
