"""Observations that are not assimilated, so that the analysis can be judged by what it has not seen."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.random import Generator, Philox

from pyland.base.errors import InputError
from pyland.base.observation_reasons import USED, WITHHELD
from pyland.observe.observations import ObservationSet


def withhold(sets: list[ObservationSet], share: float, seed: int) -> None:
    """Set a share of the places of one name aside; of a single place, a share of its times.

    Places are drawn once for all times, so that what is left says nothing of them but through the model and the
    filter. Observations of one point, as by two polarisations or at two depths, are set aside together, whatever their
    ``location``. At least one is set aside, and one is left. The draw depends on seed and name, and on which places
    there are, not on what was rejected.

    Parameters
    ----------
    sets : list of ObservationSet
        All sets of one name; the flags of used observations at the places change to ``withheld``.
    share : float
        Share of the places, above 0 and below 1 [1].
    seed : int
        Seed of the experiment, 0 <= seed < 2**32.

    Raises
    ------
    InputError
        If the share is out of range, or there are not two places or times to choose from.
    """
    if not sets:
        return
    name = sets[0].name
    if not 0.0 < share < 1.0:
        raise InputError(f"observations '{name}', withheld: expected a share between 0 and 1, got {share}.")
    location, point = _points(sets)
    places = np.unique(point)
    times = np.unique([one.time for one in sets]).astype("datetime64[s]")
    choices = places if places.size > 1 else times.astype(np.int64)
    if choices.size < 2:
        raise InputError(f"observations '{name}', withheld: expected at least two places or times to choose from, got "
                         "one. Remove the key.")
    key = (seed << 32) | zlib.crc32(f"withheld:{name}".encode())
    count = min(max(round(share * choices.size), 1), choices.size - 1)
    chosen = choices[Generator(Philox(key=[key, 0])).permutation(choices.size)[:count]]
    for one in sets:
        mine = (point[np.searchsorted(location, one.location)] if places.size > 1
                else np.full(one.size, one.time.astype(np.int64)))
        one.flags[(one.flags == USED) & np.isin(mine, chosen)] = WITHHELD


def _points(sets: list[ObservationSet]) -> tuple[np.ndarray, np.ndarray]:
    """Return all locations, rising, and the point of each: the least location of those with its coordinates.

    A location that moves, as the places of a swath do, lies where it was first.
    """
    every, x, y = (np.concatenate([getattr(one, name) for one in sets]) for name in ("location", "x", "y"))
    location, first = np.unique(every, return_index=True)
    group = np.unique(np.stack([x[first], y[first]]), axis=1, return_inverse=True)[1].reshape(-1)
    least = np.full(location.size, np.iinfo(np.int64).max)
    np.minimum.at(least, group, location)
    return location, least[group]
