"""Two-stream solution: energy, limits, singular points, and the published form of the solution."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from pyland.base.errors import InputError
from pyland.land.plant_types import plant_parameters
from pyland.land.surface_processes import compute_two_stream

N = 100_000


def random_optics(rng, n):
    optics = {"leaf_angle": rng.uniform(-0.5, 0.7, n)}
    for part in ("leaf", "stem"):
        for band in ("vis", "nir"):
            scattered = rng.uniform(0.0, 0.99, n)
            share = rng.uniform(0.2, 1.0, n)
            optics[f"{part}_reflectance_{band}"] = scattered * share
            optics[f"{part}_transmittance_{band}"] = scattered * (1.0 - share)
    return optics


def coefficients(optics, leaf, stem, mu, band="vis"):
    """Coefficients b, c, d, f, mubar, h, K of the CLM Technical Note, section 3.1."""
    chi = np.clip(optics["leaf_angle"], -0.4, 0.6)
    chi = np.where(np.abs(chi) <= 0.01, 0.01, chi)
    phi1 = 0.5 - 0.633 * chi - 0.33 * chi**2
    phi2 = 0.877 * (1 - 2 * phi1)
    g = phi1 + phi2 * mu
    k = g / mu
    mubar = (1 - phi1 / phi2 * np.log((phi1 + phi2) / phi1)) / phi2
    wl = leaf / (leaf + stem)
    a = optics[f"leaf_reflectance_{band}"] * wl + optics[f"stem_reflectance_{band}"] * (1 - wl)
    t = optics[f"leaf_transmittance_{band}"] * wl + optics[f"stem_transmittance_{band}"] * (1 - wl)
    omega = a + t
    c = 0.5 * (omega + (a - t) * ((1 + chi) / 2) ** 2)
    t0 = np.maximum(mu * phi2 + g, 1e-6)
    single = omega / 2 * g / t0 * (1 - mu * phi1 / t0 * np.log((mu * phi1 + t0) / (mu * phi1)))
    beta0_omega = (1 + mubar * k) / (mubar * k) * single
    b = 1 - omega + c
    d, f = mubar * k * beta0_omega, mubar * k * (omega - beta0_omega)
    return omega, b, c, d, f, mubar, np.sqrt(b * b - c * c) / mubar, k


def coefficients_t(optics, mu):
    chi = np.clip(optics["leaf_angle"], -0.4, 0.6)
    phi1 = 0.5 - 0.633 * chi - 0.33 * chi**2
    return phi1 + 2 * mu * 0.877 * (1 - 2 * phi1)


def published_solution(optics, leaf, stem, mu, ground):
    """Albedo, transmission and sunlit absorption with coefficients h1 to h10 (CLM Technical Note, eqs. 3.24-3.57)."""
    omega, b, c, d, f, mubar, h, k = coefficients(optics, leaf, stem, mu)
    x = leaf + stem
    mh, kap = mubar * h, mubar * k
    sigma = kap**2 + c**2 - b**2
    u1, u2, u3 = b - c / ground, b - c * ground, f + c * ground
    s1, s2 = np.exp(-h * x), np.exp(-k * x)
    p1, p2, p3, p4 = b + mh, b - mh, b + kap, b - kap
    d1 = p1 * (u1 - mh) / s1 - p2 * (u1 + mh) * s1
    d2 = (u2 + mh) / s1 - (u2 - mh) * s1
    h1 = -d * p4 - c * f
    bottom = d - c - h1 / sigma * (u1 + kap)
    h2 = ((d - h1 / sigma * p3) * (u1 - mh) / s1 - p2 * bottom * s2) / d1
    h3 = -((d - h1 / sigma * p3) * (u1 + mh) * s1 - p1 * bottom * s2) / d1
    h4 = -f * p3 - c * d
    bottom = u3 - h4 / sigma * (u2 - kap)
    h5 = -(h4 * (u2 + mh) / (sigma * s1) + bottom * s2) / d2
    h6 = (h4 / sigma * (u2 - mh) * s1 + bottom * s2) / d2
    h7, h8 = c * (u1 - mh) / (d1 * s1), -c * (u1 + mh) * s1 / d1
    h9, h10 = (u2 + mh) / (d2 * s1), -s1 * (u2 - mh) / d2
    minus, plus = (1 - s2 / s1) / (k - h), (1 - s2 * s1) / (k + h)
    beam = (1 - s2**2) / (2 * k)
    a1 = h1 / sigma * beam + h2 * plus + h3 * minus
    a2 = h4 / sigma * beam + h5 * plus + h6 * minus
    return {
        "albedo_direct": h1 / sigma + h2 + h3,
        "albedo_diffuse": h7 + h8,
        "transmitted_direct": h4 / sigma * s2 + h5 * s1 + h6 / s1,
        "transmitted_diffuse": h9 * s1 + h10 / s1,
        "sunlit_direct": (1 - omega) * (1 - s2 + (a1 + a2) / mubar),
        "sunlit_diffuse": (1 - omega) / mubar * ((h7 + h9) * plus + (h8 + h10) * minus),
    }


def test_energy_closes_for_any_canopy():
    rng = np.random.default_rng(1)
    leaf, stem = 10 ** rng.uniform(-3, 1.4, N), rng.uniform(0.0, 2.0, N)
    stem[::7] = 0.0
    mu = rng.uniform(-0.2, 1.0, N)
    mu[::5] = 10 ** rng.uniform(-4, 0, mu[::5].size)
    ground, ground_diffuse = rng.uniform(0.0, 0.95, (2, N)), rng.uniform(0.0, 0.95, (2, N))
    r = compute_two_stream(leaf, stem, random_optics(rng, N), ground, mu, ground_albedo_diffuse=ground_diffuse)
    direct = r.albedo_direct + r.absorbed_direct + (1 - ground_diffuse) * r.transmitted_direct \
        + (1 - ground) * r.beam_transmission
    diffuse = r.albedo_diffuse + r.absorbed_diffuse + (1 - ground_diffuse) * r.transmitted_diffuse
    assert np.abs(direct - 1).max() < 1e-12
    assert np.abs(diffuse - 1).max() < 1e-12
    for name in ("albedo_direct", "albedo_diffuse", "absorbed_direct", "absorbed_diffuse",
                 "transmitted_direct", "transmitted_diffuse"):
        values = getattr(r, name)
        assert np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0 + 1e-12, name
    assert (r.sunlit_direct <= r.absorbed_direct).all() and (r.sunlit_diffuse <= r.absorbed_diffuse).all()
    assert r.sunlit_diffuse.min() >= 0.0 and r.sunlit_direct.min() >= 0.0
    assert (r.sunlit_area <= leaf + stem + 1e-12).all()
    night = mu <= 0
    assert (r.albedo_direct[:, night] == 1).all() and (r.sunlit_area[night] == 0).all()
    assert (r.absorbed_direct[:, night] == 0).all() and (r.sunlit_diffuse[:, night] == 0).all()


def test_agrees_with_the_published_coefficients():
    rng = np.random.default_rng(2)
    n = 20_000
    optics = random_optics(rng, n)
    leaf, stem = rng.uniform(0.05, 6, n), rng.uniform(0, 1, n)
    mu, ground = rng.uniform(0.1, 1, n), rng.uniform(0.05, 0.6, n)
    *_, h, k = coefficients(optics, leaf, stem, mu)
    # the published form loses digits near its singular point, and where t = mu phi_2 + G is near or below zero
    # (vertical leaves, high sun; the note cuts t off at 1e-6 there)
    t = coefficients_t(optics, mu)
    good = (np.abs(k - h) > 0.05 * k) & (t > 0.01)
    assert good.mean() > 0.9
    expected = published_solution(optics, leaf, stem, mu, ground)
    r = compute_two_stream(leaf, stem, optics, np.stack((ground, ground)), mu)
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(r, name)[0][good], values[good], rtol=0, atol=2e-10, err_msg=name)


@pytest.mark.parametrize("offset", [0.0, 1e-14, -1e-10, 1e-6, -1e-3, 0.02])
def test_solves_the_equations_at_and_near_the_singular_point(offset):
    # choose mu so that K equals h, then move it
    optics = plant_parameters("c3_grass", leaf_reflectance_vis=0.1, leaf_transmittance_vis=0.1)
    lo, hi = 0.2, 1.0
    for _ in range(200):
        mu = 0.5 * (lo + hi)
        *_, h, k = coefficients(optics, 3.0, 0.0, mu)
        lo, hi = (mu, hi) if k > h else (lo, mu)
    mu *= 1 + offset
    ground, x = 0.3, 3.0
    omega, b, c, d, f, mubar, h, k = coefficients(optics, x, 0.0, mu)

    def equations(s, y):
        beam = np.exp(-k * s)
        up, down = (b * y[0] - c * y[1] - d * beam) / mubar, (-b * y[1] + c * y[0] + f * beam) / mubar
        scattered = (1 - omega) * (y[0] + y[1]) / mubar
        return np.stack([up, down, scattered * beam + (1 - omega) * k * beam, scattered + (1 - omega) * k * beam])

    def boundary(top, bottom):
        return np.array([top[1], bottom[0] - ground * (bottom[1] + np.exp(-k * x)), top[2], top[3]])

    s = np.linspace(0, x, 400)
    exact = solve_bvp(equations, boundary, s, np.zeros((4, s.size)), tol=1e-10, max_nodes=100_000)
    assert exact.success
    r = compute_two_stream(x, 0.0, optics, [ground, ground], mu)
    assert r.albedo_direct[0, 0] == pytest.approx(exact.y[0, 0], abs=1e-9)
    assert r.transmitted_direct[0, 0] == pytest.approx(exact.y[1, -1], abs=1e-9)
    assert r.sunlit_direct[0, 0] == pytest.approx(exact.y[2, -1], abs=1e-9)
    assert r.absorbed_direct[0, 0] == pytest.approx(exact.y[3, -1], abs=1e-9)


def test_is_smooth_through_the_singular_point_and_where_vertical_leaves_face_a_high_sun():
    optics = plant_parameters("c3_grass", leaf_angle=-0.4)
    for low, high in ((0.3, 1.0), (0.98, 1.0)):
        mu = np.linspace(low, high, 20_001)
        r = compute_two_stream(3.0, 0.2, optics, [0.2, 0.3], mu)
        for name in ("albedo_direct", "absorbed_direct", "sunlit_direct", "sunlit_diffuse", "transmitted_direct"):
            second = np.diff(getattr(r, name), n=2, axis=1)
            assert np.abs(second).max() < 1e-7, name


def test_no_leaves_leave_the_ground():
    ground = np.array([0.2, 0.4])
    r = compute_two_stream(0.0, 0.0, plant_parameters(7), ground, 0.5)
    np.testing.assert_allclose(r.albedo_direct[:, 0], ground, atol=1e-14)
    np.testing.assert_allclose(r.albedo_diffuse[:, 0], ground, atol=1e-14)
    assert r.beam_transmission[0] == 1.0 and r.absorbed_direct.max() < 1e-14 and r.sunlit_area[0] == 0.0
    thin = compute_two_stream(1e-6, 0.0, plant_parameters(7), ground, 0.5)
    np.testing.assert_allclose(thin.albedo_direct[:, 0], ground, atol=1e-5)


def test_a_deep_canopy_hides_the_ground():
    optics = plant_parameters("broadleaf_evergreen_tropical")
    ground = np.array([[0.0, 0.9], [0.0, 0.9]])
    for area in (60.0, 1000.0):
        r = compute_two_stream([area, area], 0.0, optics, ground, 0.6)
        np.testing.assert_allclose(r.albedo_direct[:, 0], r.albedo_direct[:, 1], rtol=1e-9)
        np.testing.assert_allclose(r.albedo_diffuse[:, 0], r.albedo_diffuse[:, 1], rtol=1e-9)
        assert r.transmitted_diffuse.max() < 1e-9
    # albedo of an infinitely deep canopy under diffuse light: r = c/(b + mubar h)
    _, b, c, _, _, mubar, h, _ = coefficients(optics, 60.0, 0.0, 0.6)
    assert r.albedo_diffuse[0, 0] == pytest.approx(c / (b + mubar * h), rel=1e-12)


def test_black_ground_and_black_leaves_give_beers_law():
    black = {key: 0.0 for key in plant_parameters(13) if "ance" in key}
    optics = plant_parameters(13, **black)
    r = compute_two_stream(2.0, 0.0, optics, [0.0, 0.0], 0.7)
    assert r.albedo_direct.max() == 0.0 and r.albedo_diffuse.max() == 0.0
    np.testing.assert_allclose(r.absorbed_direct[:, 0], 1 - np.exp(-r.extinction[0] * 2.0), rtol=1e-14)
    np.testing.assert_allclose(r.sunlit_direct, r.absorbed_direct, rtol=1e-14)


def test_a_brighter_ground_reflects_more():
    ground = np.linspace(0, 0.9, 50)
    r = compute_two_stream(1.5, 0.2, plant_parameters(13), np.stack((ground, ground)), 0.5)
    assert (np.diff(r.albedo_direct) > 0).all() and (np.diff(r.albedo_diffuse) > 0).all()


def test_a_column_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(3)
    n = 77
    optics = random_optics(rng, n)
    args = rng.uniform(0, 6, n), rng.uniform(0, 1, n), optics, rng.uniform(0, 0.6, (2, n)), rng.uniform(-1, 1, n)
    together = compute_two_stream(*args)
    for i in (0, 31, 32, 76):
        optics_i = {key: values[i] for key, values in optics.items()}
        one = compute_two_stream(args[0][i], args[1][i], optics_i, args[3][:, i], args[4][i])
        assert np.array_equal(one.albedo_direct[:, 0], together.albedo_direct[:, i])
        assert np.array_equal(one.sunlit_diffuse[:, 0], together.sunlit_diffuse[:, i])


def test_bad_input_is_named():
    optics = plant_parameters(13)
    with pytest.raises(InputError, match="albedo must lie"):
        compute_two_stream(1.0, 0.0, optics, [0.2, 1.0], 0.5)
    with pytest.raises(InputError, match="lacks leaf_angle"):
        compute_two_stream(1.0, 0.0, {}, [0.2, 0.2], 0.5)
    with pytest.raises(InputError, match="one value per column"):
        compute_two_stream([1.0, 2.0], [0.0, 0.0, 0.0], optics, [0.2, 0.2], 0.5)
    with pytest.raises(InputError, match="not finite"):
        compute_two_stream(np.nan, 0.0, optics, [0.2, 0.2], 0.5)


def test_the_boundary_names_a_wrong_shape():
    from pyland.core import land_surface as core

    with pytest.raises(InputError, match="albedos: expected 3 x 4, got 2 x 4"):
        core.two_stream(np.ones((12, 3)), np.full((4, 2), 0.2), np.ones((1, 3)))
