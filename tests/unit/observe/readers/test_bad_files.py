"""Files and requests that cannot be: each a sentence with the file, what was expected, what is there, what to do."""

import logging

import netCDF4
import numpy as np
import pytest
from satellite_files import smap_cells, smap_values, write_ascat_cell, write_smap, write_smos
from site_files import write_ismn

from pyland.base.errors import InputError
from pyland.observe import READERS, read_product
from pyland.observe.readers.source_files import identity

NAME = "SMAP_L3_SM_P_20180601_R18290_001.h5"


def smap(folder, count=20, changes=None, **options):
    return write_smap(folder / NAME, {"AM": (*smap_cells(count=count), {**smap_values(count), **(changes or {})})},
                      **options)


def sentence(*arguments, **options):
    with pytest.raises(InputError) as error:
        read_product(*arguments, **options)
    return str(error.value)


@pytest.mark.parametrize("options, expected", [
    ({"units": "%"}, "has the unit '%'; expected for soil_moisture one of m3 m-3"),
    ({"without": ("retrieval_qual_flag",)}, "quality flag 'Soil_Moisture_Retrieval_Data_AM/retrieval_qual_flag'"),
    ({"without": ("soil_moisture",)}, "has no variable 'Soil_Moisture_Retrieval_Data_AM/soil_moisture'; it holds "),
    ({"without": ("tb_time_seconds",)}, "has no time of observation (expected 'Soil_Moisture_Retrieval_Data_AM/tb"),
    ({"group": "Freeze_Thaw_Retrieval_Data"}, "its groups are: Metadata, Freeze_Thaw_Retrieval_Data_AM. Expected"),
    ({"changes": {"soil_moisture": np.full(20, 25.0)}}, "all 20 values of soil_moisture lie outside 0..0.9 m3 m-3"),
    ({"changes": {"soil_moisture": np.full(20, -9999.0)}}, "no observation is left; left out: 391384 no_value. Check"),
    ({"changes": {"tb_time_seconds": np.full(20, -9999.0)}}, "left out: 391364 no_value, 20 no_time. Check period"),
])
def test_smap_files_that_are_wrong(tmp_path, options, expected):
    path = smap(tmp_path, **options)
    message = sentence(path, "smap_l3")
    assert str(path) in message and expected in message


def test_smap_times_that_contradict_each_other(tmp_path):
    path = smap(tmp_path, 20, words=True)
    with netCDF4.Dataset(path, "a") as file:
        one = file["Soil_Moisture_Retrieval_Data_AM/tb_time_seconds"]
        field = one[:]
        one[:] = np.ma.where(np.ma.getmaskarray(field), -9999.0, field + 86400.0)
    assert "but tb_time_utc says 2018-06-01T" in sentence(path, "smap_l3")


def test_a_grid_of_another_product(tmp_path):
    path = smap(tmp_path)
    with netCDF4.Dataset(path, "a") as file:
        group = file["Soil_Moisture_Retrieval_Data_AM"]
        group.createVariable("latitude", "f4", ("row", "column"))[:] = np.linspace(90, -90, 406)[:, None]
    assert "degrees from the 36 km EASE-Grid 2.0 of its shape (406, 964)" in sentence(path, "smap_l3")
    other = tmp_path / "SMAP_L3_SM_A_20150501_R13080_001.h5"
    with netCDF4.Dataset(other, "w") as file:
        group = file.createGroup("Soil_Moisture_Retrieval_Data_AM")
        group.createDimension("row", 10)
        group.createVariable("soil_moisture", "f4", ("row", "row")).units = "cm**3/cm**3"
    assert "has the shape (10, 10); expected (406, 964) or (1624, 3856)" in sentence(other, "smap_l3")


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_truncated_files(tmp_path, keep):
    path = smap(tmp_path, 4000)
    content = path.read_bytes()
    path.write_bytes(content[:int(keep * len(content))])
    message = sentence(path, "smap_l3")
    assert str(path) in message and "truncated" in message and "fetch it again" in message


def test_files_that_are_none(tmp_path):
    empty, text, old = tmp_path / "empty.h5", tmp_path / "text.h5", tmp_path / "old.hdf"
    empty.touch()
    text.write_text("<html>404 not found</html>")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(smap(tmp_path).read_bytes()[:20000])
    old.write_bytes(b"\x0e\x03\x13\x01" + bytes(100))
    assert "the file is empty" in sentence(empty, "smap_l3")
    assert "is a text file; expected netCDF or HDF5." in sentence(text, "smap_l3")
    assert sentence(cut, "smap_l3") == (
        f"{cut}: cannot be read as netCDF or HDF5 (NetCDF: HDF error). It may be truncated; fetch it again.")
    assert "is HDF4, which is not read here. Convert it to netCDF" in sentence(old, "mapped", mapping="modis_lai")
    assert "does not exist" in sentence(tmp_path / "nowhere.h5", "smap_l3")
    assert "no file fits the pattern" in sentence(str(tmp_path / "*.nc4"), "smap_l3")
    assert "is a folder; expected files" in sentence(tmp_path, "smap_l3")
    assert "no file is given" in sentence([], "smap_l3")


def test_an_empty_swath(tmp_path):
    path = tmp_path / "METOPA_ASCAT_20170220041500_250_ssm_l2.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.pixel_size_on_horizontal = "25000m"
        file.createDimension("numRows", 0)
        file.createDimension("numCells", 42)
        for name in ("soil_moisture", "soil_moisture_error", "latitude", "longitude", "proc_flag1",
                     "frozen_soil_probability", "snow_cover_probability", "wetland_flag", "topography_flag"):
            file.createVariable(name, "u2", ("numRows", "numCells")).units = "percent"
        file.createVariable("as_des_pass", "i1", ("numRows",))
        file.createVariable("utc_line_nodes", "i4", ("numRows",)).units = "seconds since 2000-01-01"
    assert "no observation is left; left out: none" in sentence(path, "ascat_swath", porosity=0.4)


def test_ascat_cells_that_are_wrong(tmp_path):
    path = tmp_path / "1394.nc"
    write_ascat_cell(path, [10, 20])
    assert "in percent of saturation, and the porosity is not known. Give the option porosity: a number" in sentence(
        path, "ascat_cells")
    assert "porosity must lie between 0 and 1 m3 m-3, got 45" in sentence(path, "ascat_cells", porosity=45)
    assert "is no number, no variable of the file, and no file" in sentence(path, "ascat_cells", porosity="por")
    with netCDF4.Dataset(path, "a") as file:
        file["row_size"][:] = [10, 25]
    assert "row_size has 2 numbers with the sum 35; expected 2 locations and 30 records" in sentence(
        path, "ascat_cells", porosity=0.4)
    write_ascat_cell(path, [10, 20], without=("surface_flag",))
    assert "has no surface state flag (expected 'ssf' or 'surface_flag'); it holds" in sentence(
        path, "ascat_cells", porosity=0.4)
    assert read_product(path, "ascat_cells", porosity=0.4, surface_states=False).size == 30
    write_ascat_cell(path, [10, 20], units="m3 m-3")
    assert "has the unit 'm3 m-3'; expected percent of saturation" in sentence(path, "ascat_cells", porosity=0.4)


def test_what_lies_outside_is_counted(tmp_path):
    path = smap(tmp_path)
    message = sentence(path, "smap_l3", bounds=(-80.0, -70.0, 0.0, 10.0))
    assert "no observation is left; left out: " in message and "outside_bounds" in message
    assert "20 outside_period" in sentence(path, "smap_l3", period=("2019-01-01", "2020-01-01"))


def test_smos_without_a_name_that_says_the_orbit(tmp_path):
    path = write_smos(tmp_path / "smos.nc", [200], [700], {
        "Soil_Moisture": 0.2, "Soil_Moisture_Dqx": 0.03, "Rfi_Prob": 0.0, "Mean_Acq_Time_Days": 6726.0,
        "Mean_Acq_Time_Seconds": 3600.0})
    assert "does not say whether passes are ascending or descending" in sentence(path, "smos_l3")
    assert read_product(path, "smos_l3", orbit="ascending").size == 1


@pytest.mark.parametrize("reader, options, expected", [
    ("smap", {}, "there is no reader 'smap'; did you mean 'smap_l3'?"),
    ("smap_l3", {"overpas": "AM"}, "reader 'smap_l3' has no option 'overpas'; it has type, overpass,"),
    ("smap_l3", {"overpass": "noon"}, "overpass must be one of both, AM, PM, got 'noon'"),
    ("smap_l3", {"type": "lst"}, "type must be soil_moisture or brightness_temperature"),
    ("smap_l3", {"period": ("2018-06-02", "2018-06-01")}, "period must end after its start"),
    ("smap_l3", {"period": ("summer", "winter")}, "period must be two times"),
    ("smap_l3", {"bounds": (60.0, 50.0, 5.0, 10.0)}, "-90 <= south < north <= 90"),
    ("smap_l3", {"bounds": (50.0, 60.0)}, "bounds must be four numbers"),
    ("amsr2_lprm", {"band": "l"}, "band must be one of c1, c2, x, got 'l'"),
    ("amsr2_lprm", {}, "expected a name like LPRM-AMSR2_L3_A_SOILM3_V001"),
])
def test_requests_that_cannot_be(tmp_path, reader, options, expected):
    assert expected in sentence(smap(tmp_path, 5), reader, **options)


def test_the_log_says_how_many_of_each(tmp_path, caplog):
    path = smap(tmp_path, 20, {"retrieval_qual_flag": np.array([0] * 15 + [1] * 5)})
    with caplog.at_level(logging.INFO, logger="pyland"):
        read_product(path, "smap_l3")
    assert "20 observations (15 used, 5 rejected_by_quality_flag) of soil_moisture" in caplog.text
    assert "left out: 391364 no_value" in caplog.text


def test_every_reader_has_types_and_a_line():
    for name, reader in READERS.items():
        assert reader.name == name and reader.types and reader.summary and "paths" not in reader.options


def test_files_are_known_by_their_content(tmp_path, monkeypatch):
    one = tmp_path / "one.nc"
    one.write_bytes(b"abc")
    assert identity(one) == "one.nc sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    monkeypatch.setattr("pyland.observe.readers.source_files.LARGEST_HASHED", 2)
    assert identity(one).startswith("one.nc size:3 mtime:")


@pytest.mark.parametrize("reader, options, expected", [
    ("smap_l3", {"rejected_bits": "few"}, "expected an integer that is not negative, got 'few'."),
    ("smap_l3", {"rejected_bits": -1}, "expected an integer that is not negative, got -1."),
    ("smap_l3", {"sigma": "big"}, "option 'sigma': expected a number, got 'big'."),
    ("smap_l3", {"sigma": -0.04}, "option 'sigma': expected a number above 0, got -0.04."),
    ("smap_l3", {"sigma": float("nan")}, "option 'sigma': expected a number, got nan."),
    ("smap_l3", {"depth": [0.05, 0.0]}, "expected [top, bottom] in m with 0 <= top <= bottom, for instance [0, 0.05]"),
    ("smap_l3", {"depth": 5}, "expected [top, bottom] in m"),
    ("smap_l3", {"depth": ["a", "b"]}, "expected [top, bottom] in m"),
    ("smap_l3", {"algorithm": ["dca"]}, "expected text"),
    ("smap_l3", {"polarisation": "H"}, "expected no option polarisation with type soil_moisture, which has none, got"),
    ("smap_l3", {"type": "brightness_temperature", "algorithm": "dca"}, "expected no option algorithm with"),
    ("smos_l3", {"max_uncertainty": -0.1}, "option 'max_uncertainty': expected a number not negative, got"),
    ("ascat_cells", {"surface_states": [9]}, "option 'surface_states': expected true or false, got [9]."),
    ("mapped", {"mapping": "modis_lst_day", "sigma": "x"}, "option 'sigma': expected a number, got 'x'."),
    ("crns", {"utc_offset": "CST"}, "option 'utc_offset': expected a number, got 'CST'."),
    ("crns", {"station": 5}, "option 'station': expected text, in quotes if it looks like a number, got 5."),
    ("ismn", {"accepted": [1]}, "option 'accepted': expected a list of words, for instance [G, M], got [1]."),
    ("grace", {"scale": "maybe"}, "option 'scale': expected true or false, got 'maybe'."),
    ("gauges", {"daily": "perhaps"}, "option 'daily': expected true or false, got 'perhaps'."),
    ("smap_13", {}, "there is no reader 'smap_13'; did you mean 'smap_l3'? The readers are smap_l3, "),
])
def test_options_that_cannot_be(tmp_path, reader, options, expected):
    assert expected in sentence(smap(tmp_path), reader, **options)


def test_one_word_is_a_list_of_it(tmp_path):
    write_ismn(tmp_path, values=(0.2, 0.3, 0.4), flags=("G", "D01", "M"))
    pattern = str(tmp_path / "**" / "*.stm")
    assert read_product(pattern, "ismn", accepted="D01").used.tolist() == [False, True, False]


def test_a_period_has_no_offset(tmp_path):
    message = sentence(smap(tmp_path), "smap_l3", period=("2018-06-01T00:00+02:00", "2018-06-02"))
    assert message == ("observations: period must be in UTC, without an offset, got 2018-06-01T00:00+02:00 to "
                       "2018-06-02.")


def test_another_product_with_the_same_names_is_no_image(tmp_path):
    path = tmp_path / "cell.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("obs", 3)
        for name in ("lat", "lon", "sm"):
            file.createVariable(name, "f4", ("obs",))[:] = 1.0
    assert "'sm' has the dimensions obs; expected time, lat and lon." in sentence(path, "esa_cci")
    assert "expected no option porosity, which is for the ACTIVE product" in sentence(path, "esa_cci", porosity=0.4)


@pytest.mark.parametrize("change, expected", [
    ({"flag": []}, "mapping: flag: there is no such key; did you mean 'flags'?"),
    ({"value": {"variabel": "a"}}, "mapping: value.variabel: there is no such key; did you mean 'variable'?"),
    ({"value": "LST"}, "mapping: value: expected a section with keys, such as {variable: NAME}, got 'LST'"),
    ({"sigma": -1.0}, "mapping: sigma: expected greater than 0, got -1.0"),
])
def test_a_mapping_that_is_wrong_says_so_in_words(tmp_path, change, expected):
    mapping = {"product": "X", "type": "lst", "value": {"variable": "a"}, "sigma": 1.0, "time": {"variable": "time"},
               "place": {"modis_tile": True}, **change}
    assert expected in sentence(smap(tmp_path), "mapped", mapping=mapping).splitlines()
