"""Open what a case names: domain, layers, surface, weather. Used by `check` and `run` alike."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from pyland.base.errors import InputError
from pyland.config import CaseConfig
from pyland.config.forcing import GRIDDED
from pyland.domain import Domain
from pyland.forcing import Forcing, PrecipitationPhase, RainSchedule, open_forcing


def forcing_period(config: CaseConfig) -> tuple[np.datetime64, np.datetime64]:
    """Return the period of weather that a run needs, spin-up included, datetime64[s] UTC."""
    moments: list[datetime] = [config.time.start, config.time.end]
    if config.time.spinup.years > 0:
        moments += config.time.spinup_window
    return np.datetime64(min(moments), "s"), np.datetime64(max(moments), "s")


def check_tiles(config: CaseConfig, ranks: int) -> None:
    """Make sure that ``parallel.tiles`` is what the ranks make of it.

    Raises
    ------
    InputError
        If a number of tiles is given that is not the number of ranks.
    """
    tiles = config.parallel.tiles
    if tiles not in ("auto", ranks):
        raise InputError(
            f"{config.where('parallel.tiles')}: expected as many tiles as ranks ({ranks}), got {tiles}; use auto, or "
            f"start pyland with mpirun -n {tiles}."
        )


def open_weather(config: CaseConfig, domain: Domain, until: np.datetime64 | None = None) -> Forcing | RainSchedule:
    """Open the weather of a case for the cells of a domain or tile.

    Parameters
    ----------
    config : CaseConfig
        The case.
    domain : Domain
        The cells.
    until : numpy.datetime64, optional
        End of the weather that is needed, UTC; that of the run by default.

    Raises
    ------
    InputError
        If the file is missing or damaged, lacks a variable, has gaps or impossible values, or does not cover the
        period.
    """
    section = config.forcing
    start, end = forcing_period(config)
    end = end if until is None else until
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
