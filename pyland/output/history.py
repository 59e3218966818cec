"""``history.nc`` and ``members.nc``: what the ensemble did, record by record, after the CF conventions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.member_statistics import member_mean, member_spread
from pyland.base.parallel import Communicator
from pyland.output.attributes import (
    CONVENTIONS,
    STATISTICS,
    TIME_ATTRIBUTES,
    statistic_attributes,
    statistic_suffix,
    variable_attributes,
    vertical_axis_of,
)
from pyland.output.grid import OutputGrid
from pyland.output.segments import Layout, RecordVariable, SegmentedFile


def seconds(time: Any) -> int:
    """Return an instant as seconds since 1970-01-01 UTC."""
    return int(np.datetime64(time).astype("datetime64[s]").astype(np.int64))


def stamp_of(time: Any) -> str:
    """Return the file stamp ``YYYYMMDDTHHMM`` of an instant."""
    return str(np.datetime64(time).astype("datetime64[m]")).replace("-", "").replace(":", "")


def ensemble_statistic(values: np.ndarray, statistic: str) -> np.ndarray:
    """Reduce the member axis.

    Parameters
    ----------
    values : numpy.ndarray, shape (..., member, cell)
        Any unit.
    statistic : str
        ``mean``, ``std`` (sample, n - 1), ``min``, ``max``, ``median`` or ``pNN``.

    Returns
    -------
    numpy.ndarray, shape (..., cell)
    """
    if statistic == "mean":
        return member_mean(values)
    if statistic == "std":
        return member_spread(values)
    if statistic == "min":
        return values.min(axis=-2)
    if statistic == "max":
        return values.max(axis=-2)
    if statistic == "median":
        return np.median(values, axis=-2)
    return np.percentile(values, float(statistic[1:]), axis=-2)


def check_statistics(statistics: Sequence[str]) -> tuple[str, ...]:
    """Return the statistics if pyland knows them all, else raise InputError."""
    for name in statistics:
        percentile = name[:1] == "p" and name[1:].isdigit() and len(name) == 3
        if name not in STATISTICS and not percentile:
            raise InputError(f"Output: unknown statistic '{name}'; expected {sorted(STATISTICS)} or p01 to p99.")
    return tuple(statistics)


class HistoryWriter:
    """Write ensemble statistics of selected variables, one record per output interval.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    grid : OutputGrid
        All cells of the run.
    variables : iterable of str, or mapping of str to str
        Identifiers, or identifier to time method (``mean`` by default, or ``point``).
    attrs : mapping
        Global attributes (provenance, title).
    statistics : sequence of str
        ``mean`` first; see :func:`ensemble_statistic`. With one member only the mean is written.
    kind : str
        File name without ending.
    nmember : int
        Members that the statistics are over, which a scalar coordinate of the file names; 1 leaves it out.
    communicator : Communicator, optional
        Ranks that each hold a tile of cells; the root writes. All methods are collective.
    """

    def __init__(
        self,
        run_dir: str | Path,
        grid: OutputGrid,
        variables: Iterable[str] | Mapping[str, str],
        attrs: Mapping[str, Any],
        statistics: Sequence[str] = ("mean", "std"),
        *,
        kind: str = "history",
        nmember: int = 1,
        communicator: Communicator | None = None,
    ) -> None:
        self.grid = grid
        self.methods = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables, "mean")
        self.statistics = check_statistics(statistics)
        self._comm = communicator or Communicator()
        self._coordinates = "latitude longitude realization" if nmember > 1 else "latitude longitude"
        self._file = SegmentedFile(run_dir, kind, _layout(grid, attrs, nmember)) if self._comm.is_root else None
        self._defined = False

    def start(self) -> None:
        """Begin a new run."""
        if self._file is not None:
            self._file.start()

    def resume(self, time: np.datetime64, interval_start: np.datetime64 | None = None) -> None:
        """Continue after the restart of ``time`` in the interval that began at ``interval_start``, ``time`` if None."""
        if self._file is not None:
            self._file.resume(stamp_of(time), np.datetime64(time if interval_start is None else interval_start))

    def add(self, time_start: Any, time_end: Any, values: Mapping[str, np.ndarray]) -> None:
        """Add the record of the interval from ``time_start`` to ``time_end``.

        Parameters
        ----------
        time_start, time_end : numpy.datetime64
            Bounds of the interval, UTC; the record is stamped with its end.
        values : mapping of str to numpy.ndarray
            (member, cell) or (layer, member, cell) of this rank's cells, such as ``Accumulator.result()``.
        """
        record = self._reduce(values)
        if self._file is None:
            return
        if not self._defined:
            self._file.define(self._definitions(values))
            self._defined = True
        record["time"] = np.array([seconds(time_end)])
        record["time_bounds"] = np.array([[seconds(time_start), seconds(time_end)]])
        self._file.append(record)

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            if not self._defined:  # no record yet: the segment holds the times only
                self._file.define(_time_definitions())
            self._file.flush(stamp)

    def finish(self) -> Path | None:
        """Join the segments into the final file; its path on the root, None elsewhere."""
        return None if self._file is None else self._file.finish()

    # ---- inside ----------------------------------------------------------------------------------

    def _reduce(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Compute statistics on each rank and join the tiles on the root."""
        record: dict[str, np.ndarray] = {}
        for name in self.methods:
            if name not in values:
                raise InputError(f"Output: the record lacks '{name}', which output.variables asks for.")
            array = np.asarray(values[name])
            if array.ndim not in (2, 3):
                raise InputError(
                    f"Output: '{name}' has shape {array.shape}; expected (member, cell) or (layer, member, cell)."
                )
            for statistic in self._used_statistics(array.shape[-2]):
                joined = self._comm.gather_last(ensemble_statistic(array, statistic))
                if joined is not None:
                    record[name + statistic_suffix(statistic)] = self.grid.place(joined)[np.newaxis]
        return record

    def _used_statistics(self, nmember: int) -> tuple[str, ...]:
        """Return the statistics that mean something for this ensemble size."""
        return ("mean",) if nmember == 1 else self.statistics

    def _definitions(self, values: Mapping[str, np.ndarray]) -> dict[str, RecordVariable]:
        """Define the variables of the file after the shapes of the first record."""
        out = _time_definitions()
        for name, method in self.methods.items():
            array = np.asarray(values[name])
            dimensions = ("time", *vertical_dimension(self.grid, name, array), *self.grid.horizontal)
            for statistic in self._used_statistics(array.shape[-2]):
                attributes = statistic_attributes(name, statistic, method, array.shape[-2])
                attributes["coordinates"] = self._coordinates
                out[name + statistic_suffix(statistic)] = RecordVariable(dimensions, attributes)
        return out


class MembersWriter(HistoryWriter):
    """Write every member of selected variables: ``members.nc`` with dimensions (time, member, [layer], ...)."""

    def __init__(
        self,
        run_dir: str | Path,
        grid: OutputGrid,
        variables: Iterable[str] | Mapping[str, str],
        attrs: Mapping[str, Any],
        nmember: int,
        *,
        communicator: Communicator | None = None,
    ) -> None:
        super().__init__(run_dir, grid, variables, attrs, ("mean",), kind="members", communicator=communicator)
        self.nmember = nmember
        if self._file is not None:
            layout = self._file.layout
            member = {"standard_name": "realization", "long_name": "ensemble member", "units": "1"}
            coordinates = {**layout.coordinates, "member": (("member",), np.arange(nmember), member)}
            sizes = {**layout.dimensions, "member": nmember}
            self._file.layout = Layout(sizes, layout.record_dimensions, coordinates, layout.attributes)

    def _reduce(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Join the tiles and put the member axis first."""
        record: dict[str, np.ndarray] = {}
        for name in self.methods:
            if name not in values:
                raise InputError(f"Output: the record lacks '{name}', which output.members asks for.")
            joined = self._comm.gather_last(np.asarray(values[name]))
            if joined is not None:
                record[name] = self.grid.place(np.moveaxis(joined, -2, 0))[np.newaxis]
        return record

    def _definitions(self, values: Mapping[str, np.ndarray]) -> dict[str, RecordVariable]:
        """Define the variables of the file after the shapes of the first record."""
        out = _time_definitions()
        for name, method in self.methods.items():
            axis = vertical_dimension(self.grid, name, np.asarray(values[name]))
            attributes = {
                **variable_attributes(name),
                "cell_methods": f"time: {method}",
                "coordinates": "latitude longitude",
            }
            out[name] = RecordVariable(("time", "member", *axis, *self.grid.horizontal), attributes)
        return out


def vertical_dimension(grid: OutputGrid, name: str, array: np.ndarray) -> tuple[str, ...]:
    """Return the vertical dimension of a variable with axes ([layer], member, cell): one name, or none."""
    if array.ndim == 2:
        return ()
    return (grid.vertical_axis(array.shape[0], vertical_axis_of(name)),)


def _time_definitions() -> dict[str, RecordVariable]:
    """Return the time variables of an averaged file."""
    return {
        "time": RecordVariable(("time",), {**TIME_ATTRIBUTES, "bounds": "time_bounds"}, "i8"),
        "time_bounds": RecordVariable(("time", "bound"), {}, "i8"),
    }


def _layout(grid: OutputGrid, attrs: Mapping[str, Any], nmember: int) -> Layout:
    """Return the parts of a file that do not change in time."""
    return Layout(
        dimensions={**grid.dimensions(), "bound": 2},
        coordinates={**grid.coordinates(), **(_members_of_statistics(nmember) if nmember > 1 else {})},
        attributes={"Conventions": CONVENTIONS, **attrs},
    )


def _members_of_statistics(nmember: int) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]]:
    """Return the scalar coordinate of statistics over members, which their cell methods name (CF 7.3)."""
    return {"realization": ((), np.array(0), {
        "standard_name": "realization", "long_name": "members that statistics are over", "units": "1",
        "comment": f"members 0 to {nmember - 1}"})}
