"""Open what a run wrote as one xarray.Dataset."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

import pyland.output.accessor  # noqa: F401  gives datasets their accessor
from pyland.base.errors import InputError
from pyland.output.domain_fields import FILE, read_domain_fields


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
        smoother has finished, at the times of their analyses. ``ds.pyland`` finds variables by any of their
        registered names and averages them over depth and area, see `PylandAccessor`.

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
    history = _with_area(history, folder)
    balance = _open_kind(folder, "balance")
    if balance is None or "time" not in balance or not balance["time"].equals(history["time"]):
        return history
    terms = {f"balance_{name}": balance[name] for name in balance.data_vars if "bounds" not in str(name)}
    return history.assign(terms)


def _with_area(history: xr.Dataset, folder: Path) -> xr.Dataset:
    """Return a history with the areas of its cells as a coordinate, where the run tells them."""
    if not (folder / FILE).exists():
        return history
    area = read_domain_fields(folder)["cell_area"]
    return history.assign_coords(cell_area=(area.dims, area.values, area.attrs))


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
