"""Weather: files and the generator, checked, in SI units, interpolated to model steps.

Start with `open_forcing`; every source follows `pyland.forcing.protocol.Forcing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.alma import AlmaForcing
from pyland.forcing.climates import CLIMATES, Climate, find_climate
from pyland.forcing.elevation import STANDARD_LAPSE_RATE, ElevationCorrected
from pyland.forcing.file_set import fingerprint_of_set
from pyland.forcing.generator import WeatherGenerator
from pyland.forcing.gridded import GriddedForcing
from pyland.forcing.member_weather import MemberWeather, source_of_member
from pyland.forcing.nldas_pfb import NldasPfbForcing
from pyland.forcing.precipitation_phase import PHASE_METHODS, PrecipitationPhase, wet_bulb_temperature
from pyland.forcing.products import PRODUCTS
from pyland.forcing.protocol import WEATHER_FIELDS, Forcing, check_cover
from pyland.forcing.read_ahead import reading_ahead
from pyland.forcing.regridding import CellPlaces
from pyland.forcing.schedule import RainSchedule
from pyland.forcing.shared_weather import SharedWeather
from pyland.forcing.site import SiteDescription, read_site
from pyland.forcing.solar import SolarGeometry
from pyland.forcing.station_records import StationWeather, read_station_record, station_forcing

FORMATS = ("alma", "generator", "nldas-pfb", *PRODUCTS)
"""Formats that are read."""


def open_forcing(
    format: str,
    *,
    path: str | Path | None = None,
    variables: Mapping[str, str] | None = None,
    cells: Any = None,
    time_label: str | None = None,
    generator: Mapping[str, Any] | None = None,
    latitude: Any = None,
    longitude: Any = None,
    elevation: Any = None,
    x: Any = None,
    y: Any = None,
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
    reference_height: Any = None,
    lapse_rate: float | None = None,
    phase: PrecipitationPhase | None = None,
    shape: tuple[int, int] | None = None,
    record_start: np.datetime64 | None = None,
    first_record: int | None = None,
    prefix: str | None = None,
    regridding: str | None = None,
    cell_size: tuple[Any, Any] | None = None,
) -> Forcing:
    """Open the weather of a case.

    Parameters
    ----------
    format : {"alma", "generator", "nldas-pfb", "era5", "era5-land", "cosmo-rea6", "cmfd"}
        Kind of source; the last four are gridded products.
    path : str or Path, optional
        File; needed by ``alma``. Folder or file; needed by ``nldas-pfb``. Folder, file or pattern; needed by gridded
        products.
    variables : mapping of str to str, optional
        Names in the file by registry id or ALMA name; for a gridded product by its quantities.
    cells : sequence of int, optional
        Cells of the file that belong to this rank; ``alma`` and ``nldas-pfb`` only.
    time_label : {"start", "end"}, optional
        What the time stamps of the file mark; ``alma`` only, by default the file says so.
    generator : mapping, optional
        ``climate``, ``seed``, ``annual_precipitation``, ``precipitation_elevation``; ``generator`` only.
    latitude, longitude : array_like, optional
        Places of the cells [degrees]; by default those of the file for ``alma``, needed by all others.
    elevation : array_like, optional
        Elevation of the cells [m]; needed by ``generator``, and by files with ``lapse_rate``.
    x, y : array_like, optional
        Positions of the cells on a plane [m]; for ``generator``, by default all at one point. A file knows the
        places of its weather, so ``alma`` has no use for them.
    start, end : numpy.datetime64, optional
        Period that will be asked for, UTC: needed by ``generator``; checked against the files for the others.
    reference_height : float or array_like, optional
        Height of the forcing level above ground [m]; by default that of the file for ``alma``, else 10 m; gridded
        products bring their wind to another one.
    lapse_rate : float, optional
        Decrease of temperature with height [K m-1]. Files: carries the weather from the elevation in the file to
        ``elevation`` (no correction by default). ``generator``: that of the atmosphere it makes (0.0065 by default).
    phase : PrecipitationPhase, optional
        Rule for rain and snow; by default that of the source, a ramp of air temperature where it has the total alone.
    shape : tuple of int, optional
        Rows and columns of the domain; needed by ``nldas-pfb``.
    record_start : numpy.datetime64, optional
        Start of the hour of the first record, UTC; ``nldas-pfb`` only, ``start`` by default.
    first_record : int, optional
        Number of that record; ``nldas-pfb`` only, 1 by default.
    prefix : str, optional
        What names of files begin with; ``nldas-pfb`` only, by default the only one there is.
    regridding : {"bilinear", "conservative", "nearest"}, optional
        From the points of a gridded product to the cells; bilinear by default.
    cell_size : tuple of float or array_like, optional
        Width of the cells from west to east and from south to north [m]; needed by ``conservative``.

    Returns
    -------
    Forcing
        Source with ``weather(start, dt)``.

    Raises
    ------
    InputError
        If an argument is missing or belongs to another format, or the file is not as expected.
    """
    records = {"shape": shape, "record_start": record_start, "first_record": first_record, "prefix": prefix}
    if format == "nldas-pfb":
        _refuse(format, generator=generator, variables=variables, time_label=time_label, lapse_rate=lapse_rate)
        return _open_records(path, latitude, longitude, cells, start, end, reference_height, phase, records)
    _refuse(format, **records)
    if format == "alma":
        _refuse(format, generator=generator, regridding=regridding)
        if path is None:
            raise InputError("forcing.path is needed for forcing.format 'alma'")
        station = AlmaForcing(
            path, latitude, longitude, reference_height, variables, cells, time_label=time_label, phase=phase)
        return _covering(_at_elevation(
            station, station.elevation, elevation, lapse_rate,
            f"{path}: forcing.lapse_rate needs the elevation that the weather stands for, but the file has none; add "
            "an attribute or variable elev_m [m], or remove forcing.lapse_rate"), start, end)
    if format in PRODUCTS:
        _refuse(format, generator=generator, time_label=time_label, cells=cells)
        missing = [name for name, value in (("path", path), ("latitude", latitude), ("longitude", longitude))
                   if value is None]
        if missing:
            raise InputError(f"forcing.format '{format}' needs {', '.join(missing)}")
        if regridding == "conservative" and cell_size is None:
            raise InputError("forcing.regridding 'conservative' needs the size of the cells")
        places = CellPlaces(
            *np.broadcast_arrays(*(np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in (latitude, longitude))),
            cell_size or (0.0, 0.0))
        gridded = GriddedForcing(
            format, path, places, regridding=regridding or "bilinear", variables=variables,
            reference_height=reference_height, phase=phase, start=start, end=end)
        return _covering(_at_elevation(
            gridded, gridded.source_elevation, elevation, lapse_rate,
            f"{path}: forcing.lapse_rate needs the elevation that the weather stands for, but no file has it "
            f"({gridded.elevation_names()}); put it beside the other files, or remove forcing.lapse_rate"), start, end)
    if format == "generator":
        _refuse(format, path=path, variables=variables, cells=cells, time_label=time_label, regridding=regridding)
        return _open_generator(
            dict(generator or {}), latitude, longitude, elevation, x, y, start, end, reference_height, lapse_rate,
            phase)
    raise InputError(f"forcing.format: '{format}' is not known; expected one of {', '.join(FORMATS)}")


def _refuse(format: str, **arguments: Any) -> None:
    given = [name for name, value in arguments.items() if value is not None and not _is_empty(value)]
    if given:
        raise InputError(f"forcing.{given[0]} has no meaning for forcing.format '{format}'; remove it")


def _is_empty(value: Any) -> bool:
    return isinstance(value, Mapping) and not value


def _covering(forcing: Forcing, start: np.datetime64 | None, end: np.datetime64 | None) -> Forcing:
    """Return the forcing if it covers the period, where one is given."""
    if start is not None and end is not None:
        check_cover(forcing, start, end)
    return forcing


def _at_elevation(
    source: Forcing, source_elevation: np.ndarray | None, elevation: Any, lapse_rate: float | None, without: str
) -> Forcing:
    """Carry weather to the elevation of the cells, if a lapse rate is given; ``without`` is the error if it cannot."""
    if lapse_rate is None:
        return source
    if source_elevation is None:
        raise InputError(without)
    if elevation is None:
        raise InputError("forcing.lapse_rate needs domain.elevation, the elevation of the cells [m]")
    return ElevationCorrected(source, source_elevation, np.asarray(elevation, dtype=np.float64), lapse_rate)


def _open_records(
    path: str | Path | None,
    latitude: Any,
    longitude: Any,
    cells: Any,
    start: np.datetime64 | None,
    end: np.datetime64 | None,
    reference_height: Any,
    phase: PrecipitationPhase | None,
    records: dict[str, Any],
) -> NldasPfbForcing:
    begin = start if records["record_start"] is None else records["record_start"]
    needed = {"path": path, "latitude": latitude, "longitude": longitude, "cells": cells, "shape": records["shape"],
              "record_start": begin}
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise InputError(f"forcing.format 'nldas-pfb' needs {', '.join(missing)}")
    forcing = NldasPfbForcing(
        path, latitude, longitude, records["shape"], cells, begin,
        first_record=1 if records["first_record"] is None else records["first_record"], prefix=records["prefix"],
        until=end, reference_height=reference_height, phase=phase)  # fmt: skip
    if start is not None and end is not None:
        check_cover(forcing, start, end)
    return forcing


def _open_generator(
    options: dict[str, Any],
    latitude: Any,
    longitude: Any,
    elevation: Any,
    x: Any,
    y: Any,
    start: np.datetime64 | None,
    end: np.datetime64 | None,
    reference_height: Any,
    lapse_rate: float | None,
    phase: PrecipitationPhase | None,
) -> WeatherGenerator:
    needed = {"latitude": latitude, "longitude": longitude, "elevation": elevation, "start": start, "end": end}
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise InputError(f"the weather generator needs {', '.join(missing)}")
    unknown = set(options) - {"climate", "seed", "annual_precipitation", "precipitation_elevation"}
    if unknown:
        raise InputError(
            f"forcing.generator: {', '.join(sorted(unknown))} not known; expected climate "
            f"({', '.join(CLIMATES)}), seed, annual_precipitation and precipitation_elevation"
        )
    ncell = max(np.size(latitude), np.size(longitude), np.size(elevation))
    keywords: dict[str, Any] = {"phase": phase}
    if reference_height is not None:
        keywords["reference_height"] = reference_height
    if lapse_rate is not None:
        keywords["lapse_rate"] = lapse_rate
    return WeatherGenerator(
        latitude, longitude, elevation,
        np.zeros(ncell) if x is None else x, np.zeros(ncell) if y is None else y,
        start, end, **options, **keywords)  # fmt: skip


__all__ = [
    "CLIMATES",
    "FORMATS",
    "PHASE_METHODS",
    "PRODUCTS",
    "STANDARD_LAPSE_RATE",
    "WEATHER_FIELDS",
    "AlmaForcing",
    "CellPlaces",
    "Climate",
    "ElevationCorrected",
    "Forcing",
    "NldasPfbForcing",
    "GriddedForcing",
    "MemberWeather",
    "PrecipitationPhase",
    "RainSchedule",
    "SharedWeather",
    "SiteDescription",
    "SolarGeometry",
    "StationWeather",
    "WeatherGenerator",
    "check_cover",
    "find_climate",
    "fingerprint_of_set",
    "open_forcing",
    "read_site",
    "read_station_record",
    "reading_ahead",
    "source_of_member",
    "station_forcing",
    "wet_bulb_temperature",
]
