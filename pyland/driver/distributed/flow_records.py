"""What a run of the distributed subsurface without land leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.parallel import Communicator
from pyland.driver.distributed.domain_records import DomainRecords
from pyland.driver.distributed.flow_model import FlowModel
from pyland.driver.distributed.flow_setup import FlowSetup
from pyland.driver.setup import grid_of_cells
from pyland.output.domain_balance import GROUND_TERMS


class FlowRecords(DomainRecords):
    """History, discharge and balance of the distributed subsurface.

    Parameters
    ----------
    run_dir : Path
        Where the files go.
    setup : FlowSetup
        The run.
    model : FlowModel
        This rank's cells.
    attrs : mapping
        Global attributes of all files.
    """

    def __init__(self, run_dir: Path, setup: FlowSetup, model: FlowModel, attrs: Mapping[str, Any]) -> None:
        config, output = setup.config, setup.config.output
        ranks = CellRanks(setup.comm, Communicator(), 1, np.searchsorted(setup.whole.cell_id, model.cells))
        super().__init__(
            setup, GROUND_TERMS, run_dir, grid_of_cells(setup.whole, {"layer": setup.layers.thickness}), ranks, attrs,
            variables=config.history_variables, nmember=1, every=output.every, restart_every=output.restart_every,
            start=config.time.start64)

    def _note_residuals(self, model: FlowModel) -> None:
        """Do nothing: cells have no balance of their own."""

    def _values(self, model: FlowModel, weather: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        fields = model.fields()
        return {name: fields[name] for name in self._accumulator.methods}

    def _volumes(self, model: FlowModel, weather: Mapping[str, np.ndarray], seconds: float) -> dict[str, np.ndarray]:
        return {name: np.array([value]) for name, value in model.volumes(seconds).items()}

    def _stores(self, model: FlowModel) -> dict[str, np.ndarray]:
        return {name: np.array([value]) for name, value in model.storage().items()}

    def _counts(self, model: FlowModel) -> dict[str, int]:
        return model.counts()

    def _discharge_at(self, model: FlowModel) -> np.ndarray:
        return np.array([model.discharge_of(self._outlets)])
