"""What the network sees of a place and day: products, which of them are there, weather, leaves, season and soil.

All of it is numpy: features, their normalisation, weights over available products, and merging by precisions. Numbers
of the normalisation come from the training part only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.merging.merged import MergeContext

_DAY = np.timedelta64(86400, "s")
_LEAST_TO_NORMALISE = 10


@dataclass(frozen=True)
class Normalisation:
    """Means and standard deviations of the training part.

    Attributes
    ----------
    products : tuple of str
        Names of the products in the order of the arrays.
    product_mean, product_std : ndarray, shape (product,)
        Of the products [their unit].
    predictors : tuple of str
        Names of the predictors in the order of the features.
    predictor_mean, predictor_std : ndarray, shape (predictor,)
        Of the predictors [their units]; the standard deviation of a constant is set to 1.
    target_mean, target_std : float
        Of the target [unit of the products].
    """

    products: tuple[str, ...]
    product_mean: np.ndarray
    product_std: np.ndarray
    predictors: tuple[str, ...]
    predictor_mean: np.ndarray
    predictor_std: np.ndarray
    target_mean: float
    target_std: float

    @property
    def features(self) -> int:
        """Number of features: two for each product, one for each predictor, two for the season."""
        return 2 * len(self.products) + len(self.predictors) + 2


def normalisation_of(products: np.ndarray, context: MergeContext, target: np.ndarray,
                     training: np.ndarray) -> Normalisation:
    """Return the normalisation that the training part gives.

    Parameters
    ----------
    products : ndarray, shape (product, time, place)
        Values, NaN without one.
    context : MergeContext
        Its predictors.
    target : ndarray, shape (..., time, place)
        What is learned.
    training : ndarray of bool, shape (time, place)
        Values from which is learned; the period and places in which there are some give the numbers.

    Returns
    -------
    Normalisation

    Raises
    ------
    InputError
        If a product or the target has fewer than ten values there or does not vary.
    """
    steps, places = training.any(axis=1), training.any(axis=0)
    part = products[:, steps][:, :, places]
    count = np.isfinite(part).sum(axis=(1, 2))
    for name, number, values in zip(context.names, count, part, strict=True):
        if number < _LEAST_TO_NORMALISE or not np.nanstd(values) > 0:
            raise InputError(f"lstm: product '{name}' has {number} values in the training part; expected "
                             f"{_LEAST_TO_NORMALISE} that vary. Leave the product out or change the split.")
    learned = target[..., training]
    learned = learned[np.isfinite(learned)]
    if learned.size < _LEAST_TO_NORMALISE or not learned.std() > 0:
        raise InputError(f"lstm: the target has {learned.size} values in the training part; expected "
                         f"{_LEAST_TO_NORMALISE} that vary.")
    names = tuple(sorted(context.predictors))
    mean, std = np.zeros(len(names)), np.ones(len(names))
    for number, name in enumerate(names):
        values = np.asarray(context.predictors[name], float)
        values = values[places] if values.ndim == 1 else values[steps][:, places]
        mean[number] = values.mean()
        std[number] = values.std() if np.ptp(values) > 0 else 1.0
    return Normalisation(context.names, np.nanmean(part, axis=(1, 2)), np.nanstd(part, axis=(1, 2)), names, mean, std,
                         float(learned.mean()), float(learned.std()))


def checked_context(products: np.ndarray, context: MergeContext) -> None:
    """Check that products and predictors can be learned from.

    Raises
    ------
    InputError
        If shapes differ, times are not equally spaced, or a predictor has gaps.
    """
    shape = (len(context.names), context.times.size, np.size(context.latitude))
    if products.shape != shape:
        raise InputError(f"lstm: products must have shape {shape} (product, time, place), got {products.shape}.")
    step = np.diff(context.times)
    if step.size and (step != step[0]).any():
        first = int(np.argmax(step != step[0]))
        raise InputError(f"lstm: times must be equally spaced, got steps of {step[0]} and, after "
                         f"{context.times[first]}, {step[first]}. Align the products on whole days.")
    for name, values in context.predictors.items():
        gaps = int((~np.isfinite(np.asarray(values, float))).sum())
        if gaps:
            raise InputError(f"lstm: predictor '{name}' has {gaps} missing values of {np.size(values)}; predictors "
                             "have no gaps. Fill them from the forcing, or leave the predictor out.")


def features_of(products: np.ndarray, context: MergeContext, normalisation: Normalisation) -> np.ndarray:
    """Return the features of each day and place.

    Parameters
    ----------
    products : ndarray, shape (product, time, place)
        Values, NaN without one.
    context : MergeContext
        Times and predictors.
    normalisation : Normalisation
        Of the training part.

    Returns
    -------
    ndarray of float32, shape (time, place, feature)
        Normalised products (0, their mean, without a value), 1 where a product is there, predictors, sine and cosine
        of the season.

    Raises
    ------
    InputError
        If products or predictors are not those of the normalisation.
    """
    if context.names != normalisation.products:
        raise InputError(f"lstm: the network knows the products {', '.join(normalisation.products)}, in this order; "
                         f"got {', '.join(context.names)}.")
    lacking = [name for name in normalisation.predictors if name not in context.predictors]
    unknown = [name for name in context.predictors if name not in normalisation.predictors]
    if lacking or unknown:
        raise InputError("lstm: the network knows the predictors "
                         f"{', '.join(normalisation.predictors) or 'none'}; lacking {', '.join(lacking) or 'none'}, "
                         f"unknown {', '.join(unknown) or 'none'}.")
    number, steps, places = products.shape
    features = np.empty((steps, places, normalisation.features), np.float32)
    there = np.isfinite(products)
    scaled = (products - normalisation.product_mean[:, None, None]) / normalisation.product_std[:, None, None]
    features[..., :number] = np.moveaxis(np.where(there, scaled, 0.0), 0, -1)
    features[..., number:2 * number] = np.moveaxis(there, 0, -1)
    for place, name in enumerate(normalisation.predictors):
        values = np.asarray(context.predictors[name], float)
        features[..., 2 * number + place] = ((values - normalisation.predictor_mean[place])
                                             / normalisation.predictor_std[place])
    phase = 2.0 * np.pi * ((context.times - np.datetime64("2000-01-01", "s")) / _DAY) / 365.2425
    features[..., -2], features[..., -1] = np.sin(phase)[:, None], np.cos(phase)[:, None]
    return features


def available_softmax(logits: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return weights over the products that are there.

    Parameters
    ----------
    logits : ndarray, shape (product, ...)
        Logarithms of the weights, but for a common term.
    available : ndarray of bool, same shape
        Which products are there.

    Returns
    -------
    ndarray, same shape
        ``exp(logit_i) / sum over available j of exp(logit_j)``; 0 for a product that is not there, and for all where
        there is none.
    """
    some = available.any(axis=0)
    top = np.where(some, np.where(available, logits, -np.inf).max(axis=0), 0.0)
    power = np.where(available, np.exp(np.where(available, logits - top, 0.0)), 0.0)
    return power / np.where(some, power.sum(axis=0), 1.0)


def merge_by_precision(products: np.ndarray, available: np.ndarray, log_precision: np.ndarray, log_prior: np.ndarray,
                       guess: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge products and a guess by their precisions.

    Parameters
    ----------
    products : ndarray, shape (product, time, place)
        Products; any number where one is not there.
    available : ndarray of bool, shape (product, time, place)
        Which products are there.
    log_precision : ndarray, shape (product, time, place)
        Logarithms of the inverse error variances of the products.
    log_prior, guess : ndarray, shape (time, place)
        Logarithm of the precision of what is known without the products of the day, and its value.

    Returns
    -------
    value, sigma : ndarray, shape (time, place)
        ``m = (pi mu + sum p_i theta_i) / (pi + sum p_i)`` over available products, and ``(pi + sum p_i)**-0.5``.
    weights : ndarray, shape (product, time, place)
        ``p_i / sum p_j``: the softmax of ``log_precision`` over available products.
    """
    precision = np.where(available, np.exp(log_precision), 0.0)
    prior = np.exp(log_prior)
    total = prior + precision.sum(axis=0)
    value = (prior * guess + np.where(available, precision * products, 0.0).sum(axis=0)) / total
    return value, total**-0.5, available_softmax(log_precision, available)


def window_starts(steps: int, window: int) -> list[tuple[int, int, int]]:
    """Return windows that cover a record: start, end, and the first step that is taken from each.

    Windows follow each other by half their length, and the second half of each is kept, so that every day but those of
    the first half window has half a window of days before it at least.
    """
    window = min(window, steps)
    half = max(window // 2, 1)
    starts = list(range(0, steps - window, half)) + [steps - window]
    kept = 0
    parts = []
    for start in starts:
        parts.append((start, start + window, kept))
        kept = start + window
    return parts
