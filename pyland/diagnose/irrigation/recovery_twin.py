"""How much irrigation can be found: a bucket of soil that is irrigated, and the estimates from its observations.

A truth is irrigated in pulses; a model of the same soil is not. The soil moisture of the truth is observed at the end
of days, with an error, every day or less often. What leaves the soil between an irrigation and the next observation is
evaporated and drained from the wet state before it is seen: it is lost to every method, even with perfect observations
of each day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyland.base.errors import InputError
from pyland.diagnose.irrigation.estimates import IrrigationEstimates, irrigation_estimates

DAYS = 365
"""Days of the twin."""

Array = NDArray[Any]


@dataclass(frozen=True)
class BucketTwin:
    """The bucket and what happens to it.

    Attributes
    ----------
    depth : float
        Depth of soil [m].
    porosity, field_capacity, wilting_point : float
        Water contents [m3 m-3].
    drainage : float
        Share of the water above field capacity that drains in a day [d-1].
    precipitation : float
        Of a year [kg m-2].
    wet_days : float
        Share of days with rain [1].
    demand : float
        Mean potential evapotranspiration [kg m-2 d-1]; it follows the year.
    irrigation : float
        Of a year [kg m-2].
    season : tuple of int
        First and last day of irrigation.
    interval : int
        Days between two irrigations.
    forecast_error : float
        Standard deviation of the model's error of a day [kg m-2], which weighs forecast against observation.
    """

    depth: float = 0.3
    porosity: float = 0.45
    field_capacity: float = 0.30
    wilting_point: float = 0.12
    drainage: float = 0.5
    precipitation: float = 400.0
    wet_days: float = 0.25
    demand: float = 3.5
    irrigation: float = 600.0
    season: tuple[int, int] = (120, 300)
    interval: int = 10
    forecast_error: float = 3.0

    @property
    def capacity(self) -> float:
        """Water of the saturated bucket [kg m-2]."""
        return 1000.0 * self.depth * self.porosity

    def fluxes(self, water: Array, demand: float) -> tuple[Array, Array]:
        """Return evapotranspiration and drainage of a day [kg m-2] from the water of the bucket [kg m-2]."""
        content = water / (1000.0 * self.depth)
        stress = np.clip((content - self.wilting_point) / (self.field_capacity - self.wilting_point), 0.0, 1.0)
        return stress * demand, self.drainage * np.maximum(water - 1000.0 * self.depth * self.field_capacity, 0.0)


@dataclass(frozen=True)
class Recovery:
    """What the methods find of the irrigation of a year, means over the years that were drawn [kg m-2].

    Attributes
    ----------
    truth : float
        Irrigation that was applied.
    inversion, differences, increments : float
        Estimates.
    positive_only : float
        Inversion whose negative steps were left out: what clipping before summing does.
    spread : dict of str to float
        Standard deviation of each estimate between years that were drawn.
    """

    truth: float
    inversion: float
    differences: float
    increments: float
    positive_only: float
    spread: dict[str, float]

    def share(self, method: str) -> float:
        """Return an estimate over the truth [1]."""
        return float(getattr(self, method)) / self.truth


def recovery(
    error: float, revisit: int = 1, *, twin: BucketTwin | None = None, years: int = 64, seed: int = 0
) -> Recovery:
    """Estimate the irrigation of the twin.

    Parameters
    ----------
    error : float
        Error of an observation of soil moisture [m3 m-3]; 0 is perfect.
    revisit : int
        Days between observations.
    twin : BucketTwin, optional
        Soil, weather and irrigation.
    years : int
        Years that are drawn, each with its own rain and errors.
    seed : int
        Of the random numbers.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    if error < 0.0 or revisit < 1 or years < 2:
        raise InputError(f"irrigation twin: expected an error of 0 or more, a revisit of 1 day or more and 2 years or "
                         f"more, got {error:g}, {revisit} and {years}.")
    soil = twin or BucketTwin()
    rng = np.random.default_rng(seed)
    rain, irrigation, demand = _weather(soil, years, rng)
    truth = _run(soil, rain + irrigation, demand)
    rainfed = _run(soil, rain, demand)
    scale = 1000.0 * soil.depth
    is_seen = np.arange(DAYS + 1) % revisit == 0
    seen = np.where(is_seen[:, None], truth[0] + scale * error * rng.standard_normal(truth[0].shape), np.nan)
    used, away = _observed_fluxes(soil, demand, seen)
    analysed = _assimilated(soil, rain, demand, seen, scale * error)
    begin, end = soil.season
    days, ends = slice(begin, end), slice(begin, end + 1)
    found = irrigation_estimates(seen[ends], rain[days], used[days], away[days], analysed[days], rainfed[0][ends],
                                 rainfed[1][days])
    steps = np.diff(found.inversion, axis=0, prepend=0.0)
    totals = {name: getattr(found, name)[-1] for name in IrrigationEstimates.__dataclass_fields__}
    totals["positive_only"] = np.maximum(steps, 0.0).sum(axis=0)
    return Recovery(float(irrigation.sum(axis=0).mean()), **{name: float(one.mean()) for name, one in totals.items()},
                    spread={name: float(one.std(ddof=1)) for name, one in totals.items()})


def recovery_curve(
    errors: tuple[float, ...] = (0.0, 0.02, 0.04), revisits: tuple[int, ...] = (1, 3, 6), *,
    twin: BucketTwin | None = None, years: int = 64, seed: int = 0,
) -> dict[tuple[float, int], Recovery]:
    """Return the recovery for each error and revisit; arguments as of `recovery`."""
    return {(error, revisit): recovery(error, revisit, twin=twin, years=years, seed=seed)
            for error in errors for revisit in revisits}


# ---- inside ------------------------------------------------------------------------------------------


def _weather(soil: BucketTwin, years: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return rain and irrigation (day, year) and demand (day,) [kg m-2 d-1]."""
    rain = rng.exponential(1.0, (DAYS, years)) * (rng.random((DAYS, years)) < soil.wet_days)
    rain *= soil.precipitation / rain.sum(axis=0)
    irrigation = np.zeros((DAYS, years))
    pulses = np.arange(soil.season[0], soil.season[1], soil.interval)
    irrigation[pulses] = soil.irrigation / len(pulses)
    demand = soil.demand * (1.0 - 0.7 * np.cos(2.0 * np.pi * (np.arange(DAYS) + 10.0) / DAYS))
    return rain, irrigation, demand


def _run(soil: BucketTwin, supply: Array, demand: Array) -> tuple[Array, Array]:
    """Return water (day + 1, year) and evapotranspiration (day, year) [kg m-2] of a bucket that gets ``supply``."""
    water = np.empty((DAYS + 1, supply.shape[1]))
    used = np.empty(supply.shape)
    water[0] = 1000.0 * soil.depth * 0.5 * (soil.field_capacity + soil.wilting_point)
    for day in range(DAYS):
        water[day + 1], used[day] = _day(soil, water[day], supply[day], demand[day])
    return water, used


def _day(soil: BucketTwin, water: Array, supply: Array, demand: float) -> tuple[Array, Array]:
    """Advance the bucket by a day: it is filled, then evaporates and drains; what it cannot hold runs off."""
    filled = np.minimum(water + supply, soil.capacity)
    used, away = soil.fluxes(filled, demand)
    return np.maximum(filled - used - away, 0.0), used


def _observed_fluxes(soil: BucketTwin, demand: Array, seen: Array) -> tuple[Array, Array]:
    """Return evapotranspiration and drainage (day, year) [kg m-2] of middays, from lines between observations."""
    rows = np.flatnonzero(~np.isnan(seen[:, 0]))
    middle = np.arange(DAYS) + 0.5
    later = np.clip(np.searchsorted(rows, middle), 1, len(rows) - 1)
    before, after = rows[later - 1], rows[later]
    share = np.clip((middle - before) / (after - before), 0.0, 1.0)[:, None]
    state = np.clip((1.0 - share) * seen[before] + share * seen[after], 0.0, soil.capacity)
    return soil.fluxes(state, demand[:, None])


def _assimilated(soil: BucketTwin, rain: Array, demand: Array, seen: Array, sigma: float) -> Array:
    """Return what a Kalman filter over the rain-fed bucket adds on each day (day, year) [kg m-2]."""
    water = np.full(rain.shape[1], 1000.0 * soil.depth * 0.5 * (soil.field_capacity + soil.wilting_point))
    variance = soil.forecast_error**2
    added = np.zeros(rain.shape)
    spread = variance
    for day in range(DAYS):
        water, _ = _day(soil, water, rain[day], demand[day])
        spread = spread + variance
        if np.isnan(seen[day + 1, 0]):
            continue
        gain = spread / (spread + sigma**2)
        analysis = np.clip(water + gain * (seen[day + 1] - water), 0.0, soil.capacity)
        added[day], water, spread = analysis - water, analysis, (1.0 - gain) * spread
    return added
