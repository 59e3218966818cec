"""The water table of columns of heads, and readings of wells from files."""

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.observe import Scene, TargetCells, column_water_table, make_observations, operator_for, read_measurements

THICKNESS = np.array([0.1, 0.2, 0.4, 0.8])
CENTRE = np.cumsum(THICKNESS) - 0.5 * THICKNESS
TIME = np.datetime64("2020-05-01T00:00:00", "s")
TARGET = TargetCells([50.0, 50.0], [6.0, 6.001], [-35.0, 35.0], [0.0, 0.0], 70.0)


def at_rest(*tables):
    """Return hydrostatic heads of one member over these water tables, (layer, 1, cell)."""
    return (CENTRE[:, None] - np.array(tables))[:, None, :]


def test_columns_at_rest_give_their_table():
    tables = np.array([0.0, 0.05, 0.3, 0.69, 1.0])
    assert column_water_table(at_rest(*tables), THICKNESS)[0] == pytest.approx(tables)


def test_the_ends_of_the_range():
    """Ponded land has its table at the surface; where no saturated zone reaches the base, it is the base."""
    found = column_water_table(at_rest(-0.2, 1.3, 5.0), THICKNESS)[0]
    assert found.tolist() == [0.0, THICKNESS.sum(), THICKNESS.sum()]


def test_a_perched_zone_is_not_the_table():
    head = at_rest(1.0)
    head[0] = 0.05
    assert column_water_table(head, THICKNESS)[0, 0] == pytest.approx(1.0)


def test_the_table_is_linear_in_the_head_of_its_cell():
    head = np.repeat(at_rest(0.3), 3, axis=1)
    head[2:] += np.array([-0.05, 0.0, 0.08])[None, :, None]
    assert column_water_table(head, THICKNESS)[:, 0] == pytest.approx([0.35, 0.3, 0.22])


def test_the_operator_has_no_window():
    operator = operator_for("groundwater")
    assert (operator.fields, operator.recorded) == (("pressure_head",), ("water_table_depth",))
    assert operator.columns({"pressure_head": at_rest(0.4)}, Scene(np.array(THICKNESS)))[0, 0] == pytest.approx(0.4)


def test_shapes_are_checked():
    with pytest.raises(InputError, match="groundwater operator: pressure_head must have shape"):
        column_water_table(at_rest(0.3)[:2], THICKNESS)


@pytest.mark.parametrize(("units", "factor"), [("m", 1.0), ("cm", 0.01), ("mm", 0.001), ("feet", 0.3048)])
def test_wells_of_a_file(tmp_path, units, factor):
    depth = np.array([[1.2, 0.4], [1.3, np.nan]]) / factor
    data = xr.Dataset({"level": (("time", "well"), depth, {"units": units})},
                      {"time": (TIME + np.arange(2) * np.timedelta64(86400, "s")).astype("datetime64[ns]"),
                       "latitude": ("well", [50.0, 50.0]), "longitude": ("well", [6.001, 6.0])})
    data.to_netcdf(tmp_path / "wells.nc")
    first, second = read_measurements(tmp_path / "wells.nc", "level", TARGET, name="wells", error=0.05,
                                      kind="groundwater")
    assert first.type == "groundwater" and first.values == pytest.approx([1.2, 0.4])
    assert first.cells.tolist() == [[1], [0]] and first.variance == pytest.approx([0.0025, 0.0025])
    assert np.isnan(first.top) and second.reasons() == ["used", "missing_value"]


def test_units_that_are_no_depth(tmp_path):
    data = xr.Dataset({"level": (("time", "well"), np.ones((1, 1)), {"units": "m3 m-3"})},
                      {"time": [TIME.astype("datetime64[ns]")], "latitude": ("well", [50.0]),
                       "longitude": ("well", [6.0])})
    data.to_netcdf(tmp_path / "wells.nc")
    with pytest.raises(InputError, match="expected one of m, .*levels above a datum need the height of the ground"):
        read_measurements(tmp_path / "wells.nc", "level", TARGET, name="wells", error=0.05, kind="groundwater")
    with pytest.raises(InputError, match="unknown type 'wells'"):
        read_measurements(tmp_path / "wells.nc", "level", TARGET, name="wells", error=0.05, kind="wells")


def test_noise_may_lift_a_well_above_the_ground():
    found = make_observations(np.zeros(200), TIME, np.arange(200.0), np.zeros(200), name="wells", error=0.05, seed=1,
                              kind="groundwater", depth=(np.nan, np.nan))
    assert found.type == "groundwater" and found.values.min() < -0.05 < 0.05 < found.values.max()
