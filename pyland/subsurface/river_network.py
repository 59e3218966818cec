"""The river network: which cell drains to which, in what order, and over which distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyland.base.errors import InputError
from pyland.core.rivers import OUTLET, SINK, drain, find_spills, order
from pyland.subsurface.river_grid import RiverGrid


class RiverNetwork:
    """A tree of reaches, one per cell.

    Parameters
    ----------
    downstream : array_like of int, shape (cell,)
        Cell that receives the water; ``RiverNetwork.OUTLET`` (-1) if it leaves the domain, ``RiverNetwork.SINK`` (-2)
        if it stays in a lake.
    area, length : array_like, shape (cell,) or number
        Area of the cell [m2] and length of the river to the next one [m].
    slope : array_like, shape (cell,) or number
        Drop of the river over its length [1].
    spill : array_like of int, shape (cell,), optional
        Cell that a full lake spills to; ``OUTLET`` where its water leaves the domain.

    Attributes
    ----------
    order : numpy.ndarray of int, shape (cell,)
        Cells, upstream first.
    upstream_area : numpy.ndarray, shape (cell,)
        Area of a cell and of all above it [m2].
    terminal : numpy.ndarray of int, shape (cell,)
        Outlet or sink that the water of a cell reaches; cells of one basin have the same.
    path_length : numpy.ndarray, shape (cell,)
        Length of the river to there [m].
    sinks : numpy.ndarray of int, shape (lake,)
        Cells whose water stays in a lake, ascending.
    filled : numpy.ndarray or None
        Elevation with depressions filled, of networks made from elevation [m].

    Raises
    ------
    InputError
        If a cell drains to none of the network, or directions form a cycle; the message names the cells.

    Examples
    --------
    >>> import numpy as np
    >>> from pyland.subsurface import RiverGrid, RiverNetwork
    >>> valley = np.add.outer(np.abs(np.arange(-2, 3)), np.arange(4) * 0.5)
    >>> network = RiverNetwork.from_elevation(RiverGrid.regular(valley, 1000.0, 1000.0))
    >>> float(network.upstream_area.max() / 1e6)
    20.0
    """

    OUTLET, SINK = OUTLET, SINK

    def __init__(
        self,
        downstream: np.ndarray,
        *,
        area: np.ndarray | float,
        length: np.ndarray | float,
        slope: np.ndarray | float = 0.0,
        spill: np.ndarray | None = None,
    ) -> None:
        self.downstream = np.asarray(downstream, dtype=np.int64)
        count = self.downstream.size
        if self.downstream.ndim != 1 or count == 0:
            raise InputError(f"River network: expected receiving cells of shape (cell,), got {self.downstream.shape}.")
        self.area, self.length, self.slope = (
            _spread(name, values, count) for name, values in (("area", area), ("length", length), ("slope", slope)))
        for name, values in (("area", self.area), ("length", self.length)):
            if not (values > 0.0).all():
                raise InputError(f"River network: every {name} must be positive.")
        self.spill = np.full(count, OUTLET) if spill is None else np.asarray(spill, dtype=np.int64)
        self.order, self.upstream_area, self.terminal, self.path_length = order(
            self.downstream, self.spill, self.area, self.length)
        self.sinks = np.flatnonzero(self.downstream == SINK)
        self.filled: np.ndarray | None = None
        self._grid: RiverGrid | None = None

    @classmethod
    def from_elevation(
        cls, grid: RiverGrid, *, fill_depth: float = np.inf, sinks: Sequence[int] | np.ndarray = ()
    ) -> RiverNetwork:
        """Build the network of steepest descent.

        Parameters
        ----------
        grid : RiverGrid
            Cells with their elevation.
        fill_depth : float
            Depressions up to this depth are filled, so that their water leaves over the rim [m]; the lowest cell of
            deeper ones is a sink.
        sinks : sequence of int
            Cells that are sinks in any case.

        Notes
        -----
        Priority-flood [1]_; docs/theory/rivers.md.

        References
        ----------
        .. [1] Barnes, R., Lehman, C., Mulla, D. (2014). Priority-flood: An optimal depression-filling and
           watershed-labeling algorithm for digital elevation models. Comput. Geosci. 62, 117-127.
        """
        given = np.zeros(grid.ncell, dtype=bool)
        given[np.asarray(sinks, dtype=np.int64)] = True
        downstream, filled = drain(grid.neighbour, grid.distance, grid.elevation, fill_depth, given)
        return cls._on_grid(grid, downstream, filled)

    @classmethod
    def from_codes(cls, grid: RiverGrid, codes: np.ndarray, convention: str = "esri") -> RiverNetwork:
        """Build the network of given directions; see :meth:`RiverGrid.downstream_of`."""
        return cls._on_grid(grid, grid.downstream_of(codes, convention), None)

    @classmethod
    def _on_grid(
        cls, grid: RiverGrid, downstream: np.ndarray, filled: np.ndarray | None, spill: np.ndarray | None = None
    ) -> RiverNetwork:
        cell = np.arange(grid.ncell)
        flows = downstream >= 0
        way = np.argmax(grid.neighbour == np.where(flows, downstream, -3)[:, None], axis=1)
        length = np.where(flows, grid.distance[cell, way], np.sqrt(grid.area))
        drop = np.where(flows, grid.elevation - grid.elevation[downstream], 0.0)
        slope = np.maximum(drop, 0.0) / length
        network = cls(downstream, area=grid.area, length=length, slope=slope, spill=spill)
        network.slope = _slope_of_ends(network)
        network.filled, network._grid = filled, grid
        return network

    def with_spills(self, cells: np.ndarray) -> RiverNetwork:
        """Return the network in which the lakes of these sinks spill when they are full.

        The water goes over the rim to the first cell of another basin on the way that the surface drains when all its
        depressions are filled. A network that was not made from a grid keeps the spills that it was given.
        """
        if self._grid is None or np.size(cells) == 0:
            return self
        can_spill = np.zeros(self.ncell, dtype=bool)
        can_spill[cells] = True
        grid = self._grid
        way, _ = drain(grid.neighbour, grid.distance, grid.elevation, np.inf, np.zeros(self.ncell, dtype=bool))
        spill = find_spills(self.downstream, self.terminal, way, can_spill)
        return self._on_grid(grid, self.downstream, self.filled, spill)

    @property
    def ncell(self) -> int:
        """Number of cells."""
        return self.downstream.size

    @property
    def outlets(self) -> np.ndarray:
        """Cells whose water leaves the domain, ascending."""
        return np.flatnonzero(self.downstream == OUTLET)

    def basin_area(self) -> np.ndarray:
        """Return the area of the basin of every outlet and sink, largest first [m2]."""
        return np.sort(self.upstream_area[self.downstream < 0])[::-1]

    def largest_near(self, cells: np.ndarray) -> int:
        """Return the one of ``cells`` with the largest upstream area."""
        return int(cells[np.argmax(self.upstream_area[cells])])


def _spread(name: str, values: np.ndarray | float, count: int) -> np.ndarray:
    """Return one value per cell."""
    try:
        out = np.array(np.broadcast_to(np.asarray(values, dtype=float), (count,)))
    except ValueError as error:
        raise InputError(f"Rivers: {name} has shape {np.shape(values)}; expected a number or ({count},).") from error
    if not np.isfinite(out).all():
        raise InputError(f"Rivers: {name} holds NaN or infinity.")
    return out


def _slope_of_ends(network: RiverNetwork) -> np.ndarray:
    """Give outlets and sinks the slope of the largest river that reaches them."""
    slope = network.slope.copy()
    largest = np.argsort(network.upstream_area, kind="stable")
    giver = largest[network.downstream[largest] >= 0]
    receiver = network.downstream[giver]
    ends = network.downstream[receiver] < 0
    slope[receiver[ends]] = network.slope[giver[ends]]  # the last, which is the largest, stays
    return slope
