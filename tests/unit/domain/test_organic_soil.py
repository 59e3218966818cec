"""Organic matter in the soil: shares, mixtures by hand, both retention curves."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.domain.layers import build_layers
from pyland.domain.soil_hydraulics import hydraulic_parameters, peat_parameters
from pyland.ensemble.parameter_perturbation import DEFAULT_BOUNDS

DEPTH = np.array([0.05, 0.5, 2.0])


def column(retention, organic, pedotransfer="cosby"):
    full = np.full((3, 1), 1.0)
    return hydraulic_parameters(retention, pedotransfer, 40.0 * full, 20.0 * full, organic * full, DEPTH)


def texture(**keys):
    return load_case({"case": {"name": "soil"}, "surface": {"soil": {"texture": keys}}}).surface.soil.texture


def test_peat_by_hand():
    # fibric at the surface, sapric from 0.5 m (Letts et al. 2000 as in CLM5)
    peat = peat_parameters(DEPTH, np.full((3, 1), 1e-6))
    assert peat["porosity"][:, 0] == pytest.approx([0.92, 0.83, 0.83])
    assert peat["clapp_hornberger_b"][:, 0] == pytest.approx([3.63, 12.0, 12.0])
    assert peat["air_entry_head"][:, 0] == pytest.approx([-0.0101] * 3)
    assert peat["saturated_conductivity"][:, 0] == pytest.approx([0.25201e-3, 1e-6, 1e-6])


def test_mixture_by_hand():
    # sand 40, clay 20: b 6.09, porosity 0.4386; half peat at 5 cm
    half = column("clapp_hornberger", 0.5)
    assert half["porosity"][0, 0] == pytest.approx(0.5 * (0.4386 + 0.92))
    assert half["clapp_hornberger_b"][0, 0] == pytest.approx(0.5 * (6.09 + 3.63))
    # below the threshold of 0.5 nothing percolates: both conductivities in series, 1 / (0.5/k_m + 0.5/k_o)
    mineral = column("clapp_hornberger", 0.0)["saturated_conductivity"][0, 0]
    assert half["saturated_conductivity"][0, 0] == pytest.approx(1.0 / (0.5 / mineral + 0.5 / 0.25201e-3))
    # share 0.75: percolating 0.5**-0.139 * 0.25**0.139 * 0.75 = 0.5**0.139 * 0.75 = 0.68111
    most = column("clapp_hornberger", 0.75)["saturated_conductivity"][0, 0]
    rest = 1.0 - 0.681114
    series = rest / (0.25 / mineral + (0.75 - 0.681114) / 0.25201e-3)
    assert most == pytest.approx(rest * series + 0.681114 * 0.25201e-3, rel=1e-5)


@pytest.mark.parametrize("organic", [0.1, 0.5, 0.9, 1.0])
def test_both_curves_see_one_soil(organic):
    clapp, genuchten = column("clapp_hornberger", organic), column("van_genuchten", organic)
    for name in ("porosity", "saturated_conductivity"):
        assert genuchten[name] == pytest.approx(clapp[name], rel=1e-12)
    assert -1.0 / genuchten["van_genuchten_alpha"] == pytest.approx(clapp["air_entry_head"], rel=1e-12)
    assert 1.0 / (genuchten["van_genuchten_n"] - 1.0) == pytest.approx(clapp["clapp_hornberger_b"], rel=1e-9)
    assert (genuchten["residual_water"] == 0.0).all()


def test_residual_water_fades_and_mineral_layers_stay_bit_for_bit():
    organic = np.array([[0.5], [0.0], [0.0]])
    full = np.full((3, 1), 1.0)
    mixed = hydraulic_parameters("van_genuchten", "rosetta", 40.0 * full, 20.0 * full, organic, DEPTH)
    mineral = column("van_genuchten", 0.0, "rosetta")
    assert mixed["residual_water"][0, 0] == pytest.approx(0.5 * mineral["residual_water"][0, 0])
    for name, values in mineral.items():
        assert np.array_equal(mixed[name][1:], values[1:]), name


def test_shares_from_matter_and_carbon():
    assert texture(organic_matter=65.0).organic_share == pytest.approx(0.5)
    assert texture(organic_matter=[580.0, 26.0], bottom=[0.5, 3.0]).organic_share == pytest.approx([1.0, 0.2])
    assert texture(organic_carbon=37.7).organic_share == pytest.approx(0.5)  # 37.7 / 0.58 / 130
    assert texture(organic=[0.3, 0.1], bottom=[0.5, 3.0]).organic_share == [0.3, 0.1]


@pytest.mark.parametrize(("keys", "words"), [
    ({"organic": 0.2, "organic_matter": 30.0}, "beside organic"),
    ({"organic_matter": [1.0, 2.0, 3.0], "bottom": [0.5, 1.0]}, "expected 2 numbers"),
    ({"organic_carbon": -1.0}, "at least 0"),
])  # fmt: skip
def test_contradictions_are_refused(keys, words):
    with pytest.raises(ConfigError, match=words):
        texture(**keys)


def test_bounds_of_a_perturbed_share():
    assert DEFAULT_BOUNDS["organic"] == (0.0, 1.0)


def test_thermal_column_reaches_below_the_seasons():
    layers = build_layers()
    assert layers.thermal_node_depth[-1] == pytest.approx(41.998, abs=1e-3)
    assert layers.thermal_node_depth[[0, 19, 20]] == pytest.approx([0.01, 8.03, 9.795])
    own = build_layers([0.1, 0.4], 5, [1.0, 5.0, 20.0, 40.0])
    assert own.nthermal == 6 and own.thermal_thickness.sum() == pytest.approx(66.5)
    with pytest.raises(InputError, match="bedrock_thickness"):
        build_layers("clm5", 5, [1.0, -1.0])
    with pytest.raises(ConfigError, match="the list says how many"):
        load_case({"case": {"name": "rock"}, "domain": {"bedrock_layers": 3, "bedrock_thickness": [1.0]}})
