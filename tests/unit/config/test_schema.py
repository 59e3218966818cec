"""The schema names default, unit and meaning of every key, and agrees with the reference page and the cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyland.config import json_schema, load_case, markdown
from pyland.config.case import CaseConfig
from pyland.config.messages import section_of

ROOT = Path(__file__).resolve().parents[3]


def objects(schema):
    yield "case.yaml", schema
    yield from schema["$defs"].items()


def test_every_key_has_default_unit_and_description():
    for name, section in objects(json_schema()):
        assert section["additionalProperties"] is False, name
        for key, entry in section["properties"].items():
            assert entry["description"] and "\n" not in entry["description"], (name, key)
            assert "default" in entry and "unit" in entry, (name, key)
            assert {"type", "anyOf", "$ref"} & set(entry), (name, key)


def test_sections_are_those_of_the_contract():
    assert list(json_schema()["properties"]) == [
        "case",
        "time",
        "domain",
        "surface",
        "forcing",
        "land",
        "subsurface",
        "rivers",
        "ensemble",
        "observations",
        "assimilation",
        "study",
        "cycle",
        "calibrate",
        "diagnose",
        "output",
        "parallel",
    ]


def test_defaults_of_the_schema_load(tmp_path):
    schema = json_schema()
    content = {name: entry["default"] for name, entry in schema["properties"].items()}
    assert load_case(content).model_dump() == load_case({}).model_dump()


def test_reference_page_names_every_key():
    page = markdown()
    for name, field in CaseConfig.model_fields.items():
        assert f"## {name}\n" in page
        for key in section_of(field.annotation).model_fields:
            assert f"`{key}" in page or f"[].{key}" in page, (name, key)


def test_committed_reference_page_is_current():
    page = ROOT / "docs" / "reference" / "case_yaml.md"
    assert page.read_text(encoding="utf-8") == markdown() + "\n", (
        "run: pyland schema --markdown > docs/reference/case_yaml.md"
    )


@pytest.mark.parametrize("case", sorted(str(path.parent.name) for path in (ROOT / "cases").glob("*/case.yaml")))
def test_cases_of_the_repository_are_valid(case, monkeypatch, tmp_path):
    monkeypatch.setenv("PYLAND_SHARED", str(ROOT))
    monkeypatch.setenv("PYLAND_DATA", str(tmp_path))
    text = (ROOT / "cases" / case / "case.yaml").read_text(encoding="utf-8")
    for name in re.findall(r'"data:([^"]+)"', text):  # whether data are there is another question
        (tmp_path / name).mkdir(parents=True)
    load_case(ROOT / "cases" / case)
