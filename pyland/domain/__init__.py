"""Floor 2: cells, layers, surface and soil parameters."""

from pyland.domain.grid import Domain, build_domain, regular_grid, site
from pyland.domain.layers import Layers, build_layers
from pyland.domain.surface import Surface, build_surface

__all__ = ["Domain", "Layers", "Surface", "build_domain", "build_layers", "build_surface", "regular_grid", "site"]
