"""Forcing files of ParFlow-CLM: three layouts of the same hours, ranks, short steps, and files that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.domain.pfb import read_pfb, write_pfb
from pyland.forcing import WEATHER_FIELDS, Forcing, NldasPfbForcing, PrecipitationPhase, open_forcing
from pyland.forcing import parflow_records as records

START, HOUR = np.datetime64("1998-10-01T05:00:00"), np.timedelta64(3600, "s")
SHAPE, HOURS = (3, 4), 48
NY, NX = SHAPE
CELLS = np.arange(NY * NX)


def weather_of(hours=HOURS):
    """Values (record, y, x) by variable, every record and cell different."""
    rng = np.random.Generator(np.random.Philox(5))
    noise = rng.random((8, hours, NY, NX))
    sun = np.maximum(np.sin(2 * np.pi * (np.arange(hours) + 5 - 12.4) / 24 + np.pi / 2), 0.0)[:, None, None]
    return dict(zip(records.VARIABLES, (
        700.0 * sun * (0.5 + 0.5 * noise[0]), 330.0 + 20.0 * noise[1], 1e-3 * noise[2], 274.0 + 10.0 * noise[3],
        -3.0 + noise[4], 4.0 * noise[5], 97000.0 + 100.0 * noise[6], 0.006 + 0.001 * noise[7]), strict=True))


@pytest.fixture(scope="module")
def values():
    return weather_of()


def write_set(folder, values, layout="3D", prefix="NLDAS", first=1, subgrids=(1, 1, 1)):
    folder.mkdir(exist_ok=True)
    step = 24 if layout == "3D" else 1
    for name, field in values.items():
        for begin in range(0, len(field), step):
            number = first + begin
            label = f"{number:06d}_to_{number + step - 1:06d}" if layout == "3D" else f"{number:06d}"
            file = folder / f"{prefix}.{name}.{label}.pfb"
            write_pfb(file, field[begin : begin + step], subgrids=subgrids, dist=False)
    return folder


def opened(path, cells=CELLS, **options):
    keywords = {"record_start": START, **options}
    return NldasPfbForcing(path, np.full(len(cells), 34.75), -98.14, SHAPE, cells, **keywords)


def check_hours(forcing, values, cells=CELLS, first=0):
    """Steps of an hour return the records."""
    for hour in range(forcing.count):
        got = forcing.weather(forcing.start + hour * HOUR, 3600.0)
        raw = {name: field[first + hour].ravel()[cells] for name, field in values.items()}
        for name, label in (("air_temperature", "Temp"), ("specific_humidity", "SPFH"), ("surface_pressure", "Press"),
                            ("shortwave_down", "DSWR"), ("longwave_down", "DLWR")):
            np.testing.assert_allclose(got[name], raw[label], rtol=1e-15)
        np.testing.assert_allclose(got["wind_speed"], np.hypot(raw["UGRD"], raw["VGRD"]), rtol=1e-15)
        np.testing.assert_allclose(got["rain"] + got["snowfall"], raw["APCP"], rtol=1e-15)
        assert (got["snowfall"] > 0.0).tolist() == (raw["Temp"] < 275.15).tolist()


@pytest.mark.parametrize("layout", ["2D", "3D"])
def test_steps_of_an_hour_are_the_records(tmp_path, values, layout):
    forcing = opened(write_set(tmp_path / "f", values, layout))
    assert isinstance(forcing, Forcing)
    assert (forcing.start, forcing.end) == (START, START + HOURS * HOUR)
    assert forcing.reference_height.tolist() == [10.0] * 12
    assert set(forcing.weather(START, 3600.0)) == set(WEATHER_FIELDS)
    check_hours(forcing, values)


def test_text_of_one_place_serves_all_cells(tmp_path, values):
    file = tmp_path / "narr_1hr.txt"
    np.savetxt(file, np.stack([field[:, 1, 2] for field in values.values()], axis=1), fmt="%.17g")
    forcing = opened(file)
    assert forcing.ncell == 12 and list(forcing.checksums()) == [str(file)]
    one = {name: np.broadcast_to(field[:, 1:2, 2:3], field.shape) for name, field in values.items()}
    check_hours(forcing, one)


def test_ranks_read_their_rows_and_see_their_cells(tmp_path, values, monkeypatch):
    folder = write_set(tmp_path / "f", values, subgrids=(2, 1, 3))
    seen = []
    monkeypatch.setattr(records, "read_pfb", lambda path, y: seen.append((path, y)) or read_pfb(path, y=y))
    cells = np.array([5, 6, 7])
    check_hours(opened(folder, cells), values, cells)
    assert all(rows == slice(1, 2) for _, rows in seen)
    assert len(seen) == 2 * len(records.VARIABLES)  # two files of 24 records, each read once


@pytest.mark.parametrize("layout", ["2D", "3D"])
def test_short_steps_read_each_file_once_and_keep_energy_and_water(tmp_path, values, monkeypatch, layout):
    folder = write_set(tmp_path / "f", values, layout)
    seen = []
    monkeypatch.setattr(records, "read_pfb", lambda path, y: seen.append(path) or read_pfb(path, y=y))
    forcing = opened(folder)
    steps = [forcing.weather(START + k * np.timedelta64(1200, "s"), 1200.0) for k in range(3 * HOURS)]
    assert len(seen) == len(set(seen)) == len(list(folder.iterdir()))
    water = sum(step["rain"] + step["snowfall"] for step in steps) * 1200.0
    np.testing.assert_allclose(water, values["APCP"].sum(axis=0).ravel() * 3600.0, rtol=1e-12)
    energy = sum(step["shortwave_down"] for step in steps) * 1200.0
    np.testing.assert_allclose(energy, values["DSWR"].sum(axis=0).ravel() * 3600.0, rtol=1e-12)
    middle = steps[3 * 20 + 1]["air_temperature"]  # in the middle of an hour: its record
    np.testing.assert_allclose(middle, values["Temp"][20].ravel(), rtol=1e-12)


def test_a_run_may_begin_within_a_file(tmp_path, values):
    folder = write_set(tmp_path / "f", values, first=25)
    forcing = opened(folder, first_record=31)
    assert forcing.count == 42
    check_hours(forcing, values, first=6)
    again = open_forcing(
        "nldas-pfb", path=folder, latitude=np.full(12, 34.75), longitude=-98.14, cells=CELLS, shape=SHAPE,
        first_record=25, start=START + 6 * HOUR, end=START + 8 * HOUR, record_start=START,
        phase=PrecipitationPhase("wet_bulb"))
    assert again.describe()["first_record"] == 25
    np.testing.assert_array_equal(again.weather(START + 6 * HOUR, 3600.0)["air_temperature"],
                                  forcing.weather(START, 3600.0)["air_temperature"])
    assert len(again.checksums()) == 8  # of the first day alone


def test_missing_record_is_found_when_the_weather_is_opened(tmp_path, values):
    folder = write_set(tmp_path / "f", values, "2D")
    (folder / "NLDAS.Press.000030.pfb").unlink()
    opened(folder, until=START + 29 * HOUR)
    with pytest.raises(InputError, match=r"record 30 of Press is missing \(records 1 to 40 .*NLDAS.Press.000030.pfb"):
        opened(folder, until=START + 40 * HOUR)
    with pytest.raises(InputError, match="record 49 of DSWR is missing"):
        opened(write_set(tmp_path / "g", values), until=START + 49 * HOUR)
    for file in folder.glob("*.VGRD.*"):
        file.unlink()
    with pytest.raises(InputError, match=r"no forcing files of VGRD; expected NLDAS.VGRD.000001.pfb"):
        opened(folder)


def test_files_that_do_not_fit(tmp_path, values):
    folder = write_set(tmp_path / "f", values)
    with pytest.raises(InputError, match="expected 4 x 5 cells .* as in the domain, got 4 x 3"):
        NldasPfbForcing(folder, 0.0, 0.0, (5, 4), np.arange(20), START)
    last = folder / "NLDAS.Temp.000025_to_000048.pfb"
    whole = last.read_bytes()
    last.write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"NLDAS.Temp.000025_to_000048.pfb: subgrid 1 .* cut off"):
        opened(folder, until=START + HOURS * HOUR)
    opened(folder, until=START + 24 * HOUR)
    write_pfb(last, values["Temp"][:23], dist=False)
    with pytest.raises(InputError, match="expected 24 records along z by its name, got 23"):
        opened(folder, until=START + HOURS * HOUR)
    last.write_bytes(whole)
    write_pfb(folder / "OTHER.Temp.000001.pfb", values["Temp"][:1], dist=False)
    with pytest.raises(InputError, match="forcing files of NLDAS, OTHER; choose one with forcing.prefix"):
        opened(folder)
    opened(folder, prefix="NLDAS")
    write_pfb(folder / "NLDAS.Temp.000007.pfb", values["Temp"][:1], dist=False)
    with pytest.raises(InputError, match="both hold record 7"):
        opened(folder, prefix="NLDAS")
    with pytest.raises(InputError, match="no such file or folder"):
        opened(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no forcing files of DSWR"):
        opened(write_set(tmp_path / "empty", {}))


def test_file_that_vanishes_or_breaks_while_the_run_goes_on(tmp_path, values):
    folder = write_set(tmp_path / "f", values)
    forcing = opened(folder)
    forcing.weather(START, 3600.0)
    later = folder / "NLDAS.SPFH.000025_to_000048.pfb"
    later.write_bytes(later.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"SPFH.000025.*cut off.*records 25 to 48 of SPFH.*--resume"):
        forcing.weather(START + 30 * HOUR, 3600.0)
    later.unlink()
    with pytest.raises(InputError, match=r"no such file.*records 25 to 48 of SPFH"):
        forcing.weather(START + 30 * HOUR, 3600.0)


def test_impossible_values_name_record_and_time(tmp_path, values):
    wrong = {**values, "Temp": values["Temp"].copy()}
    wrong["Temp"][26, 1, 0] = 12.0
    forcing = opened(write_set(tmp_path / "f", wrong))
    words = r"Temp.000025_to.*'Temp' at index 27, cell 4 \(1998-10-02T07:00:00 UTC\) is 12 K"
    with pytest.raises(InputError, match=words):
        forcing.weather(START + 26 * HOUR, 3600.0)


@pytest.mark.parametrize(("text", "words"), [("1 2 3\n", "expected 8 numbers a line"), ("a b\n", "cannot be read"),
                                             ("", "expected 8 numbers a line")])
def test_wrong_text(tmp_path, text, words):
    (tmp_path / "met.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        opened(tmp_path / "met.txt")


def test_text_that_ends_early(tmp_path, values):
    file = tmp_path / "met.txt"
    np.savetxt(file, np.stack([field[:5, 0, 0] for field in values.values()], axis=1))
    with pytest.raises(InputError, match="record 6 is needed, but the file has 5 lines"):
        opened(file, until=START + 6 * HOUR)


def test_arguments_of_the_door(tmp_path, values):
    folder = write_set(tmp_path / "f", values)
    with pytest.raises(InputError, match="nldas-pfb' needs latitude, longitude, cells, shape"):
        open_forcing("nldas-pfb", path=folder, start=START)
    with pytest.raises(InputError, match="lapse_rate has no meaning"):
        open_forcing("nldas-pfb", path=folder, lapse_rate=0.006)
    with pytest.raises(InputError, match="first_record has no meaning"):
        open_forcing("alma", path=folder, first_record=2)


def test_little_washita(shared_data):
    """Numbers of the data set's own description: 3.4 mm of rain, none before record 80, 283.8 to 304.8 K."""
    ny = nx = 41
    forcing = NldasPfbForcing(shared_data / "little_washita" / "forcing", np.full(ny * nx, 34.75), -98.14, (ny, nx),
                              np.arange(ny * nx), START)
    assert forcing.count == 120
    hours = [forcing.weather(START + k * HOUR, 3600.0) for k in range(120)]
    rain = np.array([hour["rain"] for hour in hours]) * 3600.0
    assert rain[:79].max() == 0.0 and rain.sum(axis=0).mean() == pytest.approx(3.4, abs=0.05)
    assert rain.max() == pytest.approx(5.05, abs=0.005)
    warm = np.array([hour["air_temperature"] for hour in hours])
    assert (warm.min(), warm.max()) == (pytest.approx(283.8, abs=0.05), pytest.approx(304.8, abs=0.05))
    assert max(hour["snowfall"].max() for hour in hours) == 0.0
