"""What the types of observations measure: units of files, values that can be, attributes in netCDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pyland.base.errors import InputError
from pyland.config.observations import UNITS


@dataclass(frozen=True)
class Quantity:
    """A measured quantity.

    Attributes
    ----------
    unit, variance_unit : str
        Units of values and error variances.
    standard_name : str
        CF standard name.
    factors : mapping of str to float
        Units that a file may have, and their factor to ``unit``.
    valid_range : tuple of float
        Values that can be; what lies outside is rejected [unit].
    limits : tuple of float
        What noise does not take an observation of a known truth beyond [unit].
    hint : str
        What else may be wrong with a unit that is not known.
    """

    unit: str
    variance_unit: str
    standard_name: str
    factors: Mapping[str, float]
    valid_range: tuple[float, float]
    limits: tuple[float, float]
    hint: str


QUANTITIES = MappingProxyType({
    "soil_moisture": Quantity(
        UNITS["soil_moisture"], "m6 m-6", "volume_fraction_of_condensed_water_in_soil",
        MappingProxyType({
            "m3 m-3": 1.0, "m3/m3": 1.0, "m^3 m^-3": 1.0, "m^3/m^3": 1.0, "m**3 m**-3": 1.0, "m3.m-3": 1.0,
            "cm3 cm-3": 1.0, "cm3/cm3": 1.0, "cm^3/cm^3": 1.0, "1": 1.0, "percent of volume": 0.01, "vol%": 0.01,
        }),  # a bare percent sign is not one: it may mean percent of saturation
        (0.0, 0.9),  # the upper end is saturated peat
        (0.0, 1.0),
        "percent of saturation needs the porosity",
    ),
    "groundwater": Quantity(
        UNITS["groundwater"], "m2", "water_table_depth",
        MappingProxyType({"m": 1.0, "metre": 1.0, "meter": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "feet": 0.3048}),
        (-100.0, 1000.0),  # that of the registry; water of a confined aquifer stands above the ground
        (-float("inf"), float("inf")),
        "levels above a datum need the height of the ground",
    ),
})
"""By the ``type`` of an entry of ``observations``."""


def quantity_of(observation_type: str) -> Quantity:
    """Return what a type of observation measures.

    Raises
    ------
    InputError
        If there is no such type.
    """
    if observation_type not in QUANTITIES:
        raise InputError(f"observations: unknown type '{observation_type}'; available: {', '.join(QUANTITIES)}.")
    return QUANTITIES[observation_type]
