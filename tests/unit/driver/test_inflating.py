"""Additive noise and adaptive factors in the analysis of a run: independent of ranks, nothing where nothing is seen."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.cell_ranks import CellRanks
from pyland.base.parallel import Communicator
from pyland.config.inflation import AdaptiveInflationSection
from pyland.driver.analysis.filter_call import FilterCall, FilterChoice, Localization, StatePlaces
from pyland.driver.analysis.inflating import AdaptiveFactors, AdditiveNoise
from pyland.observe import ObservationSet, assemble

TIME = np.datetime64("2020-05-01T12:00:00", "s")
ROWS = {"soil_water": slice(0, 2)}
THICKNESS, DEPTH, NMEMBER = np.array([0.1, 0.3]), np.array([0.05, 0.25]), 10
EVERYWHERE = np.ones(12, bool)
PLACES = np.stack([1000.0 * np.arange(6), np.zeros(6)], axis=1)


def test_noise_is_named_by_cell_and_time():
    cells = np.array([3, 17, 40_000, 5])
    whole = AdditiveNoise({"soil_water": 0.02}, 4, cells).of("soil_water", TIME, (2, 50, 4))
    part = AdditiveNoise({"soil_water": 0.02}, 4, cells[2:]).of("soil_water", TIME, (2, 50, 2))
    assert np.array_equal(part, whole[:, :, 2:])
    assert np.abs(whole.mean(axis=1)).max() < 1e-15
    assert whole.std() == pytest.approx(0.02, rel=0.1)
    assert np.abs(np.corrcoef(whole.transpose(0, 2, 1).reshape(8, 50)) - np.eye(8)).max() < 0.5
    later = AdditiveNoise({"soil_water": 0.02}, 4, cells).of("soil_water", TIME + np.timedelta64(1, "h"), (2, 50, 4))
    assert np.abs(np.corrcoef(later.ravel(), whole.ravel())[0, 1]) < 0.2
    assert not AdditiveNoise({"soil_water": 0.02}, 4, cells).of("pressure_head", TIME, (2, 50, 4)).any()


def problem(choice, innovation=0.3):
    rng = np.random.default_rng(3)
    state = 0.3 + 0.03 * rng.standard_normal((NMEMBER, 12))
    cells = [1, 2]
    seen = state[:, [2, 4]]
    one = ObservationSet("probes", "soil_moisture", TIME, seen.mean(axis=0) + innovation, 1e-4, PLACES[cells, 0],
                         np.zeros(2), np.array(cells)[:, None], np.ones((2, 1)), 0.0, 0.1)
    return state, [one], FilterCall(choice, TIME, [one], assemble([one], [seen]))


def factors_of(unobserved=False, ncell=6, **numbers):
    ranks = CellRanks(Communicator(), Communicator(), NMEMBER, np.arange(ncell))
    return AdaptiveFactors(AdaptiveInflationSection(**numbers), ranks, unobserved)


def test_factors_grow_near_observations_that_surprise():
    choice = FilterChoice("letkf", otherwise=Localization(1500.0))
    places = StatePlaces.of_layers(PLACES, DEPTH)
    state, sets, call = problem(choice)
    factors = factors_of(initial=1.5, damping=0.5)
    inflated, other = factors.inflate(call, places, state, sets, THICKNESS, ROWS, EVERYWHERE)
    near = np.repeat([True, True, True, True, False, False], 2)
    root = np.sqrt(1.0 + 0.5 * 0.5)  # damped before it is applied
    assert np.array_equal(inflated[:, ~near], state[:, ~near])
    assert inflated.std(axis=0)[near] == pytest.approx(root * state.std(axis=0)[near])
    spread = call.used.predicted.std(axis=0)
    assert other.used.predicted.std(axis=0) == pytest.approx(root * spread)
    assert other.used.predicted.mean(axis=0) == pytest.approx(call.used.predicted.mean(axis=0))
    kept = factors.state()
    assert kept["inflation:factor"].shape == (2, 6)
    assert (kept["inflation:factor"][0, 1:3] > 2.0).all() and (kept["inflation:factor"][:, 4:] == 1.25).all()
    again = factors_of(initial=1.5, damping=0.5)
    again.restore(kept)
    for one in (factors, again):
        one.inflate(call, places, state, sets, THICKNESS, ROWS, EVERYWHERE)
    assert all(np.array_equal(factors.state()[name], again.state()[name]) for name in kept)


def test_what_is_not_updated_counts_with_the_factor_1():
    """A masked layer enters as zeros: nothing of what is predicted there is inflated, and its factor waits."""
    choice, places = FilterChoice("letkf", otherwise=Localization(1500.0)), StatePlaces.of_layers(PLACES, DEPTH)
    state, sets, call = problem(choice)
    is_updated = EVERYWHERE.copy()
    is_updated[2] = False  # the upper layer of cell 1, which the first observation sees
    state = np.where(is_updated, state, 0.0)
    factors = factors_of(initial=1.5, damping=0.5)
    inflated, other = factors.inflate(call, places, state, sets, THICKNESS, ROWS, is_updated)
    ratio = other.used.predicted.std(axis=0) / call.used.predicted.std(axis=0)
    assert ratio == pytest.approx([1.0, np.sqrt(1.25)])
    assert (inflated[:, 2] == 0.0).all()
    kept = factors.state()
    assert kept["inflation:factor"][0, 1] == 1.5 and kept["inflation:std"][0, 1] == 0.6
    assert kept["inflation:factor"][0, 2] > 2.0


def test_everywhere_if_asked():
    places = StatePlaces.of_layers(PLACES, DEPTH)
    state, sets, call = problem(FilterChoice("letkf", unobserved=True, otherwise=Localization(1500.0)))
    factors = factors_of(True, initial=4.0, damping=1.0)
    inflated, _ = factors.inflate(call, places, state, sets, THICKNESS, ROWS, EVERYWHERE)
    assert inflated.std(axis=0) == pytest.approx(2.0 * state.std(axis=0))


def test_nothing_to_keep_before_the_first_analysis():
    factors = factors_of()
    assert factors.state() == {}
    factors.restore({})
