"""From a configuration to land over the distributed subsurface: tiles, layers, soil, initial water."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pyland.base.errors import ConvergenceError, InputError
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.coupling import CoupledModel
from pyland.coupling.land_layers import VOLUMES, map_to_land_layers
from pyland.domain import build_layers, build_surface
from pyland.domain.surface import other_surfaces
from pyland.driver.continuation import Continuation
from pyland.driver.distributed.flow_setup import (
    AIR_ENTRY,
    FlowSetup,
    MovingSides,
    build_flow,
    prepare_flow,
    reach_steady_state,
)
from pyland.driver.inputs import forcing_period
from pyland.driver.member_parameters import perturb_ground, perturb_plants
from pyland.driver.rank_layout import RankLayout
from pyland.driver.setup import (
    Setup,
    build_columns,
    change_of_noise,
    column_options,
    noise_of,
    set_initial_heat,
    soil_parameters,
    weather_of,
)
from pyland.driver.time_loop import Step
from pyland.ensemble import perturb_parameters
from pyland.output.grid import OutputGrid
from pyland.subsurface.flow_grid import FlowGrid

LAND_DEPTH = 4.0
"""Depth down to which the layers of the subsurface are those of the land, unless the case gives others [m]."""

TEXTURE = ("sand", "clay", "organic")
"""What the soil of the land has and water does not ask for."""


@dataclass(frozen=True)
class CoupledSetup(Setup):
    """What a run of land over the distributed subsurface needs before it starts.

    ``layers`` are those of the land, whose soil layers see the water of the subsurface; cells are those of the tile.

    Attributes
    ----------
    flow : FlowSetup
        The subsurface, over the whole grid, for the ranks of this member group.
    """

    flow: FlowSetup

    @property
    def inside(self) -> np.ndarray:
        """Cells of this rank's rectangle that are modelled, (y, x)."""
        grid = tile_grid(self.flow, self.layout.comm_tiles)
        return self.whole.mask[grid.rows, grid.columns]

    @property
    def water_thickness(self) -> np.ndarray:
        """Thickness of the layers of the subsurface, (layer,) [m]."""
        return self.flow.layers.thickness

    @cached_property
    def _sides(self) -> MovingSides:
        return MovingSides(self.config)

    def advance(self, model: CoupledModel, step: Step, weather: Mapping[str, np.ndarray]) -> None:
        """Advance a model by a step, with the sides of its time; arguments as for `Setup.advance`.

        Raises
        ------
        ConvergenceError
            If the solver gives up; the message names the time.
        """
        self._sides.move(model.flow, step.start, step.seconds)
        try:
            super().advance(model, step, weather)
        except ConvergenceError as error:
            raise ConvergenceError(f"{error} (in the step from {step.start} to {step.end})") from error

    def output_grid(self) -> OutputGrid:
        """Return the cells of the run; water has the layers of the subsurface, heat those of the land."""
        return replace(super().output_grid(), layers={
            "layer": self.flow.layers.thickness, "thermal_layer": self.layers.thermal_thickness})


def prepare_coupled(
    config: CaseConfig, comm: Communicator, continuation: Continuation | None = None
) -> CoupledSetup:
    """Read and build all that land over the distributed subsurface needs; arguments as for `prepare`.

    Raises
    ------
    InputError
        If files are missing or do not fit, or the ranks cannot share members and cells.
    """
    flow = prepare_flow(config, comm)
    whole, section = flow.whole, config.parallel
    layout = RankLayout(comm, whole.ncell, config.ensemble.size, section.member_groups, section.tiles,
                        prefers_members=True)
    flow = replace(flow, comm=layout.comm_tiles)
    grid = tile_grid(flow, layout.comm_tiles)
    number = np.arange(whole.ny * whole.nx).reshape(whole.ny, whole.nx)[grid.rows, grid.columns]
    cells = number[whole.mask[grid.rows, grid.columns]]
    if layout.comm_tiles.any(cells.size == 0):
        raise InputError(f"{config.where('parallel.tiles')}: a rank would get no cell of the domain; use fewer tiles, "
                         "or more member groups.")
    domain = whole.subset(np.searchsorted(whole.cell_id, cells))
    if others := other_surfaces(config.surface, whole):
        raise InputError(f"{config.where('surface')}: {', '.join(others)} in a part of the cells; only soil lies over "
                         "the distributed subsurface in this version. Leave them out, or use subsurface.mode: column.")
    layers = build_layers(land_thickness(config, flow.layers.thickness), config.domain.bedrock_layers,
                          config.domain.bedrock_thickness)
    on_ground = build_surface(config.surface, config.subsurface.retention, domain, flow.layers)
    row, column = np.divmod(cells, whole.nx)
    soil = {name: field[:, row, column] for name, field in flow.soil.items()}
    soil |= {name: getattr(on_ground, name) for name in TEXTURE}
    mapped = map_to_land_layers(soil, layers.thickness, flow.layers.thickness, means=(*VOLUMES, *TEXTURE))
    surface = replace(on_ground, **{name: mapped.pop(name) for name in TEXTURE}, hydraulic=mapped)
    for moment in forcing_period(config):
        surface.leaf_area(moment)  # a series that is too short fails here and not after hours
    forcing = weather_of(config, domain, layout, continuation)
    return CoupledSetup(config, comm, layout, whole, domain, surface, layers, forcing, flow)


def tile_grid(flow: FlowSetup, tiles: Communicator) -> FlowGrid:
    """Return the grid of the subsurface with the rectangle of this rank among the ranks of its member group."""
    _, ny, nx = flow.shape
    return FlowGrid(flow.layers.thickness, nx, ny, flow.dx, flow.dy, None, tiles)


def land_thickness(config: CaseConfig, ground: np.ndarray) -> np.ndarray:
    """Return the soil layers of the land: as given, or the layers of the subsurface down to 4 m, two at least [m]."""
    given = config.land.soil_layers
    if given is not None:
        return np.asarray(given, dtype=float)
    within = int(np.count_nonzero(np.cumsum(ground) <= LAND_DEPTH * (1.0 + 1e-9)))
    return ground[: max(within, 2)]


def build_coupled_model(setup: CoupledSetup, members: np.ndarray, seed: int, is_truth: bool = False) -> CoupledModel:
    """Build land and subsurface of an ensemble; arguments as for `pyland.driver.setup.build_model`."""
    config, surface = setup.config, setup.surface
    noise = noise_of(setup, members, seed, is_truth)
    texture = {name: getattr(surface, name) for name in TEXTURE}
    settings = config.ensemble.noise_settings("parameters")
    perturbed = perturb_parameters(
        {name: entry for name, entry in settings.items() if name in texture}, parameters=texture, **noise)
    soil = soil_parameters({**surface.hydraulic, **perturbed}, config)
    soil["specific_storage"] = surface.hydraulic["specific_storage"]
    columns = build_columns(setup, members, soil, column_options(config) | {"air_entry": AIR_ENTRY})
    perturb_plants(columns, settings, noise)
    flow = build_flow(setup.flow, len(members))
    if config.ensemble.size > 1 and not is_truth:
        flow.member_numbers = members.tolist()
    model = CoupledModel(columns, flow, setup.inside, config.subsurface.coupling_iterations)
    perturb_ground(model, settings, noise)
    perturb_water(model, setup, noise)
    set_initial_heat(model, setup, noise)
    return model


def perturb_water(model: CoupledModel, setup: CoupledSetup, noise: dict) -> None:
    """Give each member its own heads and water, where the case asks for it."""
    settings = setup.config.ensemble.noise_settings("initial")
    for name, put in (("pressure_head", model.change_pressure_head), ("soil_water", model.change_soil_water)):
        if name in settings:
            put(change_of_noise(name, settings[name], noise)(model.flux[name]))


def begin_steady(model: CoupledModel, setup: CoupledSetup, noise: dict) -> None:
    """Bring the water of all members to the steady state that the case asks for, and perturb it.

    One state is brought there, and all members take it.

    Raises
    ------
    ConvergenceError
        If the solver gives up, or heads do not become steady.
    """
    flow = build_flow(setup.flow)
    reach_steady_state(flow, setup.config.subsurface.spinup.recharge)
    heads = flow.pressure[:, setup.inside]
    model.change_pressure_head(np.repeat(heads[:, None], model.nmember, axis=1))
    perturb_water(model, setup, noise)
