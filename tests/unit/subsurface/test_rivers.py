"""Water in rivers and lakes: exact solutions, mass, bits."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.core import runtime
from pyland.subsurface import Lake, RiverGrid, RiverNetwork, Rivers

DAY = 86400.0


def chain(count: int, end: int = RiverNetwork.OUTLET, **properties) -> RiverNetwork:
    """A river of reaches in a row."""
    downstream = np.append(np.arange(1, count), end)
    return RiverNetwork(downstream, **{"area": 1e6, "length": 1000.0, **properties})


def test_one_reservoir_empties_exactly_for_any_step():
    for dt, count in ((60.0, 100), (3600.0, 3), (10 * DAY, 1)):
        rivers = Rivers(chain(1), velocity=0.35, substep=dt)
        rivers.storage[...] = 1e5
        for _ in range(count):
            rivers.advance(dt, 0.0)
        np.testing.assert_allclose(rivers.storage[0, 0], 1e5 * np.exp(-0.35e-3 * dt * count), rtol=1e-12, atol=1e-10)


def test_one_reservoir_fills_exactly_for_any_step():
    rivers = Rivers(chain(1), substep=1e6)
    for dt in (100.0, 5000.0):
        before = rivers.storage[0, 0]
        rivers.advance(dt, 1e-3)  # 1 m3 s-1
        decay = np.exp(-0.35e-3 * dt)
        np.testing.assert_allclose(rivers.storage[0, 0], before * decay + (1.0 - decay) / 0.35e-3, rtol=1e-12)


@pytest.mark.parametrize("count", [2, 5])
def test_impulse_response_of_a_cascade_is_the_gamma_distribution(count):
    rate, dt = 0.35e-3, 20.0
    rivers = Rivers(chain(count), substep=dt)
    rivers.storage[0, 0] = 1e6
    times = np.arange(dt, 20.0 / rate, dt)
    flow = []
    for _ in times:
        rivers.advance(dt, 0.0)
        flow.append(rivers.discharge[0, -1])
    scaled = rate * (times - 0.5 * dt)
    exact = 1e6 * rate * scaled ** (count - 1) * np.exp(-scaled) / factorial(count - 1)
    assert np.abs(np.array(flow) - exact).max() < 0.01 * exact.max()
    assert np.sum(flow) * dt == pytest.approx(1e6, rel=1e-3)


def test_steady_state_holds_length_over_velocity_of_water():
    rivers = Rivers(chain(10), velocity=0.5, substep=DAY)
    for _ in range(50):
        rivers.advance(DAY, 1e-3)
    flow = np.arange(1.0, 11.0)
    np.testing.assert_allclose(rivers.discharge[0], flow, rtol=1e-12)
    np.testing.assert_allclose(rivers.storage[0], flow * 1000.0 / 0.5, rtol=1e-12)
    assert float(rivers.network.path_length[0]) == 10000.0


def test_steady_channel_obeys_manning():
    width, slope, manning = 12.0, 2e-3, 0.04
    rivers = Rivers(chain(6, slope=slope), "kinematic", width=width, manning=manning, substep=DAY)
    for _ in range(300):
        rivers.advance(DAY, 0.05)  # 50 m3 s-1 per cell: the sides of the channel count
    depth = rivers.storage[0] / (width * 1000.0)
    area, perimeter = width * depth, width + 2.0 * depth
    np.testing.assert_allclose(rivers.discharge[0], 50.0 * np.arange(1, 7), rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(slope) / manning * area ** (5 / 3) / perimeter ** (2 / 3), rivers.discharge[0],
                               rtol=1e-12)


@st.composite
def waters(draw):
    """Rivers on random terrain with random water, lakes and steps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    ny, nx = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    grid = RiverGrid.regular(rng.normal(size=(ny, nx)) * 50.0, draw(st.sampled_from([30.0, 1000.0, 50000.0])), 1000.0)
    network = RiverNetwork.from_elevation(grid, fill_depth=draw(st.sampled_from([0.0, 20.0, np.inf])))
    lakes = {int(cell): rng.choice([Lake(), Lake(1e5, 1e6, 0.6), Lake(1e6, 1e6, 1.0, 2e6), Lake(2e4, 5e4, 0.3, 1e3)])
             for cell in network.sinks}
    nmember = draw(st.sampled_from([1, 3, 33]))
    rivers = Rivers(network, draw(st.sampled_from(["linear", "kinematic"])), nmember=nmember, lakes=lakes,
                    substep=draw(st.sampled_from([300.0, 3600.0, 1e7])))
    rivers.storage[...] = rng.uniform(0.0, 1e4, rivers.storage.shape) * (rng.random(rivers.storage.shape) < 0.5)
    rivers.lake_volume[...] = rng.uniform(0.0, 1e6, rivers.lake_volume.shape)
    size = draw(st.sampled_from([0.0, 1e-12, 1e-5, 0.1]))
    runoff = rng.uniform(-0.2, 1.0, (nmember, network.ncell)) * size
    rain = rng.uniform(0.0, 1e-3, (nmember, rivers.nlake)) * draw(st.sampled_from([0.0, 1.0]))
    loss = rng.uniform(0.0, 1e-4, (nmember, rivers.nlake)) * draw(st.sampled_from([0.0, 1.0, 100.0]))
    return rivers, draw(st.sampled_from([1.0, 900.0, 3600.0, 1e6])), runoff, rain, loss


@settings(max_examples=100, deadline=None)
@given(waters())
def test_water_is_conserved_and_never_negative(water):
    rivers, dt, runoff, rain, loss = water
    for _ in range(3):
        before = rivers.storage + rivers.at_lakes(rivers.lake_volume)
        rivers.advance(dt, runoff, rain, loss)
        assert (rivers.storage >= 0.0).all() and (rivers.lake_volume >= 0.0).all() and (rivers.discharge >= 0.0).all()
        after = rivers.storage + rivers.at_lakes(rivers.lake_volume)
        lakes = {name: rivers.at_lakes(rivers.lake_flux(name)) for name in ("rain", "evaporation", "withheld")}
        gain = runoff * rivers.network.area / 1000.0 + rivers.inflow + rivers.deficit + lakes["rain"]
        left = dt * (gain - rivers.discharge - lakes["evaporation"] - lakes["withheld"]) - (after - before)
        passing = np.abs(runoff) * rivers.network.area / 1000.0 + rivers.inflow + lakes["rain"] + lakes["evaporation"]
        turnover = before + after + dt * passing
        substeps = np.ceil(dt / rivers.substep)
        assert (np.abs(left) <= 4e-15 * (10 + substeps) * turnover).all()
        total = np.abs(rivers.balance["residual"])
        assert (total <= 4e-15 * (10 + substeps) * turnover.sum(axis=1)).all()


def test_every_cell_hands_on_what_it_lets_go():
    rng = np.random.default_rng(4)
    network = RiverNetwork.from_elevation(RiverGrid.regular(rng.normal(size=(12, 9)), 1000.0, 1000.0))
    rivers = Rivers(network, "kinematic")
    rivers.advance(3600.0, rng.uniform(0.0, 1e-3, (1, network.ncell)))
    arriving = np.zeros(network.ncell)
    flows = network.downstream >= 0
    np.add.at(arriving, network.downstream[flows], rivers.discharge[0, flows])
    np.testing.assert_allclose(rivers.inflow[0], arriving, rtol=1e-12, atol=1e-15)


def test_negative_runoff_takes_what_there_is():
    rivers = Rivers(chain(2), substep=DAY)
    rivers.storage[0] = [500.0, 0.0]
    rivers.advance(1000.0, -1e-3)  # 1000 m3 wanted in each
    assert rivers.storage[0, 0] == 0.0 and rivers.discharge[0, 0] == 0.0
    np.testing.assert_allclose(rivers.balance["deficit"], 1500.0)
    np.testing.assert_allclose(rivers.balance["residual"], 0.0, atol=1e-9)


@pytest.mark.parametrize("rain", [0.0, 1e-5])
@pytest.mark.parametrize("exponent", [0.5, 2.0 / 3.0, 1.0])
def test_terminal_lake_comes_to_the_area_that_evaporates_its_inflow(rain, exponent):
    lake = Lake(1e6, 2e6, exponent, initial_volume=5e6)
    network = RiverNetwork([1, RiverNetwork.SINK], area=[1e8, 1e9], length=1000.0)
    rivers = Rivers(network, substep=1e9, lakes={1: lake})
    loss = 6e-5  # 5 mm per day
    for _ in range(4000):
        rivers.advance(10 * DAY, [1e-6, 0.0], rain, loss)
    area = 0.1 / ((loss - rain) / 1000.0)  # inflow of 0.1 m3 s-1
    np.testing.assert_allclose(rivers.lake_area()[0, 0], area, rtol=1e-10)
    np.testing.assert_allclose(rivers.lake_volume[0, 0], 2e6 * (area / 1e6) ** (1.0 / exponent), rtol=1e-9)
    np.testing.assert_allclose(rivers.lake_flux("evaporation")[0, 0], area * loss / 1000.0, rtol=1e-10)


def test_lake_of_linear_hypsometry_relaxes_exponentially():
    rivers = Rivers(RiverNetwork([RiverNetwork.SINK], area=1e9, length=1.0), substep=3600.0,
                    lakes={0: Lake(1e6, 1e6, 1.0, initial_volume=1e6)})
    rate = 2e-7  # a loss of 2e-4 kg m-2 s-1 over a depth of 1 m
    rivers.advance(60 * DAY, 0.0, 0.0, 2e-4)
    np.testing.assert_allclose(rivers.lake_volume[0, 0], 1e6 * np.exp(-rate * 60 * DAY), rtol=1e-3)


def test_flat_lake_dries_out_and_no_further():
    network = RiverNetwork([RiverNetwork.SINK], area=1e6, length=1000.0)
    rivers = Rivers(network, lakes={0: Lake(initial_volume=1e5)})
    for _ in range(30):
        rivers.advance(DAY, 0.0, 0.0, 1e-4)
    assert rivers.lake_volume[0, 0] == 0.0 and rivers.lake_area()[0, 0] == 0.0
    rivers.advance(DAY, 0.0, 1e-4, 1e-4)  # rain on dry land is the land's
    assert rivers.lake_volume[0, 0] == 0.0 and rivers.balance["rain"][0] == 0.0


def test_a_lake_withholds_the_runoff_of_the_land_it_covers():
    network = RiverNetwork([RiverNetwork.SINK], area=1e6, length=1000.0)
    rivers = Rivers(network, lakes={0: Lake(2.5e5, 1e6, 0.0, initial_volume=1e6)}, substep=DAY)
    rivers.advance(DAY, 1e-5)
    np.testing.assert_allclose(rivers.balance["withheld"], 0.25 * 864.0)
    np.testing.assert_allclose(rivers.lake_volume[0, 0], 1e6 + 0.75 * 864.0)


def test_a_full_lake_spills_downstream_in_the_same_step():
    network = RiverNetwork([RiverNetwork.SINK, RiverNetwork.OUTLET], area=1e6, length=1000.0, spill=[1, -1])
    rivers = Rivers(network, lakes={0: Lake(1e5, 1e6, 0.5, spill_volume=1e6, initial_volume=1e6 - 10.0)}, substep=DAY)
    rivers.storage[0, 1] = 0.0
    rivers.advance(1000.0, [2e-4, 0.0])
    withheld = rivers.balance["withheld"][0]
    assert rivers.lake_volume[0, 0] == 1e6
    np.testing.assert_allclose(rivers.discharge[0, 0] * 1000.0, 200.0 - withheld - 10.0, rtol=1e-9)
    np.testing.assert_allclose(rivers.inflow[0, 1], rivers.discharge[0, 0])


def crowd(nmember, scheme="kinematic", members=slice(None)):
    """March some of 100 members that all differ; return everything they hold."""
    rng = np.random.default_rng(8)
    network = RiverNetwork.from_elevation(RiverGrid.regular(rng.normal(size=(15, 12)), 1000.0, 900.0), fill_depth=0.5)
    lakes = {int(cell): Lake(1e5, 1e5, 0.6, 5e4) for cell in network.sinks}
    rivers = Rivers(network, scheme, nmember=nmember, lakes=lakes)
    assert rivers.nlake > 2
    for _ in range(20):
        runoff = rng.uniform(-1e-5, 1e-3, (100, network.ncell))[members]
        weather = rng.uniform(0.0, 3e-4, (2, 100, rivers.nlake))[:, members]
        rivers.advance(3600.0, runoff, *weather)
    return [rivers.storage, rivers.lake_volume, rivers.discharge, rivers.lake_area()]


@pytest.mark.parametrize("scheme", ["linear", "kinematic"])
def test_members_do_not_know_each_other(scheme):
    whole = crowd(100, scheme)
    for members in ([0], [37], [99, 3], list(range(20, 61))):
        for one, all_of_them in zip(crowd(len(members), scheme, members), whole, strict=True):
            assert np.array_equal(one, all_of_them[members])


def test_threads_do_not_matter():
    alone, before = crowd(100), runtime.threads()
    try:
        runtime.set_threads(2)
        together = crowd(100)
    finally:
        runtime.set_threads(before)
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_wrong_arguments_are_named():
    network = chain(3)
    for words, arguments in (
        ("scheme of linear, kinematic", {"scheme": "muskingum"}),
        ("velocity has shape", {"velocity": [1.0, 2.0]}),
        ("at least one member", {"nmember": 0}),
        ("roughness must be positive", {"manning": 0.0}),
        ("have a lake but are not sinks", {"lakes": {1: Lake()}}),
    ):
        with pytest.raises(InputError, match=words):
            Rivers(network, **arguments)
    with pytest.raises(InputError, match="together"):
        Rivers(chain(2, RiverNetwork.SINK), lakes={1: Lake(reference_area=1.0)})
    rivers = Rivers(network)
    for words, dt, runoff in (
        ("positive step", 0.0, 0.0), ("runoff has shape", 60.0, np.zeros(2)), ("NaN", 60.0, np.nan)):
        with pytest.raises(InputError, match=words):
            rivers.advance(dt, runoff)
    lake = Rivers(chain(1, RiverNetwork.SINK))
    with pytest.raises(InputError, match="must not be negative"):
        lake.advance(60.0, 0.0, 0.0, -1.0)
    with pytest.raises(InputError, match="velocity, width and conveyance must be positive"):
        Rivers(network, velocity=-1.0).advance(60.0, 0.0)
