"""Texture classes and hydraulic parameters from texture."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.domain.pedotransfer import (
    ROSETTA_CLASSES,
    clapp_hornberger_cosby,
    texture_class,
    van_genuchten_rosetta,
)

# one point well inside each class of the USDA triangle: sand, clay
INSIDE = {
    "sand": (92, 3),
    "loamy sand": (82, 6),
    "sandy loam": (65, 10),
    "loam": (40, 20),
    "silt loam": (20, 15),
    "silt": (7, 5),
    "sandy clay loam": (60, 28),
    "clay loam": (33, 34),
    "silty clay loam": (10, 34),
    "sandy clay": (52, 42),
    "silty clay": (6, 47),
    "clay": (20, 60),
}


def test_every_class_is_reached():
    assert set(INSIDE) == set(ROSETTA_CLASSES)
    for name, (sand, clay) in INSIDE.items():
        assert texture_class(sand, clay) == name


def test_every_texture_has_a_class():
    for sand in range(101):
        for clay in range(101 - sand):
            assert texture_class(sand, clay) in ROSETTA_CLASSES


def test_rosetta_loam():
    loam = van_genuchten_rosetta(40.0, 20.0)
    assert loam["porosity"] == pytest.approx(0.399)
    assert loam["residual_water"] == pytest.approx(0.061)
    assert loam["van_genuchten_alpha"] == pytest.approx(1.112, rel=1e-3)  # 0.01112 cm-1
    assert loam["van_genuchten_n"] == pytest.approx(1.472, rel=1e-3)
    assert loam["saturated_conductivity"] * 8.64e6 == pytest.approx(12.05, rel=1e-3)  # cm d-1


def test_cosby_sandy_loam():
    soil = clapp_hornberger_cosby(58.0, 10.0)
    assert soil["porosity"] == pytest.approx(0.41592)
    assert soil["clapp_hornberger_b"] == pytest.approx(4.5)
    assert soil["air_entry_head"] == pytest.approx(-0.1319, rel=1e-3)
    assert soil["saturated_conductivity"] == pytest.approx(7.11e-6, rel=1e-2)


def test_shapes_are_kept():
    sand, clay = np.full((3, 4), 40.0), np.full((3, 4), 20.0)
    for table in (clapp_hornberger_cosby, van_genuchten_rosetta):
        assert all(value.shape == (3, 4) for value in table(sand, clay).values())


@pytest.mark.parametrize(("sand", "clay"), [(-1.0, 10.0), (60.0, 50.0), (np.nan, 10.0)])
def test_impossible_texture_is_refused(sand, clay):
    with pytest.raises(InputError, match="sand and clay"):
        van_genuchten_rosetta(sand, clay)
