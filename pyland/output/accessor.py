"""``ds.pyland``: what datasets of pyland can do beside what xarray gives every dataset."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError

_HORIZONTAL = ("y", "x", "site")
_STATISTIC = re.compile(r"_(std|min|max|median|p\d\d)$")


@xr.register_dataset_accessor("pyland")
class PylandAccessor:
    """Find variables by any registered name, and reduce them over depth, area and time.

    Parameters
    ----------
    dataset : xarray.Dataset
        From :func:`pyland.open_output`, or any file of a run that xarray has opened.

    Examples
    --------
    >>> ds = pyland.open_output("cases/01_first_run/run")           # doctest: +SKIP
    >>> ds.pyland["H2OSOI"]                                         # by a name of CLM          # doctest: +SKIP
    >>> ds.pyland.depth_mean("soil_water", 0.0, 1.0)                # root zone                 # doctest: +SKIP
    >>> ds.pyland.area_mean("latent_heat_flux")                     # a series of the domain    # doctest: +SKIP
    >>> ds.pyland.at(50.9, 6.4)["soil_water"]                       # the cell of a station     # doctest: +SKIP
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return the variable called ``name``, by identifier or alias (CF, CMIP, CLM, ALMA, ParFlow).

        Raises
        ------
        InputError
            If there is none.
        """
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

    def statistic(self, name: str, statistic: str) -> xr.DataArray:
        """Return a statistic over the members: ``mean``, ``std``, ``min``, ``max``, ``median``, ``p05``, ...

        Raises
        ------
        InputError
            If the file does not hold it (``output.statistics``).
        """
        mean = self[name]
        if statistic == "mean":
            return mean
        whole = f"{mean.name}_{statistic}"
        if whole not in self._dataset:
            there = sorted(str(one).removeprefix(f"{mean.name}_") for one in self._dataset.data_vars
                           if str(one).startswith(f"{mean.name}_"))
            raise InputError(f"The dataset has no '{whole}'; of {mean.name} it has {', '.join(['mean', *there])}.")
        return self._dataset[whole]

    def depth_mean(self, name: str, top: float, bottom: float) -> xr.DataArray:
        """Return the mean of a variable from ``top`` to ``bottom`` [m], layers weighted by their overlap.

        Raises
        ------
        InputError
            If the variable has no layers, or they end above ``bottom``.
        """
        values = self[name]
        axis = next((str(one) for one in values.dims if f"{one}_bounds" in self._dataset and one != "time"), None)
        if axis is None:
            raise InputError(f"'{values.name}' has no layers to average over depth.")
        bounds = self._dataset[f"{axis}_bounds"].values
        if not 0.0 <= top < bottom:
            raise InputError(f"depth_mean: expected 0 <= top < bottom [m], got {top} and {bottom}.")
        if bottom > bounds[-1, 1] * (1.0 + 1e-9):
            raise InputError(f"'{values.name}' ends at {bounds[-1, 1]:.3g} m, above the lower depth {bottom} m.")
        overlap = np.clip(np.minimum(bounds[:, 1], bottom) - np.maximum(bounds[:, 0], top), 0.0, None)
        weights = xr.DataArray(overlap / (bottom - top), dims=axis)
        return _named(values, (values * weights).sum(axis, skipna=False), f"{axis}: mean")

    def area_mean(self, name: str, where: xr.DataArray | None = None) -> xr.DataArray:
        """Return the mean of a variable over the cells, weighted by their areas.

        Parameters
        ----------
        name : str
            Identifier or alias.
        where : xarray.DataArray of bool, optional
            Cells that count, on the grid of the dataset.

        Raises
        ------
        InputError
            If the dataset does not know the areas of its cells and they are not all alike.
        """
        values = self[name]
        dims = [one for one in values.dims if one in _HORIZONTAL]
        weights = self._areas(dims)
        if where is not None:
            weights = weights.where(where, 0.0)
        return _named(values, values.weighted(weights).mean(dims), "area: mean")

    def anomaly(self, name: str) -> xr.DataArray:
        """Return a variable less its mean of the calendar month in the dataset itself.

        A record belongs to the month of the middle of its interval. For anomalies from a climatology of many years see
        ``pyland diagnose percentiles``.
        """
        values = self[name]
        middle = values["time"]
        if "time_bounds" in self._dataset:
            bounds = self._dataset["time_bounds"]
            ends = bounds.dims[1]
            middle = bounds.isel({ends: 0}) + (bounds.isel({ends: 1}) - bounds.isel({ends: 0})) / 2
        month = middle.dt.month.rename("month")
        groups = values.groupby(month)
        return _named(values, (groups - groups.mean()).drop_vars("month"), None)

    def at(self, latitude: float, longitude: float) -> xr.Dataset:
        """Return the dataset of the cell whose centre is the nearest to a place [degrees].

        Raises
        ------
        InputError
            If the place is farther from every centre than cells are from each other.
        """
        lat, lon = self._dataset["latitude"], self._dataset["longitude"]
        distance = np.hypot(lat - latitude, (lon - longitude) * np.cos(np.radians(latitude))).values
        place = np.unravel_index(int(np.nanargmin(distance)), distance.shape)
        if distance.size > 1:
            to_others = np.hypot(lat - lat.values[place], (lon - lon.values[place]) * np.cos(np.radians(latitude)))
            spacing = np.sort(to_others.values[np.isfinite(to_others.values)])[1]
            if distance[place] > spacing:
                raise InputError(f"({latitude}, {longitude}) lies outside the cells of the dataset, "
                                 f"{distance[place]:.3g} degrees from the nearest.")
        return self._dataset.isel(dict(zip(lat.dims, (int(n) for n in place), strict=True)))

    def _areas(self, dims: list[Any]) -> xr.DataArray:
        """Return the weights of the cells."""
        if "cell_area" in self._dataset:
            return self._dataset["cell_area"].fillna(0.0)
        latitude = self._dataset["latitude"]
        if float(latitude.max() - latitude.min()) > _ALIKE:
            raise InputError("area_mean: the dataset has no cell_area, and its cells are of different sizes. Open the "
                             "run with pyland.open_output, which takes them from domain.nc.")
        return xr.ones_like(latitude).where(latitude.notnull(), 0.0)


_ALIKE = 1.0
"""Extent in latitude up to which cells without known areas count the same [degrees]: 3 % of the area at 60 degrees."""


def _named(source: xr.DataArray, result: xr.DataArray, method: str | None) -> xr.DataArray:
    """Return a result with name and attributes of its variable, and what was done."""
    attributes = dict(source.attrs)
    if method is not None:
        attributes["cell_methods"] = f"{attributes.get('cell_methods', '')} {method}".strip()
    else:
        attributes["long_name"] = f"anomaly of {attributes.get('long_name', source.name)}"
        attributes.pop("standard_name", None)
    return result.rename(source.name).assign_attrs(attributes)


def _names_of(identifier: str, attrs: dict[str, Any]) -> set[str]:
    """Return all names of a variable: attributes `standard_name` and `*_name`, one or several words."""
    if _STATISTIC.search(identifier):
        return set()
    names: set[str] = set()
    for key, value in attrs.items():
        if key.endswith("_name") and key != "long_name" and isinstance(value, str):
            names.update(value.replace(",", " ").split())
    return names
