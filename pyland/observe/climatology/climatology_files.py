"""Climatologies in netCDF files: a run in real time rescales by those of an earlier period."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.observe.climatology.cdf_matching import CdfMatch
from pyland.observe.climatology.fitted_file import read_fitted, write_fitted
from pyland.observe.climatology.linear_matching import LinearMatch

FORMAT = "pyland climatology 1"


def write_climatology(path: str | Path, match: CdfMatch | LinearMatch) -> None:
    """Write what was fitted; the file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        netCDF file; an older one is replaced.
    match : CdfMatch or LinearMatch
        What to write.
    """
    write_fitted(path, _dataset(match), match.windows, FORMAT)


def read_climatology(path: str | Path) -> CdfMatch | LinearMatch:
    """Read what `write_climatology` wrote; all bits return.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    data, windows = read_fitted(path, FORMAT, "climatology", "a climatology")
    train = (data.attrs["train_start"], data.attrs["train_end"])
    location, count = data["location"].values, data["count"].values
    if data.attrs["method"] != "cdf":
        return LinearMatch(data.attrs["method"], location, windows, data["slope"].values, data["offset"].values, count,
                           train)
    bounds = data.attrs.get("bounds")
    return CdfMatch(
        location, windows, data["percentile"].values, data["source_value"].values, data["reference_value"].values,
        data["beta_shape"].values if "beta_shape" in data else None, count, data.attrs["tails"],
        None if bounds is None else tuple(float(one) for one in bounds), train)


def _dataset(match: CdfMatch | LinearMatch) -> xr.Dataset:
    about = {"title": "climatology of a product and its reference", "train_start": match.train[0],
             "train_end": match.train[1]}
    data = {
        "location": ("place", match.location, {"long_name": "identity of the place within the product"}),
        "count": (("part", "place"), match.count, {
            "long_name": "values that the climatology is made of", "units": "1"}),
    }
    if isinstance(match, LinearMatch):
        data["slope"] = (("part", "place"), match.slope, {"long_name": "factor to the reference", "units": "1"})
        data["offset"] = (("part", "place"), match.offset, {"long_name": "added after the factor"})
        return xr.Dataset(data, attrs={**about, "method": match.method})
    about |= {"method": "cdf", "tails": match.tails}
    if match.bounds is not None:
        about["bounds"] = np.asarray(match.bounds, float)
    knots = ("part", "percentile", "place")
    data["percentile"] = ("percentile", match.percentiles, {"long_name": "percentile", "units": "percent"})
    data["source_value"] = (knots, match.source_knots, {"long_name": "percentiles of the product"})
    data["reference_value"] = (knots, match.reference_knots, {"long_name": "percentiles of the reference"})
    if match.shapes is not None:
        data["beta_shape"] = (("shape", "part", "place"), match.shapes, {
            "long_name": "shapes of the beta distributions of product (2) and reference (2)", "units": "1"})
    return xr.Dataset(data, attrs=about)
