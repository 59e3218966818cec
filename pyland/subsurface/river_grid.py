"""Cells of a grid as rivers see them: eight neighbours, distances, and the codes of drainage directions."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.core.rivers import OUTLET, SINK
from pyland.domain import Domain
from pyland.domain.grid import EARTH_RADIUS

COMPASS = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
"""Directions of the eight neighbours as steps east and north: E, SE, S, SW, W, NW, N, NE."""

CODES = MappingProxyType({
    "esri": ({1: 0, 2: 1, 4: 2, 8: 3, 16: 4, 32: 5, 64: 6, 128: 7}, (0,), (-1, 255)),
    "parflow": ({1: 2, 2: 4, 3: 6, 4: 0}, (0,), ()),
    "pcraster": ({6: 0, 3: 1, 2: 2, 1: 3, 4: 4, 7: 5, 8: 6, 9: 7}, (5,), ()),
})
"""Conventions of direction files: code to direction, codes of outlets, codes of sinks.

``esri``: powers of two clockwise from east, as in ArcGIS, HydroSHEDS and MERIT Hydro (Yamazaki et al. 2019, Water
Resour. Res. 55, 5053-5073): 0 river mouth, -1 or 255 inland depression. ``parflow``: PriorityFlow's four directions
(Condon and Maxwell 2019, Computers & Geosciences 126, 73-83): 1 south, 2 west, 3 north, 4 east, 0 pit.
``pcraster``: the number pad of PCRaster's local drain directions, 5 is a pit. A pit inside the grid is a sink, and one
at its border an outlet; in the ``esri`` convention the code itself says which it is.
"""


@dataclass(frozen=True)
class RiverGrid:
    """Cells of a grid with their neighbours.

    Attributes
    ----------
    ny, nx : int
        Size of the grid.
    cell_id : numpy.ndarray of int, shape (cell,)
        Place of each cell in the flattened grid ``(y, x)``.
    neighbour : numpy.ndarray of int, shape (cell, 8)
        Cells in the directions of ``COMPASS``; -1 outside of the domain.
    distance : numpy.ndarray, shape (cell, 8)
        Distance to them [m]; 1 where there is none.
    area, elevation : numpy.ndarray, shape (cell,)
        [m2] and [m].
    """

    ny: int
    nx: int
    cell_id: np.ndarray
    neighbour: np.ndarray
    distance: np.ndarray
    area: np.ndarray
    elevation: np.ndarray

    @classmethod
    def regular(cls, elevation: np.ndarray, dx: float, dy: float, mask: np.ndarray | None = None) -> RiverGrid:
        """Build a grid of equal cells.

        Parameters
        ----------
        elevation : numpy.ndarray, shape (ny, nx)
            [m]; rows from south to north, each from west to east.
        dx, dy : float
            Size of a cell [m].
        mask : numpy.ndarray of bool, shape (ny, nx), optional
            Cells of the domain; all by default.

        Raises
        ------
        InputError
            If shapes do not fit or no cell is left.
        """
        elevation = np.asarray(elevation, dtype=float)
        mask = np.ones(elevation.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
        if elevation.ndim != 2 or mask.shape != elevation.shape or not mask.any():
            raise InputError(
                f"River grid: expected elevation and mask of one shape (y, x) with a cell at least, got "
                f"{elevation.shape} and {mask.shape} with {int(mask.sum())} cells."
            )
        if not (dx > 0.0 and dy > 0.0):
            raise InputError(f"River grid: expected positive sizes of the cells, got {dx} and {dy} m.")
        cell_id = np.flatnonzero(mask)
        neighbour = _neighbours(cell_id, *elevation.shape, 1, 1)
        steps = np.array([np.hypot(east * dx, north * dy) for east, north in COMPASS])
        return cls(*elevation.shape, cell_id, neighbour, np.broadcast_to(steps, neighbour.shape),
                   np.full(cell_id.size, dx * dy), elevation.ravel()[cell_id])

    @classmethod
    def of_domain(cls, domain: Domain) -> RiverGrid:
        """Build the grid of a domain with all its cells; distances are great circles where the domain is of a file.

        Raises
        ------
        InputError
            If the domain is a site.
        """
        if not domain.is_grid:
            raise InputError("rivers: a site has no neighbours to drain to; use domain.type grid or file.")
        if domain.kind == "grid":
            north, east = 1, 1
        else:
            latitude, x = domain.to_grid(domain.latitude), domain.to_grid(domain.x)
            north = _sense(np.diff(latitude, axis=0))
            east = _sense(np.diff(x, axis=1))
        neighbour = _neighbours(domain.cell_id, domain.ny, domain.nx, north, east)
        other = np.where(neighbour >= 0, neighbour, np.arange(domain.ncell)[:, None])
        if domain.kind == "grid":
            distance = np.hypot(domain.x[other] - domain.x[:, None], domain.y[other] - domain.y[:, None])
        else:
            distance = great_circle(domain.latitude[:, None], domain.longitude[:, None], domain.latitude[other],
                                    domain.longitude[other])
        distance = np.where(neighbour >= 0, distance, 1.0)
        return cls(domain.ny, domain.nx, domain.cell_id, neighbour, distance, domain.area, domain.elevation)

    @property
    def ncell(self) -> int:
        """Number of cells."""
        return self.cell_id.size

    @property
    def is_border(self) -> np.ndarray:
        """Whether a cell has fewer than eight neighbours in the domain, shape (cell,)."""
        return (self.neighbour < 0).any(axis=1)

    def name(self, cell: int) -> str:
        """Say which cell it is, for messages: its row and column in the grid."""
        row, column = divmod(int(self.cell_id[cell]), self.nx)
        return f"cell {cell} (row {row}, column {column})"

    def downstream_of(self, codes: np.ndarray, convention: str) -> np.ndarray:
        """Read drainage directions.

        Parameters
        ----------
        codes : numpy.ndarray, shape (ny, nx)
            Codes of the convention; those of cells outside of the domain do not matter.
        convention : str
            ``esri``, ``parflow`` or ``pcraster``, see ``CODES``.

        Returns
        -------
        numpy.ndarray of int, shape (cell,)
            Receiving cell, ``OUTLET`` (also where the direction leaves the domain) or ``SINK``.

        Raises
        ------
        InputError
            If the convention is unknown, or a code is not of it; the message names the cell.
        """
        if convention not in CODES:
            raise InputError(f"Drainage directions: expected one of {', '.join(CODES)}, got '{convention}'.")
        codes = np.asarray(codes)
        if codes.shape != (self.ny, self.nx):
            raise InputError(f"Drainage directions: expected shape {(self.ny, self.nx)}, got {codes.shape}.")
        ways, pits, sinks = CODES[convention]
        mine = codes.ravel()[self.cell_id]
        known = np.isin(mine, [*ways, *pits, *sinks])
        if not known.all():
            wrong = int(np.argmin(known))
            raise InputError(
                f"Drainage directions: the code {mine[wrong]:g} of {self.name(wrong)} is not one of '{convention}' "
                f"({', '.join(map(str, sorted([*ways, *pits, *sinks])))}; {int((~known).sum())} cells are wrong)."
            )
        out = np.full(self.ncell, OUTLET, dtype=np.int64)
        for code, way in ways.items():
            here = mine == code
            out[here] = self.neighbour[here, way]  # -1 outside of the domain is OUTLET
        out[np.isin(mine, sinks)] = SINK
        if convention != "esri":
            out[np.isin(mine, pits) & ~self.is_border] = SINK
        return out


def _sense(steps: np.ndarray) -> int:
    """Return 1 where values grow along an axis of the grid, -1 where they fall."""
    return -1 if np.nansum(steps) < 0.0 else 1


def _neighbours(cell_id: np.ndarray, ny: int, nx: int, north: int, east: int) -> np.ndarray:
    """Return the cells in the directions of ``COMPASS``, shape (cell, 8); ``north`` and ``east`` are index steps."""
    number = np.full((ny + 2, nx + 2), -1, dtype=np.int64)
    row, column = np.divmod(cell_id, nx)
    number[row + 1, column + 1] = np.arange(cell_id.size)
    return np.stack([number[row + 1 + dy * north, column + 1 + dx * east] for dx, dy in COMPASS], axis=1)


def great_circle(latitude: np.ndarray, longitude: np.ndarray, to_latitude: np.ndarray, to_longitude: np.ndarray
                 ) -> np.ndarray:
    """Distance on the sphere by the haversine formula [m]; arguments in degrees, shapes broadcast."""
    one, two = np.radians(latitude), np.radians(to_latitude)
    half = np.radians(np.asarray(to_longitude) - longitude) / 2.0
    share = np.sin((two - one) / 2.0) ** 2 + np.cos(one) * np.cos(two) * np.sin(half) ** 2
    return 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(share, 1.0)))
