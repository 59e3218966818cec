"""Open what a case names: domain, layers, surface, weather. Used by `check` and `run` alike."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.forcing import GRIDDED
from pyland.domain import Domain
from pyland.forcing import Forcing, PrecipitationPhase, RainSchedule, SharedWeather, open_forcing

COMPUTED = ("generator", "schedule")
"""Formats of weather that is computed: each rank does that faster than it would receive it."""


def forcing_period(config: CaseConfig) -> tuple[np.datetime64, np.datetime64]:
    """Return the period of weather that a run needs, spin-up included, datetime64[s] UTC."""
    moments: list[datetime] = [config.time.start, config.time.end]
    if config.time.spinup.years > 0:
        moments += config.time.spinup_window
    return np.datetime64(min(moments), "s"), np.datetime64(max(moments), "s")


def check_tiles(config: CaseConfig, ranks: int) -> None:
    """Make sure that the ranks of a run of the distributed subsurface alone, which has one member, can be tiles.

    Raises
    ------
    InputError
        If member groups are asked for, or a number of tiles that is not the number of ranks.
    """
    tiles, groups = config.parallel.tiles, config.parallel.member_groups
    if config.is_coupled:
        return
    if groups not in ("auto", 1):
        raise InputError(
            f"{config.where('parallel.member_groups')}: a run with land.model: none has one member, and one "
            f"member group with it; expected 1 or auto, got {groups}.")
    if tiles not in ("auto", ranks):
        raise InputError(
            f"{config.where('parallel.tiles')}: expected as many tiles as ranks ({ranks}), got {tiles}; use auto, or "
            f"start pyland with mpirun -n {tiles}."
        )


def open_shared_weather(
    config: CaseConfig, domain: Domain, sharers: Communicator, since: np.datetime64 | None = None
) -> Forcing | RainSchedule:
    """Open the weather of a tile: where several ranks share it, one reads files for all; else as `open_weather`.

    Parameters
    ----------
    config : CaseConfig
        The case.
    domain : Domain
        Cells of the tile.
    sharers : Communicator
        The ranks that share it.
    since : numpy.datetime64, optional
        See `open_weather`.
    """
    if sharers.size == 1 or config.forcing.format in COMPUTED:
        return open_weather(config, domain, since=since)
    return SharedWeather(sharers, lambda: open_weather(config, domain, since=since))


def open_weather(
    config: CaseConfig, domain: Domain, until: np.datetime64 | None = None, since: np.datetime64 | None = None
) -> Forcing | RainSchedule:
    """Open the weather of a case for the cells of a domain or tile.

    Parameters
    ----------
    config : CaseConfig
        The case.
    domain : Domain
        The cells.
    until : numpy.datetime64, optional
        End of the weather that is needed, UTC; that of the run by default.
    since : numpy.datetime64, optional
        Start of the weather that is needed from files, UTC; that of the run by default. What is computed depends on
        the start of the run (rain of a schedule) or on none (generator), and is asked for all of it.

    Raises
    ------
    InputError
        If the file is missing or damaged, lacks a variable, has gaps or impossible values, or does not cover the
        period.
    """
    section = config.forcing
    start, end = forcing_period(config)
    end = end if until is None else until
    if since is not None and section.format not in COMPUTED:
        start = np.datetime64(since, "s")
    common = {
        "start": start,
        "end": end,
        "reference_height": section.height,
        "lapse_rate": section.lapse_rate,
        "latitude": domain.latitude,
        "longitude": domain.longitude,
        "elevation": domain.elevation,
        "phase": PrecipitationPhase(section.precipitation_phase, section.all_snow_below, section.all_rain_above),
    }
    if section.format == "schedule":
        until, rate = [entry.until for entry in section.rain], [entry.rate for entry in section.rain]
        return RainSchedule(start, end, domain.ncell, until, rate, section.evaporation)
    if section.format == "alma":
        return open_forcing("alma", path=section.path, variables=section.variables, cells=domain.cell_id, **common)
    if section.format == "nldas-pfb":
        begin = np.datetime64(section.record_start or config.time.start, "s")
        return open_forcing(
            "nldas-pfb", path=section.path, cells=domain.cell_id, shape=(domain.ny, domain.nx), prefix=section.prefix,
            first_record=section.first_record, record_start=begin, **common)
    if section.format in GRIDDED:
        return open_forcing(section.format, path=section.path, variables=section.variables,
                            regridding=section.regridding, cell_size=_cell_size(config, domain), **common)
    return open_forcing("generator", generator=section.generator.model_dump(), x=domain.x, y=domain.y, **common)


def _cell_size(config: CaseConfig, domain: Domain) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return the width of cells from west to east and from south to north [m]; those of a file count as squares."""
    if domain.kind == "grid":
        return config.domain.dx, config.domain.dy
    side = np.sqrt(domain.area)
    return side, side


def weather_files(config: CaseConfig, whole: Domain) -> list[str]:
    """Return the files that the weather of a run comes from; those of a gridded product check themselves.

    Raises
    ------
    InputError
        As `open_weather`.
    """
    if config.forcing.path is None or config.forcing.format in GRIDDED:
        return []
    if config.forcing.format != "nldas-pfb":
        return [config.forcing.path]
    return [str(path) for path in open_weather(config, whole).files]


def describe_weather(config: CaseConfig, weather: Forcing | RainSchedule) -> dict[str, str]:
    """Say what weather a run gets, for the terminal.

    Parameters
    ----------
    config : CaseConfig
        The case.
    weather : Forcing or RainSchedule
        From `open_weather`.

    Returns
    -------
    dict of str to str
        Facts by name; those of a gridded product include files, grid and regridding.
    """
    start, end = forcing_period(config)
    facts = {"forcing": f"{config.forcing.format}, covers {start} to {end} UTC"}
    about = weather.describe()
    if config.forcing.format in GRIDDED:
        names = "; ".join(f"{field} from {' and '.join(labels)}" for field, labels in about["variables"].items())
        regridding = about["regridding"]
        facts["files"] = (
            f"{about['files']} files, {about['start']} to {about['end']} UTC every {about['interval_seconds']} s, "
            "no gaps")
        facts["variables"] = names
        facts["source"] = about["grid"]
        filled = regridding["cells_filled_from_the_nearest_point"]
        facts["regridding"] = f"{regridding['method']} from a box of {regridding['source_points_read']} points" + (
            f"; {filled} cells take the nearest point with values, up to {regridding['farthest_of_these_points_km']:g} "
            "km away" if filled else "")
        facts["phase"] = about["precipitation_phase"]
    return facts
