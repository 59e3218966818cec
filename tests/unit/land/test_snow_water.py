"""Liquid water in snow: holding capacity, blocked layers, and Colbeck's waves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_snow import TF, assert_same, build, packs, random_packs, take

from pyland.base.errors import InputError
from pyland.land import SnowPack, percolate_snow

DT = 1800.0
G, MU = 9.80616, 1.787e-3


def pores(pack):
    return np.maximum(1000.0 * (pack.thickness * pack.cover - pack.ice / 917.0), 0.0)


def test_bucket_fills_from_the_top_and_spills():
    start = build([10.0, 60.0], [0.1, 0.2])
    held = 0.033 * pores(start)[:, 0]
    wet, out = percolate_snow(start, DT, (held[0] + 1.0) / DT)
    np.testing.assert_allclose(wet.liquid[:, 0], [held[0], 1.0], rtol=1e-12)
    assert out[0] == 0.0
    wet, out = percolate_snow(wet, DT, 10.0 / DT)
    np.testing.assert_allclose(wet.liquid[:, 0], held, rtol=1e-12)
    assert out[0] * DT == pytest.approx(11.0 - held[1], rel=1e-12)


@pytest.mark.parametrize("scheme", ["bucket", "kinematic"])
def test_cold_snow_keeps_the_water_that_it_will_freeze(scheme):
    start = build([10.0, 60.0], [0.1, 0.2], temperature=[TF - 8.0, TF], grain=1000.0)
    held = 0.033 * pores(start)[0, 0] + 10.0 * 2117.27 * 8.0 / 3.337e5
    wet, _ = percolate_snow(start, DT, 0.999 * held / DT, scheme=scheme)
    assert wet.liquid[1, 0] == 0.0
    wet, out = percolate_snow(wet, DT, 2.0 / DT, scheme=scheme)
    above_held = wet.liquid[0, 0] - held
    assert above_held == pytest.approx(0.0, abs=1e-12) if scheme == "bucket" else 0.0 < above_held < 1.5
    assert wet.liquid[1, 0] > 0.5 and out[0] == 0.0
    # pores that are to freeze shut fill first
    shut = build([85.0, 30.0], [0.1, 0.1], temperature=[203.0, TF])
    wet, out = percolate_snow(shut, DT, 20.0 / DT, scheme=scheme)
    assert wet.liquid[0, 0] == pytest.approx(pores(shut)[0, 0], rel=1e-12)
    assert out[0] * DT == pytest.approx(20.0 - wet.liquid.sum(), rel=1e-12)


def test_an_ice_lens_makes_a_pond_and_the_rest_runs_off():
    start = build([10.0, 9.0, 30.0], [0.1, 0.01, 0.1])
    room = pores(start)[:, 0]
    assert room[1] < 0.05 * 10.0
    pond, out = percolate_snow(start, DT, 50.0 / DT)
    np.testing.assert_allclose(pond.liquid[:, 0], [50.0, 0.0, 0.0], rtol=1e-12)
    assert out[0] == 0.0
    full, out = percolate_snow(pond, DT, 50.0 / DT)
    np.testing.assert_allclose(full.liquid[:, 0], [room[0], 0.0, 0.0], rtol=1e-12)
    assert out[0] * DT == pytest.approx(100.0 - room[0], rel=1e-12)


def test_water_above_a_lens_fills_pores_from_below():
    start = build([10.0, 10.0, 9.0], [0.1, 0.02, 0.01])
    room = pores(start)[:, 0]
    pond, _ = percolate_snow(start, DT, (room[1] + 8.0) / DT)
    np.testing.assert_allclose(pond.liquid[:, 0], [8.0, room[1], 0.0], rtol=1e-12)


@pytest.mark.parametrize("scheme", ["bucket", "kinematic"])
def test_layers_without_ice_give_all_water(scheme):
    start = build([0.0, 60.0], [0.02, 0.2], liquid=[3.0, 0.0])
    wet, out = percolate_snow(start, DT, scheme=scheme)
    assert wet.liquid[0, 0] == 0.0 and wet.liquid[1, 0] + DT * out[0] == pytest.approx(3.0)
    puddle, out = percolate_snow(build([0.0], [0.02], liquid=[3.0], nlayer=5), DT, scheme=scheme)
    assert puddle.mass[0] == 0.0 and out[0] * DT == pytest.approx(3.0)


@pytest.mark.parametrize("scheme", ["bucket", "kinematic"])
def test_rain_beside_snow_passes(scheme):
    _, out = percolate_snow(SnowPack.without_snow(5, 2), DT, [1e-3, 0.0], scheme=scheme)
    assert out.tolist() == [1e-3, 0.0]
    mixed = random_packs(1, 5, 40)
    _, out = percolate_snow(mixed, DT, 1e-3, scheme=scheme)
    assert (out[mixed.layer_count == 0] == 1e-3).all()


@settings(max_examples=120, deadline=None)
@given(packs(), st.sampled_from(["bucket", "kinematic"]), st.one_of(st.just(0.0), st.floats(1e-9, 0.1)),
       st.floats(1.0, 86400.0), st.floats(0.0, 0.2))
def test_water_is_conserved_and_stays_in_the_pores(start, scheme, rain, dt, holding):
    pack, out = percolate_snow(start, dt, rain, scheme=scheme, holding=holding)
    before = start.liquid.sum() + dt * rain
    assert abs(pack.liquid.sum() + dt * out[0] - before) <= 1e-14 * max(before, 1e-9)
    np.testing.assert_array_equal(pack.ice, start.ice)
    assert (pack.liquid >= 0.0).all() and (pack.liquid <= pores(pack) * (1 + 1e-14)).all() and out[0] >= 0.0


@pytest.mark.parametrize("scheme", ["bucket", "kinematic"])
@pytest.mark.parametrize("nlayer", [1, 5, 12])
def test_columns_do_not_see_each_other(scheme, nlayer):
    start = random_packs(21, nlayer, 64, wet=0.8)
    rain = np.random.default_rng(22).choice([0.0, 1e-4, 1e-2], 64)
    together, outflow = percolate_snow(start, DT, rain, scheme=scheme)
    for columns in (slice(0, 1), slice(13, 46), slice(31, 64), slice(5, 6)):
        alone, out = percolate_snow(take(start, columns), DT, rain[columns], scheme=scheme)
        assert_same(take(together, columns), alone)
        np.testing.assert_array_equal(outflow[columns], out)


class Colbeck:
    """One metre of snow, 36 kg m-2 h-1 of rain for three hours (Colbeck 1976; Clark et al. 2021, section 5c)."""

    rain, stop, residual = 0.01, 10800.0, 0.07

    def __init__(self, ice_fraction, diameter, ripe):
        self.ice, self.diameter, self.ripe = 917.0 * ice_fraction, diameter, ripe
        self.porosity = 1.0 - ice_fraction
        permeability = 0.077 * diameter**2 * np.exp(-7.8 * self.ice / 1000.0)
        self.conductivity = 1000.0 * G * permeability / MU  # [m s-1]
        self.mobile = self.porosity * (1.0 - self.residual)
        self.dry = 0.0 if ripe else self.porosity * self.residual  # water that the front must leave behind [1]
        self.steady = (1e-3 * self.rain / self.conductivity) ** (1 / 3)

    def arrival(self):
        """Time at which the front reaches the base [s]."""
        flux = 1e-3 * self.rain
        front = (self.mobile * self.steady + self.dry) / flux
        tail = self.stop + self.mobile / (3 * self.conductivity * self.steady**2)
        if front < tail:
            return front
        # the wave of drainage has caught up with the front: 2/3 mobile S(base) + dry = all rain
        base = (flux * self.stop - self.dry) * 1.5 / self.mobile
        return self.stop + self.mobile / (3 * self.conductivity * base**2)

    def drainage(self, time):
        """Outflow of the wave of drainage [kg m-2 s-1]."""
        saturation = np.sqrt(self.mobile / (3 * self.conductivity * (time - self.stop)))
        return 1000.0 * self.conductivity * saturation**3

    def run(self, nlayer, dt, end):
        thickness = np.full(nlayer, 1.0 / nlayer)
        liquid = 1000.0 * self.residual * self.porosity * thickness if self.ripe else 0.0
        pack = build(self.ice * thickness, thickness, liquid=liquid, grain=0.5e6 * self.diameter)
        time = dt * np.arange(1, round(end / dt) + 1)
        outflow = []
        for t in time:
            rain = self.rain if t <= self.stop else 0.0
            pack, out = percolate_snow(pack, dt, rain, scheme="kinematic", holding=self.residual)
            outflow.append(out[0])
        return time, np.array(outflow), pack


RIPE = Colbeck(0.271547, 2e-3, ripe=True)
COARSE = Colbeck(0.327154, 2e-3, ripe=False)
FRESH = Colbeck(0.327154, 2e-4, ripe=False)


@pytest.mark.parametrize("case", [RIPE, COARSE], ids=["ripe", "coarse and dry"])
def test_colbeck_front_and_steady_flow(case):
    time, outflow, pack = case.run(12, 60.0, 36000.0)
    rise = time[np.argmax(outflow > 0.5 * case.rain)]
    assert rise == pytest.approx(case.arrival(), rel=0.05)
    assert outflow[time == case.stop][0] == pytest.approx(case.rain, rel=2e-3)
    late = time > case.stop + 4000.0
    np.testing.assert_allclose(outflow[late], case.drainage(time[late]), rtol=0.2)
    drained = 60.0 * outflow.sum() + pack.liquid.sum()
    start = 0.0 if not case.ripe else 1000.0 * case.residual * case.porosity
    assert drained == pytest.approx(start + case.rain * case.stop, rel=1e-13)


def test_colbeck_fresh_snow_delays_the_front_beyond_the_rain():
    time, outflow, _ = FRESH.run(12, 60.0, 72000.0)
    assert FRESH.arrival() > FRESH.stop
    rise = time[np.argmax(outflow > 0.5 * outflow.max())]
    assert rise == pytest.approx(FRESH.arrival(), rel=0.12)
    late = time > 1.6 * FRESH.arrival()
    np.testing.assert_allclose(outflow[late], FRESH.drainage(time[late]), rtol=0.2)


def test_a_step_of_an_hour_is_stable():
    _, outflow, _ = RIPE.run(12, 3600.0, 36000.0)
    assert (outflow >= 0.0).all() and (outflow <= 1.001 * RIPE.rain).all()
    assert outflow[2] == pytest.approx(RIPE.rain, rel=0.05)


def test_one_layer_solves_its_equation():
    """Liquid + dt K S***3 = liquid before + rain, for all degrees of stiffness."""
    thickness = 10.0 ** np.linspace(-6, 0.5, 300)
    ice = 300.0 * thickness[None, :]
    pack = SnowPack(ice, 0.3 * ice, thickness[None, :], np.full_like(ice, TF), np.full_like(ice, 500.0), 0.0, 1.0, 0.0)
    new, out = percolate_snow(pack, DT, 1e-4, scheme="kinematic")
    room = pores(pack)[0]
    mobile = np.clip((new.liquid[0] - 0.033 * room) / (0.967 * room), 0.0, None)
    conductivity = 1000.0 * G / MU * 0.077 * 1e-6 * np.exp(-7.8 * 0.3)
    flux = 1000.0 * conductivity * mobile**3
    np.testing.assert_allclose(flux, out, rtol=1e-9)


def test_bad_input_is_named():
    pack = build([1.0], [0.01])
    with pytest.raises(InputError, match="choose one of bucket, kinematic"):
        percolate_snow(pack, DT, scheme="richards")
    with pytest.raises(InputError, match=r"\[0, 1\)"):
        percolate_snow(pack, DT, holding=1.0)
    with pytest.raises(InputError, match="not negative"):
        percolate_snow(pack, DT, -1e-4)
