"""Boundary to the compiled coupling of land columns and the distributed subsurface: numpy in, numpy out."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from pyland.core import wrapped
from pyland.core.columns import Columns
from pyland.core.errors import check
from pyland.core.flow import FlowFields


class CoupledWater:
    """Exchange of water between columns and a subsurface that have the same cells and members.

    Parameters
    ----------
    columns : Columns
        Columns of the land, ``cell + ncell * member``.
    flow : FlowFields
        The subsurface of this rank.
    x, y : numpy.ndarray of int, shape (cell,)
        Column of the subsurface of each cell, from 0.
    thickness : numpy.ndarray, shape (layer,)
        Soil layers of the land [m].
    """

    def __init__(self, columns: Columns, flow: FlowFields, x: np.ndarray, y: np.ndarray, thickness: np.ndarray) -> None:
        self._api = wrapped.pl_api_coupled
        self._handle = self._api.coupled_handle()
        self._columns, self._flow = columns, flow
        places = [np.ascontiguousarray(one + 1, dtype=np.int32) for one in (x, y)]
        check(*self._api.coupled_create(self._handle, columns.handle, flow.handle, *places,
                                        np.ascontiguousarray(thickness, float)))
        columns.find_fields()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a coupled model holds Fortran memory and cannot be pickled; save its state arrays instead")

    def show_water(self, member: int) -> None:
        """Let the columns of a member see its water; all ranks together."""
        check(*self._api.coupled_show_water(self._handle, self._columns.handle, self._flow.handle, member + 1))

    def expect(self, water: np.ndarray, head: np.ndarray) -> None:
        """Let surface and roots see this water and head, each (layer, column), in the land phases to come."""
        check(*self._api.coupled_expect(self._columns.handle, water.T, head.T, 1))

    def expect_no_more(self) -> None:
        """Let surface and roots see the water of the step's start."""
        state = self._columns.state
        check(*self._api.coupled_expect(self._columns.handle, state["soil_water"].T, state["pressure_head"].T, 0))

    def begin(self, dt: float) -> None:
        """Land phase of all columns, with the forcing fields as they are; ``dt`` [s]."""
        check(*self._api.coupled_begin(self._handle, self._columns.handle, float(dt)))

    def spread_ice(self) -> None:
        """Spread the ice of the layers of all columns over their pieces, for ice that is set and has not grown."""
        check(*self._api.coupled_spread_ice(self._handle, self._columns.handle, self._flow.handle))

    def send_ice(self, member: int, *, has_grown: bool) -> None:
        """Hand down the ice of a member, which has grown with the heat of the land or is set; all ranks together."""
        check(*self._api.coupled_send_ice(self._handle, self._columns.handle, self._flow.handle, member + 1,
                                          int(has_grown)))

    def send_water(self, member: int, dt: float) -> None:
        """Enter rain, evaporation and uptake of a member as what the subsurface gets in its next step, ``dt`` [s]."""
        check(*self._api.coupled_send_water(self._handle, self._columns.handle, self._flow.handle, member + 1,
                                            float(dt)))

    def settle(self, member: int, dt: float) -> None:
        """Take what the subsurface could not give a member; after `show_water` of the step's end."""
        check(*self._api.coupled_settle(self._handle, self._columns.handle, self._flow.handle, member + 1, float(dt)))

    def end(self, dt: float) -> None:
        """End the step of all columns."""
        check(*self._api.coupled_end(self._handle, self._columns.handle, float(dt)))


__all__ = ["CoupledWater"]
