"""Tables of observations that a run holds as sets: the way back from a domain to latitude and longitude."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError
from pyland.observe.observation_table import ObservationTable
from pyland.observe.observations import ObservationSet
from pyland.observe.target_cells import EARTH_RADIUS, TargetCells


def table_of_sets(sets: list[ObservationSet], target: TargetCells, *, footprint: float = 0.0) -> ObservationTable:
    """Return the table of the sets of one name.

    Parameters
    ----------
    sets : list of ObservationSet
        Of one name and type, at least one.
    target : TargetCells
        Cells of the domain.
    footprint : float
        Diameter of what is seen [m].

    Returns
    -------
    ObservationTable
        In the order of time and place; latitude and longitude are those of the tangent plane at the nearest cell, as
        in `TargetCells.locate`.

    Raises
    ------
    InputError
        If there is no set, or names or types differ.
    """
    kinds = {(one.name, one.type) for one in sets}
    if len(kinds) != 1:
        raise InputError(f"observations: expected sets of one name and type, got {sorted(kinds) or 'none'}.")
    name, kind = kinds.pop()
    size = [one.size for one in sets]
    x, y, value, variance, flag, location = (
        np.concatenate([getattr(one, column) for one in sets])
        for column in ("x", "y", "values", "variance", "flags", "location"))
    latitude, longitude = places_of(x, y, target)
    return ObservationTable(
        name, kind, value, np.repeat(np.array([one.time for one in sets], "datetime64[s]"), size), latitude, longitude,
        sigma=np.sqrt(variance), flag=flag, location=location, footprint=footprint,
        **{column: np.repeat([getattr(one, column) for one in sets], size)
           for column in ("top", "bottom", "e_folding_depth")}).sorted()


def places_of(x: np.ndarray, y: np.ndarray, target: TargetCells) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude [degrees] of points in the coordinates of a domain [m], each (point,)."""
    cell = cKDTree(np.stack([target.x, target.y], axis=1)).query(np.stack([x, y], axis=1))[1]
    degree = np.rad2deg(1.0 / EARTH_RADIUS)
    latitude = target.latitude[cell] + degree * (y - target.y[cell])
    longitude = target.longitude[cell] + degree * (x - target.x[cell]) / np.cos(np.deg2rad(target.latitude[cell]))
    return latitude, longitude
