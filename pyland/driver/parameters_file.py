"""Parameters of members from a file: ``ensemble.parameters_file``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.config.ensemble import PARAMETER_NAMES

WHERE = "ensemble.parameters_file"


def read_member_parameters(
    path: str | Path, members: np.ndarray, cells: np.ndarray, ncell: int, perturbed: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Read parameters that `pyland calibrate` has written.

    Parameters
    ----------
    path : path
        File with variables by registry id, ([layer or patch,] member, cell).
    members : numpy.ndarray of int, shape (member,)
        Members that are wanted.
    cells : numpy.ndarray of int, shape (cell,)
        Places of the cells that are wanted among those of the run.
    ncell : int
        Cells of the run.
    perturbed : sequence of str
        Parameters that the case perturbs, which the file must not hold.

    Returns
    -------
    dict of str to numpy.ndarray
        ([layer or patch,] member, cell) [unit of the registry].

    Raises
    ------
    InputError
        If the file cannot be read, or does not fit the run.
    """
    if not Path(path).is_file():
        raise InputError(f"{WHERE}: {path}: no such file; `pyland calibrate` writes posterior.nc and best.nc.")
    try:
        with NETCDF_ACCESS, netCDF4.Dataset(path) as data:
            found = {name: np.ma.filled(data[name][:], np.nan).astype(float) for name in data.variables
                     if name in PARAMETER_NAMES}
    except (OSError, RuntimeError) as error:
        raise InputError(f"{WHERE}: {path}: not a readable netCDF file ({error}).") from error
    if not found:
        raise InputError(f"{WHERE}: {path}: expected parameters by registry id ({', '.join(PARAMETER_NAMES)}), got "
                         "none of them.")
    twice = sorted(found.keys() & set(perturbed))
    if twice:
        raise InputError(f"{WHERE}: {path} has '{twice[0]}', which ensemble.perturb.parameters perturbs as well; take "
                         "it out of one of them.")
    out = {}
    for name, values in found.items():
        if values.ndim not in (2, 3) or values.shape[-1] != ncell:
            raise InputError(f"{WHERE}: {path}: expected '{name}' as ([layer or patch,] member, cell) with {ncell} "
                             f"cells, got shape {values.shape}; it belongs to another domain.")
        if values.shape[-2] <= members.max(initial=0):
            raise InputError(f"{WHERE}: {path} has {values.shape[-2]} members; expected at least "
                             f"{members.max() + 1}. Use a smaller ensemble.size, or calibrate with more "
                             "calibrate.predicted_members.")
        if not np.isfinite(values).all():
            raise InputError(f"{WHERE}: {path}: '{name}' has values that are not finite.")
        out[name] = np.ascontiguousarray(values[..., members, :][..., cells])
    return out


__all__ = ["read_member_parameters"]
