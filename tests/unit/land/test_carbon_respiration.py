"""Respiration of plants: numbers by hand, limits, lanes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.land.carbon import compute_tissue_nitrogen, plant_respiration
from pyland.land.plant_types import plant_parameters, plant_type_names

ROOTS = np.array([0.5, 0.3, 0.2])
REFERENCE = 293.15


def respire(gross=0.0, leaf=0.0, stem=0.0, root=0.0, air=REFERENCE, soil=REFERENCE):
    return plant_respiration(gross, leaf, stem, root, air, np.full(3, soil), ROOTS)


def test_base_rates_at_20_degrees():
    assert respire(stem=0.002).stem_root[0] == pytest.approx(2.525e-6 * 0.002, rel=1e-14)
    assert respire(root=0.006).stem_root[0] == pytest.approx(0.83e-6 * 0.006, rel=1e-14)


def test_ten_degrees_make_it_one_and_a_half():
    warm, cold = respire(stem=0.002, air=303.15).total[0], respire(stem=0.002, air=283.15).total[0]
    assert warm == pytest.approx(1.5 * 2.525e-6 * 0.002, rel=1e-12)
    assert cold == pytest.approx(2.525e-6 * 0.002 / 1.5, rel=1e-12)
    assert respire(root=0.006, soil=273.15).total[0] == pytest.approx(0.83e-6 * 0.006 / 2.25, rel=1e-12)


def test_roots_feel_their_layers_and_stems_the_air():
    layers = np.array([303.15, 293.15, 283.15])
    result = plant_respiration(0.0, 0.0, 0.001, 0.004, 293.15, layers, ROOTS)
    roots = 0.83e-6 * 0.004 * (0.5 * 1.5 + 0.3 + 0.2 / 1.5)
    assert result.stem_root[0] == pytest.approx(2.525e-6 * 0.001 + roots, rel=1e-13)


def test_growth_respires_its_share_of_what_is_left():
    result = respire(gross=3e-7, leaf=4e-8, stem=0.002, root=0.006)
    left = 3e-7 - 4e-8 - result.stem_root[0]
    assert result.growth[0] == pytest.approx(0.11 / 1.11 * left, rel=1e-14)
    net = 3e-7 - result.total[0]
    assert result.growth[0] == pytest.approx(0.11 * net, rel=1e-12)  # per carbon of new tissue


def test_nothing_grows_at_night():
    result = respire(leaf=4e-8, stem=0.002, root=0.006)
    assert result.growth[0] == 0.0
    assert result.total[0] == pytest.approx(4e-8 + result.stem_root[0], rel=1e-15)


@given(gross=st.floats(0.0, 1e-6), leaf=st.floats(0.0, 1e-7), stem=st.floats(0.0, 0.02), root=st.floats(0.0, 0.05),
       air=st.floats(200.0, 330.0), soil=st.floats(200.0, 330.0))
def test_respiration_is_positive_and_growth_never_takes_all(gross, leaf, stem, root, air, soil):
    result = respire(gross, leaf, stem, root, air, soil)
    assert result.growth[0] >= 0.0 and result.stem_root[0] >= 0.0
    assert result.total[0] == pytest.approx(leaf + result.stem_root[0] + result.growth[0], rel=1e-14, abs=1e-300)
    assert result.growth[0] <= 0.11 / 1.11 * gross


def test_a_lane_depends_on_its_own_data_only():
    rng = np.random.default_rng(3)
    n = 71
    columns = [rng.uniform(0, 3e-7, n), rng.uniform(0, 5e-8, n), rng.uniform(0, 0.01, n), rng.uniform(0, 0.01, n),
               rng.uniform(230, 320, n)]
    soil, roots = rng.uniform(230, 320, (5, n)), rng.dirichlet(np.ones(5), n).T
    whole = plant_respiration(*columns, soil, roots).total
    for k in range(0, n, 7):
        alone = plant_respiration(*(one[k:k + 1] for one in columns), soil[:, k:k + 1], roots[:, k:k + 1]).total
        assert alone[0] == whole[k]


def test_tissue_of_a_deciduous_forest():
    plant = plant_parameters("broadleaf_deciduous_temperate")
    stem, root = compute_tissue_nitrogen(plant, 5.0, 20.0)
    assert stem == pytest.approx(0.01 * 20.0 * 5.0 * 0.1 / 50.0)
    assert root == pytest.approx(1.39 * 5.0 / 30.8 / 42.0 + 0.3 * stem)


@pytest.mark.parametrize("name", plant_type_names())
def test_tissue_is_plausible_for_all_types(name):
    plant = plant_parameters(name)
    stem, root = compute_tissue_nitrogen(plant, 3.0, plant["canopy_top"])
    assert 0.0 <= stem < 0.01 and 0.0005 < root < 0.03
    assert (stem == 0.0) == (plant["live_wood_share"] == 0.0)
    respired = respire(stem=stem, root=root).total[0] / 12.011e-9
    assert 0.1 < respired < 2.0, f"{respired} umol m-2 s-1 at 20 degC"


def test_bad_input_is_named():
    with pytest.raises(InputError, match="root_fraction: expected shape"):
        plant_respiration(0.0, 0.0, 0.0, 0.0, 290.0, np.full((3, 1), 290.0), np.ones((3, 2)))
    with pytest.raises(InputError, match="not finite"):
        respire(gross=np.nan)
    with pytest.raises(InputError, match="live_wood_share"):
        plant_parameters("c3_grass", live_wood_share=1.5)
