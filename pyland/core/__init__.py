"""Boundary to the compiled core; the only package that touches the extension."""
