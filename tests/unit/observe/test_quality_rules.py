"""Quality rules, duplicates, rain before, blocks and error models: each against what is counted by hand."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import ObservationTable
from pyland.observe.merging import CommonGrid
from pyland.observe.quality import (
    ClassError,
    CollocationError,
    ConstantError,
    ProductError,
    QualityRules,
    RelativeError,
    apply_quality,
    blocks_of,
    error_of_table,
    is_duplicate,
    super_observations,
    thin,
    with_rain_before,
)
from pyland.observe.target_cells import EARTH_RADIUS

START = np.datetime64("2018-06-01T06:00:00")


def table(count=8, **changes):
    given = {"value": np.linspace(0.1, 0.4, count), "time": START + np.arange(count) * np.timedelta64(1, "h"),
             "latitude": 50.0, "longitude": 6.0, "sigma": 0.04}
    return ObservationTable("p", "soil_moisture", **{**given, **changes})


@pytest.mark.parametrize("rule, column, reason", [
    ("largest_frozen_probability", "frozen_probability", "frozen_ground"),
    ("largest_snow_probability", "snow_probability", "snow_covered"),
    ("largest_snow_cover", "snow_cover", "snow_covered"),
    ("largest_snow_water", "snow_water", "snow_covered"),
    ("largest_open_water", "open_water", "open_water"),
    ("largest_vegetation_water", "vegetation_water", "dense_vegetation"),
    ("largest_optical_depth", "optical_depth", "dense_vegetation"),
    ("largest_rain_before", "rain_before", "rain"),
    ("largest_rfi_probability", "rfi_probability", "rejected_by_quality_flag"),
])
def test_a_rule_takes_what_is_above_its_limit_and_a_gap_breaks_none(rule, column, reason):
    values = np.array([0.0, 0.1, 0.2, 0.3, 0.30001, 0.9, np.nan, 0.3])
    found = apply_quality(table(extra={column: values}), QualityRules(**{rule: 0.3}))
    assert found.reasons() == ["used"] * 4 + [reason] * 2 + ["used"] * 2
    assert found.size == 8 and "quality rules" in found.provenance["history"]
    with pytest.raises(InputError, match=f"{rule} needs the column"):
        apply_quality(table(), QualityRules(**{rule: 0.3}))


def test_cold_ground_range_and_period():
    cold = table(extra={"soil_temperature": np.array([270.0, 274.0] * 4)})
    rules = QualityRules(least_temperature=273.15, valid_range=(0.15, 1.0),
                         period=("2018-06-01T00:00", "2018-06-01T12:00"))
    assert apply_quality(cold, rules).reasons() == [
        "frozen_ground", "value_out_of_range", "frozen_ground", "used", "frozen_ground", "used", "frozen_ground",
        "outside_period"]
    with pytest.raises(InputError, match="must be a number"):
        apply_quality(cold, QualityRules(least_temperature=np.nan))


def test_usual_rules_are_those_of_the_columns_that_are_there():
    rules = QualityRules.usual(table(extra={"open_water": np.zeros(8)}), valid_range=(0.0, 0.5))
    assert rules == QualityRules(largest_open_water=0.05, valid_range=(0.0, 0.5))
    assert apply_quality(table(extra={"open_water": np.zeros(8)}), rules).counts() == {"used": 8}


def test_of_duplicates_the_one_with_the_smallest_error_is_used():
    orbit = np.array(["a", "a", "d", "a", "a", "a", "a", "a"])
    given = table(time=START, location=[1, 1, 1, 2, 2, 3, 1, 4], sigma=[0.04, 0.03, 0.04, np.nan, 0.1, 0.1, 0.03, 0.1],
                  extra={"orbit": orbit})
    assert is_duplicate(given).tolist() == [True, False, False, True, False, False, True, False]
    assert apply_quality(given, QualityRules()).counts() == {"used": 5, "duplicate": 3}
    assert not is_duplicate(table()).any()


def test_rain_before_is_the_sum_over_the_hours():
    times = START + np.arange(1, 9) * np.timedelta64(1, "h")  # ends of the intervals
    rain = np.stack([np.arange(8.0), np.ones(8)], axis=1)
    given = table(4, time=START + np.array([0, 150, 480, 481]) * np.timedelta64(1, "m"))
    found = with_rain_before(given, times, rain, np.array([0, 0, 1, 1]), 2.0).extra["rain_before"]
    # 00:30 to 02:30 of hours with 0, 1, 2, ...: half of 0, all of 1, half of 2
    np.testing.assert_allclose(found[1:3], [2.0, 2.0], rtol=1e-12)
    assert np.isnan(found[0]) and np.isnan(found[3])


def test_blocks_are_as_large_as_told_and_the_same_at_all_times():
    random = np.random.default_rng(1)
    latitude = np.degrees(np.arcsin(random.uniform(-1, 1, 200000)))
    block = blocks_of(latitude, random.uniform(-180, 180, 200000), 1.0e6)
    expected = 4 * np.pi * EARTH_RADIUS**2 / 1.0e12
    assert np.unique(block).size == pytest.approx(expected, rel=0.05) and (block < 0).all()
    assert blocks_of([10.0, 10.0], [179.99, -180.0], 1e5)[0] != blocks_of([10.0], [0.0], 1e5)[0]
    assert blocks_of([90.0, -90.0], [0.0, 180.0], 1e5).size == 2


def test_a_super_observation_has_the_error_of_its_mean():
    random = np.random.default_rng(2)
    count, members = 3000, 9
    shared, own = random.standard_normal((count, 1)), random.standard_normal((count, members))
    values = 0.25 + 0.04 * (np.sqrt(0.3) * shared + np.sqrt(0.7) * own)
    days = START + np.repeat(np.arange(count), members) * np.timedelta64(1, "D")
    given = table(count * members, value=values.ravel(), time=days, latitude=50.0 + 0.01 * np.tile(np.arange(9), count),
                  extra={"orbit": np.full(count * members, "a"), "open_water": np.full(count * members, 0.01)})
    found = super_observations(given, 3.0e5, error_correlation=0.3)
    means = found.rows(found.used)
    assert found.counts() == {"used": count, "averaged_into_another": count * members}
    assert means.value.std() == pytest.approx(means.sigma[0], rel=0.03)
    assert means.sigma[0] == pytest.approx(0.04 * np.sqrt(0.3 + 0.7 / 9), rel=1e-12)
    assert means.latitude == pytest.approx(50.04) and (means.extra["averaged"] == 9).all()
    assert means.extra["open_water"] == pytest.approx(0.01) and (means.footprint == 3.0e5).all()
    assert np.unique(means.location).size == 1 and (means.time == days[::members]).all()
    rough = super_observations(given, 3.0e5, error_correlation=0.3, representativeness=0.06)
    assert rough.sigma[0] == pytest.approx(np.hypot(0.04 * np.sqrt(0.3 + 0.7 / 9), 0.06 / 3), rel=1e-12)


def test_representativeness_from_the_spread_is_what_errors_do_not_explain():
    random = np.random.default_rng(3)
    days = START + np.repeat(np.arange(4000), 10) * np.timedelta64(1, "D")
    values = 0.25 + 0.03 * random.standard_normal(40000) + 0.05 * random.standard_normal(40000)
    given = table(40000, value=values, time=days, sigma=0.03)
    found = super_observations(given, 1e5, representativeness="spread")
    assert np.sqrt((found.sigma[:4000] ** 2).mean()) == pytest.approx(np.hypot(0.03, 0.05) / np.sqrt(10), rel=0.02)
    assert found.value[:4000].std() == pytest.approx(np.hypot(0.03, 0.05) / np.sqrt(10), rel=0.03)


def test_a_block_with_one_observation_has_the_spread_of_the_others():
    random = np.random.default_rng(4)
    days = START + np.append(np.repeat(np.arange(2000), 4), np.arange(2000, 4000)) * np.timedelta64(1, "D")
    values = 0.25 + np.hypot(0.03, 0.05) * random.standard_normal(10000)
    found = super_observations(table(10000, value=values, time=days, sigma=0.03), 1e5, representativeness="spread")
    alone = found.rows(found.used & (found.extra["averaged"] == 1))
    assert alone.size == 2000 and alone.sigma == pytest.approx(np.hypot(0.03, 0.05), rel=0.03)
    assert alone.value.std() == pytest.approx(alone.sigma[0], rel=0.05)


def test_only_what_looks_alike_is_averaged():
    """Probes at 5 and 50 cm, and brightness at 20 and 50 degrees, are no samples of one number."""
    deep = table(4, time=START, top=[0.0, 0.0, 0.4, 0.4], bottom=[0.05, 0.05, 0.5, 0.5])
    found = super_observations(deep, 1e5)
    assert found.value[found.used] == pytest.approx([deep.value[:2].mean(), deep.value[2:].mean()])
    assert found.bottom[found.used].tolist() == [0.05, 0.5]
    slanted = table(4, time=START, incidence_angle=[20.1, 20.4, 50.2, 50.3])
    assert super_observations(slanted, 1e5).counts()["used"] == 2
    assert super_observations(slanted, 1e5, angle_bin=90.0).counts()["used"] == 1
    assert thin(slanted, 1e5).counts() == {"used": 2, "thinned": 2}
    with pytest.raises(InputError, match="angle_bin must be positive"):
        super_observations(slanted, 1e5, angle_bin=0.0)


def test_blocks_of_time_are_those_of_the_analyses():
    """Analyses at 6 h of each day: what came at 5 h and at 6 h belongs to one, at 7 h to the next."""
    hours = np.array([5, 6, 7, 29, 30, 31])
    given = table(6, time=START + hours * np.timedelta64(1, "h"))
    begin = START + np.timedelta64(6 - 24, "h")
    day = np.timedelta64(1, "D")
    found = super_observations(given, 1e5, interval=day, origin=begin + np.timedelta64(1, "s"))
    assert found.extra["averaged"][found.used].tolist() == [2, 3, 1]
    analysis = -((begin - found.time[found.used]) // day)
    assert analysis.tolist() == [1, 2, 3]
    assert super_observations(given, 1e5, interval=day).extra["averaged"][:2].tolist() == [3, 3]  # of days of 1970


def test_blocks_of_a_grid_and_of_few_observations():
    grid = CommonGrid(np.array([50.0, 51.0]), np.array([6.0, 6.0]), None, np.array([4, 9]))
    given = table(4, time=START, latitude=[50.0, 50.1, 51.0, 53.0])
    found = super_observations(given, 1.0e5, grid=grid)
    assert found.location[found.used].tolist() == [4, 9, 3]
    assert found.counts() == {"used": 3, "averaged_into_another": 3}
    few = super_observations(given, 1.0e5, grid=grid, least_count=2)
    assert few.counts() == {"used": 3, "averaged_into_another": 2}
    for changes, message in (({"error_correlation": 2.0}, "must lie in 0..1"), ({"spacing": 0.0}, "must be positive"),
                             ({"representativeness": "much"}, "standard deviation or 'spread'")):
        with pytest.raises(InputError, match=message):
            super_observations(given, **{"spacing": 1e5, **changes})


def test_thinning_keeps_the_best_of_a_block_and_time():
    given = table(4, time=START + np.array([0, 1, 2, 7200]) * np.timedelta64(1, "s"), sigma=[0.04, 0.02, 0.02, 0.09],
                  location=[5, 7, 6, 5])
    assert thin(given, 1e5).reasons() == ["thinned", "thinned", "used", "used"]


def test_error_models():
    given = table(4, sigma=[0.01, 0.05, np.nan, 0.02], extra={"vegetation_water": np.array([0.5, 1.0, 4.0, np.nan])})
    for model, expected in (
        (ConstantError(0.06), [0.06] * 4),
        (RelativeError(0.2, 0.03), np.maximum(0.2 * given.value, 0.03)),
        (ProductError(2.0, 0.03), [0.03, 0.1, np.nan, 0.04]),
        (ClassError("vegetation_water", (1.0, 3.0), (0.02, 0.04, 0.08)), [0.02, 0.04, 0.08, np.nan]),
    ):
        found = error_of_table(given, model)
        np.testing.assert_allclose(found.sigma, expected)
        assert (found.used == np.isfinite(expected)).all()
        assert set(found.counts()) <= {"used", "error_not_positive"}
    with pytest.raises(InputError, match="rising limits"):
        ClassError("vegetation_water", (1.0,), (0.1,))
    with pytest.raises(InputError, match="no column 'vod'"):
        error_of_table(given, ClassError("vod", (1.0,), (0.1, 0.2)))


def test_errors_by_collocation_follow_the_season_and_the_place():
    random = np.random.default_rng(4)
    days = np.datetime64("2015-01-01") + np.arange(4 * 365)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    noisy = np.where((month >= 6) & (month <= 8), 0.06, 0.02)[:, None] * np.array([1.0, 0.5])
    truth = 0.07 * random.standard_normal((days.size, 2))
    products = truth + 0.02 * random.standard_normal((3, days.size, 2))
    products[0] = truth + noisy * random.standard_normal(truth.shape)
    model = CollocationError.fit(products, days, location=[3, 8], window="season", otherwise=0.1)
    given = table(4, time=np.array(["2019-07-01", "2019-01-01", "2019-07-01", "2019-07-01"], "datetime64[s]"),
                  location=[3, 3, 8, 5])
    np.testing.assert_allclose(error_of_table(given, model).sigma, [0.06, 0.02, 0.03, 0.1], rtol=0.15)
