"""Runs whose filter changes states and parameters: balances, what is written, restarts, recovery of a conductivity."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest
from hillslopes import HILLSLOPE
from updated_cases import CONDUCTIVITY, GROUND, TEXTURE, WINTER

from cases import arrays, assert_same_run, changed, write_case
from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.driver.run import run_case


@pytest.fixture(scope="module")
def winter(tmp_path_factory):
    folder = write_case(tmp_path_factory.mktemp("winter"), WINTER)
    run_case(load_case(folder))
    return folder / "run"


def test_water_and_energy_close_with_their_increments(winter):
    balance = arrays(winter / "balance.nc")
    assert np.abs(balance["water_residual"]).max() < 1e-9 and np.abs(balance["energy_residual"]).max() < 1e-6
    assert np.abs(balance["analysis_increment"]).max() > 0.5
    assert np.abs(balance["analysis_heat_increment"]).max() > 1e4
    scores = json.loads((winter / "scores.json").read_text())
    assert scores["closure"]["largest_step_water_residual"] < 1e-9
    assert scores["closure"]["largest_step_energy_residual"] < 1e-6
    counts = scores["assimilation"]["clipped"]
    assert scores["assimilation"]["clipped_values"] == sum(counts.values())
    assert list(counts) == [*(one if isinstance(one, str) else one["variable"] for one in
                              WINTER["assimilation"]["update"]), *WINTER["assimilation"]["parameters"]]


def test_every_variable_has_its_increments(winter):
    analysis = arrays(winter / "analysis.nc")
    sizes = {name: np.abs(values).max(axis=tuple(range(1, values.ndim)))
             for name, values in analysis.items() if name.endswith("_increment")}
    moved = {name.removesuffix("_increment") for name, size in sizes.items() if size.max() > 0.0}
    assert moved >= {"soil_water", "soil_temperature", "snow_mass", "canopy_snow", "growth_temperature",
                     "saturated_conductivity", "porosity", "van_genuchten_n", "vcmax25_top", "leaf_area_index"}
    assert (sizes["soil_water_increment"] > 0.0).all()
    # every 24 h, with an analysis each 12 h
    for name in ("growth_temperature", "leaf_area_index"):
        assert (sizes[f"{name}_increment"][::2] == 0.0).all() and (sizes[f"{name}_increment"][1::2] > 0.0).all()
    # below 2 m nothing moves
    with netCDF4.Dataset(winter / "analysis.nc") as data:
        depth = np.array(data["thermal_layer"][...])
    change = np.abs(analysis["soil_temperature_increment"]).max(axis=(0, 2, 3))
    assert (change[depth > 2.0] == 0.0).all() and (depth > 2.0).any() and (change[depth < 2.0] > 0.0).all()


def test_parameters_are_written_with_their_spread(winter):
    history, members = arrays(winter / "history.nc"), arrays(winter / "members.nc")
    for name in ("saturated_conductivity", "vcmax25_top"):
        spread = history[f"{name}_std"]
        assert (spread[0] > 0.0).any() and not np.array_equal(spread[0], spread[-1])
        assert not np.array_equal(history[name][0], history[name][-1])
    assert members["porosity"].std() > 0.0
    assert not np.array_equal(members["porosity"][0], members["porosity"][-1])


@pytest.mark.parametrize("stop", ["2020-01-11T00:00", "2020-01-11T05:00"], ids=["at an analysis", "between"])
def test_a_resumed_run_has_the_same_bits(winter, tmp_path, stop):
    folder = write_case(tmp_path, WINTER)
    run_case(load_case(folder, [f"time.end={stop}"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(winter, folder / "run")


def test_the_conductivity_of_a_twin_is_found(tmp_path):
    """Members differ by a factor of 3.4 in the mean; what falls through the soil tells them apart."""
    run_case(load_case(write_case(tmp_path, CONDUCTIVITY)))
    run = tmp_path / "run"
    truth = np.log10(arrays(run / "truth.nc")["saturated_conductivity"])
    found = np.log10(arrays(run / "members.nc")["saturated_conductivity"]).mean(axis=1)
    free = np.log10(arrays(run / "open_loop" / "members.nc")["saturated_conductivity"]).mean(axis=1)
    error = np.sqrt(np.square(found - truth).mean(axis=(1, 2, 3)))
    start = np.sqrt(np.square(free - truth).mean(axis=(1, 2, 3)))
    assert start[-1] == pytest.approx(start[0]) and start[0] > 0.25
    assert error[-1] < 0.2 * start[-1] and error[10] < 0.7 * start[0]
    # all layers of a cell move together: their ratios stay those of the case
    ratio = arrays(run / "members.nc")["saturated_conductivity"]
    ratio = ratio / ratio[:, :, :1]
    assert ratio[-1] == pytest.approx(ratio[0], rel=1e-9)


def test_hydraulic_parameters_follow_texture(tmp_path):
    folder = write_case(tmp_path / "whole", TEXTURE)
    run_case(load_case(folder))
    members = arrays(folder / "run" / "members.nc")
    sand, clay = members["sand"], members["clay"]
    assert (sand + clay <= 100.0 + 1e-9).all() and sand.std() > 1.0
    layers = np.cumsum(TEXTURE["domain"]["layers"]) - 0.5 * np.array(TEXTURE["domain"]["layers"])
    last = [values[-1].transpose(1, 0, 2, 3).reshape(values.shape[2], -1) for values in (sand, clay)]
    expected = hydraulic_parameters("van_genuchten", "cosby", *last, np.zeros_like(last[0]), layers)
    for name in ("saturated_conductivity", "porosity"):
        now = members[name][-1].transpose(1, 0, 2, 3).reshape(last[0].shape)
        # the record is a mean over an interval that ends with an analysis
        assert now == pytest.approx(expected[name], rel=1e-5)
    assert not np.array_equal(sand[0], sand[-1])
    again = write_case(tmp_path / "parts", TEXTURE)
    run_case(load_case(again, ["time.end=2020-05-01T15:00"]))
    run_case(load_case(again), resume=True)
    assert_same_run(folder / "run", again / "run")


def test_heat_plants_and_conductivity_over_the_distributed_subsurface(tmp_path):
    folder = write_case(tmp_path / "whole", GROUND)
    scores = run_case(load_case(folder))
    assert scores["closure"]["water"]["water_residual_relative"] < 1e-8
    assert scores["closure"]["largest_step_energy_residual"] < 1e-6
    balance = arrays(folder / "run" / "balance.nc")
    assert np.abs(balance["heat_increment"]).max() > 1e6
    analysis = arrays(folder / "run" / "analysis.nc")
    for name in ("soil_temperature", "saturated_conductivity", "vcmax25_top", "leaf_area_index"):
        assert np.abs(analysis[f"{name}_increment"]).max() > 0.0
    again = write_case(tmp_path / "parts", GROUND)
    run_case(load_case(again, ["time.end=2020-05-01T12:00"]))
    run_case(load_case(again), resume=True)
    assert_same_run(folder / "run", again / "run")


@pytest.mark.slow
def test_the_conductivity_of_a_slope_comes_nearer_to_the_truth(tmp_path):
    """Two wells and a probe on twelve cells, ten days."""
    run_case(load_case(write_case(tmp_path, GROUND, **{
        "time__end": "2020-05-11", "ensemble__size": 16, "output__every": "24 h", "land__initial": {},
        "ensemble__perturb__forcing__precipitation__std": 0.2, "assimilation__update": ["soil_water", "pressure_head"],
        "assimilation__parameters": {"saturated_conductivity": {"damping": 0.3}}})))
    truth = np.log10(arrays(tmp_path / "run" / "truth.nc")["saturated_conductivity"])
    found = np.log10(arrays(tmp_path / "run" / "members.nc")["saturated_conductivity"]).mean(axis=1)
    error = np.sqrt(np.square(found - truth).mean(axis=(1, 2, 3)))
    assert error[-1] < 0.75 * error[0]


@pytest.mark.parametrize(("changes", "words"), [
    ({"assimilation.update": ["soil_ice"]}, "'soil_ice' cannot be updated: it follows from heat and water"),
    ({"assimilation.update": ["lake_temperature"]}, "only the soil of a cell can be updated"),
    ({"assimilation.update": ["porosity"]}, "name it under assimilation.parameters"),
    ({"assimilation.update": [{"variable": "snow_mass", "layers": 2}]}, "has no layers of the ground"),
    ({"assimilation.update": [{"variable": "snow_mass", "transform": "log"}]}, "may be 0 or negative, got log"),
    ({"assimilation.update": [{"variable": "soil_temperature", "transform": "logit"}]}, "expected minimum and maximum"),
    ({"assimilation.update": [{"variable": "soil_water", "layers": 9}]}, "expected at most 6, the soil layers, got 9"),
    ({"assimilation.update": [{"variable": "soil_water", "layers": 2, "max_depth": 1}]}, "layers or max_depth"),
    ({"assimilation.update": [{"variable": "soil_water", "mask": ["ice"]}]}, "frozen, snow or saturated"),
    ({"assimilation.update": [{"variable": "soil_water", "every": "90 min"}]}, "whole number of assimilation.every"),
    ({"assimilation.update": [{"damping": 0.5}]}, "entries with variable"),
    ({"assimilation.update": ["soil_water", {"variable": "soil_water"}]}, "expected each state once"),
    ({"assimilation.parameters": {"porosity": {}}}, "give ensemble.perturb.parameters.porosity with std above 0"),
    ({"assimilation.parameters": {"porosty": {}}}, "did you mean 'porosity'"),
    ({"assimilation.parameters": {"saturated_conductivity": {"transform": "anamorphosis"}}}, "layers: separate"),
    ({"assimilation.parameters": {"sand": {}}, "ensemble.perturb.parameters": {"sand": {"std": 0.1}}},
     "expected ensemble.perturb.pedotransfer: true"),
    ({"ensemble.perturb.pedotransfer": True}, "expected false with a hydraulic parameter"),
    ({"ensemble.perturb.pedotransfer": True, "ensemble.perturb.parameters": {"leaf_area_index": {"std": 0.1}}},
     "expected one of sand, clay or organic"),
    ({"ensemble.perturb.parameters.leaf_area_index": {"kind": "add_normal", "std": 1}}, "expected multiply_lognormal"),
    ({"output.variables": ["porosity"]}, "got the parameter 'porosity'"),
])
def test_what_cannot_be_updated_is_refused_by_name(tmp_path, changes, words):
    from cases import TWIN

    with pytest.raises(ConfigError, match=words.replace("(", "\\(")):
        load_case(write_case(tmp_path, changed(TWIN, changes)))


@pytest.mark.parametrize(("changes", "words"), [
    ({"ensemble.perturb.parameters": {"sand": {"std": 0.1}}, "assimilation.parameters": {"sand": {}}},
     "members share all else of the ground"),
    ({"assimilation.update": [{"variable": "soil_temperature", "mask": ["frozen"]}]}, "other layers than heat"),
    ({"assimilation.update": ["surface_water"]}, "expected no surface_water with subsurface.mode: distributed"),
    ({"assimilation.update": ["soil_water", {"variable": "pressure_head", "every": "6 h"}]}, "which are one vector"),
])
def test_what_the_distributed_subsurface_refuses(tmp_path, changes, words):
    with pytest.raises(ConfigError, match=words):
        load_case(write_case(tmp_path, changed(HILLSLOPE, changes)))
