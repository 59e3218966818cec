"""Draw an endorheic basin of three reaches after the Heihe, in cells of 20 km: ``basin.nc`` and ``reaches.geojson``.

Mountains in the south (1900 to 5000 m) with glaciers on their highest cells, an irrigated corridor at 1400 to 1700 m, a
desert that falls to a terminal lake in the north. Areas are near those of the reaches of the Heihe (14 700, 13 100 and
87 700 km2); shapes and numbers are made up.

    python make_basin.py [FOLDER]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import netCDF4
import numpy as np

CELL = 20.0e3
"""Width of a cell [m]."""

EARTH_RADIUS = 6371008.8
"""[m]"""

LATITUDE, LONGITUDE = 39.9, 100.5
"""Middle of the basin [degrees]."""

ROWS, COLUMNS = 28, 12
"""Cells from south to north and from west to east."""

REACHES = {"upstream": (0, 3), "midstream": (3, 6), "downstream": (6, ROWS)}
"""First row of each reach, and the one after its last."""

WIDTH = {"upstream": 12, "midstream": 11, "downstream": 10}
"""Cells of a row."""

VALLEY = ((0, 3300.0), (1, 2700.0), (2, 2000.0), (3, 1650.0), (5, 1420.0), (6, 1300.0), (ROWS - 1, 900.0))
"""Elevation of the river [m] by row."""

FLANK = {"upstream": 300.0, "midstream": 60.0, "downstream": 12.0}
"""How much a cell is higher than its neighbour nearer to the river [m]."""

GLACIER_LINE, GLACIER_RISE, MOST_ICE = 4300.0, 600.0, 0.6
"""Glaciers begin above this elevation [m], and have the largest share [1] this much higher [m]."""

IRRIGATED, OASIS = 0.75, 2
"""Share of irrigated fields in cells of the midstream that lie at most this many cells from the river [1, cells]."""


def fields() -> dict[str, np.ndarray]:
    """Return the fields of the basin, each (y, x)."""
    row, column = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    away = np.abs(column - COLUMNS // 2)
    height = np.interp(row, *np.array(VALLEY).T)
    mask, reach = np.zeros((ROWS, COLUMNS)), np.full((ROWS, COLUMNS), -1)
    for code, (name, (first, last)) in enumerate(REACHES.items()):
        here = (row >= first) & (row < last)
        left = (COLUMNS - WIDTH[name]) // 2
        inside = here & (column >= left) & (column < left + WIDTH[name])
        mask[inside], reach[inside] = 1.0, code
        height = height + np.where(here, FLANK[name] * away, 0.0)
    y, x = (row - 0.5 * (ROWS - 1)) * CELL, (column - 0.5 * (COLUMNS - 1)) * CELL
    latitude = LATITUDE + np.degrees(y / EARTH_RADIUS)
    longitude = LONGITUDE + np.degrees(x / (EARTH_RADIUS * np.cos(np.radians(latitude))))
    upstream, midstream, downstream = (reach == code for code in range(3))
    glacier = np.clip((height - GLACIER_LINE) / GLACIER_RISE, 0.0, 1.0) * MOST_ICE * upstream
    meadow = np.where(upstream, np.where(height < 4300.0, 0.85, 0.3), np.where(midstream, 0.15, 0.0))
    crop = np.where(midstream & (away <= OASIS), IRRIGATED, 0.0)
    shrub = np.where(downstream & (away <= 1), 0.3, np.where(downstream, 0.02, 0.0))
    return {"latitude": latitude, "longitude": longitude, "elevation": height, "mask": mask,
            "area": np.full(mask.shape, CELL**2), "glacier_fraction": glacier, "meadow_fraction": meadow,
            "crop_fraction": crop, "shrub_fraction": shrub, "reach": reach}


def write(folder: Path) -> None:
    """Write the domain file, and the reaches as polygons."""
    made = fields()
    with netCDF4.Dataset(folder / "basin.nc", "w") as data:
        data.title = "generated basin after the Heihe"
        data.createDimension("y", ROWS)
        data.createDimension("x", COLUMNS)
        for axis, count in (("y", ROWS), ("x", COLUMNS)):
            made_axis = data.createVariable(axis, "f8", (axis,))
            made_axis.setncatts({"standard_name": f"projection_{axis}_coordinate", "units": "m"})
            made_axis[:] = (np.arange(count) - 0.5 * (count - 1)) * CELL
        units = {"latitude": "degrees_north", "longitude": "degrees_east", "elevation": "m", "area": "m2"}
        for name, values in made.items():
            field = data.createVariable(name, "i4" if name == "reach" else "f8", ("y", "x"))
            field.units = units.get(name, "1")
            field[:] = values
        data["reach"].setncatts({"flag_values": np.arange(3, dtype="i4"), "flag_meanings": " ".join(REACHES)})
    (folder / "reaches.geojson").write_text(json.dumps(polygons(), indent=1) + "\n", encoding="utf-8")


def polygons() -> dict:
    """Return the outlines of the reaches as GeoJSON; rows are straight in latitude, columns nearly so in longitude."""
    features = []
    for name, (first, last) in REACHES.items():
        south, north = ((row - 0.5 * ROWS) * CELL for row in (first, last))
        half = 0.5 * COLUMNS * CELL
        ring = []
        for y, x in ((south, -half), (south, half), (north, half), (north, -half), (south, -half)):
            latitude = LATITUDE + np.degrees(y / EARTH_RADIUS)
            ring.append([round(LONGITUDE + float(np.degrees(x / (EARTH_RADIUS * np.cos(np.radians(latitude))))), 4),
                         round(float(latitude), 4)])
        features.append({"type": "Feature", "properties": {"name": name},
                         "geometry": {"type": "Polygon", "coordinates": [ring]}})
    return {"type": "FeatureCollection", "features": features}


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
