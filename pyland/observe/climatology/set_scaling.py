"""Rescaling of observations to the climatology of the model.

A filter takes a difference between observation and model for an error of chance. Where means and amplitudes differ by
representation (a probe in a stony soil, a satellite product with its own porosity), the observations are rescaled
first (Reichle and Koster 2004; here mean and standard deviation only). This removes every bias, that of the model
too: judge biases only from runs without scaling.

References
----------
.. [1] Reichle, R. H., Koster, R. D. (2004). Bias reduction in short records of satellite soil moisture.
   Geophys. Res. Lett. 31, L19501.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.observations import ObservationSet

METHODS = ("none", "mean", "mean_std")

MINIMUM_COUNT = 10
"""Fewest values of a place from which a mean and a standard deviation are taken."""


def rescale_mean(observations: np.ndarray, model_mean: np.ndarray, observed_mean: np.ndarray) -> np.ndarray:
    """Shift observations to the model mean: ``x - observed_mean + model_mean``; all in the unit of ``observations``."""
    return np.asarray(observations) - observed_mean + model_mean


def rescale_mean_std(
    observations: np.ndarray,
    model_mean: np.ndarray,
    model_std: np.ndarray,
    observed_mean: np.ndarray,
    observed_std: np.ndarray,
) -> np.ndarray:
    """Give observations the mean and the standard deviation of the model.

    Parameters
    ----------
    observations : array_like, shape (..., obs)
        Observed values.
    model_mean, model_std : array_like, shape (obs,) or ()
        Climatology of the model, as the operator sees it.
    observed_mean, observed_std : array_like, shape (obs,) or ()
        Climatology of the observations.

    Returns
    -------
    ndarray
        ``model_mean + (observations - observed_mean) * model_std / observed_std``. The standard deviation of the
        observation error scales with the same ratio.

    Raises
    ------
    InputError
        If an observed standard deviation is not positive or a model standard deviation is negative.
    """
    observed_std, model_std = np.asarray(observed_std, float), np.asarray(model_std, float)
    if not (observed_std > 0).all() or not (model_std >= 0).all():
        raise InputError("scaling mean_std: standard deviations of the observations must be positive and those of the "
                         "model not negative. A constant observation cannot be rescaled; use `scaling: mean`.")
    return model_mean + (np.asarray(observations) - observed_mean) * (model_std / observed_std)


def observed_climatology(sets: list[ObservationSet]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the statistics over time of each place.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets of one name; only used observations count.

    Returns
    -------
    location : ndarray of int, shape (place,)
        Places in rising order.
    mean, std : ndarray, shape (place,)
        Mean and standard deviation (division by n); NaN below :data:`MINIMUM_COUNT` values.
    count : ndarray of int, shape (place,)
        Number of values.
    """
    where = np.concatenate([one.location[one.used] for one in sets]) if sets else np.zeros(0, np.int64)
    values = np.concatenate([one.values[one.used] for one in sets]) if sets else np.zeros(0)
    location, first, index = np.unique(where, return_index=True, return_inverse=True)
    count = np.bincount(index, minlength=location.size)
    enough = count >= MINIMUM_COUNT
    safe = np.maximum(count, 1)
    origin = values[first]  # sums of differences from it: a constant series has the standard deviation 0 exactly
    shift = np.bincount(index, values - origin[index], location.size) / safe
    mean = origin + shift
    std = np.sqrt(np.bincount(index, (values - origin[index] - shift[index]) ** 2, location.size) / safe)
    return location, np.where(enough, mean, np.nan), np.where(enough, std, np.nan), count


def rescale_sets(
    sets: list[ObservationSet], method: str, model_mean: dict[int, float], model_std: dict[int, float] | None = None
) -> list[ObservationSet]:
    """Rescale all sets of one name to the climatology of the model.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets of one name.
    method : str
        ``"none"``, ``"mean"`` or ``"mean_std"``.
    model_mean, model_std : dict
        Model climatology of each ``location`` as the operator sees it, from a run without assimilation over the same
        times; ``model_std`` only for ``"mean_std"``.

    Returns
    -------
    list of ObservationSet
        New sets; error variances follow the slope of ``"mean_std"``.

    Raises
    ------
    InputError
        If the method is unknown, a place has too few values, or the model climatology lacks a place.

    Notes
    -----
    The observed climatology is that of all given sets: it uses values after the time of an analysis, as reanalyses
    do. A real-time run must pass statistics of an earlier period through :func:`rescale_mean_std` instead.
    """
    if method not in METHODS:
        raise InputError(f"observations.scaling: expected one of {', '.join(METHODS)}, got {method!r}.")
    if method == "none" or not sets:
        return list(sets)
    location, mean, std, count = observed_climatology(sets)
    short = np.flatnonzero(~np.isfinite(mean))
    if short.size:
        raise InputError(
            f"observations.scaling: '{sets[0].name}' has only {int(count[short[0]])} values at location "
            f"{int(location[short[0]])}; {MINIMUM_COUNT} are needed. Use `scaling: none` or a longer period."
        )
    lacking = [int(place) for place in location if int(place) not in model_mean]
    if lacking:
        raise InputError(f"observations.scaling: the model climatology lacks location {lacking[0]} of "
                         f"'{sets[0].name}'.")
    target_mean = np.array([model_mean[int(place)] for place in location])
    target_std = np.array([(model_std or {}).get(int(place), np.nan) for place in location])
    if method == "mean_std":
        _need_spread(sets[0].name, location, std, target_std)
    return [_rescaled(one, method, location, (mean, std, target_mean, target_std)) for one in sets]


def _need_spread(name: str, location: np.ndarray, observed: np.ndarray, model: np.ndarray) -> None:
    """Refuse places whose values do not vary, (place,); standard deviations of observations and model."""
    for what, values, bad in (("an observed", observed, ~(observed > 0)), ("a modelled", model, ~(model >= 0))):
        place = np.flatnonzero(bad)
        if place.size:
            raise InputError(
                f"observations.scaling: mean_std of '{name}' needs values that vary in time, got {what} standard "
                f"deviation of {values[place[0]]:g} at location {int(location[place[0]])}. Use `scaling: mean` or a "
                "longer period.")


def _rescaled(one: ObservationSet, method: str, location: np.ndarray,
              statistics: tuple[np.ndarray, ...]) -> ObservationSet:
    used = np.flatnonzero(one.used)
    mean, std, target_mean, target_std = (s[np.searchsorted(location, one.location[used])] for s in statistics)
    values, variance = one.values.copy(), one.variance.copy()
    if method == "mean":
        values[used] = rescale_mean(values[used], target_mean, mean)
    else:
        if not (target_std > 0).all():
            raise InputError(f"observations.scaling: mean_std needs a positive model standard deviation at each place "
                             f"of '{one.name}'.")
        values[used] = rescale_mean_std(values[used], target_mean, target_std, mean, std)
        variance[used] *= (target_std / std) ** 2
    return replace(one, values=values, variance=variance)
