"""File of an offline analysis: the ensemble as it was given, analysed, with statistics, increments and observations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.assimilate.observation_departures import TypeDepartures
from pyland.base.errors import InputError
from pyland.base.observation_reasons import flag_attributes
from pyland.driver.offline.offline_ensemble import DERIVED, OfflineEnsemble, StateVariable
from pyland.driver.offline.offline_observations import ObservationTable
from pyland.output.atomic import complete_file

_PACKING = ("scale_factor", "add_offset", "valid_min", "valid_max", "valid_range", "missing_value", "_FillValue")
_FILL = 9.969209968386869e36  # NC_FILL_FLOAT: fits float32 and float64

_STATISTICS = {
    # suffix: long name; standard deviations divide by N - 1
    "mean": "ensemble mean of the analysis of ",
    "std": "ensemble standard deviation of the analysis of ",
    "std_prior": "ensemble standard deviation before the analysis of ",
    "increment": "change of the ensemble mean by the analysis of ",
}

_DEPARTURES = {
    # name in the file: (attribute, long name)
    "value": ("values", "observed value"),
    "error": ("error", "standard deviation of the observation error"),
    "prior_mean": ("prior_mean", "ensemble mean in observation space before the analysis"),
    "prior_std": ("prior_spread", "ensemble standard deviation in observation space before the analysis"),
    "analysis_mean": ("analysis_mean", "ensemble mean in observation space after the analysis"),
    "analysis_std": ("analysis_spread", "ensemble standard deviation in observation space after the analysis"),
    "innovation": ("innovation", "observation minus mean before the analysis (O-F)"),
    "residual": ("residual", "observation minus mean after the analysis (O-A)"),
}


def write_analysis(
    path: str | Path,
    ensemble: OfflineEnsemble,
    analysis: np.ndarray,
    table: ObservationTable,
    departures: Mapping[str, TypeDepartures],
    rows: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    attributes: Mapping[str, Any],
) -> None:
    """Write an analysis; the file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        File to write; an older one is replaced.
    ensemble : OfflineEnsemble
        The prior; its first file gives structure and attributes.
    analysis : numpy.ndarray
        Analysis ensemble, shape ``(member, state)``.
    table : ObservationTable
        All observations.
    departures : mapping of str to TypeDepartures
        By type.
    rows : mapping of str to numpy.ndarray
        Rows of the table of each type.
    units : mapping of str to str
        Unit of each type, "" for unknown.
    attributes : mapping
        Global attributes to add.

    Raises
    ------
    InputError
        If a name that the analysis adds is taken.
    """
    with netCDF4.Dataset(ensemble.files[0]) as source:
        taken = [name for name, one in source.variables.items() if DERIVED not in one.ncattrs()]
        added = [f"{one.name}_{suffix}" for one in ensemble.variables for suffix in _STATISTICS]
        added += [f"obs_{name}" for name in (*_DEPARTURES, "type", "flag", "depth", "units")]
        clash = sorted(set(taken) & set(added))
        if clash:
            raise InputError(f"{ensemble.files[0]}: the analysis adds a variable '{clash[0]}'; rename that of the file")
        with complete_file(path) as partial, netCDF4.Dataset(partial, "w", format="NETCDF4") as target:
            target.setncatts({**{name: source.getncattr(name) for name in source.ncattrs()}, **attributes})
            _copy_rest(source, target, ensemble)
            for one in ensemble.variables:
                _write_variable(source, target, ensemble, one, analysis)
            _write_observations(target, ensemble, table, departures, rows, units)


def _copy_rest(source: netCDF4.Dataset, target: netCDF4.Dataset, ensemble: OfflineEnsemble) -> None:
    """Copy dimensions and all variables that are not of the state."""
    state = {one.name for one in ensemble.variables}
    kept = [one for one in source.variables.values() if DERIVED not in one.ncattrs()]
    used = {name for one in kept for name in one.dimensions}
    for name, dimension in source.dimensions.items():
        if name in used or name in source.variables:
            target.createDimension(name, None if dimension.isunlimited() else dimension.size)
    if len(ensemble.files) > 1:
        target.createDimension(ensemble.member_dimension, ensemble.nmember)
        column = target.createVariable("member_file", str, (ensemble.member_dimension,))
        column.setncatts({"long_name": "file that the member was read from", DERIVED: "provenance"})
        column[:] = np.array([path.name for path in ensemble.files], dtype=object)
    for one in kept:
        if one.name in state:
            continue
        copy = target.createVariable(one.name, one.dtype, one.dimensions, fill_value=getattr(one, "_FillValue", None))
        copy.setncatts({name: one.getncattr(name) for name in one.ncattrs() if name != "_FillValue"})
        if one.dtype is not str:
            one.set_auto_maskandscale(False)
            copy.set_auto_maskandscale(False)
        if one.size:
            copy[...] = one[...]


def _write_variable(
    source: netCDF4.Dataset, target: netCDF4.Dataset, ensemble: OfflineEnsemble, one: StateVariable,
    analysis: np.ndarray,
) -> None:  # fmt: skip
    """Write members, mean, standard deviations and increment of a variable."""
    given = source[one.name]
    about = {name: given.getncattr(name) for name in given.ncattrs() if name not in _PACKING}
    precision = given.dtype if np.dtype(given.dtype).kind == "f" and not hasattr(given, "scale_factor") else "f8"
    if ensemble.member_dimension in given.dimensions:
        dims, axis = given.dimensions, given.dimensions.index(ensemble.member_dimension)
    else:
        dims, axis = (ensemble.member_dimension, *given.dimensions), 0
    part = slice(one.start, one.start + one.size)
    members = target.createVariable(one.name, precision, dims, fill_value=_FILL, compression="zlib", complevel=1)
    members.setncatts(about)
    members[...] = _masked(np.moveaxis(ensemble.member_values(one, analysis), 0, axis))
    before, after = ensemble.state[:, part], analysis[:, part]
    statistics = {
        "mean": after.mean(axis=0), "std": after.std(axis=0, ddof=1), "std_prior": before.std(axis=0, ddof=1),
        "increment": after.mean(axis=0) - before.mean(axis=0),
    }  # fmt: skip
    whole = np.zeros(analysis.shape[1])
    for suffix, values in statistics.items():
        variable = target.createVariable(
            f"{one.name}_{suffix}", precision, one.dims, fill_value=_FILL, compression="zlib", complevel=1
        )
        chosen = {name: about[name] for name in ("units", "coordinates", "grid_mapping") if name in about}
        title = _STATISTICS[suffix] + str(about.get("long_name", one.name))
        variable.setncatts({**chosen, "long_name": title, DERIVED: suffix})
        whole[part] = values
        variable[...] = _masked(ensemble.member_values(one, whole))


def _write_observations(
    target: netCDF4.Dataset, ensemble: OfflineEnsemble, table: ObservationTable,
    departures: Mapping[str, TypeDepartures], rows: Mapping[str, np.ndarray], units: Mapping[str, str],
) -> None:  # fmt: skip
    """Write the observations in the order of their file."""
    target.createDimension("obs", table.size)

    def column(name: str, dtype: Any, values: np.ndarray, about: Mapping[str, Any]) -> None:
        variable = target.createVariable(f"obs_{name}", dtype, ("obs",), fill_value=np.nan if dtype == "f8" else None)
        variable.setncatts({**about, DERIVED: "observation"})
        if values.size:
            variable[:] = values

    geographic = ensemble.grid.metric == "haversine"
    for k, name in enumerate(("lat", "lon") if geographic else ("y", "x")):
        degrees = {"units": ("degrees_north", "degrees_east")[k]} if geographic else {}
        column(name, "f8", table.places[:, k], {"long_name": f"{name} of the observation", **degrees})
    if table.depth is not None:
        column("depth", "f8", table.depth, {"long_name": "depth of the observation", "units": "m", "positive": "down"})
    column("type", str, table.type, {"long_name": "type of the observation"})
    common = set(units.values())
    unit = {"units": common.pop()} if len(common) == 1 and common != {""} else {}
    if len(common) > 1:
        words = np.full(table.size, "", dtype=object)
        for kind, one in units.items():
            words[rows[kind]] = one
        column("units", str, words, {"long_name": "unit of value, error and departures"})
    for name, (attribute, title) in _DEPARTURES.items():
        values = np.full(table.size, np.nan)
        for kind, one in departures.items():
            values[rows[kind]] = getattr(one, attribute)
        column(name, "f8", values, {"long_name": title, **unit})
    flags = np.zeros(table.size, np.int8)
    for kind, one in departures.items():
        flags[rows[kind]] = one.flags
    column("flag", "i1", flags, {"long_name": "why the observation is used or not", **flag_attributes()})


def _masked(values: np.ndarray) -> np.ma.MaskedArray:
    return np.ma.masked_invalid(values)


__all__ = ["write_analysis"]
