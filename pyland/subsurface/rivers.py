"""Water in rivers and terminal lakes of an ensemble."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.core.rivers import SCHEMES, RiverArrays
from pyland.subsurface.river_network import RiverNetwork, _spread

VELOCITY = 0.35
"""Velocity of linear reservoirs of the River Transport Model [m s-1] (CLM4.5 Technical Note, chapter 11)."""

MANNING = 0.03
"""Manning's roughness of a clean, straight natural channel [s m-1/3] (Chow 1959, table 5-6)."""

WIDTH_SCALE, WIDTH_EXPONENT = 1.0, 0.5
"""Width of a channel whose upstream area is 1 km2 [m] and power of the area [1]: mizuRoute's 0.001 m (A/m2)^0.5
(Mizukami et al. 2016, Geosci. Model Dev. 9, 2223-2238)."""

SMALLEST_SLOPE = 1.0e-4
"""Slope of channels on flats [1]; MOSART takes the same (Li et al. 2013, J. Hydrometeorol. 14, 808-828)."""

DENSITY_WATER = 1000.0
"""[kg m-3]"""


@dataclass(frozen=True)
class Lake:
    """A terminal lake: area = reference_area * (volume/reference_volume)**exponent.

    Attributes
    ----------
    reference_area, reference_volume : float or None
        A pair of area [m2] and volume [m3]; None: the lake has the area of its cell, whatever it holds.
    exponent : float
        0.667 for a cone, 0.5 for a trough, 0 for vertical shores [1].
    spill_volume : float or None
        Volume above which the lake spills [m3]; None: it never does.
    initial_volume : float
        [m3]
    """

    reference_area: float | None = None
    reference_volume: float | None = None
    exponent: float = 2.0 / 3.0
    spill_volume: float | None = None
    initial_volume: float = 0.0

    def row(self, cell_area: float) -> tuple[float, ...]:
        """Return the properties in the order of the compiled core.

        Raises
        ------
        InputError
            If only one of the reference values is given, or a value is out of range.
        """
        if (self.reference_area is None) != (self.reference_volume is None):
            raise InputError("Lake: expected reference_area and reference_volume together, got one of them.")
        spill = np.finfo(float).max if self.spill_volume is None else self.spill_volume
        if self.reference_area is None or self.reference_volume is None:
            return (cell_area, cell_area, cell_area, 0.0, spill)
        return (cell_area, self.reference_area, self.reference_volume, self.exponent, spill)


class Rivers:
    """Rivers and terminal lakes of an ensemble.

    Parameters
    ----------
    network : RiverNetwork
        The network.
    scheme : str
        ``linear``: each reach is a linear reservoir, outflow = velocity/length * storage, integrated exactly.
        ``kinematic``: kinematic wave by Manning's equation in a rectangular channel, backward Euler.
    nmember : int
        Ensemble size.
    velocity : array_like, shape (cell,) or number
        Velocity of linear reservoirs [m s-1].
    manning : array_like, shape (cell,) or number
        Manning's roughness of channels [s m-1/3].
    width : array_like, shape (cell,) or number, optional
        Width of channels [m]; by default 1 m at 1 km2 of upstream area, with the square root of it.
    smallest_slope : float
        Channels are at least this steep [1].
    substep : float
        Longest sub-step [s]; any is stable, short ones resolve the wave.
    lakes : mapping of int to Lake
        Lakes of sinks that are not a default ``Lake()``.

    Attributes
    ----------
    discharge : numpy.ndarray, shape (member, cell)
        Water that leaves a cell, mean over the last step [m3 s-1]; of a sink what its lake spills.
    storage : numpy.ndarray, shape (member, cell)
        Water in rivers [m3]; a live view.
    lake_volume : numpy.ndarray, shape (member, lake)
        Water in lakes [m3]; a live view.
    lake_cells : numpy.ndarray of int, shape (lake,)
        Cells of the lakes.
    balance : dict of str to numpy.ndarray, shape (member,)
        Volumes of the last step [m3]: ``runoff + rain + deficit - evaporation - withheld - outflow - storage_change =
        residual``. ``deficit`` is negative runoff for which there was no water, ``withheld`` the runoff of land that a
        lake covers.

    Raises
    ------
    InputError
        If a value, a shape or a choice does not fit.

    Notes
    -----
    docs/theory/rivers.md.

    Examples
    --------
    >>> from pyland.subsurface import RiverNetwork, Rivers
    >>> rivers = Rivers(RiverNetwork([1, 2, -1], area=1e6, length=1000.0))
    >>> for _ in range(48):
    ...     rivers.advance(3600.0, runoff=1e-3 / 3600.0)
    >>> float(round(rivers.discharge[0, 2], 6))
    0.000833
    """

    def __init__(
        self,
        network: RiverNetwork,
        scheme: str = "linear",
        *,
        nmember: int = 1,
        velocity: np.ndarray | float = VELOCITY,
        manning: np.ndarray | float = MANNING,
        width: np.ndarray | float | None = None,
        smallest_slope: float = SMALLEST_SLOPE,
        substep: float = 900.0,
        lakes: Mapping[int, Lake] | None = None,
    ) -> None:
        if scheme not in SCHEMES:
            raise InputError(f"Rivers: expected a scheme of {', '.join(SCHEMES)}, got '{scheme}'.")
        if nmember < 1 or not substep > 0.0 or not smallest_slope > 0.0:
            raise InputError(
                f"Rivers: expected at least one member and a positive substep and slope, got {nmember}, {substep} s "
                f"and {smallest_slope}."
            )
        given = dict(lakes or {})
        strange = sorted(set(given) - set(network.sinks.tolist()))
        if strange:
            known = network.sinks.tolist()
            raise InputError(f"Rivers: cells {strange} have a lake but are not sinks; the sinks are {known}.")
        self.network = network.with_spills([cell for cell, one in given.items() if one.spill_volume is not None])
        self.lake_cells, self.nmember, self.substep = network.sinks, nmember, float(substep)
        all_lakes = [given.get(int(cell), Lake()) for cell in network.sinks]
        if width is None:
            width = channel_width(network.upstream_area)
        slope = np.maximum(network.slope, smallest_slope)
        count = network.ncell
        roughness = _spread("manning", manning, count)
        if not (roughness > 0.0).all():
            raise InputError("Rivers: Manning's roughness must be positive.")
        reach = [network.area, network.length, _spread("velocity", velocity, count), _spread("width", width, count),
                 np.sqrt(slope) / roughness]
        rows = [one.row(network.area[cell]) for one, cell in zip(all_lakes, network.sinks, strict=True)]
        self._arrays = RiverArrays(
            scheme, self.network.order, network.downstream, self.network.spill, network.sinks, np.stack(reach, axis=1),
            np.array(rows, dtype=float).reshape(len(rows), 5), nmember)
        self.storage, self.lake_volume = self._arrays.storage, self._arrays.lake_volume
        self.discharge, self.inflow, self.deficit = self._arrays.discharge, self._arrays.inflow, self._arrays.deficit
        self.lake_volume[...] = [one.initial_volume for one in all_lakes]
        self.balance: dict[str, np.ndarray] = {}

    @property
    def ncell(self) -> int:
        """Number of cells."""
        return self.network.ncell

    @property
    def nlake(self) -> int:
        """Number of lakes."""
        return self.lake_cells.size

    def advance(
        self, dt: float, runoff: np.ndarray | float, rain: np.ndarray | float = 0.0,
        evaporation: np.ndarray | float = 0.0,
    ) -> None:
        """Advance all rivers and lakes by one step.

        Parameters
        ----------
        dt : float
            Step [s]; cut into equal sub-steps of ``substep`` at most.
        runoff : array_like, shape (member, cell) or one that broadcasts to it
            Runoff of the cells [kg m-2 s-1]. Where it is negative, water is taken from the river while there is any.
        rain, evaporation : array_like, shape (member, lake) or one that broadcasts to it
            Precipitation and evaporation of open water at the lakes, not negative [kg m-2 s-1].

        Raises
        ------
        InputError
            If a shape does not fit or a value is out of range.
        ConvergenceError
            If Newton's method fails in a reach or lake; the message names the cell.
        """
        arrays = self._arrays
        if not (math.isfinite(dt) and dt > 0.0):
            raise InputError(f"Rivers: expected a positive step, got {dt} s.")
        runoff = self._field("runoff", runoff, (self.nmember, self.ncell))
        rain = self._field("rain", rain, (self.nmember, self.nlake))
        evaporation = self._field("evaporation", evaporation, (self.nmember, self.nlake))
        before = self.total_water()
        arrays.advance(dt, max(math.ceil(dt / self.substep), 1), runoff, rain, evaporation)
        self._book(dt, runoff, self.total_water() - before)

    def _field(self, name: str, values: np.ndarray | float, shape: tuple[int, ...]) -> np.ndarray:
        try:
            return np.broadcast_to(np.asarray(values, dtype=float), shape)
        except ValueError as error:
            raise InputError(f"Rivers: {name} has shape {np.shape(values)}; expected {shape}.") from error

    def _book(self, dt: float, runoff: np.ndarray, change: np.ndarray) -> None:
        """Set ``balance`` from what the core left behind."""
        network, flux = self.network, self._arrays.lake_flux
        leaving = (network.downstream == network.OUTLET) | (
            (network.downstream == network.SINK) & (network.spill == network.OUTLET))
        terms = {
            "runoff": _total(runoff * (network.area / DENSITY_WATER)) * dt,
            "rain": _total(flux("rain")) * dt,
            "deficit": _total(self.deficit) * dt,
            "evaporation": _total(flux("evaporation")) * dt,
            "withheld": _total(flux("withheld")) * dt,
            "outflow": _total(self.discharge[:, leaving]) * dt,
            "storage_change": change,
        }
        gained = terms["runoff"] + terms["rain"] + terms["deficit"]
        lost = terms["evaporation"] + terms["withheld"] + terms["outflow"] + terms["storage_change"]
        self.balance = {**terms, "residual": gained - lost}

    def total_water(self) -> np.ndarray:
        """Return all water in rivers and lakes, shape (member,) [m3]."""
        return _total(self.storage) + _total(self.lake_volume)

    def lake_area(self) -> np.ndarray:
        """Return the area of the lakes, shape (member, lake) [m2]."""
        return self._arrays.lake_area()

    def lake_flux(self, name: str) -> np.ndarray:
        """Return ``evaporation``, ``rain`` or ``withheld`` of the lakes in the last step, (member, lake) [m3 s-1]."""
        return self._arrays.lake_flux(name)

    def at_lakes(self, values: np.ndarray) -> np.ndarray:
        """Put values of lakes, shape (member, lake), on the cells, shape (member, cell); 0 elsewhere."""
        out = np.zeros((self.nmember, self.ncell))
        out[:, self.lake_cells] = values
        return out


def _total(values: np.ndarray) -> np.ndarray:
    """Sum over cells, pairwise: numpy sums so along contiguous axes only."""
    return np.ascontiguousarray(values).sum(axis=1)


def channel_width(
    upstream_area: np.ndarray, scale: float = WIDTH_SCALE, exponent: float = WIDTH_EXPONENT
) -> np.ndarray:
    """Return the width of channels [m] from their upstream area [m2]: scale * (area / 1 km2)**exponent."""
    return scale * (np.asarray(upstream_area) / 1.0e6) ** exponent
