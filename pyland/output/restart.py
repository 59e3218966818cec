"""Restart files: the whole ensemble, exact to the last bit, complete or absent."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.output.atomic import complete_file, remove_partial_files
from pyland.output.history import seconds, stamp_of

KEPT = 2
"""Restart files that a run keeps."""

_FORMAT = "pyland restart 2"
_log = logging.getLogger("pyland.output")


@dataclass(frozen=True)
class Restart:
    """What a restart file holds.

    Parameters
    ----------
    time : numpy.datetime64
        Model time of the state, UTC.
    state : dict of str to numpy.ndarray
        Arrays as they were written.
    attrs : dict
        Global attributes (provenance).
    path : Path
        The file.
    """

    time: np.datetime64
    state: dict[str, np.ndarray]
    attrs: dict[str, Any]
    path: Path


def restart_path(run_dir: str | Path, time: Any) -> Path:
    """Return the name of the restart file of a model time: ``restart/YYYYMMDDTHHMM.nc``."""
    return Path(run_dir) / "restart" / f"{stamp_of(time)}.nc"


def write_restart(path: str | Path, state: Mapping[str, np.ndarray], attrs: Mapping[str, Any], time: Any) -> Path:
    """Write a restart file aside, rename it, and remove all but the last two up to its time.

    Parameters
    ----------
    path : str or Path
        Final name, see :func:`restart_path`.
    state : mapping of str to numpy.ndarray
        float64 or int64 arrays of any shape; everything that a bit-identical continuation needs.
    attrs : mapping
        Global attributes; ``config_hash`` is compared when the file is read.
    time : numpy.datetime64
        Model time of the state, UTC.

    Raises
    ------
    InputError
        If an array is of another type.
    """
    path = Path(path)
    with NETCDF_ACCESS, complete_file(path) as partial, netCDF4.Dataset(partial, "w", format="NETCDF4") as out:
        out.setncatts(dict(attrs))
        out.setncattr("format", _FORMAT)
        out.setncattr("model_time", str(np.datetime64(time).astype("datetime64[s]")))
        out.setncattr("model_time_seconds", np.int64(seconds(time)))
        for name, values in state.items():
            _write_array(out, name, np.asarray(values))
        out.setncattr("variables", " ".join(state))
        out.setncattr("checksum", _checksum(out))
    present = sorted(path.parent.glob("*.nc"))
    place = present.index(path)
    for old in present[: max(place + 1 - KEPT, 0)] + present[place + 1 :]:  # later ones are of an abandoned run
        old.unlink(missing_ok=True)
    return path


def read_restart(
    path: str | Path,
    *,
    config_hash: str | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Restart:
    """Read a restart file and check all of it.

    Parameters
    ----------
    path : str or Path
        The file.
    config_hash : str, optional
        Hash of the present configuration; the file must carry the same.
    shapes : mapping of str to tuple of int, optional
        Arrays that must be there, with their shapes.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another case, or lacks an array.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such restart file.")
    try:
        restart = _read(path)
    except (OSError, RuntimeError, KeyError, AttributeError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: the restart file is damaged or not a pyland restart ({error}). "
            "Copy it again, or delete it to resume from the one before."
        ) from error
    written = restart.attrs.get("config_hash")
    if config_hash is not None and written != config_hash:
        raise InputError(
            f"{path}: the restart was written by another configuration (hash {written}, now {config_hash}). "
            "Undo the change of case.yaml, or run without --resume."
        )
    for name, shape in (shapes or {}).items():
        found = restart.state[name].shape if name in restart.state else None
        if found != tuple(shape):
            raise InputError(
                f"{path}: '{name}' has shape {found}; the case needs {tuple(shape)}. Run without --resume."
            )
    return restart


def find_latest(
    run_dir: str | Path,
    *,
    config_hash: str | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Restart | None:
    """Return the latest readable restart of a run, or None if there is none.

    A damaged file is skipped with a warning. A file of another configuration is an error, not damage.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    config_hash, shapes
        See :func:`read_restart`.

    Raises
    ------
    InputError
        If restart files exist but none is readable, or the latest readable one does not fit the case.
    """
    folder = Path(run_dir) / "restart"
    remove_partial_files(folder)
    candidates = sorted(folder.glob("*.nc"), reverse=True)
    for path in candidates:
        try:
            read_restart(path)
        except InputError as error:
            _log.warning("%s", error)
            continue
        if path != candidates[0]:
            _log.warning("%s: this older restart is taken instead; the result is the same", path)
        return read_restart(path, config_hash=config_hash, shapes=shapes)
    if candidates:
        raise InputError(f"{folder}: none of the {len(candidates)} restart files is readable. Run without --resume.")
    return None


def remove_restarts(run_dir: str | Path) -> None:
    """Remove the restarts of an earlier run; call it when a run starts anew."""
    folder = Path(run_dir) / "restart"
    remove_partial_files(folder)
    for path in folder.glob("*.nc"):
        path.unlink()


def _write_array(out: netCDF4.Dataset, name: str, values: np.ndarray) -> None:
    """Write one array with its checksum; one dimension per distinct length."""
    if values.dtype not in (np.dtype("f8"), np.dtype("i8")):
        raise InputError(f"Restart: '{name}' is {values.dtype}; expected float64 or int64.")
    values = np.ascontiguousarray(values).reshape(values.shape)
    if values.size == 0:  # a dimension of length 0 would mean "grows" to netCDF
        variable = out.createVariable(name, values.dtype, ())
        variable.setncattr("empty_shape", " ".join(str(n) for n in values.shape))
        return
    dimensions = tuple(f"n{length}" for length in values.shape)
    for dimension, length in zip(dimensions, values.shape, strict=True):
        if dimension not in out.dimensions:
            out.createDimension(dimension, length)
    variable = out.createVariable(name, values.dtype, dimensions, fill_value=False)
    variable.set_auto_maskandscale(False)
    variable[...] = values
    variable.setncattr("checksum", np.int64(zlib.crc32(values.tobytes())))


def _checksum(file: netCDF4.Dataset) -> np.int64:
    """Return one checksum of what a restart stands for: time, configuration, and names, shapes and sums of arrays."""
    facts = [file.getncattr(name) for name in ("format", "model_time_seconds", "variables")]
    facts.append(file.getncattr("config_hash") if "config_hash" in file.ncattrs() else None)
    facts += [(name, file[name].shape, *(str(file[name].getncattr(one)) for one in file[name].ncattrs()))
              for name in file.getncattr("variables").split()]
    return np.int64(zlib.crc32(repr([str(one) for one in facts]).encode("utf-8")))


def _read(path: Path) -> Restart:
    """Read all arrays and compare their checksums."""
    with netCDF4.Dataset(path) as source:
        source.set_auto_maskandscale(False)
        if source.getncattr("format") != _FORMAT:
            raise ValueError("unknown format")
        if int(source.getncattr("checksum")) != _checksum(source):
            raise ValueError("the checksum of its header does not match")
        state = {}
        for name in source.getncattr("variables").split():
            variable = source[name]
            if "empty_shape" in variable.ncattrs():
                state[name] = np.empty([int(n) for n in variable.empty_shape.split()], dtype=variable.dtype)
                continue
            values = np.array(variable[...])
            if zlib.crc32(values.tobytes()) != int(variable.checksum):
                raise ValueError(f"checksum of '{name}' does not match")
            state[name] = values
        attrs = {name: source.getncattr(name) for name in source.ncattrs()}
        time = np.datetime64(int(attrs["model_time_seconds"]), "s")
    return Restart(time, state, attrs, path)
