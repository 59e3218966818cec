"""SMOS Level-3 soil moisture of the CATDS (netCDF, global EASE-Grid 2.0 of 25 km; MIR_CLF31A/D, CLF3SA/D).

References
----------
.. [1] Kerr, Y. H., et al. (2012). The SMOS soil moisture retrieval algorithm. IEEE Trans. Geosci. Remote Sens. 50,
   1384-1403: DQX (expected error of the retrieval), probability of its chi-square.
.. [2] Kerr, Y. H., et al. (2010). The SMOS mission: new tool for monitoring key elements of the global water cycle.
   Proc. IEEE 98, 666-687: resolution of 43 km on average.
.. [3] Al Bitar, A., et al. (2017). The global SMOS Level 3 daily soil moisture and brightness temperature maps. Earth
   Syst. Sci. Data 9, 293-315: layout, use of DQX and of the probability of interference.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import QUALITY, USED
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.grid_window import GridWindow
from pyland.observe.readers.opened_file import OpenedFile, opened, seconds_after
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

EPOCH = np.datetime64("2000-01-01T00:00:00", "ms")
"""Days of acquisition count from there."""

_ORBIT = re.compile(r"MIR_CLF3[0-9S]([AD])")
_ORBITS = {"A": "ascending", "D": "descending"}
_PERCENT = {"%": 0.01, "percent": 0.01}


def read_smos_l3(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    max_uncertainty: float = 0.1,
    max_interference: float = 0.3,
    min_fit_probability: float = 0.05,
    orbit: str | None = None,
    footprint: float = 43.0e3,
    depth: tuple[float, float] = (0.0, 0.05),
) -> ObservationTable:
    """Read soil moisture.

    Parameters
    ----------
    paths : list of Path
        Daily files of ascending or descending passes.
    period, bounds : optional
        See `Selection.of`.
    max_uncertainty : float
        Largest ``Soil_Moisture_Dqx`` [m3 m-3] of a retrieval that is used.
    max_interference : float
        Largest ``Rfi_Prob`` [1] of a retrieval that is used.
    min_fit_probability : float
        Smallest ``Chi_2_P`` [1] of a retrieval that is used, where the file has it.
    orbit : {"ascending", "descending"}, optional
        Needed where the file name does not say it (``CLF31A``, ``CLF31D``).
    footprint : float
        Diameter of the footprint [m].
    depth : tuple of float
        Sensed layer [m].

    Returns
    -------
    ObservationTable
        With ``orbit``, ``rfi_probability`` [1] and ``optical_depth`` [1]; the error is ``Soil_Moisture_Dqx``.

    Raises
    ------
    InputError
        If a file is not such a product.
    """
    if orbit is not None and orbit not in _ORBITS.values():
        raise InputError(f"smos_l3: orbit must be ascending or descending, got {orbit!r}.")
    chosen = Selection.of(period, bounds)
    rows, versions = RowCollector("soil_moisture", chosen), {}
    for path in paths:
        with opened(path) as file:
            window = GridWindow(file.numbers(file.first_of(("lat", "latitude"), "latitude")),
                                file.numbers(file.first_of(("lon", "longitude"), "longitude")), chosen)
            versions[file.attribute("product_version", "Processor_Version", "version") or path.stem] = None
            rows.outside_bounds(window.outside)
            _add_file(rows, file, window, orbit or _orbit_of(path), max_uncertainty, max_interference,
                      min_fit_probability)
    return rows.table("SMOS CATDS L3 25 km", footprint=footprint, top=depth[0], bottom=depth[1],
                      extra_units={"rfi_probability": "1", "optical_depth": "1"},
                      provenance={"product_version": "\n".join(versions)})


def _add_file(rows: RowCollector, file: OpenedFile, window: GridWindow, orbit: str, max_uncertainty: float,
              max_interference: float, min_fit_probability: float) -> None:
    factor = file.factor("Soil_Moisture", "soil_moisture")
    value = _cells(file, window, "Soil_Moisture") * factor
    value[value < 0.0] = np.nan  # some versions fill with -999 or -1 beside the fill value that they declare
    found = np.flatnonzero(np.isfinite(value))
    rows.no_value(value.size - found.size)
    error_name = file.first_of(("Soil_Moisture_Dqx", "Soil_Moisture_DQX", "Soil_Moisture_StdError"), "uncertainty")
    interference_name = file.first_of(("Rfi_Prob", "RFI_Prob"), "probability of interference")
    error = _cells(file, window, error_name, found) * factor
    interference = _cells(file, window, interference_name, found)
    interference *= _PERCENT.get(file.unit(interference_name) or "", 1.0)
    flag = np.full(found.size, USED, np.int8)
    flag[(error > max_uncertainty) | ~(interference <= max_interference)] = QUALITY
    if "Chi_2_P" in file:
        flag[_cells(file, window, "Chi_2_P", found) < min_fit_probability] = QUALITY
    depth_name = next((one for one in ("Optical_Thickness_Nad", "Optical_Thickness") if one in file), None)
    latitude, longitude, location = window.places(found)
    rows.add(file.path, value=value[found], sigma=error, flag=flag, time=_times(file, window, found), latitude=latitude,
             longitude=longitude, location=location,
             extra={"orbit": orbit, "rfi_probability": interference, "optical_depth": np.nan if depth_name is None
                    else _cells(file, window, depth_name, found)})


def _cells(file: OpenedFile, window: GridWindow, name: str, chosen: np.ndarray | None = None) -> np.ndarray:
    """Return a variable over the cells of the box, whatever leading dimension of length one it has."""
    return window.values(file, name, before=(0,) * (file.variable(name).ndim - 2), chosen=chosen)


def _times(file: OpenedFile, window: GridWindow, found: np.ndarray) -> np.ndarray:
    days_name = file.first_of(("Mean_Acq_Time_Days", "Days"), "days of acquisition")
    seconds_name = file.first_of(("Mean_Acq_Time_Seconds", "UTC_Seconds", "Seconds"), "seconds of acquisition")
    days, seconds = (_cells(file, window, name, found) for name in (days_name, seconds_name))
    return seconds_after(EPOCH, days * 86400.0 + seconds)


def _orbit_of(path: Path) -> str:
    match = _ORBIT.search(path.name)
    if match is None:
        raise InputError(f"{path}: the file name does not say whether passes are ascending or descending (CLF31A, "
                         "CLF31D). Give the option orbit.")
    return _ORBITS[match[1]]
