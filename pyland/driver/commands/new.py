"""``pyland new``: write a case that runs as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from pyland.base.errors import InputError
from pyland.base.text import one_of, suggestion
from pyland.config import CASE_FILE
from pyland.config.plants import VEGETATION_TYPES
from pyland.forcing import SiteDescription, read_site

LONGEST_SITE_STEP = 1800
"""Step of a new station case, unless the file is finer [s]."""

_DEFAULT_TYPE = "c3_grass"
_DEFAULT_TEXTURE = (43.0, 18.0)
_FOREST_STEMS, _LOW_STEMS = 1.0, 0.1
_HEIGHT = 10.0


def template_names() -> list[str]:
    """Return the templates of this version."""
    folder = resources.files("pyland.driver").joinpath("templates")
    return sorted(entry.name for entry in folder.iterdir() if entry.joinpath(CASE_FILE).is_file())


def new_from_template(directory: str | Path, name: str) -> Path:
    """Write a case from a template.

    Parameters
    ----------
    directory : path
        New or empty folder.
    name : str
        One of :func:`template_names`.

    Returns
    -------
    pathlib.Path
        The new ``case.yaml``.

    Raises
    ------
    InputError
        If the folder holds files, or the template is unknown.
    """
    names = template_names()
    if name not in names:
        raise InputError(f"--template: expected {one_of(names)}, got '{name}'{suggestion(name, names)}")
    source = resources.files("pyland.driver").joinpath("templates", name, CASE_FILE)
    return _write(Path(directory), source.read_text(encoding="utf-8"))


def new_from_site(directory: str | Path, station: str | Path) -> Path:
    """Write a case for one ALMA-like station file.

    Parameters
    ----------
    directory : path
        New or empty folder.
    station : path
        NetCDF file; place, heights, vegetation, leaf area and soil come from its attributes and variables,
        defaults with a comment where it is silent.

    Returns
    -------
    pathlib.Path
        The new ``case.yaml``.

    Raises
    ------
    InputError
        If the folder holds files, the file cannot be read, or it does not say where the station is.
    """
    directory, station = Path(directory), Path(station)
    check_empty(directory)
    return _write(directory, site_case(read_site(station), station.resolve()))


def site_case(site: SiteDescription, path: Path) -> str:
    """Return ``case.yaml`` of a station."""
    if site.latitude is None or site.longitude is None:
        raise InputError(
            f"{path}: expected the global attributes lat and lon [degrees] of the station, got none; add them to the "
            "file or write case.yaml by hand."
        )
    step = min(site.interval, LONGEST_SITE_STEP)
    lines = [
        f"# Station {site.name}, written by `pyland new` from {path.name}.",
        "# Values come from that file unless a comment says otherwise.",
        *(f"# Note of the file: {site.notes}" for _ in range(bool(site.notes))),
        "case:",
        f"  name: {_quoted(site.name)}",
        f"  description: {_quoted(site.vegetation or 'open loop at a station')}",
        "",
        "time:",
        f"  start: {site.start}",
        f"  end: {site.end}",
        f"  step: {step // 60} min",
        "",
        "domain:",
        "  type: site",
        f"  latitude: {_number(site.latitude)}",
        f"  longitude: {_number(site.longitude)}",
        f"  elevation: {_number(site.elevation or 0.0)}" + _default(site.elevation, "sea level"),
        "  # layers: clm5 (20 soil layers to 8.6 m) and 5 bedrock layers are the default",
        "",
        "surface:",
        *_vegetation(site),
        *_soil(site),
        "",
        "forcing:",
        "  format: alma",
        f"  path: {_quoted(str(path))}",
        f"  height: {_number(site.reference_height or _HEIGHT)}" + _default(site.reference_height, f"{_HEIGHT:g} m"),
        *(
            f"  # temperature was measured at {site.temperature_height:g} m; the height above is that of the wind"
            for _ in range(site.temperature_height is not None)
        ),
        "",
        "subsurface:",
        "  lower_boundary: free_drainage  # default: the file does not say where the water table is",
        "  initial: {saturation: 0.5}         # default: the file has no initial state",
        "",
        "output:",
        "  every: 1 h",
        "",
    ]
    return "\n".join(lines)


def _vegetation(site: SiteDescription) -> list[str]:
    by_number = {number: name for name, (number, *_) in VEGETATION_TYPES.items()}
    name = by_number.get(site.plant_type if site.plant_type is not None else -1, _DEFAULT_TYPE)
    known = None if site.plant_type not in by_number else name
    why = _default(known, "the plant type of most stations")
    if name == "c3_crop" and re.search(r"\b(maize|corn)\b", site.vegetation or "", re.IGNORECASE):
        name, why = "corn_temperate", "  # pft_clm 15 is any crop, but the file says maize"
    leaves: Sequence[float] | None = site.leaf_area_index
    is_tall = VEGETATION_TYPES[name][1] > 1.0
    lines = [
        "  vegetation:",
        "    patches:",
        f"      - type: {name}{why}",
        "        fraction: 1.0  # default: the file does not give bare ground",
    ]
    if name == "bare_ground":
        return lines
    leaf_text = _list(leaves) if leaves is not None else "null"
    source = (
        f"  # {site.found['leaf_area_index']}"
        if "leaf_area_index" in site.found
        else _default(leaves, "monthly table of the plant type")
    )
    stems = "null  # default: monthly table of the plant type"
    if leaves is not None:
        stems = f"{_FOREST_STEMS if is_tall else _LOW_STEMS}"
        stems += f"  # default: {_FOREST_STEMS:g} for trees, {_LOW_STEMS:g} for low plants"
    top = site.canopy_top
    return [
        *lines,
        f"        leaf_area_index: {leaf_text}{source}",
        f"        stem_area_index: {stems}",
        f"        canopy_top: {_number(top) if top is not None else 'null'}"
        + _default(top, "height of the plant type"),
    ]


def _soil(site: SiteDescription) -> list[str]:
    lines = ["  soil:"]
    if site.soil_note:
        lines.append(f"    # {site.soil_note}")
    lines.append("    texture:")
    if site.sand is None or site.clay is None or site.soil_bottom is None:
        sand, clay = _DEFAULT_TEXTURE
        return [
            *lines,
            f"      sand: {sand:g}  # default: loam; the file names no texture",
            f"      clay: {clay:g}  # default: loam",
        ]
    if len(site.sand) == 1:
        return [
            *lines,
            f"      sand: {_number(site.sand[0])}  # {site.found.get('soil', '')}",
            f"      clay: {_number(site.clay[0])}",
        ]
    lines += [
        f"      bottom: {_list(site.soil_bottom)}  # {site.found.get('soil', '')}",
        f"      sand: {_list(site.sand)}",
        f"      clay: {_list(site.clay)}",
    ]
    if site.organic is not None:
        lines.append(f"      organic_matter: {_list(site.organic)}  # [kg m-3]")
    return lines


def _default(value: object, what: str) -> str:
    return f"  # default: {what}; the file does not say" if value is None else ""


def _number(value: float) -> str:
    return f"{float(value):.10g}"


def _list(values: Sequence[float]) -> str:
    return "[" + ", ".join(_number(value) for value in values) + "]"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def check_empty(directory: Path) -> None:
    """Refuse a folder for a new case that holds files already."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory}: expected a new or empty folder, got one that holds files; choose another name.")


def _write(directory: Path, text: str) -> Path:
    check_empty(directory)
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / CASE_FILE
    file.write_text(text, encoding="utf-8")
    return file
