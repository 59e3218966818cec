"""Figures of synthetic runs, and the commands that make them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import site_run, snow_run, stand_in, twin_run

from pyland.base.errors import InputError, UnavailableError
from pyland.driver.commands.diagnose import diagnose
from pyland.driver.commands.plot import plot
from pyland.view import snow_series, style
from pyland.view.error_reduction import plot_error_reduction

PNG = b"\x89PNG\r\n\x1a\n"
OBSERVED = ("departures.png", "spread_against_error.png", "assumed_errors.png")


@pytest.fixture(scope="module")
def catchment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        case = tmp_path_factory.mktemp("catchment")
        twin_run(case / "run", ny=6, nx=5, ndays=30, nmember=5)
        return case


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        return site_run(tmp_path_factory.mktemp("station"), ndays=12)


def test_a_twin_run_has_maps_series_and_reduction(catchment: Path) -> None:
    figures = plot(catchment)
    assert [path.name for path in figures] == [
        "soil_moisture_maps.png",
        "soil_moisture_series.png",
        "error_reduction.png",
        *OBSERVED,
        "departure_maps.png",
    ]
    assert all(path.read_bytes()[:8] == PNG for path in figures)
    assert sorted((catchment / "run" / "figures").iterdir()) == sorted(figures)


def test_the_legend_of_the_error_over_depth_touches_no_curve(
    catchment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(style, "save", lambda figure, path: kept.append(figure) or path)
    run = catchment / "run"
    plot_error_reduction(run / "truth.nc", run / "open_loop" / "history.nc", run / "history.nc", tmp_path / "a.png")
    left = kept[0].axes[0]
    kept[0].canvas.draw()
    assert not left.get_legend().get_window_extent().overlaps(left.get_window_extent())
    assert not left.get_legend().get_window_extent().overlaps(left.xaxis.label.get_window_extent())


def test_a_station_run_has_days_cycle_and_probes(station: Path, tmp_path: Path) -> None:
    figures = plot(station, folder=tmp_path)
    assert [path.name for path in figures] == [
        "daily.png", "diurnal_cycle.png", "soil_moisture_probes.png", *OBSERVED]


def test_a_station_with_snow_has_its_winter(tmp_path: Path, station: Path) -> None:
    case, station_file, other = snow_run(tmp_path)
    assert [path.name for path in plot(case)] == ["snow.png"]
    assert snow_series.has_snow(station_file) and not snow_series.has_snow(station / "station.nc")
    observed = snow_series.read_station(station_file)
    panel = snow_series._matched(case / "run" / "history.nc", station_file, observed, [other], snow_series.SNOW_NAMES)
    assert list(panel) == ["SWE", "SnowDepth"]
    assert list(panel["SWE"]) == ["Other", "pyland"] and list(panel["SnowDepth"]) == ["pyland"]
    assert panel["SWE"]["Other"].model.max() == pytest.approx(1.2 * panel["SWE"]["pyland"].observed.max())
    first, last = snow_series._snow_season(panel)
    assert (last - first) / np.timedelta64(1, "D") == pytest.approx(44 + 14, abs=2)


def test_two_stations_side_by_side(tmp_path: Path) -> None:
    cases = [snow_run(tmp_path, site) for site in ("one", "two")]
    runs = [(case / "run" / "history.nc", station_file) for case, station_file, _ in cases]
    others = [[other] for *_, other in cases]
    drawn = snow_series.plot_snow_series(runs, tmp_path / "two.png", peers=others, names=["SWE"])
    assert drawn.read_bytes()[:8] == PNG
    with pytest.raises(InputError, match="both modelled and observed"):
        snow_series.plot_snow_series(runs, tmp_path / "none.png", names=["Qle"])


def test_diagnose_twin(catchment: Path) -> None:
    closure = diagnose(catchment, "balance")
    assert abs(closure["water"]["water_residual"]) < 1e-10
    assert closure["water"]["largest_step_residual"] == pytest.approx(1e-12)
    assert closure["energy"]["largest_step_residual"] == pytest.approx(1e-9)
    result = diagnose(catchment, "assimilation")
    satellite = result["departures"]["satellite"]
    assert satellite["n"] > satellite["n_used"] > 0
    assert sum(satellite["rejected"].values()) == satellite["n"] - satellite["n_used"]
    assert satellite["innovation_std"] > satellite["residual_std"]
    unseen = result["error_reduction"]["0.1-0.5 m"]
    assert 0.2 < unseen["reduction"] < 1.0
    assert unseen["reduction"] == pytest.approx(1.0 - unseen["rmse_analysis"] / unseen["rmse_open_loop"])
    assert unseen["spread_error_ratio_analysis"] > 0.0


def test_diagnose_station(station: Path) -> None:
    result = diagnose(station, "skill", peers=[station / "station.nc"])
    assert result["native"]["Qle"]["n"] > 400 and 10 <= result["daily"]["SoilMoist_5cm"]["n"] <= 12
    assert result["daily"]["SoilMoist_15cm"]["bias"] == pytest.approx(0.015, abs=0.01)
    assert "| Qle |" in result["tables"] and result["peers"]["models"][0] == "pyland"
    assert (station / "run" / "skill_peers.md").exists() or (station / "skill_peers.md").exists()
    change = diagnose(station, "assimilation")["skill_change"]["daily"]["SoilMoist_15cm"]
    assert 0.5 < change["reduction"] < 1.0


def test_unknown_topic_and_missing_run_are_sentences(tmp_path: Path, catchment: Path) -> None:
    with pytest.raises(InputError, match="expected one of skill, balance"):
        diagnose(catchment, "weather")
    with pytest.raises(InputError, match="run the case first"):
        plot(tmp_path / "nowhere")
    with pytest.raises(InputError, match="not driven by a station file"):
        diagnose(catchment, "skill")


def test_without_matplotlib_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UnavailableError, match=r"pyland\[plot\]"):
        style.pyplot()


def test_labels() -> None:
    assert style.label_of("SoilMoist_5cm") == "Soil water at 5 cm"
    assert style.unit_of("SoilTemp_15cm") == "K"
    assert style.depth_label(0.1, 0.5) == "10–50 cm"
    assert np.unique([style.TRUTH, style.OPEN_LOOP, style.ANALYSIS]).size == 3
