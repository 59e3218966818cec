"""Stability profiles of the surface layer."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.canopy_processes import stability_profiles


def psi_m(zeta):
    x = (1 - 16 * zeta) ** 0.25
    return 2 * np.log((1 + x) / 2) + np.log((1 + x * x) / 2) - 2 * np.arctan(x) + np.pi / 2


def psi_h(zeta):
    return 2 * np.log((1 + np.sqrt(1 - 16 * zeta)) / 2)


def published(zeta, z, z0m, z0h):
    """Zeng et al. (1998), the four regimes one by one."""
    length = z / zeta
    if zeta < -1.574:
        momentum = (np.log(-1.574 * length / z0m) - psi_m(-1.574) + 1.14 * ((-zeta) ** (1 / 3) - 1.574 ** (1 / 3))
                    + psi_m(z0m / length))
    elif zeta < 0:
        momentum = np.log(z / z0m) - psi_m(zeta) + psi_m(z0m / length)
    elif zeta <= 1:
        momentum = np.log(z / z0m) + 5 * zeta - 5 * z0m / length
    else:
        momentum = np.log(length / z0m) + 5 + 5 * np.log(zeta) + zeta - 1 - 5 * z0m / length
    if zeta < -0.465:
        scalar = (np.log(-0.465 * length / z0h) - psi_h(-0.465) + 0.8 * (0.465 ** (-1 / 3) - (-zeta) ** (-1 / 3))
                  + psi_h(z0h / length))
    elif zeta < 0:
        scalar = np.log(z / z0h) - psi_h(zeta) + psi_h(z0h / length)
    elif zeta <= 1:
        scalar = np.log(z / z0h) + 5 * zeta - 5 * z0h / length
    else:
        scalar = np.log(length / z0h) + 5 + 5 * np.log(zeta) + zeta - 1 - 5 * z0h / length
    return momentum, scalar


def test_profiles_follow_the_published_regimes():
    zeta = np.array([-80.0, -5.0, -1.6, -1.5, -0.5, -0.4, -0.01, 0.01, 0.3, 0.99, 1.01, 2.0])
    got = stability_profiles(zeta, 10.0, 0.1, 0.02)
    want = np.array([published(z, 10.0, 0.1, 0.02) for z in zeta]).T
    np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("border", [-1.574, -0.465, 0.0, 1.0])
def test_profiles_are_continuous_across_regimes(border):
    step = 1e-9
    momentum, scalar = stability_profiles(border + np.array([-step, step]), 30.0, 1.0, 1.0)
    assert abs(momentum[1] - momentum[0]) < 1e-7
    assert abs(scalar[1] - scalar[0]) < 1e-7


def test_neutral_limit_is_logarithmic():
    momentum, scalar = stability_profiles(0.0, 10.0, 0.1, 0.02)
    assert momentum[0] == pytest.approx(np.log(100.0), rel=1e-14)
    assert scalar[0] == pytest.approx(np.log(500.0), rel=1e-14)


def test_profiles_rise_with_stability_and_stay_positive():
    zeta = np.linspace(-100.0, 2.0, 4001)
    momentum, scalar = stability_profiles(zeta, 12.0, 1.9, 1.9)
    assert np.all(momentum > 0) and np.all(scalar > 0)
    assert np.all(np.diff(scalar) > 0)


def test_roughness_above_the_height_is_refused():
    with pytest.raises(InputError, match="roughness_momentum"):
        stability_profiles(0.0, 1.0, 2.0, 0.1)
