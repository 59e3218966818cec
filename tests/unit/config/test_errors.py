"""Wrong input: every class of error has a sentence with file, line and key; all errors come at once."""

from __future__ import annotations

import pytest

from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.config.yaml_lines import read_yaml


def errors_of(tmp_path, text):
    (tmp_path / "case.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_case(tmp_path)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("tiem: {}", 1, "unknown key 'tiem'; did you mean 'time'?"),
        (
            "time:\n  stpe: 30 min",
            2,
            "time.stpe: expected one of the keys start, end, step or spinup, got the unknown key 'stpe'; "
            "did you mean 'step'?",
        ),
        ("ensemble:\n  filter: enkf", 2, "did you mean 'assimilation.filter'?"),
        (
            "time:\n  step: 5 K",
            2,
            "time.step: expected a number [s] above 0 and at most 3600 with a unit that converts to s, got '5 K'",
        ),
        ("time:\n  step: fast", 2, "got 'fast'"),
        ("time:\n  step: true", 2, "got True"),
        ("time:\n  step: .nan", 2, "got nan"),
        ("time:\n  step:", 2, "got nothing"),
        ("time:\n  step: 7 min", 2, "expected a step that divides an hour"),
        ("time:\n  start: 2020-01-02\n  end: 2020-01-01", 3, "time.end: expected a time after time.start"),
        ("time:\n  start: yesterday", 2, "expected a date and time such as"),
        ("time:\n  start: 2020-02-30", 2, "day is out of range"),
        ("domain:\n  type: gird", 2, "expected one of site, grid or file, got 'gird'; did you mean 'grid'?"),
        ("domain:\n  nx: 2.5\n  type: grid", 2, "expected a whole number at least 1, got 2.5"),
        ("domain:\n  nx: 4", 2, "did you mean type: grid?"),
        ("domain:\n  layers: [0.1, -0.2]", 2, "got -0.2 as item 2"),
        ("domain:\n  layers: clm4", 2, "did you mean 'clm5'?"),
        ("domain:\n  latitude: 91", 2, "at least -90 and at most 90, got 91"),
        ("domain:\n  slopes: x.nc", 2, "not available in this version"),
        ("domain:\n  type: file", 2, "domain.file: expected a netCDF file"),
        ("surface:\n  vegetation:\n    patches:\n      - {type: c3_gras}", 4, "patches.0.type"),
        ("surface:\n  vegetation:\n    patches:\n      - {leaf_area_index: [1, 2]}", 4, "list of 12 numbers"),
        (
            "surface:\n  vegetation:\n    patches:\n      - {fraction: 0.7}\n      - {fraction: 0.7}",
            3,
            "sum to at most 1, got 1.4",
        ),
        ("surface:\n  vegetation:\n    patches:\n      - {parameters: {vcmax: 50}}", 4, "did you mean 'vcmax25_top'?"),
        ("surface:\n  soil:\n    texture: {sand: 80, clay: 30}", 3, "at most 100 percent together, got 110"),
        ("surface:\n  soil:\n    parameters:\n      porosity: 1.5", 3, "porosity: expected a number"),
        ("surface:\n  soil:\n    parameters:\n      clapp_hornberger_b: 4", 4, "retention: van_genuchten"),
        ("surface:\n  lake: 1.2", 2, "lake: expected a number at least 0 and at most 1"),
        ("surface: 5", 1, "expected a mapping, got 5"),
        ("forcing:\n  format: era5", 2, "'era5' is not available in this version; available: alma or generator"),
        ("forcing:\n  format: alma", 2, "forcing.path: expected a netCDF file"),
        ("forcing:\n  format: alma\n  path: x.nc", 2, "domain.latitude: expected a value with forcing.format: alma"),
        ("forcing:\n  variables: {air_temprature: T}", 2, "did you mean 'air_temperature'?"),
        ("forcing:\n  generator: {climate: semiarid}", 2, "did you mean 'semi_arid'?"),
        ("subsurface:\n  mode: distributed", 2, "'distributed' is not available in this version; available: column"),
        ("subsurface:\n  overland: kinematic", 2, "'kinematic' is not available"),
        ("subsurface:\n  lower_boundary: water_table", 2, "water_table_depth: expected a depth"),
        ("subsurface:\n  initial: {saturation: 0.5, soil_water: 0.2}", 2, "got saturation and soil_water"),
        (
            "assimilation:\n  filter: etkff",
            2,
            "expected one of none, enkf, etkf or letkf, got 'etkff'; did you mean 'etkf'?",
        ),
        (
            "assimilation:\n  filter: lestkf",
            2,
            "'lestkf' is not available in this version; available: none, enkf, etkf or letkf",
        ),
        ("assimilation:\n  filter: letkf", 2, "localization.radius: expected a radius [m] with filter: letkf"),
        (
            "assimilation:\n  filter: etkf",
            2,
            "ensemble.size: expected at least 2 members with assimilation.filter: etkf, got 1",
        ),
        ("assimilation:\n  window: 1 day", 2, "not available in this version"),
        ("assimilation:\n  update: [soil_watr]", 2, "did you mean 'soil_water'?"),
        ("observations:\n  - {type: crns}", 2, "'crns' is not available in this version; available: soil_moisture"),
        ("observations:\n  - {error: 0.04}", 2, "expected either file or twin, got nothing"),
        ("observations:\n  - {twin: {}, every: 1 day, depth: [0.2, 0.1]}", 2, "bottom below top"),
        ("observations:\n  - {twin: {}, every: 1 day, depth: 5 cm}", 2, "expected a list of 2 numbers [m]"),
        ("observations:\n  - {twin: {}, every: 1 day}\n  - {twin: {}, every: 1 day}", 3, "unique name"),
        ("observations:\n  - {twin: {}, every: 7 min}", 2, "whole number of steps"),
        ("ensemble:\n  perturb: {parameters: {porosty: {std: 1}}}", 2, "did you mean 'porosity'?"),
        ("ensemble:\n  perturb: {forcing: {correlation: [[1]]}}", 2, "4 rows of 4 numbers"),
        ("output:\n  variables: [soil_watr]", 2, "variable 'soil_watr' is not known; did you mean 'soil_water'?"),
        ("output:\n  variables: [porosity]", 2, "got the parameter 'porosity'"),
        ("output:\n  format: zarr", 2, "'zarr' is not available in this version; available: netcdf"),
        ("parallel:\n  threads: all", 2, "or auto, got 'all'"),
        ("parallel:\n  member_groups: 2", 2, "more than one member group is not available"),
        ("time: {step: [}", 1, "not valid YAML"),
        ("time:\n  step: 30 min\n  step: 15 min", 3, "time.step: the key is given twice, first in line 2"),
        ("- time", 1, "expected a mapping of sections"),
        ("observations:\n  - {file: ${HOME}/x.nc}", 2, 'write "${NAME}/file" in quotes'),
    ],
)
def test_each_error_has_file_line_key_and_sentence(tmp_path, text, line, words):
    message = errors_of(tmp_path, text)
    assert words in message
    found = [entry for entry in message.splitlines() if words in entry]
    assert f"case.yaml:{line}: " in found[0], message


def test_all_errors_at_once_in_the_order_of_the_file(tmp_path):
    message = errors_of(
        tmp_path,
        """
time:
  start: 2020-03-01
  end: 2020-02-01
  stepp: 30 min
domain: {type: gird, dx: 5 K}
forcing: {format: era5}
assimilation: {filter: kalman}
output: {variables: [nothing_at_all]}
""",
    )
    lines = message.splitlines()
    assert lines[0] == "the case has 7 errors:"
    assert [int(entry.split("case.yaml:")[1].split(":")[0]) for entry in lines[1:]] == [4, 5, 6, 6, 7, 8, 9]


def test_checks_across_keys_ignore_keys_that_are_wrong_themselves(tmp_path):
    # with a wrong end, the default end must not be compared with the start
    message = errors_of(tmp_path, "time:\n  start: 2030-01-01\n  end: soon\n")
    assert len(message.splitlines()) == 1


def test_missing_case(tmp_path):
    with pytest.raises(ConfigError, match="the folder holds no case.yaml"):
        load_case(tmp_path)
    with pytest.raises(ConfigError, match="there is no such file or folder"):
        load_case(tmp_path / "nowhere")


def test_binary_file(tmp_path):
    (tmp_path / "case.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        load_case(tmp_path)


def test_merge_keys_and_anchors_work_and_loops_do_not_hang():
    document = read_yaml("base: &b {a: 1, b: 2}\nmore: {<<: *b, b: 3}\n")
    assert document.data["more"] == {"a": 1, "b": 3} and not document.problems
    assert "refers to itself" in read_yaml("a: &x [*x]\n").problems[0][1]
