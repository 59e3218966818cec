"""Layers and profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.domain.layers import build_layers, map_profile


def test_clm5_table():
    layers = build_layers()
    assert (layers.nlayer, layers.nthermal) == (20, 25)
    assert layers.depth == pytest.approx(8.6)
    assert layers.node_depth[[0, 9, 19]] == pytest.approx([0.01, 1.36, 8.03])
    assert layers.interface_depth[13] == pytest.approx(2.72)
    assert layers.thermal_thickness.sum() == pytest.approx(49.556)


def test_own_layers_and_errors():
    layers = build_layers([0.1, 0.2], 1)
    assert layers.nthermal == 3 and layers.depth == pytest.approx(0.3)
    for wrong in ([], [0.1, 0.0], [np.nan], "clm4"):
        with pytest.raises(InputError, match=r"domain\.layers"):
            build_layers(wrong)
    with pytest.raises(InputError, match="bedrock_layers"):
        build_layers("clm5", 6)


def test_profile_by_hand():
    found = map_profile([10.0, 20.0], [0.1, 0.2], np.array([0.05, 0.1, 0.3]))
    assert found == pytest.approx([10.0, 15.0, 20.0])
    with pytest.raises(InputError, match="one positive, increasing depth per value"):
        map_profile([1.0, 2.0], [0.2, 0.1], np.array([0.1]))


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8), st.lists(st.floats(0.0, 100.0), min_size=1, max_size=8))
def test_profile_keeps_the_total(thickness, values):
    total = sum(thickness)
    bottom = np.linspace(0.0, total, len(values) + 1)[1:]
    found = map_profile(values, bottom, np.array(thickness))
    assert (found * thickness).sum() == pytest.approx(np.mean(values) * total, rel=1e-9, abs=1e-9)
