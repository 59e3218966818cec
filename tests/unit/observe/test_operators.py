import pytest

from pyland.base.errors import InputError, UnavailableError
from pyland.observe import column_soil_moisture, operator_for


def test_soil_moisture_has_an_operator():
    operator = operator_for("soil_moisture")
    assert (operator.field, operator.columns) == ("soil_water", column_soil_moisture)


@pytest.mark.parametrize("kind", ["crns", "brightness_temperature", "lst", "snow_cover", "lai", "tws", "discharge"])
def test_later_types_say_what_is_there(kind):
    with pytest.raises(UnavailableError, match=f"'{kind}' is not available.*soil_moisture"):
        operator_for(kind)


def test_unknown_type():
    with pytest.raises(InputError, match="unknown type 'sm'"):
        operator_for("sm")
