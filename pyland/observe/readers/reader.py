"""A reader: a function that makes a table of observations of the files of one product."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from pyland.observe.observation_table import ObservationTable


@dataclass(frozen=True)
class Reader:
    """A row of the registry of readers.

    Attributes
    ----------
    name : str
        Name in `read_product`, on the command line and in ``case.yaml``.
    function : callable
        ``function(paths: list[Path], *, period, bounds, **options) -> ObservationTable``; `period` and `bounds` are
        checked, see `pyland.observe.readers.selection`.
    types : tuple of str
        Types of observations it can give, the default first.
    summary : str
        What it reads, in one line.
    """

    name: str
    function: Callable[..., ObservationTable]
    types: tuple[str, ...]
    summary: str

    @property
    def options(self) -> dict[str, object]:
        """Names and defaults of its own options."""
        given = inspect.signature(self.function).parameters
        return {name: one.default for name, one in given.items()
                if one.kind is inspect.Parameter.KEYWORD_ONLY and name not in ("period", "bounds")}

    @property
    def option_kinds(self) -> dict[str, str]:
        """Names of its own options and what they may be, as its function declares it."""
        given = inspect.signature(self.function).parameters
        return {name: str(given[name].annotation) for name in self.options}
