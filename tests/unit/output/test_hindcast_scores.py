"""Files of the skill of past forecasts, and the figures made of them."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.hindcast import Forecast, HindcastRecord
from pyland.diagnose.hindcast_sums import SCORES
from pyland.output.hindcast_scores import write_hindcast_maps, write_hindcast_table

START = np.datetime64("2020-06-01", "s")
DAY = np.timedelta64(86400, "s")


@pytest.fixture(scope="module")
def record():
    """Twelve days of forecasts over 1 and 2 days at five places, the last of which never has an analysis."""
    rng = np.random.default_rng(1)
    states = 0.25 + 0.05 * rng.normal(size=(13, 5))
    states[:, 4] = np.nan
    out = HindcastRecord()
    for day in range(1, 13):
        forecasts = [Forecast(START + (day - lead) * DAY, states[day] + 0.02 * rng.normal(size=(4, 5)),
                              states[day - lead]) for lead in (1, 2) if day >= lead]
        out.verify("soil_water_0_5cm", START + day * DAY, states[day], forecasts, climatology=np.full(5, 0.25))
    return out


def write(record, folder, grid):
    name = "soil_water_0_5cm"
    return write_hindcast_maps(folder / "skill.nc", name, "m3 m-3", record.scores(name), record.table(name), SCORES,
                               grid, period=record.period(name), attrs={"config_hash": "abc"})


def test_maps_hold_every_score_in_its_place(record, grid, tmp_path):
    with xr.open_dataset(write(record, tmp_path, grid), decode_timedelta=False) as data:
        scores = record.scores("soil_water_0_5cm")
        assert data["rmse"].dims == ("lead", "y", "x") and data["rmse"].attrs["units"] == "m3 m-3"
        assert data["skill_persistence"].attrs["units"] == "1"
        assert data["lead"].attrs["standard_name"] == "forecast_period"
        np.testing.assert_array_equal(data["lead"], [86400.0, 172800.0])
        for name, values in scores.items():
            got = data[name].values.reshape(2, 6)[:, [0, 1, 2, 3, 5]]
            np.testing.assert_allclose(got, values, rtol=1e-6, err_msg=name)
            expected = [row[name] for row in record.table("soil_water_0_5cm")]
            np.testing.assert_allclose(data[f"{name}_all"], expected, rtol=1e-15)
        assert np.isnan(data["rmse"].values[:, 1, 2]).all()  # no analysis there
        assert np.isnan(data["n"].values[:, 1, 1]).all()  # no cell of the run
        assert data.attrs["time_coverage_start"] == "2020-06-02T00:00:00"
        assert data.attrs["time_coverage_end"] == "2020-06-13T00:00:00"


def test_table_is_read_back(record, tmp_path):
    rows = record.table("soil_water_0_5cm")
    path = write_hindcast_table(tmp_path / "skill.csv", {"soil_water_0_5cm": rows, "empty": []})
    with path.open(encoding="utf-8") as stream:
        got = list(csv.DictReader(stream))
    assert [one["lead_hours"] for one in got] == ["24", "48"] and set(got[0]) == {"quantity", "lead_hours", *SCORES}
    assert float(got[1]["rmse"]) == pytest.approx(rows[1]["rmse"], rel=1e-5)


def test_scores_of_other_leads_are_refused(record, grid, tmp_path):
    name = "soil_water_0_5cm"
    with pytest.raises(InputError, match="scores at the 1 lead times of the table"):
        write_hindcast_maps(tmp_path / "x.nc", name, "m3 m-3", record.scores(name), record.table(name)[:1], SCORES,
                            grid)


def test_figures_of_a_grid(record, grid, tmp_path):
    from pyland.view.hindcast_skill import plot_hindcast_maps, plot_hindcast_skill

    source = write(record, tmp_path, grid)
    assert plot_hindcast_skill(source, tmp_path / "skill.png").stat().st_size > 20000
    assert plot_hindcast_maps(source, tmp_path / "maps.png", lead=86400.0).stat().st_size > 20000


@pytest.mark.slow
def test_figure_of_stations(record, grid, tmp_path):
    from pyland.output.grid import OutputGrid
    from pyland.view.hindcast_skill import plot_hindcast_maps

    stations = OutputGrid(grid.latitude, grid.longitude, names=tuple("abcde"))
    assert plot_hindcast_maps(write(record, tmp_path, stations), tmp_path / "places.png").stat().st_size > 20000


def test_nothing_to_draw_is_a_sentence(grid, tmp_path):
    from pyland.view.hindcast_skill import plot_hindcast_skill

    empty = HindcastRecord()
    empty.verify("soil_water_0_5cm", START, np.zeros(5), [])
    with pytest.raises(InputError, match="no forecast has been verified yet"):
        plot_hindcast_skill(write(empty, tmp_path, grid), tmp_path / "skill.png")
