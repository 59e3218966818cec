"""Roughness, albedo and vegetation parameter of sites, from the climatology of their brightness temperature.

The mean and the standard deviation in time of each kind of observation (a polarisation at an angle) are matched by
least squares, with a prior (De Lannoy, Reichle and Pauwels 2013, J. Hydrometeorol. 14, 765-785). All sites are fitted
at once by damped Gauss-Newton steps (Levenberg-Marquardt), each with its own damping; parameters stay within physical
bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.observe.microwave.tau_omega import brightness_temperature, optical_depth, polarisation_number

PARAMETERS = ("roughness", "albedo", "vegetation_b")
"""What is fitted: h [1], omega [1] and b of the vegetation water [m2 kg-1]."""

PRIOR: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"roughness": (0.5, 0.5), "albedo": (0.1, 0.05), "vegetation_b": (0.2, 0.15)})
"""Mean and standard deviation of each parameter before the fit [1], [1], [m2 kg-1]."""

BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"roughness": (0.0, 2.0), "albedo": (0.0, 0.3), "vegetation_b": (0.0, 0.7)})
"""Values that parameters can have."""

MOST_ITERATIONS = 60
STEP_TOLERANCE = 1.0e-4
"""Step over the prior standard deviation at which a site is done [1]."""

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1.0e-2, 1.0e-8, 1.0e8
_DIFFERENCE = 1.0e-4
"""Step of the numerical derivative over the prior standard deviation [1]."""


@dataclass(frozen=True)
class EmissionCalibration:
    """Parameters of sites.

    Attributes
    ----------
    parameters : dict of str to numpy.ndarray, shape (site,)
        By the names of `PARAMETERS`; names of settings and of static fields of the operator. NaN where a site has too
        few observations.
    first_misfit, misfit : numpy.ndarray, shape (site,)
        Sum of squares over the errors, prior included, at the prior mean and at the end [1].
    iterations : int
        Steps that the last site took.
    converged : numpy.ndarray of bool, shape (site,)
        Whether the last step was small; False where there are too few observations.
    """

    parameters: dict[str, np.ndarray]
    first_misfit: np.ndarray
    misfit: np.ndarray
    iterations: int
    converged: np.ndarray


def calibrate_emission(
    observed: ArrayLike,
    angle: ArrayLike,
    polarisation: tuple[str, ...] | list[str],
    soil_moisture: ArrayLike,
    soil_temperature: ArrayLike,
    clay: ArrayLike,
    vegetation_water: ArrayLike,
    *,
    prior: Mapping[str, tuple[float, float]] = PRIOR,
    error: tuple[float, float] = (1.0, 1.0),
    least: int = 20,
    **options: Any,
) -> EmissionCalibration:
    """Fit roughness, albedo and vegetation parameter to the climatology of sites.

    Parameters
    ----------
    observed : array_like, shape (kind, time, site)
        Brightness temperatures [K]; NaN where there is none. Frozen and snow-covered times must be NaN.
    angle : array_like, shape (kind,)
        Incidence angle of each kind [degree].
    polarisation : sequence of {"h", "v"}, length kind
        Polarisation of each kind.
    soil_moisture, soil_temperature, vegetation_water : array_like, shape (time, site)
        [m3 m-3], [K], [kg m-2] of the model at the times of the observations.
    clay : array_like, shape (site,)
        Share of the mineral mass [1].
    prior : Mapping[str, tuple[float, float]]
        Mean and standard deviation of each of `PARAMETERS`; the mean is the first guess.
    error : tuple[float, float]
        Standard deviations of what the mean and the standard deviation in time are known to [K].
    least : int
        Observations that each kind of a site needs.
    **options
        Of :func:`brightness_temperature`, for example ``canopy_temperature`` ``(time, site)``, ``sand``,
        ``dielectric``.

    Returns
    -------
    EmissionCalibration

    Raises
    ------
    InputError
        If shapes do not fit, a prior or an error is not positive, or a value cannot be.
    """
    seen, angles = np.asarray(observed, float), np.asarray(angle, float)
    water, warmth, plants = (np.asarray(a, float) for a in (soil_moisture, soil_temperature, vegetation_water))
    if seen.ndim != 3 or angles.shape != seen.shape[:1] or len(polarisation) != len(seen) or any(
        a.shape != seen.shape[1:] for a in (water, warmth, plants)
    ):
        raise InputError(
            "calibration of emission: expected observations (kind, time, site), an angle and a polarisation for each "
            f"kind, and water, temperature and vegetation (time, site); got {seen.shape}, {angles.shape}, "
            f"{len(polarisation)}, {water.shape}, {warmth.shape}, {plants.shape}.")
    _check_prior(prior, error, least)
    numbers = [polarisation_number(word) for word in polarisation]
    centre = np.array([prior[name][0] for name in PARAMETERS])[:, None]
    spread = np.array([prior[name][1] for name in PARAMETERS])[:, None]
    valid = np.isfinite(seen) & np.isfinite(water + warmth + plants)
    enough = (valid.sum(axis=1) >= least).all(axis=0)
    target = _climatology(seen, valid)

    def residuals(parameters: np.ndarray) -> np.ndarray:
        """Differences over their errors (2 kind + 3, site) at parameters (3, site)."""
        simulated = np.empty_like(seen)
        for k, (place, p) in enumerate(zip(angles, numbers, strict=True)):
            simulated[k] = brightness_temperature(
                water, warmth, clay, angle=place, roughness=parameters[0], albedo=parameters[1],
                optical_depth=optical_depth(plants, parameters[2]), **options)[p]
        difference = (_climatology(simulated, valid) - target) / np.repeat(error, len(seen))[:, None]
        return np.concatenate([np.where(enough, difference, 0.0), (parameters - centre) / spread])

    parameters, first, misfit, iterations, converged = _fit(residuals, centre, spread, seen.shape[2])
    parameters[:, ~enough] = np.nan
    return EmissionCalibration(
        dict(zip(PARAMETERS, parameters, strict=True)), first, misfit, iterations, converged & enough)


def _fit(
    residuals: Any, centre: np.ndarray, spread: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, np.ndarray]:
    """Damped Gauss-Newton steps of all sites, within `BOUNDS`, until all steps are small or `MOST_ITERATIONS`."""
    low, high = (np.array([BOUNDS[name][k] for name in PARAMETERS])[:, None] for k in (0, 1))
    parameters = np.broadcast_to(np.clip(centre, low, high), (len(PARAMETERS), count)).copy()
    found = residuals(parameters)
    first = misfit = (found**2).sum(axis=0)
    damping, done = np.full(count, _FIRST_DAMPING), np.zeros(count, dtype=bool)
    iteration = 0
    while iteration < MOST_ITERATIONS and not done.all():
        iteration += 1
        slopes = []
        for k in range(len(PARAMETERS)):
            # toward the inside, so that the moved parameter is possible
            shift = np.where(parameters[k] + _DIFFERENCE * spread[k] <= high[k], 1.0, -1.0) * _DIFFERENCE * spread[k]
            moved = parameters.copy()
            moved[k] += shift
            slopes.append((residuals(moved) - found) / shift * spread[k])
        jacobian = np.stack(slopes, axis=-1).transpose(1, 0, 2)  # (site, residual, parameter)
        normal = np.einsum("sri,srj->sij", jacobian, jacobian)
        gradient = np.einsum("sri,rs->si", jacobian, found)
        # a parameter at its bound that wants to leave is held there
        at_bound = ((parameters <= low) & (gradient.T > 0)) | ((parameters >= high) & (gradient.T < 0))
        held = at_bound.T[:, :, None] | at_bound.T[:, None, :]
        unit = np.eye(len(PARAMETERS))
        normal = np.where(held, unit, normal) + damping[:, None, None] * unit * np.abs(normal)
        step = -np.linalg.solve(normal, np.where(at_bound.T, 0.0, gradient)[:, :, None])[:, :, 0].T
        trial = np.clip(parameters + step * spread, low, high)
        trial = np.where(done, parameters, trial)
        attempt = residuals(trial)
        better = (attempt**2).sum(axis=0) <= misfit
        small = (np.abs(trial - parameters) / spread).max(axis=0) < STEP_TOLERANCE
        parameters, found = np.where(better, trial, parameters), np.where(better, attempt, found)
        misfit = (found**2).sum(axis=0)
        damping = np.clip(np.where(better, damping / 10.0, damping * 10.0), _LEAST_DAMPING, _MOST_DAMPING)
        done |= small
    return parameters, first, misfit, iteration, done


def _climatology(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation in time of valid values, (2 kind, site) [K]."""
    count = np.maximum(valid.sum(axis=1), 1)
    mean = np.where(valid, values, 0.0).sum(axis=1) / count
    departure = np.where(valid, values - mean[:, None], 0.0)
    return np.concatenate([mean, np.sqrt((departure**2).sum(axis=1) / count)])


def _check_prior(prior: Mapping[str, tuple[float, float]], error: tuple[float, float], least: int) -> None:
    """Refuse a prior with other names, or spreads, errors and counts that are not positive."""
    if set(prior) != set(PARAMETERS):
        raise InputError(
            f"calibration of emission: the prior must name {', '.join(PARAMETERS)}, got {', '.join(prior)}.")
    if not all(spread > 0.0 for _, spread in prior.values()) or len(error) != 2 or not min(error) > 0.0 or least < 2:
        raise InputError(
            "calibration of emission: standard deviations of the prior and both errors [K] must be positive, and least "
            "at least 2.")


__all__ = ["BOUNDS", "PARAMETERS", "PRIOR", "EmissionCalibration", "calibrate_emission"]
