"""Errors of maps and of discharge against a known truth."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.assimilation import discharge_error_reduction, map_error_reduction

TIME = np.datetime64("2020-04-02", "ns") + np.arange(3) * np.timedelta64(1, "D")


def table(path, error, spread=0.4, first=0):
    values = np.full((3, 2, 2), 1.0)
    values[:, 0] += error
    values[:, 1] -= error
    xr.Dataset({"water_table_depth": (("time", "y", "x"), values),
                "water_table_depth_std": (("time", "y", "x"), np.full(values.shape, spread))},
               {"time": TIME + first * np.timedelta64(1, "h")}).to_netcdf(path)
    return path


def discharge(path, flows):
    values = np.array(flows, float)[None, :, None] * np.array([9.0, 1.0, 1.0])[:, None, None]
    xr.Dataset({"discharge": (("time", "member", "gauge"), values), "gauge_name": ("gauge", ["total"])},
               {"time": TIME}).to_netcdf(path)
    return path


@pytest.fixture
def analysis(tmp_path):
    xr.Dataset({"analysis_time": ("analysis", TIME[:2])}).to_netcdf(tmp_path / "analysis.nc")
    return tmp_path / "analysis.nc"


def test_water_tables(tmp_path):
    files = [table(tmp_path / f"{n}.nc", error) for n, error in enumerate((0.0, 0.5, 0.2))]
    found = map_error_reduction(*files, "water_table_depth")
    assert found["rmse_open_loop"] == pytest.approx(0.5) and found["rmse_analysis"] == pytest.approx(0.2)
    assert found["reduction"] == pytest.approx(0.6) and found["spread_error_ratio_analysis"] == pytest.approx(2.0)
    assert map_error_reduction(*files, "surface_water") is None
    late = table(tmp_path / "late.nc", 0.0, first=1)
    with pytest.raises(InputError, match="share no output time"):
        map_error_reduction(late, *files[1:], "water_table_depth")


def test_discharge_after_the_first_analysis(tmp_path, analysis):
    files = [discharge(tmp_path / f"{n}.nc", flows) for n, flows in enumerate(([1.0], [1.5, 2.5], [1.0, 1.5]))]
    found = discharge_error_reduction(*files, analysis)["total"]
    assert (found["rmse_open_loop"], found["rmse_analysis"]) == (pytest.approx(1.0), pytest.approx(0.25))
    assert found["reduction"] == pytest.approx(0.75)
    assert found["spread_error_ratio_open_loop"] == pytest.approx(np.sqrt(0.5))


def test_a_stream_that_is_dry_everywhere(tmp_path, analysis):
    files = [discharge(tmp_path / f"{n}.nc", flows) for n, flows in enumerate(([0.0], [0.0, 0.0], [0.0, 0.0]))]
    assert np.isnan(discharge_error_reduction(*files, analysis)["total"]["reduction"])
