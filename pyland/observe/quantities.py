"""What the types of observations measure: units of files, values that can be, attributes in netCDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pyland.base.errors import InputError
from pyland.config.observation_operators import UNITS

_INFINITY = float("inf")


@dataclass(frozen=True)
class Quantity:
    """A measured quantity.

    Attributes
    ----------
    unit, variance_unit : str
        Units of values and error variances.
    standard_name : str or None
        CF standard name, None where the CF table has none.
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
    standard_name: str | None
    factors: Mapping[str, float]
    valid_range: tuple[float, float]
    limits: tuple[float, float]
    hint: str

    def attributes(self) -> dict[str, str]:
        """Return the CF attributes of a variable that holds it."""
        named = {} if self.standard_name is None else {"standard_name": self.standard_name}
        return {**named, "units": self.unit}


QUANTITIES = MappingProxyType({
    "soil_moisture": Quantity(
        UNITS["soil_moisture"], "m6 m-6", "volume_fraction_of_condensed_water_in_soil",
        MappingProxyType({
            "m3 m-3": 1.0, "m3/m3": 1.0, "m^3 m^-3": 1.0, "m^3/m^3": 1.0, "m**3 m**-3": 1.0, "m3.m-3": 1.0,
            "cm3 cm-3": 1.0, "cm3/cm3": 1.0, "cm^3/cm^3": 1.0, "cm**3/cm**3": 1.0, "m**3/m**3": 1.0,
            "1": 1.0, "percent of volume": 0.01, "vol%": 0.01,
        }),  # a bare percent sign is not one: it may mean percent of saturation
        (0.0, 0.9),  # the upper end is saturated peat
        (0.0, 1.0),
        "percent of saturation needs the porosity",
    ),
    "groundwater": Quantity(
        UNITS["groundwater"], "m2", "water_table_depth",
        MappingProxyType({"m": 1.0, "metre": 1.0, "meter": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "feet": 0.3048}),
        (-100.0, 1000.0),  # that of the registry; water of a confined aquifer stands above the ground
        (-_INFINITY, _INFINITY),
        "levels above a datum need the height of the ground",
    ),
    "crns": Quantity(
        "h-1", "h-2", None,
        MappingProxyType({"h-1": 1.0, "1/h": 1.0, "hr-1": 1.0, "counts/hour": 1.0, "cph": 1.0, "s-1": 3600.0,
                          "counts/minute": 60.0, "cpm": 60.0}),
        (1.0, 1.0e5),  # below and above what any probe on the ground counts
        (0.0, _INFINITY),
        "counts of a record need its length",
    ),
    "brightness_temperature": Quantity(
        "K", "K2", "brightness_temperature", MappingProxyType({"K": 1.0, "kelvin": 1.0, "Kelvin": 1.0}),
        (50.0, 340.0),  # a calm cold sea to a hot desert; above is man-made radiation
        (0.0, _INFINITY),
        "scaled integers need scale_factor",
    ),
    "backscatter": Quantity(
        "dB", "dB2", None, MappingProxyType({"dB": 1.0, "decibel": 1.0}), (-40.0, 5.0), (-_INFINITY, _INFINITY),
        "linear backscatter s is 10 log10(s) dB",
    ),
    "lst": Quantity(
        "K", "K2", "surface_temperature", MappingProxyType({"K": 1.0, "kelvin": 1.0, "Kelvin": 1.0}), (180.0, 360.0),
        (0.0, _INFINITY), "degrees Celsius need 273.15 K more; scaled integers need scale_factor",
    ),
    "snow_cover": Quantity(
        "1", "1", "surface_snow_area_fraction",
        MappingProxyType({"1": 1.0, "fraction": 1.0, "%": 0.01, "percent": 0.01}), (0.0, 1.0), (0.0, 1.0),
        "an NDSI is not a fraction",
    ),
    "snow_water": Quantity(
        "kg m-2", "kg2 m-4", "surface_snow_amount",
        MappingProxyType({"kg m-2": 1.0, "mm": 1.0, "m": 1000.0, "cm": 10.0}), (0.0, 5000.0), (0.0, _INFINITY),
        "depths of snow are of type snow_depth",
    ),
    "snow_depth": Quantity(
        "m", "m2", "surface_snow_thickness", MappingProxyType({"m": 1.0, "cm": 0.01, "mm": 0.001}), (0.0, 30.0),
        (0.0, _INFINITY), "water equivalents are of type snow_water",
    ),
    "lai": Quantity(
        "1", "1", "leaf_area_index", MappingProxyType({"1": 1.0, "m2 m-2": 1.0, "m2/m2": 1.0, "m^2/m^2": 1.0}),
        (0.0, 15.0), (0.0, _INFINITY), "scaled integers need scale_factor",
    ),
    "sif": Quantity(
        "W m-2 um-1 sr-1", "W2 m-4 um-2 sr-2", None,
        MappingProxyType({"W m-2 um-1 sr-1": 1.0, "W/m2/um/sr": 1.0, "mW m-2 nm-1 sr-1": 1.0, "mW/m2/nm/sr": 1.0,
                          "mW/m^2/sr/nm": 1.0}),
        (-5.0, 20.0), (-_INFINITY, _INFINITY), "retrievals scatter around zero; negative values stay",
    ),
    "tws": Quantity(
        "kg m-2", "kg2 m-4", None, MappingProxyType({"kg m-2": 1.0, "mm": 1.0, "cm": 10.0, "m": 1000.0}),
        (-3000.0, 3000.0), (-_INFINITY, _INFINITY), "anomalies of the water stored, as thickness of liquid water",
    ),
    "discharge": Quantity(
        "m3 s-1", "m6 s-2", "water_volume_transport_in_river_channel",
        MappingProxyType({"m3 s-1": 1.0, "m3/s": 1.0, "m^3/s": 1.0, "m**3 s**-1": 1.0, "L s-1": 0.001, "l/s": 0.001,
                          "ft3 s-1": 0.028316846592, "cfs": 0.028316846592}),
        (0.0, 1.0e6), (0.0, _INFINITY), "a stage needs a rating curve",
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
