"""Surface and ground water together: the hillslopes and catchments on which integrated models are compared.

Sulis et al. (2010, Adv. Water Resour. 33, 456-467), Maxwell et al. (2014, Water Resour. Res. 50, 1531-1549; IH-MIP) and
Kollet et al. (2017, Water Resour. Res. 53, 867-890; IH-MIP2). The papers compare models with each other; the numbers
here are those that follow from the water balance, from a column without lateral flow, or from an impervious plane.
"""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes, hydrograph, rainy

from pyland.subsurface import DistributedSubsurface, Subsurface

MINUTE = 60.0
RAIN = 3.3e-4 * 1000.0 / MINUTE  # [kg m-2 s-1]
IMPERVIOUS = 42.24 / MINUTE  # equilibrium of 400 m x 320 m [m3 s-1]


def hillslope_soil(conductivity: float | np.ndarray) -> dict:
    """Sulis et al. (2010); conductivity [m min-1]."""
    return {"porosity": 0.4, "residual_water": 0.08, "saturated_conductivity": np.asarray(conductivity) / MINUTE,
            "van_genuchten_alpha": 1.0, "van_genuchten_n": 2.0, "specific_storage": 5e-4}


def layers(first: float, deep: float = 5.0, growth: float = 1.12) -> np.ndarray:
    """Layers that grow from a thin one at the surface to a depth [m].

    Water ponds once the top cell is full (Kollet and Maxwell 2006), so infiltration excess wants a thin one.
    """
    count = int(np.ceil(np.log(1.0 + (growth - 1.0) * deep / first) / np.log(growth)))
    thickness = first * growth ** np.arange(count)
    return thickness * deep / thickness.sum()


FINE = layers(0.0125)


def hillslope(conductivity: float | np.ndarray, table: float, nx: int = 20) -> DistributedSubsurface:
    """400 m x 320 m x 5 m, slope 0.0005, n 3.31e-4 min m-1/3, water table at a depth [m]."""
    return DistributedSubsurface(
        FINE, hillslope_soil(conductivity), nx=nx, ny=1, dx=400.0 / nx, dy=320.0, slope_x=-0.0005,
        manning=3.31e-4 * MINUTE, overland="kinematic", water_table_depth=table,
    )


def plane_outflow(rate: np.ndarray, dt: float, steps: int) -> float:
    """Exact outflow of the kinematic plane [m3 s-1] after `steps` under an excess of rain that changes in time [m s-1].

    Along the characteristic that reaches the foot, depth is the excess since it left the ridge.
    """
    alpha = np.sqrt(0.0005) / (3.31e-4 * MINUTE)
    depth = 0.0
    for start in range(steps - 1, -1, -1):
        depth = np.cumsum(rate[start:steps]) * dt
        if (alpha * 5.0 / 3.0 * depth ** (2.0 / 3.0) * dt).sum() >= 400.0:
            break
    return 320.0 * alpha * depth[-1] ** (5.0 / 3.0)


def storm(flow: DistributedSubsurface, dt: float = 3.0 * MINUTE) -> tuple[np.ndarray, np.ndarray]:
    """200 min of rain and 100 min without: minutes and discharge [m3 s-1]."""
    time, discharge = hydrograph(flow, rainy(RAIN, 200 * MINUTE, 300 * MINUTE, dt))
    return time / MINUTE, discharge


@pytest.mark.parametrize(("table", "deficit"), [(0.5, 0.0061), (1.0, 0.0380)])
def test_saturation_excess(table, deficit):
    """Ks 6.94e-4 m/min: runoff starts once the deficit of the hydrostatic column is filled, then as if impervious.

    The deficit is 0.32 (d - asinh(d)) for alpha 1, n 2 and a table at d [m]; heads that rise by d squeeze in some more
    (Ss S p: 2.4 mm for 1 m). From then on the exact kinematic plane, with its time of concentration of 71.8 min; the
    first-order wave rounds its corner.
    """
    assert 0.32 * (table - np.arcsinh(table)) == pytest.approx(deficit, abs=1e-4)
    squeezed = 0.5 * (5.0**2 - (5.0 - table) ** 2) + 0.1 * table**2 + 0.8 * (np.hypot(1.0, table) - 1.0)
    flow = hillslope(6.94e-4, table, 40)
    time, discharge = storm(flow)
    filled = (deficit + 5e-4 * squeezed) / 3.3e-4
    early = time < 0.75 * filled
    assert early.any() and discharge[early].max() < 1e-3 * IMPERVIOUS
    after = np.maximum(time - filled, 0.0) / 71.8
    wave = np.where(time <= 200.0, np.minimum(after, 1.0) ** (5.0 / 3.0), np.nan) * IMPERVIOUS
    for part, limit in ((after < 0.8, 0.02), ((after >= 0.8) & (time <= 200.0), 0.13)):
        worst = np.abs(discharge - wave)[part].max() / IMPERVIOUS
        assert worst < limit, f"{worst:.3f} of the equilibrium off, {filled:.0f} min after the rain began to pond"
    assert discharge[time == 198.0][0] == pytest.approx(IMPERVIOUS, rel=0.002 if table < 0.8 else 0.12)
    assert discharge.max() <= IMPERVIOUS * (1.0 + 1e-6)
    if table < 0.8:  # from equilibrium: L = q/i + 5/3 alpha^(3/5) q^(2/5) t; the ground gives back some of its water
        alpha, rain = np.sqrt(0.0005) / (3.31e-4 * MINUTE), 3.3e-4 / MINUTE
        q = discharge[time == 300.0][0] / 320.0
        length = q / rain + 5.0 / 3.0 * alpha**0.6 * q**0.4 * 100 * MINUTE
        assert 400.0 < length < 440.0, f"{length:.0f} m"
    assert_water_closes(flow)


@pytest.mark.parametrize("conductivity", [6.94e-5, 6.94e-6])
def test_infiltration_excess(conductivity):
    """Ks 6.94e-5 and 6.94e-6 m/min, table at 1 m: what does not infiltrate into a column runs off.

    The judges are pyland's column solver on the same layers with a pond of no depth, and the exact kinematic plane that
    passes its runoff on.
    """
    flow = hillslope(conductivity, 1.0, 40)
    time, discharge = storm(flow)
    column = Subsurface(FINE, hillslope_soil(conductivity), water_table_depth=1.0, lower_boundary="no_flow",
                        air_entry=0.0)
    runoff = []
    for _ in range(66):
        before = column.balance["surface_runoff"][0]
        column.advance(3.0 * MINUTE, rain=RAIN)
        runoff.append((column.balance["surface_runoff"][0] - before) / (3.0 * MINUTE) / 1000.0)
    for steps in (60, 66):  # earlier the two differ in how a surface begins to pond
        exact = plane_outflow(np.array(runoff), 3.0 * MINUTE, steps)
        assert discharge[steps - 1] == pytest.approx(exact, abs=0.03 * IMPERVIOUS), f"{3 * steps} min"
    assert_water_closes(flow)


def test_infiltration_excess_is_limited_by_the_conductivity():
    """A tenth of the conductivity: more and earlier runoff, near the impervious 42.24 m3/min.

    Green and Ampt bound it: K_s and what capillarity adds stay out of 3.3e-4 m/min.
    """
    peak, start = [], []
    for conductivity in (6.94e-5, 6.94e-6):
        time, discharge = storm(hillslope(conductivity, 1.0), 5.0 * MINUTE)
        peak.append(discharge.max() / IMPERVIOUS)
        start.append(time[discharge > 0.01 * IMPERVIOUS][0])
        assert peak[-1] < 1.0 - conductivity / 3.3e-4
    assert peak[1] > 0.85 and peak[0] < peak[1] - 0.1, f"peaks {peak} of the impervious one"
    assert start[1] < start[0]


def test_heterogeneous_slab():
    """A slab of 100 m of Ks 6.94e-6 in 6.94e-4 m/min, table at 1 m (Kollet and Maxwell 2006; Maxwell et al. 2014).

    5 cm thick, at the surface. Over the slab water ponds soon after the rain begins and runs onto the ground below it,
    which takes it until its deficit is full; above the slab nothing ponds before that.
    """
    nx = 40
    place = (np.arange(nx) + 0.5) * 400.0 / nx
    is_slab = (place > 150.0) & (place < 250.0)
    conductivity = np.full((FINE.size, 1, nx), 6.94e-4)
    conductivity[np.ix_(np.cumsum(FINE) < 0.06, [0], is_slab)] = 6.94e-6
    flow = hillslope(conductivity, 1.0, nx)
    for _ in range(10):
        flow.advance(3.0 * MINUTE, rain=RAIN)
    pond = flow.surface_water[0]
    assert pond[is_slab].min() > 0.5, f"ponds {pond} kg m-2"
    assert pond[place < 150.0].max() == 0.0 and pond[place > 350.0].max() == 0.0
    time, discharge = hydrograph(flow, rainy(RAIN, 170 * MINUTE, 270 * MINUTE, 3 * MINUTE))
    assert 0.8 * IMPERVIOUS < discharge.max() < IMPERVIOUS
    assert time[discharge.argmax()] == pytest.approx(170 * MINUTE, abs=6 * MINUTE)
    assert_water_closes(flow)


@pytest.mark.parametrize("slope", [0.005, 0.05])
def test_return_flow(slope):
    """400 m, cells of 5 m x 0.05 m, rain 1.5e-4 m/min x 200 min, then evaporation 5.4e-6 m/min (Maxwell et al. 2014).

    The ground, K 6.94e-2 m/min and a table at 0.5 m, passes its water down the slope; where it meets the surface at the
    foot it comes out. On the steep slope it does so sooner and over less of the slope.
    """
    flow = DistributedSubsurface(
        np.full(40, 0.125), hillslope_soil(6.94e-2), nx=80, ny=1, dx=5.0, dy=320.0, slope_x=-slope,
        manning=3.31e-4 * MINUTE, overland="kinematic", water_table_depth=0.5,
    )
    wet, dry = rainy(1.5e-1 / MINUTE, 200 * MINUTE, 200 * MINUTE, 5 * MINUTE), [(5 * MINUTE, -5.4e-3 / MINUTE)] * 20
    time, discharge = hydrograph(flow, wet + dry)
    ponded = flow.surface_water[0] > 1e-6
    assert ponded[-1] and not ponded[:10].any()
    assert np.all(np.diff(ponded.astype(int)) >= 0)  # a single seepage zone, at the foot
    at_end = discharge[time == 200 * MINUTE][0]
    # at the closed foot the ground gives back what flows down in it, at most K sin a on its 5 m
    darcy = 6.94e-2 / MINUTE * np.sin(np.arctan(slope)) * 5.0 * 320.0
    assert 0.0 < at_end < 1.5e-4 / MINUTE * 400.0 * 320.0 + darcy
    assert discharge[-1] > 0.0  # fed by ground water after the rain
    assert_water_closes(flow)


def test_tilted_v_of_ihmip2():
    """Kollet et al. (2017): 110 m x 100 m x 5 m, table at 2 m, 0.1 m/h for 20 h (S2), then recession.

    The ground fills up (deficit below), then all rain leaves: the plateau is rain times area, 1100 m3/h; afterwards
    discharge falls for good.
    """
    hour = 3600.0
    nx, ny = 11, 10
    middle = nx // 2
    slope_x = np.where(np.arange(nx) < middle, -0.05, 0.05) * np.ones((ny, 1))
    slope_y = np.full((ny, nx), 0.02)
    manning = np.full((ny, nx), 1.74e-4 * hour)
    manning[:, middle] = 1.74e-3 * hour
    soil = {"porosity": 0.4, "residual_water": 0.08, "saturated_conductivity": 10.0 / hour, "van_genuchten_alpha": 6.0,
            "van_genuchten_n": 2.0, "specific_storage": 1e-5}
    thickness = np.concatenate([np.full(10, 0.1), np.full(8, 0.25), np.full(4, 0.5)])
    flow = DistributedSubsurface(thickness, soil, nx=nx, ny=ny, dx=10.0, dy=10.0, slope_x=slope_x, slope_y=slope_y,
                                 manning=manning, overland="kinematic", water_table_depth=2.0)
    time, discharge = hydrograph(flow, rainy(100.0 / hour, 20 * hour, 60 * hour, hour))
    plateau = 0.1 / hour * 11000.0
    assert discharge[time == 20 * hour][0] == pytest.approx(plateau, rel=0.01)
    assert discharge.max() <= plateau * 1.001
    recession = discharge[time > 21 * hour]
    assert np.all(np.diff(recession) <= 1e-9 * plateau) and recession[-1] < 0.05 * plateau
    assert_water_closes(flow)


def superslab(parts: int) -> tuple[DistributedSubsurface, np.ndarray, np.ndarray]:
    """The flow after 12 h, minutes and discharge; layers of 10 cm in so many parts."""
    hour, nx, nz = 3600.0, 100, 50 * parts
    x, z = np.meshgrid(np.arange(nx) + 0.5, (np.arange(nz) + 0.5) * 0.1 / parts)
    upper = (x > 8.0) & (x < 50.0) & (z < 0.4)
    lower = (x > 40.0) & (x < 60.0) & (z > 1.3) & (z < 1.7)
    pick = [upper[:, None, :], lower[:, None, :]]
    soil = {"porosity": 0.1, "specific_storage": 1e-5, "residual_water": np.select(pick, [0.03, 0.03], 0.02),
            "saturated_conductivity": np.select(pick, [0.025, 0.001], 10.0) / hour,
            "van_genuchten_alpha": np.select(pick, [1.0, 1.0], 6.0),
            "van_genuchten_n": np.select(pick, [3.0, 3.0], 2.0)}
    flow = DistributedSubsurface(np.full(nz, 0.1 / parts), soil, nx=nx, ny=1, dx=1.0, dy=1.0, slope_x=-0.1,
                                 manning=0.0036, overland="kinematic", water_table_depth=5.0)
    return flow, *hydrograph(flow, rainy(50.0 / hour, 3 * hour, 12 * hour, 0.1 * hour))


def test_superslab():
    """Kollet et al. (2017): 100 m x 5 m, slope 0.1, two slabs of low conductivity, 50 mm/h for 3 h, 12 h in all.

    Rain goes down to the base and along it to the closed foot (10 m/h times slope over porosity: hours), fills the
    ground there and comes out: discharge starts after the rain, stays a fraction of it and recedes. The fine pores of
    the slabs keep theirs. Finer layers change the peak by a few percent.
    """
    hour = 3600.0
    flow, time, discharge = superslab(1)
    assert discharge[time <= 3 * hour].max() == 0.0
    assert 0.02 < discharge.max() * hour / 5.0 < 0.3
    peak = discharge.argmax()
    assert time[peak] > 5 * hour and np.all(np.diff(discharge[peak:]) < 0.0)
    assert flow.saturation[:4, 0, 10:45].min() > 0.5  # residual 0.3; the sand beside it is at 0.3
    assert flow.saturation[13:17, 0, 42:58].min() > 0.5
    table = flow.water_table_depth[0]
    assert np.all(np.diff(table[50:]) < 0.0)  # wedge at the foot
    finer = superslab(2)[2]
    assert finer.max() == pytest.approx(discharge.max(), rel=0.05)
    assert_water_closes(flow)
