"""Grids and a stand-in registry for the tests of output."""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np
import pytest

from pyland.output.grid import OutputGrid

KNOWN = {
    "soil_water": {"long_name": "liquid water content of the soil", "units": "m3 m-3", "clm_name": "H2OSOI"},
    "soil_temperature": {"long_name": "soil temperature", "units": "K", "standard_name": "soil_temperature"},
    "canopy_water": {"long_name": "water intercepted by the canopy", "units": "kg m-2"},
    "latent_heat_flux": {"long_name": "latent heat flux", "units": "W m-2", "positive": "up",
                         "standard_name": "surface_upward_latent_heat_flux"},
}  # fmt: skip


AXES = {
    "soil_water": ("layer", "column"),
    "soil_temperature": ("thermal_layer", "column"),
    "canopy_water": ("patch", "column"),
    "latent_heat_flux": ("column",),
}


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the registry of the package; without it, a table of the few variables used here."""
    if importlib.util.find_spec("pyland.base.registry") is None:
        module = types.ModuleType("pyland.base.registry")
        module.attributes = lambda identifier: dict(KNOWN[identifier])
        module.variable = lambda identifier: types.SimpleNamespace(dims=AXES[identifier])
        monkeypatch.setitem(sys.modules, "pyland.base.registry", module)


@pytest.fixture
def grid() -> OutputGrid:
    """Give a map of 2 x 3 cells of which five are active, with 4 soil and 6 thermal layers."""
    return OutputGrid(
        latitude=np.linspace(50.0, 51.0, 5),
        longitude=np.linspace(6.0, 7.0, 5),
        layers={"layer": np.array([0.02, 0.04, 0.1, 0.3]), "thermal_layer": np.array([0.02, 0.04, 0.1, 0.3, 1.0, 4.0])},
        shape=(2, 3),
        index=np.array([0, 1, 2, 3, 5]),
        x=np.array([0.0, 1000.0, 2000.0]),
        y=np.array([0.0, 1000.0]),
    )


@pytest.fixture
def site() -> OutputGrid:
    """Give one station."""
    layers = {"layer": np.array([0.02, 0.04])}
    return OutputGrid(np.array([31.7]), np.array([-109.9]), layers, names=("US-Wkg",))
