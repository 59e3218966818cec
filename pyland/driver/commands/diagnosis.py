"""Topics of ``pyland diagnose`` that read their settings from section ``diagnose`` of the case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pyland.base.errors import InputError
from pyland.config import CaseConfig, load_case
from pyland.driver.commands.case_files import CaseFiles, find_case_files

FOLDER = "diagnose"
"""Folder below a run where topics write, one folder each."""


@dataclass(frozen=True)
class Diagnosis:
    """What a topic found.

    Attributes
    ----------
    numbers : dict
        All results as plain numbers, texts, lists and dictionaries: the JSON of the command.
    text : str
        Short table for people.
    files : tuple of Path
        Files that were written: tables (CSV), maps (netCDF), figures (PNG).
    """

    numbers: dict[str, Any]
    text: str
    files: tuple[Path, ...] = field(default=())


@dataclass(frozen=True)
class DiagnosedRun:
    """A finished run and the settings of a topic.

    Attributes
    ----------
    files : CaseFiles
        Files of the run.
    config : CaseConfig
        The case; ``config.diagnose`` has the settings.
    period : tuple of (numpy.datetime64 or None)
        First and last instant that count, UTC; None is the end of the run.
    folder : Path
        Where the topic writes.
    with_figures : bool
        Whether figures are drawn.
    """

    files: CaseFiles
    config: CaseConfig
    period: tuple[np.datetime64 | None, np.datetime64 | None]
    folder: Path
    with_figures: bool = True


_TOPICS: dict[str, str] = {
    "balance": "pyland.driver.commands.balance:balance",
    "glacier": "pyland.driver.commands.glacier:glacier",
    "permafrost": "pyland.driver.commands.permafrost:permafrost",
    "sith": "pyland.driver.commands.sith:sith",
    "percentiles": "pyland.driver.commands.percentiles:percentiles",
    "drought": "pyland.driver.commands.drought:drought",
    "degradation": "pyland.driver.commands.degradation:degradation",
    "irrigation": "pyland.driver.commands.irrigation:irrigation",
    "stations": "pyland.driver.commands.stations:stations",
}
"""Topic -> ``module:function`` that takes a `DiagnosedRun` and returns a `Diagnosis`; imported when it is asked for."""


def topics() -> tuple[str, ...]:
    """Return the names of all topics."""
    return tuple(_TOPICS)


def diagnose_topic(
    case: str | Path,
    topic: str,
    *,
    output: str | Path | None = None,
    period: tuple[np.datetime64 | None, np.datetime64 | None] = (None, None),
    overrides: Sequence[str] = (),
    with_figures: bool = True,
) -> Diagnosis:
    """Run one topic on a finished run.

    Parameters
    ----------
    case : str or Path
        Case directory, its ``case.yaml``, or a run directory.
    topic : str
        One of `topics`.
    output : str or Path, optional
        Run directory, if not ``run`` below the case.
    period : tuple of numpy.datetime64, optional
        First and last instant that count, UTC.
    overrides : sequence of str
        ``diagnose.topic.key=value``, instead of what the case says.
    with_figures : bool
        Draw figures too, which needs matplotlib.

    Returns
    -------
    Diagnosis
        Numbers, a short table and the files that were written.

    Raises
    ------
    InputError
        If the topic is unknown, a file is missing, or the run does not hold what the topic needs.
    """
    if topic not in _TOPICS:
        raise InputError(f"Unknown diagnosis '{topic}'; expected one of {', '.join(topics())}.")
    files = find_case_files(case, output)
    wrong = [one for one in overrides if not one.startswith("diagnose.")]
    if wrong:
        raise InputError(f"--set {wrong[0]}: expected a key of section diagnose (diagnose.{topic}.KEY=VALUE); the run "
                         "is finished, other keys change nothing. Change them in the case and run it again.")
    config = load_case(_config_file(Path(case), files), overrides)
    module, _, function = _TOPICS[topic].partition(":")
    run: Callable[[DiagnosedRun], Diagnosis] = getattr(import_module(module), function)
    return run(DiagnosedRun(files, config, period, files.run_dir / FOLDER / topic, with_figures))


def asks_for_stations(case: str | Path, output: str | Path | None, overrides: Sequence[str]) -> bool:
    """Tell whether a case, or what is set instead, names stations to compare with: ``diagnose.skill.stations``."""
    if any(one.startswith("diagnose.skill.") for one in overrides):
        return True
    folder = Path(case).parent if Path(case).is_file() else Path(case)
    places = [Path(case), folder / "case.yaml", *([] if output is None else [Path(output) / "case.yaml"])]
    path = next((one for one in places if one.is_file()), None)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) if path is not None else None
    except yaml.YAMLError:
        return False  # who reads the case says what is wrong with it
    for name in ("diagnose", "skill", "stations"):
        content = content.get(name) if isinstance(content, dict) else None
    return bool(content)


def _config_file(case: Path, files: CaseFiles) -> Path:
    """Return the file with the settings: that of the case, or the copy in the run directory."""
    if case.is_file():
        return case
    own = case / "case.yaml"
    return own if own.exists() else files.need("case.yaml")
