"""An ensemble that goes on from the restart of another run, with inputs of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyland.config import CaseConfig
from pyland.domain import Domain
from pyland.forcing import Forcing

WeatherOpener = Callable[[Domain, np.ndarray], Forcing]
"""Opens the weather of the cells of a domain for some members: ``(cell,)`` fields, or ``(member, cell)``."""


@dataclass(frozen=True)
class Continuation:
    """How a run goes on from where another ended, in a run directory of its own.

    The run counts its steps, its output intervals and its random numbers from ``time.start`` of the case, as if it were
    one run from there; its files begin at ``since``. Two runs one after the other therefore write the records of one
    run over both periods, bit for bit. The weather needs to cover ``since`` to the end of the run alone.

    Parameters
    ----------
    since : numpy.datetime64
        Where the run goes on, UTC; ``time.start`` for the first one.
    restart : Path, optional
        Restart of ``since``; None starts as any run does.
    state_hash : str
        What restarts of this run carry as their ``config_hash``, and the one of ``since`` must carry. The hash of a
        whole case would not do: names of files change.
    is_first : bool
        The restart is of another case, such as a spin-up without a filter: its fields must have the shapes of this one,
        and what it knows nothing of (parameters that are estimated, statistics of analyses) begins anew.
    observed : tuple of str
        Entries of ``observations`` that have something to read; others have nothing this time.
    weather : callable, optional
        Opens weather other than that of ``forcing``, for the members of this rank; members are not perturbed on top.

    Notes
    -----
    ``since`` and the end have to be ends of output intervals, so that no record lies across two runs.
    """

    since: np.datetime64
    restart: Path | None
    state_hash: str
    is_first: bool = False
    observed: tuple[str, ...] = ()
    weather: WeatherOpener | None = None


def observed_config(config: CaseConfig, since: np.datetime64, observed: tuple[str, ...]) -> CaseConfig:
    """Return the configuration with the observations of one run alone: some entries, after ``since``."""
    begin = since.astype("datetime64[s]").item()
    return config.model_copy(update={
        "observations": [entry for entry in config.observations if entry.name in observed],
        "time": config.time.model_copy(update={"start": begin})})
