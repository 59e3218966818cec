"""Alarms and skill of products: what their files hold comes out of the rules and the record."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.config.alarms import AlarmsSection
from pyland.config.hindcast import HindcastSection
from pyland.config.pruning import PruningSection
from pyland.diagnose.climatology_file import DEPTH_ATTRIBUTE, write_climatologies
from pyland.diagnose.percentiles import Climatology, percentile_of
from pyland.driver.cycle.product_alarms import raise_alarms
from pyland.driver.cycle.product_fields import ProductFields, needed_members
from pyland.driver.cycle.product_skill import judge_forecasts, still_needed
from pyland.output.domain_fields import write_domain_fields
from pyland.output.grid import OutputGrid
from pyland.output.pruning import prune

START = np.datetime64("2020-06-01T00:00:00", "ns")
DAY = np.timedelta64(1, "D")
HINDCAST = HindcastSection(quantities=[{"depth": [0.0, 0.1]}, {"variable": "snow_mass"}], open=2 * 86400.0, least=3)


def members_file(path, times, value):
    """Write members of two layers (0 to 5 cm: value - 0.1, 5 to 20 cm: value + 0.2) on 2 x 2 cells, one not there."""
    values = np.broadcast_to(np.asarray(value, float)[:, None, None, None], (len(times), 3, 2, 2)).copy()
    values += np.array([-0.01, 0.0, 0.01])[None, :, None, None]
    values[..., 1, 1] = np.nan
    soil = np.stack([values - 0.1, values + 0.2], axis=2)
    place = np.array([[38.0, 38.0], [39.0, np.nan]])
    xr.Dataset(
        {"soil_water": (("time", "member", "layer", "y", "x"), soil),
         "snow_mass": (("time", "member", "y", "x"), values),
         "layer_bounds": (("layer", "bound"), [[0.0, 0.05], [0.05, 0.2]])},
        {"time": times, "latitude": (("y", "x"), place), "longitude": (("y", "x"), place + 60.0),
         "x": [0.0, 1000.0], "y": [0.0, 1000.0]},
    ).to_netcdf(path, encoding={"time": {"units": "seconds since 1970-01-01 00:00:00", "dtype": "int64"}})


def product(root, day, analysis, forecast, version=1):
    """A product whose analysis has one record, and whose forecast has as many as values are given."""
    cycle = START + day * DAY
    folder = root / "products" / (f"{str(cycle)[:13].replace('-', '')}00" + (f"_v{version}" if version > 1 else ""))
    folder.mkdir(parents=True)
    members_file(folder / "analysis_members.nc", np.array([cycle]), [analysis])
    members_file(folder / "forecast_members.nc", cycle + np.arange(1, len(forecast) + 1) * DAY, forecast)
    grid = OutputGrid(np.array([38.0, 38.0, 39.0]), np.array([98.0, 98.0, 99.0]), shape=(2, 2),
                      index=np.array([0, 1, 2]))
    write_domain_fields(folder, grid, {"cell_area": np.array([1.0e6, 1.0e6, 2.0e6]), "basin": np.array([1, 1, 2])}, {})
    return folder


def zone_file(root):
    """A map of two zones."""
    path = root / "zones.nc"
    about = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "south north"}
    xr.Dataset({"zone": (("y", "x"), np.array([[0, 0], [1, -1]], np.int8), about)}).to_netcdf(path)
    return path


def judge(root, day, **files):
    folder = product(root, day, **files)
    return judge_forecasts(root, folder, START + day * DAY, HINDCAST)


def test_a_depth_mean_is_weighted_by_the_overlap(tmp_path):
    folder = product(tmp_path, 0, 0.3, [0.4, 0.5])
    fields = ProductFields(folder)
    times, values = fields.members(HINDCAST.quantities[0])
    np.testing.assert_array_equal(times, START + np.arange(3) * DAY)
    # 5 cm of value - 0.1 and 5 of the 15 cm of value + 0.2
    np.testing.assert_allclose(values[:, 1, :3], np.repeat([[0.35], [0.45], [0.55]], 3, axis=1))
    assert values.shape == (3, 3, 4) and np.isnan(values[:, :, 3]).all()
    places = fields.places()
    assert places.area.sum() == 4.0e6 and list(places.zones) == ["basin 1", "basin 2"]
    assert list(fields.places(zone_file(tmp_path)).zones) == ["basin 1", "basin 2", "south", "north"]
    assert needed_members(AlarmsSection(rules=[{"variable": "snow_depth"}]), HINDCAST) == (
        "snow_depth", "soil_water", "snow_mass")


def test_alarms_of_a_product_go_on_from_the_one_before(tmp_path):
    section = AlarmsSection(rules=[
        {"name": "wet", "depth": [0.0, 0.1], "statistic": "value", "direction": "above", "threshold": 0.5,
         "cleared_at": 0.4, "probability": 0.6, "zone": "north"}], zones=str(zone_file(tmp_path)))
    first = product(tmp_path, 0, 0.3, [0.3, 0.45])  # members 0.49, 0.50 and 0.51
    (alarm,) = raise_alarms(first, section, START)
    assert (alarm.status, alarm.share, alarm.area) == ("raised", 1.0, 2.0e6)
    assert alarm.first == alarm.last == "2020-06-03T00:00:00" and alarm.worst["probability"] == pytest.approx(2 / 3)
    second = product(tmp_path, 1, 0.37, [0.37])
    (alarm,) = raise_alarms(second, section, START + DAY, first)
    assert alarm.status == "ongoing" and alarm.since == "2020-06-01T00:00:00"
    assert raise_alarms(second, section, START + DAY) == []  # without the one before it is not raised
    assert json.loads((second / "alarms.json").read_text()) == {"reference_time": "2020-06-02T00:00:00", "alarms": []}
    assert raise_alarms(second, AlarmsSection(), START + DAY) == []
    with pytest.raises(InputError, match="name a climatology in cycle.climatology"):
        raise_alarms(second, AlarmsSection(rules=[{"depth": [0.0, 0.1]}]), START)
    with pytest.raises(InputError, match="has layers; give the depth"):
        raise_alarms(second, AlarmsSection(rules=[{"statistic": "value", "threshold": 1.0}]), START)
    with pytest.raises(InputError, match="no members of 'snow_depth'; add it to output.members"):
        raise_alarms(second, AlarmsSection(rules=[{"variable": "snow_depth"}]), START)


def test_percentiles_come_from_the_climatology(tmp_path):
    folder = product(tmp_path, 0, 0.35, [0.35])  # depth mean 0.39, 0.40 and 0.41
    days = np.arange(np.datetime64("1990-01-01"), np.datetime64("1995-01-01"))
    usual = np.broadcast_to(np.linspace(0.2, 1.2, days.size)[:, None, None], (days.size, 2, 2))
    rng = np.random.default_rng(0)
    climatology = Climatology.build(days, rng.permuted(usual, axis=0), least_years=3, step=30)
    write_climatologies(tmp_path / "usual.nc", {"soil_water": climatology}, ("y", "x"),
                        attributes={DEPTH_ATTRIBUTE: np.array([0.0, 0.1])})
    section = AlarmsSection(rules=[{"name": "dry", "depth": [0.0, 0.1], "threshold": "D0", "cleared_at": 40.0}])
    (alarm,) = raise_alarms(folder, section, START, climatology=tmp_path / "usual.nc")
    assert alarm.worst["value"] == pytest.approx(20.0, abs=7.0)  # 0.4 of 0.2 to 1.2
    expected = percentile_of(np.full((2, 2), 0.39), climatology, START)[0, 0]
    field = ProductFields(folder, tmp_path / "usual.nc").alarm_field(section.rules[0])
    assert field.percentile[0, 0, 0] == pytest.approx(expected)
    with pytest.raises(InputError, match="from 0 to 0.2 m, the file has the mean from 0 to 0.1 m"):
        raise_alarms(folder, AlarmsSection(rules=[{"depth": [0.0, 0.2]}]), START, climatology=tmp_path / "usual.nc")


def test_forecasts_are_verified_by_later_analyses(tmp_path):
    judge(tmp_path, 0, analysis=0.3, forecast=[0.34, 0.38])
    judge(tmp_path, 1, analysis=0.32, forecast=[0.34, 0.36])
    path = judge(tmp_path, 2, analysis=0.36, forecast=[0.36, 0.36])
    lines = path.read_text().splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    assert [(one["quantity"], one["lead_hours"]) for one in rows] == [
        ("soil_water_0_10cm", "24"), ("soil_water_0_10cm", "48"), ("snow_mass", "24"), ("snow_mass", "48")]
    # a day ahead 0.34 for 0.32 and for 0.36, persistence 0.30 and 0.32; two days ahead 0.38 for 0.36; three cells
    assert (rows[0]["n"], float(rows[0]["bias"]), float(rows[0]["rmse"])) == ("6", pytest.approx(0.0, abs=1e-8),
                                                                             pytest.approx(0.02))
    assert float(rows[0]["rmse_persistence"]) == pytest.approx(np.sqrt((0.02**2 + 0.04**2) / 2))
    assert float(rows[0]["spread"]) == pytest.approx(0.01 * np.sqrt(4 / 3), rel=1e-5)
    assert float(rows[3]["bias"]) == pytest.approx(0.02)
    with xr.open_dataset(tmp_path / "hindcast" / "soil_water_0_10cm.nc", decode_timedelta=False) as data:
        np.testing.assert_allclose(data["rmse"][0].values[[0, 0, 1], [0, 1, 0]], 0.02, rtol=1e-5)
        assert np.isnan(data["rmse"].values[:, 1, 1]).all()


def test_a_newer_version_replaces_and_pruning_loses_nothing(tmp_path):
    section = HindcastSection(quantities=[{"variable": "snow_mass"}], open=2 * 86400.0, least=3)

    def judge_day(folder, day):
        return judge_forecasts(tmp_path, folder, START + day * DAY, section)

    for day in range(6):
        judge_day(product(tmp_path, day, 0.3 + 0.01 * day, [0.3, 0.3]), day)
    assert still_needed(tmp_path, section) == [f"202006{day:02d}T0000" for day in range(2, 7)]
    assert still_needed(tmp_path, HindcastSection()) == []
    before = (tmp_path / "hindcast" / "skill.csv").read_text()
    gone = prune(tmp_path / "products", PruningSection(cycles=1, monthly=0, yearly=0), still_needed(tmp_path, section))
    assert [one.name for one in gone] == ["20200601T0000"]
    newest = tmp_path / "products" / "20200606T0000"
    judge_day(newest, 5)  # again, after a kill
    assert (tmp_path / "hindcast" / "skill.csv").read_text() == before
    path = judge_day(product(tmp_path, 5, 0.3, [0.3], version=2), 5)
    bias = {one.split(",")[1]: float(one.split(",")[3]) for one in path.read_text().splitlines()[1:]}
    assert bias["24"] == pytest.approx(-np.mean([0.01, 0.02, 0.03, 0.04, 0.0]), abs=1e-7)
    assert bias["48"] == pytest.approx(-np.mean([0.02, 0.03, 0.04, 0.0]), abs=1e-7)
    assert judge_forecasts(tmp_path, newest, START, HindcastSection()) is None
