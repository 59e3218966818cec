"""Mass balance of glaciers: seasons and years, bands of height, equilibrium line, and a degree-day model beside it.

Fixed-date system (Cogley et al. 2011, Glossary of Glacier Mass Balance, IHP-VII Technical Documents in Hydrology 86): a
mass-balance year begins on the first of a month, its winter ends where its summer begins. Balances are specific, in
metres of water equivalent (m w.e., 1000 kg m-2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

WATER_DENSITY = 1000.0
"""[kg m-3]"""

DAY = 86400.0
"""[s]"""

FREEZING = 273.15
"""[K]"""

LEAST_COVERAGE = 0.99
"""Share of a year or season that records have to cover for its balance to count [1]."""


@dataclass(frozen=True)
class BalanceYears:
    """Mass-balance years of a series.

    Attributes
    ----------
    labels : tuple of str
        ``2020/21`` for a year that begins in 2020, ``2021`` for one of the calendar.
    start : numpy.ndarray of datetime64[D], shape (year,)
        First day.
    winter, summer : numpy.ndarray, shape (year, cell)
        Specific balance of the seasons [m w.e.]; NaN where records do not cover it.
    """

    labels: tuple[str, ...]
    start: np.ndarray
    winter: np.ndarray
    summer: np.ndarray

    @property
    def annual(self) -> np.ndarray:
        """Specific balance of the years, (year, cell) [m w.e.]."""
        return self.winter + self.summer


def balance_years(
    rate: np.ndarray, start: np.ndarray, end: np.ndarray, first_month: int = 10, summer_month: int = 5
) -> BalanceYears:
    """Sum a mass balance over seasons.

    Parameters
    ----------
    rate : numpy.ndarray, shape (record, cell)
        Mass balance, mean over each record [kg m-2 s-1].
    start, end : numpy.ndarray of datetime64, shape (record,)
        Bounds of the records, ascending; the season of a record is that of its middle.
    first_month, summer_month : int
        Months, 1 to 12, on whose first day the year and its summer begin.

    Raises
    ------
    InputError
        If months are out of range or equal, shapes do not fit, or no year is covered.
    """
    if not (1 <= first_month <= 12 and 1 <= summer_month <= 12) or first_month == summer_month:
        raise InputError(f"Glaciers: expected two different months from 1 to 12 for the beginning of the year and of "
                         f"its summer, got {first_month} and {summer_month}.")
    begin, stop = (np.asarray(one).astype("datetime64[s]") for one in (start, end))
    length = (stop - begin).astype(np.int64).astype(float)
    if rate.ndim != 2 or rate.shape[0] != length.size:
        raise InputError(f"Glaciers: expected a rate (record, cell) of {length.size} records, got {rate.shape}.")
    months = (begin + (stop - begin) // 2).astype("datetime64[M]").astype(np.int64) - (first_month - 1)
    year, month = np.divmod(months, 12)  # since 1970, from the first month on
    is_summer = month >= (summer_month - first_month) % 12
    years = np.arange(year.min(), year.max() + 1)
    gained = rate * length[:, None] / WATER_DENSITY
    seasons = []
    for later in (False, True):
        chosen = is_summer == later
        sums, covered = np.zeros((years.size, rate.shape[1])), np.zeros(years.size)
        np.add.at(sums, year[chosen] - years[0], gained[chosen])
        np.add.at(covered, year[chosen] - years[0], length[chosen])
        whole = _season_length(years, first_month, summer_month, later)
        seasons.append(np.where((covered >= LEAST_COVERAGE * whole)[:, None], sums, np.nan))
    first = ((years * 12 + first_month - 1).astype("datetime64[M]")).astype("datetime64[D]")
    names = tuple(str(1970 + one) if first_month == 1 else f"{1970 + one}/{(1971 + one) % 100:02d}" for one in years)
    some = np.isfinite(seasons[0]).any(axis=1) | np.isfinite(seasons[1]).any(axis=1)
    if not some.any():
        raise InputError(f"Glaciers: no winter and no summer between {begin[0]} and {stop[-1]} is covered; a balance "
                         "needs a season at least.")
    return BalanceYears(tuple(name for name, one in zip(names, some, strict=True) if one), first[some],
                        seasons[0][some], seasons[1][some])


def _season_length(years: np.ndarray, first_month: int, summer_month: int, summer: bool) -> np.ndarray:
    """Return the length of a season of each year [s]."""
    begin = years * 12 + first_month - 1
    middle = begin + (summer_month - first_month) % 12
    low, high = (middle, begin + 12) if summer else (begin, middle)
    days = high.astype("datetime64[M]").astype("datetime64[D]") - low.astype("datetime64[M]").astype("datetime64[D]")
    return days.astype(np.int64) * DAY


def equilibrium_line(balance: np.ndarray, elevation: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the elevation where a balance is 0, and how the balance rises with height.

    Parameters
    ----------
    balance : numpy.ndarray, shape (..., cell)
        Annual balance [m w.e.].
    elevation, area : numpy.ndarray, shape (cell,)
        Height [m] and area of the glacier [m2] of each cell.

    Returns
    -------
    altitude : numpy.ndarray, shape (...)
        [m]; it may lie above the highest or below the lowest glacier. NaN where the balance does not rise with height.
    gradient : numpy.ndarray, shape (...)
        [m w.e. per m]

    Notes
    -----
    Line of least squares through the cells, weighted by their glacier area; exact where the balance is linear in
    height.
    """
    weight = np.asarray(area, dtype=float) / np.sum(area)
    height = np.asarray(elevation, dtype=float)
    middle = (weight * height).sum()
    variance = (weight * (height - middle) ** 2).sum()
    mean = balance @ weight
    nothing = np.full(mean.shape, np.nan)
    if variance <= 0.0:
        return nothing, nothing
    gradient = balance @ (weight * (height - middle)) / variance
    rises = gradient > 0.0
    return np.where(rises, middle - mean / np.where(rises, gradient, 1.0), np.nan), gradient


def accumulation_area_ratio(balance: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the share of the glacier area whose annual balance, (..., cell), is positive, (...) [1]."""
    return np.where(np.isnan(balance).any(axis=-1), np.nan, (balance > 0.0) @ np.asarray(area) / np.sum(area))


def area_balance(balance: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the mean of balances, (..., cell), by glacier area, (cell,)."""
    return balance @ np.asarray(area) / np.sum(area)


def band_balance(
    balance: np.ndarray, elevation: np.ndarray, area: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the balance of bands of height.

    Parameters
    ----------
    balance : numpy.ndarray, shape (..., cell)
        [m w.e.]
    elevation, area : numpy.ndarray, shape (cell,)
        Height [m] and area of the glacier [m2] of each cell.
    edges : numpy.ndarray, shape (band + 1,)
        Ascending [m]; a band holds its lower edge.

    Returns
    -------
    mean : numpy.ndarray, shape (..., band)
        [m w.e.]; NaN in bands without glaciers.
    band_area : numpy.ndarray, shape (band,)
        [m2]
    """
    band = np.searchsorted(edges, elevation, side="right") - 1
    share = (band[:, None] == np.arange(len(edges) - 1)) * np.asarray(area)[:, None]
    total = share.sum(axis=0)
    has = total > 0.0
    return np.where(has, balance @ share / np.where(has, total, 1.0), np.nan), total


def degree_day_balance(
    temperature: np.ndarray, snowfall: np.ndarray, snow_factor: float, ice_factor: float
) -> np.ndarray:
    """Return the mass balance of a degree-day model, with snow that melts before the ice below it.

    Parameters
    ----------
    temperature : numpy.ndarray, shape (day, cell)
        Daily means [K].
    snowfall : numpy.ndarray, shape (day, cell)
        [kg m-2 per day]
    snow_factor, ice_factor : float
        Melt of snow and of ice [kg m-2 K-1 d-1] (Hock 2003, J. Hydrol. 282, 104-115, table 1).

    Returns
    -------
    numpy.ndarray, shape (day, cell)
        Snowfall less melt [kg m-2 per day]; rain runs off. There is no snow before the first day.

    Notes
    -----
    The snow pack is S = max(S + snowfall - f T+, 0) from day to day: the sum of the differences, reflected at 0, so
    S_n = C_n - min(0, min_{m <= n} C_m). What the reflection adds is the warmth that is left for the ice.
    """
    warmth = np.maximum(temperature - FREEZING, 0.0)
    total = np.cumsum(snowfall - snow_factor * warmth, axis=0)
    lifted = -np.minimum(np.minimum.accumulate(total, axis=0), 0.0)  # what has been left over up to each day
    unmet = np.diff(lifted, axis=0, prepend=0.0)
    pack = np.diff(total + lifted, axis=0, prepend=0.0)
    return pack - unmet * (ice_factor / snow_factor)


__all__ = ["BalanceYears", "accumulation_area_ratio", "area_balance", "balance_years", "band_balance",
           "degree_day_balance", "equilibrium_line"]
