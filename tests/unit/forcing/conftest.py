"""Data and files of the forcing tests."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr


@pytest.fixture(scope="session")
def shared_data():
    """Folder with the data of real stations; tests that need it are skipped where it is not."""
    candidates = [os.environ.get("PYLAND_SHARED"), Path(__file__).parents[3].parent / "shared"]
    for candidate in candidates:
        if candidate and (Path(candidate) / "data").is_dir():
            return Path(candidate) / "data"
    pytest.skip("no shared data: set PYLAND_SHARED to the folder that holds data/sites")


UNITS = {
    "SWdown": "W m-2", "LWdown": "W m-2", "Tair": "K", "Qair": "kg kg-1", "PSurf": "Pa",
    "Rainf": "kg m-2 s-1", "Snowf": "kg m-2 s-1", "Precip": "kg m-2 s-1", "Wind": "m s-1",
}  # fmt: skip


def _make_dataset(count=48, step=1800, shape=(), start="2020-06-01"):
    """Small ALMA-like data set of plausible weather, dims (time), (time, cell) or (time, y, x)."""
    seconds = np.arange(count) * step
    dims = ("time", *{0: (), 1: ("cell",), 2: ("y", "x")}[len(shape)])
    rng = np.random.Generator(np.random.Philox(7))
    hours = (seconds / 3600.0).reshape(-1, *([1] * len(shape)))
    noise = rng.random((count, *shape))
    sun = np.maximum(np.sin(2.0 * np.pi * (hours - 6.0) / 24.0), 0.0)
    values = {
        "SWdown": 800.0 * sun * (0.5 + 0.5 * noise),
        "LWdown": 300.0 + 20.0 * noise,
        "Tair": 285.0 + 8.0 * sun + noise,
        "Qair": 0.006 + 0.001 * noise,
        "PSurf": 95000.0 + 100.0 * noise,
        "Rainf": np.where(noise > 0.8, 1.0e-3 * noise, 0.0),
        "Snowf": np.where(noise < 0.1, 1.0e-4 * noise, 0.0),
        "Wind": 1.0 + 3.0 * noise,
    }
    dataset = xr.Dataset({n: (dims, v, {"units": UNITS[n]}) for n, v in values.items()})
    base = int(np.datetime64(start, "s").astype(np.int64))
    dataset["time"] = ("time", base + seconds.astype(np.float64), {"units": "seconds since 1970-01-01"})
    dataset.attrs = {
        "site": "test", "lat": 45.0, "lon": 10.0, "elev_m": 200.0, "z_meas_m": 8.0,
        "time_convention": "UTC, start of averaging interval",
    }  # fmt: skip
    return dataset


@pytest.fixture
def write(tmp_path):
    """Write a data set and return its path."""

    def save(dataset, name="site.nc"):
        path = tmp_path / name
        dataset.to_netcdf(path, engine="netcdf4")
        return path

    return save


@pytest.fixture
def make_dataset():
    """Function that makes small data sets."""
    return _make_dataset


@pytest.fixture
def dataset():
    """A day of half-hourly station data."""
    return _make_dataset()
