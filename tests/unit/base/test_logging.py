"""Logs: the root speaks, other ranks only warn, files hold everything."""

from __future__ import annotations

import logging

import pytest

from pyland.base.logging import get_logger, start_file_log, start_terminal_log, stop_logs


@pytest.fixture(autouse=True)
def restore():
    yield
    stop_logs()
    logger = logging.getLogger("pyland")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


def test_terminal_and_file(tmp_path, capsys):
    start_terminal_log()
    start_file_log(tmp_path / "pyland.log")
    get_logger("forcing").info("reading")
    get_logger("forcing").debug("detail")
    stop_logs()
    text = (tmp_path / "pyland.log").read_text()
    assert "INFO    pyland.forcing: reading" in text and "detail" in text
    assert capsys.readouterr().err == "reading\n"


def test_other_ranks_only_warn(tmp_path, capsys):
    start_terminal_log(rank=1, size=2)
    start_file_log(tmp_path / "pyland.log", rank=1, size=2)
    get_logger("run").info("quiet")
    assert not list(tmp_path.iterdir())
    get_logger("run").warning("loud")
    assert capsys.readouterr().err == "[rank 1] loud\n"
    assert "loud" in (tmp_path / "pyland.1.log").read_text()
