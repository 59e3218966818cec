"""A static site holds the bytes of the server."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.driver.commands.view import export_site

RUN = "small_twin"


@pytest.fixture(scope="module")
def site(run_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "site"
    report = export_site([run_dir], folder, every=2, variables=["soil_water", "ground_temperature"], language="de")
    assert "2 of 4 times" in report and "http.server" in report
    return folder


def read(site, path):
    return json.loads((site / "data" / path).read_text())


def test_the_page_and_its_scripts_are_there(site):
    assert (site / "index.html").is_file() and (site / "bokeh" / "bokeh.min.js").is_file()
    catalogue = read(site, "catalogue.json")
    assert catalogue["is_static"] and catalogue["language_default"] == "de" and len(catalogue["runs"]) == 3


def test_maps_are_those_of_the_server(site, client):
    index = read(site, f"{RUN}/index.json")
    assert index["times"] == ["2020-05-02T00:00Z", "2020-05-03T00:00Z"] and index["times_step"] == 2
    for entry in index["variables"]:
        for statistic in entry["statistics"]:
            for number, time in ((0, 1), (1, 3)):
                name = f"{RUN}/map/{entry['id']}/{statistic}/0"
                assert (site / "data" / name / f"{number}.bin").read_bytes() == client.bytes(f"/data/{name}/{time}.bin")
            name = f"{RUN}/range/{entry['id']}/{statistic}/0.json"
            assert read(site, name) == client.json(f"/data/{name}")
    for name in ("grid/latitude.bin", "grid/cell_area.bin", "field/elevation.bin"):
        assert (site / "data" / RUN / name).read_bytes() == client.bytes(f"/data/{RUN}/{name}")


def test_series_of_tiles_are_those_of_the_server(site, client):
    index = read(site, f"{RUN}/index.json")
    (height, width), statistics = index["series"]["tile"], index["series"]["statistics"]
    assert index["series"]["kind"] == "tile" and statistics == ["mean", "std", "median", "p05", "p95"]
    for y, x in ((0, 0), (1, 2)):
        whole = client.json(f"/data/{RUN}/series/soil_water/3/{y}_{x}.json")
        tile = np.frombuffer((site / "data" / RUN / f"series/soil_water/3/tile_{y // height}_{x // width}.bin"
                              ).read_bytes(), "<f4")
        rows, columns = min(height, 2 - y // height * height), min(width, 3 - x // width * width)
        tile = tile.reshape(len(statistics), 2, rows, columns)
        for number, statistic in enumerate(statistics):
            np.testing.assert_allclose(tile[number, :, y % height, x % width], whole[statistic][1::2], rtol=1e-6)


def test_observations_and_balances_are_those_of_the_server(site, client):
    name = f"{RUN}/observations/0_1.json"
    assert read(site, name) == client.json(f"/data/{name}")
    zone = client.json(f"/data/{RUN}/zones/all/balance.json")
    assert read(site, f"{RUN}/zones/all/balance.json") == zone
    fields = read(site, f"{RUN}/index.json")["balance_fields"]
    assert fields["months"] == ["2020-05"] and fields["area"] == f"data/{RUN}/grid/cell_area.bin"
    sums = {one["id"]: np.fromfile(site / "data" / RUN / "balance" / one["id"] / "0.bin", "<f4").mean()
            for one in fields["terms"]}
    row = dict(zip([one["id"] for one in zone["columns"]], zone["rows"][0], strict=True))
    assert sums["precipitation"] == pytest.approx(row["precipitation_mm"], rel=1e-5)
    assert sums["evapotranspiration"] == pytest.approx(row["et_mm"], rel=1e-5)


def test_a_site_is_replaced_and_nothing_else_is(run_dir, site, tmp_path):
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds other files"):
        export_site([run_dir], foreign)
    assert (foreign / "thesis.tex").exists()
    target = tmp_path / "site"
    export_site([run_dir], target, variables=["ground_temperature"], statistics=["mean"])
    export_site([run_dir], target, variables=["ground_temperature"], statistics=["mean", "std"])
    index = read(target, f"{RUN}/index.json")
    assert [one["statistics"] for one in index["variables"]] == [["mean", "std"]]


@pytest.mark.parametrize(("options", "sentence"), [
    ({"variables": ["rainbows"]}, "--variable rainbows: no run has it; there are ground_temperature"),
    ({"statistics": ["p33"]}, "--statistic p33"), ({"statistics": ["std"]}, "expected mean among them"),
    ({"limit": 0.001}, "Choose --variable, --statistic or --every K, or raise --limit")])
def test_bad_choices_are_told(run_dir, tmp_path, options, sentence):
    with pytest.raises(InputError, match=sentence):
        export_site([run_dir], tmp_path / "site", **options)
    assert not (tmp_path / "site").exists()
