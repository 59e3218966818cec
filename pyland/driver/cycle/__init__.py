"""The real-time cycle: inputs as they arrive, analysis, forecast, products; repeatable after a kill at any moment."""

from __future__ import annotations

from pyland.driver.cycle.loop import CycleReport, cycle_folder, run_cycles

__all__ = ["CycleReport", "cycle_folder", "run_cycles"]
