"""``pyland new --station``: a case of the record of a station's logger."""

from __future__ import annotations

import inspect
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from pyland.base.errors import InputError
from pyland.base.text import suggestion
from pyland.base.units import convert
from pyland.driver.commands.new import check_empty, new_from_site
from pyland.forcing import read_station_record, station_forcing

FORCING_FILE = "forcing.nc"
"""Name of the weather file in the folder of the case."""

_REQUIRED = ("latitude", "longitude", "elevation", "height")
_DURATIONS = ("interval", "longest_gap")


def new_from_station(directory: str | Path, record: str | Path, settings: list[str]) -> Path:
    """Write the weather of a station's record and a case that uses it.

    Parameters
    ----------
    directory : path
        New or empty folder.
    record : path
        Text file of the logger.
    settings : list of str
        ``NAME=VALUE`` of `pyland.forcing.station_forcing`: latitude, longitude, elevation and height are needed;
        durations are seconds or such as ``30 h``.

    Returns
    -------
    pathlib.Path
        The new ``case.yaml``.

    Raises
    ------
    InputError
        If an option is unknown or lacking, the folder holds files, or the record cannot be used.
    """
    directory = Path(directory)
    options = _options(settings)
    check_empty(directory)
    missing = [name for name in _REQUIRED if name not in options]
    if missing:
        raise InputError(f"pyland new --station: a record does not say its {missing[0]}; add --set {missing[0]}=VALUE "
                         f"(needed are {', '.join(_REQUIRED)}; usually also utc_offset).")
    partial = directory.with_name(f".{directory.name}.{FORCING_FILE}")
    try:  # beside the folder, which must be empty until the case is written
        station_forcing(record, partial, **options)
        file = new_from_site(directory, partial)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(str(partial.resolve()), FORCING_FILE).replace(partial.name, FORCING_FILE),
                        encoding="utf-8")
        shutil.move(partial, directory / FORCING_FILE)
    finally:
        partial.unlink(missing_ok=True)
    return file


def _options(settings: list[str]) -> dict[str, Any]:
    """Return options by name."""
    known = [name for function in (station_forcing, read_station_record)
             for name, one in inspect.signature(function).parameters.items() if one.kind is one.KEYWORD_ONLY]
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals or name not in known:
            hint = suggestion(name, known) or "."
            raise InputError(f"pyland new --station: unknown option '{setting}'{hint} Known are "
                             f"{', '.join(dict.fromkeys(known))}, each as NAME=VALUE.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise InputError(f"pyland new --station: the value of '{setting}' cannot be read.") from None
        found[name] = _seconds(value, name) if name in _DURATIONS else value
        if name in (*_REQUIRED, "utc_offset") and not isinstance(value, int | float):
            raise InputError(f"pyland new --station: {name} must be a number, got '{text}'.")
        limit = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 360.0)}.get(name)
        if limit is not None and not limit[0] <= value <= limit[1]:
            raise InputError(f"pyland new --station: {name} must lie within {limit[0]:g} to {limit[1]:g} degrees, got "
                             f"{value:g}.")
    return found


def _seconds(value: object, name: str) -> Any:
    """Return a duration, or a mapping of them, in seconds."""
    if isinstance(value, dict):
        return {key: _seconds(one, name) for key, one in value.items()}
    if isinstance(value, int | float):
        return float(value)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", str(value))
    if match is None:
        raise InputError(f"pyland new --station: {name} must be seconds or a duration such as '30 h', got '{value}'.")
    return convert(float(match[1]), match[2], "s", name)
