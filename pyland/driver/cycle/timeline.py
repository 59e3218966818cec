"""When cycles begin and end, and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.config import CaseConfig
from pyland.output.history import stamp_of

_NAME = re.compile(r"^(\d{8}T\d{4})(?:_v(\d+))?$")


@dataclass(frozen=True)
class Timeline:
    """The cycles of a case, numbered from 0.

    Attributes
    ----------
    start : numpy.datetime64
        Begin of cycle 0, UTC.
    interval : numpy.timedelta64
        Length of a cycle.
    end : numpy.datetime64
        No cycle ends later, UTC.
    """

    start: np.datetime64
    interval: np.timedelta64
    end: np.datetime64

    @classmethod
    def of_case(cls, config: CaseConfig, start: np.datetime64, until: np.datetime64 | None = None) -> Timeline:
        """Return the cycles of a case from ``start`` to ``time.end`` or ``until``.

        Raises
        ------
        InputError
            If ``start`` is not a whole number of output and analysis intervals after ``time.start``.
        """
        since = float((start - config.time.start64) / np.timedelta64(1, "s"))
        wholes = {"time.step": config.time.step, "output.every": config.output.every,
                  "assimilation.every": config.assimilation.every,
                  **{f"observations.{one.name}.every": one.every for one in config.observations}}
        for name, length in wholes.items():
            if length is not None and since % length != 0.0:
                raise InputError(f"{config.where('cycle.initial')}: expected a restart of a whole number of {name} "
                                 f"({length:g} s) after time.start ({config.time.start64}), got one of {start}.")
        end = config.time.end64 if until is None else min(until, config.time.end64)
        return cls(start, np.timedelta64(round(config.cycle.interval), "s"), end)

    def begin_of(self, index: int) -> np.datetime64:
        """Return where a cycle begins, UTC."""
        return self.start + index * self.interval

    def end_of(self, index: int) -> np.datetime64:
        """Return where a cycle ends and its forecast begins, UTC."""
        return self.start + (index + 1) * self.interval

    def has(self, index: int) -> bool:
        """Tell whether a cycle ends within the period."""
        return bool(self.end_of(index) <= self.end)

    def name_of(self, index: int, version: int = 1) -> str:
        """Return the name of a cycle's product: the end of the cycle, and its version from the second on."""
        return product_name(stamp_of(self.end_of(index)), version)


def product_name(stamp: str, version: int) -> str:
    """Return the name of a product: ``20200601T0000``, ``20200601T0000_v2``."""
    return stamp if version == 1 else f"{stamp}_v{version}"


def parse_name(name: str) -> tuple[str, int] | None:
    """Return stamp and version of a product by its name, None if it is none."""
    found = _NAME.match(name)
    return None if found is None else (found[1], int(found[2] or 1))
