"""Neutrons that a cosmic-ray probe would count above columns of soil: COSMIC.

Shuttleworth, Rosolem, Zreda and Franz (2013), Hydrol. Earth Syst. Sci. 17, 3205-3217. Equations, how they are
integrated and what was measured: ``docs/theory/neutrons.md``; the kernel is ``fortran/observe/pl_cosmic.f90``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core.neutrons import ANGLES, cosmic_columns

COUNTED_DEPTH = 3.0
"""Depth to which COSMIC counts [m]; below it 3e-7 of the neutrons are made where soil is quite dry, less elsewhere."""

SENSED_SHARE = 0.86
"""Share of the neutrons that the sensing depth names [1], 1 - exp(-2) (Zreda et al. 2008, Geophys. Res. Lett. 35,
L21402)."""

DENSITY_DEPTH = 0.3
"""Depth over which bulk density is averaged for alpha and L3 of a site [m]: that of the cores of COSMOS probes (Zreda
et al. 2012, Hydrol. Earth Syst. Sci. 16, 4079-4099), at which the relations were fitted."""

SANTA_RITA_ALPHA = 0.2392421548
"""alpha of the Santa Rita site [1]; mHM has it everywhere."""


def _shuttleworth(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 0.404 - 0.101 * density, 99.29 * density - 31.65


def _mhm(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = np.where(density < 0.4, 1.0, 106.1942 * density - 40.9879)
    return np.full(np.shape(density), SANTA_RITA_ALPHA), length


RELATIONS = MappingProxyType({"shuttleworth2013": _shuttleworth, "mhm": _mhm})
"""From dry bulk density [g cm-3] to alpha [1] and L3 [g cm-2]: Shuttleworth et al. (2013); mHM, ``mo_neutrons.f90``
and its parameter file."""


@dataclass(frozen=True)
class Neutrons:
    """What COSMIC says of columns.

    Attributes
    ----------
    counts : ndarray, shape (...)
        Neutrons [unit of N].
    effective_depth : ndarray, shape (...)
        Depth above which 86 % of the neutrons from the soil are made [m]; water above the ground is no depth.
    shares : ndarray, shape (layer, ...)
        Part of the counts that each layer makes [1]; they sum to 1 where no water lies above the ground.
    """

    counts: np.ndarray
    effective_depth: np.ndarray
    shares: np.ndarray

    def weighted(self, values: ArrayLike) -> np.ndarray:
        """Return the mean of ``values`` (layer, ...) over the layers as the neutrons weigh them."""
        return (self.shares * np.asarray(values, float)).sum(axis=0) / self.shares.sum(axis=0)


def site_parameters(bulk_density: ArrayLike, relation: str = "shuttleworth2013") -> tuple[np.ndarray, np.ndarray]:
    """Return alpha and L3 of COSMIC from the dry bulk density of a site.

    Parameters
    ----------
    bulk_density : array_like
        Dry bulk density [kg m-3], any shape.
    relation : str
        Key of `RELATIONS`.

    Returns
    -------
    alpha : ndarray
        Neutrons made by a mass of soil relative to one of water [1].
    soil_length : ndarray
        L3, mass of soil that a fast neutron passes before it is one of e [kg m-2]; ten times the g cm-2 of the papers.

    Raises
    ------
    InputError
        If there is no such relation, or it gives nothing positive: that of Shuttleworth ends at 319 and 4000 kg m-3.
    """
    if relation not in RELATIONS:
        raise InputError(f"neutrons: unknown relation '{relation}'; available: {', '.join(RELATIONS)}.")
    density = np.asarray(bulk_density, float)
    alpha, length = RELATIONS[relation](1.0e-3 * density)
    if not ((alpha > 0).all() and (length > 0).all()):
        raise InputError(
            f"neutrons: bulk densities of {density.min():.4g} to {density.max():.4g} kg m-3 are outside the relation "
            f"'{relation}' of COSMIC. Check the unit (kg m-3), take the relation 'mhm', or give alpha and soil_length."
        )
    return alpha, 10.0 * length


def cosmic(
    soil_moisture: ArrayLike,
    thickness: ArrayLike,
    bulk_density: ArrayLike,
    *,
    n: ArrayLike,
    lattice_water: ArrayLike = 0.0,
    organic_water: ArrayLike = 0.0,
    water_above: ArrayLike = 0.0,
    alpha: ArrayLike | None = None,
    soil_length: ArrayLike | None = None,
    relation: str = "shuttleworth2013",
    extent: float = COUNTED_DEPTH,
    share: float = SENSED_SHARE,
    angles: str = "exact",
) -> Neutrons:
    """Compute the neutrons above columns of soil, and how deep they come from.

    Parameters
    ----------
    soil_moisture : array_like, shape (layer, ...)
        Liquid water and ice [m3 m-3]; any number of axes after the layers, also none.
    thickness, bulk_density, lattice_water, organic_water : array_like
        Thickness of the layers from the top [m], dry bulk density [kg m-3], water bound in minerals and hydrogen of
        organic matter as water [m3 m-3]: a number, (layer,), or what broadcasts with ``soil_moisture``.
    n : array_like
        N of the site [any unit of counts]; a number or what broadcasts with the other axes, as all below.
    water_above : array_like
        Snow, water on leaves and ponds [kg m-2]; see `pyland.observe.neutrons.hydrogen`.
    alpha, soil_length : array_like, optional
        alpha [1] and L3 [kg m-2]; by default from the mean bulk density of the upper 0.3 m and ``relation``.
    relation : str
        See `site_parameters`.
    extent : float
        Depth to which neutrons are counted [m]: the lowest layer is taken to reach there, deeper layers are cut.
    share : float
        Share of the neutrons from the soil that come from above the effective depth [1].
    angles : {"exact", "half_degree"}
        Integral over the ways up, or the sum of the original code, 0.42 % more; N belongs to the one it was found with.

    Returns
    -------
    Neutrons
        Counts, effective depth and shares of the layers.

    Raises
    ------
    InputError
        If shapes do not fit, an option has no such word, or a value is outside its physical bounds.
    """
    if angles not in ANGLES:
        raise InputError(f"neutrons: unknown angles '{angles}'; available: {', '.join(ANGLES)}.")
    water = np.asarray(soil_moisture, float)
    if water.ndim == 0 or water.size == 0:
        raise InputError(f"neutrons: soil moisture must have shape (layer, ...), got {water.shape}.")
    columns = water.shape[1:]
    layers = {name: over_layers(name, values, water.shape) for name, values in (
        ("thickness", thickness), ("bulk_density", bulk_density), ("lattice_water", lattice_water),
        ("organic_water", organic_water))}
    if not (layers["thickness"] > 0).all():
        raise InputError(f"neutrons: thickness of a layer must be above 0 m, got {layers['thickness'].min():.4g}.")
    if alpha is None or soil_length is None:
        known = site_parameters(surface_density(layers["bulk_density"], layers["thickness"]), relation)
        alpha, soil_length = (found if given is None else given for given, found in
                              zip((alpha, soil_length), known, strict=True))
    site = [_over_columns(name, values, columns) for name, values in (
        ("water_above", water_above), ("n", n), ("alpha", alpha), ("soil_length", soil_length))]
    site[3] = 0.1 * site[3]  # kg m-2 to g cm-2
    total = water + layers["lattice_water"] + layers["organic_water"]
    nlayer = water.shape[0]
    counts, depth, shares = cosmic_columns(
        layers["thickness"].reshape(nlayer, -1), layers["bulk_density"].reshape(nlayer, -1), total.reshape(nlayer, -1),
        np.stack([one.reshape(-1) for one in site]), extent=extent, share=share, angles=angles)
    return Neutrons(counts.reshape(columns), depth.reshape(columns), shares.reshape(water.shape))


def surface_density(bulk_density: np.ndarray, thickness: np.ndarray, depth: float = DENSITY_DEPTH) -> np.ndarray:
    """Return the mean bulk density of the upper ``depth`` [m], shape of a layer; shallower columns: of all layers.

    Parameters
    ----------
    bulk_density, thickness : ndarray, shape (layer, ...)
        Dry bulk density [kg m-3] and thickness of the layers [m].
    """
    upper = np.cumsum(thickness, axis=0) - thickness
    part = np.clip(depth - upper, 0.0, thickness)
    return (part * bulk_density).sum(axis=0) / part.sum(axis=0)


def over_layers(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return ``values``, a number, (layer,) or anything that broadcasts, in the ``shape`` (layer, ...).

    Raises
    ------
    InputError
        If they do not broadcast.
    """
    values = np.asarray(values, float)
    if values.ndim == 1:
        values = values.reshape(values.shape + (1,) * (len(shape) - 1))
    return _broadcast(name, values, shape)


def _over_columns(name: str, values: ArrayLike, columns: tuple[int, ...]) -> np.ndarray:
    return _broadcast(name, np.asarray(values, float), columns)


def _broadcast(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise InputError(f"neutrons: {name} of shape {values.shape} does not fit columns of shape {shape}; the first "
                         "axis of fields of the soil is the layer.") from None


__all__ = ["COUNTED_DEPTH", "RELATIONS", "SENSED_SHARE", "Neutrons", "cosmic", "over_layers", "site_parameters",
           "surface_density"]
