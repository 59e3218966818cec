"""The sections of alarms, hindcast skill and pruning as the guide writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pyland.config.alarms import AlarmsSection
from pyland.config.hindcast import HindcastSection
from pyland.config.pruning import PruningSection

SECTIONS = {"alarms": AlarmsSection, "hindcast": HindcastSection, "keep": PruningSection}
PAGE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "alarms_and_catalogue.md"


@pytest.fixture(scope="module")
def written():
    """Sections of the guide by name."""
    blocks = re.findall(r"^    cycle:\n(?:      .*\n)+", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    content = {}
    for block in blocks:
        content |= yaml.safe_load(block)["cycle"]
    return {name: SECTIONS[name].model_validate(given, context={"directory": "/case"})
            for name, given in content.items()}


def test_the_guide_shows_all_sections(written):
    assert set(written) == set(SECTIONS)


def test_units_and_classes_are_read(written):
    drought, frost = written["alarms"].rules
    assert drought.depth == [0.0, 1.0] and drought.limit == 10.0 and drought.clearing_limit == 20.0
    assert drought.repeat == 7 * 86400.0 and frost.lead == [0.0, 3 * 86400.0]
    assert frost.limit == frost.clearing_limit == 273.15
    assert written["alarms"].zones == "/case/reaches.geojson"
    assert [one.name for one in written["hindcast"].quantities] == ["soil_water_0_10cm", "snow_mass"]
    assert written["hindcast"].open == 10 * 86400.0
    assert written["keep"].cycles == 30 and written["keep"].yearly is None
