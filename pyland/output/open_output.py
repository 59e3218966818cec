"""Open what a run wrote as one xarray.Dataset."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import xarray as xr

from pyland.base.errors import InputError


def open_output(run_dir: str | Path, kind: str = "history") -> xr.Dataset:
    """Open the history of a run, or the states of its smoother, complete or still running.

    Parameters
    ----------
    run_dir : str or Path
        Run directory, or the case directory above it.
    kind : {"history", "smoothed"}
        What to open.

    Returns
    -------
    xarray.Dataset
        With ``history``: variables of ``history.nc`` and, as ``balance_<term>``, of ``balance.nc``, if both have the
        same times, which are the ends of the intervals. With ``smoothed``: mean and spread of the states that the
        smoother has finished, at the times of their analyses. ``ds.pyland["H2OSOI"]`` finds a variable by any of its
        registered names.

    Raises
    ------
    InputError
        If there is no such file.
    """
    folder = Path(run_dir)
    if not (folder / "history.nc").exists() and (folder / "run").is_dir():
        folder = folder / "run"
    if kind not in ("history", "smoothed"):
        raise InputError(f"open_output: expected kind history or smoothed, got {kind!r}.")
    if kind == "smoothed":
        smoothed = _open_kind(folder, "smoothed")
        if smoothed is None:
            raise InputError(f"{folder}: neither smoothed.nc nor segments with a state; a smoother "
                             "(assimilation.filter: enks, etks or letks) writes a state when it leaves its window.")
        return smoothed
    history = _open_kind(folder, "history")
    if history is None:
        raise InputError(f"{folder}: neither history.nc nor segments of it; run the case first.")
    balance = _open_kind(folder, "balance")
    if balance is None or "time" not in balance or not balance["time"].equals(history["time"]):
        return history
    terms = {f"balance_{name}": balance[name] for name in balance.data_vars if "bounds" not in str(name)}
    return history.assign(terms)


def _open_kind(folder: Path, kind: str) -> xr.Dataset | None:
    """Open the final file of a kind, or its segments while the run goes on."""
    path = folder / f"{kind}.nc"
    if path.exists():
        return _open_file(path)
    segments = sorted((folder / "segments").glob(f"{kind}.*.nc"))
    parts = [part for part in map(_open_file, segments) if part.sizes.get("time", 0) > 0]
    if not parts:
        return None
    return xr.concat(parts, dim="time", data_vars="minimal", coords="minimal", compat="override", join="override")


def _open_file(path: Path) -> xr.Dataset:
    """Open one file lazily; its bounds are coordinates."""
    try:
        dataset = xr.open_dataset(path, engine="netcdf4")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable netCDF file ({error}).") from error
    return dataset.set_coords([name for name in dataset.data_vars if str(name).endswith("_bounds")])


@xr.register_dataset_accessor("pyland")
class PylandAccessor:
    """Find variables of a pyland dataset by any registered name (CF, CMIP, CLM, ALMA, ParFlow).

    Parameters
    ----------
    dataset : xarray.Dataset
        From :func:`open_output`.
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return the variable called ``name``, by identifier or alias."""
        if name in self._dataset:
            return self._dataset[name]
        for identifier, variable in self._dataset.data_vars.items():
            if name in _names_of(str(identifier), variable.attrs):
                return variable
        raise InputError(
            f"The dataset has no variable '{name}', by identifier or alias; it has "
            f"{sorted(str(n) for n in self._dataset.data_vars)}."
        )

    def __contains__(self, name: str) -> bool:
        """Tell whether a variable of that name or alias is there."""
        try:
            self[name]
        except InputError:
            return False
        return True


def _names_of(identifier: str, attrs: dict[str, Any]) -> set[str]:
    """Return all names of a variable: attributes `standard_name` and `*_name`, one or several words."""
    if re.search(r"_(std|min|max|median|p\d\d)$", identifier):
        return set()
    names: set[str] = set()
    for key, value in attrs.items():
        if key.endswith("_name") and key != "long_name" and isinstance(value, str):
            names.update(value.replace(",", " ").split())
    return names
