"""From the case to the runs of a cycle: analysis and forecast, with the copies as their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.config import CaseConfig
from pyland.config.forcing import ForcingSection
from pyland.config.load import config_hash
from pyland.domain import Domain
from pyland.driver.continuation import Continuation, WeatherOpener
from pyland.driver.cycle.cycle_inputs import FORECAST, WEATHER, input_folder, observation_input
from pyland.driver.cycle.forecast_inputs import member_folder
from pyland.driver.cycle.observation_inputs import observation_file, with_files
from pyland.driver.cycle.weather_files import Stream, file_section, generated_section, open_staged
from pyland.forcing import Forcing, MemberWeather, source_of_member

ANY_TEMPERATURE = 283.15
"""Soil temperature that a run which goes on is built with [K]; its restart replaces it."""


def state_hash(config: CaseConfig) -> str:
    """Return the hash of what the state of the ensemble and the numbering of its steps depend on.

    Names of files, the end, the streams and what is asked of products may change from one call to the next.
    """
    plain = CaseConfig()
    time = plain.time.model_copy(update={"start": config.time.start, "step": config.time.step})
    output = plain.output.model_copy(update={
        "every": config.output.every, "variables": list(config.history_variables), "members": config.output.members})
    return config_hash(config.model_copy(update={
        "case": plain.case, "time": time, "forcing": plain.forcing, "study": None, "observations": [],
        "output": output}))


def analysis_run(
    config: CaseConfig, inputs: Path, taken: Mapping[str, Any], begin: np.datetime64, end: np.datetime64,
    restart: Path | None,
) -> tuple[CaseConfig, Continuation]:
    """Return the run of a cycle's analysis.

    Parameters
    ----------
    config : CaseConfig
        The case.
    inputs : Path
        Folder of the copies of the cycle.
    taken : mapping
        What was taken, by input.
    begin, end : numpy.datetime64
        The cycle, UTC.
    restart : Path or None
        State at its begin; None for the first.
    """
    weather = taken[WEATHER]
    forcing = _analysis_forcing(config, weather, input_folder(inputs, WEATHER))
    observed = [entry for entry in config.observations
                if taken.get(observation_input(entry.name), {"files": []})["files"]]
    files = {entry.name: observation_file(entry, input_folder(inputs, observation_input(entry.name)))
             for entry in observed}
    run = _until(with_files(config, files), end, forcing, is_continued=restart is not None)
    names = tuple(entry.name for entry in observed)
    is_first = restart is not None and config.cycle.initial is not None and restart == Path(config.cycle.initial)
    return run, Continuation(begin, restart, state_hash(config), is_first, names)


def _analysis_forcing(config: CaseConfig, weather: Mapping[str, Any], folder: Path) -> ForcingSection:
    """Return section ``forcing`` of an analysis."""
    if weather["source"] == "forecast":
        return file_section(config, config.cycle.forecast, folder)
    stream = config.cycle.weather[weather["rank"]]
    return generated_section(config, stream) if weather["source"] == "generator" else file_section(
        config, stream, folder)


def forecast_run(
    config: CaseConfig, inputs: Path, taken: Mapping[str, Any], begin: np.datetime64, restart: Path
) -> tuple[CaseConfig, Continuation]:
    """Return the run of a cycle's forecast, from the end of its analysis; arguments as for `analysis_run`."""
    section, weather = config.cycle.forecast, taken[FORECAST]
    end, folder = begin + np.timedelta64(round(section.lead), "s"), input_folder(inputs, FORECAST)
    opener = None
    if weather["source"] == "generator":
        forcing = generated_section(config, section)
    elif weather["members"]:
        count = len(weather["members"])
        forcing = file_section(config, section, folder / member_folder(0))
        opener = _member_opener(config, section, folder, count, begin, end)
    else:
        forcing = file_section(config, section, folder)
    run = _until(config, end, forcing, is_continued=True)
    return run, Continuation(begin, restart, state_hash(config), weather=opener)


def _member_opener(
    config: CaseConfig, section: Stream, folder: Path, count: int, begin: np.datetime64, end: np.datetime64
) -> WeatherOpener:
    """Return what opens the weather of the members of a rank: member k of the ensemble has member k modulo count."""

    def open_members(domain: Domain, members: np.ndarray) -> Forcing:
        wanted = [source_of_member(int(member), count) for member in members]
        needed = sorted(set(wanted))
        sources = [open_staged(config, file_section(config, section, folder / member_folder(one)), domain, begin, end)
                   for one in needed]
        return MemberWeather(sources, [needed.index(one) for one in wanted])

    return open_members


def _until(config: CaseConfig, end: np.datetime64, forcing: ForcingSection, is_continued: bool) -> CaseConfig:
    """Return the configuration of a run that ends at ``end``."""
    changes: dict[str, Any] = {
        "time": config.time.model_copy(update={"end": end.astype("datetime64[s]").item()}), "forcing": forcing,
        "cycle": None}
    if is_continued:
        initial = config.land.initial.model_copy(update={"soil_temperature": ANY_TEMPERATURE})
        changes["land"] = config.land.model_copy(update={"initial": initial})
    return config.model_copy(update=changes)
