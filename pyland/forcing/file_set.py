"""The files of a gridded product: found by the variables they hold, ordered by time, checked as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.product_file import ProductFile, read_rows, scan_file
from pyland.forcing.products import AMOUNT, AMOUNT_OF_DAY, RECIPES, Product, Quantity
from pyland.forcing.regridding import CellPlaces, Regridding
from pyland.forcing.solar import seconds_since_1970
from pyland.forcing.source_grid import SourceGrid
from pyland.forcing.units import to_si

SUFFIXES = (".nc", ".nc4", ".cdf", ".netcdf")
HEAD = 1 << 16  # part of a file that its fingerprint is made of [byte]
GRAVITY_OF_GEOPOTENTIAL = 9.80665  # standard gravity that geopotential is divided by [m s-2]
_SAME_PLACE = 1e-4  # coordinates of files of one grid agree to this [degrees]
_SHOWN = 10  # problems that are listed
_WATER = " of water equivalent"  # which pint does not know


@dataclass(frozen=True)
class QuantitySeries:
    """A quantity over all files.

    Attributes
    ----------
    quantity : Quantity
        Its entry in the table of the product.
    label : str
        Name in the files.
    stamps : numpy.ndarray of int
        Time stamps in order, seconds since 1970-01-01, ``(time,)``.
    file, row : numpy.ndarray of int
        Which file and which stamp of it, ``(time,)``.
    slope, offset : numpy.ndarray
        ``slope * value + offset`` is the value in ``quantity.unit``, ``(file,)``; an amount becomes a rate.
    packing_step : float
        Coarsest step of packed values, in ``quantity.unit``.
    """

    quantity: Quantity
    label: str
    stamps: np.ndarray
    file: np.ndarray
    row: np.ndarray
    slope: np.ndarray
    offset: np.ndarray
    packing_step: float


class FileSet:
    """All files of a case for one product.

    Parameters
    ----------
    product : Product
        Table of the product.
    path : str or Path
        A file, a folder, or a pattern with ``*`` and ``?``.
    variables : mapping of str to str, optional
        Names in the files by quantity of the product, where they are none of its table.
    start, end : numpy.datetime64, optional
        Period that must be without gaps, UTC; by default all of the files.

    Attributes
    ----------
    series : dict of str to QuantitySeries
        By quantity.
    recipes : dict of str to tuple of str
        Quantities that each field of the weather is made of.
    grid : SourceGrid
        The grid.

    Raises
    ------
    InputError
        If files are missing or do not fit together; all problems at once.
    """

    def __init__(
        self, product: Product, path: str | Path, variables: Mapping[str, str] | None = None,
        start: np.datetime64 | None = None, end: np.datetime64 | None = None,
    ) -> None:
        self.product, self.path = product, str(path)
        self._problems: list[str] = []
        names = self._names(dict(variables or {}))
        wanted = frozenset(name for some in names.values() for name in some)
        heights = frozenset((*product.elevation, *product.geopotential))
        found = self._scan(find_files(path), wanted | heights)
        self.files = [one for one in found if not wanted.isdisjoint(one.variables)]
        self._heights = [one for one in found if not heights.isdisjoint(one.variables)]
        if not self.files:
            self._problems.append(
                f"{self.path}: no file has a variable of {self.product.title} ({', '.join(sorted(wanted))}); name "
                "others in forcing.variables")
            self._raise()
        self.grid = self._common_grid()
        self.series = {key: series for key, some in names.items() if (series := self._join(key, some)) is not None}
        self.recipes = self._choose_recipes()
        needed = {key: self.series[key] for key in self.quantities}
        self._check_phase(list(needed.values()))
        period = None if start is None or end is None else (seconds_since_1970(start), seconds_since_1970(end))
        for series in needed.values():
            self._check_regular(series, period)
        self._raise()
        self.series = {key: self._around(one, None if period is None else period[0]) for key, one in needed.items()}

    @property
    def quantities(self) -> list[str]:
        """Quantities that are read, each once."""
        return list(dict.fromkeys(key for recipe in self.recipes.values() for key in recipe))

    def read(self, key: str, first: int, last: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Read a quantity over a box.

        Parameters
        ----------
        key : str
            The quantity.
        first, last : int
            Stamps ``first`` to ``last - 1`` of its series.
        rows, columns : numpy.ndarray of int
            The box, see `pyland.forcing.product_file.read_rows`.

        Returns
        -------
        numpy.ndarray
            ``(time, row * column)`` in the unit of the quantity; amounts since 00 UTC as they are, per interval.
        """
        series = self.series[key]
        result = np.empty((last - first, rows.size * columns.size))
        place = first
        while place < last:
            number, row = int(series.file[place]), int(series.row[place])
            span = np.arange(place, last)
            same = (series.file[place:last] == number) & (series.row[place:last] - row == span - place)
            count = int(np.argmin(same)) if not same.all() else last - place
            values = read_rows(self.files[number].path, series.label, row, row + count, rows, columns,
                               self.grid.shape[1])
            target = result[place - first : place - first + count]
            np.multiply(values, series.slope[number], out=target)
            target += series.offset[number]
            place += count
        return result

    def elevation_at(self, cells: CellPlaces, regridding: Regridding) -> np.ndarray | None:
        """Height of the surface that the weather stands for.

        Parameters
        ----------
        cells : CellPlaces
            The cells.
        regridding : Regridding
            Weights of the weather; a file of heights on another grid, for instance of the whole earth, gets its own.

        Returns
        -------
        numpy.ndarray or None
            [m], ``(cell,)``; None if no file has it.

        Raises
        ------
        InputError
            If the heights do not cover the cells, or have another unit.
        """
        candidates = [(name, "m", 1.0) for name in self.product.elevation]
        candidates += [(name, "m2 s-2", GRAVITY_OF_GEOPOTENTIAL) for name in self.product.geopotential]
        for name, unit, divisor in candidates:
            file = next((one for one in self._heights if name in one.variables), None)
            if file is None:
                continue
            width = self.grid.shape[1]
            if not _is_same_grid(file, self.files[0]):
                grid = SourceGrid(file.latitude, file.longitude, self.product.spacing, str(file.path))
                regridding, width = Regridding(grid, cells, regridding.method), grid.shape[1]
            values = read_rows(file.path, name, 0, 1, regridding.rows, regridding.columns, width)[:1]
            return regridding.apply(to_si(values, file.variables[name].unit, unit, name, str(file.path)) / divisor)[0]
        return None

    def labels(self, recipe: Sequence[str]) -> list[str]:
        """Names in the files of some quantities, with their units."""
        series = [self.series[key] for key in recipe]
        return [f"{one.label} [{self.files[int(one.file[0])].variables[one.label].unit}]" for one in series]

    def elevation_names(self) -> str:
        """Names under which the height of the surface is looked for."""
        return ", ".join((*self.product.geopotential, *self.product.elevation))

    # ---- joining ----------------------------------------------------------------------------------------------------

    def _names(self, variables: dict[str, str]) -> dict[str, tuple[str, ...]]:
        """Names in the files by quantity: those of the case first."""
        unknown = sorted(set(variables) - set(self.product.quantities))
        if unknown:
            raise InputError(
                f"forcing.variables: {self.product.title} has no {', '.join(unknown)}; expected one of "
                f"{', '.join(self.product.quantities)}")
        return {key: (variables[key],) if key in variables else quantity.names
                for key, quantity in self.product.quantities.items()}

    def _scan(self, paths: Sequence[Path], names: frozenset[str]) -> list[ProductFile]:
        files = []
        for path in paths:
            try:
                found = scan_file(path, names)
            except InputError as error:
                self._problems.append(str(error))
                continue
            if found is not None:
                files.append(found)
        return files

    def _common_grid(self) -> SourceGrid:
        first = self.files[0]
        for other in self.files[1:]:
            if not _is_same_grid(first, other):
                self._problems.append(
                    f"{other.path}: has another grid than {first.path}; expected files of one area and resolution: "
                    "download them with one 'area', or keep them in different folders")
        try:
            return SourceGrid(first.latitude, first.longitude, self.product.spacing, str(first.path))
        except InputError as error:
            self._problems.append(str(error))
            self._raise()
            raise

    def _join(self, key: str, names: tuple[str, ...]) -> QuantitySeries | None:
        """Put the stamps of all files of a quantity in order."""
        quantity = self.product.quantities[key]
        label = next((name for name in names for file in self.files if name in file.variables), None)
        numbers = [i for i, file in enumerate(self.files) if label in file.variables and file.stamps.size]
        if label is None or not numbers:
            return None
        stamps = np.concatenate([self.files[i].stamps for i in numbers])
        file = np.concatenate([np.full(self.files[i].stamps.size, i) for i in numbers])
        row = np.concatenate([np.arange(self.files[i].stamps.size) for i in numbers])
        order = np.argsort(stamps, kind="stable")
        slope, offset = np.ones(len(self.files)), np.zeros(len(self.files))
        step = 0.0
        for i in numbers:
            try:
                slope[i], offset[i] = self._conversion(quantity, self.files[i], label)
            except InputError as error:
                self._problems.append(str(error))
            step = max(step, abs(slope[i]) * self.files[i].variables[label].packing_step)
        return QuantitySeries(quantity, label, stamps[order], file[order], row[order], slope, offset, step)

    def _conversion(self, quantity: Quantity, file: ProductFile, label: str) -> tuple[float, float]:
        """Slope and offset from the unit of a file to that of the quantity."""
        unit = file.variables[label].unit
        if unit is not None:
            unit = unit.replace(_WATER, "").strip()
            if quantity.meaning in (AMOUNT, AMOUNT_OF_DAY):
                unit = f"{unit} / {self.product.interval} s"
        zero, one = to_si(np.array([0.0, 1.0]), unit, quantity.unit, label, str(file.path))
        return float(one - zero), float(zero)

    def _choose_recipes(self) -> dict[str, tuple[str, ...]]:
        recipes = {}
        for field, alternatives in RECIPES.items():
            known = [one for one in alternatives if all(key in self.product.quantities for key in one)]
            found = next((one for one in known if all(key in self.series for key in one)), None)
            if found is not None:
                recipes[field] = found
            elif field != "snowfall":
                names = " or ".join(
                    " with ".join(f"{key} ({', '.join(self.product.quantities[key].names[:2])})" for key in one)
                    for one in known)
                self._problems.append(
                    f"{self.path}: no file has {field}; expected {names} over time; download it, or give its name in "
                    "forcing.variables")
        return recipes

    # ---- checks -----------------------------------------------------------------------------------------------------

    def _check_phase(self, needed: Sequence[QuantitySeries]) -> None:
        """Make sure that all stamps lie on one clock."""
        if needed:
            phase = int(needed[0].stamps[0]) % self.product.interval
            for series in needed:
                wrong = np.flatnonzero(series.stamps % self.product.interval != phase)
                if wrong.size:
                    self._problems.append(
                        f"{self._file_of(series, wrong[0])}: the stamp {_utc(series.stamps[wrong[0]])} UTC "
                        f"of '{series.label}' is not a multiple of {self.product.interval} s after the first stamp of "
                        f"'{needed[0].label}'; expected {self.product.title} as it is delivered")

    def _check_regular(self, series: QuantitySeries, period: tuple[int, int] | None) -> None:
        """Make sure that stamps follow each other by one interval within the period."""
        interval = self.product.interval
        steps = np.diff(series.stamps)
        twice = np.flatnonzero(steps == 0)
        if twice.size:
            i = int(twice[0])
            self._problems.append(
                f"{self._file_of(series, i + 1)}: '{series.label}' at {_utc(series.stamps[i])} UTC is in "
                f"{self._file_of(series, i)}, too; {twice.size} stamps overlap; keep one of the files")
        gaps = np.flatnonzero(steps > interval)
        if period is not None:
            gaps = gaps[(series.stamps[gaps + 1] > period[0] - interval) & (series.stamps[gaps] < period[1] + interval)]
        if gaps.size:
            i = int(gaps[0])
            count = int((steps[gaps] // interval - 1).sum())
            self._problems.append(
                f"{self.path}: '{series.label}' has {gaps.size} gap(s) of {count} stamps; the first is between "
                f"{_utc(series.stamps[i])} and {_utc(series.stamps[i + 1])} UTC (expected every "
                f"{interval} s); download what is missing, or choose a period without gaps")

    def _around(self, series: QuantitySeries, moment: int | None) -> QuantitySeries:
        """Keep the stamps that reach without a gap to a moment, in seconds since 1970-01-01; all by default."""
        gaps = np.flatnonzero(np.diff(series.stamps) != self.product.interval)
        if moment is None or gaps.size == 0:
            return series
        here = int(np.searchsorted(series.stamps[gaps + 1], moment + self.product.interval))
        first = int(gaps[here - 1]) + 1 if here > 0 else 0
        last = int(gaps[here]) + 1 if here < gaps.size else series.stamps.size
        kept = slice(first, last)
        return replace(series, stamps=series.stamps[kept], file=series.file[kept], row=series.row[kept])

    def _file_of(self, series: QuantitySeries, place: int) -> Path:
        return self.files[int(series.file[place])].path

    def _raise(self) -> None:
        if not self._problems:
            return
        shown = self._problems[:_SHOWN]
        if len(self._problems) > _SHOWN:
            shown.append(f"... and {len(self._problems) - _SHOWN} more")
        head = "" if len(shown) == 1 else f"the files of {self.product.title} have {len(self._problems)} problems:\n"
        raise InputError(head + "\n".join(shown))


def find_files(path: str | Path) -> list[Path]:
    """Return the netCDF files of a path, in the order of their names.

    Parameters
    ----------
    path : str or Path
        A file, a folder (with its subfolders), or a pattern with ``*``, ``?`` and ``**``.

    Raises
    ------
    InputError
        If there is none.
    """
    place = Path(path)
    if place.is_file():
        return [place]
    if place.is_dir():
        found = sorted(one for one in place.rglob("*") if one.suffix in SUFFIXES and one.is_file())
    else:
        pattern = str(place.relative_to(place.anchor))
        found = sorted(one for one in Path(place.anchor or ".").glob(pattern) if one.is_file())
    if not found:
        raise InputError(
            f"{path}: no netCDF files there ({', '.join(SUFFIXES)}); check forcing.path: a folder, a file, or a "
            "pattern such as era5/*.nc (relative paths start at the case directory)")
    return found


def _is_same_grid(one: ProductFile, other: ProductFile) -> bool:
    """Whether two files have the same points."""
    pairs = ((one.latitude, other.latitude), (one.longitude, other.longitude))
    return all(a.shape == b.shape and np.abs(a - b).max() < _SAME_PLACE for a, b in pairs)


def _utc(stamp: int) -> str:
    """Seconds since 1970-01-01 as a date, for messages."""
    return str(np.datetime64(int(stamp), "s"))


def fingerprint(path: Path) -> str:
    """Size, time of change and SHA-256 of the first 64 KiB of a file: cheap for files of gigabytes, not a proof."""
    about = path.stat()
    with path.open("rb") as stream:
        digest = hashlib.sha256(stream.read(HEAD)).hexdigest()
    changed = np.datetime64(int(about.st_mtime), "s")
    return f"size:{about.st_size} changed:{changed} head-sha256:{digest}"


def fingerprint_of_set(path: str | Path) -> str:
    """One line for all files of a path: their number, bytes, and a SHA-256 of names, sizes and first 64 KiB."""
    digest, size = hashlib.sha256(), 0
    files = find_files(path)
    for one in files:
        about = one.stat()
        size += about.st_size
        digest.update(f"{one.name} {about.st_size} ".encode())
        with one.open("rb") as stream:
            digest.update(stream.read(HEAD))
    return f"{Path(path).name} files:{len(files)} bytes:{size} heads-sha256:{digest.hexdigest()}"
