"""Sub-section ``cycle.keep``: which products of past cycles stay on disk."""

from __future__ import annotations

from pyland.config.fields import Section, key


class PruningSection(Section):
    """Products that are kept; all others go, but for those that something still needs."""

    cycles: int | None = key(30, "newest cycles whose products are kept; null keeps all", kind="integer", at_least=1)
    monthly: int | None = key(
        12, "months of which the first cycle is kept as well; 0 for none, null for all", kind="integer", at_least=0)
    yearly: int | None = key(
        None, "years of which the first cycle is kept as well; 0 for none, null for all", kind="integer", at_least=0)
    superseded: int = key(
        1, "older versions of a kept cycle that are kept beside the newest", kind="integer", at_least=0)
