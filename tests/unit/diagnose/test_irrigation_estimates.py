"""Estimates of irrigation: identities, gaps, noise, and how much a twin gives back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.diagnose.irrigation import (
    BucketTwin,
    from_differences,
    from_increments,
    from_inversion,
    is_significant,
    noise_floor,
    propagated_noise,
    recovery,
    season_totals,
)


@pytest.fixture(scope="module")
def water():
    """A balance that closes: storage at the ends, rain, evapotranspiration, runoff and irrigation of 60 days."""
    rng = np.random.default_rng(1)
    rain, used, away, irrigation = (rng.exponential(one, (60, 3)) for one in (2.0, 3.0, 1.0, 2.0))
    change = rain + irrigation - used - away
    storage = 200.0 + np.concatenate([np.zeros((1, 3)), np.cumsum(change, axis=0)])
    return storage, rain, used, away, irrigation


def test_inversion_of_a_closed_balance_is_the_irrigation(water):
    storage, rain, used, away, irrigation = water
    found = from_inversion(storage, rain, used, away)
    assert np.allclose(found, np.cumsum(irrigation, axis=0))
    assert np.allclose(season_totals(found), irrigation.sum(axis=0))


def test_sums_stand_still_between_observations_and_need_two(water):
    storage, rain, used, away, irrigation = water
    seen = storage.copy()
    seen[np.arange(61) % 5 != 2, 0] = np.nan  # days 2, 7, ..., 57
    seen[:, 1] = np.nan
    seen[10, 1] = storage[10, 1]
    found = from_inversion(seen, rain, used, away)
    sums = np.concatenate([[0.0], np.cumsum(irrigation[:, 0])])
    assert (found[0, 0], found[1, 0]) == (0.0, 0.0)  # before and at the first
    assert found[6, 0] == pytest.approx(sums[7] - sums[2]) and found[10, 0] == found[6, 0]
    assert found[-1, 0] == pytest.approx(sums[57] - sums[2])
    assert np.isnan(found[:, 1]).all()


def test_differences_lack_what_drains(water):
    storage, rain, used, away, irrigation = water
    # the same ground without irrigation, which evaporates and drains less
    dry_used, dry_away = 0.7 * used, 0.5 * away
    dry = 200.0 + np.concatenate([np.zeros((1, 3)), np.cumsum(rain - dry_used - dry_away, axis=0)])
    found = from_differences(storage, dry, used, dry_used)
    assert np.allclose(found[-1], irrigation.sum(axis=0) - (away - dry_away).sum(axis=0))
    assert np.array_equal(from_increments([1.0, -3.0, 2.0]), [1.0, -2.0, 0.0])
    assert season_totals([1.0, 3.0, 2.0], "largest") == 3.0
    with pytest.raises(InputError, match="storages at the ends of 60 intervals"):
        from_inversion(storage[1:], rain, used, away)


def test_noise_of_a_season_is_that_of_two_observations():
    rng = np.random.default_rng(3)
    seen = 1000.0 * 0.1 * (0.2 + 0.03 * rng.standard_normal((181, 4000)))
    nothing = np.zeros((180, 4000))
    total = season_totals(from_inversion(seen, nothing, nothing, nothing))
    assert total.std() == pytest.approx(float(propagated_noise(0.03, 0.1)), rel=0.04)
    is_irrigated = np.arange(4000) < 100
    floor = noise_floor(total + 30.0 * is_irrigated, is_irrigated)
    assert floor.cells == 3900 and abs(floor.mean) < 0.3
    found = is_significant(total + 30.0 * is_irrigated, floor)
    assert found[is_irrigated].all() and found[~is_irrigated].mean() < 0.04
    with pytest.raises(InputError, match="0 cells without irrigation"):
        noise_floor(total[:5], np.ones(5, bool))


@pytest.fixture(scope="module")
def twins():
    return {(error, revisit): recovery(error, revisit) for error, revisit in
            ((0.0, 1), (0.02, 3), (0.04, 3), (0.04, 1))}


def test_the_twin_gives_back_half_to_four_fifths(twins):
    # an earlier twin of one 300 mm bucket and 600 mm/yr found 478/484 mm by inversion/increments with perfect daily
    # observations, 453/377 with 0.02 m3 m-3 every third day, 459/288 with 0.04; its soil and weather are not known
    wanted = {(0.0, 1): (478.0, 484.0), (0.02, 3): (453.0, 377.0), (0.04, 3): (459.0, 288.0)}
    for key, (inversion, increments) in wanted.items():
        found = twins[key]
        assert found.truth == pytest.approx(600.0)
        assert found.inversion == pytest.approx(inversion, rel=0.12), key
        assert found.increments == pytest.approx(increments, rel=0.08), key
        assert 0.47 <= found.share("increments") <= 0.82 and 0.7 <= found.share("inversion") <= 0.86
    # these are the numbers of this twin
    assert [round(twins[key].increments) for key in wanted] == pytest.approx([483, 352, 285], abs=4)
    assert [round(twins[key].inversion) for key in wanted] == pytest.approx([445, 463, 509], abs=6)


def test_clipping_before_summing_makes_water_of_noise(twins):
    # the earlier twin: 1511 mm with 0.04 m3 m-3 each day
    assert twins[0.04, 1].positive_only == pytest.approx(1511.0, rel=0.1)
    assert twins[0.04, 1].positive_only > 3.0 * twins[0.04, 1].inversion
    perfect = twins[0.0, 1]
    assert perfect.positive_only < 1.2 * perfect.inversion


def test_less_drainage_before_observations_loses_less():
    tight = recovery(0.0, 1, twin=replace(BucketTwin(), drainage=0.0), years=8)
    assert tight.share("increments") > recovery(0.0, 1, years=8).share("increments") + 0.1
    none = recovery(0.0, 1, twin=replace(BucketTwin(), irrigation=0.0), years=8)
    assert none.increments == pytest.approx(0.0, abs=1e-9) and abs(none.differences) < 30.0
    with pytest.raises(InputError, match="revisit of 1 day or more"):
        recovery(0.0, 0)
