"""Runs that go on from each other's restarts, each in files of its own, are one run bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from surface_valley import VALLEY, write_valley

from cases import COUPLED, arrays, changed, write_case
from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.driver.continuation import Continuation
from pyland.driver.run import run_case
from pyland.output.restart import restart_path

FILES = ("history.nc", "members.nc", "balance.nc", "discharge.nc")
ENSEMBLE = {"size": 3, "perturb": {"forcing": {"precipitation": {"std": 0.4}}}}


def run_in_parts(folder, cuts, **continuation):
    """Run a case from cut to cut and return the folders of the parts."""
    parts, restart = [], None
    for begin, end in zip(cuts, cuts[1:], strict=False):
        part = folder / f"part{len(parts)}"
        run_case(load_case(folder, [f"time.end={end}"]), output=part,
                 continuation=Continuation(np.datetime64(begin, "s"), restart, "some state", **continuation))
        restart = restart_path(part, np.datetime64(end))
        parts.append(part)
    return parts


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["coupled", "valley"])
def test_parts_are_one_run(tmp_path, kind):
    if kind == "coupled":
        cuts = ["2020-03-10", "2020-03-10T12:00", "2020-03-11"]
        write_case(tmp_path, changed(COUPLED, {"time.end": cuts[-1]}))
    else:
        cuts = ["2020-05-01", "2020-05-01T12:00", "2020-05-02"]
        write_valley(tmp_path, ensemble=ENSEMBLE, time__end=cuts[-1])
    run_case(load_case(tmp_path), output=tmp_path / "whole")
    parts = run_in_parts(tmp_path, cuts)
    compared = 0
    for file in FILES:
        if not (tmp_path / "whole" / file).exists():
            continue
        pieces = [arrays(part / file) for part in parts]
        for name, values in arrays(tmp_path / "whole" / file).items():
            joined = pieces[0][name] if pieces[0][name].shape == values.shape else np.concatenate(
                [piece[name] for piece in pieces])
            is_same = np.array_equal(joined, values) if values.dtype == object else joined.tobytes() == values.tobytes()
            assert is_same, (file, name)
            compared += 1
    assert compared > 20


def test_a_restart_of_another_time_or_within_an_interval_is_refused(tmp_path):
    case = changed(VALLEY, {"domain": {"latitude": 43.0, "longitude": 3.0}, "rivers": None, "surface.vegetation": None,
                            "time.end": "2020-05-01T08:00"})
    write_case(tmp_path, case)
    [part] = run_in_parts(tmp_path, ["2020-05-01", "2020-05-01T08:00"])
    restart = restart_path(part, np.datetime64("2020-05-01T08:00"))
    later = load_case(tmp_path, ["time.end=2020-05-01T12:00"])

    def go_on(since, state="some state"):
        run_case(later, output=tmp_path / "next", continuation=Continuation(np.datetime64(since, "s"), restart, state))

    with pytest.raises(InputError, match=r"expected a restart of 2020-05-01T06:00:00, got one of 2020-05-01T08:00:00"):
        go_on("2020-05-01T06:00")
    with pytest.raises(InputError, match=r"within the interval that began at 2020-05-01T06:00:00"):
        go_on("2020-05-01T08:00")
    with pytest.raises(InputError, match="written by another configuration"):
        go_on("2020-05-01T08:00", "another state")
