"""``pyland diagnose CASE skill | balance | assimilation``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pyland.base.errors import InputError
from pyland.diagnose.assimilation import (
    departures,
    discharge_error_reduction,
    error_reduction,
    map_error_reduction,
    skill_change,
)
from pyland.diagnose.balance import closure
from pyland.diagnose.flow import domain_closure, is_domain_balance
from pyland.diagnose.observation_scores import need_observations, observation_scores
from pyland.diagnose.parameters import parameter_errors
from pyland.diagnose.peers import compare, find_peers, markdown, write_comparison
from pyland.diagnose.regions import Region
from pyland.diagnose.skill import skill_of_run
from pyland.driver.commands.case_files import CaseFiles, find_case_files

TOPICS = ("skill", "balance", "assimilation")
"""What can be diagnosed."""


def diagnose(
    case_dir: str | Path,
    what: str,
    *,
    output: str | Path | None = None,
    station: str | Path | None = None,
    peers: Sequence[str | Path] | None = None,
    period: tuple[Any, Any] = (None, None),
    depths: Mapping[str, tuple[float, float]] | None = None,
    regions: Sequence[Region] = (),
) -> dict[str, Any]:
    """Judge a finished run.

    Parameters
    ----------
    case_dir : str or Path
        Case or run directory.
    what : str
        One of ``TOPICS``.
    output : str or Path, optional
        Run directory, if not ``run`` below the case.
    station : str or Path, optional
        Station file to compare with; by default the one that drove the run.
    peers : sequence of path
        Outputs of other models with ALMA names; they add tables on identical points. None takes those beside the
        station file (``../peers/<station>_<model>.nc``), an empty list takes none.
    period : tuple
        First and last instant of the comparison of the skill [UTC].
    depths : mapping, optional
        Top and bottom [m] of observed soil variables whose name does not say them.
    regions : sequence of Region
        Boxes over which an assimilation is judged, besides the whole domain; each with an observation.

    Returns
    -------
    dict
        The section of ``scores.json`` of that name (``closure`` for balance). With ``peers`` the skill also has
        ``peers`` (see :func:`pyland.diagnose.peers.compare`), ``tables``, a Markdown text with ranks and a summary, and
        ``files``, where both were written (``skill_peers.json``, ``.csv``, ``.md`` in the run directory).

    Raises
    ------
    InputError
        If the topic is unknown or a file is missing, a period is given for an assimilation, regions for another topic,
        or a region holds no observation.
    """
    if what not in TOPICS:
        raise InputError(f"Unknown diagnosis '{what}'; expected one of {', '.join(TOPICS)}.")
    if regions and what != "assimilation":
        raise InputError(f"--region belongs to 'assimilation'; '{what}' is judged over the whole domain. Leave it out.")
    if what == "assimilation" and any(one is not None for one in period):
        raise InputError("--period: 'assimilation' judges all analyses of a run and has no period. Leave it out.")
    files = find_case_files(case_dir, output)
    if what == "balance":
        balance = files.need("balance.nc")
        return domain_closure(balance) if is_domain_balance(balance) else closure(balance)
    if what == "assimilation":
        need_observations(files.need("analysis.nc"), regions)
        return assimilation_section(files, station, period, regions)
    station_file = _station_file(files, station)
    history = files.need("history.nc")
    result: dict[str, Any] = skill_of_run(history, station_file, period, depths=depths)
    others = find_peers(station_file) if peers is None else list(peers)
    if others:
        comparison = compare(history, station_file, others, period=period, depths=depths)
        written = write_comparison(files.run_dir, comparison)
        result |= {"peers": comparison, "tables": markdown(comparison), "files": [str(path) for path in written]}
    return result


def assimilation_section(
    files: CaseFiles,
    station: str | Path | None = None,
    period: tuple[Any, Any] = (None, None),
    regions: Sequence[Region] = (),
) -> dict[str, Any]:
    """Return scores by observations, errors of estimated parameters, and of states beside an open loop."""
    analysis = files.need("analysis.nc")
    out: dict[str, Any] = {
        "departures": departures(analysis), "observation_scores": observation_scores(analysis, regions)}
    open_loop = files.find("open_loop/history.nc")
    truth = files.find("truth.nc")
    estimated = estimated_parameters(files)
    if truth is not None and estimated:
        out["parameters"] = parameter_errors(truth, files.need("history.nc"), estimated, open_loop)
    if open_loop is not None and truth is not None:
        history = files.need("history.nc")
        out["error_reduction"] = error_reduction(truth, open_loop, history)
        table = map_error_reduction(truth, open_loop, history, "water_table_depth")
        if table is not None:
            out["error_reduction_water_table"] = table
        true_flow, before = files.find("truth_discharge.nc"), files.find("open_loop/discharge.nc")
        if true_flow is not None and before is not None:
            out["error_reduction_discharge"] = discharge_error_reduction(
                true_flow, before, files.need("discharge.nc"), files.need("analysis.nc"))
    station_file = Path(station) if station is not None else files.station
    if open_loop is not None and station_file is not None:
        before = skill_of_run(open_loop, station_file, period)
        out["skill_open_loop"] = before
        out["skill_change"] = skill_change(before, skill_of_run(files.need("history.nc"), station_file, period))
    return out


def estimated_parameters(files: CaseFiles) -> list[str]:
    """Return the identifiers of the parameters that the filter of a run changes (``assimilation.parameters``)."""
    case = files.find("case.yaml")
    content = yaml.safe_load(case.read_text(encoding="utf-8")) if case is not None else None
    section = content.get("assimilation") if isinstance(content, dict) else None
    return list((section or {}).get("parameters") or {})


def _station_file(files: CaseFiles, station: str | Path | None) -> Path:
    """Return the station file, or say what is missing."""
    if station is not None:
        return Path(station)
    if files.station is None:
        raise InputError(
            f"{files.run_dir}: the run was not driven by a station file (forcing.format: alma), or the file has moved; "
            "name stations to compare with in diagnose.skill.stations."
        )
    return files.station
