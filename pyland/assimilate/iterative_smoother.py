"""Iterative ensemble Kalman smoother: a filter whose window goes back in time and whose analyses iterate the model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.ensemble_gauss_newton import (
    BUNDLE_WIDTH,
    Settings,
    continue_linearly,
    minimise,
    step_lengths,
)
from pyland.assimilate.random_numbers import random_rotation
from pyland.base.errors import InputError


@dataclass(frozen=True)
class WindowAnalysis:
    """What an analysis of the iterative smoother found.

    Attributes
    ----------
    analysis : numpy.ndarray
        Ensemble at the time of the observations, shape ``(member, state)``, without inflation.
    smoothed : numpy.ndarray
        Ensemble at the start of the window, shape ``(member, state)``, without inflation.
    start, time : int
        Numbers of these times.
    iterations : int
        Runs of the model over the window.
    converged : bool
        Whether the last full Gauss-Newton step was shorter than the tolerance.
    message : str
        How the iteration ended, a sentence.
    """

    analysis: np.ndarray
    smoothed: np.ndarray
    start: int
    time: int
    iterations: int
    converged: bool
    message: str


class IterativeSmoother:
    """Iterative ensemble Kalman smoother over a window of ``lag`` intervals between observations.

    The ensemble stands at the start of the window. An analysis finds the state there whose forecast fits the new
    observations at the end of the window (older ones have been used), by Gauss-Newton steps in the space of the
    ensemble; then the window moves on by one interval. Lag 1 is the iterative ensemble Kalman filter, lag 0 the
    maximum-likelihood ensemble filter.

    Parameters
    ----------
    step : callable
        ``step(E, time)``: ensemble ``(member, state)`` at ``time - 1`` -> the same at ``time``; ``time`` counts
        observations from 1. The model must be deterministic: the same members give the same forecast.
    observe : callable
        ``observe(E, time)``: ensemble at ``time`` -> predicted observations ``(member, obs)``.
    E : array_like
        Ensemble at time 0, shape ``(member, state)``, at least 2 members.
    lag : int
        Length of the window in intervals, at least 0.
    method : {"transform", "bundle"}
        Sensitivities from the ensemble with the spread of its current estimate, or from a tight bundle around the
        current mean (finite differences).
    variant : {"sqrt", "perturbed"}
        Deterministic symmetric root, or perturbed observations (only with ``transform``).
    iterations : int
        Largest number of runs of the model over the window per analysis, at least 1.
    tolerance : float
        The iteration ends when its step is shorter than this many prior standard deviations; 0: always ``iterations``.
    step_length : float or sequence of float
        Share of the Gauss-Newton step, in (0, 1]; a sequence gives one per step, the last holds for the rest.
    backtracking : bool
        Halve a step that has made the cost function larger, and run again from where it started.
    inflation : float
        Factor on the anomalies at the start of the window after each analysis, in (0, 100].
    rotation : bool
        Rotate the anomalies at random after each analysis, which keeps mean and covariance.
    bundle_width : float
        Spread of the bundle in units of the prior spread, in (0, 1].
    rng : numpy.random.Generator or int, optional
        Source of rotations and perturbations; belongs to the smoother from here on and is part of `state`.

    Raises
    ------
    InputError
        If an argument does not fit.

    Notes
    -----
    Cost per analysis: about ``iterations * lag + 1`` runs over one interval. ``analysis`` is the last of these runs,
    brought to the final coefficients to first order, so that no further run is needed; after convergence the
    difference is that of the tolerance. A window moves when the next observations come. Each observation is used once
    (single data assimilation) and nothing is localised.

    References
    ----------
    .. [1] Sakov, P., Oliver, D. S., and Bertino, L. (2012). An iterative EnKF for strongly nonlinear systems. Mon.
       Weather Rev. 140, 1988-2004.
    .. [2] Bocquet, M., and Sakov, P. (2014). An iterative ensemble Kalman smoother. Q. J. R. Meteorol. Soc. 140,
       1521-1535.
    .. [3] Zupanski, M. (2005). Maximum likelihood ensemble filter. Mon. Weather Rev. 133, 1710-1726.
    """

    def __init__(
        self,
        step: Callable[[np.ndarray, int], Any],
        observe: Callable[[np.ndarray, int], Any],
        E: Any,
        lag: int = 1,
        method: str = "transform",
        *,
        variant: str = "sqrt",
        iterations: int = 10,
        tolerance: float = 1e-3,
        step_length: float | Sequence[float] = 1.0,
        backtracking: bool = False,
        inflation: float = 1.0,
        rotation: bool = False,
        bundle_width: float = BUNDLE_WIDTH,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        if isinstance(lag, bool) or int(lag) != lag or lag < 0:
            raise InputError(f"lag must be a whole number of intervals, at least 0; got {lag!r}")
        self._ensemble = arguments.to_floats("E (member, state)", E, 2).copy()
        if len(self._ensemble) < 2:
            raise InputError(f"a smoother needs at least 2 members; E (member, state) has shape {self._ensemble.shape}")
        self._forecast, self._observe = step, observe
        self.lag = int(lag)
        self._settings = Settings(
            variant, method, iterations, tolerance, step_lengths(step_length), bool(backtracking), bundle_width)
        self._inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
        self._rotation = bool(rotation)
        self._generator = arguments.check_generator(rng)
        self.start = 0
        self.time = 0

    @property
    def ensemble(self) -> np.ndarray:
        """Ensemble at the start of the window, inflated, shape ``(member, state)``; a copy."""
        return self._ensemble.copy()

    def assimilate(self, d: Any, R: Any) -> WindowAnalysis:
        """Take the observations of the next time.

        Parameters
        ----------
        d : array_like
            Observations, shape ``(obs,)``; an empty list where there are none, then the window moves and no more.
        R : array_like
            Error variances ``(obs,)`` or covariance ``(obs, obs)``.

        Returns
        -------
        WindowAnalysis
            Ensembles at both ends of the window.

        Raises
        ------
        InputError
            If predictions do not fit the observations, or a member is not finite.
        ConvergenceError
            If the ensemble loses a direction during the iteration.
        """
        observed = arguments.to_floats("d (obs)", d, 1)
        time = self.time + 1
        while self.start < time - self.lag:
            self._ensemble = self._advance(self._ensemble, self.start + 1)
            self.start += 1
        prior = self._ensemble
        if observed.size == 0:
            self.time = time
            return WindowAnalysis(
                self._to_end(prior, time), prior.copy(), self.start, time, 1, True, "no observations: a forecast")
        end = prior

        def predict(E: np.ndarray) -> Any:
            nonlocal end
            end = self._to_end(E, time)
            return self._observe(end, time)

        found = minimise(predict, prior, observed, R, self._settings, self._generator)
        mean = prior.mean(axis=0)
        smoothed = mean + found.coefficients @ (prior - mean)
        result = WindowAnalysis(
            continue_linearly(found, end), smoothed, self.start, time, found.iterations, found.converged,
            found.message(self._settings))
        self.time = time
        self._ensemble = self._inflated(smoothed)
        return result

    def state(self) -> dict[str, Any]:
        """Return what a restart needs: ``ensemble``, ``start``, ``time`` and ``random``, the state of the generator."""
        return {"ensemble": self.ensemble, "start": self.start, "time": self.time,
                "random": copy.deepcopy(self._generator.bit_generator.state)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned.

        Raises
        ------
        InputError
            If the window is longer than the lag, or the generator is of another kind.
        """
        start, time = int(state["start"]), int(state["time"])
        if not 0 <= start <= time or time - start > self.lag:
            raise InputError(f"a window from {start} to {time} is not one of lag {self.lag}")
        random, kind = state["random"], self._generator.bit_generator.state["bit_generator"]
        if random["bit_generator"] != kind:
            raise InputError(f"the restart has a generator {random['bit_generator']}, this smoother a {kind}")
        self._ensemble = arguments.to_floats("ensemble (member, state)", state["ensemble"], 2).copy()
        self.start, self.time = start, time
        self._generator.bit_generator.state = copy.deepcopy(random)

    def _to_end(self, E: np.ndarray, end: int) -> np.ndarray:
        """Run from the start of the window to its end."""
        for time in range(self.start + 1, end + 1):
            E = self._advance(E, time)
        return E

    def _advance(self, E: np.ndarray, time: int) -> np.ndarray:
        forecast = arguments.to_floats(f"the forecast of time {time} (member, state)", self._forecast(E, time), 2)
        if len(forecast) != len(E):
            raise InputError(f"step must return {len(E)} members; got {len(forecast)} at time {time}")
        return forecast

    def _inflated(self, E: np.ndarray) -> np.ndarray:
        """Inflate and rotate the anomalies."""
        if self._inflation == 1.0 and not self._rotation:
            return E
        mean = E.mean(axis=0)
        anomalies = self._inflation * (E - mean)
        if self._rotation:
            anomalies = random_rotation(len(E), self._generator) @ anomalies
        return mean + anomalies


__all__ = ["IterativeSmoother", "WindowAnalysis"]
