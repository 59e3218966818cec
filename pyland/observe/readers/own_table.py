"""Tables that pyland wrote, cut to a period and a box."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pyland.observe.observation_table import ObservationTable, join_tables, read_table
from pyland.observe.readers.selection import Selection


def read_own_tables(paths: list[Path], *, period: object = None, bounds: object = None) -> ObservationTable:
    """Read one table of the files of one product.

    Parameters
    ----------
    paths : list of Path
        Files or zarr stores of `pyland.observe.write_table`.
    period, bounds : optional
        See `Selection.of`.

    Returns
    -------
    ObservationTable
        In the order of time and place.

    Raises
    ------
    InputError
        If a file is none, or tables of different products are mixed.
    """
    return table_within(join_tables([read_table(path) for path in paths]), period=period, bounds=bounds)


def table_within(table: ObservationTable, *, period: object = None, bounds: object = None) -> ObservationTable:
    """Return the rows of a table in a period and a box; how many lie outside stands in its provenance.

    Parameters
    ----------
    table : ObservationTable
        Any table.
    period : sequence of two datetime64 or str, optional
        Start and end (UTC), the end not included.
    bounds : sequence of four float, optional
        South, north, west, east [degrees].

    Returns
    -------
    ObservationTable

    Raises
    ------
    InputError
        If period or bounds cannot be.
    """
    chosen = Selection.of(period, bounds)
    placed, timely = chosen.in_bounds(table.latitude, table.longitude), chosen.in_period(table.time)
    found = table.rows(np.flatnonzero(placed & timely))
    outside = {"outside_bounds": int((~placed).sum()), "outside_period": int((placed & ~timely).sum())}
    found.provenance = {**table.provenance, **chosen.text(),
                        "left_out": json.dumps({word: count for word, count in outside.items() if count})}
    return found
