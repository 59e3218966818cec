"""Parameters that differ between members: how an ensemble gets them, and how an analysis changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from pyland.base.registry import variable
from pyland.config.ensemble import PLANT_NAMES, TEXTURE_NAMES
from pyland.coupling import ColumnModel, CoupledModel, SurfaceMosaic
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.ensemble import perturb_parameters

if TYPE_CHECKING:
    from pyland.driver.setup import Setup

LEAVES = "leaf_area_index"
"""A factor on the leaf area of all patches, not a field of the core."""

CONDUCTIVITY = "saturated_conductivity"
"""Over the distributed subsurface, that of its layers."""

CORE_NAMES = MappingProxyType({
    "van_genuchten_alpha": ("retention_scale", 1.0),
    "air_entry_head": ("retention_scale", -1.0),
    "van_genuchten_n": ("retention_shape", 1.0),
    "clapp_hornberger_b": ("retention_shape", 1.0),
})
"""Field of the core and sign by registry id, where the names differ."""

Model = ColumnModel | SurfaceMosaic | CoupledModel


def has_parameter(name: str, model: Model) -> bool:
    """Tell whether a model has a parameter of this registry id; the leaf area is none, see `parameter_of`."""
    return CORE_NAMES.get(name, (name, 1.0))[0] in model.parameter


def parameter_of(name: str, model: Model) -> np.ndarray:
    """Return a parameter of the members as it is now.

    Parameters
    ----------
    name : str
        Registry id; ``leaf_area_index`` is the factor on it.
    model : ColumnModel, SurfaceMosaic or CoupledModel
        The model.

    Returns
    -------
    numpy.ndarray, shape (layer or patch, member, cell) or (member, cell)
        [unit of the registry]
    """
    if name == LEAVES:
        factor = model.leaf_area_factor
        return np.ones((model.nmember, model.ncell)) if factor is None else factor
    if name == CONDUCTIVITY and isinstance(model, CoupledModel):
        return model.ground_conductivity()
    field, sign = CORE_NAMES.get(name, (name, 1.0))
    return model.parameter[field] if sign > 0.0 else sign * model.parameter[field]


def range_of(name: str) -> tuple[float, float]:
    """Return the range of a parameter [unit of the registry]; a factor on leaf area has that of the leaf area."""
    return variable(name).valid_range or (-np.inf, np.inf)


def perturb_plants(model: ColumnModel, settings: Mapping[str, Mapping[str, Any]], noise: Mapping[str, Any]) -> None:
    """Give each member its own plants; all patches of a cell share one number.

    Parameters
    ----------
    model : ColumnModel
        Columns with the plants of the case.
    settings : mapping
        As `perturb_parameters` takes them; names that are not of plants are left to others.
    noise : mapping
        See `pyland.driver.setup.noise_of`.
    """
    wanted = {name: entry for name, entry in settings.items() if name in PLANT_NAMES}
    if not wanted:
        return
    fields = {name: parameter_of(name, model)[..., 0, :] for name in wanted}
    drawn = perturb_parameters(wanted, parameters=fields, bounds={name: range_of(name) for name in wanted}, **noise)
    _put(model, {name: np.array(values) for name, values in drawn.items()})


def perturb_ground(model: CoupledModel, settings: Mapping[str, Mapping[str, Any]], noise: Mapping[str, Any]) -> None:
    """Give each member its own conductivity of the ground, where the settings name it; arguments as `perturb_plants`.

    All layers of a cell share one number. All ranks together.
    """
    if CONDUCTIVITY in settings:
        base = parameter_of(CONDUCTIVITY, model)[:, 0]
        drawn = perturb_parameters({CONDUCTIVITY: settings[CONDUCTIVITY]}, parameters={CONDUCTIVITY: base}, **noise)
        model.change_parameters(drawn)


def follow_texture(setup: Setup, texture: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the hydraulic parameters of members with their own texture.

    Parameters
    ----------
    setup : Setup
        The run; cells whose parameters do not come from texture keep them.
    texture : mapping of str to numpy.ndarray, shape (layer, member, cell)
        ``sand`` and ``clay`` [%], ``organic`` [1].

    Returns
    -------
    dict of str to numpy.ndarray, shape (layer, member, cell)
        By registry id.
    """
    surface, config = setup.surface, setup.config
    choice = config.subsurface.retention, config.surface.soil.pedotransfer
    depth = setup.layers.node_depth
    plain = hydraulic_parameters(*choice, surface.sand, surface.clay, surface.organic, depth)
    shape = texture["sand"].shape
    flat = [np.ascontiguousarray(texture[name]).reshape(shape[0], -1) for name in TEXTURE_NAMES]
    found = hydraulic_parameters(*choice, *flat, depth)
    out = {}
    for name, values in found.items():
        given = surface.hydraulic[name]
        is_derived = (given == plain[name]).all(axis=0)
        out[name] = np.where(is_derived, values.reshape(shape), given[:, None, :])
    return out


class MemberParameters:
    """Parameters of members that analyses change.

    Parameters
    ----------
    names : sequence of str
        Registry ids of what is updated.
    setup : Setup, optional
        The run, from which hydraulic parameters follow texture; needed where texture is among the names.
    """

    def __init__(self, names: Sequence[str], setup: Setup | None = None) -> None:
        self.names, self._setup = tuple(names), setup

    def put(self, model: Model, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
        """Change parameters, ([layer,] member, cell) by registry id; what follows from them follows.

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        clipped : int
            Values that had to be brought into range.
        """
        values, clipped = dict(values), 0
        if set(TEXTURE_NAMES) & values.keys() and self._setup is not None:
            texture = {name: values.get(name, parameter_of(name, model)) for name in TEXTURE_NAMES}
            excess = np.maximum((texture["sand"] + texture["clay"]) / 100.0, 1.0)
            clipped = int(np.count_nonzero(excess > 1.0))
            texture |= {name: texture[name] / excess for name in ("sand", "clay")}
            values |= texture | follow_texture(self._setup, texture)
        water, cut = _put(model, values)
        return water, clipped + cut

    def fields(self) -> tuple[str, ...]:
        """Return the names of the core, and ``leaf_area_factor``, that analyses change."""
        names: dict[str, None] = {}
        for name in self.names:
            names["leaf_area_factor" if name == LEAVES else CORE_NAMES.get(name, (name, 1.0))[0]] = None
        if set(TEXTURE_NAMES) & set(self.names):
            names |= dict.fromkeys((*TEXTURE_NAMES, "porosity", "residual_water", "saturated_conductivity",
                                    "retention_scale", "retention_shape"))
        return tuple(names)

    def state(self, model: Model) -> dict[str, np.ndarray]:
        """Return what a restart needs, by name of the core, ([layer,] member, cell)."""
        kept = {"leaf_area_factor": LEAVES, CONDUCTIVITY: CONDUCTIVITY}
        return {name: np.ascontiguousarray(
            parameter_of(kept[name], model) if name in kept else model.parameter[name]) for name in self.fields()}

    def restore(self, model: Model, state: Mapping[str, np.ndarray]) -> None:
        """Take up the parameters of a restart; its state comes after them."""
        model.change_parameters({name: np.array(state[name]) for name in self.fields()})


def _put(model: Model, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """Hand parameters by registry id to a model."""
    fields = {}
    for name, given in values.items():
        field, sign = ("leaf_area_factor", 1.0) if name == LEAVES else CORE_NAMES.get(name, (name, 1.0))
        fields[field] = given if sign > 0.0 else sign * given
    return model.change_parameters(fields)


__all__ = ["MemberParameters", "follow_texture", "has_parameter", "parameter_of", "perturb_ground",
           "perturb_plants", "range_of"]
