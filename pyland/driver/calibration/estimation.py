"""Run the method of a calibration, and keep all that it needs to go on after each model call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.assimilate import esmda, ies
from pyland.assimilate.esmda import MultipleAnalysis
from pyland.assimilate.sampling import Chains, Effects, morris_effects, morris_trajectories, sample
from pyland.assimilate.sampling.metropolis import OPTIMAL_SCALE
from pyland.base.errors import InputError
from pyland.config import CaseConfig
from pyland.config.calibration import SAMPLERS
from pyland.config.load import config_hash
from pyland.driver.calibration.problem import CalibrationProblem
from pyland.output.atomic import complete_file

STATE = "state.npz"
"""File of a calibration that is under way, or finished."""

ARCHIVE_PER_NUMBER = 10
"""First archive of DREAM(ZS) and DE-MC(Z) per parameter (Vrugt 2016, section 5.1)."""

SMOOTHER_STREAM, SCREENING_STREAM = 0x65736D64, 0x6D6F7272
"""Second words of the Philox keys of smoothers and screening."""

START_ATTEMPTS = 20
"""Times that chains whose start is impossible draw another one."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Smoothed:
    """Result of an ensemble smoother.

    Attributes
    ----------
    prior, posterior : numpy.ndarray, shape (member, number)
        Standard normal numbers.
    misfits : tuple of float
        Mean misfit before each step, and after the last.
    message : str
        What was done.
    """

    prior: np.ndarray
    posterior: np.ndarray
    misfits: tuple[float, ...]
    message: str


@dataclass(frozen=True)
class Screened:
    """Result of a screening.

    Attributes
    ----------
    outputs : tuple of str
        What the effects are of.
    units : tuple of str
        Their units.
    effects : Effects
        Elementary effects over the range of the quantiles.
    points : int
        Runs of single members.
    """

    outputs: tuple[str, ...]
    units: tuple[str, ...]
    effects: Effects
    points: int


class Estimation:
    """A calibration on its way.

    Parameters
    ----------
    problem : CalibrationProblem
        What is solved.
    folder : Path
        Where its state is kept.
    is_resumed : bool
        Go on from there.
    progress : callable
        Shows progress.

    Raises
    ------
    InputError
        If a state to go on from belongs to another case.
    """

    def __init__(self, problem: CalibrationProblem, folder: Path, is_resumed: bool, progress: Progress) -> None:
        self._problem, self._path, self._progress = problem, folder / STATE, progress
        self._identity = identity_of(problem.config)
        self._kept: dict[str, np.ndarray] = {}
        if is_resumed and self._path.exists():
            self._kept = self._read()
        self._calls = 0

    def run(self) -> Chains | Smoothed | Screened:
        """Return what the method of the case finds."""
        method = self._problem.section.method
        if method in SAMPLERS:
            return self._sample()
        return self._screen() if method == "morris" else self._smooth()

    # ---- samplers --------------------------------------------------------------------------------------

    def _sample(self) -> Chains:
        problem, section = self._problem, self._problem.section
        resumed = Chains.from_state(self._kept) if "draws" in self._kept else None
        # chains that go on take their start, which other arguments follow, from the file as well
        start = self._kept["start"] if resumed is not None else self._start()
        options = self._options(start)

        def keep(chains: Chains) -> None:
            done = len(chains.draws)
            self._write({**chains.state(), "start": start})
            self._progress(done / section.generations, f"{section.method}: generation {done} of {section.generations}, "
                           f"acceptance {chains.acceptance.mean():.2f}")

        return sample(problem.log_posterior, start, section.generations, method=section.method, seed=section.seed,
                      resumed=resumed, after_each=keep, **options)

    def _start(self) -> np.ndarray:
        """Draw starting points at which the model runs."""
        problem = self._problem
        points = problem.draw(problem.section.members, "start")
        if problem.section.start == "esmda":
            points = self._smoothed_start(points)
        density = problem.log_posterior(points)
        for attempt in range(START_ATTEMPTS):
            lost = ~np.isfinite(density)
            if not lost.any():
                return points
            fresh = problem.draw(problem.section.members, f"start {attempt + 1}")
            points = np.where(lost[:, None], fresh, points)  # a draw of the prior, whatever the others are
            density = problem.log_posterior(points)
        raise InputError(f"calibrate: after {START_ATTEMPTS} draws {np.count_nonzero(~np.isfinite(density))} of "
                         f"{len(points)} chains have no start at which the model runs. Narrow the priors to where "
                         "parameters are possible.")

    def _smoothed_start(self, prior: np.ndarray) -> np.ndarray:
        """Return the members of an ensemble smoother of the parameters; estimated errors stay as they are drawn."""
        size, count = self._problem.parameters.size, self._problem.section.steps
        found = self._multiple(prior[:, :size], count)
        left = found.ensemble[np.arange(len(prior)) % len(found.ensemble)]  # where members failed, some stand twice
        return np.concatenate([left, prior[:, size:]], axis=1)

    def _options(self, start: np.ndarray) -> dict[str, Any]:
        section = self._problem.section
        count, size = start.shape
        if section.start == "esmda" and section.method in ("metropolis", "adaptive_metropolis") and count > 2 * size:
            more = {"delay": section.delay} if section.method == "adaptive_metropolis" else {}
            return {"covariance": OPTIMAL_SCALE**2 / size * np.cov(start.T).reshape(size, size), **more}
        if section.method == "adaptive_metropolis":
            return {"delay": section.delay}
        if section.method == "stretch":
            return {"stretch": section.stretch}
        if section.method in ("dream", "de_mc"):
            shared = {"snooker": section.snooker, "archive_every": section.archive_every,
                      "archive": self._archive(start)}
            more = {"pairs": section.pairs, "crossovers": section.crossovers, "learning": section.learning}
            return shared | (more if section.method == "dream" else {})
        return {}

    def _archive(self, start: np.ndarray) -> np.ndarray:
        """Return the first archive: draws of the prior, or the members of the smoother where they are enough."""
        problem = self._problem
        if problem.section.start == "esmda" and len(start) > 2 * problem.size:
            return start
        return problem.draw(ARCHIVE_PER_NUMBER * problem.size, "archive")

    # ---- smoothers -------------------------------------------------------------------------------------

    def _smooth(self) -> Smoothed:
        problem, section = self._problem, self._problem.section
        prior = problem.draw(section.members, "prior")
        if section.method == "esmda":
            found = self._multiple(prior, section.steps)
        else:
            found = ies(lambda standard: self._forward(standard, section.steps), prior, *self._observed(),
                        steps=section.steps, step_length=section.step_length, rng=self._generator())
        return Smoothed(prior, found.ensemble, found.misfits, found.message)

    def _multiple(self, prior: np.ndarray, steps: int) -> MultipleAnalysis:
        """Return the ES-MDA of parameters."""
        return esmda(lambda standard: self._forward(standard, steps + 1), prior, *self._observed(), alphas=steps,
                     run_analysis=True, rng=self._generator(), **self._localisation())

    def _generator(self) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._problem.section.seed, SMOOTHER_STREAM]))

    def _forward(self, standard: np.ndarray, total: int) -> np.ndarray:
        done = self._calls
        found = self._remembered(standard, self._unbiased)
        self._progress(min((done + 1) / total, 1.0), f"smoother: run {done + 1}")
        return found

    def _observed(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all observations, and their error variances or, where errors have a memory, covariances."""
        problem = self._problem
        observed = np.concatenate([target.observed for target in problem.targets])
        error = np.concatenate([target.error for target in problem.targets])
        if all(one.memory == 0 for one in problem.section.observations):
            return observed, error**2
        correlation, first = np.eye(observed.size), 0
        for one, target in zip(problem.section.observations, problem.targets, strict=True):
            last = first + target.observed.size
            if one.memory > 0:
                seconds = target.times.astype("datetime64[s]").astype(np.float64)
                apart = np.abs(seconds[:, None] - seconds)
                correlation[first:last, first:last] = np.exp(-apart / one.memory)
            first = last
        return observed, correlation * np.outer(error, error)

    def _unbiased(self, standard: np.ndarray) -> np.ndarray:
        """Return predictions of all targets, (member, obs), less their bias where the case removes it."""
        problem = self._problem
        observed = np.concatenate([target.observed for target in problem.targets])
        return observed - np.concatenate(problem.residuals(problem.predict(standard)), axis=1)

    def _localisation(self) -> dict[str, Any]:
        section = self._problem.section.localization
        adaptive = None if section.adaptive == "none" else section.threshold or "auto"
        if section.radius is None:
            return {"adaptive": adaptive}
        places = np.concatenate([target.places for target in self._problem.targets])
        return {"method": "lenkf", "localise": "errors", "adaptive": adaptive, "radius": section.radius,
                "taper": section.taper, "coords_state": self._problem.parameters.places(), "coords_obs": places}

    # ---- screening -------------------------------------------------------------------------------------

    def _screen(self) -> Screened:
        from scipy.special import ndtri

        problem, section = self._problem, self._problem.section
        generator = np.random.Generator(np.random.Philox(key=[section.seed, SCREENING_STREAM]))
        trajectories = morris_trajectories(section.trajectories, problem.size, levels=section.levels, rng=generator)
        low, high = section.range
        points = ndtri(low + (high - low) * trajectories.reshape(-1, problem.size))
        outputs = []
        for first in range(0, len(points), section.members):
            part = points[first:first + section.members]
            outputs.append(self._remembered(part, self._outputs))
            self._progress(min((first + len(part)) / len(points), 1.0), f"morris: point {first + len(part)}")
        values = np.concatenate(outputs).reshape(*trajectories.shape[:2], -1)
        names = [f"{kind} of {target.name}" for target in problem.targets for kind in ("mean", "rmse")]
        units = [target.units for target in problem.targets for _ in range(2)]
        return Screened(tuple(names), tuple(units), morris_effects(trajectories, values), len(points))

    def _outputs(self, standard: np.ndarray) -> np.ndarray:
        """Return mean prediction and root mean square error of each target, (member, output)."""
        predicted = self._problem.predict(standard)
        columns = []
        for values, residual in zip(predicted, self._problem.residuals(predicted), strict=True):
            columns += [values.mean(axis=1), np.sqrt((residual**2).mean(axis=1))]
        return np.column_stack(columns)

    # ---- state -----------------------------------------------------------------------------------------

    def _remembered(
        self, standard: np.ndarray, compute: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Return the result of a model call, from the file where an earlier process has made this very call."""
        name = f"call {self._calls}"
        self._calls += 1
        given, found = self._kept.get(f"{name} input"), self._kept.get(f"{name} output")
        if given is not None and found is not None and np.array_equal(given, standard):
            return found
        found = compute(standard)
        self._write(self._kept | {f"{name} input": np.array(standard), f"{name} output": found})
        return found

    def _write(self, arrays: dict[str, np.ndarray]) -> None:
        self._kept = arrays
        with complete_file(self._path) as partial, partial.open("wb") as file:
            np.savez(file, identity=np.array(self._identity), **arrays)

    def _read(self) -> dict[str, np.ndarray]:
        try:
            with np.load(self._path) as data:
                found = {name: data[name] for name in data.files}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{self._path}: the file is damaged ({error}). Run without --resume.") from error
        if str(found.pop("identity", "")) != self._identity:
            raise InputError(f"{self._path}: belongs to a calibration with other settings. Run without --resume, or "
                             "with the settings that it was begun with.")
        return found


def identity_of(config: CaseConfig) -> str:
    """Return what tells calibrations apart: the case, and its section ``calibrate`` but for a number of generations."""
    section = config.calibrate.model_dump(mode="json")
    for name in ("generations", "burn_in", "predicted_members", "test"):
        del section[name]
    text = config_hash(config) + json.dumps(section, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["Estimation", "Screened", "Smoothed", "identity_of"]
