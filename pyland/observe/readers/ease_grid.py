"""EASE-Grid 2.0, global cylindrical: which cell lies where.

The projection is the cylindrical equal-area one of the WGS84 ellipsoid with true scale at 30 degrees (EPSG:6933); grids
nest in each other around the map's origin.

References
----------
.. [1] Brodzik, M. J., Billingsley, B., Haran, T., Raup, B., Savoie, M. H. (2012). EASE-Grid 2.0: incremental but
   significant improvements for Earth-gridded data sets. ISPRS Int. J. Geo-Inf. 1, 32-45.
.. [2] Brodzik, M. J., et al. (2014). Correction to [1]. ISPRS Int. J. Geo-Inf. 3, 1154-1156 (cell sizes).
.. [3] Snyder, J. P. (1987). Map projections, a working manual. USGS Professional Paper 1395, eqs 3-12 to 3-18, 10-13
   to 10-29.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pyland.base.errors import InputError

SEMI_MAJOR_AXIS = 6378137.0
"""Of WGS84 [m]."""

ECCENTRICITY = 0.081819190843
"""Of WGS84, with the digits of Brodzik et al. (2012) [1]."""

TRUE_SCALE = 30.0
"""Latitude of true scale [degrees]."""

_SIZES = {36: 36032.220840584, 25: 25025.260000000, 9: 9008.055210146, 3: 3002.6850700487}
_SHAPES = {36: (406, 964), 25: (584, 1388), 9: (1624, 3856), 3: (4872, 11568)}


@dataclass(frozen=True)
class EaseGrid:
    """A global cylindrical EASE-Grid 2.0; row 0 is in the north, column 0 at the date line.

    Attributes
    ----------
    kilometres : int
        Nominal cell size: 36, 25, 9 or 3 [km].
    """

    kilometres: int

    def __post_init__(self) -> None:
        if self.kilometres not in _SIZES:
            raise InputError(f"EASE-Grid 2.0: the global grids have cells of {', '.join(map(str, _SIZES))} km, got "
                             f"{self.kilometres}.")

    @classmethod
    def of_shape(cls, shape: tuple[int, ...]) -> EaseGrid | None:
        """Return the grid with (rows, columns), None if there is none."""
        return next((cls(size) for size, known in _SHAPES.items() if known == tuple(shape)), None)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return _SHAPES[self.kilometres]

    @property
    def cell(self) -> float:
        """Edge of a cell on the map [m]."""
        return _SIZES[self.kilometres]

    @cached_property
    def latitude(self) -> np.ndarray:
        """Latitudes of the centres of the rows [degrees], shape (rows,)."""
        rows = self.shape[0]
        return inverse_projection(np.zeros(rows), (0.5 * (rows - 1) - np.arange(rows)) * self.cell)[0]

    @cached_property
    def longitude(self) -> np.ndarray:
        """Longitudes of the centres of the columns [degrees], shape (columns,)."""
        columns = self.shape[1]
        return inverse_projection((np.arange(columns) - 0.5 * (columns - 1)) * self.cell, np.zeros(columns))[1]

    def locate(self, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column of the cells that hold some points.

        Parameters
        ----------
        latitude, longitude : array_like, shape (point,)
            Points [degrees].

        Returns
        -------
        row, column : ndarray of int, shape (point,)
            -1 for points north or south of the grid, which holds all longitudes.
        """
        x, y = projection(latitude, longitude)
        rows, columns = self.shape
        column = np.clip(np.floor(x / self.cell + 0.5 * columns), 0, columns - 1).astype(np.int64)  # rim: rounding
        row = np.floor(0.5 * rows - y / self.cell).astype(np.int64)
        outside = (row < 0) | (row >= rows)
        return np.where(outside, -1, row), np.where(outside, -1, column)


def projection(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return map coordinates x and y [m] of points [degrees] (Snyder 1987, eqs 10-14, 10-15 and 3-12)."""
    phi = np.deg2rad(np.asarray(latitude, float))
    lam = np.deg2rad((np.asarray(longitude, float) + 180.0) % 360.0 - 180.0)
    scale = _scale()
    return SEMI_MAJOR_AXIS * scale * lam, SEMI_MAJOR_AXIS * _authalic(phi) / (2.0 * scale)


def inverse_projection(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude [degrees] of map coordinates [m] (Snyder 1987, eqs 10-26, 10-27 and 3-18)."""
    scale, e2 = _scale(), ECCENTRICITY**2
    sine = 2.0 * np.asarray(y, float) * scale / (SEMI_MAJOR_AXIS * _authalic(0.5 * np.pi))
    beta = np.arcsin(np.clip(sine, -1.0, 1.0))
    phi = (beta + (e2 / 3.0 + 31.0 * e2**2 / 180.0 + 517.0 * e2**3 / 5040.0) * np.sin(2.0 * beta)
           + (23.0 * e2**2 / 360.0 + 251.0 * e2**3 / 3780.0) * np.sin(4.0 * beta)
           + 761.0 * e2**3 / 45360.0 * np.sin(6.0 * beta))
    return np.rad2deg(phi), np.rad2deg(np.asarray(x, float) / (SEMI_MAJOR_AXIS * scale))


def _authalic(phi: np.ndarray | float) -> np.ndarray:
    """Return q of eq. 3-12, the authalic measure of latitude [1]."""
    sine, e = np.sin(phi), ECCENTRICITY
    return (1.0 - e**2) * (sine / (1.0 - (e * sine) ** 2)
                           - 0.5 / e * np.log((1.0 - e * sine) / (1.0 + e * sine)))


def _scale() -> float:
    """Return k0 of eq. 10-13 at the latitude of true scale [1]."""
    phi = np.deg2rad(TRUE_SCALE)
    return float(np.cos(phi) / np.sqrt(1.0 - (ECCENTRICITY * np.sin(phi)) ** 2))
