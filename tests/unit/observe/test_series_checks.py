"""Spikes, breaks and plateaus of stations: each is found where it was put, and nothing in a series that is well."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import ObservationTable
from pyland.observe.quality import apply_series_checks, find_breaks, find_low_plateaus, find_spikes

HOURS = 600


def series(count=4, noise=0.0005):
    """Drying ground with a wetting front at hour 300, which rises over several hours (600, series)."""
    random = np.random.default_rng(1)
    hour = np.arange(HOURS)[:, None]
    rain = 0.1 / (1.0 + np.exp(-(hour - 300) / 3.0)) * np.exp(-np.maximum(hour - 300, 0) / 200.0)
    return 0.25 * np.exp(-hour / 2000.0) + rain + noise * random.standard_normal((HOURS, count))


def test_rain_is_neither_spike_nor_break():
    values = series(50)
    assert not find_spikes(values).any() and not find_breaks(values).any()
    assert not find_low_plateaus(values, find_breaks(values)).any()


@pytest.mark.parametrize("size", [0.08, -0.08])
def test_a_spike_is_found_where_it_was_put(size):
    values = series(noise=0.0)
    values[100, 1] += size
    assert np.argwhere(find_spikes(values)).tolist() == [[100, 1]] and not find_breaks(values).any()
    values[105, 1] = np.nan  # the day around it is not known
    assert not find_spikes(values).any()


@pytest.mark.parametrize("size", [0.08, -0.08])
def test_a_break_is_found_where_it_was_put(size):
    values = series(noise=0.0)
    values[100:, 2] += size
    found = find_breaks(values)
    assert np.argwhere(found).tolist() == [[100, 2]] and found[100, 2] == np.sign(size)
    assert not find_spikes(values).any()


def test_a_dead_sensor_is_a_drop_and_a_plateau_until_it_lives_again():
    values = series(noise=0.0005)
    values[100:140, 0] = 0.05
    breaks = find_breaks(values)
    assert breaks[100, 0] == -1 and breaks[140, 0] == 1
    assert np.flatnonzero(find_low_plateaus(values, breaks).any(axis=1)).tolist() == list(range(100, 140))
    assert not find_low_plateaus(values, np.zeros_like(breaks)).any()  # constant, but no drop
    values[100:110, 1] = 0.05  # too short
    assert not find_low_plateaus(values, find_breaks(values))[:, 1].any()


def test_a_table_of_stations_and_depths():
    values = series(2, noise=0.0)
    values[100, 0] += 0.08
    values[200:, 1] += 0.08
    hour, one = (each.ravel() for each in np.indices(values.shape))
    random = np.random.default_rng(2).permutation(hour.size)
    hour, one = hour[random], one[random]
    times = np.datetime64("2018-01-01T00:00:00") + hour * np.timedelta64(1, "h")
    table = ObservationTable(
        "a station", "soil_moisture", values[hour, one], times, 50.0, 6.0, 0.02, location=3, top=0.05 * one,
        bottom=0.05 * one)
    found = apply_series_checks(table)
    assert found.counts() == {"used": 2 * HOURS - 2, "rejected_by_quality_flag": 2}
    assert sorted(hour[~found.used]) == [100, 200]
    assert "1 spikes, 1 breaks, 0 low plateaus" in found.provenance["history"]
    with pytest.raises(InputError, match="two values at one time"):
        apply_series_checks(table.rows(np.append(np.arange(table.size), 0)))
    table.time[0] += np.timedelta64(1, "m")
    with pytest.raises(InputError, match="whole hours"):
        apply_series_checks(table)
