import numpy as np
import pytest

from pyland.base.errors import InputError, UnavailableError
from pyland.observe import Scene, column_soil_moisture, operator_for


def test_soil_moisture_has_an_operator():
    operator, water = operator_for("soil_moisture"), np.random.default_rng(1).uniform(0.1, 0.4, (3, 2, 4))
    seen = operator.columns({"soil_water": water}, Scene(np.array([0.02, 0.04, 0.10]), 0.0, 0.05, 0.03))
    assert operator.fields == operator.recorded == ("soil_water",)
    assert np.array_equal(seen, column_soil_moisture(water, [0.02, 0.04, 0.10], 0.0, 0.05, 0.03))


@pytest.mark.parametrize("kind", ["crns", "brightness_temperature", "backscatter"])
def test_later_types_say_what_is_there(kind):
    with pytest.raises(UnavailableError, match=f"'{kind}' is not available.*soil_moisture"):
        operator_for(kind)


def test_unknown_type():
    with pytest.raises(InputError, match="unknown type 'sm'"):
        operator_for("sm")
