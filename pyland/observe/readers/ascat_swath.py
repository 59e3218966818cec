"""ASCAT Level-2 surface soil moisture of EUMETSAT, one file per orbit or part of it (netCDF, 12.5 or 25 km nodes).

References
----------
.. [1] EUMETSAT (2017). ASCAT Product Guide, EUM/OPS-EPS/MAN/04/0028: variables and flags.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, OPEN_WATER, QUALITY, SNOW, USED
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.ascat_cells import REFERENCE_ANGLE, check_percent
from pyland.observe.readers.opened_file import OpenedFile, opened
from pyland.observe.readers.porosity import porosity_at
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

PLACE_STEP = 0.05
"""Nodes move from orbit to orbit: their ``location`` is a cell of this size of latitude and longitude [degrees]."""

_NAMES = {"soil_moisture": ("soil_moisture", "soil_moisture_error"), "backscatter": ("sigma40", "sigma40_error")}
_NO_BYTE = 255.0
_PLATFORMS = {"M01": "Metop-B", "M02": "Metop-A", "M03": "Metop-C"}


def read_ascat_swath(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    type: str = "soil_moisture",
    porosity: float | str | None = None,
    rejected_processing: int = 0b11111,
    max_frozen_probability: float = 0.5,
    max_snow_probability: float = 0.5,
    max_wetland: float = 0.15,
    max_topography: float = 0.2,
    footprint: float | None = None,
    depth: tuple[float, float] = (0.0, 0.02),
) -> ObservationTable:
    """Read soil moisture or backscatter at 40 degrees.

    Parameters
    ----------
    paths : list of Path
        Orbit files, for instance ``METOPA_ASCAT_20170220041500_250_ssm_l2.nc``.
    period, bounds : optional
        See `Selection.of`.
    type : {"soil_moisture", "backscatter"}
        What to read.
    porosity : float or str
        Needed for soil moisture: a number or a map, see `pyland.observe.readers.porosity.porosity_at`.
    rejected_processing : int
        Bits of ``proc_flag1`` that reject soil moisture: 1 neighbours, 2 low sensitivity, 4 azimuthal noise, 8 and 16
        backscatter of the beams out of range. Default all of them.
    max_frozen_probability, max_snow_probability : float
        Largest probabilities [1], from climatology, of soil moisture that is used.
    max_wetland, max_topography : float
        Largest wetland fraction and topographic complexity [1] of soil moisture that is used.
    footprint : float, optional
        Diameter of the footprint [m]; default twice the spacing of the nodes.
    depth : tuple of float
        Sensed layer [m].

    Returns
    -------
    ObservationTable
        With ``orbit``, ``satellite``, ``frozen_probability``, ``snow_probability``, ``open_water`` (wetland) and
        ``topography`` [1].

    Raises
    ------
    InputError
        If an option is wrong, or a file is not such a product.
    """
    if type not in _NAMES:
        raise InputError(f"ascat_swath: type must be soil_moisture or backscatter, got {type!r}.")
    rows, versions, spacings = RowCollector(type, Selection.of(period, bounds)), {}, []
    limits = ((max_frozen_probability, "frozen_soil_probability", FROZEN),
              (max_snow_probability, "snow_cover_probability", SNOW), (max_wetland, "wetland_flag", OPEN_WATER),
              (max_topography, "topography_flag", QUALITY))
    for path in paths:
        with opened(path) as file:
            versions[" ".join(filter(None, (file.attribute("title"), file.attribute("processor_major_version"))))] = 0
            spacings.append(_spacing(file))
            _add_file(rows, file, type, porosity, rejected_processing, limits)
    if len(set(spacings)) > 1:
        raise InputError(f"{paths[0]} and others: have nodes every {', '.join(f'{one:g}' for one in set(spacings))} m. "
                         "Read the two products apart.")
    reach = {"top": depth[0], "bottom": depth[1]} if type == "soil_moisture" else {}
    return rows.table(f"ASCAT L2 {spacings[0] / 1000:g} km",
                      footprint=2.0 * spacings[0] if footprint is None else footprint, **reach,
                      extra_units=dict.fromkeys(("frozen_probability", "snow_probability", "open_water", "topography"),
                                                "1"),
                      provenance={"product_version": "\n".join(versions)})


def _add_file(rows: RowCollector, file: OpenedFile, observation_type: str, porosity: float | str | None,
              rejected_processing: int, limits: tuple[tuple[float, str, int], ...]) -> None:
    name, error_name = _NAMES[observation_type]
    latitude, longitude = file.numbers("latitude"), file.numbers("longitude")
    shape = file.variable(name).shape
    if latitude.shape != shape or latitude.ndim != 2:
        raise InputError(f"{file.path}: '{name}' has the shape {shape}, latitude {latitude.shape}; expected both (row, "
                         "node).")
    node = np.flatnonzero(rows.selection.in_bounds(latitude, longitude).ravel())
    rows.outside_bounds(latitude.size - node.size)

    def nodes(one: str) -> np.ndarray:
        variable = file.variable(one)
        return file.numbers(one, missing=(_NO_BYTE,) if variable.dtype.itemsize == 1 else ()).ravel()[node]

    latitude, longitude = latitude.ravel()[node], longitude.ravel()[node]
    value, error = nodes(name), nodes(error_name)
    flag = np.full(node.size, USED, np.int8)
    shares = {one: 0.01 * nodes(one) for _, one, _ in limits}
    if observation_type == "soil_moisture":
        check_percent(file, name)
        factor = 0.01 * porosity_at(porosity, latitude, longitude, file, "ASCAT soil moisture")
        value, error = value * factor, error * factor
        flags = file.raw("proc_flag1").ravel()[node].astype(np.int64)
        flag[(flags & rejected_processing) != 0] = QUALITY
        for limit, one, reason in reversed(limits):
            flag[shares[one] > limit] = reason
    else:
        value, error = (one * file.factor(name, "backscatter") for one in (value, error))
    row = node // shape[1]
    ascending = file.raw("as_des_pass")[row]
    rows.add(file.path, value=value, sigma=error, flag=flag, time=file.times("utc_line_nodes")[row],
             latitude=latitude, longitude=longitude, location=_place_numbers(latitude, longitude),
             incidence_angle=REFERENCE_ANGLE if observation_type == "backscatter" else np.nan,
             extra={"orbit": np.where(ascending == 0, "ascending", "descending"),
                    "satellite": _PLATFORMS.get(file.attribute("platform_long_name"), "unknown"),
                    "frozen_probability": shares["frozen_soil_probability"],
                    "snow_probability": shares["snow_cover_probability"], "open_water": shares["wetland_flag"],
                    "topography": shares["topography_flag"]})


def _place_numbers(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    columns = round(360.0 / PLACE_STEP)
    row, column = (np.floor((one + edge) / PLACE_STEP) for one, edge in (
        (latitude, 90.0), ((longitude + 180.0) % 360.0, 0.0)))
    return np.nan_to_num(row * columns + column, nan=-1.0).astype(np.int64)


def _spacing(file: OpenedFile) -> float:
    """Return the distance of nodes [m] from the attribute ``pixel_size_on_horizontal``, ``"25000m"``."""
    text = file.attribute("pixel_size_on_horizontal")
    try:
        return float(text.strip().removesuffix("m"))
    except ValueError:
        raise InputError(f"{file.path}: the attribute pixel_size_on_horizontal must be a distance such as 25000m, got "
                         f"{text!r}. Is this an orbit file of ASCAT Level 2?") from None
