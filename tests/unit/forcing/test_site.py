"""Descriptions of stations."""

import json

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing.site import TEXTURE_CLASSES, leaf_area_from_note, read_site, texture_from_note

STATIONS = ("CN-Cng", "FR-CdP", "SE-Svb", "US-Bo1", "US-NC2", "US-RME", "US-Wkg")


@pytest.mark.parametrize("station", STATIONS)
def test_all_stations_have_place_height_soil(shared_data, station):
    site = read_site(shared_data / "sites" / f"{station}.nc")
    assert site.name == station
    assert abs(site.latitude) <= 90.0 and abs(site.longitude) <= 180.0 and site.elevation >= 0.0
    assert site.reference_height > 0.0 and site.canopy_top > 0.0
    assert site.plant_type in range(1, 17)
    assert len(site.soil_bottom) == len(site.sand) == len(site.clay)
    assert all(0.0 < s + c <= 100.0 for s, c in zip(site.sand, site.clay, strict=True))
    assert site.end > site.start and site.interval in {1800, 3600}
    assert "soil" in site.found and ("leaf_area_index" in site.found) == (site.leaf_area_index is not None)


def test_what_the_stations_say(shared_data):
    sites = {s: read_site(shared_data / "sites" / f"{s}.nc") for s in STATIONS}
    assert sites["US-Wkg"].sand == (67.0,) and sites["US-Wkg"].clay == (16.0,)
    assert sites["US-Wkg"].leaf_area_index == (0.3,) * 7 + (1.0, 1.0) + (0.3,) * 3
    assert sites["CN-Cng"].leaf_area_index[6] == pytest.approx(1.55)
    assert len(sites["CN-Cng"].sand) == 10
    assert sites["US-NC2"].organic[0] == 580.0
    assert sites["US-NC2"].leaf_area_index == (3.85,) * 12
    assert sites["SE-Svb"].leaf_area_index == (3.0,) * 12
    assert sites["SE-Svb"].utc_offset == 1.0
    assert sites["US-Bo1"].leaf_area_index[0] == 0.05 and sites["US-Bo1"].leaf_area_index[6] > 4.0
    assert sites["FR-CdP"].temperature_height == 1.5
    assert (sites["FR-CdP"].sand, sites["FR-CdP"].clay) == ((60.0,), (30.0,))
    assert sites["US-RME"].leaf_area_index is None


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("LAI 1.0-3.0", (2.0,) * 12),
        ("LAI-2000 annual means 3.3-4.4 (2006-), MODIS 4.4-4.7", (3.85,) * 12),
        ("1-2, peak unknown", (1.5,) * 12),
        ("0.2-0.4 dry, ~1.2 peak (Nov-Feb)", (1.2, 1.2, *(0.3,) * 8, 1.2, 1.2)),
        ("measured 2001-2005", None),
        ("dense", None),
        ("", None),
    ],
)
def test_leaf_area_from_note(note, expected):
    assert leaf_area_from_note(note) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("30% clay 60% sand 10% silt", (60.0, 30.0)),
        ("gravelly sandy loam, ~67% sand 16% clay", (67.0, 16.0)),
        ("25 % silt, 15 % clay", (60.0, 15.0)),
        ("podzol on sandy loam", TEXTURE_CLASSES["sandy loam"]),
        ("Silty Clay Loam", TEXTURE_CLASSES["silty clay loam"]),
        ("loam", TEXTURE_CLASSES["loam"]),
        ("90% sand 20% clay", TEXTURE_CLASSES["sand"]),
        ("Histosol", None),
    ],
)
def test_texture_from_note(note, expected):
    found = texture_from_note(note)
    assert (found if found is None else found[:2]) == expected


def test_bare_file(write, make_dataset):
    dataset = make_dataset()
    dataset.attrs = {}
    site = read_site(write(dataset, "bare.nc"))
    assert site.name == "bare"
    assert (
        site.latitude is None and site.leaf_area_index is None and site.sand is None and site.reference_height is None
    )
    assert site.found == {} and site.utc_offset == 0.0


def test_wrong_tables(write, dataset):
    dataset.attrs["soil_clm10"] = "no json"
    with pytest.raises(InputError, match="soil_clm10"):
        read_site(write(dataset))
    dataset.attrs["soil_clm10"] = json.dumps({"sand_pct": [50, 60], "clay_pct": [20, 10]})
    site = read_site(write(dataset, "two.nc"))
    assert site.soil_bottom == (0.0175, 0.0451) and site.clay == (20.0, 10.0) and site.organic is None
    dataset["LAI_monthly"] = ("month", np.full(12, np.nan))
    with pytest.raises(InputError, match="LAI_monthly"):
        read_site(write(dataset, "lai.nc"))
