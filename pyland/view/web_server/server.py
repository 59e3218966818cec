"""Serve a catalogue on loopback until somebody ends it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable

from tornado.httpserver import HTTPServer

from pyland.base.errors import InputError
from pyland.view.web_server.application import LONGEST_BODY, make_application
from pyland.view.web_server.catalogue import Catalogue

ADDRESS = "127.0.0.1"
"""The only address that is served: files of the user are nobody else's business."""

_LONGEST_HEAD = 2**16
_PATIENCE = 3600.0  # of a connection that says nothing [s]


def serve(
    catalogue: Catalogue, port: int, *, with_browser: bool = True, say: Callable[[str], None] = print,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    catalogue : Catalogue
        Runs; its files are closed at the end.
    port : int
        Port; if it is taken, a free one is used and told. 0: any.
    with_browser : bool
        Open a browser.
    say : callable
        Takes lines for the terminal.
    started : callable, optional
        Takes the address of the page when the server listens.

    Raises
    ------
    InputError
        If the system gives no port.
    """

    async def listen() -> None:
        listener, actual = _listener(port)
        if port not in (0, actual):
            say(f"Port {port} is taken; {actual} is free.")
        server = HTTPServer(make_application(catalogue), max_body_size=LONGEST_BODY, max_header_size=_LONGEST_HEAD,
                            idle_connection_timeout=_PATIENCE)
        server.add_socket(listener)
        address = f"http://{ADDRESS}:{actual}/"
        say(f"{address} shows {', '.join(one.name for one in catalogue.named)}; Ctrl-C ends it.")
        if started is not None:
            started(address)
        if with_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        ended = asyncio.Event()
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # not Unix, or not the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        try:
            await ended.wait()
        finally:
            server.stop()

    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(listen())
    finally:
        catalogue.close()
    say("Ended.")


def _listener(port: int) -> tuple[socket.socket, int]:
    """Return a listening socket on loopback, and its port: the one that is asked for, or a free one."""
    for wanted in dict.fromkeys((port, 0)):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((ADDRESS, wanted))
        except OSError as error:
            made.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(f"{ADDRESS}:{wanted}: the system gives no such port ({error.strerror}).") from error
            continue
        made.listen(128)
        made.setblocking(False)
        return made, made.getsockname()[1]
    raise InputError(f"{ADDRESS}: the system gives no free port; end another server.")
