"""Files that a run has written, read whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError

Period = tuple[Any, Any]
"""First and last instant that count, UTC, as numpy.datetime64; None is the start or the end of the run."""


def open_file(path: str | Path, why_missing: str = "", **options: Any) -> xr.Dataset:
    """Open a file whose values are read when they are asked for.

    Parameters
    ----------
    path : str or Path
        netCDF file.
    why_missing : str
        What to say where it is not there.
    **options
        For ``xarray.open_dataset``.

    Returns
    -------
    xarray.Dataset
        Open: to be closed by who asked for it.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    if not Path(path).exists():
        raise InputError(f"{path}: no such file{why_missing and '; '}{why_missing}.")
    with _explained(path):
        return xr.open_dataset(path, engine="netcdf4", **options)


def read_file(
    path: str | Path, why_missing: str = "the run wrote none, or did not end", *, without: str | None = None,
    **options: Any,
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
    **options
        For ``xarray.open_dataset``.

    Returns
    -------
    xarray.Dataset
        All of it; the file is closed.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    with open_file(path, why_missing, **options) as source, _explained(path):
        left = [name for name in source.data_vars if without is not None and str(name).endswith(without)]
        return source.drop_vars(left).load()


def read_records(path: str | Path) -> xr.Dataset:
    """Read a file of records, as :func:`read_file`; InputError, too, if it holds none."""
    data = read_file(path, "the run did not end")
    if data.sizes.get("time", 0) == 0:
        raise InputError(f"{path}: the file holds no record.")
    return data


def in_period(bounds: np.ndarray, period: Period) -> np.ndarray:
    """Return which records lie whole in a period.

    Parameters
    ----------
    bounds : numpy.ndarray of datetime64, shape (time, 2)
        Starts and ends of the records.
    period : tuple of two numpy.datetime64 or None
        First and last instant; None is the start or the end of the run.

    Returns
    -------
    numpy.ndarray of bool, shape (time,)
    """
    first, last = period
    inside = np.ones(len(bounds), dtype=bool)
    if first is not None:
        inside &= bounds[:, 0] >= np.datetime64(first)
    if last is not None:
        inside &= bounds[:, 1] <= np.datetime64(last)
    return inside


def records_of_period(bounds: np.ndarray, period: Period, where: str | Path) -> np.ndarray:
    """Return which records lie whole in a period, as :func:`in_period`; InputError if there is none.

    ``where`` names the file in the message.
    """
    inside = in_period(bounds, period)
    if not inside.any():
        if not len(bounds):
            raise InputError(f"{where}: the file holds no record.")
        first, last = (str(own if given is None else given)[:19]
                       for given, own in zip(period, (bounds[0, 0], bounds[-1, 1]), strict=True))
        raise InputError(f"{where}: no record lies within the period from {first} to {last}; the file goes from "
                         f"{str(bounds[0, 0])[:19]} to {str(bounds[-1, 1])[:19]}.")
    return inside


def common_times(*histories: xr.Dataset) -> list[xr.Dataset]:
    """Cut histories to the times that all have; InputError if there is none."""
    times = histories[0]["time"].values
    for history in histories[1:]:
        times = np.intersect1d(times, history["time"].values)
    if len(times) == 0:
        raise InputError("The histories of truth, open loop and analysis share no output time.")
    return [history.sel(time=times) for history in histories]


@contextlib.contextmanager
def _explained(path: str | Path) -> Iterator[None]:
    """Say in a sentence what the library cannot read of a file."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable netCDF file ({error}).") from error
