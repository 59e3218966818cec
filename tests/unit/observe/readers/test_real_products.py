"""Real files: counts of values equal an independent read, value for value."""

import json

import netCDF4
import numpy as np

from pyland.base.observation_reasons import BAD_ERROR, FROZEN, QUALITY, SNOW, USED
from pyland.observe import read_product, read_table, table_within, write_table

CELL, ORBIT = "ascat/H110_1324_cell_timeseries.nc", "ascat/METOPA_ASCAT_20170220041500_250_ssm_l2.nc"
CCI = "esa_cci/ESACCI-SOILMOISTURE-L3S-SSMV-COMBINED-20160607000000-fv05.2.nc"


def raw(path, *names):
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return [file[name][:] for name in names]


def test_ascat_cell_file(shared_data):
    path = shared_data / "observations" / CELL
    table = read_product(path, "ascat_cells", porosity=0.45)
    moisture, noise, processing, correction, state, sizes, time, numbers = raw(
        path, "sm", "sm_noise", "proc_flag", "corr_flag", "ssf", "row_size", "time", "location_id")
    valid = moisture != 127
    assert table.size == valid.sum() == 228817
    assert json.loads(table.provenance["left_out"]) == {"no_value": 626}
    flag = np.where((processing != 0) | ((correction & 0b101100) != 0), QUALITY, USED)
    flag[(state == 2) | (state == 4)] = FROZEN
    flag[state == 3] = SNOW
    flag[(flag == USED) & (noise <= 0)] = BAD_ERROR
    assert table.counts() == {"used": int((flag[valid] == USED).sum()), "rejected_by_quality_flag": 22,
                              "frozen_ground": 4606, "snow_covered": 494}
    place = np.repeat(numbers, sizes)[valid]
    days = time[valid]
    for number in np.unique(numbers)[::100]:  # whole series of some places
        mine, theirs = table.location == number, place == number
        assert (table.value[mine] == 0.45 * 0.01 * moisture[valid][theirs].astype(float)).all() or np.allclose(
            table.value[mine], 0.0045 * moisture[valid][theirs])
        seconds = (table.time[mine] - np.datetime64("1900-01-01T00:00:00")).astype(float)
        assert np.abs(seconds - days[theirs] * 86400.0).max() <= 0.51


def test_ascat_orbit_file(shared_data):
    path = shared_data / "observations" / ORBIT
    table = read_product(path, "ascat_swath", porosity=0.45)
    moisture, error, latitude, frozen, lines = raw(
        path, "soil_moisture", "soil_moisture_error", "latitude", "frozen_soil_probability", "utc_line_nodes")
    valid = moisture != 65535
    assert table.size == valid.sum() == 15372  # as its makers say
    assert np.isclose(table.value.sum(), 0.45 * 1e-4 * moisture[valid].astype(float).sum())
    assert np.isclose(table.sigma.sum(), 0.45 * 1e-4 * error[valid].astype(float).sum())
    assert np.allclose(np.sort(table.latitude), np.sort(latitude[valid]) * 1e-6)
    assert (table.counts()["frozen_ground"]) == (frozen[valid] > 50).sum()
    first = np.timedelta64(int(lines[valid.any(1)].min()), "s")
    assert table.time.min() == np.datetime64("2000-01-01T00:00:00") + first
    assert (table.footprint == 50e3).all() and set(table.extra["satellite"]) == {"Metop-A"}
    box = (40.0, 70.0, 60.0, 130.0)
    assert read_product(path, "ascat_swath", porosity=0.45, bounds=box).size == table_within(table, bounds=box).size > 0


def test_ascat_orbit_backscatter(shared_data):
    path = shared_data / "observations" / ORBIT
    table = read_product(path, "ascat_swath", type="backscatter")
    sigma, = raw(path, "sigma40")
    valid = sigma != -(2**31)
    assert table.size == valid.sum() and np.isclose(table.value.sum(), 1e-6 * sigma[valid].astype(float).sum())
    assert (table.incidence_angle == 40.0).all() and table.type == "backscatter"


def test_esa_cci_day(shared_data):
    path = shared_data / "observations" / CCI
    table = read_product(path, "esa_cci")
    moisture, uncertainty, start = (one[0] for one in raw(path, "sm", "sm_uncertainty", "t0"))
    valid = moisture != -9999.0
    assert table.size == valid.sum() == 170984
    assert table.counts() == {"used": int((uncertainty[valid] != -9999.0).sum()), "error_not_positive": 8373}
    order = np.lexsort((table.location,))
    assert (table.location[order] == np.flatnonzero(valid)).all()
    assert (table.value[order] == moisture[valid].astype(float)).all()
    seconds = (table.time[order] - np.datetime64("1970-01-01T00:00:00")).astype(float)
    assert np.abs(seconds - start[valid] * 86400.0).max() <= 0.51
    assert table.product == "ESA CCI SM COMBINED" and table.provenance["product_version"] == "05.2"


def test_daspy_samples_by_mapping(shared_data):
    folder = shared_data / "observations" / "daspy_rur"
    table = read_product(folder / "MODIS-LST-*.nc", "mapped", mapping="daspy_rur_lst")
    temperature, quality = (np.stack(one) for one in zip(
        *(raw(path, "LST_1km", "QC") for path in sorted(folder.glob("MODIS-LST-*.nc"))), strict=True))
    valid = np.isfinite(temperature)
    bits = quality[valid].astype(int)
    good = np.isin(bits & 3, (0, 1)) & np.isin(bits & 192, (0, 64))
    assert table.size == valid.sum() == 18367 and table.used.sum() == good.sum() == 18355
    assert np.isclose(table.value.mean(), 0.02 * temperature[valid].astype(float).mean())
    for name, variable, kind in (("SM-2010-08-31-06", "SM", "soil_moisture"), ("TB-2010-06-05", "TB", "brightness"),
                                 ("Neutron-2010-08-31-06", "Neutron", "neutrons")):
        table = read_product(folder / f"{name}.nc", "mapped", mapping=f"daspy_rur_{kind}")
        field, = raw(folder / f"{name}.nc", variable)
        assert table.size == (field != -9999.0).sum() > 1000
        assert np.allclose(np.sort(table.value), np.sort(field[field != -9999.0]).astype(float))


def test_tables_of_a_product_return_from_their_file_and_are_cut(shared_data, tmp_path):
    box, period = (45.0, 55.0, 0.0, 20.0), ("2016-06-07", "2016-06-07T12:00")
    table = read_product(shared_data / "observations" / CCI, "esa_cci", bounds=box)
    write_table(tmp_path / "cci.nc", table)
    assert read_table(tmp_path / "cci.nc").provenance == table.provenance
    again = read_product(tmp_path / "cci.nc", period=period, bounds=(48.0, 50.0, 5.0, 10.0))
    direct = read_product(shared_data / "observations" / CCI, "esa_cci", period=period, bounds=(48.0, 50.0, 5.0, 10.0))
    assert (again.value == direct.value).all() and (again.time == direct.time).all() and again.size > 20
    assert again.provenance["reader"] == "esa_cci", "what made the table stays known"
