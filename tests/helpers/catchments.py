"""Random land over random ground in three dimensions, for tests of the coupling."""

from __future__ import annotations

import numpy as np
from columns import BEDROCK, THICKNESS, random_columns

from pyland.base.parallel import Communicator
from pyland.coupling import ColumnModel, CoupledModel
from pyland.coupling.land_layers import map_to_land_layers
from pyland.driver.plant_fields import root_distribution
from pyland.subsurface import DistributedSubsurface

LAND = {
    "same": THICKNESS,
    "finer": np.repeat(THICKNESS / 2.0, 2)[:10],
    "coarser": np.array([0.1, 0.25, 0.65]),
    "across": np.array([0.04, 0.06, 0.15, 0.35, 0.4]),
}
"""Soil layers of the land over the layers of `columns.THICKNESS`."""


def random_catchment(
    rng: np.random.Generator, nx: int = 6, ny: int = 5, nmember: int = 2, land: str = "same", iterations: int = 1,
    active: np.ndarray | None = None, comm: Communicator | None = None, size: float = 200.0, steepest: float = 0.05,
    is_uniform: bool = False, **options: object,
) -> CoupledModel:
    """Return a catchment of random soils, slopes, plants and water; a rank has the cells of its tile.

    With ``is_uniform`` all cells have the tightest soil that one of them drew.
    """
    inside = np.ones((ny, nx), bool) if active is None else active
    ncell = int(inside.sum())
    drawn = random_columns(rng, ncell, nmember, npatch=2)
    names = ("porosity", "residual_water", "retention_scale", "retention_shape", "saturated_conductivity",
             "specific_storage")
    soil = {name: drawn.parameter[name][:, 0] for name in names}
    if is_uniform:
        tightest = int(np.argmin(soil["saturated_conductivity"][0]))
        soil = {name: np.repeat(values[:, tightest, None], ncell, axis=1) for name, values in soil.items()}

    def on_grid(values: np.ndarray) -> np.ndarray:
        field = np.broadcast_to(values[..., :1, None], (*values.shape[:-1], ny, nx)).copy()
        field[..., inside] = values
        return field

    kernel = {"retention_scale": "van_genuchten_alpha", "retention_shape": "van_genuchten_n"}
    flow = DistributedSubsurface(
        THICKNESS, {kernel.get(name, name): on_grid(values) for name, values in soil.items()}, nx=nx, ny=ny, dx=size,
        dy=size, active=None if active is None else inside, air_entry=0.02, pressure_head=0.0, members=nmember,
        comm=comm, **{"overland": "kinematic", "slope_x": rng.uniform(-steepest, steepest, (ny, nx)),
                      "slope_y": rng.uniform(-steepest, steepest, (ny, nx)), **options})
    tile = flow.tile
    mine = np.zeros((ny, nx), bool)
    mine[tile] = inside[tile]
    chosen = mine[inside]
    columns = random_land(drawn, soil, chosen, LAND[land])
    model = CoupledModel(columns, flow, inside[tile], iterations)
    heads = np.maximum(drawn.state["pressure_head"][..., chosen], -30.0)
    model.set_state({"pressure_head": heads})
    return model


def random_land(
    drawn: ColumnModel, soil: dict[str, np.ndarray], chosen: np.ndarray, thickness: np.ndarray
) -> ColumnModel:
    """Return some of the columns that were drawn, on other soil layers."""
    given = {name: (field[:, 0] if field.ndim == 3 else field[0])[..., chosen]
             for name, field in drawn.parameter.items() if name != "thickness"}
    ground = {**soil, **{name: given[name] for name in ("sand", "clay", "organic")}}
    roots = root_distribution(0.96, np.concatenate([[0.0], np.cumsum(thickness)]))
    given |= map_to_land_layers({name: values if name in given and values is given[name] else values[:, chosen]
                                 for name, values in ground.items()}, thickness, THICKNESS)
    given["root_fraction"] = np.repeat(np.tile(roots, drawn.npatch)[:, None], int(chosen.sum()), axis=1)
    columns = ColumnModel(thickness, BEDROCK, given, ncell=int(chosen.sum()), nmember=drawn.nmember,
                          npatch=drawn.npatch)
    warmth = drawn.state["growth_temperature"][:, chosen]
    columns.set_state({
        "soil_temperature": np.repeat(warmth[None], thickness.size + BEDROCK.size, axis=0),
        "leaf_temperature": np.repeat(warmth[None], drawn.npatch, axis=0), "growth_temperature": warmth,
    })
    return columns
