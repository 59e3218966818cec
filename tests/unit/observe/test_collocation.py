"""Triple and extended collocation: known errors are found, numbers of pytesmo, rules that refuse."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.merging import anomalies_of, extended_collocation, seasonal_climatology, triple_collocation
from pyland.observe.merging.collocation import NEGATIVE_VARIANCE, NOT_CORRELATED, TOO_FEW, VALID

SLOPES, ERRORS, SIGNAL = np.array([1.0, 0.8, 1.3]), np.array([0.03, 0.045, 0.06]), 0.07


def triplet(times, places, seed=0):
    """Products (3, time, place) of a truth (time, place) with slopes and independent errors."""
    random = np.random.default_rng(seed)
    truth = 0.25 + SIGNAL * random.standard_normal((times, places))
    noise = ERRORS[:, None, None] * random.standard_normal((3, times, places))
    return truth, SLOPES[:, None, None] * truth + noise


def five():
    """Five products (5, 500), errors of 0 and 1 and of 3 and 4 correlated."""
    random = np.random.default_rng(7)
    truth = 0.25 + 0.05 * random.standard_normal(500)
    common, own = random.standard_normal((2, 500)), random.standard_normal((5, 500))
    errors = np.stack([0.02 * own[0] + 0.02 * common[0], 0.02 * own[1] + 0.03 * common[0], 0.03 * own[2],
                       0.035 * own[3] + 0.02 * common[1], 0.02 * own[4] + 0.02 * common[1]])
    return np.array([1.0, 0.8, 1.3, 0.9, 1.1])[:, None] * truth + errors


def test_errors_and_scalings_that_were_put_in_are_found():
    _, products = triplet(1500, 2000)
    found = triple_collocation(*products)
    assert found.is_valid.all() and (found.count == 1500).all()
    # 2000 replicates: the mean is known to 0.2 %
    np.testing.assert_allclose(np.sqrt((found.error_std**2).mean(axis=1)), ERRORS, rtol=4e-3)
    np.testing.assert_allclose(found.scaling.mean(axis=1), 1.0 / SLOPES, rtol=3e-3)
    signal = (SLOPES * SIGNAL) ** 2
    np.testing.assert_allclose(found.r2.mean(axis=1), signal / (signal + ERRORS**2), rtol=3e-3)
    np.testing.assert_allclose(found.fmse, 1.0 / (1.0 + 10.0 ** (found.snr_db / 10.0)), rtol=1e-9)


@pytest.mark.parametrize("times, expected, tolerance", [(100, 0.26, 0.1), (300, 0.12, 0.05), (1000, 0.066, 0.05)])
def test_scatter_of_the_error_falls_with_the_root_of_the_record(times, expected, tolerance):
    _, products = triplet(times, 3000, seed=times)
    found = np.nan_to_num(triple_collocation(*products, significance=1.0).error_std[0])  # negative variances are 0
    assert np.std(found) / ERRORS[0] == pytest.approx(expected, rel=tolerance)


PYTESMO_TRIPLE = {
    "snr_db": [3.923909389394, 7.1275810648428815, -0.3578851770113773],
    "scaled_error_std": [0.028508407292520247, 0.01971466360634606, 0.04667267396538758],
    "scaling": [1.0, 0.7062627346509027, 1.135570426054823],
}
"""tcol_metrics of pytesmo 0.18.1 of products 0, 2 and 3."""

PYTESMO_EXTENDED = {
    "variance": [0.0008067979797339976, 0.0012105170111245923, 0.0008068764326208907, 0.001692913098056109,
                 0.0010212781928684552],
    "covariance": [0.0005797351916090271, 0.0006158755201458549],
    "snr_db": [3.9685424892956265, 0.6196055687288331, 6.945976057421522, -0.37746230107708967, 3.871935967572666],
}
"""ecol of pytesmo 0.18.1 with correlated (0, 1) and (3, 4)."""


def test_triple_collocation_has_the_numbers_of_pytesmo():
    found = triple_collocation(*five()[[0, 2, 3]])
    for name, expected in PYTESMO_TRIPLE.items():
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-10, err_msg=name)


def test_extended_collocation_has_the_numbers_of_pytesmo():
    found = extended_collocation(five(), [(0, 1), (4, 3)])
    assert found.is_valid
    np.testing.assert_allclose(np.diag(found.error_covariance), PYTESMO_EXTENDED["variance"], rtol=1e-10)
    np.testing.assert_allclose(found.snr_db, PYTESMO_EXTENDED["snr_db"], rtol=1e-10)
    shared = [found.error_covariance[0, 1], found.error_covariance[3, 4]]
    np.testing.assert_allclose(shared, PYTESMO_EXTENDED["covariance"], rtol=1e-10)
    assert found.error_covariance[0, 2] == 0.0


def test_pytesmo_itself_agrees():
    pytesmo = pytest.importorskip("pytesmo.metrics.tcol", reason="the cross-check needs pytesmo (extra crosscheck)")
    import pandas

    products = five()
    snr, error, scaling = pytesmo.tcol_metrics(*products[[0, 2, 3]])
    found = triple_collocation(*products[[0, 2, 3]])
    np.testing.assert_allclose([found.snr_db, found.scaled_error_std, found.scaling], [snr, error, scaling], rtol=1e-10)
    frame = pandas.DataFrame(dict(zip("abcde", products, strict=True)))
    theirs = pytesmo.ecol(frame, correlated=[["a", "b"], ["d", "e"]], abs_est=False)
    ours = extended_collocation(products, [(0, 1), (3, 4)])
    np.testing.assert_allclose(np.diag(ours.error_covariance), [theirs[f"err_{one}"] for one in "abcde"], rtol=1e-10)
    np.testing.assert_allclose(ours.error_covariance[0, 1], theirs["err_cov_a_b"], rtol=1e-10)


def test_extended_collocation_finds_correlated_errors_that_triple_collocation_takes_for_truth():
    random = np.random.default_rng(2)
    places, times = 400, 1000
    truth = 0.06 * random.standard_normal((times, places))
    shared = 0.03 * random.standard_normal((times, places))
    products = truth + 0.03 * random.standard_normal((4, times, places))
    products[:2] += shared
    found = extended_collocation(products, [(0, 1)])
    np.testing.assert_allclose(found.error_covariance[0, 1].mean(), 0.03**2, rtol=0.03)
    np.testing.assert_allclose((found.error_std[0] ** 2).mean(), 2 * 0.03**2, rtol=0.02)
    blind = triple_collocation(*products[:3])
    # Q01 Q02/Q12 = (t2 + s2) t2/t2: what is shared is taken for truth, and the own part of the error is left
    assert (blind.error_std[0] ** 2).mean() == pytest.approx(0.03**2, rel=0.03)


def test_each_rule_refuses_its_place_and_no_other():
    _, products = triplet(400, 5, seed=3)
    random = np.random.default_rng(4)
    products[0, 90:, 0] = np.nan  # too few
    products[2, :, 1] = 0.05 * random.standard_normal(400)  # has nothing to do with the others
    copy = 0.05 * random.standard_normal(400)
    products[0, :, 2] = copy  # the errors of 0 are nothing, and 1 and 2 hold more of it than of each other
    products[1, :, 2], products[2, :, 2] = copy + 0.01 * random.standard_normal((2, 400))
    products[1, :, 2] += 0.02 * random.standard_normal(400) - 0.3 * (products[2, :, 2] - copy) * 5
    products[0, 50:, 3] = np.nan
    products[0, :300, 4] = np.nan
    found = triple_collocation(*products, least_count=100)
    assert found.count.tolist() == [90, 400, 400, 50, 100]
    assert found.reason.tolist() == [TOO_FEW, NOT_CORRELATED, NEGATIVE_VARIANCE, TOO_FEW, VALID]
    for name in ("error_std", "scaling", "r2", "snr_db", "fmse"):
        assert np.isnan(getattr(found, name)[:, :4]).all() and np.isfinite(getattr(found, name)[:, 4]).all()


def test_a_gap_of_one_product_takes_the_time_from_all():
    _, products = triplet(400, 3)
    products[1, ::3] = np.nan
    kept = np.isfinite(products[1, :, 0])
    gappy, cut = triple_collocation(*products), triple_collocation(*products[:, kept])
    np.testing.assert_allclose(gappy.error_std, cut.error_std, rtol=1e-10)


@pytest.mark.parametrize("changes, message", [
    ({"reference": 3}, "reference must be"),
    ({"least_count": 2}, "least_count must be 3"),
    ({"significance": 0.0}, "significance in"),
    ({"correlated": [(0, 1)]}, "no triplet with independent errors"),
    ({"correlated": [(1, 1)]}, "pairs of different products"),
])
def test_what_cannot_be_is_said(changes, message):
    with pytest.raises(InputError, match=message):
        extended_collocation(triplet(200, 1)[1], **changes)
    with pytest.raises(InputError, match="expected 3 to 8 products"):
        extended_collocation(np.zeros((2, 300)))


def test_a_climatology_is_the_mean_of_its_window_over_all_years():
    times = np.datetime64("2016-01-01") + np.arange(3 * 366)
    random = np.random.default_rng(5)
    values = random.standard_normal((times.size, 2))
    values[random.random(values.shape) < 0.4] = np.nan
    found = seasonal_climatology(values, times, 35, 1)
    day = np.minimum((times - times.astype("datetime64[Y]").astype("datetime64[D]")).astype(int), 364)
    for one in (0, 10, 200, 364):
        apart = np.abs(day - one)
        near = np.minimum(apart, 365 - apart) <= 17
        np.testing.assert_allclose(found[one], np.nanmean(values[near], axis=0), rtol=1e-12)
    anomaly, climatology = anomalies_of(values, times, 365)
    np.testing.assert_allclose(climatology[0], np.nanmean(values, axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.nanmean(anomaly, axis=0), 0.0, atol=1e-15)
    assert np.isnan(seasonal_climatology(values, times, 1, 4)).all()
