"""Cases in Python."""

from __future__ import annotations

import numpy as np
import pytest

import pyland
from cases import TWIN, changed, write_case
from pyland.base.errors import ConfigError, InputError


def test_a_case_from_a_dictionary_a_folder_or_a_file(tmp_path):
    folder = write_case(tmp_path / "case")
    names = {pyland.Case(source).config.case.name
             for source in (TWIN, folder, str(folder), folder / "case.yaml")}
    assert names == {"small_twin"}
    assert pyland.open_case(folder).config.run_directory == folder / "run"


def test_wrong_cases(tmp_path):
    with pytest.raises(ConfigError, match="tiem"):
        pyland.Case({"tiem": {}})
    with pytest.raises(ConfigError, match="nowhere"):
        pyland.open_case(tmp_path / "nowhere")


def test_a_run_and_what_it_leaves(tmp_path):
    small = changed(TWIN, {"observations": None, "assimilation": None, "time.end": "2020-05-02"})
    run = pyland.Case(small).run(output=tmp_path / "run")
    assert run.directory == tmp_path / "run" and set(run.scores) >= {"closure", "timing"}
    with run.history as history:
        assert history["soil_water"].sizes["time"] == 2
        assert float(history["soil_water"].min()) > 0.0


def test_a_model_by_hand_has_live_views():
    model = pyland.Case(TWIN).model()
    water, flux = model.state["soil_water"], model.flux["evapotranspiration"]
    before = water.copy()
    step = model.advance(12)
    assert step.index == 11 and model.time == np.datetime64("2020-05-01T12:00", "s")
    assert water is model.state["soil_water"] and not np.array_equal(water, before) and flux.any()
    water[...] += 1e-3 * (water < 0.3)  # a user may change the state
    model.advance()


def test_a_model_by_hand_ends_with_its_case():
    model = pyland.Case(changed(TWIN, {"time.end": "2020-05-01T03:00"})).model()
    with pytest.raises(InputError, match="at least one step"):
        model.advance(0)
    model.advance(3)
    with pytest.raises(InputError, match="the case is at its end, 2020-05-01T03:00:00"):
        model.advance()


def test_by_hand_is_the_same_as_a_run(tmp_path):
    small = changed(TWIN, {"observations": None, "assimilation": None, "time.end": "2020-05-01T12:00",
                           "output.members": ["soil_water"], "output.every": "1 h"})
    run = pyland.Case(small).run(output=tmp_path / "run")
    model = pyland.Case(small).model()
    model.advance(12)
    from pyland.output.restart import find_latest

    restart = find_latest(run.directory)
    assert np.array_equal(restart.state["model:soil_water"], model.state["soil_water"])
