"""The land columns alone: vegetation, surface energy and soil heat over soil water that the user prescribes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core.columns import Columns
from pyland.domain.layers import build_layers
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.land.canopy_processes import root_distribution
from pyland.land.plant_types import PLANT_FIELDS, plant_parameters, soil_colour_albedo

__all__ = ["LandModel"]

STOMATA = MappingProxyType({"ball_berry": 1, "medlyn": 2})
SOIL_EVAPORATION = MappingProxyType({"dry_surface_layer": 1, "beta": 2})
WATER_STRESS = MappingProxyType({"pressure_head": 1, "soil_water": 2})

_PLANT_FIELDS = (*PLANT_FIELDS, "canopy_top", "canopy_bottom")
PATCH_FIELDS = frozenset({
    "leaf_temperature", "canopy_water", "canopy_snow", "leaf_area_index", "stem_area_index", "snow_ice", "snow_liquid",
    "snow_layer_thickness", "snow_temperature", "snow_grain_radius", "plant_carbon", "production_sum",
    "patch_gross_production", "patch_leaf_respiration", "irrigation_remaining", "irrigation_rate", "irrigation_start",
    "irrigation_supply",
})
"""Fields that keep their axis of patches or snow layers where there is only one."""
_VAN_GENUCHTEN, _NO_FLOW = 1, 2  # numbers of the core; soil water does not move, so the boundary is without effect
_START_TEMPERATURE = 285.0  # [K]
_START_SATURATION = 0.5  # [1]


class LandModel:
    """Land columns over prescribed soil water, advanced together.

    The ground takes the water that arrives and gives all that plants and surface ask for; soil water and pressure heads
    stay as they are set. Everything else is the column of the whole model: interception, radiation, canopy and ground
    fluxes, photosynthesis, root-water stress, snow, and heat and frost of the soil.

    Parameters
    ----------
    plants : sequence of str, int or mapping
        Plant type of each patch: a name or number for `plant_parameters`, or what that returned, changed or not. Bare
        ground is any type whose leaf and stem area are 0.
    fraction : array_like, shape (patch,) or (patch, column), optional
        Share of the column of each patch, sum 1; equal shares by default.
    ncolumn : int
        Number of columns.
    sand, clay : float or array_like, shape (column,) or (layer, column)
        Texture, share of the mineral soil [%].
    organic : float or array_like
        Organic share of the solids [1].
    soil_colour : int
        CLM colour class, 1 (light) to 20 (dark).
    layers : "clm5" or sequence of float
        Thickness of the soil layers, top first [m].
    bedrock_layers : int
        Thermal layers below them, 0 to 5.
    parameters : mapping of str to array_like, optional
        Fields of ``model.parameter`` that replace what follows from the arguments above.
    reference_height : float
        Height of the forcing above ground [m].
    stomata : {"medlyn", "ball_berry"}
        Stomatal conductance.
    soil_evaporation : {"dry_surface_layer", "beta"}
        Hold of the soil on its water.
    water_stress : {"soil_water", "pressure_head"}
        What limits root uptake in dry soil.
    stability_limit, soil_roughness, soil_emissivity : float
        Largest stability parameter zeta [1], roughness length of bare soil [m], emissivity of soil [1].

    Attributes
    ----------
    state, parameter, forcing, flux : Mapping[str, numpy.ndarray]
        Live views of the fields of the core, ``(column,)`` or ``(n, column)`` with layers, bands or patches first.
        `set_soil_water` keeps heads and water together; values set in place do not. ``flux["throughfall"]`` is the
        water that reaches the ground, ``flux["infiltration"]`` what it takes: throughfall less soil evaporation.

    Raises
    ------
    InputError
        If a name, a size or a value does not fit.

    Notes
    -----
    ``flux["water_balance_residual"]`` closes over the canopy and the surface:
    ``change of canopy_water and canopy_snow = dt * (rain + snowfall - canopy_evaporation - throughfall)``. Retention is
    van Genuchten's with the Rosetta pedotransfer functions (docs/theory/land_column.md).

    Examples
    --------
    >>> model = LandModel(["c3_grass"], sand=40.0, clay=20.0)
    >>> model.set_soil_water(0.30)
    >>> model.set_temperature(293.0)
    >>> noon = dict(air_temperature=293.0, specific_humidity=0.008, surface_pressure=1e5, wind_speed=3.0,
    ...             shortwave_down=700.0, longwave_down=330.0, rain=0.0, snowfall=0.0, cosine_zenith=0.8,
    ...             daylength_factor=1.0, co2=4e-4)
    >>> model.advance(noon, leaf_area=2.0, stem_area=0.2, dt=1800.0)
    >>> bool(100.0 < model.flux["latent_heat_flux"][0] < 400.0)
    True
    >>> bool(abs(model.flux["energy_balance_residual"][0]) < 1e-9)
    True
    """

    def __init__(
        self,
        plants: Sequence[str | int | Mapping[str, float]],
        *,
        fraction: ArrayLike | None = None,
        ncolumn: int = 1,
        sand: ArrayLike = 40.0,
        clay: ArrayLike = 20.0,
        organic: ArrayLike = 0.0,
        soil_colour: int = 10,
        layers: str | Sequence[float] = "clm5",
        bedrock_layers: int = 5,
        parameters: Mapping[str, ArrayLike] | None = None,
        reference_height: float = 10.0,
        stomata: str = "medlyn",
        soil_evaporation: str = "dry_surface_layer",
        water_stress: str = "soil_water",
        stability_limit: float = 0.5,
        soil_roughness: float = 0.00085,
        soil_emissivity: float = 0.96,
    ) -> None:
        if isinstance(plants, str | Mapping) or not len(plants):
            raise InputError(f"LandModel: plants: expected a list with one type per patch, got {plants!r}.")
        self.layers = build_layers(layers, bedrock_layers)
        self.ncolumn, self.npatch = ncolumn, len(plants)
        self._columns = Columns(ncolumn, self.layers.nlayer, self.layers.nthermal, self.npatch)
        self._columns.set_land_options(
            stomata=_choice("stomata", stomata, STOMATA),
            soil_evaporation=_choice("soil_evaporation", soil_evaporation, SOIL_EVAPORATION),
            water_stress=_choice("water_stress", water_stress, WATER_STRESS),
            stability_limit=stability_limit,
            soil_roughness=soil_roughness,
            soil_emissivity=soil_emissivity,
        )
        self._columns.set_water_options(
            retention=_VAN_GENUCHTEN, lower_boundary=_NO_FLOW, air_entry=0.02, water_table_depth=0.0, ponding_depth=0.0,
            tolerance=1e-7, largest_iteration=15, smallest_step=1e-3)
        self._columns.prescribe_water(True)
        self.state = self._views(self._columns.state)
        self.parameter = self._views(self._columns.parameter)
        self.forcing = self._views(self._columns.forcing)
        self.flux = self._views(self._columns.flux)
        share = np.full(self.npatch, 1.0 / self.npatch) if fraction is None else np.asarray(fraction, dtype=float)
        albedo = soil_colour_albedo(soil_colour)
        self.set_parameters({
            "thickness": self.layers.thermal_thickness,
            "patch_fraction": share,
            "reference_height": reference_height,
            "soil_albedo_dry": [albedo["dry_vis"], albedo["dry_nir"]],
            "soil_albedo_saturated": [albedo["saturated_vis"], albedo["saturated_nir"]],
            **self._soil_fields(sand, clay, organic),
            **self._plant_fields(plants, stomata),
            **(parameters or {}),
        })
        pores = self.parameter["porosity"] - self.parameter["residual_water"]
        self.set_soil_water(self.parameter["residual_water"] + _START_SATURATION * pores)
        self.set_temperature(_START_TEMPERATURE)

    def _views(self, fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Fields of one value per column lose their first axis."""
        return MappingProxyType({
            name: field[0] if field.shape[0] == 1 and name not in PATCH_FIELDS else field
            for name, field in fields.items()})

    def _soil_fields(self, sand: ArrayLike, clay: ArrayLike, organic: ArrayLike) -> dict[str, np.ndarray]:
        shape = (self.layers.nlayer, self.ncolumn)
        texture = {}
        for name, value in (("sand", sand), ("clay", clay), ("organic", organic)):
            try:
                texture[name] = np.broadcast_to(np.asarray(value, dtype=float), shape)
            except ValueError as error:
                raise InputError(
                    f"LandModel: {name} has shape {np.shape(value)}; expected a number, ({self.ncolumn},) or {shape}."
                ) from error
        hydraulic = hydraulic_parameters(
            "van_genuchten", "rosetta", texture["sand"], texture["clay"], texture["organic"], self.layers.node_depth)
        scale, shape_of_curve = hydraulic.pop("van_genuchten_alpha"), hydraulic.pop("van_genuchten_n")
        return {**texture, **hydraulic, "retention_scale": scale, "retention_shape": shape_of_curve}

    def _plant_fields(self, plants: Sequence[str | int | Mapping[str, float]], stomata: str) -> dict[str, np.ndarray]:
        chosen = [dict(one) if isinstance(one, Mapping) else plant_parameters(one) for one in plants]
        needed = (*_PLANT_FIELDS, "root_beta", f"{stomata}_slope", f"{stomata}_intercept")
        for place, plant in enumerate(chosen):
            missing = [name for name in needed if name not in plant]
            if missing:
                raise InputError(
                    f"LandModel: plants[{place}] lacks {', '.join(missing)}; start from what plant_parameters returns.")
        fields = {name: np.array([plant[name] for plant in chosen]) for name in _PLANT_FIELDS}
        fields["stomatal_slope"] = np.array([plant[f"{stomata}_slope"] for plant in chosen])
        fields["stomatal_intercept"] = np.array([plant[f"{stomata}_intercept"] for plant in chosen])
        fields["root_fraction"] = np.concatenate(
            [root_distribution(plant["root_beta"], self.layers.interface_depth) for plant in chosen])
        return fields

    def _set(self, target: Mapping[str, np.ndarray], values: Mapping[str, ArrayLike]) -> None:
        for name, value in values.items():
            if name not in target:
                raise InputError(f"LandModel: there is no field '{name}'; there are {', '.join(sorted(target))}.")
            view, array = target[name], np.asarray(value, dtype=float)
            if view.ndim == 2 and array.ndim == 1 and array.size == view.shape[0]:
                array = array[:, None]
            try:
                view[...] = array
            except ValueError as error:
                raise InputError(
                    f"LandModel: '{name}' has shape {np.shape(value)}; expected a number or {view.shape}"
                    f"{f' or ({view.shape[0]},)' if view.ndim == 2 else ''}."
                ) from error

    def set_parameters(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Set parameter fields: numbers, ``(column,)`` or ``(n, column)``; ``(n,)`` is the same in all columns."""
        self._set(self.parameter, parameters)
        self._columns.prepare()

    def set_soil_water(self, soil_water: ArrayLike) -> None:
        """Prescribe soil water and find the pressure heads that belong to it.

        Parameters
        ----------
        soil_water : float or array_like, shape (layer,) or (layer, column)
            Volumetric water [m3 m-3], above the residual water and at most the porosity.

        Raises
        ------
        InputError
            If a value is outside that range.
        """
        before = self.state["soil_water"].copy()
        self._set(self.state, {"soil_water": soil_water})
        new = self.state["soil_water"]
        is_right = (new > self.parameter["residual_water"]) & (new <= self.parameter["porosity"])
        if not is_right.all():
            layer, column = np.argwhere(~is_right)[0]
            value, low = new[layer, column], self.parameter["residual_water"][layer, column]
            high = self.parameter["porosity"][layer, column]
            new[...] = before
            raise InputError(
                f"LandModel: soil water of layer {layer}, column {column} is {value:g}; "
                f"expected above {low:.4g} and at most {high:.4g} m3 m-3.")
        self._columns.reconcile()

    def set_temperature(self, temperature: ArrayLike) -> None:
        """Set soil, leaves and growth temperature to ``temperature`` [K], a number or ``(column,)``."""
        warmth = np.broadcast_to(np.asarray(temperature, dtype=float), (self.ncolumn,))
        if not ((warmth > 173.15) & (warmth < 373.15)).all():
            raise InputError(f"LandModel: expected temperatures between 173.15 and 373.15 K, got {temperature!r}.")
        for name in ("soil_temperature", "leaf_temperature", "growth_temperature"):
            self.state[name][...] = warmth

    def advance(self, weather: Mapping[str, ArrayLike], leaf_area: ArrayLike, stem_area: ArrayLike, dt: float) -> None:
        """Advance all columns by one step.

        Parameters
        ----------
        weather : Mapping[str, array_like]
            Means over the step, each a number or ``(column,)``: every field of ``model.forcing`` but the two area
            indices; what is left out keeps its last value.
        leaf_area, stem_area : float or array_like, shape (patch,) or (patch, column)
            Leaf and stem area index [m2 m-2].
        dt : float
            Time step [s], in (0, 86400].

        Raises
        ------
        InputError
            If a name or a shape does not fit, or the step is out of range.
        StateError, BalanceError
            If the forcing is not finite or energy or water does not close.
        """
        self._set(self.forcing, weather)
        self._set(self.forcing, {"leaf_area_index": leaf_area, "stem_area_index": stem_area})
        self._columns.step(dt)


def _choice(key: str, value: str, choices: Mapping[str, int]) -> int:
    if value not in choices:
        raise InputError(f"LandModel: {key} is {value!r}; expected one of {', '.join(choices)}.")
    return choices[value]
