"""``pyland observe``: files of a product into a table of observations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pyland.base.errors import InputError
from pyland.base.observation_reasons import in_words
from pyland.observe import READERS, read_product, write_table
from pyland.observe.observation_table import check_table_path
from pyland.observe.readers.option_values import is_text
from pyland.observe.readers.source_files import expand_paths


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
    check_table_path(output)
    given = parse_options(options, READERS[reader].option_kinds if reader in READERS else {})
    if Path(output).resolve() in {one.resolve() for one in expand_paths(paths)}:
        raise InputError(f"pyland observe: --output {output} is one of the files to read; it would be lost. Name "
                         "another file.")
    table = read_product(paths, reader, product=product, period=period, bounds=bounds, **given)
    write_table(output, table)
    return (f"{output}: {table.size} observations of {table.type} by {table.product}, {table.time.min()} to "
            f"{table.time.max()} ({in_words(table.counts())})")


def list_readers() -> list[str]:
    """Return a line for each reader: name, what it reads, options."""
    width = max(map(len, READERS))
    return [f"{name:{width}s}  {one.summary}; options: {', '.join(one.options) or 'none'}"
            for name, one in READERS.items()]


def parse_options(given: Iterable[str], kinds: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return options of texts ``name=value``; ``kinds`` says which are text, so that 00003 stays what it is.

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
        name = name.strip()
        if name in found:
            raise InputError(f"--set: the option '{name}' is given twice.")
        try:
            found[name] = yaml.safe_load(value)
            if found[name] is not None and not isinstance(found[name], str) and is_text((kinds or {}).get(name, "")):
                found[name] = value.strip()
        except yaml.YAMLError:
            raise InputError(f"--set: {text!r}: the value is no YAML, for instance 0.45, PM or [0.0, 0.05].") from None
    return found
