"""Permittivity of soil and water against published tables, other codes and formulas written anew."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.microwave import DIELECTRICS, smooth_reflectivity, soil_permittivity

WATER = np.array([0.05, 0.10, 0.20, 0.30, 0.40])


def pure_water(frequency, temperature):
    """Klein and Swift (1977) without salt: the model `refractive` of a soil that is all water."""
    return soil_permittivity(1.0, 0.0, porosity=1.0, bulk_density=1.0, dielectric="refractive", frozen="none",
                             frequency=frequency, temperature=temperature)


def test_mironov_2009_reproduces_the_reference_table():
    expected = np.array([3.556 + 0.249j, 5.083 + 0.456j, 9.935 + 1.106j, 16.396 + 2.024j, 24.467 + 3.209j])
    assert soil_permittivity(WATER, 0.20) == pytest.approx(expected, abs=6e-4)


def test_mironov_2013_is_the_model_of_2009_at_its_temperature():
    """Both stand on the same measurements; the fit of 2013 passes within its own scatter of 0.4 at 20 degrees C."""
    for clay in (0.0, 0.1, 0.2, 0.4, 0.6):
        old = soil_permittivity(WATER, clay, frequency=1.4e9)
        new = soil_permittivity(WATER, clay, frequency=1.4e9, dielectric="mironov2013")
        assert np.abs(new.real - old.real).max() < 0.4
        assert np.abs(new.imag - old.imag).max() < 1.2
    assert new[2] == pytest.approx(complex(*_mironov_2013(20.0, 60.0, 0.2)), rel=1e-12)


def _mironov_2013(t, c, m):
    """The regression in full, term by term."""
    bound = 0.0286 + 0.00307 * c
    nd, kd = 1.634 - 0.00539 * c + 2.75e-5 * c**2, 0.0395 - 4.038e-4 * c
    nb = (8.86 + 0.00321 * t) + (-0.0644 + 7.96e-4 * t) * c + (2.97e-4 - 9.6e-6 * t) * c**2
    kb = ((0.738 - 0.00903 * t + 8.57e-5 * t**2) + (-0.00215 + 1.47e-4 * t) * c
          + (7.36e-5 - 1.03e-6 * t + 1.05e-8 * t**2) * c**2)
    nu = (10.3 - 0.0173 * t) + (6.5e-4 + 8.82e-5 * t) * c + (-6.34e-6 - 6.32e-7 * t) * c**2
    ku = ((0.7 - 0.017 * t + 1.78e-4 * t**2) + (0.0161 + 7.25e-4 * t) * c
          + (-1.46e-4 - 6.03e-6 * t - 7.87e-9 * t**2) * c**2)
    low, high = min(m, bound), max(m - bound, 0.0)
    n, k = nd + (nb - 1) * low + (nu - 1) * high, kd + kb * low + ku * high
    return n * n - k * k, 2 * n * k


def test_mironov_2013_follows_the_temperature_within_its_range():
    warm = soil_permittivity(0.3, 0.25, temperature=np.array([283.15, 308.15]), dielectric="mironov2013")
    assert warm[0] == pytest.approx(complex(*_mironov_2013(10.0, 25.0, 0.3)), rel=1e-12)
    assert warm[1] == pytest.approx(complex(*_mironov_2013(35.0, 25.0, 0.3)), rel=1e-12)
    beyond = soil_permittivity(0.3, 0.25, temperature=np.array([313.15, 340.0]), dielectric="mironov2013")
    assert beyond[0] == beyond[1]


def test_mironov_2017_reproduces_the_reference_numbers():
    cold = soil_permittivity(
        0.0, 0.20, ice=0.30, bulk_density=1500.0, temperature=np.array([272.15, 258.15]), frozen="mironov2017")
    assert cold == pytest.approx(np.array([8.15 + 1.12j, 5.55 + 0.66j]), abs=6e-3)


def test_mironov_2017_takes_all_water_and_only_frozen_ground():
    options = {"clay": 0.2, "bulk_density": 1400.0, "frozen": "mironov2017"}
    split = soil_permittivity(np.array([0.0, 0.1, 0.3]), ice=np.array([0.3, 0.2, 0.0]), temperature=265.0, **options)
    assert np.ptp(split) == 0.0
    assert soil_permittivity(0.2, temperature=273.15, **options) == soil_permittivity(0.2, 0.2, bulk_density=1400.0)


def test_practical_mixing_is_linear_in_the_share_of_ice():
    thawed = soil_permittivity(0.1, 0.3)
    for ice in (0.0, 0.05, 0.3):
        share = ice / (ice + 0.1)
        assert soil_permittivity(0.1, 0.3, ice=ice) == pytest.approx((1 - share) * thawed + share * (5.0 + 0.5j))
    assert soil_permittivity(0.0, 0.3, ice=0.2) == pytest.approx(5.0 + 0.5j)
    assert soil_permittivity(0.1, 0.3, ice=0.3, frozen="none") == thawed
    assert soil_permittivity(0.0, 0.3) == pytest.approx((1.634 - 0.1617 + 0.024732 + 1j * (0.03952 - 0.012114)) ** 2)


def test_dobson_reproduces_the_numbers_of_smrt():
    """SMRT 1.7 with its bulk density of 1300 kg m-3."""
    case = {"temperature": np.array([293.15, 303.15]), "clay": np.array([0.2, 0.35]), "sand": np.array([0.4, 0.2])}
    peplinski = soil_permittivity(np.array([0.1, 0.4]), dielectric="peplinski1995", **case)
    assert peplinski == pytest.approx(
        np.array([6.355998166641439 + 0.5959617873137072j, 21.979374915538173 + 2.4203760504314435j]), rel=2e-5)
    dobson = soil_permittivity(np.array([0.1, 0.4]), dielectric="dobson1985", **case)
    assert dobson == pytest.approx(
        np.array([6.355998166641439 + 0.5823152177885764j, 21.979374915538173 + 4.011863069966951j]), rel=2e-5)
    c_band = soil_permittivity(np.array([0.1, 0.4]), dielectric="peplinski1995", frequency=5.405e9, **case)
    assert c_band == pytest.approx(
        np.array([6.115746423506553 + 0.6166021160619065j, 21.113196288091835 + 3.6133910782048875j]), rel=2e-5)


def test_dobson_of_dry_soil_is_that_of_its_solids():
    dry = soil_permittivity(np.array([0.0, 1e-9]), 0.2, dielectric="dobson1985")
    assert dry.real == pytest.approx((1 + 1300 / 2664 * (4.7**0.65 - 1)) ** (1 / 0.65), rel=1e-5)
    assert dry.imag == pytest.approx(0.0, abs=1e-4)
    # very sandy and loose: the fitted conductivity would be negative
    assert soil_permittivity(0.2, 0.05, sand=0.9, dielectric="dobson1985").imag > 0


def test_pure_water_of_klein_and_swift():
    assert pure_water(1.41e9, 283.15) == pytest.approx(83.18006638731495 + 8.74988777813813j, rel=1e-4)
    assert pure_water(5.405e9, 298.15) == pytest.approx(73.02656369498395 + 18.734900335119733j, rel=1e-4)
    assert pure_water(1.41e9, 320.0) == pure_water(1.41e9, 313.15)


def test_against_smrt():
    smrt_soil = pytest.importorskip("smrt.permittivity.soil", reason="extra crosscheck: SMRT is not installed")
    sea = pytest.importorskip("smrt.permittivity.saline_water", reason="extra crosscheck: SMRT is not installed")
    rng = np.random.default_rng(3)
    for _ in range(20):
        water, sand, clay = rng.uniform(0.02, 0.45), rng.uniform(0.05, 0.5), rng.uniform(0.05, 0.5)
        temperature, frequency = rng.uniform(274, 310), rng.uniform(1e9, 10e9)
        theirs = smrt_soil.soil_permittivity_dobson85_peplinski95(frequency, temperature, water, sand, clay)
        ours = soil_permittivity(
            water, clay, sand=sand, temperature=temperature, frequency=frequency, dielectric="peplinski1995")
        assert ours == pytest.approx(theirs, rel=3e-5)
        theirs = sea.seawater_permittivity_klein76(frequency, temperature, 0.0)
        assert pure_water(frequency, temperature) == pytest.approx(theirs, rel=5e-4)  # digits of the relaxation time


def test_wang_schmugge_written_anew():
    rng = np.random.default_rng(4)
    water, clay, sand, pores = (rng.uniform(low, high, 50) for low, high in ((0, 0.4), (0, 0.5), (0, 0.5), (0.4, 0.6)))
    for frequency in (1.41e9, 5e9):
        free = pure_water(frequency, 290.0)
        wilting = 0.06774 - 0.00064 * (100 * sand) + 0.00478 * (100 * clay)
        limit, gamma = 0.49 * wilting + 0.165, -0.57 * wilting + 0.481
        ice, rock = 3.2 + 0.1j, 5.5 + 0.2j
        below = water * (ice + (free - ice) * water / limit * gamma) + (pores - water) + (1 - pores) * rock
        above = limit * (ice + (free - ice) * gamma) + (water - limit) * free + (pores - water) + (1 - pores) * rock
        loss = 1j * np.minimum(100 * wilting, 26) * water**2 if frequency < 2.5e9 else 0.0
        ours = soil_permittivity(water, clay, sand=sand, porosity=pores, temperature=290.0, frequency=frequency,
                                 dielectric="wang_schmugge1980")
        assert ours == pytest.approx(np.where(water <= limit, below, above) + loss, rel=1e-6)


def test_refractive_mixing_counts_ice_by_its_own_volume():
    mineral, ice_volume = np.sqrt(4.7), 0.2 * 1000 / 917
    expected = 0.55 * mineral + (0.45 - ice_volume) + ice_volume * np.sqrt(3.1884 - 9.1e-4 * 10)
    ours = soil_permittivity(0.0, 0.2, ice=0.2, porosity=0.45, temperature=263.15, dielectric="refractive")
    assert ours == pytest.approx(expected**2, rel=1e-12)
    freezing = soil_permittivity(np.array([0.3, 0.2, 0.1]), 0.2, ice=np.array([0.0, 0.1, 0.2]), porosity=0.45,
                                 temperature=272.0, dielectric="refractive")
    assert (np.diff(freezing.real) < 0).all()


@pytest.mark.parametrize("model", DIELECTRICS)
def test_permittivity_rises_with_water(model):
    water = np.linspace(0.0, 0.45, 60)
    for clay in (0.05, 0.3, 0.6):
        found = soil_permittivity(water, clay, sand=0.3, dielectric=model)
        assert (np.diff(found.real) > 0).all() and (np.diff(found.imag) >= -1e-3).all()
        assert (found.real > 1).all() and (found.imag >= 0).all() and found.real[0] < 4


def test_choice_of_the_model_is_worth_kelvins():
    reflectivity = [smooth_reflectivity(soil_permittivity(0.10, 0.20, sand=0.4, dielectric=name), 40.0)[0]
                    for name in ("mironov2009", "peplinski1995")]
    assert 293.15 * (1 - np.array(reflectivity)) == pytest.approx([226.2, 212.9], abs=0.06)


def test_fresnel_by_complex_numbers():
    rng = np.random.default_rng(5)
    eps, angle = rng.uniform(1, 80, 200) + 1j * rng.uniform(0, 40, 200), rng.uniform(0, 85, 200)
    cosine, root = np.cos(np.radians(angle)), np.sqrt(eps - np.sin(np.radians(angle)) ** 2)
    ours = smooth_reflectivity(eps, angle)
    assert ours[0] == pytest.approx(np.abs((cosine - root) / (cosine + root)) ** 2, rel=1e-10)
    assert ours[1] == pytest.approx(np.abs((eps * cosine - root) / (eps * cosine + root)) ** 2, rel=1e-10, abs=1e-15)
    brewster = np.degrees(np.arctan(np.sqrt(9.0)))
    assert smooth_reflectivity(9.0, brewster)[1] == pytest.approx(0.0, abs=1e-28)


def test_shapes_and_gaps():
    water = np.array([[0.1, np.nan, 0.3], [0.2, 0.2, 0.2]])
    found = soil_permittivity(water, np.array([0.1, 0.2, 0.3]))
    assert found.shape == (2, 3) and np.isnan(found[0, 1]) and np.isfinite(found).sum() == 5
    assert found[1, 2] == soil_permittivity(0.2, 0.3)
    assert soil_permittivity(np.empty((0, 4)), 0.2).shape == (0, 4)
    assert np.isnan(soil_permittivity(np.array([0.1, 0.2]), np.nan)).all()


@pytest.mark.parametrize(("change", "words"), [
    ({"dielectric": "mironov2004"}, "dielectric: expected one of mironov2009"),
    ({"frozen": "ice"}, "frozen: expected one of none"),
    ({"soil_moisture": -0.1}, "liquid of column 1 .* between 0.* and 1"),
    ({"clay": 20.0}, "clay of column 1"),
    ({"temperature": 20.0}, "temperature of column 1"),
    ({"frequency": 1.41}, "between 0.3e9 and 40e9 Hz"),
    ({"dielectric": "mironov2013", "frequency": 5.4e9}, "mironov2013: its coefficients are those of 1.4 GHz"),
    ({"frozen": "mironov2017", "frequency": 5.4e9}, "mironov2017: its coefficients are those of 1.4 GHz"),
    ({"sand": np.array([0.1, 0.2]), "temperature": np.full(3, 290.0)}, "shapes can be broadcast"),
])
def test_wrong_arguments_are_named(change, words):
    arguments = {"soil_moisture": 0.2, "clay": 0.2, **change}
    with pytest.raises(InputError, match=words):
        soil_permittivity(**arguments)
