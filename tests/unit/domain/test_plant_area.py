"""Leaf and stem area in time: the table of plant types, hemispheres, climatologies and dated series from files."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.config.load import config_hash, dump_case
from pyland.config.plants import VEGETATION_TYPES
from pyland.domain import build_domain, build_layers, build_surface
from pyland.domain.plant_area import AreaSeries, monthly_table, on_hemisphere


def surface_of(patch, **domain):
    config = load_case({"surface": {"vegetation": {"patches": [patch]}}, "domain": domain})
    return build_surface(config.surface, "van_genuchten", build_domain(config.domain), build_layers([0.1, 0.2]))


@pytest.fixture
def write(tmp_path):
    """Write a file with one variable and return its path."""

    def save(values, dims=("time",), time=None, attrs=None, **axes):
        path = tmp_path / "lai.nc"
        with netCDF4.Dataset(path, "w") as file:
            for dim, size in zip(dims, np.shape(values), strict=True):
                file.createDimension(dim, size)
            file.createVariable("LAI", "f8", dims)[:] = values
            if time is not None:
                variable = file.createVariable("time", "f8", ("time",))
                variable.units = "days since 2001-01-01"
                variable.setncatts(attrs or {})
                variable[:] = time
            for name, (axis, points) in axes.items():
                file.createVariable(name, "f8", axis)[:] = points
        return str(path)

    return save


def test_every_type_has_a_year_of_leaves():
    for name in VEGETATION_TYPES:
        leaves, stems = monthly_table(name)
        assert len(leaves) == len(stems) == 12 and min(leaves) >= 0.0 and min(stems) >= 0.0, name
        assert (max(leaves) > 0.0) == (name != "bare_ground")


def test_table_values_of_lsm():
    leaves, stems = monthly_table("broadleaf_deciduous_temperate")
    assert leaves[5] == 4.7 and stems[5] == pytest.approx(0.4)  # 5.1 in all in June
    assert monthly_table("needle_evergreen_boreal")[0][0] == 4.1


def test_seasons_change_at_the_equator():
    both = on_hemisphere(monthly_table("c3_grass")[0], np.array([45.0, -45.0]))
    assert both[6, 0] == 3.5 and both[0, 1] == 3.5 and both[6, 1] == 0.4


def test_default_of_a_patch_is_the_table():
    north = surface_of({"type": "c3_grass"}, latitude=45.0).leaf_area(np.datetime64("2021-07-16T12"))
    south = surface_of({"type": "c3_grass"}, latitude=-35.0).leaf_area(np.datetime64("2021-01-16T12"))
    assert north[0][0, 0] == pytest.approx(3.5) and north[1][0, 0] == pytest.approx(0.8)
    assert [area[0, 0] for area in south] == pytest.approx([3.5, 0.8])


def test_stems_of_given_leaves_have_no_table():
    leaves, stems = surface_of({"leaf_area_index": 2.0}).leaf_area(np.datetime64("2021-07-16"))
    assert (leaves[0, 0], stems[0, 0]) == (2.0, 0.1)


def test_canopy_keeps_its_shape():
    surface = surface_of({"type": "needle_evergreen_boreal", "canopy_top": 20.0})
    assert surface.canopy_bottom[0, 0] == pytest.approx(10.0)  # 8.5 of 17 m
    assert surface_of({"canopy_bottom": 0.2}).canopy_bottom[0, 0] == 0.2
    with pytest.raises(ConfigError, match="below the canopy top"):
        surface_of({"canopy_top": 0.5, "canopy_bottom": 0.5})


def test_monthly_climatology_of_a_file(write):
    path = write(np.arange(1.0, 13.0), dims=("month",))
    surface = surface_of({"leaf_area_index": {"file": path, "variable": "LAI"}})
    assert surface.leaf_area(np.datetime64("2021-03-01"))[0][0, 0] == pytest.approx(2.5)
    assert surface.subset(slice(0, 1)).leaf_area(np.datetime64("2021-06-16"))[0][0, 0] == pytest.approx(6.0)


def test_eight_day_climatology():
    series = AreaSeries(np.arange(46.0)[:, None], None, "test")
    assert series.at(np.datetime64("2021-01-05"))[0] == pytest.approx(0.0)  # middle of 1 to 8 January
    assert series.at(np.datetime64("2021-01-09"))[0] == pytest.approx(0.5)
    # the last composite covers 5 days (6 in leap years): its middle is 29 December, 12 h, and 6.5 days before 5 January
    assert series.at(np.datetime64("2021-12-29T12"))[0] == pytest.approx(45.0)
    assert series.at(np.datetime64("2021-12-31T12"))[0] == pytest.approx(45.0 * (1.0 - 2.0 / 6.5))
    times = np.datetime64("2020-01-01") + np.arange(0, 800 * 24, 5).astype("timedelta64[h]")
    found = np.array([series.at(time)[0] for time in times])
    assert found.min() >= 0.0 and found.max() <= 45.0


def test_dated_series(write):
    path = write([1.0, 3.0, 2.0], time=[0.0, 10.0, 30.0])
    surface = surface_of({"leaf_area_index": {"file": path, "variable": "LAI"}, "stem_area_index": 0.5})
    found = [surface.leaf_area(np.datetime64(day))[0][0, 0]
             for day in ("2001-01-01", "2001-01-06", "2001-01-21", "2001-01-31", "2001-02-15", "2000-12-25")]
    assert found == pytest.approx([1.0, 2.0, 2.5, 2.0, 2.0, 1.0])
    assert surface.leaf_area(np.datetime64("2001-01-06"))[1][0, 0] == 0.5
    with pytest.raises(InputError, match="covers 2001-01-01.*2003"):
        surface.leaf_area(np.datetime64("2003-01-01"))


def test_nearest_point_of_a_grid(write):
    values = np.arange(12.0)[:, None, None] * 0.1 + np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    path = write(values, dims=("time", "lat", "lon"), lat=(("lat",), [40.0, 50.0]), lon=(("lon",), [-5.0, 0.0, 359.0]))
    surface = surface_of({"leaf_area_index": {"file": path, "variable": "LAI"}}, latitude=48.0, longitude=-0.9)
    assert surface.leaf_area(np.datetime64("2021-01-16T12"))[0][0, 0] == pytest.approx(6.0)  # 359 east is 1 west


@pytest.mark.parametrize(("values", "arguments", "words"), [
    (np.ones(13), {}, "12 months or of 46"),
    (np.full(12, np.nan), {}, "missing at 1 cell"),
    (np.full(12, 40.0), {}, "leaf_area_index"),
    ([1.0, 2.0], {"time": [3.0, 1.0]}, "increase"),
    (np.ones((12, 3)), {"dims": ("time", "cell")}, "no latitude"),
])  # fmt: skip
def test_files_that_do_not_fit(write, values, arguments, words):
    path = write(values, **arguments)
    with pytest.raises(InputError, match=words):
        surface_of({"leaf_area_index": {"file": path, "variable": "LAI"}})


def test_messages_of_missing_files_and_keys(write):
    with pytest.raises(InputError, match="no such file"):
        surface_of({"leaf_area_index": {"file": "/nowhere.nc", "variable": "LAI"}})
    with pytest.raises(InputError, match="expected a variable Leaf; the file has LAI"):
        surface_of({"leaf_area_index": {"file": write(np.ones(12)), "variable": "Leaf"}})
    with pytest.raises(ConfigError, match=r"leaf_area_index: expected file and variable, got no variable"):
        surface_of({"leaf_area_index": {"file": "x.nc"}})
    with pytest.raises(ConfigError, match=r"leaf_area_index.*a number, a list of 12 numbers or"):
        surface_of({"leaf_area_index": "many"})


def test_case_with_files_survives_a_round_trip(write, tmp_path):
    path = write(np.ones(12))
    patches = [{"leaf_area_index": {"file": path, "variable": "LAI"}}, {"fraction": 0.0, "leaf_area_index": [1.0] * 12}]
    config = load_case({"surface": {"vegetation": {"patches": patches}}})
    (tmp_path / "case.yaml").write_text(dump_case(config))
    again = load_case(tmp_path)
    assert again.surface == config.surface and config_hash(again) == config_hash(config)
    assert config.surface.area_files == [path]
