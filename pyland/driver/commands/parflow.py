"""``pyland parflow``: what pyland takes over from a ParFlow run definition."""

from __future__ import annotations

from pathlib import Path

from pyland.subsurface import read_parflow_run


def parflow_report(path: Path, length: str, time: str, all_keys: bool) -> tuple[str, list[str]]:
    """Return what was read and left as text, and the keys that pyland does not have.

    Parameters
    ----------
    path : Path
        The definition.
    length, time : str
        Its units.
    all_keys : bool
        List ignored keys too, each with the reason.

    Returns
    -------
    tuple of (str, list of str)
        The report, and one line for each key that acts on the flow and that pyland does not have.

    Raises
    ------
    InputError
        If the definition or a file of it is wrong, or has no counterpart in pyland at all.
    """
    run = read_parflow_run(path, length=length, time=time, strict=False)
    return run.report(all_keys=all_keys), list(map(str, run.unsupported))
