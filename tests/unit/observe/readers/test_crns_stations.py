"""Neutron counts of loggers: every value of the real files is found again, rates, spikes, clocks, bad files."""

import csv
import json

import numpy as np
import pytest
from site_files import write_toa5

from pyland.base.errors import InputError
from pyland.observe import read_table, write_table
from pyland.observe.readers import read_product


def by_hand(path, column, *, header=0, first=1, empty=("", "NA", "nan", "-7999", "7999")):
    """Read one column with the csv module alone, NaN where empty."""
    with path.open() as stream:
        rows = list(csv.reader(stream))
    at = column if isinstance(column, int) else rows[header].index(column)
    return np.array([np.nan if row[at] in empty else float(row[at]) for row in rows[first:]])


def test_a_real_campbell_record_gives_counts_per_hour_of_its_lengths(shared_data):
    path = shared_data / "observations/crns/calibration_station_data.csv"
    table = read_product(path, "crns", utc_offset=-6.0)
    one, two = (by_hand(path, f"counts_{tube}_Tot", header=1, first=4) for tube in (1, 2))
    assert table.size == one.size == 16487
    assert (np.isfinite(one + two)).sum() == 16471 == np.isfinite(table.value).sum()
    length = table.extra["record_length"]
    assert dict(zip(*np.unique(length, return_counts=True), strict=True)) == {900.0: 12657, 3600.0: 3830}
    assert np.allclose(table.extra["detector_1"] * length / 3600.0, one, atol=1e-9, equal_nan=True)
    assert np.allclose(table.extra["detector_2"] * length / 3600.0, two, atol=1e-9, equal_nan=True)
    counted = np.nan_to_num(table.value * length / 3600.0)
    assert np.allclose(np.nan_to_num(table.sigma) * length / 3600.0, np.sqrt(counted))  # Poisson
    # 2021-09-22 13:00 local standard time is the end of an hour, and 19:00 UTC
    assert table.time[1] == np.datetime64("2021-09-22T18:30") and table.value[1] == 755 + 870
    assert abs(table.latitude[0] - 38.2346) < 1e-4 and abs(table.longitude[0] + 97.5709) < 1e-4
    assert np.allclose(table.extra["pressure"] / 100.0, by_hand(path, "barometric_pressure_Avg", header=1, first=4))
    silent = (one == 0.0) | (two == 0.0)
    assert silent.sum() == 1731 and not table.used[silent].any()
    assert np.nanmax(table.value) > 30000.0 and table.value[table.used].max() < 3100.0  # pulses of the electronics
    alone = read_product(path, "crns", utc_offset=-6.0, detectors=["counts_1_Tot"])  # the second tube fails for weeks
    assert 16300 < alone.used.sum() < one.size and np.percentile(alone.value[alone.used], 99.9) < 1200.0
    assert table.provenance["corrections"] == "none"


@pytest.mark.parametrize("name, layout, column, header, first, valid, used", [
    ("neptoon_FSC001_time_series.csv", "neptoon_hourly", "NeutronCount_Epithermal_Cum1h", 0, 1, 49131, 49116),
    ("neptoon_Sheepdrove2-CRNS.csv", "neptoon_corrected", "NeutronCount_Epithermal_Cum1h_corrected", 0, 1, 10922,
     10922),
    ("neptoon_finapp141.csv", "finapp", "neutrons", 0, 1, 5210, 4522),
])
def test_counts_of_real_files_equal_an_independent_read(shared_data, name, layout, column, header, first, valid, used):
    path = shared_data / "observations/crns" / name
    table = read_product(path, "crns", layout=layout, latitude=51.0, longitude=8.0)
    values = by_hand(path, column, header=header, first=first)
    assert table.size == values.size
    assert np.isfinite(values).sum() == valid == np.isfinite(table.value).sum()
    assert np.allclose(np.sort(table.value[np.isfinite(table.value)]), np.sort(values[np.isfinite(values)]))
    assert abs(table.used.sum() - used) <= 3


def test_a_file_that_repeats_lines_and_one_without_header(shared_data):
    folder = shared_data / "observations/crns"
    finapp = read_product(folder / "neptoon_finapp141.csv", "crns", layout="finapp", latitude=51.0, longitude=8.0)
    assert finapp.counts()["duplicate"] == 688
    rdt = read_product(folder / "rdt_station_neutrons.csv", "crns", layout="rdt", latitude=39.0, longitude=-97.0,
                       utc_offset=-6.0, detectors=["counts_1"], spike=None)
    values = by_hand(folder / "rdt_station_neutrons.csv", 6, first=0)
    assert np.allclose(rdt.value * rdt.extra["record_length"] / 3600.0, values, atol=1e-9, equal_nan=True)
    assert rdt.extra["record_length"][:4].tolist() == [3600.0, 3600.0, 1800.0, 3600.0]  # one is read out early
    assert rdt.value[2] == 2 * 389.0
    sheep = read_product(folder / "neptoon_Sheepdrove2-CRNS.csv", "crns", layout="neptoon_corrected", latitude=51.5,
                         longitude=-1.5)
    assert sheep.provenance["corrections"].startswith("done")
    error = by_hand(folder / "neptoon_Sheepdrove2-CRNS.csv", "NeutronCount_Epithermal_Cum1h_corrected_std")
    assert np.allclose(sheep.sigma, error, equal_nan=True)


def rows(count=60, start="2022-01-01T00:00", minutes=60, one=900, two=800):
    times = np.datetime64(start) + np.arange(count) * np.timedelta64(minutes, "m")
    return [f'"{str(time).replace("T", " ")}:00",{at},38.2,-97.5,{one},{two},960' for at, time in enumerate(times)]


def test_a_pulse_is_marked_and_a_wet_day_is_not(tmp_path):
    lines = rows(100)
    for at in range(40, 64):
        lines[at] = lines[at].replace(",900,800,", ",720,640,")  # a fifth less
    lines[30] = lines[30].replace(",900,", ",5000,")
    table = read_product(write_toa5(tmp_path / "a.dat", lines), "crns", utc_offset=-6.0)
    assert np.flatnonzero(~table.used).tolist() == [30]
    assert table.reasons()[30] == "rejected_by_quality_flag" and table.value[30] == 5800.0
    assert read_product(tmp_path / "a.dat", "crns", spike=None).used.all()


def test_lengths_change_within_a_record_and_gaps_do_not_count(tmp_path):
    lines = rows(30) + rows(60, start="2022-01-02T08:00", minutes=15, one=225, two=200)
    table = read_product(write_toa5(tmp_path / "a.dat", lines), "crns")
    assert np.allclose(table.value, 1700.0)  # also of the first record after the gap
    assert table.time[0] == np.datetime64("2021-12-31T23:30") and table.used.all()


def test_a_layout_of_ones_own_from_yaml_several_stations_and_period(tmp_path):
    (tmp_path / "layout.yaml").write_text(
        "time: [day, clock]\ntime_pattern: '%d.%m.%Y %H:%M'\ndelimiter: ';'\nmissing: [-99]\n"
        "columns:\n  counts: {names: [n1, n2], unit: counts/minute}\n  latitude: [lat, degree]\n"
        "  longitude: [lon, degree]\n  pressure: [p, kPa]\n  incoming_flux: [jung, s-1]\n")
    for name, place in (("one", 50.0), ("two", 51.0)):
        text = "day;clock;n1;n2;lat;lon;p;jung\n" + "".join(
            f"01.02.2020;{hour}:00;10;{20 if hour != 4 else -99};{place};6;97;160.5\n" for hour in range(1, 9))
        (tmp_path / f"{name}.csv").write_text(text)
    table = read_product([tmp_path / "one.csv", tmp_path / "two.csv"], "crns", layout=str(tmp_path / "layout.yaml"),
                         period=("2020-02-01T02:00", "2020-02-01T06:00"), bounds=(50.5, 52, 5, 7), time_label="start")
    assert table.counts() == {"used": 3, "missing_value": 1}
    assert np.allclose(table.value[table.used], 1800.0) and set(table.extra["station"]) == {"two"}
    assert json.loads(table.provenance["left_out"]) == {"outside_bounds": 8, "outside_period": 4}
    assert (table.extra["pressure"] == 97000.0).all() and (table.extra["incoming_flux"] == 160.5).all()
    assert table.extra_units["incoming_flux"] == "s-1"
    write_table(tmp_path / "table.nc", table)
    again = read_table(tmp_path / "table.nc")
    assert again.value.tobytes() == table.value.tobytes() and again.extra_units == table.extra_units


@pytest.mark.parametrize("change, options, message", [
    (lambda lines: lines[:5] + [lines[5][:40]], {}, "line 10: 7 cells are expected .* truncated"),
    (lambda lines: [lines[3], lines[1], *lines[4:]], {}, "line 6: time runs backward"),
    (lambda lines: [line.replace("960", "high") for line in lines], {}, "line 5: column 'barometric_pressure_Avg' mu"),
    (lambda lines: [line.replace(",900,800,", ',"NAN","NAN",') for line in lines], {}, "has no value, 60 of 60"),
    (lambda lines: [line.replace(",900,800,", ",0.1,0.1,") for line in lines], {}, "The unit is probably wrong"),
    (lambda lines: [lines[0].replace(':00:00"', ':00:00+01:00"'), *lines[1:]], {}, "Mixed time zones"),
    (lambda lines: [line.replace(':00:00"', ':00:00Z"') for line in lines], {"utc_offset": 1.0}, "Leave utc_offset o"),
    (lambda lines: lines, {"utc_offset": 60.0}, "utc_offset must lie between -12 and 14"),
    (lambda lines: [line.replace("38.2,-97.5", "NAN,NAN") for line in lines], {}, "has no place"),
    (lambda lines: lines, {"latitude": 4712.0}, "must lie within -90..90"),
    (lambda lines: lines, {"detectors": ["counts_3_Tot"]}, "detectors has no 'counts_3_Tot'"),
    (lambda lines: lines, {"layout": "crnpy"}, "neither the name of a layout"),
    (lambda lines: lines, {"layout": {"like": "campbell_crns", "columns": {"count": "a"}}}, "unknown quantity 'count'"),
    (lambda lines: lines, {"layout": {"like": "campbell_crns", "columns": {"pressure": "p_Avg"}}, "time_label": "now"},
     "time_label must be"),
    (lambda lines: lines, {"layout": {"like": "campbell_crns", "columns": {"counts": ["counts_1_Tot", "mm"]}}},
     "has the unit 'mm'; neutrons are"),
    (lambda lines: lines[:1], {}, "its length is not known from one"),
    (lambda lines: [], {}, "has no line of data"),
])  # fmt: skip
def test_bad_records_are_a_sentence(tmp_path, change, options, message):
    path = write_toa5(tmp_path / "a.dat", change(rows()))
    with pytest.raises(InputError, match=message):
        read_product(path, "crns", **options)


def test_wrong_columns_and_a_missing_unit_name_what_there_is(tmp_path):
    names = '"TIMESTAMP","RECORD","latitude","longitude","c1","c2","p"'
    path = write_toa5(tmp_path / "a.dat", rows(), names=names)
    with pytest.raises(InputError, match="there is no column 'counts_1_Tot'.*TIMESTAMP, RECORD, latitude"):
        read_product(path, "crns")
    write_toa5(path, rows(), names=names, units="")
    with pytest.raises(InputError, match="unit of column 'c1' is not known; give it in the layout"):
        read_product(path, "crns", layout={"like": "campbell_crns", "columns": {"counts": "c1"}})
