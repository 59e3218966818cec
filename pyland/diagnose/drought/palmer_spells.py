"""Spells of the Palmer index: the recursion of its three indices, the end of spells, and the choice between them.

References
----------
.. [1] Palmer, W. C. (1965). Meteorological drought. U.S. Weather Bureau Research Paper 45.
.. [2] Wells, N., Goddard, S., Hayes, M. J. (2004). A self-calibrating Palmer Drought Severity Index. J. Climate 17,
   2335-2351: equations 4 to 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPELL = 0.5
"""Index at which a spell is established, and at which one ends [1]_."""

CERTAIN = 100.0
"""Probability that a spell has ended [percent]."""

ROUNDING = 1.0e-5
"""What the published program adds to sums of effective wetness, so that rounding does not keep a spell from its end,
and how near to certain is certain [percent] [2]_."""

_UNDECIDED, _WET, _DRY, _ESTABLISHED = 0, 1, 2, 3

Array = NDArray[Any]


@dataclass(frozen=True)
class DurationFactors:
    """Lines of the largest sums of the moisture anomaly against their length, each (cell,).

    X(t) = X(t-1) b / (m + b) + Z(t) / (m + b): equation 14 of [2]_ with slope m and intercept b, by sign.

    Attributes
    ----------
    wet_slope, wet_intercept, dry_slope, dry_intercept : numpy.ndarray
        Of spells that are wet and dry.
    """

    wet_slope: Array
    wet_intercept: Array
    dry_slope: Array
    dry_intercept: Array

    def is_stable(self) -> Array:
        """Return where the recursion forgets: m and m + b are above 0, and |b| below m + b, shape (cell,)."""
        good = np.ones(self.wet_slope.shape, bool)
        for m, b in ((self.wet_slope, self.wet_intercept), (self.dry_slope, self.dry_intercept)):
            good &= np.isfinite(m) & np.isfinite(b) & (m + b > 0.0) & (np.abs(b) < m + b)
        return good


@dataclass(frozen=True)
class Spells:
    """What the recursion leaves of each month, arrays of shape (month, cell).

    Attributes
    ----------
    wet, dry, spell : numpy.ndarray
        Indices of a beginning wet and dry spell, and of the established one, 0 if there is none [1].
    chosen : numpy.ndarray of int
        Which of them counts; 0 where only later months can tell.
    probability : numpy.ndarray
        That the established spell has ended [percent].
    """

    wet: Array
    dry: Array
    spell: Array
    chosen: Array
    probability: Array

    def severity(self) -> Array:
        """Return the drought severity index: spells are chosen by what came later, shape (month, cell)."""
        return _chosen_afterwards(self.wet, self.dry, self.spell, self.chosen)

    def hydrological(self, severity: Array) -> Array:
        """Return the hydrological index, established spells until their end is certain, shape (month, cell)."""
        return np.where(self.spell == 0.0, severity, self.spell)

    def modified(self) -> Array:
        """Return the modified index, which needs no later month, shape (month, cell)."""
        return _weighted(self.wet, self.dry, self.spell, self.probability)


def find_spells(anomaly: Array, factors: DurationFactors, *, dry_start: str = "program") -> Spells:
    """Run the recursion over a series of moisture anomalies.

    Parameters
    ----------
    anomaly : numpy.ndarray, shape (month, cell)
        Moisture anomaly index Z [1], without gaps.
    factors : DurationFactors
        Stable ones.
    dry_start : {"program", "paper"}
        The published program of [2]_ and its ports let the index of a beginning dry spell decay by the intercept of
        wet ones, ``b_wet / (m_dry + b_wet)``; the paper has that of dry ones.
    """
    ntime, ncell = anomaly.shape
    wet_total, dry_total = factors.wet_slope + factors.wet_intercept, factors.dry_slope + factors.dry_intercept
    wet_memory = factors.wet_intercept / wet_total
    start = factors.wet_intercept if dry_start == "program" else factors.dry_intercept
    dry_memory = start / (factors.dry_slope + start)
    wet, dry, spell = (np.empty((ntime, ncell)) for _ in range(3))
    chosen = np.empty((ntime, ncell), np.int8)
    probability = np.empty((ntime, ncell))
    x1, x2, x3, effective, ending = (np.zeros(ncell) for _ in range(5))
    for month in range(ntime):
        z = anomaly[month]
        x1 = np.maximum(0.0, wet_memory * x1 + z / wet_total)
        x2 = np.minimum(0.0, dry_memory * x2 + z / dry_total)
        x3, effective, ending, goes_on = _established(z, x3, effective, ending, factors)
        x1, x2 = np.where(goes_on, 0.0, x1), np.where(goes_on, 0.0, x2)
        is_free = x3 == 0.0
        new_wet = is_free & (x1 >= SPELL)
        new_dry = is_free & ~new_wet & (x2 <= -SPELL)
        is_new = new_wet | new_dry
        choice = np.where(new_wet, _WET, np.where(new_dry, _DRY, _UNDECIDED))
        is_open = is_free & ~is_new
        choice = np.where(is_open & (x1 == 0.0), _DRY, np.where(is_open & (x2 == 0.0), _WET, choice))
        x3 = np.where(new_wet, x1, np.where(new_dry, x2, x3))
        x1, x2 = np.where(new_wet, 0.0, x1), np.where(new_dry, 0.0, x2)
        chosen[month] = np.where(goes_on, _ESTABLISHED, choice)
        wet[month], dry[month], spell[month], probability[month] = x1, x2, x3, ending
    return Spells(wet, dry, spell, chosen, probability)


def _established(
    z: Array, x3: Array, effective: Array, ending: Array, factors: DurationFactors
) -> tuple[Array, Array, Array, Array]:
    """Advance established spells by a month; those that end have an index of 0 afterwards.

    Returns index, effective wetness or dryness, probability of an end, and where a spell goes on without doubt.
    """
    sign = np.sign(x3)
    is_wet = sign > 0.0
    slope = np.where(is_wet, factors.wet_slope, factors.dry_slope)
    intercept = np.where(is_wet, factors.wet_intercept, factors.dry_intercept)
    total = slope + intercept
    is_there = sign != 0.0
    level = SPELL * slope  # anomaly that keeps an index of 0.5, for 0.15 of Palmer
    in_doubt = (ending != 0.0) & (ending != CERTAIN)
    # effective wetness (dryness) counts against the spell: both are below 0 here, times the sign of the spell
    against = sign * z - level + np.minimum(sign * effective + ROUNDING, 0.0)
    goes_on = is_there & ((~in_doubt & (sign * z >= level)) | (against >= 0.0))
    needed = SPELL * total - intercept * np.abs(x3)  # times the sign
    needed = np.where(ending >= CERTAIN - ROUNDING, needed, needed + sign * effective)
    with np.errstate(divide="ignore", invalid="ignore"):
        likely = CERTAIN * against / needed
    ended = is_there & ~goes_on & ((likely >= CERTAIN - ROUNDING) | (needed == 0.0))
    is_doubted = is_there & ~goes_on & ~ended
    moved = intercept / total * x3 + z / total
    return (np.where(is_there & ~ended, moved, 0.0), np.where(is_doubted | ended, sign * against, 0.0),
            np.where(ended, CERTAIN, np.where(is_doubted, likely, 0.0)), goes_on)


def _chosen_afterwards(wet: Array, dry: Array, spell: Array, chosen: Array) -> Array:
    """Decide months in doubt by what came later, from the last to the first; at the end of the series they stay."""
    out = np.empty(wet.shape)
    way = np.zeros(wet.shape[1], np.int8)
    for month in range(len(wet) - 1, -1, -1):
        x1, x2, x3, choice = wet[month], dry[month], spell[month], chosen[month]
        is_decided = choice != _UNDECIDED
        turns_wet = ~is_decided & (way == _DRY) & (x2 == 0.0)
        turns_dry = ~is_decided & (way == _WET) & (x1 == 0.0)
        way = np.where(is_decided, choice, np.where(turns_wet, _WET, np.where(turns_dry, _DRY, way))).astype(np.int8)
        starting = np.where(way == _WET, x1, np.where(way == _DRY, x2, x3))
        out[month] = np.where(is_decided & (x3 != 0.0), x3, starting)
    return out


def _weighted(wet: Array, dry: Array, spell: Array, probability: Array) -> Array:
    """Return the modified index: established and beginning spell by the probability that the former has ended."""
    starting = np.where(np.abs(wet) > np.abs(dry), wet, dry)
    share = np.where((probability > 0.0) & (probability < CERTAIN), probability / CERTAIN, 0.0)
    other = np.where(spell <= 0.0, wet, dry)
    return np.where(spell == 0.0, starting, (1.0 - share) * spell + share * other)
