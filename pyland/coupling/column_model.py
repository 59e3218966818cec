"""Land and soil water of an ensemble of columns, advanced together.

Members are more columns: ``column = cell + ncell * member``. All arrays are live views of Fortran memory, shaped
``([n,] member, cell)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np

from pyland.base.errors import BalanceError, ConvergenceError, InputError, StateError
from pyland.base.registry import variable
from pyland.core.columns import Columns
from pyland.coupling.analysed_heat import land_heat, put_soil_temperature
from pyland.coupling.analysed_parameters import put_parameters
from pyland.coupling.analysed_snow import put_snow_mass
from pyland.coupling.water_stores import column_evaporation, column_stores
from pyland.land.carbon import CARBON_SCHEMES
from pyland.land.land_model import PATCH_FIELDS, SOIL_EVAPORATION, STOMATA, WATER_STRESS

DENSITY_WATER = 1000.0
"""Density of liquid water [kg m-3]."""

DRIEST_SATURATION = 0.01
"""Effective saturation below which an analysis does not dry a layer, as in CLM [1]."""

STORES = ("surface_water", "canopy_water", "canopy_snow", "growth_temperature")
"""States that an analysis may change within the range of the registry, and nothing else with them."""

MOST_LEAVES = 15.0
"""Leaf area index that no member exceeds, whatever its factor, as the registry has it [1]."""

SNOW_OPTIONS = MappingProxyType({
    "albedo": {"grains": 1, "age": 2},
    "cover": {"niu_yang": 1, "swenson_lawrence": 2},
    "fresh_density": {"clm45": 1, "clm5": 2},
    "overburden": {"anderson": 1, "vionnet": 2, "clm5": 3},
    "percolation": {"bucket": 1, "kinematic": 2},
    "conductivity": {"jordan": 1, "sturm": 2, "calonne": 3},
    "wind_drift": None,
    "holding": None,
    "dust_darkening": None,
    "roughness": None,
    "emissivity": None,
})
"""Options of the snow pack: the numbers of the core's schemes, or None for a switch or a number."""

RETENTION = {"van_genuchten": 1, "clapp_hornberger": 2}
SURFACE_KIND = {"soil": 1, "glacier": 2, "urban": 3}
LOWER_BOUNDARY = {"free_drainage": 1, "no_flow": 2, "water_table": 3}


class ColumnModel:
    """Land surface and soil water of an ensemble of columns.

    Parameters
    ----------
    thickness : numpy.ndarray, shape (layer,)
        Thickness of the hydrological soil layers, top first [m].
    bedrock : numpy.ndarray, shape (bedrock_layer,)
        Thickness of the thermal layers below them [m].
    parameters : mapping of str to numpy.ndarray
        Every parameter field of the core by name (``model.parameter`` lists them), ``(cell,)``, ``(n, cell)`` or
        ``(n, member, cell)``; missing ones keep the default of the core.
    ncell, nmember, npatch : int
        Sizes [1].
    stomata, soil_evaporation, water_stress, retention, lower_boundary : str
        Schemes: ``medlyn`` or ``ball_berry``; ``dry_surface_layer`` or ``beta``; ``soil_water`` or
        ``pressure_head``; ``van_genuchten`` or ``clapp_hornberger``; ``free_drainage``, ``no_flow`` or ``water_table``.
    water_table_depth : float
        Depth of a fixed water table [m], for ``lower_boundary="water_table"``.
    ponding_depth : float
        Water that the surface holds before it runs off [m].
    air_entry : float
        Air-entry head of van Genuchten soils with small n [m] (Ippisch et al. 2006).
    tolerance, largest_iteration, smallest_step
        Soil water solver: balance of a layer before the last linear solve of a sub-step [m], Newton iterations [1] and
        shortest sub-step [s].
    carbon : str
        ``none``, ``prescribed`` or ``evolving``: whether respiration and the net exchange of carbon are computed, and
        whether their pools change.
    sif_yield : float
        Fluorescence per gross primary production [W m-2 um-1 sr-1 / (kg m-2 s-1)].
    is_irrigated : bool
        Whether patches can be irrigated; adds the fields ``irrigation_*``.
    stability_limit, soil_roughness, soil_emissivity : float
        Largest stability parameter zeta [1], roughness length of bare soil [m], emissivity of soil [1].
    snow_layers : int
        Snow layers that may exist, 1 to 12.
    snow : mapping, optional
        Schemes and constants of the snow pack that replace the defaults, keys as in ``SNOW_OPTIONS``
        (docs/theory/snow_pack.md, docs/theory/snow_optics.md).
    bottom_heat_flux : float
        Heat into the lowest thermal layer from below [W m-2].
    surface_kind : str
        What the ground is: ``soil``, ``glacier`` or ``urban``; see `pyland.coupling.GroundColumns`.
    slab_conductivity, slab_heat_capacity : float
        Of a ground that is no soil [W m-1 K-1, J m-3 K-1], without the water or ice that it holds.

    Raises
    ------
    InputError
        If a name, a size or a shape does not fit.
    """

    def __init__(
        self,
        thickness: np.ndarray,
        bedrock: np.ndarray,
        parameters: Mapping[str, np.ndarray],
        *,
        ncell: int,
        nmember: int = 1,
        npatch: int = 1,
        stomata: str = "medlyn",
        soil_evaporation: str = "dry_surface_layer",
        water_stress: str = "soil_water",
        retention: str = "van_genuchten",
        lower_boundary: str = "free_drainage",
        water_table_depth: float = 2.0,
        ponding_depth: float = 0.01,
        air_entry: float = 0.02,
        tolerance: float = 1e-7,
        largest_iteration: int = 15,
        smallest_step: float = 1e-3,
        stability_limit: float = 0.5,
        soil_roughness: float = 0.00085,
        soil_emissivity: float = 0.96,
        snow_layers: int = 5,
        snow: Mapping[str, str | float | bool] | None = None,
        bottom_heat_flux: float = 0.0,
        carbon: str = "none",
        sif_yield: float = 0.0,
        is_irrigated: bool = False,
        surface_kind: str = "soil",
        slab_conductivity: float = 0.0,
        slab_heat_capacity: float = 0.0,
    ) -> None:
        self.thickness = np.asarray(thickness, dtype=float)
        self.thermal_thickness = np.concatenate([self.thickness, np.asarray(bedrock, dtype=float)])
        self.ncell, self.nmember, self.npatch = ncell, nmember, npatch
        self.nlayer = self.thickness.size
        self.retention, self.snow_choices = retention, dict(snow or {})
        self.leaf_area_factor: np.ndarray | None = None
        self.cell_numbers: Sequence[int] = range(ncell)  # what messages call them
        self.member_numbers: Sequence[int] = range(nmember)
        self.core = Columns(ncell * nmember, self.nlayer, self.thermal_thickness.size, npatch, snow_layers)
        self.core.set_land_options(
            stomata=_choice("stomata", stomata, STOMATA),
            soil_evaporation=_choice("soil_evaporation", soil_evaporation, SOIL_EVAPORATION),
            water_stress=_choice("water_stress", water_stress, WATER_STRESS),
            stability_limit=stability_limit,
            soil_roughness=soil_roughness,
            soil_emissivity=soil_emissivity,
            **_snow_options(snow or {}),
            bottom_heat_flux=bottom_heat_flux,
            surface_kind=_choice("surface_kind", surface_kind, SURFACE_KIND),
            slab_conductivity=slab_conductivity,
            slab_heat_capacity=slab_heat_capacity,
        )
        self.core.set_water_options(
            retention=_choice("retention", retention, RETENTION),
            lower_boundary=_choice("lower_boundary", lower_boundary, LOWER_BOUNDARY),
            water_table_depth=water_table_depth,
            ponding_depth=ponding_depth,
            air_entry=air_entry,
            tolerance=tolerance,
            largest_iteration=largest_iteration,
            smallest_step=smallest_step,
        )
        self._carbon = _choice("carbon", carbon, CARBON_SCHEMES), sif_yield
        self.core.set_carbon(*self._carbon)
        if is_irrigated:
            self.core.irrigate()
        self.find_state()
        self.parameter = self._views(self.core.parameter)
        self.forcing = self._views(self.core.forcing)
        self.flux = self._views(self.core.flux)
        self.set_parameters({"thickness": self.thermal_thickness[:, None], **parameters})

    def find_state(self) -> None:
        """Show the state that has joined since the columns were made."""
        self.state = self._views(self.core.state)

    def _views(self, fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Shape (n, column) fields as ([n,] member, cell); parameters of one value per column lose the axis too."""
        out = {}
        for name, field in fields.items():
            view = field.reshape(field.shape[0], self.nmember, self.ncell)
            out[name] = view[0] if field.shape[0] == 1 and name not in PATCH_FIELDS else view
        return MappingProxyType(out)

    def set_parameters(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Set parameter fields; shapes ``(cell,)``, ``(n, cell)`` or ``(n, member, cell)``."""
        self._set(self.parameter, parameters)
        with self.located():
            self.core.prepare()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Set state fields; of soil water and pressure head, one that is given alone brings the other along.

        Soil water is liquid; ice that is given without pressure heads changes them too, as it takes pores.
        """
        self._set(self.state, state)
        with self.located():
            if state.keys() & {"soil_water", "soil_ice"} and "pressure_head" not in state:
                self.core.reconcile()
            elif "pressure_head" in state and "soil_water" not in state:
                self.core.fill_water()

    def _set(self, target: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray]) -> None:
        for name, value in values.items():
            if name not in target:
                raise InputError(f"Columns have no field '{name}'; they have {', '.join(sorted(target))}.")
            view, array = target[name], np.asarray(value, dtype=float)
            if array.ndim == 2 and view.ndim == 3:
                array = array[:, None, :]
            try:
                view[...] = array
            except ValueError as error:
                raise InputError(
                    f"Columns: '{name}' has shape {np.shape(value)}; expected {view.shape} or without the member axis."
                ) from error

    def advance(
        self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray, dt: float
    ) -> None:
        """Advance all columns by one step.

        Parameters
        ----------
        weather : mapping of str to numpy.ndarray
            Forcing, mean over the step, each ``(cell,)`` or ``(member, cell)``; every forcing field but the areas.
        leaf_area, stem_area : numpy.ndarray, shape (patch, cell)
            Leaf and stem area index [m2 m-2].
        dt : float
            Time step [s], in (0, 86400].

        Raises
        ------
        ConvergenceError, BalanceError, StateError
            If the numerics fail; the message names cell and member.
        """
        self.set_weather(weather, leaf_area, stem_area)
        with self.located():
            self.core.step(dt)

    def set_weather(self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray) -> None:
        """Set the forcing fields, arguments as in :meth:`advance`."""
        self._set(self.forcing, weather)
        if self.leaf_area_factor is not None:
            leaf_area = np.minimum(np.asarray(leaf_area)[:, None, :] * self.leaf_area_factor, MOST_LEAVES)
        self._set(self.forcing, {"leaf_area_index": leaf_area, "stem_area_index": stem_area})

    @contextmanager
    def located(self) -> Iterator[None]:
        """Replace the column that an error of the core names by cell and member."""
        try:
            yield
        except (BalanceError, ConvergenceError, InputError, StateError) as error:
            head, _, tail = str(error).partition("in column ")
            digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
            if not digits:
                raise
            member, cell = divmod(int(digits) - 1, self.ncell)
            place = f"in cell {self.cell_numbers[cell]}, member {self.member_numbers[member]}"
            located = type(error)(f"{head}{place}{tail[len(digits):]}")
            located.member = member
            raise located from error

    def change_soil_water(self, soil_water: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace soil water after an analysis and make pressure heads follow.

        Values are brought between ``DRIEST_SATURATION`` and the pores that ice leaves open; what the model itself has
        dried further stays, and so does ice.

        Parameters
        ----------
        soil_water : numpy.ndarray, shape (layer, member, cell)
            New volumetric liquid water [m3 m-3].

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        clipped : int
            Number of values that had to be brought into range.
        """
        before = self.land_water()
        residual, open_pores = self.pores()
        driest = residual + DRIEST_SATURATION * (self.parameter["porosity"] - residual)
        lowest = np.minimum(self.state["soil_water"], driest)
        self.state["soil_water"][...] = np.clip(soil_water, lowest, open_pores)
        with self.located():
            self.core.reconcile()
        clipped = int(np.count_nonzero(self.state["soil_water"] != soil_water))
        return self.land_water() - before, clipped

    def pores(self) -> tuple[np.ndarray, np.ndarray]:
        """Residual water, and pores that ice leaves open, each (layer, member, cell) [m3 m-3]."""
        return self.parameter["residual_water"], self.parameter["porosity"] - self.state["soil_ice"]

    def let_heads_follow(self, soil_water: np.ndarray, moves: np.ndarray) -> None:
        """Set soil water, (layer, member, cell) [m3 m-3], and the heads of the layers that move; others keep theirs."""
        water, heads = self.state["soil_water"], self.state["pressure_head"]
        kept_water, kept_heads = water.copy(), heads.copy()
        water[...] = soil_water
        with self.located():
            self.core.reconcile()
        water[...] = np.where(moves, water, kept_water)
        heads[...] = np.where(moves, heads, kept_heads)

    def change_soil_temperature(self, temperature: np.ndarray) -> tuple[np.ndarray, int]:
        """Give soil and bedrock the heat of an analysed temperature, see `pyland.coupling.analysed_heat`.

        Parameters
        ----------
        temperature : numpy.ndarray, shape (thermal_layer, member, cell)
            [K]

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added: what compression does to that of layers whose ice has changed [kg m-2].
        clipped : int
            Number of values that had to be brought into range.
        """
        before, ice = self.land_water(), self.state["soil_ice"].copy()
        clipped = put_soil_temperature(self, temperature)
        self.let_heads_follow(self.state["soil_water"].copy(), self.state["soil_ice"] != ice)
        return self.land_water() - before, clipped

    def change_snow_mass(self, snow_mass: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace the mass of snow after an analysis, (member, cell) [kg m-2]; see `pyland.coupling.analysed_snow`.

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        clipped : int
            Number of values that had to be brought into range.
        """
        before = self.land_water()
        clipped = put_snow_mass(self, snow_mass)
        return self.land_water() - before, clipped

    def change_store(self, name: str, values: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace one of ``STORES`` after an analysis, ([patch,] member, cell), within the range of the registry.

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        clipped : int
            Number of values that had to be brought into range.

        Raises
        ------
        InputError
            If it is no such state.
        """
        if name not in STORES:
            raise InputError(f"Columns: an analysis cannot replace '{name}'; expected one of {', '.join(STORES)}.")
        before = self.land_water()
        allowed = np.clip(values, *variable(name).valid_range)
        self.set_state({name: allowed})
        return self.land_water() - before, int(np.count_nonzero(allowed != values))

    def change_parameters(self, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
        """Replace parameters after an analysis; water and heads follow, see `pyland.coupling.analysed_parameters`.

        Parameters
        ----------
        parameters : mapping of str to numpy.ndarray, shape (n, member, cell)
            By name of the core; ``leaf_area_factor``, (member, cell), is taken too [1].

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added [kg m-2].
        clipped : int
            Number of values that had to be brought into range.
        """
        before = self.land_water()
        fields = dict(parameters)
        if "leaf_area_factor" in fields:
            self._scale_leaves(np.array(fields.pop("leaf_area_factor"), dtype=float))
        clipped = put_parameters(self, fields, DRIEST_SATURATION) if fields else 0
        return self.land_water() - before, clipped

    def _scale_leaves(self, factor: np.ndarray) -> None:
        """Take a factor on the leaf area, (member, cell) [1], for steps to come and for who looks at leaves now."""
        before = np.ones_like(factor) if self.leaf_area_factor is None else self.leaf_area_factor
        change = np.divide(factor, before, out=np.ones_like(factor), where=before > 0.0)
        leaves = self.forcing["leaf_area_index"]
        leaves[...] = np.minimum(leaves * change, MOST_LEAVES)
        self.leaf_area_factor = factor

    def land_heat(self) -> np.ndarray:
        """Heat of soil and snow, (member, cell) [J m-2]; 0 for solids and liquid water at the freezing point."""
        return land_heat(self)

    @property
    def has_carbon(self) -> bool:
        """Whether respiration and the net exchange of carbon are computed."""
        return self._carbon[0] != CARBON_SCHEMES["none"]

    @property
    def carbon_columns(self) -> tuple[ColumnModel, ...]:
        """Sets of columns that hold carbon, here this one."""
        return (self,) if self.has_carbon else ()

    def start_carbon_means(self) -> None:
        """Hold the carbon pools, and begin the means of production and decay that `balance_carbon` needs."""
        self.core.set_carbon(CARBON_SCHEMES["prescribed"], self._carbon[1])
        self.core.start_carbon_sums()

    def balance_carbon(self, sink: float = 0.0) -> None:
        """Set all carbon pools to their equilibrium with the time since `start_carbon_means`, and let them go.

        Parameters
        ----------
        sink : float
            Share of the net primary production that the ecosystem keeps; 0 makes the mean net exchange 0 [1].

        Raises
        ------
        InputError, StateError
            If the columns have no carbon, the share is not below 1, or no step was made.
        """
        self.core.balance_carbon(sink)
        self.core.set_carbon(*self._carbon)

    def land_carbon(self) -> np.ndarray:
        """Carbon in plants, litter and soil, shape (member, cell) [kg m-2]."""
        plants = (self.state["plant_carbon"] * self.parameter["patch_fraction"]).sum(axis=0)
        return plants + self.state["carbon_pools"].sum(axis=0)

    def land_water(self) -> np.ndarray:
        """Water in soil and snow, on the ground and on leaves, shape (member, cell) [kg m-2]."""
        self.core.store_water()
        return self.flux["land_water"].copy()

    def water_stores(self) -> dict[str, np.ndarray]:
        """Water by store, (member, cell) [kg m-2]; comes after `land_water`; see `pyland.coupling.water_stores`."""
        return column_stores(self)

    def evaporation_parts(self) -> dict[str, np.ndarray]:
        """Evapotranspiration of the last step by its ways, (member, cell) [kg m-2 s-1]."""
        return column_evaporation(self)

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per column [byte]."""
        return self.core.bytes_per_column


def _snow_options(given: Mapping[str, str | float | bool]) -> dict[str, float]:
    out = {}
    for name, value in given.items():
        if name not in SNOW_OPTIONS:
            raise InputError(f"Columns: snow has no option '{name}'; expected one of {', '.join(SNOW_OPTIONS)}.")
        choices = SNOW_OPTIONS[name]
        out[f"snow_{name}"] = float(value) if choices is None else float(_choice(f"snow: {name}", str(value), choices))
    return out


def _choice(key: str, value: str, choices: Mapping[str, int]) -> int:
    if value not in choices:
        raise InputError(f"Columns: {key} is '{value}'; expected one of {', '.join(choices)}.")
    return choices[value]
