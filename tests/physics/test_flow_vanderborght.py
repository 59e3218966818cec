"""Infiltration and evaporation of Vanderborght et al. (2005, Vadose Zone J. 4, 206-221) through the distributed solver.

Depths of travelling waves are those of DuMux at the first time and exact from there on; rates of evaporation are
converged numerical ones. Upstream permeability is of first order in the cell: two cells are extrapolated to none.
"""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes

from pyland.subsurface import Boundary, DistributedSubsurface

DAY = 86400.0
NAMES = ("residual_water", "porosity", "van_genuchten_alpha", "van_genuchten_n", "saturated_conductivity")
SOILS = {"sand": (0.045, 0.43, 15.0, 3.0, 10.0 / DAY), "loam": (0.08, 0.43, 4.0, 1.6, 0.5 / DAY),
         "clay": (0.1, 0.4, 1.0, 1.1, 0.1 / DAY)}


def soil_of(name: str) -> dict[str, float]:
    return dict(zip(NAMES, SOILS[name], strict=True)) | {"specific_storage": 1e-9}


def infiltrate(name: str, size: float, days: tuple[float, ...], at_surface: float) -> np.ndarray:
    """Depths of the mean of initial and surface water content [m] at times, under 100 cm/d from a head of -4 m."""
    flow = DistributedSubsurface(np.full(round(2.2 / size), size), soil_of(name), nx=1, ny=1, dx=1.0, dy=1.0,
                                 pressure_head=-4.0, boundaries={"bottom": Boundary("free_drainage")})
    middle = 0.5 * (flow.soil_water[0, 0, 0] + at_surface)
    depths, done = [], 0
    for day in days:
        steps = round(day * DAY / (216.0 * size / 0.01))
        for _ in range(steps - done):
            flow.advance(216.0 * size / 0.01, rain=1000.0 / DAY)
        done = steps
        water = flow.soil_water[:, 0, 0]
        first = np.flatnonzero(water < middle)[0]
        part = (water[first - 1] - middle) / (water[first - 1] - water[first])
        depths.append((first - 0.5 + part) * size)
    assert water[0] == pytest.approx(at_surface, abs=1e-4)
    assert_water_closes(flow)
    return np.array(depths)


@pytest.mark.parametrize(("name", "days", "depths", "at_surface", "limit"), [
    ("sand", (0.1, 0.2, 0.3), (0.4278, 0.8492, 1.2706), 0.2824, 0.001),
    ("loam", (0.2, 0.5, 1.0), (0.4003, 0.9285, 1.8088), 0.43, 0.004),
    ("clay", (0.1, 0.2, 0.5), (0.2441, 0.4741, 1.1640), 0.40, 0.01),
])
def test_infiltration_is_a_travelling_wave(name, days, depths, at_surface, limit):
    """Fronts at the depths of the paper, at the exact speed (K_surface - K_i)/(theta_surface - theta_i).

    Speeds 421.4, 176.1 and 230.0 cm/d; loam and clay shed what they do not take. The first cells fill too fast: an
    offset of the front that the extrapolation leaves in part.
    """
    coarse, fine = (infiltrate(name, size, days, at_surface) for size in (0.02, 0.01))
    np.testing.assert_allclose(2.0 * fine - coarse, depths, atol=limit)
    speed = (fine[-1] - fine[-2]) / (days[-1] - days[-2])
    assert speed == pytest.approx({"sand": 4.214, "loam": 1.761, "clay": 2.300}[name], rel=0.002)


def evaporate(name: str, start: float, potential: float, size: float, days: tuple[float, ...]) -> np.ndarray:
    """Rates [m s-1] at times from a horizontal column of 1 m, at the potential rate until its end falls to -100 m."""
    options = {"nx": round(1.0 / size), "ny": 1, "dx": size, "dy": 1.0}
    lid = Boundary("no_flow")
    flow = DistributedSubsurface([1.0], soil_of(name), **options, pressure_head=start,
                                 boundaries={"top": lid, "west": Boundary("flux", -potential)})
    first = days[0] / 1e5 * DAY
    time, step, wet, rates = 0.0, first, True, []
    for end in days:
        while time < end * DAY:
            span = min(step, end * DAY - time)
            out = flow.advance(span)
            time, step = time + span, min(1.2 * step, days[0] / 100.0 * DAY)
            if wet and flow.pressure[0, 0, 0] < -100.0:
                wet, step = False, first
                flow = DistributedSubsurface([1.0], soil_of(name), **options, pressure_head=flow.pressure.copy(),
                                             boundaries={"top": lid, "west": Boundary("head", -100.0)})
        rates.append(-out["boundary"]["west"])
    assert_water_closes(flow)
    return np.array(rates)


@pytest.mark.parametrize(("name", "start", "potential", "days", "rates"), [
    ("sand", -0.4, 0.1, (0.5, 1.0), (0.0062, 0.0044)),
    ("loam", -2.0, 0.1, (5.0, 10.0), (0.0325, 0.0225)),
    ("loam", -2.0, 0.3, (5.0, 10.0), (0.0313, 0.0221)),
])
def test_evaporation_falls_as_the_soil_supplies(name, start, potential, days, rates):
    """Without gravity, cm/d: the second stage, long after the surface has dried to -100 m."""
    coarse, fine = (evaporate(name, start, potential / 100.0 / DAY, size, days) for size in (0.002, 0.001))
    np.testing.assert_allclose((2.0 * fine - coarse) * 100.0 * DAY, rates, rtol=0.025)
