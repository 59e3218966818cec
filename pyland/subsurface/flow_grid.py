"""Cells of a distributed subsurface and their tiles on ranks."""

from __future__ import annotations

import operator

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator


def numbers(value: object, name: str) -> np.ndarray:
    """Return numbers as an array of float; InputError if they are none, NaN or infinite."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise InputError(f"{name}: expected a number or an array of numbers, got {value!r:.80}.") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name}: holds NaN or infinity; give finite numbers.")
    return array


def number(value: object, name: str) -> float:
    """Return one finite number; InputError if it is none."""
    array = numbers(value, name)
    if array.size != 1:
        raise InputError(f"{name}: expected one number, got shape {array.shape}.")
    return float(array.reshape(()))


def whole_number(value: object, name: str, least: int = 1) -> int:
    """Return a whole number that is not too small; InputError if it is none."""
    try:
        whole = operator.index(value)
    except TypeError:
        whole = None
    if whole is None or whole < least:
        raise InputError(f"{name}: expected a whole number, at least {least}, got {value!r:.80}.")
    return whole


def spread_cells(value: np.ndarray, shape: tuple[int, int, int], name: str) -> np.ndarray:
    """Bring a number, one value per layer, or a field to ``(layer, y, x)`` without a copy.

    Raises
    ------
    InputError
        If it does not fit or is not finite.
    """
    array = numbers(value, name)
    if array.ndim == 1:
        array = array[:, None, None]
    try:
        if array.ndim == 2:  # (layer, column) or (y, x)? A guess would be wrong at times
            raise ValueError
        return np.broadcast_to(array, shape)
    except ValueError:
        raise InputError(
            f"{name}: expected a number, {shape[0]} values (one per layer) or shape {shape} (layer, y, x), "
            f"got shape {np.shape(value)}."
        ) from None


def spread_columns(value: np.ndarray, shape: tuple[int, int], name: str) -> np.ndarray:
    """Bring a number or a field to ``(y, x)`` without a copy; InputError if it does not fit or is not finite."""
    array = numbers(value, name)
    if array.ndim not in (0, 2):
        raise InputError(f"{name}: expected a number or shape {shape} (y, x), got shape {array.shape}.")
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise InputError(f"{name}: expected a number or shape {shape} (y, x), got shape {array.shape}.") from None


class FlowGrid:
    """A box of cells, those of it that are active, and the rectangle of columns of this rank.

    Parameters
    ----------
    thickness : array_like, shape (layer,)
        From the top [m].
    nx, ny : int
        Cells from west to east and from south to north.
    dx, dy : float
        Their size [m].
    active : array_like of bool, optional
        Cells that exist, ``(y, x)`` or ``(layer, y, x)``.
    comm : Communicator
        Ranks.

    Attributes
    ----------
    shape : tuple of int
        ``(layer, y, x)`` of the whole box; ``tile_shape`` that of this rank.
    rows, columns : slice
        Of this rank.
    active : numpy.ndarray of bool, shape (layer, y, x)
        Of the whole box.
    neighbours : tuple of int
        Ranks in the west, east, south and north; -1 for none.
    """

    def __init__(
        self, thickness: np.ndarray, nx: int, ny: int, dx: float, dy: float, active: np.ndarray | None,
        comm: Communicator,
    ) -> None:
        self.thickness = numbers(thickness, "thickness").copy()
        if self.thickness.ndim != 1 or self.thickness.size < 1:
            raise InputError(f"thickness: expected shape (layer,), got {self.thickness.shape}.")
        if not (self.thickness > 0.0).all():
            raise InputError(f"thickness: every layer must be thicker than 0 m, got {self.thickness.min():g} m.")
        self.shape = (self.thickness.size, whole_number(ny, "ny"), whole_number(nx, "nx"))
        self.dx, self.dy = number(dx, "dx"), number(dy, "dy")
        if self.dx <= 0.0 or self.dy <= 0.0:
            raise InputError(f"dx and dy must be positive [m], got {self.dx:g} and {self.dy:g}.")
        self.active = self._active(active)
        self._place(comm)

    def _active(self, active: np.ndarray | None) -> np.ndarray:
        if active is None:
            return np.broadcast_to(np.True_, self.shape)
        array = np.asarray(active)
        if array.dtype != bool or array.shape not in (self.shape, self.shape[1:]):
            raise InputError(
                f"active: expected booleans of shape {self.shape[1:]} (y, x) or {self.shape} (layer, y, x), got "
                f"{array.dtype} of shape {array.shape}."
            )
        if not array.any():
            raise InputError("active: no cell is active.")
        return np.broadcast_to(array, self.shape)

    def _place(self, comm: Communicator) -> None:
        """Choose tiles with the shortest rims and find that of this rank."""
        _, ny, nx = self.shape
        fitting = [(px, comm.size // px) for px in range(1, comm.size + 1)
                   if comm.size % px == 0 and px <= nx and comm.size // px <= ny]
        if not fitting:
            raise InputError(
                f"{comm.size} ranks cannot share {nx} x {ny} columns as rectangles; use fewer ranks, or a number with "
                "more divisors."
            )
        px, py = min(fitting, key=lambda one: ((one[0] - 1) * ny + (one[1] - 1) * nx, one[0]))
        ix, iy = comm.rank % px, comm.rank // px
        self.tiles = (px, py)
        self.columns = _share(nx, px, ix)
        self.rows = _share(ny, py, iy)
        self.neighbours = (
            comm.rank - 1 if ix > 0 else -1, comm.rank + 1 if ix < px - 1 else -1,
            comm.rank - px if iy > 0 else -1, comm.rank + px if iy < py - 1 else -1,
        )
        self.tile_shape = (self.shape[0], self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)
        self._row_index = np.arange(self.rows.start - 1, self.rows.stop + 1)
        self._column_index = np.arange(self.columns.start - 1, self.columns.stop + 1)

    @property
    def depth(self) -> np.ndarray:
        """Depth of the nodes below the surface, (layer,) [m]."""
        return np.cumsum(self.thickness) - 0.5 * self.thickness

    def face_depth(self, side: str) -> np.ndarray:
        """Depth of the faces at a side below the surface, by layer [m]."""
        if side == "bottom":
            return np.cumsum(self.thickness)
        return self.depth - 0.5 * self.thickness if side == "top" else self.depth

    def side_shape(self, side: str) -> tuple[int, int]:
        """Return the shape of a field over a side."""
        nz, ny, nx = self.shape
        return (ny, nx) if side in ("bottom", "top") else (nz, ny if side in ("west", "east") else nx)

    def outermost(self, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return layer, row and column of the active cell nearest to a side, per line; layer -1 where there is none."""
        axis = {"west": 2, "east": 2, "south": 1, "north": 1, "bottom": 0, "top": 0}[side]
        seen = np.flip(self.active, axis) if side in ("east", "north", "bottom") else self.active
        place = np.argmax(seen, axis)
        if side in ("east", "north", "bottom"):
            place = self.shape[axis] - 1 - place
        found = seen.any(axis)
        if side == "top": # only the top layer has a surface
            found &= place == 0
        index = list(np.indices(place.shape))
        index.insert(axis, place)
        return np.where(found, index[0], -1), index[1], index[2]

    def holds(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Whether columns belong to this rank."""
        return ((row >= self.rows.start) & (row < self.rows.stop)
                & (column >= self.columns.start) & (column < self.columns.stop))

    def local_forcing(self, value: np.ndarray | float, members: int, name: str, *, layered: bool) -> np.ndarray:
        """Bring what comes in to all cells or columns of the tile: ``(member, [layer,] y, x)``, without a copy.

        Parameters
        ----------
        value : array_like
            A number; ``(y, x)`` or, ``layered``, ``(layer,)`` or ``(layer, y, x)``, of the whole domain or of the tile;
            or each but a number with a member axis before.
        members : int
            States.
        name : str
            For messages.
        layered : bool
            Whether cells have a value each, not columns.

        Raises
        ------
        InputError
            If it does not fit or is not finite.
        """
        array = numbers(value, name)
        tile = self.tile_shape if layered else self.tile_shape[1:]
        whole = self.shape if layered else self.shape[1:]
        given = array.shape
        if array.size == 1:
            array = array.reshape(())
        elif layered and array.ndim <= 2:
            array = array[..., None, None] if array.shape[-1] == tile[0] else None
        elif array.shape[-len(whole):] == whole:
            array = array[..., *((slice(None),) if layered else ()), self.rows, self.columns]
        elif array.shape[-len(tile):] != tile:
            array = None
        if array is None or array.ndim > len(tile) + 1 or (array.ndim > len(tile) and len(array) not in (1, members)):
            shapes = f"({whole[0]},) or {whole} (layer, y, x)" if layered else f"{whole} (y, x)"
            before = f", or with {members} members before" if members > 1 else ""
            raise InputError(f"{name}: expected a number or shape {shapes}{before}, got shape {given}.")
        return np.broadcast_to(array, (members, *tile))

    def cells_with_rim(self, field: np.ndarray) -> np.ndarray:
        """Cut the tile and its rim of one column out of (layer, y, x), as (y, layer, x); the domain's edge repeats."""
        _, ny, nx = self.shape
        rows, columns = np.clip(self._row_index, 0, ny - 1), np.clip(self._column_index, 0, nx - 1)
        return np.ascontiguousarray(field[:, rows][:, :, columns].transpose(1, 0, 2))

    def face_factors(self, value: np.ndarray | float | None, name: str) -> np.ndarray:
        """Spread factors of faces [1] to the tile and its rim, (y, layer, x); None: 1."""
        field = spread_cells(1.0 if value is None else value, self.shape, name)
        if field.min() < 0.0:
            raise InputError(f"{name}: factors of faces must not be negative, got {field.min():g}.")
        return self.cells_with_rim(field)

    def columns_with_rim(self, field: np.ndarray) -> np.ndarray:
        """Cut the tile and its rim out of (y, x)."""
        return self.cells_with_rim(field[None])[:, 0]

    @property
    def exists_with_rim(self) -> np.ndarray:
        """Cells that exist in tile and rim, (y, layer, x)."""
        _, ny, nx = self.shape
        inside_y = (self._row_index >= 0) & (self._row_index < ny)
        inside_x = (self._column_index >= 0) & (self._column_index < nx)
        return self.cells_with_rim(self.active) & inside_y[:, None, None] & inside_x


def _share(count: int, parts: int, index: int) -> slice:
    """Share of one of `parts` of `count`; shares differ by one at most."""
    base, extra = divmod(count, parts)
    start = index * base + min(index, extra)
    return slice(start, start + base + (index < extra))
