"""Settings of Sphinx for the documentation site; build.py collects the pages."""

import re

project = "pyland"
author = "The pyland developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings give types, shapes and units
html_theme = "pydata_sphinx_theme"
html_title = "pyland"
html_theme_options = {"navbar_align": "left", "show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
html_show_copyright = False
html_copy_source = False
suppress_warnings = ["ref.python"]  # types of arguments are words, not links

_LITERAL = re.compile(r"(``.*?``)")


def plain_references(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Make references of docstrings plain numbers: those of a module stand in its docstring, and numbers repeat."""
    for number, line in enumerate(lines):
        line = re.sub(r"^(\s*)\.\. \[(\d+)\] ", r"\1*  [\2] ", line)
        parts = _LITERAL.split(line)
        parts[::2] = [re.sub(r"\[(\d+)\]_", r"[\1]", part).replace("|", "\\|") for part in parts[::2]]
        lines[number] = "".join(parts)


def setup(app: object) -> None:
    """Connect the change of docstrings."""
    app.connect("autodoc-process-docstring", plain_references)
