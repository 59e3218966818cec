"""ESA CCI (and C3S) surface soil moisture: daily images on a grid of 0.25 degrees (netCDF).

References
----------
.. [1] Dorigo, W., et al. (2017). ESA CCI Soil Moisture for improved Earth system understanding: state-of-the art and
   future directions. Remote Sens. Environ. 203, 185-215: the products, 2 to 5 cm.
.. [2] Gruber, A., Scanlon, T., van der Schalie, R., Wagner, W., Dorigo, W. (2019). Evolution of the ESA CCI Soil
   Moisture climate data records and their underlying merging methodology. Earth Syst. Sci. Data 11, 717-739:
   uncertainties.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, QUALITY, USED, VEGETATION
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.ascat_cells import check_percent
from pyland.observe.readers.grid_window import GridWindow
from pyland.observe.readers.opened_file import OpenedFile, opened
from pyland.observe.readers.porosity import porosity_at
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

BITS = ((FROZEN, 1), (VEGETATION, 2), (QUALITY, 0x7C))
"""Bits of ``flag``: snow or temperature below zero, dense vegetation, all others."""

_KIND = re.compile(r"COMBINED|ACTIVE|PASSIVE", re.IGNORECASE)
_PERCENT = ("%", "percent", "percentage")
_ORBITS = np.array(["unknown", "ascending", "descending", "both"])


def read_esa_cci(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    rejected_bits: int = 0x7F,
    porosity: float | str | None = None,
    sigma: float | None = None,
    footprint: float = 25.0e3,
    depth: tuple[float, float] = (0.0, 0.05),
) -> ObservationTable:
    """Read soil moisture of the COMBINED, PASSIVE or ACTIVE product.

    Parameters
    ----------
    paths : list of Path
        Daily images.
    period, bounds : optional
        See `Selection.of`.
    rejected_bits : int
        Bits of ``flag`` that reject a value: 1 snow or frozen, 2 dense vegetation, 4 no convergence, 8 beyond physical
        bounds, 16 low weight, and others; default any.
    porosity : float or str
        Needed for the ACTIVE product, which is in percent of saturation.
    sigma : float, optional
        Standard deviation of the error [m3 m-3] where the product gives none. Default: such rows are not used.
    footprint : float
        Diameter of the footprint [m].
    depth : tuple of float
        Sensed layer [m].

    Returns
    -------
    ObservationTable
        With ``orbit``; the error is ``sm_uncertainty``, the time ``t0`` where there is one.

    Raises
    ------
    InputError
        If a file is not such a product.
    """
    chosen = Selection.of(period, bounds)
    rows, versions, kinds = RowCollector("soil_moisture", chosen), {}, {}
    for path in paths:
        with opened(path) as file:
            versions[file.attribute("product_version") or "unknown"] = None
            match = _KIND.search(path.name) or _KIND.search(file.attribute("title", "id"))
            kinds["" if match is None else f" {match[0].upper()}"] = None
            if porosity is not None and file.unit("sm") not in _PERCENT:
                raise InputError(f"{path}: expected no option porosity, which is for the ACTIVE product in percent of "
                                 f"saturation; 'sm' has the unit {file.unit('sm')!r}. Leave it out.")
            if file.variable("sm").ndim != 3:
                raise InputError(f"{path}: 'sm' has the dimensions {' and '.join(file.variable('sm').dimensions)}; "
                                 "expected time, lat and lon. Is this the product that the reader expects?")
            window = GridWindow(file.numbers(file.first_of(("lat",), "latitude")),
                                file.numbers(file.first_of(("lon",), "longitude")), chosen)
            for step in range(file.variable("sm").shape[0]):
                rows.outside_bounds(window.outside)
                _add_image(rows, file, window, step, rejected_bits, porosity, sigma)
    return rows.table("ESA CCI SM" + ",".join(kinds), footprint=footprint, top=depth[0], bottom=depth[1],
                      provenance={"product_version": "\n".join(versions)})


def _add_image(rows: RowCollector, file: OpenedFile, window: GridWindow, step: int, rejected_bits: int,
               porosity: float | str | None, sigma: float | None) -> None:
    def cells(name: str, chosen: np.ndarray | None = None) -> np.ndarray:
        return window.values(file, name, before=(step,), chosen=chosen)

    value = cells("sm")
    found = np.flatnonzero(np.isfinite(value))
    rows.no_value(value.size - found.size)
    latitude, longitude, location = window.places(found)
    if file.unit("sm") in _PERCENT:
        check_percent(file, "sm")
        factor = 0.01 * porosity_at(porosity, latitude, longitude, file, "the ACTIVE soil moisture")
    else:
        factor = file.factor("sm", "soil_moisture")
    error = cells(file.first_of(("sm_uncertainty", "sm_noise"), "uncertainty"), found) * factor
    if sigma is not None:
        error = np.where(error > 0.0, error, sigma)
    bits = window.raw(file, file.first_of(("flag",), "quality flag"), before=(step,))[found].astype(np.int64)
    flag = np.full(found.size, USED, np.int8)
    for reason, mask in reversed(BITS):
        flag[(bits & mask & rejected_bits) != 0] = reason
    time = np.broadcast_to(file.times("time")[step], found.shape)
    if "t0" in file:
        exact = file.times_of("t0", cells("t0", found))
        time = np.where(np.isnat(exact), time, exact)
    mode = window.raw(file, "mode", before=(step,))[found] if "mode" in file else np.zeros(found.size, int)
    rows.add(file.path, value=value[found] * factor, sigma=error, flag=flag, time=time, latitude=latitude,
             longitude=longitude, location=location, extra={"orbit": _ORBITS[np.clip(mode, 0, 3)]})
