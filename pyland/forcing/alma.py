"""Weather from one netCDF file in the ALMA convention: a station or a grid."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.checksums import sha256_of_file
from pyland.base.errors import InputError
from pyland.forcing import netcdf_input
from pyland.forcing.checks import BOUNDS, check_values
from pyland.forcing.interval import INTERVAL_FIELDS, IntervalForcing
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.units import to_si

ALIASES: dict[str, tuple[str, ...]] = {
    "air_temperature": ("Tair", "air_temperature", "tas", "TBOT", "T2D", "t2m"),
    "specific_humidity": ("Qair", "specific_humidity", "huss", "QBOT", "Q2D"),
    "surface_pressure": ("PSurf", "Psurf", "surface_pressure", "surface_air_pressure", "ps", "PSRF", "PSFC", "sp"),
    "wind_speed": ("Wind", "wind_speed", "sfcWind", "WIND"),
    "shortwave_down": (
        "SWdown", "shortwave_down", "surface_downwelling_shortwave_flux_in_air", "rsds", "FSDS", "SWDOWN"),
    "longwave_down": (
        "LWdown", "longwave_down", "surface_downwelling_longwave_flux_in_air", "rlds", "FLDS", "LWDOWN"),
    "rain": ("Rainf", "rain", "rainfall_flux", "RAIN"),
    "snowfall": ("Snowf", "snowfall", "snowfall_flux", "prsn", "SNOW"),
    "precipitation": ("Precip", "precipitation", "precipitation_flux", "pr", "PRECTmms", "RAINRATE"),
}  # fmt: skip
"""Names under which a variable is looked for, in this order; the first is the ALMA name."""

_MONTH = 30 * 86400  # longest window read at once from a large file [s]
_WINDOW_MEMORY = 64 * 2**20  # memory of such a window [byte]
_WINDOWS_KEPT = 2  # a step can lie across two windows


class AlmaForcing(IntervalForcing):
    """Weather from an ALMA-like netCDF file.

    Parameters
    ----------
    path : str or Path
        File with SWdown, LWdown, Tair, Qair, PSurf, Wind, and Rainf and Snowf (or Precip), each with a ``units``
        attribute, over ``(time)``, ``(time, cell)`` or ``(time, y, x)``.
    latitude, longitude : array_like, optional
        Places of the cells [degrees]; by default those of the file. A file of one place serves any number of cells.
    reference_height : float or array_like, optional
        Height of the forcing level above ground [m]; by default the attribute ``z_meas_m`` of the file.
    variables : mapping of str to str, optional
        Names of the file by registry id or ALMA name, where they are none of `ALIASES`.
    cells : sequence of int, optional
        Cells of the file to use, counted along the flattened space dimensions; all by default.
    time_label : {"start", "end"}, optional
        What time stamps mark; by default the file says so, see `netcdf_input.read_time_axis`.
    phase : PrecipitationPhase, optional
        Rule for rain and snow; by default (method ``given``) the file decides where it can.

    Attributes
    ----------
    phase : PrecipitationPhase or None
        Rule that splits precipitation; None where rain and snowfall are those of the file.
    elevation : numpy.ndarray or None
        Elevation of the places in the file [m], ``(cell,)``; None if the file does not say.

    Raises
    ------
    InputError
        If the file, a variable, a unit, a value, the time axis or a place is not as expected. A small file is read and
        checked as a whole, a large one in windows as the run reaches them (`verify` checks all of it).

    Notes
    -----
    If rain and snowfall are not both there, total precipitation is split by the rule of ``phase`` (``given`` means the
    ramp of air temperature then). Another method than ``given`` splits the sum of rain and snowfall anew.
    """

    def __init__(
        self,
        path: str | Path,
        latitude: Sequence[float] | np.ndarray | float | None = None,
        longitude: Sequence[float] | np.ndarray | float | None = None,
        reference_height: Sequence[float] | np.ndarray | float | None = None,
        variables: Mapping[str, str] | None = None,
        cells: Sequence[int] | np.ndarray | None = None,
        *,
        time_label: str | None = None,
        phase: PrecipitationPhase | None = None,
    ) -> None:
        self.path = Path(path)
        file = str(path)
        with netcdf_input.open_input(path) as dataset:
            self.axis = netcdf_input.read_time_axis(dataset, file, time_label)
            self.variables = self._find_variables(dataset, dict(variables or {}))
            rule = phase or PrecipitationPhase()
            self.phase = None if rule.method == "given" and "rain" in self.variables else rule
            self._space = self._find_space(dataset)
            size = int(np.prod(self._space, dtype=np.int64))
            self._cells = self._select_cells(cells, size)
            latitude = self._place(dataset, netcdf_input.LATITUDE_NAMES, latitude, "latitude", 90.0)
            longitude = self._place(dataset, netcdf_input.LONGITUDE_NAMES, longitude, "longitude", 360.0)
            if latitude.size != longitude.size and 1 not in {latitude.size, longitude.size}:
                raise InputError(f"{file}: {latitude.size} latitudes but {longitude.size} longitudes")
            latitude, longitude = (v.copy() for v in np.broadcast_arrays(latitude, longitude))
            height = self._reference_height(dataset, reference_height, latitude.size)
            self.elevation = self._cell_numbers(dataset, netcdf_input.ELEVATION_NAMES, latitude.size)
        super().__init__(
            self.axis.start, self.axis.interval, self.axis.count, latitude, longitude, height, file)
        self._clipped: dict[tuple[str, int], int] = {}  # by variable and first interval: a window may be read again
        self._windows: OrderedDict[int, np.ndarray] = OrderedDict()
        self._window_length = self._choose_window()
        if self._window_length >= self.count:
            self._window(0)

    def interval_means(self, index: int) -> np.ndarray:
        """Means of interval ``index``, ``(field, cell)``, or ``(field, 1)`` if the file has one place."""
        window, row = divmod(index, self._window_length)
        return self._window(window)[row]

    def verify(self) -> None:
        """Read and check the whole file, window by window.

        Raises
        ------
        InputError
            For the first gap, value out of range or unreadable part.
        """
        for window in range(-(-self.count // self._window_length)):
            self._window(window)

    def checksums(self) -> dict[str, str]:
        """SHA-256 of the file."""
        return {str(self.path): sha256_of_file(self.path)}

    def describe(self) -> dict[str, Any]:
        """Provenance: path, period, interval, names of the variables, treatment."""
        names = {name: label for name, (label, _) in self.variables.items()}
        return {
            "format": "alma",
            "path": str(self.path),
            "start": str(self.start),
            "end": str(self.end),
            "interval_seconds": self.interval,
            "time_stamps_mark": self.axis.label,
            "ncell": self.ncell,
            "variables": names,
            "precipitation_phase": "as in the file" if self.phase is None else self.phase.describe(),
            "small_offsets_set_to_zero": sum(self._clipped.values()),
        }

    # ---- set-up ---------------------------------------------------------------------------------------------------

    def _find_variables(self, dataset: xr.Dataset, mapping: dict[str, str]) -> dict[str, tuple[str, str | None]]:
        """Name in the file and its unit, by registry id."""
        ids = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}
        chosen = {}
        for key, label in mapping.items():
            if key not in ids:
                raise InputError(
                    f"forcing.variables: '{key}' is no forcing variable; expected one of {', '.join(ALIASES)} "
                    "or an ALMA name"
                )
            if label not in dataset.variables:
                raise InputError(self._not_there(dataset, f"variable '{label}' (forcing.variables.{key}) is not there"))
            chosen[ids[key]] = label
        for name, aliases in ALIASES.items():
            found = chosen.get(name) or next((a for a in aliases if a in dataset.variables), None)
            if found is None:
                names = (str(v) for v in dataset.data_vars if dataset[v].attrs.get("standard_name") in aliases)
                found = next(names, None)
            if found is not None:
                chosen[name] = found
        has_phase = "rain" in chosen and "snowfall" in chosen
        if has_phase:
            chosen.pop("precipitation", None)
        elif "precipitation" in chosen:
            chosen.pop("rain", None)
            chosen.pop("snowfall", None)
        needed = [n for n in INTERVAL_FIELDS if has_phase or n not in {"rain", "snowfall"}]
        missing = [f"{n} ({ALIASES[n][0]})" for n in needed if n not in chosen]
        if not has_phase and "precipitation" not in chosen:
            absent = [f"{n} ({ALIASES[n][0]})" for n in ("rain", "snowfall") if n not in chosen]
            missing.append(f"{' and '.join(absent)}, or precipitation (Precip)")
        if missing:
            raise InputError(self._not_there(dataset, f"these forcing variables are missing: {'; '.join(missing)}"))
        return {name: (label, dataset[label].attrs.get("units")) for name, label in chosen.items()}

    def _not_there(self, dataset: xr.Dataset, what: str) -> str:
        there = ", ".join(sorted(map(str, dataset.variables)))
        return f"{self.path}: {what}; the file has {there}; name others in forcing.variables"

    def _find_space(self, dataset: xr.Dataset) -> tuple[int, ...]:
        """Shape of the space dimensions, the same for all variables."""
        space: tuple[int, ...] | None = None
        for label, _ in self.variables.values():
            dims = dataset[label].dims
            if not dims or dims[0] != self.axis.dimension or len(dims) > 3:
                raise InputError(
                    f"{self.path}: variable '{label}' has dimensions ({', '.join(map(str, dims))}); expected "
                    f"({self.axis.dimension}), ({self.axis.dimension}, cell) or ({self.axis.dimension}, y, x)"
                )
            shape = dataset[label].shape[1:]
            if space is not None and shape != space:
                raise InputError(
                    f"{self.path}: variable '{label}' has space dimensions of size {shape}, others have {space}")
            space = shape
        return space or ()

    def _select_cells(self, cells: Sequence[int] | np.ndarray | None, size: int) -> np.ndarray:
        if cells is None or size == 1:
            return np.arange(size)
        selected = np.asarray(cells)
        if selected.ndim != 1 or selected.size == 0 or not np.issubdtype(selected.dtype, np.integer):
            raise InputError(f"{self.path}: cells must be a list of whole numbers with at least one entry")
        if selected.min() < 0 or selected.max() >= size:
            raise InputError(
                f"{self.path}: cells {selected.min()} to {selected.max()} are asked for, but the file has cells "
                f"0 to {size - 1}")
        return selected

    def _cell_numbers(self, dataset: xr.Dataset, names: tuple[str, ...], ncell: int | None) -> np.ndarray | None:
        """One number per selected cell from the file, or None."""
        found = netcdf_input.find_number(dataset, names, str(self.path))
        if found is None:
            return None
        size = int(np.prod(self._space, dtype=np.int64))
        if found.size == 1:
            numbers = np.full(self._cells.size, float(found.reshape(-1)[0]))
        elif found.size == size:
            numbers = found.reshape(-1)[self._cells]
        elif found.ndim == 1 and len(self._space) == 2 and found.size in self._space:
            is_row = names is netcdf_input.LATITUDE_NAMES
            column = found[:, None] if is_row else found[None, :]
            if found.size != self._space[0 if is_row else 1]:
                return None
            numbers = np.broadcast_to(column, self._space).reshape(-1)[self._cells]
        else:
            return None
        return numbers if ncell is None or numbers.size == ncell else np.broadcast_to(numbers, (ncell,)).copy()

    def _place(
        self, dataset: xr.Dataset, names: tuple[str, ...], given: Any, what: str, limit: float
    ) -> np.ndarray:
        if given is not None:
            numbers = np.atleast_1d(np.asarray(given, dtype=np.float64)).reshape(-1)
            if self._space and max(self._space) > 1 and numbers.size != self._cells.size:
                raise InputError(
                    f"{self.path}: {numbers.size} values of {what} for {self._cells.size} cells of the file")
        else:
            found = self._cell_numbers(dataset, names, None)
            if found is None:
                raise InputError(
                    f"{self.path}: has no {what} (attribute or variable {', '.join(names[:2])}); set domain.{what}")
            numbers = found
        if not np.all(np.abs(numbers) <= limit):
            raise InputError(f"{self.path}: {what} must lie within -{limit:g} and {limit:g} degrees, got {numbers}")
        return numbers

    def _reference_height(self, dataset: xr.Dataset, given: Any, ncell: int) -> np.ndarray:
        if given is None:
            found = self._cell_numbers(dataset, netcdf_input.HEIGHT_NAMES, ncell)
            if found is None:
                raise InputError(
                    f"{self.path}: does not say at which height the weather was measured (attribute z_meas_m); "
                    "set forcing.height in metres above ground")
            given = found
        height = np.asarray(given, dtype=np.float64)
        if height.size not in {1, ncell} or not np.all((height > 0.0) & np.isfinite(height)):
            raise InputError(
                f"{self.path}: forcing.height must be one positive number [m] or {ncell} of them, got {given}")
        return np.broadcast_to(height.reshape(-1), (ncell,)).copy()

    # ---- reading --------------------------------------------------------------------------------------------------

    def _choose_window(self) -> int:
        """Intervals read at once: the whole file if it is small, else at most a month."""
        fitting = _WINDOW_MEMORY // (8 * len(INTERVAL_FIELDS) * self._cells.size)
        if fitting >= self.count:
            return self.count
        return max(2, min(int(fitting), _MONTH // self.interval))

    def _window(self, window: int) -> np.ndarray:
        """Read and check a window, ``(time, field, cell)``."""
        if window in self._windows:
            self._windows.move_to_end(window)
            return self._windows[window]
        first = window * self._window_length
        last = min(first + self._window_length, self.count)
        values = np.empty((last - first, len(INTERVAL_FIELDS), self._cells.size))
        with netcdf_input.open_input(self.path) as dataset:
            for position, name in enumerate(INTERVAL_FIELDS):
                if name in self.variables:
                    values[:, position] = self._read(dataset, name, first, last)
            if self.phase is not None:
                rain, snow = (INTERVAL_FIELDS.index(name) for name in ("rain", "snowfall"))
                total = (self._read(dataset, "precipitation", first, last) if "precipitation" in self.variables
                         else values[:, rain] + values[:, snow])
                air = (values[:, INTERVAL_FIELDS.index(name)]
                       for name in ("air_temperature", "specific_humidity", "surface_pressure"))
                values[:, rain], values[:, snow] = self.phase.split(total, *air)
        values.flags.writeable = False
        self._windows[window] = values
        while len(self._windows) > _WINDOWS_KEPT:
            self._windows.popitem(last=False)
        return values

    def _read(self, dataset: xr.Dataset, name: str, first: int, last: int) -> np.ndarray:
        """One variable in SI, checked, ``(time, cell)``."""
        label, unit = self.variables[name]
        variable = dataset[label].isel({self.axis.dimension: slice(first, last)})
        cells = self._cells
        if len(self._space) == 2:  # only the rows of the grid that hold selected cells
            width = self._space[1]
            top, bottom = int(cells.min()) // width, int(cells.max()) // width
            variable = variable.isel({variable.dims[1]: slice(top, bottom + 1)})
            cells = cells - top * width
        raw = netcdf_input.read_values(variable, str(self.path)).reshape(last - first, -1)[:, cells]
        values = to_si(raw, unit, BOUNDS[name].unit, label, str(self.path))
        begin = self.start + np.timedelta64(first * self.interval, "s")
        self._clipped[name, first] = check_values(
            values, name, label, str(self.path), begin, self.interval, first)
        return values
