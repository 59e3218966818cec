"""What the cells of a run are, joined over ranks, for ``domain.nc``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.domain import Domain
from pyland.domain.surface import Surface
from pyland.driver.rivers.river_setup import RiverPlan
from pyland.driver.setup import Setup
from pyland.output.domain_fields import LAND_COVERS
from pyland.subsurface import water_from_head

WILTING_HEAD, FIELD_HEAD = -152.9, -3.364
"""Heads of wilting point (-1.5 MPa) and field capacity (-33 kPa) [m], as in ``fortran/land/pl_root_uptake.f90``."""

RETENTION_NAMES = ("porosity", "residual_water", "saturated_conductivity", "van_genuchten_alpha", "van_genuchten_n",
                   "clapp_hornberger_b", "air_entry_head")
"""Parameters of the soil that its retention curve may need."""


def static_fields(setup: Setup, plan: RiverPlan | None) -> dict[str, np.ndarray] | None:
    """Return the static fields of all cells of a run of columns, on the root, None elsewhere; collective.

    Parameters
    ----------
    setup : Setup
        The run.
    plan : RiverPlan or None
        Its rivers.

    Returns
    -------
    dict of str to numpy.ndarray, shape (cell,) or (layer, cell)
        See `pyland.output.domain_fields`.
    """
    ranks = setup.layout.of_members(1).cell_ranks(setup.position)
    local = surface_fields(setup.surface, irrigated_patches(setup))
    if np.array_equal(setup.water_thickness, setup.layers.thickness):  # else water has other layers than the land
        local |= soil_fields(setup.surface)
    joined = {name: ranks.gather_last(np.ascontiguousarray(values[..., ranks.share])) for name, values in local.items()}
    if not setup.comm.is_root:
        return None
    return cell_fields(setup.whole) | joined | river_fields(setup.whole, plan)


def cell_fields(whole: Domain) -> dict[str, np.ndarray]:
    """Return area [m2] and elevation [m] of all cells."""
    return {"cell_area": whole.area, "elevation": whole.elevation}


def irrigated_patches(setup: Setup) -> np.ndarray:
    """Return whether each patch is irrigated, (patch,)."""
    plans: Any = setup.irrigation or (None,) * setup.surface.npatch
    return np.array([one is not None for one in plans])


def surface_fields(surface: Surface, is_irrigated: np.ndarray) -> dict[str, np.ndarray]:
    """Return what covers the cells.

    Parameters
    ----------
    surface : Surface
        Of some cells.
    is_irrigated : numpy.ndarray of bool, shape (patch,)
        Patches that are irrigated.

    Returns
    -------
    dict of str to numpy.ndarray, shape (cell,)
        Shares of surfaces beside soil and of irrigated land [1], and the dominant cover by its place in
        ``LAND_COVERS``.
    """
    soil = 1.0 - sum(surface.other.values(), np.zeros(surface.patch_fraction.shape[1]))
    shares = np.zeros((len(LAND_COVERS), soil.size))
    codes = np.array([LAND_COVERS.index(name) for name in surface.patch_types])
    for kind, fraction in zip(surface.patch_kind, surface.patch_fraction, strict=True):
        np.add.at(shares, (codes[kind], np.arange(soil.size)), soil * fraction)
    for name, fraction in surface.other.items():
        shares[LAND_COVERS.index(name)] = fraction
    out = {f"{name}_fraction": np.asarray(fraction) for name, fraction in surface.other.items()}
    out["irrigated_fraction"] = soil * surface.patch_fraction[is_irrigated].sum(axis=0)
    out["land_cover"] = np.argmax(shares, axis=0)
    return out


def soil_fields(surface: Surface) -> dict[str, np.ndarray]:
    """Return pores, wilting point and field capacity of the soil, (layer, cell) [m3 m-3]."""
    soil = {name: np.asarray(surface.hydraulic[name]) for name in RETENTION_NAMES if name in surface.hydraulic}
    shape = soil["porosity"].shape

    def at(head: float) -> np.ndarray:
        return water_from_head(np.full(shape, head), soil, retention=surface.retention)

    return {"porosity": soil["porosity"], "wilting_point": at(WILTING_HEAD), "field_capacity": at(FIELD_HEAD)}


def river_fields(whole: Domain, plan: RiverPlan | None) -> Mapping[str, np.ndarray]:
    """Return basins, directions and upstream area of rivers over all cells; nothing without rivers."""
    if plan is None:
        return {}
    spilling = [cell for cell, lake in plan.lakes.items() if lake.spill_volume is not None]
    network = plan.network.with_spills(np.array(spilling, dtype=np.int64))
    terminals, member = np.unique(network.terminal, return_inverse=True)
    area = np.bincount(member, weights=whole.area)
    number = np.empty(terminals.size, dtype=np.int64)
    number[np.argsort(-area, kind="stable")] = np.arange(1, terminals.size + 1)
    receiver = network.downstream.copy()
    receiver[spilling] = network.spill[spilling]
    placed = np.where(receiver >= 0, whole.cell_id[np.maximum(receiver, 0)], receiver)
    return {"basin": number[member], "downstream_cell": placed, "upstream_area": network.upstream_area}
