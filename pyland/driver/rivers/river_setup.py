"""Rivers of a case: network, lakes and gauges from its configuration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.config import CaseConfig
from pyland.config.rivers import PlaceSection
from pyland.domain import Domain
from pyland.domain.domain_file import read_field
from pyland.subsurface import Lake, RiverGrid, RiverNetwork, Rivers
from pyland.subsurface.river_grid import great_circle
from pyland.subsurface.rivers import channel_width

SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True)
class Gauge:
    """A gauge and the cell whose discharge it sees.

    Attributes
    ----------
    name : str
        Its name.
    cell : int
        Cell of the run.
    """

    name: str
    cell: int


@dataclass(frozen=True)
class RiverPlan:
    """Rivers of a case before they hold water.

    Attributes
    ----------
    network : RiverNetwork
        All cells of the run.
    lakes : dict of int to Lake
        Lake of every sink.
    gauges : tuple of Gauge
        In the order of the case.
    """

    network: RiverNetwork
    lakes: dict[int, Lake]
    gauges: tuple[Gauge, ...]


def plan_rivers(config: CaseConfig, whole: Domain) -> RiverPlan | None:
    """Build the network of a case, and find its lakes and gauges; None without rivers.

    Raises
    ------
    InputError
        If a file is missing or does not fit, a place lies outside of the domain, a lake is no sink, or directions
        form a cycle.
    """
    section = config.rivers
    if section.scheme == "none":
        return None
    grid = RiverGrid.of_domain(whole)
    places = {entry.name: find_cell(entry, grid, whole, f"rivers.lakes.at '{entry.name}'")
              for entry in section.lakes.at}
    if len(set(places.values())) < len(places):
        raise InputError(f"rivers.lakes.at: two lakes lie in one cell; the cells are {places}.")
    if section.directions.file is None:
        depth = np.inf if section.directions.fill_depth is None else section.directions.fill_depth
        network = RiverNetwork.from_elevation(grid, fill_depth=depth, sinks=sorted(places.values()))
    else:
        codes = read_field(section.directions.file, section.directions.variable, whole.ny, whole.nx)
        network = RiverNetwork.from_codes(grid, codes, section.directions.convention)
    for name, cell in places.items():
        if network.downstream[cell] != RiverNetwork.SINK:
            known = ", ".join(grid.name(one) for one in network.sinks[:5]) or "none"
            raise InputError(
                f"rivers.lakes.at '{name}': {grid.name(cell)} is no sink of {section.directions.file}; a lake lies "
                f"where rivers end. Sinks of the file: {known}."
            )
    shape = section.lakes
    common = Lake(shape.reference_area, shape.reference_volume, shape.exponent)
    lakes = {int(cell): common for cell in network.sinks}
    for entry in section.lakes.at:
        own = entry if entry.reference_area is not None else shape
        exponent = shape.exponent if entry.exponent is None else entry.exponent
        lakes[places[entry.name]] = Lake(own.reference_area, own.reference_volume, exponent, entry.spill_volume,
                                         entry.initial_volume)
    gauges = []
    for entry in section.gauges:
        cell = find_cell(entry, grid, whole, f"rivers.gauges '{entry.name}'")
        near = np.flatnonzero(distance_to(entry, whole) <= entry.snap)
        gauges.append(Gauge(entry.name, network.largest_near(near) if near.size else cell))
    return RiverPlan(network, lakes, tuple(gauges))


def build_rivers(config: CaseConfig, whole: Domain, plan: RiverPlan, nmember: int) -> Rivers:
    """Build the rivers of an ensemble.

    Raises
    ------
    InputError
        If the file of channel widths is missing or does not fit.
    """
    section = config.rivers
    if section.width.file is None:
        width = channel_width(plan.network.upstream_area, section.width.scale, section.width.exponent)
    else:
        field = read_field(section.width.file, section.width.variable, whole.ny, whole.nx, "m")
        width = field.ravel()[whole.cell_id]
        if not (np.isfinite(width) & (width > 0.0)).all():
            raise InputError(f"{section.width.file}: {section.width.variable} must be positive [m] in every cell.")
    return Rivers(
        plan.network, section.scheme, nmember=nmember, velocity=section.velocity, manning=section.manning, width=width,
        smallest_slope=section.smallest_slope, substep=section.substep, lakes=plan.lakes)


def describe_rivers(config: CaseConfig, plan: RiverPlan) -> dict[str, str]:
    """Say what the network is, for ``pyland check``."""
    network, section = plan.network, config.rivers
    basins = network.basin_area()
    longest = float(network.path_length.max())
    facts = {
        "rivers": f"{section.scheme}, step {config.river_step:g} s; {basins.size} basins, the largest of "
                  f"{basins[0] / 1e6:.4g} km2; {network.sinks.size} end in a lake",
        "longest river": f"{longest / 1000.0:.4g} km",
    }
    if section.scheme == "linear":
        facts["longest river"] += f", travel time {longest / section.velocity / SECONDS_PER_DAY:.3g} days"
    for gauge in plan.gauges:
        facts[f"gauge {gauge.name}"] = f"cell {gauge.cell}, {network.upstream_area[gauge.cell] / 1e6:.4g} km2 upstream"
    return facts


def find_cell(place: PlaceSection, grid: RiverGrid, whole: Domain, where: str) -> int:
    """Return the cell in which a place lies.

    Raises
    ------
    InputError
        If it lies in none; the message names the nearest.
    """
    distance = distance_to(place, whole)
    nearest = int(np.argmin(distance))
    known = grid.distance[nearest][grid.neighbour[nearest] >= 0]
    reach = 0.5 * float(known.max()) if known.size else float(np.sqrt(0.5 * grid.area[nearest]))
    if distance[nearest] > max(reach, float(np.sqrt(0.5 * grid.area[nearest]))):
        raise InputError(
            f"{where}: the place lies in no cell of the domain; the nearest is {grid.name(nearest)} at latitude "
            f"{whole.latitude[nearest]:.4f}, longitude {whole.longitude[nearest]:.4f}, "
            f"{distance[nearest] / 1000.0:.4g} km away."
        )
    return nearest


def distance_to(place: PlaceSection, whole: Domain) -> np.ndarray:
    """Return the distance of all cells from a place [m]."""
    if place.x is not None and place.y is not None:
        return np.hypot(whole.x - place.x, whole.y - place.y)
    return great_circle(place.latitude, place.longitude, whole.latitude, whole.longitude)
