"""Where distributed flow meets its bounds: dry cells under sinks, ice in the pores, sides at rest."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes

from pyland.base.errors import InputError
from pyland.subsurface import Boundary, DistributedSubsurface

LOAM = {"porosity": 0.4, "residual_water": 0.05, "saturated_conductivity": 1e-6, "van_genuchten_alpha": 2.0,
        "van_genuchten_n": 1.6, "specific_storage": 1e-4}
BOX = {"nx": 3, "ny": 2, "dx": 5.0, "dy": 5.0}


@pytest.mark.parametrize("dt", [3600.0, 86400.0, 1e7])
def test_roots_and_evaporation_stop_at_the_air_dry_head(dt):
    """Demand goes on after the water is gone: heads stay at the bound, what was met is what the balance says."""
    flow = DistributedSubsurface([0.05, 0.1, 0.2, 0.3], LOAM, pressure_head=-3.0, air_dry_head=-1000.0, **BOX)
    demand = np.array([0.0, -1e-5, 0.0, 0.0])
    met = []
    for _ in range(max(round(1e7 / dt) // 20, 1)):
        out = flow.advance(dt, rain=-5e-5, source=demand)
        met.append((out["rain"][0, 0], out["source"][1, 0, 0]))
        assert (flow.pressure >= -1000.0 - 1e-6).all()
    rain, source = np.array(met).T
    assert ((rain >= -5e-5) & (rain <= 0.0)).all() and ((source >= -1e-5) & (source <= 0.0)).all()
    assert flow.pressure[0, 0, 0] == pytest.approx(-1000.0, abs=1e-6)
    assert -1e-5 < rain[-1] < 0.0, "what rises to a dry surface, no more"
    assert_water_closes(flow)


def test_a_well_takes_what_flows_to_it_however_long_the_step():
    """Pumping from a cell that holds 1 h of it: the sides supply the rest, in a step of 100 years as in short ones."""
    soil = LOAM | {"saturated_conductivity": 1e-4}
    size = 21
    flow = DistributedSubsurface([10.0], soil, nx=size, ny=size, dx=10.0, dy=10.0, pressure_head=30.0,
                                 boundaries={"top": Boundary("no_flow")} | {
                                     side: Boundary("head", 30.0) for side in ("west", "east", "south", "north")})
    well = np.zeros((1, size, size))
    well[0, size // 2, size // 2] = -0.02  # [kg m-2 s-1], 2e-3 m3 s-1
    out = flow.advance(3.15e9, source=well)
    np.testing.assert_allclose(out["source"], well, rtol=1e-12)
    assert sum(out["boundary"].values()) == pytest.approx(2e-3, rel=1e-5)
    assert flow.pressure.min() > 20.0


def test_ice_takes_pores_and_slows_flow():
    """Conductivity of a saturated column falls by 10**(-6 ice/porosity), its liquid water by the ice (Lundin 1990)."""
    flow = DistributedSubsurface([0.1] * 5, LOAM, pressure_head=1.0, **BOX,
                                 boundaries={"bottom": Boundary("head", 1.0), "top": Boundary("flux", 1e-8)})
    before = flow.balance["storage_subsurface"]
    ice = 0.1
    flow.set_ice(ice)
    gained = flow.balance["storage_subsurface"] - before
    assert abs(gained) < 1e-3 * ice * 0.5 * 150.0  # but for compression, ice has taken the place of water
    assert flow.balance["increment"] == pytest.approx(gained, rel=1e-12)
    np.testing.assert_allclose(flow.soil_water, 0.4 - ice, rtol=1e-12)
    flow.advance(1e9)
    gradient = (flow.pressure[0, 0, 0] - flow.pressure[4, 0, 0]) / 0.4 + 1.0
    assert gradient == pytest.approx(1e-8 / (1e-6 * 10.0 ** (-6.0 * ice / 0.4)), rel=1e-6)
    assert_water_closes(flow)
    with pytest.raises(InputError, match="ice"):
        flow.set_ice(0.39)


def test_hydrostatic_sides_of_level_layers_leave_level_water_at_rest():
    """Without terrain-following layers slopes are those of flow over land alone: sides do not feel them."""
    flow = DistributedSubsurface([0.5] * 6, LOAM, nx=5, ny=4, dx=10.0, dy=10.0, slope_x=0.1, slope_y=-0.05,
                                 terrain_following=False, water_table_depth=1.0,
                                 boundaries={side: Boundary("hydrostatic", 1.0) for side in ("west", "east", "south")})
    start = flow.pressure.copy()
    for _ in range(10):
        out = flow.advance(86400.0)
    np.testing.assert_allclose(flow.pressure, start, atol=1e-7)
    assert all(abs(inflow) < 1e-12 for inflow in out["boundary"].values())
