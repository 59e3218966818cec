"""Soil by classes: numbers of ParFlow in SI, layers turned over, files that do not fit."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.domain import build_domain, build_layers, build_surface
from pyland.domain.pfb import write_pfb

NX, NY = 3, 2
TABLE = """indicator,name,Ksat_m_per_h,porosity,vg_alpha_per_m,vg_n,Sres,Ssat,specific_storage_per_m
1,loam,0.036,0.4,3.5,2.0,0.2,1.0,1e-5
22,rock,0.0072,0.5,1.5,2.5,0.1,0.9,2e-6
9,unused,1,0.3,1,2,0,1,1e-4
"""
CLASSES = np.array([[[1, 1, 1], [1, 1, 22]], [[22, 22, 22], [22, 22, 1]]])  # (layer, y, x), the top first


def write(folder, table=TABLE, classes=CLASSES):
    (folder / "soil.csv").write_text(table)
    write_pfb(folder / "soil.pfb", classes, flip=True, dist=False)
    return {"file": str(folder / "soil.pfb"), "table": str(folder / "soil.csv")}


def build(indicator, retention="van_genuchten", layers=(0.5, 1.5)):
    config = load_case({"surface": {"soil": {"indicator": indicator}}, "subsurface": {"retention": retention},
                        "domain": {"type": "grid", "nx": NX, "ny": NY, "layers": list(layers)}})
    return build_surface(config.surface, retention, build_domain(config.domain), build_layers(list(layers), 0))


def test_parameters_by_class_in_si(tmp_path):
    found = build(write(tmp_path)).hydraulic
    rock = (CLASSES == 22).reshape(2, -1)
    for name, (loam, other) in {
        "saturated_conductivity": (1e-5, 2e-6), "porosity": (0.4, 0.45), "residual_water": (0.08, 0.05),
        "van_genuchten_alpha": (3.5, 1.5), "van_genuchten_n": (2.0, 2.5), "specific_storage": (1e-5, 2e-6),
    }.items():
        np.testing.assert_allclose(found[name], np.where(rock, other, loam), rtol=1e-14, err_msg=name)


def test_one_layer_counts_for_all_and_netcdf_is_the_same(tmp_path):
    flat = build(write(tmp_path, classes=CLASSES[:1])).hydraulic
    np.testing.assert_array_equal(flat["porosity"][0], flat["porosity"][1])
    with netCDF4.Dataset(tmp_path / "soil.nc", "w") as file:
        for name, size in (("layer", 2), ("y", NY), ("x", NX)):
            file.createDimension(name, size)
        file.createVariable("classes", "i4", ("layer", "y", "x"))[:] = CLASSES
    other = build({"file": str(tmp_path / "soil.nc"), "variable": "classes", "table": str(tmp_path / "soil.csv")})
    whole = build(write(tmp_path)).hydraulic
    for name, values in whole.items():
        np.testing.assert_array_equal(other.hydraulic[name], values)


def test_table_in_si_by_registry_id(tmp_path):
    table = ("indicator,porosity,saturated_conductivity,clapp_hornberger_b,air_entry_head\n"
             "1,.4,1e-5,4,-.2\n22,.5,2e-6,5,-.3\n")
    found = build(write(tmp_path, table), "clapp_hornberger").hydraulic
    assert set(found) == {"porosity", "saturated_conductivity", "clapp_hornberger_b", "air_entry_head"}
    assert found["clapp_hornberger_b"][0].tolist() == [4, 4, 4, 4, 4, 5]


@pytest.mark.parametrize(("table", "words"), [
    (TABLE.replace("22,rock", "23,rock"), "a line for each class of .*soil.pfb, got none for 22"),
    (TABLE.replace("vg_n", "n"), "unknown column 'n'"),
    (TABLE.replace("indicator", "class"), "unknown column 'class'"),
    (TABLE.replace("0.036", ""), r"soil.csv:2: expected a number for Ksat_m_per_h, got ''"),
    (TABLE.replace("9,unused", "1,unused"), "soil.csv:4: expected a whole number that no other line has"),
    (TABLE.replace("Ksat_m_per_h", "specific_storage"), "specific_storage once, got it in two columns"),
    (TABLE.replace("0.4,3.5", "1.4,3.5"), "porosity"),
    ("\n".join(line.rsplit(",", 5)[0] for line in TABLE.splitlines()), "got no .*van_genuchten_alpha"),
    ("", "no column indicator"),
])
def test_wrong_tables(tmp_path, table, words):
    with pytest.raises(InputError, match=words):
        build(write(tmp_path, table))


def test_files_that_do_not_fit(tmp_path):
    with pytest.raises(InputError, match=r"3 x 2 cells \(x, y\) and 3 layers, or one, .* got 3 x 2 x 2"):
        build(write(tmp_path), layers=(0.5, 0.5, 1.0))
    with pytest.raises(InputError, match="got 2 x 2 x 2"):
        build(write(tmp_path, classes=CLASSES[:, :, :2]))
    with pytest.raises(InputError, match="expected whole numbers"):
        build(write(tmp_path, classes=CLASSES + 0.5))
    with pytest.raises(InputError, match="cannot be read as CSV"):
        build({**write(tmp_path), "table": str(tmp_path / "none.csv")})


def test_little_washita(shared_data):
    """What the tests of the kernel build by hand."""
    from flow_cases import little_washita

    folder = shared_data / "little_washita" / "static"
    config = load_case({"surface": {"soil": {"indicator": {
        "file": str(folder / "IndicatorFile_Gleeson.50z.pfb"), "table": str(folder / "subsurface.csv")}}},
        "domain": {"type": "grid", "nx": 41, "ny": 41, "layers": [2.0] * 50}})
    found = build_surface(config.surface, "van_genuchten", build_domain(config.domain), build_layers([2.0] * 50, 0))
    for name, values in little_washita(shared_data).soil.items():
        np.testing.assert_allclose(found.hydraulic[name].reshape(50, 41, 41), values, rtol=1e-14, err_msg=name)
