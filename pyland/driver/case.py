"""A case in Python: open it, run it, or step its model by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pyland.base.errors import InputError, UnavailableError
from pyland.base.parallel import world
from pyland.config import CaseConfig, load_case
from pyland.driver.distributed.coupled_setup import begin_steady, build_coupled_model, prepare_coupled
from pyland.driver.rivers.river_run import RiverRun
from pyland.driver.rivers.river_setup import plan_rivers
from pyland.driver.run import run_case
from pyland.driver.setup import build_model, noise_of, prepare
from pyland.driver.time_loop import Step, steps
from pyland.ensemble import ForcingPerturbation
from pyland.output.open_output import open_output
from pyland.output.scores import read_scores

if TYPE_CHECKING:
    import xarray as xr


class Run:
    """What a run left behind.

    Parameters
    ----------
    directory : Path
        Run directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def history(self) -> xr.Dataset:
        """Ensemble statistics, from ``history.nc``."""
        return open_output(self.directory)

    @property
    def scores(self) -> dict[str, Any]:
        """Content of ``scores.json``."""
        return read_scores(self.directory)


class CaseModel:
    """The columns of a case with their weather, stepped by hand.

    Attributes
    ----------
    state, flux, parameter : Mapping[str, numpy.ndarray]
        ``([n,] member, cell)``, of this rank's members and cells.
    domain : Domain
        Cells of this rank.
    layers : Layers
        Soil and bedrock below them.
    rivers : Rivers or None
        Rivers and lakes, where the case has them.
    time : numpy.datetime64
        Where the model stands, UTC.
    """

    def __init__(self, config: CaseConfig) -> None:
        setup = prepare_coupled(config, world()) if config.is_coupled else prepare(config, world())
        members = np.arange(config.ensemble.size)[setup.layout.members]
        build = build_coupled_model if config.is_coupled else build_model
        self._model = build(setup, members, config.ensemble.seed)
        self._setup = setup
        self.domain, self.layers = setup.domain, setup.layers
        if config.is_coupled and config.subsurface.spinup is not None:
            begin_steady(self._model, setup, noise_of(setup, members, config.ensemble.seed, is_truth=False))
        plan = plan_rivers(config, setup.whole)
        self._rivers = None if plan is None else RiverRun(setup, plan, setup.layout.cell_ranks(setup.position))
        self.rivers = None if self._rivers is None else self._rivers.rivers
        settings = config.ensemble.forcing_settings()
        domain = setup.domain
        self._perturbation = None
        if settings:
            self._perturbation = ForcingPerturbation(
                settings, config.ensemble.seed, members, domain.x, domain.y, domain.cell_id, setup.step,
                setup.forcing.phase)
        self._co2 = np.full(domain.ncell, config.land.co2)
        self._steps = steps(config.time.start64, config.time.end64, setup.step)
        self.parameter = self._model.parameter
        self.time = config.time.start64
        self._next = next(self._steps, None)

    @property
    def state(self) -> Mapping[str, np.ndarray]:
        """Prognostic fields, live but for the pressure heads of a distributed subsurface."""
        return self._model.state

    @property
    def flux(self) -> Mapping[str, np.ndarray]:
        """Results of the last step."""
        return self._model.flux

    def advance(self, count: int = 1) -> Step:
        """Advance by some model steps and return the last one.

        Raises
        ------
        InputError
            If the case is at its end.
        """
        if count < 1:
            raise InputError(f"advance: expected at least one step, got {count}.")
        for _ in range(count):
            step = self.advance_with(self.next_weather())
        return step

    def next_weather(self) -> dict[str, np.ndarray]:
        """Return the weather of the next step, each ``([member,] cell)``: mean over the step, perturbed.

        Raises
        ------
        InputError
            If the case is at its end.
        """
        step = self._needed_step()
        weather = {"co2": self._co2, **self._setup.forcing.weather(step.start, step.seconds)}
        return weather if self._perturbation is None else self._perturbation.apply(step.index, weather)

    def advance_with(self, weather: Mapping[str, np.ndarray]) -> Step:
        """Advance by one step under given weather and return the step.

        Parameters
        ----------
        weather : mapping of str to numpy.ndarray, shape ([member,] cell)
            Every field of `next_weather`.

        Raises
        ------
        InputError
            If the case is at its end, or a field lacks or has another shape.
        """
        step = self._needed_step()
        self._setup.advance(self._model, step, weather)
        if self._rivers is not None:
            self._rivers.add_step(step.seconds, self._model, weather)
        self.time, self._next = step.end, next(self._steps, None)
        return step

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Set fields of the state, ``([n,] [member,] cell)``; soil water and heads of columns follow each other.

        Raises
        ------
        InputError
            If a field is unknown, has the wrong shape, or follows from another one.
        """
        self._model.set_state(state)

    def _needed_step(self) -> Step:
        """Return the step that comes next."""
        if self._next is None:
            raise InputError(f"advance: the case is at its end, {self.time}.")
        return self._next


class Case:
    """A case: its configuration, and what can be done with it.

    Parameters
    ----------
    source : path or mapping
        Case directory, its ``case.yaml``, or the configuration as a dictionary.

    Raises
    ------
    ConfigError
        If the configuration is wrong; all problems at once.

    Examples
    --------
    >>> import pyland
    >>> case = pyland.Case({"time": {"start": "2020-06-01", "end": "2020-06-02"}})
    >>> model = case.model()
    >>> model.advance().index
    0
    """

    def __init__(self, source: str | Path | Mapping[str, Any]) -> None:
        self.config = load_case(source)

    def run(self, *, resume: bool = False, output: str | Path | None = None) -> Run:
        """Run the case to its end and return what it left behind."""
        run_case(self.config, resume=resume, output=output)
        return Run(Path(output) if output is not None else self.config.run_directory)

    def model(self) -> CaseModel:
        """Return the columns of the case at its start, to step by hand.

        Water is in the steady state of ``subsurface.spinup``, where the case has one; a spin-up with weather
        (``time.spinup``) is not done.

        Raises
        ------
        UnavailableError
            If the case has the distributed subsurface without a land model.
        """
        if self.config.is_distributed and not self.config.is_coupled:
            raise UnavailableError(
                "Stepping a case by hand needs a land model; this one has land.model: none. Run it, or build "
                "pyland.subsurface.DistributedSubsurface and step that.")
        return CaseModel(self.config)


def open_case(source: str | Path) -> Case:
    """Open a case directory or its ``case.yaml``."""
    return Case(source)
