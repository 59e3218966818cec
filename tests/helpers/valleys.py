"""Two valleys side by side whose rivers never meet, with a gauge in one of them: cases of discharge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from observed_cases import seen

from cases import TWIN, changed, write_case

NY, NX = 4, 5
WEST = np.broadcast_to(np.arange(NX) < 2, (NY, NX))
"""Cells of the western valley, whose river runs south in the second column; that of the others runs in the third."""

_EAST, _SOUTH, _WEST, _OUTLET = 1, 4, 16, 0  # codes of ESRI
DIRECTIONS = np.tile(np.array([_EAST, _SOUTH, _SOUTH, _WEST, _WEST]), (NY, 1))
"""Drainage directions of the cells, (y, x), the first row in the south."""
DIRECTIONS[0, 1:3] = _OUTLET

GAUGE = seen("discharge", 0.02, localization={"metric": "river"}, twin={
    "seed": 77, "locations": [{"name": "west", "x": "-1 km", "y": "-1.5 km"}]})
"""A gauge at the mouth of the western river, 1 km from the eastern one."""

VALLEYS = changed(TWIN, {
    "time.end": "2020-05-02", "domain.nx": NX, "domain.ny": NY, "observations": [GAUGE],
    "rivers": {"scheme": "linear", "step": "1 h", "directions": {"file": "directions.nc"}},
    "subsurface.initial.saturation": 0.95, "ensemble.size": 8, "assimilation.open_loop": False,
    "assimilation.localization": {"radius": "20 km", "taper": "none"}, "assimilation.every": "6 h",
    "output.every": "6 h", "output.restart_every": "7 h", "output.variables": ["soil_water", "discharge"],
})
"""A wet day in 20 cells of 1 km."""


def write_valleys(folder: Path, changes: Mapping[str, Any] | None = None) -> Path:
    """Write the case with some values changed, and its directions; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(folder / "directions.nc", "w") as data:
        for name, size in (("y", NY), ("x", NX)):
            data.createDimension(name, size)
        data.createVariable("flow_direction", "i2", ("y", "x"))[:] = DIRECTIONS
    return write_case(folder, changed(VALLEYS, changes or {}))
