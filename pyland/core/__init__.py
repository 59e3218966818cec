"""Boundary to the compiled core; the only package that touches the extension."""

import os

# OpenMP reads this once, when it is loaded. Threads that spin while they wait take the cores from each other wherever
# something else runs too (a step with two threads then takes up to five times as long); waiting asleep costs nothing
# measurable where nothing does.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

try:
    from pyland.core._wrapped import wrapped
except ImportError as error:
    raise ImportError(
        "pyland.core: the compiled core is missing. Python probably imports the source tree instead of the installed "
        "package. Install it with `pip install .` and run from another directory, or run `sh tools/demo.sh`. "
        f"(The import said: {error})"
    ) from error

__all__ = ["wrapped"]
