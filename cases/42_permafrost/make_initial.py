#!/usr/bin/env python3
"""Make initial.nc: ground near its climate to 50 m, by short runs between which the rock is set to what they tend to.

Heat needs some eighty years to pass 50 m of rock; a run of three years brings the upper metres near the climate. Their
mean below the active layer is what the rock will come to, plus the gradient of the heat from below. Some rounds of this
take minutes where a spin-up would take hours. What is left is in README.md as drift.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.config import load_case
from pyland.driver.run import run_case

ROUNDS = 6
YEARS = 3
ANCHOR = 4.9  # depth whose mean the rock follows [m]
ROCK = 3.0  # conductivity of rock in the model [W m-1 K-1]
FIELDS = ("soil_temperature", "soil_water", "soil_ice")


def round_of(case: Path, folder: Path, number: int, heat: float) -> None:
    """Run some years and write initial.nc anew."""
    changes = [f"time.start={2005 - YEARS}-10-01", "time.end=2005-10-01"]
    if number == 0:
        changes.append("land.initial.file=null")
    run_case(load_case(case, changes), output=folder)
    with xr.open_dataset(folder / "history.nc") as history:
        last = history[list(FIELDS)].isel(time=-1).load()
        mean = history["soil_temperature"].mean("time").load()
    depth = last["soil_temperature"]["thermal_layer"]
    anchor = mean.interp(thermal_layer=ANCHOR)
    deep = anchor + (depth - ANCHOR) * heat / ROCK
    state = last.drop_vars("time")
    state["soil_temperature"] = xr.where(depth > ANCHOR, deep, last["soil_temperature"]).transpose(
        "thermal_layer", "y", "x").drop_vars("time", errors="ignore")
    out = xr.Dataset({name: (state[name].dims, state[name].values.astype("f4"), {"units": last[name].attrs["units"]})
                      for name in FIELDS})
    out.to_netcdf(case / "initial.nc", encoding={name: {"zlib": True} for name in FIELDS})
    print(f"round {number + 1}: mean at {ANCHOR} m", np.round(anchor.values[:, ::4] - 273.15, 2).tolist())


if __name__ == "__main__":
    place = Path(__file__).resolve().parent
    flux = load_case(place, ["land.initial.file=null"]).land.bottom_heat_flux
    for one in range(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS):
        with tempfile.TemporaryDirectory() as scratch:
            round_of(place, Path(scratch) / "run", one, flux)
