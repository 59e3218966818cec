"""What an open loop shows of observations."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from pyland.driver.analysis.model_climatology import hidden_in_history, seen_of_history
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


def test_what_the_analysis_will_reject_is_not_in_the_climatology(tmp_path, caplog):
    ends = START + np.arange(1, 3) * np.timedelta64(1, "D")
    warm = np.stack([[[270.0, 280.0, 280.0], [280.0] * 3], [[280.0] * 3, [260.0] * 3]])
    path = tmp_path / "history.nc"
    xr.Dataset({"soil_temperature": (("time", "soil_layer", "cell"), warm),
                "snow_mass": (("time", "cell"), np.array([[0.0, 0, 0], [0, 0, 3.0]]))},
               {"time": ("time", ends)}).to_netcdf(path, engine="netcdf4")
    sets = [ObservationSet("one", "soil_moisture", time, [0.1, 0.2, 0.3], 1e-3, np.zeros(3), np.zeros(3),
                           [[0], [1], [2]], np.ones((3, 1)), 0.0, 0.05, flags=np.array([0, 0, 3], np.int8))
            for time in ends]
    sets[1].flags[2] = 0
    found = hidden_in_history(sets, path, 273.35, 1e-4)
    words = [replace(one, flags=flags).reasons() for one, flags in zip(sets, found, strict=True)]
    assert words == [["frozen_ground", "used", "rejected_by_quality_flag"], ["used", "used", "snow_covered"]]
    assert sets[1].used.all()  # copies
    with caplog.at_level(logging.WARNING, logger="pyland"):
        bare = hidden_in_history(sets, history(tmp_path / "other.nc", 3), 273.35, None)
    assert "soil_temperature" in caplog.text and np.array_equal(bare[0], sets[0].flags)
