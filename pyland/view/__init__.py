"""Figures of a run; reads only what output wrote."""
