"""Section ``study`` and the options of synthetic products: what is refused, and with which words."""

from __future__ import annotations

import pytest

from cases import TWIN, changed
from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.config.study import StudySection

PRODUCTS = [
    {"name": name, "depth": [0, 0.05], "error": 0.04, "every": "12 h", "twin": {"seed": seed}}
    for name, seed in (("smap", 7), ("ascat", 8), ("probe", 9))
]
STUDY = {"products": ["smap", "ascat"], "stations": ["probe"]}


def study_case(study=None, **changes):
    """Return a small case with a study, some values changed (``a__b`` is a.b)."""
    case = changed(TWIN, {"observations": PRODUCTS, "study": {**STUDY, **(study or {})}})
    return changed(case, {path.replace("__", "."): value for path, value in changes.items()})


def test_runs_of_words_are_each_once_and_in_order():
    study = StudySection(products=["smap", "ascat"], stations=["probe"])
    assert study.runs_of(["joint", "separate", "merged", "smap"]) == (
        "joint", "smap", "ascat", "merged_mean", "merged_tc")
    assert study.runs_of(["open_loop"]) == ()


@pytest.mark.parametrize(("study", "changes", "words"), [
    ({"products": []}, {}, "study.products: expected names of observations, got none"),
    ({"stations": ["smap"]}, {}, "got 'smap' in both"),
    ({"products": ["smap", "cloud"]}, {}, "got 'cloud'"),
    ({"experiment": "jiont"}, {}, "got 'jiont', which is not an experiment"),
    ({"experiments": ["joint", "all"]}, {}, "study.experiments: expected"),
    ({"seeds": [3, 3]}, {}, "different whole numbers"),
    ({"seeds": [-1]}, {}, "different whole numbers"),
    ({"truth": {"time.end": "2021-01-01"}}, {}, "got 'time.end'; truth and ensemble share these"),
    ({"merging": {"methods": ["median"]}}, {}, "got 'median', which is not a method"),
    ({"merging": {"options": {"median": {}}}}, {}, "study.merging.options: expected mean"),
    ({"merging": {"depth": [0.1, 0.05]}}, {}, "bottom below top"),
    ({}, {"assimilation__filter": "none"}, "expected a filter with a study, got none"),
    ({}, {"observations__2__file": "p.nc", "observations__2__variable": "sm", "observations__2__twin": None},
     "expected either twins or files"),
    ({}, {"observations__0__type": "groundwater", "observations__0__depth": None}, "type soil_moisture with merged"),
])
def test_what_does_not_fit_is_refused(study, changes, words):
    with pytest.raises(ConfigError) as caught:
        load_case(study_case(study, **changes))
    assert words in str(caught.value)


@pytest.mark.parametrize(("twin", "words"), [
    ({"errors": {"bias_length": "50 km"}}, "expected a bias_std above 0"),
    ({"errors": {"gain": 0}}, "gain"),
    ({"first": "13 h"}, "twin.first: expected at most `every`"),
    ({"first": "90 min"}, "whole number of steps"),
    ({"spacing": "2 km", "locations": [{"name": "a", "x": 0, "y": 0}]}, "expected no spacing beside locations"),
])
def test_wrong_errors_of_a_product_are_refused(twin, words):
    case = study_case()
    case["observations"][0]["twin"] = {"seed": 7, **twin}
    with pytest.raises(ConfigError) as caught:
        load_case(case)
    assert words in str(caught.value)


def test_passive_observations_need_no_withheld():
    with pytest.raises(ConfigError, match="assimilate: false, which withholds all"):
        load_case(study_case(observations__0__assimilate=False, observations__0__withheld=0.3))
