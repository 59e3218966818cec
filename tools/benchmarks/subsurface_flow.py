"""Time distributed flow on the cases that ParFlow was timed on.

    python tools/benchmarks/subsurface_flow.py [--cases a100 a200 v256 v1min washita] [--threads 1 2] [--repeat 1]

a100 and a200: heterogeneous Richards, 24 h; v256 (and v64): storm on a tilted V with 5 m of soil; v1min: the V of
Di Giammarco over land alone; washita: rain on Little Washita. All but v* need the development data
($PYLAND_SHARED or ../shared). a200 is a100 mirrored at two sides: the same mean pressure on four times the cells.

Prints wall time of the best repetition, CPU time, sums of Newton and Krylov iterations, microseconds per cell and step
and per cell and Newton iteration, the mean pressure head against ParFlow's, peak memory of the process, ParFlow's time
(v3.15.0, its best preconditioner, one core of an AMD EPYC, the whole run) over this one, and the time per cell and
Newton iteration over a reference measured in the same run, numpy's exp per value in cache: machine speed cancels.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "tools" / "benchmarks")]

import flow_cases  # noqa: E402
from column_step import time_reference  # noqa: E402

from pyland.core.runtime import build, set_threads  # noqa: E402


def find_data() -> Path:
    """Folder of the development data."""
    for place in (os.environ.get("PYLAND_SHARED"), ROOT.parent / "shared"):
        if place is not None and (Path(place) / "data").is_dir():
            return Path(place) / "data"
    sys.exit("the development data set is not here: set PYLAND_SHARED to its folder, or choose --cases v64 v256 v1min")


CASES = {
    "a100": lambda: flow_cases.richards_a(find_data()),
    "a200": lambda: flow_cases.richards_a(find_data(), mirrored=True),
    "v64": lambda: flow_cases.tilted_v_soil(64, 32),
    "v256": lambda: flow_cases.tilted_v_soil(256, 128),
    "v1min": flow_cases.tilted_v,
    "washita": lambda: flow_cases.little_washita(find_data()),
}


def wall_is_shared(wall: float, cpu: float, threads: int) -> bool:
    """Whether one thread waited for the machine, by the rule of ParFlow's times (1.08 times the CPU time)."""
    return threads == 1 and wall > 1.08 * cpu + 0.1


def measure(case: flow_cases.FlowCase, threads: int, repeat: int) -> None:
    """Run a case and print a line."""
    set_threads(threads)
    reference = time_reference()
    best = float("inf")
    for _ in range(repeat):
        flow = case.build()
        wall, cpu = time.perf_counter(), time.process_time()
        total = flow_cases.run(flow, case.steps)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if wall < best:
            best, used = wall, cpu
    reference = min(reference, time_reference())
    if wall_is_shared(best, used, threads):
        print(f"{case.name}: the machine was busy, {best:.2f} s of wall time for {used:.2f} s of work: measure again")
    per_step = best / case.ncell / len(case.steps) * 1e6
    per_newton = best / case.ncell / max(total["newton_iterations"], 1) * 1e6
    line = (f"{case.name:34s} {threads} thread(s) {best:8.2f} s wall {used:8.2f} s CPU  Newton "
            f"{total['newton_iterations']:5d} Krylov {total['krylov_iterations']:6d} steps {total['steps']:4d}  "
            f"{per_step:7.3f} us/cell/step {per_newton:6.3f} us/cell/Newton = {per_newton * 1e3 / reference:5.0f} "
            "references")
    mean = float(flow.pressure.mean())
    line += f"\n{'':34s} mean pressure {mean:.11f} m"
    if case.parflow_mean is not None:
        line += f" (ParFlow {case.parflow_mean:.11f}, difference {mean - case.parflow_mean:+.1e})"
    balance = flow.balance
    line += f"  balance {balance['residual'] / balance['storage_subsurface']:+.1e} of the water held"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    line += f"\n{'':34s} peak memory of the process so far {peak:.0f} MB"
    if case.parflow_seconds is not None:
        line += f"  ParFlow {case.parflow_seconds:.1f} s on one core: {case.parflow_seconds / best:.1f} times as long"
    print(line, flush=True)


def main() -> None:
    """Time the chosen cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES,
                        default=["a100", "v64", "v1min", "washita", "v256", "a200"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--repeat", type=int, default=1)
    option = parser.parse_args()
    for name in option.cases:
        case = CASES[name]()
        for threads in option.threads:
            measure(case, threads, option.repeat)
    print(f"reference {time_reference():.3f} ns; {build()['compiler']} {build()['flags']}")


if __name__ == "__main__":
    main()
