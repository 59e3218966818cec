"""Quality rules: which observations say little of what they should, by what their tables tell of the surroundings.

Frozen water and snow hide liquid water from microwaves, open water and dense vegetation replace the signal of the soil,
rain on leaves and soil is not what a daily model has, and man-made radiation adds to the natural one. Limits are those
of the products (O'Neill et al. 2021 for SMAP: frozen ground, 5 % of water, 5 kg m-2 of vegetation water; Dorigo et al.
2017 for ESA CCI).

References
----------
.. [1] O'Neill, P., Bindlish, R., Chan, S., Chaubell, J., Colliander, A., Njoku, E., Jackson, T. (2021). SMAP Algorithm
   Theoretical Basis Document: Level 2 & 3 soil moisture (passive) data products. JPL D-66480, revision G.
.. [2] Dorigo, W., Wagner, W., Albergel, C., et al. (2017). ESA CCI Soil Moisture for improved Earth system
   understanding. Remote Sens. Environ. 203, 185-215.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.observation_reasons import (
    DUPLICATE,
    FROZEN,
    OPEN_WATER,
    OUT_OF_RANGE,
    OUTSIDE_PERIOD,
    QUALITY,
    RAIN,
    SNOW,
    VEGETATION,
    in_words,
)
from pyland.observe.observation_table import ObservationTable

_LOG = get_logger(__name__)

_LIMITS = MappingProxyType({
    # rule: (columns of which one must be there, reason, whether values above the limit are bad)
    "largest_frozen_probability": (("frozen_probability",), FROZEN, True),
    "least_temperature": (("surface_temperature", "soil_temperature"), FROZEN, False),
    "largest_snow_probability": (("snow_probability",), SNOW, True),
    "largest_snow_cover": (("snow_cover",), SNOW, True),
    "largest_snow_water": (("snow_water",), SNOW, True),
    "largest_open_water": (("open_water",), OPEN_WATER, True),
    "largest_vegetation_water": (("vegetation_water",), VEGETATION, True),
    "largest_optical_depth": (("vegetation_optical_depth", "optical_depth"), VEGETATION, True),
    "largest_rain_before": (("rain_before",), RAIN, True),
    "largest_rfi_probability": (("rfi_probability",), QUALITY, True),
})


@dataclass(frozen=True)
class QualityRules:
    """What is not used; None: no such rule. A rule whose column the table lacks is refused.

    Attributes
    ----------
    largest_frozen_probability : float or None
        Column ``frozen_probability`` [1].
    least_temperature : float or None
        Column ``surface_temperature`` or ``soil_temperature`` [K].
    largest_snow_probability, largest_snow_cover : float or None
        Columns ``snow_probability``, ``snow_cover`` [1].
    largest_snow_water : float or None
        Column ``snow_water`` [kg m-2].
    largest_open_water : float or None
        Column ``open_water`` [1].
    largest_vegetation_water : float or None
        Column ``vegetation_water`` [kg m-2].
    largest_optical_depth : float or None
        Column ``vegetation_optical_depth`` or ``optical_depth`` [1].
    largest_rain_before : float or None
        Column ``rain_before`` [kg m-2], which `with_rain_before` makes.
    largest_rfi_probability : float or None
        Column ``rfi_probability`` [1], of radio frequency interference.
    valid_range : tuple of float or None
        Least and largest value [unit of the type].
    period : tuple or None
        Start and end (UTC), the end not included.
    duplicates : bool
        Whether of rows of one place, time, angle and, where there are such columns, polarisation and orbit only the one
        with the smallest error is used.
    """

    largest_frozen_probability: float | None = None
    least_temperature: float | None = None
    largest_snow_probability: float | None = None
    largest_snow_cover: float | None = None
    largest_snow_water: float | None = None
    largest_open_water: float | None = None
    largest_vegetation_water: float | None = None
    largest_optical_depth: float | None = None
    largest_rain_before: float | None = None
    largest_rfi_probability: float | None = None
    valid_range: tuple[float, float] | None = None
    period: tuple[object, object] | None = None
    duplicates: bool = True

    @classmethod
    def usual(cls, table: ObservationTable, **changes: object) -> QualityRules:
        """Return the usual limits for the columns that a table has, with changes.

        Frozen or snow covered with a probability above 1/2, 273.15 K, snow on more than 5 % or above 0.1 kg m-2, open
        water on more than 5 %, vegetation water above 5 kg m-2, interference with a probability above 1/2.
        """
        usual = {
            "largest_frozen_probability": 0.5, "least_temperature": 273.15, "largest_snow_probability": 0.5,
            "largest_snow_cover": 0.05, "largest_snow_water": 0.1, "largest_open_water": 0.05,
            "largest_vegetation_water": 5.0, "largest_rfi_probability": 0.5,
        }  # fmt: skip
        there = {name: limit for name, limit in usual.items() if any(one in table.extra for one in _LIMITS[name][0])}
        return cls(**{**there, **changes})


def apply_quality(table: ObservationTable, rules: QualityRules) -> ObservationTable:
    """Give rows that break a rule their reason; values and rows stay.

    Parameters
    ----------
    table : ObservationTable
        Observations.
    rules : QualityRules
        What is not used. A gap in a column breaks no rule: that it may be frozen is not known.

    Returns
    -------
    ObservationTable
        The first rule that a row breaks is its reason, in the order of `QualityRules`, then range, period and
        duplicates.

    Raises
    ------
    InputError
        If a rule has no column, or a limit is not a number.
    """
    before = table.counts()
    for name, (columns, reason, is_largest) in _LIMITS.items():
        limit = getattr(rules, name)
        if limit is None:
            continue
        if not np.isfinite(limit):
            raise InputError(f"quality of {table.product}: {name} must be a number, got {limit}.")
        found = [one for one in columns if one in table.extra]
        if not found:
            raise InputError(f"quality of {table.product}: {name} needs the column {' or '.join(columns)}; the "
                             f"table has {', '.join(table.extra) or 'no extra column'}. Leave the rule out, or add it.")
        for column in found:
            values = np.asarray(table.extra[column], float)
            table = table.rejected(values > limit if is_largest else values < limit, reason)
    if rules.valid_range is not None:
        low, high = rules.valid_range
        if not low < high:
            raise InputError(f"quality of {table.product}: valid_range must rise, got {low} to {high}.")
        table = table.rejected((table.value < low) | (table.value > high), OUT_OF_RANGE)
    if rules.period is not None:
        start, end = (np.datetime64(one, "s") for one in rules.period)
        if not start < end:
            raise InputError(f"quality of {table.product}: the period must end after it starts, got {start} to {end}.")
        table = table.rejected((table.time < start) | (table.time >= end), OUTSIDE_PERIOD)
    if rules.duplicates:
        table = table.rejected(is_duplicate(table), DUPLICATE)
    _LOG.info("quality of %s: %s", table.product, in_words(table.counts()))
    given = [one.name for one in fields(rules) if getattr(rules, one.name) not in (None, False)]
    return table if table.counts() == before else table.with_history(f"quality rules: {', '.join(given)}")


def is_duplicate(table: ObservationTable) -> np.ndarray:
    """Return which used rows say the same as a better one, shape (obs,).

    Rows of one place, time, angle and, where there are such columns, polarisation and orbit; the one with the smallest
    error is better, of equal ones the first.
    """
    rows = np.flatnonzero(table.used)
    angle = np.nan_to_num(table.incidence_angle[rows], nan=-1.0)
    keys = [table.time[rows].astype(np.int64), table.location[rows], angle]
    keys += [np.unique(table.extra[name][rows], return_inverse=True)[1] for name in ("polarisation", "orbit")
             if name in table.extra]
    sigma = np.where(np.isfinite(table.sigma[rows]), table.sigma[rows], np.inf)
    order = np.lexsort((rows, sigma, *keys))
    same = np.ones(max(rows.size - 1, 0), bool)
    for one in keys:
        same &= one[order][1:] == one[order][:-1]
    out = np.zeros(table.size, bool)
    out[rows[order][1:][same]] = True
    return out


def with_rain_before(
    table: ObservationTable, times: np.ndarray, rain: np.ndarray, place: np.ndarray, hours: float
) -> ObservationTable:
    """Add the column ``rain_before``: what fell within hours before each observation.

    Parameters
    ----------
    table : ObservationTable
        Observations.
    times : array_like of datetime64, shape (time,)
        Ends of the intervals of the rain (UTC), rising, evenly spaced.
    rain : array_like, shape (time, place)
        Rain of each interval [kg m-2].
    place : array_like of int, shape (obs,)
        Place of the rain at each row.
    hours : float
        How far back to look [h]; parts of an interval count by their share.

    Returns
    -------
    ObservationTable
        NaN where the record does not cover these hours.

    Raises
    ------
    InputError
        If times are not even, or a shape differs.
    """
    times, rain = np.asarray(times, "datetime64[s]").astype(np.int64), np.asarray(rain, float)
    step = np.diff(times)
    if times.size < 2 or not (step == step[0]).all() or step[0] <= 0 or rain.ndim != 2 or len(rain) != times.size:
        raise InputError(f"quality of {table.product}: rain must have shape (time, place) at even rising times, got "
                         f"{rain.shape} at {times.size} times.")
    if not hours > 0:
        raise InputError(f"quality of {table.product}: the hours before an observation must be positive, got {hours}.")
    fallen = np.concatenate([np.zeros((1, rain.shape[1])), np.cumsum(rain, axis=0)])
    edges = np.append(times[0] - step[0], times)
    end = table.time.astype(np.int64).astype(float)

    def until(when: np.ndarray) -> np.ndarray:
        at = (when - edges[0]) / step[0]
        low = np.clip(np.floor(at).astype(int), 0, times.size - 1)
        found = fallen[low, place] + (at - low) * (fallen[low + 1, place] - fallen[low, place])
        return np.where((at >= 0) & (at <= times.size), found, np.nan)

    column = until(end) - until(end - 3600.0 * hours)
    return ObservationTable(**{**_parts(table), "extra": {**table.extra, "rain_before": column},
                               "extra_units": {**table.extra_units, "rain_before": "kg m-2"}})


def _parts(table: ObservationTable) -> dict[str, object]:
    return {one.name: getattr(table, one.name) for one in fields(table)}
