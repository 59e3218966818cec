"""What lies in the folders that a user names: parts of runs, diagnoses, products of cycles."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.driver.commands.view import named_run
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter
from pyland.view.web_server.answers import Answers
from pyland.view.web_server.catalogue import Catalogue, NamedRun

START = np.datetime64("2021-03-01", "s")
DAY = np.timedelta64(1, "D")
GRID = OutputGrid(np.repeat([50.0, 50.5], 2), np.tile([6.0, 6.5], 2), shape=(2, 2))


def write(folder, name, level, days=2):
    """Write a small history under a name."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = HistoryWriter(folder, GRID, ["soil_water_total"], {"title": name}, kind=name)
    writer.start()
    for day in range(days):
        writer.add(START + day * DAY, START + (day + 1) * DAY, {"soil_water_total": np.full((1, 4), level + day)})
    writer.flush("20210303T0000")
    return writer.finish()


@pytest.fixture
def cycle(tmp_path):
    folder = tmp_path / "night" / "cycle"
    for number, stamp in enumerate(("20210301T0000", "20210302T0000")):
        product = folder / "products" / stamp
        write(product, "analysis", 100.0 * number)
        write(product, "forecast", 100.0 * number + 50.0)
        (product / "alarms.json").write_text(json.dumps([{"name": f"dry {stamp}"}]))
    (folder / "products" / ".20210303T0000.partial").mkdir()
    (folder / "status.json").write_text('{"cycles": 2}')
    (folder / "latency.json").write_text('{"status": "ok", "inputs": []}')
    return folder


def test_a_cycle_lists_its_products_the_newest_first(cycle):
    assert named_run(cycle) == NamedRun("night", cycle, is_cycle=True) == named_run(cycle.parent)
    catalogue = Catalogue([named_run(cycle)])
    assert [one["id"] for one in catalogue.describe()["runs"]] == [
        "night", "night-20210302T0000-analysis", "night-20210302T0000-forecast", "night-20210301T0000-analysis",
        "night-20210301T0000-forecast"]
    answers = Answers(catalogue)
    found = json.loads(answers.cycle("night", query={}).content)
    assert found["status"] == {"cycles": 2} and found["latency"]["status"] == "ok"
    assert found["alarms"] == [{"name": "dry 20210302T0000"}]
    assert found["products"][0] == {"run": "night-20210302T0000-analysis", "stamp": "20210302T0000", "kind": "analysis"}
    values = np.frombuffer(answers.map("night-20210302T0000-forecast", "soil_water_total", "mean", "0", "1",
                                       query={}).content, "<f4")
    assert (values == 151.0).all()
    assert json.loads(answers.index("night", query={}).content)["variables"] == []
    write(cycle / "products" / "20210303T0000", "analysis", 7.0)  # the next night
    described = json.loads(answers.catalogue(query={}).content)
    assert described["runs"][1]["id"] == "night-20210303T0000-analysis" and len(described["runs"]) == 6
    catalogue.close()


def test_a_product_that_is_pruned_disappears(cycle):
    catalogue = Catalogue([named_run(cycle)])
    for file in (cycle / "products" / "20210301T0000").glob("*"):
        file.unlink()
    (cycle / "products" / "20210301T0000").rmdir()
    catalogue.refresh()
    assert [one.id for one in catalogue.runs] == [
        "night", "night-20210302T0000-analysis", "night-20210302T0000-forecast"]
    with pytest.raises(InputError, match="no run 'night-20210301T0000-analysis'"):
        catalogue.run("night-20210301T0000-analysis")
    catalogue.close()


def test_maps_that_a_diagnosis_wrote_come_with_the_run(tmp_path):
    run = tmp_path / "case" / "run"
    write(run, "history", 1.0)
    write(run / "diagnose" / "drought", "drought", 5.0)
    write(run / "diagnose" / "percentiles", "climatology", 5.0)
    (run / "diagnose" / "skill").mkdir()
    (run / "diagnose" / "skill" / "broken.nc").write_text("no netCDF")
    catalogue = Catalogue([named_run(tmp_path / "case")])
    assert [(one.id, one.role) for one in catalogue.runs] == [("case", "run"), ("case-drought-drought", "diagnosis")]
    found = catalogue.run("case-drought-drought")
    assert found.map("soil_water_total", "mean", 0, 1)[0, 0] == 6.0
    assert found.index()["variables"][0]["statistics"] == ["mean"] and not found.is_growing
    catalogue.close()


def test_runs_of_one_name_are_told_apart(tmp_path):
    for place in ("a", "b"):
        write(tmp_path / place / "my case (1)" / "run", "history", 1.0)
    catalogue = Catalogue([named_run(tmp_path / place / "my case (1)") for place in ("a", "b")])
    assert [one.id for one in catalogue.runs] == ["my_case_1", "my_case_1_2"]
    catalogue.close()
