"""What eddy-covariance stations observe of the model's types: soil moisture, and surface temperature from longwave.

Fluxes themselves are not assimilated; they are for judging runs (`pyland.diagnose`). Files are ALMA-like netCDF, or
FLUXNET-like text with the averaging interval in TIMESTAMP_START and TIMESTAMP_END.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import QUALITY, USED
from pyland.base.text_columns import TextColumns, read_text_columns
from pyland.observe.observation_table import ObservationTable
from pyland.observe.quantities import quantity_of
from pyland.observe.readers.point_netcdf import number_of, numbers_of, open_points, times_of
from pyland.observe.readers.point_table import checked_place, in_unit, joined_rows, place_number, range_flags

STEFAN_BOLTZMANN = 5.67e-8  # [W m-2 K-4]
EMISSIVITY = 0.97
"""Broadband emissivity of vegetation and soil, within 0.95 and 0.99 (Wilber et al. 1999, NASA/TP-1999-209362) [1]."""

FOOTPRINT_LONGWAVE = 40.0
"""Diameter of the ground that 99 % of the longwave comes from at a sensor 2 m above it [m]: the share from within a
radius r is r2/(r2 + h2), Reifsnyder (1967), Agric. Meteorol. 4, 255-264."""

_MISSING = (-9999.0, -6999.0)
_DEPTH = re.compile(r"_(\d+(?:\.\d+)?)(cm|m)\b")
_TEXT_MOISTURE = re.compile(r"SWC(?:_F_MDS)?_(\d+)(?:_(\d+)_(\d+))?")
_STAMP = "%Y%m%d%H%M"


def read_flux_tower(
    paths: list[Path], *, period: object = None, bounds: object = None, type: str = "soil_moisture",
    variable: str | None = None, depth: tuple[float, float] | Mapping[str, tuple[float, float]] | None = None,
    latitude: float | None = None, longitude: float | None = None, station: str | None = None,
    utc_offset: float | None = None, accepted: tuple[int, ...] = (0,), emissivity: float = EMISSIVITY,
    footprint: float | None = None, sigma: float | None = None,
) -> ObservationTable:
    """Read observations of eddy-covariance stations.

    Parameters
    ----------
    paths : list of Path
        NetCDF files (``.nc``) with ALMA-like names, or text files of FLUXNET's layout.
    period, bounds : optional
        See `pyland.observe.readers.read_product`.
    type : {"soil_moisture", "lst"}
        What to make: soil moisture of all probes, or surface temperature of upward and downward longwave.
    variable : str, optional
        The only probe to read; by default all named SoilMoist* (netCDF) or SWC_*, SWC_F_MDS_* (text).
    depth : tuple of float or mapping of str to tuple, optional
        Top and bottom [m] of the probe, or by name of the column; by default from a name such as SoilMoist_5cm.
    latitude, longitude : float, optional
        [degrees]; by default those of a netCDF file.
    station : str, optional
        Name; by default that of the file.
    utc_offset : float, optional
        Local standard time of a text file minus UTC [h]; FLUXNET writes local standard time, so it is needed there.
    accepted : tuple of int
        Values of ``<variable>_QC`` or ``<variable>_qc`` to use, where there is one; 0 is measured.
    emissivity : float
        Of the surface [1], for ``lst``.
    footprint : float, optional
        Diameter of the seen area [m]; by default 0 of a probe and `FOOTPRINT_LONGWAVE`.
    sigma : float, optional
        Standard deviation of the error [unit of the type]; unknown without it.

    Returns
    -------
    ObservationTable
        A row for every interval and probe, at the middle of the interval; extra ``station`` and ``sensor``.

    Raises
    ------
    InputError
        If variables, depths, place or the offset from UTC are missing, or no value can be.

    Notes
    -----
    The surface emits emissivity sigma T^4 and reflects what it does not absorb of the downward flux:
    T = ((up - (1 - emissivity) down) / (emissivity sigma))^(1/4).
    """
    if type not in ("soil_moisture", "lst"):
        raise InputError(f"flux_tower: type must be soil_moisture or lst, got '{type}'. Fluxes are not assimilated; "
                         "`pyland diagnose` compares them.")
    if not 0.8 <= emissivity <= 1.0:
        raise InputError(f"flux_tower: emissivity must lie between 0.8 and 1, got {emissivity:g}.")
    accepted = tuple(np.atleast_1d(accepted).tolist())
    parts = []
    for path in paths:
        name = station or path.stem
        if path.suffix in (".nc", ".nc4"):
            series, times, place = _of_netcdf(path, type, variable, (latitude, longitude), accepted)
        else:
            series, times, place = _of_text(path, type, variable, (latitude, longitude), utc_offset, accepted)
        at = checked_place(*place, str(path))
        if type == "lst":
            series = _surface_temperature(series, emissivity, path)
        for sensor, (values, good) in series.items():
            top, bottom = _depth_of(sensor, depth, path) if type == "soil_moisture" else (np.nan, np.nan)
            flags = range_flags(values, type, f"{path}: {sensor}")
            flags[~good & (flags == USED)] = QUALITY
            parts.append(ObservationTable(
                "flux tower", type, values, times, at[0], at[1], flag=flags, top=top, bottom=bottom,
                footprint=(FOOTPRINT_LONGWAVE if type == "lst" else 0.0) if footprint is None else footprint,
                location=np.full(values.size, place_number(name)),
                extra={"station": np.full(values.size, name), "sensor": np.full(values.size, sensor)}))
    return joined_rows(parts, period, bounds, sigma=sigma)


def temperature_of_longwave(up: np.ndarray, down: np.ndarray, emissivity: float) -> np.ndarray:
    """Return surface temperature [K] of upward and downward longwave [W m-2]; NaN where nothing is emitted."""
    emitted = up - (1.0 - emissivity) * down
    return np.where(emitted > 0.0, np.maximum(emitted, 0.0) / (emissivity * STEFAN_BOLTZMANN), np.nan) ** 0.25


def _surface_temperature(series: dict[str, tuple[np.ndarray, np.ndarray]], emissivity: float, path: Path,
                         ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    if len(series) != 2:
        raise InputError(f"{path}: surface temperature needs upward and downward longwave; found "
                         f"{', '.join(series) or 'neither'}.")
    (up, good_up), (down, good_down) = series.values()
    return {"longwave": (temperature_of_longwave(up, down, emissivity), good_up & good_down)}


def _of_netcdf(path: Path, kind: str, variable: str | None, place: tuple[float | None, float | None],
               accepted: tuple[int, ...]):
    """Return values and masks of what may be used (time,) by variable, times and place."""
    with open_points(path) as data:
        if kind == "lst":
            names = [next((name for name in choice if name in data.variables), None) for choice in (
                ("LWup", "rlus", "LW_OUT"), ("LWdown", "rlds", "LW_IN"))]
            names = [name for name in names if name]
        else:
            names = [variable] if variable else [
                str(name) for name in data.data_vars
                if re.match(r"SoilMoist", str(name)) and not str(name).lower().endswith("_qc")]
        if not names:
            raise InputError(f"{path}: has no soil moisture (SoilMoist*); there are "
                             f"{', '.join(map(str, data.data_vars))}. Name one with the option variable.")
        series, times = {}, None
        for name in names:
            values, count = numbers_of(data, name, path)
            if count != 1:
                raise InputError(f"{path}: variable '{name}' has {count} places; a station has one.")
            stamps = times_of(data, name, path)
            if times is not None and not np.array_equal(times, stamps):
                raise InputError(f"{path}: variables {', '.join(names)} do not share their times; read them one by "
                                 "one with the option variable.")
            times = stamps
            unit = str(data[name].attrs.get("units", "")) or None
            values = values.ravel()
            values = (in_unit(values, unit, kind, f"{path}: variable '{name}'") if kind == "soil_moisture"
                      else _flux(values, unit, name, path))
            quality = next((one for one in (f"{name}_qc", f"{name}_QC") if one in data.variables), None)
            good = np.ones(values.size, bool) if quality is None else np.isin(data[quality].values.ravel(), accepted)
            series[name] = (values, good)
        step = data.attrs.get("time_step_s")
        label = str(data.attrs.get("time_convention", "start"))
        if re.search(r"\blocal\b", label, re.IGNORECASE):
            raise InputError(f"{path}: time_convention is '{label}', but a table has UTC; shift the times.")
        half = float(step if step is not None else np.median(np.diff(times).astype(np.int64))) / 2.0
        half = -half if re.search(r"\bend", label) and not re.search(r"\bstart", label) else half
        found = tuple(number_of(data, names, 1, given)[0] for names, given in (
            (("latitude", "lat"), place[0]), (("longitude", "lon"), place[1])))
    return series, times + np.timedelta64(round(half), "s"), found


def _of_text(path: Path, kind: str, variable: str | None, place: tuple[float | None, float | None],
             utc_offset: float | None, accepted: tuple[int, ...]):
    """Return values and masks of what may be used (row,) by column, times and place."""
    with path.open("rb") as stream:
        before = next((number for number, line in enumerate(stream) if not line.startswith(b"#")), 0)
    table = read_text_columns(path, header=before + 1)
    for name in ("TIMESTAMP_START", "TIMESTAMP_END"):
        if name not in table.cells:
            raise InputError(f"{path}: has no column {name}; expected the layout of FLUXNET, got "
                             f"{', '.join(list(table.cells)[:8])}.")
    if utc_offset is None:
        raise InputError(f"{path}: times of FLUXNET are local standard time; give the option utc_offset [h], for "
                         "instance 1 in central Europe.")
    start, end = (table.times(name, _STAMP, utc_offset) for name in ("TIMESTAMP_START", "TIMESTAMP_END"))
    if kind == "lst":
        names = [next((name for name in choice if name in table.cells), None) for choice in (
            ("LW_OUT", "LW_OUT_1_1_1"), ("LW_IN_F", "LW_IN_F_MDS", "LW_IN", "LW_IN_1_1_1"))]
        names = [name for name in names if name]
    else:
        names = [variable] if variable else [name for name in table.cells if _TEXT_MOISTURE.fullmatch(name)]
    if not names:
        raise InputError(f"{path}: has no column of soil moisture (SWC_*); the columns are {', '.join(table.cells)}.")
    series = {}
    for name in names:
        values = table.numbers(name, _MISSING)
        if kind == "soil_moisture":
            values = values * quantity_of(kind).factors["vol%"]  # FLUXNET writes percent of volume
        series[name] = (values, _measured(table, name, accepted))
    return series, start + (end - start) // 2, place


def _measured(table: TextColumns, name: str, accepted: tuple[int, ...]) -> np.ndarray:
    if f"{name}_QC" not in table.cells:
        return np.ones(table.size, bool)
    return np.isin(table.numbers(f"{name}_QC", _MISSING), accepted)


def _flux(values: np.ndarray, unit: str | None, name: str, path: Path) -> np.ndarray:
    if unit not in ("W m-2", "W/m2", "W/m^2", "W m^-2"):
        raise InputError(f"{path}: variable '{name}' must be in W m-2, got {unit!r}.")
    return values


def _depth_of(name: str, depth: object, path: Path) -> tuple[float, float]:
    """Return top and bottom of a probe [m]."""
    if isinstance(depth, Mapping):
        if name in depth:
            return _checked_depth(depth[name], name, path)
    elif depth is not None:
        return _checked_depth(depth, name, path)
    found = _DEPTH.search(name)
    if found is None:
        raise InputError(f"{path}: the depth of '{name}' is not known; give the option depth, for instance "
                         f"{{{name}: [0.0, 0.1]}} [m].")
    middle = float(found[1]) * (0.01 if found[2] == "cm" else 1.0)
    return middle, middle


def _checked_depth(given: object, name: str, path: Path) -> tuple[float, float]:
    try:
        top, bottom = (float(one) for one in given)
    except (TypeError, ValueError):
        raise InputError(f"{path}: the depth of '{name}' must be top and bottom [m], got {given!r}.") from None
    if not 0.0 <= top <= bottom:
        raise InputError(f"{path}: the depth of '{name}' must have 0 <= top <= bottom, got {top:g} to {bottom:g} m.")
    return top, bottom
