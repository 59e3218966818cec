"""The real-time cycle: late, missing, doubled and broken inputs, kills at every step, and one run over all of it."""

from __future__ import annotations

import itertools
import json
import os
import shutil

import netCDF4
import numpy as np
import pytest
from cycle_cases import deliver, moments, product_differences, replay, write_small_case

from cases import arrays, differences
from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.driver.cli import run_command
from pyland.driver.cycle import cycle_inputs, loop, publish, run_cycles, run_steps
from pyland.driver.cycle.lock import CycleLock
from pyland.driver.cycle.state_file import CycleState
from pyland.driver.member_run import MemberRun
from pyland.driver.run import run_case
from pyland.output.catalogue import damaged_assets

DAYS = 3
FAULTS = {("early", 0): ("twice", 0), ("early", 1): ("missing", 0), ("early", 2): ("broken, then whole", 4),
          ("final", 0): ("late", -24), ("final", 1): ("late", -38), ("satellite", 1): ("late", 24),
          ("satellite", 2): ("another day", 2), ("forecast", 2): ("missing", 0), ("final", 2): ("missing", 0)}
"""Files of day 1 come after its cycle, some of day 2 never."""
MOST_CALLS = 400


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_small_case(tmp_path_factory.mktemp("realtime") / "case", DAYS, FAULTS)


@pytest.fixture(scope="module")
def undisturbed(case):
    return case / "undisturbed", replay(case, DAYS, case / "undisturbed")


def read(folder, name, file="cycle.json"):
    return json.loads((folder / "products" / name / file).read_text())


def test_every_cycle_is_published_with_the_inputs_that_the_rules_give(undisturbed):
    folder, names = undisturbed
    assert [one for one in names if "_v" not in one] == [f"202005{day:02d}T0000" for day in range(2, 2 + DAYS)]
    assert len(set(names)) == len(names)
    used = {name: {what: taken["stream"] for what, taken in read(folder, name)["inputs"].items()} for name in names}
    assert used["20200502T0000"] == {"weather": "early", "observations/satellite": "near_real_time",
                                     "forecast": "forecast"}
    assert used["20200503T0000"]["weather"] == "forecast"  # early is missing and its patience over
    assert used["20200503T0000"]["observations/satellite"] is None  # late
    assert used["20200504T0000"]["weather"] == "early"  # broken first, whole later
    assert used["20200504T0000"]["observations/satellite"] is None  # of another day
    assert names.index("20200502T0000_v2") + 1 == names.index("20200503T0000_v2")  # what follows runs again, too
    assert used["20200502T0000_v2"] == {"weather": "final", "observations/satellite": "near_real_time"}
    assert used["20200503T0000_v2"]["weather"] == "forecast"  # as before
    assert used["20200503T0000_v3"] == {"weather": "final", "observations/satellite": "near_real_time",
                                        "forecast": "forecast"}
    assert read(folder, "20200503T0000_v3")["supersedes"] == "20200503T0000_v2"
    forecast = read(folder, "20200504T0000")["inputs"]["forecast"]
    assert forecast["issued"] == "2020-05-03T00:00:00" and forecast["members"] == [1, 2]  # its own never came
    assert len(read(folder, "20200502T0000")["inputs"]["weather"]["files"]) == 1  # delivered twice
    refused = json.loads((folder / "state.json").read_text())["refused"]
    reasons = {path.rsplit("/", 1)[-1]: one["reason"] for path, one in refused.items()}
    assert "weather_20200503.nc" not in reasons  # broken at first
    assert "1 outside_period" in reasons["soil_moisture_20200503.nc"]


def test_products_have_analysis_forecast_and_observations_of_their_cycle(undisturbed):
    folder, _ = undisturbed
    product = folder / "products" / "20200504T0000"
    with netCDF4.Dataset(product / "analysis.nc") as data:
        assert np.array_equal(np.diff(data["time_bounds"][:], axis=1)[:, 0], [21600] * 4)
        end = np.datetime64(int(data["time"][-1]), "s")
        assert end == np.datetime64("2020-05-04") and np.isfinite(data["soil_water"][:]).all()
    with netCDF4.Dataset(product / "forecast.nc") as data:
        assert data["time_bounds"][0, 0] == end.astype("datetime64[s]").astype(int) and len(data["time"]) == 4
    assert not (product / "departures.nc").exists()  # no observation came
    assert (folder / "products" / "20200502T0000" / "departures.nc").exists()


def test_a_product_comes_with_alarms_an_item_and_the_skill_of_the_past(undisturbed):
    folder, names = undisturbed
    alarm = read(folder, "20200503T0000", "alarms.json")["alarms"][0]
    assert alarm["name"] == "wet" and alarm["since"] == "2020-05-02T00:00:00" and alarm["status"] == "ongoing"
    for name in names:
        assert not damaged_assets(folder / "products" / name)
    item = read(folder, "20200503T0000_v3", "item.json")
    assert item["properties"]["pyland:supersedes"] == "20200503T0000_v2" and not item["properties"]["deprecated"]
    assert item["properties"]["forecast:duration"] == "P1D" and "forecast" in item["assets"]
    collection = json.loads((folder / "catalogue" / "collection.json").read_text())
    assert len([link for link in collection["links"] if link["rel"] == "item"]) == len(names)
    # the second version of the first cycle keeps the forecast that was issued, which the third cycle still judges
    assert read(folder, "20200502T0000_v2")["forecast_of"] == "20200502T0000"
    table = (folder / "hindcast" / "skill.csv").read_text().splitlines()
    assert len(table) > 1 and "soil_water_0_10cm" in table[1]
    board = json.loads((folder / "latency.json").read_text())
    streams = {(one["name"], one["stream"]): one for one in board["inputs"]}
    assert streams["weather", "early"]["files"] == 2
    assert streams["weather", "final"]["newest_valid"] == "2020-05-03T00:00:00"


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.mark.parametrize("is_every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_kill_at_every_step(case, undisturbed, monkeypatch, tmp_path, is_every):
    """Each step is killed before and after it is done: where it is met first, or in every cycle of all versions."""
    done, kills = set(), itertools.count()

    def once(point, name):
        name = name if is_every else None
        if (point, name) not in done:
            done.add((point, name))
            next(kills)
            raise Killed(f"{point} {name}")

    def around(owner, name, label, key):
        inner = getattr(owner, name)

        def call(*arguments, **options):
            once(f"before {label}", key(*arguments))
            result = inner(*arguments, **options)
            once(f"after {label}", key(*arguments))
            return result

        monkeypatch.setattr(owner, name, call)

    around(CycleState, "write", "state", lambda state, *_: (state.products, str(state.current and state.current.step)))
    around(cycle_inputs.CycleInputs, "stage", "stage", lambda self, index, name, *_: name)
    around(loop, "make_product", "product", lambda current, *_: current.name)
    around(loop, "publish_product", "name", lambda folder, products, name: name)
    around(loop, "follow_up", "following up", lambda root, config, current, *_: current.name)
    for name in ("judge_forecasts", "update_catalogue", "prune"):
        around(publish, name, name, lambda root, *_: len(list(root.rglob("cycle.json"))))
    around(loop, "tidy", "tidy", lambda root, state, redo: state.products)
    around(run_steps, "run_case", "run", lambda config: str(config.time.end))
    around(MemberRun, "move_to", "step", lambda run, time: (run.records.run_dir.as_posix(), str(time)[:13] + "6"
                                                           if str(time)[11:13] == "15" else ""))

    def call(config, **options):
        for _ in range(MOST_CALLS):
            try:
                report = run_cycles(config, **options)
            except Killed:
                continue
            return report
        raise AssertionError("the cycle does not come to an end")

    with_restarts = load_case(case, ["output.restart_every=9 h"])  # so that a run has some when it is killed
    replay(case, DAYS if is_every else 1, tmp_path / "killed", call, with_restarts)
    assert next(kills) > (60 if is_every else 20)
    published = {path.name for path in (tmp_path / "killed" / "products").iterdir()}
    assert published == (set(undisturbed[1]) if is_every else {"20200502T0000"})
    assert not product_differences(undisturbed[0], tmp_path / "killed", is_part=not is_every)
    assert not [path for path in (tmp_path / "killed").rglob(".*")]


def test_cycles_one_after_the_other_are_one_run(case, tmp_path):
    changes = ["cycle.redo=0", "cycle.hindcast.quantities=[]", "cycle.forecast.lead=0",
               "cycle.weather=[{name: final, patience: 20 days, "
               f"path: {case}/archive/final/weather_%Y%m%d.nc}}]",
               f"cycle.observations=[{{entry: satellite, path: {case}/archive/satellite/soil_moisture_%Y%m%d.nc}}]"]
    report = run_cycles(load_case(case, changes), output=tmp_path / "cycle", until=np.datetime64("2020-05-04"))
    assert len(report.published) == 3 and "after 2020-05-04" in report.waiting
    whole = [f"forcing.path={case}/archive/whole.nc", "cycle=null", "time.end=2020-05-04",
             f"observations.0.file={case}/archive/truth/observed_satellite.nc"]
    run_case(load_case(case, whole), output=tmp_path / "run")
    names = {"history.nc": "analysis.nc", "balance.nc": "balance.nc",
             "analysis.nc": "departures.nc"}
    for name, other in names.items():
        expected = arrays(tmp_path / "run" / name)
        parts = [arrays(tmp_path / "cycle" / "products" / one / other) for one in report.published]
        for key, values in expected.items():
            if values.shape == parts[0][key].shape:
                assert np.array_equal(values, parts[0][key], equal_nan=values.dtype.kind == "f"), (name, key)
            else:
                joined = np.concatenate([part[key] for part in parts])
                assert joined.tobytes() == values.tobytes() or np.array_equal(joined, values), (name, key)
    kept = sorted((tmp_path / "cycle" / "restart").glob("*.nc"))
    assert len(kept) == 2 and not differences(kept[-1], tmp_path / "run" / "restart" / kept[-1].name)


def test_a_cycle_begins_with_the_restart_of_a_run(case, tmp_path):
    run_case(load_case(case, [f"forcing.path={case}/archive/whole.nc", "cycle=null", "time.end=2020-05-03",
                              "observations=[]", "assimilation.filter=none"]), output=tmp_path / "warm")
    free = ["observations=[]", "assimilation.filter=none", "cycle.observations=[]", "cycle.forecast.lead=0",
            "cycle.hindcast.quantities=[]", f"cycle.weather=[{{path: {case}/archive/final/weather_%Y%m%d.nc}}]"]
    begun = load_case(case, [*free, f"cycle.initial={tmp_path}/warm/restart/20200503T0000.nc"])
    report = run_cycles(begun, output=tmp_path / "cycle", once=True)
    assert report.published == ["20200504T0000"]
    with pytest.raises(InputError, match=r"cycle\.initial.*time\.start"):
        run_cycles(load_case(begun, ["time.start=2020-05-02"]), output=tmp_path / "other")
    with pytest.raises(InputError, match="written by another configuration"):
        run_cycles(load_case(begun, ["ensemble.seed=3"]), output=tmp_path / "cycle")
    (tmp_path / "cycle" / "state.json").write_text("{")
    with pytest.raises(InputError, match=r"state\.json: the state of the cycle is damaged"):
        run_cycles(begun, output=tmp_path / "cycle")


def test_one_lock(case, tmp_path, undisturbed):
    with CycleLock(tmp_path / "cycle" / "lock"), pytest.raises(
            InputError, match=rf"another `pyland cycle` is at work .*process {os.getpid()} on .*done nothing"):
        run_cycles(load_case(case), output=tmp_path / "cycle")
    with CycleLock(tmp_path / "cycle" / "lock"):  # given back after an error, too
        pass


def test_damaged_copies_are_made_again(case, undisturbed, monkeypatch, tmp_path):
    shutil.rmtree(case / "incoming", ignore_errors=True)
    now = np.datetime64("2020-05-02T12:00")
    deliver.release(case / "archive", case / "incoming", now)

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(run_steps, "run_case", die)
        with pytest.raises(Killed):
            run_cycles(load_case(case), output=tmp_path, now=now)
    copy = next((tmp_path / "inputs" / "20200502T0000" / "weather").glob("*.nc"))
    copy.write_bytes(copy.read_bytes()[:1000])
    assert run_cycles(load_case(case), output=tmp_path, now=now).published == ["20200502T0000"]
    expected, found = (root / "products" / "20200502T0000" / "analysis.nc" for root in (undisturbed[0], tmp_path))
    assert not differences(expected, found)


@pytest.mark.slow
@pytest.mark.mpi
def test_two_ranks_publish_the_same(case, undisturbed, pyland_command, tmp_path):
    shutil.rmtree(case / "incoming", ignore_errors=True)
    for now in moments(case, 2):
        deliver.release(case / "archive", case / "incoming", now)
        done = pyland_command("cycle", case, "--output", tmp_path / "cycle", "--now", now, ranks=2)
        assert done.returncode == 0, done.stderr
    for path in (tmp_path / "cycle" / "products").rglob("*.nc"):
        assert not differences(undisturbed[0] / path.relative_to(tmp_path / "cycle"), path), path


def test_command_line(case, undisturbed, capsys):
    assert run_command(["cycle", str(case), "--output", str(undisturbed[0]), "--status"]) == 0
    told = capsys.readouterr().out
    assert f"{DAYS} cycles" in told and "stopped   the next cycle ends at" in told
    assert "refused" in told and "weather: final" in told
    assert run_command(["cycle", str(case), "--output", str(undisturbed[0]), "--now", "noon"]) == 2
    assert "--now: expected a date and time" in capsys.readouterr().err
