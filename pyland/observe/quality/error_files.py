"""Errors that a collocation found, in netCDF files: a run takes those of an earlier period."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.observe.climatology.fitted_file import read_fitted, write_fitted
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
    data = xr.Dataset({
        "location": ("place", model.location, {"long_name": "identity of the place within the product"}),
        "error": (("part", "place"), np.asarray(model.errors, float), {
            "long_name": "standard deviation of the error of the product, by collocation", "comment": "in the unit of "
            "the product; missing where the collocation fails"}),
    }, attrs={"title": "errors of a product by collocation", "otherwise": float(model.otherwise)})
    write_fitted(path, data, model.windows, FORMAT)


def read_errors(path: str | Path) -> CollocationError:
    """Read what `write_errors` wrote; all bits return.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    data, windows = read_fitted(path, FORMAT, "error model", "a file of errors of a product",
                                "Write one with write_errors.")
    return CollocationError(data["location"].values, windows, data["error"].values, float(data.attrs["otherwise"]))


__all__ = ["read_errors", "write_errors"]
