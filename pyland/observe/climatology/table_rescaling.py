"""Tables of observations rescaled by a climatology."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyland.base.observation_reasons import NO_CLIMATOLOGY, USED
from pyland.observe.climatology.cdf_matching import CdfMatch
from pyland.observe.climatology.linear_matching import LinearMatch
from pyland.observe.observation_table import ObservationTable


def rescale_table(table: ObservationTable, match: CdfMatch | LinearMatch) -> ObservationTable:
    """Rescale the values of a table and their errors.

    Parameters
    ----------
    table : ObservationTable
        Observations of the product that ``match`` was fitted to.
    match : CdfMatch or LinearMatch
        Climatologies by the ``location`` of the table.

    Returns
    -------
    ObservationTable
        Rows whose place or part of the year has no climatology keep their values and are not used, with the reason
        ``no_climatology``.
    """
    row = np.searchsorted(match.location, table.location)
    safe = np.minimum(row, max(match.location.size - 1, 0))
    known = np.zeros(table.size, bool)
    values, sigma = np.full(table.size, np.nan), np.full(table.size, np.nan)
    if match.location.size:
        known = match.location[safe] == table.location
        values[known], sigma[known] = match.apply(
            table.value[known], safe[known], table.time[known], table.sigma[known])
    good = np.isfinite(values)
    flag = np.where((table.flag == USED) & ~good, np.int8(NO_CLIMATOLOGY), table.flag)
    name = "cdf" if isinstance(match, CdfMatch) else match.method
    done = f"rescaled by {name}, window {match.windows.window}, climatology of {match.train[0]} to {match.train[1]}"
    return replace(
        table, value=np.where(good, values, table.value), sigma=np.where(good, sigma, table.sigma), flag=flag,
    ).with_history(done)
