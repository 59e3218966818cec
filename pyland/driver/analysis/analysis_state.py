"""The state of a run as a filter sees it, and the way back into the model.

Order of the way back: parameters, because water must fit into their pores; temperature, because ice takes pores too;
water; heads where they are the state; snow and stores. Each says the water that it adds; the heat is what the land
holds after all less what it held before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pyland.assimilate.state_part import JoinedState, StatePart
from pyland.assimilate.state_vector import MIXED, is_saturated, limit_heads
from pyland.base.cell_ranks import CellRanks
from pyland.base.registry import variable
from pyland.config.ensemble import PLANT_NAMES
from pyland.config.update import LAYERED, transform_of
from pyland.coupling import ColumnModel, CoupledModel, SurfaceMosaic
from pyland.coupling.analysed_snow import snow_mass
from pyland.coupling.column_model import DRIEST_SATURATION, STORES
from pyland.driver.member_parameters import MemberParameters, parameter_of, range_of
from pyland.land.snow_pack import FREEZING_POINT

if TYPE_CHECKING:
    from pyland.config import CaseConfig

Model = ColumnModel | SurfaceMosaic | CoupledModel
"""What an analysis changes."""

PORES = ("residual_water", "open_pores")
"""Fields that ``logit`` of soil water needs, beside those of the model."""


@dataclass(frozen=True)
class UpdatedVariable:
    """A state or parameter that analyses change.

    Attributes
    ----------
    name : str
        Registry id.
    transform : str
        ``none``, ``log``, ``logit`` or ``anamorphosis``.
    damping : float
        Share of the increment that is applied [1].
    minimum, maximum : float
        Range of analysed values [unit of the variable].
    layers : int, optional
        Layers from the top that are updated; None for all.
    max_depth : float, optional
        Layers are updated whose middle is not deeper [m]; None for all.
    mask : tuple of str
        ``frozen``, ``snow``, ``saturated``: where nothing is updated.
    every : float, optional
        Time between updates [s]; None: at each analysis.
    is_parameter, is_shared : bool
        Whether it is a parameter, and all its layers get one increment.
    """

    name: str
    transform: str = "none"
    damping: float = 1.0
    minimum: float = -np.inf
    maximum: float = np.inf
    layers: int | None = None
    max_depth: float | None = None
    mask: tuple[str, ...] = ()
    every: float | None = None
    is_parameter: bool = False
    is_shared: bool = False


@dataclass(frozen=True)
class Change:
    """What was put into a model.

    Attributes
    ----------
    water : numpy.ndarray, shape (member, cell)
        Added to the members and cells of this rank [kg m-2].
    heat : numpy.ndarray, shape (member, cell)
        Added to soil and snow of these [J m-2].
    clipped : dict of str to int
        Values on this rank that had to be brought into range, by variable.
    """

    water: np.ndarray
    heat: np.ndarray
    clipped: dict[str, int]


def updated_variables(config: CaseConfig) -> tuple[UpdatedVariable, ...]:
    """Return what the filter of a case changes, states before parameters."""
    section = config.assimilation
    found = []
    for entry in section.update:
        low, high = (-np.inf, np.inf) if entry.variable in MIXED else variable(entry.variable).valid_range
        found.append(UpdatedVariable(
            entry.variable, entry.transform, entry.damping or section.damping, _or(entry.minimum, low),
            _or(entry.maximum, high), entry.layers, entry.max_depth, tuple(entry.mask), entry.every))
    for name, entry in section.parameters.items():
        noise, (low, high) = config.ensemble.perturb.parameters[name], range_of(name)
        found.append(UpdatedVariable(
            name, transform_of(config, name), entry.damping or section.damping,
            max(_or(entry.minimum, _or(noise.minimum, low)), low),
            min(_or(entry.maximum, _or(noise.maximum, high)), high),
            every=entry.every, is_parameter=True, is_shared=entry.layers == "shared"))
    return tuple(found)


def field_of(name: str, model: Model) -> np.ndarray:
    """Return a field of a model as it is now, ([layer,] member, cell); parameters and open pores too."""
    if name == "snow_mass":
        return snow_mass(model.state)
    if name in PORES and not (name == "residual_water" and name in model.parameter):
        return model.pores()[PORES.index(name)]
    if name in model.flux:
        return model.flux[name]
    if name in model.state:
        return model.state[name]
    return parameter_of(name, model)


class AnalysisState:
    """What a filter changes of a run.

    Parameters
    ----------
    variables : sequence of UpdatedVariable
        At least one.
    start : numpy.datetime64
        Start of the run, from which update intervals count.
    parameters : MemberParameters, optional
        Needed where parameters are among the variables.

    Attributes
    ----------
    names : tuple of str
        Registry ids of the variables.
    """

    def __init__(
        self, variables: Sequence[UpdatedVariable], start: np.datetime64, parameters: MemberParameters | None = None
    ) -> None:
        self._variables, self._start = tuple(variables), np.datetime64(start, "s")
        self._parameters = parameters
        self.names = tuple(one.name for one in variables)
        self._moves_water = {one.name for one in variables if one.is_parameter or one.name == "soil_temperature"}

    def needs(self, model: Model) -> tuple[str, ...]:
        """Return the fields of a model that `take` needs, see `field_of`."""
        names = dict.fromkeys(self.names)
        masks = {mask for one in self._variables for mask in one.mask}
        if "frozen" in masks:
            names |= dict.fromkeys(("soil_ice",) if isinstance(model, CoupledModel) else (
                "soil_ice", "soil_temperature"))
        if "snow" in masks:
            names |= {"snow_mass": None}
        if "saturated" in masks:
            names |= {"pressure_head": None}
        if any(one.transform == "logit" and one.name == "soil_water" for one in self._variables):
            names |= dict.fromkeys(PORES)
        return tuple(names)

    def take(self, time: np.datetime64, fields: Mapping[str, np.ndarray], model: Model) -> JoinedState | None:
        """Return the state vector of an analysis; None if no variable is due.

        Parameters
        ----------
        time : numpy.datetime64
            Time of the analysis, UTC.
        fields : mapping of str to numpy.ndarray
            Those of `needs`, all members, ([layer,] member, cell).
        model : ColumnModel, SurfaceMosaic or CoupledModel
            For the thickness of its layers.
        """
        due = [one for one in self._variables if self._is_due(one, time)]
        if not due:
            return None
        parts = [self._part(one, fields, model) for one in due]
        if set(MIXED) <= {one.name for one in due}:
            is_head = is_saturated(fields["pressure_head"])
            mine = {"soil_water": ~is_head, "pressure_head": is_head}
            parts = [part.only(mine[part.name]) if part.name in mine else part for part in parts]
            return JoinedState.join(parts, (MIXED,))
        return JoinedState.join(parts)

    def analysed(
        self, state: JoinedState, rows: np.ndarray, fields: Mapping[str, np.ndarray], model: Model
    ) -> tuple[dict[str, np.ndarray], dict[str, int]]:
        """Return the analysed variables, within their ranges.

        Parameters
        ----------
        state : JoinedState
            What `take` returned.
        rows : numpy.ndarray, shape (row, member, cell)
            What the filter makes of ``state.values``.
        fields : mapping of str to numpy.ndarray
            As for `take`.
        model : ColumnModel, SurfaceMosaic or CoupledModel
            For the thickness of its layers.

        Returns
        -------
        values : dict of str to numpy.ndarray, shape ([layer,] member, cell)
            All members. What is not updated is as before.
        clipped : dict of str to int
            Values that had to be brought into range.
        """
        new = state.back(rows)
        clipped = {name: count for name, (_, count) in new.items()}
        values = {name: one.reshape(fields[name].shape) for name, (one, _) in new.items()}
        if "pressure_head" in values:
            part = next(one for one in state.parts if one.name == "pressure_head")
            heads, beyond = limit_heads(values["pressure_head"], fields["pressure_head"], model.thickness)
            values["pressure_head"] = np.where(part.is_updated, heads, fields["pressure_head"])
            clipped["pressure_head"] += beyond
        return values, clipped

    def put(
        self, state: JoinedState, rows: np.ndarray, fields: Mapping[str, np.ndarray], model: Model, comm: CellRanks
    ) -> Change:
        """Put an analysed state into a model; collective.

        Parameters as for `analysed`, and the ranks that share members and cells. Members and cells of the model change,
        which are those of this rank.
        """
        values, clipped = self.analysed(state, rows, fields, model)
        for part in state.parts:
            if part.name == "pressure_head":
                values["pressure_head"] = np.where(part.is_updated, values["pressure_head"], np.nan)
        local = {name: comm.my_members(values[name]) for name in self.names if name in values}
        before = None
        if "soil_water" in local and self._moves_water & local.keys():
            before = comm.my_members(fields["soil_water"])
        change = self.settle(local, model, before)
        return replace(change, clipped={
            name: clipped.get(name, 0) + change.clipped.get(name, 0) for name in self.names})

    def depths(self, model: Model) -> dict[str, np.ndarray]:
        """Return the depth of the layers of each variable, by name [m]; NaN: all depths alike."""
        return {one.name: np.full(1, np.nan) if one.is_shared else _depth(one, model) for one in self._variables}

    def add(self, increments: Mapping[str, np.ndarray], model: Model) -> Change:
        """Add increments to what a model has now.

        Parameters
        ----------
        increments : mapping of str to numpy.ndarray, shape ([layer,] member, cell)
            Of members and cells of this rank, by variable; heads that get nothing stay as the water has them.
        model : ColumnModel, SurfaceMosaic or CoupledModel
            Changes.
        """
        present = {name: np.array(field_of(name, model)) for name in increments}
        values = {name: present[name] + part for name, part in increments.items()}
        if "pressure_head" in values:
            values["pressure_head"] = np.where(increments["pressure_head"] != 0.0, values["pressure_head"], np.nan)
        return self.settle(values, model, present.get("soil_water"))

    def settle(
        self, values: Mapping[str, np.ndarray], model: Model, water_before: np.ndarray | None = None
    ) -> Change:
        """Give a model new values of some of the variables, and make consistent what follows from them.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray, shape ([layer,] member, cell)
            Members and cells of this rank. Heads that are NaN stay as the water has them.
        model : ColumnModel, SurfaceMosaic or CoupledModel
            Changes.
        water_before : numpy.ndarray, shape (layer, member, cell), optional
            Soil water to which that of ``values`` belongs. Where other parameters and temperatures move water first,
            the difference is what is added.
        """
        heat, water = model.land_heat(), np.zeros((model.nmember, model.ncell))
        clipped: dict[str, int] = {}

        def book(name: str, change: tuple[np.ndarray, int]) -> None:
            nonlocal water
            water = water + change[0]
            clipped[name] = clipped.get(name, 0) + change[1]

        chosen = {one.name: values[one.name] for one in self._variables if one.is_parameter and one.name in values}
        if chosen and self._parameters is not None:
            book(next(iter(chosen)), self._parameters.put(model, chosen))
        if "soil_temperature" in values:
            book("soil_temperature", model.change_soil_temperature(values["soil_temperature"]))
        if "soil_water" in values:
            wanted = values["soil_water"]
            if water_before is not None:
                present = field_of("soil_water", model)
                wanted = np.where(present == water_before, wanted, present + (wanted - water_before))
            book("soil_water", model.change_soil_water(wanted))
        if "pressure_head" in values:
            heads = values["pressure_head"]
            present = field_of("pressure_head", model)
            book("pressure_head", (model.change_pressure_head(np.where(np.isnan(heads), present, heads)), 0))
        if "snow_mass" in values:
            book("snow_mass", model.change_snow_mass(values["snow_mass"]))
        for name in STORES:
            if name in values:
                book(name, model.change_store(name, values[name]))
        return Change(water, model.land_heat() - heat, clipped)

    def _is_due(self, one: UpdatedVariable, time: np.datetime64) -> bool:
        """Whether a variable is updated by the analysis of this time."""
        if one.every is None:
            return True
        return bool((np.datetime64(time, "s") - self._start) % np.timedelta64(round(one.every), "s")
                    == np.timedelta64(0, "s"))

    def _part(self, one: UpdatedVariable, fields: Mapping[str, np.ndarray], model: Model) -> StatePart:
        """Return a variable with where it is updated."""
        values = np.asarray(fields[one.name])
        values = values[None] if values.ndim == 2 else values
        count, _, ncell = values.shape
        depth = np.broadcast_to(_depth(one, model), count)
        is_updated = np.ones((count, 1, ncell), dtype=bool)
        if one.name in LAYERED:
            last = count if one.layers is None else one.layers
            is_updated[last:] = False
            is_updated &= (depth <= _or(one.max_depth, np.inf))[:, None, None]
        for mask in one.mask:
            is_updated &= ~_masked(mask, fields, count)
        span = None
        if one.transform == "logit" and one.name == "soil_water":
            # a margin at both ends, so that air-dry and saturated soil are finite
            margin = DRIEST_SATURATION * (fields["open_pores"] - fields["residual_water"])
            span = fields["residual_water"] - margin, fields["open_pores"] + margin
        return StatePart(one.name, values, is_updated, one.transform, one.damping, one.minimum, one.maximum, span,
                         one.is_shared, depth)


def _depth(one: UpdatedVariable, model: Model) -> np.ndarray:
    """Return the depth of the layers of a variable, (layer,), or one for all, (1,) [m].

    Parameters of plants have none (NaN): what all depths of their roots show may change them.
    """
    if one.name in LAYERED or (one.is_parameter and one.name not in PLANT_NAMES):
        return _middles(one.name, model)
    return np.full(1, np.nan if one.is_parameter else 0.0)


def _middles(name: str, model: Model) -> np.ndarray:
    """Return the depth of the middle of each layer of a variable, (layer,) [m]."""
    thickness = model.thermal_thickness if name == "soil_temperature" else model.thickness
    return np.cumsum(thickness) - 0.5 * thickness


def _masked(mask: str, fields: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """Return where a mask forbids updates in the first ``count`` layers, (layer, 1, cell); below its fields nowhere."""
    if mask == "snow":
        return (fields["snow_mass"] > 0.0).any(axis=0)[None, None]
    if mask == "saturated":
        found = (fields["pressure_head"] >= 0.0).any(axis=1, keepdims=True)
    else:
        found = (fields["soil_ice"] > 0.0).any(axis=1, keepdims=True)
        if "soil_temperature" in fields:
            cold = (fields["soil_temperature"] < FREEZING_POINT).any(axis=1, keepdims=True)
            below = np.zeros((cold.shape[0] - found.shape[0], *found.shape[1:]), dtype=bool)
            found = np.concatenate([found, below]) | cold
    if found.shape[0] < count:
        found = np.concatenate([found, np.zeros((count - found.shape[0], *found.shape[1:]), dtype=bool)])
    return found[:count]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


__all__ = ["AnalysisState", "Change", "UpdatedVariable", "field_of", "updated_variables"]
