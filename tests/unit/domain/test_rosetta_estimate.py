"""Rosetta 3 for a loam, with its uncertainty, and what is said without the package."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pyland.base.errors import InputError, UnavailableError
from pyland.config.calibration_prior import PriorSection
from pyland.domain.rosetta_estimate import rosetta_estimate
from pyland.driver.calibration.calibrated_parameters import build_prior


def test_loam():
    """40 % sand, 40 % silt, 20 % clay, 1.4 g cm-3: development reference, observations.md, section 4."""
    pytest.importorskip("rosetta", reason="rosetta-soil is not installed (extra soil)")
    found = rosetta_estimate(40.0, 20.0, 1.4)
    assert found["residual_water"].median == pytest.approx(0.0858, abs=5e-5)
    assert found["porosity"].median == pytest.approx(0.4036, abs=5e-5)
    assert found["porosity"].std == pytest.approx(0.0092, abs=5e-5)
    assert found["van_genuchten_alpha"].median == pytest.approx(0.74, rel=0.02)  # the median; the mean is 0.74 m-1
    assert found["van_genuchten_n"].median == pytest.approx(1.4156, rel=1e-3)
    assert found["saturated_conductivity"].median == pytest.approx(17.0 * 0.01 / 86400.0, rel=0.03)
    assert found["saturated_conductivity"].std == pytest.approx(0.10309266 * np.log(10.0), rel=1e-6)
    prior = build_prior("saturated_conductivity", PriorSection(distribution="rosetta", bulk_density=1.4, widened=3.0),
                        40.0, 20.0)
    assert prior.median == pytest.approx(found["saturated_conductivity"].median, rel=1e-9)
    one = float(prior.from_standard(1.0)) / prior.median
    assert np.log(one) == pytest.approx(3.0 * found["saturated_conductivity"].std, rel=1e-6)
    with pytest.raises(InputError, match="at most 100 %"):
        rosetta_estimate(80.0, 30.0)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "rosetta", None)
    with pytest.raises(UnavailableError, match=r"pyland\[soil\]"):
        rosetta_estimate(40.0, 20.0)
