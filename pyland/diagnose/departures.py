"""Departures of observations from the ensemble before (O-F) and after (O-A) an analysis.

References
----------
.. [1] Desroziers, G., Berre, L., Chapnik, B., Poli, P. (2005). Diagnosis of observation, background and analysis-error
   statistics in observation space. Q. J. R. Meteorol. Soc. 131, 3385-3396.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.diagnose.ensemble_arguments import equal_lengths

_NAN = float("nan")


def departure_statistics(
    innovation: ArrayLike, residual: ArrayLike, prior_spread: ArrayLike, error: ArrayLike
) -> dict[str, float | int]:
    """Sum up departures.

    Parameters
    ----------
    innovation, residual : array_like, shape (obs,)
        Observation minus ensemble mean before and after the analysis [unit of the observation].
    prior_spread, error : array_like, shape (obs,)
        Standard deviations of the ensemble before the analysis and of the observation error; not both 0.

    Returns
    -------
    dict
        ``n``; ``innovation_mean``, ``_std``, ``_rmse`` and the same of the residual; ``expected_innovation_std``, the
        root mean of spread^2 + error^2 [unit of the observation]; ``chi2``, the mean of innovation^2 / (spread^2 +
        error^2) [1], 1 where both are right. NaN without observations.

    Raises
    ------
    InputError
        If lengths differ.
    """
    before, after, spread, sigma = equal_lengths(
        innovation=innovation, residual=residual, prior_spread=prior_spread, error=error)
    expected = spread**2 + sigma**2
    return {
        "n": int(before.size),
        **_moments("innovation", before),
        **_moments("residual", after),
        "expected_innovation_std": float(np.sqrt(expected.mean())) if before.size else _NAN,
        "chi2": float(np.mean(before**2 / expected)) if before.size else _NAN,
    }


def _moments(name: str, values: np.ndarray) -> dict[str, float]:
    if values.size == 0:
        return {f"{name}_{one}": _NAN for one in ("mean", "std", "rmse")}
    return {f"{name}_mean": float(values.mean()), f"{name}_std": float(values.std()),
            f"{name}_rmse": float(np.sqrt(np.mean(values**2)))}


def desroziers(
    innovation: ArrayLike, residual: ArrayLike, prior_spread: ArrayLike, error: ArrayLike, *, without_bias: bool = True
) -> dict[str, float | int]:
    """Estimate the errors of observations, forecast and analysis from departures [1]_.

    Parameters
    ----------
    innovation, residual : array_like, shape (obs,)
        O-F and O-A of observations that were assimilated [unit of the observation].
    prior_spread, error : array_like, shape (obs,)
        What the filter assumed: standard deviations of the ensemble and of the observation error.
    without_bias : bool
        Take the means out of the departures first: the equations are those of errors without bias.

    Returns
    -------
    dict
        ``n``; ``observation_variance`` = <(O-A)(O-F)>, ``forecast_variance`` = <(A-F)(O-F)>, ``analysis_variance`` =
        <(A-F)(O-A)>, estimates of the diagonals of R, H B H^T and H A H^T (eqs. 1-4; sampling can make one negative);
        ``observation_error`` and ``forecast_spread``, their roots (NaN if negative), beside
        ``assumed_observation_error`` and ``assumed_forecast_spread`` (root mean squares); ``observation_ratio`` and
        ``forecast_ratio``, estimated by assumed variance [1]: above 1 the assumed error is too small. NaN without
        observations.

    Raises
    ------
    InputError
        If lengths differ.

    Notes
    -----
    The estimates hold where the gain is the one of the true errors in their ratio; they share <(O-F)^2> between R and B
    by the gain that was used. Localisation, relaxation and rejected outliers distort them.
    """
    before, after, spread, sigma = equal_lengths(
        innovation=innovation, residual=residual, prior_spread=prior_spread, error=error)
    names = ("observation_variance", "forecast_variance", "analysis_variance", "observation_error", "forecast_spread",
             "assumed_observation_error", "assumed_forecast_spread", "observation_ratio", "forecast_ratio")
    if before.size == 0:
        return {"n": 0, **dict.fromkeys(names, _NAN)}
    if without_bias:
        before, after = before - before.mean(), after - after.mean()
    change = before - after
    observed, forecast, analysed = (float(np.mean(one)) for one in (after * before, change * before, change * after))
    assumed, assumed_forecast = float(np.mean(sigma**2)), float(np.mean(spread**2))
    numbers = (observed, forecast, analysed, _root(observed), _root(forecast), np.sqrt(assumed),
               np.sqrt(assumed_forecast), _ratio(observed, assumed), _ratio(forecast, assumed_forecast))
    return {"n": int(before.size), **{name: float(number) for name, number in zip(names, numbers, strict=True)}}


def _root(variance: float) -> float:
    return float(np.sqrt(variance)) if variance >= 0.0 else _NAN


def _ratio(estimated: float, assumed: float) -> float:
    return estimated / assumed if assumed > 0.0 else _NAN
