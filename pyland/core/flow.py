"""Boundary to the compiled distributed subsurface: numpy in, numpy out.

Fields of cells are ``(y, layer, x)`` with a rim of one column, as they lie in memory; fields of columns ``(y, x)``.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check

OVERLAND = {"none": 0, "kinematic": 1, "kinematic_cells": 1, "diffusive": 2}
"""Schemes of overland flow by the number of the compiled core."""

KIND = {"head": 1, "flux": 2, "free_drainage": 3, "seepage": 4}
"""Conditions at boundary faces by the number of the compiled core."""

_AXES = {"heads": 4, "ices": 4, "storage": 3, "residual": 3, "source": 3, "volume_source": 3, "rain": 2,
         "volume_rain": 2, "volume_rim": 2, "volume_runoff": 2, "volume_spread": 2, "volume_faces": 1}


class _FortranMemory:
    """What a view has as its base: the buffer's address, and the owner that keeps it alive."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, address: int, shape: tuple[int, ...], owner: object) -> None:
        self.__array_interface__ = {"data": (address, False), "shape": shape, "typestr": "<f8", "version": 3}
        self.owner = owner


class FlowFields:
    """Fields and solver of a distributed subsurface, the tile of one rank.

    Parameters
    ----------
    nx, ny, members : int
        Columns of the tile and number of states.
    dx, dy : float
        Size of a column [m].
    thickness : numpy.ndarray, shape (layer,)
        From the top [m].
    """

    def __init__(self, nx: int, ny: int, members: int, dx: float, dy: float, thickness: np.ndarray) -> None:
        self._api = wrapped.pl_api_flow
        self.handle = self._api.flow_handle()
        check(*self._api.flow_create(self.handle, nx, ny, members, float(dx), float(dy),
                                     np.ascontiguousarray(thickness, float)))
        self.nx, self.ny, self.nz, self.members = nx, ny, len(thickness), members

    def __reduce__(self) -> NoReturn:
        raise TypeError("a distributed subsurface holds Fortran memory and cannot be pickled; save its pressure")

    def set_options(
        self, *, overland: str, follows_terrain: bool, slope_floor: float, ponding_depth: float, tolerance: float,
        max_iterations: int, max_krylov: int, max_restarts: int, min_step: float, max_step: float,
    ) -> None:
        """Choose schemes and tolerances; names as in ``OVERLAND`` and ``fortran/subsurface/pl_flow_model.f90``."""
        largest = float(np.finfo(float).max)
        check(*self._api.flow_set_options(
            self.handle, OVERLAND[overland], int(follows_terrain), float(slope_floor), float(ponding_depth),
            float(tolerance), int(max_iterations), int(max_krylov), int(max_restarts), float(min_step),
            min(float(max_step), largest)))

    def set_ranks(self, comm: int, tiles: tuple[int, int], neighbours: tuple[int, int, int, int]) -> None:
        """Name the ranks in x and y, and the neighbours in the west, east, south and north, -1 for none."""
        check(*self._api.flow_set_ranks(self.handle, int(comm), np.array(tiles, dtype=np.int32),
                                        np.array(neighbours, dtype=np.int32)))

    def set_soil(
        self, retention: int, air_entry: float, air_dry_head: float, classes: np.ndarray, index: np.ndarray,
        exists: np.ndarray,
    ) -> None:
        """Enter soil classes (class, 5), the class of every cell from 0, and the columns that exist."""
        check(*self._api.flow_set_soil(
            self.handle, int(retention), float(air_entry), float(air_dry_head),
            np.asfortranarray(classes, dtype=float), np.ascontiguousarray(index + 1, dtype=np.int32).T,
            _fortran(exists)))

    def set_ground(self, conductivity: list[np.ndarray], barrier: list[np.ndarray], slopes: list[np.ndarray]) -> None:
        """Enter conductivities in x, y, z [m s-1], factors of the faces east, north, below, and slopes in x and y."""
        check(*self._api.flow_set_ground(self.handle, *map(_fortran, conductivity), *map(_fortran, barrier),
                                         *map(_fortran, slopes)))

    def set_overland(
        self, bed: tuple[np.ndarray, np.ndarray], along: tuple[np.ndarray, np.ndarray],
        manning: tuple[np.ndarray, np.ndarray],
    ) -> None:
        """Enter slopes across and along faces [1] and roughness [s m-1/3], (y, x + 1), (y + 1, x); after the soil."""
        check(*self._api.flow_set_overland(self.handle, *map(_fortran, (*bed, *along, *manning))))

    def set_boundaries(
        self, row: np.ndarray, column: np.ndarray, layer: np.ndarray, kind: np.ndarray, conductance: np.ndarray,
        lift: np.ndarray, pond: np.ndarray,
    ) -> None:
        """Enter the faces to the outside that have a condition, sorted by row; indices from 0."""
        integers = [np.ascontiguousarray(one, dtype=np.int32) for one in (row + 1, column + 1, layer + 1, kind)]
        check(*self._api.flow_set_boundaries(self.handle, *integers, np.ascontiguousarray(conductance, float),
                                             np.ascontiguousarray(lift, float), _fortran(pond)))

    def set_boundary_values(self, values: np.ndarray) -> None:
        """Set heads [m] or inflows [m s-1] of the boundary faces."""
        check(*self._api.flow_set_boundary_values(self.handle, np.ascontiguousarray(values, float)))

    def set_ice(self, ice: np.ndarray) -> None:
        """Set ice as volume of liquid water, (y, layer, x) with rim [m3 m-3]."""
        check(*self._api.flow_set_ice(self.handle, _fortran(ice)))

    def water(self, member: int) -> np.ndarray:
        """Return the liquid water of a member without what compression adds, (y, layer, x) [m3 m-3]."""
        nx, nz, ny = self.nx, self.nz, self.ny
        water = np.zeros((ny, nz, nx))
        check(*self._api.flow_water(self.handle, member + 1, water.T))
        return water

    def follow_water(self, member: int, water: np.ndarray) -> None:
        """Let the heads of a member follow its liquid water, (y, layer, x) [m3 m-3]; others stay."""
        check(*self._api.flow_follow_water(self.handle, member + 1, _fortran(water)))

    def field(self, name: str) -> np.ndarray:
        """Return a live view of a field, as it lies in memory; empty where it has no values."""
        extents = np.zeros(4, dtype=np.int32)
        address, ierr, errmsg = self._api.flow_field(self.handle, name, extents)
        check(ierr, errmsg)
        shape = tuple(int(one) for one in extents[: _AXES[name]])[::-1]
        return np.asarray(_FortranMemory(int(address), shape, self.handle)) if address else np.zeros(0)

    def advance(self, member: int, period: float) -> tuple[int, int, int]:
        """Advance a member by a period [s]; return steps, Newton and Krylov iterations."""
        steps, newton, krylov, ierr, errmsg = self._api.flow_advance(self.handle, member + 1, float(period))
        check(ierr, errmsg)
        return int(steps), int(newton), int(krylov)

    def evaluate(self, member: int) -> tuple[float, float]:
        """Compute the storage of a member; return water in and on the ground, depth summed over columns [m]."""
        ground, surface, ierr, errmsg = self._api.flow_evaluate(self.handle, member + 1)
        check(ierr, errmsg)
        return float(ground), float(surface)


def _fortran(array: np.ndarray) -> np.ndarray:
    """Return an array with its axes reversed, without a copy if it is contiguous."""
    return np.ascontiguousarray(array, dtype=float).T
