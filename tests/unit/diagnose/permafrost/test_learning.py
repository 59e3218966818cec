"""Learned models: splits, scores and spread; what fits models needs the extra ml, the rest does not."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.diagnose.permafrost.boreholes import nearest_cells, read_boreholes
from pyland.diagnose.permafrost.learning import blocks_of_places, learn, withheld


def samples(count=120, seed=4):
    """Return elevation, a second field, an idle one and a target made of the first two with noise of 0.2."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.uniform(*ends, count) for ends in ((4000.0, 5200.0), (0.0, 1.0), (-1.0, 1.0))], axis=1)
    return x, -0.005 * (x[:, 0] - 4400.0) + 2.0 * x[:, 1] ** 2 + rng.normal(0.0, 0.2, count)


OPTIONS = {"models": ["gam", "svr", "random_forest", "xgboost"], "repeats": 3, "test_share": 0.1, "seed": 7}
NAMES = ["elevation", "snow", "idle"]


@pytest.fixture(scope="module")
def learned():
    for name in ("sklearn", "pygam", "xgboost"):
        pytest.importorskip(name, reason="learned models need the extra ml")
    x, y = samples()
    everywhere = np.stack([np.linspace(4100.0, 5100.0, 21), np.full(21, 0.5), np.zeros(21)], axis=1)
    everywhere[3, 1] = np.nan
    return learn(x, y, everywhere, NAMES, **OPTIONS), everywhere, x, y


def test_all_four_models_find_the_rule(learned):
    found, everywhere, _, y = learned
    truth = -0.005 * (everywhere[:, 0] - 4400.0) + 0.5
    known = np.arange(21) != 3
    assert np.isnan(found.mean[3]) and np.isnan(found.spread[3])
    np.testing.assert_allclose(found.mean[known], truth[known], atol=0.4)
    for name in (*OPTIONS["models"], "ensemble"):
        assert found.scores[name]["n"] == 36 and found.scores[name]["rmse"] < 0.4 * y.std(), name
    assert found.scores["gam"]["rmse"] == pytest.approx(0.2, abs=0.08)  # the noise; it is an additive rule
    assert found.importance["elevation"] > 2.0 * found.importance["snow"] > 0.5
    assert abs(found.importance["idle"]) < 0.1
    assert (found.spread[known] > 0.0).all() and found.spread[known].max() < 1.0


def test_same_seed_same_answer_and_idle_predictors_are_named(learned):
    _, everywhere, x, y = learned
    x, everywhere = x.copy(), np.nan_to_num(everywhere)
    x[:, 2] = 1.0
    options = OPTIONS | {"models": ["svr", "xgboost"], "repeats": 2}
    one, other = (learn(x, y, everywhere, NAMES, **options) for _ in range(2))
    np.testing.assert_array_equal(one.mean, other.mean)
    assert one.left_out == ("idle",) and set(one.importance) == {"elevation", "snow"}


def test_blocks_are_harder_than_single_samples():
    """A field that is smooth in space and not explained by the predictor: neighbours tell it, far samples do not."""
    pytest.importorskip("sklearn", reason="learned models need the extra ml")
    rng = np.random.default_rng(9)
    x, y = rng.uniform(0.0, 400e3, (2, 150))
    target = np.sin(x / 40e3) + np.cos(y / 40e3)
    predictors = np.stack([x, y], axis=1)
    options = {"models": ["svr"], "repeats": 8, "test_share": 0.1, "seed": 1}
    near = learn(predictors, target, predictors, ["x", "y"], **options)
    far = learn(predictors, target, predictors, ["x", "y"], **options, block=blocks_of_places(x, y, 130e3))
    assert far.scores["svr"]["rmse"] > 1.3 * near.scores["svr"]["rmse"]


def test_splits_withhold_whole_groups():
    groups = np.repeat(np.arange(6), [10, 20, 5, 5, 30, 30])
    for number in range(20):
        test = withheld(groups, 6, 0.1, np.random.default_rng(number))
        assert 0.1 <= test.mean() < 1.0
        assert not set(groups[test]) & set(groups[~test])
    assert withheld(np.array([0] * 9 + [1]), 2, 0.5, np.random.default_rng(0)).mean() < 1.0
    assert blocks_of_places(np.array([0.0, 9.0, 11.0, -1.0]), np.zeros(4), 10.0).tolist() == [1, 1, 2, 0]


def test_too_little_to_learn_from():
    x, y = samples(9)
    with pytest.raises(InputError, match="10 samples"):
        learn(x, y, x, NAMES, **OPTIONS)
    x, y = samples(20)
    with pytest.raises(InputError, match="one block"):
        learn(x, y, x, NAMES, **OPTIONS, block=np.zeros(20, dtype=int))
    with pytest.raises(InputError, match="none of .* varies"):
        learn(np.ones((20, 3)), y, x, NAMES, **OPTIONS)


TABLE = """name,latitude,longitude,elevation,MAGT,alt,driller
Pass,35.1,93.0,4700,-2.1,1.9,X
,35.0,93.2,,-0.4,,Y
"""


def test_table_of_boreholes(tmp_path):
    (tmp_path / "holes.csv").write_text(TABLE, encoding="utf-8")
    holes = read_boreholes(tmp_path / "holes.csv")
    assert holes.name == ("Pass", "line 3") and holes.magt.tolist() == [-2.1, -0.4]
    assert holes.alt[0] == 1.9 and np.isnan(holes.alt[1]) and np.isnan(holes.elevation[1])
    latitude, longitude = np.array([35.0, 35.0, 35.1, 35.1]), np.array([93.0, 93.2, 93.0, 93.0])
    cell = nearest_cells(holes, latitude, longitude, np.array([4000.0, 4000.0, 4200.0, 4650.0]), 5e3)
    assert cell.tolist() == [3, 1]  # of two soils at one place the one whose elevation fits
    assert nearest_cells(holes, latitude + 1.0, longitude, latitude, 5e3).tolist() == [-1, -1]


@pytest.mark.parametrize(("text", "message"), [
    ("name,magt\nA,1\n", "expected the columns latitude, longitude"),
    (TABLE.replace("-2.1", "cold"), ":2: magt: expected a number, got 'cold'"),
    (TABLE.replace("35.0,", ","), ":3: latitude is missing"),
    ("latitude,longitude,alt\n", "no line below its head"),
])
def test_wrong_tables(text, message, tmp_path):
    (tmp_path / "holes.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_boreholes(tmp_path / "holes.csv")
