"""``pyland observe``: a table, a line about it, sentences for what is wrong."""

import pytest
from satellite_files import smap_cells, smap_values, write_smap

from pyland.base.errors import InputError
from pyland.driver.commands.observe import list_readers, parse_options
from pyland.observe import READERS, read_product, read_table


@pytest.fixture
def product(tmp_path):
    return write_smap(tmp_path / "SMAP_L3_SM_P_20180601_R18290_001.h5",
                      {"AM": (*smap_cells(count=500), smap_values(500))})


def test_a_table_from_the_command_line(command, product, tmp_path):
    code, out, err = command(
        "observe", product, "--reader", "smap_l3", "-o", tmp_path / "table.nc", "--set", "rejected_bits=6", "--set",
        "depth=[0.0, 0.04]", "--bounds", "-60", "70", "-100", "120", "--period", "2018-06-01", "2018-06-02",
        "--product", "morning")
    assert code == 0, err
    table = read_table(tmp_path / "table.nc")
    direct = read_product(product, "smap_l3", rejected_bits=6, depth=(0.0, 0.04), bounds=(-60, 70, -100, 120),
                          period=("2018-06-01", "2018-06-02"), product="morning")
    assert (table.value == direct.value).all() and (table.flag == direct.flag).all() and table.product == "morning"
    assert (table.bottom == 0.04).all() and f"{table.size} observations of soil_moisture by morning" in out
    assert "left out:" in err and "outside_bounds" in err


def test_options_as_text():
    assert parse_options(["porosity=0.45", "orbit=ascending", "depth=[0, 0.1]", "surface_states=false"]) == {
        "porosity": 0.45, "orbit": "ascending", "depth": [0, 0.1], "surface_states": False}
    for wrong in ("porosity", "=3", "depth=["):
        with pytest.raises(InputError, match="--set"):
            parse_options([wrong])


def test_the_list_names_every_reader():
    lines = list_readers()
    assert len(lines) == len(READERS) and all(line.startswith(name) for line, name in zip(lines, READERS, strict=True))


def test_the_command_prints_the_list(command):
    code, out, _ = command("observe", "--list")
    assert code == 0 and out.splitlines() == list_readers()


def test_wrong_commands_end_with_2_and_a_sentence(command, product, tmp_path):
    for arguments, message in (
        (["observe"], "expected PATHS"), (["observe", product, "--output", "x.nc"], "expected --reader NAME"),
        (["observe", product, "--reader", "smos_l3", "-o", tmp_path / "x.nc"], "has no latitude"),
    ):
        code, _, err = command(*arguments)
        assert code == 2 and message in err and "Traceback" not in err
    assert not (tmp_path / "x.nc").exists() and not list(tmp_path.glob(".*"))


def test_a_product_is_never_overwritten_by_its_table(command, product, tmp_path):
    before = product.read_bytes()
    copy = tmp_path / "product.nc"
    copy.write_bytes(before)
    code, _, err = command("observe", copy, "--reader", "smap_l3", "-o", copy)
    assert code == 2 and "is one of the files to read; it would be lost" in err and copy.read_bytes() == before
    for name, expected in (("table.csv", "expected a name that ends in .nc"), ("", "is a folder; expected the name")):
        code, _, err = command("observe", product, "--reader", "smap_l3", "-o", tmp_path / name)
        assert code == 2 and expected in err


def test_text_options_stay_text():
    kinds = READERS["gauges"].option_kinds
    assert parse_options(["statistic=00003", "gauge=07144100", "daily=true", "latitude=50"], kinds) == {
        "statistic": "00003", "gauge": "07144100", "daily": True, "latitude": 50}
    with pytest.raises(InputError, match="'daily' is given twice"):
        parse_options(["daily=true", "daily=false"], kinds)
