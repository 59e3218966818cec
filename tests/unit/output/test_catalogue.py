"""Catalogue of products: the rules of STAC, versions, checksums, nothing that leads nowhere; and the feed."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.config.catalogue import CatalogueSection
from pyland.output.atomic import write_json
from pyland.output.catalogue import ItemFacts, damaged_assets, read_item, update_catalogue, write_item
from pyland.output.catalogue_extent import box_of_places, duration_words, geometry_of, joined_box
from pyland.output.pruning import prune

SETTINGS = CatalogueSection(identifier="basin", title="A basin", licence="CC-BY-4.0")
ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def product(root: Path, day: int, version: int = 1, alarm: str | None = None) -> Path:
    name = f"202006{day:02d}T0000" + (f"_v{version}" if version > 1 else "")
    folder = root / "products" / name
    folder.mkdir(parents=True)
    (folder / "analysis.nc").write_bytes(f"analysis {day} {version}".encode())
    (folder / "forecast.nc").write_bytes(b"forecast")
    (folder / ".forecast.nc.partial").write_bytes(b"half")
    if alarm is not None:
        write_json(folder / "alarms.json", {"alarms": [{"name": "dry", "status": alarm, "text": {"en": "It is dry."}}]})
    cycle = np.datetime64(f"2020-06-{day:02d}", "s")
    write_item(folder, ItemFacts(
        name, cycle, cycle - np.timedelta64(1, "D"), cycle + np.timedelta64(10, "D"), [99.5, 38.0, 100.5, 39.0],
        "abc123", version=version, stream="early" if version == 1 else "final", collection="basin",
        supersedes=None if version == 1 else name.partition("_")[0], code_version="0.1.0"))
    return folder


@pytest.fixture
def cycle(tmp_path):
    for day, alarm in ((1, None), (2, "raised"), (3, "ongoing")):
        product(tmp_path, day, alarm=alarm)
    product(tmp_path, 2, version=2, alarm="raised")
    update_catalogue(tmp_path, SETTINGS)
    return tmp_path


def check_links(document: dict, path: Path) -> None:
    for link in document["links"]:
        assert set(link) >= {"rel", "href", "type"}
        assert "://" not in link["href"], "links are relative"
        assert (path.parent / link["href"]).is_file(), (path, link)


def check_stac(root: Path) -> int:
    """Check the documents against what STAC 1.1.0 requires; return the number of items."""
    catalog_path, collection_path = root / "catalogue" / "catalog.json", root / "catalogue" / "collection.json"
    catalog, collection = (json.loads(one.read_text()) for one in (catalog_path, collection_path))
    assert set(catalog) >= {"type", "stac_version", "id", "description", "links"}
    assert catalog["type"] == "Catalog" and catalog["stac_version"] == "1.1.0"
    assert [one["rel"] for one in catalog["links"]] == ["root", "child"]
    assert set(collection) >= {"type", "stac_version", "id", "description", "license", "extent", "links"}
    assert collection["type"] == "Collection"
    west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
    assert -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
    (interval,) = collection["extent"]["temporal"]["interval"]
    assert len(interval) == 2
    for document, path in ((catalog, catalog_path), (collection, collection_path)):
        check_links(document, path)
    items = [collection_path.parent / one["href"] for one in collection["links"] if one["rel"] == "item"]
    for path in items:
        item = json.loads(path.read_text())
        assert set(item) >= {"type", "stac_version", "id", "geometry", "bbox", "properties", "links", "assets",
                             "collection", "stac_extensions"}
        assert item["type"] == "Feature" and item["id"] == path.parent.name
        assert item["collection"] == collection["id"]
        facts = item["properties"]
        times = [facts[name] for name in ("start_datetime", "datetime", "end_datetime")]
        assert all(MOMENT.fullmatch(one) for one in [*times, facts["updated"]]) and times == sorted(times)
        assert interval[0] <= times[0] and times[2] <= interval[1]
        assert {one["rel"] for one in item["links"]} >= {"root", "parent", "collection"}
        corners = np.array(item["geometry"]["coordinates"][0])
        assert (corners[0] == corners[-1]).all()
        assert item["bbox"] == [*corners.min(axis=0), *corners.max(axis=0)]
        for asset in item["assets"].values():
            content = (path.parent / asset["href"]).read_bytes()
            assert asset["file:size"] == len(content)
            assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
            assert set(asset) >= {"type", "roles"}
        check_links(item, path)
    return len(items)


def test_documents_follow_the_rules_of_stac(cycle):
    assert check_stac(cycle) == 4
    item = read_item(cycle / "products" / "20200601T0000" / "item.json")
    assert set(item["assets"]) == {"analysis", "forecast"}  # neither the item nor what is half written
    assert item["assets"]["analysis"]["type"] == "application/netcdf"
    assert item["properties"]["forecast:duration"] == "P10D"
    assert item["properties"]["forecast:reference_datetime"] == "2020-06-01T00:00:00Z"


def test_versions_refer_to_each_other(cycle):
    first, second = (read_item(cycle / "products" / name / "item.json") for name in ("20200602T0000",
                                                                                      "20200602T0000_v2"))
    links = {one["rel"]: one["href"] for one in first["links"]}
    assert links["successor-version"] == links["latest-version"] == "../20200602T0000_v2/item.json"
    assert first["properties"]["deprecated"] is True and first["properties"]["pyland:stream"] == "early"
    assert {one["rel"] for one in second["links"]} >= {"predecessor-version"}
    assert second["properties"]["deprecated"] is False and second["properties"]["version"] == "2"
    assert second["properties"]["pyland:supersedes"] == "20200602T0000"


def test_a_second_update_writes_nothing(cycle):
    files = [path for path in cycle.rglob("*.json")] + [cycle / "catalogue" / "feed.xml"]
    before = {path: path.stat().st_ino for path in files}
    update_catalogue(cycle, SETTINGS)
    assert {path: path.stat().st_ino for path in files} == before  # a file written anew is another file


def test_the_catalogue_leaves_a_product_before_it_is_removed(cycle):
    rules = type("Rules", (), {"cycles": 2, "monthly": 0, "yearly": 0, "superseded": 0})
    going = [one.name for one in prune(cycle / "products", rules, dry_run=True)]
    assert going == ["20200601T0000", "20200602T0000"]
    update_catalogue(cycle, SETTINGS, without=going)
    prune(cycle / "products", rules)
    assert check_stac(cycle) == 2
    newest = read_item(cycle / "products" / "20200602T0000_v2" / "item.json")
    assert "predecessor-version" not in {one["rel"] for one in newest["links"]}
    assert newest["properties"]["pyland:supersedes"] == "20200602T0000"  # what it replaced is still told


def test_damage_is_found(cycle):
    folder = cycle / "products" / "20200603T0000"
    assert damaged_assets(folder) == []
    (folder / "analysis.nc").write_bytes(b"Analysis 3 1")
    (folder / "forecast.nc").unlink()
    assert damaged_assets(folder) == ["analysis.nc", "forecast.nc"]
    (folder / "item.json").write_text("{")
    with pytest.raises(InputError, match=r"item\.json: not valid JSON"):
        update_catalogue(cycle, SETTINGS)


def test_feed_tells_products_and_changes_of_alarms(cycle):
    feed = ElementTree.parse(cycle / "catalogue" / "feed.xml").getroot()
    for tag in ("id", "title", "updated", "author"):
        assert feed.find(ATOM + tag) is not None
    entries = feed.findall(ATOM + "entry")
    identifiers = [one.findtext(ATOM + "id") for one in entries]
    assert identifiers == ["urn:pyland:basin:20200603T0000", "urn:pyland:basin:20200602T0000_v2:alarm:dry",
                           "urn:pyland:basin:20200602T0000_v2", "urn:pyland:basin:20200602T0000:alarm:dry",
                           "urn:pyland:basin:20200602T0000", "urn:pyland:basin:20200601T0000"]
    for entry in entries:
        assert MOMENT.fullmatch(entry.findtext(ATOM + "updated"))
        assert (cycle / "catalogue" / entry.find(ATOM + "link").get("href")).is_file()
    update_catalogue(cycle, CatalogueSection(identifier="basin", feed_entries=2))
    assert len(ElementTree.parse(cycle / "catalogue" / "feed.xml").getroot().findall(ATOM + "entry")) == 2
    update_catalogue(cycle, CatalogueSection(identifier="basin", feed=False))
    assert not (cycle / "catalogue" / "feed.xml").exists()


def test_products_without_files_or_with_wrong_times_are_refused(tmp_path):
    moment = np.datetime64("2020-06-01", "s")
    with pytest.raises(InputError, match="expected files of a product"):
        write_item(tmp_path, ItemFacts("20200601T0000", moment, moment, moment, [0, 0, 1, 1], "a"))
    with pytest.raises(InputError, match="start <= cycle <= end"):
        write_item(tmp_path, ItemFacts("20200601T0000", moment, moment, moment - 1, [0, 0, 1, 1], "a"))
    update_catalogue(tmp_path, CatalogueSection(), title="A case", description="What it is")
    assert check_stac(tmp_path) == 0
    catalog = json.loads((tmp_path / "catalogue" / "catalog.json").read_text())
    assert (catalog["title"], catalog["description"]) == ("A case", "What it is")


def test_boxes_on_the_circle_of_longitudes():
    assert box_of_places([10.0, 20.0, np.nan], [350.0, 5.0, 100.0]) == [-10.0, 10.0, 5.0, 20.0]
    fiji = box_of_places([-18.0, -16.0], [177.0, -179.0])
    assert fiji == [177.0, -18.0, -179.0, -16.0]
    assert geometry_of(fiji)["type"] == "MultiPolygon"
    assert geometry_of(box_of_places([1.0], [2.0])) == {"type": "Point", "coordinates": [2.0, 1.0]}
    assert joined_box([[1, 2, 3, 4], [0, 3, 2, 5]]) == [0, 2, 3, 5]
    assert joined_box([fiji, fiji]) == fiji
    assert joined_box([fiji, [0, 0, 1, 1]]) == [-180, -18, 180, 1]
    with pytest.raises(InputError, match="at least one place"):
        box_of_places([np.nan], [1.0])
    assert [duration_words(one) for one in (0, 129600, 21600, 864000)] == ["PT0S", "P1DT12H", "PT6H", "P10D"]


def test_a_name_with_a_blank_is_refused():
    with pytest.raises(ValueError, match="letters, digits"):
        CatalogueSection(identifier="my cycle")


def test_pystac_reads_the_catalogue(cycle):
    pystac = pytest.importorskip("pystac", reason="independent reader of catalogues, extra crosscheck")
    catalog = pystac.Catalog.from_file(str(cycle / "catalogue" / "catalog.json"))
    items = list(catalog.get_items(recursive=True))
    assert sorted(one.id for one in items) == [
        "20200601T0000", "20200602T0000", "20200602T0000_v2", "20200603T0000"]
    assert all(Path(asset.get_absolute_href()).is_file() for one in items for asset in one.assets.values())
    assert items[0].get_collection().id == "basin" and items[0].datetime is not None
