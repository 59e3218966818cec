"""Compare the hydrograph with theory and with ParFlow's, and draw it: ``python compare.py [RUN]``.

ParFlow's hydrographs of one minute are looked for in ``$PYLAND_SHARED/data/subsurface``; without them theory is left.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import xarray as xr

from pyland.view import style

RAIN, DURATION = 10.8e-3 / 3600.0, 5400.0  # [m s-1], [s]
AREA = 1620.0 * 1000.0
STEADY, VOLUME = RAIN * AREA, RAIN * AREA * DURATION  # [m3 s-1], [m3]

case = Path(__file__).parent
run = Path(sys.argv[1]) if len(sys.argv) > 1 else case / "run"
shared = Path(os.environ.get("PYLAND_SHARED", case.parents[2] / "shared")) / "data" / "subsurface"

with xr.open_dataset(run / "discharge.nc") as data:
    found = data["discharge"].sel(gauge=0).mean("member").load()
    bounds = data["time_bounds"].values.astype("datetime64[s]").astype(np.int64)
minutes = (bounds[:, 1] - bounds[0, 0]) / 60.0  # the mean of an implicit step is its value at the end
flow = found.values
rain_ends = minutes == DURATION / 60.0
print(f"largest discharge {flow.max():.4f} m3/s of {STEADY:.4f}; at the end of the rain {flow[rain_ends][0]:.4f}")
print(f"volume {(flow * np.diff(bounds)[:, 0]).sum():.1f} m3 of {VOLUME:.1f} in three hours")

mpl.use("Agg")
plt = style.pyplot()
figure, axis = plt.subplots(figsize=(style.WIDTH, 3.8))
axis.axhline(STEADY, color=style.TRUTH, linewidth=0.8, linestyle=":", label="rain times area")
for name, colour in (("kinematic", style.OPEN_LOOP), ("diffusive", style.PEERS[0])):
    path = shared / f"tilted_v_overland{name}_20m_1min.csv"
    if not path.exists():
        continue
    time, other = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    axis.plot(time, other, color=colour, linewidth=1.2, label=f"ParFlow, {name}")
    away = np.abs(flow - np.interp(minutes, time, other))
    print(f"ParFlow, {name}: largest difference {away.max():.2g} m3/s, in the mean {away.mean():.2g}")
axis.plot(minutes, flow, color=style.ANALYSIS, linestyle="--", label="pyland, kinematic")
axis.set_xlabel("Minutes since the rain began")
axis.set_ylabel(r"Discharge [m$^3$ s$^{-1}$]")
axis.set_xlim(0.0, minutes[-1])
axis.set_ylim(bottom=0.0)
axis.legend()
(run / "figures").mkdir(exist_ok=True)
print(style.save(figure, run / "figures" / "comparison.png"))
