"""Run directories of decades, made up in a moment: daily water and energy of a few cells, and an irrigated season."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

ROWS, COLUMNS = 4, 6
"""Cells of the map; the west is wetter than the east."""

LAYERS = np.array([[0.0, 0.1], [0.1, 0.4], [0.4, 1.2]])
"""Bounds of the soil layers [m]."""

DRY_SUMMER = 2003
"""Year without rain from April to September."""


SATELLITE = {"name": "satellite", "type": "soil_moisture", "file": "observations.nc", "variable": "soil_moisture",
             "depth": [0, 0.1]}
"""Observations of the irrigated year."""


def write_case_file(folder: Path, **sections: Any) -> Path:
    """Write a case with sections replaced, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.yaml").write_text(yaml.safe_dump({"case": {"name": "made up"}, **sections}))
    return folder


def _coordinates(starts: np.ndarray, step: np.timedelta64) -> dict[str, Any]:
    ends = starts + step
    y, x = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    return {
        "time": ("time", ends.astype("datetime64[ns]"), {"bounds": "time_bounds"}),
        "time_bounds": (("time", "bound"), np.stack([starts, ends], axis=1).astype("datetime64[ns]")),
        "latitude": (("y", "x"), 47.0 + 0.1 * y, {"standard_name": "latitude", "units": "degrees_north"}),
        "longitude": (("y", "x"), 8.0 + 0.1 * x, {"standard_name": "longitude", "units": "degrees_east"}),
        **{name: (name, 1000.0 * np.arange(size), {
            "standard_name": f"projection_{name}_coordinate", "units": "m", "axis": name.upper()})
            for name, size in (("y", ROWS), ("x", COLUMNS))},
        "layer": ("layer", LAYERS.mean(axis=1)), "layer_bounds": (("layer", "bound"), LAYERS),
    }


def _write(path: Path, coordinates: dict[str, Any], fields: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {name: (("time", "layer", "y", "x") if values.ndim == 4 else ("time", "y", "x"), values.astype(np.float32))
            for name, values in fields.items()}
    xr.Dataset(data, coordinates, {"pyland_version": "0", "title": "made up", "history": "made up"}).to_netcdf(
        path, engine="netcdf4", encoding={name: {"units": "seconds since 1970-01-01"} for name in (
            "time", "time_bounds")})


def write_decades(folder: Path, first: int = 1991, last: int = 2020, *, wetter: float = 0.0, **sections: Any) -> Path:
    """Write a case whose run has daily records of whole years.

    Parameters
    ----------
    folder : Path
        Case directory.
    first, last : int
        Years.
    wetter : float
        Rise of productivity in the upper half of the map [share per year]; it falls as much in the lower half.
    **sections
        Of ``case.yaml``.
    """
    write_case_file(folder, **sections)
    rng = np.random.default_rng(12)
    starts = np.arange(f"{first}-01-01", f"{last + 1}-01-01", dtype="datetime64[D]").astype("datetime64[s]")
    shape = (len(starts), ROWS, COLUMNS)
    months = starts.astype("datetime64[M]").astype(int) % 12 + 1
    years = starts.astype("datetime64[Y]").astype(int) + 1970
    season = -np.cos(2.0 * np.pi * (starts - starts.astype("datetime64[Y]")) / np.timedelta64(365, "D"))[:, None, None]
    west = np.linspace(1.3, 0.6, COLUMNS)
    monthly = rng.gamma(3.0, 1.0 / 3.0, (12 * (last - first + 1), 1, 1))  # all cells share dry and wet months
    rain = (2.2 + 0.6 * season) * west * monthly[(years - first) * 12 + months - 1] * rng.gamma(1.0, 1.0, shape)
    rain[(years == DRY_SUMMER) & (months >= 4) & (months <= 9)] = 0.0
    net = 80.0 + 75.0 * season + 5.0 * rng.standard_normal(shape)
    evaporation = np.empty(shape)
    runoff = np.empty(shape)
    stored = np.empty(shape)
    water = np.full((ROWS, COLUMNS), 250.0)
    for day in range(len(starts)):  # a bucket of 400 kg m-2
        evaporation[day] = np.clip(water / 300.0, 0.0, 1.0) * np.maximum(net[day], 0.0) / 28.4 * 0.9
        runoff[day] = 0.02 * np.maximum(water - 250.0, 0.0) + np.maximum(water + rain[day] - 400.0, 0.0)
        water = np.maximum(water + rain[day] - evaporation[day] - runoff[day], 0.0)
        stored[day] = water
    change = np.diff(stored, axis=0, prepend=np.full((1, ROWS, COLUMNS), 250.0))
    content = 0.05 + 0.35 * stored / 400.0
    soil = np.stack([content + 0.01 * rng.standard_normal(shape), content, 0.5 * content + 0.1], axis=1)
    trend = 1.0 + wetter * (years - first)[:, None, None] * np.where(np.arange(ROWS) < 2, 1.0, -1.0)[:, None]
    growth = 2.0e-8 * np.clip(stored / 200.0, 0.0, 1.0) * (1.5 + season) * np.maximum(trend, 0.0)
    coordinates = _coordinates(starts, np.timedelta64(86400, "s"))
    _write(folder / "run" / "history.nc", coordinates, {
        "soil_water": soil, "net_radiation": net, "ground_heat_flux": 5.0 * season * np.ones(shape),
        "air_temperature": 282.0 + 10.0 * season * np.ones(shape), "surface_pressure": np.full(shape, 95000.0),
        "specific_humidity": np.full(shape, 0.006), "wind_speed": np.full(shape, 3.0),
        "net_primary_production": growth})
    _write(folder / "run" / "balance.nc", coordinates, {
        "precipitation": rain, "evapotranspiration": evaporation, "surface_runoff": 0.3 * runoff,
        "subsurface_runoff": 0.7 * runoff, "storage_change": change})
    return folder


def write_irrigated_year(folder: Path, *, error: float = 0.02, irrigation: float = 300.0, **sections: Any) -> Path:
    """Write a case whose observations see irrigation in the west of the map, and whose run does not.

    The analyses of the run are as good as the truth: its fluxes are those of the truth, its increments the irrigation.
    """
    write_case_file(folder, **{"observations": [{**SATELLITE, "error": error}], **sections})
    rng = np.random.default_rng(4)
    starts = np.arange("2021-01-01", "2022-01-01", dtype="datetime64[D]").astype("datetime64[s]")
    shape = (len(starts), ROWS, COLUMNS)
    is_irrigated = np.broadcast_to(np.arange(COLUMNS) < 3, (ROWS, COLUMNS))
    months = starts.astype("datetime64[M]").astype(int) % 12 + 1
    summer = ((months >= 5) & (months <= 8))[:, None, None]
    rain = rng.exponential(2.0, shape)
    added = np.where(summer & is_irrigated, irrigation / summer.sum(), 0.0) * np.ones(shape)
    used = np.where(summer, 3.0, 1.0) * np.ones(shape) + 0.6 * added
    away = 0.3 * added
    change = rain + added - used - away
    stored = 30.0 + np.cumsum(change - change.mean(axis=0), axis=0) * 0.02
    kept = np.diff(stored, axis=0, prepend=stored[:1])
    rain = used + away + kept - added  # closes, whatever the storage does; of either sign
    seen_water = stored / 100.0  # all of it in the upper 10 cm
    soil = np.stack([seen_water, np.full(shape, 0.3), np.full(shape, 0.3)], axis=1)
    coordinates = _coordinates(starts, np.timedelta64(86400, "s"))
    dry_used, dry = used - 0.6 * added, soil.copy()
    dry[:, 0] = seen_water - np.cumsum(0.1 * added, axis=0) / 100.0
    _write(folder / "run" / "balance.nc", coordinates, {
        "precipitation": rain, "evapotranspiration": used, "surface_runoff": 0.0 * away, "subsurface_runoff": away,
        "analysis_increment": added, "irrigation": 0.0 * added})
    _write(folder / "run" / "history.nc", coordinates, {"soil_water": soil})
    _write(folder / "run" / "open_loop" / "balance.nc", coordinates, {"evapotranspiration": dry_used})
    _write(folder / "run" / "open_loop" / "history.nc", coordinates, {"soil_water": dry})
    rows = np.arange(1, len(starts), 2)
    place = np.indices((ROWS, COLUMNS)).reshape(2, -1)
    count = len(rows) * place.shape[1]
    values = seen_water[rows].reshape(-1) + error * rng.standard_normal(count)
    latitude, longitude = (np.tile(coordinates[name][1][tuple(place)], len(rows)) for name in ("latitude", "longitude"))
    moment = np.repeat(coordinates["time"][1][rows], place.shape[1])
    number = {name: ("observation", np.full(count, one)) for name, one in (
        ("innovation", 0.0), ("residual", 0.0), ("prior_spread", 0.01), ("posterior_spread", 0.01), ("error", error),
        ("depth_top", 0.0), ("depth_bottom", 0.1))}
    data = xr.Dataset({
        **number, "value": ("observation", values), "latitude": ("observation", latitude + 0.01),
        "longitude": ("observation", longitude), "observation_time": ("observation", moment),
        "stream": ("observation", np.zeros(count, np.int8), {
            "flag_meanings": "satellite", "stream_types": "soil_moisture", "stream_units": "m3 m-3"}),
        "rejection": ("observation", np.zeros(count, np.int8), {"flag_meanings": "used withheld"})})
    data.to_netcdf(folder / "run" / "analysis.nc", engine="netcdf4")
    mask = xr.Dataset({"irrigated_fraction": (("y", "x"), np.where(is_irrigated, 0.9, 0.1))})
    mask.to_netcdf(folder / "mask.nc", engine="netcdf4")
    return folder
