"""Grid and geometries of a ParFlow run: layers, regions of cells, and patches of the surface.

All arrays here have layer 0 at the top and are (layer, y, x). Lengths are in the unit of the definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.domain.pfb import read_pfb
from pyland.subsurface.parflow_keys import RunKeys
from pyland.subsurface.parflow_solid import SolidFile

SIDES = ("west", "east", "south", "north", "bottom", "top")
"""Sides of a box in the order in which ParFlow names its patches: lower and upper x, y, z."""


@dataclass(frozen=True)
class RunGrid:
    """Cells of a run.

    Attributes
    ----------
    shape : tuple of int
        Cells (layer, y, x).
    lower : tuple of float
        Lower corner x, y, z.
    spacing : tuple of float
        Size of a cell dx, dy, dz; dz before the layers are scaled.
    full_shape : tuple of int
        Cells (layer, y, x) of ParFlow's grid, which may be larger than the domain.
    window : tuple of slice
        The cells of this grid in that one (layer from the top, y, x).
    """

    shape: tuple[int, int, int]
    lower: tuple[float, float, float]
    spacing: tuple[float, float, float]
    full_shape: tuple[int, int, int]
    window: tuple[slice, slice, slice]

    @property
    def x(self) -> np.ndarray:
        """Centres along x."""
        return self.lower[0] + self.spacing[0] * (np.arange(self.shape[2]) + 0.5)

    @property
    def y(self) -> np.ndarray:
        """Centres along y."""
        return self.lower[1] + self.spacing[1] * (np.arange(self.shape[1]) + 0.5)

    @property
    def z(self) -> np.ndarray:
        """Centres of layers of equal thickness, from the top down: the space in which ParFlow's geometries lie."""
        return self.lower[2] + self.spacing[2] * (np.arange(self.shape[0])[::-1] + 0.5)

    def around(self, mask: np.ndarray) -> RunGrid:
        """Return the smallest grid that holds some cells: what lies beyond the domain does not exist in ParFlow."""
        bounds = []
        for axis in range(3):
            places = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
            bounds.append((int(places[0]), int(places[-1]) + 1))
        (first, last), rows, columns = bounds
        below = (columns[0], rows[0], self.shape[0] - last)
        return RunGrid(
            shape=(last - first, rows[1] - rows[0], columns[1] - columns[0]),
            lower=tuple(low + size * count for low, size, count in zip(self.lower, self.spacing, below, strict=True)),
            spacing=self.spacing,
            full_shape=self.full_shape,
            window=tuple(slice(*pair) for pair in bounds),
        )

    def face_shape(self, side: str) -> tuple[int, int]:
        """Return the shape of a side: (layer, y), (layer, x) or (y, x)."""
        layers, rows, columns = self.shape
        return {"w": (layers, rows), "e": (layers, rows), "s": (layers, columns), "n": (layers, columns)}.get(
            side[0], (rows, columns)
        )

    def at_face(self, field: np.ndarray, side: str) -> np.ndarray:
        """Return the values of a field (layer, y, x) in the cells along a side."""
        return {
            "west": field[:, :, 0],
            "east": field[:, :, -1],
            "south": field[:, 0, :],
            "north": field[:, -1, :],
            "bottom": field[-1],
            "top": field[0],
        }[side]


@dataclass(frozen=True)
class Elevation:
    """Real heights of the layers, from the top down.

    Attributes
    ----------
    thickness : numpy.ndarray, shape (layer,)
        Thickness.
    centre : numpy.ndarray, shape (layer,)
        Height of the centres.
    top : numpy.ndarray, shape (layer,)
        Height of the upper faces.
    """

    thickness: np.ndarray
    centre: np.ndarray
    top: np.ndarray

    @property
    def bottom(self) -> np.ndarray:
        """Height of the lower faces, shape (layer,)."""
        return self.top - self.thickness

    def part(self, layers: slice) -> Elevation:
        """Return the heights of some layers."""
        return Elevation(self.thickness[layers], self.centre[layers], self.top[layers])


def read_grid(keys: RunKeys) -> RunGrid:
    """Read ``ComputationalGrid``; InputError if a key is missing or a size is not positive."""
    cells = [keys.integer(f"ComputationalGrid.N{axis}") for axis in "XYZ"]
    spacing = [keys.number(f"ComputationalGrid.D{axis}") for axis in "XYZ"]
    lower = [keys.number(f"ComputationalGrid.Lower.{axis}", 0.0) for axis in "XYZ"]
    if min(cells) < 1 or min(spacing) <= 0.0:
        raise InputError(f"{keys.source}: ComputationalGrid: expected positive NX ... DZ, got {cells} and {spacing}.")
    shape = tuple(cells[::-1])
    return RunGrid(shape, tuple(lower), tuple(spacing), shape, (slice(None),) * 3)


class RunGeometry:
    """Regions of cells by name.

    Parameters
    ----------
    keys : RunKeys
        The definition.
    grid : RunGrid
        Its cells.

    Raises
    ------
    InputError
        If a geometry is of a type that pyland cannot read, or two have one name.
    """

    def __init__(self, keys: RunKeys, grid: RunGrid) -> None:
        self.keys = keys
        self.grid = grid
        self._inputs: dict[str, tuple[str, str]] = {}
        self._indicators: dict[str, np.ndarray] = {}
        self._solids: dict[str, SolidFile] = {}
        for name in keys.names("GeomInput.Names"):
            kind = keys.choice(f"GeomInput.{name}.InputType", ("Box", "IndicatorField", "SolidFile"))
            for solid in keys.names(f"GeomInput.{name}.GeomName") or keys.names(f"GeomInput.{name}.GeomNames"):
                if solid in self._inputs:
                    raise InputError(f"{keys.source}: GeomInput: two inputs give a geometry '{solid}'.")
                self._inputs[solid] = (kind, name)

    def mask(self, name: str) -> np.ndarray:
        """Return the cells (layer, y, x) of a geometry; InputError if the definition has none of that name."""
        kind, source = self._input(name)
        grid, keys = self.grid, self.keys
        if kind == "IndicatorField":
            return self._indicator(source) == keys.integer(f"GeomInput.{name}.Value")
        if kind == "SolidFile":
            file = self._solid(source)
            return file.cells(self._solid_number(source, name), grid.x, grid.y, grid.z)
        inside = []
        for axis, centres in zip("ZYX", (grid.z, grid.y, grid.x), strict=True):
            low, high = (keys.number(f"Geom.{name}.{end}.{axis}") for end in ("Lower", "Upper"))
            inside.append((centres >= low) & (centres <= high))
        return inside[0][:, None, None] & inside[1][:, None] & inside[2]

    def patches(self, name: str) -> dict[str, list[tuple[str, np.ndarray | None]]]:
        """Return where the patches of a geometry lie on the rim of the grid.

        Returns
        -------
        dict
            By patch: sides, each with the cells of the side that belong to it (None: all that the geometry has).
            The side ``inside`` stands for faces within the grid, between cells that exist and cells that do not.
        """
        kind, source = self._input(name)
        names = self.keys.names(f"Geom.{name}.Patches")
        if kind == "SolidFile":
            faces = self._solid(source).faces(self._solid_number(source, name), self.grid)
            if len(names) != len(faces):
                raise InputError(
                    f"{self.keys.source}: Geom.{name}.Patches: the solid file has {len(faces)} patches, got {names}."
                )
            return dict(zip(names, faces, strict=True))
        if kind != "Box" or len(names) != len(SIDES):
            raise InputError(
                f"{self.keys.source}: Geom.{name}.Patches: expected the six patches of a box (lower and upper x, y, "
                f"z), got {names} of a geometry of type {kind}."
            )
        mask = self.mask(name)
        places = {}
        for patch, side in zip(names, SIDES, strict=True):
            if self._reaches_beyond(name, side):
                if side == "top":
                    raise InputError(
                        f"{self.keys.source}: Geom.{name}.Upper.Z: the domain reaches beyond the grid; expected a "
                        "surface at its upper end."
                    )
                self.keys.note(
                    f"Geom.{name} reaches beyond the grid in the {side}: its patch '{patch}' lies outside and has no "
                    "effect; the rim of the grid is closed, as in ParFlow."
                )
                places[patch] = []
                continue
            at_rim = self.grid.at_face(mask, side).any()
            places[patch] = [(side if at_rim else "inside", None)]
        return places

    def _reaches_beyond(self, name: str, side: str) -> bool:
        """Tell whether a box holds the centre of the cell beyond a side of the grid."""
        number, is_upper = divmod(SIDES.index(side), 2)
        axis, low, size = "XYZ"[number], self.grid.lower[number], self.grid.spacing[number]
        if not is_upper:
            return self.keys.number(f"Geom.{name}.Lower.{axis}") <= low - 0.5 * size
        return self.keys.number(f"Geom.{name}.Upper.{axis}") >= low + size * (self.grid.shape[2 - number] + 0.5)

    def overlay(self, names: list[str], values: list, what: str) -> np.ndarray:
        """Lay values over each other, later ones on top, as ParFlow does.

        Parameters
        ----------
        names : list of str
            Geometries.
        values : list
            A number or an array (layer, y, x) for each.
        what : str
            The key that lists the names, for messages.

        Returns
        -------
        numpy.ndarray, shape (layer, y, x)
            Values; NaN in cells of none of the geometries.
        """
        if not names:
            raise InputError(f"{self.keys.source}: the key {what} is missing or empty; it names the geometries.")
        field = np.full(self.grid.shape, np.nan)
        for name, value in zip(names, values, strict=True):
            np.copyto(field, value, where=self.mask(name))
        return field

    def field_file(self, *keys: str, layers: int | None = None) -> np.ndarray:
        """Read the PFB file that a key names, (layer, y, x) from the top down; InputError if it has another shape.

        With ``layers``, it has so many instead of those of the grid.
        """
        file = self.keys.file(*keys)
        if file.suffix.lower() != ".pfb":
            raise InputError(f"{self.keys.source}: {keys[0]}: expected a .pfb file, got {file.name}.")
        values = read_pfb(file, flip=True)
        whole, window = self.grid.full_shape, self.grid.window
        expected = (layers or whole[0], *whole[1:])
        if values.shape != expected:
            raise InputError(
                f"{file}: expected {expected[0]} x {expected[1]} x {expected[2]} cells (layers, y, x) for {keys[0]}, "
                f"got {' x '.join(map(str, values.shape))}."
            )
        return values[(slice(None) if layers else window[0], *window[1:])]

    def reference(self, geometry: str, patch: str, elevation: Elevation) -> np.ndarray:
        """Return the height (y, x) of the upper or lower patch of a geometry; NaN where it has no cells."""
        sides = {side for side, _ in self.patches(geometry).get(patch, [])}
        kind, _ = self._input(geometry)
        names = self.keys.names(f"Geom.{geometry}.Patches")
        if kind == "Box" and patch in names:
            sides = {SIDES[names.index(patch)]}
        if sides not in ({"top"}, {"bottom"}):
            raise InputError(
                f"{self.keys.source}: the reference patch '{patch}' of geometry '{geometry}': expected its upper or "
                f"lower patch, got {' and '.join(sorted(sides)) or 'none of that name'}."
            )
        mask = self.mask(geometry)
        heights = elevation.top if sides == {"top"} else elevation.bottom
        order = np.where(mask, heights[:, None, None], -np.inf if sides == {"top"} else np.inf)
        found = order.max(axis=0) if sides == {"top"} else order.min(axis=0)
        return np.where(np.isfinite(found), found, np.nan)

    def elevation(self) -> Elevation:
        """Return the real heights of the layers, scaled by ``dzScale`` where it is on."""
        scale = self._layer_scale() if self.keys.flag("Solver.Nonlinear.VariableDz") else np.ones(self.grid.shape[0])
        if not (np.isfinite(scale).all() and (scale > 0.0).all()):
            raise InputError(
                f"{self.keys.source}: dzScale: expected positive numbers, got {scale.tolist()} from the top."
            )
        thickness = self.grid.spacing[2] * scale
        top = self.grid.lower[2] + np.cumsum(thickness[::-1])[::-1]
        return Elevation(thickness, top - 0.5 * thickness, top)

    def _layer_scale(self) -> np.ndarray:
        """Return factors on dz, from the top down."""
        keys, layers = self.keys, self.grid.shape[0]
        kind = keys.choice("dzScale.Type", ("nzList", "Constant", "PFBFile"))
        names = keys.names("dzScale.GeomNames")
        if kind == "nzList":
            if keys.integer("dzScale.nzListNumber", layers) != layers:
                raise keys.wrong("dzScale.nzListNumber", f"the number of layers, {layers}")
            return np.array([keys.number(f"Cell.{layer}.dzScale.Value") for layer in reversed(range(layers))])
        if kind == "Constant":
            field = self.overlay(
                names, [keys.number(f"Geom.{name}.dzScale.Value") for name in names], "dzScale.GeomNames"
            )
        else:
            field = self.field_file(f"Geom.{names[0] if names else 'domain'}.dzScale.FileName")
        field = field.reshape(layers, -1)
        scale = np.nanmean(field, axis=1)
        if not (np.isnan(field) | (np.abs(field - scale[:, None]) <= np.spacing(scale)[:, None])).all():
            raise InputError(
                f"{keys.source}: dzScale: the thickness of a layer must be the same everywhere in it; pyland has no "
                "layers that change their thickness from cell to cell."
            )
        return scale

    def _input(self, name: str) -> tuple[str, str]:
        if name not in self._inputs:
            raise InputError(
                f"{self.keys.source}: there is no geometry '{name}'; GeomInput has {', '.join(self._inputs) or 'none'}."
            )
        return self._inputs[name]

    def _indicator(self, source: str) -> np.ndarray:
        if source not in self._indicators:
            field = self.field_file(f"Geom.{source}.FileName", f"GeomInput.{source}.FileName")
            self._indicators[source] = np.rint(field)
        return self._indicators[source]

    def _solid(self, source: str) -> SolidFile:
        if source not in self._solids:
            file: Path = self.keys.file(f"GeomInput.{source}.FileName")
            self._solids[source] = SolidFile(file)
        return self._solids[source]

    def _solid_number(self, source: str, name: str) -> int:
        names = self.keys.names(f"GeomInput.{source}.GeomNames") or self.keys.names(f"GeomInput.{source}.GeomName")
        return names.index(name)
