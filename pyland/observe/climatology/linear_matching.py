"""Linear rescaling to a reference: by the mean, by mean and standard deviation, or by collocation with a third product.

Matching standard deviations takes the errors of the product for signal: a noisy product is damped or blown up until
signal plus error has the amplitude of the reference. The slope of a triple collocation, ``Q_rz/Q_xz`` with a third
product z, is that of the signals alone (Stoffelen 1998; Yilmaz and Crow 2013).

References
----------
.. [1] Yilmaz, M. T., Crow, W. T. (2013). The optimality of potential rescaling approaches in land data assimilation.
   J. Hydrometeorol. 14, 650-660.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.observe.climatology.cdf_matching import checked_records
from pyland.observe.climatology.seasonal_windows import SeasonalWindows, within
from pyland.observe.merging.collocation import LEAST_COUNT, SIGNIFICANCE, triple_collocation

LINEAR_METHODS = ("mean", "mean_std", "tc")


def tc_scaling(
    source: np.ndarray, reference: np.ndarray, third: np.ndarray, *, least_count: int = LEAST_COUNT,
    significance: float = SIGNIFICANCE,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the line that brings a product to the amplitude of a reference without its errors.

    Parameters
    ----------
    source, reference, third : array_like, shape (time,) or (time, place)
        Product, reference and a third product with errors of its own [one unit, the third in any].
    least_count, significance
        As in `triple_collocation`.

    Returns
    -------
    slope, offset : ndarray, shape () or (place,)
        ``x* = offset + slope x``; NaN where the collocation fails.
    """
    found = triple_collocation(reference, source, third, least_count=least_count, significance=significance)
    slope = found.scaling[1]
    return slope, found.mean[0] - slope * found.mean[1]


@dataclass(frozen=True, eq=False)
class LinearMatch:
    """Lines from a product to a reference, by place and part of the year; made by `fit`.

    Attributes
    ----------
    method : str
        ``"mean"``, ``"mean_std"`` or ``"tc"``.
    location : ndarray of int, shape (place,)
        Identity of the places, rising.
    windows : SeasonalWindows
        Parts of the year.
    slope : ndarray, shape (part, place)
        [1]; NaN without a climatology.
    offset : ndarray, shape (part, place)
        [unit].
    count : ndarray of int, shape (part, place)
        Values that the climatology is made of.
    train : tuple of str
        First and last time of the values, ISO.
    """

    method: str
    location: np.ndarray
    windows: SeasonalWindows
    slope: np.ndarray
    offset: np.ndarray
    count: np.ndarray
    train: tuple[str, str]

    @classmethod
    def fit(
        cls, method: str, source: np.ndarray, reference: np.ndarray, times: np.ndarray, *,
        third: np.ndarray | None = None, location: np.ndarray | None = None, window: str | int = "year",
        train: tuple[object, object] | None = None, least_count: int = LEAST_COUNT,
        significance: float = SIGNIFICANCE,
    ) -> LinearMatch:  # fmt: skip
        """Learn both climatologies from the times at which both (with ``tc``: all three) have values.

        Parameters
        ----------
        method : {"mean", "mean_std", "tc"}
            Same mean; same mean and standard deviation; same mean and amplitude of the signal.
        source, reference, third : array_like, shape (time, place)
            Records of the product, of the reference [one unit] and, for ``tc``, of a third product.
        times, location, window, train, least_count
            As in `CdfMatch.fit`.
        significance : float
            As in `triple_collocation`; for ``tc``.

        Returns
        -------
        LinearMatch

        Raises
        ------
        InputError
            If a shape or an option cannot be, or no place has enough values.
        """
        if method not in LINEAR_METHODS:
            raise InputError(f"scaling: expected one of {one_of(LINEAR_METHODS)}, got {method!r}.")
        if (method == "tc") != (third is not None):
            raise InputError(f"scaling: a third product belongs to method 'tc', got method '{method}' "
                             f"{'with' if third is not None else 'without'} one.")
        if least_count < 3:
            raise InputError(f"scaling: least_count must be 3 at least, got {least_count}.")
        source, reference, times, location = checked_records(source, reference, times, location)
        records = [source, reference]
        if third is not None:
            records.append(np.asarray(third, float))
            if records[-1].shape != source.shape:
                raise InputError(f"scaling: the third product must have shape {source.shape}, got {records[-1].shape}.")
        windows, chosen = SeasonalWindows(window), within(times, train)
        together = np.stack(records)[:, chosen]
        together = np.where(np.isfinite(together).all(axis=0), together, np.nan)
        parts = [_line(method, together[:, one], least_count, significance) for one in windows.members(times[chosen])]
        slope, offset, count = (np.stack([one[k] for one in parts]) for k in range(3))
        if not np.isfinite(slope).any():
            raise InputError(
                f"scaling {method}: no place has a climatology; the best has {int(count.max(initial=0))} common values "
                f"of the {least_count} needed{' or the collocation fails' if method == 'tc' else ''}. Take a longer "
                "train period, or a wider window.")
        period = tuple(str(one) for one in ((times[chosen].min(), times[chosen].max()) if chosen.any() else ("", "")))
        return cls(method, location, windows, slope, offset, count, period)

    def apply(
        self, values: np.ndarray, place: np.ndarray, times: np.ndarray, sigma: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Rescale values (obs,) of places (obs,) at times (obs,), and their errors with the slope; NaN without one."""
        place, (first, second, weight) = np.asarray(place), self.windows.weights(np.asarray(times, "datetime64[s]"))
        slope, offset = (_between(one[first, place], one[second, place], weight) for one in (self.slope, self.offset))
        scaled = offset + slope * np.asarray(values, float)
        return scaled, None if sigma is None else np.asarray(sigma, float) * np.abs(slope)


def _between(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Interpolate; where one of both is lacking, take the other."""
    other = np.where(np.isnan(other), one, other)
    return np.where(np.isnan(one), other, one + weight * (other - one))


def _line(method: str, records: np.ndarray, least_count: int, significance: float) -> tuple[np.ndarray, ...]:
    """Return slope, offset and count (place,) of records (record, time, place) with common gaps."""
    there = np.isfinite(records[0])
    count = there.sum(axis=0)
    if method == "tc":
        return *tc_scaling(*records, least_count=least_count, significance=significance), count
    some = np.maximum(count, 1)
    mean = [np.where(there, one, 0.0).sum(axis=0) / some for one in records]
    spread = [np.sqrt((np.where(there, one - centre, 0.0) ** 2).sum(axis=0) / some)
              for one, centre in zip(records, mean, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.ones(count.shape) if method == "mean" else np.where(spread[0] > 0, spread[1] / spread[0], np.nan)
    slope = np.where(count >= least_count, slope, np.nan)
    return slope, mean[1] - slope * mean[0], count
