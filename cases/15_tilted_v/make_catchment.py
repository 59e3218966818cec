"""Write ``catchment.nc``: slopes and roughness of the tilted V of Di Giammarco et al. (1996).

The planes fall towards the channel alone, the channel to the south. The slope of a cell is that of its face to the east
or north, so that the channel's own slope in x is that of the plane east of it.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

NX, NY, CHANNEL = 81, 50, 40
PLANE_SLOPE, CHANNEL_SLOPE = 0.05, 0.02
PLANE_ROUGHNESS, CHANNEL_ROUGHNESS = 0.015, 0.15  # [s m-1/3]

slope_x = np.where(np.arange(NX) < CHANNEL, -PLANE_SLOPE, PLANE_SLOPE) * np.ones((NY, 1))
slope_y, manning = np.zeros((NY, NX)), np.full((NY, NX), PLANE_ROUGHNESS)
slope_y[:, CHANNEL], manning[:, CHANNEL] = CHANNEL_SLOPE, CHANNEL_ROUGHNESS

with netCDF4.Dataset(Path(__file__).with_name("catchment.nc"), "w") as file:
    file.title = "tilted V catchment of Di Giammarco, Todini and Lamberti (1996), J. Hydrol. 175, 267-291"
    file.createDimension("y", NY)
    file.createDimension("x", NX)
    for name, values, units, meaning in (
        ("slope_x", slope_x, "1", "slope of the face to the east, positive where the land rises to there"),
        ("slope_y", slope_y, "1", "slope of the face to the north, positive where the land rises to there"),
        ("manning", manning, "s m-1/3", "Manning's roughness"),
    ):
        variable = file.createVariable(name, "f8", ("y", "x"), zlib=True)
        variable.units, variable.long_name = units, meaning
        variable[:] = values
