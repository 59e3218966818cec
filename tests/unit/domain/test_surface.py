"""Surface: patches, leaf area in time, texture, hydraulic parameters."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.domain import build_domain, build_layers, build_surface, soil_hydraulics
from pyland.domain.smooth_field import smooth_field


@pytest.fixture(autouse=True)
def cosby(monkeypatch):
    """Cosby et al. (1984) by hand, so that the tests do not depend on another file."""

    def parameters(name, sand, clay):
        found = {
            "porosity": 0.489 - 0.00126 * sand,
            "clapp_hornberger_b": 2.91 + 0.159 * clay,
            "air_entry_head": -0.01 * 10 ** (1.88 - 0.0131 * sand),
            "saturated_conductivity": 7.0556e-6 * 10 ** (-0.884 + 0.0153 * sand),
        }
        return found if name == "cosby" else soil_hydraulics.to_van_genuchten(found)

    monkeypatch.setattr(soil_hydraulics, "_pedotransfer", parameters)


def build(surface=None, subsurface=None, **domain):
    config = load_case({"surface": surface or {}, "subsurface": subsurface or {}, "domain": domain})
    layers = build_layers(config.domain.layers, config.domain.bedrock_layers)
    return build_surface(config.surface, config.subsurface.retention, build_domain(config.domain), layers)


def test_default_surface():
    surface = build()
    assert surface.patch_types == ("c3_grass",) and surface.patch_fraction.tolist() == [[1.0]]
    assert surface.sand.shape == (20, 1) and set(surface.hydraulic) == {
        "porosity",
        "residual_water",
        "saturated_conductivity",
        "van_genuchten_alpha",
        "van_genuchten_n",
    }


def test_bare_ground_fills_what_plants_leave():
    surface = build(
        {"vegetation": {"patches": [{"type": "c4_grass", "fraction": 0.3}, {"fraction": 0.3, "canopy_top": 0.2}]}}
    )
    assert surface.patch_types == ("c4_grass", "c3_grass", "bare_ground")
    assert surface.patch_fraction[:, 0] == pytest.approx([0.3, 0.3, 0.4]) and surface.patch_fraction.sum() == 1.0
    assert surface.canopy_top[:, 0].tolist() == [0.5, 0.2, 0.5]
    leaves, stems = surface.leaf_area(np.datetime64("2020-06-01"))
    assert leaves[2] == 0.0 and stems[2] == 0.0
    # 1 June lies half-way between the mid-months of May (1.2) and June (3.0), nearly
    assert leaves[0] == pytest.approx(2.1, abs=0.02)


def test_shares_that_differ_from_cell_to_cell(tmp_path):
    path = tmp_path / "cover.nc"
    with netCDF4.Dataset(path, "w") as data:
        data.createDimension("y", 2), data.createDimension("x", 3)
        data.createVariable("crop", "f8", ("y", "x"))[:] = [[0.0, 0.5, 1.0], [0.7, 0.2, 0.0]]
        data.createVariable("grass", "f8", ("y", "x"))[:] = [[0.4, 0.5, 0.0], [0.3, 0.2, 0.0]]
        data.createVariable("wrong", "f8", ("y", "x"))[:] = [[0.4, 1.5, 0.0], [0.3, 0.2, 0.0]]
    grid = {"type": "grid", "nx": 3, "ny": 2}

    def patches(*variables):
        return {"vegetation": {"patches": [
            {"type": kind, "fraction": {"file": str(path), "variable": name} if isinstance(name, str) else name}
            for kind, name in zip(("c3_crop", "c3_grass"), variables, strict=True)]}}

    surface = build(patches("crop", "grass"), **grid)
    assert surface.patch_types == ("c3_crop", "c3_grass", "bare_ground")
    assert surface.patch_fraction[0].tolist() == [0.0, 0.5, 1.0, 0.7, 0.2, 0.0]
    assert surface.patch_fraction[2] == pytest.approx([0.6, 0.0, 0.0, 0.0, 0.6, 1.0])
    assert surface.patch_fraction.sum(axis=0) == pytest.approx(1.0)
    mixed = build(patches("crop", 0.0), **grid).patch_fraction
    assert mixed.shape == (3, 6) and mixed[1].tolist() == [0.0] * 6
    with pytest.raises(InputError, match="exceed 1 together"):
        build(patches("crop", 0.2), **grid)
    with pytest.raises(InputError, match="between 0 and 1"):
        build(patches("wrong", 0.0), **grid)
    assert load_case({"surface": patches("crop", "grass"), "domain": grid}).surface.area_files == [str(path)]
    with pytest.raises(ConfigError, match="no variable"):
        build({"vegetation": {"patches": [{"fraction": {"file": "a.nc"}}]}})


def test_fractions_of_decimals_that_miss_one_by_rounding():
    surface = build({"vegetation": {"patches": [{"fraction": 0.1}, {"fraction": 0.2}, {"fraction": 0.7}]}})
    assert len(surface.patch_types) == 3 and surface.patch_fraction.sum() == pytest.approx(1.0, abs=1e-15)


def test_leaf_area_between_months():
    monthly = [float(month) for month in range(1, 13)]
    surface = build({"vegetation": {"patches": [{"leaf_area_index": monthly}]}})
    at = {
        time: surface.leaf_area(np.datetime64(time))[0][0, 0]
        for time in ("2021-01-16T12", "2021-03-01", "2021-06-16", "2021-01-01", "2021-12-31T23:59:59")
    }
    assert at["2021-01-16T12"] == pytest.approx(1.0)
    assert at["2021-06-16"] == pytest.approx(6.0)
    # 1 March is half a month after mid-February and half a month before mid-March
    assert at["2021-03-01"] == pytest.approx(2.5)
    assert at["2021-01-01"] == pytest.approx(6.5) and at["2021-12-31T23:59:59"] == pytest.approx(6.5, abs=1e-4)


def test_generated_texture_is_smooth_and_fits_and_does_not_depend_on_the_tile():
    texture = {"soil": {"texture": {"generate": {"sand": 70, "clay": 25, "spread": 20, "length": "5 km", "seed": 5}}}}
    config = load_case({"surface": texture, "domain": {"type": "grid", "nx": 12, "ny": 10}})
    domain, layers = build_domain(config.domain), build_layers()
    whole = build_surface(config.surface, "van_genuchten", domain, layers)
    assert (whole.sand + whole.clay <= 100.0).all() and (whole.clay >= 0).all() and whole.sand.std() > 5.0
    tile = build_surface(config.surface, "van_genuchten", domain.subset(slice(30, 70)), layers)
    assert np.array_equal(tile.sand, whole.subset(slice(30, 70)).sand)
    assert np.array_equal(tile.hydraulic["porosity"], whole.hydraulic["porosity"][:, 30:70])


def test_explicit_parameters_replace_the_pedotransfer():
    surface = build({"soil": {"parameters": {"porosity": 0.4, "saturated_conductivity": "86.4 cm/day"}}})
    assert (surface.hydraulic["porosity"] == 0.4).all()
    assert surface.hydraulic["saturated_conductivity"][0, 0] == pytest.approx(1e-5)
    with pytest.raises(InputError, match="residual_water must be smaller than porosity"):
        build({"soil": {"parameters": {"porosity": 0.4, "residual_water": 0.45}}})


def test_profiles_on_their_own_depths():
    surface = build(
        {
            "soil": {
                "texture": {"bottom": [0.1, 0.3], "sand": [20, 60], "clay": [10, 30]},
                "parameters": {"porosity": [0.5, 0.4]},
            }
        },
        layers=[0.1, 0.1, 0.1, 0.5],
    )
    assert surface.sand[:, 0].tolist() == [20, 60, 60, 60]
    assert surface.hydraulic["porosity"][:, 0] == pytest.approx([0.5, 0.4, 0.4, 0.4])


def test_retention_curves_convert_into_each_other():
    vg = build({"soil": {"pedotransfer": "cosby"}})
    ch = build({"soil": {"pedotransfer": "cosby"}}, {"retention": "clapp_hornberger"})
    assert vg.hydraulic["van_genuchten_n"][0, 0] == pytest.approx(1 + 1 / ch.hydraulic["clapp_hornberger_b"][0, 0])
    assert vg.hydraulic["van_genuchten_alpha"][0, 0] == pytest.approx(-1 / ch.hydraulic["air_entry_head"][0, 0])
    back = build({"soil": {"pedotransfer": "rosetta"}}, {"retention": "clapp_hornberger"})
    assert back.hydraulic["clapp_hornberger_b"] == pytest.approx(ch.hydraulic["clapp_hornberger_b"])


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_organic_soil(retention):
    mineral = build({}, {"retention": retention}).hydraulic
    peat = build({"soil": {"texture": {"organic": 1.0}}}, {"retention": retention}).hydraulic
    half = build({"soil": {"texture": {"organic": 0.5}}}, {"retention": retention}).hydraulic
    assert peat["porosity"][0, 0] == pytest.approx(0.93 - 0.1 * 0.02)
    assert peat["saturated_conductivity"][0, 0] == pytest.approx((0.28 - 0.2799 * 0.02) * 1e-3)
    assert half["porosity"][0, 0] == pytest.approx(0.5 * (mineral["porosity"][0, 0] + peat["porosity"][0, 0]))
    assert (mineral["saturated_conductivity"] <= half["saturated_conductivity"] * (1 + 1e-12)).all()
    assert all(np.isfinite(values).all() for values in peat.values())


def test_smooth_field_has_unit_variance_and_the_right_correlation():
    # many seeds at two points 1 length apart: correlation exp(-1)
    x, y = np.array([0.0, 1000.0]), np.zeros(2)
    values = np.array([smooth_field(x, y, 1000.0, seed, "test") for seed in range(2000)])
    assert values.mean() == pytest.approx(0.0, abs=0.06) and values.std() == pytest.approx(1.0, abs=0.04)
    assert np.corrcoef(values.T)[0, 1] == pytest.approx(np.exp(-1.0), abs=0.05)
    assert not np.allclose(smooth_field(x, y, 1e3, 1, "a"), smooth_field(x, y, 1e3, 1, "b"))
