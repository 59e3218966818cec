"""``pyland diagnose CASE sith``: a light model of evapotranspiration beside a run, on its weather, leaves and soil."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.diagnose.records import read_records, records_of_period
from pyland.diagnose.scores import score
from pyland.diagnose.sith import (
    SithDay,
    SithPlants,
    SithSoil,
    plants_by_name,
    run_sith,
    state_from_moisture,
)
from pyland.diagnose.sith.parameters import LAYER_BOTTOM, LAYER_THICKNESS, WATER_DENSITY
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.setup import Setup, prepare
from pyland.output.atomic import complete_file, write_json
from pyland.output.attributes import TIME_ATTRIBUTES, file_attributes, variable_attributes
from pyland.output.row_files import write_rows
from pyland.subsurface.retention import water_from_head

DAY = np.timedelta64(86400, "s")
"""Step of the model."""

FIELD_HEAD, WILTING_HEAD = -3.4, -152.9
"""Pressure heads of field capacity (-33 kPa) and wilting point (-1.5 MPa) [m]."""

OPTIMUM_DAYS = 30
"""Days of most growth whose mean temperature is the optimum."""

LEAST_OPTIMUM = 278.15
"""Least optimum temperature that is derived [K]; alpine plants grow best at 5 degC and above (Koerner 2003)."""

DEEP_TABLE = 10.0
"""Depth of the water table at the start where nothing says it [m]."""

NEEDED = ("net_radiation", "ground_heat_flux", "evapotranspiration", "transpiration", "soil_water")
"""Variables that the history has to hold."""

PLANT_OF_PREFIX = MappingProxyType({
    "needle_evergreen": "evergreen_needleleaf_forest", "needle_deciduous": "deciduous_needleleaf_forest",
    "broadleaf_evergreen_shrub": "open_shrubland", "broadleaf_deciduous_shrub": "open_shrubland",
    "broadleaf_evergreen": "evergreen_broadleaf_forest", "broadleaf_deciduous": "deciduous_broadleaf_forest",
    "c3_crop": "cropland", "c3_irrigated_crop": "cropland", "corn": "cropland",
    "c3_arctic_grass": "grassland", "c3_grass": "grassland", "c4_grass": "grassland", "bare_ground": "grassland",
})
"""Plant of the model by the beginning of the name of a plant type; the first that fits counts."""


def sith(run: DiagnosedRun) -> Diagnosis:
    """Run the model on what drove a run, compare, write sith.nc, tables and a figure.

    Raises
    ------
    InputError
        If the history lacks a variable or daily records, or the run has no land columns.
    """
    if run.config.is_distributed:
        raise InputError("pyland diagnose CASE sith: expected a run of columns, got subsurface.mode: distributed; "
                         "ground water that flows between cells is not in the model.")
    section = run.config.diagnose.sith
    history = _history(run)
    setup = prepare(run.config, Communicator())
    days, members = _days(history)
    mine = {name: _daily(history, name, setup, days, members) for name in (*NEEDED, "soil_ice", "water_table_depth")
            if name in history}
    weather = _weather(setup, days) | {"net_radiation": mine["net_radiation"],
                                       "ground_heat_flux": mine["ground_heat_flux"]}
    soil, plants = case_soil(setup), case_plants(setup, section.plant)
    optimum = (_optimum(weather) if section.optimum_temperature is None
               else np.full(setup.domain.ncell, section.optimum_temperature))
    water = run_moisture(mine, setup)
    table = _water_table(run, mine, setup.domain.ncell)
    state = state_from_moisture(water[0], table, np.zeros(table.shape), soil.porosity)
    found = run_sith(state, weather, soil, plants, optimum, spinup=section.spinup)
    numbers = compare(found, weather, mine, water, setup, days)
    files = [_write_fields(run.folder / "sith.nc", found, setup, history, days),
             write_rows(run.folder / "scores.csv", numbers["scores"]),
             write_rows(run.folder / "balance.csv", numbers["balance"]),
             write_rows(run.folder / "daily.csv", _daily_rows(found, weather, mine, setup, days))]
    write_json(run.folder / "sith.json", numbers)
    files.append(run.folder / "sith.json")
    if run.with_figures:
        from pyland.view.sith_series import plot_sith

        files.append(plot_sith(run.folder / "daily.csv", run.folder / "sith.png"))
    return Diagnosis(numbers, _text(numbers), tuple(files))


def _history(run: DiagnosedRun) -> xr.Dataset:
    """Return the records that lie within the period, if the history has what is needed."""
    path = run.files.need("history.nc")
    history = read_records(path)
    missing = [name for name in NEEDED if name not in history]
    if missing:
        raise InputError(f"history.nc does not hold {', '.join(missing)}; add it to output.variables and run the case "
                         "again.")
    return history.isel(time=records_of_period(history["time_bounds"].values, run.period, path))


def _days(history: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the start of each whole day since the first record, (day,), and the day of each record, -1 for none."""
    bounds = history["time_bounds"].values.astype("datetime64[s]")
    length = bounds[:, 1] - bounds[:, 0]
    if length.max() > DAY or (DAY % length != np.timedelta64(0, "s")).any():
        raise InputError(f"pyland diagnose CASE sith: expected records that divide a day, got up to "
                         f"{length.max() / np.timedelta64(3600, 's'):g} h; set output.every to 1 day.")
    number = ((bounds[:, 0] - bounds[0, 0]) // DAY).astype(int)
    complete = np.bincount(number, weights=length / DAY) > 1.0 - 1.0 / 86400.0  # to the second
    if not complete.all():  # the last day of a run may be short; a hole is not allowed
        last = int(np.flatnonzero(~complete)[0])
        if complete[last:].any():
            raise InputError(f"history.nc: records are missing on {(bounds[0, 0] + last * DAY)!s:.10}.")
        if last == 0:
            raise InputError("history.nc: expected a whole day of records at least.")
        complete = complete[:last]
        number = np.where(number < last, number, -1)
    return bounds[0, 0] + DAY * np.arange(complete.size), number


def _daily(history: xr.Dataset, name: str, setup: Setup, days: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return daily means of a variable on the cells, (day, [layer,] cell)."""
    values = history[name].values.astype(float)
    if setup.domain.is_grid:
        values = values.reshape(*values.shape[:-2], -1)[..., setup.domain.cell_id]
    values, number = values[number >= 0], number[number >= 0]
    first = np.searchsorted(number, np.arange(days.size))
    counts = np.bincount(number, minlength=days.size)
    return np.add.reduceat(values, first, axis=0) / counts.reshape(-1, *[1] * (values.ndim - 1))


def _water_table(run: DiagnosedRun, mine: dict[str, np.ndarray], ncell: int) -> np.ndarray:
    """Return the depth of the water table at the start, (cell,) [m].

    A column that drains freely has none of its own: what it writes is the depth of its lower end.
    """
    given = run.config.diagnose.sith.water_table_depth
    if given is None and run.config.subsurface.bottom != "free_drainage" and "water_table_depth" in mine:
        return np.nan_to_num(mine["water_table_depth"][0], nan=DEEP_TABLE)
    return np.full(ncell, DEEP_TABLE if given is None else given)


def _weather(setup: Setup, days: np.ndarray) -> dict[str, np.ndarray]:
    """Return daily weather and leaf area of the cells, each (day, cell)."""
    names = ("air_temperature", "surface_pressure", "precipitation", "leaf_area_index")
    out = {name: np.empty((days.size, setup.domain.ncell)) for name in names}
    seconds = DAY / np.timedelta64(1, "s")
    for place, day in enumerate(days):
        weather = setup.forcing.weather(day, seconds)
        out["air_temperature"][place] = weather["air_temperature"]
        out["surface_pressure"][place] = weather["surface_pressure"]
        out["precipitation"][place] = (weather["rain"] + weather["snowfall"]) * seconds
        leaves, _ = setup.surface.leaf_area(day + DAY // 2)
        out["leaf_area_index"][place] = (setup.surface.patch_fraction * leaves).sum(axis=0)
    return out


def case_soil(setup: Setup) -> SithSoil:
    """Return the soil of a case for the model: means over the layers, the conductivity geometric, each (cell,)."""
    surface, weight = setup.surface, setup.layers.thickness / setup.layers.thickness.sum()
    ncell, nlayer = setup.domain.ncell, setup.layers.nlayer
    hydraulic = {name: np.broadcast_to(np.asarray(values, dtype=float), (nlayer, ncell))
                 for name, values in surface.hydraulic.items()}

    def held(head: float) -> np.ndarray:
        return weight @ water_from_head(np.full((nlayer, ncell), head), hydraulic, retention=surface.retention)

    field, wilting = held(FIELD_HEAD), held(WILTING_HEAD)
    conductivity = np.exp(weight @ np.log(hydraulic["saturated_conductivity"]))  # [m s-1]
    return SithSoil(conductivity * WATER_DENSITY * 86400.0, weight @ hydraulic["porosity"],
                    np.log(WILTING_HEAD / FIELD_HEAD) / np.log(field / wilting), field, wilting)


def case_plants(setup: Setup, name: str) -> SithPlants:
    """Return the plants of the cells: one of all, or that of the largest vegetated patch of each.

    Parameters
    ----------
    setup : Setup
        The run.
    name : str
        A plant of the model, or ``auto``.
    """
    surface, ncell = setup.surface, setup.domain.ncell
    if name != "auto":
        return plants_by_name([name] * ncell)
    kinds = [next(plant for prefix, plant in PLANT_OF_PREFIX.items() if one.startswith(prefix))
             for one in surface.patch_types]
    is_bare = np.array([one == "bare_ground" for one in surface.patch_types])
    share = np.where(is_bare[surface.patch_kind], 0.0, surface.patch_fraction)
    largest = np.take_along_axis(surface.patch_kind, np.argmax(share, axis=0)[None], axis=0)[0]
    return plants_by_name([kinds[one] for one in largest])


def _optimum(weather: dict[str, np.ndarray]) -> np.ndarray:
    """Return the mean temperature of the days of most growth, (cell,) [K]."""
    growth = weather["leaf_area_index"] * np.maximum(weather["net_radiation"], 0.0)
    best = np.argsort(growth, axis=0, kind="stable")[-min(OPTIMUM_DAYS, len(growth)):]
    return np.maximum(np.take_along_axis(weather["air_temperature"], best, axis=0).mean(axis=0), LEAST_OPTIMUM)


def run_moisture(mine: dict[str, np.ndarray], setup: Setup) -> np.ndarray:
    """Return the water content of the run, ice included, in the layers of the model, (day, 3, cell) [m3 m-3].

    A layer below the soil of the run has that of the lowest.
    """
    water = mine["soil_water"] + mine.get("soil_ice", 0.0)
    edges = setup.layers.interface_depth
    weight = np.clip(np.minimum(edges[1:], LAYER_BOTTOM[:, None])
                     - np.maximum(edges[:-1], (LAYER_BOTTOM - LAYER_THICKNESS)[:, None]), 0.0, None)
    weight[weight.sum(axis=1) == 0.0, -1] = 1.0
    return np.einsum("kl,dlc->dkc", weight / weight.sum(axis=1, keepdims=True), water)


def compare(
    found: SithDay, weather: dict[str, np.ndarray], mine: dict[str, np.ndarray], water: np.ndarray, setup: Setup,
    days: np.ndarray,
) -> dict[str, Any]:
    """Return scores of the model against the run and its water balance; means over the area."""
    area = setup.domain.area if setup.domain.area.sum() > 0.0 else np.ones(setup.domain.ncell)

    def total(values: np.ndarray) -> float:
        return float(np.average(values.sum(axis=0), weights=area))

    seconds = 86400.0
    own_et, own_transpiration = mine["evapotranspiration"] * seconds, mine["transpiration"] * seconds
    rows = [("evapotranspiration [mm d-1]", found.evapotranspiration, own_et),
            ("transpiration [mm d-1]", found.transpiration, own_transpiration),
            ("soil moisture 0-5 cm [m3 m-3]", found.moisture[:, 0], water[:, 0]),
            ("soil moisture 5-150 cm [m3 m-3]", found.moisture[:, 1], water[:, 1])]
    scores = []
    for name, sith_values, run_values in rows:
        one = score(sith_values, run_values)
        scores.append({"variable": name, "run": one["mean_obs"], "sith": one["mean_obs"] + one["bias"],
                       "difference": one["bias"], "rmse": one["rmse"], "r": one["r"]})
    parts = {"precipitation": weather["precipitation"], "evapotranspiration": found.evapotranspiration,
             "transpiration": found.transpiration, "soil_evaporation": found.soil_evaporation,
             "interception": found.interception, "sublimation": found.sublimation,
             "surface_runoff": found.surface_runoff, "base_flow": found.base_flow}
    balance = [{"term": name, "sith": total(values),
                "run": {"evapotranspiration": total(own_et), "transpiration": total(own_transpiration)}.get(name)}
               for name, values in parts.items()]
    change = total(parts["precipitation"]) - sum(total(parts[name]) for name in (
        "evapotranspiration", "surface_runoff", "base_flow"))
    balance.append({"term": "storage_change", "sith": change - total(found.residual), "run": None})
    return {
        "start": str(days[0]), "days": int(days.size), "cells": int(area.size), "scores": scores, "balance": balance,
        "transpiration_share": {"sith": total(found.transpiration) / total(found.evapotranspiration),
                                "run": total(own_transpiration) / total(own_et)},
        "largest_residual": float(np.abs(found.residual).max()),
        "unlimited_less_limited_transpiration": total(found.unlimited_transpiration) - total(found.transpiration),
    }


def _write_fields(path: Path, found: SithDay, setup: Setup, history: xr.Dataset, days: np.ndarray) -> Path:
    """Write the daily fields of the model on the grid of the run."""
    domain = setup.domain
    flat = ("y", "x") if domain.is_grid else ("site",)
    coords = {name: history[name] for name in ("latitude", "longitude", "x", "y", "site", "station")
              if name in history.coords}
    out = xr.Dataset(coords=coords)
    per_second = {"evapotranspiration": found.evapotranspiration, "transpiration": found.transpiration,
                  "soil_evaporation": found.soil_evaporation, "canopy_evaporation": found.interception,
                  "sublimation": found.sublimation, "surface_runoff": found.surface_runoff,
                  "subsurface_runoff": found.base_flow}
    fields = {name: (values / 86400.0, variable_attributes(name)) for name, values in per_second.items()}
    fields["soil_moisture"] = (found.moisture, {
        "long_name": "volumetric water content of the soil at the end of the day", "units": "m3 m-3"})
    fields["water_table_depth"] = (found.water_table_depth, variable_attributes("water_table_depth"))
    fields["snow_mass"] = (found.snow, variable_attributes("snow_mass"))
    for name, (values, attributes) in fields.items():
        whole = domain.to_grid(values) if domain.is_grid else values
        dims = ("time", "sith_layer", *flat) if name == "soil_moisture" else ("time", *flat)
        method = "time: point" if name in ("soil_moisture", "water_table_depth", "snow_mass") else "time: mean"
        out[name] = (dims, whole.astype(np.float32), attributes | {"cell_methods": method})
    edges = np.stack([LAYER_BOTTOM - LAYER_THICKNESS, LAYER_BOTTOM], axis=1)
    stamps = np.stack([days, days + DAY], axis=1).astype(np.int64).astype(float)
    out = out.assign_coords(
        time=("time", stamps[:, 1], {**TIME_ATTRIBUTES, "bounds": "time_bounds"}),
        sith_layer=("sith_layer", edges.mean(axis=1), {
            "long_name": "depth of the middle of the layer", "units": "m", "positive": "down", "axis": "Z",
            "standard_name": "depth", "bounds": "sith_layer_bounds"}))
    out["time_bounds"], out["sith_layer_bounds"] = (("time", "bound"), stamps), (("sith_layer", "bound"), edges)
    out.attrs = file_attributes("A light model of evapotranspiration beside a run",
                                "pyland diagnose sith, after SiTHv2; docs/theory/sith.md")
    for name in out.variables:
        out[name].encoding = {"_FillValue": np.float32(np.nan), "zlib": True} if out[name].dtype == np.float32 else {
            "_FillValue": None}
    with complete_file(path) as partial:
        out.to_netcdf(partial, engine="netcdf4")
    return path


def _daily_rows(
    found: SithDay, weather: dict[str, np.ndarray], mine: dict[str, np.ndarray], setup: Setup, days: np.ndarray
) -> list[dict[str, Any]]:
    """Return a row per day, means over the area: fluxes [mm d-1] and soil moisture [m3 m-3]."""
    area = setup.domain.area if setup.domain.area.sum() > 0.0 else np.ones(setup.domain.ncell)
    water = run_moisture(mine, setup)
    columns = {
        "date": [str(day)[:10] for day in days], "precipitation": weather["precipitation"],
        "sith_evapotranspiration": found.evapotranspiration, "sith_transpiration": found.transpiration,
        "run_evapotranspiration": mine["evapotranspiration"] * 86400.0,
        "run_transpiration": mine["transpiration"] * 86400.0,
        "sith_moisture_0_5cm": found.moisture[:, 0], "run_moisture_0_5cm": water[:, 0],
        "sith_moisture_5_150cm": found.moisture[:, 1], "run_moisture_5_150cm": water[:, 1],
    }
    means = {name: values if name == "date" else np.average(values, axis=-1, weights=area)
             for name, values in columns.items()}
    return [dict(zip(means, row, strict=True)) for row in zip(*means.values(), strict=True)]


def _text(numbers: dict[str, Any]) -> str:
    """Return a short table."""
    lines = [f"SiTHv2-like model on the weather of the run, {numbers['days']} days from {numbers['start'][:10]}, "
             f"{numbers['cells']} cells", f"{'':34s}{'run':>9s}{'sith':>9s}{'rmse':>9s}{'r':>7s}"]
    lines += [f"{one['variable']:34s}{one['run']:9.3f}{one['sith']:9.3f}{one['rmse']:9.3f}{_number(one['r'])}"
              for one in numbers["scores"]]
    share = numbers["transpiration_share"]
    lines.append(f"{'transpiration of all evaporation':34s}{share['run']:9.3f}{share['sith']:9.3f}")
    lines.append(f"balance of the model closes to {numbers['largest_residual']:.1e} mm in every cell and day; "
                 f"transpiration reported before the limit of the soil would be "
                 f"{numbers['unlimited_less_limited_transpiration']:.1f} mm more")
    return "\n".join(lines)


def _number(value: float) -> str:
    """Return a correlation as tables have it, ``-`` where it is not defined."""
    return f"{value:7.2f}" if np.isfinite(value) else f"{'-':>7s}"
