"""Soil heat: thermal properties, conduction against analytic solutions, order in time, energy."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import erfc

from pyland.base.errors import InputError
from pyland.land.soil_heat import compute_soil_thermal_properties, step_soil_temperature

CLM5 = np.array([0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28, 0.32, 0.36, 0.40, 0.44, 0.54, 0.64, 0.74, 0.84,
                 0.94, 1.04, 1.14, 2.39, 4.676, 7.635, 11.14, 15.115])
K, C = 1.2, 2.2e6


def run(dt, steps, thickness, surface, temperature, slope=0.0, conductivity=K, capacity=C):
    """Advance; ``surface(step, temperature of the top)`` gives the flux at the start's temperature."""
    history = [temperature]
    for step in range(steps):
        flux = surface(step, temperature[0])
        result = step_soil_temperature(dt, thickness, conductivity, capacity, temperature, flux, slope)
        temperature = result.temperature
        history.append(temperature)
    return np.array(history)


def test_damped_wave_of_a_periodic_surface_temperature():
    """A diurnal wave decays as exp(-z/D) and lags by z/D, D = sqrt(2 K/(C omega)) (Carslaw and Jaeger 1959, 2.6)."""
    thickness = np.full((150, 1), 0.01)
    depth = np.cumsum(thickness[:, 0]) - 0.005
    dt, omega = 900.0, 2 * np.pi / 86400.0
    damping = np.sqrt(2 * K / (C * omega))
    link = 2 * K / 0.01  # conductance between the surface and the centre of the top layer

    def flux(step, top):
        mean_sine = (np.cos(omega * step * dt) - np.cos(omega * (step + 1) * dt)) / (omega * dt)
        surface = 280.0 + 10.0 * mean_sine
        return link * (surface - top)

    history = run(dt, 96 * 12, thickness, flux, np.full((150, 1), 280.0), slope=-link)[-96:, :, 0] - 280.0
    time = dt * np.arange(96 * 11 + 1, 96 * 12 + 1)
    for z in (0.055, 0.105, 0.205, 0.305):
        layer = np.argmin(np.abs(depth - z))
        amplitude = 2 * np.mean(history[:, layer] * np.exp(-1j * omega * time))
        expected = -1j * 10.0 * np.exp(-(1 + 1j) * depth[layer] / damping)
        assert abs(amplitude) == pytest.approx(abs(expected), rel=5e-3)
        assert np.angle(amplitude / expected) == pytest.approx(0.0, abs=5e-3)  # below 1.2 minutes of the day


def test_constant_flux_into_a_half_space():
    """T = 2 q/K sqrt(kappa t) ierfc(z/(2 sqrt(kappa t))) (Carslaw and Jaeger 1959, 2.9, eq. 7)."""
    thickness = np.full((200, 1), 0.01)
    depth = np.cumsum(thickness[:, 0]) - 0.005
    q, dt, steps = 100.0, 300.0, 288
    warm = run(dt, steps, thickness, lambda step, top: q, np.full((200, 1), 280.0))[-1, :, 0] - 280.0
    reach = np.sqrt(K / C * dt * steps)
    u = depth / (2 * reach)
    exact = 2 * q / K * reach * (np.exp(-u**2) / np.sqrt(np.pi) - u * erfc(u))
    assert np.abs(warm - exact).max() < 2e-3 * exact[0]


def test_second_order_in_time():
    """Against the exact solution of the same layers, with the surface flux falling as the top warms."""
    n, slope, flux, end = 12, -15.0, 120.0, 86400.0
    thickness = CLM5[:n]
    link = 2 * K / (thickness[1:] + thickness[:-1])
    matrix = np.zeros((n, n))
    for i in range(n - 1):
        matrix[i, i] -= link[i]
        matrix[i, i + 1] += link[i]
        matrix[i + 1, i + 1] -= link[i]
        matrix[i + 1, i] += link[i]
    matrix[0, 0] += slope
    matrix /= (C * thickness)[:, None]
    start = 280.0 + 5.0 * np.exp(-np.cumsum(thickness))
    source = np.zeros(n)
    source[0] = (flux - slope * start[0]) / (C * thickness[0])
    steady = np.linalg.solve(matrix, source)
    exact = expm(matrix * end) @ (start + steady) - steady
    errors = []
    for steps in (24, 48, 96, 192, 384):
        result = run(end / steps, steps, thickness[:, None], lambda step, top: flux + slope * (top - start[0]),
                     start[:, None], slope=slope)[-1, :, 0]
        errors.append(np.abs(result - exact).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert errors[1] < 0.02  # half-hourly steps, a jump of 120 W m-2 at the start
    assert (orders[-2:] > 1.8).all(), (errors, orders)


def test_energy_closes_to_round_off():
    rng = np.random.default_rng(6)
    n, m = CLM5.size, 500
    thickness = CLM5[:, None] * rng.uniform(0.8, 1.2, (n, m))
    conductivity, capacity = rng.uniform(0.1, 4.0, (n, m)), rng.uniform(0.8e6, 4.2e6, (n, m))
    start = rng.uniform(250, 320, (n, m))
    flux, slope, bottom = rng.uniform(-400, 800, m), rng.uniform(-80, 0, m), rng.uniform(0, 0.1, m)
    for dt in (60.0, 1800.0, 86400.0):
        r = step_soil_temperature(dt, thickness, conductivity, capacity, start, flux, slope, bottom)
        given = dt * (flux + slope * r.mean_surface_change + bottom)
        # the state holds temperatures to 6e-14 K, which 50 m of ground turn into 1e-5 J m-2 at most
        content = (capacity * thickness * r.temperature).sum(axis=0)
        assert (np.abs(r.heat_change - given) / content).max() < 4 * np.finfo(float).eps
        stored = (capacity * thickness * (r.temperature - start)).sum(axis=0)
        assert (np.abs(r.heat_change - stored) / content).max() < 4 * np.finfo(float).eps


def test_thin_layers_do_not_ring():
    """L-stability: a 1 mm layer jumps to its equilibrium within a step, where Crank-Nicolson rings."""
    thickness = np.concatenate(([0.001, 0.002], CLM5))[:, None]
    start = np.full((27, 1), 280.0)
    result = run(3600.0, 30, thickness, lambda step, top: -500.0 * (top - 290.0), start, slope=-500.0)
    top = result[:, 0, 0]
    assert top.max() < 290.0 + 0.05 and np.abs(np.diff(top)[1:]).max() < 0.03 * 10.0
    assert (np.diff(top)[2:] > 0).all()  # slow warming with the soil below


def test_uniform_column_without_flux_stays():
    r = step_soil_temperature(1800.0, CLM5[:, None], K, C, np.full((25, 3), 281.5), 0.0)
    assert (r.temperature == 281.5).all() and (r.heat_change == 0).all()


def test_one_layer():
    r = step_soil_temperature(1800.0, 0.1, 1.0, 2e6, [[280.0]], 50.0)
    assert r.temperature[0, 0] == pytest.approx(280.0 + 50.0 * 1800 / 2e5, rel=1e-12)


def test_thermal_properties_of_loam():
    k, c = compute_soil_thermal_properties(40.0, 20.0, 0.45, [[0.0], [0.225], [0.45]], bedrock_layers=2)
    solids = (40 * 8.80 + 20 * 2.92) / 60
    saturated = solids**0.55 * 0.57**0.45
    density = 2700 * 0.55
    dry = (0.135 * density + 64.7) / (2700 - 0.947 * density)
    kersten = np.log10(0.5) + 1
    np.testing.assert_allclose(k[:, 0], [dry, dry + kersten * (saturated - dry), saturated, 3.0, 3.0], rtol=1e-13)
    grains = (40 * 2.128e6 + 20 * 2.385e6) / 60 * 0.55
    wet = grains + np.array([0.0, 0.225, 0.45]) * 4.188e6
    np.testing.assert_allclose(c[:, 0], [*wet, 2e6, 2e6], rtol=1e-13)


def test_thermal_properties_of_peat_and_silt():
    peat, heat = compute_soil_thermal_properties(40.0, 20.0, 0.9, [[0.0]], organic=1.0)
    assert peat[0, 0] == pytest.approx(0.05) and heat[0, 0] == pytest.approx(2.5e5)
    silt, _ = compute_soil_thermal_properties(0.0, 0.0, 0.45, [[0.45]])
    assert silt[0, 0] == pytest.approx(5.86**0.55 * 0.57**0.45)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="slope not positive"):
        step_soil_temperature(1800.0, 0.1, 1.0, 2e6, [[280.0]], 50.0, 1.0)
    with pytest.raises(InputError, match=r"expected shape \(layer, column\)"):
        step_soil_temperature(1800.0, np.ones((3, 1)), 1.0, 2e6, [[280.0]], 50.0)
    with pytest.raises(InputError, match="not finite"):
        step_soil_temperature(1800.0, 0.1, 1.0, 2e6, [[np.nan]], 50.0)
    with pytest.raises(InputError, match="porosity"):
        compute_soil_thermal_properties(40.0, 20.0, 1.0, [[0.2]])
