"""Look of all figures: colours that colour-blind readers tell apart, labels with units, sizes for a README."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError, UnavailableError
from pyland.output.atomic import complete_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pyland.diagnose.analysis_file import ObservedEnsemble

# Okabe and Ito (2008), Color Universal Design.
TRUTH = "#000000"
OPEN_LOOP = "#D55E00"
ANALYSIS = "#0072B2"
OBSERVED = "#333333"
PEERS = ("#009E73", "#CC79A7", "#56B4E9")

DOTS_PER_INCH = 150
WIDTH = 9.0
"""Width of a figure [inch]; 1350 pixels, legible at half of it."""

LABELS = {
    "Qle": "Latent heat flux",
    "Qh": "Sensible heat flux",
    "Qg": "Ground heat flux",
    "Rnet": "Net radiation",
    "SWup": "Upward shortwave",
    "LWup": "Upward longwave",
    "GPP": "Gross primary production",
    "TSurf": "Surface temperature",
    "SWE": "Snow mass",
    "SnowDepth": "Snow depth",
    "SoilMoist": "Soil water",
    "SoilTemp": "Soil temperature",
}
"""Words for ALMA names; names with a depth are looked up by their prefix."""

UNITS = {
    "GPP": r"$\mu$mol m$^{-2}$ s$^{-1}$",
    "TSurf": "K",
    "SWE": r"kg m$^{-2}$",
    "SnowDepth": "m",
    "SoilTemp": "K",
    "SoilMoist": r"m$^3$ m$^{-3}$",
}
"""Units of ALMA variables that are not W m-2."""

_LARGE_MAP = 5000.0  # extent from which a map is labelled in kilometres [m]

LEAST_SHARE = 0.75
"""Least distance of two labels of a time axis, as a share of their median distance [1]."""

SOIL_WATER_UNIT = r"m$^3$ m$^{-3}$"


def pyplot() -> Any:
    """Import matplotlib for files, without a screen.

    Raises
    ------
    UnavailableError
        If matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise UnavailableError(
            "Figures need matplotlib, which is not installed. Install it with: pip install 'pyland[plot]'"
        ) from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "legend.fontsize": 10,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "lines.linewidth": 1.6,
            "figure.constrained_layout.use": True,
        }
    )
    return plt


def panel_grid(count: int, height: float, *, is_narrow: bool = False) -> tuple[Figure, np.ndarray]:
    """Make a figure of panels, three in a row.

    Parameters
    ----------
    count : int
        Panels, at least 1; those that fill up the last row are not shown.
    height : float
        Of a panel [inch].
    is_narrow : bool
        Whether a figure of fewer than three panels is narrower than ``WIDTH``.

    Returns
    -------
    figure : Figure
    axes : numpy.ndarray of matplotlib.axes.Axes, shape (row, 1 to 3)
    """
    across = min(count, 3)
    rows = -(-count // across)
    width = max(across, 1.5) / 3 * WIDTH if is_narrow else WIDTH
    figure, axes = pyplot().subplots(rows, across, figsize=(width, height * rows), squeeze=False)
    for axis in axes.ravel()[count:]:
        axis.set_visible(False)
    return figure, axes


def legend_above(figure: Figure, axes: Iterable[Any]) -> None:
    """Explain what some panels show, each name once, above the figure."""
    handles: dict[str, Any] = {}
    for axis in axes:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=len(handles))


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG under its final name when it is complete, and free its memory."""
    path = Path(path)
    with complete_file(path) as partial:
        figure.savefig(partial, dpi=DOTS_PER_INCH, format="png")
    pyplot().close(figure)
    return path


def label_of(name: str) -> str:
    """Return words and unit for an ALMA name: ``SoilMoist_5cm`` becomes 'Soil water at 5 cm'."""
    prefix, _, depth = name.partition("_")
    words = LABELS.get(prefix, prefix)
    return f"{words} at {depth.replace('cm', ' cm')}" if depth else words


def unit_of(name: str) -> str:
    """Return the unit of an ALMA name."""
    return UNITS.get(name.partition("_")[0], r"W m$^{-2}$")


def unit_sign(units: str) -> str:
    """Return a unit of a file as figures write it, with raised exponents: ``kg m-2`` becomes kg m^-2."""
    return re.sub(r"(?<=[A-Za-zµ])(-?\d)\b", r"$^{\1}$", units) or "1"


def depth_label(top: float, bottom: float) -> str:
    """Return a depth range in centimetres."""
    return f"{top * 100:g}–{bottom * 100:g} cm"


def depth_mean(data: xr.Dataset, variable: str, top: float, bottom: float) -> xr.DataArray:
    """Average a variable over a depth range [m], weighted by the overlap of its layers.

    Raises
    ------
    InputError
        If the variable is missing or the range lies below its profile.
    """
    if variable not in data:
        raise InputError(f"The history does not hold '{variable}'; add it to output.variables.")
    axis = next((str(d) for d in data[variable].dims if d != "time" and f"{d}_bounds" in data), None)
    if axis is None:
        raise InputError(f"'{variable}' has no layers to average over depth.")
    bounds = data[f"{axis}_bounds"].values
    overlap = np.clip(np.minimum(bounds[:, 1], bottom) - np.maximum(bounds[:, 0], top), 0.0, None)
    if overlap.sum() == 0.0:
        raise InputError(f"'{variable}' ends at {bounds[-1, 1]:.3g} m, above the depth range {top}-{bottom} m.")
    weights = xr.DataArray(overlap / overlap.sum(), dims=axis)
    return (data[variable] * weights).sum(axis, skipna=False)


def map_extent(data: xr.Dataset) -> tuple[list[float], str]:
    """Return the edges of a map and their unit: km, or m where it is small, or cells without coordinates in metres."""
    if "x" not in data.coords or "y" not in data.coords or data.sizes["x"] < 2 or data.sizes["y"] < 2:
        return [0, data.sizes["x"], 0, data.sizes["y"]], "cells"
    longest = max(float(np.ptp(data[name].values)) for name in ("x", "y"))
    scale, unit = (1000.0, "km") if longest >= _LARGE_MAP else (1.0, "m")
    edges = []
    for name in ("x", "y"):
        values = data[name].values / scale
        half = abs(values[1] - values[0]) / 2.0
        edges += [values.min() - half, values.max() + half]
    return edges, unit


def map_shape(extent: list[float], least: float, largest: float) -> float:
    """Return the height of a map by its width, within what a figure is made for."""
    return float(np.clip((extent[3] - extent[2]) / (extent[1] - extent[0]), least, largest))


def moment(data: xr.Dataset, place: int) -> str:
    """Say which interval a record is the mean of, by its end."""
    return str(data["time"].values[place])[:16].replace("T", " ")


def judged_streams(data: ObservedEnsemble, group: str) -> list[int]:
    """Return the codes of the streams that have observations of a group, ``assimilated`` or ``independent``."""
    mine = data.group(group)
    return [code for code in range(len(data.streams)) if (mine & data.of_stream(code)).any()]


def stream_unit(data: ObservedEnsemble, code: int) -> str:
    """Return the unit of a stream as it is written in a figure."""
    return unit_sign(data.units[code])


def plain_dates(plt: Any, axes: Any) -> None:
    """Label a time axis briefly, without overlap."""
    from matplotlib import dates

    class SpacedDates(dates.AutoDateLocator):
        """Dates without those that stand too near to the next, such as the 29th before the first of a month."""

        def __call__(self) -> np.ndarray:
            return without_crowd(np.asarray(super().__call__(), dtype=float))

    class NamedMonths(dates.ConciseDateFormatter):
        """Short dates; the corner names the month unless a tick does."""

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            starts_month = any(one.day == 1 and one.hour == one.minute == 0 for one in dates.num2date(values))
            self.offset_formats[2:4] = ["%Y", "%Y"] if starts_month else ["%Y-%b", "%Y-%b-%d"]
            return super().format_ticks(values)

    locator = SpacedDates(minticks=4, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    offsets = ["", "%Y", "%Y", "%Y", "%Y-%b-%d", "%Y-%b-%d"]  # one per kind of tick, years to seconds
    axes.xaxis.set_major_formatter(NamedMonths(locator, offset_formats=offsets))


def line_of(times: np.ndarray) -> str:
    """Return the format of a series: a line, or a dot for a single record, of which no line can be drawn."""
    return "-" if len(times) > 1 else "o"


def widen_single_time(axes: Any) -> None:
    """Let a time axis on which all series have the same single record be a day long."""
    times = np.concatenate([np.asarray(line.get_xdata(orig=False), dtype=float) for line in axes.lines] or [[]])
    if times.size and times.min() == times.max():
        axes.set_xlim(times[0] - 0.5, times[0] + 0.5)  # days


def span_of_times(axes: Any, times: np.ndarray) -> None:
    """Let a time axis reach from the first to the last record; around a single one, a day."""
    first, last = times[0], times[-1]
    half = np.timedelta64(12, "h") if first == last else np.timedelta64(0, "h")
    axes.set_xlim(first - half, last + half)


def without_crowd(ticks: np.ndarray) -> np.ndarray:
    """Leave out each tick whose distance to the next is less than ``LEAST_SHARE`` of the usual one, shape (tick,)."""
    if ticks.size < 3:
        return ticks
    gaps = np.diff(ticks)
    return ticks[np.append(gaps >= LEAST_SHARE * np.median(gaps), True)]
