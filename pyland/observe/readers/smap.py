"""SMAP radiometer Level-3 files: SPL3SMP on the 36 km grid and SPL3SMP_E on the 9 km grid (HDF5).

Each file holds a day, a group of the descending passes (6 h local time, AM) and one of the ascending passes (18 h, PM);
names of the second end with ``_pm``.

References
----------
.. [1] Chan, S. (2019). SMAP Enhanced Level 3 Passive Soil Moisture Product Specification Document, R16.3. JPL D-56292:
   groups, names, bits of flags.
.. [2] Entekhabi, D., et al. (2010). The Soil Moisture Active Passive (SMAP) mission. Proc. IEEE 98, 704-716: accuracy
   of 0.04 m3 m-3; footprint of about 40 km; nominal depth of 5 cm.
.. [3] Piepmeier, J. R., et al. (2017). SMAP L-band microwave radiometer: instrument design and first year on orbit.
   IEEE Trans. Geosci. Remote Sens. 55, 1954-1966: uncertainty of brightness temperatures of 1.3 K.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, OPEN_WATER, QUALITY, RAIN, SNOW, USED, VEGETATION
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.ease_grid import EaseGrid
from pyland.observe.readers.grid_window import GridWindow
from pyland.observe.readers.opened_file import OpenedFile, opened, seconds_after
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

OVERPASSES = {"AM": "descending", "PM": "ascending"}

ALGORITHMS = {"baseline": "", "sca_h": "_scah", "sca_v": "_scav", "dca": "_dca"}
"""Endings of ``soil_moisture`` and ``retrieval_qual_flag`` by retrieval algorithm."""

SURFACE_BITS = ((FROZEN, (7, 8)), (SNOW, (5, 6)), (OPEN_WATER, (0, 1)), (VEGETATION, (10,)), (RAIN, (4,)))
"""Bits of ``surface_flag`` that say why a retrieval is not recommended, the first that is set counts [1]."""

EPOCH = np.datetime64("2000-01-01T11:58:55.816", "ms")
"""J2000 in UTC: the seconds of ``tb_time_seconds`` count from there, leap seconds included."""

_LEAPS = np.array(["2006-01-01", "2009-01-01", "2012-07-01", "2015-07-01", "2017-01-01"], "datetime64[s]")
_TIME_TOLERANCE = 120.0  # [s] more than any confusion of TT and UTC
_FOOTPRINTS = {36: 36.0e3, 9: 33.0e3, 3: 3.0e3}
_GROUP = "Soil_Moisture_Retrieval_Data"
_CLOSE = 0.01  # [degrees] coordinates of the file against the grid


def read_smap_l3(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    type: str = "soil_moisture",
    overpass: str = "both",
    algorithm: str = "baseline",
    rejected_bits: int = 0b111,
    polarisation: str = "both",
    sigma: float | None = None,
    footprint: float | None = None,
    depth: tuple[float, float] = (0.0, 0.05),
) -> ObservationTable:
    """Read soil moisture or brightness temperatures.

    Parameters
    ----------
    paths : list of Path
        Daily files, ``SMAP_L3_SM_P_*.h5`` or ``SMAP_L3_SM_P_E_*.h5``; one grid at a time.
    period, bounds : optional
        See `Selection.of`.
    type : {"soil_moisture", "brightness_temperature"}
        What to read.
    overpass : {"both", "AM", "PM"}
        Descending, ascending or both passes.
    algorithm : {"baseline", "sca_h", "sca_v", "dca"}
        Retrieval of the soil moisture; the baseline is the product's own choice.
    rejected_bits : int
        Bits of ``retrieval_qual_flag`` that reject a retrieval: 1 not recommended, 2 not attempted, 4 not successful.
        6 takes retrievals that are not recommended too.
    polarisation : {"both", "H", "V"}
        Of brightness temperatures.
    sigma : float, optional
        Standard deviation of the error [unit of the type] where the file has none; default 0.04 m3 m-3 [2] and
        1.3 K [3].
    footprint : float, optional
        Diameter of the footprint [m]; default 36 km, and 33 km for the 9 km grid, which is finer than what is seen.
    depth : tuple of float
        Sensed layer [m].

    Returns
    -------
    ObservationTable
        With ``orbit``, ``frozen_probability`` [1] (frozen fraction of the cell), ``open_water`` [1],
        ``vegetation_water`` [kg m-2], ``surface_temperature`` [K], and ``polarisation`` for brightness temperatures.

    Raises
    ------
    InputError
        If an option is none of these, or a file is not such a product.
    """
    if type not in ("soil_moisture", "brightness_temperature"):
        raise InputError(f"smap_l3: type must be soil_moisture or brightness_temperature, got {type!r}.")
    for what, given, known in (("overpass", overpass, ("both", *OVERPASSES)), ("algorithm", algorithm, ALGORITHMS),
                               ("polarisation", polarisation, ("both", "H", "V"))):
        if given not in known:
            raise InputError(f"smap_l3: {what} must be one of {', '.join(known)}, got {given!r}.")
    for what, given, default, other in (("polarisation", polarisation, "both", "soil_moisture"),
                                        ("algorithm", algorithm, "baseline", "brightness_temperature")):
        if type == other and given != default:
            raise InputError(f"smap_l3: expected no option {what} with type {type}, which has none, got {given!r}.")
    sigma = sigma if sigma is not None else {"soil_moisture": 0.04, "brightness_temperature": 1.3}[type]
    chosen = Selection.of(period, bounds)
    rows, grids, versions = RowCollector(type, chosen), {}, {}
    for path in paths:
        with opened(path) as file:
            groups = _groups(file, overpass)
            grid = _grid_of(file, groups[0], type, algorithm)
            if grids and grid not in grids:
                raise InputError(f"{path}: is on the {grid.kilometres} km grid, {next(iter(grids.values()))} on the "
                                 f"{next(iter(grids)).kilometres} km grid. Read the two products apart.")
            grids.setdefault(grid, path)
            versions[_version(path)] = None
            window = GridWindow(grid.latitude, grid.longitude, chosen)
            for name, word, ending in groups:
                source = _Pass(file, f"{name}/", ending, window)
                rows.outside_bounds(window.outside)
                if type == "soil_moisture":
                    _add_soil_moisture(rows, source, word, ALGORITHMS[algorithm], rejected_bits, sigma)
                    continue
                for one in ("H", "V") if polarisation == "both" else (polarisation,):
                    _add_brightness(rows, source, word, one, sigma)
    grid = next(iter(grids))
    reach = dict.fromkeys(("top", "bottom")) if type != "soil_moisture" else {"top": depth[0], "bottom": depth[1]}
    reach = {name: np.nan if value is None else value for name, value in reach.items()}
    return rows.table(
        f"SMAP L3{'E' if grid.kilometres < 36 else ''} {grid.kilometres} km",
        footprint=footprint if footprint is not None else _FOOTPRINTS[grid.kilometres], **reach,
        extra_units={"frozen_probability": "1", "open_water": "1", "vegetation_water": "kg m-2",
                     "surface_temperature": "K"},
        provenance={"product_version": "\n".join(versions)})


class _Pass:
    """A group of a file: its names have an ending, and may be read over the cells of the box that hold a value."""

    def __init__(self, file: OpenedFile, group: str, ending: str, window: GridWindow) -> None:
        self.file, self.group, self.ending, self.window = file, group, ending, window

    def has(self, name: str) -> bool:
        return f"{self.group}{name}{self.ending}" in self.file

    def full(self, name: str) -> str:
        return f"{self.group}{name}{self.ending}"

    def values(self, name: str, chosen: np.ndarray | None = None) -> np.ndarray:
        return self.window.values(self.file, self.full(name), chosen=chosen)

    def optional(self, name: str, found: np.ndarray) -> np.ndarray:
        """Return a variable at some cells, NaN if the file lacks it."""
        return self.values(name, found) if self.has(name) else np.full(found.size, np.nan)

    def bits(self, name: str, found: np.ndarray) -> np.ndarray:
        """Return a flag at some cells; a missing flag has all bits set."""
        values = self.window.raw(self.file, self.full(name))[found]
        fills = self.file.fills(self.file.variable(self.full(name)), values.dtype)
        return np.where(np.isin(values, fills), 0xFFFF, values.astype(np.int64))

    def times(self, found: np.ndarray) -> np.ndarray:
        """Return the times of some cells."""
        if self.has("tb_time_seconds"):
            seconds = self.values("tb_time_seconds", found)
            return self._checked(seconds, _utc(seconds), found)
        if not self.has("tb_time_utc"):
            self.file.first_of((self.full("tb_time_seconds"), self.full("tb_time_utc")), "time of observation")
        return np.array([_parsed(one) for one in self.window.raw(self.file, self.full("tb_time_utc"))[found]],
                        "datetime64[s]")

    def _checked(self, seconds: np.ndarray, times: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Set the epoch by the time in words of one cell: documents of the product differ by up to 69 s (TT or UTC)."""
        known = np.flatnonzero(~np.isnat(times))
        if not known.size or not self.has("tb_time_utc"):
            return times
        row, column = np.divmod(found[known[0]], self.window.columns.size)
        index = (slice(self.window.rows[row], self.window.rows[row] + 1),
                 slice(self.window.columns[column], self.window.columns[column] + 1))
        said = _parsed(np.ravel(self.file.raw(self.full("tb_time_utc"), index))[0])
        apart = 0.0 if np.isnat(said) else (times[known[0]] - said) / np.timedelta64(1, "s")
        if abs(apart) > _TIME_TOLERANCE:
            raise InputError(f"{self.file.path}: in {self.group}, tb_time_seconds {seconds[known[0]]:.1f} stands for "
                             f"{times[known[0]]}, but tb_time_utc says {said}. The file is damaged; fetch it again.")
        return times - np.timedelta64(round(apart), "s")


def _add_soil_moisture(rows: RowCollector, source: _Pass, orbit: str, algorithm: str, rejected_bits: int,
                       sigma: float) -> None:
    file, name = source.file, f"soil_moisture{algorithm}"
    factor = file.factor(source.full(name), "soil_moisture")
    values = source.values(name) * factor
    flag_name = f"retrieval_qual_flag{algorithm}"
    if not source.has(flag_name):
        raise InputError(f"{file.path}: has no quality flag '{source.full(flag_name)}'; a retrieval without it cannot "
                         "be judged. Is this the product that the reader expects?")
    found = np.flatnonzero(np.isfinite(values))
    rows.no_value(values.size - found.size)
    flag = np.where(source.bits(flag_name, found) & rejected_bits, QUALITY, USED).astype(np.int8)
    if source.has("surface_flag"):
        surface = source.bits("surface_flag", found)
        known = (flag == QUALITY) & (surface != 0xFFFF)
        for reason, bits in reversed(SURFACE_BITS):
            flag[known & ((surface & sum(1 << bit for bit in bits)) != 0)] = reason
    errors = source.optional("soil_moisture_error", found) * factor
    _add(rows, source, found, values, np.where(errors > 0.0, errors, sigma), flag, {"orbit": orbit})


def _add_brightness(rows: RowCollector, source: _Pass, orbit: str, polarisation: str, sigma: float) -> None:
    name = f"tb_{polarisation.lower()}_corrected"
    values = source.values(name) * source.file.factor(source.full(name), "brightness_temperature")
    found = np.flatnonzero(np.isfinite(values))
    rows.no_value(values.size - found.size)
    flag_name = f"tb_qual_flag_{polarisation.lower()}"
    if not source.has(flag_name):
        raise InputError(f"{source.file.path}: has no quality flag '{source.full(flag_name)}'; a brightness "
                         "temperature without it cannot be judged.")
    flag = np.where(source.bits(flag_name, found) & 1, QUALITY, USED)
    _add(rows, source, found, values, sigma, flag, {"orbit": orbit, "polarisation": polarisation})


def _add(rows: RowCollector, source: _Pass, found: np.ndarray, values: np.ndarray, sigma: np.ndarray | float,
         flag: np.ndarray, words: dict[str, str]) -> None:
    latitude, longitude, location = source.window.places(found)
    rows.add(
        source.file.path, value=values[found], sigma=sigma, flag=flag, time=source.times(found), latitude=latitude,
        longitude=longitude, location=location, incidence_angle=source.optional("boresight_incidence", found),
        extra={**words, "frozen_probability": source.optional("freeze_thaw_fraction", found),
               "open_water": source.optional("static_water_body_fraction", found),
               "vegetation_water": source.optional("vegetation_water_content", found),
               "surface_temperature": source.optional("surface_temperature", found)})


def _groups(file: OpenedFile, overpass: str) -> list[tuple[str, str, str]]:
    """Return name, orbit and ending of the groups to read."""
    present = list(file.dataset.groups)
    found = [(f"{_GROUP}_{one}", OVERPASSES[one], "_pm" if one == "PM" else "") for one in OVERPASSES
             if overpass in ("both", one) and f"{_GROUP}_{one}" in present]
    if not found and overpass in ("both", "AM") and _GROUP in present:
        found = [(_GROUP, OVERPASSES["AM"], "")]  # the first versions have the morning only
    if not found:
        wanted = " and ".join(f"{_GROUP}_{one}" for one in OVERPASSES if overpass in ("both", one))
        raise InputError(f"{file.path}: has no group {wanted}; its groups are: {', '.join(present) or 'none'}. "
                         "Expected a file of SPL3SMP or SPL3SMP_E.")
    return found


def _grid_of(file: OpenedFile, group: tuple[str, str, str], observation_type: str, algorithm: str) -> EaseGrid:
    name = f"soil_moisture{ALGORITHMS[algorithm]}" if observation_type == "soil_moisture" else "tb_v_corrected"
    shape = file.variable(f"{group[0]}/{name}{group[2]}").shape
    grid = EaseGrid.of_shape(shape)
    if grid is None:
        raise InputError(f"{file.path}: '{group[0]}/{name}{group[2]}' has the shape {shape}; expected (406, 964) or "
                         "(1624, 3856), the global EASE-Grid 2.0 of 36 or 9 km.")
    for what, centres, axis in (("latitude", grid.latitude, 0), ("longitude", grid.longitude, 1)):
        full = f"{group[0]}/{what}{group[2]}"
        if full in file:
            middle = shape[1 - axis] // 2
            line = file.numbers(full, (slice(None), middle) if axis == 0 else (middle, slice(None)))
            apart = np.abs(line - centres)
            if (apart[np.isfinite(apart)] > _CLOSE).any():
                raise InputError(f"{file.path}: '{full}' differs by {np.nanmax(apart):.3f} degrees from the "
                                 f"{grid.kilometres} km EASE-Grid 2.0 of its shape {shape}. The file is not the "
                                 "product that the reader expects.")
    return grid


def _utc(seconds: np.ndarray) -> np.ndarray:
    """Return UTC of seconds since J2000 that count leap seconds."""
    times = seconds_after(EPOCH, seconds)
    leaps = np.where(np.isnat(times), 0, np.searchsorted(_LEAPS, times, "right"))
    return times - leaps.astype("timedelta64[s]")


def _parsed(text: object) -> np.datetime64:
    """Return the time that a text says, NaT for fills such as ``N/A``."""
    word = text.decode() if isinstance(text, bytes) else str(text)
    try:
        exact = np.datetime64(word.strip().removesuffix("Z"), "ms")
        return (exact + np.timedelta64(500, "ms")).astype("datetime64[s]")  # to the nearest second, as of numbers
    except ValueError:
        return np.datetime64("NaT", "s")


def _version(path: Path) -> str:
    """Return release and version of the file name, ``R18290_001`` of ``SMAP_L3_SM_P_20180601_R18290_001.h5``."""
    parts = path.stem.split("_")
    return "_".join(parts[-2:]) if len(parts) > 2 and parts[-2].startswith("R") else path.stem
