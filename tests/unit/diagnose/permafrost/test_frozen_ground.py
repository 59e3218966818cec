"""Frozen ground of temperatures whose answer is known: the yearly wave of Carslaw and Jaeger, and made-up profiles."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.diagnose.permafrost import (
    amplitude,
    annual_profiles,
    area_shares,
    degree_days,
    ground_temperature,
    lower_limit,
    n_factor,
    permafrost_years,
    thermal_class,
    zero_amplitude_depth,
    zone_of_share,
)
from pyland.diagnose.permafrost.annual_profiles import AnnualProfiles, year_edges
from pyland.diagnose.permafrost.heat_wave import (
    YEAR,
    damping_depth,
    wave_active_layer,
    wave_temperature,
    wave_zero_amplitude_depth,
)
from pyland.diagnose.permafrost.zero_amplitude import check_column

DAY = np.timedelta64(86400, "s")
KAPPA = 1.0e-6  # [m2 s-1]
FINE = np.arange(0.05, 25.0, 0.1)


def bounds_of(ndays, start="2001-01-01"):
    edges = np.datetime64(start, "s") + DAY * np.arange(ndays + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def wave_years(means, depth=FINE, size=10.0, years=3, gradient=0.0):
    """Return the daily wave of several cells as whole years."""
    ndays = int(365.25 * years) + 1
    bounds = bounds_of(ndays)
    seconds = (bounds[:, 0] - bounds[0, 0]).astype(float) + 43200.0
    fields = np.stack([wave_temperature(seconds, depth, mean, size, KAPPA, gradient) for mean in means], axis=-1)
    return annual_profiles(bounds, depth, lambda part: fields[part])


@pytest.fixture(scope="module")
def waves():
    return wave_years([271.15, 275.15, 268.15])


def test_numbers_of_the_reference():
    assert damping_depth(KAPPA) == pytest.approx(3.17, abs=0.005)
    assert wave_zero_amplitude_depth(10.0, KAPPA, 0.1) == pytest.approx(14.6, abs=0.05)
    assert 10.0 * np.exp(-3.43 / damping_depth(KAPPA)) == pytest.approx(3.4, abs=0.02)


def test_wave_has_its_depth_of_zero_amplitude_and_its_mean(waves):
    found = zero_amplitude_depth(amplitude(waves), waves.depth)
    np.testing.assert_allclose(found, wave_zero_amplitude_depth(10.0, KAPPA, 0.1), atol=0.01)
    np.testing.assert_allclose(ground_temperature(waves, found), np.broadcast_to([271.15, 275.15, 268.15], (3, 3)),
                               atol=2e-3)
    at = np.interp(3.43, waves.depth, amplitude(waves)[:, 0])
    assert at == pytest.approx(3.4, abs=0.02)


def test_coarse_layers_find_the_same_depth():
    """The logarithm of the amplitude is linear in depth: five layers of rock serve as well as 250 thin ones."""
    years = wave_years([271.15], depth=np.array([0.01, 1.0, 4.0, 7.0, 12.0, 22.0, 39.0]))
    assert zero_amplitude_depth(amplitude(years), years.depth)[0] == pytest.approx(14.6, abs=0.1)


def test_trend_is_no_amplitude():
    """Ground that warms by 0.3 K a year at all depths: half the range at 25 m would be 0.15 K, above the limit."""
    bounds = bounds_of(1827)
    seconds = (bounds[:, 0] - bounds[0, 0]).astype(float) + 43200.0
    field = (wave_temperature(seconds, FINE, 271.15, 10.0, KAPPA) + 0.3 * seconds[:, None] / YEAR)[..., None]
    years = annual_profiles(bounds, FINE, lambda part: field[part])
    assert 0.5 * (years.maximum - years.minimum)[0, -1, 0] > 0.14
    assert zero_amplitude_depth(amplitude(years), FINE)[0] == pytest.approx(14.6, abs=0.05)


def test_wave_has_its_active_layer(waves):
    found = permafrost_years(waves)
    exact = [wave_active_layer(mean, 10.0, KAPPA, 273.15) for mean in (271.15, 268.15)]
    np.testing.assert_array_equal(found.permafrost.all(axis=0), [True, False, True])
    np.testing.assert_allclose(found.active_layer[:, [0, 2]], np.broadcast_to(exact, (3, 2)), atol=2e-3)
    np.testing.assert_array_equal(found.talik[:, [0, 2]], 0.0)
    assert np.isnan(found.active_layer[:, 1]).all() and np.isnan(found.table[:, 1]).all()
    # frost of the warm cell: as far as the wave falls below the freezing point
    np.testing.assert_allclose(found.frost_depth[:, 1], damping_depth(KAPPA) * np.log(10.0 / 2.0), atol=2e-3)
    np.testing.assert_allclose(found.top_temperature[:, 0], 271.15, atol=0.02)


def test_depressed_freezing_point_makes_the_active_layer_thinner():
    years = wave_years([271.15])
    freer = permafrost_years(years, 272.65).active_layer[0, 0]
    assert freer == pytest.approx(wave_active_layer(271.15, 10.0, KAPPA, 272.65), abs=2e-3)
    assert freer > permafrost_years(years).active_layer[0, 0]  # less cold is needed to be thawed


def test_base_of_permafrost_with_heat_from_below():
    years = wave_years([271.15], depth=np.arange(0.1, 60.0, 0.2), gradient=0.05)
    assert permafrost_years(years).base[-1, 0] == pytest.approx(2.0 / 0.05, abs=0.05)


def profiles(highest, lowest, depth=(0.5, 1.5, 2.5, 3.5, 4.5)):
    """Return years of one cell from yearly extremes in degC, (year, layer)."""
    highest, lowest = (np.asarray(one, dtype=float)[..., None] + 273.15 for one in (highest, lowest))
    start = np.datetime64("2001-01-01", "s") + np.arange(len(highest)) * 365 * DAY
    return AnnualProfiles(start, start + 365 * DAY, np.asarray(depth), 0.5 * (highest + lowest), highest, lowest,
                          np.zeros_like(highest), 0.5 * (highest - lowest))


def test_talik_between_active_layer_and_permafrost():
    years = profiles([[8, 4, 2, 0.5, -0.5]] * 2, [[-8, -2, 0.5, 0.2, -1.0]] * 2)
    found = permafrost_years(years)
    assert found.active_layer[0, 0] == pytest.approx(1.5 + 2.0 / 2.5)  # where winter frost ends
    assert found.table[0, 0] == pytest.approx(4.0)
    assert found.talik[0, 0] == pytest.approx(4.0 - 2.3)


def test_permafrost_needs_two_years():
    highest = [[8, 4, 1.0, -0.5, -0.5], [8, 4, -1.0, -0.5, -0.5], [8, 4, 2.0, 1.0, 0.5]]
    found = permafrost_years(profiles(highest, [[-8, -2, -1, -1, -1]] * 3))
    assert found.permafrost[:, 0].tolist() == [True, True, False]
    np.testing.assert_allclose(found.active_layer[:2, 0], [2.5 + 1.0 / 1.5, 1.5 + 4.0 / 5.0])
    with pytest.raises(InputError, match="expected 2 whole years"):
        permafrost_years(profiles(highest[:1], [[-8, -2, -1, -1, -1]]))


def test_frozen_to_the_surface_has_no_active_layer():
    found = permafrost_years(profiles([[-1, -2, -3, -3, -3]] * 2, [[-20, -9, -4, -3, -3]] * 2))
    assert found.active_layer[0, 0] == 0.0 and found.permafrost.all()


def test_shallow_columns_are_refused():
    years = wave_years([271.15], depth=np.array([0.1, 1.0, 2.0, 3.43]))
    with pytest.raises(InputError, match=r"too shallow .* 3.43 m.* amplitude of 3.39 K"):
        check_column(amplitude(years), years.depth)
    assert np.isnan(zero_amplitude_depth(amplitude(years), years.depth)).all()
    check_column(amplitude(wave_years([271.15])), FINE)


def test_years_are_whole_and_weighted():
    edges = year_edges(np.datetime64("2003-10-01"), np.datetime64("2006-09-30"))
    assert [str(one)[:10] for one in edges] == ["2003-10-01", "2004-10-01", "2005-10-01"]
    leap = year_edges(np.datetime64("2004-02-29"), np.datetime64("2008-03-01"))
    assert [str(one)[:10] for one in leap] == ["2004-02-29", "2005-03-01", "2006-03-01", "2007-03-01", "2008-02-29"]
    bounds = bounds_of(800)
    values = np.arange(800.0)[:, None, None] * np.ones((1, 2, 1))
    years = annual_profiles(bounds, np.array([0.1, 1.0]), lambda part: values[part])
    assert years.nyear == 2 and years.mean[:, 0, 0].tolist() == [182.0, 547.0]
    assert years.maximum[:, 0, 0].tolist() == [364.0, 729.0] and years.minimum[1, 0, 0] == 365.0
    with pytest.raises(InputError, match="without gaps"):
        annual_profiles(np.delete(bounds, 100, axis=0), years.depth, lambda part: values[part])
    with pytest.raises(InputError, match="whole year"):
        annual_profiles(bounds[:300], years.depth, lambda part: values[part])


def test_degree_days_of_a_wave():
    bounds = bounds_of(731)
    seconds = (bounds[:, 0] - bounds[0, 0]).astype(float) + 43200.0
    air = 273.15 - 2.0 + 12.0 * np.sin(2.0 * np.pi * seconds / YEAR)[:, None]
    found = degree_days(bounds, air)
    # integral of max(A sin x - m, 0) over a period
    below = np.arcsin(2.0 / 12.0)
    exact = 365.25 / (2 * np.pi) * (2 * 12.0 * np.cos(below) - 2.0 * (np.pi - 2 * below))
    np.testing.assert_allclose(found.thawing, exact, rtol=2e-3)
    np.testing.assert_allclose(found.freezing - found.thawing, 2.0 * 365.0, rtol=5e-3)
    np.testing.assert_allclose(n_factor(0.5 * found.thawing, found.thawing), 0.5)
    assert np.isnan(n_factor(np.ones(1), np.zeros(1)))[0]
    with pytest.raises(InputError, match="a day at most"):
        weeks = np.stack([bounds[::7, 0][:-1], bounds[::7, 0][1:]], axis=1)
        degree_days(weeks, air[::7][:-1])


def test_classes_and_zones():
    temperature = np.array([-6.0, -5.0, -3.0, -1.5, -0.5, 0.3, -1.0, np.nan])
    permafrost = np.array([True] * 6 + [False, False])
    assert thermal_class(temperature, permafrost).tolist() == [1, 2, 3, 4, 5, 5, 0, -1]
    assert zone_of_share([0.0, 0.05, 0.1, 0.5, 0.9, 1.0]).tolist() == [0, 1, 2, 3, 4, 4]
    with pytest.raises(InputError, match="increasing"):
        thermal_class(temperature, permafrost, (-3.0, -5.0, -1.5, -0.5))
    groups, shares = area_shares(np.array([True, False, True]), np.array([1.0, 3.0, 5.0]), np.array([2, 2, 4]))
    assert groups.tolist() == [2, 4] and shares.tolist() == [0.25, 1.0]


def test_lower_limit():
    elevation = np.array([4000.0, 4100.0, 4200.0, 4300.0, 4400.0])
    found = lower_limit(np.array([False, True, False, True, True]), elevation)
    assert found == {"lowest": 4100.0, "everywhere": 4300.0, "limit": 4150.0}
    assert np.isnan(lower_limit(np.zeros(5, dtype=bool), elevation)["limit"])
