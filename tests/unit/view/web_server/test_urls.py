"""What each URL of the web map answers, against the files of the run."""

from __future__ import annotations

import io

import netCDF4
import numpy as np
import pytest

RUN = "small_twin"
SQUARE = {"type": "Polygon", "coordinates": [[[2.5, 43.0], [3.5, 43.0], [3.5, 43.6], [2.5, 43.6], [2.5, 43.0]]]}


def field(client, path, shape=(2, 3)):
    return np.frombuffer(client.bytes(f"/data/{RUN}/{path}"), "<f4").reshape(shape)


@pytest.fixture(scope="module")
def history(run_dir):
    with netCDF4.Dataset(run_dir / "history.nc") as file:
        file.set_auto_mask(False)
        yield file


@pytest.fixture(scope="module")
def index(client):
    return client.json(f"/data/{RUN}/index.json")


def test_the_catalogue_lists_the_run_and_what_it_is_compared_with(client):
    found = client.json("/data/catalogue.json")
    assert [(one["id"], one["role"], one["is_open_loop"]) for one in found["runs"]] == [
        (RUN, "run", False), (f"{RUN}-open_loop", "open_loop", True), (f"{RUN}-truth", "truth", False)]
    assert found["language_default"] is None and not found["is_static"]


def test_the_index_says_grid_times_and_variables(index, history):
    grid = index["grid"]
    assert (grid["ny"], grid["nx"], grid["kind"], grid["row0"]) == (2, 3, "curvilinear", "south")
    assert grid["projection"]["name"] == "sinusoidal"
    assert grid["projection"]["latitude_0"] == pytest.approx(43.3) and grid["projection"][
        "longitude_0"
    ] == pytest.approx(3)
    assert index["times"] == ["2020-05-01T12:00Z", "2020-05-02T00:00Z", "2020-05-02T12:00Z", "2020-05-03T00:00Z"]
    assert index["time_start"][0] == "2020-05-01T00:00Z" and not index["is_growing"]
    soil = next(one for one in index["variables"] if one["id"] == "soil_water")
    assert soil["statistics"] == [
        "mean",
        "std",
        "median",
        "p05",
        "p95",
        "p25",
        "p75",
        "anomaly",
        "percentile",
        "increment",
    ]
    assert soil["derived_statistics"] == {
        "p25": "normal",
        "p75": "normal",
        "anomaly": "derived",
        "percentile": "derived",
        "increment": "derived",
    }
    assert soil["layers"][:2] == [{"top": 0.0, "bottom": 0.02}, {"top": 0.02, "bottom": 0.05}]
    assert soil["units"] == history["soil_water"].units
    assert set(soil["long_name"]) == {"en", "de", "zh"} and soil["long_name"]["de"] != soil["long_name"]["en"]
    assert [one["id"] for one in index["variables"]] == ["soil_water", "latent_heat_flux", "ground_temperature"]


@pytest.mark.parametrize(("statistic", "name"), [
    ("mean", "soil_water"), ("std", "soil_water_std"), ("p05", "soil_water_p05"), ("median", "soil_water_median")])
def test_maps_are_those_of_the_file(client, history, statistic, name):
    for time in range(4):
        assert np.array_equal(field(client, f"map/soil_water/{statistic}/2/{time}.bin"), history[name][time, 2])


def test_statistics_of_members_are_those_of_all_members(run_dir, history):
    """The percentiles that the run wrote, against its members."""
    with netCDF4.Dataset(run_dir / "members.nc") as members:
        values = members["soil_water"][:].filled(np.nan)
    np.testing.assert_allclose(history["soil_water_p05"][:], np.percentile(values, 5, axis=1), rtol=1e-6)
    np.testing.assert_allclose(history["soil_water_median"][:], np.median(values, axis=1), rtol=1e-6)


def test_derived_maps(client, history, run_dir):
    water = history["soil_water"][:, 1].astype(float)
    np.testing.assert_allclose(
        field(client, "map/soil_water/anomaly/1/2.bin"), water[2] - water.mean(axis=0), atol=1e-7
    )
    below = (water < water[2]).sum(axis=0) + 0.5
    np.testing.assert_allclose(field(client, "map/soil_water/percentile/1/2.bin"), 100.0 * below / 4.0, rtol=1e-6)
    flux, spread = history["latent_heat_flux"][1], history["latent_heat_flux_std"][1]
    np.testing.assert_allclose(field(client, "map/latent_heat_flux/p75/0/1.bin"), flux + 0.6744898 * spread, rtol=1e-5)
    with netCDF4.Dataset(run_dir / "analysis.nc") as analyses:
        times = analyses["analysis_time"][:].filled().astype("datetime64[s]")
        added = analyses["soil_water_increment"][:].filled(np.nan)
    starts, ends = (history["time_bounds"][:, one].astype("datetime64[s]") for one in (0, 1))
    for record in range(4):
        inside = (times >= starts[record]) & (times < ends[record])
        expected = added[inside, 1].sum(axis=0) if inside.any() else np.zeros((2, 3))
        np.testing.assert_allclose(field(client, f"map/soil_water/increment/1/{record}.bin"), expected, rtol=1e-6)
    assert (times < ends[-1]).sum() == 3  # the analysis at the end of the run belongs to no record


def test_the_range_spans_most_values_and_is_even_about_zero_for_increments(client, history):
    found = client.json(f"/data/{RUN}/range/soil_water/mean/0.json")
    low, high = np.percentile(history["soil_water"][:, 0], [2, 98])
    assert found["range"] == pytest.approx([low, high], rel=1e-5) and found["times"] == 4
    low, high = client.json(f"/data/{RUN}/range/soil_water/increment/0.json")["range"]
    assert low == -high < 0


def test_the_series_of_a_cell(client, history, run_dir):
    found = client.json(f"/data/{RUN}/series/soil_water/0/1_2.json")
    for statistic, name in (("mean", "soil_water"), ("std", "soil_water_std"), ("p95", "soil_water_p95")):
        np.testing.assert_allclose(found[statistic], history[name][:, 0, 1, 2], rtol=1e-6)
    assert found["derived"] == {"p25": "normal", "p75": "normal"} and len(found["members"]) == 4
    np.testing.assert_allclose(np.mean(found["members"], axis=0), found["mean"], rtol=1e-5)
    with netCDF4.Dataset(run_dir / "open_loop" / "history.nc") as loop:
        np.testing.assert_allclose(found["open_loop"]["mean"], loop["soil_water"][:, 0, 1, 2], rtol=1e-6)
    assert found["open_loop"]["run"] == f"{RUN}-open_loop" and found["truth"]["mean"]
    assert found["latitude"] == pytest.approx(float(history["latitude"][1, 2]))


def test_observations_of_a_cell_are_rows_of_the_analyses(client, run_dir, index):
    with netCDF4.Dataset(run_dir / "analysis.nc") as analyses:
        rows = {
            name: analyses[name][:].filled() for name in ("value", "latitude", "longitude", "used", "observation_time")
        }
    total = 0
    for y in range(2):
        for x in range(3):
            series = client.json(f"/data/{RUN}/series/soil_water/1/{y}_{x}.json")
            mine = np.isclose(rows["latitude"], series["latitude"], atol=1e-4) & np.isclose(
                rows["longitude"], series["longitude"], atol=1e-4)
            values = [value for one in series["observations"] for value in one["value"]]
            np.testing.assert_allclose(values, rows["value"][mine], rtol=1e-6)
            used = [status == "used" for one in series["observations"] for status in one["status"]]
            assert used == list(rows["used"][mine] == 1)
            total += len(values)
            deep = client.json(f"/data/{RUN}/series/soil_water/5/{y}_{x}.json")
            assert deep["observations"] == []  # 0 to 5 cm say nothing of the layer from 0.5 to 1 m
    assert total == rows["value"].size
    assert sum(one["count"] for one in index["sites"]) == total
    assert client.json(f"/data/{RUN}/observations/0_0.json")["observations"][0]["variable"] == "soil_water"


def test_coordinates_and_areas(client, history):
    np.testing.assert_allclose(field(client, "grid/latitude.bin"), history["latitude"][:], atol=1e-5)
    np.testing.assert_allclose(field(client, "grid/cell_area.bin"), 4.0e8, rtol=1e-6)


def test_static_maps_of_the_domain(client, index, run_dir):
    ids = [one["id"] for one in index["domain"]["fields"]]
    assert "elevation" in ids and "land_cover" in ids
    with netCDF4.Dataset(run_dir / "domain.nc") as domain:
        np.testing.assert_allclose(field(client, "field/elevation.bin"), domain["elevation"][:].filled(), rtol=1e-6)


def test_the_balance_of_a_zone_closes_and_a_polygon_of_everything_is_the_same(client, run_dir, index):
    assert index["has_balance"] and index["zones"][0]["id"] == "all"
    zone = client.json(f"/data/{RUN}/zones/all/balance.json")
    row = dict(zip([one["id"] for one in zone["columns"]], zone["rows"][0], strict=True))
    with netCDF4.Dataset(run_dir / "balance.nc") as balance:
        for name, term in (("precipitation_mm", "precipitation"), ("et_mm", "evapotranspiration"),
                           ("storage_change_mm", "storage_change"), ("increment_mm", "analysis_increment")):
            assert row[name] == pytest.approx(balance[term][:].sum(axis=0).mean(), rel=1e-5, abs=1e-9), name
    closed = row["precipitation_mm"] - row["et_mm"] - row["runoff_mm"] + row["increment_mm"] - row["storage_change_mm"]
    assert closed == pytest.approx(0.0, abs=1e-4) and zone["cells"] == 6 and zone["area"] == pytest.approx(2.4e9)
    drawn = client.json(f"/data/{RUN}/balance", method="POST", body={"polygon": SQUARE})
    assert drawn["rows"][0][1:] == zone["rows"][0][1:] and drawn["period"] == zone["period"]
    half = client.json(f"/data/{RUN}/balance", method="POST", body={
        "polygon": {"type": "Feature", "geometry": SQUARE}, "from": "2020-05-02T00:00Z", "to": "2020-05-03T00:00Z"})
    assert half["period"] == ["2020-05-02T00:00:00Z", "2020-05-03T00:00:00Z"]
    one = client.json(f"/data/{RUN}/zones/{index['zones'][1]['id']}/balance.json?to=2020-05-02T00:00")
    assert one["cells"] <= 6 and one["period"][1] == "2020-05-02T00:00:00Z"


def test_the_page_and_the_scripts_of_bokeh(client):
    assert b"<html" in client.bytes("/") and client.bytes("/index.html") == client.bytes("/")
    assert b"Bokeh" in client.bytes("/bokeh/bokeh.min.js")[:2000]


@pytest.mark.parametrize(("path", "sentence"), [
    ("/data/nobody/index.json", "no run 'nobody'; there are small_twin"),
    (f"/data/{RUN}/map/soil_watr/mean/0/0.bin", "no variable 'soil_watr'; there are soil_water"),
    (f"/data/{RUN}/map/soil_water/p51/0/0.bin", "no statistic 'p51'; it has mean, std"),
    (f"/data/{RUN}/map/soil_water/mean/6/0.bin", "layers 0 to 5, got layer 6"),
    (f"/data/{RUN}/map/latent_heat_flux/mean/1/0.bin", "layers 0 to 0, got layer 1"),
    (f"/data/{RUN}/map/soil_water/mean/0/4.bin", "records 0 to 3"),
    (f"/data/{RUN}/map/soil_water/increment/0/4.bin", "records 0 to 3"),
    (f"/data/{RUN}/series/soil_water/0/2_0.json", "rows 0 to 1 and columns 0 to 2, got row 2"),
    (f"/data/{RUN}/series/soil_water/9/0_0.json", "layers 0 to 5, got layer 9"),
    (f"/data/{RUN}/grid/altitude.bin", "no coordinate 'altitude'"),
    (f"/data/{RUN}/field/nothing.bin", "no static field 'nothing'"),
    (f"/data/{RUN}/zones/basin-9/balance.json", "no zone 'basin-9'"),
    (f"/data/{RUN}/zones/all/balance.json?from=1999x", "expected an instant such as"),
    (f"/data/{RUN}/zones/all/balance.json?from=2030-01-01", "no record lies within the period"),
    (f"/data/{RUN}/cycle.json", "is no cycle"),
    (f"/data/{RUN}-truth/zones/all/balance.json", "no water balance per cell"),
    (f"/data/{RUN}/download/soil_water/mean/0/9.nc", "records 0 to 3"),
    (f"/data/{RUN}/map/soil_water/mean/0/-1.bin", "nothing under this address"),
    ("/data/../../etc/passwd", "nothing under this address"),
    ("/../../../../etc/passwd", "nothing under this address"),
    ("/%2e%2e/%2e%2e/__init__.py", "nothing under this address"),
    ("/bokeh/../server.py", "nothing under this address"),
    ("/no_such_page.html", "nothing under this address"),
])
def test_what_is_not_there_is_told_in_a_sentence(client, path, sentence):
    status, _, _ = client.ask(path)
    assert status in (403, 404)
    assert sentence in client.error(path, status)


@pytest.mark.parametrize(("body", "sentence"), [
    (b"{", "not JSON"),
    ({"polygon": {"type": "Point", "coordinates": [3, 43]}}, "GeoJSON Polygon"),
    ({"polygon": {"type": "Polygon", "coordinates": [[[3, "x"], [4, 5], [5, 6]]]}}, "rings of corners"),
    ({"polygon": {"type": "Polygon", "coordinates": [[[3, 43]]]}}, "three or more corners"),
    ({"polygon": {"type": "Polygon", "coordinates": []}}, "three or more corners"),
    ({"polygon": {"type": "Polygon", "coordinates": [[]]}}, "three or more corners"),
    ([1, 2], "GeoJSON Polygon"),
    ({"polygon": {"type": "Polygon", "coordinates": [[[9, 40], [9, 41], [8, 40]]]}}, "no modelled cell"),
    ({"polygon": SQUARE, "from": "yesterday"}, "expected an instant"),
])
def test_bad_polygons_are_refused(client, body, sentence):
    assert sentence in client.error(f"/data/{RUN}/balance", 400, method="POST", body=body)


def test_only_this_machine_and_this_page_are_answered(client):
    path = f"/data/{RUN}/index.json"
    assert "127.0.0.1" in client.error(path, 403, Host="evil.example")
    assert client.error("/", 403, Host="evil.example:80")
    assert client.error(path, 403, Host="127.0.0.1.evil.example")
    assert client.error(path, 403, Origin="http://evil.example")
    assert client.error(f"/data/{RUN}/balance", 403, method="POST", body={"polygon": SQUARE}, Origin="null")
    for host in ("localhost", "127.0.0.1:9", "[::1]:80"):
        assert client.ask(path, Host=host)[0] == 200
    _, _, headers = client.ask(path)
    assert "Access-Control-Allow-Origin" not in headers and headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_nothing_can_be_written_and_large_requests_are_dropped(client):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.ask(f"/data/{RUN}/index.json", method=method, body=b"{}")[0] == 405
    assert client.ask(f"/data/{RUN}/balance")[0] == 405
    try:
        status = client.ask(f"/data/{RUN}/balance", method="POST", body=b" " * (2**20 + 1))[0]
    except ConnectionError:  # the server closes without reading on
        status = 413
    assert status in (400, 413)


def test_answers_are_kept_for_a_version_only(client, index):
    path = f"/data/{RUN}/map/soil_water/mean/0/0.bin"
    assert client.ask(path)[2]["Cache-Control"] == "no-store"
    assert "max-age" in client.ask(f"{path}?v={index['version']}")[2]["Cache-Control"]
    status, content, headers = client.ask(path, method="HEAD")
    assert (status, content, headers["Content-Length"]) == (200, b"", "24")


def test_numpy_reads_what_the_page_reads(client):
    content = client.bytes(f"/data/{RUN}/map/ground_temperature/mean/0/0.bin")
    values = np.frombuffer(io.BytesIO(content).read(), "<f4")
    assert values.size == 6 and (values > 250).all() and (values < 330).all()
