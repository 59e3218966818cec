"""A page of the web map in a headless browser, and a server for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyland.view.web_server.catalogue import Catalogue

for package, extra in (("bokeh", "view"), ("tornado", "view"), ("rasterio", "view")):
    pytest.importorskip(package, reason=f"the page of the web map needs {package} (extra {extra})")
_driver = pytest.importorskip("playwright.sync_api", reason="the page of the web map needs playwright (extra test)")
expect, sync_playwright = _driver.expect, _driver.sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

DRAWN = ".map-figure[data-drawn]"
PATIENCE = 20_000  # of a step in the browser on a busy machine [ms]


@dataclass(frozen=True)
class Site:
    """Where a page is served."""

    address: str
    folder: Path


def served(catalogue: Catalogue) -> Iterator[str]:
    """Serve a catalogue in a thread and give its address."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    from pyland.view.web_server.application import make_application

    started, box = threading.Event(), {}

    async def serve() -> None:
        server = HTTPServer(make_application(catalogue))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        box.update(port=sockets[0].getsockname()[1], loop=asyncio.get_running_loop(), stop=asyncio.Event())
        started.set()
        await box["stop"].wait()
        server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(20)
    try:
        yield f"http://127.0.0.1:{box['port']}/"
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join(20)
        catalogue.close()


class Viewer:
    """A page of the browser, and what tests do with it."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site = page, site
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    def open(self, state: str = "") -> Page:
        """Open the page with a state and wait for its map."""
        self.page.goto(f"{self.site.address}#{state}" if state else self.site.address)
        self.page.wait_for_selector(DRAWN)
        return self.page

    def drawn(self, *parts: str) -> None:
        """Wait until the map shows fields whose paths hold some parts."""
        self.page.wait_for_function(
            "parts => parts.every((one) => document.querySelector('.map-figure').dataset.drawn?.includes(one))",
            arg=list(parts))

    def choose(self, name: str, value: str) -> None:
        """Choose an entry of a list beside the map."""
        self.page.select_option(f".choices [name={name}]", value)

    def cell_place(self, row: int, column: int) -> tuple[float, float]:
        """Return where the middle of a cell of the run 'basin' is on the screen [pixel]."""
        x, y = self.in_map(
            "(plot) => { const [xs, ys, frame] = [plot.x_range, plot.y_range, view.frame.bbox];"
            f"return [frame.left + frame.width * ({column + 0.5} - xs.start) / (xs.end - xs.start),"
            f"frame.top + frame.height * (ys.end - {row + 0.5}) / (ys.end - ys.start)]; }}")
        box = self.page.locator(".map-figure").bounding_box()
        return box["x"] + x, box["y"] + y

    def in_map(self, function: str) -> Any:
        """Return what a function of the Bokeh figure of the map gives; 'view' is its view."""
        return self.page.evaluate(
            "() => { const view = window.Bokeh.index.roots.find((one) => document.querySelector('.map-figure')"
            f".contains(one.el)); return ({function})(view.model); }}")

    def in_series(self, function: str) -> Any:
        """Return what a function of the Bokeh figure of the series gives."""
        return self.page.evaluate(
            "() => { const view = window.Bokeh.index.roots.find((one) => document.querySelector('.series-chart')"
            f".contains(one.el)); return ({function})(view.model); }}")


def answer_with(status: int, body: str = "{}") -> Any:
    """Return a route that answers itself."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body=body)

    return answer
