"""What prior and posterior of a calibration predict, and the effects of a screening."""

from __future__ import annotations

import csv
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.view.style import (
    ANALYSIS,
    OBSERVED,
    OPEN_LOOP,
    WIDTH,
    legend_above,
    panel_grid,
    plain_dates,
    pyplot,
    save,
    unit_sign,
)


def plot_predictions(path: str | Path, target: str | Path) -> Path:
    """Draw observations, prior and posterior (mean and 5 to 95 %) in time, the withheld period on grey ground.

    Observations of one time are shown by their mean.

    Parameters
    ----------
    path : path
        ``predicted.nc`` of a calibration.
    target : path
        PNG file.
    """
    plt = pyplot()
    try:
        data = netCDF4.Dataset(path)
    except OSError as error:
        raise InputError(f"{path}: no file that can be read ({error}); `pyland calibrate` writes it.") from error
    with data:
        names = list(data.groups)
        figure, axes = plt.subplots(len(names), 1, figsize=(WIDTH, 2.4 * len(names) + 0.5), squeeze=False, sharex=True)
        for axis, name in zip(axes[:, 0], names, strict=True):
            group = data[name]
            times, place = np.unique(np.array(group["time"][:]), return_inverse=True)
            count = np.bincount(place)

            def mean(values: np.ndarray, place: np.ndarray = place, count: np.ndarray = count) -> np.ndarray:
                return np.bincount(place, np.ma.filled(values, np.nan)) / count

            when = times.astype("datetime64[s]")
            for who, colour, words in (("prior", OPEN_LOOP, "prior"), ("posterior", ANALYSIS, "posterior")):
                low, _, high = (mean(row) for row in group[f"{who}_quantiles"][:])
                axis.fill_between(when, low, high, color=colour, alpha=0.2, linewidth=0)
                axis.plot(when, mean(group[f"{who}_mean"][:]), color=colour, label=f"{words} (mean, 5–95 %)")
            axis.plot(when, mean(group["case"][:]), color="0.45", linestyle="--", linewidth=1.2, label="case as it is")
            axis.plot(when, mean(group["observed"][:]), ".", color=OBSERVED, markersize=4, label="observed")
            withheld = mean(group["period"][:].astype(float)) > 0.5
            if withheld.any():
                axis.axvspan(when[withheld][0], when[withheld][-1], color="0.5", alpha=0.12, linewidth=0,
                             label="withheld")
            units = group["observed"].units
            axis.set_ylabel(f"{name.replace('_', ' ')}\n[{unit_sign(units)}]")
        plain_dates(plt, axes[-1, 0])
    axes[-1, 0].set_xlabel("time (UTC)")
    legend_above(figure, axes[:, 0])
    return save(figure, target)


def plot_effects(path: str | Path, target: str | Path) -> Path:
    """Draw elementary effects: their spread against their mean size, a panel for each output.

    Parameters
    ----------
    path : path
        ``morris.csv``.
    target : path
        PNG file.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    outputs = list(dict.fromkeys(row["output"] for row in rows))
    figure, axes = panel_grid(len(outputs), 2.9)
    for axis, output in zip(axes.ravel(), outputs, strict=False):
        mine = [row for row in rows if row["output"] == output]
        size, spread = (np.array([float(row[name]) for row in mine]) for name in ("mu_star", "sigma"))
        error = np.array([float(row["mu_star_error"]) for row in mine])
        axis.errorbar(size, spread, xerr=error, fmt="o", color=ANALYSIS, markersize=4, elinewidth=0.8)
        for row, x, y in zip(mine, size, spread, strict=True):
            axis.annotate(row["name"].replace("_", " "), (x, y), textcoords="offset points", xytext=(4, 4), fontsize=7)
        top = 1.15 * max(size.max(), spread.max())
        axis.plot([0, top], [0, top], color="0.6", linewidth=0.8, linestyle=":")
        units = unit_sign(mine[0]["units"])
        axis.set(title=output.replace("_", " "), xlabel=rf"mean absolute effect $\mu^*$ [{units}]",
                 ylabel=rf"spread $\sigma$ [{units}]", xlim=(0, None), ylim=(0, None))
        axis.locator_params(nbins=5)
    return save(figure, target)


__all__ = ["plot_effects", "plot_predictions"]
