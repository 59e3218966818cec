"""``domain.nc`` of a run: area, cover, soil and basins, on the grid of its results."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from surface_valley import write_valley

from cases import COUPLED, FLOW, changed, write_case
from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.driver.run import run_case
from pyland.output.domain_fields import LAND_COVERS, read_domain_fields


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = write_valley(tmp_path_factory.mktemp("valley"))
    run_case(load_case(folder))
    return folder / "run"


def test_cover_and_area(run):
    data = read_domain_fields(run)
    with xr.open_dataset(run / "history.nc") as history:
        assert np.array_equal(data["latitude"], history["latitude"], equal_nan=True)
    assert data["land_cover"].dtype == np.int8
    assert data["land_cover"].attrs["flag_meanings"].split() == list(LAND_COVERS)
    names = np.array([*LAND_COVERS, "outside"])[data["land_cover"].values]
    assert names[0].tolist() == ["outside", "glacier", "c3_crop"] and names[3, 2] == "lake" and names[1, 1] == "c3_crop"
    assert float(data["cell_area"].sum()) == 11 * 2.5e7 and np.isnan(data["cell_area"].values[0, 0])
    irrigated = data["irrigated_fraction"].values
    assert irrigated[1, 1] == pytest.approx(0.7) and irrigated[0, 1] == pytest.approx(0.4 * 0.7)
    assert irrigated[3, 2] == pytest.approx(0.1 * 0.7)
    assert data["glacier_fraction"].values[0, 2] == 0.2 and float(data["urban_fraction"].max()) == 0.0


def test_soil_holds_less_water_the_stronger_it_is_drawn(run):
    data = read_domain_fields(run)
    assert data["porosity"].dims == ("layer", "y", "x")
    wilting, field, pores = (data[name].values[:, 1:] for name in ("wilting_point", "field_capacity", "porosity"))
    assert (wilting > 0.0).all() and (wilting < field).all() and (field < pores).all()


def test_basins_and_directions(run):
    data = read_domain_fields(run)
    cell, basin = data["downstream_cell"].values, data["basin"].values
    assert cell[3, 2] == -2 and cell[2, 1] == 11 and cell[0, 0] == data["downstream_cell"].attrs["_FillValue"]
    assert basin[3, 2] == basin[2, 1] == 1 and data["upstream_area"].values[3, 2] == pytest.approx(
        2.5e7 * (basin == 1).sum())


@pytest.mark.parametrize(("case", "covers"), [(FLOW, False), (COUPLED, True)])
def test_distributed_runs_say_where_they_are(case, covers, tmp_path):
    end = {"time.end": "2020-01-01T00:40"} if case is FLOW else {"time.end": "2020-03-10T02:00", "ensemble.size": 1}
    folder = write_case(tmp_path, changed(case, {**end, "output.members": []} if covers else end))
    run_case(load_case(folder))
    data = read_domain_fields(folder / "run")
    size = 600.0 if case is FLOW else 1e4
    assert float(data["cell_area"].min()) == float(data["cell_area"].max()) == pytest.approx(size)
    assert ("land_cover" in data) == covers


def test_a_run_without_the_file(tmp_path):
    with pytest.raises(InputError, match="run the case again"):
        read_domain_fields(tmp_path)
