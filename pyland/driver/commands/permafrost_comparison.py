"""Frozen ground of a run beside boreholes, and beside models that learn it from the landscape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.diagnose.permafrost.boreholes import MEASURED, Boreholes, nearest_cells, read_boreholes
from pyland.diagnose.permafrost.learning import LearnedField, blocks_of_places, learn
from pyland.diagnose.records import read_file
from pyland.diagnose.scores import score
from pyland.domain import Domain
from pyland.driver.commands.diagnosis import DiagnosedRun
from pyland.driver.setup import Setup, prepare

if TYPE_CHECKING:
    from pyland.driver.commands.permafrost import FrozenGround

TOP_SOIL = 0.5
"""Depth over which predictors of the soil are averaged [m]."""

_OF_HISTORY = ("air_temperature", "precipitation", "snow_depth")


@dataclass(frozen=True)
class ComparedHoles:
    """Boreholes and the cells that they lie in.

    Attributes
    ----------
    holes : Boreholes
        The table.
    cell : numpy.ndarray of int, shape (hole,)
        Their cells, -1 outside.
    numbers : dict
        Scores of the run by measured quantity.
    rows : list of dict
        A row for each borehole.
    """

    holes: Boreholes
    cell: np.ndarray
    numbers: dict[str, Any]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Learned:
    """A learned field and its numbers."""

    field: LearnedField
    numbers: dict[str, Any]


def simulated(ground: FrozenGround) -> dict[str, np.ndarray]:
    """Return what boreholes measure as the run has it, mean of the last years, (cell,): magt [degC], alt [m]."""
    return {"magt": ground.late(ground.magt), "alt": ground.late(ground.state.active_layer)}


def compare_boreholes(path: str | None, ground: FrozenGround) -> ComparedHoles | None:
    """Compare a run with a table of boreholes.

    Parameters
    ----------
    path : str or None
        CSV file; None: nothing to compare.
    ground : FrozenGround
        The run.

    Raises
    ------
    InputError
        If the table is not readable or no borehole lies in the domain.
    """
    if path is None:
        return None
    holes = read_boreholes(path)
    reach = float(np.sqrt(ground.area.max() / 2.0)) if ground.area.max() > 0.0 else np.inf  # half a diagonal
    cell = nearest_cells(holes, ground.latitude, ground.longitude, ground.elevation, reach)
    if (cell < 0).all():
        raise InputError(f"{path}: none of its {cell.size} boreholes lies in a cell of the run, which goes from "
                         f"{ground.latitude.min():.2f} to {ground.latitude.max():.2f} N and "
                         f"{ground.longitude.min():.2f} to {ground.longitude.max():.2f} E.")
    inside, run = cell >= 0, simulated(ground)
    found = {name: np.where(inside, run[name][np.maximum(cell, 0)], np.nan) for name in MEASURED}
    numbers = {name: score(found[name], getattr(holes, name)) for name in MEASURED
               if np.isfinite(getattr(holes, name)).any()}
    rows = [{"name": holes.name[place], "latitude": holes.latitude[place], "longitude": holes.longitude[place],
             "elevation": holes.elevation[place],
             "cell_elevation": ground.elevation[cell[place]] if inside[place] else np.nan,
             **{f"{name}_{who}": values[place] for name in MEASURED
                for who, values in (("measured", getattr(holes, name)), ("run", found[name]))}}
            for place in range(cell.size)]
    return ComparedHoles(holes, cell, numbers, rows)


def learned_fields(
    run: DiagnosedRun, domain: Domain, ground: FrozenGround, holes: ComparedHoles | None
) -> dict[str, Learned]:
    """Let models learn ground temperature and active layer, and compare them with the run in all cells.

    Parameters
    ----------
    run : DiagnosedRun
        The run.
    domain : Domain
        All cells.
    ground : FrozenGround
        Its frozen ground.
    holes : ComparedHoles or None
        Boreholes to learn from.

    Returns
    -------
    dict of str to Learned
        By target, ``magt`` and ``alt``; empty if the case does not ask for it.
    """
    section = run.config.diagnose.permafrost.learning
    if section is None:
        return {}
    everywhere = _predictors(run, domain, section.predictors)
    out = {}
    for target, own in simulated(ground).items():
        if section.samples == "run":
            samples, values, x, y = everywhere, own, domain.x, domain.y
        else:
            assert holes is not None  # the configuration asks for the file
            inside = holes.cell >= 0
            cells = holes.cell[inside]
            samples, values = everywhere[cells].copy(), getattr(holes.holes, target)[inside]
            if "elevation" in section.predictors:
                height, place = holes.holes.elevation[inside], section.predictors.index("elevation")
                samples[:, place] = np.where(np.isfinite(height), height, samples[:, place])
            x, y = domain.x[cells], domain.y[cells]
        if not np.isfinite(values).any():
            continue  # a table without this quantity, a run without permafrost
        block = blocks_of_places(x, y, section.block_size) if section.split == "blocks" else None
        field = learn(samples, values, everywhere, section.predictors, models=section.models, repeats=section.repeats,
                      test_share=section.test_share, seed=section.seed, block=block)
        out[target] = Learned(field, {
            "samples": section.samples, "split": section.split, "repeats": section.repeats, "scores": field.scores,
            "importance": field.importance, "left_out": list(field.left_out), "against_run": score(field.mean, own),
            "mean_spread": float(np.nanmean(field.spread))})
    return out


def _predictors(run: DiagnosedRun, domain: Domain, names: list[str]) -> np.ndarray:
    """Return the predictors of all cells, (cell, predictor).

    Raises
    ------
    InputError
        If the history lacks one of them.
    """
    history = None
    setup: Setup | None = None
    columns = []
    for name in names:
        if name in ("elevation", "latitude", "longitude"):
            columns.append(getattr(domain, name))
            continue
        if name in _OF_HISTORY:
            history = history if history is not None else read_file(run.files.need("history.nc"),
                                                                    without="soil_temperature")
            if name not in history:
                raise InputError(f"diagnose.permafrost.learning.predictors: history.nc does not hold {name}; add it to "
                                 "output.variables and run the case again, or leave it out.")
            mean = history[name].mean("time").values
            columns.append(mean.ravel()[domain.cell_id] if domain.is_grid else mean)
            continue
        setup = setup or prepare(run.config, Communicator())
        columns.append(_leaf_area(setup) if name == "leaf_area_index" else _top_soil(setup, name))
    return np.stack([np.asarray(one, dtype=float) for one in columns], axis=1)


def _leaf_area(setup: Setup) -> np.ndarray:
    """Return the mean leaf area of a cell through the first year, (cell,) [m2 m-2]."""
    start = np.datetime64(setup.config.time.start, "s")
    months = [start + np.timedelta64(int(30.4 * 86400 * month), "s") for month in range(12)]
    return np.mean([(setup.surface.patch_fraction * setup.surface.leaf_area(one)[0]).sum(axis=0) for one in months],
                   axis=0)


def _top_soil(setup: Setup, name: str) -> np.ndarray:
    """Return the mean of a soil field over the upper half metre, (cell,)."""
    edges = setup.layers.interface_depth
    weight = np.clip(np.minimum(edges[1:], TOP_SOIL) - edges[:-1], 0.0, None)
    return weight @ getattr(setup.surface, name) / weight.sum()
