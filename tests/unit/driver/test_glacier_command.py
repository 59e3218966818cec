"""``pyland diagnose CASE glacier`` on a history that is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from cases import TWIN, changed, write_case
from pyland.base.errors import InputError
from pyland.driver.commands.diagnosis import diagnose_topic
from pyland.output.domain_fields import write_domain_fields
from pyland.output.grid import OutputGrid

DOCS = Path(__file__).resolve().parents[3] / "docs"
LINE, GRADIENT = 4700.0, 0.005
HEIGHT = np.array([4400.0, 4600.0, 4800.0, 5200.0, 3000.0, 4500.0])
SHARE = np.array([0.5, 0.25, 0.25, 0.1, 0.0, 0.5])


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Two mass-balance years whose winter gains 1 m everywhere; the second loses half a metre more."""
    folder = write_case(tmp_path_factory.mktemp("ice"), changed(TWIN, {"domain.nx": 3, "domain.ny": 2}))
    run = folder / "run"
    latitude, longitude = 33.0 + 0.1 * np.arange(6), 92.0 + 0.1 * np.arange(6)
    grid = OutputGrid(latitude, longitude, shape=(2, 3))
    write_domain_fields(run, grid, {"cell_area": np.full(6, 1e7), "elevation": HEIGHT, "glacier_fraction": SHARE}, {})
    start = np.arange("2019-10-01", "2021-10-01", dtype="datetime64[D]").astype("datetime64[s]")
    month = start.astype("datetime64[M]").astype(int) % 12 + 1
    summer = (month >= 5) & (month <= 9)
    annual = GRADIENT * (HEIGHT - LINE) - 0.5 * (start >= np.datetime64("2020-10-01"))[:, None]
    length = np.where(start < np.datetime64("2020-10-01"), 213.0, 212.0)
    rate = np.where(summer[:, None], (annual - 1.0) / 153.0, (1.0 / length)[:, None]) * 1000.0 / 86400.0
    warm = np.where(summer, 275.15, 263.15)
    fields = {"glacier_mass_balance": np.where(SHARE > 0.0, rate, np.nan),
              "air_temperature": np.repeat(warm[:, None], 6, axis=1),
              "snowfall": np.repeat(np.where(summer, 0.0, 1.0 / 86400.0)[:, None], 6, axis=1)}
    bounds = np.stack([start, start + np.timedelta64(1, "D")], axis=1)
    xr.Dataset({name: (("time", "y", "x"), values.reshape(-1, 2, 3)) for name, values in fields.items()}
               | {"time_bounds": (("time", "bound"), bounds)}, {"time": bounds[:, 1]}).to_netcdf(run / "history.nc")
    return folder


def test_years_bands_and_line(case, command):
    code, out, err = command("diagnose", case, "glacier", "--set", "diagnose.glacier.band=200",
                             "--set", "diagnose.glacier.degree_day={snow: 4.5, ice: 8}")
    assert code == 0, err
    found = json.loads(out)
    first, second = found["years"]
    area, annual = SHARE * 10.0, GRADIENT * (HEIGHT - LINE)
    mean = float((area * annual).sum() / area.sum())
    assert found["glacier_area_km2"] == pytest.approx(16.0) and first["year"] == "2019/20"
    assert first["winter"] == pytest.approx(1.0) and first["annual"] == pytest.approx(mean)
    assert second["annual"] == pytest.approx(mean - 0.5) and second["summer"] == pytest.approx(mean - 1.5)
    assert first["equilibrium_line_m"] == pytest.approx(LINE)
    assert second["equilibrium_line_m"] == pytest.approx(LINE + 100.0)
    assert first["accumulation_area_ratio"] == pytest.approx(3.5 / 16.0)
    snow, warmth = 213.0, 2.0 * 153.0
    expected = (snow - snow - 8.0 * (warmth - snow / 4.5)) / 1000.0
    assert first["degree_day_annual"] == pytest.approx(expected)
    assert [(row["from_m"], row["glacier_km2"]) for row in found["bands"]] == [
        (4400.0, 10.0), (4600.0, 2.5), (4800.0, 2.5), (5200.0, 1.0)]
    assert found["bands"][0]["2019/20"] == pytest.approx(GRADIENT * (4450.0 - LINE))
    folder = case / "run" / "diagnose" / "glacier"
    assert float(next(csv.DictReader((folder / "years.csv").open()))["winter"]) == pytest.approx(1.0)
    assert (folder / "glacier.png").read_bytes()[:4] == b"\x89PNG"


def test_published_balances_beside_the_run(case):
    found = diagnose_topic(case, "glacier", with_figures=False, overrides=[
        f"diagnose.glacier.published={DOCS / 'guide' / 'published_glaciers.csv'}"])
    rows = found.numbers["published"]
    assert [row["balance"] for row in rows] == [-0.48, -0.95, -0.16, -0.45, -0.23, -0.29]
    assert [row["run_here"] for row in rows[:2]] == pytest.approx([np.nan, np.nan], nan_ok=True)
    assert rows[2]["run_here"] == pytest.approx(GRADIENT * (4400.0 - LINE) - 0.25) and rows[2]["distance_km"] < 10.0
    assert "East Tanggula" in found.text and rows[0]["run_mean"] == rows[2]["run_mean"]


@pytest.mark.parametrize(("text", "words"), [
    (None, "no such table"), ("name,period,balance\na,b,1\n", "lacks latitude"),
    ("name,period,balance,latitude,longitude\na,b,x,1,2\n", "no number")])
def test_wrong_tables(case, tmp_path, text, words):
    path = tmp_path / "table.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=words):
        diagnose_topic(case, "glacier", with_figures=False, overrides=[f"diagnose.glacier.published={path}"])


def test_runs_without_what_it_needs(case, tmp_path):
    run = write_case(tmp_path) / "run"
    data, grid = xr.load_dataset(case / "run" / "history.nc"), OutputGrid(np.zeros(6), np.zeros(6), shape=(2, 3))
    fields = {"cell_area": np.ones(6), "elevation": HEIGHT}
    write_domain_fields(run, grid, fields, {})
    data.drop_vars("glacier_mass_balance").to_netcdf(run / "history.nc")
    with pytest.raises(InputError, match="no glaciers"):
        diagnose_topic(tmp_path, "glacier")
    write_domain_fields(run, grid, fields | {"glacier_fraction": SHARE}, {})
    with pytest.raises(InputError, match=r"name it in output\.variables"):
        diagnose_topic(tmp_path, "glacier")
    with pytest.raises(InputError, match="no record"):
        diagnose_topic(case, "glacier", period=(np.datetime64("2030-01-01"), None))
