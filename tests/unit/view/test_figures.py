"""Figures of synthetic runs, and the commands that make them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from synthetic import DAY, START, site_run, snow_run, stand_in, twin_run

from pyland.base.errors import InputError, UnavailableError
from pyland.diagnose import Region
from pyland.driver.commands.diagnose import diagnose
from pyland.driver.commands.plot import plot
from pyland.view import snow_series, style
from pyland.view.ensemble_series import plot_soil_water_series
from pyland.view.error_reduction import plot_error_reduction
from pyland.view.parameter_twin import plot_parameters

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
        "increments.png",
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


def drawn_figure(monkeypatch: pytest.MonkeyPatch, draw, *arguments) -> Figure:
    """Return the figure that a function of the view would save."""
    kept = []
    monkeypatch.setattr(style, "save", lambda figure, path: kept.append(figure) or path)
    draw(*arguments)
    kept[0].canvas.draw()
    return kept[0]


def test_a_depth_that_became_worse_is_labelled_beside_the_axis(
    catchment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = catchment / "run"
    files = run / "truth.nc", run / "history.nc", run / "open_loop" / "history.nc"  # the two exchanged: all bars < 0
    figure = drawn_figure(monkeypatch, plot_error_reduction, *files, tmp_path / "a.png")
    middle, right = figure.axes[1:]
    words = [one for one in middle.texts if "%" in one.get_text()]
    assert len(words) == 4 and all(one.get_text().startswith("−") for one in words)
    frame = middle.get_window_extent()
    for one in words:
        place = one.get_window_extent()
        assert frame.x0 < place.x0 and place.x1 < frame.x1 + 1.0
    assert "all layers to 120 cm" in right.get_title()


def test_estimated_parameters_have_scores_and_a_figure(catchment: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(catchment, case)
    (case / "run" / "case.yaml").write_text("assimilation: {parameters: {saturated_conductivity: {damping: 0.2}}}\n")
    assert "not_judged" in diagnose(case, "assimilation")["parameters"]["saturated_conductivity"]
    assert "parameters.png" not in [path.name for path in plot(case)]
    for name, share, spread in (("truth", 0.0, None), ("open_loop/history", 1.0, 2e-5), ("history", 0.2, 3e-6)):
        path = case / "run" / f"{name}.nc"
        data = xr.load_dataset(path)
        wave = np.sin(np.arange(data.sizes["x"]) + np.arange(data.sizes["y"])[:, None])
        field = 10.0 ** ((1.0 - share) * wave - 5.0) * xr.ones_like(data["soil_water"])
        data["saturated_conductivity"] = field.assign_attrs(units="m s-1")
        if spread is not None:
            data["saturated_conductivity_std"] = 0.0 * field + spread
        data.to_netcdf(path)
    row = diagnose(case, "assimilation")["parameters"]["saturated_conductivity"]
    assert row["scale"] == "log10" and row["reduction"] > 0.5 and row["correlation_end"] > 0.9
    figure = next(path for path in plot(case) if path.name == "parameters.png")
    assert figure.read_bytes()[:8] == PNG


def test_dates_do_not_stand_close_together() -> None:
    days = np.array([17.0, 21.0, 25.0, 29.0, 31.0, 35.0])  # the 29th before the first of May
    assert style.without_crowd(days).tolist() == [17.0, 21.0, 25.0, 31.0, 35.0]
    assert style.without_crowd(days[:2]).tolist() == [17.0, 21.0]
    months = np.array([0.0, 31.0, 59.0, 90.0, 120.0])
    assert style.without_crowd(months).tolist() == months.tolist()


def test_days_within_a_month_name_the_month() -> None:
    """Days alone say no month; where a first of a month is labelled with its name, the year is enough."""
    plt = style.pyplot()
    for last, corner in (("2020-04-25", "2020-Apr"), ("2020-05-04", "2020")):
        figure, axes = plt.subplots()
        times = np.arange(np.datetime64("2020-04-16"), np.datetime64(last) + DAY, DAY)
        axes.plot(times, np.arange(len(times)))
        style.plain_dates(plt, axes)
        figure.canvas.draw()
        assert axes.xaxis.get_offset_text().get_text() == corner
        plt.close(figure)


@pytest.mark.filterwarnings("error")
def test_a_single_record_has_a_time_axis() -> None:
    plt = style.pyplot()
    figure, axes = plt.subplots()
    axes.plot([START], [1.0], style.line_of([START]))
    assert axes.lines[0].get_marker() == "o" and style.line_of([START, START + DAY]) == "-"
    for widen in (lambda: style.span_of_times(axes, np.array([START])), lambda: style.widen_single_time(axes)):
        axes.set_xlim(0.0, 1e4)
        widen()
        style.plain_dates(plt, axes)
        figure.canvas.draw()
        low, high = axes.get_xlim()
        assert high - low == 1.0  # days
    plt.close(figure)


def test_a_region_without_observations_is_a_sentence(catchment: Path) -> None:
    with pytest.raises(InputError, match=r"Region 'sea': no observation .* they lie from 50 to 50\.0"):
        diagnose(catchment, "assimilation", regions=[Region("sea", 0.0, 1.0, 0.0, 1.0)])


def test_a_series_says_which_cell_and_depth_it_shows(
    catchment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = catchment / "run"
    figure = drawn_figure(
        monkeypatch, lambda *a: plot_soil_water_series(*a, observations=run / "analysis.nc", depths=[(0.0, 0.1)]),
        run / "history.nc", tmp_path / "a.png")
    assert figure.get_suptitle().startswith("One cell, at 50.0")
    assert figure.axes[0].get_title(loc="right") == "observations: 0–5 cm"


def test_a_station_run_has_days_cycle_and_probes(station: Path, tmp_path: Path) -> None:
    figures = plot(station, folder=tmp_path)
    assert [path.name for path in figures] == [
        "daily.png", "diurnal_cycle.png", "soil_moisture_probes.png", *OBSERVED, "increments.png"]


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


def test_parameters_of_a_station_and_two_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time = START + np.arange(3) * DAY
    for name, mean in (("truth", [1e-5, 0.42]), ("history", [2e-5, 0.44])):
        fields = {f"{one}{end}": (("time", "layer", "site"), np.full((3, 2, 1), value * size))
                  for one, value in zip(("saturated_conductivity", "porosity"), mean, strict=True)
                  for end, size in (("", 1.0), ("_std", 0.1 if one == "porosity" else 1.5))}
        xr.Dataset(fields, {"time": time}).to_netcdf(tmp_path / f"{name}.nc")
    files = tmp_path / "truth.nc", tmp_path / "history.nc"
    names = ["saturated_conductivity", "porosity"]
    figure = drawn_figure(monkeypatch, plot_parameters, *files, names, tmp_path / "a.png")
    titles = [part.get_suptitle() for part in figure.subfigs]
    assert titles == ["Decimal logarithm of saturated conductivity in 1", "Porosity [1]"]
    assert [axis.get_ylabel() for axis in figure.axes] == ["estimate", "RMS [decades]", "estimate", "RMS [1]"]
    with pytest.raises(InputError, match=r"add leaf_area_index to output\.variables"):
        plot_parameters(*files, ["leaf_area_index"], tmp_path / "b.png")
