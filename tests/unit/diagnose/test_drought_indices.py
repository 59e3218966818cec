"""SPI, SPEI and the self-calibrating Palmer index against another package, against theory, and their options."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import fisk, pearson3

from pyland.base.errors import InputError
from pyland.diagnose.drought import (
    accumulate,
    bucket_fluxes,
    model_fluxes,
    monthly_sums,
    penman_monteith,
    priestley_taylor,
    scpdsi,
    spei,
    spi,
    standardised_index,
)

SHOWN = slice(50, None, 97)
"""Months whose numbers of the other package are kept here."""

# climate-indices 3.1.0 (BSD), palmer.scpdsi(..., 1950, 1950, 2009) on the climates below: PDSI, PHDI, PMDI of each
SCPDSI = (
    ((-4.17143, 1.90882, -0.203866, 0.353715, -1.940384, -3.729118, -2.655568),
     (-4.17143, 1.90882, 1.125669, -1.344436, 1.954971, -3.729118, -2.655568),
     (-4.17143, 0.836485, 0.313254, -0.872256, -0.615411, -2.706746, -2.655568)),
    ((2.317885, -1.947221, 4.214901, -2.818969, -1.199882, -1.141189, 2.094729),
     (2.317885, -1.947221, 4.214901, -2.818969, 0.597353, -1.141189, 2.094729),
     (2.090348, -1.161215, 4.214901, -1.795087, -1.084727, -1.141189, 1.418894)),
    ((2.083712, 0.535915, 1.822503, -1.826584, -2.367319, -3.696839, -1.596329),
     (2.083712, -1.745576, 1.822503, 1.780662, -2.367319, -3.696839, 1.23107),
     (0.304191, -0.775463, 1.702216, -0.454197, -2.139819, -3.696839, -0.704721)),
    ((3.281331, -0.509461, 1.434566, 1.368926, -0.525885, 0.705066, -3.993966),
     (3.281331, 0.551161, 2.537723, -1.177523, 0.710067, -2.06059, -3.993966),
     (3.281331, -0.460731, 1.669267, 0.518174, -0.289744, -0.999803, -3.993966)),
    ((-0.829838, 2.950689, -1.743059, -3.08016, -1.807738, -4.460159, -2.59075),
     (1.369461, 2.950689, -1.743059, -3.08016, -1.807738, -4.460159, -2.59075),
     (0.481791, 2.285609, -1.743059, -3.08016, -1.153993, -4.460159, -1.31065)),
)
# the PDSI of the same, calibrated on 1961-1990
SCPDSI_1961_1990 = (
    (-4.258789, 2.007248, -0.267839, 0.216483, -1.946686, -4.050225, -2.648088),
    (2.523338, -1.623283, 3.716754, -2.735036, -1.291073, -1.23709, 1.832041),
    (-1.850301, 0.26749, 1.239453, -2.343934, -2.586975, -4.040242, -1.371946),
    (2.424479, -0.675778, 1.195773, 1.372264, -2.101051, 0.680565, -6.190874),
    (-1.177159, 1.998654, -2.069748, -4.050384, -2.440019, -4.548767, -3.803182),
)
# climate-indices 3.1.0, indices.spi of the fifth climate, calibrated on 1961-1990
SPI = {
    ("gamma", 1): (-1.094117, -1.418559, -1.017174, 0.029076, -1.189458, -0.415531, -0.038092),
    ("gamma", 3): (-0.033742, -1.586987, 0.023693, -0.585884, -0.042187, -1.223953, 0.989674),
    ("gamma", 12): (0.694596, 0.152354, 0.493225, -1.553892, -0.265336, -2.070605, 0.167207),
    ("pearson3", 1): (-1.099215, -3.09, -0.741314, -0.041134, -0.951379, -0.525502, -0.097246),
    ("pearson3", 3): (0.09379, -1.38099, 0.043796, -0.680304, -0.230536, -1.091891, 0.957911),
    ("pearson3", 12): (0.735114, 0.273553, 0.567723, -2.03351, -0.278989, -2.246423, -0.028022),
}
# with months below 1 kg m-2 set to 0: the share of zeros
SPI_WITH_ZEROS = (-0.727913, -1.281552, -0.430727, -0.077654, -0.932092, -0.514355, -0.145468)
# climate-indices 3.1.0, indices.spei of the first climate, 6 months, Pearson III, calibrated on 1960-1999
SPEI_PEARSON = (-1.576979, -0.006689, 0.35354, -0.218251, -1.782871, -0.302386, -0.689977)


@pytest.fixture(scope="module")
def climates():
    """Sixty years in five climates: months, precipitation and potential evapotranspiration [kg m-2], capacity."""
    rng = np.random.default_rng(42)
    months = np.arange(720)
    season = months % 12
    rain, demand, capacity = [], [], []
    for mean, amplitude, shape, potential, held in (
            (80, 20, 2.0, 60, 150.0), (45, 35, 1.0, 90, 200.0), (30, 10, 3.0, 40, 100.0), (120, 80, 4.0, 110, 254.0),
            (15, 12, 0.5, 130, 120.0)):
        rain.append(np.maximum(mean + amplitude * np.cos(2 * np.pi * (season - 6) / 12), 3)
                    * rng.gamma(shape, 1 / shape, 720))
        demand.append(np.maximum(potential * (1 - 0.8 * np.cos(2 * np.pi * (season + 0.5) / 12))
                                 + 4 * rng.standard_normal(720), 2))
        capacity.append(held)
    return np.datetime64("1950-01", "M") + months, np.stack(rain, 1), np.stack(demand, 1), np.array(capacity)


# ---- Palmer -------------------------------------------------------------------------------------------


def test_scpdsi_has_the_numbers_of_another_package(climates):
    months, rain, demand, capacity = climates
    found = scpdsi(rain, demand, months, capacity=capacity)
    for cell, (pdsi, phdi, pmdi) in enumerate(SCPDSI):
        assert np.allclose(found.pdsi[SHOWN, cell], pdsi, rtol=0.0, atol=1e-6)
        assert np.allclose(found.phdi[SHOWN, cell], phdi, rtol=0.0, atol=1e-6)
        assert np.allclose(found.pmdi[SHOWN, cell], pmdi, rtol=0.0, atol=1e-6)
    assert found.is_calibrated.all()
    part = scpdsi(rain, demand, months, capacity=capacity, calibration=(1961, 1990))
    assert np.allclose(part.pdsi[SHOWN].T, SCPDSI_1961_1990, rtol=0.0, atol=1e-6)


def test_scpdsi_beside_the_package_itself(climates):
    palmer = pytest.importorskip("climate_indices.palmer", reason="extra 'crosscheck': an independent scPDSI")
    months, rain, demand, capacity = climates
    found = scpdsi(rain, demand, months, capacity=capacity)
    for cell in range(2):
        other = palmer.scpdsi(rain[:, cell] / 25.4, demand[:, cell] / 25.4, capacity[cell] / 25.4, 1950, 1950, 2009)
        for values, wanted in zip((found.pdsi, found.phdi, found.pmdi, found.z), other[:4], strict=True):
            assert np.allclose(values[:, cell], wanted, rtol=0.0, atol=1e-9)


def test_calibrated_extremes_are_those_of_the_index(climates):
    months, rain, demand, capacity = climates
    found = scpdsi(rain, demand, months, capacity=capacity, dry_start="paper")
    ends = np.percentile(found.pdsi, [2.0, 98.0], axis=0)
    assert np.abs(ends - [[-4.0], [4.0]]).max() < 0.35  # three passes, not a limit
    assert not np.allclose(found.pdsi, scpdsi(rain, demand, months, capacity=capacity).pdsi)


def test_cells_do_not_see_each_other_and_gaps_stay_in_theirs(climates, monkeypatch):
    from pyland.diagnose.drought import palmer

    months, rain, demand, capacity = climates
    whole = scpdsi(rain, demand, months, capacity=capacity)
    holed = rain.copy()
    holed[300, 1] = np.nan
    monkeypatch.setattr(palmer, "_CELLS_AT_ONCE", 3)
    found = scpdsi(holed.reshape(720, 1, 5), demand.reshape(720, 1, 5), months, capacity=capacity.reshape(1, 5))
    assert found.pdsi.shape == (720, 1, 5) and found.is_calibrated.tolist() == [[True, False, True, True, True]]
    assert np.isnan(found.pdsi[:, 0, 1]).all() and np.isnan(found.wet[:, 0, 1]).all()
    for cell in (0, 2, 3, 4):
        assert np.allclose(found.pdsi[:, 0, cell], whole.pdsi[:, cell], rtol=0.0, atol=1e-9)  # sums of one cell differ


def test_bucket_closes_and_stays_within_its_bounds(climates):
    _, rain, demand, capacity = climates
    water = bucket_fluxes(rain, demand, capacity)
    change = water.recharge - water.loss
    assert np.abs(rain - water.evapotranspiration - water.runoff - change).max() < 1e-10
    held = capacity + np.cumsum(change, axis=0)
    assert held.min() > -1e-9 and (held <= capacity + 1e-9).all()
    assert np.allclose(water.potential_recharge + water.potential_runoff, capacity)
    assert (water.evapotranspiration <= demand + 1e-12).all() and (water.loss <= water.potential_loss + 1e-12).all()


def test_fluxes_of_a_run_take_the_place_of_the_bucket(climates):
    months, rain, demand, capacity = climates
    bucket = bucket_fluxes(rain, demand, capacity)
    change = bucket.recharge - bucket.loss
    # the bucket as if it were a model: it starts full, so its bounds are -capacity and 0
    same = model_fluxes(demand, bucket.evapotranspiration, bucket.runoff, change, limits=(-capacity, 0.0))
    for name in ("recharge", "runoff", "loss", "potential_recharge", "potential_runoff"):
        assert np.allclose(getattr(same, name), getattr(bucket, name), atol=1e-9), name
    found = scpdsi(rain, demand, months, fluxes=same)
    wanted = scpdsi(rain, demand, months, capacity=capacity)
    # only the potential loss differs: that of a model has no surface layer
    assert np.corrcoef(found.pmdi.ravel(), wanted.pmdi.ravel())[0, 1] > 0.98


def test_what_palmer_refuses(climates):
    months, rain, demand, capacity = climates
    with pytest.raises(InputError, match="either the capacity of the bucket or the fluxes"):
        scpdsi(rain, demand, months)
    with pytest.raises(InputError, match="leaves nothing below the surface layer"):
        scpdsi(rain, demand, months, capacity=20.0)
    with pytest.raises(InputError, match="it needs 48"):
        scpdsi(rain[:36], demand[:36], months[:36], capacity=capacity)
    with pytest.raises(InputError, match="follow each other"):
        scpdsi(rain, demand, months[::-1], capacity=capacity)
    with pytest.raises(InputError, match="1900 to 1950 is not within"):
        scpdsi(rain, demand, months, capacity=capacity, calibration=(1900, 1950))
    with pytest.raises(InputError, match="no cell can be calibrated"):
        scpdsi(np.ones((120, 1)), np.ones((120, 1)), months[:120], capacity=100.0)


# ---- SPI and SPEI --------------------------------------------------------------------------------------


def test_spi_has_the_numbers_of_another_package(climates):
    months, rain, _, _ = climates
    for (distribution, scale), wanted in SPI.items():
        found = spi(rain, months, scale, distribution=distribution, calibration=(1961, 1990))[SHOWN, 4]
        assert np.allclose(found, wanted, rtol=0.0, atol=1e-6), (distribution, scale)
    rare = np.where(rain[:, 4] < 1.0, 0.0, rain[:, 4])
    assert np.allclose(spi(rare, months, 1, calibration=(1961, 1990))[SHOWN], SPI_WITH_ZEROS, rtol=0.0, atol=1e-6)


def test_spei_has_the_numbers_of_another_package(climates):
    months, rain, demand, _ = climates
    found = spei(rain, demand, months, 6, distribution="pearson3", calibration=(1960, 1999))
    assert np.allclose(found[SHOWN, 0], SPEI_PEARSON, rtol=0.0, atol=1e-6)


def test_log_logistic_is_that_of_vicente_serrano(climates):
    months, rain, demand, _ = climates
    excess = rain[:, 1] - demand[:, 1]  # skewed to the right: the form of the paper holds
    found = standardised_index(excess, months, "log_logistic")
    from math import gamma

    for month in (0, 6):
        values = np.sort(excess[month::12])
        number = len(values)
        rank = np.arange(number)
        w0 = values.mean()
        # weights of 1 - F, as in the paper, unbiased
        w1 = ((number - 1 - rank) * values).sum() / (number * (number - 1))
        w2 = ((number - 1 - rank) * (number - 2 - rank) * values).sum() / (number * (number - 1) * (number - 2))
        beta = (2 * w1 - w0) / (6 * w1 - w0 - 6 * w2)
        alpha = (w0 - 2 * w1) * beta / (gamma(1 + 1 / beta) * gamma(1 - 1 / beta))
        foot = w0 - alpha * gamma(1 + 1 / beta) * gamma(1 - 1 / beta)
        wanted = ndtri(fisk.cdf(excess[month::12], beta, loc=foot, scale=alpha))
        inner = np.abs(wanted) < 3.0
        assert np.allclose(found[month::12][inner], wanted[inner], atol=1e-9)


@pytest.mark.parametrize("distribution", ["log_logistic", "pearson3"])
def test_three_parameters_fit_either_skew_and_none(distribution):
    months = np.datetime64("1900-01", "M") + np.arange(12 * 400)
    normal = np.random.default_rng(3).standard_normal(len(months))
    skewed = pearson3.ppf(np.random.default_rng(4).random(len(months)), 1.0)
    found = standardised_index(np.stack([normal, skewed, -skewed], 1), months, distribution)
    # 400 years, 12 months: mean and deviation to 1/sqrt(4800) = 0.014, and the tails of a normal variable
    assert np.abs(found.mean(axis=0)).max() < 0.02 and np.abs(found.std(axis=0) - 1.0).max() < 0.03
    assert np.allclose(found[:, 1], -found[:, 2], atol=1e-9)
    # fitted month by month, and a logistic tail is not a normal one
    assert np.corrcoef(found[:, 0], normal)[0, 1] > 0.995


def test_few_or_equal_values_have_no_index():
    months = np.datetime64("2000-01", "M") + np.arange(36)
    assert np.isnan(spi(np.ones((36, 2)), months, 1)).all()
    long = np.datetime64("2000-01", "M") + np.arange(120)
    assert np.isnan(spei(np.ones(120), np.ones(120), long, 1)).all()
    with pytest.raises(InputError, match="precipitation of 0 or more"):
        spi(-np.ones(120), long, 1)
    with pytest.raises(InputError, match="SPEI: expected the distribution"):
        spei(np.ones(120), np.ones(120), long, 1, distribution="gamma")


def test_months_that_are_always_dry_are_not_wet():
    """A probability of 1 for no rain where it never rains would be the wettest index there is."""
    months = np.datetime64("1990-01", "M") + np.arange(360)
    rain = np.random.default_rng(0).gamma(1.5, 20.0, (360, 2))
    rain[0::12] = 0.0  # January
    rain[6::12, 0] = 0.0
    rain[[6, 18, 30], 0] = 5.0, 6.0, 7.0  # three Julys with rain are too few for a distribution
    for distribution in ("gamma", "pearson3"):
        found = spi(rain, months, 1, distribution=distribution)
        assert np.isnan(found[0::12]).all() and np.isnan(found[6::12, 0]).all()
        assert np.isfinite(found[6::12, 1]).all() and np.isfinite(found[1::12]).all()


def test_zeros_stand_at_their_share_or_at_the_centre_of_it():
    """The normal score of 20 of 30, and of half of it (Stagge et al. 2015), whose mean over all months is nearly 0."""
    months = np.datetime64("1990-01", "M") + np.arange(360)
    rain = np.random.default_rng(1).gamma(1.5, 20.0, 360)
    rain[0:240:12] = 0.0
    share, centre = (spi(rain, months, 1, zeros=one) for one in ("share", "centre"))
    np.testing.assert_allclose(share[0:240:12], ndtri(2.0 / 3.0))
    np.testing.assert_allclose(centre[0:240:12], ndtri(1.0 / 3.0))
    np.testing.assert_array_equal(share[240::12], centre[240::12])
    assert share[0::12].mean() > 0.6 and abs(centre[0::12].mean()) < 0.1
    with pytest.raises(InputError, match="expected zeros among share, centre"):
        spi(rain, months, 1, zeros="none")


def test_months_of_records():
    ends = np.arange("2020-01-11", "2020-04-22", 10, dtype="datetime64[D]")
    months, sums = monthly_sums(ends - 10, ends, np.full((len(ends), 2), 10.0))  # 1 kg m-2 each day from 1 January
    assert months.astype(str).tolist() == ["2020-01", "2020-02", "2020-03"]
    assert np.allclose(sums, [[31.0] * 2, [29.0] * 2, [31.0] * 2])
    assert np.array_equal(accumulate([1.0, 2.0, 4.0, 8.0], 3), [np.nan, np.nan, 7.0, 14.0], equal_nan=True)
    with pytest.raises(InputError, match="without gaps"):
        monthly_sums(ends - 9, ends, np.ones(len(ends)))
    with pytest.raises(InputError, match="no whole calendar month"):
        monthly_sums(ends[:2] - 10, ends[:2], np.ones(2))


# ---- evaporative demand --------------------------------------------------------------------------------


def test_reference_evapotranspiration_of_fao_56():
    # FAO-56 example 18, Uccle, 6 July: 16.9 degC, 1.409 kPa vapour, 13.28 MJ m-2 d-1, 2.078 m s-1 at 2 m: 3.9 mm/d.
    # The example takes the mean of two saturation pressures (1.997 kPa), this the one of the mean temperature (1.925).
    vapour, pressure = 1409.0, 100.1e3
    humidity = 0.622 * vapour / (pressure - 0.378 * vapour)
    found = penman_monteith(13.28e6 / 86400.0, 273.15 + 16.9, pressure, humidity, 2.078, 2.0) * 86400.0
    assert found == pytest.approx(3.8, abs=0.1)


def test_priestley_taylor_by_hand():
    # 20 degC at 101.3 kPa: slope 144.7 Pa K-1, constant 67.3 Pa K-1 (FAO-56 annex 2): 1.26 x 0.6825 x 200 W m-2
    found = priestley_taylor([200.0, -50.0], 293.15, 101.3e3) * 86400.0
    assert found[0] == pytest.approx(1.26 * 144.7 / (144.7 + 67.3) * 200.0 * 86400.0 / 2.45e6, rel=2e-3)
    assert found[1] == 0.0
