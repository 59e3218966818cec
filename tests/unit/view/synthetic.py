"""Synthetic runs, written with the writers of output: a twin catchment and a station."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pyland.output.analysis import AnalysisWriter, ObservationRecord
from pyland.output.balance import ENERGY_RATES, WATER_RATES, BalanceWriter
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter

START = np.datetime64("2004-05-01T00:00", "s")
DAY = np.timedelta64(1, "D")
HALF_HOUR = np.timedelta64(1800, "s")
THICKNESS = np.array([0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28])
SITE_NAMES = {"Qle": "latent_heat_flux", "Qh": "sensible_heat_flux", "Rnet": "net_radiation", "Qg": "ground_heat_flux"}


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the registry of the package; without it, a stand-in."""
    if importlib.util.find_spec("pyland.base.registry") is None:
        module = types.ModuleType("pyland.base.registry")
        module.attributes = lambda identifier: {"units": "1", "long_name": identifier.replace("_", " ")}
        axes = {"soil_water": ("layer", "column")}
        module.variable = lambda identifier: types.SimpleNamespace(dims=axes.get(identifier, ("column",)))
        monkeypatch.setitem(sys.modules, "pyland.base.registry", module)


def twin_run(run_dir: Path, ny: int = 20, nx: int = 20, ndays: int = 120, nmember: int = 16) -> Path:
    """Write truth, open loop, analysis and observations of a made-up catchment."""
    y, x = np.meshgrid(np.arange(ny) * 1000.0, np.arange(nx) * 1000.0, indexing="ij")
    layers = {"layer": THICKNESS}
    grid = OutputGrid(50.0 + y.ravel() / 111e3, 6.0 + x.ravel() / 72e3, layers, (ny, nx),
                      x=np.arange(nx) * 1000.0, y=np.arange(ny) * 1000.0)  # fmt: skip
    rng = np.random.default_rng(4)
    pattern = 0.05 * np.sin(x / 4000.0) * np.cos(y / 6000.0) + 0.03 * np.sin((x + y) / 9000.0)
    depth = np.cumsum(THICKNESS) - THICKNESS / 2
    rain = (rng.random(ndays) < 0.2) * rng.exponential(0.08, ndays)
    wetness = np.zeros((ndays, len(depth)))
    level = np.zeros(len(depth))
    for day in range(ndays):
        level = level * np.exp(-0.12 / (1 + 8 * depth)) + rain[day] * np.exp(-depth / 0.25)
        wetness[day] = level
    gone = rng.standard_normal(ny * nx).reshape(ny, nx)
    error = 0.05 * (np.sin(x / 3000.0 + 1.0) + 0.3 * gone) + 0.02
    names = ("truth", "open_loop", "analysis")
    folders = (run_dir / "_truth", run_dir / "open_loop", run_dir)
    for name, folder in zip(names, folders, strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        writer = HistoryWriter(folder, grid, ["soil_water"], {"title": name})
        writer.start()
        for day in range(ndays):
            true = 0.18 + wetness[day][:, None] + (pattern.ravel() * (1.0 - 0.4 * depth[:, None]))
            decay = {"truth": 0.0, "open_loop": 1.0, "analysis": 0.25 + 0.75 * np.exp(-day / 12.0)}[name]
            decay_depth = np.clip(decay + 0.35 * (name == "analysis") * depth, 0.0, 1.0)[:, None]
            centre = true + error.ravel() * decay_depth
            if name == "truth":
                members = centre[:, None, :]
            else:
                noise = 0.05 * rng.standard_normal((1, nmember, 1)) + 0.01 * rng.standard_normal((1, nmember, ny * nx))
                members = centre[:, None, :] + noise * decay_depth[:, None, :]
            writer.add(START + day * DAY, START + (day + 1) * DAY, {"soil_water": np.clip(members, 0.02, 0.5)})
        writer.flush("end")
        writer.finish()
    (run_dir / "_truth" / "history.nc").replace(run_dir / "truth.nc")
    (run_dir / "_truth").rmdir()
    _twin_analysis(run_dir, grid, ndays, rng)
    _balance(run_dir, grid, ndays, rng)
    return run_dir


def _twin_analysis(run_dir: Path, grid: OutputGrid, ndays: int, rng: np.random.Generator) -> None:
    truth = xr.load_dataset(run_dir / "truth.nc")["soil_water"].isel(layer=0).values.reshape(ndays, -1)
    prior = xr.load_dataset(run_dir / "open_loop" / "history.nc")["soil_water"].isel(layer=0).values.reshape(ndays, -1)
    streams = {"satellite": {"type": "soil_moisture", "units": "m3 m-3"}}
    writer = AnalysisWriter(run_dir, grid, streams, ["soil_water"], {})
    writer.start()
    n = grid.ncell
    for day in range(2, ndays, 3):
        value = truth[day] + 0.03 * rng.standard_normal(n)
        record = ObservationRecord(
            np.zeros(n, int), grid.latitude, grid.longitude, np.zeros(n), np.full(n, 0.05), value, np.full(n, 0.03),
            0.5 * (prior[day] + truth[day]), np.full(n, 0.03), 0.2 * prior[day] + 0.8 * truth[day], np.full(n, 0.02),
            np.where(np.arange(n) % 50 == 7, 5, 0),
        )  # fmt: skip
        writer.add(START + (day + 1) * DAY, record, {"soil_water": np.full((len(THICKNESS), n), 0.001)})
    writer.flush("end")
    writer.finish()


def _balance(run_dir: Path, grid: OutputGrid, ndays: int, rng: np.random.Generator) -> None:
    writer = BalanceWriter(run_dir, grid, {})
    storage = np.full((2, grid.ncell), 300.0)
    writer.start(START, storage)
    for day in range(min(ndays, 3)):
        rates = {name: rng.uniform(0, 1e-5, storage.shape) for name in WATER_RATES}
        rates |= {name: rng.uniform(0, 50, storage.shape) for name in ENERGY_RATES[1:]}
        rates["net_radiation"] = sum(rates[name] for name in ENERGY_RATES[1:])
        loss = sum(rates[name] for name in WATER_RATES if name not in ("precipitation", "irrigation"))
        storage = storage + 86400.0 * (rates["precipitation"] + rates["irrigation"] - loss)
        writer.add_step(86400.0, rates, np.full(storage.shape, 1e-12), np.full(storage.shape, 1e-9))
        writer.close_interval(START + (day + 1) * DAY, storage)
    writer.flush("end")
    writer.finish()


def site_run(case_dir: Path, ndays: int = 150) -> Path:
    """Write a station file and a run (open loop and analysis) at that station."""
    rng = np.random.default_rng(5)
    n = ndays * 48
    start = START + np.arange(n) * HALF_HOUR
    hour = (np.arange(n) * 0.5 - 7.0) % 24.0
    sun = np.clip(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0, None)
    season = 0.6 + 0.4 * np.sin(np.arange(n) / n * np.pi)
    observed = {
        "Rnet": 550.0 * sun * season - 50.0 + 10.0 * rng.standard_normal(n),
        "Qle": 120.0 * sun * season**2 + 8.0 * rng.standard_normal(n),
        "Qh": 260.0 * sun * season - 10.0 + 15.0 * rng.standard_normal(n),
        "Qg": 120.0 * sun - 35.0,
    }
    wet = np.convolve((rng.random(n) < 0.004) * rng.exponential(0.08, n), np.exp(-np.arange(1500) / 300.0))[:n]
    observed["SoilMoist_5cm"] = 0.04 + wet
    observed["SoilMoist_15cm"] = 0.06 + 0.4 * np.convolve(wet, np.ones(200) / 200)[:n]
    observed["Qle"][rng.random(n) < 0.1] = np.nan
    station = xr.Dataset(
        {name: ("time", values) for name, values in observed.items()},
        coords={"time": start},
        attrs={"utc_offset_h": -7, "time_step_s": 1800, "site": "made up"},
    )
    case_dir.mkdir(parents=True, exist_ok=True)
    station.to_netcdf(case_dir / "station.nc")
    (case_dir / "case.yaml").write_text("forcing: {format: alma, path: station.nc}\n")
    grid = OutputGrid(np.array([31.7]), np.array([-109.9]), {"layer": THICKNESS}, names=("made up",))
    run_dir = case_dir / "run"
    for folder, shift in ((run_dir / "open_loop", 0.05), (run_dir, 0.015)):
        variables = [*SITE_NAMES.values(), "soil_water"]
        writer = HistoryWriter(folder, grid, variables, {})
        writer.start()
        depth = np.cumsum(THICKNESS) - THICKNESS / 2
        for step in range(n):
            noise = rng.standard_normal((1, 8, 1))
            fields = {
                identifier: np.nan_to_num(observed[name][step]) * (1.1 + shift) + 5.0 * noise[0]
                for name, identifier in SITE_NAMES.items()
            }
            profile = np.interp(
                depth, [0.05, 0.15], [observed["SoilMoist_5cm"][step], observed["SoilMoist_15cm"][step]]
            )
            fields["soil_water"] = profile[:, None, None] + shift + 0.4 * shift * noise
            writer.add(start[step], start[step] + HALF_HOUR, fields)
        writer.flush("end")
        writer.finish()
    streams = {"probe": {"type": "soil_moisture", "units": "m3 m-3"}}
    analysis = AnalysisWriter(run_dir, grid, streams, ["soil_water"], {})
    analysis.start()
    for step in range(24, n, 48):
        value = np.array([observed["SoilMoist_5cm"][step]])
        column = np.full(1, 0.05)
        ensemble = (value + 0.02, column * 0.5, value + 0.01, column * 0.2)
        place = (np.zeros(1, int), grid.latitude, grid.longitude, column, column)
        record = ObservationRecord(*place, value, column * 0.4, *ensemble, np.zeros(1, int))
        analysis.add(start[step], record, {"soil_water": np.zeros((len(THICKNESS), 1))})
    analysis.flush("end")
    analysis.finish()
    return case_dir


def snow_run(folder: Path, site: str = "made_up", ndays: int = 60) -> tuple[Path, Path, Path]:
    """Write a station with a winter of snow, a run and another model; return case, station file and other model."""
    mass = 200.0 * np.clip(np.sin((np.arange(ndays) - 5.0) / (ndays - 15.0) * np.pi), 0.0, None)
    hours = START + np.arange(ndays * 24) * np.timedelta64(3600, "s")
    station = xr.Dataset(
        {"SWE": ("time_eval", mass), "SnowDepth": ("time_eval", mass / 300.0)},
        coords={"time": hours, "time_eval": START + np.arange(ndays) * DAY},
        attrs={"utc_offset_h": 0, "time_step_s": 3600, "site": site},
    )
    sites, peers, case_dir = folder / "sites", folder / "peers", folder / f"case_{site}"
    for one in (sites, peers, case_dir):
        one.mkdir(parents=True, exist_ok=True)
    station_file, other = sites / f"{site}.nc", peers / f"{site}_Other.nc"
    station.to_netcdf(station_file)
    hourly = np.repeat(mass, 24)
    xr.Dataset({"SWE": ("time", 1.2 * hourly)}, coords={"time": hours}).to_netcdf(other)
    (case_dir / "case.yaml").write_text(f"forcing: {{format: alma, path: ../sites/{site}.nc}}\n")
    grid = OutputGrid(np.array([45.0]), np.array([6.0]), {"layer": THICKNESS}, names=(site,))
    (case_dir / "run").mkdir(exist_ok=True)
    writer = HistoryWriter(case_dir / "run", grid, ["snow_mass", "snow_depth"], {})
    writer.start()
    for hour, value in zip(hours, 1.1 * hourly, strict=True):
        fields = {"snow_mass": np.full((1, 1), value), "snow_depth": np.full((1, 1), value / 300.0)}
        writer.add(hour, hour + np.timedelta64(3600, "s"), fields)
    writer.flush("end")
    writer.finish()
    return case_dir, station_file, other
