"""Wells, water tables, hillslopes and dry sections of two and three dimensions against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes
from scipy.special import exp1

from pyland.subsurface import Boundary, DistributedSubsurface

DAY = 86400.0


def test_theis_1935():
    """Drawdown around a well: Q 0.01 m3/s, T 1e-3 m2/s, S 1e-4 after 1 h: 1.7175 m at 100 m.

    One confined layer of 10 m; cells of 20 m, a square of 2 km (at its rim the drawdown is 1e-4 m).
    """
    size, count = 20.0, 101
    soil = {"porosity": 0.3, "saturated_conductivity": 1e-4, "van_genuchten_alpha": 2.0, "van_genuchten_n": 2.0,
            "specific_storage": 1e-5}
    flow = DistributedSubsurface([10.0], soil, nx=count, ny=count, dx=size, dy=size, pressure_head=50.0,
                                 boundaries={"top": Boundary("no_flow")})
    well = np.zeros((1, count, count))
    well[0, count // 2, count // 2] = -0.01 * 1000.0 / size**2
    steps = 5.0 * 1.15 ** np.arange(40)
    steps *= 3600.0 / steps.sum()
    for dt in steps:
        out = flow.advance(float(dt), source=well)
    np.testing.assert_allclose(out["source"], well, rtol=1e-12)
    drawdown = 50.0 - flow.pressure[0]
    centre = count // 2
    for cells, limit in ((3, 0.02), (5, 0.02), (10, 0.02)):  # the well is spread over a cell: not nearer than 3 cells
        radius = cells * size
        exact = 0.01 / (4 * np.pi * 1e-3) * exp1(radius**2 * 1e-4 / (4 * 1e-3 * 3600.0))
        found = drawdown[centre, centre + cells]
        assert found == pytest.approx(exact, rel=limit), f"r = {radius} m"
        assert drawdown[centre + cells, centre] == pytest.approx(found, rel=1e-8)
    assert flow.balance["source"] == pytest.approx(-36.0, rel=1e-12)
    assert_water_closes(flow)


def test_dupuit_mound_between_two_ditches():
    """Steady recharge w between water tables h1 and h2: h2 = h1^2 - (h1^2 - h2^2) x/L + w x (L - x)/K.

    Coarse soil, so that hardly any water stands above the table; discharge of the ditches K (h1^2 - h2^2)/2L -+ wL/2.
    """
    length, nx, depth, k_sat, recharge = 200.0, 50, 10.0, 1e-4, 1e-7
    soil = {"porosity": 0.3, "residual_water": 0.01, "saturated_conductivity": k_sat, "van_genuchten_alpha": 15.0,
            "van_genuchten_n": 3.0, "specific_storage": 1e-5}
    low, high = 5.0, 5.5
    layers = np.full(40, depth / 40)
    flow = DistributedSubsurface(layers, soil, nx=nx, ny=1, dx=length / nx, dy=1.0, water_table_depth=depth - high,
                                 boundaries={"west": Boundary("hydrostatic", depth - high),
                                             "east": Boundary("hydrostatic", depth - low)})
    flow.spin_up(recharge * 1000.0)
    out = flow.advance(DAY, rain=recharge * 1000.0)
    x = (np.arange(nx) + 0.5) * length / nx
    exact = np.sqrt(high**2 - (high**2 - low**2) * x / length + recharge / k_sat * x * (length - x))
    found = depth - flow.water_table_depth[0]
    np.testing.assert_allclose(found[2:-2], exact[2:-2], rtol=0.01)
    ends = k_sat * (high**2 - low**2) / (2 * length) + np.array([-1.0, 1.0]) * recharge * length / 2.0
    assert out["boundary"]["west"] + out["boundary"]["east"] == pytest.approx(-recharge * length, rel=1e-3)
    assert out["boundary"]["west"] == pytest.approx(ends[0], rel=0.03)
    assert out["boundary"]["east"] == pytest.approx(-ends[1], rel=0.03)
    assert_water_closes(flow)


def test_hillslope_drains_like_a_kinematic_aquifer():
    """Steep slope under steady recharge: saturated thickness w x/(K sin a cos a), seepage w L at its foot.

    Henderson and Wooding (1964, J. Geophys. Res. 69, 1531-1540), where the slope is steep against h/L. Thickness is
    vertical; terrain-following flux K sin a per vertical area (Maxwell 2013).
    """
    nx, dx, slope, k_sat, recharge = 50, 10.0, 0.3, 1e-4, 5e-8
    soil = {"porosity": 0.3, "residual_water": 0.01, "saturated_conductivity": k_sat, "van_genuchten_alpha": 15.0,
            "van_genuchten_n": 3.0, "specific_storage": 1e-5}
    flow = DistributedSubsurface(np.full(40, 0.1), soil, nx=nx, ny=1, dx=dx, dy=1.0, slope_x=-slope,
                                 water_table_depth=3.5, boundaries={"east": Boundary("seepage")})
    for step in range(60):
        out = flow.advance(3600.0 * min(1.3**step, 1000.0), rain=recharge * 1000.0)
    assert -out["boundary"]["east"] == pytest.approx(recharge * nx * dx, rel=1e-3)
    x = (np.arange(nx) + 1.0) * dx  # what cell i passes on has fallen on i + 1 cells
    exact = recharge * x / (k_sat * np.sin(np.arctan(slope)))
    found = 4.0 - flow.water_table_depth[0]
    middle = slice(20, 45)
    # the capillary fringe conducts too (1/alpha = 7 cm): it takes a few cm off the saturated thickness
    np.testing.assert_allclose(found[middle], exact[middle], atol=0.08)
    assert np.all(np.diff(found[5:45]) > 0.0)
    assert_water_closes(flow)


def test_spin_up_is_the_end_of_a_long_run():
    """Pseudo-time and a hundred years of steps end in the same steady state."""
    soil = {"porosity": 0.4, "residual_water": 0.05, "saturated_conductivity": 1e-5, "van_genuchten_alpha": 2.0,
            "van_genuchten_n": 1.8, "specific_storage": 1e-5}
    options = {"nx": 8, "ny": 3, "dx": 20.0, "dy": 20.0, "slope_x": -0.02, "water_table_depth": 2.0,
               "boundaries": {"east": Boundary("hydrostatic", 1.5)}}
    quick, slow = (DistributedSubsurface(np.full(8, 0.5), soil, **options) for _ in range(2))
    quick.spin_up(1e-5)
    for step in range(60):
        slow.advance(3600.0 * min(1.3**step, 1e6), rain=1e-5)
    assert np.abs(quick.pressure - slow.pressure).max() < 1e-4
    assert_water_closes(quick)


def test_kirkland_1992_dry_section():
    """Very dry sand and clay in blocks, 50 cm/d on the middle of the top for 1 d (Kirkland, Hills and Wierenga 1992).

    5 m x 3 m, from a head of -500 m; parameters as in the literature. It finishes in hourly steps without tuning, takes
    all the rain and keeps its symmetry; wet clay holds its water while the sand beside it passes it on.
    """
    nx, nz = 50, 30
    i, k = np.meshgrid(np.arange(nx), np.arange(nz))
    x, z = (i + 0.5) * 0.1, (k + 0.5) * 0.1
    is_clay = ((z > 0.8) & (z < 1.4) & (np.abs(x - 2.5) < 0.5)) | ((z > 1.8) & (z < 2.4) & (np.abs(x - 2.5) > 1.0))
    clay = is_clay[:, None, :]
    soil = {"porosity": np.where(clay, 0.4686, 0.3658), "residual_water": np.where(clay, 0.106, 0.0286),
            "saturated_conductivity": np.where(clay, 0.131, 5.41) / DAY,
            "van_genuchten_alpha": np.where(clay, 1.04, 2.8), "van_genuchten_n": np.where(clay, 1.3954, 2.239),
            "specific_storage": 1e-7}
    flow = DistributedSubsurface(np.full(nz, 0.1), soil, nx=nx, ny=1, dx=0.1, dy=1.0, pressure_head=-500.0)
    rain = np.where(np.abs(x[0] - 2.5) < 1.0, 500.0 / DAY, 0.0)[None]
    for _ in range(24):
        out = flow.advance(3600.0, rain=rain)
    # rows are swept from west to east: symmetric to the tolerance, which is 1e-9 m of water in cells of 0.1 m
    assert np.abs(flow.soil_water - flow.soil_water[:, :, ::-1]).max() < 1e-7
    assert flow.balance["rain"] == pytest.approx(0.5 * 2.0, rel=1e-12)
    assert flow.balance["surface_runoff"] == 0.0 or abs(flow.balance["surface_runoff"]) < 1e-9
    assert np.all(out["rain"] == rain)
    under, beside = flow.saturation[9, 0, nx // 2], flow.saturation[9, 0, nx // 2 - 8]
    assert under > 0.9 and under > beside + 0.1, f"{under:.3f} in the clay, {beside:.3f} in the sand"
    assert flow.pressure[-1, 0, 0] == pytest.approx(-500.0, rel=0.01)  # the corner has not heard of it
    assert_water_closes(flow)


def test_forsyth_1995_dry_caisson():
    """Problem 2 of Forsyth, Wu and Pruess (1995, Adv. Water Resour. 18, 25-38): four zones at -7.34 m, 2 cm/d, 30 d.

    8 m x 6.5 m; soils of the paper, its zones taken as layers of 0.4, 0.2 and 5.9 m and a block of the fourth soil.
    Days as steps; all rain enters, and the front stays within the section.
    """
    nx, nz = 45, 33
    i, k = np.meshgrid(np.arange(nx), np.arange(nz))
    x, z = (i + 0.5) * 8.0 / nx, (k + 0.5) * 6.5 / nz
    zone = np.where(z < 0.4, 0, np.where(z < 0.6, 1, 2))
    zone = np.where((z > 0.9) & (z < 1.5) & (x > 1.0) & (x < 3.0), 3, zone)[:, None, :]
    k_sat = np.array([9.1496e-5, 5.4427e-5, 4.8033e-5, 4.8033e-4])  # with 1e3 kg m-3 and 1e-3 Pa s [m s-1]
    porosity = np.array([0.368, 0.351, 0.325, 0.325])
    soil = {"porosity": porosity[zone], "residual_water": (porosity * [0.2771, 0.2806, 0.2643, 0.2643])[zone],
            "saturated_conductivity": k_sat[zone], "specific_storage": 1e-7,
            "van_genuchten_alpha": np.array([3.34, 3.63, 3.45, 3.45])[zone],
            "van_genuchten_n": np.array([1.982, 1.632, 1.573, 1.573])[zone]}
    flow = DistributedSubsurface(np.full(nz, 6.5 / nz), soil, nx=nx, ny=1, dx=8.0 / nx, dy=1.0, pressure_head=-7.34)
    rain = np.where(x[0] < 2.25, 20.0 / DAY, 0.0)[None]
    before = flow.balance["storage_subsurface"]
    for _ in range(30):
        flow.advance(DAY, rain=rain)
    fallen = rain.sum() / 1000.0 * 30 * DAY * 8.0 / nx
    assert flow.balance["rain"] == pytest.approx(fallen, rel=1e-12)
    assert flow.balance["storage_subsurface"] - before == pytest.approx(fallen, rel=1e-8)
    wet = flow.pressure[:, 0] > -2.0
    assert wet[: nz // 2, 2].all() and not wet[:, -5:].any()
    assert_water_closes(flow)
