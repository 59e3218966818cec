"""Where the time of a column step goes: the compiled kernels alone, on the states that a run visits.

    python tools/benchmarks/column_processes.py [--columns 1000]

Every process is called through its own facade with the weather and state of each half hour of one day (the tables it
needs are made outside the clock; copying them into chunks and back is inside). Soil water is the difference between the
coupled step and the step with prescribed soil water. The rest is weather, soil surface, thermal properties, sums, loads
and stores. The step itself carries no timers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from column_step import PLANT_FIELDS, STEP, STEPS_PER_DAY, build_columns, make_weather, run

from pyland.core import canopy, land_surface
from pyland.core.runtime import set_threads
from pyland.coupling import ColumnModel
from pyland.land import LandModel, compute_soil_surface, compute_soil_thermal_properties, intercept_rain, water_stress
from pyland.land.surface_processes import _PLANT_PACK

LEAF_AREA, STEM_AREA = 2.0, 0.3


def time_call(call: Callable[[], object], repeats: int = 3) -> float:
    """CPU seconds of the fastest of some calls: other programs on the machine do not count."""
    seconds = []
    for _ in range(repeats):
        start = time.thread_time()
        call()
        seconds.append(time.thread_time() - start)
    return min(seconds)


def time_processes(model: ColumnModel, weather: dict[str, np.ndarray]) -> dict[str, float]:
    """Seconds of each process at the model's present state."""
    n = model.ncell
    state = {name: field[:, 0] if field.ndim == 3 else field[0] for name, field in model.state.items()}
    field = {name: view[:, 0] if view.ndim == 3 else view[0] for name, view in model.parameter.items()}
    plant = {name: field[name] for name in (*PLANT_FIELDS, "stomatal_slope", "stomatal_intercept")}
    plant |= {"leaf_area": np.full(n, LEAF_AREA), "stem_area": np.full(n, STEM_AREA)}
    water, temperature, head = state["soil_water"], state["soil_temperature"], state["pressure_head"]
    layers = water.shape[0]
    seconds = {}

    plants = land_surface.pack([*(plant[name] for name in _PLANT_PACK), np.zeros(n)])  # no snow on leaves
    albedo = land_surface.pack([field["soil_albedo_dry"][0], field["soil_albedo_dry"][1]] * 2)
    sky = land_surface.pack([weather[name] for name in (
        "air_temperature", "specific_humidity", "surface_pressure", "shortwave_down", "cosine_zenith")]
        + [field["reference_height"]])
    seconds["radiation"] = time_call(lambda: land_surface.radiation(plants, albedo, sky))
    light = land_surface.radiation(plants, albedo, sky)

    stress = canopy.call_stress
    roots, heads = np.asfortranarray(field["root_fraction"].T), np.asfortranarray(head.T)
    warmth = np.asfortranarray(temperature[:layers].T)
    limits = np.asfortranarray(np.stack([field["psi_open"], field["psi_closed"]], axis=1))
    seconds["root water stress"] = time_call(lambda: stress(roots, heads, warmth, limits))
    beta, _ = water_stress(field["root_fraction"], head, temperature[:layers], field["psi_open"],
                           field["psi_closed"])

    wet = intercept_rain(STEP, plant["leaf_area"], plant["stem_area"], weather["rain"], state["canopy_water"][0])
    surface = compute_soil_surface(
        "dry_surface_layer", specific_humidity=weather["specific_humidity"], air_pressure=weather["surface_pressure"],
        porosity=field["porosity"][0], air_dry_water=field["residual_water"][0] + 0.01, field_capacity=0.25,
        exponent=1.0 / (field["retention_shape"][0] - 1.0), water=water[0], pressure_head=head[0],
        temperature=temperature[0])
    tables = [
        canopy.make_table(name, {key: source[key] for key in names}, names, n) for name, names, source in (
            ("weather", canopy.WEATHER, weather | {"air_pressure": weather["surface_pressure"],
                                                   "reference_height": field["reference_height"]}),
            ("plant", canopy.PLANT, plant | {
                "fraction": np.ones(n), "growth_temperature": state["growth_temperature"], "water_stress": beta,
                "daylength_factor": weather["daylength_factor"]}),
            ("ground", canopy.GROUND, {
                "temperature": temperature[0], "emissivity": 0.96, "roughness": 0.01, "humidity": surface.humidity,
                "humidity_slope": surface.humidity_slope, "resistance": surface.resistance}),
            ("radiation", canopy.RADIATION, dict(zip((
                "canopy_absorbed", "ground_absorbed", "reflected", "sunlit_leaf_area", "shaded_leaf_area", "sunlit_par",
                "shaded_par", "extinction", "canopy_emissivity"), light, strict=True))),
            ("canopy", canopy.STATE, {
                "leaf_temperature": state["leaf_temperature"][0], "canopy_water": wet.canopy_water,
                "wet_fraction": wet.wet_fraction, "dry_fraction": wet.dry_fraction}))]
    seconds["canopy and photosynthesis"] = time_call(
        lambda: canopy.call_exchange(STEP, 2, 0.5, *tables[:4], tables[4].copy(order="F")))

    seconds["soil heat"] = time_soil_heat(field, water, temperature)
    return seconds


def time_soil_heat(field: dict[str, np.ndarray], water: np.ndarray, temperature: np.ndarray) -> float:
    """Seconds of heat and phase change in soil and bedrock, without snow."""
    (nthermal, n), layers = temperature.shape, water.shape[0]
    thickness = field["thickness"]
    k, capacity = compute_soil_thermal_properties(
        field["sand"], field["clay"], field["porosity"], 0.0 * water, bedrock_layers=nthermal - layers)
    link = np.zeros_like(k)
    link[:-1] = 2 * k[:-1] * k[1:] / (thickness[:-1] * k[1:] + thickness[1:] * k[:-1])
    mass = np.zeros_like(k)
    mass[:layers] = 1000.0 * thickness[:layers] * water
    rows = np.concatenate([capacity * thickness, mass, link, np.zeros_like(k)])
    curve = np.concatenate([0.01 * mass[:layers], 0.1 * mass[:layers] + 1e-3, np.full_like(water, 0.3)])
    zero = np.zeros(n)
    surfaces = np.stack([zero + 1.0, zero, zero, zero, zero + 50.0, zero - 15.0, temperature[0]])
    start = np.ascontiguousarray(temperature)
    return time_call(lambda: land_surface.ground_heat(STEP, 0, rows, curve, surfaces, start, mass))


def main() -> None:
    """Run one day and print microseconds per column and step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=1000)
    n = parser.parse_args().columns
    set_threads(1)
    days = 3
    weather = make_weather(n, days * STEPS_PER_DAY)
    model = build_columns(n, ("c3_grass",))
    run(model, weather[:STEPS_PER_DAY])
    sums: dict[str, float] = {}
    area, stem = np.full((1, n), LEAF_AREA), np.full((1, n), STEM_AREA)
    for fields in weather[:STEPS_PER_DAY]:
        for name, seconds in time_processes(model, fields).items():
            sums[name] = sums.get(name, 0.0) + seconds
        model.advance(fields, area, stem, STEP)
    parameter = {name: view[:, 0] if view.ndim == 3 else view[0] for name, view in model.parameter.items()}
    land = LandModel(["c3_grass"], ncolumn=n, parameters=parameter)
    land.set_soil_water(np.minimum(model.state["soil_water"][:, 0], land.parameter["porosity"]))

    def sweep(advance: Callable[[dict[str, np.ndarray]], None]) -> float:
        times = np.array([time_call(lambda fields=fields: advance(fields), 1) for fields in weather])
        return float(times.reshape(days, STEPS_PER_DAY).min(axis=0).mean())

    whole = sweep(lambda fields: model.advance(fields, area, stem, STEP))
    dry = sweep(lambda fields: land.advance(fields, area, stem, STEP))
    rows = {name: value / STEPS_PER_DAY for name, value in sums.items()}
    rows["rest of the land surface, copies"] = dry - sum(rows.values())
    rows["soil water"] = whole - dry
    rows["whole step"] = whole
    for name, seconds in rows.items():
        print(f"{name:34s} {seconds * 1e6 / n:7.3f} us  {100 * seconds / whole:5.1f} %")


if __name__ == "__main__":
    main()
