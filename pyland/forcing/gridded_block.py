"""Blocks of a gridded product: read, made into fields of the weather, carried to the cells and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pyland.forcing.checks import check_values
from pyland.forcing.file_set import FileSet
from pyland.forcing.moist_air import (
    STEFAN_BOLTZMANN,
    humidity_from_vapour,
    saturation_pressure,
)
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.products import AMOUNT_OF_DAY
from pyland.forcing.regridding import Regridding

SMALL_AMOUNT = 0.01
"""Amounts of water of an interval down to minus this, or minus two steps of packing, are noise of packing and set to
zero [kg m-2]; 16 bits hold a day's 100 mm in steps of 0.0015 mm, so that differences of them err by that."""

GROUND_EMISSIVITY = 0.996
"""Longwave emissivity of the ground in COSMO [1], Doms et al. (2011), description of COSMO, part II, section 4.2."""

_DAY = 86400


@dataclass(frozen=True)
class FieldTiming:
    """What the values of a field stand for.

    Attributes
    ----------
    is_instant : bool
        They hold at their stamps; else they are means.
    before : float
        Share of an interval by which the window of a mean begins before its stamp [1].
    """

    is_instant: bool
    before: float

    def stamps(self, first: int, last: int) -> tuple[int, int]:
        """First stamp, and the one after the last, that intervals ``first`` to ``last - 1`` need."""
        if self.is_instant:
            return first, last + 1
        return math.floor(first + self.before - 1.0) + 1, math.ceil(last + self.before)

    def cover(self, first: int, last: int) -> tuple[float, float]:
        """Start and end [intervals] of what stamps ``first`` to ``last`` cover."""
        return (first, last) if self.is_instant else (first - self.before, last - self.before + 1.0)


@dataclass(frozen=True)
class Block:
    """Fields of some adjoining intervals.

    Attributes
    ----------
    values : mapping of str to numpy.ndarray
        ``(stamp, cell)`` by field, SI.
    first_stamp : mapping of str to int
        Number of the first stamp of each field.
    clipped : int
        Values that were noise of packing and set to a bound.
    """

    values: Mapping[str, np.ndarray]
    first_stamp: Mapping[str, int]
    clipped: int

    def at(self, name: str, stamp: int) -> np.ndarray:
        """One field at one stamp, ``(cell,)``; read only."""
        return self.values[name][stamp - self.first_stamp[name]]


class BlockReader:
    """Reads blocks; a function of the files and of the interval numbers alone.

    Parameters
    ----------
    files : FileSet
        The files.
    regridding : Regridding
        Weights from their points to the cells.
    phase : PrecipitationPhase or None
        Rule that splits precipitation; None where the product has snowfall and is to be believed.

    Attributes
    ----------
    origin : int
        Time of stamp 0, seconds since 1970-01-01.
    timing : dict of str to FieldTiming
        By field of the weather as the product has it.
    cover : tuple of int
        First interval and the one after the last that all fields cover.
    """

    def __init__(self, files: FileSet, regridding: Regridding, phase: PrecipitationPhase | None) -> None:
        self._files, self._regridding, self._phase = files, regridding, phase
        self.interval = files.product.interval
        self.origin = max(int(files.series[key].stamps[0]) for key in files.quantities)
        quantities = {name: files.product.quantities[recipe[0]] for name, recipe in files.recipes.items()}
        self.timing = {name: FieldTiming(one.is_instant, one.before) for name, one in quantities.items()}
        covers = [self._cover(name, key) for name, recipe in files.recipes.items() for key in recipe]
        self.cover = (math.ceil(max(first for first, _ in covers)), math.floor(min(last for _, last in covers)))

    def read(self, first: int, last: int) -> Block:
        """Read intervals ``first`` to ``last - 1``.

        Raises
        ------
        InputError
            If a file is damaged, or a value is missing or impossible.
        """
        raw: dict[tuple[str, int, int], np.ndarray] = {}
        values: dict[str, np.ndarray] = {}
        starts: dict[str, int] = {}
        clipped = 0
        for name, recipe in self._files.recipes.items():
            begin, end = self.timing[name].stamps(first, last)
            for key in recipe:
                if (key, begin, end) not in raw:
                    raw[key, begin, end] = self._read(key, begin, end)
            made = _MAKERS.get(recipe, _take)(*(raw[key, begin, end] for key in recipe))
            fields = self._regridding.apply(made)
            clipped += self._check(name, recipe, fields, begin)
            values[name], starts[name] = fields, begin
        self._split_precipitation(values, starts)
        for fields in values.values():
            fields.flags.writeable = False
        return Block(values, starts, clipped)

    def _cover(self, name: str, key: str) -> tuple[float, float]:
        """Start and end [intervals] of what a quantity covers."""
        series = self._files.series[key]
        first, last = ((int(one) - self.origin) // self.interval for one in series.stamps[[0, -1]])
        if series.quantity.meaning == AMOUNT_OF_DAY and not self._begins_day(first):
            first += 1  # the sum up to the first stamp needs the stamp before it
        return self.timing[name].cover(first, last)

    def _begins_day(self, stamp: int) -> bool:
        """Whether a stamp is the first of the day that sums since 00 UTC are made for."""
        return (self.origin + stamp * self.interval) % _DAY == self.interval

    def _read(self, key: str, begin: int, end: int) -> np.ndarray:
        """Quantity at stamps ``begin`` to ``end - 1`` in the box, ``(stamp, point)``; sums of a day as rates."""
        series = self._files.series[key]
        zero = (int(series.stamps[0]) - self.origin) // self.interval
        box = self._regridding.rows, self._regridding.columns
        if series.quantity.meaning != AMOUNT_OF_DAY:
            return self._files.read(key, begin - zero, end - zero, *box)
        before = 0 if self._begins_day(begin) else 1
        sums = self._files.read(key, begin - before - zero, end - zero, *box)
        rates = sums[before:].copy()
        for place, stamp in enumerate(range(begin, end)):
            if not self._begins_day(stamp):
                rates[place] -= sums[place + before - 1]
        return rates

    def _check(self, name: str, recipe: tuple[str, ...], fields: np.ndarray, begin: int) -> int:
        """Check a field at the cells and set noise of packing to its bound; return how many values."""
        series = [self._files.series[key] for key in recipe]
        noise = 2.0 * max(one.packing_step for one in series)
        if name in ("precipitation", "snowfall"):
            noise = max(noise, SMALL_AMOUNT / self.interval)
        small = (fields < 0.0) & (fields >= -noise)
        fields[small] = 0.0
        moment = np.datetime64(self.origin + begin * self.interval, "s")
        label = ", ".join(one.label for one in series)
        return int(small.sum()) + check_values(fields, name, label, self._files.path, moment, self.interval)

    def _split_precipitation(self, values: dict[str, np.ndarray], starts: dict[str, int]) -> None:
        """Replace total precipitation by rain and snowfall."""
        total, begin = values.pop("precipitation"), starts.pop("precipitation")
        if self._phase is None:
            snow = np.minimum(values["snowfall"], total)
            rain = total - snow
        else:
            window = begin - int(self.timing["precipitation"].before)  # interval of the first mean
            air = []
            for name in ("air_temperature", "specific_humidity", "surface_pressure"):
                nodes = values[name][window - starts[name] : window - starts[name] + total.shape[0] + 1]
                air.append(0.5 * (nodes[:-1] + nodes[1:]))
            rain, snow = self._phase.split(total, *air)
        values["rain"], values["snowfall"] = rain, snow
        starts["rain"] = starts["snowfall"] = begin


def _take(values: np.ndarray) -> np.ndarray:
    return values


def _humidity_from_dewpoint(dewpoint: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """Specific humidity [kg kg-1]; the dew point is over water, as that of ERA5 and COSMO."""
    return humidity_from_vapour(saturation_pressure(dewpoint), pressure)


def _humidity_from_relative(humidity: np.ndarray, temperature: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    return humidity_from_vapour(humidity * saturation_pressure(temperature), pressure)


def _longwave_from_net(net: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Downward longwave [W m-2] where the ground takes up ``net`` and emits at its temperature."""
    return net / GROUND_EMISSIVITY + STEFAN_BOLTZMANN * ground**4


_MAKERS = {
    ("dewpoint_temperature", "surface_pressure"): _humidity_from_dewpoint,
    ("relative_humidity", "air_temperature", "surface_pressure"): _humidity_from_relative,
    ("eastward_wind", "northward_wind"): np.hypot,
    ("shortwave_direct", "shortwave_diffuse"): np.add,
    ("snowfall_grid_scale", "snowfall_convective"): np.add,
    ("longwave_net", "ground_temperature"): _longwave_from_net,
}
"""How fields are made of several quantities, at the points of the source; one quantity is taken as it is."""
