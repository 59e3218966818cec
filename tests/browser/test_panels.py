"""Series of a cell, balance of an area, the panel of a cycle, runs of sites."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from viewed_runs import (
    EVAPOTRANSPIRATION,
    OBSERVED_COLUMN,
    OBSERVED_ROW,
    OPEN_LOOP_SHIFT,
    PRECIPITATION,
    RECORDS,
    SPREAD,
    latitude,
    longitude,
    soil_water,
)

WATER = soil_water()
GLYPHS = "plot => plot.renderers.map((one) => [one.glyph.type, one.data_source.data])"


def saved(page, button):
    """Click a button and return the text that it saves, without comments, and the comments."""
    with page.expect_download() as wait:
        page.click(button)
    text = wait.value.path().read_text()
    lines = text.splitlines()
    return list(csv.reader(io.StringIO("\n".join(one for one in lines if not one.startswith("#"))))), lines


def test_a_click_shows_the_series_with_its_fan_open_loop_and_observations(viewer):
    page = viewer.open()
    page.mouse.click(*viewer.cell_place(OBSERVED_ROW, OBSERVED_COLUMN))
    page.wait_for_selector(f".series-panel[data-shown$='/{OBSERVED_ROW}_{OBSERVED_COLUMN}']")
    mean = WATER[:, 0, OBSERVED_ROW, OBSERVED_COLUMN]
    glyphs = viewer.in_series(GLYPHS)
    areas = [data for kind, data in glyphs if kind == "VArea"]
    lines = [data for kind, data in glyphs if kind == "Line"]
    assert len(areas) == 2 and len(lines) == 2
    np.testing.assert_allclose(list(areas[0]["low"]), mean - 1.6448536 * SPREAD, rtol=1e-4)
    np.testing.assert_allclose(list(areas[1]["high"]), mean + 0.6744898 * SPREAD, rtol=1e-4)
    first = sorted(list(one["y"])[0] for one in lines)
    np.testing.assert_allclose(first, [mean[0] + OPEN_LOOP_SHIFT, mean[0]], rtol=1e-5)
    dots = [data for kind, data in glyphs if kind == "Scatter"]
    assert sorted(list(one["y"])[0] for one in dots) == pytest.approx([0.3, 0.9])
    whiskers = [list(data["high"])[0] - list(data["low"])[0] for kind, data in glyphs if kind == "Segment"]
    assert whiskers == pytest.approx([0.08, 0.08])
    legend = viewer.in_series("plot => plot.above[0].items.map((one) => one.label.value)")
    assert {"satellite (used)", "satellite (not used)", "open loop", "5–95 %", "25–75 %"} <= set(legend)
    assert "50.524° N, 6.880° E" in page.locator(".series-place").inner_text()


def test_the_marker_follows_the_map_and_the_table_is_that_of_the_file(viewer):
    page = viewer.open("point=4,7&time=2020-05-03T00:00Z")
    page.wait_for_selector(".series-panel[data-shown]")
    marker = "plot => plot.center.find((one) => one.type === 'Span').location"
    before = viewer.in_series(marker)
    page.click(".time-next")
    page.wait_for_function("() => window.location.hash.includes('time=2020-05-04')")
    assert viewer.in_series(marker) - before == 86400e3
    rows, lines = saved(page, ".series-csv")
    assert rows[0][:3] == ["time_end", "mean", "std"]
    table = rows[1:RECORDS + 1]
    np.testing.assert_allclose([float(one[1]) for one in table], WATER[:, 0, 4, 7], rtol=1e-5)
    assert "# variable: soil_water [m3 m-3]" in lines and "# depth: 0-0.05 m" in lines


def test_a_place_is_typed_and_a_place_without_cells_is_told(viewer):
    page = viewer.open()
    page.fill(".series-form [name=latitude]", f"{latitude()[6, 2]:.4f}")
    page.fill(".series-form [name=longitude]", f"{longitude()[6, 2]:.4f}")
    page.click(".series-form [type=submit]")
    page.wait_for_selector(".series-panel[data-shown$='/6_2']")
    page.fill(".series-form [name=latitude]", "10")
    page.click(".series-form [type=submit]")
    assert "no cell" in page.locator(".message").inner_text()


def test_a_drawn_polygon_gives_its_water_balance(viewer):
    page = viewer.open()
    page.click(".area-draw")
    assert page.locator(".area-draw").is_disabled()
    for row, column in ((3, 4), (3, 8), (6, 8), (6, 4)):
        page.mouse.click(*viewer.cell_place(row, column))
    page.click(".area-draw")
    page.wait_for_selector(".balance-panel[data-shown]")
    table = page.locator(".balance-table").inner_text()
    assert f"precipitation\t{PRECIPITATION * RECORDS:g}\tmm" in table
    assert f"evapotranspiration\t{EVAPOTRANSPIRATION * RECORDS:g}\tmm" in table
    assert "polygon" in page.locator(".balance-place").inner_text()
    rows, lines = saved(page, ".balance-csv")
    assert float(rows[1][rows[0].index("precipitation_mm [mm]")]) == PRECIPITATION * RECORDS
    assert any(line.startswith("# polygon") for line in lines)
    page.wait_for_function("() => window.location.hash.includes('polygon=')")
    page.click(".area-clear")
    page.wait_for_selector(".balance-panel.is-empty")


def test_a_zone_and_a_period(viewer):
    page = viewer.open()
    viewer.choose("zone", "all")
    page.wait_for_selector(".balance-panel[data-shown]")
    page.fill(".balance-panel [name=from]", "2020-05-03")
    page.wait_for_function("total => document.querySelector('.balance-table').innerText.includes(total)",
                           arg=f"precipitation\t{PRECIPITATION * (RECORDS - 2):g}\t")
    bars = page.evaluate("() => { const box = document.querySelector('.balance-bars');"
                         "return window.Bokeh.index.roots.find((one) => box.contains(one.el)).model.y_range.factors; }")
    assert "precipitation" in bars and "area" not in bars


def test_corners_are_typed_and_escape_gives_a_drawing_up(viewer):
    page = viewer.open("panel=balance")
    page.fill(".balance-form [name=corners]", "6.4 50.2; 6.9 50.2; 6.9 50.6")
    page.click(".balance-form [type=submit]")
    page.wait_for_selector(".balance-panel[data-shown]")
    page.click(".area-clear")
    page.click(".area-draw")
    page.mouse.click(*viewer.cell_place(3, 4))
    page.keyboard.press("Escape")
    assert page.locator(".choice-area.is-drawing").count() == 0
    assert "polygon=" not in page.url


def test_a_cycle_has_products_alarms_and_a_latency_board(viewer):
    page = viewer.open("panel=cycle&language=de")
    page.wait_for_selector(".cycle-latency tr.is-missing")
    board = page.locator(".cycle-latency").inner_text()
    assert "weather\tearly\t2. Mai 2020, 00:00 UTC\t6 h\t12 h\tpünktlich" in board
    assert "satellite\tfinal\t–\t–\t24 h\tfehlt" in board
    alarm = page.locator(".cycle-alarms tr.is-alarm").inner_text()
    assert "dry soil D2" in alarm and "75 %" in alarm and "400 km²" in alarm and "Der Boden ist trocken." in alarm
    assert "2 Zyklen, 2 Produkte" in page.locator(".cycle-state").inner_text()
    page.click(".cycle-products button >> nth=0")
    viewer.drawn("data/night-20200502T0000-forecast/map")
    assert page.locator(".choices [name=run]").input_value() == "night-20200502T0000-forecast"


def test_a_cycle_without_maps_of_its_own_shows_its_newest_product(viewer):
    page = viewer.open("run=night")
    viewer.drawn("data/night-20200502T0000-forecast/map")
    assert page.locator(".choices [name=run]").input_value() == "night-20200502T0000-forecast"
    assert not page.locator(".message").is_visible()


def test_a_single_record_is_a_dot(viewer):
    def one_record(route):
        series = route.fetch().json()
        cut = {name: values[:1] if name in ("time", "time_start", "mean", "std", "p05", "p25", "p75", "p95") else values
               for name, values in series.items()}
        route.fulfill(json={**cut, "open_loop": None, "observations": []})

    viewer.page.route("**/series/**", one_record)
    page = viewer.open("point=4,7")
    page.wait_for_selector(".series-panel[data-shown$='/4_7']")
    dots = [data for kind, data in viewer.in_series(GLYPHS) if kind == "Scatter"]
    assert len(dots) == 1 and list(dots[0]["y"]) == pytest.approx([WATER[0, 0, 4, 7]])
    assert viewer.in_series("plot => plot.x_range.end - plot.x_range.start") == 86400e3


def test_sites_are_points(viewer):
    page = viewer.open("run=stations&point=0,1")
    page.wait_for_selector(".series-panel[data-shown$='/0_1']")
    assert "forest" in page.locator(".series-place").inner_text()
    sites = viewer.in_map("plot => plot.renderers.map((one) => one.data_source.data)"
                          ".find((one) => one.value?.length === 2)")
    assert list(sites["value"]) == pytest.approx([100 + 10 * (RECORDS - 1), 40 + 10 * (RECORDS - 1)])
    assert page.locator(".choice-compare").is_hidden()
    assert page.locator(".download-tif").count() == 0
