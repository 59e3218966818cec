"""One file of a product, netCDF or HDF5: variables as numbers with NaN where there is no value, and clear refusals.

Fill values, packing and unsigned integers are decoded here and not by the netCDF library, because the ranges that some
products declare are wrong for it (ASCAT orbit files write unsigned limits as negative numbers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.base.text import library_words
from pyland.observe.quantities import QUANTITIES

_SINCE = re.compile(r"^\s*([A-Za-z]+?)s?\s+since\s+(.+?)\s*$")
_SECONDS = {"second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "hr": 3600.0, "h": 3600.0,
            "day": 86400.0, "d": 86400.0, "millisecond": 1e-3, "microsecond": 1e-6}
_HDF4 = b"\x0e\x03\x13\x01"
_START = 512
"""Bytes of a file that tell text from numbers."""


class OpenedFile:
    """A file that is open for reading.

    Attributes
    ----------
    path : Path
        The file.
    dataset : netCDF4.Dataset
        The library's view of it, neither masked nor scaled.
    """

    def __init__(self, path: Path, dataset: netCDF4.Dataset) -> None:
        self.path, self.dataset = path, dataset

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def first_of(self, names: tuple[str, ...], what: str) -> str:
        """Return the first name that the file has as a variable.

        Raises
        ------
        InputError
            If it has none; ``what`` says in the message what they stand for.
        """
        for name in names:
            if name in self:
                return name
        raise InputError(f"{self.path}: has no {what} (expected {' or '.join(repr(one) for one in names)}); "
                         f"{self._there_is(names[0])}. Is this the product that the reader expects?")

    def variable(self, name: str) -> netCDF4.Variable:
        """Return a variable by its name, with the groups on the way to it.

        Raises
        ------
        InputError
            If there is no such group or variable; the message says what there is.
        """
        found = self._find(name)
        if found is None:
            raise InputError(f"{self.path}: has no variable '{name}'; {self._there_is(name)}. Is this the product that "
                             "the reader expects?")
        return found

    def raw(self, name: str, index: object = ...) -> np.ndarray:
        """Return the numbers as they stand in the file, unsigned where the attribute ``_Unsigned`` says so.

        Raises
        ------
        InputError
            If the variable is missing or damaged.
        """
        variable = self.variable(name)
        try:
            values = np.asarray(variable[index])
        except (OSError, RuntimeError, IndexError) as error:
            raise InputError(f"{self.path}: the variable '{name}' cannot be read ({library_words(error)}). The file "
                             "may be truncated; fetch it again.") from error
        if values.dtype.kind == "i" and str(_attribute(variable, "_Unsigned", "")).lower() == "true":
            values = values.view(values.dtype.str.replace("i", "u"))
        return values

    def numbers(self, name: str, index: object = ..., missing: tuple[float, ...] = ()) -> np.ndarray:
        """Return unpacked numbers, float64, NaN where there is no value.

        Parameters
        ----------
        name : str
            Variable, with its groups.
        index : optional
            Part of it.
        missing : tuple of float
            Further numbers, as they stand in the file, that mean no value.

        Returns
        -------
        ndarray
            Number in the file times ``scale_factor`` plus ``add_offset``.

        Raises
        ------
        InputError
            If the variable is missing, damaged, or not of numbers.
        """
        return self.decoded(name, self.raw(name, index), missing)

    def decoded(self, name: str, raw: np.ndarray, missing: tuple[float, ...] = ()) -> np.ndarray:
        """Return what raw numbers of a variable mean, see `numbers`."""
        if raw.dtype.kind not in "iuf":
            raise InputError(f"{self.path}: the variable '{name}' must hold numbers, got {raw.dtype}.")
        variable = self.variable(name)
        values = raw.astype(float)
        empty = np.isnan(values)
        for one in (*self.fills(variable, raw.dtype), *missing):
            empty |= raw == one
        scale, offset = (_attribute(variable, key, default) for key, default in (("scale_factor", 1.0),
                                                                                  ("add_offset", 0.0)))
        if isinstance(scale, str) or isinstance(offset, str):
            scale, offset = 1.0, 0.0  # MODIS writes "n/a" where there is no packing
        if float(scale) != 1.0 or float(offset) != 0.0:
            values = values * float(scale) + float(offset)
        values[empty] = np.nan
        return values

    def unit(self, name: str) -> str | None:
        """Return the unit of a variable, None without one."""
        found = _attribute(self.variable(name), "units", None)
        return None if found is None else str(found).strip()

    def factor(self, name: str, observation_type: str, also: dict[str, float] | None = None) -> float:
        """Return the factor from the unit of a variable to that of a type of observation.

        Parameters
        ----------
        name : str
            Variable.
        observation_type : str
            One of `QUANTITIES`.
        also : dict of str to float, optional
            Units that mean something in this product only.

        Raises
        ------
        InputError
            If the unit is missing or another one.
        """
        return unit_factor(self.unit(name), observation_type, f"{self.path}: '{name}'", also)

    def times(self, name: str, index: object = ..., day: np.datetime64 | None = None) -> np.ndarray:
        """Return times (datetime64[s], UTC, NaT where missing) of a variable in, for instance, days since 1970-01-01.

        Parameters
        ----------
        name : str
            Variable.
        index : optional
            Part of it.
        day : datetime64[D], optional
            Day that a unit without an epoch (``minutes``) counts from.

        Raises
        ------
        InputError
            If the unit is none of time.
        """
        return self.times_of(name, self.numbers(name, index), day)

    def times_of(self, name: str, values: np.ndarray, day: np.datetime64 | None = None) -> np.ndarray:
        """Return the times that decoded numbers of a variable mean, see `times`."""
        unit = self.unit(name) or ""
        match = _SINCE.match(unit)
        plain = unit.strip().lower()
        plain = plain if plain in _SECONDS else plain.removesuffix("s")
        if match is not None and match[1].lower() in _SECONDS:
            text = re.sub(r"\s*(UTC|GMT|Z|[+-]00:?00)$", "", match[2], flags=re.IGNORECASE).replace(" ", "T", 1)
            try:
                epoch = np.datetime64(text, "ms")
            except ValueError:
                raise InputError(f"{self.path}: '{name}' counts from '{match[2]}', which is no date.") from None
            return seconds_after(epoch, values * _SECONDS[match[1].lower()])
        if day is not None and plain in _SECONDS:
            return seconds_after(np.datetime64(day, "ms"), values * _SECONDS[plain])
        raise InputError(f"{self.path}: '{name}' has the unit {unit!r}; expected one of time, for instance 'days since "
                         "1970-01-01'.")

    def attribute(self, *names: str) -> str:
        """Return the first of some global attributes as text, empty if there is none."""
        for name in names:
            if name in self.dataset.ncattrs():
                return str(self.dataset.getncattr(name))
        return ""

    def _find(self, name: str) -> netCDF4.Variable | None:
        group = self.dataset
        *above, last = name.strip("/").split("/")
        for one in above:
            if one not in group.groups:
                return None
            group = group.groups[one]
        return group.variables.get(last)

    def _there_is(self, name: str) -> str:
        group, walked = self.dataset, ""
        for one in name.strip("/").split("/")[:-1]:
            if one not in group.groups:
                groups = ", ".join(f"'{walked}{key}'" for key in group.groups) or "none"
                return f"there is no group '{walked}{one}', the groups are: {groups}"
            group, walked = group.groups[one], f"{walked}{one}/"
        names = list(group.variables)
        listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        return f"it holds {listed or 'no variables'}"

    @staticmethod
    def fills(variable: netCDF4.Variable, dtype: np.dtype) -> list[float]:
        """Return the numbers of a type that stand for no value in a variable."""
        given = [value for key in ("_FillValue", "missing_value") for value in np.ravel(_attribute(variable, key, ()))
                 if not isinstance(value, str)]
        if not given and dtype.itemsize > 1:  # bytes have no default
            given = [netCDF4.default_fillvals[dtype.str[1:]]]
        if dtype.kind == "u":  # signed fill of unsigned numbers
            given = [value if value >= 0 else np.int64(value) + (1 << 8 * dtype.itemsize) for value in given]
        return given


@contextmanager
def opened(path: Path) -> Iterator[OpenedFile]:
    """Open a file, alone in the netCDF library.

    Raises
    ------
    InputError
        If it is empty, damaged, or of a format that the library does not read.
    """
    with NETCDF_ACCESS:
        try:
            dataset = netCDF4.Dataset(path)
        except (OSError, RuntimeError) as error:
            raise InputError(_not_opened(path, error)) from error
        with dataset:
            dataset.set_auto_maskandscale(False)
            yield OpenedFile(path, dataset)


def unit_factor(unit: str | None, observation_type: str, where: str, also: dict[str, float] | None = None) -> float:
    """Return the factor from a unit to that of a type of observation; see `OpenedFile.factor`."""
    quantity = QUANTITIES[observation_type]
    known = {**quantity.factors, **(also or {})}
    if unit is None or unit.strip() not in known:
        what = "no unit" if unit is None else f"the unit {unit!r}"
        raise InputError(f"{where} has {what}; expected for {observation_type} one of {', '.join(known)} "
                         f"({quantity.hint}).")
    return known[unit.strip()]


def seconds_after(epoch: np.datetime64, seconds: np.ndarray) -> np.ndarray:
    """Return datetime64[s] of seconds after an epoch, to the nearest second; NaT for NaN and beyond 10000 years."""
    seconds = np.asarray(seconds, float)
    known = np.abs(seconds) < 3.2e11
    whole = np.where(known, np.rint(np.where(known, seconds, 0.0) * 1000.0), 0.0).astype("timedelta64[ms]")
    half = np.timedelta64(500, "ms")
    found = (np.datetime64(epoch, "ms") + whole + half).astype("datetime64[s]")
    return np.where(known, found, np.datetime64("NaT", "s"))


def _attribute(variable: netCDF4.Variable, name: str, default: object) -> object:
    return variable.getncattr(name) if name in variable.ncattrs() else default


def _not_opened(path: Path, error: Exception) -> str:
    with path.open("rb") as stream:
        start = stream.read(_START)
    if not start:
        return f"{path}: the file is empty; fetch it again."
    if start.startswith(_HDF4):
        return (f"{path}: is HDF4, which is not read here. Convert it to netCDF, for instance with `ncl_convert2nc`, "
                "`h4tonccf_nc4` or GDAL, or order the product as netCDF.")
    if b"\x00" not in start and start[:3] != b"CDF":
        return (f"{path}: is a text file; expected netCDF or HDF5. Is this the product that the reader expects? "
                "`pyland observe --list` shows the readers.")
    return f"{path}: cannot be read as netCDF or HDF5 ({library_words(error)}). It may be truncated; fetch it again."
