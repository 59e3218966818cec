"""Random hard cases of distributed flow must finish with default settings: nobody tunes a solver by hand."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes

from pyland.base.errors import ConvergenceError
from pyland.subsurface import Boundary, DistributedSubsurface

# sand, clay, gravel, silt, loam, peat: porosity, residual water, Ks [m s-1], alpha [m-1], n
SOILS = np.array([
    [0.375, 0.053, 7.4e-5, 3.52, 3.18], [0.459, 0.098, 1.7e-6, 1.50, 1.25], [0.25, 0.005, 1e-2, 20.0, 3.5],
    [0.489, 0.050, 5.1e-6, 0.66, 1.68], [0.399, 0.061, 1.4e-6, 1.11, 1.47], [0.85, 0.10, 1e-5, 5.0, 1.35],
])
KINDS = ("dry sand", "clay over gravel", "contrast", "steep", "thin", "wells", "evaporation", "any")


def hard_case(seed: int) -> tuple[dict, list[dict]]:
    """Return options of the flow and arguments of its steps of 1 h."""
    rng = np.random.default_rng([2024, seed])
    kind = KINDS[seed % len(KINDS)]
    nx, ny, nz = 6, 5, 8
    shape = (nz, ny, nx)
    which = rng.integers(len(SOILS), size=shape)
    thickness = 10.0 ** rng.uniform(-1.5, 0.3, nz)
    slope = 10.0 ** rng.uniform(-4.0, -1.0)
    head = -(10.0 ** rng.uniform(-1.0, 2.0, shape))
    rain = np.full(6, 10.0 ** rng.uniform(-4.0, -2.0))
    rain[rng.integers(2, 6):] = 0.0
    source = np.zeros(shape)
    if kind == "dry sand":
        which[:] = 0
        head[:] = -(10.0 ** rng.uniform(1.5, 3.0))
        rain[:3] = 100.0 / 3600
    elif kind == "clay over gravel":
        which[: nz // 2], which[nz // 2:] = 1, 2
        head[: nz // 2], head[nz // 2:] = -1.0, -(10.0 ** rng.uniform(0.0, 1.0))
        rain[:3] = 30.0 / 3600
    elif kind == "steep":
        slope = rng.uniform(0.2, 0.8)
        head = np.cumsum(thickness)[:, None, None] - rng.uniform(0.1, 2.0) + np.zeros(shape)
    elif kind == "thin":
        thickness = np.array([0.005, 0.01, 0.01, 0.02, 0.05, 0.1, 1.0, 10.0])
        rain[:3] = 50.0 / 3600
    elif kind == "wells":
        source[rng.integers(nz), 2, 3] = -rng.uniform(0.0, 2e-2)
        source[rng.integers(nz), 1, 1] = rng.uniform(0.0, 2e-2)
        head = np.cumsum(thickness)[:, None, None] - rng.uniform(0.1, 3.0) + np.zeros(shape)
    elif kind == "evaporation":
        rain[:] = -1e-3
        source[:4] = -1e-4
    soil = dict(zip(("porosity", "residual_water", "saturated_conductivity", "van_genuchten_alpha", "van_genuchten_n"),
                    np.moveaxis(SOILS[which], -1, 0), strict=True))
    soil["specific_storage"] = 10.0 ** rng.uniform(-6.0, -3.0)
    if kind in ("contrast", "any"):
        soil["saturated_conductivity"] = 10.0 ** rng.uniform(-9.0, -3.0, shape)
    overland = ("none", "kinematic", "diffusive")[rng.integers(3)]
    angle = rng.uniform(0.0, 2.0 * np.pi)
    side = ({}, {"bottom": Boundary("free_drainage")}, {"east": Boundary("seepage")},
            {"west": Boundary("hydrostatic", 1.0)})[rng.integers(4)]
    options = {
        "thickness": thickness, "soil": soil, "nx": nx, "ny": ny, "dx": 10.0 ** rng.uniform(0.5, 3.0), "dy": 30.0,
        "slope_x": slope * np.cos(angle) * (1.0 + 0.5 * rng.standard_normal((ny, nx))),
        "slope_y": slope * np.sin(angle) * (1.0 + 0.5 * rng.standard_normal((ny, nx))), "overland": overland,
        "manning": 10.0 ** rng.uniform(-2.0, -0.7), "boundaries": side, "pressure_head": head,
    }
    return options, [{"dt": 3600.0, "rain": float(rate), "source": source} for rate in rain]


def failing(seeds: range) -> dict[int, str]:
    """Seeds that do not finish or do not close, and what they said."""
    failed = {}
    for seed in seeds:
        options, steps = hard_case(seed)
        try:
            flow = DistributedSubsurface(**options)
            for step in steps:
                flow.advance(**step)
            assert np.isfinite(flow.pressure).all(), "heads are not finite"
            assert_water_closes(flow)
        except (ConvergenceError, AssertionError, ArithmeticError) as error:
            failed[seed] = f"{KINDS[seed % len(KINDS)]}, {options['overland']}: {error}"
    return failed


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_hard_cases_finish(first):
    """Dry sand under a storm, clay over gravel, contrasts of 1e6, slopes to 0.8, layers of 5 mm; 6 steps of 1 h.

    All 200 finish with default settings, and none loses water.
    """
    failed = failing(range(first, first + 50))
    assert not failed, "\n".join(f"seed {seed}: {said}" for seed, said in failed.items())
