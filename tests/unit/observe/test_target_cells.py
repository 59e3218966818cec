"""Where observations lie on the model grid."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.observe import TargetCells


@pytest.mark.parametrize("size", [100.0, 3000.0, 12000.0])
def test_corners_between_cells_lie_inside(size):
    """Meridians converge: the corners of four cells on the sphere do not quite meet."""
    x, y = (one.ravel() for one in np.meshgrid((np.arange(4) - 1.5) * size, (np.arange(4) - 1.5) * size))
    degree = np.rad2deg(1.0 / 6371229.0)
    latitude = 48.0 + y * degree
    longitude = 9.0 + x * degree / np.cos(np.deg2rad(latitude))
    target = TargetCells(latitude, longitude, x, y, size)
    assert target.locate([48.0], [9.0])[3].all()
    assert not target.locate([48.0], [9.0 + 3.0 * size * degree / np.cos(np.deg2rad(48.0))])[3].any()


def test_the_nearest_cell_is_that_of_all_distances():
    """The tree finds what a search through all cells finds, ties to the first cell."""
    rng = np.random.default_rng(0)
    latitude, longitude = (one.ravel() for one in np.meshgrid(np.linspace(45.0, 50.0, 20), np.linspace(-2.0, 5.0, 30)))
    target = TargetCells(latitude, longitude, 1e5 * longitude, 1e5 * latitude, 30000.0)
    where = rng.uniform([44.9, -2.1], [50.1, 5.1], (300, 2))
    where[0] = latitude[7], longitude[7]
    up, around = np.deg2rad(np.array([latitude, longitude]))
    for point, cell in zip(np.deg2rad(where), target.locate(*where.T)[0], strict=True):
        cosine = np.sin(point[0]) * np.sin(up) + np.cos(point[0]) * np.cos(up) * np.cos(point[1] - around)
        assert cosine[cell] >= cosine.max() - 1e-12
