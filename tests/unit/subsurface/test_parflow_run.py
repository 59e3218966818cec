"""ParFlow run definitions: every key in SI units and from the top down, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from parflow_definitions import box, nested, storm, write_pfidb

from pyland.base.errors import InputError
from pyland.subsurface import read_parflow_run, write_pfb

HOUR = 3600.0


@pytest.fixture
def read(tmp_path):
    """Return a function that writes keys as .pfidb and reads the run."""

    def run(keys, **options):
        return read_parflow_run(write_pfidb(tmp_path / "run.pfidb", keys), **options)

    return run


def test_box_in_si_units(read):
    run = read(box())
    settings = run.settings
    assert (settings["nx"], settings["ny"], settings["dx"], settings["dy"]) == (4, 3, 10.0, 20.0)
    np.testing.assert_array_equal(settings["thickness"], [0.5] * 5)
    soil = settings["soil"]
    assert soil["saturated_conductivity"] == pytest.approx(1e-5)  # 0.036 m/h
    assert soil["porosity"] == 0.4 and soil["residual_water"] == pytest.approx(0.04)
    assert (soil["van_genuchten_alpha"], soil["van_genuchten_n"], soil["specific_storage"]) == (2.0, 1.8, 1e-4)
    np.testing.assert_allclose(settings["pressure_head"], [-1.0, -0.5, 0.0, 0.5, 1.0], atol=1e-15)
    assert settings["overland"] == "none" and not run.unsupported
    assert [step[:3] for step in run.steps()] == [(0.0, HOUR, 1), (HOUR, HOUR, 2)]


def test_units_of_length_and_time(read):
    run = read(box(), length="cm", time="s")
    assert run.settings["dx"] == pytest.approx(0.1) and run.timing.end == 2.0
    soil = run.settings["soil"]
    assert soil["saturated_conductivity"] == pytest.approx(0.036e-2)
    assert soil["van_genuchten_alpha"] == pytest.approx(200.0) and soil["specific_storage"] == pytest.approx(1e-2)
    assert run.settings["pressure_head"][0] == pytest.approx(-0.01)


def test_all_forms_of_a_definition_say_the_same(tmp_path):
    keys = box(**{"Cell.0.dzScale.Value": 1.0})
    tree = nested(keys)
    tree["Cell"] = {"_0": {"dzScale": {"Value": 1.0}}}  # as ParFlow's Python tools name it
    (tmp_path / "run.json").write_text(json.dumps(keys))
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tree))
    write_pfidb(tmp_path / "run.pfidb", keys)
    files = [tmp_path / f"run.{form}" for form in ("json", "yaml", "pfidb")]
    reports = {read_parflow_run(file).report().split("\n", 1)[1] for file in files}
    assert len(reports) == 1


def test_layers_turn_over(read, tmp_path):
    values = np.arange(60.0).reshape(5, 3, 4)  # ParFlow's order: layer 0 at the bottom
    write_pfb(tmp_path / "perm.pfb", values + 1.0)
    write_pfb(tmp_path / "press.pfb", values)
    run = read(box(**{
        "Geom.domain.Perm.Type": "PFBFile", "Geom.domain.Perm.FileName": "perm.pfb", "ICPressure.Type": "PFBFile",
        "Geom.domain.ICPressure.FileName": "press.pfb", "Solver.Nonlinear.VariableDz": True, "dzScale.Type": "nzList",
        "dzScale.GeomNames": "domain", "dzScale.nzListNumber": 5,
        **{f"Cell.{k}.dzScale.Value": 1.0 + k for k in range(5)},
    }))
    np.testing.assert_array_equal(run.settings["pressure_head"], values[::-1])
    np.testing.assert_allclose(run.settings["soil"]["saturated_conductivity"], (values[::-1] + 1.0) / HOUR)
    np.testing.assert_array_equal(run.settings["thickness"], 0.5 * np.array([5.0, 4.0, 3.0, 2.0, 1.0]))


def test_indicator_field_lays_units_over_the_background(read, tmp_path):
    indicator = np.zeros((5, 3, 4))
    indicator[4], indicator[0, 0, 0] = 3.0, 7.0
    write_pfb(tmp_path / "units.pfb", indicator)
    run = read(box(**{
        "GeomInput.Names": "box_input units_input", "GeomInput.units_input.InputType": "IndicatorField",
        "GeomInput.units_input.GeomNames": "s3 g7", "Geom.units_input.FileName": "units.pfb",
        "GeomInput.s3.Value": 3, "GeomInput.g7.Value": 7, "Geom.Perm.Names": "domain s3 g7",
        "Geom.s3.Perm.Type": "Constant", "Geom.s3.Perm.Value": 0.36, "Geom.g7.Perm.Type": "Constant",
        "Geom.g7.Perm.Value": 3.6,
    }))
    found = run.settings["soil"]["saturated_conductivity"]
    assert (found[0] == pytest.approx(1e-4)) and found[-1, 0, 0] == pytest.approx(1e-3)
    assert found[1:-1] == pytest.approx(1e-5) and found[-1, 1, 1] == pytest.approx(1e-5)


def test_largest_saturation_scales_the_soil(read):
    run = read(box(Geom__domain__Saturation__SSat=0.9))
    soil = run.settings["soil"]
    assert soil["porosity"] == pytest.approx(0.36) and soil["residual_water"] == pytest.approx(0.04)
    assert soil["specific_storage"] == pytest.approx(0.9e-4)
    assert any("SSat" in note for note in run.notes)


def test_fluxes_count_inwards(read):
    run = read(box(**{f"Patch.{patch}.BCPressure.alltime.Value": 0.0036 for patch in ("x_lower", "x_upper")}))
    values = {series.side: series.value(0.0) for series in run.faces if series.side in ("west", "east")}
    assert values == {"west": pytest.approx(1e-6), "east": pytest.approx(-1e-6)}


def test_hydrostatic_side_has_heads_of_its_layers(read):
    at = "Patch.x_upper.BCPressure"
    run = read(box(**{f"{at}.Type": "DirEquilRefPatch", f"{at}.RefGeom": "domain", f"{at}.RefPatch": "z_lower",
                      f"{at}.alltime.Value": 1.0}))
    (east,) = run.conditions(0.0)["east"]
    assert east["kind"] == "head"
    heads = np.broadcast_to(east["value"], (5, 3))[:, 0]
    np.testing.assert_allclose(heads, 1.0 - np.array([2.25, 1.75, 1.25, 0.75, 0.25]))


def test_rain_follows_its_cycle(read):
    keys = box(Solver__OverlandKinematic__Epsilon=1e-4, TimingInfo__StopTime=7.0)
    run = read(keys | storm("OverlandKinematic", 0.02, 2, 3))
    assert run.settings["overland"] == "kinematic" and run.settings["slope_floor"] == 1e-4
    assert run.settings["manning"] == pytest.approx(5e-6 * HOUR)  # h m-1/3 to s m-1/3
    rain = [run.rain(step.start) * HOUR for step in run.steps()]  # mm
    np.testing.assert_allclose(rain, [20.0, 20.0, 0.0, 0.0, 0.0, 20.0, 20.0])


@pytest.mark.parametrize(
    ("kind", "key", "expected"),
    [("OverlandFlow", 0, "kinematic_cells"), ("OverlandFlow", 1, "diffusive"), ("OverlandDiffusive", 0, "diffusive"),
     ("SeepageFace", 0, "none")],
)
def test_overland_flow_by_type_and_key(read, kind, key, expected):
    run = read(box(OverlandFlowDiffusive=key) | storm(kind, 0.02, 2, 3))
    assert run.settings["overland"] == expected and run.rain(0.0) == pytest.approx(20.0 / HOUR)


def test_steps_end_where_values_change(read):
    run = read(box(TimeStep__Value=3.0, TimingInfo__StopTime=7.0, TimingInfo__DumpInterval=0)
               | storm("OverlandKinematic", 0.02, 2, 3))
    assert [step.length / HOUR for step in run.steps()] == [2.0, 3.0, 2.0]
    assert [step.output for step in run.steps()] == [None] * 3


@pytest.mark.parametrize(
    ("changes", "lengths", "outputs"),
    [
        ({"TimingInfo.DumpInterval": 2.5, "TimingInfo.StopTime": 5.0}, [1, 1, 0.5, 1, 1, 0.5], [0, 0, 1, 0, 0, 2]),
        # counted in steps, ParFlow writes after the first one
        ({"TimingInfo.DumpInterval": -2, "TimingInfo.StopTime": 4.0}, [1, 1, 1, 1], [1, 0, 2, 0]),
        ({"TimingInfo.DumpInterval": -1, "Solver.MaxIter": 2, "TimingInfo.StopTime": 9.0}, [1, 1], [1, 2]),
        ({"TimingInfo.DumpInterval": 3.0, "TimingInfo.StopTime": 3.0, "TimingInfo.StartCount": 4}, [1] * 3, [0, 0, 5]),
        (
            {"TimeStep.Type": "Growth", "TimeStep.InitialStep": 0.5, "TimeStep.GrowthFactor": 2.0,
             "TimeStep.MinStep": 0.1, "TimeStep.MaxStep": 2.0, "TimingInfo.StopTime": 4.5,
             "TimingInfo.DumpInterval": 4.5},
            [0.5, 1, 2, 1], [0, 0, 0, 1],
        ),
    ],
)
def test_steps_and_outputs(read, changes, lengths, outputs):
    steps = list(read(box(**changes)).steps())
    np.testing.assert_allclose([step.length / HOUR for step in steps], lengths)
    assert [step.output or 0 for step in steps] == outputs


def test_no_step_is_a_sliver_of_round_off(read):
    steps = list(read(box(TimeStep__Value=0.1, TimingInfo__StopTime=3.0, TimingInfo__DumpInterval=0.3)).steps())
    assert len(steps) == 30 and [step.output for step in steps if step.output] == list(range(1, 11))


def test_well_pumps_what_it_says(read):
    at = "Wells.pump"
    run = read(box(**{
        "Wells.Names": "pump", f"{at}.InputType": "Vertical", f"{at}.Type": "Flux", f"{at}.Action": "Extraction",
        f"{at}.Method": "Standard", f"{at}.X": 25.0, f"{at}.Y": 30.0, f"{at}.ZLower": 0.75, f"{at}.ZUpper": 1.25,
        f"{at}.Cycle": "constant", f"{at}.alltime.Flux.water.Value": 7.2,
    }))
    source = run.source_at(0.0)
    assert {tuple(place) for place in np.argwhere(source)} == {(3, 1, 2), (2, 1, 2)}
    assert source.sum() * 10.0 * 20.0 == pytest.approx(-7.2 * 1000.0 / HOUR)  # kg s-1


def test_domain_smaller_than_the_grid(read, tmp_path):
    values = np.arange(5 * 4 * 6.0).reshape(5, 4, 6)
    write_pfb(tmp_path / "press.pfb", values)
    run = read(box((6, 4, 5), **{
        "Geom.domain.Lower.X": 10.0, "Geom.domain.Upper.X": 50.0, "Geom.domain.Upper.Y": 60.0,
        "Geom.domain.Upper.Z": 2.0, "ICPressure.Type": "PFBFile", "Geom.domain.ICPressure.FileName": "press.pfb"}))
    assert run.full_shape == (5, 4, 6) and len(run.settings["thickness"]) == 4
    assert (run.settings["nx"], run.settings["ny"]) == (4, 3) and "active" not in run.settings
    np.testing.assert_array_equal(run.settings["pressure_head"], values[:4, :3, 1:5][::-1])


def test_box_beyond_the_grid_has_no_patch_at_the_rim(read):
    run = read(box(Geom__domain__Upper__X=80.0, Patch__x_upper__BCPressure__alltime__Value=1.0))
    assert not [series for series in run.faces if series.side == "east"]
    assert any("x_upper" in note for note in run.notes)


def test_barriers_belong_to_the_face_above_in_parflow(read, tmp_path):
    values = np.ones((5, 3, 4))
    values[2] = 0.25
    write_pfb(tmp_path / "wall.pfb", values)
    run = read(box(**{
        "Solver.Nonlinear.FlowBarrierZ": True, "FBz.Type": "PFBFile", "Geom.domain.FBz.FileName": "wall.pfb"}))
    factor = run.settings["barrier_z"][:, 0, 0]
    np.testing.assert_array_equal(factor, [1.0, 0.25, 1.0, 1.0, 1.0])  # between ParFlow's layers 2 and 3


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Solver.LSM": "CLM"}, "Solver.LSM"),
        ({"Geom.domain.RelPerm.N": 2.5}, "Phase.RelPerm.Type"),
        ({"Reservoirs.Names": "lake"}, "Reservoirs.Names"),
        ({"Solver.EvapTransFileTransient": True}, "Solver.EvapTransFileTransient"),
        ({"OverlandSpinupDampP1": 1.0}, "OverlandSpinupDampP1"),
        ({"Geom.domain.SpecificStorage.Value": 0.0}, "SpecificStorage"),
        ({"Solver.NewPhysics": 1}, "Solver.NewPhysics"),
    ],
)
def test_keys_without_counterpart_are_named(read, changes, named):
    keys = box(**changes)
    with pytest.raises(InputError, match=named.replace(".", r"\.")):
        read(keys)
    run = read(keys, strict=False)
    assert [note for note in run.unsupported if note.key.startswith(named)]
    assert named in run.report()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Solver": "Impes"}, "Solver: expected Richards"),
        ({"Solver": None}, "Solver: expected Richards"),
        ({"Phase.Names": "water oil"}, "one phase"),
        ({"Gravity": 9.81}, "must be 1"),
        ({"ComputationalGrid.NX": None}, r"ComputationalGrid\.NX is missing"),
        ({"TimingInfo.StopTime": -1.0}, r"TimingInfo\.StopTime: expected a time after the start"),
        ({"Geom.domain.Perm.Type": "PFBFile", "Geom.domain.Perm.FileName": "none.pfb"}, "there is no file"),
        ({"Domain.GeomName": "elsewhere"}, "there is no geometry 'elsewhere'"),
        ({"Phase.Saturation.Type": "Haverkamp"}, r"Phase\.Saturation\.Type: expected VanGenuchten"),
        ({"Patch.x_lower.BCPressure.Type": "ExactSolution"}, "ExactSolution"),
    ],
)
def test_wrong_definitions_get_a_sentence(read, changes, words):
    with pytest.raises(InputError, match=words):
        read(box(**changes))


def test_overland_flow_needs_roughness(read):
    keys = box() | storm("OverlandKinematic", 0.02, 2, 3) | {"Mannings.Geom.domain.Value": 0.0}
    with pytest.raises(InputError, match="Mannings"):
        read(keys)


def test_file_of_another_grid(read, tmp_path):
    write_pfb(tmp_path / "perm.pfb", np.ones((5, 3, 3)))
    with pytest.raises(InputError, match=r"expected 5 x 3 x 4 cells .*Geom\.domain\.Perm\.FileName, got 5 x 3 x 3"):
        read(box(**{"Geom.domain.Perm.Type": "PFBFile", "Geom.domain.Perm.FileName": "perm.pfb"}))


@pytest.mark.parametrize("text", ["", "nonsense", "2\n3\nabc\n9\nshort\n"])
def test_broken_database(tmp_path, text):
    file = tmp_path / "run.pfidb"
    file.write_text(text)
    with pytest.raises(InputError, match=r"run\.pfidb"):
        read_parflow_run(file)


def test_report_accounts_for_every_key(read):
    keys = box() | storm("OverlandKinematic", 0.02, 2, 3)
    run = read(keys)
    told = set(run.used) | {note.key for note in (*run.ignored, *run.unsupported)}
    assert told == {name for name, value in keys.items() if value is not None}
    assert "kinematic" in run.report() and "z_upper" in run.report(all_keys=False)


def test_still_water_stays_and_books_nothing(read):
    run = read(box())
    flow = run.build()
    before = flow.pressure.copy()
    for step in run.steps():
        run.apply(flow, step.start)
        flow.advance(step.length, source=run.source_at(step.start), rain=run.rain(step.start))
        run.end_step(flow)
    np.testing.assert_allclose(flow.pressure, before, atol=1e-12)


def test_ponds_are_taken_away_after_a_step(read):
    changes = {"Solver.ResetSurfacePressure": True, "Solver.ResetSurfacePressure.ThresholdPressure": 0.1,
               "Solver.ResetSurfacePressure.ResetPressure": -0.2, "Geom.domain.ICPressure.Value": 1.0}
    run = read(box(**changes))
    flow = run.build()
    flow.advance(1.0)
    run.end_step(flow)
    np.testing.assert_array_equal(flow.pressure[0], -0.2)
    balance = flow.balance
    assert balance["increment"] < 0.0
    assert abs(balance["residual"]) < 1e-9 * balance["storage_subsurface"]


def test_flux_through_a_side_arrives(read):
    run = read(box(Patch__x_lower__BCPressure__alltime__Value=0.0036))  # into the west, 1e-6 m s-1
    flow = run.build()
    flow.advance(HOUR)
    assert flow.balance["boundary_west"] == pytest.approx(1e-6 * HOUR * 2.5 * 60.0, rel=1e-6)
