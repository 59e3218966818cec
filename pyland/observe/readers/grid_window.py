"""The part of a regular grid that lies in a box, so that only that part of a file is read."""

from __future__ import annotations

import numpy as np

from pyland.observe.readers.opened_file import OpenedFile
from pyland.observe.readers.selection import Selection


class GridWindow:
    """Rows and columns of a grid with one latitude per row and one longitude per column.

    Parameters
    ----------
    latitude : ndarray, shape (row,)
        Latitudes of the rows [degrees].
    longitude : ndarray, shape (column,)
        Longitudes of the columns [degrees].
    selection : Selection
        The box.

    Attributes
    ----------
    rows, columns : ndarray of int
        Those in the box.
    whole : tuple of int
        Rows and columns of the grid.
    """

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray, selection: Selection) -> None:
        self.rows = np.flatnonzero(selection.in_latitudes(latitude))
        self.columns = np.flatnonzero(selection.in_longitudes(longitude))
        self._latitude, self._longitude, self._width = latitude, longitude, longitude.size
        self.whole = latitude.size, longitude.size

    @property
    def size(self) -> int:
        """Cells in the box."""
        return self.rows.size * self.columns.size

    @property
    def outside(self) -> int:
        """Cells outside the box."""
        return self.whole[0] * self.whole[1] - self.size

    def values(self, file: OpenedFile, name: str, *, is_transposed: bool = False, before: tuple[int, ...] = (),
               missing: tuple[float, ...] = (), chosen: np.ndarray | None = None) -> np.ndarray:
        """Return decoded numbers of the cells in the box, shape (cell,), or of some of them by their index.

        Parameters
        ----------
        file : OpenedFile
            The file.
        name : str
            Variable with rows and columns as its last dimensions.
        is_transposed : bool
            Columns come before rows.
        before : tuple of int
            Place in leading dimensions.
        missing : tuple of float
            See `OpenedFile.numbers`.
        chosen : ndarray of int, optional
            Index of the cells to decode.
        """
        raw = self.raw(file, name, is_transposed=is_transposed, before=before)
        return file.decoded(name, raw if chosen is None else raw[chosen], missing)

    def raw(self, file: OpenedFile, name: str, *, is_transposed: bool = False,
            before: tuple[int, ...] = ()) -> np.ndarray:
        """Return the numbers as they stand in the file, shape (cell,)."""
        if self.size == 0:
            return np.zeros(0, file.variable(name).dtype)
        down, across = (slice(int(one[0]), int(one[-1]) + 1) for one in (self.rows, self.columns))
        part = file.raw(name, (*before, across, down) if is_transposed else (*before, down, across))
        part = part.T if is_transposed else part
        if part.shape[1] != self.columns.size:  # a box over the date line leaves a gap
            part = part[:, self.columns - self.columns[0]]
        return np.ascontiguousarray(part).ravel()

    def places(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return latitude, longitude [degrees] and index in the whole grid of some cells of the box, by their index."""
        row, column = (one[part] for one, part in zip((self.rows, self.columns),
                                                       np.divmod(chosen, max(self.columns.size, 1)), strict=True))
        return self._latitude[row], self._longitude[column], row * self._width + column
