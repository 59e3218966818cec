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
    """Draw elementary effects, a panel for each output: mean size with its error as bars, their spread as rings.

    Parameters
    ----------
    path : path
        ``morris.csv``.
    target : path
        PNG file.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    outputs, names = (list(dict.fromkeys(row[key] for row in rows)) for key in ("output", "name"))
    figure, axes = panel_grid(len(outputs), 1.1 + 0.24 * len(names))
    place = np.arange(len(names))
    for number, (axis, output) in enumerate(zip(axes.ravel(), outputs, strict=False)):
        mine = [row for row in rows if row["output"] == output]
        size, spread, error = (np.array([float(row[key]) for row in mine])
                               for key in ("mu_star", "sigma", "mu_star_error"))
        axis.barh(place, size, xerr=error, color=ANALYSIS, alpha=0.7, error_kw={"elinewidth": 0.9},
                  label=r"mean absolute effect $\mu^*$ with standard error")
        axis.plot(spread, place, "o", color=OPEN_LOOP, markerfacecolor="none", label=r"spread $\sigma$")
        words = [name.replace("_", " ") for name in names] if number % axes.shape[1] == 0 else []
        axis.set_yticks(place, words or [""] * len(names), fontsize=8)
        axis.invert_yaxis()
        axis.set_title(output.replace("_", " "), fontsize=10)
        axis.set_xlabel(f"[{unit_sign(mine[0]['units'])}]")
        axis.set_xlim(0, None)
        axis.locator_params(axis="x", nbins=4)
    legend_above(figure, axes.ravel()[:1])
    return save(figure, target)


__all__ = ["plot_effects", "plot_predictions"]
