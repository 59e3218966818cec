"""Skill of merged products against numpy, place by place."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.merging import compare_merged


def test_skill_is_that_of_each_place_on_the_common_days():
    rng = np.random.default_rng(0)
    truth = rng.random((60, 4))
    one, other = truth + 0.1 + 0.2 * rng.standard_normal(truth.shape), rng.random(truth.shape)
    one[rng.random(truth.shape) < 0.3], other[rng.random(truth.shape) < 0.3], truth[:55, 3] = np.nan, np.nan, np.nan
    found = compare_merged({"one": one, "other": other}, truth)
    for name, values in (("one", one), ("other", other)):
        parts = []
        for place in range(3):
            some = np.isfinite(one[:, place]) & np.isfinite(other[:, place])
            away = values[some, place] - truth[some, place]
            parts.append((abs(away.mean()), away.std(), np.corrcoef(values[some, place], truth[some, place])[0, 1]))
        skill = found[name]
        np.testing.assert_allclose((skill.bias, skill.ubrmse, skill.correlation), np.mean(parts, axis=0), rtol=1e-10)
        assert skill.places == 3
    assert found["one"].values == found["other"].values
    with pytest.raises(InputError, match="no place has 10 days"):
        compare_merged({"one": one * np.nan}, truth)
