"""Delivery of alarms: to a command, or to an address in the web.

Each alarm that is due goes out once per channel. What went out is on record in a file that is replaced as a whole after
each delivery; a kill between a delivery and its record sends the alarm again, never loses it. A delivery that fails is
logged and tried again at the next calls, a stated number of times; it never stops a cycle.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyland
from pyland.base.logging import get_logger
from pyland.output.atomic import plain, write_json

COMMAND, WEBHOOK = "command", "webhook"

MOST_RECORDS = 1000
"""Deliveries that stay on record, the newest; an alarm of a cycle so long ago is not looked at again."""

_log = get_logger("output.alarms")


class DeliverySettings(Protocol):
    """Who is told, as `pyland.config.alarms.AlarmsSection` has it."""

    command: str | None
    webhook: str | None
    timeout: float
    attempts: int


def deliver(alarms: Sequence[Mapping[str, Any]], record: str | Path, settings: DeliverySettings) -> int:
    """Send the alarms that are due and did not go out yet.

    Parameters
    ----------
    alarms : sequence of mapping
        Of one cycle or several, as `pyland.output.alarm_files.read_alarms` gives them. An alarm is known by the cycle,
        its name and its status: a repeated or superseding run of the cycle does not send it again.
    record : str or Path
        JSON file of what went out, and of what is still to be tried again; made if missing.
    settings : DeliverySettings
        Command, address, longest time [s] and attempts.

    Returns
    -------
    int
        How many deliveries failed in this call.

    Raises
    ------
    OutputError
        If the record cannot be written.
    """
    channels: dict[str, Callable[[bytes, float], None]] = {}
    if settings.command is not None:
        channels[COMMAND] = lambda content, timeout: _run(settings.command, content, timeout)
    if settings.webhook is not None:
        channels[WEBHOOK] = lambda content, timeout: _post(settings.webhook, content, timeout)
    known = _read(Path(record))
    failures, tried = 0, set[str]()
    waiting = [entry["alarm"] for entry in known.values() if "alarm" in entry]
    for alarm in [*waiting, *(one for one in alarms if one.get("is_due", True))]:
        content = json.dumps(plain(dict(alarm)), ensure_ascii=False).encode()
        for channel, send in channels.items():
            key = f"{alarm['reference_time']} {alarm['name']} {alarm['status']} {channel}"
            entry = known.get(key, {"delivered": False, "attempts": 0})
            if entry["delivered"] or entry["attempts"] >= settings.attempts or key in tried:
                continue
            tried.add(key)
            reason = _reason(send, content, settings.timeout)
            entry = {"delivered": reason is None, "attempts": entry["attempts"] + 1}
            if reason is not None:
                failures += 1
                entry["reason"] = reason
                if entry["attempts"] < settings.attempts:
                    entry["alarm"] = dict(alarm)
                _log.warning("Alarm '%s' of %s was not delivered by %s (attempt %d of %d): %s", alarm["name"],
                             alarm["reference_time"], channel, entry["attempts"], settings.attempts, reason)
            known[key] = entry
            write_json(record, dict(sorted(known.items())[-MOST_RECORDS:]))
    return failures


def _read(record: Path) -> dict[str, Any]:
    """Return what went out; a damaged record is told and begun anew."""
    if not record.exists():
        return {}
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError("no mapping")
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError) as error:
        _log.warning("%s was no record of deliveries (%s) and is begun anew; alarms may be sent twice.", record, error)
        return {}
    return content


def _reason(send: Callable[[bytes, float], None], content: bytes, timeout: float) -> str | None:
    """Send; return why it failed, None if it did not."""
    try:
        send(content, timeout)
    except subprocess.TimeoutExpired:
        return f"it did not end within {timeout:g} s"
    except subprocess.CalledProcessError as error:
        words = " ".join((error.stderr or b"").decode(errors="replace").split())
        return f"it ended with code {error.returncode}" + (f" and said: {words[-200:]}" if words else "")
    except urllib.error.HTTPError as error:
        return f"the address answered {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return f"the address was not reached ({error.reason})"
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _run(command: str, content: bytes, timeout: float) -> None:
    """Run a command, without a shell, with the alarm on its standard input."""
    subprocess.run(shlex.split(command), input=content, capture_output=True, check=True, timeout=timeout)


def _post(address: str, content: bytes, timeout: float) -> None:
    """Post the alarm."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"pyland/{pyland.__version__}"}
    request = urllib.request.Request(address, data=content, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        answer.read()
