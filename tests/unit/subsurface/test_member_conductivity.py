"""Members with their own conductivity move as grounds of that conductivity do."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.subsurface import Boundary, Subsurface

NX, NY, NZ = 5, 4, 4
SOIL = {"porosity": 0.4, "residual_water": 0.06, "van_genuchten_alpha": 2.5, "van_genuchten_n": 1.8}
SIDES = {"west": Boundary("hydrostatic", 0.5), "bottom": Boundary("free_drainage"), "east": Boundary("seepage")}


def slope(conductivity, sideways, **options):
    x = np.linspace(-1.0, 1.0, NX * NY).reshape(NY, NX)
    return Subsurface(
        [0.1, 0.2, 0.4, 0.8], SOIL | {
            "saturated_conductivity": conductivity, "saturated_conductivity_x": sideways,
            "saturated_conductivity_y": sideways},
        mode="distributed", nx=NX, ny=NY, dx=20.0, dy=30.0, slope_x=0.04 * x, slope_y=-0.03 * x, overland="kinematic",
        manning=0.1, water_table_depth=0.6, boundaries=SIDES, **options)


def moved(flow, hours=6):
    outflow = [flow.advance(3600.0, rain=4.0 / 3600.0 if hour < 3 else 0.0) for hour in range(hours)]
    return np.array(flow.pressure), [one["boundary"] for one in outflow]


def test_each_member_is_the_ground_of_its_conductivity():
    rng = np.random.default_rng(2)
    base = 2e-6 * np.exp(rng.normal(0.0, 0.5, (NZ, NY, NX)))
    factor = 2.0 ** rng.integers(-2, 3, (3, NZ, NY, NX))  # powers of two: products are exact
    members = slope(base, 5.0 * base, members=3)
    shared, _ = moved(slope(base, 5.0 * base, members=3))
    assert np.array_equal(shared[0], shared[2])
    members.set_conductivity(base * factor)
    assert np.array_equal(members.conductivity, base * factor)
    heads, sides = moved(members)
    for number in range(3):
        alone, alone_sides = moved(slope(base * factor[number], 5.0 * base * factor[number]))
        assert np.array_equal(heads[number], alone)
        for one, other in zip(sides, alone_sides, strict=True):
            assert {side: values[number] for side, values in one.items()} == pytest.approx(other, rel=1e-12)
    assert np.abs(heads[0] - heads[1]).max() > 0.01
    assert np.abs(np.array(members.balance["residual"])).max() < 1e-9 * members.balance["storage_subsurface"].max()


def test_a_conductivity_that_does_not_fit():
    flow = slope(2e-6, 1e-5, members=2)
    with pytest.raises(InputError, match="expected shape"):
        flow.set_conductivity(np.full((NZ, NY, NX), 1e-6))
    with pytest.raises(InputError, match="must be positive"):
        flow.set_conductivity(np.zeros((2, NZ, NY, NX)))
