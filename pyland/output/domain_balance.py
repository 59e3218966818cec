"""``balance.nc`` of the distributed subsurface: water of the whole domain, as cells exchange it among each other.

Each record holds the volumes of an output interval [m3]:
precipitation - evaporation + source + inflow by the sides - discharge - surface_runoff - storage_change = residual,
with irrigation and the increments of analyses where there is a land model. ``heat_increment`` [J] stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.parallel import Communicator
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES
from pyland.output.history import seconds, stamp_of
from pyland.output.segments import Layout, RecordVariable, SegmentedFile

SIDES = ("west", "east", "south", "north", "bottom", "top")
"""Sides through which water comes and goes, beside rain and overland flow."""

FLOWS = {
    "precipitation": ("water that fell on the domain", 1.0),
    "evaporation": ("water that evaporated", -1.0),
    "source": ("water put in or taken by wells", 1.0),
    **{f"boundary_{side}": (f"inflow through the {side} side", 1.0) for side in SIDES},
    "discharge": ("water that left over land", -1.0),
    "surface_runoff": ("ponded water that ran off in place", -1.0),
}
"""Volumes that pass the rim of the domain in an interval [m3]: meaning, and sign in the balance."""

STORES = {
    "storage_subsurface": "water in the ground at the end of the interval",
    "storage_surface": "water on the land at the end of the interval",
}
"""Water in the domain [m3]."""

LAND_FLOWS = {
    **{name: entry for name, entry in FLOWS.items() if name != "source"},
    "irrigation": ("water that was applied", 1.0),
    "increment": ("water that analyses added", 1.0),
    "heat_increment": ("heat that analyses added to soil and snow of the land", 0.0),
}
"""The same with a land model."""

LAND_STORES = {
    **STORES,
    "storage_subsurface": "water and ice in the ground at the end of the interval",
    "storage_land": "water in snow and on leaves at the end of the interval",
}
"""The same with a land model."""

HEAT = ("heat_increment",)
"""Terms that are heat [J] and no water: they have no part in the residual."""

COUNTS = {
    "solver_steps": "sub-steps of the solver",
    "newton_iterations": "Newton iterations",
    "krylov_iterations": "iterations of the linear solver",
}
"""What the interval cost [1]."""


@dataclass(frozen=True)
class DomainTerms:
    """What passes the rim of a domain, and where water is in it, by name."""

    flows: Mapping[str, tuple[str, float]]
    stores: Mapping[str, str]


GROUND_TERMS = DomainTerms(FLOWS, STORES)
LAND_TERMS = DomainTerms(LAND_FLOWS, LAND_STORES)


class DomainBalanceWriter:
    """Write the water of the whole domain, one record per output interval.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    attrs : mapping
        Global attributes; ``domain_area`` [m2] is among them.
    terms : DomainTerms
        Terms of the balance.
    communicator : Communicator, optional
        Ranks of the run, which all hold the same numbers; the root writes.
    """

    def __init__(
        self, run_dir: str | Path, attrs: Mapping[str, Any], terms: DomainTerms = GROUND_TERMS, *,
        communicator: Communicator | None = None
    ) -> None:
        self._file: SegmentedFile | None = None
        if not (communicator or Communicator()).is_root:
            return
        self._file = SegmentedFile(run_dir, "balance", Layout(
            dimensions={"bound": 2}, attributes={"Conventions": CONVENTIONS, **attrs}))
        self._file.define(_definitions(terms))

    def start(self) -> None:
        """Begin a new run."""
        if self._file is not None:
            self._file.start()

    def resume(self, time: np.datetime64, interval_start: np.datetime64) -> None:
        """Continue after the restart of ``time`` in the interval that began at ``interval_start``."""
        if self._file is not None:
            self._file.resume(stamp_of(time), np.datetime64(interval_start, "s"))

    def add(self, time_start: Any, time_end: Any, record: Mapping[str, float]) -> None:
        """Add the record of an interval: all terms, ``COUNTS``, ``storage_change`` and ``residual``."""
        if self._file is not None:
            values = {name: np.array([value]) for name, value in record.items()}
            values["time"] = np.array([seconds(time_end)])
            values["time_bounds"] = np.array([[seconds(time_start), seconds(time_end)]])
            self._file.append(values)

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            self._file.flush(stamp)

    def finish(self) -> Path | None:
        """Join the segments into the final file; its path on the root, None elsewhere."""
        return None if self._file is None else self._file.finish()


def residual_of(terms: DomainTerms, flows: Mapping[str, Any], change: Any) -> Any:
    """Return what the flows of an interval leave unexplained of the change of storage [m3]."""
    return sum(sign * flows[name] for name, (_, sign) in terms.flows.items()) - change


def _definitions(balance: DomainTerms) -> dict[str, RecordVariable]:
    """Define the variables of the file."""
    out = {
        "time": RecordVariable(("time",), {**TIME_ATTRIBUTES, "bounds": "time_bounds"}, "i8"),
        "time_bounds": RecordVariable(("time", "bound"), {}, "i8"),
    }
    terms = {name: (meaning, "J" if name in HEAT else "m3", "sum") for name, (meaning, _) in balance.flows.items()}
    terms |= {name: (meaning, "m3", "point") for name, meaning in balance.stores.items()}
    terms["storage_change"] = ("change of the water in the domain", "m3", "sum")
    terms["residual"] = ("what the terms leave unexplained", "m3", "sum")
    terms |= {name: (meaning, "1", "sum") for name, meaning in COUNTS.items()}
    for name, (meaning, unit, method) in terms.items():
        attributes = {"long_name": meaning, "units": unit, "cell_methods": f"time: {method} area: sum"}
        if unit == "1":
            attributes["cell_methods"] = f"time: {method}"
        out[name] = RecordVariable(("time",), attributes, "f8")
    return out
