"""Figures of distributed runs, drawn from small files made by hand."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.flow import COUNTS, FLOWS, domain_closure, hydrographs, is_domain_balance
from pyland.driver.commands.diagnose import diagnose
from pyland.driver.commands.plot import plot
from pyland.view.flow_section import is_section

PNG = b"\x89PNG\r\n\x1a\n"
HOURS = 6


def flow_run(run: Path, nx: int, ny: int, names=("water_table_depth", "surface_water_depth", "saturation"),
             over_land: bool = True, sides: float = 0.0) -> Path:
    """Write history, balance and discharge of six hours on cells of 10 m, and return the run directory."""
    run.mkdir(parents=True)
    rng = np.random.default_rng(1)
    time = np.datetime64("2020-01-01", "s") + np.arange(1, HOURS + 1) * np.timedelta64(3600, "s")
    bounds = (("time", "bound"), np.stack([time - np.timedelta64(3600, "s"), time], axis=1))
    interfaces = np.linspace(0.0, 1.0, 5)
    history = xr.Dataset(
        {"time_bounds": bounds, "layer_bounds": (("layer", "bound"), np.stack([interfaces[:-1], interfaces[1:]], 1))},
        {"time": time, "layer": 0.5 * (interfaces[:-1] + interfaces[1:]), "x": 10.0 * np.arange(nx),
         "y": 10.0 * np.arange(ny)})
    for name in names:
        dims = ("time", "layer", "y", "x") if name == "saturation" else ("time", "y", "x")
        sizes = {"time": HOURS, "layer": 4, "y": ny, "x": nx}
        history[name] = dims, rng.uniform(0.2, 0.8, [sizes[one] for one in dims])
    history.to_netcdf(run / "history.nc")
    terms = {name: np.zeros(HOURS) for name in (*FLOWS, *COUNTS, "storage_change", "residual")}
    terms["precipitation"][:2] = 36.0
    terms["boundary_east"] = np.full(HOURS, -sides)
    terms["discharge"] = np.full(HOURS, 12.0 if over_land else 0.0)
    balance = {name: ("time", values) for name, values in terms.items()}
    xr.Dataset({"time_bounds": bounds, **balance}, {"time": time},
               {"domain_area": 100.0 * nx * ny}).to_netcdf(run / "balance.nc")
    if over_land:
        flow = np.full((HOURS, 1, 2), 12.0 / 3600.0)
        flow[3, 0, 1] = 1.0
        xr.Dataset({"time_bounds": bounds, "discharge": (("time", "member", "gauge"), flow)},
                   {"time": time, "gauge_name": ("gauge", np.array(["total", "weir"], dtype=object))},
                   ).to_netcdf(run / "discharge.nc")
    (run / "case.yaml").write_text("case: {name: by_hand}\n", encoding="utf-8")
    return run


@pytest.mark.parametrize(("nx", "ny", "first"), [(5, 3, "flow_maps.png"), (8, 1, "flow_section.png"),
                                                 (1, 8, "flow_section.png")])
def test_maps_of_a_domain_and_sections_of_a_line(tmp_path, nx, ny, first):
    run = flow_run(tmp_path / "run", nx, ny)
    assert is_section(run / "history.nc") == (first == "flow_section.png")
    figures = plot(tmp_path)
    assert [path.name for path in figures] == [first, "hydrograph.png"]
    assert all(path.read_bytes()[:8] == PNG for path in figures)


@pytest.mark.parametrize("depths", [(1.0, 1.0), (0.3, 1.0), (np.nan, 0.3), (np.nan, 1.0)])
def test_maps_of_columns_without_a_water_table_or_outside_of_the_mask(tmp_path, depths):
    run = flow_run(tmp_path / "run", 5, 3)
    with xr.open_dataset(run / "history.nc") as data:
        history = data.load()
    history["water_table_depth"][:] = np.float32(depths[1])  # the base of the layers is at 1 m
    history["water_table_depth"][..., 0] = depths[0]
    history.to_netcdf(run / "history.nc")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plot(tmp_path)[0].read_bytes()[:8] == PNG


@pytest.mark.parametrize("names", [("saturation",), ("water_table_depth",)])
@pytest.mark.parametrize("ny", [1, 3])
def test_figures_of_what_the_history_has(tmp_path, names, ny):
    flow_run(tmp_path / "run", 4, ny, names, over_land=False, sides=3.0)
    first = {1: ["flow_section.png"], 3: ["flow_maps.png"] if "saturation" not in names else []}[ny]
    assert [path.name for path in plot(tmp_path)] == [*first, "hydrograph.png"]


def test_a_section_without_anything_to_draw_says_what_to_add(tmp_path):
    flow_run(tmp_path / "run", 4, 1, ("surface_water_depth",))
    with pytest.raises(InputError, match="add saturation or soil_water or water_table_depth to output.variables"):
        plot(tmp_path)


def test_a_station_does_not_go_with_a_distributed_run(tmp_path):
    flow_run(tmp_path / "run", 4, 1)
    with pytest.raises(InputError, match="not compared with a station"):
        plot(tmp_path, station=tmp_path / "station.nc")


def test_closure_and_hydrographs(tmp_path):
    run = flow_run(tmp_path / "run", 5, 3, sides=2.0)
    assert is_domain_balance(run / "balance.nc")
    found = diagnose(tmp_path, "balance")
    assert found == domain_closure(run / "balance.nc")
    assert found["water"]["precipitation"] == 72.0 and found["water"]["boundary_east"] == -12.0
    assert found["water"]["water_residual_relative"] == 0.0
    weir = hydrographs(run / "discharge.nc")["weir"]
    assert weir["maximum"] == 1.0 and weir["time_of_maximum"] == "2020-01-01T04:00:00"
    assert weir["volume"] == pytest.approx(5 * 12.0 + 3600.0)
