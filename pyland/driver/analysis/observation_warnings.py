"""What is probably a mistake in observations or their localisation, though it can be computed: said, not refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.logging import get_logger
from pyland.base.observation_reasons import NOT_ASSIMILATED, REASONS, WITHHELD, in_words

if TYPE_CHECKING:
    from pyland.domain import Domain
    from pyland.driver.analysis.filter_call import FilterChoice
    from pyland.driver.rivers.river_setup import RiverPlan
    from pyland.observe import ObservationSet

_log = get_logger("run")

_ON_PURPOSE = {REASONS[WITHHELD], REASONS[NOT_ASSIMILATED]}
"""Reasons that are no trouble."""

EARTH_RADIUS = 6.37122e6
"""Radius of the sphere of the metric haversine [m], as in pyland.assimilate."""


def cell_spacing(places: np.ndarray, metric: str = "euclidean") -> float:
    """Return the median distance of a cell to its nearest neighbour; infinite for a single cell.

    Parameters
    ----------
    places : numpy.ndarray, shape (cell, 2)
        Coordinates: (y, x) in any unit, or (latitude, longitude) [degrees].
    metric : {"euclidean", "haversine"}
        Distance between them, in the unit of the coordinates or in m.
    """
    if len(places) < 2:
        return float("inf")
    points = np.asarray(places, float)
    if metric == "haversine":
        latitude, longitude = np.radians(points).T
        points = EARTH_RADIUS * np.column_stack([
            np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]  # chords: shorter than arcs by less than 1e-4 below 300 km
    return float(np.median(nearest))


def short_radius(radius: float, spacing: float, name: str) -> str | None:
    """Return a sentence if a radius is less than half of the spacing of the cells, None otherwise.

    An observation between such cells reaches none of them.
    """
    if not np.isfinite(spacing) or radius >= 0.5 * spacing:
        return None
    return (f"{name} {radius:g} is less than half of the distance between cells, {spacing:.4g}: many observations "
            "reach no cell; is it in the unit of the coordinates?")


def headwater_gauges(cells: np.ndarray, downstream: np.ndarray, name: str) -> str | None:
    """Return a sentence if gauges see cells that no other drains to, None otherwise.

    Such a gauge has no catchment but its own cell: it stands beside the river that it measures.

    Parameters
    ----------
    cells : numpy.ndarray of int, shape (gauge,)
        Cells that the gauges see; negative: none.
    downstream : numpy.ndarray of int, shape (cell,)
        Cell that receives the water of each cell; negative where a river ends.
    name : str
        Of the entry.
    """
    places = np.unique(cells[cells >= 0])
    without = places[~np.isin(places, downstream)]
    if not without.size:
        return None
    return (f"observation '{name}': {without.size} of {places.size} gauges see a cell that no other drains to, the "
            f"first of them cell {without[0]}: upstream they reach this cell only. Does operator.snap, within which "
            "the largest river is taken, fit the cells?")


def warn_of_reach(
    choice: FilterChoice, sets: Sequence[ObservationSet], domain: Domain, rivers: RiverPlan | None
) -> None:
    """Log what is probably a mistake in how far observations reach.

    Parameters
    ----------
    choice : FilterChoice
        Filter with the localisation of each entry.
    sets : sequence of ObservationSet
        Observations of the run.
    domain : Domain
        All cells of the run.
    rivers : RiverPlan or None
        Rivers, without which no entry reaches along them.
    """
    spacing = cell_spacing(np.column_stack([domain.y, domain.x]))
    doubts = [short_radius(one.radius, spacing, f"{name}: localization.radius [m]")
              for name, one in {"assimilation": choice.otherwise, **choice.localization}.items()
              if one.metric == "euclidean"]  # along its river a gauge always reaches its own cell
    for name in dict.fromkeys(one.name for one in sets):
        if choice.localization.get(name, choice.otherwise).metric == "river":
            cells = np.concatenate([one.cells[:, 0] for one in sets if one.name == name])
            doubts.append(headwater_gauges(cells, rivers.network.downstream, name))
    for doubt in filter(None, doubts):
        _log.warning("%s", doubt)


def warn_of_unused(departures: Mapping[str, Mapping[str, Any]]) -> None:
    """Log a warning for each kind of observations of which none was assimilated, with the reasons."""
    for name, one in departures.items():
        if one["n"] == 0:
            _log.warning("observations '%s': none fell on an analysis of the run; look at their times", name)
        elif one["n_used"] == 0 and REASONS[WITHHELD] not in one["rejected"] and set(one["rejected"]) - _ON_PURPOSE:
            _log.warning(
                "observations '%s': none of %d was assimilated (%s); look at their values and units, and at "
                "observations.error and quality.max_innovation", name, one["n"], in_words(one["rejected"]))


__all__ = ["cell_spacing", "headwater_gauges", "short_radius", "warn_of_reach", "warn_of_unused"]
