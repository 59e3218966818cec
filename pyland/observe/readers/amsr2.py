"""AMSR2 Level-3 soil moisture of the Land Parameter Retrieval Model (netCDF).

Products of the GES DISC: LPRM_AMSR2_A_SOILM3 of 0.25 degrees, LPRM_AMSR2_DS_A_SOILM3 of 0.1 degrees, and their
descending passes.

References
----------
.. [1] Owe, M., de Jeu, R., Holmes, T. (2008). Multisensor historical climatology of satellite-derived global land
   surface moisture. J. Geophys. Res. 113, F01002: the model; no retrieval where the ground is frozen.
.. [2] Parinussa, R. M., Meesters, A. G. C. A., Liu, Y. Y., Dorigo, W., Wagner, W., de Jeu, R. A. M. (2011). Error
   estimates for near-real-time satellite soil moisture as derived from the Land Parameter Retrieval Model. IEEE Geosci.
   Remote Sens. Lett. 8, 779-783: errors grow steeply with optical depth, the retrieval loses its meaning near 0.8.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, QUALITY, USED, VEGETATION
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.grid_window import GridWindow
from pyland.observe.readers.opened_file import OpenedFile, opened
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

BANDS = {"c1": ("6.9 GHz", 62.0e3, 0.02), "c2": ("7.3 GHz", 62.0e3, 0.02), "x": ("10.7 GHz", 42.0e3, 0.01)}
"""Frequency, longer axis of the footprint [m] and nominal depth [m] by band."""

FREEZING = 273.15
"""Surface temperature below which the ground counts as frozen [K]."""

_VOLUME_PERCENT = {"percent": 0.01, "%": 0.01, "percent (%)": 0.01}
_NAME = re.compile(r"_(?:DS_)?([AD])_SOILM3_.*?(\d{8})")
_ORBITS = {"A": "ascending", "D": "descending"}
_LOCAL_HOURS = {"ascending": 13.5, "descending": 1.5}


def read_amsr2_lprm(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    band: str = "c1",
    max_optical_depth: float = 0.8,
    freezing: float = FREEZING,
    rejected_mask_bits: int = 0,
    sigma: float | None = None,
    footprint: float | None = None,
    depth: tuple[float, float] | None = None,
) -> ObservationTable:
    """Read soil moisture of one band.

    Parameters
    ----------
    paths : list of Path
        Daily files, ``LPRM-AMSR2_L3_A_SOILM3_V001_*.nc4`` and alike; orbit and day come from the name.
    period, bounds : optional
        See `Selection.of`.
    band : {"c1", "c2", "x"}
        6.9, 7.3 or 10.7 GHz.
    max_optical_depth : float
        Optical depth of the vegetation [1] beyond which a retrieval is not used [2].
    freezing : float
        Surface temperature [K] below which a retrieval is not used [1].
    rejected_mask_bits : int
        Bits of ``mask`` that reject a retrieval; their meaning differs between versions, so that the default is none
        of them.
    sigma : float, optional
        Standard deviation of the error [m3 m-3] where the file has none. Default: such rows are not used.
    footprint : float, optional
        Diameter of the footprint [m]; default by band.
    depth : tuple of float, optional
        Sensed layer [m]; default by band.

    Returns
    -------
    ObservationTable
        With ``orbit``, ``band``, ``optical_depth`` [1], ``surface_temperature`` [K] and ``mask``.

    Raises
    ------
    InputError
        If an option is none of these, or a file is not such a product.

    Notes
    -----
    Times are those of ``scantime`` where its unit is one of time, counted from the day of the file if it has no epoch;
    else 13:30 and 01:30 local solar time, the nominal passes.
    """
    if band not in BANDS:
        raise InputError(f"amsr2_lprm: band must be one of {', '.join(BANDS)}, got {band!r}.")
    chosen = Selection.of(period, bounds)
    rows, versions = RowCollector("soil_moisture", chosen), {}
    for path in paths:
        with opened(path) as file:
            orbit, day = _pass_of(path)
            versions[file.attribute("ProductVersion", "version", "product_version") or "unknown"] = None
            window = GridWindow(file.numbers(file.first_of(("Latitude", "lat"), "latitude")),
                                file.numbers(file.first_of(("Longitude", "lon"), "longitude")), chosen)
            rows.outside_bounds(window.outside)
            _add_file(rows, file, window, band, orbit, day, max_optical_depth, freezing, rejected_mask_bits, sigma)
    frequency, width, bottom = BANDS[band]
    top, bottom = depth or (0.0, bottom)
    return rows.table(f"AMSR2 LPRM L3 {frequency}", footprint=width if footprint is None else footprint, top=top,
                      bottom=bottom, extra_units={"optical_depth": "1", "surface_temperature": "K", "mask": "1"},
                      provenance={"product_version": "\n".join(versions)})


def _add_file(rows: RowCollector, file: OpenedFile, window: GridWindow, band: str, orbit: str, day: np.datetime64,
              max_optical_depth: float, freezing: float, rejected_mask_bits: int, sigma: float | None) -> None:
    name, error_name = f"soil_moisture_{band}", f"soil_moisture_{band}_error"
    shape = file.variable(name).shape
    is_transposed = shape == window.whole[::-1]
    if not is_transposed and shape != window.whole:
        raise InputError(f"{file.path}: '{name}' has the shape {shape}; expected rows and columns {window.whole} of "
                         "Latitude and Longitude, or columns first.")

    def cells(one: str) -> np.ndarray:
        return window.values(file, one, is_transposed=is_transposed)

    def optional(one: str) -> np.ndarray:
        return cells(one)[found] if one in file else np.full(found.size, np.nan)

    value = cells(name) * file.factor(name, "soil_moisture", _VOLUME_PERCENT)
    value[value < 0.0] = np.nan  # negative codes stand for ground without retrieval
    found = np.flatnonzero(np.isfinite(value))
    rows.no_value(value.size - found.size)
    error = cells(error_name)[found] * file.factor(error_name, "soil_moisture", _VOLUME_PERCENT)
    if sigma is not None:
        error = np.where(error > 0.0, error, sigma)
    optical_depth, temperature = optional(f"opt_depth_{band}"), optional("ts")
    mask = window.raw(file, "mask", is_transposed=is_transposed)[found] if "mask" in file else np.zeros(found.size, int)
    flag = np.full(found.size, USED, np.int8)
    flag[(mask.astype(np.int64) & rejected_mask_bits) != 0] = QUALITY
    flag[optical_depth > max_optical_depth] = VEGETATION
    flag[temperature < freezing] = FROZEN
    latitude, longitude, location = window.places(found)
    rows.add(file.path, value=value[found], sigma=error, flag=flag, latitude=latitude, longitude=longitude,
             location=location, time=_times(file, window, found, is_transposed, day, orbit, longitude),
             incidence_angle=55.0,
             extra={"orbit": orbit, "band": band, "optical_depth": optical_depth, "surface_temperature": temperature,
                    "mask": mask.astype(float)})


def _times(file: OpenedFile, window: GridWindow, found: np.ndarray, is_transposed: bool, day: np.datetime64, orbit: str,
           longitude: np.ndarray) -> np.ndarray:
    if "scantime" in file and file.unit("scantime") not in (None, "", "1", "none"):
        values = window.values(file, "scantime", is_transposed=is_transposed)[found]
        return file.times_of("scantime", values, day)
    hours = (_LOCAL_HOURS[orbit] - longitude / 15.0) % 24.0
    return day.astype("datetime64[s]") + np.rint(hours * 3600.0).astype("timedelta64[s]")


def _pass_of(path: Path) -> tuple[str, np.datetime64]:
    match = _NAME.search(path.name)
    if match is None:
        raise InputError(f"{path}: expected a name like LPRM-AMSR2_L3_A_SOILM3_V001_20121216010911.nc4, which says "
                         "orbit and day. Keep the name of the product.")
    text = match[2]
    return _ORBITS[match[1]], np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}", "D")
