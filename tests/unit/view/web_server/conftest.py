"""A small twin experiment behind a server on loopback, shared by all tests of the web map."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cases import TWIN, changed, write_case
from pyland.config import load_case
from pyland.driver.commands.view import open_catalogue
from pyland.driver.run import run_case
from pyland.view.web_server.catalogue import Catalogue

CASE = changed(
    TWIN,
    {
        "domain.dx": "20 km",
        "domain.dy": "20 km",
        "output.variables": ["soil_water", "latent_heat_flux", "ground_temperature"],
        "output.statistics": ["mean", "std", "p05", "median", "p95"],
    },
)


@dataclass(frozen=True)
class Client:
    """Asks a server of a test."""

    port: int

    def ask(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(
                method, path, content, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def bytes(self, path: str) -> bytes:
        status, content, _ = self.ask(path)
        assert status == 200, (path, content)
        return content

    def json(self, path: str, **more: Any) -> Any:
        status, content, _ = self.ask(path, **more)
        assert status == 200, (path, content)
        return json.loads(content)

    def error(self, path: str, status: int, **more: Any) -> str:
        found, content, headers = self.ask(path, **more)
        assert found == status, (path, found, content)
        assert headers["Content-Type"].startswith("application/json")
        return json.loads(content)["error"]


@contextmanager
def serving(catalogue: Catalogue) -> Iterator[Client]:
    """Serve a catalogue in a thread."""
    from tornado.httpserver import HTTPServer

    from pyland.view.web_server.application import LONGEST_BODY, make_application

    started, box = threading.Event(), {}

    def work() -> None:
        async def serve() -> None:
            server = HTTPServer(make_application(catalogue), max_body_size=LONGEST_BODY)
            server.listen(0, "127.0.0.1")
            box["port"] = next(iter(server._sockets.values())).getsockname()[1]
            box["loop"], box["stop"] = asyncio.get_running_loop(), asyncio.Event()
            started.set()
            await box["stop"].wait()
            server.stop()

        asyncio.run(serve())

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(20)
    try:
        yield Client(box["port"])
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join(20)
        catalogue.close()


@pytest.fixture(scope="session", autouse=True)
def web_packages() -> None:
    """Skip without the packages of the extra ``view``."""
    for package in ("bokeh", "rasterio", "tornado"):
        pytest.importorskip(package, reason=f"the web map needs {package} (extra view)")


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the run directory of a twin experiment with an open loop: 2 x 3 cells, 4 members, 4 records."""
    case = write_case(tmp_path_factory.mktemp("web") / "small_twin", CASE)
    run_case(load_case(case))
    return case / "run"


@pytest.fixture(scope="session")
def client(run_dir: Path) -> Iterator[Client]:
    """Give a client of a server of the run."""
    with serving(open_catalogue([run_dir])) as found:
        yield found
