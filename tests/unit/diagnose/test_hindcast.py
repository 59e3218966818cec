"""Skill of past forecasts: an autoregressive process whose skill is known, plain sums, repeats and superseding runs."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.config.hindcast import HindcastSection
from pyland.diagnose.ensemble_scores import crps
from pyland.diagnose.hindcast import Forecast, HindcastRecord
from pyland.diagnose.hindcast_sums import SCORES

START = np.datetime64("2020-06-01", "s")
DAY = np.timedelta64(86400, "s")
PHI, SIGMA = 0.8, 2.0
PLACES, CYCLES, LEADS, MEMBERS = 400, 60, 3, 10


def world(seed=3, places=PLACES, cycles=CYCLES):
    """An AR(1) process of mean 280 and standard deviation SIGMA, and its exact ensemble forecasts by cycle and lead."""
    rng = np.random.default_rng(seed)
    state = np.empty((cycles, places))
    state[0] = rng.normal(0.0, SIGMA, places)
    for day in range(1, cycles):
        state[day] = PHI * state[day - 1] + rng.normal(0.0, SIGMA * np.sqrt(1.0 - PHI**2), places)
    forecasts = {}
    for cycle in range(cycles):
        members = np.repeat(state[cycle][None], MEMBERS, axis=0)
        for lead in range(1, LEADS + 1):
            members = PHI * members + rng.normal(0.0, SIGMA * np.sqrt(1.0 - PHI**2), members.shape)
            forecasts[cycle, lead] = 280.0 + members
    return 280.0 + state, forecasts


def give(record, analyses, forecasts, day, name="t", **changes):
    """Verify one day with all forecasts that reach it."""
    reach = [Forecast(START + (day - lead) * DAY, forecasts[day - lead, lead], analyses[day - lead])
             for lead in range(1, LEADS + 1) if day >= lead]
    facts = {"climatology": np.full(analyses.shape[1], 280.0)} | changes
    record.verify(name, START + day * DAY, analyses[day], reach, **facts)


@pytest.fixture(scope="module")
def known():
    analyses, forecasts = world()
    record = HindcastRecord()
    for day in range(1, CYCLES):
        give(record, analyses, forecasts, day)
        record.close(START + (day - 5) * DAY)
    return record, analyses, forecasts


def test_skill_of_an_autoregressive_process_is_the_analytic_one(known):
    record, *_ = known
    for row in record.table("t"):
        lead = round(row["lead"] / 86400.0)
        rho = PHI**lead
        error = SIGMA * np.sqrt(1.0 - rho**2)
        assert row["n"] == PLACES * (CYCLES - lead)
        assert row["rmse"] == pytest.approx(error * np.sqrt(1.0 + 1.0 / MEMBERS), rel=0.02)
        assert row["spread_error"] == pytest.approx(1.0, abs=0.02)
        assert row["rmse_climatology"] == pytest.approx(SIGMA, rel=0.03)
        assert row["rmse_persistence"] == pytest.approx(SIGMA * np.sqrt(2.0 * (1.0 - rho)), rel=0.03)
        share = (1.0 - rho**2) * (1.0 + 1.0 / MEMBERS)
        assert row["skill_climatology"] == pytest.approx(1.0 - share, abs=0.02)
        assert row["skill_persistence"] == pytest.approx(1.0 - share / (2.0 * (1.0 - rho)), abs=0.02)
        # CRPS of m draws of the normal distribution: error/sqrt(pi) (1 + 1/m); of a single value its mean error
        crps_expected = error / np.sqrt(np.pi) * (1.0 + 1.0 / MEMBERS)
        assert row["crps"] == pytest.approx(crps_expected, rel=0.03)
        assert row["crps_skill_climatology"] == pytest.approx(1.0 - crps_expected / (SIGMA * np.sqrt(2.0 / np.pi)),
                                                              abs=0.02)
        noise = (1.0 - rho**2) / MEMBERS  # of the mean of the members, in units of the variance
        assert row["anomaly_correlation"] == pytest.approx(rho**2 / np.sqrt(rho**2 + noise), abs=0.02)
        assert abs(row["bias"]) < 0.05


def test_sums_are_those_of_all_pairs_at_once(known):
    record, analyses, forecasts = known
    scores = record.scores("t")
    for lead in range(1, LEADS + 1):
        mean = np.array([forecasts[cycle, lead].mean(axis=0) for cycle in range(CYCLES - lead)])
        came, start = analyses[lead:], analyses[: CYCLES - lead]
        got = {name: values[lead - 1] for name, values in scores.items()}
        np.testing.assert_allclose(got["bias"], (mean - came).mean(axis=0), atol=2e-7)
        np.testing.assert_allclose(got["rmse"], np.sqrt(((mean - came) ** 2).mean(axis=0)), rtol=1e-6)
        np.testing.assert_allclose(got["rmse_persistence"], np.sqrt(((start - came) ** 2).mean(axis=0)), rtol=1e-6)
        expected = [np.corrcoef(mean[:, place], came[:, place])[0, 1] for place in range(PLACES)]
        np.testing.assert_allclose(got["correlation"], expected, atol=1e-6)
        score = np.mean([crps(forecasts[cycle, lead], analyses[cycle + lead]) for cycle in range(CYCLES - lead)],
                        axis=0)
        np.testing.assert_allclose(got["crps"], score, rtol=1e-6)
        left, right = mean - 280.0, came - 280.0
        expected = (left * right).sum(axis=0) / np.sqrt((left**2).sum(axis=0) * (right**2).sum(axis=0))
        np.testing.assert_allclose(got["anomaly_correlation"], expected, atol=1e-6)


def build(path, days, analyses, forecasts, *, repeat=False, kept_open=5):
    """Give days one by one, with the file read and written each time, some twice if ``repeat``."""
    for day in days:
        for _ in range(2 if repeat and day % 2 else 1):
            record = HindcastRecord.read(path)
            give(record, analyses, forecasts, day)
            record.close(START + (day - kept_open) * DAY)
            record.write(path)
    return path.read_bytes()


def test_repeated_cycles_count_once_and_give_the_same_bytes(tmp_path):
    analyses, forecasts = world(places=6, cycles=15)
    once = build(tmp_path / "a.nc", range(1, 15), analyses, forecasts)
    assert build(tmp_path / "b.nc", range(1, 15), analyses, forecasts, repeat=True) == once


def test_a_superseding_run_replaces_its_pairs(tmp_path):
    analyses, forecasts = world(places=6, cycles=15)
    early, wrong = analyses.copy(), dict(forecasts)
    early[9:] += 3.0
    for cycle, lead in forecasts:
        if cycle >= 9:
            wrong[cycle, lead] = forecasts[cycle, lead] + 3.0
    build(tmp_path / "c.nc", range(1, 12), early, wrong)  # days 9 to 11 with early inputs
    build(tmp_path / "c.nc", range(9, 15), analyses, forecasts)  # the final ones came: again from day 9
    build(tmp_path / "d.nc", range(1, 15), analyses, forecasts)
    got, expected = (HindcastRecord.read(tmp_path / name).table("t") for name in ("c.nc", "d.nc"))
    assert got == expected
    record = HindcastRecord.read(tmp_path / "c.nc")
    assert record.period("t") == (START + DAY, START + 14 * DAY)
    with pytest.raises(InputError, match=r"pairs before 2020-06-10T00:00:00 are final"):
        give(record, analyses, forecasts, 8)


def test_size_does_not_grow_and_what_is_final_needs_no_forecast(tmp_path):
    analyses, forecasts = world(places=6, cycles=36)
    build(tmp_path / "e.nc", range(1, 12), analyses, forecasts)
    size = (tmp_path / "e.nc").stat().st_size
    build(tmp_path / "e.nc", range(12, 36), analyses, forecasts)
    assert (tmp_path / "e.nc").stat().st_size <= 1.05 * size
    whole = HindcastRecord()
    for day in range(1, 36):
        give(whole, analyses, forecasts, day)  # never closed: all pairs are there
    for got, expected in zip(HindcastRecord.read(tmp_path / "e.nc").table("t"), whole.table("t"), strict=True):
        assert got == pytest.approx(expected, rel=1e-12)


def test_gaps_references_and_errors_of_observations():
    record = HindcastRecord()
    members = np.array([[1.0, 1.0, 1.0], [3.0, 3.0, np.nan]])
    for day in range(1, 5):
        came = np.array([1.0 + day, np.nan, 2.0])
        record.verify("wet", START + day * DAY, came, [Forecast(START + (day - 1) * DAY, members)],
                      error=np.full(3, 2.0))
    scores = {name: values[0] for name, values in record.scores("wet").items()}
    np.testing.assert_array_equal(scores["n"], [4, 0, 0])
    # errors 2 - (2, 3, 4, 5) = 0, -1, -2, -3
    assert scores["bias"][0] == -1.5 and scores["rmse"][0] == pytest.approx(np.sqrt(14.0 / 4.0))
    # variance of 1 and 3 is 2, times 1 + 1/2, and that of the observations is 4
    assert scores["spread"][0] == pytest.approx(np.sqrt(3.0 + 4.0))
    for name in ("rmse_persistence", "skill_climatology", "anomaly_correlation", "crps_skill_persistence",
                 "correlation"):
        assert np.isnan(scores[name]).all(), name  # no reference, and a forecast that never varies
    assert np.isnan(scores["rmse"][1:]).all()
    (row,) = record.table("wet", [1.0, 5.0, 5.0])
    assert row["n"] == 4 and row["bias"] == -1.5 and set(row) == {"lead", *SCORES}


def test_wrong_arguments_are_told(tmp_path):
    record = HindcastRecord()
    record.verify("t", START, np.zeros(2), [])
    assert record.period("t") is None and record.table("t") == [] and record.scores("t")["rmse"].shape == (0, 2)
    with pytest.raises(InputError, match="expected 2 places as before, got 3"):
        record.verify("t", START, np.zeros(3), [])
    with pytest.raises(InputError, match="expected forecasts from before"):
        record.verify("t", START, np.zeros(2), [Forecast(START, np.zeros((2, 2)))])
    with pytest.raises(InputError, match=r"expected members \(member, 2\)"):
        record.verify("t", START + DAY, np.zeros(2), [Forecast(START, np.zeros(2))])
    with pytest.raises(InputError, match="'climatology' at 2 places"):
        record.verify("t", START + DAY, np.zeros(2), [Forecast(START, np.zeros((2, 2)))], climatology=[1.0])
    with pytest.raises(InputError, match="no quantity 's'; the record has t"):
        record.scores("s")
    with pytest.raises(InputError, match="weight of 0 or more for each of 2"):
        record.table("t", [1.0])
    (tmp_path / "wrong.nc").write_bytes(b"nothing")
    with pytest.raises(InputError, match="expected a record of forecasts"):
        HindcastRecord.read(tmp_path / "wrong.nc")


def test_section_names_its_quantities():
    section = HindcastSection(quantities=[{"depth": [0.0, 0.05]}, {"variable": "snow_mass"}])
    assert [one.name for one in section.quantities] == ["soil_water_0_5cm", "snow_mass"]
    with pytest.raises(ValueError, match="got 'snow_mass' more than once"):
        HindcastSection(quantities=[{"variable": "snow_mass"}, {"variable": "snow_mass"}])
    with pytest.raises(ValueError, match="bottom below top"):
        HindcastSection(quantities=[{"depth": [0.1, 0.1]}])
