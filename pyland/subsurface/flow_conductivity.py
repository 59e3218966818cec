"""Conductivity of the ground at saturation: that of all members, or of each member its own.

The kernel holds the conductances of the faces of one ground. Members are advanced one after the other, so members with
their own conductivity enter it before they move; that costs one pass over the faces.
"""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.core.flow import FlowFields
from pyland.subsurface.flow_boundaries import BoundaryFaces
from pyland.subsurface.flow_grid import FlowGrid


class GroundConductivity:
    """Conductivities of a tile and its rim, and the faces that follow from them.

    Parameters
    ----------
    conductivity : tuple of numpy.ndarray, shape (layer, y, x)
        Of the whole domain in x, y and z [m s-1].
    barriers : list of numpy.ndarray, shape (y, layer, x)
        Factors of the faces in the east, in the north and below, of tile and rim [1].
    slopes : list of numpy.ndarray, shape (y, x)
        In x and y, of tile and rim [1].
    grid : FlowGrid
        Cells and tiles.
    faces : BoundaryFaces
        Faces with a condition.
    open_surface : numpy.ndarray, shape (y, x)
        1 where the surface of a column of the tile takes rain, else 0.
    """

    def __init__(
        self, conductivity: tuple[np.ndarray, ...], barriers: list[np.ndarray], slopes: list[np.ndarray],
        grid: FlowGrid, faces: BoundaryFaces, open_surface: np.ndarray,
    ) -> None:
        exists = grid.exists_with_rim
        self._base = [np.where(exists, grid.cells_with_rim(one), 0.0) for one in conductivity]
        self._vertical = np.ascontiguousarray(conductivity[2][:, grid.rows, grid.columns])
        self._barriers, self._slopes = barriers, slopes
        self._grid, self._faces, self._open = grid, faces, open_surface
        self._own: np.ndarray | None = None
        self._factors: list[np.ndarray] = []

    @property
    def has_members(self) -> bool:
        """Whether members have their own."""
        return self._own is not None

    def of_members(self, nmember: int) -> np.ndarray:
        """Return the vertical conductivity of the tile, (member, layer, y, x) [m s-1]."""
        return np.broadcast_to(self._vertical, (nmember, *self._vertical.shape)) if self._own is None else self._own

    def set_members(self, conductivity: np.ndarray, nmember: int, comm: Communicator) -> None:
        """Give each member its own; the horizontal ones keep their ratio to the vertical one. All ranks together.

        Parameters
        ----------
        conductivity : numpy.ndarray, shape (member, layer, y, x)
            Vertical, of the tile [m s-1].
        nmember : int
            Members of the kernel.
        comm : Communicator
            Ranks that share the domain.

        Raises
        ------
        InputError
            If the shape does not fit, or a value is not positive.
        """
        shape = (nmember, *self._vertical.shape)
        with comm.together():
            given = np.array(conductivity, dtype=float)
            if given.shape != shape:
                raise InputError(f"conductivity of members: expected shape {shape} (member, layer, y, x), got "
                                 f"{given.shape}.")
            if not (np.isfinite(given) & (given > 0.0)).all():
                raise InputError("conductivity of members: must be positive and finite in every cell [m s-1].")
        grid, factor = self._grid, given / self._vertical
        whole = np.ones((nmember, *grid.shape))
        for rows, columns, part in comm.allgather((grid.rows, grid.columns, factor)):
            whole[:, :, rows, columns] = part
        self._own, self._factors = given, [grid.cells_with_rim(one) for one in whole]

    def enter(self, fields: FlowFields, member: int | None = None) -> None:
        """Hand the ground of a member to the kernel; None: that of the case."""
        faces, conductance, factor = self._faces, self._faces.conductance, None
        if member is not None and self._own is not None:
            factor = self._factors[member]
            ratio = self._own[member] / self._vertical
            conductance = conductance * ratio[faces.layer, faces.row, faces.column]
        base = self._base if factor is None else [factor * one for one in self._base]
        fields.set_ground(base, self._barriers, self._slopes)
        fields.set_boundaries(faces.row, faces.column, faces.layer, faces.kind, conductance, faces.lift, self._open)
        fields.set_boundary_values(faces.values())
