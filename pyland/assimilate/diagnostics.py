"""What an analysis did, seen from the observations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AnalysisDiagnostics:
    """Statistics of one analysis in observation space.

    Attributes
    ----------
    innovation : numpy.ndarray
        Observation minus mean predicted observation (O-F), shape ``(obs,)``.
    residual : numpy.ndarray
        Observation minus mean analysed observation (O-A), shape ``(obs,)``.
    spread_prior, spread_analysis : numpy.ndarray
        Ensemble standard deviation of the predicted observations before and after, shape ``(obs,)``; the prior without
        inflation, the analysis with inflation and relaxation.
    chi2 : float
        ``d^T (H P H^T + R)^-1 d``, with the inflated covariance of all observations in a global analysis and with its
        diagonal in a local one; expected value: the number of observations.
    degrees_of_freedom : float
        Degrees of freedom for signal: the trace of ``H K``, in a local analysis that of the observations' own local
        gains.
    """

    innovation: np.ndarray
    residual: np.ndarray
    spread_prior: np.ndarray
    spread_analysis: np.ndarray
    chi2: float
    degrees_of_freedom: float

    @property
    def innovation_mean(self) -> float:
        """Mean of the innovations; NaN without observations."""
        return float(self.innovation.mean()) if self.innovation.size else float("nan")


def signal_and_chi2(anomalies: np.ndarray, innovation: np.ndarray) -> tuple[float, float]:
    """Return degrees of freedom for signal and chi-square of a global analysis.

    Parameters
    ----------
    anomalies : numpy.ndarray
        Whitened anomalies S of the predicted observations, shape ``(member, obs)``.
    innovation : numpy.ndarray
        Whitened innovation, shape ``(obs,)``.

    Notes
    -----
    With the singular values ``s`` of ``S/sqrt(N-1)``: ``tr(HK) = sum s^2/(1+s^2)`` and
    ``chi2 = |d|^2 - sum (u^T d)^2 s^2/(1+s^2)`` (Rodgers 2000, Inverse Methods for Atmospheric Sounding, eq. 2.56).
    """
    _, s, vt = np.linalg.svd(anomalies / np.sqrt(anomalies.shape[0] - 1), full_matrices=False)
    share = s**2 / (1.0 + s**2)
    signal = vt @ innovation
    return float(share.sum()), float(innovation @ innovation - (share * signal**2).sum())


def empty(nobs: int = 0) -> AnalysisDiagnostics:
    """Return the diagnostics of an analysis without observations."""
    zeros = np.zeros(nobs)
    return AnalysisDiagnostics(zeros, zeros, zeros, zeros, 0.0, 0.0)
