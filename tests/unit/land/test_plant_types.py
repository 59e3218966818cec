"""Plant and soil-colour tables."""

import pytest
import yaml

from pyland.base.errors import InputError
from pyland.land.plant_types import plant_parameters, plant_type_names, soil_colour_albedo


def test_numbers_are_clm_numbers():
    assert plant_parameters(13) == plant_parameters("c3_grass")
    assert plant_parameters(14) == plant_parameters("c4_grass")
    assert plant_parameters("15") == plant_parameters("c3_crop")
    assert plant_parameters(1) == plant_parameters("needle_evergreen_temperate")
    assert plant_parameters(17) == plant_parameters("corn_temperate")


def test_the_file_lists_types_by_their_number():
    from importlib import resources

    table = yaml.safe_load(resources.files("pyland.land").joinpath("plant_types.yaml").read_text())["plant_types"]
    assert [entry["number"] for entry in table.values()] == list(range(1, len(table) + 1))


@pytest.mark.parametrize("name", plant_type_names())
def test_values_are_plausible(name):
    p = plant_parameters(name)
    assert -0.4 <= p["leaf_angle"] <= 0.6
    assert 30.0 < p["vcmax25_top"] < 110.0
    assert 0.5 <= p["canopy_top"] <= 35.0
    assert 1.0 < p["medlyn_slope"] < 6.0
    assert p["ball_berry_slope"] == (4.0 if p["is_c4"] else 9.0)
    assert p["is_c4"] == float(name in ("c4_grass", "corn_temperate"))


def test_table_values():
    p = plant_parameters("broadleaf_deciduous_temperate")
    assert (p["leaf_reflectance_vis"], p["leaf_transmittance_nir"], p["stem_reflectance_nir"]) == (0.08, 0.43, 0.49)
    assert (p["vcmax25_top"], p["psi_open"], p["psi_closed"], p["root_beta"]) == (57.7, -35.0, -224.0, 0.966)
    assert soil_colour_albedo(15) == {"dry_vis": 0.18, "dry_nir": 0.29, "saturated_vis": 0.09, "saturated_nir": 0.18}
    assert soil_colour_albedo(1)["dry_nir"] == 0.61


def test_overrides():
    assert plant_parameters("c3_grass", vcmax25_top=50)["vcmax25_top"] == 50.0
    assert plant_parameters("c3_grass")["vcmax25_top"] == 78.2


def test_messages_help():
    with pytest.raises(InputError, match="Did you mean c3_grass.*c4_grass"):
        plant_parameters("C3 grass")
    with pytest.raises(InputError, match="from 1 to 17"):
        plant_parameters(0)
    with pytest.raises(InputError, match="vcmax25.*choose among.*vcmax25_top"):
        plant_parameters("c3_grass", vcmax25=50)
    with pytest.raises(InputError, match="less than 1"):
        plant_parameters("c3_grass", leaf_reflectance_nir=0.7)
    with pytest.raises(InputError, match="must be a number"):
        plant_parameters("c3_grass", canopy_top="high")
    with pytest.raises(InputError, match="1 .light. to 20"):
        soil_colour_albedo(21)
    with pytest.raises(InputError, match="True"):
        plant_parameters(True)
