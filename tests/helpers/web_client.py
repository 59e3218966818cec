"""A server of the web map in a thread, and a client that asks it."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyland.view.web_server.catalogue import Catalogue


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


