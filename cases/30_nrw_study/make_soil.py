"""Write the soils of the study: what the ensemble knows of them, and what the truth has.

    python make_soil.py            # soil.nc and truth_soil.nc, the files beside this script

Both are drawn by hand and at random, in the manner of the region: sandy lowland in the north, loess in the middle,
clayey loam on the uplands in the south. The truth differs by a smooth field and by a
shift: it is what a soil map gets wrong.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from pyland.domain.smooth_field import smooth_field
from pyland.output.atomic import complete_file

CELLS, SPACING = 12, 25.0e3           # along a side [1], [m]
NORTH = (62.0, 8.0)                   # sand and clay of the lowland [%]
MIDDLE = (18.0, 18.0)                 # of the loess belt
SOUTH = (30.0, 22.0)                  # of the uplands
BORDERS = (25.0e3, -45.0e3)           # northing of the borders between them [m]
WIDTH = 20.0e3                        # over which one goes into the other [m]
PATCHES = (40.0e3, 6.0, 3.0)          # of the map within these belts: length [m], standard deviation of sand, clay [%]
ERRORS = (40.0e3, 10.0, 5.0)          # of the map
SHIFT = (-5.0, 4.0)                   # mean error of the map: truth less map, sand and clay [%]
RANGES = ((3.0, 70.0), (2.0, 30.0))   # of sand and clay [%]; together less than all


def soil_map(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sand and clay [%] that the ensemble knows, each (cell,)."""
    north, south = (1.0 / (1.0 + np.exp(-sign * (y - border) / WIDTH)) for sign, border in zip((1, -1), BORDERS,
                                                                                                strict=True))
    length, *sizes = PATCHES
    noise = smooth_field(x, y, length, 30, "soil map")
    return tuple(middle + (up - middle) * north + (down - middle) * south + sign * size * noise
                 for up, middle, down, size, sign in zip(NORTH, MIDDLE, SOUTH, sizes, (1.0, -1.0), strict=True))


def write(path: Path, axis: np.ndarray, fields: dict[str, np.ndarray], title: str) -> None:
    """Write a soil file, fields (y, x) [%]."""
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w") as file:
        file.title = title
        for name in ("y", "x"):
            file.createDimension(name, axis.size)
            values = file.createVariable(name, "f8", (name,))
            values.standard_name, values.units = f"projection_{name}_coordinate", "m"
            values[:] = axis
        for name, field in fields.items():
            variable = file.createVariable(name, "f4", ("y", "x"))
            variable.units = "percent"
            variable[:] = field.reshape(axis.size, axis.size)


def main() -> None:
    """Write both files."""
    axis = SPACING * (np.arange(CELLS) - 0.5 * (CELLS - 1))
    x, y = (values.ravel() for values in np.meshgrid(axis, axis))
    known, folder = soil_map(x, y), Path(__file__).parent
    length, *sizes = ERRORS
    wrong = [shift + size * smooth_field(x, y, length, 31, purpose)
             for shift, size, purpose in zip(SHIFT, sizes, ("sand", "clay"), strict=True)]
    for name, fields, title in (("soil.nc", known, "soils as the ensemble knows them"),
                                ("truth_soil.nc", [a + b for a, b in zip(known, wrong, strict=True)], "true soils")):
        clipped = {what: np.clip(one, *bounds)
                   for what, one, bounds in zip(("sand", "clay"), fields, RANGES, strict=True)}
        write(folder / name, axis, clipped, title)
        print(f"{name}: sand {clipped['sand'].min():.0f} to {clipped['sand'].max():.0f} %, clay "
              f"{clipped['clay'].min():.0f} to {clipped['clay'].max():.0f} %")


if __name__ == "__main__":
    main()
