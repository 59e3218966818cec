"""The variables of a run as the page lists them: layers, statistics, colours, classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.view.web_server.names import statistic_label, variable_label
from pyland.view.web_server.record_files import RecordFiles, horizontal_of

SUFFIXES = {"std": "_std", "min": "_min", "max": "_max", "median": "_median"}
"""Statistics of a file beside the mean, and their endings; percentiles end with ``_pNN``."""

NORMAL_QUANTILES = ("p05", "p25", "p75", "p95")
"""Quantiles that are computed from mean and standard deviation where the file has none."""

SIGNED = frozenset({
    "sensible_heat_flux", "ground_heat_flux", "snow_heat_flux", "net_ecosystem_exchange", "glacier_ice",
    "glacier_mass_balance", "water_balance_residual", "energy_balance_residual", "carbon_balance_residual",
    "spi", "spei", "scpdsi", "scphdi", "scpmdi", "scz",
})
"""Variables whose zero has a meaning and whose colours diverge from it."""

DIVERGING_STATISTICS = ("anomaly", "increment")

_MOST_CLASSES = 64


@dataclass(frozen=True)
class ViewedVariable:
    """A variable with the statistics that can be shown.

    Attributes
    ----------
    id : str
        Name of the mean in the file.
    units : str
        As in the file.
    label : dict
        Name by language.
    axis : str or None
        Vertical dimension.
    layers : tuple of dict, or None
        ``top`` and ``bottom`` [m], or ``name``, of each layer.
    stored : mapping of str to str
        Statistic to name in the file.
    derived : tuple of str
        Statistics that are computed when asked for.
    normal : tuple of str
        Those among them that assume a normal distribution.
    classes : tuple of dict, or None
        ``value`` and ``label`` of each class.
    valid_range : tuple of float, or None
        Physical bounds [units].
    """

    id: str
    units: str
    label: dict[str, str]
    axis: str | None
    layers: tuple[dict[str, Any], ...] | None
    stored: Mapping[str, str]
    derived: tuple[str, ...] = ()
    normal: tuple[str, ...] = ()
    classes: tuple[dict[str, Any], ...] | None = None
    valid_range: tuple[float, float] | None = None
    signed: bool = field(default=False)

    @property
    def statistics(self) -> tuple[str, ...]:
        """All statistics, quantiles in their order."""
        return (*self.stored, *self.derived)

    @property
    def layer_count(self) -> int:
        """Layers; 1 without a vertical axis."""
        return 1 if self.layers is None else len(self.layers)

    def describe(self) -> dict[str, Any]:
        """Return what the index says of it."""
        palette = "class" if self.classes else "diverging" if self.signed else "sequential"
        return {
            "id": self.id, "long_name": self.label, "units": self.units, "axis": self.axis,
            "layers": None if self.layers is None else list(self.layers), "statistics": list(self.statistics),
            "derived_statistics": {name: "normal" if name in self.normal else "derived" for name in self.derived},
            "labels": {name: statistic_label(name, True) for name in self.normal},
            "range": None, "palette": palette,
            "palettes": {name: "diverging" for name in DIVERGING_STATISTICS if name in self.derived},
            "classes": None if self.classes is None else list(self.classes),
        }


def viewed_variables(
    records: RecordFiles, increments: RecordFiles | None, with_history: bool
) -> dict[str, ViewedVariable]:
    """Return the variables of a file with maps or sites.

    Parameters
    ----------
    records : RecordFiles
        Where means and statistics are.
    increments : RecordFiles or None
        Where increments of analyses are.
    with_history : bool
        Anomalies and percentiles are offered.
    """
    found = records.map_variables()
    dimensions = {name: dims for name, dims in found.items() if _extra_axes(dims) is not None}
    statistics = {name: _statistic_of(name, dimensions) for name in dimensions}
    out = {}
    for name, dims in dimensions.items():
        if statistics[name] is not None or name in ("latitude", "longitude", "cell_area"):
            continue
        attributes = records.attributes(name)
        if attributes.get("bounds") or name.endswith("_bounds"):
            continue
        stored = {"mean": name}
        stored |= {what: other for other, (base, what) in _parsed(statistics).items() if base == name}
        axis = (_extra_axes(dims) or (None,))[0]
        classes = flag_classes(attributes)
        is_record = "time" in dims and with_history and classes is None and len(records.times) > 1
        normal = () if "std" not in stored else tuple(one for one in NORMAL_QUANTILES if one not in stored)
        has_increment = increments is not None and increments.has(f"{name}_increment")
        derived = (
            *normal,
            *(("anomaly", "percentile") if is_record else ()),
            *(("increment",) if has_increment else ()),
        )
        out[name] = ViewedVariable(
            name, str(attributes.get("units", "1")), variable_label(name, attributes), axis,
            None if axis is None else _layers(records, axis), _in_order(stored), derived, normal, classes,
            _valid_range(name), name in SIGNED or name.endswith("_anomaly"))
    return out


def _extra_axes(dimensions: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the dimensions beside time and place; None if there are several."""
    rest = tuple(one for one in dimensions[: -len(horizontal_of(dimensions))] if one != "time")
    return rest if len(rest) < 2 and "bound" not in rest else None


def _statistic_of(name: str, known: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return variable and statistic that a name in the file stands for; None for a variable."""
    for statistic, suffix in SUFFIXES.items():
        if name.endswith(suffix) and name.removesuffix(suffix) in known:
            return name.removesuffix(suffix), statistic
    base, _, last = name.rpartition("_")
    if len(last) == 3 and last[0] == "p" and last[1:].isdigit() and base in known:
        return base, last
    return None


def _parsed(statistics: Mapping[str, tuple[str, str] | None]) -> dict[str, tuple[str, str]]:
    return {name: one for name, one in statistics.items() if one is not None}


def _in_order(stored: Mapping[str, str]) -> dict[str, str]:
    """Return statistics in one order: mean, spread, extremes, then quantiles upwards."""
    first = ("mean", "std", "min", "max", "median")
    return {name: stored[name] for name in (*first, *sorted(set(stored) - set(first))) if name in stored}


def _layers(records: RecordFiles, axis: str) -> tuple[dict[str, Any], ...]:
    """Return depths of the layers of an axis, or their numbers."""
    if records.has(f"{axis}_bounds"):
        return tuple({"top": float(top), "bottom": float(bottom)} for top, bottom in records.values(f"{axis}_bounds"))
    if records.has(axis):
        units = records.attributes(axis).get("units", "1")
        return tuple({"name": f"{value:g} {units}" if units != "1" else f"{axis} {int(value) + 1}"}
                     for value in np.asarray(records.values(axis), float))
    size = records.definition.dimensions[axis].size
    return tuple({"name": f"{axis} {number + 1}"} for number in range(size))


def flag_classes(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], ...] | None:
    """Return the classes of a variable with flags."""
    words = str(attributes.get("flag_meanings", "")).split()
    values = np.atleast_1d(attributes.get("flag_values", ()))
    if not words or len(words) != values.size or values.size > _MOST_CLASSES:
        return None
    colours = str(attributes.get("flag_colors", "")).split()
    return tuple(
        {"value": float(value), "label": dict.fromkeys(("en", "de", "zh"), word.replace("_", " ")),
         "color": colours[number] if len(colours) == len(words) else None}
        for number, (value, word) in enumerate(zip(values, words, strict=True)))


def _valid_range(name: str) -> tuple[float, float] | None:
    try:
        return variable(name).valid_range
    except InputError:
        return None
