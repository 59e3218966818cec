"""``pyland fetch``: mirrors, servers, files that are cut off or have changed, and paths of data sets in a case."""

from __future__ import annotations

import functools
import hashlib
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.driver import cli
from pyland.driver.commands import fetch
from pyland.driver.commands.fetch import DataFile, DataSet, data_sets

CONTENT = {"static/slope.pfb": b"slopes" * 40000, "clm/drv.dat": b"classes", "reference/run.nc": b"reference"}


class Server(SimpleHTTPRequestHandler):
    """A server that knows ranges, and ends early where it is told to."""

    ends_after: dict[str, int] = {}
    wishes: list[str] = []

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content, first = path.read_bytes(), 0
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match:
            first = int(match[1])
            self.wishes.append(f"{path.name} {first}")
        if match and first >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if match else 200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : self.ends_after.pop(path.name, len(content))])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Write a mirror with a data set, and register that."""
    folder = tmp_path / "mirror"
    files = []
    for path, content in CONTENT.items():
        file = folder / "lake" / path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        at = None if path.startswith("reference") else f"source of/{file.name}"
        files.append(DataFile(path, len(content), hashlib.sha256(content).hexdigest(), at))
    known = {"lake": DataSet("lake", "a lake", "public", "http://127.0.0.1:9/nowhere", tuple(files))}
    monkeypatch.setattr(fetch, "data_sets", lambda: known)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYLAND_DATA", str(folder))
    return folder


@pytest.fixture
def server(tmp_path):
    """Serve tmp_path on loopback; yields the address."""
    Server.ends_after, Server.wishes = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=str(tmp_path))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture
def command(capsys):
    def run(*arguments):
        code = cli.run_command(["fetch", *map(str, arguments)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_from_a_folder(command, mirror, tmp_path, monkeypatch, form):
    monkeypatch.setenv("PYLAND_DATA", form.format(mirror))
    code, out, err = command("lake")
    assert code == 0, err
    home = tmp_path / "home" / "pyland" / "lake"
    assert contents(home) == CONTENT and f"{home}: 3 of 3 files fetched" in out
    assert "0 of 3 files fetched, 3 were there" in command("lake")[1]
    (home / "clm" / "drv.dat").unlink()
    assert "1 of 3 files fetched, 2 were there" in command("lake")[1]


def test_from_a_server_to_a_folder(command, mirror, server, tmp_path, monkeypatch):
    monkeypatch.setenv("PYLAND_DATA", f"{server}/mirror/")
    (mirror / "lake" / "reference" / "run.nc").unlink()
    code, out, err = command("lake", "--to", tmp_path / "data")
    assert code == 0, err
    assert "only a mirror has reference/run.nc" in out and "2 of 3 files fetched, 0 were there" in out
    assert f"PYLAND_DATA={tmp_path / 'data'}" in out
    (mirror / "lake" / "clm" / "drv.dat").unlink()
    code, _, err = command("lake", "--to", tmp_path / "other")
    assert code == 2 and "lake/clm/drv.dat: cannot be fetched (Not Found)" in err
    assert contents(tmp_path / "other" / "lake") == {"static/slope.pfb": CONTENT["static/slope.pfb"]}


def test_from_the_public_source(command, mirror, server, tmp_path, monkeypatch):
    known = fetch.data_sets()["lake"]
    source = tmp_path / "source of"
    source.mkdir()
    for file in known.files[:2]:
        (source / Path(file.path).name).write_bytes(CONTENT[file.path])
    monkeypatch.setattr(fetch, "data_sets", lambda: {"lake": DataSet("lake", "", "", server, known.files)})
    monkeypatch.delenv("PYLAND_DATA")
    code, out, err = command("lake")
    assert code == 0, err
    assert "2 of 3 files fetched" in out and "only a mirror has reference/run.nc" in out


def test_goes_on_where_it_was_cut_off(command, mirror, server, tmp_path, monkeypatch):
    monkeypatch.setenv("PYLAND_DATA", f"{server}/mirror")
    Server.ends_after = {"slope.pfb": 100000}
    code, _, err = command("lake")
    assert code == 2 and "ended after 100000 of 240000 bytes; call pyland fetch again" in err
    home = tmp_path / "home" / "pyland" / "lake"
    assert not (home / "static" / "slope.pfb").exists()
    code, _, err = command("lake")
    assert code == 0, err
    assert Server.wishes == ["slope.pfb 100000"] and contents(home) == CONTENT


def test_changed_source_leaves_nothing(command, mirror, tmp_path):
    (mirror / "lake" / "clm" / "drv.dat").write_bytes(b"Classes")
    code, _, err = command("lake")
    assert code == 2 and "drv.dat: expected 7 bytes with the SHA-256" in err and "has changed" in err
    assert "clm/drv.dat" not in contents(tmp_path / "home" / "pyland" / "lake")
    assert not list((tmp_path / "home").rglob(".*partial"))


def test_changed_file_here_is_not_touched(command, mirror, tmp_path):
    command("lake")
    file = tmp_path / "home" / "pyland" / "lake" / "clm" / "drv.dat"
    file.write_bytes(b"my own")
    code, _, err = command("lake")
    assert code == 2 and f"{file}: expected 7 bytes" in err and "Move it away" in err
    assert file.read_bytes() == b"my own"


def test_sources_that_are_not_there(command, mirror, monkeypatch):
    (mirror / "lake" / "clm" / "drv.dat").unlink()
    code, _, err = command("lake")
    assert code == 2 and "no such file in the mirror that PYLAND_DATA names" in err
    monkeypatch.delenv("PYLAND_DATA")
    code, _, err = command("lake")
    assert code == 2 and "cannot be fetched" in err and "Traceback" not in err
    code, _, err = command("lak")
    assert code == 2 and "expected one of lake, got 'lak'" in err


def test_list_names_what_there_is(command, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    code, out, _ = command()
    assert code == 0 and "little_washita: " in out and str(tmp_path / "pyland") in out


def test_registry_is_what_the_data_are(shared_data):
    for one in data_sets().values():
        for file in one.files:
            assert file.is_at(shared_data / one.name / file.path), file.path
        assert all(file.at for file in one.files if file.path.startswith(("forcing/", "clm/")))


def test_path_of_a_data_set_in_a_case(command, mirror, tmp_path, monkeypatch):
    case = {"subsurface": {"initial": {"file": "data:lake/static/slope.pfb"}, "mode": "distributed"},
            "land": {"model": "none"}, "domain": {"type": "grid"}, "forcing": {"format": "schedule"},
            "time": {"end": "2020-01-02"}}
    assert load_case(case).subsurface.initial.file == str(mirror / "lake" / "static" / "slope.pfb")
    monkeypatch.setenv("PYLAND_DATA", "http://127.0.0.1:9/mirror")
    with pytest.raises(ConfigError, match=r"initial.file: 'data:lake/static/slope.pfb' is neither .*pyland fetch lake"):
        load_case(case)
    monkeypatch.setenv("PYLAND_DATA", str(mirror))
    command("lake")
    monkeypatch.delenv("PYLAND_DATA")
    assert load_case(case).subsurface.initial.file == str(tmp_path / "home/pyland/lake/static/slope.pfb")
