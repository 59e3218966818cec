"""Find the files of a finished or running case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pyland.base.errors import InputError

_WRITTEN_WITH = {
    "analysis.nc": "a run that assimilates (sections observations and assimilation of case.yaml)",
    "discharge.nc": "a run with rivers or with gauges of the distributed subsurface",
    "open_loop/history.nc": "a run with assimilation.open_loop: true",
    "open_loop/balance.nc": "a run with assimilation.open_loop: true",
}
"""Files that only some runs write, and which."""


@dataclass(frozen=True)
class CaseFiles:
    """Files of a run; None where there is none.

    Parameters
    ----------
    run_dir : Path
        Run directory.
    station : Path or None
        Station file that drove the run, if it is one.
    """

    run_dir: Path
    station: Path | None

    def find(self, name: str) -> Path | None:
        """Return a file of the run directory if it exists."""
        path = self.run_dir / name
        return path if path.exists() else None

    def need(self, name: str) -> Path:
        """Return a file of the run directory, or raise InputError."""
        path = self.run_dir / name
        if not path.exists():
            case = self.run_dir.parent
            if self.find("scores.json") is not None:  # the last file of a run
                writers = _WRITTEN_WITH.get(name, "a run with the settings for it (docs/guide/output.md)")
                raise InputError(f"{path}: this run has come to its end without this file, which {writers} writes. "
                                 f"Change the case and run it again: pyland run {case}")
            if any((self.run_dir / "restart").glob("*.nc")) or any(self.run_dir.glob("*/restart/*.nc")):
                raise InputError(f"{path}: no such file yet; the run has not come to its end. Let it go on, or if it "
                                 f"was ended: pyland run {case} --resume")
            raise InputError(f"{path}: no such file; run the case first, to its end: pyland run {case}")
        return path


def find_case_files(case_dir: str | Path, output: str | Path | None = None) -> CaseFiles:
    """Find the run directory of a case, and the station file it was driven by.

    Parameters
    ----------
    case_dir : str or Path
        Case directory, its ``case.yaml``, or a run directory.
    output : str or Path, optional
        Run directory that was given to ``pyland run --output``.

    Raises
    ------
    InputError
        If there is no run directory.
    """
    case = Path(case_dir)
    if case.is_file():
        case = case.parent
    is_run = output is None and any((case / name).exists() for name in ("scores.json", "history.nc", "pyland.log"))
    run_dir = case if is_run else Path(output) if output is not None else case / "run"
    if not run_dir.is_dir():
        raise InputError(f"{run_dir}: no run directory; run the case first: pyland run {case}")
    config = _read_config(run_dir / "case.yaml") or _read_config(case / "case.yaml")
    return CaseFiles(run_dir, _station(config, [run_dir, case, run_dir.parent]))


def _read_config(path: Path) -> dict[str, Any]:
    """Return the configuration of a run, empty without the file."""
    if not path.exists():
        return {}
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def _station(config: dict[str, Any], bases: list[Path]) -> Path | None:
    """Return the station file of the forcing, relative to the case."""
    forcing = config.get("forcing") or {}
    if forcing.get("format") != "alma" or not forcing.get("path"):
        return None
    for base in bases:
        path = base / Path(forcing["path"]).expanduser()
        if path.is_file():
            return path.resolve()
    return None
