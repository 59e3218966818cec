"""The four regressions of the ensemble, each with settings fit for tens to thousands of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyland.base.errors import UnavailableError

SPLINES = 8
"""Basis functions of each predictor of the additive model; a penalty keeps them smooth."""

TREES = 200
"""Trees of the forest and of the boosting."""


def learned_model(name: str, npredictor: int, seed: int) -> Any:
    """Return a regression with ``fit(x, y)`` and ``predict(x)``.

    Parameters
    ----------
    name : str
        ``gam``, ``svr``, ``random_forest`` or ``xgboost``.
    npredictor : int
        Number of predictors.
    seed : int
        Of what is random in it.

    Raises
    ------
    UnavailableError
        If the packages of the extra ``ml`` are not installed.
    """
    try:
        return _MAKERS[name](npredictor, seed)
    except ImportError as error:
        raise UnavailableError(f"Learned models need scikit-learn, pygam and xgboost; {error.name} is not installed. "
                               "Install them with: pip install 'pyland[ml]'") from error


class _Additive:
    """Sum of smooth functions, one of each predictor (Hastie and Tibshirani 1986), on standardised predictors."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def fit(self, x: np.ndarray, y: np.ndarray) -> _Additive:
        """Learn from predictors (sample, predictor) and target (sample,)."""
        spread = x.std(axis=0)
        self._mean, self._spread = x.mean(axis=0), np.where(spread > 0.0, spread, 1.0)
        self._model.fit((x - self._mean) / self._spread, y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict, (sample,)."""
        return np.asarray(self._model.predict((x - self._mean) / self._spread))


def _gam(npredictor: int, seed: int) -> Any:
    from pygam import LinearGAM, s

    terms = s(0, n_splines=SPLINES)
    for place in range(1, npredictor):
        terms = terms + s(place, n_splines=SPLINES)
    return _Additive(LinearGAM(terms))


def _svr(npredictor: int, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    return TransformedTargetRegressor(make_pipeline(StandardScaler(), SVR(C=10.0, epsilon=0.05)),
                                      transformer=StandardScaler())


def _random_forest(npredictor: int, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(TREES, min_samples_leaf=2, random_state=seed, n_jobs=1)


def _xgboost(npredictor: int, seed: int) -> Any:
    from xgboost import XGBRegressor

    return XGBRegressor(n_estimators=TREES, max_depth=3, learning_rate=0.1, subsample=0.8, colsample_bytree=0.8,
                        random_state=seed, n_jobs=1, verbosity=0)


_MAKERS: dict[str, Callable[[int, int], Any]] = {
    "gam": _gam, "svr": _svr, "random_forest": _random_forest, "xgboost": _xgboost,
}
