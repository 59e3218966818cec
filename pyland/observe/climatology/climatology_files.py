"""Climatologies in netCDF files: a run in real time rescales by those of an earlier period."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.text import library_words
from pyland.observe.climatology.cdf_matching import CdfMatch
from pyland.observe.climatology.linear_matching import LinearMatch
from pyland.observe.climatology.seasonal_windows import SeasonalWindows

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
    with written_aside(path) as partial:
        _dataset(match).to_netcdf(partial, engine="netcdf4")


def read_climatology(path: str | Path) -> CdfMatch | LinearMatch:
    """Read what `write_climatology` wrote; all bits return.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"climatology: {path} does not exist.")
    try:
        with xr.open_dataset(path, engine="netcdf4", mask_and_scale=False) as opened:
            data = opened.load()
    except Exception as error:  # the libraries raise what they like for a damaged file
        raise InputError(f"{path}: cannot be read as a climatology ({library_words(error)}). It may be "
                         "truncated.") from error
    if data.attrs.get("pyland_format") != FORMAT:
        raise InputError(f"{path}: is not a climatology (attribute pyland_format must be '{FORMAT}', got "
                         f"{data.attrs.get('pyland_format')!r}).")
    window = data.attrs["window"]
    windows = SeasonalWindows(window if isinstance(window, str) else int(window))
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
    window = match.windows.window
    about = {
        "Conventions": "CF-1.11", "title": "climatology of a product and its reference", "pyland_format": FORMAT,
        "window": window if isinstance(window, str) else int(window), "train_start": match.train[0],
        "train_end": match.train[1],
    }  # fmt: skip
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
