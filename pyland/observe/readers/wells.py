"""Depths of the water table in wells, from text files and netCDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.observation_reasons import QUALITY, USED
from pyland.base.text_layout import Column, TextLayout
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.point_netcdf import number_of, numbers_of, open_points, place_names, times_of
from pyland.observe.readers.point_table import checked_place, in_unit, joined_rows, place_number, range_flags

_KNOWN = ("depth", "level", "ground", "latitude", "longitude", "well", "quality")

WELL_LAYOUTS = MappingProxyType({
    "wells": TextLayout(time=("time",), columns={
        "depth": Column(("depth",), "m"), "level": Column(("level",), "m"), "ground": Column(("ground",), "m"),
        "latitude": Column(("latitude",), "degree"), "longitude": Column(("longitude",), "degree"),
        "well": Column(("well",)), "quality": Column(("quality",)),
    }),
})
"""Layouts with a name: columns time, depth (below the ground) or level and ground (above a datum), latitude, longitude,
well and quality."""


def read_wells(
    paths: list[Path], *, period: object = None, bounds: object = None, layout: object = "wells",
    variable: str | None = None, latitude: float | None = None, longitude: float | None = None,
    ground: float | None = None, well: str | None = None, utc_offset: float | None = None,
    accepted: tuple[str, ...] | None = None, sigma: float | None = None,
) -> ObservationTable:
    """Read water levels of wells as depths below the ground.

    Parameters
    ----------
    paths : list of Path
        Text files, or netCDF files (``.nc``) with a variable over ``(time)``, ``(time, well)`` or ``(well, time)``.
    period, bounds : optional
        See `pyland.observe.readers.read_product`.
    layout : str, Path, mapping or TextLayout
        Of text files: one of `WELL_LAYOUTS`, a YAML file or a mapping with the quantities ``depth`` (below the ground)
        or ``level`` and ``ground`` (above a datum), ``latitude``, ``longitude``, ``well``, ``quality``.
    variable : str, optional
        Of netCDF files; by default the one with the standard name ``water_table_depth`` or
        ``water_surface_height_above_reference_datum``, or named WaterTableDepth, water_table_depth, depth or level. It
        is a level if its standard name holds "above", or its name "level".
    latitude, longitude : float, optional
        Of the well [degrees] where the file is silent.
    ground : float, optional
        Height of the ground above the datum of the levels [m] where the file is silent.
    well : str, optional
        Its name; that of the file by default.
    utc_offset : float, optional
        Local standard time of a text file minus UTC [h].
    accepted : tuple of str, optional
        Words of ``quality`` to use; all by default.
    sigma : float, optional
        Standard deviation of the error [m]; unknown without it.

    Returns
    -------
    ObservationTable
        Type ``groundwater`` [m], positive downward; negative where water stands above the ground; extra ``well``.

    Raises
    ------
    InputError
        If place, unit or ground is missing, or no depth can be.
    """
    about = {"latitude": latitude, "longitude": longitude, "ground": ground}
    words = None if accepted is None else ((accepted,) if isinstance(accepted, str) else tuple(accepted))
    parts = []
    for path in paths:
        if path.suffix in (".nc", ".nc4"):
            parts.append(_of_netcdf(path, variable, about, well))
        else:
            parts.append(_of_text(path, TextLayout.of(layout, WELL_LAYOUTS, _KNOWN), about, well, utc_offset, words))
    return joined_rows(parts, period, bounds, sigma=sigma)


def depth_of_level(level: np.ndarray, ground: np.ndarray, where: str) -> np.ndarray:
    """Return depth below the ground [m] of levels above a datum [m], shape (row,).

    Raises
    ------
    InputError
        If the height of the ground is not known.
    """
    if not np.isfinite(ground).all():
        raise InputError(f"{where}: levels stand above a datum, so the height of the ground above the same datum is "
                         "needed. Give it as a column or variable, or with the option ground [m].")
    return ground - level


def _of_text(path: Path, plan: TextLayout, about: Mapping[str, float | None], well: str | None,
             utc_offset: float | None, accepted: tuple[str, ...] | None) -> ObservationTable:
    table = plan.read(path)
    where = str(path)
    numbers = {}
    for quantity in ("latitude", "longitude", "ground"):
        if plan.has(table, quantity):
            numbers[quantity] = plan.values(table, quantity, "m" if quantity == "ground" else "degree")
        else:
            given = about[quantity]
            numbers[quantity] = np.full(table.size, np.nan if given is None else float(given))
    if plan.has(table, "depth"):
        depth = _in_metres(plan, table, "depth")
    elif plan.has(table, "level"):
        depth = depth_of_level(_in_metres(plan, table, "level"), numbers["ground"], where)
    else:
        raise InputError(f"{where}: has neither a column of depth nor of level that the layout names; the columns are "
                         f"{', '.join(table.cells)}.")
    if plan.has(table, "well"):
        names = table.texts(plan.columns["well"].names[0])
    else:
        names = np.full(table.size, well or path.stem)
    flags = range_flags(depth, "groundwater", where)
    if accepted is not None:
        if not plan.has(table, "quality"):
            raise InputError(f"{where}: accepted names words of a quality column, but the file has none.")
        flags[~np.isin(table.texts(plan.columns["quality"].names[0]), accepted) & (flags == USED)] = QUALITY
    places = {name: checked_place(float(numbers["latitude"][row]), float(numbers["longitude"][row]),
                                  f"{where}: well '{name}'")
              for name, row in zip(*_first_rows(names), strict=True)}
    kinds, kind = np.unique(names, return_inverse=True)
    return _table(depth, plan.times(table, utc_offset), flags, np.array([places[one] for one in kinds.tolist()])[kind],
                  names)


def _in_metres(plan: TextLayout, table: object, quantity: str) -> np.ndarray:
    name = plan.columns[quantity].names[0]
    return in_unit(table.numbers(name, plan.missing), plan.unit_of(table, quantity, name), "groundwater",
                   f"{table.path}: column '{name}'")


def _first_rows(names: np.ndarray) -> tuple[list[str], list[int]]:
    kinds, rows = np.unique(names, return_index=True)
    return kinds.tolist(), rows.tolist()


def _of_netcdf(path: Path, variable: str | None, about: Mapping[str, float | None], well: str | None,
               ) -> ObservationTable:
    with open_points(path) as data:
        name = variable or _find(data, path)
        values, count = numbers_of(data, name, path)
        times = times_of(data, name, path)
        unit = str(data[name].attrs.get("units", "")) or None
        values = in_unit(values, unit, "groundwater", f"{path}: variable '{name}'")
        latitude, longitude, ground = (number_of(data, names, count, about[quantity]) for quantity, names in (
            ("latitude", ("latitude", "lat")), ("longitude", ("longitude", "lon")),
            ("ground", ("ground", "ground_elevation", "surface_altitude", "elevation"))))
        words = place_names(data, data[name], count, well or path.stem)
        if _is_level(data[name], name):
            values = depth_of_level(values, np.broadcast_to(ground, values.shape), f"{path}: variable '{name}'")
    flags = range_flags(values.ravel(), "groundwater", f"{path}: variable '{name}'")
    places = np.array([checked_place(float(a), float(b), f"{path}: well '{word}'")
                       for a, b, word in zip(latitude, longitude, words, strict=True)])
    which = np.tile(np.arange(count), times.size)
    return _table(values.ravel(), np.repeat(times, count), flags, places[which], words[which])


def _find(data: xr.Dataset, path: Path) -> str:
    wanted = [str(name) for name, one in data.data_vars.items()
              if one.attrs.get("standard_name") in ("water_table_depth", "water_surface_height_above_reference_datum")]
    wanted += [name for name in ("WaterTableDepth", "water_table_depth", "depth", "level") if name in data.data_vars]
    if not wanted:
        raise InputError(f"{path}: no variable is known as a depth or level of ground water; name one with the option "
                         f"variable. There are {', '.join(map(str, data.data_vars))}.")
    return wanted[0]


def _is_level(variable: xr.DataArray, name: str) -> bool:
    standard = str(variable.attrs.get("standard_name", ""))
    return "above" in standard or (standard != "water_table_depth" and "level" in name.lower())


def _table(depth: np.ndarray, times: np.ndarray, flags: np.ndarray, places: np.ndarray, names: np.ndarray,
           ) -> ObservationTable:
    """Return the table of some wells, places with shape (row, 2)."""
    kinds, kind = np.unique(names, return_inverse=True)
    return ObservationTable("wells", "groundwater", depth, times, places[:, 0], places[:, 1], flag=flags,
                            location=np.array([place_number(one) for one in kinds.tolist()])[kind],
                            extra={"well": names})
