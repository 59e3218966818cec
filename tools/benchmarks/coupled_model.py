"""Cost of land over the distributed subsurface: land, ground, coupling, and members against one.

A generated catchment under a summer day; CPU time per column and step of the land, per cell and step of the ground, and
per member against a single one in the same run.

Usage: python coupled_model.py [--columns 1600] [--layers 20] [--members 8] [--hours 24]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from pyland.coupling import ColumnModel, CoupledModel
from pyland.driver.plant_fields import colour_fields, root_distribution
from pyland.land.plant_types import PLANT_FIELDS, plant_parameters
from pyland.subsurface import DistributedSubsurface

PLANTS = ("c3_grass", "c3_crop")
SOIL = {"porosity": 0.43, "residual_water": 0.05, "saturated_conductivity": 3e-6, "specific_storage": 1e-4}


def build(size: int, nlayer: int, members: int) -> CoupledModel:
    """Build a catchment of size x size columns of 1 km."""
    ncell, rng = size * size, np.random.default_rng(1)
    thickness = np.geomspace(0.05, 4.0, nlayer)
    land = thickness[: max(int(np.count_nonzero(np.cumsum(thickness) < 4.0)), 2)]
    flow = DistributedSubsurface(
        thickness, {**SOIL, "van_genuchten_alpha": 2.0, "van_genuchten_n": 1.5}, nx=size, ny=size, dx=1000.0, dy=1000.0,
        slope_x=rng.uniform(-0.02, 0.02, (size, size)), slope_y=rng.uniform(-0.02, 0.02, (size, size)),
        overland="kinematic", members=members, water_table_depth=2.0)
    plants = [plant_parameters(name) for name in PLANTS]

    def spread(values: list[float]) -> np.ndarray:
        return np.repeat(np.array(values)[:, None], ncell, axis=1)

    edges = np.concatenate([[0.0], np.cumsum(land)])
    roots = np.concatenate([root_distribution(plant["root_beta"], edges) for plant in plants])
    parameters = {name: spread([plant[name] for plant in plants]) for name in PLANT_FIELDS}
    parameters |= colour_fields(np.full(ncell, 10)) | {
        "stomatal_slope": spread([plant["medlyn_slope"] for plant in plants]),
        "stomatal_intercept": spread([plant["medlyn_intercept"] for plant in plants]),
        "patch_fraction": np.full((len(PLANTS), ncell), 0.5), "canopy_top": spread([0.5, 0.8]),
        "reference_height": np.full(ncell, 10.0), "root_fraction": np.repeat(roots[:, None], ncell, axis=1),
        "sand": np.full((land.size, ncell), 40.0), "clay": np.full((land.size, ncell), 20.0),
        "organic": np.zeros((land.size, ncell)), "retention_scale": np.full((land.size, ncell), 2.0),
        "retention_shape": np.full((land.size, ncell), 1.5),
        **{name: np.full((land.size, ncell), value) for name, value in SOIL.items()}}
    columns = ColumnModel(land, np.array([2.0, 4.0, 8.0]), parameters, ncell=ncell, nmember=members, npatch=len(PLANTS),
                          air_entry=0.0)
    model = CoupledModel(columns, flow, np.ones((size, size), dtype=bool))
    depth = land.size + 3
    model.set_state({"soil_temperature": np.full((depth, members, ncell), 290.0),
                     "leaf_temperature": np.full((len(PLANTS), members, ncell), 290.0),
                     "growth_temperature": np.full((members, ncell), 290.0)})
    return model


def weather(hour: int, ncell: int) -> dict[str, np.ndarray]:
    """Return the weather of an hour of a summer day with a storm at night."""
    sun = max(float(np.sin((hour % 24 - 5.5) / 14.0 * np.pi)), 0.0)
    values = {"air_temperature": 290.0 + 6.0 * sun, "specific_humidity": 0.008, "surface_pressure": 97e3,
              "wind_speed": 3.0, "shortwave_down": 800.0 * sun, "longwave_down": 330.0,
              "rain": 5.0 / 3600.0 * (hour % 24 in (2, 3, 4)), "snowfall": 0.0, "cosine_zenith": 0.8 * sun,
              "daylength_factor": 0.9, "co2": 4e-4}
    return {name: np.full(ncell, float(value)) for name, value in values.items()}


def timed(target: object, name: str, spent: dict[str, float]) -> None:
    """Let a method add its CPU time to ``spent``."""
    method: Callable[..., object] = getattr(target, name)

    def wrapper(*args: object) -> object:
        begin = time.process_time()
        try:
            return method(*args)
        finally:
            spent[name] = spent.get(name, 0.0) + time.process_time() - begin

    setattr(target, name, wrapper)


def run(size: int, nlayer: int, members: int, hours: int) -> tuple[float, dict[str, float]]:
    """Run a catchment; return all CPU time and that of the parts [s]."""
    model, spent = build(size, nlayer, members), {}
    for name in ("begin", "end", "show_water", "send_water", "settle"):
        timed(model._water, name, spent)
    timed(model.flow.fields, "advance", spent)
    areas = np.full((len(PLANTS), model.ncell), 2.0), np.full((len(PLANTS), model.ncell), 0.3)
    begin = time.process_time()
    for hour in range(hours):
        model.advance(weather(hour, model.ncell), *areas, 3600.0)
    return time.process_time() - begin, spent


def main() -> None:
    """Print the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=1600)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--hours", type=int, default=24)
    given = parser.parse_args()
    size = round(given.columns**0.5)
    columns, cells = size * size * given.hours, size * size * given.layers * given.hours
    alone, parts = run(size, given.layers, 1, given.hours)
    land, ground = parts["begin"] + parts["end"], parts["advance"]
    exchange = parts["show_water"] + parts["send_water"] + parts["settle"]
    print(f"{size} x {size} columns, {given.layers} layers, {given.hours} steps of 1 h, one member: {alone:.2f} s")
    print(f"  land      {1e6 * land / columns:7.2f} us per column and step, {100.0 * land / alone:3.0f} %")
    print(f"  ground    {1e6 * ground / cells:7.3f} us per cell and step,   {100.0 * ground / alone:3.0f} %")
    print(f"  exchange  {1e6 * exchange / columns:7.2f} us per column and step, {100.0 * exchange / alone:3.0f} %")
    together, _ = run(size, given.layers, given.members, given.hours)
    print(f"{given.members} members: {together:.2f} s, {together / given.members / alone:.2f} of one member each")


if __name__ == "__main__":
    main()
