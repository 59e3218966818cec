"""Weights from source grids to cells: exactness, totals, gaps, the seam of the earth, independence of the tile."""

import numpy as np
import pytest
import reanalysis_files as files

from pyland.base.errors import InputError
from pyland.domain.grid import regular_grid
from pyland.forcing.cell_overlap import square_overlaps
from pyland.forcing.regridding import REGRIDDINGS, CellPlaces, Regridding
from pyland.forcing.source_grid import SourceGrid


def regular(spacing=0.1, extent=1.5, north_first=True):
    latitude, longitude = files.make_axes(spacing, extent, 7.0 - extent)
    return SourceGrid(latitude if north_first else latitude[::-1], longitude, spacing, "test")


def rotated():
    return SourceGrid(*files.rotated_grid(60, 70), 0.055, "test")


def cells_of(domain, size):
    return CellPlaces(domain.latitude, domain.longitude, (size, size))


def carry(grid, regridding, field):
    """Apply weights to a field over the whole grid, ``(row, column)``."""
    columns = regridding.columns % grid.shape[1]
    return regridding.apply(field[np.ix_(regridding.rows, columns)].reshape(1, -1))[0]


def coordinates(grid):
    return grid.points(*np.indices(grid.shape))


@pytest.mark.parametrize("make", [regular, lambda: regular(north_first=False), rotated])
def test_bilinear_returns_linear_fields(make):
    grid, domain = make(), regular_grid(50.0, 7.0, 11, 9, 6000.0, 8000.0)
    latitude, longitude = coordinates(grid)
    weights = Regridding(grid, cells_of(domain, 6000.0), "bilinear")
    result = carry(grid, weights, 3.0 + 2.0 * latitude - 0.7 * longitude)
    assert result == pytest.approx(3.0 + 2.0 * domain.latitude - 0.7 * domain.longitude, abs=1e-8)
    assert weights.index.shape == (99, 4)


@pytest.mark.parametrize("make", [regular, rotated])
@pytest.mark.parametrize("method", REGRIDDINGS)
def test_constants_and_bounds(make, method):
    grid, domain = make(), regular_grid(50.0, 7.0, 10, 10, 9000.0, 9000.0)
    weights = Regridding(grid, cells_of(domain, 9000.0), method)
    assert carry(grid, weights, np.full(grid.shape, 4.2)) == pytest.approx(4.2, rel=1e-14)
    noise = np.random.default_rng(2).random(grid.shape)
    result = carry(grid, weights, noise)
    assert result.min() >= noise.min() and result.max() <= noise.max()
    assert weights.weight.min() >= 0.0


@pytest.mark.parametrize("size", [2000.0, 9000.0, 30000.0])
@pytest.mark.parametrize("make", [regular, rotated])
def test_conservative_keeps_the_total(make, size):
    """A shower in the middle of the domain: its amount over the cells is that over the points' own areas."""
    grid = make()
    count = int(110000.0 / size)
    domain = regular_grid(50.0, 7.0, count, count, size, size)
    weights = Regridding(grid, cells_of(domain, size), "conservative")
    latitude, longitude = coordinates(grid)
    shower = np.where((abs(latitude - 50.0) < 0.3) & (abs(longitude - 7.0) < 0.4),
                      np.random.default_rng(1).random(grid.shape), 0.0)
    area = grid.area(*np.indices(grid.shape)) * (np.pi / 180.0 * 6371008.8) ** 2  # relative areas are in degrees
    total = (carry(grid, weights, shower) * domain.area).sum()
    assert total == pytest.approx((shower * area).sum(), rel=2e-5)
    bilinear = (carry(grid, Regridding(grid, cells_of(domain, size), "bilinear"), shower) * domain.area).sum()
    assert abs(bilinear / total - 1.0) > 1e-4 or size < 5000.0


def test_overlaps_are_exact():
    """Against the areas of a quadrilateral counted with a fine raster."""
    row, column = np.array([[0.2, 0.3, 2.1, 1.9]]), np.array([[0.1, 1.7, 1.8, 0.0]])
    rows, columns, area = square_overlaps(row, column)
    fine = (np.arange(3200) + 0.5) / 800.0 - 0.5
    x, y = np.meshgrid(fine, fine)
    inside = np.ones(x.shape, dtype=bool)
    for one in range(4):
        two = (one + 1) % 4
        inside &= ((column[0, two] - column[0, one]) * (y - row[0, one])
                   - (row[0, two] - row[0, one]) * (x - column[0, one])) > 0.0
    counted = inside.reshape(4, 800, 4, 800).sum(axis=(1, 3)) / 800.0**2
    for i, j, one in zip(rows[0], columns[0], area[0], strict=True):
        assert one == pytest.approx(counted[i, j], abs=2e-3)
    shoelace = 0.5 * abs(sum(column[0, i] * row[0, (i + 1) % 4] - column[0, (i + 1) % 4] * row[0, i] for i in range(4)))
    assert area.sum() == pytest.approx(shoelace, rel=1e-14)


def test_conservative_of_a_cell_that_holds_whole_points():
    grid = regular(0.1, 1.0)
    size = 0.3 * np.pi / 180.0 * 6371008.8  # three rows; as wide in metres
    cells = CellPlaces(np.array([50.0]), np.array([7.0]), (size * np.cos(np.radians(50.0)), size))
    weights = Regridding(grid, cells, "conservative")
    shares = np.sort(weights.weight[0])[::-1][:9]
    width = np.repeat(np.cos(np.radians([49.9, 50.0, 50.1])), 3)
    assert shares == pytest.approx(width / width.sum(), rel=1e-9)


@pytest.mark.parametrize("method", REGRIDDINGS)
@pytest.mark.parametrize("first", [0.0, -180.0])
def test_around_the_earth(method, first):
    """Longitudes from 0 or from -180: cells on both sides of either seam get what lies around them."""
    grid = SourceGrid(np.arange(60.0, 30.0, -0.5), first + np.arange(0.0, 360.0, 0.5), 0.5, "test")
    assert grid.is_cyclic
    latitude, longitude = coordinates(grid)
    field = np.cos(np.radians(longitude)) + np.sin(np.radians(longitude)) + 0.01 * latitude
    east = np.array([-0.2, 0.1, 0.4, 179.9, -179.8])
    cells = CellPlaces(np.full(5, 48.0), east, (20000.0, 20000.0))
    for chosen in (slice(0, 3), slice(3, 5), slice(0, 5)):
        some = CellPlaces(cells.latitude[chosen], cells.longitude[chosen], cells.size)
        weights = Regridding(grid, some, method)
        angle = np.radians(east[chosen])
        assert carry(grid, weights, field) == pytest.approx(np.cos(angle) + np.sin(angle) + 0.48, abs=6e-3)
        assert chosen == slice(0, 5) or weights.columns.size <= 6


def test_longitudes_of_files_and_cells_may_differ():
    west = SourceGrid(np.arange(51.0, 49.0, -0.25), 350.0 + np.arange(0.0, 8.0, 0.25), 0.25, "test")
    row, column = west.locate(np.array([50.0]), np.array([-5.0]))
    assert (row[0], column[0]) == pytest.approx((4.0, 20.0))
    split = np.concatenate([np.arange(355.0, 360.0), np.arange(0.0, 6.0)])
    across = SourceGrid(np.arange(51.0, 49.0, -0.25), split, 1.0, "test")
    assert across.locate(np.array([50.0]), np.array([2.0]))[1][0] == pytest.approx(7.0)


@pytest.mark.parametrize("method", REGRIDDINGS)
def test_points_without_values(method):
    """Sea in the east: its weight goes to land beside it; beyond, the nearest land is taken and its distance said."""
    grid, domain = regular(), regular_grid(50.0, 7.0, 40, 3, 3000.0, 3000.0)
    latitude, longitude = coordinates(grid)
    land = longitude < 7.05
    weights = Regridding(grid, cells_of(domain, 3000.0), method, land)
    result = carry(grid, weights, np.where(land, longitude, np.nan))
    assert np.isfinite(result).all()
    sea = domain.longitude > 7.2
    assert result[sea] == pytest.approx(7.0, abs=1e-9)
    assert weights.filled >= sea.sum()
    farthest = np.radians(domain.longitude.max() - 7.0) * np.cos(np.radians(50.0)) * 6371008.8
    assert weights.farthest == pytest.approx(farthest, rel=0.02)
    west = domain.longitude < 6.9
    plain = Regridding(grid, cells_of(domain, 3000.0), method)
    assert np.array_equal(result[west], carry(grid, plain, longitude)[west])


@pytest.mark.parametrize("make", [regular, rotated])
@pytest.mark.parametrize("method", REGRIDDINGS)
def test_a_cell_does_not_depend_on_its_tile(make, method):
    grid, domain = make(), regular_grid(50.0, 7.0, 12, 12, 8000.0, 5000.0)
    field = np.random.default_rng(5).random(grid.shape)
    land = np.random.default_rng(6).random(grid.shape) > 0.3
    size = domain.latitude * 100.0  # cells of a file differ in size
    whole = carry(grid, Regridding(grid, CellPlaces(domain.latitude, domain.longitude, (size, size)), method, land),
                  np.where(land, field, np.nan))
    for tile in (slice(0, 5), slice(5, 77), slice(77, 144)):
        cells = CellPlaces(domain.latitude[tile], domain.longitude[tile], (size[tile], size[tile]))
        assert np.array_equal(whole[tile], carry(grid, Regridding(grid, cells, method, land),
                                                 np.where(land, field, np.nan)))


def test_only_the_box_around_the_cells_is_read():
    grid, domain = regular(0.1, 1.5), regular_grid(50.0, 7.0, 2, 2, 1000.0, 1000.0)
    weights = Regridding(grid, cells_of(domain, 1000.0), "bilinear")
    assert weights.rows.size <= 3 and weights.columns.size <= 3


def test_grids_that_are_none():
    with pytest.raises(InputError, match="longitude is not in order"):
        SourceGrid(np.array([1.0, 2.0]), np.array([3.0, 2.0, 1.0]), 0.1, "x")
    with pytest.raises(InputError, match="latitude is not in order"):
        SourceGrid(np.array([1.0, 3.0, 2.0]), np.array([1.0, 2.0]), 0.1, "x")
    with pytest.raises(InputError, match="latitudes leave -90 to 90"):
        SourceGrid(np.array([91.0, 90.0]), np.array([1.0, 2.0]), 0.1, "x")
    with pytest.raises(InputError, match=r"latitude has shape \(3, 2\) and longitude \(3, 3\)"):
        SourceGrid(np.ones((3, 2)), np.ones((3, 3)), 0.1, "x")
    with pytest.raises(InputError, match="expected one of bilinear, conservative, nearest, got 'cubic'"):
        Regridding(regular(), CellPlaces(np.array([50.0]), np.array([7.0]), (1.0, 1.0)), "cubic")
    with pytest.raises(InputError, match="lies outside the grid"):
        Regridding(rotated(), CellPlaces(np.array([40.0]), np.array([7.0]), (1.0, 1.0)), "bilinear")
