"""``pyland schema``: JSON schema of case.yaml, or its reference page."""

from __future__ import annotations

import json

from pyland.config import json_schema, markdown


def schema_text(as_markdown: bool = False) -> str:
    """Return the JSON schema of ``case.yaml``, or the page ``docs/reference/case_yaml.md``."""
    return markdown() if as_markdown else json.dumps(json_schema(), indent=2)
