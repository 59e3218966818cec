"""A server with small runs and one headless Chromium, shared by all tests of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from viewed_runs import write_cycle, write_run, write_stations

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from web_viewer import Site, Viewer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> str:
    """Return the program of Chromium; skips without one."""
    given = os.environ.get("PYLAND_CHROMIUM")
    found = given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found or not Path(found).exists():
        pytest.skip("no Chromium: install the package chromium, or name the program in PYLAND_CHROMIUM")
    return found


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a run, a cycle and two stations; return their folder."""
    folder = tmp_path_factory.mktemp("viewed")
    write_run(folder / "basin" / "run")
    write_cycle(folder / "night" / "cycle")
    write_stations(folder / "stations" / "run")
    return folder


@pytest.fixture(scope="session")
def site(runs: Path) -> Iterator[Site]:
    """Serve all of them; skips where a package is missing (`web_viewer`)."""
    from web_viewer import Site, served

    from pyland.view.web_server.catalogue import Catalogue, NamedRun

    named = [NamedRun("basin", runs / "basin" / "run"), NamedRun("night", runs / "night" / "cycle", is_cycle=True),
             NamedRun("stations", runs / "stations" / "run")]
    for address in served(Catalogue(named, title="Basin and night", language="en")):
        yield Site(address, runs)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once."""
    from web_viewer import sync_playwright

    program = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def viewer(browser: Browser, site: Site) -> Iterator[Viewer]:
    """Give a fresh page of 1280 x 800; at the end it must not have failed."""
    from web_viewer import Viewer

    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", accept_downloads=True)
    one = Viewer(context.new_page(), site)
    yield one
    context.close()
    assert one.errors == []
