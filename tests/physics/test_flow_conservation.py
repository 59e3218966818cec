"""Balance, restart, threads, members and cells that do not exist: what must hold to the last bit or to round-off."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes

from pyland.core.runtime import set_threads, threads
from pyland.subsurface import Boundary, DistributedSubsurface, Subsurface

CELLS_PER_THREAD = 8192
"""As in fortran/subsurface/pl_flow_model.f90."""

TERMS = ("rain", "source", "increment", "boundary_west", "boundary_bottom")


def catchment(
    overland: str = "kinematic", seed: int = 5, nx: int = 12, ny: int = 9, **options
) -> DistributedSubsurface:
    """Sloping layered ground with wells, a river side and drains, eight layers."""
    rng = np.random.default_rng(seed)
    nz = 8
    soil = {"porosity": 0.4, "residual_water": 0.05,
            "saturated_conductivity": 10.0 ** rng.uniform(-6.5, -4.5, (nz, ny, nx)),
            "van_genuchten_alpha": rng.uniform(0.8, 5.0, (nz, ny, nx)),
            "van_genuchten_n": rng.uniform(1.3, 2.8, (nz, ny, nx)), "specific_storage": 1e-4}
    settings = {"nx": nx, "ny": ny, "dx": 25.0, "dy": 20.0, "overland": overland, "manning": 0.04,
                "slope_x": -0.04 + 0.02 * rng.standard_normal((ny, nx)),
                "slope_y": 0.01 * rng.standard_normal((ny, nx)),
                "water_table_depth": 1.5, "boundaries": {"west": Boundary("hydrostatic", 1.2),
                                                         "bottom": Boundary("free_drainage")}}
    return DistributedSubsurface(np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 1.0]), soil, **(settings | options))


def weather(flow: DistributedSubsurface, steps: range) -> None:
    """Rain, evaporation, a well and roots."""
    for step in steps:
        source = np.zeros(flow.pressure.shape[-3:])
        source[5, 4, 6], source[:3] = -2e-4, -1e-6
        flow.advance(3600.0, source=source, rain=8e-3 if step % 6 < 2 else -2e-5)


def same(one: DistributedSubsurface, two: DistributedSubsurface) -> None:
    """Heads equal to the last bit."""
    np.testing.assert_array_equal(one.pressure.view(np.int64), two.pressure.view(np.int64))


@pytest.mark.parametrize("overland", ["none", "kinematic", "diffusive"])
def test_water_closes(overland):
    """Storage changes by what came and went, over land too, to 1e-10 of the water held; every term is booked."""
    flow = catchment(overland)
    first = flow.balance["storage_subsurface"] + flow.balance["storage_surface"]
    weather(flow, range(24))
    balance = flow.balance
    assert_water_closes(flow)
    assert balance["rain"] != 0.0 and balance["source"] < 0.0 and balance["boundary_bottom"] < 0.0
    out = abs(balance["discharge"]) + abs(balance["surface_runoff"])
    assert out > 0.0
    last = balance["storage_subsurface"] + balance["storage_surface"]
    gained = sum(balance[name] for name in TERMS) - out
    assert last - first == pytest.approx(gained, abs=1e-9 * last)
    # storage is that of the state itself
    cell = 25.0 * 20.0
    water = (flow.soil_water * np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 1.0])[:, None, None]).sum() * cell
    assert balance["storage_subsurface"] == pytest.approx(water, rel=1e-3)  # and the elastic part, Ss S p
    assert balance["storage_surface"] == pytest.approx(flow.surface_water.sum() / 1000.0 * cell, rel=1e-12)
    np.testing.assert_allclose(flow.surface_water, 1000.0 * np.maximum(flow.pressure[0], 0.0), rtol=1e-12)


def test_a_changed_state_is_an_increment():
    """What an assimilation adds to the heads is booked, and the balance stays closed."""
    flow = catchment()
    weather(flow, range(4))
    before = flow.balance["storage_subsurface"] + flow.balance["storage_surface"]
    flow.pressure[2:5] += 0.1
    flow.reconcile()
    after = flow.balance["storage_subsurface"] + flow.balance["storage_surface"]
    assert flow.balance["increment"] == pytest.approx(after - before, rel=1e-9) and after > before
    weather(flow, range(4, 8))
    assert_water_closes(flow)


def test_dry_ground_gives_what_it_has():
    """Roots and evaporation below the dry head take nothing; `source` and `rain` say what was really taken."""
    soil = {"porosity": 0.4, "residual_water": 0.05, "saturated_conductivity": 1e-6, "van_genuchten_alpha": 3.0,
            "van_genuchten_n": 1.6, "specific_storage": 1e-5}
    flow = DistributedSubsurface(np.full(6, 0.1), soil, nx=3, ny=2, dx=1.0, dy=1.0, pressure_head=-50.0,
                                 air_dry_head=-1e3)
    taken = applied = 0.0
    for _ in range(48):
        out = flow.advance(3600.0, source=-5e-5, rain=-1e-4)
        taken += out["source"].sum() * 3600.0
        applied += out["rain"].sum() * 3600.0
    asked = -5e-5 * 36 * 48 * 3600.0
    assert asked < taken < 0.0 and -1e-4 * 6 * 48 * 3600.0 < applied < 0.0
    assert flow.balance["source"] == pytest.approx(taken / 1000.0, rel=1e-9)
    assert flow.balance["rain"] == pytest.approx(applied / 1000.0, rel=1e-9)
    assert np.isfinite(flow.pressure).all() and flow.soil_water.min() >= 0.05 * (1.0 - 1e-12)
    assert_water_closes(flow)


@pytest.mark.parametrize("overland", ["none", "kinematic", "diffusive"])
def test_restart_is_exact(overland):
    """A new object with the saved heads goes on with the same bits."""
    whole, first = catchment(overland), catchment(overland)
    weather(whole, range(12))
    weather(first, range(5))
    second = catchment(overland, water_table_depth=None, pressure_head=first.pressure.copy())
    weather(second, range(5, 12))
    same(whole, second)


@pytest.fixture
def on_threads():
    """Return a function that gives what another returns on one, two and three threads.

    A thread has at least ``cells_per_thread`` cells (pl_flow_model): smaller grids would stay on one.
    """
    before = threads()

    def run(job) -> list:
        found = []
        for count in (1, 2, 3):
            set_threads(count)
            found.append(job())
        return found

    yield run
    set_threads(before)


@pytest.mark.parametrize("overland", ["none", "kinematic", "diffusive"])
def test_threads_do_not_matter(overland, on_threads):
    """One, two and three threads give the same bits, 48 x 44 x 8 cells."""

    def wet() -> DistributedSubsurface:
        flow = catchment(overland, nx=48, ny=44)
        assert flow.pressure.size > 2 * CELLS_PER_THREAD
        weather(flow, range(1, 3))
        return flow

    one, two, three = on_threads(wet)
    same(one, two)
    same(one, three)


def test_threads_do_not_matter_to_coarse_grids(on_threads):
    """A steady confined flow to a well, solved with multigrid."""

    def pump() -> DistributedSubsurface:
        rng = np.random.default_rng(3)
        soil = {"porosity": 0.3, "saturated_conductivity": 10.0 ** rng.normal(-5.0, 0.7, (8, 48, 48)),
                "van_genuchten_alpha": 2.0, "van_genuchten_n": 2.0, "specific_storage": 1e-6}
        flow = DistributedSubsurface(np.ones(8), soil, nx=48, ny=48, dx=10.0, dy=10.0, pressure_head=200.0,
                                     boundaries={"top": Boundary("no_flow"), "west": Boundary("head", 200.0)})
        source = np.zeros((8, 48, 48))
        source[3, 16, 24] = -1e-5
        out = flow.advance(1e12, source=source)
        assert out["krylov_iterations"] < 15 * out["newton_iterations"]
        return flow

    one, two, three = on_threads(pump)
    same(one, two)
    same(one, three)


def test_cells_that_do_not_exist_do_not_matter():
    """Whatever soil and head stands in inactive cells, the active ones keep their bits; nothing enters an island."""
    active = np.ones((8, 9, 12), bool)
    active[:, 3:6, 5:8] = False
    active[5:, :, :2] = False
    runs = []
    for value in (1.0, 7.0):
        flow = catchment(active=active, water_table_depth=None,
                         pressure_head=np.where(active, -1.0, value) + np.zeros((8, 9, 12)))
        weather(flow, range(8))
        runs.append(flow.pressure[active].copy())
        assert_water_closes(flow)
    np.testing.assert_array_equal(*runs)
    whole = catchment(water_table_depth=None, pressure_head=-1.0)
    weather(whole, range(8))
    assert np.abs(whole.pressure[active] - runs[0]).max() > 1e-6


def test_members_are_runs_of_their_own():
    """Three members of different states equal three runs, bit for bit."""
    heads = [-1.0, -0.5, -2.0]
    together = catchment(members=3, water_table_depth=None, pressure_head=heads[0])
    together.pressure[...] = np.array(heads)[:, None, None, None]
    together.reconcile()
    weather(together, range(4))
    for member, head in enumerate(heads):
        alone = catchment(water_table_depth=None, pressure_head=head)
        weather(alone, range(4))
        np.testing.assert_array_equal(together.pressure[member], alone.pressure)
        assert together.balance["discharge"][member] == alone.balance["discharge"]
        assert abs(together.balance["residual"][member]) <= 1e-10 * together.balance["storage_subsurface"][member]


def test_turned_ground_gives_turned_heads():
    """East-west and north-south mirror images, and the two axes exchanged, agree to the tolerance of the solver."""
    rng = np.random.default_rng(2)
    shape = (4, 6, 6)
    soil = {"porosity": 0.4, "residual_water": 0.05, "van_genuchten_alpha": 2.0, "van_genuchten_n": 1.8,
            "specific_storage": 1e-4, "saturated_conductivity": 10.0 ** rng.uniform(-6.0, -4.0, shape)}
    head = rng.uniform(-2.0, 0.5, shape)

    def end(turn) -> np.ndarray:
        turned = soil | {"saturated_conductivity": turn(soil["saturated_conductivity"])}
        flow = DistributedSubsurface(np.full(4, 0.3), turned, nx=6, ny=6, dx=5.0, dy=5.0, pressure_head=turn(head))
        for _ in range(6):
            flow.advance(1800.0, rain=1e-3)
        return turn(flow.pressure)

    first = end(lambda field: field)
    for turn in (lambda f: f[:, :, ::-1].copy(), lambda f: f[:, ::-1].copy(), lambda f: f.transpose(0, 2, 1).copy()):
        np.testing.assert_allclose(end(turn), first, atol=1e-6)


def test_flat_columns_equal_the_column_solver():
    """Without lateral differences the two solvers of pyland take up the same rain."""
    soil = {"porosity": 0.43, "residual_water": 0.08, "saturated_conductivity": 5.8e-6, "van_genuchten_alpha": 4.0,
            "van_genuchten_n": 1.6, "specific_storage": 1e-5}
    thickness = np.full(60, 0.02)
    column = Subsurface(thickness, soil, pressure_head=-2.0, lower_boundary="free_drainage", air_entry=0.0)
    flow = DistributedSubsurface(thickness, soil, nx=2, ny=2, dx=100.0, dy=100.0, pressure_head=-2.0,
                                 boundaries={"bottom": Boundary("free_drainage")})
    for _ in range(36):
        column.advance(600.0, rain=2e-3)
        flow.advance(600.0, rain=2e-3)
    gain = (flow.soil_water[:, 0, 0] - column.soil_water[:, 0]) * 0.02
    assert abs(gain.sum()) < 2e-4  # [m], of 4.3 cm of rain
    assert np.abs(gain).max() < 1.5e-3
