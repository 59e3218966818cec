"""Equilibrium, conservation, saturation, runoff, boundaries and hard cases of Richards columns."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.domain.pedotransfer import clapp_hornberger_cosby, van_genuchten_rosetta
from pyland.subsurface import Subsurface, water_from_head

LAYERS = np.array(
    [
        0.02,
        0.04,
        0.06,
        0.08,
        0.12,
        0.16,
        0.20,
        0.24,
        0.28,
        0.32,
        0.36,
        0.40,
        0.44,
        0.54,
        0.64,
        0.74,
        0.84,
        0.94,
        1.04,
        1.14,
    ]
)
LOAM = {
    "porosity": 0.43,
    "residual_water": 0.08,
    "van_genuchten_alpha": 4.0,
    "van_genuchten_n": 1.6,
    "saturated_conductivity": 0.5 / 86400,
}


def textures(ncolumn: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return 5 + 85 * rng.random((1, ncolumn)), 3 + 7 * rng.random((1, ncolumn))


def soils(retention: str, ncolumn: int) -> dict[str, np.ndarray]:
    sand, clay = textures(ncolumn)
    table = van_genuchten_rosetta if retention == "van_genuchten" else clapp_hornberger_cosby
    return {name: np.repeat(value, LAYERS.size, axis=0) for name, value in table(sand, clay).items()}


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_hydrostatic_equilibrium_stays_at_rest(retention):
    column = Subsurface(
        LAYERS,
        soils(retention, 40),
        retention=retention,
        nx=40,
        water_table_depth=3.0,
        lower_boundary="water_table",
        base_depth=3.0,
    )
    closed = Subsurface(
        LAYERS, soils(retention, 40), retention=retention, nx=40, water_table_depth=3.0, lower_boundary="no_flow"
    )
    first = column.pressure.copy()
    for _ in range(480):
        column.advance(1800.0)
        closed.advance(1800.0)
    assert np.abs(column.pressure - first).max() < 1e-10
    assert np.abs(closed.pressure - first).max() < 1e-10


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
@pytest.mark.parametrize("lower", ["free_drainage", "no_flow", "water_table"])
def test_water_closes_over_a_random_year(retention, lower):
    ncolumn = 32
    rng = np.random.default_rng(11)
    column = Subsurface(
        LAYERS,
        soils(retention, ncolumn),
        retention=retention,
        nx=ncolumn,
        pressure_head=-2.0,
        lower_boundary=lower,
        base_depth=4.0 if lower == "water_table" else None,
        ponding_depth=0.01,
    )
    roots = np.zeros((LAYERS.size, ncolumn))
    dt, worst = 3600.0, 0.0
    for step in range(8760):
        day = max(np.sin((step % 24 - 6) / 12 * np.pi), 0.0)
        wet = rng.random(ncolumn) < 0.04
        roots[:10] = -1e-5 * day * (1 + rng.random())
        flux = column.advance(dt, source=roots, rain=wet * rng.exponential(1.5e-3, ncolumn), evaporation=5e-5 * day)
        worst = max(worst, np.abs(flux["residual"]).max())
    balance = column.balance
    assert (np.abs(balance["residual"]) <= 1e-12 * balance["storage"]).all()
    assert worst < 1e-11
    porosity = soils(retention, ncolumn)["porosity"]
    assert (column.soil_water <= porosity).all()
    # heads and water contents belong together
    reached = water_from_head(column.pressure, soils(retention, ncolumn), retention=retention)
    assert np.abs(reached - column.soil_water).max() < 1e-6


def test_no_flow_column_fills_to_saturation_then_ponds_and_runs_off():
    column = Subsurface(LAYERS[:10], LOAM, pressure_head=-1.0, lower_boundary="no_flow", ponding_depth=0.005)
    for _ in range(2000):
        flux = column.advance(1800.0, rain=2e-4)
    np.testing.assert_array_equal(column.soil_water[:, 0], LOAM["porosity"])
    assert column.surface_water[0] == pytest.approx(5.0)
    assert flux["surface_runoff"][0] == pytest.approx(2e-4, rel=1e-6)
    assert flux["drainage"][0] == 0.0
    node = np.cumsum(LAYERS[:10]) - 0.5 * LAYERS[:10]
    np.testing.assert_allclose(column.pressure[:, 0], node + 0.005, atol=1e-6)
    assert column.water_table_depth[0] == 0.0
    assert abs(column.balance["residual"][0]) < 1e-12 * column.balance["storage"][0]


def test_saturated_column_drains_at_its_conductivity():
    column = Subsurface(np.full(10, 0.1), LOAM, pressure_head=0.0)
    flux = column.advance(60.0, rain=1.0)
    assert flux["drainage"][0] == pytest.approx(1000 * LOAM["saturated_conductivity"], rel=1e-6)


def test_infiltration_is_limited_by_the_soil():
    clay = van_genuchten_rosetta(20.0, 60.0)
    column = Subsurface(LAYERS, clay, pressure_head=-3.0)
    for _ in range(12):
        flux = column.advance(1800.0, rain=50 / 3600)
    assert flux["surface_runoff"][0] > 0.8 * 50 / 3600
    assert flux["surface_runoff"][0] + flux["infiltration"][0] == pytest.approx(50 / 3600)


def test_ponding_delays_runoff_and_pond_infiltrates_after_the_storm():
    clay = van_genuchten_rosetta(20.0, 60.0)
    column = Subsurface(LAYERS, clay, pressure_head=-0.5, ponding_depth=0.05)
    flux = column.advance(1800.0, rain=20 / 3600)
    assert flux["surface_runoff"][0] == 0.0
    pond = column.surface_water[0]
    assert pond > 1.0
    for _ in range(200):
        column.advance(1800.0)
    assert column.surface_water[0] < pond
    assert (column.surface_water >= 0).all()


def test_water_table_boundary_leads_to_hydrostatic_equilibrium():
    column = Subsurface(np.full(20, 0.1), LOAM, pressure_head=-0.2, lower_boundary="water_table", base_depth=1.5)
    for _ in range(24 * 400):
        column.advance(3600.0)
    node = (np.arange(20) + 0.5) * 0.1
    np.testing.assert_allclose(column.pressure[:, 0], node - 1.5, atol=1e-4)
    assert column.water_table_depth[0] == pytest.approx(1.5, abs=1e-4)


def test_capillary_rise_from_a_water_table():
    # steady upward flux q to a dry surface: psi(z) solves dpsi/dz = -(1 + q/K) (Gardner 1958)
    from scipy.integrate import solve_ivp

    alpha, k_sat, rise = 4.0, 1e-6, 2e-9
    soil = {"porosity": 0.4, "residual_water": 0.05, "gardner_alpha": alpha, "saturated_conductivity": k_sat}
    nlayer = 100
    column = Subsurface(
        np.full(nlayer, 0.01),
        soil,
        retention="gardner",
        pressure_head=-0.5,
        lower_boundary="water_table",
        base_depth=1.0,
    )
    for _ in range(2000):
        flux = column.advance(3600.0, evaporation=rise * 1000)
    assert flux["drainage"][0] == pytest.approx(-rise * 1000, rel=1e-4)
    height = 1.0 - (np.arange(nlayer) + 0.5) / nlayer
    exact = solve_ivp(
        lambda z, p: -(1 + rise / (k_sat * np.exp(alpha * p))), (0, 1), [0.0], t_eval=height[::-1], rtol=1e-9
    )
    np.testing.assert_allclose(column.pressure[::-1, 0], exact.y[0], rtol=0.01, atol=2e-3)


def hard_soil(rng: np.random.Generator, retention: str, ncolumn: int) -> dict[str, np.ndarray]:
    """Blocks of five layers whose parameters differ by up to seven orders of magnitude."""

    def blocks() -> np.ndarray:
        return np.repeat(rng.random((4, ncolumn)), 5, axis=0)

    soil = {
        "porosity": 0.3 + 0.3 * blocks(),
        "residual_water": 0.1 * blocks(),
        "saturated_conductivity": 10 ** (-10 + 7 * blocks()),
        "specific_storage": 10 ** (-6 + 3 * blocks()),
    }
    if retention == "van_genuchten":
        return soil | {"van_genuchten_alpha": 10 ** (-1 + 2.3 * blocks()), "van_genuchten_n": 1.05 + 4 * blocks() ** 3}
    return soil | {"air_entry_head": 10 ** (-2.3 + 2.3 * blocks()), "clapp_hornberger_b": 1 + 11 * blocks()}


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_hard_random_columns_never_fail(retention):
    # 2 x 3 x 64 columns: dry sand at -1e4 m, clay over gravel, saturated layers, 100 mm/h, strong sinks
    rng = np.random.default_rng(3)
    ncolumn = 64
    for lower in ("free_drainage", "no_flow", "water_table"):
        soil = hard_soil(rng, retention, ncolumn)
        head = np.where(
            rng.random((20, ncolumn)) < 0.85,
            -(10.0 ** (-2 + 6 * rng.random((20, ncolumn)))),
            2 * rng.random((20, ncolumn)),
        )
        column = Subsurface(
            LAYERS,
            soil,
            retention=retention,
            nx=ncolumn,
            pressure_head=head,
            lower_boundary=lower,
            base_depth=3.0 if lower == "water_table" else None,
            ponding_depth=0.02,
        )
        for _ in range(24):
            storm = rng.random(ncolumn) < 0.4
            sink = np.zeros((20, ncolumn))
            sink[:10] = -1e-4 * rng.random(ncolumn) * (rng.random(ncolumn) < 0.5)
            flux = column.advance(
                1800.0,
                source=sink,
                rain=storm * 100 / 3600 * rng.random(ncolumn) ** 2,
                evaporation=~storm * 2e-4 * rng.random(ncolumn),
            )
            assert (flux["source"] >= sink).all()
            assert (flux["source"] <= 0).all()
            assert (column.soil_water <= soil["porosity"]).all()
            assert (column.soil_water >= soil["residual_water"]).all()
        balance = column.balance
        assert (np.abs(balance["residual"]) <= 1e-12 * balance["storage"]).all()


def test_storm_on_dry_sand():
    sand = van_genuchten_rosetta(92.0, 3.0)
    column = Subsurface(LAYERS, sand, pressure_head=-1e4)
    for _ in range(4):
        flux = column.advance(1800.0, rain=100 / 3600)
    assert flux["surface_runoff"][0] == 0.0
    assert flux["substeps"][0] < 50
    assert abs(column.balance["residual"][0]) < 1e-12 * column.balance["storage"][0]


def test_result_of_a_column_does_not_depend_on_its_place():
    rng = np.random.default_rng(8)
    ncolumn = 77
    soil = hard_soil(rng, "van_genuchten", ncolumn)
    head = -(10.0 ** (-2 + 4 * rng.random((20, ncolumn))))
    rain = rng.random(ncolumn) ** 3 * 2e-2

    def run(order: np.ndarray) -> np.ndarray:
        column = Subsurface(
            LAYERS, {name: value[:, order] for name, value in soil.items()}, nx=order.size, pressure_head=head[:, order]
        )
        for step in range(6):
            column.advance(1800.0, rain=rain[order] * (step % 2))
        return np.concatenate([column.pressure, column.soil_water])

    everything = run(np.arange(ncolumn))
    order = rng.permutation(ncolumn)
    np.testing.assert_array_equal(run(order), everything[:, order])
    np.testing.assert_array_equal(run(np.array([41])), everything[:, [41]])


def test_coarse_layers_keep_the_water_budget_of_fine_ones():
    # a month of storms and drying; layers of a land model against the same column cut into eighths
    soil = {name: value.item() for name, value in van_genuchten_rosetta(np.array(40.0), np.array(20.0)).items()}
    results = []
    for parts in (1, 8):
        column = Subsurface(np.repeat(LAYERS[:12] / parts, parts), soil, pressure_head=-3.0)
        for step in range(48 * 30):
            hour = (step % 48) / 2
            column.advance(
                1800.0, rain=(20 / 7200) * (step % 480 in range(200, 204)), evaporation=9e-5 * (6 < hour < 18)
            )
        water = column.soil_water[:, 0].reshape(12, parts).mean(axis=1)
        results.append((column.balance["evaporation"][0], water))
    (coarse, coarse_water), (fine, fine_water) = results
    assert coarse == pytest.approx(fine, rel=0.06)
    np.testing.assert_allclose(coarse_water[1:], fine_water[1:], atol=0.02)
