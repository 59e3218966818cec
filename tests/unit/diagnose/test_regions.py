"""Boxes of latitude and longitude."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.diagnose import Region, parse_region
from pyland.diagnose.regions import check_names


def test_a_box_holds_its_edges():
    box = parse_region("valley=50.5,51,6,6.5")
    assert box == Region("valley", 50.5, 51.0, 6.0, 6.5)
    inside = box.contains(np.array([50.5, 51.0, 51.1, 50.7, np.nan]), np.array([6.0, 6.5, 6.2, 6.6, 6.2]))
    assert inside.tolist() == [True, True, False, False, False]


def test_both_ways_to_count_longitudes_and_the_date_line():
    box = Region("pacific", -10.0, 10.0, 170.0, -170.0)
    longitude = np.array([175.0, -175.0, 185.0, 0.0, 160.0])
    assert box.contains(np.zeros(5), longitude).tolist() == [True, True, True, False, False]
    assert Region("west", 0.0, 1.0, 350.0, 355.0).contains(np.zeros(1), np.array([-7.0])).all()
    assert Region("globe", -90.0, 90.0, -180.0, 180.0).contains(np.zeros(3), np.array([-180.0, 0.0, 180.0])).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [("valley", "expected NAME=SOUTH,NORTH,WEST,EAST"), ("v=1,2,3", "expected NAME"), ("v=a,1,2,3", "expected NAME"),
     ("v=2,1,3,4", "south <= north"), ("v=1,2,3,400", "from -180 to 360"), ("all=1,2,3,4", "other than 'all'"),
     ("two words=1,2,3,4", "a name of letters"), ("v=nan,1,2,3", "south <= north")])
def test_wrong_boxes_are_sentences(text, words):
    with pytest.raises(InputError, match=words):
        parse_region(text)


def test_names_are_unique():
    with pytest.raises(InputError, match="got a more than once"):
        check_names([parse_region("a=1,2,3,4"), parse_region("a=1,2,5,6")])
