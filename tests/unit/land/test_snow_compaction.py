"""Settling of snow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_snow import TF, assert_same, build, packs, random_packs, take

from pyland.base.errors import InputError
from pyland.land import compact_snow, settle_snow_melt

DT = 1800.0


def rate(start, **choices):
    """Shrinking share of thickness per second, of a short step."""
    pack = compact_snow(start, 1.0, **choices)
    return -np.log(pack.thickness[:, 0] / start.thickness[:, 0])


def test_anderson():
    start = build([5.0, 30.0], [0.05, 0.1], temperature=[263.15, 268.15])
    c1 = np.exp(-0.046 * np.array([0.0, 200.0]))
    metamorphism = 2.777e-6 * c1 * np.exp(-0.04 * np.array([10.0, 5.0]))
    weight = np.array([2.5, 20.0]) / (9e5 * np.exp(0.08 * np.array([10.0, 5.0]) + 0.023 * np.array([100.0, 300.0])))
    np.testing.assert_allclose(rate(start), metamorphism + weight, rtol=1e-8)


def test_wet_snow_doubles_metamorphism():
    start = build([5.0, 1e-9], [0.05, 1e-3], liquid=[0.1, 0.0])
    assert rate(start)[0] == pytest.approx(2 * 2.777e-6 + 2.55 / (9e5 * np.exp(2.3)), rel=1e-8)


@pytest.mark.parametrize(("scheme", "scale"), [("vionnet", 9.80616 * 250.0), ("clm5", 450.0 / 4.0)])
def test_vionnet(scheme, scale):
    start = build([5.0, 30.0], [0.05, 0.1], liquid=[0.0, 1.0], temperature=[263.15, TF])
    cold, density = np.array([10.0, 0.0]), np.array([100.0, 300.0])
    metamorphism = 2.777e-6 * np.exp(-0.04 * cold - 0.046 * np.array([0.0, 125.0])) * np.array([1.0, 2.0])
    eta = 7.62237e6 * density * np.exp(0.1 * cold + 0.023 * density) / np.array([1.0, 1 + 60 * 0.01])
    np.testing.assert_allclose(rate(start, overburden=scheme), metamorphism + scale * np.array([2.5, 20.5]) / eta,
                               rtol=1e-8)


def test_the_load_is_that_of_the_covered_ground():
    full = build([5.0, 30.0], [0.05, 0.1], temperature=260.0)
    half = build([2.5, 15.0], [0.05, 0.1], temperature=260.0, cover=0.5)
    np.testing.assert_allclose(rate(half), rate(full), rtol=1e-12)


def test_wind_packs_loose_snow_at_the_surface():
    start = build([1.0, 30.0, 30.0], [0.01, 0.15, 0.1], temperature=250.0)
    calm = compact_snow(start, DT)
    still = compact_snow(start, DT, 0.0, wind_drift=True)
    np.testing.assert_array_equal(still.thickness, calm.thickness)
    storm = compact_snow(start, DT, 15.0, wind_drift=True)
    mobility = -0.34 * 0.583 * 0.35 + 0.66 * (1.25 - 0.0042 * 50.0)
    drift = 1 - 2.868 * np.exp(-0.085 * 15.0) + mobility
    depth = 0.005 * (3.25 - drift)
    packed = 350.0 - 250.0 * np.exp(-DT * drift * np.exp(-depth / 0.1) / (48 * 3600))
    assert storm.thickness[0, 0] == pytest.approx(calm.thickness[0, 0] * 100.0 / packed, rel=1e-12)
    assert storm.thickness[1, 0] < calm.thickness[1, 0]
    # a crust that wind can not move shelters the loose snow below it
    crust = build([8.0, 10.0], [0.01, 0.1], temperature=250.0)
    np.testing.assert_array_equal(compact_snow(crust, DT, 8.0, wind_drift=True).thickness,
                                  compact_snow(crust, DT).thickness)


def test_melt_leaves_the_density_of_ice():
    before = np.array([[10.0], [20.0], [30.0]])
    start = build([8.0, 20.5, 0.0], [0.1, 0.1, 0.1], liquid=[2.0, 0.0, 30.0])
    pack = settle_snow_melt(start, before)
    np.testing.assert_allclose(pack.thickness[:, 0], [0.08, 0.1, 0.0], rtol=1e-14)


@settings(max_examples=80, deadline=None)
@given(packs(), st.sampled_from(["anderson", "vionnet", "clm5"]), st.booleans(), st.floats(1.0, 1e8),
       st.floats(0.0, 60.0))
def test_any_step_leaves_room_for_ice_and_water(start, scheme, drift, dt, wind):
    pack = compact_snow(start, dt, wind, overburden=scheme, wind_drift=drift)
    np.testing.assert_array_equal(pack.ice, start.ice)
    np.testing.assert_array_equal(pack.liquid, start.liquid)
    held = pack.ice + pack.liquid > 0.0
    assert (pack.thickness[held] > 0.0).all() and (pack.thickness <= start.thickness).all()
    volume = pack.thickness * pack.cover
    assert (pack.ice <= 917.0 * volume * (1 + 1e-12)).all()
    needed = pack.ice / 917.0 + pack.liquid / 1000.0
    assert (volume >= np.minimum(needed, start.thickness * start.cover) * (1 - 1e-12)).all()


def test_a_season_of_settling_does_not_depend_on_the_step():
    start = build([30.0, 60.0, 60.0], [0.3, 0.4, 0.3], temperature=265.0)
    long, short = start, start
    for _ in range(120):
        long = compact_snow(long, 3600.0)
    for _ in range(960):
        short = compact_snow(short, 450.0)
    np.testing.assert_allclose(long.thickness, short.thickness, rtol=2e-3)


@pytest.mark.parametrize("scheme", ["anderson", "vionnet", "clm5"])
def test_columns_do_not_see_each_other(scheme):
    start = random_packs(11, 12, 64)
    wind = np.random.default_rng(12).uniform(0, 30, 64)
    together = compact_snow(start, DT, wind, overburden=scheme, wind_drift=True)
    for columns in (slice(0, 1), slice(13, 46), slice(31, 64), slice(5, 6)):
        alone = compact_snow(take(start, columns), DT, wind[columns], overburden=scheme, wind_drift=True)
        assert_same(take(together, columns), alone)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="choose one of anderson, vionnet, clm5"):
        compact_snow(build([1.0], [0.01]), DT, overburden="jordan")
