"""The numbers by which a model series is judged against an observed one."""

from __future__ import annotations

import numpy as np


def score(model: np.ndarray, observed: np.ndarray) -> dict[str, float | int]:
    """Compare two series on the points where both are finite.

    Parameters
    ----------
    model, observed : numpy.ndarray
        Equal shapes, the same unit; NaN where there is none.

    Returns
    -------
    dict
        ``rmse``, ``bias`` (model minus observed), ``r`` (Pearson), ``n``, ``mean_obs``, ``std_obs`` and ``std_model``
        (population). NaN where they are not defined: everything but ``n`` without points, ``r`` for a constant.
    """
    model = np.asarray(model, dtype=np.float64)
    observed = np.asarray(observed, dtype=np.float64)
    both = np.isfinite(model) & np.isfinite(observed)
    n = int(np.count_nonzero(both))
    if n == 0:
        return {"rmse": np.nan, "bias": np.nan, "r": np.nan, "n": 0, "mean_obs": np.nan,
                "std_obs": np.nan, "std_model": np.nan}  # fmt: skip
    x, y = model[both], observed[both]
    spread_x, spread_y = float(x.std()), float(y.std())
    r = np.nan
    if spread_x > 0.0 and spread_y > 0.0:
        r = float(np.mean((x - x.mean()) * (y - y.mean())) / (spread_x * spread_y))
    return {
        "rmse": float(np.sqrt(np.mean((x - y) ** 2))),
        "bias": float(np.mean(x - y)),
        "r": r,
        "n": n,
        "mean_obs": float(y.mean()),
        "std_obs": spread_y,
        "std_model": spread_x,
    }
