"""Records of a run by number: one map, or the series of one cell, read without the rest of the file.

A finished run has one file per kind, a run that still goes on has segments of it (``pyland.output.segments``); both are
the same here. Files are looked at again when somebody asks for `RecordFiles.refresh`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS

HORIZONTAL = (("y", "x"), ("latitude", "longitude"), ("lat", "lon"), ("site",), ("place",))
"""Names of horizontal dimensions that pyland and CF products have."""

PROBE_BLOCK = 16
"""Cells that are read around the one asked for: their chunks are decompressed anyway, and neighbours come next."""


def record_paths(folder: Path, kind: str) -> list[Path]:
    """Return the files of a kind in a run directory: the final one, or its segments in the order of time."""
    final = folder / f"{kind}.nc"
    if final.exists():
        return [final]
    return sorted((folder / "segments").glob(f"{kind}.*.nc"), key=lambda path: path.name.split(".")[-2])


class RecordFiles:
    """Files that hold the records of one kind, one after the other.

    Parameters
    ----------
    find : callable
        Returns the files as they are now, in the order of time.
    record : str
        Name of the record dimension.
    time : str
        Name of the time variable along it.

    Attributes
    ----------
    times, time_starts : numpy.ndarray of datetime64[s], shape (record,)
        End and start of each record, UTC; starts are NaT where the file has no bounds.
    version : str
        Changes whenever a file does.
    """

    def __init__(self, find: Callable[[], Sequence[Path]], record: str = "time", time: str = "time") -> None:
        self._find, self._record, self._time = find, record, time
        self._state: tuple[tuple[str, int, int], ...] | None = None
        self._files: list[netCDF4.Dataset] = []
        self._firsts = np.zeros(1, np.int64)
        self.times = self.time_starts = np.zeros(0, "datetime64[s]")
        self.refresh()

    # ---- what there is -----------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Look at the files again; True if they changed.

        Raises
        ------
        InputError
            If a file is damaged.
        """
        for _ in range(3):  # a run that ends joins its segments and removes them, at most once while we look
            paths = list(self._find())
            try:
                state = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
            except FileNotFoundError:
                continue
            if state == self._state:
                return False
            try:
                with NETCDF_ACCESS:
                    self._open(paths)
            except FileNotFoundError:
                continue
            self._state = state
            return True
        raise InputError(f"{paths[0].parent}: the files of the run change faster than they can be read; try again.")

    @property
    def version(self) -> str:
        """Text that changes with the files."""
        return "empty" if not self._state else f"{len(self.times)}-{max(stamp for _, stamp, _ in self._state):x}"

    @property
    def is_empty(self) -> bool:
        """Whether there is no file."""
        return not self._files

    @property
    def paths(self) -> list[Path]:
        """Files that are open."""
        return [Path(name) for name, _, _ in self._state or ()]

    @property
    def definition(self) -> netCDF4.Dataset:
        """The file that tells dimensions and attributes; use it under ``NETCDF_ACCESS``."""
        if not self._files:
            raise InputError("the run has no record yet.")
        return self._files[-1]

    def attributes(self, name: str | None = None) -> dict[str, object]:
        """Return the attributes of a variable, or of the file."""
        with NETCDF_ACCESS:
            owner = self.definition if name is None else self.definition[name]
            return {key: owner.getncattr(key) for key in owner.ncattrs()}

    def values(self, name: str) -> np.ndarray:
        """Return a variable without records, whole; numbers as float64 with NaN where it has no value."""
        with NETCDF_ACCESS:
            return _filled(self.definition[name][...])

    def has(self, name: str) -> bool:
        """Tell whether the files have a variable."""
        return bool(self._files) and name in self.definition.variables

    def map_variables(self) -> dict[str, tuple[str, ...]]:
        """Return the dimensions of every number with horizontal dimensions, by name."""
        if not self._files:
            return {}
        with NETCDF_ACCESS:
            return {name: variable.dimensions for name, variable in self.definition.variables.items()
                    if variable.dtype is not str and variable.dtype.kind in "fiu"
                    and horizontal_of(variable.dimensions) and set(variable.dimensions) - set(HORIZONTAL[0])}

    # ---- records -----------------------------------------------------------------------------------

    def read_map(self, name: str, index: int, layer: int | None = None) -> np.ndarray:
        """Return one record of a variable.

        Parameters
        ----------
        name : str
            Variable.
        index : int
            Number of the record; ignored by variables without records.
        layer : int, optional
            Layer; None for variables without layers.

        Returns
        -------
        numpy.ndarray of float32, shape (y, x) or (site,)
            NaN where there is no value.
        """
        with NETCDF_ACCESS:
            file, number = self._place(index)
            variable = file[name]
            key: list[int | slice] = []
            for dimension in variable.dimensions[: -len(horizontal_of(variable.dimensions))]:
                key.append(number if dimension == self._record else layer or 0)
            return np.asarray(_filled(variable[(*key, ...)]), np.float32)

    def read_block(
        self, name: str, layer: int | None, rows: slice, columns: slice | None, first: int = 0, last: int | None = None,
        kind: type = np.float32,
    ) -> np.ndarray:
        """Return the records of some cells.

        Parameters
        ----------
        name : str
            Variable.
        layer : int, optional
            Layer; None for variables without layers.
        rows, columns : slice
            Cells; columns are None where the horizontal dimension is one.
        first, last : int
            First record, and the one after the last.
        kind : type
            Type of the numbers.

        Returns
        -------
        numpy.ndarray, shape (record, row, column) or (record, site)
        """
        last = len(self.times) if last is None else last
        parts = []
        with NETCDF_ACCESS:
            for number, file in enumerate(self._files):
                start = int(self._firsts[number])
                low, high = max(first - start, 0), min(last, int(self._firsts[number + 1])) - start
                if low >= high:
                    continue
                variable = file[name]
                place = (rows,) if columns is None else (rows, columns)
                depth = () if variable.ndim == 1 + len(place) else (layer or 0,)
                parts.append(np.asarray(_filled(variable[(slice(low, high), *depth, *place)]), kind))
        return np.concatenate(parts) if parts else np.zeros((0, 0, 0), kind)

    def read_members(self, name: str, layer: tuple[int, ...], place: tuple[int, ...]) -> np.ndarray:
        """Return every member of a cell, (record, member); ``layer`` is empty for variables without layers."""
        with NETCDF_ACCESS:
            return np.concatenate(
                [_filled(file[name][(slice(None), slice(None), *layer, *place)]) for file in self._files]
            )

    def read_rows(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return variables with records and nothing else, whole, (record,)."""
        with NETCDF_ACCESS:
            return {name: np.concatenate([_filled(file[name][...]) for file in self._files]) for name in names}

    def close(self) -> None:
        """Close the files."""
        with NETCDF_ACCESS:
            for file in self._files:
                file.close()
        self._files, self._state = [], None

    # ---- inside ----------------------------------------------------------------------------------

    def _open(self, paths: Sequence[Path]) -> None:
        opened: list[netCDF4.Dataset] = []
        times, starts = [], []
        try:
            for path in paths:
                file = _open_file(path)
                if self._record in file.dimensions and file.dimensions[self._record].size == 0 and len(paths) > 1:
                    file.close()
                    continue
                opened.append(file)
                moments, begins = _times_of(file, self._record, self._time)
                times.append(moments)
                starts.append(begins)
        except BaseException:
            for file in opened:
                file.close()
            raise
        for file in self._files:
            file.close()
        self._files = opened
        self._firsts = np.concatenate([[0], np.cumsum([len(one) for one in times])]).astype(np.int64)
        self.times = np.concatenate([*times, np.zeros(0, "datetime64[s]")])
        self.time_starts = np.concatenate([*starts, np.zeros(0, "datetime64[s]")])

    def _place(self, index: int) -> tuple[netCDF4.Dataset, int]:
        """Return the file that holds a record, and the record's number in it."""
        if len(self.times) == 0:
            return self.definition, 0
        if not 0 <= index < len(self.times):
            raise InputError(f"record {index} is not there; the run has records 0 to {len(self.times) - 1}.")
        number = int(np.searchsorted(self._firsts, index, side="right")) - 1
        return self._files[number], index - int(self._firsts[number])


def horizontal_of(dimensions: Sequence[str]) -> tuple[str, ...]:
    """Return the horizontal dimensions, which come last; empty without them."""
    return next((names for names in HORIZONTAL if tuple(dimensions[-len(names):]) == names), ())


def _open_file(path: Path) -> netCDF4.Dataset:
    try:
        return netCDF4.Dataset(path)
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable netCDF file ({error}).") from error


def _times_of(file: netCDF4.Dataset, record: str, time: str) -> tuple[np.ndarray, np.ndarray]:
    """Return end and start of each record, datetime64[s]."""
    if time not in file.variables or record not in file.dimensions:
        return np.zeros(0, "datetime64[s]"), np.zeros(0, "datetime64[s]")
    variable = file[time]
    times = _instants(variable[...], variable)
    bounds = getattr(variable, "bounds", None)
    if bounds is None or bounds not in file.variables:
        return times, np.full(times.shape, np.datetime64("NaT"), "datetime64[s]")
    return times, _instants(file[bounds][:, 0], variable)


def _instants(values: np.ndarray, variable: netCDF4.Variable) -> np.ndarray:
    """Return numbers of a CF time axis as datetime64[s]."""
    units = variable.units
    values = np.ma.getdata(values)
    if units.startswith("seconds since 1970-01-01"):
        return values.astype(np.int64).astype("datetime64[s]")
    moments = netCDF4.num2date(values, units, getattr(variable, "calendar", "standard"),
                               only_use_cftime_datetimes=False, only_use_python_datetimes=True)
    return np.array(moments, dtype="datetime64[s]")


def _filled(values: np.ndarray) -> np.ndarray:
    """Return values with NaN where they are masked; integers become float64 then."""
    if not np.ma.isMaskedArray(values):
        return np.asarray(values)
    if values.dtype.kind != "f":
        return values.data if not np.ma.is_masked(values) else values.astype(np.float64).filled(np.nan)
    return values.filled(np.nan)
