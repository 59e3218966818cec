import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import QUANTITIES, Scene, column_soil_moisture, operator_for


def test_soil_moisture_has_an_operator():
    operator, water = operator_for("soil_moisture"), np.random.default_rng(1).uniform(0.1, 0.4, (3, 2, 4))
    seen = operator.columns({"soil_water": water}, Scene(np.array([0.02, 0.04, 0.10]), 0.0, 0.05, 0.03))
    assert operator.fields == operator.recorded == ("soil_water",)
    assert np.array_equal(seen, column_soil_moisture(water, [0.02, 0.04, 0.10], 0.0, 0.05, 0.03))


def test_every_quantity_has_an_operator():
    assert all(operator_for(kind).type == kind for kind in QUANTITIES)


def test_unknown_type():
    with pytest.raises(InputError, match="unknown type 'sm'"):
        operator_for("sm")
