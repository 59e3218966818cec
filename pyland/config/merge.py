"""File of ``pyland merge``: products, the places and times they are brought to, and how they are merged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator

from pyland.base.text import one_of, shown
from pyland.config.fields import Problem, Problems, Section, key, read_value
from pyland.config.merge_learning import LstmSection, MaximumEntropySection, PredictorSection
from pyland.config.settings_file import load_settings


class QualityRulesSection(Section):
    """Which observations are not used; null: no such rule. A rule needs its column in the table."""

    usual: bool = key(
        False, "usual limits for the columns that the table has; limits given here replace them", kind="switch")
    largest_frozen_probability: float | None = key(None, "of the ground", unit="1", at_least=0, at_most=1)
    least_temperature: float | None = key(None, "of ground or surface", unit="K", above=0)
    largest_snow_probability: float | None = key(None, "of snow on the ground", unit="1", at_least=0, at_most=1)
    largest_snow_cover: float | None = key(None, "share of the ground under snow", unit="1", at_least=0, at_most=1)
    largest_snow_water: float | None = key(None, "water of the snow", unit="kg m-2", at_least=0)
    largest_open_water: float | None = key(None, "share of open water", unit="1", at_least=0, at_most=1)
    largest_vegetation_water: float | None = key(None, "water of plants", unit="kg m-2", at_least=0)
    largest_optical_depth: float | None = key(None, "of vegetation", unit="1", at_least=0)
    largest_rain_before: float | None = key(None, "what fell before", unit="kg m-2", at_least=0)
    largest_rfi_probability: float | None = key(
        None, "of interference by transmitters", unit="1", at_least=0, at_most=1)
    valid_range: list[float] | None = key(None, "least and largest value", unit="1", kind="numbers", length=2)
    duplicates: bool = key(True, "use one of several rows of one place and time", kind="switch")

    def limits(self) -> dict[str, Any]:
        """Return what is given, by the names of `QualityRules`."""
        found = {name: getattr(self, name) for name in type(self).model_fields if name != "usual"}
        return {name: tuple(one) if isinstance(one, list) else one for name, one in found.items() if one is not None}


class ErrorSection(Section):
    """Errors of the observations, instead of those of the product: one of error, share and factor."""

    error: float | None = key(None, "the same for all [unit of the type]", unit="1", above=0)
    share: float | None = key(None, "share of the value", unit="1", above=0)
    factor: float | None = key(None, "factor on what the product says", unit="1", above=0)
    floor: float = key(0.0, "least error, with share and factor [unit of the type]", unit="1", at_least=0)

    @model_validator(mode="after")
    def _check(self) -> ErrorSection:
        given = [name for name in ("error", "share", "factor") if getattr(self, name) is not None]
        if len(given) != 1:
            raise Problems([("error", f"expected one of error, share and factor, got {' and '.join(given) or 'none'}",
                             tuple(given))])
        if self.floor > 0 and self.error is not None:
            raise Problems([("floor", "expected no floor with error, which is the same for all", ("floor", "error"))])
        if self.share is not None and self.floor == 0:
            raise Problems([("floor", "expected a floor above 0 with share: a value of 0 has an error too",
                             ("share",))])
        return self


class ProductSection(Section):
    """A product that is merged."""

    name: str = key("", "name in messages and output; unique", kind="text")
    files: list[str] = key(list, "files or patterns, relative to the folder of this file", factory=True)
    reader: str = key("table", "how they are read: a reader of `pyland observe`; table: tables of pyland", kind="text")
    reader_options: dict[str, Any] = key(dict, "options of the reader", factory=True)
    alignment: str = key(
        "nearest", "a place takes the nearest place of the product, or the mean of all within the radius",
        choices=("nearest", "area"))
    radius: float | None = key(
        None, "how far that may be; null is the footprint of the product", unit="m", above=0)
    quality: QualityRulesSection = key(QualityRulesSection, "which observations are not used", factory=True)
    errors: ErrorSection | None = key(None, "errors, instead of those of the product")

    @field_validator("files", mode="before")
    @classmethod
    def _files(cls, value: Any, info: ValidationInfo) -> Any:
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not value:
            raise ValueError(f"expected a path or a list of paths, got {shown(value)}")
        return [read_value(one, {"kind": "path"}, info.context or {}) for one in value]

    @model_validator(mode="after")
    def _check(self) -> ProductSection:
        problems: list[Problem] = []
        if not self.name:
            problems.append(("name", "expected a name, got nothing", ()))
        if not self.files:
            problems.append(("files", "expected a path or a list of paths, got nothing", ()))
        if problems:
            raise Problems(problems)
        return self


class PeriodSection(Section):
    """From when to when."""

    start: datetime | None = key(None, "first moment (UTC)", kind="time")
    end: datetime | None = key(None, "end (UTC), not included", kind="time")
    interval: float = key(86400.0, "width of the intervals that are merged", unit="s", above=0)

    @model_validator(mode="after")
    def _check(self) -> PeriodSection:
        for name in ("start", "end"):
            if getattr(self, name) is None:
                raise Problems([(name, "expected a date, got nothing", ())])
        if not self.start < self.end:
            raise Problems([("end", f"expected a time after start {self.start}, got {self.end}", ("start",))])
        width = (self.end - self.start).total_seconds()
        if self.interval != int(self.interval) or width % self.interval:
            raise Problems([("interval", f"expected whole seconds of which the period of {width:g} s is a multiple, "
                             f"got {self.interval:g} s", ("interval", "start", "end"))])
        return self


class GridSection(Section):
    """Places that products are brought to: a regular grid, or those of one product."""

    bounds: list[float] | None = key(
        None, "south, north, west, east of a regular grid", unit="degree", kind="numbers", length=4)
    spacing: float | None = key(None, "edge of its cells", unit="degree", above=0)
    product: str | None = key(None, "name of the product whose places are taken instead", kind="text")

    @model_validator(mode="after")
    def _check(self) -> GridSection:
        is_regular = self.bounds is not None and self.spacing is not None
        if is_regular == (self.product is not None) or (self.bounds is None) != (self.spacing is None):
            raise Problems([("bounds", "expected either bounds and spacing, or product", ("bounds", "spacing",
                                                                                         "product"))])
        if self.bounds is not None and not -90.0 <= self.bounds[0] < self.bounds[1] <= 90.0:
            raise Problems([("bounds", f"expected south below north, both in -90..90, got {self.bounds}",
                             ("bounds",))])
        return self


class MeanSection(Section):
    """Options of ``method: mean``."""

    error_correlation: float = key(
        0.0, "correlation of the errors of any two products", unit="1", at_least=0, at_most=1)


class TripleCollocationSection(Section):
    """Options of ``method: tc``."""

    reference: str | None = key(
        None, "product whose mean, season and amplitude the result has; null is the first", kind="text")
    anomalies: str = key(
        "climatology", "collocate anomalies from the climatology of the season, or values without their mean",
        choices=("climatology", "none"))
    window_days: int = key(35, "days over which that is smoothed, an odd number", kind="integer", at_least=1,
                           at_most=365)
    least_in_window: int = key(7, "fewest values of such a window", kind="integer", at_least=1)
    least_count: int = key(100, "fewest common times of all products", kind="integer", at_least=3)
    significance: float = key(0.05, "level at which products must be correlated; 1 for no such rule", unit="1", above=0,
                              at_most=1)
    least_snr_db: float = key(-3.0, "products with a smaller signal-to-noise ratio are left out [dB]", unit="1")
    least_error: float = key(
        0.0, "smallest error that a product can have; short records find smaller ones by chance [unit of the type]",
        unit="1", at_least=0)
    correlated: list[list[str]] = key(
        list, "pairs of products with correlated errors, of four products and more", factory=True)
    fallback: str = key(
        "none", "where the collocation fails: no value; median errors and scalings of all other places; or the mean",
        choices=("none", "region", "mean"))

    @model_validator(mode="after")
    def _check(self) -> TripleCollocationSection:
        if self.window_days % 2 == 0:
            raise Problems([("window_days", f"expected an odd number, got {self.window_days}", ("window_days",))])
        for number, pair in enumerate(self.correlated):
            if len(pair) != 2 or pair[0] == pair[1]:
                raise Problems([(f"correlated.{number}", f"expected two different products, got {pair}",
                                 (f"correlated.{number}",))])
        return self


METHODS = MappingProxyType({
    "mean": MeanSection, "tc": TripleCollocationSection, "bme": MaximumEntropySection, "lstm": LstmSection})
"""Section of each method; `MergeSettings` has a key of the name."""


class MergeSettings(Section):
    """All of ``merge.yaml``."""

    products: list[ProductSection] = key(list, "what is merged", factory=True)
    period: PeriodSection | None = key(None, "from when to when, in which intervals")
    grid: GridSection | None = key(None, "places that products are brought to")
    rescale: str = key(
        "none", "give all products the mean, or mean and standard deviation, of the reference at each place first",
        choices=("none", "mean", "mean_std"))
    rescale_reference: str | None = key(None, "product that the others are rescaled to; null is the first", kind="text")
    method: str = key("tc", "how products are merged", choices=tuple(METHODS))
    mean: MeanSection | None = key(None, "options of method mean")
    tc: TripleCollocationSection | None = key(None, "options of method tc")
    bme: MaximumEntropySection | None = key(None, "options of method bme")
    lstm: LstmSection | None = key(None, "options of method lstm")
    stations: ProductSection | None = key(
        None, "stations that method lstm learns from; each is brought to its nearest place within its radius")
    predictors: list[PredictorSection] = key(
        list, "weather, leaves, soil and so on that method lstm sees beside the products", factory=True)
    depth: list[float] | None = key(
        None, "top and bottom of the layer that the result stands for; null is that of the first product", unit="m",
        kind="numbers", length=2, at_least=0)
    output: str | None = key(None, "gridded result, a netCDF file", kind="path")
    table: str | None = key(None, "the same as a table of observations that a case can assimilate", kind="path")
    report: str | None = key(None, "folder for completeness.nc and figures", kind="path")
    figures: bool = key(True, "draw figures into the report", kind="switch")

    @property
    def options(self) -> dict[str, Any]:
        """Options of the method that is chosen."""
        section = getattr(self, self.method)
        section = METHODS[self.method]() if section is None else section
        return section.method_options() if isinstance(section, LstmSection) else section.model_dump()

    @model_validator(mode="after")
    def _check(self) -> MergeSettings:
        problems: list[Problem] = []
        names = [one.name for one in self.products]
        if not names:
            problems.append(("products", "expected at least one product, got none", ()))
        problems += [(name, f"expected {what}, got nothing", ()) for name, what in (
            ("period", "a section with start and end"), ("grid", "a section with bounds and spacing, or with product"))
            if getattr(self, name) is None]
        problems += [
            (f"products.{number}.name", f"expected a name of its own, got '{name}' again", (f"products.{number}",))
            for number, name in enumerate(names) if name in names[:number]
        ]
        if self.method == "tc" and 0 < len(names) < 3:
            problems.append(("method", f"expected three products at least with method tc, got {len(names)}",
                             ("method", "products")))
        problems += [(name, f"expected no {name} with method: {self.method}", (name, "method"))
                     for name in METHODS if name != self.method and getattr(self, name) is not None]
        problems += _learning_problems(self)
        named = {"grid.product": None if self.grid is None else self.grid.product,
                 "rescale_reference": self.rescale_reference}
        if self.tc is not None:
            named["tc.reference"] = self.tc.reference
            named |= {f"tc.correlated.{k}.{j}": one for k, pair in enumerate(self.tc.correlated)
                      for j, one in enumerate(pair)}
        problems += [(place, f"expected one of the products {one_of(names)}, got '{name}'", (place,))
                     for place, name in named.items() if name is not None and name not in names and names]
        if self.rescale == "none" and self.rescale_reference is not None:
            problems.append(("rescale_reference", "expected no rescale_reference without rescale",
                             ("rescale_reference",)))
        if self.output is None:
            problems.append(("output", "expected the path of a netCDF file to write, got nothing", ()))
        if self.report is None and self.changes("figures"):
            problems.append(("figures", "expected a folder `report` with figures, got none", ("figures",)))
        if self.depth is not None and not self.depth[0] <= self.depth[1]:
            problems.append(("depth", f"expected [top, bottom], got {self.depth}", ("depth",)))
        if problems:
            raise Problems(problems)
        return self


def _learning_problems(settings: MergeSettings) -> list[Problem]:
    """Check what a network learns from and sees."""
    problems: list[Problem] = []
    names = [one.name for one in settings.predictors]
    problems += [(f"predictors.{number}.name", f"expected a name of its own, got '{name}' again",
                  (f"predictors.{number}",)) for number, name in enumerate(names) if name in names[:number]]
    if settings.method != "lstm":
        problems += [(name, f"expected no {name} with method: {settings.method}", (name, "method"))
                     for name in ("stations", "predictors") if getattr(settings, name)]
        return problems
    section = settings.lstm or LstmSection()
    if section.model is not None and settings.stations is not None:
        problems.append(("stations", "expected no stations with lstm.model: the saved network is trained",
                         ("stations", "lstm.model")))
    if section.model is None and settings.stations is None and (section.target == "in_situ" or section.folds):
        problems.append(("stations", "expected files of stations: the target is in_situ, or stations are left out in "
                         "turn (folds)", ("lstm.target", "lstm", "method")))
    if settings.stations is not None and settings.stations.radius is None:
        problems.append(("stations.radius", "expected how far a station may be from its place [m], got nothing",
                         ("stations",)))
    if section.target == "withheld_product" and section.model is None and 0 < len(settings.products) < 2:
        problems.append(("products", "expected two products at least with lstm.target: withheld_product, got "
                         f"{len(settings.products)}", ("products",)))
    return problems


def load_merge_settings(path: str | Path, changes: Mapping[str, Any] | None = None) -> MergeSettings:
    """Load the file of a merge; relative paths start from its folder.

    Parameters
    ----------
    path : str or Path
        The file.
    changes : mapping of str to object, optional
        Values by key path, such as ``{"tc.least_count": 200}``, that replace those of the file (command line).

    Returns
    -------
    MergeSettings
        All values, checked.

    Raises
    ------
    ConfigError
        If the file cannot be read or anything in it is wrong; one line per error, with file and line.
    """
    return load_settings(MergeSettings, "merge", path, changes, Path(path).absolute().parent)


__all__ = [
    "METHODS", "ErrorSection", "GridSection", "LstmSection", "MaximumEntropySection", "MeanSection", "MergeSettings",
    "PeriodSection", "ProductSection", "QualityRulesSection", "TripleCollocationSection", "load_merge_settings",
]  # fmt: skip
