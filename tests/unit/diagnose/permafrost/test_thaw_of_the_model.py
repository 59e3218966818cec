"""The heat solver of the model under a yearly wave: its active layer against Stefan's."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.diagnose.permafrost import annual_profiles, degree_days, permafrost_years
from pyland.diagnose.permafrost.heat_wave import YEAR, stefan_depth
from pyland.land.soil_heat import step_ground_heat

DAY = np.timedelta64(86400, "s")


def test_active_layer_is_that_of_stefan_less_the_heat_of_warming():
    """Wet ground near 0 degC; Stefan counts latent heat alone, so that its depth is an upper bound, a few per cent off.

    The Stefan number (heat to warm the thawed ground over latent heat) is 0.09 here; Kurylyk and Hayashi (2016) put the
    error of the equation at a third of it and more where permafrost below is cold.
    """
    thickness = np.concatenate([np.full(60, 0.05), np.full(30, 0.2), np.full(16, 1.0)])[:, None]
    porosity, conductivity, solid = 0.4, np.array([1.5, 2.0]), 1.2e6  # two cells
    depth = np.cumsum(thickness[:, 0]) - 0.5 * thickness[:, 0]
    water = 1000.0 * porosity * thickness * np.ones(2)
    link = 2.0 * conductivity / (thickness + np.append(thickness[1:], thickness[-1:], axis=0))
    curve = {"film": 0.0, "curve_scale": 0.5 * water * 1e-3**2, "curve_power": 2.0}
    temperature, liquid = np.full(water.shape, 272.65), np.zeros(water.shape)
    days = 3 * 365 + 1
    surface = 273.15 - 0.5 + 10.0 * np.sin(2.0 * np.pi * (np.arange(days) + 0.5) * 86400.0 / YEAR)
    profiles = np.empty((days, *water.shape))
    for day in range(days):
        top = 2.0 * conductivity / thickness[0]
        found = step_ground_heat(86400.0, dry_capacity=solid * thickness, conductance=link, temperature=temperature,
                                 water=water, liquid=liquid, soil_flux=top * (surface[day] - temperature[0]),
                                 soil_flux_slope=-top, **curve)
        temperature, liquid = found.temperature, found.liquid
        profiles[day] = temperature
    edges = np.datetime64("2001-01-01", "s") + DAY * np.arange(days + 1)
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    alt = permafrost_years(annual_profiles(bounds, depth, lambda part: profiles[part])).active_layer[-1]
    index = degree_days(bounds, surface[:, None]).thawing[-1]
    stefan = stefan_depth(index, conductivity, 1000.0 * porosity)
    assert stefan == pytest.approx([1.44, 1.67], abs=0.02)
    assert ((alt > 0.88 * stefan) & (alt < 1.0 * stefan)).all(), alt / stefan
    assert alt[1] / alt[0] == pytest.approx(np.sqrt(2.0 / 1.5), rel=0.04)
