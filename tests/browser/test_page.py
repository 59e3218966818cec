"""Permalinks, languages, downloads, messages, access by keyboard and on a phone, the static site."""

from __future__ import annotations

import functools
import http.server
import io
import json
import threading

import netCDF4
import numpy as np
import pytest
from viewed_runs import NX, NY, PRECIPITATION, RECORDS, soil_water
from web_viewer import Site, Viewer, answer_with, expect

from pyland.driver.commands.view import export_site

WATER = soil_water()
STATE = ("language=de&run=basin&variable=latent_heat_flux&time=2020-05-03T00:00Z&palette=inferno&reversed=1"
         "&limits=0.1,0.4&swipe=1&other_run=basin-open_loop&other_variable=soil_water&other_statistic=mean&divider=0.25"
         "&opacity=0.5&view=5,4,6&point=4,7&polygon=6.4,50.2;6.9,50.2;6.9,50.6&panel=balance")


def test_a_permalink_restores_all(viewer):
    page = viewer.open(STATE)
    viewer.drawn("data/basin/map/latent_heat_flux/mean/0/1.bin", "data/basin-open_loop/map/soil_water/mean/0/1.bin")
    page.wait_for_selector(".balance-panel[data-shown]")
    page.wait_for_selector(".series-panel[data-shown$='/4_7']", state="attached")
    assert page.locator(".divider").get_attribute("aria-valuenow") == "25"
    assert viewer.in_map("plot => plot.x_range.end - plot.x_range.start") == pytest.approx(6)
    lists = {name: page.locator(f".choices [name={name}]").input_value() for name in
             ("variable", "palette", "low", "high", "other_variable", "opacity")}
    assert lists == {"variable": "latent_heat_flux", "palette": "inferno", "low": "0.1", "high": "0.4",
                     "other_variable": "soil_water", "opacity": "50"}
    assert page.locator(".language").input_value() == "de"
    assert page.url.split("#")[1] == STATE


def test_the_back_button_goes_back(viewer):
    page = viewer.open()
    viewer.choose("variable", "latent_heat_flux")
    viewer.drawn("latent_heat_flux")
    viewer.choose("statistic", "anomaly")
    viewer.drawn("anomaly")
    page.go_back()
    viewer.drawn("latent_heat_flux/mean")
    page.go_back()
    viewer.drawn("soil_water/mean")
    assert page.locator(".choices [name=variable]").input_value() == "soil_water"
    page.go_forward()
    viewer.drawn("latent_heat_flux/mean")


def test_languages_change_at_once(viewer):
    page = viewer.open("point=4,7")
    page.wait_for_selector(".series-panel[data-shown]")
    words = {"de": ("Verlauf", "6. Mai 2020, 00:00 – 7. Mai 2020, 00:00 UTC", "Mittel"),
             "zh": ("时间序列", "2020年5月6日 00:00 – 2020年5月7日 00:00 UTC", "平均"),
             "en": ("Series", "6 May 2020, 00:00 – 7 May 2020, 00:00 UTC", "mean")}
    for name, (tab, interval, mean) in words.items():
        page.select_option(".language", name)
        expect(page.locator("#tab-series")).to_have_text(tab)
        expect(page.locator(".time-shown")).to_have_text(interval)
        page.wait_for_function(
            "mean => document.querySelector('[name=statistic]').selectedOptions[0].text === mean", arg=mean)
        page.wait_for_function("text => window.Bokeh.documents.some((one) => one.roots()[0].above.some((title) =>"
                               " (title.text ?? '').includes(text)))", arg=interval)
        assert page.evaluate("document.documentElement.lang").startswith(name)
        left = page.evaluate("() => [...document.querySelectorAll('[data-text]')].map((one) => one.textContent)"
                             ".filter((text) => /^[a-z_]+\\.[a-z_.]+$/.test(text))")
        assert left == []


def test_the_language_of_the_reader_is_taken_where_none_was_chosen(browser, site):
    context = browser.new_context(locale="zh-CN")
    viewer = Viewer(context.new_page(), site)
    viewer.page.route("**/catalogue.json", lambda route: route.fulfill(
        json={**route.fetch().json(), "language": None, "language_default": None}))
    viewer.open()
    assert viewer.page.locator("#tab-series").inner_text() == "时间序列"
    context.close()


def test_downloads(viewer):
    import rasterio

    page = viewer.open("time=2020-05-03T00:00Z")
    files = {}
    for kind in ("nc", "csv", "tif", "png"):
        with page.expect_download() as wait:
            page.click(f".download-{kind}")
        files[kind] = wait.value.path().read_bytes()
    with netCDF4.Dataset("map.nc", memory=files["nc"]) as data:
        values = np.ma.filled(np.squeeze(data["soil_water"][:]), np.nan)
        np.testing.assert_allclose(values, WATER[1, 0], rtol=1e-6)
    assert len(files["csv"].decode().strip().splitlines()) >= NY * NX - 6
    with rasterio.open(io.BytesIO(files["tif"])) as image:
        assert image.count == 1
    assert files["png"][:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(files["png"][place:place + 4]) for place in (16, 20))
    assert width > 400 and height > 400


def test_a_server_that_is_gone_and_a_field_that_is_missing_are_told(viewer):
    page = viewer.open("time=2020-05-02T00:00Z")
    page.route("**/map/**/anomaly/**", answer_with(404, json.dumps({"error": "The record was removed."})))
    viewer.choose("statistic", "anomaly")
    expect(page.locator(".message-text")).to_have_text("This is not there: The record was removed.")
    page.route("**/map/**/std/**", lambda route: route.abort())
    viewer.choose("statistic", "std")
    expect(page.locator(".message-text")).to_contain_text("The server does not answer")
    page.unroute("**/map/**/std/**")
    page.click(".message-retry")
    viewer.drawn("soil_water/std/0")
    expect(page.locator(".message")).to_be_hidden()
    viewer.errors.clear()  # the browser itself reports both answers


def test_a_run_that_grows_gets_its_new_records(viewer):
    page, records = viewer.page, [RECORDS - 1]
    page.add_init_script("const later = window.setTimeout; window.setTimeout = (action, time, ...rest) =>"
                         " later(action, time === 10000 ? 200 : time, ...rest);")

    def index(route):
        found = route.fetch().json()
        for name in ("times", "time_start"):
            found[name] = found[name][:records[0]]
        route.fulfill(json={**found, "is_growing": True, "version": str(records[0])})

    page.route("**/data/basin/index.json", index)
    viewer.open()
    viewer.drawn(f"/mean/0/{RECORDS - 2}.bin")
    records[0] = RECORDS
    expect(page.locator(".time-count")).to_have_text(f"{RECORDS} / {RECORDS}")


def test_every_control_has_a_name_and_is_reached_by_keys(viewer):
    page = viewer.open("point=4,7&swipe=1")
    page.wait_for_selector(".series-panel[data-shown]")
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('button, a, input, select, [role=slider], [role=img]')].filter((one) =>"
        " one.checkVisibility() && !(one.innerText?.trim() && one.tagName !== 'SELECT') && !one.ariaLabel && !one.title"
        " && !(one.labels?.length && one.labels[0].innerText.trim())).map((one) => one.outerHTML.slice(0, 90))")
    assert nameless == []
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.className || document.activeElement.name"))
    wanted = {"language", "map-stage", "divider", "time-play", "time-slider", "variable", "area-draw", "download-nc"}
    assert wanted <= seen
    page.locator("#tab-series").press("ArrowRight")
    assert page.locator("#tab-balance").get_attribute("aria-selected") == "true"
    page.locator(".map-stage").press("ArrowRight")
    page.wait_for_function("() => window.location.hash.includes('view=')")


def test_a_phone_shows_all_in_its_width(browser, site):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="de-DE", reduced_motion="reduce")
    viewer = Viewer(context.new_page(), site)
    page = viewer.open("language=de&point=4,7")
    page.wait_for_selector(".series-panel[data-shown]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.touchscreen.tap(*viewer.cell_place(5, 3))
    page.wait_for_selector(".series-panel[data-shown$='/5_3']")
    assert page.evaluate("getComputedStyle(document.querySelector('.time-play')).transitionDuration") == "0s"
    context.close()
    assert viewer.errors == []


def test_a_static_site_does_the_same(browser, runs, tmp_path):
    export_site([runs / "basin"], tmp_path / "site", language="en", tiles=None, variables=("soil_water",),
                statistics=("mean", "std"), every=1, limit=None)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path / "site"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    try:
        viewer = Viewer(context.new_page(), Site(f"http://127.0.0.1:{server.server_port}/", tmp_path))
        page = viewer.open("time=2020-05-03T00:00Z&point=5,6&swipe=1&polygon=6.4,50.2;6.9,50.2;6.9,50.6;6.4,50.6")
        page.wait_for_selector(".series-panel[data-shown$='/5_6']")
        lines = viewer.in_series("plot => plot.renderers.filter((one) => one.glyph.type === 'Line').map((one) =>"
                                 " [...one.data_source.data.y])")
        np.testing.assert_allclose(lines[-1], WATER[:, 0, 5, 6], rtol=1e-5)
        with page.expect_download() as wait:
            page.click(".download-nc")
        with netCDF4.Dataset("map.nc", memory=wait.value.path().read_bytes()) as data:
            np.testing.assert_allclose(np.ma.filled(data["soil_water"][:], np.nan), WATER[1, 0], rtol=1e-6)
            assert data["soil_water"].units == "m3 m-3"
        page.click("#tab-balance")
        page.wait_for_selector(".balance-panel[data-shown]")
        assert f"precipitation\t{PRECIPITATION * RECORDS:g}\tkg m⁻²" in page.locator(".balance-table").inner_text()
        assert viewer.errors == [] or all("404" in one for one in viewer.errors)
    finally:
        context.close()
        server.shutdown()
        thread.join()
        server.server_close()
