"""What a product says, before any model: one row per observation, in time, place and kind.

Readers make tables, quality control and merging change them, and `ObservationSet` are made from them for a domain.
A table stays as a CF netCDF file or a zarr store; nothing is dropped on the way: what is not used keeps its reason.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import xarray as xr

import pyland
from pyland.base.complete_files import partial_path, written_aside
from pyland.base.errors import InputError, UnavailableError
from pyland.base.file_format import ATTRIBUTE, check_format
from pyland.base.observation_reasons import MISSING, USED, flag_attributes, reason_counts, reason_words
from pyland.base.text import library_words
from pyland.observe.quantities import quantity_of

FORMAT = "pyland observation table 1"
_SUFFIXES = (".nc", ".nc4", ".cdf")

COLUMNS = {
    "value": {"long_name": "observed value"},
    "sigma": {"long_name": "standard deviation of the observation error"},
    "time": {"standard_name": "time", "axis": "T"},
    "latitude": {"standard_name": "latitude", "units": "degrees_north"},
    "longitude": {"standard_name": "longitude", "units": "degrees_east"},
    "flag": {"long_name": "why the observation is used or not", **flag_attributes()},
    "location": {"long_name": "identity of the place within the product", "units": "1"},
    "footprint": {"long_name": "diameter of the seen area, 0 for a point", "units": "m"},
    "top": {"long_name": "top of the sensed layer", "units": "m", "positive": "down"},
    "bottom": {"long_name": "bottom of the sensed layer", "units": "m", "positive": "down"},
    "e_folding_depth": {
        "long_name": "depth over which the weight of the soil falls to 1/e, infinite for equal weights", "units": "m"},
    "incidence_angle": {"standard_name": "angle_of_incidence", "units": "degree"},
}
"""Columns that every table has, with their netCDF attributes."""

_WHOLE = {"time": "datetime64[s]", "flag": np.int8, "location": np.int64}
_SINCE = "seconds since 1970-01-01 00:00:00"


@dataclass(eq=False)
class ObservationTable:
    """Observations of one product and type, one row each, in the order of time and then of place.

    Attributes
    ----------
    product : str
        Name of the product, for instance ``"SMAP L3 36 km"``.
    type : str
        One of `QUANTITIES`.
    value, sigma : ndarray, shape (obs,)
        Values and standard deviations of their errors [unit of the type]; NaN where unknown.
    time : ndarray of datetime64[s], shape (obs,)
        Time (UTC).
    latitude, longitude : ndarray, shape (obs,)
        Centre of what is seen [degrees], longitude in -180..180.
    flag : ndarray of int8, shape (obs,)
        Codes of `pyland.base.observation_reasons`; 0: used.
    location : ndarray of int64, shape (obs,)
        Identity of the place, the same at all times: index in the grid of the product, or number of the station.
    footprint : ndarray, shape (obs,)
        Diameter of the seen area [m]; 0: a point.
    top, bottom : ndarray, shape (obs,)
        Sensed layer [m]; NaN where a depth has no meaning.
    e_folding_depth : ndarray, shape (obs,)
        Depth over which the weight of the soil within the layer falls to 1/e [m]; infinite: all weighs alike.
    incidence_angle : ndarray, shape (obs,)
        Angle from the zenith at which the sensor looks [degrees]; NaN where it has no meaning.
    extra : dict of str to ndarray, shape (obs,)
        Other columns by name, for instance ``polarisation`` (``"H"``/``"V"``), ``orbit`` (``"ascending"``),
        ``frozen_probability`` [1], ``vegetation_water`` [kg m-2], ``open_water`` [1], ``surface_temperature`` [K].
    extra_units : dict of str to str
        Units of the numbers among them.
    provenance : dict of str to str
        Source files, their checksums, version of the product, reader and what was done since.

    Raises
    ------
    InputError
        If the type is unknown, a shape differs, or a row has no time or an impossible place.

    Notes
    -----
    Scalars are taken for all rows.
    """

    product: str
    type: str
    value: np.ndarray
    time: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    sigma: np.ndarray | float = np.nan
    flag: np.ndarray | int = USED
    location: np.ndarray | None = None
    footprint: np.ndarray | float = 0.0
    top: np.ndarray | float = np.nan
    bottom: np.ndarray | float = np.nan
    e_folding_depth: np.ndarray | float = np.inf
    incidence_angle: np.ndarray | float = np.nan
    extra: dict[str, np.ndarray] = field(default_factory=dict)
    extra_units: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        quantity_of(self.type)
        self.value = np.atleast_1d(np.array(self.value, float))
        shape = self.value.shape
        if self.location is None:
            self.location = np.arange(self.value.size)
        for name in COLUMNS:
            setattr(self, name, self._column(name, getattr(self, name), _WHOLE.get(name, float)))
        self.extra = {name: self._column(name, values, None) for name, values in self.extra.items()}
        self.longitude = (self.longitude + 180.0) % 360.0 - 180.0
        if len(shape) != 1:
            raise InputError(f"{self.product}: value must have shape (obs,), got {shape}.")
        self.flag[(self.flag == USED) & ~np.isfinite(self.value)] = MISSING
        if np.isnat(self.time).any():
            raise InputError(f"{self.product}: row {int(np.argmax(np.isnat(self.time)))} has no time. Leave such rows "
                             "out, and count them.")
        placed = np.isfinite(self.latitude) & np.isfinite(self.longitude) & (np.abs(self.latitude) <= 90.0)
        if not placed.all():
            row = int(np.argmin(placed))
            raise InputError(
                f"{self.product}: row {row} has no place, latitude {self.latitude[row]}, longitude "
                f"{self.longitude[row]} [degrees]. Leave such rows out, and count them."
            )

    def _column(self, name: str, values: object, dtype: object) -> np.ndarray:
        values = np.asarray(values) if dtype is None else np.asarray(values, dtype)
        if values.shape not in ((), self.value.shape):
            raise InputError(f"{self.product}: {name} must have shape {self.value.shape}, got {values.shape}.")
        return np.array(np.broadcast_to(values, self.value.shape))

    @property
    def size(self) -> int:
        """Number of rows, used or not."""
        return self.value.size

    @property
    def used(self) -> np.ndarray:
        """Mask of the rows that may be used, shape (obs,)."""
        return self.flag == USED

    def counts(self) -> dict[str, int]:
        """Return how many rows have each reason, without zeros."""
        return reason_counts(self.flag)

    def reasons(self) -> list[str]:
        """Return for each row the word that says why it is used or not."""
        return reason_words(self.flag)

    def rejected(self, rows: np.ndarray, reason: int) -> ObservationTable:
        """Return a table in which the used ones of ``rows`` (obs,) have a reason not to be used."""
        return replace(self, flag=np.where(np.asarray(rows, bool) & self.used, np.int8(reason), self.flag))

    def rows(self, chosen: np.ndarray) -> ObservationTable:
        """Return the table of some rows, by mask or index."""
        columns = {name: getattr(self, name)[chosen] for name in COLUMNS}
        return replace(self, **columns, extra={name: values[chosen] for name, values in self.extra.items()})

    def sorted(self) -> ObservationTable:
        """Return the table in the order of time and then of place."""
        return self.rows(np.lexsort((self.location, self.time)))

    def with_history(self, done: str) -> ObservationTable:
        """Return the table with a line more in ``provenance["history"]``."""
        history = "\n".join(filter(None, (self.provenance.get("history", ""), done)))
        return replace(self, provenance={**self.provenance, "history": history})

    # ---- files -------------------------------------------------------------------------------------

    def to_dataset(self) -> xr.Dataset:
        """Return the table as a dataset with the dimension ``obs``; see `COLUMNS` for its variables."""
        quantity, data = quantity_of(self.type), {}
        for name, attributes in COLUMNS.items():
            more = {"value": quantity.attributes(), "sigma": {"units": quantity.unit}}.get(name, {})
            data[name] = ("obs", getattr(self, name).copy(), {**attributes, **more})
        data["value"][2]["ancillary_variables"] = "sigma flag"
        data["time"] = ("obs", self.time.astype(np.int64), {**COLUMNS["time"], "units": _SINCE, "calendar": "standard",
                                                              "units_metadata": "leap_seconds: none"})
        for name, values in self.extra.items():
            is_text = values.dtype.kind in "OUS"
            units = {} if is_text else {"units": self.extra_units.get(name, "1")}
            data[f"extra_{name}"] = ("obs", values.astype(object) if is_text else values, {
                "long_name": name.replace("_", " "), **units})
        return xr.Dataset(data, attrs={
            "Conventions": "CF-1.11", "title": f"observations of {self.product}", ATTRIBUTE: FORMAT,
            "history": self.provenance.get("history") or f"written by pyland {pyland.__version__}",
            "product": self.product, "observation_type": self.type, "provenance": json.dumps(self.provenance)})

    @classmethod
    def from_dataset(cls, data: xr.Dataset, where: str) -> ObservationTable:
        """Return the table that a dataset of `to_dataset` holds, all bits of it; ``where`` names it in messages.

        Raises
        ------
        InputError
            If it is none of them.
        """
        check_format(where, data.attrs.get(ATTRIBUTE), FORMAT, "a table of observations",
                     "`pyland observe` makes one of a product.")
        lacking = [name for name in COLUMNS if name not in data]
        if lacking:
            raise InputError(f"{where}: the table lacks the column '{lacking[0]}'.")
        columns = {name: data[name].values for name in COLUMNS}
        columns["time"] = columns["time"].astype("datetime64[s]")
        extra = {name.removeprefix("extra_"): one for name, one in data.data_vars.items() if name.startswith("extra_")}
        return cls(data.attrs["product"], data.attrs["observation_type"], **columns,
                   extra={name: one.values for name, one in extra.items()},
                   extra_units={name: one.attrs["units"] for name, one in extra.items() if "units" in one.attrs},
                   provenance=json.loads(data.attrs.get("provenance", "{}")))


def write_table(path: str | Path, table: ObservationTable) -> None:
    """Write a table; the file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        netCDF file, or with the suffix ``.zarr`` a zarr store (extra ``zarr``); an older one is replaced.
    table : ObservationTable
        What to write.

    Raises
    ------
    InputError
        If the name is that of a folder or of another format.
    UnavailableError
        If zarr is asked for and not installed.
    """
    check_table_path(path)
    path, data = Path(path), table.to_dataset()
    if path.suffix == ".zarr":
        _need_zarr(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = partial_path(path)
        _remove(partial)
        data.to_zarr(partial, mode="w", consolidated=True)
        _remove(path)
        partial.rename(path)
        return
    encoding = {name: {"zlib": True, "complevel": 1, "_FillValue": None} for name, one in data.variables.items()
                if one.dtype.kind != "O"}
    with written_aside(path) as partial:
        data.to_netcdf(partial, engine="netcdf4", encoding=encoding)


def check_table_path(path: str | Path) -> None:
    """Check, before anything is read, that a table can have this name.

    Raises
    ------
    InputError
        If it is that of a folder, or does not end as a netCDF file or a zarr store.
    UnavailableError
        If zarr is asked for and not installed.
    """
    path = Path(path)
    if path.suffix == ".zarr":
        _need_zarr(path)
        return
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected the name of a table, for instance {path / 'table.nc'}.")
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path}: a table is netCDF or zarr; expected a name that ends in {', '.join(_SUFFIXES)} or "
                         ".zarr.")


def read_table(path: str | Path) -> ObservationTable:
    """Read what `write_table` wrote; all bits return.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind.
    UnavailableError
        If it is a zarr store and zarr is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"observations: {path} does not exist.")
    if path.suffix == ".zarr":
        _need_zarr(path)
    try:
        with xr.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else "netcdf4",
                             decode_cf=False) as data:  # only a table of ours is decoded
            if data.attrs.get(ATTRIBUTE) == FORMAT:
                data = xr.decode_cf(data, mask_and_scale=False)
            return ObservationTable.from_dataset(data.load(), str(path))
    except InputError:
        raise
    except Exception as error:  # the libraries raise what they like for a damaged file
        raise InputError(f"{path}: cannot be read as a table of observations ({library_words(error)}). It may be "
                         "truncated, or of another kind.") from error


def join_tables(tables: Iterable[ObservationTable]) -> ObservationTable:
    """Return one table of those of one product and type, in the order of time and place.

    Raises
    ------
    InputError
        If there is none, or products, types or extra columns differ.
    """
    tables = list(tables)
    if not tables:
        raise InputError("observations: there are no tables to join.")
    first = tables[0]
    for one in tables[1:]:
        if (one.product, one.type, set(one.extra)) != (first.product, first.type, set(first.extra)):
            raise InputError(
                f"observations: tables of '{first.product}' ({first.type}; {', '.join(first.extra) or 'no extra'}) and "
                f"'{one.product}' ({one.type}; {', '.join(one.extra) or 'no extra'}) cannot be joined."
            )
    columns = {name: np.concatenate([getattr(one, name) for one in tables]) for name in COLUMNS}
    extra = {name: np.concatenate([one.extra[name] for one in tables]) for name in first.extra}
    return replace(first, **columns, extra=extra, provenance=_joined([one.provenance for one in tables])).sorted()


def _joined(all_of_them: list[Mapping[str, str]]) -> dict[str, str]:
    names = dict.fromkeys(name for one in all_of_them for name in one)
    return {name: "\n".join(dict.fromkeys(one[name] for one in all_of_them if name in one)) for name in names}


def _need_zarr(path: Path) -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise UnavailableError(f"{path}: zarr stores need the package zarr; install pyland[zarr], or use a netCDF "
                               "file.") from None


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
