"""Boundary to the compiled microwave kernels: named members in, permittivities and brightness temperatures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core import wrapped
from pyland.core.errors import check

DIELECTRICS = {
    "mironov2009": 1, "mironov2013": 2, "wang_schmugge1980": 3, "dobson1985": 4, "peplinski1995": 5, "refractive": 6,
}
FROZEN = {"none": 1, "practical": 2, "mironov2017": 3}
EFFECTIVE = {"surface": 1, "wigneron": 2, "choudhury": 3}

# members in the order of fortran/api/pl_api_microwave.f90
SOIL = ("liquid", "ice", "temperature", "clay", "sand", "bulk_density", "porosity")
SURFACE = ("deep_temperature",)
CANOPY = (
    "angle", "canopy_temperature", "optical_depth_h", "optical_depth_v", "albedo", "rough_dry", "rough_wet", "dry",
    "wet", "mixing", "power_h", "power_v", "open_water", "water_temperature", "sky", "liquid",
)
GROUND = ("reflectivity_h", "reflectivity_v", "ground_temperature_h", "ground_temperature_v")
FRESNEL = ("angle", "real_part", "loss")


def number_of(what: str, names: Mapping[str, int], name: str) -> int:
    """Return the number of an option; raises `InputError` with the names there are."""
    if name not in names:
        raise InputError(f"{what}: expected one of {', '.join(names)}, got {name!r}.")
    return names[name]


def call_permittivity(dielectric: str, frozen: str, frequency: float, members: Mapping[str, ArrayLike]) -> np.ndarray:
    """Permittivity of the ground.

    Parameters
    ----------
    dielectric, frozen : str
        Keys of `DIELECTRICS` and `FROZEN`.
    frequency : float
        [Hz].
    members : Mapping[str, ArrayLike]
        Those of `SOIL`: numbers, or arrays of one shape.

    Returns
    -------
    numpy.ndarray of complex
        eps' + i eps'' [1], of the common shape; NaN where a member is not finite.

    Raises
    ------
    InputError
        If an option does not exist, shapes differ or a value is out of its physical bounds.
    """
    models = number_of("dielectric", DIELECTRICS, dielectric), number_of("frozen", FROZEN, frozen)

    def call(*arguments: np.ndarray) -> tuple[int, bytes]:
        return wrapped.pl_api_microwave.microwave_permittivity(*models, float(frequency), *arguments)

    parts = _call("permittivity", SOIL, members, call)
    return parts[0] + 1j * parts[1]


def call_fresnel(members: Mapping[str, ArrayLike]) -> np.ndarray:
    """Reflectivities [1] of a smooth surface, shape ``(2, ...)``: horizontal, vertical. Members: `FRESNEL`."""
    return _call("reflectivity", FRESNEL, members, wrapped.pl_api_microwave.microwave_fresnel)


def call_emission(
    dielectric: str, frozen: str, effective: str, frequency: float, members: Mapping[str, ArrayLike]
) -> np.ndarray:
    """Brightness temperatures [K] of homogeneous ground under vegetation.

    Parameters
    ----------
    dielectric, frozen, effective : str
        Keys of `DIELECTRICS`, `FROZEN` and `EFFECTIVE`.
    frequency : float
        [Hz].
    members : Mapping[str, ArrayLike]
        Those of `SOIL`, `SURFACE` and `CANOPY`, ``liquid`` once: numbers, or arrays of one shape.

    Returns
    -------
    numpy.ndarray
        Shape ``(2, ...)``: horizontal, vertical [K]; NaN where a member is not finite.

    Raises
    ------
    InputError
        If an option does not exist, shapes differ or a value is out of its physical bounds.
    """
    models = (
        number_of("dielectric", DIELECTRICS, dielectric), number_of("frozen", FROZEN, frozen),
        number_of("effective", EFFECTIVE, effective),
    )

    def call(*arguments: np.ndarray) -> tuple[int, bytes]:
        return wrapped.pl_api_microwave.microwave_emission(*models, float(frequency), *arguments)

    return _call("brightness temperature", SOIL + SURFACE + CANOPY, members, call)


def call_canopy(frequency: float, members: Mapping[str, ArrayLike]) -> np.ndarray:
    """Brightness temperatures [K] above ground of known reflectivity and temperature: `GROUND` and `CANOPY`."""

    def call(*arguments: np.ndarray) -> tuple[int, bytes]:
        return wrapped.pl_api_microwave.microwave_canopy(float(frequency), *arguments)

    return _call("brightness temperature", GROUND + CANOPY, members, call)


def call_layers(
    frequency: float, angle: np.ndarray, permittivity: np.ndarray, thickness: np.ndarray
) -> np.ndarray:
    """Weights of the layers in the brightness of stratified ground.

    Parameters
    ----------
    frequency : float
        [Hz].
    angle : numpy.ndarray, shape (column,)
        Of incidence [degree].
    permittivity : numpy.ndarray of complex, shape (layer, column)
        eps' + i eps'' [1].
    thickness : numpy.ndarray, shape (layer,)
        [m]; the last layer has no bottom.

    Returns
    -------
    numpy.ndarray
        Shape ``(2, layer, column)``: horizontal, vertical [1]; they sum to 1 less the reflectivity.

    Raises
    ------
    InputError
        If shapes differ or a value is out of its physical bounds.
    """
    real_part = np.asfortranarray(permittivity.real.T, dtype=np.float64)
    loss = np.asfortranarray(permittivity.imag.T, dtype=np.float64)
    weights = [np.zeros(real_part.shape, order="F") for _ in range(2)]
    check(*wrapped.pl_api_microwave.microwave_layers(
        float(frequency), np.ascontiguousarray(angle, dtype=np.float64), real_part, loss,
        np.ascontiguousarray(thickness, dtype=np.float64), *weights))
    return np.stack([weight.T for weight in weights])


def _call(what: str, names: Sequence[str], members: Mapping[str, ArrayLike], function: object) -> np.ndarray:
    """Put members into a table, leave out columns that are not finite, and call; shape (2, ...)."""
    missing = [name for name in names if name not in members]
    unknown = [name for name in members if name not in names]
    if missing or unknown:
        raise InputError(
            f"{what}: missing {', '.join(missing) or 'nothing'}, unknown {', '.join(unknown) or 'nothing'}; expected "
            f"{', '.join(dict.fromkeys(names))}.")
    arrays = {name: np.asarray(members[name], dtype=np.float64) for name in dict.fromkeys(names)}
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = {name: array.shape for name, array in arrays.items() if array.ndim}
        raise InputError(f"{what}: expected numbers or arrays whose shapes can be broadcast, got {shapes}.") from None
    count = int(np.prod(shape))
    if count == 0:
        return np.empty((2, *shape))
    varied = [name for name, array in arrays.items() if array.size > 1]
    place = {name: varied.index(name) + 1 if name in varied else 0 for name in arrays}
    constants = np.array([0.0 if place[name] else arrays[name].item() for name in names])
    places = np.array([place[name] for name in names], dtype=np.int32)
    table = np.empty((count, max(len(varied), 1)), order="F")
    table[:, 0] = 0.0  # no member varies: a table of zeros that no member points to
    finite = np.ones(count, dtype=bool)
    for k, name in enumerate(varied):
        table[:, k] = np.broadcast_to(arrays[name], shape).reshape(-1)
        finite &= np.isfinite(table[:, k])
    if not np.isfinite(constants).all():
        finite[:] = False
    result = np.full((2, count), np.nan)
    if finite.all():
        output = np.zeros((count, 2), order="F")
        check(*function(constants, places, table, output))
        result = output.T
    elif finite.any():
        output = np.zeros((int(finite.sum()), 2), order="F")
        check(*function(constants, places, np.asfortranarray(table[finite]), output))
        result[:, finite] = output.T
    return result.reshape(2, *shape)


__all__ = [
    "CANOPY",
    "DIELECTRICS",
    "EFFECTIVE",
    "FRESNEL",
    "FROZEN",
    "GROUND",
    "SOIL",
    "SURFACE",
    "call_canopy",
    "call_emission",
    "call_fresnel",
    "call_layers",
    "call_permittivity",
    "number_of",
]
