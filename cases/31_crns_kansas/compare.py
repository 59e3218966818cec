"""Judge the case by counts that were not assimilated: ``python compare.py [RUN]``.

Counts of the open loop and of the analysis are those of COSMIC over soil water and ice of their records (means over six
hours). Prints a table in Markdown and writes RUN/figures/counts.png.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.config import load_case
from pyland.observe.neutrons import cosmic, lattice_water

HOURS = np.timedelta64(6 * 3600, "s")


def predicted(history: Path, operator: object, clay: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ends of the records, counts of COSMIC [h-1] and water and ice between 0 and 10 cm [m3 m-3], (time,)."""
    with xr.open_dataset(history) as data:
        water = (data["soil_water"] + data["soil_ice"]).transpose("layer", ...).values.reshape(data.sizes["layer"], -1)
        bounds = data["layer_bounds"].values
        times = data["time_bounds"].values[:, 1]
    thickness = np.diff(bounds, axis=1)[:, 0]
    counts = cosmic(water, thickness, operator.bulk_density, n=operator.n, lattice_water=lattice_water(clay)).counts
    part = np.clip(0.1 - bounds[:, 0], 0.0, thickness)
    return times, counts, part @ water / part.sum()


def scores(model: np.ndarray, seen: np.ndarray) -> list[float]:
    """Return bias, RMSE, RMSE without bias [h-1] and correlation [1]."""
    error = model - seen
    return [error.mean(), np.sqrt(np.mean(error**2)), error.std(), np.corrcoef(model, seen)[0, 1]]


def main(run: Path) -> None:
    """Print the table and draw the figure."""
    config = load_case(Path(__file__).parent)
    operator, clay = config.observations[0].operator, config.surface.soil.texture.clay
    with xr.open_dataset(run / "analysis.nc") as data:
        when, seen = data["observation_time"].values, data["value"].values
        reasons = dict(zip(data["rejection"].attrs["flag_meanings"].split(),
                           np.atleast_1d(data["rejection"].attrs["flag_values"]), strict=True))
        is_test = data["rejection"].values == reasons["withheld"]
    series = {name: predicted(run / file, operator, clay) for name, file in (
        ("open loop", "open_loop/history.nc"), ("analysis", "history.nc"))}
    print(f"{is_test.sum()} counts of six hours that were not assimilated, of {is_test.size}:\n")
    print("| | bias | RMSE | RMSE without bias | r |\n|---|---|---|---|---|")
    for name, (times, counts, _) in series.items():
        row = np.searchsorted(times, when[is_test])
        bias, error, centred, r = scores(counts[np.minimum(row, times.size - 1)], seen[is_test])
        print(f"| {name} [h-1] | {bias:+.1f} | {error:.1f} | {centred:.1f} | {r:.2f} |")
    draw(run, when, seen, is_test, series)


def draw(run: Path, when: np.ndarray, seen: np.ndarray, is_test: np.ndarray, series: dict) -> None:
    """Draw counts and soil water."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
    upper.plot(when[~is_test], seen[~is_test], ".", color="0.7", label="assimilated, or rejected")
    upper.plot(when[is_test], seen[is_test], ".", color="k", label="withheld")
    for (name, (times, counts, water)), colour in zip(series.items(), ("tab:orange", "tab:blue"), strict=True):
        upper.plot(times, counts, color=colour, label=name)
        lower.plot(times, water, color=colour)
    upper.set_ylabel("neutrons [h$^{-1}$]")
    upper.legend(ncols=4, fontsize="small")
    lower.set_ylabel("soil water and ice, 0-10 cm [m$^3$ m$^{-3}$]")
    (run / "figures").mkdir(exist_ok=True)
    figure.savefig(run / "figures" / "counts.png", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "run"))
