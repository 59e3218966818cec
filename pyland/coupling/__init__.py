"""Land and soil water as one system."""

from pyland.coupling.column_model import ColumnModel

__all__ = ["ColumnModel"]
