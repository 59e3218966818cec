"""Mass balance of glaciers: seasons of dates, lines of equilibrium, bands, and degree-days."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.diagnose import glacier

HEIGHT = np.array([4200.0, 4500.0, 4700.0, 5000.0, 5300.0])
AREA = np.array([1.0, 3.0, 2.0, 2.0, 0.5]) * 1e6


def days(first, last):
    time = np.arange(first, last, dtype="datetime64[D]").astype("datetime64[s]")
    return time, time + np.timedelta64(1, "D")


def test_years_begin_and_seasons_change_on_their_days():
    start, end = days("2019-06-01", "2021-12-01")
    month = start.astype("datetime64[M]").astype(int) % 12 + 1
    rate = np.where((month >= 5) & (month <= 9), -3.0, 1.0)[:, None] * np.array([1.0, 2.0]) / 86400.0
    found = glacier.balance_years(rate, start, end)
    assert found.labels == ("2019/20", "2020/21") and str(found.start[0]) == "2019-10-01"
    assert found.winter[:, 0] == pytest.approx([0.213, 0.212])  # 213 days in a leap year
    assert found.summer[:, 1] == pytest.approx([-0.918, -0.918])
    assert found.annual[0, 0] == pytest.approx(0.213 - 0.459)
    half = glacier.balance_years(rate, start, end, 1, 7)
    assert half.labels == ("2019", "2020", "2021") and np.isnan(half.winter[0]).all()
    assert np.isfinite(half.summer[0]).all() and np.isnan(half.summer[2]).all()
    south = glacier.balance_years(rate, start, end, 4, 11)
    assert str(south.start[0]) == "2019-04-01" and np.isnan(south.winter[0]).all() and south.labels[1] == "2020/21"


def test_a_season_with_gaps_does_not_count():
    start, end = days("2019-10-01", "2021-10-01")
    kept = np.ones(start.size, dtype=bool)
    kept[40:60] = False
    found = glacier.balance_years(np.zeros((int(kept.sum()), 1)), start[kept], end[kept])
    assert np.isnan(found.winter[0, 0]) and found.winter[1, 0] == 0.0 and np.isnan(found.annual[0, 0])
    with pytest.raises(InputError, match="a season at least"):
        glacier.balance_years(np.zeros((30, 1)), start[:30], end[:30])
    with pytest.raises(InputError, match="two different months"):
        glacier.balance_years(np.zeros((30, 1)), start[:30], end[:30], 5, 5)
    with pytest.raises(InputError, match="record, cell"):
        glacier.balance_years(np.zeros((29, 1)), start[:30], end[:30])


def test_equilibrium_of_a_straight_profile():
    gradient, line = np.array([0.006, 0.004]), np.array([4800.0, 5600.0])
    balance = gradient[:, None] * (HEIGHT - line[:, None])
    found, slope = glacier.equilibrium_line(balance, HEIGHT, AREA)
    assert found == pytest.approx(line) and slope == pytest.approx(gradient)
    assert glacier.accumulation_area_ratio(balance, AREA) == pytest.approx([2.5 / 8.5, 0.0])
    falling, _ = glacier.equilibrium_line(-balance, HEIGHT, AREA)
    assert np.isnan(falling).all()
    assert np.isnan(glacier.equilibrium_line(np.array([1.0]), HEIGHT[:1], AREA[:1])[0])
    assert np.isnan(glacier.accumulation_area_ratio(np.full(5, np.nan), AREA))


def test_bands_keep_area_and_mean():
    balance = np.stack([0.005 * (HEIGHT - 4800.0), np.arange(5.0)])
    edges = np.array([4200.0, 4700.0, 5200.0, 5300.0, 5400.0])
    mean, size = glacier.band_balance(balance, HEIGHT, AREA, edges)
    assert size == pytest.approx([4e6, 4e6, 0.0, 0.5e6])
    assert mean[1] == pytest.approx([0.75, 2.5, np.nan, 4.0], nan_ok=True)
    assert np.nansum(mean * size, axis=1) / size.sum() == pytest.approx(glacier.area_balance(balance, AREA))


def test_degree_days_against_a_loop():
    rng = np.random.default_rng(1)
    temperature = 273.15 + rng.normal(-1.0, 5.0, (400, 4))
    snowfall = np.where(temperature < 274.0, rng.gamma(0.4, 6.0, (400, 4)), 0.0)
    found = glacier.degree_day_balance(temperature, snowfall, 4.5, 8.0)
    for cell in range(4):
        pack = 0.0
        for day in range(400):
            warmth = max(temperature[day, cell] - 273.15, 0.0)
            pack += snowfall[day, cell]
            melted = min(pack, 4.5 * warmth)
            pack -= melted
            ice = 8.0 * (warmth - melted / 4.5)
            assert found[day, cell] == pytest.approx(snowfall[day, cell] - melted - ice, abs=1e-9)


def test_degree_days_of_known_weather():
    """Ten days at 2 K above freezing after 27 kg m-2 of snow: three days melt it, the rest melts ice."""
    temperature = np.full((11, 1), 275.15)
    temperature[0] = 263.15
    snowfall = np.zeros((11, 1))
    snowfall[0] = 27.0
    found = glacier.degree_day_balance(temperature, snowfall, 4.5, 8.0)[:, 0]
    assert found == pytest.approx([27.0, -9.0, -9.0, -9.0, *[-16.0] * 7])
