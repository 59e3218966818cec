"""What the filter gets at an analysis, and what innovations say of the ensemble.

The innovation d - mean(Y) has the variance spread**2 + R if spread and R are right (Desroziers et al. 2005, eq. 1): the
mean of innovation**2 / (spread**2 + R) is then 1.

References
----------
.. [1] Desroziers, G., Berre, L., Chapnik, B., Poli, P. (2005). Diagnosis of observation, background and analysis-error
   statistics in observation space. Q. J. R. Meteorol. Soc. 131, 3385-3396.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import INNOVATION, THINNED
from pyland.observe.observations import ObservationSet
from pyland.observe.thinning import is_kept


@dataclass(frozen=True, eq=False)
class AnalysisInput:
    """Observations of one analysis as arrays; ``obs`` counts the used ones of all sets, in the order of the sets.

    Attributes
    ----------
    predicted : ndarray, shape (member, obs)
        Observations that each member predicts (Y).
    observed : ndarray, shape (obs,)
        Observed values (d).
    variance : ndarray, shape (obs,)
        Variances of the observation errors (diagonal of R).
    coordinates : ndarray, shape (obs, 2)
        x and y [m].
    set_index, row : ndarray of int, shape (obs,)
        Where each observation stands: set and row in it.
    """

    predicted: np.ndarray
    observed: np.ndarray
    variance: np.ndarray
    coordinates: np.ndarray
    set_index: np.ndarray
    row: np.ndarray

    @property
    def size(self) -> int:
        """Number of observations."""
        return self.observed.size


def assemble(
    sets: list[ObservationSet], predicted: list[np.ndarray], max_innovation: float | Mapping[str, float] | None = None,
    spacing: Mapping[str, float] | None = None,
) -> AnalysisInput:
    """Collect the used observations of one analysis: those near enough to the ensemble, and far enough from each other.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets to assimilate together; the flags of rejected observations change to ``innovation_too_large``.
    predicted : list of ndarray, shape (member, obs of the set)
        What the members predict for every observation of each set, used or not.
    max_innovation : float or mapping of name to float, optional
        Largest absolute innovation in standard deviations sqrt(spread**2 + R); None keeps all.
    spacing : mapping of name to float, optional
        Smallest distance of the observations of a set that are used [m]; the flags of the others change to ``thinned``.
        Names that are missing are not thinned.

    Returns
    -------
    AnalysisInput
        Arrays for the filter; empty if nothing is used.

    Raises
    ------
    InputError
        If shapes do not fit, a prediction is not finite, or a limit is not positive.
    """
    if len(sets) != len(predicted) or not sets:
        raise InputError(f"innovations: expected one prediction for each of the {len(sets)} sets (at least one), got "
                         f"{len(predicted)}.")
    chosen = []
    members = {np.shape(one)[0] for one in predicted if np.ndim(one) == 2}
    for one, prediction in zip(sets, predicted, strict=True):
        prediction = np.asarray(prediction, float)
        if prediction.ndim != 2 or prediction.shape[1] != one.size or len(members) != 1:
            raise InputError(f"innovations: '{one.name}' needs predictions of shape (member, {one.size}), got "
                             f"{prediction.shape}.")
        used = one.used
        if not np.isfinite(prediction[:, used]).all():
            member = int(np.argmin(np.isfinite(prediction[:, used]).all(axis=1)))
            raise InputError(f"innovations: member {member} predicts a value that is not finite for '{one.name}' at "
                             f"{one.time}.")
        limit = max_innovation.get(one.name) if isinstance(max_innovation, Mapping) else max_innovation
        if limit is not None:
            if not limit > 0:
                raise InputError(f"observations.quality.max_innovation: expected a positive number, got {limit}.")
            index = np.flatnonzero(used)
            innovation = one.values[index] - prediction[:, index].mean(axis=0)
            allowed = limit * np.sqrt(_spread2(prediction[:, index]) + one.variance[index])
            one.flags[index[np.abs(innovation) > allowed]] = INNOVATION
        if spacing is not None and one.name in spacing:
            index = np.flatnonzero(one.used)
            kept = is_kept(one.x[index], one.y[index], one.variance[index], one.location[index], spacing[one.name])
            one.flags[index[~kept]] = THINNED
        chosen.append(np.flatnonzero(one.used))
    return AnalysisInput(
        predicted=np.concatenate([np.asarray(p, float)[:, c] for p, c in zip(predicted, chosen, strict=True)], axis=1),
        observed=np.concatenate([one.values[c] for one, c in zip(sets, chosen, strict=True)]),
        variance=np.concatenate([one.variance[c] for one, c in zip(sets, chosen, strict=True)]),
        coordinates=np.concatenate([np.stack((one.x[c], one.y[c]), 1) for one, c in zip(sets, chosen, strict=True)]),
        set_index=np.concatenate([np.full(c.size, k) for k, c in enumerate(chosen)]),
        row=np.concatenate(chosen),
    )


def _spread2(predicted: np.ndarray) -> np.ndarray:
    """Return the ensemble variance (obs,) with division by members - 1; 0 for a single member."""
    if len(predicted) < 2:
        return np.zeros(predicted.shape[1])
    return predicted.var(axis=0, ddof=1)


class InnovationStatistics:
    """Sums of innovations over analyses.

    Notes
    -----
    The spread/error ratio is sqrt(mean(spread**2) / (mean(innovation**2) - mean(R))): 1 if the spread equals the error
    of the ensemble mean, below 1 for an ensemble that is too sure of itself. It is NaN where innovations are smaller
    than the observation error alone.
    """

    _NAMES = ("count", "innovation", "innovation2", "normalised2", "spread2", "variance")

    def __init__(self) -> None:
        self._sums = np.zeros(len(self._NAMES))

    def add(self, predicted: np.ndarray, observed: np.ndarray, variance: np.ndarray) -> None:
        """Add the used observations of one analysis.

        Parameters
        ----------
        predicted : array_like, shape (member, obs)
            Predictions before (O-F) or after (O-A) the analysis.
        observed, variance : array_like, shape (obs,)
            Observations and error variances.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        predicted, observed, variance = (np.asarray(a, float) for a in (predicted, observed, variance))
        if predicted.ndim != 2 or predicted.shape[1:] != observed.shape or observed.shape != variance.shape:
            raise InputError(f"innovation statistics: expected (member, obs), (obs,), (obs,), got {predicted.shape}, "
                             f"{observed.shape}, {variance.shape}.")
        if observed.size == 0:
            return
        innovation, spread2 = observed - predicted.mean(axis=0), _spread2(predicted)
        self._sums += (observed.size, innovation.sum(), (innovation**2).sum(),
                       (innovation**2 / (spread2 + variance)).sum(), spread2.sum(), variance.sum())

    def result(self) -> dict[str, float]:
        """Return ``n, mean, std, rmse, spread, error, chi2, spread_error_ratio``; NaN where nothing was added.

        ``mean``, ``std`` and ``rmse`` are those of the innovations, ``spread`` and ``error`` are root mean squares
        of ensemble spread and observation error [unit of the observation].
        """
        count = self._sums[0]
        if count == 0:
            names = ("mean", "std", "rmse", "spread", "error", "chi2", "spread_error_ratio")
            return {"n": 0, **dict.fromkeys(names, float("nan"))}
        mean, square, chi2, spread2, variance = (float(s) for s in self._sums[1:] / count)
        excess = square - variance
        return {
            "n": int(count),
            "mean": mean,
            "std": float(np.sqrt(max(square - mean**2, 0.0))),
            "rmse": float(np.sqrt(square)),
            "spread": float(np.sqrt(spread2)),
            "error": float(np.sqrt(variance)),
            "chi2": chi2,
            "spread_error_ratio": float(np.sqrt(spread2 / excess)) if excess > 0 else float("nan"),
        }

    def state(self) -> np.ndarray:
        """Return the sums for a restart, shape (6,)."""
        return self._sums.copy()

    def restore(self, state: np.ndarray) -> None:
        """Continue from :meth:`state`."""
        state = np.array(state, float)
        if state.shape != self._sums.shape:
            raise InputError(f"restart: innovation statistics need {self._sums.shape} sums, got {state.shape}.")
        self._sums = state
