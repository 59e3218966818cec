"""Spin-up repeats a window; one that contains the start is a cycle that ends there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from pyland.driver.time_loop import spin_up

HOUR = np.timedelta64(3600, "s")


def recorder(start):
    seen, indices = [], []

    def weather(moment, seconds):
        seen.append(moment)
        return {}

    def perturb(index, given):
        indices.append(index)
        return given

    run = SimpleNamespace(
        start=np.datetime64(start, "s"), step_length=3600.0, perturb=perturb, forcing=SimpleNamespace(weather=weather),
        model=SimpleNamespace(has_carbon=False), advance=lambda step, weather: None,
        route=lambda *arguments: None, rivers=None)
    return run, seen, indices


def passes(start, first, last, count):
    run, seen, indices = recorder(start)
    spin_up(run, np.datetime64(first, "s"), np.datetime64(last, "s"), count)
    assert indices == list(range(-len(indices), 0))
    return seen


def test_window_before_the_start_is_run_as_it_is():
    first = np.datetime64("2020-01-01", "s")
    assert passes("2020-02-01", first, "2020-01-02", 2) == [first + (i % 24) * HOUR for i in range(48)]


def test_window_around_the_start_begins_and_ends_there():
    start, first = np.datetime64("2020-01-01T06", "s"), np.datetime64("2020-01-01", "s")
    seen = passes(start, first, "2020-01-02", 2)
    want = [first + ((i + 6) % 24) * HOUR for i in range(48)]
    assert seen == want
    assert seen[-1] + HOUR == start


def test_window_that_the_steps_do_not_meet_keeps_its_own_start():
    first = np.datetime64("2020-01-01", "s")
    assert passes("2020-01-01T06:30:00", first, "2020-01-02", 1)[0] == first
