"""Delivery of alarms: once per channel, failures are told and tried again, never fatal."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pyland.base.errors import InputError
from pyland.config.alarms import AlarmsSection
from pyland.output.alarm_delivery import deliver
from pyland.output.alarm_files import read_alarms, write_alarms

ALARM = {"name": "dry", "status": "raised", "reference_time": "2020-07-01T00:00:00", "is_due": True,
         "text": {"de": "Dürre"}}


@pytest.fixture
def server():
    """A server that answers with the codes of its list in turn, and keeps what it got."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            self.server.got.append((self.headers["Content-Type"], self.rfile.read(length)))
            self.send_response(self.server.answers.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    one = HTTPServer(("127.0.0.1", 0), Handler)
    one.got, one.answers = [], []
    thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    one.shutdown()
    thread.join()
    one.server_close()


def command(tmp_path, text):
    script = tmp_path / "hook.py"
    script.write_text(text)
    return f"{sys.executable} {script}"


def test_a_command_gets_each_alarm_once(tmp_path):
    text = f"import sys; open({str(tmp_path / 'got')!r}, 'a', encoding='utf-8').write(sys.stdin.read() + '\\n')"
    settings = AlarmsSection(command=command(tmp_path, text))
    quiet = ALARM | {"name": "quiet", "is_due": False}
    assert deliver([ALARM, quiet], tmp_path / "record.json", settings) == 0
    assert deliver([ALARM], tmp_path / "record.json", settings) == 0
    later = ALARM | {"status": "cleared"}
    assert deliver([ALARM, later], tmp_path / "record.json", settings) == 0
    lines = (tmp_path / "got").read_text(encoding="utf-8").splitlines()
    assert [json.loads(one)["status"] for one in lines] == ["raised", "cleared"]
    assert json.loads(lines[0]) == ALARM and "Dürre" in lines[0]


def test_an_address_that_fails_is_tried_again_and_given_up(tmp_path, server, caplog):
    server.answers = [500, 503, 200, 500, 500]
    settings = AlarmsSection(webhook=f"http://127.0.0.1:{server.server_port}/alarm", attempts=2)
    record = tmp_path / "record.json"
    assert deliver([ALARM, ALARM], record, settings) == 1 and len(server.got) == 1
    assert deliver([], record, settings) == 1  # the record holds what is to be tried again
    assert deliver([ALARM], record, settings) == 0 and len(server.got) == 2  # two attempts, then given up
    other = ALARM | {"reference_time": "2020-07-02T00:00:00"}
    assert deliver([other], record, settings) == 0 and len(server.got) == 3
    assert server.got[2] == ("application/json; charset=utf-8", json.dumps(other, ensure_ascii=False).encode())
    entries = json.loads(record.read_text())
    assert [one["delivered"] for one in entries.values()] == [False, True]
    assert "answered 503" in entries["2020-07-01T00:00:00 dry raised webhook"]["reason"]


@pytest.mark.parametrize(("settings", "words"), [
    ({"command": "/nowhere/hook"}, "No such file"),
    ({"command": f"{sys.executable} -c 'import sys; sys.exit(\"no mail today\")'"}, "code 1 and said: no mail today"),
    ({"command": f"{sys.executable} -c 'import time; time.sleep(9)'", "timeout": 0.2}, "did not end within 0.2 s"),
    ({"webhook": "http://127.0.0.1:9/alarm", "timeout": 2.0}, "was not reached"),
])
def test_failures_are_put_on_record(tmp_path, settings, words):
    assert deliver([ALARM], tmp_path / "record.json", AlarmsSection(**settings)) == 1
    (entry,) = json.loads((tmp_path / "record.json").read_text()).values()
    assert words in entry["reason"] and entry["attempts"] == 1


def test_nobody_to_tell_and_a_damaged_record(tmp_path):
    record = tmp_path / "record.json"
    assert deliver([ALARM], record, AlarmsSection()) == 0 and not record.exists()
    record.write_text("[")
    assert deliver([ALARM], record, AlarmsSection(command=command(tmp_path, ""))) == 0
    assert len(json.loads(record.read_text())) == 1


def test_file_of_alarms(tmp_path):
    path = tmp_path / "alarms.json"
    assert read_alarms(path) == []
    write_alarms(path, [ALARM], "2020-07-01")
    assert read_alarms(path) == [ALARM]
    path.write_text('{"alarms": [{}]}')
    with pytest.raises(InputError, match="expected alarms of a cycle"):
        read_alarms(path)
