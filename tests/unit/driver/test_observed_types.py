"""Runs that observe every type: twins see the truth, predictions are what the model has, the filter learns."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from observed_cases import EVERY_TYPE, seen

from cases import TWIN, arrays, assert_same_run, changed, write_case
from pyland.base.errors import ConfigError
from pyland.base.observation_reasons import FROZEN, SNOW
from pyland.config import load_case
from pyland.driver.run import run_case
from pyland.observe import read_observations


@pytest.fixture(scope="module")
def every_type(tmp_path_factory):
    folder = write_case(tmp_path_factory.mktemp("every_type"), EVERY_TYPE)
    run_case(load_case(folder))
    return folder / "run"


def streams(run):
    with netCDF4.Dataset(run / "analysis.nc") as data:
        names = data["stream"].flag_meanings.split()
    found = arrays(run / "analysis.nc")
    return {name: {key: values[found["stream"] == code] for key, values in found.items()
                   if values.shape[:1] == found["stream"].shape} for code, name in enumerate(names)}


def test_every_type_is_used(every_type):
    found = streams(every_type)
    assert set(found) == {one["name"].replace(" ", "_") for one in EVERY_TYPE["observations"]}
    for name, one in found.items():
        used = one["used"] == 1
        assert used.any() and np.isfinite(one["prior_mean"]).all(), name
        if name != "snow_cover":
            assert used.all(), name


@pytest.mark.parametrize(("kind", "update", "parameters"), [
    ("snow_water", ["snow_mass"], {}), ("snow_depth", ["snow_mass"], {}),
    ("lai", ["snow_mass"], {"leaf_area_index": {}}),
    ("tws", ["soil_water"], {}),
])
def test_an_analysis_comes_closer_to_what_it_sees(tmp_path, kind, update, parameters):
    """One accurate type alone, and what it sees in the state: the residuals are well below the innovations."""
    entry = next(one for one in EVERY_TYPE["observations"] if one["type"] == kind)
    warm = {"time.start": "2020-05-01", "time.end": "2020-05-03", "land": {}, "time.spinup": {},
            "domain.latitude": 43.3, "forcing.generator": {"climate": "temperate", "seed": 3}}
    if kind == "tws":  # where nothing is frozen, soil water is what differs
        entry = entry | {"operator": {"baseline_start": "2020-05-01", "baseline_end": "2020-05-03"}}
    case = changed(EVERY_TYPE, {
        "observations": [entry | {"error": 1e-3 * entry["error"], "footprint": 0.0}], "assimilation.update": update,
        "assimilation.parameters": parameters, "time.end": "2020-01-11", "ensemble.size": 12,
        "assimilation.localization": {"radius": "500 m", "taper": "none"}} | (warm if kind == "tws" else {}))
    run_case(load_case(write_case(tmp_path, case)))
    one = streams(tmp_path / "run")[kind]
    assert (one["prior_spread"] > 20.0 * one["error"]).any()
    assert np.abs(one["residual"]).mean() < 0.3 * np.abs(one["innovation"]).mean()
    assert one["posterior_spread"].mean() < 0.2 * one["prior_spread"].mean()


def test_twins_see_the_truth(tmp_path):
    """Without noise, what is observed is what the truth of that step holds."""
    entries = [one | {"error": 1e-9 * one["error"]} for one in EVERY_TYPE["observations"]
               if one["name"] in ("snow_water", "snow_depth", "lai", "discharge")]
    entries.append(seen("lst", 1e-9))
    case = changed(EVERY_TYPE, {
        "observations": entries, "time.end": "2020-01-11", "output.every": "60 min", "assimilation.open_loop": False,
        "output.variables": ["snow_mass", "snow_depth", "leaf_area_index", "discharge", "radiative_temperature"]})
    run_case(load_case(write_case(tmp_path, case)))
    truth = arrays(tmp_path / "run" / "truth.nc")
    names = {"snow_water": "snow_mass", "snow_depth": "snow_depth", "lai": "leaf_area_index",
             "lst": "radiative_temperature", "discharge": "discharge"}
    for one in read_observations(tmp_path / "run" / "observations.nc"):
        record = int((one.time - np.datetime64("2020-01-10", "s")) / np.timedelta64(1, "h")) - 1
        expected = truth[names[one.type]][record].reshape(-1)[one.cells[:, 0]]
        if one.type != "discharge":  # a history holds the mean over the interval
            assert one.values == pytest.approx(expected, rel=2e-6), one.name


@pytest.mark.parametrize(("entry", "message"), [
    ({"type": "lst"}, r"error.*expected the error of lst \[K\], got nothing"),
    ({"type": "lst", "error": 1, "operator": {"sif_yield": 1}},
     "expected no sif_yield with type: lst; it belongs to sif"),
    ({"type": "lst", "error": 1, "operator": {"method": "niu_yang"}}, "expected model or two_source with type: lst"),
    ({"type": "lst", "error": 1, "operator": {"incidence_angle": 4}},
     "expected method: two_source with incidence_angle"),
    ({"type": "lai", "error": 1}, "leaf area is prescribed"),
    ({"type": "tws", "error": 5}, "expected scaling: mean or operator.baseline_start"),
    ({"type": "discharge", "error": 5}, "expected a rivers.scheme"),
    ({"type": "sif", "error": 0.1, "depth": [0, 0.1]}, "expected no depth with type: sif"),
    ({"type": "crns", "error": 10}, "'crns' is not available"),
])
def test_what_does_not_fit_is_refused(tmp_path, entry, message):
    case = changed(TWIN, {"observations": [{"name": "one", "every": "12 h", "twin": {"seed": 7}} | entry]})
    with pytest.raises(ConfigError, match=message):
        load_case(write_case(tmp_path, case))


def test_snow_frost_and_rain_are_reasons(tmp_path):
    """A cold case: every probe lies under snow and in frozen ground; the first rule that holds gives the reason."""
    probe = seen("soil_moisture", 0.02) | {"every": "12 h"}
    entries = [probe | {"name": name, "quality": {"max_innovation": None} | rules} for name, rules in (
        ("snowed", {"snow": 0.1}), ("frosted", {"frozen": 300.0, "snow": 0.1}), ("dry", {"rain": 0.0}))]
    case = changed(EVERY_TYPE, {"observations": entries, "time.end": "2020-01-11", "rivers": {"scheme": "none"},
                                "output.variables": ["soil_water"], "assimilation.parameters": {},
                                "assimilation.update": ["soil_water"]})
    run_case(load_case(write_case(tmp_path, case)))
    found = {name: one["rejection"] for name, one in streams(tmp_path / "run").items()}
    assert (found["snowed"] == SNOW).all() and (found["frosted"] == FROZEN).all() and (found["dry"] == 0).all()


@pytest.mark.slow
def test_a_restart_has_the_same_bits(tmp_path):
    """Without tws, whose anomalies are those of the whole period."""
    case = changed(EVERY_TYPE, {"observations": [one for one in EVERY_TYPE["observations"] if one["type"] != "tws"]})
    whole, parts = (write_case(tmp_path / name, case) for name in ("whole", "parts"))
    run_case(load_case(whole))
    run_case(load_case(parts, ["time.end=2020-01-11T05:00"]))
    run_case(load_case(parts), resume=True)
    assert_same_run(whole / "run", parts / "run")
