"""Little Washita under the land fluxes of ParFlow-CLM: the subsurface and the flow over land alone, 120 hours."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from flow_cases import HOUR, assert_water_closes, little_washita

from pyland.subsurface import DistributedSubsurface

ROOT_LAYERS = 10
"""Layers from the top that ParFlow-CLM takes water from."""


@pytest.fixture(scope="module")
def reference(shared_data):
    """Heads (hour, layer, y, x), the top first, land fluxes [kg m-2 s-1] (hour, root layer, y, x), and volumes [m3]."""
    path = shared_data / "little_washita" / "reference" / "little_washita_parflow_clm_120h.nc"
    with netCDF4.Dataset(path) as file:
        heads = np.asarray(file["pressure_head"][...])[:, ::-1]
        per_hour = np.ma.filled(file["evaptrans"][...], 0.0)[:, ::-1]
        volumes = {name: np.asarray(file[name][...]) for name in ("outflow", "storage_subsurface", "storage_surface")}
    return heads, per_hour * 2.0 * 1000.0 / HOUR, volumes


def test_heads_are_those_of_parflow(shared_data, reference):
    """The heads of 120 hours to the single precision of the file, which is 3.8e-6 m at 64 to 128 m.

    ParFlow puts the fluxes of CLM (rain that infiltrates, evaporation, roots) into cells as they are; here the kernel
    takes them as sources. Nothing else differs: steps of one hour, backward Euler, kinematic wave with slopes of cells.
    """
    heads, fluxes, volumes = reference
    case = little_washita(shared_data)
    flow = DistributedSubsurface(case.thickness, case.soil, **{**case.options, "overland": "kinematic_cells"})
    source = np.zeros(flow.pressure.shape)
    left = 0.0
    for hour in range(1, len(heads)):
        source[:ROOT_LAYERS] = fluxes[hour]
        out = flow.advance(HOUR, source=source)
        np.testing.assert_allclose(out["source"], source, rtol=0.0, atol=1e-15)  # no cell was too dry to give it
        assert out["discharge"].sum() * HOUR == pytest.approx(volumes["outflow"][hour], abs=0.01), hour
        left = max(left, float(np.abs(flow.pressure - heads[hour]).max()))
        if hour % 24 == 0:
            away = np.sqrt(np.mean((flow.pressure - heads[hour]) ** 2))
            assert away < 2e-6, f"{away:.2e} m after {hour} h"
    assert left < 1e-5
    for name in ("storage_subsurface", "storage_surface"):
        assert flow.balance[name] == pytest.approx(volumes[name][-1], rel=1e-6)
    assert_water_closes(flow)
