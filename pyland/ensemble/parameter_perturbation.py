"""Perturbation of soil and plant parameters and of the initial state, once, before the first step.

A field is multiplied by a log-normal factor of mean 1 or shifted by a normal number of mean 0. **All layers of a cell
and member share one number**: an error of a texture map is an error of the whole profile, and independent layers would
average out over the depth that an observation or a root sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.ensemble.noise_shape import DEFAULT_TRUNCATION, MULTIPLY, NoiseShape
from pyland.ensemble.random_fields import RandomField

DEFAULT_BOUNDS = {
    "sand": (0.0, 100.0),               # % of mass
    "clay": (0.0, 100.0),               # % of mass
    "organic": (0.0, 1.0),              # share of the solids; 1 is peat
    "porosity": (0.05, 0.95),           # m3 m-3; compact rock to peat
    "saturated_conductivity": (1e-12, 1e-1),  # m s-1; tight clay to gravel
    "leaf_area_index": (0.0, 12.0),     # 1
    "soil_water": (0.0, 1.0),           # m3 m-3; pass the porosity as bound for a state
    "soil_temperature": (180.0, 350.0),  # K
}
"""Bounds where neither the settings nor the caller give one [unit of the variable]."""

_KEYS = ("kind", "std", "length_scale", "truncation", "minimum", "maximum")


def perturb_parameters(
    settings: Mapping[str, Mapping[str, Any]],
    seed: int,
    members: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    cell_id: np.ndarray,
    parameters: Mapping[str, np.ndarray],
    bounds: Mapping[str, tuple[Any, Any]] | None = None,
    control: bool = False,
) -> dict[str, np.ndarray]:
    """Give each member its own parameters.

    Parameters
    ----------
    settings : mapping
        ``{name: {"kind": "multiply_lognormal" | "add_normal", "std": ..., "length_scale": 0 [m], "truncation": 2.5,
        "minimum": ..., "maximum": ...}}``; ``std`` is relative [1] for ``multiply_lognormal`` and has the unit of the
        parameter for ``add_normal``.
    seed : int
        Seed of the experiment.
    members : array_like of int, shape (member,)
        Global indices of the members.
    x, y, cell_id : array_like, shape (cell,)
        Coordinates [m] and global indices of the cells of this rank.
    parameters : mapping
        Fields of shape ``(cell,)`` or ``(layer, cell)``.
    bounds : mapping, optional
        ``{name: (low, high)}``: numbers or arrays that broadcast to the field or to the result; settings go first.
    control : bool
        Leave member 0 unperturbed.

    Returns
    -------
    dict
        Every field with shape ``(member, cell)`` or ``(layer, member, cell)``; fields that are not perturbed are
        read-only views. If sand or clay is perturbed, both are scaled where they exceed 100 % together.

    Raises
    ------
    InputError
        If a setting names an unknown field or holds an impossible number.
    """
    return _perturb("parameters", settings, seed, members, x, y, cell_id, parameters, bounds or {}, control)


def perturb_initial(
    settings: Mapping[str, Mapping[str, Any]],
    seed: int,
    members: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    cell_id: np.ndarray,
    state: Mapping[str, np.ndarray],
    bounds: Mapping[str, tuple[Any, Any]] | None = None,
    control: bool = False,
) -> dict[str, np.ndarray]:
    """Give each member its own initial state; arguments and result are those of :func:`perturb_parameters`.

    Pass the porosity as the upper bound of ``soil_water`` and the residual water as the lower one.
    """
    return _perturb("initial", settings, seed, members, x, y, cell_id, state, bounds or {}, control)


def _perturb(section: str, settings: Mapping[str, Mapping[str, Any]], seed: int, members: np.ndarray, x: np.ndarray,
             y: np.ndarray, cell_id: np.ndarray, fields: Mapping[str, np.ndarray],
             bounds: Mapping[str, tuple[Any, Any]], control: bool) -> dict[str, np.ndarray]:
    members = np.asarray(members, np.int64)
    ncell = np.size(cell_id)
    noise_fields: dict[float, RandomField] = {}
    unknown = sorted(set(settings) - set(fields))
    if unknown:
        raise InputError(
            f"ensemble.perturb.{section}: '{unknown[0]}' cannot be perturbed; there are {', '.join(sorted(fields))}."
        )
    result = {}
    for name, value in fields.items():
        value = np.asarray(value, float)
        if value.ndim not in (1, 2) or value.shape[-1] != ncell:
            raise InputError(
                f"ensemble.perturb.{section}: '{name}' must have shape (cell,) or (layer, cell) with {ncell} cells, "
                f"got {value.shape}."
            )
        each = value[..., None, :]
        shape = (*value.shape[:-1], members.size, ncell)
        if name not in settings:
            result[name] = np.broadcast_to(each, shape)
            continue
        entry = _checked(f"ensemble.perturb.{section}.{name}", settings[name])
        length = entry["length_scale"]
        if length not in noise_fields:
            noise_fields[length] = RandomField(x, y, cell_id, length)
        noise = noise_fields[length].sample(seed, f"{section}:{name}", members, 0)[0]
        change = entry["shape"].of(noise)
        if control:
            change[members == 0] = entry["shape"].neutral
        changed = each * change if entry["shape"].kind == MULTIPLY else each + change
        low, high = _bounds_of(name, entry, bounds, value.ndim)
        result[name] = np.clip(changed, np.minimum(low, each), np.maximum(high, each))
    if {"sand", "clay"} <= set(fields) and {"sand", "clay"} & set(settings):
        excess = np.maximum((result["sand"] + result["clay"]) / 100.0, 1.0)
        result["sand"], result["clay"] = result["sand"] / excess, result["clay"] / excess
    return result


def _checked(where: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, Mapping) or "std" not in entry or "kind" not in entry:
        raise InputError(f"{where}: expected a mapping with 'kind' and 'std', got {entry!r}.")
    unknown = sorted(set(entry) - set(_KEYS))
    if unknown:
        raise InputError(f"{where}: unknown key '{unknown[0]}'; expected {', '.join(_KEYS)}.")
    shape = NoiseShape.build(where, entry["kind"], entry["std"], entry.get("truncation", DEFAULT_TRUNCATION))
    low, high = entry.get("minimum"), entry.get("maximum")
    if low is not None and high is not None and not low < high:
        raise InputError(f"{where}: minimum {low} must lie below maximum {high}.")
    return {"shape": shape, "length_scale": float(entry.get("length_scale") or 0.0), "minimum": low, "maximum": high}


def _bounds_of(name: str, entry: Mapping[str, Any], bounds: Mapping[str, tuple[Any, Any]],
               ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a field, ready to broadcast with (layer?, member, cell)."""
    low, high = bounds.get(name, DEFAULT_BOUNDS.get(name, (-np.inf, np.inf)))
    ends = []
    for given, fallback in ((entry["minimum"], low), (entry["maximum"], high)):
        end = np.asarray(fallback if given is None else given, float)
        ends.append(end[..., None, :] if end.ndim == ndim else end)
    return ends[0], ends[1]
