"""Richards columns against published infiltration problems."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.subsurface import Subsurface, water_from_head

CELIA = {
    "porosity": 0.368,
    "residual_water": 0.102,
    "van_genuchten_alpha": 3.35,
    "van_genuchten_n": 2.0,
    "saturated_conductivity": 9.22e-5,
    "specific_storage": 1e-7,
}
CELIA_DEPTH = np.array([0.10, 0.20, 0.30, 0.40])
CELIA_HEAD = np.array([-0.7687, -0.8028, -0.8673, -1.0047])


def celia(nlayer: int, dt: float) -> tuple[float, float, np.ndarray, Subsurface]:
    """Infiltration [m], depth where the head is -5 m [m], heads at CELIA_DEPTH [m] after one day."""
    size = 1.0 / nlayer
    # the lower head of -10 m is a water table 11 m below the surface
    column = Subsurface(
        np.full(nlayer, size),
        CELIA,
        pressure_head=-10.0,
        surface_head=-0.75,
        lower_boundary="water_table",
        base_depth=11.0,
    )
    for _ in range(round(86400 / dt)):
        column.advance(dt)
    node = (np.arange(nlayer) + 0.5) * size
    head = column.pressure[:, 0]
    front = np.interp(5.0, -head, node)
    return column.balance["surface_head_inflow"][0] / 1000, front, np.interp(CELIA_DEPTH, node, head), column


def test_celia_1990_on_a_fine_grid():
    # reference: 2000 cells, converged (Celia et al. 1990, van Genuchten soil)
    inflow, front, head, column = celia(200, 60.0)
    assert inflow == pytest.approx(0.041129, rel=0.01)
    assert front == pytest.approx(0.5649, abs=0.005)
    np.testing.assert_allclose(head, CELIA_HEAD, rtol=0.01)
    assert abs(column.balance["residual"][0]) < 1e-12 * column.balance["storage"][0]


def test_celia_1990_converges_with_grid_and_step():
    errors = []
    for nlayer, dt in ((25, 480.0), (50, 240.0), (100, 120.0)):
        inflow, _, head, _ = celia(nlayer, dt)
        assert inflow == pytest.approx(0.041129, rel=0.01)  # 4 cm cells are within 1 %
        errors.append(np.sqrt(np.mean((head - CELIA_HEAD) ** 2)))
    assert errors[1] < 0.75 * errors[0]
    assert errors[2] < 0.75 * errors[1]


VANDERBORGHT = {
    # name: alpha, n, residual, porosity, Ks [m s-1], surface water, times [d], depths [m] of the middle of the wave
    "sand": (15.0, 3.0, 0.045, 0.43, 10.0 / 86400, 0.2824, (0.1, 0.2, 0.3), (0.4278, 0.8492, 1.2706)),
    "loam": (4.0, 1.6, 0.08, 0.43, 0.5 / 86400, 0.43, (0.2, 0.5, 1.0), (0.4003, 0.9285, 1.8088)),
    "clay": (1.0, 1.1, 0.10, 0.40, 0.1 / 86400, 0.40, (0.1, 0.2, 0.5), (0.2441, 0.4741, 1.1640)),
}


def infiltrate(name: str, air_entry: float) -> tuple[list[float], dict[str, np.ndarray]]:
    """Depths of the middle of the wave [m], and the balance."""
    alpha, n, residual, porosity, k_sat, surface, times, _ = VANDERBORGHT[name]
    soil = {
        "porosity": porosity,
        "residual_water": residual,
        "van_genuchten_alpha": alpha,
        "van_genuchten_n": n,
        "saturated_conductivity": k_sat,
        "specific_storage": 1e-7,
    }
    nlayer = 200
    column = Subsurface(np.full(nlayer, 2.0 / nlayer), soil, pressure_head=-4.0, air_entry=air_entry)
    middle = 0.5 * (surface + float(water_from_head([-4.0], soil, air_entry=air_entry)[0]))
    node = (np.arange(nlayer) + 0.5) * 2.0 / nlayer
    time, found = 0.0, []
    for end in times:
        while time < end * 86400 - 1:
            column.advance(144.0, rain=1000.0 / 86400)
            time += 144.0
        found.append(np.interp(-middle, -column.soil_water[:, 0], node))
    return found, column.balance


@pytest.mark.parametrize("name", ["sand", "loam"])
def test_vanderborght_2005_infiltration_wave(name):
    # Vanderborght et al. (2005), Vadose Zone J. 4, 206-221: 100 cm/d on dry soil; what ponds runs off
    depths = VANDERBORGHT[name][-1]
    found, balance = infiltrate(name, air_entry=0.0)
    np.testing.assert_allclose(found, depths, rtol=0.03)
    assert found[2] - found[1] == pytest.approx(depths[2] - depths[1], rel=0.02)
    assert abs(balance["residual"][0]) < 1e-12 * balance["storage"][0]


def test_vanderborght_2005_wave_speed_in_clay():
    # n = 1.1 needs the air-entry head, with which the wave starts faster; its speed (Ks - Ki)/(theta_s - theta_i) stays
    depths = VANDERBORGHT["clay"][-1]
    found, balance = infiltrate("clay", air_entry=0.02)
    assert found[2] - found[1] == pytest.approx(depths[2] - depths[1], rel=0.05)
    assert abs(balance["residual"][0]) < 1e-12 * balance["storage"][0]


def test_yolo_clay_infiltrates_like_philip():
    # Philip (1957): I = S sqrt(t) + A t, with Ks of Yolo light clay (1.23e-7 m/s) in a van Genuchten curve, whose
    # sorptivity follows from Parlange (1975):
    # S2 = integral (theta_s + theta - 2 theta_i) K dpsi
    soil = {
        "porosity": 0.495,
        "residual_water": 0.124,
        "van_genuchten_alpha": 1.5,
        "van_genuchten_n": 2.0,
        "saturated_conductivity": 1.23e-7,
        "specific_storage": 1e-7,
    }
    start = -6.0
    head = -np.geomspace(1e-4, -start, 4000)[::-1]
    water = water_from_head(head, soil)
    effective = (water - 0.124) / (0.495 - 0.124)
    conductivity = 1.23e-7 * np.sqrt(effective) * (1 - (1 - effective**2) ** 0.5) ** 2
    sorptivity = np.sqrt(np.trapezoid((0.495 + water - 2 * water[0]) * conductivity, head))
    nlayer = 500
    column = Subsurface(np.full(nlayer, 0.002), soil, pressure_head=start)
    dt, time, series = 60.0, 0.0, []
    for _ in range(300):
        column.advance(dt, rain=0.05)
        time += dt
        series.append((time, (column.balance["rain"] - column.balance["surface_runoff"])[0] / 1000))
    time, depth = np.array(series[20:]).T
    matrix = np.stack([np.sqrt(time), time], axis=1)
    (fitted, linear), *_ = np.linalg.lstsq(matrix, depth, rcond=None)
    assert fitted == pytest.approx(sorptivity, rel=0.03)
    assert 0.25 * 1.23e-7 < linear < 1.0 * 1.23e-7


def srivastava_yeh(height: np.ndarray, hours: float) -> np.ndarray:
    """Exact head [m] at height above the base [m]; Srivastava and Yeh (1991), Water Resour. Res. 27, 753-762."""
    from scipy.optimize import brentq

    alpha, k_sat, theta_s, theta_r, length, q_start, q_end = 10.0, 0.01 / 3600, 0.40, 0.06, 1.0, 0.1, 0.9
    z, span, tau = alpha * height, alpha * length, alpha * k_sat * hours * 3600 / (theta_s - theta_r)
    root = np.array(
        [
            brentq(
                lambda x: np.sin(x * span) + 2 * x * np.cos(x * span),
                (k - 0.5) * np.pi / span + 1e-10,
                (k + 0.5) * np.pi / span - 1e-10,
            )
            for k in range(1, 300)
        ]
    )
    terms = (
        np.sin(np.outer(z, root)) * np.sin(root * span) * np.exp(-(root**2) * tau) / (1 + span / 2 + 2 * root**2 * span)
    ).sum(axis=1)
    relative = (
        q_end - (q_end - 1) * np.exp(-z) - 4 * (q_end - q_start) * np.exp((span - z) / 2) * np.exp(-tau / 4) * terms
    )
    return np.log(relative) / alpha


def solve_srivastava_yeh(nlayer: int, dt: float, hours: float) -> tuple[np.ndarray, np.ndarray]:
    soil = {
        "porosity": 0.40,
        "residual_water": 0.06,
        "gardner_alpha": 10.0,
        "saturated_conductivity": 0.01 / 3600,
        "specific_storage": 1e-7,
    }
    height = 1.0 - (np.arange(nlayer) + 0.5) / nlayer
    steady = np.log(0.1 + 0.9 * np.exp(-10.0 * height)) / 10.0
    column = Subsurface(
        np.full(nlayer, 1.0 / nlayer),
        soil,
        retention="gardner",
        pressure_head=steady,
        lower_boundary="water_table",
        base_depth=1.0,
    )
    for _ in range(round(hours * 3600 / dt)):
        column.advance(dt, rain=0.9 * 0.01 / 3.6)
    return height, column.pressure[:, 0]


@pytest.mark.parametrize("hours", [1.0, 2.0, 5.0, 10.0, 50.0])
def test_srivastava_yeh_1991(hours):
    height, head = solve_srivastava_yeh(200, 60.0 if hours < 20 else 300.0, hours)
    np.testing.assert_allclose(head, srivastava_yeh(height, hours), atol=2.5e-3)


def test_srivastava_yeh_reference_table(shared_data):
    import json

    table = json.loads((shared_data / "subsurface" / "benchmarks.json").read_text())["SrivastavaYeh1991"]["t=5h"]
    np.testing.assert_allclose(srivastava_yeh(np.array(table["z_cm"]) / 100, 5.0) * 100, table["psi_cm"], atol=2e-3)


def test_srivastava_yeh_converges():
    errors = []
    for nlayer, dt in ((25, 240.0), (50, 120.0), (100, 60.0)):
        height, head = solve_srivastava_yeh(nlayer, dt, 2.0)
        errors.append(np.sqrt(np.mean((head - srivastava_yeh(height, 2.0)) ** 2)))
    assert errors[1] < 0.65 * errors[0]
    assert errors[2] < 0.65 * errors[1]
