"""Time merging, climatologies, quality and blocks: three products, 365 days, 100 000 places.

    OMP_NUM_THREADS=1 python tools/benchmarks/merging.py [--places 100000] [--days 365]

Prints CPU seconds of one call each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pyland.observe import ObservationTable
from pyland.observe.climatology import CdfMatch
from pyland.observe.merging import CommonGrid, MergeContext, align_table, merge_mean, merge_tc, times_between
from pyland.observe.quality import QualityRules, apply_quality, super_observations, thin

ERRORS, SLOPES = (0.03, 0.045, 0.06), (1.0, 0.8, 1.3)


def measure(label: str, call: Callable[[], Any]) -> Any:
    """Run once, print the time and return the result."""
    start = time.process_time()
    result = call()
    print(f"{label:66s} CPU {time.process_time() - start:8.2f} s")
    return result


def main() -> None:
    """Build the problem and time its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=365)
    option = parser.parse_args()
    random, days, places = np.random.default_rng(1), option.days, option.places
    truth = 0.25 + 0.07 * random.standard_normal((days, places))
    products = np.empty((3, days, places))
    for one, (slope, error) in enumerate(zip(SLOPES, ERRORS, strict=True)):
        products[one] = slope * truth + error * random.standard_normal(truth.shape)
        products[one][random.random(truth.shape) < 0.3] = np.nan
    times = np.datetime64("2018-01-01T12:00:00") + np.arange(days) * np.timedelta64(1, "D")
    context = MergeContext(("a", "b", "c"), times, np.zeros(places), np.zeros(places))
    measure("mean of three products", lambda: merge_mean(products))
    measure("triple collocation of anomalies and merge", lambda: merge_tc(products, None, context))
    measure("triple collocation of values and merge", lambda: merge_tc(products, None, context, {"anomalies": "none"}))
    few = slice(0, places // 10)
    match = measure("CDF matching, one window, a tenth of the places: fit",
                    lambda: CdfMatch.fit(products[1][:, few], products[0][:, few], times))
    measure("CDF matching: apply", lambda: match.apply_to_grid(products[1][:, few], times, 0.04))
    measure("CDF matching, 24 windows of 91 days, a tenth of the places: fit",
            lambda: CdfMatch.fit(products[1][:, few], products[0][:, few], times, window=45, least_count=30))
    count = 1_000_000
    table = ObservationTable(
        "p", "soil_moisture", random.uniform(0.1, 0.4, count),
        np.datetime64("2018-01-01T00:00:00") + random.integers(0, 30 * 86400, count).astype("timedelta64[s]"),
        random.uniform(45.0, 55.0, count), random.uniform(0.0, 20.0, count), 0.04, footprint=9000.0,
        location=random.integers(0, 20_000, count), extra={"open_water": 0.1 * random.random(count)})
    print(f"{count} observations of 30 days")
    measure("quality rules", lambda: apply_quality(table, QualityRules(largest_open_water=0.05)))
    measure("super-observations of 25 km", lambda: super_observations(table, 25e3, interval=np.timedelta64(1, "D")))
    measure("thinning to 25 km", lambda: thin(table, 25e3, np.timedelta64(1, "D")))
    grid = CommonGrid.regular((45.0, 55.0, 0.0, 20.0), 0.1)
    when = times_between("2018-01-01", "2018-01-31")
    for method in ("nearest", "area"):
        measure(f"to {grid.size} places, {method}",
                lambda method=method: align_table(table, when, grid, method=method, radius=15e3))


if __name__ == "__main__":
    main()
