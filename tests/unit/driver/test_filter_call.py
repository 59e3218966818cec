"""What a filter is called with: the options of a case, the reach of each type, correlated errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cases import TWIN, changed
from pyland.assimilate import analyse, analyse_local
from pyland.base.errors import InputError
from pyland.base.observation_reasons import INNOVATION
from pyland.config import load_case
from pyland.driver.analysis import filter_call
from pyland.driver.analysis.filter_call import FilterCall, FilterChoice, Localization, StatePlaces
from pyland.observe import ObservationSet, assemble

TIME = np.datetime64("2020-05-01T12:00:00", "s")
DEPTH = np.array([0.05, 0.25])  # of layers of 0.1 and 0.3 m
PLACES = np.stack([1000.0 * np.arange(4), np.zeros(4)], axis=1)


def set_of(name, kind, cells, top, bottom):
    count = len(cells)
    return ObservationSet(name, kind, TIME, np.full(count, 0.3), 1e-3, PLACES[cells, 0], np.zeros(count),
                          np.array(cells)[:, None], np.ones((count, 1)), top, bottom)


@pytest.fixture
def problem():
    """Six members, four cells of two layers, three probes and a well."""
    rng = np.random.default_rng(7)
    state = rng.normal(0.3, 0.05, (6, 8))
    sets = [set_of("probes", "soil_moisture", [0, 1, 3], 0.0, 0.1), set_of("wells", "groundwater", [2], np.nan, np.nan)]
    return state, sets, assemble(sets, [state[:, [0, 2, 6]], rng.normal(0.3, 0.1, (6, 1))])


def caught(monkeypatch, name):
    """Return what one of the functions of `pyland.assimilate` is called with."""
    calls = []

    def spy(ensemble, *arguments, **options):
        calls.append((arguments, options))
        return ensemble

    monkeypatch.setattr(filter_call, name, spy)
    return calls


def case(changes):
    return FilterChoice.of_case(load_case(changed(TWIN, changes)))


def test_choices_of_a_case():
    choice = case({
        "assimilation.localization": {
            "radius": "5 km", "taper": "exponential", "depth": "1 m", "adaptive": "correlation"},
        "assimilation.inflation": {
            "factor": 1.1, "relaxation": 0.3, "relaxation_to": "perturbations", "unobserved": True},
        "assimilation.rotation": True, "observations.0.localization": {"radius": "2 km"},
        "observations.0.error_correlation": "3 km", "ensemble.seed": 9})
    assert choice.localization == {"satellite": Localization(2000.0, "exponential", 1.0)}
    assert choice.otherwise == Localization(5000.0, "exponential", 1.0) and choice.has_depth
    assert (choice.inflation, choice.relaxation, choice.relaxation_to, choice.rotation, choice.unobserved) == (
        1.1, 0.3, "perturbations", True, True)
    assert (choice.adaptive, choice.correlation, choice.seed) == ("auto", {"satellite": 3000.0}, 9)
    plain = case({})
    assert plain.adaptive is None and not plain.has_depth and plain.correlation == {}
    assert case({"assimilation.localization.adaptive": "correlation",
                 "assimilation.localization.threshold": 0.4}).adaptive == 0.4


def test_each_type_has_its_reach(monkeypatch, problem):
    state, sets, used = problem
    calls = caught(monkeypatch, "analyse_local")
    choice = FilterChoice("lestkf", 1.05, rotation=True, unobserved=True, adaptive=0.3,
                          localization={"wells": Localization(8000.0, "none", 5.0)},
                          otherwise=Localization(2000.0, "gaspari_cohn", 0.5), correlation={"probes": 900.0})
    FilterCall(choice, TIME, sets, used).update(state, StatePlaces.of_layers(PLACES, DEPTH))
    (_, _, _, domains, observed, radius), options = calls[0]
    assert np.array_equal(domains, np.repeat(PLACES, 2, axis=0)) and np.array_equal(observed, used.coordinates)
    assert radius.tolist() == [2000.0, 2000.0, 2000.0, 8000.0]
    assert options["taper"] == ["gaspari_cohn"] * 3 + ["none"]
    assert options["depth_state"] == pytest.approx(np.tile([0.05, 0.25], 4))
    assert options["depth_obs"][:3] == pytest.approx(0.05) and np.isnan(options["depth_obs"][3])
    assert options["depth_radius"].tolist() == [0.5, 0.5, 0.5, 5.0] and options["depth_taper"] == "gaspari_cohn"
    assert options["error_group"].tolist() == [0, 0, 0, 1] and options["error_length"].tolist() == [900.0] * 3 + [0.0]
    assert options["domain_of_state"].tolist() == list(range(8))
    assert options["rotation"] and options["inflate_unobserved"] and options["adaptive"] == 0.3
    assert options["inflation"] == 1.05 and isinstance(options["rng"], np.random.Generator)


def test_what_is_not_asked_for_is_off(monkeypatch, problem):
    state, sets, used = problem
    calls = caught(monkeypatch, "analyse_local")
    choice = FilterChoice("letks", otherwise=Localization(2000.0))
    FilterCall(choice, TIME, sets, used).update(state, StatePlaces.of_layers(PLACES, DEPTH))
    (*_, radius), options = calls[0]
    assert (radius == 2000.0).all() and options["adaptive"] is None
    assert not options["rotation"] and not options["inflate_unobserved"]
    assert not any(name.startswith(("depth_", "error_")) for name in options)
    assert options["method"] == "letkf" and options["domain_of_state"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_layers_of_several_fields_share_a_domain():
    one = StatePlaces.of_layers(PLACES, DEPTH)
    both = StatePlaces(PLACES, np.tile(one.cell, 2), np.tile(one.depth, 2))
    cell, depth, owner = both.domains(True)
    assert cell.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and depth == pytest.approx(np.tile([0.05, 0.25], 4))
    assert owner.tolist() == [*range(8), *range(8)]


def test_correlated_errors_of_a_global_filter(problem):
    """Errors of one set are correlated by their distance, those of different sets are not."""
    state, sets, used = problem
    choice = FilterChoice("etkf", correlation={"probes": 1500.0}, seed=1)
    found = FilterCall(choice, TIME, sets, used).update(state, StatePlaces.of_layers(PLACES, DEPTH))
    covariance = np.diag(used.variance)
    for one, other, distance in ((0, 1, 1000.0), (0, 2, 3000.0), (1, 2, 2000.0)):
        covariance[one, other] = covariance[other, one] = 1e-3 * np.exp(-distance / 1500.0)
    assert found == pytest.approx(analyse(state, used.predicted, used.observed, covariance), abs=1e-13)
    plain = FilterCall(FilterChoice("etkf"), TIME, sets, used).update(state, StatePlaces.of_layers(PLACES, DEPTH))
    assert np.array_equal(plain, analyse(state, used.predicted, used.observed, used.variance))


def test_a_full_matrix_of_very_many_observations_is_refused():
    count = filter_call.LARGEST_COVARIANCE + 1
    many = ObservationSet("swath", "soil_moisture", TIME, np.full(count, 0.3), 1e-3, np.arange(count), np.zeros(count),
                          np.zeros((count, 1), int), np.ones((count, 1)), 0.0, 0.1)
    call = FilterCall(FilterChoice("etkf", correlation={"swath": 10.0}), TIME, [many],
                      assemble([many], [np.full((6, count), 0.25)]))
    with pytest.raises(InputError, match=r"at most 20000; got 20001 with filter: etkf\. Take a local filter"):
        call.update(np.ones((6, 8)), StatePlaces.of_layers(PLACES, DEPTH))


@pytest.mark.parametrize("unobserved", [False, True])
def test_without_a_used_observation(problem, unobserved):
    """Nothing changes but what is inflated where nothing is observed; past states keep their bits in any case."""
    state, sets, used = problem
    for one in sets:
        one.flags[:] = INNOVATION
    none = assemble(sets, [state[:, [0, 2, 6]], np.ones((6, 1))])
    choice = FilterChoice("letks", 1.3, rotation=True, unobserved=unobserved, otherwise=Localization(2000.0))
    call, places = FilterCall(choice, TIME, sets, none), StatePlaces.of_layers(PLACES, DEPTH)
    found = call.update(state, places)
    assert used.size == 4 and none.size == 0 and not call.is_reached(places).any()
    if unobserved:
        assert found == pytest.approx(state.mean(axis=0) + 1.3 * (state - state.mean(axis=0)), abs=1e-14)
    else:
        assert np.array_equal(found, state)
    assert np.array_equal(call.update_past(state, places), state)


def test_a_local_filter_is_the_function_on_arrays(problem):
    state, sets, used = problem
    choice = FilterChoice("letkf", 1.1, 0.2, otherwise=Localization(2500.0, "exponential"))
    places = StatePlaces.of_layers(PLACES, DEPTH)
    expected = analyse_local(
        state, used.predicted, used.observed, used.variance, PLACES, used.coordinates, 2500.0, taper="exponential",
        inflation=1.1, relaxation=0.2, domain_of_state=np.repeat(np.arange(4), 2))
    assert np.array_equal(FilterCall(choice, TIME, sets, used).update(state, places), expected)


def test_what_is_reached(problem):
    state, sets, used = problem
    places = StatePlaces.of_layers(PLACES, DEPTH)
    near = FilterChoice("letkf", otherwise=Localization(500.0, depth=0.1), localization={"wells": Localization(500.0)})
    reached = FilterCall(near, TIME, sets, used).is_reached(places)
    assert reached.reshape(4, 2).tolist() == [[True, False], [True, False], [True, True], [True, False]]
    assert FilterCall(FilterChoice("etkf"), TIME, sets, used).is_reached(places).all()


@pytest.mark.parametrize("method", ["letkf", "lenkf", "lensrf"])
def test_what_all_layers_share_sees_every_depth(problem, method):
    """A deep probe changes the shared parameter of a cell as without depth, and only the deep layer of its state."""
    state, _, _ = problem
    rng = np.random.default_rng(2)
    state = np.concatenate([state.reshape(6, 4, 2), rng.normal(-13.0, 1.0, (6, 4, 2))], axis=2).reshape(6, 16)
    deep = set_of("deep", "soil_moisture", [1], 0.2, 0.3)
    call = FilterCall(FilterChoice(method, otherwise=Localization(500.0, depth=0.1), seed=4), TIME, [deep],
                      assemble([deep], [state[:, [5]]]))
    places = StatePlaces.of_layers(PLACES, np.array([*DEPTH, np.nan, np.nan]))
    assert call.reach(places)[0].domains.shape == (12, 2)  # what is shared is one domain of a cell
    found = call.update(state, places)
    flat = FilterCall(FilterChoice(method, otherwise=Localization(500.0), seed=4), TIME, [deep], call.used)
    expected = flat.update(state, places)
    changed_elements = np.flatnonzero((found != state).any(axis=0))
    assert changed_elements.tolist() == [5, 6, 7]
    assert np.array_equal(found[:, [5, 6, 7]], expected[:, [5, 6, 7]])
    assert call.is_reached(places).nonzero()[0].tolist() == [5, 6, 7]
    assert np.array_equal(call.update(state[:, 6:8], StatePlaces(PLACES, places.cell[6:8], places.depth[6:8])),
                          expected[:, 6:8])


def test_inflated_predictions_stay_within_the_bounds(problem):
    """Adaptive inflation hands them to a filter that refuses what lies beyond."""
    state, sets, used = problem
    choice = FilterChoice("lrhf", otherwise=Localization(2500.0), bounds={"probes": (0.2, 0.45)})
    call = FilterCall(choice, TIME, sets, replace(used, predicted=np.clip(used.predicted, 0.2, 0.45)))
    mean = call.used.predicted.mean(axis=0)
    inflated = mean + 4.0 * (call.used.predicted - mean)
    other = call.with_predictions(inflated)
    assert np.array_equal(other.used.predicted[:, :3], np.clip(inflated[:, :3], 0.2, 0.45))
    assert np.array_equal(other.used.predicted[:, 3], inflated[:, 3])
    assert np.isfinite(other.update(state, StatePlaces.of_layers(PLACES, DEPTH))).all()


def test_random_numbers_are_those_of_seed_and_time(problem):
    state, sets, used = problem
    places = StatePlaces.of_layers(PLACES, DEPTH)
    runs = [FilterCall(FilterChoice("enkf", seed=seed), time, sets, used).update(state, places)
            for seed, time in ((1, TIME), (1, TIME), (2, TIME), (1, TIME + 1))]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2]) and not np.array_equal(runs[0], runs[3])


def test_options_of_single_filters(problem):
    """What a case gives reaches the filter; shares of a state are moved alike, as ranks have them."""
    state, sets, used = problem
    places = StatePlaces.of_layers(PLACES, DEPTH)
    choice = case({"assimilation.filter": "pf", "assimilation.localization": None, "ensemble.seed": 3,
                   "assimilation.options": {"jitter": 0.4, "resampling": "residual", "least_effective": 0.3}})
    found = FilterCall(choice, TIME, sets, used).update(state, places)
    rng = np.random.Generator(np.random.Philox(key=[3, int(TIME.astype(np.int64))]))
    expected = analyse(state, used.predicted, used.observed, used.variance, "pf", jitter=0.4, resampling="residual",
                       least_effective=0.3, dimension=5, rng=rng)
    assert np.array_equal(found, expected) and len(np.unique(found[:, 0])) == 6
    half = FilterCall(choice, TIME, sets, used).update(state[:, 4:], StatePlaces.of_layers(PLACES[2:], DEPTH))
    assert np.array_equal(found[:, 4:], half)


def test_bounds_of_each_type(monkeypatch, problem):
    state, sets, used = problem
    calls = caught(monkeypatch, "analyse_local")
    choice = FilterChoice("lrhf", otherwise=Localization(2000.0), bounds={"probes": (0.0, 0.6)})
    FilterCall(choice, TIME, sets, used).update(state, StatePlaces.of_layers(PLACES, DEPTH))
    low, high = calls[0][1]["bounds"]
    assert low.tolist() == [0.0, 0.0, 0.0, -np.inf] and high.tolist() == [0.6, 0.6, 0.6, np.inf]
    assert case({"assimilation.filter": "lrhf", "observations.0.bounds": [0, 0.6]}).bounds == {"satellite": (0.0, 0.6)}
