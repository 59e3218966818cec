"""Members of a distributed subsurface, advanced one after the other, and what passed each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyland.base.errors import ConvergenceError
from pyland.base.parallel import Communicator
from pyland.base.units import WATER_DENSITY
from pyland.core.flow import FlowFields
from pyland.subsurface.flow_boundaries import SIDES, BoundaryFaces
from pyland.subsurface.flow_grid import FlowGrid
from pyland.subsurface.flow_spinup import COUNTS
from pyland.subsurface.flow_state import worst_cell


def advance_members(
    fields: FlowFields, grid: FlowGrid, faces: BoundaryFaces, comm: Communicator, dt: float,
    put: Callable[[int], None], take: Callable[[int], None], names: Sequence[int | None],
) -> tuple[dict[str, Any], np.ndarray]:
    """Advance all members by a period.

    Parameters
    ----------
    fields : FlowFields
        The compiled fields.
    grid : FlowGrid
        Cells and tiles.
    faces : BoundaryFaces
        Faces with a condition.
    comm : Communicator
        Ranks.
    dt : float
        Length [s].
    put, take : callable
        Called with a member before it moves, and after.
    names : sequence of int or None
        What messages call the members; None where there is but one.

    Returns
    -------
    dict
        Counts, and means over the period of the tile with a member axis first: ``discharge`` [m3 s-1],
        ``surface_runoff``, ``rain`` and ``source`` [kg m-2 s-1].
    numpy.ndarray, shape (side, member)
        Inflow through the faces of this rank [m3].

    Raises
    ------
    ConvergenceError
        If a step does not converge; heads of all members are those before the call.
    """
    members, area = fields.members, grid.dx * grid.dy
    nz, rows, columns = grid.tile_shape
    out: dict[str, Any] = {
        **dict.fromkeys(COUNTS, 0),
        "source": np.zeros((members, nz, rows, columns)),
        **{name: np.zeros((members, rows, columns)) for name in ("discharge", "surface_runoff", "rain")},
    }
    inflow = np.zeros((len(SIDES), members))
    heads = fields.field("heads")
    before = heads.copy() if members > 1 else None
    try:
        for member in range(members):
            put(member)
            _advance_member(fields, grid, comm, member, dt, out, names[member])
            inflow[:, member] = area * np.bincount(
                faces.side, weights=fields.field("volume_faces"), minlength=len(SIDES))
            take(member)
    except BaseException:
        if before is not None:
            heads[...] = before
        raise
    return out, inflow


def _advance_member(
    fields: FlowFields, grid: FlowGrid, comm: Communicator, member: int, dt: float, out: dict[str, Any],
    name: int | None,
) -> None:
    """Advance one state and read what passed."""
    try:
        counts = fields.advance(member, dt)
    except ConvergenceError as error:  # on all ranks
        of_member = "" if name is None else f"member {name}: "
        cell = worst_cell(fields.field("residual").transpose(1, 0, 2), grid, comm)
        raise ConvergenceError(f"{of_member}{error}; the largest residual is in {cell}.") from None
    for name, count in zip(COUNTS, counts, strict=True):
        out[name] += count
    to_flux = WATER_DENSITY / dt
    out["discharge"][member] = fields.field("volume_rim") * (grid.dx * grid.dy / dt)
    out["surface_runoff"][member] = fields.field("volume_runoff") * to_flux
    out["rain"][member] = fields.field("volume_rain") * to_flux
    out["source"][member] = fields.field("volume_source").transpose(1, 0, 2) * to_flux
