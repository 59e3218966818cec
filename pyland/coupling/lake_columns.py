"""The lakes of a run's cells, all members together, with the interface of the land columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np

from pyland.base.errors import BalanceError, InputError, StateError
from pyland.coupling.water_stores import EVAPORATION_PARTS, WATER_STORES
from pyland.land.lake_model import LakeModel, light_extinction


class LakeColumns:
    """One lake per cell and member.

    Parameters
    ----------
    depth : numpy.ndarray, shape (cell,)
        Depth [m].
    nmember : int
        Members.
    latitude, reference_height : numpy.ndarray, shape (cell,)
        Latitude [degrees north], height of the forcing above the lake [m].
    extinction : float, optional
        Extinction of visible light [m-1]; None: by depth, see `pyland.land.light_extinction`.
    temperature : numpy.ndarray, shape (cell,)
        Water temperature at the start [K]; below freezing a lake is ice.
    stability_limit : float
        Largest stability parameter zeta of stable air [1].

    Attributes
    ----------
    state, flux : mapping of str to numpy.ndarray
        Live views, ``([n,] member, cell)``.

    Raises
    ------
    InputError
        If a size or a value does not fit.
    """

    def __init__(
        self,
        depth: np.ndarray,
        nmember: int,
        *,
        latitude: np.ndarray,
        reference_height: np.ndarray,
        temperature: np.ndarray,
        extinction: float | None = None,
        stability_limit: float = 0.5,
    ) -> None:
        depth = np.asarray(depth, dtype=float)
        self.ncell, self.nmember = depth.size, nmember

        def each(values: np.ndarray) -> np.ndarray:
            return np.tile(np.broadcast_to(np.asarray(values, dtype=float), depth.shape), nmember)

        self._model = LakeModel(
            each(depth), latitude=each(latitude), reference_height=each(reference_height),
            extinction=each(light_extinction(depth) if extinction is None else np.asarray(extinction)),
            stability_limit=stability_limit)
        self._model.set_temperature(each(temperature))
        self.state = self._views(self._model.state)
        self.flux = self._views(self._model.flux)

    def _views(self, fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return MappingProxyType({
            name: field.reshape(*field.shape[:-1], self.nmember, self.ncell) for name, field in fields.items()})

    def advance(
        self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray, dt: float
    ) -> None:
        """Advance all lakes by one step; on them no plants grow.

        Parameters
        ----------
        weather : mapping of str to numpy.ndarray
            Means over the step, each ``(cell,)`` or ``(member, cell)``; what lakes do not need is left aside.
        leaf_area, stem_area : numpy.ndarray
            Of the soil beside the lake; without effect.
        dt : float
            Time step [s].

        Raises
        ------
        BalanceError, StateError
            If a balance does not close or a value is impossible; the message names cell and member.
        """
        shape = (self.nmember, self.ncell)
        with self._located():
            self._model.advance(
                {name: np.broadcast_to(weather[name], shape).ravel() for name in self._model.forcing}, dt)

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Replace the lake that an error of the core names by cell and member."""
        try:
            yield
        except (BalanceError, InputError, StateError) as error:
            head, _, tail = str(error).partition("in column ")
            digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
            if not digits:
                raise
            member, cell = divmod(int(digits) - 1, self.ncell)
            raise type(error)(f"{head}in cell {cell}, member {member}{tail[len(digits):]}") from error

    @property
    def carbon_columns(self) -> tuple[()]:
        """Columns that hold carbon: none."""
        return ()

    def land_water(self) -> np.ndarray:
        """Water that changes: snow on the ice, shape (member, cell) [kg m-2]."""
        return self.state["lake_snow"].copy()

    def water_stores(self) -> dict[str, np.ndarray]:
        """Water that changes by store, see `ColumnModel.water_stores`: all is snow."""
        return {name: self.land_water() * (name == "snow") for name in WATER_STORES}

    def evaporation_parts(self) -> dict[str, np.ndarray]:
        """Evaporation of the last step by its ways, see `ColumnModel.evaporation_parts`: all is of open water."""
        rate = np.array(self.flux["evapotranspiration"])
        return {name: rate * (name == "open_water_evaporation") for name in EVAPORATION_PARTS}

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per lake [byte]."""
        return self._model.bytes_per_column
