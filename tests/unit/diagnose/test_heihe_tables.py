"""The published tables of the Heihe basin as a test of the arithmetic of balance tables.

The numbers are those of ``data/heihe`` of the development data (README there: Li et al. 2018, J. Geophys. Res. Atmos.
123, 890-914, as a project presentation of 2023 prints them); a part of each table stands here, the whole is read where
the data are.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from pyland.diagnose.balance_columns import area_mean, ratio, to_volume, water_columns

DATA = Path(os.environ.get("PYLAND_SHARED") or Path(__file__).parents[4] / "shared") / "data" / "heihe"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the development data are not there")


def table(name):
    """Return the zones of a table as columns, and its printed total."""
    with (DATA / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))

    def column(key, part):
        return np.array([float(row[key]) if row[key] else np.nan for row in part])

    keys = [key for key in rows[0] if key not in ("zone", "elevation_m")]
    return ({key: column(key, rows[:-1]) for key in keys}, {key: column(key, rows[-1:])[0] for key in keys},
            [row["zone"] for row in rows[:-1]])


def columns_of(given):
    """Put what a table prints through the arithmetic of pyland."""
    names = {"precipitation": "precipitation_mm", "rainfall": "rainfall_mm", "snowfall": "snowfall_mm",
             "evapotranspiration": "et_mm", "runoff": "runoff_mm", "storage_change": "storage_change_mm"}
    depth = {name: given[key] for name, key in names.items() if key in given}
    return water_columns(depth, 1.0e6 * given["area_km2"])


def test_frozen_rows():
    """Glacier and alpine meadow of the upstream reach, cropland of the midstream, desert of the downstream reach."""
    upstream = water_columns({
        "rainfall": np.array([423.6, 445.0]), "snowfall": np.array([390.6, 177.3]), "runoff": np.array([976.9, 204.4]),
        "evapotranspiration": np.array([88.9, 406.2]), "storage_change": np.array([-251.6, 11.7])},
        np.array([60.0e6, 7083.9e6]))
    assert upstream["precipitation_mm"] == pytest.approx([814.2, 622.3])
    assert upstream["runoff_coefficient"].round(2).tolist() == [1.2, 0.33]
    assert np.abs(upstream["residual_mm"]).max() < 0.05
    crop = water_columns({"precipitation": np.array([204.3]), "evapotranspiration": np.array([569.0]),
                          "transpiration": np.array([0.73 * 569.0])}, np.array([3823.69e6]))
    assert crop["precipitation_1e9m3"].round(3).tolist() == [0.781]
    assert crop["et_1e9m3"].round(3).tolist() == [2.176] and crop["transpiration_fraction"][0] == pytest.approx(0.73)
    assert np.isnan(crop["runoff_coefficient"][0]) and np.isnan(crop["residual_mm"][0])
    desert = water_columns({"precipitation": np.array([51.7]), "evapotranspiration": np.array([58.2])},
                           np.array([85348.79e6]), {"streamflow": np.array([1.10e9])})
    assert desert["net_et_to_streamflow"][0] == pytest.approx(0.505, abs=0.006)
    assert desert["et_to_streamflow"][0] == pytest.approx(4.969 / 1.10, rel=1e-3)


@needs_data
def test_upstream_closes_to_rounding():
    given, total, _ = table("upstream")
    found = columns_of(given)
    assert found["rainfall_mm"] + found["snowfall_mm"] == pytest.approx(found["precipitation_mm"], abs=0.051)
    assert found["runoff_coefficient"] == pytest.approx(given["runoff_coefficient"], abs=0.0051)
    assert np.abs(found["residual_mm"]).max() <= 0.11
    area = given["area_km2"]
    assert area.sum() == pytest.approx(14686.3) and total["area_km2"] == 14694.1  # the printed sum is wrong by 7.8
    for name in ("precipitation_mm", "rainfall_mm", "snowfall_mm", "et_mm", "runoff_mm", "storage_change_mm"):
        assert area_mean(found[name], area) == pytest.approx(total[name], abs=0.11), name
    assert ratio(total["runoff_mm"], total["precipitation_mm"]).round(2) == total["runoff_coefficient"]
    volumes = [float(to_volume(total[name], 1.0e6 * total["area_km2"])) for name in
               ("precipitation_mm", "et_mm", "runoff_mm")]
    assert volumes == pytest.approx([8.66, 5.53, 3.04], abs=0.006)  # the text has 5.54 for ET


@needs_data
@pytest.mark.parametrize("name", ["midstream", "downstream"])
def test_volumes_are_depths_on_areas(name):
    given, total, _ = table(name)
    found = columns_of(given)
    for term in ("precipitation", "et"):
        printed = given[f"{term}_1e9m3"]
        half_a_unit = 0.0005 + to_volume(0.05, 1.0e6 * given["area_km2"])
        assert (np.abs(found[f"{term}_1e9m3"] - printed) <= 1.05 * half_a_unit).all()
        assert printed.sum() == pytest.approx(total[f"{term}_1e9m3"], abs=0.0011 + 0.0005 * len(printed))
        assert area_mean(found[f"{term}_mm"], given["area_km2"]) == pytest.approx(total[f"{term}_mm"], abs=0.1)
    assert given["area_km2"].sum() == pytest.approx(total["area_km2"], abs=0.011)


@needs_data
def test_midstream_evaporates_what_rivers_bring():
    _, total, _ = table("midstream")
    assert total["et_1e9m3"] - total["precipitation_1e9m3"] == pytest.approx(1.792)


@needs_data
def test_downstream_ratios():
    given, _, zones = table("downstream")
    found = water_columns({"precipitation": given["precipitation_mm"], "evapotranspiration": given["et_mm"]},
                          1.0e6 * given["area_km2"], {"streamflow": np.full(len(zones), 1.10e9)})
    printed, desert = given["et_to_streamflow"], zones.index("desert")
    known = np.isfinite(printed)
    assert found["et_to_streamflow"][known] == pytest.approx(printed[known], abs=0.0011)
    assert found["net_et_to_streamflow"][desert] == pytest.approx(0.51, abs=0.01)
    assert 1.0 - printed[known].sum() == pytest.approx(0.34, abs=0.005)  # what the text quotes for the desert
