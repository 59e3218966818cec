"""An ensemble in netCDF files, one for all members or one per member, as the state vector of an offline analysis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import one_of, suggestion

DERIVED = "analysis_role"
"""Attribute of what an analysis adds to a file; the next analysis leaves it out."""

_LATITUDE, _LONGITUDE = ("lat", "latitude"), ("lon", "longitude")
_X, _Y = ("x", "projection_x_coordinate"), ("y", "projection_y_coordinate")


@dataclass(frozen=True, eq=False)
class HorizontalGrid:
    """Places of the cells of all variables.

    Attributes
    ----------
    dims : tuple of str
        Horizontal dimensions, in the order of the file.
    shape : tuple of int
        Their sizes.
    metric : str
        ``haversine`` for latitude and longitude [degrees], ``euclidean`` for x and y.
    axes : tuple of numpy.ndarray or None
        Coordinates along each dimension where the grid is the product of axes, in the order (y, x).
    swapped : bool
        Whether the dimension of x comes first in the file.
    places : numpy.ndarray
        (latitude, longitude) or (y, x) of each cell in the order of the file, shape ``(cell, 2)``.
    names : tuple of str
        Names of the coordinate variables (y, x).
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    metric: str
    axes: tuple[np.ndarray, np.ndarray] | None
    swapped: bool
    places: np.ndarray
    names: tuple[str, str]

    @property
    def ncell(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, eq=False)
class StateVariable:
    """One variable of the state.

    Attributes
    ----------
    name : str
        Name in the file.
    dims : tuple of str
        Dimensions in the file without that of members.
    shape : tuple of int
        Their sizes.
    valid : numpy.ndarray of bool
        Elements that are not missing, shape ``(level * cell,)``: other dimensions in the order of the file, cells
        fastest.
    start : int
        First element in the state vector; only valid elements are there.
    other : tuple of str
        Dimensions that are not horizontal.
    units : str
        Unit, "" if the file does not say.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    valid: np.ndarray
    start: int
    other: tuple[str, ...]
    units: str = ""

    @property
    def size(self) -> int:
        """Number of elements in the state."""
        return int(np.count_nonzero(self.valid))

    @property
    def columns(self) -> np.ndarray:
        """State element of each (level, cell), -1 where missing, shape ``(level * cell,)``."""
        return np.where(self.valid, self.start + np.cumsum(self.valid) - 1, -1)


@dataclass(eq=False)
class OfflineEnsemble:
    """State vector and description of an ensemble in files.

    Attributes
    ----------
    files : tuple of Path
        The file of all members, or one file per member in the order of the numbers in their names.
    member_dimension : str
        Name of the dimension of members.
    grid : HorizontalGrid
        Places of the cells.
    variables : tuple of StateVariable
        What is in the state, in order.
    state : numpy.ndarray
        Ensemble, shape ``(member, state)``.
    """

    files: tuple[Path, ...]
    member_dimension: str
    grid: HorizontalGrid
    variables: tuple[StateVariable, ...]
    state: np.ndarray
    _depth_bounds: dict[str, np.ndarray | str] = field(default_factory=dict)

    @property
    def nmember(self) -> int:
        """Number of members."""
        return len(self.state)

    def variable(self, name: str) -> StateVariable:
        """Return a variable of the state by name."""
        for one in self.variables:
            if one.name == name:
                return one
        names = [one.name for one in self.variables]
        raise InputError(f"'{name}' is not a variable of the state ({', '.join(names)}){suggestion(name, names)}")

    def vertical(self, one: StateVariable) -> str | None:
        """Return the dimension of a variable beyond the horizontal that has more than one element; None without.

        Raises
        ------
        InputError
            If there are several, for instance layers and times.
        """
        sizes = dict(zip(one.dims, one.shape, strict=True))
        longer = [name for name in one.other if sizes[name] > 1]
        if len(longer) > 1:
            raise InputError(
                f"{self.files[0]}: '{one.name}' has the dimensions {', '.join(longer)} beside members and grid; an "
                "observation can see one vertical dimension, so that times must be in files of their own"
            )
        return longer[0] if longer else None

    def depth_bounds(self, dimension: str) -> np.ndarray:
        """Return the depths of the bounds of the layers along a dimension [m], shape (layer + 1,), downwards.

        Raises
        ------
        InputError
            If the file does not tell them.
        """
        found = self._depth_bounds[dimension]
        if isinstance(found, str):
            raise InputError(found)
        return found

    def member_values(self, one: StateVariable, state: np.ndarray) -> np.ndarray:
        """Return a variable of state vectors (..., state) as in the file, (..., *shape), NaN where missing."""
        full = np.full((*state.shape[:-1], one.valid.size), np.nan)
        full[..., one.valid] = state[..., one.start : one.start + one.size]
        sizes = dict(zip(one.dims, one.shape, strict=True))
        ordered = (*one.other, *self.grid.dims)
        full = full.reshape(*state.shape[:-1], *(sizes[name] for name in ordered))
        lead = state.ndim - 1
        return full.transpose(*range(lead), *(lead + ordered.index(name) for name in one.dims))


def read_ensemble(
    sources: Sequence[str | Path], *, member: str = "member", variables: Sequence[str] | None = None
) -> OfflineEnsemble:
    """Read an ensemble.

    Parameters
    ----------
    sources : sequence of str or Path
        One file with a dimension of members, or one file per member without; names or patterns such as ``ens_*.nc``.
    member : str
        Name of the dimension of members.
    variables : sequence of str, optional
        What is updated; default all floating-point variables with members on the grid.

    Raises
    ------
    InputError
        If a file is missing or of another kind, coordinates are missing, or members have different gaps.
    """
    files = member_files(sources)
    with _opened(files[0]) as first:
        if first.groups:
            raise InputError(f"{files[0]}: expected variables without groups, got the groups {', '.join(first.groups)}")
        in_one = member in first.dimensions
        if in_one and len(files) > 1:
            raise InputError(
                f"{files[0]}: expected one member per file, as there are {len(files)} files, got a dimension '{member}'"
            )
        if not in_one and len(files) == 1:
            raise InputError(
                f"{files[0]}: expected a dimension '{member}', got {', '.join(first.dimensions) or 'none'}; name it "
                "with `member` of analysis.yaml, or give one file per member"
            )
        grid = _grid(first, files[0])
        names = _state_names(first, files[0], grid, member if in_one else None, variables)
        bounds = {
            name: _depth_bounds(first, files[0], name) for name in first.dimensions if name not in (member, *grid.dims)
        }
        about = {name: (tuple(d for d in first[name].dimensions if d != member)) for name in names}
        units = {name: str(getattr(first[name], "units", "")) for name in names}
        arrays = {name: _members_first(first[name], member) for name in names} if in_one else {}
    if not in_one:
        arrays = _from_member_files(files, names, grid)
    chosen, parts, start = [], [], 0
    for name in names:
        dims = about[name]
        sizes = dict(zip(dims, arrays[name].shape[1:], strict=True))
        other = tuple(one for one in dims if one not in grid.dims)
        order = [1 + dims.index(one) for one in (*other, *grid.dims)]
        flat = arrays.pop(name).transpose(0, *order).reshape(-1, int(np.prod([sizes[one] for one in dims])))
        finite = np.isfinite(flat)
        valid = finite.all(axis=0)
        if (finite.any(axis=0) != valid).any():
            element = int(np.argmax(finite.any(axis=0) != valid))
            lacks = int(np.argmin(finite[:, element]))
            if np.isinf(flat[lacks, element]):
                raise InputError(
                    f"{files[0 if in_one else lacks]}: '{name}' is infinite in member {lacks + 1} (element {element} "
                    f"of {valid.size}); a state must be finite: did the member fail?"
                )
            raise InputError(
                f"{files[0 if in_one else lacks]}: '{name}' is missing in member {lacks + 1} where others have it "
                f"(element {element} of {valid.size}); members must have the same gaps: did it fail?"
            )
        if not valid.any():
            raise InputError(f"{files[0]}: '{name}' has no value at all")
        chosen.append(StateVariable(name, dims, tuple(sizes[one] for one in dims), valid, start, other, units[name]))
        parts.append(flat[:, valid])
        start += chosen[-1].size
    return OfflineEnsemble(files, member, grid, tuple(chosen), np.concatenate(parts, axis=1), bounds)


def member_files(sources: Sequence[str | Path]) -> tuple[Path, ...]:
    """Return the files that names and patterns stand for, in the order of the numbers in their names."""
    found: list[Path] = []
    for source in sources:
        text = str(source)
        matches = [Path(text)] if Path(text).is_file() else list(Path(text).parent.glob(Path(text).name))
        if not matches:
            raise InputError(f"{text}: there is no such file")
        found += matches
    unique = list(dict.fromkeys(found))
    return tuple(sorted(unique, key=_number_order))


def _number_order(path: Path) -> list[Any]:
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), part) if k % 2 else (0, part) for k, part in enumerate(parts)]


def _opened(path: Path) -> netCDF4.Dataset:
    try:
        return netCDF4.Dataset(path)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read as netCDF ({error})") from None


def _from_member_files(files: tuple[Path, ...], names: list[str], grid: HorizontalGrid) -> dict[str, np.ndarray]:
    """Read the variables (member, ...) of files with one member each, on one grid."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        with _opened(path) as file:
            lacking = [name for name in names if name not in file.variables]
            if lacking:
                raise InputError(f"{path}: expected the variable '{lacking[0]}', as in {files[0]}")
            other = _grid(file, path)
            if other.dims != grid.dims or not np.array_equal(other.places, grid.places):
                raise InputError(f"{path}: expected the coordinates of {files[0]}, got others")
            for name in names:
                values = _floats(file[name])
                if shapes.setdefault(name, values.shape) != values.shape:
                    raise InputError(f"{path}: expected '{name}' of shape {shapes[name]}, got {values.shape}")
                parts[name].append(values)
    return {name: np.stack(members) for name, members in parts.items()}


def _members_first(variable: netCDF4.Variable, member: str) -> np.ndarray:
    return np.moveaxis(_floats(variable), variable.dimensions.index(member), 0)


def _floats(variable: netCDF4.Variable) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(variable[:], dtype=np.float64), np.nan)


def _state_names(
    file: netCDF4.Dataset, path: Path, grid: HorizontalGrid, member: str | None, wanted: Sequence[str] | None
) -> list[str]:
    """Return the variables of the state."""
    needed = {*grid.dims} | ({member} if member else set())
    fitting = [
        name for name, one in file.variables.items()
        if needed <= set(one.dimensions) and name not in grid.names and name not in file.dimensions
        and (np.dtype(one.dtype).kind == "f" or "scale_factor" in one.ncattrs()) and DERIVED not in one.ncattrs()
    ]  # fmt: skip
    if wanted is None:
        if not fitting:
            raise InputError(
                f"{path}: expected a floating-point variable with the dimensions {', '.join(sorted(needed))}; got "
                f"{', '.join(file.variables)}"
            )
        return fitting
    for name in wanted:
        if name not in file.variables:
            raise InputError(f"{path}: there is no variable '{name}'{suggestion(name, file.variables)}")
        if name not in fitting:
            raise InputError(
                f"{path}: '{name}' with the dimensions {file[name].dimensions} cannot be updated; expected a "
                f"floating-point variable with {', '.join(sorted(needed))}"
            )
    return list(dict.fromkeys(wanted))


def _grid(file: netCDF4.Dataset, path: Path) -> HorizontalGrid:
    """Find the coordinates of the cells."""
    found = [
        (metric, _coordinate(file, first), _coordinate(file, second))
        for metric, first, second in (("haversine", _LATITUDE, _LONGITUDE), ("euclidean", _Y, _X))
    ]
    metric, y, x = next((one for one in found if one[1] is not None and one[2] is not None), ("", None, None))
    if y is None or x is None:
        raise InputError(
            f"{path}: expected coordinate variables lat and lon, or x and y, got {one_of(file.variables) or 'none'}; "
            "an analysis must know where its cells are"
        )
    values = [_floats(one) for one in (y, x)]
    names = (y.name, x.name)
    for one, name in zip(values, names, strict=True):
        if not np.isfinite(one).all():
            raise InputError(f"{path}: coordinate '{name}' has missing values; fill them, cells may be masked instead")
    if y.dimensions == x.dimensions and y.ndim in (1, 2):
        places = np.column_stack([one.ravel() for one in values])
        return HorizontalGrid(y.dimensions, y.shape, metric, None, False, places, names)
    if y.ndim == x.ndim == 1:
        dims = (y.dimensions[0], x.dimensions[0])
        swapped = _comes_first(file, dims[1], dims[0])
        order = dims[::-1] if swapped else dims
        sizes = {dims[0]: values[0].size, dims[1]: values[1].size}
        mesh = np.meshgrid(*values, indexing="xy" if swapped else "ij")
        places = np.column_stack([one.ravel() for one in mesh])
        return HorizontalGrid(
            order, tuple(sizes[one] for one in order), metric, (values[0], values[1]), swapped, places, names
        )
    raise InputError(
        f"{path}: expected '{names[0]}' and '{names[1]}' along one dimension each, or both on the same dimensions; got "
        f"{y.dimensions} and {x.dimensions}"
    )


def _comes_first(file: netCDF4.Dataset, one: str, other: str) -> bool:
    """Tell whether a dimension stands before another in the variables that have both."""
    for variable in file.variables.values():
        if one in variable.dimensions and other in variable.dimensions:
            return variable.dimensions.index(one) < variable.dimensions.index(other)
    return False


def _coordinate(file: netCDF4.Dataset, names: tuple[str, ...]) -> netCDF4.Variable | None:
    """Return the variable with one of the names, or that standard name."""
    for name, variable in file.variables.items():
        if name in names or getattr(variable, "standard_name", None) in names:
            return variable
    return None


def _depth_bounds(file: netCDF4.Dataset, path: Path, dimension: str) -> np.ndarray | str:
    """Return the bounds of the layers along a dimension [m], or what is missing for them."""
    places = [
        one for name, one in file.variables.items()
        if one.dimensions == (dimension,)
        and (name == dimension or name == "depth" or getattr(one, "standard_name", "") == "depth")
        and np.issubdtype(one.dtype, np.number)
    ]  # fmt: skip
    depth = next((one for one in places if getattr(one, "standard_name", "") == "depth" or one.name == "depth"), None)
    depth = depth or next((one for one in places if getattr(one, "units", "") in ("m", "meter", "metre")), None)
    if depth is None:
        return f"{path}: expected a coordinate 'depth' [m] along '{dimension}', to know the depths of its layers"
    if getattr(depth, "positive", "down") == "up":
        return f"{path}: expected '{depth.name}' positive downwards, got positive = 'up'"
    bounds = getattr(depth, "bounds", None)
    if bounds is not None and bounds in file.variables:
        pairs = _floats(file[bounds])
        if pairs.shape != (depth.size, 2) or not np.allclose(pairs[1:, 0], pairs[:-1, 1], rtol=1e-6, atol=0.0):
            return f"{path}: expected '{bounds}' to hold (top, bottom) of layers that touch, shape ({depth.size}, 2)"
        edges = np.append(pairs[:, 0], pairs[-1, 1])
    else:
        edges = np.zeros(depth.size + 1)
        for k, middle in enumerate(_floats(depth)):  # a middle lies halfway between the bounds of its layer
            edges[k + 1] = 2.0 * middle - edges[k]
    if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        return (
            f"{path}: '{depth.name}' does not hold the middles of layers below each other from the surface; give their "
            "bounds in a variable that its attribute 'bounds' names"
        )
    return edges


__all__ = ["DERIVED", "HorizontalGrid", "OfflineEnsemble", "StateVariable", "member_files", "read_ensemble"]
