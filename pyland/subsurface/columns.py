"""Soil water of many columns on its own, without a land model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.core.subsurface import FLUXES, LOWER_BOUNDARY, RETENTION, UPPER_BOUNDARY, ColumnArrays, SolverOptions
from pyland.subsurface.distributed import DistributedSubsurface
from pyland.subsurface.retention import pack_soil, spread


class Subsurface:
    """Water in soil columns by Richards' equation.

    Parameters
    ----------
    thickness : array_like, shape (layer,) or (layer, column)
        Layer thickness from the top [m].
    soil : Mapping
        ``porosity`` [m3 m-3], ``saturated_conductivity`` [m s-1] and the parameters of the retention curve:
        ``van_genuchten_alpha`` [m-1] and ``van_genuchten_n`` [1]; ``clapp_hornberger_b`` [1] and
        ``air_entry_head`` [m]; or ``gardner_alpha`` [m-1]. Optional: ``residual_water`` [m3 m-3], 0;
        ``specific_storage`` [m-1], 1e-5.
        Each a number, one value per layer, or ``(layer, column)``.
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    nx, ny : int
        Columns in x and y; column index = x + nx*y.
    pressure_head, soil_water, water_table_depth : array_like, optional
        Exactly one of them sets the initial state: heads [m], water contents [m3 m-3] (both like a soil parameter), or
        the depth of a water table with which the columns are in hydrostatic equilibrium [m], a number or ``(column,)``.
    lower_boundary : str
        ``free_drainage`` (unit gradient), ``no_flow`` or ``water_table``.
    base_depth : float, optional
        Depth of the water table held by ``lower_boundary="water_table"`` [m]; it may lie below the column.
    surface_head : float, optional
        Hold the surface at this head [m] instead of receiving water there, as in a laboratory column.
    ponding_depth : float
        Depth of the pond above which water runs off [m].
    air_entry : float
        Air-entry head of van Genuchten soils [m]: all of it for n <= 1.25, none for n >= 1.5; 0 for the plain curve,
        whose conductivity is too steep at saturation to be solved reliably where n < 1.3.
    air_dry_head : float
        Head at which evaporation and sinks find no water [m].
    tolerance : float
        Balance of a layer before the last linear solve of a sub-step [m]. Water closes to round-off whatever it is.
    max_iterations : int
        Newton iterations before a sub-step is cut.
    min_step : float
        Sub-step below which a column has failed [s].
    mode : str
        ``column``; ``distributed`` makes a :class:`pyland.subsurface.DistributedSubsurface` of the other arguments.

    Attributes
    ----------
    pressure, soil_water : numpy.ndarray, shape (layer, column)
        Live views of pressure head [m] and water content [m3 m-3]; call :meth:`reconcile` after changing
        ``soil_water``.
    surface_water : numpy.ndarray, shape (column,)
        Live view of ponded water [kg m-2].
    nlayer, ncolumn : int
        Number of layers and columns.

    Raises
    ------
    InputError
        If parameters, shapes or choices do not fit.

    Notes
    -----
    Backward Euler in adaptive sub-steps, mixed form, Newton's method [1]_; docs/theory/subsurface_column.md.

    References
    ----------
    .. [1] Celia, M. A., Bouloutas, E. T., Zarba, R. L. (1990). A general mass-conservative numerical solution for the
       unsaturated flow equation. Water Resour. Res. 26, 1483-1496.

    Examples
    --------
    >>> from pyland.subsurface import Subsurface
    >>> loam = {"porosity": 0.43, "residual_water": 0.08, "van_genuchten_alpha": 4.0, "van_genuchten_n": 1.6,
    ...         "saturated_conductivity": 5.8e-6}
    >>> column = Subsurface([0.05] * 20, loam, water_table_depth=3.0)
    >>> flux = column.advance(3600.0, rain=10.0 / 3600.0)
    >>> bool(abs(column.balance["residual"][0]) < 1e-10)
    True
    """

    def __new__(cls, *arguments: Any, mode: str = "column", **options: Any) -> Any:
        """Make the subsurface of a mode."""
        if mode == "distributed":
            return DistributedSubsurface(*arguments, mode=mode, **options)
        return super().__new__(cls)

    def __init__(
        self,
        thickness: np.ndarray,
        soil: Mapping[str, np.ndarray],
        *,
        retention: str = "van_genuchten",
        nx: int = 1,
        ny: int = 1,
        pressure_head: np.ndarray | None = None,
        soil_water: np.ndarray | None = None,
        water_table_depth: np.ndarray | None = None,
        lower_boundary: str = "free_drainage",
        base_depth: float | None = None,
        surface_head: float | None = None,
        ponding_depth: float = 0.0,
        air_entry: float = 0.02,
        air_dry_head: float = -1.0e5,
        tolerance: float = 1.0e-7,
        max_iterations: int = 15,
        min_step: float = 1.0e-3,
        mode: str = "column",
    ) -> None:
        if mode != "column":
            raise InputError(f"subsurface: mode must be 'column' or 'distributed', got {mode!r}.")
        if nx < 1 or ny < 1:
            raise InputError(f"subsurface: nx and ny must be at least 1, got {nx} and {ny}.")
        if lower_boundary not in LOWER_BOUNDARY:
            raise InputError(f"lower_boundary: expected one of {sorted(LOWER_BOUNDARY)}, got {lower_boundary!r}.")
        if (lower_boundary == "water_table") != (base_depth is not None):
            raise InputError("base_depth: give it with lower_boundary='water_table', and only then.")
        shape = (np.shape(thickness)[0] if np.ndim(thickness) else 0, nx * ny)
        if shape[0] < 1:
            raise InputError("thickness: expected at least one layer.")
        self.nlayer, self.ncolumn = shape
        self._has_surface_head = surface_head is not None
        self._arrays = ColumnArrays(spread(thickness, shape, "thickness"), pack_soil(soil, retention, shape))
        self._options = SolverOptions(
            retention=RETENTION[retention],
            air_entry=air_entry,
            lower_boundary=LOWER_BOUNDARY[lower_boundary],
            upper_boundary=UPPER_BOUNDARY["head" if self._has_surface_head else "flux"],
            water_table_depth=0.0 if base_depth is None else float(base_depth),
            surface_head=0.0 if surface_head is None else float(surface_head),
            ponding_depth=ponding_depth,
            air_dry_head=air_dry_head,
            tolerance=tolerance,
            max_iterations=max_iterations,
            min_step=min_step,
        )
        self._set_state(pressure_head, soil_water, water_table_depth)
        self.pressure = self._arrays.pressure_head
        self.soil_water = self._arrays.soil_water
        self.surface_water = self._arrays.surface_water
        self._stored_first = self._stored = self._arrays.diagnose(self._options)[0]
        names = ("rain", "surface_head_inflow", "source", "evaporation", "surface_runoff", "drainage", "increment")
        self._sums = {name: np.zeros(self.ncolumn) for name in names}

    def _set_state(
        self, pressure_head: np.ndarray | None, soil_water: np.ndarray | None, depth: np.ndarray | None
    ) -> None:
        arrays, shape = self._arrays, (self.nlayer, self.ncolumn)
        if sum(value is not None for value in (pressure_head, soil_water, depth)) != 1:
            raise InputError("initial state: give exactly one of pressure_head, soil_water and water_table_depth.")
        if soil_water is not None:
            arrays.soil_water[:] = spread(soil_water, shape, "soil_water")
            wet, dry = arrays.soil[0], arrays.soil[1]
            if (arrays.soil_water > wet).any() or (arrays.soil_water <= dry).any():
                raise InputError("soil_water: must lie above residual_water and not above porosity in every layer.")
            arrays.head_from_water(self._options)
            return
        if depth is not None:
            node = np.cumsum(arrays.thickness, axis=0) - 0.5 * arrays.thickness
            table = np.asarray(depth, float)
            if table.ndim > 1 or table.size not in (1, self.ncolumn):
                raise InputError(f"water_table_depth: expected a number or shape ({self.ncolumn},), got {table.shape}.")
            arrays.pressure_head[:] = node - table
        else:
            arrays.pressure_head[:] = spread(pressure_head, shape, "pressure_head")
        arrays.water_from_head(self._options)

    def advance(
        self,
        dt: float,
        source: np.ndarray | None = None,
        rain: np.ndarray | float = 0.0,
        evaporation: np.ndarray | float = 0.0,
    ) -> dict[str, np.ndarray]:
        """Advance all columns by one step.

        Parameters
        ----------
        dt : float
            Time step [s].
        source : array_like, optional
            Water into each layer [kg m-2 s-1], shape like a soil parameter; negative: uptake by roots, limited to the
            water above ``air_dry_head``.
        rain : array_like
            Water arriving at the surface [kg m-2 s-1], a number or ``(column,)``.
        evaporation : array_like
            Evaporation demand of the surface [kg m-2 s-1]: taken from rain, then the pond, then the top layer.

        Returns
        -------
        dict of str to numpy.ndarray
            Means over the step, shape ``(column,)``: ``infiltration``, ``surface_runoff``, ``drainage``,
            ``surface_evaporation`` [kg m-2 s-1], ``residual`` [kg m-2 per step], ``substeps``, ``iterations`` [1]; and
            ``source`` [kg m-2 s-1], shape ``(layer, column)``: what was put in or taken.

        Raises
        ------
        InputError
            If a field has the wrong shape, is not finite, or rain falls on a surface held at a head.
        ConvergenceError
            If a column cannot be solved; the message names it.
        """
        shape = (self.nlayer, self.ncolumn)
        rain = self._per_column(rain, "rain")
        evaporation = self._per_column(evaporation, "evaporation")
        if self._has_surface_head and (rain.any() or evaporation.any()):
            raise InputError("rain, evaporation: the surface is held at a head; set them only without surface_head.")
        from_rain = np.minimum(rain, evaporation)
        sink = np.zeros(shape) if source is None else -spread(source, shape, "source")
        self._arrays.advance(dt, (rain - from_rain) - (evaporation - from_rain), sink, self._options)
        flux = {name: self._arrays.flux[index].copy() for index, name in enumerate(FLUXES)}
        flux["surface_evaporation"] += from_rain
        flux["source"] = -self._arrays.actual_sink
        self._sums["rain"] += dt * rain
        self._sums["source"] += dt * flux["source"].sum(axis=0)
        self._sums["evaporation"] += dt * flux["surface_evaporation"]
        self._sums["surface_runoff"] += dt * flux["surface_runoff"]
        self._sums["drainage"] += dt * flux["drainage"]
        if self._has_surface_head:
            self._sums["surface_head_inflow"] += dt * flux["infiltration"]
        self._flux = flux
        self._stored = self._arrays.diagnose(self._options)[0]
        return flux

    def reconcile(self) -> None:
        """Make heads consistent with water contents that were changed through the view; books the change.

        Water is limited to the range of the retention curve; a layer at porosity keeps a head that says so.
        """
        self._arrays.reconcile(self._options)
        stored = self._arrays.diagnose(self._options)[0]
        self._sums["increment"] += stored - self._stored
        self._stored = stored

    @property
    def saturation(self) -> np.ndarray:
        """Water content over porosity [1], shape (layer, column)."""
        return self.soil_water / self._arrays.soil[0]

    @property
    def water_table_depth(self) -> np.ndarray:
        """Depth to the top of the saturated zone that reaches the base [m], shape (column,); else the base."""
        return self._arrays.diagnose(self._options)[1]

    @property
    def outflow(self) -> Mapping[str, np.ndarray]:
        """``surface_runoff`` and ``drainage`` of the last step [kg m-2 s-1], shape (column,)."""
        flux = getattr(self, "_flux", None)
        zero = np.zeros(self.ncolumn)
        return MappingProxyType({name: zero if flux is None else flux[name] for name in ("surface_runoff", "drainage")})

    @property
    def balance(self) -> dict[str, np.ndarray]:
        """Water since the start [kg m-2], shape (column,).

        ``rain``, ``surface_head_inflow``, ``source`` and ``increment`` came in, ``evaporation``, ``surface_runoff`` and
        ``drainage`` went out, ``storage`` is there now, and ``residual`` is what these do not explain.
        """
        terms = {name: value.copy() for name, value in self._sums.items()}
        gained = sum(terms[name] for name in ("rain", "surface_head_inflow", "source", "increment"))
        lost = sum(terms[name] for name in ("evaporation", "surface_runoff", "drainage"))
        return terms | {"storage": self._stored.copy(), "residual": self._stored - self._stored_first - gained + lost}

    def _per_column(self, value: np.ndarray | float, name: str) -> np.ndarray:
        array = np.asarray(value, float)
        if array.ndim > 1 or array.size not in (1, self.ncolumn):
            raise InputError(f"{name}: expected a number or shape ({self.ncolumn},), got shape {array.shape}.")
        if not (np.isfinite(array).all() and (array >= 0).all()):
            raise InputError(f"{name}: must be finite and not negative.")
        return np.broadcast_to(array.ravel(), (self.ncolumn,)).astype(float)
