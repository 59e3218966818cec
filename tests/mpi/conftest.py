"""Fixtures of the tests on several ranks."""

from __future__ import annotations

import pytest

from cases import write_case
from pyland.config import load_case
from pyland.driver.run import run_case

PATIENCE = 120.0  # [s]


@pytest.fixture(scope="module")
def alone(request, tmp_path_factory):
    """Return a function that gives the run directory of one of the ``CASES`` of a module on one rank."""
    runs = {}

    def get(name):
        if name not in runs:
            folder = write_case(tmp_path_factory.mktemp("alone"), request.module.CASES[name])
            run_case(load_case(folder))
            runs[name] = folder / "run"
        return runs[name]

    return get


@pytest.fixture
def run_split(pyland_command):
    """Return a function that runs a case on groups x tiles ranks and gives its run directory."""

    def run(folder, groups, tiles, *arguments):
        split = [] if groups * tiles == 1 else ["--set", f"parallel.member_groups={groups}"]
        done = pyland_command("run", folder, *split, *arguments, ranks=groups * tiles, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return folder / "run"

    return run
