"""Options that single filters have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.filter_table import LOCAL_FILTERS
from pyland.base.errors import InputError
from pyland.core.transforms import HYBRID_RULES, LIKELIHOODS, ROOTS, VARIANTS

_NONLINEAR = ("likelihood", "least_effective")
_HYBRID = ("likelihood", "variant", "hybrid_rule", "hybrid_weight", "hybrid_norm")
OPTIONS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType({
    "seik": ("root",), "lseik": ("root",),
    "netf": _NONLINEAR, "lnetf": _NONLINEAR,
    "knetf": _HYBRID, "lknetf": _HYBRID,
    "rhf": ("bounds",), "lrhf": ("bounds",),
    "pf": ("jitter", "resampling", "dimension", *_NONLINEAR),
    "lenkf": ("localise",),
})  # fmt: skip
"""Options by filter."""

LOCALISE = ("covariance", "errors")
"""What the LEnKF localises: covariances, or error variances as the LETKF."""

_OTHER_NAMES = MappingProxyType({
    "forget": "it is inflation = 1/sqrt(forget)",
    "locweight": "it is taper='none' (0), 'exponential' (1) or 'gaspari_cohn' (2) of analyse_local",
    "cradius": "it is radius of analyse_local", "sradius": "it is radius of analyse_local",
    "localization_radius": "it is radius of analyse_local", "seed": "it is rng",
    "relax": "it is relaxation", "rtps": "it is relaxation with relaxation_to='spread'",
    "rtpp": "it is relaxation with relaxation_to='perturbations'",
})  # fmt: skip
"""What other systems call an argument."""

_OF_LOCAL = ("radius", "taper", "coords_state", "coords_obs", "domain_of_state", "metric", "period", "depth_state",
             "depth_obs", "depth_radius", "depth_taper", "distances", "adaptive", "error_group", "error_length",
             "inflate_unobserved")  # fmt: skip
"""Arguments of `analyse_local` that `analyse` does not have."""

_CHOICES = {"root": ROOTS, "likelihood": LIKELIHOODS, "variant": VARIANTS, "hybrid_rule": HYBRID_RULES}
_HIGHEST = {"least_effective": 1.0, "hybrid_weight": 1.0, "hybrid_norm": np.inf}


def check_options(method: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a filter does not have.

    Raises
    ------
    InputError
        If one belongs to another filter, or to none.
    """
    own = OPTIONS.get(method, ())
    for name in options:
        if name not in own:
            owners = [one for one, names in OPTIONS.items() if name in names]
            if name in _OTHER_NAMES:
                raise InputError(f"method '{method}' has no option {name}: {_OTHER_NAMES[name]}")
            if name in _OF_LOCAL:
                raise InputError(f"method '{method}' has no option {name}: it belongs to the local methods, use "
                                 f"analyse_local(..., method='l{method}')" if f"l{method}" in LOCAL_FILTERS else
                                 f"method '{method}' has no option {name}, which belongs to analyse_local and its "
                                 f"methods {', '.join(LOCAL_FILTERS)}")
            belongs = f"it belongs to {', '.join(owners)}" if owners else "no filter has it"
            has = f"; '{method}' has {', '.join(own)}" if own else ""
            raise InputError(f"method '{method}' has no option {name}: {belongs}{has}")


def weight_options(kernel: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked options of a filter that works by weights, as `pyland.core.transforms` takes them.

    Parameters
    ----------
    kernel : str
        Global filter.
    options : mapping
        Those given, after `check_options`.

    Raises
    ------
    InputError
        If one is out of range.
    """
    checked: dict[str, Any] = {}
    for name in OPTIONS.get(kernel, ()):
        if name not in options:
            continue
        if name in _CHOICES:
            checked[name] = arguments.check_choice(name, str(options[name]).lower(), _CHOICES[name])
        else:
            checked[name] = arguments.check_number(
                name, options[name], 0.0, _HIGHEST[name], open_low=name == "hybrid_norm")
    return checked


def check_bounds(bounds: Any, predicted: np.ndarray) -> np.ndarray:
    """Return the bounds of observed quantities.

    Parameters
    ----------
    bounds : pair of float or array_like, optional
        Lower and upper, numbers or ``(obs,)``; None for no bounds.
    predicted : numpy.ndarray, shape (member, obs)
        Predicted observations.

    Returns
    -------
    numpy.ndarray, shape (obs, 2)

    Raises
    ------
    InputError
        If a bound is NaN, bounds are in the wrong order, or a prediction lies beyond.
    """
    nobs = predicted.shape[1]
    if bounds is None:
        return np.tile([-np.inf, np.inf], (nobs, 1))
    try:
        low, high = (np.broadcast_to(np.asarray(one, dtype=float), (nobs,)) for one in bounds)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"bounds must be a pair (lower, upper) of numbers or of shape ({nobs},); got {bounds!r}") from error
    if not (low < high).all():
        raise InputError("bounds must have the lower one below the upper one")
    outside = (predicted < low) | (predicted > high)
    if outside.any():
        member, place = (int(i) for i in np.argwhere(outside)[0])
        raise InputError(f"Y[{member}, {place}] = {predicted[member, place]:g} lies outside the bounds "
                         f"[{low[place]:g}, {high[place]:g}] of observation {place}")
    return np.stack([low, high], axis=1)


__all__ = ["LOCALISE", "OPTIONS", "check_bounds", "check_options", "weight_options"]
