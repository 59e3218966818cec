"""Compare the state vectors with the open loop, as errors against the truth: ``python compare.py [RUN]``.

RUN has the mixed vector and the open loop, RUN/soil_water and RUN/pressure_head, if they are there, water and heads
alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr

LITRES = 1000.0  # of a cubic metre
LOW = 75.0  # share of the hours that are not storms [percent]
ROOTS = 1.0  # depth of a boundary between layers [m]

case = Path(__file__).parent
run = Path(sys.argv[1]) if len(sys.argv) > 1 else case / "run"
runs = {"open loop": run / "open_loop", "mixed": run, "water": run / "soil_water", "heads": run / "pressure_head"}
with xr.open_dataset(run / "analysis.nc") as data:
    first = data["analysis_time"].values.min()
    is_seen = np.zeros((data.sizes["y"], data.sizes["x"]), bool)
    for latitude, longitude in zip(data["latitude"].values, data["longitude"].values, strict=True):
        is_seen |= np.hypot(data["grid_latitude"] - latitude, data["grid_longitude"] - longitude).values < 1e-7


def history(path: Path) -> xr.Dataset:
    """Return the records after the first analysis."""
    with xr.open_dataset(path) as data:
        return data.sel(time=data["time"] > first).load()


def flow(path: Path) -> np.ndarray:
    """Return the ensemble-mean discharge after the first analysis [L s-1]."""
    with xr.open_dataset(path) as data:
        return LITRES * data["discharge"].sel(time=data["time"] > first).isel(gauge=0).mean("member").values


def rms(values: np.ndarray | xr.DataArray) -> float:
    """Return the root of the mean square of what is there."""
    return float(np.sqrt(np.nanmean(np.asarray(values) ** 2)))


truth, true_flow = history(run / "truth.nc"), flow(run / "truth_discharge.nc")
is_low = true_flow <= np.percentile(true_flow, LOW)
upper, lower = truth["layer_bounds"].values.T
thickness = xr.DataArray(lower - upper, dims="layer")
is_root_zone = xr.DataArray(lower <= ROOTS + 1e-6, dims="layer")
print("errors against the truth after the first analysis, and the spread of the water table")
widths = {"table": 8, "unseen": 8, "spread": 8, "0-1 m": 9, "1-5 m": 9, "flow": 8, "storms": 8, "low": 8, "bias": 8}
units = ("m", "m", "m", "m3 m-3", "m3 m-3", *4 * ("L/s",))
print(" " * 10 + "".join(f"{name:>{width}}" for name, width in widths.items()))
print(" " * 10 + "".join(f"{unit:>{width}}" for unit, width in zip(units, widths.values(), strict=True)))
for name, folder in runs.items():
    if not (folder / "history.nc").exists():
        continue
    data, error = history(folder / "history.nc"), flow(folder / "discharge.nc") - true_flow
    table = data["water_table_depth"] - truth["water_table_depth"]
    water = data["soil_water"] - truth["soil_water"]
    shares = thickness * is_root_zone, thickness * ~is_root_zone
    means = [(water * share).sum("layer") / share.sum() for share in shares]
    numbers = [rms(table), rms(table.values[:, ~is_seen]), rms(data["water_table_depth_std"])]
    print(f"{name:<10}" + "".join(f"{one:8.3f}" for one in numbers) + "".join(f"{rms(one):9.4f}" for one in means)
          + "".join(f"{one:8.2f}" for one in (rms(error), rms(error[~is_low]), rms(error[is_low]), error.mean())))
