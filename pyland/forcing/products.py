"""Reanalyses and their kin as tables: names in the files, units, and what a time stamp means.

References
----------
.. [1] Hersbach, H., et al. (2020). The ERA5 global reanalysis. Q. J. R. Meteorol. Soc. 146, 1999-2049. Names, units and
       accumulations: ECMWF, ERA5 data documentation, section "Mean rates/fluxes and accumulations".
.. [2] Munoz-Sabater, J., et al. (2021). ERA5-Land. Earth Syst. Sci. Data 13, 4349-4383. Accumulations since 00 UTC:
       ECMWF, ERA5-Land data documentation.
.. [3] Bollmeyer, C., et al. (2015). Towards a high-resolution regional reanalysis for the European CORDEX domain.
       Q. J. R. Meteorol. Soc. 141, 1-15. Fields named ``*_RAD`` hold at the stamp.
.. [4] He, J., et al. (2020). The first high-resolution meteorological forcing dataset for land process studies over
       China. Sci. Data 7, 25. Time meanings: user's guide of the China Meteorological Forcing Dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

INSTANT = "instant"
MEAN = "mean"
AMOUNT = "amount"
AMOUNT_OF_DAY = "amount since 00 UTC"


@dataclass(frozen=True)
class Quantity:
    """A variable of a product.

    Attributes
    ----------
    names : tuple of str
        Names in the files, in the order in which they are looked for.
    unit : str
        Unit that pyland works in; that of the rate for amounts.
    meaning : str
        `INSTANT`: holds at the stamp; `MEAN`: mean over a window around the stamp; `AMOUNT`: sum over the interval
        before the stamp; `AMOUNT_OF_DAY`: sum since 00 UTC, where the stamp 00 UTC holds the sum of the day before.
    before : float
        Share of an interval by which the window of a mean begins before its stamp [1].
    """

    names: tuple[str, ...]
    unit: str
    meaning: str = INSTANT
    before: float = 1.0

    @property
    def is_instant(self) -> bool:
        """Whether values hold at their stamps."""
        return self.meaning == INSTANT


@dataclass(frozen=True)
class Product:
    """A gridded product.

    Attributes
    ----------
    name, title : str
        Word of ``forcing.format`` and name in messages.
    interval : int
        Distance of time stamps [s].
    spacing : float
        Nominal distance of grid points [degrees], for files with a single row or column.
    quantities : mapping of str to Quantity
        Variables by quantity, see `RECIPES`.
    elevation, geopotential : tuple of str
        Names of the height of the surface [m] and of its geopotential [m2 s-2].
    wind_height, air_height : float
        Heights above ground of wind, and of temperature and humidity [m].
    """

    name: str
    title: str
    interval: int
    spacing: float
    quantities: Mapping[str, Quantity]
    elevation: tuple[str, ...]
    geopotential: tuple[str, ...] = ()
    wind_height: float = 10.0
    air_height: float = 2.0


RECIPES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType({
    "air_temperature": (("air_temperature",),),
    "surface_pressure": (("surface_pressure",),),
    "specific_humidity": (
        ("specific_humidity",),
        ("dewpoint_temperature", "surface_pressure"),
        ("relative_humidity", "air_temperature", "surface_pressure")),
    "wind_speed": (("wind_speed",), ("eastward_wind", "northward_wind")),
    "shortwave_down": (("shortwave_down",), ("shortwave_direct", "shortwave_diffuse")),
    "longwave_down": (("longwave_down",), ("longwave_net", "ground_temperature")),
    "precipitation": (("precipitation",),),
    "snowfall": (("snowfall",), ("snowfall_grid_scale", "snowfall_convective")),
})  # fmt: skip
"""Fields of the weather and the quantities they are made of; the first alternative whose quantities are all there is
taken. Snowfall may be missing."""

_HEIGHTS = ("elevation", "surface_altitude", "orog", "elev", "HSURF", "hsurf")
_RATE = "kg m-2 s-1"

ERA5 = Product(
    "era5", "ERA5", 3600, 0.25,
    MappingProxyType({
        "air_temperature": Quantity(("t2m", "2t", "2m_temperature", "VAR_2T"), "K"),
        "dewpoint_temperature": Quantity(("d2m", "2d", "2m_dewpoint_temperature", "VAR_2D"), "K"),
        "specific_humidity": Quantity(("q2m", "huss"), "kg kg-1"),
        "surface_pressure": Quantity(("sp", "surface_pressure", "SP"), "Pa"),
        "eastward_wind": Quantity(("u10", "10u", "10m_u_component_of_wind", "VAR_10U"), "m s-1"),
        "northward_wind": Quantity(("v10", "10v", "10m_v_component_of_wind", "VAR_10V"), "m s-1"),
        "wind_speed": Quantity(("si10", "ws10"), "m s-1"),
        "shortwave_down": Quantity(("ssrd", "surface_solar_radiation_downwards", "SSRD"), "W m-2", AMOUNT),
        "longwave_down": Quantity(("strd", "surface_thermal_radiation_downwards", "STRD"), "W m-2", AMOUNT),
        "precipitation": Quantity(("tp", "total_precipitation", "TP"), _RATE, AMOUNT),
        "snowfall": Quantity(("sf", "snowfall", "SF"), _RATE, AMOUNT),
    }),
    _HEIGHTS, ("z", "geopotential", "Z"))  # fmt: skip

ERA5_LAND = Product(
    "era5-land", "ERA5-Land", 3600, 0.1,
    MappingProxyType({
        name: Quantity(one.names, one.unit, AMOUNT_OF_DAY if one.meaning == AMOUNT else one.meaning)
        for name, one in ERA5.quantities.items()}),
    _HEIGHTS, ERA5.geopotential)  # fmt: skip

COSMO_REA6 = Product(
    "cosmo-rea6", "COSMO-REA6", 3600, 0.055,
    MappingProxyType({
        "air_temperature": Quantity(("T_2M", "t2m", "2t", "tas"), "K"),
        "specific_humidity": Quantity(("QV_2M", "huss", "q2m", "2sh"), "kg kg-1"),
        "relative_humidity": Quantity(("RELHUM_2M", "r2", "2r", "hurs"), "1"),
        "dewpoint_temperature": Quantity(("TD_2M", "d2m", "2d"), "K"),
        "surface_pressure": Quantity(("PS", "ps", "sp"), "Pa"),
        "eastward_wind": Quantity(("U_10M", "u10", "10u"), "m s-1"),
        "northward_wind": Quantity(("V_10M", "v10", "10v"), "m s-1"),
        "wind_speed": Quantity(("WS_010M", "WS_10M", "wind_speed", "windspeed_10"), "m s-1"),
        "shortwave_down": Quantity(("ASWD_S", "rsds"), "W m-2", MEAN),
        "shortwave_direct": Quantity(("SWDIRS_RAD",), "W m-2"),
        "shortwave_diffuse": Quantity(("SWDIFDS_RAD",), "W m-2"),
        "longwave_down": Quantity(("ATHD_S", "rlds"), "W m-2", MEAN),
        "longwave_net": Quantity(("THBS_RAD",), "W m-2"),
        "ground_temperature": Quantity(("T_G", "T_S"), "K"),
        "precipitation": Quantity(("TOT_PRECIP", "tp"), _RATE, AMOUNT),
        "snowfall_grid_scale": Quantity(("SNOW_GSP",), _RATE, AMOUNT),
        "snowfall_convective": Quantity(("SNOW_CON",), _RATE, AMOUNT),
    }),
    _HEIGHTS, ("FIS",))  # fmt: skip

CMFD = Product(
    "cmfd", "CMFD", 10800, 0.1,
    MappingProxyType({
        "air_temperature": Quantity(("temp", "Temp"), "K"),
        "specific_humidity": Quantity(("shum", "SHum"), "kg kg-1"),
        "relative_humidity": Quantity(("rhum", "RHum"), "1"),
        "surface_pressure": Quantity(("pres", "Pres"), "Pa"),
        "wind_speed": Quantity(("wind", "Wind"), "m s-1"),
        "shortwave_down": Quantity(("srad", "SRad"), "W m-2", MEAN, before=0.5),
        "longwave_down": Quantity(("lrad", "LRad"), "W m-2", MEAN, before=0.5),
        "precipitation": Quantity(("prec", "Prec"), _RATE, MEAN),
    }),
    _HEIGHTS)  # fmt: skip

PRODUCTS: Mapping[str, Product] = MappingProxyType({one.name: one for one in (ERA5, ERA5_LAND, COSMO_REA6, CMFD)})
"""Products by the word of ``forcing.format``; references [1]_ to [4]_ of the module, in this order."""
