"""``pyland parflow netcdf | pfb``: fields between ParFlow's binary files and netCDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import netCDF4
import numpy as np

import pyland
from pyland.base.errors import InputError
from pyland.domain.pfb import PfbHeader, read_pfb, read_pfb_header, write_pfb
from pyland.output.atomic import complete_file
from pyland.output.attributes import CONVENTIONS

_LAYERS, _RECORDS = "layer", "record"
"""Names of the vertical dimension: layers from the top, or what the file has, in its order."""
_LOWER, _SPACING = "parflow_lower", "parflow_spacing"
"""Attributes that keep the corner and the cell size of the file (x, y, z)."""


def pfb_to_netcdf(
    sources: Sequence[Path],
    target: Path,
    *,
    name: str | None = None,
    units: str | None = None,
    keep_order: bool = False,
) -> str:
    """Write PFB files as one variable of a netCDF file.

    Parameters
    ----------
    sources : sequence of Path
        Files on one grid; several become a dimension ``time``, in the order given.
    target : Path
        NetCDF file.
    name, units : str, optional
        Name of the variable (default: the part of the file name before the number) and its unit.
    keep_order : bool
        Leave the layers in the order of the file: for files whose layers are records of time, such as forcing. Without
        it they are turned over, layer 0 is the top.

    Returns
    -------
    str
        What was written, a sentence.

    Raises
    ------
    InputError
        If a file is wrong or has another grid than the first.
    """
    if not sources:
        raise InputError("pyland parflow netcdf: expected at least one PFB file.")
    first = read_pfb_header(sources[0])
    vertical = _RECORDS if keep_order else _LAYERS
    dimensions = ("time",) * (len(sources) > 1) + (vertical, "y", "x")
    variable_name = name or _name_of(Path(sources[0]))
    with complete_file(target) as partial, netCDF4.Dataset(partial, "w") as file:
        file.setncatts({"Conventions": CONVENTIONS, "source": f"pyland {pyland.__version__}"})
        if len(sources) > 1:
            file.createDimension("time", None)
            file.createVariable("source_file", str, ("time",))
        for axis, size in zip((vertical, "y", "x"), first.shape, strict=True):
            file.createDimension(axis, size)
        for number, axis in enumerate("xy"):
            centres = first.lower[number] + first.spacing[number] * (np.arange(first.shape[2 - number]) + 0.5)
            file.createVariable(axis, "f8", (axis,))[:] = centres
        variable = file.createVariable(variable_name, "f8", dimensions, zlib=True)
        variable.setncatts({_LOWER: np.array(first.lower), _SPACING: np.array(first.spacing)})
        if units:
            variable.units = units
        for record, source in enumerate(sources):
            header = read_pfb_header(source)
            if (header.shape, header.lower, header.spacing) != (first.shape, first.lower, first.spacing):
                raise InputError(
                    f"{source}: expected the grid of {sources[0]}, {_grid_text(first)}, got {_grid_text(header)}."
                )
            values = read_pfb(source, flip=not keep_order)
            if len(sources) > 1:
                variable[record] = values
                file["source_file"][record] = Path(source).name
            else:
                variable[:] = values
    count = f"{len(sources)} files, " if len(sources) > 1 else ""
    order = "layers as in the file" if keep_order else "layer 0 is the top"
    return f"{target}: written ({variable_name}, {count}{_grid_text(first)}, {order})"


def netcdf_to_pfb(
    source: Path,
    name: str,
    target: Path,
    *,
    record: int | None = None,
    keep_order: bool = False,
    fill: float | None = None,
    topology: tuple[int, int, int] = (1, 1, 1),
) -> str:
    """Write a variable of a netCDF file as PFB, with the ``.dist`` file beside it.

    Parameters
    ----------
    source : Path
        NetCDF file with layer 0 at the top, as all files of pyland.
    name : str
        Variable (y, x), (layer, y, x) or (time, layer, y, x).
    target : Path
        PFB file.
    record : int, optional
        Which time, from 0, negative ones from the end; needed with four dimensions.
    keep_order : bool
        Write layers in the order of the netCDF file; that is so without it, too, where the dimension is ``record``.
    fill : float, optional
        Number for cells without a value.
    topology : tuple of int
        Pieces P, Q, R.

    Returns
    -------
    str
        What was written, a sentence.

    Raises
    ------
    InputError
        If the variable is not there, has other dimensions, or lacks values without ``fill``.
    """
    if not source.is_file():
        raise InputError(f"{source}: there is no such file.")
    try:
        file = netCDF4.Dataset(source)
    except OSError as error:
        raise InputError(f"{source}: the file cannot be read as netCDF ({error}).") from None
    with file:
        if name not in file.variables:
            raise InputError(f"{source}: expected a variable {name}; the file has {', '.join(file.variables)}.")
        variable = file[name]
        dimensions, values = variable.dimensions, variable
        if "time" in dimensions[:1]:
            count = variable.shape[0]
            if record is None and count != 1:
                raise InputError(f"{source}: {name} has {count} times; choose one with --record, 0 to {count - 1}.")
            if not -count <= (record or 0) < count:
                raise InputError(f"{source}: {name} has {count} times, 0 to {count - 1}; got --record {record}.")
            values, dimensions = variable[record or 0], dimensions[1:]
        elif record is not None:
            raise InputError(f"{source}: {name} has no dimension time, so --record has no meaning.")
        values = np.ma.asarray(values[:], float)
        if len(dimensions) not in (2, 3):
            raise InputError(
                f"{source}: {name}: expected (y, x), (layer, y, x) or a time before them, got {dimensions}."
            )
        missing = np.ma.getmaskarray(values) | ~np.isfinite(values.data)
        if missing.any() and fill is None:
            raise InputError(
                f"{source}: {name} has no value in {missing.sum()} cells, for which PFB has no sign; give a number for "
                "them with --fill."
            )
        lower, spacing = _place(file, variable)
        keep = keep_order or dimensions[0] == _RECORDS
        field = np.where(missing, 0.0 if fill is None else fill, values.data)
        write_pfb(target, field, flip=not keep, lower=lower, spacing=spacing, subgrids=topology)
    return f"{target}: written ({_grid_text(read_pfb_header(target))})"


def _place(file: netCDF4.Dataset, variable: netCDF4.Variable) -> tuple[tuple, tuple]:
    """Return corner and cell size: those of the PFB file it came from, or by the axes x and y."""
    if _LOWER in variable.ncattrs() and _SPACING in variable.ncattrs():
        lower, spacing = (tuple(map(float, variable.getncattr(key))) for key in (_LOWER, _SPACING))
        return lower, spacing
    lower, spacing = [0.0] * 3, [1.0] * 3
    for number, axis in enumerate("xy"):
        centres = np.asarray(file[axis][:], float) if axis in file.variables else np.zeros(0)
        if centres.ndim == 1 and centres.size > 1:
            spacing[number] = float((centres[-1] - centres[0]) / (centres.size - 1))
            lower[number] = float(centres[0] - 0.5 * spacing[number])
    return tuple(lower), tuple(spacing)


def _name_of(source: Path) -> str:
    """Return a variable name from ``RUN.out.press.00001.pfb`` or ``slope_x.pfb``."""
    parts = [part for part in source.stem.split(".") if not part.isdigit()]
    return parts[-1].replace("-", "_") if parts else "values"


def _grid_text(header: PfbHeader) -> str:
    layers, rows, columns = header.shape
    dx, dy, dz = header.spacing
    return f"{columns} x {rows} x {layers} cells (x, y, z) of {dx:g} x {dy:g} x {dz:g}"
