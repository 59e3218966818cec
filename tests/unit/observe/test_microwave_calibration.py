"""Parameters of emission from the climatology of sites whose parameters are known."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.microwave import brightness_temperature, calibrate_emission, optical_depth

KINDS = [(angle, word) for angle in (32.5, 42.5, 52.5) for word in ("h", "v")]
FLAT = {"roughness": (0.5, 100.0), "albedo": (0.1, 100.0), "vegetation_b": (0.2, 100.0)}


def sites(count=12, times=300, noise=0.0, seed=1):
    """Sites with a season of vegetation and of water, and what a radiometer sees of them."""
    rng = np.random.default_rng(seed)
    day = np.arange(times)[:, None]
    season = 0.5 - 0.5 * np.cos(2 * np.pi * day / times)
    water = np.clip(0.22 - 0.08 * season + rng.normal(0, 0.04, (times, count)), 0.03, 0.45)
    warmth = 280 + 15 * season + rng.normal(0, 2, (times, count))
    plants = (0.2 + 2.0 * season) * rng.uniform(0.7, 1.3, count)
    clay = rng.uniform(0.05, 0.4, count)
    truth = np.stack([rng.uniform(0.1, 1.2, count), rng.uniform(0.02, 0.15, count), rng.uniform(0.05, 0.35, count)])
    seen = np.stack([
        brightness_temperature(water, warmth, clay, angle=angle, polarisation=word, roughness=truth[0], albedo=truth[1],
                               optical_depth=optical_depth(plants, truth[2]))
        for angle, word in KINDS])
    return seen + rng.normal(0, noise, seen.shape) if noise else seen, (water, warmth, clay, plants), truth


def fit(seen, fields, **options):
    return calibrate_emission(seen, [a for a, _ in KINDS], [w for _, w in KINDS], *fields, **options)


def test_parameters_are_found_again():
    seen, fields, truth = sites()
    result = fit(seen, fields, prior=FLAT)
    assert result.converged.all() and result.iterations < 40
    found = np.stack([result.parameters[name] for name in ("roughness", "albedo", "vegetation_b")])
    assert found == pytest.approx(truth, abs=2e-3)
    assert (result.misfit < 1e-3).all() and (result.first_misfit > 10).all()


def test_noise_and_prior():
    """With 3 K of noise the climatology of simulations fits that of observations within their errors."""
    seen, fields, truth = sites(noise=3.0)
    result = fit(seen, fields)
    assert result.converged.all() and (result.misfit < 0.2 * result.first_misfit).all()
    roughness = result.parameters["roughness"]
    assert np.corrcoef(roughness, truth[0])[0, 1] > 0.9
    tight = {name: (mean, 1e-6) for name, (mean, _) in FLAT.items()}
    assert fit(seen, fields, prior=tight).parameters["roughness"] == pytest.approx(0.5, abs=1e-4)


def test_a_site_does_not_depend_on_the_others_and_needs_observations():
    seen, fields, _ = sites(count=5)
    seen[2, :285, 1] = np.nan
    result = fit(seen, fields)
    assert np.isnan(result.parameters["albedo"][1]) and result.converged.tolist() == [True, False, True, True, True]
    alone = fit(seen[:, :, 3:4], [field[..., 3:4] for field in fields])
    for name in result.parameters:
        assert alone.parameters[name][0] == pytest.approx(result.parameters[name][3], rel=1e-3)


def test_bounds_hold():
    seen, fields, _ = sites(count=3)
    result = fit(np.minimum(seen + 60.0, 330.0), fields, prior=FLAT)  # warmer than any ground can be
    assert (result.parameters["albedo"] == 0.0).all() and (result.parameters["roughness"] <= 2.0).all()
    assert (result.misfit <= result.first_misfit).all()


def test_wrong_arguments_are_named():
    seen, fields, _ = sites(count=2)
    with pytest.raises(InputError, match="kind, time, site"):
        fit(seen[0], fields)
    with pytest.raises(InputError, match="must name roughness"):
        fit(seen, fields, prior={"roughness": (0.5, 0.5)})
    with pytest.raises(InputError, match="must be positive"):
        fit(seen, fields, error=(0.0, 1.0))
