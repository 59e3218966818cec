"""What the model itself says against an observation: frozen ground, snow, rain, or nothing to learn from snow cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.member_statistics import member_mean
from pyland.base.observation_reasons import FROZEN, QUALITY, RAIN, SNOW, USED, WITHHELD
from pyland.config import CaseConfig
from pyland.config.observation_operators import MICROWAVE
from pyland.driver.analysis.observed_fields import Observer
from pyland.observe import ObservationSet, combine_footprints


@dataclass(frozen=True)
class StateRules:
    """Limits of one name of observations; None: not asked.

    Attributes
    ----------
    frozen : float, optional
        Temperature of the top soil layer below which ground is frozen [K].
    snow : float, optional
        Mass of snow above which it is not seen through [kg m-2].
    rain : float, optional
        Rain above which nothing is seen [kg m-2 s-1].
    between : tuple of float, optional
        Observation and prediction must lie between these [unit of the type].
    """

    frozen: float | None = None
    snow: float | None = None
    rain: float | None = None
    between: tuple[float, float] | None = None

    @property
    def asks(self) -> bool:
        """Whether any limit is given."""
        return (self.frozen, self.snow, self.rain, self.between) != (None,) * 4


FROZEN_BELOW = 273.35
"""Temperature of the ground below which microwaves are not used [K], as in the SMAP level 4 system (Reichle et al.
2017, J. Hydrometeorol. 18, 2621-2645)."""

SNOW_ABOVE = 1.0e-4
"""Mass of snow above which they are not used [kg m-2], as there."""

_FIELDS = {"frozen": "soil_temperature", "snow": "snow_mass", "rain": "rain"}


def state_rules(config: CaseConfig) -> dict[str, StateRules]:
    """Return the rules of the entries of a case that have some, by name."""
    found = {}
    for entry in config.observations:
        between = entry.settings.get("range")
        frozen, snow = entry.quality.frozen, entry.quality.snow
        if entry.type in MICROWAVE:
            frozen = FROZEN_BELOW if frozen is None else frozen
            snow = SNOW_ABOVE if snow is None else snow
        rules = StateRules(frozen, snow, entry.quality.rain,
                           None if between is None else (between[0], between[1]))
        if rules.asks:
            found[entry.name] = rules
    return found


class StateQuality:
    """Rejects observations by the ensemble mean of the forecast, over the footprint of each.

    Parameters
    ----------
    rules : mapping of str to StateRules
        By name of the observations.
    observer : Observer
        Sees the run.
    """

    def __init__(self, rules: Mapping[str, StateRules], observer: Observer) -> None:
        self._rules, self._observer = dict(rules), observer

    def needs(self, sets: Sequence[ObservationSet]) -> tuple[str, ...]:
        """Return the fields that `reject` looks at."""
        return tuple(dict.fromkeys(field for one in sets if one.name in self._rules
                                   for limit, field in _FIELDS.items()
                                   if getattr(self._rules[one.name], limit) is not None))

    def reject(
        self, sets: Sequence[ObservationSet], fields: Mapping[str, np.ndarray], prior: Sequence[np.ndarray]
    ) -> None:
        """Give observations their reason not to be used; collective.

        Parameters
        ----------
        sets : sequence of ObservationSet
            Sets of an analysis; their flags change.
        fields : mapping of str to numpy.ndarray, shape ([layer,] member, cell)
            Those of `needs`.
        prior : sequence of numpy.ndarray, shape (member, obs of the set)
            What the members predict.
        """
        for one, predicted in zip(sets, prior, strict=True):
            rules = self._rules.get(one.name)
            if rules is None:
                continue
            if rules.frozen is not None:
                _flag(one, self._mean("soil_temperature", one, fields) < rules.frozen, FROZEN)
            if rules.snow is not None:
                _flag(one, self._mean("snow_mass", one, fields) > rules.snow, SNOW)
            if rules.rain is not None:
                _flag(one, self._mean("rain", one, fields) > rules.rain, RAIN)
            if rules.between is not None:
                low, high = rules.between
                seen = np.stack([one.values, member_mean(predicted)])
                # says what a filter can learn, not what is wrong: withheld observations stay
                _flag(one, ~((seen > low) & (seen < high)).all(axis=0), QUALITY, (USED,))

    def _mean(self, name: str, one: ObservationSet, fields: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the ensemble mean of a field, or of its top layer, over the footprints, (obs,)."""
        field = fields[name][0] if fields[name].ndim == 3 else fields[name]
        ranks = self._observer.ranks
        return combine_footprints(member_mean(field)[None], ranks.position, one.cells, one.weights, ranks)[0]


def _flag(one: ObservationSet, rows: np.ndarray, reason: int, of: tuple[int, ...] = (USED, WITHHELD)) -> None:
    """Give used observations a reason, and withheld ones: what hides the ground from one hides it from the other."""
    one.flags[rows & np.isin(one.flags, of)] = reason


__all__ = ["StateQuality", "StateRules", "state_rules"]
