"""From fields of the model to what a radiometer or a radar sees of each column.

`scene` is any object with ``thickness`` (layer,) [m], ``top`` and ``bottom`` [m] of the soil that counts as the
surface, ``settings`` (a mapping of the observation's options) and ``static`` (fields per cell by name). A number among
the settings gives way to a static field of the same name, shape ``(cell,)``: that is where calibrated maps go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, OPEN_WATER, SNOW, USED
from pyland.observe.microwave.atmosphere import atmosphere
from pyland.observe.microwave.backscatter import (
    C_BAND,
    decibel,
    linear,
    linear_soil,
    oh_1992,
    oh_2004,
    radar_polarisation_number,
    water_cloud,
)
from pyland.observe.microwave.dielectric import L_BAND, soil_permittivity
from pyland.observe.microwave.layered import layered_ground
from pyland.observe.microwave.tau_omega import (
    brightness_above,
    brightness_temperature,
    optical_depth,
    polarisation_number,
    vegetation_water,
)
from pyland.observe.soil_moisture import depth_weights

SURFACE_WINDOW = (0.0, 0.05)
"""Soil that counts as the surface where the scene has no window [m]."""

DEEP_WINDOW = (0.5, 1.0)
"""Soil whose temperature is the deep one of the effective temperature [m]."""

EMISSION_SETTINGS: Mapping[str, Any] = MappingProxyType({
    "incidence_angle": 40.0,  # [degree]
    "polarisation": "h",
    "frequency": L_BAND,  # [Hz]
    "dielectric": "mironov2009",
    "frozen": "practical",
    "ground": "homogeneous",  # or layered
    "effective_temperature": "wigneron",
    "roughness": 0.15,  # h [1]
    "roughness_wet": None,  # h of wet ground [1]; that of dry ground
    "roughness_dry_below": 0.05,  # [m3 m-3]
    "roughness_wet_above": 0.45,  # [m3 m-3]
    "roughness_power_h": 2.0,  # N [1]
    "roughness_power_v": 2.0,
    "polarisation_mixing": 0.0,  # Q [1]
    "albedo": 0.05,  # omega [1]
    "vegetation_b": 0.15,  # b [m2 kg-1]
    "leaf_water": 0.5,  # LEWT [kg m-2]
    "optical_depth": None,  # tau at nadir [1] instead of b LEWT LAI
    "open_water": 0.0,  # share of the area [1]
    "sky_temperature": 0.0,  # [K]
    "atmosphere": "none",  # or pellarin2003: top of the atmosphere
})
"""Options of ``brightness_temperature`` and their defaults; h, omega, b and LEWT are those of low vegetation."""

BACKSCATTER_SETTINGS: Mapping[str, Any] = MappingProxyType({
    "incidence_angle": 40.0,  # [degree]
    "polarisation": "vv",
    "frequency": C_BAND,  # [Hz]
    "soil": "oh1992",  # or oh2004, linear
    "dielectric": "mironov2009",
    "frozen": "practical",
    "rms_height": 0.01,  # of the surface [m]
    "soil_dry": None,  # backscatter of dry soil, of `linear` [dB]
    "soil_slope": None,  # of `linear` [dB per m3 m-3]
    "volume": None,  # A of the water cloud; None: no vegetation
    "attenuation": None,  # B
    "vegetation": "leaf_area_index",  # or vegetation_water
    "leaf_water": 0.5,  # LEWT [kg m-2]
})
"""Options of ``backscatter`` and their defaults."""

FLAG_SETTINGS: Mapping[str, Any] = MappingProxyType({
    "frozen_below": 273.35,  # [K]
    "snow_above": 1.0e-4,  # [kg m-2]
    "open_water_above": 0.05,  # [1]
})
"""Bounds of :func:`surface_flags`; the first two are those of the SMAP level 4 system (Reichle et al. 2017)."""

_WORDS = (
    "polarisation", "dielectric", "frozen", "ground", "effective_temperature", "atmosphere", "soil", "vegetation",
)
_GROUNDS = ("homogeneous", "layered")
_ATMOSPHERES = ("none", "pellarin2003")
_SOILS = ("oh1992", "oh2004", "linear")
_VEGETATIONS = ("leaf_area_index", "vegetation_water")


def brightness_temperature_columns(fields: Mapping[str, np.ndarray], scene: Any) -> np.ndarray:
    """Return the brightness temperature of each member and cell.

    Parameters
    ----------
    fields : Mapping[str, numpy.ndarray]
        ``soil_water`` and ``soil_temperature``, shape ``(layer, member, cell)`` [m3 m-3], [K]; where there
        ``soil_ice`` [m3 m-3], ``leaf_area_index`` [1] and ``leaf_temperature`` [K], ``(member, cell)`` or, with
        the static field ``patch_fraction`` ``(patch, cell)``, ``(patch, member, cell)``. With an atmosphere
        ``air_temperature`` ``(member, cell)`` [K], and ``elevation`` [m] among the static fields.
    scene
        See above. ``settings``: those of `EMISSION_SETTINGS`. ``static``: ``clay`` and ``sand`` [%] and ``porosity``
        [m3 m-3] or ``bulk_density`` [kg m-3], ``(cell,)`` or ``(layer, cell)``.

    Returns
    -------
    numpy.ndarray, shape (member, cell)
        [K]. Frozen and snow-covered columns have a value too: see :func:`surface_flags`.

    Raises
    ------
    InputError
        If a field or a setting is missing, unknown or impossible.
    """
    settings = _settings("brightness_temperature", scene.settings, EMISSION_SETTINGS, FLAG_SETTINGS)
    number = polarisation_number(str(settings["polarisation"]).lower())
    ground = _word("ground", settings["ground"], _GROUNDS)
    has_air = _word("atmosphere", settings["atmosphere"], _ATMOSPHERES) != "none"
    surface = _Surface(fields, scene)
    value = surface.parameter_getter(settings)
    depth = value("optical_depth")
    leaves = surface.leaves() if depth is None else surface.leaves(has_area=False)
    sky = value("sky_temperature")
    if has_air:
        passed, upward, sky = surface.air_above(value("incidence_angle"), settings["frequency"])
    canopy = {
        "angle": value("incidence_angle"), "albedo": value("albedo"),
        "roughness": value("roughness"), "roughness_wet": value("roughness_wet"), "dry": value("roughness_dry_below"),
        "wet": value("roughness_wet_above"), "mixing": value("polarisation_mixing"),
        "power_h": value("roughness_power_h"), "power_v": value("roughness_power_v"),
        "open_water": value("open_water"), "sky": sky,
        "water_temperature": surface.temperature,
    }
    models = {"frequency": settings["frequency"], "dielectric": settings["dielectric"], "frozen": settings["frozen"]}
    if ground == "layered":
        shape = surface.water.shape
        columns = surface.profiles()
        soil = {name: np.broadcast_to(part, shape).ravel() for name, part in surface.soil.items() if part is not None}
        reflectivity, warmth = layered_ground(
            columns["soil_water"], columns["soil_temperature"], surface.thickness, ice=columns["soil_ice"],
            angle=np.broadcast_to(np.asarray(value("incidence_angle"), float), shape).ravel(), **soil, **models)
        reflectivity, warmth = reflectivity.reshape(2, *shape), warmth.reshape(2, *shape)

        def above(**plants: Any) -> np.ndarray:
            warm = plants.pop("canopy_temperature")
            return brightness_above(
                reflectivity, warmth, surface.water, warm, frequency=settings["frequency"], **canopy, **plants)
    else:
        ground_of = {"ice": surface.ice, "deep_temperature": surface.deep_temperature, **surface.soil}

        def above(**plants: Any) -> np.ndarray:
            return brightness_temperature(
                surface.water, surface.temperature, effective=settings["effective_temperature"], **ground_of, **plants,
                **canopy, **models)

    seen = np.zeros(surface.shape)
    for share, area, warm in leaves:  # a radiometer adds up what patches radiate
        plants = depth
        if depth is None:
            plants = optical_depth(vegetation_water(area, value("leaf_water")), value("vegetation_b"))
        seen += share * above(optical_depth=plants, canopy_temperature=warm)[number]
    return seen * passed + upward if has_air else seen


def backscatter_columns(fields: Mapping[str, np.ndarray], scene: Any) -> np.ndarray:
    """Return the radar backscatter of each member and cell.

    Parameters
    ----------
    fields : Mapping[str, numpy.ndarray]
        As in :func:`brightness_temperature_columns`; without vegetation no leaf area is needed.
    scene
        See above. ``settings``: those of `BACKSCATTER_SETTINGS`.

    Returns
    -------
    numpy.ndarray, shape (member, cell)
        [dB].

    Raises
    ------
    InputError
        If a field or a setting is missing, unknown or impossible.
    """
    settings = _settings("backscatter", scene.settings, BACKSCATTER_SETTINGS, FLAG_SETTINGS)
    number = radar_polarisation_number(str(settings["polarisation"]).lower())
    model = _word("soil", settings["soil"], _SOILS)
    descriptor = _word("vegetation", settings["vegetation"], _VEGETATIONS)
    surface = _Surface(fields, scene)
    value = surface.parameter_getter(settings)
    angle, height, frequency = value("incidence_angle"), value("rms_height"), settings["frequency"]
    if model == "linear":
        dry, slope = value("soil_dry"), value("soil_slope")
        if dry is None or slope is None:
            raise InputError("backscatter: soil 'linear' needs the settings soil_dry [dB] and soil_slope [dB].")
        soil = linear_soil(surface.water, dry, slope)
    elif model == "oh2004":
        soil = decibel(oh_2004(surface.water, height, angle, frequency)[number])
    else:
        permittivity = soil_permittivity(
            surface.water, temperature=surface.temperature, ice=surface.ice, frequency=frequency,
            dielectric=settings["dielectric"], frozen=settings["frozen"], **surface.soil)
        soil = decibel(oh_1992(permittivity, height, angle, frequency)[number])
    volume, attenuation = value("volume"), value("attenuation")
    if volume is None and attenuation is None:
        return soil
    if volume is None or attenuation is None:
        raise InputError("backscatter: the water cloud needs both of the settings volume (A) and attenuation (B).")
    power = np.zeros(surface.shape)
    for share, area, _ in surface.leaves():  # a radar adds up what patches scatter
        vegetation = vegetation_water(area, value("leaf_water")) if descriptor == "vegetation_water" else area
        power += share * linear(water_cloud(soil, angle, vegetation, volume, attenuation))
    return decibel(power)


def surface_flags(fields: Mapping[str, np.ndarray], scene: Any) -> np.ndarray:
    """Return why a microwave observation of each member and cell should not be used.

    Parameters
    ----------
    fields : Mapping[str, numpy.ndarray]
        ``soil_temperature`` ``(layer, member, cell)`` [K] and, where there, ``soil_ice`` [m3 m-3] and ``snow_mass``
        ``(member, cell)`` [kg m-2].
    scene
        See above; ``settings`` may hold those of `FLAG_SETTINGS` and ``open_water``.

    Returns
    -------
    numpy.ndarray of int8, shape (member, cell)
        Codes of :mod:`pyland.base.observation_reasons`: frozen before snow before open water, else used.

    Raises
    ------
    InputError
        If a field is missing.
    """
    settings = {**FLAG_SETTINGS, "open_water": 0.0, **scene.settings}
    surface = _Surface(fields, scene)
    water = surface.parameter_getter(settings)("open_water")
    flags = np.full(surface.temperature.shape, USED, dtype=np.int8)
    flags[np.broadcast_to(np.asarray(water) > settings["open_water_above"], flags.shape)] = OPEN_WATER
    if "snow_mass" in fields:
        flags[np.asarray(fields["snow_mass"], float) > settings["snow_above"]] = SNOW
    flags[(surface.temperature < settings["frozen_below"]) | (surface.ice > 0.0)] = FROZEN
    return flags


class _Surface:
    """The soil that a sensor sees, and the vegetation above, of each member and cell."""

    def __init__(self, fields: Mapping[str, np.ndarray], scene: Any) -> None:
        self._fields, self._static = fields, scene.static
        self.thickness = np.asarray(scene.thickness, float)
        window = (scene.top, scene.bottom) if scene.bottom > scene.top else SURFACE_WINDOW
        self._weight = depth_weights(self.thickness, *window)
        depth = float(self.thickness.sum())
        self._deep = depth_weights(self.thickness, min(DEEP_WINDOW[0], depth), min(DEEP_WINDOW[1], depth))
        self.temperature = self._mean("soil_temperature", self._weight)
        self.shape = self.temperature.shape

    def _layers(self, name: str) -> np.ndarray:
        """Return a field of the soil (layer, member, cell); layers of the ground below the soil are left out."""
        if name not in self._fields:
            raise InputError(f"microwave operator: the field {name} is missing; got {', '.join(self._fields)}.")
        field = np.asarray(self._fields[name], float)
        if field.ndim != 3 or len(field) < len(self.thickness):
            raise InputError(
                f"microwave operator: expected {name} of shape (layer, member, cell) with at least "
                f"{len(self.thickness)} layers, got {field.shape}.")
        return field[: len(self.thickness)]

    def _mean(self, name: str, weight: np.ndarray) -> np.ndarray:
        """Return the weighted mean over the layers, (member, cell)."""
        return _over_layers(self._layers(name), weight)

    @property
    def water(self) -> np.ndarray:
        """Liquid water of the surface, (member, cell) [m3 m-3]."""
        return self._mean("soil_water", self._weight)

    @property
    def ice(self) -> np.ndarray:
        """Ice of the surface as liquid water, (member, cell) [m3 m-3]."""
        return self._mean("soil_ice", self._weight) if "soil_ice" in self._fields else np.zeros(self.shape)

    @property
    def deep_temperature(self) -> np.ndarray:
        """Temperature at `DEEP_WINDOW`, or at the base of a shallower column, (member, cell) [K]."""
        return self._mean("soil_temperature", self._deep)

    @property
    def soil(self) -> dict[str, Any]:
        """Texture and density of the surface: arguments of `soil_permittivity`, each (cell,)."""
        found = {name: self._of_cells(name) for name in ("clay", "sand", "porosity", "bulk_density")}
        if found["clay"] is None:
            raise InputError("microwave operator: the static field clay [%] is missing.")
        soil = {"clay": 0.01 * found["clay"], "porosity": found["porosity"], "bulk_density": found["bulk_density"]}
        if found["sand"] is not None:
            soil["sand"] = 0.01 * found["sand"]
        return soil

    def _of_cells(self, name: str) -> np.ndarray | None:
        """Return a static field (cell,), averaged over the surface where it has layers; None where there is none."""
        if name not in self._static:
            return None
        field = np.asarray(self._static[name], float)
        return _over_layers(field[: len(self.thickness)], self._weight) if field.ndim == 2 else field

    def leaves(self, has_area: bool = True) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Give share [1], leaf area [1] and temperature of the leaves [K] of each patch, all (member, cell).

        What is seen is not linear in the leaves: it is computed of each patch and averaged by the shares. Fields
        without patches are one. A patch without leaves, or without a known leaf temperature, has that of the soil;
        without ``has_area`` no leaf area is needed, and leaves of a known temperature are there.
        """
        area, warm = self._of_leaves("leaf_area_index"), self._of_leaves("leaf_temperature")
        if area is None and has_area:
            raise InputError(
                "microwave operator: the field leaf_area_index is missing; without vegetation set optical_depth: 0 "
                "(brightness temperature) or leave volume and attenuation out (backscatter).")
        count = max([len(one) for one in (area, warm) if one is not None and one.ndim == 3], default=1)
        shares = self._shares(count) if any(one is not None and one.ndim == 3 for one in (area, warm)) else [1.0]
        for patch, share in enumerate(shares):
            there = np.broadcast_to(np.asarray(share) > 0.0, self.shape)
            if not there.any():
                continue
            part = [one if one is None or one.ndim == 2 else one[patch] for one in (area, warm)]
            own_area = np.zeros(self.shape) if part[0] is None else np.where(there, part[0], 0.0)
            has_leaves = there & ((own_area > 0.0) | (part[0] is None))
            own_warm = self.temperature if part[1] is None else np.where(
                has_leaves & np.isfinite(part[1]), part[1], self.temperature)
            yield np.broadcast_to(share, self.shape), own_area, own_warm

    def _of_leaves(self, name: str) -> np.ndarray | None:
        return np.asarray(self._fields[name], float) if name in self._fields else None

    def _shares(self, count: int) -> np.ndarray:
        """Return the shares of the patches, (patch, cell)."""
        if "patch_fraction" not in self._static:
            raise InputError(
                f"microwave operator: leaves have {count} patches; give the static field patch_fraction (patch, cell), "
                "or the mean of the cell (member, cell).")
        shares = np.asarray(self._static["patch_fraction"], float)
        if len(shares) != count:
            raise InputError(f"microwave operator: leaves have {count} patches, patch_fraction has {len(shares)}.")
        return shares

    def air_above(self, angle: Any, frequency: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what the atmosphere lets pass [1] and sends up and down [K], each (member, cell)."""
        if "air_temperature" not in self._fields or "elevation" not in self._static:
            raise InputError(
                "microwave operator: atmosphere needs the field air_temperature (member, cell) [K] and the static "
                "field elevation (cell,) [m].")
        return atmosphere(
            self._static["elevation"], self._fields["air_temperature"], angle, frequency=frequency)

    def parameter_getter(self, settings: Mapping[str, Any]) -> Any:
        """Return a function that gives a setting, or the static field of that name where there is one."""

        def value(name: str) -> Any:
            field = None if name in _WORDS else self._of_cells(name)
            return settings[name] if field is None else field

        return value

    def profiles(self) -> dict[str, np.ndarray]:
        """Return water, ice and temperature of all layers, (layer, column) with members and cells as columns."""
        found = {name: self._layers(name) for name in ("soil_water", "soil_temperature")}
        has_ice = "soil_ice" in self._fields
        found["soil_ice"] = self._layers("soil_ice") if has_ice else np.zeros_like(found["soil_water"])
        return {name: field.reshape(len(field), -1) for name, field in found.items()}


def _over_layers(field: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the sum over the layers in their order, so that it does not depend on the number of columns."""
    result = np.zeros(field.shape[1:])
    for layer, share in enumerate(weight):
        if share > 0.0:
            result += share * field[layer]
    return result


def _settings(
    what: str, given: Mapping[str, Any], known: Mapping[str, Any], others: Mapping[str, Any]
) -> dict[str, Any]:
    """Return settings with their defaults; those of ``others`` may be there for another function."""
    unknown = sorted(set(given) - set(known) - set(others))
    if unknown:
        raise InputError(f"{what}: unknown settings {', '.join(unknown)}; there are {', '.join([*known, *others])}.")
    return {**known, **{name: value for name, value in given.items() if name in known}}


def _word(what: str, word: str, words: tuple[str, ...]) -> str:
    """Return a word that is one of ``words``."""
    if word not in words:
        raise InputError(f"microwave operator: {what} must be one of {', '.join(words)}, got {word!r}.")
    return word


__all__ = [
    "BACKSCATTER_SETTINGS",
    "EMISSION_SETTINGS",
    "FLAG_SETTINGS",
    "backscatter_columns",
    "brightness_temperature_columns",
    "surface_flags",
]
