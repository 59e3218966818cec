"""From fields of the model to what a sensor would see in each column: one operator per type of observation.

An operator is a plain function of arrays with a name; it knows nothing of runs. What it needs beside the state (layers,
soil, the options of an entry of ``observations``) comes with the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.groundwater import column_water_table
from pyland.observe.microwave import backscatter_columns, brightness_temperature_columns
from pyland.observe.neutrons.operator import FIELDS, STATIC, crns_columns
from pyland.observe.observations import ObservationSet, Setting
from pyland.observe.soil_moisture import column_soil_moisture
from pyland.observe.surface_operators import (
    fluorescence,
    land_surface_temperature,
    snow_cover_niu_yang,
    two_source_temperature,
)


@dataclass(frozen=True, eq=False)
class Scene:
    """What an operator sees besides the fields of the model.

    Attributes
    ----------
    thickness : ndarray, shape (layer,)
        Thickness of the soil layers [m].
    top, bottom : float
        Depth window [m]; NaN where it has no meaning.
    e_folding_depth : float
        Depth over which the weight of the soil within the window falls to 1/e [m]; infinite: all weighs alike.
    settings : mapping of str to float or str
        Options of the operator, see `ObservationSet.settings`.
    static : mapping of str to ndarray, shape ([layer,] cell)
        Fields that do not change, of the same cells as those of the model: ``clay``, ``sand`` [%], ``organic`` [1],
        ``bulk_density`` [kg m-3].
    time : datetime64, optional
        Time of the observation (UTC).
    """

    thickness: np.ndarray
    top: float = np.nan
    bottom: float = np.nan
    e_folding_depth: float = np.inf
    settings: Mapping[str, Setting] = field(default_factory=dict)
    static: Mapping[str, np.ndarray] = field(default_factory=dict)
    time: np.datetime64 | None = None


def scene_of(one: ObservationSet, thickness: np.ndarray, static: Mapping[str, np.ndarray] | None = None) -> Scene:
    """Return the scene of a set: its window, options and time, over layers and static fields of a model."""
    return Scene(np.asarray(thickness, float), one.top, one.bottom, one.e_folding_depth, one.settings,
                 static or {}, one.time)


@dataclass(frozen=True)
class Operator:
    """How one type of observation is seen.

    Attributes
    ----------
    type : str
        Type of the observations, one of `QUANTITIES`.
    fields : tuple of str
        Fields that it needs, ([layer or patch,] member, cell): registry ids, or names of
        `pyland.driver.analysis.observed_fields`. The first is what inflation and depth localisation go by.
    columns : callable
        Takes these fields by name and a `Scene`; returns what is seen, (member, cell) [unit of the type].
    recorded : tuple of str
        Registry ids from which the same can be had of a history: ``fields`` themselves, or one id that is what is
        seen; empty where a history does not hold it.
    static : tuple of str
        Static fields of the scene that it needs.
    """

    type: str
    fields: tuple[str, ...]
    columns: Callable[[Mapping[str, np.ndarray], Scene], np.ndarray]
    recorded: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    def of_history(self, held: Mapping[str, np.ndarray], scene: Scene) -> np.ndarray:
        """Return what is seen of records, (record, cell), from the ids of ``recorded`` ([layer,] record, cell)."""
        if self.recorded == self.fields:
            return self.columns(held, scene)
        return held[self.recorded[0]]


def _moisture(fields: Mapping[str, np.ndarray], scene: Scene) -> np.ndarray:
    """See `column_soil_moisture`."""
    return column_soil_moisture(fields["soil_water"], scene.thickness, scene.top, scene.bottom, scene.e_folding_depth)


def _table(fields: Mapping[str, np.ndarray], scene: Scene) -> np.ndarray:
    """See `column_water_table`; a well has no depth window."""
    return column_water_table(fields["pressure_head"], scene.thickness)


def _same(name: str) -> Callable[[Mapping[str, np.ndarray], Scene], np.ndarray]:
    """Return an operator to which a field is what is seen."""
    return lambda fields, scene: np.asarray(fields[name], float)


def _lst(settings: Mapping[str, Setting]) -> Operator:
    """Radiative temperature of the model, what a product with an emissivity makes of its radiation, or two sources."""
    if settings.get("method", "model") == "two_source":
        names = ("ground_temperature", "leaf_temperature", "patch_leaf_area", "patch_fraction")
        return Operator("lst", names, lambda fields, scene: two_source_temperature(
            fields["leaf_temperature"], fields["ground_temperature"], fields["patch_leaf_area"],
            fields["patch_fraction"], float(scene.settings.get("incidence_angle", 0.0))))
    if settings.get("emissivity", 1.0) == 1.0:
        return Operator("lst", ("radiative_temperature",), _same("radiative_temperature"), ("radiative_temperature",))
    names = ("longwave_up", "longwave_down")
    return Operator("lst", names, lambda fields, scene: land_surface_temperature(
        fields["longwave_up"], fields["longwave_down"], float(scene.settings["emissivity"])), names)


def _snow_cover(settings: Mapping[str, Setting]) -> Operator:
    """Snow cover of the model, or Niu and Yang (2007) from its depth and mass."""
    if settings.get("method", "model") == "model":
        return Operator("snow_cover", ("snow_cover_fraction",), _same("snow_cover_fraction"), ("snow_cover_fraction",))
    names = ("snow_mass", "snow_depth")
    return Operator("snow_cover", names, lambda fields, scene: snow_cover_niu_yang(
        fields["snow_depth"], fields["snow_mass"],
        *(float(scene.settings[one]) for one in ("ground_roughness", "fresh_density", "melt_exponent"))), names)


def _sif(settings: Mapping[str, Setting]) -> Operator:
    """Fluorescence in proportion to photosynthesis."""
    names = ("gross_primary_production",)
    return Operator("sif", names, lambda fields, scene: fluorescence(
        fields["gross_primary_production"], float(scene.settings["sif_yield"])), names)


_MICROWAVE_FIELDS = ("soil_water", "soil_temperature", "soil_ice", "patch_leaf_area", "leaf_temperature")
_MICROWAVE_STATIC = ("clay", "sand", "porosity", "bulk_density", "patch_fraction")


def _microwave(
    observation_type: str, columns: Callable[[Mapping[str, np.ndarray], Scene], np.ndarray], sees_air: bool = False
) -> Operator:
    """Return the operator of a microwave sensor, which sees the leaves of the patches, and air if asked."""
    names = (*_MICROWAVE_FIELDS, "air_temperature") if sees_air else _MICROWAVE_FIELDS
    return Operator(observation_type, names, lambda fields, scene: columns(
        {"leaf_area_index": fields["patch_leaf_area"], **{name: fields[name] for name in names}}, scene),
        static=(*_MICROWAVE_STATIC, "elevation") if sees_air else _MICROWAVE_STATIC)


def _plain(observation_type: str, name: str, recorded: str | None = None) -> Callable[..., Operator]:
    """Return the operator of a type that is one field of the model."""
    return lambda _: Operator(observation_type, (name,), _same(name), (recorded or name,))


_OPERATORS: Mapping[str, Callable[[Mapping[str, Setting]], Operator]] = MappingProxyType({
    "soil_moisture": lambda _: Operator("soil_moisture", ("soil_water",), _moisture, ("soil_water",)),
    "groundwater": lambda _: Operator("groundwater", ("pressure_head",), _table, ("water_table_depth",)),
    "crns": lambda _: Operator("crns", FIELDS, crns_columns, static=STATIC),
    "brightness_temperature": lambda settings: _microwave(
        "brightness_temperature", brightness_temperature_columns, settings.get("atmosphere", "none") != "none"),
    "backscatter": lambda _: _microwave("backscatter", backscatter_columns),
    "lst": _lst,
    "snow_cover": _snow_cover,
    "snow_water": _plain("snow_water", "snow_mass"),
    "snow_depth": _plain("snow_depth", "snow_depth"),
    "lai": _plain("lai", "leaf_area", "leaf_area_index"),
    "sif": _sif,
    "tws": _plain("tws", "terrestrial_water_storage"),
    "discharge": _plain("discharge", "discharge"),
})

def operator_for(observation_type: str, settings: Mapping[str, Setting] | None = None) -> Operator:
    """Return the operator of an observation type.

    Parameters
    ----------
    observation_type : str
        The ``type`` of an entry of ``observations``.
    settings : mapping of str to float or str, optional
        Options of the operator, on which the fields that it needs may depend; missing ones have their defaults.

    Raises
    ------
    InputError
        If there is no such type.
    """
    if observation_type in _OPERATORS:
        return _OPERATORS[observation_type](settings or {})
    raise InputError(f"observations: unknown type '{observation_type}'; available: {', '.join(_OPERATORS)}.")
