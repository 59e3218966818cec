"""netCDF files of what was fitted by place and part of the year: read whole, bit for bit, and of the right kind."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.file_format import ATTRIBUTE, check_format
from pyland.base.text import library_words
from pyland.observe.climatology.seasonal_windows import SeasonalWindows


def write_fitted(path: str | Path, data: xr.Dataset, windows: SeasonalWindows, form: str) -> None:
    """Write what was fitted, with its format and windows; the file appears under its name when it is complete.

    Parameters
    ----------
    path : str or Path
        netCDF file; an older one is replaced.
    data : xarray.Dataset
        The numbers.
    windows : SeasonalWindows
        Parts of the year that they belong to.
    form : str
        Name and version of the format.
    """
    window = windows.window
    about = {"Conventions": "CF-1.11", ATTRIBUTE: form,
             "window": window if isinstance(window, str) else int(window)}
    with written_aside(path) as partial:
        data.assign_attrs(about).to_netcdf(partial, engine="netcdf4")


def read_fitted(
    path: str | Path, form: str, section: str, what: str, advice: str = ""
) -> tuple[xr.Dataset, SeasonalWindows]:
    """Read what `write_fitted` wrote.

    Parameters
    ----------
    path : str or Path
        netCDF file.
    form : str
        Name and version of the format.
    section : str
        What asks for the file, for messages.
    what : str
        What it should be, in words with an article where it takes one.
    advice : str
        What to do with a file of another kind, a sentence.

    Returns
    -------
    data : xarray.Dataset
        All of it; the file is closed.
    windows : SeasonalWindows
        Parts of the year.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{section}: {path} does not exist.")
    try:
        with xr.open_dataset(path, engine="netcdf4", mask_and_scale=False) as opened:
            data = opened.load()
    except Exception as error:  # the libraries raise what they like for a damaged file
        raise InputError(f"{path}: cannot be read as {what} ({library_words(error)}). It may be truncated.") from error
    check_format(path, data.attrs.get(ATTRIBUTE), form, what, advice)
    window = data.attrs["window"]
    return data, SeasonalWindows(window if isinstance(window, str) else int(window))


__all__ = ["read_fitted", "write_fitted"]
