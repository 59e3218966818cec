"""A full disk, weather that vanishes, damaged restarts: one sentence, the right exit code, and nothing lost."""

from __future__ import annotations

import random
import resource
import shutil

import netCDF4
import numpy as np
import pytest
from station_cases import site_case, write_station

from cases import TWIN, assert_same_run, changed, write_case
from pyland.base.errors import InputError, OutputError
from pyland.base.logging import get_logger, start_file_log
from pyland.config import load_case
from pyland.driver import cli, integration
from pyland.driver.run import run_case
from pyland.forcing import alma
from pyland.output.restart import read_restart, write_restart

CASE = changed(TWIN, {
    "observations": None, "assimilation": None, "output.every": "6 h", "output.restart_every": "10 h",
    "output.variables": ["soil_water", "latent_heat_flux"]})


SMALL = 30_000  # [byte], less than a file of records takes


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Run directory of an undisturbed run; copies of it are damaged."""
    folder = write_case(tmp_path_factory.mktemp("whole"), CASE)
    run_case(load_case(folder))
    return folder / "run"


@pytest.fixture
def stopped(tmp_path, whole):
    """Case folder of a run that stopped, with two restarts."""
    folder = write_case(tmp_path / "case", CASE)
    left = iter(range(45))

    class Stop(Exception):
        pass

    def progress(done, text):
        if next(left, None) is None:
            raise Stop

    with pytest.raises(Stop):
        run_case(load_case(folder), progress=progress)
    assert len(restarts(folder)) == 2
    return folder


def restarts(folder):
    return sorted((folder / "run" / "restart").glob("*.nc"))


@pytest.fixture
def disk_is_full():
    """Return a function that lets no file grow beyond a size [byte]."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("nrestart", [0, 1])
def test_a_full_disk(tmp_path, capsys, monkeypatch, whole, disk_is_full, nrestart):
    """The disk is full from the start, or after the first restart."""
    folder = write_case(tmp_path / "case", CASE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)[0]

    def write_and_fill(*arguments):
        write_restart(*arguments)
        disk_is_full(SMALL)

    monkeypatch.setattr(integration, "write_restart", write_and_fill)
    if nrestart == 0:
        disk_is_full(SMALL)
    code = cli.run_command(["run", str(folder)])
    disk_is_full(before)
    monkeypatch.setattr(integration, "write_restart", write_restart)
    said = capsys.readouterr().err
    assert code == 2 and said.count("cannot be written") == 1 and "GiB are free" in said, said
    assert "Traceback" not in said and "--resume" in said
    assert not (folder / "run" / "history.nc").exists() and not (folder / "run" / "scores.json").exists()
    assert len(restarts(folder)) == nrestart
    assert cli.run_command(["run", str(folder), "--resume"]) == 0
    assert_same_run(whole, folder / "run")
    assert not list((folder / "run").rglob(".*"))


def test_a_log_on_a_full_disk_is_silent(capsys, tmp_path):
    (tmp_path / "pyland.log").symlink_to("/dev/full")
    start_file_log(tmp_path / "pyland.log")
    get_logger("run").info("a line that finds no room")
    assert capsys.readouterr().err == ""


def test_no_permission_is_no_bug(tmp_path, monkeypatch):
    from pyland.base import complete_files

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(complete_files, "force_to_disk", refuse)
    with pytest.raises(OutputError, match=r"case.yaml: the file cannot be written \(Permission denied\)"):
        run_case(load_case(write_case(tmp_path / "case", CASE)))
    assert not (tmp_path / "case" / "run" / "case.yaml").exists()


def test_weather_that_vanishes(tmp_path, capsys, monkeypatch):
    """A large file is read in windows; the second window finds it gone."""
    station = write_station(tmp_path / "station.nc")
    monkeypatch.setattr(alma, "_WINDOW_MEMORY", 4000)
    case = changed(site_case(station), {"output.restart_every": "6 h", "land.initial.soil_temperature": 288.0})
    folder, reference = (write_case(tmp_path / name, case) for name in ("case", "reference"))
    run_case(load_case(reference))
    read = alma.AlmaForcing.interval_means

    def read_or_vanish(self, index):
        if index == 60 and station.exists():
            station.rename(tmp_path / "away.nc")
        return read(self, index)

    monkeypatch.setattr(alma.AlmaForcing, "interval_means", read_or_vanish)
    assert cli.run_command(["run", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("no such file") == 1 and "station.nc" in said and "Traceback" not in said, said
    assert [path.stem for path in restarts(folder)] == ["20200602T0000", "20200602T0600"]
    (tmp_path / "away.nc").rename(station)
    monkeypatch.setattr(alma.AlmaForcing, "interval_means", read)
    assert cli.run_command(["run", str(folder), "--resume"]) == 0
    assert_same_run(reference / "run", folder / "run")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def flip(path):
    """Change a bit of the soil water."""
    with netCDF4.Dataset(path) as data:
        pattern = np.asarray(data["model:soil_water"][...]).tobytes()
    content = bytearray(path.read_bytes())
    content[content.index(pattern) + 20] ^= 4
    path.write_bytes(content)


def change_time(path):
    with netCDF4.Dataset(path, "a") as data:
        data.setncattr("model_time_seconds", np.int64(0))


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, flip, change_time, empty])
def test_a_damaged_restart_makes_room_for_the_older(stopped, capsys, whole, damage):
    older, newer = restarts(stopped)
    damage(newer)
    assert cli.run_command(["run", str(stopped), "--resume"]) == 0
    said = capsys.readouterr().err
    assert f"{newer}: the restart file is damaged" in said and f"{older}: this older restart is taken" in said, said
    assert_same_run(whole, stopped / "run")


def test_only_damaged_restarts(stopped, capsys):
    for path in restarts(stopped):
        truncate(path)
    assert cli.run_command(["run", str(stopped), "--resume"]) == 2
    said = capsys.readouterr().err
    assert said.count("none of the 2 restart files is readable. Run without --resume") == 1
    assert len(restarts(stopped)) == 2


def test_a_restart_of_another_case(stopped, capsys):
    assert cli.run_command(["run", str(stopped), "--resume", "--set", "ensemble.seed=6"]) == 2
    said = capsys.readouterr().err
    assert said.count("written by another configuration") == 1 and str(restarts(stopped)[-1]) in said
    assert len(restarts(stopped)) == 2


def test_no_flipped_bit_passes(stopped):
    """A bit anywhere in the file is found, or lies where it does not matter."""
    chance, path = random.Random(1), restarts(stopped)[-1]
    good, content, found = read_restart(path), bytearray(path.read_bytes()), 0
    copy = shutil.copy(path, path.with_name("copy.nc"))
    for _ in range(150):
        place = chance.randrange(len(content))
        content[place] ^= 1 << chance.randrange(8)
        path.with_name("copy.nc").write_bytes(content)
        try:
            read = read_restart(copy)
        except InputError:
            found += 1
        else:
            assert read.time == good.time and read.attrs["config_hash"] == good.attrs["config_hash"]
            assert read.state.keys() == good.state.keys()
            assert all(np.array_equal(read.state[name], good.state[name]) for name in good.state)
        content = bytearray(path.read_bytes())
    assert found > 30  # of 150; the rest lie in the file's own tables and in space that nothing uses


def spoil_records(path):
    """Change every byte of the second half of the file, where the records are."""
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half:] = bytes(255 - byte for byte in content[half:])
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [empty, spoil_records])
def test_a_damaged_segment_is_named(stopped, capsys, damage):
    for segment in (stopped / "run" / "segments").glob("balance.*.nc"):
        damage(segment)
    assert cli.run_command(["run", str(stopped), "--resume"]) == 2
    said = capsys.readouterr().err
    assert said.count("is damaged") == 1 and "balance." in said and "without --resume" in said, said
