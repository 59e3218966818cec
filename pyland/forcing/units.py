"""Units of files to SI, once, at the edge."""

from __future__ import annotations

import re
import tokenize
from functools import cache
from typing import Any

import numpy as np

from pyland.base.errors import InputError

_DENSITY_WATER = "1000 kg/m**3"  # turns a depth of precipitation into a mass
_EXPONENT = re.compile(r"([A-Za-z])\s*(?:\^|\*\*)?\s*([+-]?\d+)(?![\w.])")
_PER_COUNT = re.compile(r"(?:/|\bper\b)\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_SPELLINGS = (
    (re.compile(r"\b(?:deg(?:rees?)?[ _]?)?Celsius\b|\bdeg(?:rees?)?[ _]?C\b|°\s?C\b", re.IGNORECASE), "degC"),
    (re.compile(r"\bdeg(?:rees?)?[ _]?(?:F|Fahrenheit)\b|°\s?F\b", re.IGNORECASE), "degF"),
    (re.compile(r"\b(?:deg(?:rees?)?[ _]?K|Kelvin)\b"), "K"),
    (re.compile(r"\bWatts?\b"), "watt"),
    (re.compile(r"\bmb\b"), "mbar"),
    (re.compile(r"\bPascals?\b"), "Pa"),
    (re.compile(r"\bper\b"), "/"),
    (re.compile("·"), " "),
)


@cache
def _registry() -> Any:
    import pint  # half a second to load: only when a file is not in SI

    return pint.UnitRegistry()


def normalise_unit(unit: str) -> tuple[str, float]:
    """Rewrite a unit of a file so that pint understands it.

    Parameters
    ----------
    unit : str
        As in the file: ``W m-2``, ``mm/30min``, ``degrees_C``, ``kg m^-2 s^-1``, ``mm per day``, ``mb``.

    Returns
    -------
    expression : str
        The unit with explicit powers, without numbers.
    factor : float
        What the numbers in it multiply the values by, for instance 1/30 for ``mm/30min``.
    """
    factor = 1.0
    for count, _ in _PER_COUNT.findall(unit):
        factor /= float(count)
    expression = _PER_COUNT.sub(r"/\2", unit.strip())
    for pattern, spelling in _SPELLINGS:
        expression = pattern.sub(spelling, expression)
    expression = _EXPONENT.sub(r"\1**\2", expression)
    return ("dimensionless" if expression in {"", "1", "-"} else expression), factor


def to_si(values: np.ndarray, unit: str | None, expected: str, label: str, file: str) -> np.ndarray:
    """Convert values of a file to the unit pyland works in.

    Parameters
    ----------
    values : numpy.ndarray
        Values as read, any shape.
    unit : str or None
        The ``units`` attribute; None if there is none.
    expected : str
        Target unit, as in `pyland.forcing.checks.BOUNDS`.
    label, file : str
        Variable and path, for the message.

    Returns
    -------
    numpy.ndarray
        Values [``expected``], a new array unless the units are the same.

    Raises
    ------
    InputError
        If the unit is missing, unknown or of another kind. A precipitation depth per time (mm/h) is taken as water of
        1000 kg m-3; an amount without a time (mm) is refused, because its interval is not known.
    """
    if unit is None:
        raise InputError(
            f"{file}: variable '{label}' has no units attribute; expected '{expected}' or a unit that converts to it; "
            f"set it with: ncatted -a units,{label},o,c,'{expected}' {file}"
        )
    if " ".join(unit.split()) == expected:
        return values
    expression, factor = normalise_unit(unit)
    import pint

    ureg = _registry()
    try:
        quantity = ureg.Quantity(values if factor == 1.0 else values * factor, ureg.parse_units(expression))
        target = ureg.parse_units(normalise_unit(expected)[0])
        if quantity.check("[length]/[time]") and expected == "kg m-2 s-1":
            quantity = quantity * ureg.parse_expression(_DENSITY_WATER)
        return np.asarray(quantity.to(target).magnitude, dtype=np.float64)
    except (pint.errors.PintError, tokenize.TokenError, AssertionError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file}: variable '{label}' has units '{unit}', which cannot be converted to '{expected}' ({error}); "
            "correct the units attribute (amounts of precipitation need their interval, for instance 'mm/30min')"
        ) from error
