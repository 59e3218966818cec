"""Readers of SMAP, SMOS, AMSR2 and newer ASCAT cell files against files in the published layouts."""

import json

import netCDF4
import numpy as np
import pytest
from satellite_files import DAY, smap_cells, smap_values, write_amsr2, write_ascat_cell, write_smap, write_smos

from pyland.base.errors import InputError
from pyland.base.observation_reasons import BAD_ERROR, DUPLICATE, FROZEN, QUALITY, SNOW, USED, VEGETATION
from pyland.observe import read_product
from pyland.observe.readers.ease_grid import EaseGrid

BOUNDS = (35.0, 60.0, -10.0, 30.0)


def inside(latitude, longitude, bounds=BOUNDS):
    south, north, west, east = bounds
    return (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)


def left_out(table):
    return json.loads(table.provenance["left_out"])


@pytest.fixture(scope="module")
def smap(tmp_path_factory):
    morning, evening = smap_values(2000, 1), smap_values(1500, 2)
    cells = {"AM": smap_cells(count=2000, seed=1), "PM": smap_cells(count=1500, seed=2)}
    path = tmp_path_factory.mktemp("smap") / "SMAP_L3_SM_P_20180601_R18290_001.h5"
    write_smap(path, {"AM": (*cells["AM"], morning), "PM": (*cells["PM"], evening)})
    return path, cells, {"AM": morning, "PM": evening}


def test_smap_gives_every_cell_with_its_place_time_and_reason(smap):
    path, cells, values = smap
    table = read_product(path, "smap_l3", overpass="AM")
    order = np.lexsort((cells["AM"][0] * 964 + cells["AM"][1], values["AM"]["tb_time_seconds"]))
    row, column = (one[order] for one in cells["AM"])
    given = {name: one[order] for name, one in values["AM"].items()}
    grid = EaseGrid(36)
    assert table.product == "SMAP L3 36 km" and table.type == "soil_moisture" and table.size == 2000
    assert np.allclose(table.value, given["soil_moisture"], atol=1e-7)
    assert (table.location == row * 964 + column).all()
    assert np.allclose(table.latitude, grid.latitude[row]) and np.allclose(table.longitude, grid.longitude[column])
    expected = DAY + np.rint(given["tb_time_seconds"] - (DAY - np.datetime64("2000-01-01T11:58:55.816", "ms"))
                             / np.timedelta64(1, "ms") / 1000 - 5).astype("timedelta64[s]")
    assert (table.time == expected).all()
    assert (table.flag == np.where(np.isin(given["retrieval_qual_flag"], (0, 8)), USED, QUALITY)).all()
    assert (table.sigma == 0.04).all() and (table.extra["orbit"] == "descending").all()
    assert (table.top == 0.0).all() and (table.bottom == 0.05).all() and (table.footprint == 36e3).all()
    for name, variable in (("vegetation_water", "vegetation_water_content"),
                           ("open_water", "static_water_body_fraction"),
                           ("frozen_probability", "freeze_thaw_fraction")):
        assert np.allclose(table.extra[name], given[variable], rtol=1e-6)
    assert left_out(table) == {"no_value": 406 * 964 - 2000}
    assert table.provenance["product_version"] == "R18290_001" and "sha256:" in table.provenance["files"]


def test_smap_both_passes_box_and_period(smap):
    path, cells, values = smap
    grid, wanted, total = EaseGrid(36), 0, 0
    period = (DAY + np.timedelta64(6, "h"), DAY + np.timedelta64(18, "h"))
    for name in ("AM", "PM"):
        since = values[name]["tb_time_seconds"] - (DAY - np.datetime64("2000-01-01T11:58:55.816", "ms")) \
            / np.timedelta64(1, "ms") / 1000 - 5
        here = inside(grid.latitude[cells[name][0]], grid.longitude[cells[name][1]])
        wanted += (here & (since >= 6 * 3600) & (since < 18 * 3600)).sum()
        total += here.sum()
    table = read_product([path], "smap_l3", bounds=BOUNDS, period=period)
    assert table.size == wanted > 10
    assert left_out(table)["outside_period"] == total - wanted
    assert table.size + sum(left_out(table).values()) == 2 * 406 * 964, "every cell is a row or counted"
    assert set(table.extra["orbit"]) == {"ascending", "descending"}
    assert (np.diff(table.time).astype(int) >= 0).all()


def test_smap_box_over_the_date_line_is_the_sum_of_its_halves(smap):
    path = smap[0]
    sizes = [read_product(path, "smap_l3", bounds=(0.0, 80.0, *edges)).size
             for edges in ((150.0, -150.0), (150.0, 180.0), (-180.0, -150.0))]
    assert sizes[0] == sizes[1] + sizes[2] > 100


def test_smap_surface_flags_give_the_reason(tmp_path):
    values = smap_values(6)
    values["retrieval_qual_flag"] = np.array([1, 1, 1, 1, 0, 5])
    values["surface_flag"] = np.array([1 << 7, 1 << 5, 1 << 10, 0, 1 << 7, (1 << 10) + (1 << 8)])
    path = write_smap(tmp_path / "SMAP_L3_SM_P_20180601_R18290_001.h5", {"AM": (*smap_cells(count=6), values)})
    table = read_product(path, "smap_l3")
    order = np.argsort(values["tb_time_seconds"])
    assert (table.flag == np.array([FROZEN, SNOW, VEGETATION, QUALITY, USED, FROZEN])[order]).all()
    free = read_product(path, "smap_l3", rejected_bits=0b110)
    assert (free.flag == np.array([USED, USED, USED, USED, USED, FROZEN])[order]).all()


def test_smap_brightness_temperatures_have_their_polarisation(smap):
    path, _, values = smap
    table = read_product(path, "smap_l3", type="brightness_temperature", overpass="PM")
    assert table.size == 3000 and (table.incidence_angle == 40.0).all() and np.isnan(table.top).all()
    for one, variable in (("H", "tb_h_corrected"), ("V", "tb_v_corrected")):
        rows = table.extra["polarisation"] == one
        assert np.allclose(np.sort(table.value[rows]), np.sort(values["PM"][variable]), rtol=1e-6)
    assert table.counts()["rejected_by_quality_flag"] == values["PM"]["tb_qual_flag_h"].sum()
    only = read_product(path, "smap_l3", type="brightness_temperature", overpass="PM", polarisation="V", sigma=2.0)
    assert set(only.extra["polarisation"]) == {"V"} and (only.sigma == 2.0).all()


def test_smap_times_in_words_are_the_same_as_seconds(tmp_path):
    """The words set the epoch, since documents differ between 12:00 UTC and 12:00 terrestrial time."""
    values, cells = smap_values(30), smap_cells(count=30)
    name = "SMAP_L3_SM_P_20180601_R18290_001.h5"
    exact = read_product(write_smap(tmp_path / name, {"AM": (*cells, values)}), "smap_l3")
    (tmp_path / "words").mkdir()
    words = read_product(write_smap(tmp_path / "words" / name, {"AM": (*cells, values)}, words=True,
                                    without=("tb_time_seconds",)), "smap_l3")
    assert (words.time == exact.time).all()
    (tmp_path / "both").mkdir()
    both = write_smap(tmp_path / "both" / name, {"AM": (*cells, values)}, words=True)
    with netCDF4.Dataset(both, "a") as file:  # seconds that count from 12:00 UTC, without leap seconds
        seconds_of = file["Soil_Moisture_Retrieval_Data_AM/tb_time_seconds"]
        field = seconds_of[:]
        seconds_of[:] = np.ma.where(np.ma.getmaskarray(field), -9999.0, field - 69.184)
    assert (read_product(both, "smap_l3").time == exact.time).all()


def test_the_enhanced_product_is_known_by_its_grid(tmp_path):
    values, cells = smap_values(500), smap_cells(9, 500)
    path = write_smap(tmp_path / "SMAP_L3_SM_P_E_20180601_R19240_001.h5", {"AM": (*cells, values)}, 9)
    table = read_product(path, "smap_l3", bounds=(0.0, 90.0, -180.0, 180.0))
    assert table.product == "SMAP L3E 9 km" and table.size == 500 and (table.footprint == 33e3).all()
    assert set(table.location) == set(cells[0] * 3856 + cells[1])


def test_smap_files_of_hdf5_without_netcdf(tmp_path):
    """Files of the product come from the HDF5 library, with fixed strings and no dimensions."""
    h5py = pytest.importorskip("h5py", reason="writes HDF5 as the product does; extra crosscheck")
    row, column = smap_cells(count=20)
    values = smap_values(20)
    path = tmp_path / "SMAP_L3_SM_P_20180601_R18290_001.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("Soil_Moisture_Retrieval_Data_AM")
        for name, numbers in values.items():
            field = np.full((406, 964), 65534 if "flag" in name else -9999.0, "u2" if "flag" in name else "f8")
            field[row, column] = numbers
            one = group.create_dataset(name, data=field, compression="gzip")
            one.attrs["_FillValue"] = field.dtype.type(65534 if "flag" in name else -9999.0)
            if name.startswith("soil"):
                one.attrs["units"] = np.bytes_("cm**3/cm**3")
        group.create_dataset("tb_time_utc", data=np.full((406, 964), b"N/A", "S24"))
    table = read_product(path, "smap_l3")
    assert np.allclose(np.sort(table.value), np.sort(values["soil_moisture"]))


def smos_values(count):
    random = np.random.default_rng(5)
    return {"Soil_Moisture": random.uniform(0.02, 0.5, count), "Soil_Moisture_Dqx": random.uniform(0.01, 0.15, count),
            "Rfi_Prob": random.uniform(0, 0.6, count), "Chi_2_P": random.uniform(0, 1, count),
            "Optical_Thickness_Nad": random.uniform(0, 1, count), "Mean_Acq_Time_Days": np.full(count, 6726.0),
            "Mean_Acq_Time_Seconds": random.uniform(0, 86000, count).round()}


def test_smos(tmp_path):
    count = 800
    row, column = np.divmod(np.sort(np.random.default_rng(4).choice(584 * 1388, count, replace=False)), 1388)
    values = smos_values(count)
    path = write_smos(tmp_path / "SM_RE07_MIR_CLF31A_20180601T000000_20180601T235959_330_001_7.DBL.nc", row, column,
                      values)
    table = read_product(path, "smos_l3")
    order = np.lexsort((row * 1388 + column, values["Mean_Acq_Time_Seconds"]))
    given = {name: one[order] for name, one in values.items()}
    assert table.size == count and np.allclose(table.value, given["Soil_Moisture"], rtol=1e-6)
    assert np.allclose(table.sigma, given["Soil_Moisture_Dqx"], rtol=1e-6)
    assert abs((table.time - (np.datetime64("2018-06-01T00:00:00") + given["Mean_Acq_Time_Seconds"].astype(
        "timedelta64[s]"))).astype(int)).max() == 0
    good = ((given["Soil_Moisture_Dqx"] <= 0.1) & (given["Rfi_Prob"] <= 0.3) & (given["Chi_2_P"] >= 0.05))
    assert (table.flag == np.where(good, USED, QUALITY)).all() and 0 < good.sum() < count
    assert (table.extra["orbit"] == "ascending").all() and np.allclose(table.extra["optical_depth"],
                                                                        given["Optical_Thickness_Nad"], rtol=1e-5)
    assert np.allclose(table.latitude, EaseGrid(25).latitude[row[order]], atol=1e-5)
    free = {"max_uncertainty": 9.0, "max_interference": 1.0, "min_fit_probability": 0.0}
    assert read_product(path, "smos_l3", **free).used.all()


@pytest.mark.parametrize("units, factor", [("percent", 0.01), ("m3 m-3", 1.0)])
def test_amsr2_is_columns_first_and_in_percent_of_volume(tmp_path, units, factor):
    count = 300
    random = np.random.default_rng(6)
    row, column = np.divmod(np.sort(random.choice(720 * 1440, count, replace=False)), 1440)
    values = {"soil_moisture_c1": random.integers(3, 50, count) * 0.01 / factor,
              "soil_moisture_c1_error": random.integers(2, 12, count) * 0.01 / factor,
              "opt_depth_c1": random.uniform(0.1, 1.2, count), "ts": random.uniform(260, 310, count),
              "mask": random.integers(0, 4, count), "scantime": random.integers(0, 1440, count)}
    path = write_amsr2(tmp_path / "LPRM-AMSR2_L3_A_SOILM3_V001_20121216010911.nc4", row, column, values, units)
    table = read_product(path, "amsr2_lprm")
    order = np.lexsort((row * 1440 + column, values["scantime"]))
    given = {name: one[order] for name, one in values.items()}
    assert np.allclose(table.value, given["soil_moisture_c1"] * factor) and (table.extra["band"] == "c1").all()
    assert np.allclose(table.sigma, given["soil_moisture_c1_error"] * factor)
    assert (table.time == np.datetime64("2012-12-16T00:00:00") + given["scantime"] * np.timedelta64(60, "s")).all()
    frozen = np.rint(given["ts"] / np.float32(0.1)) * np.float32(0.1) < 273.15
    dense = np.rint(given["opt_depth_c1"] / np.float32(0.01)) * np.float32(0.01) > 0.8
    assert (table.flag == np.where(frozen, FROZEN, np.where(dense, VEGETATION, USED))).all()
    assert np.allclose(table.latitude, 89.875 - 0.25 * row[order])
    masked = read_product(path, "amsr2_lprm", rejected_mask_bits=2, freezing=0.0, max_optical_depth=9.0)
    assert (masked.flag == np.where(given["mask"] & 2, QUALITY, USED)).all()


def test_amsr2_without_scan_times_has_the_nominal_ones(tmp_path):
    row, column = np.array([160, 160]), np.array([720, 1080])  # 0.125 and 90.125 degrees east
    values = {"soil_moisture_c1": [20.0, 20.0], "soil_moisture_c1_error": [5.0, 5.0]}
    path = write_amsr2(tmp_path / "LPRM-AMSR2_L3_DS_D_SOILM3_V001_20130701.nc4", row, column, values)
    table = read_product(path, "amsr2_lprm")
    assert [str(one)[11:16] for one in table.time] == ["01:29", "19:29"]  # 01:30 less longitude / 15 hours, of the day
    assert set(table.extra["orbit"]) == {"descending"}


@pytest.mark.parametrize("is_indexed", [False, True])
def test_ascat_cells_contiguous_or_indexed(tmp_path, is_indexed):
    held = write_ascat_cell(tmp_path / "1394.nc", [40, 0, 25, 60], is_indexed)
    table = read_product(tmp_path / "1394.nc", "ascat_cells", porosity=0.4)
    order = np.argsort(held["time"])
    assert np.allclose(table.value, held["surface_soil_moisture"][order] * 0.004, rtol=1e-6)
    assert np.allclose(table.sigma, held["surface_soil_moisture_noise"][order] * 0.004, rtol=1e-6)
    assert (table.location == 7000 + held["place"][order]).all()
    assert np.allclose(table.latitude, 50.0 + 0.1 * held["place"][order], atol=1e-5)
    expected = np.where(held["processing_flag"] > 0, QUALITY, USED)
    for state, reason in ((2, FROZEN), (3, SNOW), (4, FROZEN)):
        expected[held["surface_flag"] == state] = reason
    assert (table.flag == expected[order]).all()
    assert ((table.extra["orbit"] == "ascending") == (held["as_des_pass"][order] == 0)).all()
    assert set(table.extra["satellite"]) == {"Metop-A", "Metop-B", "Metop-C"}
    box = read_product(tmp_path / "1394.nc", "ascat_cells", porosity=0.4, bounds=(50.15, 51.0, 6.0, 7.0))
    assert set(box.location) == {7002, 7003} and left_out(box) == {"outside_bounds": 40}


def test_porosity_as_number_variable_or_map(tmp_path):
    held = write_ascat_cell(tmp_path / "1394.nc", [5, 5])
    with netCDF4.Dataset(tmp_path / "1394.nc", "a") as file:
        file.createVariable("por", "f4", ("locations",))[:] = [0.4, 0.5]
    with netCDF4.Dataset(tmp_path / "map.nc", "w") as file:
        for name, axis in (("lat", [50.2, 50.1, 50.0, 49.9]), ("lon", [5.9, 6.0, 6.1])):
            file.createDimension(name, len(axis))
            file.createVariable(name, "f8", (name,))[:] = axis
        file.createVariable("theta_sat", "f4", ("lat", "lon"))[:] = [[.1, .1, .1], [.1, .1, .5], [.1, .4, .1], [.1] * 3]
    by_place = np.array([0.4, 0.5])[held["place"]] * held["surface_soil_moisture"] / 100
    expected = by_place[np.argsort(held["time"])]
    for given in ("por", f"{tmp_path / 'map.nc'}:theta_sat"):
        assert np.allclose(read_product(tmp_path / "1394.nc", "ascat_cells", porosity=given).value, expected, rtol=1e-5)


def test_a_file_twice_counts_once_and_doubled_rows_are_marked(smap, tmp_path, caplog):
    path = smap[0]
    once = read_product(path, "smap_l3", overpass="AM")
    assert read_product([path, path], "smap_l3", overpass="AM").size == once.size
    copy = tmp_path / "SMAP_L3_SM_P_20180601_R18290_002.h5"
    copy.write_bytes(path.read_bytes())
    twice = read_product([path, copy], "smap_l3", overpass="AM")
    assert twice.size == 2 * once.size and twice.used.sum() == once.used.sum()
    assert twice.counts()["duplicate"] == once.used.sum() and DUPLICATE in twice.flag


def test_rows_without_an_error_are_not_used(tmp_path):
    values = smos_values(10)
    values["Soil_Moisture_Dqx"] = np.where(np.arange(10) < 4, -999.0, 0.05)
    values["Rfi_Prob"][:], values["Chi_2_P"][:] = 0.0, 1.0
    path = write_smos(tmp_path / "SM_OPER_MIR_CLF31D_20180601.nc", np.arange(10) + 200, np.arange(10) + 700, values)
    table = read_product(path, "smos_l3")
    assert table.counts() == {"used": 6, "error_not_positive": 4} and (table.flag == BAD_ERROR).sum() == 4


def test_smap_retrieval_algorithms(tmp_path):
    values = smap_values(10)
    values["soil_moisture_dca"] = values["soil_moisture"] + 0.1
    values["retrieval_qual_flag_dca"] = np.arange(10) % 2
    path = write_smap(tmp_path / "SMAP_L3_SM_P_20180601_R18290_001.h5", {"PM": (*smap_cells(count=10), values)})
    table = read_product(path, "smap_l3", algorithm="dca")
    order = np.argsort(values["tb_time_seconds"])
    assert np.allclose(table.value, values["soil_moisture_dca"][order], atol=1e-6)
    assert (table.used == (np.arange(10) % 2 == 0)[order]).all() and (table.extra["orbit"] == "ascending").all()


def test_smap_error_of_the_file_where_it_has_one(tmp_path):
    values = smap_values(4)
    values["soil_moisture_error"] = np.array([0.02, -9999.0, 0.0, 0.05])
    path = write_smap(tmp_path / "SMAP_L3_SM_P_20180601_R18290_001.h5", {"AM": (*smap_cells(count=4), values)})
    order = np.argsort(values["tb_time_seconds"])
    assert np.allclose(read_product(path, "smap_l3", sigma=0.06).sigma, np.array([0.02, 0.06, 0.06, 0.05])[order])


def test_backscatter_of_ascat_cells_needs_an_error(tmp_path):
    write_ascat_cell(tmp_path / "1394.nc", [30])
    with netCDF4.Dataset(tmp_path / "1394.nc", "a") as file:
        one = file.createVariable("backscatter40", "f4", ("obs",))
        one.units, one[:] = "dB", np.linspace(-18.0, -6.0, 30)
    table = read_product(tmp_path / "1394.nc", "ascat_cells", type="backscatter", sigma=0.3, surface_states=False,
                         rejected_processing=0)
    assert np.allclose(np.sort(table.value), np.linspace(-18.0, -6.0, 30), atol=1e-5) and (table.sigma == 0.3).all()
    assert table.used.all() and (table.incidence_angle == 40.0).all()
    assert not read_product(tmp_path / "1394.nc", "ascat_cells", type="backscatter").used.any()


def write_cci(path, units, moisture, uncertainty, flags):
    """Write an image of ESA CCI SM of 2 by 3 cells."""
    with netCDF4.Dataset(path, "w") as file:
        for name, axis in (("time", [17683.0]), ("lat", [50.125, 49.875]), ("lon", [5.125, 5.375, 5.625])):
            file.createDimension(name, len(axis))
            file.createVariable(name, "f8", (name,))[:] = axis
        file["time"].units = "days since 1970-01-01 00:00:00 UTC"
        for name, kind, values in (("sm", "f4", moisture), ("sm_uncertainty", "f4", uncertainty),
                                   ("flag", "i1", flags)):
            one = file.createVariable(name, kind, ("time", "lat", "lon"), fill_value=-9999.0 if kind == "f4" else 127)
            one[:] = np.reshape(values, (1, 2, 3))
        file["sm"].units = units
    return path


def test_esa_cci_flags_give_the_reason(tmp_path):
    path = write_cci(tmp_path / "ESACCI-SOILMOISTURE-L3S-SSMV-PASSIVE-20180601000000-fv08.1.nc", "m3 m-3",
                     [0.1, 0.2, 0.3, 0.4, 0.5, -9999.0], [0.02] * 6, [0, 1, 2, 16, 3, 0])
    table = read_product(path, "esa_cci")
    assert table.flag.tolist() == [USED, FROZEN, VEGETATION, QUALITY, FROZEN] and table.product == "ESA CCI SM PASSIVE"
    free = read_product(path, "esa_cci", rejected_bits=1)
    assert free.flag.tolist() == [USED, FROZEN, USED, USED, FROZEN]
    assert (table.time == np.datetime64("2018-06-01")).all()


def test_the_active_product_of_esa_cci_needs_a_porosity(tmp_path):
    path = write_cci(tmp_path / "ESACCI-SOILMOISTURE-L3S-SSMS-ACTIVE-20180601000000-fv08.1.nc", "percent",
                     [10, 20, 30, 40, 50, 60], [5.0] * 6, [0] * 6)
    with pytest.raises(InputError, match="percent of saturation, and the porosity is not known"):
        read_product(path, "esa_cci")
    table = read_product(path, "esa_cci", porosity=0.5)
    assert np.allclose(table.value, [0.05, 0.1, 0.15, 0.2, 0.25, 0.3]) and np.allclose(table.sigma, 0.025)
