"""What goes with a product: alarms, catalogue, hindcast skill, latency board, and which products may go.

One thin module between the loop and the functions that do it; each of them may be repeated after a kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyland.config import CaseConfig
from pyland.config.cycle import ForecastSection
from pyland.domain import Domain
from pyland.driver.cycle.arrivals import Arrivals
from pyland.driver.cycle.cycle_inputs import FORECAST, WEATHER, observation_input
from pyland.driver.cycle.file_patterns import found_members, hours_between, member_pattern
from pyland.driver.cycle.product_alarms import ALARMS, raise_alarms
from pyland.driver.cycle.product_fields import needed_members
from pyland.driver.cycle.product_skill import judge_forecasts, still_needed
from pyland.driver.cycle.products import PRODUCTS, has_forecast, superseded
from pyland.driver.cycle.run_configs import state_hash
from pyland.driver.cycle.state_file import CurrentCycle, CycleState
from pyland.driver.cycle.timeline import Timeline
from pyland.output.alarm_delivery import deliver
from pyland.output.alarm_files import read_alarms
from pyland.output.catalogue import ItemFacts, update_catalogue, write_item
from pyland.output.catalogue_extent import box_of_places
from pyland.output.latency import InputArrival, latency_board, write_board
from pyland.output.pruning import finish_removal, plan_pruning, prune

BOARD, DELIVERIES = "latency.json", "deliveries.json"
"""Files below the folder of a cycle."""

LONGEST_LEAD_CHANGE = 2.0
"""Forecasts of a case whose lead was shortened to no less than this part are still judged to their end [1]."""

BOARD_CYCLES = 30
"""Newest cycles whose arrivals the latency board looks at."""


def with_members(config: CaseConfig) -> CaseConfig:
    """Return the configuration whose runs keep the members that alarms and hindcasts look at."""
    more = needed_members(config.cycle.alarms, config.cycle.hindcast)
    members = list(dict.fromkeys([*config.output.members, *more]))
    return config.model_copy(update={"output": config.output.model_copy(update={"members": members})})


def describe_product(
    folder: Path, config: CaseConfig, whole: Domain, current: CurrentCycle, timeline: Timeline, before: Path | None
) -> None:
    """Write alarms and the item of the catalogue into a product that is not published yet.

    Parameters
    ----------
    folder : Path
        Its hidden folder.
    config : CaseConfig
        The case.
    whole : Domain
        All cells of the run.
    current : CurrentCycle
        The cycle.
    timeline : Timeline
        The cycles.
    before : Path or None
        Product of the cycle before, whose alarms may go on.
    """
    cycle, end = config.cycle, timeline.end_of(current.index)
    raise_alarms(folder, cycle.alarms, end, before, cycle.climatology)
    lead = np.timedelta64(round(cycle.forecast.lead if has_forecast(folder) else 0.0), "s")
    write_item(folder, ItemFacts(
        current.name, end, timeline.begin_of(current.index), end + lead, box_of_places(whole.latitude, whole.longitude),
        state_hash(config), current.version, current.inputs[WEATHER]["stream"], superseded(current),
        cycle.catalogue.identifier))


def follow_up(root: Path, config: CaseConfig, current: CurrentCycle, timeline: Timeline, is_newest: bool) -> None:
    """Judge past forecasts with a new product, send its alarms, and let old products go; then the catalogue is true.

    Parameters
    ----------
    root : Path
        Folder of the cycle.
    config : CaseConfig
        The case.
    current : CurrentCycle
        The cycle that was published.
    timeline : Timeline
        The cycles.
    is_newest : bool
        No later cycle is done: alarms of the past are not sent.
    """
    cycle, products = config.cycle, root / PRODUCTS
    finish_removal(products)
    lead = LONGEST_LEAD_CHANGE * cycle.forecast.lead
    judge_forecasts(root, products / current.name, timeline.end_of(current.index), cycle.hindcast, cycle.climatology,
                    lead)
    if is_newest:
        deliver(read_alarms(products / current.name / ALARMS), root / DELIVERIES, cycle.alarms)
    needed = still_needed(root, cycle.hindcast, lead)
    going = [one.name for one in plan_pruning(products, cycle.keep, needed)]
    update_catalogue(root, cycle.catalogue, going, title=config.case.name, description=config.case.description)
    prune(products, cycle.keep, needed)


def write_latency(root: Path, arrivals: Arrivals, timeline: Timeline, state: CycleState) -> None:
    """Write the board of the inputs of the newest cycles."""
    config = arrivals.config
    cycle, last = config.cycle, state.next_index
    indices = range(max(last - BOARD_CYCLES, 0), last + 2)
    rows = [_row(arrivals, timeline, indices, WEATHER, one, one.path or config.forcing.path, "forcing")
            for one in cycle.weather if one.source == "files"]
    if config.assimilation.filter != "none":
        rows += [_row(arrivals, timeline, indices, observation_input(entry.name), one, one.path or entry.file,
                      "observations")
                 for entry in config.observations for one in cycle.observation_streams(entry.name)]
    if cycle.forecast.lead > 0 and cycle.forecast.source == "files":
        rows.append(_row(arrivals, timeline, indices, FORECAST, cycle.forecast, cycle.forecast.path, "forecast"))
    write_board(root / BOARD, latency_board(rows, arrivals.now))


def _row(
    arrivals: Arrivals, timeline: Timeline, indices: Sequence[int], name: str, stream: object, pattern: str, kind: str
) -> InputArrival:
    """Return what came of a stream."""
    forecast = stream if isinstance(stream, ForecastSection) else None
    valid, arrived = arrivals_of_stream(arrivals, pattern, timeline, indices, forecast)
    interval = float(timeline.interval / np.timedelta64(1, "s"))
    return InputArrival(name, getattr(stream, "name", FORECAST), interval, stream.latency,
                        max(stream.patience, stream.latency), kind, valid, arrived)


def arrivals_of_stream(
    arrivals: Arrivals, pattern: str, timeline: Timeline, indices: Sequence[int],
    forecast: ForecastSection | None = None,
) -> tuple[list[np.datetime64], list[np.datetime64]]:
    """Return the ends of cycles for which files of a pattern are there, and when the last of these arrived.

    Parameters
    ----------
    arrivals : Arrivals
        What is there.
    pattern : str
        Pattern of the files; one without a time in it tells when anything came last, which counts for the cycle of that
        time.
    timeline : Timeline
        The cycles.
    indices : sequence of int
        Which of them.
    forecast : ForecastSection, optional
        The pattern is of forecasts, which are called by the end of the cycle.
    """
    valid, arrived = [], []
    for index in indices:
        begin, end = timeline.begin_of(index), timeline.end_of(index)
        if forecast is None:
            found = arrivals.find(pattern, hours_between(begin, end))
        elif forecast.has_members:
            found = [one for member in found_members(pattern, end)
                     for one in arrivals.find(member_pattern(pattern, member), np.array([end]))]
        else:
            found = arrivals.find(pattern, np.array([end]))
        came = [np.datetime64(one.arrived, "s") for one in found]
        if "%" not in pattern:
            came = [one for one in came if end <= one < end + timeline.interval]
        if came:
            valid.append(end)
            arrived.append(max(came))
    return valid, arrived
