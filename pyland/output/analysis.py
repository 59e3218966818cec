"""``analysis.nc``: what the observations said, what the ensemble had expected, and what was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES, variable_attributes
from pyland.output.grid import OutputGrid
from pyland.output.history import seconds, stamp_of, vertical_dimension
from pyland.output.segments import Layout, RecordVariable, SegmentedFile

REJECTIONS = (
    "used",
    "missing_value",
    "value_out_of_range",
    "rejected_by_quality_flag",
    "outside_domain",
    "innovation_too_large",
    "thinned",
    "withheld",
)
"""Why an observation was not used, in the order of the codes of ``observe``; 0 means that it was used."""


@dataclass(frozen=True)
class ObservationRecord:
    """The observations of one analysis; every array has shape (observation,).

    Parameters
    ----------
    stream : numpy.ndarray of int
        Place of the observation's stream in the list given to :class:`AnalysisWriter`.
    latitude, longitude : numpy.ndarray
        Place [degrees north, degrees east].
    depth_top, depth_bottom : numpy.ndarray
        Sensed depth range [m]; NaN where it does not apply.
    value, error : numpy.ndarray
        Observed value and standard deviation of its error [unit of the stream].
    prior_mean, prior_spread, posterior_mean, posterior_spread : numpy.ndarray
        Mean and standard deviation of the ensemble in observation space, before and after the analysis
        [unit of the stream]; NaN where there is none.
    rejection : numpy.ndarray of int
        Code of ``REJECTIONS``; 0: used.
    """

    stream: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    depth_top: np.ndarray
    depth_bottom: np.ndarray
    value: np.ndarray
    error: np.ndarray
    prior_mean: np.ndarray
    prior_spread: np.ndarray
    posterior_mean: np.ndarray
    posterior_spread: np.ndarray
    rejection: np.ndarray


_OBSERVED = {
    "latitude": ("latitude of the observation", "degrees_north"),
    "longitude": ("longitude of the observation", "degrees_east"),
    "depth_top": ("top of the sensed depth range", "m"),
    "depth_bottom": ("bottom of the sensed depth range", "m"),
    "value": ("observed value after scaling", "stream_units"),
    "error": ("standard deviation of the observation error", "stream_units"),
    "prior_mean": ("ensemble mean in observation space before the analysis", "stream_units"),
    "prior_spread": ("ensemble standard deviation in observation space before the analysis", "stream_units"),
    "posterior_mean": ("ensemble mean in observation space after the analysis", "stream_units"),
    "posterior_spread": ("ensemble standard deviation in observation space after the analysis", "stream_units"),
    "innovation": ("observation minus prior mean (O-F)", "stream_units"),
    "residual": ("observation minus posterior mean (O-A)", "stream_units"),
}


class AnalysisWriter:
    """Write one set of observations and one map of increments per analysis.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    grid : OutputGrid
        All cells of the run.
    streams : mapping of str to mapping
        Observation streams in the order of their codes: name to ``{"type": ..., "units": ...}``.
    increments : sequence of str
        Identifiers of the updated variables.
    attrs : mapping
        Global attributes.
    reasons : sequence of str
        Meanings of the codes in ``ObservationRecord.rejection``; the first is a used observation.
    communicator : Communicator, optional
        Ranks that each hold a tile of cells; observations are the same on all ranks.
    """

    def __init__(
        self,
        run_dir: str | Path,
        grid: OutputGrid,
        streams: Mapping[str, Mapping[str, str]],
        increments: Sequence[str],
        attrs: Mapping[str, Any],
        *,
        reasons: Sequence[str] = REJECTIONS,
        communicator: Communicator | None = None,
    ) -> None:
        if not streams:
            raise InputError("analysis.nc: no observation streams; a run without observations writes no such file.")
        self.grid = grid
        self.streams = {name: dict(about) for name, about in streams.items()}
        self.increments = tuple(increments)
        self.reasons = tuple(reasons)
        self._comm = communicator or Communicator()
        self._file: SegmentedFile | None = None
        self._defined = False
        if self._comm.is_root:
            layout = Layout(
                dimensions=grid.dimensions() | {"bound": 2},
                record_dimensions=("observation", "analysis"),
                coordinates={
                    f"grid_{n}" if n in ("latitude", "longitude") else n: c for n, c in grid.coordinates().items()
                },
                attributes={"Conventions": CONVENTIONS, **attrs},
            )
            self._file = SegmentedFile(run_dir, "analysis", layout)
            self._file.define(self._observation_variables())

    def start(self) -> None:
        """Begin a new run."""
        if self._file is not None:
            self._file.start()

    def resume(self, time: np.datetime64) -> None:
        """Continue after the restart of ``time``."""
        if self._file is not None:
            self._file.resume(stamp_of(time), np.datetime64(time))

    def add(self, time: Any, observations: ObservationRecord, increments: Mapping[str, np.ndarray]) -> None:
        """Add one analysis.

        Parameters
        ----------
        time : numpy.datetime64
            Time of the analysis, UTC.
        observations : ObservationRecord
            All observations that arrived, used or not.
        increments : mapping of str to numpy.ndarray
            Ensemble-mean analysis increment, (cell,) or (layer, cell) of this rank's cells [unit of the variable].
        """
        joined = {name: self._comm.gather_last(np.asarray(increments[name])) for name in self.increments}
        if self._file is None:
            return
        if not self._defined:
            self._file.define(self._observation_variables() | self._increment_variables(joined))
            self._defined = True
        self._file.append(self._observation_values(time, observations))
        record = {f"{name}_increment": self.grid.place(array)[np.newaxis] for name, array in joined.items()}
        used = np.asarray(observations.rejection) == 0
        record["analysis_time"] = np.array([seconds(time)])
        record["observations_used"] = np.array([np.count_nonzero(used)])
        self._file.append(record)

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            self._file.flush(stamp)

    def finish(self) -> Path | None:
        """Join the segments into the final file; its path on the root, None elsewhere."""
        return None if self._file is None else self._file.finish()

    # ---- inside ----------------------------------------------------------------------------------

    def _observation_values(self, time: Any, record: ObservationRecord) -> dict[str, np.ndarray]:
        """Return the rows of one analysis."""
        count = len(record.value)
        used = np.asarray(record.rejection) == 0
        out = {name: np.asarray(getattr(record, name)) for name in _OBSERVED if hasattr(record, name)}
        out["innovation"] = out["value"] - out["prior_mean"]
        out["residual"] = out["value"] - out["posterior_mean"]
        out["stream"] = np.asarray(record.stream)
        out["rejection"] = np.asarray(record.rejection)
        out["used"] = used
        out["observation_time"] = np.full(count, seconds(time))
        lengths = {name: len(values) for name, values in out.items() if len(values) != count}
        if lengths:
            raise InputError(f"analysis.nc: {count} observations at {time}, but {lengths}.")
        for name, limit in (("stream", len(self.streams)), ("rejection", len(self.reasons))):
            codes = out[name]
            if count and (codes.min() < 0 or codes.max() >= limit):
                raise InputError(
                    f"analysis.nc: {name} codes must lie in 0..{limit - 1}; got {sorted(set(codes.tolist()))}."
                )
        return out

    def _observation_variables(self) -> dict[str, RecordVariable]:
        """Define the variables of the observations."""
        row = ("observation",)
        units = {about.get("units", "1") for about in self.streams.values()}
        common = units.pop() if len(units) == 1 else None
        out = {"observation_time": RecordVariable(row, TIME_ATTRIBUTES, "i8")}
        for name, (meaning, unit) in _OBSERVED.items():
            attributes = {"long_name": meaning}
            if unit != "stream_units":
                attributes["units"] = unit
            elif common is not None:
                attributes["units"] = common
            else:
                attributes["comment"] = "in the unit of the stream, see the attribute stream_units of `stream`"
            if name in ("latitude", "longitude"):
                attributes["standard_name"] = name
            else:
                attributes["coordinates"] = "observation_time latitude longitude"
            out[name] = RecordVariable(row, attributes, "f8")
        out["stream"] = RecordVariable(
            row,
            {
                "long_name": "observation stream",
                "flag_values": np.arange(len(self.streams), dtype="i4"),
                "flag_meanings": " ".join(name.replace(" ", "_") for name in self.streams),
                "stream_types": " ".join(about.get("type", "unknown") for about in self.streams.values()),
                "stream_units": ", ".join(about.get("units", "1") for about in self.streams.values()),
            },
            "i4",
        )
        out["used"] = RecordVariable(
            row,
            {
                "long_name": "whether the observation was assimilated",
                "flag_values": np.array([0, 1], dtype="i1"),
                "flag_meanings": "rejected used",
            },
            "i1",
        )
        out["rejection"] = RecordVariable(
            row,
            {
                "long_name": "why the observation was not assimilated",
                "flag_values": np.arange(len(self.reasons), dtype="i1"),
                "flag_meanings": " ".join(self.reasons),
            },
            "i1",
        )
        out["analysis_time"] = RecordVariable(("analysis",), TIME_ATTRIBUTES, "i8")
        out["observations_used"] = RecordVariable(
            ("analysis",), {"long_name": "number of assimilated observations", "units": "1"}, "i4"
        )
        return out

    def _increment_variables(self, increments: Mapping[str, np.ndarray]) -> dict[str, RecordVariable]:
        """Define the increments after the shapes of the first analysis."""
        out = {}
        for name, array in increments.items():
            about = variable_attributes(name)
            attributes = {
                "long_name": f"ensemble-mean analysis increment of {about.get('long_name', name.replace('_', ' '))}",
                "units": about.get("units", "1"),
                "coordinates": "analysis_time grid_latitude grid_longitude",
            }
            axis = vertical_dimension(self.grid, name, array[..., np.newaxis, :])
            out[f"{name}_increment"] = RecordVariable(("analysis", *axis, *self.grid.horizontal), attributes)
        return out
