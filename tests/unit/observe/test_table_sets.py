"""Tables become sets: every row is somewhere, places and times are right, whatever the order."""

from __future__ import annotations

import logging

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.base.observation_reasons import QUALITY, USED
from pyland.observe import (
    ObservationTable,
    TargetCells,
    make_observations,
    read_product,
    sets_from_table,
    table_of_sets,
)
from pyland.observe.target_cells import EARTH_RADIUS

START, END = np.datetime64("2018-06-01", "s"), np.datetime64("2018-06-03", "s")
DEGREE = np.deg2rad(1.0) * EARTH_RADIUS
NY, NX, SIZE = 20, 30, 1000.0


def target():
    y, x = np.meshgrid((np.arange(NY) - 9.5) * SIZE, (np.arange(NX) - 14.5) * SIZE, indexing="ij")
    latitude = 51.0 + y / DEGREE
    longitude = 7.0 + x / (DEGREE * np.cos(np.deg2rad(latitude)))
    return TargetCells(latitude.ravel(), longitude.ravel(), x.ravel(), y.ravel(), SIZE)


def table(hours, latitude, longitude, **more):
    count = np.broadcast(hours, latitude, longitude).size
    time = START + np.broadcast_to(np.asarray(hours) * 3600, count).astype("timedelta64[s]")
    return ObservationTable("product", "soil_moisture", np.linspace(0.1, 0.4, count), time, latitude, longitude, **{
        "sigma": 0.03, "top": 0.0, "bottom": 0.05} | more)


def sets(one, **more):
    return sets_from_table(one, target(), **{"name": "one", "start": START, "end": END, "step": 21600.0,
                                             "error": 0.04} | more)


def test_an_observation_belongs_to_the_first_analysis_that_is_not_before_it():
    one = table([0.5, 6.0, 6.5, 12.0, 40.0], 51.0, 7.0, location=7)
    found = sets(one, same_place="keep")
    hours = [(each.time - START) / np.timedelta64(1, "h") for each in found]
    assert hours == [6, 12, 42] and [each.size for each in found] == [2, 2, 1]
    assert (found[0].location == 7).all() and found[0].variance == pytest.approx(9e-4)
    assert (found[0].top, found[0].bottom) == (0.0, 0.05)


def test_every_row_is_counted(caplog):
    one = table([0.0, 1.0, 2.0, 49.0, 3.0], [51.0, 51.0, 60.0, 51.0, 51.01], 7.0,
                flag=np.array([USED, USED, USED, USED, QUALITY], np.int8))
    with caplog.at_level(logging.INFO, logger="pyland"):
        found = sets(one)
    assert "5 rows; 2 outside the period, 1 outside the domain" in caplog.text
    assert "1 used, 1 rejected_by_quality_flag; 0 averaged" in caplog.text
    assert sum(each.size for each in found) == 2


def test_the_mean_of_a_place_leaves_rejected_rows_out():
    one = table([1.0, 2.0, 3.0, 4.0, 5.0, 5.5], 51.0, 7.0, location=[1, 1, 1, 1, 2, 3])
    one.value[:] = [0.2, 0.25, 0.9, 0.30, 0.4, np.nan]
    one.flag[[2, 5]] = QUALITY
    one.sigma[:4] = [0.01, 0.02, 0.5, 0.03]
    found = sets(one)[0]
    assert found.location.tolist() == [1, 2, 3] and found.flags.tolist() == [USED, USED, QUALITY]
    assert found.values[0] == pytest.approx(0.25) and found.variance[0] == pytest.approx(14e-4 / 3.0)
    assert found.values[1] == one.value[4]


@pytest.mark.parametrize("weights", ["uniform", "square", "gaussian", "hamming"])
def test_footprints_beyond_the_domain_are_told(weights, caplog):
    """30 by 20 km: in the middle all is seen, at the middle of the edge half, in a corner a quarter."""
    x, y = np.array([0.0, -14999.0, -14999.0]), np.array([0.0, 0.0, -9999.0])
    assert target().covered(x, y, 6000.0, weights) == pytest.approx([1.0, 0.5, 0.25], abs=0.08)
    assert target().covered(x, y, 1000.0, weights).tolist() == [1.0, 1.0, 1.0]
    one = table([1.0, 2.0, 3.0], 51.0 + y / DEGREE, 7.0 + x / (DEGREE * np.cos(np.deg2rad(51.0 + y / DEGREE))))
    with caplog.at_level(logging.WARNING, logger="pyland"):
        sets(one, footprint=6000.0, footprint_weights=weights)
    assert "of 1 of 3 used observations" in caplog.text or "of 2 of 3 used observations" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="pyland"):
        sets(one, footprint=0.0)
    assert not caplog.text


def test_angles_polarisations_and_depths_are_seen_apart():
    one = table(1.0, 51.0, 7.0 + 0.01 * np.arange(4), incidence_angle=[40.1, 40.9, 41.2, 40.5],
                extra={"polarisation": np.array(["H", "H", "H", "V"])}, bottom=[0.05, 0.05, 0.05, 0.05])
    found = sets(one, settings={"incidence_angle": 10.0, "albedo": 0.05})
    seen = [(each.settings["polarisation"], each.settings["incidence_angle"], each.size) for each in found]
    assert seen == [("H", 40.5, 2), ("H", 41.5, 1), ("V", 40.5, 1)] and found[0].settings["albedo"] == 0.05
    assert len(np.unique(np.concatenate([each.location for each in found]))) == 4
    assert len(sets(one, angle_bin=5.0)) == 2


def test_errors_of_the_table_or_of_the_case():
    one = table(1.0, 51.0, [7.0, 7.05], sigma=[np.nan, 0.02])
    assert np.sqrt(sets(one)[0].variance) == pytest.approx([0.04, 0.02])
    assert np.sqrt(sets(one, with_sigma=False)[0].variance) == pytest.approx([0.04, 0.04])


def test_footprints_of_the_table_or_of_the_case():
    one = table(1.0, 51.0, [7.0, 7.05], footprint=[0.0, 3000.0])
    count = (sets(one)[0].cells >= 0).sum(axis=1)
    assert count[0] == 1 and 4 <= count[1] <= 9
    cells = sets(one, footprint=4000.0, footprint_weights="square")[0]
    assert ((cells.cells >= 0).sum(axis=1) >= 16).all() and np.ptp(cells.weights[cells.cells >= 0]) < 0.02


@pytest.mark.parametrize(("weights", "diameter"), [("uniform", 9000.0), ("gaussian", 4000.0), ("hamming", 6000.0),
                                                   ("square", 5000.0)])
def test_footprints_are_those_of_a_search_over_all_pairs(weights, diameter):
    cells = target()
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-17e3, 17e3, 60), rng.uniform(-12e3, 12e3, 60)
    found, share = cells.footprints(x, y, diameter, weights)
    for row in range(60):
        east, north = np.abs(cells.x - x[row]), np.abs(cells.y - y[row])
        r = np.hypot(east, north)
        expected = {"uniform": r <= 0.5 * diameter,
                    "gaussian": (r <= 1.5 * diameter) * 2.0 ** -((2 * r / diameter) ** 2),
                    "hamming": (r <= diameter) * (0.54 + 0.46 * np.cos(np.pi * r / diameter)),
                    "square": np.maximum(east, north) <= 0.5 * diameter}[weights].astype(float)
        if not expected.any():
            expected[r.argmin()] = 1.0
        mine = found[row][found[row] >= 0]
        assert mine.tolist() == np.flatnonzero(expected).tolist()
        assert share[row][: mine.size] == pytest.approx(expected[mine] / expected.sum())
        assert (share[row][mine.size:] == 0.0).all()


def test_the_window_of_ascat_is_one_half_at_half_its_reach():
    line = TargetCells(np.zeros(3), np.zeros(3), np.array([0.0, 12.5e3, 25e3]), np.zeros(3), 12.5e3)
    _, share = line.footprints(0.0, 0.0, 25e3, "hamming")
    assert share[0] / share[0, 0] == pytest.approx([1.0, 0.54, 0.08])


def test_a_twin_and_its_table_are_the_same_sets():
    cells = target()
    made = [make_observations(np.full(cells.x.size, 0.25), START + np.timedelta64(6 * k, "h"), cells.x, cells.y,
                              name="one", error=0.03, seed=4, fraction=0.4, gaps=0.3, coverage="swath",
                              settings={"incidence_angle": 40.5, "polarisation": "V"}) for k in (1, 2)]
    assert 0.4 * 0.6 * cells.x.size < made[0].size < 0.4 * 0.8 * cells.x.size
    back = sets(table_of_sets(made, cells, product="one"), settings={})
    for one, again in zip(made, back, strict=True):
        assert one.time == again.time and np.array_equal(one.cells, again.cells)
        assert np.array_equal(one.values, again.values) and again.variance == pytest.approx(one.variance)
        assert again.x == pytest.approx(one.x, abs=1e-3) and dict(one.settings) == dict(again.settings)


@pytest.mark.parametrize(("rows", "options", "message"), [
    ((1.0, 10.0, 7.0), {}, "all 1 rows of the period lie outside the domain; the first at latitude 10"),
    ((99.0, 51.0, 7.0), {}, "none of the 1 rows lies after 2018-06-01"),
    ((1.0, 51.0, 7.0), {"same_place": "best"}, "same_place must be one of mean, keep"),
    ((1.0, 51.0, 7.0), {"error": 0.0}, "must be positive and step a whole number of seconds"),
    ((1.0, 51.0, 7.0), {"step": 0.5}, "must be positive and step a whole number of seconds"),
])
def test_what_cannot_be_is_said(rows, options, message):
    with pytest.raises(InputError, match=message):
        sets(table(*rows), **options)


def test_a_real_day_of_esa_cci_lies_on_its_cells(shared_data):
    """Cells that are those of the product: each valid value of an independent read stands in its cell, no other."""
    path = shared_data / "observations/esa_cci/ESACCI-SOILMOISTURE-L3S-SSMV-COMBINED-20160607000000-fv05.2.nc"
    south, west, ny, nx = 40.125, -4.875, 40, 60
    latitude, longitude = (one.ravel() for one in np.meshgrid(
        south + 0.25 * np.arange(ny), west + 0.25 * np.arange(nx), indexing="ij"))
    cells = TargetCells(latitude, longitude, longitude * 7e4, latitude * DEGREE, 25e3)
    with netCDF4.Dataset(path) as file:
        rows = np.searchsorted(-file["lat"][:].filled(), -(south + 0.25 * np.arange(ny)))
        columns = np.searchsorted(file["lon"][:].filled(), west + 0.25 * np.arange(nx))
        values = np.ma.filled(file["sm"][0], np.nan)[np.ix_(rows, columns)].ravel()
        flag = np.ma.filled(file["flag"][0], 0)[np.ix_(rows, columns)].ravel()
        error = np.ma.filled(file["sm_uncertainty"][0], np.nan)[np.ix_(rows, columns)].ravel()
    table = read_product(path, "esa_cci", bounds=(40.0, 50.0, -5.0, 10.0))
    day = np.datetime64("2016-06-06T00", "s")
    found = sets_from_table(table, cells, name="cci", start=day, end=day + np.timedelta64(3, "D"), step=3 * 86400.0,
                            error=0.04, depth=(0.0, 0.05), footprint=0.0)
    used = found[0].used
    expected = np.flatnonzero(np.isfinite(values) & (flag == 0) & (error > 0))
    assert len(found) == 1 and used.sum() == expected.size == 1404
    assert found[0].size == np.isfinite(values).sum()
    order = np.argsort(found[0].cells[used, 0])
    assert found[0].cells[used, 0][order].tolist() == expected.tolist()
    assert found[0].values[used][order] == pytest.approx(values[expected], rel=1e-6)
