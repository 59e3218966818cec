"""Columns with random soils, plants and weather, for tests of the coupled model."""

from __future__ import annotations

import numpy as np

from pyland.coupling import ColumnModel
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.driver.plant_fields import colour_fields, root_distribution
from pyland.driver.setup import RETENTION_FIELDS
from pyland.forcing.moist_air import saturation_pressure
from pyland.land.plant_types import PLANT_FIELDS, plant_parameters, plant_type_names

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
    head = -(10.0 ** rng.uniform(-2.0, 4.0, (THICKNESS.size, nmember, ncell)))
    head[:, :, 4::10] = np.cumsum(THICKNESS)[:, None, None] - 1.0  # water table inside the column
    head[:, :, 9::10] = 0.0
    warmth = rng.uniform(276.0, 306.0, (nmember, ncell))
    model.set_state({
        "pressure_head": head,
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


class Weather:
    """Weather between its extremes for every column its own; each day is another.

    ``snow_free`` weather lies between -5 and 50 degC, the other between -60 and 55 degC with up to 50 mm/h of snowfall.
    """

    def __init__(self, rng: np.random.Generator, ncell: int, snow_free: bool = True) -> None:
        self._rng, self._ncell, self._snow_free = rng, ncell, snow_free
        self._day = -1
        self._mean = rng.uniform(276.15, 309.15, ncell) if snow_free else rng.uniform(223.15, 318.15, ncell)
        self._sun = rng.uniform(0.05, 1.0, ncell)
        self._sun[3::10] = 0.0  # polar night

    def step(self, hour: float) -> dict[str, np.ndarray]:
        """Return the weather around an hour since the start [h]."""
        if int(hour // 24.0) != self._day:
            self._day = int(hour // 24.0)
            self._draw_day()
        angle = 2.0 * np.pi * (hour % 24.0) / 24.0
        cosine = np.maximum(-np.cos(angle) * self._sun, 0.0)
        cosine[7::10] = 0.2  # polar day
        temperature = np.clip(self._mean + self._warmer - self._range * np.cos(angle - 0.6),
                              *((268.15, 323.15) if self._snow_free else (213.15, 328.15)))
        vapour = self._humidity * saturation_pressure(temperature)
        rainy = self._rng.random(self._ncell) < 0.15
        wet = rainy * self._rng.choice([1e-5, 1e-3, 300.0 / 3600.0], self._ncell) * self._rng.random(self._ncell)
        solid = np.zeros(self._ncell) if self._snow_free else np.clip((275.15 - temperature) / 2.0, 0.0, 1.0)
        return {
            "air_temperature": temperature,
            "specific_humidity": 0.622 * vapour / (self._pressure - 0.378 * vapour),
            "surface_pressure": self._pressure,
            "wind_speed": self._wind * self._rng.random(self._ncell),
            "shortwave_down": 1361.0 * cosine * self._clear,
            "longwave_down": self._emissivity * 5.67e-8 * temperature**4,
            "rain": wet * (1.0 - solid),
            "snowfall": np.minimum(wet * solid, 50.0 / 3600.0),
            "cosine_zenith": cosine,
            "daylength_factor": self._length,
            "co2": self._co2,
        }

    def _draw_day(self) -> None:
        draw, shape = self._rng.uniform, self._ncell
        self._warmer = draw(-5.0, 5.0, shape)
        self._range = draw(0.0, 12.0, shape)
        self._humidity = draw(0.05, 1.0, shape)
        self._wind = self._rng.choice([0.0, 1.0, 10.0, 40.0], shape)
        self._clear = draw(0.05, 0.85, shape)
        self._emissivity = draw(0.6, 1.0, shape)
        self._pressure = draw(55e3, 105e3, shape)
        self._length = draw(0.01, 1.0, shape)
        self._co2 = draw(280e-6, 800e-6, shape)


def random_areas(rng: np.random.Generator, npatch: int, ncell: int) -> tuple[np.ndarray, np.ndarray]:
    """Return leaf and stem area [1], (patch, cell); bare and leafless patches among them."""
    leaf = rng.uniform(0.0, 8.0, (npatch, ncell)) * (rng.random((npatch, ncell)) > 0.2)
    stem = rng.uniform(0.0, 1.5, (npatch, ncell)) * (rng.random((npatch, ncell)) > 0.4)
    return leaf, stem
