"""Alarms against a plain loop over cells, members and times, and against cases counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.config.alarms import DROUGHT_PERCENTILES, AlarmRule, AlarmsSection
from pyland.diagnose.alarms import AlarmField, AlarmPlaces, evaluate_alarms, quantile_weights
from pyland.diagnose.drought_classes import CLASSES

ANALYSIS = np.datetime64("2020-07-01", "s")
DAYS = ANALYSIS + np.arange(5) * np.timedelta64(1, "D")
PLACES = AlarmPlaces(np.array([38.0, 38.0, 39.0, 39.0]), np.array([99.0, 100.0, 99.0, 100.0]),
                     np.array([1.0e6, 2.0e6, 3.0e6, 4.0e6]), {"south": np.array([True, True, False, False])})


def dry(values, **changes):
    """A field of percentiles (time, member, cell), the values beside them a thousandth."""
    values = np.asarray(values, float)
    return AlarmField(DAYS[: len(values)], values / 1000.0, values, **changes)


def rule(**changes):
    return AlarmRule(**({"name": "dry", "threshold": 10.0, "probability": 0.75} | changes))


def run(field, previous=(), moment=ANALYSIS, **changes):
    return evaluate_alarms([rule(**changes)], {"soil_water": field}, PLACES, moment, previous)


def by_hand(values, limit, probability, least):
    """Return for each time whether the alarm is on and the area, cell by cell."""
    out = []
    for time in values:
        area = 0.0
        for cell in range(4):
            count = sum(1 for member in time if member[cell] <= limit)
            if count / len(time) >= probability:
                area += PLACES.area[cell]
        out.append((area > 0.0 and area / 10.0e6 >= least, area))
    return out


@pytest.mark.parametrize("seed", range(5))
def test_times_and_area_are_those_of_a_plain_loop(seed):
    values = np.random.default_rng(seed).uniform(0.0, 25.0, (5, 8, 4))
    values[:, :, 2] *= 0.5
    expected = by_hand(values, 10.0, 0.5, 0.3)
    found = run(dry(values), probability=0.5, least_share=0.3)
    times = [day for day, (is_on, _) in zip(DAYS, expected, strict=True) if is_on]
    assert times, "the seed makes no alarm and tests nothing"
    (alarm,) = found
    assert alarm.first == str(times[0]) and alarm.last == str(times[-1])
    largest = max(area for is_on, area in expected if is_on)
    assert alarm.area == largest and alarm.share == pytest.approx(largest / 10.0e6, rel=1e-14)
    assert alarm.at == str(next(day for day, (is_on, area) in zip(DAYS, expected, strict=True)
                                if is_on and area == largest))


def test_the_limit_and_the_probability_themselves_count():
    values = np.full((1, 4, 4), 50.0)
    values[0, :3, 3] = 10.0  # exactly the limit, exactly three of four members
    (alarm,) = run(dry(values))
    assert alarm.cells == 1 and alarm.area == 4.0e6 and alarm.worst["probability"] == 0.75
    assert (alarm.worst["latitude"], alarm.worst["longitude"]) == (39.0, 100.0)
    np.testing.assert_array_equal(alarm.where, [False, False, False, True])
    assert run(dry(values), probability=0.76) == []
    assert run(dry(values), least_share=0.41) == [] and len(run(dry(values), least_share=0.4)) == 1
    # the mean of the members is (3 x 10 + 50)/4 = 20
    assert run(dry(values), probability=None) == []
    assert len(run(dry(values), probability=None, threshold=20.0)) == 1


def test_missing_members_and_cells_do_not_count():
    values = np.full((1, 4, 4), 50.0)
    values[0, :2, 0] = 5.0
    values[0, 2:, 0] = np.nan  # two of two members
    values[0, :, 3] = np.nan  # the largest cell has no value: 1 of 6 km2
    (alarm,) = run(dry(values))
    assert alarm.share == pytest.approx(1.0 / 6.0) and alarm.worst["probability"] == 1.0
    assert run(dry(np.full((1, 4, 4), np.nan))) == []


def test_above_value_zone_polygon_and_lead():
    values = np.zeros((5, 4, 4))
    values[3, :, 1] = 0.5
    field = AlarmField(DAYS, values)
    wet = {"statistic": "value", "direction": "above", "threshold": 0.4}
    (alarm,) = run(field, zone="south", **wet)
    assert alarm.share == pytest.approx(2.0 / 3.0) and alarm.first == alarm.last == str(DAYS[3])
    assert run(field, lead=[0.0, 2 * 86400.0], **wet) == []
    assert len(run(field, lead=[3 * 86400.0, 9 * 86400.0], **wet)) == 1
    with pytest.raises(InputError, match="no time of its field"):
        run(field, lead=[5 * 86400.0, 9 * 86400.0], **wet)
    with pytest.raises(InputError, match="no zone 'north'; zones of the run: south"):
        run(field, zone="north", **wet)
    ring = [[99.5, 37.5], [100.5, 37.5], [100.5, 38.5], [99.5, 38.5]]
    assert run(field, polygon=ring, **wet)[0].share == 1.0
    with pytest.raises(InputError, match="its polygon holds no cell"):
        run(field, polygon=[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], **wet)


def series(*levels):
    """All members and cells at one percentile per day."""
    return dry(np.broadcast_to(np.asarray(levels)[:, None, None], (len(levels), 4, 4)).copy())


def test_hysteresis_holds_an_alarm_that_is_on():
    changes = {"cleared_at": 20.0}
    # raised on the second day, held at 15, let go at 25, and 15 alone does not raise it again
    (alarm,) = run(series(15.0, 5.0, 15.0, 25.0, 15.0), **changes)
    assert (alarm.first, alarm.last, alarm.status) == (str(DAYS[1]), str(DAYS[2]), "raised")
    before = [alarm.as_dict()]
    later = DAYS[1]
    (held,) = run(series(15.0, 15.0), before, later, **changes)
    assert held.status == "ongoing" and held.first == str(DAYS[0]) and held.since == str(ANALYSIS)
    assert not held.is_due and held.share == 1.0
    (gone,) = run(series(21.0, 15.0), before, later, **changes)
    assert gone.status == "cleared" and gone.is_due and gone.first is None
    assert run(series(15.0), [gone.as_dict()], later, **changes) == []
    assert run(series(15.0), (), later, **changes) == []


def test_repeat_rule_and_classes():
    (first,) = run(series(8.0))
    assert first.drought_class == "D2" and first.is_due
    two, three = (ANALYSIS + days * np.timedelta64(1, "D") for days in (2, 3))
    (quiet,) = run(series(8.0), [first.as_dict()], two, repeat=3 * 86400.0)
    assert not quiet.is_due and quiet.told == str(ANALYSIS)
    (again,) = run(series(8.0), [quiet.as_dict()], three, repeat=3 * 86400.0)
    assert again.is_due and again.told == str(three) and again.status == "ongoing"
    (worse,) = run(series(4.0), [quiet.as_dict()], two)
    assert worse.status == "worse" and worse.drought_class == "D3" and worse.is_due and worse.since == str(ANALYSIS)
    (better,) = run(series(8.0), [worse.as_dict()], three)
    assert better.status == "ongoing" and not better.is_due


@pytest.mark.parametrize(("level", "expected"), [(30.0, "D0"), (20.0, "D1"), (10.0, "D2"), (5.0, "D3"), (2.0, "D4"),
                                                 (30.1, None)])
def test_drought_classes_begin_at_their_percentile(level, expected):
    found = run(series(level), threshold="D0")
    assert (found[0].drought_class if found else None) == expected


def test_drought_classes_are_those_of_the_drought_tables():
    assert dict(CLASSES) == DROUGHT_PERCENTILES


def test_quantiles_stand_for_members():
    weights = quantile_weights([0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(weights, [0.15, 0.225, 0.25, 0.225, 0.15], rtol=1e-14)
    values = np.full((1, 5, 4), 50.0)
    values[0, :3] = 5.0  # quantiles up to the median: 62.5 % of the members
    assert len(run(dry(values, weights=weights), probability=0.62)) == 1
    assert run(dry(values, weights=weights), probability=0.63) == []
    with pytest.raises(InputError, match="rise between 0 and 1"):
        quantile_weights([0.5, 0.25])


def test_text_in_three_languages_and_json():
    (alarm,) = run(series(4.0, 50.0), depth=[0.0, 1.0], zone="south")
    assert alarm.text["en"] == (
        "New alarm: soil water at 0-100 cm at or below percentile 10 in at least 75 % of the members over 100 % of "
        "south (3 km²), 2020-07-01 00:00 to 2020-07-01 00:00 UTC; class D3, extreme drought. Worst at 38.00°N 99.00°E: "
        "100 % of the members.")
    assert alarm.text["de"].startswith("Neuer Alarm: Bodenwasser in 0-100 cm Tiefe höchstens beim 10. Perzentil")
    assert "；等级 D3，极端干旱。最严重地点" in alarm.text["zh"]
    content = alarm.as_dict()
    assert json.loads(json.dumps(content)) == content and "where" not in content
    (gone,) = run(series(50.0), [content], depth=[0.0, 1.0], zone="south")
    assert gone.text["en"] == "Cleared: soil water at 0-100 cm in south is no longer at or below percentile 10."
    (named,) = evaluate_alarms([rule(variable="latent_heat_flux", statistic="value", probability=None)],
                               {"latent_heat_flux": series(4.0)}, PLACES, ANALYSIS)
    assert named.text["de"].startswith("Neuer Alarm: latent heat flux höchstens bei 10 W m-2 im Mittel der Mitglieder")


@pytest.mark.parametrize(("changes", "words"), [
    ({"threshold": "D2", "statistic": "value"}, "statistic percentile and direction below"),
    ({"cleared_at": 9.0}, "at least the threshold 10, got 9"),
    ({"direction": "above", "cleared_at": 11.0}, "at most the threshold 10, got 11"),
    ({"threshold": 101.0}, "percentile from 0 to 100"),
    ({"variable": "soil_watr"}, "did you mean 'soil_water'"),
    ({"zone": "south", "polygon": [[0, 0], [1, 0], [1, 1]]}, "a zone or a polygon, got both"),
    ({"polygon": [[0, 0], [1, 1]]}, "three or more corners"),
    ({"lead": [5.0, 1.0]}, "second number at or above the first"),
    ({"name": "a b"}, "letters, digits"),
    ({"probability": 0.0}, "above 0"),
])
def test_wrong_rules_are_told(changes, words):
    with pytest.raises(ValueError, match=words):
        rule(**changes)


def test_wrong_sections_and_fields_are_told():
    with pytest.raises(ValueError, match="got 'alarm' more than once"):
        AlarmsSection(rules=[{}, {}])
    with pytest.raises(ValueError, match="begins with http"):
        AlarmsSection(webhook="ftp://example.org")
    with pytest.raises(InputError, match="asks for percentiles"):
        run(AlarmField(DAYS[:1], np.zeros((1, 2, 4))))
    with pytest.raises(InputError, match="no field of 'snow_mass', only of soil_water"):
        run(series(5.0), variable="snow_mass")
    with pytest.raises(InputError, match="expected values"):
        AlarmField(DAYS, np.zeros((4, 2, 4)))
    with pytest.raises(InputError, match="rising times"):
        AlarmField(DAYS[::-1], np.zeros((5, 2, 4)))
    with pytest.raises(InputError, match="its field has 3 cells"):
        run(dry(np.zeros((1, 2, 3))))
