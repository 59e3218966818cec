"""Climatologies of variables in a netCDF file: a run in real time is judged by those of a long one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.file_format import ATTRIBUTE, check_format
from pyland.diagnose.percentiles import DAYS, Climatology
from pyland.diagnose.records import read_file

FORMAT = "pyland climatology of percentiles 1"
"""Attribute ``pyland_format`` of such a file."""

DEPTH_ATTRIBUTE = "mean_over_depth"
"""Attribute with top and bottom that variables with layers are the mean of [m]."""

_ABOUT = ("half_width", "least_years", "method", "first_day", "last_day")


def write_climatologies(
    path: str | Path,
    climatologies: Mapping[str, Climatology],
    dims: Sequence[str],
    *,
    coordinates: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write climatologies of several variables; the file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        netCDF file; an older one is replaced.
    climatologies : mapping of str to Climatology
        Variable to what is usual; all with the same days, probabilities and cells.
    dims : sequence of str
        Names of the axes of the cells: ``("y", "x")`` or ``("site",)``.
    coordinates : mapping, optional
        Coordinates of the cells, as of xarray.Dataset.
    units : mapping of str to str, optional
        Units of the variables.
    attributes : mapping, optional
        Further global attributes.
    """
    first = next(iter(climatologies.values()))
    data: dict[str, Any] = {}
    for name, one in climatologies.items():
        unit = {"units": units[name]} if units and name in units else {}
        about = dict(zip(_ABOUT, (one.half_width, one.least_years, one.method, *one.period), strict=True))
        words = name.replace("_", " ")
        data[f"{name}_quantile"] = (("climatology_day", "probability", *dims), one.quantiles, {
            "long_name": f"quantiles of {words} around a day of the year", **unit, **about})
        data[f"{name}_mean"] = (("climatology_day", *dims), one.mean, {
            "long_name": f"mean of {words} around a day of the year", **unit})
        data[f"{name}_deviation"] = (("climatology_day", *dims), one.deviation, {
            "long_name": f"standard deviation of {words} around a day of the year", **unit})
        data[f"{name}_years"] = (("climatology_day", *dims), one.years, {
            "long_name": f"years with {words} around a day of the year", "units": "1"})
    axes = {
        "climatology_day": ("climatology_day", first.days, {
            "long_name": f"day of a year of {DAYS} days, 0 is 1 January; 29 February counts as 28 February",
            "units": "1"}),
        "probability": ("probability", first.probabilities, {
            "long_name": "probability of a lower value", "units": "1"}),
    }
    dataset = xr.Dataset(data, {**axes, **(coordinates or {})}, {
        "Conventions": "CF-1.11", "title": "what is usual on a day of the year", **(attributes or {}),
        ATTRIBUTE: FORMAT})
    packed: dict[Any, dict[str, Any]] = {name: {"_FillValue": None} for name in dataset.coords}
    packed |= {name: {"zlib": True, "complevel": 4} for name in data}
    with written_aside(path) as partial:
        dataset.to_netcdf(partial, engine="netcdf4", encoding=packed)


def read_climatology(path: str | Path, variable: str) -> Climatology:
    """Read what `write_climatologies` wrote for one variable.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind, or holds other variables.
    """
    data = read_file(path, "write one with: pyland diagnose CASE percentiles")
    check_format(path, data.attrs.get(ATTRIBUTE), FORMAT, "a climatology of percentiles")
    if f"{variable}_quantile" not in data:
        held = sorted(str(name).removesuffix("_quantile") for name in data if str(name).endswith("_quantile"))
        raise InputError(f"{path}: no climatology of '{variable}'; the file has {', '.join(held)}.")
    about = data[f"{variable}_quantile"].attrs
    return Climatology(
        data["climatology_day"].values, data["probability"].values, data[f"{variable}_quantile"].values,
        data[f"{variable}_mean"].values, data[f"{variable}_deviation"].values,
        np.nan_to_num(data[f"{variable}_years"].values).astype(np.int16), int(about["half_width"]),
        int(about["least_years"]), str(about["method"]), (str(about["first_day"]), str(about["last_day"])))
