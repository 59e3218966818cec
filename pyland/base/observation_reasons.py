"""Why an observation takes part in an analysis or not: codes and words of all rooms and files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

(USED, MISSING, OUT_OF_RANGE, QUALITY, OUTSIDE, INNOVATION, THINNED, WITHHELD, NO_PREDICTION, BAD_ERROR,
 NOT_ASSIMILATED, FROZEN, SNOW, OPEN_WATER, VEGETATION, RAIN, DUPLICATE, AVERAGED, NO_CLIMATOLOGY,
 OUTSIDE_PERIOD) = range(20)  # fmt: skip

REASONS = {
    USED: "used",
    MISSING: "missing_value",
    OUT_OF_RANGE: "value_out_of_range",
    QUALITY: "rejected_by_quality_flag",
    OUTSIDE: "outside_domain",
    INNOVATION: "innovation_too_large",
    THINNED: "thinned",
    WITHHELD: "withheld",
    NO_PREDICTION: "prediction_not_finite",
    BAD_ERROR: "error_not_positive",
    NOT_ASSIMILATED: "not_assimilated",
    FROZEN: "frozen_ground",
    SNOW: "snow_covered",
    OPEN_WATER: "open_water",
    VEGETATION: "dense_vegetation",
    RAIN: "rain",
    DUPLICATE: "duplicate",
    AVERAGED: "averaged_into_another",
    NO_CLIMATOLOGY: "no_climatology",
    OUTSIDE_PERIOD: "outside_period",
}
"""Flag values and their meanings; one CF flag_meanings word each."""


def reason_words(flags: np.ndarray) -> list[str]:
    """Return the word of each flag (obs,)."""
    return [REASONS[int(flag)] for flag in flags]


def reason_counts(flags: np.ndarray) -> dict[str, int]:
    """Return how many of the flags (obs,) have each reason, by its word, without zeros."""
    return {word: int((flags == flag).sum()) for flag, word in REASONS.items() if (flags == flag).any()}


def in_words(counts: Mapping[str, int]) -> str:
    """Return counts by reason as text, ``"3 outside_domain, 1 missing_value"``."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items()) or "none"


def flag_attributes() -> dict[str, np.ndarray | str]:
    """Return the CF attributes of a variable of flags."""
    return {"flag_values": np.array(list(REASONS), "i1"), "flag_meanings": " ".join(REASONS.values())}
