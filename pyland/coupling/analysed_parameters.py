"""Water of soil columns whose parameters an analysis has changed.

A layer keeps its water as far as its new pores hold it, and its head follows by the new retention curve. A layer that
was saturated stays so under the pressure that it had: pores that grow below the water table would else be a vacuum that
draws the water of the whole column. Ice stays as it is, so pores do not shrink below what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyland.coupling.column_model import ColumnModel

CURVE = ("porosity", "residual_water", "retention_scale", "retention_shape")
"""Parameters of the retention curve, names of the core."""


def put_parameters(model: ColumnModel, parameters: Mapping[str, np.ndarray], driest: float) -> int:
    """Give columns other parameters and make their water consistent with them.

    Parameters
    ----------
    model : ColumnModel
        Soil columns.
    parameters : mapping of str to numpy.ndarray, shape (n, member, cell)
        By name of the core, within their bounds.
    driest : float
        Effective saturation down to which a layer is filled if its new curve leaves it drier; one that was drier
        keeps its effective saturation [1].

    Returns
    -------
    int
        Number of porosities that had to leave room for ice.
    """
    state, now = model.state, model.parameter
    old = {name: now[name].copy() for name in CURVE}
    new = dict(parameters)
    residual = new.get("residual_water", old["residual_water"])
    cut = 0
    if {"porosity", "residual_water"} & new.keys():
        # the ice fits, and liquid of the driest saturation beside it
        least = residual + state["soil_ice"] / (1.0 - driest)
        porosity = np.asarray(new.get("porosity", old["porosity"]), dtype=float)
        new["porosity"] = np.where(state["soil_ice"] > 0.0, np.maximum(porosity, least), porosity)
        cut = int(np.count_nonzero(new["porosity"] != porosity))
    open_before = old["porosity"] - state["soil_ice"]
    was_full = (state["pressure_head"] >= 0.0) | (state["soil_water"] >= open_before)
    share = (state["soil_water"] - old["residual_water"]) / (old["porosity"] - old["residual_water"])
    model.set_parameters(new)
    moves = np.logical_or.reduce([now[name] != old[name] for name in CURVE])
    if not moves.any():
        return cut
    floor = now["residual_water"] + np.minimum(share, driest) * (now["porosity"] - now["residual_water"])
    open_now = now["porosity"] - state["soil_ice"]
    water = np.where(was_full, open_now, np.clip(state["soil_water"], floor, open_now))
    model.let_heads_follow(np.where(moves, water, state["soil_water"]), moves)
    return cut
