"""Water in the soil: Richards' equation in columns, and the retention curves of soils."""

from pyland.subsurface.columns import Subsurface
from pyland.subsurface.retention import head_from_water, water_from_head

__all__ = ["Subsurface", "head_from_water", "water_from_head"]
