"""Print one Markdown table of all stations: RMSE / bias / r of pyland and of other models, ranks, and a summary.

Usage: station_table.py RUN [RUN ...]. A run is a folder with the ``skill_peers.json`` that ``pyland diagnose`` writes.
For a run with assimilation name its ``open_loop`` folder, else an assimilated variable would be judged, too
(``pyland diagnose RUN skill --output RUN/open_loop`` writes the file there). A variable counts if at least one
other model has it; its daily scores are taken, and those at the native step where there are no daily ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyland.diagnose.peers import counted_rows, summarise
from pyland.diagnose.skill import observed_text, score_text

PYLAND = "pyland"


def read_comparison(run: str) -> dict[str, Any]:
    """Read the comparison of a run; the message says how to make it."""
    path = Path(run) / "skill_peers.json"
    if not path.exists():
        sys.exit(f"{path}: no such file; make it with: pyland diagnose {run} skill")
    return json.loads(path.read_text(encoding="utf-8"))


def table(comparisons: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the table: one per station and variable, the best of a line in bold."""
    rows = [(one["station"], row) for one in comparisons for row in counted_rows(one, PYLAND)]
    labels = sorted({label for _, row in rows for label in row["models"]} - {PYLAND})
    lines = [f"| station | variable | observed mean ± sd (n) | {' | '.join([PYLAND, *labels])} | rank |",
             "|---" * (len(labels) + 5) + "|"]  # fmt: skip
    for site, row in rows:
        cells = [_cell(row["models"].get(label)) for label in (PYLAND, *labels)]
        about = observed_text(row)
        place = f"{row['models'][PYLAND]['rank']} of {len(row['models'])}"
        lines.append(f"| {site} | {row['variable']} | {about} | {' | '.join(cells)} | {place} |")
    return lines


def _cell(found: dict[str, Any] | None) -> str:
    text = score_text(found)
    return f"**{text}**" if found is not None and found["rank"] == 1 else text


def summary(comparisons: list[dict[str, Any]]) -> list[str]:
    """Return the lines that count ranks, with the pairs that only one other model has apart."""
    counts = summarise(comparisons, PYLAND)
    rows = [row for one in comparisons for row in counted_rows(one, PYLAND)]
    duels = [row for row in rows if len(row["models"]) == 2]
    fields = [row for row in rows if len(row["models"]) > 2]
    lost = sum(row["models"][PYLAND]["rank"] == 2 for row in duels)
    return [
        f"* pyland is best on {counts['best']} of {counts['pairs']} pairs of station and variable,",
        f"  best or second on {counts['best_or_second']}, worst on {counts['worst']}"
        f" ({lost} of these with a single other model).",
        f"* Of {len(duels)} pairs with one other model it is better on {len(duels) - lost}. Of {len(fields)} pairs with"
        f" two or three, it is best on {_ranked(fields, 1)}, second on {_ranked(fields, 2)}"
        f" and worst on {_last(fields)}.",
        f"* Worst at: {', '.join(counts['worst_at']) or 'none'}.",
    ]  # fmt: skip


def _ranked(rows: list[dict[str, Any]], rank: int) -> int:
    return sum(row["models"][PYLAND]["rank"] == rank for row in rows)


def _last(rows: list[dict[str, Any]]) -> int:
    return sum(row["models"][PYLAND]["rank"] == len(row["models"]) for row in rows)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    found = [read_comparison(run) for run in sys.argv[1:]]
    print("\n".join([*table(found), "", *summary(found)]))
