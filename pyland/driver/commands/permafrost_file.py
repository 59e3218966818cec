"""``permafrost.nc`` of ``pyland diagnose CASE permafrost``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pyland.diagnose.permafrost import n_factor
from pyland.diagnose.permafrost.classes import THERMAL_CLASSES, ZONES, area_shares, zone_of_share
from pyland.domain import Domain
from pyland.output.attributes import TIME_ATTRIBUTES, file_attributes

if TYPE_CHECKING:
    from pyland.driver.commands.permafrost import FrozenGround
    from pyland.driver.commands.permafrost_comparison import Learned

_PER_YEAR = "time: mean"


def permafrost_dataset(
    ground: FrozenGround, domain: Domain, frame: xr.Dataset, section: Any, learned: Mapping[str, Learned]
) -> xr.Dataset:
    """Return the results as maps, one record per year.

    Parameters
    ----------
    ground : FrozenGround
        Results over the modelled cells.
    domain : Domain
        All cells.
    frame : xarray.Dataset
        Horizontal coordinates of the history.
    section : PermafrostSection
        Settings.
    learned : mapping of str to Learned
        What learned models say, by target.
    """
    flat = ("y", "x") if domain.is_grid else ("site",)
    state, years = ground.state, ground.years
    out = xr.Dataset(coords=frame.coords)

    def add(name: str, values: np.ndarray, dims: tuple[str, ...], units: str, words: str, **more: Any) -> None:
        values = np.asarray(values, dtype=float)
        values = domain.to_grid(values) if domain.is_grid else values
        out[name] = ((*dims, *flat), values.astype(np.float32), {"long_name": words, "units": units, **more})

    def add_class(name: str, values: np.ndarray, dims: tuple[str, ...], words: str, meanings: tuple[str, ...]) -> None:
        whole = domain.to_grid(values, -1) if domain.is_grid else values
        out[name] = ((*dims, *flat), whole.astype(np.int8), {
            "long_name": words, "flag_values": np.arange(len(meanings), dtype=np.int8),
            "flag_meanings": " ".join(meanings)})
        out[name].encoding["_FillValue"] = np.int8(-1)

    add_class("permafrost", state.permafrost.astype(int), ("time",), "permafrost: ground frozen for two years",
              ("absent", "present"))
    add("active_layer_thickness", state.active_layer, ("time",), "m",
        "ground above permafrost that thaws and freezes within the year", cell_methods="time: maximum")
    add("permafrost_table_depth", state.table, ("time",), "m", "depth of the top of permafrost",
        cell_methods="time: maximum")
    add("permafrost_base_depth", state.base, ("time",), "m", "depth of the lower end of permafrost")
    add("talik_thickness", state.talik, ("time",), "m", "unfrozen ground between active layer and permafrost")
    add("frost_depth", state.frost_depth, ("time",), "m", "greatest depth of frost where there is no permafrost",
        cell_methods="time: maximum")
    add("top_of_permafrost_temperature", state.top_temperature, ("time",), "K",
        "annual mean temperature at the top of permafrost", cell_methods=_PER_YEAR)
    add("mean_annual_ground_temperature", ground.magt + 273.15, ("time",), "K",
        "annual mean temperature at the depth of zero amplitude", cell_methods=_PER_YEAR)
    add("zero_amplitude_depth", ground.zero_depth, (), "m", "depth of zero annual amplitude of temperature",
        amplitude_limit=f"{section.amplitude_limit:g} K")
    add("annual_mean_temperature", years.mean.mean(axis=0), ("thermal_layer",), "K",
        "annual mean temperature of the ground, mean of all years")
    add("annual_maximum_temperature", years.maximum.mean(axis=0), ("thermal_layer",), "K",
        "annual maximum temperature of the ground, mean of all years")
    add("annual_minimum_temperature", years.minimum.mean(axis=0), ("thermal_layer",), "K",
        "annual minimum temperature of the ground, mean of all years")
    for name, words, one in (("air", "air", ground.air), ("surface", "ground below the snow", ground.surface)):
        if one is not None:
            add(f"{name}_thawing_index", one.thawing, ("time",), "K d", f"thawing index of the {words}",
                cell_methods="time: sum")
            add(f"{name}_freezing_index", one.freezing, ("time",), "K d", f"freezing index of the {words}",
                cell_methods="time: sum")
    if ground.air is not None and ground.surface is not None:
        for name in ("thawing", "freezing"):
            add(f"n_factor_{name}", n_factor(getattr(ground.surface, name), getattr(ground.air, name)), ("time",), "1",
                f"{name} index of the ground below the snow over that of the air")
    add_class("thermal_class", ground.thermal_class, (), "thermal class of permafrost (Ran et al. 2021)",
              ("no_permafrost", *THERMAL_CLASSES))
    band = np.floor(ground.elevation / section.elevation_band).astype(int)
    groups, shares = area_shares(ground.permafrost, ground.area, band)
    add_class("permafrost_zone", zone_of_share(shares)[np.searchsorted(groups, band)], (),
              f"zone of the band of elevation ({section.elevation_band:g} m) by its share of permafrost", ZONES)
    add("elevation", ground.elevation, (), "m", "height above sea level", standard_name="surface_altitude")
    for target, one in learned.items():
        units = "degC" if target == "magt" else "m"
        add(f"learned_{target}", one.field.mean, (), units, f"{target} of learned models, mean of the ensemble")
        add(f"learned_{target}_std", one.field.spread, (), units, f"{target} of learned models, standard deviation")
    return _with_axes(out, ground, frame)


def _with_axes(out: xr.Dataset, ground: FrozenGround, frame: xr.Dataset) -> xr.Dataset:
    """Add time, depth and the attributes of the file."""
    seconds = [np.asarray(one).astype("datetime64[s]").astype(np.int64).astype(float)
               for one in (ground.years.start, ground.years.end)]
    out = out.assign_coords(
        time=("time", seconds[1], {**TIME_ATTRIBUTES, "bounds": "time_bounds"}),
        thermal_layer=("thermal_layer", ground.years.depth, {
            "long_name": "depth of the middle of the layer", "units": "m", "positive": "down", "axis": "Z",
            "standard_name": "depth"}))
    out["time_bounds"] = (("time", "bound"), np.stack(seconds, axis=1))
    for name in frame.coords:
        out[name].attrs = dict(frame[name].attrs)
    for name in out.variables:
        is_field = out[name].dtype == np.float32
        out[name].encoding |= {"zlib": True} if is_field else {}
        out[name].encoding.setdefault("_FillValue", np.float32(np.nan) if is_field else None)
    out.attrs = file_attributes("Frozen ground of a run", "pyland diagnose permafrost; docs/theory/permafrost.md")
    return out
