"""Case 40: the domain of its script, reaches where they should be, and water that does what the README says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from pyland.config import load_case
from pyland.diagnose.zones import cells_in_polygon
from pyland.domain import build_domain
from pyland.driver.commands.diagnosis import diagnose_topic
from pyland.driver.commands.zone_files import read_polygons
from pyland.driver.run import run_case

CASE = Path(__file__).resolve().parents[2] / "cases" / "40_heihe"


def test_domain_is_that_of_its_script(tmp_path):
    subprocess.run([sys.executable, str(CASE / "make_basin.py"), str(tmp_path)], check=True, capture_output=True)
    assert (tmp_path / "reaches.geojson").read_text() == (CASE / "reaches.geojson").read_text()
    with netCDF4.Dataset(tmp_path / "basin.nc") as made, netCDF4.Dataset(CASE / "basin.nc") as kept:
        assert set(made.variables) == set(kept.variables)
        for name, field in made.variables.items():
            np.testing.assert_allclose(field[:], kept[name][:], rtol=1e-12, err_msg=name)


def test_polygons_hold_the_cells_of_their_reach():
    domain = build_domain(load_case(CASE).domain)
    with netCDF4.Dataset(CASE / "basin.nc") as data:
        reach = np.asarray(data["reach"][:]).ravel()[domain.cell_id]
    for code, ((ring,),) in enumerate(read_polygons(CASE / "reaches.geojson").values()):
        assert np.array_equal(cells_in_polygon(domain.latitude, domain.longitude, ring), reach == code)
    assert [int((reach == code).sum()) * 400 for code in range(3)] == [14400, 13200, 88000]  # [km2]


@pytest.mark.slow
def test_water_of_the_reaches(tmp_path):
    run_case(load_case(CASE), output=tmp_path / "run")
    tables = diagnose_topic(CASE, "balance", output=tmp_path / "run", with_figures=False).numbers["tables"]
    rows = {}
    for table in tables:
        if table["kind"] == "water":
            ids = [one["id"] for one in table["columns"]]
            rows |= {row["zone"]: dict(zip(ids, row["values"], strict=True)) for row in table["rows"]}
    assert all(abs(row["residual_mm"]) < 1e-6 and abs(row["river_residual_1e9m3"]) < 1e-9 for row in rows.values())
    glacier, meadow = rows["upstream / glacier"], rows["upstream / c3_arctic_grass"]
    assert glacier["runoff_coefficient"] > 1.0 and glacier["storage_change_glacier_mm"] < -100.0
    assert 0.2 < meadow["runoff_coefficient"] < 0.5
    crop, desert = rows["midstream / c3_irrigated_crop"], rows["downstream / bare_ground"]
    assert crop["et_mm"] > 2.0 * crop["precipitation_mm"] and crop["irrigation_mm"] > 200.0
    assert abs(desert["et_mm"] / desert["precipitation_mm"] - 1.0) < 0.15
    assert rows["midstream"]["net_et_to_streamflow"] > 0.2
    assert 800.0 < rows["downstream"]["lake_evaporation_mm"] < 1600.0
