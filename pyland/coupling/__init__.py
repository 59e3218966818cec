"""Land and soil water as one system."""

from pyland.coupling.column_model import ColumnModel
from pyland.coupling.lake_columns import LakeColumns
from pyland.coupling.surface_mosaic import SurfaceMosaic, SurfacePart

__all__ = ["ColumnModel", "LakeColumns", "SurfaceMosaic", "SurfacePart"]
