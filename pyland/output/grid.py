"""Where the cells of a run lie: turns arrays over cells into maps or stations in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyland.base.errors import InputError


@dataclass(frozen=True)
class OutputGrid:
    """The cells of a run and the vertical axes of its variables.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray, shape (cell,)
        Cell centres [degrees north, degrees east].
    layers : mapping of str to numpy.ndarray
        Thickness [m] of the layers of each vertical axis, top first: ``{"layer": ..., "thermal_layer": ...}``.
    shape : tuple of int, optional
        ``(ny, nx)`` of a map. None: the cells are stations.
    index : numpy.ndarray of int, shape (cell,), optional
        Place of each cell in the flattened map, for maps whose cells are not all active.
    x, y : numpy.ndarray, optional
        Projected coordinates of columns and rows of the map [m].
    names : tuple of str
        Names of the stations.
    npatch : int
        Vegetation patches of a cell [1]; 0 if no variable over patches is written.

    Raises
    ------
    InputError
        If the shapes do not fit.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    layers: Mapping[str, np.ndarray] = field(default_factory=dict)
    shape: tuple[int, int] | None = None
    index: np.ndarray | None = None
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    names: tuple[str, ...] = ()
    npatch: int = 0

    def __post_init__(self) -> None:
        """Check the shapes against each other."""
        ncell = self.ncell
        if np.shape(self.latitude) != (ncell,) or np.shape(self.longitude) != (ncell,):
            raise InputError(
                f"Output grid: latitude has shape {np.shape(self.latitude)} and longitude "
                f"{np.shape(self.longitude)}; both must be one-dimensional and equally long."
            )
        if self.shape is not None:
            size = self.shape[0] * self.shape[1]
            if self.index is None and size != ncell:
                raise InputError(
                    f"Output grid: {ncell} cells do not fill a map of {self.shape[0]} x {self.shape[1]}; "
                    "give `index`, the place of each cell in the map."
                )
            if self.index is not None and (len(self.index) != ncell or np.max(self.index, initial=0) >= size):
                raise InputError(f"Output grid: `index` must name one of {size} places for each of {ncell} cells.")
        elif self.names and len(self.names) != ncell:
            raise InputError(f"Output grid: {len(self.names)} station names for {ncell} stations.")

    @property
    def ncell(self) -> int:
        """Number of cells [1]."""
        return int(np.size(self.latitude))

    @property
    def is_map(self) -> bool:
        """Whether the cells form a map rather than a list of stations."""
        return self.shape is not None

    @property
    def horizontal(self) -> tuple[str, ...]:
        """Names of the horizontal dimensions."""
        return ("y", "x") if self.is_map else ("site",)

    @property
    def horizontal_shape(self) -> tuple[int, ...]:
        """Sizes of the horizontal dimensions."""
        return self.shape if self.shape is not None else (self.ncell,)

    def place(self, values: np.ndarray) -> np.ndarray:
        """Put values over cells where they belong.

        Parameters
        ----------
        values : numpy.ndarray, shape (..., cell)
            Values of the active cells.

        Returns
        -------
        numpy.ndarray, shape (..., y, x) or (..., site)
            NaN in cells of the map that are not active.
        """
        if values.shape[-1] != self.ncell:
            raise InputError(f"Output: an array has {values.shape[-1]} cells; the grid has {self.ncell}.")
        if self.shape is None:
            return values
        if self.index is None:
            return values.reshape(*values.shape[:-1], *self.shape)
        full = np.full((*values.shape[:-1], self.shape[0] * self.shape[1]), np.nan)
        full[..., self.index] = values
        return full.reshape(*values.shape[:-1], *self.shape)

    def vertical_axis(self, nlayer: int, axis: str | None) -> str:
        """Check that a variable fits its axis over layers or patches.

        Parameters
        ----------
        nlayer : int
            Layers or patches of the variable [1].
        axis : str or None
            The axis that the registry gives it.

        Returns
        -------
        str
            ``axis``.
        """
        sizes = self.dimensions()
        if axis is None or sizes.get(axis) != nlayer:
            raise InputError(
                f"Output: a variable on the axis '{axis}' has {nlayer} layers; the axes of this run are {sizes}."
            )
        return axis

    def dimensions(self) -> dict[str, int]:
        """Return name and size of all horizontal and vertical dimensions."""
        sizes = dict(zip(self.horizontal, self.horizontal_shape, strict=True))
        sizes.update({name: len(thickness) for name, thickness in self.layers.items()})
        if self.npatch:
            sizes["patch"] = self.npatch
        return sizes

    def coordinates(self) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]]:
        """Return the coordinate variables: name to (dimensions, values, attributes)."""
        out: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]] = {}
        latitude = {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"}
        longitude = {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"}
        out["latitude"] = (self.horizontal, self.place(np.asarray(self.latitude, float)), latitude)
        out["longitude"] = (self.horizontal, self.place(np.asarray(self.longitude, float)), longitude)
        if self.is_map:
            for name, values in (("x", self.x), ("y", self.y)):
                if values is not None:
                    attributes = {
                        "standard_name": f"projection_{name}_coordinate",
                        "long_name": f"{name} of the cell centre",
                        "units": "m",
                        "axis": name.upper(),
                    }
                    out[name] = ((name,), np.asarray(values, float), attributes)
        elif self.names:
            out["site_name"] = (("site",), np.asarray(self.names, dtype=object), {"long_name": "name of the station"})
        if self.npatch:
            out["patch"] = (("patch",), np.arange(self.npatch), {"long_name": "vegetation patch", "units": "1"})
        for name, thickness in self.layers.items():
            interfaces = np.concatenate([[0.0], np.cumsum(np.asarray(thickness, float))])
            bounds = np.stack([interfaces[:-1], interfaces[1:]], axis=1)
            attributes = {
                "standard_name": "depth",
                "long_name": f"depth of the middle of the {name.replace('_', ' ')}",
                "units": "m",
                "positive": "down",
                "axis": "Z",
                "bounds": f"{name}_bounds",
            }
            out[name] = ((name,), bounds.mean(axis=1), attributes)
            out[f"{name}_bounds"] = ((name, "bound"), bounds, {})
        return out
