"""Land and soil water as one system."""

from pyland.coupling.column_model import ColumnModel
from pyland.coupling.coupled_model import CoupledModel
from pyland.coupling.ground_columns import GroundColumns, UrbanSlab, glacier_columns, urban_columns
from pyland.coupling.lake_columns import LakeColumns
from pyland.coupling.surface_mosaic import SurfaceMosaic, SurfacePart

__all__ = [
    "ColumnModel",
    "CoupledModel",
    "GroundColumns",
    "LakeColumns",
    "SurfaceMosaic",
    "SurfacePart",
    "UrbanSlab",
    "glacier_columns",
    "urban_columns",
]
