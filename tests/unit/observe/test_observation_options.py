"""Thinning, withholding, weights of footprints and depths, relative errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import (
    ObservationSet,
    TargetCells,
    assemble,
    column_soil_moisture,
    depth_weights,
    error_of,
    is_kept,
    read_observations,
    withhold,
    write_observations,
)

TIME = np.datetime64("2020-05-01T12:00:00", "s")


def set_of(count, time=TIME, seed=1, **options):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0.0, 10e3, (2, count))
    return ObservationSet("satellite", "soil_moisture", time, rng.uniform(0.1, 0.4, count), 4e-4, x, y,
                          np.arange(count)[:, None], np.ones((count, 1)), 0.0, 0.05, **options)


# ---- thinning


def greedy(x, y, variance, location, distance):
    """Return what is kept, one observation after the other."""
    kept = []
    for one in sorted(range(len(x)), key=lambda k: (variance[k], location[k])):
        if all(np.hypot(x[one] - x[other], y[one] - y[other]) >= distance for other in kept):
            kept.append(one)
    return np.isin(np.arange(len(x)), kept)


@pytest.mark.parametrize("distance", [300.0, 1500.0, 20e3])
def test_thinning_is_the_greedy_choice(distance):
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0.0, 10e3, (2, 200))
    variance, location = rng.choice([1e-4, 4e-4], 200), rng.permutation(200)
    kept = is_kept(x, y, variance, location, distance)
    assert np.array_equal(kept, greedy(x, y, variance, location, distance)) and 1 <= kept.sum() <= 200
    order = rng.permutation(200)
    assert np.array_equal(is_kept(x[order], y[order], variance[order], location[order], distance), kept[order])


def test_on_a_raster_every_second_is_kept():
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(6) * 100.0, np.arange(4) * 100.0))
    kept = is_kept(x, y, np.ones(24), np.arange(24), 200.0).reshape(4, 6)
    assert kept[::2, ::2].all() and kept.sum() == 6
    assert is_kept(x, y, np.ones(24), np.arange(24), 100.0).all()  # neighbours at the distance are both kept


@pytest.mark.parametrize("distance", [0.0, np.inf, np.nan])
def test_a_distance_that_is_none(distance):
    with pytest.raises(InputError, match="expected a positive distance"):
        is_kept(np.zeros(2), np.zeros(2), np.ones(2), np.arange(2), distance)


def test_thinning_comes_after_the_innovation_check():
    """A wild observation does not displace its neighbour."""
    one = ObservationSet("satellite", "soil_moisture", TIME, [0.9, 0.3, 0.3], 1e-4, [0.0, 50.0, 500.0], np.zeros(3),
                         np.arange(3)[:, None], np.ones((3, 1)), 0.0, 0.05)
    predicted = np.tile(np.array([0.28, 0.30, 0.32])[:, None], 3)
    used = assemble([one], [predicted], 3.0, {"satellite": 100.0})
    assert one.reasons() == ["innovation_too_large", "used", "used"] and used.row.tolist() == [1, 2]
    other = set_of(50)
    assemble([other], [np.tile(other.values, (3, 1))], None, {"satellite": 2000.0})
    assert other.counts().keys() == {"used", "thinned"}
    assert min(np.hypot(*(np.stack([other.x, other.y])[:, [a, b]] @ [1, -1]))
               for a, b in itertools.combinations(np.flatnonzero(other.used), 2)) >= 2000.0


# ---- withholding


def test_the_same_places_are_withheld_at_all_times():
    sets = [set_of(40, TIME + np.timedelta64(hour, "h")) for hour in range(3)]
    sets[1].flags[:] = 1
    withhold(sets, 0.2, 7)
    masks = [np.array([reason == "withheld" for reason in one.reasons()]) for one in sets]
    assert masks[0].sum() == 8 and np.array_equal(masks[0], masks[2]) and not masks[1].any()
    again, other = ([set_of(40)] for _ in range(2))
    withhold(again, 0.2, 7)
    withhold(other, 0.2, 8)
    assert np.array_equal(again[0].flags, sets[0].flags) and not np.array_equal(other[0].flags, sets[0].flags)


def test_what_sees_one_point_is_withheld_together():
    """Two polarisations of a point say nearly the same: one of them cannot test the other."""
    both = [set_of(20, location=2 * np.arange(20) + way) for way in (0, 1)]
    both.append(set_of(20, TIME + np.timedelta64(1, "D"), location=2 * np.arange(20)))
    withhold(both, 0.3, 5)
    masks = [np.array([reason == "withheld" for reason in one.reasons()]) for one in both]
    assert masks[0].sum() == 6 and np.array_equal(masks[0], masks[1]) and np.array_equal(masks[0], masks[2])
    alone = [set_of(1, TIME + np.timedelta64(day, "D"), location=[way]) for day in range(10) for way in (0, 1)]
    withhold(alone, 0.3, 1)
    assert [sum(one.reasons() == ["withheld"] for one in alone[way::2]) for way in (0, 1)] == [3, 3]
    assert {one.time for one in alone[::2] if not one.used.any()} == {one.time for one in alone[1::2]
                                                                     if not one.used.any()}


def test_of_a_single_place_times_are_withheld():
    sets = [set_of(1, TIME + np.timedelta64(day, "D")) for day in range(10)]
    withhold(sets, 0.3, 1)
    assert sum(one.reasons() == ["withheld"] for one in sets) == 3
    two = [set_of(2)]
    withhold(two, 0.9, 1)
    assert sorted(two[0].reasons()) == ["used", "withheld"]


@pytest.mark.parametrize(("sets", "share", "words"), [
    ([set_of(1)], 0.5, "at least two places or times"), ([set_of(5)], 1.0, "a share between 0 and 1"),
])
def test_nothing_to_choose_from(sets, share, words):
    with pytest.raises(InputError, match=words):
        withhold(sets, share, 1)


# ---- weights


def test_exponential_weights_are_the_integral():
    thickness, e_folding = np.array([0.02, 0.03, 0.05, 0.2]), 0.04
    weights = depth_weights(thickness, 0.01, 0.07, e_folding)
    edges = np.array([0.01, 0.02, 0.05, 0.07])
    expected = -np.diff(np.exp(-edges / e_folding))
    assert weights == pytest.approx([*(expected / expected.sum()), 0.0], abs=1e-14)
    assert depth_weights(thickness, 0.01, 0.07, 1e9) == pytest.approx(depth_weights(thickness, 0.01, 0.07), rel=1e-6)
    shallow = depth_weights(thickness, 0.0, 0.3, 1e-4)
    assert shallow[0] == pytest.approx(1.0) and shallow.sum() == pytest.approx(1.0)
    water = np.array([0.1, 0.2, 0.3, 0.4])[:, None, None]
    seen = column_soil_moisture(water, thickness, 0.01, 0.07, e_folding)
    assert seen[0, 0] == pytest.approx(weights @ water[:, 0, 0])
    with pytest.raises(InputError, match="positive e-folding depth"):
        depth_weights(thickness, 0.0, 0.1, 0.0)


def raster(count=9):
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(count) * 100.0, np.arange(count) * 100.0))
    return TargetCells(np.zeros(x.size), np.zeros(x.size), x, y, 100.0)


def test_gaussian_footprints():
    """Half the weight at the rim of the diameter, 2**-9 of it where the footprint ends."""
    target = raster()
    cells, weights = target.footprints([400.0], [400.0], 400.0, "gaussian")
    share = dict(zip(cells[0].tolist(), weights[0], strict=True))
    middle, rim = 4 * 9 + 4, 4 * 9 + 6
    assert share[rim] / share[middle] == pytest.approx(0.5) and weights.sum() == pytest.approx(1.0)
    assert len(share) == (np.hypot(target.x - 400.0, target.y - 400.0) <= 600.0).sum()
    assert share[4 * 9] / share[middle] == pytest.approx(0.5**4)
    assert (np.diff(cells[0]) > 0).all()
    equal = target.footprints([400.0], [400.0], 400.0)
    assert set(equal[0][0]) == set(np.flatnonzero(np.hypot(target.x - 400.0, target.y - 400.0) <= 200.0))
    assert np.ptp(equal[1][0]) == 0.0
    small = target.footprints([430.0, 160.0], [410.0, 0.0], 20.0, "gaussian")
    assert small[0].ravel().tolist() == [4 * 9 + 4, 2] and (small[1] == 1.0).all()
    with pytest.raises(InputError, match="uniform, gaussian"):
        target.footprints([0.0], [0.0], 100.0, "triangle")


# ---- errors


def test_relative_errors_have_a_floor():
    assert error_of([0.05, 0.4, -10.0, np.nan], 0.02, 0.1) == pytest.approx([0.02, 0.04, 1.0, 0.02])
    assert (error_of([0.1, 5.0], 0.02) == 0.02).all()


def test_the_table_keeps_the_depth_weights(tmp_path):
    sets = [set_of(3, e_folding_depth=0.03), set_of(2, TIME + np.timedelta64(1, "h"))]
    write_observations(tmp_path / "observations.nc", sets)
    found = read_observations(tmp_path / "observations.nc")
    assert [one.e_folding_depth for one in found] == [0.03, np.inf]
