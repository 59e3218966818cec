"""Where a run looks for its observations."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.domain import build_domain
from pyland.driver.analysis.observing import observation_problems, target_cells
from pyland.driver.analysis.product_sets import check_rules


def write_domain(path):
    """Write 3 x 3 cells of 0.11 degrees around 50 N 10 E."""
    with netCDF4.Dataset(path, "w") as file:
        for name, middle in (("latitude", 50.0), ("longitude", 10.0)):
            axis = name[:3]
            file.createDimension(axis, 3)
            file.createVariable(name, "f8", (axis,))[:] = middle + np.array([-0.11, 0.0, 0.11])
        file.createVariable("elevation", "f8", ("lat", "lon"))[:] = 100.0


@pytest.mark.parametrize("kind", ["grid", "file"])
def test_what_lies_in_a_cell_is_in_the_domain(tmp_path, kind):
    """An observation 4 km from the centre of a cell of about 10 km is inside, one 20 km beyond the rim is not."""
    write_domain(tmp_path / "domain.nc")
    domain = {"type": "file", "file": str(tmp_path / "domain.nc")} if kind == "file" else {
        "type": "grid", "latitude": 50.0, "longitude": 10.0, "nx": 3, "ny": 3, "dx": "8 km", "dy": "12 km"}
    config = load_case({"domain": domain})
    target = target_cells(config, build_domain(config.domain))
    cell, _, _, inside = target.locate([50.03, 50.0], [10.02, 10.6])
    assert cell[0] == 4
    assert list(inside) == [True, False]


SMALL = {"domain": {"type": "grid", "latitude": 50.0, "longitude": 10.0, "nx": 3, "ny": 3, "dx": "8 km", "dy": "8 km"},
         "ensemble": {"size": 4}}
TWIN = {"name": "seen", "every": "1 day", "twin": {"seed": 1}}


def problems_of(entry, **sections):
    config = load_case({**SMALL, "observations": [entry], **sections})
    return observation_problems(config, build_domain(config.domain), 3.0)


def test_a_check_finds_what_rescaling_would_lack_after_the_open_loop(tmp_path):
    assimilation = {"filter": "letkf", "localization": {"radius": "20 km"}, "open_loop": False}
    found = problems_of({**TWIN, "scaling": "mean_std"}, assimilation=assimilation)
    assert len(found) == 1 and "'seen': scaling: mean_std needs the climatology of the model" in found[0]
    baseline = {"baseline_start": "2020-01-10", "baseline_end": "2020-01-12"}
    found = problems_of({**TWIN, "type": "tws", "error": 5.0, "operator": baseline},
                        assimilation={**assimilation, "open_loop": True})
    assert len(found) == 1 and "type tws needs terrestrial_water_storage in output.variables." in found[0]


@pytest.mark.parametrize("rules, expected", [
    ({"largest_vegetation": 3}, "there is no rule 'largest_vegetation'; did you mean 'largest_vegetation_water'? The"),
    ({"largest_vegetation_water": "three"}, "largest_vegetation_water: expected a number or null, got 'three'."),
    ({"valid_range": 0.5}, "valid_range: expected a list of two, got 0.5."),
    ({"valid_range": ["a", 1]}, "valid_range: expected a list of two, got ['a', 1]."),
    ({"duplicates": 1}, "duplicates: expected true or false, got 1."),
])
def test_rules_that_are_none(rules, expected):
    config = load_case({**SMALL, "observations": [{"name": "seen", "file": "a.nc", "reader": "table",
                                                   "quality": {"rules": rules}}]})
    with pytest.raises(InputError) as error:
        check_rules(config.observations[0])
    assert str(error.value).startswith(f"observation 'seen': quality.rules: {expected}")
