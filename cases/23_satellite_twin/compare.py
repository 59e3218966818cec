"""Compare filters and options of the case, as errors against the truth: ``python compare.py [RUN] [--only NAME ...]``.

RUN is the finished run of the case (default ``run``), whose truth and open loop all others share. Each other row is run
into RUN/NAME, unless it is there, with what differs from ``case.yaml``. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import xarray as xr

GLOBAL = ("enkf", "etkf", "estkf", "denkf", "seik", "ensrf", "eakf", "rhf", "netf", "knetf", "pf")
LOCAL = ("lestkf", "ldenkf", "lseik", "lenkf", "lensrf", "leakf", "lrhf", "lnetf", "lknetf")
STATES_ONLY = {"assimilation.parameters": "{}"}
TABLES = {
    "Filters, with the localisation of the case or, global ones, without": {
        "letkf (the case)": None,
        **{name: {"assimilation.filter": name} for name in LOCAL},
        **{name: {"assimilation.filter": name, "assimilation.localization": "null"} for name in GLOBAL},
    },
    "What the LETKF of the case owes to each option": {
        "letkf (the case)": None,
        "states only": STATES_ONLY,
        "radius 6 km": {"assimilation.localization.radius": "6 km"},
        "radius 30 km": {"assimilation.localization.radius": "30 km"},
        "radius 30 km, adaptive": {
            "assimilation.localization": "{radius: 30 km, taper: gaspari_cohn, adaptive: correlation}"},
        "no localisation": {"assimilation.filter": "etkf", "assimilation.localization": "null"},
        "parameter damping 0.1": {"assimilation.parameters.saturated_conductivity.damping": "0.1"},
        "parameter damping 0.5": {"assimilation.parameters.saturated_conductivity.damping": "0.5"},
        "parameter damping 1": {"assimilation.parameters.saturated_conductivity.damping": "1"},
        "inflation 1.05": {"assimilation.inflation": "{factor: 1.05}"},
        "RTPS 0.5": {"assimilation.inflation": "{relaxation: 0.5}"},
        "RTPP 0.5": {"assimilation.inflation": "{relaxation: 0.5, relaxation_to: perturbations}"},
        "adaptive inflation": {"assimilation.inflation": "{adaptive: {}}"},
        "logit of soil water": {"assimilation.update": "[{variable: soil_water, transform: logit}]"},
        "incremental, 6 h": {"assimilation.incremental": "{window: 6 h}"},
        "smoother, 3 days": {"assimilation.filter": "letks", "assimilation.window": "3 days"},
    },
}
SPIN_UP = 30  # days before errors count
DEPTHS = ((0.0, 0.05), (0.05, 0.5), (0.5, 1.5))  # [m]


def folder_of(run: Path, name: str, changes: dict[str, str] | None) -> Path:
    """Return where a row is or will be."""
    return run if changes is None else run / "".join(one if one.isalnum() else "_" for one in name)


def compute(case: Path, run: Path, name: str, changes: dict[str, str] | None) -> None:
    """Run a row, unless it is there."""
    folder = folder_of(run, name, changes)
    if changes is None or (folder / "scores.json").exists():
        return
    sets = [f"{key}={value}" for key, value in {**changes, "assimilation.open_loop": "false"}.items()]
    command = [sys.executable, "-m", "pyland", "run", str(case), "--output", str(folder)]
    command += [word for one in sets for word in ("--set", one)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name}: {done.stderr}")


def errors(history: xr.Dataset, truth: xr.Dataset) -> dict[str, float]:
    """Return errors of soil water by depth [m3 m-3] and of the logarithm of the conductivity at the end [1]."""
    out, counted = {}, slice(SPIN_UP, None)
    upper, lower = truth["layer_bounds"].values.T
    for top, bottom in DEPTHS:
        share = np.clip(np.minimum(lower, bottom) - np.maximum(upper, top), 0.0, None)
        share = xr.DataArray(share / share.sum(), dims="layer")
        difference = ((history["soil_water"] - truth["soil_water"]) * share).sum("layer").isel(time=counted)
        spread = (history["soil_water_std"] * share).sum("layer").isel(time=counted)
        out[f"{top:g}-{bottom:g} m"] = float(np.sqrt((difference**2).mean()))
        out[f"{top:g}-{bottom:g} m spread"] = float(np.sqrt((spread**2).mean()))
    logs = [np.log10(data["saturated_conductivity"].isel(time=-1, layer=0).values.ravel()) for data in (history, truth)]
    out["conductivity"] = float(np.sqrt(np.mean((logs[0] - logs[1]) ** 2)))
    out["correlation"] = float(np.corrcoef(*logs)[0, 1])
    return out


def row(name: str, found: dict[str, float], before: dict[str, float], scores: dict) -> str:
    """Return a line of the table."""
    first, second, third = (f"{top:g}-{bottom:g} m" for top, bottom in DEPTHS)
    reduced = [100.0 * (1.0 - found[one] / before[one]) for one in (first, second, third, "conductivity")]
    chi2 = scores["assimilation"]["departures"]["satellite"]["chi2"] if scores.get("assimilation") else np.nan
    numbers = [*(f"{one:.0f} %" for one in reduced[:3]), f"{found[f'{second} spread'] / found[second]:.2f}",
               f"{found['conductivity']:.3f}", f"{reduced[3]:.0f} %", f"{found['correlation']:.2f}", f"{chi2:.2f}"]
    return f"| {name} | " + " | ".join(numbers) + " |"


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default=str(Path(__file__).parent / "run"))
    parser.add_argument("--only", nargs="+", default=None, help="rows to run; the others are shown if they are there")
    option = parser.parse_args()
    run, case = Path(option.run), Path(__file__).parent
    truth = xr.open_dataset(run / "truth.nc").load()
    before = errors(xr.open_dataset(run / "open_loop" / "history.nc"), truth)
    print("Errors of the open loop: " + ", ".join(f"{name} {value:.4f}" for name, value in before.items()))
    for title, rows in TABLES.items():
        print(f"\n{title}\n")
        heads = ("0-5 cm", "5-50 cm", "50-150 cm", "spread/error, 5-50 cm", "RMSE of log10 Ksat", "less by",
                 "correlation", "chi2")
        print("| | " + " | ".join(heads) + " |\n|" + "---|" * (len(heads) + 1))
        for name, changes in rows.items():
            if option.only is None or name in option.only:
                compute(case, run, name, changes)
            folder = folder_of(run, name, changes)
            if (folder / "scores.json").exists():
                scores = json.loads((folder / "scores.json").read_text())
                found = errors(xr.open_dataset(folder / "history.nc"), truth)
                print(row(name, found, before, scores), flush=True)


if __name__ == "__main__":
    main()
