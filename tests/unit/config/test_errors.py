"""Wrong input: every class of error has a sentence with file, line and key; all errors come at once."""

from __future__ import annotations

import pytest
import yaml

from pyland.base.errors import ConfigError
from pyland.config import dump_case, load_case
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
        ("domain:\n  slopes: x.nc", 2, "domain.slopes: expected a mapping, got 'x.nc'"),
        ("domain:\n  slopes: {x: 0.1}", 2, "domain.slopes: expected no slopes with subsurface.mode: column"),
        ("domain:\n  slopes: {x: 0.1, file: s.nc}", 2, "slopes.x: expected no x beside file"),
        ("domain:\n  slopes: {file: s.pfb}", 2, "slopes.file_y: expected a PFB file with the slopes to the north"),
        ("domain:\n  type: grid\n  elevation: {}", 3, "expected either generate or file, got neither"),
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
        ("forcing:\n  format: nldas-pfb", 2, "forcing.path: expected a folder or text file with forcing.format"),
        ("forcing:\n  first_record: 3", 2, "with forcing.format: generator; did you mean format: nldas-pfb?"),
        ("forcing:\n  format: nldas-pfb\n  path: x\n  lapse_rate: 0.006", 4, "expected no lapse_rate with forcing"),
        ("surface:\n  vegetation:\n    parflow: {map: a}", 3, "expected map and parameters, got no parameters"),
        ("surface:\n  vegetation:\n    parflow: {map: a, parameters: b, types: {19: c3_crop}}", 3, "1 to 18, got '19'"),
        ("surface:\n  vegetation:\n    parflow: {map: a, parameters: b, types: {9: c4_gras}}", 3, "'c4_grass'"),
        ("surface:\n  soil: {colour: 3}\n  vegetation:\n    parflow: {map: a, parameters: b}", 2, "none beside veg"),
        ("surface:\n  soil:\n    indicator: {file: a.pfb}", 3, "expected file and table, got no table"),
        ("surface:\n  soil: {file: a.nc, indicator: {file: a.pfb, table: b}}", 2, "expected no file beside indicator"),
        ("forcing:\n  format: era5", 2, "forcing.path: expected a folder, file or pattern of netCDF files"),
        ("forcing:\n  regridding: nearest", 2, "regridding: expected no regridding with forcing.format: generator"),
        ("forcing:\n  format: alma\n  variables: {eastward_wind: u}", 3, "variables: expected no eastward_wind"),
        ("forcing:\n  format: alma", 2, "forcing.path: expected a netCDF file"),
        ("forcing:\n  format: alma\n  path: x.nc", 2, "domain.latitude: expected a value with forcing.format: alma"),
        ("forcing:\n  variables: {air_temprature: T}", 2, "did you mean 'air_temperature'?"),
        ("forcing:\n  generator: {climate: semiarid}", 2, "did you mean 'semi_arid'?"),
        ("subsurface:\n  mode: distributd", 2, "did you mean 'distributed'?"),
        ("subsurface:\n  mode: distributed", 2, "domain.type: expected grid or file with subsurface.mode: distributed"),
        ("subsurface:\n  overland: kinematic", 2, "overland: expected no overland with subsurface.mode: column"),
        ("subsurface:\n  solver: {max_step: 60}", 2, "max_step: expected no max_step with subsurface.mode: column"),
        ("subsurface:\n  initial: {file: p.nc}", 2, "file: expected no file with subsurface.mode: column"),
        ("subsurface:\n  boundaries: {soth: {}}", 2, "did you mean 'south'?"),
        ("subsurface:\n  boundaries: {west: {kind: head, value: 1 K}}", 2, "value: expected a number [m] with a unit"),
        ("subsurface:\n  boundaries: {west: {kind: flux}}", 2, "expected a value [m s-1] or a series with kind: flux"),
        ("subsurface:\n  boundaries: {west: {kind: free_drainage}}", 2, "expected free_drainage at bottom only"),
        ("subsurface:\n  outlets: [{name: total, x: 0, y: 0}]", 2, "unique name other than total, got 'total'"),
        ("land:\n  model: none", 2, "land.model: expected clm with subsurface.mode: column"),
        ("forcing:\n  format: schedule", 2, "time.end: expected a value with forcing.format: schedule"),
        ("forcing:\n  rain: [{rate: 1 mm/h}]", 2, "did you mean format: schedule?"),
        ("output:\n  variables: [saturation]", 2, "'saturation' needs subsurface.mode: distributed"),
        ("subsurface:\n  lower_boundary: water_table", 2, "water_table_depth: expected a depth"),
        ("subsurface:\n  initial: {saturation: 0.5, soil_water: 0.2}", 2, "got saturation and soil_water"),
        (
            "assimilation:\n  filter: etkff",
            2,
            "enks, etks or letks, got 'etkff'; did you mean 'etkf'?",
        ),
        (
            "assimilation:\n  filter: 3denvar",
            2,
            "'3denvar' is not available in this version; available: none, enkf, etkf",
        ),
        ("assimilation:\n  filter: letkf", 2, "localization.radius: expected a radius [m] with filter: letkf"),
        (
            "assimilation:\n  filter: etkf",
            2,
            "ensemble.size: expected at least 2 members with assimilation.filter: etkf, got 1",
        ),
        ("assimilation:\n  filter: etkf\n  window: 1 day", 3, "window: expected no window with filter: etkf"),
        ("assimilation:\n  update: [soil_watr]", 2, "did you mean 'soil_water'?"),
        ("observations:\n  - {type: backscater}", 2, "did you mean 'backscatter'?"),
        ("observations:\n  - {error: 0.04}", 2, "expected either file or twin, got nothing"),
        ("observations:\n  - {twin: {}, every: 1 day, depth: [0.2, 0.1]}", 2, "bottom below top"),
        ("observations:\n  - {twin: {}, every: 1 day, depth: 5 cm}", 2, "expected a list of 2 numbers [m]"),
        ("observations:\n  - {twin: {}, every: 1 day}\n  - {twin: {}, every: 1 day}", 3, "unique name"),
        ("observations:\n  - {twin: {}, every: 7 min}", 2, "whole number of steps"),
        ("observations:\n  - {type: groundwater, twin: {}, every: 1 day, depth: [0, 0.05]}", 2, "expected no depth"),
        ("observations:\n  - {type: groundwater, error: 5 K}", 2, "above 0 with a unit that converts to m, got '5 K'"),
        ("observations:\n  - {twin: {error: 5 cm}, every: 1 day}", 2, "unit that converts to m3 m-3, got '5 cm'"),
        ("observations:\n  - {twin: {}, every: 1 day, error: 5}", 2, "at most 1 m3 m-3 with type: soil_moisture"),
        ("observations:\n  - {twin: {locations: [{name: a, x: 1}]}, every: 1 day}", 2, "latitude and longitude, or x"),
        (
            "observations:\n  - {twin: {locations: [{name: a, x: 1, y: 1}, {name: a, x: 2, y: 1}]}, every: 1 day}", 2,
            "expected a unique name, got 'a' again",
        ),
        ("assimilation:\n  update: [pressure_head]", 2, "expected soil_water alone with subsurface.mode: column"),
        ("assimilation:\n  update: [soil_water, soil_water]", 2, "expected each state once"),
        ("ensemble:\n  perturb: {parameters: {porosty: {std: 1}}}", 2, "did you mean 'porosity'?"),
        ("ensemble:\n  perturb: {forcing: {correlation: [[1]]}}", 2, "4 rows of 4 numbers"),
        ("output:\n  variables: [soil_watr]", 2, "variable 'soil_watr' is not known; did you mean 'soil_water'?"),
        ("output:\n  variables: [porosity]", 2, "got the parameter 'porosity'"),
        ("output:\n  statistics: [mean, p5]", 2, "min, max, median and p01 to p99, got 'p5'"),
        ("output:\n  statistics: [std]", 2, "expected mean among the statistics"),
        ("output:\n  statistics: mean", 2, "expected a list of statistics, got 'mean'"),
        ("output:\n  format: zarr", 2, "'zarr' is not available in this version; available: netcdf"),
        ("parallel:\n  threads: all", 2, "or auto, got 'all'"),
        ("parallel:\n  member_groups: 0", 2, "at least 1"),
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
forcing: {format: nldas-pfb}
assimilation: {filter: kalman}
output: {variables: [nothing_at_all]}
""",
    )
    lines = message.splitlines()
    assert lines[0] == "the case has 7 errors:"
    assert [int(entry.split("case.yaml:")[1].split(":")[0]) for entry in lines[1:]] == [4, 5, 6, 6, 7, 8, 9]


FLOW = """
time: {end: 2020-01-02}
domain: {type: grid, nx: 4, ny: 3, layers: [0.5, 0.5]}
forcing: {format: schedule, rain: [{until: 4 h, rate: 20 mm/h}]}
land: {model: none}
subsurface: {mode: distributed}
"""


@pytest.mark.parametrize(("line", "words"), [
    ("ensemble: {size: 3}", "expected 1 with land.model: none, which has one member; give land.model: clm, got 3"),
    ("rivers: {scheme: linear}", "water runs over land by subsurface.overland"),
    ("surface: {lake: 0.1}", "expected no lake: without a land model (land.model: none) it has no effect"),
    ("surface: {soil: {colour: 3}}", "expected no colour: without a land model"),
    ("output: {variables: [latent_heat_flux]}", "expected variables of the distributed subsurface"),
    ("output: {members: [soil_water]}", "expected no members: there is one member"),
    ("observations: [{twin: {}, every: 1 day}]", "expected none with land.model: none"),
])
def test_what_does_not_go_with_the_distributed_subsurface(tmp_path, line, words):
    message = errors_of(tmp_path, FLOW + line)
    assert words in message and "case.yaml:7: " in message


@pytest.mark.parametrize(("changes", "words"), [
    ("manning: 0.1", "expected no manning: it has no effect with overland: none"),
    ("overland: kinematic, ponding_depth: 2 cm", "water does not wait for a depth"),
    ("lower_boundary: no_flow, boundaries: {bottom: {kind: free_drainage}}", "either subsurface.lower_boundary"),
    ("terrain_following: false", None),
])
def test_keys_of_the_distributed_subsurface_that_do_not_act(tmp_path, changes, words):
    text = FLOW.replace("{mode: distributed}", "{mode: distributed, " + changes + "}")
    if words is None:
        (tmp_path / "case.yaml").write_text(text, encoding="utf-8")
        assert load_case(tmp_path).is_distributed
    else:
        assert words in errors_of(tmp_path, text)


def test_all_errors_of_the_distributed_subsurface_at_once(tmp_path):
    """Sections within sections that contradict themselves do not hide what is wrong around them."""
    message = errors_of(tmp_path, """
time: {end: 2020-01-02}
domain: {type: grid, slopes: {x: 0.05, file: a.nc}}
forcing: {format: schedule, rain: [{until: 4 h, rate: 20 K}, {until: 2 h}]}
land: {modle: none}
subsurface:
  mode: distributed
  boundaries:
    west: {kind: free_drainage}
    east: {kind: flux, series: [{until: 1 h, value: 1 K}, {value: 0}]}
    bottom: {kind: seepage}
    south: {kind: head}
    soth: {}
  spinup: {recharg: 100 mm/year}
""")
    lines = message.splitlines()
    assert lines[0] == "the case has 10 errors:", message
    found = [int(entry.split("case.yaml:")[1].split(":")[0]) for entry in lines[1:]]
    assert found == [3, 4, 4, 5, 9, 10, 11, 12, 13, 14]


def test_values_of_boundaries_have_the_unit_of_their_kind_and_survive_a_dump():
    case = yaml.safe_load(FLOW)
    case["subsurface"]["boundaries"] = {
        "west": {"kind": "hydrostatic", "value": "50 cm"},
        "east": {"kind": "flux", "series": [{"until": "1 h", "value": "3.6 mm/h"}, {"value": "3.6 kg m-2 h-1"}]}}
    config = load_case(case)
    assert config.subsurface.boundaries.west.value == 0.5
    assert [(one.until, one.value) for one in config.subsurface.boundaries.east.series] == [(3600, 1e-6), (None, 1e-6)]
    assert config.forcing.rain[0].rate == pytest.approx(20 / 3600)
    again = load_case(yaml.safe_load(dump_case(config)))
    assert again.model_dump() == config.model_dump() and again.history_variables == config.history_variables


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
