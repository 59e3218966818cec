"""What a coupled model says of wrong input, and before its first step."""

from __future__ import annotations

import numpy as np
import pytest
from catchments import random_catchment

from pyland.base.errors import InputError, StateError


@pytest.fixture(scope="module")
def model():
    return random_catchment(np.random.default_rng(1), nx=3, ny=2)


def test_water_that_would_be_ignored_is_refused(model):
    """Water of a state would be lost without a word: heads are the state."""
    for name in ("soil_water", "surface_water"):
        with pytest.raises(InputError, match=f"{name}: it follows from the pressure heads"):
            model.set_state({name: np.full((9, 2, 6), 0.2)})


def test_wrong_water_of_an_analysis_is_refused(model):
    before = model.flux["soil_water"]
    with pytest.raises(InputError, match=r"soil_water has shape \(3, 2, 6\); expected \(layer, member, cell\)"):
        model.change_soil_water(np.zeros((3, 2, 6)))
    with pytest.raises(StateError, match="soil_water: NaN or infinity"):
        model.change_soil_water(np.full((9, 2, 6), np.nan))
    np.testing.assert_array_equal(model.flux["soil_water"], before)


def test_every_result_is_there_before_the_first_step(model):
    assert all(np.isfinite(field).all() for field in model.flux.values())
    assert not model.flux["overland_outflow"].any()
