"""Percent of saturation to volume: what the porosity of the ground is, as the user gives it.

References
----------
.. [1] Wagner, W., et al. (2013). The ASCAT soil moisture product: a review of its specifications, validation results,
   and emerging applications. Meteorol. Z. 22, 5-33: degree of saturation times porosity is volumetric soil moisture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.readers.opened_file import OpenedFile, opened

_LATITUDES, _LONGITUDES = ("latitude", "lat"), ("longitude", "lon")


def porosity_at(
    given: float | str | Path | None, latitude: np.ndarray, longitude: np.ndarray, file: OpenedFile, what: str
) -> np.ndarray:
    """Return the porosity at some places.

    Parameters
    ----------
    given : float, str or Path
        A number [m3 m-3]; the name of a variable of the product, one number per place; or a netCDF file of a map with
        one-dimensional latitude and longitude, ``FILE.nc`` or ``FILE.nc:variable`` (default ``porosity``).
    latitude, longitude : ndarray, shape (place,)
        Places [degrees].
    file : OpenedFile
        The file of the product.
    what : str
        Name of the product, for messages.

    Returns
    -------
    ndarray, shape (place,)
        Porosity [m3 m-3]; NaN where the map has none.

    Raises
    ------
    InputError
        If nothing is given, or it is not a porosity.
    """
    if given is None:
        raise InputError(
            f"{file.path}: {what} is in percent of saturation, and the porosity is not known. Give the option "
            "porosity: a number such as 0.45, a variable of the file, or a netCDF map as FILE.nc:variable; "
            "porosity * percent / 100 is the soil moisture [m3 m-3].")
    number = _number(given)
    if number is not None:
        found = np.full(latitude.shape, number)
    elif str(given) in file:
        found = file.numbers(str(given))
        if found.shape != latitude.shape:
            raise InputError(f"{file.path}: porosity '{given}' has the shape {found.shape}, places {latitude.shape}.")
    else:
        found = _of_map(str(given), latitude, longitude, file)
    known = found[np.isfinite(found)]
    if found.size == 0:
        return found
    if not known.size or not ((known > 0.0) & (known < 1.0)).all():
        worst = "no number at all" if not known.size else f"{known[(known <= 0.0) | (known >= 1.0)][0]:g}"
        raise InputError(f"{file.path}: porosity must lie between 0 and 1 m3 m-3, got {worst} from {given!r}.")
    return found


def _number(given: object) -> float | None:
    try:
        return float(given)
    except (TypeError, ValueError):
        return None


def _of_map(given: str, latitude: np.ndarray, longitude: np.ndarray, file: OpenedFile) -> np.ndarray:
    name, _, variable = given.partition(":")
    path = Path(name).expanduser()
    if not path.is_file():
        raise InputError(f"{file.path}: porosity {given!r} is no number, no variable of the file, and no file. Give "
                         "one of them.")
    with opened(path) as source:
        rows = source.numbers(source.first_of(_LATITUDES, "latitude"))
        columns = source.numbers(source.first_of(_LONGITUDES, "longitude"))
        values = source.numbers(variable or "porosity")
    if values.shape[-2:] != (rows.size, columns.size):
        raise InputError(f"{path}: the map of porosity has the shape {values.shape}; expected (latitude, longitude) = "
                         f"({rows.size}, {columns.size}).")
    values = values.reshape(-1, rows.size, columns.size)[0]
    down, across = nearest(rows, latitude), nearest(columns, (longitude - columns[0]) % 360.0 + columns[0])
    half_row, half_column = (0.5 * np.abs(np.diff(one)).max(initial=0.0) for one in (rows, columns))
    away = np.abs(rows[down] - latitude) > half_row * 1.5
    away |= np.abs((columns[across] - longitude + 180.0) % 360.0 - 180.0) > half_column * 1.5
    return np.where(away, np.nan, values[down, across])


def nearest(axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the index of the nearest element of a monotonous axis for each value."""
    order = np.argsort(axis)
    ranked = axis[order]
    upper = np.clip(np.searchsorted(ranked, values), 1, max(ranked.size - 1, 1))
    if ranked.size == 1:
        return np.zeros(np.shape(values), np.int64)
    return order[np.where(values - ranked[upper - 1] <= ranked[upper] - values, upper - 1, upper)]
