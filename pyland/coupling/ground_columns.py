"""Glaciers, sealed urban ground and wetlands: land columns with another ground, all members of some cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pyland.coupling.column_model import ColumnModel
from pyland.coupling.water_stores import column_evaporation, column_stores

ICE_SHARE = 0.917
"""Volume of ice as liquid water [m3 m-3]."""

ICE_CONDUCTIVITY = 2.29
"""Thermal, of ice [W m-1 K-1]."""

FREEZING = 273.15
"""Freezing point [K]."""

STEEP_SCALE, STEEP_SHAPE = 100.0, 15.0
"""Van Genuchten's alpha [m-1] and n [1] of ground without pores: its ice melts within 0.001 K of the freezing point."""

ICE_ALBEDO = (0.50, 0.30)
"""Visible and near infrared albedo of bare ice (CLM Technical Note, section 3.2)."""

ICE_ROUGHNESS, ICE_EMISSIVITY = 0.0023, 0.97
"""Roughness length [m] and emissivity [1] of bare ice (Meier et al. 2022; CLM Technical Note, section 4)."""

SEALED_PORES = 0.01
"""Porosity of sealed ground, which holds no water within [m3 m-3]."""


@dataclass(frozen=True)
class UrbanSlab:
    """Bulk properties of built-up land, after Wouters et al. (2016), Geosci. Model Dev. 9, 3027-3054, table 1.

    Their substrate (albedo 0.101, emissivity 0.86, 0.767 W m-1 K-1, 1.25e6 J m-3 K-1) as a canyon of height over width
    1.5 and a roof share of 2/3 has it: albedo and emissivity of the canyon, conductivity and heat capacity times the
    surface area index of 2, roughness 0.075 of a height of 15 m. Water: Wouters et al. (2015), Urban Climate 12.

    Attributes
    ----------
    albedo, emissivity : float
        [1].
    roughness : float
        Momentum roughness length [m].
    conductivity, heat_capacity : float
        Thermal [W m-1 K-1], [J m-3 K-1].
    water_store : float
        Water that the ground holds [kg m-2].
    """

    albedo: float = 0.081
    emissivity: float = 0.89
    roughness: float = 1.125
    conductivity: float = 1.53
    heat_capacity: float = 2.5e6
    water_store: float = 1.31


class GroundColumns:
    """Columns of one kind of ground; fields as in `ColumnModel`, states under names of their own.

    Parameters
    ----------
    name : str
        Surface type, before the name of each state: ``glacier_temperature``.
    model : ColumnModel
        The columns.
    bare : bool
        Whether no plants grow.
    names : mapping of str to str
        States of the model that are called otherwise.
    """

    def __init__(self, name: str, model: ColumnModel, bare: bool, names: Mapping[str, str]) -> None:
        self.name, self.model, self.nmember, self.ncell = name, model, model.nmember, model.ncell
        self._bare = bare
        self.state = MappingProxyType({names.get(key, f"{name}_{key}"): view for key, view in model.state.items()})
        own = {"glacier_mass_balance": np.zeros((model.nmember, model.ncell))} if name == "glacier" else {}
        self.flux = MappingProxyType(dict(model.flux) | own)

    def advance(
        self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray, dt: float
    ) -> None:
        """Advance by one step; see `ColumnModel.advance`."""
        share = 0.0 if self._bare else 1.0
        shape = (self.model.npatch, self.ncell)
        areas = [share * np.broadcast_to(np.asarray(area)[: shape[0]], shape) for area in (leaf_area, stem_area)]
        self.model.advance(weather, *areas, dt)
        if "glacier_mass_balance" in self.flux:
            flux = self.model.flux
            self.flux["glacier_mass_balance"][...] = (
                np.asarray(weather["rain"]) + np.asarray(weather["snowfall"]) - flux["evapotranspiration"]
                - flux["surface_runoff"] - flux["subsurface_runoff"])

    @property
    def carbon_columns(self) -> tuple[ColumnModel, ...]:
        """Columns that hold carbon; none where no plants grow."""
        return () if self._bare else self.model.carbon_columns

    def land_water(self) -> np.ndarray:
        """Water stored, shape (member, cell) [kg m-2]; the body of a glacier counts by what it gained."""
        return self.model.land_water()

    def water_stores(self) -> dict[str, np.ndarray]:
        """Water by store, see `ColumnModel.water_stores`; all but the snow on a glacier is its body."""
        stores = column_stores(self.model)
        if self.name == "glacier":
            for name in ("soil", "ground_water", "surface"):
                stores["glacier"] += stores[name]
                stores[name] = np.zeros_like(stores[name])
        return stores

    def evaporation_parts(self) -> dict[str, np.ndarray]:
        """Evapotranspiration of the last step by its ways, see `ColumnModel.evaporation_parts`."""
        return column_evaporation(self.model)

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per column [byte]."""
        return self.model.bytes_per_column


def glacier_columns(
    thickness: np.ndarray, temperature: np.ndarray, reference_height: np.ndarray, nmember: int, **options: object
) -> GroundColumns:
    """Return columns of ice.

    Parameters
    ----------
    thickness : numpy.ndarray, shape (layer,)
        Thickness of the layers, top first [m].
    temperature : numpy.ndarray, shape (cell,)
        At the start; not above freezing [K].
    reference_height : numpy.ndarray, shape (cell,)
        Height of the forcing [m].
    nmember : int
        Members.
    **options
        Further options of `ColumnModel`.

    Notes
    -----
    The state ``glacier_ice`` [kg m-2] is the ice that the body of the glacier gained since the start, below the column;
    with the snow on it, by 1000, that is the mass balance in m water equivalent. ``flux["glacier_mass_balance"]`` is
    its rate [kg m-2 s-1].
    """
    ncell = np.size(temperature)
    nlayer = np.size(thickness)
    albedo = np.repeat(np.array(ICE_ALBEDO)[:, None], ncell, axis=1)
    parameters = _no_soil(nlayer, ncell, ICE_SHARE, albedo, reference_height)
    model = ColumnModel(
        thickness, np.empty(0), parameters, ncell=ncell, nmember=nmember,
        surface_kind="glacier", slab_conductivity=ICE_CONDUCTIVITY, soil_roughness=ICE_ROUGHNESS,
        soil_emissivity=ICE_EMISSIVITY, **options)
    cold = np.minimum(np.asarray(temperature, dtype=float), FREEZING)
    _start(model, cold, ice=ICE_SHARE)
    names = {"soil_temperature": "glacier_temperature", "surface_water": "glacier_ice"}
    return GroundColumns("glacier", model, True, names)


def urban_columns(
    thickness: np.ndarray, temperature: np.ndarray, reference_height: np.ndarray, nmember: int, slab: UrbanSlab,
    **options: object,
) -> GroundColumns:
    """Return sealed columns; parameters as those of `glacier_columns`, with the properties of the slab."""
    ncell = np.size(temperature)
    nlayer = np.size(thickness)
    parameters = _no_soil(nlayer, ncell, SEALED_PORES, np.full((2, ncell), slab.albedo), reference_height)
    model = ColumnModel(
        thickness, np.empty(0), parameters,
        ncell=ncell, nmember=nmember, surface_kind="urban", slab_conductivity=slab.conductivity,
        slab_heat_capacity=slab.heat_capacity, soil_roughness=slab.roughness, soil_emissivity=slab.emissivity,
        ponding_depth=slab.water_store / 1000.0, **options)
    _start(model, np.asarray(temperature, dtype=float), ice=0.0)
    return GroundColumns("urban", model, True, {"soil_temperature": "urban_temperature"})


def _no_soil(
    nlayer: int, ncell: int, porosity: float, albedo: np.ndarray, reference_height: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the parameters of a ground that is no soil."""
    layers = np.ones((nlayer, ncell))
    return {
        "porosity": porosity * layers, "residual_water": 0.0 * layers, "retention_scale": STEEP_SCALE * layers,
        "retention_shape": STEEP_SHAPE * layers, "soil_albedo_dry": albedo, "soil_albedo_saturated": albedo,
        "patch_fraction": np.ones((1, ncell)), "reference_height": np.asarray(reference_height, dtype=float)}


def _start(model: ColumnModel, temperature: np.ndarray, ice: float) -> None:
    """Set temperatures, ice in all layers and no liquid."""
    shape = model.state["soil_water"].shape
    model.set_state({
        "soil_water": np.zeros(shape), "soil_ice": np.full(shape, ice), "pressure_head": np.full(shape, -1.0),
        "soil_temperature": np.broadcast_to(temperature, model.state["soil_temperature"].shape),
        "leaf_temperature": np.broadcast_to(temperature, model.state["leaf_temperature"].shape),
        "growth_temperature": np.broadcast_to(temperature, model.state["growth_temperature"].shape)})


__all__ = ["GroundColumns", "UrbanSlab", "glacier_columns", "urban_columns"]
