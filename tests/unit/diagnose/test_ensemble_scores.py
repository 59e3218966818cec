"""CRPS against closed forms, integrals and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from pyland.base.errors import InputError
from pyland.diagnose import add_observation_error, crps, crps_decomposition, crps_fair, crps_normal


def test_by_hand():
    """Members 0 and 2, observation 1: mean distance 1, mean distance of the 4 pairs 1, half of it 0.5."""
    assert crps([[0.0], [2.0]], [1.0]) == pytest.approx([0.5])
    assert crps_fair([[0.0], [2.0]], [1.0]) == pytest.approx([0.0])
    assert crps([[3.0]], [1.0]) == pytest.approx([2.0])


def test_the_integral_of_the_squared_difference_of_distributions():
    rng = np.random.default_rng(1)
    members, observed = rng.gamma(2.0, 1.0, (7, 3)), rng.gamma(2.0, 1.0, 3)
    for k in range(3):
        points = np.sort([*members[:, k], observed[k]])

        def square(x, k=k):
            return (np.mean(members[:, k] <= x) - (observed[k] <= x)) ** 2

        expected = sum(integrate.quad(square, a, b)[0] for a, b in zip(points[:-1], points[1:], strict=True))
        assert crps(members, observed)[k] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("mean", "spread", "observed"), [(0.0, 1.0, 0.0), (1.0, 0.3, 0.2), (-2.0, 2.0, 5.0)])
def test_the_normal_closed_form(mean, spread, observed):
    def square(x):
        return (stats.norm.cdf(x, mean, spread) - (x >= observed)) ** 2

    parts = [integrate.quad(square, *limits)[0] for limits in ((-40.0, observed), (observed, 40.0))]
    assert crps_normal([mean], [spread], [observed]) == pytest.approx([sum(parts)], rel=1e-6)
    quantiles = stats.norm.ppf((np.arange(4000) + 0.5) / 4000, mean, spread)[:, None]
    assert crps(quantiles, [observed]) == pytest.approx([sum(parts)], rel=1e-3)


def test_a_sharp_normal_distribution_has_the_absolute_error():
    assert crps_normal([1.0, 1.0], [0.0, 0.0], [3.5, 1.0]) == pytest.approx([2.5, 0.0])


def test_the_fair_score_does_not_depend_on_the_size_of_the_ensemble():
    rng = np.random.default_rng(2)
    truth = rng.standard_normal(100_000)
    expected = 1.0 / np.sqrt(np.pi)  # of a standard normal ensemble of infinite size: 2/sqrt(2 pi) sqrt(2) / 2
    for size in (2, 5, 20):
        members = rng.standard_normal((size, truth.size))
        assert crps_fair(members, truth).mean() == pytest.approx(expected, abs=0.006)
        assert crps(members, truth).mean() == pytest.approx(expected * (1.0 + 1.0 / size), abs=0.006)


def test_members_may_come_in_any_order():
    rng = np.random.default_rng(3)
    members, observed = rng.standard_normal((9, 50)), rng.standard_normal(50)
    mixed = rng.permuted(members, axis=0)
    assert np.array_equal(crps(members, observed), crps(mixed, observed))
    assert np.array_equal(crps_fair(members, observed), crps_fair(mixed, observed))
    assert crps_decomposition(members, observed) == crps_decomposition(mixed, observed)
    assert np.array_equal(add_observation_error(members, 0.3, 5), add_observation_error(mixed, 0.3, 5))
    order = rng.permutation(50)
    again = crps_decomposition(members[:, order], observed[order])
    assert again.as_dict() == pytest.approx(crps_decomposition(members, observed).as_dict(), abs=1e-13)


def test_the_decomposition_by_hand():
    """Two members at 0 and 1; observations -1, 0.5 and 2 lie in the three bins."""
    found = crps_decomposition(np.array([[0.0] * 3, [1.0] * 3]), [-1.0, 0.5, 2.0])
    # mean lengths below and above: bin 0 (0, 1/3), bin 1 (1/6 + 1/3, 1/6 + 1/3), bin 2 (1/3, 0)
    # outer bins: o = 1/3, g = 1 and o = 2/3, g = 1; inner bin: o = 1/2, g = 1
    assert found.reliability == pytest.approx((1 / 3) ** 2 + 0.0 + (1 / 3) ** 2)
    assert found.potential == pytest.approx(2 / 9 + 1 / 4 + 2 / 9)
    assert found.crps == pytest.approx(crps(np.array([[0.0] * 3, [1.0] * 3]), [-1.0, 0.5, 2.0]).mean())
    # climatology -1, 0.5, 2: gaps of 1.5 with p = 1/3 and 2/3
    assert found.uncertainty == pytest.approx(1.5 * 2 / 9 * 2)
    assert found.resolution == pytest.approx(found.uncertainty - found.potential)
    assert found.outliers == pytest.approx(2 / 3) and found.n == 3


def test_the_parts_add_up_to_the_mean_score():
    rng = np.random.default_rng(4)
    centre = rng.standard_normal(70_000)  # more than one block
    members = centre + 0.5 * rng.standard_normal((10, centre.size))
    for shift, width, largest in ((0.0, 0.5, 0.006), (0.4, 0.5, np.inf), (0.0, 1.5, np.inf)):
        observed = centre + shift + width * rng.standard_normal(centre.size)
        found = crps_decomposition(members, observed)
        assert found.crps == pytest.approx(crps(members, observed).mean(), rel=1e-9)
        assert found.crps == pytest.approx(found.reliability + found.uncertainty - found.resolution)
        assert 0.0 <= found.reliability < largest and found.resolution > 0.0
        if largest == np.inf:
            assert found.reliability > 0.02


def test_uncertainty_is_that_of_the_climatology():
    """A normal climatology has the CRPS 1/sqrt(pi); an ensemble that knows nothing else resolves nothing."""
    rng = np.random.default_rng(5)
    observed = rng.standard_normal(50_000)
    found = crps_decomposition(rng.standard_normal((20, observed.size)), observed)
    assert found.uncertainty == pytest.approx(1.0 / np.sqrt(np.pi), abs=0.005)
    # bins of random length lose 1/N of the score beside those of the distribution itself
    assert found.resolution == pytest.approx(-found.uncertainty / 20, abs=0.003)


def test_what_is_not_finite_is_no_score():
    members = np.array([[0.0, np.nan, 0.0], [2.0, 2.0, 2.0]])
    assert np.isnan(crps(members, [1.0, 1.0, np.nan])).tolist() == [False, True, True]
    assert crps_decomposition(members, [1.0, 1.0, np.nan]).n == 1
    assert np.isnan(crps_decomposition(members[:, :0], []).crps)


def test_wrong_arguments_are_sentences():
    with pytest.raises(InputError, match=r"predictions of shape \(member, obs\).*Transpose"):
        crps(np.zeros((5, 3)), np.zeros(5))
    with pytest.raises(InputError, match="at least 2 members"):
        crps_fair(np.zeros((1, 3)), np.zeros(3))
    with pytest.raises(InputError, match="standard deviations of 0 or more"):
        crps_normal([0.0], [-1.0], [0.0])
    with pytest.raises(InputError, match="one length"):
        crps_normal([0.0], [1.0, 2.0], [0.0])
    with pytest.raises(InputError, match="expected standard deviations of 0 or more, got -1"):
        add_observation_error(np.zeros((2, 3)), -1.0)
