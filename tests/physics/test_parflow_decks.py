"""Definitions as for ParFlow against what ParFlow v3.15 computed from them (development data set)."""

from __future__ import annotations

import csv

import netCDF4
import numpy as np
import pytest
from parflow_definitions import box, closed, storm, write_pfidb

from pyland.subsurface import read_parflow_run, read_pfb, write_pfb


def advance(run, **changes):
    """Run a definition to its end."""
    flow = run.build(**changes)
    for step in run.steps():
        run.apply(flow, step.start)
        flow.advance(step.length, source=run.source_at(step.start), rain=run.rain(step.start))
        run.end_step(flow)
    return flow


def slopes(tmp_path, x, y):
    """Write slope files and return their keys."""
    keys = {"Solver.TerrainFollowingGrid": True}
    for axis, values in (("X", x), ("Y", y)):
        write_pfb(tmp_path / f"slope{axis}.pfb", values)
        keys |= {f"TopoSlopes{axis}.Type": "PFBFile", f"TopoSlopes{axis}.GeomNames": "domain",
                 f"TopoSlopes{axis}.FileName": f"slope{axis}.pfb"}
    return keys


def parflow(file, name):
    """Return a field of ParFlow from the top down."""
    with netCDF4.Dataset(file) as data:
        return np.asarray(data[name][:])[::-1]


def test_tilted_v_with_soil(shared_data, tmp_path):
    nx, ny, nz = 64, 32, 10
    x = np.where(np.arange(nx) < nx // 2, -0.02, 0.02) * np.ones((ny, 1))
    keys = box((nx, ny, nz), (100.0, 100.0, 0.5), **{
        "Geom.domain.Perm.Value": 0.005, "Geom.domain.Saturation.Alpha": 1.5, "Geom.domain.RelPerm.Alpha": 1.5,
        "Geom.domain.ICPressure.Value": -1.0, "TimingInfo.StopTime": 24.0})
    keys |= storm("OverlandKinematic", 0.02, 4, 100) | slopes(tmp_path, x, np.full((ny, nx), 0.005))
    flow = advance(read_parflow_run(write_pfidb(tmp_path / "v.pfidb", keys)), tolerance=1e-12)
    expected = parflow(shared_data / "subsurface" / "tilted_v_soil_64x32x10.nc", "pressure_head_24h")
    assert np.max(np.abs(flow.pressure - expected)) < 1e-6
    assert flow.pressure.mean() == pytest.approx(2.24990709007, abs=1e-8)


@pytest.mark.slow
def test_richards_in_random_soil(shared_data, tmp_path):
    file = shared_data / "subsurface" / "richards_a_100x100x20.nc"
    with netCDF4.Dataset(file) as data:
        write_pfb(tmp_path / "perm.pfb", data["saturated_conductivity"][:])
        write_pfb(tmp_path / "press.pfb", data["pressure_head_initial"][:])
        spacing = [float(data[axis][1] - data[axis][0]) for axis in "xyz"]
    rain = "Patch.z_upper.BCPressure"
    keys = box((100, 100, 20), spacing, **{
        "Geom.domain.Perm.Type": "PFBFile", "Geom.domain.Perm.FileName": "perm.pfb",
        "Geom.domain.Saturation.N": 2.0, "Geom.domain.RelPerm.N": 2.0, "ICPressure.Type": "PFBFile",
        "Geom.domain.ICPressure.FileName": "press.pfb", "Geom.domain.SpecificStorage.Value": 1e-5,
        "TimingInfo.StopTime": 24.0, "Patch.z_lower.BCPressure.Type": "DirEquilRefPatch",
        "Patch.z_lower.BCPressure.RefGeom": "domain", "Patch.z_lower.BCPressure.RefPatch": "z_lower",
        "Patch.z_lower.BCPressure.alltime.Value": 2.0})
    keys |= storm("FluxConst", 0.005, 6, 100)
    assert keys[f"{rain}.Type"] == "FluxConst"
    flow = advance(read_parflow_run(write_pfidb(tmp_path / "a.pfidb", keys)), tolerance=1e-11)
    assert np.max(np.abs(flow.pressure - parflow(file, "pressure_head_24h"))) < 1e-6


@pytest.mark.slow
def test_little_washita_storm(shared_data, tmp_path):
    static = shared_data / "little_washita" / "static"
    with (static / "subsurface.csv").open() as table:
        units = {row["name"]: row for row in csv.DictReader(table)}
    names = " ".join(units)
    keys = box((41, 41, 50), (1000.0, 1000.0, 2.0), **{
        "GeomInput.Names": "box_input indi_input", "GeomInput.indi_input.InputType": "IndicatorField",
        "GeomInput.indi_input.GeomNames": " ".join(name for name in units if name != "domain"),
        "Geom.indi_input.FileName": str(static / "IndicatorFile_Gleeson.50z.pfb"), "Geom.Perm.Names": names,
        "Geom.Porosity.GeomNames": names, "Phase.Saturation.GeomNames": names, "Phase.RelPerm.GeomNames": names,
        "ICPressure.Type": "PFBFile", "Geom.domain.ICPressure.FileName": str(static / "press.init.pfb"),
        "Geom.domain.SpecificStorage.Value": 1e-5, "TimingInfo.StopTime": 24.0})
    for name, row in units.items():
        at = f"Geom.{name}"
        keys |= {f"{at}.Perm.Type": "Constant", f"{at}.Perm.Value": row["Ksat_m_per_h"],
                 f"{at}.Porosity.Type": "Constant", f"{at}.Porosity.Value": row["porosity"],
                 f"{at}.Saturation.Alpha": row["vg_alpha_per_m"], f"{at}.RelPerm.Alpha": row["vg_alpha_per_m"],
                 f"{at}.Saturation.N": row["vg_n"], f"{at}.RelPerm.N": row["vg_n"],
                 f"{at}.Saturation.SRes": row["Sres"], f"{at}.Saturation.SSat": row["Ssat"]}
        if name != "domain":
            keys[f"GeomInput.{name}.Value"] = row["indicator"]
    keys |= storm("OverlandKinematic", 0.005, 6, 100) | {"Mannings.Geom.domain.Value": 5.52e-6}
    keys |= slopes(tmp_path, *(read_pfb(static / f"LW.slope{axis}.pfb")[0] for axis in "xy"))
    keys |= closed("z_lower")
    flow = advance(read_parflow_run(write_pfidb(tmp_path / "lw.pfidb", keys)))
    file = shared_data / "subsurface" / "little_washita_rain_overlandkinematic.nc"
    away = np.abs(flow.pressure - parflow(file, "pressure_head_24h"))
    # ParFlow cut its first step five times, which shifts ponds of the first hour
    assert away.max() < 1e-3 and np.sqrt(np.mean(away**2)) < 3e-5
    assert abs(flow.balance["residual"]) < 1e-9 * flow.balance["rain"]
