"""pyland diagnose CASE permafrost: from a history whose temperatures are known to files, tables and figures."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import xarray as xr
import yaml

from pyland.diagnose.permafrost.heat_wave import wave_active_layer, wave_temperature, wave_zero_amplitude_depth
from pyland.driver.commands.diagnosis import diagnose_topic

LAYERS, ROCK = [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0], [2.0, 3.0, 5.0, 8.0, 15.0]
CASE = {
    "case": {"name": "frost"}, "time": {"start": "2001-01-01", "end": "2004-01-01", "step": "60 min"},
    "domain": {"type": "grid", "latitude": 35, "longitude": 93, "nx": 5, "ny": 4, "dx": "10 km", "dy": "10 km",
               "elevation": {"generate": {"base": 4000, "relief": 1000, "seed": 3}}, "layers": LAYERS,
               "bedrock_layers": 5, "bedrock_thickness": ROCK},
    "output": {"every": "1 day", "variables": ["soil_temperature"]},
}
DIFFUSIVITY = 1.0e-6


def mean_of(elevation):
    """Return the mean temperature of the ground [K]: 0 degC at 4400 m."""
    return 273.15 - 0.006 * (elevation - 4400.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a case whose history is the yearly wave, and the elevation of its cells."""
    from pyland.config import load_case
    from pyland.domain.grid import build_domain

    folder = tmp_path_factory.mktemp("frost")
    (folder / "case.yaml").write_text(yaml.safe_dump(CASE), encoding="utf-8")
    domain = build_domain(load_case(folder).domain)
    days = np.datetime64("2001-01-01", "ns") + np.arange(1096) * np.timedelta64(86400, "s")
    seconds = np.arange(1095) * 86400.0 + 43200.0
    edges = np.cumsum([0.0, *LAYERS, *ROCK])
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    height = domain.to_grid(domain.elevation)
    wave = wave_temperature(seconds, bounds.mean(axis=1), 0.0, 10.0, DIFFUSIVITY)
    ground = (mean_of(height) + wave[..., None, None]).astype("f4")
    air = np.broadcast_to(mean_of(height) - 3.0 + 12.0 * np.sin(2.0 * np.pi * seconds / 3.15576e7)[:, None, None],
                          (1095, 4, 5)).astype("f4")
    (folder / "run").mkdir()
    xr.Dataset(
        {"soil_temperature": (("time", "thermal_layer", "y", "x"), ground),
         "air_temperature": (("time", "y", "x"), air),
         "thermal_layer_bounds": (("thermal_layer", "bound"), bounds),
         "time_bounds": (("time", "bound"), np.stack([days[:-1], days[1:]], axis=1))},
        {"time": days[1:], "latitude": (("y", "x"), domain.to_grid(domain.latitude)),
         "longitude": (("y", "x"), domain.to_grid(domain.longitude))}).to_netcdf(folder / "run" / "history.nc")
    (folder / "run" / "scores.json").write_text("{}", encoding="utf-8")
    return folder, domain


def test_command_finds_what_theory_says(run, command):
    folder, domain = run
    code, out, err = command("diagnose", folder, "permafrost", "--json", "--no-figures")
    assert code == 0, err
    numbers = json.loads(out)
    mean = mean_of(domain.elevation)
    frozen = mean < 273.15
    assert numbers["cells_with_permafrost"] == frozen.sum() and 3 < frozen.sum() < 17
    assert numbers["zero_amplitude_depth"]["mean"] == pytest.approx(
        wave_zero_amplitude_depth(10.0, DIFFUSIVITY, 0.1), abs=0.15)
    alt = wave_active_layer(mean[frozen].min(), 10.0, DIFFUSIVITY, 273.15)
    assert numbers["active_layer"]["least"] == pytest.approx(alt, abs=0.05)
    assert numbers["magt"]["least"] == pytest.approx(mean.min() - 273.15, abs=0.01)
    assert abs(numbers["magt_drift_per_year"]["mean"]) < 0.01
    assert domain.elevation[frozen].min() == pytest.approx(numbers["lower_limit"]["lowest"])
    assert numbers["years_counted"] == 3 and sum(numbers["thermal_class_shares"].values()) == pytest.approx(
        frozen.mean())


def test_files_are_there_and_follow_cf(run):
    folder, domain = run
    found = diagnose_topic(folder, "permafrost")
    names = {file.name for file in found.files}
    assert names == {"permafrost.nc", "cells.csv", "bands.csv", "years.csv", "permafrost.json", "profiles.png",
                     "map.png", "years.png"}
    assert all(file.stat().st_size > 100 for file in found.files)
    with xr.open_dataset(folder / "run" / "diagnose" / "permafrost" / "permafrost.nc") as data:
        assert data["active_layer_thickness"].dims == ("time", "y", "x") and data.sizes["time"] == 3
        assert str(data["time_bounds"].values[0, 0])[:10] == "2001-01-01"
        alt = data["active_layer_thickness"].values[-1].ravel()
        np.testing.assert_array_equal(np.isfinite(alt), mean_of(domain.elevation) < 273.15)
        assert data["permafrost"].attrs["flag_meanings"] == "absent present"
        assert data.attrs["Conventions"].startswith("CF-") and "latitude" in data.coords
        # the air is 3 K colder on the mean and swings by 12 K instead of 10
        assert 1.0 < float(data["n_factor_thawing"].mean()) < 2.5 and 0.3 < float(data["n_factor_freezing"].mean()) < 1
    with (folder / "run" / "diagnose" / "permafrost" / "cells.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 20
    assert "permafrost in" in found.text and "depth of zero amplitude" in found.text


def test_period_settings_and_boreholes(run, tmp_path):
    folder, domain = run
    place = int(np.argmax(domain.elevation))
    (tmp_path / "holes.csv").write_text(
        "latitude,longitude,magt\n"
        f"{domain.latitude[place]},{domain.longitude[place]},{mean_of(domain.elevation[place]) - 273.15 - 0.5}\n",
        encoding="utf-8")
    found = diagnose_topic(
        folder, "permafrost", with_figures=False, period=(np.datetime64("2001-06-01"), np.datetime64("2003-07-01")),
        overrides=[f"diagnose.permafrost.boreholes={tmp_path / 'holes.csv'}",
                   "diagnose.permafrost.freezing_point=272.15"])
    assert found.numbers["years_counted"] == 2 and found.numbers["start"].startswith("2001-06-01")
    assert found.numbers["boreholes"]["magt"]["bias"] == pytest.approx(0.5, abs=0.01)
    assert (found.numbers["cells_with_permafrost"] == (mean_of(domain.elevation) < 272.15).sum())


def test_models_learn_from_the_run(run):
    pytest.importorskip("sklearn", reason="learned models need the extra ml")
    folder, _ = run
    learning = "{samples: run, models: [svr], predictors: [elevation, latitude], repeats: 2, seed: 3}"
    found = diagnose_topic(folder, "permafrost", with_figures=False,
                           overrides=[f"diagnose.permafrost.learning={learning}"])
    one = found.numbers["learned"]["magt"]
    assert one["scores"]["ensemble"]["n"] == 4 and one["against_run"]["rmse"] < 0.4
    with xr.open_dataset(folder / "run" / "diagnose" / "permafrost" / "permafrost.nc") as data:
        assert data["learned_magt"].shape == (4, 5) and float(data["learned_magt_std"].max()) > 0.0


@pytest.mark.parametrize(("overrides", "period", "message"), [
    ((), ("2001-01-01", "2002-06-01"), "expected 2 whole years at least, got 1"),
    (("diagnose.permafrost.class_limits=[-3, -5, -1, 0]",), None, "expected temperatures that increase"),
    (("diagnose.permafrost.learning={samples: boreholes}",), None, "expected a file in diagnose.permafrost.boreholes"),
    (("diagnose.permafrost.learning={samples: run, models: [forest]}",), None, "got forest"),
    (("diagnose.permafrost.learning={samples: run, predictors: [snow_depth]}",), None, "does not hold snow_depth"),
])
def test_what_does_not_go_is_said(run, command, overrides, period, message):
    folder, _ = run
    options = [word for one in overrides for word in ("--set", one)] + (["--period", *period] if period else [])
    code, _, err = command("diagnose", folder, "permafrost", "--no-figures", *options)
    assert code == 2 and message in " ".join(err.split()), err


def test_shallow_columns_are_refused(run, tmp_path, command):
    folder, _ = run
    (tmp_path / "run").mkdir()
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(CASE), encoding="utf-8")
    (tmp_path / "run" / "scores.json").write_text("{}", encoding="utf-8")
    with xr.open_dataset(folder / "run" / "history.nc") as data:
        data.isel(thermal_layer=slice(0, 9)).to_netcdf(tmp_path / "run" / "history.nc")
    code, _, err = command("diagnose", tmp_path, "permafrost")
    assert code == 2 and "too shallow" in err and "domain.bedrock_layers" in err
