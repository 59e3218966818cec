"""The learning merge: it finds what is there to learn, learns nothing from what it must not see, and repeats itself."""

import numpy as np
import pytest
from synthetic_products import make_products, skill

from pyland.base.errors import InputError, UnavailableError
from pyland.observe.merging.lstm import LstmMerge, merge_lstm
from pyland.observe.merging.lstm_splits import TEST, split_values, time_blocks
from pyland.observe.merging.lstm_training import LstmSettings
from pyland.observe.merging.merged import MergeContext

TINY = LstmSettings(hidden=8, dropout=0.0, window=60, batch=16, epochs=12, patience=12, learning_rate=0.02)


def _two_sensors(steps=240, places=12, seed=0, gaps=0.2):
    """Two products without bias: one is good while `leaf` is low, the other while it is high."""
    rng = np.random.default_rng(seed)
    leaf = np.repeat((rng.random((steps // 30, places)) < 0.5).astype(float), 30, axis=0)
    truth = 0.25 + 0.06 * rng.standard_normal((steps, places))
    error = np.stack((0.01 + 0.07 * leaf, 0.08 - 0.07 * leaf))
    products = truth + error * rng.standard_normal(error.shape)
    products[rng.random(products.shape) < gaps] = np.nan
    times = np.datetime64("2016-01-01T12:00:00") + np.arange(steps) * np.timedelta64(1, "D")
    return truth, products, error, MergeContext(("a", "b"), times, np.zeros(places), np.arange(places, dtype=float),
                                                {"leaf": leaf}, truth.copy())


def _fitted(products, context, left_out, settings=TINY):
    blocks = time_blocks(context.times, gap=5)
    merge = LstmMerge("in_situ", settings)
    split = split_values(np.isfinite(context.target), blocks, left_out)
    merge.fit(products, context, split)
    return merge, split


def test_without_torch_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UnavailableError, match=r"Install pyland\[lstm\]"):
        _, products, _, context = _two_sensors(60, 3)
        merge_lstm(products, None, context, {"gap": 2})


class TestWithTorch:
    """Trainings of some seconds; they need the extra ``lstm``."""

    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch", reason="the extra lstm (PyTorch) is not installed")

    def test_weights_follow_what_makes_a_product_good(self):
        truth, products, _, context = _two_sensors()
        left_out = np.arange(12) >= 8
        merge, split = _fitted(products, context, left_out)
        merged = merge.merge(products, context)
        both = np.isfinite(products).all(axis=0) & split.test
        assert split.test[:, 8:].any() and both.any()
        mean = products.mean(axis=0)
        assert (merged.value - truth)[both].std() < 0.6 * (mean - truth)[both].std()
        low = context.predictors["leaf"] == 0
        assert merged.weights[0][both & low].mean() > 0.7 > 0.3 > merged.weights[0][both & ~low].mean()
        assert ((merged.value - truth) / merged.sigma)[both].std() == pytest.approx(1.0, abs=0.4)
        np.testing.assert_allclose(merged.weights.sum(axis=0)[merged.count > 0], 1.0, rtol=1e-5)
        assert np.isfinite(merged.value).all() and (merged.sigma > 0).all()
        assert (merged.weights[:, merged.count == 0] == 0).all() and (merged.count == 0).any()

    def test_shuffled_target_gives_no_skill(self):
        """Stations that have nothing to do with the products: what is learned must not know held-out truth."""
        truth, products, _, context = _two_sensors()
        shuffled = np.random.default_rng(5).permutation(truth.ravel()).reshape(truth.shape)
        planted = MergeContext(context.names, context.times, context.latitude, context.longitude, context.predictors,
                               shuffled)
        left_out = np.arange(12) >= 8
        merge, split = _fitted(products, planted, left_out)
        merged = merge.merge(products, planted)
        assert abs(np.corrcoef(merged.value[split.test], shuffled[split.test])[0, 1]) < 0.25
        assert (merged.value - shuffled)[split.test].std() > 0.9 * shuffled.std()

    def test_target_outside_of_training_and_validation_is_never_seen(self):
        """The network must be the same, bit by bit, whatever held-out stations and days say."""
        truth, products, _, context = _two_sensors(120, 6)
        settings = LstmSettings(hidden=4, window=30, epochs=3, patience=3, dropout=0.2)
        left_out = np.arange(6) >= 4
        first, split = _fitted(products, context, left_out, settings)
        other = truth.copy()
        other[~(split.training | split.validation)] = 1e3
        changed = MergeContext(context.names, context.times, context.latitude, context.longitude, context.predictors,
                               other)
        second, _ = _fitted(products, changed, left_out, settings)
        np.testing.assert_array_equal(first.merge(products, context).value, second.merge(products, context).value)
        other[split.training] += 0.01
        third, _ = _fitted(products, changed, left_out, settings)
        assert not np.array_equal(first.merge(products, context).value, third.merge(products, context).value)

    def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(self):
        import torch

        _, products, _, context = _two_sensors(120, 6)
        out, values = np.arange(6) >= 4, []
        for seed in (1, 1, 2):
            settings = LstmSettings(hidden=4, window=30, epochs=3, patience=3, seed=seed)
            torch.rand(seed + len(values))  # what others drew before must not matter
            values.append(_fitted(products, context, out, settings)[0].merge(products, context).value)
        np.testing.assert_array_equal(values[0], values[1])
        assert not np.array_equal(values[0], values[2])
        assert not torch.are_deterministic_algorithms_enabled()

    def test_withheld_products_teach_errors_without_a_target(self):
        """Three products, no target: errors and weights come from how well each is predicted by the others."""
        rng = np.random.default_rng(3)
        truth = 0.25 + 0.08 * rng.standard_normal((240, 12))
        std = np.array([0.02, 0.04, 0.06])
        products = truth + std[:, None, None] * rng.standard_normal((3, 240, 12))
        products[rng.random(products.shape) < 0.2] = np.nan
        times = np.datetime64("2016-01-01T12:00:00") + np.arange(240) * np.timedelta64(1, "D")
        context = MergeContext(("a", "b", "c"), times, np.zeros(12), np.arange(12.0))
        merge = LstmMerge("withheld_product", LstmSettings(hidden=4, dropout=0.0, window=40, batch=8, epochs=25,
                                                           patience=25, learning_rate=0.03))
        blocks = time_blocks(times, gap=5)
        merge.fit(products, context, merge.split(products, context, blocks))
        merged = merge.merge(products, context)
        judged = np.isfinite(products).all(axis=0) & (blocks == TEST)[:, None]
        best = std**-2 / (std**-2).sum()
        np.testing.assert_allclose(merged.weights[:, judged].mean(axis=1), best, atol=0.12)
        assert (merged.value - truth)[judged].std() < 0.9 * (products.mean(axis=0) - truth)[judged].std()
        assert ((merged.value - truth) / merged.sigma)[judged].std() == pytest.approx(1.0, abs=0.3)

    def test_saved_network_gives_the_same_bits(self, tmp_path):
        _, products, _, context = _two_sensors(120, 6)
        merge, _ = _fitted(products, context, np.arange(6) >= 4,
                           LstmSettings(hidden=4, window=30, epochs=2, patience=2))
        merge.save(tmp_path / "net")
        again = LstmMerge.load(tmp_path / "net")
        assert again.record == merge.record and again.target == "in_situ"
        np.testing.assert_array_equal(again.merge(products, context).value, merge.merge(products, context).value)
        merged = merge_lstm(products, None, context, {"model": tmp_path / "net"})
        np.testing.assert_array_equal(merged.value, merge.merge(products, context).value)
        with pytest.raises(InputError, match="products a, b"):
            again.merge(products, MergeContext(("b", "a"), context.times, context.latitude, context.longitude,
                                               context.predictors))
        (tmp_path / "net" / "weights.pt").write_bytes(b"not a network")
        with pytest.raises(InputError, match="cannot be read as a saved network"):
            LstmMerge.load(tmp_path / "net")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "thesis.txt").write_text("dear")
        with pytest.raises(InputError, match="holds other files"):
            merge.save(tmp_path / "full")

    def test_places_are_merged_alone(self, monkeypatch):
        _, products, _, context = _two_sensors(60, 5)
        merge, _ = _fitted(products, context, np.arange(5) >= 4, LstmSettings(hidden=4, window=30, epochs=1))
        whole = merge.merge(products, context)
        monkeypatch.setattr("pyland.observe.merging.lstm.PLACES_AT_ONCE", 2)
        parts = merge.merge(products, context)
        for name in ("value", "sigma", "weights"):
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-5)

    def test_row_of_the_table_holds_out_stations_and_says_what_it_learned_from(self):
        _, products, _, context = _two_sensors(150, 4)
        options = {"hidden": 4, "window": 30, "epochs": 2, "patience": 2, "folds": 2, "gap": 3}
        merged = merge_lstm(products, None, context, options)
        assert np.isfinite(merged.details["held_out_value"]).all()
        attributes = merged.detail_attributes["correction"]
        assert attributes["training_target"] == "in_situ" and float(attributes["training_seconds"]) > 0
        assert merged.details["training_values"].sum() == int(attributes["training_values"])
        ratio = float(merged.detail_attributes["held_out_sigma"]["sigma_ratio"])
        for name in ("mean", "lstm"):
            assert "ubRMSE" in merged.detail_attributes["held_out_value"][f"skill_{name}"]
        plain = merge_lstm(products, None, context, {**options, "folds": 0})
        np.testing.assert_allclose(merged.sigma / plain.sigma, ratio, rtol=0.01)

    def test_bad_input_is_named(self, tmp_path):
        _, products, _, context = _two_sensors(60, 3)
        with pytest.raises(InputError, match="unknown option 'epoch'"):
            merge_lstm(products, None, context, {"epoch": 3})
        with pytest.raises(InputError, match="target must be one of"):
            LstmMerge("stations")
        with pytest.raises(InputError, match="device must be"):
            merge_lstm(products, None, context, {"device": "tpu", "gap": 1})
        with pytest.raises(InputError, match="of a training"):
            merge_lstm(products, None, context, {"model": tmp_path, "epochs": 3})
        with pytest.raises(InputError, match="must hold network.yaml"):
            merge_lstm(products, None, context, {"model": tmp_path})
        with pytest.raises(InputError, match="is not trained"):
            LstmMerge().merge(products, context)
        lonely = MergeContext(context.names, context.times, context.latitude, context.longitude, context.predictors)
        with pytest.raises(InputError, match="needs the values of stations"):
            merge_lstm(products, None, lonely, {"gap": 1})


@pytest.mark.slow
def test_learned_weights_beat_the_mean_at_stations_that_were_left_out():
    """The region of docs/theory/merging_learned.md, smaller: errors that depend on leaves, season and sand."""
    pytest.importorskip("torch", reason="the extra lstm (PyTorch) is not installed")
    data = make_products(24, 3, 0, stations=16)
    blocks = time_blocks(data.context.times)
    left_out = np.arange(24) >= 12
    settings = LstmSettings(batch=8, epochs=120)
    there = np.isfinite(data.products)
    judged = (blocks == TEST)[:, None] & left_out & there.any(axis=0)
    mean = np.where(there, data.products, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    of_mean = skill(mean, data.truth, judged)
    for target in ("in_situ", "withheld_product"):
        merge = LstmMerge(target, settings)
        merge.fit(data.products, data.context, merge.split(data.products, data.context, blocks, left_out))
        found = skill(merge.merge(data.products, data.context).value, data.truth, judged)
        assert found[1] < 0.75 * of_mean[1] and found[2] > of_mean[2] + 0.04
