"""Interpolation of a state to the places of observations: on axes, and on triangles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.spatial import Delaunay, QhullError

from pyland.assimilate.arguments import to_floats
from pyland.assimilate.nearby_points import NearbyPoints
from pyland.assimilate.observation_operators import ObservationOperator
from pyland.base.errors import InputError

_EDGE = 64 * np.finfo(float).eps
"""Rounding of a barycentric coordinate: a place on an edge belongs to a triangle on either side."""


def linear_on_axes(
    axes: Sequence[Any], places: Any, *, period: Any = None, nearest: bool = False
) -> ObservationOperator:
    """Return the operator that interpolates on the product of 1 to 3 axes: linear, bilinear, trilinear.

    Parameters
    ----------
    axes : sequence of array_like
        Coordinates along each axis, ascending or descending, any spacing. The state runs fastest along the last.
    places : array_like
        Coordinates of the observations in the order of the axes, shape ``(obs, ndim)``, or ``(obs,)`` for one axis.
    period : array_like, optional
        Length of each periodic axis, shape ``(ndim,)``, 0 or infinite for none; 360 for longitudes around the globe.
    nearest : bool
        Take the value of the cell around the place instead, whose bounds lie halfway between the coordinates; at the
        ends a cell is symmetric.

    Returns
    -------
    ObservationOperator
        An observation beyond the ends of an axis is outside.

    Raises
    ------
    InputError
        If an axis is not monotonic or a shape does not fit.
    """
    if not 1 <= len(axes) <= 3:
        raise InputError(f"linear_on_axes takes 1 to 3 axes; got {len(axes)}")
    points = to_floats("places (obs, ndim)", np.asarray(places)[:, np.newaxis] if np.ndim(places) == 1 else places, 2)
    if points.shape[1] != len(axes):
        raise InputError(f"places must have one coordinate per axis, shape (obs, {len(axes)}); got {points.shape}")
    lengths = np.zeros(len(axes)) if period is None else np.asarray(period, dtype=np.float64)
    if lengths.shape != (len(axes),) or np.isnan(lengths).any() or (lengths < 0).any():
        raise InputError(f"period must hold one length per axis, 0 or infinite for none; got {period!r}")
    along = _nearest_on_axis if nearest else _linear_on_axis
    parts = [
        along(k, axis, points[:, k], length if np.isfinite(length) else 0.0)
        for k, (axis, length) in enumerate(zip(axes, lengths, strict=True))
    ]
    sizes = [np.asarray(axis).size for axis in axes]
    outside = np.logical_or.reduce([part[2] for part in parts])
    inside = np.flatnonzero(~outside)
    rows, columns, weights = [], [], []
    for corner in product(*(range(part[0].shape[1]) for part in parts)):
        index = [part[0][inside, c] for part, c in zip(parts, corner, strict=True)]
        rows.append(inside)
        columns.append(np.ravel_multi_index(index, sizes))
        weights.append(np.prod([part[1][inside, c] for part, c in zip(parts, corner, strict=True)], axis=0))
    matrix = coo_array(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(len(points), int(np.prod(sizes))),
    )
    return ObservationOperator(matrix, outside)


def linear_on_triangles(nodes: Any, places: Any, triangles: Any = None) -> ObservationOperator:
    """Return the operator that interpolates linearly on triangles.

    Parameters
    ----------
    nodes : array_like
        Coordinates of the state elements, shape ``(node, 2)``, plane.
    places : array_like
        Coordinates of the observations, shape ``(obs, 2)``.
    triangles : array_like of int, optional
        Nodes of each triangle, shape ``(triangle, 3)``; without, the Delaunay triangulation of the nodes.

    Returns
    -------
    ObservationOperator
        An observation in no triangle is outside. On an edge, the triangle with the lowest number counts, which changes
        the value by rounding only.

    Raises
    ------
    InputError
        If a shape does not fit, a triangle has no area, or nodes lie on a line.
    """
    corners = to_floats("nodes (node, 2)", nodes, 2)
    points = to_floats("places (obs, 2)", places, 2)
    if corners.shape[1] != 2 or points.shape[1] != 2:
        raise InputError(
            f"linear_on_triangles takes two plane coordinates; got shapes {corners.shape} and {points.shape}"
        )
    if triangles is None:
        try:
            chosen = Delaunay(corners).simplices.astype(np.int64)
        except (QhullError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"the {len(corners)} nodes cannot be triangulated ({reason})") from error
    else:
        chosen = np.asarray(triangles)
        if chosen.ndim != 2 or chosen.shape[1] != 3 or not np.issubdtype(chosen.dtype, np.integer):
            raise InputError(
                f"triangles must hold three nodes each, shape (triangle, 3), whole numbers; got {chosen.shape}"
            )
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < len(corners)):
            raise InputError(f"triangles must name nodes 0 to {len(corners) - 1}; got {chosen.min()}, {chosen.max()}")
    a, b, c = (corners[chosen[:, k]] for k in range(3))
    area = _cross(b - a, c - a)
    if triangles is None:  # Delaunay may give flat slivers on the hull, which hold no place
        chosen, a, b, c, area = (part[area != 0.0] for part in (chosen, a, b, c, area))
    elif (area == 0.0).any():
        raise InputError(f"triangle {int(np.argmax(area == 0.0))} has no area: its nodes lie on a line")
    if not len(chosen) or not len(points):
        return ObservationOperator(coo_array((len(points), len(corners))))
    observation, triangle = _triangles_around(points, a, b, c)
    place = points[observation]
    share = np.column_stack([
        _cross(b[triangle] - place, c[triangle] - place),
        _cross(c[triangle] - place, a[triangle] - place),
        _cross(a[triangle] - place, b[triangle] - place),
    ]) / area[triangle, np.newaxis]  # fmt: skip
    holds = (share >= -_EDGE).all(axis=1)
    observation, first = np.unique(observation[holds], return_index=True)
    triangle, share = triangle[holds][first], share[holds][first]
    matrix = coo_array(
        (share.ravel(), (np.repeat(observation, 3), chosen[triangle].ravel())), shape=(len(points), len(corners))
    )
    outside = np.ones(len(points), bool)
    outside[observation] = False
    return ObservationOperator(matrix, outside)


def _triangles_around(
    points: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of points and the triangles that may hold them, in the order of points, then of triangles.

    A triangle lies within the distance of its farthest corner from its centre. Triangles are searched in classes of
    distances within a factor of 2: long slivers at the hull must not widen the search for all.
    """
    centre = (a + b + c) / 3.0
    reach = np.max([np.sqrt(((corner - centre) ** 2).sum(axis=1)) for corner in (a, b, c)], axis=0)
    size = np.frexp(reach)[1]
    pairs = []
    for one in np.unique(size):
        members = np.flatnonzero(size == one)
        observation, near, _ = NearbyPoints(centre[members]).within(points, float(reach[members].max()))
        pairs.append((observation, members[near]))
    observation, triangle = (np.concatenate(part) for part in zip(*pairs, strict=True))
    order = np.lexsort((triangle, observation))
    return observation[order], triangle[order]


def _linear_on_axis(k: int, axis: Any, place: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices (obs, 2) and weights (obs, 2) along one axis, and what is outside (obs,)."""
    coordinate, order, place = _ascending(k, axis, place, period)
    upper = np.clip(np.searchsorted(coordinate, place, side="right"), 1, coordinate.size - 1)
    low, high = coordinate[upper - 1], coordinate[upper]
    share = (place - low) / (high - low)
    outside = (place < coordinate[0]) | (place > coordinate[-1])
    return np.column_stack([order[upper - 1], order[upper]]), np.column_stack([1.0 - share, share]), outside


def _nearest_on_axis(k: int, axis: Any, place: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the index (obs, 1) and weight (obs, 1) of the cell along one axis, and what is outside (obs,)."""
    coordinate, order, place = _ascending(k, axis, place, period)
    middle = 0.5 * (coordinate[1:] + coordinate[:-1])
    index = np.searchsorted(middle, place, side="right")
    outside = (place < 2.0 * coordinate[0] - middle[0]) | (place > 2.0 * coordinate[-1] - middle[-1])
    return order[index][:, np.newaxis], np.ones((place.size, 1)), outside


def _ascending(k: int, axis: Any, place: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an axis in ascending order, closed where it is periodic, its indices, and the places along it."""
    coordinate = to_floats(f"axes[{k}]", axis, 1)
    order = np.arange(coordinate.size)
    step = np.diff(coordinate)
    if coordinate.size < 2 or not ((step > 0).all() or (step < 0).all()):
        raise InputError(f"axes[{k}] must have at least 2 coordinates, all ascending or all descending")
    if step[0] < 0:
        coordinate, order = coordinate[::-1], order[::-1]
    if period > 0:
        if coordinate[-1] - coordinate[0] >= period:
            raise InputError(
                f"axes[{k}] spans {coordinate[-1] - coordinate[0]:g}, not less than its period of {period:g}; "
                "leave out the repeated column"
            )
        place = coordinate[0] + np.mod(place - coordinate[0], period)
        coordinate = np.append(coordinate, coordinate[0] + period)
        order = np.append(order, order[0])
    return coordinate, order, place


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the cross product of plane vectors (..., 2)."""
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]


__all__ = ["linear_on_axes", "linear_on_triangles"]
