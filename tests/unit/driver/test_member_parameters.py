"""Parameters of members: what the ensemble gives them, what follows from texture, and what a restart holds."""

from __future__ import annotations

import numpy as np
import pytest
from updated_cases import FACTOR, TEXTURE

from cases import TWIN, changed
from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.driver.member_parameters import MemberParameters, parameter_of
from pyland.driver.setup import build_model, prepare


def members_of(case):
    setup = prepare(load_case(case), Communicator())
    return setup, build_model(setup, np.arange(setup.config.ensemble.size), setup.config.ensemble.seed)


def test_each_member_has_its_plants():
    _, model = members_of(changed(TWIN, {"ensemble.perturb.parameters": {
        "vcmax25_top": FACTOR, "stomatal_slope": FACTOR, "leaf_area_index": FACTOR}}))
    for name in ("vcmax25_top", "stomatal_slope"):
        values = parameter_of(name, model)
        factor = values / values.mean(axis=1, keepdims=True)
        assert values.std(axis=1).min() > 0.0 and factor[0] == pytest.approx(factor[1])
    leaves = parameter_of("leaf_area_index", model)
    assert leaves.shape == (4, 6) and leaves.std() > 0.05 and np.array_equal(leaves, model.leaf_area_factor)


def test_what_the_case_gives_does_not_follow_texture():
    setup, model = members_of(changed(TEXTURE, {"surface.soil.parameters": {"porosity": 0.41}}))
    assert np.array_equal(parameter_of("porosity", model), np.full((6, 4, 6), 0.41))
    flat = [np.array(model.parameter[name]).reshape(6, -1) for name in ("sand", "clay", "organic")]
    expected = hydraulic_parameters("van_genuchten", "cosby", *flat, setup.layers.node_depth)
    for name in ("saturated_conductivity", "van_genuchten_alpha", "van_genuchten_n"):
        assert np.array_equal(parameter_of(name, model).reshape(6, -1), expected[name])
    parameters = MemberParameters(("sand",), setup)
    _, clipped = parameters.put(model, {"sand": np.array(parameter_of("sand", model)) + 60.0})
    total = parameter_of("sand", model) + parameter_of("clay", model)
    assert clipped > 0 and total.max() == pytest.approx(100.0)
    assert np.array_equal(parameter_of("porosity", model), np.full((6, 4, 6), 0.41))
    assert parameter_of("saturated_conductivity", model).min() > expected["saturated_conductivity"].min()


@pytest.mark.parametrize(("retention", "name", "sign"), [("clapp_hornberger", "air_entry_head", -1.0),
                                                         ("van_genuchten", "van_genuchten_alpha", 1.0)])
def test_a_restart_gives_back_the_bits(retention, name, sign):
    case = changed(TWIN, {"subsurface.retention": retention, "ensemble.perturb.parameters": {name: FACTOR}})
    _, model = members_of(case)
    parameters = MemberParameters((name, "leaf_area_index"))
    values = np.array(parameter_of(name, model))
    assert (sign * values > 0.0).all() and parameters.fields() == ("retention_scale", "leaf_area_factor")
    parameters.put(model, {name: 1.1 * values, "leaf_area_index": np.full((4, 6), 0.7)})
    state = {key: np.array(array) for key, array in parameters.state(model).items()}
    assert sign * parameter_of(name, model) == pytest.approx(np.abs(1.1 * values))
    _, other = members_of(case)
    parameters.restore(other, state)
    assert np.array_equal(parameter_of(name, other), parameter_of(name, model))
    assert np.array_equal(other.leaf_area_factor, model.leaf_area_factor)
