"""ASCAT surface soil moisture as time series, one file per cell of 5 by 5 degrees (H SAF climate data records).

The arrays are ragged in the sense of the CF conventions: contiguous (``row_size``: how many records each location has)
or indexed (``locationIndex``: the location of each record).

References
----------
.. [1] H SAF (2018). Product User Manual: Metop ASCAT Surface Soil Moisture Climate Data Records and Offline Products
   (H107 to H117): names, flags, 25-34 km resolution on 12.5 km sampling.
.. [2] Wagner, W., Lemoine, G., Rott, H. (1999). A method for estimating soil moisture from ERS scatterometer and soil
   data. Remote Sens. Environ. 70, 191-207: the topmost centimetres, percent of saturation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, QUALITY, SNOW, USED
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.opened_file import OpenedFile, opened
from pyland.observe.readers.porosity import porosity_at
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

VALUES = {"soil_moisture": (("sm", "surface_soil_moisture", "ssm"),
                            ("sm_noise", "surface_soil_moisture_noise", "ssm_noise")),
          "backscatter": (("sigma40", "backscatter40"), ("sigma40_noise", "backscatter40_noise"))}
"""Names of value and error by type; the first are those of the records up to H120, the others of later ones."""

SURFACE_STATES = {2: FROZEN, 3: SNOW, 4: FROZEN}
"""Values of the surface state flag that reject a record: frozen, melting water on the surface, permanent ice [1]."""

REFERENCE_ANGLE = 40.0
"""Incidence angle that backscatter is normalised to [degrees]."""

_MISSING = (127.0, 255.0)  # of bytes
_PERCENT = ("%", "percent", "percentage")
_SATELLITES = {1: "ERS-1", 2: "ERS-2", 3: "Metop-A", 4: "Metop-B", 5: "Metop-C"}


def read_ascat_cells(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    type: str = "soil_moisture",
    porosity: float | str | None = None,
    rejected_processing: int = 0xFF,
    rejected_correction: int = 0b101100,
    surface_states: bool = True,
    sigma: float | None = None,
    footprint: float = 25.0e3,
    depth: tuple[float, float] = (0.0, 0.02),
) -> ObservationTable:
    """Read soil moisture or normalised backscatter.

    Parameters
    ----------
    paths : list of Path
        Cell files, for instance ``H110_1324.nc``.
    period, bounds : optional
        See `Selection.of`.
    type : {"soil_moisture", "backscatter"}
        What to read.
    porosity : float or str
        Needed for soil moisture, see `pyland.observe.readers.porosity.porosity_at`; value and noise are scaled by it.
    rejected_processing : int
        Bits of the processing flag that reject a record; default any.
    rejected_correction : int
        Bits of the correction flag that reject a record; default those that set the value to none. Bits 1 and 2 (set to
        0 or 100 percent, it was beyond by at most 25) and 16 (wet correction) are accepted.
    surface_states : bool
        Reject records on frozen ground, ice and melting water by the surface state flag.
    sigma : float, optional
        Standard deviation of the error [unit of the type] of records that have none. Default: they are not used.
    footprint : float
        Diameter of the footprint [m].
    depth : tuple of float
        Sensed layer [m].

    Returns
    -------
    ObservationTable
        With ``orbit`` and ``satellite``, and where the file has them ``frozen_probability`` and ``snow_probability``
        [1]. ``location`` is the number of the grid point.

    Raises
    ------
    InputError
        If an option is wrong, or a file is not such a product.
    """
    if type not in VALUES:
        raise InputError(f"ascat_cells: type must be soil_moisture or backscatter, got {type!r}.")
    rows, versions = RowCollector(type, Selection.of(period, bounds)), {}
    for path in paths:
        with opened(path) as file:
            versions[f"{file.attribute('id', 'product_version') or path.stem} {file.attribute('version')}".strip()] = 0
            _add_file(rows, file, type, porosity, rejected_processing, rejected_correction, surface_states, sigma)
    reach = {"top": depth[0], "bottom": depth[1]} if type == "soil_moisture" else {}
    return rows.table("ASCAT H SAF", footprint=footprint, **reach,
                      extra_units={"frozen_probability": "1", "snow_probability": "1"},
                      provenance={"product_version": "\n".join(versions)})


def _add_file(rows: RowCollector, file: OpenedFile, observation_type: str, porosity: float | str | None,
              rejected_processing: int, rejected_correction: int, surface_states: bool, sigma: float | None) -> None:
    names, errors = VALUES[observation_type]
    name, error_name = file.first_of(names, observation_type), _first(file, errors)
    latitude, longitude = (file.numbers(file.first_of(one, one[0])) for one in (("lat", "latitude"),
                                                                                 ("lon", "longitude")))
    place = _place_of_record(file, latitude.size, file.variable(name).shape)
    inside = rows.selection.in_bounds(latitude, longitude)
    record = np.flatnonzero(inside[place])
    rows.outside_bounds(place.size - record.size)
    place = place[record]

    def records(one: str) -> np.ndarray:
        return file.numbers(one, missing=_MISSING if file.variable(one).dtype.itemsize == 1 else ())[record]

    if observation_type == "soil_moisture":
        check_percent(file, name)
        factor = 0.01 * porosity_at(porosity, latitude, longitude, file, "ASCAT soil moisture")[place]
    else:
        factor = file.factor(name, "backscatter")
    flag = np.full(record.size, USED, np.int8)
    for candidates, rejected in ((("proc_flag", "processing_flag"), rejected_processing),
                                 (("corr_flag", "correction_flag"), rejected_correction)):
        flag_name = file.first_of(candidates, "quality flag")
        flag[(file.raw(flag_name)[record].astype(np.int64) & rejected) != 0] = QUALITY
    if surface_states:
        state = file.raw(file.first_of(("ssf", "surface_flag"), "surface state flag"))[record]
        for value, reason in SURFACE_STATES.items():
            flag[state == value] = reason
    location = np.arange(latitude.size)
    if "location_id" in file:
        location = file.raw("location_id").astype(np.int64)
    error = records(error_name) * factor if error_name else np.full(record.size, np.nan)
    if sigma is not None:
        error = np.where(error > 0.0, error, sigma)
    rows.add(file.path, value=records(name) * factor, sigma=error, flag=flag,
             time=file.times("time")[record], latitude=latitude[place], longitude=longitude[place],
             location=location[place],
             incidence_angle=REFERENCE_ANGLE if observation_type == "backscatter" else np.nan,
             extra={"orbit": _orbits(file, record), "satellite": _satellites(file, record),
                    **{word: 0.01 * records(one) if (one := _first(file, candidates)) else np.nan
                       for word, candidates in (("frozen_probability", ("frozen_prob", "frozen_soil_probability")),
                                                ("snow_probability", ("snow_prob", "snow_cover_probability")))}})


def check_percent(file: OpenedFile, name: str) -> None:
    """Raise InputError unless a variable is in percent."""
    unit = file.unit(name)
    if unit not in _PERCENT:
        raise InputError(f"{file.path}: '{name}' has the unit {unit!r}; expected percent of saturation ("
                         f"{', '.join(_PERCENT)}). Is this the product that the reader expects?")


def _place_of_record(file: OpenedFile, places: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return the location of each record."""
    count = shape[0] if len(shape) == 1 else -1
    if "row_size" in file:
        sizes = file.raw("row_size").astype(np.int64)
        if sizes.size != places or (sizes < 0).any() or sizes.sum() != count:
            raise InputError(f"{file.path}: row_size has {sizes.size} numbers with the sum {sizes.sum()}; expected "
                             f"{places} locations and {count} records. The file is damaged; fetch it again.")
        return np.repeat(np.arange(places), sizes)
    index = file.raw(file.first_of(("locationIndex", "location_index"), "row_size or index of locations"))
    index = index.astype(np.int64)
    if index.size != count or (index < 0).any() or (index >= places).any():
        raise InputError(f"{file.path}: the index of locations has {index.size} numbers, {index.min(initial=0)} to "
                         f"{index.max(initial=0)}; expected {count} of 0 to {places - 1}. The file is damaged; "
                         "fetch it again.")
    return index


def _orbits(file: OpenedFile, record: np.ndarray) -> np.ndarray:
    """Return the words of the direction flag: 0 is ascending, 1 descending."""
    direction = file.raw(file.first_of(("dir", "as_des_pass"), "orbit direction"))[record]
    return np.where(direction == 0, "ascending", np.where(direction == 1, "descending", "unknown"))


def _satellites(file: OpenedFile, record: np.ndarray) -> np.ndarray | str:
    if "sat_id" not in file:
        return file.attribute("platform", "source") or "unknown"
    numbers = file.raw("sat_id")[record]
    words = np.full(numbers.shape, "unknown", "U8")
    for number, word in _SATELLITES.items():
        words[numbers == number] = word
    return words


def _first(file: OpenedFile, names: tuple[str, ...]) -> str | None:
    return next((one for one in names if one in file), None)
