"""What a run leaves behind whose water flows between cells: maps, hydrographs, the water of the whole domain."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.driver.distributed.domain_water import DomainWater
from pyland.driver.distributed.flow_setup import FlowSetup
from pyland.driver.records import Records
from pyland.driver.time_loop import Step
from pyland.output.discharge import DischargeWriter
from pyland.output.domain_balance import DomainBalanceWriter, DomainTerms


class DomainRecords(Records):
    """History, members, analyses, and instead of a balance of cells that of the domain, with hydrographs.

    Parameters
    ----------
    flow : FlowSetup
        The subsurface; its ranks are those of this member group.
    terms : DomainTerms
        What passes the rim of the domain, and where water is.
    args, choices
        See `Records`.
    """

    def __init__(self, flow: FlowSetup, terms: DomainTerms, *args: Any, **choices: Any) -> None:
        self._flow, self._terms = flow, terms
        super().__init__(*args, **choices)
        attrs = args[3]
        self._outlets = flow.outlets
        self._discharge = None if not flow.outlets else _discharge_writer(self, flow, attrs, choices["nmember"])

    def _open_balance(self, attrs: Mapping[str, Any], with_carbon: bool) -> DomainBalanceWriter:
        self._water = DomainWater(self.run_dir, attrs, self._flow.domain_area, self._terms, self.comm, self._flow.comm)
        return self._water.writer

    @property
    def _writers(self) -> list[Any]:
        return [*super()._writers, *(() if self._discharge is None else (self._discharge,))]

    def _start_balance(self, model: Any) -> None:
        self._balance.start()
        self._water.start(self._stores(model))

    def _resume_balance(self, time: np.datetime64, state: Mapping[str, np.ndarray]) -> None:
        self._balance.resume(time, self._interval_start)
        self._water.restore(state)

    def _go_on_balance(self, state: Mapping[str, np.ndarray]) -> None:
        self._balance.start()
        self._water.restore(state)

    def _book(self, step: Step, model: Any, weather: Mapping[str, np.ndarray]) -> None:
        """Book the volumes of a step, and write what leaves at the outlets; collective."""
        self._water.add(self._volumes(model, weather, step.seconds), self._counts(model))
        if self._outlets:
            mine = np.atleast_2d(self._discharge_at(model))
            whole = self.comm.join_members(np.sum(self._flow.comm.allgather(mine), axis=0))
            self._discharge.add(step.end, step.seconds, whole)

    def _close_balance(self, time: np.datetime64, model: Any, terms: Mapping[str, np.ndarray]) -> None:
        self._water.close_interval(self._interval_start, time, self._stores(model))
        self.largest_water_residual = max(self.largest_water_residual, self._water.largest_residual)

    def _balance_state(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        return {}, self._water.state()

    @abstractmethod
    def _volumes(self, model: Any, weather: Mapping[str, np.ndarray], seconds: float) -> dict[str, np.ndarray]:
        """Return what passed the rim of this rank's cells in the last step, each (member,) [m3]."""

    @abstractmethod
    def _stores(self, model: Any) -> dict[str, np.ndarray]:
        """Return the water in the whole domain, each (member,) [m3]; collective."""

    @abstractmethod
    def _counts(self, model: Any) -> dict[str, int]:
        """Return what the last step cost."""

    @abstractmethod
    def _discharge_at(self, model: Any) -> np.ndarray:
        """Return the discharge of this rank's cells at each outlet, (member, outlet) [m3 s-1]."""


def _discharge_writer(records: Records, flow: FlowSetup, attrs: Mapping[str, Any], nmember: int) -> DischargeWriter:
    """Return the writer of hydrographs; an outlet lies where its cells do in the mean."""
    whole = flow.whole
    places = [np.searchsorted(whole.cell_id, cells) for cells in flow.outlets.values()]
    return DischargeWriter(
        records.run_dir, list(flow.outlets), np.array([whole.latitude[one].mean() for one in places]),
        np.array([whole.longitude[one].mean() for one in places]), None, attrs, nmember, communicator=records.comm,
        kind="overland_outflow")

