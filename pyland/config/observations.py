"""Section ``observations``: a list, one entry per kind of observation."""

from __future__ import annotations

import math
from typing import Any

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key, read_value
from pyland.config.localization import TypeLocalizationSection
from pyland.config.observation_operators import (
    LARGEST_ERROR,
    UNITS,
    WITH_OWN_ERROR,
    OperatorSection,
)
from pyland.config.rivers import PlaceSection
from pyland.config.twin_errors import TwinErrorsSection

READERS = ("measurements", "table", "mapped", "smap_l3", "smos_l3", "amsr2_lprm", "ascat_cells", "ascat_swath",
           "esa_cci", "ismn", "crns", "flux_tower", "grace", "wells", "gauges")
"""Readers of `file`: a variable of a netCDF file, our own tables, and products."""


class QualitySection(Section):
    """Which observations are used."""

    max_innovation: float | None = key(
        3.0,
        "reject where observation minus forecast exceeds this many standard deviations of "
        "their difference; null for never",
        unit="1",
        above=0,
    )
    frozen: float | None = key(
        None, "reject where the ensemble mean of the temperature of the top soil layer is below this; null: never, but "
        "273.35 K for brightness_temperature and backscatter, 0 for never", unit="K", at_least=0)
    snow: float | None = key(
        None, "reject where the ensemble mean of the mass of snow is above this; null: never, but 1e-4 kg m-2 for "
        "brightness_temperature and backscatter", unit="kg m-2", at_least=0)
    rain: float | None = key(
        None, "reject where the mean rain of the members in the last step is above this; null for never",
        unit="kg m-2 s-1", at_least=0)
    rules: dict[str, Any] = key(
        dict, "limits for columns of a product's table, as QualityRules has them, such as largest_open_water: 0.05",
        factory=True)
    usual: bool = key(
        False, "take the usual limits for the columns that a product has; `rules` go before them", kind="switch")
    accepted: list[float] = key(
        lambda: [0.0], "values of the quality flag <variable>_qc that are used", unit="1", kind="numbers", factory=True
    )


class TwinSection(Section):
    """Synthetic observations of a truth run that the same case computes first."""

    seed: int = key(1, "seed of the truth and of the observation noise", kind="integer", at_least=0, at_most=2**32 - 1)
    coverage: float = key(1.0, "share of the cells that is seen at a time", unit="1", above=0, at_most=1)
    pattern: str = key(
        "random", "which cells are seen: scattered ones, or a strip as under an orbit", choices=("random", "swath")
    )
    error: float | None = key(
        None,
        "noise that is added to the truth; null is the error of the observation",
        unit="m3 m-3 or that of the type",
        above=0,
    )
    gaps: float = key(
        0.0, "share of what `coverage` leaves that is missing at random, as under clouds", unit="1", at_least=0, below=1
    )
    locations: list[PlaceSection] = key(
        list, "places of probes or wells, each in the cell that it lies in; none: all cells are seen", factory=True
    )
    spacing: float | None = key(
        None, "distance of the places of a product, a grid over the domain instead of all cells", unit="m", above=0
    )
    first: float = key(
        0.0, "time of the first observation after time.start; 0 is one interval (every)", unit="s", at_least=0
    )
    errors: TwinErrorsSection = key(TwinErrorsSection, "systematic errors, and how noise is correlated", factory=True)

    @model_validator(mode="after")
    def _check_locations(self) -> TwinSection:
        names = [place.name for place in self.locations]
        problems = [
            (f"locations.{number}.name", f"expected a unique name, got '{name}' again", (f"locations.{number}",))
            for number, name in enumerate(names)
            if name in names[:number]
        ]
        if self.locations and self.spacing is not None:
            problems.append(("spacing", "expected no spacing beside locations", ("spacing", "locations")))
        if problems:
            raise Problems(problems)
        return self


class ObservationSection(Section):
    """One kind of observation."""

    name: str = key("observation", "name in messages and output; unique", kind="text")
    type: str = key(
        "soil_moisture",
        "what is observed; groundwater is the depth of the water table below the surface, lst the temperature of the "
        "surface, snow_water the mass of snow, tws the anomaly of all water",
        choices=tuple(UNITS),
    )
    file: str | None = key(None, "netCDF file; of a product, a file or a pattern such as SMAP/*.h5", kind="path")
    reader: str = key(
        "measurements", "how `file` is read: `variable` of a netCDF file; table, of `pyland observe` or a twin; or a "
        "product", choices=READERS)
    reader_options: dict[str, Any] = key(dict, "options of the reader of a product, by name", factory=True)
    variable: str | None = key(None, "name of the variable in the file", kind="text")
    units: str | None = key(None, "unit of the variable, where the file lacks it or is wrong", kind="text")
    stamps: str | None = key(
        None, "what a time of the file means; null reads it from the file", choices=("start", "instant", "end")
    )
    depth: list[float] = key(
        lambda: [0.0, 0.05],
        "top and bottom of the observed layer; twice the same depth is a probe; soil_moisture, and crns: counts are of "
        "the whole column, but localization.depth goes by the middle; without it counts reach all layers",
        unit="m",
        kind="numbers",
        at_least=0,
        length=2,
        factory=True,
    )
    error: float = key(
        0.04, "standard deviation of the observation error, in the unit of the type; types other than soil_moisture "
        "and groundwater need it", unit="m3 m-3 or that of the type", above=0,
    )
    relative_error: float = key(
        0.0, "standard deviation of the observation error as a share of the value; `error` is then its floor", unit="1",
        at_least=0, at_most=10
    )
    error_correlation: float = key(
        0.0, "distance at which the correlation of errors of one time has fallen to 1/e; 0 makes them independent",
        unit="m", at_least=0
    )
    scaling: str = key(
        "none", "rescaling to the climatology of the model: its mean, mean and standard deviation, or distribution; "
        "none where parameters or irrigation are to be found", choices=("none", "mean", "mean_std", "cdf"))
    climatology: str | None = key(
        None, "climatology of an earlier period to rescale by (`write_climatology`); null takes that of the open loop "
        "of this run, which looks ahead", kind="path")
    every: float | None = key(None, "time between observations; null takes every time of the file", unit="s", above=0)
    window: float = key(
        0.0, "samples within this width around the time are averaged; 0 takes the one sample", unit="s", at_least=0
    )
    quality: QualitySection = key(QualitySection, "which observations are used", factory=True)
    footprint: float | None = key(
        None, "diameter of the seen area; 0 is the nearest cell; null is that of a product, else 0", unit="m",
        at_least=0)
    footprint_weights: str = key(
        "uniform", "weights of the cells of a footprint; gaussian: one half at the rim of the diameter, none beyond "
        "one and a half diameters from the centre; hamming: the window of ASCAT, to one diameter; square: a cell of "
        "the product's grid", choices=("uniform", "gaussian", "hamming", "square")
    )
    e_folding_depth: float | None = key(
        None, "depth over which the weight of the soil within `depth` falls to 1/e; null weighs all of it alike",
        unit="m", above=0
    )
    table_error: bool = key(
        True, "errors of a product count where it has them; false takes `error` for all", kind="switch")
    angle_bin: float = key(
        1.0, "observations of a product whose angles of incidence lie within this are seen alike", unit="degree",
        above=0, at_most=90)
    same_place: str = key(
        "mean", "several observations of a product at one place in one analysis: their mean, or each",
        choices=("mean", "keep"))
    super_observations: float = key(
        0.0, "observations of a product within blocks of this edge are replaced by their mean; 0 for none", unit="m",
        at_least=0)
    thinning: float = key(
        0.0, "smallest distance of assimilated observations of one time; those with the smallest error come first",
        unit="m", at_least=0
    )
    withheld: float = key(
        0.0, "share of the places, or of the times of a single place, that is not assimilated and serves as a test",
        unit="1", at_least=0, below=1
    )
    assimilate: bool = key(
        True, "false: the members predict these observations, which judge them, and are not changed by them",
        kind="switch"
    )
    bounds: list[float] | None = key(
        None, "least and largest possible value of what is observed, for assimilation.filter: rhf and lrhf, in the "
        "unit of the type; null for none", unit="m3 m-3 or that of the type", kind="numbers", length=2,
    )
    operator: OperatorSection = key(OperatorSection, "how the sensor looks at the model", factory=True)
    localization: TypeLocalizationSection | None = key(
        None, "how far an observation reaches, where it differs from assimilation.localization"
    )
    twin: TwinSection | None = key(None, "synthetic observations instead of a file")

    @property
    def sensed(self) -> tuple[float, float]:
        """Top and bottom of what is seen [m]; NaN where a depth has no meaning."""
        has_depth = self.type == "soil_moisture" or (self.type == "crns" and "depth" in self.model_fields_set)
        return (self.depth[0], self.depth[1]) if has_depth else (math.nan, math.nan)

    @property
    def seen_width(self) -> float:
        """Diameter of the seen area [m]; 0 where only the product knows it."""
        return 0.0 if self.footprint is None else self.footprint

    @property
    def decay(self) -> float:
        """Depth over which the weight of the soil falls to 1/e [m]; infinite where all of it weighs alike."""
        return math.inf if self.e_folding_depth is None else self.e_folding_depth

    @property
    def settings(self) -> dict[str, Any]:
        """Options of the operator, as `pyland.observe.operator_for` takes them."""
        return self.operator.settings(self.type)

    @model_validator(mode="before")
    @classmethod
    def _convert(cls, data: Any) -> Any:
        """Convert errors and bounds to the unit of the type, which a key alone does not know."""
        unit = UNITS.get(str(data.get("type", "soil_moisture"))) if isinstance(data, dict) else None
        if unit is None:
            return data
        fact, problems, data = {"kind": "number", "unit": unit, "exclusiveMinimum": 0}, list[Problem](), dict(data)
        places = [("error", data)]
        if isinstance(data.get("twin"), dict):
            data["twin"] = dict(data["twin"])
            places.append(("twin.error", data["twin"]))
        for path, place in places:
            if isinstance(place.get("error"), str):
                try:
                    place["error"] = read_value(place["error"], fact, {})
                except ValueError as error:
                    problems.append((path, str(error), (path,)))
        if isinstance(data.get("bounds"), list):
            try:
                data["bounds"] = read_value(data["bounds"], {"kind": "numbers", "unit": unit, "length": 2}, {})
            except ValueError as error:
                problems.append(("bounds", str(error), ("bounds",)))
        if problems:
            raise Problems(problems)
        return data

    @model_validator(mode="after")
    def _check(self) -> ObservationSection:
        problems: list[Problem] = []
        if (self.file is None) == (self.twin is None):
            got = "nothing" if self.file is None else "both"
            problems.append(("file", f"expected either file or twin, got {got}", ("file", "twin")))
        if self.file is not None and self.variable is None and self.reader == "measurements":
            problems.append(
                ("variable", "expected the name of a variable of the file, got nothing", ("variable", "file"))
            )
        if self.twin is not None:
            if self.every is None:
                problems.append(
                    ("every", "expected a time between observations with twin, got nothing", ("every", "twin"))
                )
            problems += [
                (name, f"expected no {name} with twin; it belongs to file", (name, "twin"))
                for name in ("variable", "units", "stamps", "reader")
                if self.changes(name)
            ]
            if self.every is not None and self.twin.first > self.every:
                problems.append(("twin.first", f"expected at most `every`, {self.every:g} s, got {self.twin.first:g} s",
                                 ("twin.first", "every")))
            if self.window > 0:
                problems.append(("window", "expected no window with twin; it belongs to file", ("window", "twin")))
        problems += [
            (path, f"expected at most {LARGEST_ERROR[self.type]:g} {UNITS[self.type]} with type: {self.type}, got "
             f"{error:g}", (path, "type"))
            for path, error in (("error", self.error), ("twin.error", self.twin and self.twin.error))
            if error is not None and error > LARGEST_ERROR[self.type]
        ]
        if self.type not in WITH_OWN_ERROR and "error" not in self.model_fields_set:
            problems.append(("error", f"expected the error of {self.type} [{UNITS[self.type]}], got nothing",
                             ("error", "type")))
        if self.type not in ("soil_moisture", "crns") and "depth" in self.model_fields_set:
            why = "; a well sees the water table wherever it is" if self.type == "groundwater" else ""
            problems.append(("depth", f"expected no depth with type: {self.type}{why}", ("depth", "type")))
        elif self.depth[1] < self.depth[0]:
            problems.append(("depth", f"expected [top, bottom] with bottom below top, got {self.depth}", ("depth",)))
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            problems.append(("bounds", f"expected [least, largest], got {self.bounds}", ("bounds",)))
        if not self.assimilate and self.withheld > 0:
            problems.append(("withheld", "expected no withheld with assimilate: false, which withholds all",
                             ("withheld", "assimilate")))
        problems += self._check_reader() + self._check_weights()
        problems += self.operator.problems(self.type) + self._check_anomaly()
        if problems:
            raise Problems(problems)
        return self

    def _check_reader(self) -> list[Problem]:
        """Keys of a variable of a file, and keys of products."""
        if self.reader == "measurements":
            given = [one for one in ("reader_options", "table_error", "angle_bin", "same_place", "super_observations")
                     if self.changes(one)]
            found = [(one, f"expected no {one} with reader: measurements; it belongs to products", (one, "reader"))
                     for one in given]
            found += [(f"quality.{one}", f"expected no {one} with reader: measurements; it belongs to products",
                       (f"quality.{one}", "reader")) for one in ("rules", "usual") if self.quality.changes(one)]
        else:
            found = [(one, f"expected no {one} with reader: {self.reader}; it belongs to reader: measurements",
                      (one, "reader")) for one in ("variable", "units", "stamps", "window") if self.changes(one)]
            found += [("quality.accepted", f"expected no accepted with reader: {self.reader}; see reader_options",
                       ("quality.accepted", "reader"))] * self.quality.changes("accepted")
        if self.climatology is not None and self.scaling == "none":
            found.append(("climatology", "expected scaling: mean, mean_std or cdf with climatology, got none",
                          ("climatology", "scaling")))
        if self.climatology is not None and self.twin is not None:
            found.append(("climatology", "expected no climatology with twin", ("climatology", "twin")))
        return found

    def _check_anomaly(self) -> list[Problem]:
        """Storage of water is known against a mean only, which the open loop must give."""
        if self.type != "tws":
            return []
        baseline, scaled = self.operator.baseline_start is not None, self.scaling != "none"
        if baseline == scaled:
            return [("scaling", "expected scaling: mean or operator.baseline_start and baseline_end with type: tws, "
                     f"whose anomalies need a mean of the model, got {'both' if scaled else 'neither'}",
                     ("scaling", "operator.baseline_start", "type"))]
        return []

    def _check_weights(self) -> list[Problem]:
        """Weights need something to weigh."""
        problems: list[Problem] = []
        if self.seen_width == 0 and self.reader == "measurements" and self.changes("footprint_weights"):
            problems.append(("footprint_weights", "expected a footprint above 0 with footprint_weights, got 0",
                             ("footprint_weights", "footprint")))
        if self.e_folding_depth is not None and self.type != "soil_moisture":
            problems.append(("e_folding_depth", f"expected no e_folding_depth with type: {self.type}",
                             ("e_folding_depth", "type")))
        elif self.e_folding_depth is not None and self.depth[1] == self.depth[0]:
            problems.append(("e_folding_depth", "expected a depth with bottom below top with e_folding_depth, got a "
                             f"probe at {self.depth[0]:g} m", ("e_folding_depth", "depth")))
        return problems
