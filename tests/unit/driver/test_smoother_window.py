"""States of a smoother's window: against the transform written out, and without dynamics against the filter."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.cell_ranks import CellRanks
from pyland.base.parallel import Communicator
from pyland.driver.analysis.filter_call import FilterCall, FilterChoice, Localization, StatePlaces
from pyland.driver.analysis.smoother_window import SmootherWindow
from pyland.observe import ObservationSet, assemble

DEPTH, NCELL, NMEMBER = np.array([0.05, 0.2, 0.5]), 5, 8
PLACES = np.stack([1000.0 * np.arange(NCELL), np.zeros(NCELL)], axis=1)
START, HOUR = np.datetime64("2020-05-01T00:00:00", "s"), np.timedelta64(1, "h")


def field(seed):
    rng = np.random.default_rng(seed)
    return 0.3 + 0.05 * np.cumsum(rng.standard_normal((3, NMEMBER, NCELL)), axis=2)


def call_of(choice, state, time=START, cell=1, value=0.25):
    """Return the call with one observation of the uppermost layer of a cell."""
    one = ObservationSet("probe", "soil_moisture", time, [value], [1e-3], PLACES[cell, 0], 0, [[cell]], [[1.0]], 0, 0.1)
    return FilterCall(choice, time, [one], assemble([one], [state[0][:, [cell]]]))


def flat(state):
    return state.transpose(1, 2, 0).reshape(NMEMBER, -1)


def etkf_weights(predicted, innovation, variance, inflation):
    """Return mean weights and transform of anomalies that are not inflated themselves."""
    s = inflation * (predicted - predicted.mean(axis=0)) / np.sqrt(variance)
    values, vectors = np.linalg.eigh(np.eye(NMEMBER) + s @ s.T / (NMEMBER - 1))
    inverse, root = (vectors * values**power @ vectors.T for power in (-1.0, -0.5))
    return inverse @ s @ (innovation / np.sqrt(variance)) / (NMEMBER - 1), root


@pytest.mark.parametrize("inflation", [1.0, 1.15])
@pytest.mark.parametrize("damping", [1.0, 0.5])
def test_past_states_follow_by_the_same_transform(inflation, damping):
    past, present = field(1), field(2)
    window = SmootherWindow(86400.0, damping)
    window.add(START - HOUR, {"soil_water": past})
    call = call_of(FilterChoice("etks", inflation, relaxation=0.5), present)
    window.update(call, PLACES, {"soil_water": DEPTH})
    found = window.drain()[0].fields["soil_water"]
    seen = call.used.predicted
    mean_weight, root = etkf_weights(seen, call.used.observed - seen.mean(axis=0), call.used.variance, inflation)
    anomalies = flat(past) - flat(past).mean(axis=0)
    expected = flat(past).mean(axis=0) + anomalies.T @ mean_weight + root @ anomalies
    assert flat(found) == pytest.approx(flat(past) + damping * (expected - flat(past)), abs=1e-12)


@pytest.mark.parametrize("method", ["enks", "etks", "letks"])
def test_without_dynamics_a_past_state_is_the_present_one(method):
    choice = FilterChoice(method, otherwise=Localization(2500.0), seed=3)
    state, window = field(4), SmootherWindow(86400.0, 1.0)
    for hour in range(3):
        call = call_of(choice, state, START + hour * HOUR, cell=hour + 1)
        window.update(call, PLACES, {"soil_water": DEPTH})
        analysed = call.update(flat(state), StatePlaces.of_layers(PLACES, DEPTH))
        state = analysed.reshape(NMEMBER, NCELL, 3).transpose(2, 0, 1)
        window.add(START + hour * HOUR, {"soil_water": state})
    for one in window.drain():
        assert np.array_equal(one.fields["soil_water"], state)


def test_out_of_reach_nothing_changes_whatever_the_inflation():
    choice = FilterChoice("letks", 1.3, otherwise=Localization(1500.0))
    past, window = field(1), SmootherWindow(86400.0, 1.0)
    window.add(START - HOUR, {"soil_water": past})
    window.update(call_of(choice, field(2)), PLACES, {"soil_water": DEPTH})
    found = window.drain()[0].fields["soil_water"]
    assert np.array_equal(found[:, :, 3:], past[:, :, 3:]) and not (found[:, :, :3] == past[:, :, :3]).any()
    assert (found[:, :, :3].std(axis=1) <= past[:, :, :3].std(axis=1) * (1.0 + 1e-12)).all()


def test_rotation_keeps_the_spread_of_what_is_out_of_reach_whatever_the_inflation():
    """Five analyses turn the members of a far past state, with inflation or without: its covariance stays."""
    past = field(1)
    for inflation in (1.0, 1.2):
        choice = FilterChoice("letks", inflation, rotation=True, otherwise=Localization(1500.0), seed=5)
        window = SmootherWindow(86400.0, 1.0)
        window.add(START - HOUR, {"soil_water": past})
        for hour in range(5):
            window.update(call_of(choice, field(2), START + hour * HOUR), PLACES, {"soil_water": DEPTH})
        found = window.drain()[0].fields["soil_water"]
        assert found.std(axis=1)[:, 3:] == pytest.approx(past.std(axis=1)[:, 3:], rel=1e-12)
        assert found.mean(axis=1)[:, 3:] == pytest.approx(past.mean(axis=1)[:, 3:], rel=1e-12)
        assert not (found[:, :, 3:] == past[:, :, 3:]).any()


def test_adaptive_weights_are_those_of_each_state_itself():
    """A past element that is not correlated with what is observed now keeps its bits where the present one moves."""
    choice = FilterChoice("letks", adaptive=0.5, otherwise=Localization(2500.0))
    present, window = field(2), SmootherWindow(86400.0, 1.0)
    call, rng = call_of(choice, present), np.random.default_rng(11)
    seen = call.used.predicted[:, 0] - call.used.predicted.mean()
    past = np.array(present)
    noise = rng.standard_normal((3, NMEMBER))
    noise -= noise.mean(axis=1, keepdims=True)
    past[:, :, 1] = 0.3 + 0.05 * (noise - (noise @ seen / (seen @ seen))[:, None] * seen)
    window.add(START - HOUR, {"soil_water": past})
    window.update(call, PLACES, {"soil_water": DEPTH})
    found = window.drain()[0].fields["soil_water"]
    analysed = call.update(flat(present), StatePlaces.of_layers(PLACES, DEPTH))
    analysed = analysed.reshape(NMEMBER, NCELL, 3).transpose(2, 0, 1)
    assert np.array_equal(found[:, :, 1], past[:, :, 1]) and not (analysed[0, :, 1] == present[0, :, 1]).any()
    other = [0, 2, 3, 4]  # here past and present are the same, and so are their weights
    assert np.array_equal(found[:, :, other], analysed[:, :, other])


def test_states_leave_the_window_in_order_and_restart():
    window, ranks = SmootherWindow(7200.0, 1.0), CellRanks(Communicator(), Communicator(), NMEMBER, np.arange(NCELL))
    for hour in range(4):
        window.add(START + hour * HOUR, {"soil_water": field(hour)})
    assert [one.time for one in window.leave(START + 3 * HOUR)] == [START]
    whole, plain = window.state(ranks)
    other = SmootherWindow(7200.0, 1.0)
    other.restore(whole | plain, ranks, ["soil_water"])
    assert other.oldest() == START + HOUR
    for one, again in zip(window.drain(), other.drain(), strict=True):
        assert one.time == again.time and np.array_equal(one.fields["soil_water"], again.fields["soil_water"])
    assert window.oldest() is None and not window.state(ranks)[0]
