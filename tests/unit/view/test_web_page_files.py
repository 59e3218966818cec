"""Files of the web page: modules that parse, words in three languages, nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import pyland.view

PAGE = Path(pyland.view.__file__).parent / "web"
MODULES = sorted((PAGE / "app").glob("*.js"))
TEXT = (PAGE / "index.html").read_text(encoding="utf-8")
LANGUAGES = {
    name: json.loads((PAGE / "i18n" / f"{name}.json").read_text(encoding="utf-8")) for name in ("en", "de", "zh")}


def test_the_page_is_installed():
    assert len(MODULES) > 20
    assert all((PAGE / name).is_file() for name in ("index.html", "style.css", "icon.svg"))


def test_modules_parse():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: modules are parsed by the browser tests only")
    program = ("const vm = require('vm'), fs = require('fs'); for (const identifier of process.argv.slice(1))"
               "new vm.SourceTextModule(fs.readFileSync(identifier, 'utf8'), {identifier});")
    command = [node, "--experimental-vm-modules", "--no-warnings", "-e", program, *map(str, MODULES)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_all_modules_are_asked_for_at_once():
    listed = set(re.findall(r'<link rel="modulepreload" href="app/(\w+\.js)">', TEXT))
    assert listed == {one.name for one in MODULES} - {"main.js"}
    imported = {name for one in MODULES for name in re.findall(r'from "\./(\w+\.js)"', one.read_text(encoding="utf-8"))}
    assert imported == listed


def test_nothing_comes_from_elsewhere():
    for file in (*MODULES, PAGE / "index.html", PAGE / "style.css"):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z]+\.", re.sub(r"^\s*(\*|//).*$", "", text, flags=re.M)), file.name


def test_languages_have_the_same_keys_and_places_for_values():
    english = LANGUAGES["en"]
    for words in LANGUAGES.values():
        assert words.keys() == english.keys()
        for key, text in words.items():
            assert text.strip()
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


def test_every_key_has_words_and_is_used():
    code = "\n".join(one.read_text(encoding="utf-8") for one in MODULES)
    named = set(re.findall(r'data-(?:text|label|hint)="([\w.]+)"', TEXT))
    named |= set(re.findall(r'"([a-z]+\.[a-z_.]+)"', code))
    named = {one for one in named if not one.endswith((".js", ".json"))}
    assert named <= LANGUAGES["en"].keys(), named - LANGUAGES["en"].keys()
    families = set(re.findall(r"`([a-z]+\.(?:[a-z]+\.)?)\$\{", code))
    unused = {key for key in LANGUAGES["en"] if key not in named and not key.startswith(tuple(families))}
    assert unused <= {"north", "south", "east", "west"}, unused
