"""Rows of names and values as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyland.output.atomic import complete_file


def write_rows(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows that have the same names as CSV with a line of names, and return the file.

    Numbers have six digits; what is not a number is empty.
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
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"


__all__ = ["write_rows"]
