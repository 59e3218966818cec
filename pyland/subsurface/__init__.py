"""subsurface."""
