"""Sub-section ``cycle.alarms``: which states of the land are worth an alarm, and who is told."""

from __future__ import annotations

import re

from pydantic import model_validator

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.fields import Problem, Problems, Section, key

VALUE, PERCENTILE = "value", "percentile"
BELOW, ABOVE = "below", "above"

DROUGHT_PERCENTILES = {"D0": 30.0, "D1": 20.0, "D2": 10.0, "D3": 5.0, "D4": 2.0}
"""Drought class and the percentile at or below which it begins [percent] (Svoboda et al. 2002, BAMS 83, 1181)."""

_NAME = re.compile(r"[\w-]+")
_WEB = re.compile(r"https?://\S+")


class AlarmRule(Section):
    """An alarm: a limit, how sure it must be, and over how much land."""

    name: str = key("alarm", "name: letters, digits, _ and -", kind="text")
    variable: str = key("soil_water", "variable of `pyland vars`", kind="text")
    depth: list[float] | None = key(
        None, "top and bottom that layers are averaged over; null for a variable without layers", unit="m",
        kind="numbers", at_least=0, length=2)
    statistic: str = key(
        PERCENTILE, "value: of the members; percentile: of the members within the climatology of place and day of the "
        "year", choices=(VALUE, PERCENTILE))
    threshold: float | str = key(
        "D2", "limit [unit of the variable, or percent]; D0 to D4: the percentile of a drought class", kind="number",
        also=DROUGHT_PERCENTILES)
    direction: str = key(BELOW, "side of the limit that is alarming, with the limit itself", choices=(BELOW, ABOVE))
    probability: float | None = key(
        0.8, "share of the members beyond the limit that makes a cell alarming; null: the mean of the members is beyond"
        " it", unit="1", above=0, at_most=1)
    least_share: float = key(
        0.0, "least share of the area in alarming cells; 0: one cell is enough", unit="1", at_least=0, at_most=1)
    zone: str | None = key(
        None, "zone that is watched: of cycle.alarms.zones, a land cover, or a basin as `basin 1`; null for the whole "
        "domain", kind="text")
    polygon: list[list[float]] | None = key(
        None, "polygon that is watched, [longitude, latitude] of its corners [degrees]; null for none")
    lead: list[float] | None = key(
        None, "first and last time after the analysis that is looked at; null for all", unit="s", kind="numbers",
        at_least=0, length=2)
    cleared_at: float | None = key(
        None, "an alarm that is on ends where this limit is not reached either [as threshold]; null is the threshold",
        kind="number")
    repeat: float | None = key(
        None, "an alarm that goes on is told again after this time; null: only when it begins, grows worse or ends",
        unit="s", above=0)

    @model_validator(mode="after")
    def _check(self) -> AlarmRule:
        problems: list[Problem] = []
        if _NAME.fullmatch(self.name) is None:
            problems.append(("name", f"expected letters, digits, _ and -, got '{self.name}'", ("name",)))
        try:
            variable(self.variable)
        except InputError as error:
            problems.append(("variable", str(error), ("variable",)))
        is_class = isinstance(self.threshold, str)
        if is_class and (self.statistic != PERCENTILE or self.direction != BELOW):
            problems.append(("threshold", f"expected statistic {PERCENTILE} and direction {BELOW} with the drought "
                             f"class {self.threshold}, got {self.statistic} and {self.direction}",
                             ("threshold", "statistic", "direction")))
        if self.statistic == PERCENTILE and not 0.0 <= self.limit <= 100.0:
            problems.append(("threshold", f"expected a percentile from 0 to 100, got {self.limit:g}", ("threshold",)))
        if self.cleared_at is not None and (self.cleared_at - self.limit) * self.sign < 0.0:
            side = "at least" if self.direction == BELOW else "at most"
            problems.append(("cleared_at", f"expected {side} the threshold {self.limit:g}, got {self.cleared_at:g}; an "
                             "alarm must not end before it begins", ("cleared_at", "threshold", "direction")))
        for name in ("depth", "lead"):
            pair = getattr(self, name)
            if pair is not None and pair[1] < pair[0]:
                problems.append((name, f"expected the second number at or above the first, got {pair}", (name,)))
        if self.zone is not None and self.polygon is not None:
            problems.append(("polygon", "expected a zone or a polygon, got both", ("polygon", "zone")))
        if self.polygon is not None and (len(self.polygon) < 3 or any(len(one) != 2 for one in self.polygon)):
            problems.append(("polygon", "expected three or more corners [longitude, latitude]", ("polygon",)))
        if problems:
            raise Problems(problems)
        return self

    @property
    def limit(self) -> float:
        """The threshold as a number [unit of the variable, or percent]."""
        return DROUGHT_PERCENTILES[self.threshold] if isinstance(self.threshold, str) else self.threshold

    @property
    def clearing_limit(self) -> float:
        """The limit at which an alarm that is on ends [as `limit`]."""
        return self.limit if self.cleared_at is None else self.cleared_at

    @property
    def sign(self) -> float:
        """1 where values below the limit are alarming, -1 where those above are."""
        return 1.0 if self.direction == BELOW else -1.0


class AlarmsSection(Section):
    """Alarms on analyses and forecasts, and how they are delivered."""

    rules: list[AlarmRule] = key(list, "rules, one alarm each", factory=True)
    zones: str | None = key(
        None, "zones of your own that rules may name: a map (netCDF on the grid of the domain) or polygons (GeoJSON, "
        "degrees); land covers and basins are always there", kind="path")
    command: str | None = key(
        None, "command that gets each alarm as JSON on its standard input; null for none", kind="text")
    webhook: str | None = key(
        None, "address (http or https) that each alarm is posted to as JSON; null for none", kind="text")
    timeout: float = key(30.0, "longest time that a delivery may take", unit="s", above=0, at_most=600)
    attempts: int = key(3, "cycles that try to deliver an alarm before it is given up", kind="integer", at_least=1)

    @model_validator(mode="after")
    def _check(self) -> AlarmsSection:
        problems: list[Problem] = []
        names = [one.name for one in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            problems.append(("rules", f"expected a name for each rule, got '{twice[0]}' more than once", ("rules",)))
        if self.webhook is not None and _WEB.fullmatch(self.webhook) is None:
            problems.append(("webhook", f"expected an address that begins with http:// or https://, got "
                             f"'{self.webhook}'", ("webhook",)))
        if self.command is not None and not self.command.strip():
            problems.append(("command", "expected a command, got nothing", ("command",)))
        if problems:
            raise Problems(problems)
        return self
