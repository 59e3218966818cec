"""Skill of forecasts from sums: each pair of a forecast and what came adds to them, and may be forgotten then.

Notation: f mean of the members, a what came (an analysis, or an observation), s2 variance of the members (n - 1) and m
their number, p the persistence of the value at the start of the forecast, c the climatology of that day, e = f - a.

References
----------
.. [1] Murphy, A. H. (1988). Skill scores based on the mean square error and their relationships to the correlation
   coefficient. Mon. Wea. Rev. 116, 2417-2424: skill 1 - MSE/MSE_reference.
.. [2] Fortin, V., Abaza, M., Anctil, F., Turcotte, R. (2014). Why should ensemble spread match the RMSE of the ensemble
   mean? J. Hydrometeorol. 15, 1708-1713: of a reliable ensemble, mean e^2 = (1 + 1/m) mean s2.
.. [3] Wilks, D. S. (2011). Statistical Methods in the Atmospheric Sciences, 3rd ed., section 8.6.4: anomaly
   correlation, here without taking the mean of the anomalies away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PAIR_FIELDS = ("error", "variance", "crps", "noise", "anomaly", "persistence_error", "climatology_error")
"""What is kept of a pair: e, (1 + 1/m) s2, CRPS, variance of the error of a, a less the origin, p - a, c - a."""

SUMS = ("n", "error", "squared_error", "crps", "variance", "noise", "forecast", "verifying", "forecast_squared",
        "verifying_squared", "product",
        "persistence_n", "persistence_squared", "persistence_absolute", "persistence_forecast_squared",
        "persistence_crps",
        "climatology_n", "climatology_squared", "climatology_absolute", "climatology_forecast_squared",
        "climatology_crps", "anomaly_squared", "anomaly_product")
"""Names of the sums over pairs."""

SCORES = {
    "n": ("pairs", "1"),
    "bias": ("mean error", ""),
    "rmse": ("root mean square error", ""),
    "rmse_persistence": ("root mean square error of persistence", ""),
    "rmse_climatology": ("root mean square error of the climatology", ""),
    "correlation": ("correlation", "1"),
    "anomaly_correlation": ("correlation of anomalies from the climatology", "1"),
    "crps": ("continuous ranked probability score", ""),
    "spread": ("root mean square spread that a reliable ensemble has as error", ""),
    "spread_error": ("spread over error", "1"),
    "skill_persistence": ("skill against persistence (mean square error)", "1"),
    "skill_climatology": ("skill against the climatology (mean square error)", "1"),
    "crps_skill_persistence": ("skill against persistence (CRPS)", "1"),
    "crps_skill_climatology": ("skill against the climatology (CRPS)", "1"),
}
"""Score: what it is, and its unit; an empty one is that of the quantity."""


def pair_sums(pair: Mapping[str, Array]) -> dict[str, Array]:
    """Return what one pair adds to the sums.

    Parameters
    ----------
    pair : mapping of str to numpy.ndarray, shape (place,)
        ``PAIR_FIELDS``; NaN where a value is missing.

    Returns
    -------
    dict of str to numpy.ndarray, shape (place,)
        ``SUMS``; 0 at places without forecast or verifying value. References count where they are there too.
    """
    data = {name: np.asarray(values, np.float64) for name, values in pair.items()}
    known = np.isfinite(data["error"]) & np.isfinite(data["crps"])

    def kept(values: Array, where: Array) -> Array:
        return np.where(where, values, 0.0)

    error, anomaly = data["error"], data["anomaly"]
    forecast = error + anomaly
    persistence, climatology = data["persistence_error"], data["climatology_error"]
    both = {"persistence": known & np.isfinite(persistence), "climatology": known & np.isfinite(climatology)}
    out = {
        "n": known.astype(float),
        "error": kept(error, known),
        "squared_error": kept(error**2, known),
        "crps": kept(data["crps"], known),
        "variance": kept(data["variance"], known),
        "noise": kept(data["noise"], known),
        "forecast": kept(forecast, known),
        "verifying": kept(anomaly, known),
        "forecast_squared": kept(forecast**2, known),
        "verifying_squared": kept(anomaly**2, known),
        "product": kept(forecast * anomaly, known),
        "anomaly_squared": kept((error - climatology) ** 2, both["climatology"]),
        "anomaly_product": kept((climatology - error) * climatology, both["climatology"]),
    }
    for name, values in (("persistence", persistence), ("climatology", climatology)):
        out |= {
            f"{name}_n": both[name].astype(float),
            f"{name}_squared": kept(values**2, both[name]),
            f"{name}_absolute": kept(np.abs(values), both[name]),
            f"{name}_forecast_squared": kept(error**2, both[name]),
            f"{name}_crps": kept(data["crps"], both[name]),
        }
    return out


def scores_of(sums: Mapping[str, Array], least: int = 3) -> dict[str, Array]:
    """Return the scores that follow from sums.

    Parameters
    ----------
    sums : mapping of str to numpy.ndarray
        ``SUMS`` of any one shape.
    least : int
        Fewest pairs of a correlation.

    Returns
    -------
    dict of str to numpy.ndarray
        ``SCORES``, of that shape; NaN without pairs, without reference, or with one that makes no error.
    """
    count = sums["n"]
    pairs = np.where(count > 0.0, count, np.nan)
    expected = sums["variance"] + sums["noise"]
    with np.errstate(invalid="ignore"):
        centred = {name: sums[f"{name}_squared"] - sums[name] ** 2 / pairs for name in ("forecast", "verifying")}
        covariance = sums["product"] - sums["forecast"] * sums["verifying"] / pairs
    spreads = np.maximum(centred["forecast"], 0.0) * np.maximum(centred["verifying"], 0.0)
    anomalies = sums["anomaly_squared"] * sums["climatology_squared"]
    out = {
        "n": np.asarray(count, float),
        "bias": sums["error"] / pairs,
        "rmse": np.sqrt(sums["squared_error"] / pairs),
        "crps": sums["crps"] / pairs,
        "spread": np.sqrt(expected / pairs),
        "spread_error": np.sqrt(_ratio(expected, sums["squared_error"])),
        "correlation": np.where(count >= least, _ratio(covariance, np.sqrt(spreads)), np.nan),
        "anomaly_correlation": np.where(
            sums["climatology_n"] >= least, _ratio(sums["anomaly_product"], np.sqrt(anomalies)), np.nan),
    }
    for name in ("persistence", "climatology"):
        out[f"rmse_{name}"] = np.sqrt(_ratio(sums[f"{name}_squared"], sums[f"{name}_n"]))
        out[f"skill_{name}"] = 1.0 - _ratio(sums[f"{name}_forecast_squared"], sums[f"{name}_squared"])
        out[f"crps_skill_{name}"] = 1.0 - _ratio(sums[f"{name}_crps"], sums[f"{name}_absolute"])
    return {name: out[name] for name in SCORES}


def _ratio(above: Array, below: Array) -> Array:
    """Return a quotient, NaN where the divisor is 0."""
    return np.asarray(above) / np.where(np.asarray(below) > 0.0, below, np.nan)
