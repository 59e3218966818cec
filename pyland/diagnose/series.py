"""Time series of one place under ALMA names: from a station file, from another model, from a pyland history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.diagnose.records import open_file

ALMA_TO_ID = {
    "Qle": "latent_heat_flux",
    "Qh": "sensible_heat_flux",
    "Qg": "ground_heat_flux",
    "Rnet": "net_radiation",
    "SWup": "shortwave_up",
    "LWup": "longwave_up",
    "GPP": "gross_primary_production",
    "NEE": "net_ecosystem_exchange",
    "SWE": "snow_mass",
    "SnowDepth": "snow_depth",
    "SnowRunoff": "ground_water_input",
    "TSurf": "radiative_temperature",
    "Ustar": "friction_velocity",
    "WaterTableDepth": "water_table_depth",
}
"""ALMA names of variables without a vertical axis, and their registry identifiers."""

PROFILE_TO_ID = {"SoilMoist": "soil_water", "SoilTemp": "soil_temperature"}
"""ALMA prefixes of variables at a depth, such as ``SoilMoist_5cm`` or ``SoilMoist_0-10cm``."""

ALBEDO = "Albedo"
"""Not a variable of the model: reflected over incoming shortwave of a day, see ``pyland.diagnose.albedo``."""

Depths = Mapping[str, tuple[float, float]]
"""Top and bottom [m] of variables whose name does not say their depth; equal for a point."""

MOLAR_MASS_CARBON = 12.011e-3
"""Molar mass of carbon [kg mol-1]; IUPAC (2021) standard atomic weights."""

DAILY_MEASURED = 0.4
"""Least measured fraction of a daily value whose quality flag is that fraction [1]."""

_DEPTH = re.compile(r"^(?P<prefix>[A-Za-z]+)_(?P<top>\d+(?:\.\d+)?)(?:-(?P<bottom>\d+(?:\.\d+)?))?cm$")
_NUMBERED = re.compile(r"^(?P<prefix>[A-Za-z]+)_\d+$")
_MICRO = 1.0e6  # micromoles per mole
_FACTORS = {"GPP": _MICRO / MOLAR_MASS_CARBON, "NEE": _MICRO / MOLAR_MASS_CARBON, "SnowRunoff": 86400.0}
"""From the SI unit of pyland to that of station files: umol m-2 s-1 of carbon, kg m-2 per day."""


@dataclass(frozen=True)
class Series:
    """Series of one place.

    Parameters
    ----------
    start : numpy.ndarray of datetime64[s], shape (time,)
        Start of the averaging intervals, UTC.
    step : float
        Length of the intervals [s].
    values : dict of str to numpy.ndarray, shape (time,)
        ALMA name to values in ALMA units; NaN where there is none or where the quality flag rejects it.
    label : str
        Name for tables.
    """

    start: np.ndarray
    step: float
    values: dict[str, np.ndarray] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Station:
    """Observations of one station.

    Parameters
    ----------
    name : str
        Name of the station.
    utc_offset : float
        Local standard time minus UTC [h].
    native : Series
        Observations at the native step.
    daily : Series or None
        Variables that are observed as means of local days (axis ``time_eval``).
    light : numpy.ndarray or None, shape (time,)
        Incoming shortwave at the times of ``native`` [W m-2].
    depths : mapping
        Depth of the variables whose name does not say it, where the file or the caller does.
    """

    name: str
    utc_offset: float
    native: Series
    daily: Series | None = None
    light: np.ndarray | None = None
    depths: Depths = field(default_factory=dict)


def parse_depth(name: str) -> tuple[str, float, float] | None:
    """Split an ALMA name with a depth.

    Parameters
    ----------
    name : str
        Such as ``SoilMoist_5cm`` (a point) or ``SoilTemp_0-10cm`` (a range).

    Returns
    -------
    tuple or None
        Prefix, top and bottom [m] (equal for a point); None for a name without a depth.
    """
    match = _DEPTH.match(name)
    if match is None:
        return None
    top = float(match["top"]) / 100.0
    bottom = float(match["bottom"]) / 100.0 if match["bottom"] else top
    return match["prefix"], top, bottom


def is_scored(name: str) -> bool:
    """Tell whether pyland can compare a variable of this ALMA name."""
    depth, numbered = parse_depth(name), _NUMBERED.match(name)
    prefix = depth[0] if depth is not None else numbered["prefix"] if numbered else ""
    return name in ALMA_TO_ID or name == ALBEDO or prefix in PROFILE_TO_ID


def identifier_of(name: str, depths: Depths | None = None) -> tuple[str, tuple[float, float] | None, float] | None:
    """Return what of the model an ALMA name is.

    Parameters
    ----------
    name : str
        ALMA name.
    depths : mapping, optional
        Depths of numbered variables.

    Returns
    -------
    tuple or None
        Registry id, top and bottom [m] of a variable at a depth, and the factor from the unit of pyland to that of
        station files; None for a name that is no single variable of the model.
    """
    depth = parse_depth(name)
    if depths and name in depths and "_" in name:
        depth = (name.split("_", 1)[0], *depths[name])
    identifier = PROFILE_TO_ID.get(depth[0]) if depth is not None else ALMA_TO_ID.get(name)
    if identifier is None:
        return None
    return identifier, None if depth is None else depth[1:], _FACTORS.get(name, 1.0)


def unit_factor(name: str) -> float:
    """Return what takes a variable of the model to the unit of station files under an ALMA name."""
    return _FACTORS.get(name, 1.0)


def units_of(name: str) -> str:
    """Return the unit of an ALMA name in station files that pyland compares."""
    found = identifier_of(name)
    if name in _FACTORS:
        return "kg m-2 d-1" if name == "SnowRunoff" else "umol m-2 s-1"
    if found is not None:
        return variable(found[0]).units
    prefix = name.split("_")[0]
    return variable(PROFILE_TO_ID[prefix]).units if prefix in PROFILE_TO_ID else "1"


def at_depth(profile: np.ndarray, bounds: np.ndarray, top: float, bottom: float) -> np.ndarray:
    """Take a profile at a depth or over a depth range.

    Parameters
    ----------
    profile : numpy.ndarray, shape (..., layer)
        Layer values, top first.
    bounds : numpy.ndarray, shape (layer, 2)
        Top and bottom of the layers [m].
    top, bottom : float
        Depth range [m]; equal: linear interpolation between the middles of layers, constant above the first middle.

    Returns
    -------
    numpy.ndarray, shape (...)
        Interpolated value, or mean weighted by the overlap of the layers with the range.

    Raises
    ------
    InputError
        If the depth lies below the profile.
    """
    bounds = np.asarray(bounds, dtype=float)
    if bottom > bounds[-1, 1]:
        raise InputError(f"A depth of {bottom} m was asked for; the profile ends at {bounds[-1, 1]:.3g} m.")
    if bottom > top:
        overlap = np.clip(np.minimum(bounds[:, 1], bottom) - np.maximum(bounds[:, 0], top), 0.0, None)
        return profile @ (overlap / overlap.sum())
    middle = bounds.mean(axis=1)
    if len(middle) == 1:
        return profile[..., 0]
    upper = int(np.clip(np.searchsorted(middle, top) - 1, 0, len(middle) - 2))
    weight = np.clip((top - middle[upper]) / (middle[upper + 1] - middle[upper]), 0.0, 1.0)
    return (1.0 - weight) * profile[..., upper] + weight * profile[..., upper + 1]


def read_station(path: str | Path, depths: Depths | None = None) -> Station:
    """Read the observations of an ALMA-like station file.

    Sub-daily values with a quality flag other than 0 are dropped, and daily values of which less than
    ``DAILY_MEASURED`` was measured.

    Parameters
    ----------
    path : str or Path
        File with ``time`` at the start of the intervals [UTC] and the attributes ``utc_offset_h``, ``time_step_s``.
    depths : mapping, optional
        Depths of numbered variables such as ``SoilMoist_1``; they go before the attributes ``depth_m``, or
        ``depth_top_m`` and ``depth_bottom_m``, of the variable.

    Raises
    ------
    InputError
        If the file is not readable or lacks the attributes.
    """
    with open_file(path) as data:
        if "utc_offset_h" not in data.attrs:
            raise InputError(f"{path}: no attribute utc_offset_h, the local time of the station; daily scores need it.")
        start = _times(data["time"])
        step = float(data.attrs.get("time_step_s", _step_of(start, path)))
        label = str(data.attrs.get("site", Path(path).stem))
        names = [str(name) for name in data.data_vars if is_scored(str(name))]
        known = {name: found for name in names if (found := _depth_of(data[name])) is not None}
        light = None
        if "SWdown" in data and data["SWdown"].dims == ("time",):
            light = np.asarray(data["SWdown"].values, dtype=float)
        native = {n: _accepted(data, n, daily=False) for n in names if data[n].dims == ("time",)}
        daily = None
        if "time_eval" in data.dims:
            values = {n: _accepted(data, n, daily=True) for n in names if data[n].dims == ("time_eval",)}
            daily = Series(_times(data["time_eval"]), 86400.0, values, label)
        return Station(label, float(data.attrs["utc_offset_h"]), Series(start, step, native, label), daily, light,
                       {**known, **(depths or {})})


def read_model(path: str | Path, label: str | None = None) -> Series:
    """Read the output of another model with ALMA names and ``time`` at the start of the intervals [UTC]."""
    with open_file(path) as data:
        start = _times(data["time"])
        values = {
            str(name): np.asarray(data[name].values, dtype=float).reshape(len(start))
            for name in data.data_vars
            if is_scored(str(name)) and data[name].dims[:1] == ("time",) and data[name].size == len(start)
        }
        name = label or str(data.attrs.get("model", Path(path).stem)).split(" (")[0]
        return Series(start, _step_of(start, path), values, name)


def read_history(
    path: str | Path, names: Iterable[str], *, cell: int = 0, label: str = "pyland", depths: Depths | None = None
) -> Series:
    """Read one cell of a pyland history under ALMA names.

    Parameters
    ----------
    path : str or Path
        ``history.nc``.
    names : iterable of str
        ALMA names; those that the history does not hold are left out.
    cell : int
        Station, or place in the flattened map.
    label : str
        Name for tables.
    depths : mapping, optional
        Depths of numbered variables, from ``Station.depths``.

    Returns
    -------
    Series
        Ensemble means in ALMA units, stamped with the start of their intervals.
    """
    with open_file(path) as data:
        bounds = data["time_bounds"]
        start = bounds.values[:, 0].astype("datetime64[s]")
        lengths = np.unique(np.diff(bounds.values.astype("datetime64[s]").astype(np.int64), axis=1))
        if len(lengths) == 0:
            raise InputError(f"{path}: the history holds no records.")
        if lengths.min() != lengths.max() and len(start) > 1:
            start, lengths = start[:-1], lengths[-1:]  # a run that ends inside an interval has a short last record
        step = float(lengths.max())
        values = {}
        wanted = dict.fromkeys(names)
        for name in [*wanted, *(["SWup"] if ALBEDO in wanted and "SWup" not in wanted else [])]:
            found = _history_variable(data, name, cell, depths or {})
            if found is not None:
                values[name] = found[: len(start)]
    return Series(start, step, values, label)


def _history_variable(data: xr.Dataset, name: str, cell: int, depths: Depths) -> np.ndarray | None:
    """Return one ALMA variable of a cell of a history, or None if the history lacks it."""
    found = identifier_of(name, depths)
    if found is None or found[0] not in data:
        return None
    identifier, depth, factor = found
    values = _of_cell(data[identifier], cell)
    if depth is not None:
        axis = next(d for d in data[identifier].dims if d not in ("time", "site", "y", "x"))
        return at_depth(values, data[f"{axis}_bounds"].values, *depth)
    return values * factor if factor != 1.0 else values


def _of_cell(variable: xr.DataArray, cell: int) -> np.ndarray:
    """Return a variable of one cell, shape (time, ...)."""
    horizontal = [d for d in variable.dims if d in ("site", "y", "x")]
    others = [d for d in variable.dims if d not in horizontal]
    values = variable.transpose(*others, *horizontal).values
    return values.reshape(*[variable.sizes[d] for d in others], -1)[..., cell].astype(float)


def _depth_of(variable: xr.DataArray) -> tuple[float, float] | None:
    """Return the depth range that the attributes of a variable give [m]."""
    point = variable.attrs.get("depth_m")
    edges = (variable.attrs.get("depth_top_m", point), variable.attrs.get("depth_bottom_m", point))
    if None in edges:
        return None
    return float(edges[0]), float(edges[1])


def _accepted(data: xr.Dataset, name: str, *, daily: bool) -> np.ndarray:
    """Return the values that their quality flag accepts, NaN elsewhere."""
    values = np.array(data[name].values, dtype=float)
    flag = f"{name}_qc"
    if flag in data and data[flag].dims == data[name].dims:
        quality = np.asarray(data[flag].values, dtype=float)
        values[~(quality >= DAILY_MEASURED) if daily else quality != 0] = np.nan
    return values


def _times(variable: xr.DataArray) -> np.ndarray:
    """Return times as whole seconds, rounded: float64 days of some files miss by microseconds."""
    return (variable.values + np.timedelta64(500, "ms")).astype("datetime64[s]")


def _step_of(start: np.ndarray, path: str | Path) -> float:
    """Return the length of the intervals [s]."""
    if len(start) < 2:
        raise InputError(f"{path}: {len(start)} times; a series needs two at least.")
    return float(np.median(np.diff(start).astype(np.int64)))
