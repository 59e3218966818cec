"""Carbon of the coupled columns: balance of every step, equilibrium under a repeated climate, restart, lanes."""

from __future__ import annotations

import numpy as np
import pytest
from columns import Weather, random_areas, random_columns

from pyland.base.errors import InputError, StateError
from pyland.land.carbon import YEAR, compute_tissue_nitrogen
from pyland.land.plant_types import plant_parameters

STEP = 1800.0
DAY = 48
CARBON_LIMIT = 1e-12  # [kg m-2 per step]


def columns(ncell, seed=1, carbon="evolving", npatch=3, **options):
    model = random_columns(np.random.default_rng(seed), ncell, npatch=npatch, carbon=carbon, **options)
    rng = np.random.default_rng(seed + 50)
    tissue = [compute_tissue_nitrogen(plant_parameters(kind), rng.uniform(0.5, 6.0, ncell), height)
              for kind, height in (("c3_grass", 0.5), ("needle_evergreen_boreal", 17.0), ("corn_temperate", 0.5))]
    model.set_parameters({
        "stem_nitrogen": np.stack([stem for stem, _ in tissue][:npatch]) + np.zeros((npatch, ncell)),
        "root_nitrogen": np.stack([root for _, root in tissue][:npatch]),
        "litterfall_rate": np.array([1.0, 0.25, 1.0])[:npatch, None] / YEAR * np.ones(ncell),
    })
    return model


def cycle(ncell, seed=2, days=2):
    """Return weather and leaf area of some days, to be repeated."""
    sky = Weather(np.random.default_rng(seed), ncell)
    weather = [sky.step((index + 0.5) * STEP / 3600.0) for index in range(days * DAY)]
    areas = random_areas(np.random.default_rng(seed + 1), 3, ncell)
    return weather, areas


def total(model):
    plants = (model.state["plant_carbon"] * model.parameter["patch_fraction"]).sum(axis=0)
    return plants + model.state["carbon_pools"].sum(axis=0)


def test_carbon_closes_in_every_step_and_over_many():
    ncell = 70
    model = columns(ncell)
    weather, areas = cycle(ncell, days=4)
    model.set_state({"carbon_pools": np.random.default_rng(3).uniform(0.0, 20.0, (6, ncell)),
                     "plant_carbon": np.random.default_rng(4).uniform(0.0, 1e-3, (3, ncell))})
    start, through = total(model).copy(), 0.0
    for one in weather:
        before = total(model).copy()
        model.advance(one, *areas, STEP)
        flux = model.flux
        assert np.abs(flux["carbon_balance_residual"]).max() < CARBON_LIMIT
        assert np.abs(total(model) - before + STEP * flux["net_ecosystem_exchange"]).max() < CARBON_LIMIT
        assert (model.state["plant_carbon"] >= 0.0).all() and (model.state["carbon_pools"] >= 0.0).all()
        np.testing.assert_allclose(
            flux["net_ecosystem_exchange"],
            flux["autotrophic_respiration"] + flux["heterotrophic_respiration"] - flux["gross_primary_production"],
            rtol=1e-9, atol=1e-16)
        through = through - STEP * flux["net_ecosystem_exchange"]
    assert np.abs(total(model) - start - through).max() < 1e-11
    contents = model.flux["vegetation_carbon"] + model.flux["litter_carbon"] + model.flux["soil_carbon"]
    np.testing.assert_allclose(contents, total(model), rtol=1e-13)


def test_pools_of_a_repeated_climate_stay_and_exchange_nothing():
    ncell = 40
    model = columns(ncell, carbon="prescribed")
    weather, areas = cycle(ncell)
    hold = {name: field.copy() for name, field in model.state.items()
            if name not in ("plant_carbon", "carbon_pools", "production_sum", "decomposition_sum", "carbon_sum_time")}

    def repeat():
        exchange, net = 0.0, 0.0
        model.set_state(hold)
        for one in weather:
            model.advance(one, *areas, STEP)
            exchange = exchange + model.flux["net_ecosystem_exchange"] / len(weather)
            net = net + model.flux["net_primary_production"] / len(weather)
        return exchange, net

    model.start_carbon_means()
    repeat()
    produced = model.state["production_sum"] / model.state["carbon_sum_time"]
    model.balance_carbon()
    pools = model.state["carbon_pools"].copy()
    exchange, net = repeat()
    assert np.array_equal(model.state["carbon_pools"], pools)
    grows = (produced > 0.0).all(axis=0) & (pools[0] > 0.0)
    assert grows.sum() >= 5
    assert np.abs(exchange[grows] / net[grows]).max() < 1e-9
    model.balance_carbon(sink=0.2)  # the sums now hold two cycles of the same climate
    exchange, net = repeat()
    np.testing.assert_allclose(exchange[grows], -0.2 * net[grows], rtol=1e-9)


def test_evolving_pools_of_a_repeated_climate_barely_move():
    ncell = 40
    model = columns(ncell)
    weather, areas = cycle(ncell)
    model.start_carbon_means()
    for one in weather:
        model.advance(one, *areas, STEP)
    produced = model.state["production_sum"].copy()
    model.balance_carbon()
    before = total(model).copy()
    moisture = {name: field.copy() for name, field in model.state.items() if "carbon" not in name}
    for _ in range(5):
        model.set_state(moisture)
        for one in weather:
            model.advance(one, *areas, STEP)
    grows = (produced > 0.0).all(axis=0)
    assert grows.any() and np.abs(total(model)[grows] / before[grows] - 1.0).max() < 2e-3


def test_starving_plants_respire_no_more_than_they_have():
    ncell = 8
    model = columns(ncell)
    weather, areas = cycle(ncell)
    night = {**weather[0], "shortwave_down": np.zeros(ncell), "cosine_zenith": np.zeros(ncell)}
    for _ in range(4):
        model.advance(night, *areas, STEP)
        assert np.abs(model.flux["carbon_balance_residual"]).max() < CARBON_LIMIT
    assert (model.state["plant_carbon"] == 0.0).all()
    assert np.abs(model.flux["autotrophic_respiration"]).max() < 1e-20


def test_a_member_of_a_larger_set_is_the_same_to_the_bit():
    large, small = columns(67), columns(67)
    weather, areas = cycle(67)
    for one in weather[:24]:
        large.advance(one, *areas, STEP)
    shifted = np.roll(np.arange(67), 13)
    small.set_parameters({name: field[..., shifted] for name, field in large.parameter.items() if name != "thickness"})
    start = columns(67)
    small.set_state({name: field[..., shifted] for name, field in start.state.items()})
    for one in weather[:24]:
        small.advance({name: value[shifted] for name, value in one.items()}, *(a[:, shifted] for a in areas), STEP)
    for name in ("carbon_pools", "plant_carbon", "production_sum", "decomposition_sum"):
        assert np.array_equal(small.state[name], large.state[name][..., shifted]), name


def test_restart_is_exact():
    ncell = 20
    model = columns(ncell)
    weather, areas = cycle(ncell)
    model.set_state({"carbon_pools": np.full((6, ncell), 2.0), "plant_carbon": np.full((3, ncell), 0.3)})
    for one in weather[:20]:
        model.advance(one, *areas, STEP)
    kept = {name: field.copy() for name, field in model.state.items()}
    for one in weather[20:40]:
        model.advance(one, *areas, STEP)
    again = columns(ncell)
    again.set_state(kept)
    for one in weather[20:40]:
        again.advance(one, *areas, STEP)
    for group in ("state", "flux"):
        for name, field in getattr(model, group).items():
            assert np.array_equal(field, getattr(again, group)[name]), name


def test_carbon_changes_nothing_else_and_none_costs_no_memory():
    plain = random_columns(np.random.default_rng(1), 40)
    with_carbon = columns(40)
    weather, areas = cycle(40)
    for one in weather[:20]:
        plain.advance(one, *areas, STEP)
        with_carbon.advance(one, *areas, STEP)
    for name, field in plain.flux.items():
        assert np.array_equal(field, with_carbon.flux[name]), name
    assert "carbon_pools" not in plain.state and plain.bytes_per_column < with_carbon.bytes_per_column


def test_errors_say_what_to_do():
    plain = random_columns(np.random.default_rng(1), 3)
    with pytest.raises(InputError, match="no carbon; choose prescribed or evolving"):
        plain.balance_carbon()
    with pytest.raises(InputError, match="expected one of none, prescribed, evolving"):
        random_columns(np.random.default_rng(1), 3, carbon="some")
    model = columns(3)
    with pytest.raises(StateError, match="need a spin-up"):
        model.balance_carbon()
    with pytest.raises(InputError, match="cell 2.*stem_nitrogen"):
        model.set_parameters({"root_nitrogen": np.array([0.0, 0.0, -1.0]) + np.zeros((3, 3))})
