"""A small twin experiment of land over the distributed subsurface, with wells and probes."""

from __future__ import annotations

from typing import Any

HILLSLOPE: dict[str, Any] = {
    "case": {"name": "small_hillslope", "description": "wells and probes on a slope"},
    "time": {"start": "2020-05-01", "end": "2020-05-02T12:00", "step": "60 min"},
    "domain": {
        "type": "grid", "latitude": 50.9, "longitude": 6.4, "nx": 4, "ny": 3, "dx": "40 m", "dy": "40 m",
        "slopes": {"x": -0.05, "y": 0.02}, "layers": [0.05, 0.15, 0.3, 0.5, 1.0], "bedrock_layers": 2,
    },
    "surface": {
        "vegetation": {"patches": [{"type": "c3_grass", "fraction": 0.8, "leaf_area_index": 2.0}]},
        "soil": {"parameters": {
            "porosity": 0.42, "residual_water": 0.05, "van_genuchten_alpha": 2.0, "van_genuchten_n": 1.6,
            "saturated_conductivity": 1e-5}},
    },
    "forcing": {"format": "generator", "generator": {"climate": "temperate", "seed": 7}},
    "subsurface": {"mode": "distributed", "anisotropy": 10, "overland": "kinematic", "manning": 0.1,
                   "initial": {"water_table_depth": 0.8}},
    "ensemble": {
        "size": 6, "seed": 5,
        "perturb": {
            "forcing": {"precipitation": {"std": 0.5}, "shortwave": {"std": 0.3}, "longwave": {"std": 20},
                        "temperature": {"std": 1}, "time_scale": "24 h"},
            "initial": {"pressure_head": {"kind": "add_normal", "std": 0.2, "length_scale": "100 m"}},
        },
    },
    "observations": [
        {"name": "wells", "type": "groundwater", "error": "5 cm", "every": "12 h",
         "twin": {"seed": 77, "locations": [{"name": "low", "x": 60, "y": 0}, {"name": "high", "x": -60, "y": 40}]}},
        {"name": "probes", "type": "soil_moisture", "depth": ["20 cm", "20 cm"], "error": 0.02, "every": "6 h",
         "twin": {"seed": 77, "locations": [{"name": "middle", "latitude": 50.9, "longitude": 6.4003}]}},
    ],
    "assimilation": {"filter": "letkf", "update": ["soil_water", "pressure_head"],
                     "localization": {"radius": "200 m"}, "open_loop": True},
    "output": {"every": "12 h", "restart_every": "10 h", "members": ["water_table_depth"],
               "variables": ["soil_water", "pressure_head", "water_table_depth"]},
}
"""Twelve columns, six members, 36 hours; restarts fall between output records."""
