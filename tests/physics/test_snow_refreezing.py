"""Rain on cold snow: water refreezes until the cold is spent, then passes (Colbeck 1976, the third case)."""

from dataclasses import replace

import numpy as np
import pytest
from snow_packs import make_pack

from pyland.land import percolate_snow, step_ground_heat

LAYERS, DEPTH, DENSITY, COLD = 10, 1.0, 300.0, 5.0
LF, CI, TF = 3.337e5, 2117.27, 273.15
HOLDING = 0.07
RAIN = 36.0 / 3600.0


@pytest.mark.parametrize("scheme", ["bucket", "kinematic"])
def test_rain_fills_the_cold_then_the_holding_then_runs_out(scheme):
    ice = np.full(LAYERS, DENSITY * DEPTH / LAYERS)
    pack = make_pack(ice, thickness=np.full(LAYERS, DEPTH / LAYERS), temperature=np.full(LAYERS, TF - COLD),
                     grain_radius=1000.0)
    dt, out, time = 60.0, 0.0, 0.0
    first = None
    while time < 6 * 3600.0:
        pack, outflow = percolate_snow(pack, dt, RAIN, scheme=scheme, holding=HOLDING)
        out += dt * outflow[0]
        time += dt
        if first is None and outflow[0] > 0.05 * RAIN:
            first = time
        # no heat in or out: liquid in cold layers freezes and warms them
        capacity = np.vstack([np.zeros((LAYERS, 1)), np.full((1, 1), 1e6)])
        wet = np.vstack([pack.liquid, np.zeros((1, 1))])
        mass = np.vstack([pack.ice + pack.liquid, np.zeros((1, 1))])
        heat = step_ground_heat(dt, dry_capacity=capacity, conductance=0.0, water=mass, liquid=wet, snow_rows=LAYERS,
                                temperature=np.vstack([pack.temperature, np.full((1, 1), TF)]))
        pack = replace(pack, temperature=heat.temperature[:LAYERS], liquid=heat.liquid[:LAYERS],
                       ice=mass[:LAYERS] - heat.liquid[:LAYERS])
    frozen = pack.ice.sum() - ice.sum()
    assert frozen == pytest.approx(DENSITY * DEPTH * CI * COLD / LF, rel=1e-9), "cold content over heat of fusion"
    held = pack.liquid.sum()
    assert frozen + held + out == pytest.approx(RAIN * time, rel=1e-12)
    assert (pack.temperature == TF).all()
    pores = 1000.0 * (DEPTH - pack.ice.sum() / 917.0)
    if scheme == "bucket":
        assert held == pytest.approx(HOLDING * pores, rel=1e-6)
        assert first == pytest.approx((frozen + held) / RAIN, abs=2 * dt)
    else:
        steady = out / (time - first)  # all rain passes once the wave has
        assert first > (frozen + HOLDING * pores) / RAIN and steady < RAIN
