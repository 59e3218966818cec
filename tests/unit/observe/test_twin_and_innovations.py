import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import (
    InnovationStatistics,
    ObservationSet,
    assemble,
    make_observations,
    observed_climatology,
    read_observations,
    rescale_mean_std,
    rescale_sets,
    sets_between,
    write_observations,
)

TIME = np.datetime64("2010-07-01T06:00:00", "s")


def one_set(values, name="a", time=TIME, error=0.02, **options):
    n = len(values)
    return ObservationSet(name, "soil_moisture", time, values, error**2, np.arange(n), np.arange(n),
                          np.arange(n)[:, None], np.ones((n, 1)), 0.0, 0.05, **options)


def twin(n=400, time=TIME, truth=0.25, **options):
    x, y = np.meshgrid(np.arange(20.0), np.arange(n // 20))
    options = {"name": "smap", "error": 0.03, "seed": 4} | options
    return make_observations(np.full(n, truth), time, x.ravel(), y.ravel(), **options)


def test_twin_noise_has_the_given_error_and_is_named_by_time_and_name():
    days = [twin(time=TIME + k * np.timedelta64(1, "D")) for k in range(50)]
    noise = np.array([day.values for day in days]) - 0.25
    assert noise.std() == pytest.approx(0.03, rel=0.03) and abs(noise.mean()) < 4 * 0.03 / np.sqrt(noise.size)
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.2
    assert np.array_equal(twin().values, days[0].values)
    assert not np.array_equal(twin(name="ascat").values, days[0].values)
    assert not np.array_equal(twin(seed=5).values, days[0].values)


def test_twin_noise_of_a_place_does_not_depend_on_the_others():
    whole = twin()
    part = np.arange(100, 160)
    some = make_observations(np.full(60, 0.25), TIME, whole.x[part], whole.y[part], name="smap", error=0.03, seed=4,
                             location=part)
    assert np.array_equal(some.values, whole.values[part])


@pytest.mark.parametrize("coverage", ["random", "swath"])
def test_twin_coverage(coverage):
    days = [twin(time=TIME + k, fraction=0.4, coverage=coverage) for k in range(60)]
    assert np.mean([day.size / 400 for day in days]) == pytest.approx(0.4, abs=0.02)
    assert len({tuple(day.location) for day in days}) > 50
    seen = np.bincount(np.concatenate([day.location for day in days]), minlength=400)
    assert seen.min() > 0


def test_twin_values_stay_within_the_soil():
    values = twin(truth=0.39, limits=(0.05, 0.4)).values
    assert values.max() == 0.4
    with pytest.raises(InputError, match="not finite"):
        twin(truth=np.nan)
    with pytest.raises(InputError, match="fraction"):
        twin(fraction=0.0)
    with pytest.raises(InputError, match="coverage"):
        twin(coverage="all", fraction=0.5)


def test_files_return_all_bits(tmp_path):
    wide = ObservationSet("b", "soil_moisture", TIME, [0.1, np.nan], [1e-4, 4e-4], [0, 1], [2, 3],
                          [[0, 1], [2, -1]], [[0.5, 0.5], [1, 0]], 0.05, 0.05, location=[7, 8])
    sets = [twin(fraction=0.3), wide, twin(time=TIME + 3600)]
    path = tmp_path / "obs.nc"
    write_observations(path, sets)
    assert [p.name for p in tmp_path.iterdir()] == ["obs.nc"]
    for before, after in zip(sets, read_observations(path), strict=True):
        for name, value in vars(before).items():
            assert np.array_equal(value, vars(after)[name], equal_nan=isinstance(value, np.ndarray)
                                  and value.dtype == float), name


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "obs.nc"
    write_observations(path, [twin()])
    before = path.read_bytes()
    broken = twin()
    broken.cells = "nonsense"
    with pytest.raises(AttributeError):
        write_observations(path, [broken])
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(InputError, match="no observations"):
        write_observations(path, [])


def test_damaged_and_foreign_files(tmp_path):
    import netCDF4

    path = tmp_path / "obs.nc"
    with pytest.raises(InputError, match="does not exist"):
        read_observations(path)
    write_observations(path, [twin()])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="truncated"):
        read_observations(path)
    netCDF4.Dataset(path, "w").close()
    with pytest.raises(InputError, match="not a table"):
        read_observations(path)


def test_set_checks():
    assert one_set([0.1, np.nan]).reasons() == ["used", "missing_value"]
    with pytest.raises(InputError, match="variances"):
        one_set([0.1], error=0.0)
    with pytest.raises(InputError, match="cells and weights"):
        ObservationSet("a", "soil_moisture", TIME, [0.1], 1.0, [0], [0], [0], [1])


def test_sets_between_is_open_at_the_start():
    sets = [one_set([0.1], time=TIME + k * 3600) for k in (3, 1, 2)]
    chosen = sets_between(sets, TIME + 3600, TIME + 3 * 3600)
    assert [int((one.time - TIME).astype(int)) for one in chosen] == [7200, 10800]


def test_assemble_by_hand():
    first, second = one_set([0.2, np.nan, 0.5]), one_set([0.1], name="b", error=0.01)
    predicted = [np.array([[0.18, 0.2, 0.2], [0.22, 0.2, 0.2]]), np.array([[0.1], [0.12]])]
    result = assemble([first, second], predicted, max_innovation=3.0)
    assert first.reasons() == ["used", "missing_value", "innovation_too_large"]
    assert result.observed == pytest.approx([0.2, 0.1]) and result.variance == pytest.approx([4e-4, 1e-4])
    assert result.predicted == pytest.approx(np.array([[0.18, 0.1], [0.22, 0.12]]))
    assert result.set_index.tolist() == [0, 1] and result.row.tolist() == [0, 0]
    assert result.coordinates.shape == (2, 2) and result.size == 2
    only_b = assemble([one_set([0.9])], [np.array([[0.1], [0.1]])], {"b": 1.0})
    assert only_b.size == 1
    assert assemble([one_set([np.nan])], [np.array([[0.1], [0.1]])]).size == 0


def test_assemble_refuses_what_does_not_fit():
    with pytest.raises(InputError, match="expected one prediction"):
        assemble([one_set([0.1])], [])
    with pytest.raises(InputError, match="shape"):
        assemble([one_set([0.1])], [np.zeros((2, 3))])
    with pytest.raises(InputError, match="member 1 predicts"):
        assemble([one_set([0.1])], [np.array([[0.1], [np.nan]])])


def test_statistics_by_hand_and_restart():
    statistics = InnovationStatistics()
    predicted, observed = np.array([[0.1, 0.2], [0.3, 0.2]]), np.array([0.3, 0.1])
    statistics.add(predicted, observed, np.full(2, 0.01))  # innovations 0.1, -0.1; spread2 0.02, 0
    result = statistics.result()
    assert (result["n"], result["mean"], result["std"]) == (2, pytest.approx(0), pytest.approx(0.1))
    assert result["chi2"] == pytest.approx((0.01 / 0.03 + 1.0) / 2)
    assert np.isnan(result["spread_error_ratio"])
    again = InnovationStatistics()
    again.restore(statistics.state())
    assert again.result()["chi2"] == result["chi2"]
    assert InnovationStatistics().result()["n"] == 0


def test_statistics_of_a_consistent_ensemble():
    rng = np.random.default_rng(0)
    statistics = InnovationStatistics()
    for _ in range(200):
        mean = rng.normal(size=100)
        truth = mean + 0.05 * rng.normal(size=100)
        members = mean + 0.05 * rng.normal(size=(64, 100))
        statistics.add(members, truth + 0.03 * rng.normal(size=100), np.full(100, 9e-4))
    result = statistics.result()
    assert result["chi2"] == pytest.approx(1.0, abs=0.05)
    assert result["spread_error_ratio"] == pytest.approx(1.0, abs=0.05)


def test_rescaling_gives_the_model_climatology():
    rng = np.random.default_rng(2)
    sets = [one_set(rng.normal([0.2, 0.3], [0.02, 0.05]), time=TIME + k) for k in range(40)]
    scaled = rescale_sets(sets, "mean_std", {0: 0.25, 1: 0.25}, {0: 0.04, 1: 0.04})
    location, mean, std, count = observed_climatology(scaled)
    assert location.tolist() == [0, 1] and count.tolist() == [40, 40]
    assert mean == pytest.approx(0.25) and std == pytest.approx(0.04)
    before = observed_climatology(sets)[2]
    assert scaled[0].variance == pytest.approx(sets[0].variance * (0.04 / before) ** 2)
    shifted = rescale_sets(sets, "mean", {0: 0.25, 1: 0.25})
    assert observed_climatology(shifted)[1] == pytest.approx(0.25)
    assert observed_climatology(shifted)[2] == pytest.approx(before)
    assert rescale_sets(sets, "none", {}) == sets


def test_rescaling_refuses_what_it_cannot_do():
    sets = [one_set([0.2], time=TIME + k) for k in range(12)]
    with pytest.raises(InputError, match="got an observed standard deviation of 0 at location 0"):
        rescale_sets(sets, "mean_std", {0: 0.2}, {0: 0.1})
    varied = [one_set([0.2 + 0.01 * k], time=TIME + k) for k in range(12)]
    with pytest.raises(InputError, match="got a modelled standard deviation of nan"):
        rescale_sets(varied, "mean_std", {0: 0.2}, {})
    with pytest.raises(InputError, match="only 5 values"):
        rescale_sets(sets[:5], "mean", {0: 0.2})
    with pytest.raises(InputError, match="lacks location 0"):
        rescale_sets(sets, "mean", {})
    with pytest.raises(InputError, match="expected one of"):
        rescale_sets(sets, "cdf", {})
    assert rescale_mean_std(0.3, 0.2, 0.02, 0.25, 0.05) == pytest.approx(0.22)
