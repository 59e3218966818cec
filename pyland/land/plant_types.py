"""Parameters of plant functional types and of soil colours, from ``plant_types.yaml``."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

import yaml

from pyland.base.errors import InputError

__all__ = ["PLANT_FIELDS", "plant_parameters", "plant_type_names", "soil_colour_albedo"]

PLANT_FIELDS = (
    "leaf_angle", "leaf_reflectance_vis", "leaf_reflectance_nir", "leaf_transmittance_vis", "leaf_transmittance_nir",
    "stem_reflectance_vis", "stem_reflectance_nir", "stem_transmittance_vis", "stem_transmittance_nir",
    "roughness_ratio", "displacement_ratio", "leaf_dimension", "vcmax25_top", "is_c4", "psi_open", "psi_closed",
)
"""Plant parameters that go to the core under their own name."""

_LABELS = ("number", "title")


@cache
def _read_tables() -> dict[str, dict[Any, dict[str, Any]]]:
    text = resources.files("pyland.land").joinpath("plant_types.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def plant_type_names() -> list[str]:
    """Names of the plant functional types, in the order of their CLM numbers (the first is number 1)."""
    return list(_read_tables()["plant_types"])


def plant_parameters(plant_type: str | int, **overrides: float) -> dict[str, float]:
    """Return the parameters of a plant functional type.

    Parameters
    ----------
    plant_type : str or int
        Name (see `plant_type_names`) or CLM number from 1, for instance 13 for ``c3_grass``.
    **overrides : float
        Values that replace those of the table; ``canopy_top`` alone scales ``canopy_bottom`` with it.

    Returns
    -------
    dict[str, float]
        Optical properties (``leaf_angle``, ``leaf_reflectance_vis`` ... ``stem_transmittance_nir``) [1],
        ``canopy_top``, ``canopy_bottom`` [m], ``roughness_ratio``, ``displacement_ratio`` [1], ``leaf_dimension`` [m],
        ``vcmax25_top`` [umol m-2 s-1], ``is_c4`` (1 or 0), ``medlyn_slope`` [kPa^0.5] and ``medlyn_intercept``
        [umol m-2 s-1] with their ``_clm6`` alternative, ``ball_berry_slope`` [1] and ``ball_berry_intercept``
        [umol m-2 s-1], ``psi_open`` and ``psi_closed`` [m], ``root_beta`` [1], ``specific_leaf_area`` [m2 kg-1],
        ``root_leaf_ratio``, ``live_wood_share`` [1], ``plant_turnover`` [year-1].

    Raises
    ------
    InputError
        If the type or an override is unknown, or if a value is impossible; the message lists what there is.
    """
    table = _read_tables()["plant_types"]
    name = _find_name(plant_type, table)
    parameters = {key: float(value) for key, value in table[name].items() if key not in _LABELS}
    unknown = sorted(set(overrides) - set(parameters))
    if unknown:
        raise InputError(
            f"plant type {name}: no parameter named {', '.join(map(repr, unknown))}; "
            f"choose among {', '.join(parameters)}")
    for key, value in overrides.items():
        try:
            parameters[key] = float(value)
        except (TypeError, ValueError) as error:
            raise InputError(f"plant type {name}: {key} must be a number, got {value!r}") from error
    if "canopy_top" in overrides and "canopy_bottom" not in overrides:  # a plant of another height keeps its shape
        parameters["canopy_bottom"] *= parameters["canopy_top"] / float(table[name]["canopy_top"])
    _check_values(name, parameters)
    return parameters


def _find_name(plant_type: str | int, table: dict[str, dict[str, Any]]) -> str:
    names = list(table)
    if isinstance(plant_type, str) and plant_type in table:
        return plant_type
    text = str(plant_type).strip()
    if not isinstance(plant_type, bool) and text.isdecimal() and 1 <= int(text) <= len(names):
        return names[int(text) - 1]
    close = get_close_matches(text.lower(), names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise InputError(
        f"unknown plant type {plant_type!r}.{hint} "
        f"Give a CLM number from 1 to {len(names)} or one of: {', '.join(names)}")


def _check_values(name: str, parameters: dict[str, float]) -> None:
    problems = [f"{key} = {value} is not finite" for key, value in parameters.items() if not abs(value) < float("inf")]
    for part in ("leaf", "stem"):
        for band in ("vis", "nir"):
            reflectance = parameters[f"{part}_reflectance_{band}"]
            transmittance = parameters[f"{part}_transmittance_{band}"]
            if not (reflectance >= 0.0 and transmittance >= 0.0 and reflectance + transmittance < 1.0):
                problems.append(f"{part} reflectance {reflectance} and transmittance {transmittance} ({band}) "
                                "must not be negative and must add up to less than 1")
    for key in ("canopy_top", "roughness_ratio", "displacement_ratio", "leaf_dimension", "vcmax25_top",
                "specific_leaf_area", "root_leaf_ratio", "plant_turnover"):
        if not parameters[key] > 0.0:
            problems.append(f"{key} = {parameters[key]} must be positive")
    if not 0.0 <= parameters["canopy_bottom"] < parameters["canopy_top"]:
        problems.append(f"canopy_bottom = {parameters['canopy_bottom']} m must lie below "
                        f"canopy_top = {parameters['canopy_top']} m")
    if parameters["is_c4"] not in (0.0, 1.0):
        problems.append(f"is_c4 = {parameters['is_c4']} must be 0 or 1")
    if not parameters["psi_closed"] < parameters["psi_open"] <= 0.0:
        problems.append(f"psi_closed = {parameters['psi_closed']} m must lie below "
                        f"psi_open = {parameters['psi_open']} m <= 0")
    if not 0.0 < parameters["root_beta"] < 1.0:
        problems.append(f"root_beta = {parameters['root_beta']} must lie between 0 and 1")
    if not 0.0 <= parameters["live_wood_share"] <= 1.0:
        problems.append(f"live_wood_share = {parameters['live_wood_share']} must lie between 0 and 1")
    if problems:
        raise InputError(f"plant type {name}: " + "; ".join(problems))


def soil_colour_albedo(colour: int) -> dict[str, float]:
    """Return the albedo of a soil colour class.

    Parameters
    ----------
    colour : int
        CLM colour class, 1 (light) to 20 (dark).

    Returns
    -------
    dict[str, float]
        ``dry_vis``, ``dry_nir``, ``saturated_vis``, ``saturated_nir`` [1].

    Raises
    ------
    InputError
        If the class is not among 1 to 20.
    """
    table = _read_tables()["soil_colours"]
    if isinstance(colour, bool) or colour not in table:
        raise InputError(
            f"unknown soil colour {colour!r}: expected a whole number from 1 (light) to {max(table)} (dark)")
    return {key: float(value) for key, value in table[int(colour)].items()}
