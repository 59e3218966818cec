"""Compare the hydrographs with theory and with ParFlow's, and draw them: ``python compare.py [RUN]``.

RUN has the kinematic wave, RUN/diffusive, if it is there, the diffusive one. ParFlow's hydrographs of one minute are
looked for in ``$PYLAND_SHARED/data/subsurface``; without them theory is left.
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
shared = Path(os.environ.get("PYLAND_SHARED", case.parent.parent.parent / "shared")) / "data" / "subsurface"


def hydrograph(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes since the start and discharge [m3 s-1] of a run; an implicit step has the value of its end."""
    with xr.open_dataset(folder / "discharge.nc") as data:
        flow = data["discharge"].sel(gauge=0).mean("member").values
        bounds = data["time_bounds"].values.astype("datetime64[s]").astype(np.int64)
    return (bounds[:, 1] - bounds[0, 0]) / 60.0, flow


mpl.use("Agg")
plt = style.pyplot()
figure, axis = plt.subplots(figsize=(style.WIDTH, 3.8))
axis.axhline(STEADY, color=style.TRUTH, linewidth=0.8, linestyle=":", label="rain times area")
for name, folder, colours in (("kinematic", run, (style.OPEN_LOOP, style.ANALYSIS)),
                              ("diffusive", run / "diffusive", (style.PEERS[0], style.TRUTH))):
    if not (folder / "discharge.nc").exists():
        continue
    minutes, flow = hydrograph(folder)
    volume = 60.0 * (flow * np.diff(minutes, prepend=0.0)).sum()
    print(f"{name}: at the end of the rain {flow[minutes == DURATION / 60.0][0]:.4f} m3/s of {STEADY:.4f}; "
          f"volume in three hours {volume:.1f} m3 of {VOLUME:.1f}")
    path = shared / f"tilted_v_overland{name}_20m_1min.csv"
    if path.exists():
        time, other = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
        axis.plot(time, other, color=colours[0], linewidth=1.2, label=f"ParFlow, {name}")
        away = np.abs(flow - np.interp(minutes, time, other))
        print(f"  to ParFlow: at most {away.max():.2g} m3/s, in the mean {away.mean():.2g}")
    axis.plot(minutes, flow, color=colours[1], linestyle="--", label=f"pyland, {name}")
axis.set_xlabel("Minutes since the rain began")
axis.set_ylabel(r"Discharge [m$^3$ s$^{-1}$]")
axis.set_xlim(0.0, minutes[-1])
axis.set_ylim(bottom=0.0)
axis.legend()
(run / "figures").mkdir(exist_ok=True)
print(style.save(figure, run / "figures" / "comparison.png"))
