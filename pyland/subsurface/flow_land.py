"""Slopes and roughness at the faces of overland flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.subsurface.flow_grid import FlowGrid

SCHEMES = ("none", "kinematic", "kinematic_cells", "diffusive")
"""Schemes of overland flow; see :class:`pyland.subsurface.DistributedSubsurface`."""


@dataclass(frozen=True)
class LandFaces:
    """What overland flow finds at the faces of a tile.

    Attributes
    ----------
    bed_x, along_x, manning_x : numpy.ndarray, shape (y, x + 1)
        Slope across the faces in the west and east of columns, positive uphill to the east [1]; slope along them [1];
        roughness [s m-1/3].
    bed_y, along_y, manning_y : numpy.ndarray, shape (y + 1, x)
        The same of the faces in the south and north, positive uphill to the north.
    """

    bed_x: np.ndarray
    along_x: np.ndarray
    manning_x: np.ndarray
    bed_y: np.ndarray
    along_y: np.ndarray
    manning_y: np.ndarray


def land_faces(
    grid: FlowGrid, scheme: str, slope_x: np.ndarray, slope_y: np.ndarray, manning: np.ndarray,
    face_x: np.ndarray | None, face_y: np.ndarray | None,
) -> LandFaces:
    """Derive slopes and roughness of faces.

    Parameters
    ----------
    grid : FlowGrid
        Cells and tiles.
    scheme : str
        ``kinematic`` and ``diffusive``: a face has the slopes of the column before it (in the west, south), behind it
        where there is none before (ParFlow's OverlandKinematic, OverlandDiffusive). ``kinematic_cells``: a face has the
        slope of the column that flows to it, and none along it (ParFlow's OverlandFlow).
    slope_x, slope_y, manning : numpy.ndarray, shape (y, x)
        Of the columns [1], [1], [s m-1/3].
    face_x, face_y : array_like, optional
        Slopes of the faces themselves, ``(y, x + 1)`` and ``(y + 1, x)`` [1], both or none.

    Returns
    -------
    LandFaces
        Of the tile.

    Raises
    ------
    InputError
        If shapes do not fit, a slope is not finite, or slopes of faces are given with ``kinematic_cells``.
    """
    exists = grid.active[0]
    if face_x is None and face_y is None:
        bed_x, along_x, manning_x = _along_axis(scheme, exists, slope_x, slope_y, manning)
        turned = _along_axis(scheme, exists.T, slope_y.T, slope_x.T, manning.T)
        bed_y, along_y, manning_y = (field.T for field in turned)
    else:
        if scheme == "kinematic_cells":
            raise InputError("overland_slope_x, overland_slope_y: 'kinematic_cells' takes slopes of columns; use "
                             "overland 'kinematic'.")
        bed_x = _given(face_x, (exists.shape[0], exists.shape[1] + 1), "overland_slope_x")
        bed_y = _given(face_y, (exists.shape[0] + 1, exists.shape[1]), "overland_slope_y")
        _, along_x, manning_x = _along_axis(scheme, exists, slope_x, bed_y[1:], manning)
        turned = _along_axis(scheme, exists.T, slope_y.T, bed_x[:, 1:].T, manning.T)
        _, along_y, manning_y = (field.T for field in turned)
    rows, columns = grid.rows, grid.columns
    in_x = rows, slice(columns.start, columns.stop + 1)
    in_y = slice(rows.start, rows.stop + 1), columns
    return LandFaces(*(field[in_x] for field in (bed_x, along_x, manning_x)),
                     *(field[in_y] for field in (bed_y, along_y, manning_y)))


def _along_axis(
    scheme: str, exists: np.ndarray, across: np.ndarray, along: np.ndarray, manning: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slope across, slope along and roughness of the faces along the last axis, one more than columns."""
    before, behind = _shifted(exists, False)
    takes_before = before | ~behind
    if scheme == "kinematic_cells":
        slope_before, slope_behind = _shifted(across, 0.0)
        flows_behind = before & (slope_before < 0.0)
        flows_before = behind & (slope_behind > 0.0)
        takes_before = flows_behind | ~flows_before
        bed = np.where(flows_behind, slope_before, np.where(flows_before, slope_behind, 0.0))
        return bed, np.zeros(bed.shape), np.where(takes_before & before, *_shifted(manning, 1.0))
    bed, beside, roughness = (np.where(takes_before, *_shifted(field, fill))
                              for field, fill in ((across, 0.0), (along, 0.0), (manning, 1.0)))
    return bed, beside, roughness


def _shifted(field: np.ndarray, fill: float | bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the columns before and behind each face along the last axis."""
    edge = np.full((field.shape[0], 1), fill, field.dtype)
    return np.concatenate([edge, field], axis=1), np.concatenate([field, edge], axis=1)


def _given(value: np.ndarray | None, shape: tuple[int, int], name: str) -> np.ndarray:
    if value is None:
        raise InputError(f"{name}: give the slopes of the faces in x and in y, or none of them.")
    array = np.asarray(value, float)
    if array.shape != shape:
        raise InputError(f"{name}: expected shape {shape}, one value per face with both rims, got {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"{name}: holds NaN or infinity; give finite numbers.")
    return array
