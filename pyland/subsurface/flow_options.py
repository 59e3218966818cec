"""Choices and tolerances of a distributed subsurface, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.subsurface.flow_grid import number, whole_number

HEADS = (-1.0e6, 1.0e4)
"""Least and largest head that the solver takes [m]: ``driest_head`` and ``wettest_head`` of the compiled core."""

MAX_KRYLOV = 30
"""Vectors of GMRES before it restarts."""

MAX_RESTARTS = 4
"""Cycles of GMRES in an iteration of Newton's method."""

_UNITS = {"slope_floor": "[1]", "tolerance": "[m]", "min_step": "[s]", "max_step": "[s]"}


def solver_options(
    *, overland: str, follows_terrain: bool, slope_floor: float, ponding_depth: float, tolerance: float,
    max_iterations: int, min_step: float, max_step: float,
) -> dict[str, Any]:
    """Return the options of :meth:`pyland.core.flow.FlowFields.set_options`.

    Raises
    ------
    InputError
        If one of them is out of range; the message names it.
    """
    positive = {"slope_floor": slope_floor, "tolerance": tolerance, "min_step": min_step, "max_step": max_step}
    for name, value in positive.items():
        is_open = name == "max_step" and isinstance(value, float) and value == np.inf
        positive[name] = value if is_open else number(value, name)
        if positive[name] <= 0.0:
            raise InputError(f"{name}: expected a positive number {_UNITS[name]}, got {value}.")
    if positive["max_step"] < positive["min_step"]:
        raise InputError(f"max_step: expected at least min_step, {min_step} s, got {max_step} s.")
    pond = number(ponding_depth, "ponding_depth")
    if pond < 0.0:
        raise InputError(f"ponding_depth: expected a depth of 0 m or more, got {pond:g} m.")
    if overland != "none" and pond > 0.0:
        raise InputError("ponding_depth: standing water flows off over land; set it only with overland 'none'.")
    return positive | {
        "overland": overland, "follows_terrain": bool(follows_terrain), "ponding_depth": pond,
        "max_iterations": whole_number(max_iterations, "max_iterations"), "max_krylov": MAX_KRYLOV,
        "max_restarts": MAX_RESTARTS,
    }


def dry_limits(air_entry: float, air_dry_head: float) -> tuple[float, float]:
    """Return air-entry head and air-dry head [m]; InputError if they are out of range."""
    entry, dry = number(air_entry, "air_entry"), number(air_dry_head, "air_dry_head")
    if entry < 0.0:
        raise InputError(f"air_entry: expected 0 m or more, got {entry:g} m.")
    if not HEADS[0] <= dry < 0.0:
        raise InputError(f"air_dry_head: expected a head of {HEADS[0]:g} to 0 m, got {dry:g} m.")
    return entry, dry
