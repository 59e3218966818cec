"""Observations of pyland in its own CF netCDF table, one row per observation."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np

import pyland
from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.file_format import ATTRIBUTE, check_format
from pyland.base.observation_reasons import flag_attributes
from pyland.base.text import library_words
from pyland.observe.observations import ObservationSet
from pyland.observe.quantities import QUANTITIES

FORMAT = "pyland observations 2"

_COLUMNS = {
    # name in the file: (attribute of ObservationSet, type, attributes)
    "variance": ("variance", "f8", {"long_name": "variance of the observation error"}),
    "x": ("x", "f8", {"standard_name": "projection_x_coordinate", "units": "m"}),
    "y": ("y", "f8", {"standard_name": "projection_y_coordinate", "units": "m"}),
    "location": ("location", "i8", {"long_name": "identity of the place", "units": "1"}),
    "flag": ("flags", "i1", {"long_name": "why the observation is used or not"}),
}


def write_observations(path: str | Path, sets: list[ObservationSet]) -> None:
    """Write observation sets; the file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        File to write; an older one is replaced.
    sets : list of ObservationSet
        Sets of one or more names.

    Raises
    ------
    InputError
        If there is no set or a set has an unknown type.
    """
    path = Path(path)
    if not sets:
        raise InputError(f"{path}: there are no observations to write; does the run end before the first of them?")
    unknown = sorted({one.type for one in sets} - set(QUANTITIES))
    if unknown:
        raise InputError(f"{path}: observations of type '{unknown[0]}' cannot be written; known: "
                         f"{', '.join(QUANTITIES)}.")
    with written_aside(path) as partial, netCDF4.Dataset(partial, "w", format="NETCDF4") as file:
        _fill(file, sets)


def _fill(file: netCDF4.Dataset, sets: list[ObservationSet]) -> None:
    count = np.array([one.size for one in sets])
    slots = max(one.cells.shape[1] for one in sets)
    file.Conventions, file.title, file.pyland_format = "CF-1.11", "observations of a pyland run", FORMAT
    file.history = f"written by pyland {pyland.__version__}"
    for name, size in (("set", len(sets)), ("obs", int(count.sum())), ("slot", slots)):
        file.createDimension(name, size)
    rows = np.repeat(np.arange(len(sets)), count)
    # one row per observation, the quantity of each set in the variable of its type
    stamps = np.array([one.time for one in sets], "datetime64[s]").astype(np.int64)
    attributes = {"units": "seconds since 1970-01-01 00:00:00", "calendar": "standard",
                  "units_metadata": "leap_seconds: none", "standard_name": "time", "axis": "T"}
    _column(file, "time", "i8", ("obs",), stamps[rows], attributes)
    kinds = sorted({one.type for one in sets})
    for kind in kinds:
        about = QUANTITIES[kind].attributes()
        values = np.concatenate([one.values if one.type == kind else np.full(one.size, np.nan) for one in sets])
        _column(file, kind, "f8", ("obs",), values, {**about, "coordinates": "time x y",
                                                      "ancillary_variables": "variance flag"})
    for name, (attribute, dtype, extra) in _COLUMNS.items():
        if name == "flag":
            extra = {**extra, **flag_attributes()}
        if name == "variance" and len(kinds) == 1:
            extra = {**extra, "units": QUANTITIES[kinds[0]].variance_unit}
        _column(file, name, dtype, ("obs",), np.concatenate([getattr(one, attribute) for one in sets]), extra)
    cells, weights = np.full((rows.size, slots), -1, np.int64), np.zeros((rows.size, slots))
    start = 0
    for one in sets:
        cells[start : start + one.size, : one.cells.shape[1]] = one.cells
        weights[start : start + one.size, : one.cells.shape[1]] = one.weights
        start += one.size
    _column(file, "footprint_cell", "i8", ("obs", "slot"), cells, {"long_name": "cell, -1 for none", "units": "1"})
    _column(file, "footprint_weight", "f8", ("obs", "slot"), weights, {"long_name": "weight of the cell", "units": "1"})
    _column(file, "set_time", "i8", ("set",), stamps, attributes | {"long_name": "time of the set"})
    _column(file, "set_size", "i8", ("set",), count, {"long_name": "number of rows of the set", "units": "1"})
    _column(file, "set_slots", "i8", ("set",), np.array([one.cells.shape[1] for one in sets]),
            {"long_name": "width of the footprints of the set", "units": "1"})
    for name, attribute in (("depth_top", "top"), ("depth_bottom", "bottom")):
        _column(file, name, "f8", ("set",), np.array([getattr(one, attribute) for one in sets]),
                {"long_name": name.replace("_", " "), "units": "m", "positive": "down"})
    _column(file, "e_folding_depth", "f8", ("set",), np.array([one.e_folding_depth for one in sets]),
            {"long_name": "depth over which the weight of what is seen falls to 1/e, infinite for equal weights",
             "units": "m"})
    words = {"name": [one.name for one in sets], "type": [one.type for one in sets],
             "settings": [json.dumps(dict(one.settings), sort_keys=True) for one in sets]}
    for attribute, values in words.items():
        column = file.createVariable(f"set_{attribute}", str, ("set",))
        column.long_name = f"{attribute} of the set"
        column[:] = np.array(values, dtype=object)


def _column(file: netCDF4.Dataset, name: str, dtype: str, dimensions: tuple[str, ...], values: np.ndarray,
            attributes: dict) -> None:
    variable = file.createVariable(name, dtype, dimensions, fill_value=np.nan if dtype == "f8" else None)
    variable.setncatts(attributes)
    variable[:] = values


def read_observations(path: str | Path) -> list[ObservationSet]:
    """Read what :func:`write_observations` wrote; all bits return.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"observations: the file {path} does not exist.")
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            check_format(path, getattr(file, ATTRIBUTE, None), FORMAT, "a table of pyland observations")
            content = {name: variable[:] for name, variable in file.variables.items()}
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as netCDF ({library_words(error)}). It may be truncated.") from error
    sets, start = [], 0
    for k, size in enumerate(content["set_size"]):
        part, slots = slice(start, start + int(size)), int(content["set_slots"][k])
        columns = {attribute: content[name][part] for name, (attribute, _, _) in _COLUMNS.items()}
        sets.append(ObservationSet(
            str(content["set_name"][k]), str(content["set_type"][k]), np.datetime64(int(content["set_time"][k]), "s"),
            content[str(content["set_type"][k])][part], cells=content["footprint_cell"][part, :slots],
            weights=content["footprint_weight"][part, :slots], top=float(content["depth_top"][k]),
            bottom=float(content["depth_bottom"][k]), e_folding_depth=float(content["e_folding_depth"][k]),
            settings=json.loads(content["set_settings"][k]) if "set_settings" in content else {}, **columns))
        start += int(size)
    return sets
