"""Conditions at the outside of a distributed subsurface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.core.flow import KIND
from pyland.subsurface.flow_grid import FlowGrid, numbers, spread_cells, whole_number

SIDES = ("west", "east", "south", "north", "bottom", "top")
"""Sides of the domain."""

KINDS = ("no_flow", "head", "hydrostatic", "flux", "free_drainage", "seepage")
"""Kinds of conditions."""

_NEEDS_VALUE = {"head": "the head held at the face [m]", "hydrostatic": "the depth of the water table [m]",
                "flux": "the water let in [m s-1]"}


@dataclass(frozen=True, eq=False)
class Boundary:
    """A condition at a side of the domain, or at a part of it.

    A side is the face of the outermost active cell of each line of cells, as seen from there.

    Parameters
    ----------
    kind : str
        ``no_flow``; ``head``: pressure head held at the face [m]; ``hydrostatic``: depth of a water table below the
        surface [m]; ``flux``: water let in [m s-1]; ``free_drainage``: unit gradient, bottom only; ``seepage``: water
        leaves where the pressure of the cell is positive, not at the bottom.
    value : float or array_like
        For ``head``, ``hydrostatic`` and ``flux``: a number, one per face, ``(layer, y)`` in the west and east,
        ``(layer, x)`` in the south and north, ``(y, x)`` at bottom and top; at the sides one per layer, ``(layer,)``,
        too. Arrays are copied.
    where : array_like of bool, optional
        Faces to which it applies, shaped like ``value``, of those that no condition before it has taken; default: all.

    Raises
    ------
    InputError
        If the kind is unknown, or has no value though it needs one, or a value though it takes none.

    Notes
    -----
    A condition at the top takes the place of rain and ponded water.

    Examples
    --------
    >>> from pyland.subsurface import Boundary
    >>> Boundary("hydrostatic", 2.0).kind
    'hydrostatic'
    """

    kind: str
    value: float | np.ndarray | None = None
    where: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"boundary: expected one of {', '.join(KINDS)}, got {self.kind!r}.")
        if self.value is None and self.kind in _NEEDS_VALUE:
            raise InputError(f"boundary: kind '{self.kind}' needs a value, {_NEEDS_VALUE[self.kind]}.")
        value = numbers(0.0 if self.value is None else self.value, "boundary: value").copy()
        if self.kind not in _NEEDS_VALUE and value.any():
            raise InputError(f"boundary: kind '{self.kind}' takes no value, got {self.value!r:.80}.")
        object.__setattr__(self, "value", value if value.ndim else float(value))
        if self.where is not None:
            where = np.array(self.where)
            if where.dtype != bool:
                raise InputError(f"boundary: where must hold booleans, one per face, got {where.dtype}.")
            object.__setattr__(self, "where", where)


class BoundaryFaces:
    """The faces with a condition that belong to the tile of a rank.

    Parameters
    ----------
    boundaries : Mapping of str to Boundary or sequence of Boundary
        Conditions by side.
    grid : FlowGrid
        Cells and tiles.
    conductivity : tuple of array_like
        Conductivity at saturation in x, y and z [m s-1], each broadcastable to ``(layer, y, x)``.
    slopes : tuple of array_like
        Slopes of the layers in x and y [1], each ``(y, x)``.

    Attributes
    ----------
    side, row, column, layer, kind : numpy.ndarray of int, shape (face,)
        Number of the side, cell in the tile, kind of the core; sorted by row.
    conductance : numpy.ndarray, shape (face,)
        At saturation, on the area of a column [s-1]; for drainage [m s-1].
    lift : numpy.ndarray, shape (face,)
        Elevation of the face above the node [m].
    covered : numpy.ndarray of bool, shape (y, x)
        Columns of the tile whose top has a condition.
    """

    def __init__(
        self, boundaries: Mapping[str, Boundary | Sequence[Boundary]] | None, grid: FlowGrid,
        conductivity: tuple, slopes: tuple,
    ) -> None:
        self._grid = grid
        self._lists: dict[str, list[Boundary]] = {}
        self.covered = np.zeros(grid.tile_shape[1:], bool)
        parts = []
        if not (boundaries is None or isinstance(boundaries, Mapping)):
            raise InputError(f"boundaries: expected a mapping of sides to conditions, got {boundaries!r:.80}.")
        for side, given in (boundaries or {}).items():
            if side not in SIDES:
                raise InputError(f"boundaries: expected sides {', '.join(SIDES)}, got {side!r}.")
            listed = list(given) if isinstance(given, (list, tuple)) else [given]
            for one in listed:
                if not isinstance(one, Boundary):
                    raise InputError(f"boundaries.{side}: expected a Boundary or a list of them, got {one!r:.80}; "
                                     "write Boundary(kind, value).")
            self._lists[side] = listed
            parts += self._take_side(side, conductivity, slopes)
        names = ("side", "index", "row", "column", "layer", "kind", "conductance", "lift", "area_share", "line")
        columns = {name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0) for name in names}
        order = np.argsort(columns["row"], kind="stable")
        for name, values in columns.items():
            kept = values[order]
            setattr(self, name, kept if name in ("conductance", "lift", "area_share") else kept.astype(np.int64))

    def _take_side(self, side: str, conductivity: tuple, slopes: tuple) -> list[dict[str, np.ndarray]]:
        """Return the faces of each condition of a side."""
        layer, row, column = self._grid.outermost(side)
        exists = layer >= 0
        free = exists.copy()
        parts = []
        for index, one in enumerate(self._lists[side]):
            where = f"boundaries.{side}[{index}]"
            if one.kind == "free_drainage" and side != "bottom":
                raise InputError(f"{where}: free_drainage is a condition of the bottom; use seepage or a head.")
            if one.kind == "seepage" and side == "bottom":
                raise InputError(f"{where}: seepage is a condition of sides and top; use free_drainage.")
            self._per_face(side, one.value, where)
            here = free if one.where is None else free & self._per_face(side, one.where, f"{where}.where")
            free = free & ~here
            if side == "top":
                self.covered |= self._in_tile_columns(here)
            if one.kind == "no_flow":
                continue
            k, j, i = layer[here], row[here], column[here]
            mine = self._grid.holds(j, i)
            k, j, i = k[mine], j[mine], i[mine]
            conductance, lift, share = _face_geometry(side, one.kind, self._grid, conductivity, slopes, (k, j, i))
            count = k.size
            number = KIND["head" if one.kind == "hydrostatic" else one.kind]
            parts.append({
                "side": np.full(count, SIDES.index(side)), "index": np.full(count, index),
                "row": j - self._grid.rows.start, "column": i - self._grid.columns.start, "layer": k,
                "kind": np.full(count, number), "conductance": conductance, "lift": lift, "area_share": share,
                "line": np.flatnonzero(here)[mine],
            })
        return parts

    def _in_tile_columns(self, here: np.ndarray) -> np.ndarray:
        return here[self._grid.rows, self._grid.columns]

    def _per_face(self, side: str, value: float | np.ndarray, name: str) -> np.ndarray:
        """Bring a value or a selection to one per line of cells that ends at a side."""
        shape = self._grid.side_shape(side)
        array = np.asarray(value)
        is_side = side not in ("bottom", "top")
        if array.size == 1:
            array = array.reshape(())
        elif array.ndim == 1 and is_side:
            array = array[:, None]
        if array.ndim not in (0, 2) or (array.ndim == 2 and array.shape not in (shape, (shape[0], 1))):
            layers = f"{shape[0]} values (one per layer) or " if is_side else ""
            axes = "(layer, y)" if side in ("west", "east") else "(layer, x)" if is_side else "(y, x)"
            raise InputError(f"{name}: expected a number, {layers}shape {shape} {axes}, got shape {np.shape(value)}.")
        return np.broadcast_to(array, shape)

    def replace(self, side: str, value: float | np.ndarray, index: int) -> None:
        """Give a condition another value."""
        index = whole_number(index, "set_boundary: index", 0)
        if side not in self._lists or index >= len(self._lists[side]):
            there = ", ".join(f"{name}[{i}]" for name, listed in self._lists.items() for i in range(len(listed)))
            raise InputError(f"set_boundary: there is no condition {side}[{index}]; there are: {there or 'none'}.")
        old = self._lists[side][index]
        new = Boundary(old.kind, value, old.where)
        self._per_face(side, new.value, f"set_boundary {side}[{index}]")
        self._lists[side][index] = new

    def values(self) -> np.ndarray:
        """Return what the core wants at each face: heads [m], or inflow on the area of a column [m s-1]."""
        out = np.zeros(self.side.size)
        for side, conditions in self._lists.items():
            for index, one in enumerate(conditions):
                here = (self.side == SIDES.index(side)) & (self.index == index)
                if one.kind not in _NEEDS_VALUE or not here.any():
                    continue
                value = self._per_face(side, one.value, side).ravel()[self.line[here]]
                if one.kind == "flux":
                    value = value * self.area_share[here]
                elif one.kind == "hydrostatic":
                    value = self._grid.face_depth(side)[self.layer[here]] - value
                out[here] = value
        return out

    @property
    def sides(self) -> tuple[str, ...]:
        """Sides with a condition."""
        return tuple(self._lists)


def _face_geometry(
    side: str, kind: str, grid: FlowGrid, conductivity: tuple, slopes: tuple, cells: tuple,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return conductance, lift, and area of the face over that of the column."""
    k, j, i = cells
    dz = grid.thickness[k]
    if side in ("bottom", "top"):
        along = spread_cells(conductivity[2], grid.shape, "saturated_conductivity")[k, j, i]
        conductance = along if kind == "free_drainage" else 2.0 * along / dz
        return conductance, (0.5 if side == "top" else -0.5) * dz, np.ones(k.size)
    in_x = side in ("west", "east")
    size = grid.dx if in_x else grid.dy
    along = spread_cells(conductivity[0 if in_x else 1], grid.shape, "saturated_conductivity")[k, j, i]
    uphill = np.broadcast_to(slopes[0 if in_x else 1], grid.shape[1:])[j, i]
    lift = (0.5 if side in ("east", "north") else -0.5) * size * uphill
    along_layer = 1.0 / np.sqrt(1.0 + uphill**2)  # cosine: gradients run along layers that follow the terrain
    return 2.0 * along * dz / size**2 * along_layer, lift, dz / size
