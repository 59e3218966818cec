"""Where profiles cross a temperature, and what that makes of the ground: thawed each year, frozen for years, talik."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.permafrost.annual_profiles import AnnualProfiles

FREEZING_POINT = 273.15
"""Melting point of ice without solutes and capillarity [K]."""

LEAST_YEARS = 2
"""Years that ground has to stay frozen to be permafrost (van Everdingen 1998, International Permafrost Association)."""


@dataclass(frozen=True)
class PermafrostYears:
    """State of the ground in each year; all depths [m] from the surface.

    Attributes
    ----------
    permafrost : numpy.ndarray of bool, shape (year, cell)
        Whether some layer stayed below the freezing point through this year and the one before it (the first year:
        and the one after it).
    active_layer : numpy.ndarray, shape (year, cell)
        Ground above the permafrost that thaws and freezes within the year; NaN without permafrost.
    table, base : numpy.ndarray, shape (year, cell)
        Top of the permafrost, the greatest depth of thaw of the year; its lower end, NaN where that lies below the
        column. NaN without permafrost.
    talik : numpy.ndarray, shape (year, cell)
        Thickness of the ground between active layer and permafrost that does not freeze [m].
    frost_depth : numpy.ndarray, shape (year, cell)
        Greatest depth of frost from the surface where there is no permafrost; NaN elsewhere.
    top_temperature : numpy.ndarray, shape (year, cell)
        Annual mean at the top of the permafrost [K].
    """

    permafrost: np.ndarray
    active_layer: np.ndarray
    table: np.ndarray
    base: np.ndarray
    talik: np.ndarray
    frost_depth: np.ndarray
    top_temperature: np.ndarray


def first_crossing(profile: np.ndarray, depth: np.ndarray, value: float) -> np.ndarray:
    """Return the depth at which a profile first falls to a value, from the surface down.

    Parameters
    ----------
    profile : numpy.ndarray, shape (..., layer, cell)
        Values at ``depth``.
    depth : numpy.ndarray, shape (layer,)
        From the top [m].
    value : float
        Unit of the profile.

    Returns
    -------
    numpy.ndarray, shape (..., cell)
        Linear between the two points around it [m]; 0 where the first point is not above the value, NaN where all
        points are above it, or missing.
    """
    below = ~(profile > value)
    place = np.argmax(below, axis=-2)
    found = below.any(axis=-2)
    lower, upper = np.maximum(place, 1), np.maximum(place - 1, 0)
    warm = np.take_along_axis(profile, upper[..., None, :], axis=-2)[..., 0, :]
    cold = np.take_along_axis(profile, lower[..., None, :], axis=-2)[..., 0, :]
    crosses = found & (place > 0)
    share = np.divide(warm - value, warm - cold, out=np.zeros(warm.shape), where=crosses)
    between = depth[upper] + share * (depth[lower] - depth[upper])
    result = np.where(crosses, between, np.where(found, 0.0, np.nan))
    return np.where(np.isfinite(profile).all(axis=-2), result, np.nan)


def value_at(profile: np.ndarray, depth: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Interpolate profiles at one depth per cell.

    Parameters
    ----------
    profile : numpy.ndarray, shape (..., layer, cell)
        Values at ``depth``.
    depth : numpy.ndarray, shape (layer,)
        From the top, two points at least [m].
    target : numpy.ndarray, shape (..., cell)
        [m]; NaN gives NaN. Above the first and below the last point the value is that of the point.

    Returns
    -------
    numpy.ndarray, shape (..., cell)
    """
    inside = np.clip(np.nan_to_num(target, nan=depth[0]), depth[0], depth[-1])
    lower = np.clip(np.searchsorted(depth, inside), 1, depth.size - 1)
    one = np.take_along_axis(profile, lower[..., None, :] - 1, axis=-2)[..., 0, :]
    other = np.take_along_axis(profile, lower[..., None, :], axis=-2)[..., 0, :]
    share = (inside - depth[lower - 1]) / (depth[lower] - depth[lower - 1])
    return np.where(np.isfinite(target), one + share * (other - one), np.nan)


def permafrost_years(years: AnnualProfiles, freezing_point: float = FREEZING_POINT) -> PermafrostYears:
    """Find permafrost, its active layer and taliks in each year.

    Parameters
    ----------
    years : AnnualProfiles
        Two years at least.
    freezing_point : float
        Temperature below which ground counts as frozen [K]; below 273.15 K where pores and salt keep water liquid.

    Returns
    -------
    PermafrostYears

    Raises
    ------
    InputError
        If there is less than two years.

    Notes
    -----
    The greatest depth that the isotherm reaches in a year is where the annual maximum of temperature crosses the
    freezing point: ground thaws at some time of the year just where its maximum lies above. Linear interpolation places
    it too deep by up to half a layer where the upper point is well above and the lower one kept at the freezing point
    by latent heat.
    """
    if years.nyear < LEAST_YEARS:
        raise InputError(f"Permafrost is ground that stays frozen for {LEAST_YEARS} years: expected {LEAST_YEARS} "
                         f"whole years at least, got {years.nyear} ({years.start[0]} to {years.end[-1]}).")
    depth, highest, lowest = years.depth, years.maximum, years.minimum
    other = np.concatenate([highest[1:2], highest[:-1]])  # the year before; of the first the one after
    of_two = np.maximum(highest, other)
    frozen = of_two < freezing_point
    permafrost = frozen.any(axis=-2)
    above = np.arange(depth.size)[:, None] < np.argmax(frozen, axis=-2)[..., None, :]
    table = np.where(permafrost, _thaw_depth(highest, depth, above, freezing_point), np.nan)
    stays = (lowest > freezing_point) & above
    has_talik = stays.any(axis=-2) & permafrost
    refrozen = first_crossing(-lowest, depth, -freezing_point)
    active = np.where(has_talik, np.fmin(refrozen, table), table)
    frost = np.where(permafrost, np.nan, first_crossing(-lowest, depth, -freezing_point))
    return PermafrostYears(
        permafrost=permafrost,
        active_layer=active,
        table=table,
        base=np.where(permafrost, _base(of_two, depth, frozen, freezing_point), np.nan),
        talik=np.where(permafrost, np.where(has_talik, table - active, 0.0), np.nan),
        frost_depth=frost,
        top_temperature=value_at(years.mean, depth, table),
    )


def _thaw_depth(highest: np.ndarray, depth: np.ndarray, above: np.ndarray, freezing_point: float) -> np.ndarray:
    """Return the greatest depth of thaw of a year above the uppermost layer that stays frozen [m]."""
    thawed = above & (highest > freezing_point)
    last = depth.size - 1 - np.argmax(thawed[..., ::-1, :], axis=-2)
    lower = np.minimum(last + 1, depth.size - 1)
    warm = np.take_along_axis(highest, last[..., None, :], axis=-2)[..., 0, :]
    cold = np.take_along_axis(highest, lower[..., None, :], axis=-2)[..., 0, :]
    crosses = thawed.any(axis=-2) & (lower > last)
    share = np.divide(warm - freezing_point, warm - cold, out=np.zeros(warm.shape), where=crosses)
    return np.where(crosses, depth[last] + share * (depth[lower] - depth[last]), 0.0)


def _base(highest: np.ndarray, depth: np.ndarray, frozen: np.ndarray, freezing_point: float) -> np.ndarray:
    """Return the depth at which the lowest frozen layer ends [m]; NaN where the column ends first."""
    last = depth.size - 1 - np.argmax(frozen[..., ::-1, :], axis=-2)
    lower = np.minimum(last + 1, depth.size - 1)
    cold = np.take_along_axis(highest, last[..., None, :], axis=-2)[..., 0, :]
    warm = np.take_along_axis(highest, lower[..., None, :], axis=-2)[..., 0, :]
    ends = last < depth.size - 1
    share = np.divide(freezing_point - cold, warm - cold, out=np.zeros(cold.shape), where=ends)
    return np.where(ends, depth[last] + share * (depth[lower] - depth[last]), np.nan)
