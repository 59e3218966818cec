"""The calibration problem of a case: prior, model call, observations, log posterior."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyland.assimilate.sampling import LognormalPrior, log_likelihood
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.calibration import PeriodSection, TargetSection
from pyland.config.ensemble import PLANT_NAMES
from pyland.driver.calibration.calibrated_parameters import CalibratedParameters
from pyland.driver.calibration.model_call import ModelCall, plain_setup
from pyland.driver.calibration.targets import Target, build_targets
from pyland.driver.member_parameters import parameter_of
from pyland.driver.setup import build_model
from pyland.observe import ObservationSet

ERROR_PREFIX = "error:"
"""Begins the names of estimated errors among the parameters."""


@dataclass(frozen=True)
class Number:
    """One column of the draws.

    Attributes
    ----------
    name : str
        Registry id, with the depths of a group of layers; or ``error:`` and the name of the observations.
    kind : str
        ``value``, ``factor``, ``shift`` or ``error``.
    units : str
        Unit.
    parameter : str
        Registry id; empty for an error.
    """

    name: str
    kind: str
    units: str
    parameter: str = ""


def period_of(config: CaseConfig, section: PeriodSection) -> tuple[np.datetime64, np.datetime64]:
    """Return start and end of a period, UTC; the case where it gives none."""
    time = config.time
    return np.datetime64(section.start or time.start, "s"), np.datetime64(section.end or time.end, "s")


class CalibrationProblem:
    """Prior, model call and observations of the training period.

    Parameters
    ----------
    config : CaseConfig
        A case with section ``calibrate``.
    comm : Communicator
        A single rank.
    sets : sequence of ObservationSet
        Observations of the entries that the section names.
    nmember : int
        Members of a model call.

    Attributes
    ----------
    parameters : CalibratedParameters
        What is estimated.
    targets : list of Target
        Observations of the training period.
    """

    def __init__(
        self, config: CaseConfig, comm: Communicator, sets: Sequence[ObservationSet], nmember: int
    ) -> None:
        self.config, self.section, self._sets, self._comm = config, config.calibrate, sets, comm
        self.setup = plain_setup(config, comm, nmember)
        names = tuple(self.section.parameters)
        plants = [name for name in names if name in PLANT_NAMES]
        given = {}
        if plants:
            alone = build_model(plain_setup(config, comm, 1), np.arange(1), config.ensemble.seed)
            given = {name: np.array(parameter_of(name, alone)[..., 0, :]) for name in plants}
        self.parameters = CalibratedParameters(self.section, self.setup, given)
        self.period = period_of(config, self.section.train)
        self._call = ModelCall(self.setup, nmember, names, self.section.spinup)
        self.targets = self.targets_of(self.period)
        self._errors = {place: LognormalPrior(one.error, one.error_spread)
                        for place, one in enumerate(self.section.observations) if one.estimated}

    def targets_of(self, period: tuple[np.datetime64, np.datetime64]) -> list[Target]:
        """Return the observations of a period."""
        ranks = self.setup.layout.cell_ranks(self.setup.position)
        return build_targets(self.section.observations, self.setup, ranks, self._sets, period)

    @property
    def size(self) -> int:
        """Standard normal numbers of a member: those of the parameters, then one for each estimated error."""
        return self.parameters.size + len(self._errors)

    @property
    def numbers(self) -> list[Number]:
        """What the columns of the draws of a sampler are."""
        out = [Number(label, block.kind, block.units, block.name) for block in self.parameters.blocks
               for label in block.labels]
        return out + [Number(ERROR_PREFIX + self.targets[place].name, "error", self.targets[place].units)
                      for place in self._errors]

    @property
    def failures(self) -> int:
        """Members whose numerics have failed."""
        return self._call.failures

    def draw(self, count: int, purpose: str) -> np.ndarray:
        """Draw members from the prior, (member, number), standard normal."""
        parameters = self.parameters.draw(count, self.section.seed, purpose)
        if not self._errors:
            return parameters
        key = [self.section.seed, zlib.crc32(purpose.encode())]
        errors = np.random.Generator(np.random.Philox(key=key)).standard_normal((count, len(self._errors)))
        return np.concatenate([parameters, errors], axis=1)

    def values(self, standard: np.ndarray) -> np.ndarray:
        """Return parameters and errors in their units, of the shape of ``standard``."""
        flat = standard.reshape(-1, standard.shape[-1])
        columns = [*self.parameters.values(flat[:, :self.parameters.size]).values()]
        columns += [prior.from_standard(flat[:, self.parameters.size + place:][:, :1])
                    for place, prior in enumerate(self._errors.values())]
        return np.concatenate(columns, axis=1).reshape(standard.shape)

    def predict(self, standard: np.ndarray) -> list[np.ndarray]:
        """Return what any number of members predict in the training period, (member, obs) by target; NaN: failed."""
        count, size = len(standard), self.setup.layout.nmember
        parts = []
        for first in range(0, count, size):
            part = standard[first:first + size, :self.parameters.size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            fields = self.parameters.fields(filled)
            possible = self.parameters.are_possible(fields)
            if not possible.any():
                parts.append([np.full((len(part), target.observed.size), np.nan) for target in self.targets])
                continue
            found = self._call(fields, possible, self.targets, self.period[1])
            parts.append([one[:len(part)] for one in found])
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def residuals(self, predicted: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return observed minus predicted of the training period, without their mean where the case removes it."""
        out = []
        for one, target, values in zip(self.section.observations, self.targets, predicted, strict=True):
            difference = target.observed - values
            out.append(difference - difference.mean(axis=1, keepdims=True) if one.bias == "removed" else difference)
        return out

    def log_likelihood(self, standard: np.ndarray) -> np.ndarray:
        """Return the log likelihood of members, (member,)."""
        total = np.zeros(len(standard))
        residuals = self.residuals(self.predict(standard))
        places = {place: order for order, place in enumerate(self._errors)}
        for place, (one, target) in enumerate(zip(self.section.observations, self.targets, strict=True)):
            sigma: np.ndarray = target.error
            if one.estimated:
                column = self.parameters.size + places[place]
                sigma = self._errors[place].from_standard(standard[:, column:column + 1])
            total = total + log_likelihood(
                residuals[place], sigma, target.times.astype("datetime64[s]").astype(np.float64), one.memory)
        return total

    def log_posterior(self, standard: np.ndarray) -> np.ndarray:
        """Return the log posterior density of standard normal numbers up to a constant, (member,)."""
        return self.log_likelihood(standard) - 0.5 * (standard**2).sum(axis=1)

    def misfit(self, predicted: Sequence[np.ndarray]) -> np.ndarray:
        """Return the mean of squared residuals over their error variance, (member,) [1]."""
        residuals = np.concatenate(self.residuals(predicted), axis=1)
        error = np.concatenate([target.error for target in self.targets])
        return ((residuals / error) ** 2).mean(axis=1)


def biases(sections: Sequence[TargetSection], targets: Sequence[Target], predicted: Sequence[np.ndarray]
           ) -> list[np.ndarray]:
    """Return what is taken off predictions of both periods where biases are removed, (member, 1) by target."""
    return [(values - target.observed).mean(axis=1, keepdims=True) if one.bias == "removed"
            else np.zeros((len(values), 1))
            for one, target, values in zip(sections, targets, predicted, strict=True)]


__all__ = ["ERROR_PREFIX", "CalibrationProblem", "Number", "biases", "period_of"]
