"""What types of observations need of the rest of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyland.config.fields import Problem
from pyland.config.observation_operators import MICROWAVE
from pyland.config.time import whole_steps

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig

_LEAVES = "ensemble.perturb.parameters.leaf_area_index"


def observation_problems(config: CaseConfig) -> list[Problem]:
    """Return what does not fit between ``observations`` and other sections.

    Parameters
    ----------
    config : CaseConfig
        The case.
    """
    found: list[Problem] = []
    for place, entry in enumerate(config.observations):
        where = f"observations.{place}"
        if entry.type == "discharge":
            found += _discharge(config, where)
            if entry.seen_width > 0:
                found.append((f"{where}.footprint", "expected no footprint with type: discharge; a gauge sees the "
                              "river of one cell", (f"{where}.footprint", f"{where}.type")))
        if entry.type in MICROWAVE and config.is_distributed:
            found.append((f"{where}.type", f"expected subsurface.mode: column with type: {entry.type}; over the "
                          "distributed subsurface heat has other layers than water", (f"{where}.type",
                                                                                      "subsurface.mode")))
        if entry.type == "lai":
            found += _leaves(config, where)
        if entry.type == "tws" and not config.assimilation.open_loop and config.assimilation.filter != "none":
            found.append((f"{where}.type", "expected assimilation.open_loop: true with type: tws, whose anomalies need "
                          "a mean of the model", (f"{where}.type", "assimilation.open_loop")))
    return found


def _discharge(config: CaseConfig, where: str) -> list[Problem]:
    """Rivers must have been routed when an analysis looks at them."""
    if config.rivers.scheme == "none":
        return [(f"{where}.type", "expected a rivers.scheme (linear or kinematic) with type: discharge, got none",
                 (f"{where}.type", "rivers.scheme"))]
    every = config.assimilation.every or config.time.step
    if whole_steps(every, config.river_step):
        return []
    return [(f"{where}.type", f"expected assimilation.every (else time.step), {every:g} s, to be a whole number of "
             f"routing steps of {config.river_step:g} s with type: discharge",
             (f"{where}.type", "assimilation.every", "rivers.step"))]


def _leaves(config: CaseConfig, where: str) -> list[Problem]:
    """Leaf area is prescribed: members differ in it by a factor only, which an analysis can change."""
    noise = config.ensemble.perturb.parameters.get("leaf_area_index")
    if noise is None or noise.std == 0.0:
        return [(f"{where}.type", f"expected {_LEAVES} with std above 0 with type: lai: leaf area is prescribed, and "
                 "without it all members have the same; assimilation.parameters: {leaf_area_index: {}} then lets "
                 "observations change it", (f"{where}.type", _LEAVES))]
    return []
