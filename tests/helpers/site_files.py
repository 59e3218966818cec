"""Small files of stations and point products in their published layouts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import netCDF4
import numpy as np

ISMN_VALUES = (0.231, 0.228, 0.0, 0.64, 0.225, -9999.0, 0.219)
ISMN_FLAGS = ("G", "D01", "C01", "C02,D05", "D06", "M", "U")

STATIC = """quantity_name;unit;depth_from[m];depth_to[m];value;description;quantity_source_name
saturation;m^3*m^-3;0.00;0.30;0.46;;HWSD
clay fraction;% weight;0.00;0.30;21.00;;HWSD
clay fraction;% weight;0.30;1.00;25.00;;HWSD
clay fraction;% weight;0.00;0.30;18.50;;insitu
sand fraction;% weight;0.00;0.30;41.00;;HWSD
silt fraction;% weight;0.00;0.30;38.00;;HWSD
organic carbon;% weight;0.00;0.30;1.26;;HWSD
climate classification;unit;0.00;0.00;Dfb;;koeppen_geiger_2007
land cover classification;unit;0.00;0.00;130;Grassland;CCI_landcover_2010
"""


def _stamps(count: int) -> list[str]:
    times = np.datetime64("2018-06-01T00:00") + np.arange(count) * np.timedelta64(60, "m")
    return [str(one).replace("-", "/").replace("T", " ") for one in times]


def write_ismn(folder: Path, *, station: str = "Gevenich", variable: str = "sm", top: float = 0.05,
               bottom: float = 0.05, sensor: str = "SPADE", ceop: bool = False,
               place: tuple[float, float, float] = (50.98920, 6.32355, 108.0),
               values: tuple[float, ...] = ISMN_VALUES, flags: tuple[str, ...] = ISMN_FLAGS) -> Path:
    """Write a sensor of the network TERENO as header+values or CEOP file, with the static file of its station."""
    home = folder / "TERENO" / station
    home.mkdir(parents=True, exist_ok=True)
    (home / f"TERENO_TERENO_{station}_static_variables.csv").write_text(STATIC)
    path = home / (f"TERENO_TERENO_{station}_{variable}_{top:.6f}_{bottom:.6f}_{sensor}_20180601_20180602.stm")
    latitude, longitude, elevation = place
    where = f"{latitude:.5f} {longitude:.5f} {elevation:.2f} {top:.4f} {bottom:.4f}"
    lines = []
    if not ceop:
        lines.append(f"TERENO TERENO {station} {where} {sensor}")
    for stamp, value, flag in zip(_stamps(len(values)), values, flags, strict=True):
        if ceop:
            lines.append(f"{stamp} {stamp} TERENO TERENO {station} {where} {value:.4f} {flag} M")
        else:
            lines.append(f"{stamp} {value:.4f} {flag} M")
    path.write_text("\n".join(lines) + "\n")
    return path


def zip_folder(folder: Path, archive: Path) -> Path:
    """Pack a folder as the network delivers it."""
    with zipfile.ZipFile(archive, "w") as file:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                file.write(one, one.relative_to(folder))
    return archive


TOA5_NAMES = '"TIMESTAMP","RECORD","latitude","longitude","counts_1_Tot","counts_2_Tot","barometric_pressure_Avg"'
TOA5_UNITS = '"TS","RN","decdegrees","decdegrees","counts","counts","mbar"'


def write_toa5(path: Path, rows: list[str], *, names: str = TOA5_NAMES, units: str = TOA5_UNITS) -> Path:
    """Write a table of a Campbell logger in the format TOA5."""
    kinds = ",".join(['""', '""', *(['"Smp"'] * 2), *(['"Tot"'] * 2), '"Avg"'])
    head = ['"TOA5","10277","CR300","10277","CR300.Std.10.04","CPU:station.CR300","37658","Table1"',
            names, units, kinds]
    path.write_text("\n".join(head + rows) + "\n")
    return path


def write_station_record(path: Path, *, days: int = 10, gaps: dict[str, slice] | None = None,
                         noon: float = 12.5) -> Path:
    """Write hourly weather of a logger on local standard time, whose sun is highest at ``noon``."""
    count = 24 * days
    hours = np.arange(1, count + 1)
    stamps = np.datetime64("2022-06-01T00:00:00") + hours * np.timedelta64(3600, "s")
    angle = 2.0 * np.pi * ((hours - 0.5) % 24 - noon) / 24.0
    columns = {
        "solar_flux_density_Avg": np.maximum(900.0 * (0.2 + 0.8 * np.cos(angle)), 0.0),
        "precipitation_Tot": np.where(hours % 30 == 0, 2.0, 0.0), "wind_speed_Avg": 3.0 + np.sin(hours / 5.0),
        "air_temperature_Avg": 20.0 + 6.0 * np.cos(angle), "vapor_pressure_Avg": 12.0 + np.cos(hours / 20.0),
        "barometric_pressure_Avg": 960.0 + np.cos(hours / 40.0), "relative_humidity_Avg": np.full(count, 50.0),
    }
    for name, part in (gaps or {}).items():
        columns[name][part] = -7999.0
    units = ("W/m^2", "mm", "m/s", "celsius", "mbar", "mbar", "%")
    head = ['"TOA5","1","CR300"', ",".join(["TIMESTAMP", *columns]), ",".join(["TS", *units]), ",".join(["", *units])]
    rows = [f'"{str(stamp).replace("T", " ")}",' + ",".join(f"{one[at]:.4f}" for one in columns.values())
            for at, stamp in enumerate(stamps)]
    path.write_text("\n".join(head + rows) + "\n")
    return path


GRDC = """# Title:                 GRDC STATION DATA FILE
#                        --------------
# Format:                DOS-ASCII
# Field delimiter:       ;
# missing values are indicated by -999.000
#
# file generation date:  2023-06-07
#
# GRDC-No.:              6335150
# River:                 RHINE RIVER
# Station:               MAINZ
# Country:               DE
# Latitude (DD):       50.003988
# Longitude (DD):      8.275313
# Catchment area (km²):      98206.0
# Altitude (m ASL):        78.43
# Next downstream station:      6335100
#************************************************************
#
# Data Set Content:      MEAN DAILY DISCHARGE (Q)
#                        --------------------
# Unit of measure:       {unit}
# Time series:           1981-01 - 2018-10
#
# Data lines: 4
# DATA
YYYY-MM-DD;hh:mm; Value
1981-01-01;--:--;   1410.000
1981-01-02;--:--;   1450.500
1981-01-03;--:--;   -999.000
1981-01-04;--:--;   2010.000
"""

RDB_DAILY = """# ---------------------------------- WARNING ----------------------------------------
# Some of the data that you have obtained from this U.S. Geological Survey database
# may not have received Director's approval.
#
# Data provided for site 07144100
#            TS   parameter     statistic     Description
#         59395       00060     00003     Discharge, cubic feet per second (Mean)
#
agency_cd\tsite_no\tdatetime\t59395_00060_00003\t59395_00060_00003_cd
5s\t15s\t20d\t14n\t10s
USGS\t07144100\t2018-01-01\t35.3147\tA
USGS\t07144100\t2018-01-02\tIce\tA:e
USGS\t07144100\t2018-01-03\t\t
USGS\t07144100\t2018-01-04\t70.6294\tA:e
USGS\t07144100\t2018-01-05\t105.9441\tP
"""

RDB_SAMPLES = """# Data provided for site 07144100
agency_cd\tsite_no\tdatetime\ttz_cd\t59394_00060\t59394_00060_cd
5s\t15s\t20d\t6s\t14n\t10s
USGS\t07144100\t2018-11-04 01:45\tCDT\t100\tA
USGS\t07144100\t2018-11-04 01:00\tCST\t110\tA
USGS\t07144100\t2018-11-04 01:15\tCST\t120\tA
"""


def write_grace(path: Path, *, months: int = 3, size: int = 12, unit: str = "cm", fill: float = -99999.0,
                mascons: bool = True) -> dict[str, np.ndarray]:
    """Write half-degree anomalies in the layout of the JPL mascons, 3 degree mascons; return its arrays.

    Longitudes run from 0 to 360 degrees; the western half of each second mascon is sea.
    """
    latitude = 45.25 + 0.5 * np.arange(size)
    longitude = 355.75 + 0.5 * np.arange(size)
    longitude = np.where(longitude >= 360.0, longitude - 360.0, longitude)
    number = (np.arange(size) // 6)[:, None] * 10 + (np.arange(size) // 6) + 700
    month = np.arange(months)
    values = (number - 705.0) * (1.0 + month[:, None, None])
    values[0, 0, 0] = fill
    arrays = {"number": number, "values": values, "error": 1.0 + 0.1 * (number - 700.0), "latitude": latitude,
              "longitude": longitude, "land": np.ones((size, size)), "factor": 1.0 + 0.1 * np.arange(size)[None, :]
              + np.zeros((size, 1))}
    arrays["land"][:, 6:9] = 0.0
    with netCDF4.Dataset(path, "w") as file:
        for name, count in (("lon", size), ("lat", size), ("time", months), ("bounds", 2)):
            file.createDimension(name, count)
        file.time_mean_removed = "2004.000 to 2009.999"

        def add(name: str, dims: tuple[str, ...], data: np.ndarray, fill_value: float | None = None, **about: str):
            variable = file.createVariable(name, "f8", dims, fill_value=fill_value)
            variable.setncatts(about)
            variable[:] = data

        add("lat", ("lat",), latitude, units="degrees_north")
        add("lon", ("lon",), longitude, units="degrees_east")
        edges = np.column_stack((30.0 * month, 30.0 * month + 28.0)) + 107.0
        add("time", ("time",), edges.mean(axis=1) + 2.0, units="days since 2002-01-01T00:00:00Z", calendar="gregorian",
            bounds="time_bounds")
        add("time_bounds", ("time", "bounds"), edges)
        add("lwe_thickness", ("time", "lat", "lon"), values, -99999.0, units=unit)
        add("uncertainty", ("time", "lat", "lon"), np.broadcast_to(arrays["error"], values.shape), -99999.0, units=unit)
        add("land_mask", ("lat", "lon"), arrays["land"])
        add("scale_factor", ("lat", "lon"), arrays["factor"], -99999.0)
        if mascons:
            add("mascon_ID", ("lat", "lon"), number)
    return arrays


def write_wells(path: Path, *, variable: str = "WaterTableDepth", unit: str = "m", ground: bool = False) -> np.ndarray:
    """Write three wells over four days as netCDF (well, time); return the values."""
    values = np.array([[2.0, 2.1, np.nan, 2.3], [5.0, 5.0, 5.1, 5.2], [-0.1, 0.0, 0.1, 0.2]])
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("well", 3)
        file.createDimension("time", 4)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "days since 2018-01-01"
        time[:] = np.arange(4)
        names = file.createVariable("well_name", str, ("well",))
        names[:] = np.array(["12345", "B 7", "C"], dtype=object)
        columns = {"lat": [51.0, 51.1, 51.2], "lon": [6.0, 6.1, 6.2]}
        if ground:
            columns["ground_elevation"] = [100.0, 110.0, 120.0]
        for name, data in columns.items():
            file.createVariable(name, "f8", ("well",))[:] = data
        main = file.createVariable(variable, "f8", ("well", "time"), fill_value=-9999.0)
        main.units = unit
        main[:] = np.ma.masked_invalid(np.array([[100.0], [110.0], [120.0]]) - values if ground else values)
    return values


FLUXNET = """TIMESTAMP_START,TIMESTAMP_END,LW_IN_F,LW_OUT,LW_OUT_QC,SWC_F_MDS_1,SWC_F_MDS_1_QC
201807010000,201807010030,300.0,400.0,0,21.5,0
201807010030,201807010100,310.0,410.0,1,22.5,1
201807010100,201807010130,320.0,-9999,0,-9999,-9999
201807010130,201807010200,320.0,420.0,0,23.5,0
"""
