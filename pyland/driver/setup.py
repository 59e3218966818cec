"""From a configuration to the objects of a run: domain, surface, weather, columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.coupling import ColumnModel, CoupledModel, SurfaceMosaic
from pyland.coupling.column_model import SNOW_OPTIONS
from pyland.domain import Domain
from pyland.domain.grid import build_domain
from pyland.domain.ground_file import read_ground_state
from pyland.domain.layers import Layers, build_layers
from pyland.domain.surface import Surface, build_surface, mean_lake_depth, other_surfaces
from pyland.driver.continuation import Continuation
from pyland.driver.inputs import forcing_period, open_shared_weather, open_weather
from pyland.driver.member_parameters import MemberParameters, follow_texture, perturb_plants
from pyland.driver.other_surfaces import add_other_surfaces
from pyland.driver.parameters_file import read_member_parameters
from pyland.driver.plant_fields import (
    carbon_fields,
    colour_fields,
    irrigation_fields,
    plant_fields,
    set_initial_carbon,
)
from pyland.driver.rank_layout import RankLayout
from pyland.driver.time_loop import Step
from pyland.ensemble import perturb_initial, perturb_parameters
from pyland.forcing import Forcing
from pyland.land.irrigation import PatchIrrigation, irrigation_hours
from pyland.land.lake_model import lake_layers
from pyland.output.grid import OutputGrid

RETENTION_FIELDS = MappingProxyType({
    "van_genuchten": ("van_genuchten_alpha", "van_genuchten_n"),
    "clapp_hornberger": ("air_entry_head", "clapp_hornberger_b"),
})
"""Registry ids of the two retention parameters of the core, scale and shape."""

SAMPLED_DAYS = 73
"""Days spread over the first year of weather whose mean is the initial soil temperature."""

CONDUCTIVITY_BEDROCK = 3.0
"""Thermal conductivity of bedrock [W m-1 K-1], as in the core and in CLM5."""


@dataclass(frozen=True)
class Setup:
    """What a run needs before it starts; cells are those of this rank.

    Attributes
    ----------
    config : CaseConfig
        The case.
    comm : Communicator
        Ranks of the run.
    layout : RankLayout
        How they share it.
    whole : Domain
        All cells of the run.
    domain, surface, layers
        Cells of this rank, their surface, and the layers below.
    forcing : Forcing
        Weather of this rank's cells.
    """

    config: CaseConfig
    comm: Communicator
    layout: RankLayout
    whole: Domain
    domain: Domain
    surface: Surface
    layers: Layers
    forcing: Forcing

    @property
    def step(self) -> float:
        """Model step [s]."""
        return float(self.config.time.step)

    @property
    def position(self) -> np.ndarray:
        """Place of this rank's cells among all cells of the run, shape (cell,)."""
        return np.searchsorted(self.whole.cell_id, self.domain.cell_id)

    @property
    def water_thickness(self) -> np.ndarray:
        """Thickness of the layers that hold water, (layer,) [m]."""
        return self.layers.thickness

    @cached_property
    def irrigation(self) -> tuple[PatchIrrigation | None, ...] | None:
        """Irrigation of each patch; None if no patch is irrigated."""
        sections = [patch.irrigation for patch in self.config.surface.vegetation.patches]
        if all(one is None for one in sections):
            return None
        plans = [None if one is None else PatchIrrigation(
            one.method, one.demand, one.threshold, one.depth, one.target, one.start, one.duration,
            tuple(np.atleast_1d(0.0 if one.amount is None else one.amount)), tuple(int(day) for day in one.days or ()))
            for one in sections]
        return tuple(plans) + (None,) * (self.surface.npatch - len(plans))  # bare ground that is left comes last

    @cached_property
    def other_surfaces(self) -> tuple[str, ...]:
        """Surfaces beside soil that some cell of the run has; the same on all ranks."""
        return other_surfaces(self.config.surface, self.whole)

    @cached_property
    def initial_ground(self) -> dict[str, np.ndarray] | None:
        """State of the ground of ``land.initial.file`` by registry id, (layer, cell); None without a file."""
        path = self.config.land.initial.file
        if path is None:
            return None
        return read_ground_state(path, self.domain, self.layers.nthermal, self.layers.nlayer)

    @cached_property
    def initial_temperature(self) -> np.ndarray:
        """Soil temperature at the start, (cell,) [K]: as given, or the mean of the first year of air temperatures.

        That of the surface where a file has profiles.

        The year does not depend on the end of the run: a run that stops early and is resumed is the same run. Of a
        station file that is shorter, all of it counts.
        """
        if self.initial_ground is not None:
            return self.initial_ground["soil_temperature"][0]
        given = self.config.land.initial.soil_temperature
        if given is not None:
            return np.full(self.domain.ncell, float(given))
        forcing, year = self.forcing, np.timedelta64(365, "D")
        if self.config.forcing.format == "generator":
            forcing = open_weather(self.config, self.domain, until=forcing.start + year)
        cover = float((min(forcing.end, forcing.start + year) - forcing.start) / np.timedelta64(1, "s"))
        length = min(86400.0, cover)
        days = int(cover // length)
        chosen = range(0, days, max(days // SAMPLED_DAYS, 1))
        moments = [forcing.start + np.timedelta64(day, "D") for day in chosen]
        total = sum(forcing.weather(moment, length)["air_temperature"] for moment in moments)
        return np.asarray(total / len(chosen))

    def advance(self, model: Any, step: Step, weather: Mapping[str, np.ndarray]) -> None:
        """Advance a model of this setup by a step, with the plants and the irrigation of its time.

        Parameters
        ----------
        model : ColumnModel, SurfaceMosaic or CoupledModel
            What moves.
        step : Step
            The step.
        weather : mapping of str to numpy.ndarray
            Weather of the step, ([member,] cell).
        """
        water = {}
        if self.irrigation is not None:
            water = irrigation_hours(self.irrigation, self.domain.longitude, step.start, step.seconds)
        model.advance({**weather, **water}, *self.surface.leaf_area(step.middle), step.seconds)

    def output_grid(self) -> OutputGrid:
        """Return the cells of the run as the output rooms want them."""
        whole = self.whole
        layers = {"layer": self.layers.thickness, "thermal_layer": self.layers.thermal_thickness}
        if "lake" in self.other_surfaces:
            layers["lake_layer"] = lake_layers(mean_lake_depth(self.config.surface, whole))[:, 0]
        if not whole.is_grid:
            return OutputGrid(whole.latitude, whole.longitude, layers, names=(self.config.case.name,),
                              npatch=self.surface.npatch)
        return grid_of_cells(whole, layers, self.surface.npatch)


def grid_of_cells(whole: Domain, layers: Mapping[str, np.ndarray], npatch: int = 0) -> OutputGrid:
    """Return the cells of a grid as the output rooms want them; arguments as for `OutputGrid`."""
    x, y = (np.nanmean(whole.to_grid(values), axis=axis) if whole.mask.any(axis=axis).all() else None
            for values, axis in ((whole.x, 0), (whole.y, 1)))
    return OutputGrid(whole.latitude, whole.longitude, layers, shape=(whole.ny, whole.nx), index=whole.cell_id,
                      x=None if y is None else x, y=None if x is None else y, npatch=npatch)


def prepare(config: CaseConfig, comm: Communicator, continuation: Continuation | None = None) -> Setup:
    """Build domain, surface and weather of this rank.

    Parameters
    ----------
    config : CaseConfig
        The case.
    comm : Communicator
        Ranks of the run.
    continuation : Continuation, optional
        How the run goes on from another; its weather begins there.

    Raises
    ------
    InputError
        If files are missing or do not fit, or the ranks cannot share members and cells.
    """
    whole = build_domain(config.domain)
    section = config.parallel
    layout = RankLayout(comm, whole.ncell, config.ensemble.size, section.member_groups, section.tiles)
    domain = whole.subset(layout.cells)
    layers = build_layers(config.domain.layers, config.domain.bedrock_layers, config.domain.bedrock_thickness)
    surface = build_surface(config.surface, config.subsurface.retention, domain, layers)
    for moment in forcing_period(config):
        surface.leaf_area(moment)  # a series that is too short fails here and not after hours
    return Setup(config, comm, layout, whole, domain, surface, layers,
                 weather_of(config, domain, layout, continuation))


def weather_of(
    config: CaseConfig, domain: Domain, layout: RankLayout, continuation: Continuation | None
) -> Forcing:
    """Open the weather of this rank's cells, and of its members where they have weather of their own.

    Raises
    ------
    InputError
        See `pyland.driver.inputs.open_weather`.
    """
    if continuation is not None and continuation.weather is not None:
        return continuation.weather(domain, np.arange(layout.nmember)[layout.members])
    since = None if continuation is None else continuation.since
    return open_shared_weather(config, domain, layout.comm_members, since)


def build_model(
    setup: Setup, members: np.ndarray, seed: int, is_truth: bool = False
) -> ColumnModel | SurfaceMosaic:
    """Build the columns of an ensemble with perturbed parameters and initial state; lakes and others beside them.

    Parameters
    ----------
    setup : Setup
        The run.
    members : numpy.ndarray of int
        Global indices of the members of this rank.
    seed : int
        Seed of the perturbations.
    is_truth : bool
        The ensemble is the truth of a twin experiment, which has no unperturbed member.
    """
    config, surface = setup.config, setup.surface
    noise = noise_of(setup, members, seed, is_truth)
    settings = config.ensemble.noise_settings("parameters")
    soil = {"sand": surface.sand, "clay": surface.clay, "organic": surface.organic, **surface.hydraulic}
    perturbed = perturb_parameters(
        {name: entry for name, entry in settings.items() if name in soil}, parameters=soil, **noise)
    if config.ensemble.perturb.pedotransfer:
        perturbed |= follow_texture(setup, perturbed)
    options = column_options(config) | {"is_irrigated": setup.irrigation is not None}
    model = build_columns(setup, members, soil_parameters(perturbed, config), options)
    perturb_plants(model, settings, noise)
    if config.ensemble.parameters_file is not None and not is_truth:
        given = read_member_parameters(config.ensemble.parameters_file, members, setup.position, setup.whole.ncell,
                                       tuple(settings))
        MemberParameters(tuple(given), setup).put(model, given)
    set_initial_water(model, setup, noise)
    set_initial_heat(model, setup, noise)
    return add_other_surfaces(model, setup, options)


def noise_of(setup: Setup, members: np.ndarray, seed: int, is_truth: bool) -> dict[str, Any]:
    """Return what all perturbations of an ensemble share; arguments as for `build_model`."""
    config, domain = setup.config, setup.domain
    return {"seed": seed, "members": members, "x": domain.x, "y": domain.y, "cell_id": domain.cell_id,
            "control": config.ensemble.control and config.ensemble.size > 1 and not is_truth}


def build_columns(
    setup: Setup, members: np.ndarray, soil: Mapping[str, np.ndarray], options: Mapping[str, Any]
) -> ColumnModel:
    """Build the columns of soil with their plants, carbon and irrigation; their state is still to be set.

    Parameters
    ----------
    setup : Setup
        The run.
    members : numpy.ndarray of int
        Global indices of the members of this rank.
    soil : mapping of str to numpy.ndarray
        Soil fields of the core, (layer, [member,] cell).
    options : mapping
        See `column_options`.
    """
    config, surface, layers = setup.config, setup.surface, setup.layers
    model = ColumnModel(
        layers.thickness,
        layers.bedrock_thickness,
        {**soil, **plant_fields(surface, layers, config.land.stomata), **colour_fields(surface.soil_colour),
         "reference_height": setup.forcing.reference_height,
         "topography_deviation": np.full(setup.domain.ncell, config.land.snow.topography_deviation)},
        ncell=setup.domain.ncell,
        nmember=len(members),
        npatch=surface.npatch,
        **{**options, "is_irrigated": setup.irrigation is not None},
    )
    model.cell_numbers, model.member_numbers = setup.position.tolist(), members.tolist()
    if model.has_carbon:
        model.set_parameters(carbon_fields(surface))
        set_initial_carbon(model, config)
    if setup.irrigation is not None:
        model.set_parameters(irrigation_fields(setup.irrigation, setup.domain.ncell))
    return model


def column_options(config: CaseConfig) -> dict[str, Any]:
    """Return the options of the land columns, see `ColumnModel`."""
    return {
        "stomata": config.land.stomata,
        "soil_evaporation": config.land.soil_evaporation,
        "water_stress": config.land.water_stress,
        "retention": config.subsurface.retention,
        "lower_boundary": config.subsurface.bottom,
        "water_table_depth": config.subsurface.water_table_depth or 0.0,
        "ponding_depth": config.subsurface.ponding_depth,
        "tolerance": config.subsurface.solver_value("tolerance"),
        "largest_iteration": config.subsurface.solver_value("max_iterations"),
        "smallest_step": config.subsurface.solver_value("min_step"),
        "stability_limit": config.land.stability_limit,
        "soil_roughness": config.land.soil_roughness,
        "bottom_heat_flux": config.land.bottom_heat_flux,
        "snow_layers": config.land.snow.layers,
        "carbon": config.land.carbon,
        "sif_yield": config.land.sif_yield,
        "snow": {name: getattr(config.land.snow, name) for name in SNOW_OPTIONS},
    }


def soil_parameters(fields: Mapping[str, np.ndarray], config: CaseConfig) -> dict[str, np.ndarray]:
    """Return the soil fields of the core from registry ids, each (layer, [member,] cell)."""
    scale, shape = RETENTION_FIELDS[config.subsurface.retention]
    porosity = fields["porosity"]
    return {
        "sand": fields["sand"],
        "clay": fields["clay"],
        "organic": fields["organic"],
        "porosity": porosity,
        "residual_water": fields.get("residual_water", np.zeros_like(porosity)),
        "saturated_conductivity": fields["saturated_conductivity"],
        "retention_scale": np.abs(fields[scale]),
        "retention_shape": fields[shape],
        "specific_storage": fields.get("specific_storage", np.full_like(porosity, config.subsurface.specific_storage)),
    }


def set_initial_water(model: ColumnModel, setup: Setup, noise: Mapping[str, Any]) -> None:
    """Set soil water, perturbed per member where the case asks for it."""
    config = setup.config
    settings = config.ensemble.noise_settings("initial")
    name, value = config.subsurface.initial.chosen
    depth = setup.layers.node_depth[:, None, None]
    porosity, residual = model.parameter["porosity"], model.parameter["residual_water"]
    ground = setup.initial_ground or {}
    if "soil_ice" in ground:
        ice = np.minimum(ground["soil_ice"][:, None], porosity - residual)
        model.set_state({"soil_water": np.clip(ground["soil_water"][:, None], residual, porosity - ice),
                         "soil_ice": ice})
    elif name == "saturation":
        model.set_state({"soil_water": residual + value * (porosity - residual)})
    elif name == "soil_water":
        given = np.broadcast_to(np.asarray(value, float).reshape(-1, 1, 1), porosity.shape)
        model.set_state({"soil_water": np.clip(given, residual, porosity)})
    elif name == "pressure_head":
        model.set_state({"pressure_head": np.broadcast_to(np.asarray(value, float).reshape(-1, 1, 1), porosity.shape)})
    else:
        model.set_state({"pressure_head": np.broadcast_to(depth - value, porosity.shape)})
    if "soil_water" in settings:
        change = change_of_noise("soil_water", settings["soil_water"], noise)
        model.change_soil_water(change(model.state["soil_water"]))


def change_of_noise(
    name: str, settings: Mapping[str, Any], noise: Mapping[str, Any]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return what the noise of an initial field does to its values, (layer, member, cell)."""
    is_factor = settings["kind"] == "multiply_lognormal"
    neutral = np.full(np.size(noise["cell_id"]), 1.0 if is_factor else 0.0)
    drawn = perturb_initial({name: settings}, state={name: neutral}, bounds={name: (-np.inf, np.inf)}, **noise)[name]
    return lambda values: values * drawn if is_factor else values + drawn


def set_initial_heat(model: ColumnModel | CoupledModel, setup: Setup, noise: Mapping[str, Any]) -> None:
    """Set temperatures, perturbed per member where the case asks for it."""
    config, layers = setup.config, setup.layers
    settings = config.ensemble.noise_settings("initial")
    ground = None if setup.initial_ground is None else setup.initial_ground["soil_temperature"]
    if ground is not None and len(ground) == layers.nthermal:
        temperature = ground
    else:  # the steady profile of the heat from below, with the conductivity of rock throughout
        gradient = config.land.bottom_heat_flux / CONDUCTIVITY_BEDROCK
        temperature = (setup.initial_temperature
                       + gradient * layers.thermal_node_depth[:, None] * np.ones(setup.domain.ncell))
    warmth = perturb_initial({key: settings[key] for key in settings if key == "soil_temperature"},
                             state={"soil_temperature": temperature}, **noise)["soil_temperature"]
    leaves = np.repeat(warmth[:1], setup.surface.npatch, axis=0)
    model.set_state({"soil_temperature": warmth, "leaf_temperature": leaves, "growth_temperature": warmth[0]})
