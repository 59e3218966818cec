"""``analysis.nc``: what the observations said, what the ensemble had expected, and what was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import REASONS, flag_attributes
from pyland.base.parallel import Communicator
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES, variable_attributes
from pyland.output.grid import OutputGrid
from pyland.output.history import seconds, stamp_of, vertical_dimension
from pyland.output.segments import Layout, RecordVariable, SegmentedFile

MEMBERS_ATTRIBUTE = "ensemble_members"
"""Global attribute that says the ensemble size."""


@dataclass(frozen=True)
class EnsembleRecord:
    """How the members of one analysis stand to its observations.

    Parameters
    ----------
    place : numpy.ndarray of int, shape (observation,)
        Identity of the place within its stream, the same at all times.
    prior_rank : numpy.ndarray of int, shape (observation,)
        Members below the observation, with the error of the observation; -1: none.
    prior_crps, prior_crps_fair, posterior_crps, posterior_crps_fair : numpy.ndarray, shape (observation,)
        Continuous ranked probability score, with the error of the observation, and its fair version [unit of the
        stream].
    prior_skewness, prior_kurtosis : numpy.ndarray, shape (observation,)
        Of the members before the analysis [1].
    degrees_of_freedom, effective_sample_size : numpy.ndarray, shape (stream,)
        Degrees of freedom for signal and effective sample size of the observations that were used [1]; NaN where a
        stream has none.
    members : numpy.ndarray, shape (member, observation), optional
        Predictions before the analysis [unit of the stream].
    """

    place: np.ndarray
    prior_rank: np.ndarray
    prior_crps: np.ndarray
    prior_crps_fair: np.ndarray
    posterior_crps: np.ndarray
    posterior_crps_fair: np.ndarray
    prior_skewness: np.ndarray
    prior_kurtosis: np.ndarray
    degrees_of_freedom: np.ndarray
    effective_sample_size: np.ndarray
    members: np.ndarray | None = None


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
        Code of `pyland.base.observation_reasons`; 0: used.
    ensemble : EnsembleRecord, optional
        What scores of the ensemble are computed from; without it these variables are empty.
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
    ensemble: EnsembleRecord | None = None


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

_SCORES = {
    "prior_crps": ("continuous ranked probability score before the analysis", "stream_units"),
    "prior_crps_fair": ("fair continuous ranked probability score before the analysis", "stream_units"),
    "posterior_crps": ("continuous ranked probability score after the analysis", "stream_units"),
    "posterior_crps_fair": ("fair continuous ranked probability score after the analysis", "stream_units"),
    "prior_skewness": ("skewness of the members before the analysis", "1"),
    "prior_kurtosis": ("excess kurtosis of the members before the analysis", "1"),
}

_CODES = {
    "place": "identity of the place within its stream",
    "prior_rank": "number of members below the observation, with the error of the observation; -1: none",
}

_BY_STREAM = {
    "degrees_of_freedom": "degrees of freedom for signal of the used observations of a stream",
    "effective_sample_size": "effective sample size of the members, weighted by the used observations of a stream",
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
    members : int
        Ensemble size where the predictions of the members are written; 0: they are not.
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
        members: int = 0,
        communicator: Communicator | None = None,
    ) -> None:
        if not streams:
            raise InputError("analysis.nc: no observation streams; a run without observations writes no such file.")
        self.grid = grid
        self.streams = {name: dict(about) for name, about in streams.items()}
        self.increments = tuple(increments)
        self.members = members
        self._comm = communicator or Communicator()
        self._file: SegmentedFile | None = None
        self._defined = False
        if self._comm.is_root:
            layout = Layout(
                dimensions=grid.dimensions() | {"bound": 2, "stream_number": len(self.streams)}
                | ({"member": members} if members else {}),
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
        for name in _BY_STREAM:
            missing = np.full(len(self.streams), np.nan)
            value = missing if observations.ensemble is None else getattr(observations.ensemble, name)
            record[name] = np.asarray(value)[np.newaxis]
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
        out |= self._ensemble_values(record.ensemble, count)
        lengths = {name: len(values) for name, values in out.items() if len(values) != count}
        if lengths:
            raise InputError(f"analysis.nc: {count} observations at {time}, but {lengths}.")
        for name, limit in (("stream", len(self.streams)), ("rejection", len(REASONS))):
            codes = out[name]
            if count and (codes.min() < 0 or codes.max() >= limit):
                raise InputError(
                    f"analysis.nc: {name} codes must lie in 0..{limit - 1}; got {sorted(set(codes.tolist()))}."
                )
        return out

    def _ensemble_values(self, record: EnsembleRecord | None, count: int) -> dict[str, np.ndarray]:
        """Return what the members say of the observations of one analysis, first axis observations."""
        if record is None:
            out = {name: np.full(count, np.nan) for name in _SCORES} | {name: np.full(count, -1) for name in _CODES}
            members = None
        else:
            out = {name: np.asarray(getattr(record, name)) for name in (*_SCORES, *_CODES)}
            members = record.members
        if self.members:
            out["prior_members"] = np.full((count, self.members), np.nan) if members is None else np.transpose(members)
        return out

    def _observation_variables(self) -> dict[str, RecordVariable]:
        """Define the variables of the observations."""
        row = ("observation",)
        units = {about.get("units", "1") for about in self.streams.values()}
        common = units.pop() if len(units) == 1 else None
        out = {"observation_time": RecordVariable(row, TIME_ATTRIBUTES, "i8")}
        members = {"prior_members": ("prediction of each member before the analysis", "stream_units")}
        for name, (meaning, unit) in (_OBSERVED | _SCORES | (members if self.members else {})).items():
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
            dimensions = (*row, "member") if name in members else row
            out[name] = RecordVariable(dimensions, attributes, "f8" if name in _OBSERVED else "f4")
        for name, meaning in _CODES.items():
            out[name] = RecordVariable(row, {"long_name": meaning, "units": "1"}, "i4")
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
                **flag_attributes(),
            },
            "i1",
        )
        out["analysis_time"] = RecordVariable(("analysis",), TIME_ATTRIBUTES, "i8")
        out["observations_used"] = RecordVariable(
            ("analysis",), {"long_name": "number of assimilated observations", "units": "1"}, "i4"
        )
        for name, meaning in _BY_STREAM.items():
            out[name] = RecordVariable(
                ("analysis", "stream_number"), {"long_name": meaning, "units": "1", "coordinates": "analysis_time"})
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
