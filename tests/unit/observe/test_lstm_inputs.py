"""Parts of the learning merge that need no PyTorch: splits, features, weights over available products."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.merging.lstm_inputs import (
    available_softmax,
    checked_context,
    features_of,
    merge_by_precision,
    normalisation_of,
    window_starts,
)
from pyland.observe.merging.lstm_splits import (
    GAP,
    TEST,
    TRAINING,
    VALIDATION,
    TrainingSplit,
    split_values,
    station_folds,
    time_blocks,
)
from pyland.observe.merging.lstm_training import LstmSettings
from pyland.observe.merging.merged import MergeContext

TIMES = np.datetime64("2016-01-01T12:00:00") + np.arange(1000) * np.timedelta64(1, "D")


def _context(places=3, steps=40, **predictors):
    return MergeContext(("a", "b"), TIMES[:steps], np.linspace(50, 51, places), np.linspace(6, 7, places), predictors)


def test_weights_are_over_available_products_only():
    logits = np.array([[0.0, 3.0, 800.0], [1.0, -2.0, -800.0], [2.0, 900.0, 5.0]])
    available = np.array([[True, True, False], [True, True, False], [True, False, False]])
    weights = available_softmax(logits, available)
    np.testing.assert_allclose(weights[:, 0], np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum())
    np.testing.assert_allclose(weights[:, 1], [1 / (1 + np.exp(-5)), np.exp(-5) / (1 + np.exp(-5)), 0])
    np.testing.assert_array_equal(weights[:, 2], 0.0)  # none is there


def test_merging_by_precision_is_least_squares():
    sigma = np.array([0.02, 0.04, 0.05])
    value = np.array([0.2, 0.3, 0.25])[:, None, None]
    log_precision = np.broadcast_to(-2 * np.log(sigma)[:, None, None], (3, 1, 1))
    there = np.ones((3, 1, 1), bool)
    guess, prior = np.full((1, 1), 0.22), np.full((1, 1), -2 * np.log(0.06))
    merged, error, weights = merge_by_precision(value, there, log_precision, prior, guess)
    design = np.ones(4) / np.array([*sigma, 0.06])
    solution = np.linalg.lstsq(design[:, None], np.array([0.2, 0.3, 0.25, 0.22]) * design, rcond=None)[0]
    assert merged[0, 0] == pytest.approx(solution[0], rel=1e-12)
    assert error[0, 0] == pytest.approx((design @ design) ** -0.5, rel=1e-12)
    np.testing.assert_allclose(weights[:, 0, 0], sigma**-2 / (sigma**-2).sum())
    merged, error, weights = merge_by_precision(value * np.nan, ~there, log_precision, prior, guess)
    assert (merged[0, 0], error[0, 0], weights.sum()) == (pytest.approx(0.22), pytest.approx(0.06), 0.0)


def test_blocks_of_time_follow_each_other_with_gaps():
    blocks = time_blocks(TIMES, 0.2, 0.3, 30)
    ends = {code: np.flatnonzero(blocks == code)[[0, -1]] for code in (TRAINING, VALIDATION, TEST)}
    assert ends[TRAINING][0] == 0 and ends[TEST][1] == 999
    assert ends[VALIDATION][0] - ends[TRAINING][1] >= 30 and ends[TEST][0] - ends[VALIDATION][1] >= 30
    assert (blocks == GAP).sum() == pytest.approx(60, abs=2)
    assert (time_blocks(TIMES, 0.2, 0.0, 0) == VALIDATION).sum() == pytest.approx(200, abs=1)
    with pytest.raises(InputError, match="validation \\+ test < 1"):
        time_blocks(TIMES, 0.5, 0.5)
    with pytest.raises(InputError, match="is left for validation"):
        time_blocks(TIMES, 0.02, 0.3, 30)


def test_each_station_is_left_out_once():
    stations = np.array([True, False, True, True, True, False])
    for folds in (None, 2):
        masks = np.array(station_folds(stations, folds))
        np.testing.assert_array_equal(masks.sum(axis=0), stations)
        assert len(masks) == (folds or 4)
    np.testing.assert_array_equal(station_folds(stations, 2, 7), station_folds(stations, 2, 7))
    with pytest.raises(InputError, match="expected 2 to 4 groups"):
        station_folds(stations, 5)


def test_left_out_stations_and_the_test_block_are_in_neither_training_nor_validation():
    known = np.random.default_rng(0).random((1000, 4)) < 0.5
    blocks = time_blocks(TIMES)
    split = split_values(known, blocks, np.array([False, True, False, False]))
    used = split.training | split.validation
    assert not used[:, 1].any() and not used[blocks == TEST].any() and not used[blocks == GAP].any()
    assert split.test[:, 1].any() and not split.test[:, [0, 2, 3]].any() and not split.test[blocks != TEST].any()
    assert not (used & ~known).any()


def test_overlapping_splits_are_refused():
    mask = np.ones((4, 2), bool)
    with pytest.raises(InputError, match="training and test share 8 values"):
        TrainingSplit(mask, ~mask, mask)
    with pytest.raises(InputError, match="no values for validation"):
        TrainingSplit(mask, ~mask, ~mask)


def test_normalisation_knows_the_training_part_only():
    rng = np.random.default_rng(1)
    products, target = rng.random((2, 40, 3)), rng.random((40, 3))
    training = np.zeros((40, 3), bool)
    training[:20, :2] = True
    context = _context(rain=rng.random((40, 3)), sand=np.array([10.0, 30.0, 90.0]), flat=np.ones(3))
    found = normalisation_of(products, context, target[None], training)
    changed = products.copy(), target.copy(), {name: np.array(one) for name, one in context.predictors.items()}
    changed[0][:, 20:], changed[0][:, :, 2], changed[1][20:] = 9.0, -9.0, 5.0
    changed[2]["rain"][20:], changed[2]["sand"][2] = 1e6, -1e6
    again = normalisation_of(changed[0], _context(**changed[2]), changed[1][None], training)
    for name, value in vars(found).items():
        np.testing.assert_array_equal(value, getattr(again, name))
    assert found.predictors == ("flat", "rain", "sand") and found.predictor_std[0] == 1.0
    assert found.target_mean == target[:20, :2].mean() and found.predictor_mean[2] == 20.0


def test_features_hold_values_masks_predictors_and_season():
    rng = np.random.default_rng(2)
    products = rng.random((2, 40, 3))
    products[0, 5, 1] = np.nan
    context = _context(rain=rng.random((40, 3)), sand=np.array([10.0, 30.0, 90.0]))
    norm = normalisation_of(products, context, products[:1], np.ones((40, 3), bool))
    features = features_of(products, context, norm)
    assert features.shape == (40, 3, 2 * 2 + 2 + 2) == (40, 3, norm.features)
    assert np.isfinite(features).all() and features[5, 1, 0] == 0.0 and features[5, 1, 2] == 0.0
    np.testing.assert_allclose(features[..., 1].mean(), 0.0, atol=1e-6)
    np.testing.assert_allclose(features[..., -1] ** 2 + features[..., -2] ** 2, 1.0, rtol=1e-6)
    with pytest.raises(InputError, match="lacking sand"):
        features_of(products, _context(rain=rng.random((40, 3))), norm)


def test_predictors_have_no_gaps_and_times_no_jumps():
    rain = np.ones((40, 3))
    rain[3, 1] = np.nan
    with pytest.raises(InputError, match="'rain' has 1 missing values of 120"):
        checked_context(np.zeros((2, 40, 3)), _context(rain=rain))
    times = np.delete(TIMES[:41], 20)
    context = MergeContext(("a", "b"), times, np.zeros(3), np.zeros(3))
    with pytest.raises(InputError, match="equally spaced"):
        checked_context(np.zeros((2, 40, 3)), context)


@pytest.mark.parametrize(("steps", "window"), [(1000, 365), (100, 365), (365, 365), (366, 365), (10, 1), (731, 2)])
def test_windows_cover_each_day_once_with_half_a_window_before(steps, window):
    taken = np.zeros(steps, int)
    for start, end, kept in window_starts(steps, window):
        assert end - start == min(window, steps)
        assert kept == 0 or kept - start >= min(window, steps) // 2
        taken[kept:end] += 1
    np.testing.assert_array_equal(taken, 1)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="window must be 1 or more"):
        LstmSettings(window=0)
    with pytest.raises(InputError, match="dropout"):
        LstmSettings(dropout=1.0)
