"""Wells, gauges, flux towers and GRACE in their published layouts, and what is wrong with bad ones."""

import json

import netCDF4
import numpy as np
import pytest
from site_files import FLUXNET, GRDC, RDB_DAILY, RDB_SAMPLES, write_grace, write_wells

from pyland.base.errors import InputError
from pyland.observe.readers import READERS, read_product
from pyland.observe.readers.flux_towers import STEFAN_BOLTZMANN, temperature_of_longwave
from pyland.observe.readers.point_table import place_number

CUBIC_FOOT = 0.3048**3  # [m3]


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_the_registry_names_the_readers_of_stations():
    for name, kind in (("crns", "crns"), ("ismn", "soil_moisture"), ("flux_tower", "soil_moisture"), ("grace", "tws"),
                       ("wells", "groundwater"), ("gauges", "discharge")):
        assert READERS[name].types[0] == kind and READERS[name].summary


def test_numbers_are_identities_of_places_and_names_have_stable_ones():
    assert place_number("6335150") == 6335150
    assert place_number("TERENO", "Gevenich") == place_number("TERENO ", "Gevenich") == 151548811356841
    assert place_number("a") != place_number("b")


# ---- gauges ----------------------------------------------------------------------------------------------------------


def test_a_file_of_the_grdc_says_all_of_its_gauge(tmp_path):
    table = read_product(written(tmp_path / "6335150_Q_Day.Cmd.txt", GRDC.format(unit="m³/s")), "gauges", utc_offset=1)
    assert np.array_equal(table.value, [1410.0, 1450.5, np.nan, 2010.0], equal_nan=True)
    assert table.counts() == {"used": 3, "missing_value": 1}
    assert table.time[0] == np.datetime64("1981-01-01T11:00")  # noon of central Europe
    assert set(table.location) == {6335150} and set(table.extra["river"]) == {"RHINE RIVER"}
    assert table.extra["catchment_area"][0] == 98206.0e6 and abs(table.latitude[0] - 50.003988) < 1e-9


def test_daily_values_of_the_usgs_keep_ice_and_estimates_apart(tmp_path):
    path = written(tmp_path / "site.rdb", RDB_DAILY)
    table = read_product(path, "gauges", latitude=37.5, longitude=-97.4, utc_offset=-6)
    assert table.reasons() == ["used", "frozen_ground", "missing_value", "rejected_by_quality_flag", "used"]
    assert np.allclose(table.value[[0, 3, 4]], np.array([35.3147, 70.6294, 105.9441]) * CUBIC_FOOT)
    assert abs(table.value[0] - 1.0) < 1e-5 and table.time[0] == np.datetime64("2018-01-01T18:00")
    assert np.isnan(table.sigma).all()  # not known
    all_of_them = read_product(path, "gauges", latitude=37.5, longitude=-97.4, accepted=("A", "P", "e"), sigma=0.3,
                               relative_sigma=0.1)
    assert all_of_them.used.sum() == 3
    assert np.allclose(all_of_them.sigma[[0, 4]], [np.hypot(0.3, 0.1), np.hypot(0.3, 0.3)], rtol=1e-5)
    for options in ({"sigma": 0.0}, {"relative_sigma": 0.1}):
        with pytest.raises(InputError, match="sigma"):
            read_product(path, "gauges", latitude=37.5, longitude=-97.4, **options)


def test_samples_of_the_usgs_cross_the_end_of_summer_time(tmp_path):
    path = written(tmp_path / "samples.rdb", RDB_SAMPLES)
    table = read_product(path, "gauges", latitude=37.5, longitude=-97.4)
    assert table.time.astype(str).tolist() == ["2018-11-04T06:45:00", "2018-11-04T07:00:00", "2018-11-04T07:15:00"]
    assert np.allclose(table.value / CUBIC_FOOT, [100, 110, 120])
    with pytest.raises(InputError, match="says its time zones"):
        read_product(path, "gauges", latitude=37.5, longitude=-97.4, utc_offset=-6.0)


def test_any_text_of_discharge_by_its_columns(tmp_path):
    path = written(tmp_path / "q.csv", "Datum;Pegel;Q [l/s]\n31.12.2019 23:00;A;1500\n01.01.2020 00:00;A;-\n")
    layout = {"time": "Datum", "time_pattern": "%d.%m.%Y %H:%M", "delimiter": ";",
              "columns": {"discharge": ["Q [l/s]", "l/s"], "gauge": "Pegel"}}
    table = read_product(path, "gauges", layout=layout, latitude=50.7, longitude=6.4, utc_offset=1.0)
    assert table.value[0] == 1.5 and table.time[0] == np.datetime64("2019-12-31T22:00")
    assert table.reasons() == ["used", "missing_value"]


@pytest.mark.parametrize("text, options, message", [
    (GRDC.format(unit="cm"), {}, "unit of measure must be m3/s, got 'cm'"),
    (GRDC.format(unit="m3/s").replace("# GRDC-No.:", "# No.:"), {}, "no 'GRDC-No.'"),
    (GRDC.format(unit="m3/s")[:-25], {}, "line 31: 3 cells are expected .* truncated"),
    (GRDC.format(unit="m3/s").replace("1981-01-02", "1981-02-30"), {}, "'1981-02-30' is no time"),
    (GRDC.format(unit="m3/s").split("YYYY")[0], {}, "has comments alone"),
    (RDB_DAILY, {}, "site 07144100: has no place"),
    (RDB_DAILY.replace("00060", "00065"), {"latitude": 37, "longitude": -97}, "no column of discharge"),
    (RDB_SAMPLES.replace("CDT", "XYZ"), {"latitude": 37, "longitude": -97}, "time zone 'XYZ' is not known"),
    (RDB_DAILY.replace("07144100\t2018-01-05", "07144200\t2018-01-05"), {"latitude": 37, "longitude": -97},
     "has the sites 07144100, 07144200"),
    ("time,flow\n2018-01-01,1\n", {"latitude": 37, "longitude": -97}, "no column of discharge that the layout names"),
    ("time,discharge\n2018-01-01,-9\n", {"latitude": 37, "longitude": -97}, "The unit is probably wrong"),
])
def test_bad_files_of_gauges_are_a_sentence(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        read_product(written(tmp_path / "gauge.txt", text), "gauges", **options)


# ---- wells -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"variable": "level", "ground": True}, {"unit": "cm", "scale": 100.0}])
def test_depths_and_levels_of_wells_are_the_same_observations(tmp_path, options):
    scale = options.pop("scale", 1.0)
    values = write_wells(tmp_path / "wells.nc", **options)
    table = read_product(tmp_path / "wells.nc", "wells")
    assert table.counts() == {"used": 11, "missing_value": 1}
    for name, expected in zip(("12345", "B 7", "C"), values, strict=True):
        rows = table.extra["well"] == name
        assert np.allclose(table.value[rows] * scale, expected, equal_nan=True)
        assert set(table.location[rows]) == {place_number(name)}
    assert (table.value < 0.0).sum() == 1  # water above the ground
    assert set(table.latitude[table.extra["well"] == "C"]) == {51.2}


def test_text_of_wells_in_feet_above_a_datum(tmp_path):
    path = written(tmp_path / "w.csv", "time,level,ground,latitude,longitude,well,quality\n"
                   "2018-01-01,90,100,51,6,w1,good\n2018-01-02,91,100,51,6,w1,doubtful\n2018-01-01,200,210,52,7,w2,good\n")
    layout = {"like": "wells", "columns": {"level": ["level", "ft"], "ground": ["ground", "ft"]}}
    table = read_product(path, "wells", layout=layout, accepted="good")
    assert np.allclose(table.value, np.array([10.0, 10.0, 9.0]) * 0.3048)
    assert table.reasons() == ["used", "used", "rejected_by_quality_flag"] and table.size == 3
    assert np.unique(table.location).size == 2


@pytest.mark.parametrize("text, options, message", [
    ("time,level,latitude,longitude\n2018-01-01,90,51,6\n", {}, "height of the ground above the same datum"),
    ("time,depth\n2018-01-01,2\n", {}, "has no place"),
    ("time,water\n2018-01-01,2\n", {"latitude": 51, "longitude": 6}, "neither a column of depth nor of level"),
    ("time,depth\n2018-01-01,\n", {"latitude": 51, "longitude": 6}, "has no value, 1 of 1"),
    ("time,depth\n2018-01-01,2\n", {"latitude": 51, "longitude": 6, "accepted": ("good",)}, "the file has none"),
    ("time,depth\n1.1.2018,2\n", {"latitude": 51, "longitude": 6}, "'1.1.2018' is no time of the form"),
    ("time,depth\n2018-01-01,250000\n", {"latitude": 51, "longitude": 6}, "The unit is probably wrong"),
])
def test_bad_files_of_wells_are_a_sentence(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        read_product(written(tmp_path / "w.csv", text), "wells", **options)


def test_bad_netcdf_of_wells_is_a_sentence(tmp_path):
    write_wells(tmp_path / "w.nc", variable="head")
    with pytest.raises(InputError, match="no variable is known .* There are .*head"):
        read_product(tmp_path / "w.nc", "wells")
    write_wells(tmp_path / "w.nc", unit="psi")
    with pytest.raises(InputError, match="unit must be one of m, .* got 'psi'"):
        read_product(tmp_path / "w.nc", "wells")
    (tmp_path / "w.nc").write_bytes((tmp_path / "w.nc").read_bytes()[:900])
    with pytest.raises(InputError, match="may be truncated"):
        read_product(tmp_path / "w.nc", "wells")


# ---- flux towers -----------------------------------------------------------------------------------------------------


def test_fluxnet_has_local_time_percent_and_qualities(tmp_path):
    path = written(tmp_path / "FLX_DE-RuS.csv", FLUXNET)
    options = {"latitude": 50.87, "longitude": 6.45, "utc_offset": 1.0}
    table = read_product(path, "flux_tower", depth={"SWC_F_MDS_1": (0.0, 0.1)}, **options)
    assert np.allclose(table.value[[0, 1, 3]], [0.215, 0.225, 0.235])
    assert table.reasons() == ["used", "rejected_by_quality_flag", "missing_value", "used"]
    assert table.time[0] == np.datetime64("2018-06-30T23:15") and table.bottom[0] == 0.1
    surface = read_product(path, "flux_tower", type="lst", emissivity=0.98, **options)
    assert surface.type == "lst" and surface.reasons() == table.reasons()
    emitted = 0.98 * STEFAN_BOLTZMANN * surface.value[0] ** 4 + 0.02 * 300.0
    assert abs(emitted - 400.0) < 1e-9 and surface.footprint[0] == 40.0
    with pytest.raises(InputError, match="give the option utc_offset"):
        read_product(path, "flux_tower", depth=(0.0, 0.1), latitude=50.0, longitude=6.0)
    with pytest.raises(InputError, match="depth of 'SWC_F_MDS_1' is not known"):
        read_product(path, "flux_tower", **options)
    with pytest.raises(InputError, match="Fluxes are not assimilated"):
        read_product(path, "flux_tower", type="latent_heat", **options)


def test_probes_and_longwave_of_a_real_station(shared_data):
    path = shared_data / "sites/US-Wkg.nc"
    table = read_product(path, "flux_tower", accepted=(0, 1))
    with netCDF4.Dataset(path) as file:
        for name, depth in (("SoilMoist_5cm", 0.05), ("SoilMoist_15cm", 0.15)):
            values = np.ma.filled(file[name][:].astype(float), np.nan).ravel()
            rows = table.extra["sensor"] == name
            assert rows.sum() == values.size and np.isfinite(table.value[rows]).sum() == np.isfinite(values).sum()
            assert set(table.top[rows]) == {depth}
        up, down = (np.ma.filled(file[name][:].astype(float), np.nan).ravel() for name in ("LWup", "LWdown"))
        first = netCDF4.num2date(file["time"][0], file["time"].units, only_use_cftime_datetimes=False)
    surface = read_product(path, "flux_tower", type="lst", accepted=(0, 1))
    assert np.isfinite(surface.value).sum() == np.isfinite(up + down).sum()
    assert surface.time[0] == np.datetime64(first, "s") + np.timedelta64(900, "s")
    assert surface.used.mean() > 0.95 and 255.0 < surface.value[surface.used].min() < 345.0


def test_a_black_surface_reflects_nothing():
    assert np.allclose(temperature_of_longwave(np.array([STEFAN_BOLTZMANN * 300.0**4]), 500.0, 1.0), 300.0)
    assert np.isnan(temperature_of_longwave(np.array([5.0]), 500.0, 0.9))


# ---- GRACE -----------------------------------------------------------------------------------------------------------


def test_a_mascon_is_one_row_and_the_sea_is_left_out(tmp_path):
    arrays = write_grace(tmp_path / "grace.nc")
    table = read_product(tmp_path / "grace.nc", "grace")
    assert table.size == 3 * 4 and table.used.all() and (table.footprint == 3.0e5).all()
    assert set(table.location) == {700, 701, 710, 711}
    for number in (700, 701, 710, 711):
        rows = table.location == number
        # anomalies in cm of water, the same in all cells of a mascon; one cell of the first is missing
        assert np.allclose(table.value[rows], 10.0 * (number - 705.0) * np.array([1.0, 2.0, 3.0]))
        assert np.allclose(table.sigma[rows], 10.0 * (1.0 + 0.1 * (number - 700.0)))
        cells = (arrays["number"] == number) & (arrays["land"] > 0.0)
        assert (table.latitude[rows] > arrays["latitude"][cells.any(axis=1)].min()).all()
        east = (arrays["longitude"] + 180.0) % 360.0 - 180.0
        assert np.allclose(table.longitude[rows], east[cells.any(axis=0)].mean())
    # centres from time_bounds: the solution of a month is 28 days long from 2002-04-18
    assert table.time[0] == np.datetime64("2002-05-02") and set(table.extra["averaging_days"]) == {28.0}
    assert json.loads(table.provenance["left_out"]) == {"not_land": 3 * 12 * 3}
    assert table.provenance["anomaly_of"] == "2004.000 to 2009.999"


def test_scale_factors_make_cells_and_period_and_box_cut(tmp_path):
    arrays = write_grace(tmp_path / "grace.nc")
    table = read_product(tmp_path / "grace.nc", "grace", scale=True, period=("2002-06-01", "2002-07-01"),
                         bounds=(45.0, 46.0, -2.0, 1.0))
    assert table.size == 2 * 3 and np.unique(table.time).size == 1
    columns = np.flatnonzero(((arrays["longitude"] + 180) % 360 - 180 >= -2) & ((arrays["longitude"] + 180) % 360 - 180
                                                                               <= 1) & (arrays["land"][0] > 0))
    expected = 10.0 * arrays["values"][1][:2][:, columns] * arrays["factor"][:2][:, columns]
    order = np.lexsort((table.longitude, table.latitude))
    assert np.allclose(table.value[order].reshape(2, -1), expected)
    assert json.loads(table.provenance["left_out"])["outside_bounds_or_period"] == 3 * 144 - 2 * 6


def test_units_as_csr_writes_them_and_a_mask_in_a_file_of_its_own(tmp_path, caplog):
    write_grace(tmp_path / "mask.nc")
    write_grace(tmp_path / "grace.nc", mascons=False)
    with netCDF4.Dataset(tmp_path / "grace.nc", "a") as file:
        for name in ("time", "lwe_thickness", "uncertainty"):
            file[name].Units = file[name].units
            file[name].delncattr("units")
        file.renameVariable("land_mask", "other")
    expected = read_product(tmp_path / "mask.nc", "grace", rows="cell")
    table = read_product(tmp_path / "grace.nc", "grace", mask=tmp_path / "mask.nc")
    assert np.array_equal(table.value, expected.value, equal_nan=True) and np.array_equal(table.time, expected.time)
    assert read_product(tmp_path / "grace.nc", "grace").size == 3 * 144
    assert "all its cells are taken as land" in caplog.text


@pytest.mark.parametrize("options, asked, message", [
    ({"unit": "g"}, {}, "unit must be one of kg m-2, mm, cm, m"),
    ({}, {"variable": "lwe"}, "has no variable 'lwe'"),
    ({"mascons": False}, {"rows": "mascon"}, "has no mascon_ID"),
    ({}, {"rows": "mascon", "scale": True}, "rows must be cell with scale"),
    ({}, {"bounds": (-10, 0, 0, 10)}, "nothing lies within period and bounds"),
    ({}, {"land_threshold": 2.0}, "no cell within the bounds is land"),
    ({"unit": "m"}, {}, "The unit is probably wrong"),
])
def test_bad_files_of_grace_are_a_sentence(tmp_path, options, asked, message):
    arrays = write_grace(tmp_path / "grace.nc", **options)
    if options == {"unit": "m"}:
        with netCDF4.Dataset(tmp_path / "grace.nc", "a") as file:
            file["lwe_thickness"][:] = arrays["values"] + 1000.0
    with pytest.raises(InputError, match=message):
        read_product(tmp_path / "grace.nc", "grace", **asked)
