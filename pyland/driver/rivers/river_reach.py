"""Distances of one analysis where observations reach along rivers: gauges by the network, others in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyland.assimilate import Distances, RiverForest
from pyland.assimilate.nearby_points import NearbyPoints
from pyland.subsurface.river_network import RiverNetwork


@dataclass(frozen=True)
class Lookout:
    """Observations of one entry at one analysis, and how far they reach.

    Attributes
    ----------
    obs : numpy.ndarray of int, shape (mine,)
        Their numbers among the observations of the analysis.
    coordinates : numpy.ndarray, shape (mine, 2)
        x and y [m].
    cells : numpy.ndarray of int, shape (mine,)
        Cell of the run that each of them sees; read along rivers only.
    radius : float
        Support [m], finite.
    along_river : bool
        Whether the support is a length of river.
    direction : str
        As of `pyland.assimilate.river_distances`.
    """

    obs: np.ndarray
    coordinates: np.ndarray
    cells: np.ndarray
    radius: float
    along_river: bool
    direction: str


class RiverReach:
    """The network of a run, and where the cells of this rank lie in it.

    Water that a full lake spills to another basin goes ways that the network does not have: observations do not reach
    over them.

    Parameters
    ----------
    network : RiverNetwork
        Rivers of all cells of the run.
    position : numpy.ndarray of int, shape (cell,)
        Places of this rank's cells among them.
    """

    def __init__(self, network: RiverNetwork, position: np.ndarray) -> None:
        self._forest = RiverForest(network.downstream, network.length)
        self._position = np.asarray(position, dtype=np.int64)

    def distances(self, lookouts: Sequence[Lookout], coordinates: np.ndarray, cell: np.ndarray) -> Distances:
        """Return the pairs of local domains and observations that lie within the radius of the observation.

        A distance depends on the domain and the observation only: ranks that hold shares of the cells find the same.

        Parameters
        ----------
        lookouts : sequence of Lookout
            Each observation in one of them; numbers of observations ascend.
        coordinates : numpy.ndarray, shape (cell, 2)
            Cells of this rank [m].
        cell : numpy.ndarray of int, shape (domain,)
            Cell of this rank in which each local domain lies.
        """
        found = []
        for one in lookouts:
            if one.along_river:
                pairs = self._forest.distances(self._position[cell], one.cells, one.radius, one.direction)
            else:
                pairs = Distances.at_places(cell, *NearbyPoints(one.coordinates).within(coordinates, one.radius))
            found.append((pairs.domain, one.obs[pairs.obs], pairs.distance))
        if len(found) == 1:
            return Distances(*found[0])  # in order already
        return Distances.in_order(*(np.concatenate(part) for part in zip(*found, strict=True)))


__all__ = ["Lookout", "RiverReach"]
