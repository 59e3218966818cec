"""Balance, analysis, scores, provenance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.observation_reasons import INNOVATION
from pyland.output.analysis import AnalysisWriter, ObservationRecord
from pyland.output.balance import ENERGY_RATES, PARTS, STORES, WATER_RATES, BalanceWriter
from pyland.output.grid import OutputGrid
from pyland.output.provenance import hash_of_config, provenance
from pyland.output.restart import read_restart, write_restart
from pyland.output.scores import read_scores, write_scores

START = np.datetime64("2004-06-01T00:00", "s")
HOUR = np.timedelta64(1, "h")


def rates(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    out = {name: rng.uniform(0.0, 1e-4, (3, 5)) for name in WATER_RATES}
    fluxes = {name: rng.uniform(0.0, 100.0, (3, 5)) for name in ENERGY_RATES[1:]}
    return out | fluxes | {"net_radiation": sum(fluxes.values())}


def advance(balance: BalanceWriter, storage: np.ndarray, step: int) -> np.ndarray:
    step_rates = rates(step)
    lost = sum(step_rates[name] for name in WATER_RATES if name not in ("precipitation", "irrigation"))
    change = 3600.0 * (step_rates["precipitation"] + step_rates["irrigation"] - lost)
    residual = np.full((3, 5), 1e-12 * (step + 1))
    balance.add_step(3600.0, step_rates, residual, -residual)
    return storage + change


def test_balance_closes_with_the_increment_as_its_own_term(tmp_path: Path, grid: OutputGrid) -> None:
    balance = BalanceWriter(tmp_path, grid, {})
    storage = np.full((3, 5), 500.0)
    balance.start(START, storage)
    for step in range(4):
        storage = advance(balance, storage, step)
        if step == 1:
            increment = np.full((3, 5), 2.5)
            balance.add_increment(increment)
            storage = storage + increment
    balance.close_interval(START + 4 * HOUR, storage)
    balance.flush("20040601T0400")
    with xr.open_dataset(balance.finish()) as data:
        assert data["water_residual"].dtype == np.float64
        assert np.nanmax(np.abs(data["water_residual"])) < 1e-12
        assert np.nanmax(np.abs(data["energy_residual"])) < 1e-12
        np.testing.assert_allclose(data["analysis_increment"][0, 0, 0], 2.5)
        np.testing.assert_allclose(data["water_residual_largest"][0, 0, 0], 4e-12)
        expected = sum(rates(step)["precipitation"] for step in range(4)).mean(axis=0)[0] * 3600.0
        np.testing.assert_allclose(data["precipitation"][0, 0, 0], expected)
        assert data["time_bounds"].values[0, 0] == START
        assert np.isnan(data["precipitation"].values[0, 1, 1])


def test_balance_resumes_inside_an_interval(tmp_path: Path, grid: OutputGrid) -> None:
    def finish(balance: BalanceWriter, storage: np.ndarray) -> xr.Dataset:
        for step in range(2, 4):
            storage = advance(balance, storage, step)
        balance.close_interval(START + 4 * HOUR, storage)
        balance.flush("20040601T0400")
        return xr.load_dataset(balance.finish())

    results = []
    for name, is_killed in (("whole", False), ("killed", True)):
        balance = BalanceWriter(tmp_path / name, grid, {})
        storage = np.full((3, 5), 500.0)
        balance.start(START, storage)
        for step in range(2):
            storage = advance(balance, storage, step)
        balance.flush("20040601T0200")
        if is_killed:
            path = write_restart(tmp_path / "r.nc", balance.state() | {"w": storage}, {}, START + 2 * HOUR)
            restart = read_restart(path)
            balance = BalanceWriter(tmp_path / name, grid, {})
            balance.resume(restart.time, restart.state)
            storage = restart.state["w"]
        results.append(finish(balance, storage))
    xr.testing.assert_identical(*results)


def test_parts_and_stores_resume_with_the_rest(tmp_path: Path, grid: OutputGrid) -> None:
    stores = {name: np.full((3, 5), 10.0 * place) for place, name in enumerate(STORES)}
    balance = BalanceWriter(tmp_path, grid, {}, with_parts=True)
    balance.start(START, np.full((3, 5), 150.0), stores=stores)
    parts = {name: np.full((3, 5), 1e-5) for name in PARTS}
    balance.add_step(3600.0, rates(0) | parts, np.zeros((3, 5)), np.zeros((3, 5)))
    balance.flush("20040601T0100")
    state = read_restart(write_restart(tmp_path / "r.nc", balance.state(), {}, START + HOUR)).state
    with pytest.raises(InputError, match="the step lacks"):
        balance.add_step(3600.0, rates(1), np.zeros((3, 5)), np.zeros((3, 5)))
    again = BalanceWriter(tmp_path, grid, {}, with_parts=True)
    old = {name: values for name, values in state.items() if not name.startswith("balance_store")}
    with pytest.raises(InputError, match="without --resume"):
        again.resume(START + HOUR, old)
    again.resume(START + HOUR, state)
    stores["snow"] = stores["snow"] + 3.0
    again.close_interval(START + HOUR, np.full((3, 5), 153.0), stores=stores)
    again.flush("20040601T0200")
    with xr.open_dataset(again.finish()) as data:
        assert float(data["storage_change_snow"][0, 0, 0]) == 3.0 and float(data["storage_change_soil"][0, 0, 0]) == 0.0
        assert float(data["snowfall"][0, 0, 0]) == pytest.approx(0.036)


def record(count: int, rejection: list[int]) -> ObservationRecord:
    column = np.arange(count, dtype=float)
    return ObservationRecord(
        stream=np.zeros(count, dtype=int), latitude=50 + column, longitude=6 + column,
        depth_top=0 * column, depth_bottom=0 * column + 0.05, value=0.2 + 0.01 * column, error=0 * column + 0.04,
        prior_mean=0 * column + 0.25, prior_spread=0 * column + 0.03,
        posterior_mean=0 * column + 0.22, posterior_spread=0 * column + 0.02, rejection=np.array(rejection),
    )  # fmt: skip


def analysis_writer(run_dir: Path, grid: OutputGrid) -> AnalysisWriter:
    streams = {"satellite": {"type": "soil_moisture", "units": "m3 m-3"}}
    return AnalysisWriter(run_dir, grid, streams, ["soil_water"], {})


def test_analysis_holds_departures_flags_and_increments(tmp_path: Path, grid: OutputGrid) -> None:
    analysis = analysis_writer(tmp_path, grid)
    analysis.start()
    analysis.flush("20040601T0000")  # nothing yet
    analysis.add(START + HOUR, record(3, [0, INNOVATION, 0]), {"soil_water": np.full((4, 5), 0.01)})
    analysis.add(START + 2 * HOUR, record(0, []), {"soil_water": np.zeros((4, 5))})
    analysis.flush("20040601T0200")
    with xr.open_dataset(analysis.finish()) as data:
        assert data.sizes["observation"] == 3 and data.sizes["analysis"] == 2
        np.testing.assert_allclose(data["innovation"], [-0.05, -0.04, -0.03])
        np.testing.assert_allclose(data["residual"], [-0.02, -0.01, 0.0], atol=1e-12)
        assert data["used"].values.tolist() == [1, 0, 1]
        meanings = data["rejection"].attrs["flag_meanings"].split()
        assert meanings[int(data["rejection"][1])] == "innovation_too_large"
        assert data["observations_used"].values.tolist() == [2, 0]
        assert data["soil_water_increment"].dims == ("analysis", "layer", "y", "x")
        assert data["observation_time"].values[0] == START + HOUR
        assert data["stream"].attrs["flag_meanings"] == "satellite"


def test_a_finished_analysis_is_cut_at_the_restart(tmp_path: Path, grid: OutputGrid) -> None:
    analysis = analysis_writer(tmp_path, grid)
    analysis.start()
    for hour in (1, 2, 3):
        analysis.add(START + hour * HOUR, record(hour, [0] * hour), {"soil_water": np.zeros((4, 5))})
    analysis.flush("20040601T0300")
    analysis.finish()
    again = analysis_writer(tmp_path, grid)
    again.resume(START + 2 * HOUR)
    again.flush("20040601T0400")
    with xr.open_dataset(again.finish()) as data:
        assert data.sizes["observation"] == 3 and data.sizes["analysis"] == 2


def test_analysis_refuses_unknown_streams(tmp_path: Path, grid: OutputGrid) -> None:
    analysis = analysis_writer(tmp_path, grid)
    analysis.start()
    bad = record(1, [0])
    bad.stream[:] = 3
    with pytest.raises(InputError, match=r"stream codes.*\[3\]"):
        analysis.add(START, bad, {"soil_water": np.zeros((4, 5))})


def test_scores_have_all_sections_and_are_json(tmp_path: Path) -> None:
    write_scores(tmp_path, skill={"daily": {"Qle": {"rmse": np.float64(15.5), "r": np.nan, "n": np.int64(3)}}})
    content = json.loads((tmp_path / "scores.json").read_text())
    assert list(content) == ["skill", "closure", "timing", "assimilation"]
    assert content["skill"]["daily"]["Qle"] == {"rmse": 15.5, "r": None, "n": 3}
    assert read_scores(tmp_path) == content


def test_provenance_names_inputs_by_checksum(tmp_path: Path) -> None:
    (tmp_path / "forcing.nc").write_bytes(b"abc")
    attributes = provenance(
        config_hash=hash_of_config({"b": 1, "a": 2}),
        inputs=[tmp_path / "forcing.nc"],
        base=tmp_path,
        build={"compiler": "GCC 12", "flags": "-O3"},
        ranks=2,
        threads=4,
        seed=7,
    )
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in attributes["input_checksums"]
    assert attributes["input_checksums"].startswith("forcing.nc sha256:")
    assert attributes["config_hash"] == hash_of_config({"a": 2, "b": 1})
    assert attributes["seed"] == 7 and attributes["threads"] == 4
