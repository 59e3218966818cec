"""Where a run looks for its observations."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from pyland.config import load_case
from pyland.domain import build_domain
from pyland.driver.observing import target_cells


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
