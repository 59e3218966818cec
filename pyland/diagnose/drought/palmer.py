"""Self-calibrating Palmer Drought Severity Index (scPDSI) of many cells at once.

References
----------
.. [1] Wells, N., Goddard, S., Hayes, M. J. (2004). A self-calibrating Palmer Drought Severity Index. J. Climate 17,
   2335-2351.
.. [2] Palmer, W. C. (1965). Meteorological drought. U.S. Weather Bureau Research Paper 45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.diagnose.drought.monthly import MONTHS, calendar_month, calibration_months, check_months
from pyland.diagnose.drought.palmer_bucket import PalmerFluxes, bucket_fluxes
from pyland.diagnose.drought.palmer_spells import DurationFactors, find_spells

INCH = 25.4
"""Water of an inch [kg m-2]; constants of the index are in inches."""

WINDOWS = (3, 6, 9, 12, 18, 24, 30, 36, 42, 48)
"""Lengths of spells whose extremes give the duration factors [months] [1]_."""

EXTREME = 4.0
"""Index of an extreme spell: the line of extremes has this index, and the calibrated percentiles get it."""

TAIL = 2
"""Share of months beyond an extreme index, on either side [percent] [1]_."""

DRY_STARTS = ("program", "paper")
"""Whose beginning dry spells: see `pyland.diagnose.drought.palmer_spells.find_spells`."""

PASSES = 3
"""How often the anomaly is scaled to its percentiles, as in the program of [1]_."""

FREAK = 1.25
"""A wet sum is left out if it is larger than its 98th percentile by this factor [1]_."""

LEAST_CORRELATION, LEAST_POINTS = 0.85, 4
"""Points of the line of extremes are dropped from its long end until they correlate so well, down to so few [1]_."""

_CELLS_AT_ONCE = 1024  # arrays of a month then stay in the second-level cache

Array = NDArray[Any]


@dataclass(frozen=True)
class PalmerIndex:
    """What `scpdsi` finds.

    Attributes
    ----------
    pdsi : numpy.ndarray, shape (month, ...)
        Self-calibrating Palmer Drought Severity Index [1].
    phdi, pmdi : numpy.ndarray, shape (month, ...)
        Hydrological and modified (real-time) index [1].
    z : numpy.ndarray, shape (month, ...)
        Moisture anomaly index, scaled [1].
    wet, dry : numpy.ndarray, shape (2, ...)
        Slope and intercept of the duration factors.
    is_calibrated : numpy.ndarray of bool, shape (...)
        False where numbers are NaN: a gap in the series, or factors without which the recursion does not forget.
    """

    pdsi: Array
    phdi: Array
    pmdi: Array
    z: Array
    wet: Array
    dry: Array
    is_calibrated: Array


def scpdsi(
    precipitation: ArrayLike,
    potential: ArrayLike,
    months: ArrayLike,
    *,
    capacity: ArrayLike | None = None,
    fluxes: PalmerFluxes | None = None,
    calibration: tuple[int, int] | None = None,
    dry_start: str = "program",
) -> PalmerIndex:
    """Compute the self-calibrating Palmer index.

    Parameters
    ----------
    precipitation : array_like, shape (month, ...)
        Precipitation [kg m-2 per month].
    potential : array_like, shape (month, ...)
        Potential evapotranspiration [kg m-2 per month].
    months : array_like of datetime64, shape (month,)
        Months, one after the other.
    capacity : array_like, shape () or (...), optional
        Available water of Palmer's bucket [kg m-2]; needed without ``fluxes``.
    fluxes : PalmerFluxes, optional
        Water of a run, arrays of shape (month, cells), instead of the bucket; see `model_fluxes`.
    calibration : tuple of int, optional
        First and last year whose months calibrate; all without it.
    dry_start : {"program", "paper"}
        Which intercept a beginning dry spell has, see `find_spells`.

    Raises
    ------
    InputError
        If shapes do not fit, the calibration is shorter than the longest spell, or no cell can be calibrated.
    """
    rain, demand = np.asarray(precipitation, float), np.asarray(potential, float)
    if rain.shape != demand.shape:
        raise InputError(f"Palmer index: precipitation has shape {rain.shape} and potential evapotranspiration "
                         f"{demand.shape}; expected the same (month, ...).")
    moments = check_months(months, len(rain))
    counted = calibration_months(moments, calibration)
    if counted.sum() < max(WINDOWS) or len(np.unique(calendar_month(moments[counted]))) < MONTHS:
        raise InputError(f"Palmer index: the calibration has {int(counted.sum())} months; it needs {max(WINDOWS)}, the "
                         "longest spell, and every calendar month. Give a longer series.")
    shape = rain.shape[1:]
    rain, demand = rain.reshape(len(rain), -1), demand.reshape(len(rain), -1)
    ncell = rain.shape[1]
    if dry_start not in DRY_STARTS:
        raise InputError(f"Palmer index: dry_start must be one of {', '.join(DRY_STARTS)}, got {dry_start!r}.")
    if (capacity is None) == (fluxes is None):
        raise InputError("Palmer index: expected either the capacity of the bucket or the fluxes of a run.")
    held = None if capacity is None else np.broadcast_to(np.asarray(capacity, float), shape).reshape(-1)
    results = [np.full((len(rain), ncell), np.nan) for _ in range(4)]
    lines = np.full((4, ncell), np.nan)
    for first in range(0, ncell, _CELLS_AT_ONCE):
        part = slice(first, first + _CELLS_AT_ONCE)
        if fluxes is None:
            assert held is not None
            is_whole = np.isfinite(rain[:, part]).all(axis=0) & np.isfinite(demand[:, part]).all(axis=0)
            cells = np.flatnonzero(is_whole & np.isfinite(held[part])) + first
            water = bucket_fluxes(rain[:, cells], demand[:, cells], held[cells])
        else:
            arrays = [np.asarray(one, float).reshape(len(rain), -1)[:, part] for one in vars(fluxes).values()]
            is_whole = np.all([np.isfinite(one).all(axis=0) for one in (rain[:, part], *arrays)], axis=0)
            cells = np.flatnonzero(is_whole) + first
            water = PalmerFluxes(*(one[:, is_whole] for one in arrays))
        raw = moisture_anomaly(rain[:, cells], water, moments, counted)
        good, found, factors = _calibrated(raw, counted, dry_start)
        for target, values in zip(results, found, strict=True):
            target[:, cells[good]] = values
        lines[:, cells[good]] = factors
    is_calibrated = np.isfinite(lines).all(axis=0)
    if not is_calibrated.any():
        raise InputError("Palmer index: no cell can be calibrated; series have gaps, or lack wet or dry spells. Look "
                         "at precipitation and potential evapotranspiration, or give a longer calibration.")
    pdsi, phdi, pmdi, z = (one.reshape(-1, *shape) for one in results)
    return PalmerIndex(pdsi, phdi, pmdi, z, lines[:2].reshape(2, *shape), lines[2:].reshape(2, *shape),
                       is_calibrated.reshape(shape))


def moisture_anomaly(rain: Array, water: PalmerFluxes, months: Array, counted: Array) -> Array:
    """Return the moisture anomaly before its calibration, K' d [1], shape (month, cell).

    d = P - (alpha PE + beta PR + gamma PRO - delta PL) with the mean ratios of each calendar month, and
    K' = 1.5 log10((T + 2.8) / D) + 0.5 with the ratio T of mean demand and supply and the mean D of |d| in inches
    (equations 5 to 10 of [1]_).
    """
    calendar = calendar_month(months)
    masks = [counted & (calendar == one) for one in range(MONTHS)]

    def means(values: Array) -> Array:
        return np.stack([values[mask].mean(axis=0) for mask in masks])

    used, used_most = means(water.evapotranspiration), means(water.potential_evapotranspiration)
    gained, gained_most = means(water.recharge), means(water.potential_recharge)
    away, away_most = means(water.runoff), means(water.potential_runoff)
    lost, lost_most = means(water.loss), means(water.potential_loss)
    alpha, beta = _ratio(used, used_most, 1.0), _ratio(gained, gained_most, 1.0)
    gamma, delta = _ratio(away, away_most, 1.0), _ratio(lost, lost_most, 0.0)
    expected = (alpha[calendar] * water.potential_evapotranspiration + beta[calendar] * water.potential_recharge
                + gamma[calendar] * water.potential_runoff - delta[calendar] * water.potential_loss)
    departure = (rain - expected) / INCH
    mean_departure = means(np.abs(departure))
    supply = means(rain) + lost
    with np.errstate(divide="ignore", invalid="ignore"):
        demand = (used_most + gained + away) / supply
        weight = 1.5 * np.log10((demand + 2.8) / mean_departure) + 0.5
    return weight[calendar] * departure


def duration_line(anomaly: Array, sign: int) -> tuple[Array, Array]:
    """Fit the line of extreme sums of the anomaly against their length [1]_.

    Parameters
    ----------
    anomaly : numpy.ndarray, shape (month, cell)
        Moisture anomalies of the calibration.
    sign : int
        1 for wet, -1 for dry.

    Returns
    -------
    slope, intercept : numpy.ndarray, shape (cell,)
        In units of an extreme index.
    """
    total = np.concatenate([np.zeros((1, anomaly.shape[1])), np.cumsum(anomaly, axis=0)])
    y = np.stack([_extreme(total[length:] - total[:-length], sign) for length in WINDOWS])
    x = np.asarray(WINDOWS, float)[:, None]
    slope, points = np.zeros(y.shape[1]), np.zeros(y.shape[1], int)
    for number in range(LEAST_POINTS, len(WINDOWS) + 1):
        dx = x[:number] - x[:number].mean()
        dy = y[:number] - y[:number].mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = (dx * dy).sum(axis=0) / np.sqrt((dx**2).sum() * (dy**2).sum(axis=0))
        takes = (sign * correlation >= LEAST_CORRELATION) | (number == LEAST_POINTS)
        slope = np.where(takes, (dx * dy).sum(axis=0) / (dx**2).sum(), slope)
        points = np.where(takes, number, points)
    is_kept = np.arange(len(WINDOWS))[:, None] < points
    intercept = sign * np.where(is_kept, sign * (y - slope * x), -np.inf).max(axis=0)
    return slope / (sign * EXTREME), intercept / (sign * EXTREME)


def _extreme(sums: Array, sign: int) -> Array:
    """Return the most extreme of sums (place, cell); the wettest without freaks, 0 if no sum is wet."""
    if sign < 0:
        return sums.min(axis=0)
    usual = _order_statistics(sums, (100 - TAIL,))[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        is_usual = sums / usual < FREAK
    return np.where((sums > 0.0) & is_usual, sums, 0.0).max(axis=0)


def _order_statistics(values: Array, percents: tuple[int, ...]) -> Array:
    """Return the floor(percent n / 100)-th smallest of n values (value, cell), from 1, as the program of [1]_ does."""
    ranks = [max(percent * len(values) // 100 - 1, 0) for percent in percents]
    return np.partition(np.ascontiguousarray(values.T), ranks, axis=1)[:, ranks].T


def _calibrated(
    raw: Array, counted: Array, dry_start: str
) -> tuple[Array, tuple[Array, ...], Array]:
    """Return where a calibration succeeds, the indices and anomalies there, and the factors (4, cell)."""
    lines = np.stack([*duration_line(raw[counted], 1), *duration_line(raw[counted], -1)])
    good = DurationFactors(*lines).is_stable() & np.isfinite(raw).all(axis=0)
    z = raw[:, good]
    for _ in range(PASSES):
        severity = find_spells(z, DurationFactors(*lines[:, good]), dry_start=dry_start).severity()
        low, high = _order_statistics(severity[counted], (TAIL, 100 - TAIL))
        has_both = (low < 0.0) & (high > 0.0)
        good[good] = has_both
        z, low, high = z[:, has_both], low[has_both], high[has_both]
        z = np.where(z < 0.0, z * (-EXTREME / low), z * (EXTREME / high))
    spells = find_spells(z, DurationFactors(*lines[:, good]), dry_start=dry_start)
    severity = spells.severity()
    return good, (severity, spells.hydrological(severity), spells.modified(), z), lines[:, good]


def _ratio(part: Array, whole: Array, otherwise: float) -> Array:
    """Divide means; 0 where only the whole is 0, ``otherwise`` where both are."""
    return np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), np.where(part == 0.0, otherwise, 0.0))
