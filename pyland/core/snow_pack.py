"""Boundary to the compiled processes of the snow pack: arrays in, arrays out.

A pack is two arrays: ``layers``, shape ``(5 * layer, column)``, with the blocks of `LAYER_FIELDS`, and ``surface``,
shape ``(3, column)``, with the rows of `SURFACE_FIELDS`. Functions change both in place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyland.base.errors import InputError
from pyland.core import wrapped
from pyland.core.errors import check

Array = NDArray[np.float64]

LAYER_FIELDS = ("ice", "liquid", "thickness", "temperature", "grain_radius")
SURFACE_FIELDS = ("age", "cover", "mass_maximum")
SCHEMES = {
    "fresh_density": {"clm45": 1, "clm5": 2},
    "cover": {"niu_yang": 1, "swenson_lawrence": 2},
    "overburden": {"anderson": 1, "vionnet": 2, "clm5": 3},
    "percolation": {"bucket": 1, "kinematic": 2},
}
_DEFAULTS = {
    "fresh_density": "clm5", "cover": "swenson_lawrence", "overburden": "anderson", "percolation": "bucket",
    "wind_drift": False, "cover_roughness": 0.01, "cover_exponent": 1.0, "holding": 0.033,
}


def make_options(**choices: str | float | bool) -> Array:
    """Return the options vector of the core, defaults for what is not given.

    Raises
    ------
    InputError
        If a scheme is unknown.
    """
    values = []
    for name, default in _DEFAULTS.items():
        value = choices.get(name, default)
        if name in SCHEMES:
            if value not in SCHEMES[name]:
                raise InputError(f"snow: {name} has no scheme {value!r}; choose one of {', '.join(SCHEMES[name])}")
            value = SCHEMES[name][str(value)]
        values.append(float(value))
    return np.array(values)


def _run(procedure: str, *arguments: object) -> None:
    check(*getattr(wrapped.pl_api_snow_pack, procedure)(*arguments))


def fresh_density(options: Array, inputs: Array) -> Array:
    """Density of new snow ``(column,)`` for temperature and wind ``(2, column)``."""
    results = np.zeros((1, inputs.shape[1]))
    _run("snow_fresh_density", options, inputs.T, results.T)
    return results[0]


def fall(dt: float, inputs: Array, layers: Array, surface: Array) -> None:
    """Add snowfall; ``inputs`` are rate, air temperature and density ``(3, column)``."""
    _run("snow_fall", dt, inputs.T, layers.T, surface.T)


def cover(options: Array, inputs: Array, layers: Array, surface: Array) -> None:
    """Update the cover; ``inputs`` are topography and new snow ``(2, column)``."""
    _run("snow_cover_step", options, inputs.T, layers.T, surface.T)


def settle_melt(ice_before: Array, layers: Array, surface: Array) -> None:
    """Shrink layers with the ice ``(layer, column)`` that melted."""
    _run("snow_settle_melt", ice_before.T, layers.T, surface.T)


def compact(options: Array, dt: float, wind_speed: Array, layers: Array, surface: Array) -> None:
    """Let layers settle under wind ``(1, column)``."""
    _run("snow_compact", options, dt, wind_speed.T, layers.T, surface.T)


def percolate(options: Array, dt: float, rain: Array, layers: Array, surface: Array) -> Array:
    """Let water flow; rain ``(1, column)``. Return the outflow ``(column,)``."""
    outflow = np.zeros_like(rain)
    _run("snow_percolate", options, dt, rain.T, layers.T, surface.T, outflow.T)
    return outflow[0]


def combine_divide(layers: Array, surface: Array) -> None:
    """Bring layers within their limits of thickness."""
    _run("snow_combine_divide", layers.T, surface.T)


def remove_trace(layers: Array, surface: Array) -> Array:
    """Remove packs with less than the least mass. Return ice, liquid and enthalpy removed ``(3, column)``."""
    results = np.zeros((3, layers.shape[1]))
    _run("snow_remove_trace", layers.T, surface.T, results.T)
    return results
