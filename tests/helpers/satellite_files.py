"""Files of satellite products in their published layouts, small or with few values, for tests of readers.

Names, types, fills and bits are those of: SMAP Product Specification Document JPL D-56292 (SPL3SMP_E); CATDS Level-3
soil moisture product description; GES DISC LPRM AMSR2 Level-3; H SAF product user manuals; user guides of MOD11, MOD10
and MOD15.
"""

from pathlib import Path

import netCDF4
import numpy as np

from pyland.observe.readers.ease_grid import EaseGrid

SMAP_FILL, FLAG_FILL = -9999.0, 65534
DAY = np.datetime64("2018-06-01T00:00:00")
SMAP_EPOCH = np.datetime64("2000-01-01T11:58:55.816", "ms")
LEAPS = 5  # seconds between 2000 and 2018


def smap_cells(kilometres=36, count=400, seed=1):
    """Return rows and columns of different cells of the grid in the middle latitudes of the north, sorted."""
    rows, columns = EaseGrid(kilometres).shape
    random = np.random.default_rng(seed)
    flat = random.choice(rows // 2 * columns, count, replace=False)
    return np.divmod(np.sort(flat), columns)


def smap_values(count=400, seed=1):
    """Return variables of the cells of one pass by their name, without fills."""
    random = np.random.default_rng(seed)
    seconds = (DAY - SMAP_EPOCH) / np.timedelta64(1, "ms") / 1000.0 + LEAPS + random.uniform(0, 86399, count).round()
    return {
        "soil_moisture": random.uniform(0.05, 0.45, count), "soil_moisture_error": np.full(count, SMAP_FILL),
        "retrieval_qual_flag": random.choice([0, 8, 1, 9, 5], count), "surface_flag": np.zeros(count, int),
        "tb_time_seconds": seconds, "static_water_body_fraction": random.uniform(0, 0.3, count),
        "vegetation_water_content": random.uniform(0, 8, count), "freeze_thaw_fraction": random.uniform(0, 1, count),
        "surface_temperature": random.uniform(265, 310, count), "boresight_incidence": np.full(count, 40.0),
        "tb_h_corrected": random.uniform(180, 280, count), "tb_v_corrected": random.uniform(200, 290, count),
        "tb_qual_flag_h": random.choice([0, 1], count), "tb_qual_flag_v": np.zeros(count, int)}


def write_smap(path: Path, passes, kilometres=36, units="cm**3/cm**3", without=(), group="Soil_Moisture_Retrieval_Data",
               words=False):
    """Write a file of SPL3SMP (36 km) or SPL3SMP_E (9 km); ``passes``: AM or PM to (row, column, values by name)."""
    grid = EaseGrid(kilometres)
    with netCDF4.Dataset(path, "w") as file:
        file.createGroup("Metadata").createGroup("Extent").setncattr("polygonPosList", "a polygon")
        for name, (row, column, values) in passes.items():
            inner, ending = file.createGroup(f"{group}_{name}"), "_pm" if name == "PM" else ""
            inner.createDimension("row", grid.shape[0])
            inner.createDimension("column", grid.shape[1])
            for variable, numbers in values.items():
                if variable in without:
                    continue
                is_flag, is_time = "flag" in variable, variable == "tb_time_seconds"
                fill = FLAG_FILL if is_flag else SMAP_FILL
                one = inner.createVariable(variable + ending, "u2" if is_flag else "f8" if is_time else "f4",
                                           ("row", "column"), fill_value=fill, zlib=True, complevel=1)
                if variable.startswith("soil_moisture"):
                    one.units = units
                if variable.startswith("tb_") and variable.endswith("corrected"):
                    one.units = "Kelvin"
                field = np.full(grid.shape, fill, one.dtype)
                field[row, column] = numbers
                one[:] = field
            if words:
                times = SMAP_EPOCH + np.rint((values["tb_time_seconds"] - LEAPS) * 1000).astype("timedelta64[ms]")
                one = inner.createVariable("tb_time_utc" + ending, str, ("row", "column"))
                field = np.full(grid.shape, "N/A", object)
                field[row, column] = [f"{time}Z" for time in times]
                one[:] = field
    return path


def write_smos(path: Path, row, column, values, units="m3 m-3", without=()):
    """Write a file of the CATDS L3 on the 25 km grid, south at the bottom; values packed as in the product."""
    grid = EaseGrid(25)
    with netCDF4.Dataset(path, "w") as file:
        for name, axis in (("lat", grid.latitude), ("lon", grid.longitude)):
            file.createDimension(name, axis.size)
            file.createVariable(name, "f4", (name,))[:] = axis
        for name, numbers in values.items():
            if name in without:
                continue
            one = file.createVariable(name, "f4", ("lat", "lon"), fill_value=-999.0, zlib=True, complevel=1)
            if name.startswith("Soil_Moisture"):
                one.units = units
            field = np.full(grid.shape, -999.0, "f4")
            field[row, column] = numbers
            one[:] = field
    return path


def write_amsr2(path: Path, row, column, values, units="percent", scan_units="minutes"):
    """Write a file of LPRM AMSR2 Level 3: 0.25 degrees, (Longitude, Latitude), shorts with a scale."""
    latitude, longitude = 89.875 - 0.25 * np.arange(720), -179.875 + 0.25 * np.arange(1440)
    scales = {"ts": 0.1, "opt_depth_c1": 0.01, "scantime": 1.0, "mask": 1.0}
    with netCDF4.Dataset(path, "w") as file:
        for name, axis in (("Latitude", latitude), ("Longitude", longitude)):
            file.createDimension(name, axis.size)
            file.createVariable(name, "f4", (name,))[:] = axis
        for name, numbers in values.items():
            one = file.createVariable(name, "i2", ("Longitude", "Latitude"), fill_value=-32767, zlib=True, complevel=1)
            one.set_auto_maskandscale(False)
            one.scale_factor = np.float32(scales.get(name, 0.01 if units != "percent" else 1.0))
            if name.startswith("soil_moisture"):
                one.units = units
            if name == "scantime" and scan_units:
                one.units = scan_units
            field = np.full((1440, 720), -32767, "i2")
            field[column, row] = np.rint(np.asarray(numbers) / one.scale_factor).astype("i2")
            one[:] = field
    return path


def write_ascat_cell(path: Path, sizes, is_indexed=False, units="%", without=(), seed=3):
    """Write a cell file of the newer records (H121 and on): contiguous or indexed; return what it holds, by record."""
    random = np.random.default_rng(seed)
    place = np.repeat(np.arange(len(sizes)), sizes)
    order = random.permutation(place.size) if is_indexed else np.arange(place.size)
    count = place.size
    held = {"place": place[order], "surface_soil_moisture": random.uniform(0, 100, count).astype("f4"),
            "surface_soil_moisture_noise": random.uniform(1, 8, count).astype("f4"),
            "time": np.sort(random.choice(86400 * 30, count, replace=False)) / 86400.0 + 17683.0,
            "processing_flag": random.choice([0, 0, 0, 1], count), "correction_flag": random.choice([0, 1, 16], count),
            "surface_flag": random.choice([0, 1, 2, 3, 4], count), "as_des_pass": random.choice([0, 1], count),
            "sat_id": random.choice([3, 4, 5], count)}
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("locations", len(sizes))
        file.createDimension("obs", count)
        for name, values in (("lat", 50.0 + 0.1 * np.arange(len(sizes))), ("lon", 6.0 + 0.1 * np.arange(len(sizes)))):
            file.createVariable(name, "f4", ("locations",))[:] = values
        file.createVariable("location_id", "i8", ("locations",))[:] = 7000 + np.arange(len(sizes))
        if is_indexed:
            file.createVariable("locationIndex", "i4", ("obs",))[:] = held["place"]
        else:
            file.createVariable("row_size", "i8", ("locations",))[:] = sizes
        for name, values in held.items():
            if name == "place" or name in without:
                continue
            kind = "f8" if name == "time" else "f4" if name.startswith("surface_soil") else "u1"
            one = file.createVariable(name, kind, ("obs",), fill_value=np.nan if kind == "f4" else None)
            if name.startswith("surface_soil"):
                one.units = units
            if name == "time":
                one.units = "days since 1970-01-01 00:00:00"
            one[:] = values
    return held


def write_modis_tile(path: Path, layers):
    """Write a tile of the sinusoidal grid as netCDF: ``layers`` by name to an integer field; nothing is packed."""
    with netCDF4.Dataset(path, "w") as file:
        size = next(iter(layers.values())).shape[0]
        file.createDimension("YDim", size)
        file.createDimension("XDim", size)
        for name, field in layers.items():
            group = file
            *above, last = name.split("/")
            for one in above:
                group = group.groups.get(one) or group.createGroup(one)
            variable = group.createVariable(last, field.dtype, ("YDim", "XDim"), fill_value=False)
            variable.set_auto_maskandscale(False)
            if "LST" in last:
                variable.scale_factor, variable.units = 0.02, "K"
            variable[:] = field
    return path
