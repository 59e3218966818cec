"""Weather from the forcing files of ParFlow-CLM, made for NLDAS: text of one place, or PFB files of a grid."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.checksums import sha256_of_file
from pyland.base.errors import InputError
from pyland.forcing.checks import check_values
from pyland.forcing.interval import INTERVAL_FIELDS, IntervalForcing
from pyland.forcing.parflow_records import PfbRecords, TextRecords
from pyland.forcing.precipitation_phase import PrecipitationPhase

HOUR = 3600
"""Length of a record [s]."""

WIND_HEIGHT = 10.0
"""Height of NLDAS's wind above ground [m], ParFlow-CLM's ``forc_hgt_u``; temperature and humidity are those of 2 m."""

_LABELS = {
    "air_temperature": "Temp", "specific_humidity": "SPFH", "surface_pressure": "Press", "longwave_down": "DLWR",
    "shortwave_down": "DSWR",
}  # fmt: skip
_RECORDS_KEPT = 3  # a step shorter than an hour looks at the records before and after it


class NldasPfbForcing(IntervalForcing):
    """Weather from a set of forcing files of ParFlow-CLM, see `pyland.forcing.parflow_records`.

    Parameters
    ----------
    path : str or Path
        Folder with PFB files, or a text file, which serves any number of cells.
    latitude, longitude : array_like
        Places of the cells [degrees].
    shape : tuple of int
        Rows and columns of the domain.
    cells : array_like of int
        Places of the cells in the flattened domain (y, x).
    record_start : numpy.datetime64
        Start of the hour of the first record, UTC.
    first_record : int
        Number of that record, ParFlow's ``IstepStart``.
    prefix : str, optional
        What the names of the files begin with; by default the only one there is.
    until : numpy.datetime64, optional
        End of what will be asked for: all files up to there have to be there.
    reference_height : float or array_like, optional
        Height of the forcing level above ground [m]; 10 m by default.
    phase : PrecipitationPhase, optional
        Rule for rain and snow; by default the ramp of air temperature.

    Raises
    ------
    InputError
        If a file is missing, damaged or on another grid, or a value is not possible. Files are looked at when the
        weather is opened, values when a record is reached.

    Notes
    -----
    ParFlow-CLM holds a record constant over its hour. Here a record is the mean of that hour, as everywhere in pyland:
    steps of an hour see the same numbers, shorter ones a shortwave that follows the sun and smooth fields from straight
    lines, see `IntervalForcing`. Temperature, humidity, pressure and wind of NLDAS are values at the end of the hour;
    as means of it they come half an hour early, in ParFlow-CLM and here.
    """

    def __init__(
        self,
        path: str | Path,
        latitude: Any,
        longitude: Any,
        shape: tuple[int, int],
        cells: Any,
        record_start: np.datetime64,
        *,
        first_record: int = 1,
        prefix: str | None = None,
        until: np.datetime64 | None = None,
        reference_height: Any = None,
        phase: PrecipitationPhase | None = None,
    ) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            self._source: PfbRecords | TextRecords = PfbRecords(self.path, prefix, shape, np.asarray(cells))
        elif self.path.is_file():
            self._source = TextRecords(self.path)
        else:
            raise InputError(
                f"{path}: no such file or folder; check forcing.path (relative paths start at the case directory)")
        self.phase = phase or PrecipitationPhase()
        self._first = first_record
        start, last = np.datetime64(record_start, "s"), self._source.last_record(first_record)
        if until is not None:
            hours = -(-int((np.datetime64(until, "s") - start).astype(np.int64)) // HOUR)
            needed = first_record + max(hours, 1) - 1
            self._source.check(first_record, needed)
            self._needed = needed
        else:
            self._source.check(first_record, max(last, first_record))
            self._needed = last
        latitude, longitude = (np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in (latitude, longitude))
        latitude, longitude = (one.copy() for one in np.broadcast_arrays(latitude, longitude))
        given = np.asarray(WIND_HEIGHT if reference_height is None else reference_height, dtype=np.float64)
        height = np.broadcast_to(given.reshape(-1), latitude.shape).copy()
        super().__init__(start, HOUR, last - first_record + 1, latitude, longitude, height, str(path))
        self._clipped: dict[tuple[str, int], int] = {}  # by variable and record: a record may be read again
        self._records: OrderedDict[int, np.ndarray] = OrderedDict()

    def interval_means(self, index: int) -> np.ndarray:
        """Means of interval ``index``, ``(field, cell)``, or ``(field, 1)`` from a text file."""
        record = self._first + index
        if record in self._records:
            self._records.move_to_end(record)
            return self._records[record]
        values = self._fields(record, self.start + np.timedelta64(index * HOUR, "s"))
        values.flags.writeable = False
        self._records[record] = values
        while len(self._records) > _RECORDS_KEPT:
            self._records.popitem(last=False)
        return values

    def checksums(self) -> dict[str, str]:
        """SHA-256 of the files of the period that was asked for."""
        return {str(path): sha256_of_file(path) for path in self.files}

    @property
    def files(self) -> list[Path]:
        """Files of the period that was asked for."""
        return self._source.files(self._first, self._needed)

    def describe(self) -> dict[str, Any]:
        """Provenance: path, period, records, treatment."""
        return {
            "format": "nldas-pfb",
            "path": str(self.path),
            "start": str(self.start),
            "end": str(self.end),
            "interval_seconds": self.interval,
            "first_record": self._first,
            "ncell": self.ncell,
            "precipitation_phase": self.phase.describe(),
            "small_offsets_set_to_zero": sum(self._clipped.values()),
        }

    def _fields(self, record: int, start: np.datetime64) -> np.ndarray:
        """Return a record in the order of `INTERVAL_FIELDS`, checked."""
        raw = self._source.read(record)

        def checked(name: str, label: str, values: np.ndarray) -> np.ndarray:
            file = str(self._source.file_of(label.partition(",")[0], record))
            values = values[None].copy()
            self._clipped[name, record] = check_values(values, name, label, file, start, HOUR, record)
            return values[0]

        fields = {name: checked(name, label, raw[label]) for name, label in _LABELS.items()}
        fields["wind_speed"] = checked("wind_speed", "UGRD, VGRD", np.hypot(raw["UGRD"], raw["VGRD"]))
        total = checked("precipitation", "APCP", raw["APCP"])
        air = (fields[name] for name in ("air_temperature", "specific_humidity", "surface_pressure"))
        fields["rain"], fields["snowfall"] = self.phase.split(total, *air)
        return np.stack([fields[name] for name in INTERVAL_FIELDS])
