"""Time slider, play and keys; two maps with a divider."""

from __future__ import annotations

import numpy as np
import pytest
from viewed_runs import NX, OPEN_LOOP_SHIFT, RECORDS, soil_water

WATER = soil_water()
PARTS = ("plot => plot.renderers.filter((one) => one.glyph.type === 'Image').map((one) => one.data_source.data)"
         ".map((data) => data.image.map((image, k) => ({x: data.x[k], dw: data.dw[k], last: image.at(-1)})))")


def test_slider_buttons_and_keys_step_through_time(viewer):
    page = viewer.open()
    record = lambda number: viewer.drawn(f"soil_water/mean/0/{number}.bin")  # noqa: E731
    page.click(".time-previous")
    record(RECORDS - 2)
    page.click(".time-first")
    record(0)
    assert page.locator(".time-count").inner_text() == f"1 / {RECORDS}"
    page.locator("body").press("ArrowRight")
    record(1)
    page.locator("body").press("End")
    record(RECORDS - 1)
    page.locator("body").press("Shift+ArrowLeft")
    record(0)
    page.locator(".time-slider").fill("3")
    record(3)
    assert page.locator(".time-slider").get_attribute("aria-valuetext").startswith("4 May 2020")
    page.wait_for_function("() => window.location.hash.includes('time=2020-05-05T00:00Z')")


def test_play_shows_one_record_after_the_other_and_stops(viewer):
    page = viewer.open("time=2020-05-02T00:00Z")
    page.select_option(".time-speed", "10")
    page.locator("body").press("Space")
    assert page.locator(".time-play").get_attribute("aria-pressed") == "true"
    viewer.drawn("soil_water/mean/0/2.bin")
    page.click(".time-play")
    assert page.locator(".time-play").get_attribute("aria-pressed") == "false"
    place = page.locator(".time-slider").input_value()
    page.wait_for_timeout(400)
    assert page.locator(".time-slider").input_value() == place


def test_neighbours_are_read_ahead(viewer):
    asked = []
    viewer.page.on("request", lambda request: asked.append(request.url) if "/map/" in request.url else None)
    page = viewer.open("time=2020-05-02T00:00Z")
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((one) => one.name.includes('/mean/0/1.bin'))")
    page.click(".time-next")
    viewer.drawn("soil_water/mean/0/1.bin")
    assert sum("/mean/0/1.bin" in url for url in asked) == 1


def test_a_dragged_slider_asks_for_one_map_at_a_time_and_ends_at_the_last(viewer):
    page, here, most = viewer.page, [0], [0]

    def late(route):
        here[0] += 1
        most[0] = max(most[0], here[0])
        page.wait_for_timeout(30)
        route.continue_()

    def ended(request):
        here[0] -= "/map/" in request.url

    page.route("**/map/**", late)
    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    viewer.open("time=2020-05-02T00:00Z")
    page.evaluate("() => { const slider = document.querySelector('.time-slider');"
                  "for (const place of [5, 0, 4, 3, 5]) {"
                  "slider.value = place; slider.dispatchEvent(new Event('input')); } }")
    viewer.drawn("soil_water/mean/0/5.bin")
    page.unroute_all(behavior="ignoreErrors")
    assert most[0] <= 2  # the one that is wanted, and one that is being let go


def test_two_maps_are_cut_at_the_divider(viewer):
    page = viewer.open()
    assert page.locator(".divider").is_hidden()
    page.check(".choices [name=swipe]")
    viewer.drawn("data/basin/map", "data/basin-open_loop/map")
    page.wait_for_selector(".divider:not([hidden])")
    left, right = viewer.in_map(PARTS)
    cut = viewer.in_map("plot => (plot.x_range.start + plot.x_range.end) / 2")
    assert left[0]["x"] == 0 and left[-1]["x"] + left[-1]["dw"] == pytest.approx(cut)
    assert right[0]["x"] == pytest.approx(cut) and right[-1]["x"] + right[-1]["dw"] == pytest.approx(NX)
    assert right[-1]["last"] == pytest.approx(WATER[-1, 0, -1, -1] + OPEN_LOOP_SHIFT, rel=1e-5)
    assert page.locator(".side-a").inner_text() == "A: basin"
    assert page.locator(".side-b").inner_text() == "B: basin: open loop"


def test_the_divider_is_dragged_and_moved_by_keys(viewer):
    page = viewer.open("swipe=1")
    handle = page.locator(".divider-grip").bounding_box()
    frame = viewer.in_map("plot => view.frame.bbox.width")
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(handle["x"] + handle["width"] / 2 - frame / 4, handle["y"], steps=4)
    page.mouse.up()
    divider = page.locator(".divider")
    assert int(divider.get_attribute("aria-valuenow")) == pytest.approx(25, abs=1)
    place = viewer.in_map("plot => plot.x_range.start + 0.25 * (plot.x_range.end - plot.x_range.start)")
    assert viewer.in_map(PARTS)[1][0]["x"] == pytest.approx(place, abs=0.2)
    divider.press("ArrowRight")
    assert int(divider.get_attribute("aria-valuenow")) == pytest.approx(27, abs=1)
    divider.press("End")
    assert viewer.in_map(PARTS)[1] == []
    page.wait_for_function("() => window.location.hash.includes('divider=1')")


def test_another_variable_on_the_right_has_colours_of_its_own_and_may_be_seen_through(viewer):
    page = viewer.open("swipe=1&divider=0.3")
    viewer.choose("other_variable", "latent_heat_flux")
    viewer.drawn("basin-open_loop/map/latent_heat_flux")
    page.locator(".choices [name=opacity]").fill("40")
    bars = viewer.in_map("plot => plot.below.filter((one) => one.type === 'ColorBar' && one.visible)"
                         ".map((one) => one.title)")
    assert [title[:2] for title in bars] == ["A:", "B:"] and bars[1].endswith("[W m⁻²]")
    alpha, whole = viewer.in_map("plot => { const images = plot.renderers.filter((one) => one.glyph.type === 'Image');"
                                 "return [images[1].glyph.global_alpha, images[0].data_source.data.dw]; }")
    assert (alpha.get("value") if isinstance(alpha, dict) else alpha) == pytest.approx(0.4)
    assert np.sum(whole) == NX  # what lies below is whole where it is seen through
