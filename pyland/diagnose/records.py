"""Files that a run has written, read whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError


def read_file(
    path: str | Path, why_missing: str = "the run wrote none, or did not end", *, without: str | None = None
) -> xr.Dataset:
    """Read a file into memory.

    Parameters
    ----------
    path : str or Path
        netCDF file.
    why_missing : str
        What to say where it is not there.
    without : str, optional
        Ending of the names of variables that are not read.

    Returns
    -------
    xarray.Dataset
        All of it; the file is closed.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    if not Path(path).exists():
        raise InputError(f"{path}: no such file; {why_missing}.")
    try:
        with xr.open_dataset(path, engine="netcdf4") as source:
            left = [name for name in source.data_vars if without is not None and str(name).endswith(without)]
            return source.drop_vars(left).load()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable netCDF file ({error}).") from error


def read_records(path: str | Path) -> xr.Dataset:
    """Read a file of records, as :func:`read_file`; InputError, too, if it holds none."""
    data = read_file(path, "the run did not end")
    if data.sizes.get("time", 0) == 0:
        raise InputError(f"{path}: the file holds no record.")
    return data


def common_times(*histories: xr.Dataset) -> list[xr.Dataset]:
    """Cut histories to the times that all have; InputError if there is none."""
    times = histories[0]["time"].values
    for history in histories[1:]:
        times = np.intersect1d(times, history["time"].values)
    if len(times) == 0:
        raise InputError("The histories of truth, open loop and analysis share no output time.")
    return [history.sel(time=times) for history in histories]
