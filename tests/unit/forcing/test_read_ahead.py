"""Reading in a thread: the same weather, errors where they belong, no thread left, netCDF written meanwhile."""

import threading

import netCDF4
import numpy as np
import pytest
import reanalysis_files as files
from reanalysis_files import START

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.forcing import WEATHER_FIELDS, ElevationCorrected, RainSchedule, open_forcing, reading_ahead
from pyland.forcing.read_ahead import BlockCache

HOUR = np.timedelta64(3600, "s")


def open_in_blocks(path, length=5):
    forcing = open_forcing("era5", path=path, latitude=[50.1, 49.9], longitude=[7.0, 7.1])
    forcing._block_length, forcing._cache = length, BlockCache(forcing._read_block, -(-48 // length))
    return forcing


def test_the_same_weather_ahead_and_not(tmp_path):
    path = files.write_era5(tmp_path)
    plain, ahead = open_in_blocks(path), open_in_blocks(path)
    moments = [START + hour * HOUR for hour in (*range(48), 3, 4, 30, 31, 0)]  # then back, as a spin-up does
    with reading_ahead(ahead):
        found = [ahead.weather(moment, 3600.0) for moment in moments]
    for moment, one in zip(moments, found, strict=True):
        other = plain.weather(moment, 3600.0)
        assert all(np.array_equal(one[name], other[name]) for name in WEATHER_FIELDS)
    assert not [one for one in threading.enumerate() if one.name.startswith("forcing")]
    assert ahead.times.blocks >= 10 and ahead.times.reading > 0.0


def test_sources_without_files_read_nothing_ahead():
    with reading_ahead(RainSchedule(START, START + HOUR, 1, [None], [0.0])):
        assert not [one for one in threading.enumerate() if one.name.startswith("forcing")]


def test_elevation_passes_it_on(tmp_path):
    source = open_in_blocks(files.write_era5(tmp_path))
    with reading_ahead(ElevationCorrected(source, np.zeros(2), np.ones(2), 0.0065)):
        assert source._cache._worker is not None
    assert source._cache._worker is None


def test_blocks_are_ready_when_they_are_needed():
    """Blocks that take less time to read than to use are never waited for, but for the first."""
    asked, release = [], threading.Event()

    def read(number):
        asked.append((number, threading.current_thread().name.startswith("forcing")))
        release.set()
        return number

    cache = BlockCache(read, 4)
    with cache.read_ahead():
        for number in range(4):
            release.clear()
            assert cache.block(number) == number
            if number < 3:
                assert release.wait(5.0)  # the use of the block
                cache._next[1].result(5.0)
    assert asked == [(number, True) for number in range(4)]
    assert cache.times.blocks == 4 and cache.times.blocks_ready == 3


def test_an_error_of_the_thread_reaches_the_caller_of_that_block_alone():
    def read(number):
        if number == 2:
            raise InputError("block 2 is damaged")
        return number

    cache = BlockCache(read, 4)
    with pytest.raises(InputError, match="block 2 is damaged"), cache.read_ahead():
        assert [cache.block(number) for number in (0, 1, 1)] == [0, 1, 1]
        cache.block(2)
    assert cache._worker is None and cache.block(3) == 3


def test_the_thread_ends_with_an_error_of_the_model(tmp_path):
    forcing = open_in_blocks(files.write_era5(tmp_path))
    with pytest.raises(ZeroDivisionError), reading_ahead(forcing):
        forcing.weather(START, 3600.0)
        1 / 0  # noqa: B018
    assert not [one for one in threading.enumerate() if one.name.startswith("forcing")]


def test_netcdf_is_written_while_weather_is_read(tmp_path):
    """The library is not safe for threads: without the lock this ends in errors of HDF5 or a crash."""
    path = files.write_era5(tmp_path / "era5", axes=files.make_axes(0.05))
    forcing = open_in_blocks(path, 1)
    values = np.random.default_rng(3).random((200, 200))
    with reading_ahead(forcing):
        for turn in range(3):
            for hour in range(48):
                forcing.weather(START + hour * HOUR, 3600.0)
                with NETCDF_ACCESS, netCDF4.Dataset(tmp_path / "out.nc", "w") as out:
                    out.createDimension("x", 200)
                    out.createVariable("a", "f8", ("x", "x"), zlib=True)[:] = values + hour
            with NETCDF_ACCESS, netCDF4.Dataset(tmp_path / "out.nc") as back:
                assert np.array_equal(back["a"][:], values + 47), turn
    assert forcing.times.blocks >= 96


def test_the_lock_is_held_while_files_are_open(tmp_path):
    """A thread that holds the lock keeps the reader out."""
    forcing = open_in_blocks(files.write_era5(tmp_path), 6)
    with reading_ahead(forcing):
        forcing.weather(START, 3600.0)
        forcing._cache._next[1].result(10.0)
        with NETCDF_ACCESS:
            forcing.weather(START + 6 * HOUR, 3600.0)  # ready; now the thread wants the third block
            pending = forcing._cache._next[1]
            with pytest.raises(TimeoutError):
                pending.result(0.3)
        assert pending.result(10.0) is not None
