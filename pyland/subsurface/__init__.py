"""Water in the soil and in rivers: Richards' equation in columns, retention curves, river networks and lakes."""

from pyland.domain.pfb import read_pfb, write_pfb
from pyland.subsurface.columns import Subsurface
from pyland.subsurface.distributed import DistributedSubsurface
from pyland.subsurface.flow_boundaries import Boundary
from pyland.subsurface.open_water import open_water_evaporation
from pyland.subsurface.parflow_run import ParflowRun, read_parflow_run
from pyland.subsurface.retention import head_from_water, water_from_head
from pyland.subsurface.river_grid import RiverGrid
from pyland.subsurface.river_network import RiverNetwork
from pyland.subsurface.rivers import Lake, Rivers

__all__ = [
    "Boundary", "DistributedSubsurface", "Lake", "ParflowRun", "RiverGrid", "RiverNetwork", "Rivers", "Subsurface",
    "head_from_water", "open_water_evaporation", "read_parflow_run", "read_pfb", "water_from_head", "write_pfb",
]
