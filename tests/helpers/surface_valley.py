"""A valley of several surfaces with irrigated fields, rivers and a terminal lake, small and complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from cases import TWIN, changed, write_case

VALLEY = changed(TWIN, {
    "domain": {"type": "file", "file": "domain.nc", "layers": [0.05, 0.15, 0.3], "bedrock_layers": 2},
    "surface": {"vegetation": {"patches": [
        {"type": "c3_crop", "fraction": 0.7, "leaf_area_index": 2.0, "irrigation": {}},
        {"type": "c3_grass", "fraction": 0.3}]}},
    "rivers": {"scheme": "linear", "lakes": {"at": [{"name": "end", "latitude": 43.3, "longitude": 3.2}]}},
    "observations": None, "assimilation": None, "ensemble": None, "output": {"every": "6 h"},
    "time.end": "2020-05-01T06:00"})
"""A valley of 3 x 4 cells that falls to a lake in its corner; one cell is left out."""


def write_valley(folder: Path, **changes: Any) -> Path:
    """Write the case with its domain file, with changes as for `write_case`, and return the folder."""
    write_case(folder, VALLEY, **changes)
    latitude, longitude = np.meshgrid(43.0 + 0.1 * np.arange(4), 3.0 + 0.1 * np.arange(3), indexing="ij")
    mask, glacier, lake = (np.zeros((4, 3)) for _ in range(3))
    mask[...], mask[0, 0] = 1.0, 0.0
    glacier[0, 1], glacier[0, 2], lake[3, 2] = 0.6, 0.2, 0.9
    height = 1000.0 - 100.0 * np.add.outer(np.arange(4), np.arange(3))
    values = {"latitude": latitude, "longitude": longitude, "elevation": height, "mask": mask,
              "area": np.full((4, 3), 2.5e7), "glacier_fraction": glacier, "lake_fraction": lake,
              "lake_depth": np.full((4, 3), 10.0)}
    with netCDF4.Dataset(folder / "domain.nc", "w") as data:
        data.createDimension("y", 4), data.createDimension("x", 3)
        for name, field in values.items():
            data.createVariable(name, "f8", ("y", "x"))[:] = field
    return folder
