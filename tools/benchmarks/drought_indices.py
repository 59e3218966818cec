"""Time of percentiles, SPI, SPEI, scPDSI and trends for many cells, on one core.

python tools/benchmarks/drought_indices.py [CELLS]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from pyland.diagnose.degradation import mann_kendall
from pyland.diagnose.drought import scpdsi, spei, spi
from pyland.diagnose.percentiles import Climatology, percentile_of


def clocked(words: str, cells: int, work) -> None:
    """Print the processor time of `work` for 1e5 cells."""
    begin = time.process_time()
    work()
    print(f"{words:<52} {(time.process_time() - begin) / cells * 1e5:8.1f} s per 1e5 cells")


def main() -> None:
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    rng = np.random.default_rng(0)
    months = np.datetime64("1960-01", "M") + np.arange(720)
    season = np.cos(2.0 * np.pi * (np.arange(720) % 12) / 12.0)[:, None]
    rain = (60.0 + 30.0 * season) * rng.gamma(2.0, 0.5, (720, cells))
    demand = np.maximum(60.0 * (1.0 - 0.8 * season) + 4.0 * rng.standard_normal((720, cells)), 1.0)
    clocked("SPI, 60 years, 3 months, gamma", cells, lambda: spi(rain, months, 3))
    clocked("SPEI, 60 years, 3 months, log-logistic", cells, lambda: spei(rain, demand, months, 3))
    clocked("scPDSI, 60 years", cells, lambda: scpdsi(rain, demand, months, capacity=150.0))
    clocked("Mann-Kendall and Sen, 40 years", cells, lambda: mann_kendall(rain[:40]))
    days = np.arange("1991-01-01", "2021-01-01", dtype="datetime64[D]")
    daily = rng.standard_normal((len(days), cells), dtype=np.float32)
    begin = time.process_time()
    usual = Climatology.build(days, daily)
    print(f"{'climatology of 30 years of days':<52} {(time.process_time() - begin) / cells * 1e5:8.1f} s per 1e5 cells")
    clocked("percentiles of one day", cells, lambda: percentile_of(daily[0], usual, days[0]))


if __name__ == "__main__":
    main()
