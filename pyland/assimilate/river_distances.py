"""Distance along a river network between local domains and observations, for the localisation of discharge."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate.arguments import check_number, to_floats
from pyland.assimilate.distances import Distances
from pyland.base.errors import InputError
from pyland.base.text import one_of, suggestion

DIRECTIONS = ("both", "upstream", "downstream", "network")
"""Which nodes an observation reaches, seen from the observation."""


def river_distances(
    downstream: Any,
    length: Any,
    domain_nodes: Any,
    observation_nodes: Any,
    radius: float,
    direction: str = "both",
) -> Distances:
    """Find the local domains within a distance of observations along the rivers.

    Parameters
    ----------
    downstream : array_like of int
        Node that receives the water of each node, shape ``(node,)``, from 0; negative at an outlet or a sink
        (`RiverNetwork.downstream`).
    length : array_like
        Length of the river from each node to the next [m], shape ``(node,)`` or one number, at least 0; not read where
        a river ends.
    domain_nodes : array_like of int
        Node of each local domain, shape ``(domain,)``. Several domains may share a node.
    observation_nodes : array_like of int
        Node of each observation, shape ``(obs,)``.
    radius : float
        Largest distance along the river [m], above 0; infinite for the whole network.
    direction : {"both", "upstream", "downstream", "network"}
        ``upstream``: nodes whose water passes the observation; ``downstream``: nodes that the water of the observation
        passes; ``both``: either. ``network``: also nodes of a tributary that joins further down (the way leads down to
        the confluence and up again), whose water never meets that of the observation before.

    Returns
    -------
    Distances
        Pairs within the radius, the radius included, sorted by domain, then by observation.

    Raises
    ------
    InputError
        If a shape, a node, a length or an option is wrong, or the network has a cycle.

    Notes
    -----
    Rivers form a forest: between two nodes there is one way at most, and the search goes along it, level by level for
    all observations at once, and ends at the radius. Work and memory are those of the pairs of observations and nodes
    within the radius. The search takes at most as many levels as there are nodes.

    References
    ----------
    .. [1] El Gharamti, M., et al. (2021). Hydrol. Earth Syst. Sci. 25, 5315-5336 (along-the-stream localisation).
    .. [2] Ver Hoef, J. M., and Peterson, E. E. (2010). J. Am. Stat. Assoc. 105, 6-18 (flow-connected distance).

    Examples
    --------
    >>> from pyland.assimilate.river_distances import river_distances
    >>> pairs = river_distances([2, 2, 3, -1], 1000.0, domain_nodes=[0, 1, 2, 3], observation_nodes=[0], radius=2000.0)
    >>> pairs.domain.tolist(), pairs.distance.tolist()
    ([0, 2, 3], [0.0, 1000.0, 2000.0])
    """
    return RiverForest(downstream, length).distances(domain_nodes, observation_nodes, radius, direction)


class RiverForest:
    """Rivers as a forest: one node downstream of each, and the list of those upstream; for several searches.

    Parameters
    ----------
    downstream, length
        As of `river_distances`.

    Attributes
    ----------
    size : int
        Number of nodes.

    Raises
    ------
    InputError
        If a shape, a node or a length is wrong, or the network has a cycle.
    """

    def __init__(self, downstream: Any, length: Any) -> None:
        self.downstream = np.asarray(downstream)
        if self.downstream.ndim != 1 or not np.issubdtype(self.downstream.dtype, np.integer):
            raise InputError(
                "downstream must hold one whole number per node, negative where a river ends; "
                f"got shape {self.downstream.shape} of {self.downstream.dtype}"
            )
        self.size = self.downstream.size
        if self.size and self.downstream.max() >= self.size:
            raise InputError(
                f"downstream must name nodes 0 to {self.size - 1}; got {self.downstream.max()} at node "
                f"{int(self.downstream.argmax())}"
            )
        self.flows = self.downstream >= 0
        ends = np.full(self.size, float(length)) if np.ndim(length) == 0 else np.array(length, dtype=np.float64)
        if ends.shape != (self.size,):
            raise InputError(f"length must be a number or have shape (node,) = ({self.size},); got {ends.shape}")
        ends[~self.flows] = 0.0
        self.length = to_floats("length (node)", ends, 1)
        if (self.length < 0).any():
            raise InputError(f"length must be at least 0 [m]; got {self.length.min()!r} at {int(self.length.argmin())}")
        givers = np.flatnonzero(self.flows)
        self._givers = givers[np.argsort(self.downstream[givers], kind="stable")]
        receivers = self.downstream[self._givers]
        self._first = np.searchsorted(receivers, np.arange(self.size))
        self._count = np.searchsorted(receivers, np.arange(self.size), side="right") - self._first
        self._check_forest()

    def distances(
        self, domain_nodes: Any, observation_nodes: Any, radius: float, direction: str = "both"
    ) -> Distances:
        """Find the local domains within a distance of observations; arguments as of `river_distances`."""
        domains = _nodes("domain_nodes", domain_nodes, self.size)
        observations = _nodes("observation_nodes", observation_nodes, self.size)
        radius = check_number("radius", radius, 0.0, np.inf, open_low=True)
        if direction not in DIRECTIONS:
            raise InputError(
                f"direction must be {one_of(DIRECTIONS)}; got {direction!r}{suggestion(str(direction), DIRECTIONS)}"
            )
        found = [_pairs_at(observations)]
        if direction in ("both", "upstream"):
            found += self._walk(observations, radius, up=True, down=False)
        if direction in ("both", "downstream"):
            found += self._walk(observations, radius, up=False, down=True)
        if direction == "network":
            found += self._walk(observations, radius, up=True, down=True)
        observation, node, distance = (np.concatenate(part) for part in zip(*found, strict=True))
        return Distances.at_places(domains, node, observation, distance)

    def _check_forest(self) -> None:
        """Follow every river from its end; a node that is never met lies on or above a cycle."""
        met = ~self.flows
        front = np.flatnonzero(met)
        while front.size:
            front = self._upstream(front)[1]
            met[front] = True
        if not met.all():
            raise InputError(
                f"downstream has a cycle: the water of node {int(np.argmin(met))} never reaches an end; "
                "give the last node of each river a negative number"
            )

    def _upstream(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return places in ``nodes`` and the nodes directly upstream of them."""
        count = self._count[nodes]
        place = np.repeat(np.arange(nodes.size), count)
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return place, self._givers[self._first[nodes[place]] + offset]

    def _walk(
        self, starts: np.ndarray, radius: float, *, up: bool, down: bool
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return (observation, node, distance) of all nodes within the radius but the starts, level by level."""
        found = []
        owner, node, distance = _pairs_at(starts)
        came_from = np.full(node.size, -1)
        while owner.size:
            steps = []
            if up:
                place, above = self._upstream(node)
                steps.append((place, above, distance[place] + self.length[above]))
            if down:
                place = np.flatnonzero(self.flows[node])
                steps.append((place, self.downstream[node[place]], distance[place] + self.length[node[place]]))
            place, reached, far = (np.concatenate(part) for part in zip(*steps, strict=True))
            keep = (far <= radius) & (reached != came_from[place])  # in a forest, what does not turn back is new
            place = place[keep]
            owner, came_from, node, distance = owner[place], node[place], reached[keep], far[keep]
            found.append((owner, node, distance))
        return found


def _pairs_at(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs (observation, node, distance) of observations with their own nodes."""
    return np.arange(nodes.size), nodes, np.zeros(nodes.size)


def _nodes(name: str, value: Any, size: int) -> np.ndarray:
    """Return a list of node numbers."""
    nodes = np.asarray(value)
    if nodes.ndim != 1 or (nodes.size and not np.issubdtype(nodes.dtype, np.integer)):
        raise InputError(f"{name} must be a list of whole numbers; got shape {nodes.shape} of {nodes.dtype}")
    nodes = nodes.astype(np.int64)
    if nodes.size and not (nodes.min() >= 0 and nodes.max() < size):
        raise InputError(f"{name} must lie in 0 to {size - 1} (nodes of downstream); got {nodes.min()}, {nodes.max()}")
    return nodes


__all__ = ["DIRECTIONS", "RiverForest", "river_distances"]
