"""Build the documentation site: `python tools/docs_site/build.py [FOLDER]`, after `pip install '.[docs]'`.

Pages are those of docs/, README, changelog and cases; the gallery, the pages of the Python interface and the order of
all are made from what is in the repository. A broken link is an error.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

ROOMS = ("land", "subsurface", "coupling", "forcing", "ensemble", "observe", "assimilate", "diagnose", "output",
         "domain", "view")
"""Rooms whose interface has a page, in the order of the house."""

MODULES = ("pyland.driver.case", "pyland.driver.bmi", "pyland.output.open_output", "pyland.base.errors")
"""Single modules that users import."""

COMING_FROM = ("from_tsmp.md", "from_pdaf.md", "guide/parflow.md", "from_noah_mp.md")

TOP = {"index": "README.md", "changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}
"""Pages of the site that are files at the top of the repository."""

PARTS = ("guide/index", "coming_from", "cases/index", "theory/index", "api/index", "reference/index", "more")
"""Parts of the site, in the order of its bar."""

_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def cases() -> dict[str, Path]:
    """Return the page of every case by name."""
    return {path.parent.name: path for path in sorted(ROOT.glob("cases/*/README.md"))}


def site_page(target: str) -> str | None:
    """Return the page or picture of the site that shows a file of the repository; None where none does."""
    if target.startswith("docs/"):
        return target.removeprefix("docs/") if (ROOT / target).is_file() else None
    match = re.fullmatch(r"cases/([^/]+)(/README\.md|/)?", target)
    if match and match[1] in cases():
        return f"cases/{match[1]}.md"
    known = {"cases": "cases/index.md", "docs/decisions": "decisions/index.md"}
    return {**known, **{file: f"{page}.md" for page, file in TOP.items()}}.get(target)


def with_links(text: str, here: str, page: str) -> str:
    """Return a text whose links lead to pages of the site; what is not part of it becomes plain text.

    Parameters
    ----------
    text : str
        A page in Markdown.
    here : str
        Its folder in the repository, where its links start.
    page : str
        Its name in the site.
    """
    def linked(found: re.Match[str]) -> str:
        target, _, anchor = found["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        whole = posixpath.normpath(posixpath.join(here, target))
        shown = site_page(whole)
        if shown is None:
            return f"`{whole}`" if found["text"] in ("", target) else f"{found['text']} (`{whole}`)"
        link = posixpath.relpath(shown, posixpath.dirname(page) or ".")
        return f"{found['image']}[{found['text']}]({link}{'#' + anchor if anchor else ''})"

    return _LINK.sub(linked, text)


def gallery() -> str:
    """Return the page with a picture of every case that has one."""
    lines = ["# Gallery of cases", "", "Every picture is drawn by the case above it.", ""]
    others = ["## Cases without a picture here", ""]
    for name, path in cases().items():
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].lstrip("# ")
        picture = next((one["target"] for one in _LINK.finditer(text)
                        if one["image"] and "docs/figures/" in one["target"]), None)
        if picture is None:
            others.append(f"* [{title}]({name}.md)")
        else:
            lines += [f"**[{title}]({name}.md)**", "", f"![{title}](../figures/{Path(picture).name})", ""]
    return "\n".join([*lines, *others, contents(cases(), hidden=True)])


def contents(pages: Iterable[str], caption: str = "", hidden: bool = False) -> str:
    """Return a table of contents in MyST."""
    options = [f":caption: {caption}"] if caption else []
    options += [":hidden:"] if hidden else [":maxdepth: 1"]
    return "\n".join(["", "```{toctree}", *options, "", *pages, "```", ""])


def interface(module: str) -> str:
    """Return the page of what a room or a module offers; a room offers what its parts define."""
    more = "   :imported-members:\n" if module.count(".") == 1 else ""
    return f"# {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n{more}```\n"


def collect(folder: Path) -> None:
    """Write all pages and pictures into a folder."""
    for source in sorted(path for path in DOCS.rglob("*") if path.is_file()):
        name = source.relative_to(DOCS)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            here = posixpath.dirname(f"docs/{name.as_posix()}")
            (folder / name).write_text(with_links(source.read_text(encoding="utf-8"), here, name.as_posix()),
                                       encoding="utf-8")
        else:
            shutil.copy(source, folder / name)
    for name, path in cases().items():
        text = path.read_text(encoding="utf-8")
        write(folder, f"cases/{name}", with_links(text, f"cases/{name}", f"cases/{name}.md"))
    write(folder, "cases/index", gallery())
    for module in (*(f"pyland.{room}" for room in ROOMS), *MODULES):
        write(folder, f"api/{module}", interface(module))
    for part in ("guide", "theory", "decisions", "reference"):
        names = sorted(path.stem for path in (DOCS / part).glob("*.md") if f"{part}/{path.name}" not in COMING_FROM)
        write(folder, f"{part}/index", f"# {part.capitalize()}\n{contents(names)}")
    write(folder, "coming_from", "# Coming from\n" + contents(COMING_FROM))
    write(folder, "api/index", "# Python\n" + contents([*(f"pyland.{room}" for room in ROOMS), *MODULES]))
    others = sorted(path.stem for path in DOCS.glob("*.md") if path.name not in COMING_FROM)
    write(folder, "more", "# More\n" + contents([*others, "changelog", "contributing", "decisions/index"]))
    for page, file in TOP.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        text = with_links(text, "", f"{page}.md")
        if page == "index":
            text += contents(PARTS, hidden=True)
        write(folder, page, text)


def write(folder: Path, page: str, text: str) -> None:
    """Write a page."""
    path = folder / f"{page}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Collect the pages and run Sphinx; its warnings are errors."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    source = target.with_name(f"{target.name}_source")
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    collect(source)
    shutil.copy(Path(__file__).with_name("conf.py"), source / "conf.py")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(source), str(target)]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
