"""One integration of an ensemble: model, weather, perturbation, analysis, records, restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.coupling import ColumnModel
from pyland.driver.analysis.filtering import Analysis
from pyland.driver.analysis.incremental_update import NEXT
from pyland.driver.analysis.inflating import PREFIX as FACTORS
from pyland.driver.analysis.smoother_window import TIMES
from pyland.driver.distributed.domain_water import DOMAIN_STATE
from pyland.driver.integration import Integration
from pyland.driver.records import Records
from pyland.driver.rivers.river_run import PREFIX, RiverRun
from pyland.driver.setup import Setup
from pyland.driver.time_loop import Step
from pyland.ensemble import ForcingPerturbation
from pyland.output.restart import Restart

PLAIN = frozenset({
    "accumulator_duration", "analysis:clipped", "analysis:statistics", "balance_clock", "clock", "interval_start",
    "largest_residuals", "perturbation:step", NEXT, TIMES, *DOMAIN_STATE,
})
"""Arrays of a restart that have no cell axis."""


PARAMETER = "parameter:"
"""Begins the names of parameters in a restart."""


class MemberRun(Integration):
    """An ensemble on its way from start to end.

    Parameters
    ----------
    setup : Setup
        Domain, surface and weather.
    model : ColumnModel
        The columns of this rank's members and cells.
    records : Records
        What is written; its ``comm`` are the ranks as they share members and cells.
    perturbation : ForcingPerturbation, optional
        Perturbs the weather of the members; None leaves it as it is.
    analysis : Analysis, optional
        Assimilation; None for an open loop.
    end : numpy.datetime64
        End of the integration, UTC.
    attrs : mapping
        Global attributes of restart files.
    rivers : RiverRun, optional
        Rivers of the ensemble.
    """

    def __init__(
        self,
        setup: Setup,
        model: ColumnModel,
        records: Records,
        perturbation: ForcingPerturbation | None,
        analysis: Analysis | None,
        end: np.datetime64,
        attrs: Mapping[str, Any],
        rivers: RiverRun | None = None,
    ) -> None:
        super().__init__(setup.config, records.comm, records, end, attrs)
        self._ranks = records.comm
        self.forcing, self.model, self.analysis, self.rivers = setup.forcing, model, analysis, rivers
        self._setup, self._perturbation = setup, perturbation
        self.parameters = analysis.parameters if isinstance(analysis, Analysis) else None
        self._co2 = np.full(setup.domain.ncell, setup.config.land.co2)

    def perturb(self, step: int, weather: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the weather of the members, ([member,] cell)."""
        whole = {"co2": self._co2, **weather}
        return dict(whole) if self._perturbation is None else self._perturbation.apply(step, whole)

    def route(self, seconds: float, weather: Mapping[str, np.ndarray]) -> None:
        """Hand the runoff of a step to the rivers, where there are any."""
        if self.rivers is not None:
            self.rivers.add_step(seconds, self.model, weather)

    def advance(self, step: Step, weather: Mapping[str, np.ndarray]) -> None:
        """Advance the columns by one step, after what an earlier analysis has left to be added."""
        change = self.analysis.add_increment(self.model) if isinstance(self.analysis, Analysis) else None
        if change is not None:
            self.records.add_increment(change.water, change.heat)
        self._setup.advance(self.model, step, weather)

    # ---- restart -----------------------------------------------------------------------------------

    def _cell_state(self) -> dict[str, np.ndarray]:
        """Return all arrays over this rank's members and cells, which come last."""
        out = {f"model:{name}": np.ascontiguousarray(view) for name, view in self.model.state.items()}
        if self._perturbation is not None and "noise" in (noise := self._perturbation.state()):
            out["perturbation:noise"] = noise["noise"]
        if self.parameters is not None:
            out |= {PARAMETER + name: values for name, values in self.parameters.state(self.model).items()}
        if self.analysis is not None:
            out |= self.analysis.cell_state()
        return out | self.records.state()[0]

    def _plain_state(self) -> dict[str, np.ndarray]:
        """Return the arrays that are the same on all ranks."""
        out = self.records.state()[1] | {"clock": np.array([self.step_index], dtype=np.int64)}
        if self._perturbation is not None and "step" in (noise := self._perturbation.state()):
            out["perturbation:step"] = np.atleast_1d(noise["step"]).astype(np.int64)
        if self.rivers is not None:
            out |= self.rivers.state()
        if self.analysis is not None:
            out |= self.analysis.plain_state()
        return out

    def is_plain(self, name: str) -> bool:
        """Tell whether an array of a restart has no cell axis."""
        return name in PLAIN or name.startswith((PREFIX, FACTORS))

    def resume(self, restart: Restart, *, in_new_files: bool = False) -> None:
        """Take up the state of a restart, reduced to this rank's members and cells."""
        state = restart.state
        names = [] if self.parameters is None else self.parameters.fields()
        is_known = not in_new_files or all(PARAMETER + name in state for name in names)
        if self.parameters is not None and is_known:  # first: state belongs to its parameters
            self.parameters.restore(self.model, {name: state[PARAMETER + name] for name in names})
        self.model.set_state({name: state[f"model:{name}"] for name in self.model.state})
        if self._perturbation is not None and "perturbation:noise" in state:
            self._perturbation.restore({"noise": state["perturbation:noise"], "step": state["perturbation:step"][0]})
        if self.analysis is not None and (not in_new_files or "analysis:statistics" in state):
            self.analysis.restore(state)
        if self.rivers is not None:
            self.rivers.restore(state)
        if in_new_files:
            self.records.go_on(restart.time, state)
        else:
            self.records.resume(restart.time, state)
        self.time, self.step_index = restart.time, int(state["clock"][0])
