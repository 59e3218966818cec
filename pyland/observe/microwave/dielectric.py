"""Permittivity of soil and water, and reflectivity of a smooth surface; formulas in ``fortran/observe/``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core.microwave import DIELECTRICS, FROZEN, call_fresnel, call_permittivity

L_BAND = 1.41e9
"""Centre of the protected band that SMOS and SMAP listen to [Hz]."""

SINGLE_FREQUENCY = (1.35e9, 1.45e9)
"""Frequencies that the models fitted at 1.4 GHz alone stand for [Hz]."""

DENSITY_SOLIDS = 2664.0
"""Density of soil minerals in the data of Dobson et al. (1985) [kg m-3]."""


def check_frequency(dielectric: str, frozen: str, frequency: float) -> None:
    """Refuse a model that knows 1.4 GHz only at another frequency.

    Raises
    ------
    InputError
        If ``dielectric`` or ``frozen`` is such a model and ``frequency`` [Hz] lies elsewhere.
    """
    low, high = SINGLE_FREQUENCY
    for name in ("mironov2013", "mironov2017"):
        if name in (dielectric, frozen) and not low <= frequency <= high:
            raise InputError(
                f"dielectric model {name}: its coefficients are those of 1.4 GHz, got {frequency / 1e9:.4g} GHz; use "
                "mironov2009 for the thawed and 'practical' for the frozen ground.")


def bulk_density_of(porosity: ArrayLike) -> np.ndarray:
    """Return the density of dry mineral soil [kg m-3] with a porosity [m3 m-3]."""
    return (1.0 - np.asarray(porosity, float)) * DENSITY_SOLIDS


def soil_permittivity(
    soil_moisture: ArrayLike,
    clay: ArrayLike,
    *,
    sand: ArrayLike = 0.4,
    temperature: ArrayLike = 293.15,
    ice: ArrayLike = 0.0,
    bulk_density: ArrayLike | None = None,
    porosity: ArrayLike | None = None,
    frequency: float = L_BAND,
    dielectric: str = "mironov2009",
    frozen: str = "practical",
) -> np.ndarray:
    """Return the complex permittivity of soil.

    Parameters
    ----------
    soil_moisture : array_like
        Liquid water [m3 m-3].
    clay, sand : array_like
        Shares of the mineral mass [1], 0 to 1. The Mironov models and ``refractive`` take no sand.
    temperature : array_like
        [K].
    ice : array_like
        Ice as the volume of its liquid water [m3 m-3], as ``soil_ice`` of the model.
    bulk_density, porosity : array_like, optional
        Density of the dry soil [kg m-3] and share of the pores [m3 m-3]; each follows from the other with
        `DENSITY_SOLIDS`, and both from 1300 kg m-3 (Dobson et al. 1985) where none is given.
    frequency : float
        [Hz].
    dielectric : str
        ``mironov2009``, ``mironov2013``, ``wang_schmugge1980``, ``dobson1985``, ``peplinski1995`` or ``refractive``.
    frozen : str
        ``none``, ``practical`` or ``mironov2017``; ``refractive`` counts ice itself and leaves this out.

    Returns
    -------
    numpy.ndarray of complex
        eps' + i eps'' [1], of the common shape of the arguments; NaN where one is not finite.

    Raises
    ------
    InputError
        If an option does not exist or does not know the frequency, shapes differ, or a value cannot be.
    """
    check_frequency(dielectric, frozen, frequency)
    density, pores = complete_soil(bulk_density, porosity)
    members = {"liquid": soil_moisture, "ice": ice, "temperature": temperature, "clay": clay, "sand": sand,
               "bulk_density": density, "porosity": pores}
    return call_permittivity(dielectric, frozen_of(dielectric, frozen), frequency, members)


def frozen_of(dielectric: str, frozen: str) -> str:
    """Return the treatment of frozen ground, ``none`` where the dielectric model counts the ice itself."""
    if dielectric == "refractive" and frozen in FROZEN:
        return "none"
    return frozen


def complete_soil(bulk_density: ArrayLike | None, porosity: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Return bulk density [kg m-3] and porosity [m3 m-3], each from the other where it is not given."""
    if bulk_density is None and porosity is None:
        bulk_density = 1300.0
    if bulk_density is None:
        return bulk_density_of(porosity), np.asarray(porosity, float)
    density = np.asarray(bulk_density, float)
    return density, 1.0 - density / DENSITY_SOLIDS if porosity is None else np.asarray(porosity, float)


def smooth_reflectivity(permittivity: ArrayLike, angle: ArrayLike) -> np.ndarray:
    """Return the reflectivity of a smooth surface by Fresnel's equations.

    Parameters
    ----------
    permittivity : array_like of complex
        eps' + i eps'' [1], eps' at least 1.
    angle : array_like
        Of incidence [degree], 0 to 85.

    Returns
    -------
    numpy.ndarray
        Shape ``(2, ...)``: horizontal, vertical [1].

    Raises
    ------
    InputError
        If a value cannot be.
    """
    permittivity = np.asarray(permittivity, complex)
    return call_fresnel({"angle": angle, "real_part": permittivity.real, "loss": permittivity.imag})


__all__ = [
    "DENSITY_SOLIDS",
    "DIELECTRICS",
    "FROZEN",
    "L_BAND",
    "bulk_density_of",
    "check_frequency",
    "complete_soil",
    "frozen_of",
    "smooth_reflectivity",
    "soil_permittivity",
]
