"""Members of a quantity out of the files of a product: analysis and forecast in one series, over all its cells."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError, PylandError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.config.alarms import PERCENTILE, AlarmRule, AlarmsSection
from pyland.config.hindcast import HindcastQuantity, HindcastSection
from pyland.diagnose.alarms import AlarmField, AlarmPlaces
from pyland.diagnose.climatology_file import DEPTH_ATTRIBUTE, read_climatology
from pyland.diagnose.percentiles import Climatology, day_of_year, percentile_of
from pyland.diagnose.zones import basin_zones, land_cover_zones
from pyland.driver.commands.zone_files import read_zones
from pyland.output.domain_fields import FILE as DOMAIN_FILE
from pyland.output.domain_fields import read_domain_fields
from pyland.output.grid import OutputGrid

ANALYSIS_MEMBERS, FORECAST_MEMBERS = "analysis_members.nc", "forecast_members.nc"
"""Files of a product that are read here."""

_TIME_UNITS = "seconds since 1970-01-01"


def needed_members(alarms: AlarmsSection, hindcast: HindcastSection) -> tuple[str, ...]:
    """Return the variables whose members the runs of a cycle have to keep (``output.members``)."""
    return tuple(dict.fromkeys([*(one.variable for one in alarms.rules),
                                *(one.variable for one in hindcast.quantities)]))


class ProductFields:
    """A product; of its files only what is asked for is read.

    Parameters
    ----------
    folder : str or Path
        Folder of the product.
    climatology : str or Path, optional
        File of `pyland diagnose CASE percentiles`, for rules on percentiles and as a reference of forecasts.
    """

    def __init__(self, folder: str | Path, climatology: str | Path | None = None) -> None:
        self.folder = Path(folder)
        self._climatology = climatology
        self._times: dict[str, np.ndarray] = {}

    def has(self, part: str) -> bool:
        """Tell whether the product has a file."""
        return (self.folder / part).exists()

    def times(self, part: str) -> np.ndarray:
        """Return the times of a file, ends of its intervals [UTC], shape (time,)."""
        if part not in self._times:
            path = self.folder / part
            with _opened(path) as data:
                if not data["time"].units.startswith(_TIME_UNITS):
                    raise InputError(f"{path}: expected time in {_TIME_UNITS}, got {data['time'].units}.")
                self._times[part] = np.asarray(data["time"][:]).astype("datetime64[s]")
        return self._times[part]

    def members(self, quantity: AlarmRule | HindcastQuantity) -> tuple[np.ndarray, np.ndarray]:
        """Return the members of a quantity, analysis and forecast one after the other.

        Parameters
        ----------
        quantity : AlarmRule or HindcastQuantity
            Names the variable and the depth.

        Returns
        -------
        times : numpy.ndarray of datetime64, shape (time,)
            Ends of the intervals [UTC].
        values : numpy.ndarray, shape (time, member, cell)
            All cells of the grid, NaN where there is none of the run.

        Raises
        ------
        InputError
            If the product lacks the members of the variable, or its depth.
        """
        parts = [name for name in (ANALYSIS_MEMBERS, FORECAST_MEMBERS) if self.has(name)]
        if not parts:
            raise InputError(f"{self.folder}: there are no members of '{quantity.variable}'; add it to output.members.")
        times = np.concatenate([self.times(name) for name in parts])
        values = np.concatenate([self._values(quantity, name) for name in parts])
        _, first = np.unique(times, return_index=True)
        return times[first], values[first]

    def members_at(self, quantity: HindcastQuantity, part: str, moment: np.datetime64) -> np.ndarray | None:
        """Return the members of one time, (member, cell); None if the file has no such time."""
        row = np.flatnonzero(self.times(part) == moment)
        return self._values(quantity, part, row[:1])[0] if row.size else None

    def _values(self, quantity: AlarmRule | HindcastQuantity, name: str, rows: np.ndarray | None = None) -> np.ndarray:
        """Return members of one file, (time, member, cell); all times, or some rows."""
        path = self.folder / name
        with _opened(path) as data:
            if quantity.variable not in data.variables:
                raise InputError(f"{path}: there are no members of '{quantity.variable}'; add it to output.members.")
            field = data[quantity.variable]
            axis = next((one for one in field.dimensions if one != "time" and f"{one}_bounds" in data.variables), None)
            if axis is None and quantity.depth is not None:
                raise InputError(f"{path}: '{quantity.variable}' has no layers to average over {quantity.depth} m; "
                                 "leave depth out.")
            chosen = slice(None) if rows is None else rows
            values = (_filled(field[chosen]) if axis is None
                      else _depth_mean(field, chosen, _filled(data[f"{axis}_bounds"][:]), quantity, path))
        return values.reshape(*values.shape[:2], -1)

    def usual(self, quantity: AlarmRule | HindcastQuantity) -> Climatology | None:
        """Return the climatology of a quantity; None if none is given.

        Raises
        ------
        InputError
            If the file does not hold the quantity.
        """
        if self._climatology is None:
            return None
        path, name = Path(self._climatology), quantity_name(quantity)
        with _opened(path) as data:
            if f"{name}_quantile" in data.variables:
                return read_climatology(path, name)
            depth = data.getncattr(DEPTH_ATTRIBUTE).tolist() if DEPTH_ATTRIBUTE in data.ncattrs() else None
        if quantity.depth is not None and depth != quantity.depth:
            held = "no depth that it tells" if depth is None else f"the mean from {depth[0]:g} to {depth[1]:g} m"
            raise InputError(f"{path}: expected '{quantity.variable}' from {quantity.depth[0]:g} to "
                             f"{quantity.depth[1]:g} m, the file has {held}; make one with `pyland diagnose CASE "
                             "percentiles --set diagnose.percentiles.depth=[TOP,BOTTOM]`.")
        return read_climatology(path, quantity.variable)

    def alarm_field(self, rule: AlarmRule) -> AlarmField:
        """Return what a rule looks at; with percentiles if it asks for them."""
        times, values = self.members(rule)
        if rule.statistic != PERCENTILE:
            return AlarmField(times, values)
        usual = self.usual(rule)
        if usual is None:
            raise InputError(f"Alarm '{rule.name}': it asks for percentiles; name a climatology in cycle.climatology, "
                             "made by `pyland diagnose CASE percentiles` of a long run.")
        shaped = values.reshape(*values.shape[:2], *usual.cell_shape)
        return AlarmField(times, values, percentile_of(shaped, usual, times).reshape(values.shape))

    def usual_mean(self, quantity: HindcastQuantity, moment: np.datetime64) -> np.ndarray | None:
        """Return the mean of the climatology on a day, (cell,); None without a climatology."""
        usual = self.usual(quantity)
        if usual is None:
            return None
        return np.asarray(usual.at("mean", float(day_of_year(moment)))).ravel()

    def grid(self) -> OutputGrid:
        """Return the cells as a grid for files; those that are not of the run have no place."""
        part = next(name for name in (ANALYSIS_MEMBERS, FORECAST_MEMBERS) if self.has(name))
        with _opened(self.folder / part) as data:
            north, east = (_filled(data[name][:]) for name in ("latitude", "longitude"))
            axes = {name: _filled(data[name][:]) for name in ("x", "y")
                    if name in data.variables and "x" in data["latitude"].dimensions}
            names = tuple(str(one) for one in data["site_name"][:]) if "site_name" in data.variables else ()
        shape = north.shape if north.ndim == 2 else None
        return OutputGrid(north.ravel(), east.ravel(), shape=shape, names=names, **axes)

    def places(self, zone_file: str | Path | None = None) -> AlarmPlaces:
        """Return places, areas and zones of the cells.

        Parameters
        ----------
        zone_file : str or Path, optional
            Zones of the user's own: a map (netCDF) or polygons (GeoJSON). Land covers and, with rivers, basins are
            always there.

        Raises
        ------
        InputError
            If the product has no ``domain.nc``, or the file of zones does not fit.
        """
        data = read_domain_fields(self.folder)
        parted = [land_cover_zones(data)] if "land_cover" in data else []
        parted += [basin_zones(data)] if "basin" in data else []
        parted += [] if zone_file is None else [read_zones(zone_file, data)]
        zones = {name: (one.index == place).ravel() for one in parted for place, name in enumerate(one.names)}
        area = data["cell_area"].values.ravel().astype(float)
        return AlarmPlaces(data["latitude"].values.ravel(), data["longitude"].values.ravel(),
                           np.where(np.isfinite(area), area, 0.0), zones)

    def area(self) -> np.ndarray | None:
        """Return the areas of the cells, (cell,) [m2]; None if the product does not say."""
        return self.places().area if self.has(DOMAIN_FILE) else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open a file of a product; what is damaged is told in a sentence."""
    if not path.exists():
        raise InputError(f"{path}: no such file.")
    try:
        with NETCDF_ACCESS, netCDF4.Dataset(path) as data:
            yield data
    except PylandError:
        raise
    except (OSError, RuntimeError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: not a readable file of a product ({error}).") from error


def quantity_name(quantity: AlarmRule | HindcastQuantity) -> str:
    """Return the name of a quantity in files: the variable, with its depth in centimetres."""
    return HindcastQuantity(variable=quantity.variable, depth=quantity.depth).name


def newest_versions(folders: Iterable[Path]) -> list[Path]:
    """Return of products, sorted by cycle and version, the newest of each cycle."""
    newest: dict[str, Path] = {}
    for folder in folders:
        newest[folder.name.partition("_v")[0]] = folder
    return list(newest.values())


def _filled(values: np.ndarray) -> np.ndarray:
    """Return numbers with NaN where the file has none."""
    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)


def _depth_mean(field: netCDF4.Variable, rows: slice | np.ndarray, bounds: np.ndarray,
                quantity: AlarmRule | HindcastQuantity, path: Path) -> np.ndarray:
    """Average layers of a variable (time, member, layer, ...) over a depth, weighted by the overlap."""
    if quantity.depth is None:
        raise InputError(f"{path}: '{quantity.variable}' has layers; give the depth [top, bottom] to average over.")
    top, bottom = quantity.depth
    overlap = np.clip(np.minimum(bounds[:, 1], bottom) - np.maximum(bounds[:, 0], top), 0.0, None)
    if not overlap.sum() > 0.0:
        raise InputError(f"{path}: the layers of '{quantity.variable}' end at {bounds[-1, 1]:.3g} m; got the depth "
                         f"{top:g} to {bottom:g} m.")
    used = np.flatnonzero(overlap)
    part = _filled(field[rows, :, used[0]:used[-1] + 1])
    return np.tensordot(overlap[used] / overlap.sum(), part, axes=(0, 2))
