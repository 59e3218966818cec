"""CDF matching: values of a product become those of a reference with the same probability.

``x* = F_reference^-1(F_product(x))`` by place and season, with few percentiles and straight lines between them
(Reichle and Koster 2004; Liu et al. 2011). It removes the difference of the climatologies, whatever its cause: bias,
irrigation and what parameters have wrong are gone too.

References
----------
.. [1] Reichle, R. H., Koster, R. D. (2004). Bias reduction in short records of satellite soil moisture.
   Geophys. Res. Lett. 31, L19501.
.. [2] Liu, Y. Y., Parinussa, R. M., Dorigo, W. A., et al. (2011). Developing an improved soil moisture dataset by
   blending passive and active microwave satellite-based retrievals. Hydrol. Earth Syst. Sci. 15, 425-436.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.observe.climatology.beta_tails import beta_shapes, beta_tail
from pyland.observe.climatology.percentiles import along_knots, quantiles, regressed_ends, sorted_values, spread_ties
from pyland.observe.climatology.seasonal_windows import SeasonalWindows, within

PERCENTILES = (0.0, 5.0, 10.0, 30.0, 50.0, 70.0, 90.0, 95.0, 100.0)
"""Percentiles of Liu et al. (2011)."""

TAILS = ("linear", "percentile", "beta")

LEAST_COUNT = 100
"""Fewest values of a place and season: five beyond the 5th percentile."""

_ROWS = 200_000  # that are matched at a time


def cdf_match(
    values: np.ndarray, source: np.ndarray, reference: np.ndarray, percentiles: Sequence[float] = PERCENTILES, *,
    tails: str = "linear", bounds: tuple[float, float] | None = None, least_count: int = LEAST_COUNT,
) -> np.ndarray:  # fmt: skip
    """Match values of one place.

    Parameters
    ----------
    values : array_like, shape (any,)
        What is matched, NaN stays.
    source, reference : array_like, shape (time,)
        Records of the product and of the reference [one unit]. Of records of one length only common times count.
    percentiles, tails, bounds, least_count
        As in `CdfMatch.fit`.

    Returns
    -------
    ndarray, shape (any,)

    Raises
    ------
    InputError
        If there are too few values, or an option cannot be.
    """
    source, reference = np.asarray(source, float), np.asarray(reference, float)
    paired = source.shape == reference.shape
    longest = max(source.size, reference.size)
    pair = [np.pad(one, (0, longest - one.size), constant_values=np.nan)[:, None] for one in (source, reference)]
    match = CdfMatch.fit(*pair, np.zeros(longest, "datetime64[s]"), percentiles=percentiles, tails=tails, bounds=bounds,
                         least_count=least_count, paired=paired)
    values = np.asarray(values, float)
    return match.apply(values, np.zeros(values.shape, int), np.zeros(values.shape, "datetime64[s]"))[0]


@dataclass(frozen=True, eq=False)
class CdfMatch:
    """Climatologies of a product and a reference, by place and part of the year; made by `fit`.

    Attributes
    ----------
    location : ndarray of int, shape (place,)
        Identity of the places, rising.
    windows : SeasonalWindows
        Parts of the year.
    percentiles : ndarray, shape (percentile,)
        In percent.
    source_knots, reference_knots : ndarray, shape (part, percentile, place)
        Values of the percentiles; NaN without a climatology.
    shapes : ndarray, shape (4, part, place), or None
        Shapes of the beta distributions of source and reference, with ``tails="beta"``.
    count : ndarray of int, shape (part, place)
        Values that the climatology is made of.
    tails : str
    bounds : tuple of float or None
    train : tuple of str
        First and last time of the values, ISO.
    """

    location: np.ndarray
    windows: SeasonalWindows
    percentiles: np.ndarray
    source_knots: np.ndarray
    reference_knots: np.ndarray
    shapes: np.ndarray | None
    count: np.ndarray
    tails: str
    bounds: tuple[float, float] | None
    train: tuple[str, str]

    @classmethod
    def fit(
        cls, source: np.ndarray, reference: np.ndarray, times: np.ndarray, *, location: np.ndarray | None = None,
        window: str | int = "year", percentiles: Sequence[float] = PERCENTILES, tails: str = "linear",
        bounds: tuple[float, float] | None = None, train: tuple[object, object] | None = None,
        least_count: int = LEAST_COUNT, paired: bool = True,
    ) -> CdfMatch:  # fmt: skip
        """Learn both climatologies.

        Parameters
        ----------
        source, reference : array_like, shape (time, place)
            Records of the product and of the reference [one unit], NaN without a value.
        times : array_like of datetime64, shape (time,)
            Their times (UTC).
        location : array_like of int, shape (place,), optional
            Identity of the places, rising; default 0, 1, ...
        window : {"year", "season"} or int
            Parts of the year, see `SeasonalWindows`; 45 takes 45 days on either side.
        percentiles : sequence of float
            From 0 to 100, rising, three at least.
        tails : {"linear", "percentile", "beta"}
            What the outermost pieces are: lines fitted to all values there; lines to the smallest and largest value;
            or beta distributions within ``bounds``. The first two go on beyond the record.
        bounds : tuple of float, optional
            Least and largest possible value [unit], for beta.
        train : tuple of datetime64, optional
            Start and end of the values that count, the end not included; test the result on others.
        least_count : int
            Fewest values of a place in a part of the year; a part with fewer has no climatology.
        paired : bool
            Whether only times count at which both have a value; a season that one of them lacks would otherwise be
            a bias.

        Returns
        -------
        CdfMatch

        Raises
        ------
        InputError
            If a shape or an option cannot be, or no place has enough values.
        """
        percentiles = _checked_percentiles(percentiles, tails, bounds)
        source, reference, times, location = checked_records(source, reference, times, location)
        if least_count < percentiles.size:
            raise InputError(f"cdf matching: least_count must be {percentiles.size} at least, one value for each "
                             f"percentile, got {least_count}.")
        windows, chosen = SeasonalWindows(window), within(times, train)
        source, reference = source[chosen], reference[chosen]
        if paired:
            both = np.isfinite(source) & np.isfinite(reference)
            source, reference = np.where(both, source, np.nan), np.where(both, reference, np.nan)
        members = windows.members(times[chosen])
        parts = [_knots(source[one], reference[one], percentiles, tails, least_count) for one in members]
        count = np.stack([one[2] for one in parts])
        if not (count >= least_count).any():
            raise InputError(f"cdf matching: no place has the {least_count} values that a climatology needs; the best "
                             f"has {int(count.max(initial=0))}. Take a longer train period, or a wider window.")
        shapes = None
        if tails == "beta":
            shapes = np.stack([_shapes(source[one], reference[one], bounds) for one in members], axis=1)
        period = tuple(str(one) for one in ((times[chosen].min(), times[chosen].max()) if chosen.any() else ("", "")))
        return cls(location, windows, percentiles, np.stack([one[0] for one in parts]),
                   np.stack([one[1] for one in parts]), shapes, count, tails, bounds, period)

    def apply(
        self, values: np.ndarray, place: np.ndarray, times: np.ndarray, sigma: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Match values.

        Parameters
        ----------
        values : array_like, shape (obs,)
            Values of the product [unit].
        place : array_like of int, shape (obs,)
            Index of their places within ``location``.
        times : array_like of datetime64, shape (obs,)
            Their times.
        sigma : array_like, shape (obs,), optional
            Standard deviations of their errors; they become half the distance of what values higher and lower by one of
            them become. The slope at the value alone would make an observation on a flat piece of the curve nearly
            exact, though its error reaches into steep ones.

        Returns
        -------
        values : ndarray, shape (obs,)
            NaN without a climatology.
        sigma : ndarray, shape (obs,), or None
        """
        values, place, times = np.asarray(values, float), np.asarray(place), np.asarray(times, "datetime64[s]")
        out = np.full(values.shape, np.nan)
        error = None if sigma is None else np.full(values.shape, np.nan)
        spread = None if sigma is None else np.broadcast_to(np.asarray(sigma, float), values.shape)
        for start in range(0, values.size, _ROWS):
            rows = slice(start, start + _ROWS)
            where = place[rows], times[rows]
            out[rows] = self._match(values[rows], *where)
            if spread is not None:
                high, low = (self._match(values[rows] + way * spread[rows], *where) for way in (1.0, -1.0))
                error[rows] = 0.5 * np.abs(high - low)
        return out, error

    def apply_to_grid(
        self, values: np.ndarray, times: np.ndarray, sigma: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Match values (time, place) of all places in the order of ``location``."""
        values = np.asarray(values, float)
        place, when = np.broadcast_arrays(np.arange(self.location.size), np.asarray(times)[:, None])
        matched, error = self.apply(values.ravel(), place.ravel(), when.ravel(),
                                    None if sigma is None else np.broadcast_to(sigma, values.shape).ravel())
        return matched.reshape(values.shape), None if error is None else error.reshape(values.shape)

    def _match(self, values: np.ndarray, place: np.ndarray, times: np.ndarray) -> np.ndarray:
        first, second, weight = self.windows.weights(times)
        y = self._match_in(first, values, place)
        if weight.any():
            y1 = self._match_in(second, values, place)
            y1 = np.where(np.isnan(y1), y, y1)
            y = np.where(np.isnan(y), y1, y)
            y = y + weight * (y1 - y)
        return y

    def _match_in(self, part: np.ndarray, values: np.ndarray, place: np.ndarray) -> np.ndarray:
        x, y = self.source_knots[part, :, place].T, self.reference_knots[part, :, place].T
        found = along_knots(values, x, y)[0]
        if self.shapes is None:
            return found
        shapes = self.shapes[:, part, place]
        fits = np.isfinite(shapes).all(axis=0)
        for is_low, inner in ((True, 1), (False, -2)):
            at = np.flatnonzero(fits & ((values < x[inner]) if is_low else (values > x[inner])))
            found[at] = beta_tail(
                values[at], (x[inner, at], y[inner, at]), tuple(shapes[:, at]), self.bounds, is_low)[0]
        return found


def checked_records(
    source: np.ndarray, reference: np.ndarray, times: np.ndarray, location: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Return records (time, place), times and identities as arrays.

    Raises
    ------
    InputError
        If their shapes differ, or identities do not rise.
    """
    source, reference = np.asarray(source, float), np.asarray(reference, float)
    times = np.asarray(times, "datetime64[s]")
    if source.ndim != 2 or source.shape != reference.shape or source.shape[0] != times.size:
        raise InputError(f"climatology: source and reference must have shape (time, place) with {times.size} times, "
                         f"got {source.shape} and {reference.shape}.")
    location = np.arange(source.shape[1]) if location is None else np.asarray(location, np.int64)
    if location.shape != (source.shape[1],) or (np.diff(location) <= 0).any():
        raise InputError(f"climatology: expected {source.shape[1]} rising identities of places, got shape "
                         f"{location.shape}.")
    return source, reference, times, location


def _checked_percentiles(percentiles: Sequence[float], tails: str, bounds: tuple[float, float] | None) -> np.ndarray:
    percentiles = np.asarray(percentiles, float)
    if percentiles.size < 3 or percentiles[0] != 0 or percentiles[-1] != 100 or (np.diff(percentiles) <= 0).any():
        raise InputError(f"cdf matching: percentiles must rise from 0 to 100, three at least, got {percentiles}.")
    if tails not in TAILS:
        raise InputError(f"cdf matching: tails must be {one_of(TAILS)}, got {tails!r}.")
    if (tails == "beta") != (bounds is not None) or (bounds is not None and not bounds[0] < bounds[1]):
        raise InputError(f"cdf matching: bounds (least, largest) belong to tails 'beta', got {bounds} with {tails!r}.")
    return percentiles


def _knots(
    source: np.ndarray, reference: np.ndarray, percentiles: np.ndarray, tails: str, least_count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return percentiles (percentile, place) of both, and the number of values (place,)."""
    empty = np.full((1, source.shape[1]), np.nan)  # so that a part of the year without times is one without values
    (x, nx), (y, ny) = sorted_values(np.vstack([source, empty])), sorted_values(np.vstack([reference, empty]))
    none, shares = np.zeros(x.shape[1], int), percentiles[:, None] / 100.0
    x_knots = spread_ties(quantiles(x, none, nx, shares), percentiles)
    y_knots = spread_ties(quantiles(y, none, ny, shares), percentiles)
    if tails == "linear":
        y_knots = regressed_ends(x, y, (nx, ny), x_knots, y_knots)
    count = np.minimum(nx, ny)
    lacks = (count < least_count) | ~(np.diff(x_knots, axis=0) > 0).all(axis=0)
    return np.where(lacks, np.nan, x_knots), np.where(lacks, np.nan, y_knots), count


def _shapes(source: np.ndarray, reference: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """Return the shapes of the beta distributions of both, shape (4, place)."""
    out = []
    for values in (source, reference):
        there = np.isfinite(values)
        count = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, values, 0.0).sum(axis=0) / count
        variance = (np.where(there, values - mean, 0.0) ** 2).sum(axis=0) / count
        out += beta_shapes(mean, variance, bounds)
    return np.stack(out)
