"""The analysis of heads is the Kalman update, and puts back what it took."""

from __future__ import annotations

import numpy as np
import pytest
from catchments import random_catchment

from pyland.assimilate import StateVector
from pyland.base.cell_ranks import CellRanks
from pyland.base.parallel import Communicator
from pyland.config.inflation import AdaptiveInflationSection
from pyland.driver.analysis.analysis_state import UpdatedVariable
from pyland.driver.analysis.filter_call import FilterChoice, Localization
from pyland.driver.analysis.filtering import Analysis, field_of
from pyland.driver.analysis.inflating import AdaptiveFactors, AdditiveNoise
from pyland.observe import ObservationSet, Scene, operator_for

ETKF = FilterChoice("etkf")
MEMBERS, TIME = 12, np.datetime64("2020-05-02T00:00:00", "s")


@pytest.fixture
def model():
    """Twelve cells at rest over water tables of 0.6 m, which lie within the range of one layer in all members."""
    rng = np.random.default_rng(4)
    model = random_catchment(rng, nx=4, ny=3, nmember=MEMBERS)
    centre = np.cumsum(model.thickness) - 0.5 * model.thickness
    table = 0.7 + 0.04 * rng.uniform(-1.0, 1.0, (MEMBERS, model.ncell))
    model.set_state({"pressure_head": centre[:, None, None] - table})
    return model


def wells(cells, values, error):
    count = len(cells)
    return ObservationSet("wells", "groundwater", TIME, values, np.full(count, error**2), np.arange(count),
                          np.zeros(count), np.array(cells)[:, None], np.ones((count, 1)), np.nan, np.nan)


def analysis(model, sets, update, choice=ETKF, damping=1.0, **options):
    comm = Communicator()
    ranks = CellRanks(comm, comm, model.nmember, np.arange(model.ncell))
    place = np.arange(model.ncell, dtype=float)
    return Analysis(sets, every=3600.0, start=TIME - np.timedelta64(1, "D"), choice=choice,
                    update=[UpdatedVariable(name, damping=damping) for name in update],
                    reported=("soil_water", "pressure_head"), x=place, y=place,
                    comm=ranks, **{"max_innovation": {}, **options})


def test_the_operator_sees_the_table_of_the_model(model):
    operator = operator_for("groundwater")
    seen = operator.columns({name: field_of(name, model) for name in operator.fields}, Scene(model.thickness))
    assert np.array_equal(seen, model.flux["water_table_depth"])
    rng = np.random.default_rng(1)
    heads = rng.normal(0.0, 0.5, (model.thickness.size, MEMBERS, model.ncell))
    heads[-1] = np.abs(heads[-1])
    model.set_state({"pressure_head": heads})
    seen = operator.columns({name: field_of(name, model) for name in operator.fields}, Scene(model.thickness))
    assert np.array_equal(seen, model.flux["water_table_depth"]) and np.unique(seen).size > 20


@pytest.mark.parametrize("damping", [1.0, 0.4])
def test_wells_that_see_heads_give_the_kalman_update(model, damping):
    """Linear and Gaussian: mean and covariance of all heads are those of the Kalman filter."""
    cells, error = [1, 6, 10], 0.02
    prior = np.array(model.flux["pressure_head"])
    table = np.array(model.flux["water_table_depth"])[:, cells]
    observed = table.mean(axis=0) + np.array([0.01, -0.02, 0.015])
    outcome = analysis(model, [wells(cells, observed, error)], ["pressure_head"], damping=damping).update(TIME, model)

    anomalies = (prior - prior.mean(axis=1, keepdims=True)).transpose(1, 0, 2).reshape(MEMBERS, -1)
    seen = table - table.mean(axis=0)
    gain = anomalies.T @ seen @ np.linalg.inv(seen.T @ seen + (MEMBERS - 1) * error**2 * np.eye(3))
    step = (gain @ (observed - table.mean(axis=0))).reshape(prior.shape[0], -1)
    posterior = np.array(model.flux["pressure_head"])
    assert outcome.clipped == 0
    assert posterior.mean(axis=1) - prior.mean(axis=1) == pytest.approx(damping * step, abs=1e-12)
    assert outcome.increments["pressure_head"] == pytest.approx(damping * step, abs=1e-12)
    assert np.abs(step).max() > 0.005
    if damping == 1.0:
        left = (posterior - posterior.mean(axis=1, keepdims=True)).transpose(1, 0, 2).reshape(MEMBERS, -1)
        covariance = anomalies.T @ anomalies - gain @ seen.T @ anomalies
        assert left.T @ left == pytest.approx(covariance, abs=1e-12)
        assert outcome.posterior == pytest.approx(np.array(model.flux["water_table_depth"])[:, cells])


@pytest.mark.parametrize("update", [["soil_water"], ["pressure_head"], ["soil_water", "pressure_head"]])
def test_the_water_that_an_analysis_adds_is_what_it_says(model, update):
    observed = np.array(model.flux["water_table_depth"])[:, [2, 7]].mean(axis=0) - 0.1
    before = model.flow.balance
    stored = before["storage_subsurface"] + before["storage_surface"]
    nearby = FilterChoice("letkf", otherwise=Localization(3.0, "none"))
    outcome = analysis(model, [wells([2, 7], observed, 0.02)], update, nearby).update(TIME, model)
    after = model.flow.balance
    change = after["storage_subsurface"] + after["storage_surface"] - stored
    assert outcome.water.sum(axis=1) * 200.0**2 / 1000.0 == pytest.approx(change, abs=1e-9 * stored.max())
    if update != ["soil_water"]:
        assert change.min() > 1.0


@pytest.mark.parametrize("kind", ["factor", "adaptive", "additive"])
@pytest.mark.parametrize("unobserved", [False, True])
def test_spread_where_no_observation_is_used(model, kind, unobserved):
    """All observations are too far off: soil is inflated all the same if that is asked for, else nothing changes."""
    comm = Communicator()
    ranks = CellRanks(comm, comm, MEMBERS, np.arange(model.ncell))
    before = np.array(model.flux["soil_water"])
    choice = FilterChoice("letkf", 1.1 if kind == "factor" else 1.0, unobserved=unobserved,
                          otherwise=Localization(3.0, "none"))
    options = {"adaptive": {"adaptive": AdaptiveFactors(
                   AdaptiveInflationSection(initial=1.21, damping=1.0), ranks, unobserved)},
               "additive": {"additive": AdditiveNoise({"soil_water": 1e-4}, 1, np.arange(model.ncell))}}
    outcome = analysis(model, [wells([2, 7], [9.0, 9.0], 0.02)], ["soil_water"], choice, max_innovation={"wells": 3.0},
                       **options.get(kind, {})).update(TIME, model)
    assert not outcome.sets[0].used.any()
    after = np.array(model.flux["soil_water"])
    if not unobserved:
        assert np.array_equal(after, before)
        return
    dry = (np.array(model.flux["pressure_head"]) < -0.3).all(axis=1)  # far from full pores
    ratio = after.std(axis=1)[dry] / before.std(axis=1)[dry]
    assert dry.sum() > 20
    if kind == "additive":
        assert (after - before).std() > 5e-5
    else:
        assert ratio == pytest.approx(1.1, rel=1e-6)


def test_what_was_taken_and_put_back_changes_nothing():
    model = random_catchment(np.random.default_rng(9), nmember=3)
    model.set_state({"pressure_head": np.where(
        np.arange(model.thickness.size)[:, None, None] > 5, 0.4, np.array(model.flux["pressure_head"]))})
    heads = np.array(model.flux["pressure_head"])
    fields = {name: np.array(model.flux[name]) for name in ("soil_water", "pressure_head")}
    vector = StateVector.join(["soil_water", "pressure_head"], fields)
    assert vector.is_head.any() and not vector.is_head.all()
    back = vector.put(fields)
    water, clipped = model.change_soil_water(back["soil_water"])
    water = water + model.change_pressure_head(back["pressure_head"])
    assert clipped == 0 and np.abs(water).max() < 1e-9
    assert np.array(model.flux["pressure_head"]) == pytest.approx(heads, abs=1e-12)


def test_water_beyond_the_pores_fills_them():
    model = random_catchment(np.random.default_rng(9), nmember=3)
    wanted = np.array(model.flux["soil_water"])
    wanted[2] = 0.9
    _, clipped = model.change_soil_water(wanted)
    assert clipped == wanted[2].size
    porosity = model.flow.porosity[:, model._inside]
    assert model.flux["soil_water"][2] == pytest.approx(np.repeat(porosity[2][None], 3, axis=0))


def test_statistics_of_several_quantities_have_no_unit(model):
    seen = wells([1], [0.6], 0.05)
    probe = ObservationSet("probes", "soil_moisture", TIME, [0.3], [4e-4], [0.0], [0.0], [[0]], [[1.0]], 0.05, 0.05)
    one, both = (analysis(model, sets, ["soil_water"]) for sets in ([seen], [seen, probe]))
    assert "rmse" in one.innovations() and set(both.innovations()) == {"n", "chi2"}
