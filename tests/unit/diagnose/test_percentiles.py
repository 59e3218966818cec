"""Percentiles of a day of the year, drought classes and events."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats.mstats import hdquantiles

from pyland.base.errors import InputError
from pyland.diagnose.climatology_file import read_climatology, write_climatologies
from pyland.diagnose.drought_classes import UNKNOWN, area_in_drought, drought_class, drought_events
from pyland.diagnose.percentiles import (
    Climatology,
    anomaly,
    day_of_year,
    percentile_of,
    standardised_anomaly,
)

DAILY = np.arange("1991-01-01", "2021-01-01", dtype="datetime64[D]")


@pytest.fixture(scope="module")
def weather():
    """Thirty years of independent normal days about a yearly cycle, in four cells."""
    drawn = np.random.default_rng(8).standard_normal((len(DAILY), 4))
    season = 0.5 * np.cos(2.0 * np.pi * day_of_year(DAILY) / 365.0)
    return season[:, None] + np.array([1.0, 2.0, 0.5, 1.5]) * drawn


@pytest.fixture(scope="module")
def usual(weather):
    return Climatology.build(DAILY, weather)


def test_days_of_a_year_without_leap_days():
    days = np.array(["2019-02-28", "2020-02-28", "2020-02-29", "2020-03-01", "2021-03-01", "2020-12-31"],
                    "datetime64[D]")
    assert day_of_year(days).tolist() == [58, 58, 58, 59, 59, 364]


def test_percentiles_of_a_normal_variable_are_those_of_its_distribution(usual, weather):
    for day in ("2020-01-01", "2020-04-02", "2020-07-15"):
        number = day_of_year(np.datetime64(day))
        season = 0.5 * np.cos(2.0 * np.pi * number / 365.0)
        # the mean of the season over +-15 days: sin(w/2 n)/(n sin(w/2)) of its amplitude
        width = 2.0 * np.pi / 365.0
        season *= np.sin(31 * width / 2.0) / (31 * np.sin(width / 2.0))
        for wanted in (-2.0, -1.0, 0.0, 1.5):
            found = percentile_of(season + wanted * np.array([1.0, 2.0, 0.5, 1.5]), usual, np.datetime64(day))
            # 930 values: 1.6 % at the median (1 sd)
            assert np.abs(found - 100.0 * ndtr(wanted)).max() < 5.0
    assert usual.years.min() == usual.years.max() == 30


def test_percentiles_of_the_sample_itself_are_uniform(usual, weather):
    found = percentile_of(weather, usual, DAILY)
    assert found.shape == weather.shape
    share = np.array([(found <= bound).mean() for bound in (2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 90.0)])
    assert np.allclose(share, [0.02, 0.05, 0.10, 0.20, 0.30, 0.50, 0.90], atol=0.003)


def test_members_and_days_together_are_as_one_by_one(usual, weather):
    members = weather[:6].reshape(3, 2, 4)  # three times, two members
    days = DAILY[[5, 180, 364]]
    together = percentile_of(members, usual, days)
    one = np.stack([percentile_of(members[k], usual, days[k]) for k in range(3)])
    assert np.array_equal(together, one)


def test_quantiles_are_those_of_the_pooled_window(weather):
    found = Climatology.build(DAILY, weather, step=1)
    days = day_of_year(DAILY)
    around = np.minimum(np.abs(days - 2), 365 - np.abs(days - 2)) <= 15
    pooled = weather[around]
    wanted = np.quantile(pooled, found.probabilities, axis=0, method="hazen")
    assert np.allclose(found.quantiles[2], wanted, rtol=0.0, atol=1e-12)
    assert np.allclose(found.mean[2], pooled.mean(axis=0))
    assert np.allclose(found.deviation[2], pooled.std(axis=0, ddof=1))
    z = standardised_anomaly(weather[2], found, 2)
    assert np.allclose(z, (weather[2] - pooled.mean(axis=0)) / pooled.std(axis=0, ddof=1))
    assert np.allclose(anomaly(weather[2], found, 2), weather[2] - pooled.mean(axis=0))


def test_smooth_quantiles_are_those_of_harrell_and_davis(weather):
    found = Climatology.build(DAILY, weather, step=30, method="harrell_davis")
    days = day_of_year(DAILY)
    pooled = weather[np.minimum(days, 365 - days) <= 15, 1]
    inner = slice(1, -1)
    wanted = np.asarray(hdquantiles(pooled, found.probabilities[inner]))
    assert np.allclose(found.quantiles[0, inner, 1], wanted, atol=1e-9)
    assert found.quantiles[0, 0, 1] == pooled.min() and found.quantiles[0, -1, 1] == pooled.max()


@pytest.mark.parametrize("method", ["empirical", "harrell_davis"])
def test_a_value_that_many_years_share_gets_the_middle_of_their_share(weather, method):
    snow = np.clip(weather - 1.0, 0.0, None)
    snow[:, 3] = 0.0
    usual = Climatology.build(DAILY, snow, step=10, method=method)
    april = np.datetime64("2020-04-10")
    found = percentile_of(np.zeros(4), usual, april)
    assert found[3] == 50.0
    days = day_of_year(DAILY)
    bare = (snow[np.abs(days - day_of_year(april)) <= 15, 0] == 0.0).mean()
    assert found[0] == pytest.approx(50.0 * bare, abs=5.0)
    assert np.isnan(standardised_anomaly(np.zeros(4), usual, april)[3])


def test_gaps_are_left_out_and_short_cells_have_no_climatology(weather):
    holed = weather.copy()
    holed[np.searchsorted(DAILY, np.datetime64("2005-01-01")):, 1] = np.nan
    holed[::7, 2] = np.nan
    usual = Climatology.build(DAILY, holed, step=15)
    assert (usual.years[:, 1] == 14).all() and np.isnan(usual.quantiles[:, :, 1]).all()
    found = percentile_of(holed[40], usual, DAILY[40])
    assert np.isnan(found).tolist() == [False, True, False, False]
    with pytest.raises(InputError, match="has at most 14"):
        Climatology.build(DAILY, holed[:, 1:2])


def test_wrong_input_is_told(usual, weather):
    with pytest.raises(InputError, match="do not fit cells of shape"):
        percentile_of(np.zeros(5), usual, 3)
    with pytest.raises(InputError, match="times must rise"):
        Climatology.build(DAILY[::-1], weather)
    with pytest.raises(InputError, match="half_width"):
        Climatology.build(DAILY, weather, half_width=200)
    with pytest.raises(InputError, match="method"):
        Climatology.build(DAILY, weather, method="magic")


def test_a_climatology_returns_from_its_file(tmp_path, usual):
    path = tmp_path / "climatology.nc"
    write_climatologies(path, {"soil_water": usual}, ("site",), units={"soil_water": "m3 m-3"})
    back = read_climatology(path, "soil_water")
    for name in ("days", "probabilities", "quantiles", "mean", "deviation", "years"):
        assert np.array_equal(getattr(back, name), getattr(usual, name)), name
    assert (back.half_width, back.least_years, back.method, back.period) == (
        usual.half_width, usual.least_years, usual.method, usual.period)
    with pytest.raises(InputError, match="no climatology of 'snow_mass'; the file has soil_water"):
        read_climatology(path, "snow_mass")


def test_classes_begin_at_their_percentiles():
    codes = drought_class([50.0, 30.1, 30.0, 20.0, 10.0, 5.0, 2.0, 0.0, np.nan])
    assert codes.tolist() == [0, 0, 1, 2, 3, 4, 5, 5, UNKNOWN]
    area = area_in_drought([[0, 1, 5, UNKNOWN], [UNKNOWN] * 4], [1.0, 1.0, 2.0, 100.0])
    assert np.allclose(area[0], [0.75, 0.5, 0.5, 0.5, 0.5]) and np.isnan(area[1]).all()


def test_events_of_cells():
    percentile = np.full((12, 2), 50.0)
    percentile[1:4, 0] = [15.0, 10.0, 18.0]
    percentile[5:7, 0] = [19.0, 20.0]
    percentile[10:, 0] = 5.0
    percentile[0, 1] = 1.0
    percentile[1, 1] = np.nan
    percentile[2, 1] = 3.0
    apart = drought_events(percentile, 20.0)
    assert apart.cell.tolist() == [0, 0, 0, 1, 1] and apart.first.tolist() == [1, 5, 10, 0, 2]
    assert apart.duration.tolist() == [3, 2, 2, 1, 1] and apart.lowest.tolist() == [10.0, 19.0, 5.0, 1.0, 3.0]
    assert np.allclose(apart.severity, [17.0, 1.0, 30.0, 19.0, 17.0])
    merged = drought_events(percentile, 20.0, merge_gap=1, least_duration=3)
    assert merged.first.tolist() == [1] and merged.last.tolist() == [6] and merged.severity.tolist() == [18.0]
    assert drought_events(percentile, -1.0).cell.size == 0
