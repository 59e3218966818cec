"""What observation operators see of a run: fields of all members, static fields of the soil, predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError
from pyland.driver.analysis.analysis_state import Model, field_of
from pyland.driver.rivers.river_run import RiverRun
from pyland.driver.setup import Setup
from pyland.observe import ObservationSet, combine_footprints, operator_for, scene_of

PARTICLE_DENSITY = 2700.0
"""Of the mineral solids of a soil [kg m-3]; bulk density is (1 - porosity) times it (CLM5 technical note, 2.6.3)."""

ORGANIC_PARTICLE_DENSITY = 1300.0
"""Of peat [kg m-3], Farouki (1981): solids of a soil mix by the share of peat-like matter."""

LEAF_AREA = "leaf_area"
"""Leaf area index of a cell, mean over its patches [1]; the parameter ``leaf_area_index`` is the factor on it."""

PATCH_LEAF_AREA = "patch_leaf_area"
"""The same of each patch [1]."""


def snow_depth(state: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the depth of snow, mean over the cell, (member, cell) [m], from the state of a model.

    Layer by layer, see `pyland.coupling.analysed_snow.snow_mass`.
    """
    return state["snow_cover_fraction"] * reduce(np.add, [*state["snow_layer_thickness"]])


def observed_field(name: str, model: Model, rivers: RiverRun | None = None) -> np.ndarray:
    """Return a field that an operator needs as it is now, ([layer or patch,] member, cell) of this rank.

    Parameters
    ----------
    name : str
        Registry id, ``leaf_area`` or ``patch_leaf_area``.
    model : ColumnModel, SurfaceMosaic or CoupledModel
        What is observed.
    rivers : RiverRun, optional
        Rivers of the run, for ``discharge``.

    Raises
    ------
    InputError
        If there are no rivers to observe.
    """
    if name == "discharge":
        if rivers is None:
            raise InputError("observations of type discharge need rivers: set rivers.scheme to linear or kinematic.")
        return rivers.rivers.discharge[:, rivers.position]
    if name == "snow_depth":
        return snow_depth(model.state)
    if name == "terrestrial_water_storage":
        return model.land_water()
    if name == LEAF_AREA:
        return (model.forcing["leaf_area_index"] * model.parameter["patch_fraction"]).sum(axis=0)
    if name == PATCH_LEAF_AREA:
        return model.forcing["leaf_area_index"]
    if name in model.forcing and name != "leaf_area_index":
        return model.forcing[name]
    return field_of(name, model)


def static_fields(setup: Setup) -> dict[str, np.ndarray]:
    """Return the soil of this rank's cells as operators need it, each (layer, cell).

    Parameters
    ----------
    setup : Setup
        The run; over a distributed subsurface, whose layers are others than those of the land, layers take the mean of
        what they overlap.

    Returns
    -------
    dict of str to numpy.ndarray
        ``clay`` and ``sand`` [%], ``organic`` [1], ``porosity`` [m3 m-3], ``bulk_density`` [kg m-3]; and
        ``patch_fraction``, (patch, cell) [1], ``elevation``, (cell,) [m].
    """
    surface, layers = setup.surface, setup.layers
    porosity = np.asarray(surface.hydraulic["porosity"], float)
    solids = (1.0 - surface.organic) * PARTICLE_DENSITY + surface.organic * ORGANIC_PARTICLE_DENSITY
    found = {"clay": surface.clay, "sand": surface.sand, "organic": surface.organic,
             "porosity": porosity[:len(solids)], "bulk_density": (1.0 - porosity[:len(solids)]) * solids}
    given, wanted = np.asarray(layers.thickness), np.asarray(setup.water_thickness)
    if not np.array_equal(given, wanted):
        share = _overlap(given, wanted)
        found = {name: share @ np.asarray(values, float)[:given.size] for name, values in found.items()}
    return {**{name: np.asarray(values, float) for name, values in found.items()},
            "patch_fraction": np.asarray(surface.patch_fraction, float),
            "elevation": np.asarray(setup.domain.elevation, float)}


def _overlap(given: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the share of each given layer in each wanted one, (wanted, given); below all given ones the lowest is."""
    lower, below = np.cumsum(given), np.cumsum(wanted)
    lower[-1] = max(lower[-1], below[-1])
    part = np.minimum(below[:, None], lower) - np.maximum(
        (below - wanted)[:, None], np.concatenate([[0.0], lower[:-1]]))
    part = np.clip(part, 0.0, None)
    return part / part.sum(axis=1, keepdims=True)


class Observer:
    """Sees a model through operators; the same bits on every rank, whatever the ranks are.

    Parameters
    ----------
    ranks : CellRanks
        Ranks of the run.
    static : mapping of str to numpy.ndarray, shape ([layer,] cell)
        Static fields of the cells that this rank analyses.
    rivers : RiverRun, optional
        Rivers of the run.
    """

    def __init__(
        self, ranks: CellRanks, static: Mapping[str, np.ndarray] | None = None, rivers: RiverRun | None = None
    ) -> None:
        self.ranks, self._static, self._rivers = ranks, dict(static or {}), rivers

    @classmethod
    def of_run(cls, setup: Setup, ranks: CellRanks, rivers: RiverRun | None) -> Observer:
        """Return the observer of an integration."""
        static = static_fields(setup)
        return cls(ranks, {name: values[..., ranks.share] for name, values in static.items()}, rivers)

    def fields(self, names: Iterable[str], model: Model) -> dict[str, np.ndarray]:
        """Return copies of fields, all members of the cells that this rank analyses; collective."""
        return {name: np.array(self.ranks.all_members(observed_field(name, model, self._rivers)), order="C")
                for name in names}

    @staticmethod
    def needs(sets: Iterable[ObservationSet]) -> tuple[str, ...]:
        """Return the names of the fields from which sets are predicted."""
        return tuple(dict.fromkeys(name for one in sets for name in operator_for(one.type, one.settings).fields))

    def predict(
        self, sets: list[ObservationSet], fields: Mapping[str, np.ndarray], thickness: np.ndarray
    ) -> list[np.ndarray]:
        """Return what the members predict for each set, (member, observation of the set), on every rank; collective."""
        predicted = []
        for one in sets:
            operator = operator_for(one.type, one.settings)
            columns = operator.columns(fields, scene_of(one, thickness, self._static))
            predicted.append(combine_footprints(columns, self.ranks.position, one.cells, one.weights, self.ranks))
        return predicted


__all__ = ["LEAF_AREA", "Observer", "observed_field", "snow_depth", "static_fields"]
