"""History files: kill-safe segments, resume, CF attributes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.output.accumulator import Accumulator
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter, MembersWriter
from pyland.output.open_output import open_output
from pyland.output.segments import Layout, RecordVariable, SegmentedFile

DAY = np.timedelta64(1, "D")
START = np.datetime64("2004-06-01T00:00", "s")
ATTRS = {"title": "test", "config_hash": "abc"}


def values_of_day(day: int, nmember: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(day)
    return {
        "soil_water": rng.uniform(0.1, 0.4, (4, nmember, 5)),
        "soil_temperature": rng.uniform(270.0, 300.0, (6, nmember, 5)),
        "latent_heat_flux": rng.uniform(0.0, 100.0, (nmember, 5)),
    }


def writer(run_dir: Path, grid: OutputGrid) -> HistoryWriter:
    variables = {"soil_water": "mean", "soil_temperature": "point", "latent_heat_flux": "mean"}
    return HistoryWriter(run_dir, grid, variables, ATTRS, ("mean", "std", "p05"))


def write_days(history: HistoryWriter, days: range) -> None:
    for day in days:
        history.add(START + day * DAY, START + (day + 1) * DAY, values_of_day(day))


def stamp(day: int) -> str:
    return str((START + day * DAY).astype("datetime64[m]")).replace("-", "").replace(":", "")


def test_history_holds_statistics_on_the_map(tmp_path: Path, grid: OutputGrid) -> None:
    history = writer(tmp_path, grid)
    history.start()
    write_days(history, range(3))
    history.flush(stamp(3))
    path = history.finish()
    with xr.open_dataset(path) as data:
        assert data["soil_water"].dims == ("time", "layer", "y", "x")
        assert data["soil_temperature"].dims == ("time", "thermal_layer", "y", "x")
        expected = values_of_day(1)["soil_water"]
        np.testing.assert_allclose(data["soil_water"][1, :, 1, 2], expected.mean(axis=1)[:, 4], rtol=1e-6)
        np.testing.assert_allclose(data["soil_water_std"][1, :, 0, 0], expected.std(axis=1, ddof=1)[:, 0], rtol=1e-6)
        np.testing.assert_allclose(data["soil_water_p05"][1, 2, 0, 1], np.percentile(expected[2, :, 1], 5), rtol=1e-6)
        assert np.isnan(data["soil_water"][:, :, 1, 1]).all()  # the inactive cell
        assert data["time"].values[0] == START + DAY  # the END of the interval
        assert data["time_bounds"].values[0].tolist() == [v.astype("M8[ns]").astype(int) for v in (START, START + DAY)]
    assert list(tmp_path.iterdir()) == [path]  # no segments, nothing half written


def test_attributes_follow_cf(tmp_path: Path, grid: OutputGrid) -> None:
    history = writer(tmp_path, grid)
    history.start()
    write_days(history, range(1))
    history.flush(stamp(1))
    with xr.open_dataset(history.finish(), decode_times=False) as data:
        assert data.attrs["Conventions"] == "CF-1.11" and data.attrs["config_hash"] == "abc"
        assert data["time"].attrs["bounds"] == "time_bounds"
        assert data["time"].attrs["units"].startswith("seconds since")
        assert data["soil_water"].attrs["units"] == "m3 m-3"
        # liquid only: no CF name, which counts ice
        assert "standard_name" not in data["soil_water"].attrs and "soil_ice" in data["soil_water"].attrs["comment"]
        assert data["soil_temperature"].attrs["standard_name"] == "soil_temperature"
        assert data["soil_water"].attrs["cell_methods"] == "time: mean realization: mean"
        assert data["soil_water_std"].attrs["cell_methods"] == "time: mean realization: standard_deviation"
        assert data["soil_temperature"].attrs["cell_methods"] == "time: point realization: mean"
        assert data["layer"].attrs["positive"] == "down" and data["layer"].attrs["bounds"] == "layer_bounds"
        assert data["latitude"].attrs["units"] == "degrees_north"
        assert data["x"].attrs["axis"] == "X"
        assert data["soil_water"].dtype == np.float32
        assert data["soil_water"].encoding["coordinates"] == "latitude longitude"
        np.testing.assert_allclose(data["layer_bounds"][1], [0.02, 0.06])


def test_one_member_has_no_spread(tmp_path: Path, site: OutputGrid) -> None:
    history = HistoryWriter(tmp_path, site, ["latent_heat_flux"], ATTRS)
    history.start()
    history.add(START, START + DAY, {"latent_heat_flux": np.array([[5.0]])})
    history.flush(stamp(1))
    with xr.open_dataset(history.finish()) as data:
        assert data["latent_heat_flux"].dims == ("time", "site")
        assert "latent_heat_flux_std" not in data
        assert data["latent_heat_flux"].attrs["cell_methods"] == "time: mean"
        assert data["site_name"].item() == "US-Wkg"


def test_a_killed_run_resumes_to_the_same_history(tmp_path: Path, grid: OutputGrid) -> None:
    whole = writer(tmp_path / "whole", grid)
    whole.start()
    write_days(whole, range(6))
    whole.flush(stamp(6))
    whole.finish()

    killed = writer(tmp_path / "killed", grid)
    killed.start()
    write_days(killed, range(2))
    killed.flush(stamp(2))  # restart of day 2 is written after this
    write_days(killed, range(2, 4))
    killed.flush(stamp(4))  # killed before the restart of day 4 was complete
    write_days(killed, range(4, 5))
    killed._file._spill()
    folder = tmp_path / "killed" / "segments"
    assert not (tmp_path / "killed" / "history.nc").exists()
    assert any(path.name.startswith(".") for path in folder.iterdir())  # half a segment lies about

    resumed = writer(tmp_path / "killed", grid)
    resumed.resume(START + 2 * DAY)
    assert sorted(p.name for p in folder.iterdir()) == [f"history.{stamp(2)}.nc"]
    write_days(resumed, range(2, 6))
    resumed.flush(stamp(6))
    resumed.finish()
    with (
        xr.open_dataset(tmp_path / "whole" / "history.nc") as a,
        xr.open_dataset(tmp_path / "killed" / "history.nc") as b,
    ):
        xr.testing.assert_identical(a.load(), b.load())


def test_a_finished_run_is_continued(tmp_path: Path, grid: OutputGrid) -> None:
    first = writer(tmp_path, grid)
    first.start()
    write_days(first, range(3))
    first.flush(stamp(3))
    first.finish()
    longer = writer(tmp_path, grid)
    longer.resume(START + 2 * DAY)  # the last restart lies before the end
    assert not (tmp_path / "history.nc").exists()
    write_days(longer, range(2, 5))
    longer.flush(stamp(5))
    with xr.open_dataset(longer.finish()) as data:
        assert data.sizes["time"] == 5
        assert (np.diff(data["time"].values) == DAY).all()


def test_segments_left_by_a_kill_during_the_last_clean_up_are_no_harm(tmp_path: Path, grid: OutputGrid) -> None:
    run = writer(tmp_path, grid)
    run.start()
    write_days(run, range(2))
    run.flush(stamp(2))
    segment = run._file.segments()[0]
    copy = segment.read_bytes()
    run.finish()
    segment.parent.mkdir(exist_ok=True)
    segment.write_bytes(copy)  # as if the kill came between rename and clean-up
    again = writer(tmp_path, grid)
    again.resume(START + 2 * DAY)
    again.flush(stamp(3))
    with xr.open_dataset(again.finish()) as data:
        assert data.sizes["time"] == 2


def test_resume_without_the_segment_says_so(tmp_path: Path, grid: OutputGrid) -> None:
    with pytest.raises(InputError, match="missing"):
        writer(tmp_path, grid).resume(START)


def test_flush_before_the_first_record_keeps_later_records(tmp_path: Path, grid: OutputGrid) -> None:
    history = writer(tmp_path, grid)
    history.start()
    history.flush(stamp(0))
    write_days(history, range(2))
    history.flush(stamp(2))
    with xr.open_dataset(history.finish()) as data:
        assert data.sizes["time"] == 2 and np.isfinite(data["soil_water"][0, 0, 0, 0])


def test_a_second_flush_of_one_stamp_loses_nothing(tmp_path: Path, grid: OutputGrid) -> None:
    history = writer(tmp_path, grid)
    history.start()
    write_days(history, range(2))
    history.flush(stamp(2))
    history.flush(stamp(2))
    write_days(history, range(2, 3))
    history.flush(stamp(2))
    with xr.open_dataset(history.finish()) as data:
        assert data.sizes["time"] == 3


def test_a_failing_write_leaves_no_file(tmp_path: Path, grid: OutputGrid, monkeypatch: pytest.MonkeyPatch) -> None:
    history = writer(tmp_path, grid)
    history.start()
    write_days(history, range(1))
    history.flush(stamp(1))
    write_days(history, range(1, 2))
    history.flush(stamp(2))

    def disk_full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("pyland.output.segments._append_file", disk_full)
    with pytest.raises(OSError, match="No space"):
        history.finish()
    assert not (tmp_path / "history.nc").exists()
    assert len(history._file.segments()) == 2  # the records are still there


def test_records_beyond_the_buffer_are_spilled(tmp_path: Path) -> None:
    layout = Layout({"site": 3})
    file = SegmentedFile(tmp_path, "members", layout, buffer_limit=100)
    file.start()
    file.define({"time": RecordVariable(("time",), {}, "i8"), "a": RecordVariable(("time", "site"))})
    for step in range(50):
        file.append({"time": np.array([step]), "a": np.full((1, 3), step)})
    assert file._held <= 100 + 3 * 4 + 8
    file.flush("20040601T0000")
    with xr.open_dataset(file.finish(), decode_times=False) as data:
        np.testing.assert_array_equal(data["a"][:, 0], np.arange(50.0))


KILLED_RUN = """
import os, signal, sys
import numpy as np
from pyland.output.segments import Layout, RecordVariable, SegmentedFile
file = SegmentedFile(sys.argv[1], "history", Layout({"site": 3}), buffer_limit=100)
file.start()
file.define({"time": RecordVariable(("time",), {}, "i8"), "a": RecordVariable(("time", "site"))})
for step in range(100):
    file.append({"time": np.array([step]), "a": np.full((1, 3), step)})
    if step == 59:
        file.flush("20040601T0000")
    if step == 79:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_sigkill_leaves_only_complete_segments(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_RUN, str(tmp_path)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    file = SegmentedFile(tmp_path, "history", Layout({"site": 3}))
    assert [path.name for path in file.segments()] == ["history.20040601T0000.nc"]
    file.resume("20040601T0000", np.datetime64("2004-06-01"))
    assert len(list(file.folder.iterdir())) == 1
    with xr.open_dataset(file.finish(), decode_times=False) as data:
        np.testing.assert_array_equal(data["a"][:, 0], np.arange(60.0))


def test_members_have_their_own_axis(tmp_path: Path, grid: OutputGrid) -> None:
    members = MembersWriter(tmp_path, grid, ["soil_water"], ATTRS, nmember=4)
    members.start()
    members.add(START, START + DAY, values_of_day(0))
    members.flush(stamp(1))
    with xr.open_dataset(members.finish()) as data:
        assert data["soil_water"].dims == ("time", "member", "layer", "y", "x")
        np.testing.assert_allclose(
            data["soil_water"][0, 3, 2, 0, 1], values_of_day(0)["soil_water"][2, 3, 1], rtol=1e-6
        )


def test_wrong_shapes_are_named(tmp_path: Path, grid: OutputGrid) -> None:
    history = HistoryWriter(tmp_path, grid, ["soil_water"], ATTRS)
    history.start()
    with pytest.raises(InputError, match="7 layers"):
        history.add(START, START + DAY, {"soil_water": np.ones((7, 2, 5))})
    with pytest.raises(InputError, match="4 cells"):
        history.add(START, START + DAY, {"soil_water": np.ones((4, 2, 4))})
    with pytest.raises(InputError, match="lacks 'soil_water'"):
        history.add(START, START + DAY, {})
    with pytest.raises(InputError, match="unknown statistic"):
        HistoryWriter(tmp_path, grid, ["soil_water"], ATTRS, ("mean", "variance"))


def test_patches_have_their_own_axis(tmp_path: Path) -> None:
    cells = OutputGrid(np.array([1.0, 2.0]), np.array([3.0, 4.0]), {"layer": np.full(2, 0.1)}, npatch=2)
    history = HistoryWriter(tmp_path, cells, ["canopy_water", "soil_water"], ATTRS)
    history.start()
    history.add(START, START + DAY, dict.fromkeys(("canopy_water", "soil_water"), np.ones((2, 3, 2))))
    history.flush(stamp(1))
    with xr.open_dataset(history.finish()) as data:
        assert data["canopy_water"].dims == ("time", "patch", "site")
        assert data["soil_water"].dims == ("time", "layer", "site")


def test_accumulator_weighs_steps_and_survives_a_restart() -> None:
    methods = {"latent_heat_flux": "mean", "soil_water": "point"}
    whole, broken = Accumulator(methods), Accumulator(methods)
    steps = [(1800.0, 1.0), (3600.0, 4.0), (1800.0, 0.1)]
    for number, (dt, value) in enumerate(steps):
        fields = {"latent_heat_flux": np.full((2, 3), value), "soil_water": np.full((4, 2, 3), value)}
        whole.add(dt, fields)
        broken.add(dt, fields)
        if number == 1:
            state = broken.state()
            broken = Accumulator(methods)
            broken.restore(state)
    a, b = whole.result(), broken.result()
    assert a["latent_heat_flux"][0, 0] == pytest.approx((1800 + 4 * 3600 + 180) / 7200)
    assert (a["soil_water"] == 0.1).all()
    assert all(np.array_equal(a[name], b[name]) for name in a)
    with pytest.raises(InputError, match="no model step"):
        whole.result()


def test_output_opens_by_alias_while_the_run_goes_on(tmp_path: Path, grid: OutputGrid) -> None:
    history = writer(tmp_path / "run", grid)
    history.start()
    write_days(history, range(2))
    history.flush(stamp(2))
    write_days(history, range(2, 3))
    history.flush(stamp(3))
    with open_output(tmp_path) as data:
        assert data.sizes["time"] == 3
        assert data.pyland["H2OSOI"].name == "soil_water"
        with pytest.raises(InputError, match="no variable 'nonsense'"):
            data.pyland["nonsense"]
    with pytest.raises(InputError, match="run the case first"):
        open_output(tmp_path / "elsewhere")


@pytest.mark.parametrize(("shape", "chunks"), [
    ((2, 3), (1024, 2, 3)),
    ((8, 12, 12), (227, 8, 12, 12)),
    ((424, 412), (1, 106, 103)),
    ((20, 424, 412), (1, 1, 106, 103)),
    ((10, 100, 100), (2, 1, 100, 100)),
    ((100000, 3), (1, 5264, 3)),
])
def test_large_maps_are_stored_in_tiles_and_small_ones_whole(tmp_path: Path, shape: tuple, chunks: tuple) -> None:
    names = ("layer", "y", "x")[-len(shape):]
    file = SegmentedFile(tmp_path, "history", Layout(dict(zip(names, shape, strict=True))))
    file.define({"time": RecordVariable(("time",), dtype="i8"), "field": RecordVariable(("time", *names))})
    file.start()
    records = np.random.default_rng(0).random((3, *shape)).astype("f4") if np.prod(shape) < 1e6 else None
    for day in range(3):
        values = np.zeros((1, *shape), "f4") if records is None else records[day : day + 1]
        file.append({"time": np.array([day]), "field": values})
    file.flush("20200103T0000")
    with netCDF4.Dataset(file.finish()) as found:
        assert tuple(found["field"].chunking()) == chunks
        assert records is None or np.array_equal(found["field"][:], records)


def test_names_of_other_models_find_the_mean_and_no_percentile(tmp_path: Path, grid: OutputGrid) -> None:
    history = writer(tmp_path, grid)
    history.start()
    write_days(history, range(1))
    history.flush(stamp(1))
    history.finish()
    assert open_output(tmp_path).pyland["H2OSOI"].name == "soil_water"
