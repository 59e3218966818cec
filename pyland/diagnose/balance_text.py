"""Balance tables as text for people, CSV and JSON."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from pyland.base.text import aligned_columns
from pyland.diagnose.balance_columns import Column
from pyland.diagnose.balance_table import BalanceTable

TEXT_COLUMNS = {
    "water": ("area_km2", "elevation_m", "precipitation_mm", "rainfall_mm", "snowfall_mm", "irrigation_mm", "et_mm",
              "transpiration_fraction", "runoff_mm", "runoff_coefficient", "boundary_inflow_mm", "q_in_1e9m3",
              "q_out_1e9m3", "storage_change_mm", "storage_change_soil_mm", "storage_change_ground_water_mm",
              "storage_change_snow_mm", "storage_change_surface_mm", "storage_change_glacier_mm", "increment_mm",
              "residual_mm", "net_et_to_streamflow", "et_to_streamflow", "lake_evaporation_1e9m3",
              "lake_evaporation_mm", "river_storage_change_1e9m3"),
}
"""Columns of the text for people; kinds that are not named show all. Files have all columns."""

ALWAYS = ("precipitation_mm", "et_mm", "runoff_mm", "storage_change_mm", "residual_mm", "energy_residual",
          "carbon_residual_gc")
"""Columns that the text shows even where they are 0 everywhere."""

NOTHING = "-"
"""Stands for a value that a zone does not have."""


def table_text(table: BalanceTable) -> str:
    """Return a table in columns of equal width, with a title and the units.

    Columns without any value, and terms that are 0 everywhere, are left out.
    """
    wanted = TEXT_COLUMNS.get(table.kind)
    columns = [one for one in table.columns if (wanted is None or one.id in wanted)
               and _says_something(table.values[one.id], one)]
    with_period = len(table.periods.labels) > 1
    head = [["zone", *(["period"] if with_period else []), *(one.label for one in columns)],
            ["", *([""] if with_period else []), *(f"[{one.units}]" for one in columns)]]
    body = [[row["zone"], *([row["period"]] if with_period else []), *(_shown(row[one.id], one) for one in columns)]
            for row in table.rows()]
    named = 2 if with_period else 1
    return "\n".join([_title(table), *aligned_columns([*head, *body], named)])


def _says_something(values: np.ndarray, column: Column) -> bool:
    known = values[np.isfinite(values)]
    return known.size > 0 and (column.id in ALWAYS or bool(known.any()))


def _title(table: BalanceTable) -> str:
    start, end = str(table.periods.start.min())[:16], str(table.periods.end.max())[:16]
    what = {"period": "sums", "mean_year": "per year"}.get(table.every, f"by {table.every}")
    if table.kind == "energy":
        what = "means" if table.every in ("period", "mean_year") else f"means by {table.every}"
    return f"{table.kind} by {table.zones.name.replace('_', ' ')}, {start} to {end} UTC, {what}"


def _shown(value: float, column: Column) -> str:
    if not math.isfinite(value):
        return NOTHING
    if column.id.startswith(("residual", "energy_residual", "carbon_residual")):
        return f"{value:.1e}"
    return f"{value:.{column.digits}f}"


def table_csv(tables: Iterable[BalanceTable]) -> str:
    """Return tables of one kind and one set of zones as CSV, one after the other; empty fields have no value."""
    text = io.StringIO()
    writer = None
    for table in tables:
        if writer is None:
            names = ["every", "zone", "period", "start", "end", *(one.id for one in table.columns)]
            writer = csv.DictWriter(text, names, lineterminator="\n")
            writer.writeheader()
        for row in table.rows():
            writer.writerow({"every": table.every, **{
                name: value if not isinstance(value, float) else f"{value:.9g}" if math.isfinite(value) else ""
                for name, value in row.items()}})
    return text.getvalue()


def table_numbers(table: BalanceTable) -> dict[str, Any]:
    """Return a table as plain numbers: kind, zones, every, columns (id, label, units) and rows in their order."""
    ids = [one.id for one in table.columns]
    return {
        "kind": table.kind, "zones": table.zones.name, "every": table.every,
        "columns": [{"id": one.id, "label": one.label, "units": one.units} for one in table.columns],
        "rows": [{"zone": row["zone"], "period": row["period"], "start": row["start"], "end": row["end"],
                  "values": [row[name] for name in ids]} for row in table.rows()],
    }


__all__ = ["table_csv", "table_numbers", "table_text"]
