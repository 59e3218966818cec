"""Climates of the weather generator: one row of numbers each.

The numbers are rounded statistics of lowland stations of each kind of climate (Koeppen-Geiger classes Cfb, Dfa/Dfb,
BSk, Csa, Dfc and Am; Peel et al. 2007, Hydrol. Earth Syst. Sci. 11, 1633-1644). ``plateau`` is a high one: orders of
magnitude of stations of the northern Tibetan Plateau from 2800 to 4600 m (class ET), their temperature brought to sea
level by 6.5 K km-1. They make plausible, self-consistent weather for experiments; they do not reproduce any station.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyland.base.errors import InputError


@dataclass(frozen=True)
class Climate:
    """Statistics of a climate; pairs are (winter, summer), and a cosine of the year leads from one to the other.

    Attributes
    ----------
    latitude : float
        Distance from the equator that the temperatures belong to [degrees].
    mean_temperature : float
        Annual mean at sea level and ``latitude`` [K].
    annual_amplitude : float
        Half the difference between the warmest and the coldest month [K].
    synoptic_temperature : tuple of float
        Standard deviation of daily means around the annual cycle [K].
    diurnal_range : tuple of float
        Afternoon maximum minus night minimum on a clear day [K].
    annual_precipitation : float
        [kg m-2] per year.
    summer_precipitation : float
        Rate at midsummer over the annual mean rate [1], 0 to 2; midwinter has 2 minus this.
    wet_day_frequency : tuple of float
        Share of days with 1 kg m-2 or more [1].
    wet_hours : tuple of float
        Hours with rain of a wet day [h]: short for showers, long for fronts.
    convection : tuple of float
        How much more rain falls in the afternoon than the daily mean [1], 0 (fronts) to 1 (afternoon showers only).
    cloudiness : tuple of float
        Mean cloud cover [1].
    dew_point_depression : tuple of float
        Nightly minimum of temperature minus dew point on a dry day [K]; wet days have none.
    wind_speed : float
        Mean at 10 m [m s-1].
    """

    latitude: float
    mean_temperature: float
    annual_amplitude: float
    synoptic_temperature: tuple[float, float]
    diurnal_range: tuple[float, float]
    annual_precipitation: float
    summer_precipitation: float
    wet_day_frequency: tuple[float, float]
    wet_hours: tuple[float, float]
    convection: tuple[float, float]
    cloudiness: tuple[float, float]
    dew_point_depression: tuple[float, float]
    wind_speed: float


CLIMATES: dict[str, Climate] = {
    "temperate": Climate(
        50.0, 283.5, 8.5, (4.5, 3.2), (7.0, 15.0), 800.0, 1.10, (0.38, 0.32), (8.0, 5.0), (0.0, 0.5), (0.72, 0.55),
        (1.0, 2.0), 3.5),
    "continental": Climate(
        46.0, 281.0, 15.0, (6.5, 3.5), (9.0, 15.0), 600.0, 1.50, (0.20, 0.30), (7.0, 4.0), (0.0, 0.7), (0.62, 0.48),
        (1.0, 2.5), 3.5),
    "semi_arid": Climate(
        33.0, 291.0, 10.0, (4.0, 2.5), (15.0, 18.0), 330.0, 1.50, (0.09, 0.18), (6.0, 3.0), (0.0, 0.8), (0.35, 0.30),
        (5.0, 7.0), 3.3),
    "mediterranean": Climate(
        39.0, 290.0, 8.0, (3.5, 2.5), (9.0, 14.0), 600.0, 0.20, (0.30, 0.05), (7.0, 3.0), (0.0, 0.6), (0.58, 0.20),
        (1.5, 4.0), 3.0),
    "cold": Climate(
        64.0, 275.5, 13.0, (7.0, 3.5), (6.5, 13.0), 550.0, 1.30, (0.28, 0.32), (8.0, 5.0), (0.0, 0.4), (0.72, 0.60),
        (1.0, 2.0), 3.0),
    "tropical": Climate(
        8.0, 300.0, 2.0, (1.0, 1.0), (11.0, 9.0), 2000.0, 1.60, (0.15, 0.60), (3.0, 4.0), (0.8, 0.7), (0.45, 0.65),
        (2.5, 0.5), 2.0),
    "plateau": Climate(
        35.0, 298.0, 11.0, (3.5, 2.0), (14.0, 12.0), 320.0, 1.75, (0.06, 0.45), (5.0, 4.0), (0.2, 0.8), (0.35, 0.62),
        (7.0, 2.5), 4.0),
}  # fmt: skip


def find_climate(name: str) -> Climate:
    """Climate by name.

    Parameters
    ----------
    name : str
        Key of `CLIMATES`.

    Returns
    -------
    Climate
        Its numbers.

    Raises
    ------
    InputError
        If there is no such climate; the message lists those that are there.
    """
    if name not in CLIMATES:
        raise InputError(f"forcing.generator.climate: '{name}' is not known; expected one of {', '.join(CLIMATES)}")
    return CLIMATES[name]
