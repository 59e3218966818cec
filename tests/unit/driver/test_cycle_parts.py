"""Parts of the real-time cycle by themselves: patterns, state, what streams a case may have, ensemble weather."""

from __future__ import annotations

import os
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.driver.cycle.file_patterns import found_files, found_members, hours_between, member_pattern
from pyland.driver.cycle.staged_files import check_whole, damaged_copies, stage_file, without_copies
from pyland.driver.cycle.state_file import RECORDS_KEPT, CurrentCycle, CycleState, read_state
from pyland.driver.cycle.timeline import parse_name, product_name
from pyland.forcing import MemberWeather, WeatherGenerator, source_of_member

DAY = np.datetime64("2020-05-02", "s")
HOUR = np.timedelta64(3600, "s")
REALTIME = Path(__file__).resolve().parents[3] / "cases" / "41_realtime"


def touch(path, text="x", changed=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if changed is not None:
        seconds = int(np.datetime64(changed, "s").astype(int))
        os.utime(path, (seconds, seconds))
    return path


def test_patterns_find_the_files_of_a_period(tmp_path):
    for name in ("w_20200501.nc", "w_20200502.nc", "w_20200502_again.nc", "w_20200503.nc", ".w_20200502.nc",
                 "w_20200502.nc.part"):
        touch(tmp_path / name)
    found = found_files(f"{tmp_path}/w_%Y%m%d*", hours_between(DAY, DAY + 24 * HOUR))
    assert [one.path.name for one in found] == ["w_20200502.nc", "w_20200502_again.nc"]
    assert {one.claimed for one in found} == {DAY}
    every = found_files(f"{tmp_path}/w_*.nc", hours_between(DAY, DAY + 24 * HOUR))
    assert len(every) == 4 and every[0].claimed is None  # no time in the pattern: nothing is claimed
    late = hours_between(DAY + 6 * HOUR, DAY + 30 * HOUR)  # a cycle from 06 to 06 touches two days
    assert [one.path.name for one in found_files(f"{tmp_path}/w_%Y%m%d.nc", late)] == ["w_20200502.nc",
                                                                                      "w_20200503.nc"]


def test_a_replay_does_not_see_what_comes_later(tmp_path):
    touch(tmp_path / "a.nc", changed="2020-05-02T06:00")
    touch(tmp_path / "b.nc", changed="2020-05-02T06:01")
    found = found_files(f"{tmp_path}/*.nc", hours_between(DAY, DAY + HOUR), np.datetime64("2020-05-02T06:00"))
    assert [one.path.name for one in found] == ["a.nc"] and found[0].arrived == "2020-05-02T06:00:00"


def test_members_of_a_forecast(tmp_path):
    for member in (1, 2, 11):
        touch(tmp_path / f"2020050200/m{member:02d}.nc")
    touch(tmp_path / "2020050200/mean.nc")
    pattern = f"{tmp_path}/%Y%m%d%H/m{{member:02d}}.nc"
    assert found_members(pattern, DAY) == [1, 2, 11] and found_members(pattern, DAY + HOUR) == []
    assert member_pattern(pattern, 2).endswith("/m02.nc")


def test_names_of_products():
    assert product_name("20200502T0000", 1) == "20200502T0000" and parse_name("20200502T0000") == ("20200502T0000", 1)
    assert parse_name(product_name("20200502T0000", 12)) == ("20200502T0000", 12)
    assert parse_name("20200502T0000_v2.partial") is None and parse_name("analysis") is None


def test_copies_are_whole_and_known_by_their_content(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as data:
        data.createDimension("time", 2000)
        data.createVariable("t2m", "f8", ("time",))[:] = np.random.default_rng(1).random(2000)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.nc").write_bytes((tmp_path / "a.nc").read_bytes())
    moments = hours_between(DAY, DAY + HOUR)
    found = found_files(f"{tmp_path}/a.nc", moments) + found_files(f"{tmp_path}/other/a.nc", moments)
    staged = [stage_file(one, tmp_path / "staged") for one in found]
    assert [one.name for one in staged] == ["a.nc", "1_a.nc"] and staged[0].sha256 == staged[1].sha256
    kept, repeated = without_copies(staged)
    assert [one.name for one in kept] == ["1_a.nc"] and [one.name for one in repeated] == ["a.nc"]
    check_whole(tmp_path / "staged" / "a.nc")
    facts = {"files": [{"name": "a.nc", "size": staged[0].size, "sha256": staged[0].sha256}]}
    assert damaged_copies(tmp_path / "staged", facts) == []
    whole = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "staged" / "a.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="truncated or damaged"):
        check_whole(tmp_path / "staged" / "a.nc")
    assert damaged_copies(tmp_path / "staged", facts) == ["a.nc"]
    with pytest.raises(InputError, match="is empty"):
        check_whole(touch(tmp_path / "empty.stm", ""))


def test_the_state_returns_from_its_file_and_stays_small(tmp_path):
    state = CycleState("hash", "2020-05-01T00:00:00", 86400.0)
    for index in range(100):
        taken = {"weather": {"stream": "early", "rank": 1, "files": []}}
        state.current = CurrentCycle(index, f"stamp{index}", 1, taken)
        state.refused[f"file{index}"] = {"size": 1, "changed": 2, "reason": "is empty"}
        state.write(tmp_path / "state.json")
        assert read_state(tmp_path / "state.json") == state
        state.finish(redo=3)
    assert state.cycles == state.products == state.next_index == 100 and state.current is None
    assert len(state.records) == RECORDS_KEPT + 1
    state.current = CurrentCycle(99, "stamp99", 2, {})
    state.finish(redo=3)
    assert (state.cycles, state.products, state.records[99].name) == (100, 101, "stamp99_v2")
    assert read_state(tmp_path / "nothing.json") is None


def test_member_weather_takes_turns():
    sources = [WeatherGenerator(50.0, 7.0, 0.0, [0.0, 5e3], [0.0, 0.0], DAY, DAY + 24 * HOUR, "temperate", seed)
               for seed in (1, 2)]
    weather = MemberWeather(sources, [source_of_member(member, 2) for member in range(5)])
    fields = weather.weather(DAY + 12 * HOUR, 3600.0)
    for member in range(5):
        expected = sources[member % 2].weather(DAY + 12 * HOUR, 3600.0)
        assert all(np.array_equal(fields[name][member], expected[name]) for name in expected)
    assert not np.array_equal(fields["air_temperature"][0], fields["air_temperature"][1])
    with pytest.raises(InputError, match="a source for each member"):
        MemberWeather(sources, [0, 2])


BASE = {"time": {"start": "2020-05-01", "end": "2020-06-01"}, "domain": {"latitude": 50, "longitude": 7},
        "forcing": {"format": "era5", "path": "in/%Y%m%d.nc"}, "cycle": {}}


@pytest.mark.parametrize(("changes", "message"), [
    (["cycle.interval=20 h"], r"cycle\.interval: expected a whole number of output\.every"),
    (["cycle.weather=[]"], r"cycle\.weather: expected at least one stream"),
    (["cycle.weather=[{path: in/%M.nc}]"], r"weather\.0\.path: expected times as %Y, %m, %d, %H or %j, got '%M'"),
    (["cycle.weather=[{path: 'in/{member}.nc'}]"], r"weather\.0\.path: expected no braces"),
    (["cycle.weather=[{name: a}, {name: a}]"], "unique name, got 'a' again"),
    (["cycle.weather=[{source: generator, path: in.nc}]"], "expected no path with source: generator"),
    (["cycle.weather=[{source: generator}, {name: b}]"], "no stream after 'final', whose weather is always there"),
    (["cycle.weather=[{source: forecast}]"], r"expected a forecast with files \(cycle\.forecast\)"),
    (["forcing={format: generator}"], r"weather\.0\.format: expected a format of weather files"),
    (["cycle.forecast.lead=2 days"], r"forecast\.path: expected a pattern of files with a lead"),
    (["cycle.forecast={lead: 1 day, path: in.nc, members: 3}"], r"forecast\.members: expected \{member\} in the path"),
    (["cycle.observations=[{entry: moon}]"], r"observations\.0\.entry: expected the name of an entry"),
    (["time.spinup.years=2"], r"spinup\.years: expected no spin-up with a cycle"),
    (["cycle.redo=5", "cycle.keep.cycles=5"], r"keep\.cycles: expected more than the 5 cycles"),
    (["cycle.alarms.rules=[{name: dry, depth: [0, 1]}]"], r"climatology: expected a climatology with alarms"),
    (["cycle.hindcast.quantities=[{depth: [0, 1]}]"], r"quantities: expected a forecast"),
    (["ensemble.size=4", "assimilation.filter=letkf",
      "observations=[{every: 12 h, twin: {}}]"], r"observations\.0\.twin: expected a file with a cycle"),
    (["ensemble.size=4", "assimilation={filter: letks, window: 1 day}",
      "observations=[{file: a.nc, reader: table}]"], r"assimilation\.filter: expected a filter with a cycle"),
    (["ensemble.size=4", "assimilation.filter=letkf", "observations=[{file: a.nc, reader: table, scaling: cdf}]"],
     r"climatology: expected a climatology of an earlier period"),
])
def test_what_cannot_be_cycled_is_refused_by_name(changes, message):
    with pytest.raises(ConfigError, match=message):
        load_case(BASE, changes)


def test_streams_default_to_the_files_of_the_case():
    cycle = load_case(BASE).cycle
    assert [one.source for one in cycle.weather] == ["files"] and cycle.weather[0].path is None
    assert cycle.observation_streams("satellite")[0].path is None


@pytest.mark.parametrize(("key", "advice"), [
    ("cycle.alarms.zones", "leave the key out"), ("cycle.climatology", "pyland diagnose LONG_RUN percentiles")])
def test_files_that_do_not_arrive_are_missed_before_anything_runs(tmp_path, command, key, advice):
    """Else the ensemble would run first, and each call would fail at the same product."""
    case = REALTIME
    code, _, err = command("cycle", case, "--output", tmp_path / "cycle", "--set", f"{key}=none.nc")
    assert code == 2 and key in err and "there is no file" in err and advice in err
    assert not (tmp_path / "cycle").exists()
    code, _, err = command("check", case, "--set", f"{key}=none.nc")
    assert code == 2 and key in err and "there is no file" in err


def test_status_takes_no_time_of_its_own(command):
    code, _, err = command("cycle", REALTIME, "--status", "--now", "2020-05-02")
    assert code == 2 and "--now changes nothing" in err
