"""What an open loop shows of observations."""

import logging

import numpy as np
import pytest
import xarray as xr

from pyland.driver.model_climatology import seen_of_history
from pyland.observe import ObservationSet

START = np.datetime64("2018-07-01", "s")


def history(path, hours):
    ends = START + np.arange(1, 24 // hours + 1) * np.timedelta64(hours, "h")
    xr.Dataset(
        {"radiative_temperature": (("time", "cell"), 290.0 + np.arange(ends.size)[:, None] * np.ones((1, 2))),
         "time_bounds": (("time", "bound"), np.stack([ends - np.timedelta64(hours, "h"), ends], axis=1))},
        {"time": ("time", ends, {"bounds": "time_bounds"})}).to_netcdf(path, engine="netcdf4")
    return path


@pytest.mark.parametrize(("hours", "warns"), [(24, True), (6, True), (3, False)])
def test_means_of_a_day_are_no_climatology_of_noon(tmp_path, caplog, hours, warns):
    noon = START + np.timedelta64(12, "h")
    one = ObservationSet("modis", "lst", noon, [300.0, 301.0], 1.0, np.zeros(2), np.zeros(2), [[0], [1]],
                         np.ones((2, 1)), np.nan, np.nan)
    with caplog.at_level(logging.WARNING, logger="pyland"):
        seen = seen_of_history([one], history(tmp_path / "history.nc", hours), np.array([0.1]))
    assert seen[0].tolist() == [290.0 + 12 // hours - (hours < 24)] * 2  # the record that ends at noon, or the day
    assert ("means of" in caplog.text) is warns
