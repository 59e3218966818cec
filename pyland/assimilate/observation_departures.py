"""What became of the observations of one type: used or why not, O-F and O-A, those withheld apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.base.observation_reasons import NOT_ASSIMILATED, USED, WITHHELD, reason_counts, reason_words


@dataclass(frozen=True, eq=False)
class TypeDepartures:
    """Departures of all observations of a type, used or not; every array has shape ``(obs,)``.

    Attributes
    ----------
    name : str
        Name of the type.
    values, error : numpy.ndarray
        Observed values and standard deviations of their errors.
    flags : numpy.ndarray of int8
        Codes of `pyland.base.observation_reasons`; 0 is used.
    row : numpy.ndarray of int
        Row of the batch that the observation is, or is part of; -1 for none.
    prior_mean, prior_spread, analysis_mean, analysis_spread : numpy.ndarray
        Mean and standard deviation of the predicted observations before and after; NaN where the state does not cover
        the observation.
    """

    name: str
    values: np.ndarray
    error: np.ndarray
    flags: np.ndarray
    row: np.ndarray
    prior_mean: np.ndarray
    prior_spread: np.ndarray
    analysis_mean: np.ndarray
    analysis_spread: np.ndarray

    @classmethod
    def of(
        cls, name: str, values: np.ndarray, error: np.ndarray, flags: np.ndarray, row: np.ndarray, outside: np.ndarray,
        before: np.ndarray, after: np.ndarray,
    ) -> TypeDepartures:  # fmt: skip
        """Return departures by predictions (member, obs) before and after; none where ``outside`` (obs,)."""
        statistics = []
        for predicted in (before, after):
            known = ~outside & np.isfinite(predicted).all(axis=0)
            mean, spread = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
            mean[known], spread[known] = predicted[:, known].mean(axis=0), predicted[:, known].std(axis=0, ddof=1)
            statistics += [mean, spread]
        return cls(name, values, error, flags, row, *statistics)

    @property
    def innovation(self) -> np.ndarray:
        """O-F."""
        return self.values - self.prior_mean

    @property
    def residual(self) -> np.ndarray:
        """O-A."""
        return self.values - self.analysis_mean

    @property
    def used(self) -> np.ndarray:
        """True for observations that took part."""
        return self.flags == USED

    @property
    def withheld(self) -> np.ndarray:
        """True for good observations that were kept for diagnosis, or are of a type that is only compared."""
        return (self.flags == WITHHELD) | (self.flags == NOT_ASSIMILATED)

    def reasons(self) -> list[str]:
        """Return for each observation the word that says why it is used or not."""
        return reason_words(self.flags)

    def counts(self) -> dict[str, int]:
        """Return how many observations have each reason, without zeros."""
        return reason_counts(self.flags)

    def summary(self) -> dict[str, Any]:
        """Return counts, and mean and root mean square of O-F and O-A of used and of withheld observations.

        Means over no observations are None.
        """
        result: dict[str, Any] = {"count": int(self.flags.size), "reasons": self.counts()}
        for subset, chosen in (("used", self.used), ("withheld", self.withheld)):
            for title, departure in (("o_f", self.innovation), ("o_a", self.residual)):
                part = departure[chosen & np.isfinite(departure)]
                result[f"{subset}_{title}_mean"] = float(part.mean()) if part.size else None
                result[f"{subset}_{title}_rms"] = float(np.sqrt((part**2).mean())) if part.size else None
        return result


__all__ = ["TypeDepartures"]
