"""``scores.json``: what a run says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyland.base.errors import InputError
from pyland.output.atomic import write_json

SECTIONS = ("skill", "closure", "timing", "assimilation")
"""Sections of the file; all are always there, empty where they do not apply."""

HYDROGRAPH = "hydrograph"
"""Section of runs with overland flow only."""


def write_scores(
    run_dir: str | Path,
    *,
    skill: Mapping[str, Any] | None = None,
    closure: Mapping[str, Any] | None = None,
    timing: Mapping[str, Any] | None = None,
    assimilation: Mapping[str, Any] | None = None,
    hydrograph: Mapping[str, Any] | None = None,
) -> Path:
    """Write all sections of ``scores.json`` at once.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    skill : mapping
        ``{"native" | "daily": {ALMA name: {rmse, bias, r, n, mean_obs, ...}}}``, from ``pyland.diagnose.skill``.
    closure : mapping
        Largest and cumulated residuals of water and energy, from ``pyland.diagnose.balance``.
    timing : mapping
        Wall-clock seconds and speed of the run.
    assimilation : mapping
        Innovation statistics and error reduction, from ``pyland.diagnose.assimilation``.
    hydrograph : mapping, optional
        Largest discharge, its time and volume of each outlet, from ``pyland.diagnose.flow``.

    Returns
    -------
    Path
        The file. Numbers that are not finite are written as null.
    """
    content = {"skill": skill, "closure": closure, "timing": timing, "assimilation": assimilation}
    path = Path(run_dir) / "scores.json"
    further = {} if hydrograph is None else {HYDROGRAPH: dict(hydrograph)}
    write_json(path, {name: dict(content[name] or {}) for name in SECTIONS} | further)
    return path


def read_scores(run_dir: str | Path) -> dict[str, Any]:
    """Read ``scores.json``.

    Raises
    ------
    InputError
        If it is missing or not JSON.
    """
    path = Path(run_dir) / "scores.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; the run did not end.") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from error
