"""Observation sets brought to a climatology that was fitted before, or to what a model shows at the same times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import NO_CLIMATOLOGY
from pyland.observe.climatology.cdf_matching import CdfMatch
from pyland.observe.climatology.linear_matching import LinearMatch
from pyland.observe.observations import ObservationSet


def match_sets(sets: Sequence[ObservationSet], match: CdfMatch | LinearMatch) -> list[ObservationSet]:
    """Rescale the used observations of sets of one name.

    Parameters
    ----------
    sets : sequence of ObservationSet
        Sets whose ``location`` are places of the climatology.
    match : CdfMatch or LinearMatch
        Climatologies of product and reference.

    Returns
    -------
    list of ObservationSet
        New sets; error variances follow the slope. Used ones without a climatology get the reason ``no_climatology``.
    """
    out = []
    for one in sets:
        place = np.minimum(np.searchsorted(match.location, one.location), max(match.location.size - 1, 0))
        known = one.used & (match.location[place] == one.location if match.location.size else False)
        values, sigma, flags = one.values.copy(), np.sqrt(one.variance), one.flags.copy()
        times = np.full(int(known.sum()), one.time)
        values[known], sigma[known] = match.apply(one.values[known], place[known], times, sigma[known])
        lost = one.used & ~(known & np.isfinite(values) & (sigma > 0))
        flags[lost] = NO_CLIMATOLOGY
        out.append(replace(one, values=np.where(lost, one.values, values),
                           variance=np.where(lost, one.variance, sigma**2), flags=flags))
    return out


def cdf_of_sets(sets: Sequence[ObservationSet], seen: Sequence[np.ndarray]) -> CdfMatch:
    """Learn the distribution of observations, and that of what a model shows of them at the same times.

    Parameters
    ----------
    sets : sequence of ObservationSet
        Sets of one name; used observations count.
    seen : sequence of ndarray, shape (obs,)
        What the model shows of each [unit of the type].

    Returns
    -------
    CdfMatch
        By ``location``, of the whole year.

    Raises
    ------
    InputError
        If there is no set, or no place has enough values.
    """
    if not sets:
        raise InputError("observations.scaling: cdf needs observations, there are none.")
    location = np.unique(np.concatenate([one.location for one in sets]))
    pair = np.full((2, len(sets), location.size), np.nan)
    for row, (one, model) in enumerate(zip(sets, seen, strict=True)):
        column, used = np.searchsorted(location, one.location), one.used
        pair[0, row, column[used]], pair[1, row, column[used]] = one.values[used], model[used]
    times = np.array([one.time for one in sets])
    return CdfMatch.fit(pair[0], pair[1], times, location=location)
