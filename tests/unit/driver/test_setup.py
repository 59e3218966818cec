"""From a configuration to columns: roots, colours, ranks, initial state."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cases import TWIN, changed
from pyland.base.errors import ConfigError, InputError
from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.driver.plant_fields import colour_fields, root_distribution
from pyland.driver.setup import build_model, prepare
from pyland.land.plant_types import soil_colour_albedo


class Rank(Communicator):
    """One of several ranks, for what needs no communication."""

    def __init__(self, rank: int, size: int) -> None:
        super().__init__()
        self.rank, self.size = rank, size


def ready(changes=None, rank=0, size=1):
    return prepare(load_case(changed(TWIN, changes or {})), Rank(rank, size))


@pytest.mark.parametrize("beta", [0.9, 0.943, 0.976, 0.999])
def test_roots_sum_to_one_and_thin_out(beta):
    edges = np.array([0.0, 0.02, 0.06, 0.16, 0.5, 1.5, 2.5])
    share = root_distribution(beta, edges)
    assert share.sum() == pytest.approx(1.0, abs=1e-14) and (share > 0).all()
    density = share / np.diff(edges)
    assert (np.diff(density) < 0).all()


def test_roots_after_jackson():
    # 0.976**10 = 0.784: 21.6 % of the roots in the upper 10 cm of a deep column
    share = root_distribution(0.976, np.array([0.0, 0.1, 50.0]))
    assert share[0] == pytest.approx(1.0 - 0.976**10, rel=1e-6)


def test_colours_of_cells():
    fields = colour_fields(np.array([3, 20, 3]))
    assert fields["soil_albedo_dry"].shape == (2, 3)
    assert np.array_equal(fields["soil_albedo_dry"][:, 0], fields["soil_albedo_dry"][:, 2])
    dark = soil_colour_albedo(20)
    assert fields["soil_albedo_saturated"][:, 1].tolist() == [dark["saturated_vis"], dark["saturated_nir"]]
    assert (fields["soil_albedo_dry"] >= fields["soil_albedo_saturated"]).all()


def test_tiles_are_the_whole():
    whole = ready()
    parts = [ready(rank=rank, size=4) for rank in range(4)]
    assert np.array_equal(np.concatenate([part.domain.cell_id for part in parts]), whole.domain.cell_id)
    assert np.array_equal(np.concatenate([part.position for part in parts]), np.arange(6))
    members = np.arange(4)
    one, several = build_model(whole, members, 5), [build_model(part, members, 5) for part in parts]
    for group in ("state", "parameter"):
        for name, field in getattr(one, group).items():
            joined = np.concatenate([getattr(model, group)[name] for model in several], axis=-1)
            assert np.array_equal(joined, field), name


def test_more_ranks_than_cells():
    with pytest.raises(InputError, match=r"7 rank.* for 6 cell.* and 4 member.*Use 6 rank"):
        ready(rank=0, size=7)


def test_members_differ_but_for_the_control():
    model = build_model(ready({"ensemble.control": True}), np.arange(4), 5)
    conductivity, water = model.parameter["saturated_conductivity"], model.state["soil_water"]
    plain = build_model(ready({"ensemble.perturb": None}), np.arange(1), 5)
    assert np.array_equal(conductivity[:, 0], plain.parameter["saturated_conductivity"][:, 0])
    assert np.array_equal(water[:, 0], plain.state["soil_water"][:, 0])
    assert len({field.tobytes() for field in (water[:, member].copy() for member in range(4))}) == 4


def test_members_do_not_depend_on_the_size_of_the_ensemble():
    few = build_model(ready(), np.arange(2), 5)
    one = build_model(ready(), np.array([1]), 5)
    assert np.array_equal(few.state["soil_water"][:, 1], one.state["soil_water"][:, 0])


@pytest.mark.parametrize(("initial", "check"), [
    ({"saturation": 0.4}, lambda model: np.allclose(
        (model.state["soil_water"] - model.parameter["residual_water"])
        / (model.parameter["porosity"] - model.parameter["residual_water"]), 0.4)),
    ({"soil_water": 0.25}, lambda model: np.allclose(model.state["soil_water"], 0.25)),
    ({"soil_water": [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]}, lambda model: np.allclose(
        model.state["soil_water"][:, 0, 0], [0.1, 0.15, 0.2, 0.25, 0.3, 0.35])),
    ({"pressure_head": -2.0}, lambda model: np.allclose(model.state["pressure_head"], -2.0)),
    ({"water_table_depth": 0.5}, lambda model: np.allclose(
        model.state["pressure_head"][:, 0, 0], [-0.49, -0.465, -0.425, -0.35, -0.15, 0.25])),
])
def test_initial_water(initial, check):
    model = build_model(ready({"subsurface.initial": initial, "ensemble.perturb": None}), np.arange(1), 5)
    assert check(model)


def test_initial_temperature_does_not_depend_on_the_end():
    one, other = ready(), ready({"time.end": "2020-07-01"})
    assert np.array_equal(one.initial_temperature, other.initial_temperature)
    assert one.initial_temperature.min() > 270.0 and one.initial_temperature.max() < 300.0
    assert np.ptp(one.initial_temperature) > 0.1  # the catchment has relief
    given = ready({"land": {"initial": {"soil_temperature": 281.5}}})
    assert (given.initial_temperature == 281.5).all()


def test_heat_from_below_sets_the_deep_profile():
    plain, warm = ready(), ready({"land.bottom_heat_flux": 0.06})
    cold, hot = (build_model(one, np.arange(1), 5).state["soil_temperature"] for one in (plain, warm))
    # 0.06 W m-2 through rock of 3 W m-1 K-1: 0.02 K per metre
    assert (hot - cold)[:, 0, 0] == pytest.approx(0.02 * plain.layers.thermal_node_depth, abs=1e-9)
    assert np.ptp(cold[:, 0, 0]) == 0.0


def test_ground_of_a_file(tmp_path):
    """A run that begins with what another ended with: temperature, water and ice of every layer and cell."""
    first = ready({"ensemble.perturb": None})
    rng = np.random.default_rng(1)
    ground = {"soil_temperature": 270.0 + rng.random((9, 2, 3)), "soil_water": 0.1 + 0.1 * rng.random((6, 2, 3)),
              "soil_ice": 0.1 * rng.random((6, 2, 3))}
    file = tmp_path / "ground.nc"
    axes = {"soil_temperature": ("time", "thermal_layer", "y", "x")}
    earlier = {name: np.stack([field + 0.01, field]) for name, field in ground.items()}  # the last record counts
    xr.Dataset({name: (axes.get(name, ("time", "layer", "y", "x")), field) for name, field in earlier.items()}
               ).to_netcdf(file)
    changes = {"land": {"initial": {"file": str(file)}}, "ensemble.perturb": None}
    setup = ready(changes)
    state = build_model(setup, np.arange(1), 5).state
    for name, field in ground.items():
        np.testing.assert_allclose(state[name][:, 0], field.reshape(len(field), -1), rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(setup.initial_temperature, ground["soil_temperature"][0].ravel())
    part = build_model(ready(changes, rank=3, size=4), np.arange(1), 5)
    np.testing.assert_array_equal(part.state["soil_ice"], state["soil_ice"][..., -part.state["soil_ice"].shape[-1]:])
    xr.Dataset({"soil_temperature": (("y", "x"), ground["soil_temperature"][0])}).to_netcdf(tmp_path / "surface.nc")
    flat = build_model(ready({**changes, "land": {"initial": {"file": str(tmp_path / "surface.nc")}}}), np.arange(1), 5)
    assert (np.ptp(flat.state["soil_temperature"], axis=0) == 0.0).all()
    np.testing.assert_array_equal(flat.state["soil_water"], build_model(first, np.arange(1), 5).state["soil_water"])


@pytest.mark.parametrize(("fields", "message"), [
    ({"soil_water": np.full((6, 2, 3), 0.2)}, "expected soil_temperature alone"),
    ({"soil_temperature": np.full((4, 2, 3), 280.0)}, r"must have 9 layer\(s\) of 2 x 3 cells, got the shape"),
    ({"soil_temperature": np.full((9, 2, 3), 28.0)}, "soil_temperature"),
    ({"soil_temperature": np.full((2, 3), np.nan)}, "missing in a modelled cell"),
])
def test_ground_of_a_wrong_file(fields, message, tmp_path):
    axes = ("layer", "y", "x")
    xr.Dataset({name: (axes[-field.ndim:], field) for name, field in fields.items()}).to_netcdf(tmp_path / "ground.nc")
    with pytest.raises(InputError, match=message):
        _ = ready({"land": {"initial": {"file": str(tmp_path / "ground.nc")}}}).initial_ground
    with pytest.raises(ConfigError, match="expected no file beside soil_temperature"):
        ready({"land": {"initial": {"file": str(tmp_path / "ground.nc"), "soil_temperature": 280}}})


def test_lowest_leaves_reach_the_columns():
    model = build_model(ready({"surface.vegetation.patches": [{"type": "needle_evergreen_boreal", "canopy_top": 20}]}),
                        np.arange(1), 5)  # fmt: skip
    assert model.parameter["canopy_bottom"][0, 0] == pytest.approx(10.0)
