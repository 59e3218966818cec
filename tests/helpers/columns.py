"""Columns with random soils, plants and weather, for tests of the coupled model."""

from __future__ import annotations

import numpy as np

from pyland.coupling import ColumnModel
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.driver.setup import PLANT_FIELDS, RETENTION_FIELDS, colour_fields, root_distribution
from pyland.forcing.moist_air import saturation_pressure
from pyland.land.plant_types import plant_parameters, plant_type_names

THICKNESS = np.array([0.02, 0.03, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 0.9])
BEDROCK = np.array([1.5, 3.0, 6.0, 9.0])


def random_columns(
    rng: np.random.Generator, ncell: int, nmember: int = 1, npatch: int = 3, stomata: str = "medlyn",
    retention: str = "van_genuchten", pedotransfer: str = "cosby", **options: object,
) -> ColumnModel:
    """Return columns of random texture, sand over clay among them, plants and water, dry to saturated."""
    nlayer = THICKNESS.size
    sand, clay, hydraulic = random_soil(rng, retention, pedotransfer, ncell)
    names = list(plant_type_names())
    plants = [plant_parameters(names[one]) for one in rng.integers(len(names), size=npatch)]
    edges = np.concatenate([[0.0], np.cumsum(THICKNESS)])
    scale, shape = RETENTION_FIELDS[retention]

    def spread(values: list[float]) -> np.ndarray:
        return np.repeat(np.array(values)[:, None], ncell, axis=1)

    parameters = {name: spread([plant[name] for plant in plants]) for name in PLANT_FIELDS}
    parameters |= colour_fields(rng.integers(1, 21, ncell))
    roots = np.concatenate([root_distribution(plant["root_beta"], edges) for plant in plants])
    canopy_top = spread([plant["canopy_top"] for plant in plants])
    parameters |= {
        "stomatal_slope": spread([plant[f"{stomata}_slope"] for plant in plants]),
        "stomatal_intercept": spread([plant[f"{stomata}_intercept"] for plant in plants]),
        "patch_fraction": rng.dirichlet(np.ones(npatch), ncell).T,
        "canopy_top": canopy_top,
        "reference_height": canopy_top.max(axis=0) + 10.0,
        "root_fraction": np.repeat(roots[:, None], ncell, axis=1),
        "sand": sand,
        "clay": clay,
        "organic": np.zeros((nlayer, ncell)),
        "porosity": hydraulic["porosity"],
        "residual_water": hydraulic.get("residual_water", np.zeros((nlayer, ncell))),
        "saturated_conductivity": hydraulic["saturated_conductivity"],
        "retention_scale": np.abs(hydraulic[scale]),
        "retention_shape": hydraulic[shape],
        "specific_storage": np.full((nlayer, ncell), 1e-4),
    }
    model = ColumnModel(THICKNESS, BEDROCK, parameters, ncell=ncell, nmember=nmember, npatch=npatch, stomata=stomata,
                        retention=retention, **options)
    filled = rng.uniform(0.05, 1.0, (nmember, ncell))
    filled[:, ::7] = 1.0
    porosity, residual = model.parameter["porosity"], model.parameter["residual_water"]
    warmth = rng.uniform(274.0, 310.0, (nmember, ncell))
    model.set_state({
        "soil_water": residual + filled * (porosity - residual),
        "soil_temperature": np.repeat(warmth[None], model.thermal_thickness.size, axis=0),
        "leaf_temperature": np.repeat(warmth[None], npatch, axis=0),
        "growth_temperature": warmth,
    })
    return model


def random_soil(
    rng: np.random.Generator, retention: str, pedotransfer: str, ncell: int
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return sand, clay [%] and hydraulic parameters, (layer, cell); every third column has two contrasting layers."""
    nlayer = THICKNESS.size
    parts = rng.dirichlet(np.ones(3), (2, ncell))  # sand, clay and silt above and below
    parts[0, ::3], parts[1, ::3] = (0.92, 0.03, 0.05), (0.15, 0.6, 0.25)
    parts[:, 1::6] = parts[::-1, 1::6]
    lower = np.arange(nlayer)[:, None] >= rng.integers(1, nlayer, ncell)
    parts[1, 2::3] = parts[0, 2::3]
    sand = np.where(lower, parts[1, :, 0], parts[0, :, 0]) * 100.0
    clay = np.where(lower, parts[1, :, 1], parts[0, :, 1]) * 100.0
    depth = np.cumsum(THICKNESS) - 0.5 * THICKNESS
    return sand, clay, hydraulic_parameters(retention, pedotransfer, sand, clay, np.zeros_like(sand), depth)


def extreme_weather(rng: np.random.Generator, shape: tuple[int, ...], hour: float) -> dict[str, np.ndarray]:
    """Return one step of snow-free weather between its extremes; a fifth of the places has polar day or night."""
    temperature = rng.uniform(268.15, 323.15, shape)
    pressure = rng.uniform(55e3, 105e3, shape)
    vapour = rng.uniform(0.05, 1.0, shape) * saturation_pressure(temperature)
    sun = np.full(shape, max(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0))
    place = np.arange(shape[-1]) % 10
    sun[..., place == 3] = 0.0
    sun[..., place == 7] = 0.2
    cosine = sun * rng.uniform(0.01, 1.0, shape)
    rainy = rng.random(shape) < 0.15
    return {
        "air_temperature": temperature,
        "specific_humidity": 0.622 * vapour / (pressure - 0.378 * vapour),
        "surface_pressure": pressure,
        "wind_speed": rng.choice([0.0, 1.0, 40.0], shape) * rng.random(shape),
        "shortwave_down": 1361.0 * cosine * rng.uniform(0.05, 0.85, shape),
        "longwave_down": rng.uniform(150.0, 520.0, shape),
        "rain": rainy * rng.choice([1e-5, 1e-3, 300.0 / 3600.0], shape) * rng.random(shape),
        "snowfall": np.zeros(shape),
        "cosine_zenith": cosine,
        "daylength_factor": rng.uniform(0.01, 1.0, shape),
        "co2": rng.uniform(280e-6, 800e-6, shape),
    }


def random_areas(rng: np.random.Generator, npatch: int, ncell: int) -> tuple[np.ndarray, np.ndarray]:
    """Return leaf and stem area [1], (patch, cell); bare and leafless patches among them."""
    leaf = rng.uniform(0.0, 8.0, (npatch, ncell)) * (rng.random((npatch, ncell)) > 0.2)
    stem = rng.uniform(0.0, 1.5, (npatch, ncell)) * (rng.random((npatch, ncell)) > 0.4)
    return leaf, stem
