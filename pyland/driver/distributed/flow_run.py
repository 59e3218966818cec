"""One integration of the distributed subsurface: rain, sides, kernel, records, restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.errors import ConvergenceError
from pyland.driver.distributed.flow_model import FlowModel
from pyland.driver.distributed.flow_records import FlowRecords
from pyland.driver.distributed.flow_setup import FlowSetup, reach_steady_state
from pyland.driver.inputs import open_weather
from pyland.driver.integration import Integration
from pyland.driver.member_run import PLAIN
from pyland.driver.time_loop import Step
from pyland.output.restart import Restart


class FlowRun(Integration):
    """The distributed subsurface on its way from start to end; `time_loop.integrate` drives it like an ensemble.

    Parameters
    ----------
    setup : FlowSetup
        The run.
    model : FlowModel
        Cells of this rank.
    records : FlowRecords
        What is written.
    end : numpy.datetime64
        End of the integration, UTC.
    attrs : mapping
        Global attributes of restart files.
    """

    analysis = None
    rivers = None

    def __init__(
        self, setup: FlowSetup, model: FlowModel, records: FlowRecords, end: np.datetime64, attrs: Mapping[str, Any]
    ) -> None:
        super().__init__(setup.config, records.comm, records, end, attrs)
        self.model = model
        self.forcing = open_weather(setup.config, model.domain)

    def perturb(self, step: int, weather: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the weather as it is: there is one member."""
        return dict(weather)

    def route(self, seconds: float, weather: Mapping[str, np.ndarray]) -> None:
        """Do nothing: the kernel moves water over land itself."""

    def advance(self, step: Step, weather: Mapping[str, np.ndarray]) -> None:
        """Advance by one step.

        Raises
        ------
        ConvergenceError
            If the solver gives up; the message names the time.
        """
        self.model.set_boundaries(step.start, step.seconds)
        rain = weather["rain"] + weather["snowfall"]
        try:
            self.model.advance(step.seconds, rain, weather.get("evaporation", np.zeros_like(rain)))
        except ConvergenceError as error:
            raise ConvergenceError(f"{error} (in the step from {step.start} to {step.end})") from error

    def settle(self, recharge: float) -> None:
        """Bring the heads to the steady state under a recharge [kg m-2 s-1].

        Raises
        ------
        ConvergenceError
            If the solver gives up, or heads do not become steady.
        """
        reach_steady_state(self.model.flow, recharge)

    # ---- restart -----------------------------------------------------------------------------------

    def _cell_state(self) -> dict[str, np.ndarray]:
        """Return all arrays over this rank's cells, cell last."""
        out = {f"model:{name}": values for name, values in self.model.state().items()}
        return out | self.records.state()[0]

    def _plain_state(self) -> dict[str, np.ndarray]:
        """Return the arrays that are the same on all ranks."""
        return self.records.state()[1] | {"clock": np.array([self.step_index], dtype=np.int64)}

    def is_plain(self, name: str) -> bool:
        """Tell whether an array of a restart has no cell axis."""
        return name in PLAIN

    def resume(self, restart: Restart, *, in_new_files: bool = False) -> None:
        """Take up the state of a restart, reduced to this rank's cells."""
        state = restart.state
        self.model.restore({name.removeprefix("model:"): array for name, array in state.items()
                            if name.startswith("model:")})
        if in_new_files:
            self.records.go_on(restart.time, state)
        else:
            self.records.resume(restart.time, state)
        self.time, self.step_index = restart.time, int(state["clock"][0])
