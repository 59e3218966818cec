"""The land files of ParFlow-CLM: map of land cover (drv_vegm.dat), plants (drv_vegp.dat), control (drv_clmin.dat).

Formats as in the headers of the files themselves and in the ParFlow user's manual, chapter on CLM. ParFlow wants the
map and the control file once per process (``drv_vegm.dat.0``); the file without a number is the one to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError

VEGETATION_PARAMETERS = (
    "itypwat", "lai", "lai0", "sai", "z0m", "displa", "dleaf", "roota", "rootb", "rhol_vis", "rhol_nir", "rhos_vis",
    "rhos_nir", "taul_vis", "taul_nir", "taus_vis", "taus_nir", "xl", "vw", "irrig",
)  # fmt: skip
"""Parameters that drv_vegp.dat may hold, by their names there."""

_MAP_HEADER, _MAP_PLACES = 2, 7  # lines above the cells; x, y, latitude, longitude, sand, clay, colour
_COLOURS = 8  # classes of soil colour in ParFlow-CLM
_DATE_KEYS = ("yr", "mo", "da", "hr", "mn", "ss")


@dataclass(frozen=True)
class VegetationMap:
    """What drv_vegm.dat says of the cells; all fields (y, x), rows from the south.

    Attributes
    ----------
    latitude, longitude : numpy.ndarray
        [degrees]
    sand, clay : numpy.ndarray
        Share of the soil [1].
    colour : numpy.ndarray of int
        Colour class, 1 (light) to 8 (dark).
    fraction : numpy.ndarray, shape (class, y, x)
        Share of each class of land cover [1]; sums to 1.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    sand: np.ndarray
    clay: np.ndarray
    colour: np.ndarray
    fraction: np.ndarray


def read_vegetation_map(path: str | Path, shape: tuple[int, int] | None = None) -> VegetationMap:
    """Read a map of land cover.

    Parameters
    ----------
    path : str or Path
        drv_vegm.dat: two lines of header, then a line per cell with x, y (from 1), latitude, longitude, sand, clay,
        colour and the shares of the classes.
    shape : tuple of int, optional
        Rows and columns of the domain; by default those of the file.

    Returns
    -------
    VegetationMap
        Fields on the grid.

    Raises
    ------
    InputError
        If the file cannot be read, cells are missing or twice there, or shares do not sum to 1.
    """
    lines = _lines(path)[_MAP_HEADER:]
    rows = [(number, line.split()) for number, line in enumerate(lines, start=_MAP_HEADER + 1) if line.strip()]
    if not rows:
        raise InputError(f"{path}: expected a line per cell below a header of {_MAP_HEADER} lines, found none.")
    width = len(rows[0][1])
    for number, words in rows:
        if len(words) != width or width <= _MAP_PLACES:
            raise InputError(
                f"{path}:{number}: expected x, y, latitude, longitude, sand, clay, colour and the shares of the "
                f"classes, as many numbers in every line, got {len(words)}."
            )
    try:
        table = np.array([words for _, words in rows], dtype=np.float64).reshape(len(rows), width)
    except ValueError as error:
        raise InputError(f"{path}: expected numbers below the header of {_MAP_HEADER} lines ({error}).") from None
    places = table[:, :2].astype(int) - 1
    ny, nx = shape or (int(places[:, 1].max()) + 1, int(places[:, 0].max()) + 1)
    inside = ((places >= 0) & (places < (nx, ny))).all(axis=1)
    number = places[:, 1] * nx + places[:, 0]
    if len(rows) != nx * ny or not inside.all() or np.unique(number).size != nx * ny:
        raise InputError(
            f"{path}: expected a line for each of {nx} x {ny} cells of the domain, got {len(rows)} lines with x to "
            f"{places[:, 0].max() + 1} and y to {places[:, 1].max() + 1}."
        )
    field = np.empty((width - 2, ny * nx))
    field[:, number] = table[:, 2:].T
    latitude, longitude, sand, clay, colour, *fraction = field.reshape(-1, ny, nx)
    found = VegetationMap(latitude, longitude, sand, clay, colour.astype(int), np.stack(fraction))
    _check_map(found, path)
    return found


def _check_map(found: VegetationMap, path: str | Path) -> None:
    total = found.fraction.sum(axis=0)
    checks = (
        (np.abs(total - 1.0) > 1e-3, "shares of the classes sum to 1", total),
        ((found.fraction < 0.0).any(axis=0), "shares of at least 0", found.fraction.min(axis=0)),
        ((found.sand < 0.0) | (found.clay < 0.0) | (found.sand + found.clay > 1.0),
         "sand and clay as shares of at most 1 together", found.sand + found.clay),
        ((found.colour < 1) | (found.colour > _COLOURS), f"a soil colour of 1 to {_COLOURS}", found.colour),
    )
    for wrong, words, values in checks:
        if wrong.any():
            y, x = np.argwhere(wrong)[0]
            raise InputError(
                f"{path}: expected {words}, got {values[y, x]:g} in cell x {x + 1}, y {y + 1} ({int(wrong.sum())} such "
                "cells).")


def read_vegetation_parameters(path: str | Path) -> Mapping[str, np.ndarray]:
    """Read the parameters of the classes of land cover.

    Parameters
    ----------
    path : str or Path
        drv_vegp.dat: a line with the name of a parameter, then a line with a number per class; lines with ``!`` are
        comments.

    Returns
    -------
    mapping of str to numpy.ndarray, shape (class,)
        Those of `VEGETATION_PARAMETERS` that are there, in the units of the file.

    Raises
    ------
    InputError
        If the file cannot be read, or a line of numbers is missing or of another length.
    """
    lines = _lines(path)
    out: dict[str, np.ndarray] = {}
    for number, line in enumerate(lines):
        name = line.split()[0] if line.split() else ""
        if name not in VEGETATION_PARAMETERS:
            continue
        words = lines[number + 1].split() if number + 1 < len(lines) else []
        try:
            out[name] = np.array(words, dtype=np.float64)
        except ValueError:
            got = " ".join(words)
            raise InputError(f"{path}:{number + 2}: expected the numbers of '{name}', got '{got}'.") from None
        if not words or out[name].size != next(iter(out.values())).size:
            raise InputError(
                f"{path}:{number + 2}: expected {next(iter(out.values())).size or 'some'} numbers of '{name}', one per "
                f"class, got {out[name].size}.")
    if not out:
        raise InputError(f"{path}: expected parameters such as {', '.join(VEGETATION_PARAMETERS[:4])}, found none.")
    return MappingProxyType(out)


def read_clm_control(path: str | Path) -> Mapping[str, str]:
    """Read drv_clmin.dat: the first word of a line is a key, the second its value.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    mapping of str to str
        Values as they stand there.

    Raises
    ------
    InputError
        If the file cannot be read or has no keys.
    """
    out = {}
    for line in _lines(path):
        words = line.replace("-9999.0", " -9999.0").split()  # long names run into the number behind them
        if len(words) > 1 and not line.startswith("!"):
            out[words[0]] = words[1]
    if not out:
        raise InputError(f"{path}: expected lines with a key and a value, found none.")
    return MappingProxyType(out)


def control_number(control: Mapping[str, str], name: str, path: str | Path) -> float | None:
    """Return a number of drv_clmin.dat; None if it is not there or undefined (``udef``).

    Raises
    ------
    InputError
        If the value is no number.
    """
    if name not in control:
        return None
    try:
        value = float(control[name])
    except ValueError:
        raise InputError(f"{path}: expected a number for {name}, got '{control[name]}'.") from None
    return None if value == float(control.get("udef", "-9999.")) else value


def control_moment(control: Mapping[str, str], letter: str, path: str | Path) -> datetime | None:
    """Return the start (letter ``s``) or end (``e``) that drv_clmin.dat names; None if it has none.

    Raises
    ------
    InputError
        If it is no date.
    """
    names = [letter + name for name in _DATE_KEYS]
    if names[0] not in control:
        return None
    try:
        return datetime(*(int(float(control.get(name, "0"))) for name in names))
    except ValueError as error:
        raise InputError(f"{path}: {', '.join(names)} are no date ({error}).") from None


def _lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}).") from None
