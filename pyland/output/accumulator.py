"""Means over the output interval, of every member and cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.base.errors import InputError


class Accumulator:
    """Collect steps of the model into one record.

    Parameters
    ----------
    methods : mapping of str to str
        Identifier to ``mean`` (weighted by the length of the steps) or ``point`` (value at the end of the interval).

    Raises
    ------
    InputError
        If a method is neither.
    """

    def __init__(self, methods: Mapping[str, str]) -> None:
        unknown = {name: method for name, method in methods.items() if method not in ("mean", "point")}
        if unknown:
            raise InputError(f"Output: unknown time method {unknown}; expected 'mean' or 'point'.")
        self.methods = dict(methods)
        self._sum: dict[str, np.ndarray] = {}
        self._duration = 0.0

    @property
    def duration(self) -> float:
        """Time collected so far [s]."""
        return self._duration

    def add(self, dt: float, values: Mapping[str, np.ndarray]) -> None:
        """Add one step.

        Parameters
        ----------
        dt : float
            Length of the step [s].
        values : mapping of str to numpy.ndarray
            Mean over the step (fluxes) or value at its end (states), any shape; every identifier of ``methods``.
            The arrays may be live views: they are copied.
        """
        missing = sorted(set(self.methods) - set(values))
        if missing:
            raise InputError(f"Output: the step lacks {missing}, which output.variables asks for.")
        if dt <= 0.0:
            raise InputError(f"Output: a step of {dt} s; expected a positive length.")
        for name, method in self.methods.items():
            value = np.asarray(values[name], dtype=np.float64)
            held = self._sum.get(name)
            if held is None:
                self._sum[name] = value * dt if method == "mean" else value.copy()
            elif method == "mean":
                held += value * dt
            else:
                held[...] = value
        self._duration += dt

    def result(self) -> dict[str, np.ndarray]:
        """Return the record of the interval and start the next one.

        Raises
        ------
        InputError
            If no step was added.
        """
        if self._duration == 0.0:
            raise InputError("Output: the output interval holds no model step; output.every is shorter than time.step.")
        out = {
            name: held / self._duration if self.methods[name] == "mean" else held for name, held in self._sum.items()
        }
        self._sum = {}
        self._duration = 0.0
        return out

    def state(self) -> dict[str, np.ndarray]:
        """Return the half-filled interval for a restart; exact."""
        out = {f"accumulator:{name}": held.copy() for name, held in self._sum.items()}
        out["accumulator_duration"] = np.array([self._duration])
        return out

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up the half-filled interval of a restart."""
        self._sum = {
            name.partition(":")[2]: np.array(held, dtype=np.float64)
            for name, held in state.items()
            if name.startswith("accumulator:")
        }
        self._duration = float(state["accumulator_duration"][0])
