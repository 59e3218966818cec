"""Columns through the distributed solver against published infiltration problems, and states of rest."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes
from scipy.optimize import brentq

from pyland.subsurface import Boundary, DistributedSubsurface, water_from_head

CELIA = {"porosity": 0.368, "residual_water": 0.102, "van_genuchten_alpha": 3.35, "van_genuchten_n": 2.0,
         "saturated_conductivity": 9.22e-5, "specific_storage": 1e-7}
CELIA_DEPTH = np.array([0.10, 0.20, 0.30, 0.40])
CELIA_HEAD = np.array([-0.7687, -0.8028, -0.8673, -1.0047])


def celia(nlayer: int, dt: float) -> tuple[float, float, np.ndarray, DistributedSubsurface]:
    """Infiltration [m], depth where the head is -5 m [m], heads at CELIA_DEPTH [m] after one day."""
    flow = DistributedSubsurface(
        np.full(nlayer, 1.0 / nlayer), CELIA, nx=2, ny=1, dx=1.0, dy=1.0, pressure_head=-10.0,
        boundaries={"top": Boundary("head", -0.75), "bottom": Boundary("head", -10.0)},
    )
    for _ in range(round(86400 / dt)):
        flow.advance(dt)
    node = (np.arange(nlayer) + 0.5) / nlayer
    head = flow.pressure[:, 0, 0]
    assert np.abs(flow.pressure[:, 0, 1] - head).max() < 1e-7  # equal columns stay equal
    return flow.balance["boundary_top"] / 2.0, np.interp(5.0, -head, node), np.interp(CELIA_DEPTH, node, head), flow


def test_celia_1990():
    """Celia, Bouloutas and Zarba (1990), New Mexico soil, 24 h: 2000 cells give 4.1129 cm, head -500 cm at 56.49 cm.

    Upstream permeability is of first order in the cell: 1 and 0.5 cm are extrapolated to none.
    """
    coarse, deep, _, _ = celia(100, 360.0)
    fine, front, head, flow = celia(200, 180.0)
    assert fine == pytest.approx(0.041129, rel=0.025)
    assert 2.0 * fine - coarse == pytest.approx(0.041129, rel=0.005), f"{100 * coarse:.4f}, {100 * fine:.4f} cm"
    assert 2.0 * front - deep == pytest.approx(0.5649, abs=0.008), f"fronts at {deep:.4f} and {front:.4f} m"
    np.testing.assert_allclose(head, CELIA_HEAD, rtol=0.01)
    assert_water_closes(flow)


SRIVASTAVA = {"porosity": 0.40, "residual_water": 0.06, "gardner_alpha": 10.0, "saturated_conductivity": 0.01 / 3600,
              "specific_storage": 1e-7}


def srivastava_yeh(height: np.ndarray, hours: float) -> np.ndarray:
    """Exact head [m] at height above the base [m] (Srivastava and Yeh 1991, Water Resour. Res. 27, 753-762)."""
    span, start, end = 10.0, 0.1, 0.9
    z, tau = 10.0 * height, 10.0 * SRIVASTAVA["saturated_conductivity"] * hours * 3600 / 0.34
    root = np.array([brentq(lambda x: np.sin(x * span) + 2 * x * np.cos(x * span), (k - 0.5) * np.pi / span + 1e-10,
                            (k + 0.5) * np.pi / span - 1e-10) for k in range(1, 300)])
    terms = (np.sin(np.outer(z, root)) * np.sin(root * span) * np.exp(-(root**2) * tau)
             / (1 + span / 2 + 2 * root**2 * span)).sum(axis=1)
    relative = end - (end - 1) * np.exp(-z) - 4 * (end - start) * np.exp((span - z) / 2) * np.exp(-tau / 4) * terms
    return np.log(relative) / 10.0


def solve_srivastava_yeh(nlayer: int, dt: float, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """Height above the base and head [m]."""
    height = 1.0 - (np.arange(nlayer) + 0.5) / nlayer
    steady = np.log(0.1 + 0.9 * np.exp(-10.0 * height)) / 10.0
    flow = DistributedSubsurface(
        np.full(nlayer, 1.0 / nlayer), SRIVASTAVA, retention="gardner", nx=1, ny=1, dx=1.0, dy=1.0,
        pressure_head=steady, boundaries={"bottom": Boundary("head", 0.0)},
    )
    for _ in range(round(hours * 3600 / dt)):
        flow.advance(dt, rain=0.9 * 0.01 / 3.6)
    assert_water_closes(flow)
    return height, flow.pressure[:, 0, 0].copy()


@pytest.mark.parametrize("hours", [1.0, 5.0, 10.0])
def test_srivastava_yeh_1991(hours):
    """Exact solution of a Gardner soil, q 0.1 -> 0.9 cm/h; 0.5 cm cells are within a few mm of head."""
    height, head = solve_srivastava_yeh(200, 120.0, hours)
    np.testing.assert_allclose(head, srivastava_yeh(height, hours), atol=5e-3)


def test_order_of_convergence_in_the_cell():
    """Upstream permeability: first order against the exact solution of Srivastava and Yeh."""
    error = []
    for nlayer in (25, 50, 100):
        height, head = solve_srivastava_yeh(nlayer, 30.0, 2.0)
        error.append(np.mean(np.abs(head - srivastava_yeh(height, 2.0))))
    order = np.log2(np.divide(error[:-1], error[1:]))
    assert order.min() > 0.8, f"orders in dz {order}, mean errors {error} m"


def test_order_of_convergence_in_the_step():
    """Backward Euler: first order, from the differences of steps halved three times."""
    head = [solve_srivastava_yeh(50, dt, 2.0)[1] for dt in (720.0, 360.0, 180.0, 90.0)]
    change = [np.mean(np.abs(one - two)) for one, two in zip(head[:-1], head[1:], strict=True)]
    order = np.log2(np.divide(change[:-1], change[1:]))
    assert order.min() > 0.85 and order.max() < 1.3, f"orders in dt {order}, changes {change} m"


def test_yolo_clay_infiltrates_like_philip():
    """Philip (1957): I = S sqrt(t) + A t with K_s of Yolo light clay; S from Parlange (1975) for the same curve.

    Upstream permeability and backward Euler are of first order: series of two cells, each with its step, are
    extrapolated to none before the fit. What the first cells took too fast stays as an offset, the third term. Philip
    (1969, Adv. Hydrosci. 5, 215-296) has A between K_s/3 and 2 K_s/3.
    """
    soil = {"porosity": 0.495, "residual_water": 0.124, "van_genuchten_alpha": 1.5, "van_genuchten_n": 2.0,
            "saturated_conductivity": 1.23e-7, "specific_storage": 1e-9}
    start = -6.0
    head = -np.geomspace(1e-4, -start, 4000)[::-1]
    water = water_from_head(head, soil)
    effective = (water - 0.124) / (0.495 - 0.124)
    conductivity = 1.23e-7 * np.sqrt(effective) * (1 - (1 - effective**2) ** 0.5) ** 2
    sorptivity = np.sqrt(np.trapezoid((0.495 + water - 2 * water[0]) * conductivity, head))
    series = []
    for part in (1, 2):
        flow = DistributedSubsurface(np.full(150 * part, 0.004 / part), soil, nx=1, ny=1, dx=1.0, dy=1.0,
                                     pressure_head=start, boundaries={"top": Boundary("head", 0.0)})
        taken = [0.0]
        for _ in range(120 * part):
            flow.advance(300.0 / part)
            taken.append(flow.balance["boundary_top"])
        series.append(np.array(taken[::part]))
        assert_water_closes(flow)
    time = 300.0 * np.arange(121)[24:]
    terms = np.stack([np.sqrt(time), time, np.ones(time.size)], axis=1)
    (fitted, linear, _), *_ = np.linalg.lstsq(terms, (2.0 * series[1] - series[0])[24:], rcond=None)
    assert fitted == pytest.approx(sorptivity, rel=0.01), f"S {fitted:.4e} for {sorptivity:.4e} m s-1/2"
    assert 1.0 / 3.0 < linear / 1.23e-7 < 2.0 / 3.0, f"A is {linear / 1.23e-7:.2f} of K_s"


# ---------------------------------------------------------------------------------------------------- states of rest
def rough_hillslope() -> tuple[dict, np.ndarray]:
    """Return options of a closed hillslope of three soils in layers of any thickness, and its head at rest."""
    nx, ny, dx, dy = 8, 6, 20.0, 30.0
    thickness = np.array([0.05, 0.1, 0.2, 0.4, 0.25, 1.0, 0.6])
    slope_x = (-0.05 + 0.03 * np.sin(np.arange(nx))) * np.ones((ny, 1))
    slope_y = (0.02 * np.cos(np.arange(ny)))[:, None] * np.ones(nx)
    soil = {"porosity": np.array([0.45] * 3 + [0.38] * 2 + [0.3] * 2),
            "residual_water": np.array([0.03] * 3 + [0.1] * 2 + [0.02] * 2),
            "saturated_conductivity": np.array([1e-4] * 3 + [1e-7] * 2 + [3e-5] * 2),
            "van_genuchten_alpha": np.array([6.0] * 3 + [0.8] * 2 + [2.0] * 2),
            "van_genuchten_n": np.array([2.5] * 3 + [1.3] * 2 + [1.8] * 2), "specific_storage": 1e-5}
    depth = np.cumsum(thickness) - 0.5 * thickness

    def climb(slope: np.ndarray, size: float) -> np.ndarray:
        """Height of nodes along a row [m]: faces carry the means of the sines and cosines of their cells."""
        angle = np.arctan(slope)
        rise = size * (np.sin(angle[1:]) + np.sin(angle[:-1])) / (np.cos(angle[1:]) + np.cos(angle[:-1]))
        return np.concatenate([[0.0], np.cumsum(rise)])

    height = climb(slope_y[:, 0], dy)[:, None] + climb(slope_x[0], dx)
    head = depth[:, None, None] - 1.2 - (height - height.min())
    options = {"thickness": thickness, "soil": soil, "nx": nx, "ny": ny, "dx": dx, "dy": dy, "slope_x": slope_x,
               "slope_y": slope_y}
    return options, head


@pytest.mark.parametrize("overland", ["none", "kinematic", "diffusive"])
def test_a_closed_hillslope_at_rest_stays_at_rest(overland):
    """Heads that balance gravity along the slope keep every cell to 1e-10 m over ten days (Maxwell 2013).

    The tolerance is that of rounding, so that steps are really solved.
    """
    options, head = rough_hillslope()
    flow = DistributedSubsurface(**options, overland=overland, pressure_head=head, tolerance=1e-12)
    for _ in range(40):
        flow.advance(21600.0)
    assert np.abs(flow.pressure - head).max() < 1e-10
    assert_water_closes(flow, 1e-13)


def test_flat_layers_at_rest_stay_at_rest():
    """Hydrostatic heads from a water table, held from below, three soils."""
    options, _ = rough_hillslope()
    options |= {"slope_x": 0.0, "slope_y": 0.0}
    flow = DistributedSubsurface(**options, water_table_depth=1.5, tolerance=1e-12,
                                 boundaries={"bottom": Boundary("hydrostatic", 1.5)})
    first = flow.pressure.copy()
    depth = np.cumsum(options["thickness"]) - 0.5 * options["thickness"]
    np.testing.assert_allclose(first, np.broadcast_to((depth - 1.5)[:, None, None], first.shape), atol=1e-14)
    for _ in range(40):
        flow.advance(21600.0)
    assert np.abs(flow.pressure - first).max() < 1e-10


def test_a_disturbed_hillslope_comes_to_rest():
    """Water moved about within a closed hillslope of one sand ends with one total head, and none is lost."""
    options, rest = rough_hillslope()
    options["soil"] = {"porosity": 0.4, "residual_water": 0.02, "saturated_conductivity": 1e-3,
                       "van_genuchten_alpha": 1.0, "van_genuchten_n": 1.8, "specific_storage": 1e-4}
    rest += 0.6
    noise = np.random.default_rng(3).normal(0.0, 0.1, rest.shape)
    flow = DistributedSubsurface(**options, overland="diffusive", pressure_head=rest + noise - 0.4)
    before = flow.balance["storage_subsurface"]
    for step in range(120):
        flow.advance(3600.0 * min(1.15**step, 1e5))
    total = flow.pressure - rest
    assert np.ptp(total) < 1e-6, f"total heads still differ by {np.ptp(total):.1e} m"
    after = flow.balance["storage_subsurface"] + flow.balance["storage_surface"]
    assert after == pytest.approx(before, rel=1e-10)
