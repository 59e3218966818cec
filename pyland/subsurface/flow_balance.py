"""What came into a distributed subsurface, went out of it and is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

import numpy as np

from pyland.base.parallel import Communicator
from pyland.base.units import WATER_DENSITY

FLUXES = ("rain", "source", "discharge", "surface_runoff")
"""What passes the surface and goes into cells."""


class FlowBalance:
    """Sums of water since the start, of one rank; all ranks together where they are read.

    Parameters
    ----------
    sides : sequence of str
        Sides with a condition.
    stored : numpy.ndarray, shape (2, member)
        Water in the ground and on it at the start [m3], of this rank.
    area : float
        Of a column [m2].
    comm : Communicator
        Ranks.
    """

    def __init__(self, sides: Sequence[str], stored: np.ndarray, area: float, comm: Communicator) -> None:
        self._area, self._comm = area, comm
        self._members = stored.shape[1]
        self._sums = {name: np.zeros(self._members)
                      for name in (*FLUXES, "increment", *(f"boundary_{side}" for side in sides))}
        self._stored = stored
        self._stored_first = stored.sum(axis=0)

    def add(
        self, dt: float, fluxes: Mapping[str, np.ndarray], inflow: Mapping[str, np.ndarray], stored: np.ndarray
    ) -> None:
        """Book a period.

        Parameters
        ----------
        dt : float
            Length [s].
        fluxes : Mapping of str to numpy.ndarray, shape (member, ...)
            ``discharge`` [m3 s-1], others [kg m-2 s-1].
        inflow : Mapping of str to numpy.ndarray, shape (member,)
            Through the faces of a side in the period [m3].
        stored : numpy.ndarray, shape (2, member)
            Water at the end [m3].
        """
        for name in FLUXES:
            factor = dt if name == "discharge" else self._area * dt / WATER_DENSITY
            self._sums[name] += fluxes[name].reshape(self._members, -1).sum(axis=1) * factor
        for side, volume in inflow.items():
            self._sums[f"boundary_{side}"] += volume
        self._stored = stored

    def reconcile(self, stored: np.ndarray) -> None:
        """Book what is there, (2, member) [m3], beyond what was there as ``increment``."""
        self._sums["increment"] += (stored - self._stored).sum(axis=0)
        self._stored = stored

    def copy(self) -> FlowBalance:
        """Return the sums as they are, to go back to."""
        other = copy(self)
        other._sums = {name: one.copy() for name, one in self._sums.items()}
        return other

    def total(self, mine: np.ndarray) -> np.ndarray:
        """Sum over ranks, in their order."""
        return np.sum(self._comm.allgather(mine), axis=0)

    def terms(self) -> dict[str, np.ndarray]:
        """Return all terms of the whole domain by name, each (member,) [m3]; all ranks must ask together."""
        names = list(self._sums)
        table = self.total(np.stack([*self._sums.values(), *self._stored, self._stored_first]))
        terms = dict(zip([*names, "storage_subsurface", "storage_surface", "first"], table, strict=True))
        gained = sum(terms[name] for name in names if name not in ("discharge", "surface_runoff"))
        terms["residual"] = (terms["storage_subsurface"] + terms["storage_surface"] - terms.pop("first") - gained
                             + terms["discharge"] + terms["surface_runoff"])
        return terms
