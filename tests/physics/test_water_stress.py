"""Water stress of the coupled columns: linear in soil water, or in the pressure head."""

from __future__ import annotations

import numpy as np
import pytest
from columns import THICKNESS, Weather, random_areas, random_columns

CRITICAL_HEAD, WILTING_HEAD = -3.364, -152.9  # [m]
NCELL = 70


def stress_of(model, rng):
    sky = Weather(rng, NCELL)
    model.state["soil_temperature"][...] = 290.0
    leaf, stem = random_areas(rng, 1, NCELL)
    model.advance(sky.step(12.0), np.full_like(leaf, 2.0), stem, 1800.0)
    return model.flux["water_stress"][0]


def at_head(model, head):
    model.set_state({"pressure_head": np.broadcast_to(head, model.state["pressure_head"].shape)})
    return model.state["soil_water"].copy()


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_soil_water_stress_falls_linearly_between_two_water_contents(retention):
    rng = np.random.default_rng(3)
    model = random_columns(rng, NCELL, npatch=1, retention=retention, water_stress="soil_water")
    wilting, critical = at_head(model, WILTING_HEAD), at_head(model, CRITICAL_HEAD)
    share = rng.uniform(-0.2, 1.2, critical.shape)
    model.change_soil_water(wilting + share * (critical - wilting))
    water = model.state["soil_water"].copy()
    want = (model.parameter["root_fraction"] * np.clip((water - wilting) / (critical - wilting), 0.0, 1.0)).sum(axis=0)
    np.testing.assert_allclose(stress_of(model, rng), want[0], rtol=1e-9, atol=1e-9)


def test_pressure_head_stress_falls_linearly_between_the_heads_of_the_plant():
    rng = np.random.default_rng(4)
    model = random_columns(rng, NCELL, npatch=1, water_stress="pressure_head")
    top, bottom = model.parameter["psi_open"], model.parameter["psi_closed"]
    head = -(10.0 ** rng.uniform(0.0, 3.0, (THICKNESS.size, 1, NCELL)))
    at_head(model, head)
    weight = np.clip((head - bottom) / (top - bottom), 0.0, 1.0)
    want = (model.parameter["root_fraction"] * weight).sum(axis=0)
    np.testing.assert_allclose(stress_of(model, rng), want[0], rtol=1e-9, atol=1e-9)


def test_drying_soil_reduces_transpiration_early_with_soil_water_and_late_with_pressure_head():
    """At -20 m, two thirds of the way down the retention curve of most soils, the two schemes differ most."""
    got = {}
    for scheme in ("soil_water", "pressure_head"):
        model = random_columns(np.random.default_rng(5), NCELL, npatch=1, water_stress=scheme)
        at_head(model, -20.0)
        got[scheme] = stress_of(model, np.random.default_rng(6))
    assert (got["pressure_head"] == 1.0).all()
    assert (got["soil_water"] < 0.75).all() and (got["soil_water"] > 0.1).all()
