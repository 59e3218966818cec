"""The figure of the water table of a twin experiment, with and without wells and hydrographs."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.view.water_table_twin import plot_water_table_twin

TIME = np.datetime64("2020-04-02", "ns") + np.arange(4) * np.timedelta64(1, "D")


def history(path, offset, name="water_table_depth"):
    """Write a history of 3 x 4 cells."""
    x, y = np.arange(4) * 40.0 - 60.0, np.arange(3) * 40.0 - 40.0
    depth = 1.0 + 0.01 * np.abs(x) + offset * np.ones((4, 3, 1))
    latitude, longitude = np.meshgrid(50.0 + y / 111e3, 6.0 + x / 71e3, indexing="ij")
    xr.Dataset(
        {name: (("time", "y", "x"), depth), f"{name}_std": (("time", "y", "x"), np.full(depth.shape, 0.2))},
        {"time": TIME, "x": x, "y": y, "latitude": (("y", "x"), latitude), "longitude": (("y", "x"), longitude)},
    ).to_netcdf(path)
    return path


def analysis(path):
    """Write what the figure needs of ``analysis.nc``: two wells and a probe."""
    xr.Dataset({
        "stream": ("observation", [0, 0, 1], {"stream_types": "groundwater soil_moisture"}),
        "latitude": ("observation", [50.0, 50.0, 50.00036]), "longitude": ("observation", [5.9992, 6.0003, 6.0]),
        "depth_top": ("observation", [np.nan, np.nan, 0.2]), "depth_bottom": ("observation", [np.nan, np.nan, 0.2]),
    }).to_netcdf(path)
    return path


def discharge(path, members, scale):
    """Write hourly discharge of one outlet."""
    time = TIME[0] + np.arange(96) * np.timedelta64(1, "h")
    flow = scale * (1.0 + np.sin(np.arange(96) / 9.0))[:, None, None] * np.linspace(0.8, 1.2, members)[None, :, None]
    xr.Dataset({"discharge": (("time", "member", "gauge"), flow)}, {"time": time}).to_netcdf(path)
    return path


@pytest.fixture
def runs(tmp_path):
    return [history(tmp_path / f"{name}.nc", offset) for name, offset in (("truth", 0.0), ("open", 0.3), ("new", 0.1))]


def test_maps_errors_wells_and_hydrograph(tmp_path, runs):
    flows = [discharge(tmp_path / f"q{n}.nc", members, 1e-3 * (1 + n)) for n, members in enumerate((1, 5, 5))]
    plain = plot_water_table_twin(*runs, tmp_path / "plain.png")
    full = plot_water_table_twin(*runs, tmp_path / "full.png", observations=analysis(tmp_path / "analysis.nc"),
                                 discharges=flows)
    sizes = [np.fromfile(path, ">u4", 2, offset=16) for path in (plain, full)]  # width and height of a PNG
    assert sizes[0][0] == sizes[1][0] and sizes[1][1] > sizes[0][1] + 200


def test_a_history_without_a_water_table(tmp_path, runs):
    bare = history(tmp_path / "bare.nc", 0.0, name="soil_water_total")
    with pytest.raises(InputError, match="bare.nc: nothing to draw; add water_table_depth to output.variables"):
        plot_water_table_twin(runs[0], bare, runs[2], tmp_path / "figure.png")
