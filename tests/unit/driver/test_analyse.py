"""`pyland analyse`: PDAF's offline case as netCDF, structure of the output, operators by configuration, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_local
from pyland.base.errors import InputError
from pyland.config.messages import all_keys
from pyland.config.offline_analysis import AnalysisSettings
from pyland.driver.commands.analyse import analyse_files

NY, NX = 18, 36
FORGET = 0.8
PDAF = {"localisation.radius": 5.0, "localisation.taper": "none", "inflation": 1 / np.sqrt(FORGET)}


def write_ensemble(path, members, *, names=("y", "x"), axes=None, **extra):
    """Write members (member, y, x) of a variable `field` and others (member, ..., y, x) on axes."""
    axes = (np.arange(1.0, members.shape[1] + 1), np.arange(1.0, members.shape[2] + 1)) if axes is None else axes
    with netCDF4.Dataset(path, "w") as file:
        file.title = "an ensemble"
        file.createDimension("member", len(members))
        for name, axis in zip(names, axes, strict=True):
            file.createDimension(name, axis.size)
            file.createVariable(name, "f8", (name,))[:] = axis
        file.createVariable("member", "i4", ("member",))[:] = np.arange(len(members)) + 1
        variable = file.createVariable("field", "f8", ("member", *names))
        variable.setncatts({"units": "K", "long_name": "a field"})
        variable[:] = members
        for name, (dims, values) in extra.items():
            for dim, size in zip(dims, values.shape, strict=True):
                if dim not in file.dimensions:
                    file.createDimension(dim, size)
            file.createVariable(name, values.dtype.str[1:], dims)[:] = values
    return path


def write_observations(path, columns, words=None, **attributes):
    """Write columns of numbers and of words (obs,)."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("obs", len(next(iter(columns.values()))))
        for name, values in columns.items():
            file.createVariable(name, "f8", ("obs",), fill_value=-999.0)[:] = values
        for name, values in (words or {}).items():
            file.createVariable(name, str, ("obs",))[:] = np.array(values, dtype=object)
        file["value"].setncatts(attributes)
    return path


@pytest.fixture(scope="module")
def pdaf(shared_data):
    """Inputs of PDAF's offline case: members (member, y, x), truth, observations of types A and B as columns."""
    folder = shared_data / "pdaf_verification"
    inputs = folder / "inputs_offline_18x36"
    members = np.array([np.loadtxt(inputs / f"ens_{k}.txt") for k in range(1, 9)])
    rows = {}
    for name, file in (("A", "obs.txt"), ("B", "obsB.txt")):
        values = np.loadtxt(inputs / file)
        y, x = np.nonzero(values > -900)
        rows[name] = {"value": values[y, x], "error": np.full(y.size, 0.5), "y": y + 1.0, "x": x + 1.0}
    return {"members": members, "rows": rows, "truth": np.loadtxt(inputs / "true.txt"),
            "reference": np.load(folder / "offline_reference.npz")}  # fmt: skip


def joined(pdaf, names):
    columns = {key: np.concatenate([pdaf["rows"][name][key] for name in names]) for key in pdaf["rows"]["A"]}
    words = {"type": [name for name in names for _ in pdaf["rows"][name]["value"]]}
    return columns, words


def read(path, name):
    with netCDF4.Dataset(path) as file:
        return np.ma.filled(file[name][:], np.nan)


@pytest.mark.parametrize("names, case, rmse", [
    ("A", "offline_2D_ftype5s0", 0.71012721), ("AB", "offline_2D_obsAB_ftype5s0", 0.60800719),
])  # fmt: skip
@pytest.mark.parametrize("as_files", [False, True])
def test_pdaf_letkf(tmp_path, pdaf, names, case, rmse, as_files):
    """Means of PDAF v3.0 and the RMSE of its table, from one file and from one file per member."""
    if as_files:
        for k, member in enumerate(pdaf["members"]):
            path = write_ensemble(tmp_path / f"all_{k}.nc", member[None])
            with netCDF4.Dataset(path) as source, netCDF4.Dataset(tmp_path / f"ens_{k + 5}.nc", "w") as file:
                for axis in ("y", "x"):
                    file.createDimension(axis, source[axis].size)
                    file.createVariable(axis, "f8", (axis,))[:] = source[axis][:]
                file.createVariable("field", "f8", ("y", "x"))[:] = member
        sources = [tmp_path / "ens_*.nc"]
    else:
        sources = [write_ensemble(tmp_path / "ens.nc", pdaf["members"])]
    observations = write_observations(tmp_path / "obs.nc", *joined(pdaf, names))
    text = analyse_files(sources, observations, tmp_path / "out.nc", changes=PDAF)
    mean = read(tmp_path / "out.nc", "field_mean")
    np.testing.assert_allclose(mean, pdaf["reference"][f"{case}/state_ana"], rtol=0, atol=1e-10)
    assert np.sqrt(((mean - pdaf["truth"]) ** 2).mean()) == pytest.approx(rmse, abs=1e-8)
    members = read(tmp_path / "out.nc", "field")
    assert members.shape == (8, NY, NX)
    np.testing.assert_allclose(members.mean(0), mean, rtol=0, atol=1e-13)
    np.testing.assert_allclose(read(tmp_path / "out.nc", "field_increment"), mean - pdaf["members"].mean(0), atol=1e-13)
    np.testing.assert_allclose(read(tmp_path / "out.nc", "field_std"), members.std(0, ddof=1), atol=1e-13)
    assert text.splitlines()[1].strip() == "A: 36 used"
    if as_files:  # by number, not by letter: ens_5 to ens_12
        assert read(tmp_path / "out.nc", "member_file").tolist() == [f"ens_{k}.nc" for k in range(5, 13)]
        y, x = np.unravel_index(0, (NY, NX))
        assert np.corrcoef(members[:, y, x], pdaf["members"][:, y, x])[0, 1] > 0.5


def test_pdaf_etkf_on_the_command_line(tmp_path, pdaf, command):
    ensemble = write_ensemble(tmp_path / "ens.nc", pdaf["members"])
    observations = write_observations(tmp_path / "obs.nc", *joined(pdaf, "A"))
    out = tmp_path / "out.nc"
    code, text, error = command("analyse", ensemble, observations, "-o", out, "--method", "etkf", "--inflation",
                                1 / np.sqrt(FORGET))  # fmt: skip
    assert (code, error) == (0, "")
    reference = np.array([pdaf["reference"][f"offline_2D_ftype4s0/ens_{k:02d}_ana"] for k in range(1, 9)])
    np.testing.assert_allclose(read(out, "field"), reference, rtol=0, atol=1e-10)
    assert "8 members of field (648 values each), 36 observations assimilated" in text


@pytest.mark.parametrize("method, rmse", [("letkf", 0.71012721), ("lensrf", 0.73667450)])
def test_the_tutorial_of_the_guide(tmp_path, shared_data, monkeypatch, method, rmse):
    """The code of docs/from_pdaf.md gives the numbers of PDAF, for a serial filter in its order of observations."""
    guide = (Path(__file__).parents[3] / "docs" / "from_pdaf.md").read_text(encoding="utf-8")
    code = guide.split("```python")[1].split("```")[0]
    folder = shared_data / "pdaf_verification" / "inputs_offline_18x36"
    for file in folder.glob("*.txt"):
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "from_pdaf.md", "exec"), {})
    analyse_files(["ens.nc"], "obs.nc", "out.nc", changes={**PDAF, "method": method})
    mean = read("out.nc", "field_mean")
    assert np.sqrt(((mean - np.loadtxt("true.txt")) ** 2).mean()) == pytest.approx(rmse, abs=1e-8)


def random_case(tmp_path, seed=0, nlayer=3, **options):
    """Write 10 members of `field` (y, x) and `water` (layer, y, x) on latitudes and longitudes."""
    rng = np.random.default_rng(seed)
    axes = (50.0 - 0.5 * np.arange(6), 5.0 + 0.5 * np.arange(7))
    members = rng.standard_normal((10, 6, 7))
    water = 0.3 + 0.05 * rng.standard_normal((10, nlayer, 6, 7))
    extra = {"water": (("member", "layer", "lat", "lon"), water),
             "depth": (("layer",), np.array([0.05, 0.2, 0.65])[:nlayer]),
             "mask": (("lat", "lon"), rng.integers(0, 2, (6, 7)).astype("i2"))} | options  # fmt: skip
    path = write_ensemble(tmp_path / "ens.nc", members, names=("lat", "lon"), axes=axes, **extra)
    return path, axes, members, water


def test_structure_is_kept(tmp_path):
    ensemble, axes, members, water = random_case(tmp_path)
    observations = write_observations(
        tmp_path / "obs.nc",
        {"value": [0.5, np.nan, 0.1], "error": [0.3] * 3, "lat": [49.5, 49.0, 60.0], "lon": [6.0, 6.5, 7.0]},
        {"variable": ["field"] * 3}, units="K")  # fmt: skip
    out = tmp_path / "out.nc"
    analyse_files([ensemble], observations, out, changes={"localisation.radius": 150e3})
    with netCDF4.Dataset(ensemble) as before, netCDF4.Dataset(out) as after:
        assert after.title == "an ensemble"
        assert after["field"].long_name == "a field"
        for name in before.variables:
            assert after[name].dimensions == before[name].dimensions
            assert after[name].dtype == before[name].dtype
        np.testing.assert_array_equal(after["mask"][:], before["mask"][:])
        assert "ens.nc sha256:" in after.analysis_input_checksums
        assert json.loads(after.analysis_settings)["localisation"]["radius"] == 150e3
        assert after["obs_flag"].flag_meanings.split()[4] == "outside_domain"
        assert after["obs_flag"][:].tolist() == [0, 1, 4]
        assert after["obs_value"].units == "K"
    # water shares the local analysis of its column
    E = np.concatenate([members.reshape(10, -1), water.reshape(10, -1)], axis=1)
    places = np.array([(y, x) for y in axes[0] for x in axes[1]])
    cell = 7 * 1 + 2
    expected = analyse_local(E, E[:, [cell]], [0.5], [0.09], places, [[49.5, 6.0]], 150e3, metric="haversine",
                             domain_of_state=np.tile(np.arange(42), 4))  # fmt: skip
    np.testing.assert_array_equal(read(out, "field").reshape(10, -1), expected[:, :42])
    np.testing.assert_array_equal(read(out, "water").reshape(10, -1), expected[:, 42:])
    np.testing.assert_allclose(read(out, "obs_residual")[0], 0.5 - expected[:, cell].mean(), rtol=1e-13)
    # the analysis is an ensemble of its own
    again = tmp_path / "again.nc"
    analyse_files([out], observations, again, changes={"localisation.radius": 150e3})
    assert set(netCDF4.Dataset(again).variables) == set(netCDF4.Dataset(out).variables)


def test_layers_sensors_and_units_of_the_configuration(tmp_path):
    """A satellite with a Gaussian footprint and a fading signal, probes at depths, and a withheld type."""
    ensemble, axes, members, water = random_case(tmp_path)
    observations = write_observations(
        tmp_path / "obs.nc",
        {"value": [0.35, 0.28, 0.3, 0.2], "error": [0.04] * 4, "lat": [48.7, 49.0, 49.0, 48.5],
         "lon": [6.3, 6.5, 6.5, 5.5], "depth": [np.nan, 0.05, 0.2, np.nan], "quality": [0, 0, 3, 0]},
        {"type": ["satellite", "probe", "probe", "screen"]})  # fmt: skip
    config = tmp_path / "analysis.yaml"
    config.write_text("""
method: etkf
variables: [field, water]
bounds: {water: [0.0, 0.31]}
observations:
  - {type: satellite, variable: water, sensor: gaussian, width: 80000, fading_depth: 5 cm, error: 0.03}
  - {type: probe, variable: water, sensor: linear}
  - {type: screen, variable: field, assimilate: false}
""")
    out = tmp_path / "out.nc"
    text = analyse_files([ensemble], observations, out, config=config)
    places = np.radians([(y, x) for y in axes[0] for x in axes[1]])
    here = np.radians([48.7, 6.3])
    angle = np.arccos(np.sin(here[0]) * np.sin(places[:, 0])
                      + np.cos(here[0]) * np.cos(places[:, 0]) * np.cos(places[:, 1] - here[1]))  # fmt: skip
    s = angle * 6.37122e6 / 80e3
    footprint = np.where(s <= 1, 0.5 ** (4 * s**2), 0)
    depth = np.array([0, 0.1, 0.3, 1.0])
    share = np.exp(-depth[:-1] / 0.05) - np.exp(-depth[1:] / 0.05)
    flat = water.reshape(10, 3, 42)
    seen = np.einsum("l,mlc,c->m", share / share.sum(), flat, footprint / footprint.sum())
    E = np.concatenate([members.reshape(10, -1), water.reshape(10, -1)], axis=1)
    Y = np.column_stack([seen, flat[:, 0, 2 * 7 + 3]])
    expected = analyse(E, Y, [0.35, 0.28], [0.03**2, 0.04**2], method="etkf")
    limited = expected[:, 42:].clip(0.0, 0.31)
    assert (limited != expected[:, 42:]).any()
    # 1e-10: the arc cosine of the oracle loses digits near the centre
    np.testing.assert_allclose(read(out, "field").reshape(10, -1), expected[:, :42], rtol=0, atol=1e-10)
    np.testing.assert_allclose(read(out, "water").reshape(10, -1), limited, rtol=0, atol=1e-10)
    assert read(out, "obs_flag").tolist() == [0, 0, 3, 10]
    assert read(out, "obs_type").tolist() == ["satellite", "probe", "probe", "screen"]
    np.testing.assert_allclose(read(out, "obs_innovation")[3], 0.2 - members[:, 3, 1].mean(), rtol=1e-12)
    probe = limited.reshape(10, 3, 42)[:, 0, 17]
    np.testing.assert_allclose(read(out, "obs_analysis_mean")[1], probe.mean(), rtol=1e-10)
    assert f"water: {(limited != expected[:, 42:]).sum()} values set to a bound" in text
    assert "1 not_assimilated" in text and "warning" not in text


@pytest.mark.parametrize("units, of_error, factor, offset", [
    ("degC", None, 1.0, 273.15), ("degC", "K", 1.0, 273.15), ("mK", None, 1e-3, 0.0), ("K", "mK", 1e-3, 0.0),
])
def test_values_are_in_the_unit_of_the_variable(tmp_path, units, of_error, factor, offset):
    """An error is a difference of temperatures: it has the factor of the unit, not its offset."""
    ensemble, axes, members, _ = random_case(tmp_path)
    value, error = 0.5, 0.3
    of_value = 1.0 if units == "K" else factor
    columns = {"value": [(value - offset) / of_value], "error": [error / factor], "lat": [49.5], "lon": [6.0]}
    observations = write_observations(tmp_path / "obs.nc", columns, {"variable": ["field"]}, units=units)
    if of_error is not None:
        with netCDF4.Dataset(observations, "a") as file:
            file["error"].units = of_error
    out = tmp_path / "out.nc"
    analyse_files([ensemble], observations, out, changes={"method": "etkf"})
    E = members.reshape(10, -1)
    expected = analyse(E, E[:, [9]], [value], [error**2], method="etkf")
    np.testing.assert_allclose(read(out, "field").reshape(10, -1), expected, rtol=0, atol=1e-11)
    assert read(out, "obs_value")[0] == pytest.approx(value, abs=1e-12)
    assert read(out, "obs_error")[0] == pytest.approx(error, abs=1e-12)
    with netCDF4.Dataset(out) as file:
        assert file["obs_value"].units == file["obs_innovation"].units == "K"


@pytest.mark.parametrize("units, of_error, text", [
    ("%", None, "the values of observations 'field' of 'field': expected a unit that converts to 'K', got '%'"),
    ("K", "kg", "the errors of observations 'field' of 'field': expected a unit that converts to 'K', got 'kg'"),
    ("furlong per", None, "the unit 'furlong per' is not known"),
])
def test_units_that_do_not_convert_are_refused(tmp_path, command, units, of_error, text):
    ensemble, *_ = random_case(tmp_path)
    columns = {"value": [0.5], "error": [0.3], "lat": [49.5], "lon": [6.0]}
    observations = write_observations(tmp_path / "obs.nc", columns, {"variable": ["field"]}, units=units)
    with netCDF4.Dataset(observations, "a") as file:
        if of_error is not None:
            file["error"].units = of_error
    code, _, error = command("analyse", ensemble, observations, "-o", tmp_path / "out.nc", "--method", "etkf")
    assert code == 2 and text in error and "obs.nc" in error and "give `units` in analysis.yaml" in error
    assert not (tmp_path / "out.nc").exists()


def test_types_in_several_units(tmp_path):
    """A unit for each type from the configuration; results say which row is in which."""
    ensemble, _, members, water = random_case(tmp_path)
    with netCDF4.Dataset(ensemble, "a") as file:
        file["water"].units = "m3 m-3"
    columns = {"value": [30.0, 1.0], "error": [4.0, 0.5], "lat": [49.0, 49.0], "lon": [6.5, 6.5], "depth": [5.0, 5.0]}
    observations = write_observations(tmp_path / "obs.nc", columns, {"type": ["probe", "screen"]})
    with netCDF4.Dataset(observations, "a") as file:
        file["depth"].units = "cm"
    config = tmp_path / "analysis.yaml"
    config.write_text("method: etkf\nobservations:\n  - {type: probe, variable: water, units: percent}\n"
                      "  - {type: screen, variable: field}\n")
    out = tmp_path / "out.nc"
    analyse_files([ensemble], observations, out, config=config)
    E = np.concatenate([members.reshape(10, -1), water.reshape(10, -1)], axis=1)
    expected = analyse(E, E[:, [42 + 17, 17]], [0.3, 1.0], [0.04**2, 0.5**2], method="etkf")
    np.testing.assert_allclose(read(out, "water").reshape(10, -1), expected[:, 42:], rtol=0, atol=1e-12)
    assert read(out, "obs_units").tolist() == ["m3 m-3", "K"]
    assert read(out, "obs_value") == pytest.approx([0.3, 1.0])


def test_localisation_over_depth(tmp_path):
    """Each layer is a domain of its own; a variable without layers is at the surface."""
    ensemble, axes, members, water = random_case(tmp_path)
    observations = write_observations(
        tmp_path / "obs.nc", {"value": [0.35], "error": [0.04], "lat": [49.0], "lon": [6.5], "depth": [0.2]})
    config = tmp_path / "analysis.yaml"
    config.write_text("""
localisation: {radius: 100000, depth_radius: 30 cm}
observations: [{type: observation, variable: water}]
""")
    out = tmp_path / "out.nc"
    analyse_files([ensemble], observations, out, config=config)
    E = np.concatenate([members.reshape(10, -1), water.reshape(10, -1)], axis=1)
    places = np.array([(y, x) for y in axes[0] for x in axes[1]])
    expected = analyse_local(
        E, E[:, [42 + 42 + 17]], [0.35], [0.0016], np.tile(places, (4, 1)), places[[17]], 100e3, metric="haversine",
        depth_state=np.repeat([0.0, 0.05, 0.2, 0.65], 42), depth_obs=[0.2], depth_radius=0.3)
    np.testing.assert_array_equal(read(out, "water").reshape(10, -1), expected[:, 42:])
    np.testing.assert_array_equal(read(out, "field").reshape(10, -1), expected[:, :42])
    changed = (read(out, "water") != water).any(axis=(0, 2, 3))
    assert changed.tolist() == [True, True, False]  # 0.65 m is beyond 0.2 + 0.3 m


def test_unlimited_dimensions_text_and_packed_variables(tmp_path):
    """A file as models write it: unlimited time and members, characters, strings, packed values, a grid mapping."""
    rng = np.random.default_rng(8)
    path = tmp_path / "ens.nc"
    values = 280.0 + rng.standard_normal((5, 1, 4, 3))
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("member", None), ("time", None), ("y", 4), ("x", 3), ("letters", 6)):
            file.createDimension(name, size)
        file.createVariable("x", "f4", ("x",))[:] = np.arange(3) * 10.0
        file.createVariable("y", "f4", ("y",))[:] = 40.0 - np.arange(4) * 10.0
        file.createVariable("time", "f8", ("time",))[:] = [12.0]
        file["time"].units = "hours since 2020-01-01"
        file.createVariable("crs", "i4", ()).grid_mapping_name = "transverse_mercator"
        file.createVariable("source", str, ("member",))[:] = np.array(list("abcde"), dtype=object)
        file.createVariable("code", "S1", ("member", "letters"))[:] = np.full((5, 6), b"z")
        packed = file.createVariable("temperature", "i2", ("time", "member", "y", "x"), fill_value=-32768)
        packed.setncatts({"scale_factor": 0.01, "add_offset": 280.0, "units": "K", "grid_mapping": "crs"})
        packed[:] = values.transpose(1, 0, 2, 3)
        given = np.asarray(packed[:])
    observations = write_observations(
        tmp_path / "obs.nc", {"value": [281.0], "error": [0.5], "y": [30.0], "x": [10.0]})
    out = tmp_path / "out.nc"
    analyse_files([path], observations, out, changes={"method": "etkf"})
    E = given[0].reshape(5, -1)
    expected = analyse(E, E[:, [4]], [281.0], [0.25], method="etkf")
    with netCDF4.Dataset(out) as file:
        assert file["temperature"].dimensions == ("time", "member", "y", "x")
        assert file["temperature"].dtype == np.float64
        assert "scale_factor" not in file["temperature"].ncattrs()
        assert file["temperature_mean"].dimensions == ("time", "y", "x")
        assert file["temperature_mean"].grid_mapping == "crs"
        np.testing.assert_allclose(file["temperature"][0].reshape(5, -1), expected, rtol=0, atol=1e-11)
        assert file["source"][:].tolist() == list("abcde")
        assert file["crs"].grid_mapping_name == "transverse_mercator"
        assert (file["code"][:] == b"z").all()
        assert file.dimensions["time"].isunlimited()


def test_options_of_the_method(tmp_path):
    """What `options` gives is what the filter gets."""
    ensemble, axes, members, water = random_case(tmp_path)
    observations = write_observations(
        tmp_path / "obs.nc", {"value": [0.5], "error": [0.3], "lat": [49.5], "lon": [6.0]}, {"variable": ["field"]})
    E = np.concatenate([members.reshape(10, -1), water.reshape(10, -1)], axis=1)
    places = np.array([(y, x) for y in axes[0] for x in axes[1]])
    options = {"variant": "hkn", "hybrid_rule": "fixed", "hybrid_weight": 0.4, "rotation": True, "adaptive": 0.2,
               "inflate_unobserved": True, "relaxation_to": "perturbations"}
    config = tmp_path / "analysis.yaml"
    config.write_text(json.dumps({
        "method": "lknetf", "inflation": 1.1, "relaxation": 0.3, "localisation": {"radius": 150e3}, "seed": 5,
        "options": options}))
    out = tmp_path / "out.nc"
    analyse_files([ensemble], observations, out, config=config)
    expected = analyse_local(
        E, E[:, [9]], [0.5], [0.09], places, [[49.5, 6.0]], 150e3, "lknetf", metric="haversine", inflation=1.1,
        relaxation=0.3, rng=5, domain_of_state=np.tile(np.arange(42), 4), **options)
    np.testing.assert_array_equal(read(out, "field").reshape(10, -1), expected[:, :42])
    np.testing.assert_array_equal(read(out, "water").reshape(10, -1), expected[:, 42:])


def test_missing_cells_are_not_part_of_the_state(tmp_path):
    """Water bodies are gaps of all members: kept as gaps, left out of footprints, outside for probes."""
    members = np.random.default_rng(3).standard_normal((6, 4, 5))
    members[:, 1, 2] = np.nan
    ensemble = write_ensemble(tmp_path / "ens.nc", members)
    observations = write_observations(
        tmp_path / "obs.nc", {"value": [0.0, 0.5], "error": [0.5, 0.5], "y": [2.0, 2.0], "x": [3.0, 3.0]},
        {"type": ["probe", "beam"]})  # fmt: skip
    config = tmp_path / "analysis.yaml"
    config.write_text("observations: [{type: probe}, {type: beam, sensor: uniform, width: 2.0}]")
    out = tmp_path / "out.nc"
    analyse_files([ensemble], observations, out, config=config, changes={"method": "etkf"})
    assert read(out, "obs_flag").tolist() == [4, 0]
    around = members[:, [0, 2, 1, 1], [2, 2, 1, 3]].mean(axis=1)
    np.testing.assert_allclose(read(out, "obs_prior_mean")[1], around.mean(), rtol=1e-13)
    assert (np.isnan(read(out, "field")) == np.isnan(members)).all()


def test_unstructured_cells_and_random_methods(tmp_path):
    """Cells in a list with coordinates of their own; the EnKF repeats itself with its seed."""
    rng = np.random.default_rng(4)
    path = tmp_path / "ens.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("realization", 8), ("cell", 30)):
            file.createDimension(name, size)
        for name, low in (("latitude", 40.0), ("longitude", 355.0)):
            file.createVariable(name, "f8", ("cell",))[:] = low + rng.uniform(0, 5, 30)
        file.createVariable("head", "f4", ("cell", "realization"))[:] = rng.standard_normal((30, 8))
        place = [float(file[name][11]) for name in ("latitude", "longitude")]
        head = np.asarray(file["head"][:], float)
    observations = write_observations(
        tmp_path / "obs.nc", {"value": [1.0], "error": [0.5], "lat": [place[0]], "lon": [place[1] - 360.0]})
    results = []
    for seed in (1, 1, 2):
        out = tmp_path / f"out{len(results)}.nc"
        analyse_files([path], observations, out, changes={"method": "enkf", "member": "realization", "seed": seed})
        results.append(read(out, "head"))
    assert results[0].shape == (30, 8)
    assert (results[0] == results[1]).all()
    assert (results[0] != results[2]).any()
    np.testing.assert_allclose(read(tmp_path / "out0.nc", "obs_prior_mean"), head[11].mean(), rtol=1e-6)


@pytest.mark.parametrize("columns, words", [
    ({"x": [20.0], "error": [0.5]}, "none of the 1 observations was assimilated (1 outside_domain)"),
    ({"value": [np.nan], "error": [0.5]}, "none of the 1 observations was assimilated (1 missing_value)"),
    ({"error": [0.0]}, "none of the 1 observations was assimilated (1 error_not_positive)"),
    ({"value": [np.inf]}, "none of the 1 observations was assimilated (1 value_out_of_range)"),
    ({name: [] for name in ("value", "error", "x", "y")}, "nothing was assimilated, as the file has no observation"),
])
def test_nothing_to_assimilate_is_said(tmp_path, command, columns, words):
    ensemble, observations = small(tmp_path, **columns)
    out = tmp_path / "out.nc"
    code, text, _ = command("analyse", ensemble, observations, "-o", out, "--method", "etkf")
    assert code == 0 and f"warning: {words}; {out} holds the ensemble as it was." in text
    np.testing.assert_array_equal(read(out, "field"), read(ensemble, "field"))


def test_doubts_about_the_localisation_are_said(tmp_path):
    """Half a cell is 0.5 on a grid of spacing 1, and 27.8 km for half degrees of latitude and 18 km of longitude."""
    ensemble, observations = small(tmp_path)

    def doubts(source, table, **changes):
        changes = {name.replace("_of_", "."): value for name, value in changes.items()}
        text = analyse_files([source], table, tmp_path / "out.nc", changes={
            f"localisation.{name}": value for name, value in changes.items()})
        return [line for line in text.splitlines() if line.startswith("warning:")]

    assert doubts(ensemble, observations, radius=1.0, period_x=3.0) == []
    assert "localisation.radius 0.4 is less than half of the distance between cells, 1:" in doubts(
        ensemble, observations, radius=0.4)[0]
    with pytest.raises(InputError, match=r"period_x: expected at least the extent of the cells, 2, got 1.5"):
        doubts(ensemble, observations, radius=2.0, period_x=1.5)
    (tmp_path / "globe").mkdir()
    globe, *_ = random_case(tmp_path / "globe")
    table = write_observations(tmp_path / "globe" / "obs.nc", {"value": [0.0], "error": [1.0], "lat": [49.5],
                                                               "lon": [6.0]}, {"variable": ["field"]})
    assert doubts(globe, table, radius=30e3) == []
    assert len(doubts(globe, table, radius=15.0)) == 1


# ---- bad input -----------------------------------------------------------------------------------------------------


def small(tmp_path, **columns):
    ensemble = write_ensemble(tmp_path / "ens.nc", np.random.default_rng(0).standard_normal((4, 3, 3)))
    rows = {"value": [0.0], "error": [0.5], "y": [2.0], "x": [2.0]} | columns
    return ensemble, write_observations(tmp_path / "obs.nc", {k: v for k, v in rows.items() if v is not None})


@pytest.mark.parametrize("options, text", [
    ((), "is local and needs a radius"),
    (("--radius", "-1"), "localisation.radius: expected a number above 0"),
    (("--radius", "1", "--taper", "gauss"), "localisation.taper: expected one of"),
    (("--radius", "1", "--variable", "fild"), "there is no variable 'fild'; did you mean 'field'?"),
    (("--method", "letkfs", "--radius", "1"), "which 'letkfs' is not; did you mean 'letkf'?"),
    (("--method", "etkfs"), "unknown method 'etkfs'"),
    (("--method", "etkf", "--radius", "1"), "radius belongs to local methods"),
    (("--method", "etkf", "--inflation", "0"), "inflation: expected a number"),
])  # fmt: skip
def test_bad_options(tmp_path, command, options, text):
    ensemble, observations = small(tmp_path)
    code, _, error = command("analyse", ensemble, observations, "-o", tmp_path / "out.nc", *options)
    assert code == 2
    assert text in error
    assert "Traceback" not in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ens.nc", "obs.nc"]


@pytest.mark.parametrize("yaml, text", [
    ("methd: etkf", "analysis.yaml:1: methd: expected one of the keys"),
    ("options: {infltion: 2}", "infltion"),
    ("options: {inflation: 2}", "analysis.yaml:1: options.inflation: 'inflation' belongs one level up"),
    ("localisation: {period_x: 9}\nobservations: [{type: observation, layer_weights: [1, 1]}]",
     "pyland: analysis.yaml: observations 'observation': layer_weights is given, but 'field' has no layers"),
    ("{method: lensrf, observations: [{type: observation, correlation_length: 2}]}",
     "observations.0.correlation_length: expected none with method 'lensrf'"),
    ("{method: lenkf, observations: [{type: observation, correlation_length: 2}]}",
     "expected none with method 'lenkf'"),
    ("options: {taper: none}", "options.taper: 'taper' belongs to localisation"),
    ("options: {radius: 3}", "options.radius: 'radius' belongs to localisation"),
    ("options: {forget: 0.8}", "options.forget: 'forget' is `inflation` = 1/sqrt(forget)"),
    ("options: {domain_of_state: [0]}", "options.domain_of_state: 'domain_of_state' follows from the files"),
    ("options: {metric: haversine}", "options.metric: 'metric' follows from the files"),
    ("options: {coords_obs: 1}", "options.coords_obs: 'coords_obs' follows from the files"),
    ("options: {distances: 1}", "options.distances: 'distances' is for arrays only"),
    ("options: {rotation: 1}", "options.rotation: expected true or false, got 1"),
    ("options: {adaptive: 2}", "options.adaptive: expected a number above 0 and below 1, or auto, got 2"),
    ("options: {root: cholesky}", "got root, which belongs to seik, lseik"),
    ("{method: etkf, options: {adaptive: 0.3}}", "got adaptive, which belongs to local methods"),
    ("{method: lknetf, options: {hybrid_weight: 7}}", "options.hybrid_weight: expected a number at least 0 and at"),
    ("options: {relaxation_to: perturbations}", "expected a relaxation above 0"),
    ("options: {inflate_unobserved: true}", "expected an inflation other than 1"),
    ("options: {depth_taper: none}", "expected a depth_radius with depth_taper"),
    ("{method: lrhf, options: {bounds: [1, 0]}}", "options.bounds: expected [lowest, highest]"),
    ("bounds: {fild: [0, 1]}", "bounds.fild: there is no such variable"),
    ("bounds: {field: [1, 0]}", "expected [lowest, highest]"),
    ("observations: [{type: a}]", "observations of type 'observation' are not described"),
    ("observations: [{type: a}, {type: a}]", "expected a type of its own"),
    ("observations: [{type: observation, sensor: gaussian}]", "expected a width with sensor 'gaussian'"),
    ("observations: [{type: observation, width: 2}]", "expected no width with sensor 'nearest'"),
    ("observations: [{type: observation, top: 0.1}]", "expected both top and bottom"),
    ("observations: [{type: observation, top: 0.1, bottom: 0.2}]", "'field' has no layers"),
    ("observations: [{type: observation, relative_error: 0.1}]", "expected also `error`"),
    ("observations: [{type: observation, thinning: {method: best}}]", "size: expected a number above 0"),
    ("observations: [{type: observation, variable: sand}]", "'sand' is not a variable of the state"),
    ("method: [", "not valid YAML"),
])  # fmt: skip
def test_bad_configuration(tmp_path, command, yaml, text):
    ensemble, observations = small(tmp_path)
    config = tmp_path / "analysis.yaml"
    config.write_text(yaml)
    code, _, error = command("analyse", ensemble, observations, "-o", tmp_path / "out.nc", "--config", config,
                             "--radius", "1")  # fmt: skip
    assert code == 2
    assert text in error
    assert not (tmp_path / "out.nc").exists()


def test_the_file_that_is_wrong_is_named(tmp_path, command):
    ensemble, observations = small(tmp_path)
    config = tmp_path / "analysis.yaml"
    config.write_text("inflation: 1.1\nrelaxation: 0.1\n")

    def fails(*options, source=ensemble, out="out.nc"):
        code, _, error = command("analyse", source, observations, "-o", tmp_path / out, "--config", config,
                                 "--method", "etkf", *options)  # fmt: skip
        assert code == 2
        return error

    assert "command line: inflation: expected a number" in fails("--inflation", 0)
    (tmp_path / "folder").mkdir()
    assert "the output is a folder; give the name of a file" in fails(out="folder")
    assert "lies in a folder that does not exist" in fails(out="nowhere/out.nc")
    deep = write_ensemble(tmp_path / "deep.nc", np.random.default_rng(0).standard_normal((4, 3, 3)))
    with netCDF4.Dataset(deep, "a") as file:
        file.createDimension("layer", 2)
        file.createDimension("time", 2)
        file.createVariable("water", "f8", ("member", "time", "layer", "y", "x"))[:] = 1.0
    config.write_text("observations: [{type: observation, variable: water}]")
    error = fails(source=deep)
    assert "deep.nc: 'water' has the dimensions time, layer" in error and "obs.nc" not in error


@pytest.mark.parametrize("columns, text", [
    ({"value": None}, "expected a variable 'value(obs)'"),
    ({"x": None}, "expected the columns y and x"),
    ({"error": None}, "have no error"),
    ({"x": [np.nan]}, "observation 0 has no place"),
])  # fmt: skip
def test_bad_observations(tmp_path, command, columns, text):
    ensemble, observations = small(tmp_path)
    rows = {"value": [0.0], "error": [0.5], "y": [2.0], "x": [2.0]} | columns
    observations.unlink()
    with netCDF4.Dataset(observations, "w") as file:
        file.createDimension("obs", 1)
        for name, values in rows.items():
            if values is not None:
                file.createVariable(name, "f8", ("obs",))[:] = values
    code, _, error = command("analyse", ensemble, observations, "-o", tmp_path / "out.nc", "--radius", 1)
    assert code == 2
    assert text in error


def test_bad_ensembles(tmp_path, command):
    ensemble, observations = small(tmp_path)

    def fails(*sources, out="out.nc"):
        code, _, error = command("analyse", *sources, observations, "-o", tmp_path / out, "--radius", 1)
        assert code == 2
        return error

    assert "there is no such file" in fails(tmp_path / "none_*.nc")
    assert "cannot be read as netCDF" in fails(__file__)
    assert "got a dimension 'member'" in fails(ensemble, write_ensemble(tmp_path / "b.nc", np.ones((2, 3, 3))))
    assert "would replace an input" in fails(ensemble, out="ens.nc")
    gap = np.random.default_rng(0).standard_normal((4, 3, 3))
    gap[2, 1, 1] = np.nan
    assert "'field' is missing in member 3" in fails(write_ensemble(tmp_path / "gap.nc", gap))
    gap[2, 1, 1] = np.inf
    assert "'field' is infinite in member 3" in fails(write_ensemble(tmp_path / "inf.nc", gap))
    taken = write_ensemble(tmp_path / "taken.nc", np.ones((2, 3, 3)), field_std=(("y", "x"), np.ones((3, 3))))
    assert "adds a variable 'field_std'" in fails(taken)
    with netCDF4.Dataset(tmp_path / "bare.nc", "w") as file:
        file.createDimension("member", 2)
        file.createDimension("y", 2)
        file.createVariable("field", "f8", ("member", "y"))[:] = 1.0
    assert "expected coordinate variables lat and lon, or x and y" in fails(tmp_path / "bare.nc")
    code, _, error = command("analyse", ensemble, "-o", tmp_path / "out.nc")
    assert (code, "expected ENSEMBLE.nc and OBS.nc" in error) == (2, True)
    assert not (tmp_path / "out.nc").exists()


def test_on_ranks(tmp_path, pyland_command):
    ensemble, observations = small(tmp_path)
    finished = pyland_command("analyse", ensemble, observations, "-o", tmp_path / "out.nc", "--radius", "1", ranks=2)
    assert finished.returncode != 0
    assert "expected one rank, got 2" in finished.stderr
    assert not (tmp_path / "out.nc").exists()


def test_guide_names_every_key():
    """docs/guide/offline_analysis.md has a row for each key of analysis.yaml."""
    guide = Path(__file__).parents[3] / "docs" / "guide" / "offline_analysis.md"
    text = guide.read_text(encoding="utf-8")
    rows = " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    for name in all_keys(AnalysisSettings):
        assert f"{name}`" in rows or name in ("observations", "localisation", "thinning"), name
