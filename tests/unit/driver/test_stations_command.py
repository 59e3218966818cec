"""``pyland diagnose CASE skill`` at many stations: nearest cells, matched depths, medians, and what is refused."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import xarray as xr

from cases import TWIN, changed, write_case
from pyland.base.errors import InputError
from pyland.base.observation_reasons import MISSING, USED
from pyland.diagnose.many_stations import medians, record_means
from pyland.driver.commands.diagnosis import diagnose_topic
from pyland.observe import ObservationTable, write_table

HOURS, DAYS = 24, 20
LATITUDE, LONGITUDE = np.array([43.0, 43.1]), np.array([3.0, 3.1, 3.2])
START = np.datetime64("2020-06-01T00:00", "s")
BOUNDS = np.array([[0.0, 0.1], [0.1, 0.3]])


def heat(time, y, x):
    """Latent heat of a cell, known at any hour [W m-2]."""
    hours = (time - START) / np.timedelta64(1, "h")
    return 100.0 + 20.0 * y + 5.0 * x + 80.0 * np.sin(2.0 * np.pi * hours / 24.0) + hours / 10.0


def water(time, layer, y, x):
    """Soil water of a cell [m3 m-3]."""
    return 0.2 + 0.05 * layer + 0.01 * y + 0.02 * x + 0.02 * np.sin(((time - START) / np.timedelta64(1, "h")) / 30.0)


def write_tower(path, latitude, longitude, shift, y, x, label):
    time = START + np.arange(HOURS * DAYS) * np.timedelta64(1, "h")
    values = {"Qle": heat(time, y, x) + shift,
              "SoilMoist_10cm": 0.5 * (water(time, 0, y, x) + water(time, 1, y, x)) - 0.01}
    seconds = (time - START) / np.timedelta64(1, "s")
    xr.Dataset({name: ("time", field) for name, field in values.items()},
               {"time": ("time", seconds, {"units": "seconds since 2020-06-01"})},
               {"utc_offset_h": 0, "time_step_s": 3600, "site": label, "lat": latitude, "lon": longitude,
                "time_convention": "UTC, start of averaging interval"}).to_netcdf(path)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = write_case(tmp_path_factory.mktemp("towers"), changed(TWIN, {
        "diagnose": {"skill": {"stations": ["tower_*.nc", "probes.nc"]}}}))
    time = START + np.arange(HOURS * DAYS) * np.timedelta64(1, "h")
    place = [(y, x) for y in range(2) for x in range(3)]
    latitude, longitude = np.meshgrid(LATITUDE, LONGITUDE, indexing="ij")
    flux = np.stack([heat(time, y, x) for y, x in place], axis=1).reshape(-1, 2, 3)
    soil = np.stack([[water(time, layer, y, x) for y, x in place] for layer in range(2)])
    bounds = np.stack([time, time + np.timedelta64(1, "h")], axis=1)
    (folder / "run").mkdir()
    xr.Dataset(
        {"latent_heat_flux": (("time", "y", "x"), flux),
         "soil_water": (("time", "layer", "y", "x"), soil.transpose(2, 0, 1).reshape(-1, 2, 2, 3)),
         "time_bounds": (("time", "bound"), bounds), "layer_bounds": (("layer", "bound"), BOUNDS)},
        {"time": bounds[:, 1], "layer": BOUNDS.mean(axis=1), "latitude": (("y", "x"), latitude),
         "longitude": (("y", "x"), longitude)}).to_netcdf(folder / "run" / "history.nc")
    write_tower(folder / "tower_a.nc", 43.01, 3.02, -10.0, 0, 0, "a")  # the run is 10 W m-2 too high
    write_tower(folder / "tower_b.nc", 43.09, 3.19, 4.0, 1, 2, "b")
    write_tower(folder / "tower_c.nc", 45.0, 3.2, 0.0, 1, 2, "far")
    often = START + np.timedelta64(30, "m") + np.arange(2 * HOURS * DAYS - 1) * np.timedelta64(30, "m")
    records = START + ((often - START - np.timedelta64(1, "s")) // np.timedelta64(1, "h")) * np.timedelta64(1, "h")
    rows = {(place, top): water(records, layer, 1, 1) + 0.03 for place, (top, layer) in ((7, (0.0, 0)), (7, (0.1, 1)))}
    value = np.concatenate(list(rows.values()))
    flag = np.full(value.size, USED)
    value[5], flag[5] = 9.0, MISSING
    write_table(folder / "probes.nc", ObservationTable(
        "probes", "soil_moisture", value, np.tile(often, 2), np.full(value.size, 43.1), np.full(value.size, 3.1),
        flag=flag, location=np.full(value.size, 7), top=np.repeat([0.0, 0.1], often.size),
        bottom=np.repeat([0.1, 0.3], often.size)))
    return folder


def test_rows_of_towers_and_probes(case, command):
    code, out, err = command("diagnose", case, "skill")
    assert code == 0, err
    found = json.loads(out)
    rows = {(row["station"], row["variable"], row["step"]): row for row in found["stations"]}
    assert {station for station, _, _ in rows} == {"a", "b", "probes 7"}  # the third tower is too far
    first = rows["a", "Qle", "native"]
    assert first["cell"] == 0 and first["bias"] == pytest.approx(10.0)
    assert first["units"] == "W m-2" and rows["a", "SoilMoist_10cm", "daily"]["units"] == "m3 m-3"
    assert first["ubrmse"] == pytest.approx(0.0, abs=1e-5)
    assert first["distance_km"] == pytest.approx(1.97, abs=0.05) and first["n"] == HOURS * DAYS
    assert rows["b", "Qle", "daily"]["cell"] == 5 and rows["b", "Qle", "daily"]["bias"] == pytest.approx(-4.0)
    assert rows["b", "Qle", "daily"]["n"] == DAYS and rows["b", "Qle", "daily"]["r"] == pytest.approx(1.0)
    middle_of_layers = rows["b", "SoilMoist_10cm", "native"]  # 10 cm is between 5 and 20 cm
    weight = (0.10 - 0.05) / (0.20 - 0.05)
    assert middle_of_layers["bias"] == pytest.approx(0.05 * weight - 0.025 + 0.01)
    for depth in ("soil_moisture 0-10 cm", "soil_moisture 10-30 cm"):
        row = rows["probes 7", depth, "record"]
        assert row["bias"] == pytest.approx(-0.03) and row["r"] == pytest.approx(1.0) and row["n"] == HOURS * DAYS
    folder = case / "run" / "diagnose" / "stations"
    assert (folder / "stations.png").read_bytes()[:4] == b"\x89PNG"
    table = list(csv.DictReader((folder / "medians.csv").open()))
    flux = next(row for row in table if row["variable"] == "Qle" and row["step"] == "native")
    assert float(flux["bias"]) == pytest.approx(3.0) and flux["stations"] == "2"


def test_period_and_variables(case):
    found = diagnose_topic(case, "stations", with_figures=False, period=(START, START + np.timedelta64(5, "D")),
                           overrides=["diagnose.skill.variables=[Qle]", "diagnose.skill.least=6"])
    assert {row["variable"] for row in found.numbers["stations"]} == {"Qle"}
    assert {row["n"] for row in found.numbers["stations"]} == {5 * HOURS, 5}
    assert {row["step"]: row["stations"] for row in found.numbers["medians"]} == {"native": 2, "daily": 0}
    assert "median of 2" in found.text
    far = diagnose_topic(case, "stations", with_figures=False, overrides=["diagnose.skill.distance=300000"])
    assert {row["station"] for row in far.numbers["stations"]} == {"a", "b", "far", "probes 7"}


def test_observations_belong_to_the_record_that_they_end():
    start = START + np.arange(3) * np.timedelta64(1, "h")
    time = START + np.array([0, 1800, 3600, 7201, 20000]) * np.timedelta64(1, "s")
    found = record_means(time, np.array([9.0, 1.0, 3.0, 5.0, 7.0]), start, start + np.timedelta64(1, "h"))
    assert found == pytest.approx([2.0, np.nan, 5.0], nan_ok=True)


def test_medians_leave_out_what_is_not_there():
    rows = [{"variable": "Qle", "step": "daily", "rmse": value, "bias": value, "ubrmse": value, "r": r, "n": n,
             "mean_obs": 1.0, "std_obs": 1.0} for value, r, n in ((1.0, np.nan, 20), (3.0, 0.5, 20), (99.0, 0.9, 3))]
    (found,) = medians(rows, 10)
    assert found["stations"] == 2 and found["rmse"] == 2.0 and found["r"] == 0.5


@pytest.mark.parametrize(("stations", "words"), [
    ("[nowhere_*.nc]", "there is no file"), ("[case.yaml]", "not a readable netCDF"), ("[]", "expected station files")])
def test_files_that_are_none(case, stations, words):
    with pytest.raises(InputError, match=words):
        diagnose_topic(case, "stations", with_figures=False, overrides=[f"diagnose.skill.stations={stations}"])


def test_tables_of_other_types(case, tmp_path):
    for kind, words in (("tws", "expected observations of"), ("snow_depth", "name it in output")):
        path = tmp_path / f"{kind}.nc"
        place = np.full(3, 43.0), np.full(3, 3.0)
        write_table(path, ObservationTable("x", kind, np.ones(3), START + np.arange(3), *place))
        with pytest.raises(InputError, match=words):
            diagnose_topic(case, "stations", with_figures=False, overrides=[f"diagnose.skill.stations=[{path}]"])
