"""What grows and what colour the ground has, as fields of the core: plants, roots, carbon, irrigation, albedo."""

from __future__ import annotations

import numpy as np

from pyland.config import CaseConfig
from pyland.coupling import ColumnModel, SurfaceMosaic
from pyland.domain.layers import Layers
from pyland.domain.surface import Surface
from pyland.land.carbon import YEAR, compute_tissue_nitrogen
from pyland.land.irrigation import PatchIrrigation
from pyland.land.plant_types import PLANT_FIELDS, plant_parameters, soil_colour_albedo

BARE_PLANT = "c3_grass"
"""Type whose parameters stand on bare patches; without leaves and stems they have no effect."""


def plant_fields(surface: Surface, layers: Layers, stomata: str) -> dict[str, np.ndarray]:
    """Return the plant fields of the core, (patch, cell), and roots, (patch * layer, cell)."""
    types = [BARE_PLANT if name == "bare_ground" else name for name in surface.patch_types]
    plants = [plant_parameters(name, **overrides)
              for name, overrides in zip(types, surface.plant_parameters, strict=True)]

    def spread(values: list[float]) -> np.ndarray:
        return np.array(values, dtype=float)[surface.patch_kind]

    out = {name: spread([plant[name] for plant in plants]) for name in PLANT_FIELDS}
    out["stomatal_slope"] = spread([plant[f"{stomata}_slope"] for plant in plants])
    out["stomatal_intercept"] = spread([plant[f"{stomata}_intercept"] for plant in plants])
    out["patch_fraction"] = surface.patch_fraction
    out["canopy_top"], out["canopy_bottom"] = surface.canopy_top, surface.canopy_bottom
    roots = np.array([
        root_distribution(plant["root_beta"], layers.interface_depth) if rates is None
        else double_exponential_roots(*rates, layers.interface_depth)
        for plant, rates in zip(plants, surface.root_profile, strict=True)
    ])
    out["root_fraction"] = roots[surface.patch_kind].transpose(0, 2, 1).reshape(-1, surface.patch_kind.shape[1])
    return out


def carbon_fields(surface: Surface) -> dict[str, np.ndarray]:
    """Return the plant fields of carbon, (patch, cell); tissue goes with the largest leaf area of months or a file."""
    types = [BARE_PLANT if name == "bare_ground" else name for name in surface.patch_types]
    plants = [plant_parameters(name, **overrides)
              for name, overrides in zip(types, surface.plant_parameters, strict=True)]
    leaves = surface.monthly_leaf_area.max(axis=0)
    for patch, series in surface.leaf_series.items():
        leaves[patch] = series.values.max(axis=0)
    kind = surface.patch_kind
    stems, roots = np.zeros(kind.shape), np.zeros(kind.shape)
    for number, plant in enumerate(plants):
        here = kind == number
        stems[here], roots[here] = compute_tissue_nitrogen(plant, leaves[here], surface.canopy_top[here])
    rates = np.array([plant["plant_turnover"] / YEAR for plant in plants])
    return {"stem_nitrogen": stems, "root_nitrogen": roots, "litterfall_rate": rates[kind]}


def set_initial_carbon(model: ColumnModel | SurfaceMosaic, config: CaseConfig) -> None:
    """Set the carbon pools as the case gives them; without, they stay empty until the spin-up has ended."""
    given = config.land.carbon_initial
    if given is not None:
        pools = np.array([*given.litter, *given.soil])
        for columns in model.carbon_columns:
            plants = np.where(columns.parameter["root_nitrogen"] > 0.0, given.plants, 0.0)
            columns.set_state({"carbon_pools": pools[:, None, None], "plant_carbon": plants})


def irrigation_fields(plans: tuple[PatchIrrigation | None, ...], ncell: int) -> dict[str, np.ndarray]:
    """Return the irrigation parameters of the core, (patch, cell); patches without irrigation get no demand."""
    idle = PatchIrrigation(demand="amount")
    fields = [(idle if one is None else one).fields() for one in plans]
    return {name: np.repeat(np.array([[one[name]] for one in fields]), ncell, axis=1) for name in fields[0]}


def root_distribution(beta: float, interfaces: np.ndarray) -> np.ndarray:
    """Return the share of the roots in each layer, after Jackson et al. (1996), Oecologia 108, 389-411.

    Parameters
    ----------
    beta : float
        Extinction per centimetre of depth, in (0, 1) [1].
    interfaces : numpy.ndarray, shape (layer + 1,)
        Depth of the layer edges [m].

    Returns
    -------
    numpy.ndarray, shape (layer,)
        Sums to 1.
    """
    cumulated = 1.0 - beta ** (100.0 * interfaces)
    return np.diff(cumulated) / cumulated[-1]


def double_exponential_roots(first: float, second: float, interfaces: np.ndarray) -> np.ndarray:
    """Return the share of the roots in each layer, after Zeng (2001), J. Hydrometeorol. 2, 525-530, eq. 2.

    Parameters
    ----------
    first, second : float
        Rates a and b [m-1]: the share above the depth z is 1 - (exp(-a z) + exp(-b z)) / 2.
    interfaces : numpy.ndarray, shape (layer + 1,)
        Depth of the layer edges [m].

    Returns
    -------
    numpy.ndarray, shape (layer,)
        Sums to 1.
    """
    cumulated = 1.0 - 0.5 * (np.exp(-first * interfaces) + np.exp(-second * interfaces))
    return np.diff(cumulated) / cumulated[-1]


def colour_fields(colour: np.ndarray) -> dict[str, np.ndarray]:
    """Return the soil albedos of the core from colour classes, each (band, cell): visible, near infrared."""
    classes = {int(one): soil_colour_albedo(int(one)) for one in np.unique(colour)}

    def band(moisture: str, name: str) -> np.ndarray:
        return np.array([classes[int(one)][f"{moisture}_{name}"] for one in colour])

    return {
        "soil_albedo_dry": np.stack([band("dry", "vis"), band("dry", "nir")]),
        "soil_albedo_saturated": np.stack([band("saturated", "vis"), band("saturated", "nir")]),
    }
