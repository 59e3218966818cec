"""Observations of a known truth, for twin experiments.

Noise is counter-based: the key is (seed, name, time) and the position in the stream is the place, so that the
observation of a place does not depend on which other places or times are asked for. (The position of a swath does
depend on the extent of the places.)
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator, Philox

from pyland.base.errors import InputError
from pyland.domain.smooth_field import smooth_field
from pyland.observe.observations import ObservationSet, Setting
from pyland.observe.quantities import quantity_of

COVERAGES = ("random", "swath")


def make_observations(
    truth: np.ndarray,
    time: np.datetime64,
    x: np.ndarray,
    y: np.ndarray,
    *,
    name: str,
    error: float | np.ndarray,
    seed: int,
    kind: str = "soil_moisture",
    depth: tuple[float, float] = (0.0, 0.05),
    fraction: float = 1.0,
    coverage: str = "random",
    location: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    limits: tuple[np.ndarray | float, np.ndarray | float] | None = None,
    e_folding_depth: float = np.inf,
    settings: Mapping[str, Setting] | None = None,
    gaps: float = 0.0,
    noise_length: float | None = None,
) -> ObservationSet:
    """Observe a true field at one time with noise and gaps.

    Parameters
    ----------
    truth : array_like, shape (place,)
        True values as the operator sees them [unit of the kind].
    time : datetime64
        Time of the observation (UTC).
    x, y : array_like, shape (place,)
        Coordinates [m].
    name : str
        Name of the observation entry.
    error : float or array_like, shape (place,)
        Standard deviation of the noise [unit of the kind].
    seed : int
        Seed of the experiment, 0 <= seed < 2**32.
    kind : str
        Type of the observations, one of `QUANTITIES`.
    depth : tuple of float
        Top and bottom of the observed layer [m]; NaN where it has no meaning.
    fraction : float
        Share of the places that is seen, in (0, 1].
    coverage : {"random", "swath"}
        ``random`` sees each place with the probability ``fraction``; ``swath`` sees a straight strip that holds this
        share of the places and whose direction and offset change from time to time, as those of an orbit do. The
        middle of the domain is seen more often than its edges.
    location : array_like of int, shape (place,), optional
        Global index of each place; names its noise. Default: 0, 1, ...
    cells, weights : array_like, shape (place, slot), optional
        Footprints. Default: the cell of the same index as the place.
    limits : tuple, optional
        Noise does not take an observation beyond, for instance residual water and porosity. Default: those of the kind.
    e_folding_depth : float
        Depth over which the weight of the soil in ``depth`` falls to 1/e [m]; how the truth was seen.
    settings : mapping, optional
        Options of the operator with which the truth was seen.
    gaps : float
        Share of the places that are seen of which there is no value, in [0, 1), as under clouds.
    noise_length : float, optional
        Distance over which the correlation of the noise of one time falls to 1/e [m]; default: places are independent.

    Returns
    -------
    ObservationSet
        Only the places that are seen.

    Raises
    ------
    InputError
        If a number is out of range, the truth is not finite, or shapes differ.
    """
    truth, x, y = (np.atleast_1d(np.asarray(a, float)) for a in (truth, x, y))
    if truth.ndim != 1 or truth.shape != x.shape or x.shape != y.shape:
        raise InputError(f"twin observation '{name}': truth, x and y must have one shape, got {truth.shape}, "
                         f"{x.shape}, {y.shape}.")
    if not np.isfinite(truth).all():
        raise InputError(f"twin observation '{name}': the truth at {time} is not finite.")
    error = np.broadcast_to(np.asarray(error, float), truth.shape)
    if not (np.isfinite(error) & (error > 0)).all() or not 0.0 < fraction <= 1.0 or not 0.0 <= gaps < 1.0:
        raise InputError(f"twin observation '{name}': expected error > 0, 0 < fraction <= 1 and 0 <= gaps < 1, got "
                         f"{error.min(initial=np.inf)}, {fraction}, {gaps}.")
    location = np.arange(truth.size) if location is None else np.asarray(location, np.int64)
    cells = location[:, None] if cells is None else np.asarray(cells, np.int64)
    weights = np.ones(cells.shape) if weights is None else np.asarray(weights, float)
    if noise_length is None:
        noise = _stream(seed, f"noise:{name}", time).standard_normal(int(location.max(initial=-1)) + 1)[location]
    else:
        noise = smooth_field(x, y, noise_length, seed, f"noise:{name}:{np.datetime64(time, 's')}")
    seen = _seen(_stream(seed, f"coverage:{name}", time), coverage, fraction, x, y, location)
    if not 0.0 <= gaps < 1.0:
        raise InputError(f"twin observation '{name}': expected 0 <= gaps < 1, got {gaps}.")
    if gaps > 0.0:
        seen &= _stream(seed, f"gaps:{name}", time).random(int(location.max(initial=-1)) + 1)[location] >= gaps
    values = np.clip(truth + error * noise, *(quantity_of(kind).limits if limits is None else limits))
    return ObservationSet(name, kind, time, values[seen], error[seen] ** 2, x[seen], y[seen], cells[seen],
                          weights[seen], *map(float, depth), location=location[seen], e_folding_depth=e_folding_depth,
                          settings=dict(settings or {}))


def _stream(seed: int, purpose: str, time: np.datetime64) -> Generator:
    if not 0 <= seed < 2**32:
        raise InputError(f"twin observations: the seed must lie in 0..{2**32 - 1}, got {seed}.")
    stamp = int(np.datetime64(time, "s").astype(np.int64)) & (2**64 - 1)
    return Generator(Philox(key=[(seed << 32) | zlib.crc32(purpose.encode("utf-8")), stamp]))


def _seen(stream: Generator, coverage: str, fraction: float, x: np.ndarray, y: np.ndarray,
          location: np.ndarray) -> np.ndarray:
    """Return the mask of the places that are seen."""
    if coverage not in COVERAGES:
        raise InputError(f"twin observations: coverage must be one of {', '.join(COVERAGES)}, got {coverage!r}.")
    if fraction == 1.0 or x.size == 0:
        return np.ones(x.size, bool)
    if coverage == "random":
        return stream.random(int(location.max()) + 1)[location] < fraction
    direction, offset = np.pi * stream.random(), stream.random()
    order = np.argsort(x * np.cos(direction) + y * np.sin(direction), kind="stable")
    count = max(1, round(fraction * x.size))
    start = int(offset * (x.size - count + 1))
    seen = np.zeros(x.size, bool)
    seen[order[start : start + count]] = True
    return seen
