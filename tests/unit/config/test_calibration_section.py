"""Section calibrate: what does not fit is told with its key."""

from __future__ import annotations

import copy

import pytest

from pyland.base.errors import ConfigError
from pyland.config import load_case

CASE = {
    "observations": [{"name": "probe", "every": "1 day", "twin": {}}],
    "calibrate": {
        "parameters": {"porosity": {"prior": {"distribution": "uniform", "low": 0.3, "high": 0.6}}},
        "observations": [{"name": "top", "entry": "probe"}],
    },
}


def changed(**changes):
    case = copy.deepcopy(CASE)
    for path, value in changes.items():
        place = case
        *parts, last = path.split("__")
        for part in parts:
            place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
        place[int(last) if isinstance(place, list) else last] = value
    return case


def test_defaults():
    section = load_case(CASE).calibrate
    assert (section.method, section.members, section.parameters["porosity"].kind) == ("dream", 32, "value")
    assert load_case({}).calibrate is None


@pytest.mark.parametrize("changes, words", [
    ({"calibrate__parameters": {}}, "at least one parameter"),
    ({"calibrate__observations": []}, "at least one kind of observations"),
    ({"calibrate__parameters__porousity": {}}, "expected one of sand"),
    ({"calibrate__parameters__porosity__prior": None}, "expected a prior, such as"),
    ({"calibrate__parameters__porosity__prior__mean": 0.4}, "expected no mean with distribution: uniform"),
    ({"calibrate__parameters__porosity__prior__high": 0.1}, "expected a number above low"),
    ({"calibrate__parameters__porosity__prior": {"distribution": "normal", "mean": 0.4}}, "expected a number with"),
    ({"calibrate__parameters__porosity__prior": {"distribution": "quantiles", "q05": 1, "q50": 1, "q95": 2}},
     "q05 < q50 < q95"),
    ({"calibrate__parameters__porosity__length_scale": 1000}, "fields are for esmda or ies"),
    ({"calibrate__parameters__porosity__breaks": [0.2, 0.1]}, "increase downward"),
    ({"calibrate__parameters__clapp_hornberger_b": {"prior": {"distribution": "uniform", "low": 2, "high": 9}}},
     "expected a parameter of subsurface.retention: van_genuchten"),
    ({"calibrate__parameters__sand": {"prior": {"distribution": "uniform", "low": 20, "high": 60}}},
     "either texture or hydraulic"),
    ({"calibrate__parameters__leaf_area_index": {"prior": {"distribution": "uniform", "low": 1, "high": 2}}},
     "expected factor with leaf_area_index"),
    ({"calibrate__parameters__stomatal_slope": {"prior": {"distribution": "rosetta"}}}, "a van Genuchten parameter"),
    ({"calibrate__observations__0__entry": "other"}, "the name of an entry of observations"),
    ({"calibrate__observations__0": {"name": "a", "station": "Qle"}}, "expected a standard deviation"),
    ({"calibrate__observations__0": {"name": "a", "station": "Qle", "error": 9}}, "expected a station file"),
    ({"calibrate__observations__0__station": "Qle"}, "either station or entry, got both"),
    ({"calibrate__observations__0__estimated": True}, "with station or estimated"),
    ({"observations__0__scaling": "mean"}, "scaling: none"),
    ({"calibrate__method": "stretch", "calibrate__members": 5}, "even number of at least 2"),
    ({"calibrate__steps": 7}, "expected none with start: prior"),
    ({"calibrate__stretch": 3.0}, "it belongs to stretch"),
    ({"calibrate__method": "morris", "calibrate__generations": 50}, "it belongs to metropolis"),
    ({"calibrate__method": "esmda", "calibrate__localization": {"radius": 1000}}, "a length_scale for every"),
    ({"calibrate__train": {"end": "2031-01-01"}}, "expected a period within the run"),
    ({"calibrate__test": {}}, "shares no time with calibrate.train"),
    ({"calibrate__train": {"end": "2020-01-02"}, "calibrate__test": {"start": "2020-01-01 23:00"}},
     "shares no time with calibrate.train"),
    ({"subsurface__mode": "distributed", "calibrate__parameters__porosity__kind": "value"}, "subsurface.mode: column"),
    ({"land__carbon": "prescribed"}, "expected land.carbon: none"),
])
def test_what_does_not_fit_is_told(changes, words):
    with pytest.raises(ConfigError) as caught:
        load_case(changed(**changes))
    assert words in str(caught.value)


def test_parameters_file_is_for_columns():
    with pytest.raises(ConfigError, match=r"ensemble\.parameters_file: expected none"):
        load_case({"subsurface": {"mode": "distributed"}, "ensemble": {"parameters_file": "a.nc"}})
