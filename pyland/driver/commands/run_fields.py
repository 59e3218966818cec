"""Variables of a finished run as arrays, for the topics of ``pyland diagnose``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.drought import monthly_sums, penman_monteith, priestley_taylor
from pyland.diagnose.flow import is_domain_balance
from pyland.diagnose.records import open_file, records_of_period
from pyland.driver.commands.diagnosis import DiagnosedRun
from pyland.output.diagnosed_fields import cell_dimensions
from pyland.output.domain_fields import read_domain_fields

POTENTIAL_NEEDS = {
    "priestley_taylor": ("net_radiation", "ground_heat_flux", "air_temperature", "surface_pressure"),
    "penman_monteith": ("net_radiation", "ground_heat_flux", "air_temperature", "surface_pressure", "specific_humidity",
                        "wind_speed"),
}
"""Variables of history.nc that potential evapotranspiration needs."""


@dataclass(frozen=True)
class RunFields:
    """Records of a file of a run within the period.

    Attributes
    ----------
    data : xarray.Dataset
        The variables that were asked for, with coordinates; loaded.
    starts, ends : numpy.ndarray of datetime64[s], shape (time,)
        Bounds of the records.
    """

    data: xr.Dataset
    starts: np.ndarray
    ends: np.ndarray

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions of the cells."""
        return cell_dimensions(self.data)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the cells."""
        return tuple(self.data["latitude"].shape)

    @property
    def middles(self) -> np.ndarray:
        """Middle of each record, shape (time,)."""
        return self.starts + (self.ends - self.starts) // 2

    @property
    def seconds(self) -> np.ndarray:
        """Length of each record [s], shape (time,)."""
        return (self.ends - self.starts) / np.timedelta64(1, "s")

    def values(self, name: str) -> np.ndarray:
        """Return a variable, (time, ..., cells)."""
        return self.data[name].values

    def amounts(self, name: str) -> np.ndarray:
        """Return a flux [per s] as amounts of the records, (time, cells)."""
        rate = self.values(name)
        return rate * self.seconds.reshape(-1, *[1] * (rate.ndim - 1))

    def monthly(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the whole months within the records and the sums of amounts (time, cells) over them."""
        return monthly_sums(self.starts, self.ends, amounts)

    def depth_mean(self, name: str, top: float, bottom: float) -> np.ndarray:
        """Return the mean of a variable over depth, weighted by the overlap of its layers, (time, cells).

        Raises
        ------
        InputError
            If no layer lies in the range.
        """
        field = self.data[name]
        axis = next((str(one) for one in field.dims if one not in ("time", *self.dims)), None)
        if axis is None:
            return field.values
        if f"{axis}_bounds" not in self.data:
            raise InputError(f"'{name}' is kept for each {axis}; choose a variable of cells or of soil layers.")
        edges = self.data[f"{axis}_bounds"].values
        overlap = np.clip(np.minimum(edges[:, 1], bottom) - np.maximum(edges[:, 0], top), 0.0, None)
        if overlap.sum() == 0.0:
            raise InputError(f"'{name}' ends at {edges[-1, 1]:g} m, above the depth from {top:g} to {bottom:g} m.")
        return np.tensordot(overlap / overlap.sum(), field.transpose(axis, ...).values, axes=1)


def read_fields(
    run: DiagnosedRun, file: str, variables: Iterable[str], why: str, *, also: Sequence[str] = ()
) -> RunFields:
    """Read variables of a file of the run.

    Parameters
    ----------
    run : DiagnosedRun
        The run; its period chooses the records that lie in it whole.
    file : str
        Name below the run directory, such as ``history.nc`` or ``open_loop/balance.nc``.
    variables : iterable of str
        Names.
    why : str
        What needs them, for messages.
    also : sequence of str
        Further names, read where the file has them.

    Raises
    ------
    InputError
        If the file or a variable is not there, or the period holds no record.
    """
    path, names = run.files.need(file), list(dict.fromkeys(variables))
    if Path(file).name == "balance.nc" and is_domain_balance(path):
        raise InputError(f"{path}: {why} needs the balance of each cell; that of a run of the distributed subsurface "
                         "is one of its whole domain.")
    try:
        with open_file(path) as source:
            lacking = [name for name in names if name not in source]
            if lacking:
                raise InputError(f"{path}: {why} needs {', '.join(names)}; the file lacks {', '.join(lacking)}."
                                 + (f" Add {', '.join(lacking)} to output.variables and run the case again."
                                    if Path(file).name == "history.nc" else ""))
            edges = source["time_bounds"].values.astype("datetime64[s]")
            rows = np.flatnonzero(records_of_period(edges, run.period, path))
            kept = [name for name in source.variables if name in names or name in also
                    or str(name).endswith("_bounds") or name in ("latitude", "longitude", "x", "y", "site_name")]
            data = source[[str(name) for name in kept]].isel(time=slice(int(rows[0]), int(rows[-1]) + 1)).load()
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable netCDF file ({error}).") from error
    edges = edges[rows]
    return RunFields(data, edges[:, 0], edges[:, 1])


def monthly_water(
    run: DiagnosedRun, names: Sequence[str], why: str
) -> tuple[np.ndarray, dict[str, np.ndarray], xr.Dataset]:
    """Return whole months, terms of balance.nc of each of them (month, cells) [kg m-2], and the file itself."""
    fields = read_fields(run, "balance.nc", names, why)
    sums = {name: fields.monthly(fields.values(name))[1] for name in names}
    return fields.monthly(np.zeros(len(fields.ends)))[0], sums, fields.data


def monthly_potential(
    run: DiagnosedRun, method: str, wind_height: float, why: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return whole months and their potential evapotranspiration (month, cells) [kg m-2], from history.nc.

    Records are taken as they are: means of a day are what both formulas are made for.
    """
    fields = read_fields(run, "history.nc", POTENTIAL_NEEDS[method], why)
    available = fields.values("net_radiation") - fields.values("ground_heat_flux")
    temperature, pressure = fields.values("air_temperature"), fields.values("surface_pressure")
    if method == "priestley_taylor":
        rate = priestley_taylor(available, temperature, pressure)
    else:
        rate = penman_monteith(available, temperature, pressure, fields.values("specific_humidity"),
                               fields.values("wind_speed"), wind_height)
    return fields.monthly(rate * fields.seconds.reshape(-1, *[1] * (rate.ndim - 1)))


def common_months(*months: np.ndarray) -> tuple[np.ndarray, list[slice]]:
    """Return the months that all files cover, and where they lie in each; InputError if there is none."""
    first, last = max(one[0] for one in months), min(one[-1] for one in months)
    if first > last:
        raise InputError("balance.nc and history.nc share no whole month.")
    count = int((last - first).astype(int)) + 1
    begins = [int((first - one[0]).astype(int)) for one in months]
    return first + np.arange(count), [slice(begin, begin + count) for begin in begins]


def cell_area(run: DiagnosedRun, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the area of the cells [m2], 0 of cells that are not active; None for a run without domain.nc."""
    if run.files.find("domain.nc") is None:
        return None
    area = read_domain_fields(run.files.run_dir)["cell_area"].values
    return np.nan_to_num(area) if area.shape == shape else None


def area_weights(run: DiagnosedRun, shape: tuple[int, ...]) -> np.ndarray:
    """Return the weights of the cells in means: their area [m2], alike for a run without domain.nc."""
    area = cell_area(run, shape)
    return np.ones(shape) if area is None else area


def month_bounds(months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last instant of months."""
    return months.astype("datetime64[s]"), (months + 1).astype("datetime64[s]")
