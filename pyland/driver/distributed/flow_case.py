"""A case of the distributed subsurface on its way: steady spin-up, run, judgement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.logging import get_logger
from pyland.config import CaseConfig
from pyland.config.flow import FieldFileSection
from pyland.core import runtime
from pyland.diagnose.flow import domain_closure, hydrographs
from pyland.driver.case_run import CaseRun
from pyland.driver.distributed.flow_model import FlowModel
from pyland.driver.distributed.flow_records import FlowRecords
from pyland.driver.distributed.flow_run import FlowRun
from pyland.driver.distributed.flow_setup import FlowSetup, open_rim, prepare_flow
from pyland.driver.setup import grid_of_cells
from pyland.driver.static_fields import cell_fields
from pyland.output.grid import OutputGrid
from pyland.output.scores import write_scores

_log = get_logger("run")


class FlowCaseRun(CaseRun):
    """A case with ``subsurface.mode: distributed``; parameters are those of `CaseRun`."""

    def _prepare(self) -> FlowSetup:
        setup = prepare_flow(self.config, self.comm)
        if self.comm.is_root:
            warn_of_closed_rim(setup)
        return setup

    def _input_files(self) -> list[str | None]:
        return [*super()._input_files(), *flow_files(self.config)]

    def _static_fields(self) -> dict[str, np.ndarray] | None:
        if not self.comm.is_root:
            return None
        whole = self.setup.whole
        return cell_fields(whole) | {"porosity": self.setup.soil["porosity"].reshape(-1, whole.nx * whole.ny)[
            :, whole.cell_id]}

    def _output_grid(self) -> OutputGrid:
        return grid_of_cells(self.setup.whole, {"layer": self.setup.layers.thickness})

    def _member_run(self, name: str, folder: Path, members: np.ndarray, seed: int, **_: Any) -> FlowRun:
        if self.comm.is_root:
            folder.mkdir(parents=True, exist_ok=True)
        self.comm.barrier()
        model = FlowModel(self.setup)
        records = FlowRecords(folder, self.setup, model, {**self.attrs, "stage": name})
        run = FlowRun(self.setup, model, records, self.config.time.end64,
                      {**self.attrs, "stage": name, "config_hash": self.restart_hash})
        run.progress = lambda done, moment: self.progress(done, f"{name}: {np.datetime64(moment, 'm')}")
        return run

    def _spin_up(self, run: FlowRun) -> None:
        steady = self.config.subsurface.spinup
        if steady is not None:
            self.progress(0.0, "spin-up to a steady state")
            run.settle(steady.recharge)
        super()._spin_up(run)

    def _scores(self, run: FlowRun) -> dict[str, Any]:
        """Judge the run and write ``scores.json``."""
        scores: dict[str, Any] = {}
        if self.comm.is_root:
            closed = domain_closure(self.run_dir / "balance.nc")
            timing = {**self.timing, "bytes_per_column": run.model.bytes_per_column, "ranks": self.comm.size,
                      "threads": runtime.threads(), **closed.pop("iterations")}
            scores = {"skill": {}, "closure": closed, "timing": timing, "assimilation": {}}
            if self.setup.outlets:
                scores["hydrograph"] = hydrographs(self.run_dir / "discharge.nc")
            write_scores(self.run_dir, **scores)
        self.comm.barrier()
        return scores


def flow_files(config: CaseConfig) -> list[str | None]:
    """Return the files of the distributed subsurface that a case names, None for those that it does not."""
    section, slopes = config.subsurface, config.domain.slopes
    manning = section.manning.file if isinstance(section.manning, FieldFileSection) else None
    relief = [] if slopes is None else [slopes.file, slopes.file_y]
    return [section.initial.file, manning, *relief]


def warn_of_closed_rim(setup: FlowSetup) -> None:
    """Say that water has no way out over land, where it has none."""
    if setup.config.subsurface.overland != "none" and not open_rim(setup):
        _log.warning("%s: no face of the rim falls outwards; water stays on the land",
                     setup.config.where("domain.slopes"))
