"""Land columns over the distributed subsurface: one system of water, advanced together.

Each step the land asks for water, the subsurface moves it in three dimensions and over land, and what it could not give
goes back into the fluxes of the same step (docs/theory/coupling.md). Members are more columns of the land and further
states of the subsurface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError, StateError
from pyland.base.units import WATER_DENSITY
from pyland.core.coupled import CoupledWater
from pyland.coupling.column_model import DRIEST_SATURATION, ColumnModel
from pyland.coupling.land_layers import map_to_land_layers
from pyland.subsurface import DistributedSubsurface

WATER_FIELDS = ("soil_water", "pressure_head", "surface_water")
"""State of columns that is that of the subsurface here."""

PLANT_FIELDS = ("vcmax25_top", "stomatal_slope", "leaf_area_factor")
"""Parameters of plants that an analysis may replace, names of the core."""

CONDUCTIVITY = "saturated_conductivity"
"""The parameter of the ground of which members may have their own."""

PIECES = "piece_ice"
"""State of ice in the pieces of layers of land and ground."""


class CoupledModel:
    """Land of an ensemble over the water of a catchment.

    Parameters
    ----------
    columns : ColumnModel
        The land: cells of this rank's tile and their members, on soil layers that the subsurface has too, or finer or
        coarser ones. Their soil hydraulics must be those of the subsurface (`map_to_land_layers`).
    flow : DistributedSubsurface
        The subsurface of this rank with as many members, without a condition on its top.
    inside : numpy.ndarray of bool, shape (y, x)
        Columns of the tile that are cells of the land, row by row.
    iterations : int
        Land phases of a step: 1 couples explicitly, more repeat the step with the mean of the water at its start and
        at the end that the last pass found [1].

    Attributes
    ----------
    columns, flow
        As given.
    ncell, nmember, npatch : int
        Sizes [1].
    thickness : numpy.ndarray, shape (layer,)
        Layers of the subsurface [m].
    thermal_thickness : numpy.ndarray, shape (thermal_layer,)
        Layers of heat, those of the land and of the rock below [m].
    parameter, forcing : Mapping[str, numpy.ndarray]
        Live views of the land's fields.

    Raises
    ------
    InputError
        If sizes do not fit, or soil layers of the land reach deeper than the subsurface.
    """

    def __init__(
        self, columns: ColumnModel, flow: DistributedSubsurface, inside: np.ndarray, iterations: int = 1
    ) -> None:
        if iterations < 1:
            raise InputError(f"coupling: expected at least one iteration, got {iterations}.")
        self.columns, self.flow = columns, flow
        self.ncell, self.nmember, self.npatch = columns.ncell, columns.nmember, columns.npatch
        self.thickness, self.thermal_thickness = flow.thickness, columns.thermal_thickness
        self.parameter, self.forcing = columns.parameter, columns.forcing
        self._inside, self._iterations = np.asarray(inside, dtype=bool), iterations
        self._y, self._x = np.nonzero(self._inside)
        self._water = CoupledWater(columns.core, flow.fields, self._x, self._y, columns.thickness)
        columns.find_state()
        self._out: dict[str, Any] = {}
        self.show_water()

    # ---- step ----------------------------------------------------------------------------------------

    def advance(
        self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray, dt: float
    ) -> None:
        """Advance land and subsurface by one step; all ranks together.

        Parameters
        ----------
        weather : mapping of str to numpy.ndarray
            Forcing, mean over the step, each ``(cell,)`` or ``(member, cell)``.
        leaf_area, stem_area : numpy.ndarray, shape (patch, cell)
            Leaf and stem area index [m2 m-2].
        dt : float
            Time step [s], in (0, 86400].

        Raises
        ------
        ConvergenceError, BalanceError, StateError
            If the numerics fail.
        """
        self.columns.set_weather(weather, leaf_area, stem_area)
        if self._iterations == 1:
            self._pass(dt)
        else:
            self._iterate(dt)
        with self.flow.comm.together(), self.columns.located():
            self._water.end(dt)

    def _pass(self, dt: float) -> None:
        """Land phase, then movement of water."""
        with self.flow.comm.together(), self.columns.located():
            self._water.begin(dt)
        if self._has_ice():
            for member in range(self.nmember):
                self._water.send_ice(member, has_grown=True)
            self.flow.reconcile()

        def take(member: int) -> None:
            self._water.show_water(member)
            self._water.settle(member, dt)

        self._out = self.flow.advance_with(dt, lambda member: self._water.send_water(member, dt), take)

    def _iterate(self, dt: float) -> None:
        """Repeat the step from its start; surface and roots see the mean of its water at the start and the last end."""
        land = {name: view.copy() for name, view in self.columns.state.items()}
        ground = self.flow.snapshot()
        start = {name: land[name] for name in ("soil_water", "pressure_head")}
        try:
            for one in range(self._iterations):
                if one:
                    mean = [0.5 * (start[name] + self.columns.state[name]) for name in ("soil_water", "pressure_head")]
                    self.flow.restore(ground)
                    for name, view in self.columns.state.items():
                        view[...] = land[name]
                    self._water.expect(*(field.reshape(self.columns.nlayer, -1) for field in mean))
                self._pass(dt)
        finally:  # a step after one that failed begins with the water that is there
            self._water.expect_no_more()

    def _has_ice(self) -> bool:
        """Whether ice must be handed down; the same on all ranks."""
        flow = self.flow
        return flow.has_ice or flow.comm.any(bool(self.columns.state["soil_ice"].any()))

    def show_water(self) -> None:
        """Let the land see the water of the subsurface; all ranks together, after the latter was changed."""
        for member in range(self.nmember):
            self._water.show_water(member)

    # ---- state ---------------------------------------------------------------------------------------

    @property
    def state(self) -> Mapping[str, np.ndarray]:
        """All that a restart needs, ``([n,] member, cell)``: live views of the land, a copy of the pressure heads.

        ``soil_water`` and ``surface_water``, which follow from the heads, can be asked for; change them by
        :meth:`change_soil_water`.
        """
        land = {name: view for name, view in self.columns.state.items() if name not in WATER_FIELDS}
        return _State(land | {"pressure_head": self._cells(self._heads)}, {
            "soil_water": lambda: self._cells(self._members(self.flow.soil_water)),
            "surface_water": self._surface_water,
        })

    @property
    def flux(self) -> Mapping[str, np.ndarray]:
        """Results of the last step, ``([layer,] member, cell)``; what the subsurface has is computed when asked for."""
        return _LazyFields(self.columns.flux, {
            "pressure_head": lambda: self._cells(self._heads),
            "soil_water": lambda: self._cells(self._members(self.flow.soil_water)),
            "saturation": lambda: self._cells(self._members(self.flow.saturation)),
            "soil_ice": lambda: self._cells(self._ice()),
            "soil_water_total": self._soil_water_total,
            "surface_water": self._surface_water,
            "surface_water_depth": lambda: self._surface_water() / WATER_DENSITY,
            "water_table_depth": lambda: self._cells(self._members(self.flow.water_table_depth)),
            "overland_outflow": self._overland_outflow,
        })

    @property
    def outflow(self) -> Mapping[str, Any]:
        """What :meth:`pyland.subsurface.DistributedSubsurface.advance` returned in the last step."""
        return MappingProxyType(self._out)

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Set state fields of the land, and ``pressure_head`` ``(layer, member, cell)`` of the subsurface.

        Raises
        ------
        InputError
            If a field is unknown or has the wrong shape, or is water that follows from the heads.
        """
        for name in ("soil_water", "surface_water"):
            if name in state:
                raise InputError(f"{name}: it follows from the pressure heads of the distributed subsurface; set "
                                 "pressure_head, or use change_soil_water.")
        self.columns.set_state({name: value for name, value in state.items() if name not in WATER_FIELDS})
        if self._has_ice():
            if "soil_ice" in state and PIECES not in state:
                self._check_ice()
                self._water.spread_ice()
            for member in range(self.nmember):
                self._water.send_ice(member, has_grown=False)
        if "pressure_head" in state:
            self._put_heads(np.asarray(state["pressure_head"], dtype=float))
        self.flow.reconcile()
        self.show_water()

    def _check_ice(self) -> None:
        """Refuse ice beyond the pores; all ranks together."""
        state, parameter = self.columns.state, self.parameter
        room = parameter["porosity"] - parameter["residual_water"]
        wrong = (state["soil_ice"] < 0.0) | (state["soil_ice"] >= room)
        if self.flow.comm.any(bool(wrong.any())):
            raise InputError("soil_ice: must not be negative, and less than porosity minus residual water in every "
                             "layer of the land.")

    def change_soil_water(self, soil_water: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace soil water after an analysis and make pressure heads follow.

        Parameters
        ----------
        soil_water : numpy.ndarray, shape (layer, member, cell)
            New volumetric liquid water of the layers of the subsurface [m3 m-3]; saturated cells that stay so keep
            their pressure.

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        clipped : int
            Number of values that had to be brought into range.

        Raises
        ------
        InputError, StateError
            If the shape does not fit, or a value is not finite.
        """
        before, flow = self._ground_water(), self.flow
        shape = (self.thickness.size, self.nmember, self.ncell)
        with flow.comm.together():
            if np.shape(soil_water) != shape:
                raise InputError(f"soil_water has shape {np.shape(soil_water)}; expected (layer, member, cell), here "
                                 f"{shape}.")
            if not np.isfinite(soil_water).all():
                raise StateError("soil_water: NaN or infinity; give finite water contents.")
        present = self._members(flow.soil_water)
        porosity, residual = flow.porosity, flow.residual
        lowest = np.minimum(present, residual + DRIEST_SATURATION * (porosity - residual))
        wanted = present.copy()
        wanted[..., self._inside] = np.moveaxis(soil_water, 1, 0)
        allowed = np.clip(wanted, lowest, porosity - self._ice())
        for member in range(self.nmember):
            flow.fields.follow_water(member, np.ascontiguousarray(allowed[member].transpose(1, 0, 2)))
        flow.reconcile()
        self.show_water()
        clipped = int(np.count_nonzero((allowed != wanted)[..., self._inside]))
        return self._ground_water() - before, clipped

    def change_pressure_head(self, pressure_head: np.ndarray) -> np.ndarray:
        """Replace pressure heads after an analysis.

        Parameters
        ----------
        pressure_head : numpy.ndarray, shape (layer, member, cell)
            [m]

        Returns
        -------
        numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        """
        before = self._ground_water()
        self._put_heads(pressure_head)
        self.flow.reconcile()
        self.show_water()
        return self._ground_water() - before

    def pores(self) -> tuple[np.ndarray, np.ndarray]:
        """Residual water, and pores that ice leaves open, each (layer of the subsurface, member, cell) [m3 m-3]."""
        shape = self._heads.shape
        return (self._cells(np.broadcast_to(self.flow.residual, shape)),
                self._cells(self.flow.porosity - self._ice()))

    def change_soil_temperature(self, temperature: np.ndarray) -> tuple[np.ndarray, int]:
        """Give the land the heat of an analysed temperature; ice that grows or melts is handed down.

        Parameters and result as for `ColumnModel.change_soil_temperature`; all ranks together.
        """
        before = self._water_and_ice()
        _, clipped = self.columns.change_soil_temperature(temperature)
        if self._has_ice():
            for member in range(self.nmember):
                self._water.send_ice(member, has_grown=True)
            self.flow.reconcile()
        self.show_water()
        return self._water_and_ice() - before, clipped

    def change_snow_mass(self, snow_mass: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace the mass of snow; see `ColumnModel.change_snow_mass`."""
        return self.columns.change_snow_mass(snow_mass)

    def change_store(self, name: str, values: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace a store of the land; see `ColumnModel.change_store`.

        Raises
        ------
        InputError
            If it is no such state, or is water that follows from the heads.
        """
        if name in WATER_FIELDS:
            raise InputError(f"{name}: it follows from the pressure heads of the distributed subsurface.")
        return self.columns.change_store(name, values)

    def change_parameters(self, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
        """Replace parameters of the plants, and the conductivity of the ground; all ranks together.

        Parameters
        ----------
        parameters : mapping of str to numpy.ndarray
            Those of plants as for `ColumnModel.change_parameters`; ``saturated_conductivity`` (layer of the subsurface,
            member, cell), the vertical one: the horizontal ones keep their ratio to it [m s-1].

        Raises
        ------
        InputError
            If one is another parameter of the soil, which all members share in the subsurface.
        """
        wrong = sorted(name for name in parameters if name not in (*PLANT_FIELDS, CONDUCTIVITY))
        if wrong:
            raise InputError(f"parameter '{wrong[0]}': members share the ground of the distributed subsurface but for "
                             f"{CONDUCTIVITY}; only it and parameters of plants can be replaced.")
        fields = dict(parameters)
        if CONDUCTIVITY in fields:
            ground = np.asarray(fields[CONDUCTIVITY], dtype=float)
            whole = np.array(self._members(self.flow.conductivity))
            whole[..., self._inside] = np.moveaxis(ground, 1, 0)
            self.flow.set_conductivity(whole if self.nmember > 1 else whole[0])
            fields |= map_to_land_layers({CONDUCTIVITY: ground}, self.columns.thickness, self.thickness)
        return self.columns.change_parameters(fields)

    def ground_conductivity(self) -> np.ndarray:
        """Vertical conductivity of the ground at saturation, (layer of the subsurface, member, cell) [m s-1]."""
        return self._cells(self._members(self.flow.conductivity))

    def land_heat(self) -> np.ndarray:
        """Heat of soil and snow of the land, (member, cell) [J m-2]; see `ColumnModel.land_heat`."""
        return self.columns.land_heat()

    @property
    def leaf_area_factor(self) -> np.ndarray | None:
        """Factor on the leaf area, (member, cell) [1]; None for 1."""
        return self.columns.leaf_area_factor

    def _put_heads(self, heads: np.ndarray) -> None:
        if heads.shape != (self.thickness.size, self.nmember, self.ncell):
            raise InputError(f"pressure_head has shape {heads.shape}; expected (layer, member, cell), here "
                             f"{(self.thickness.size, self.nmember, self.ncell)}.")
        self._heads[..., self._inside] = np.moveaxis(heads, 1, 0)

    # ---- water ---------------------------------------------------------------------------------------

    @property
    def _heads(self) -> np.ndarray:
        """Live view of the heads, (member, layer, y, x)."""
        return self._members(self.flow.pressure)

    def _members(self, field: np.ndarray) -> np.ndarray:
        """Give a field of the subsurface a member axis where it has none because there is one member."""
        return field if self.nmember > 1 else field[None]

    def _cells(self, field: np.ndarray) -> np.ndarray:
        """Take the cells of a field (member, [layer,] y, x) as ([layer,] member, cell)."""
        cells = field[..., self._inside]
        return np.ascontiguousarray(np.moveaxis(cells, 0, -2))

    def _ice(self) -> np.ndarray:
        """Ice in the cells of the subsurface, (member, layer, y, x) [m3 m-3]."""
        ices = self.flow.fields.field("ices")
        shape = self._heads.shape
        return ices[:, 1:-1, :, 1:-1].transpose(0, 2, 1, 3) if ices.size else np.zeros(shape)

    def _surface_water(self) -> np.ndarray:
        return self._cells(self._members(self.flow.surface_water))

    def _overland_outflow(self) -> np.ndarray:
        """Overland water out of the domain in the last step, 0 before the first, (member, cell) [m3 s-1]."""
        if not self._out:
            return np.zeros((self.nmember, self.ncell))
        return self._cells(self._members(self._out["discharge"]))

    def _soil_water_total(self) -> np.ndarray:
        """Water and ice in the ground, (member, cell) [kg m-2]."""
        water = self._members(self.flow.soil_water) + self._ice()
        return self._cells(WATER_DENSITY * np.einsum("mkyx,k->myx", water, self.thickness))

    def _water_and_ice(self) -> np.ndarray:
        """Water and ice in and on the ground, (member, cell) [kg m-2]."""
        ice = self._cells(WATER_DENSITY * np.einsum("mkyx,k->myx", self._ice(), self.thickness))
        return self._ground_water() + ice

    def _ground_water(self) -> np.ndarray:
        """Liquid in and on the ground with what compression adds, (member, cell) [kg m-2]."""
        stored = []
        for member in range(self.nmember):
            self.flow.fields.evaluate(member)
            storage = self.flow.fields.field("storage")[1:-1, :, 1:-1]
            stored.append(WATER_DENSITY * np.einsum("ykx,k->yx", storage, self.thickness))
        return self._cells(np.stack(stored)) + self._surface_water()

    def land_water(self) -> np.ndarray:
        """Water and ice in and on the ground, in snow and on leaves, (member, cell) [kg m-2]."""
        return self._water_and_ice() + self.water_above()

    def water_above(self) -> np.ndarray:
        """Water in snow and on leaves, (member, cell) [kg m-2]."""
        state, fraction = self.columns.state, self.parameter["patch_fraction"]
        on_leaves = (fraction * (state["canopy_water"] + state["canopy_snow"])).sum(axis=0)
        return on_leaves + (state["snow_ice"] + state["snow_liquid"]).sum(axis=0)

    # ---- carbon, memory --------------------------------------------------------------------------------

    @property
    def has_carbon(self) -> bool:
        """Whether respiration and the net exchange of carbon are computed."""
        return self.columns.has_carbon

    @property
    def carbon_columns(self) -> tuple[ColumnModel, ...]:
        """Sets of columns that hold carbon."""
        return self.columns.carbon_columns

    def start_carbon_means(self) -> None:
        """See `ColumnModel.start_carbon_means`."""
        self.columns.start_carbon_means()

    def balance_carbon(self, sink: float = 0.0) -> None:
        """See `ColumnModel.balance_carbon`."""
        self.columns.balance_carbon(sink)

    def land_carbon(self) -> np.ndarray:
        """Carbon in plants, litter and soil, shape (member, cell) [kg m-2]."""
        return self.columns.land_carbon()

    @property
    def bytes_per_column(self) -> float:
        """Memory of the fields of land and subsurface per column and member [byte]."""
        return self.columns.bytes_per_column + self.flow.bytes / max(self.ncell * self.nmember, 1)


class _LazyFields(Mapping[str, np.ndarray]):
    """Fields that exist, and fields that are computed when they are asked for and go before them."""

    def __init__(self, fields: Mapping[str, np.ndarray], computed: Mapping[str, Callable[[], np.ndarray]]) -> None:
        self._fields, self._computed = fields, computed

    def __getitem__(self, name: str) -> np.ndarray:
        return self._computed[name]() if name in self._computed else self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._computed or name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter({**self._fields, **self._computed})

    def __len__(self) -> int:
        return len({**self._fields, **self._computed})


class _State(_LazyFields):
    """Fields that are state, and others that follow from them: those are there for who asks, and not in the list."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)
