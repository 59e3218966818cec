"""Zones of a domain: which cells belong together, by land cover, height, basin, a map or polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from pyland.base.errors import InputError

OUTSIDE = -1
"""Zone of cells that belong to none."""


@dataclass(frozen=True)
class Zones:
    """Zones of a domain that share no cell.

    Attributes
    ----------
    name : str
        What parts them: ``domain``, ``land_cover``, ``elevation``, ``basin``, ``polygon`` or ``map``.
    names : tuple of str
        Name of each zone.
    index : numpy.ndarray of int, shape (y, x) or (site,)
        Zone of each cell, ``OUTSIDE`` where it has none.
    cell_area : numpy.ndarray, shape of ``index``
        Area of the cells [m2].
    around : Zones, optional
        Zones that these lie in, see `within`.
    """

    name: str
    names: tuple[str, ...]
    index: np.ndarray
    cell_area: np.ndarray
    around: Zones | None = None

    @property
    def count(self) -> int:
        """Number of zones."""
        return len(self.names)

    @cached_property
    def area(self) -> np.ndarray:
        """Area of each zone, (zone,) [m2]."""
        return self.total(np.ones(self.index.shape))

    @cached_property
    def parent(self) -> np.ndarray:
        """Place of the zone around each zone, (zone,); that of itself where there is none around."""
        if self.around is None:
            return np.arange(self.count)
        out = np.full(self.count, OUTSIDE)
        inside = self.index >= 0
        out[self.index[inside]] = self.around.index[inside]
        return out

    def total(self, depth: np.ndarray) -> np.ndarray:
        """Sum amounts per area over the area of each zone.

        Parameters
        ----------
        depth : numpy.ndarray, shape (..., y, x) or (..., site)
            Amount per area [X m-2]; every cell of a zone has a value.

        Returns
        -------
        numpy.ndarray, shape (..., zone)
            [X]
        """
        return self.sum_of(np.asarray(depth, dtype=float) * self.cell_area)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return means over the area of each zone, (..., zone); argument as for `total`."""
        return self.total(values) / self.area

    def sum_of(self, amount: np.ndarray) -> np.ndarray:
        """Sum amounts of cells, (..., y, x) [X], over the cells of each zone, (..., zone) [X]."""
        amount = np.asarray(amount, dtype=float)
        lead = amount.shape[: amount.ndim - self.index.ndim]
        if amount.shape[len(lead):] != self.index.shape:
            raise InputError(f"Zones: expected a field on the cells {self.index.shape}, got the shape {amount.shape}.")
        order, first, present = self._order
        flat = amount.reshape(-1, self.index.size)[:, order]
        sums = np.zeros((flat.shape[0], self.count))
        if present.size:
            sums[:, present] = np.add.reduceat(flat, first, axis=1)
        return sums.reshape(*lead, self.count)

    @cached_property
    def _order(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the cells in the order of their zones, where each zone begins, and the zones that have cells."""
        flat = self.index.ravel()
        order = np.argsort(flat, kind="stable")
        order = order[flat[order] >= 0]
        present, first = np.unique(flat[order], return_index=True)
        return order, first, present

    def within(self, outer: Zones) -> Zones:
        """Return the parts that these zones have in others, such as the land covers of each reach."""
        both = (self.index >= 0) & (outer.index >= 0)
        pair = np.where(both, outer.index * self.count + self.index, 0)
        present = np.unique(pair[both])
        index = np.where(both, np.searchsorted(present, pair), OUTSIDE)
        names = tuple(f"{outer.names[one // self.count]} / {self.names[one % self.count]}" for one in present)
        return Zones(f"{outer.name}/{self.name}", names, index, self.cell_area, outer)


def domain_zone(domain: xr.Dataset) -> Zones:
    """Return all cells as one zone.

    Parameters
    ----------
    domain : xarray.Dataset
        ``domain.nc`` of a run.
    """
    area = domain["cell_area"].values
    return Zones("domain", ("domain",), np.where(np.isfinite(area), 0, OUTSIDE), area)


def land_cover_zones(domain: xr.Dataset) -> Zones:
    """Return a zone for each land cover that is the largest of a cell; argument as for `domain_zone`.

    Raises
    ------
    InputError
        If the run has no land cover: it was one of the subsurface alone.
    """
    cover = _field(domain, "land_cover", "the run has no land, only the subsurface")
    meanings = str(cover.attrs["flag_meanings"]).split()
    return _of_codes("land_cover", cover.values, dict(enumerate(meanings)), domain)


def basin_zones(domain: xr.Dataset) -> Zones:
    """Return a zone for each basin of the rivers, the largest first; argument as for `domain_zone`.

    Raises
    ------
    InputError
        If the run had no rivers.
    """
    basin = _field(domain, "basin", "the run had no rivers (rivers.scheme)").values
    codes = np.unique(basin[basin > 0])
    return _of_codes("basin", basin, {int(code): f"basin {code}" for code in codes}, domain)


def elevation_zones(domain: xr.Dataset, edges: Sequence[float]) -> Zones:
    """Return bands of height.

    Parameters
    ----------
    domain : xarray.Dataset
        ``domain.nc`` of a run.
    edges : sequence of float
        Heights that part the bands, ascending [m]; two at least. A band holds its lower edge, the last both.

    Raises
    ------
    InputError
        If the edges do not ascend.
    """
    limits = np.asarray(edges, dtype=float)
    if limits.size < 2 or not (np.diff(limits) > 0.0).all():
        raise InputError(f"Elevation bands: expected two or more ascending heights [m], got {list(edges)}.")
    height = domain["elevation"].values
    band = np.searchsorted(limits, height, side="right") - 1
    band[height == limits[-1]] = limits.size - 2
    is_within = np.isfinite(height) & (band >= 0) & (band < limits.size - 1)
    names = {place: f"{low:g}-{high:g} m" for place, (low, high) in enumerate(zip(limits, limits[1:], strict=False))}
    return _of_codes("elevation", np.where(is_within, band, OUTSIDE), names, domain)


def band_edges(domain: xr.Dataset, height: float) -> np.ndarray:
    """Return the edges of bands of one height [m] that hold all cells, at whole multiples of it."""
    low, high = float(domain["elevation"].min()), float(domain["elevation"].max())
    first = np.floor(low / height)
    return height * np.arange(first, max(np.ceil(high / height), first + 1.0) + 1.0)


def map_zones(domain: xr.Dataset, codes: np.ndarray, names: Mapping[int, str] | None = None) -> Zones:
    """Return the zones of a map of whole numbers.

    Parameters
    ----------
    domain : xarray.Dataset
        ``domain.nc`` of a run.
    codes : numpy.ndarray, shape (y, x) or (site,)
        Code of the zone of each cell; NaN or negative: none.
    names : mapping of int to str, optional
        Names of the codes, in their order; without it every code that occurs is a zone.

    Raises
    ------
    InputError
        If the shape does not fit, or codes are no whole numbers.
    """
    codes = np.asarray(codes, dtype=float)
    shape = domain["cell_area"].shape
    if codes.shape != shape:
        raise InputError(f"Zones of a map: expected the cells of the run, {shape}, got {codes.shape}.")
    known = np.isfinite(codes) & (codes >= 0.0)
    whole = np.where(known, codes, OUTSIDE).astype(np.int64)
    if (whole[known] != codes[known]).any():
        raise InputError("Zones of a map: expected whole numbers.")
    if names is None:
        names = {int(code): f"zone {code}" for code in np.unique(whole[known])}
    return _of_codes("map", whole, names, domain)


def polygon_zones(domain: xr.Dataset, polygons: Mapping[str, Sequence[Sequence[np.ndarray]]]) -> Zones:
    """Return the zones of named polygons.

    Parameters
    ----------
    domain : xarray.Dataset
        ``domain.nc`` of a run.
    polygons : mapping of str to sequence of polygons
        Each polygon is a sequence of rings (vertex, 2) of longitude and latitude [degrees]: the outer one, then holes.

    Raises
    ------
    InputError
        If a polygon holds the middle of no cell, or two hold the same.
    """
    latitude, longitude = domain["latitude"].values, domain["longitude"].values
    area = domain["cell_area"].values
    index = np.full(area.shape, OUTSIDE)
    for place, (name, parts) in enumerate(polygons.items()):
        inside = np.zeros(area.shape, dtype=bool)
        for rings in parts:
            here = cells_in_polygon(latitude, longitude, rings[0])
            for hole in rings[1:]:
                here &= ~cells_in_polygon(latitude, longitude, hole)
            inside |= here
        inside &= np.isfinite(area)
        if not inside.any():
            raise InputError(f"Zone '{name}': the polygon holds the middle of no cell of the run. Its vertices are "
                             "longitude and latitude [degrees]; look at their order, or take smaller cells.")
        taken = inside & (index >= 0)
        if taken.any():
            other = list(polygons)[int(index[taken][0])]
            raise InputError(f"Zones '{other}' and '{name}' share {int(taken.sum())} cells; zones of one file must not "
                             "overlap. Put them in files of their own.")
        index[inside] = place
    return Zones("polygon", tuple(polygons), index, area)


def cells_in_polygon(latitude: np.ndarray, longitude: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Tell which points lie within a ring, by counting the edges that a way to the east crosses.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray
        Points [degrees], any one shape.
    ring : array_like, shape (vertex, 2)
        Longitude and latitude of the vertices [degrees], in order; the last may repeat the first. Edges are straight
        in degrees; no edge spans more than 180 degrees of longitude, and the ring goes round no pole.

    Returns
    -------
    numpy.ndarray of bool
        Shape of the points. A point on an edge belongs to one of the two polygons that share it.

    Raises
    ------
    InputError
        If there are fewer than three vertices, or one is not finite.
    """
    vertices = np.asarray(ring, dtype=float)
    if vertices.ndim != 2 or vertices.shape[1] < 2 or len(np.unique(vertices[:, :2], axis=0)) < 3:
        raise InputError(f"Polygon: expected three or more vertices (longitude, latitude), got the shape "
                         f"{vertices.shape}.")
    if not np.isfinite(vertices[:, :2]).all():
        raise InputError("Polygon: a vertex is not finite.")
    east = np.degrees(np.unwrap(np.radians(vertices[:, 0])))
    middle = 0.5 * (east.min() + east.max())
    x = middle + (np.asarray(longitude, dtype=float) - middle + 180.0) % 360.0 - 180.0
    y = np.asarray(latitude, dtype=float)
    inside = np.zeros(np.broadcast(x, y).shape, dtype=bool)
    north = vertices[:, 1]
    for x1, y1, x2, y2 in zip(east, north, np.roll(east, -1), np.roll(north, -1), strict=True):
        if y1 == y2:
            continue  # no way to the east crosses it
        inside ^= ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside


def _field(domain: xr.Dataset, name: str, why: str) -> xr.DataArray:
    if name not in domain:
        raise InputError(f"domain.nc has no '{name}': {why}. Choose other zones.")
    return domain[name]


def _of_codes(name: str, codes: np.ndarray, names: Mapping[int, str], domain: xr.Dataset) -> Zones:
    """Return the zones of codes that occur, in the order of ``names``."""
    area = domain["cell_area"].values
    present = [code for code in names if ((codes == code) & np.isfinite(area)).any()]
    index = np.full(codes.shape, OUTSIDE)
    for place, code in enumerate(present):
        index[(codes == code) & np.isfinite(area)] = place
    return Zones(name, tuple(names[code] for code in present), index, area)


__all__ = ["OUTSIDE", "Zones", "band_edges", "basin_zones", "cells_in_polygon", "domain_zone", "elevation_zones",
           "land_cover_zones", "map_zones", "polygon_zones"]
