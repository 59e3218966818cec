"""What stays on disk beside the products: restarts and copies of inputs of the cycles that may be run again."""

from __future__ import annotations

import shutil
from pathlib import Path

from pyland.driver.cycle.cycle_inputs import INPUTS
from pyland.driver.cycle.products import PRODUCTS
from pyland.driver.cycle.state_file import CycleState
from pyland.driver.cycle.timeline import parse_name
from pyland.output.atomic import remove_partial_files

WORK, RESTARTS = "work", "restart"
"""Folders of runs on their way, and of the states at the ends of cycles."""


def restart_file(root: Path, name: str) -> Path:
    """Return the restart at the end of a cycle by the name of its product."""
    return root / RESTARTS / f"{name}.nc"


def tidy(root: Path, state: CycleState, redo: int) -> None:
    """Remove what no later call needs; safe to repeat and to be killed in.

    Copies of inputs stay for the ``redo`` newest cycles, restarts for these and the one before, in their newest
    version; the runs and the half-made product of the current cycle stay.

    Parameters
    ----------
    root : Path
        Folder of the cycle.
    state : CycleState
        What is done and on its way.
    redo : int
        Newest cycles that may be run again.
    """
    current = set() if state.current is None else {state.current.name}
    newest = state.last_index
    again = {one.name for index, one in state.records.items() if index > newest - redo}
    begins = {one.name for index, one in state.records.items() if index >= newest - max(redo, 1)}
    if state.current is not None and state.current.index - 1 in state.records:
        begins.add(state.records[state.current.index - 1].name)
    _keep(root / WORK, current)
    _keep(root / INPUTS, current | again)
    if (root / RESTARTS).is_dir():
        remove_partial_files(root / RESTARTS)
        for path in (root / RESTARTS).glob("*.nc"):
            if path.stem not in begins | current:
                path.unlink()
    if (root / PRODUCTS).is_dir():
        for path in (root / PRODUCTS).glob(".*.partial"):
            if not any(path.name == f".{name}.partial" for name in current):
                shutil.rmtree(path)
    remove_partial_files(root)


def _keep(folder: Path, names: set[str]) -> None:
    """Remove the folders of other cycles, and what a killed call left."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and path.name not in names and (parse_name(path.name) or path.name.startswith(".")):
            shutil.rmtree(path)
