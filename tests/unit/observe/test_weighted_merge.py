"""Merging by weights: numbers of the reference, least squares as an oracle, gaps, correlated errors, fall-backs."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.merging import (
    MERGE_METHODS,
    MergeContext,
    completeness_of,
    merge_mean,
    merge_products,
    merge_tc,
    optimal_weights,
)
from pyland.observe.merging.merged import PLACES_AT_A_TIME

SLOPES, ERRORS, SIGNAL = np.array([1.0, 0.8, 1.3]), np.array([0.03, 0.045, 0.06]), 0.07
PLAIN = {"anomalies": "none"}


def triplet(times, places, seed=0):
    random = np.random.default_rng(seed)
    truth = 0.25 + SIGNAL * random.standard_normal((times, places))
    return truth, SLOPES[:, None, None] * truth + ERRORS[:, None, None] * random.standard_normal((3, times, places))


def context(times, places, names=("a", "b", "c")):
    days = np.datetime64("2017-01-01T12:00:00") + np.arange(times) * np.timedelta64(1, "D")
    return MergeContext(names, days, np.linspace(50, 51, places), np.linspace(6, 7, places))


def ubrmse(values, truth):
    error = (values - truth)[:, np.isfinite(values).any(axis=0)]
    return np.sqrt(np.nanvar(error, axis=0).mean())


def test_numbers_of_the_reference():
    truth, products = triplet(1500, 1500)
    merged = merge_tc(products, options=PLAIN)
    assert (merged.flag == 0).all() and (merged.count == 3).all()
    weights = merged.weights[:, 0].mean(axis=1)
    np.testing.assert_allclose(weights, [0.586, 0.166, 0.248], atol=1.5e-3)
    exact = 1.0 / np.sqrt((SLOPES**2 / ERRORS**2).sum())
    assert exact == pytest.approx(0.02296, abs=5e-6)
    # weights that are estimated from 1500 times cost 0.2 % of the error
    assert ubrmse(merged.value, truth) == pytest.approx(0.02296, abs=6e-5)
    assert merged.sigma.mean() == pytest.approx(0.02290, abs=6e-5)
    assert ubrmse(products[0], truth) == pytest.approx(0.0300, abs=1e-4)
    assert ubrmse(merge_mean(products).value, truth) == pytest.approx(0.02702, abs=6e-5)
    np.testing.assert_allclose(merged.value.mean(axis=0), products[0].mean(axis=0), rtol=1e-12)


def test_a_missing_product_leaves_the_weights_of_the_others():
    _, products = triplet(800, 40)
    random = np.random.default_rng(1)
    products[random.random(products.shape) < 0.3] = np.nan
    merged = merge_tc(products, options=PLAIN)
    there = np.isfinite(products)
    np.testing.assert_array_equal(merged.count, there.sum(axis=0))
    np.testing.assert_allclose(merged.weights.sum(axis=0)[merged.count > 0], 1.0, rtol=1e-12)
    assert (merged.weights[~there] == 0).all()
    errors = (merged.details["error_std"] * merged.details["scaling"])[:, None, :] ** -2.0 * there
    np.testing.assert_allclose(merged.weights, errors / np.maximum(errors.sum(axis=0), 1e-300), rtol=1e-10)
    np.testing.assert_allclose(merged.sigma[merged.count > 0], errors.sum(axis=0)[merged.count > 0] ** -0.5, rtol=1e-10)
    assert (np.isnan(merged.value) == (merged.count == 0)).all()


def test_a_place_does_not_depend_on_others():
    _, products = triplet(300, PLACES_AT_A_TIME + 7)
    together = merge_tc(products, options=PLAIN)
    for one in (0, PLACES_AT_A_TIME - 1, PLACES_AT_A_TIME + 6):
        alone = merge_tc(products[:, :, one:one + 1], options=PLAIN)
        np.testing.assert_allclose(alone.value[:, 0], together.value[:, one], rtol=1e-12)
        np.testing.assert_allclose(alone.sigma[:, 0], together.sigma[:, one], rtol=1e-12)


def test_weights_with_correlated_errors_are_those_of_least_squares():
    random = np.random.default_rng(2)
    places, times = 6, 50
    root = random.standard_normal((4, 4, places))
    covariance = np.einsum("ikp,jkp->ijp", root, root) + 0.5 * np.eye(4)[:, :, None]
    there = random.random((4, times, places)) < 0.6
    weights, variance = optimal_weights(covariance, there)
    for t in range(times):
        for p in range(places):
            index = np.flatnonzero(there[:, t, p])
            if not index.size:
                assert np.isnan(variance[t, p]) and (weights[:, t, p] == 0).all()
                continue
            part = covariance[np.ix_(index, index, [p])][:, :, 0]
            whitened = np.linalg.cholesky(np.linalg.inv(part)).T  # generalised least squares of a constant
            column = whitened @ np.ones(index.size)
            expected = (column @ whitened) / (column @ column)
            np.testing.assert_allclose(weights[index, t, p], expected, rtol=1e-9, atol=1e-12)
            assert variance[t, p] == pytest.approx(1.0 / (column @ column), rel=1e-9)


def test_four_products_with_correlated_errors_get_the_error_that_they_have():
    random = np.random.default_rng(3)
    times, places = 1500, 120
    truth = 0.06 * random.standard_normal((times, places))
    products = truth + 0.03 * random.standard_normal((4, times, places))
    products[:2] += 0.04 * random.standard_normal((times, places))
    names = ("smap", "smos", "ascat", "model")
    merged = merge_tc(products, None, context(times, places, names), {**PLAIN, "correlated": [["smap", "smos"]]})
    blind = merge_tc(products, None, context(times, places, names), PLAIN)
    error = ubrmse(merged.value, truth)
    assert merged.sigma.mean() == pytest.approx(error, rel=0.01)
    assert blind.sigma.mean() < 0.93 * ubrmse(blind.value, truth) and error < ubrmse(blind.value, truth)


def test_anomalies_keep_bias_and_season_of_others_out():
    times, places = 730, 60
    random = np.random.default_rng(6)
    season = 0.05 * np.cos(2 * np.pi * np.arange(times) / 365.0)[:, None]
    rapid, noise = random.standard_normal((times, places)), random.standard_normal((3, times, places))
    truth = 0.25 + season + 0.04 * rapid
    products = truth + 0.03 * noise
    products[1] += 0.1 - 1.5 * season  # bias, and a season upside down
    products[2] *= 1.4
    found = merge_tc(products, None, context(times, places), {"reference": "a"})
    np.testing.assert_allclose(found.value.mean(axis=0), products[0].mean(axis=0), atol=2e-3)
    assert ubrmse(found.value, truth) < 0.75 * 0.03
    assert found.sigma.mean() == pytest.approx(0.03 / np.sqrt(3.0), rel=0.03)
    assert ubrmse(merge_tc(products, None, None, PLAIN).value, truth) > 1.15 * ubrmse(found.value, truth)


def test_places_without_a_collocation_say_why_and_fall_back_as_told():
    truth, products = triplet(500, 30)
    products[0, 80:, 3] = np.nan
    plain = merge_tc(products, options=PLAIN)
    assert plain.flag_words[plain.flag[3]] == "too_few_common_times" and np.isnan(plain.value[:, 3]).all()
    mean = merge_tc(products, options={**PLAIN, "fallback": "mean"})
    np.testing.assert_array_equal(mean.value[:, 3], merge_mean(products[:, :, 3:4]).value[:, 0])
    region = merge_tc(products, options={**PLAIN, "fallback": "region"})
    for one in (mean, region):
        assert one.flag[3] == plain.flag[3]
        others = np.arange(30) != 3
        np.testing.assert_array_equal(one.value[:, others], plain.value[:, others])
    assert np.isfinite(region.value[:, 3]).all()
    error = np.std((region.value - truth)[:80, 3])
    assert error == pytest.approx(0.023, rel=0.2) and region.sigma[0, 3] == pytest.approx(0.0229, rel=0.03)


def test_a_product_without_signal_is_left_out():
    _, products = triplet(3000, 4)
    products[2] += 0.2 * np.random.default_rng(7).standard_normal(products[2].shape)  # -7 dB
    merged = merge_tc(products, options=PLAIN)
    assert (merged.details["snr_db"][2] < -3).all() and (merged.weights[2] == 0).all() and (merged.count == 2).all()
    kept = merge_tc(products, options={**PLAIN, "least_snr_db": -20.0})
    assert (kept.weights[2] > 0).all()
    none = merge_tc(products, options={**PLAIN, "least_snr_db": 60.0})
    assert {none.flag_words[one] for one in none.flag} == {"signal_to_noise_too_small"}


def test_an_error_is_not_smaller_than_it_can_be():
    _, products = triplet(150, 200)
    free, bound = (merge_tc(products, options={**PLAIN, "least_error": one}) for one in (0.0, 0.02))
    low = free.details["error_std"][0] < 0.02
    assert low.sum() > 5 and np.nanmax(free.weights[0, 0, low]) > 0.9
    others = ~(free.details["error_std"] < 0.02).any(axis=0)
    np.testing.assert_array_equal(free.sigma[:, others], bound.sigma[:, others])
    scaled = np.maximum(free.details["error_std"], 0.02) * free.details["scaling"]
    np.testing.assert_allclose(bound.sigma[0], (scaled**-2.0).sum(axis=0) ** -0.5, rtol=1e-10)


def test_the_mean_has_the_error_of_a_mean():
    random = np.random.default_rng(8)
    products = 0.25 + 0.04 * random.standard_normal((3, 400, 300))
    given = merge_mean(products, np.array([0.03, 0.04, 0.05])[:, None, None])
    np.testing.assert_allclose(given.sigma, np.sqrt(0.03**2 + 0.04**2 + 0.05**2) / 3.0, rtol=1e-12)
    linked = merge_mean(products, 0.04, options={"error_correlation": 1.0})
    np.testing.assert_allclose(linked.sigma, 0.04, rtol=1e-12)
    assert merge_mean(products).sigma.mean() == pytest.approx(0.04 / np.sqrt(3.0), rel=2e-3)
    gap = products.copy()
    gap[:, 0, 0], gap[:2, 1, 0], gap[:, :, 1] = np.nan, np.nan, np.nan
    found = merge_mean(gap, 0.04)
    assert np.isnan(found.value[0, 0]) and found.value[1, 0] == gap[2, 1, 0] and found.sigma[1, 0] == 0.04
    assert found.flag.tolist()[:2] == [0, 1]
    alone = merge_mean(products[:1])
    assert np.isfinite(alone.value).all() and np.isnan(alone.sigma).all()


def test_methods_are_found_by_name_and_refuse_what_they_do_not_have():
    _, products = triplet(200, 2)
    about = context(200, 2)
    assert set(MERGE_METHODS) >= {"mean", "tc"}
    assert merge_products("mean", products, None, about).value.shape == (200, 2)
    for method, options, message in (
        ("tx", {}, "unknown method 'tx'"), ("mean", {"error_corelation": 0}, "did you mean 'error_correlation'"),
        ("mean", {"error_correlation": 2.0}, "must lie in 0..1"), ("tc", {"reference": "d"}, "no product 'd'"),
        ("tc", {"anomalies": "moving"}, "anomalies must be"), ("tc", {"correlated": [["a", "b"]]}, "three products"),
        ("tc", {"reference": 5}, "number of a product"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            merge_products(method, products, None, about, options)
    with pytest.raises(InputError, match="needs 3 products"):
        merge_tc(products[:2], options=PLAIN)
    with pytest.raises(InputError, match="need times"):
        merge_tc(products, options={"anomalies": "climatology"})
    assert np.array_equal(merge_tc(products).value, merge_tc(products, options=PLAIN).value, equal_nan=True)
    with pytest.raises(InputError, match="must not be negative"):
        merge_mean(products, -0.1)


def test_completeness_counts_by_time_and_place():
    _, products = triplet(20, 3)
    products[0, :5] = np.nan
    products[1, :, 2] = np.nan
    found = completeness_of(products, ("a", "b", "c"), np.nanmean(products, axis=0))
    assert found.names == ("a", "b", "c", "merged")
    assert found.by_time[0].tolist() == [0] * 5 + [3] * 15 and found.by_place[1].tolist() == [20, 20, 0]
    assert found.together.tolist() == [15, 15, 0] and found.share.tolist() == [0.75, 40 / 60, 1.0, 1.0]
    assert found.lines()[0].startswith("a: 75.0 % of 20 times and 3 places; from 75.0 to 75.0 %")
    assert found.lines()[-1] == "all products at once: 50.0 %"


def test_spread_of_products_with_a_common_error_gives_the_error_of_their_mean():
    random, correlation, error = np.random.default_rng(5), 0.5, 0.04
    common = random.standard_normal((1, 4000, 3))
    noise = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * random.standard_normal((3, 4000, 3))
    merged = merge_mean(0.2 + error * noise, options={"error_correlation": correlation})
    found = (merged.value - 0.2).std()
    assert found == pytest.approx(error * np.sqrt((1 + 2 * correlation) / 3), rel=0.02)
    assert merged.sigma.mean() == pytest.approx(found, rel=0.03)
    with pytest.raises(InputError, match="differences say nothing"):
        merge_mean(noise, options={"error_correlation": 1.0})
