"""Heat and water of snow, soil and bedrock recomputed from the state, against the fluxes that are written.

The model's own residuals come from gains that its solver reports. Here the enthalpy of every layer is computed from
temperature, ice and liquid alone. What the model neglects is known: soil water moves with the temperature of the layer
that it enters or leaves (computed exactly below), and snowfall and vapour meet snow at its temperature (bounded below).
"""

from __future__ import annotations

import numpy as np
import pytest
from columns import THICKNESS, Weather, random_areas, random_columns

TF, FUSION = 273.15, 3.337e5  # [K, J kg-1]
CAPACITY_ICE, CAPACITY_WATER, CAPACITY_ROCK = 2117.27, 4188.0, 2.0e6  # [J kg-1 K-1, J m-3 K-1]
WITHIN = 10.0  # snow may have been colder when vapour left it than before and after the step by so much [K]
STEP, NCELL = 1800.0, 96


def heat_capacity_dry(model):
    """Heat capacity of soil without water and of bedrock, (thermal_layer, member, cell) [J m-2 K-1]."""
    sand, clay = model.parameter["sand"], model.parameter["clay"]
    solids = (2.128e6 * sand + 2.385e6 * clay) / (sand + clay) * (1.0 - model.parameter["porosity"])
    rock = np.full((model.thermal_thickness.size - model.nlayer, *solids.shape[1:]), CAPACITY_ROCK)
    return np.concatenate([solids, rock]) * model.thermal_thickness[:, None, None]


class Budget:
    """Enthalpy of a column, zero for ice and solids at the freezing point, and what a step may have changed in it."""

    def __init__(self, model):
        self._model, self._dry = model, heat_capacity_dry(model)
        self.remember()

    def _enthalpy(self):
        state, mass = self._model.state, 1000.0 * THICKNESS[:, None, None]
        capacity = self._dry.copy()
        capacity[: THICKNESS.size] += mass * (CAPACITY_WATER * state["soil_water"] + CAPACITY_ICE * state["soil_ice"])
        heat = (capacity * (state["soil_temperature"] - TF)).sum(axis=0)
        # liquid water in snow is at the freezing point
        heat += (CAPACITY_ICE * state["snow_ice"] * (state["snow_temperature"] - TF)).sum(axis=0)
        frozen = (mass * state["soil_ice"]).sum(axis=0) + state["snow_ice"].sum(axis=0)
        frozen += (state["canopy_snow"] * self._model.parameter["patch_fraction"]).sum(axis=0)
        # leaves and ponds have no heat of their own, but the water there is liquid
        return heat + FUSION * (self._model.land_water() - frozen)

    def remember(self):
        state = self._model.state
        self._before = self._enthalpy()
        self._wet = state["soil_water"] + state["soil_ice"]
        self._leaves = (state["canopy_snow"] * self._model.parameter["patch_fraction"]).sum(axis=0)
        self._coldest = np.minimum(state["snow_temperature"].min(axis=0), TF)

    def miss(self, weather, dt):
        """Return the enthalpy that fluxes do not explain and the most of it that neglect may explain [J m-2]."""
        state, flux = self._model.state, self._model.flux
        gained = flux["net_radiation"] - flux["sensible_heat_flux"] - flux["latent_heat_flux"]
        evaporation = flux["evapotranspiration"] - flux["sublimation"]
        liquid_out = flux["surface_runoff"] + flux["subsurface_runoff"] + evaporation
        moved = 1000.0 * THICKNESS[:, None, None] * (state["soil_water"] + state["soil_ice"] - self._wet)
        carried = (CAPACITY_WATER * (state["soil_temperature"][: THICKNESS.size] - TF) * moved).sum(axis=0)
        miss = self._enthalpy() - self._before - dt * (gained + FUSION * (weather["rain"] - liquid_out)) - carried
        coldest = np.minimum(self._coldest, state["snow_temperature"].min(axis=0))
        coldest = np.minimum(coldest, weather["air_temperature"]) - WITHIN  # first snow is as cold as the air
        leaves = self._leaves
        self.remember()
        exchanged = dt * np.abs(flux["sublimation"]) + np.abs(self._leaves - leaves)
        # throughfall is rain and snow, and snow only where there was some
        exchanged += dt * flux["throughfall"] * (weather["snowfall"] + leaves > 0.0)
        neglected = CAPACITY_ICE * (TF - coldest) * exchanged
        return np.abs(miss), neglected


def snowy_columns(rng, **options):
    """Return random columns, three in four under 0.1 to 300 kg m-2 of cold snow, most on frozen ground."""
    model = random_columns(rng, NCELL, npatch=2, **options)
    state = model.state
    nsnow = state["snow_ice"].shape[0]
    warmth = rng.uniform(255.0, 285.0, NCELL)
    mass = np.where(np.arange(NCELL) % 4 == 0, 0.0, 10.0 ** rng.uniform(-1.0, 2.5, NCELL))
    lowest = (np.arange(nsnow) == nsnow - 1)[:, None]
    model.set_state({
        "soil_temperature": np.repeat(warmth[None], model.thermal_thickness.size, axis=0),
        "leaf_temperature": np.repeat(warmth[None], 2, axis=0),
        "snow_ice": np.where(lowest, mass, 0.0),
        "snow_layer_thickness": np.where(lowest, mass / 250.0, 0.0),
        "snow_temperature": np.where(lowest & (mass > 0.0), np.minimum(warmth, rng.uniform(250.0, TF, NCELL)), TF),
        "snow_cover_fraction": np.where(mass > 0.0, 1.0, 0.0),
        "snow_mass_maximum": mass,
    })
    return model


def test_moist_warm_air_does_not_feed_a_trace_of_snow():
    """Frost on a pack that has melted would keep the cover that feeds it: a flake at 295 K lasted for weeks."""
    model = snowy_columns(np.random.default_rng(5))
    model.set_state({"soil_temperature": np.full((model.thermal_thickness.size, NCELL), 288.0),
                     "snow_ice": np.where(model.state["snow_ice"] > 0.0, 1e-4, 0.0)[:, 0],
                     "snow_layer_thickness": np.where(model.state["snow_ice"] > 0.0, 4e-3, 0.0)[:, 0],
                     "snow_cover_fraction": np.where(model.state["snow_cover_fraction"] > 0.0, 1e-4, 0.0)[0]})
    weather = {"air_temperature": 290.0, "specific_humidity": 0.009, "surface_pressure": 1e5, "wind_speed": 3.0,
               "rain": 0.0, "shortwave_down": 0.0, "longwave_down": 330.0, "snowfall": 0.0, "cosine_zenith": 0.0,
               "co2": 4e-4, "daylength_factor": 0.5}
    for _ in range(3):
        model.advance({name: np.full(NCELL, value) for name, value in weather.items()}, np.zeros((2, NCELL)),
                      np.zeros((2, NCELL)), STEP)
    assert (model.flux["snow_mass"] == 0.0).all()


@pytest.mark.parametrize(("percolation", "cover", "layers"), [
    ("bucket", "swenson_lawrence", 5), ("kinematic", "niu_yang", 12)])
@pytest.mark.parametrize("falls", ["rain", "rain and snow"])
def test_enthalpy_and_water_of_the_state_follow_the_fluxes(percolation, cover, layers, falls):
    """Freezing, thaw, rain on cold snow, melt-out and traces given up, over six days."""
    rng = np.random.default_rng(3)
    model = snowy_columns(rng, snow_layers=layers, snow={"percolation": percolation, "cover": cover})
    sky, areas = Weather(rng, NCELL, snow_free=False), random_areas(rng, 2, NCELL)
    budget, water = Budget(model), model.land_water()
    seen = dict.fromkeys(("melt", "frozen soil", "rain on cold snow", "melt-out", "trace"), 0)
    for index in range(int(6 * 86400 / STEP)):
        weather = sky.step((index + 0.5) * STEP / 3600.0)
        # all seasons within days
        warmth = 0.3 * (weather["air_temperature"] - TF) + 6.0 * np.sin(0.03 * index)
        weather["air_temperature"] = np.clip(TF + warmth, 230.0, 310.0)
        weather["specific_humidity"] = np.minimum(weather["specific_humidity"], 0.003)
        if falls == "rain":
            weather |= {"rain": weather["rain"] + weather["snowfall"], "snowfall": np.zeros(NCELL)}
        mass, cold = model.flux["snow_mass"].copy(), model.state["snow_temperature"].min(axis=0) < TF - 1.0
        model.advance(weather, *areas, STEP)
        miss, neglected = budget.miss(weather, STEP)
        # round-off: of the enthalpy of 20 m of rock and of fluxes that are sums of large terms
        worst = np.max(miss - neglected)
        assert worst <= 1e-2, f"step {index}: {worst:.3g} J m-2 without a flux in cell {np.argmax(miss - neglected)}"
        flux = model.flux
        out = flux["evapotranspiration"] + flux["surface_runoff"] + flux["subsurface_runoff"]
        water = water + STEP * (weather["rain"] + weather["snowfall"] - out)
        assert np.abs(model.land_water() - water).max() < 1e-9
        now = flux["snow_mass"]
        seen["melt"] += (flux["snow_melt"] > 0.0).sum()
        seen["frozen soil"] += (flux["soil_ice_total"] > 0.0).sum()
        seen["rain on cold snow"] += (cold & (mass > 0.0) & (weather["rain"] > 1e-5)).sum()
        seen["melt-out"] += ((mass > 0.0) & (now == 0.0)).sum()
        seen["trace"] += ((mass > 0.0) & (mass < 1e-2)).sum()
    seen = {name: int(count) for name, count in seen.items()}
    assert all(count > 3 for count in seen.values()), str(seen)
