"""The map: values, colours, degrees, outline, zoom, stations, base map."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from viewed_runs import LAYERS, NX, NY, RECORDS, SPREAD, latitude, longitude, soil_water
from web_viewer import Site, Viewer, served

from pyland.view.web_server.catalogue import Catalogue, NamedRun

WATER = soil_water()
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==")
"""The smallest image of a tile."""


def shown_values(viewer):
    """Return the values of the left image, (y, x)."""
    image = viewer.in_map("plot => { const image = plot.renderers.find((one) => one.glyph.type === 'Image');"
                          "return Array.from(image.data_source.data.image[0], (v) => Number.isNaN(v) ? null : v); }")
    return np.array(image, float).reshape(NY, NX)


def colour_bar(viewer):
    """Return low, high, title and colours of the first bar."""
    return viewer.in_map("plot => { const bar = plot.below.find((one) => one.type === 'ColorBar');"
                         "const {low, high, palette} = bar.color_mapper;"
                         "return {low, high, title: bar.title, colours: palette, ticks: bar.ticker.ticks}; }")


def test_the_last_record_is_shown_with_units_date_and_degrees(viewer):
    page = viewer.open()
    assert page.locator("h1").inner_text() == "Basin and night"
    np.testing.assert_allclose(shown_values(viewer), WATER[-1, 0], rtol=1e-6)
    bar = colour_bar(viewer)
    assert bar["title"].endswith("0–5 cm, mean [m³ m⁻³]")
    assert len(bar["colours"]) == 256 and bar["colours"][0] == "#440154"  # viridis
    low, high = np.nanpercentile(WATER[:, 0], [2, 98])
    assert bar["low"] == pytest.approx(low, abs=0.02) and bar["high"] == pytest.approx(high, abs=0.02)
    assert page.locator(".time-shown").inner_text() == "6 May 2020, 00:00 – 7 May 2020, 00:00 UTC"
    titles = viewer.in_map("plot => plot.above.map((one) => one.text)")
    assert "basin · 6 May 2020, 00:00 – 7 May 2020, 00:00 UTC" in titles
    viewer.page.wait_for_function("() => window.Bokeh.documents.some((one) => one.roots()[0].renderers.some((r) =>"
                                  " r.glyph.type === 'Text' && r.data_source.data.text.includes('50.2° N')))")


def test_the_value_under_the_pointer_is_that_of_the_file(viewer):
    page = viewer.open()
    row, column = 4, 7
    page.mouse.move(*viewer.cell_place(row, column))
    page.wait_for_function("() => document.querySelector('.readout').textContent.includes('m³ m⁻³')")
    said = page.locator(".readout").inner_text()
    assert said.startswith(f"{WATER[-1, 0, row, column]:.4g} m³ m⁻³")
    assert f"{latitude()[row, column]:.3f}° N" in said and f"{longitude()[row, column]:.3f}° E" in said


def test_statistics(viewer):
    viewer.open("statistic=std")
    there = np.where(np.isnan(WATER[-1, 0]), np.nan, 1.0)
    expected = {
        "std": SPREAD * there, "p95": WATER[-1, 0] + 1.6448536 * SPREAD,
        "anomaly": WATER[-1, 0] - WATER[:, 0].mean(0), "percentile": 100.0 * (RECORDS - 0.5) / RECORDS * there,
    }
    for statistic, values in expected.items():
        viewer.choose("statistic", statistic)
        viewer.drawn(f"soil_water/{statistic}/0")
        np.testing.assert_allclose(shown_values(viewer), values, rtol=2e-4, atol=1e-5)


def test_increments_have_colours_on_both_sides_of_zero(viewer):
    viewer.open("statistic=increment&time=2020-05-03T00:00Z")
    np.testing.assert_allclose(shown_values(viewer)[3:], 0.01, rtol=1e-5)
    bar = colour_bar(viewer)
    assert bar["low"] == -bar["high"] and 0 in bar["ticks"]
    assert bar["colours"][0] == "#543005" and bar["colours"][-1] == "#003c30"  # brown is dry, BrBG


def test_layers_and_variables(viewer):
    page = viewer.open()
    viewer.choose("layer", "1")
    viewer.drawn("soil_water/mean/1")
    np.testing.assert_allclose(shown_values(viewer), WATER[-1, 1], rtol=1e-6)
    assert page.locator(".choices [name=layer] option").all_inner_texts() == [
        f"{100 * top:g}–{100 * bottom:g} cm" for top, bottom in LAYERS]
    viewer.choose("variable", "latent_heat_flux")
    viewer.drawn("latent_heat_flux/mean/0")
    np.testing.assert_allclose(shown_values(viewer), 1000 * WATER[-1, 0], rtol=1e-6)
    assert page.locator(".choice-layer").is_hidden()


def test_colours_and_their_range(viewer):
    page = viewer.open()
    viewer.choose("palette", "cividis")
    page.check(".choices [name=reversed]")
    page.fill(".choices [name=low]", "0.1")
    page.fill(".choices [name=high]", "0.5")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.location.hash.includes('limits=')")
    viewer.page.wait_for_timeout(300)
    bar = colour_bar(viewer)
    assert bar["colours"][-1] == "#00204c" and bar["high"] == 0.5
    viewer.choose("limits", "data")
    viewer.page.wait_for_timeout(300)
    shown = WATER[-1, 0]
    assert colour_bar(viewer)["high"] == pytest.approx(np.nanpercentile(shown, 98), abs=0.02)


def test_outline_separates_land_from_sea(viewer):
    viewer.open()
    viewer.page.wait_for_timeout(200)
    length = viewer.in_map(
        "plot => plot.renderers.filter((one) => one.glyph.type === 'MultiLine').map((one) => one.data_source.data)"
        ".map((d) => d.xs.reduce((sum, xs, k) => sum + xs.slice(1).reduce((s, x, i) => s + Math.abs(x - xs[i]) +"
        " Math.abs(d.ys[k][i + 1] - d.ys[k][i]), 0), 0))")
    assert 2 * (NX + NY) in length  # an L of 2 x 3 cells less at one corner leaves the length as it is


def test_zoom_keeps_cells_in_shape_and_the_address_holds_it(viewer):
    page = viewer.open()
    width = "plot => plot.x_range.end - plot.x_range.start"
    before = viewer.in_map(width)
    page.click(".zoom-in")
    assert viewer.in_map(width) == pytest.approx(before / 1.5)
    page.mouse.move(*viewer.cell_place(4, 5))
    page.mouse.wheel(0, -300)
    page.wait_for_function("() => window.location.hash.includes('view=')")
    shape = viewer.in_map("plot => { const [xs, ys, frame] = [plot.x_range, plot.y_range, view.frame.bbox];"
                          "return (ys.end - ys.start) / frame.height / ((xs.end - xs.start) / frame.width); }")
    east = 0.15 * np.cos(np.radians(50.37))
    assert 1 / shape == pytest.approx(0.1 / east, rel=0.02)  # height of a cell over its width on the ground
    page.click(".zoom-whole")
    assert viewer.in_map(width) == pytest.approx(before)


def test_places_of_observations(viewer):
    page = viewer.open()
    assert page.is_checked(".choices [name=stations]")
    marks = viewer.in_map("plot => plot.renderers.filter((one) => one.glyph.marker?.value === 'triangle')"
                          ".map((one) => [one.data_source.data.x[0], one.data_source.data.y[0]])[0]")
    assert marks == pytest.approx([6.5, 5.5], abs=0.01)


def test_base_map_only_where_an_address_was_given(browser, runs):
    named = [NamedRun("basin", runs / "basin" / "run")]
    for address in served(Catalogue(named, tiles="https://tiles.example/{Z}/{X}/{Y}.png")):
        context = browser.new_context(viewport={"width": 1000, "height": 700})
        asked = []

        def answer(route, *, urls=asked):
            urls.append(route.request.url)
            route.fulfill(body=PIXEL, content_type="image/png")

        context.route("https://tiles.example/**", answer)
        viewer = Viewer(context.new_page(), Site(address, runs))
        viewer.open()
        viewer.page.wait_for_timeout(500)
        assert asked
        x, y = viewer.in_map("plot => { const r = plot.renderers.find((one) => one.glyph?.type === 'Image'); const d ="
                             "r.data_source.data; return [d.x[0], d.y[0]]; }")
        assert x == pytest.approx(np.radians(longitude().min() - 0.075) * 6378137, rel=2e-3)
        assert y == pytest.approx(6378137 * np.log(np.tan(np.pi / 4 + np.radians(49.95) / 2)), rel=1e-3)
        assert viewer.errors == []
        context.close()


def test_nothing_is_fetched_from_elsewhere(viewer):
    asked = []
    viewer.page.on("request", lambda request: asked.append(request.url))
    viewer.open("point=5,6")
    viewer.page.wait_for_selector(".series-panel[data-shown]")
    assert asked and all(url.startswith((viewer.site.address, "data:", "blob:")) for url in asked)
