"""Errors that a collocation found, in netCDF files: a run takes those of an earlier period."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.observe.climatology.seasonal_windows import SeasonalWindows
from pyland.observe.quality.error_models import CollocationError

FORMAT = "pyland collocation errors 1"


def write_errors(path: str | Path, model: CollocationError) -> None:
    """Write the errors of a product by place and part of the year.

    Parameters
    ----------
    path : str or Path
        netCDF file; an older one is replaced, and it appears under its name only when it is complete.
    model : CollocationError
        What to write; the error where the collocation fails, ``otherwise``, goes with it.
    """
    window = model.windows.window
    data = xr.Dataset({
        "location": ("place", model.location, {"long_name": "identity of the place within the product"}),
        "error": (("part", "place"), np.asarray(model.errors, float), {
            "long_name": "standard deviation of the error of the product, by collocation", "comment": "in the unit of "
            "the product; missing where the collocation fails"}),
    }, attrs={"Conventions": "CF-1.11", "title": "errors of a product by collocation", "pyland_format": FORMAT,
              "window": window if isinstance(window, str) else int(window), "otherwise": float(model.otherwise)})
    with written_aside(path) as partial:
        data.to_netcdf(partial, engine="netcdf4")


def read_errors(path: str | Path) -> CollocationError:
    """Read what `write_errors` wrote; all bits return.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"error model: {path} does not exist.")
    try:
        with xr.open_dataset(path, engine="netcdf4", mask_and_scale=False) as opened:
            data = opened.load()
    except Exception as error:  # the libraries raise what they like for a damaged file
        raise InputError(f"{path}: cannot be read as errors of a product ({error}). It may be truncated.") from error
    if data.attrs.get("pyland_format") != FORMAT:
        raise InputError(f"{path}: holds no errors of a product (attribute pyland_format must be '{FORMAT}', got "
                         f"{data.attrs.get('pyland_format')!r}). Write them with write_errors.")
    window = data.attrs["window"]
    return CollocationError(
        data["location"].values, SeasonalWindows(window if isinstance(window, str) else int(window)),
        data["error"].values, float(data.attrs["otherwise"]))


__all__ = ["read_errors", "write_errors"]
