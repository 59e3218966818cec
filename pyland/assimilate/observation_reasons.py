"""Why an observation takes part in an analysis or not: codes and words, the same as those of observed sets."""

from __future__ import annotations

USED, MISSING, OUT_OF_RANGE, QUALITY, OUTSIDE, INNOVATION, THINNED, WITHHELD, NO_PREDICTION = range(9)

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
}
"""Flag values and their meanings; one CF flag_meanings word each. 0 to 5 are those of `pyland.observe`."""
