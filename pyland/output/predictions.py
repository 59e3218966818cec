"""``predicted.nc``: what an ensemble without assimilation expects of observations, as it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES
from pyland.output.history import seconds, stamp_of
from pyland.output.segments import Layout, RecordVariable, SegmentedFile

KIND = "predicted"
"""Name of the file without its ending."""

_ROW = ("observation",)


class PredictionWriter:
    """Write the predictions of an ensemble for observations, one row for each, in the order of the analyses.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    streams : mapping of str to mapping
        Observation streams in the order of their codes: name to ``{"type": ..., "units": ...}``.
    attrs : mapping
        Global attributes.
    communicator : Communicator, optional
        Ranks of the run; the root writes.
    """

    def __init__(
        self, run_dir: str | Path, streams: Mapping[str, Mapping[str, str]], attrs: Mapping[str, Any],
        communicator: Communicator | None = None,
    ) -> None:
        self.streams = tuple(streams)
        self._file: SegmentedFile | None = None
        if communicator is None or communicator.is_root:
            layout = Layout(dimensions={}, record_dimensions=_ROW, attributes={"Conventions": CONVENTIONS, **attrs})
            self._file = SegmentedFile(run_dir, KIND, layout)
            self._file.define({
                "observation_time": RecordVariable(_ROW, TIME_ATTRIBUTES, "i8"),
                "stream": RecordVariable(_ROW, {
                    "long_name": "observation stream", "flag_values": np.arange(len(self.streams), dtype="i4"),
                    "flag_meanings": " ".join(name.replace(" ", "_") for name in self.streams),
                    "stream_types": " ".join(about["type"] for about in streams.values()),
                    "stream_units": ", ".join(about["units"] for about in streams.values())}, "i4"),
                "place": RecordVariable(_ROW, {
                    "long_name": "identity of the place within its stream", "units": "1"}, "i8"),
                "prediction": RecordVariable(_ROW, {
                    "long_name": "ensemble mean in observation space; missing where the model speaks against the use "
                    "of the observation", "coordinates": "observation_time",
                    "comment": "in the unit of the stream, see the attribute stream_units of `stream`"}, "f8"),
            })

    def start(self) -> None:
        """Begin a new run."""
        if self._file is not None:
            self._file.start()

    def resume(self, time: np.datetime64) -> None:
        """Continue after the restart of ``time``."""
        if self._file is not None:
            self._file.resume(stamp_of(time), np.datetime64(time))

    def add(
        self, time: np.datetime64, names: Sequence[str], places: Sequence[np.ndarray], values: Sequence[np.ndarray]
    ) -> None:
        """Add what is predicted at one time.

        Parameters
        ----------
        time : numpy.datetime64
            Time of the model, UTC.
        names : sequence of str
            Stream of each set.
        places : sequence of numpy.ndarray of int, shape (obs of the set,)
            Identities of the places of each set.
        values : sequence of numpy.ndarray, shape (obs of the set,)
            Predictions of each set [unit of the stream].
        """
        if self._file is None:
            return
        repeat = [len(one) for one in values]
        self._file.append({
            "observation_time": np.full(sum(repeat), seconds(time)),
            "stream": np.repeat([self.streams.index(one) for one in names], repeat),
            "place": np.concatenate(places), "prediction": np.concatenate(values)})

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            self._file.flush(stamp)

    def finish(self) -> Path | None:
        """Join the segments into the final file; its path on the root, None elsewhere."""
        return None if self._file is None else self._file.finish()


def read_predictions(run_dir: str | Path) -> dict[str, np.ndarray]:
    """Return the variables of a complete ``predicted.nc``, each (observation,).

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    import netCDF4

    path = Path(run_dir) / f"{KIND}.nc"
    try:
        with netCDF4.Dataset(path) as data:
            data.set_auto_mask(False)
            return {name: np.array(variable[...]) for name, variable in data.variables.items()}
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: the file is missing or damaged ({error}). Run without --resume.") from error


__all__ = ["KIND", "PredictionWriter", "read_predictions"]
