"""Variably saturated flow in three dimensions with overland flow, without a land model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.base.units import WATER_DENSITY
from pyland.core.flow import FlowFields
from pyland.core.subsurface import RETENTION
from pyland.subsurface.flow_balance import FLUXES, FlowBalance
from pyland.subsurface.flow_boundaries import SIDES, Boundary, BoundaryFaces
from pyland.subsurface.flow_conductivity import GroundConductivity
from pyland.subsurface.flow_grid import FlowGrid, number, spread_cells, spread_columns, whole_number
from pyland.subsurface.flow_land import SCHEMES, land_faces
from pyland.subsurface.flow_members import advance_members
from pyland.subsurface.flow_options import dry_limits, solver_options
from pyland.subsurface.flow_soil import SoilClasses
from pyland.subsurface.flow_spinup import run_to_steady_state
from pyland.subsurface.flow_state import check_heads, find_water_table, initial_heads

WORK_FIELDS = 30
"""Fields of the size of the heads of a state that the solver holds."""


class DistributedSubsurface:
    """Water of the ground in three dimensions, ponded and overland water with it.

    Parameters
    ----------
    thickness : array_like, shape (layer,)
        Layer thickness from the top [m]; layers follow the terrain.
    soil : Mapping
        Parameters as for :class:`pyland.subsurface.Subsurface`, each a number, one per layer, or ``(layer, y, x)``.
        ``saturated_conductivity`` [m s-1] is the vertical one; ``saturated_conductivity_x`` and ``_y`` default to it.
    nx, ny : int
        Cells from west to east and from south to north.
    dx, dy : float
        Their size [m].
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    active : array_like of bool, optional
        Cells that exist, ``(y, x)`` or ``(layer, y, x)``. A column whose top cell does not exist has no surface.
    slope_x, slope_y : array_like
        Slope of the terrain, positive uphill to the east and north [1], a number or ``(y, x)``. Overland flow takes
        the slope of a cell for its faces in the east and north, and at the rim in the west and south that of the
        first cell (ParFlow's OverlandKinematic).
    barrier_x, barrier_y, barrier_z : array_like, optional
        Factors on the conductance of the face to the next cell in the east, north and below, ``(layer, y, x)`` [1].
    terrain_following : bool
        Whether slopes drive lateral flow of the ground.
    overland : str
        ``none``: water above ``ponding_depth`` runs off at once; ``kinematic`` or ``diffusive`` wave with one slope per
        face; ``kinematic_cells``: kinematic wave with the slope of the column upstream, x and y each by itself
        (ParFlow's OverlandFlow).
    overland_slope_x, overland_slope_y : array_like, optional
        Slopes of the faces of overland flow where they are not those of columns, ``(y, x + 1)`` and ``(y + 1, x)``,
        rims included [1]; both or none.
    manning : array_like
        Manning's roughness [s m-1/3], a number or ``(y, x)``.
    ponding_depth : float
        Depth of the pond that does not run off [m]; only without overland flow.
    slope_floor : float
        Least slope of overland flow [1].
    boundaries : Mapping of str to Boundary or sequence of Boundary, optional
        Conditions by side (``west``, ``east``, ``south``, ``north``, ``bottom``, ``top``); no flow elsewhere, rain and
        ponded water at the top.
    air_entry : float
        Air-entry head of van Genuchten soils with small n [m].
    air_dry_head : float
        Head at which evaporation and sinks find no water [m].
    pressure_head, water_table_depth : array_like, optional
        Exactly one: initial pressure head [m], or depth of the water table of hydrostatic columns [m].
    tolerance : float
        Largest residual of a cell, as depth of water [m].
    max_iterations : int
        Newton iterations before a step is cut.
    min_step, max_step : float
        Shortest step before the run stops, and longest step [s].
    members : int
        States of one model that share soil, terrain and conditions.
    comm : Communicator, optional
        Ranks; each gets a rectangle of columns. Parameters describe the whole domain on every rank, live fields are
        those of the tile.
    mode : str
        ``distributed``.

    Attributes
    ----------
    pressure : numpy.ndarray, shape (layer, y, x), with members (member, layer, y, x)
        Live view of the pressure head [m]; call :meth:`reconcile` after changing it.
    nlayer, nmember : int
        Sizes.
    tile : tuple of slice
        Rows and columns of this rank.
    active : numpy.ndarray of bool, shape (layer, y, x)
        Cells of the tile that exist.
    porosity, residual : numpy.ndarray, shape (layer, y, x)
        Porosity and residual water of the tile [m3 m-3]; 1 where no cell is.
    thickness : numpy.ndarray, shape (layer,)
        Of the layers, top first [m].
    comm : Communicator
        Ranks.
    fields : FlowFields
        The compiled fields, for components that exchange water with them.
    member_numbers : sequence of int or None
        What messages call the members, where they are a part of an ensemble; None numbers them from 0.

    Raises
    ------
    InputError
        If parameters, shapes or choices do not fit.

    Notes
    -----
    Backward Euler on cell-centred volumes, mixed form, harmonic mean of conductivities, relative conductivity from
    upstream [1]_ [2]_, terrain-following layers [3]_; docs/theory/subsurface_flow.md.

    References
    ----------
    .. [1] Jones, J. E., Woodward, C. S. (2001). Newton-Krylov-multigrid solvers for large-scale, highly heterogeneous,
       variably saturated flow problems. Adv. Water Resour. 24, 763-774.
    .. [2] Kollet, S. J., Maxwell, R. M. (2006). Integrated surface-groundwater flow modeling. Adv. Water Resour. 29,
       945-958.
    .. [3] Maxwell, R. M. (2013). A terrain-following grid transform and preconditioner for parallel, large-scale,
       integrated hydrologic modeling. Adv. Water Resour. 53, 109-117.

    Examples
    --------
    >>> from pyland.subsurface import DistributedSubsurface
    >>> loam = {"porosity": 0.43, "residual_water": 0.08, "van_genuchten_alpha": 4.0, "van_genuchten_n": 1.6,
    ...         "saturated_conductivity": 5.8e-6}
    >>> hill = DistributedSubsurface([0.1] * 20, loam, nx=20, ny=1, dx=5.0, dy=5.0, slope_x=-0.05,
    ...                              overland="kinematic", water_table_depth=1.0)
    >>> out = hill.advance(3600.0, rain=20.0 / 3600.0)
    >>> bool(abs(hill.balance["residual"]) < 1e-9 * hill.balance["storage_subsurface"])
    True
    """

    def __init__(
        self,
        thickness: np.ndarray,
        soil: Mapping[str, np.ndarray],
        *,
        nx: int,
        ny: int,
        dx: float,
        dy: float,
        retention: str = "van_genuchten",
        active: np.ndarray | None = None,
        slope_x: np.ndarray | float = 0.0,
        slope_y: np.ndarray | float = 0.0,
        barrier_x: np.ndarray | None = None,
        barrier_y: np.ndarray | None = None,
        barrier_z: np.ndarray | None = None,
        terrain_following: bool = True,
        overland: str = "none",
        overland_slope_x: np.ndarray | None = None,
        overland_slope_y: np.ndarray | None = None,
        manning: np.ndarray | float = 0.03,
        ponding_depth: float = 0.0,
        slope_floor: float = 1.0e-5,
        boundaries: Mapping[str, Boundary | Sequence[Boundary]] | None = None,
        air_entry: float = 0.0,
        air_dry_head: float = -1.0e5,
        pressure_head: np.ndarray | None = None,
        water_table_depth: np.ndarray | None = None,
        tolerance: float = 1.0e-9,
        max_iterations: int = 40,
        min_step: float = 1.0,
        max_step: float = np.inf,
        members: int = 1,
        comm: Communicator | None = None,
        mode: str = "distributed",
    ) -> None:
        if mode != "distributed":
            raise InputError(f"subsurface: mode must be 'distributed' here, got {mode!r}.")
        if overland not in SCHEMES:
            raise InputError(f"overland: expected one of {', '.join(SCHEMES)}, got {overland!r}.")
        if overland == "none" and not (overland_slope_x is None and overland_slope_y is None):
            raise InputError("overland_slope_x, overland_slope_y: there is no overland flow; set overland.")
        if not (comm is None or isinstance(comm, Communicator)):
            raise InputError(f"comm: expected a pyland.base.parallel.Communicator, got {type(comm).__name__}.")
        self._options = solver_options(
            overland=overland, follows_terrain=terrain_following, slope_floor=slope_floor, ponding_depth=ponding_depth,
            tolerance=tolerance, max_iterations=max_iterations, min_step=min_step, max_step=max_step)
        dry = dry_limits(air_entry, air_dry_head)
        self.comm = comm or Communicator()
        self._grid = grid = FlowGrid(thickness, nx, ny, dx, dy, active, self.comm)
        nz, rows, columns = grid.tile_shape
        self.thickness = grid.thickness
        self.nlayer, self.nmember, self.tile = nz, whole_number(members, "members"), (grid.rows, grid.columns)
        self.member_numbers: Sequence[int] | None = None
        self._area = grid.dx * grid.dy
        classes = SoilClasses(soil, retention, grid)
        self.porosity, self.residual = classes.porosity, classes.residual
        slopes = tuple(spread_columns(value, grid.shape[1:], name)
                       for name, value in (("slope_x", slope_x), ("slope_y", slope_y)))
        tilt = slopes if terrain_following else (np.zeros((1, 1)), np.zeros((1, 1)))
        faces = BoundaryFaces(boundaries, grid, classes.conductivity, tilt)
        if overland != "none" and self.comm.any(bool(faces.covered.any())):
            raise InputError("boundaries.top: overland flow needs an open surface; leave the top out, or set overland "
                             "'none'.")

        exists = grid.exists_with_rim
        has_surface = exists[:, 0].astype(float)
        self._open = has_surface[1:-1, 1:-1] * ~faces.covered
        barriers = [grid.face_factors(value, name) for name, value in
                    (("barrier_x", barrier_x), ("barrier_y", barrier_y), ("barrier_z", barrier_z))]
        land = None if overland == "none" else land_faces(
            grid, overland, *slopes, spread_columns(manning, grid.shape[1:], "manning"), overland_slope_x,
            overland_slope_y)
        self._faces = faces
        self._ground = GroundConductivity(
            classes.conductivity, barriers, [grid.columns_with_rim(one) for one in slopes], grid, faces, self._open)
        self.fields = FlowFields(columns, rows, self.nmember, grid.dx, grid.dy, grid.thickness)
        with self.comm.together():  # the soil of one tile may be wrong
            self.fields.set_options(**self._options)
            self.fields.set_ranks(self.comm.handle, grid.tiles, grid.neighbours)
            self.fields.set_soil(RETENTION[retention], *dry, classes.table, classes.index, has_surface)
            self._ground.enter(self.fields)
            if land is not None:
                self.fields.set_overland((land.bed_x, land.bed_y), (land.along_x, land.along_y),
                                        (land.manning_x, land.manning_y))

        self._heads = self.fields.field("heads")
        inner = self._heads[:, 1:-1, :, 1:-1].transpose(0, 2, 1, 3)
        self.pressure = inner if self.nmember > 1 else inner[0]
        self.active = exists[1:-1, :, 1:-1].transpose(1, 0, 2)
        self.pressure[...] = initial_heads(grid, pressure_head, water_table_depth)
        self._balance = FlowBalance(faces.sides, self._storage(), self._area, self.comm)
        self._out: dict[str, Any] = {}

    @property
    def conductivity(self) -> np.ndarray:
        """Vertical conductivity at saturation [m s-1], shape of :attr:`pressure`."""
        found = self._ground.of_members(self.nmember)
        return found if self.nmember > 1 else found[0]

    def set_conductivity(self, conductivity: np.ndarray) -> None:
        """Give members their own conductivity; the horizontal ones keep their ratio to it. All ranks together.

        Parameters
        ----------
        conductivity : array_like
            Vertical, at saturation [m s-1], shape of :attr:`pressure`.

        Raises
        ------
        InputError
            If the shape does not fit, or a value is not positive.
        """
        given = np.asarray(conductivity, dtype=float)
        self._ground.set_members(given if self.nmember > 1 else given[None], self.nmember, self.comm)

    def set_boundary(self, side: str, value: np.ndarray | float, index: int = 0) -> None:
        """Give a condition another value, for the steps to come.

        Parameters
        ----------
        side : str
            Where the condition is.
        value : float or array_like
            As in :class:`Boundary`.
        index : int
            Which one of a list.

        Raises
        ------
        InputError
            If there is no such condition, or the value does not fit.
        """
        self._faces.replace(side, value, index)
        self.fields.set_boundary_values(self._faces.values())

    def advance(
        self, dt: float, source: np.ndarray | float | None = None, rain: np.ndarray | float = 0.0
    ) -> dict[str, Any]:
        """Advance all states by a period.

        Parameters
        ----------
        dt : float
            Length [s]; the solver takes it in as many steps as it needs.
        source : array_like, optional
            Water put into cells [kg m-2 s-1], a number, ``(layer,)``, ``(layer, y, x)`` or with a member axis before;
            negative: wells and roots, cut where their cell would fall below ``air_dry_head``.
        rain : array_like
            Water at the surface [kg m-2 s-1], a number, ``(y, x)`` or ``(member, y, x)``; negative: evaporation, from
            rain, pond and top cell. Where the surface has a condition or there is none, no rain is taken.

        Returns
        -------
        dict
            ``steps``, ``newton_iterations``, ``krylov_iterations``: numbers. Means over the period, of the tile, with a
            member axis before if there are members: ``discharge`` of overland water out of the domain ``(y, x)``
            [m3 s-1]; ``surface_runoff`` ``(y, x)``, ``source`` ``(layer, y, x)`` and ``rain`` ``(y, x)``, as they
            were met [kg m-2 s-1]; ``boundary``: inflow by side of the whole domain [m3 s-1].

        Raises
        ------
        InputError
            If a field has the wrong shape or is not finite.
        StateError
            If a head is not finite.
        ConvergenceError
            If a step of ``min_step`` does not converge; heads of all members are those before the call.
        """
        with self.comm.together():
            dt = _period(dt)
            sources = None if source is None else self._grid.local_forcing(source, self.nmember, "source", layered=True)
            rains = self._grid.local_forcing(rain, self.nmember, "rain", layered=False)
            self._check_heads()
        fields = self.fields

        def put(member: int) -> None:
            fields.field("source")[...] = 0.0 if sources is None else (
                np.where(self.active, sources[member], 0.0).transpose(1, 0, 2) / WATER_DENSITY)
            fields.field("rain")[...] = rains[member] * self._open / WATER_DENSITY

        return self._advance(dt, put, lambda member: None)

    def advance_with(
        self, dt: float, put: Callable[[int], None], take: Callable[[int], None]
    ) -> dict[str, Any]:
        """Advance all states by a period with water that another component of the compiled core puts into the cells.

        Parameters
        ----------
        dt : float
            Length [s].
        put : callable
            Called with a member before it moves: enters its source and rain into :attr:`fields`.
        take : callable
            Called with a member after it has moved.

        Returns
        -------
        dict
            As :meth:`advance`.

        Raises
        ------
        InputError, StateError, ConvergenceError
            As :meth:`advance`.
        """
        with self.comm.together():
            dt = _period(dt)
            self._check_heads()
        return self._advance(dt, put, take)

    def _advance(self, dt: float, put: Callable[[int], None], take: Callable[[int], None]) -> dict[str, Any]:
        """Advance all members in turn and book what passed."""
        def enter(member: int) -> None:
            if self._ground.has_members:
                self._ground.enter(self.fields, member)
            put(member)

        out, inflow = advance_members(
            self.fields, self._grid, self._faces, self.comm, dt, enter, take, self._member_names)
        self._balance.add(dt, out, {side: inflow[SIDES.index(side)] for side in self._faces.sides}, self._storage())
        single = self.nmember == 1
        for name in FLUXES:
            out[name] = out[name][0] if single else out[name]
        total = self._balance.total(inflow) / dt
        out["boundary"] = {side: float(total[SIDES.index(side), 0]) if single else total[SIDES.index(side)]
                           for side in self._faces.sides}
        self._out = out
        return out

    def _check_heads(self) -> None:
        check_heads(self._heads[:, 1:-1, :, 1:-1].transpose(0, 2, 1, 3), self._grid, self._member_names)

    @property
    def _member_names(self) -> Sequence[int | None]:
        """What messages call the members; None where there is but one."""
        if self.member_numbers is not None:
            return self.member_numbers
        return range(self.nmember) if self.nmember > 1 else [None]

    def _storage(self) -> np.ndarray:
        """Return water and ice in the ground and water on it, (2, member) [m3], of this rank."""
        stored = np.array([self.fields.evaluate(member) for member in range(self.nmember)]).T
        ices = self.fields.field("ices")
        if ices.size:
            inner = ices[:, 1:-1, :, 1:-1].transpose(0, 2, 1, 3) * self._grid.thickness[:, None, None]
            stored[0] += (inner * self.active).sum(axis=(1, 2, 3))
        return stored * self._area

    def _member(self, member: int) -> np.ndarray:
        return self._heads[member, 1:-1, :, 1:-1].transpose(1, 0, 2)

    def _of_members(self, fields: list[np.ndarray]) -> np.ndarray:
        return fields[0] if self.nmember == 1 else np.stack(fields)

    def reconcile(self) -> None:
        """Book the change of :attr:`pressure` from outside as ``increment``; all ranks must call it together.

        Raises
        ------
        StateError
            If a head is not finite.
        """
        with self.comm.together():
            self._check_heads()
        self._balance.reconcile(self._storage())

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of the state and the balance, for :meth:`restore`."""
        return {"heads": self._heads.copy(), "ices": self.fields.field("ices").copy(), "balance": self._balance.copy()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to a :meth:`snapshot`."""
        self._heads[...] = snapshot["heads"]
        ices = self.fields.field("ices")
        ices[...] = snapshot["ices"] if snapshot["ices"].size else 0.0
        self._balance = snapshot["balance"].copy()

    @property
    def has_ice(self) -> bool:
        """Whether ice was ever set."""
        return bool(self.fields.field("ices").size)

    @property
    def bytes(self) -> int:
        """Memory of the heads of all members and the work fields of one [byte]."""
        heads = self._heads
        return heads.nbytes + WORK_FIELDS * heads[0].nbytes

    def set_ice(self, ice: np.ndarray | float) -> None:
        """Set the ice of the cells: it takes their pores and slows their flow; heads stay.

        What a cell gains with the ice and loses with its pores is booked as ``increment``.

        Parameters
        ----------
        ice : array_like
            As volume of liquid water [m3 m-3], a number, ``(layer,)`` or ``(layer, y, x)``; the same for all members.

        Raises
        ------
        InputError
            If the shape does not fit, or a cell has more ice than pores above the residual water.

        Notes
        -----
        Conductance of a face falls by 10**(-6 ice/porosity) of the mean of its cells (Lundin 1990, J. Hydrol. 118,
        289-310; Swenson, Lawrence and Lee 2012, J. Adv. Model. Earth Syst. 4, M08002).
        """
        field = spread_cells(ice, self._grid.shape, "ice")
        mine = self._grid.cells_with_rim(field)
        inner = mine[1:-1, :, 1:-1].transpose(1, 0, 2)
        room = np.where(self.active, self.porosity - self.residual, np.inf)
        if self.comm.any(bool((inner < 0.0).any() or (inner >= room).any())):
            raise InputError("ice: must not be negative, and less than porosity minus residual water in every cell.")
        self.fields.set_ice(np.where(self._grid.exists_with_rim, mine, 0.0))
        self.reconcile()

    @property
    def soil_water(self) -> np.ndarray:
        """Liquid water without what compression adds [m3 m-3], shape of :attr:`pressure`; 0 where no cell is.

        All ranks must ask together.
        """
        return self._of_members([self.fields.water(member).transpose(1, 0, 2) for member in range(self.nmember)])

    @property
    def saturation(self) -> np.ndarray:
        """Liquid water over porosity [1], shape of :attr:`pressure`; all ranks must ask together."""
        return self.soil_water / self.porosity

    @property
    def surface_water(self) -> np.ndarray:
        """Water that stands on the surface [kg m-2], shape (y, x)."""
        return self._of_members([WATER_DENSITY * np.maximum(self._member(member)[0], 0.0) * self._open
                                 for member in range(self.nmember)])

    @property
    def water_table_depth(self) -> np.ndarray:
        """Depth to the top of the saturated zone that reaches the base [m], shape (y, x).

        Hydrostatic above the highest cell of that zone; the base of the domain where there is no such zone, NaN where
        there is no column.
        """
        return self._of_members([find_water_table(self._member(member), self.active, self._grid)
                                 for member in range(self.nmember)])

    @property
    def outflow(self) -> Mapping[str, Any]:
        """``discharge``, ``surface_runoff`` and ``boundary`` of the last period; empty before the first."""
        return MappingProxyType({name: self._out[name] for name in ("discharge", "surface_runoff", "boundary")
                                 if name in self._out})

    @property
    def balance(self) -> dict[str, Any]:
        """Water of the whole domain since the start [m3]; all ranks must ask together.

        ``rain``, ``source``, ``boundary_<side>`` and ``increment`` came in, ``discharge`` and ``surface_runoff`` went
        out, ``storage_subsurface`` (with ice) and ``storage_surface`` are there now, ``residual`` is what these do not
        explain.
        Floats, with members arrays ``(member,)``.
        """
        return {name: float(value[0]) if self.nmember == 1 else value for name, value in self._balance.terms().items()}

    def spin_up(
        self, recharge: np.ndarray | float, *, source: np.ndarray | float | None = None, tolerance: float = 1.0e-6,
        first_step: float = 3600.0, max_steps: int = 200,
    ) -> dict[str, float]:
        """Bring all states to the steady state under constant recharge, in pseudo-time.

        Backward Euler in steps that double while they succeed; a step of many years is the steady equation.

        Parameters
        ----------
        recharge : array_like
            Water at the surface [kg m-2 s-1], as ``rain`` in :meth:`advance`.
        source : array_like, optional
            As in :meth:`advance`.
        tolerance : float
            Change of the pressure head over a step of at least ten years that counts as steady [m].
        first_step : float
            Length of the first step [s].
        max_steps : int
            Steps before it gives up.

        Returns
        -------
        dict
            ``steps``, ``newton_iterations``, ``krylov_iterations``; ``change``: largest change of the head in the last
            step [m], ``time``: pseudo-time [s].

        Raises
        ------
        InputError
            If an argument is out of range; nothing has moved then.
        ConvergenceError
            If heads still change after ``max_steps``, or a step fails; they keep what was reached.

        Notes
        -----
        The balance counts the water that passed in pseudo-time.
        """
        self.fields.set_options(**self._options | {"max_step": np.inf})
        try:
            return run_to_steady_state(
                lambda step: self.advance(step, source=source, rain=recharge), self.pressure, self.active, self.comm,
                first_step=first_step, tolerance=tolerance, max_steps=max_steps)
        finally:
            self.fields.set_options(**self._options)


def _period(dt: float) -> float:
    """Return the length of a period [s], a positive number."""
    dt = number(dt, "dt")
    if dt <= 0.0:
        raise InputError(f"dt: the period must be positive [s], got {dt:g}.")
    return dt
