"""The cells of a domain: where they are, how large and how high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.config.domain import DomainSection, ElevationSection
from pyland.domain.smooth_field import smooth_field

EARTH_RADIUS = 6371008.8
"""Mean radius of the Earth [m] (IUGG)."""


@dataclass(frozen=True)
class Domain:
    """Cells that are modelled, in rows from south to north, each from west to east.

    Attributes
    ----------
    kind : str
        ``site``, ``grid`` or ``file``.
    nx, ny : int
        Size of the whole grid.
    latitude, longitude : numpy.ndarray, shape (cell,)
        Centres of the cells [degrees north, degrees east].
    elevation : numpy.ndarray, shape (cell,)
        Height above sea level [m].
    x, y : numpy.ndarray, shape (cell,)
        Coordinates of the centres east and north of the middle of the domain [m].
    area : numpy.ndarray, shape (cell,)
        [m2].
    cell_id : numpy.ndarray of int, shape (cell,)
        Position in the flattened grid ``(y, x)``.
    mask : numpy.ndarray of bool, shape (ny, nx)
        Cells of the whole domain that are modelled.
    fields : mapping of str to numpy.ndarray
        Surface fields of a domain file, by registry id, shape ``(cell,)`` or ``(layer, cell)``.
    """

    kind: str
    nx: int
    ny: int
    latitude: np.ndarray
    longitude: np.ndarray
    elevation: np.ndarray
    x: np.ndarray
    y: np.ndarray
    area: np.ndarray
    cell_id: np.ndarray
    mask: np.ndarray
    fields: Mapping[str, np.ndarray] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def ncell(self) -> int:
        """Number of cells held here."""
        return self.cell_id.size

    @property
    def is_grid(self) -> bool:
        """Whether output has dimensions (y, x) rather than (site)."""
        return self.kind != "site"

    def to_grid(self, values: np.ndarray, fill: float = np.nan) -> np.ndarray:
        """Put cell values on the grid.

        Parameters
        ----------
        values : array_like, shape (..., cell)
            Values of the cells held here.
        fill : float
            Value of all other cells.

        Returns
        -------
        numpy.ndarray, shape (..., ny, nx)
            A new array.
        """
        values = np.asarray(values)
        if values.shape[-1:] != (self.ncell,):
            raise InputError(f"to_grid: the last axis must have {self.ncell} cells, got shape {values.shape}.")
        kind = np.result_type(values, fill) if not (np.isnan(fill) and values.dtype.kind in "iub") else float
        grid = np.full((*values.shape[:-1], self.ny * self.nx), fill, dtype=kind)
        grid[..., self.cell_id] = values
        return grid.reshape(*values.shape[:-1], self.ny, self.nx)

    def subset(self, cells: slice | np.ndarray) -> Domain:
        """Return a domain with some of the cells, for instance the tile of a rank; the grid stays the same."""
        names = ("latitude", "longitude", "elevation", "x", "y", "area", "cell_id")
        fields = MappingProxyType({name: value[..., cells] for name, value in self.fields.items()})
        return replace(self, **{name: getattr(self, name)[cells] for name in names}, fields=fields)


def build_domain(config: DomainSection) -> Domain:
    """Build the domain of a configuration.

    Parameters
    ----------
    config : DomainSection
        Section ``domain`` of the case.

    Raises
    ------
    InputError
        If a file is missing or does not fit, or no cell is modelled.
    """
    if config.type == "site":
        return site(config.latitude, config.longitude, float(config.elevation))
    if config.type == "file":
        from pyland.domain.domain_file import read_domain

        return read_domain(config.file)
    domain = regular_grid(config.latitude, config.longitude, config.nx, config.ny, config.dx, config.dy)
    domain = replace(domain, elevation=_elevation(config, domain))
    if config.mask is not None:
        from pyland.domain.domain_file import read_mask

        domain = masked(domain, read_mask(config.mask, config.ny, config.nx))
        if not np.isfinite(domain.elevation).all():
            raise InputError(f"{config.elevation.file}: {config.elevation.variable} is missing in a modelled cell.")
    return domain


def _elevation(config: DomainSection, domain: Domain) -> np.ndarray:
    """Return the elevation of the cells of a grid [m]: a number, a random relief or from a file."""
    given = config.elevation
    if not isinstance(given, ElevationSection):
        return np.full(domain.ncell, float(given))
    if given.file is not None:
        from pyland.domain.domain_file import read_field

        field = read_field(given.file, given.variable, config.ny, config.nx, "m").ravel()
        inside = np.isfinite(field)
        if config.mask is None and not inside.all():
            raise InputError(f"{given.file}: {given.variable} is missing in {int((~inside).sum())} cells; give a mask.")
        return field
    relief = given.generate
    extent = max(config.nx * config.dx, config.ny * config.dy)
    length = extent / 3.0 if relief.length is None else relief.length
    shape = smooth_field(domain.x, domain.y, length, relief.seed, "elevation")
    span = np.ptp(shape)
    share = (shape - shape.min()) / span if span > 0 else np.zeros(domain.ncell)
    return relief.base + relief.relief * share


def site(latitude: float, longitude: float, elevation: float = 0.0) -> Domain:
    """Return the domain of one place [degrees, degrees, m]; its area is 1 m2."""
    one = np.ones(1)
    return Domain(
        "site",
        1,
        1,
        latitude * one,
        _wrapped(longitude * one),
        elevation * one,
        0.0 * one,
        0.0 * one,
        one,
        np.zeros(1, dtype=np.int64),
        np.ones((1, 1), dtype=bool),
    )


def regular_grid(latitude: float, longitude: float, nx: int, ny: int, dx: float, dy: float) -> Domain:
    """Return a grid of equal cells around a place.

    Parameters
    ----------
    latitude, longitude : float
        Middle of the grid [degrees].
    nx, ny : int
        Cells from west to east and from south to north.
    dx, dy : float
        Size of a cell [m].

    Raises
    ------
    InputError
        If the grid reaches over a pole or around the Earth.

    Notes
    -----
    x and y are plane coordinates [m]; latitude = latitude_0 + y/R, longitude = longitude_0 + x/(R cos latitude)
    (sinusoidal projection around the middle, which keeps areas).
    """
    x, y = np.meshgrid((np.arange(nx) - 0.5 * (nx - 1)) * dx, (np.arange(ny) - 0.5 * (ny - 1)) * dy)
    x, y = x.ravel(), y.ravel()
    latitudes = latitude + np.degrees(y / EARTH_RADIUS)
    cosine = np.cos(np.radians(latitudes))
    if np.abs(latitudes).max() >= 90.0 or (np.abs(x) >= np.pi * EARTH_RADIUS * cosine).any():
        raise InputError(
            f"domain: a grid of {nx} x {ny} cells of {dx:g} x {dy:g} m around latitude {latitude:g} reaches over "
            "a pole or around the Earth; make it smaller."
        )
    longitudes = _wrapped(longitude + np.degrees(x / (EARTH_RADIUS * cosine)))
    return Domain(
        "grid",
        nx,
        ny,
        latitudes,
        longitudes,
        np.zeros(x.size),
        x,
        y,
        np.full(x.size, dx * dy),
        np.arange(x.size),
        np.ones((ny, nx), dtype=bool),
    )


def masked(domain: Domain, mask: np.ndarray) -> Domain:
    """Return a domain with only the cells where ``mask``, shape ``(ny, nx)``, is true."""
    mask = np.asarray(mask, dtype=bool)
    if mask.shape != (domain.ny, domain.nx):
        raise InputError(f"domain: the mask must have the shape (y, x) = {(domain.ny, domain.nx)}, got {mask.shape}.")
    if not mask.any():
        raise InputError("the mask leaves no cell.")
    return replace(domain.subset(np.flatnonzero(mask.ravel()[domain.cell_id])), mask=mask)


def _wrapped(longitude: np.ndarray) -> np.ndarray:
    """Return longitudes in [-180, 180)."""
    return (np.asarray(longitude) + 180.0) % 360.0 - 180.0
