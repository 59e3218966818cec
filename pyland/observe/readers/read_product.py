"""One door to all readers: checks what is asked, reads, marks doubles, says what was found and where it came from."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

import pyland
from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.observation_reasons import DUPLICATE, in_words
from pyland.base.text import suggestion
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.option_values import checked_options
from pyland.observe.readers.reader import Reader
from pyland.observe.readers.registry import READERS
from pyland.observe.readers.selection import Selection
from pyland.observe.readers.source_files import expand_paths, identity

_REQUIRED = inspect.Parameter.empty

_APART = ("polarisation", "sensor", "satellite", "orbit", "band")
"""Text columns that tell observations of one place, time and depth apart."""


def read_product(
    paths: str | Path | Iterable[str | Path],
    reader: str = "table",
    *,
    product: str | None = None,
    period: object = None,
    bounds: object = None,
    **options: object,
) -> ObservationTable:
    """Read files of a product into one table of observations.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files or patterns.
    reader : str
        One of `READERS`.
    product : str, optional
        Name of the product in the table; default is that of the reader.
    period : sequence of two datetime64 or str, optional
        Start and end (UTC); rows with start <= time < end are read.
    bounds : sequence of four float, optional
        South, north, west, east [degrees], the rim included; west > east goes over the date line.
    **options
        Options of the reader.

    Returns
    -------
    ObservationTable
        Every value in the period and the box, used or with the reason why not, in the order of time and place. How many
        cells had no value or lay outside stands in ``provenance["left_out"]`` and in the log.

    Raises
    ------
    InputError
        If there is no such reader or option, a file is missing or not what the reader expects, or no row is left.

    Examples
    --------
    >>> table = read_product("SMAP_L3_SM_P_2018*.h5", "smap_l3", bounds=(50.0, 52.6, 5.8, 9.5))  # doctest: +SKIP
    """
    found = _reader(reader)
    known = found.options
    for name in options:
        if name not in known:
            raise InputError(f"observations: reader '{reader}' has no option '{name}'; it has "
                             f"{', '.join(known) or 'none'}.")
    missing = [name for name, default in known.items() if default is _REQUIRED and name not in options]
    if missing:
        raise InputError(f"observations: reader '{reader}' needs the option '{missing[0]}'.")
    options = checked_options(found, options)
    chosen, files = Selection.of(period, bounds), expand_paths(paths)
    table = found.function(files, period=chosen.period, bounds=chosen.bounds, **options)
    if table.size == 0:
        raise InputError(f"observations: {_names(files)}: no observation is left; left out: {_left_out(table)}. Check "
                         "period, bounds and options of the reader.")
    table = mark_duplicates(_in_order(table))
    if product is not None:
        table = replace(table, product=product)
    about = {"files": "\n".join(identity(path) for path in files), "reader": reader,
             "options": json.dumps(options, default=str, sort_keys=True), **chosen.text(),
             "pyland_version": pyland.__version__}
    if reader == "table":  # what made the table matters more than who read it again
        about = {"read_again": about["files"], **chosen.text()}
    table = replace(table, provenance={**table.provenance, **about, "counts": json.dumps(table.counts())})
    get_logger("observe").info("%s: %d observations (%s) of %s in %s; left out: %s", table.product, table.size,
                               in_words(table.counts()), table.type, _names(files), _left_out(table))
    return table


def mark_duplicates(table: ObservationTable) -> ObservationTable:
    """Return a table in which of used rows of one place, time, depth and kind only the first one stays used.

    Parameters
    ----------
    table : ObservationTable
        Any table; its text columns ``polarisation``, ``sensor``, ``satellite``, ``orbit`` and ``band`` tell rows apart.
    """
    if table.size < 2:
        return table
    keys = [table.location, table.time.astype(np.int64),
            *(np.nan_to_num(one, nan=-1.0) for one in (table.top, table.bottom, table.incidence_angle))]
    used = np.flatnonzero(table.used)
    order, same = _doubles(keys, used)
    if same.any():  # words are slow to compare: only where numbers are the same
        words = [np.unique(table.extra[name].astype(str), return_inverse=True)[1] for name in _APART
                 if name in table.extra]
        order, same = _doubles([*keys, *words], used)
    if not same.any():
        return table
    doubled = np.zeros(table.size, bool)
    doubled[order[1:][same]] = True
    first = int(order[1:][same].min())
    get_logger("observe").warning(
        "%s: %d observations have the place, time and kind of another one and are marked 'duplicate', the first at %s, "
        "latitude %.4f, longitude %.4f; the first of each stays", table.product, int(same.sum()), table.time[first],
        table.latitude[first], table.longitude[first])
    return table.rejected(doubled, DUPLICATE)


def _doubles(keys: list[np.ndarray], used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return used rows in the order of the keys, and whether each but the first has the keys of the one before it."""
    order = used[np.lexsort([one[used] for one in reversed(keys)])]
    same = np.ones(max(order.size - 1, 0), bool)
    for one in keys:
        same &= one[order][1:] == one[order][:-1]
    return order, same


def _in_order(table: ObservationTable) -> ObservationTable:
    """Return the table in the order of time and place; readers mostly give it so, and copies of millions are slow."""
    later = table.time[1:] > table.time[:-1]
    same = table.time[1:] == table.time[:-1]
    return table if (later | (same & (table.location[1:] >= table.location[:-1]))).all() else table.sorted()


def _reader(name: str) -> Reader:
    if name not in READERS:
        raise InputError(f"observations: there is no reader '{name}'{suggestion(name, READERS) or '.'} The readers are "
                         f"{', '.join(READERS)}. Gridded products without one of their own are read by 'mapped'.")
    return READERS[name]


def _names(files: list[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more files"


def _left_out(table: ObservationTable) -> str:
    counts: Counter[str] = Counter()
    for line in table.provenance.get("left_out", "").splitlines():  # joined tables have a line each
        counts.update(json.loads(line))
    return in_words(counts)
