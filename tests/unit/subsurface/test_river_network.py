"""Drainage directions, depressions, order of the network, spills: against brute force and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.domain.grid import regular_grid, site
from pyland.subsurface import RiverGrid, RiverNetwork
from pyland.subsurface.river_grid import COMPASS

OUTLET, SINK = RiverNetwork.OUTLET, RiverNetwork.SINK


@st.composite
def terrains(draw):
    """A small random relief with flats and pits, and a mask."""
    ny, nx = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    relief = rng.integers(0, draw(st.integers(1, 12)), (ny, nx)).astype(float)
    mask = rng.random((ny, nx)) < draw(st.sampled_from([1.0, 0.8]))
    mask[rng.integers(ny), rng.integers(nx)] = True
    return RiverGrid.regular(relief, 1000.0, 700.0, mask)


def brute_flood(grid, is_seed):
    """Lowest level from which water finds a way out, by relaxation."""
    level = np.where(is_seed, grid.elevation, np.inf)
    while True:
        around = np.where(grid.neighbour >= 0, level[grid.neighbour], np.inf).min(axis=1)
        new = np.where(is_seed, grid.elevation, np.maximum(grid.elevation, np.minimum(level, around)))
        if np.array_equal(new, level):
            return level
        level = new


def assert_sound(network, grid):
    """Every cell drains to a neighbour; upstream comes first; areas add up."""
    flows = network.downstream >= 0
    near = (grid.neighbour == network.downstream[:, None]).any(axis=1)
    assert near[flows].all()
    place = np.empty(grid.ncell, dtype=int)
    place[network.order] = np.arange(grid.ncell)
    assert (place[flows] < place[network.downstream[flows]]).all()
    ends = network.downstream < 0
    assert network.upstream_area[ends].sum() == pytest.approx(grid.area.sum(), rel=1e-12)
    assert ends[network.terminal].all()
    assert (network.terminal[flows] == network.terminal[network.downstream[flows]]).all()


@settings(max_examples=80, deadline=None)
@given(terrains())
def test_filled_surface_drains_everywhere(grid):
    network = RiverNetwork.from_elevation(grid)
    assert_sound(network, grid)
    assert network.sinks.size == 0
    np.testing.assert_array_equal(network.filled, brute_flood(grid, grid.is_border))
    flows = network.downstream >= 0
    assert (network.filled[network.downstream[flows]] <= network.filled[flows]).all()
    assert grid.is_border[network.outlets].all()


@settings(max_examples=80, deadline=None)
@given(terrains(), st.sampled_from([0.0, 1.0, 3.0]))
def test_depressions_deeper_than_the_limit_keep_a_sink(grid, depth):
    network = RiverNetwork.from_elevation(grid, fill_depth=depth)
    assert_sound(network, grid)
    is_sink = network.downstream == SINK
    np.testing.assert_array_equal(network.filled, brute_flood(grid, grid.is_border | is_sink))
    assert (network.filled - grid.elevation).max() <= depth
    assert not grid.is_border[is_sink].any()


def test_steepest_descent_counts_the_distance():
    relief = np.array([[5.0, 5.0, 5.0], [5.0, 5.0, 4.0], [5.0, 5.0, 3.7]])  # the first row lies in the south
    network = RiverNetwork.from_elevation(RiverGrid.regular(relief, 1000.0, 1000.0))
    assert network.downstream[4] == 5  # 1.0 over 1000 m beats 1.3 over 1414 m
    assert network.length[4] == 1000.0 and network.slope[4] == pytest.approx(1e-3)
    relief[2, 2] = 3.5
    network = RiverNetwork.from_elevation(RiverGrid.regular(relief, 1000.0, 1000.0))
    assert network.downstream[4] == 8 and network.length[4] == pytest.approx(1000.0 * np.sqrt(2.0))


def test_a_bowl_ends_in_a_lake_or_spills():
    y, x = np.mgrid[-3:4, -3:4]
    bowl = (x**2 + y**2).astype(float)
    bowl[0, 3] = 4.0  # the lowest place of the rim, in the south
    grid = RiverGrid.regular(bowl, 1000.0, 1000.0)
    filled = RiverNetwork.from_elevation(grid)
    assert filled.sinks.size == 0 and filled.upstream_area.max() > 40e6
    kept = RiverNetwork.from_elevation(grid, fill_depth=3.9)
    assert kept.sinks.tolist() == [24] and kept.upstream_area[24] > 25e6
    assert RiverNetwork.from_elevation(grid, fill_depth=4.0).sinks.size == 0
    spilling = kept.with_spills(kept.sinks)
    assert spilling.spill[24] == 3 and spilling.downstream[3] == OUTLET
    with_lake = RiverNetwork.from_elevation(grid, sinks=[10])
    assert with_lake.sinks.tolist() == [10]


def test_lakes_spill_into_each_other_without_a_cycle():
    relief = np.full((5, 11), 10.0)
    relief[2, 1:10] = [5.0, 2.0, 5.0, 6.0, 7.0, 6.0, 5.0, 1.0, 8.0]  # two basins, a saddle of 7, a rim of 8
    relief[2, 10] = 0.0
    grid = RiverGrid.regular(relief, 1000.0, 1000.0)
    network = RiverNetwork.from_elevation(grid, fill_depth=0.5)
    west, east = 2 * 11 + 2, 2 * 11 + 8
    assert set(network.sinks) == {west, east}
    spilling = network.with_spills(network.sinks)
    assert network.terminal[spilling.spill[west]] == east
    assert network.downstream[network.terminal[spilling.spill[east]]] == OUTLET
    place = np.argsort(spilling.order)
    assert place[west] < place[spilling.spill[west]] <= place[east]


@settings(max_examples=80, deadline=None)
@given(terrains())
def test_spills_never_form_a_cycle(grid):
    network = RiverNetwork.from_elevation(grid, fill_depth=0.0)
    spilling = network.with_spills(network.sinks)  # a cycle would raise
    for sink in network.sinks:
        assert spilling.spill[sink] == OUTLET or network.terminal[spilling.spill[sink]] != sink


@pytest.mark.parametrize(("convention", "codes"), [
    ("esri", [1, 2, 4, 8, 16, 32, 64, 128]), ("pcraster", [6, 3, 2, 1, 4, 7, 8, 9]),
    ("parflow", [4, None, 1, None, 2, None, 3])])
def test_codes_point_where_they_say(convention, codes):
    grid = RiverGrid.regular(np.zeros((3, 3)), 1.0, 1.0)
    pit = 5 if convention == "pcraster" else 0
    for (east, north), code in zip(COMPASS, codes, strict=False):
        if code is None:
            continue
        field = np.full((3, 3), pit)
        field[1, 1] = code
        network = RiverNetwork.from_codes(grid, field, convention)
        assert network.downstream[4] == (1 + north) * 3 + 1 + east, (convention, code)
    inside = RiverNetwork.from_codes(grid, np.full((3, 3), pit), convention)
    assert inside.downstream[4] == (OUTLET if convention == "esri" else SINK)
    assert (np.delete(inside.downstream, 4) == OUTLET).all()
    if convention == "esri":
        for code in (-1, 255):
            field[1, 1] = code
            assert RiverNetwork.from_codes(grid, field).sinks.tolist() == [4]


def test_a_direction_out_of_the_domain_is_an_outlet():
    grid = RiverGrid.regular(np.zeros((2, 2)), 1.0, 1.0)
    network = RiverNetwork.from_codes(grid, np.full((2, 2), 1))
    assert network.downstream.tolist() == [1, OUTLET, 3, OUTLET]


def test_unknown_codes_and_cycles_are_refused_by_name():
    grid = RiverGrid.regular(np.zeros((2, 3)), 1.0, 1.0)
    with pytest.raises(InputError, match=r"code 3 of cell 4 \(row 1, column 1\) is not one of 'esri'"):
        RiverNetwork.from_codes(grid, np.array([[1, 1, 1], [1, 3, 1]]))
    with pytest.raises(InputError, match="code nan"):
        RiverNetwork.from_codes(grid, np.array([[1, 1, 1], [1, np.nan, 1]]))
    with pytest.raises(InputError, match=r"cycle through the cells 4 -> 3 -> 0 -> 1 -> 4;"):
        RiverNetwork.from_codes(grid, np.array([[1, 64, 16], [4, 16, 16]]))
    with pytest.raises(InputError, match=r"cycle through the cells .*\.\.\."):
        RiverNetwork(np.roll(np.arange(20), 1), area=1.0, length=1.0)
    with pytest.raises(InputError, match="cell 1 drains to 7"):
        RiverNetwork([1, 7], area=1.0, length=1.0)
    with pytest.raises(InputError, match="every length must be positive"):
        RiverNetwork([1, -1], area=1.0, length=0.0)
    with pytest.raises(InputError, match="expected one of esri, parflow, pcraster"):
        grid.downstream_of(np.zeros((2, 3)), "arcgis")


def test_grid_of_a_domain():
    domain = regular_grid(40.0, 100.0, 4, 3, 1000.0, 500.0)
    grid = RiverGrid.of_domain(domain)
    plain = RiverGrid.regular(np.zeros((3, 4)), 1000.0, 500.0)
    np.testing.assert_array_equal(grid.neighbour, plain.neighbour)
    inside = grid.neighbour >= 0
    np.testing.assert_allclose(grid.distance[inside], plain.distance[inside], rtol=1e-12)
    with pytest.raises(InputError, match="a site has no neighbours"):
        RiverGrid.of_domain(site(40.0, 100.0))


def test_rows_of_a_file_may_run_south(tmp_path):
    import netCDF4

    from pyland.domain.domain_file import read_domain

    with netCDF4.Dataset(tmp_path / "d.nc", "w") as file:
        for name, values in (("latitude", [41.0, 40.9, 40.8]), ("longitude", [10.0, 10.1, 10.2, 10.3])):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        file.createVariable("elevation", "f8", ("latitude", "longitude"))[:] = 0.0
    grid = RiverGrid.of_domain(read_domain(tmp_path / "d.nc"))
    north, east = COMPASS.index((0, 1)), COMPASS.index((1, 0))
    assert grid.neighbour[5, north] == 1 and grid.neighbour[5, east] == 6
    assert grid.distance[5, north] == pytest.approx(0.1 * 111195.0, rel=1e-3)
    assert grid.distance[5, east] == pytest.approx(0.1 * 111195.0 * np.cos(np.radians(40.9)), rel=1e-3)
