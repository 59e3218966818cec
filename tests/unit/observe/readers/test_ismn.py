"""The International Soil Moisture Network: both formats, archives, flags, depths, static fields, bad files."""

import json

import numpy as np
import pytest
from site_files import ISMN_VALUES, write_ismn, zip_folder

from pyland.base.errors import InputError
from pyland.observe.readers import read_product

REASONS = ["used", "frozen_ground", "value_out_of_range", "value_out_of_range", "rejected_by_quality_flag",
           "missing_value", "rejected_by_quality_flag"]


@pytest.mark.parametrize("ceop", [False, True])
def test_values_places_and_flags_of_both_formats(tmp_path, ceop):
    table = read_product(write_ismn(tmp_path, ceop=ceop), "ismn")
    assert table.reasons() == REASONS
    expected = np.where(np.array(ISMN_VALUES) < -999.0, np.nan, ISMN_VALUES)
    assert np.array_equal(table.value, expected, equal_nan=True)
    assert table.time[3] == np.datetime64("2018-06-01T03:00")
    assert np.allclose(table.latitude, 50.98920) and np.allclose(table.longitude, 6.32355)
    assert (table.top == 0.05).all() and (table.bottom == 0.05).all()
    assert set(table.extra["station"]) == {"Gevenich"} and table.extra["elevation"][0] == 108.0
    # of two numbers of the same depth the one measured at the station wins
    assert table.extra["clay"][0] == 18.5 and table.extra["sand"][0] == 41.0 and table.extra_units["clay"] == "%"
    assert "Dfb (koeppen_geiger_2007)" in table.provenance["static"]
    assert read_product(tmp_path / "TERENO/Gevenich/*.stm", "ismn", accepted=("G", "U", "D06")).used.sum() == 3


def test_sensors_and_depths_are_rows_and_an_archive_equals_its_folder(tmp_path):
    write_ismn(tmp_path / "x")
    write_ismn(tmp_path / "x", sensor="SPADE_2", values=(0.3,) * 7, flags=("G",) * 7)
    write_ismn(tmp_path / "x", top=0.2, bottom=0.5, values=(0.31,) * 7, flags=("G",) * 7)
    write_ismn(tmp_path / "x", station="Merzenhausen", place=(50.93, 6.297, 91.0))
    write_ismn(tmp_path / "x", variable="ts", values=(280.0,) * 7)
    folder = read_product(tmp_path / "x/**/*.stm", "ismn")
    archive = read_product(zip_folder(tmp_path / "x", tmp_path / "data.zip"), "ismn")
    for table in (folder, archive):
        assert table.size == 28 and np.unique(table.location).size == 2
        assert "duplicate" not in table.counts()  # two sensors of one place and depth are two
        deep = table.bottom == 0.5
        assert deep.sum() == 7 and (table.extra["clay"][deep] == 25.0).all()  # 0.2 m of overlap, against 0.1 m
        assert json.loads(table.provenance["left_out"]) == {"files_of_other_variables": 1}
    assert np.array_equal(folder.location, archive.location) and np.array_equal(folder.value, archive.value,
                                                                                 equal_nan=True)
    near = read_product(tmp_path / "x/**/*.stm", "ismn", depth=(0.0, 0.1), bounds=(50.9, 50.95, 6, 7))
    assert near.size == 7
    assert json.loads(near.provenance["left_out"]) == {
        "files_of_other_variables": 1, "files_of_other_depths": 1, "outside_bounds": 14}


def test_snow_depth_in_millimetres_becomes_metres(tmp_path):
    write_ismn(tmp_path, variable="sd", top=0.0, bottom=0.0, values=(120.0, 130.0), flags=("G", "G"))
    table = read_product(tmp_path / "TERENO/Gevenich/*_sd_*.stm", "ismn", variable="sd")
    assert table.type == "snow_depth" and np.allclose(table.value, [0.12, 0.13])


@pytest.mark.parametrize("change, options, message", [
    (lambda text: text[: text.rfind(" 0.2190")], {}, "line 8: expected 5 cells, got 2"),
    (lambda text: text.replace("50.98920", "50d59m"), {}, "not five numbers"),
    (lambda text: text.replace("50.98920", "509.8920"), {}, "must lie within -90..90"),
    (lambda text: text.replace("06/01 02:00", "06/31 02:00"), {}, "a time is not of the form"),
    (lambda text: text.replace("0.2280", "0,2280"), {}, "a value is no number"),
    (lambda text: "", {}, "is empty"),
    (lambda text: text.split("\n")[0] + "\n", {}, "has no line of data"),
    (lambda text: text.replace(" 0.", " 23."), {}, "The unit is probably wrong"),
    (lambda text: text, {"variable": "ts"}, "variable must be one of sm, sd"),
    (lambda text: text, {"depth": (0.5, 1.0)}, "no file of the variable 'sm' within 0.5 to 1 m"),
])
def test_bad_files_are_a_sentence(tmp_path, change, options, message):
    path = write_ismn(tmp_path)
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message):
        read_product(path, "ismn", **options)


def test_other_names_and_broken_archives_are_a_sentence(tmp_path):
    path = write_ismn(tmp_path)
    other = path.rename(path.with_name("soil.stm"))
    with pytest.raises(InputError, match="not named as files of the network are"):
        read_product(other, "ismn")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match="no complete zip archive"):
        read_product(tmp_path / "broken.zip", "ismn")


def test_the_package_of_the_network_reads_the_same(tmp_path):
    interface = pytest.importorskip("ismn.interface", reason="the reader of the network needs the extra crosscheck")
    write_ismn(tmp_path / "x")
    write_ismn(tmp_path / "x", top=0.2, bottom=0.5, ceop=True)
    theirs = interface.ISMN_Interface(tmp_path / "x", parallel=False)
    ours = read_product(tmp_path / "x/**/*.stm", "ismn")
    for number in theirs.get_dataset_ids("soil_moisture"):
        series, about = theirs.read(number, return_meta=True)
        depth = about[("instrument", "depth_from")]
        rows = ours.top == float(depth)
        value = series["soil_moisture"].to_numpy()
        assert np.array_equal(ours.value[rows], np.where(value < -999.0, np.nan, value), equal_nan=True)
        assert np.array_equal(ours.time[rows], series.index.to_numpy().astype("datetime64[s]"))
