"""What pyland check says that a run takes: against what it takes."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from cases import COUPLED, changed
from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.config.surface import OTHER_SURFACES
from pyland.domain.layers import build_layers
from pyland.driver.commands.check import check_case
from pyland.driver.commands.estimates import describe_cost, memory_estimate, restart_estimate
from pyland.driver.setup import build_model, prepare

GRID = {
    "time": {"start": "2020-06-01", "end": "2020-06-11", "step": "30 min"},
    "domain": {"type": "grid", "nx": 8, "ny": 4, "layers": [0.05, 0.1, 0.3, 0.6, 1.0]},
    "surface": {"vegetation": {"patches": [{"type": "c3_grass", "fraction": 0.7}]}},
    "ensemble": {"size": 3},
}


@pytest.fixture(scope="module")
def model():
    setup = prepare(load_case(GRID), Communicator())
    return build_model(setup, np.arange(GRID["ensemble"]["size"]), seed=1)


def test_state_and_memory_are_those_of_the_model(model):
    layers = build_layers(GRID["domain"]["layers"], 5)
    columns = 32 * 3
    held = sum(view.nbytes for view in model.state.values())
    assert held < restart_estimate(columns, layers, 2, 5) < 1.3 * held
    fields = model.bytes_per_column * columns
    assert fields < memory_estimate(columns, layers, 2, 5) < 4.0 * fields


def test_surfaces_that_a_run_lacks_take_no_memory():
    layers = build_layers("clm5", 5)
    alone, with_lakes = (memory_estimate(1000, layers, 1, 5, others) for others in ((), ("lake",)))
    assert alone < with_lakes < memory_estimate(1000, layers, 1, 5, OTHER_SURFACES)


def hours(text):
    """Return the core-seconds that a sentence names."""
    return float(text.split()[1])


def test_cost_grows_with_layers_patches_and_members():
    config = load_case(GRID)
    base = hours(describe_cost(config, 32, 5, 1))
    assert hours(describe_cost(config, 32, 20, 1)) > 1.5 * base
    assert hours(describe_cost(config, 32, 5, 4)) > 1.5 * base
    more = load_case(GRID, ["ensemble.size=6"])
    assert hours(describe_cost(more, 32, 5, 1)) == pytest.approx(2 * base, rel=0.1)


def test_ground_beside_the_domain_costs_as_much_as_within():
    config = load_case(changed(COUPLED, {}))
    assert hours(describe_cost(config, 10, 4, 1, 200)) > hours(describe_cost(config, 10, 4, 1, 20))


def test_a_tile_without_land_is_told(tmp_path):
    """Land in one corner: of 2 x 2 rectangles three have none."""
    mask = np.zeros((4, 5), dtype="i4")
    mask[:2, :2] = 1
    with netCDF4.Dataset(tmp_path / "mask.nc", "w") as file:
        file.createDimension("y", 4)
        file.createDimension("x", 5)
        file.createVariable("mask", "i4", ("y", "x"))[:] = mask
    config = load_case(changed(COUPLED, {
        "domain.mask": str(tmp_path / "mask.nc"), "parallel.tiles": 4, "subsurface.outlets": None}))
    problems = check_case(config, 4).problems
    assert any("3 of 4 rectangles have no cell of the domain" in one for one in problems), problems
