"""Errors of products in a case: by the product itself, by classes of a column, by a collocation."""

from __future__ import annotations

import numpy as np
import pytest

from cases import TWIN, changed, write_case
from pyland.base.errors import ConfigError, InputError
from pyland.base.observation_reasons import BAD_ERROR
from pyland.config import load_case
from pyland.driver.analysis.product_sets import product_sets
from pyland.observe import ObservationTable, TargetCells, write_table
from pyland.observe.climatology.seasonal_windows import SeasonalWindows
from pyland.observe.quality import CollocationError, read_errors, write_errors

TARGET = TargetCells(np.full(3, 43.3), 3.0 + 0.1 * np.arange(3), 8000.0 * np.arange(3), np.zeros(3), 8000.0)
"""Three cells in a row."""


@pytest.fixture
def errors_of(tmp_path):
    """Return a function that gives error and flag of each of three places of a product with an error model."""
    table = ObservationTable(
        "product", "soil_moisture", [0.2, 0.25, 0.3], np.datetime64("2020-05-01T06", "s"), TARGET.latitude,
        TARGET.longitude, sigma=[0.01, 0.05, np.nan], location=[4, 7, 9], top=0.0, bottom=0.05,
        extra={"optical_depth": np.array([0.1, 0.3, 0.8])}, extra_units={"optical_depth": "1"})
    write_table(tmp_path / "observed.nc", table)

    def run(model, **more):
        entry = {"name": "one", "file": "observed.nc", "reader": "table", "error_model": model} | more
        config = load_case(write_case(tmp_path, changed(TWIN, {"observations": [entry]})))
        sets = product_sets(config.observations[0], config, TARGET)
        found = {int(place): (np.sqrt(one.variance[row]), int(one.flags[row])) for one in sets
                 for row, place in enumerate(one.location)}
        errors, flags = zip(*(found[place] for place in sorted(found)), strict=True)
        return np.array(errors), list(flags)

    return run


def test_what_the_product_says_with_factor_and_floor(errors_of):
    """1.5 x 0.01 is below the floor of 0.02, 1.5 x 0.05 is not; the third row has no error."""
    errors, flags = errors_of({"factor": 1.5, "floor": 0.02})
    assert errors[:2] == pytest.approx([0.02, 0.075], rel=1e-12) and flags == [0, 0, BAD_ERROR]
    errors, flags = errors_of({"floor": "2 %", "otherwise": 0.06})
    assert errors == pytest.approx([0.02, 0.05, 0.06], rel=1e-12) and flags == [0, 0, 0]


def test_classes_of_a_column(errors_of):
    """A value on a limit belongs to the upper class; the column keeps its own unit."""
    errors, flags = errors_of({"column": "optical_depth", "edges": [0.3, 0.5], "errors": [0.03, "5 %", 0.09]})
    assert errors == pytest.approx([0.03, 0.05, 0.09], rel=1e-12) and flags == [0, 0, 0]
    with pytest.raises(InputError, match=r"has no column 'vegetation_water'; it has .*optical_depth"):
        errors_of({"column": "vegetation_water", "edges": [2.0], "errors": [0.03, 0.06]})


def test_errors_of_a_collocation(errors_of, tmp_path):
    """Errors by place and season, of a file; without one (in spring at place 7, always at 9) there is ``otherwise``."""
    by_part = np.array([[0.02, 0.02], [0.04, np.nan], [0.06, 0.03], [0.08, 0.05]])  # winter, spring, summer, autumn
    write_errors(tmp_path / "errors.nc", CollocationError(np.array([4, 7]), SeasonalWindows("season"), by_part))
    again = read_errors(tmp_path / "errors.nc")
    assert np.array_equal(again.errors, by_part, equal_nan=True) and again.location.tolist() == [4, 7]
    assert again.windows.window == "season" and np.isnan(again.otherwise)
    errors, flags = errors_of({"file": "errors.nc", "otherwise": 0.1})
    assert errors == pytest.approx([0.04, 0.1, 0.1], rel=1e-12) and flags == [0, 0, 0]
    _, flags = errors_of({"file": "errors.nc"})
    assert flags == [0, BAD_ERROR, BAD_ERROR]


def test_a_file_without_errors_is_refused(errors_of, tmp_path):
    (tmp_path / "empty.nc").write_bytes(b"")
    for name, message in (("none.nc", "does not exist"), ("empty.nc", "cannot be read as a file of errors"),
                          ("observed.nc", "is not a file of errors of a product")):
        with pytest.raises(InputError, match=message):
            errors_of({"file": name})


@pytest.mark.parametrize(("model", "more", "message"), [
    ({}, {}, r"error_model.factor: expected one of factor or floor .*got none"),
    ({"factor": 2, "file": "errors.nc"}, {}, "got factor and file"),
    ({"column": "optical_depth", "errors": [0.1]}, {}, "expected column, edges and errors together, got no edges"),
    ({"column": "optical_depth", "edges": [1], "errors": [0.1]}, {}, "expected 2 errors, one more than edges, got 1"),
    ({"column": "optical_depth", "edges": [1, 1], "errors": [0.1, 0.1, 0.1]}, {}, "expected rising limits"),
    ({"column": "optical_depth", "edges": [1], "errors": [0.1, 0.0]}, {}, "above 0"),
    ({"factor": 2, "floor": 1.5}, {}, "error_model.floor: expected at most 1 m3 m-3"),
    ({"floor": "2 K"}, {}, "error_model.floor"),
    ({"factor": 2}, {"error": 0.03}, "expected no error with error_model"),
    ({"factor": 2}, {"table_error": False}, "expected no table_error with error_model"),
    ({"factor": 2}, {"reader": "measurements", "variable": "sm"}, "expected no error_model with reader: measurements"),
])
def test_models_that_do_not_fit_are_refused(errors_of, model, more, message):
    with pytest.raises(ConfigError, match=message):
        errors_of(model, **more)
