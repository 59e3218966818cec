"""The observations of ``analysis.nc`` as arrays, those that were assimilated apart from independent ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.observation_reasons import REASONS, USED, WITHHELD
from pyland.diagnose.records import read_file

ASSIMILATED, INDEPENDENT = "assimilated", "independent"

_NEEDED = ("innovation", "residual", "prior_spread", "posterior_spread", "error", "value", "stream", "rejection",
           "latitude", "longitude", "depth_top", "depth_bottom", "observation_time")
_SCORES = ("prior_rank", "prior_crps", "prior_crps_fair", "posterior_crps", "posterior_crps_fair", "prior_skewness",
           "prior_kurtosis", "prior_members", "place")
_MEMBERS = "ensemble_members"  # global attribute, see pyland.output.analysis


@dataclass(frozen=True)
class ObservedEnsemble:
    """Observations of a run with what the ensemble made of them.

    Attributes
    ----------
    values : mapping of str to numpy.ndarray
        Variables of ``analysis.nc`` by name, first axis observations; ``step`` is the number of the analysis and
        ``place`` the identity of the place within the stream. Those that an older file lacks are not there.
    streams, types, units : tuple of str
        Name, type and unit of each stream, in the order of the codes of ``stream``.
    members : int or None
        Ensemble size; None where the file does not say it.
    by_stream : mapping of str to numpy.ndarray, shape (analysis, stream)
        ``degrees_of_freedom`` and ``effective_sample_size`` of each analysis; empty for an older file.
    reasons : tuple of str
        Meanings of the codes of ``rejection``.
    """

    values: Mapping[str, np.ndarray]
    streams: tuple[str, ...]
    types: tuple[str, ...]
    units: tuple[str, ...]
    members: int | None
    by_stream: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of observations."""
        return len(self.values["innovation"])

    def group(self, name: str) -> np.ndarray:
        """Return the mask of a group, ``assimilated`` or ``independent``, with finite departures, shape (obs,)."""
        word = REASONS[{ASSIMILATED: USED, INDEPENDENT: WITHHELD}[name]]
        known = np.isfinite(self.values["innovation"]) & np.isfinite(self.values["residual"])
        if word not in self.reasons:
            return np.zeros(self.size, bool)
        return known & (self.values["rejection"] == self.reasons.index(word))

    def of_stream(self, code: int) -> np.ndarray:
        """Return the mask of a stream, shape (obs,)."""
        return self.values["stream"] == code

    def chosen(self, mask: np.ndarray) -> dict[str, np.ndarray]:
        """Return the variables of some observations."""
        return {name: array[mask] for name, array in self.values.items()}


def read_observed_ensemble(path: str | Path) -> ObservedEnsemble:
    """Read the observations of ``analysis.nc``; those of earlier versions lack ranks and scores.

    Raises
    ------
    InputError
        If the file is missing, damaged, or none of analyses.
    """
    data = read_file(path, without="_increment")
    lacking = [name for name in _NEEDED if name not in data]
    if lacking:
        raise InputError(
            f"{path}: expected the observations of analyses, but the file lacks {', '.join(lacking)}; is it the "
            "analysis.nc of a run?"
        )
    values = {name: data[name].values for name in (*_NEEDED, *_SCORES) if name in data and _is_filled(data[name])}
    values["step"] = np.unique(values["observation_time"], return_inverse=True)[1]
    if "place" not in values or (values["place"] < 0).any():
        values["place"] = _places(values)
    by_stream = {name: data[name].values for name in ("degrees_of_freedom", "effective_sample_size") if name in data}
    stream = data["stream"].attrs
    return ObservedEnsemble(
        values, tuple(stream["flag_meanings"].split()), tuple(stream["stream_types"].split()),
        tuple(one.strip() for one in stream["stream_units"].split(",")), _members(data),
        {name: array for name, array in by_stream.items() if np.isfinite(array).any()},
        tuple(data["rejection"].attrs["flag_meanings"].split()))


def _is_filled(variable: xr.DataArray) -> bool:
    """Tell whether a variable holds anything: writers without scores leave NaN and negative codes."""
    if variable.name not in _SCORES:
        return True
    known = variable.values >= 0 if variable.dtype.kind in "iu" else np.isfinite(variable.values)
    return bool(known.any())


def _members(data: xr.Dataset) -> int | None:
    """Return the ensemble size that the file states."""
    return int(data.attrs[_MEMBERS]) if _MEMBERS in data.attrs else None


def _places(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tell places apart by coordinates, depth and stream."""
    names = ("latitude", "longitude", "depth_top", "depth_bottom", "stream")
    table = np.stack([np.nan_to_num(np.asarray(values[name], float), nan=-999.0) for name in names], axis=1)
    if len(table) == 0:
        return np.zeros(0, np.int64)
    return np.unique(table, axis=0, return_inverse=True)[1].ravel()
