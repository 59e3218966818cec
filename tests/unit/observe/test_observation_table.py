"""Tables of observations: shapes, files that return all bits, what cannot be."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, MISSING
from pyland.observe import ObservationTable, join_tables, read_table, write_table
from pyland.observe.observation_table import COLUMNS

COUNT = 50


def table(product="a product", **changes):
    random = np.random.default_rng(1)
    given = {
        "value": random.uniform(0.05, 0.4, COUNT), "sigma": 0.04,
        "time": np.datetime64("2020-01-01T00:00:00") + np.arange(COUNT) * np.timedelta64(997, "s"),
        "latitude": random.uniform(-90, 90, COUNT), "longitude": random.uniform(0, 360, COUNT),
        "extra": {"orbit": np.where(np.arange(COUNT) % 2, "ascending", "descending"), "depth": random.random(COUNT)},
        "extra_units": {"depth": "m"}, "provenance": {"file": "one.h5"},
    }
    return ObservationTable(product, "soil_moisture", **{**given, **changes})


@pytest.mark.parametrize("name", ["table.nc", "table.zarr"])
def test_all_bits_return_from_a_file(tmp_path, name):
    if name.endswith("zarr"):
        pytest.importorskip("zarr", reason="zarr stores need the extra zarr")
    wrote = table().rejected(np.arange(COUNT) < 3, FROZEN)
    write_table(tmp_path / name, wrote)
    read = read_table(tmp_path / name)
    for column in COLUMNS:
        assert getattr(read, column).tobytes() == getattr(wrote, column).tobytes(), column
    assert (read.extra["orbit"] == wrote.extra["orbit"]).all()
    assert read.extra["depth"].tobytes() == wrote.extra["depth"].tobytes()
    assert (read.product, read.type, read.extra_units, read.provenance) == (
        wrote.product, wrote.type, wrote.extra_units, wrote.provenance)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_rows_without_a_value_say_so_and_reasons_do_not_replace_each_other():
    values = np.full(COUNT, 0.2)
    values[:2] = np.nan
    found = table(value=values).rejected(np.arange(COUNT) < 5, FROZEN)
    assert found.counts() == {"used": COUNT - 5, "missing_value": 2, "frozen_ground": 3}
    assert found.flag[0] == MISSING


def test_joined_tables_are_in_the_order_of_time_and_place():
    one, two = table().rows(np.arange(20, 40)), table(provenance={"file": "two.h5"}).rows(np.arange(20))
    both = join_tables([one, two])
    assert both.size == 40 and (np.diff(both.time).astype(int) > 0).all()
    assert both.provenance["file"] == "one.h5\ntwo.h5"
    with pytest.raises(InputError, match="cannot be joined"):
        join_tables([one, table(product="another")])


@pytest.mark.parametrize("changes, message", [
    ({"latitude": 91.0}, "row 0 has no place"),
    ({"time": np.datetime64("NaT")}, "row 0 has no time"),
    ({"sigma": np.ones(3)}, "sigma must have shape"),
])
def test_impossible_rows_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        table(**changes)


def test_damaged_and_foreign_files_are_refused_with_a_sentence(tmp_path):
    path = tmp_path / "table.nc"
    write_table(path, table())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="truncated"):
        read_table(path)
    table().to_dataset().drop_attrs().to_netcdf(path)
    with pytest.raises(InputError, match="pyland_format"):
        read_table(path)
