"""``balance.nc``: water and energy terms per cell, with the analysis increment as its own term, and what is left.

Water, cumulated over the output interval [kg m-2]:
precipitation + irrigation - evapotranspiration - surface_runoff - subsurface_runoff + analysis_increment
- storage_change = residual.
Where the model tells them, parts of these: precipitation = rainfall + snowfall; evapotranspiration = transpiration +
canopy_evaporation + soil_evaporation + snow_sublimation + open_water_evaporation; storage_change = the sum of
storage_change_<store> over soil, ground_water, snow, surface, canopy and glacier.
Rivers, where there are any, cumulated over the interval [m3]: runoff + inflow + deficit + lake_precipitation -
lake_evaporation - lake_withheld_runoff - outflow - change of storage = residual.
Carbon, where pools evolve, cumulated [kg m-2]:
net_primary_production - heterotrophic_respiration - carbon_storage_change = carbon_residual.
Energy, mean over the interval [W m-2]:
net_radiation - latent - sensible - ground_heat_flux - snow_heat_flux = residual.
``analysis_heat_increment`` [J m-2] is the heat that the analyses of the interval added to soil and snow, beside the
fluxes of its steps: the heat of soil and snow changes by ground_heat_flux, snow_heat_flux, what water carries, and it.
All terms are ensemble means; the largest residuals of a single step are those of any member.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.member_statistics import member_mean
from pyland.base.parallel import Communicator
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES
from pyland.output.grid import OutputGrid
from pyland.output.history import seconds, stamp_of
from pyland.output.segments import Layout, RecordVariable, SegmentedFile

WATER_RATES = ("precipitation", "irrigation", "evapotranspiration", "surface_runoff", "subsurface_runoff")
"""Fluxes of the water balance that a step gives [kg m-2 s-1]."""

ENERGY_RATES = ("net_radiation", "latent_heat_flux", "sensible_heat_flux", "ground_heat_flux", "snow_heat_flux")
"""Fluxes of the surface energy balance that a step gives [W m-2]."""

CARBON_RATES = ("net_primary_production", "heterotrophic_respiration")
"""Fluxes of the carbon balance that a step gives [kg m-2 s-1]."""

PARTS = {
    "rainfall": ("rain", "kg m-2"),
    "snowfall": ("snowfall", "kg m-2"),
    "transpiration": ("transpiration", "kg m-2"),
    "canopy_evaporation": ("evaporation of water and snow on leaves", "kg m-2"),
    "soil_evaporation": ("evaporation of the ground, and sublimation of glacier ice", "kg m-2"),
    "snow_sublimation": ("sublimation of snow on the ground", "kg m-2"),
    "open_water_evaporation": ("evaporation of lakes of the land surface", "kg m-2"),
}
"""Parts of precipitation and evapotranspiration that a step may give too [kg m-2 s-1]: meaning and unit of the sums."""

STORES = {
    "soil": "soil above the water table",
    "ground_water": "soil below the water table",
    "snow": "snow",
    "surface": "water that stands on the ground",
    "canopy": "water and snow on leaves",
    "glacier": "bodies of glaciers",
}
"""Stores whose changes add up to ``storage_change``: what they hold."""

_TERMS = {
    "precipitation": ("rain and snowfall", "kg m-2"),
    "irrigation": ("irrigation, water from outside the cell", "kg m-2"),
    "evapotranspiration": ("evaporation and transpiration", "kg m-2"),
    "surface_runoff": ("surface runoff", "kg m-2"),
    "subsurface_runoff": ("drainage through the lower boundary", "kg m-2"),
    "analysis_increment": ("water added by the analyses", "kg m-2"),
    "storage_change": ("change of the water stored in soil and snow, on the ground and on leaves", "kg m-2"),
    "water_residual": ("what the water terms leave unexplained", "kg m-2"),
    "water_residual_largest": ("largest water residual of one step of one member", "kg m-2"),
    "net_radiation": ("net radiation, downward", "W m-2"),
    "latent_heat_flux": ("latent heat flux, upward", "W m-2"),
    "sensible_heat_flux": ("sensible heat flux, upward", "W m-2"),
    "ground_heat_flux": ("heat flux into the ground, downward", "W m-2"),
    "snow_heat_flux": ("enthalpy gained by the snow pack", "W m-2"),
    "analysis_heat_increment": ("heat added to soil and snow by the analyses", "J m-2"),
    "energy_residual": ("what the energy terms leave unexplained", "W m-2"),
    "energy_residual_largest": ("largest energy residual of one step of one member", "W m-2"),
}

_CARBON_TERMS = {
    "net_primary_production": ("net primary production as carbon", "kg m-2"),
    "heterotrophic_respiration": ("respiration of litter and soil as carbon", "kg m-2"),
    "carbon_storage_change": ("change of the carbon in plants, litter and soil", "kg m-2"),
    "carbon_residual": ("what the carbon terms leave unexplained", "kg m-2"),
    "carbon_residual_largest": ("largest carbon residual of one step of one member", "kg m-2"),
}

_DAY_ZERO = -(2**62)  # stands for "no interval is open" in the state of a restart


class BalanceWriter:
    """Book the water and energy of every cell.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    grid : OutputGrid
        All cells of the run.
    attrs : mapping
        Global attributes.
    terms : mapping of str to (meaning, unit, cell method), optional
        Further terms, which ``close_interval`` receives.
    communicator : Communicator, optional
        Ranks that each hold members of a tile of cells; ``close_interval`` is collective.
    with_carbon : bool
        Book carbon too; ``start`` and ``close_interval`` then need the carbon that is stored.
    with_parts : bool
        Book the parts of precipitation, evapotranspiration and storage too; steps then give ``PARTS``, and ``start``
        and ``close_interval`` need the water by store.
    """

    def __init__(
        self,
        run_dir: str | Path,
        grid: OutputGrid,
        attrs: Mapping[str, Any],
        *,
        terms: Mapping[str, tuple[str, str, str]] | None = None,
        communicator: Communicator | None = None,
        with_carbon: bool = False,
        with_parts: bool = False,
    ) -> None:
        self.grid = grid
        self.with_carbon, self.with_parts = with_carbon, with_parts
        self._rates = (*WATER_RATES, *(PARTS if with_parts else ()), *ENERGY_RATES)
        self._comm = communicator or Communicator()
        self._sums: dict[str, np.ndarray] = {}
        self._storage: np.ndarray | None = None
        self._carbon: np.ndarray | None = None
        self._stores: dict[str, np.ndarray] = {}
        self._start = _DAY_ZERO
        self._duration = 0.0
        self._file: SegmentedFile | None = None
        if self._comm.is_root:
            layout = Layout(
                dimensions={**grid.dimensions(), "bound": 2},
                coordinates=grid.coordinates(),
                attributes={"Conventions": CONVENTIONS, **attrs},
            )
            self._file = SegmentedFile(run_dir, "balance", layout)
            booked = _TERMS | (_part_terms() if with_parts else {}) | (_CARBON_TERMS if with_carbon else {})
            self._file.define(_definitions(grid, booked, terms or {}))

    def start(
        self, time: Any, storage: np.ndarray, carbon: np.ndarray | None = None,
        stores: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Begin a new run.

        Parameters
        ----------
        time : numpy.datetime64
            Start of the first interval.
        storage : numpy.ndarray, shape (member, cell)
            Water in soil, on the ground and on leaves [kg m-2].
        carbon : numpy.ndarray, shape (member, cell), optional
            Carbon in plants, litter and soil [kg m-2].
        stores : mapping of str to numpy.ndarray, shape (member, cell), optional
            ``STORES`` [kg m-2], with parts.
        """
        if self._file is not None:
            self._file.start()
        self._open_interval(time, storage, carbon, stores)

    def resume(self, time: np.datetime64, state: Mapping[str, np.ndarray]) -> None:
        """Continue after the restart of ``time`` whose file holds ``state``.

        Raises
        ------
        InputError
            If the restart holds no stores where this run books them: an earlier version wrote it.
        """
        self._restore(state)
        if self._file is not None:
            self._file.resume(stamp_of(time), np.datetime64(self._start, "s"))

    def go_on(self, state: Mapping[str, np.ndarray]) -> None:
        """Begin a file of its own with the interval of a restart of another run, which holds ``state``.

        Raises
        ------
        InputError
            As `resume`.
        """
        self._restore(state)
        if self._file is not None:
            self._file.start()

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a half-filled interval."""
        missing = [name for name in STORES if f"balance_store:{name}" not in state] if self.with_parts else []
        if missing:
            raise InputError(
                f"balance.nc: the restart lacks the water of {', '.join(missing)}; a version of pyland whose "
                "balance had no stores wrote it. Finish the run with that version, or run without --resume.")
        self._start = int(state["balance_clock"][0])
        self._sums = {
            name.partition(":")[2]: np.array(values) for name, values in state.items() if name.startswith("balance:")
        }
        self._storage = np.array(state["balance_storage"])
        self._duration = float(state["balance_clock"][1])
        self._carbon = np.array(state["balance_carbon"]) if self.with_carbon else None
        self._stores = {name: np.array(state[f"balance_store:{name}"]) for name in STORES} if self.with_parts else {}

    def add_step(
        self,
        dt: float,
        rates: Mapping[str, np.ndarray],
        water_residual: np.ndarray,
        energy_residual: np.ndarray,
    ) -> None:
        """Add one model step.

        Parameters
        ----------
        dt : float
            Length of the step [s].
        rates : mapping of str to numpy.ndarray, shape (member, cell)
            ``WATER_RATES`` and, with parts, ``PARTS`` [kg m-2 s-1] and ``ENERGY_RATES`` [W m-2], means over the step.
        water_residual, energy_residual : numpy.ndarray, shape (member, cell)
            What the model itself reports for the step [kg m-2, W m-2].
        """
        missing = sorted(set(self._rates) - set(rates))
        if missing:
            raise InputError(f"balance.nc: the step lacks {missing}.")
        for name in self._rates:
            self._sums[name] = self._sums.get(name, 0.0) + np.asarray(rates[name]) * dt
        residuals = {"water_residual_largest": water_residual, "energy_residual_largest": energy_residual}
        for name, residual in residuals.items():
            size = np.abs(np.asarray(residual, dtype=float))
            self._sums[name] = np.maximum(self._sums[name], size) if name in self._sums else size
        self._duration += dt

    def add_carbon(self, dt: float, rates: Mapping[str, np.ndarray], residual: np.ndarray) -> None:
        """Add the carbon of one model step.

        Parameters
        ----------
        dt : float
            Length of the step [s].
        rates : mapping of str to numpy.ndarray, shape (member, cell)
            ``CARBON_RATES``, means over the step [kg m-2 s-1].
        residual : numpy.ndarray, shape (member, cell)
            What the model itself reports for the step [kg m-2].
        """
        for name in CARBON_RATES:
            self._sums[name] = self._sums.get(name, 0.0) + np.asarray(rates[name]) * dt
        size = np.abs(np.asarray(residual, dtype=float))
        self._sums["carbon_residual_largest"] = np.maximum(self._sums.get("carbon_residual_largest", 0.0), size)

    def add_increment(self, increment: np.ndarray, heat: np.ndarray | float = 0.0) -> None:
        """Book the water [kg m-2] and the heat [J m-2] that an analysis added, each (member, cell)."""
        for name, added in (("analysis_increment", increment), ("analysis_heat_increment", heat)):
            self._sums[name] = self._sums.get(name, 0.0) + np.asarray(added)

    def close_interval(
        self,
        time_end: Any,
        storage: np.ndarray,
        carbon: np.ndarray | None = None,
        further: Mapping[str, np.ndarray] | None = None,
        stores: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Write the record of the interval and open the next.

        Parameters
        ----------
        time_end : numpy.datetime64
            End of the interval, UTC.
        storage : numpy.ndarray, shape (member, cell)
            Water in soil, on the ground and on leaves at ``time_end`` [kg m-2].
        carbon : numpy.ndarray, shape (member, cell), optional
            Carbon in plants, litter and soil at ``time_end`` [kg m-2].
        further : mapping of str to numpy.ndarray, shape (member, cell), optional
            The terms that the writer was told of.
        stores : mapping of str to numpy.ndarray, shape (member, cell), optional
            ``STORES`` at ``time_end`` [kg m-2], with parts.
        """
        if self._storage is None or self._duration == 0.0:
            raise InputError(f"balance.nc: the interval that ends at {time_end} holds no step.")
        local = self._terms(np.asarray(storage, dtype=float)) | dict(further or {})
        if self.with_carbon:
            local |= self._carbon_terms(np.asarray(carbon, dtype=float))
        if self.with_parts:
            local |= {name: self._sums[name] for name in PARTS}
            local |= {f"storage_change_{name}": stores[name] - self._stores[name] for name in STORES}
        record = {}
        for name, values in local.items():
            members = self._comm.all_members(values)
            reduced = members.max(axis=0) if name.endswith("residual_largest") else member_mean(members)
            joined = self._comm.gather_last(reduced)
            if joined is not None:
                record[name] = self.grid.place(joined)[np.newaxis]
        if self._file is not None:
            record["time"] = np.array([seconds(time_end)])
            record["time_bounds"] = np.array([[self._start, seconds(time_end)]])
            self._file.append(record)
        self._open_interval(time_end, storage, carbon, stores)

    def state(self) -> dict[str, np.ndarray]:
        """Return the half-filled interval for a restart; exact."""
        if self._storage is None:
            raise InputError("balance.nc: no interval is open; call start first.")
        out = {f"balance:{name}": np.array(values) for name, values in self._sums.items()}
        out["balance_storage"] = self._storage.copy()
        if self._carbon is not None:
            out["balance_carbon"] = self._carbon.copy()
        out |= {f"balance_store:{name}": values.copy() for name, values in self._stores.items()}
        out["balance_clock"] = np.array([float(self._start), self._duration])
        return out

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            self._file.flush(stamp)

    def finish(self) -> Path | None:
        """Join the segments into the final file; its path on the root, None elsewhere."""
        return None if self._file is None else self._file.finish()

    # ---- inside ----------------------------------------------------------------------------------

    def _open_interval(
        self, time: Any, storage: np.ndarray, carbon: np.ndarray | None, stores: Mapping[str, np.ndarray] | None
    ) -> None:
        """Start counting at ``time``."""
        self._stores = {name: np.array(stores[name], dtype=float) for name in STORES} if self.with_parts else {}
        self._carbon = np.array(carbon, dtype=float) if self.with_carbon else None
        self._sums = {}
        self._storage = np.array(storage, dtype=float)
        self._start = seconds(time)
        self._duration = 0.0

    def _terms(self, storage: np.ndarray) -> dict[str, np.ndarray]:
        """Return all terms of the interval, (member, cell) of this rank."""
        water = {name: self._sums[name] for name in WATER_RATES}
        water["analysis_increment"] = np.asarray(self._sums.get("analysis_increment", np.zeros_like(storage)))
        water["storage_change"] = storage - self._storage
        water["water_residual"] = (
            water["precipitation"]
            + water["irrigation"]
            - water["evapotranspiration"]
            - water["surface_runoff"]
            - water["subsurface_runoff"]
            + water["analysis_increment"]
            - water["storage_change"]
        )
        energy = {name: self._sums[name] / self._duration for name in ENERGY_RATES}
        energy["energy_residual"] = (
            energy["net_radiation"]
            - energy["latent_heat_flux"]
            - energy["sensible_heat_flux"]
            - energy["ground_heat_flux"]
            - energy["snow_heat_flux"]
        )
        energy["analysis_heat_increment"] = np.zeros_like(storage) + self._sums.get("analysis_heat_increment", 0.0)
        largest = {name: self._sums[name] for name in ("water_residual_largest", "energy_residual_largest")}
        return water | energy | largest

    def _carbon_terms(self, stored: np.ndarray) -> dict[str, np.ndarray]:
        """Return the carbon terms of the interval, (member, cell) of this rank."""
        carbon = {name: self._sums[name] for name in CARBON_RATES}
        carbon["carbon_storage_change"] = stored - self._carbon
        carbon["carbon_residual"] = (
            carbon["net_primary_production"]
            - carbon["heterotrophic_respiration"]
            - carbon["carbon_storage_change"]
        )
        return carbon | {"carbon_residual_largest": self._sums["carbon_residual_largest"]}


def _part_terms() -> dict[str, tuple[str, str]]:
    """Return the terms that the parts add: meaning and unit."""
    stores = {f"storage_change_{name}": (f"change of the water in {what}", "kg m-2") for name, what in STORES.items()}
    return PARTS | stores


def _definitions(
    grid: OutputGrid, booked: Mapping[str, tuple[str, str]], further: Mapping[str, tuple[str, str, str]]
) -> dict[str, RecordVariable]:
    """Define the variables of the file."""
    out = {
        "time": RecordVariable(("time",), {**TIME_ATTRIBUTES, "bounds": "time_bounds"}, "i8"),
        "time_bounds": RecordVariable(("time", "bound"), {}, "i8"),
    }
    for name, (meaning, unit) in booked.items():
        method = "time: maximum" if name.endswith("largest") else "time: mean" if unit == "W m-2" else "time: sum"
        attributes = {
            "long_name": meaning,
            "units": unit,
            "cell_methods": method,
            "coordinates": "latitude longitude",
        }
        out[name] = RecordVariable(("time", *grid.horizontal), attributes, "f8")
    for name, (meaning, unit, method) in further.items():
        attributes = {
            "long_name": meaning, "units": unit, "cell_methods": f"time: {method}", "coordinates": "latitude longitude",
        }
        out[name] = RecordVariable(("time", *grid.horizontal), attributes, "f8")
    return out
