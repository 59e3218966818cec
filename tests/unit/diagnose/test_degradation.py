"""Trends against another package, the table of degradation, rain-use efficiency and change of vegetation."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.diagnose.degradation import (
    condition_state,
    degradation_state,
    mann_kendall,
    moisture_responded,
    moving_mean,
    rain_use_efficiency,
    read_degradation_table,
    relative_efficiency,
    sen_slope,
    vegetation_change,
)
from pyland.diagnose.degradation.rain_use_efficiency import regression_quantile

# pymannkendall 1.4.3 (MIT) on the series below: p, z, S, slope of original_test; p of hamed_rao_modification_test
KENDALL = (
    (3.53231725622738e-05, 4.136117269051788, 356.0, 0.07027295088218127),
    (0.006633762413644773, -2.7146910526452577, -234.0, -0.04599163589644816),
    (0.9349988039705048, 0.08155724192496482, 8.0, 0.001159507076574558),
    (0.0005206807892881304, 3.469885236398656, 293.0, 0.08),
    (3.8919671641046705e-07, -5.0741672084639395, -426.0, -0.09523809523809523),
    (5.465326142761739e-07, 5.009212292587308, 418.0, 0.09090909090909091),
)
HAMED_RAO = (0.0001899120677624211, 0.0025667128195774325, 0.9287001993409896, 0.0005206807892881304,
             5.124456414762335e-11, 5.465326142761739e-07)


@pytest.fixture(scope="module")
def series():
    """Forty years of six cells, the last three with ties."""
    rng = np.random.default_rng(11)
    x = np.cumsum(rng.standard_normal((40, 6)), 0) * 0.3 + rng.standard_normal((40, 6))
    x += np.arange(40)[:, None] * np.array([0, 0.02, -0.05, 0.1, 0, -0.01])
    x[:, 3:] = np.round(x[:, 3:])
    return x


def test_trends_have_the_numbers_of_another_package(series):
    found = mann_kendall(series)
    got = np.stack([found.p_value, found.z, found.statistic, found.slope], axis=1)
    assert np.allclose(got, KENDALL, rtol=1e-12)
    assert found.direction.tolist() == [1, -1, 0, 1, -1, 1]
    correlated = mann_kendall(series, correlation="hamed_rao")
    # the fifth has ties of ranks that round off decides
    assert np.allclose(np.delete(correlated.p_value, 4), np.delete(HAMED_RAO, 4), rtol=1e-9)
    assert correlated.p_value[4] < 1e-9


def test_gaps_are_pairs_less(series):
    holed = series.copy()
    holed[[3, 17], 0] = np.nan
    holed[3:, 2] = np.nan
    found = mann_kendall(holed, np.arange(1980.0, 2020.0))
    keep = np.delete(np.arange(40), [3, 17])
    alone = mann_kendall(series[keep, 0], 1980.0 + keep)
    assert found.statistic[0] == alone.statistic and found.p_value[0] == pytest.approx(float(alone.p_value))
    assert found.slope[0] == pytest.approx(float(alone.slope))
    assert np.isnan(found.p_value[2]) and found.direction[2] == 0  # three values
    assert np.isnan(mann_kendall(holed, correlation="hamed_rao").p_value[0])


def test_chance_of_a_false_trend_is_its_level():
    rng = np.random.default_rng(5)
    white = rng.standard_normal((30, 4000))
    red = np.zeros_like(white)
    for year in range(1, 30):
        red[year] = 0.6 * red[year - 1] + white[year]
    assert (mann_kendall(white).direction != 0).mean() == pytest.approx(0.05, abs=0.012)
    naive, honest = ((mann_kendall(red, correlation=one).direction != 0).mean() for one in ("independent", "hamed_rao"))
    # autocorrelation looks like a trend; in thirty years few lags are significant, and the factor takes a part away
    assert naive > 0.2 and 0.1 < honest < 0.9 * naive


@pytest.mark.parametrize(("years", "window"), [(20, 3), (30, 3), (30, 5)])
def test_moving_means_do_not_make_trends(years, window):
    """Means that share years look like a trend: at 5 % every fourth to third series of white noise had one."""
    white = np.random.default_rng(8).standard_normal((years, 3000))
    means = moving_mean(white, window)
    assert (mann_kendall(means).direction != 0).mean() > 0.2
    assert (mann_kendall(means, correlation="hamed_rao").direction != 0).mean() > 0.15
    for correlation in ("independent", "hamed_rao"):
        assert (mann_kendall(means, correlation=correlation, window=window).direction != 0).mean() < 0.06
    found = mann_kendall(means, window=window)
    statistic = found.statistic
    rising = np.abs(statistic) > 1.0
    variance = ((np.abs(statistic[rising]) - 1.0) / np.abs(found.z[rising])) ** 2
    assert variance[0] == pytest.approx(statistic.var(), rel=0.08)  # the variance that S has
    assert (mann_kendall(means + 0.3 * np.arange(len(means))[:, None], window=window).direction == 1).mean() > 0.9


def test_slope_is_the_median_of_pairs():
    assert sen_slope([1.0, 3.0, 4.0, 20.0]) == pytest.approx(np.median([2.0, 1.5, 19 / 3, 1.0, 8.5, 16.0]))
    assert np.isnan(sen_slope([1.0])) and np.isnan(sen_slope([np.nan, 2.0]))
    assert np.allclose(moving_mean([1.0, 2.0, 6.0, 3.0], 3), [3.0, 11 / 3])
    with pytest.raises(InputError, match="1 to 4 years"):
        moving_mean([1.0, 2.0, 6.0, 3.0], 5)
    with pytest.raises(InputError, match="rising times"):
        mann_kendall([1.0, 2.0], [2.0, 1.0])
    with pytest.raises(InputError, match="window must be 1"):
        mann_kendall([1.0, 2.0], window=0)


def test_table_of_degradation():
    table = read_degradation_table()
    names = {name: code for code, name in table.states.items()}
    cases = {(-1, 1, 1): "degradation", (1, -1, -1): "restoration", (0, 1, -1): "fluctuation", (0, 1, 0): "restoration",
             (0, 0, 1): "fluctuation", (0, -1, 1): "fluctuation", (0, -1, -1): "degradation", (0, -1, 0): "degradation"}
    found = degradation_state(*np.array(list(cases)).T, table=table)
    assert found.tolist() == [names[one] for one in cases.values()]
    assert degradation_state([1, 1], [0, 0], [0, 0], known=[True, False]).tolist() == [3, 0]


def test_wrong_tables_are_told(tmp_path):
    path = tmp_path / "table.yaml"
    path.write_text("states: {1: good}\nrules:\n  - {npp: up, state: good}\n")
    with pytest.raises(InputError, match="no rule fits 18 combinations of trends, such as npp none"):
        read_degradation_table(path)
    path.write_text("states: {1: good}\nrules:\n  - {npp: sideways, state: good}\n")
    with pytest.raises(InputError, match=r"rule 1: expected npp, mnpp or moisture with up, none or down"):
        read_degradation_table(path)


def test_productivity_that_follows_moisture_keeps_its_ratio():
    years = np.arange(30.0)
    moisture = 0.6 - 0.01 * years
    npp = np.stack([500.0 * moisture, 500.0 * moisture - 4.0 * years], axis=1)
    weather = 1.0 + 0.01 * np.random.default_rng(1).standard_normal((30, 1))
    ratio = moisture_responded(npp * weather, moisture[:, None])
    trend = mann_kendall(ratio)
    assert trend.direction.tolist() == [0, -1] and ratio[0, 0] == pytest.approx(5.0, rel=0.03)
    assert np.isnan(moisture_responded([1.0], [0.0])[0])


def test_efficiency_of_both_dimensions():
    months = np.datetime64("2000-01", "M") + np.arange(48)
    season = np.arange(48) % 12
    rain = np.where(season < 6, 20.0, 60.0)[:, None] * np.array([1.0, 0.5])
    demand = np.full((48, 2), 80.0)
    plants = np.ones((48, 2))
    plants[30] = 3.0  # July 2002: rain of February to July
    found = rain_use_efficiency(plants, rain, demand, months)
    assert found.largest[0] == pytest.approx(3.0 / (5 * 20.0 + 60.0))
    assert found.largest_aridity[0] == pytest.approx(480.0 / 160.0)
    # hydrological years from October 2000: three, one with the peak
    assert found.mean[0] == pytest.approx((1.0 + 14.0 / 12.0 + 1.0) / 3.0 / 480.0)
    assert np.allclose(found.mean_aridity, [2.0, 4.0]) and np.allclose(found.mean[1], 2.0 * found.mean[0])
    with pytest.raises(InputError, match="no whole hydrological year"):
        rain_use_efficiency(plants[:12], rain[:12], demand[:12], months[:12])


def test_relative_efficiency_takes_aridity_out():
    rng = np.random.default_rng(2)
    aridity = rng.uniform(1.0, 6.0, 3000)
    condition = rng.random(3000)
    use = np.exp(-1.0 - 0.4 * aridity + 0.8 * (condition - 0.5))
    found = relative_efficiency(use, aridity)
    assert np.abs(found - np.clip((condition - 0.05) / 0.9, 0.0, 1.0)).max() < 0.04
    assert abs(np.corrcoef(found, aridity)[0, 1]) < 0.05
    assert condition_state([0.2, 0.2, 0.8, 0.8, np.nan], [0.2, 0.8, 0.2, 0.8, 0.5]).tolist() == [1, 2, 3, 4, 0]
    with pytest.raises(InputError, match="boundaries need 20"):
        relative_efficiency(use[:10], aridity[:10])


def test_regression_quantile_minimises_its_loss():
    rng = np.random.default_rng(4)
    x = np.stack([np.ones(400), rng.uniform(0, 3, 400)], axis=1)
    y = 1.0 + 2.0 * x[:, 1] + rng.gumbel(size=400) * (1.0 + x[:, 1])
    for share in (0.1, 0.5, 0.95):
        found = regression_quantile(x, y, share)

        def loss(coefficients, share=share):
            left = y - x @ coefficients
            return np.maximum(share * left, (share - 1.0) * left).sum()

        steps = [loss(found + step) for step in 1e-3 * rng.standard_normal((200, 2))]
        assert min(steps) >= loss(found) - 1e-9 and (y < x @ found).mean() == pytest.approx(share, abs=0.01)


def test_change_is_given_to_time_or_to_aridity():
    rng = np.random.default_rng(6)
    years, cells = 20, 300
    time = np.arange(years)[:, None] / years
    dry = rng.standard_normal((years, cells)) + 2.0 * time  # it gets drier
    noise = 0.2 * rng.standard_normal((years, cells))
    by_dry = vegetation_change(-dry + noise, dry)
    by_time = vegetation_change(-2.0 * time + noise, dry)
    assert (by_dry.by_aridity < -0.8).all() and (by_dry.by_time == 0.0).mean() > 0.8
    assert (by_time.by_time < -0.8).mean() > 0.95 and (by_time.by_aridity == 0.0).mean() > 0.8
    nothing = vegetation_change(noise, dry)
    assert ((nothing.by_time == 0.0) & (nothing.by_aridity == 0.0)).mean() > 0.75
    # one cell against ordinary least squares
    y = -dry + time + noise
    found = vegetation_change(y, dry, level=0.999999)
    standard = [(one - one.mean()) / one.std() for one in (y[:, 0], time[:, 0], dry[:, 0])]
    wanted = np.linalg.lstsq(np.stack(standard[1:], axis=1), standard[0], rcond=None)[0]
    assert np.allclose([found.by_time[0], found.by_aridity[0]], wanted)
