"""Figures of a variable that the user chooses: they show what the files hold, and refuse what they do not."""

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from pyland.base.errors import InputError
from pyland.driver.commands.plot_choice import KINDS, Wanted, plot_choice
from pyland.view.shown_fields import Choice, cell_of, field_of, people_units, times_of
from pyland.view.style import unit_sign

from .synthetic import twin_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return twin_run(tmp_path_factory.mktemp("chosen") / "run", ny=6, nx=5, ndays=20, nmember=4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn(run, kind, tmp_path):
    path = plot_choice(run, kind, Wanted(), folder=tmp_path)
    with Image.open(path) as image:
        assert image.width > 600 and len(image.getcolors(maxcolors=2**24)) > 20


def test_options_reach_the_figure(run, tmp_path):
    wanted = Wanted(times=("2004-05-03", "2004-05-09"), layer=3, statistic="std")
    one = plot_choice(run, "maps", wanted, folder=tmp_path)
    assert one.name == "maps_soil_water_std_layer_3.png"
    plot_choice(run, "series", Wanted(variable="H2OSOI", place="50.02,6.03"), folder=tmp_path)


@pytest.mark.parametrize(("kind", "wanted", "words"), [
    ("maps", Wanted(variable="snow_mass"), "no 'snow_mass'.*add it to output.variables"),
    ("maps", Wanted(statistic="p05"), "of soil_water it has mean, std"),
    ("maps", Wanted(layer=10), "has 9 layers, got --layer 10"),
    ("maps", Wanted(times=("1999-01-01",)), "the run has records from 2004"),
    ("maps", Wanted(times=("spring",)), "expected an instant"),
    ("maps", Wanted(place="1,2"), "it has no --at"),
    ("series", Wanted(place="10,10"), "outside the domain"),
    ("series", Wanted(place="north"), "expected latitude and longitude"),
    ("increments", Wanted(variable="snow_mass"), "it has those of soil_water"),
    ("pie", Wanted(), "unknown figure 'pie'"),
])
def test_what_is_not_there_gets_a_sentence(run, kind, wanted, words, tmp_path):
    with pytest.raises(InputError, match=words):
        plot_choice(run, kind, wanted, folder=tmp_path)
    assert not list(tmp_path.glob("*.png"))


def test_units_that_people_read():
    values, unit = people_units(np.array([1.0 / 86400.0]), "kg m-2 s-1")
    assert values[0] == pytest.approx(1.0) and unit == r"mm d$^{-1}$"
    assert people_units(np.array([273.15]), "K")[0][0] == 0.0
    assert people_units(np.array([2.0]), "K", "std") == (2.0, "K")
    assert unit_sign("m3 m-3") == r"m$^{3}$ m$^{-3}$" and unit_sign("1") == unit_sign("") == "1"
    assert unit_sign("log10 h") == "log10 h"  # not every number is an exponent


def test_fields_cells_and_times(run):
    with xr.open_dataset(run / "history.nc") as data:
        field = field_of(data, Choice("soil_water", "std", 2), "history.nc")
        np.testing.assert_array_equal(field.values, data["soil_water_std"].isel(layer=1).values)
        latitude, longitude = (data[name].values for name in ("latitude", "longitude"))
        cell, _, _ = cell_of(data, (float(latitude[2, 3]), float(longitude[2, 3])))
        assert cell == 2 * 5 + 3
        assert times_of(data, [np.datetime64("2004-05-03T01:00")], 6) == [1]
        assert times_of(data, [], 3) == [0, 10, 19]
