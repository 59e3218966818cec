"""Observation operators against functions that they must reproduce, and their adjoints."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate.depth_weights import exponential_weights, window_weights
from pyland.assimilate.footprints import footprint_average, nearest_cell
from pyland.assimilate.interpolation import linear_on_axes, linear_on_triangles
from pyland.assimilate.nearby_points import EARTH_RADIUS, NearbyPoints
from pyland.assimilate.observation_operators import (
    FunctionOperator,
    ObservationOperator,
    at_cells,
    averaged,
    stacked,
    weighted,
)
from pyland.base.errors import InputError

RNG = np.random.default_rng(11)


def square(n=20):
    """Return the centres (cell, 2) of n x n cells of size 1."""
    return np.array([(y + 0.5, x + 0.5) for y in range(n) for x in range(n)])


OPERATORS = {
    "cells": at_cells([3, 0, 3, -1], 9),
    "average": averaged([[0, 1, -1], [4, 5, 6]], 9),
    "footprint": footprint_average(square(3), RNG.uniform(0, 3, (5, 2)), 2.0, "gaussian"),
    "bilinear": linear_on_axes([[0, 1, 3], [5, 4, 1]], RNG.uniform(1, 3, (6, 2))),
    "triangles": linear_on_triangles(square(3), RNG.uniform(0.5, 2.5, (6, 2))),
    "layers": at_cells([2, 0], 3).over_layers([[0.2, 0.3, 0.5], [0, 1, 0]]),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_adjoint(name):
    """<H x, v> = <x, Hᵀ v> for random x and v."""
    H = OPERATORS[name]
    x, v = RNG.standard_normal((1, H.nstate)), RNG.standard_normal((1, H.nobs))
    assert float((H(x) * v).sum()) == pytest.approx(float((x * H.adjoint(v)).sum()), rel=1e-13)
    assert H.linearised(x[0]) is H


def test_cells_and_averages():
    E = RNG.standard_normal((4, 9))
    np.testing.assert_array_equal(OPERATORS["cells"](E)[:, :3], E[:, [3, 0, 3]])
    assert OPERATORS["cells"].outside.tolist() == [False, False, False, True]
    np.testing.assert_allclose(
        OPERATORS["average"](E), np.column_stack([E[:, :2].mean(1), E[:, 4:7].mean(1)]), rtol=1e-14
    )
    np.testing.assert_allclose(weighted([[0, 8]], [[2.0, -1.0]], 9)(E)[:, 0], 2 * E[:, 0] - E[:, 8], rtol=1e-14)


def test_composition_and_stack():
    """Footprints of points between cells: the matrix of both is the product."""
    to_points = linear_on_axes([np.arange(5.0), np.arange(4.0)], [[0.5, 0.5], [2.2, 1.7], [9.0, 1.0]])
    mean = averaged([[0, 1], [1, 2]], 3)
    E = RNG.standard_normal((6, 20))
    both = mean @ to_points
    np.testing.assert_allclose(both(E), mean(to_points(E)), rtol=1e-13)
    assert both.outside.tolist() == [False, True]  # its second place is beyond the axes
    shifted = to_points.in_state(7, 40)
    longer = RNG.standard_normal((6, 40))
    np.testing.assert_allclose(shifted(longer), to_points(longer[:, 7:27]), rtol=1e-13)
    joined = stacked([shifted, at_cells([39], 40)])
    np.testing.assert_allclose(joined(longer)[:, -1], longer[:, 39], rtol=1e-14)
    assert joined.outside.tolist() == [False, False, True, False]


def test_function():
    H = FunctionOperator(lambda E: E[:, :2] ** 2, 2, tangent=lambda x: np.diag(2 * x[:2]) @ np.eye(2, 3))
    E = RNG.standard_normal((5, 3))
    np.testing.assert_array_equal(H(E), E[:, :2] ** 2)
    x, step = E[0], 1e-6 * RNG.standard_normal(3)
    change = (H((x + step)[None]) - H((x - step)[None])) / 2
    np.testing.assert_allclose(H.linearised(x)(step[None]), change, rtol=1e-8)

    def writes(E):
        E[:] = 0.0
        return E

    FunctionOperator(writes, 3)(E)
    assert E.any()  # the ensemble of the caller stays as it is
    with pytest.raises(InputError, match="no adjoint"):
        FunctionOperator(lambda E: E, 3).linearised(x)
    with pytest.raises(InputError, match="must return shape"):
        FunctionOperator(lambda E: E, 2)(E)


# ---- interpolation ----------------------------------------------------------------------------------------------


def test_multilinear_functions_are_exact():
    z, y, x = np.array([0.0, 1.0, 4.0]), np.array([3.0, 2.0, 0.0, -1.0]), np.linspace(0, 1, 5)
    grid = np.stack(np.meshgrid(z, y, x, indexing="ij"), -1)

    def f(p):
        return 1 + 2 * p[..., 0] - p[..., 1] + 0.5 * p[..., 0] * p[..., 1] * p[..., 2]

    places = RNG.uniform([0, -1, 0], [4, 3, 1], (50, 3))
    H = linear_on_axes([z, y, x], places)
    np.testing.assert_allclose(H(f(grid).reshape(1, -1))[0], f(places), rtol=1e-13)
    assert not H.outside.any()
    assert linear_on_axes([z, y, x], [[4.1, 0, 0.5], [4.0, -1.0, 1.0]]).outside.tolist() == [True, False]


def test_around_the_globe():
    longitude = np.arange(0.0, 360.0, 10.0)
    H = linear_on_axes([longitude], [355.0, -5.0, 715.0], period=[360.0])
    values = np.arange(36.0)[None]
    np.testing.assert_allclose(H(values)[0], 0.5 * (35 + 0), rtol=1e-13)
    with pytest.raises(InputError, match="repeated column"):
        linear_on_axes([np.arange(0.0, 361.0, 10.0)], [5.0], period=[360.0])


def test_cell_around_a_place():
    H = linear_on_axes([[30.0, 20.0, 10.0]], [34.9, 35.1, 24.9, 6.0, 4.9], nearest=True)
    assert H.outside.tolist() == [False, True, False, False, True]
    assert H(np.array([[3.0, 2.0, 1.0]]))[0].tolist() == [3.0, 0.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize("given", [True, False])
def test_linear_functions_are_exact_on_triangles(given):
    nodes = np.concatenate([RNG.uniform(0, 1, (60, 2)), [[0, 0], [0, 1], [1, 0], [1, 1]]])
    from scipy.spatial import Delaunay

    triangles = Delaunay(nodes).simplices if given else None
    places = np.concatenate([RNG.uniform(0, 1, (200, 2)), nodes[:5], [[1.01, 0.5]]])
    H = linear_on_triangles(nodes, places, triangles)
    assert H.outside.tolist() == [False] * 205 + [True]
    values = 3 - 2 * nodes[:, 0] + 5 * nodes[:, 1]
    np.testing.assert_allclose(H(values[None])[0, :205], (3 - 2 * places[:, 0] + 5 * places[:, 1])[:205], rtol=1e-11)


def test_pdaf_interpolation_of_obs_c(shared_data):
    """The 11 interpolated observations of PDAF's offline case lie near the truth interpolated to them (error 0.5)."""
    folder = shared_data / "pdaf_verification" / "inputs_offline_18x36"
    lines = np.loadtxt(folder / "obsC.txt", skiprows=1)
    truth = np.loadtxt(folder / "true.txt")  # (y, x)
    H = linear_on_axes([np.arange(1, 37.0), np.arange(1, 19.0)], lines[:, 1:])
    departure = lines[:, 0] - H(truth.T.reshape(1, -1))[0]
    assert np.sqrt((departure**2).mean()) < 3 * 0.5
    swapped = linear_on_axes([np.arange(1, 37.0), np.arange(1, 19.0)], lines[:, :0:-1])
    assert swapped.outside.any() or not np.allclose(swapped(truth.T.reshape(1, -1)), H(truth.T.reshape(1, -1)))


# ---- footprints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sensor, weight", [
    ("uniform", lambda s: (s <= 0.5) * 1.0),
    ("gaussian", lambda s: (s <= 1.0) * 0.5 ** (4 * s**2)),
    ("hamming", lambda s: (s <= 0.5) * (0.54 + 0.46 * np.cos(2 * np.pi * s))),
])  # fmt: skip
def test_sensor_functions(sensor, weight):
    cells = square()
    places = RNG.uniform(5, 15, (7, 2))
    width = RNG.uniform(4, 8, 7)
    H = footprint_average(cells, places, width, sensor)
    s = np.linalg.norm(places[:, None] - cells[None], axis=2) / width[:, None]
    expected = weight(s) / weight(s).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(H.matrix.toarray(), expected, rtol=1e-12, atol=1e-16)


def test_area_periodic_axis_and_sphere():
    cells = np.arange(10.0)
    area = np.arange(1.0, 11.0)
    H = footprint_average(cells, [0.0], 3.0, area=area, period=[10.0])
    np.testing.assert_allclose(H.matrix.toarray()[0, [0, 1, 9]], np.array([1, 2, 10]) / 13, rtol=1e-13)
    globe = np.array([(y, x) for y in (-89.5, 0.0, 89.5) for x in range(-180, 180, 10)])
    around_pole = footprint_average(globe, [[90.0, 0.0]], 200e3, metric="haversine")
    np.testing.assert_allclose(around_pole.matrix.toarray()[0, -36:], 1 / 36, rtol=1e-12)


def test_footprint_smaller_than_a_cell_takes_that_cell():
    H = footprint_average(square(3), [[0.1, 0.1], [2.9, 1.2], [3.6, 1.5]], 0.2)
    assert H.matrix.toarray().argmax(axis=1).tolist()[:2] == [0, 7]
    assert H.outside.tolist() == [False, False, True]
    np.testing.assert_allclose(H.matrix.sum(axis=1)[:2], 1.0)


def test_nearest_cell():
    H = nearest_cell(square(3), [[1.0, 1.0], [2.6, 0.2], [-0.3, 0.5]])
    assert H.matrix.toarray().argmax(axis=1).tolist()[:2] == [0, 6]  # of four as near, the lowest number
    assert H.outside.tolist() == [False, False, True]
    assert not nearest_cell(square(3), [[-0.3, 0.5]], reach=0.9).outside[0]
    assert nearest_cell([[5.0]], [[700.0]]).outside.tolist() == [False]


def test_search_is_complete():
    """Pairs within a radius by the tree and by comparing all."""
    points = np.column_stack([RNG.uniform(-90, 90, 300), RNG.uniform(-180, 540, 300)])
    index = NearbyPoints(points, "haversine")
    other, point, distance = index.within(points[:40], 3e6)
    a, b = np.radians(points[:40])[:, None], np.radians(points)[None]
    angle = np.arccos(np.clip(np.sin(a[..., 0]) * np.sin(b[..., 0]) + np.cos(a[..., 0]) * np.cos(b[..., 0])
                              * np.cos(a[..., 1] - b[..., 1]), -1, 1)) * EARTH_RADIUS  # fmt: skip
    rows, columns = np.nonzero(angle <= 3e6)
    np.testing.assert_array_equal(np.column_stack([other, point]), np.column_stack([rows, columns]))
    np.testing.assert_allclose(distance, angle[rows, columns], rtol=1e-9, atol=1.0)
    grid = np.arange(12.0)[:, None]
    other, point, _ = NearbyPoints(grid, period=[12.0]).within([[0.0], [25.0]], 2.0)  # the radius is included
    assert point.tolist() == [0, 1, 2, 10, 11, 0, 1, 2, 3, 11]


# ---- depth ---------------------------------------------------------------------------------------------------------


def test_window_and_probe():
    bounds = [0.0, 0.1, 0.3, 1.0]
    np.testing.assert_allclose(window_weights(bounds, 0.05, 0.2), [[1 / 3, 2 / 3, 0]], rtol=1e-13)
    np.testing.assert_allclose(window_weights(bounds, [0.0, 0.05], [1.0, 0.05]), [[0.1, 0.2, 0.7], [1, 0, 0]])
    np.testing.assert_allclose(window_weights(bounds, 0.125, 0.125), [[0.5, 0.5, 0]], rtol=1e-13)
    assert not window_weights(bounds, 0.5, 1.5).any()
    H = at_cells([0], 2).over_layers(window_weights(bounds, 0.5, 1.5))
    assert H.outside.tolist() == [True]
    assert H.nstate == 6


def test_exponential():
    """Against the integral of exp(-z/L), and the mean of a profile that grows with depth."""
    bounds = np.linspace(0.0, 1.0, 2001)
    weights = exponential_weights(bounds, [0.05, 0.1])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-13)
    middle = 0.5 * (bounds[1:] + bounds[:-1])
    np.testing.assert_allclose(weights @ middle, [0.05, 0.1], rtol=1e-3)  # mean depth is the scale
    np.testing.assert_allclose(exponential_weights([0, 0.1, 0.2], 0.1)[0, 0], 1 / (1 + np.exp(-1)), rtol=1e-13)


def test_layers_are_column_sums():
    H = footprint_average(square(4), [[2.0, 2.0], [1.0, 3.0]], 2.0)
    weights = RNG.uniform(size=(2, 3))
    E = RNG.standard_normal((5, 48))
    expected = np.einsum("ol,mlo->mo", weights, np.stack([H(E[:, k * 16 : k * 16 + 16]) for k in range(3)], axis=1))
    np.testing.assert_allclose(H.over_layers(weights)(E), expected, rtol=1e-12)


@pytest.mark.parametrize("call, text", [
    (lambda: at_cells([5], 3), "0 to 2"),
    (lambda: weighted([[0.5]], [[1.0]], 3), "whole numbers"),
    (lambda: ObservationOperator([[np.nan]]), "not finite"),
    (lambda: ObservationOperator([1.0]), "matrix"),
    (lambda: at_cells([0], 3)(np.ones((2, 4))), "3 elements"),
    (lambda: at_cells([0], 3) @ at_cells([0, 1], 4), "do not fit"),
    (lambda: at_cells([0], 3).in_state(2, 4), "do not fit"),
    (lambda: at_cells([0], 3).over_layers(np.ones((2, 2))), "1 observations"),
    (lambda: stacked([at_cells([0], 3), at_cells([0], 4)]), "one state"),
    (lambda: footprint_average(square(3), [[1, 1]], -1.0), "above 0"),
    (lambda: footprint_average(square(3), [[1, 1]], 1.0, "round"), "sensor must be"),
    (lambda: footprint_average(square(3), [[1, 1]], 1.0, "hamming", extent=1.0), "at most 0.5"),
    (lambda: footprint_average(square(3), [[1, 1]], 1.0, area=np.ones(4)), "area"),
    (lambda: footprint_average(square(3), [[1, 1, 1]], 1.0), "as many coordinates"),
    (lambda: linear_on_axes([[0, 0, 1]], [0.5]), "ascending or all descending"),
    (lambda: linear_on_axes([[0, 1]], [[0.5, 1.0]]), "one coordinate per axis"),
    (lambda: linear_on_triangles([[0, 0], [1, 1], [2, 2]], [[0, 0]]), "cannot be triangulated"),
    (lambda: linear_on_triangles([[0, 0], [1, 1], [2, 2]], [[0, 0]], [[0, 1, 2]]), "no area"),
    (lambda: window_weights([0, 1], 0.5, 0.2), "swap"),
    (lambda: window_weights([0, 0], 0.5, 0.6), "increase downwards"),
    (lambda: exponential_weights([0, 1], 0.0), "above 0"),
    (lambda: NearbyPoints([[91.0, 0.0]], "haversine"), "latitude"),
    (lambda: NearbyPoints([[1.0, 0.0]], "haversine", [0.0, 360.0]), "belongs to metric"),
    (lambda: NearbyPoints([[1.0]], period=[-1.0]), "period"),
    (lambda: NearbyPoints([[1.0]]).within([[1.0]], np.inf), "finite radius"),
])  # fmt: skip
def test_bad_input(call, text):
    with pytest.raises(InputError, match=text):
        call()
