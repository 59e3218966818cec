"""Files of a real-time cycle that do not arrive but have to be there before its first run."""

from __future__ import annotations

from pathlib import Path

from pyland.config import CaseConfig


def missing_standing_files(config: CaseConfig) -> list[str]:
    """Return a sentence for each file that a cycle names and that is not there.

    Parameters
    ----------
    config : CaseConfig
        Case with a section ``cycle``, or without: then there is none.

    Returns
    -------
    list of str
        Where it is named, and what to do. Without this a cycle runs its ensemble first and fails at its products, at
        each call again.
    """
    cycle = config.cycle
    if cycle is None:
        return []
    named = {
        "cycle.alarms.zones": (cycle.alarms.zones, "Make the file of zones (docs/guide/balance.md), or leave the key "
                               "out."),
        "cycle.climatology": (cycle.climatology, "Write it with: pyland diagnose LONG_RUN percentiles."),
    }
    return [f"{config.where(key)}: there is no file {path}. {advice}"
            for key, (path, advice) in named.items() if path is not None and not Path(path).is_file()]
