"""Skill of the forecasts of past products: each new analysis verifies those that reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.hindcast import HindcastSection
from pyland.diagnose.hindcast import Forecast, HindcastRecord
from pyland.diagnose.hindcast_sums import SCORES
from pyland.driver.cycle.product_fields import ANALYSIS_MEMBERS, FORECAST_MEMBERS, ProductFields, newest_versions
from pyland.output.catalogue import PRODUCTS
from pyland.output.hindcast_scores import write_hindcast_maps, write_hindcast_table
from pyland.output.pruning import cycle_products

HINDCAST, RECORD, TABLE = "hindcast", "record.nc", "skill.csv"


def judge_forecasts(
    root: str | Path,
    product: str | Path,
    cycle_end: Any,
    section: HindcastSection,
    climatology: str | Path | None = None,
    lead: float | None = None,
) -> Path | None:
    """Verify the forecasts of earlier products with the analysis of a new one, and write the skill so far.

    Parameters
    ----------
    root : str or Path
        Folder of the cycle, with ``products``.
    product : str or Path
        The new product; it is published.
    cycle_end : datetime or datetime64
        Time of its analysis [UTC].
    section : HindcastSection
        Quantities, and how long pairs stay open.
    climatology : str or Path, optional
        File of climatologies, a reference of the skill.
    lead : float, optional
        Longest forecast of any product [s]: older products are not opened. None looks at all.

    Returns
    -------
    Path or None
        ``hindcast/skill.csv``; None if no quantity is asked for. A repeated call, and one for a newer version of the
        product, replaces what the cycle gave before.

    Raises
    ------
    InputError
        If members or climatologies are missing, or the cycle is older than pairs that are final.
    """
    if not section.quantities:
        return None
    root, moment = Path(root), np.datetime64(cycle_end, "s")
    folder = root / HINDCAST
    record = HindcastRecord.read(folder / RECORD)
    new = ProductFields(product, climatology)
    oldest = None if lead is None else moment - np.timedelta64(round(lead), "s")
    earlier = [one.path for one in cycle_products(root / PRODUCTS)
               if one.cycle < moment and (oldest is None or one.cycle >= oldest)]
    cycles = {one.path: one.cycle for one in cycle_products(root / PRODUCTS)}
    older = {path: ProductFields(path) for path in newest_versions(earlier)}
    for quantity in section.quantities:
        came = new.members_at(quantity, ANALYSIS_MEMBERS, moment)
        if came is None:
            raise InputError(f"{product}: its analysis has no record at {moment}, the end of the cycle; choose an "
                             "output.every that divides cycle.interval.")
        forecasts = []
        for path, fields in older.items():
            if not (fields.has(FORECAST_MEMBERS) and fields.has(ANALYSIS_MEMBERS)):
                continue
            members = fields.members_at(quantity, FORECAST_MEMBERS, moment)
            if members is not None:
                start = fields.members_at(quantity, ANALYSIS_MEMBERS, cycles[path])
                forecasts.append(Forecast(cycles[path], members, None if start is None else start.mean(axis=0)))
        record.verify(quantity.name, moment, came.mean(axis=0), forecasts,
                      climatology=new.usual_mean(quantity, moment))
    record.close(moment - np.timedelta64(round(section.open), "s"))
    record.write(folder / RECORD)
    return _write_scores(folder, record, new, section)


def still_needed(root: str | Path, section: HindcastSection, lead: float | None = None) -> list[str]:
    """Return the names of products whose forecasts a coming, or a repeated, cycle verifies.

    Parameters
    ----------
    root : str or Path
        Folder of the cycle, with ``products``.
    section : HindcastSection
        Without quantities nothing is needed.
    lead : float, optional
        As for `judge_forecasts`.

    Returns
    -------
    list of str
        Newest versions whose forecast reaches beyond the time before which pairs are final.
    """
    products = cycle_products(Path(root) / PRODUCTS)
    if not section.quantities or not products:
        return []
    bound = products[-1].cycle - np.timedelta64(round(section.open), "s")
    out = []
    oldest = None if lead is None else bound - np.timedelta64(round(lead), "s")
    for path in newest_versions(one.path for one in products if oldest is None or one.cycle >= oldest):
        fields = ProductFields(path)
        if fields.has(FORECAST_MEMBERS) and fields.times(FORECAST_MEMBERS)[-1] >= bound:
            out.append(path.name)
    return out


def _write_scores(folder: Path, record: HindcastRecord, fields: ProductFields, section: HindcastSection) -> Path:
    """Write maps and table of all quantities."""
    area, grid = fields.area(), fields.grid()
    tables = {}
    for quantity in section.quantities:
        if quantity.name not in record.quantities:
            continue
        tables[quantity.name] = record.table(quantity.name, area, least=section.least)
        write_hindcast_maps(
            folder / f"{quantity.name}.nc", quantity.name, variable(quantity.variable).units,
            record.scores(quantity.name, least=section.least), tables[quantity.name], SCORES, grid,
            period=record.period(quantity.name))
    return write_hindcast_table(folder / TABLE, tables)
