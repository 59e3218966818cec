"""Covariance fit and Bayesian maximum entropy merging against dense solutions and fields of known covariance."""

import time

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.merging.bme import join_products, mean_field, merge_bme
from pyland.observe.merging.bme_covariance import (
    SpaceTimeCovariance,
    empirical_covariance,
    fit_covariance,
    sphere_coordinates,
)
from pyland.observe.merging.merged import MergeContext

TRUE = SpaceTimeCovariance((0.002,), (150e3,), (20.0,), 0.0)


def _context(steps, latitude, longitude, products=2):
    times = np.datetime64("2018-01-01T12:00:00") + np.arange(steps) * np.timedelta64(1, "D")
    return MergeContext(tuple("abcdefgh"[:products]), times, np.asarray(latitude), np.asarray(longitude))


def _places(count, seed=1):
    rng = np.random.default_rng(seed)
    return 50.0 + 2.0 * rng.random(count), 6.0 + 3.0 * rng.random(count)


def _separable_field(covariance, coordinates, steps, seed):
    """Draw a field of one separable structure: AR(1) in time (exp(-3 tau/b) is Markov), correlated in space."""
    rng = np.random.default_rng(seed)
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=-1)
    factor = np.linalg.cholesky(covariance.sill[0] * np.exp(-3 * distance / covariance.space_range[0])
                                + 1e-12 * np.eye(len(coordinates)))
    memory = np.exp(-3 / covariance.time_range[0])
    field = np.empty((steps, len(coordinates)))
    field[0] = factor @ rng.standard_normal(len(coordinates))
    for step in range(1, steps):
        field[step] = memory * field[step - 1] + np.sqrt(1 - memory**2) * factor @ rng.standard_normal(len(coordinates))
    return field


def test_covariance_of_the_model_has_its_limits():
    model = SpaceTimeCovariance((2.0, 1.0), (100.0, 1000.0), (5.0, np.inf), 0.5)
    assert model(0.0, 0.0) == model.variance == 3.5
    assert model(100.0, 0.0) == pytest.approx(2 * np.exp(-3) + np.exp(-0.3))
    assert model(0.0, 1e6) == pytest.approx(1.0)  # the second structure is constant in time
    assert model.scales()[0] == pytest.approx((2 / 100 + 1 / 1000) / 3)


def test_empirical_covariance_agrees_with_pairs_one_by_one():
    rng = np.random.default_rng(0)
    anomalies, where = rng.standard_normal((6, 5)), rng.random((5, 2)) * 100
    anomalies[rng.random(anomalies.shape) < 0.2] = np.nan
    found = empirical_covariance(anomalies, where, 2.0, bins=3, lags=2, longest_distance=60.0)
    distance = np.linalg.norm(where[:, None] - where, axis=-1)
    for lag in range(3):
        for number, (low, high) in enumerate(((-1, 0), (0, 20), (20, 40), (40, 60))):
            pairs = [anomalies[t, i] * anomalies[t + lag, j] for t in range(6 - lag) for i in range(5)
                     for j in range(5) if low < distance[i, j] <= high]
            pairs = [one for one in pairs if np.isfinite(one)]
            assert found.count[lag, number] == len(pairs)
            if pairs:
                assert found.value[lag, number] == pytest.approx(np.mean(pairs), abs=1e-14)
    np.testing.assert_array_equal(found.lag, [0.0, 2.0, 4.0])


def test_fit_recovers_an_exact_nested_covariance():
    model = SpaceTimeCovariance((0.002, 0.001), (40e3, 400e3), (5.0, 80.0), 3e-4)
    distance, lag = np.linspace(0, 300e3, 13), np.arange(31.0)
    value = model(distance[None, :], lag[:, None])
    value[0, 0] += 1e-4  # the error variance of the data
    empirical = type(empirical_covariance(np.ones((2, 1)), np.zeros((1, 2))))(
        distance, lag, value, np.full(value.shape, 1000))
    found = fit_covariance(empirical, 2, 1e-4)
    np.testing.assert_allclose(found.sill, model.sill, rtol=1e-3)
    np.testing.assert_allclose(found.space_range, model.space_range, rtol=1e-3)
    np.testing.assert_allclose(found.time_range, model.time_range, rtol=1e-3)
    assert found.nugget == pytest.approx(3e-4, rel=1e-3)


def test_fit_recovers_ranges_of_a_drawn_field():
    latitude, longitude = _places(40)
    coordinates = sphere_coordinates(latitude, longitude)
    field = _separable_field(TRUE, coordinates, 2000, 2)
    noisy = field + 0.03 * np.random.default_rng(3).standard_normal(field.shape)
    found = fit_covariance(empirical_covariance(noisy, coordinates), 1, 0.03**2)
    assert found.sill[0] == pytest.approx(0.002, rel=0.15)
    assert found.space_range[0] == pytest.approx(150e3, rel=0.2)
    assert found.time_range[0] == pytest.approx(20.0, rel=0.2)
    assert found.nugget < 2e-4


def test_all_data_as_neighbours_give_the_dense_solution():
    """Ten data of three products, one hard: the merged field is that of one large system of all products apart."""
    latitude, longitude = _places(5)
    context = _context(4, latitude, longitude, 3)
    rng = np.random.default_rng(4)
    products = 0.25 + 0.05 * rng.standard_normal((3, 4, 5))
    products[rng.random(products.shape) < 0.75] = np.nan
    assert 5 < np.isfinite(products).any(axis=0).sum() <= 20
    sigma = np.array([0.03, 0.05, 0.02])
    covariance = SpaceTimeCovariance((0.002, 0.001), (50e3, 400e3), (3.0, 60.0), 2e-4)
    mean = np.full((4, 5), 0.25)
    merged = merge_bme(products, sigma, context, {"covariance": covariance, "mean": mean, "neighbours": 20})

    coordinates = sphere_coordinates(latitude, longitude)
    which, step, place = np.nonzero(np.isfinite(products))
    step_all, place_all = (part.ravel() for part in np.indices((4, 5)))

    def between(s, p, t, q):
        return covariance(np.linalg.norm(coordinates[p][:, None] - coordinates[q], axis=-1),
                          np.abs(s[:, None] - t).astype(float))

    system = between(step, place, step, place) + np.diag(sigma[which] ** 2)
    cross = between(step, place, step_all, place_all)
    weights = np.linalg.solve(system, cross)
    value = 0.25 + weights.T @ (products[which, step, place] - 0.25)
    variance = covariance.variance - (weights * cross).sum(axis=0)
    np.testing.assert_allclose(merged.value.ravel(), value, rtol=1e-10)
    np.testing.assert_allclose(merged.sigma.ravel(), np.sqrt(variance), rtol=1e-9)
    for product in range(3):
        np.testing.assert_allclose(merged.weights[product].ravel(), weights[which == product].sum(axis=0), atol=1e-10)
    assert np.isfinite(merged.value).all() and merged.details["interpolated"].any()


def test_sigma_is_that_of_the_errors_where_nobody_saw_anything():
    latitude, longitude = _places(30)
    coordinates = sphere_coordinates(latitude, longitude)
    truth = 0.25 + _separable_field(TRUE, coordinates, 300, 5)
    rng = np.random.default_rng(6)
    sigma = np.array([0.03, 0.05])
    products = truth + sigma[:, None, None] * rng.standard_normal((2, *truth.shape))
    products[rng.random(products.shape) < 0.6] = np.nan
    merged = merge_bme(products, sigma, _context(300, latitude, longitude), {"structures": 1})
    error = merged.value - truth
    gap = merged.details["interpolated"] == 1
    for part in (gap, ~gap):
        assert (error[part] / merged.sigma[part]).std() == pytest.approx(1.0, abs=0.1)
    assert 0.2 < gap.mean() < 0.5
    assert merged.sigma[~gap].mean() < merged.sigma[gap].mean() < 0.8 * np.sqrt(TRUE.variance)
    alone = np.where(np.isfinite(products), products, 0).sum(axis=0) / np.maximum(merged.count, 1)
    assert error[~gap].std() < 0.7 * (alone - truth)[~gap].std()


def test_sigma_holds_the_mean_of_a_place_that_nobody_ever_saw():
    rng = np.random.default_rng(11)
    (latitude, longitude), steps, places = _places(120), 60, 120
    truth = 0.25 + 0.05 * rng.standard_normal(places) + 0.02 * rng.standard_normal((steps, 1))
    products = (truth + 0.01 * rng.standard_normal((steps, places)))[None]
    never = np.arange(places) % 2 == 0
    products[:, :, never] = np.nan
    chosen = {"mean": "place", "covariance": SpaceTimeCovariance((4e-4,), (1e7,), (0.5,))}
    merged = merge_bme(products, np.array([0.01]), _context(steps, latitude, longitude, 1), chosen)
    ratio = np.sqrt(((merged.value - truth)[:, never] ** 2).mean() / (merged.sigma[:, never] ** 2).mean())
    assert ratio == pytest.approx(1.0, abs=0.25)  # 60 places; 9 without the spread of the means
    assert merged.sigma[:, ~never].max() < 0.01 < 0.04 < merged.sigma[:, never].min()
    products[:, :, 3:] = np.nan
    one = merge_bme(products, np.array([0.01]), _context(steps, latitude, longitude, 1), chosen)
    assert np.isfinite(one.sigma[:, 1]).all() and np.isnan(one.sigma[:, never]).all() and np.isfinite(one.value).all()


def test_interval_of_a_neighbour_pulls_the_target():
    context = _context(2, [50.0, 50.1], [6.0, 6.1], 1)
    products = np.full((1, 2, 2), np.nan)
    products[0, 0, 0] = 0.30
    lower, upper = np.full((2, 2), np.nan), np.full((2, 2), np.nan)
    lower[1, 1], upper[1, 1] = 0.0, 0.15
    options = {"covariance": TRUE, "mean": np.full((2, 2), 0.25)}
    free = merge_bme(products, 0.02, context, options)
    bound = merge_bme(products, 0.02, context, {**options, "interval": (lower, upper)})
    assert (bound.value[1] < free.value[1]).all() and bound.value[1, 1] < 0.15
    assert bound.sigma[1, 1] < 0.15
    wide = merge_bme(products, 0.02, context, {**options, "interval": (lower - 50, upper + 50)})
    np.testing.assert_allclose(wide.value, free.value, atol=1e-12)
    np.testing.assert_allclose(wide.sigma, free.sigma, rtol=1e-10)
    lower[0, 0], upper[0, 0] = 0.0, 0.29  # beside a hard datum that is outside of it: the datum stands
    hard = merge_bme(products, 0.0, context, {**options, "interval": (lower, upper)})
    assert hard.value[0, 0] == pytest.approx(0.30, abs=1e-12)
    np.testing.assert_allclose(hard.details["sampling_error"], 0.0, atol=2e-3)


def test_climatology_takes_the_season_out():
    times = np.datetime64("2017-01-01") + np.arange(730).astype("timedelta64[D]")
    phase = 2 * np.pi * np.arange(730) / 365.2425
    field = np.array([0.2, 0.3, 0.25]) + np.outer(np.sin(phase) + 0.3 * np.cos(2 * phase), [0.05, 0.02, 0.035])
    value = field.copy()
    value[:, 2] = np.nan
    value[::3, 0] = np.nan
    found = mean_field(value, times, "climatology")
    np.testing.assert_allclose(found[:, :2], field[:, :2], atol=1e-12)
    assert found[:, 2].std() == pytest.approx(0.5 * (found[:, 0].std() + found[:, 1].std()), rel=0.1)
    assert np.ptp(mean_field(value, times, "place"), axis=0).max() == 0.0


def test_joined_products_have_the_sum_of_precisions():
    products = np.array([0.2, 0.3, np.nan])[:, None, None]
    value, variance, share = join_products(products, np.array([0.03, 0.04, 0.01]))
    assert variance[0, 0] == pytest.approx(1 / (1 / 0.03**2 + 1 / 0.04**2))
    assert value[0, 0] == pytest.approx((0.2 / 0.03**2 + 0.3 / 0.04**2) * variance[0, 0])
    assert share[2, 0, 0] == 0.0 and share.sum() == pytest.approx(1.0)


def test_bad_input_is_named():
    context = _context(3, [50.0], [6.0])
    products = np.full((2, 3, 1), 0.2)
    with pytest.raises(InputError, match="errors of the products"):
        merge_bme(products, None, context)
    with pytest.raises(InputError, match="product 1 has a value at time 0"):
        merge_bme(products, np.array([0.1, np.nan]), context)
    with pytest.raises(InputError, match="exact values"):
        merge_bme(np.array([0.2, 0.3])[:, None, None] * np.ones((1, 3, 1)), 0.0, context)
    with pytest.raises(InputError, match="unknown option 'neighbors'"):
        merge_bme(products, 0.1, context, {"neighbors": 3})
    with pytest.raises(InputError, match="neighbours must lie in 1..20"):
        merge_bme(products, 0.1, context, {"neighbours": 30})
    with pytest.raises(InputError, match="bins of distance and lag"):
        merge_bme(products, 0.1, context)
    with pytest.raises(InputError, match="ranges must be positive"):
        SpaceTimeCovariance((1.0,), (0.0,), (1.0,))
    with pytest.raises(InputError, match="not all zero"):
        SpaceTimeCovariance((0.0,), (1.0,), (1.0,))


def test_ten_thousand_targets_take_seconds():
    latitude, longitude = _places(100)
    context = _context(100, latitude, longitude, 1)
    products = 0.25 + 0.05 * np.random.default_rng(7).standard_normal((1, 100, 100))
    begin = time.process_time()
    merge_bme(products, 0.04, context, {"covariance": TRUE, "mean": "place"})
    assert time.process_time() - begin < 10.0
