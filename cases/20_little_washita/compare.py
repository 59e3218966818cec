"""Compare a run with ParFlow-CLM and draw both: ``python compare.py [RUN]``.

The reference is looked for in the mirror that PYLAND_DATA names and in the data folder. What the history does not hold
(fluxes of a run without a land model) is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.data_folder import find_data
from pyland.view import style

REFERENCE = "little_washita/reference/little_washita_parflow_clm_120h.nc"
FLUXES = {  # name in the history: name in the reference, words
    "latent_heat_flux": ("eflx_lh_tot", "latent heat"),
    "sensible_heat_flux": ("eflx_sh_tot", "sensible heat"),
    "ground_heat_flux": ("eflx_soil_grnd", "ground heat"),
    "longwave_up": ("eflx_lwrad_out", "outgoing longwave"),
}
ROOT_LAYERS = 10  # layers from the top that ParFlow-CLM takes water from, 20 m
DAY = 24
MILLIMETRES = 1000.0
AREA = 41 * 41 * 1.0e6  # [m2]
COLOURS = (style.OPEN_LOOP, style.ANALYSIS, style.PEERS[0])


def hours_of(run: xr.Dataset, start: np.datetime64) -> np.ndarray:
    """Return the ends of the intervals of a run, hours since the start of the reference."""
    ends = run["time_bounds"].values[:, 1]
    return np.rint((ends - start) / np.timedelta64(1, "h")).astype(int)


def root_mean_square(values: np.ndarray) -> float:
    """Return the root of the mean square of differences."""
    return float(np.sqrt(np.mean(np.square(values))))


def water_table(heads: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Return the depth of the top of the zone that is full from the base up, (y, x) [m], as pyland's history has it."""
    full = np.logical_and.accumulate((heads >= 0.0)[::-1], axis=0)[::-1]
    top = np.argmax(full, axis=0)
    table = depth[top] - np.take_along_axis(heads, top[None], 0)[0]
    return np.where(full.any(axis=0), np.maximum(table, 0.0), depth[-1] + depth[0])


def compare_fluxes(run: xr.Dataset, other: xr.Dataset, hours: np.ndarray) -> list[str]:
    """Print the domain means of days and the RMSE of hours; return the fluxes that the run has."""
    names = [name for name in FLUXES if name in run]
    if not names:
        print("fluxes: the history has none (land.model: none)")
        return names
    print(f"{'domain mean [W m-2]':22s} {'day':>4s} {'pyland':>9s} {'ParFlow':>9s} {'difference':>11s} "
          f"{'RMSE of hours':>14s}")
    for name in names:
        label, words = FLUXES[name]
        mine = run[name].mean(("y", "x")).values
        theirs = other[label].isel(time=hours).mean(("y", "x")).values
        for first in range(0, len(hours), DAY):
            day = slice(first, first + DAY)
            print(f"{words:22s} {first // DAY + 1:4d} {mine[day].mean():9.2f} {theirs[day].mean():9.2f} "
                  f"{mine[day].mean() - theirs[day].mean():11.2f} {root_mean_square(mine[day] - theirs[day]):14.2f}")
    return names


def compare_ground(run: xr.Dataset, other: xr.Dataset, hours: np.ndarray) -> None:
    """Print how far heads and saturation are away at the end of each day."""
    parts = {"top layer": slice(0, 1), "root zone": slice(0, ROOT_LAYERS), "below": slice(ROOT_LAYERS, None)}
    print(f"{'RMSE after':12s} " + " ".join(f"{f'{unit}, {part}':>22s}" for unit in ("head [m]", "saturation")
                                            for part in parts))
    for place in range(DAY - 1, len(hours), DAY):
        found = []
        for name in ("pressure_head", "saturation"):
            away = run[name].isel(time=place).values - other[name].isel(time=hours[place]).values[::-1]
            found += [root_mean_square(away[part]) for part in parts.values()]
        print(f"{hours[place]:4d} h       " + " ".join(f"{value:22.3e}" for value in found))


def compare_water(balance: xr.Dataset, other: xr.Dataset, hours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Print the water balance of the days; return storage since the start [mm], (model, hour), and outflow [mm/h]."""
    ours = {
        "rain": balance["precipitation"].values,
        "evaporation": balance["evaporation"].values - balance["source"].values if "source" in balance
        else balance["evaporation"].values,
        "outflow": balance["discharge"].values + balance["surface_runoff"].values,
        "storage": balance["storage_change"].values,
    }
    stored = (other["storage_subsurface"] + other["storage_surface"]).values
    theirs = {
        "rain": other["rain"].values[hours],
            # of the rain, CLM's net source is what reaches the ground: the rest evaporated, or lies on leaves
        "evaporation": (other["rain"] - other["net_source"]).values[hours],
        "outflow": other["outflow"].values[hours],
        "storage": stored[hours] - stored[hours - 1],
    }
    to_depth = MILLIMETRES / AREA
    print(f"{'water [mm]':12s} {'day':>4s} " + " ".join(f"{name:>22s}" for name in ours))
    print(f"{'':17s} " + " ".join(f"{'pyland':>11s}{'ParFlow':>11s}" for _ in ours))
    for first in range(0, len(hours), DAY):
        day = slice(first, first + DAY)
        both = (f"{ours[name][day].sum() * to_depth:11.4f}{theirs[name][day].sum() * to_depth:11.4f}" for name in ours)
        print(f"{'':12s} {first // DAY + 1:4d} " + " ".join(both))
    for name in ("outflow", "storage"):
        away = (ours[name] - theirs[name]) * to_depth
        print(f"RMSE of hourly {name}: {root_mean_square(away):.3e} mm; largest difference {np.abs(away).max():.3e} mm")
    print(f"residual of the hours: pyland at most {np.abs(balance['residual'].values).max():.3e} m3")
    storage = np.stack([np.cumsum(one["storage"]) for one in (ours, theirs)]) * to_depth
    return storage, np.stack([ours["outflow"], theirs["outflow"]]) * to_depth


def draw(
    run: xr.Dataset, other: xr.Dataset, hours: np.ndarray, names: list[str], storage: np.ndarray, outflow: np.ndarray,
    path: Path,
) -> Path:
    """Draw the water tables at the end, the fluxes, and storage and outflow."""
    plt = style.pyplot()
    figure, axes = plt.subplots(2, 2, figsize=(style.WIDTH, 8.0))
    extent, unit = style.map_extent(run)
    depth = run["layer"].values
    heads = other["pressure_head"].isel(time=hours[-1]).values[::-1]
    tables = (run["water_table_depth"].values[-1], water_table(heads, depth))
    scale = {"vmin": 0.0, "vmax": float(np.nanpercentile(tables[1], 99.0)), "cmap": "viridis"}
    for axis, table, who in zip(axes[0], tables, ("pyland", "ParFlow-CLM"), strict=True):
        image = axis.imshow(table, origin="lower", extent=extent, **scale)
        axis.set_title(f"water table depth, {who}, {hours[-1]} h")
        axis.set_xlabel(f"x [{unit}]")
        axis.grid(False)
    axes[0, 0].set_ylabel(f"y [{unit}]")
    bar = figure.colorbar(image, ax=axes[0], shrink=0.9)
    bar.set_label("m")
    bar.ax.grid(False)
    shown = [name for name in names if name != "longwave_up"]
    for name, colour in zip(shown, COLOURS, strict=False):
        label, words = FLUXES[name]
        axes[1, 0].plot(hours, run[name].mean(("y", "x")), color=colour, label=words)
        axes[1, 0].plot(hours, other[label].isel(time=hours).mean(("y", "x")), color=colour, linestyle=":")
    axes[1, 0].set_title("heat fluxes, domain mean (dotted: ParFlow-CLM)" if shown else "no land model, no heat fluxes")
    axes[1, 0].set_ylabel(r"W m$^{-2}$")
    if shown:
        axes[1, 0].set_ylim(top=1.4 * axes[1, 0].get_ylim()[1])  # room for the legend
        axes[1, 0].legend(loc="upper left")
    axes[1, 1].plot(hours, storage[0], color=style.ANALYSIS, label="change of storage")
    axes[1, 1].plot(hours, storage[1], color=style.ANALYSIS, linestyle=":")
    axes[1, 1].plot(hours, -np.cumsum(outflow[0]), color=style.OPEN_LOOP, label="outflow, negative")
    axes[1, 1].plot(hours, -np.cumsum(outflow[1]), color=style.OPEN_LOOP, linestyle=":")
    axes[1, 1].set_title("water since the start (dotted: ParFlow-CLM)")
    axes[1, 1].set_ylabel("mm")
    axes[1, 1].legend()
    for axis in axes[1]:
        axis.set_xlabel("hours since 1998-10-01 05 UTC")
    path.parent.mkdir(exist_ok=True)
    return style.save(figure, path)


def main() -> int:
    """Compare and draw; return an exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "run"
    place = find_data(REFERENCE)
    if place is None:
        print(f"{REFERENCE} is not here; set PYLAND_DATA to a mirror that has it. Nothing to compare with.")
        return 0
    with xr.open_dataset(folder / "history.nc") as run, xr.open_dataset(folder / "balance.nc") as balance, \
            xr.open_dataset(place) as other:
        hours = hours_of(run, other["time"].values[0])
        names = compare_fluxes(run, other, hours)
        compare_ground(run, other, hours)
        storage, outflow = compare_water(balance, other, hours)
        print(draw(run, other, hours, names, storage, outflow, folder / "figures" / "comparison.png"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
