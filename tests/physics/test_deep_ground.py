"""Permafrost depths: the annual wave to 42 m, geothermal heat, and an active layer that thaws and freezes."""

import numpy as np
import pytest

from pyland.coupling import ColumnModel
from pyland.domain.layers import build_layers
from pyland.land.soil_heat import step_ground_heat

YEAR = 365.0 * 86400.0
TF = 273.15


def test_annual_wave_to_forty_metres():
    """A wave of 15 K decays as exp(-z/D) and lags by z/D (Carslaw and Jaeger 1959, 2.6); 42 m hold its last 0.1 K."""
    k, c = 2.5, 2.2e6
    thickness = np.diff(np.concatenate([[0.0], np.geomspace(0.05, 80.0, 90)]))[:, None]
    depth = np.cumsum(thickness[:, 0]) - 0.5 * thickness[:, 0]
    link = np.vstack([2 * k / (thickness[1:] + thickness[:-1]), np.zeros((1, 1))])
    surface = 2 * k / thickness[0]
    omega, dt = 2 * np.pi / YEAR, 86400.0
    damping = np.sqrt(2 * k / (c * omega))
    temperature = (270.0 - 15.0 * np.exp(-depth / damping) * np.sin(depth / damping))[:, None]  # the wave at t = 0
    history = []
    for step in range(3 * 365):
        mean = 270.0 + 15.0 * (np.cos(omega * step * dt) - np.cos(omega * (step + 1) * dt)) / (omega * dt)
        temperature = step_ground_heat(dt, dry_capacity=c * thickness, conductance=link, temperature=temperature,
                                       soil_flux=surface * (mean - temperature[0]),
                                       soil_flux_slope=-surface).temperature
        history.append(temperature[:, 0])
    last = np.array(history[-365:])
    time = dt * np.arange(2 * 365 + 1, 3 * 365 + 1)
    amplitude = 2 * np.mean((last - 270.0) * np.exp(-1j * omega * time)[:, None], axis=0)
    expected = -1j * 15.0 * np.exp(-(1 + 1j) * depth / damping)
    near = depth < 20.0
    assert np.abs(amplitude - expected)[near].max() < 0.02 * 15.0
    assert (np.abs(amplitude) / np.abs(expected))[near] == pytest.approx(1.0, rel=0.03)
    range_at_42 = np.interp(42.0, depth, last.max(axis=0) - last.min(axis=0))
    assert range_at_42 < 0.1, "the depth of zero annual amplitude lies within the column"


def test_heat_from_below_makes_its_gradient():
    """With a cold surface the steady profile has the slope q/k, through frozen soil as well."""
    k, q = 3.0, 0.06
    thickness = np.full((40, 1), 1.0)
    link = np.full((40, 1), k)
    temperature, water = np.full((40, 1), 268.0), np.full((40, 1), 200.0)
    curve = {"film": 2.0, "curve_scale": 60.0, "curve_power": 0.3}
    liquid = np.minimum(water, 2.0 + 60.0 * (TF - temperature) ** -0.3)
    source = np.zeros((40, 1))
    source[-1] = q
    for _ in range(400):
        r = step_ground_heat(20 * YEAR, dry_capacity=1.5e6 * thickness, conductance=link, temperature=temperature,
                             water=water, liquid=liquid, source=source, soil_flux=2 * k * (268.0 - temperature[0]),
                             soil_flux_slope=-2 * k, **curve)
        temperature, liquid = r.temperature, r.liquid
    assert np.diff(temperature[:, 0]) == pytest.approx(q / k, rel=1e-3)


def permafrost() -> ColumnModel:
    layers = build_layers("clm5", 5)
    model = ColumnModel(layers.thickness, layers.bedrock_thickness, {"patch_fraction": np.ones((1, 1)),
                        "canopy_top": np.full((1, 1), 0.1)}, ncell=1, lower_boundary="no_flow", bottom_heat_flux=0.05)
    model.set_state({"soil_water": np.full((layers.nlayer, 1), 0.4),
                     "soil_temperature": np.full((layers.nthermal, 1), 267.0),
                     "leaf_temperature": np.full((1, 1), 267.0)})
    return model


def test_active_layer_thaws_in_summer_and_freezes_again():
    model = permafrost()
    thaw, closed = [], []
    for step in range(2 * 365 * 8):
        day = step / 8.0
        warm = -np.cos(2 * np.pi * (day - 20.0) / 365.0)
        air = 265.0 + 17.0 * warm
        weather = {
            "air_temperature": air, "specific_humidity": 0.0005 if air < TF else 0.005, "surface_pressure": 9e4,
            "wind_speed": 3.0,
            "shortwave_down": 120.0 + 110.0 * warm, "longwave_down": 0.8 * 5.67e-8 * air**4, "rain": 0.0,
            "snowfall": 1e-6 if air < TF else 0.0, "cosine_zenith": 0.4, "daylength_factor": 0.5, "co2": 4e-4,
        }
        bare = np.zeros((1, 1))
        model.advance({name: np.array([value]) for name, value in weather.items()}, bare, bare, 10800.0)
        temperature = model.state["soil_temperature"][:, 0, 0]
        depth = np.cumsum(model.thermal_thickness)
        thaw.append(depth[np.argmax(temperature < TF)] if (temperature[:12] < TF).any() else np.inf)
        closed.append(abs(model.flux["energy_balance_residual"][0, 0]))
    thaw = np.array(thaw[-365 * 8:])
    assert 0.3 < thaw.max() < 3.0, "summer thaws an active layer over permafrost"
    assert model.state["soil_ice"][3:10].min() > 0.1 and model.state["soil_temperature"][15:22].max() < TF
    assert max(closed) < 1e-6
