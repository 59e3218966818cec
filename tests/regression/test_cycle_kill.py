"""Sixty days of real time, killed at thirty random moments, are sixty days undisturbed; the disk stays bounded."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cycle_cases import deliver, moments, product_differences, write_small_case

DAYS, KILLS = 60, 30
PATIENCE = 3600.0
"""Longest wait for a replay [s]."""

CHANGES = {"cycle.keep.cycles": 8, "cycle.keep.monthly": 0, "cycle.keep.yearly": 0, "cycle.keep.superseded": 1}
LOOKS = (80, 100, 120, 160, 180, 200, 220, 239)
"""Calls of the timer, four a day, after which the disk is looked at."""

SCRIPT = """
import json, sys
from pathlib import Path
sys.path.insert(0, {helpers!r})
from cycle_cases import deliver, disk_use, moments
from pyland.base.complete_files import written_aside
from pyland.config import load_case
from pyland.driver.cycle import run_cycles

case, output, days = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
config, place = load_case(case), output.with_suffix(".place")
first = int(place.read_text()) if place.exists() else 0
print("begun", flush=True)
for number, now in enumerate(moments(case, days)):
    if number < first:
        continue
    deliver.release(case / "archive", case / output.name, now)
    run_cycles(config, output=output, now=now)
    if number in {looks}:
        with written_aside(output.with_suffix(f".disk{{number}}")) as partial:
            partial.write_text(json.dumps(disk_use(output)))
    with written_aside(place) as partial:
        partial.write_text(str(number + 1))
print("ended", flush=True)
"""


def start(case, output, environment):
    script = case / "replay.py"
    script.write_text(SCRIPT.format(
        helpers=str(Path(deliver.__file__).parents[2] / "tests" / "helpers"), looks=LOOKS))
    return subprocess.Popen([sys.executable, str(script), str(case), str(output), str(DAYS)], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def case_for(case, name):
    """Let the case read what arrives in a folder of this name: each replay has its own."""
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("path: incoming/", f"path: {name}/").replace("path: killed/",
                                                                                             f"path: {name}/"))


def wait_for(place, call, process):
    """Wait until the replay has come to a call of the timer."""
    until = time.monotonic() + PATIENCE
    while (int(place.read_text()) if place.exists() else 0) < call:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until, f"the replay does not come to call {call}"
        time.sleep(0.02)


@pytest.mark.slow
def test_sixty_days_killed_at_thirty_moments(tmp_path, clean_environment):
    faults = deliver.FAULTS | {("final", day): ("late", -56) for day in range(2, DAYS, 6)}  # others: too late for redo
    case = write_small_case(tmp_path / "case", DAYS, faults, CHANGES, outage=deliver.OUTAGE)
    began = time.monotonic()
    whole = start(case, tmp_path / "incoming", clean_environment)
    _, said = whole.communicate(timeout=PATIENCE)
    duration = time.monotonic() - began
    assert whole.returncode == 0, said
    chance, calls = random.Random(60), len(moments(case, DAYS))
    case_for(case, "killed")
    for kill in range(KILLS):
        process = start(case, tmp_path / "killed", clean_environment)
        wait_for(tmp_path / "killed.place", round((kill + chance.random()) * 0.99 * calls / KILLS), process)
        time.sleep(chance.uniform(0.0, 3.0 * duration / calls))  # wherever the cycle is by then
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    process = start(case, tmp_path / "killed", clean_environment)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    found = product_differences(tmp_path / "incoming", tmp_path / "killed", ("incoming", "killed"))
    assert not found, "\n".join(found)
    state = json.loads((tmp_path / "killed" / "state.json").read_text())
    assert state["cycles"] == DAYS and state["next_index"] == DAYS and state["current"] is None
    use = {name: [json.loads((tmp_path / f"{name}.disk{number}").read_text()) for number in LOOKS]
           for name in ("incoming", "killed")}
    for what in ("files", "bytes"):  # how many old versions there are differs from week to week
        for series in ([one[what] for one in looks] for looks in use.values()):
            assert max(series[4:]) <= 1.1 * max(series[:4]), use
    print({"kills": KILLS, "seconds": round(duration), "products": state["products"], "disk": use})
