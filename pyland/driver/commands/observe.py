"""``pyland observe``: files of a product into a table of observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from pyland.base.errors import InputError
from pyland.base.observation_reasons import in_words
from pyland.observe import READERS, read_product, write_table


def observe(
    paths: Sequence[str],
    reader: str,
    output: Path,
    *,
    product: str | None = None,
    options: Iterable[str] = (),
    period: Sequence[str] | None = None,
    bounds: Sequence[float] | None = None,
) -> str:
    """Read files into a table, write it, and return a line about it.

    Parameters
    ----------
    paths : sequence of str
        Files or patterns.
    reader : str
        One of `pyland.observe.READERS`.
    output : Path
        Table to write, netCDF or ``.zarr``.
    product : str, optional
        Name of the product in the table.
    options : iterable of str
        Options of the reader as ``name=value``; values are YAML.
    period, bounds : optional
        See `pyland.observe.read_product`.

    Raises
    ------
    InputError
        If an option is no ``name=value``, or what `read_product` refuses.
    """
    table = read_product(paths, reader, product=product, period=period, bounds=bounds, **parse_options(options))
    write_table(output, table)
    return (f"{output}: {table.size} observations of {table.type} by {table.product}, {table.time.min()} to "
            f"{table.time.max()} ({in_words(table.counts())})")


def list_readers() -> list[str]:
    """Return a line for each reader: name, what it reads, options."""
    width = max(map(len, READERS))
    return [f"{name:{width}s}  {one.summary}; options: {', '.join(one.options) or 'none'}"
            for name, one in READERS.items()]


def parse_options(given: Iterable[str]) -> dict[str, Any]:
    """Return options of texts ``name=value``.

    Raises
    ------
    InputError
        If one is none, or its value is no YAML.
    """
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--set: expected OPTION=VALUE, got {text!r}, for instance --set porosity=0.45.")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"--set: {text!r}: the value is no YAML, for instance 0.45, PM or [0.0, 0.05].") from None
    return found
