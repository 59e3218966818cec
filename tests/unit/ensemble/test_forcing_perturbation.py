import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.ensemble.forcing_perturbation import ForcingPerturbation, saturation_humidity
from pyland.ensemble.noise_shape import NoiseShape
from pyland.forcing import PrecipitationPhase

SETTINGS = {
    "precipitation": {"std": 0.5}, "shortwave": {"std": 0.3}, "longwave": {"std": 20.0}, "temperature": {"std": 1.0},
    "time_scale": 86400.0, "length_scale": 0.0,
}


def weather(n, **changes):
    values = {"rain": 1e-4, "snowfall": 2e-5, "shortwave_down": 400.0, "longwave_down": 320.0, "air_temperature": 290.0,
              "specific_humidity": 0.006, "surface_pressure": 95000.0, "wind_speed": 3.0} | changes
    return {name: np.full(n, value) for name, value in values.items()}


def perturbation(members=8, cells=5, dt=3600.0, seed=1, **changes):
    settings = {key: value for key, value in (SETTINGS | changes).items() if value is not ...}
    return ForcingPerturbation(settings, seed, np.arange(members), 1e3 * np.arange(cells), np.zeros(cells),
                               np.arange(cells), dt)


@pytest.mark.parametrize("truncation", [None, 2.5])
@pytest.mark.parametrize("std", [0.1, 0.5, 1.0])
def test_lognormal_factor_has_mean_one_and_the_given_spread_after_truncation(std, truncation):
    shape = NoiseShape.build("t", "multiply_lognormal", std, truncation)
    z = np.linspace(-9, 9, 360_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    factor = shape.of(z)
    mean = (factor * density).sum()
    assert mean == pytest.approx(1.0, abs=1e-6)
    assert np.sqrt(((factor - mean) ** 2 * density).sum()) == pytest.approx(std, rel=2e-5)


def test_normal_shift_has_the_given_spread_after_truncation():
    shape = NoiseShape.build("t", "add_normal", 20.0, 2.0)
    z = np.linspace(-9, 9, 360_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    assert np.sqrt((shape.of(z) ** 2 * density).sum()) == pytest.approx(20.0, rel=1e-5)
    assert np.abs(shape.of(z)).max() == pytest.approx(2.0 * shape.scale)


def test_an_impossible_spread_of_a_cut_factor_is_refused():
    with pytest.raises(InputError, match="cannot vary"):
        NoiseShape.build("key", "multiply_lognormal", 50.0, 1.0)


def test_statistics_of_members_match_the_settings():
    draws = {"rain": [], "shortwave_down": [], "longwave_down": [], "air_temperature": []}
    given = weather(100, specific_humidity=0.001)
    for seed in range(8):
        result = perturbation(members=100, cells=100, seed=seed).apply(0, given)
        for name in draws:
            draws[name].append(result[name].ravel())
    pooled = {name: np.concatenate(parts) for name, parts in draws.items()}
    n = pooled["rain"].size
    assert n == 80_000
    for name, std in (("rain", 0.5 * 1e-4), ("shortwave_down", 0.3 * 400), ("longwave_down", 20.0),
                      ("air_temperature", 1.0)):
        assert abs(pooled[name].mean() - given[name][0]) < 4 * std / np.sqrt(n)
        assert pooled[name].std() == pytest.approx(std, rel=0.02)
    gauss = np.corrcoef([np.log(pooled["rain"]), np.log(pooled["shortwave_down"]), pooled["longwave_down"],
                         pooled["air_temperature"]])
    expected = [[1, -0.8, 0.5, 0], [-0.8, 1, -0.5, 0.4], [0.5, -0.5, 1, 0.4], [0, 0.4, 0.4, 1]]
    assert np.abs(gauss - expected).max() < 0.025  # the cut at 2.5 sigma lowers correlations by a few per mille


def test_noise_is_stationary_and_autoregressive():
    source = perturbation(members=200, cells=50, dt=21600.0, truncation=None)
    given = weather(50)
    series = np.array([source.apply(step, given)["longwave_down"] - 320.0 for step in range(9)])
    spread = series.std(axis=(1, 2)) / 20.0
    assert np.abs(spread - 1).max() < 0.05
    for lag in (1, 4):
        r = np.mean(series[lag:] * series[:-lag]) / 400.0
        assert r == pytest.approx(np.exp(-lag * 0.25), abs=0.05)


def test_skipped_steps_keep_the_statistics_and_repeated_steps_the_values():
    source = perturbation(members=200, cells=50, dt=21600.0)
    given = weather(50)
    first = source.apply(3, given)["longwave_down"]
    assert np.array_equal(first, source.apply(3, given)["longwave_down"])
    later = source.apply(7, given)["longwave_down"]
    r = np.corrcoef(first.ravel(), later.ravel())[0, 1]
    assert r == pytest.approx(np.exp(-1.0), abs=0.05)
    with pytest.raises(InputError, match="lies before"):
        source.apply(6, given)


def test_restart_is_bit_identical():
    given = weather(5)
    through = perturbation(length_scale=5e3)
    for step in range(4):
        through.apply(step, given)
    state = through.state()
    resumed = perturbation(length_scale=5e3)
    resumed.restore(state)
    for step in range(4, 7):
        expected, result = through.apply(step, given), resumed.apply(step, given)
        assert all(np.array_equal(expected[name], result[name]) for name in expected)
    fresh = perturbation()
    fresh.restore({})
    assert fresh.state() == {}
    with pytest.raises(InputError, match="another ensemble"):
        perturbation(members=4).restore(state)


@pytest.mark.parametrize("length", [0.0, 4e3])
def test_splits_over_ranks_change_no_bit(length):
    x, y, cell_id = 700.0 * np.arange(30), 300.0 * np.arange(30), np.arange(30)
    settings = SETTINGS | {"length_scale": length}
    given = weather(30)
    whole = ForcingPerturbation(settings, 3, np.arange(6), x, y, cell_id, 1800.0)
    part = slice(11, 20)
    piece = ForcingPerturbation(settings, 3, np.arange(2, 5), x[part], y[part], cell_id[part], 1800.0)
    for step in range(3):
        expected = whole.apply(step, given)
        result = piece.apply(step, {name: value[part] for name, value in given.items()})
        assert all(np.array_equal(expected[name][2:5, part], result[name]) for name in expected)


def test_control_member_keeps_the_forcing_bit_for_bit():
    given = weather(5, specific_humidity=0.0131)
    result = perturbation(control=True).apply(0, given)
    assert all(np.array_equal(result[name][0], given[name]) for name in given)
    assert not np.array_equal(result["rain"][1], given["rain"])
    part = ForcingPerturbation(SETTINGS | {"control": True}, 1, np.arange(3, 8), np.arange(5.0), np.zeros(5),
                               np.arange(5), 60.0)
    assert not np.any(part.apply(0, given)["rain"][0] == given["rain"])


def test_physical_bounds_and_shared_precipitation_factor():
    given = weather(40, shortwave_down=0.0, longwave_down=45.0, air_temperature=181.0, rain=0.0, snowfall=1e-4)
    result = perturbation(members=50, cells=40).apply(0, given)
    assert (result["shortwave_down"] == 0).all() and (result["rain"] == 0).all()
    assert result["longwave_down"].min() == 40.0 and result["air_temperature"].min() == 180.0
    wet = perturbation(members=50, cells=40).apply(0, weather(40, snowfall=1e-4))
    assert np.array_equal(wet["rain"], wet["snowfall"])


def test_humidity_never_exceeds_saturation_of_the_cooled_air():
    pressure, temperature = 95000.0, 280.0
    nearly = 0.99 * saturation_humidity(np.array(temperature), np.array(pressure))
    given = weather(40, specific_humidity=float(nearly), air_temperature=temperature, surface_pressure=pressure)
    result = perturbation(members=50, cells=40).apply(0, given)
    limit = saturation_humidity(result["air_temperature"], given["surface_pressure"])
    assert (result["specific_humidity"] <= np.maximum(limit, 0)).all()
    warm = result["air_temperature"] >= temperature
    assert (result["specific_humidity"][warm] == nearly).all() and (result["specific_humidity"][~warm] < nearly).any()


def test_saturation_at_freezing_point():
    assert saturation_humidity(np.array(273.15), np.array(101325.0)) == pytest.approx(0.622 * 611.2 / (
        101325 - 0.378 * 611.2))


def test_unperturbed_fields_and_variables_pass_through():
    given = weather(5)
    result = perturbation(precipitation=..., shortwave=..., temperature=...).apply(0, given)
    assert np.array_equal(result["rain"], np.broadcast_to(given["rain"], (8, 5)))
    assert result["wind_speed"].shape == (8, 5)
    assert result["longwave_down"].std() > 0
    nothing = ForcingPerturbation({}, 1, np.arange(2), np.zeros(5), np.zeros(5), np.arange(5), 60.0)
    assert np.array_equal(nothing.apply(0, given)["rain"][1], given["rain"])
    assert nothing.state() == {}


@pytest.mark.parametrize(
    "changes, message",
    [({"wind": {"std": 1.0}}, "unknown key 'wind'"), ({"precipitation": {"sd": 1.0}}, "'std'"),
     ({"precipitation": {"std": 1.0, "x": 1}}, "unknown key 'x'"), ({"precipitation": {"std": -1.0}}, "std"),
     ({"longwave": {"std": "20"}}, "finite number"), ({"truncation": 0.5}, "truncation"),
     ({"time_scale": -1.0}, "time_scale"), ({"length_scale": -1.0}, "length_scale"),
     ({"correlation": np.eye(3)}, "4 x 4"), ({"correlation": 2 * np.eye(4)}, "ones on the diagonal"),
     ({"correlation": np.array([[1, .9, -.9, 0], [.9, 1, .9, 0], [-.9, .9, 1, 0], [0, 0, 0, 1.]])},
      "not positive definite")],
)
def test_wrong_settings_are_refused_with_a_sentence(changes, message):
    with pytest.raises(InputError, match=message):
        perturbation(**changes)


def test_wrong_forcing_is_refused():
    given = weather(5)
    del given["longwave_down"]
    with pytest.raises(InputError, match="longwave_down"):
        perturbation().apply(0, given)
    with pytest.raises(InputError, match="shape"):
        perturbation().apply(0, weather(4))


def test_diagnosed_phase_follows_the_temperature_of_the_member():
    settings = {"precipitation": {"std": 0.5}, "temperature": {"std": 2.0}, "control": True}
    rule = PrecipitationPhase("ramp")
    weather = {"rain": np.full(5, 0.5e-3), "snowfall": np.full(5, 0.5e-3), "air_temperature": np.full(5, 274.15),
               "specific_humidity": np.full(5, 0.003), "surface_pressure": np.full(5, 9.0e4)}
    arguments = (settings, 4, np.arange(20), np.zeros(5), np.zeros(5), np.arange(5), 3600.0)
    given = ForcingPerturbation(*arguments).apply(0, weather)
    members = ForcingPerturbation(*arguments, rule).apply(0, weather)
    total = given["rain"] + given["snowfall"]
    assert given["rain"] == pytest.approx(given["snowfall"])  # one factor for both
    assert members["rain"] + members["snowfall"] == pytest.approx(total, rel=1e-14)
    share = np.clip((members["air_temperature"] - 273.15) / 2.0, 0.0, 1.0)
    assert members["rain"] == pytest.approx(total * share, rel=1e-12)
    assert share.min() == 0.0 and share.max() == 1.0
    assert np.array_equal(members["rain"][0], weather["rain"])  # the control member is the forcing, bit for bit
