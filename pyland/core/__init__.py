"""Boundary to the compiled core; the only package that touches the extension."""

try:
    from pyland.core._wrapped import wrapped
except ImportError as error:
    raise ImportError(
        "pyland.core: the compiled core is missing. Python probably imports the source tree instead of the installed "
        "package. Install it with `pip install .` and run from another directory, or run `sh tools/demo.sh`. "
        f"(The import said: {error})"
    ) from error

__all__ = ["wrapped"]
