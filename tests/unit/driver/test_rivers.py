"""Rivers of a case, from case.yaml to files: records, balance, restarts, ranks, and what is refused."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
import xarray as xr

import pyland
from cases import TWIN, assert_same_run, changed, write_case
from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.driver import cli
from pyland.driver.run import run_case

RIVERS = {
    "scheme": "kinematic", "step": "2 h", "directions": {"fill_depth": "5 m"},
    "gauges": [{"name": "mouth", "x": 0, "y": 0, "snap": "10 km"},
               {"name": "here", "latitude": 43.3, "longitude": 3.0}],
    "lakes": {"reference_area": "0.1 km2", "reference_volume": "1e5 m3", "evaporation": "penman", "at": [
        {"name": "pond", "x": 0, "y": "1 km", "initial_volume": 2e4, "exponent": 0.5, "spill_volume": 2.1e4}]},
}
VARIABLES = ["discharge", "river_storage", "lake_volume", "lake_area", "lake_evaporation", "soil_water"]

CATCHMENT = changed(TWIN, {
    "rivers": RIVERS, "domain.nx": 5, "domain.ny": 5, "observations": None, "assimilation": None,
    "subsurface.initial.saturation": 0.9, "output.variables": VARIABLES, "output.members": ["discharge"],
    "output.every": "6 h", "output.restart_every": "7 h", "ensemble.size": 3})
"""A generated catchment of 25 cells for two days; restarts fall within routing steps and output intervals."""


@pytest.fixture(scope="module")
def catchment(tmp_path_factory):
    """Run directory of the catchment."""
    folder = write_case(tmp_path_factory.mktemp("catchment"), CATCHMENT)
    assert cli.run_command(["run", str(folder)]) == 0
    return folder / "run"


def test_hydrographs_and_maps(catchment):
    with xr.open_dataset(catchment / "discharge.nc") as gauges, xr.open_dataset(catchment / "history.nc") as maps:
        flow = gauges["discharge"]
        assert flow.dims == ("time", "member", "gauge") and flow.shape == (24, 3, 2)
        assert flow.attrs["standard_name"] == "water_volume_transport_in_river_channel"
        assert gauges["gauge_name"].values.tolist() == ["mouth", "here"]
        assert float(gauges["upstream_area"][0]) >= float(gauges["upstream_area"][1]) >= 1e6
        assert (gauges["time_bounds"].diff("bound") == np.timedelta64(2, "h")).all() and (flow.values >= 0.0).all()
        place = np.abs(maps["latitude"] - gauges["latitude"][0]) + np.abs(maps["longitude"] - gauges["longitude"][0])
        y, x = np.unravel_index(int(np.argmin(place.values)), place.shape)
        means = flow.isel(gauge=0).mean("member").values.reshape(8, 3).mean(axis=1)
        np.testing.assert_allclose(maps["discharge"].values[:, y, x], means, rtol=1e-6)
        assert float(maps["lake_area"].max()) > 0.0 and float(maps["lake_evaporation"].max()) > 0.0


def test_water_of_rivers_is_in_the_balance(catchment):
    with xr.open_dataset(catchment / "balance.nc") as data:
        runoff = 1000.0 * (data["surface_runoff"] + data["subsurface_runoff"])  # cells of 1 km2
        np.testing.assert_allclose(data["river_runoff"], runoff, rtol=1e-10, atol=1e-9)
        assert float(np.abs(data["river_residual"]).max()) < 1e-9
        leaving = data["river_outflow"].sum() - data["river_inflow"].sum()
        stored = data["river_storage_change"].sum() + data["lake_volume_change"].sum()
        gained = data["river_runoff"].sum() + data["river_deficit"].sum() + data["lake_precipitation"].sum()
        lost = leaving + data["lake_evaporation"].sum() + data["lake_withheld_runoff"].sum() + stored
        np.testing.assert_allclose(gained, lost, rtol=1e-10)
        assert float(data["lake_volume"].max()) <= 2.1e4 + 1e-6
        assert data["river_runoff"].attrs["units"] == "m3"
    scores = pyland.open_case(catchment.parent).run(resume=True).scores
    assert scores["closure"]["rivers"]["largest_residual"] < 1e-8
    assert scores["closure"]["rivers"]["river_runoff"] > 0.0


class Stop(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("steps", [8, 23, 47])
def test_resumed_rivers_are_the_same(catchment, tmp_path, steps):
    folder, left = write_case(tmp_path, CATCHMENT), iter(range(steps))

    def progress(done, text):
        if next(left, None) is None:
            raise Stop

    with pytest.raises(Stop):
        run_case(load_case(folder), progress=progress)
    run_case(load_case(folder), resume=True)
    assert_same_run(catchment, folder / "run")


def test_a_run_that_ended_earlier_goes_on(catchment, tmp_path):
    folder = write_case(tmp_path, CATCHMENT)
    run_case(load_case(folder, ["time.end=2020-05-01T16:00"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(catchment, folder / "run")


@pytest.mark.slow
@pytest.mark.mpi
def test_ranks_do_not_matter(catchment, pyland_command, tmp_path):
    folder = write_case(tmp_path / "case", CATCHMENT)
    for arguments in (["--until", "2020-05-01T20:00"], ["--resume"]):
        done = pyland_command("run", folder, *arguments, ranks=2 if arguments[0] == "--resume" else 3)
        assert done.returncode == 0, done.stderr
    assert_same_run(catchment, folder / "run")


def test_threads_do_not_matter(catchment, pyland_command, tmp_path):
    folder = write_case(tmp_path / "case", CATCHMENT, parallel__threads=2)
    assert pyland_command("run", folder).returncode == 0
    assert_same_run(catchment, folder / "run")


def test_twin_with_linear_rivers_and_spin_up(tmp_path):
    case = changed(TWIN, {"rivers": {"scheme": "linear"}, "output.variables": VARIABLES,
                          "time.spinup": {"years": 1, "start": "2020-05-01", "end": "2020-05-02"}})
    folder = write_case(tmp_path, case)
    run_case(load_case(folder))
    with xr.open_dataset(folder / "run" / "balance.nc") as data:
        assert float(data["river_storage"].isel(time=0).max()) > 0.0
        assert float(np.abs(data["river_residual"]).max()) < 1e-9
    assert not (folder / "run" / "discharge.nc").exists()


def test_case_stepped_by_hand():
    case = changed(CATCHMENT, {"rivers.step": None})
    model = pyland.Case(case).model()
    model.advance(5)
    assert model.rivers.discharge.shape == (3, 25) and model.rivers.total_water().min() > 0.0


def test_check_tells_about_the_network(capsys, tmp_path):
    folder = write_case(tmp_path, changed(CATCHMENT, {"rivers": RIVERS | {"scheme": "linear"}}))
    assert cli.run_command(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    for words in ("basins", "end in a lake", "travel time", "gauge mouth", "km2 upstream"):
        assert words in out


def directions(path, codes):
    with netCDF4.Dataset(path, "w") as file:
        for name, size in zip(("y", "x"), codes.shape, strict=True):
            file.createDimension(name, size)
        file.createVariable("flow_direction", "i2", ("y", "x"))[:] = codes
    return path


def test_directions_from_a_file(capsys, tmp_path):
    codes = np.full((5, 5), 1)
    codes[2, 4] = -1
    rivers = {"scheme": "linear", "directions": {"file": str(directions(tmp_path / "d.nc", codes))},
              "lakes": {"at": [{"name": "end", "x": "2 km", "y": 0}]}}
    folder = write_case(tmp_path, changed(CATCHMENT, {"rivers": rivers}))
    assert cli.run_command(["check", str(folder)]) == 0
    assert "5 basins, the largest of 5 km2; 1 end in a lake" in capsys.readouterr().out
    codes[0, 1] = 16
    codes[3, 3] = 7
    for wrong, words in ((codes, "code 7 of cell 18"), (np.where(codes == 7, 1, codes), "cycle through the cells")):
        directions(tmp_path / "d.nc", wrong)
        assert cli.run_command(["check", str(folder)]) == 2
        assert words in " ".join(capsys.readouterr().err.split())
    codes[:] = 1
    directions(tmp_path / "d.nc", codes)
    assert cli.run_command(["check", str(folder)]) == 2
    assert "is no sink" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("changes", "words"), [
    ({"domain.type": "site", "domain.nx": 1, "domain.ny": 1, "domain.elevation": 1.0, "domain.dx": None,
      "domain.dy": None}, "expected none with domain.type: site"),
    ({"rivers.step": "90 min"}, "expected a whole number of time.step, 3600 s, got 5400 s"),
    ({"output.every": "3 h"}, "expected a whole number of rivers.step, 7200 s, got 10800 s"),
    ({"time.end": "2020-05-01T03:00", "output.every": "2 h"}, "time.end: expected a whole number of rivers.step"),
    ({"rivers.scheme": "none"}, "expected a rivers.scheme"),
    ({"rivers": None}, "expected a rivers.scheme (linear or kinematic) with 'discharge', got none"),
    ({"rivers.velocity": 1.0}, "expected no velocity with rivers.scheme: kinematic"),
    ({"rivers.gauges": [{"name": "a", "x": 0}]}, "expected latitude and longitude, or x and y, got x"),
    ({"rivers.gauges": [{"x": 0, "y": 0}]}, "expected a name"),
    ({"rivers.gauges": [{"name": "a", "x": 0, "y": 0}] * 2}, "expected a unique name"),
    ({"rivers.lakes.reference_volume": None}, "reference_area and reference_volume together"),
    ({"rivers.lakes": {"exponent": 0.5}}, "expected reference_area and reference_volume with an exponent"),
    ({"rivers.width": {"file": "w.nc", "scale": 2.0}}, "has no effect with width.file"),
    ({"rivers.width": {"variable": "w"}}, "belongs to width.file"),
    ({"rivers.directions": {"convention": "pcraster"}}, "belongs to directions.file"),
])
def test_what_does_not_fit_is_refused(changes, words):
    with pytest.raises(ConfigError) as error:
        load_case(changed(CATCHMENT, changes))
    assert words in str(error.value)


@pytest.mark.parametrize("place", [{"x": 0, "y": "4 km"}, {"latitude": 50.0, "longitude": 3.0}])
def test_a_gauge_outside_is_refused(place):
    case = load_case(changed(CATCHMENT, {"rivers.gauges": [{"name": "far", **place}]}))
    with pytest.raises(InputError, match="rivers.gauges 'far': the place lies in no cell of the domain; the near"):
        run_case(case)
