"""Adaptive inflation against Bayes' rule on a grid, and on Lorenz-96 where a filter fails without it."""

from __future__ import annotations

import numpy as np
import pytest
from lorenz import lorenz96, runge_kutta
from scipy import stats

from pyland.assimilate import analyse_local
from pyland.assimilate.adaptive_inflation import AdaptiveInflation, inverse_gamma_shape
from pyland.assimilate.reach import Reach
from pyland.base.errors import InputError


def ensemble_of(std, count=8, mean=1.0):
    """Members with exactly this mean and standard deviation."""
    x = np.random.default_rng(5).standard_normal(count)
    x -= x.mean()
    return (mean + std * x / x.std(ddof=1))[:, None]


def grid_mode(*posterior, bounds=(1.0, 50.0)):
    """Return the mode of the posterior by looking at each of two million factors."""
    factor, log = grid_posterior(*posterior, bounds)
    return factor[log.argmax()]


def grid_width(*posterior):
    """Return the standard deviation of the posterior by the sums over as many."""
    factor, log = grid_posterior(*posterior, (0.02, 60.0))
    density = np.exp(log - log.max())
    density /= density.sum()
    return np.sqrt((density * factor**2).sum() - (density * factor).sum() ** 2)


def grid_posterior(prior, initial, std, gamma, innovation, variance, spread2, bounds):
    factor = np.linspace(*bounds, 2_000_001)
    if prior == "gaussian":
        log = stats.norm.logpdf(factor, initial, std)
    else:
        shape = float(inverse_gamma_shape(np.array([initial]), np.array([std]))[0])
        log = stats.invgamma.logpdf(factor, shape, scale=initial * (shape + 1.0))
    for g, one, error2, var in zip(gamma, innovation, variance, spread2, strict=True):
        theta = np.sqrt(error2 + (1.0 + g * (np.sqrt(factor) - 1.0)) ** 2 * var)
        log = log + stats.norm.logpdf(one, 0.0, theta)
    return factor, log


@pytest.mark.parametrize("prior", ["gaussian", "inverse_gamma"])
@pytest.mark.parametrize("innovation", [0.0, 1.5, 4.0, 30.0])
def test_one_observation_is_bayes_rule(prior, innovation):
    E = ensemble_of(0.8)
    inflation = AdaptiveInflation(1, 1.5, 0.6, prior=prior)
    inflation.update(E, E, [1.0 + innovation], [0.5])
    expected = grid_mode(prior, 1.5, 0.6, [1.0], [innovation], [0.5], [0.64])
    assert inflation.factor[0] == pytest.approx(expected, abs=3e-5)


def test_several_observations_with_weights_and_correlations():
    rng = np.random.default_rng(8)
    E = rng.standard_normal((12, 1))
    Y = 0.7 * E + 0.6 * rng.standard_normal((12, 3))
    d, R = Y.mean(axis=0) + np.array([2.0, -1.0, 3.0]), np.array([0.5, 0.2, 1.0])
    reach = Reach(np.zeros((1, 1)), np.array([[0.2], [0.6], [5.0]]), 1.0)
    weight = np.concatenate([one.weight for one in reach.pairs()])
    inflation = AdaptiveInflation(1, 1.2, 0.8, smallest_std=0.1)
    inflation.update(E, Y, d, R, reach)
    gamma = weight * np.abs([np.corrcoef(E[:, 0], Y[:, k])[0, 1] for k in (0, 1)])
    posterior = ("inverse_gamma", 1.2, 0.8, gamma, [2.0, -1.0], R[:2], Y.var(axis=0, ddof=1)[:2])
    assert inflation.factor[0] == pytest.approx(grid_mode(*posterior), abs=3e-5)
    assert inflation.std[0] == 0.8 and 0.8 < grid_width(*posterior) < 0.9  # a surprise: it does not grow beyond 0.8


def test_the_width_of_a_normal_posterior():
    """Where the likelihood says nothing the width stays; where it says much it shrinks, but not below its bound."""
    E = ensemble_of(0.8)
    flat, sharp = (AdaptiveInflation(1, 2.0, 0.5, smallest_std=0.3, prior="gaussian") for _ in range(2))
    flat.update(E, np.tile(E.mean(axis=0), (8, 1)), [3.0], [1.0])
    assert flat.std[0] == pytest.approx(0.5) and flat.factor[0] == pytest.approx(2.0)
    many = np.tile(E, 200)
    sharp.update(E, many, 1.0 + np.tile([1.2, -1.2], 100), np.full(200, 1e-3))
    assert sharp.std[0] == 0.3
    free = AdaptiveInflation(1, 2.0, 0.5, smallest_std=0.01, prior="gaussian")
    free.update(E, many, 1.0 + np.tile([1.2, -1.2], 100), np.full(200, 1e-3))
    curvature = 0.5**-2 + 200 / (2.0 * free.factor[0] ** 2)  # of the prior, and of 200 variances of one factor
    assert free.std[0] == pytest.approx(curvature**-0.5, rel=0.15)


@pytest.mark.parametrize("prior", ["gaussian", "inverse_gamma"])
def test_what_says_nothing_changes_nothing(prior):
    """Eight observations, none of them correlated with the element: factor and width keep their bits."""
    E, seen = np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.array([[1.0], [1.0], [-1.0], [-1.0]])
    inflation = AdaptiveInflation(1, 1.3, 0.6, smallest_std=0.05, prior=prior)
    for _ in range(8):
        inflation.update(E, seen, [4.0], [1.0])
    assert inflation.factor[0] == 1.3 and inflation.std[0] == 0.6


def test_the_width_of_an_inverse_gamma_posterior():
    """Against sums of Bayes' rule: observations that say little narrow little, and many narrow much."""
    E = ensemble_of(0.8)
    for initial, std, count, innovation, error2 in ((2.0, 0.5, 1, 1.2, 1e6), (2.0, 0.5, 200, 1.2, 1e-3),
                                                    (1.0, 0.6, 5, 0.3, 0.5), (3.0, 0.6, 10, 1.0, 0.5)):
        inflation = AdaptiveInflation(1, initial, std, smallest_std=0.01, lower=0.1)
        inflation.update(E, np.tile(E, count), np.full(count, 1.0 + innovation), np.full(count, error2))
        expected = grid_width("inverse_gamma", initial, std, *(
            np.full(count, one) for one in (1.0, innovation, error2, 0.64)))
        assert inflation.std[0] == pytest.approx(expected, rel=0.015)


def test_only_some_elements_damp_and_learn():
    E, Y, d, R, seen = field()
    where = np.arange(60) % 3 > 0
    whole, some = (AdaptiveInflation(60, 1.5, damping=0.5, smallest_std=0.1) for _ in range(2))
    whole.damp()
    whole.update(E, Y, d, R, Reach(np.arange(60.0), seen, 6.0))
    some.damp(where)
    some.update(E, Y, d, R, Reach(np.arange(60.0), seen, 6.0), where=where)
    assert np.array_equal(some.factor[where], whole.factor[where])
    assert np.array_equal(some.std[where], whole.std[where])
    assert (some.factor[~where] == 1.5).all() and (some.std[~where] == 0.6).all()


def test_inverse_gamma_has_its_mode_and_width():
    mode, std = np.array([1.0, 3.0, 20.0, 1.0]), np.array([0.6, 0.1, 5.0, 10.0])
    shape = inverse_gamma_shape(mode, std)
    found = stats.invgamma(shape, scale=mode * (shape + 1.0))
    assert found.std() == pytest.approx(std, rel=1e-9) and (shape > 2.0).all()


def field(count=60, nmember=10, seed=2):
    rng = np.random.default_rng(seed)
    E = np.cumsum(rng.standard_normal((nmember, count)), axis=1) / 3.0
    seen = np.sort(rng.permutation(count)[:20])
    Y = E[:, seen] + 0.01 * rng.standard_normal((nmember, 20))
    return E, Y, Y.mean(axis=0) + 2.0 * rng.standard_normal(20), np.full(20, 0.3), seen


def run(E, Y, d, R, places, seen, **options):
    inflation = AdaptiveInflation(E.shape[1], **options)
    for _ in range(2):
        inflation.update(E, Y, d, R, Reach(places, seen, 6.0))
    return inflation


def test_shares_of_the_state_and_any_order_give_the_same():
    E, Y, d, R, seen = field()
    places = np.arange(60.0)
    whole = run(E, Y, d, R, places, seen)
    assert whole.factor.max() > 1.5 and whole.factor.min() >= 1.0
    for part in (slice(0, 1), slice(1, 31), slice(31, 60)):
        share = run(E[:, part], Y, d, R, places[part], seen)
        assert np.array_equal(share.factor, whole.factor[part]) and np.array_equal(share.std, whole.std[part])
    order = np.random.default_rng(1).permutation(60)
    assert np.array_equal(run(E[:, order], Y, d, R, places[order], seen).factor, whole.factor[order])
    turn = np.random.default_rng(2).permutation(20)
    assert run(E, Y[:, turn], d[turn], R[turn], places, seen[turn]).factor == pytest.approx(whole.factor, rel=1e-9)


def test_elements_of_one_domain():
    """The layers of a column share the observations of the column, each with its own correlation."""
    E, Y, d, R, seen = field()
    alone = run(E, Y, d, R, np.arange(60.0), seen)
    twice = AdaptiveInflation((60, 2))
    for _ in range(2):
        twice.update(np.repeat(E, 2, axis=1), Y, d, R, Reach(np.arange(60.0), seen, 6.0), np.repeat(np.arange(60), 2))
    assert np.array_equal(twice.factor.reshape(60, 2), np.repeat(alone.factor[:, None], 2, axis=1))


def test_apply_damp_and_restart():
    E, Y, d, R, seen = field()
    inflation = run(E, Y, d, R, np.arange(60.0), seen, damping=0.5)
    where = np.arange(60) % 2 == 0
    inflated = inflation.apply(E, where)
    assert np.array_equal(inflated[:, ~where], E[:, ~where])
    assert inflated.mean(axis=0) == pytest.approx(E.mean(axis=0), abs=1e-12)
    ratio = inflated.var(axis=0)[where] / E.var(axis=0)[where]
    assert ratio == pytest.approx(inflation.factor[where])
    other = AdaptiveInflation(60, damping=0.5)
    other.restore(inflation.state())
    before = inflation.factor.copy()
    for one in (inflation, other):
        one.damp()
        one.update(E, Y, d, R)
    assert np.array_equal(inflation.factor, other.factor) and np.array_equal(inflation.std, other.std)
    other.restore({"factor": before, "std": other.std})
    other.damp()
    assert other.factor == pytest.approx(1.0 + 0.5 * (before - 1.0))


@pytest.mark.parametrize(("options", "words"), [
    ({"std": 0.0}, "std must lie in"), ({"lower": 0.0}, "lower must lie in"), ({"upper": 0.5}, "upper must lie in"),
    ({"initial": 0.5}, "initial must lie in"), ({"prior": "beta"}, "prior must be one of"),
    ({"smallest_std": 1.0}, "smallest_std must lie in"), ({"damping": 0.0}, "damping must lie in"),
])
def test_bad_options(options, words):
    with pytest.raises(InputError, match=words):
        AdaptiveInflation(3, **options)


def test_bad_arrays():
    inflation = AdaptiveInflation(3)
    E = np.random.default_rng(1).standard_normal((4, 3))
    with pytest.raises(InputError, match="must have shape"):
        inflation.apply(E[:, :2])
    with pytest.raises(InputError, match="error variances above 0"):
        inflation.update(E, E, np.zeros(3), np.zeros(3))
    with pytest.raises(InputError, match="to fit E and d"):
        inflation.update(E, E[:, :2], np.zeros(3), np.ones(3))
    with pytest.raises(InputError, match="restart: adaptive inflation needs 3 factors, got 2"):
        inflation.restore({"factor": np.ones(2), "std": np.ones(2)})
    inflation.update(E, np.zeros((4, 0)), np.zeros(0), np.zeros(0))
    assert (inflation.factor == 1.0).all()


NX, CIRCUMFERENCE = 40, 40.0


def step(x, forcing):
    return runge_kutta(lambda state: lorenz96(state, forcing), x, 0.05, 1)


def lorenz_96(is_adaptive, ncycle, seed=1, nmember=10):
    """Return RMSE and mean factor of an LETKF whose model has the forcing 6.5 instead of 8."""
    rng = np.random.default_rng(seed)
    angle = 2.0 * np.pi * np.arange(NX) / NX
    circle = CIRCUMFERENCE / (2.0 * np.pi) * np.column_stack([np.cos(angle), np.sin(angle)])
    reach = Reach(circle, circle, 8.0)
    truth = rng.standard_normal(NX)
    for _ in range(500):
        truth = step(truth, 8.0)
    E = truth + rng.standard_normal((nmember, NX))
    inflation, errors, factors = AdaptiveInflation(NX), [], []
    for _ in range(ncycle):
        truth, E = step(truth, 8.0), step(E, 6.5)
        observed = truth + rng.standard_normal(NX)
        if is_adaptive:
            prior = E
            E = inflation.apply(prior)
            inflation.update(prior, prior, observed, np.ones(NX), reach)
        E = analyse_local(E, E, observed, np.ones(NX), circle, circle, 8.0)
        errors.append(np.sqrt(np.mean((E.mean(axis=0) - truth) ** 2)))
        factors.append(inflation.factor.mean())
    return np.mean(errors[ncycle // 3:]), np.mean(factors[ncycle // 3:])


def test_a_filter_with_model_error_and_ten_members_is_kept_from_diverging():
    without, _ = lorenz_96(False, 600)
    adapted, factor = lorenz_96(True, 600)
    assert without > 2.0  # it does not know where the truth is: the climatological spread is 3.6
    assert adapted < 0.8 and 1.1 < factor < 20.0
