"""Replays the real-time cycle: delivers what has arrived, calls the cycle as a timer does, and judges what came out.

    python3 replay.py [--days N]        as `deliver.py release DATE; pyland cycle . --now DATE` every six hours

Writes cycle/replay.json: products by time of publication, wall time by step, errors against the truth.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np

from pyland.config import CaseConfig, load_case
from pyland.driver.cycle import run_cycles

sys.path.insert(0, str(Path(__file__).resolve().parent))
from deliver import DAY, HERE, HOUR, release

EVERY = 6  # time between calls [h]
DEPTHS = {"0-5 cm": (0.0, 0.05), "5-100 cm": (0.05, 1.0)}


def replay(config: CaseConfig, archive: Path, incoming: Path, output: Path, days: int) -> dict:
    """Call the cycle every six hours from the end of the first day to a day after the last, and return what it did."""
    for folder in (incoming, output):
        shutil.rmtree(folder, ignore_errors=True)
    published, seconds, began = [], {}, time.perf_counter()
    for call in range(24 // EVERY, (days + 1) * 24 // EVERY + 1):
        now = config.time.start64 + call * EVERY * HOUR
        release(archive, incoming, now)
        report = run_cycles(config, output=output, now=now, until=config.time.start64 + days * DAY)
        published += [{"now": str(now), "name": name} for name in report.published]
        for step, values in report.seconds.items():
            seconds.setdefault(step, []).extend(values)
    return {"published": published, "wall_seconds": time.perf_counter() - began,
            "seconds": {step: {"n": len(values), "mean": float(np.mean(values))} for step, values in seconds.items()}}


def soil_water(path: Path, depth: tuple[float, float], name: str = "soil_water") -> tuple[np.ndarray, np.ndarray]:
    """Return times and means over a depth, (time, cell) [m3 m-3]."""
    with netCDF4.Dataset(path) as data:
        bounds = data["layer_bounds"][:]
        weight = np.clip(np.minimum(bounds[:, 1], depth[1]) - np.maximum(bounds[:, 0], depth[0]), 0.0, None)
        values = np.tensordot(weight / weight.sum(), data[name][:], axes=(0, 1))
        return np.asarray(data["time"][:]).astype("datetime64[s]"), np.asarray(values).reshape(values.shape[0], -1)


def errors(products: Path, truth: Path) -> dict:
    """Return the RMSE of ensemble means over cells and times [m3 m-3]: newest analyses, and forecasts by lead time."""
    out: dict = {}
    names = newest_products(products)
    for label, depth in DEPTHS.items():
        times, true = soil_water(truth, depth)
        place = {moment: row for row, moment in enumerate(times)}
        analysis, forecast = [], {}
        for name in names:
            when, values = soil_water(products / name / "analysis.nc", depth)
            analysis += [values[row] - true[place[moment]] for row, moment in enumerate(when)]
            if not (products / name / "forecast.nc").exists():
                continue
            end = when[-1]
            when, values = soil_water(products / name / "forecast.nc", depth)
            for row, moment in enumerate(when):
                if moment in place and (moment - end) % DAY == np.timedelta64(0, "s"):
                    forecast.setdefault(f"{int((moment - end) / DAY)} d", []).append(values[row] - true[place[moment]])
        out[label] = {"analysis": rmse(analysis), **{f"forecast {lead}": rmse(one) for lead, one in forecast.items()}}
    return out


def newest_products(products: Path) -> list[str]:
    """Return the newest version of each cycle, in the order of time."""
    newest: dict[str, tuple[int, str]] = {}
    for path in products.iterdir():
        stamp, _, version = path.name.partition("_v")
        if not path.name.startswith("."):
            newest[stamp] = max(newest.get(stamp, (0, "")), (int(version or 1), path.name))
    return [newest[stamp][1] for stamp in sorted(newest)]


def rmse(differences: list[np.ndarray]) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(differences))))


def main() -> None:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    days = parser.parse_args().days
    found = replay(load_case(HERE), HERE / "archive", HERE / "incoming", HERE / "cycle", days)
    found["errors"] = errors(HERE / "cycle" / "products", HERE / "archive" / "truth" / "truth.nc")
    found["products"] = len(found["published"])
    found["cycles"] = len({one["name"][:13] for one in found["published"]})
    (HERE / "cycle" / "replay.json").write_text(json.dumps(found, indent=1))
    print(json.dumps({name: value for name, value in found.items() if name != "published"}, indent=1))


if __name__ == "__main__":
    main()
