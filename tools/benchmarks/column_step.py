"""Time the coupled column step: 1000 columns, 20 soil and 5 bedrock layers, all land, snow and soil water.

Three columns: grass in spring, two patches of grass in spring, and a boreal forest in winter, with five layers of snow
on frozen soil and snowfall.

    python tools/benchmarks/column_step.py [--columns 1000] [--days 5] [--threads 1 2]

Prints microseconds per column and step, mean over the day of the fastest (best) and the median repetition of each half
hour: CPU time of all threads, which other programs hardly change, and wall time. `references` is the best CPU time over
a kernel measured in the same run, numpy's exp of 1000 float64 in cache per value: machine speed cancels. Memory counts
the named fields. Where the time goes: tools/benchmarks/column_processes.py; nothing is timed inside the step itself.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pyland.core.runtime import build, set_threads
from pyland.coupling import ColumnModel
from pyland.domain.layers import build_layers
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.land.canopy_processes import root_distribution
from pyland.land.plant_types import plant_parameters

STEP = 1800.0
STEPS_PER_DAY = 48
PLANT_FIELDS = (
    "leaf_angle", "leaf_reflectance_vis", "leaf_reflectance_nir", "leaf_transmittance_vis", "leaf_transmittance_nir",
    "stem_reflectance_vis", "stem_reflectance_nir", "stem_transmittance_vis", "stem_transmittance_nir", "canopy_top",
    "roughness_ratio", "displacement_ratio", "leaf_dimension", "vcmax25_top", "is_c4", "psi_open", "psi_closed",
)


def build_columns(
    ncolumn: int, patches: tuple[str, ...], soil_layers: str | list[float] = "clm5", **options
) -> ColumnModel:
    """Columns of different soils under the same plants."""
    rng = np.random.default_rng(1)
    layers = build_layers(soil_layers, 5)
    shape = (layers.nlayer, ncolumn)
    sand = np.broadcast_to(rng.uniform(15.0, 75.0, ncolumn), shape)
    clay = np.broadcast_to(rng.uniform(5.0, 24.0, ncolumn), shape)
    organic = np.zeros(shape)
    soil = hydraulic_parameters("van_genuchten", "rosetta", sand, clay, organic, layers.node_depth)
    plants = [plant_parameters(name) for name in patches]

    def spread(values: list[float]) -> np.ndarray:
        return np.repeat(np.array(values)[:, None], ncolumn, axis=1)

    roots = np.concatenate([root_distribution(plant["root_beta"], layers.interface_depth) for plant in plants])
    parameters = {name: spread([plant[name] for plant in plants]) for name in PLANT_FIELDS}
    parameters |= {
        "sand": sand, "clay": clay, "organic": organic, "porosity": soil["porosity"],
        "residual_water": soil["residual_water"], "saturated_conductivity": soil["saturated_conductivity"],
        "retention_scale": soil["van_genuchten_alpha"], "retention_shape": soil["van_genuchten_n"],
        "stomatal_slope": spread([plant["medlyn_slope"] for plant in plants]),
        "stomatal_intercept": spread([plant["medlyn_intercept"] for plant in plants]),
        "patch_fraction": np.full((len(plants), ncolumn), 1.0 / len(plants)), "root_fraction": spread(list(roots)),
        "soil_albedo_dry": spread([0.20, 0.40]), "soil_albedo_saturated": spread([0.10, 0.20]),
        "reference_height": np.full(ncolumn, 10.0),
    }
    model = ColumnModel(
        layers.thickness, layers.bedrock_thickness, parameters, ncell=ncolumn, npatch=len(plants), **options)
    pores = model.parameter["porosity"] - model.parameter["residual_water"]
    model.set_state({
        "soil_water": model.parameter["residual_water"] + rng.uniform(0.3, 0.7, ncolumn) * pores,
        "soil_temperature": np.full(model.state["soil_temperature"].shape, 288.0),
        "leaf_temperature": np.full((len(plants), ncolumn), 288.0), "growth_temperature": np.full((1, ncolumn), 288.0),
    })
    return model


def bring_winter(model: ColumnModel) -> None:
    """Lay 150 to 250 kg m-2 of snow in layers of any age on frozen soil."""
    rng = np.random.default_rng(3)
    shape = model.state["snow_ice"].shape
    density = np.linspace(150.0, 320.0, shape[0])[:, None, None] * rng.uniform(0.9, 1.1, shape)
    thickness = np.array([0.02, 0.05, 0.11, 0.23, 0.30])[:, None, None] * rng.uniform(0.8, 1.0, shape)
    depth = np.cumsum(model.thermal_thickness)
    frost = np.interp(depth, [0.0, 1.0, 3.0], [268.0, 272.0, 275.0])[:, None, None]
    model.set_state({
        "snow_ice": density * thickness, "snow_layer_thickness": thickness, "snow_temperature": np.full(shape, 266.0),
        "snow_grain_radius": np.full(shape, 150.0), "snow_cover_fraction": np.ones(shape[1:]),
        "snow_mass_maximum": np.full(shape[1:], 250.0), "soil_temperature": frost + np.zeros(shape[1:]),
        "leaf_temperature": np.full((model.npatch, *shape[1:]), 266.0), "growth_temperature": np.full(shape[1:], 266.0),
    })


def in_winter(weather: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """Return the weather 24 K colder, with a low sun, its rain as snow."""
    return [{
        **fields, "air_temperature": fields["air_temperature"] - 24.0,
        "specific_humidity": np.full_like(fields["rain"], 0.0013),
        "shortwave_down": 0.3 * fields["shortwave_down"], "longwave_down": 0.72 * fields["longwave_down"],
        "rain": 0.0 * fields["rain"], "snowfall": np.minimum(fields["rain"], 1e-3),
        "cosine_zenith": 0.3 * fields["cosine_zenith"],
    } for fields in weather]


def make_weather(ncolumn: int, nstep: int) -> list[dict[str, np.ndarray]]:
    """Mid-latitude spring: a diurnal cycle, clouds and showers that differ among groups of columns."""
    rng = np.random.default_rng(2)
    group = np.arange(ncolumn) // 10
    blocks = nstep // 12 + 1
    is_wet = rng.random((blocks, group[-1] + 1)) < 0.12
    rate = np.where(is_wet, rng.exponential(1.0 / 3600.0, is_wet.shape), 0.0)
    cloud = np.where(is_wet, 0.8, rng.uniform(0.0, 0.5, is_wet.shape))
    offset = rng.normal(0.0, 2.0, ncolumn)
    steps = []
    for step in range(nstep):
        hour = (step % STEPS_PER_DAY + 0.5) / 2.0
        cosine = max(0.0, 0.64 * np.cos((hour - 12.0) / 12.0 * np.pi) + 0.30)
        clear = 1.0 - 0.65 * cloud[step // 12, group]
        temperature = 288.0 + 6.0 * np.sin((hour - 9.0) / 12.0 * np.pi) + offset
        humidity = np.full(ncolumn, 0.0075)
        longwave = (0.75 + 0.2 * cloud[step // 12, group]) * 5.67e-8 * temperature**4
        steps.append({
            "air_temperature": temperature, "specific_humidity": humidity, "surface_pressure": np.full(ncolumn, 9.8e4),
            "wind_speed": 2.5 + 1.5 * np.sin((hour - 10.0) / 12.0 * np.pi) + 0.2 * offset / 2.0,
            "shortwave_down": 1000.0 * cosine * clear, "longwave_down": longwave, "rain": rate[step // 12, group],
            "snowfall": np.zeros(ncolumn), "cosine_zenith": np.full(ncolumn, cosine),
            "daylength_factor": np.full(ncolumn, 0.8), "co2": np.full(ncolumn, 4.0e-4),
        })
    return steps


def time_reference(seconds: float = 0.2) -> float:
    """Nanoseconds per value of numpy's exp in cache: the least of many runs too short to be interrupted."""
    values = np.linspace(-1.0, 1.0, 1000)
    out = np.empty_like(values)
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(20):
            np.exp(values, out=out)
        best = min(best, time.perf_counter() - start)
    return best / 20 / values.size * 1e9


def run(model: ColumnModel, weather: list[dict[str, np.ndarray]], leaf_area: float = 2.0) -> np.ndarray:
    """Seconds of every step, shape (2, step): CPU of all threads, wall."""
    leaf = np.full((model.npatch, model.ncell), leaf_area)
    stem = np.full((model.npatch, model.ncell), 0.3)
    seconds = np.empty((2, len(weather)))
    for k, fields in enumerate(weather):
        cpu, wall = time.process_time(), time.perf_counter()
        model.advance(fields, leaf, stem, STEP)
        seconds[:, k] = time.process_time() - cpu, time.perf_counter() - wall
    return seconds


def report(label: str, seconds: np.ndarray, ncolumn: int, reference: float) -> None:
    """Print the cost of a step."""
    by_time = seconds.reshape(2, -1, STEPS_PER_DAY) * 1e6 / ncolumn
    best, middle = by_time.min(axis=1).mean(axis=1), np.median(by_time, axis=1).mean(axis=1)
    print(f"{label:18s} CPU {best[0]:6.3f} best {middle[0]:6.3f} median   wall {best[1]:6.3f} best "
          f"{middle[1]:6.3f} median   {best[0] * 1e3 / reference:6.0f} references")


def main() -> None:
    """Build the columns and time them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    option = parser.parse_args()
    weather = make_weather(option.columns, STEPS_PER_DAY * option.days)
    cases = {
        "grass": (("c3_grass",), weather, 2.0), "two grasses": (("c3_grass", "c4_grass"), weather, 2.0),
        "winter forest": (("needle_evergreen_boreal",), in_winter(weather), 3.0),
    }
    for name, (patches, season, leaf_area) in cases.items():
        for threads in option.threads:
            set_threads(threads)
            reference = time_reference()
            model = build_columns(option.columns, patches)
            if name.startswith("winter"):
                bring_winter(model)
            run(model, season[: STEPS_PER_DAY // 2], leaf_area)
            seconds = run(model, season, leaf_area)
            report(f"{name}, {threads} thread", seconds, option.columns, min(reference, time_reference()))
        print(f"{name}: {model.bytes_per_column:.0f} bytes per column")
    print(f"reference {reference:.3f} ns; {build()['compiler']} {build()['flags']}")


if __name__ == "__main__":
    main()
