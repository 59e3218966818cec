import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.ensemble.parameter_perturbation import perturb_initial, perturb_parameters

N = 40
MEMBERS = np.arange(30)
X, Y, ID = 1e3 * np.arange(N), np.zeros(N), np.arange(N)


def call(settings, fields, members=MEMBERS, part=slice(None), function=perturb_parameters, **options):
    fields = {name: value[..., part] for name, value in fields.items()}
    return function(settings, 9, members, X[part], Y[part], ID[part], fields, **options)


def test_all_layers_share_the_shift_and_the_factor():
    fields = {"sand": np.full((3, N), 40.0) + np.arange(3)[:, None], "saturated_conductivity": np.full(N, 1e-6)}
    settings = {"sand": {"kind": "add_normal", "std": 5.0},
                "saturated_conductivity": {"kind": "multiply_lognormal", "std": 1.0, "length_scale": 5e3}}
    result = call(settings, fields)
    assert result["sand"].shape == (3, 30, N) and result["saturated_conductivity"].shape == (30, N)
    shift = result["sand"] - fields["sand"][:, None, :]
    assert np.allclose(shift, shift[0], atol=1e-12)
    assert shift[0].std() == pytest.approx(5.0, rel=0.1)
    assert (result["saturated_conductivity"] > 0).all()
    neighbours = np.log(result["saturated_conductivity"])
    assert np.corrcoef(neighbours[:, :-1].ravel(), neighbours[:, 1:].ravel())[0, 1] > 0.9


def test_names_and_sections_are_independent():
    fields = {"a": np.ones(N), "b": np.ones(N)}
    settings = {name: {"kind": "add_normal", "std": 1.0} for name in fields}
    result, initial = call(settings, fields), call(settings, fields, function=perturb_initial)
    for other in (result["b"], initial["a"]):
        assert abs(np.corrcoef(result["a"].ravel(), other.ravel())[0, 1]) < 0.12


def test_split_changes_no_bit_and_control_is_untouched():
    fields = {"porosity": np.linspace(0.3, 0.5, 2 * N).reshape(2, N)}
    settings = {"porosity": {"kind": "add_normal", "std": 0.03, "length_scale": 3e3}}
    whole = call(settings, fields, control=True)["porosity"]
    piece = call(settings, fields, members=np.arange(4, 9), part=slice(7, 19), control=True)["porosity"]
    assert np.array_equal(piece, whole[:, 4:9, 7:19])
    assert np.array_equal(whole[:, 0], fields["porosity"])
    assert not np.array_equal(whole[:, 1], fields["porosity"])


def test_bounds_of_settings_caller_and_default():
    water, porosity = np.full((2, N), 0.38), np.full((2, N), 0.40)
    settings = {"soil_water": {"kind": "add_normal", "std": 0.05}}
    result = call(settings, {"soil_water": water}, function=perturb_initial, bounds={"soil_water": (0.05, porosity)})
    assert result["soil_water"].max() == 0.40 and result["soil_water"].min() >= 0.05
    narrow = {"soil_water": settings["soil_water"] | {"minimum": 0.37, "maximum": 0.39}}
    result = call(narrow, {"soil_water": water}, function=perturb_initial, bounds={"soil_water": (0.05, porosity)})
    assert result["soil_water"].max() == 0.39 and result["soil_water"].min() == 0.37
    clay = call({"clay": {"kind": "add_normal", "std": 10.0}}, {"clay": np.full(N, 2.0)})
    assert clay["clay"].min() == 0.0


def test_sand_and_clay_stay_below_100_percent():
    fields = {"sand": np.full(N, 70.0), "clay": np.full(N, 28.0)}
    result = call({"sand": {"kind": "add_normal", "std": 15.0}}, fields)
    assert (result["sand"] + result["clay"]).max() <= 100.0 + 1e-10
    assert result["clay"].min() < 28.0


def test_unperturbed_fields_are_views():
    result = call({}, {"porosity": np.full(N, 0.4)})
    assert result["porosity"].shape == (30, N) and not result["porosity"].flags.writeable


@pytest.mark.parametrize(
    "settings, message",
    [({"ksat": {"kind": "add_normal", "std": 1.0}}, "'ksat' cannot be perturbed"),
     ({"a": {"std": 1.0}}, "'kind'"), ({"a": {"kind": "normal", "std": 1.0}}, "multiply_lognormal"),
     ({"a": {"kind": "add_normal", "std": 1.0, "foo": 2}}, "unknown key 'foo'"),
     ({"a": {"kind": "add_normal", "std": 1.0, "minimum": 2.0, "maximum": 1.0}}, "minimum")],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        call(settings, {"a": np.ones(N)})


def test_wrong_shape_is_refused():
    with pytest.raises(InputError, match="shape"):
        perturb_parameters({}, 1, [0], X, Y, ID, {"a": np.ones(3)})
