"""The Basic Model Interface of a case: what a coupler may rely on."""

import numpy as np
import pytest

from pyland.base.errors import InputError

pytest.importorskip("bmipy", reason="needs the extra `bmi`")

from pyland.driver.bmi import PylandBmi  # noqa: E402
from pyland.driver.case import Case  # noqa: E402

CASE = {
    "time": {"start": "2020-06-01", "end": "2020-06-02", "step": "60 min"},
    "domain": {"type": "grid", "latitude": 40.0, "longitude": 100.0, "nx": 3, "ny": 2, "dx": "2 km", "dy": "1 km",
               "layers": [0.05, 0.1, 0.3], "bedrock_layers": 1},
    "forcing": {"format": "generator", "generator": {"climate": "temperate", "seed": 3}},
}


@pytest.fixture(scope="module")
def case_file(tmp_path_factory):
    import yaml

    path = tmp_path_factory.mktemp("bmi") / "case.yaml"
    path.write_text(yaml.safe_dump(CASE), encoding="utf-8")
    return path


@pytest.fixture
def model(case_file):
    bmi = PylandBmi()
    bmi.initialize(str(case_file))
    yield bmi
    bmi.finalize()


def get(bmi, name):
    return bmi.get_value(name, np.empty(bmi.get_var_nbytes(name) // bmi.get_var_itemsize(name)))


def test_clock(model):
    assert (model.get_start_time(), model.get_end_time(), model.get_time_step()) == (0.0, 86400.0, 3600.0)
    model.update()
    assert model.get_current_time() == 3600.0
    model.update_until(4 * 3600.0)
    assert model.get_current_time() == 4 * 3600.0
    for wrong in (3600.0, 4.5 * 3600.0, 90000.0):
        with pytest.raises(InputError, match="update_until"):
            model.update_until(wrong)
    model.update_until(86400.0)
    with pytest.raises(InputError, match="at its end"):
        model.update()


def test_same_bits_as_the_case(model):
    by_hand = Case(CASE).model()
    by_hand.advance(24)
    model.update_until(86400.0)
    for fields, names in ((by_hand.state, ("soil_water", "soil_temperature")), (by_hand.flux, ("latent_heat_flux",))):
        for name in names:
            np.testing.assert_array_equal(get(model, name), fields[name].reshape(-1))


def test_every_variable_can_be_asked_for(model):
    model.update()
    names = set(model.get_input_var_names()) | set(model.get_output_var_names())
    assert {"rain", "soil_water", "latent_heat_flux", "soil_temperature"} <= names
    for name in names:
        grid = model.get_var_grid(name)
        values = get(model, name)
        assert values.size == model.get_grid_size(grid), name
        assert values.nbytes == model.get_var_nbytes(name)
        assert model.get_var_type(name) == "float64" and model.get_var_location(name) == "node"
        assert isinstance(model.get_var_units(name), str)
        np.testing.assert_array_equal(model.get_value_ptr(name), values)
        np.testing.assert_array_equal(model.get_value_at_indices(name, np.empty(2), np.array([1, 0])), values[[1, 0]])


def test_grids(model):
    flat, layered = model.get_var_grid("latent_heat_flux"), model.get_var_grid("soil_water")
    assert model.get_grid_type(flat) == "uniform_rectilinear" and model.get_grid_rank(flat) == 2
    assert list(model.get_grid_shape(flat, np.empty(2, int))) == [2, 3]
    assert list(model.get_grid_spacing(flat, np.empty(2))) == [1000.0, 2000.0]
    assert list(model.get_grid_origin(flat, np.empty(2))) == [-500.0, -2000.0]
    assert model.get_grid_type(layered) == "rectilinear" and model.get_grid_rank(layered) == 3
    assert list(model.get_grid_shape(layered, np.empty(3, int))) == [3, 2, 3]
    np.testing.assert_allclose(model.get_grid_z(layered, np.empty(3)), [0.025, 0.1, 0.3])
    np.testing.assert_allclose(model.get_grid_x(flat, np.empty(3)), [-2000.0, 0.0, 2000.0])
    with pytest.raises(InputError, match="no list of edges"):
        model.get_grid_edge_count(flat)
    with pytest.raises(InputError, match="expected one of 0 to 3"):
        model.get_grid_size(9)


def test_rain_that_a_coupler_sets_falls_once(case_file):
    wet, dry = PylandBmi(), PylandBmi()
    for one in (wet, dry):
        one.initialize(case_file)
        one.set_value("rain", np.zeros(6))
    wet.set_value_at_indices("rain", np.array([4]), np.array([2e-3]))
    stored = []
    for one in (wet, dry):
        one.update()
        thickness = np.repeat([0.05, 0.1, 0.3], 6)
        water = (1000.0 * thickness * get(one, "soil_water")).reshape(3, 6).sum(axis=0)
        stored.append(water + get(one, "surface_water"))
    gain = stored[0] - stored[1]
    assert gain[4] > 5.0  # 7.2 kg m-2 fell, leaves hold a little
    assert np.abs(np.delete(gain, 4)).max() == 0.0
    assert get(wet, "rain").max() < 2e-3  # the next step has the weather of the case again


def test_soil_water_that_is_set_brings_its_heads(model):
    new = get(model, "soil_water") * 0.9
    heads = get(model, "pressure_head")
    model.set_value("soil_water", new)
    np.testing.assert_allclose(get(model, "soil_water"), new)
    assert (get(model, "pressure_head") < heads).all()


def test_wrong_calls_get_a_sentence(model):
    with pytest.raises(InputError, match="expected an array of 6 values, got 5"):
        model.set_value("rain", np.zeros(5))
    with pytest.raises(InputError, match="cannot be set"):
        model.set_value("latent_heat_flux", np.zeros(6))
    with pytest.raises(InputError, match="must lie between"):
        model.set_value("rain", np.full(6, -1.0))
    with pytest.raises(InputError, match="no variable of this model"):
        get(model, "nonsense")
    with pytest.raises(InputError, match="not initialized"):
        PylandBmi().update()
