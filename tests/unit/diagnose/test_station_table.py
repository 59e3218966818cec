"""The table of all stations that tools/station_table.py prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[3] / "tools" / "station_table.py"


def row(variable, **errors):
    """Return a row of a comparison from RMSEs; the models are ranked by them."""
    ranked = sorted(errors.values())
    models = {label: {"rmse": rmse, "bias": 0.1, "r": 0.9, "rank": 1 + ranked.index(rmse)}
              for label, rmse in errors.items()}  # fmt: skip
    return {"variable": variable, "models": models, "mean_obs": 10.0, "std_obs": 2.0, "n": 5, "left_out": []}


def write(folder, station, daily, native=()):
    folder.mkdir()
    text = json.dumps({"station": station, "models": ["pyland"], "daily": daily, "native": list(native), "missing": []})
    (folder / "skill_peers.json").write_text(text, encoding="utf-8")
    return str(folder)


def print_table(*runs):
    return subprocess.run([sys.executable, str(TOOL), *runs], capture_output=True, text=True, check=False)


def test_ranks_of_several_stations(tmp_path):
    one = write(tmp_path / "a", "AA", [row("Qle", pyland=1.0, A=2.0, B=3.0), row("Qh", pyland=5.0, A=4.0),
                                       row("GPP", pyland=1.0)], [row("Qle", pyland=9.0, A=2.0)])  # fmt: skip
    two = write(tmp_path / "b", "BB", [row("Qle", pyland=3.0, A=2.0, B=1.0)])
    said = print_table(one, two)
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0] == "| station | variable | observed mean ± sd (n) | pyland | A | B | rank |"
    assert lines[2] == "| AA | Qle | 10 ± 2 (5) | **1 / +0.1 / 0.90** | 2 / +0.1 / 0.90 | 3 / +0.1 / 0.90 | 1 of 3 |"
    assert lines[3].endswith("| **4 / +0.1 / 0.90** | – | 2 of 2 |")
    assert "GPP" not in said.stdout  # no other model has it
    assert "best on 1 of 3" in said.stdout and "worst on 2 (1 of these with a single other model)" in said.stdout
    assert "Worst at: AA Qh, BB Qle." in said.stdout


def test_a_run_without_comparison_is_a_sentence(tmp_path):
    said = print_table(str(tmp_path))
    assert said.returncode != 0 and "pyland diagnose" in said.stderr
