"""A run beside other models: who is best where, on identical points; tables for people and programs."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyland.base.errors import InputError
from pyland.diagnose.series import Depths, Series, Station, read_history, read_model, read_station
from pyland.diagnose.skill import observed_names, observed_text, peer_table, score_text

STEPS = ("daily", "native")
"""Tables, in this order; a variable counts once, by its daily scores where it has them."""

COLUMNS = ("site", "step", "variable", "model", "rank", "of", "rmse", "bias", "r", "n", "mean_obs", "std_obs")
"""Columns of the CSV file."""

_DEPTH_OPTION = re.compile(
    r"^(?P<name>\w+)=(?P<top>\d+(?:\.\d+)?)(?:-(?P<bottom>\d+(?:\.\d+)?))?\s*(?P<unit>cm|m)$")


def parse_depth_option(text: str) -> tuple[str, tuple[float, float]]:
    """Read the depth of a variable.

    Parameters
    ----------
    text : str
        ``SoilMoist_1=5cm`` (a point) or ``SoilMoist_1=12-20cm`` (a range); ``cm`` or ``m``.

    Returns
    -------
    tuple
        Name, and top and bottom [m].

    Raises
    ------
    InputError
        If the text is none of these, or the bottom lies above the top.
    """
    match = _DEPTH_OPTION.match(text.strip())
    if match is None:
        raise InputError(f"--depth: expected NAME=5cm or NAME=12-20cm, got '{text}'")
    scale = 0.01 if match["unit"] == "cm" else 1.0
    top = float(match["top"]) * scale
    bottom = float(match["bottom"]) * scale if match["bottom"] else top
    if bottom < top:
        raise InputError(f"--depth: expected a bottom below the top, got '{text}'")
    return match["name"], (top, bottom)


def find_peers(station_file: str | Path) -> list[Path]:
    """Return the outputs of other models beside a station file: ``../peers/<station>_<model>.nc``, by name."""
    station = Path(station_file)
    return sorted((station.resolve().parent.parent / "peers").glob(f"{station.stem}_*.nc"))


def compare(
    history: str | Path,
    station_file: str | Path,
    peers: Sequence[str | Path],
    *,
    period: tuple[Any, Any] = (None, None),
    depths: Depths | None = None,
    label: str = "pyland",
) -> dict[str, Any]:
    """Score a run and other models on identical points.

    Parameters
    ----------
    history : path
        ``history.nc`` of the run.
    station_file : path
        Observations.
    peers : sequence of path
        Outputs of other models, ``<station>_<model>.nc``; the label of a model is what follows the station.
    period : tuple
        First and last instant [UTC]; None for open ends.
    depths : mapping, optional
        Depths of numbered variables, see `parse_depth_option`.
    label : str
        Name of the run.

    Returns
    -------
    dict
        ``station``, ``daily`` and ``native`` (rows of :func:`pyland.diagnose.skill.peer_table` with ``rank`` by RMSE
        in every score), ``missing`` (observed variables that the run's history does not hold) and ``summary``, see
        :func:`summarise`.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    station = read_station(station_file, depths)
    names = observed_names(station)
    run = read_history(history, names, label=label, depths=station.depths)
    models = [run, *(read_model(path, model_label(path, station_file)) for path in peers)]
    result: dict[str, Any] = {"station": station.name, "models": [model.label for model in models]}
    for step in STEPS:
        result[step] = [_ranked(row) for row in peer_table(station, models, period=period, step=step)]
    result["missing"] = _missing(station, run, names)
    result["summary"] = summarise([result], label)
    return result


def model_label(path: str | Path, station_file: str | Path) -> str:
    """Return the label of another model: what follows the station in the name of its file."""
    return Path(path).stem.removeprefix(f"{Path(station_file).stem}_")


def _ranked(row: dict[str, Any]) -> dict[str, Any]:
    """Give every score of a row its rank by RMSE; equal errors share a rank."""
    errors = [one["rmse"] for one in row["models"].values()]
    models = {label: {**one, "rank": 1 + sum(other < one["rmse"] for other in errors)}
              for label, one in row["models"].items()}
    return {**row, "models": models}


def _missing(station: Station, run: Series, names: Sequence[str]) -> list[str]:
    """Return the observed variables that the run cannot be compared in."""
    return [name for name in names if name not in run.values and not (name == "Albedo" and "SWup" in run.values)]


def counted_rows(comparison: Mapping[str, Any], label: str = "pyland") -> list[dict[str, Any]]:
    """Return one row per variable that the run and at least one other model have: daily, else native."""
    rows: dict[str, dict[str, Any]] = {}
    for step in STEPS:
        for row in comparison[step]:
            if label in row["models"] and len(row["models"]) > 1:
                rows.setdefault(row["variable"], row)
    return list(rows.values())


def summarise(comparisons: Sequence[Mapping[str, Any]], label: str = "pyland") -> dict[str, Any]:
    """Count how often a run is best, second and worst.

    Parameters
    ----------
    comparisons : sequence of mapping
        Results of :func:`compare`, of one station or of several.
    label : str
        Name of the run.

    Returns
    -------
    dict
        ``pairs`` (station and variable with at least one other model), ``best``, ``best_or_second``, ``worst`` (last of
        all models; the worst of two is worst although it is second), ``worst_at`` and ``text``, a sentence.
    """
    rows = [(one["station"], row) for one in comparisons for row in counted_rows(one, label)]
    ranks = [(row["models"][label]["rank"], len(row["models"])) for _, row in rows]
    worst = [f"{site} {row['variable']}" for (site, row), (rank, size) in zip(rows, ranks, strict=True) if rank == size]
    best, upper = sum(rank == 1 for rank, _ in ranks), sum(rank <= 2 for rank, _ in ranks)
    places = f" ({', '.join(worst)})" if worst else ""
    text = (f"{label} is best on {best} and best or second best on {upper} of {len(rows)} pairs of site and variable; "
            f"worst on {len(worst)}{places}.")  # fmt: skip
    counts = {"pairs": len(rows), "best": best, "best_or_second": upper, "worst": len(worst)}
    return {**counts, "worst_at": worst, "text": text}


def markdown(comparison: Mapping[str, Any], label: str = "pyland") -> str:
    """Return the tables of a comparison: RMSE / bias / r of every model, the best of a row in bold, and the rank."""
    lines = []
    for step in STEPS:
        rows = comparison[step]
        if not rows:
            continue
        labels = [one for one in comparison["models"] if any(one in row["models"] for row in rows)]
        lines += [f"{comparison['station']}, {step}: RMSE / bias / r on identical points", "",
                  f"| variable | observed mean ± sd (n) | {' | '.join(labels)} | rank of {label} |",
                  "|---" * (len(labels) + 3) + "|"]  # fmt: skip
        lines += [_line(row, labels, label) for row in rows] + [""]
    left = sorted({one for step in STEPS for row in comparison[step] for one in row["left_out"]})
    if left:
        lines.append(f"No point in common with the observations of this file: {', '.join(left)}.")
    if comparison["missing"]:
        lines.append(f"Observed, but not in the history of {label} (or of unknown depth): "
                     f"{', '.join(comparison['missing'])}.")  # fmt: skip
    return "\n".join([*lines, comparison["summary"]["text"]]) + "\n"


def _line(row: Mapping[str, Any], labels: Sequence[str], label: str) -> str:
    cells = []
    for one in labels:
        found = row["models"].get(one)
        text = score_text(found)
        cells.append(f"**{text}**" if found is not None and found["rank"] == 1 and len(row["models"]) > 1 else text)
    mine = row["models"].get(label)
    rank = "–" if mine is None else f"{mine['rank']} of {len(row['models'])}"
    about = observed_text(row)
    return f"| {row['variable']} | {about} | {' | '.join(cells)} | {rank} |"


def table_csv(comparison: Mapping[str, Any]) -> str:
    """Return a comparison as CSV, one line per step, variable and model."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for step in STEPS:
        for row in comparison[step]:
            for model, found in row["models"].items():
                about = {"site": comparison["station"], "step": step, "model": model, "of": len(row["models"])}
                writer.writerow({**row, **found, **about})
    return text.getvalue()


def _plain(value: Any) -> Any:
    """Return a value for JSON: NaN, such as the correlation of a constant, becomes null."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_comparison(folder: str | Path, comparison: Mapping[str, Any], label: str = "pyland") -> list[Path]:
    """Write ``skill_peers.json``, ``.csv`` and ``.md`` into a folder and return their paths."""
    texts = {
        "json": json.dumps(_plain(comparison), indent=2, allow_nan=False) + "\n",
        "csv": table_csv(comparison),
        "md": markdown(comparison, label),
    }
    paths = []
    for ending, text in texts.items():
        path = Path(folder) / f"skill_peers.{ending}"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths
