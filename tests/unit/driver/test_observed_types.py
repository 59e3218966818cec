"""Runs that observe every type: twins see the truth, predictions are what the model has, the filter learns."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from columns import random_columns
from observed_cases import EVERY_TYPE, MICROWAVE, seen

from cases import TWIN, arrays, assert_same_run, changed, write_case
from pyland.base.errors import ConfigError, InputError
from pyland.base.observation_reasons import FROZEN, SNOW
from pyland.config import load_case
from pyland.config.observation_operators import DEFAULTS
from pyland.driver.analysis.observed_fields import observed_field
from pyland.driver.rivers.gauge_cells import on_rivers, river_cells
from pyland.driver.run import run_case
from pyland.observe import (
    ObservationSet,
    ObservationTable,
    TargetCells,
    read_observations,
    read_table,
    water_storage,
    write_table,
)
from pyland.observe.microwave import BACKSCATTER_SETTINGS, EMISSION_SETTINGS
from pyland.observe.neutrons.operator import SETTINGS


@pytest.fixture(scope="module")
def every_type(tmp_path_factory):
    """One day, whose mean of stored water is that of the same day."""
    entries = [one | {"operator": {"baseline_start": "2020-01-10", "baseline_end": "2020-01-11"}}
               if one["type"] == "tws" else one for one in EVERY_TYPE["observations"]]
    case = changed(EVERY_TYPE, {"observations": entries, "time.end": "2020-01-11"})
    folder = write_case(tmp_path_factory.mktemp("every_type"), case)
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
    ("snow_water", ["snow_mass"], {}), pytest.param("snow_depth", ["snow_mass"], {}, marks=pytest.mark.slow),
    ("lai", ["snow_mass"], {"leaf_area_index": {}}),
    ("tws", ["soil_water"], {}), ("crns", ["soil_water"], {}),
])
def test_an_analysis_comes_closer_to_what_it_sees(tmp_path, kind, update, parameters):
    """One accurate type alone, and what it sees in the state: the residuals are well below the innovations."""
    entry = next(one for one in EVERY_TYPE["observations"] if one["type"] == kind)
    warm = {"time.start": "2020-05-01", "time.end": "2020-05-03", "land": {}, "time.spinup": {},
            "domain.latitude": 43.3, "forcing.generator": {"climate": "temperate", "seed": 3}}
    if kind == "crns":  # an analysis or two are enough
        warm["time.end"] = "2020-05-02"
    if kind == "tws":  # where nothing is frozen, soil water is what differs
        entry = entry | {"operator": {"baseline_start": "2020-05-01", "baseline_end": "2020-05-03"}}
    case = changed(EVERY_TYPE, {
        "observations": [entry | {"error": 1e-3 * entry["error"], "footprint": 0.0}], "assimilation.update": update,
        "assimilation.parameters": parameters, "time.end": "2020-01-11", "ensemble.size": 12,
        "assimilation.open_loop": kind == "tws",
        "assimilation.localization": {"radius": "500 m", "taper": "none"}} | (warm if kind in ("tws", "crns") else {}))
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


def test_counts_reach_as_deep_as_they_are_told(tmp_path):
    """With a depth of the entry, localisation takes the deepest layers out; without, counts reach all."""
    reached = []
    for name, depth in (("all", {}), ("upper", {"depth": [0.0, 0.1]})):
        entry = seen("crns", 10.0, operator={"n": 400.0, "lattice_water": 0.03}) | depth
        case = changed(TWIN, {"observations": [entry], "time.end": "2020-05-01T13:00",
                              "assimilation.open_loop": False,
                              "assimilation.localization": {"radius": "3 km", "depth": "30 cm"}})
        run_case(load_case(write_case(tmp_path / name, case)))
        increment = arrays(tmp_path / name / "run" / "analysis.nc")["soil_water_increment"][0]
        reached.append(np.abs(increment).max(axis=(1, 2)))
    everywhere, upper = reached
    assert (everywhere > 0).all() and (upper[:3] > 0).all()
    assert upper[-1] == 0  # 0.5 to 1 m; its middle is more than 0.3 m below that of the entry


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
    ({"type": "backscatter", "error": 1, "operator": {"volume": 1}}, "expected volume and attenuation"),
    ({"type": "brightness_temperature", "error": 1, "operator": {"polarisation": "VV"}}, "expected H or V with type"),
    ({"type": "crns", "error": 10}, "expected N of COSMIC for the probe"),
    ({"type": "crns", "error": 10, "operator": {"n": 400, "lattice_water": 0.1, "lattice_relation": "avery2016"}},
     "expected lattice_water or lattice_relation, got both"),
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
                                "assimilation.open_loop": False,
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


def test_the_table_of_a_twin_is_a_product(tmp_path):
    """What a twin observed, read again by another case, gives the analysis that the twin itself gave."""
    short = changed(TWIN, {"time.end": "2020-05-02", "assimilation.open_loop": False})
    twin = write_case(tmp_path / "twin", short)
    run_case(load_case(twin))
    case = changed(short, {"observations": [
        {"name": "satellite", "type": "soil_moisture", "every": "12 h", "reader": "table", "error": 0.5,
         "file": str(twin / "run" / "observed_satellite.nc"), "quality": {"rules": {"valid_range": [0.0, 0.9]}}}]})
    again = write_case(tmp_path / "again", case)
    run_case(load_case(again))
    one, two = (arrays(folder / "run" / "analysis.nc") for folder in (twin, again))
    for name in ("value", "prior_mean", "posterior_mean", "error"):
        assert two[name] == pytest.approx(one[name], rel=1e-9), name
    table = read_table(twin / "run" / "observed_satellite.nc")
    assert table.size == one["value"].size and (table.bottom == 0.05).all() and table.product == "satellite"


@pytest.mark.parametrize(("entry", "message"), [
    ({"reader": "smap"}, "expected one of.*smap_l3"),
    ({"reader": "table", "variable": "value"}, "expected no variable with reader: table"),
    ({"variable": "sm", "same_place": "keep"}, "expected no same_place with reader: measurements"),
    ({"variable": "sm", "climatology": "climate.nc"}, "expected scaling: mean, mean_std or cdf with climatology"),
])
def test_keys_of_another_reader_are_refused(tmp_path, entry, message):
    case = changed(TWIN, {"observations": [{"name": "one", "file": "observed.nc"} | entry]})
    with pytest.raises(ConfigError, match=message):
        load_case(write_case(tmp_path, case))


@pytest.mark.parametrize(("entry", "message"), [
    ({"type": "lst", "error": 1}, "expected observations of type lst, got soil_moisture"),
    ({"quality": {"rules": {"largest_snow": 1}}}, "quality.rules: .*largest_snow.*The rules are largest_frozen"),
])
def test_a_product_that_does_not_fit_is_refused(tmp_path, entry, message):
    config = load_case(write_case(tmp_path, changed(TWIN, {"observations": [
        {"name": "one", "file": "observed.nc", "reader": "table"} | entry]})))
    time = np.datetime64("2020-05-01T06", "s")
    write_table(tmp_path / "observed.nc", ObservationTable("product", "soil_moisture", [0.2], time, 43.3, 3.0))
    with pytest.raises(InputError, match=message):
        run_case(config)


def test_microwaves_and_neutrons_tell_of_soil_water(tmp_path):
    """Each alone brings the members of the top layers together, and away from them its own prediction."""
    run_case(load_case(write_case(tmp_path, MICROWAVE)))
    found = streams(tmp_path / "run")
    assert len(found) == 4
    for name, one in found.items():
        used = one["used"] == 1
        assert used.all(), name
        assert one["posterior_spread"].mean() < 0.9 * one["prior_spread"].mean(), name
    assert 150.0 < found["radiometer_H"]["value"].mean() < found["radiometer_V"]["value"].mean() < 300.0
    written = read_table(tmp_path / "run" / "observed_radiometer_V.nc")
    assert written.type == "brightness_temperature" and (written.incidence_angle == 40.0).all()
    assert set(written.extra["polarisation"]) == {"V"}


def test_microwaves_are_not_used_over_frost_and_snow(tmp_path):
    entries = [one | {"quality": {"max_innovation": None}} for one in MICROWAVE["observations"][:1]]
    entries.append(entries[0] | {"name": "all of it", "quality": {"frozen": 0, "snow": 1e9, "max_innovation": None}})
    case = changed(EVERY_TYPE, {"observations": entries, "time.end": "2020-01-11", "rivers": {"scheme": "none"},
                                "assimilation.open_loop": False,
                                "output.variables": ["soil_water"], "assimilation.parameters": {},
                                "assimilation.update": ["soil_water"]})
    run_case(load_case(write_case(tmp_path, case)))
    found = {name: one["rejection"] for name, one in streams(tmp_path / "run").items()}
    assert np.isin(found["radiometer_H"], [FROZEN, SNOW]).all() and (found["all_of_it"] == 0).all()


def test_the_case_knows_the_options_of_the_operators():
    for kind, known in (("brightness_temperature", EMISSION_SETTINGS), ("backscatter", BACKSCATTER_SETTINGS),
                        ("crns", SETTINGS)):
        assert set(DEFAULTS[kind]) == set(known)


def test_a_gauge_sees_the_largest_river_near_it():
    """A line of five cells that flows east; upstream area grows along it."""
    class Line:
        def largest_near(self, cells):
            return int(cells[np.argmax(cells)])

    cells = TargetCells(np.full(5, 50.0), 7.0 + 0.01 * np.arange(5), 1000.0 * np.arange(5), np.zeros(5), 1000.0)
    x = np.array([100.0, 2900.0])
    assert river_cells(x, np.zeros(2), 0.0, cells, Line()).tolist() == [0, 3]
    assert river_cells(x, np.zeros(2), 1500.0, cells, Line()).tolist() == [1, 4]
    one = ObservationSet("gauge", "discharge", "2020-01-01", [3.0, 4.0], 1.0, x, np.zeros(2), [[0], [3]],
                         np.ones((2, 1)))
    assert on_rivers([one, one], 1500.0, cells, Line())[1].cells.tolist() == [[1], [4]]


def test_stored_water_is_that_of_the_model():
    """The sum over the parts, written out, is what the core counts; compression of saturated soil is the difference."""
    model = random_columns(np.random.default_rng(5), 40, nmember=2)
    state, share = model.state, model.parameter["patch_fraction"]
    on_leaves = (share * (state["canopy_water"] + state["canopy_snow"])).sum(axis=0)
    expected = water_storage(state["soil_water"], model.thickness, state["soil_ice"],
                             observed_field("snow_mass", model), on_leaves, state["surface_water"])
    assert observed_field("terrestrial_water_storage", model) == pytest.approx(expected, rel=1e-3)
    assert np.ptp(expected) > 100.0
