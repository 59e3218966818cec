"""pyland diagnose CASE percentiles, drought, degradation and irrigation on files of a run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from long_runs import COLUMNS, DRY_SUMMER, ROWS, SATELLITE, write_decades, write_irrigated_year

from pyland.diagnose.drought import priestley_taylor, scpdsi, spi
from pyland.driver.commands.case_files import CaseFiles


@pytest.fixture(scope="module")
def decades(tmp_path_factory):
    """Twenty years of 24 cells with a summer without rain."""
    return write_decades(tmp_path_factory.mktemp("decades") / "case", 1996, 2015, wetter=0.045)


@pytest.fixture(scope="module")
def irrigated(tmp_path_factory):
    return write_irrigated_year(tmp_path_factory.mktemp("irrigated") / "case")


def opened(folder, topic, name):
    with xr.open_dataset(folder / "run" / "diagnose" / topic / name) as data:
        return data.load()


def test_percentiles_find_the_dry_summer(decades, command):
    code, out, err = command("diagnose", decades, "percentiles", "--json")
    assert code == 0, err
    numbers = json.loads(out)
    assert numbers["climatology"] == {"from": "1996-01-01", "to": "2015-12-31", "is_of_this_run": True}
    found = numbers["variables"]["soil_water"]
    assert found["cells_with_a_climatology"] == ROWS * COLUMNS
    assert found["driest"]["end"].startswith(str(DRY_SUMMER)) and found["driest"]["area"]["D4"] > 0.9
    longest = found["events"]["longest"][0]
    assert longest["first"] < f"{DRY_SUMMER}-07-01" < longest["last"] and longest["records"] > 120
    # the run is its own climatology; a class of 2 % is one or two of twenty years
    shares = found["share_of_records"]
    assert shares["D0"] == pytest.approx(0.30, abs=0.02) and 0.002 < shares["D4"] < 0.035
    data = opened(decades, "percentiles", "percentiles.nc")
    assert data["soil_water_percentile"].dims == ("time", "y", "x") and data.attrs["Conventions"].startswith("CF-")
    assert data["soil_water_drought_class"].attrs["flag_meanings"].split()[:3] == ["unknown", "none", "D0"]
    summer = data.sel(time=f"{DRY_SUMMER}-08")
    assert float(summer["soil_water_percentile"].max()) < 5.0
    assert float(summer["soil_water_standardised_anomaly"].max()) < -1.0
    folder = decades / "run" / "diagnose" / "percentiles"
    assert {path.name for path in folder.iterdir()} >= {
        "percentiles.nc", "climatology.nc", "drought_area.csv", "drought_events.csv", "percentiles_soil_water.png"}


def test_a_short_run_needs_the_climatology_of_a_long_one(decades, tmp_path, command):
    command("diagnose", decades, "percentiles", "--no-figures")
    short = write_decades(tmp_path / "short", 2003, 2003)
    code, _, err = command("diagnose", short, "percentiles")
    assert code == 2 and "has at most 1" in err and "diagnose.percentiles.climatology" in err
    usual = decades / "run" / "diagnose" / "percentiles" / "climatology.nc"
    code, out, err = command("diagnose", short, "percentiles", "--json", "--no-figures", "--set",
                             f"diagnose.percentiles.climatology={usual}")
    assert code == 0, err
    numbers = json.loads(out)
    assert not numbers["climatology"]["is_of_this_run"] and numbers["climatology"]["to"] == "2015-12-31"
    assert not (short / "run" / "diagnose" / "percentiles" / "climatology.nc").exists()
    code, _, err = command("diagnose", short, "percentiles", "--set", f"diagnose.percentiles.climatology={usual}",
                           "--set", "diagnose.percentiles.half_width=5")
    assert code == 2 and "the file says it" in err


def test_shares_are_of_the_area(tmp_path, command, monkeypatch):
    import pyland.driver.commands.run_fields as module

    case = write_decades(tmp_path / "case", 2002, 2004)
    (case / "run" / "domain.nc").touch()
    sizes = np.ones((ROWS, COLUMNS))
    sizes[0, 0] = 77.0  # of 100
    monkeypatch.setattr(module, "read_domain_fields", lambda folder: xr.Dataset({"cell_area": (("y", "x"), sizes)}))
    code, _, err = command("diagnose", case, "percentiles", "--no-figures", "--set",
                           "diagnose.percentiles.least_years=2", "--set", "diagnose.percentiles.step=30")
    assert code == 0, err
    data = opened(case, "percentiles", "percentiles.nc")
    rows = np.loadtxt(case / "run" / "diagnose" / "percentiles" / "drought_area.csv", delimiter=",", skiprows=1,
                      usecols=range(2, 7))
    severe = data["soil_water_drought_class"].values >= 3
    assert np.allclose(rows[:, 2], (severe * sizes).sum(axis=(1, 2)) / 100.0, atol=1e-5)


@pytest.fixture
def unequal(monkeypatch):
    """Cells of different size in the domain file of any run: the first has 77 of 100 parts."""
    import pyland.driver.commands.run_fields as module

    sizes = np.ones((ROWS, COLUMNS))
    sizes[0, 0] = 77.0
    found = CaseFiles.find
    monkeypatch.setattr(CaseFiles, "find", lambda files, name: (
        files.run_dir if name == "domain.nc" else found(files, name)))
    monkeypatch.setattr(module, "read_domain_fields", lambda folder: xr.Dataset({"cell_area": (("y", "x"), sizes)}))
    return sizes


def test_means_of_indices_states_and_irrigation_are_those_of_the_area(decades, irrigated, unequal, command):
    code, out, err = command("diagnose", decades, "drought", "--json", "--no-figures", "--set",
                             "diagnose.drought.indices=[spi]", "--set", "diagnose.drought.scales=[1]")
    assert code == 0, err
    index = opened(decades, "drought", "drought.nc")["spi"].values[0]
    mean = (index * unequal).sum(axis=(1, 2)) / 100.0
    found = json.loads(out)["indices"]["spi_1"]
    assert found["driest"]["mean"] == pytest.approx(mean.min(), abs=1e-5)
    assert found["share_in_drought"] == pytest.approx((((index <= -1.0) * unequal).sum() / unequal.sum()) / len(index))
    rows = np.loadtxt(decades / "run" / "diagnose" / "drought" / "drought.csv", delimiter=",", skiprows=1, usecols=1)
    assert np.allclose(rows, mean, atol=1e-5)
    code, out, err = command("diagnose", decades, "degradation", "--json", "--no-figures")
    assert code == 0, err
    numbers = json.loads(out)  # the two northern rows, with the large cell, are restored
    assert numbers["states"]["restoration"] == pytest.approx(0.88) and numbers["trends"]["npp"]["rising"] == 0.88
    code, out, err = command("diagnose", irrigated, "irrigation", "--json", "--no-figures")
    assert code == 0, err
    water = opened(irrigated, "irrigation", "irrigation.nc")["irrigation_increments"].values[0]
    assert json.loads(out)["methods"]["increments"]["seasons"]["2021"] == pytest.approx((water * unequal).sum() / 100.0)


def test_depth_is_the_mean_over_layers(decades, command):
    code, _, err = command("diagnose", decades, "percentiles", "--no-figures", "--set",
                           "diagnose.percentiles.depth=[0.1, 0.8]", "--period", "1996-01-01", "2016-01-01")
    assert code == 0, err
    data = opened(decades, "percentiles", "percentiles.nc")
    assert data["time"].values[-1] == np.datetime64("2016-01-01")
    with xr.open_dataset(decades / "run" / "history.nc") as history:
        soil = history["soil_water"].sel(time=["1996-07-01", "1997-07-01", "1998-07-01"]).values
    anomaly = data["soil_water_anomaly"].sel(time=["1996-07-01", "1997-07-01", "1998-07-01"]).values
    wanted = (0.3 * soil[:, 1] + 0.4 * soil[:, 2]) / 0.7
    assert np.allclose(np.diff(anomaly, axis=0), np.diff(wanted, axis=0), atol=1e-6)
    code, _, err = command("diagnose", decades, "percentiles", "--set", "diagnose.percentiles.depth=[3, 4]")
    assert code == 2 and "ends at 1.2 m" in err


def test_drought_indices_of_a_run(decades, command):
    code, out, err = command("diagnose", decades, "drought", "--json", "--set", "diagnose.drought.scales=[1, 6]")
    assert code == 0, err
    found = json.loads(out)["indices"]
    assert set(found) == {"spi_1", "spi_6", "spei_1", "spei_6", "scpdsi", "scphdi", "scpmdi", "scz"}
    assert all(one["cells"] == ROWS * COLUMNS for one in found.values())
    assert found["spi_6"]["driest"]["month"].startswith(str(DRY_SUMMER)) and found["spi_6"]["driest"]["mean"] < -2.5
    assert found["scpdsi"]["driest"]["month"][:4] in (str(DRY_SUMMER), str(DRY_SUMMER + 1))
    # the file has what the functions give for monthly sums of the files of the run
    data = opened(decades, "drought", "drought.nc")
    with xr.open_dataset(decades / "run" / "balance.nc") as balance, xr.open_dataset(
            decades / "run" / "history.nc") as history:
        rate = priestley_taylor(history["net_radiation"] - history["ground_heat_flux"], history["air_temperature"],
                                history["surface_pressure"])
        middle = balance["time"].values - np.timedelta64(12, "h")
        month = middle.astype("datetime64[M]")
        begins = np.flatnonzero(np.diff(month.astype(int), prepend=-1))
        rain = np.add.reduceat(balance["precipitation"].values.astype(float), begins, axis=0)
        demand = np.add.reduceat(86400.0 * rate, begins, axis=0)
    months = month[begins]
    assert np.allclose(data["spi"].sel(scale=6), spi(rain, months, 6), atol=1e-4, equal_nan=True)
    palmer = scpdsi(rain, demand, months, capacity=150.0)
    assert np.allclose(data["scpdsi"], palmer.pdsi, atol=1e-3)
    assert np.array_equal(data["time"].values, (months + 1).astype("datetime64[ns]"))


def test_water_of_the_run_in_place_of_the_bucket(decades, command):
    code, out, err = command("diagnose", decades, "drought", "--json", "--no-figures", "--set",
                             "diagnose.drought.water=model", "--set", "diagnose.drought.indices=[scpdsi]", "--set",
                             "diagnose.drought.potential=penman_monteith", "--set",
                             "diagnose.drought.calibration=[1996, 2010]")
    assert code == 0, err
    found = json.loads(out)["indices"]
    assert found["scpdsi"]["cells"] == ROWS * COLUMNS and found["scpdsi"]["driest"]["mean"] < -3.0
    data = opened(decades, "drought", "drought.nc")
    assert data["scpdsi"].attrs["water"] == "model" and "scale" not in data.dims


def test_missing_variables_and_wrong_settings_are_told(tmp_path, command):
    case = write_decades(tmp_path / "case", 2000, 2000)
    with xr.open_dataset(case / "run" / "history.nc") as source:
        less = source.drop_vars("air_temperature").load()
    less.to_netcdf(case / "run" / "history.nc")
    code, _, err = command("diagnose", case, "drought")
    assert code == 2 and "air_temperature" in err and "output.variables" in err
    code, _, err = command("diagnose", case, "drought", "--set", "diagnose.drought.indices=[spi]", "--period",
                           "2000-01-03", "2000-01-20")
    assert code == 2 and "no whole calendar month" in err
    code, _, err = command("diagnose", case, "drought", "--set", "diagnose.drought.indices=[spi]")
    assert code == 2 and "no cell has an index of its months 2000-01 to 2000-12" in err
    code, _, err = command("diagnose", case, "drought", "--set", "diagnose.drought.indices=[pdsi]")
    assert code == 2 and "expected a list of spi, spei or scpdsi" in err
    code, _, err = command("diagnose", case, "drought", "--set", "diagnose.drought.scales=[1.5]")
    assert code == 2 and "expected whole numbers" in err
    code, _, err = command("diagnose", case, "drought", "--set", "time.step=1 h")
    assert code == 2 and "section diagnose" in err


def test_degradation_finds_where_productivity_falls(decades, command):
    code, out, err = command("diagnose", decades, "degradation", "--json")
    assert code == 0, err
    numbers = json.loads(out)
    assert numbers["years"] == [1996, 2015] and numbers["cells"] == ROWS * COLUMNS
    data = opened(decades, "degradation", "degradation.nc")
    names = dict(zip(data["degradation_state"].attrs["flag_meanings"].split(),
                     data["degradation_state"].attrs["flag_values"], strict=True))
    state = data["degradation_state"].values
    assert (state[:2] == names["restoration"]).all() and (state[2:] == names["degradation"]).all()
    assert numbers["states"] == {"degradation": 0.5, "fluctuation": 0.0, "restoration": 0.5}
    assert set(numbers["rain_use"]) == {"degraded", "recovering", "mature", "reference"}
    assert (data["change_by_time"].values[:2] > 0.0).all() and (data["change_by_time"].values[2:] < 0.0).all()
    assert float(data["relative_rain_use_mean"].min()) >= 0.0
    code, _, err = command("diagnose", decades, "degradation", "--period", "1996-01-01", "1999-01-01")
    assert code == 2 and "too few for a trend" in err


def test_irrigation_is_found_where_it_is(irrigated, command):
    mask = f"diagnose.irrigation.mask={irrigated / 'mask.nc'}"
    code, out, err = command("diagnose", irrigated, "irrigation", "--json", "--set", mask)
    assert code == 0, err
    found = json.loads(out)["methods"]
    # 300 kg m-2: all of it by increments and inversion; 30 % drains and is not seen by differences
    assert found["increments"]["seasons"]["2021"] == pytest.approx(300.0, abs=1.0)
    assert found["inversion"]["seasons"]["2021"] == pytest.approx(300.0, abs=3.0)
    assert found["differences"]["seasons"]["2021"] == pytest.approx(210.0, abs=3.0)
    assert all(one["share_significant"] == 1.0 and one["noise"]["cells"] == 12 for one in found.values())
    # the noise of a season is that of two observations: sqrt(2) 0.02 x 100 kg m-2
    assert found["inversion"]["noise"]["deviation"] == pytest.approx(2.8, rel=0.5)
    assert 0.4 < found["increments"]["twin_recovery"] < 0.8
    data = opened(irrigated, "irrigation", "irrigation.nc")
    assert data["irrigation_inversion"].dims == ("season", "y", "x") and data["season"].values.tolist() == [2021]
    assert (data["irrigation_increments_is_significant"].values[0] == (np.arange(COLUMNS) < 3)).all()
    assert (irrigated / "run" / "diagnose" / "irrigation" / "irrigation.png").exists()


def test_without_a_mask_the_errors_give_the_noise(irrigated, command):
    code, out, err = command("diagnose", irrigated, "irrigation", "--json", "--no-figures")
    assert code == 0, err
    noise = json.loads(out)["methods"]["inversion"]["noise"]
    assert noise == {"mean": 0.0, "deviation": pytest.approx(np.sqrt(2.0) * 0.02 * 100.0), "cells": 0}


@pytest.mark.parametrize("scaling", ["cdf", "mean_std"])
def test_matched_observations_are_refused(tmp_path, command, scaling):
    case = write_irrigated_year(tmp_path / "case", observations=[{**SATELLITE, "scaling": scaling}],
                                ensemble={"size": 4}, assimilation={
                                    "filter": "letkf", "open_loop": True, "localization": {"radius": "10 km"}})
    code, _, err = command("diagnose", case, "irrigation")
    assert code == 2 and "takes irrigation out of them" in err
    code, out, err = command("diagnose", case, "irrigation", "--json", "--no-figures", "--set",
                             "diagnose.irrigation.accept_scaled=true")
    assert code == 0 and "remainder" in json.loads(out)["warning"], err


def test_a_run_that_irrigates_has_nothing_to_find(tmp_path, command):
    case = write_irrigated_year(tmp_path / "case")
    with xr.open_dataset(case / "run" / "balance.nc") as source:
        wet = source.load()
    wet["irrigation"] = wet["irrigation"] + 1.0
    wet.to_netcdf(case / "run" / "balance.nc")
    code, _, err = command("diagnose", case, "irrigation")
    assert code == 2 and "the run itself irrigates" in err


def test_files_keep_the_cf_conventions(decades, irrigated, command, tmp_path):
    pytest.importorskip("compliance_checker", reason="extra `crosscheck`: other people's reading of the conventions")
    from compliance_checker.runner import CheckSuite, ComplianceChecker

    CheckSuite.load_all_available_checkers()
    for case, topic in ((decades, "percentiles"), (decades, "drought"), (decades, "degradation"),
                        (irrigated, "irrigation")):
        assert command("diagnose", case, topic, "--no-figures")[0] == 0
        for path in sorted((case / "run" / "diagnose" / topic).glob("*.nc")):
            report = tmp_path / f"{path.name}.txt"
            ComplianceChecker.run_checker(str(path), ["cf:1.11"], 0, "normal", output_filename=str(report),
                                          output_format="text")
            # "must" and "should" of the conventions; an index of months has its scale before time
            found = report.read_text().partition("Errors")[2].partition("Warnings")[0]
            assert not found.strip(), report.read_text()
