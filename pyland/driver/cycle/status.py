"""What a cycle folder has done and waits for, for the terminal; read without the lock."""

from __future__ import annotations

import json
from pathlib import Path

from pyland.config import CaseConfig
from pyland.driver.cycle.lock import LOCK
from pyland.driver.cycle.loop import cycle_folder
from pyland.driver.cycle.publish import BOARD
from pyland.driver.cycle.state_file import STATE, STATUS, read_state
from pyland.output.latency import board_text


def status_text(config: CaseConfig, output: str | Path | None = None) -> str:
    """Return what a cycle folder has done, is doing and waits for.

    Parameters
    ----------
    config : CaseConfig
        The case.
    output : path, optional
        Folder of the cycle.
    """
    root = cycle_folder(config, output)
    state = read_state(root / STATE)
    if state is None:
        return f"{root}: no cycle has run yet."
    lines = [f"{root}: {state.cycles} cycles, {state.products} products"]
    holder = (root / LOCK).read_text(encoding="utf-8").strip() if (root / LOCK).exists() else ""
    if holder:
        lines.append(f"at work   {holder}")
    if state.current is not None:
        lines.append(f"on its way {state.current.name}, {state.current.step}")
    for index in sorted(state.records)[-5:]:
        one = state.records[index]
        lines.append(f"{one.name:20s} " + ", ".join(
            f"{what}: {taken['stream'] or 'none'}" for what, taken in one.inputs.items()))
    if (root / STATUS).exists():
        last = json.loads((root / STATUS).read_text(encoding="utf-8"))
        lines.append(f"stopped   {last['stopped']} (at {last['now']} UTC)")
    if (root / BOARD).exists():
        lines.append(board_text(json.loads((root / BOARD).read_text(encoding="utf-8"))))
    lines += [f"refused   {path}: {one['reason']}" for path, one in list(state.refused.items())[-5:]]
    return "\n".join(lines)

