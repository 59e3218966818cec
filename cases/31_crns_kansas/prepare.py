"""Make what the case reads of the files of the station: ``python prepare.py [FOLDER]``.

Writes ``weather.nc``, ``counts.nc`` (hourly counts of the first detector, corrected for pressure and humidity) and
``calibration.json`` (field mean of the cores, N0, N of COSMIC) into FOLDER, by default ``prepared``.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.forcing.station_records import station_forcing
from pyland.observe.neutrons import (
    Cores,
    absolute_humidity,
    cosmic_of_cores,
    field_mean,
    fit_scale,
    humidity_factor,
    lattice_water,
    n0_response,
    pressure_factor,
)
from pyland.observe.neutrons.corrections import saturation_pressure
from pyland.observe.readers import read_product

SHARED = Path(os.environ.get("PYLAND_SHARED", Path(__file__).resolve().parents[3] / "shared"))
LATITUDE, LONGITUDE, ELEVATION = 38.2346, -97.5710, 455.0
CLOCK = -6.0  # hours of the logger before UTC
PERIOD = ("2021-10-02T06:00", "2021-12-18T06:00")
CORING = ("2021-10-22T14:00", "2021-10-23T02:00")  # 08 to 20 h of the day of the cores
PRESSURE = 96100.0  # mean of the record [Pa]
CLAY = 28.0  # silty clay loam, as in case.yaml [%]
MODEL_DENSITY = 1200.0  # as in case.yaml: the mean of the cores as the probe weighs them [kg m-3]
SPIKE = 0.2  # hours of electronics in the nights of 5 October and 13 November; rain takes less off
HOUR = np.timedelta64(3600, "s")


def corrected_counts(record: Path, detectors: list[str] | None) -> tuple[object, np.ndarray, np.ndarray]:
    """Return the table of a record, factors of the corrections and absolute humidity, (obs,)."""
    table = read_product(record, reader="crns", utc_offset=CLOCK, detectors=detectors, spike=SPIKE)
    warm = table.extra["air_temperature"]
    humidity = absolute_humidity(table.extra["relative_humidity"] * saturation_pressure(warm), warm)
    return table, pressure_factor(table.extra["pressure"], PRESSURE) * humidity_factor(humidity), humidity


def read_cores(file: Path, clay: float) -> Cores:
    """Return the cores of the station, with lattice water from clay."""
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    return Cores(column("core_number").astype(int), column("distance_from_station"), 0.01 * column("top_depth"),
                 0.01 * column("bottom_depth"), column("theta_v"), 1000.0 * column("bulk_density"), lattice_water(clay))


def calibrate(record: Path, core_file: Path, detectors: list[str] | None, clay: float = CLAY) -> dict[str, object]:
    """Return N0 and N of COSMIC for detectors, and what they are made of."""
    table, factor, humidity = corrected_counts(record, detectors)
    during = table.used & (table.time >= np.datetime64(CORING[0])) & (table.time < np.datetime64(CORING[1]))
    hours = table.extra["record_length"][during].sum() / 3600.0
    counts = np.average((table.value * factor)[during], weights=table.extra["record_length"][during])
    raw = np.average(table.value[during], weights=table.extra["record_length"][during])
    sigma = np.sqrt(raw / hours) * counts / raw
    cores = read_cores(core_file, clay)
    mean = field_mean(cores, pressure=float(table.extra["pressure"][during].mean()),
                      humidity=float(humidity[during].mean()))
    n0 = fit_scale(counts, *_with(n0_response(mean), sigma))
    found = {"hours": hours, "counts": counts, "counts_sigma": sigma, "field_moisture": mean.moisture,
             "field_moisture_error": mean.error, "field_gravimetric": mean.gravimetric,
             "bulk_density": mean.bulk_density, "n0": n0.value, "n0_sigma": n0.sigma}
    for name, used in (("n", replace(cores, bulk_density=MODEL_DENSITY)), ("n_of_cores", cores)):
        response, error, neutrons = cosmic_of_cores(used, mean.core_weight)
        one = fit_scale(counts, *_with((response, error), sigma))
        found |= {name: one.value, f"{name}_sigma": one.sigma,
                  f"{name}_depth": float(np.sum(mean.core_weight * neutrons.effective_depth))}
    return found


def _with(response: tuple[float, float], sigma: float) -> tuple[float, float, float]:
    return response[0], sigma, response[1]


def write_counts(record: Path, file: Path) -> None:
    """Write hourly means of corrected counts; an hour with less than half of its records has none."""
    table, factor, _ = corrected_counts(record, ["counts_1_Tot"])
    first, last = (np.datetime64(one, "s") for one in PERIOD)
    inside = table.used & np.isfinite(factor) & (table.time > first) & (table.time < last)
    hour = ((table.time[inside] - first) // HOUR).astype(int)
    size = int((last - first) / HOUR)
    seconds = np.bincount(hour, table.extra["record_length"][inside], size)
    total = np.bincount(hour, (table.value * factor * table.extra["record_length"])[inside], size)
    counts = np.where(seconds >= 1800.0, total / np.maximum(seconds, 1.0), np.nan)
    data = xr.Dataset(
        {"counts": ("time", counts, {"units": "h-1", "long_name": "neutrons, corrected for pressure and humidity"})},
        {"time": first + HOUR * np.arange(1, size + 1)},
        {"latitude": LATITUDE, "longitude": LONGITUDE, "source": table.provenance["files"]})
    data.to_netcdf(file, engine="netcdf4")


def prepare(folder: Path) -> dict[str, object]:
    """Write all files into a folder and return the calibration."""
    folder.mkdir(parents=True, exist_ok=True)
    record = SHARED / "data" / "observations" / "crns" / "calibration_station_data.csv"
    station_forcing(record, folder / "weather.nc", latitude=LATITUDE, longitude=LONGITUDE, elevation=ELEVATION,
                    height=3.0, utc_offset=CLOCK, start=PERIOD[0], end=PERIOD[1],
                    longest_gap={"wind_speed": 10 * 86400.0})
    write_counts(record, folder / "counts.nc")
    cores = record.with_name("calibration_soil_data.csv")
    found = {"first detector": calibrate(record, cores, ["counts_1_Tot"]),
             "both detectors": calibrate(record, cores, None),
             "both, without lattice water": calibrate(record, cores, None, 0.0)}
    (folder / "calibration.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    for name, values in prepare(Path(sys.argv[1] if len(sys.argv) > 1 else "prepared")).items():
        print(name)
        for key, value in values.items():
            print(f"   {key:22s}{value:12.5g}")
