"""Runs of the distributed subsurface, alone or with land over it."""
