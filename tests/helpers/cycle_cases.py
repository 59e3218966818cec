"""A small real-time cycle whose files arrive by the script of case 41, and the comparison of cycle folders."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import yaml

from cases import differences
from pyland.config import load_case
from pyland.driver.cycle import run_cycles

CASE = Path(__file__).resolve().parents[2] / "cases" / "41_realtime"
HOUR = np.timedelta64(3600, "s")
SMALL = {"domain.nx": 2, "domain.ny": 1, "ensemble.size": 3, "cycle.forecast.lead": "1 day",
         "cycle.forecast.members": 2, "cycle.redo": 2, "output.members": [], "cycle.keep.superseded": 9,
         "cycle.alarms.rules": [{"name": "wet", "variable": "soil_water", "depth": [0, "10 cm"], "statistic": "value",
                                 "threshold": 0.05, "direction": "above", "probability": 0.5}],
         "cycle.hindcast.quantities": [{"variable": "soil_water", "depth": [0, "10 cm"]}]}
"""What makes the case small: two cells, three members, forecasts of a day."""

_SPEC = importlib.util.spec_from_file_location("deliver", CASE / "deliver.py")
deliver = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(deliver)


def write_small_case(folder, days, faults, changes=None, outage=None, late=None):
    """Write the small case with its archive and the schedule of what arrives; return its folder."""
    content = yaml.safe_load((CASE / "case.yaml").read_text())
    content["time"]["end"] = str(np.datetime64("2020-05-01") + np.timedelta64(days, "D"))
    for path, value in {**SMALL, **(changes or {})}.items():
        *sections, last = path.split(".")
        place = content
        for name in sections:
            place = place.setdefault(name, {})
        place[last] = value
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    archive = folder / "archive"
    if not archive.exists():
        deliver.make_archive(folder, archive, days, members=2, lead=2)
    start = load_case(folder).time.start64
    (archive / "schedule.json").write_text(json.dumps(
        deliver.make_schedule(start, days, members=2, faults=faults, outage=outage or (days, days), late=late)))
    return folder


def moments(folder, days, hours=6, more=1):
    """Return the times at which a timer calls the cycle, UTC."""
    start = load_case(folder).time.start64
    return [start + hours * count * HOUR for count in range(24 // hours, (days + more) * 24 // hours)]


def replay(folder, days, output, call=None, config=None, more=1):
    """Replay the case into a folder, to some days after its end, and return the names of products in their order."""
    config = config or load_case(folder)
    shutil.rmtree(folder / "incoming", ignore_errors=True)
    names = []
    for now in moments(folder, days, more=more):
        deliver.release(folder / "archive", folder / "incoming", now)
        names += (call or run_cycles)(config, output=output, now=now).published
    return names


def disk_use(folder):
    """Return the number and size of files below a folder [byte]."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def product_differences(one, other, folders=("", ""), is_part=False):
    """Name what differs in products and states of two cycle folders.

    ``folders`` of what arrived may differ; ``is_part``: the other one has not come so far.
    """
    left, right = ({path.relative_to(root).as_posix(): path for path in (root / "products").rglob("*")
                    if path.is_file()} for root in (one, other))
    missing = right.keys() - left.keys() if is_part else left.keys() ^ right.keys()
    found = [f"only one has {name}" for name in sorted(missing)]
    for name in sorted(left.keys() & right.keys()):
        if name.endswith(".nc"):
            found += [f"{name}: {line}" for line in differences(left[name], right[name])]
        elif name.endswith(("cycle.json", "scores.json", "alarms.json")) and (
                left[name].read_text().replace(f"/{folders[0]}/", f"/{folders[1]}/") != right[name].read_text()):
            found.append(name)
    if is_part:
        return found
    texts = [(root / "state.json").read_text() for root in (one, other)]
    states = [json.loads(text) for text in (texts[0].replace(f"/{folders[0]}/", f"/{folders[1]}/"), texts[1])]
    return found + [f"state: {key}" for key in states[0] if states[0][key] != states[1][key]]
