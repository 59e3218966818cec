"""Ranks of observations: flat for a reliable ensemble, and what they say of one that is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyland.base.errors import InputError
from pyland.diagnose import flatness, observation_ranks, rank_counts

MEMBERS = 9


def histogram(shift=0.0, width=1.0, error=None, noise=0.0, n=40_000, seed=1):
    """Ranks of standard normal members against an observation with a shift, a width and an error of its own."""
    rng = np.random.default_rng(seed)
    members = rng.standard_normal((MEMBERS, n))
    observed = shift + width * rng.standard_normal(n) + noise * rng.standard_normal(n)
    return rank_counts(observation_ranks(members, observed, error, rng), MEMBERS)


def test_by_hand():
    members = np.array([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]])
    assert observation_ranks(members, [0.0, 2.5]).tolist() == [0, 2]
    assert observation_ranks(members, [9.0, np.nan]).tolist() == [3, -1]
    members[0, 0] = np.nan
    assert observation_ranks(members, [0.0, 1.5]).tolist() == [-1, 1]
    assert rank_counts([0, 2, 2, -1], 3).tolist() == [1, 0, 2, 0]


def test_a_reliable_ensemble_is_flat():
    found = flatness(histogram())
    assert found["n"] == 40_000 and found["p_value"] > 0.001
    assert abs(found["slope"]) < 3.3 and abs(found["convexity"]) < 3.3  # once in 1000
    assert found["reliability_index"] < 2.0 * found["reliability_index_flat"]
    assert found["delta"] == pytest.approx(found["chi2"] / MEMBERS)


def test_p_values_of_reliable_ensembles_are_uniform():
    values = [flatness(histogram(n=500, seed=seed))["p_value"] for seed in range(200)]
    assert stats.kstest(values, "uniform").pvalue > 0.001


@pytest.mark.parametrize(
    ("case", "slope", "convexity"),
    [({"shift": 0.3}, 1, 0), ({"shift": -0.3}, -1, 0), ({"width": 1.5}, 0, 1), ({"width": 0.6}, 0, -1)])
def test_bias_and_width_have_their_signs(case, slope, convexity):
    found = flatness(histogram(**case))
    assert found["p_value"] < 1e-6 and found["reliability_index"] > 3.0 * found["reliability_index_flat"]
    for name, sign in (("slope", slope), ("convexity", convexity)):
        assert sign * found[name] > 20.0 if sign else abs(found[name]) < 0.3 * np.sqrt(found["chi2"])


def test_the_error_of_the_observation_belongs_to_the_ensemble():
    assert flatness(histogram(noise=0.7, error=0.7))["p_value"] > 0.001
    assert flatness(histogram(noise=0.7))["convexity"] > 20.0


def test_ties_have_all_ranks_alike_and_are_repeatable():
    members, observed = np.zeros((4, 20_000)), np.zeros(20_000)
    ranks = observation_ranks(members, observed, rng=3)
    assert flatness(rank_counts(ranks, 4))["p_value"] > 0.001
    assert np.array_equal(ranks, observation_ranks(members, observed, rng=3))
    members[:2] = -1.0
    assert set(observation_ranks(members, observed)) == {2, 3, 4}


def test_members_may_come_in_any_order():
    rng = np.random.default_rng(6)
    members, observed = rng.standard_normal((7, 100)), rng.standard_normal(100)
    first, second = (observation_ranks(one, observed, 0.5, 11) for one in (members, rng.permuted(members, axis=0)))
    assert np.array_equal(first, second)


def test_the_test_statistic_is_that_of_scipy():
    counts = [12, 30, 18, 25, 15]
    found, reference = flatness(counts), stats.chisquare(counts)
    assert (found["chi2"], found["p_value"]) == (pytest.approx(reference.statistic), pytest.approx(reference.pvalue))
    assert found["reliability_index"] == pytest.approx(0.08 + 0.1 + 0.02 + 0.05 + 0.05)
    # line (-2, -1, 0, 1, 2)/sqrt(10), parabola (2, -1, -2, -1, 2)/sqrt(14), deviations from 20 by sqrt(20)
    assert found["slope"] == pytest.approx((16 - 10 + 5 - 10) / np.sqrt(200))
    assert found["convexity"] == pytest.approx((-16 - 10 + 4 - 5 - 10) / np.sqrt(280))


def test_few_observations_have_no_p_value():
    assert np.isnan(flatness([1, 2, 1])["p_value"]) and flatness([0, 0])["n"] == 0
    assert flatness([30, 20])["slope"] == pytest.approx(-10 / np.sqrt(50)) and np.isnan(flatness([30, 20])["convexity"])


def test_wrong_arguments_are_sentences():
    with pytest.raises(InputError, match="at most 3, the ensemble size, got 5"):
        rank_counts([5], 3)
    with pytest.raises(InputError, match="at least 2 ranks"):
        flatness([3])
