"""One model call: members with their own parameters, from the initial state through a period, seen by targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyland.base.errors import BalanceError, ConvergenceError, StateError
from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.ensemble import EnsembleSection
from pyland.driver.calibration.targets import Target
from pyland.driver.member_parameters import MemberParameters
from pyland.driver.setup import Setup, build_model, noise_of, prepare, set_initial_heat, set_initial_water
from pyland.driver.time_loop import Step, spin_up, steps

WEATHER_MEMORY = 256 * 2**20
"""Weather that is kept between runs [bytes]; what does not fit is read again."""

_log = get_logger("calibrate")


class RememberedWeather:
    """Weather of a run that is needed many times.

    Parameters
    ----------
    setup : Setup
        The run.
    """

    def __init__(self, setup: Setup) -> None:
        self._forcing, self._kept, self._size = setup.forcing, dict[np.datetime64, dict[str, np.ndarray]](), 0
        self._co2 = np.full(setup.domain.ncell, setup.config.land.co2)

    def weather(self, start: np.datetime64, seconds: float) -> dict[str, np.ndarray]:
        """Return the weather of a step, each (cell,)."""
        found = self._kept.get(start)
        if found is None:
            found = {"co2": self._co2, **self._forcing.weather(start, seconds)}
            size = sum(values.nbytes for values in found.values())
            if self._size + size <= WEATHER_MEMORY:
                self._kept[start], self._size = found, self._size + size
        return found


class ParameterRun:
    """What the loops of `pyland.driver.time_loop` advance: columns without perturbation, records and rivers.

    Parameters
    ----------
    setup : Setup
        The run.
    model : ColumnModel or SurfaceMosaic
        Its columns.
    weather : RememberedWeather
        Its weather.
    """

    rivers = None

    def __init__(self, setup: Setup, model: Any, weather: RememberedWeather) -> None:
        self.model, self.forcing, self._setup = model, weather, setup
        self.start, self.step_length = setup.config.time.start64, setup.step

    def perturb(self, step: int, weather: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the weather as it is."""
        return weather

    def advance(self, step: Step, weather: Mapping[str, np.ndarray]) -> None:
        """Advance the columns by a step."""
        self._setup.advance(self.model, step, weather)

    def route(self, seconds: float, weather: Mapping[str, np.ndarray]) -> None:
        """Do nothing: runoff is not observed."""

    def spin_up(self) -> None:
        """Repeat the weather of ``time.spinup``, where the case has one."""
        time = self._setup.config.time
        if time.spinup.years > 0:
            spin_up(self, *(np.datetime64(one, "s") for one in time.spinup_window), time.spinup.years)


class ModelCall:
    """Columns of a case that are built once and run again and again with other parameters.

    Parameters
    ----------
    setup : Setup
        The case without perturbations, see `plain_setup`.
    nmember : int
        Members of a run.
    names : sequence of str
        Registry ids of the parameters that change.
    spinup : str
        ``each`` or ``once``, as in ``calibrate.spinup``.
    """

    def __init__(self, setup: Setup, nmember: int, names: Sequence[str], spinup: str = "each") -> None:
        self.setup, self.nmember = setup, nmember
        self._weather = RememberedWeather(setup)
        self._parameters = MemberParameters(tuple(names), setup)
        self._model = build_model(setup, np.arange(nmember), setup.config.ensemble.seed)
        self._noise = noise_of(setup, np.arange(nmember), setup.config.ensemble.seed, is_truth=False)
        self._initial = {name: np.array(values) for name, values in self._model.state.items()}
        self._run = ParameterRun(setup, self._model, self._weather)
        self._once = spinup == "once" and setup.config.time.spinup.years > 0
        self._spun: dict[str, np.ndarray] | None = None
        self.failures = 0

    def __call__(
        self, fields: Mapping[str, np.ndarray], possible: np.ndarray, targets: Sequence[Target], until: np.datetime64
    ) -> list[np.ndarray]:
        """Run members from the start of the case and return what they predict.

        Parameters
        ----------
        fields : mapping of str to numpy.ndarray, shape ([layer or patch,] member, cell)
            Parameters by registry id, of ``nmember`` members.
        possible : numpy.ndarray of bool, shape (member,)
            Members to run; others, and those whose numerics fail, predict NaN.
        targets : sequence of Target
            What to look at.
        until : numpy.datetime64
            End of the run, UTC.

        Returns
        -------
        list of numpy.ndarray, shape (member, obs)
            By target.

        Raises
        ------
        StateError
            If no member can run.
        """
        good = np.array(possible, dtype=bool)
        while good.any():
            stand_in = int(np.flatnonzero(good)[0])
            chosen = np.where(good, np.arange(self.nmember), stand_in)
            try:
                self._integrate({name: field[..., chosen, :] for name, field in fields.items()}, targets, until)
            except (BalanceError, ConvergenceError, StateError) as error:
                if error.member is None:
                    raise
                failed = int(chosen[error.member])
                _log.warning("a member of the calibration failed and counts as impossible: %s", error)
                good[failed], self.failures = False, self.failures + 1  # at most as often as there are members
                continue
            return [np.where(good[:, None], target.predicted(), np.nan) for target in targets]
        raise StateError("no member of the calibration can run: all parameters lie outside their ranges, or the "
                         "numerics failed for each. Look at the priors and at the messages before this one.")

    def _integrate(
        self, fields: Mapping[str, np.ndarray], targets: Sequence[Target], until: np.datetime64
    ) -> None:
        self._begin(fields)
        for target in targets:
            target.begin(self.nmember)
        setup = self.setup
        for step in steps(setup.config.time.start64, until, setup.step):
            weather = self._weather.weather(step.start, step.seconds)
            self._run.advance(step, weather)
            for target in targets:
                target.add_step(step, self._model, weather)

    def _begin(self, fields: Mapping[str, np.ndarray]) -> None:
        """Give the members their parameters and bring them to the start of the case."""
        model = self._model
        model.set_state(self._initial)
        self._parameters.put(model, fields)
        model.set_state(self._initial)
        set_initial_water(model, self.setup, self._noise)
        set_initial_heat(model, self.setup, self._noise)
        if not self._once:
            self._run.spin_up()
            return
        if self._spun is None:
            self._spun = self._spin_up_once()
        model.set_state(self._spun)

    def _spin_up_once(self) -> dict[str, np.ndarray]:
        """Return the state after the spin-up of the case itself; water follows its heads in other soils."""
        alone = build_model(self.setup, np.arange(1), self.setup.config.ensemble.seed)
        ParameterRun(self.setup, alone, self._weather).spin_up()
        return {name: np.repeat(np.array(values), self.nmember, axis=-2)
                for name, values in alone.state.items() if name != "soil_water"}


def plain_setup(config: CaseConfig, comm: Communicator, nmember: int) -> Setup:
    """Return the setup of a case whose members differ in nothing: a calibration perturbs neither weather nor state.

    Parameters
    ----------
    config : CaseConfig
        The case.
    comm : Communicator
        A single rank.
    nmember : int
        Members.
    """
    plain = EnsembleSection(size=nmember, seed=config.ensemble.seed)
    return prepare(config.model_copy(update={"ensemble": plain}), comm)


__all__ = ["ModelCall", "ParameterRun", "RememberedWeather", "plain_setup"]
