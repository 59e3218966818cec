"""Reading a case: values, units, lines, overrides, round trip."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from pyland.base.errors import ConfigError
from pyland.config import CaseConfig, config_hash, dump_case, load_case


def write(folder, text):
    file = folder / "case.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def errors_of(source, *arguments, **keywords):
    with pytest.raises(ConfigError) as caught:
        load_case(source, *arguments, **keywords)
    return str(caught.value).splitlines()


def test_empty_case_is_the_embedded_default():
    config = load_case({})
    assert config.forcing.format == "generator"
    assert config.nlayer == 20
    assert config.time.nstep == 366 * 48
    assert config.assimilation.filter == "none"


def test_quantities_carry_units(tmp_path):
    write(
        tmp_path,
        "time: {step: 15 min, start: 2020-04-15, end: '2020-04-16T12:00+02:00'}\n"
        "domain: {type: grid, dx: 20 km, layers: [5 cm, 10 cm, 1e0]}\n"
        "land: {co2: 410 ppm, initial: {soil_temperature: 10 degC}}\n",
    )
    config = load_case(tmp_path)
    assert config.time.step == 900.0
    assert config.domain.dx == 20000.0
    assert config.domain.layers == [0.05, 0.1, 1.0]
    assert config.land.co2 == pytest.approx(410e-6, rel=1e-12)
    assert config.land.initial.soil_temperature == 283.15
    assert config.time.end == datetime(2020, 4, 16, 10)
    assert config.time.start64 == np.datetime64("2020-04-15", "s")


def test_numbers_that_yaml_reads_as_text():
    # YAML 1.1 takes 1e-3 for a text, since it has no point
    config = load_case({"subsurface": {"specific_storage": "1e-3"}})
    assert config.subsurface.specific_storage == 1e-3


def test_paths_start_at_the_case_and_expand_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("PYLAND_SHARED", str(tmp_path / "shared"))
    place = {"time": {"start": "2020-01-01", "end": "2020-01-02"}, "domain": {"latitude": 1, "longitude": 2}}
    relative = load_case(place | {"forcing": {"format": "alma", "path": "../a.nc"}}, directory=tmp_path / "case")
    assert relative.forcing.path == str(tmp_path / "a.nc")
    variable = load_case(place | {"forcing": {"format": "alma", "path": "${PYLAND_SHARED}/a.nc"}})
    assert variable.forcing.path == str(tmp_path / "shared" / "a.nc")
    monkeypatch.delenv("PYLAND_SHARED")
    (line,) = errors_of(place | {"forcing": {"format": "alma", "path": "${PYLAND_SHARED}/a.nc"}})
    assert "PYLAND_SHARED, which is not set" in line
    default = {"forcing": {"format": "alma", "path": "${PYLAND_SHARED:-../../data}/a.nc"}}
    found = load_case(place | default, directory=tmp_path / "one" / "two").forcing.path
    assert found == str(tmp_path / "data" / "a.nc")
    monkeypatch.setenv("PYLAND_SHARED", "/there")
    assert load_case(place | default, directory=tmp_path / "one" / "two").forcing.path == "/there/a.nc"


def test_overrides_reach_lists_by_name_and_number(tmp_path):
    write(
        tmp_path,
        "ensemble: {size: 4}\nobservations:\n"
        "  - {name: probe, twin: {}, every: 1 day}\n  - {name: other, twin: {}, every: 1 day}\n",
    )
    config = load_case(
        tmp_path,
        [
            "observations.probe.error=0.02",
            "observations.1.every=2 days",
            "time.step=1 h",
            "land.initial.soil_temperature=300",
        ],
    )
    assert [entry.error for entry in config.observations] == [0.02, 0.04]
    assert config.observations[1].every == 172800.0
    assert config.time.step == 3600.0
    assert config.land.initial.soil_temperature == 300.0


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("time.step", "expected key.path=value"),
        ("time.step=7 K", "--set time.step=7 K: time.step: expected a number [s]"),
        ("observations.nobody.error=1", "there is no entry 'nobody'"),
        ("time.start.year=2000", "has no keys"),
        ("tiem.step=1", "did you mean 'time'?"),
    ],
)
def test_wrong_overrides_name_themselves(tmp_path, override, words):
    write(tmp_path, "time: {start: 2020-01-01}\nobservations: []\n")
    assert words in "\n".join(errors_of(tmp_path, [override]))


def test_dump_loads_to_the_same_case(tmp_path):
    config = load_case(
        {
            "case": {"name": "x"},
            "domain": {"type": "grid", "nx": 3, "elevation": {"generate": {"seed": 4}}},
            "surface": {
                "soil": {"texture": {"generate": {"sand": 50}}},
                "vegetation": {"patches": [{"type": "bare_ground"}]},
            },
            "ensemble": {"size": 3, "perturb": {"parameters": {"porosity": {"std": 0.1}}}},
            "observations": [{"twin": {}, "every": "1 day"}],
            "assimilation": {"filter": "letkf", "localization": {"radius": "5 km"}},
        }
    )
    again = load_case(write(tmp_path, dump_case(config)))
    assert again.model_dump() == config.model_dump()
    assert config_hash(again) == config_hash(config)
    assert config_hash(load_case(config, ["ensemble.seed=9"])) != config_hash(config)


def test_a_depth_that_is_not_given_is_not_dumped(tmp_path):
    """Types without a depth load again, and neutrons still count over the whole column."""
    entries = [{"name": kind, "type": kind, "error": 1, "twin": {}, "every": "1 day"} | more for kind, more in (
        ("groundwater", {}), ("lst", {}), ("crns", {"operator": {"n": 400}}), ("soil_moisture", {"depth": [0.1, 0.2]}))]
    config = load_case({"time": {"start": "2020-01-01"}, "observations": entries,
                        "subsurface": {"lower_boundary": "no_flow"}})
    again = load_case(write(tmp_path, dump_case(config)))
    assert config_hash(again) == config_hash(config)
    assert [one.model_fields_set >= {"depth"} for one in again.observations] == [False, False, False, True]
    assert again.observations[3].sensed == (0.1, 0.2) and np.isnan(again.observations[2].sensed).all()


def test_hash_does_not_depend_on_the_folder(tmp_path):
    content = {
        "forcing": {"format": "alma", "path": "a.nc"},
        "time": {"start": "2020-01-01", "end": "2020-01-02"},
        "domain": {"latitude": 1, "longitude": 2},
    }
    one, two = (load_case(content, directory=tmp_path / name) for name in ("a", "b"))
    assert one.forcing.path != two.forcing.path
    assert config_hash(one) == config_hash(two)


def test_where_names_the_line(tmp_path):
    file = write(tmp_path, "time:\n  step: 30 min\n")
    assert load_case(tmp_path).where("time.step") == f"{file}:2: time.step"
    assert load_case({}).where("time.step") == "time.step"


def test_ensemble_settings_for_the_perturbation_room():
    config = load_case(
        {
            "ensemble": {
                "size": 4,
                "control": True,
                "perturb": {
                    "forcing": {"precipitation": {"std": 0.5}, "temperature": {"std": "1.5 K"}, "time_scale": "1 day"},
                    "parameters": {"porosity": {"std": 0.1, "truncation": None}},
                },
            }
        }
    )
    settings = config.ensemble.forcing_settings()
    assert settings["precipitation"] == {"std": 0.5} and settings["temperature"] == {"std": 1.5}
    assert "longwave" not in settings and "correlation" not in settings
    assert settings["time_scale"] == 86400.0 and settings["control"] is True
    assert config.ensemble.noise_settings("parameters") == {
        "porosity": {"kind": "multiply_lognormal", "std": 0.1, "length_scale": 0.0, "truncation": None}
    }
    assert load_case({}).ensemble.forcing_settings() == {}


def test_settings_fit_the_perturbation_room():
    from pyland.ensemble.forcing_perturbation import ForcingPerturbation

    config = load_case({"ensemble": {"size": 2, "perturb": {"forcing": {"precipitation": {"std": 0.5}}}}})
    ForcingPerturbation(
        config.ensemble.forcing_settings(),
        config.ensemble.seed,
        np.arange(2),
        np.zeros(1),
        np.zeros(1),
        np.zeros(1, dtype=np.int64),
        1800.0,
    )


def test_config_is_immutable():
    config = load_case({})
    with pytest.raises(ValueError, match="frozen"):
        config.time.step = 5.0
    assert isinstance(config, CaseConfig)
