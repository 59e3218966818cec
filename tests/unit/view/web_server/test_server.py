"""The command: its port, its end, its errors."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from web_client import serving

from pyland.driver import cli
from pyland.driver.commands.view import open_catalogue


def test_a_taken_port_is_left_alone_and_ctrl_c_ends_cleanly(run_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", "pyland", "view", str(run_dir), "--no-browser", "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # jobs in the background ignore Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            assert f"Port {port} is taken" in server.stdout.readline()
            address = server.stdout.readline().split()[0]
            with urllib.request.urlopen(f"{address}data/catalogue.json", timeout=60) as answer:
                assert answer.status == 200
            server.send_signal(signal.SIGINT)
            out, err = server.communicate(timeout=60)
        finally:
            server.kill()
    assert (server.returncode, out.strip(), err) == (0, "Ended.", "")


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--language", "fr"), "--language fr: expected one of en, de, zh"),
    (("--every", "3"), "--every belongs to --export DIR"),
    (("--variable", "soil_water"), "--variable belongs to --export DIR"),
    (("--tiles", "https://tile.example.org/x.png"), "expected a URL with {Z}, {X} and {Y}"),
])
def test_bad_options_end_with_a_sentence(run_dir, capsys, arguments, sentence):
    assert cli.run_command(["view", str(run_dir), "--no-browser", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_base_map_is_the_only_other_host_that_the_page_may_ask(run_dir):
    with serving(open_catalogue([run_dir], tiles="https://tile.example.org/{Z}/{X}/{Y}.png")) as client:
        policy = client.ask("/")[2]["Content-Security-Policy"]
        assert "img-src 'self' data: blob: https://tile.example.org;" in policy and "script-src 'self';" in policy
