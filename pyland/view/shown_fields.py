"""Fields of a run as figures show them: one variable, statistic and layer, in the units that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.registry import is_variable, variable
from pyland.base.text import suggestion
from pyland.diagnose.records import open_file
from pyland.view import style

SECONDS_OF_A_DAY = 86400.0
MELTING_POINT = 273.15

HORIZONTAL = ("y", "x", "site")

_SPREADS = ("std", "increment", "anomaly")
_COLOURS = {"soil_water": "viridis_r", "precipitation": "YlGnBu", "snow_mass": "Blues", "snow_depth": "Blues"}


@dataclass(frozen=True)
class Choice:
    """What is shown of a run.

    Attributes
    ----------
    variable : str
        Registry id.
    statistic : str
        ``mean``, or what the file has beside it: ``std``, ``min``, ``max``, ``median``, ``p05``, ...
    layer : int or None
        Layer, thermal layer or patch from 1; None is the first.
    """

    variable: str
    statistic: str = "mean"
    layer: int | None = None

    @property
    def name(self) -> str:
        """Name in the file."""
        return self.variable if self.statistic == "mean" else f"{self.variable}_{self.statistic}"


def open_lazily(path: str | Path) -> xr.Dataset:
    """Open a file whose values are read when they are asked for.

    Raises
    ------
    InputError
        If it is missing or damaged, or has no record.
    """
    data = open_file(path, "run the case first")
    if data.sizes.get("time", 1) == 0:
        raise InputError(f"{path}: the file holds no record.")
    return data


def field_of(data: xr.Dataset, choice: Choice, where: str | Path) -> xr.DataArray:
    """Return a field (time, y, x) or (time, site) with one layer, values as in the file.

    Raises
    ------
    InputError
        If the variable, its statistic or the layer is not there.
    """
    if choice.name not in data:
        raise InputError(f"{where}: it has no '{choice.name}'{_what_is_there(data, choice)}")
    field = data[choice.name]
    axis = layer_axis(field)
    if axis is None:
        if choice.layer not in (None, 1):
            raise InputError(f"{where}: '{choice.variable}' has no layers; leave --layer out.")
        return field
    layer = 1 if choice.layer is None else choice.layer
    if not 1 <= layer <= field.sizes[axis]:
        raise InputError(f"{where}: '{choice.variable}' has {field.sizes[axis]} layers, got --layer {layer}.")
    return field.isel({axis: layer - 1})


def layer_axis(field: xr.DataArray) -> str | None:
    """Return the dimension of layers or patches of a field."""
    return next((str(one) for one in field.dims if one not in ("time", "analysis", *HORIZONTAL)), None)


def layer_words(data: xr.Dataset, choice: Choice) -> str:
    """Return what a layer is called in a title: its depth range, the number of a patch, or nothing."""
    axis = layer_axis(data[choice.name])
    if axis is None:
        return ""
    number = 1 if choice.layer is None else choice.layer
    if f"{axis}_bounds" in data:
        top, bottom = data[f"{axis}_bounds"].values[number - 1]
        return f", {100.0 * top:.3g}–{100.0 * bottom:.3g} cm"
    return f", {axis} {number}"


def people_units(values: np.ndarray, units: str, statistic: str = "mean") -> tuple[np.ndarray, str]:
    """Return values and their unit as figures write it: water fluxes in mm per day, temperatures in degrees Celsius.

    Parameters
    ----------
    values : numpy.ndarray
        In ``units``.
    units : str
        Unit of the file.
    statistic : str
        A spread or a difference of temperatures stays in kelvin.
    """
    if units == "kg m-2 s-1":
        return values * SECONDS_OF_A_DAY, r"mm d$^{-1}$"
    if units == "K" and statistic not in _SPREADS:
        return values - MELTING_POINT, "°C"
    return values, style.unit_sign(units)


def long_name(identifier: str, attrs: dict[str, Any] | None = None) -> str:
    """Return the words for a variable, with a capital."""
    words = variable(identifier).long_name if is_variable(identifier) else (attrs or {}).get("long_name", identifier)
    return words[:1].upper() + words[1:]


def colours_of(identifier: str, statistic: str) -> str:
    """Return the palette of a variable; all of them are told apart by colour-blind readers."""
    if statistic in ("increment", "anomaly"):
        return "RdBu"
    return "magma_r" if statistic == "std" else _COLOURS.get(identifier, "viridis")


def times_of(data: xr.Dataset, wanted: Sequence[np.datetime64], count: int) -> list[int]:
    """Return the records of wanted instants, the nearest each, or ``count`` records spread over the run.

    Raises
    ------
    InputError
        If an instant lies outside the run.
    """
    times = data["time"].values
    if not len(wanted):
        return sorted({round(place) for place in np.linspace(0, len(times) - 1, min(count, len(times)))})
    out = []
    for instant in wanted:
        step = np.median(np.diff(times)) if len(times) > 1 else np.timedelta64(1, "D")
        if not times[0] - step <= instant <= times[-1] + step:
            raise InputError(
                f"--time {instant}: the run has records from {str(times[0])[:16]} to {str(times[-1])[:16]}.")
        out.append(int(np.argmin(np.abs(times - instant))))
    return out


def cell_of(data: xr.Dataset, place: tuple[float, float] | None) -> tuple[int, float, float]:
    """Return the place in the flattened map nearest to (latitude, longitude), and where it is.

    Without a place it is the active cell nearest to the middle.

    Raises
    ------
    InputError
        If the place lies outside the domain, farther than a cell from every cell.
    """
    latitude, longitude = (np.asarray(data[name].values, dtype=float).ravel() for name in ("latitude", "longitude"))
    if place is None:
        place = float(np.nanmean(latitude)), float(np.nanmean(longitude))
        is_given = False
    else:
        is_given = True
    distance = np.hypot(latitude - place[0], (longitude - place[1]) * np.cos(np.radians(place[0])))
    nearest = int(np.nanargmin(distance))
    if is_given and latitude.size > 1:
        others = np.hypot(latitude - latitude[nearest],
                          (longitude - longitude[nearest]) * np.cos(np.radians(place[0])))
        width = np.sort(others[np.isfinite(others)])[1]
        if distance[nearest] > width:
            raise InputError(
                f"--at {place[0]:g},{place[1]:g}: outside the domain, which reaches from {np.nanmin(latitude):.3f} to "
                f"{np.nanmax(latitude):.3f} degrees north and {np.nanmin(longitude):.3f} to "
                f"{np.nanmax(longitude):.3f} degrees east.")
    return nearest, float(latitude[nearest]), float(longitude[nearest])


def at_cell(field: xr.DataArray, cell: int) -> np.ndarray:
    """Return the values of one cell, other axes first."""
    dims = [d for d in field.dims if d in HORIZONTAL]
    shape = [field.sizes[d] for d in dims]
    place = dict(zip(dims, (int(n) for n in np.unravel_index(cell, shape)), strict=True))
    return field.isel(place).values


def _what_is_there(data: xr.Dataset, choice: Choice) -> str:
    """Return a sentence on what the file has instead."""
    if choice.variable in data:
        others = sorted(str(name).removeprefix(f"{choice.variable}_") for name in data.data_vars
                        if str(name).startswith(f"{choice.variable}_"))
        return f"; of {choice.variable} it has mean{''.join(f', {one}' for one in others)}. See output.statistics."
    names = sorted(str(name) for name in data.data_vars if is_variable(str(name)))
    return f"{suggestion(choice.variable, names) or '.'} It has {', '.join(names)}; add it to output.variables."
