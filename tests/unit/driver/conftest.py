"""Fixtures of the tests of the driver."""

from __future__ import annotations

import pytest

from pyland.driver import cli


@pytest.fixture
def command(capsys):
    """Return a function that runs the command line in this process and gives its exit code and what it said."""

    def run(*arguments):
        code = cli.run_command([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
