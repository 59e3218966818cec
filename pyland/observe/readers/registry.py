"""All readers by their name. A new one is a function in a file of its own, and a row here."""

from __future__ import annotations

from types import MappingProxyType

from pyland.observe.quantities import QUANTITIES
from pyland.observe.readers.own_table import read_own_tables
from pyland.observe.readers.reader import Reader

_ALL = (
    Reader("table", read_own_tables, tuple(QUANTITIES), "tables that `pyland observe` or write_table wrote"),
)

READERS = MappingProxyType({one.name: one for one in _ALL})
"""By the name that users give."""
