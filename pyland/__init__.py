"""pyland: an ensemble land data assimilation system."""

__version__ = "0.1.0"
