"""Station files of the International Soil Moisture Network: folders or zip archives, both of its formats.

One file has one sensor of one variable. ``header+values`` files say place and depth in their first line, ``CEOP`` files
in every line; network, station, variable and sensor stand in the name of the file. Flags are those of Dorigo et al.
(2013), Vadose Zone J. 12(3), doi:10.2136/vzj2012.0097.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, MISSING, OUT_OF_RANGE, QUALITY, USED, in_words
from pyland.base.units import convert
from pyland.observe.observation_table import ObservationTable
from pyland.observe.quantities import quantity_of
from pyland.observe.readers.point_table import checked_place, joined_rows, place_number, range_flags

VARIABLES = MappingProxyType({
    "sm": ("soil_moisture", "m3 m-3"), "sd": ("snow_depth", "mm"), "sweq": ("snow_water", "mm"),
    "tsf": ("lst", "degC"),
})
"""Variables of the network that are types of observations, and their units there."""

FLAGS = MappingProxyType({
    "G": USED, "U": USED, "M": MISSING, "C01": OUT_OF_RANGE, "C02": OUT_OF_RANGE, "C03": OUT_OF_RANGE,
    "D01": FROZEN, "D02": FROZEN, "D03": FROZEN,
})
"""Flags and their reasons: good, not flagged, missing; below 0, above 0.6, above saturation; frozen by temperature of
the soil, of the air, of a model. All others (D04 to D10: rain, spikes, breaks, plateaus) are of the quality flag."""

STATIC = MappingProxyType({
    "clay fraction": ("clay", "%"), "sand fraction": ("sand", "%"), "silt fraction": ("silt", "%"),
    "organic carbon": ("organic_carbon", "%"), "saturation": ("saturation", "m3 m-3"),
})
"""Fields of the static file that become columns, at the depth that overlaps most with the sensor; their units."""

_NAME = re.compile(r"(?P<source>[^_]+)_(?P<network>[^_]+)_(?P<station>.+)_(?P<variable>[a-z]+)_(?P<top>-?\d+\.\d+)_"
                   r"(?P<bottom>-?\d+\.\d+)_(?P<sensor>.+)_(?P<start>\d{8})_(?P<end>\d{8})\.stm")
_CEOP_CELLS = 15
_VALUE_CELLS = 5


class _Member(NamedTuple):
    """A file, or a member of an archive."""

    label: str
    name: str
    folder: str
    content: bytes


class _Static(NamedTuple):
    """A line of the static file of a station."""

    quantity: str
    top: float
    bottom: float
    value: str
    source: str


def read_ismn(
    paths: list[Path], *, period: object = None, bounds: object = None, variable: str = "sm",
    depth: tuple[float, float] | None = None, accepted: tuple[str, ...] = ("G",),
    sigma: float | None = None,
) -> ObservationTable:
    """Read sensors of the network.

    Parameters
    ----------
    paths : list of Path
        Files ``*.stm``, their ``*static_variables.csv`` (found beside them as well), or zip archives.
    period, bounds : optional
        See `pyland.observe.readers.read_product`.
    variable : str
        One of `VARIABLES`.
    depth : tuple of float, optional
        Only sensors that lie within this layer [m].
    accepted : tuple of str
        Flags to use; the others keep their reason (see `FLAGS`; ``U`` is not flagged by the network).
    sigma : float, optional
        Standard deviation of the error [unit of the type]; unknown without it.

    Returns
    -------
    ObservationTable
        A row for every time of every sensor, with ``top`` and ``bottom``; extra columns ``station``, ``network``,
        ``sensor``, ``elevation`` [m] and those of `STATIC`. Files of other variables and of sensors outside of
        ``depth`` are counted in ``left_out``.

    Raises
    ------
    InputError
        If a name or line is not of the network, a line is truncated, or nothing fits.
    """
    if variable not in VARIABLES:
        raise InputError(f"ismn: variable must be one of {', '.join(VARIABLES)}, got '{variable}'. Others are not "
                         "types of observations.")
    accepted = (accepted,) if isinstance(accepted, str) else tuple(accepted)
    kind, unit = VARIABLES[variable]
    parts, other, statics, places = [], Counter(), {}, {}
    for member in _members(paths, statics):
        found = _NAME.fullmatch(member.name)
        if found is None:
            raise InputError(f"{member.label}: is not named as files of the network are, "
                             "SOURCE_NETWORK_STATION_VARIABLE_FROM_TO_SENSOR_START_END.stm.")
        top, bottom = float(found["top"]), float(found["bottom"])
        if found["variable"] != variable:
            other["files_of_other_variables"] += 1
        elif depth is not None and not (depth[0] <= top and bottom <= depth[1]):
            other["files_of_other_depths"] += 1
        else:
            part = _sensor(member, found, kind, unit, accepted, statics.get(member.folder, []))
            places.setdefault((found["network"], found["station"]), (part.latitude[0], part.longitude[0]))
            parts.append(part)
    if not parts:
        layer = "" if depth is None else f" within {depth[0]:g} to {depth[1]:g} m"
        raise InputError(f"ismn: no file of the variable '{variable}'{layer} among those given; left out: "
                         f"{in_words(other)}.")
    table = joined_rows(parts, period, bounds, other, sigma)
    table.provenance["stations"] = str(len(places))
    table.provenance["static"] = "\n".join(_described(folder, lines) for folder, lines in sorted(statics.items()))
    return table


def _members(paths: list[Path], statics: dict[str, list[_Static]]) -> Iterator[_Member]:
    """Yield the data files; static files of their folders go to ``statics`` before."""
    for path in paths:
        if path.suffix == ".zip":
            try:
                with zipfile.ZipFile(path) as archive:
                    names = [name for name in archive.namelist() if not name.endswith("/")]
                    for name in names:
                        if name.endswith("static_variables.csv"):
                            folder = f"{path}/{Path(name).parent}"
                            statics[folder] = _read_static(archive.read(name), f"{path}/{name}")
                    for name in names:
                        if name.endswith(".stm"):
                            yield _Member(f"{path}/{name}", Path(name).name, f"{path}/{Path(name).parent}",
                                          archive.read(name))
            except zipfile.BadZipFile as error:
                raise InputError(f"{path}: is no complete zip archive ({error}); download it again.") from None
        elif path.suffix == ".stm":
            folder = str(path.parent)
            if folder not in statics:
                beside = sorted(path.parent.glob("*static_variables.csv"))
                statics[folder] = _read_static(beside[0].read_bytes(), str(beside[0])) if beside else []
            yield _Member(str(path), path.name, folder, path.read_bytes())
        elif path.suffix != ".csv":
            raise InputError(f"{path}: expected *.stm files of the network, their static csv files or a zip archive.")


def _sensor(member: _Member, found: re.Match[str], kind: str, unit: str, accepted: tuple[str, ...],
            static: list[_Static]) -> ObservationTable:
    """Return the rows of one file."""
    text = member.content.decode("utf-8", "replace")
    head, _, rest = text.partition("\n")
    first = head.split()
    if not first:
        raise InputError(f"{member.label}: is empty.")
    if _is_date(first[0]):
        rows = _rows(text, _CEOP_CELLS, member.label, 1)
        place, cells = rows[0, 7:12], rows[:, [0, 1, 12, 13, 14]]
        if (rows[:, 7:12] != place).any():
            at = int(np.argmax((rows[:, 7:12] != place).any(axis=1)))
            raise InputError(f"{member.label}, line {at + 1}: place or depth change from {' '.join(place)} to "
                             f"{' '.join(rows[at, 7:12])}; a file has one sensor.")
    else:
        if len(first) < 9:
            raise InputError(f"{member.label}, line 1: expected SOURCE NETWORK STATION LATITUDE LONGITUDE ELEVATION "
                             f"FROM TO SENSOR, got '{head.strip()}'.")
        at = next((k for k in range(3, len(first) - 4) if all(_is_number(one) for one in first[k : k + 5])), None)
        if at is None:
            raise InputError(f"{member.label}, line 1: latitude, longitude, elevation and depths [degrees, m] are not "
                             f"five numbers in '{head.strip()}'.")
        place, cells = np.array(first[at : at + 5]), _rows(rest, _VALUE_CELLS, member.label, 2)
    numbers = [float(one) for one in place]
    latitude, longitude = checked_place(numbers[0], numbers[1], member.label)
    top, bottom = numbers[3], numbers[4]
    if bottom < top:
        raise InputError(f"{member.label}: the sensor reaches from {top:g} to {bottom:g} m; the bottom must lie below "
                         "the top.")
    values = _values(cells[:, 2], member.label)
    flags = _flags(cells[:, 3], accepted)
    missing = (flags == MISSING) | (values <= -999.0)  # their number for no value
    values = convert(np.where(missing, np.nan, values), unit, quantity_of(kind).unit, member.label)
    flags[missing] = MISSING
    fine = flags == USED
    if fine.any():  # a dead sensor, of which the network accepts nothing, does not end the reading of a network
        flags[fine] = range_flags(values[fine], kind, member.label)
    size = values.size
    extra = {"station": np.full(size, found["station"]), "network": np.full(size, found["network"]),
             "sensor": np.full(size, found["sensor"]), "elevation": np.full(size, numbers[2])}
    for quantity, (name, _) in STATIC.items():
        extra[name] = np.full(size, _at_depth(static, quantity, top, bottom))
    units = {"elevation": "m", **dict(STATIC.values())}
    return ObservationTable(
        "ISMN", kind, values, _times(cells, member.label), latitude, longitude, flag=flags,
        location=np.full(size, place_number(found["network"], found["station"])), top=top, bottom=bottom, extra=extra,
        extra_units=units)


def _rows(text: str, width: int, label: str, first: int) -> np.ndarray:
    """Return the cells of lines (row, width) as text; blanks are what divides them."""
    cells = text.split()
    if not cells:
        raise InputError(f"{label}: has no line of data.")
    if len(cells) % width == 0:
        rows = np.array(cells).reshape(-1, width)
        letters = np.ascontiguousarray(rows[:, 0]).view("U1").reshape(len(rows), -1)
        if letters.shape[1] >= 10 and (letters[:, [4, 7]] == "/").all():  # every line begins with a date
            return rows
    kept = []
    for number, line in enumerate(text.splitlines(), first):
        parts = line.split(None, width - 1)
        if parts and len(parts) < width - 1:
            raise InputError(f"{label}, line {number}: expected {width} cells, got {len(parts)} ('{line.strip()}'). "
                             "The file may be truncated; download it again.")
        if parts:
            kept.append([*parts, ""][:width])  # the flag of the provider may be lacking
    return np.array(kept)


def _times(cells: np.ndarray, label: str) -> np.ndarray:
    """Return nominal times (UTC) of the cells ``YYYY/MM/DD`` and ``HH:MM``."""
    texts = np.char.add(np.char.add(np.char.replace(cells[:, 0], "/", "-"), "T"), cells[:, 1])
    try:
        return texts.astype("datetime64[s]")
    except ValueError as error:
        raise InputError(f"{label}: a time is not of the form YYYY/MM/DD HH:MM ({error}).") from None


def _values(texts: np.ndarray, label: str) -> np.ndarray:
    try:
        return texts.astype(float)
    except ValueError as error:
        raise InputError(f"{label}: a value is no number ({error}).") from None


def _flags(texts: np.ndarray, accepted: tuple[str, ...]) -> np.ndarray:
    """Return the reasons of flags such as ``G`` or ``D01,D03``: used only if all are accepted, else the first other."""
    kinds, kind = np.unique(texts, return_inverse=True)
    codes = np.empty(kinds.size, np.int8)
    for at, text in enumerate(kinds.tolist()):
        others = [one for one in text.split(",") if one and one not in accepted]
        reasons = [FLAGS.get(one, QUALITY) for one in others]
        codes[at] = next((one for one in reasons if one != USED), QUALITY) if others else USED
    return codes[kind]


def _read_static(content: bytes, label: str) -> list[_Static]:
    """Return the lines of a static file."""
    found = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        parts = [one.strip() for one in line.split(";")]
        if not line.strip() or parts[0] == "quantity_name":
            continue
        if len(parts) < 7:
            raise InputError(f"{label}, line {number}: expected seven cells divided by ';', got {len(parts)}.")
        ends = [float(one) if _is_number(one) else np.nan for one in parts[2:4]]
        found.append(_Static(parts[0], ends[0], ends[1], parts[4], parts[6]))
    return found


def _at_depth(static: list[_Static], quantity: str, top: float, bottom: float) -> float:
    """Return a static number whose depth overlaps most with a sensor; measured at the station before maps."""
    best, rank = np.nan, (-1.0, False)
    for line in static:
        if line.quantity == quantity and _is_number(line.value):
            overlap = min(bottom, line.bottom) - max(top, line.top)
            if np.isfinite(overlap) and overlap >= 0.0 and (overlap, line.source == "insitu") > rank:
                best, rank = float(line.value), (overlap, line.source == "insitu")
    return best


def _described(folder: str, lines: list[_Static]) -> str:
    """Return climate and land cover of a station as text."""
    groups = defaultdict(list)
    for line in lines:
        if line.quantity.endswith("classification"):
            groups[line.quantity].append(f"{line.value} ({line.source})")
    words = "; ".join(f"{quantity} {', '.join(values)}" for quantity, values in groups.items())
    return f"{Path(folder).name}: {words or 'no static file'}"


def _is_date(text: str) -> bool:
    return len(text) == 10 and text[4] == "/" and text[7] == "/"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
