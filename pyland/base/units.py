"""Unit conversion at the edge of pyland (pint), with messages that are sentences."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np

from pyland.base.errors import InputError

WATER_DENSITY = 1000.0
"""Liquid water [kg m-3]: 1 mm of water is 1 kg m-2."""

# UDUNITS writes powers without a sign: m-2, s2, m3; but not within numbers such as 1e-3
_POWER = re.compile(r"(?<=[A-Za-zµ%)])(?<![0-9.][eE])(?=[-+]?[0-9])")
_SPELLINGS = {
    "": "1",
    "-": "1",
    "none": "1",
    "fraction": "1",
    "dimensionless": "1",
    "unitless": "1",
    "C": "degC",
    "deg C": "degC",
    "degree_Celsius": "degC",
    "degrees_Celsius": "degC",
    "Celsius": "degC",
    "celsius": "degC",
    "°C": "degC",
    "deg_C": "degC",
    "degreesC": "degC",
    "F": "degF",
    "°F": "degF",
    "deg F": "degF",
    "K": "kelvin",
    "%": "percent",
    "degrees_north": "degree",
    "degrees_east": "degree",
    "degree_north": "degree",
    "degree_east": "degree",
}


@functools.cache
def _registry() -> Any:
    """Return the one unit registry of the process, with water depth as mass per area."""
    import pint

    registry = pint.UnitRegistry(autoconvert_offset_to_baseunit=True, preprocessors=[_power_signs])
    water = pint.Context("water")
    density = registry.Quantity(WATER_DENSITY, "kg / m ** 3")
    for length in ("[length]", "[length] / [time]"):
        mass = length.replace("[length]", "[mass] / [length] ** 2")
        water.add_transformation(length, mass, lambda _, value: value * density)
        water.add_transformation(mass, length, lambda _, value: value / density)
    registry.add_context(water)
    registry.enable_contexts("water")
    return registry


def _power_signs(text: str) -> str:
    return _POWER.sub("**", text)


@functools.lru_cache(maxsize=512)
def _unit(unit: str) -> Any:
    text = _SPELLINGS.get(unit.strip(), unit.strip())
    return _registry().Unit("" if text == "1" else text)


def is_unit(unit: str) -> bool:
    """Tell whether a string names a unit."""
    try:
        _unit(unit)
    except Exception:  # pint raises a dozen unrelated types for text that is no unit
        return False
    return True


def convert(values: Any, source: str, target: str, name: str = "the value") -> Any:
    """Convert values from one unit to another.

    Parameters
    ----------
    values : float or array_like
        Numbers in ``source`` units.
    source, target : str
        Units as CF/UDUNITS or pint write them; water depth and mass per area convert with 1000 kg m-3.
    name : str
        What the values are, for messages.

    Returns
    -------
    float or numpy.ndarray
        Numbers in ``target`` units; arrays are new unless the units are the same.

    Raises
    ------
    InputError
        If a unit is unknown or the two do not convert into each other.

    Examples
    --------
    >>> convert(3.6, "mm/h", "kg m-2 s-1", "rain")
    0.001
    """
    numbers = float(values) if np.isscalar(values) else np.asarray(values, dtype=float)
    if source == target:
        return numbers
    for unit in (source, target):
        if not is_unit(unit):
            raise InputError(f"{name}: the unit '{unit}' is not known; expected a unit that converts to '{target}'.")
    import pint

    try:
        result = _registry().Quantity(numbers, _unit(source)).to(_unit(target)).magnitude
    except pint.DimensionalityError:
        raise InputError(f"{name}: expected a unit that converts to '{target}', got '{source}'.") from None
    return float(result) if np.isscalar(values) else np.asarray(result)
