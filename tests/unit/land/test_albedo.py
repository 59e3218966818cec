"""Albedo of bare soil."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.plant_types import soil_colour_albedo
from pyland.land.surface_processes import compute_soil_albedo


def colour(number):
    c = soil_colour_albedo(number)
    return [c["dry_vis"], c["dry_nir"]], [c["saturated_vis"], c["saturated_nir"]]


def test_dry_and_wet_ends():
    dry, saturated = colour(12)
    albedo = compute_soil_albedo(dry, saturated, [0.0, 0.45])
    np.testing.assert_allclose(albedo[:, 0], np.minimum(np.array(saturated) + 0.11, dry), atol=1e-15)
    np.testing.assert_allclose(albedo[:, 1], saturated, atol=1e-15)


def test_value_between():
    # 0.12 + 0.11 - 0.40*0.15 = 0.17 for the visible band of colour 12
    assert compute_soil_albedo(*colour(12), 0.15)[0, 0] == pytest.approx(0.17, abs=1e-15)


@pytest.mark.parametrize("number", range(1, 21))
def test_wetter_soil_is_not_brighter(number):
    albedo = compute_soil_albedo(*colour(number), np.linspace(0, 0.6, 61))
    assert (np.diff(albedo, axis=1) <= 0).all()
    assert (albedo[1] >= albedo[0]).all()


def test_bad_input_is_named():
    with pytest.raises(InputError, match="visible and a near-infrared"):
        compute_soil_albedo([0.1, 0.2, 0.3], [0.1, 0.1], 0.2)
    with pytest.raises(InputError, match="not finite"):
        compute_soil_albedo([0.1, 0.2], [0.1, 0.1], np.nan)
