#!/usr/bin/env python3
"""Make transect.nc: elevation and soil of a Tibetan Plateau-like transect, 2 soils x 25 elevations."""

import netCDF4
import numpy as np

ELEVATION = np.arange(3000.0, 5401.0, 100.0)  # [m]
THICKNESS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.15, 0.15, 0.2, 0.2, 0.2, 0.2, 0.25, 0.25, 0.25, 0.25, 0.3, 0.3, 0.4,
             0.5, 0.6, 0.7)  # domain.layers [m]
GRAVEL = {"sand": 85.0, "clay": 4.0, "porosity": 0.30}  # steppe: gravel counts as sand, with small pores
MEADOW = {"sand": 55.0, "clay": 12.0, "porosity": 0.42}
TURF = 0.25  # depth of the organic top of the meadow [m]
ORGANIC = 0.35  # its organic share of the solids [1]


def fields() -> dict[str, np.ndarray]:
    """Return the fields of the soil, (layer, y, x); row 0 is steppe, row 1 meadow."""
    middle = np.cumsum(THICKNESS) - 0.5 * np.asarray(THICKNESS)
    shape = (len(THICKNESS), 2, ELEVATION.size)
    made = {name: np.stack([np.full(shape[::2], GRAVEL[name]), np.full(shape[::2], MEADOW[name])], axis=1)
            for name in GRAVEL}
    made["organic"] = np.zeros(shape)
    made["organic"][middle < TURF, 1] = ORGANIC
    made["porosity"][middle < TURF, 1] = 0.58
    return made


if __name__ == "__main__":
    with netCDF4.Dataset("transect.nc", "w") as file:
        for name, size in (("layer", len(THICKNESS)), ("y", 2), ("x", ELEVATION.size)):
            file.createDimension(name, size)
        file.createVariable("elevation", "f4", ("y", "x"))[:] = ELEVATION
        file["elevation"].units = "m"
        for name, values in fields().items():
            file.createVariable(name, "f4", ("layer", "y", "x"), zlib=True)[:] = values
            file[name].units = "percent" if name in ("sand", "clay") else "1"
