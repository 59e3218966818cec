"""Steps of a period, and the order of work within one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pyland.driver.time_loop import integrate, spin_up, steps

START = np.datetime64("2020-02-28T22:00", "s")


def test_steps_cover_the_period_without_gaps():
    found = list(steps(START, START + np.timedelta64(3, "h"), 1800.0, first=7))
    assert [one.index for one in found] == list(range(7, 13))
    assert found[0].start == START and found[-1].end == START + np.timedelta64(3, "h")
    assert all(a.end == b.start for a, b in zip(found, found[1:], strict=False))
    assert all(one.seconds == 1800.0 and one.middle == one.start + np.timedelta64(900, "s") for one in found)


def test_no_steps_after_the_end():
    assert list(steps(START, START, 1800.0)) == []


@pytest.fixture
def run():
    """Return a run that writes down what happens to it."""
    said = []

    hour = np.timedelta64(1, "h")
    out = SimpleNamespace(said=said, start=START, time=START, end=START + 3 * hour, step_length=3600.0, step_index=0)
    out.forcing = SimpleNamespace(weather=lambda time, seconds: said.append(("weather", time)) or {})
    out.perturb = lambda index, weather: said.append(("perturb", index)) or weather
    out.model = SimpleNamespace(has_carbon=False)
    out.advance = lambda step, weather: said.append(("advance",))
    out.route, out.rivers = lambda seconds, weather: said.append(("route",)), None
    out.records = SimpleNamespace(
        add_step=lambda step, *_: said.append(("add", step.index)),
        add_analysis=lambda time, outcome: said.append(("increment", time)),
        is_restart_due=lambda time: time == START + 2 * hour)
    out.analysis = SimpleNamespace(is_due=lambda time: time == START + 2 * hour,
                                   update=lambda time, model: said.append(("analysis", time)) or "outcome")

    def move_to(time):
        out.time, out.step_index = time, out.step_index + 1

    out.move_to = move_to
    out.show_progress = lambda: None
    out.write_restart = lambda: said.append(("restart", out.time, out.step_index))
    return out


def test_order_of_a_step(run):
    integrate(run)
    two = START + np.timedelta64(2, "h")
    assert [one[0] for one in run.said] == [
        "weather", "perturb", "advance", "route", "add",
        "weather", "perturb", "advance", "route", "add", "analysis", "increment", "restart",
        "weather", "perturb", "advance", "route", "add"]
    assert ("restart", two, 2) in run.said and run.time == run.end and run.step_index == 3


def test_nothing_is_booked_without_an_outcome(run):
    run.analysis.update = lambda time, model: None
    integrate(run)
    assert "increment" not in [one[0] for one in run.said]


def test_spin_up_repeats_the_window_with_indices_before_the_start(run):
    spin_up(run, START, START + np.timedelta64(2, "h"), 3)
    assert [one[1] for one in run.said if one[0] == "perturb"] == list(range(-6, 0))
    assert [one[1] for one in run.said if one[0] == "weather"] == [START, START + np.timedelta64(1, "h")] * 3
    assert run.time == START and "add" not in [one[0] for one in run.said]


def test_spin_up_around_the_start_begins_and_ends_there(run):
    run.start = START + np.timedelta64(1, "h")
    spin_up(run, START, START + np.timedelta64(3, "h"), 2)
    hours = [int((one[1] - START) / np.timedelta64(1, "h")) for one in run.said if one[0] == "weather"]
    assert hours == [1, 2, 0, 1, 2, 0]
    assert [one[1] for one in run.said if one[0] == "perturb"] == list(range(-6, 0))
