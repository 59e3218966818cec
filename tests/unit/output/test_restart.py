"""Restarts: exact, complete, checked."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.output.restart import find_latest, read_restart, restart_path, write_restart

TIMES = [np.datetime64("2004-06-01T00:00") + n * np.timedelta64(30, "D") for n in range(3)]


def state(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    special = np.array([0.0, -0.0, np.nan, np.inf, 5e-324, 1.0 / 3.0, 9.969209968386869e36])
    return {
        "soil_water": rng.standard_normal((20, 64)),
        "special": special,
        "none": np.empty((0, 64)),
        "scalar": np.array(np.pi),
        "counter": np.array([2**62 + 1], dtype=np.int64),
        "accumulator:soil_water": rng.standard_normal((2, 3, 4)).T,
    }


def write(run_dir: Path, number: int) -> Path:
    attrs = {"config_hash": "abc"}
    return write_restart(restart_path(run_dir, TIMES[number]), state(number), attrs, TIMES[number])


def test_round_trip_is_exact_to_the_bit(tmp_path: Path) -> None:
    path = write(tmp_path, 0)
    assert path == tmp_path / "restart" / "20040601T0000.nc"
    restart = read_restart(path, config_hash="abc", shapes={"soil_water": (20, 64)})
    assert restart.time == TIMES[0]
    expected = state(0)
    assert set(restart.state) == set(expected)
    for name, values in expected.items():
        assert restart.state[name].dtype == values.dtype and restart.state[name].shape == values.shape
        assert restart.state[name].tobytes() == np.ascontiguousarray(values).tobytes(), name


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, number)
    assert [p.name for p in sorted((tmp_path / "restart").iterdir())] == ["20040701T0000.nc", "20040731T0000.nc"]


def test_restarts_of_an_abandoned_future_are_removed(tmp_path: Path) -> None:
    write(tmp_path, 2)
    write(tmp_path, 0)  # resumed from before
    assert [p.name for p in (tmp_path / "restart").iterdir()] == ["20040601T0000.nc"]


@pytest.mark.parametrize("damage", ["truncated", "empty", "bit", "text"])
def test_a_damaged_file_is_skipped_for_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 0)
    path = write(tmp_path, 1)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = bytearray()
    elif damage == "text":
        content = bytearray(b"not a netCDF file")
    else:
        place = content.find(state(1)["soil_water"].tobytes()[:64])
        content[place + 17] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="20040701T0000"):
        read_restart(path)
    with caplog.at_level(logging.WARNING, logger="pyland.output"):
        restart = find_latest(tmp_path)
    assert restart is not None and restart.time == TIMES[0]
    assert "20040701T0000" in caplog.text


def test_an_interrupted_write_leaves_the_older_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 0)

    def disk_full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("pyland.output.restart._write_array", disk_full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path, 1)
    assert [p.name for p in (tmp_path / "restart").iterdir()] == ["20040601T0000.nc"]


def test_a_killed_write_is_cleaned_up(tmp_path: Path) -> None:
    write(tmp_path, 0)
    leftover = tmp_path / "restart" / ".20040701T0000.nc.partial"
    leftover.write_bytes(b"half")
    assert find_latest(tmp_path).time == TIMES[0]
    assert not leftover.exists()


def test_another_case_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, 0)
    with pytest.raises(InputError, match="another configuration"):
        read_restart(path, config_hash="xyz")
    with pytest.raises(InputError, match=r"soil_water.*\(20, 64\).*\(20, 32\)"):
        read_restart(path, shapes={"soil_water": (20, 32)})
    with pytest.raises(InputError, match="another configuration"):
        find_latest(tmp_path, config_hash="xyz")


def test_none_and_all_damaged(tmp_path: Path) -> None:
    assert find_latest(tmp_path) is None
    write(tmp_path, 0).write_bytes(b"")
    with pytest.raises(InputError, match="none of the 1"):
        find_latest(tmp_path)


def test_single_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="float32"):
        write_restart(tmp_path / "r.nc", {"a": np.zeros(2, dtype="f4")}, {}, TIMES[0])
