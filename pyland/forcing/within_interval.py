"""Parts of data intervals that a model step covers, and the share of shortwave that falls into a part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.solar import SolarGeometry, sun_position

DARKEST_MEAN_COSINE = 0.001  # below this mean cosine of the zenith angle, shortwave is spread evenly (datm of CTSM)


class Part(NamedTuple):
    """A part of a data interval."""

    index: int
    """Which interval."""
    begin: float
    """Start of the part [s], on the axis of the step."""
    length: float
    """Length of the part [s]."""


def parts_of_step(offset: float, dt: float, interval: float, shift: float = 0.0) -> Iterator[Part]:
    """Yield the parts of intervals that a step covers.

    Parameters
    ----------
    offset : float
        Start of the step [s].
    dt, interval : float
        Length of the step and of an interval [s].
    shift : float
        Start of interval 0 [s], on the axis of ``offset``.
    """
    first = math.floor((offset - shift) / interval)
    last = max(first, math.ceil((offset + dt - shift) / interval) - 1)
    for index in range(first, last + 1):
        left, right = shift + index * float(interval), shift + (index + 1.0) * interval
        begin = max(offset, left)
        yield Part(index, begin, min(offset + dt, right) - begin)


def check_step(
    name: str, start: np.datetime64, dt: float, offset: float, length: float, cover: tuple[np.datetime64, np.datetime64]
) -> None:
    """Make sure that a step lies within the time cover.

    Parameters
    ----------
    name : str
        Name of the source, for messages.
    start : numpy.datetime64
        Start of the step, UTC.
    dt : float
        Length of the step [s].
    offset, length : float
        Start of the step after the start of the cover, and length of the cover [s].
    cover : tuple of numpy.datetime64
        Start and end of the cover, UTC, for messages.

    Raises
    ------
    InputError
        If the step has no length or leaves the cover.
    """
    if not (math.isfinite(dt) and dt > 0.0):
        raise InputError(f"{name}: the length of a step must be above 0 s, got {dt}")
    if offset < 0.0 or offset + dt > length:
        raise InputError(
            f"{name}: the forcing covers {cover[0]} to {cover[1]} UTC, but the step of {dt:g} s from "
            f"{np.datetime64(start, 's')} leaves it; change time.start and time.end, or give a longer forcing"
        )


def shortwave_part(
    sun: SolarGeometry, mean: np.ndarray, begin: float, interval: float, part: Part, dt: float
) -> np.ndarray:
    """Give the share of a step's mean shortwave that a part of an interval brings.

    Parameters
    ----------
    sun : SolarGeometry
        Places of the cells.
    mean : numpy.ndarray
        Mean shortwave of the interval [W m-2], ``(cell,)``.
    begin, interval : float
        Start of the interval, seconds since 1970-01-01, and its length [s].
    part : Part
        Part that the step covers; its ``begin`` counts from 1970-01-01, too.
    dt : float
        Length of the step [s].

    Returns
    -------
    numpy.ndarray
        [W m-2], ``(cell,)``; the parts of an interval return its energy.
    """
    evenly = mean * (part.length / dt)
    if part.length == interval:
        return evenly
    position = sun_position(begin + 0.5 * interval)
    whole, _ = sun.sunlit(begin, interval, position)
    lit, _ = sun.sunlit(part.begin, part.length, position)
    darkest = DARKEST_MEAN_COSINE * interval
    share = lit / np.maximum(whole, darkest)
    return np.where(whole >= darkest, mean * (interval / dt) * share, evenly)
