"""Catalogue of the products of a cycle: catalog, collection and one item per product, as STAC 1.1 has them.

``catalogue/catalog.json`` leads to ``catalogue/collection.json``, and this to ``products/<name>/item.json``. All links
are relative, so that the folder may be moved or served as it is. An item says where and when its product is, how it
came to be and which files it has, with their sizes and checksums; it is written with the product. What depends on other
products (which version is the newest) is brought up to date by :func:`update_catalogue`, which reads the items alone.

References
----------
.. [1] SpatioTemporal Asset Catalog specification 1.1.0, https://github.com/radiantearth/stac-spec, and its extensions
   file 2.1.0, version 1.2.0, forecast 0.2.0 and processing 1.2.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import pyland
from pyland.base.checksums import sha256_of_file
from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.output.atomic import plain, write_json
from pyland.output.catalogue_extent import Box, duration_words, geometry_of, joined_box, utc_text
from pyland.output.pruning import cycle_products

STAC_VERSION = "1.1.0"
_EXTENSION = "https://stac-extensions.github.io/{}/schema.json"
EXTENSIONS = tuple(_EXTENSION.format(one) for one in ("file/v2.1.0", "version/v1.2.0", "processing/v1.2.0"))
FORECAST_EXTENSION = _EXTENSION.format("forecast/v0.2.0")

ITEM, COLLECTION, CATALOG, FEED = "item.json", "collection.json", "catalog.json", "feed.xml"
PRODUCTS, CATALOGUE = "products", "catalogue"
"""Folders below that of a cycle."""

JSON, GEOJSON = "application/json", "application/geo+json"
MEDIA_TYPES = {".nc": "application/netcdf", ".json": JSON, ".csv": "text/csv", ".png": "image/png",
               ".xml": "application/xml", ".yaml": "application/yaml", ".tif": "image/tiff; application=geotiff",
               ".txt": "text/plain", ".log": "text/plain", ".md": "text/markdown"}
_OTHER_MEDIA = "application/octet-stream"
_ROLES = {".nc": ["data"], ".tif": ["data"], ".csv": ["data"], ".png": ["overview"]}

SHA256_MULTIHASH = "1220"
"""Prefix of a SHA-256 checksum of 32 bytes as a multihash, which the file extension asks for."""

_VERSION_LINKS = ("predecessor-version", "successor-version", "latest-version")

_log = get_logger("output.catalogue")


class CatalogueSettings(Protocol):
    """What the catalogue says, as `pyland.config.catalogue.CatalogueSection` has it."""

    identifier: str
    title: str | None
    description: str | None
    licence: str
    provider: str | None
    keywords: list[str]
    feed: bool
    feed_entries: int


@dataclass(frozen=True)
class ItemFacts:
    """What a product says of itself.

    Attributes
    ----------
    name : str
        Name of its folder, unique in the cycle: ``20200601T0000`` or ``20200601T0000_v2``.
    cycle : datetime or datetime64
        Time of the analysis, from which the forecast starts [UTC].
    start, end : datetime or datetime64
        First and last time that its files hold [UTC].
    box : list of float
        West, south, east, north [degrees], see `pyland.output.catalogue_extent.box_of_places`.
    config_hash : str
        From `pyland.output.provenance.hash_of_config`.
    version : int
        1 for the first run of the cycle.
    stream : str
        ``final`` or ``early``: the least final of the inputs that it was made from.
    supersedes : str or None
        Name of the product that it replaces.
    collection : str
        Name of its collection.
    published : datetime or datetime64, optional
        When it came out [UTC]; None: the end of its analysis, so that a repeated cycle gives the same item.
    code_version : str
        Version of pyland.
    properties : mapping
        Further properties; names other than those of STAC begin with ``pyland:``.
    """

    name: str
    cycle: Any
    start: Any
    end: Any
    box: Box
    config_hash: str
    version: int = 1
    stream: str = "final"
    supersedes: str | None = None
    collection: str = "pyland-cycle"
    published: Any = None
    code_version: str = pyland.__version__
    properties: Mapping[str, Any] = field(default_factory=dict)


def write_item(product_dir: str | Path, facts: ItemFacts) -> Path:
    """Write ``item.json`` of a product whose other files are complete.

    Parameters
    ----------
    product_dir : str or Path
        Folder of the product, which may not have its final name yet; all its files become assets, but for hidden ones.
    facts : ItemFacts
        What it is.

    Returns
    -------
    Path
        The item.

    Raises
    ------
    InputError
        If the times do not ascend, or the folder has no file.
    """
    folder = Path(product_dir)
    start, cycle, end = (np.datetime64(one, "s") for one in (facts.start, facts.cycle, facts.end))
    if not start <= cycle <= end:
        raise InputError(f"{folder}: expected start <= cycle <= end of a product, got {start}, {cycle} and {end}.")
    assets = _assets(folder)
    if not assets:
        raise InputError(f"{folder}: expected files of a product, got none; write the item after them.")
    lead = (end - cycle) / np.timedelta64(1, "s")
    properties = {
        "title": f"{facts.collection} {cycle}".replace("T", " "),
        "datetime": utc_text(cycle),
        "start_datetime": utc_text(start),
        "end_datetime": utc_text(end),
        "updated": utc_text(cycle if facts.published is None else facts.published),
        "version": str(facts.version),
        "deprecated": False,
        "processing:software": {"pyland": facts.code_version},
        "pyland:cycle": utc_text(cycle),
        "pyland:stream": facts.stream,
        "pyland:config_hash": facts.config_hash,
        "pyland:supersedes": facts.supersedes,
    }
    extensions = list(EXTENSIONS)
    if lead > 0.0:
        extensions.append(FORECAST_EXTENSION)
        properties |= {"forecast:reference_datetime": utc_text(cycle), "forecast:duration": duration_words(lead)}
    item = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": extensions,
        "id": facts.name,
        "collection": facts.collection,
        "bbox": list(facts.box),
        "geometry": geometry_of(facts.box),
        "properties": properties | dict(facts.properties),
        "links": [
            {"rel": "root", "href": f"../../{CATALOGUE}/{CATALOG}", "type": JSON},
            {"rel": "parent", "href": f"../../{CATALOGUE}/{COLLECTION}", "type": JSON},
            {"rel": "collection", "href": f"../../{CATALOGUE}/{COLLECTION}", "type": JSON},
        ],
        "assets": assets,
    }
    write_json(folder / ITEM, item)
    return folder / ITEM


def _assets(folder: Path) -> dict[str, Any]:
    """Return the files of a product by name without suffix, or by their whole name where two would have the same."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / ITEM
             and not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    short = [path.relative_to(folder).with_suffix("").as_posix().replace("/", "_") for path in files]
    out = {}
    for path, name in zip(files, short, strict=True):
        key = name if short.count(name) == 1 else path.relative_to(folder).as_posix().replace("/", "_")
        out[key] = {
            "href": f"./{path.relative_to(folder).as_posix()}",
            "type": MEDIA_TYPES.get(path.suffix, _OTHER_MEDIA),
            "title": name.replace("_", " "),
            "roles": _ROLES.get(path.suffix, ["metadata"]),
            "file:size": path.stat().st_size,
            "file:checksum": SHA256_MULTIHASH + sha256_of_file(path),
        }
    return out


def damaged_assets(product_dir: str | Path) -> list[str]:
    """Return which files of a product differ from what its item says: missing, of another size or checksum.

    Raises
    ------
    InputError
        If the item is missing or is no JSON.
    """
    folder = Path(product_dir)
    wrong = []
    for asset in read_item(folder / ITEM)["assets"].values():
        path = folder / asset["href"]
        is_whole = (path.is_file() and path.stat().st_size == asset["file:size"]
                    and SHA256_MULTIHASH + sha256_of_file(path) == asset["file:checksum"])
        if not is_whole:
            wrong.append(path.relative_to(folder).as_posix())
    return wrong


def read_item(path: str | Path) -> dict[str, Any]:
    """Read an item.

    Raises
    ------
    InputError
        If it is missing or not an item.
    """
    path = Path(path)
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; a product has an item.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from error
    if not isinstance(item, dict) or item.get("type") != "Feature" or not {"id", "assets", "properties"} <= set(item):
        raise InputError(f"{path}: expected an item of a catalogue (a GeoJSON feature with id, properties and assets).")
    return item


def update_catalogue(root: str | Path, settings: CatalogueSettings, without: Iterable[str] = (), *,
                     title: str = "", description: str = "") -> Path:
    """Write collection and catalog anew from the products that are there, and the feed if asked for.

    Parameters
    ----------
    root : str or Path
        Folder of the cycle, with ``products``.
    settings : CatalogueSettings
        What the catalogue says.
    without : iterable of str
        Names of products that are left out because they are about to be removed: the catalogue then never leads to a
        product that is gone, whatever happens in between.
    title, description : str
        Of the case, where the settings have none.

    Returns
    -------
    Path
        ``catalog.json``. Nothing is written that is there already; each file is replaced as a whole.

    Raises
    ------
    InputError
        If an item is damaged.
    """
    root = Path(root)
    hidden = set(without)
    items: dict[str, dict[str, Any]] = {}
    versions: dict[np.datetime64, list[str]] = {}
    for product in cycle_products(root / PRODUCTS):
        if product.path.name in hidden:
            continue
        if not (product.path / ITEM).exists():
            _log.warning("%s has no item.json; the catalogue leaves it out.", product.path)
            continue
        items[product.path.name] = read_item(product.path / ITEM)
        versions.setdefault(product.cycle, []).append(product.path.name)
    for names in versions.values():
        for place, name in enumerate(names):
            _tell_versions(items[name], names, place)
            _write_if_new(root / PRODUCTS / name / ITEM, items[name])
    folder = root / CATALOGUE
    words = (settings.title or title or settings.identifier,
             settings.description or description or "Analyses and forecasts of a land data assimilation cycle.")
    _write_if_new(folder / COLLECTION, _collection(settings, items, *words))
    _write_if_new(folder / CATALOG, _catalog(settings, *words))
    if settings.feed:
        from pyland.output.news_feed import write_feed

        write_feed(folder / FEED, settings, items, root / PRODUCTS, words[0])
    else:
        (folder / FEED).unlink(missing_ok=True)
    return folder / CATALOG


def _tell_versions(item: dict[str, Any], names: list[str], place: int) -> None:
    """Say in an item which versions of its cycle are there; ``names`` from the oldest."""
    links = [link for link in item["links"] if link["rel"] not in _VERSION_LINKS]
    others = {"predecessor-version": place - 1, "successor-version": place + 1, "latest-version": len(names) - 1}
    for relation, other in others.items():
        if 0 <= other < len(names) and other != place:
            links.append({"rel": relation, "href": f"../{names[other]}/{ITEM}", "type": GEOJSON})
    item["links"] = links
    item["properties"]["deprecated"] = place < len(names) - 1


def _collection(settings: CatalogueSettings, items: Mapping[str, Mapping[str, Any]], title: str,
                description: str) -> dict[str, Any]:
    """Return the collection of the items."""
    facts = [item["properties"] for item in items.values()]
    box = joined_box(item["bbox"] for item in items.values()) if items else [-180.0, -90.0, 180.0, 90.0]
    first = min((one["start_datetime"] for one in facts), default=None)
    last = max((one["end_datetime"] for one in facts), default=None)
    out: dict[str, Any] = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": settings.identifier,
        "title": title,
        "description": description,
        "keywords": list(settings.keywords),
        "license": settings.licence,
        "extent": {"spatial": {"bbox": [box]}, "temporal": {"interval": [[first, last]]}},
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": JSON},
            {"rel": "parent", "href": f"./{CATALOG}", "type": JSON},
            *({"rel": "item", "href": f"../{PRODUCTS}/{name}/{ITEM}", "type": GEOJSON,
               "title": item["properties"]["title"]} for name, item in items.items()),
        ],
    }
    if settings.provider is not None:
        out["providers"] = [{"name": settings.provider, "roles": ["producer"]}]
    if facts:
        out["summaries"] = {name: sorted({one[name] for one in facts}) for name in ("pyland:stream", "version")}
    return out


def _catalog(settings: CatalogueSettings, title: str, description: str) -> dict[str, Any]:
    """Return the entrance of the catalogue."""
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": f"{settings.identifier}-catalog",
        "title": title,
        "description": description,
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": JSON},
            {"rel": "child", "href": f"./{COLLECTION}", "type": JSON},
        ],
    }


def _write_if_new(path: Path, content: Any) -> None:
    """Write JSON unless the file holds it already."""
    if path.exists():
        try:
            if json.loads(path.read_text(encoding="utf-8")) == plain(content):
                return
        except (json.JSONDecodeError, UnicodeDecodeError):
            _log.warning("%s was no JSON and is written anew.", path)
    write_json(path, content)
