"""Land files of ParFlow-CLM: what is read, what it becomes, and files that are wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from pyland.base.errors import ConfigError, InputError
from pyland.config import load_case
from pyland.domain import build_domain, build_layers, build_surface
from pyland.domain.parflow_cover import read_cover
from pyland.domain.parflow_land import (
    control_moment,
    control_number,
    read_clm_control,
    read_vegetation_map,
    read_vegetation_parameters,
)
from pyland.domain.surface import mean_lake_depth, other_surfaces

NX, NY = 3, 2
HEADER = " x y lat lon sand clay color fractional coverage\n      (Deg) (Deg) (%/100) index 1 2 ...\n"
PARAMETERS = {
    "itypwat": [1] * 10 + [5, 1, 1, 1, 2, 1, 3, 1],
    "lai": [6.0] * 9 + [2.0] + [6.0] * 4 + [0.0, 6.0, 0.0, 0.0],
    "lai0": [5.0] * 9 + [0.5] * 9,
    "sai": [2.0] * 9 + [4.0] * 9,
    "z0m": [1.0] * 9 + [0.03] * 9,
    "displa": [11.0] * 9 + [0.3] * 9,
    "roota": [7.0] * 9 + [1.0] * 9,
    "rootb": [2.0] * 9 + [2.5] * 9,
    "rhol_vis": [0.07] * 9 + [0.11] * 5 + [-99.0, 0.09, -99.0, -99.0],
    "xl": [0.01] * 9 + [-0.3] * 9,
}


def write_parameters(folder, **changes):
    path = folder / "drv_vegp.dat"
    rows = {**PARAMETERS, **changes}
    path.write_text("! IGBP\n" + "".join(f"{name}   some words\n{' '.join(map(str, row))}\n!\n"
                                         for name, row in rows.items() if row is not None))
    return path


def write_map(folder, shares, nx=NX, ny=NY, colour=2):
    """Write shares {class: part} of cells, x fastest; sand and clay differ from cell to cell."""
    path, lines = folder / "drv_vegm.dat", [HEADER]
    for number, share in enumerate(shares):
        row = [share.get(kind, 0) for kind in range(1, 19)]
        lines.append(f"{number % nx + 1} {number // nx + 1} 34.75 -98.14 0.1{number} 0.26 {colour} "
                     f"{' '.join(map(str, row))}\n")
    path.write_text("".join(lines))
    return path


ONE_CLASS = [{10: 1}, {9: 1}, {12: 1}, {10: 1}, {4: 1}, {18: 1}]


def surface_of(tmp_path, shares, latitude=35.0, parflow=None, changes=None, cells=None):
    section = {"map": str(write_map(tmp_path, shares)), **(parflow or {}),
               "parameters": str(write_parameters(tmp_path, **(changes or {})))}
    config = load_case({"surface": {"vegetation": {"parflow": section}},
                        "domain": {"type": "grid", "nx": NX, "ny": NY, "latitude": latitude, "layers": [0.1, 0.9]}})
    domain = build_domain(config.domain)
    domain = domain if cells is None else domain.subset(cells)
    layers = build_layers(config.domain.layers, 0)
    return build_surface(config.surface, "van_genuchten", domain, layers), domain, config


def plants_of(surface, patch=0):
    return [surface.patch_types[kind] for kind in surface.patch_kind[patch]]


def test_one_class_per_cell_is_one_patch_of_different_plants(tmp_path):
    surface, _, _ = surface_of(tmp_path, ONE_CLASS)
    assert surface.npatch == 1 and (surface.patch_fraction == 1.0).all()
    assert plants_of(surface) == ["c3_grass", "c3_grass", "c3_crop", "c3_grass", "broadleaf_deciduous_temperate",
                                  "bare_ground"]
    leaves, stems = surface.leaf_area(np.datetime64("1998-01-10"))
    np.testing.assert_allclose(leaves, [[2.0, 6.0, 6.0, 2.0, 6.0, 0.0]])
    np.testing.assert_allclose(stems, [[4.0, 2.0, 4.0, 4.0, 2.0, 0.0]])
    np.testing.assert_allclose(surface.canopy_top[0], [0.45, 16.5, 0.45, 0.45, 16.5, 0.5])
    np.testing.assert_allclose(surface.canopy_bottom[0, 4], 16.5 * 11.5 / 20.0)
    grass = surface.plant_parameters[surface.patch_kind[0, 0]]
    # ParFlow's roughness and displacement come back
    assert grass["roughness_ratio"] * 0.45 == pytest.approx(0.03)
    assert grass["displacement_ratio"] * 0.45 == pytest.approx(0.3)
    assert (grass["leaf_reflectance_vis"], grass["leaf_angle"]) == (0.11, -0.3)
    assert surface.root_profile[surface.patch_kind[0, 0]] == (1.0, 2.5)
    np.testing.assert_allclose(surface.sand[:, 4], 14.0)
    assert surface.soil_colour.tolist() == [13] * 6
    assert not any(share.any() for share in surface.other.values())


def test_a_tile_has_the_plants_of_the_whole(tmp_path):
    shares = [{10: 0.7, 12: 0.3}, *ONE_CLASS[1:]]
    whole, _, _ = surface_of(tmp_path, shares)
    tile, _, _ = surface_of(tmp_path, shares, cells=slice(1, 4))
    assert whole.npatch == tile.npatch == 2
    part = whole.subset(slice(1, 4))
    assert plants_of(part) == plants_of(tile)
    for name in ("patch_fraction", "monthly_leaf_area", "canopy_top", "sand"):
        np.testing.assert_array_equal(getattr(part, name), getattr(tile, name))
    np.testing.assert_allclose(whole.patch_fraction[:, 0], [0.7, 0.3])
    np.testing.assert_allclose(whole.patch_fraction[:, 1], [1.0, 0.0])


def test_no_more_than_four_classes_of_a_cell(tmp_path):
    cell = {1: 0.05, 4: 0.35, 7: 0.1, 9: 0.2, 10: 0.3}
    surface, _, _ = surface_of(tmp_path, [cell] * 6)
    assert surface.npatch == 4
    np.testing.assert_allclose(surface.patch_fraction[:, 0], np.array([0.35, 0.3, 0.2, 0.1]) / 0.95)


@pytest.mark.parametrize(("latitude", "names"), [(10.0, ("c4_grass", "broadleaf_deciduous_tropical")),
                                                 (60.0, ("c3_arctic_grass", "broadleaf_deciduous_boreal"))])
def test_climate_chooses_within_a_class(tmp_path, latitude, names):
    surface, _, _ = surface_of(tmp_path, ONE_CLASS, latitude=latitude)
    assert (plants_of(surface)[0], plants_of(surface)[4]) == names


def test_types_and_ground_temperature_of_the_case(tmp_path):
    options = {"types": {10: "c4_grass"}, "ground_temperature": [298.0 - 25.0] + [288.0] * 10 + [310.0]}
    surface, _, _ = surface_of(tmp_path, ONE_CLASS, parflow=options)
    assert plants_of(surface)[:2] == ["c4_grass", "c3_grass"]
    # clm_dynvegpar.F90: 25 K below 298 K is winter, at 288 K 0.16 of the way
    np.testing.assert_allclose(surface.monthly_leaf_area[[0, 1, 11], 0, 0], [0.5, 2.0 - 0.16 * 1.5, 2.0])


def test_plant_parameters_of_the_case_go_before_all(tmp_path):
    options = {"plant_parameters": {"vcmax25_top": 33, "leaf_angle": 0.2, "root_beta": 0.9}}
    surface, _, _ = surface_of(tmp_path, ONE_CLASS, parflow=options)
    for kind in surface.patch_kind[0, :5]:
        assert surface.plant_parameters[kind].items() >= options["plant_parameters"].items()
        assert surface.root_profile[kind] is None


def test_photosynthesis_of_parflow_clm(tmp_path):
    """All classes are C3 with 33 umol m-2 s-1 in the mean over their leaves, which is more at the top."""
    section = {"map": str(write_map(tmp_path, ONE_CLASS)), "parameters": str(write_parameters(tmp_path)),
               "photosynthesis": "parflow_clm"}
    case = {"surface": {"vegetation": {"parflow": section}}, "domain": {"type": "grid", "nx": NX, "ny": NY,
                                                                        "latitude": 10.0}}
    with pytest.raises(ConfigError, match=r"land.stomata: expected ball_berry with photosynthesis: parflow_clm"):
        load_case(case)
    config = load_case({**case, "land": {"stomata": "ball_berry"}})
    layers = build_layers(config.domain.layers, 0)
    surface = build_surface(config.surface, "van_genuchten", build_domain(config.domain), layers)
    for kind, area in ((surface.patch_kind[0, 0], 2.0), (surface.patch_kind[0, 1], 6.0)):
        plant = surface.plant_parameters[kind]
        depth = np.linspace(0.0, area, 20001)
        assert np.mean(plant["vcmax25_top"] * np.exp(-0.3 * depth)) == pytest.approx(33.0, rel=1e-4)
        assert (plant["is_c4"], plant["ball_berry_slope"], plant["ball_berry_intercept"]) == (0.0, 7.0, 2000.0)
        assert surface.patch_types[kind] == "c4_grass"


def test_ice_lakes_and_wetlands_become_surfaces(tmp_path):
    shares = [{17: 1}, {10: 0.5, 17: 0.5}, {11: 0.25, 15: 0.25, 9: 0.5}, *ONE_CLASS[3:]]
    surface, domain, config = surface_of(tmp_path, shares)
    np.testing.assert_allclose(surface.other["lake"][:3], [1.0, 0.5, 0.0])
    np.testing.assert_allclose(surface.other["wetland"][:3], [0.0, 0.0, 0.25])
    np.testing.assert_allclose(surface.other["glacier"][:3], [0.0, 0.0, 0.25])
    np.testing.assert_allclose(surface.patch_fraction.sum(axis=0), 1.0)
    assert plants_of(surface)[:3] == ["bare_ground", "c3_grass", "c3_grass"]
    assert set(other_surfaces(config.surface, domain)) == {"glacier", "lake", "wetland"}
    assert mean_lake_depth(config.surface, domain) == pytest.approx(10.0)


def test_facts_say_what_is_used(tmp_path):
    section = surface_of(tmp_path, ONE_CLASS, changes={"irrig": [0] * 9 + [1] * 9, "vw": [1] * 18})[2].surface
    domain = build_domain(load_case({"domain": {"type": "grid", "nx": NX, "ny": NY}}).domain)  # 43 N
    facts = read_cover(section.vegetation.parflow, domain).facts
    assert "10 grasslands 33.3 % as c3_grass" in facts["land cover"]
    assert "z0m" in facts["from drv_vegp"] and "vw" in facts["from drv_vegp"].split("; ", 1)[1]
    assert "irrig of class 10, 12, 18 is not taken over" in facts["from drv_vegp"]
    assert "lai0 needs ground_temperature" in facts["from drv_vegp"]


@pytest.mark.parametrize(("shares", "words"), [
    (ONE_CLASS[:5], "a line for each of 3 x 2 cells of the domain, got 5"),
    ([{10: 0.5}] + ONE_CLASS[1:], "shares of the classes sum to 1, got 0.5 in cell x 1, y 1"),
    ([*ONE_CLASS[:5], {10: 1.5, 9: -0.5}], "shares of at least 0, got -0.5 in cell x 3, y 2"),
])
def test_wrong_maps(tmp_path, shares, words):
    with pytest.raises(InputError, match=words):
        surface_of(tmp_path, shares)


def test_broken_map(tmp_path):
    path = write_map(tmp_path, ONE_CLASS)
    text = path.read_text()
    path.write_text(text.replace("-98.14 0.11", "0.11"))
    with pytest.raises(InputError, match=r"drv_vegm.dat:4: expected x, y, .* got 24"):
        read_vegetation_map(path)
    path.write_text(text.replace("34.75", "north"))
    with pytest.raises(InputError, match="expected numbers below the header"):
        read_vegetation_map(path)
    path.write_text(text.replace(" 0.26 2 ", " 0.26 9 "))
    with pytest.raises(InputError, match="soil colour of 1 to 8, got 9"):
        read_vegetation_map(path)
    path.write_text(HEADER)
    with pytest.raises(InputError, match="drv_vegm.dat: expected a line per cell"):
        read_vegetation_map(path, (2, 3))
    with pytest.raises(InputError, match="nowhere: the file cannot be read"):
        read_vegetation_map(tmp_path / "nowhere")


@pytest.mark.parametrize(("changes", "words"), [
    ({"z0m": None}, "got no z0m"),
    ({"sai": [1.0] * 17}, "expected 18 numbers of 'sai', one per class, got 17"),
    ({"sai": ["x"] * 18}, "expected the numbers of 'sai'"),
    ({"rhol_vis": [1.7] * 18}, "drv_vegp.dat: class 4: leaf_reflectance_vis must lie"),
])
def test_wrong_parameters(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        surface_of(tmp_path, ONE_CLASS, changes=changes)


def test_parameters_of_other_classes(tmp_path):
    with pytest.raises(InputError, match="numbers of 18 classes as in .* got 3"):
        surface_of(tmp_path, ONE_CLASS, changes={name: row[:3] for name, row in PARAMETERS.items()})


def test_little_washita(shared_data):
    folder = shared_data / "little_washita" / "clm"
    found = read_vegetation_map(folder / "drv_vegm.alluv.dat")
    assert found.fraction.shape == (18, 41, 41)
    assert {n + 1: int(part.sum()) for n, part in enumerate(found.fraction) if part.any()} == {
        3: 18, 9: 399, 10: 1098, 12: 166}
    assert (found.sand == 0.16).all() and (found.clay == 0.26).all() and (found.colour == 2).all()
    table = read_vegetation_parameters(folder / "drv_vegp.dat")
    assert len(table) == 20 and {row.size for row in table.values()} == {18}
    assert (table["lai"][9], table["sai"][9], table["rootb"][9], table["taus_nir"][11]) == (2.0, 4.0, 2.5, 0.38)
    control = read_clm_control(folder / "drv_clmin.dat")
    assert control_moment(control, "s", "x") == datetime(1998, 10, 1, 5)
    assert control_moment(control, "e", "x") == datetime(1999, 10, 1, 4) and control_moment({}, "s", "x") is None
    with pytest.raises(InputError, match="x: syr, smo, sda, shr, smn, sss are no date"):
        control_moment({**control, "smo": "13"}, "s", "x")
    assert control_number(control, "t_ini", "x") == 300.0 and control_number(control, "forc_hgt_u", "x") == 10.0
    assert control_number(control, "qflx_tran_vegmx", "x") is None and control["vegtf"] == "drv_vegm.alluv.dat"
    with pytest.raises(InputError, match="expected a number for metf1d, got 'narr_1hr.dat'"):
        control_number(control, "metf1d", "x")


def test_masked_cells_do_not_count(tmp_path):
    write_map(tmp_path, [{17: 1}, {1: 0.2, 4: 0.8}, *ONE_CLASS[2:]])
    config = load_case({"surface": {"vegetation": {"parflow": {
        "map": str(tmp_path / "drv_vegm.dat"), "parameters": str(write_parameters(tmp_path))}}},
        "domain": {"type": "grid", "nx": NX, "ny": NY}})
    domain = build_domain(config.domain)
    mask = np.array([[False, False, True], [True, True, True]])
    cover = read_cover(config.surface.vegetation.parflow, replace(domain.subset(np.arange(2, 6)), mask=mask))
    assert cover.patches["patch_kind"].shape == (1, 4) and "lake_fraction" not in cover.fields
