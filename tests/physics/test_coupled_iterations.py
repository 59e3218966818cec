"""Iterated coupling: in drying soil a second pass takes a part of the error of a long step."""

from __future__ import annotations

import numpy as np
from catchments import random_catchment
from columns import random_areas
from summer import HOUR, summer_weather


def evapotranspiration(step, passes, days=3):
    """Return the sum over some days, (cell,) [kg m-2]."""
    rng = np.random.default_rng(3)
    model = random_catchment(rng, nmember=1, iterations=passes)
    areas = random_areas(rng, 2, model.ncell)
    model.set_state({"pressure_head": np.full((9, 1, model.ncell), -12.0)})
    total = np.zeros(model.ncell)
    for index in range(round(days * 24 * HOUR / step)):
        model.advance(summer_weather(index * step, step, model.ncell), *areas, step)
        total += model.flux["evapotranspiration"][0] * step
    return total


def test_a_second_pass_takes_a_part_of_the_error():
    fine = evapotranspiration(240.0, 1)

    def error(passes):
        return float(np.sqrt(np.mean((evapotranspiration(HOUR, passes) - fine) ** 2)))

    once, twice, thrice = error(1), error(2), error(3)
    assert fine.mean() > 5.0
    assert twice < 0.8 * once
    assert abs(thrice - twice) < 0.1 * twice
