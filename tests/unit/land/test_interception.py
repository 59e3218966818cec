"""Interception of rain."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.surface_processes import intercept_rain

DT = 1800.0


def test_water_closes_and_fractions_stay_in_bounds():
    rng = np.random.default_rng(5)
    n = 50_000
    leaf, stem = rng.uniform(0, 7, n), rng.uniform(0, 2, n)
    leaf[::6] = stem[::6] = 0.0
    rain = np.where(rng.random(n) < 0.3, 0.0, 10 ** rng.uniform(-9, -2, n))
    start = rng.uniform(0, 1.0, n) * (rng.random(n) < 0.8)
    r = intercept_rain(DT, leaf, stem, rain, start)
    residual = start + DT * rain - r.canopy_water - DT * r.throughfall
    assert np.abs(residual / np.maximum(1.0, start + DT * rain)).max() < 1e-14
    assert (r.canopy_water >= 0).all() and (r.canopy_water <= 0.1 * (leaf + stem) + 1e-15).all()
    assert (r.throughfall >= 0).all()
    assert ((r.wet_fraction >= 0) & (r.wet_fraction <= 1) & (r.dry_fraction >= 0) & (r.dry_fraction <= 1)).all()


def test_values():
    r = intercept_rain(DT, 1.5, 0.5, 2e-5, 0.05)
    assert r.canopy_water[0] == pytest.approx(0.05 + np.tanh(2.0) * DT * 2e-5, rel=1e-14)
    wet = (r.canopy_water[0] / 0.2) ** (2 / 3)
    assert r.wet_fraction[0] == pytest.approx(wet, rel=1e-12)
    assert r.dry_fraction[0] == pytest.approx((1 - wet) * 0.75, rel=1e-12)
    assert r.throughfall[0] == pytest.approx((1 - np.tanh(2.0)) * 2e-5, rel=1e-12)


def test_a_full_canopy_drips_and_is_wet():
    r = intercept_rain(DT, 3.0, 0.0, 1e-3, 0.3)
    assert r.canopy_water[0] == pytest.approx(0.3) and r.wet_fraction[0] == 1.0 and r.dry_fraction[0] == 0.0
    assert r.throughfall[0] == pytest.approx(1e-3, rel=1e-12)


def test_a_canopy_that_lost_its_leaves_releases_its_water():
    r = intercept_rain(DT, 0.0, 0.02, 0.0, 0.2)
    assert r.canopy_water[0] == 0.0 and r.throughfall[0] == pytest.approx(0.2 / DT)
    assert r.wet_fraction[0] == r.dry_fraction[0] == 0.0


def test_dry_canopy():
    r = intercept_rain(DT, 2.0, 0.0, 0.0, 0.0)
    assert (r.wet_fraction[0], r.dry_fraction[0], r.throughfall[0]) == (0.0, 1.0, 0.0)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="must not be negative"):
        intercept_rain(DT, 1.0, 0.0, -1e-5, 0.0)
    with pytest.raises(InputError, match="time step must be a positive"):
        intercept_rain(0.0, 1.0, 0.0, 1e-5, 0.0)
