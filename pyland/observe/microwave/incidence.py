"""Backscatter at one incidence angle: the slope with the angle, from pairs of ascending and descending passes.

A place is seen under different angles by passes a short time apart, so that the difference of the two is the slope
times the difference of the angles, plus noise. The slope k is linear in predictors x (latitude, longitude, height, day
of year): sigma_a - sigma_d = (theta_a - theta_d) (b_0 + b_1 x_1 + ...), solved for b by least squares of the
*differences*. Dividing by the difference of the angles first, as is often done, has noise that grows where that
difference is small: its coefficients have a standard deviation larger by (E[D^-2] E[D^2])^(1/2), D the difference of
the angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError

LEAST_DIFFERENCE = 5.0
"""Difference of angles below which a pair says too little of the slope [degree]."""


@dataclass(frozen=True)
class IncidenceSlope:
    """Slope of the backscatter with the incidence angle.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (1 + predictor,)
        b_0 [dB degree-1] and b of the predictors [dB degree-1 per unit].
    covariance : numpy.ndarray, shape (1 + predictor, 1 + predictor)
        Of the coefficients.
    residual : float
        Standard deviation of the differences that is left [dB].
    count : int
        Pairs that were used.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    residual: float
    count: int

    def slope(self, *predictors: ArrayLike) -> np.ndarray:
        """Return the slope [dB degree-1] at predictors, in the order of the fit.

        Raises
        ------
        InputError
            If there are more or fewer predictors than in the fit.
        """
        if len(predictors) != len(self.coefficients) - 1:
            raise InputError(
                f"incidence angle: the slope was fitted with {len(self.coefficients) - 1} predictors, got "
                f"{len(predictors)}.")
        slope = np.asarray(self.coefficients[0])
        for b, x in zip(self.coefficients[1:], predictors, strict=True):
            slope = slope + b * np.asarray(x, float)
        return slope

    def normalise(
        self, backscatter: ArrayLike, angle: ArrayLike, *predictors: ArrayLike, reference: float = 40.0
    ) -> np.ndarray:
        """Return the backscatter [dB] that would have been seen at ``reference`` [degree]; NaN stays NaN."""
        difference = np.asarray(angle, float) - reference
        return np.asarray(backscatter, float) - self.slope(*predictors) * difference


def fit_incidence_slope(
    ascending: ArrayLike,
    descending: ArrayLike,
    angle_ascending: ArrayLike,
    angle_descending: ArrayLike,
    *predictors: ArrayLike,
    least_difference: float = LEAST_DIFFERENCE,
) -> IncidenceSlope:
    """Fit the slope of the backscatter with the incidence angle to pairs of passes.

    Parameters
    ----------
    ascending, descending : array_like, shape (pair,)
        Backscatter [dB]; pairs with NaN are left out.
    angle_ascending, angle_descending : array_like, shape (pair,)
        Of incidence [degree].
    *predictors : array_like, shape (pair,)
        What the slope depends on beside its mean; scaled to the order of 1 they make the fit well conditioned.
    least_difference : float
        Pairs of a smaller difference of angles are left out [degree].

    Returns
    -------
    IncidenceSlope

    Raises
    ------
    InputError
        If shapes differ, or too few pairs are left, or the predictors depend on each other.
    """
    arrays = [np.asarray(a, float) for a in (ascending, descending, angle_ascending, angle_descending, *predictors)]
    if arrays[0].ndim != 1 or any(array.shape != arrays[0].shape for array in arrays):
        raise InputError(f"incidence angle: expected arrays (pair,), got {[array.shape for array in arrays]}.")
    difference = arrays[2] - arrays[3]
    good = np.isfinite(arrays).all(axis=0) & (np.abs(difference) > least_difference)
    design = difference[good, None] * np.column_stack([np.ones(int(good.sum())), *(x[good] for x in arrays[4:])])
    target = (arrays[0] - arrays[1])[good]
    count, unknowns = design.shape
    if count <= unknowns:
        raise InputError(
            f"incidence angle: {count} pairs differ by more than {least_difference} degrees, the slope needs more than "
            f"{unknowns}; give more passes or fewer predictors.")
    coefficients, _, rank, _ = np.linalg.lstsq(design, target, rcond=None)
    if rank < unknowns:
        raise InputError("incidence angle: the predictors depend on each other (or one is constant); leave one out.")
    residual = target - design @ coefficients
    variance = float(residual @ residual) / (count - unknowns)
    covariance = variance * np.linalg.inv(design.T @ design)
    return IncidenceSlope(coefficients, covariance, variance**0.5, count)


__all__ = ["LEAST_DIFFERENCE", "IncidenceSlope", "fit_incidence_slope"]
