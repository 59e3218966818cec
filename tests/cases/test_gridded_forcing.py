"""Small cases with weather of each gridded product, from the command line to the run directory."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
import reanalysis_files as files

from cases import RESULTS, assert_same_run, write_case

CASE = {
    "case": {"name": "gridded", "description": "a small grid under weather of a gridded product"},
    "time": {"start": "2020-06-10T06:00", "end": "2020-06-11T18:00", "step": "30 min"},
    "domain": {"type": "grid", "latitude": 50.0, "longitude": 7.0, "nx": 3, "ny": 2, "dx": "6 km", "dy": "6 km",
               "elevation": {"generate": {"base": 300, "relief": 250, "seed": 11}},
               "layers": [0.02, 0.03, 0.05, 0.1, 0.3, 0.5], "bedrock_layers": 3},
    "surface": {"soil": {"texture": {"sand": 45, "clay": 20}}},
    "subsurface": {"initial": {"saturation": 0.6}},
    "output": {"every": "6 h", "restart_every": "12 h", "variables": ["latent_heat_flux", "soil_water"]},
}
WRITERS = {"era5": files.write_era5, "era5-land": files.write_era5_land, "cosmo-rea6": files.write_cosmo,
           "cmfd": files.write_cmfd}
REGRIDDING = {"era5": "conservative", "era5-land": "bilinear", "cosmo-rea6": "conservative", "cmfd": "nearest"}


def make_case(tmp_path, name, **changes):
    WRITERS[name](tmp_path / "weather")
    forcing = {"format": name, "path": "../weather", "regridding": REGRIDDING[name]}
    if name in ("era5", "cosmo-rea6"):
        forcing |= {"lapse_rate": 0.0065, "height": "10 m"}
    return write_case(tmp_path / "case", CASE, forcing=forcing, **changes)


@pytest.mark.parametrize("name", WRITERS)
def test_check_and_run(tmp_path, pyland_command, name):
    case = make_case(tmp_path, name)
    checked = pyland_command("check", case)
    assert checked.returncode == 0, checked.stderr
    said = " ".join((checked.stdout + checked.stderr).split())
    for words in (f"{name}, covers 2020-06-10T06:00:00 to 2020-06-11T18:00:00 UTC", "no gaps", REGRIDDING[name],
                  "points", "air_temperature from"):
        assert words in said, (words, said)
    assert not (case / "run").exists()
    done = pyland_command("run", case)
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(case / "run" / "balance.nc") as balance:
        residual = np.abs(balance["water_residual"][:]).max() if "water_residual" in balance.variables else 0.0
        assert residual < 1e-8
    with netCDF4.Dataset(case / "run" / "history.nc") as history:
        assert np.isfinite(history["latent_heat_flux"][:]).all() and history["latent_heat_flux"].shape[0] == 6
        assert "heads-sha256:" in history.input_checksums and "weather files:" in history.input_checksums


@pytest.mark.mpi
def test_ranks_and_a_restart_change_no_bit(tmp_path, pyland_command):
    case = make_case(tmp_path, "cosmo-rea6")
    for folder, ranks in (("one", 1), ("three", 3)):
        done = pyland_command("run", case, "--output", tmp_path / folder, ranks=ranks)
        assert done.returncode == 0, done.stderr
    half = pyland_command("run", case, "--output", tmp_path / "half", "--until", "2020-06-10T18:00")
    assert half.returncode == 0, half.stderr
    rest = pyland_command("run", case, "--output", tmp_path / "half", "--resume")
    assert rest.returncode == 0, rest.stderr
    assert any((tmp_path / "one" / name).exists() for name in RESULTS)
    for other in ("three", "half"):
        assert_same_run(tmp_path / "one", tmp_path / other, restarts=other == "three")


def test_all_problems_of_the_files_at_once(tmp_path, pyland_command):
    case = make_case(tmp_path, "era5")
    for path in (tmp_path / "weather").glob("*accum.nc"):
        with netCDF4.Dataset(path, "a") as file:
            file.renameVariable("tp", "rainfall")
            file["strd"].units = "J"
    for command in ("check", "run"):
        done = pyland_command(command, case)
        assert done.returncode == 2
        said = " ".join(done.stderr.split())
        assert "variable 'strd' has units 'J" in said and "no file has precipitation" in said, said
    assert not (case / "run" / "history.nc").exists()
