"""Spin-up of a distributed subsurface in pseudo-time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyland.base.errors import ConvergenceError, InputError
from pyland.base.parallel import Communicator
from pyland.subsurface.flow_grid import number, whole_number

COUNTS = ("steps", "newton_iterations", "krylov_iterations")
"""Numbers that an advance reports."""

HORIZON = 10 * 365.25 * 86400.0
"""Length of a step over which a steady state may not change [s]."""

_LONGEST = 1.0e3 * HORIZON


def run_to_steady_state(
    advance: Callable[[float], dict[str, Any]], pressure: np.ndarray, active: np.ndarray, comm: Communicator, *,
    first_step: float, tolerance: float, max_steps: int,
) -> dict[str, float]:
    """Advance in steps that double until a long one changes nothing.

    Parameters
    ----------
    advance : callable
        Advances the heads by a period [s].
    pressure : numpy.ndarray, shape (..., layer, y, x)
        Live heads of the tile [m].
    active : numpy.ndarray of bool, shape (layer, y, x)
        Cells that exist.
    comm : Communicator
        Ranks.
    first_step, tolerance, max_steps
        As in :meth:`pyland.subsurface.DistributedSubsurface.spin_up`.

    Returns
    -------
    dict
        Numbers of ``COUNTS``; ``change`` of the head in the last step [m], pseudo-``time`` [s].

    Raises
    ------
    InputError
        If an argument is out of range.
    ConvergenceError
        If heads still change after ``max_steps``, or a step fails.
    """
    step, bound = number(first_step, "first_step"), number(tolerance, "tolerance")
    if step <= 0.0 or bound <= 0.0:
        raise InputError(f"spin_up: first_step [s] and tolerance [m] must be positive, got {step:g} and {bound:g}.")
    counts: dict[str, float] = dict.fromkeys(COUNTS, 0)
    time, change = 0.0, np.inf
    for _ in range(whole_number(max_steps, "max_steps")):
        before = pressure.copy()
        out = advance(step)
        time += step
        for name in COUNTS:
            counts[name] += out[name]
        moved = np.abs(np.where(active, pressure - before, 0.0))
        change = max(comm.allgather(float(moved.max(initial=0.0))))
        if change <= bound and step >= HORIZON:
            return counts | {"change": change, "time": time}
        step = min(2.0 * step, _LONGEST)
    raise ConvergenceError(
        f"spin_up: after {max_steps} steps and {time:.3g} s heads still change by {change:.3g} m in a step, tolerance "
        f"{bound:g} m; give more max_steps, a larger tolerance, or a boundary through which recharge can leave.")
