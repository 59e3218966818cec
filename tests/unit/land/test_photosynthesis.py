"""Leaf photosynthesis against an independent scalar implementation of the published equations."""

import numpy as np
import pytest
from scipy.optimize import brentq

from pyland.base.errors import InputError
from pyland.land.canopy_processes import leaf_photosynthesis

R = 8.314467
TF = 273.15


def saturation(t):
    a = [6.11583699, 4.44606896e-1, 1.43177157e-2, 2.64224321e-4, 2.99291081e-6, 2.03154182e-8, 7.02620698e-11,
         3.79534310e-14, -3.21582393e-16]
    return 100.0 * np.polynomial.polynomial.polyval(t - TF, a)


def leaf(**changes):
    values = {
        "leaf_temperature": 298.15, "absorbed_light": 150.0, "vcmax25": 60.0, "is_c4": 0.0, "stomatal_slope": 4.45,
        "stomatal_intercept": 100.0, "growth_temperature": 293.15, "water_stress": 1.0, "vapour_pressure": 2000.0,
        "boundary_resistance": 30.0, "co2_pressure": 38.0, "air_pressure": 1.0e5, "potential_temperature": 298.0,
    }
    return values | changes


def smaller_root(a, b, c):
    return min(np.roots([a, b, c]).real)


def gross_rate(ci, p):
    t, pressure = p["leaf_temperature"], p["air_pressure"]
    v25, par = p["vcmax25"], p["absorbed_light"]
    if p["is_c4"]:
        q10 = 2 ** ((t - 298.15) / 10)
        v = v25 * q10 / ((1 + np.exp(0.3 * (t - 313.15))) * (1 + np.exp(0.2 * (288.15 - t)))) * p["water_stress"]
        rd = 0.025 * v25 * q10 / (1 + np.exp(1.3 * (t - 328.15))) * p["water_stress"]
        ac, aj, ap, theta = v, 0.05 * 4.6 * par, 20000 * v25 * q10 * ci / pressure, 0.80
    else:
        tg = min(max(p["growth_temperature"] - TF, 11.0), 35.0)

        def f(h):
            return np.exp(h / (298.15 * R) * (1 - 298.15 / t))

        def fh(h, s):
            return (1 + np.exp((298.15 * s - h) / (298.15 * R))) / (1 + np.exp((s * t - h) / (R * t)))

        sv, sj = 668.39 - 1.07 * tg, 659.70 - 0.75 * tg
        v = v25 * f(72000) * fh(200000, sv) * p["water_stress"]
        jmax = (2.59 - 0.035 * tg) * v25 * f(50000) * fh(200000, sj)
        rd = 0.015 * v25 * f(46390) * fh(150650, 490) * p["water_stress"]
        kc, ko = 404.9e-6 * pressure * f(79430), 278.4e-3 * pressure * f(36380)
        gamma, o = 42.75e-6 * pressure * f(37830), 0.209 * pressure
        light = 0.5 * 0.85 * 4.6 * par
        j = smaller_root(0.7, -(light + jmax), light * jmax)
        over = max(ci - gamma, 0.0)
        ac, aj = v * over / (ci + kc * (1 + o / ko)), j * over / (4 * ci + 8 * gamma)
        ap, theta = 3 * 0.167 * v25 * f(72000) * fh(200000, sv), 0.98
    ai = smaller_root(theta, -(ac + aj), ac * aj)
    return smaller_root(0.95, -(ai + ap), ai * ap), rd


def stomatal(an, p, scheme):
    pressure, ca = p["air_pressure"], p["co2_pressure"]
    gb = 1e6 * pressure / (R * p["potential_temperature"]) / p["boundary_resistance"]
    stress = p["water_stress"] if scheme == "ball_berry" else 1.0
    g0 = max(p["stomatal_intercept"] * stress, 1.0)
    if an <= 0:
        return g0, gb
    cs = ca - 1.4 * an * pressure / gb
    ei = saturation(p["leaf_temperature"])
    if scheme == "medlyn":
        vpd = max(ei - p["vapour_pressure"], 50.0) * 1e-3
        d = 1.6 * an / (cs / pressure)
        roots = np.roots([1, -(2 * (g0 + d) + (p["stomatal_slope"] * d) ** 2 / (gb * vpd)),
                          g0**2 + (2 * g0 + d * (1 - p["stomatal_slope"] ** 2 / vpd)) * d])
    else:
        ea = min(max(p["vapour_pressure"], 0.05 * ei), ei)
        m = p["stomatal_slope"] * an * pressure
        roots = np.roots([cs, cs * (gb - g0) - m, -gb * (cs * g0 + m * ea / ei)])
    return max(roots.real), gb


def reference(p, scheme):
    def residual(ci):
        a, rd = gross_rate(ci, p)
        an = a - rd
        g, gb = stomatal(an, p, scheme)
        return ci - p["co2_pressure"] + an * p["air_pressure"] * (1.4 / gb + 1.6 / g)

    ca = p["co2_pressure"]
    a, rd = gross_rate(ca, p)
    ci = ca
    if a > rd:
        low = 0.01 if p["is_c4"] else next(c for c in np.linspace(0.02, 0.999, 400) * ca if residual(c) < 0)
        ci = brentq(residual, low, ca, xtol=1e-10)
        a, rd = gross_rate(ci, p)
    return a - rd, rd, stomatal(a - rd, p, scheme)[0], ci


CASES = [
    leaf(),
    leaf(absorbed_light=20.0),
    leaf(co2_pressure=18.0),
    leaf(co2_pressure=200.0),
    leaf(leaf_temperature=281.0, growth_temperature=280.0, vapour_pressure=700.0),
    leaf(leaf_temperature=310.0, growth_temperature=305.0, vapour_pressure=1500.0),
    leaf(water_stress=0.2),
    leaf(boundary_resistance=200.0, absorbed_light=400.0),
    leaf(is_c4=1.0, stomatal_slope=1.62),
    leaf(is_c4=1.0, stomatal_slope=1.62, leaf_temperature=308.0, absorbed_light=300.0, co2_pressure=18.0),
    leaf(vcmax25=120.0, absorbed_light=400.0, vapour_pressure=3100.0),
    leaf(absorbed_light=0.0),
]


@pytest.mark.parametrize("scheme", ["medlyn", "ball_berry"])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_rates_match_the_independent_solution(case, scheme):
    p = dict(CASES[case])
    if scheme == "ball_berry":
        p |= {"stomatal_slope": 4.0 if p["is_c4"] else 9.0, "stomatal_intercept": 40000.0 if p["is_c4"] else 10000.0}
    got = leaf_photosynthesis(p, scheme)
    net, rd, g, ci = reference(p, scheme)
    assert got["converged"][0]
    assert got["net_assimilation"][0] == pytest.approx(net, rel=1e-6, abs=1e-8)
    assert got["respiration"][0] == pytest.approx(rd, rel=1e-9)
    assert got["stomatal_conductance"][0] == pytest.approx(g, rel=1e-6)
    assert got["internal_co2"][0] == pytest.approx(ci, abs=1e-5)
    assert got["stomatal_resistance"][0] == pytest.approx(
        p["air_pressure"] / (R * p["potential_temperature"] * g * 1e-6), rel=1e-6)


@pytest.mark.parametrize("scheme", ["medlyn", "ball_berry"])
def test_random_leaves_converge_and_match(scheme):
    rng = np.random.default_rng(3)
    n = 300
    p = leaf(
        leaf_temperature=rng.uniform(265, 325, n), absorbed_light=rng.uniform(0, 400, n),
        vcmax25=rng.uniform(10, 120, n), is_c4=(rng.random(n) < 0.3) * 1.0, stomatal_slope=rng.uniform(1.5, 9, n),
        stomatal_intercept=10 ** rng.uniform(0, 4.5, n), growth_temperature=rng.uniform(275, 312, n),
        water_stress=rng.random(n), boundary_resistance=rng.uniform(5, 300, n), co2_pressure=rng.uniform(18, 200, n),
        air_pressure=rng.uniform(6e4, 1.05e5, n))
    p["vapour_pressure"] = saturation(p["leaf_temperature"]) * rng.uniform(0.02, 1.1, n)
    got = leaf_photosynthesis(p, scheme)
    assert got["converged"].all()
    for i in range(0, n, 3):
        one = {k: float(np.broadcast_to(v, n)[i]) for k, v in p.items()}
        a, rd = gross_rate(got["internal_co2"][i], one)
        g, gb = stomatal(a - rd, one, scheme)
        assert got["gross_assimilation"][i] == pytest.approx(a, rel=1e-7, abs=1e-8)
        assert got["stomatal_conductance"][i] == pytest.approx(g, rel=1e-6)
        closing = one["co2_pressure"] - (a - rd) * one["air_pressure"] * (1.4 / gb + 1.6 / g)
        if gross_rate(one["co2_pressure"], one)[0] > rd:
            assert got["internal_co2"][i] == pytest.approx(closing, abs=1e-3)
        else:
            assert got["internal_co2"][i] == pytest.approx(one["co2_pressure"], abs=1e-6)


def test_night_respires():
    got = leaf_photosynthesis(leaf(absorbed_light=0.0))
    assert got["gross_assimilation"][0] == 0.0
    assert got["net_assimilation"][0] == -got["respiration"][0] < 0
    assert got["stomatal_conductance"][0] == pytest.approx(100.0, rel=1e-14)


@pytest.mark.parametrize("is_c4", [0.0, 1.0])
def test_assimilation_rises_with_light_and_co2(is_c4):
    light = np.linspace(0.0, 400.0, 200)
    got = leaf_photosynthesis(leaf(absorbed_light=light, is_c4=is_c4))
    assert np.all(np.diff(got["gross_assimilation"]) >= -1e-9)
    co2 = np.linspace(18.0, 200.0, 200)
    got = leaf_photosynthesis(leaf(co2_pressure=co2, is_c4=is_c4))
    assert np.all(np.diff(got["gross_assimilation"]) >= -1e-9)


def test_conductance_falls_with_dry_air():
    vapour = np.linspace(300.0, 3000.0, 100)
    got = leaf_photosynthesis(leaf(vapour_pressure=vapour))
    assert np.all(np.diff(got["stomatal_conductance"]) > 0)


def test_no_water_closes_c3_assimilation():
    got = leaf_photosynthesis(leaf(water_stress=0.0))
    assert got["gross_assimilation"][0] == pytest.approx(0.0, abs=1e-12)


def test_a_leaf_does_not_depend_on_its_place():
    light = np.random.default_rng(0).uniform(0, 300, 50)
    many = leaf_photosynthesis(leaf(absorbed_light=light))
    for i in (0, 17, 33, 49):
        alone = leaf_photosynthesis(leaf(absorbed_light=light[i]))
        assert alone["net_assimilation"][0] == many["net_assimilation"][i]


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="stomata"):
        leaf_photosynthesis(leaf(), "jarvis")
    with pytest.raises(InputError, match="missing"):
        leaf_photosynthesis({"leaf_temperature": 300.0})
    with pytest.raises(InputError, match="finite"):
        leaf_photosynthesis(leaf(absorbed_light=np.nan))
    with pytest.raises(InputError, match="boundary_resistance"):
        leaf_photosynthesis(leaf(boundary_resistance=0.0))
