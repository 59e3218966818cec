"""EASE-Grid 2.0 against published coordinates of corners and centres."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.readers.ease_grid import EaseGrid, inverse_projection, projection

CORNER = -17367530.45, 7314540.83  # [m] upper left of the grids of 36, 9, 3 and 1 km, NSIDC, EASE Grids (EPSG:6933)


def test_sizes_of_the_grids_and_their_corner():
    assert {size: EaseGrid(size).shape for size in (36, 25, 9, 3)} == {
        36: (406, 964), 25: (584, 1388), 9: (1624, 3856), 3: (4872, 11568)}
    for size in (36, 9, 3):
        rows, columns = EaseGrid(size).shape
        assert np.allclose((-0.5 * columns * EaseGrid(size).cell, 0.5 * rows * EaseGrid(size).cell), CORNER, atol=0.01)
    rows, columns = EaseGrid(25).shape  # NSIDC: -17367530.44, 7307375.92
    assert np.allclose((-0.5 * columns * EaseGrid(25).cell, 0.5 * rows * EaseGrid(25).cell),
                       (-17367530.44, 7307375.92), atol=0.01)


def test_the_corner_is_at_the_published_latitude():
    latitude, longitude = inverse_projection(*CORNER)
    assert latitude == pytest.approx(85.0445664, abs=1e-7)  # NSIDC, EASE-Grid 2.0 global: 85.0445664 N
    assert abs(longitude) == pytest.approx(180.0, abs=1e-6)


def test_centres_of_the_corner_cells():
    """Centres that the files of the grids (NSIDC, EASE2_M36km and EASE2_M09km lats and lons) hold."""
    for size, latitude, longitude in ((36, 83.63197, -179.81328), (9, 84.65642, -179.95332)):
        assert EaseGrid(size).latitude[0] == pytest.approx(latitude, abs=1e-5)
        assert EaseGrid(size).longitude[0] == pytest.approx(longitude, abs=1e-5)


def test_projection_against_pyproj():
    """Frozen numbers of pyproj 3.7 for EPSG:6933, with pyproj itself where it is installed."""
    points = {(50.0, 6.0): (578917.6815053792, 5614050.1030608015),
              (-33.7, -75.3): (-7265416.902892507, -4061168.378222779)}
    for (latitude, longitude), expected in points.items():
        assert np.allclose(projection(latitude, longitude), expected, rtol=0.0, atol=1e-6)
        assert np.allclose(inverse_projection(*expected), (latitude, longitude), rtol=0.0, atol=1e-7)  # 1 cm


def test_projection_everywhere_against_pyproj():
    pyproj = pytest.importorskip("pyproj", reason="an independent projection; extra crosscheck")
    latitude, longitude = np.random.default_rng(0).uniform((-85, -180), (85, 180), (1000, 2)).T
    expected = pyproj.Transformer.from_crs(4326, 6933, always_xy=True).transform(longitude, latitude)
    assert np.allclose(projection(latitude, longitude), expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("size", [36, 25, 9, 3])
def test_every_row_and_column_finds_itself(size):
    grid = EaseGrid(size)
    rows, columns = grid.shape
    count = min(rows, columns)
    for shift in (-0.49, 0.0, 0.49):  # anywhere in the cell
        x = (np.arange(columns) - 0.5 * (columns - 1) + shift) * grid.cell
        y = (0.5 * (rows - 1) - np.arange(rows) + shift) * grid.cell
        latitude, longitude = inverse_projection(np.zeros(rows), y)[0], inverse_projection(x, np.zeros(columns))[1]
        row, column = grid.locate(latitude[:count], longitude[:count])
        assert (row == np.arange(count)).all() and (column == np.arange(count)).all()
        assert (grid.locate(np.full(columns, 10.0), longitude)[1] == np.arange(columns)).all()


def test_points_beyond_the_grid_have_no_cell():
    row, column = EaseGrid(36).locate([89.0, -89.0, 0.0], [0.0, 0.0, 540.0])
    assert row.tolist()[:2] == [-1, -1] and column.tolist() == [-1, -1, 0]


def test_grids_that_are_not_there():
    with pytest.raises(InputError, match="36, 25, 9, 3 km, got 12"):
        EaseGrid(12)
    assert EaseGrid.of_shape((100, 100)) is None
