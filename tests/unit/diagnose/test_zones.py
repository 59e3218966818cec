"""Zones: every cell in the right one, areas and sums over them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose import zones

SQUARE = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]


@pytest.fixture
def domain():
    """Three rows of four cells; the last cell is not modelled."""
    latitude, longitude = np.meshgrid([10.5, 11.5, 12.5], [100.5, 101.5, 102.5, 103.5], indexing="ij")
    area = np.full((3, 4), 2.0)
    area[0], area[2, 3] = 1.0, np.nan
    height = np.array([[0.0, 100.0, 250.0, 499.9], [500.0, 750.0, 999.0, 1000.0], [1500.0, 1999.0, 2000.0, np.nan]])
    cover = xr.DataArray(np.array([[2, 2, 2, 0], [0, 0, 2, 2], [1, 1, 1, -1]], dtype=np.int8), dims=("y", "x"),
                         attrs={"flag_meanings": "desert ice meadow tundra"})
    basin = np.array([[1, 1, 1, 1], [1, 1, 2, 2], [2, 2, 3, -9]])
    fields = {"latitude": latitude, "longitude": longitude, "cell_area": area, "elevation": height, "basin": basin}
    return xr.Dataset({name: (("y", "x"), values) for name, values in fields.items()} | {"land_cover": cover})


def test_points_in_polygons():
    rng = np.random.default_rng(3)
    longitude, latitude = rng.uniform(-1.0, 5.0, (2, 500))
    inside = (longitude > 0) & (longitude < 4) & (latitude > 0) & (latitude < 4)
    for ring in (SQUARE, SQUARE[::-1], [*SQUARE, SQUARE[0]]):
        assert np.array_equal(zones.cells_in_polygon(latitude, longitude, ring), inside)
    notched = [(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)]  # a notch down to (2, 1)
    above = np.where(longitude < 2, latitude > 4 - 1.5 * longitude, latitude > 4 - 1.5 * (4 - longitude))
    assert np.array_equal(zones.cells_in_polygon(latitude, longitude, notched), inside & ~above)


def test_shared_edges_belong_to_one():
    left, right = [(0, 0), (2, 0), (2, 4), (0, 4)], [(2, 0), (4, 0), (4, 4), (2, 4)]
    latitude, longitude = np.meshgrid(np.linspace(0.0, 3.9, 14), np.linspace(0.0, 3.9, 40), indexing="ij")
    longitude[:, 20] = 2.0
    first, second = (zones.cells_in_polygon(latitude, longitude, one) for one in (left, right))
    assert not (first & second).any() and (first | second).all()


def test_polygons_over_the_date_line():
    ring = [(179.0, -1.0), (-179.0, -1.0), (-179.0, 1.0), (179.0, 1.0)]
    for longitude in (179.5, -179.5, 180.0, 180.5, 539.5):
        assert zones.cells_in_polygon(np.zeros(1), np.array([longitude]), ring)[0]
    assert not zones.cells_in_polygon(np.zeros(2), np.array([0.0, 178.0]), ring).any()


@pytest.mark.parametrize("ring", [[(0, 0), (1, 1)], [(0, 0), (1, 1), (0, 0)], [(0, 0), (1, np.nan), (2, 0)]])
def test_wrong_rings(ring):
    with pytest.raises(InputError, match="Polygon"):
        zones.cells_in_polygon(np.zeros(1), np.zeros(1), ring)


def test_covers_basins_and_the_whole(domain):
    cover, basin, whole = zones.land_cover_zones(domain), zones.basin_zones(domain), zones.domain_zone(domain)
    assert cover.names == ("desert", "ice", "meadow") and cover.area.tolist() == [5.0, 6.0, 7.0]
    assert basin.names == ("basin 1", "basin 2", "basin 3") and basin.area.tolist() == [8.0, 8.0, 2.0]
    assert whole.area.tolist() == [18.0] and whole.index[2, 3] == zones.OUTSIDE
    depth = np.stack([np.ones((3, 4)), np.arange(12.0).reshape(3, 4)])
    assert cover.total(depth)[0] == pytest.approx(cover.area)
    assert cover.total(depth)[1] == pytest.approx([3 + 2 * (4 + 5), 2 * (8 + 9 + 10), 0 + 1 + 2 + 2 * (6 + 7)])
    assert whole.mean(depth)[:, 0] == pytest.approx([1.0, (0 + 1 + 2 + 3 + 2 * (4 + 5 + 6 + 7 + 8 + 9 + 10)) / 18.0])
    assert cover.sum_of(np.ones((3, 4))).tolist() == [3.0, 3.0, 5.0]


def test_bands_hold_their_lower_edge(domain):
    edges = zones.band_edges(domain, 500.0)
    assert edges.tolist() == [0.0, 500.0, 1000.0, 1500.0, 2000.0]
    bands = zones.elevation_zones(domain, edges)
    assert bands.names == ("0-500 m", "500-1000 m", "1000-1500 m", "1500-2000 m")
    assert bands.sum_of(np.ones((3, 4))).tolist() == [4.0, 3.0, 1.0, 3.0]
    assert zones.elevation_zones(domain, [400, 800]).sum_of(np.ones((3, 4))).tolist() == [3.0]
    with pytest.raises(InputError, match="ascending"):
        zones.elevation_zones(domain, [3.0, 3.0])


def test_covers_within_basins(domain):
    both = zones.land_cover_zones(domain).within(zones.basin_zones(domain))
    assert both.names == ("basin 1 / desert", "basin 1 / meadow", "basin 2 / ice", "basin 2 / meadow", "basin 3 / ice")
    assert both.parent.tolist() == [0, 0, 1, 1, 2] and both.area.sum() == 18.0
    assert both.index[2, 3] == zones.OUTSIDE and both.index[1, 2] == 3


def test_polygons_with_a_hole_and_parts(domain):
    hole = [(101.0, 11.0), (102.0, 11.0), (102.0, 12.0), (101.0, 12.0)]
    ring = [(100.0, 10.0), (103.0, 10.0), (103.0, 13.0), (100.0, 13.0)]
    found = zones.polygon_zones(domain, {"ring": [[ring, hole]], "middle": [[hole]]})
    assert found.sum_of(np.ones((3, 4))).tolist() == [8.0, 1.0]
    with pytest.raises(InputError, match="share 1 cells"):
        zones.polygon_zones(domain, {"ring": [[ring]], "middle": [[hole]]})
    with pytest.raises(InputError, match="no cell"):
        zones.polygon_zones(domain, {"far": [[[(0, 0), (1, 0), (1, 1)]]]})


def test_maps_of_zones(domain):
    codes = np.array([[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, np.nan, 3]], dtype=float)
    found = zones.map_zones(domain, codes)
    assert found.names == ("zone 1", "zone 2", "zone 3") and found.area.tolist() == [4.0, 8.0, 4.0]
    assert zones.map_zones(domain, codes, {3: "south", 1: "north"}).names == ("south", "north")
    with pytest.raises(InputError, match="whole numbers"):
        zones.map_zones(domain, codes + 0.5)
    with pytest.raises(InputError, match="cells of the run"):
        zones.map_zones(domain, codes[:2])


def test_zones_that_a_run_does_not_have(domain):
    with pytest.raises(InputError, match="no rivers"):
        zones.basin_zones(domain.drop_vars("basin"))
    with pytest.raises(InputError, match="no land"):
        zones.land_cover_zones(domain.drop_vars("land_cover"))
