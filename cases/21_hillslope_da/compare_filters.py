"""Compare filters with that of the case, as errors against the truth: ``python compare_filters.py [RUN]``.

RUN is the finished run of the case, whose truth and open loop all share. Other filters are run into RUN/NAME, unless
they are there. Prints a table in Markdown: by how much each filter reduces the error of the open loop after the first
analysis.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import xarray as xr

WITHOUT = {"assimilation.localization": "null"}
ROWS = {
    "letkf (the case)": None,
    **{name: {"assimilation.filter": name} for name in ("ldenkf", "lensrf", "lrhf", "lenkf", "lnetf", "lknetf")},
    **{name: {"assimilation.filter": name, **WITHOUT} for name in ("etkf", "enkf", "ensrf")},
    "letkf, no relaxation": {"assimilation.inflation": "{relaxation: 0}"},
    "letkf, radius 120 m": {"assimilation.localization.radius": "120 m"},
}
ROOTS = 1.0  # depth of a boundary between layers [m]


def errors(folder: Path, truth: xr.Dataset, first: np.datetime64) -> list[float]:
    """Return errors of the water table [m] and of soil water above and below ``ROOTS`` [m3 m-3]."""
    with xr.open_dataset(folder / "history.nc") as data:
        data = data.sel(time=data["time"] > first).load()
    upper, lower = truth["layer_bounds"].values.T
    water = data["soil_water"] - truth["soil_water"]
    found = [data["water_table_depth"] - truth["water_table_depth"]]
    for is_inside in (lower <= ROOTS + 1e-6, upper >= ROOTS - 1e-6):
        share = np.where(is_inside, lower - upper, 0.0)
        found.append((water * xr.DataArray(share / share.sum(), dims="layer")).sum("layer"))
    return [float(np.sqrt((one**2).mean())) for one in found]


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default=str(Path(__file__).parent / "run"))
    parser.add_argument("--only", nargs="+", default=None, help="rows to run; the others are shown if they are there")
    option = parser.parse_args()
    run, case = Path(option.run), Path(__file__).parent
    with xr.open_dataset(run / "analysis.nc") as data:
        first = data["analysis_time"].values.min()
    with xr.open_dataset(run / "truth.nc") as data:
        truth = data.sel(time=data["time"] > first).load()
    before = errors(run / "open_loop", truth, first)
    print("errors of the open loop: " + ", ".join(f"{one:.4f}" for one in before))
    print(f"\n| | water table | soil water 0-{ROOTS:g} m | below |\n|---|---|---|---|")
    for name, changes in ROWS.items():
        folder = run if changes is None else run / "".join(one if one.isalnum() else "_" for one in name)
        is_wanted = changes is not None and (option.only is None or name in option.only)
        if is_wanted and not (folder / "scores.json").exists():
            command = [sys.executable, "-m", "pyland", "run", str(case), "--output", str(folder)]
            for key, value in {**changes, "assimilation.open_loop": "false"}.items():
                command += ["--set", f"{key}={value}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(f"{name}: {done.stderr}")
        if (folder / "scores.json").exists():
            after = errors(folder, truth, first)
            print(f"| {name} | " + " | ".join(f"{100 * (1 - a / b):.0f} %" for a, b in zip(after, before, strict=True))
                  + " |", flush=True)


if __name__ == "__main__":
    main()
