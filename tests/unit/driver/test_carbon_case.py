"""Cases with carbon and irrigation: what a run writes, its balances, spin-up, and resumption."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cases import TWIN, assert_same_run, changed, write_case
from pyland import Case
from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.driver.run import run_case
from pyland.land import compute_tissue_nitrogen, plant_parameters

IRRIGATED = [
    {"type": "c3_irrigated_crop", "fraction": 0.5, "leaf_area_index": 2.5,
     "irrigation": {"method": "sprinkler", "demand": "deficit"}},
    {"type": "corn_temperate", "fraction": 0.2, "leaf_area_index": 1.5,
     "irrigation": {"method": "drip", "demand": "calendar", "days": [122, 123], "amount": "4 mm", "duration": "2 h"}},
]
SMALL = changed(TWIN, {
    "surface.vegetation.patches": IRRIGATED,
    "land.carbon": "evolving",
    "time.spinup": {"years": 2, "start": "2020-05-01", "end": "2020-05-03"},
    "subsurface.initial": {"saturation": 0.3},
    "output.variables": ["net_ecosystem_exchange", "soil_carbon", "litter_carbon", "vegetation_carbon", "irrigation",
                         "chlorophyll_fluorescence", "gross_primary_production", "carbon_balance_residual",
                         "soil_water"],
})


def run(folder, case=SMALL, **changes):
    write_case(folder, case, **changes)
    run_case(load_case(folder), resume=False)
    return folder / "run"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


def test_what_is_written(whole):
    with xr.open_dataset(whole / "history.nc") as history:
        assert history["net_ecosystem_exchange"].attrs["units"] == "kg m-2 s-1"
        assert float(history["soil_carbon"].min()) > 0.1 and float(history["vegetation_carbon"].min()) > 0.01
        gross = history["gross_primary_production"]
        np.testing.assert_allclose(history["chlorophyll_fluorescence"], 2.434e7 * gross, rtol=1e-6)
        assert float(history["irrigation"].max()) > 1e-5


def test_balances_close_with_irrigation_and_carbon(whole):
    with xr.open_dataset(whole / "balance.nc") as balance:
        assert float(np.abs(balance["water_residual"]).max()) < 1e-8
        assert float(balance["irrigation"].sum("time").min()) > 0.2 * 8.0 * 0.99
        assert float(balance["carbon_residual_largest"].max()) < 1e-12
        assert float(np.abs(balance["carbon_residual"]).max()) < 1e-11
        assert float(np.abs(balance["net_primary_production"]).max()) > 1e-4


def test_a_resumed_run_is_the_same(whole, tmp_path):
    folder = tmp_path / "cut"
    run(folder, time__end="2020-05-02T10:00")
    write_case(folder, SMALL)
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run", restarts=False)


def test_prescribed_pools_of_a_case(tmp_path):
    case = changed(SMALL, {"land.carbon": "prescribed", "land.carbon_initial": {"soil": [0.1, 2, 3], "plants": 0.4},
                           "observations": None, "assimilation": None, "time.spinup": None})
    with xr.open_dataset(run(tmp_path, case) / "history.nc") as history:
        np.testing.assert_allclose(history["soil_carbon"], 5.1, rtol=1e-6)
        np.testing.assert_allclose(history["vegetation_carbon"], 0.7 * 0.4, rtol=1e-6)
        assert float(history["net_ecosystem_exchange"].std()) > 0.0


def test_equilibrium_needs_a_spin_up(tmp_path):
    write_case(tmp_path, changed(SMALL, {"time.spinup": None}))
    with pytest.raises(ConfigError, match=r"spinup\.years of at least 1 or land\.carbon_initial"):
        load_case(tmp_path)


def test_output_needs_what_computes_it(tmp_path):
    write_case(tmp_path, changed(TWIN, {"output.variables": ["net_ecosystem_exchange", "irrigation"]}))
    with pytest.raises(ConfigError, match=r"needs land\.carbon(.|\n)*needs an irrigated patch"):
        load_case(tmp_path)


@pytest.mark.parametrize(("irrigation", "said"), [
    ({"demand": "amount"}, "expected an amount with demand: amount"),
    ({"demand": "deficit", "amount": 3}, "expected no amount with demand: deficit"),
    ({"demand": "calendar", "amount": [1, 2], "days": [5]}, "expected 1 numbers, one for each of days"),
    ({"demand": "calendar", "amount": 2, "days": [5, 5]}, "whole days of the year, each once"),
    ({"method": "bucket"}, "sprinkler, flood or drip"),
])
def test_wrong_irrigation_is_explained(tmp_path, irrigation, said):
    patches = [{"type": "c3_crop", "irrigation": irrigation}]
    write_case(tmp_path, changed(SMALL, {"surface.vegetation.patches": patches}))
    with pytest.raises(ConfigError, match=said):
        load_case(tmp_path)


def test_tissue_follows_the_largest_leaf_area(tmp_path):
    months = [0.2, 0.2, 0.4, 1.0, 3.0, 4.0, 3.5, 3.0, 2.0, 1.0, 0.4, 0.2]
    patches = [{"type": "broadleaf_deciduous_temperate", "fraction": 0.5, "leaf_area_index": months, "canopy_top": 18}]
    model = Case(changed(SMALL, {"surface.vegetation.patches": patches, "output": None})).model()
    stem, root = compute_tissue_nitrogen(plant_parameters("broadleaf_deciduous_temperate"), 4.0, 18.0)
    np.testing.assert_allclose(model.parameter["stem_nitrogen"][0], stem, rtol=1e-14)
    np.testing.assert_allclose(model.parameter["root_nitrogen"][0], root, rtol=1e-14)
    assert (model.parameter["root_nitrogen"][1] == 0.0).all()  # what is left is bare


def test_cells_with_other_surfaces(tmp_path):
    case = changed(SMALL, {"surface.glacier": 0.2, "surface.wetland": 0.1})
    folder = run(tmp_path / "mixed", case)
    with xr.open_dataset(folder / "balance.nc") as balance:
        assert float(np.abs(balance["water_residual"]).max()) < 1e-8
        assert float(np.abs(balance["carbon_residual"]).max()) < 1e-11
    with xr.open_dataset(folder / "history.nc") as history:
        assert float(history["irrigation"].max()) > 0.0 and np.isfinite(history["net_ecosystem_exchange"]).all()


def test_a_model_by_hand_is_irrigated():
    """Sprinklers and drip lines run as in a run."""
    model, most = Case(SMALL).model(), 0.0
    for _ in range(24):
        model.advance()
        most = max(most, float(model.flux["irrigation"].max()))
    assert most > 1e-5
