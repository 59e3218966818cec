"""Files that a ParFlow run leaves behind, and how far another solution is from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.domain.pfb import read_pfb
from pyland.subsurface.parflow_run import ParflowRun


@dataclass(frozen=True)
class PressureDifference:
    """How far pressure heads are from those of ParFlow.

    Attributes
    ----------
    largest : float
        Largest difference of a cell [m].
    rms : float
        Root of the mean square over the cells [m].
    mean, mean_parflow : float
        Mean heads [m].
    worst : tuple of int
        Cell (layer from the top, y, x) of the largest difference.
    """

    largest: float
    rms: float
    mean: float
    mean_parflow: float
    worst: tuple[int, int, int]


def parflow_pressure(run: ParflowRun, number: int, folder: str | Path | None = None) -> np.ndarray | None:
    """Return the pressure head that ParFlow wrote.

    Parameters
    ----------
    run : ParflowRun
        The run.
    number : int
        Number of the file, as of :class:`pyland.subsurface.parflow_run.RunStep`.
    folder : str or Path, optional
        Where ParFlow's outputs are; default beside the definition.

    Returns
    -------
    numpy.ndarray, shape (layer, y, x), or None
        Pressure head on the cells of the run, from the top [m]; None if there is no such file.

    Raises
    ------
    InputError
        If the file is broken or has another grid.
    """
    place = run.source.parent if folder is None else Path(folder)
    file = place / f"{run.source.stem}.out.press.{number:05d}.pfb"
    if not file.is_file():
        return None
    values = read_pfb(file, flip=True)
    if values.shape != run.full_shape:
        raise InputError(
            f"{file}: expected the grid of {run.source.name}, {run.full_shape} cells (layer, y, x), got {values.shape}."
        )
    return values[run.window] * run.length


def pressure_difference(
    pressure: np.ndarray, parflow: np.ndarray, active: np.ndarray | None = None
) -> PressureDifference:
    """Compare pressure heads.

    Parameters
    ----------
    pressure, parflow : numpy.ndarray, shape (layer, y, x)
        Pressure heads [m].
    active : numpy.ndarray of bool, shape (y, x) or (layer, y, x), optional
        Cells that exist; ParFlow writes a huge number in the others.

    Returns
    -------
    PressureDifference
        Over the cells that exist.
    """
    exists = np.broadcast_to(True if active is None else active, pressure.shape)
    away = np.where(exists, np.abs(pressure - parflow), 0.0)
    worst = np.unravel_index(int(away.argmax()), away.shape)
    return PressureDifference(
        largest=float(away.max()),
        rms=float(np.sqrt(np.mean(away[exists] ** 2))),
        mean=float(pressure[exists].mean()),
        mean_parflow=float(parflow[exists].mean()),
        worst=tuple(int(index) for index in worst),
    )
