"""Progress of a run on the terminal."""

from __future__ import annotations

import sys
import time
from typing import Any

from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator

_LINE_EVERY = 5.0
"""Time between progress lines where there is no terminal [s]."""


class Progress:
    """Progress of a run: a bar on a terminal, a line every few seconds elsewhere, nothing on other ranks."""

    def __init__(self, ranks: Communicator) -> None:
        self._is_root = ranks.is_root
        self._bar: Any = None
        self._last = time.monotonic()

    def __enter__(self) -> Progress:
        if self._is_root and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("start", total=1.0)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: float, text: str) -> None:
        """Show the share that is done [1] and where the run is."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=text)
        elif self._is_root and time.monotonic() - self._last >= _LINE_EVERY:
            self._last = time.monotonic()
            get_logger("run").info("%3.0f %%  %s", 100.0 * done, text)
