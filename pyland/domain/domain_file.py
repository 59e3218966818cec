"""Domains and masks from netCDF files."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.base.units import convert
from pyland.domain.grid import EARTH_RADIUS, Domain, masked

SURFACE_FIELDS = (
    "sand",
    "clay",
    "organic",
    "soil_colour",
    "porosity",
    "residual_water",
    "saturated_conductivity",
    "van_genuchten_alpha",
    "van_genuchten_n",
    "clapp_hornberger_b",
    "air_entry_head",
    "glacier_fraction",
    "lake_fraction",
    "urban_fraction",
    "wetland_fraction",
    "lake_depth",
)
"""Optional variables of a domain file, (y, x) or (layer, y, x)."""

SOIL_FIELDS = ("sand", "clay", "organic", "porosity", "residual_water", "saturated_conductivity",
               "van_genuchten_alpha", "van_genuchten_n", "clapp_hornberger_b", "air_entry_head", "specific_storage")
"""Variables of a soil file, (y, x) or (layer, y, x)."""

_LATITUDE, _LONGITUDE, _ELEVATION = ("latitude", "lat"), ("longitude", "lon"), ("elevation", "height", "orog", "topo")

_PLANE = ("projection_x_coordinate", "projection_y_coordinate")
"""CF standard names of the axes on a plane."""


def read_domain(path: str | Path) -> Domain:
    """Read a domain.

    Parameters
    ----------
    path : path
        NetCDF file with ``latitude`` and ``longitude`` (1-D axes, or 2-D fields on ``(y, x)``), ``elevation(y, x)``
        [m], optionally ``mask(y, x)``, ``area(y, x)`` [m2] and surface fields named by registry id, ``(y, x)`` or
        ``(layer, y, x)``. Axes with the standard names ``projection_x_coordinate`` and ``projection_y_coordinate``
        [m] say where columns and rows lie on a plane; without them it is the sinusoidal projection around the middle.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a variable, or a value is missing or out of range in a modelled cell.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. The README.md of a case says how its domain is made; what "
                         "the file holds: docs/guide/domain_file.md.")
    with _open(path) as file:
        latitude, longitude = _read(file, path, _LATITUDE), _read(file, path, _LONGITUDE)
        if latitude.ndim == 1 and longitude.ndim == 1:
            longitude, latitude = np.meshgrid(longitude, latitude)
        if latitude.ndim != 2 or latitude.shape != longitude.shape:
            raise InputError(
                f"{path}: latitude and longitude must be two axes or two fields (y, x), got the shapes "
                f"{latitude.shape} and {longitude.shape}."
            )
        ny, nx = latitude.shape
        elevation = _read(file, path, _ELEVATION, (ny, nx))
        mask = _mask(file, path, ny, nx) if "mask" in file.variables else np.ones((ny, nx), dtype=bool)
        area = (
            _read(file, path, ("area", "cell_area"), (ny, nx), "m2")
            if _find(file, ("area", "cell_area"))
            else _cell_area(latitude, longitude, path)
        )
        fields = {name: _surface_field(file, path, name, ny, nx) for name in SURFACE_FIELDS if name in file.variables}
        plane = _plane(file, path, ny, nx)
    inside = mask.ravel()
    for name, values in {"latitude": latitude, "longitude": longitude, "elevation": elevation, "area": area}.items():
        if not np.isfinite(values[mask]).all():
            raise InputError(f"{path}: {name} is missing in a modelled cell.")
    if not inside.any():
        raise InputError(f"{path}: the mask leaves no cell.")
    x, y = _sinusoidal(latitude, longitude, mask) if plane is None else plane
    whole = Domain(
        "file",
        nx,
        ny,
        latitude.ravel(),
        ((longitude + 180.0) % 360.0 - 180.0).ravel(),
        elevation.ravel(),
        x.ravel(),
        y.ravel(),
        area.ravel(),
        np.arange(nx * ny),
        np.ones((ny, nx), dtype=bool),
        MappingProxyType(fields),
    )
    domain = masked(whole, mask)
    for name, values in domain.fields.items():
        variable(name).check_range(values, str(path))
    return domain


def read_mask(path: str | Path, ny: int, nx: int) -> np.ndarray:
    """Read ``mask(y, x)``; true where a cell is modelled, shape ``(ny, nx)``."""
    path = Path(path)
    with _open(path) as file:
        return _mask(file, path, ny, nx)


def read_field(path: str | Path, name: str, ny: int, nx: int, units: str | None = None) -> np.ndarray:
    """Read a variable on the grid of the domain.

    Parameters
    ----------
    path : path
        NetCDF file.
    name : str
        Variable on ``(y, x)``.
    ny, nx : int
        Size of the grid.
    units : str, optional
        Unit that the values are converted to.

    Returns
    -------
    numpy.ndarray, shape (ny, nx)
        NaN where a value is missing.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the variable, or the shape does not fit.
    """
    path = Path(path)
    with _open(path) as file:
        return _read(file, path, (name,), (ny, nx), units)


def read_layered_field(path: str | Path, name: str) -> np.ndarray:
    """Read a variable (y, x) or (layer, y, x) as it is.

    Parameters
    ----------
    path : path
        NetCDF file.
    name : str
        Its variable.

    Returns
    -------
    numpy.ndarray
        NaN where a value is missing.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the variable, or it has other dimensions.
    """
    path = Path(path)
    with _open(path) as file:
        values = _read(file, path, (name,))
    if values.ndim not in (2, 3):
        raise InputError(f"{path}: {name} must have the dimensions (y, x) or (layer, y, x), got the shape "
                         f"{values.shape}.")
    return values


def read_soil_fields(path: str | Path, domain: Domain) -> dict[str, np.ndarray]:
    """Read soil fields on the grid of a domain.

    Parameters
    ----------
    path : path
        NetCDF file with variables named by registry id (``SOIL_FIELDS``), ``(y, x)`` or ``(layer, y, x)``.
    domain : Domain
        Cells.

    Returns
    -------
    dict of str to numpy.ndarray, shape (cell,) or (layer, cell)
        In SI units.

    Raises
    ------
    InputError
        If the file cannot be read, has none of the variables, or a value is missing or out of range in a cell.
    """
    path = Path(path)
    with _open(path) as file:
        names = [name for name in SOIL_FIELDS if name in file.variables]
        if not names:
            raise InputError(f"{path}: expected one or more of {', '.join(SOIL_FIELDS)}; the file has "
                             f"{', '.join(file.variables)}.")
        fields = {name: _surface_field(file, path, name, domain.ny, domain.nx)[..., domain.cell_id] for name in names}
    for name, values in fields.items():
        variable(name).check_range(values, str(path))
    return fields


def read_heads(path: str | Path, nlayer: int, ny: int, nx: int) -> tuple[str, np.ndarray]:
    """Read an initial state: ``pressure_head`` or ``water_table_depth``, of a series in time the last record.

    Parameters
    ----------
    path : path
        NetCDF file, for instance ``history.nc`` of another run.
    nlayer, ny, nx : int
        Size of the grid.

    Returns
    -------
    name : str
        Which of the two it is; heads go first.
    values : numpy.ndarray, shape (layer, y, x) or (y, x)
        [m]; NaN where a value is missing.

    Raises
    ------
    InputError
        If the file cannot be read, has neither, or the shape does not fit.
    """
    path = Path(path)
    shapes = {"pressure_head": (nlayer, ny, nx), "water_table_depth": (ny, nx)}
    with _open(path) as file:
        name = next((one for one in shapes if one in file.variables), None)
        if name is None:
            raise InputError(f"{path}: expected pressure_head or water_table_depth; the file has "
                             f"{', '.join(file.variables)}.")
        values = _read(file, path, (name,), units="m")
    if values.ndim == len(shapes[name]) + 1 and len(values):
        values = values[-1]
    if values.shape != shapes[name]:
        raise InputError(f"{path}: {name} must have the shape {shapes[name]} (or a time axis before it), got "
                         f"{values.shape}.")
    return name, values


def _open(path: Path) -> netCDF4.Dataset:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    if path.suffix.lower() == ".pfb":
        raise InputError(f"{path}: expected netCDF, got a PFB file; convert it with: pyland parflow netcdf {path.name} "
                         "--output FILE.nc --name VARIABLE --units UNIT")
    try:
        return netCDF4.Dataset(path)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read as netCDF ({error}); it may be truncated.") from None


def _find(file: netCDF4.Dataset, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in file.variables), None)


def _read(
    file: netCDF4.Dataset,
    path: Path,
    names: tuple[str, ...],
    shape: tuple[int, ...] | None = None,
    units: str | None = None,
) -> np.ndarray:
    name = _find(file, names)
    if name is None:
        raise InputError(f"{path}: expected a variable {' or '.join(names)}; the file has {', '.join(file.variables)}.")
    try:
        values = np.ma.filled(np.ma.asarray(file[name][:], dtype=float), np.nan)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: {name} cannot be read ({error}); the file may be truncated.") from None
    if shape is not None and values.shape != shape:
        raise InputError(f"{path}: {name} must have the shape {shape}, got {values.shape}.")
    if units is not None:
        values = np.asarray(convert(values, str(getattr(file[name], "units", units)), units, f"{path}: {name}"))
    return values


def _mask(file: netCDF4.Dataset, path: Path, ny: int, nx: int) -> np.ndarray:
    values = _read(file, path, ("mask",), (ny, nx))
    return np.nan_to_num(values) != 0


def _surface_field(file: netCDF4.Dataset, path: Path, name: str, ny: int, nx: int) -> np.ndarray:
    values = _read(file, path, (name,), units=variable(name).units)
    if values.shape[-2:] != (ny, nx) or values.ndim > 3:
        raise InputError(
            f"{path}: {name} must have the dimensions (y, x) or (layer, y, x) with {ny} x {nx} cells, got the shape "
            f"{values.shape}."
        )
    return values.reshape(*values.shape[:-2], ny * nx)


def _plane(file: netCDF4.Dataset, path: Path, ny: int, nx: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the coordinates of the cells on a plane [m], each (y, x); None if the file has no such axes.

    They are needed where a grid is regular on a plane of its own, as rotated grids are: over Europe the
    sinusoidal projection gets the distance of neighbours wrong by up to 38 %.
    """
    found = {getattr(one, "standard_name", ""): name for name, one in file.variables.items()}
    names = [found.get(standard) for standard in _PLANE]
    if names == [None, None]:
        return None
    if None in names:
        missing, there = (_PLANE if names[0] is None else _PLANE[::-1])
        raise InputError(f"{path}: expected axes with the standard names {' and '.join(_PLANE)}, got {there} without "
                         f"{missing}; give both or none.")
    axes = [_read(file, path, (name,), (size,), "m") for name, size in zip(names, (nx, ny), strict=True)]
    for name, axis in zip(names, axes, strict=True):
        if not np.isfinite(axis).all():
            raise InputError(f"{path}: {name} has missing values.")
    x, y = np.meshgrid(*axes)
    return x, y


def _sinusoidal(latitude: np.ndarray, longitude: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of the cells in the sinusoidal projection around the middle of the modelled ones [m]."""
    middle = np.radians(0.5 * (latitude[mask].min() + latitude[mask].max()))
    east = (longitude - longitude[mask][0] + 180.0) % 360.0 - 180.0
    east = east - 0.5 * (east[mask].min() + east[mask].max())
    x = EARTH_RADIUS * np.cos(np.radians(latitude)) * np.radians(east)
    return x, EARTH_RADIUS * (np.radians(latitude) - middle)


def _cell_area(latitude: np.ndarray, longitude: np.ndarray, path: Path) -> np.ndarray:
    """Return the area of cells from the distance of their neighbours [m2]."""
    if min(latitude.shape) < 2:
        raise InputError(f"{path}: cells of a single row or column need a variable area(y, x) [m2].")
    radius = EARTH_RADIUS
    cosine = np.cos(np.radians(latitude))
    step = {}
    for axis in (0, 1):
        north = radius * np.radians(np.gradient(latitude, axis=axis))
        east = radius * cosine * np.radians(np.gradient(np.unwrap(longitude, period=360.0, axis=axis), axis=axis))
        step[axis] = (east, north)
    (east_y, north_y), (east_x, north_x) = step[0], step[1]
    return np.abs(east_x * north_y - east_y * north_x)
