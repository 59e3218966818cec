"""Layers full of water and ice under pressure: what compression holds is not lost when ice changes."""

import numpy as np
from columns import random_columns

TF = 273.15
NCELL = 32


def weather(air):
    calm = {"air_temperature": air, "surface_pressure": 96e3, "wind_speed": 1.0, "longwave_down": 300.0,
            "cosine_zenith": 0.3, "daylength_factor": 0.3, "co2": 4e-4, "rain": 0.0, "snowfall": 0.0,
            "specific_humidity": 0.004, "shortwave_down": 100.0}
    return {name: np.full(NCELL, value) for name, value in calm.items()}


def test_a_full_layer_that_lacks_what_the_tolerance_lets_it_lack_keeps_its_water():
    # heads say pressure while water is short of the pores by less than the tolerance of the solver, 1e-7 m per layer
    lacking = np.geomspace(2e-8, 1e-6, NCELL)
    for air in (276.0, 262.0):  # ice melts, ice grows
        model = random_columns(np.random.default_rng(3), NCELL, npatch=1, snow_layers=5)
        porosity, residual = model.parameter["porosity"][:, 0], model.parameter["residual_water"][:, 0]
        ice = 0.4 * (porosity - residual)
        ice[4:] = 0.0
        ground = np.full((model.thermal_thickness.size, NCELL), TF + 1.0)
        ground[:4] = TF - 0.05
        model.set_state({"soil_temperature": ground, "leaf_temperature": np.full((1, NCELL), TF), "soil_ice": ice,
                         "soil_water": porosity - ice})
        model.state["soil_water"][:4] -= lacking
        model.state["pressure_head"][:4] = 0.5
        model.advance(weather(air), np.full((1, NCELL), 0.5), np.full((1, NCELL), 0.1), 3600.0)
        changed = model.state["soil_ice"][:4, 0] != ice[:4]
        assert changed.any(axis=0).all()
        assert np.abs(model.flux["water_balance_residual"]).max() < 1e-9
