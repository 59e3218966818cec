"""pyland diagnose CASE sith: the light model on the weather, leaves and soil of a run."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import xarray as xr

from cases import TWIN, write_case
from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.driver.commands.diagnosis import diagnose_topic
from pyland.driver.commands.sith import FIELD_HEAD, WILTING_HEAD, case_plants, case_soil
from pyland.driver.run import run_case
from pyland.driver.setup import prepare

CHANGES = {"ensemble": {"size": 1}, "observations": [], "assimilation": {"filter": "none"},
           "time": {"start": "2020-06-01", "end": "2020-06-13", "step": "60 min"}, "output": {"every": "6 h"}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of twelve days of six cells."""
    folder = tmp_path_factory.mktemp("sith")
    write_case(folder, {**TWIN, **CHANGES})
    run_case(load_case(folder), output=folder / "run")
    return folder


def test_model_beside_the_run(run, command):
    code, out, err = command("diagnose", run, "sith", "--json", "--no-figures")
    assert code == 0, err
    numbers = json.loads(out)
    assert numbers["days"] == 12 and numbers["cells"] == 6 and numbers["largest_residual"] < 1e-10
    terms = {row["term"]: row["sith"] for row in numbers["balance"]}
    assert terms["precipitation"] == pytest.approx(
        terms["evapotranspiration"] + terms["surface_runoff"] + terms["base_flow"] + terms["storage_change"], abs=1e-9)
    assert 5.0 < terms["evapotranspiration"] < 72.0
    assert {row["variable"].split(" [")[0] for row in numbers["scores"]} >= {"evapotranspiration", "transpiration"}


def test_daily_means_are_those_of_the_run(run):
    """Six-hourly records: rain of the forcing and evaporation of the history, by hand."""
    found = diagnose_topic(run, "sith", with_figures=True)
    assert {file.name for file in found.files} == {"sith.nc", "scores.csv", "balance.csv", "daily.csv", "sith.json",
                                                   "sith.png"}
    with (run / "run" / "diagnose" / "sith" / "daily.csv").open() as file:
        rows = list(csv.DictReader(file))
    with xr.open_dataset(run / "run" / "history.nc") as history:
        own = history["evapotranspiration"].values.reshape(12, 4, -1).mean(axis=(1, 2)) * 86400.0
    np.testing.assert_allclose([float(row["run_evapotranspiration"]) for row in rows], own, rtol=1e-4)
    setup = prepare(load_case(run), Communicator())
    day = np.datetime64("2020-06-03")
    hours = [setup.forcing.weather(day + np.timedelta64(hour, "h"), 3600.0) for hour in range(24)]
    rain = sum((one["rain"] + one["snowfall"]) * 3600.0 for one in hours).mean()
    assert float(rows[2]["precipitation"]) == pytest.approx(rain, rel=1e-4, abs=1e-6)
    with xr.open_dataset(run / "run" / "diagnose" / "sith" / "sith.nc") as data:
        assert data["evapotranspiration"].dims == ("time", "y", "x")
        np.testing.assert_allclose(data["evapotranspiration"].mean(["y", "x"]) * 86400.0,
                                   [float(row["sith_evapotranspiration"]) for row in rows], rtol=1e-4)


def test_soil_and_plants_of_the_case(run):
    setup = prepare(load_case(run), Communicator())
    soil = case_soil(setup)
    assert ((soil.wilting_point < soil.field_capacity) & (soil.field_capacity < soil.porosity)).all()
    # Clapp and Hornberger through both points
    np.testing.assert_allclose(soil.field_capacity * (WILTING_HEAD / FIELD_HEAD) ** (-1.0 / soil.exponent),
                               soil.wilting_point)
    assert (case_plants(setup, "auto").root_median == 0.598).all()  # grass
    assert (case_plants(setup, "mixed_forest").height == 15.0).all()


@pytest.mark.parametrize(("options", "message"), [
    (("--set", "diagnose.sith.plant=moss"), "moss"),
    (("--set", "diagnose.sith.optimum_temperature=270"), "expected"),
    (("--period", "2021-01-01", "2021-02-01"), "history.nc: no record lies within the period"),
    (("--set", "time.end=2021-01-01"), "expected a key of section diagnose"),
])
def test_what_does_not_go_is_said(run, command, options, message):
    code, _, err = command("diagnose", run, "sith", "--no-figures", *options)
    assert code == 2 and message in " ".join(err.split()), err


def test_settings_have_effect(run):
    one, other, wet = (diagnose_topic(run, "sith", with_figures=False, overrides=list(given)).numbers for given in (
        (), ("diagnose.sith.plant=deciduous_broadleaf_forest",), ("diagnose.sith.water_table_depth=0.5",)))
    flows = [next(row["sith"] for row in numbers["balance"] if row["term"] == "base_flow") for numbers in (one, wet)]
    assert flows[1] > 10.0 * flows[0]
    assert one["transpiration_share"]["sith"] != other["transpiration_share"]["sith"]
