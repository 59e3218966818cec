"""Cases of cells with several surfaces, from the command line: output, balances, restarts, threads and ranks."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest

from cases import TWIN, assert_same_run, changed, write_case
from pyland.config import load_case
from pyland.driver import cli
from pyland.driver.run import run_case

SURFACES = changed(TWIN, {
    "surface.lake": 0.4, "surface.lake_depth": "6 m", "surface.glacier": 0.1, "surface.urban": 0.15,
    "surface.wetland": 0.05,
    "output.variables": ["soil_water", "latent_heat_flux", "surface_runoff", "lake_temperature", "lake_ice_fraction",
                         "lake_ice_thickness", "lake_snow", "glacier_temperature", "glacier_mass_balance",
                         "urban_temperature", "wetland_soil_water"],
    "forcing.generator.climate": "temperate", "time.start": "2020-01-10", "time.end": "2020-01-12"})
"""Winter, so that there is ice or snow to carry."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = write_case(tmp_path_factory.mktemp("surfaces"), SURFACES)
    assert cli.run_command(["run", str(folder)]) == 0
    return folder / "run"


def test_output_and_closure(whole):
    with netCDF4.Dataset(whole / "history.nc") as data:
        assert data["lake_temperature"].dimensions == ("time", "lake_layer", "y", "x")
        assert data["lake_layer_bounds"][-1, 1] == pytest.approx(6.0)
        assert np.isfinite(data["lake_temperature"][:]).all() and data["lake_temperature"].units == "K"
        assert (data["glacier_temperature"][:] <= 273.15001).all()
        assert data["glacier_mass_balance"].standard_name == "land_ice_surface_specific_mass_balance_flux"
    closed = json.loads((whole / "scores.json").read_text())["closure"]
    assert closed["largest_step_energy_residual"] < 1e-6 and closed["largest_step_water_residual"] < 1e-9
    assert closed["water"]["largest_residual"] < 1e-7


def test_resumed_run_equals_an_uninterrupted_one(tmp_path, whole):
    folder = write_case(tmp_path, SURFACES)
    run_case(load_case(folder, ["time.end=2020-01-10T20:00"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


def test_threads_do_not_matter(tmp_path, whole):
    folder = write_case(tmp_path, SURFACES, parallel__threads=2)
    assert cli.run_command(["run", str(folder)]) == 0
    assert_same_run(whole, folder / "run")


def domain_file(path):
    """Write 3 x 2 cells of which only the first two have lakes."""
    with netCDF4.Dataset(path, "w") as data:
        data.createDimension("y", 2)
        data.createDimension("x", 3)
        for name, values in {
            "latitude": np.array([[43.0] * 3, [43.1] * 3]), "longitude": np.array([[3.0, 3.1, 3.2]] * 2),
            "elevation": np.full((2, 3), 300.0), "lake_fraction": np.array([[0.5, 0.8, 0.0], [0.0] * 3]),
            "glacier_fraction": np.array([[0.0] * 3, [0.3, 0.0, 0.0]]),
            "lake_depth": np.array([[4.0, 30.0, 10.0], [10.0] * 3]),
        }.items():
            data.createVariable(name, "f8", ("y", "x"))[:] = values


@pytest.mark.slow
@pytest.mark.mpi
def test_lakes_of_a_domain_file_on_two_ranks(pyland_command, tmp_path):
    runs = []
    case = changed(SURFACES, {"surface.lake": None, "surface.lake_depth": None, "surface.soil": None,
                              "surface.glacier": None,
                              "output.variables": ["soil_water", "lake_temperature", "glacier_temperature"]})
    case["domain"] = {"type": "file", "file": "domain.nc", "layers": TWIN["domain"]["layers"], "bedrock_layers": 3}
    for ranks in (1, 2):
        folder = write_case(tmp_path / str(ranks), case)
        domain_file(folder / "domain.nc")
        done = pyland_command("run", folder, ranks=ranks, timeout=120.0)
        assert done.returncode == 0, done.stderr
        runs.append(folder / "run")
    assert_same_run(*runs)
    with netCDF4.Dataset(runs[0] / "history.nc") as data:
        water = data["lake_temperature"][-1, 0]
        masked = np.ma.getmaskarray(np.ma.masked_invalid(water))
        assert masked.ravel().tolist() == [False, False, True, True, True, True]
        ice = data["glacier_temperature"][-1, 0]
        masked = np.ma.getmaskarray(np.ma.masked_invalid(ice))
        assert masked.ravel().tolist() == [True, True, True, False, True, True]


@pytest.mark.parametrize(("key", "value", "words"), [
    ("glacier", 0.6, "sum to at most 1, got 1.2"), ("urban_slab", {"albedo": 2.0}, "at most 1"),
    ("lake", 1.5, "at most 1"), ("lake_depth", 0.0, "at least 0.2")])
def test_wrong_surfaces_are_told(tmp_path, capsys, key, value, words):
    folder = write_case(tmp_path, SURFACES, **{f"surface__{key}": value})
    assert cli.run_command(["check", str(folder)]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_carbon_of_cells_with_wetlands_closes(tmp_path):
    case = changed(SURFACES, {"land.carbon": "evolving", "time.start": "2020-06-01", "time.end": "2020-06-03",
                              "time.spinup": {"years": 1, "start": "2020-05-31", "end": "2020-06-01"},
                              "observations": None, "assimilation": None})
    folder = write_case(tmp_path, case)
    run_case(load_case(folder))
    with netCDF4.Dataset(folder / "run" / "balance.nc") as data:
        residuals = [name for name in data.variables if name.startswith("carbon") and "residual" in name]
        assert residuals and all(np.abs(data[name][:]).max() < 1e-12 for name in residuals)
