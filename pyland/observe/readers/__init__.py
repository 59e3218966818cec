"""Readers of products: files in, one table of observations out."""

from pyland.observe.readers.own_table import table_within
from pyland.observe.readers.read_product import read_product
from pyland.observe.readers.reader import Reader
from pyland.observe.readers.registry import READERS

__all__ = ["READERS", "Reader", "read_product", "table_within"]
