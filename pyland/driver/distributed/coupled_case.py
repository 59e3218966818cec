"""A case of land over the distributed subsurface on its way: steady spin-up, run, judgement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.coupling import CoupledModel
from pyland.diagnose.flow import domain_closure, hydrographs
from pyland.driver.case_run import CaseRun
from pyland.driver.distributed.coupled_records import CoupledRecords
from pyland.driver.distributed.coupled_setup import CoupledSetup, begin_steady, build_coupled_model, prepare_coupled
from pyland.driver.distributed.flow_case import flow_files, warn_of_closed_rim
from pyland.driver.member_run import MemberRun
from pyland.driver.setup import noise_of


class CoupledCaseRun(CaseRun):
    """A case with a land model and ``subsurface.mode: distributed``; parameters are those of `CaseRun`."""

    setup: CoupledSetup

    def _prepare(self) -> CoupledSetup:
        setup = prepare_coupled(self.config, self.comm, self.continuation)
        if self.comm.is_root:
            warn_of_closed_rim(setup.flow)
        return setup

    def _input_files(self) -> list[str | None]:
        return [*super()._input_files(), *flow_files(self.config)]

    def _build_model(self, members: np.ndarray, seed: int, is_truth: bool) -> CoupledModel:
        self._noise = noise_of(self.setup, members, seed, is_truth)  # of the ensemble that begins next
        return build_coupled_model(self.setup, members, seed, is_truth)

    def _records(
        self, folder: Path, ranks: CellRanks, name: str, nmember: int, streams: Mapping[str, Mapping[str, str]],
        rivers: None, is_truth: bool,
    ) -> CoupledRecords:
        return CoupledRecords(
            self.setup, folder, self.setup.output_grid(), ranks, {**self.attrs, "stage": name},
            **self._record_choices(nmember, is_truth), streams=streams)

    def _spin_up(self, run: MemberRun) -> None:
        if self.config.subsurface.spinup is not None:
            self.progress(0.0, "spin-up to a steady state")
            begin_steady(run.model, self.setup, self._noise)
        super()._spin_up(run)

    def _closure(self) -> dict[str, Any]:
        return domain_closure(self.run_dir / "balance.nc")

    def _more_scores(self) -> dict[str, Any]:
        return {"hydrograph": hydrographs(self.run_dir / "discharge.nc")} if self.setup.flow.outlets else {}
