"""``domain.nc``: what the cells of a run are, on the grid of its results: area, elevation, cover, soil, basins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.config.plants import VEGETATION_TYPES
from pyland.config.surface import OTHER_SURFACES
from pyland.output.atomic import complete_file
from pyland.output.attributes import CONVENTIONS
from pyland.output.grid import OutputGrid

FILE = "domain.nc"
"""Name of the file in a run directory."""

LAND_COVERS = (*VEGETATION_TYPES, *OTHER_SURFACES)
"""Covers by their code, ``land_cover`` of the file: plant types in the order of CLM, then the other surfaces."""

_MISSING = {"i1": -1, "i4": -9}
"""Values of cells that are not modelled, in fields of whole numbers."""

_ATTRIBUTES: Mapping[str, Mapping[str, Any]] = MappingProxyType({
    "cell_area": {"standard_name": "cell_area", "long_name": "area of the cell", "units": "m2"},
    "elevation": {"standard_name": "surface_altitude", "long_name": "height above sea level", "units": "m"},
    "land_cover": {"long_name": "plant type or surface with the largest share of the cell"},
    **{f"{name}_fraction": {"long_name": f"share of the cell that is {name}", "units": "1"} for name in OTHER_SURFACES},
    "irrigated_fraction": {"long_name": "share of the cell that is irrigated", "units": "1"},
    "basin": {"long_name": "basin of an outlet or a terminal lake, 1 for the largest"},
    "downstream_cell": {"long_name": "cell that the river flows to, by its place in the flattened grid; -1 out of the "
                                     "domain, -2 nowhere (terminal lake)"},
    "upstream_area": {"long_name": "area of the cell and of all above it", "units": "m2"},
    "porosity": {"long_name": "pores of the soil", "units": "m3 m-3",
                 "standard_name": "soil_porosity"},
    "wilting_point": {"long_name": "water of the soil at -1.5 MPa", "units": "m3 m-3",
                      "standard_name": "volume_fraction_of_condensed_water_in_soil_at_wilting_point"},
    "field_capacity": {"long_name": "water of the soil at -33 kPa", "units": "m3 m-3",
                       "standard_name": "volume_fraction_of_condensed_water_in_soil_at_field_capacity"},
})


def write_domain_fields(
    run_dir: str | Path, grid: OutputGrid, fields: Mapping[str, np.ndarray], attrs: Mapping[str, Any]
) -> Path:
    """Write ``domain.nc``.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    grid : OutputGrid
        All cells of the run.
    fields : mapping of str to numpy.ndarray, shape (cell,) or (layer, cell)
        Fields by name; whole numbers are ``land_cover`` (places in ``LAND_COVERS``), ``basin`` and
        ``downstream_cell``.
    attrs : mapping
        Global attributes.

    Raises
    ------
    InputError
        If a name is unknown or a shape does not fit.
    """
    unknown = sorted(set(fields) - set(_ATTRIBUTES))
    if unknown:
        raise InputError(f"{FILE}: unknown fields {unknown}; expected some of {', '.join(_ATTRIBUTES)}.")
    layers = {name: values for name, values in grid.layers.items() if name == "layer"}
    grid = replace(grid, layers=layers, npatch=0)
    path = Path(run_dir) / FILE
    with NETCDF_ACCESS, complete_file(path) as partial, netCDF4.Dataset(partial, "w", format="NETCDF4") as out:
        out.setncatts({"Conventions": CONVENTIONS, **attrs})
        for name, size in {**grid.dimensions(), **({"bound": 2} if layers else {})}.items():
            out.createDimension(name, size)
        for name, (dimensions, values, attributes) in grid.coordinates().items():
            made = out.createVariable(name, str if values.dtype.kind in "OUS" else values.dtype, dimensions)
            made.setncatts(attributes)
            made[...] = values
        for name, values in fields.items():
            _write(out, grid, name, np.asarray(values))
    return path


def _write(out: netCDF4.Dataset, grid: OutputGrid, name: str, values: np.ndarray) -> None:
    """Write one field."""
    kind = "i1" if name == "land_cover" else "i4" if values.dtype.kind in "iu" else "f8"
    missing = _MISSING.get(kind, np.nan)
    placed = np.asarray(grid.place(values.astype(float)))
    if kind != "f8":
        placed = np.where(np.isnan(placed), missing, placed)
    above = (grid.vertical_axis(values.shape[0], "layer"),) if values.ndim == 2 else ()
    made = out.createVariable(name, kind, (*above, *grid.horizontal), zlib=True, complevel=1, fill_value=missing)
    made.setncatts({**_ATTRIBUTES[name], "coordinates": "latitude longitude"})
    if name == "land_cover":
        made.setncattr("flag_values", np.arange(len(LAND_COVERS), dtype="i1"))
        made.setncattr("flag_meanings", " ".join(LAND_COVERS))
    made[...] = placed.astype(kind)


def read_domain_fields(run_dir: str | Path) -> xr.Dataset:
    """Read ``domain.nc`` of a run.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.

    Returns
    -------
    xarray.Dataset
        Static fields on the grid of the results, (y, x) or (site), soil (layer, y, x). Whole numbers stay whole, with
        their ``_FillValue`` where no cell is modelled. The area of a site is 1 m2.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    path = Path(run_dir) / FILE
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. Runs of pyland before {FILE} was written have none; run the "
                         "case again.")
    try:
        with xr.open_dataset(path, mask_and_scale=False) as data:
            return data.load()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: the file cannot be read ({error}); it may be truncated.") from error


__all__ = ["FILE", "LAND_COVERS", "read_domain_fields", "write_domain_fields"]
