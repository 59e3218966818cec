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
from cycle_cases import deliver, product_differences, write_small_case

DAYS, KILLS = 60, 30
PATIENCE = 3600.0
"""Longest wait for a replay [s]."""

CHANGES = {"cycle.keep.cycles": 8, "cycle.keep.monthly": 0, "cycle.keep.superseded": 1}

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
    if number in (4 * 20, 4 * 40, 4 * days):
        with written_aside(output.with_suffix(f".disk{{number // 4}}")) as partial:
            partial.write_text(json.dumps(disk_use(output)))
    with written_aside(place) as partial:
        partial.write_text(str(number + 1))
print("ended", flush=True)
"""


def start(case, output, environment):
    script = case / "replay.py"
    script.write_text(SCRIPT.format(helpers=str(Path(deliver.__file__).parents[2] / "tests" / "helpers")))
    return subprocess.Popen([sys.executable, str(script), str(case), str(output), str(DAYS)], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def case_for(case, name):
    """Let the case read what arrives in a folder of this name: each replay has its own."""
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("path: incoming/", f"path: {name}/").replace("path: killed/",
                                                                                             f"path: {name}/"))


@pytest.mark.slow
def test_sixty_days_killed_at_thirty_moments(tmp_path, clean_environment):
    faults = deliver.FAULTS | {("final", day): ("late", -56) for day in range(2, DAYS, 6)}  # others: too late for redo
    case = write_small_case(tmp_path / "case", DAYS, faults, CHANGES, outage=deliver.OUTAGE)
    began = time.monotonic()
    whole = start(case, tmp_path / "incoming", clean_environment)
    _, said = whole.communicate(timeout=PATIENCE)
    duration = time.monotonic() - began
    assert whole.returncode == 0, said
    chance, kills = random.Random(60), 0
    case_for(case, "killed")
    while True:
        process = start(case, tmp_path / "killed", clean_environment)
        assert process.stdout.readline() == "begun\n", process.stderr.read()
        if kills == KILLS:
            break
        try:
            process.wait(timeout=chance.uniform(0.0, 1.6 * duration / KILLS))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
        if process.returncode == 0:
            break
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert kills >= 0.8 * KILLS, f"the replay ended after {kills} kills"
    found = product_differences(tmp_path / "incoming", tmp_path / "killed", ("incoming", "killed"))
    assert not found, "\n".join(found)
    state = json.loads((tmp_path / "killed" / "state.json").read_text())
    assert state["cycles"] == DAYS and state["next_index"] == DAYS and state["current"] is None
    use = {day: json.loads((tmp_path / f"incoming.disk{day}").read_text()) for day in (20, 40, 60)}
    assert use[60]["files"] <= 1.1 * use[20]["files"] and use[60]["bytes"] <= 1.1 * use[20]["bytes"], use
    print({"kills": kills, "seconds": round(duration), "products": state["products"], "disk": use})
