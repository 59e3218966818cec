"""Every file that a run leaves for others keeps the CF conventions (restarts are for pyland alone)."""

import re

import netCDF4
import pytest

from pyland.driver.case import Case

CASE = {
    "case": {"name": "conventions"},
    "time": {"start": "2020-06-01", "end": "2020-06-03", "step": "60 min"},
    "domain": {"type": "grid", "latitude": 40.0, "longitude": 100.0, "nx": 3, "ny": 2, "dx": "2 km", "dy": "1 km",
               "layers": [0.05, 0.1, 0.3], "bedrock_layers": 1},
    "forcing": {"format": "generator", "generator": {"climate": "temperate", "seed": 3}},
    "ensemble": {"size": 3, "perturb": {"initial": {"soil_water": {"kind": "add_normal", "std": 0.03}}}},
    "observations": [{"name": "probe", "depth": [0, 0.05], "error": 0.04, "every": "1 day", "twin": {"seed": 1}}],
    "assimilation": {"filter": "letks", "window": "1 day", "localization": {"radius": "9 km"}, "open_loop": True},
    "output": {"every": "6 h", "members": ["soil_water"],
               "variables": ["soil_water", "soil_temperature", "latent_heat_flux", "snow_mass"]},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cf")
    Case(CASE).run(output=folder)
    found = sorted(path for path in folder.rglob("*.nc") if path.parent.name != "restart")
    assert {"history.nc", "members.nc", "balance.nc", "analysis.nc", "smoothed.nc", "truth.nc"} <= {
        path.name for path in found}
    return found


def test_what_is_written_is_named(files):
    for path in files:
        with netCDF4.Dataset(path) as data:
            assert data.Conventions == "CF-1.11" and data.history and data.title, path.name
            for name, one in data.variables.items():
                about = one.ncattrs()
                if name.endswith("_bounds"):
                    continue
                assert {"standard_name", "long_name"} & set(about), (path.name, name)
                if one.dtype is not str and "flag_values" not in about:
                    assert "units" in about, (path.name, name)
                if getattr(one, "units", "") == "K" and "standard_name" in about:
                    assert one.units_metadata == "temperature: on_scale", (path.name, name)
                known = {*one.dimensions, *getattr(one, "coordinates", "").split(), "area"}
                for over in re.findall(r"(\w+):", re.sub(r"\(.*?\)", "", getattr(one, "cell_methods", ""))):
                    assert over in known, (path.name, name, over)
                for other in getattr(one, "coordinates", "").split():
                    assert other in data.variables, (path.name, name, other)


def test_the_compliance_checker_finds_nothing(files, tmp_path):
    pytest.importorskip("compliance_checker", reason="needs the extra `crosscheck`")
    from compliance_checker.runner import CheckSuite, ComplianceChecker

    CheckSuite.load_all_available_checkers()
    for path in files:
        report = tmp_path / f"{path.name}.txt"
        passed, failed = ComplianceChecker.run_checker(
            str(path), ["cf:1.11"], 0, "strict", output_filename=str(report), output_format="text")
        assert passed and not failed, report.read_text()
