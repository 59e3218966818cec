"""Alarms: where, when and how surely members pass a limit.

A cell is alarming at a time when the share of members at or beyond the limit reaches the probability of the rule. The
alarm is on while the alarming cells cover the least share of the area that is watched. With a second limit, at which it
is cleared, an alarm that is on goes on as long as that limit holds it, so that it does not come and go with noise:

    on(t) = raised(t) or (on(t - 1) and held(t)),

from the state of the preceding cycle on; ``raised`` takes the threshold and ``held`` the limit for clearing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.config.alarms import BELOW, DROUGHT_PERCENTILES, PERCENTILE, AlarmRule
from pyland.diagnose.alarm_text import alarm_text
from pyland.diagnose.zones import cells_in_polygon

RAISED, WORSE, ONGOING, CLEARED = "raised", "worse", "ongoing", "cleared"
STATUSES = (RAISED, WORSE, ONGOING, CLEARED)

_SECOND = np.timedelta64(1, "s")

Array = NDArray[Any]


@dataclass(frozen=True)
class AlarmField:
    """What a rule looks at.

    Parameters
    ----------
    times : array_like of datetime64, shape (time,)
        Valid times of analysis and forecast [UTC], rising.
    values : numpy.ndarray, shape (time, member, cell)
        Values of the members [unit of the variable], averaged over the depth of the rule; NaN does not count.
    percentile : numpy.ndarray, shape (time, member, cell), optional
        The same as percentiles of the climatology [percent]; rules on percentiles need it.
    weights : array_like, shape (member,), optional
        Share that each member stands for [1]; equal without it. See `quantile_weights`.

    Raises
    ------
    InputError
        If shapes do not fit, times do not rise, or weights are not shares.
    """

    times: ArrayLike
    values: np.ndarray
    percentile: np.ndarray | None = None
    weights: ArrayLike | None = None

    def __post_init__(self) -> None:
        """Check the shapes against each other."""
        moments, shape = np.asarray(self.times, "datetime64[s]"), np.shape(self.values)
        if len(shape) != 3 or shape[0] != moments.size or shape[1] == 0:
            raise InputError(f"Alarms: expected values (time, member, cell) at {moments.size} times, got the shape "
                             f"{shape}.")
        if (np.diff(moments) <= np.timedelta64(0, "s")).any():
            raise InputError("Alarms: expected rising times.")
        if self.percentile is not None and np.shape(self.percentile) != shape:
            raise InputError(f"Alarms: expected percentiles of the shape of the values {shape}, got "
                             f"{np.shape(self.percentile)}.")
        if self.weights is not None:
            shares = np.asarray(self.weights, float)
            if shares.shape != shape[1:2] or not (shares >= 0.0).all() or not shares.sum() > 0.0:
                raise InputError(f"Alarms: expected a weight of 0 or more for each of {shape[1]} members, got "
                                 f"{shares}.")


@dataclass(frozen=True)
class AlarmPlaces:
    """Where the cells are.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray, shape (cell,)
        Middles [degrees].
    area : numpy.ndarray, shape (cell,)
        Areas [m2].
    zones : mapping of str to numpy.ndarray of bool, shape (cell,)
        Cells of each zone that rules may name.

    Raises
    ------
    InputError
        If shapes do not fit or an area is negative.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    area: np.ndarray
    zones: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shapes against each other."""
        shape = np.shape(self.area)
        arrays = {"latitude": self.latitude, "longitude": self.longitude, **self.zones}
        for name, values in arrays.items():
            if np.shape(values) != shape:
                raise InputError(f"Alarms: expected '{name}' on the {shape} cells of the areas, got the shape "
                                 f"{np.shape(values)}.")
        if not (np.asarray(self.area) >= 0.0).all():
            raise InputError("Alarms: expected cells with an area of 0 m2 or more.")

    def watched(self, rule: AlarmRule) -> np.ndarray:
        """Return which cells a rule watches, (cell,); InputError if its zone is unknown or holds no cell."""
        if rule.zone is not None:
            if rule.zone not in self.zones:
                known = ", ".join(self.zones) or "none"
                raise InputError(f"Alarm '{rule.name}': there is no zone '{rule.zone}'; zones of the run: {known}.")
            mask, what = np.asarray(self.zones[rule.zone], bool), f"zone '{rule.zone}'"
        elif rule.polygon is not None:
            mask, what = cells_in_polygon(self.latitude, self.longitude, rule.polygon), "polygon"
        else:
            mask, what = np.ones(np.shape(self.area), bool), "domain"
        if not mask.any():
            raise InputError(f"Alarm '{rule.name}': its {what} holds no cell of the run.")
        return mask


@dataclass(frozen=True)
class Alarm:
    """An alarm that is on, or that has just ended.

    Attributes
    ----------
    name, variable, statistic, direction : str
        Of the rule.
    status : str
        One of ``STATUSES``: raised (new), worse (a higher drought class), ongoing, cleared.
    since : str
        Time of the analysis of the cycle that raised it [UTC].
    told : str
        Time of the analysis of the cycle that last had it told.
    is_due : bool
        Whether this cycle tells it.
    reference_time : str
        Time of the analysis of this cycle.
    first, last : str or None
        First and last time at which it is on; None if cleared.
    at : str or None
        Time of the largest area, the first of them.
    area, share : float
        Area of the alarming cells at that time [m2], and its share of what is watched [1].
    cells : int
        Alarming cells at that time.
    drought_class : str or None
        Worst class D0 to D4 whose cells cover the least share; of rules on low percentiles.
    worst : dict or None
        ``latitude``, ``longitude`` [degrees], ``time``, ``probability`` [1], ``value`` (mean of the members, as
        ``statistic``) of the cell and time with most members beyond the limit, of these the most extreme one.
    text : dict of str to str
        What it says, in ``en``, ``de`` and ``zh``.
    where : numpy.ndarray of bool, shape (cell,)
        Cells that are alarming at any time; not part of `as_dict`.
    """

    name: str
    variable: str
    statistic: str
    direction: str
    status: str
    since: str
    told: str
    is_due: bool
    reference_time: str
    first: str | None
    last: str | None
    at: str | None
    area: float
    share: float
    cells: int
    drought_class: str | None
    worst: dict[str, Any] | None
    text: dict[str, str]
    where: np.ndarray = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the alarm for a file."""
        out = asdict(self)
        del out["where"]
        return out


def quantile_weights(levels: ArrayLike) -> np.ndarray:
    """Return the shares that quantiles stand for, so that they can take the place of members.

    Parameters
    ----------
    levels : array_like, shape (quantile,)
        Probabilities of the quantiles [1], rising between 0 and 1, such as 0.05, 0.25, 0.5, 0.75, 0.95.

    Returns
    -------
    numpy.ndarray, shape (quantile,)
        Each stands for the shares up to half way to its neighbours; the first and last for all beyond.

    Raises
    ------
    InputError
        If the levels do not rise between 0 and 1.
    """
    shares = np.asarray(levels, float)
    if shares.ndim != 1 or shares.size == 0 or not (np.diff(shares, prepend=0.0, append=1.0) >= 0.0).all() or (
            np.diff(shares) == 0.0).any():
        raise InputError(f"Alarms: expected levels of quantiles that rise between 0 and 1, got {levels}.")
    return np.diff(np.concatenate([[0.0], 0.5 * (shares[1:] + shares[:-1]), [1.0]]))


def evaluate_alarms(
    rules: Sequence[AlarmRule],
    field_of: Callable[[AlarmRule], AlarmField] | Mapping[str, AlarmField],
    places: AlarmPlaces,
    reference_time: Any,
    previous: Sequence[Mapping[str, Any]] = (),
) -> list[Alarm]:
    """Return the alarms of a cycle: those that are on, and those that were on and have ended.

    Parameters
    ----------
    rules : sequence of AlarmRule
        The rules.
    field_of : callable or mapping
        Gives the field of a rule; a mapping by the variable of the rule.
    places : AlarmPlaces
        The cells.
    reference_time : datetime or datetime64
        Time of the analysis [UTC]; leads count from it.
    previous : sequence of mapping
        Alarms of the preceding cycle, as `Alarm.as_dict` gives them. The preceding one, not the last that was computed:
        a cycle that is repeated then finds the same alarms.

    Returns
    -------
    list of Alarm
        In the order of the rules.

    Raises
    ------
    InputError
        If a rule has no field or no percentiles, its zone holds no cell, or its lead no time.
    """
    moment = np.datetime64(reference_time, "s")
    before = {one["name"]: one for one in previous if one["status"] != CLEARED}
    out = []
    for rule in rules:
        found = _evaluate(rule, _field(field_of, rule), places, moment, before.get(rule.name))
        if found is not None:
            out.append(found)
    return out


def _field(field_of: Callable[[AlarmRule], AlarmField] | Mapping[str, AlarmField], rule: AlarmRule) -> AlarmField:
    if not isinstance(field_of, Mapping):
        return field_of(rule)
    if rule.variable not in field_of:
        raise InputError(f"Alarm '{rule.name}': there is no field of '{rule.variable}', only of "
                         f"{', '.join(field_of) or 'none'}; add it to output.members.")
    return field_of[rule.variable]


def _evaluate(rule: AlarmRule, given: AlarmField, places: AlarmPlaces, moment: np.datetime64,
              before: Mapping[str, Any] | None) -> Alarm | None:
    """Return the alarm of one rule, None if it is off and was off."""
    watched = places.watched(rule)
    if np.shape(given.values)[2] != watched.size:
        raise InputError(f"Alarm '{rule.name}': its field has {np.shape(given.values)[2]} cells, the run "
                         f"{watched.size}.")
    times = np.asarray(given.times, "datetime64[s]")
    rows = _rows(rule, times, moment)
    data = given.values if rule.statistic != PERCENTILE else given.percentile
    if data is None:
        raise InputError(f"Alarm '{rule.name}': it asks for percentiles, and its field has none; give the cycle a "
                         "climatology.")
    data, times = np.asarray(data)[rows], times[rows]
    area = np.where(watched, np.asarray(places.area, float), 0.0)
    sample = _Sample(rule, data, given.weights, area)
    raised, held = sample.beyond(rule.limit), sample.beyond(rule.clearing_limit)
    is_raised, is_held = sample.covers(raised), sample.covers(held)
    is_on = _recursion(is_raised, is_held, before is not None)
    if not is_on.any():
        return None if before is None else _cleared(rule, before, moment, watched.size)
    alarming = np.where(is_raised[:, None], raised, held) & is_on[:, None]
    share = sample.share_of(alarming)
    at = int(np.argmax(share))
    worst_class = sample.drought_class(is_on) if rule.statistic == PERCENTILE and rule.direction == BELOW else None
    status = _status(before, worst_class)
    since = str(moment) if status == RAISED else before["since"]
    is_due = status in (RAISED, WORSE) or (
        rule.repeat is not None and moment - np.datetime64(before["told"], "s") >= rule.repeat * _SECOND)
    facts: dict[str, Any] = {
        "name": rule.name, "variable": rule.variable, "statistic": rule.statistic, "direction": rule.direction,
        "status": status, "since": since, "told": str(moment) if is_due else before["told"], "is_due": is_due,
        "reference_time": str(moment),
        "first": str(times[is_on][0]), "last": str(times[is_on][-1]), "at": str(times[at]),
        "area": float(area[alarming[at]].sum()), "share": float(share[at]), "cells": int(alarming[at].sum()),
        "drought_class": worst_class, "worst": sample.worst(alarming, times, places),
    }
    return Alarm(**facts, text=alarm_text(rule, facts), where=alarming.any(axis=0))


def _rows(rule: AlarmRule, times: Array, moment: np.datetime64) -> Array:
    """Return which times a rule looks at."""
    if rule.lead is None:
        return np.ones(times.size, bool)
    lead = (times - moment) / _SECOND
    rows = (lead >= rule.lead[0]) & (lead <= rule.lead[1])
    if not rows.any():
        raise InputError(f"Alarm '{rule.name}': no time of its field lies {rule.lead[0]:g} to {rule.lead[1]:g} s after "
                         f"the analysis of {moment}; the field ends {lead.max():g} s after it.")
    return rows


def _recursion(is_raised: Array, is_held: Array, was_on: bool) -> Array:
    """Return when an alarm is on: from a time at which it is raised until one at which it is not held."""
    order = np.arange(1, is_raised.size + 1)
    last_raised = np.maximum.accumulate(np.where(is_raised, order, 0))  # 0: the state of the preceding cycle
    last_let_go = np.maximum.accumulate(np.where(is_held, -1 if was_on else 0, order))
    return last_raised > last_let_go


def _status(before: Mapping[str, Any] | None, worst_class: str | None) -> str:
    """Compare with the preceding cycle; classes D0 to D4 compare as words."""
    if before is None:
        return RAISED
    return WORSE if (worst_class or "") > (before["drought_class"] or "") else ONGOING


def _cleared(rule: AlarmRule, before: Mapping[str, Any], moment: np.datetime64, ncell: int) -> Alarm:
    """Return the alarm that says that it has ended."""
    facts: dict[str, Any] = {
        "name": rule.name, "variable": rule.variable, "statistic": rule.statistic, "direction": rule.direction,
        "status": CLEARED, "since": before["since"], "told": str(moment), "is_due": True,
        "reference_time": str(moment), "first": None, "last": None, "at": None, "area": 0.0, "share": 0.0, "cells": 0,
        "drought_class": None, "worst": None,
    }
    return Alarm(**facts, text=alarm_text(rule, facts), where=np.zeros(ncell, bool))


class _Sample:
    """Members of one rule at the times that it looks at."""

    def __init__(self, rule: AlarmRule, data: Array, weights: ArrayLike | None, area: Array) -> None:
        self._rule, self._data, self._area = rule, data, area
        self._weights = None if weights is None else np.asarray(weights, float)
        is_there = np.isfinite(data)
        self._count = self._total(is_there)
        known = np.where(is_there, data, 0.0)
        weighted = known if self._weights is None else known * self._weights[:, None]
        counted = np.where(self._count > 0.0, self._count, np.nan)
        self.mean = weighted.sum(axis=1) / counted  # (time, cell)
        self._counted = counted
        self._watched_area = float(area[np.isfinite(self.mean).any(axis=0)].sum())

    def _total(self, is_so: Array) -> Array:
        """Sum what members say, (time, member, cell), to (time, cell): members, or the shares they stand for."""
        if self._weights is None:
            return is_so.sum(axis=1).astype(float)
        return (is_so * self._weights[:, None]).sum(axis=1)

    def probability(self, limit: float) -> Array:
        """Return the share of members at or beyond a limit, (time, cell); NaN without members."""
        return self._total(self._is_beyond(self._data, limit)) / self._counted

    def _is_beyond(self, values: Array, limit: float) -> Array:
        """Compare with a limit; what is missing is not beyond it."""
        return values <= limit if self._rule.direction == BELOW else values >= limit

    def beyond(self, limit: float) -> Array:
        """Return which cells are alarming, (time, cell)."""
        if self._rule.probability is None:
            return self._is_beyond(self.mean, limit) & (self._area > 0.0)
        return (self.probability(limit) >= self._rule.probability) & (self._area > 0.0)

    def share_of(self, alarming: Array) -> Array:
        """Return the share of the watched area, (time,); cells that never have a value are not watched."""
        return alarming @ self._area / (self._watched_area if self._watched_area > 0.0 else 1.0)

    def covers(self, alarming: Array) -> Array:
        """Tell when alarming cells cover the least share, (time,)."""
        share = self.share_of(alarming)
        return (share > 0.0) & (share >= self._rule.least_share)

    def drought_class(self, is_on: Array) -> str | None:
        """Return the worst class that covers the least share at a time at which the alarm is on."""
        found = None
        for name, limit in DROUGHT_PERCENTILES.items():
            if (self.covers(self.beyond(limit)) & is_on).any():
                found = name
        return found

    def worst(self, alarming: Array, times: Array, places: AlarmPlaces) -> dict[str, Any]:
        """Return the alarming cell and time with most members beyond the threshold, of these the most extreme."""
        share = np.where(alarming, self.probability(self._rule.limit), -1.0)
        extreme = np.where(share == share.max(), self.mean * self._rule.sign, np.inf)
        row, cell = np.unravel_index(int(np.nanargmin(extreme)), extreme.shape)
        return {
            "latitude": float(places.latitude[cell]), "longitude": float(places.longitude[cell]),
            "time": str(times[row]), "probability": float(share[row, cell]), "value": float(self.mean[row, cell]),
        }
