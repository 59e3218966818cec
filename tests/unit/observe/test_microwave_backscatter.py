"""Backscatter of soil and vegetation, incidence angle, and states told by change."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.microwave import (
    C_BAND,
    RADAR_POLARISATIONS,
    change_detection,
    decibel,
    fit_incidence_slope,
    is_frozen,
    linear,
    linear_soil,
    oh_1992,
    oh_2004,
    seasonal_reference,
    soil_permittivity,
    thaw_share,
    water_cloud,
    wet_snow,
)


def test_oh_1992_written_anew():
    """eps 15 + 3i, ks 1 at 40 degrees, by hand."""
    eps, angle = 15 + 3j, np.radians(40.0)
    height = 2.99792458e8 / (2 * np.pi * C_BAND)
    nadir = abs((1 - np.sqrt(eps)) / (1 + np.sqrt(eps))) ** 2
    root, c = np.sqrt(eps - np.sin(angle) ** 2), np.cos(angle)
    reflectivities = abs((c - root) / (c + root)) ** 2 + abs((eps * c - root) / (eps * c + root)) ** 2
    p = (1 - (2 * angle / np.pi) ** (1 / (3 * nadir)) * np.exp(-1)) ** 2
    q = 0.23 * np.sqrt(nadir) * (1 - np.exp(-1))
    vv = 0.7 * (1 - np.exp(-0.65)) * c**3 * reflectivities / np.sqrt(p)
    assert oh_1992(eps, height, 40.0) == pytest.approx([vv, p * vv, q * vv], rel=1e-12)


def test_models_of_oh_agree_where_both_were_fitted():
    """1992 from the permittivity, 2004 from the water: vv and hh within 2.5 dB, vh within 5 dB at 30 to 50 degrees."""
    water = np.linspace(0.10, 0.29, 8)[:, None]
    angle = np.array([30.0, 40.0, 50.0])
    for height in (0.005, 0.01, 0.02):
        old = decibel(oh_1992(soil_permittivity(water, 0.2, frequency=C_BAND), height, angle))
        new = decibel(oh_2004(water, height, angle))
        assert np.abs(old - new)[:2].max() < 2.5 and np.abs(old - new)[2].max() < 5.0
        for found in (old, new):
            assert (np.diff(found, axis=1) > 0).all()  # wetter is brighter
            assert (np.diff(found, axis=2) < 0).all()  # and so is steeper
            assert (found[0] >= found[1]).all() and (found[1] > found[2]).all()  # vv, hh, vh
    assert RADAR_POLARISATIONS == ("vv", "hh", "vh")


def test_oh_2004_by_hand():
    height = 2.99792458e8 / (2 * np.pi * C_BAND)
    angle = np.pi / 4
    vh = 0.11 * 0.2**0.7 * np.cos(angle) ** 2.2 * (1 - np.exp(-0.32))
    p = 1 - 0.5 ** (0.35 * 0.2**-0.65) * np.exp(-0.4)
    q = 0.095 * (0.13 + np.sin(1.5 * angle)) ** 1.4 * (1 - np.exp(-1.3))
    assert oh_2004(0.2, height, 45.0) == pytest.approx([vh / q, p * vh / q, vh], rel=1e-12)
    assert np.array_equal(oh_2004(0.0, height, 45.0), oh_2004(0.01, height, 45.0))


def test_water_cloud():
    soil = linear_soil(np.array([0.1, 0.3]), -15.0, 25.0)
    assert soil == pytest.approx([-12.5, -7.5])
    assert water_cloud(soil, 40.0, 0.0, 0.1, 0.2) == pytest.approx(soil)
    passed = np.exp(-2 * 0.2 * 3.0 / np.cos(np.radians(40.0)))
    expected = 0.1 * 3.0 * np.cos(np.radians(40.0)) * (1 - passed) + passed * linear(soil)
    assert water_cloud(soil, 40.0, 3.0, 0.1, 0.2) == pytest.approx(10 * np.log10(expected))
    dense = water_cloud(soil, 40.0, 500.0, 1e-3, 0.2)
    assert dense[0] == dense[1] == pytest.approx(10 * np.log10(0.5 * np.cos(np.radians(40.0))))
    apart = water_cloud(soil, 40.0, 3.0, 0.1, 0.2, vegetation_attenuation=0.0)
    assert apart == pytest.approx(soil)
    assert np.isnan(decibel(np.array([0.0, -1.0]))).all()
    with pytest.raises(InputError, match="A must not be negative"):
        water_cloud(-10.0, 40.0, 1.0, -0.1, 0.2)
    with pytest.raises(InputError, match="angle"):
        water_cloud(-10.0, 100.0, 1.0, 0.1, 0.2)
    with pytest.raises(InputError, match="rms height"):
        oh_1992(10.0, 0.0, 40.0)


def passes(rng, count=2000):
    """Pairs of passes with a slope that depends on latitude and height, noise of 0.4 dB a pass."""
    latitude, height = rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    slope = -0.20 + 0.02 * latitude + 0.01 * height
    difference = rng.uniform(5, 18.5, count) * rng.choice([-1, 1], count)
    angles = 40 + 0.5 * np.stack([difference, -difference])
    base = rng.normal(-12, 1.5, count)
    seen = base + slope * (angles - 40) + rng.normal(0, 0.4, (2, count))
    return seen, angles, latitude, height


def test_incidence_normalisation_reaches_the_noise():
    rng = np.random.default_rng(20)
    seen, angles, latitude, height = passes(rng)
    fit = fit_incidence_slope(*seen, *angles, latitude, height)
    normal = fit.normalise(seen, angles, latitude, height)
    assert np.std(seen[0] - seen[1]) == pytest.approx(2.5, abs=0.2)
    assert np.std(normal[0] - normal[1]) == pytest.approx(0.4 * np.sqrt(2), abs=0.02)
    assert fit.residual == pytest.approx(0.4 * np.sqrt(2), abs=0.02) and fit.count == 2000
    assert np.abs((fit.coefficients - [-0.20, 0.02, 0.01]) / np.sqrt(np.diag(fit.covariance))).max() < 4
    # the angle of reference is that where nothing is taken away
    assert fit.normalise(-10.0, 35.0, 0.1, 0.2, reference=35.0) == -10.0


def test_fit_of_differences_is_sharper_than_of_ratios():
    """Standard deviations of the coefficients differ by (E[D^-2] E[D^2])^(1/2) = 1.28, and the fit knows its own."""
    rng = np.random.default_rng(21)
    ours, ratios, claimed = [], [], []
    for _ in range(200):
        seen, angles, latitude, height = passes(rng, 400)
        fit = fit_incidence_slope(*seen, *angles, latitude, height)
        ours.append(fit.coefficients)
        claimed.append(np.sqrt(np.diag(fit.covariance)))
        design = np.column_stack([np.ones(400), latitude, height])
        ratios.append(np.linalg.lstsq(design, (seen[0] - seen[1]) / (angles[0] - angles[1]), rcond=None)[0])
    spread, spread_of_ratios = np.std(ours, axis=0), np.std(ratios, axis=0)
    theory = np.sqrt((1 / 5 - 1 / 18.5) / 13.5 * (18.5**3 - 5**3) / (3 * 13.5))
    assert theory == pytest.approx(1.28, abs=0.01)
    assert spread_of_ratios / spread == pytest.approx(theory, rel=0.12)
    assert np.mean(claimed, axis=0) == pytest.approx(spread, rel=0.15)


def test_incidence_angle_says_what_is_wrong():
    rng = np.random.default_rng(22)
    seen, angles, latitude, _ = passes(rng, 50)
    gaps = seen.copy()
    gaps[0, :10] = np.nan
    assert fit_incidence_slope(*gaps, *angles).count == 40
    with pytest.raises(InputError, match="1 pairs differ by more than"):
        fit_incidence_slope(*seen[:, :1], *angles[:, :1])
    with pytest.raises(InputError, match="depend on each other"):
        fit_incidence_slope(*seen, *angles, latitude, 2 * latitude)
    with pytest.raises(InputError, match="expected arrays"):
        fit_incidence_slope(*seen, angles[0], angles[1][:4])
    with pytest.raises(InputError, match="fitted with 0 predictors"):
        fit_incidence_slope(*seen, *angles).slope(latitude)


def test_wet_snow_against_dry_winter():
    winter = np.array([True] * 6 + [False] * 3)
    seen = np.array([[-10.0, -9.0]] * 6 + [[-12.9, -12.1], [-13.1, -12.0], [np.nan, -5.0]])
    reference = seasonal_reference(seen, winter)
    assert reference == pytest.approx([-10.0, -9.0])
    assert wet_snow(seen, reference)[6:].tolist() == [[False, True], [True, False], [False, False]]
    assert np.isnan(seasonal_reference(seen, winter, least=7)).all()
    with pytest.raises(InputError, match="negative threshold"):
        wet_snow(seen, reference, 3.0)
    with pytest.raises(InputError, match="seasonal reference"):
        seasonal_reference(seen, winter[:4])


def test_freeze_and_thaw_by_seasonal_references():
    share = thaw_share(np.array([-14.0, -11.1, -10.9, -7.0, np.nan]), -13.0, -9.0)
    assert share[:4] == pytest.approx([-0.25, 0.475, 0.525, 1.5]) and np.isnan(share[4])
    assert is_frozen(share).tolist() == [True, True, False, False, False]
    assert np.isnan(thaw_share(-10.0, -10.2, -9.9))
    assert not is_frozen(thaw_share(-10.0, -10.2, -9.9))


def test_change_detection():
    found = change_detection(np.array([-16.0, -15.0, -12.0, -9.0, -8.0]), -15.0, -9.0)
    assert found == pytest.approx([0, 0, 50, 100, 100])
    assert np.isnan(change_detection(-12.0, -12.0, -11.5))
    with pytest.raises(InputError, match="least contrast"):
        change_detection(-12.0, -15.0, -9.0, 0.0)
