"""Rivers of a run: set up, routed, gauged, written."""
