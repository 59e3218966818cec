"""Maps of one variable of a run at several instants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.view import style
from pyland.view.shown_fields import (
    Choice,
    colours_of,
    field_of,
    layer_words,
    long_name,
    open_lazily,
    people_units,
    times_of,
)

PANELS = 6
"""Instants that are shown if none is asked for."""

_SHAPES = (0.4, 1.6)  # least and largest height by width that a figure is made for


def plot_maps(
    history: str | Path, path: str | Path, choice: Choice, times: Sequence[np.datetime64] = (), title: str = ""
) -> Path:
    """Draw a variable at some instants, with one range of colours.

    Parameters
    ----------
    history : str or Path
        ``history.nc`` on a grid.
    path : str or Path
        PNG file.
    choice : Choice
        Variable, statistic and layer.
    times : sequence of numpy.datetime64
        Instants; the nearest records are shown. Without any, ``PANELS`` spread over the run.
    title : str
        Name of the run.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the run is no map, or does not hold what is asked for.
    """
    with open_lazily(history) as data:
        field = field_of(data, choice, history)
        if "x" not in field.dims:
            raise InputError(f"{history}: maps need a run on a grid; this one is a list of stations. Use `series`.")
        shown = times_of(data, times, PANELS)
        values, unit = people_units(field.isel(time=shown).values, field.attrs.get("units", ""), choice.statistic)
        extent, length = style.map_extent(data)
        stamps = [style.moment(data, place) for place in shown]
        words = layer_words(data, choice)
    shape = style.map_shape(extent, *_SHAPES)
    figure, axes = style.panel_grid(len(shown), 0.7 + style.WIDTH / 3.4 * shape, is_narrow=True)
    low, high = (float(one) for one in np.nanpercentile(values, [1, 99]))
    colours = {"vmin": low, "vmax": high if high > low else low + 1.0,
               "cmap": colours_of(choice.variable, choice.statistic)}
    for place, axis in enumerate(axes.ravel()[: len(shown)]):
        image = axis.imshow(values[place], origin="lower", extent=extent, aspect="equal", **colours)
        axis.set_title(stamps[place], fontsize=10)
        axis.grid(False)
        axis.locator_params(nbins=4)
        axis.tick_params(labelsize=9)
    across = axes.shape[1]
    for place, axis in enumerate(axes.ravel()[: len(shown)]):
        if place % across == 0:
            axis.set_ylabel(f"y [{length}]")
        if place + across >= len(shown):
            axis.set_xlabel(f"x [{length}]")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01, aspect=24, extend="both")
    bar.set_label(unit)
    figure.suptitle(_title(choice, words, title), fontsize=12)
    return style.save(figure, path)


def _title(choice: Choice, layer: str, run: str) -> str:
    """Say what is shown."""
    statistic = {"mean": "", "std": ", spread of the members"}.get(choice.statistic, f", {choice.statistic}")
    return f"{long_name(choice.variable)}{layer}{statistic}{f' – {run}' if run else ''} (end of the interval, UTC)"
