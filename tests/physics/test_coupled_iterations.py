"""Iterated coupling: in drying soil a second pass takes a part of the error of a long step."""

from __future__ import annotations

import numpy as np
import pytest
from catchments import random_catchment
from columns import Weather, random_areas
from summer import HOUR, summer_weather

from pyland.base.errors import ConvergenceError


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


def test_a_step_after_one_that_failed_is_as_from_a_restart():
    """A solver that gives up in the second pass leaves no water behind that surface and roots go on to see."""
    models = []
    for fails in (False, True):
        rng = np.random.default_rng(3)
        model = random_catchment(rng, iterations=2)
        weather, areas = Weather(rng, model.ncell), random_areas(rng, model.npatch, model.ncell)
        for index in range(6):
            model.advance(weather.step(0.5 * index), *areas, 1800.0)
        now = weather.step(3.0)
        if fails:
            start, move = {name: np.array(view) for name, view in model.state.items()}, model.flow.advance_with
            answers = iter([move])

            def give_up(*args, answers=answers):
                if (answer := next(answers, None)) is None:
                    raise ConvergenceError("no")
                return answer(*args)

            model.flow.advance_with = give_up
            with pytest.raises(ConvergenceError):
                model.advance(now, *areas, 1800.0)
            del model.flow.advance_with
            model.set_state(start)
        model.advance(now, *areas, 1800.0)
        models.append(model)
    for name, view in models[0].state.items():
        np.testing.assert_array_equal(view, models[1].state[name], err_msg=name)
