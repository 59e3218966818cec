"""Rescaling by climatologies: numbers of pytesmo, analytic distributions, seasons, train and test, files, tables."""

import numpy as np
import pytest
from scipy import stats

from pyland.base.errors import InputError
from pyland.observe import ObservationTable
from pyland.observe.climatology import (
    CdfMatch,
    LinearMatch,
    SeasonalWindows,
    cdf_match,
    read_climatology,
    rescale_table,
    tc_scaling,
    write_climatology,
)


def pair():
    """Two years of a product and a reference (730,)."""
    random = np.random.default_rng(3)
    day = np.arange(730)
    truth = 0.22 + 0.04 * np.cos(2 * np.pi * day / 365) + 0.035 * random.standard_normal(730)
    reference = np.clip(truth + 0.015 * random.standard_normal(730), 0.03, 0.5)
    source = np.clip(0.05 + 0.9 * (truth - 0.22) + 0.13 + 0.04 * random.standard_normal(730), 0.0, 0.6) ** 1.3
    return source, reference


def tied(source):
    """Round a product coarsely, so that percentiles are equal."""
    return np.clip(np.round(source * 40) / 40, 0.1, 0.3)


DAYS = np.datetime64("2017-01-01T06:00:00") + np.arange(730) * np.timedelta64(1, "D")

PYTESMO = {
    # first value, value 100, least, largest, mean, standard deviation
    "linear": [0.33252285673137294, 0.20997901087374923, 0.08520149703312184, 0.35803237561005685, 0.22186914751771952,
               0.04603830149999994],
    "percentile": [0.3423635932557231, 0.20997901087374923, 0.055418367004064384, 0.3746480278245599,
                   0.22170332135756052, 0.047728825541022264],
    "tied": [0.33505883134811143, 0.055418367004064384, 0.055418367004064384, 0.3746480278245599, 0.1555557468611811,
             0.10657986202406322],
    "default": [0.3339829261182462, 0.2102815689740068, 0.08017202598221476, 0.36515673346742117, 0.22225925658795911,
                0.045827856003009086],
}
"""CDFMatching of pytesmo 0.18.1 with the percentiles of Liu et al. (2011), and cdf_match as it is (37 percentiles)."""


def summary(values):
    return [values[0], values[100], values.min(), values.max(), values.mean(), values.std()]


@pytest.mark.parametrize("name, options", [
    ("linear", {}), ("percentile", {"tails": "percentile"}), ("tied", {"tails": "percentile"}),
    ("default", {"percentiles": np.linspace(0, 100, 37)}),
])
def test_cdf_matching_has_the_numbers_of_pytesmo(name, options):
    source, reference = pair()
    source = tied(source) if name == "tied" else source
    found = cdf_match(source, source, reference, **options)
    np.testing.assert_allclose(summary(found), PYTESMO[name], rtol=1e-10)


def test_pytesmo_itself_agrees():
    matching = pytest.importorskip("pytesmo.cdf_matching", reason="the cross-check needs pytesmo (extra crosscheck)")
    source, reference = pair()
    percentiles = [0, 5, 10, 30, 50, 70, 90, 95, 100]
    theirs = matching.CDFMatching(percentiles=percentiles, linear_edge_scaling=True).fit(source, reference)
    np.testing.assert_allclose(cdf_match(source, source, reference), theirs.predict(source), rtol=1e-12)


def test_the_matched_values_have_the_distribution_of_the_reference():
    """Differences as those of the reference (0.2259, 0.0546 to 0.2257, 0.0548), here from another shape."""
    random = np.random.default_rng(1)
    source, reference = random.gamma(4.0, 0.04, 4000), random.beta(5.0, 17.0, 4000)
    found = cdf_match(source, source, reference, np.linspace(0, 100, 37))
    assert abs(found.mean() - reference.mean()) < 3e-4 and abs(found.std() - reference.std()) < 6e-4
    found = cdf_match(source, source, reference)
    assert abs(found.mean() - reference.mean()) < 5e-4 and abs(found.std() - reference.std()) < 7e-4
    assert stats.ks_2samp(found, reference).statistic < 0.03
    assert (np.diff(found[np.argsort(source)]) >= 0).all()


def test_a_linear_relation_is_found_exactly_with_its_slope_for_errors():
    random = np.random.default_rng(2)
    source = random.uniform(0.1, 0.4, (500, 3))
    slope = np.array([0.5, 1.0, 2.0])
    reference = 0.05 + slope * source
    days = np.datetime64("2019-01-01T00:00:00") + np.arange(500) * np.timedelta64(1, "D")
    match = CdfMatch.fit(source, reference, days)
    values, sigma = match.apply_to_grid(source, days, 0.04)
    np.testing.assert_allclose(values, reference, rtol=1e-12)
    np.testing.assert_allclose(sigma, np.broadcast_to(0.04 * slope, sigma.shape), rtol=1e-10)
    beyond, _ = match.apply([0.0, 0.6], [2, 2], days[:2])  # the first and the last piece go on
    np.testing.assert_allclose(beyond, [0.05, 1.25], rtol=1e-12)


def test_beta_tails_follow_the_distributions_and_stay_within_the_bounds():
    random = np.random.default_rng(4)
    one, other = stats.beta(3.0, 9.0), stats.beta(6.0, 14.0)
    source, reference = one.rvs(20000, random_state=random), other.rvs(20000, random_state=random)
    days = np.zeros(20000, "datetime64[s]")
    match = CdfMatch.fit(source[:, None], reference[:, None], days, tails="beta", bounds=(0.0, 1.0), paired=False)
    low, high = one.ppf([0.001, 0.01, 0.03]), one.ppf([0.97, 0.99, 0.999])
    for values in (low, high):
        found, sigma = match.apply(values, np.zeros(3, int), days[:3], np.full(3, 0.01))
        np.testing.assert_allclose(found, other.ppf(one.cdf(values)), rtol=0.03)
        np.testing.assert_allclose(sigma, 0.01 * one.pdf(values) / other.pdf(other.ppf(one.cdf(values))), rtol=0.12)
    extreme, sigma = match.apply([0.0, 1.0, 0.99], [0, 0, 0], days[:3], np.full(3, 0.01))
    np.testing.assert_allclose(extreme[:2], [0.0, 1.0], atol=1e-12)
    assert 0.9 < extreme[2] < 1.0 and np.isfinite(sigma).all()
    step = 1e-7
    knot = match.source_knots[0, [1, -2], 0]
    for at in knot:  # the curve has no jump where tails begin
        (before, after), _ = match.apply([at - step, at + step], [0, 0], days[:2])
        assert abs(after - before) < 10 * step


@pytest.mark.parametrize("window, parts", [("year", 1), ("season", 4), (45, 24)])
def test_windows_of_the_year(window, parts):
    windows = SeasonalWindows(window)
    members = windows.members(DAYS)
    assert members.shape == (parts, 730) and members.any(axis=0).all()
    first, second, weight = windows.weights(DAYS)
    assert (weight >= 0).all() and (weight < 1).all() and first.max() == second.max() == parts - 1
    if window == "season":
        assert first[DAYS.astype("datetime64[D]") == np.datetime64("2018-02-10")] == 0
        assert first[DAYS.astype("datetime64[D]") == np.datetime64("2018-12-01")] == 0
        assert first[DAYS.astype("datetime64[D]") == np.datetime64("2018-08-31")] == 2
    if window == 45:
        assert members[:, :365].sum(axis=1).tolist() == pytest.approx([91] * 24, abs=1)
        assert members[0, 364] and members[0, 0] and not members[0, 180]


def test_a_seasonal_window_removes_a_seasonal_bias_and_a_year_does_not():
    random = np.random.default_rng(5)
    days = np.datetime64("2015-01-01") + np.arange(4 * 365)
    wave = np.cos(2 * np.pi * np.arange(days.size) / 365.25)[:, None]
    truth = 0.25 + 0.04 * random.standard_normal((days.size, 5))
    source = truth + 0.06 * wave
    left = {}
    for window in ("year", "season", 30):
        match = CdfMatch.fit(source, truth, days, window=window)
        left[window] = np.abs(((match.apply_to_grid(source, days)[0] - truth) * wave).mean() * 2.0)
    assert left["year"] > 0.025 and left["season"] < 0.012 and left[30] < 0.004


def test_a_train_period_is_all_that_is_learned_from():
    source, reference = (one[:, None] for one in pair())
    train = ("2017-01-01", "2018-01-01")
    match = CdfMatch.fit(source, reference, DAYS, train=train)
    spoilt = reference.copy()
    spoilt[365:] = 9.0
    other = CdfMatch.fit(source, spoilt, DAYS, train=train)
    np.testing.assert_array_equal(match.reference_knots, other.reference_knots)
    assert match.train == ("2017-01-01T06:00:00", "2017-12-31T06:00:00") and match.count.tolist() == [[365]]
    test, _ = match.apply_to_grid(source[365:], DAYS[365:])
    assert abs(test.mean() - reference[365:].mean()) < 0.005  # a year apart, from the same climate
    with pytest.raises(InputError, match="no place has the 100 values that a climatology needs; the best has 31"):
        CdfMatch.fit(source, reference, DAYS, train=("2017-01-01", "2017-02-01"))
    with pytest.raises(InputError, match="must end after it starts"):
        CdfMatch.fit(source, reference, DAYS, train=("2018-01-01", "2017-02-01"))


def test_places_with_too_few_values_have_no_climatology():
    source, reference = (np.repeat(one[:, None], 3, axis=1) for one in pair())
    source[50:, 1], source[:, 2] = np.nan, 0.2
    match = CdfMatch.fit(source, reference, DAYS)
    values, sigma = match.apply_to_grid(np.full((2, 3), 0.1), DAYS[:2], 0.04)
    assert np.isfinite(values[:, 0]).all() and np.isnan(values[:, 1:]).all() and np.isnan(sigma[:, 1:]).all()
    assert match.count.tolist() == [[730, 50, 730]]


def test_lines_by_moments_and_by_collocation():
    random = np.random.default_rng(6)
    days = np.datetime64("2010-01-01") + np.arange(4000)
    truth = 0.06 * random.standard_normal((4000, 50))
    source, reference, third = (
        bias + slope * truth + error * random.standard_normal(truth.shape)
        for bias, slope, error in ((0.1, 0.5, 0.04), (0.25, 1.0, 0.02), (3.0, 7.0, 0.2)))
    slopes = {method: LinearMatch.fit(method, source, reference, days, third=third if method == "tc" else None)
              for method in ("mean", "mean_std", "tc")}
    assert (slopes["mean"].slope == 1.0).all()
    np.testing.assert_allclose(slopes["mean_std"].slope, reference.std(axis=0) / source.std(axis=0) + np.zeros((1, 50)),
                               rtol=1e-12)
    # the signal has the slope 2; standard deviations give sqrt(0.06**2 + 0.02**2)/sqrt(0.03**2 + 0.04**2)
    assert slopes["tc"].slope.mean() == pytest.approx(2.0, rel=0.01)
    assert slopes["mean_std"].slope.mean() == pytest.approx(np.hypot(0.06, 0.02) / np.hypot(0.03, 0.04), rel=0.01)
    for one in slopes.values():
        place = np.zeros(4000, int)
        values, sigma = one.apply(source[:, 0], place, days, np.full(4000, 0.04))
        assert values.mean() == pytest.approx(reference[:, 0].mean(), abs=1e-12)
        np.testing.assert_allclose(sigma, 0.04 * one.slope[0, 0], rtol=1e-12)
    slope, offset = tc_scaling(source, reference, third)
    np.testing.assert_allclose([slope, offset], [slopes["tc"].slope[0], slopes["tc"].offset[0]], rtol=1e-12)


@pytest.mark.parametrize("kind", ["cdf", "beta", "tc"])
def test_climatologies_return_from_files_with_all_bits(tmp_path, kind):
    source, reference = (np.repeat(one[:, None], 3, axis=1) for one in pair())
    source[:, 1] = np.nan
    place = [4, 5, 11]
    if kind == "tc":
        third = reference + 0.02 * np.random.default_rng(1).standard_normal(reference.shape)
        match = LinearMatch.fit("tc", source, reference, DAYS, third=third, location=place, window="season")
    else:
        options = {"tails": "beta", "bounds": (0.0, 0.9)} if kind == "beta" else {}
        match = CdfMatch.fit(source, reference, DAYS, location=place, window=60, **options)
    write_climatology(tmp_path / "climatology.nc", match)
    read = read_climatology(tmp_path / "climatology.nc")
    assert type(read) is type(match) and read.windows.window == match.windows.window and read.train == match.train
    values = np.linspace(0.02, 0.5, 60)
    given = (values, np.arange(60) % 3, DAYS[::12][:60], np.full(60, 0.03))
    for one, other in zip(match.apply(*given), read.apply(*given), strict=True):
        assert one.tobytes() == other.tobytes()
    assert [one.name for one in tmp_path.iterdir()] == ["climatology.nc"]


def test_bad_files_say_so(tmp_path):
    (tmp_path / "cut.nc").write_bytes(b"CDF")
    for name, message in (("none.nc", "does not exist"), ("cut.nc", "cannot be read as a climatology")):
        with pytest.raises(InputError, match=message):
            read_climatology(tmp_path / name)


def test_a_table_is_rescaled_by_place_and_rows_without_a_climatology_say_so():
    source, reference = pair()
    match = CdfMatch.fit(source[:, None], reference[:, None], DAYS, location=[7])
    table = ObservationTable("p", "soil_moisture", np.full(4, 0.1), DAYS[:4], 50.0, 6.0, 0.04, location=[7, 7, 8, 6])
    found = rescale_table(table, match)
    assert found.counts() == {"used": 2, "no_climatology": 2}
    assert found.value[:2] == pytest.approx(cdf_match(np.array([0.1, 0.1]), source, reference), rel=1e-12)
    assert found.value[2] == 0.1 and found.sigma[2] == 0.04 and found.sigma[0] != 0.04
    assert "rescaled by cdf" in found.provenance["history"]


@pytest.mark.parametrize("changes, message", [
    ({"percentiles": (0, 50, 90)}, "rise from 0 to 100"), ({"tails": "cubic"}, "tails must be"),
    ({"tails": "beta"}, "bounds"), ({"bounds": (0, 1)}, "bounds"), ({"least_count": 5}, "least_count must be 9"),
    ({"window": 5}, "window must be"), ({"window": True}, "window must be"), ({"location": [1, 1]}, "identities"),
])
def test_what_cannot_be_is_said(changes, message):
    with pytest.raises(InputError, match=message):
        CdfMatch.fit(*(one[:, None] for one in pair()), DAYS, **changes)


def test_methods_say_what_they_need():
    source, reference = (one[:, None] for one in pair())
    with pytest.raises(InputError, match="a third product belongs to method 'tc'"):
        LinearMatch.fit("tc", source, reference, DAYS)
    with pytest.raises(InputError, match="expected one of mean, mean_std or tc"):
        LinearMatch.fit("cdf", source, reference, DAYS)
    with pytest.raises(InputError, match="no place has a climatology"):
        LinearMatch.fit("mean", source, reference, DAYS, least_count=800)


def test_an_error_on_a_flat_piece_reaches_into_steep_ones():
    """Against the error that matching really leaves, where the reference is a strongly curved function of the truth."""
    random = np.random.default_rng(0)
    truth, sigma = random.beta(2, 3, 4000), 0.05
    days = np.datetime64("2015-01-01T00:00:00") + np.arange(4000) * np.timedelta64(6, "h")
    seen, place = truth + sigma * random.standard_normal(4000), np.zeros(4000, int)
    match = CdfMatch.fit(seen[:, None], (0.05 + 0.4 * truth**3)[:, None], days)
    values, error = match.apply(seen, place, days, np.full(4000, sigma))
    right, _ = match.apply(truth, place, days)
    assert np.sqrt((error**2).mean()) == pytest.approx((values - right).std(), rel=0.03)
    assert (((values - right) / error) ** 2).mean() < 1.5  # 1.9 with the slope at the value
    corner = match.source_knots[0, 4, 0]  # straight lines meet here: the error is the mean of both sides
    ends, _ = match.apply([corner - sigma, corner + sigma], [0, 0], days[:2])
    assert match.apply([corner], [0], days[:1], [sigma])[1][0] == pytest.approx(0.5 * np.diff(ends)[0], rel=1e-12)
