"""Weather from a gridded product: ERA5, ERA5-Land, COSMO-REA6, CMFD.

References
----------
.. [1] ECMWF (2016). IFS documentation CY41R2, part IV, section 3.11: wind at 10 m is diagnosed for open terrain with a
       roughness of 0.03 m.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.file_set import FileSet, fingerprint
from pyland.forcing.gridded_block import Block, BlockReader
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.products import PRODUCTS, Product
from pyland.forcing.read_ahead import BlockCache, ReadingTimes
from pyland.forcing.regridding import CellPlaces, Regridding
from pyland.forcing.solar import SolarGeometry, seconds_since_1970
from pyland.forcing.within_interval import Part, check_step, parts_of_step, shortwave_part

FIELDS = ("air_temperature", "specific_humidity", "surface_pressure", "wind_speed", "longwave_down", "rain", "snowfall")
"""Fields beside shortwave, which follows the sun."""

OPEN_TERRAIN_ROUGHNESS = 0.03  # of the terrain that winds at 10 m are given for [m], reference 1
LOWEST_HEIGHT = 1.0  # of ``forcing.height``: the profile has no meaning close to the roughness [m]
LOWEST_SUN = 0.05  # cosine of the zenith angle below which radiation at a stamp says nothing about clouds [1]
BRIGHTEST = 1412.0  # radiation over cosine of the zenith angle, at most that above the atmosphere in January [W m-2]

_BLOCK_MEMORY = 64 * 2**20  # of a block and what is read for it [byte]
_DAY_MEMORY = 256 * 2**20  # up to which a block is a day at least: files are compressed in pieces of days [byte]
_DAY, _LONGEST_BLOCK = 86400, 31 * 86400  # [s]


class GriddedForcing:
    """Weather of a gridded product at the cells of a domain.

    Parameters
    ----------
    product : str
        One of `pyland.forcing.products.PRODUCTS`.
    path : str or Path
        Files: a folder, a file or a pattern.
    cells : CellPlaces
        Where weather is needed.
    regridding : {"bilinear", "conservative", "nearest"}
        How fields come from the points of the product to the cells.
    variables : mapping of str to str, optional
        Names in the files by quantity of the product, where they are none of its table.
    reference_height : float, optional
        Height above ground that the wind is brought to [m]; that of the product by default.
    phase : PrecipitationPhase, optional
        Rule for rain and snow; by default (method ``given``) that of the product where it has snowfall.
    start, end : numpy.datetime64, optional
        Period that will be asked for, UTC; gaps outside it do not matter.

    Attributes
    ----------
    source_elevation : numpy.ndarray or None
        Elevation that the weather stands for [m], ``(cell,)``; None if no file has it.
    times : ReadingTimes
        Where the time of reading went.

    Raises
    ------
    InputError
        If files, variables, units, time stamps or the grid do not fit; all problems of the files at once.

    Notes
    -----
    Fields that hold at stamps are straight lines between them, and a step gets their mean. Means and amounts are
    constant within their window, so that steps return them, but for shortwave, which follows the sun within its window.
    Shortwave that holds at stamps is its ratio to the cosine of the zenith angle, on a straight line between stamps,
    times the mean cosine of the step. The wind speed is made at the points of the product, so that winds from opposite
    sides do not cancel. Where ``reference_height`` is not that of the wind, the logarithmic profile over open terrain
    of [1]_ of the module brings the wind there; temperature and humidity are taken as they are.
    """

    def __init__(
        self,
        product: str,
        path: str | Path,
        cells: CellPlaces,
        *,
        regridding: str = "bilinear",
        variables: Mapping[str, str] | None = None,
        reference_height: float | None = None,
        phase: PrecipitationPhase | None = None,
        start: np.datetime64 | None = None,
        end: np.datetime64 | None = None,
    ) -> None:
        self.product: Product = PRODUCTS[product]
        self.name = f"{path} ({self.product.title})"
        self._files = FileSet(self.product, path, variables, start, end)
        self._regridding = Regridding(self._files.grid, cells, regridding, self._points_with_values())
        rule = phase or PrecipitationPhase()
        self.phase = None if rule.method == "given" and "snowfall" in self._files.recipes else rule
        self._reader = BlockReader(self._files, self._regridding, self.phase)
        self.interval = self.product.interval
        first, self._last = self._reader.cover
        if self._last <= first:
            raise InputError(
                f"{self.name}: no interval is covered by all variables; expected the same period in all files")
        self.start, self.end = (
            np.datetime64(self._reader.origin + one * self.interval, "s") for one in self._reader.cover)
        if start is not None:  # what precedes the period is no part of it, so that a longer archive changes nothing
            self.start = min(max(self.start, np.datetime64(start, "s")), self.end)
        self._first = (seconds_since_1970(self.start) - self._reader.origin) // self.interval
        self.ncell = cells.latitude.size
        self._sun = SolarGeometry(cells.latitude, cells.longitude)
        self._wind_factor = self._set_height(reference_height)
        self.source_elevation = self._files.elevation_at(cells, self._regridding)
        self._block_length = self._choose_block()
        self._clipped: dict[int, int] = {}
        self._cache = BlockCache(self._read_block, math.ceil((self._last - self._first) / self._block_length))

    @property
    def times(self) -> ReadingTimes:
        """Where the time of reading went so far."""
        return self._cache.times

    def read_ahead(self) -> AbstractContextManager[None]:
        """Read the next block in a thread within the context; see `pyland.forcing.read_ahead`."""
        return self._cache.read_ahead()

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Mean weather of a step; see `pyland.forcing.protocol.Forcing.weather`."""
        seconds = seconds_since_1970(start)
        cover = seconds_since_1970(self.start), seconds_since_1970(self.end)
        check_step(self.name, start, dt, float(seconds - cover[0]), float(cover[1] - cover[0]), (self.start, self.end))
        offset = float(seconds - self._reader.origin)
        fields = {name: self._mean(name, offset, dt) for name in FIELDS}
        fields["wind_speed"] *= self._wind_factor
        fields["shortwave_down"] = self._shortwave(offset, dt)
        fields["cosine_zenith"] = self._sun.mean_sunlit_cosine(seconds, dt)
        fields["daylength_factor"] = self._sun.daylength_factor(seconds + 0.5 * dt)
        return fields

    def checksums(self) -> dict[str, str]:
        """Size, time of change and SHA-256 of the head of every file, by path: cheap for files of gigabytes."""
        return {str(one.path): fingerprint(one.path) for one in self._files.files}

    def describe(self) -> dict[str, Any]:
        """Provenance: product, files, period, names, units, grid and treatment."""
        return {
            "format": self.product.name,
            "path": self._files.path,
            "files": len(self._files.files),
            "start": str(self.start),
            "end": str(self.end),
            "interval_seconds": self.interval,
            "ncell": self.ncell,
            "variables": {name: self._files.labels(recipe) for name, recipe in self._files.recipes.items()},
            "grid": self._files.grid.describe(),
            "regridding": self._regridding.describe(),
            "height_of_wind": self.product.wind_height,
            "height_of_temperature_and_humidity": self.product.air_height,
            "wind_factor": self._wind_factor,
            "precipitation_phase": "as in the files" if self.phase is None else self.phase.describe(),
            "block_intervals": self._block_length,
            "small_offsets_set_to_zero": sum(self._clipped.values()),
        }

    def elevation_names(self) -> str:
        """Names under which the files may hold the height of the surface."""
        return self._files.elevation_names()

    # ---- set-up ---------------------------------------------------------------------------------------------------

    def _points_with_values(self) -> np.ndarray:
        """Where the product has values, ``(row, column)``: those of the first air temperature."""
        rows, columns = (np.arange(size) for size in self._files.grid.shape)
        values = self._files.read("air_temperature", 0, 1, rows, columns)
        return np.isfinite(values).reshape(self._files.grid.shape)

    def _set_height(self, given: float | None) -> float:
        """Set the reference height and return what wind at the height of the product is multiplied by there [1]."""
        there = self.product.wind_height
        height = there if given is None else float(given)
        if not height >= LOWEST_HEIGHT:
            raise InputError(
                f"forcing.height must be {LOWEST_HEIGHT:g} m or more with forcing.format {self.product.name}, got "
                f"{height:g} m: wind is brought there from {there:g} m")
        self.reference_height = np.full(self.ncell, height)
        return math.log(height / OPEN_TERRAIN_ROUGHNESS) / math.log(there / OPEN_TERRAIN_ROUGHNESS)

    def _choose_block(self) -> int:
        """Intervals that are read at once: a day to a month, within bounds of memory."""
        points = self._regridding.rows.size * self._regridding.columns.size
        each = 8 * (len(self._files.quantities) * points + 2 * (len(FIELDS) + 1) * self.ncell)
        fitting = min(_BLOCK_MEMORY // each, _LONGEST_BLOCK // self.interval)
        fitting = max(fitting, min(_DAY_MEMORY // each, _DAY // self.interval), 1)
        return int(min(fitting, max(self._last - self._first, 1)))

    # ---- reading --------------------------------------------------------------------------------------------------

    def _read_block(self, number: int) -> Block:
        first = self._first + number * self._block_length
        block = self._reader.read(first, min(first + self._block_length, self._last))
        self._clipped[number] = block.clipped
        return block

    def _at(self, name: str, stamp: int, moment: float) -> np.ndarray:
        """Field at a stamp, from the block of the interval that ``moment`` [s] lies in; the same in all blocks."""
        interval = math.floor(moment / self.interval)
        return self._cache.block((interval - self._first) // self._block_length).at(name, stamp)

    def _mean(self, name: str, offset: float, dt: float) -> np.ndarray:
        """Mean of a field over a step, ``(cell,)``, a new array."""
        timing = self._reader.timing["precipitation" if name in ("rain", "snowfall") else name]
        result = np.zeros(self.ncell)
        shift = 0.0 if timing.is_instant else -timing.before * self.interval
        for part in parts_of_step(offset, dt, self.interval, shift):
            values = self._at(name, part.index, part.begin)
            if timing.is_instant:
                middle = (part.begin + 0.5 * part.length) / self.interval - part.index
                values = (1.0 - middle) * values + middle * self._at(name, part.index + 1, part.begin)
            result += values * (part.length / dt)
        return result

    def _shortwave(self, offset: float, dt: float) -> np.ndarray:
        """Mean shortwave of a step [W m-2], ``(cell,)``."""
        timing, origin = self._reader.timing["shortwave_down"], self._reader.origin
        result = np.zeros(self.ncell)
        shift = 0.0 if timing.is_instant else -timing.before * self.interval
        for part in parts_of_step(offset, dt, self.interval, shift):
            if timing.is_instant:
                result += self._shortwave_between_stamps(part) * (part.length / dt)
                continue
            window = origin + shift + part.index * self.interval
            mean = self._at("shortwave_down", part.index, part.begin)
            absolute = part._replace(begin=origin + part.begin)
            result += shortwave_part(self._sun, mean, window, self.interval, absolute, dt)
        return result

    def _shortwave_between_stamps(self, part: Part) -> np.ndarray:
        """Mean shortwave of a part of an interval [W m-2] from its values at both ends."""
        ends = [self._at("shortwave_down", stamp, part.begin) for stamp in (part.index, part.index + 1)]
        origin = self._reader.origin
        cosines = [self._sun.cosine_zenith(origin + (part.index + one) * self.interval) for one in (0, 1)]
        high = [one >= LOWEST_SUN for one in cosines]
        left, right = (np.minimum(end / np.maximum(cosine, LOWEST_SUN), BRIGHTEST)
                       for end, cosine in zip(ends, cosines, strict=True))
        left, right = np.where(high[0], left, right), np.where(high[1], right, left)
        middle = (part.begin + 0.5 * part.length) / self.interval - part.index
        lit, _ = self._sun.sunlit(origin + part.begin, part.length)
        with_sun = ((1.0 - middle) * left + middle * right) * (lit / part.length)
        without = (1.0 - middle) * ends[0] + middle * ends[1]
        return np.where(high[0] | high[1], with_sun, without)
