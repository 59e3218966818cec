"""Cases of land over the distributed subsurface: what a run leaves, what acts on it, how it resumes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import pyland
from cases import COUPLED, assert_same_run, changed
from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.driver.commands.check import check_case
from pyland.driver.commands.plot import plot
from pyland.driver.run import run_case


def run(folder, changes=None, **options):
    """Run the small hill and return scores and run directory."""
    scores = run_case(load_case(changed(COUPLED, changes or {})), output=folder, **options)
    return scores, folder


@pytest.fixture(scope="module")
def hill(tmp_path_factory):
    return run(tmp_path_factory.mktemp("hill"))


def test_a_run_closes_the_water_of_the_domain(hill):
    scores, folder = hill
    closure = scores["closure"]
    assert closure["water"]["water_residual_relative"] < 1e-8
    assert closure["largest_step_energy_residual"] < 1e-6
    assert closure["water"]["precipitation"] > 0.0 and closure["water"]["evaporation"] != 0.0
    with xr.open_dataset(folder / "balance.nc") as data:
        assert {"storage_land", "storage_subsurface", "increment"} <= set(data)
        assert float(data["storage_land"].max()) > 0.0  # snow


def test_history_has_the_layers_of_both(hill):
    _, folder = hill
    with xr.open_dataset(folder / "history.nc") as data:
        assert data["soil_water"].sizes["layer"] == data["pressure_head"].sizes["layer"] == 5
        assert data["soil_temperature"].sizes["thermal_layer"] == 4 + 3
        assert float(data["water_table_depth_std"].max()) > 0.01
        assert np.isfinite(data["latent_heat_flux"]).all()
        assert "subsurface_runoff" not in data
    with xr.open_dataset(folder / "members.nc") as data:
        assert data["water_table_depth"].sizes["member"] == 3
    with xr.open_dataset(folder / "discharge.nc") as data:
        assert data["discharge"].sizes == {"time": 48, "member": 3, "gauge": 2}


def test_figures_of_land_and_ground(hill, tmp_path):
    drawn = plot(hill[1], folder=tmp_path)
    assert [one.name for one in drawn] == ["flow_maps.png", "land_fluxes.png", "hydrograph.png"]
    assert all(one.stat().st_size > 10000 for one in drawn)


def test_a_resumed_run_has_the_bits_of_a_whole_one(hill, tmp_path):
    parts = tmp_path / "parts"
    until = {"time.end": "2020-03-11T03:00"}
    run(parts, until)
    run(parts, resume=True)
    assert_same_run(hill[1], parts)


def test_ice_of_the_land_is_in_the_pores_of_the_ground(hill):
    cold = changed(COUPLED, {"ensemble": None, "output.members": [], "land.initial.soil_temperature": 268.0})
    model = pyland.Case(cold).model()
    model.advance(6)
    ice = model.flux["soil_ice"]
    assert ice.shape == (5, 1, 20) and ice[0].min() > 0.0 and np.all(ice[3:] == 0.0)
    porosity = model._model.flow.porosity.reshape(5, 1, 20)
    assert np.all(model.flux["soil_water"] + ice <= porosity * (1.0 + 1e-12))


def test_steady_water_before_the_start(tmp_path):
    scores, folder = run(tmp_path / "steady", {
        "subsurface.spinup": {"recharge": "1 mm/day"}, "time.end": "2020-03-10T06:00",
        "ensemble.perturb.initial.soil_temperature": None})
    assert scores["closure"]["water"]["water_residual_relative"] < 1e-8
    with xr.open_dataset(folder / "history.nc") as data:
        spread = data["pressure_head_std"].isel(time=0).values
        assert 0.02 < spread.mean() < 0.3  # members differ by their noise, after the spin-up
        assert np.ptp(data["water_table_depth"].isel(time=0).values) > 0.05  # deeper uphill


def test_iterated_steps_differ_a_little_and_close(tmp_path):
    """Drying grassland: roots of an iterated step see water that this step takes."""
    dry = {"subsurface.initial": {"pressure_head": -8.0}, "forcing.generator": {"climate": "semi_arid", "seed": 1},
           "land.initial.soil_temperature": 290.0, "ensemble": None, "output.members": [], "time.start": "2020-06-10",
           "time.end": "2020-06-12"}
    runs = {passes: run(tmp_path / str(passes), dry | {"subsurface.coupling_iterations": passes}) for passes in (1, 2)}
    taken = [scores["closure"]["water"]["evaporation"] for scores, _ in runs.values()]
    assert 0.0 < abs(taken[1] - taken[0]) < 0.02 * taken[0]
    assert all(scores["closure"]["water"]["water_residual_relative"] < 1e-8 for scores, _ in runs.values())


def test_runoff_in_place_without_overland_flow(tmp_path):
    scores, _ = run(tmp_path / "place", {
        "subsurface.overland": "none", "subsurface.outlets": None, "subsurface.initial.water_table_depth": 0.0,
        "land.initial.soil_temperature": 280.0, "ensemble.perturb.initial": {}})
    assert scores["closure"]["water"]["surface_runoff"] > 0.0
    assert scores["closure"]["water"]["water_residual_relative"] < 1e-8


def test_members_are_what_they_are_alone(hill, tmp_path):
    """A member does not feel the others: an ensemble of one has the bits of the first of three."""
    run(tmp_path / "one", {"ensemble.size": 1, "output.variables": ["water_table_depth"], "output.members": []})
    with xr.open_dataset(tmp_path / "one" / "history.nc") as one, xr.open_dataset(hill[1] / "members.nc") as all_:
        np.testing.assert_array_equal(one["water_table_depth"], all_["water_table_depth"].isel(member=0))


def test_check_describes_land_and_ground():
    report = check_case(load_case(COUPLED), 6)
    assert not report.problems
    assert report.facts["grid"].startswith("5 x 4 cells of 100 x 100 m, 5 layers to 2 m")
    assert report.facts["layers"].startswith("land 4 to 0.60 m")
    assert report.facts["ranks"].startswith("6 = 3 member group(s) x 2 tile(s)")
    assert "core-seconds" in report.facts["cost"]


def test_passes_of_a_step_cost_their_time():
    cases = [load_case(changed(COUPLED, {"subsurface.coupling_iterations": passes})) for passes in (1, 3)]
    costs = [float(check_case(case).facts["cost"].split()[1]) for case in cases]
    assert costs[1] == pytest.approx(3.0 * costs[0], rel=0.05)


@pytest.mark.parametrize(("changes", "words"), [
    ({"land.soil_layers": [1.0, 2.0]}, "expected layers that reach no deeper than domain.layers"),
    ({"land.soil_layers": [0.5]}, "land.soil_layers: expected two layers at least"),
    ({"land.soil_layers": None, "domain.layers": [2.0]}, "domain.layers: expected two layers at least"),
    ({"surface.lake": 0.2}, "surface.lake: expected 0 with subsurface.mode: distributed"),
    ({"ensemble.perturb.parameters": {"porosity": {"std": 0.1}}}, "members share all else of the ground"),
    ({"output.variables": ["subsurface_runoff"]}, "'subsurface_runoff' needs subsurface.mode: column"),
    ({"forcing": {"format": "schedule"}}, "expected weather with land.model: clm, got schedule"),
    ({"rivers": {"scheme": "linear"}}, "water runs over land by subsurface.overland"),
    ({"subsurface.coupling_iterations": 0}, "coupling_iterations"),
])
def test_what_does_not_go_together(changes, words):
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        load_case(changed(COUPLED, changes))


@pytest.mark.parametrize("changes", [
    {"land.soil_layers": [0.1, 0.2]}, {"subsurface.coupling_iterations": 2},
    {"ensemble.perturb.initial": {"pressure_head": {"kind": "add_normal", "std": 0.1}}}])
def test_keys_of_the_coupling_have_no_effect_on_columns(changes):
    columns = changed(COUPLED, {"subsurface": {"mode": "column"}, "land": None, "domain.slopes": None,
                                "ensemble": None, "output.members": []})
    with pytest.raises(ConfigError, match="belongs to mode: distributed"):
        load_case(changed(columns, changes))


def test_sides_change_in_time_below_the_land_too(tmp_path):
    """A stream that rises after two hours lets water in, in a run and by hand."""
    level = {"kind": "hydrostatic", "series": [{"until": "2 h", "value": 1.9}, {"value": 0.0}]}
    rising = {"ensemble": None, "output.members": [], "output.every": "1 h", "time.end": "2020-03-10T04:00",
              "subsurface.boundaries": {"west": level}}
    _, folder = run(tmp_path / "rising", rising)
    with xr.open_dataset(folder / "balance.nc") as data:
        inflow = data["boundary_west"].values
    assert inflow[2] > 100.0 * np.abs(inflow[:2]).max()
    model = pyland.Case(changed(COUPLED, rising)).model()
    model.advance(4)
    (restart,) = (folder / "restart").glob("*.nc")
    with xr.open_dataset(restart) as data:
        np.testing.assert_array_equal(data["model:pressure_head"], model.state["pressure_head"])


def test_a_model_by_hand_begins_with_the_steady_water(tmp_path):
    steady = {"subsurface.spinup": {"recharge": "1 mm/day"}, "time.end": "2020-03-10T02:00"}
    _, folder = run(tmp_path / "steady", steady)
    model = pyland.Case(changed(COUPLED, steady)).model()
    model.advance(2)
    (restart,) = (folder / "restart").glob("*.nc")
    with xr.open_dataset(restart) as data:
        np.testing.assert_array_equal(data["model:pressure_head"], model.state["pressure_head"])
