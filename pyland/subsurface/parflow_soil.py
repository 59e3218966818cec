"""Soil, terrain and initial pressure of a ParFlow run, in SI units and from the top down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.base.units import convert
from pyland.subsurface.parflow_geometry import Elevation, RunGeometry
from pyland.subsurface.parflow_keys import RunKeys

_STORAGE_OF_WATER = 1e-6
"""Specific storage of rigid soil: compressibility of the water in its pores alone [m-1]."""


@dataclass(frozen=True)
class RunUnits:
    """Units of a definition: ParFlow has none, only lengths and times that fit together.

    Attributes
    ----------
    length : float
        Unit of length [m].
    time : float
        Unit of time [s].
    viscosity : float
        Viscosity of the definition, relative to density times gravity [1]: permeability over it is conductivity.
    density : float
        Density of the definition: fluxes are multiplied by it.
    """

    length: float
    time: float
    viscosity: float
    density: float

    @property
    def speed(self) -> float:
        """Unit of conductivity and of fluxes [m s-1]."""
        return self.length / self.time


def read_units(keys: RunKeys, length: str, time: str) -> RunUnits:
    """Read phase, gravity, density and viscosity.

    Parameters
    ----------
    keys : RunKeys
        The definition.
    length, time : str
        Units of the definition, as ``m`` and ``h``.

    Returns
    -------
    RunUnits
        Factors to SI.

    Raises
    ------
    InputError
        If there is more than one phase, or pressure is no pressure head.
    """
    phases = keys.names("Phase.Names")
    if len(phases) != 1:
        raise InputError(f"{keys.source}: Phase.Names: pyland has one phase, water; got {phases or 'none'}.")
    phase = phases[0]
    for what in ("Density", "Viscosity"):
        if keys.get(f"Phase.{phase}.{what}.Type", "Constant") != "Constant":
            raise keys.wrong(f"Phase.{phase}.{what}.Type", "Constant, as pyland's water has it")
    gravity = keys.number("Gravity")
    density = keys.number(f"Phase.{phase}.Density.Value")
    viscosity = keys.number(f"Phase.{phase}.Viscosity.Value")
    if not np.isclose(gravity * density, 1.0) or viscosity <= 0.0:
        raise InputError(
            f"{keys.source}: Gravity times Phase.{phase}.Density.Value must be 1, so that pressure is pressure head, "
            f"and the viscosity positive, so that permeability over viscosity is hydraulic conductivity; got gravity "
            f"{gravity:g}, density {density:g}, viscosity {viscosity:g}. Divide pressures by density times gravity, "
            "multiply permeability by it, and set both to 1."
        )
    metres = float(convert(1.0, length, "m", "length"))
    return RunUnits(metres, float(convert(1.0, time, "s", "time")), viscosity, density)


def reduced(field: np.ndarray, active: np.ndarray | None, what: str) -> float | np.ndarray:
    """Return a field as a number or one value per layer where that says the same.

    Parameters
    ----------
    field : numpy.ndarray, shape (layer, y, x) or (y, x)
        Values; NaN in cells that no geometry covers.
    active : numpy.ndarray of bool or None, shape (layer, y, x)
        Cells that exist.
    what : str
        Key and file, for messages.

    Returns
    -------
    float or numpy.ndarray
        A number, ``(layer,)``, or the field, with a valid value in cells that do not exist.

    Raises
    ------
    InputError
        If a cell that exists has no value.
    """
    if active is not None and field.ndim == 2:
        active = active.any(axis=0)
    exists = np.ones(field.shape, bool) if active is None else active
    missing = exists & ~np.isfinite(field)
    if missing.any():
        where = ", ".join(
            f"{name} {index}"
            for name, index in zip(("layer", "y", "x")[-field.ndim :], np.argwhere(missing)[0], strict=True)
        )
        raise InputError(
            f"{what}: {missing.sum()} of {exists.sum()} cells have no value, the first at {where} (layers from the "
            "top); the geometries must cover the domain."
        )
    valid = field[exists]
    if (valid == valid[0]).all():
        return float(valid[0])
    filled = np.where(exists, field, valid[0])
    if field.ndim == 3 and active is None and (filled == filled[:, :1, :1]).all():
        return filled[:, 0, 0].copy()
    return filled


class SoilReader:
    """Reads what lies in the cells of a run.

    Parameters
    ----------
    keys : RunKeys
        The definition.
    geometry : RunGeometry
        Its regions.
    units : RunUnits
        Its units.
    active : numpy.ndarray of bool or None
        Cells that exist.
    """

    def __init__(self, keys: RunKeys, geometry: RunGeometry, units: RunUnits, active: np.ndarray | None) -> None:
        self.keys = keys
        self.geometry = geometry
        self.units = units
        self.active = active

    def soil(self) -> dict[str, float | np.ndarray]:
        """Return the soil parameters of :class:`pyland.subsurface.DistributedSubsurface`.

        ParFlow's saturation runs from SRes to SSat of the porosity. pyland's largest water content is SSat times the
        porosity; its saturation is relative to that, and so is specific storage.
        """
        porosity = self._by_type("Geom.Porosity.GeomNames", "Porosity")
        storage = self._positive(self._specific_storage()) / self.units.length
        curve = self._van_genuchten("Saturation", ("Alpha", "N", "SRes", "SSat"))
        self._same_curve(curve)
        full = curve["SSat"]
        fields = {
            "porosity": porosity * full,
            "residual_water": porosity * curve["SRes"],
            "van_genuchten_alpha": curve["Alpha"] / self.units.length,
            "van_genuchten_n": curve["N"],
            "specific_storage": storage * full,
            **self._conductivity(),
        }
        if (full[np.isfinite(full)] != 1.0).any():
            self.keys.note(
                "Saturation.SSat is not 1: pyland's porosity is ParFlow's times SSat, its saturation 1 there."
            )
        return {name: reduced(field, self.active, f"{self.keys.source}: {name}") for name, field in fields.items()}

    def _by_type(self, names_key: str, prop: str) -> np.ndarray:
        """Read a property with a type per geometry: Constant or PFBFile."""
        names = self.keys.names(names_key)
        return self.geometry.overlay(names, [self._value(name, prop) for name in names], names_key)

    def _value(self, name: str, prop: str) -> float | np.ndarray:
        kind = self.keys.choice(f"Geom.{name}.{prop}.Type", ("Constant", "PFBFile"))
        if kind == "PFBFile":
            return self.geometry.field_file(f"Geom.{name}.{prop}.FileName")
        return self.keys.number(f"Geom.{name}.{prop}.Value")

    def _conductivity(self) -> dict[str, np.ndarray]:
        """Return the vertical conductivity, and the lateral ones where they differ [m s-1]."""
        keys = self.keys
        names = keys.names("Geom.Perm.Names")
        values = []
        for name in names:
            key = f"Geom.{name}.Perm.Type"
            if keys.get(key) in ("TurnBands", "ParGauss"):
                keys.refuse(
                    key,
                    "pyland draws no random permeability; write ParFlow's field as PFB (without that: its GeomMean)",
                )
                values.append(keys.number(f"Geom.{name}.Perm.GeomMean"))
            else:
                values.append(self._value(name, "Perm"))
        if str(keys.get("Perm.Conditioning.FileName", "NA")) not in ("NA", ""):
            keys.refuse("Perm.Conditioning.FileName", "pyland does not condition permeability on measurements")
        scalar = self.geometry.overlay(names, values, "Geom.Perm.Names") * self.units.speed / self.units.viscosity
        x, y, z = (self._tensor(axis) for axis in "XYZ")
        found = {"saturated_conductivity": scalar * z}
        for axis, factor in (("x", x), ("y", y)):
            known = np.isfinite(factor) & np.isfinite(z)
            if (factor[known] != z[known]).any():
                found[f"saturated_conductivity_{axis}"] = scalar * factor
        return found

    def _tensor(self, axis: str) -> np.ndarray:
        keys = self.keys
        names = keys.names("Geom.Perm.TensorByGeom.Names")
        if not keys.has("Perm.TensorType"):
            return np.ones(self.geometry.grid.shape)
        if keys.choice("Perm.TensorType", ("TensorByGeom", "TensorByFile")) == "TensorByFile":
            return self.geometry.field_file(f"Geom.{(names or ['domain'])[0]}.Perm.TensorFile{axis}")
        values = [keys.number(f"Geom.{name}.Perm.TensorVal{axis}") for name in names]
        return self.geometry.overlay(names, values, "Geom.Perm.TensorByGeom.Names")

    def _specific_storage(self) -> np.ndarray:
        keys = self.keys
        if keys.choice("SpecificStorage.Type", ("Constant", "PFBFile")) == "PFBFile":
            return self.geometry.field_file("SpecificStorage.FileName", "Geom.domain.SpecificStorage.FileName")
        names = keys.names("SpecificStorage.GeomNames")
        if not names:
            return np.zeros(self.geometry.grid.shape)  # what ParFlow starts from
        values = [keys.number(f"Geom.{name}.SpecificStorage.Value") for name in names]
        return self.geometry.overlay(names, values, "SpecificStorage.GeomNames")

    def _positive(self, storage: np.ndarray) -> np.ndarray:
        """Refuse a specific storage of zero: without it pressure below a water table has no equation of its own."""
        if not (storage[np.isfinite(storage)] <= 0.0).any():
            return storage
        self.keys.refuse(
            "SpecificStorage.GeomNames",
            f"pyland needs a positive specific storage (without that: {_STORAGE_OF_WATER:g} per metre where it is 0)",
        )
        return np.where(storage <= 0.0, _STORAGE_OF_WATER * self.units.length, storage)

    def _van_genuchten(self, curve: str, parameters: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Read the parameters of ``Phase.Saturation`` or ``Phase.RelPerm``."""
        keys = self.keys
        keys.choice(f"Phase.{curve}.Type", ("VanGenuchten",))
        names_key = f"Phase.{curve}.GeomNames"
        names = keys.names(names_key)
        from_file = keys.integer(f"Phase.{curve}.VanGenuchten.File", 0) == 1
        found = {}
        for parameter in parameters:
            if from_file:
                name = (names or ["domain"])[0]
                found[parameter] = self.geometry.field_file(f"Geom.{name}.{curve}.{parameter}.Filename")
            else:
                values = [keys.number(f"Geom.{name}.{curve}.{parameter}") for name in names]
                found[parameter] = self.geometry.overlay(names, values, names_key)
        return found

    def _same_curve(self, curve: dict[str, np.ndarray]) -> None:
        """Refuse a relative permeability with parameters of its own."""
        relative = self._van_genuchten("RelPerm", ("Alpha", "N"))
        for parameter, field in relative.items():
            known = np.isfinite(field) & np.isfinite(curve[parameter])
            known &= True if self.active is None else self.active
            if (field[known] != curve[parameter][known]).any():
                self.keys.refuse(
                    "Phase.RelPerm.Type",
                    f"the {parameter} of Phase.RelPerm differs from that of Phase.Saturation; pyland has one van "
                    "Genuchten curve for water and conductivity (without that: the one of Phase.Saturation)",
                )
                return

    def terrain(self) -> dict[str, float | np.ndarray]:
        """Return slopes, roughness and whether slopes act below ground."""
        keys = self.keys
        seconds_per_cube_root = self.units.time / np.cbrt(self.units.length)
        found = {
            "slope_x": self._surface("TopoSlopesX", 0.0),
            "slope_y": self._surface("TopoSlopesY", 0.0),
            "terrain_following": keys.flag("Solver.TerrainFollowingGrid"),
        }
        if keys.has("Mannings.Type"):
            found["manning"] = self._surface("Mannings", None) * seconds_per_cube_root
        kind = str(keys.get("Solver.TerrainFollowingGrid.SlopeUpwindFormulation", "Original"))
        if kind != "Original":
            keys.refuse(
                "Solver.TerrainFollowingGrid.SlopeUpwindFormulation",
                "below ground pyland has the original form of Maxwell (2013) (without that: this one)",
            )
        return found

    def _surface(self, what: str, default: float | None) -> float | np.ndarray:
        """Read a map: Constant by geometry, or PFBFile."""
        keys = self.keys
        if default is not None and not keys.has(f"{what}.Type"):
            return default
        if keys.choice(f"{what}.Type", ("Constant", "PFBFile")) == "PFBFile":
            field = self.geometry.field_file(f"{what}.FileName", layers=1)[0]
        else:
            field = np.zeros(self.geometry.grid.shape[1:])  # ParFlow starts from zero too
            for name in keys.names(f"{what}.GeomNames"):
                field[self.geometry.mask(name).any(axis=0)] = keys.number(f"{what}.Geom.{name}.Value")
        return reduced(field, self.active, f"{keys.source}: {what}")

    def barriers(self) -> dict[str, np.ndarray]:
        """Return the factors on the conductance of faces.

        ParFlow's value of a cell belongs to the face above it, pyland's to the face below: vertical ones move by one.
        """
        found = {}
        for axis in "xyz":
            if not self.keys.flag(f"Solver.Nonlinear.FlowBarrier{axis.upper()}"):
                continue
            self.keys.choice(f"FB{axis}.Type", ("PFBFile",))
            field = self.geometry.field_file(f"Geom.domain.FB{axis}.FileName", f"FB{axis}.FileName")
            if axis == "z":
                field = np.concatenate([field[1:], np.ones_like(field[:1])])
            found[f"barrier_{axis}"] = field
        return found

    def pressure_head(self, elevation: Elevation) -> float | np.ndarray:
        """Return the initial pressure head [m]."""
        keys, geometry = self.keys, self.geometry
        kind = keys.choice("ICPressure.Type", ("Constant", "HydroStaticDepth", "HydroStaticPatch", "PFBFile"))
        names = keys.names("ICPressure.GeomNames")
        height = elevation.centre[:, None, None]
        values = []
        for name in names:
            if kind == "PFBFile":
                values.append(geometry.field_file(f"Geom.{name}.ICPressure.FileName"))
                continue
            value = keys.number(f"Geom.{name}.ICPressure.Value")
            if kind == "HydroStaticDepth":
                value = value - (height - keys.number(f"Geom.{name}.ICPressure.RefElevation"))
            elif kind == "HydroStaticPatch":
                solid = str(keys.need(f"Geom.{name}.ICPressure.RefGeom"))
                patch = str(keys.need(f"Geom.{name}.ICPressure.RefPatch"))
                value = value - (height - geometry.reference(solid, patch, elevation))
            values.append(value)
        if kind == "HydroStaticPatch" and sum(geometry.mask(name).astype(int) for name in names).max() > 1:
            keys.note(
                "ICPressure: regions with hydrostatic pressure overlap; pyland takes the later one there. ParFlow's "
                "iteration swings between them and stops after ten turns."
            )
        field = geometry.overlay(names, values, "ICPressure.GeomNames") * self.units.length
        return reduced(field, self.active, f"{keys.source}: ICPressure")
