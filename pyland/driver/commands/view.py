"""``pyland view``: find runs and cycles, and show them in a browser or write a static site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyland.base.errors import InputError, UnavailableError
from pyland.driver.commands.case_files import find_case_files

if TYPE_CHECKING:
    from pyland.view.web_server.catalogue import Catalogue, NamedRun

DEFAULT_PORT = 8760
"""Port that is tried first."""

_GENERIC = ("run", "cycle", "output")


def view(
    sources: Sequence[str | Path],
    *,
    port: int = DEFAULT_PORT,
    with_browser: bool = True,
    language: str | None = None,
    tiles: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve runs on loopback until Ctrl-C.

    Parameters
    ----------
    sources : sequence of str or Path
        Cases, run directories, or folders of cycles; finished or still going on.
    port : int
        Port; a free one if it is taken.
    with_browser : bool
        Open a browser.
    language : str, optional
        ``en``, ``de`` or ``zh``; that of the browser without it.
    tiles : str, optional
        Template of the URLs of a base map, with {Z}, {X} and {Y}.
    say : callable
        Takes lines for the terminal.

    Raises
    ------
    InputError
        If a source is no run.
    UnavailableError
        Without tornado or bokeh.
    """
    check_web_packages()
    from pyland.view.web_server.server import serve

    serve(open_catalogue(sources, language, tiles), port, with_browser=with_browser, say=say)


def export_site(
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    language: str | None = None,
    tiles: str | None = None,
    variables: Sequence[str] = (),
    statistics: Sequence[str] = (),
    every: int = 1,
    limit: float | None = None,
) -> str:
    """Write runs as a static site.

    Parameters
    ----------
    sources, language, tiles
        As for `view`.
    folder : str or Path
        New or empty folder, or an earlier site.
    variables, statistics : sequence of str
        What goes into it; all without names.
    every : int
        Every k-th time, the last one among them.
    limit : float, optional
        Largest size [MB].

    Returns
    -------
    str
        What was written.

    Raises
    ------
    InputError
        If a source is no run, a name is unknown, the folder is not free, or the site would be too large.
    """
    check_web_packages()
    from pyland.view.web_server.static_export import LARGEST, ExportChoice
    from pyland.view.web_server.static_export import export_site as write_site

    catalogue = open_catalogue(sources, language, tiles)
    try:
        choice = ExportChoice(tuple(variables), tuple(statistics), every, LARGEST if limit is None else limit)
        return write_site(catalogue, Path(folder), choice)
    finally:
        catalogue.close()


def open_catalogue(sources: Sequence[str | Path], language: str | None = None, tiles: str | None = None) -> Catalogue:
    """Return the catalogue of cases, run directories and cycles.

    Raises
    ------
    InputError
        If a source is no run, or the template of tiles has no place for their numbers.
    """
    from pyland.view.web_server.catalogue import Catalogue

    if tiles is not None and not (tiles.startswith(("http://", "https://")) and all(
            f"{{{one}}}" in tiles.upper() for one in "XYZ")):
        raise InputError(f"--tiles {tiles}: expected a URL with {{Z}}, {{X}} and {{Y}}, such as "
                         "https://tile.example.org/{Z}/{X}/{Y}.png.")
    return Catalogue([named_run(one) for one in sources], language=language, tiles=tiles)


def named_run(source: str | Path) -> NamedRun:
    """Return the run or cycle of a source that a user names.

    Parameters
    ----------
    source : str or Path
        Case folder, its ``case.yaml``, run directory, or folder of a cycle. A case with both a run and a cycle is
        its run; name the folder of the cycle to see that.

    Raises
    ------
    InputError
        If there is none.
    """
    from pyland.view.web_server.catalogue import NamedRun
    from pyland.view.web_server.record_files import record_paths

    path = Path(source)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; expected a case, a run directory or a cycle.")
    folder = path.parent if path.is_file() else path
    for cycle in (folder, folder / "cycle"):
        has_run = (folder / "run").is_dir() or record_paths(folder, "history")
        if (cycle / "products").is_dir() and (cycle == folder or not has_run):
            return NamedRun(_name_of(cycle), cycle, is_cycle=True)
    if record_paths(folder, "history"):  # a run directory, finished or not
        files = find_case_files(folder, folder)
    else:
        files = find_case_files(path)
    return NamedRun(_name_of(files.run_dir), files.run_dir, station=files.station)


def check_web_packages() -> None:
    """Raise UnavailableError if a package of the extra ``view`` is missing."""
    try:
        import bokeh  # noqa: F401
        import tornado  # noqa: F401
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("bokeh", "tornado"):
            raise
        raise UnavailableError(f"pyland view needs {error.name}; install it with: pip install 'pyland[view]'") from None


def _name_of(folder: Path) -> str:
    """Return what a run is called: its folder, or the one above if that says no more than what it is."""
    whole = folder.resolve()
    return whole.parent.name if whole.name in _GENERIC and whole.parent.name else whole.name
