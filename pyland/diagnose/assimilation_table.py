"""The scores of an assimilation as short tables for people; all numbers are in ``scores.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pyland.diagnose.analysis_file import ASSIMILATED, INDEPENDENT

_NONE = "-"


def assimilation_table(section: Mapping[str, Any]) -> str:
    """Return the main numbers of an assimilation as text.

    Parameters
    ----------
    section : mapping
        The section ``assimilation`` of ``scores.json``, from :func:`pyland.driver.commands.diagnose.diagnose`.

    Returns
    -------
    str
        Tables of departures (for each region, stream and group of observations), of errors against the truth or a
        station without and with assimilation, and of estimated parameters; those that the run has. ``-`` stands where
        a number is not defined.
    """
    parts = [_departures(section), _rejected(section), _errors(section), _parameters(section), _stations(section)]
    return "\n\n".join(one for one in parts if one)


def _departures(section: Mapping[str, Any]) -> str:
    """Return a row for each region, stream and group."""
    rows = [("observations", "n", "mean O-F", "std O-F", "expected", "chi2", "spread/error", "CRPS prior", "posterior",
             "unit")]
    for region, streams in section["observation_scores"].items():
        for stream, scores in streams.items():
            name = stream if region == "all" else f"{stream} in {region}"
            groups = [group for group in (ASSIMILATED, INDEPENDENT) if group in scores]
            if not groups:
                rows.append((f"{name}, none used", "0", *[_NONE] * 7, scores["units"]))
            for group in groups:
                found, crps = scores[group]["departures"], scores[group].get("crps", {})
                rows.append((
                    f"{name}, {group}", str(found["n"]), _number(found["innovation_mean"]),
                    _number(found["innovation_std"]), _number(found["expected_innovation_std"]),
                    _decimals(found["chi2"]), _decimals(scores[group]["spread_error"]["total_ratio"]),
                    _number(crps.get("prior")), _number(crps.get("posterior")), scores["units"]))
    return _aligned(rows)


def _rejected(section: Mapping[str, Any]) -> str:
    """Say what was not used, and why."""
    lines = []
    for stream, found in section["departures"].items():
        reasons = ", ".join(f"{count} {reason}" for reason, count in found["rejected"].items())
        lines.append(f"{stream}: {found['n_used']} of {found['n']} used" + (f"; {reasons}" if reasons else ""))
    return "\n".join(lines)


def _errors(section: Mapping[str, Any]) -> str:
    """Return errors of states against the truth."""
    rows = [("RMSE against the truth", "open loop", "analysis", "less by", "spread/error", "before", "unit")]
    found = [(f"soil_water {name}", row, "m3 m-3") for name, row in section.get("error_reduction", {}).items()]
    if "error_reduction_water_table" in section:
        found.append(("water_table_depth", section["error_reduction_water_table"], "m"))
    found += [(f"discharge {name}", row, "m3 s-1")
              for name, row in section.get("error_reduction_discharge", {}).items()]
    rows += [(name, _number(row["rmse_open_loop"]), _number(row["rmse_analysis"]), _percent(row["reduction"]),
              *(_decimals(row.get(f"spread_error_ratio_{run}")) for run in ("analysis", "open_loop")), unit)
             for name, row, unit in found]
    return _aligned(rows) if found else ""


def _parameters(section: Mapping[str, Any]) -> str:
    """Return errors of estimated parameters."""
    rows = [("parameter, RMSE", "start", "end", "less by", "correlation", "at start", "spread/error", "at start",
             "unit")]
    notes = []
    for name, row in section.get("parameters", {}).items():
        if "not_judged" in row:
            notes.append(f"{name}: not judged: {row['not_judged']}")
            continue
        rows.append((
            f"{name}{', log10' if row['scale'] == 'log10' else ''}", _number(row["rmse_start"]),
            _number(row["rmse_end"]), _percent(row["reduction"]),
            *(_decimals(row[f"{what}_{moment}"]) for what in ("correlation", "spread_error_ratio")
              for moment in ("end", "start")), row["units"]))
    return "\n".join(([_aligned(rows)] if len(rows) > 1 else []) + notes)


def _stations(section: Mapping[str, Any]) -> str:
    """Return errors of daily means against a station."""
    rows = [("RMSE against the station", "open loop", "analysis", "less by", "r", "before")]
    rows += [(name, _number(row["rmse_open_loop"]), _number(row["rmse_analysis"]), _percent(row["reduction"]),
              _decimals(row["r_analysis"]), _decimals(row["r_open_loop"]))
             for name, row in section.get("skill_change", {}).get("daily", {}).items()]
    return _aligned(rows) if len(rows) > 1 else ""


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first and units to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1 if rows[0][-1] == "unit" else -1
    return "\n".join("  ".join(
        f"{cell:<{width}}" if place in (0, last) else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows)


def _number(value: float | None) -> str:
    return f"{value:.3g}" if _is_known(value) else _NONE


def _decimals(value: float | None) -> str:
    return f"{value:.2f}" if _is_known(value) else _NONE


def _percent(value: float | None) -> str:
    return f"{round(100.0 * value)} %" if _is_known(value) else _NONE


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
