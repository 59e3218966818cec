"""Krylov iterations do not grow with the grid, whatever the shape of the cells."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.subsurface import Boundary, DistributedSubsurface


def iterations(count: int, ratio: float, conductivity: str = "uniform", wells: bool = True) -> float:
    """Krylov iterations per Newton iteration of a steady confined flow, count x count x 8 cells, dx/dz = ratio."""
    rng = np.random.default_rng(11)
    shape = (8, count, count)
    k_sat = 1e-5 if conductivity == "uniform" else 10.0 ** rng.normal(-5.0, 0.7, shape)
    soil = {"porosity": 0.3, "saturated_conductivity": k_sat, "van_genuchten_alpha": 2.0, "van_genuchten_n": 2.0,
            "specific_storage": 1e-6}
    flow = DistributedSubsurface(np.ones(8), soil, nx=count, ny=count, dx=ratio, dy=ratio, pressure_head=200.0,
                                 boundaries={"top": Boundary("no_flow"), "west": Boundary("head", 200.0)})
    source = np.zeros(shape)
    if wells:
        source[3, count // 3, count // 2] = -1e-5
        source[:, count // 4, 3 * count // 4] = 1e-6
    out = flow.advance(1e12, source=source)
    return out["krylov_iterations"] / max(out["newton_iterations"], 1)


@pytest.mark.parametrize("ratio", [1.0, 30.0, 1e3, 1e5])
def test_iterations_do_not_grow_with_the_grid(ratio):
    """Steady confined flow to wells: from 32x32 to 128x128 columns not more than 1.3 times, and below 15."""
    small, large = iterations(32, ratio), iterations(128, ratio)
    assert large < 15.0 and large <= 1.3 * max(small, 2.0), f"{small:.1f} and {large:.1f} per Newton iteration"


@pytest.mark.parametrize("ratio", [1.0, 1e3])
def test_iterations_with_heterogeneous_conductivity(ratio):
    """Lognormal conductivity without correlation, standard deviation 0.7 of log10."""
    small, large = iterations(32, ratio, "random"), iterations(96, ratio, "random")
    assert large < 15.0 and large <= 1.3 * max(small, 3.0), f"{small:.1f} and {large:.1f} per Newton iteration"


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.0, 1e3, 1e5])
def test_iterations_on_a_large_grid(ratio):
    """512 x 512 x 8 cells."""
    small, large = iterations(32, ratio), iterations(512, ratio)
    assert large < 15.0 and large <= 1.3 * max(small, 2.0), f"{small:.1f} and {large:.1f} per Newton iteration"


def test_overland_coupling_does_not_cost_iterations():
    """Flow-ordered columns: a storm on a tilted V needs few iterations per Newton step on any grid."""
    from flow_cases import run, tilted_v_soil

    found = []
    for nx, ny in ((32, 16), (128, 64)):
        case = tilted_v_soil(nx, ny)
        total = run(case.build(), case.steps[:8])
        found.append(total["krylov_iterations"] / total["newton_iterations"])
    assert found[1] < 15.0 and found[1] <= 1.3 * max(found[0], 2.0), f"{found} per Newton iteration"
