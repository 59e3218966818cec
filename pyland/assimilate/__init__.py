"""assimilate."""
