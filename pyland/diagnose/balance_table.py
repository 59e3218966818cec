"""Water, energy and carbon of a run per zone and period: a table with a row for each zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.balance_columns import COLUMNS, STORES, Column, ratio, water_columns
from pyland.diagnose.records import Period, records_of_period
from pyland.diagnose.zones import Zones

EVERY = ("period", "mean_year", "year", "season", "month")
"""Periods of the rows: all of it, its mean year, or each year, season or month."""

YEAR = 365.2425
"""Mean length of a year [d]."""

DAY = 86400
"""[s]"""

WATER_TERMS = ("precipitation", "rainfall", "snowfall", "irrigation", "evapotranspiration", "transpiration",
               "canopy_evaporation", "soil_evaporation", "snow_sublimation", "open_water_evaporation",
               "surface_runoff", "subsurface_runoff", "analysis_increment", "storage_change",
               *(f"storage_change_{name}" for name in STORES))
"""Terms of ``balance.nc`` that the water table takes, as far as the file has them [kg m-2]."""

RIVER_VOLUMES = ("lake_precipitation", "lake_evaporation", "lake_withheld_runoff", "river_deficit", "river_residual",
                 "river_storage_change", "lake_volume_change")
"""Volumes of rivers and terminal lakes in ``balance.nc`` [m3]."""

ENERGY_TERMS = ("net_radiation", "latent_heat_flux", "sensible_heat_flux", "ground_heat_flux", "snow_heat_flux",
                "energy_residual")
"""Means of ``balance.nc`` [W m-2]."""

CARBON_TERMS = ("net_primary_production", "heterotrophic_respiration", "carbon_storage_change", "carbon_residual")
"""Sums of ``balance.nc``, as carbon [kg m-2]."""

_SEASONS = ("DJF", "MAM", "JJA", "SON")


@dataclass(frozen=True)
class RowPeriods:
    """Periods of the rows of a table.

    Attributes
    ----------
    labels : tuple of str
        What each is called: ``2020``, ``2020 JJA``, ``2020-07``.
    start, end : numpy.ndarray of datetime64, shape (period,)
        First and last instant of the records that belong to it.
    place : numpy.ndarray of int, shape (record,)
        Period of each record of the file, -1 for none.
    years : float
        What sums are divided by: the years of a mean year, else 1.
    """

    labels: tuple[str, ...]
    start: np.ndarray
    end: np.ndarray
    place: np.ndarray
    years: float

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum records, (record, ...), over each period, (period, ...)."""
        out = np.zeros((len(self.labels), *values.shape[1:]))
        known = self.place >= 0
        np.add.at(out, self.place[known], values[known])
        return out / self.years


@dataclass(frozen=True)
class BalanceTable:
    """A table with a row for each zone and period.

    Attributes
    ----------
    kind : str
        ``water``, ``energy`` or ``carbon``.
    zones : Zones
        Whose rows these are.
    every : str
        One of ``EVERY``.
    periods : RowPeriods
        Periods of the rows.
    values : mapping of str to numpy.ndarray, shape (period, zone)
        By id of the column; NaN where a zone has no such value.
    """

    kind: str
    zones: Zones
    every: str
    periods: RowPeriods
    values: Mapping[str, np.ndarray]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns that the table has, in their order."""
        return tuple(one for one in COLUMNS[self.kind] if one.id in self.values)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give each row: zone, period, start, end, and the columns by their id."""
        for p, label in enumerate(self.periods.labels):
            for z, zone in enumerate(self.zones.names):
                yield {"zone": zone, "period": label, "start": str(self.periods.start[p]),
                       "end": str(self.periods.end[p]), **{one.id: float(self.values[one.id][p, z])
                                                           for one in self.columns}}


def balance_table(
    balance: xr.Dataset, domain: xr.Dataset, zones: Zones, period: Period = (None, None), every: str = "period",
    kind: str = "water",
) -> BalanceTable:
    """Return the balance of zones.

    Parameters
    ----------
    balance : xarray.Dataset
        ``balance.nc`` of a run of columns, opened or read.
    domain : xarray.Dataset
        ``domain.nc`` of the run.
    zones : Zones
        Zones of its cells.
    period : tuple of numpy.datetime64 or None
        First and last instant that count, UTC; records count that lie within.
    every : str
        One of ``EVERY``. A record belongs to the month, season or year in which its middle lies; December belongs to
        the winter of the next year. ``mean_year`` divides the sums by the length of the period in years.
    kind : str
        ``water``: sums; ``energy``: means over time; ``carbon``: sums.

    Returns
    -------
    BalanceTable
        docs/guide/balance.md says what the columns are.

    Raises
    ------
    InputError
        If no record lies in the period, the run has no such balance, or a mean year is asked of less than a year.
    """
    periods = row_periods(balance, period, every)
    maker = {"water": _water, "energy": _energy, "carbon": _carbon}.get(kind)
    if maker is None:
        raise InputError(f"Balance table: expected water, energy or carbon, got '{kind}'.")
    values = maker(balance, domain, zones, periods)
    values["area_km2"] = zones.area / 1.0e6
    values["elevation_m"] = zones.mean(domain["elevation"].values)
    shape = (len(periods.labels), zones.count)
    known = {one.id for one in COLUMNS[kind]}
    return BalanceTable(kind, zones, every, periods, {
        name: np.broadcast_to(one, shape) for name, one in values.items() if name in known})


def row_periods(balance: xr.Dataset, period: Period = (None, None), every: str = "period") -> RowPeriods:
    """Return the periods of rows; arguments and errors as for `balance_table`."""
    if every not in EVERY:
        raise InputError(f"Balance table: expected rows for each of {', '.join(EVERY)}, got '{every}'.")
    bounds = balance["time_bounds"].values.astype("datetime64[s]")
    counts = records_of_period(bounds, period, "Balance table")
    middle = bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) // 2
    labels = _labels(middle, every)
    names = list(dict.fromkeys(labels[counts]))
    place = np.where(counts, [names.index(one) if one in names else -1 for one in labels], -1)
    start = np.array([bounds[place == one, 0].min() for one in range(len(names))])
    end = np.array([bounds[place == one, 1].max() for one in range(len(names))])
    years = 1.0
    if every == "mean_year":
        years = float((end[0] - start[0]) / np.timedelta64(DAY, "s")) / YEAR
        if years < 0.99:
            raise InputError(f"Balance table: a mean year needs a year at least, the period has {years * YEAR:.4g} d; "
                             "choose every: period.")
    return RowPeriods(tuple(names), start, end, place, years)


def _labels(middle: np.ndarray, every: str) -> np.ndarray:
    """Return the period that each record belongs to."""
    if every in ("period", "mean_year"):
        return np.full(middle.size, "mean year" if every == "mean_year" else "period", dtype=object)
    months = middle.astype("datetime64[M]")
    if every == "month":
        return months.astype(str).astype(object)
    years = middle.astype("datetime64[Y]").astype(int) + 1970
    if every == "year":
        return years.astype(str).astype(object)
    number = months.astype(int) % 12  # January is 0
    years = years + (number == 11)
    return np.array([f"{year} {_SEASONS[(month + 1) % 12 // 3]}" for year, month in zip(years, number, strict=True)],
                    dtype=object)


def _water(balance: xr.Dataset, domain: xr.Dataset, zones: Zones, periods: RowPeriods) -> dict[str, np.ndarray]:
    """Return the columns of the water table."""
    depth = {name: periods.sums(zones.mean(balance[name].values)) for name in WATER_TERMS if name in balance}
    volume = None
    if "river_outflow" in balance:
        volume = _rivers(balance, domain, zones, periods)
    return water_columns(depth, zones.area, volume)


def _rivers(balance: xr.Dataset, domain: xr.Dataset, zones: Zones, periods: RowPeriods) -> dict[str, np.ndarray]:
    """Return what rivers and terminal lakes do in each zone, each (period, zone) [m3]."""
    volume = {name: periods.sums(zones.sum_of(balance[name].values)) for name in RIVER_VOLUMES}
    change = volume.pop("river_storage_change") + volume.pop("lake_volume_change")
    discharge = balance["river_outflow"].values
    receiver = domain["downstream_cell"].values
    inflow, outflow = (periods.sums(one) for one in flow_over_borders(discharge, receiver, zones))
    around = zones if zones.around is None else zones.around
    coming = inflow if zones.around is None else periods.sums(flow_over_borders(discharge, receiver, around)[0])
    length = np.diff(balance["time_bounds"].values.astype("datetime64[s]").astype(np.int64), axis=1)
    lake = periods.sums(zones.sum_of(balance["lake_area"].values) * length) / periods.sums(length.astype(float))
    return {**volume, "inflow": inflow, "outflow": outflow, "streamflow": coming[:, zones.parent], "lake_area": lake,
            "storage_change": change, "residual": volume["river_residual"]}


def flow_over_borders(outflow: np.ndarray, receiver: np.ndarray, zones: Zones) -> tuple[np.ndarray, np.ndarray]:
    """Return what rivers bring into zones and take out of them.

    Parameters
    ----------
    outflow : numpy.ndarray, shape (..., y, x)
        Water that leaves each cell downstream [m3].
    receiver : numpy.ndarray of int, shape (y, x)
        Place of the receiving cell in the flattened grid; negative: out of the domain, or nowhere.
    zones : Zones
        Zones of the cells.

    Returns
    -------
    inflow, outflow : numpy.ndarray, shape (..., zone)
        [m3]; what flows from cell to cell within a zone is in neither.
    """
    flat, target = zones.index.ravel(), receiver.ravel()
    there = np.where(target >= 0, flat[np.maximum(target, 0)], -1)
    crosses = there != flat
    moved = np.where(np.isnan(outflow), 0.0, outflow).reshape(-1, flat.size)
    lead = outflow.shape[: outflow.ndim - zones.index.ndim]
    sums = []
    for goal in (there, flat):
        out = np.zeros((moved.shape[0], zones.count))
        chosen = np.flatnonzero(crosses & (goal >= 0))
        np.add.at(out.T, goal[chosen], moved[:, chosen].T)
        sums.append(out.reshape(*lead, zones.count))
    return sums[0], sums[1]


def _energy(balance: xr.Dataset, domain: xr.Dataset, zones: Zones, periods: RowPeriods) -> dict[str, np.ndarray]:
    """Return the columns of the energy table: means over the time of each period."""
    length = np.diff(balance["time_bounds"].values.astype("datetime64[s]").astype(np.int64), axis=1).astype(float)
    whole = periods.sums(length)
    out = {name: periods.sums(zones.mean(balance[name].values) * length) / whole for name in ENERGY_TERMS}
    out["bowen_ratio"] = ratio(out["sensible_heat_flux"], out["latent_heat_flux"])
    if "analysis_heat_increment" in balance:
        out["analysis_heat_increment"] = periods.sums(zones.mean(balance["analysis_heat_increment"].values))
    return out


def _carbon(balance: xr.Dataset, domain: xr.Dataset, zones: Zones, periods: RowPeriods) -> dict[str, np.ndarray]:
    """Return the columns of the carbon table."""
    missing = [name for name in CARBON_TERMS if name not in balance]
    if missing:
        raise InputError("Balance table: the run has no carbon balance; it needs land.carbon: evolving.")
    out = {f"{name}_gc": 1000.0 * periods.sums(zones.mean(balance[name].values)) for name in CARBON_TERMS}
    out["net_ecosystem_exchange_gc"] = out["heterotrophic_respiration_gc"] - out["net_primary_production_gc"]
    return out


__all__ = ["EVERY", "BalanceTable", "RowPeriods", "balance_table", "flow_over_borders", "row_periods"]
