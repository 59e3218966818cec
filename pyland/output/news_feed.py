"""News of a cycle as an Atom feed: new products, and alarms that began, grew worse or ended.

References
----------
.. [1] RFC 4287, The Atom Syndication Format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

import pyland
from pyland.base.logging import get_logger
from pyland.output.atomic import complete_file

ALARMS = "alarms.json"
NEWS = ("raised", "worse", "cleared")
"""States of an alarm that are news; one that goes on is not."""

_NAMESPACE = "http://www.w3.org/2005/Atom"
_NEVER = "1970-01-01T00:00:00Z"

_log = get_logger("output.news_feed")


class FeedSettings(Protocol):
    """What the feed says, as `pyland.config.catalogue.CatalogueSection` has it."""

    identifier: str
    provider: str | None
    feed_entries: int


def write_feed(path: str | Path, settings: FeedSettings, items: Mapping[str, Mapping[str, Any]],
               products_root: str | Path, title: str) -> Path:
    """Write the feed; the same items and alarms give the same bytes.

    Parameters
    ----------
    path : str or Path
        ``feed.xml``, in a folder beside ``products``.
    settings : FeedSettings
        Name, author and number of entries.
    items : mapping of str to item
        Items by the name of their product.
    products_root : str or Path
        Folder of the products, where ``<name>/alarms.json`` may lie.
    title : str
        Title of the feed.

    Returns
    -------
    Path
        ``path``.
    """
    entries = []
    for name, item in items.items():
        entries.append(_product_entry(settings, name, item))
        entries += _alarm_entries(settings, name, item, Path(products_root) / name / ALARMS)
    entries.sort(key=lambda one: (one["updated"], one["id"]), reverse=True)
    entries = entries[: settings.feed_entries]
    root = ElementTree.Element("feed", {"xmlns": _NAMESPACE})
    _text(root, "id", f"urn:pyland:{settings.identifier}")
    _text(root, "title", title)
    _text(root, "updated", entries[0]["updated"] if entries else _NEVER)
    _text(ElementTree.SubElement(root, "author"), "name", settings.provider or "pyland")
    _text(root, "generator", "pyland", version=pyland.__version__)
    ElementTree.SubElement(root, "link", {"rel": "self", "href": "feed.xml", "type": "application/atom+xml"})
    for entry in entries:
        node = ElementTree.SubElement(root, "entry")
        for tag in ("id", "title", "updated"):
            _text(node, tag, entry[tag])
        _text(node, "summary", entry["summary"])
        ElementTree.SubElement(node, "category", {"term": entry["category"]})
        ElementTree.SubElement(node, "link", {"rel": "alternate", "href": entry["href"], "type": entry["type"]})
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
    path = Path(path)
    if not path.exists() or path.read_bytes() != text:
        with complete_file(path) as partial:
            partial.write_bytes(text)
    return path


def _product_entry(settings: FeedSettings, name: str, item: Mapping[str, Any]) -> dict[str, str]:
    """Return the entry of a product."""
    facts = item["properties"]
    replaced = f" It replaces {facts['pyland:supersedes']}." if facts["pyland:supersedes"] else ""
    return {
        "id": f"urn:pyland:{settings.identifier}:{name}",
        "title": f"Product {name}, version {facts['version']} ({facts['pyland:stream']})",
        "updated": facts["updated"],
        "summary": f"{facts['start_datetime']} to {facts['end_datetime']}, {len(item['assets'])} files.{replaced}",
        "category": "product",
        "href": f"../products/{name}/item.json",
        "type": "application/geo+json",
    }


def _alarm_entries(settings: FeedSettings, name: str, item: Mapping[str, Any], path: Path) -> list[dict[str, str]]:
    """Return the entries of the alarms of a product; none where the file is damaged, which is told in the log."""
    if not path.exists():
        return []
    try:
        alarms = json.loads(path.read_text(encoding="utf-8"))["alarms"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        _log.warning("%s is no file of alarms (%s); the feed leaves it out.", path, error)
        return []
    return [
        {
            "id": f"urn:pyland:{settings.identifier}:{name}:alarm:{alarm['name']}",
            "title": f"Alarm {alarm['name']}: {alarm['status']}",
            "updated": item["properties"]["updated"],
            "summary": alarm["text"]["en"],
            "category": "alarm",
            "href": f"../products/{name}/{ALARMS}",
            "type": "application/json",
        }
        for alarm in alarms if alarm["status"] in NEWS]


def _text(parent: ElementTree.Element, tag: str, content: str, **attributes: str) -> None:
    """Append an element with text."""
    ElementTree.SubElement(parent, tag, attributes).text = content
