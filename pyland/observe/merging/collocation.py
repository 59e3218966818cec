"""Triple and extended collocation: errors of products that nobody has compared with the truth.

Each product is ``x_i = a_i + b_i t + e_i`` with errors of mean zero that are independent of the truth ``t`` and, but
for pairs that are named, of each other. Covariances of three products then give the variance of the errors of each
(Stoffelen 1998; in covariances Gruber et al. 2016a), and those of four and more also covariances of errors (Gruber et
al. 2016b).

References
----------
.. [1] Stoffelen, A. (1998). Toward the true near-surface wind speed: error modeling and calibration using triple
   collocation. J. Geophys. Res. 103, 7755-7766.
.. [2] Gruber, A., Su, C.-H., Zwieback, S., Crow, W., Dorigo, W., Wagner, W. (2016a). Recent advances in (soil moisture)
   triple collocation analysis. Int. J. Appl. Earth Obs. Geoinf. 45, 200-211.
.. [3] Gruber, A., Su, C.-H., Crow, W. T., Zwieback, S., Dorigo, W. A., Wagner, W. (2016b). Estimating error
   cross-correlations in soil moisture data sets using extended collocation analysis. J. Geophys. Res. Atmos. 121,
   1208-1219.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from scipy.special import stdtrit

from pyland.base.errors import InputError

VALID, TOO_FEW, NOT_CORRELATED, NEGATIVE_VARIANCE = range(4)

REASON_WORDS = ("valid", "too_few_common_times", "correlation_not_significant", "variance_not_positive")
"""Meaning of `Collocation.reason`."""

LEAST_COUNT = 100
"""Fewest common times: the error of a product is then known to about a quarter of itself (docs/theory/merging.md)."""

SIGNIFICANCE = 0.05
"""Probability with which products that have nothing in common are taken for correlated."""

LARGEST_NUMBER = 8
"""Most products: the ways in which some are missing double with each."""


@dataclass(frozen=True)
class Collocation:
    """What a collocation finds at each place; scalars instead of (place,) for series of one place.

    Attributes
    ----------
    error_std : ndarray, shape (product, place)
        Standard deviations of the errors, each in the scale of its own product [unit of the products].
    scaling : ndarray, shape (product, place)
        Factor that brings a product to the amplitude of the reference [1].
    r2 : ndarray, shape (product, place)
        Squared correlation with the truth [1].
    snr_db : ndarray, shape (product, place)
        Variance of the truth in the product over that of its errors [dB].
    fmse : ndarray, shape (product, place)
        Share of the errors in the variance of the product [1], ``1 - r2``.
    error_covariance : ndarray, shape (product, product, place)
        Covariances of the errors [unit squared]; those that were taken for independent are zero.
    mean : ndarray, shape (product, place)
        Means over the common times [unit].
    count : ndarray of int, shape (place,)
        Common times.
    is_valid : ndarray of bool, shape (place,)
        Whether all rules are kept; numbers are NaN elsewhere.
    reason : ndarray of int8, shape (place,)
        Which rule is not, see `REASON_WORDS`.
    reference : int
        Number of the reference.
    """

    error_std: np.ndarray
    scaling: np.ndarray
    r2: np.ndarray
    snr_db: np.ndarray
    fmse: np.ndarray
    error_covariance: np.ndarray
    mean: np.ndarray
    count: np.ndarray
    is_valid: np.ndarray
    reason: np.ndarray
    reference: int

    @property
    def scaled_error_std(self) -> np.ndarray:
        """Standard deviations of the errors in the scale of the reference, shape (product, place) [unit]."""
        return self.error_std * self.scaling

    @property
    def scaled_error_covariance(self) -> np.ndarray:
        """Covariances of the errors in the scale of the reference, shape (product, product, place) [unit squared]."""
        return self.error_covariance * self.scaling[:, None] * self.scaling[None, :]


def triple_collocation(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, *, reference: int = 0, least_count: int = LEAST_COUNT,
    significance: float = SIGNIFICANCE,
) -> Collocation:  # fmt: skip
    """Estimate the errors of three products.

    Parameters
    ----------
    x, y, z : array_like, shape (time,) or (time, place)
        Products in one unit, NaN without a value; anomalies rather than values (`anomalies.anomalies_of`).
    reference : {0, 1, 2}
        Product to whose amplitude the others are scaled.
    least_count : int
        Fewest times at which all have values.
    significance : float
        Level at which each pair must be correlated, with a positive sign; in (0, 1), 1 for no such rule.

    Returns
    -------
    Collocation

    Raises
    ------
    InputError
        If shapes differ or an option cannot be.
    """
    return extended_collocation((x, y, z), reference=reference, least_count=least_count, significance=significance)


def extended_collocation(
    products: Sequence[np.ndarray] | np.ndarray, correlated: Sequence[tuple[int, int]] = (), *, reference: int = 0,
    least_count: int = LEAST_COUNT, significance: float = SIGNIFICANCE,
) -> Collocation:  # fmt: skip
    """Estimate the errors of three and more products, some pairs with correlated errors.

    Parameters
    ----------
    products : array_like, shape (product, time) or (product, time, place)
        Products in one unit, NaN without a value.
    correlated : sequence of pairs of int
        Products whose errors are correlated with each other. Each product must be in a triplet without such a pair.
    reference, least_count, significance
        As in `triple_collocation`.

    Returns
    -------
    Collocation

    Raises
    ------
    InputError
        If shapes differ, an option cannot be, or too many pairs are correlated.

    Notes
    -----
    The least-squares solution of Gruber et al. (2016b) is the mean over the triplets ``Q_ac Q_ad/Q_cd`` for the
    variance of the truth in product a, and that of ``Q_ac Q_bd/Q_cd`` for the covariance of what a and b see of it.
    """
    products = np.asarray(products, float)
    single = products.ndim == 2
    stack = products[:, :, None] if single else products
    if stack.ndim != 3 or not 3 <= len(stack) <= LARGEST_NUMBER:
        raise InputError(f"collocation: expected 3 to {LARGEST_NUMBER} products of shape (time,) or (time, place), got "
                         f"shape {products.shape}.")
    if not 0 <= reference < len(stack):
        raise InputError(f"collocation: reference must be the number of a product, 0 to {len(stack) - 1}, got "
                         f"{reference}.")
    if not (least_count >= 3 and 0.0 < significance <= 1.0):
        raise InputError(f"collocation: least_count must be 3 at least and significance in (0, 1], got {least_count} "
                         f"and {significance}.")
    pairs = _checked_pairs(correlated, len(stack))
    covariance, mean, count = common_covariance(stack)
    found = _solve(covariance, mean, count, pairs, (reference, least_count, significance))
    if not single:
        return found
    parts = {name: value[..., 0] for name, value in vars(found).items() if name != "reference"}
    return Collocation(**parts, reference=reference)


def common_covariance(products: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return covariances over the times at which all products have values.

    Parameters
    ----------
    products : ndarray, shape (product, time, place)
        Values, NaN without one.

    Returns
    -------
    covariance : ndarray, shape (product, product, place)
        With the division by n - 1; NaN below two times.
    mean : ndarray, shape (product, place)
    count : ndarray of int, shape (place,)
    """
    number = len(products)
    there = np.isfinite(products).all(axis=0)
    count = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, products, 0.0).sum(axis=1) / count
        centred = np.where(there, products - mean[:, None, :], 0.0)
        covariance = np.empty((number, number, count.size))
        for i in range(number):
            for j in range(i, number):
                covariance[i, j] = covariance[j, i] = np.einsum("tp,tp->p", centred[i], centred[j]) / (count - 1)
    covariance[:, :, count < 2] = np.nan
    return covariance, mean, count


def _checked_pairs(correlated: Sequence[tuple[int, int]], number: int) -> list[tuple[int, int]]:
    pairs = [(min(one), max(one)) for one in correlated]
    for one in pairs:
        if len(one) != 2 or one[0] == one[1] or one[0] < 0 or one[1] >= number:
            raise InputError(f"collocation: expected pairs of different products 0 to {number - 1}, got {one}.")
    return list(dict.fromkeys(pairs))


def _solve(
    covariance: np.ndarray, mean: np.ndarray, count: np.ndarray, pairs: list[tuple[int, int]],
    rules: tuple[int, int, float],
) -> Collocation:  # fmt: skip
    number, (reference, least_count, significance) = len(mean), rules
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = np.stack([_truth_seen(covariance, one, one, pairs) for one in range(number)])
        errors = np.zeros_like(covariance)
        for one in range(number):
            errors[one, one] = covariance[one, one] - signal[one]
        for one, other in pairs:
            shared = covariance[one, other] - _truth_seen(covariance, one, other, pairs)
            errors[one, other] = errors[other, one] = shared
        variance = np.einsum("iip->ip", covariance)
        error = np.einsum("iip->ip", errors)
        reason = np.full(count.shape, VALID, np.int8)
        reason[~((signal > 0) & (error > 0)).all(axis=0) | ~_can_be(errors, pairs)] = NEGATIVE_VARIANCE
        reason[~_is_correlated(covariance, count, significance)] = NOT_CORRELATED
        reason[count < least_count] = TOO_FEW
        bad = reason != VALID
        scaling = np.sqrt(signal[reference] / signal)
        r2 = signal / variance
        numbers = {"error_std": np.sqrt(error), "scaling": scaling, "r2": r2, "snr_db": 10 * np.log10(signal / error),
                   "fmse": 1.0 - r2, "error_covariance": errors}  # fmt: skip
    numbers = {name: np.where(bad, np.nan, values) for name, values in numbers.items()}
    return Collocation(**numbers, mean=mean, count=count, is_valid=~bad, reason=reason, reference=reference)


def _truth_seen(covariance: np.ndarray, a: int, b: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return what two products, or one with itself, have in common by the truth, shape (place,)."""
    def free(*two: int) -> bool:
        return (min(two), max(two)) not in pairs

    others = [one for one in range(len(covariance)) if one not in (a, b)]
    ways = [(c, d) for c, d in (combinations(others, 2) if a == b else permutations(others, 2))
            if free(a, c) and free(b, d) and free(c, d)]
    if not ways:
        what = f"product {a} is" if a == b else f"products {a} and {b} are"
        raise InputError(f"collocation: {what} in no triplet with independent errors; name fewer correlated pairs, or "
                         "add a product with errors of its own.")
    return sum(covariance[a, c] * covariance[b, d] / covariance[c, d] for c, d in ways) / len(ways)


def _is_correlated(covariance: np.ndarray, count: np.ndarray, level: float) -> np.ndarray:
    """Tell where all pairs are positively correlated at a level of Student's two-sided test, shape (place,)."""
    freedom = np.maximum(count - 2, 1)
    quantile = stdtrit(freedom, 1.0 - level / 2.0)
    least = quantile / np.sqrt(freedom + quantile**2)
    good = np.ones(count.shape, bool)
    for i, j in combinations(range(len(covariance)), 2):
        good &= covariance[i, j] > least * np.sqrt(covariance[i, i] * covariance[j, j])
    return good & (count > 2)


def _can_be(errors: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Tell where the covariances of the errors are positive definite, shape (place,)."""
    good = np.isfinite(errors).all(axis=(0, 1))
    if pairs:
        good[good] = np.linalg.eigvalsh(np.moveaxis(errors[:, :, good], -1, 0))[:, 0] > 0.0
    return good
