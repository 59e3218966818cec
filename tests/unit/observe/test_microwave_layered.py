"""Coherent emission of layers: thin films by formula, transfer matrices, energy, and thick layers of models."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.microwave import (
    brightness_temperature,
    layered_ground,
    layered_weights,
    profile_weights,
    smooth_reflectivity,
    soil_permittivity,
    thin_layers,
)

WAVENUMBER = 2 * np.pi * 1.41e9 / 2.99792458e8
CLM = np.array([0.0175, 0.0276, 0.0455, 0.0750, 0.1236, 0.2038, 0.3360])


def transfer_matrices(eps, thickness, angle, polarisation):
    """Reflectivity and transmitted share by products of characteristic matrices (Born and Wolf, section 1.6)."""
    c = np.cos(np.radians(angle))
    root = np.sqrt(eps - 1 + c * c)
    admittance = root if polarisation == 0 else eps / root
    air = c if polarisation == 0 else 1 / c
    product = np.eye(2, dtype=complex)
    for y, k, d in zip(admittance[:-1], WAVENUMBER * root[:-1], thickness[:-1], strict=True):
        turn, wave = np.cos(k * d), -1j * np.sin(k * d)
        product = product @ np.array([[turn, wave / y], [y * wave, turn]])
    field, flow = product @ np.array([1.0, admittance[-1]])
    reflected = (air * field - flow) / (air * field + flow)
    sent = 2 * air / (air * field + flow)
    return np.abs(reflected) ** 2, admittance[-1].real / air * np.abs(sent) ** 2


def test_reference_profiles():
    """20 layers of 2.5 mm from 0.10 to 0.30 over 5 cm, and the other way round, against Fresnel on their mean."""
    place = np.arange(20) / 20
    for first, last, expected, homogeneous in ((0.10, 0.30, 221.8, 187.9), (0.30, 0.10, 154.9, 184.6)):
        water = np.append(first + (last - first) * place, last)
        weight = layered_weights(soil_permittivity(water, 0.20)[:, None], np.full(21, 0.0025), 40.0)
        assert 293.15 * weight[0].sum() == pytest.approx(expected, abs=0.06)
        mean = brightness_temperature(water[:20].mean(), 293.15, 0.20, polarisation="h")
        assert mean == pytest.approx(homogeneous, abs=0.06)


def test_thin_film_is_airys_formula():
    film, base, angle, d = 3.0 + 0.05j, 20.0 + 2.0j, 40.0, 0.03
    weight = layered_weights(np.array([[film], [base]]), np.array([d, 0.0]), angle)[:, :, 0]
    c = np.cos(np.radians(angle))
    k1, k2 = np.sqrt(film - 1 + c * c), np.sqrt(base - 1 + c * c)
    for p, (a, b, e) in enumerate(((c, k1, k2), (1 / c, film / k1, base / k2))):
        top, bottom, turn = (a - b) / (a + b), (b - e) / (b + e), np.exp(2j * WAVENUMBER * k1 * d)
        r = (top + bottom * turn) / (1 + top * bottom * turn)
        assert weight[p].sum() == pytest.approx(1 - np.abs(r) ** 2, rel=1e-12)
    # without loss in the film all is absorbed below
    clear = layered_weights(np.array([[3.0 + 0j], [base]]), np.array([d, 0.0]), angle)
    assert clear[:, 0, 0] == pytest.approx(0.0, abs=1e-14)


def test_many_layers_against_transfer_matrices():
    rng = np.random.default_rng(8)
    for count in (2, 7, 20):
        eps = rng.uniform(2, 30, (count, 40)) + 1j * rng.uniform(0.01, 3, (count, 40))
        thickness, angle = rng.uniform(0.001, 0.03, count), rng.uniform(0, 60, 40)
        weight = layered_weights(eps, thickness, angle)
        assert (weight > 0).all() and (weight.sum(axis=1) < 1).all()
        for column in range(0, 40, 7):
            for p in range(2):
                reflected, passed = transfer_matrices(eps[:, column], thickness, angle[column], p)
                assert weight[p, :, column].sum() == pytest.approx(1 - reflected, rel=1e-9)
                assert weight[p, -1, column] == pytest.approx(passed, rel=1e-9)


def test_cut_layers_change_nothing():
    eps, thickness = np.array([4 + 0.3j, 12 + 1j, 7 + 0.5j]), np.array([0.02, 0.05, 1.0])
    whole = layered_weights(eps[:, None], thickness, 40.0)[:, :, 0]
    number = [4, 3, 2]
    cut = layered_weights(np.repeat(eps, number)[:, None], np.repeat(thickness / number, number), 40.0)[:, :, 0]
    parts = np.stack([cut[:, :4].sum(axis=1), cut[:, 4:7].sum(axis=1), cut[:, 7:].sum(axis=1)], axis=1)
    assert parts == pytest.approx(whole, rel=1e-12)
    # a thick lossy layer hides what is below, without overflow
    hidden = layered_weights(np.array([[12 + 1j], [80 + 30j]]), np.array([500.0, 0.0]), 40.0)[:, :, 0]
    assert hidden[:, 0] == pytest.approx(1 - smooth_reflectivity(12 + 1j, 40.0)) and (hidden[:, 1] == 0).all()


def test_uniform_ground_is_fresnels():
    water = np.full((7, 3), [0.05, 0.2, 0.4])
    temperature = np.full_like(water, 290.0)
    reflectivity, emitted = layered_ground(water, temperature, CLM, 0.2, angle=np.array([0.0, 40.0, 60.0]))
    assert reflectivity == pytest.approx(
        smooth_reflectivity(soil_permittivity(water[0], 0.2), np.array([0.0, 40.0, 60.0])), rel=1e-9)
    assert emitted == pytest.approx(290.0)


def test_thin_layers_resolve_the_wave():
    """Layers of 1 mm change the brightness of a sharp profile by less than 0.3 K; the steps of the model by 9 K."""
    centre = np.cumsum(CLM) - CLM / 2
    water = np.interp(centre, [0, 0.05], [0.10, 0.30])[:, None]
    temperature = np.full_like(water, 293.15)
    reflectivity, _ = layered_ground(water, temperature, CLM, 0.2)
    fine = np.full(800, CLM.sum() / 800)
    exact = layered_weights(soil_permittivity(profile_weights(CLM, fine) @ water, 0.2), fine, 40.0).sum(axis=1)
    assert 293.15 * (1 - reflectivity - exact) == pytest.approx(0.0, abs=0.3)
    steps = layered_weights(soil_permittivity(water, 0.2), CLM, 40.0).sum(axis=1)
    assert 293.15 * steps[0, 0] == pytest.approx(229.6, abs=0.06)  # reference, of the same profile and layers
    assert 293.15 * np.abs(steps - exact).max() > 8.0


def test_a_transition_layer_stops_resonance():
    """Dry skins of 2 to 12 cm on wet ground: a step resonates with the skin, a gradual change does so much less."""
    depth, thin = np.linspace(0.02, 0.12, 101), np.full(250, 0.001)
    place = np.cumsum(thin) - 0.0005

    def brightness(transition):
        limits = [[d - transition / 2, d + transition / 2] for d in depth]
        water = np.stack([np.interp(place, limit, [0.10, 0.30]) for limit in limits], axis=1)
        return 293.15 * layered_weights(soil_permittivity(water, 0.2), thin, 40.0)[0].sum(axis=0)

    step, gradual = brightness(1e-6), brightness(0.03)
    assert step.max() == pytest.approx(274.0, abs=0.6) and np.ptp(step) > 95.0
    assert np.ptp(gradual) < 30.0


def test_temperature_is_weighted_with_what_is_absorbed():
    water = np.full((7, 2), [0.03, 0.35])
    temperature = np.repeat(np.linspace(300.0, 280.0, 7)[:, None], 2, axis=1)
    _, emitted = layered_ground(water, temperature, CLM, 0.2)
    dry, wet = emitted[0]
    assert 284.0 < dry < wet - 5.0 and wet > 295.0  # dry ground emits from deeper


def test_profiles_and_layers():
    thin = thin_layers(0.8)
    assert thin.sum() == pytest.approx(0.8) and (np.diff(thin) > 0).all() and thin[0] < 0.0025
    weight = profile_weights(CLM, thin)
    assert weight.sum(axis=1) == pytest.approx(1.0) and (weight >= 0).all()
    centre, place = np.cumsum(CLM) - CLM / 2, np.cumsum(thin) - thin / 2
    inside = (place > centre[0]) & (place < centre[-1])
    assert (weight @ centre)[inside] == pytest.approx(place[inside])


def test_gaps_and_wrong_arguments():
    water, heat = np.full((7, 3), 0.2), np.full((7, 3), 290.0)
    water[2, 1] = np.nan
    reflectivity, emitted = layered_ground(water, heat, CLM, np.array([0.1, 0.2, 0.3]))
    assert np.isnan(reflectivity[:, 1]).all() and np.isnan(emitted[:, 1]).all()
    assert np.isfinite(reflectivity[:, [0, 2]]).all() and reflectivity[0, 0] != reflectivity[0, 2]
    with pytest.raises(InputError, match="thickness"):
        layered_ground(water, heat, CLM[:3], 0.2)
    with pytest.raises(InputError, match="positive depth"):
        thin_layers(0.0)
    with pytest.raises(InputError, match=r"\(layer, column\)"):
        layered_weights(np.array([3.0 + 0j]), np.array([1.0]), 40.0)
    with pytest.raises(InputError, match="loss of a layer"):
        layered_weights(np.array([[3.0 - 1j], [4.0 + 0j]]), np.array([0.1, 0.1]), 40.0)
