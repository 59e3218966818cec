"""The URLs of ``pyland view`` as a tornado application; see docs/guide/web_view.md for all of them.

Everything is read-only. Only the loopback names are answered: a page of another site that has its name point at
127.0.0.1 (DNS rebinding) still sends its own name as Host, and gets 403.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import tornado.web
from tornado.ioloop import IOLoop

from pyland.base.errors import InputError, PylandError, UnavailableError
from pyland.view.web_server.answers import Answer, Answers
from pyland.view.web_server.catalogue import Catalogue

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names that a browser of this machine, or one behind an ssh tunnel, asks for."""

LONGEST_BODY = 2**20
"""Largest request [bytes]; a polygon of 20 000 corners is one."""

_SENTENCES = {
    403: "there is nothing under this address.",
    404: "there is nothing under this address.",
    405: "this address can only be read.",
}

_WORKERS = 2
_KEEP = "private, max-age=86400"


def page_folder() -> Path:
    """Return the folder of the page."""
    return Path(str(resources.files("pyland.view"))) / "web"


def bokeh_folder() -> Path:
    """Return the folder with the scripts of the installed bokeh.

    Raises
    ------
    UnavailableError
        If bokeh is not installed.
    """
    try:
        import bokeh
    except ImportError:
        raise UnavailableError("pyland view needs bokeh and tornado; install them with: pip install 'pyland[view]'"
                               ) from None
    return Path(bokeh.__file__).parent / "server" / "static" / "js"


def make_application(catalogue: Catalogue) -> tornado.web.Application:
    """Return the application of a catalogue."""
    answers = Answers(catalogue)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="pyland-view")
    common = {"catalogue": catalogue, "pool": pool}
    data = [(pattern, _DataHandler, {**common, "answer": answer}) for pattern, answer in answers.routes()]
    return tornado.web.Application(
        [*data, (r"/data/(.*)", _NothingHandler, common),
         (r"/bokeh/([\w.-]+\.js)", _FileHandler, {"path": str(bokeh_folder()), **common}),
         (r"/(.*)", _FileHandler, {"path": str(page_folder()), "default_filename": "index.html", **common})],
        default_handler_class=_NothingHandler, default_handler_args=common, compress_response=False, debug=False,
        log_function=lambda handler: None, tiles=catalogue.tiles)


class _Refusal(tornado.web.HTTPError):
    """An error with a sentence for the reader."""

    def __init__(self, status: int, sentence: str | None = None) -> None:
        super().__init__(status)
        self.sentence = sentence


class _Guarded(tornado.web.RequestHandler):
    """What all handlers have in common: guards, headers, errors as JSON."""

    def initialize(self, catalogue: Catalogue, pool: ThreadPoolExecutor) -> None:
        self.catalogue, self.pool = catalogue, pool

    def prepare(self) -> None:
        name = self.request.host.rpartition(":")[0] if not self.request.host.endswith("]") else self.request.host
        name = name if self.request.host.rpartition(":")[2].isdigit() else self.request.host
        origin = self.request.headers.get("Origin")
        if name.lower() not in LOOPBACK:
            raise _Refusal(403, f"this server answers to {', '.join(LOOPBACK)} only.")
        if origin is not None and urlsplit(origin).netloc != self.request.host:
            raise _Refusal(403, "requests of other pages are not answered.")

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        host = "" if not self.tiles else " " + self.tiles
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data: blob:{host}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'none'; object-src 'none'",
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Referrer-Policy", "no-referrer")

    @property
    def tiles(self) -> str:
        """Scheme and host of the base map, empty without."""
        parts = urlsplit(self.application.settings["tiles"] or "")  # headers are set before `initialize`
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        text = getattr(error, "sentence", None) or _SENTENCES.get(
            status_code, "the server could not answer; its terminal says why.")
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(json.dumps({"error": text}))

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        if not isinstance(value, tornado.web.HTTPError):
            super().log_exception(kind, value, trace)


class _DataHandler(_Guarded):
    """Answers of one URL of the data, computed in a thread."""

    def initialize(self, catalogue: Catalogue, pool: ThreadPoolExecutor, answer: Callable[..., Answer]) -> None:
        super().initialize(catalogue, pool)
        self.answer = answer

    async def get(self, *parts: str) -> None:
        await self._respond(*parts)

    async def head(self, *parts: str) -> None:
        await self._respond(*parts)

    async def post(self, *parts: str) -> None:
        if not getattr(self.answer, "takes_body", False):
            raise _Refusal(405)
        try:
            body = json.loads(self.request.body)
        except ValueError:
            raise _Refusal(400, "the body of the request is not JSON.") from None
        await self._respond(*parts, body=body)

    async def _respond(self, *parts: str, **more: Any) -> None:
        if getattr(self.answer, "takes_body", False) and "body" not in more:
            raise _Refusal(405, "this address takes POST with a polygon.")
        query = {name: values[-1].decode("utf-8", "replace") for name, values in self.request.query_arguments.items()}
        call = _later(self.answer, *parts, query=query, **more)
        try:
            found = await IOLoop.current().run_in_executor(self.pool, call)
        except UnavailableError as error:
            raise _Refusal(501, str(error)) from None
        except InputError as error:
            raise _Refusal(400 if "body" in more else 404, str(error)) from None
        except PylandError as error:
            raise _Refusal(500, str(error)) from None
        except (OSError, RuntimeError) as error:  # a run that ends, or is pruned, while it is read
            raise _Refusal(503, f"the files of the run could not be read ({error}); ask again.") from None
        self.set_header("Content-Type", found.media_type)
        self.set_header("Cache-Control", _KEEP if "v" in query and found.keeps else "no-store")
        if found.file_name is not None:
            self.set_header("Content-Disposition", f'attachment; filename="{found.file_name}"')
        self.set_header("Content-Length", str(len(found.content)))
        if self.request.method != "HEAD":
            self.write(found.content)
        self.finish()


class _FileHandler(_Guarded, tornado.web.StaticFileHandler):
    """Files of the page and of bokeh."""

    def initialize(
        self, catalogue: Catalogue, pool: ThreadPoolExecutor, path: str, default_filename: str | None = None
    ) -> None:
        _Guarded.initialize(self, catalogue, pool)
        tornado.web.StaticFileHandler.initialize(self, path, default_filename)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")


class _NothingHandler(_Guarded):
    """Addresses without anything."""

    def get(self, *parts: str) -> None:
        raise _Refusal(404)

    head = post = put = delete = patch = options = get


def _later(function: Callable[..., Answer], *parts: str, **more: Any) -> Callable[[], Answer]:
    """Return a call with its arguments; numbers of numpy are quiet about NaN."""

    def call() -> Answer:
        with np.errstate(invalid="ignore"):
            return function(*parts, **more)

    return call
