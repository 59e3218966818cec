from dataclasses import dataclass, field

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.neutrons import cosmic, crns_columns
from pyland.observe.neutrons.operator import FIELDS

THICKNESS = np.array([0.05, 0.1, 0.3, 0.6])


@dataclass
class Scene:
    thickness: np.ndarray = field(default_factory=lambda: THICKNESS)
    settings: dict = field(default_factory=lambda: {"n": 400.0})
    static: dict = field(default_factory=lambda: {
        "porosity": np.array([[0.5, 0.45]] * 4), "clay": np.array([[20.0, 40.0]] * 4)})


def fields():
    rng = np.random.default_rng(1)
    return {"soil_water": rng.uniform(0.1, 0.4, (4, 3, 2)), "soil_ice": rng.uniform(0.0, 0.1, (4, 3, 2)),
            "snow_mass": rng.uniform(0, 30, (3, 2)), "canopy_water": np.full((3, 2), 0.3),
            "canopy_snow": np.zeros((3, 2)), "surface_water": np.full((3, 2), 0.2)}


def test_counts_over_members_and_cells():
    model = fields()
    counts = crns_columns(model, Scene())
    assert counts.shape == (3, 2) and {*model, "patch_fraction"} == set(FIELDS)
    for member in range(3):
        for cell, (porosity, clay) in enumerate([(0.5, 20.0), (0.45, 40.0)]):
            one = cosmic(
                (model["soil_water"] + model["soil_ice"])[:, member, cell], THICKNESS, 2700.0 * (1 - porosity), n=400.0,
                lattice_water=0.001783 * clay, water_above=model["snow_mass"][member, cell] + 0.5).counts
            assert counts[member, cell] == pytest.approx(float(one), rel=1e-12)


def test_leaves_are_those_of_patches():
    model = fields()
    model["canopy_water"] = np.stack([np.full((3, 2), 0.5), np.zeros((3, 2))])
    model["canopy_snow"] = np.zeros((2, 3, 2))
    model["patch_fraction"] = np.stack([np.full((3, 2), 0.6), np.full((3, 2), 0.3)])
    assert crns_columns(model, Scene()) == pytest.approx(crns_columns(fields(), Scene()), rel=1e-12)


def test_settings_come_before_what_the_ground_says():
    model = {"soil_water": fields()["soil_water"]}
    settings = {"n": 400.0, "bulk_density": 1300.0, "lattice_water": 0.05, "organic_water": 0.01, "biomass_water": 2.0,
                "alpha": 0.24, "soil_length": 1080.0, "angles": "half_degree", "extent": 2.0}
    scene = Scene(settings=settings, static={})
    expected = cosmic(model["soil_water"], THICKNESS, 1300.0, n=400.0, lattice_water=0.05, organic_water=0.01,
                      water_above=2.0, alpha=0.24, soil_length=1080.0, angles="half_degree", extent=2.0).counts
    assert (crns_columns(model, scene) == expected).all()
    with_organic = Scene(static={"bulk_density": np.array([1300.0, 1300.0]), "clay": 20.0, "organic": 0.1})
    without = Scene(static={"bulk_density": np.array([1300.0, 1300.0]), "clay": 20.0})
    assert (crns_columns(model, with_organic) < crns_columns(model, without)).all()


@pytest.mark.parametrize(("scene", "words"), [
    (Scene(settings={}), "'n' is missing"),
    (Scene(settings={"n": 400.0, "n0": 1.0}), "unknown setting 'n0'"),
    (Scene(static={"clay": 20.0}), "bulk density of the ground is not known"),
    (Scene(static={"porosity": 0.5}), "clay of the ground is not known"),
])
def test_what_is_missing_is_told(scene, words):
    with pytest.raises(InputError, match=words):
        crns_columns(fields(), scene)


def test_without_soil_water_there_is_nothing_to_count():
    with pytest.raises(InputError, match="soil_water"):
        crns_columns({}, Scene())
