"""Rows of names and values as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.output.atomic import complete_file


def write_rows(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows that have the same names as CSV with a line of names, and return the file.

    Numbers have six digits; None and what is not finite are empty.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _field(value) for name, value in row.items()})
    with complete_file(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8")
    return Path(path)


def _field(value: Any) -> Any:
    if not isinstance(value, (float, np.floating)):
        return value
    return f"{value:.6g}" if np.isfinite(value) else ""


__all__ = ["write_rows"]
