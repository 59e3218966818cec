"""Boundary to the compiled river network: numpy in, numpy out.

Cells count from 0 here. Instead of a receiving cell, ``OUTLET`` says that the water leaves the domain and ``SINK`` that
it stays in a lake. Arrays over members and cells are ``(member, cell)`` with members contiguous in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check

OUTLET, SINK = -1, -2
"""Words that stand for a receiving cell: the water leaves the domain, or stays in a lake."""

SCHEMES = {"linear": 1, "kinematic": 2}
REACH = ("area", "length", "velocity", "width", "conveyance")
"""Properties of a reach in the order of the compiled core [m2, m, m s-1, m, m1/3 s-1]."""
LAKE = ("cell_area", "reference_area", "reference_volume", "exponent", "spill_volume")
"""Properties of a lake in the order of the compiled core [m2, m2, m3, 1, m3]."""
LAKE_FLUXES = ("evaporation", "rain", "withheld")
"""Fluxes of a lake in the order of the compiled core [m3 s-1]."""

_NO_LAKE = (1.0, 1.0, 1.0, 0.0, 0.0)


def _numbers(cells: np.ndarray) -> np.ndarray:
    """Return cells as the core counts them, from 1."""
    return np.ascontiguousarray(np.asarray(cells) + 1, dtype=np.int32)


def drain(
    neighbour: np.ndarray, distance: np.ndarray, elevation: np.ndarray, fill_depth: float, sinks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the drainage directions of a surface.

    Parameters
    ----------
    neighbour : numpy.ndarray of int, shape (cell, 8)
        Cells around each cell, ``OUTLET`` for those outside.
    distance : numpy.ndarray, shape (cell, 8)
        Distance to them [m].
    elevation : numpy.ndarray, shape (cell,)
        [m].
    fill_depth : float
        Depressions up to this depth are filled [m]; the lowest cell of deeper ones is a sink.
    sinks : numpy.ndarray of bool, shape (cell,)
        Cells that are sinks in any case.

    Returns
    -------
    downstream : numpy.ndarray of int, shape (cell,)
        Receiving cell, ``OUTLET`` or ``SINK``.
    filled : numpy.ndarray, shape (cell,)
        Elevation with depressions filled [m].

    Raises
    ------
    InputError
        If shapes do not fit or a value is not finite.
    """
    is_sink = np.array(sinks, dtype=np.int32)
    filled, downstream = np.zeros(is_sink.size), np.zeros(is_sink.size, dtype=np.int32)
    largest = np.finfo(float).max
    check(*wrapped.pl_api_rivers.rivers_drain(
        _numbers(neighbour).T, np.ascontiguousarray(distance, float).T, np.ascontiguousarray(elevation, float),
        min(float(fill_depth), largest), is_sink, filled, downstream))
    return downstream.astype(np.int64) - 1, filled


def order(
    downstream: np.ndarray, spill: np.ndarray, area: np.ndarray, time: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Order a network upstream first, and sum along it.

    Parameters
    ----------
    downstream, spill : numpy.ndarray of int, shape (cell,)
        Receiving cell by river and, of a full lake, over its rim.
    area, time : numpy.ndarray, shape (cell,)
        Area of a cell [m2] and time for passing it [s].

    Returns
    -------
    order : numpy.ndarray of int, shape (cell,)
        Cells, upstream first.
    upstream_area : numpy.ndarray, shape (cell,)
        Area of a cell and of all above it [m2].
    terminal : numpy.ndarray of int, shape (cell,)
        Outlet or sink that the water of a cell reaches.
    travel_time : numpy.ndarray, shape (cell,)
        Time to there [s].

    Raises
    ------
    InputError
        If the directions form a cycle; the message names its cells.
    """
    count = np.size(downstream)
    order, terminal = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
    upstream, travel = np.zeros(count), np.zeros(count)
    check(*wrapped.pl_api_rivers.rivers_order(
        _numbers(downstream), _numbers(spill), np.ascontiguousarray(area, float), np.ascontiguousarray(time, float),
        order, upstream, terminal, travel))
    return order.astype(np.int64) - 1, upstream, terminal.astype(np.int64) - 1, travel


def find_spills(
    downstream: np.ndarray, terminal: np.ndarray, flooded_way: np.ndarray, can_spill: np.ndarray
) -> np.ndarray:
    """Return the cell that each full lake spills to, ``OUTLET`` where it does not, shape (cell,).

    ``flooded_way`` are the directions of the same surface with all depressions filled.
    """
    spill = np.zeros(np.size(downstream), dtype=np.int32)
    check(*wrapped.pl_api_rivers.rivers_spill(
        _numbers(downstream), _numbers(terminal), _numbers(flooded_way), np.array(can_spill, dtype=np.int32), spill))
    return spill.astype(np.int64) - 1


@dataclass
class RiverArrays:
    """Network, state and results of rivers, laid out as the compiled core wants them.

    Parameters
    ----------
    scheme : str
        ``linear`` or ``kinematic``.
    order, downstream, spill : numpy.ndarray of int, shape (cell,)
        See :func:`order`.
    lake_cells : numpy.ndarray of int, shape (lake,)
        Sinks, ascending.
    reach : numpy.ndarray, shape (cell, 5)
        Properties in the order of ``REACH``.
    lake : numpy.ndarray, shape (lake, 5)
        Properties in the order of ``LAKE``.
    nmember : int
        Ensemble size.
    """

    scheme: str
    order: np.ndarray
    downstream: np.ndarray
    spill: np.ndarray
    lake_cells: np.ndarray
    reach: np.ndarray
    lake: np.ndarray
    nmember: int
    storage: np.ndarray = field(init=False)
    lake_volume: np.ndarray = field(init=False)
    discharge: np.ndarray = field(init=False)
    inflow: np.ndarray = field(init=False)
    deficit: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        count, self.nlake = self.downstream.size, self.lake_cells.size
        self._number = np.zeros(count, dtype=np.int32)
        self._number[self.lake_cells] = np.arange(1, self.nlake + 1)
        self._network = [_numbers(one) for one in (self.order, self.downstream, self.spill)]
        self.reach = np.asfortranarray(self.reach, dtype=float)
        # the core takes no empty arrays: where no lake is, one that no cell belongs to
        self._lake = np.asfortranarray(self.lake if self.nlake else [_NO_LAKE], dtype=float)
        self.storage, self.discharge, self.inflow, self.deficit = (
            np.zeros((self.nmember, count), order="F") for _ in range(4))
        self._volume = np.zeros((self.nmember, len(self._lake)), order="F")
        self._flux = np.zeros((self.nmember, len(self._lake), len(LAKE_FLUXES)), order="F")
        self.lake_volume = self._volume[:, : self.nlake]

    def advance(
        self, dt: float, substeps: int, runoff: np.ndarray, rain: np.ndarray, evaporation: np.ndarray
    ) -> None:
        """Advance by ``dt`` [s]; runoff (member, cell), rain and evaporation (member, lake) [kg m-2 s-1]."""
        check(*wrapped.pl_api_rivers.rivers_advance(
            float(dt), int(substeps), SCHEMES[self.scheme], *self._network, self._number, self.reach, self._lake,
            np.asfortranarray(runoff, dtype=float), self._lake_field(rain), self._lake_field(evaporation),
            self.storage, self._volume, self.discharge, self.inflow, self.deficit, self._flux))

    def lake_flux(self, name: str) -> np.ndarray:
        """Return one of ``LAKE_FLUXES`` of the last step, shape (member, lake) [m3 s-1]."""
        return self._flux[:, : self.nlake, LAKE_FLUXES.index(name)]

    def lake_area(self) -> np.ndarray:
        """Return the area of the lakes, shape (member, lake) [m2]."""
        area = np.zeros_like(self._volume)
        check(*wrapped.pl_api_rivers.rivers_lake_area(self._lake, self._volume, area))
        return area[:, : self.nlake]

    def _lake_field(self, values: np.ndarray) -> np.ndarray:
        """Return values over lakes as the core wants them."""
        out = np.zeros_like(self._volume)
        out[:, : self.nlake] = values
        return out


__all__ = [
    "LAKE", "LAKE_FLUXES", "OUTLET", "REACH", "SCHEMES", "SINK", "RiverArrays", "drain", "find_spills", "order",
]
