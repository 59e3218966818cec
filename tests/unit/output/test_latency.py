"""Latency board: status and ages follow from the arrivals and the clock alone."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.output.latency import InputArrival, board_text, duration_text, latency_board, write_board

DAY, HOUR = 86400.0, 3600.0


def weather(stream: str = "early", **changes) -> InputArrival:
    """Daily files up to 3 June; that of the 2nd came twice, the newest after 5 h."""
    facts = {
        "interval": DAY, "latency": 6 * HOUR, "patience": 30 * HOUR,
        "valid": np.array(["2020-06-02", "2020-06-03", "2020-06-02"], "datetime64[s]"),
        "arrived": np.array(["2020-06-02T04:00", "2020-06-03T05:00", "2020-06-03T09:00"], "datetime64[s]"),
    }
    return InputArrival("weather", stream, **(facts | changes))


@pytest.mark.parametrize(("now", "status"), [
    ("2020-06-04T06:00", "ok"),  # newest + 1 d + 6 h exactly
    ("2020-06-04T06:00:01", "late"),
    ("2020-06-05T06:00", "late"),  # newest + 1 d + 30 h
    ("2020-06-05T06:00:01", "missing"),
    ("2020-06-02T03:59", "missing"),  # nothing has come yet
])
def test_status_changes_at_the_stated_bounds(now, status):
    assert latency_board([weather()], np.datetime64(now))["inputs"][0]["status"] == status


def test_ages_and_usual_latency():
    row = latency_board([weather()], datetime(2020, 6, 4))["inputs"][0]
    assert row["newest_valid"] == "2020-06-03T00:00:00" and row["arrived"] == "2020-06-03T05:00:00"
    assert row["age"] == DAY and row["files"] == 3
    assert row["usual_latency"] == 5 * HOUR  # of 4, 5 and 33 h
    # what arrives later than now is not known now
    earlier = latency_board([weather()], np.datetime64("2020-06-03T04:59"))["inputs"][0]
    assert earlier["newest_valid"] == "2020-06-02T00:00:00" and earlier["files"] == 1


def test_an_input_counts_with_its_best_stream():
    final = weather("final", latency=60 * DAY, patience=60 * DAY, valid=(), arrived=())
    soil = InputArrival("probes", "early", interval=DAY, latency=DAY, kind="observations",
                        valid=["2020-06-01"], arrived=["2020-06-01T12:00"])
    now = np.datetime64("2020-06-04T01:00")
    assert latency_board([weather(), final], now)["status"] == "ok"
    assert latency_board([weather(), final, soil], now)["status"] == "missing"  # 3 d old, expected after 2 d
    assert latency_board([], now)["status"] == "ok"


def test_board_is_a_table_and_a_file(tmp_path):
    board = latency_board([weather(), weather("final", valid=(), arrived=())], np.datetime64("2020-06-04T12:00"))
    lines = board_text(board).splitlines()
    assert lines[0] == "Inputs at 2020-06-04 12:00 UTC: late"
    assert lines[2].split() == ["weather", "early", "forcing", "2020-06-03", "00:00", "2020-06-03", "05:00",
                                "36.0", "h", "6.0", "h", "5.0", "h", "late"]
    assert lines[3].split()[-1] == "missing"
    assert json.loads(write_board(tmp_path / "latency.json", board).read_text()) == board
    assert [duration_text(one) for one in (None, 0.0, 5400.0, 7200.0, 2 * DAY)] == [
        "-", "0.0 min", "90.0 min", "2.0 h", "2.0 d"]


@pytest.mark.parametrize(("changes", "words"), [
    ({"interval": 0.0}, "interval above 0 s"),
    ({"patience": HOUR}, "patience of at least the latency"),
    ({"kind": "rumour"}, "forcing, observations or forecast"),
    ({"arrived": ()}, "as many arrivals as valid times"),
])
def test_wrong_facts_are_told(changes, words):
    with pytest.raises(InputError, match=words):
        weather(**changes)


def test_a_stream_is_there_once():
    with pytest.raises(InputError, match=r"weather \(early\) more than once"):
        latency_board([weather(), weather()], np.datetime64("2020-06-04"))
