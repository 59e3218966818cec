"""A run beside other models: identical points, ranks, albedo, depths, files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.peers import compare, find_peers, markdown, parse_depth_option, summarise, write_comparison
from pyland.diagnose.series import Series, Station, read_history, read_station
from pyland.diagnose.skill import daily_pairs, observed_names

HOURS = 96
START = np.datetime64("2006-01-01", "s") + np.arange(HOURS) * np.timedelta64(3600, "s")
LIGHT = np.tile(np.r_[np.zeros(8), np.full(8, 300.0), np.zeros(8)], 4)


def write_history(path: Path, **variables) -> Path:
    end = START + np.timedelta64(3600, "s")
    data = xr.Dataset(coords={"time": end})
    data["time_bounds"] = (("time", "bound"), np.stack([START, end], axis=1))
    data["layer_bounds"] = (("layer", "bound"), np.array([[0.0, 0.1], [0.1, 0.3]]))
    for name, values in variables.items():
        values = np.asarray(values, dtype=float)
        dims = ("time", "site") if values.ndim == 1 else ("time", "layer", "site")
        data[name] = (dims, values[..., None])
    data.to_netcdf(path)
    return path


def write_site(path: Path, step: int = 3600, **variables) -> Path:
    data = xr.Dataset(coords={"time": START}, attrs={"utc_offset_h": 0, "time_step_s": step, "site": path.stem})
    for name, values in variables.items():
        data[name] = ("time", np.asarray(values, dtype=float))
    data.to_netcdf(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """Run, station and two other models; B lacks snow depth, C covers another year."""
    for name in ("sites", "peers", "run"):
        (tmp_path / name).mkdir()
    observed = 100.0 + np.arange(HOURS)
    write_site(tmp_path / "sites" / "XX-Abc.nc", SWE=observed, SnowDepth=observed / 300.0, SWdown=LIGHT,
               SoilMoist_1=np.full(HOURS, 0.2), Qle=np.full(HOURS, 50.0))  # fmt: skip
    write_site(tmp_path / "peers" / "XX-Abc_A.nc", SWE=observed + 5.0, SnowDepth=observed / 300.0 + 0.01)
    later = observed + 20.0
    later[:24] = np.nan
    write_site(tmp_path / "peers" / "XX-Abc_B.nc", SWE=later, Qle=np.full(HOURS, np.nan))
    other = xr.load_dataset(tmp_path / "peers" / "XX-Abc_A.nc")
    other["time"] = other["time"] + np.timedelta64(365, "D")
    other.to_netcdf(tmp_path / "peers" / "XX-Abc_C.nc")
    write_history(tmp_path / "run" / "history.nc", snow_mass=observed + 10.0, snow_depth=observed / 300.0 + 0.02,
                  ground_water_input=np.full(HOURS, 1.0e-4),
                  soil_water=np.repeat(np.array([[0.1], [0.3]]), HOURS, axis=1).T)  # fmt: skip
    return tmp_path


def comparison_of(folder: Path, **keywords):
    station = folder / "sites" / "XX-Abc.nc"
    return compare(folder / "run" / "history.nc", station, find_peers(station), **keywords)


def test_peers_beside_the_station_are_found(folder):
    assert [path.name for path in find_peers(folder / "sites" / "XX-Abc.nc")] == [f"XX-Abc_{one}.nc" for one in "ABC"]
    assert find_peers(folder / "peers" / "no_such.nc") == []


def test_ranks_on_identical_points(folder):
    result = comparison_of(folder)
    rows = {row["variable"]: row for row in result["native"]}
    mass = rows["SWE"]
    assert {label: one["n"] for label, one in mass["models"].items()} == {"pyland": 72, "A": 72, "B": 72}
    assert {label: one["rank"] for label, one in mass["models"].items()} == {"A": 1, "pyland": 2, "B": 3}
    assert mass["models"]["pyland"]["bias"] == pytest.approx(10.0) and mass["left_out"] == ["C"]
    assert set(rows["SnowDepth"]["models"]) == {"pyland", "A"} and rows["SnowDepth"]["n"] == 96
    assert result["missing"] == ["SoilMoist_1", "Qle"]


def test_summary_counts_each_variable_once(folder):
    summary = comparison_of(folder)["summary"]
    # SWE second of three, snow depth second of two and so worst
    assert (summary["pairs"], summary["best"], summary["best_or_second"], summary["worst"]) == (2, 0, 2, 1)
    assert summary["worst_at"] == ["XX-Abc SnowDepth"]
    both = summarise([comparison_of(folder), comparison_of(folder)])
    assert both["pairs"] == 4 and "4 of 4 pairs" in both["text"]


def test_files_hold_the_same(folder):
    comparison = comparison_of(folder, depths={"SoilMoist_1": (0.0, 0.2)})  # a constant has no correlation
    paths = write_comparison(folder / "run", comparison)
    assert [path.name for path in paths] == ["skill_peers.json", "skill_peers.csv", "skill_peers.md"]
    found = json.loads(paths[0].read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["summary"] == comparison["summary"]
    with paths[1].open() as stream:
        rows = list(csv.DictReader(stream))
    mine = next(row for row in rows if (row["step"], row["variable"], row["model"]) == ("daily", "SWE", "pyland"))
    assert (mine["rank"], mine["of"], float(mine["bias"])) == ("2", "3", pytest.approx(10.0))
    text = paths[2].read_text()
    assert text == markdown(comparison)
    assert "| SWE |" in text and "2 of 3" in text and "best or second best on 2 of 2" in text and "C." in text


def test_depth_of_numbered_variables(folder):
    result = comparison_of(folder, depths={"SoilMoist_1": (0.0, 0.2)})
    row = next(row for row in result["native"] if row["variable"] == "SoilMoist_1")
    assert row["models"]["pyland"]["bias"] == pytest.approx(0.0)  # 0.1 and 0.3 by halves
    path = folder / "sites" / "XX-Abc.nc"
    data = xr.load_dataset(path)
    data["SoilMoist_1"].attrs["depth_m"] = 0.05
    data.to_netcdf(path)
    assert read_station(path).depths == {"SoilMoist_1": (0.05, 0.05)}
    assert read_station(path, {"SoilMoist_1": (0.1, 0.2)}).depths == {"SoilMoist_1": (0.1, 0.2)}


@pytest.mark.parametrize(("text", "expected"), [
    ("SoilMoist_1=12-20cm", ("SoilMoist_1", (0.12, 0.20))),
    ("SoilTemp_2=0.4 m", ("SoilTemp_2", (0.4, 0.4))),
])  # fmt: skip
def test_depth_option(text, expected):
    name, depth = parse_depth_option(text)
    assert name == expected[0] and depth == pytest.approx(expected[1])


@pytest.mark.parametrize("text", ["SoilMoist_1", "SoilMoist_1=12", "SoilMoist_1=20-10cm"])
def test_wrong_depth_options(text):
    with pytest.raises(InputError, match="--depth"):
        parse_depth_option(text)


def test_units_of_snow_runoff_and_carbon(tmp_path):
    history = write_history(tmp_path / "history.nc", ground_water_input=np.full(HOURS, 1.0e-4),
                            net_ecosystem_exchange=np.full(HOURS, -12.011e-9))  # fmt: skip
    series = read_history(history, ["SnowRunoff", "NEE"])
    assert series.values["SnowRunoff"][0] == pytest.approx(8.64)  # kg m-2 per day
    assert series.values["NEE"][0] == pytest.approx(-1.0)  # umol m-2 s-1


def test_albedo_is_a_ratio_of_sums_on_bright_days():
    reflected = 0.6 * LIGHT
    dark = LIGHT.copy()
    dark[:24] = 0.02 * LIGHT[:24]  # the first day has a mean of 2 W m-2
    measured = np.where(np.arange(HOURS) % 24 == 10, np.nan, 0.5 * dark)  # an hour of each day is missing
    station = Station("s", 0.0, Series(START, 3600.0, {"SWup": measured}), light=dark)
    assert observed_names(station) == ["SWup", "Albedo"]
    pairs = daily_pairs(Series(START, 3600.0, {"SWup": reflected}), station, "Albedo")
    assert np.isfinite(pairs.observed).tolist() == [False, True, True, True]
    assert pairs.observed[1:] == pytest.approx([0.5] * 3) and pairs.model[1:] == pytest.approx([0.6] * 3)


def test_daily_albedo_of_a_station_goes_first():
    days = Series(START[::24], 86400.0, {"Albedo": np.array([0.8, np.nan, 0.7, 0.6])})
    station = Station("s", 0.0, Series(START, 3600.0, {}), days, LIGHT)
    pairs = daily_pairs(Series(START, 3600.0, {"SWup": 0.5 * LIGHT}), station, "Albedo")
    assert pairs.model == pytest.approx([0.5] * 4)
    assert pairs.observed[[0, 2, 3]] == pytest.approx([0.8, 0.7, 0.6]) and np.isnan(pairs.observed[1])
