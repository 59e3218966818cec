"""State of the ground at the start from a file, such as the history of a run that spun it up."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.base.units import convert
from pyland.domain.grid import Domain

STATE_FIELDS = ("soil_temperature", "soil_water", "soil_ice")
"""Variables of the file: temperature of all thermal layers [K], liquid water and ice of the soil layers [m3 m-3]."""


def read_ground_state(path: str | Path, domain: Domain, nthermal: int, nlayer: int) -> dict[str, np.ndarray]:
    """Read temperature, and water and ice where the file has them.

    Parameters
    ----------
    path : path
        netCDF file with ``soil_temperature`` on (thermal_layer, y, x) or (y, x) and, both or none, ``soil_water`` and
        ``soil_ice`` on (layer, y, x); of a series in time the last record counts. Sites have one axis instead of y, x.
    domain : Domain
        Cells.
    nthermal, nlayer : int
        Layers of soil and rock, and of soil alone.

    Returns
    -------
    dict of str to numpy.ndarray
        ``soil_temperature`` (thermal_layer, cell) or (1, cell) [K]; ``soil_water`` and ``soil_ice`` (layer, cell).

    Raises
    ------
    InputError
        If the file cannot be read, lacks the temperature or one of water and ice, has other sizes, or a value is
        missing or out of range in a cell.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"land.initial.file: {path}: there is no such file.")
    try:
        with netCDF4.Dataset(path) as file:
            there = [name for name in STATE_FIELDS if name in file.variables]
            if there not in (["soil_temperature"], list(STATE_FIELDS)):
                raise InputError(f"{path}: expected soil_temperature alone, or soil_temperature, soil_water and "
                                 f"soil_ice; got {', '.join(there) or 'none of them'}.")
            sizes = {"soil_temperature": nthermal}
            return {name: _field(file[name], path, domain, sizes.get(name, nlayer)) for name in there}
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read as netCDF ({error}); it may be truncated.") from None


def _field(source: netCDF4.Variable, path: Path, domain: Domain, nlayer: int) -> np.ndarray:
    """Return a variable on the cells, its last record, (layer, cell)."""
    name = source.name
    values = source[-1] if source.dimensions[0] == "time" else source[:]
    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    ncell = domain.ny * domain.nx
    lead = 1 if name == "soil_temperature" and values.size == ncell else nlayer
    if values.size != lead * ncell:
        raise InputError(f"{path}: {name} must have {nlayer} layer(s) of {domain.ny} x {domain.nx} cells, got the "
                         f"shape {values.shape}; layers are those of domain.layers and domain.bedrock_layers.")
    values = values.reshape(lead, ncell)[:, domain.cell_id]
    values = np.asarray(convert(values, str(getattr(source, "units", variable(name).units)), variable(name).units,
                                f"{path}: {name}"))
    if not np.isfinite(values).all():
        raise InputError(f"{path}: {name} is missing in a modelled cell.")
    variable(name).check_range(values, str(path))
    return values
