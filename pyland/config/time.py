"""Sections ``case`` and ``time``."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

LONGEST_STEP = 3600.0
"""Longest model step [s]: the diurnal cycle must be resolved."""


def whole_steps(seconds: float, step: float) -> bool:
    """Tell whether a duration [s] is a whole number of steps [s], at least one."""
    return seconds >= step and float(seconds / step).is_integer()


class CaseSection(Section):
    """Name and description of the case."""

    name: str = key("case", "short name, used in messages and output attributes", kind="text")
    description: str = key("", "one line that says what the case is about", kind="text")


class SpinupSection(Section):
    """Repetition of a forcing window before the start, so that soil water and temperature come to rest.

    A window that contains ``time.start`` is run as a cycle that begins and ends at ``time.start``.
    """

    years: int = key(0, "how many times the window is run before time.start; 0 for none", kind="integer", at_least=0)
    start: datetime | None = key(None, "start of the repeated forcing window; null is time.start (UTC)", kind="time")
    end: datetime | None = key(
        None, "end of the repeated forcing window; null is one year after its start (UTC)", kind="time"
    )


class TimeSection(Section):
    """Period and step of the run."""

    start: datetime = key(
        datetime(2020, 1, 1), "start of the run (UTC); must be given with a forcing file", kind="time"
    )
    end: datetime = key(datetime(2021, 1, 1), "end of the run (UTC); must be given with a forcing file", kind="time")
    step: float = key(1800.0, "model step; divides an hour", unit="s", above=0, at_most=LONGEST_STEP)
    spinup: SpinupSection = key(SpinupSection, "repetition of a forcing window before the start", factory=True)

    @model_validator(mode="after")
    def _check(self) -> TimeSection:
        problems: list[Problem] = []
        both = ("start", "end")
        if self.end <= self.start:
            problems.append(
                (
                    "end",
                    f"expected a time after time.start ({self.start.isoformat()}), got {self.end.isoformat()}",
                    both,
                )
            )
        if not float(LONGEST_STEP / self.step).is_integer():
            problems.append(
                (
                    "step",
                    f"expected a step that divides an hour, such as 30 min or 15 min, got {self.step:g} s",
                    ("step",),
                )
            )
        elif self.end > self.start and not whole_steps((self.end - self.start).total_seconds(), self.step):
            problems.append(
                (
                    "end",
                    f"expected a whole number of steps of {self.step:g} s after time.start, got "
                    f"{(self.end - self.start).total_seconds():g} s",
                    (*both, "step"),
                )
            )
        window = ("spinup", *both)
        if self.spinup.years > 0:
            first, last = self.spinup_window
            if last <= first:
                problems.append(
                    (
                        "spinup.end",
                        f"expected a time after the start of the window ({first.isoformat()}), got {last.isoformat()}",
                        window,
                    )
                )
            elif not whole_steps((last - first).total_seconds(), self.step):
                problems.append(
                    (
                        "spinup.end",
                        f"expected a window of whole steps of {self.step:g} s, got "
                        f"{(last - first).total_seconds():g} s",
                        (*window, "step"),
                    )
                )
        if problems:
            raise Problems(problems)
        return self

    @property
    def spinup_window(self) -> tuple[datetime, datetime]:
        """Start and end of the forcing window that spin-up repeats (UTC)."""
        first = self.spinup.start or self.start
        if self.spinup.end is not None:
            return first, self.spinup.end
        try:
            return first, first.replace(year=first.year + 1)
        except ValueError:  # 29 February
            return first, first + timedelta(days=365)

    @property
    def start64(self) -> np.datetime64:
        """Start as datetime64[s] (UTC)."""
        return np.datetime64(self.start, "s")

    @property
    def end64(self) -> np.datetime64:
        """End as datetime64[s] (UTC)."""
        return np.datetime64(self.end, "s")

    @property
    def nstep(self) -> int:
        """Number of steps from start to end."""
        return round((self.end - self.start).total_seconds() / self.step)
