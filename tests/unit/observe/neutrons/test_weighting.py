import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.neutrons import horizontal_weight, scaled_distance, sensing_depth, vertical_weight

DISTANCES = [0.5, 1.0, 5.0, 20.0, 100.0, 300.0]
SCHROEN = {  # by neptoon 1.2: air humidity [g m-3], moisture [m3 m-3]
    (5.0, 0.25): [200116.75080381558, 172255.2054507318, 23114.76785041983, 7837.46906856666, 2872.6754967785773,
                  426.48126513149447],
    (0.5, 0.05): [278909.35660153744, 236661.20002485014, 30487.041296958865, 12540.827177406632, 6812.676025744908,
                  1405.9772430958528],
    (15.0, 0.45): [167327.2695947145, 144780.19912076386, 19939.072559540033, 6432.021170599071, 1705.3741831962661,
                   158.36516683874018],
}


@pytest.mark.parametrize(("air", "weights"), SCHROEN.items())
def test_weight_of_the_distance(air, weights):
    humidity, moisture = air
    assert horizontal_weight(DISTANCES, moisture, 1e-3 * humidity) == pytest.approx(weights, rel=1e-12)


def test_numbers_of_the_reference():
    weights = horizontal_weight([0.5, 1, 5, 20, 100, 200, 300], 0.25, 0.005)
    assert weights == pytest.approx([2.001e5, 1.723e5, 2.311e4, 7837, 2873, 1003, 426.5], rel=3e-4)
    assert horizontal_weight(50.001, 0.25, 0.005) == pytest.approx(5319, rel=1e-4)  # the reference has it at 50 m
    assert horizontal_weight(50.0, 0.25, 0.005) == pytest.approx(5745, rel=1e-4)  # 1 < r <= 50, as the paper writes
    assert 100 * sensing_depth([1, 50, 200], 1430, 0.25) == pytest.approx([19.30, 16.66, 13.41], abs=0.005)


def test_functions_of_2015_are_those_of_2017_with_other_moisture_but_for_one_exponent():
    moisture = np.array([0.05, 0.15, 0.25])
    for distance in (5.0, 20.0, 50.0):
        new = horizontal_weight(distance, moisture, 0.005)
        assert horizontal_weight(distance, 1.321 * moisture, 0.005, "koehli2015") == pytest.approx(new, rel=1e-4)
    assert sensing_depth(10.0, 1430, 1.321 * moisture, "koehli2015") == pytest.approx(
        sensing_depth(10.0, 1430, moisture), rel=3e-4)
    ratio = horizontal_weight(100.0, 1.321 * 0.25, 0.005, "koehli2015") / horizontal_weight(100.0, 0.25, 0.005)
    assert ratio == pytest.approx(1.082, abs=0.001)  # the exponent
    jump = horizontal_weight(50.0 + 1e-9, 1.321 * 0.25, 0.005, "koehli2015") / horizontal_weight(
        50.0, 1.321 * 0.25, 0.005, "koehli2015")
    assert jump == pytest.approx(0.983, abs=0.001)  # 0.926 with the functions of 2017


def test_weights_of_2015_by_the_published_table():
    distance, theta, h = 100.0, 0.2, 8.0  # written out once more from table A1 of the paper
    f5 = 1383702 * (0.02 - 1 / 0.130 / (h - 0.130 + 1521 * theta)) * (0.0156 - theta) * np.exp(
        -4.156 * (theta - 0.0156)) + 5325 * (0.7 - h * theta * 0.00238)
    f6 = 6.031e-5 * (h + 98.5) + 1.0466e-3 * theta
    f7 = (11747 * (1 - 0.00475 * h) * np.exp(-41.66 * theta * (1 - h * 0.00604)) + 4521 - 2534 * theta) * (
        2 + h * 0.01998)
    f8 = ((-1.543e-2 + 8.81e-5 * h) * np.exp(-10.06 * theta / (1 + 0.0405 * h + 20.24 * theta)) + 1.807e-2) * (
        2 + h * 0.0011)
    expected = f5 * np.exp(-f6 * distance) + f7 * np.exp(-f8 * distance)
    assert horizontal_weight(distance, theta, 0.008, "koehli2015") == pytest.approx(expected, rel=1e-12)


def test_vertical_weight_halves_where_it_should():
    assert vertical_weight([0.0, 0.1, 0.2], 0.2) == pytest.approx([1, np.exp(-1), np.exp(-2)])
    depth = np.linspace(0, 5, 100001)
    within = np.trapezoid(vertical_weight(depth[depth <= 0.2], 0.2), depth[depth <= 0.2])
    assert within / np.trapezoid(vertical_weight(depth, 0.2), depth) == pytest.approx(1 - np.exp(-2), abs=1e-4)


def test_scaled_distance():
    assert scaled_distance(100.0, 95000.0, 2.0, 0.2) == pytest.approx(106.94218852550347, rel=1e-12)  # neptoon 1.2
    assert scaled_distance(100.0) == pytest.approx(100.0, rel=2e-4)  # standard pressure, no plants
    assert scaled_distance(100.0, 80000.0) < 100 < scaled_distance(100.0, vegetation_height=10.0)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: horizontal_weight(700.0, 0.2, 0.005), "between 0 and 600 m"),
    (lambda: horizontal_weight(10.0, 0.0, 0.005), "moisture"),
    (lambda: horizontal_weight(10.0, 0.2, 5.0), r"0.05 kg m-3"),
    (lambda: horizontal_weight(10.0, 0.2, 0.005, "zreda"), "unknown relation 'zreda'"),
    (lambda: scaled_distance(10.0, 950.0), "1 hPa is 100 Pa"),
    (lambda: sensing_depth(10.0, 0.0, 0.2), "bulk density"),
])
def test_wrong_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_neptoon_agrees():
    """Needs neptoon (extra ``crosscheck``); the frozen numbers above are its."""
    schroen = pytest.importorskip("neptoon.formulas.calibration", reason="neptoon is not installed").Schroen2017
    distance = np.array([0.3, 1.0, 7.0, 49.0, 51.0, 400.0])
    for humidity, moisture in ((1.0, 0.03), (12.0, 0.3)):
        theirs = schroen.horizontal_weighting(distance, moisture, humidity)
        assert horizontal_weight(distance, moisture, 1e-3 * humidity) == pytest.approx(theirs, rel=1e-12)
