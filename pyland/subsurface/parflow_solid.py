"""Solid files of ParFlow (``.pfsol``): bodies bounded by triangles, whose patches carry the boundary conditions.

The file is text: a version, the vertices (count, then x y z each), the number of solids, and for each solid its
triangles (count, then three vertices each) and its patches (count, then for each patch a count and its triangles).
Format: ParFlow user's manual, "ParFlow Solid Files (.pfsol)". A cell belongs to a solid if its centre lies inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyland.base.errors import InputError

if TYPE_CHECKING:
    from pyland.subsurface.parflow_geometry import RunGrid


class SolidFile:
    """The solids of one file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If the file is cut off or is no solid file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            numbers = np.array(path.read_text().split(), float)
        except ValueError:
            raise InputError(f"{path}: a solid file of ParFlow holds numbers only; this one does not.") from None
        self._at = 1  # after the version

        def take(count: int) -> np.ndarray:
            part = numbers[self._at : self._at + count]
            if count < 0 or part.size < count:
                raise InputError(
                    f"{path}: this solid file is cut off, or is none: {count} numbers expected, {part.size} there."
                )
            self._at += count
            return part

        def count() -> int:
            return int(take(1)[0])

        self.vertices = take(3 * count()).reshape(-1, 3)
        self.solids = []
        for _ in range(count()):
            triangles = take(3 * count()).astype(int).reshape(-1, 3)
            patches = [take(count()).astype(int) for _ in range(count())]
            if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(self.vertices):
                raise InputError(
                    f"{path}: a triangle names a vertex that is not there; expected 0 to {len(self.vertices) - 1}."
                )
            if any(patch.size and not 0 <= patch.min() <= patch.max() < len(triangles) for patch in patches):
                raise InputError(
                    f"{path}: a patch names a triangle that is not there; expected 0 to {len(triangles) - 1}."
                )
            self.solids.append((self.vertices[triangles], patches))

    def cells(self, number: int, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the cells whose centre lies in a solid.

        Parameters
        ----------
        number : int
            Which solid.
        x, y : numpy.ndarray, shape (x,), (y,)
            Centres, ascending.
        z : numpy.ndarray, shape (layer,)
            Centres from the top down.

        Returns
        -------
        numpy.ndarray of bool, shape (layer, y, x)
            True inside: an odd number of triangles lies above the centre.
        """
        triangles, _ = self._solid(number)
        _, row, column, height = _crossings(triangles, x, y)
        above = np.zeros((len(z) + 1, len(y), len(x)), int)
        first_below = np.searchsorted(-z, -height, side="right")  # the first layer whose centre lies below the triangle
        np.add.at(above, (first_below, row, column), 1)
        return np.cumsum(above[:-1], axis=0) % 2 == 1

    def faces(self, number: int, grid: RunGrid) -> list[list[tuple[str, np.ndarray | None]]]:
        """Return where each patch of a solid lies.

        Parameters
        ----------
        number : int
            Which solid.
        grid : RunGrid
            The cells.

        Returns
        -------
        list of list of (str, numpy.ndarray or None)
            For each patch its sides, each with the cells of the side (bool); ``inside`` (None) for walls within the
            grid.
        """
        triangles, patches = self._solid(number)
        owner, row, column, height = _crossings(triangles, grid.x, grid.y)
        highest = np.full(grid.shape[1:], -np.inf)
        np.maximum.at(highest, (row, column), height)
        is_top = height == highest[row, column]
        found = []
        for patch in patches:
            mine = np.isin(owner, patch)
            places: list[tuple[str, np.ndarray | None]] = []
            for side, chosen in (("top", mine & is_top), ("bottom", mine & ~is_top)):
                if chosen.any():
                    where = np.zeros(grid.shape[1:], bool)
                    where[row[chosen], column[chosen]] = True
                    places.append((side, where))
            found.append(places + _walls(triangles[patch], grid))
        return found

    def _solid(self, number: int) -> tuple[np.ndarray, list[np.ndarray]]:
        if number >= len(self.solids):
            raise InputError(f"{self.path}: expected at least {number + 1} solids (GeomNames), got {len(self.solids)}.")
        return self.solids[number]


def _walls(triangles: np.ndarray, grid: RunGrid) -> list[tuple[str, np.ndarray | None]]:
    """Return the upright triangles of a patch: on the rim of the grid with their cells, or within it."""
    places: list[tuple[str, np.ndarray | None]] = []
    upright = triangles[_twice_area(triangles) == 0.0]
    rest = np.ones(len(upright), bool)
    along = {0: grid.y, 1: grid.x}
    for axis, sides in ((0, ("west", "east")), (1, ("south", "north"))):
        position = (upright[:, :, axis] - grid.lower[axis]) / grid.spacing[axis]
        number = np.rint(position)
        for side, plane in zip(sides, (0, grid.shape[2 - axis]), strict=True):
            on_rim = (number == plane).all(axis=1) & (np.ptp(upright[:, :, axis], axis=1) == 0.0)
            rest &= ~on_rim
            if on_rim.any():
                # turned so that z lies along the second axis of the plane
                turned = upright[on_rim][:, :, [1 - axis, 2, axis]]
                _, layer, place, _ = _crossings(turned, along[axis], grid.z[::-1])
                where = np.zeros((grid.shape[0], len(along[axis])), bool)
                where[grid.shape[0] - 1 - layer, place] = True
                places.append((side, where))
    return [*places, ("inside", None)] if rest.any() else places


def _twice_area(triangles: np.ndarray) -> np.ndarray:
    """Return twice the area of triangles seen from above, positive if they turn left."""
    (ax, ay), (bx, by), (cx, cy) = (triangles[:, corner, :2].T for corner in range(3))
    return (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)


def _crossings(triangles: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Find where upright lines through the centres of the cells meet triangles.

    A line through the common edge of two triangles meets one of them: the one to the left of an edge that runs down, or
    above one that runs to the right.

    Returns
    -------
    tuple of numpy.ndarray, shape (crossing,)
        Number of the triangle, row, column, and height.
    """
    area = _twice_area(triangles)
    number = np.flatnonzero(area != 0.0)
    corners = triangles[number]
    corners = np.where((area[number] < 0.0)[:, None, None], corners[:, ::-1], corners)  # all turn left
    low, high = corners[:, :, :2].min(axis=1), corners[:, :, :2].max(axis=1)
    i0, i1 = np.searchsorted(x, low[:, 0], "left"), np.searchsorted(x, high[:, 0], "right")
    j0, j1 = np.searchsorted(y, low[:, 1], "left"), np.searchsorted(y, high[:, 1], "right")
    wide = i1 - i0
    candidates = wide * (j1 - j0)
    owner = np.repeat(np.arange(len(number)), candidates)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(candidates) - candidates, candidates)
    row = j0[owner] + rank // np.maximum(wide, 1)[owner]
    column = i0[owner] + rank % np.maximum(wide, 1)[owner]
    px, py = x[column], y[row]
    inside = np.ones(len(owner), bool)
    weights = []
    for corner in range(3):
        (ax, ay), (bx, by) = (corners[owner, (corner + k) % 3, :2].T for k in (1, 2))
        edge = (bx - ax) * (py - ay) - (px - ax) * (by - ay)
        owns_edge = (by < ay) | ((by == ay) & (bx > ax))
        inside &= (edge > 0.0) | ((edge == 0.0) & owns_edge)
        weights.append(edge)
    total = np.abs(area[number])[owner]
    height = sum(weight * corners[owner, corner, 2] for corner, weight in enumerate(weights)) / total
    return number[owner][inside], row[inside], column[inside], np.asarray(height)[inside]
