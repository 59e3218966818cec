"""The time loop: weather in, columns forward, analysis when it is due, records out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyland.driver.member_run import MemberRun


@dataclass(frozen=True)
class Step:
    """One model step.

    Attributes
    ----------
    index : int
        Steps since the start of the experiment; spin-up has negative indices.
    start, end : numpy.datetime64
        Bounds, UTC.
    seconds : float
        Length [s].
    """

    index: int
    start: np.datetime64
    end: np.datetime64
    seconds: float

    @property
    def middle(self) -> np.datetime64:
        """Middle of the step, UTC."""
        return self.start + (self.end - self.start) // 2


def steps(start: np.datetime64, end: np.datetime64, length: float, first: int = 0) -> Iterator[Step]:
    """Yield the steps from ``start`` to ``end``; ``length`` [s] divides the period.

    Parameters
    ----------
    start, end : numpy.datetime64
        Period, UTC.
    length : float
        Length of a step [s].
    first : int
        Index of the first step.
    """
    width = np.timedelta64(round(length), "s")
    time, index = np.datetime64(start, "s"), first
    while time < end:
        yield Step(index, time, time + width, float(length))
        time, index = time + width, index + 1


def integrate(run: MemberRun) -> None:
    """Advance an ensemble from where it stands to its end; everything it leaves behind goes through ``run.records``."""
    for step in steps(run.time, run.end, run.step_length, run.step_index):
        weather = run.forcing.weather(step.start, step.seconds)
        weather = run.perturb(step.index, weather)
        run.advance(step, weather)
        run.route(step.seconds, weather)
        run.records.add_step(step, run.model, weather)
        if run.analysis is not None and run.analysis.is_due(step.end):
            outcome = run.analysis.update(step.end, run.model)
            if outcome is not None:
                run.records.add_analysis(step.end, outcome)
        run.move_to(step.end)
        run.show_progress()
        if run.records.is_restart_due(step.end):
            run.write_restart()


def spin_up(run: MemberRun, start: np.datetime64, end: np.datetime64, passes: int) -> None:
    """Repeat the weather of a period without writing records, to bring soil water, heat and rivers near their cycle.

    A period that contains the start of the experiment is passed through as a cycle that begins and ends there: first
    what follows the start, then what precedes it. So the state meets the season in which the experiment starts, and a
    station with one year of data is spun up with that year.

    Parameters
    ----------
    run : MemberRun
        Ensemble whose model is advanced; its clock stays.
    start, end : numpy.datetime64
        Period whose weather is repeated, UTC.
    passes : int
        Number of repetitions.
    """
    width = np.timedelta64(round(run.step_length), "s")
    begin = run.start if start < run.start < end and (run.start - start) % width == np.timedelta64(0, "s") else start
    count = int((end - start) / width)
    for one in range(passes):
        if one == passes - 1 and run.model.has_carbon:
            run.model.start_carbon_means()
        first = (one - passes) * count
        parts = ((begin, end, first), (start, begin, first + int((end - begin) / width)))
        for step in chain.from_iterable(steps(left, right, run.step_length, index) for left, right, index in parts):
            weather = run.perturb(step.index, run.forcing.weather(step.start, step.seconds))
            run.advance(step, weather)
            run.route(step.seconds, weather)
    if run.rivers is not None:
        run.rivers.route()
