"""Observation types and batches: errors, screening, thinning, withheld places, and what filters get from them."""

from __future__ import annotations

import builtins
import importlib
import pkgutil
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pyland import assimilate
from pyland.assimilate import analyse, analyse_local
from pyland.assimilate import thinning as room
from pyland.assimilate.distances import Distances
from pyland.assimilate.nearby_points import EARTH_RADIUS, NearbyPoints
from pyland.assimilate.observation_batch import ObservationBatch
from pyland.assimilate.observation_errors import RelativeError, TableError, correlated_covariance
from pyland.assimilate.observation_operators import FunctionOperator, ObservationOperator, at_cells, averaged
from pyland.assimilate.observation_type import ObservationType
from pyland.assimilate.river_distances import river_distances
from pyland.assimilate.thinning import Candidates, CellBest, CellMean, MinimumDistance
from pyland.base.errors import InputError
from pyland.base.observation_reasons import REASONS

NSTATE = 12
PLACES = np.column_stack([np.arange(NSTATE) * 1.0, np.zeros(NSTATE)])


def ensemble(nmember=8, seed=0):
    return np.random.default_rng(seed).standard_normal((nmember, NSTATE))


def points(name="probe", cells=(0, 3, 7), values=None, **options):
    """Return observations of single cells at their places."""
    cells = np.asarray(cells)
    values = np.linspace(-1, 1, cells.size) if values is None else values
    options = {"error": 0.5, "coords": PLACES[cells], "operator": at_cells(cells, NSTATE)} | options
    return ObservationType(name, values, **options)


def flags(one, E=None):
    E = ensemble() if E is None else E
    return [REASONS[flag] for flag in one.screen(one.operator(E))[0]]


# ---- errors ------------------------------------------------------------------------------------------------------


def test_error_models():
    values = np.array([-4.0, 0.0, 1.0])
    assert points(error=0.3, values=values).deviation.tolist() == [0.3] * 3
    assert points(error=RelativeError(0.1, 0.2), values=values).deviation.tolist() == [0.4, 0.2, 0.2]
    np.testing.assert_allclose(points(error=TableError([0, 2], [1, 3]), values=values).deviation, [1, 1, 2])
    assert flags(points(error=[0.1, np.nan, -1.0])) == ["used", "error_not_positive", "error_not_positive"]
    assert flags(points(error=[0.1, 0.0, 1.0], values=[0.0, 0.0, np.inf])) == [
        "used", "error_not_positive", "value_out_of_range"]


def test_correlated_errors_give_the_kalman_mean():
    """Mean and covariance of the ETKF with full R are those of the Kalman filter with R[i, j] = s_i s_j exp(-r/L)."""
    E = ensemble(30)
    cells = np.array([1, 2, 4, 9])
    error = np.array([0.5, 0.7, 0.4, 0.6])
    one = points(cells=cells, values=[1.0, 0.5, -0.2, 2.0], error=error, correlation_length=3.0)
    other = points("free", cells=[6], values=[0.3])
    result = ObservationBatch.join([one, other], E).analyse(E, "etkf")
    H = np.zeros((5, NSTATE))
    H[np.arange(5), [*cells, 6]] = 1.0
    R = np.zeros((5, 5))
    R[:4, :4] = np.outer(error, error) * np.exp(-np.abs(cells[:, None] - cells[None]) / 3.0)
    R[4, 4] = 0.25
    P = np.cov(E.T)
    K = P @ H.T @ np.linalg.inv(H @ P @ H.T + R)
    expected = E.mean(0) + K @ (np.array([1.0, 0.5, -0.2, 2.0, 0.3]) - H @ E.mean(0))
    np.testing.assert_allclose(result.ensemble.mean(0), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(result.ensemble.T), (np.eye(NSTATE) - K @ H) @ P, rtol=0, atol=1e-12)


def test_correlated_errors_at_one_place_are_refused():
    with pytest.raises(InputError, match="share the place"):
        ObservationBatch.join([points(cells=[1, 1], correlation_length=2.0)], ensemble()).covariance()


# ---- screening -----------------------------------------------------------------------------------------------------


def test_every_reason():
    E = ensemble(200, seed=4)
    values = np.array([0.0, np.nan, 9.0, 0.0, 0.0, 3.0, 0.0, 0.0])
    cells = np.array([0, 1, 2, 3, -1, 5, 6, 7])
    coords = PLACES[cells]
    coords[7] = coords[6] + 0.1
    quality = np.ones(8, bool)
    quality[3] = False
    one = ObservationType(
        "probe", values, 0.1, coords, at_cells(cells, NSTATE), quality=quality, valid_range=(-5, 5),
        innovation_limit=2.0, thinning=MinimumDistance(0.5))  # fmt: skip
    expected = ["used", "missing_value", "value_out_of_range", "rejected_by_quality_flag", "outside_domain",
                "innovation_too_large", "used", "thinned"]  # fmt: skip
    assert flags(one, E) == expected
    assert flags(points(is_assimilated=False)) == ["not_assimilated"] * 3
    nan = ObservationType("log", [0.0, 1.0], 0.1, PLACES[:2], FunctionOperator(
        lambda E: np.where([False, True], np.nan, E[:, :2]), 2))  # fmt: skip
    assert flags(nan) == ["used", "prediction_not_finite"]
    departures = ObservationBatch.join([one, nan], E).analyse(E, "etkf").departures
    assert departures["probe"].reasons() == expected
    assert departures["probe"].counts()["used"] == 2
    assert np.isnan(departures["probe"].innovation).tolist() == [k in (1, 4) for k in range(8)]
    assert departures["probe"].row.tolist() == [0, -1, -1, -1, -1, -1, 1, -1]


def test_innovation_limit_is_exact():
    """|d - mean| against limit sqrt(spread² + error²), just below and just above."""
    E = np.array([[-1.0], [1.0]]) * np.ones((1, NSTATE))  # variance 2
    edge = 3.0 * np.sqrt(2.0 + 0.25)
    one = points(cells=[0, 1], values=[edge * (1 - 1e-12), edge * (1 + 1e-12)], innovation_limit=3.0)
    assert flags(one, E) == ["used", "innovation_too_large"]


def test_withheld_places_stay():
    rng = np.random.default_rng(5)
    coords = rng.uniform(0, 1e5, (4000, 2))
    operator = at_cells(np.zeros(4000, int), NSTATE)
    one = ObservationType("wells", np.zeros(4000), 1.0, coords, operator, withheld_share=0.2, seed=3)
    chosen = one.withheld_places()
    assert abs(chosen.mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 4000)
    order = rng.permutation(4000)[:500]
    part = ObservationType("wells", np.ones(500), 1.0, coords[order], at_cells(np.zeros(500, int), NSTATE),
                           withheld_share=0.2, seed=3)  # fmt: skip
    np.testing.assert_array_equal(part.withheld_places(), chosen[order])
    more = ObservationType("wells", np.zeros(4000), 1.0, coords, operator, withheld_share=0.4, seed=3)
    assert (more.withheld_places() >= chosen).all()  # a larger share keeps those of a smaller one
    other = ObservationType("wells", np.zeros(4000), 1.0, coords, operator, withheld_share=0.2, seed=4)
    assert (other.withheld_places() != chosen).mean() == pytest.approx(2 * 0.2 * 0.8, abs=0.03)


def test_withheld_observations_are_not_assimilated():
    E = ensemble()
    whole = points(cells=range(12), values=np.arange(12.0), withheld_share=0.4, seed=1)
    kept = np.flatnonzero(~whole.withheld_places())
    assert 0 < kept.size < 12
    result = ObservationBatch.join([whole], E).analyse(E, "etkf")
    only = ObservationBatch.join([points(cells=kept, values=kept * 1.0)], E).analyse(E, "etkf")
    np.testing.assert_array_equal(result.ensemble, only.ensemble)
    withheld = result.departures["probe"]
    assert withheld.withheld.sum() == 12 - kept.size
    summary = withheld.summary()
    left = np.setdiff1d(np.arange(12), kept)
    rms = np.sqrt(((left - result.ensemble[:, left].mean(0)) ** 2).mean())
    assert summary["withheld_o_a_rms"] == pytest.approx(rms, rel=1e-13)
    assert only.departures["probe"].summary()["withheld_o_a_rms"] is None


# ---- thinning ------------------------------------------------------------------------------------------------------


def test_mean_of_a_cell_is_sufficient():
    """Independent observations of one value say as much as their weighted mean with the error of the mean."""
    E = ensemble()
    rng = np.random.default_rng(6)
    cells = np.repeat([2, 8], 5)
    coords = PLACES[cells] + rng.uniform(0.05, 0.95, (10, 2))
    error = rng.uniform(0.3, 2.0, 10)
    values = rng.standard_normal(10)
    every = points(cells=cells, values=values, error=error, coords=coords)
    means = points(cells=cells, values=values, error=error, coords=coords, thinning=CellMean(1.0))
    batch = ObservationBatch.join([means], E)
    assert batch.nobs == 2
    np.testing.assert_allclose(
        batch.analyse(E, "etkf").ensemble, ObservationBatch.join([every], E).analyse(E, "etkf").ensemble,
        rtol=0, atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(batch.variance, [1 / (1 / error[:5] ** 2).sum(), 1 / (1 / error[5:] ** 2).sum()])
    assert batch.analyse(E, "etkf").departures["probe"].row.tolist() == [0] * 5 + [1] * 5
    assert ((batch.coords >= coords.min(0)) & (batch.coords <= coords.max(0))).all()


def test_correlated_errors_do_not_average_out():
    rng = np.random.default_rng(7)
    coords = rng.uniform(0, 2, (9, 2))
    error = rng.uniform(0.3, 2.0, 9)
    one = points(cells=np.zeros(9, int), error=error, coords=coords, thinning=CellMean(1.0), correlation_length=1.5)
    batch = ObservationBatch.join([one], ensemble())
    full = correlated_covariance(coords, error**2, 1.5)
    weights = batch.weights[0].toarray()
    np.testing.assert_allclose(batch.covariance(), weights @ full @ weights.T, rtol=1e-12)
    np.testing.assert_allclose(batch.variance, np.diag(batch.covariance()), rtol=1e-12)
    assert (batch.variance > 1 / (1 / error**2).sum()).all()


@pytest.mark.parametrize("metric, scale", [("euclidean", 1.0), ("haversine", EARTH_RADIUS * np.pi / 180)])
def test_thinning_does_not_depend_on_the_order(metric, scale):
    rng = np.random.default_rng(8)
    coords = rng.uniform(0, 10, (300, 2))
    error = rng.choice([0.1, 0.2, 0.3], 300)
    order = rng.permutation(300)
    for thinning in (CellBest(scale), MinimumDistance(scale), CellMean(scale)):
        kept = []
        for chosen in (np.arange(300), order):
            one = points(cells=np.zeros(300, int), values=coords[chosen, 0], error=error[chosen], coords=coords[chosen],
                         thinning=thinning, metric=metric)  # fmt: skip
            batch = ObservationBatch.join([one], ensemble())
            kept.append(np.array(sorted(map(tuple, np.round(batch.coords, 9)))))
        np.testing.assert_allclose(kept[0], kept[1], atol=1e-8)
        assert 40 < len(kept[0]) < 150
        if isinstance(thinning, MinimumDistance):
            index = NearbyPoints(kept[0], metric)
            one, other, distance = index.within(kept[0], 3 * scale)
            assert distance[one != other].min() >= scale * (1 - 1e-6)
            assert len(np.unique(index.within(coords, scale)[0])) == 300  # none could be added


def candidates(size, seed=0, extent=100.0):
    rng = np.random.default_rng(seed)
    index = NearbyPoints(rng.uniform(0.0, extent, (size, 2)))
    return Candidates(index, rng.choice([0.1, 0.2, 0.4], size), rng.choice([0.1, 0.3, np.nan], size), None)


@pytest.mark.parametrize("pairs, batch", [(1, 4096), (40, 7), (room.PAIRS, room.BATCH)])
@pytest.mark.parametrize("distance", [1e-9, 4.0, 30.0, 1e3])
def test_least_distance_is_the_greedy_search(monkeypatch, pairs, batch, distance):
    """One candidate after the other, by error and place: kept unless one that is kept is nearer, at the same depth."""
    monkeypatch.setattr(room, "PAIRS", pairs)
    monkeypatch.setattr(room, "BATCH", batch)
    given = candidates(300)
    points, level = given.index.points, np.nan_to_num(given.depth, nan=-1.0)
    kept = []
    for here in sorted(range(300), key=lambda k: (given.variance[k], *points[k])):
        if all(np.hypot(*(points[here] - points[k])) >= distance or level[here] != level[k] for k in kept):
            kept.append(here)
    np.testing.assert_array_equal(MinimumDistance(distance).matrix(given).indices, np.sort(kept))


def test_memory_of_a_least_distance_does_not_grow_with_the_neighbours():
    """20 000 candidates with 400 neighbours each: all pairs at once took 540 MB."""
    given = candidates(20000)
    tracemalloc.start()
    kept = MinimumDistance(8.0).matrix(given).shape[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 100 < kept < 1000
    assert peak < 60e6


def test_best_of_a_cell_and_depths_apart():
    one = points(cells=[0, 0, 0, 0], coords=[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [1.5, 0.5]], error=[2, 1, 1, 3],
                 depth=[0.1, 0.1, 0.2, 0.1], thinning=CellBest(1.0))  # fmt: skip
    assert flags(one) == ["thinned", "used", "used", "used"]


def test_cell_means_around_the_date_line_and_a_periodic_axis():
    one = points(cells=[0, 0], coords=[[10.0, 179.9], [10.0, 179.7]], metric="haversine", thinning=CellMean(5e5))
    np.testing.assert_allclose(ObservationBatch.join([one], ensemble()).coords, [[10.0, 179.8]], atol=1e-4)
    one = points(cells=[0, 0], coords=[[9.6], [9.8]], period=[10.0], thinning=CellMean(1.0))
    np.testing.assert_allclose(ObservationBatch.join([one], ensemble()).coords, [[9.7]])


# ---- what filters get ----------------------------------------------------------------------------------------------


def test_batch_is_the_filter():
    """Two types with one radius: the same bits as by hand, and departures from the analysed ensemble."""
    E = ensemble()
    a = points("a", cells=[0, 3], values=[1.0, np.nan], radius=2.5)
    b = points("b", cells=[5, 6], values=[0.3, 0.4], error=[0.2, 0.3],
               operator=averaged([[5, 6], [6, 7]], NSTATE), radius=2.5)  # fmt: skip
    batch = ObservationBatch.join([a, b], E)
    assert batch.type_of_obs.tolist() == [0, 1, 1]
    Y = np.column_stack([E[:, 0], E[:, 5:7].mean(1), E[:, 6:8].mean(1)])
    np.testing.assert_allclose(batch.predicted, Y, rtol=1e-14)
    result = batch.analyse(E, "letkf", coords_state=PLACES, inflation=1.1, taper="exponential", return_diagnostics=True)
    expected = analyse_local(E, batch.predicted, [1.0, 0.3, 0.4], [0.25, 0.04, 0.09], PLACES, PLACES[[0, 5, 6]], 2.5,
                             inflation=1.1, taper="exponential")  # fmt: skip
    np.testing.assert_array_equal(result.ensemble, expected)
    assert result.diagnostics.innovation.shape == (3,)
    np.testing.assert_allclose(
        result.departures["b"].residual, [0.3, 0.4] - averaged([[5, 6], [6, 7]], NSTATE)(expected).mean(0), atol=1e-14)


def test_enkf_takes_its_options():
    E = ensemble()
    one = points()
    result = ObservationBatch.join([one], E).analyse(E, "enkf", rng=3, inflation=1.05)
    Y = np.ascontiguousarray(E[:, [0, 3, 7]])
    np.testing.assert_array_equal(
        result.ensemble, analyse(E, Y, one.values, [0.25] * 3, "enkf", rng=3, inflation=1.05))


def test_local_arguments_of_mixed_types():
    a = points("a", radius=[1.0, 2.0, 3.0], taper="none", depth=0.1, depth_radius=0.5, correlation_length=4.0)
    b = points("b", cells=[8, 9])
    batch = ObservationBatch.join([a, b], ensemble())
    given = batch.local_arguments(radius=7.0, taper="exponential")
    assert given["radius"].tolist() == [1, 2, 3, 7, 7]
    assert given["taper"] == ["none"] * 3 + ["exponential"] * 2
    np.testing.assert_array_equal(given["depth_obs"], [0.1] * 3 + [np.nan] * 2)
    assert given["depth_radius"].tolist() == [0.5] * 3 + [np.inf] * 2
    assert given["error_group"].tolist()[:3] == [0, 0, 0]
    assert len(set(given["error_group"][2:].tolist())) == 3  # those without correlation are alone
    assert given["error_length"].tolist()[:3] == [4.0] * 3
    alike = ObservationBatch.join([points("a", radius=2.0), b], ensemble()).local_arguments(radius=2.0)
    assert alike["radius"] == 2.0
    assert set(alike) == {"coords_obs", "metric", "radius", "taper"}


def test_distances_by_rows():
    a = points("a", values=[0.0, np.nan, 1.0])
    b = points("b", cells=[1])
    batch = ObservationBatch.join([a, b], ensemble())
    pairs = batch.distances({
        "a": Distances(np.array([0, 0, 2]), np.array([0, 1, 2]), np.array([5.0, 6.0, 7.0])),
        "b": Distances(np.array([1]), np.array([0]), np.array([8.0]))})  # fmt: skip
    assert (pairs.domain.tolist(), pairs.obs.tolist(), pairs.distance.tolist()) == ([0, 1, 2], [0, 2, 1], [5, 8, 7])
    with pytest.raises(InputError, match="lack observations 'b'"):
        batch.distances({"a": pairs})


def test_along_rivers():
    """Gauges act along a chain of reaches: the same as on a line, with pairs in place of coordinates."""
    E = ensemble()
    downstream = np.append(np.arange(1, NSTATE), -1)
    gauges = np.array([2, 9])
    one = points("gauge", cells=gauges, values=[1.0, -1.0])
    batch = ObservationBatch.join([one], E)
    pairs = river_distances(downstream, 1.0, np.arange(NSTATE), gauges, 3.0)
    along = batch.analyse(E, "letkf", coords_state=NSTATE, radius=3.0, distances={"gauge": pairs})
    straight = batch.analyse(E, "letkf", coords_state=PLACES, radius=3.0)
    np.testing.assert_allclose(along.ensemble, straight.ensemble, rtol=0, atol=1e-14)
    assert (along.ensemble[:, 6] == E[:, 6]).all()  # farther than 3 from both


def test_local_analysis_with_correlated_errors_and_radii_of_types():
    """Without a limit to the radius, the local analysis is the global one with the full matrix."""
    E = ensemble(20)
    a = points("a", cells=[0, 2, 5], error=[0.4, 0.5, 0.6], correlation_length=3.0)
    b = points("b", cells=[8])
    batch = ObservationBatch.join([a, b], E)
    local = batch.analyse(E, "letkf", coords_state=PLACES, radius=np.inf, taper="none")
    np.testing.assert_allclose(local.ensemble, batch.analyse(E, "etkf").ensemble, rtol=0, atol=1e-11)
    near = ObservationBatch.join([points("a", cells=[0], radius=1.5), points("b", cells=[8], radius=2.5)], E)
    moved = (near.analyse(E, "letkf", coords_state=PLACES).ensemble != E).any(axis=0)
    assert np.flatnonzero(moved).tolist() == [0, 1, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("length", [None, 2.0])
def test_no_observation_left(length):
    E = ensemble()
    one = points(values=[np.nan] * 3, correlation_length=length)
    batch = ObservationBatch.join([one], E)
    np.testing.assert_array_equal(batch.analyse(E, "etkf").ensemble, E)
    if length is None:
        np.testing.assert_array_equal(batch.analyse(E, "letkf", coords_state=PLACES).ensemble, E)


def test_pdaf_offline_with_two_types(shared_data):
    """PDAF v3.0 offline cases with observation types A and B: global members, local mean, and the RMSE of its table."""
    folder = shared_data / "pdaf_verification"
    reference = np.load(folder / "offline_reference.npz")

    def field(name):
        return np.loadtxt(folder / "inputs_offline_18x36" / name).ravel(order="F")

    E = np.array([field(f"ens_{k}.txt") for k in range(1, 9)])
    j, i = np.divmod(np.arange(E.shape[1]), 18)
    places = np.column_stack([i + 1.0, j + 1.0])
    types = [
        ObservationType(name, field(file), 0.5, places, at_cells(np.arange(E.shape[1]), E.shape[1]),
                        valid_range=(-900, 900))
        for name, file in (("A", "obs.txt"), ("B", "obsB.txt"))]  # fmt: skip
    batch = ObservationBatch.join(types, E)
    inflation = 1 / np.sqrt(0.8)
    result = batch.analyse(E, "etkf", inflation=inflation)
    members = np.array([reference[f"offline_2D_obsAB_ftype4s0/ens_{k:02d}_ana"].ravel(order="F") for k in range(1, 9)])
    np.testing.assert_allclose(result.ensemble, members, rtol=0, atol=1e-10)
    local = batch.analyse(E, "letkf", coords_state=places, radius=5.0, taper="none", inflation=inflation)
    mean = reference["offline_2D_obsAB_ftype5s0/state_ana"].ravel(order="F")
    np.testing.assert_allclose(local.ensemble.mean(0), mean, rtol=0, atol=1e-10)
    rmse = np.sqrt(((local.ensemble.mean(0) - field("true.txt")) ** 2).mean())
    assert rmse == pytest.approx(0.60800719, abs=1e-8)
    assert local.departures["A"].counts() == {"used": 36, "value_out_of_range": E.shape[1] - 36}


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change, text", [
    ({"values": [[1.0]]}, "values must have shape"),
    ({"coords": PLACES[:2]}, "one row per value"),
    ({"operator": at_cells([0], NSTATE)}, "gives 1 values for 3"),
    ({"error": -1.0}, "error must lie in"),
    ({"error": "small"}, "error must be a number"),
    ({"error": [1.0]}, "one deviation per value"),
    ({"quality": [0, 1, 0]}, "true or false"),
    ({"valid_range": (2, 1)}, "lowest, highest"),
    ({"innovation_limit": 0.0}, "innovation_limit must lie in"),
    ({"correlation_length": -1.0}, "correlation_length must lie in"),
    ({"withheld_share": 1.5}, "withheld_share must lie in"),
    ({"seed": 0.5}, "seed must be a whole number"),
    ({"taper": "gauss"}, "taper must be"),
    ({"thinning": 3.0}, "thinning must be"),
    ({"radius": [1.0, 0.0, 1.0]}, "radius must be above 0; got 0.0 at observation 1"),
    ({"depth": [1.0, 2.0]}, "depth must be a number or one per observation"),
])  # fmt: skip
def test_bad_type(change, text):
    with pytest.raises(InputError, match=text):
        points(**change)


@pytest.mark.parametrize("call, text", [
    (lambda: RelativeError(0.1, 0.0), "floor must lie in"),
    (lambda: TableError([1, 0], [1, 1]), "ascending"),
    (lambda: CellMean(0.0), "size of a thinning cell"),
    (lambda: ObservationBatch.join([], ensemble()), "at least one type"),
    (lambda: ObservationBatch.join([points(), points()], ensemble()), "two types of observations are named 'probe'"),
    (lambda: ObservationBatch.join([points(), points("b", metric="haversine")], ensemble()), "differ in their metric"),
    (lambda: ObservationBatch.join([points()], ensemble()[:1]), "at least 2 members"),
    (lambda: ObservationBatch.join([points()], ensemble()[:, :4]), "'probe': the observation operator takes"),
    (lambda: joined().analyse(ensemble(), "letkf", radius=1.0), "needs coords_state"),
    (lambda: joined().analyse(ensemble(), "letkf", coords_state=PLACES), "have no radius"),
    (lambda: joined().analyse(ensemble(), "etkf", radius=1.0), "radius belongs to local methods"),
    (lambda: joined(taper="none").analyse(ensemble(), "etkf"), "have a taper"),
    (lambda: joined(depth=1.0, depth_radius=2.0, radius=1.0).analyse(ensemble(), "letkf", coords_state=PLACES),
     "depth_radius needs depth_state"),
    (lambda: joined(radius=1.0).analyse(ensemble(), "letkf", coords_state=PLACES, depth_radius=1.0), "has a depth"),
    (lambda: joined().analyse(ensemble(), "letkfs"), "unknown method 'letkfs'"),
    (lambda: ObservationOperator(np.ones((1, 2)), [True, False]), "outside must have shape"),
])  # fmt: skip
def test_bad_batch(call, text):
    with pytest.raises(InputError, match=text):
        call()


def joined(**options):
    return ObservationBatch.join([points(**options)], ensemble())


def test_a_covariance_that_is_too_large_is_refused_before_it_is_made():
    """21 000 x 21 000 numbers are 3.5 GB, of one type or of all together; a local filter takes the observations."""
    count = 21000

    def line(name, count, **options):
        coords = np.column_stack([np.arange(count) * 1.0, np.zeros(count)])
        return points(name, np.zeros(count, int), np.zeros(count), coords=coords, **options)

    E = ensemble()
    for types in ([line("probe", count, correlation_length=2.0)],
                  [line("probe", 100, correlation_length=2.0), line("other", count)]):
        batch = ObservationBatch.join(types, E)
        with pytest.raises(InputError, match=r"would take 3\.[56] GB; a global filter .*local filter \(letkf, "):
            batch.covariance()
    assert batch.local_arguments(radius=5.0)["error_group"].shape == (count + 100,)
    with pytest.raises(InputError, match="probe: the error covariance of 21000 observations"):
        correlated_covariance(np.arange(count), np.ones(count), 1.0, name="probe")


def test_an_index_is_no_operator():
    with pytest.raises(InputError, match=r"operator must be an operator, got ndarray.*use at_cells\(cells, nstate\)"):
        points(operator=np.array([0, 1, 2]))


def test_names_of_the_guide_for_pdaf_can_be_imported():
    """Words in code style of docs/from_pdaf.md that are defined somewhere in pyland.assimilate are in its list."""
    guide = Path(__file__).parents[3] / "docs" / "from_pdaf.md"
    names = set(re.findall(r"`([A-Za-z_]+)[`(]", guide.read_text(encoding="utf-8")))
    modules = [importlib.import_module(f"pyland.assimilate.{one.name}") for one in pkgutil.iter_modules(
        assimilate.__path__)]
    defined = {name for one in modules for name, what in vars(one).items() if callable(what)} - set(dir(builtins))
    assert len(names & defined) > 15 and names & defined <= set(assimilate.__all__)
    for name in ("RelativeError", "TableError", "CellMean", "CellBest", "MinimumDistance", "nearest_cell"):
        assert name in assimilate.__all__
