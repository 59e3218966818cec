"""Cases of distributed flow that tests and tools/benchmarks/subsurface_flow.py share; the top layer comes first.

Numbers of ParFlow are those of v3.15.0 on the same input (docs/theory names the sources of the problems themselves).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import netCDF4
import numpy as np

HOUR = 3600.0


@dataclass(frozen=True)
class FlowCase:
    """A run: what to build, and its steps.

    Attributes
    ----------
    thickness : numpy.ndarray, shape (layer,)
        [m]
    soil, options : dict
        As ``DistributedSubsurface`` takes them.
    steps : list of (float, float)
        Length [s] and rain [kg m-2 s-1] of every step.
    parflow_mean : float or None
        ParFlow's mean pressure head at the end [m].
    parflow_seconds : float or None
        ParFlow's best time on one core of the machine it was measured on [s].
    """

    name: str
    thickness: np.ndarray
    soil: dict
    options: dict
    steps: list[tuple[float, float]]
    parflow_mean: float | None = None
    parflow_seconds: float | None = None
    boundary_kinds: dict = field(default_factory=dict)

    def build(self, **changes):
        """Return the flow at its start; ``changes`` replace options."""
        from pyland.subsurface import Boundary, DistributedSubsurface

        options = dict(self.options)
        if self.boundary_kinds:
            options["boundaries"] = {side: Boundary(*what) for side, what in self.boundary_kinds.items()}
        return DistributedSubsurface(self.thickness, self.soil, **(options | changes))

    @property
    def ncell(self) -> int:
        """Cells of the box."""
        return self.thickness.size * self.options["nx"] * self.options["ny"]


def run(flow, steps, each=None) -> dict[str, int]:
    """Take the steps of a case; ``each(time, out)`` sees every one. Returns the sums of the iterations."""
    total = {"steps": 0, "newton_iterations": 0, "krylov_iterations": 0}
    time = 0.0
    for dt, rain in steps:
        out = flow.advance(dt, rain=rain)
        time += dt
        for name in total:
            total[name] += int(out[name])
        if each is not None:
            each(time, out)
    return total


def hydrograph(flow, steps) -> tuple[np.ndarray, np.ndarray]:
    """Time [s] at the ends of steps and mean discharge over them [m3 s-1]."""
    series: list[tuple[float, float]] = []
    run(flow, steps, lambda time, out: series.append((time, float(np.sum(out["discharge"])))))
    time, discharge = np.array(series).T
    return time, discharge


def assert_water_closes(flow, limit: float = 1e-10) -> None:
    """The residual of the balance is round-off against the water held."""
    balance = flow.balance
    held = abs(balance["storage_subsurface"]) + abs(balance["storage_surface"])
    assert abs(balance["residual"]) <= limit * held, (
        f"balance open by {balance['residual']:.3e} m3 of {held:.6e} m3 ({balance['residual'] / held:.1e})")


def rainy(rain: float, wet: float, total: float, dt: float) -> list[tuple[float, float]]:
    """Equal steps over ``total`` [s] with rain [kg m-2 s-1] in the first ``wet`` [s]."""
    return [(dt, rain if (step + 0.5) * dt < wet else 0.0) for step in range(round(total / dt))]


def tight_ground() -> dict[str, float]:
    """Soil that takes no water, for flow over land alone."""
    return {"porosity": 0.01, "saturated_conductivity": 1e-18, "van_genuchten_alpha": 1.0, "van_genuchten_n": 2.0,
            "specific_storage": 1e-12}


def plane(nx: int = 100, dt: float = 10.0, overland: str = "kinematic") -> FlowCase:
    """Plane of 182.88 m, slope 0.0016, n 0.025, under 50.8 mm/h for 30 min (Woolhiser and Liggett 1967)."""
    options = {"nx": nx, "ny": 1, "dx": 182.88 / nx, "dy": 1.0, "slope_x": -0.0016, "manning": 0.025,
               "overland": overland, "pressure_head": 0.0}
    return FlowCase("plane", np.array([0.1]), tight_ground(), options, rainy(50.8 / 3600, 1800.0, 3600.0, dt))


def tilted_v(overland: str = "kinematic", dt: float = 60.0, minutes: int = 180) -> FlowCase:
    """V of Di Giammarco, Todini and Lamberti (1996, J. Hydrol. 175, 267-291) on cells of 20 m.

    Two slopes of 800 m x 1000 m (0.05, n 0.015) that drain along x only, a channel of 20 m (0.02, n 0.15), 10.8 mm/h
    for 90 min. The slope of cell i is that of its face to the east.
    """
    nx, ny = 81, 50
    slope_x = np.where(np.arange(nx) < 40, -0.05, 0.05) * np.ones((ny, 1))
    slope_y = np.zeros((ny, nx))
    slope_y[:, 40] = 0.02
    manning = np.full((ny, nx), 0.015)
    manning[:, 40] = 0.15
    options = {"nx": nx, "ny": ny, "dx": 20.0, "dy": 20.0, "slope_x": slope_x, "slope_y": slope_y, "manning": manning,
               "overland": overland, "pressure_head": 0.0}
    return FlowCase("tilted V, 81x50x1, 180 x 1 min", np.array([0.1]), tight_ground(), options,
                    rainy(10.8 / 3600, 5400.0, minutes * 60.0, dt), parflow_seconds=3.43)


TILTED_V_SOIL = {(64, 32): (2.24990709007, 2.27), (256, 128): (2.2510114601, 84.2)}


def tilted_v_soil(nx: int = 64, ny: int = 32) -> FlowCase:
    """Storm of 80 mm on a tilted V with 5 m of soil, terrain-following, kinematic: set-up of tilted_v_soil_*.nc."""
    mean, seconds = TILTED_V_SOIL.get((nx, ny), (None, None))
    soil = {"porosity": 0.4, "residual_water": 0.04, "saturated_conductivity": 0.005 / HOUR,
            "van_genuchten_alpha": 1.5, "van_genuchten_n": 1.8, "specific_storage": 1e-4}
    options = {"nx": nx, "ny": ny, "dx": 100.0, "dy": 100.0, "slope_y": 0.005, "manning": 5e-6 * HOUR,
               "slope_x": np.where(np.arange(nx) < nx // 2, -0.02, 0.02) * np.ones((ny, 1)),
               "overland": "kinematic", "water_table_depth": 1.0}
    return FlowCase(f"tilted V with soil, {nx}x{ny}x10, 24 h", np.full(10, 0.5), soil, options,
                    rainy(20.0 / 3600, 4 * HOUR, 24 * HOUR, HOUR), mean, seconds)


def richards_a(data: Path, mirrored: bool = False) -> FlowCase:
    """Heterogeneous conductivity, rain, then drainage: set-up of richards_a_100x100x20.nc.

    ``mirrored`` reflects the ground at its eastern and northern sides: four times the cells, the same mean pressure,
    because nothing crosses a plane of symmetry.
    """
    with netCDF4.Dataset(data / "subsurface" / "richards_a_100x100x20.nc") as file:
        height, x, y = (np.asarray(file[name][...]) for name in ("z", "x", "y"))
        conductivity = np.asarray(file["saturated_conductivity"][...])[::-1] / HOUR
        head = np.asarray(file["pressure_head_initial"][...])[::-1]
    if mirrored:
        conductivity, head = (np.concatenate([part, part[:, :, ::-1]], axis=2) for part in (conductivity, head))
        conductivity, head = (np.concatenate([part, part[:, ::-1]], axis=1) for part in (conductivity, head))
    soil = {"porosity": 0.4, "residual_water": 0.04, "saturated_conductivity": conductivity,
            "van_genuchten_alpha": 2.0, "van_genuchten_n": 2.0, "specific_storage": 1e-5}
    options = {"nx": head.shape[2], "ny": head.shape[1], "dx": float(x[1] - x[0]), "dy": float(y[1] - y[0]),
               "pressure_head": head}
    name = "Richards, 200x200x20 mirrored, 24 h" if mirrored else "Richards, 100x100x20, 24 h"
    return FlowCase(name, np.full(height.size, float(height[1] - height[0])), soil, options,
                    rainy(5.0 / 3600, 6 * HOUR, 24 * HOUR, HOUR), -1.99121845551, 91.0 if mirrored else 22.2,
                    {"bottom": ("head", 2.0)})


def little_washita(data: Path) -> FlowCase:
    """Little Washita, 41 x 41 cells of 1 km, 50 layers of 2 m, 5 mm/h for 6 h and 18 h of recession, no land model."""
    from pyland.subsurface import read_pfb

    static = data / "little_washita" / "static"
    indicator = np.rint(read_pfb(static / "IndicatorFile_Gleeson.50z.pfb")).astype(int)[::-1]
    with (static / "subsurface.csv").open() as file:
        rows = {int(row["indicator"]): row for row in csv.DictReader(file)}

    def spread(column: str) -> np.ndarray:
        table = np.full(max(rows) + 1, np.nan)
        for number, row in rows.items():
            table[number] = float(row[column])
        return table[indicator]

    porosity = spread("porosity")
    soil = {"porosity": porosity, "residual_water": spread("Sres") * porosity,
            "saturated_conductivity": spread("Ksat_m_per_h") / HOUR, "van_genuchten_alpha": spread("vg_alpha_per_m"),
            "van_genuchten_n": spread("vg_n"), "specific_storage": spread("specific_storage_per_m")}
    options = {"nx": 41, "ny": 41, "dx": 1000.0, "dy": 1000.0, "manning": 5.52e-6 * HOUR, "overland": "kinematic",
               "slope_x": read_pfb(static / "LW.slopex.pfb")[0], "slope_y": read_pfb(static / "LW.slopey.pfb")[0],
               "pressure_head": read_pfb(static / "press.init.pfb")[::-1]}
    return FlowCase("Little Washita rain, 41x41x50, 24 h", np.full(50, 2.0), soil, options,
                    rainy(5.0 / 3600, 6 * HOUR, 24 * HOUR, HOUR), 44.156036596, 70.7)


def parflow_field(data: Path, file: str, name: str) -> np.ndarray:
    """Field (layer, y, x) of a ParFlow run, the top first."""
    with netCDF4.Dataset(data / "subsurface" / file) as opened:
        return np.asarray(opened[name][...])[::-1]
