"""Calibration of a probe by soil cores: the moisture that the probe saw, and N0 or N of COSMIC from it.

The mean of a field is that of Schroen et al. (2017), Hydrol. Earth Syst. Sci. 21, 5009-5030, sect. 3: samples are
weighted by depth to one value for each profile, profiles by distance to one value for the field, and as both weights
depend on the moisture, this is repeated until it stays. The weight of a sample is the integral of the weight of the
depth over it, so that a thick sample counts for all the soil that it stands for; of samples of one thickness the
weights are those at their middles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import ConvergenceError, InputError
from pyland.observe.neutrons.conversion import n0_counts
from pyland.observe.neutrons.cosmic import Neutrons, cosmic
from pyland.observe.neutrons.weighting import horizontal_weight, scaled_distance, sensing_depth, vertical_weight

MOST_ITERATIONS = 50
"""Bound of the iteration of the mean of a field; it takes about five."""

SAMPLE_WEIGHTS = ("integral", "middle")
"""Weights of the samples of a core."""

MOISTURE_TOLERANCE = 1.0e-6
"""Change of the mean at which the iteration ends [m3 m-3]."""


@dataclass(frozen=True)
class Cores:
    """Samples of soil cores of one day, one row each, in any order.

    Attributes
    ----------
    profile : ndarray of int, shape (sample,)
        Which core a sample belongs to.
    distance : ndarray, shape (sample,)
        Distance of the core from the probe [m].
    top, bottom : ndarray, shape (sample,)
        Depths of the sample [m].
    moisture : ndarray, shape (sample,)
        Soil water [m3 m-3].
    bulk_density : ndarray, shape (sample,)
        Dry bulk density [kg m-3].
    other_water : ndarray, shape (sample,)
        Lattice and organic water [m3 m-3].

    Raises
    ------
    InputError
        If shapes differ, a value is impossible, a core has two distances, or its samples leave gaps.
    """

    profile: np.ndarray
    distance: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    moisture: np.ndarray
    bulk_density: np.ndarray
    other_water: np.ndarray | float = 0.0
    _index: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        profile = np.asarray(self.profile)
        if profile.ndim != 1 or profile.size == 0:
            raise InputError(f"cores: profile must have shape (sample,), got {profile.shape}.")
        for name in ("distance", "top", "bottom", "moisture", "bulk_density", "other_water"):
            values = np.asarray(getattr(self, name), float)
            if values.shape not in ((), profile.shape):
                raise InputError(f"cores: {name} must have shape {profile.shape}, got {values.shape}.")
            object.__setattr__(self, name, np.broadcast_to(values, profile.shape))
        order = np.lexsort((self.top, profile))
        for name in ("distance", "top", "bottom", "moisture", "bulk_density", "other_water"):
            object.__setattr__(self, name, getattr(self, name)[order])
        object.__setattr__(self, "profile", profile[order])
        object.__setattr__(self, "_index", np.unique(self.profile, return_inverse=True)[1])
        self._check()

    def _check(self) -> None:
        bounds = {"distance": (0.0, 600.0, "m"), "top": (0.0, 3.0, "m"), "bottom": (0.0, 3.0, "m"),
                  "moisture": (0.0, 1.0, "m3 m-3"), "bulk_density": (50.0, 4000.0, "kg m-3"),
                  "other_water": (0.0, 1.0, "m3 m-3")}
        for name, (least, most, unit) in bounds.items():
            values = getattr(self, name)
            wrong = ~((values >= least) & (values <= most))
            if wrong.any():
                row = int(np.argmax(wrong))
                raise InputError(f"cores: {name} of a sample of core {self.profile[row]} is {values[row]}, expected "
                                 f"{least:g} to {most:g} {unit}. Leave the sample out, or correct it or its unit.")
        before = np.concatenate([[0.0], self.bottom[:-1]])
        before[np.concatenate([[True], np.diff(self._index) > 0])] = 0.0
        gap = np.abs(self.top - before) > 1.0e-6  # depths are given to the millimetre
        if gap.any() or not (self.bottom > self.top).all():
            row = int(np.argmax(gap | (self.bottom <= self.top)))
            raise InputError(
                f"cores: samples of core {self.profile[row]} must follow each other from the surface down without "
                f"gaps; one lies at {self.top[row]:g} to {self.bottom[row]:g} m, expected to begin at "
                f"{before[row]:g} m."
            )
        if np.any((np.diff(self._index) == 0) & (np.diff(self.distance) != 0)):
            raise InputError("cores: all samples of a core must have the same distance from the probe.")

    @property
    def size(self) -> int:
        """Number of cores."""
        return int(self._index[-1]) + 1

    @property
    def index(self) -> np.ndarray:
        """Number of the core of each sample, from 0, shape (sample,)."""
        return self._index

    def of_cores(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return weighted means of the samples of each core, shape (core,)."""
        return np.bincount(self._index, weights * values) / np.bincount(self._index, weights)

    def distances(self) -> np.ndarray:
        """Return the distance of each core [m], shape (core,)."""
        return self.distance[np.concatenate([[True], np.diff(self._index) > 0])]

    def layers(self, values: np.ndarray) -> np.ndarray:
        """Return ``values`` of samples as (layer, core); a core with fewer samples repeats its deepest."""
        count = np.bincount(self._index)
        first = np.concatenate([[0], np.cumsum(count)[:-1]])
        rows = first + np.minimum(np.arange(count.max())[:, None], count - 1)
        return values[rows]


@dataclass(frozen=True)
class FieldMean:
    """What a probe saw of cores.

    Attributes
    ----------
    moisture, error : float
        Mean soil water and its standard error from the scatter between cores [m3 m-3]; NaN for a single core.
    gravimetric, gravimetric_error : float
        The same over the mass of dry soil [kg kg-1].
    other_water : float
        Mean lattice and organic water over the mass of dry soil [kg kg-1].
    bulk_density : float
        Mean dry bulk density as the probe sees it [kg m-3].
    core_moisture, core_weight : ndarray, shape (core,)
        Soil water of each core [m3 m-3] and its weight, sum 1.
    sample_weight : ndarray, shape (sample,)
        Weight of each sample in the mean, sum 1, in the order of the `Cores`.
    iterations : int
        How often the weights were computed.
    """

    moisture: float
    error: float
    gravimetric: float
    gravimetric_error: float
    other_water: float
    bulk_density: float
    core_moisture: np.ndarray
    core_weight: np.ndarray
    sample_weight: np.ndarray
    iterations: int


def field_mean(
    cores: Cores, *, pressure: float, humidity: float, vegetation_height: float = 0.0, relation: str = "schroen2017",
    samples: str = "integral",
) -> FieldMean:
    """Return the mean moisture of a field as a probe sees it.

    Parameters
    ----------
    cores : Cores
        Samples of one day.
    pressure : float
        Air pressure [Pa].
    humidity : float
        Absolute humidity [kg m-3].
    vegetation_height : float
        Height of plants [m].
    relation : {"schroen2017", "koehli2015"}
        Weights; distances are scaled for ``schroen2017``.
    samples : {"integral", "middle"}
        Weight of a sample: the integral of the weight of the depth over it, or its value at the middle whatever the
        thickness, as in crnpy. They differ where samples of a core have different thickness.

    Raises
    ------
    InputError
        If a value is impossible.
    ConvergenceError
        If the mean does not stay within `MOST_ITERATIONS`.
    """
    if samples not in SAMPLE_WEIGHTS:
        raise InputError(f"cores: samples must be one of {', '.join(SAMPLE_WEIGHTS)}, got {samples!r}.")
    density = float(cores.bulk_density.mean())
    total = cores.moisture + cores.other_water
    thickness, distances = cores.bottom - cores.top, cores.distances()
    mean = float(np.average(total, weights=thickness))
    for iteration in range(1, MOST_ITERATIONS + 1):  # noqa: B007
        r = distances
        if relation == "schroen2017":
            r = scaled_distance(distances, pressure, vegetation_height, mean)
        depth = sensing_depth(r, density, mean, relation)[cores.index]
        if samples == "integral":
            down = vertical_weight(cores.top, depth) - vertical_weight(cores.bottom, depth)  # times 2/D86
        else:
            down = vertical_weight(0.5 * (cores.top + cores.bottom), depth)
        across = horizontal_weight(r, mean, humidity, relation)
        before, mean = mean, float(np.average(cores.of_cores(total, down), weights=across))
        if abs(mean - before) < MOISTURE_TOLERANCE:
            break
    else:
        raise ConvergenceError(
            f"cores: the mean moisture of the field still changed by {abs(mean - before):.2g} m3 m-3 after "
            f"{MOST_ITERATIONS} iterations. Look for samples that are quite dry or quite far away."
        )
    across = across / across.sum()
    sample = down / np.bincount(cores.index, down)[cores.index] * across[cores.index]
    of_core = cores.of_cores(cores.moisture, down)
    soil = cores.of_cores(cores.bulk_density, down)
    seen = float(np.sum(across * soil))
    mass = 1000.0 * of_core / soil
    water, gravimetric = float(np.sum(across * of_core)), float(np.sum(across * mass))
    other = float(np.sum(across * 1000.0 * cores.of_cores(np.asarray(cores.other_water), down) / soil))
    return FieldMean(water, _error(of_core, across), gravimetric, _error(mass, across), other, seen, of_core, across,
                     sample, iteration)


def _error(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the standard error of a weighted mean, from the scatter (Cochran 1977, sect. 5.4, with n/(n - 1))."""
    if values.size < 2:
        return float("nan")
    mean = np.sum(weights * values)
    return float(np.sqrt(values.size / (values.size - 1) * np.sum((weights * (values - mean)) ** 2)))


def cosmic_of_cores(
    cores: Cores, across: np.ndarray, **options: float | str
) -> tuple[float, float, Neutrons]:
    """Return what COSMIC counts above cores for N = 1, weighted across the field.

    Parameters
    ----------
    cores : Cores
        Samples of one day; the deepest of a core is taken to reach 3 m.
    across : ndarray, shape (core,)
        Weights of the cores, sum 1: ``core_weight`` of `FieldMean`.
    **options
        Options of `cosmic`, such as ``water_above``, ``alpha`` or ``relation``.

    Returns
    -------
    response, error : float
        Counts over N, and their standard error from the scatter between cores [1].
    neutrons : Neutrons
        Those of each core, (core,).
    """
    neutrons = cosmic(
        cores.layers(cores.moisture), cores.layers(cores.bottom - cores.top), cores.layers(cores.bulk_density),
        lattice_water=cores.layers(np.asarray(cores.other_water)), n=1.0, **options)
    return float(np.sum(across * neutrons.counts)), _error(neutrons.counts, across), neutrons


@dataclass(frozen=True)
class Scale:
    """A constant of a probe that was found by calibration days.

    Attributes
    ----------
    value, sigma : float
        N0, N_D or N, and the standard deviation of its error [unit of the counts].
    days : ndarray, shape (day,)
        Value of each day alone.
    day_sigma : ndarray, shape (day,)
        Standard deviation of the error of each day.
    ratio : float
        Scatter of the days over what their errors explain [1]; ``sigma`` grows with it where it is above 1 (Birge 1932,
        Phys. Rev. 40, 207-227). NaN for one day.
    """

    value: float
    sigma: float
    days: np.ndarray
    day_sigma: np.ndarray
    ratio: float


def fit_scale(
    counts: ArrayLike, response: ArrayLike, counts_sigma: ArrayLike, response_sigma: ArrayLike = 0.0
) -> Scale:
    """Return the constant N in counts = N response, with its uncertainty.

    Parameters
    ----------
    counts, counts_sigma : array_like, shape (day,)
        Corrected counts of calibration days and the standard deviation of their errors [any unit]; of n hours with a
        mean of c counts it is sqrt(c/n) times the factor of the corrections.
    response, response_sigma : array_like, shape (day,)
        What a model counts for N = 1, and its standard error: `n0_counts`, `uts_counts` or `cosmic_of_cores` of the
        cores.

    Raises
    ------
    InputError
        If shapes differ or a value is not positive.
    """
    counts, response, noise, doubt = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(one, float)) for one in (counts, response, counts_sigma, response_sigma)))
    if counts.ndim != 1 or not ((counts > 0) & (response > 0) & (noise > 0) & (doubt >= 0)).all():
        raise InputError("calibration: counts, their errors and the response of the model must be positive, shape "
                         "(day,).")
    days = counts / response
    sigma = days * np.hypot(noise / counts, doubt / response)
    weight = 1.0 / sigma**2
    value = float(np.sum(weight * days) / np.sum(weight))
    ratio = float("nan")
    if days.size > 1:
        ratio = float(np.sqrt(np.sum(weight * (days - value) ** 2) / (days.size - 1)))
    return Scale(value, float(np.sqrt(1.0 / np.sum(weight)) * (max(ratio, 1.0) if days.size > 1 else 1.0)), days, sigma,
                 ratio)


def n0_response(mean: FieldMean) -> tuple[float, float]:
    """Return counts over N0 of a field, and their standard error, for `fit_scale`."""
    response = float(n0_counts(mean.gravimetric, 1.0, mean.other_water))
    step = 1.0e-4  # kg kg-1; the relation is smooth
    slope = float(n0_counts(mean.gravimetric + step, 1.0, mean.other_water) - response) / step
    return response, abs(slope) * (0.0 if np.isnan(mean.gravimetric_error) else mean.gravimetric_error)


__all__ = ["Cores", "FieldMean", "Scale", "cosmic_of_cores", "field_mean", "fit_scale", "n0_response"]
