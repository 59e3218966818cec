"""Sub-section ``cycle.catalogue``: what the catalogue of a cycle's products says of them."""

from __future__ import annotations

import re

from pydantic import model_validator

from pyland.config.fields import Problems, Section, key

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CatalogueSection(Section):
    """Catalogue (STAC) and feed of news (Atom) of the products."""

    identifier: str = key("pyland-cycle", "name of the collection: letters, digits, . _ -", kind="text")
    title: str | None = key(None, "title of the collection; null is the name of the case", kind="text")
    description: str | None = key(None, "what the products are; null is the description of the case", kind="text")
    licence: str = key("other", "licence of the products: an SPDX identifier such as CC-BY-4.0, or other", kind="text")
    provider: str | None = key(None, "who makes the products; null names nobody", kind="text")
    keywords: list[str] = key(lambda: ["land data assimilation"], "words to find the collection by", factory=True)
    feed: bool = key(True, "write feed.xml, news of products and alarms", kind="switch")
    feed_entries: int = key(50, "newest entries that the feed keeps", kind="integer", at_least=1)

    @model_validator(mode="after")
    def _check(self) -> CatalogueSection:
        if _IDENTIFIER.fullmatch(self.identifier) is None:
            raise Problems([("identifier", f"expected letters, digits, . _ - and no blank, got '{self.identifier}'",
                             ("identifier",))])
        return self
