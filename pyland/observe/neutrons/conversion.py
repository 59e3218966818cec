"""From counts to one soil moisture and back, without a profile: the N0 relation and the universal transport solution.

Water is that of all pools together, over the mass of dry soil [kg kg-1]: soil, lattice and organic water.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError

N0_COEFFICIENTS = (0.0808, 0.372, 0.115)
"""a0, a1, a2 of Desilets, Zreda and Ferre (2010), Water Resour. Res. 46, W11505, eq. A1."""

UTS_DENSITY = 1.43
"""Bulk density of the simulations behind the universal transport solution [g cm-3] (Koehli et al. 2021, appendix)."""

MOST_WATER = 10.0
"""Most water for which `uts_moisture` looks [kg kg-1]; water-logged peat."""

_BISECTIONS = 60  # 10 / 2**60 is below the last bit of any moisture


@dataclass(frozen=True)
class UtsParameters:
    """Coefficients p0 to p7 of the universal transport solution, for g cm-3 of water and g m-3 of humidity."""

    p0: float
    p1: float
    p2: float
    p3: float
    p4: float
    p5: float
    p6: float
    p7: float


UTS_PARAMETERS = MappingProxyType({
    "mcnp_drf": UtsParameters(1.0940, 0.0280, 0.254, 3.537, 0.139, -0.00140, -0.0088, 0.000115),
    "mcnp_window": UtsParameters(1.2650, 0.0259, 0.135, 1.237, 0.063, -0.00021, -0.0117, 0.000120),
    "uranos_drf": UtsParameters(1.0240, 0.0226, 0.207, 1.625, 0.235, -0.00290, -0.0093, 0.000074),
    "uranos_window": UtsParameters(1.2230, 0.0185, 0.142, 2.568, 0.155, -0.00047, -0.0119, 0.000092),
})
"""Koehli, Weimar, Schroen, Baatz and Schmidt (2021), Front. Water 2, 544847, table of the parameters of eq. 15:
simulated by MCNP6 or URANOS, with the response function of a detector or a window of energies."""


def n0_moisture(counts: ArrayLike, n0: ArrayLike, other_water: ArrayLike = 0.0) -> np.ndarray:
    """Return soil water by the N0 relation, a0/(N/N0 - a1) - a2 - other water.

    Parameters
    ----------
    counts : array_like
        Corrected counts [any unit].
    n0 : array_like
        N0 of the probe [same unit].
    other_water : array_like
        Lattice and organic water over dry soil by mass [kg kg-1].

    Returns
    -------
    ndarray
        Soil water over dry soil by mass [kg kg-1]; times bulk density over 1000 kg m-3 is [m3 m-3]. NaN where counts
        are so few that no water gives them; negative where they are more than dry soil gives, as noise may make them.
    """
    a0, a1, a2 = N0_COEFFICIENTS
    _positive("n0", n0)
    over = np.asarray(counts, float) / n0 - a1
    with np.errstate(divide="ignore"):
        return np.where(over > 0, a0 / np.where(over > 0, over, np.nan) - a2 - np.asarray(other_water, float), np.nan)


def n0_counts(moisture: ArrayLike, n0: ArrayLike, other_water: ArrayLike = 0.0) -> np.ndarray:
    """Return counts by the N0 relation, the inverse of `n0_moisture`.

    Raises
    ------
    InputError
        If N0 is not positive or water is negative.
    """
    a0, a1, a2 = N0_COEFFICIENTS
    _positive("n0", n0)
    return np.asarray(n0, float) * (a1 + a0 / (_water(moisture, other_water) + a2))


def uts_counts(
    moisture: ArrayLike, humidity: ArrayLike, n_detector: ArrayLike, other_water: ArrayLike = 0.0,
    parameters: str | UtsParameters = "mcnp_drf",
) -> np.ndarray:
    """Return counts by the universal transport solution (Koehli et al. 2021, eq. 15).

    Parameters
    ----------
    moisture : array_like
        Soil water over dry soil by mass [kg kg-1].
    humidity : array_like
        Absolute humidity of the air [kg m-3]; counts are not corrected for it.
    n_detector : array_like
        N_D of the probe [any unit of counts].
    other_water : array_like
        Lattice and organic water over dry soil by mass [kg kg-1].
    parameters : str or UtsParameters
        Key of `UTS_PARAMETERS`, or coefficients.

    Raises
    ------
    InputError
        If there are no such parameters, N_D is not positive, or water is negative.
    """
    _positive("n_detector", n_detector)
    return np.asarray(n_detector, float) * _uts(
        _water(moisture, other_water), np.asarray(humidity, float), _uts_parameters(parameters))


def uts_moisture(
    counts: ArrayLike, humidity: ArrayLike, n_detector: ArrayLike, other_water: ArrayLike = 0.0,
    parameters: str | UtsParameters = "mcnp_drf",
) -> np.ndarray:
    """Return soil water by the universal transport solution: `uts_counts` inverted by bisection.

    Returns
    -------
    ndarray
        Soil water over dry soil by mass [kg kg-1]; NaN where counts are fewer than water of 10 kg kg-1 gives, or more
        than dry soil gives: there the relation has no inverse. Averages of noisy counts on quite dry soil are biased by
        what is left out.

    Raises
    ------
    InputError
        If there are no such parameters or N_D is not positive.
    """
    known = _uts_parameters(parameters)
    _positive("n_detector", n_detector)
    ratio, humidity, other = np.broadcast_arrays(
        np.asarray(counts, float) / n_detector, np.asarray(humidity, float), np.asarray(other_water, float))
    low, high = np.zeros(ratio.shape), np.full(ratio.shape, MOST_WATER)
    has_inverse = (ratio <= _uts(low, humidity, known)) & (ratio >= _uts(high, humidity, known))
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        is_wetter = ratio < _uts(middle, humidity, known)
        low, high = np.where(is_wetter, middle, low), np.where(is_wetter, high, middle)
    return np.where(has_inverse, 0.5 * (low + high) - other, np.nan)


def uts_humidity_factor(
    moisture: ArrayLike, humidity: ArrayLike, reference: float = 0.0, parameters: str | UtsParameters = "mcnp_drf"
) -> np.ndarray:
    """Return the factor that turns counts at a humidity into those at a reference, for a moisture of all pools.

    The effect of vapour depends on soil water, which `humidity_factor` neglects: see Koehli et al. (2021), sect. 3.

    Parameters
    ----------
    moisture : array_like
        Soil, lattice and organic water over dry soil by mass [kg kg-1].
    humidity : array_like
        Absolute humidity [kg m-3].
    reference : float
        Absolute humidity of the reference [kg m-3].
    parameters : str or UtsParameters
        Key of `UTS_PARAMETERS`, or coefficients.
    """
    known, water = _uts_parameters(parameters), _water(moisture, 0.0)
    return _uts(water, np.asarray(reference, float), known) / _uts(water, np.asarray(humidity, float), known)


def _uts(water: np.ndarray, humidity: np.ndarray, p: UtsParameters) -> np.ndarray:
    theta, h = UTS_DENSITY * water, 1000.0 * humidity
    return (p.p1 + p.p2 * theta) / (p.p1 + theta) * (p.p0 + p.p6 * h + p.p7 * h**2) + np.exp(-p.p3 * theta) * (
        p.p4 + p.p5 * h)


def _uts_parameters(parameters: str | UtsParameters) -> UtsParameters:
    if isinstance(parameters, UtsParameters):
        return parameters
    if parameters not in UTS_PARAMETERS:
        raise InputError(f"universal transport solution: unknown parameters '{parameters}'; available: "
                         f"{', '.join(UTS_PARAMETERS)}.")
    return UTS_PARAMETERS[parameters]


def _water(moisture: ArrayLike, other_water: ArrayLike) -> np.ndarray:
    water = np.asarray(moisture, float) + np.asarray(other_water, float)
    if (water < 0).any():
        raise InputError(f"conversion to counts: water must be at least 0 kg kg-1, got {np.nanmin(water):.4g}.")
    return water


def _positive(name: str, values: ArrayLike) -> None:
    if not (np.asarray(values, float) > 0).all():
        raise InputError(f"conversion of counts: {name} must be above 0.")


__all__ = ["N0_COEFFICIENTS", "UTS_DENSITY", "UTS_PARAMETERS", "UtsParameters", "n0_counts", "n0_moisture",
           "uts_counts", "uts_humidity_factor", "uts_moisture"]
