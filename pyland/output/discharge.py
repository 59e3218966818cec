"""``discharge.nc``: discharge of every member at gauges or outlets, one record per routing or model step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.parallel import Communicator
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES, variable_attributes
from pyland.output.history import seconds, stamp_of
from pyland.output.segments import Layout, RecordVariable, SegmentedFile


class DischargeWriter:
    """Write hydrographs.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    names : sequence of str
        Names of the gauges.
    latitude, longitude : numpy.ndarray, shape (gauge,)
        Centres of their cells [degrees north, degrees east].
    upstream_area : numpy.ndarray, shape (gauge,), optional
        Area that drains to them [m2]; None where that is not known.
    attrs : mapping
        Global attributes.
    nmember : int
        Ensemble size.
    communicator : Communicator, optional
        Ranks that each hold all rivers; the root writes.
    kind : str
        Registry id of what the gauges see: water in a river, or ``overland_outflow`` out of the domain.
    """

    def __init__(
        self,
        run_dir: str | Path,
        names: Sequence[str],
        latitude: np.ndarray,
        longitude: np.ndarray,
        upstream_area: np.ndarray | None,
        attrs: Mapping[str, Any],
        nmember: int,
        *,
        communicator: Communicator | None = None,
        kind: str = "discharge",
    ) -> None:
        self._file: SegmentedFile | None = None
        if not (communicator or Communicator()).is_root:
            return
        gauge = ("gauge",)
        coordinates = {
            "gauge_name": (gauge, np.asarray(names, dtype=object), {"long_name": "name of the gauge"}),
            "latitude": (gauge, np.asarray(latitude, float), {
                "standard_name": "latitude", "long_name": "latitude of the cell", "units": "degrees_north"}),
            "longitude": (gauge, np.asarray(longitude, float), {
                "standard_name": "longitude", "long_name": "longitude of the cell", "units": "degrees_east"}),
            "member": (("member",), np.arange(nmember), {
                "standard_name": "realization", "long_name": "ensemble member", "units": "1"}),
        }
        if upstream_area is not None:
            coordinates["upstream_area"] = (gauge, np.asarray(upstream_area, float), {
                "long_name": "area that drains to the gauge", "units": "m2"})
        self._file = SegmentedFile(run_dir, "discharge", Layout(
            dimensions={"gauge": len(names), "member": nmember, "bound": 2}, coordinates=coordinates,
            attributes={"Conventions": CONVENTIONS, **attrs}))
        attributes = {**variable_attributes(kind), "cell_methods": "time: mean",
                      "coordinates": "gauge_name latitude longitude"}
        self._file.define({
            "time": RecordVariable(("time",), {**TIME_ATTRIBUTES, "bounds": "time_bounds"}, "i8"),
            "time_bounds": RecordVariable(("time", "bound"), {}, "i8"),
            "discharge": RecordVariable(("time", "member", "gauge"), attributes, "f8"),
        })

    def start(self) -> None:
        """Begin a new run."""
        if self._file is not None:
            self._file.start()

    def resume(self, time: np.datetime64, interval_start: np.datetime64 | None = None) -> None:
        """Continue after the restart of ``time``; the record of the routing step in which it lies is yet to come.

        Records do not wait for the end of an output interval, so ``interval_start`` does not matter.
        """
        if self._file is not None:
            self._file.resume(stamp_of(time), np.datetime64(time, "s"))

    def add(self, time_end: Any, length: float, discharge: np.ndarray) -> None:
        """Add a routing step of ``length`` [s] that ends at ``time_end``; ``discharge`` (member, gauge) [m3 s-1]."""
        if self._file is not None:
            end = seconds(time_end)
            self._file.append({
                "time": np.array([end]), "time_bounds": np.array([[end - round(length), end]]),
                "discharge": np.asarray(discharge)[np.newaxis]})

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            self._file.flush(stamp)

    def finish(self) -> Path | None:
        """Join the segments into the final file; its path on the root, None elsewhere."""
        return None if self._file is None else self._file.finish()
