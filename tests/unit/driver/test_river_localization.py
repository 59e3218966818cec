"""Discharge reaches along rivers: distances by hand, twins of two valleys, what a case refuses."""

from __future__ import annotations

import numpy as np
import pytest
from valleys import DIRECTIONS, GAUGE, NX, VALLEYS, WEST, write_valleys

from cases import TWIN, arrays, assert_same_run, changed
from pyland.assimilate import Distances, analyse_local, localisation_weights
from pyland.assimilate.river_distances import DIRECTIONS as WAYS
from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.config import localization as words
from pyland.driver.analysis.filter_call import FilterCall, FilterChoice, Localization, StatePlaces
from pyland.driver.analysis.observation_warnings import headwater_gauges
from pyland.driver.rivers.river_reach import RiverReach
from pyland.driver.run import run_case
from pyland.observe import ObservationSet, assemble
from pyland.subsurface import RiverNetwork

TIME = np.datetime64("2020-05-01T12:00:00", "s")
DEPTH = np.array([0.05, 0.25])
PLACES = np.stack([1000.0 * np.arange(5), np.zeros(5)], axis=1)
NETWORK = RiverNetwork([2, 2, 3, -1, -1], area=1e6, length=[1000.0, 2000.0, 4000.0, 1.0, 1.0])
"""Cells 0 and 1 meet in 2, which flows to 3; 4 is another river beside it."""

PROBE = {"name": "probe", "type": "soil_moisture", "depth": [0, "5 cm"], "error": 0.02, "every": "6 h",
         "quality": {"max_innovation": None}, "twin": {"seed": 77, "locations": [
             {"name": "east", "x": "2 km", "y": "1.5 km"}]}}


def set_of(name, kind, cells, top=np.nan, bottom=np.nan):
    count = len(cells)
    return ObservationSet(name, kind, TIME, np.full(count, 0.3), 1e-3, PLACES[cells, 0], np.zeros(count),
                          np.array(cells)[:, None], np.ones((count, 1)), top, bottom)


@pytest.fixture
def problem():
    """Six members, five cells of two layers, a gauge in cell 2, which stands beside it, and probes in 1 and 4."""
    rng = np.random.default_rng(7)
    state = rng.normal(0.3, 0.05, (6, 10))
    gauge = set_of("gauge", "discharge", [2])
    gauge.x += 30.0
    sets = [gauge, set_of("probes", "soil_moisture", [1, 4], 0.0, 0.1)]
    return state, sets, assemble(sets, [rng.normal(0.3, 0.1, (6, 1)), state[:, [2, 8]]])


def choice_of(method="letkf", direction="both", **more):
    return FilterChoice(method, otherwise=Localization(1500.0), localization={
        "gauge": Localization(3900.0, "exponential", np.inf, "river", direction)}, **more)


BY_WAY = {"both": {0: 1000.0, 1: 2000.0, 2: 0.0}, "upstream": {0: 1000.0, 1: 2000.0, 2: 0.0},
          "downstream": {2: 0.0}, "network": {0: 1000.0, 1: 2000.0, 2: 0.0}}
PROBES = {0: (1, 1000.0), 1: (1, 0.0), 2: (1, 1000.0), 3: (2, 1000.0), 4: (2, 0.0)}
"""Probe within 1500 m of each cell, as a number of an observation, and its distance."""


def pairs_by_hand(way):
    found = [(cell, 0, far) for cell, far in BY_WAY[way].items()] + [(cell, *one) for cell, one in PROBES.items()]
    return Distances.in_order(*(np.array(part) for part in zip(*found, strict=True)))


@pytest.mark.parametrize("way", WAYS)
def test_a_gauge_by_the_network_and_probes_in_the_plane(problem, way):
    """One list of pairs for both: the analysis is that of the pairs written by hand."""
    state, sets, used = problem
    expected = analyse_local(
        state, used.predicted, used.observed, used.variance, 5, None, np.array([3900.0, 1500.0, 1500.0]),
        taper=["exponential", "gaspari_cohn", "gaspari_cohn"], domain_of_state=np.repeat(np.arange(5), 2),
        distances=pairs_by_hand(way))
    call = FilterCall(choice_of(direction=way), TIME, sets, used, RiverReach(NETWORK, np.arange(5)))
    found = call.update(state, StatePlaces.of_layers(PLACES, DEPTH))
    assert np.array_equal(found, expected) and not np.array_equal(found[:, 4:6], state[:, 4:6])
    # the factors of adaptive inflation learn from the same pairs
    reach, _ = call.reach(StatePlaces.of_layers(PLACES, DEPTH))
    weights = np.zeros((5, 3))
    for one in reach.pairs():
        weights[np.repeat(np.arange(one.domains.start, one.domains.stop), np.diff(one.start)), one.observation] = (
            one.weight)
    for cell, far in BY_WAY[way].items():
        assert weights[cell, 0] == pytest.approx(np.exp(-far / 3900.0))
    assert np.count_nonzero(weights[:, 0]) == len(BY_WAY[way])
    assert weights[:, 1] == pytest.approx(localisation_weights([1000.0, 0.0, 1000.0, 2e3, 3e3], 1500.0))


def test_in_the_plane_all_is_as_before(problem):
    """Pairs of a radius in the plane give what the search by coordinates gives."""
    state, sets, used = problem
    flat = FilterCall(FilterChoice("letkf", otherwise=Localization(1500.0)), TIME, sets[1:], assemble(
        sets[1:], [used.predicted[:, 1:]])).update(state, StatePlaces.of_layers(PLACES, DEPTH))
    gauge = FilterCall(choice_of(direction="downstream"), TIME, sets, used, RiverReach(NETWORK, np.arange(5)))
    found = gauge.update(state, StatePlaces.of_layers(PLACES, DEPTH))
    outside = [0, 1, 2, 3, 6, 7, 8, 9]  # of cell 2
    assert found[:, outside] == pytest.approx(flat[:, outside], abs=1e-14)
    assert np.abs(found[:, 4:6] - flat[:, 4:6]).max() > 1e-3


@pytest.mark.parametrize("method", ["letkf", "lestkf", "lseik", "ldenkf", "lnetf", "lknetf", "letks"])
def test_shares_of_the_cells_have_the_same_bits(problem, method):
    state, sets, used = problem
    choice = choice_of(method, inflation=1.1, adaptive=0.2, rotation=True)

    def run(mine):
        places = StatePlaces.of_layers(PLACES[mine], DEPTH)
        rows = (2 * mine[:, None] + np.arange(2)).ravel()
        call = FilterCall(choice, TIME, sets, used, RiverReach(NETWORK, mine))
        return rows, call.update(state[:, rows], places), call.update_past(state[:, rows] ** 2, places)

    _, whole, past = run(np.arange(5))
    for mine in (np.array([4, 1]), np.array([3]), np.array([0, 2])):
        rows, part, part_past = run(mine)
        assert np.array_equal(part, whole[:, rows]) and np.array_equal(part_past, past[:, rows])


def test_layers_are_domains_where_depth_counts(problem):
    """The gauge reaches all layers of the cells upstream; a parameter without depth is reached like them."""
    state, sets, used = problem
    choice = FilterChoice("letkf", otherwise=Localization(500.0, "none", 0.1), localization={
        "gauge": Localization(2000.0, "none", 0.1, "river")})
    call = FilterCall(choice, TIME, sets[:1], assemble(sets[:1], [used.predicted[:, :1]]),
                      RiverReach(NETWORK, np.arange(5)))
    places = StatePlaces.of_layers(PLACES, np.array([0.05, np.nan]))
    assert call.is_reached(places).tolist() == [True] * 6 + [False] * 4
    moved = (call.update(state, places) != state).any(axis=0)
    assert moved.tolist() == [True] * 6 + [False] * 4
    probes = FilterCall(choice, TIME, sets, used, RiverReach(NETWORK, np.arange(5)))
    assert probes.is_reached(StatePlaces.of_layers(PLACES, DEPTH)).tolist() == [True] * 6 + [False] * 2 + [True, False]


def test_a_gauge_that_reaches_no_cell_of_a_rank(problem):
    state, sets, used = problem
    call = FilterCall(choice_of(), TIME, sets[:1], assemble(sets[:1], [used.predicted[:, :1]]),
                      RiverReach(NETWORK, np.array([4])))
    places = StatePlaces.of_layers(PLACES[4:], DEPTH)
    assert np.array_equal(call.update(state[:, 8:], places), state[:, 8:]) and not call.is_reached(places).any()


def test_rivers_are_needed(problem):
    _, sets, used = problem
    with pytest.raises(InputError, match="got river; set rivers.scheme"):
        FilterCall(choice_of(), TIME, sets, used)


# ---- cases -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def along(tmp_path_factory):
    folder = write_valleys(tmp_path_factory.mktemp("along"))
    run_case(load_case(folder))
    return folder / "run"


def increments(run):
    return arrays(run / "analysis.nc")["soil_water_increment"]


def test_a_gauge_updates_its_valley_only(along, tmp_path):
    """Upstream of the gauge all columns change as with a radius in the plane, which changes the other valley too."""
    plane = write_valleys(tmp_path, {"observations.0.localization": None})
    run_case(load_case(plane))
    mine, everywhere = increments(along), increments(plane / "run")
    moved = np.abs(mine).max(axis=1) > 0.0
    assert len(mine) == 2 and (moved == WEST).all() and (np.abs(everywhere).max(axis=1) > 0.0).all()
    np.testing.assert_array_equal(mine[..., WEST], everywhere[..., WEST])
    found = arrays(along / "analysis.nc")
    # more water in the river than expected: more in the soil it comes from
    more = (mine[0] * np.array([0.02, 0.03, 0.05, 0.1, 0.3, 0.5])[:, None, None]).sum(axis=0)[WEST].sum()
    assert found["innovation"][0] > 10.0 * found["error"][0] and more > 0.0


@pytest.mark.parametrize(("own", "expected"), [
    ({"radius": "1.2 km"}, [(0, 0), (0, 1), (1, 1)]),
    ({"direction": "downstream"}, [(0, 1)]),
])
def test_radius_and_direction_of_an_entry(tmp_path, caplog, own, expected):
    run_case(load_case(write_valleys(tmp_path, {
        "observations.0.localization": {"metric": "river"} | own, "time.end": "2020-05-01T12:00"})))
    moved = np.abs(increments(tmp_path / "run")).max(axis=(0, 1)) > 0.0
    assert list(zip(*np.nonzero(moved), strict=True)) == expected and "no other drains to" not in caplog.text


def test_a_gauge_beside_its_river_is_told(tmp_path, caplog):
    """In the first column no cell has another above it: a gauge there reaches its own cell and those below."""
    ends = NETWORK.downstream
    assert headwater_gauges(np.array([2, 3, 3, -1]), ends, "gauge") is None
    assert "'gauge': 2 of 3 gauges see a cell that no other drains to, the first of them cell 1" in headwater_gauges(
        np.array([4, 2, 1, 1]), ends, "gauge")
    beside = {"observations.0.twin.locations": [{"name": "west", "x": "-2 km", "y": "-1.5 km"}],
              "time.end": "2020-05-01T12:00"}
    run_case(load_case(write_valleys(tmp_path, beside)))
    assert "observation 'discharge': 1 of 1 gauges see a cell that no other drains to" in caplog.text
    moved = np.abs(increments(tmp_path / "run")).max(axis=(0, 1)) > 0.0
    assert list(zip(*np.nonzero(moved), strict=True)) == [(0, 0), (0, 1)]  # both ways: its own cell and the one below


@pytest.mark.slow
def test_a_probe_beside_the_gauge(along, tmp_path):
    """The metric is that of all entries but one: the probe reaches in the plane, the gauge along its river."""
    run_case(load_case(write_valleys(tmp_path, {
        "assimilation.localization": {"radius": "20 km", "taper": "none", "metric": "river"},
        "observations": [GAUGE | {"localization": None}, PROBE | {
            "localization": {"metric": "euclidean", "radius": "1.2 km"}}]})))
    moved = np.abs(increments(tmp_path / "run")).max(axis=(0, 1)) > 0.0
    probed = np.zeros_like(WEST)
    probed[[3, 3, 2], [4, 3, 4]] = True
    assert (moved == (WEST | probed)).all()


@pytest.mark.parametrize("changes", [
    {}, pytest.param({"assimilation.filter": "letks", "assimilation.window": "12 h", "assimilation.inflation": {
        "adaptive": {}, "additive": {"soil_water": 0.003}}}, marks=pytest.mark.slow)])
def test_a_resumed_run_has_the_same_bits(along, tmp_path, changes):
    whole = along
    if changes:
        run_case(load_case(write_valleys(tmp_path / "whole", changes)))
        whole = tmp_path / "whole" / "run"
    folder = write_valleys(tmp_path / "parts", changes)
    run_case(load_case(folder, ["time.end=2020-05-01T15:00"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


def test_words_are_those_of_the_array_function():
    assert words.DIRECTIONS == WAYS and DIRECTIONS.shape[1] == NX


def test_choice_of_a_case():
    changes = {"assimilation.localization": {"radius": "9 km", "metric": "river", "direction": "upstream"},
               "observations": [GAUGE | {"localization": None}, PROBE | {"localization": {"metric": "euclidean"}},
                                GAUGE | {"name": "second", "localization": {"direction": "network"}}]}
    choice = FilterChoice.of_case(load_case(changed(VALLEYS, changes)))
    assert choice.otherwise == Localization(9000.0, "gaspari_cohn", np.inf, "river", "upstream")
    assert choice.localization["probe"].metric == "euclidean" and choice.is_along_rivers
    assert choice.localization["second"] == Localization(9000.0, "gaspari_cohn", np.inf, "river", "network")


RIVER = {"assimilation.localization.metric": "river"}


@pytest.mark.parametrize(("changes", "message"), [
    ({"rivers": {"scheme": "none"}, "output.variables": ["soil_water"]},
     "observations.0.localization.metric: expected a rivers.scheme (linear or kinematic) with metric: river"),
    (RIVER | {"observations": [GAUGE | {"localization": None}, PROBE]},
     "observations.1.localization.metric: expected metric: euclidean with type: soil_moisture, got river; rivers lead"),
    ({"observations": [PROBE | {"localization": {"metric": "river"}}]}, "expected metric: euclidean with type: soil_"),
    ({"assimilation.filter": "lensrf"}, "observations.0.localization.metric: expected metric: euclidean with "
     "assimilation.filter: lensrf, which takes one observation after the other and needs distances between"),
    ({"assimilation.filter": "lrhf"} | RIVER | {"observations": [GAUGE | {"localization": None}]},
     "assimilation.localization.metric: expected metric: euclidean with assimilation.filter: lrhf"),
    ({"assimilation.filter": "lenkf", "assimilation.localization.taper": "gaspari_cohn"},
     "lenkf, which localises covariances and needs distances between observations too, got river; or assimilation."),
    ({"observations.0.error_correlation": "2 km"}, "expected 0 with observations.0.localization.metric: river, got"),
    ({"assimilation.localization.direction": "upstream", "observations.0.localization": None},
     "assimilation.localization.direction: expected metric: river with direction"),
    ({"observations.0.localization": {"direction": "upstream"}},
     "observations.0.localization.direction: expected metric: river with direction, got euclidean"),
    ({"observations.0.localization.direction": "upstrem"}, "did you mean 'upstream'?"),
    ({"observations.0.localization.metric": "rivers"}, "did you mean 'river'?"),
])
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ConfigError) as caught:
        load_case(changed(VALLEYS, changes))
    assert message in str(caught.value)


def test_without_gauges_a_case_has_no_rivers_to_follow():
    with pytest.raises(ConfigError, match="rivers lead to gauges"):
        load_case(changed(TWIN, RIVER))


def test_localised_errors_go_along_rivers():
    config = load_case(changed(VALLEYS, {
        "assimilation.filter": "lenkf", "assimilation.options": {"localise": "errors"}}))
    assert config.observations[0].localization.metric == "river"
