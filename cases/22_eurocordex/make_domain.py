"""Write the domain of EUR-11, all of it or every Nth point, with given fields or drawn by hand.

    python make_domain.py domain.nc --sftlf SFTLF.nc --orog OROG.nc --soil SOIL.nc     # the real one
    python make_domain.py domain.nc                     # all 424 x 412 points, drawn by hand (europe.yaml)
    python make_domain.py coarse.nc --every 8           # 53 x 51 of them: the file beside this one

SFTLF and OROG are fixed fields of a CORDEX model on EUR-11 (``sftlf`` [%], ``orog`` [m]). SOIL has ``sand`` and
``clay`` [%] and may have ``organic`` [1], (y, x) or (layer, y, x) with the layers of the case, on the same grid.
The grid is that of the CORDEX archive specification: pole at 39.25 N, 162 W; 0.11 degrees.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import netCDF4
import numpy as np
import yaml

from pyland.base.errors import InputError, PylandError
from pyland.domain.grid import EARTH_RADIUS
from pyland.domain.smooth_field import smooth_field
from pyland.output.atomic import complete_file

NX, NY, SPACING = 424, 412, 0.11                   # points [1], [degrees]
FIRST_LONGITUDE, FIRST_LATITUDE = -28.375, -23.375  # of the rotated grid [degrees]
MIDDLE_LATITUDE, MIDDLE_LONGITUDE = 90.0 - 39.25, 180.0 - 162.0  # where rotated longitude and latitude are 0 [degrees]
LAND_SHARE = 50.0        # of a cell that is modelled, at least [%]
SAME_PLACE = 0.02        # points of a given file are those of EUR-11 within this distance [degrees]
LOWLAND = 80.0           # elevation away from the mountains [m]
PEAT_LATITUDE = 60.0     # middle of the belt in which soils become organic [degrees]

UNITS = {"sand": "percent", "clay": "percent", "organic": "1", "elevation": "m", "area": "m2", "mask": "1",
         "latitude": "degrees_north", "longitude": "degrees_east"}


def rotated_axes(every: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rotated longitudes and latitudes of every Nth column and row, from the middle of the first N [degrees]."""
    first = every // 2
    return (FIRST_LONGITUDE + SPACING * np.arange(first, NX, every),
            FIRST_LATITUDE + SPACING * np.arange(first, NY, every))


def geographic(rlon: np.ndarray, rlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes of rotated axes, each (y, x) [degrees]."""
    lon, lat = np.meshgrid(np.radians(rlon), np.radians(rlat))
    tilt = np.radians(MIDDLE_LATITUDE)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    latitude = np.degrees(np.arcsin(np.sin(tilt) * x + np.cos(tilt) * z))
    longitude = MIDDLE_LONGITUDE + np.degrees(np.arctan2(y, np.cos(tilt) * x - np.sin(tilt) * z))
    return latitude, longitude


def is_within(outline: list[list[float]], longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Tell which places lie within a closed outline: those from which a line to the east crosses it an odd number."""
    inside = np.zeros(longitude.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, outline[1:] + outline[:1], strict=True):
        if y0 != y1:
            spans = (y0 > latitude) != (y1 > latitude)
            inside ^= spans & (longitude < x0 + (latitude - y0) / (y1 - y0) * (x1 - x0))
    return inside


def distance_to_ridge(ridge: list[list[float]], longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Return the distance to a line through points, in degrees of latitude."""
    shrink = np.cos(np.radians(np.mean([place[1] for place in ridge])))
    nearest = np.full(longitude.shape, np.inf)
    for (x0, y0), (x1, y1) in zip(ridge, ridge[1:], strict=False):
        along = np.array([(x1 - x0) * shrink, y1 - y0])
        away = np.stack([(longitude - x0) * shrink, latitude - y0])
        share = np.clip((along[:, None, None] * away).sum(axis=0) / (along**2).sum(), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(*(away - share * along[:, None, None])))
    return nearest


def drawn_fields(latitude: np.ndarray, longitude: np.ndarray, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Return mask, elevation and soil as drawn in ``europe.yaml``, soils at random, more organic in the north."""
    drawn = yaml.safe_load(Path(__file__).with_name("europe.yaml").read_text(encoding="utf-8"))
    land = np.any([is_within(one, longitude, latitude) for one in drawn["land"].values()], axis=0)
    land &= ~np.any([is_within(one, longitude, latitude) for one in drawn["seas"].values()], axis=0)
    elevation = np.full(latitude.shape, LOWLAND)
    for one in drawn["mountains"]:
        elevation += one["height"] * np.exp(-((distance_to_ridge(one["ridge"], longitude, latitude) / one["width"])**2))
    plane = [values.ravel() for values in np.meshgrid(x, y)]
    texture, wetness = (smooth_field(*plane, 4e5, seed, "texture").reshape(latitude.shape) for seed in (1, 2))
    north = 1.0 / (1.0 + np.exp(-(latitude - PEAT_LATITUDE) / 2.0))
    return {"mask": land, "elevation": elevation, "sand": np.clip(45.0 + 15.0 * texture, 5.0, 90.0),
            "clay": np.clip(22.0 - 8.0 * texture, 3.0, 60.0), "organic": np.clip(0.3 * north * wetness, 0.0, 0.6)}


def given_fields(sftlf: Path, orog: Path, soil: Path, latitude: np.ndarray, longitude: np.ndarray,
                 every: int) -> dict[str, np.ndarray]:
    """Return mask, elevation and soil of files on EUR-11.

    Raises
    ------
    InputError
        If a file lacks a variable or has other points.
    """
    share, elevation = read(sftlf, "sftlf"), read(orog, "orog")
    with netCDF4.Dataset(sftlf) as file:
        places = [np.asarray(file[name][:]) for name in ("lat", "lon") if name in file.variables]
    chosen = slice(every // 2, None, every)
    fields = {"mask": share[chosen, chosen] >= LAND_SHARE, "elevation": elevation[chosen, chosen]}
    for found, expected in zip(places, (latitude, longitude), strict=False):
        away = np.abs((found[chosen, chosen] - expected + 180.0) % 360.0 - 180.0)
        if found.shape != (NY, NX) or away.max() > SAME_PLACE:
            raise InputError(f"{sftlf}: its points are not those of EUR-11 ({NX} x {NY} from the south-west corner).")
    with netCDF4.Dataset(soil) as file:
        names = [name for name in ("sand", "clay", "organic") if name in file.variables]
    if not {"sand", "clay"} <= set(names):
        raise InputError(f"{soil}: expected sand and clay [%], got {', '.join(names) or 'neither'}.")
    return fields | {name: read(soil, name)[..., chosen, chosen] for name in names}


def read(path: Path, name: str) -> np.ndarray:
    """Return a field of EUR-11, ([layer,] y, x), NaN where it is missing."""
    with netCDF4.Dataset(path) as file:
        if name not in file.variables or file[name].shape[-2:] != (NY, NX):
            raise InputError(f"{path}: expected {name} on {NY} x {NX} points (y, x).")
        return np.ma.filled(np.ma.asarray(file[name][:], dtype=float), np.nan)


def write(path: Path, rlon: np.ndarray, rlat: np.ndarray, fields: dict[str, np.ndarray], title: str) -> None:
    """Write a domain file; columns and rows lie on the plane of the rotated grid."""
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w") as file:
        file.title = title
        for name, axis in (("x", rlon), ("y", rlat)):
            file.createDimension(name, axis.size)
            values = file.createVariable(name, "f8", (name,))
            values.standard_name, values.units = f"projection_{name}_coordinate", "m"
            values.long_name = "distance on the rotated grid from its equator and central meridian"
            values[:] = EARTH_RADIUS * np.radians(axis)
        for name, field in fields.items():
            dimensions = ("layer", "y", "x")[-field.ndim:]
            if field.ndim > 2 and "layer" not in file.dimensions:
                file.createDimension("layer", field.shape[0])
            variable = file.createVariable(name, "i1" if field.dtype == bool else "f4", dimensions, zlib=True,
                                           least_significant_digit=None if name in ("mask", "area") else 3)
            variable.units = UNITS[name]
            variable[:] = field


def main() -> None:
    """Make the file that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every Nth row and column")
    for name in ("sftlf", "orog", "soil"):
        parser.add_argument(f"--{name}", type=Path)
    option = parser.parse_args()
    files = [option.sftlf, option.orog, option.soil]
    if any(files) and not all(files):
        parser.error("expected --sftlf, --orog and --soil together, or none of them")
    if not 1 <= option.every <= min(NX, NY) // 2:
        parser.error(f"--every: expected 1 to {min(NX, NY) // 2}, got {option.every}")
    rlon, rlat = rotated_axes(option.every)
    latitude, longitude = geographic(rlon, rlat)
    size = EARTH_RADIUS * np.radians(option.every * SPACING)
    fields = {"latitude": latitude, "longitude": longitude,
              "area": size**2 * np.cos(np.radians(rlat))[:, None] * np.ones_like(latitude)}
    if all(files):
        fields |= given_fields(*files, latitude, longitude, option.every)
    else:
        fields |= drawn_fields(latitude, longitude, *(EARTH_RADIUS * np.radians(axis) for axis in (rlon, rlat)))
    write(option.output, rlon, rlat, fields, "EUR-11 of CORDEX" + ("" if all(files) else ", drawn by hand"))
    print(f"{option.output}: {rlon.size} x {rlat.size} points, {int(fields['mask'].sum())} of land")


if __name__ == "__main__":
    try:
        main()
    except PylandError as error:
        raise SystemExit(str(error)) from None
