"""Text files of loggers: columns, times of any layout, layouts declared by users, sentences for what is wrong."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.base.text_columns import parse_times, read_text_columns
from pyland.base.text_layout import Column, TextLayout

PRESETS = {"plain": TextLayout(time=("t",), columns={"a": Column(("x",), "m")})}


def times(*texts, **options):
    return parse_times(np.array(texts), **options).astype(str).tolist()


def test_times_are_utc_whatever_their_layout():
    assert times("2020-02-29 23:30:00", utc_offset=-6) == ["2020-03-01T05:30:00"]
    assert times("2020-02-29T23:30:00+05:30", "2020-02-29T23:30Z") == ["2020-02-29T18:00:00", "2020-02-29T23:30:00"]
    assert times("4/1/2020 9:47", pattern="%m/%d/%Y %H:%M") == ["2020-04-01T09:47:00"]
    assert times("01.04.2020 24:00", pattern="%d.%m.%Y %H:%M") == ["2020-04-02T00:00:00"]
    assert times("202004010930", pattern="%Y%m%d%H%M", utc_offset=1.0) == ["2020-04-01T08:30:00"]


@pytest.mark.parametrize("texts, options, message", [
    (["2020-01-01", "noon"], {}, "line 2: 'noon' is no time of the form"),
    (["2020-02-30"], {}, "line 1: '2020-02-30' is no time"),
    (["30.02.2020"], {"pattern": "%d.%m.%Y"}, "is no time in the layout"),
    (["1.2.2020"], {"pattern": "%Y-%m-%d"}, "is no time of the layout '%Y-%m-%d'"),
    (["10:00"], {"pattern": "%H:%M"}, "has no year"),
    (["2020"], {"pattern": "%Y %j"}, "may hold %Y"),
    (["2020-01-01T00:00Z", "2020-01-01T01:00"], {}, "Mixed time zones"),
    (["2020-01-01T00:00Z"], {"utc_offset": 2.0}, "utc_offset is 2 h. Leave"),
])
def test_times_that_are_none(texts, options, message):
    with pytest.raises(InputError, match=message):
        times(*texts, **options)


def test_columns_of_a_file_with_comments_units_and_degree_signs(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("# of a logger\nt;x;temp\n;m;°C\n2020-01-01; 1.5 ;NA\n\n2020-01-02;-99;3\n".encode("latin-1"))
    table = read_text_columns(path, delimiter=";", header=2, units_line=3, first=4)
    assert table.units == {"x": "m", "temp": "°C"} and table.lines.tolist() == [4, 6]
    assert np.array_equal(table.numbers("x", missing=[-99]), [1.5, np.nan], equal_nan=True)
    assert np.array_equal(table.numbers("temp"), [np.nan, 3.0], equal_nan=True)
    plan = TextLayout(time=("t",), columns={"a": Column(("temp",))}, delimiter=";", header=2, units_line=3, first=4)
    assert plan.values(plan.read(path), "a", "K")[1] == 276.15


@pytest.mark.parametrize("text, options, message", [
    ("", {}, "is empty"),
    ("a,b\n", {}, "has no line of data from line 2"),
    ("a,b\n1,2\n3\n", {}, "line 3: 2 cells are expected .*, got 1"),
    ("a,a\n1,2\n", {}, "the column 'a' appears twice"),
    ("a,b\n1,2\n", {"header": 5}, "expected in line 5, but the file has 2"),
    ("1,2\n", {"header": None}, "without a header"),
])
def test_files_that_are_no_tables(tmp_path, text, options, message):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_text_columns(path, **options)
    path.write_bytes(b"a\0b")
    with pytest.raises(InputError, match="is not a text file"):
        read_text_columns(path)


@pytest.mark.parametrize("given, message", [
    ("plane", "neither the name of a layout .plain. nor a YAML file"),
    (3, "expected the name of a layout"),
    ({"like": "plane"}, "there is no layout 'plane'"),
    ({"like": "plain", "delimeter": ";"}, "unknown key 'delimeter'; did you mean 'delimiter'"),
    ({"time": "t"}, "say in which column"),
    ({"time": "t", "columns": {"b": "x"}}, "unknown quantity 'b'"),
    ({"time": "t", "columns": {"a": [1, 2, 3]}}, "layout.columns.a: expected NAME"),
    ({"time": "t", "columns": ["a"]}, "expected QUANTITY: NAME"),
])
def test_layouts_that_are_none(given, message):
    with pytest.raises(InputError, match=message):
        TextLayout.of(given, PRESETS, ["a"])
