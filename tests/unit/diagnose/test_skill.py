"""Scores: arithmetic, days, depths, and the published scores of other models recomputed."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.scores import score
from pyland.diagnose.series import Series, Station, at_depth, parse_depth, read_history, read_model, read_station
from pyland.diagnose.skill import daily_pairs, native_pairs, peer_table, skill, skill_of_run

REFERENCE = Path(os.environ.get("PYLAND_REFERENCE_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
needs_reference = pytest.mark.skipif(
    not (REFERENCE / "peers" / "scores.csv").exists(),
    reason="set PYLAND_REFERENCE_DATA to the folder with sites/ and peers/",
)
HALF_HOUR = np.timedelta64(1800, "s")


def half_hours(start: str, count: int) -> np.ndarray:
    return np.datetime64(start, "s") + np.arange(count) * HALF_HOUR


def test_score_of_hand_computed_series() -> None:
    result = score(np.array([1.0, 2.0, 4.0, np.nan, 9.0]), np.array([1.0, 3.0, 2.0, 5.0, np.nan]))
    assert result["n"] == 3
    assert result["bias"] == pytest.approx(1.0 / 3.0)
    assert result["rmse"] == pytest.approx(np.sqrt(5.0 / 3.0))
    assert result["r"] == pytest.approx(np.corrcoef([1, 2, 4], [1, 3, 2])[0, 1])
    assert result["mean_obs"] == 2.0


def test_score_without_points_or_variance_is_undefined() -> None:
    assert score(np.array([np.nan]), np.array([1.0]))["n"] == 0
    assert np.isnan(score(np.array([1.0, 1.0]), np.array([1.0, 2.0]))["r"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SoilMoist_5cm", ("SoilMoist", 0.05, 0.05)),
        ("SoilTemp_0-10cm", ("SoilTemp", 0.0, 0.10)),
        ("SoilMoist_1", None),
        ("Qle", None),
    ],
)
def test_depth_is_read_from_the_name(name: str, expected: tuple | None) -> None:
    assert parse_depth(name) == expected


def test_profile_is_interpolated_or_averaged() -> None:
    bounds = np.array([[0.0, 0.04], [0.04, 0.10], [0.10, 0.30]])
    profile = np.array([[1.0, 2.0, 6.0]])
    assert at_depth(profile, bounds, 0.01, 0.01) == 1.0  # above the first middle: constant
    assert at_depth(profile, bounds, 0.045, 0.045) == pytest.approx(1.5)
    assert at_depth(profile, bounds, 0.0, 0.10) == pytest.approx(0.4 * 1.0 + 0.6 * 2.0)
    with pytest.raises(InputError, match="0.3 m"):
        at_depth(profile, bounds, 0.5, 0.5)


def test_days_are_local() -> None:
    start = half_hours("2004-06-01T00:00", 96)
    observed = np.where(np.arange(96) < 14, 100.0, 1.0)  # 00:00-07:00 UTC belongs to 31 May at UTC-7
    station = Station("s", -7.0, Series(start, 1800.0, {"Qle": observed}))
    pairs = daily_pairs(Series(start, 1800.0, {"Qle": observed}), station, "Qle")
    good = np.isfinite(pairs.observed)
    assert [str(day)[:10] for day in pairs.start[good]] == ["2004-06-01"]
    assert pairs.observed[good] == pytest.approx([1.0])


def test_a_day_needs_three_quarters_of_its_points() -> None:
    start = half_hours("2004-06-01", 96)
    observed = np.ones(96)
    observed[:12] = np.nan  # 36 of 48 are left on the first day
    observed[48:61] = np.nan  # 35 on the second
    station = Station("s", 0.0, Series(start, 1800.0, {"Qh": observed}))
    pairs = daily_pairs(Series(start, 1800.0, {"Qh": np.ones(96)}), station, "Qh")
    assert np.isfinite(pairs.observed).tolist() == [True, False]


def test_hourly_model_meets_means_of_half_hours() -> None:
    start = half_hours("2004-06-01", 4)
    station = Station("s", 0.0, Series(start, 1800.0, {"Qh": np.array([1.0, 3.0, 5.0, np.nan])}))
    model = Series(start[::2], 3600.0, {"Qh": np.array([2.0, 7.0])})
    pairs = native_pairs(model, station, "Qh")
    assert pairs.observed[0] == 2.0 and np.isnan(pairs.observed[1])


def test_daily_model_is_compared_over_its_own_days() -> None:
    start = half_hours("2004-06-01", 96)
    values = np.arange(96.0)
    station = Station("s", -7.0, Series(start, 1800.0, {"Qh": values}))
    model = Series(start[::48], 86400.0, {"Qh": values.reshape(2, 48).mean(axis=1)})
    result = skill(model, station)
    assert result["native"] == {}
    assert result["daily"]["Qh"]["n"] == 2 and result["daily"]["Qh"]["rmse"] < 1e-12


def test_history_is_read_under_alma_names(tmp_path: Path) -> None:
    end = half_hours("2004-06-01T00:30", 96)
    bounds = np.stack([end - HALF_HOUR, end], axis=1)
    profile = np.stack([np.full((96, 1), 0.1), np.full((96, 1), 0.3)], axis=1)
    data = xr.Dataset(
        {
            "latent_heat_flux": (("time", "site"), np.arange(96.0)[:, None]),
            "gross_primary_production": (("time", "site"), np.full((96, 1), 12.011e-9)),
            "soil_water": (("time", "layer", "site"), profile),
            "time_bounds": (("time", "bound"), bounds),
            "layer_bounds": (("layer", "bound"), np.array([[0.0, 0.1], [0.1, 0.3]])),
        },
        coords={"time": end, "layer": [0.05, 0.2]},
    )
    data.to_netcdf(tmp_path / "history.nc")
    series = read_history(tmp_path / "history.nc", ["Qle", "GPP", "SoilMoist_5cm", "SoilMoist_0-30cm", "Qh"])
    assert set(series.values) == {"Qle", "GPP", "SoilMoist_5cm", "SoilMoist_0-30cm"}
    assert series.start[0] == np.datetime64("2004-06-01T00:00") and series.step == 1800.0
    assert series.values["GPP"][0] == pytest.approx(1.0)
    assert series.values["SoilMoist_5cm"][0] == pytest.approx(0.1)
    assert series.values["SoilMoist_0-30cm"][0] == pytest.approx((0.1 * 0.1 + 0.2 * 0.3) / 0.3)
    station = xr.Dataset(
        {"Qle": ("time", np.arange(96.0) + 1.0), "Qle_qc": ("time", np.r_[np.zeros(95), 1.0])},
        coords={"time": end - HALF_HOUR},
        attrs={"utc_offset_h": 0, "time_step_s": 1800, "site": "test"},
    )
    station.to_netcdf(tmp_path / "station.nc")
    result = skill_of_run(tmp_path / "history.nc", tmp_path / "station.nc")
    assert result["native"]["Qle"]["n"] == 95 and result["native"]["Qle"]["bias"] == pytest.approx(-1.0)
    assert result["daily"]["Qle"]["n"] == 2


def test_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "station.nc").write_bytes(b"CDF\x01 and nothing else")
    with pytest.raises(InputError, match=r"station\.nc"):
        read_station(tmp_path / "station.nc")


# ---- the scores of other models -----------------------------------------------------------------


def published(site: str, model: str, step: str) -> dict[str, dict[str, float]]:
    with (REFERENCE / "peers" / "scores.csv").open() as stream:
        rows = [
            row for row in csv.DictReader(stream) if (row["site"], row["model"], row["step"]) == (site, model, step)
        ]
    return {row["var"]: {k: float(row[k]) for k in ("n", "rmse", "bias", "r", "mean_obs", "std_obs")} for row in rows}


@needs_reference
@pytest.mark.parametrize(
    ("site", "model", "label"),
    [
        ("US-Wkg", "NoahMP", "NoahMP5"),
        ("US-Wkg", "SUMMA", "SUMMA3"),
        ("SE-Svb", "NoahMP", "NoahMP5"),
        ("SE-Svb", "SUMMA", "SUMMA3"),
    ],
)
@pytest.mark.parametrize(("step", "key"), [("30min", "native"), ("day", "daily")])
def test_published_scores_are_recomputed(site: str, model: str, label: str, step: str, key: str) -> None:
    station = read_station(REFERENCE / "sites" / f"{site}.nc")
    peer = read_model(REFERENCE / "peers" / f"{site}_{model}.nc")
    result = skill(peer, station, model_coverage=0.0)[key]  # the published scores take incomplete model days
    expected = published(site, label, step)
    assert expected
    for name, row in expected.items():
        assert result[name]["n"] == row["n"], name
        for quantity in ("rmse", "bias", "r", "mean_obs"):
            assert result[name][quantity] == pytest.approx(row[quantity], rel=6e-4, abs=1e-4), (name, quantity)


@needs_reference
def test_accepted_points_of_cn_cng_are_those_of_the_published_scores() -> None:
    """The station file holds 2008; published scores of 2008-2009 minus those of 2009 give its numbers."""
    station = read_station(REFERENCE / "sites" / "CN-Cng.nc")
    peer = read_model(REFERENCE / "peers" / "CN-Cng_NoahMP.nc")
    result = skill(peer, station, ["Qle", "Qh"], model_coverage=0.0)
    for name in ("Qle", "Qh"):
        both, later = (published("CN-Cng", label, "day")[name] for label in ("NoahMP5", "CoLM202X"))
        n = both["n"] - later["n"]
        mean = (both["n"] * both["mean_obs"] - later["n"] * later["mean_obs"]) / n
        assert result["daily"][name]["n"] == n
        assert result["daily"][name]["mean_obs"] == pytest.approx(mean, abs=0.02)


@needs_reference
def test_peers_are_compared_on_identical_points() -> None:
    station = read_station(REFERENCE / "sites" / "US-Wkg.nc")
    peers = [read_model(REFERENCE / "peers" / f"US-Wkg_{name}.nc", name) for name in ("NoahMP", "SUMMA")]
    rows = peer_table(station, peers, ["Qle", "Qh", "Rnet"], ("2004-06-01", "2004-10-01"))
    by_name = {row["variable"]: row for row in rows}
    assert by_name["Qle"]["models"]["NoahMP"]["n"] == by_name["Qle"]["models"]["SUMMA"]["n"] == by_name["Qle"]["n"]
    assert "SUMMA" not in by_name["Rnet"]["models"]
