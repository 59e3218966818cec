"""Brightness of ground whose water and temperature change with depth: coherent emission of thin layers.

``fortran/observe/pl_layered_emission.f90`` has the equations (Wilheit 1978). The layers of a land model are too thick
for them: a step between two of them reflects like a mirror, and the waves between mirrors resonate. Here the profile
between the centres of the layers is linear, on layers that are thin against the wavelength in the ground.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core.microwave import call_layers
from pyland.observe.microwave.dielectric import L_BAND, soil_permittivity

LIGHT_SPEED = 2.99792458e8
"""[m s-1]."""

FINEST_SHARE = 0.01
"""Thickness of the topmost thin layer over the wavelength in air: 2 mm at L-band, a twentieth of that in wet soil."""

GROWTH = 0.1
"""Growth of the thickness per layer. Layers an eighth as thick change the brightness by 0.2 K at most (sharp skins)."""

BLOCK = 32768
"""Columns that are computed at a time; bounds the memory of the thin layers."""


def layered_weights(
    permittivity: ArrayLike, thickness: ArrayLike, angle: ArrayLike, *, frequency: float = L_BAND
) -> np.ndarray:
    """Return the weight of each layer's temperature in the brightness.

    Parameters
    ----------
    permittivity : array_like of complex, shape (layer, column)
        From the top [1]; the last layer has no bottom.
    thickness : array_like, shape (layer,)
        [m]; that of the last layer is not used.
    angle : array_like
        Of incidence [degree], one number or shape ``(column,)``.
    frequency : float
        [Hz].

    Returns
    -------
    numpy.ndarray, shape (2, layer, column)
        Horizontal and vertical [1]; over the layers they sum to 1 less the reflectivity.

    Raises
    ------
    InputError
        If shapes do not fit or a value cannot be.
    """
    permittivity = np.asarray(permittivity, complex)
    if permittivity.ndim != 2:
        raise InputError(f"layered emission: expected permittivities (layer, column), got {permittivity.shape}.")
    angles = np.broadcast_to(np.asarray(angle, float), permittivity.shape[1:])
    return call_layers(frequency, angles, permittivity, np.asarray(thickness, float))


def thin_layers(depth: float, frequency: float = L_BAND) -> np.ndarray:
    """Return thicknesses [m] of thin layers down to ``depth`` [m]: thin at the top, growing with depth."""
    if not depth > 0.0:
        raise InputError(f"layered emission: expected a positive depth [m], got {depth}.")
    finest = FINEST_SHARE * LIGHT_SPEED / frequency
    count = max(int(np.ceil(np.log1p(GROWTH * depth / finest) / np.log1p(GROWTH))), 1)
    thickness = finest * (1.0 + GROWTH) ** np.arange(count)
    return thickness * (depth / thickness.sum())


def profile_weights(thickness: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """Return the weights of a linear profile between layer centres at the centres of thin layers.

    Parameters
    ----------
    thickness : numpy.ndarray, shape (layer,)
        Layers of the model [m].
    thin : numpy.ndarray, shape (thin,)
        Thin layers [m].

    Returns
    -------
    numpy.ndarray, shape (thin, layer)
        [1]; rows sum to 1. Beyond the outermost centres the profile is constant.
    """
    centre = np.cumsum(thickness) - 0.5 * thickness
    place = np.cumsum(thin) - 0.5 * thin
    return np.stack([np.interp(place, centre, unit) for unit in np.eye(len(centre))], axis=1)


def layered_ground(
    soil_moisture: np.ndarray,
    soil_temperature: np.ndarray,
    thickness: np.ndarray,
    clay: np.ndarray | float,
    *,
    angle: ArrayLike = 40.0,
    frequency: float = L_BAND,
    depth: float = 1.0,
    ice: np.ndarray | None = None,
    **soil: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Return reflectivity and effective temperature of smooth stratified ground.

    Parameters
    ----------
    soil_moisture, soil_temperature, ice : numpy.ndarray, shape (layer, column)
        Liquid water [m3 m-3], temperature [K], ice as the volume of its liquid water [m3 m-3].
    thickness : numpy.ndarray, shape (layer,)
        Layers of the model [m].
    clay : numpy.ndarray or float
        Share of the mineral mass [1], a number or shape ``(column,)``.
    angle : array_like
        Of incidence [degree], a number or shape ``(column,)``.
    frequency : float
        [Hz].
    depth : float
        That thin layers reach to [m]; the ground below is as there. At most the depth of the column.
    **soil
        ``sand``, ``bulk_density``, ``porosity``, ``dielectric``, ``frozen`` of :func:`soil_permittivity`; arrays of
        shape ``(column,)``.

    Returns
    -------
    reflectivity : numpy.ndarray, shape (2, column)
        Horizontal and vertical [1].
    temperature : numpy.ndarray, shape (2, column)
        That this ground emits with, TB/(1 - reflectivity) [K]. Both NaN where a value is not finite.

    Raises
    ------
    InputError
        If shapes do not fit or a value cannot be.
    """
    water, heat = np.asarray(soil_moisture, float), np.asarray(soil_temperature, float)
    thickness = np.asarray(thickness, float)
    frost = np.zeros_like(water) if ice is None else np.asarray(ice, float)
    if water.ndim != 2 or water.shape != heat.shape or water.shape != frost.shape or len(thickness) != len(water):
        raise InputError(
            "layered emission: water, temperature and ice must have shape (layer, column) and thickness (layer,); got "
            f"{water.shape}, {heat.shape}, {frost.shape} and {thickness.shape}.")
    thin = thin_layers(min(depth, float(thickness.sum())), frequency)
    weight = profile_weights(thickness, thin)
    count = water.shape[1]
    angles = np.broadcast_to(np.asarray(angle, float), (count,))
    reflectivity, temperature = np.full((2, count), np.nan), np.full((2, count), np.nan)
    columns = {name: value for name, value in {"clay": clay, **soil}.items() if np.ndim(value) == 1}
    numbers = {name: value for name, value in {"clay": clay, **soil}.items() if np.ndim(value) != 1}
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        warmth = weight @ heat[:, part]
        permittivity = soil_permittivity(
            weight @ water[:, part], temperature=warmth, ice=weight @ frost[:, part], frequency=frequency, **numbers,
            **{name: np.asarray(value, float)[part] for name, value in columns.items()})
        good = np.isfinite(permittivity).all(axis=0) & np.isfinite(angles[part])
        if not good.any():
            continue
        share = layered_weights(permittivity[:, good], thin, angles[part][good], frequency=frequency)
        absorbed = share.sum(axis=1)
        reflectivity[:, part][:, good] = 1.0 - absorbed
        temperature[:, part][:, good] = (share * warmth[:, good]).sum(axis=1) / absorbed
    return reflectivity, temperature


__all__ = ["layered_ground", "layered_weights", "profile_weights", "thin_layers"]
