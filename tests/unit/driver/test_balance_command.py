"""``pyland diagnose CASE balance``: parts of the balance, tables of zones, files, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
import xarray as xr
from surface_valley import write_valley

from cases import COUPLED, FLOW, changed, write_case
from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.diagnose.balance import closure
from pyland.diagnose.balance_table import balance_table, flow_over_borders, row_periods
from pyland.diagnose.zones import Zones, domain_zone, land_cover_zones
from pyland.driver.commands.diagnosis import diagnose_topic
from pyland.driver.run import run_case
from pyland.output.balance import PARTS, STORES
from pyland.output.domain_fields import read_domain_fields


@pytest.fixture(scope="module")
def valley(tmp_path_factory):
    """Six days at the turn of a month, so that there are two of them; it rains on the first."""
    folder = write_valley(tmp_path_factory.mktemp("valley"), time__start="2020-05-27", time__end="2020-06-02",
                          output__every="12 h", land__carbon="evolving",
                          land__carbon_initial={"soil": [0.1, 2, 3], "plants": 0.4})
    run_case(load_case(folder))
    return folder


@pytest.fixture(scope="module")
def books(valley):
    return xr.load_dataset(valley / "run" / "balance.nc"), read_domain_fields(valley / "run")


def diagnosed(valley, **keys):
    return diagnose_topic(valley, "balance", with_figures=False,
                          overrides=[f"diagnose.balance.{name}={value}" for name, value in keys.items()])


def test_parts_add_up_in_every_cell_and_interval(books):
    data, _ = books
    assert set(PARTS) | {f"storage_change_{name}" for name in STORES} <= set(data)
    fallen = data["rainfall"] + data["snowfall"]
    evaporated = sum(data[name] for name in PARTS if name not in ("rainfall", "snowfall"))
    stored = sum(data[f"storage_change_{name}"] for name in STORES)
    assert float(data["precipitation"].max()) > 1.0
    for whole, parts in (("precipitation", fallen), ("evapotranspiration", evaporated), ("storage_change", stored)):
        assert float(np.abs(data[whole] - parts).max()) < 1e-9, whole
    assert float(np.abs(data["water_residual"]).max()) < 1e-9
    assert float(np.abs(data["storage_change_glacier"]).max()) > 0.1
    assert float(data["open_water_evaporation"].max()) > 0.1 and float(data["irrigation"].max()) > 0.1


def test_zones_add_up_to_the_domain(books):
    whole, parts = (balance_table(*books, zones(books[1])) for zones in (domain_zone, land_cover_zones))
    area = parts.values["area_km2"][0]
    assert area.sum() == whole.values["area_km2"][0, 0] == 275.0
    for name in ("precipitation_mm", "et_mm", "runoff_mm", "irrigation_mm", "storage_change_mm", "residual_mm",
                 "storage_change_glacier_mm", "elevation_m"):
        assert parts.values[name][0] @ area / 275.0 == pytest.approx(whole.values[name][0, 0], abs=1e-9), name
    data = books[0]
    by_hand = float(data["precipitation"].sum("time", skipna=False).mean())  # cells are equally large
    assert whole.values["precipitation_mm"][0, 0] == pytest.approx(by_hand)
    assert whole.values["precipitation_1e9m3"][0, 0] == pytest.approx(by_hand * 275e6 / 1e12)
    assert np.abs(parts.values["residual_mm"]).max() < 1e-9


def test_rivers_close_in_each_zone(books):
    table = balance_table(*books, land_cover_zones(books[1]), every="month").values
    gained = (table["runoff_1e9m3"] + table["q_in_1e9m3"] + table["river_deficit_1e9m3"]
              + table["lake_precipitation_1e9m3"])
    lost = (table["q_out_1e9m3"] + table["lake_evaporation_1e9m3"] + table["lake_withheld_1e9m3"]
            + table["river_storage_change_1e9m3"])
    assert np.abs(gained - lost).max() < 1e-12 and table["q_in_1e9m3"].max() > 0.0
    assert table["et_to_streamflow"][0, 0] == pytest.approx(
        table["et_1e9m3"][0, 0] / table["q_in_1e9m3"][0, 0])


def test_months_add_up_to_the_period(books):
    zones = domain_zone(books[1])
    whole, months = (balance_table(*books, zones, every=every) for every in ("period", "month"))
    assert months.periods.labels == ("2020-05", "2020-06")
    for name in ("precipitation_mm", "et_1e9m3", "storage_change_snow_mm", "q_out_1e9m3"):
        assert months.values[name].sum() == pytest.approx(whole.values[name].sum(), abs=1e-12), name
    cut = balance_table(*books, zones, (np.datetime64("2020-06-01"), None))
    assert cut.values["et_mm"] == pytest.approx(months.values["et_mm"][1:])
    energy = [balance_table(*books, zones, every=every, kind="energy") for every in ("period", "month")]
    assert np.average(energy[1].values["latent_heat_flux"][:, 0], weights=[5, 1]) == pytest.approx(
        energy[0].values["latent_heat_flux"].item())
    carbon = balance_table(*books, zones, kind="carbon").values
    assert abs(carbon["carbon_residual_gc"].item()) < 1e-8 < abs(carbon["net_primary_production_gc"].item())


def test_winters_begin_in_december():
    time = np.arange("2019-11", "2021-02", dtype="datetime64[M]").astype("datetime64[s]")
    records = xr.Dataset({"time_bounds": (("time", "bound"), np.stack([time[:-1], time[1:]], axis=1))})
    found = row_periods(records, every="season")
    assert found.labels == ("2019 SON", "2020 DJF", "2020 MAM", "2020 JJA", "2020 SON", "2021 DJF")
    assert str(found.start[1])[:10] == "2019-12-01" and str(found.end[1])[:10] == "2020-03-01"
    years = row_periods(records, every="mean_year")
    assert years.years == pytest.approx(427 / 365.2425) and years.sums(np.ones((14, 1))).item() == pytest.approx(
        14 / years.years)
    with pytest.raises(InputError, match="at least"):
        row_periods(records.isel(time=slice(3)), every="mean_year")
    with pytest.raises(InputError, match="no record"):
        row_periods(records, (np.datetime64("2030-01-01"), None))


def test_flow_over_borders_against_a_loop():
    rng = np.random.default_rng(2)
    index = rng.integers(-1, 3, (4, 5))
    receiver = rng.integers(-2, 20, (4, 5))
    flow = rng.random((6, 4, 5))
    inflow, outflow = flow_over_borders(flow, receiver, Zones("map", ("a", "b", "c"), index, np.ones((4, 5))))
    expected = np.zeros((2, 6, 3))
    for cell, target in enumerate(receiver.ravel()):
        here, there = index.ravel()[cell], index.ravel()[target] if target >= 0 else -1
        if here == there:
            continue
        if there >= 0:
            expected[0, :, there] += flow.reshape(6, -1)[:, cell]
        if here >= 0:
            expected[1, :, here] += flow.reshape(6, -1)[:, cell]
    assert np.allclose(inflow, expected[0]) and np.allclose(outflow, expected[1])


def test_command_keeps_the_closure_and_adds_tables(valley, command):
    code, out, err = command("diagnose", valley, "balance")
    assert code == 0, err
    found, before = json.loads(out), closure(valley / "run" / "balance.nc")
    tables = found.pop("tables")
    assert found.keys() == before.keys()
    assert found["water"]["evapotranspiration"] == before["water"]["evapotranspiration"]
    assert [(one["kind"], one["zones"]) for one in tables] == [
        (kind, zones) for kind in ("water", "energy", "carbon") for zones in ("domain", "land_cover")]
    assert len(tables[1]["rows"]) == 3 and len(tables[1]["rows"][0]["values"]) == len(tables[1]["columns"])
    folder = valley / "run" / "diagnose" / "balance"
    rows = list(csv.DictReader((folder / "water_land_cover.csv").open()))
    assert [row["zone"] for row in rows] == ["c3_crop", "glacier", "lake"]
    assert float(rows[0]["et_mm"]) == pytest.approx(tables[1]["rows"][0]["values"][
        [one["id"] for one in tables[1]["columns"]].index("et_mm")], rel=1e-8)
    assert (folder / "water_land_cover_period.png").read_bytes()[:4] == b"\x89PNG"
    code, out, _ = command("diagnose", valley, "balance", "--table", "--no-figures", "--period", "2020-05-30",
                           "2020-06-02", "--set", "diagnose.balance.every=[month]")
    assert code == 0 and "water by land cover, 2020-05-30T00:00 to 2020-06-02T00:00 UTC, by month" in out
    lines = [line for line in out.splitlines() if line.startswith("glacier")]
    assert len(lines) == 6 and "2020-06" in lines[1]


def test_zones_of_files_and_within_others(valley, tmp_path):
    ring = [[2.95, 42.95], [3.25, 42.95], [3.25, 43.15], [2.95, 43.15], [2.95, 42.95]]
    path = tmp_path / "reaches.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": "upper"}, "geometry": {"type": "Polygon", "coordinates": [ring]}},
        {"type": "Feature", "properties": {"name": "lower"}, "geometry": {"type": "MultiPolygon", "coordinates": [
            [[[one, other + 0.2] for one, other in ring]]]}}]}))
    tables = diagnosed(valley, zones="[file,file/land_cover,elevation,basin]", file=path,
                       elevation_bands="[0,700,1500]").numbers["tables"][:4]
    names = [[row["zone"] for row in one["rows"]] for one in tables]
    assert names == [["upper", "lower"], ["upper / c3_crop", "upper / glacier", "lower / c3_crop", "lower / lake"],
                     ["0-700 m", "700-1500 m"], ["basin 1"]]
    assert [row["values"][0] for row in tables[0]["rows"]] == [125.0, 150.0]
    ids = [one["id"] for one in tables[1]["columns"]]
    ratios = [row["values"][ids.index("et_to_streamflow")] for row in tables[1]["rows"]]
    volumes = [row["values"][ids.index("et_1e9m3")] for row in tables[1]["rows"]]
    inflow = tables[0]["rows"][1]["values"][[one["id"] for one in tables[0]["columns"]].index("q_in_1e9m3")]
    assert np.isnan(ratios[:2]).all() and ratios[2:] == pytest.approx([one / inflow for one in volumes[2:]])
    with xr.open_dataset(valley / "run" / "domain.nc") as domain:
        codes = np.where(domain["latitude"].values < 43.15, 7, 9).astype("i4")
    attributes = {"flag_values": np.array([7, 9], "i4"), "flag_meanings": "south north"}
    xr.Dataset({"reach": (("y", "x"), codes, attributes)}).to_netcdf(tmp_path / "reach.nc")
    (table, *_) = diagnosed(valley, zones="[file]", file=tmp_path / "reach.nc", variable="reach").numbers["tables"]
    assert [(row["zone"], row["values"][0]) for row in table["rows"]] == [("south", 125.0), ("north", 150.0)]


@pytest.mark.parametrize(("keys", "words"), [
    ({"zones": "[land]"}, "expected .*land_cover"), ({"zones": "[file]"}, "expected a file"),
    ({"every": "[week]"}, "expected .*month"), ({"every": "[mean_year]"}, "a year at least"),
    ({"elevation_bands": "[3,2]"}, "ascending"), ({"file": "zones.nc"}, "expected 'file' among the zones"),
    ({"zones": "[file]", "file": "zones.nc"}, "no such file of zones")])
def test_wrong_settings(valley, keys, words):
    with pytest.raises((ConfigError, InputError), match=words):
        diagnosed(valley, **keys)


@pytest.mark.parametrize(("content", "words"), [
    ("[", "cannot be read"), ('{"type": "FeatureCollection", "features": []}', "expected a GeoJSON"),
    ('{"type": "Point", "coordinates": [1, 2]}', "expected a Polygon"),
    ('{"type": "Polygon", "coordinates": [[["a", 2]]]}', "no rings of numbers")])
def test_wrong_polygon_files(valley, tmp_path, content, words):
    path = tmp_path / "zones.geojson"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        diagnosed(valley, zones="[file]", file=path)


def test_a_run_of_an_earlier_version_has_its_closure(valley, tmp_path):
    (tmp_path / "run").mkdir()
    for name in ("case.yaml", "balance.nc"):
        shutil.copy(valley / "run" / name, tmp_path / "run" / name)
    found = diagnosed(tmp_path)
    assert found.numbers["tables"] == [] and found.numbers["water"]["precipitation"] > 0.0 and "domain.nc" in found.text


@pytest.mark.parametrize("case", [FLOW, changed(COUPLED, {"ensemble.size": 1, "output.members": [],
                                                          "time.end": "2020-03-10T12:00"})])
def test_distributed_runs_have_one_zone(case, tmp_path):
    folder = write_case(tmp_path, case)
    run_case(load_case(folder))
    found = diagnosed(folder)
    (table,) = found.numbers["tables"]
    values = dict(zip([one["id"] for one in table["columns"]], table["rows"][0]["values"], strict=True))
    water, area = found.numbers["water"], 1e6 * values["area_km2"]
    assert values["precipitation_mm"] == pytest.approx(1000.0 * water["precipitation"] / area)
    assert values["runoff_mm"] == pytest.approx(1000.0 * (water["discharge"] + water["surface_runoff"]) / area)
    assert values["residual_mm"] == pytest.approx(1000.0 * water["water_residual"] / area, abs=1e-9)
    with pytest.raises(InputError, match="only the whole domain"):
        diagnosed(folder, zones="[land_cover]")
