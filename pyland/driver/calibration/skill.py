"""How well case, prior, posterior and best draw predict, in the training and in the withheld period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import significant
from pyland.diagnose.scores import score
from pyland.driver.calibration.model_call import ModelCall, plain_setup
from pyland.driver.calibration.problem import CalibrationProblem, biases, period_of
from pyland.driver.calibration.targets import Target

WHO = ("case", "best", "prior", "posterior")
"""Who predicts: the case as it is, the best draw, and the means of prior and posterior."""


class Prediction:
    """One run of case, best draw, prior and posterior through all periods.

    Parameters
    ----------
    problem : CalibrationProblem
        The calibration.
    best : numpy.ndarray, shape (number,)
        Standard normal numbers of the best draw.
    prior, posterior : numpy.ndarray, shape (member, number)
        Members.

    Attributes
    ----------
    targets : dict of str to list of Target
        Observations by period: ``train``, and ``test`` where the case has one.
    predicted : dict of str to list of numpy.ndarray, shape (member, obs)
        What is predicted, less biases that the case removes; NaN where a member fails.
    rows : dict of str to slice
        Members by who predicts.
    """

    def __init__(
        self, problem: CalibrationProblem, best: np.ndarray, prior: np.ndarray, posterior: np.ndarray
    ) -> None:
        config, section, parameters = problem.config, problem.section, problem.parameters
        standard = np.concatenate([best[None], prior, posterior])[:, :parameters.size]
        drawn, case = parameters.fields(standard), parameters.as_they_are()
        fields = {name: np.concatenate([case[name], field], axis=-2) for name, field in drawn.items()}
        possible = np.concatenate([[True], parameters.are_possible(drawn)])
        count = len(possible)
        self.rows = {"case": slice(0, 1), "best": slice(1, 2), "prior": slice(2, 2 + len(prior)),
                     "posterior": slice(2 + len(prior), count)}
        periods = {"train": period_of(config, section.train)}
        if section.test is not None:
            periods["test"] = period_of(config, section.test)
        self.targets: dict[str, list[Target]] = {name: problem.targets_of(one) for name, one in periods.items()}
        call = ModelCall(plain_setup(config, problem.setup.comm, count), count, parameters.names, section.spinup)
        flat = [target for one in self.targets.values() for target in one]
        found = call(fields, possible, flat, max(end for _, end in periods.values()))
        parts = {name: found[place * len(section.observations):][:len(section.observations)]
                 for place, name in enumerate(periods)}
        if not np.isfinite(parts["train"][0][self.rows["posterior"]]).any():
            raise InputError("calibrate: no member of the posterior runs through the periods; look at the messages "
                             "before this one.")
        off = biases(section.observations, self.targets["train"], parts["train"])
        self.predicted = {name: [values - bias for values, bias in zip(one, off, strict=True)]
                          for name, one in parts.items()}

    def skill(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return scores by target, period and who predicts; the mean of an ensemble is scored."""
        out: dict[str, dict[str, dict[str, Any]]] = {}
        for period, targets in self.targets.items():
            for target, values in zip(targets, self.predicted[period], strict=True):
                one = out.setdefault(target.name, {})
                one[period] = {who: score(np.nanmean(values[self.rows[who]], axis=0), target.observed) for who in WHO}
                inside = np.nanquantile(values[self.rows["posterior"]], (0.05, 0.95), axis=0)
                one[period]["posterior"]["inside_90"] = float(
                    ((target.observed >= inside[0]) & (target.observed <= inside[1])).mean())
                one[period]["units"] = target.units
        return out


def skill_table(skill: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return the skill as a Markdown table of RMSE / bias / r."""
    lines = ["| observations | period (n) | " + " | ".join(WHO) + " | change of RMSE, posterior against case |",
             "|---" * (len(WHO) + 3) + "|"]
    for name, periods in skill.items():
        for period, one in periods.items():
            cells = [f"{significant(one[who]['rmse'], 3)} / {significant(one[who]['bias'], 2, sign=True)} / "
                     f"{one[who]['r']:.2f}" for who in WHO]
            change = one["posterior"]["rmse"] / one["case"]["rmse"] - 1.0 if one["case"]["rmse"] > 0.0 else np.nan
            lines.append(f"| {name} [{one['units']}] | {period} ({one['case']['n']}) | {' | '.join(cells)} | "
                         f"{100.0 * change:+.0f} % |")
    return "\n".join(lines)


def spread_of(posterior: np.ndarray, count: int) -> Sequence[int]:
    """Return places of draws, spread evenly over all of them."""
    return np.linspace(0, len(posterior) - 1, min(count, len(posterior))).round().astype(int)


__all__ = ["Prediction", "skill_table", "spread_of"]
