"""ParFlow run definitions that several test files build: a box of soil, as ParFlow's tools would write it."""

from __future__ import annotations

from pathlib import Path

SIDES = ("x_lower", "x_upper", "y_lower", "y_upper", "z_lower", "z_upper")
"""Patches of the box."""


def box(cells=(4, 3, 5), spacing=(10.0, 20.0, 0.5), **changes) -> dict:
    """Return the keys of a closed box with one soil and a water table 1.25 below the surface, 2 steps of 1.

    Keys of `changes` have ``__`` for a point; None takes a key away.
    """
    keys = {"FileVersion": 4, "Process.Topology.P": 1, "Process.Topology.Q": 1, "Process.Topology.R": 1}
    for number, axis in enumerate("XYZ"):
        keys[f"ComputationalGrid.Lower.{axis}"] = 0.0
        keys[f"ComputationalGrid.N{axis}"] = cells[number]
        keys[f"ComputationalGrid.D{axis}"] = spacing[number]
        keys[f"Geom.domain.Lower.{axis}"] = 0.0
        keys[f"Geom.domain.Upper.{axis}"] = cells[number] * spacing[number]
    keys |= {
        "GeomInput.Names": "box_input",
        "GeomInput.box_input.InputType": "Box",
        "GeomInput.box_input.GeomName": "domain",
        "Geom.domain.Patches": " ".join(SIDES),
        "Domain.GeomName": "domain",
        "Geom.Perm.Names": "domain",
        "Geom.domain.Perm.Type": "Constant",
        "Geom.domain.Perm.Value": 0.036,
        "Perm.TensorType": "TensorByGeom",
        "Geom.Perm.TensorByGeom.Names": "domain",
        "Geom.domain.Perm.TensorValX": 1.0,
        "Geom.domain.Perm.TensorValY": 1.0,
        "Geom.domain.Perm.TensorValZ": 1.0,
        "SpecificStorage.Type": "Constant",
        "SpecificStorage.GeomNames": "domain",
        "Geom.domain.SpecificStorage.Value": 1e-4,
        "Phase.Names": "water",
        "Phase.water.Density.Type": "Constant",
        "Phase.water.Density.Value": 1.0,
        "Phase.water.Viscosity.Type": "Constant",
        "Phase.water.Viscosity.Value": 1.0,
        "Gravity": 1.0,
        "Geom.Porosity.GeomNames": "domain",
        "Geom.domain.Porosity.Type": "Constant",
        "Geom.domain.Porosity.Value": 0.4,
        "Phase.Saturation.Type": "VanGenuchten",
        "Phase.Saturation.GeomNames": "domain",
        "Geom.domain.Saturation.Alpha": 2.0,
        "Geom.domain.Saturation.N": 1.8,
        "Geom.domain.Saturation.SRes": 0.1,
        "Geom.domain.Saturation.SSat": 1.0,
        "Phase.RelPerm.Type": "VanGenuchten",
        "Phase.RelPerm.GeomNames": "domain",
        "Geom.domain.RelPerm.Alpha": 2.0,
        "Geom.domain.RelPerm.N": 1.8,
        "TimingInfo.BaseUnit": 1.0,
        "TimingInfo.StartCount": 0,
        "TimingInfo.StartTime": 0.0,
        "TimingInfo.StopTime": 2.0,
        "TimingInfo.DumpInterval": 1.0,
        "TimeStep.Type": "Constant",
        "TimeStep.Value": 1.0,
        "Cycle.Names": "constant",
        "Cycle.constant.Names": "alltime",
        "Cycle.constant.alltime.Length": 1,
        "Cycle.constant.Repeat": -1,
        "ICPressure.Type": "HydroStaticPatch",
        "ICPressure.GeomNames": "domain",
        "Geom.domain.ICPressure.Value": -1.25,
        "Geom.domain.ICPressure.RefGeom": "domain",
        "Geom.domain.ICPressure.RefPatch": "z_upper",
        "PhaseSources.water.Type": "Constant",
        "PhaseSources.water.GeomNames": "domain",
        "PhaseSources.water.Geom.domain.Value": 0.0,
        "Wells.Names": "",
        "Solver": "Richards",
        "Solver.Nonlinear.ResidualTol": 1e-9,
        "BCPressure.PatchNames": " ".join(SIDES),
    }
    for patch in SIDES:
        keys |= closed(patch)
    for name, value in changes.items():
        keys[name.replace("__", ".")] = value
    return {name: value for name, value in keys.items() if value is not None}


def closed(patch: str) -> dict:
    """Return the keys of a wall."""
    return {
        f"Patch.{patch}.BCPressure.Type": "FluxConst",
        f"Patch.{patch}.BCPressure.Cycle": "constant",
        f"Patch.{patch}.BCPressure.alltime.Value": 0.0,
    }


def storm(kind: str, rate: float, length: int, rest: int) -> dict:
    """Return the keys of rain on the surface for some base units, then none for others, over and over."""
    at = "Patch.z_upper.BCPressure"
    return {
        "Cycle.Names": "constant rainrec",
        "Cycle.rainrec.Names": "rain rec",
        "Cycle.rainrec.rain.Length": length,
        "Cycle.rainrec.rec.Length": rest,
        "Cycle.rainrec.Repeat": -1,
        f"{at}.Type": kind,
        f"{at}.Cycle": "rainrec",
        f"{at}.alltime.Value": None,
        f"{at}.rain.Value": -rate,
        f"{at}.rec.Value": 0.0,
        "Mannings.Type": "Constant",
        "Mannings.GeomNames": "domain",
        "Mannings.Geom.domain.Value": 5e-6,
    }


def nested(keys: dict) -> dict:
    """Return keys as a tree, as ParFlow's tools write YAML: a key with keys below it has its value in ``_value_``."""
    tree: dict = {}
    for name, value in sorted(keys.items()):  # a key comes before those below it
        *above, last = name.split(".")
        place = tree
        for part in above:
            if not isinstance(place.get(part, {}), dict):
                place[part] = {"_value_": place[part]}
            place = place.setdefault(part, {})
        place[last] = value
    return tree


def write_pfidb(path: Path, keys: dict) -> Path:
    """Write a key database as ParFlow has it: how many keys, then the length and the text of each and of its value."""
    items = [(name, str(value)) for name, value in keys.items() if value is not None]
    lines = [str(len(items))]
    for name, value in items:
        lines += [str(len(name)), name, str(len(value)), value]
    path.write_text("\n".join(lines) + "\n")
    return path
