"""The observation operator ``crns``: fields of a model in, counts of a cosmic-ray probe over each column out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.neutrons.cosmic import COUNTED_DEPTH, Neutrons, cosmic, over_layers
from pyland.observe.neutrons.hydrogen import lattice_water, mineral_density, organic_share_water, water_above

FIELDS = ("soil_water", "soil_ice", "snow_mass", "canopy_water", "canopy_snow", "patch_fraction", "surface_water")
"""Registry ids of the fields that the operator takes; all but the first may be absent and count as none."""

STATIC = ("bulk_density", "clay", "organic")
"""Fields of the ground that it takes where settings do not say more."""

SETTINGS = MappingProxyType({
    "n": "N of COSMIC, found by calibration [unit of the counts]",
    "alpha": "neutrons made by soil relative to water [1]; from bulk density by default",
    "soil_length": "L3 [kg m-2]; from bulk density by default",
    "relation": "shuttleworth2013 or mhm: alpha and L3 from bulk density",
    "bulk_density": "dry bulk density [kg m-3]; that of the ground or, of its porosity, that of minerals by default",
    "lattice_water": "[m3 m-3]; from clay by default",
    "lattice_relation": "mhm or avery2016: lattice water from clay",
    "organic_water": "hydrogen of organic matter as water [m3 m-3]; from the organic share of the ground by default",
    "biomass_water": "water equivalent of plants [kg m-2]; 0 by default",
    "extent": "depth to which neutrons are counted [m]; 3 by default",
    "angles": "exact or half_degree: sum over the ways up",
})
"""Keys of the ``operator`` section of an entry of type crns, and what they mean."""


class Scene(Protocol):
    """What the driver says of the ground: thickness (layer,) [m], settings and static fields by name."""

    thickness: np.ndarray
    settings: Mapping[str, Any]
    static: Mapping[str, np.ndarray]


def crns_neutrons(fields: Mapping[str, np.ndarray], scene: Scene) -> Neutrons:
    """Return what COSMIC says of the columns of a model; see `crns_columns`."""
    settings = scene.settings
    unknown = [name for name in settings if name not in SETTINGS]
    if unknown:
        raise InputError(f"operator of crns: unknown setting '{unknown[0]}'; available: {', '.join(SETTINGS)}.")
    if settings.get("n") is None:
        raise InputError("operator of crns: 'n' is missing, N of COSMIC for the probe. Find it by calibration "
                         "(docs/guide/crns.md); corrected counts over N do not depend on the probe.")
    if "soil_water" not in fields:
        raise InputError("operator of crns: the field 'soil_water' is missing.")
    soil = np.asarray(fields["soil_water"], float)
    if "soil_ice" in fields:
        soil = soil + np.asarray(fields["soil_ice"], float)
    density = _density(scene, soil.shape)
    above = water_above(
        snow=fields.get("snow_mass", 0.0), canopy=_on_leaves(fields), ponded=fields.get("surface_water", 0.0),
        biomass=settings.get("biomass_water", 0.0))
    options = {name: settings[name] for name in ("alpha", "soil_length", "relation", "angles") if name in settings}
    return cosmic(
        soil, over_layers("thickness", scene.thickness, soil.shape), density, n=settings["n"],
        lattice_water=_lattice(scene, density), organic_water=_organic(scene, soil.shape), water_above=above,
        extent=settings.get("extent", COUNTED_DEPTH), **options)


def crns_columns(fields: Mapping[str, np.ndarray], scene: Scene) -> np.ndarray:
    """Return the counts that a probe would give over each column.

    Parameters
    ----------
    fields : mapping of str to ndarray
        ``soil_water``, and where the model has them ``soil_ice`` [m3 m-3], (layer, member, cell), ``snow_mass``,
        ``canopy_water``, ``canopy_snow`` and ``surface_water`` [kg m-2], (member, cell); with ``patch_fraction`` [1]
        what lies on leaves is that of patches, (patch, member, cell).
    scene : Scene
        Thickness of the layers (layer,) [m]; settings by the names of `SETTINGS`; static fields ``bulk_density``
        [kg m-3] or ``porosity`` [m3 m-3], ``clay`` [%] and ``organic`` [1], (layer, cell), (cell,) or a number.

    Returns
    -------
    ndarray, shape (member, cell)
        Counts [unit of ``n``], to compare with counts corrected for pressure, humidity and incoming flux.

    Raises
    ------
    InputError
        If a setting is unknown or missing, or a value is outside its physical bounds.
    """
    return crns_neutrons(fields, scene).counts


def _on_leaves(fields: Mapping[str, np.ndarray]) -> np.ndarray | float:
    """Return rain and snow on leaves, mean over the patches [kg m-2]."""
    total = np.asarray(fields.get("canopy_water", 0.0)) + fields.get("canopy_snow", 0.0)
    return (fields["patch_fraction"] * total).sum(axis=0) if "patch_fraction" in fields else total


def _density(scene: Scene, shape: tuple[int, ...]) -> np.ndarray:
    given = scene.settings.get("bulk_density")
    if given is not None:
        return over_layers("bulk_density", given, shape)
    if "bulk_density" in scene.static:
        return _static("bulk_density", scene.static["bulk_density"], shape)
    if "porosity" in scene.static:
        return mineral_density(_static("porosity", scene.static["porosity"], shape))
    raise InputError("operator of crns: the bulk density of the ground is not known. Give 'bulk_density' [kg m-3].")


def _lattice(scene: Scene, density: np.ndarray) -> np.ndarray:
    given = scene.settings.get("lattice_water")
    if given is not None:
        return over_layers("lattice_water", given, density.shape)
    if "clay" not in scene.static:
        raise InputError("operator of crns: the clay of the ground is not known. Give 'lattice_water' [m3 m-3].")
    clay = _static("clay", scene.static["clay"], density.shape)
    return lattice_water(clay, density, scene.settings.get("lattice_relation", "mhm"))


def _organic(scene: Scene, shape: tuple[int, ...]) -> np.ndarray:
    given = scene.settings.get("organic_water")
    if given is not None:
        return over_layers("organic_water", given, shape)
    if "organic" not in scene.static:
        return np.zeros(())
    return organic_share_water(_static("organic", scene.static["organic"], shape))


def _static(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a field of the ground, (layer, cell), (cell,) or a number, over layers, members and cells."""
    values = np.asarray(values, float)
    if values.ndim == 2:
        values = values[:, np.newaxis, :]
    elif values.ndim == 1:
        values = values[np.newaxis, np.newaxis, :]
    return over_layers(name, values, shape)


__all__ = ["FIELDS", "SETTINGS", "STATIC", "crns_columns", "crns_neutrons"]
