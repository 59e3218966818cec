"""Functions of time that are constant between given times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class PiecewiseConstant:
    """A function of time that keeps each value up to a time; the first holds at all times before.

    Parameters
    ----------
    until : sequence of float or None
        Ends of the pieces, increasing [s]; None, for the last, has no end.
    values : sequence of float
        Value of each piece, any unit.
    after : float, optional
        Value after the last end; None keeps the last value.

    Examples
    --------
    >>> rain = PiecewiseConstant([600.0, 1200.0], [3.0, 1.0], after=0.0)
    >>> rain.mean(300.0, 900.0)
    2.0
    """

    def __init__(
        self, until: Sequence[float | None], values: Sequence[float], after: float | None = None
    ) -> None:
        ends = [np.inf if end is None else float(end) for end in until]
        last = after if after is not None else (values[-1] if len(values) else 0.0)
        self._edges = np.array([-np.inf, *ends, np.inf])
        self._values = np.array([*values, last], dtype=float)

    @property
    def is_constant(self) -> bool:
        """Whether the value never changes."""
        return bool((self._values == self._values[0]).all())

    def mean(self, start: float, end: float) -> float:
        """Return the mean over ``start`` to ``end`` [s], both from the same origin as the ends of the pieces."""
        share = np.clip(np.minimum(self._edges[1:], end) - np.maximum(self._edges[:-1], start), 0.0, None)
        whole = share == end - start
        if whole.any():  # one piece covers it: its value, to the last bit
            return float(self._values[np.argmax(whole)])
        return float((share * self._values).sum() / (end - start))
