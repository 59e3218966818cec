"""Records that survive a kill: kept in memory, written in complete segments, joined at the end.

A run writes ``segments/<kind>.<stamp>.nc`` at each restart time and joins the segments into ``<kind>.nc`` when it ends.
The driver flushes all segments *before* it writes the restart of the same time. A kill therefore loses at most the work
since the last restart, and a resumed run continues the very same records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.complete_files import partial_path, publish
from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.output.atomic import complete_file, explained, remove_partial_files

BUFFER_LIMIT = 16 * 2**20
"""Bytes of records that are kept in memory; more is spilled into the hidden file of the next segment."""

_CHUNK_VALUES = 2**18  # values of the records that one chunk spans: about 1 MiB of float32
_CHUNK_RECORDS = 1024  # most records per chunk; short records of stations share a chunk
_TILE_VALUES = 2**14  # cells of one layer per chunk of a larger record: 128 x 128, 64 KiB of float32
_COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True}  # higher levels save 1 % of the size of heads and water


@dataclass(frozen=True)
class RecordVariable:
    """A variable with one value, profile or map per record.

    Parameters
    ----------
    dimensions : tuple of str
        Record dimension first.
    attributes : mapping
        NetCDF attributes.
    dtype : str
        ``f4``, ``f8``, ``i1``, ``i4``, ``i8`` or ``str``.
    """

    dimensions: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "f4"


@dataclass(frozen=True)
class Layout:
    """What one output file holds besides its records.

    Parameters
    ----------
    dimensions : mapping of str to int
        Sizes of all dimensions that do not grow.
    record_dimensions : tuple of str
        Dimensions that grow.
    coordinates : mapping of str to (dimensions, values, attributes)
        Variables that do not change in time.
    attributes : mapping
        Global attributes.
    """

    dimensions: Mapping[str, int]
    record_dimensions: tuple[str, ...] = ("time",)
    coordinates: Mapping[str, tuple[tuple[str, ...], np.ndarray, Mapping[str, Any]]] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


class SegmentedFile:
    """One output file of a run, written in segments.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    kind : str
        Name of the file without its ending: ``history``, ``members``, ``analysis``, ``balance``.
    layout : Layout
        Dimensions, coordinates and global attributes.
    buffer_limit : int
        Bytes of records kept in memory.
    """

    def __init__(self, run_dir: str | Path, kind: str, layout: Layout, buffer_limit: int = BUFFER_LIMIT) -> None:
        self.path = Path(run_dir) / f"{kind}.nc"
        self.kind = kind
        self.layout = layout
        self.variables: dict[str, RecordVariable] = {}
        self.folder = Path(run_dir) / "segments"
        self._limit = buffer_limit
        self._buffer: dict[str, dict[str, list[np.ndarray]]] = {}
        self._held = 0
        self._open: netCDF4.Dataset | None = None

    # ---- life of the file ------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a new run: remove what an earlier run left under these names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove_own_partials()
        for leftover in [*self.segments(), self.path]:
            leftover.unlink(missing_ok=True)

    def resume(self, stamp: str, time: np.datetime64) -> None:
        """Continue after the restart of ``stamp``: drop everything later.

        Parameters
        ----------
        stamp : str
            Stamp of the restart, ``YYYYMMDDTHHMM``.
        time : numpy.datetime64
            Records up to and including this time are kept: the restart's, or the start of the output interval in which
            it lies. (A run that ended there has closed that interval too early; the restart holds it open.)

        Raises
        ------
        InputError
            If the segment that belongs to the restart is missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove_own_partials()
        target = self._segment_path(stamp)
        if self.path.exists():  # the earlier run had ended: its file holds all segments
            for segment in self.segments():
                segment.unlink()
            with complete_file(target) as partial:
                _copy_records([self.path], partial, until=time)
            self.path.unlink()
        for segment in self.segments():
            if _stamp_of(segment) > stamp:
                segment.unlink()
        if target.exists():
            with complete_file(target) as partial:
                _copy_records([target], partial, until=time)
        else:
            raise InputError(
                f"{self.folder}: the segment {self._segment_path(stamp).name} that belongs to the restart of {stamp} "
                "is missing; resume needs it. Run the case again without --resume."
            )

    def define(self, variables: Mapping[str, RecordVariable]) -> None:
        """Set the variables of the file; call it once, before the first record."""
        self.variables = dict(variables)

    def append(self, values: Mapping[str, np.ndarray]) -> None:
        """Add records.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray
            Arrays whose first axis counts records; variables of one record dimension come together and equally long.

        Raises
        ------
        InputError
            If a variable is unknown, missing or has the wrong shape.
        """
        by_dimension: dict[str, dict[str, np.ndarray]] = {}
        for name, array in values.items():
            if name not in self.variables:
                raise InputError(f"{self.kind}.nc has no variable '{name}'; it has {sorted(self.variables)}.")
            variable = self.variables[name]
            expected = tuple(self.layout.dimensions[d] for d in variable.dimensions[1:])
            kept = np.array(array, dtype=object if variable.dtype == "str" else variable.dtype)
            if kept.shape[1:] != expected:
                raise InputError(
                    f"{self.kind}.nc: a record of '{name}' has shape {kept.shape[1:]}; expected {expected} "
                    f"for {variable.dimensions[1:]}."
                )
            by_dimension.setdefault(variable.dimensions[0], {})[name] = kept
        for dimension, group in by_dimension.items():
            self._check_group(dimension, group)
            held = self._buffer.setdefault(dimension, {})
            for name, array in group.items():
                held.setdefault(name, []).append(array)
                self._held += array.nbytes
        if self._held > self._limit:
            self._spill()

    def flush(self, stamp: str) -> Path:
        """Write all records since the last flush as a complete segment, even if there are none.

        A second flush of the same stamp adds its records to the segment.

        Parameters
        ----------
        stamp : str
            Model time of the flush, ``YYYYMMDDTHHMM``.

        Returns
        -------
        Path
            The segment.
        """
        target = self._segment_path(stamp)
        if target.exists() and self._open is None and self._held == 0:
            return target
        self._spill()
        partial = self._close()
        if target.exists():
            with complete_file(target) as joined:
                _copy_records([target, partial], joined)
            partial.unlink()
        else:
            with explained(target):
                publish(partial, target)
        return target

    def finish(self) -> Path:
        """Join all segments into the final file and remove them; call it after the last flush.

        Returns
        -------
        Path
            The final file.
        """
        segments = self.segments()
        if len(segments) == 1:
            segments.pop().replace(self.path)
        else:
            with complete_file(self.path) as partial:
                _copy_records(segments, partial)
        for segment in segments:
            segment.unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()
        return self.path

    def segments(self) -> list[Path]:
        """Return the complete segments in the order of time."""
        return sorted(self.folder.glob(f"{self.kind}.*.nc"), key=_stamp_of)

    # ---- inside ----------------------------------------------------------------------------------

    def _segment_path(self, stamp: str) -> Path:
        """Return the name of the segment of a stamp."""
        return self.folder / f"{self.kind}.{stamp}.nc"

    def _remove_own_partials(self) -> None:
        """Delete half-written files of this kind; other kinds may be open."""
        for folder in (self.folder, self.path.parent):
            for leftover in folder.glob(f".{self.kind}.*"):
                leftover.unlink(missing_ok=True)

    def _check_group(self, dimension: str, group: Mapping[str, np.ndarray]) -> None:
        """Check that variables that share a record dimension come together."""
        needed = {name for name, variable in self.variables.items() if variable.dimensions[0] == dimension}
        lengths = {array.shape[0] for array in group.values()}
        if needed != set(group) or len(lengths) != 1:
            raise InputError(
                f"{self.kind}.nc: records along '{dimension}' need {sorted(needed)} with one common length; "
                f"got {sorted(group)} with lengths {sorted(lengths)}."
            )

    def _spill(self) -> None:
        """Move the records in memory to the hidden file of the next segment."""
        with explained(self.path), NETCDF_ACCESS:  # weather may be read in a thread
            self._append_buffer()

    def _append_buffer(self) -> None:
        """Append the records in memory to the hidden file, which is made for the first ones."""
        if self._open is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = partial_path(self._segment_path("next"))
            partial.unlink(missing_ok=True)
            self._open = netCDF4.Dataset(partial, "w", format="NETCDF4")
            _define(self._open, self.layout, self.variables)
        for dimension, group in self._buffer.items():
            start = self._open.dimensions[dimension].size
            for name, arrays in group.items():
                joined = np.concatenate(arrays)
                if len(joined):
                    self._open[name][start : start + len(joined)] = joined
        self._buffer = {}
        self._held = 0

    def _close(self) -> Path:
        """Close the hidden file and return its name."""
        if self._open is None:
            raise InputError(f"{self.kind}.nc: flush without records and definitions.")
        with explained(self.path), NETCDF_ACCESS:
            partial = Path(self._open.filepath())
            self._open.close()
        self._open = None
        return partial


def remove_segments(run_dir: str | Path) -> None:
    """Remove leftovers of all kinds in a run directory that starts anew."""
    folder = Path(run_dir) / "segments"
    remove_partial_files(Path(run_dir))
    if folder.is_dir():
        remove_partial_files(folder)
        for segment in folder.glob("*.nc"):
            segment.unlink()


def _stamp_of(segment: Path) -> str:
    """Return the stamp in the name of a segment."""
    return segment.name.split(".")[-2]


def _define(target: netCDF4.Dataset, layout: Layout, variables: Mapping[str, RecordVariable]) -> None:
    """Write dimensions, coordinates, variables and global attributes of an empty file."""
    target.setncatts(dict(layout.attributes))
    for name in layout.record_dimensions:
        target.createDimension(name, None)
    for name, size in layout.dimensions.items():
        target.createDimension(name, size)
    for name, (dimensions, values, attributes) in layout.coordinates.items():
        dtype = str if values.dtype.kind in "OUS" else values.dtype
        made = target.createVariable(name, dtype, dimensions)
        made.setncatts(dict(attributes))
        made[...] = values
    for name, variable in variables.items():
        dtype: Any = str if variable.dtype == "str" else variable.dtype
        shape = [layout.dimensions[d] for d in variable.dimensions[1:]]
        options: dict[str, Any] = {} if dtype is str else {**_COMPRESSION, "chunksizes": _chunks(shape)}
        if variable.dtype in ("f4", "f8"):
            options["fill_value"] = np.nan
        made = target.createVariable(name, dtype, variable.dimensions, **options)
        if dtype is not str:  # records come in order: those at work are enough, the library would keep more of each
            at_work = options["chunksizes"][0] * int(np.prod(shape, dtype=np.int64))
            made.set_var_chunk_cache(size=max(at_work, 1) * np.dtype(dtype).itemsize)
        made.set_auto_mask(False)
        made.setncatts(dict(variable.attributes))


def _chunks(shape: list[int]) -> list[int]:
    """Return chunk sizes: as many records as fill a chunk, and of large records one layer of a tile of cells.

    Who looks at a map reads one layer of one record, who looks at a cell reads all records: tiles serve both, whole
    records of a large grid would have to be decompressed for a single cell (docs/decisions/0008-web-view.md).
    """
    size = int(np.prod(shape, dtype=np.int64))
    records = int(min(max(_CHUNK_VALUES // max(size, 1), 1), _CHUNK_RECORDS))
    if size <= _TILE_VALUES or len(shape) < 2:
        return [records, *shape]
    *layers, rows, columns = shape
    width = min(columns, max(round(_TILE_VALUES**0.5), _TILE_VALUES // rows))
    height = min(rows, _TILE_VALUES // width)
    return [records, *(1 for _ in layers), *(_even_part(*one) for one in ((rows, height), (columns, width)))]


def _even_part(size: int, largest: int) -> int:
    """Return the length of equal parts, of ``largest`` at most: 106 for four parts of 424, not 128."""
    return -(-size // -(-size // max(largest, 1))) if size else 1


def _copy_records(sources: list[Path], target: Path, until: np.datetime64 | None = None) -> None:
    """Join files of one layout along their record dimensions.

    ``until`` keeps the records whose time is not later; every record dimension has a time variable, of the same name
    or the one that the attribute ``record_time`` of the file names.
    """
    if not sources:
        raise InputError(f"{target.parent}: no segments to join; the run wrote no output.")
    with netCDF4.Dataset(target, "w", format="NETCDF4") as out:
        for number, source in enumerate(sources):
            with _open_segment(source) as segment:
                segment.set_auto_mask(False)
                if number == 0:
                    _copy_dimensions(segment, out)
                _copy_definitions(segment, out)
                _append_file(segment, out, until)


def _open_segment(path: Path) -> netCDF4.Dataset:
    """Open a complete segment or file of an earlier run."""
    try:
        return netCDF4.Dataset(path)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: the file is damaged ({error}). Run the case again without --resume.") from error


def _copy_dimensions(source: netCDF4.Dataset, out: netCDF4.Dataset) -> None:
    """Copy global attributes and dimensions."""
    out.setncatts({name: source.getncattr(name) for name in source.ncattrs()})
    for name, dimension in source.dimensions.items():
        out.createDimension(name, None if dimension.isunlimited() else dimension.size)


def _copy_definitions(source: netCDF4.Dataset, out: netCDF4.Dataset) -> None:
    """Copy variables that ``out`` lacks (a segment without records defines its times only), all but their records."""
    for name, variable in source.variables.items():
        if name in out.variables:
            continue
        attributes = {key: variable.getncattr(key) for key in variable.ncattrs()}
        fill = attributes.pop("_FillValue", None)
        options: dict[str, Any] = {}
        chunking = variable.chunking()
        if variable.dtype is not str and isinstance(chunking, list):
            options = {**_COMPRESSION, "chunksizes": chunking}
        if fill is not None:
            options["fill_value"] = fill
        made = out.createVariable(name, variable.dtype, variable.dimensions, **options)
        made.setncatts(attributes)
        made.set_auto_mask(False)
        if not any(source.dimensions[d].isunlimited() for d in variable.dimensions):
            made[...] = variable[...]


def _append_file(source: netCDF4.Dataset, out: netCDF4.Dataset, until: np.datetime64 | None) -> None:
    """Append the records of ``source`` to ``out``."""
    starts = {name: d.size for name, d in out.dimensions.items() if d.isunlimited()}
    for dimension, start in starts.items():
        count = source.dimensions[dimension].size
        if until is not None and count:
            seconds = np.asarray(source[_time_variable(source, dimension)][...])
            limit = until.astype("datetime64[s]").astype(np.int64)
            count = int(np.count_nonzero(seconds <= limit))  # records are in the order of time
        names = [name for name, v in source.variables.items() if v.dimensions and v.dimensions[0] == dimension]
        for name in names:
            step = max(int(source[name].chunking()[0]) if isinstance(source[name].chunking(), list) else count, 1)
            for first in range(0, count, step):
                last = min(first + step, count)
                out[name][start + first : start + last] = _read_records(source, name, first, last)


def _read_records(source: netCDF4.Dataset, name: str, first: int, last: int) -> np.ndarray:
    """Return some records of a complete segment or file of an earlier run."""
    try:
        return source[name][first:last]
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{source.filepath()}: '{name}' is damaged ({error}). Run the case again without --resume.") from error


def _time_variable(source: netCDF4.Dataset, dimension: str) -> str:
    """Name the time variable of a record dimension."""
    return dimension if dimension in source.variables else f"{dimension}_time"
