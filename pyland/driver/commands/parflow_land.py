"""``pyland parflow land``: the control file of ParFlow-CLM as sections of ``case.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from pyland.base.errors import InputError
from pyland.domain.parflow_land import (
    control_moment,
    control_number,
    read_clm_control,
    read_vegetation_map,
    read_vegetation_parameters,
)

CONTROL_FILE = "drv_clmin.dat"

IGBP = 2
"""``vclass`` of the classes that pyland knows."""

_LAND_KEYS = MappingProxyType({
    "zlnd": "  soil_roughness: {:g} m",
    "t_ini": "  initial: {{soil_temperature: {:g} K}}",
})
_SNOW_KEYS = MappingProxyType({"zsno": "roughness: {:g} m", "ssi": "holding: {:g}"})

NOT_TAKEN: Mapping[str, str] = MappingProxyType({
    "h2osno_ini": "snow at the start [mm]: pyland begins without; start before the snow",
    "forc_hgt_t": "height of temperature [m]: one height holds for all weather, that of the wind",
    "forc_hgt_q": "height of humidity [m]: as forc_hgt_t",
    "dewmx": "water on leaves [mm]: pyland's own",
    "rootfr": "share of the roots in each layer: those of roota and rootb",
    "csoilc": "exchange below a canopy: pyland's own",
    "capr": "temperature of the surface: solved with the ground in pyland",
    "cnfac": "time step of soil heat: implicit in pyland",
    "smpmin": "least potential of the soil [mm]: that of the retention curve",
    "wimp": "porosity below which soil is tight: pyland takes it as it is",
})
"""Numbers of the control file that have no key, and why."""


def land_sections(path: Path) -> str:
    """Return the sections of ``case.yaml`` that the land files of ParFlow-CLM amount to.

    Parameters
    ----------
    path : Path
        ``drv_clmin.dat``, or the folder with it; the files that it names lie beside it.

    Returns
    -------
    str
        YAML. What has no key is named in comments, with the reason.

    Raises
    ------
    InputError
        If a file is missing or wrong, or the classes of land cover are none of IGBP.
    """
    file = path / CONTROL_FILE if path.is_dir() else path
    control = read_clm_control(file)
    kind = control_number(control, "vclass", file)
    if kind not in (None, IGBP):
        raise InputError(f"{file}: expected vclass {IGBP} (classes of IGBP), got {kind:g}; pyland knows no others.")
    land_map, plants = (_beside(file, control, name) for name in ("vegtf", "vegpf"))
    found = read_vegetation_map(land_map)
    read_vegetation_parameters(plants)
    ny, nx = found.latitude.shape
    start, end = (control_moment(control, letter, file) for letter in "se")
    lines = [f"# {file.name} of ParFlow-CLM in keys of pyland"]
    lines += _time(start, end)
    lines += ["domain:", "  type: grid", f"  latitude: {found.latitude.mean():.6g}",
              f"  longitude: {found.longitude.mean():.6g}", f"  nx: {nx}", f"  ny: {ny}"]
    lines += ["surface:", "  vegetation:", "    parflow:", f'      map: "{land_map}"', f'      parameters: "{plants}"']
    lines += _forcing(file, control)
    lines += _land(file, control)
    return "\n".join(lines) + "\n"


def _beside(file: Path, control: Mapping[str, str], name: str) -> Path:
    if name not in control:
        raise InputError(f"{file}: expected the name of a file in {name}, got none.")
    return (file.parent / control[name]).absolute()


def _time(start: datetime | None, end: datetime | None) -> list[str]:
    if start is None:
        return []
    lines = ["time:", f"  start: {start.isoformat()}"]
    return [*lines, f"  end: {end.isoformat()}"] if end is not None and end > start else lines


def _forcing(file: Path, control: Mapping[str, str]) -> list[str]:
    """Return the weather: the text file if it is there; else it is a folder that the ParFlow run names."""
    text = file.parent / control.get("metf1d", "")
    path = f'"{text.absolute()}"' if text.is_file() else "FOLDER                  # Solver.CLM.MetFilePath of the run"
    lines = ["forcing:", "  format: nldas-pfb", f"  path: {path}"]
    height = control_number(control, "forc_hgt_u", file)
    return lines if height is None else [*lines, f"  height: {height:g} m"]


def _land(file: Path, control: Mapping[str, str]) -> list[str]:
    def keys_of(names: Mapping[str, str]) -> list[str]:
        values = ((words, control_number(control, name, file)) for name, words in names.items())
        return [words.format(value) for words, value in values if value is not None]

    keys, snow = keys_of(_LAND_KEYS), keys_of(_SNOW_KEYS)
    if snow:
        keys.append(f"  snow: {{{', '.join(snow)}}}")
    lines = ["land:", *keys] if keys else []
    if control_number(control, "clm_ic", file) == 1:
        lines.append("# clm_ic 1: ParFlow-CLM began with a restart file of its own, which pyland does not read")
    for name, why in NOT_TAKEN.items():
        value = control_number(control, name, file)
        if value is not None and not (name == "h2osno_ini" and value == 0.0):
            lines.append(f"# {name} {value:g} is not taken over; {why}")
    return lines
