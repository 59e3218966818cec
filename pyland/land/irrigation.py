"""Irrigation: the deficit of the root zone, its application, and the hours of prescribed amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import carbon as core
from pyland.core.land_surface import pack

__all__ = ["IRRIGATION_METHODS", "Irrigation", "PatchIrrigation", "irrigate_soil", "irrigation_hours"]

Array = NDArray[np.float64]

IRRIGATION_METHODS = MappingProxyType({"sprinkler": 1, "flood": 2, "drip": 3})
"""Words of ``irrigation.method`` and numbers of the core."""

DAY = 86400
"""Seconds of a day."""


@dataclass(frozen=True)
class Irrigation:
    """Irrigation of one step, each ``(column,)``.

    Attributes
    ----------
    deficit : numpy.ndarray
        Water that the soil lacks to the target, 0 above the threshold [kg m-2].
    above, ground : numpy.ndarray
        Water applied above the canopy and on the ground [kg m-2 s-1].
    remaining : numpy.ndarray
        Water still to be applied [kg m-2].
    rate : numpy.ndarray
        Rate of the present application [kg m-2 s-1].
    """

    deficit: Array
    above: Array
    ground: Array
    remaining: Array
    rate: Array


def irrigate_soil(
    dt: float,
    thickness: ArrayLike,
    water: ArrayLike,
    wilting: ArrayLike,
    target: ArrayLike,
    temperature: ArrayLike,
    *,
    method: str = "drip",
    threshold: float = 1.0,
    depth: float = 0.6,
    duration: float = 14400.0,
    supply: ArrayLike = 0.0,
    by_deficit: bool = True,
    is_start: bool = True,
    leaf_area: ArrayLike = 1.0,
    remaining: ArrayLike = 0.0,
    rate: ArrayLike = 0.0,
) -> Irrigation:
    """Irrigate columns for one step.

    Parameters
    ----------
    dt : float
        Time step [s].
    thickness, water, wilting, target, temperature : array_like, shape (layer, column)
        Thickness [m], water, wilting point and target [m3 m-3] and temperature [K] of the layers.
    method : {"sprinkler", "flood", "drip"}
        Where the water goes: above the canopy, or on the ground.
    threshold : float
        Share between wilting point and target below which the soil is irrigated [1].
    depth : float
        Soil that counts [m].
    duration : float
        Length of an application [s].
    supply : array_like
        Prescribed irrigation [kg m-2 s-1].
    by_deficit, is_start : bool
        Whether demand follows the deficit, and whether the hour of the daily check lies in this step.
    leaf_area : array_like
        Leaf area index; 0 is not irrigated by deficit [1].
    remaining, rate : array_like, shape (column,)
        State of the application [kg m-2], [kg m-2 s-1].

    Raises
    ------
    InputError
        If a word is unknown, shapes do not fit or a value is not finite.
    """
    if method not in IRRIGATION_METHODS:
        raise InputError(f"irrigation: method is {method!r}; expected one of {', '.join(IRRIGATION_METHODS)}.")
    if not (depth > 0.0 and duration > 0.0 and 0.0 <= threshold <= 1.0):
        raise InputError(
            f"irrigation: expected depth and duration above 0 and a threshold from 0 to 1, got {depth}, {duration} "
            f"and {threshold}.")
    first = np.asarray(water, dtype=float)
    ncolumn = first.shape[1] if first.ndim == 2 else 1
    soil = [_layers(value, ncolumn) for value in (thickness, water, wilting, target, temperature)]
    settings = pack([np.full(ncolumn, float(IRRIGATION_METHODS[method])), float(by_deficit), threshold, depth, duration,
                     supply, float(is_start), leaf_area])
    store, results = core.irrigate(dt, settings, tuple(soil), pack([np.zeros(ncolumn) + remaining, rate]))
    return Irrigation(*results, *store)


def _layers(value: ArrayLike, ncolumn: int) -> Array:
    array = np.asarray(value, dtype=float)
    return np.ascontiguousarray(array if array.ndim == 2 else np.repeat(array[:, None], ncolumn, axis=1))


@dataclass(frozen=True)
class PatchIrrigation:
    """Irrigation of one patch, as a case describes it.

    Attributes
    ----------
    method : str
        ``sprinkler``, ``flood`` or ``drip``.
    demand : str
        ``deficit``, ``amount`` or ``calendar``.
    threshold, depth, target : float, float, str
        See the section ``irrigation`` of a patch.
    start : float
        Local solar time of the daily check, and of the begin of an application [s].
    duration : float
        Length of an application [s].
    amount : sequence of float
        Amount of an application [kg m-2]: one, or one per day of ``days``.
    days : sequence of int
        Days of the year, 1 to 366, of a calendar; empty otherwise.
    """

    method: str = "drip"
    demand: str = "deficit"
    threshold: float = 1.0
    depth: float = 0.6
    target: str = "field_capacity"
    start: float = 21600.0
    duration: float = 14400.0
    amount: Sequence[float] = (0.0,)
    days: Sequence[int] = ()

    def fields(self) -> dict[str, float]:
        """Return the parameters of the core."""
        return {
            "irrigation_method": float(IRRIGATION_METHODS[self.method]),
            "irrigation_by_deficit": float(self.demand == "deficit"),
            "irrigation_threshold": self.threshold,
            "irrigation_depth": self.depth,
            "irrigation_duration": self.duration,
            "irrigation_to_saturation": float(self.target == "saturation"),
        }

    def amount_of(self, day_of_year: np.ndarray) -> np.ndarray:
        """Return the amount of the applications that begin on days of the year (1 to 366) [kg m-2]."""
        if self.demand == "amount":
            return np.full(np.shape(day_of_year), float(self.amount[0]))
        out = np.zeros(np.shape(day_of_year))
        if self.demand == "calendar":
            amounts = self.amount if len(self.amount) > 1 else [self.amount[0]] * len(self.days)
            for day, amount in zip(self.days, amounts, strict=True):
                out = np.where(np.asarray(day_of_year) == day, amount, out)
        return out


def irrigation_hours(
    patches: Sequence[PatchIrrigation | None], longitude: ArrayLike, start: np.datetime64, seconds: float
) -> dict[str, np.ndarray]:
    """Return the forcing of irrigation of a step.

    Parameters
    ----------
    patches : sequence of PatchIrrigation or None
        One per patch; None is not irrigated.
    longitude : array_like, shape (cell,)
        East [degree]; local solar time is UTC plus longitude / 15 degrees per hour.
    start : numpy.datetime64
        Begin of the step, UTC.
    seconds : float
        Length of the step [s], at most a day.

    Returns
    -------
    dict
        ``irrigation_start`` (1 where the daily check lies in the step, else 0) and ``irrigation_supply``, the
        prescribed rate, mean over the step [kg m-2 s-1], each ``(patch, cell)``.
    """
    shift = np.rint(np.asarray(longitude, dtype=float) / 15.0 * 3600.0)
    local = float(np.datetime64(start, "s").astype(np.int64)) + shift
    begins, supply = np.zeros((len(patches), shift.size)), np.zeros((len(patches), shift.size))
    for place, patch in enumerate(patches):
        if patch is None:
            continue
        since = local - patch.start  # whole days of it are begins of applications
        begins[place] = np.ceil((since + seconds) / DAY) > np.ceil(since / DAY)
        if patch.demand == "deficit":
            continue
        origin = np.floor(since / DAY) * DAY
        phase = since - origin  # small numbers, so that seconds count to the last bit
        for opened in (-DAY, 0, DAY):  # a step of a day and an application of a day touch three applications at most
            covered = np.minimum(phase + seconds, opened + patch.duration) - np.maximum(phase, opened)
            amount = patch.amount_of(_day_of_year(origin + opened + patch.start))
            supply[place] += amount * np.maximum(covered, 0.0) / patch.duration / seconds
    return {"irrigation_start": begins, "irrigation_supply": supply}


def _day_of_year(local: np.ndarray) -> np.ndarray:
    """Return the day of the year, 1 to 366, of local times [s since 1970]."""
    days = np.floor(local / DAY).astype("datetime64[D]")
    return (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1
