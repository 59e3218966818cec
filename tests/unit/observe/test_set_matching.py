"""Sets take the climatology of a reference."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.observation_reasons import NO_CLIMATOLOGY, USED
from pyland.observe import ObservationSet, cdf_of_sets, match_sets
from pyland.observe.climatology import LinearMatch


def sets(values):
    """Return a set a day of three places, (day, place)."""
    return [ObservationSet("one", "soil_moisture", np.datetime64("2018-01-01", "s") + np.timedelta64(day, "D"), row,
                           np.full(3, 4e-4), np.arange(3.0), np.zeros(3), np.arange(3)[:, None], np.ones((3, 1)),
                           location=np.array([4, 7, 9])) for day, row in enumerate(values)]


def test_a_monotonous_change_of_the_model_is_taken_over():
    rng = np.random.default_rng(2)
    values = rng.uniform(0.1, 0.4, (300, 3))
    model = 0.05 + 0.5 * values
    match = cdf_of_sets(sets(values), list(model))
    found = match_sets(sets(values), match)
    assert np.stack([one.values for one in found]) == pytest.approx(model, abs=1e-6)
    assert np.stack([one.variance for one in found]) == pytest.approx(np.full((300, 3), 1e-4), rel=1e-4)


def test_a_place_without_a_climatology_is_not_used():
    rng = np.random.default_rng(2)
    values = rng.uniform(0.1, 0.4, (300, 3))
    times = np.array([one.time for one in sets(values)])
    match = LinearMatch.fit("mean", values[:, :2], values[:, :2] + 0.1, times, location=np.array([4, 7]))
    first = match_sets(sets(values), match)[0]
    assert first.flags.tolist() == [USED, USED, NO_CLIMATOLOGY]
    assert first.values == pytest.approx(values[0] + np.array([0.1, 0.1, 0.0]))
