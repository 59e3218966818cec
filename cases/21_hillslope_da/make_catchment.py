"""Write ``catchment.nc``: slopes of a V-shaped valley whose sides are steeper above than at the foot.

The valley floor falls to the south, where the stream leaves. The slope of a cell is that of its face to the east or
north.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

NX, NY, SIZE = 17, 10, 40.0  # cells, cells, [m]
FLOOR_SLOPE = 0.01
FOOT_SLOPE, TOP_SLOPE = 0.02, 0.04

middle = NX // 2
face = np.arange(NX) + 0.5 - middle  # of the faces to the east, from the stream [cells]
steepness = FOOT_SLOPE + (TOP_SLOPE - FOOT_SLOPE) * (np.abs(face) - 0.5) / (middle - 0.5)
slope_x = np.sign(face) * steepness * np.ones((NY, 1))
slope_y = np.full((NY, NX), FLOOR_SLOPE)

with netCDF4.Dataset(Path(__file__).with_name("catchment.nc"), "w") as file:
    file.title = "a V-shaped valley: slopes of the faces between cells"
    file.createDimension("y", NY)
    file.createDimension("x", NX)
    for name, values, meaning in (
        ("slope_x", slope_x, "slope of the face to the east, positive where the land rises to there"),
        ("slope_y", slope_y, "slope of the face to the north, positive where the land rises to there"),
    ):
        variable = file.createVariable(name, "f8", ("y", "x"), zlib=True)
        variable.units, variable.long_name = "1", meaning
        variable[:] = values
