"""The stand-alone soil water columns: arguments, views, balance, errors."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import ConvergenceError, InputError
from pyland.subsurface import DistributedSubsurface, Subsurface, head_from_water

LOAM = {
    "porosity": 0.43,
    "residual_water": 0.08,
    "van_genuchten_alpha": 4.0,
    "van_genuchten_n": 1.6,
    "saturated_conductivity": 5.8e-6,
}


def column(**changes) -> Subsurface:
    arguments = {"thickness": [0.1] * 10, "soil": LOAM, "pressure_head": -1.0} | changes
    return Subsurface(arguments.pop("thickness"), arguments.pop("soil"), **arguments)


def test_views_are_live():
    soil = column()
    water, head = soil.soil_water, soil.pressure
    soil.advance(1800.0, rain=1e-3)
    assert water[0, 0] > water[5, 0]
    assert head is soil.pressure
    np.testing.assert_allclose(soil.saturation, water / 0.43)


def test_source_and_sink_enter_the_balance():
    soil = column(nx=3, lower_boundary="no_flow")
    source = np.zeros((10, 3))
    source[4], source[6] = 1e-4, -2e-5
    before = soil.soil_water.sum(axis=0) * 0.1 * 1000
    flux = soil.advance(3600.0, source=source)
    np.testing.assert_allclose(soil.soil_water.sum(axis=0) * 100 - before, 3600 * 8e-5, rtol=1e-10)
    np.testing.assert_allclose(flux["source"], source, atol=1e-18)
    assert np.abs(soil.balance["residual"]).max() < 1e-11


def test_sink_stops_at_air_dry_water():
    soil = column(lower_boundary="no_flow", pressure_head=-50.0, air_dry_head=-1000.0)
    sink = np.full(10, -1e-4)
    taken = sum(soil.advance(3600.0, source=sink)["source"].sum() * 3600 for _ in range(60))
    dry = head_from_water(soil.soil_water[:, 0], LOAM)
    assert (dry >= -1000.0 * (1 + 1e-6)).all()
    assert taken == pytest.approx(soil.balance["source"][0])
    assert abs(soil.balance["residual"][0]) < 1e-11
    assert soil.advance(3600.0, source=sink)["source"].sum() == pytest.approx(0.0, abs=1e-9)


def test_reconcile_books_the_increment():
    soil = column(nx=2)
    soil.advance(1800.0, rain=1e-4)
    soil.soil_water[:3] += 0.05
    soil.soil_water[3] = 0.9  # beyond porosity: limited
    soil.reconcile()
    assert (soil.soil_water[3] == 0.43).all()
    np.testing.assert_allclose(soil.pressure[:3], head_from_water(soil.soil_water[:3], LOAM), rtol=1e-12)
    soil.advance(1800.0)
    assert soil.balance["increment"][0] > 15.0
    assert np.abs(soil.balance["residual"]).max() < 1e-11


def test_reconcile_keeps_heads_of_saturated_layers():
    soil = column(pressure_head=None, water_table_depth=0.5, lower_boundary="no_flow")
    before = soil.pressure.copy()
    soil.reconcile()
    np.testing.assert_allclose(soil.pressure, before, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("depth", "expected"), [(0.5, 0.5), (0.37, 0.37), (0.0, 0.0), (0.98, 0.98), (2.0, 1.0)])
def test_water_table_depth_of_a_hydrostatic_column(depth, expected):
    assert column(pressure_head=None, water_table_depth=depth).water_table_depth[0] == pytest.approx(
        expected, abs=1e-12
    )


def test_perched_water_is_not_the_water_table():
    head = np.full(10, -1.0)
    head[2:4] = 0.2
    head[8:] = [0.02, 0.12]
    depth = column(pressure_head=head).water_table_depth[0]
    assert 0.75 < depth < 0.85


def test_distributed_mode_is_another_class():
    flow = column(mode="distributed", nx=2, ny=1, dx=10.0, dy=10.0)
    assert isinstance(flow, DistributedSubsurface) and flow.pressure.shape[1:] == (1, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "lateral"}, "mode"),
        ({"lower_boundary": "open"}, "lower_boundary"),
        ({"lower_boundary": "water_table"}, "base_depth"),
        ({"base_depth": 2.0}, "base_depth"),
        ({"soil_water": 0.2}, "exactly one"),
        ({"pressure_head": None}, "exactly one"),
        ({"pressure_head": np.zeros(7)}, "pressure_head"),
        ({"pressure_head": None, "soil_water": 0.5}, "porosity"),
        ({"nx": 0}, "nx"),
        ({"thickness": [0.1, -0.1], "pressure_head": -1.0}, "thickness"),
        ({"ponding_depth": -1.0}, "ponding_depth"),
        ({"max_iterations": 1}, "max_iterations"),
        ({"air_entry": -0.1}, "air_entry"),
    ],
)
def test_wrong_arguments_are_refused_with_their_name(changes, message):
    with pytest.raises(InputError, match=message):
        column(**changes).advance(1800.0)


def test_wrong_forcing_is_refused():
    soil = column(nx=2)
    with pytest.raises(InputError, match="rain"):
        soil.advance(1800.0, rain=np.zeros(3))
    with pytest.raises(InputError, match="rain"):
        soil.advance(1800.0, rain=np.nan)
    with pytest.raises(InputError, match="source"):
        soil.advance(1800.0, source=np.zeros((3, 2)))
    with pytest.raises(InputError, match="time step"):
        soil.advance(0.0)
    with pytest.raises(InputError, match="surface_head"):
        column(surface_head=-0.1).advance(1800.0, rain=1e-3)
    soil.pressure[0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        soil.advance(1800.0)


def test_no_convergence_names_the_column():
    # two iterations and a long shortest step cannot follow a storm on dry soil in column 40
    head = np.full((10, 64), -1.0)
    head[:, 40] = -1e4
    soil = column(nx=64, pressure_head=head, max_iterations=2, min_step=1000.0)
    rain = np.zeros(64)
    rain[40] = 0.03
    with pytest.raises(ConvergenceError, match="column 40 "):
        soil.advance(1800.0, rain=rain)


def test_surface_head_drives_infiltration():
    soil = column(surface_head=0.05, lower_boundary="no_flow")
    flux = soil.advance(3600.0)
    assert flux["infiltration"][0] > 1000 * 5.8e-6
    assert soil.balance["surface_head_inflow"][0] == pytest.approx(3600 * flux["infiltration"][0])
    assert abs(soil.balance["residual"][0]) < 1e-11


def test_nan_in_a_parameter_is_refused():
    soil = column(nx=40)
    soil._arrays.soil[0, 4, 37] = np.nan
    with pytest.raises(InputError, match="porosity"):
        soil.advance(1800.0)


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_layers_without_any_water_fill_again(retention):
    soil = LOAM if retention == "van_genuchten" else {
        "porosity": 0.44, "clapp_hornberger_b": 6.0, "air_entry_head": -0.2, "saturated_conductivity": 4e-6,
    }
    dry = soil.get("residual_water", 0.0)
    columns = column(soil=soil, retention=retention, nx=3, ponding_depth=0.01)
    columns.soil_water[2:6, 0] = dry
    columns.soil_water[:, 1] = dry
    columns.pressure[columns.soil_water == dry] = -1e6
    columns.reconcile()
    for _ in range(48 * 5):
        columns.advance(1800.0, rain=2e-4, evaporation=1e-5)
    assert (columns.soil_water[:3] > dry + 0.05).all()  # the wetting front has passed
    assert np.abs(columns.balance["residual"]).max() < 1e-10
