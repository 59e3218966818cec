"""Small cases and the comparison of their run directories."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import yaml

TWIN: dict[str, Any] = {
    "case": {"name": "small_twin", "description": "small twin experiment"},
    "time": {"start": "2020-05-01", "end": "2020-05-03", "step": "60 min"},
    "domain": {
        "type": "grid", "latitude": 43.3, "longitude": 3.0, "nx": 3, "ny": 2, "dx": "1 km", "dy": "1 km",
        "elevation": {"generate": {"base": 300, "relief": 250, "seed": 11}},
        "layers": [0.02, 0.03, 0.05, 0.1, 0.3, 0.5], "bedrock_layers": 3,
    },
    "surface": {
        "vegetation": {"patches": [{"type": "c3_grass", "fraction": 0.6, "leaf_area_index": 1.5}]},
        "soil": {"texture": {"generate": {"sand": 45, "clay": 20, "spread": 10, "length": "2 km", "seed": 5}},
                 "pedotransfer": "cosby"},
    },
    "forcing": {"format": "generator", "generator": {"climate": "temperate", "seed": 3}},
    "subsurface": {"initial": {"saturation": 0.6}},
    "ensemble": {
        "size": 4, "seed": 5,
        "perturb": {
            "forcing": {"precipitation": {"std": 0.5}, "shortwave": {"std": 0.3}, "longwave": {"std": 20},
                        "temperature": {"std": 1}, "time_scale": "24 h", "length_scale": "2 km"},
            "parameters": {
                "saturated_conductivity": {"kind": "multiply_lognormal", "std": 0.5, "length_scale": "2 km"}},
            "initial": {"soil_water": {"kind": "add_normal", "std": 0.03, "length_scale": "2 km"}},
        },
    },
    "observations": [
        {"name": "satellite", "type": "soil_moisture", "depth": [0, "5 cm"], "error": 0.02, "every": "12 h",
         "twin": {"seed": 77, "coverage": 0.9}},
    ],
    "assimilation": {"filter": "letkf", "update": ["soil_water"],
                     "localization": {"radius": "3 km", "taper": "gaspari_cohn"}, "open_loop": True},
    "output": {"every": "12 h", "restart_every": "10 h", "members": ["soil_water", "latent_heat_flux"]},
}
"""A twin experiment of seconds: 6 cells, 4 members, 2 days; restarts fall between output records."""

FLOW: dict[str, Any] = {
    "case": {"name": "small_hill", "description": "a hill of the distributed subsurface"},
    "time": {"end": "2020-01-01T08:00", "step": "20 min"},
    "domain": {"type": "grid", "nx": 6, "ny": 4, "dx": "20 m", "dy": "30 m", "layers": [0.05, 0.15, 0.3, 0.5],
               "slopes": {"x": -0.05, "y": 0.02}},
    "surface": {"soil": {"parameters": {
        "porosity": 0.4, "residual_water": 0.08, "van_genuchten_alpha": 2.0, "van_genuchten_n": 2.0,
        "saturated_conductivity": 1e-5}}},
    "forcing": {"format": "schedule", "rain": [{"until": "3 h", "rate": "20 mm/h"}]},
    "land": {"model": "none"},
    "subsurface": {
        "mode": "distributed", "overland": "kinematic", "manning": 0.05, "initial": {"water_table_depth": 0.3},
        "boundaries": {"east": {"kind": "hydrostatic", "series": [{"until": "3 h", "value": 0.3}, {"value": 0.6}]}},
        "outlets": [{"name": "south east", "x": 50, "y": -45, "radius": 31}],
    },
    "output": {"every": "2 h", "restart_every": "3 h"},
}
"""A storm on a slope that ponds, with a stream that falls beside it: 24 columns, 8 hours."""

COUPLED = {
    "case": {"name": "land over a hill"},
    "time": {"start": "2020-03-10", "end": "2020-03-12", "step": "1 h"},
    "domain": {"type": "grid", "latitude": 51, "longitude": 8, "nx": 5, "ny": 4, "dx": 100, "dy": 100,
               "layers": [0.1, 0.2, 0.3, 0.4, 1.0], "slopes": {"x": -0.03, "y": 0.01}, "bedrock_layers": 3},
    "surface": {"soil": {"texture": {"sand": 35, "clay": 20}},
                "vegetation": {"patches": [{"type": "c3_grass", "fraction": 0.7}]}},
    "forcing": {"generator": {"climate": "cold", "seed": 7}},
    "land": {"soil_layers": [0.05, 0.1, 0.15, 0.3], "initial": {"soil_temperature": 273.6}},
    "subsurface": {"mode": "distributed", "overland": "kinematic", "initial": {"water_table_depth": 0.4},
                   "outlets": [{"name": "corner", "x": 200, "y": -150, "radius": 80}]},
    "ensemble": {"size": 3, "perturb": {
        "forcing": {"precipitation": {"std": 0.4}, "temperature": {"std": 1.0}},
        "initial": {"pressure_head": {"kind": "add_normal", "std": 0.1, "length_scale": 300},
                    "soil_temperature": {"kind": "add_normal", "std": 0.5}}}},
    "output": {"every": "6 h", "restart_every": "20 h", "members": ["water_table_depth"]},
}
"""Two days of snow and frost over a hill of 20 columns whose layers the land does not share, three members."""

RESULTS = ("domain.nc", "truth.nc", "observations.nc", "history.nc", "members.nc", "balance.nc", "analysis.nc",
           "smoothed.nc", "discharge.nc", "open_loop/history.nc", "open_loop/members.nc", "open_loop/balance.nc",
           "open_loop/discharge.nc")
"""Files of a finished twin run."""


def changed(case: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with values replaced by dotted path; None removes a key."""
    result = copy.deepcopy(dict(case))
    for path, value in changes.items():
        *folders, last = path.split(".")
        place = result
        for folder in folders:
            place = place[int(folder)] if isinstance(place, list) else place.setdefault(folder, {})
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    return result


def write_case(folder: Path, case: Mapping[str, Any] = TWIN, **changes: Any) -> Path:
    """Write ``case.yaml`` with some values changed (``a__b=1`` sets a.b) and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    result = changed(case, {path.replace("__", "."): value for path, value in changes.items()})
    (folder / "case.yaml").write_text(yaml.safe_dump(result, sort_keys=False))
    return folder


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return all variables of a netCDF file, bit for bit."""
    with netCDF4.Dataset(path) as data:
        data.set_auto_maskandscale(False)
        return {name: np.array(variable[...]) for name, variable in data.variables.items()}


def differences(one: Path, other: Path) -> list[str]:
    """Name the variables that are not bit-identical in two netCDF files."""
    left, right = arrays(one), arrays(other)
    out = [f"{one.name}: variables {sorted(left.keys() ^ right.keys())}"] if left.keys() != right.keys() else []
    for name in left.keys() & right.keys():
        same = (np.array_equal(left[name], right[name]) if left[name].dtype.kind in "OUS"
                else left[name].shape == right[name].shape and left[name].tobytes() == right[name].tobytes())
        if not same:
            out.append(f"{one.name}: {name}")
    return out


def assert_same_run(one: Path, other: Path, restarts: bool = True) -> None:
    """Compare all results of two finished runs bit for bit, and their scores but for times."""
    found = [line for name in RESULTS if (one / name).exists() or (other / name).exists()
             for line in differences(one / name, other / name)]
    if restarts:
        for folder in ("restart", "open_loop/restart"):
            names = [sorted(path.name for path in (run / folder).glob("*.nc")) for run in (one, other)]
            if names[0][-1:] != names[1][-1:]:
                found.append(f"{folder}: {names}")
                continue
            if names[0]:
                found += differences(one / folder / names[0][-1], other / folder / names[0][-1])
    scores = [json.loads((run / "scores.json").read_text()) for run in (one, other)]
    for score in scores:
        score.pop("timing")
    if scores[0] != scores[1]:
        found.append(f"scores: {scores[0]} against {scores[1]}")
    assert not found, "\n".join(found)
