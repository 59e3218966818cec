"""pyland: an ensemble land data assimilation system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pyland.driver.case import Case, open_case
    from pyland.output.open_output import open_output

__all__ = ["Case", "open_case", "open_output"]

_HOMES = {"Case": "pyland.driver.case", "open_case": "pyland.driver.case", "open_output": "pyland.output.open_output"}
_ROOMS = ("assimilate", "coupling", "diagnose", "domain", "driver", "ensemble", "forcing", "land", "observe", "output",
          "subsurface", "view")


def __getattr__(name: str) -> Any:
    """Load the public names, and the rooms of the house, on first use: ``import pyland`` stays fast."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(f"pyland.{name}")
    raise AttributeError(f"module 'pyland' has no attribute {name!r}")
