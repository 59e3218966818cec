"""The Basic Model Interface of a case, for couplers and frameworks (CSDMS; Hutton et al. 2020, JOSS 5, 2317).

One realization: a coupler that wants an ensemble starts one `PylandBmi` per member. Times are seconds since the start
of the case. Arrays are flattened with the last axis fastest: ``(y, x)``, ``(layer, y, x)``, or cells where it
is no full map.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError, UnavailableError
from pyland.base.parallel import world
from pyland.base.registry import is_variable, variable
from pyland.config import CaseConfig, load_case
from pyland.driver.case import CaseModel

try:
    from bmipy import Bmi
except ImportError as error:
    raise UnavailableError("pyland.driver.bmi needs bmipy; install it with: pip install 'pyland[bmi]'") from error

STATE_INPUTS = ("soil_water",)
"""State that a coupler may set between steps; pressure heads follow."""

_AXES = (None, "layer", "thermal_layer", "patch")
"""Second axis of the variables of each grid; the place is the number of the grid."""


class PylandBmi(Bmi):
    """A case behind the Basic Model Interface.

    Input variables are the weather of the next step (mean over the step), which is that of the case until a coupler
    sets another before `update`, and ``soil_water``. Output variables are state and results of the last step, by the
    names of ``pyland vars``. Grid 0 holds the cells, grids 1 to 3 cells times soil layers, thermal layers and patches.

    Raises
    ------
    InputError
        From each method: for an unknown name or grid, an array of the wrong size, or a model that is not initialized.

    Examples
    --------
    >>> from pyland.driver.bmi import PylandBmi
    >>> model = PylandBmi()
    >>> model.initialize("cases/01_first_run/case.yaml")        # doctest: +SKIP
    """

    def __init__(self) -> None:
        self._model: CaseModel | None = None
        self._inputs: dict[str, np.ndarray] = {}
        self._outputs: tuple[str, ...] = ()

    # ---- control -----------------------------------------------------------------------------------------------

    def initialize(self, config_file: str | Path) -> None:
        """Build the model of a case at its start.

        Parameters
        ----------
        config_file : str or Path
            ``case.yaml`` or its folder; its ``ensemble.size`` and filter are left out of account: one realization.

        Raises
        ------
        ConfigError, InputError
            If the case is wrong, is split over ranks or has no land model.
        """
        if world().size > 1:
            raise InputError(f"PylandBmi: expected one rank, got {world().size}; start one process per realization.")
        config = load_case(config_file, ["ensemble.size=1", "assimilation={}", "observations=[]"])
        if config.is_distributed and not config.is_coupled:
            raise UnavailableError("PylandBmi needs a land model; this case has land.model: none. Use "
                                   "pyland.subsurface.DistributedSubsurface.")
        self._config: CaseConfig = config
        self._model = CaseModel(config)
        self._domain, self._layers = self._model.domain, self._model.layers
        self._inputs = {}
        self._take_weather()
        self._outputs = tuple(name for name in dict.fromkeys((*self._model.state, *self._model.flux))
                              if _axis_of(name, self._shape_of(name), self._sizes) is not False)

    def update(self) -> None:
        """Advance by one step under the weather that stands in the input variables."""
        self._running.advance_with(self._inputs)
        self._take_weather()

    def update_until(self, time: float) -> None:
        """Advance by whole steps to a time [s since the start].

        Raises
        ------
        InputError
            If the time is past, beyond the end, or within a step.
        """
        steps = (time - self.get_current_time()) / self.get_time_step()
        if steps < 0.0 or time > self.get_end_time() or abs(steps - round(steps)) > 1e-9 * max(abs(steps), 1.0):
            raise InputError(
                f"update_until({time}): expected a time from {self.get_current_time()} to {self.get_end_time()} s, a "
                f"whole number of steps of {self.get_time_step()} s away.")
        for _ in range(round(steps)):
            self.update()

    def finalize(self) -> None:
        """Give the model back; nothing is written."""
        self._model = None
        self._inputs, self._outputs = {}, ()

    # ---- names and time ----------------------------------------------------------------------------------------

    def get_component_name(self) -> str:
        """Return the name of the component."""
        return "pyland"

    def get_input_item_count(self) -> int:
        """Return how many variables a coupler may set."""
        return len(self.get_input_var_names())

    def get_output_item_count(self) -> int:
        """Return how many variables a coupler may get."""
        return len(self.get_output_var_names())

    def get_input_var_names(self) -> tuple[str, ...]:
        """Return the variables that a coupler may set."""
        if self._model is None:
            return ()
        return (*self._inputs, *(() if self._config.is_coupled else STATE_INPUTS))

    def get_output_var_names(self) -> tuple[str, ...]:
        """Return the variables that a coupler may get."""
        return self._outputs

    def get_start_time(self) -> float:
        """Return 0 [s]."""
        return 0.0

    def get_current_time(self) -> float:
        """Return the time since the start [s]."""
        return float((self._running.time - self._config.time.start64) / np.timedelta64(1, "s"))

    def get_end_time(self) -> float:
        """Return the length of the case [s]."""
        return float((self._config.time.end64 - self._config.time.start64) / np.timedelta64(1, "s"))

    def get_time_step(self) -> float:
        """Return the step [s]."""
        return float(self._config.time.step)

    def get_time_units(self) -> str:
        """Return the unit of times."""
        return "s"

    # ---- variables ---------------------------------------------------------------------------------------------

    def get_var_grid(self, name: str) -> int:
        """Return the grid of a variable."""
        return _AXES.index(_axis_of(name, self._shape_of(name), self._sizes))

    def get_var_type(self, name: str) -> str:
        """Return the type of the values."""
        self._values(name)
        return "float64"

    def get_var_units(self, name: str) -> str:
        """Return the SI unit, as in the registry."""
        self._values(name)
        return variable(name).units

    def get_var_itemsize(self, name: str) -> int:
        """Return the bytes of one value."""
        return self._values(name).itemsize

    def get_var_nbytes(self, name: str) -> int:
        """Return the bytes of all values."""
        return self._values(name).nbytes

    def get_var_location(self, name: str) -> str:
        """Return where values are: at the nodes of the grid, which are the centres of the cells."""
        self._values(name)
        return "node"

    def get_value(self, name: str, dest: np.ndarray) -> np.ndarray:
        """Copy the values of a variable into ``dest``, flattened, and return it."""
        values = self._values(name).reshape(-1)
        self._same_size(name, dest, values.size)
        dest[...] = values
        return dest

    def get_value_ptr(self, name: str) -> np.ndarray:
        """Return the live values of a variable, flattened.

        Raises
        ------
        InputError
            If the variable is computed when it is asked for: use `get_value`.
        """
        values = self._values(name)
        live = values.reshape(-1)
        if not np.shares_memory(values, self._values(name)) or not np.shares_memory(live, values):
            raise InputError(
                f"{name}: it is computed when it is asked for and has no memory of its own; use get_value.")
        return live

    def get_value_at_indices(self, name: str, dest: np.ndarray, inds: np.ndarray) -> np.ndarray:
        """Copy values at places of the flattened variable into ``dest`` and return it."""
        inds = np.asarray(inds)
        self._same_size(name, dest, inds.size)
        dest[...] = self._values(name).reshape(-1)[inds]
        return dest

    def set_value(self, name: str, src: np.ndarray) -> None:
        """Set a variable: weather for the next step, or state."""
        self._put(name, slice(None), src)

    def set_value_at_indices(self, name: str, inds: np.ndarray, src: np.ndarray) -> None:
        """Set a variable at places of the flattened array."""
        self._put(name, np.asarray(inds), src)

    # ---- grids -------------------------------------------------------------------------------------------------

    def get_grid_rank(self, grid: int) -> int:
        """Return the number of dimensions: those of a map, or 2 coordinates of points; one more with layers."""
        return len(self._grid_shape(grid)) if self._is_map else 2 + (self._axis(grid) is not None)

    def get_grid_size(self, grid: int) -> int:
        """Return the number of nodes."""
        return int(np.prod(self._grid_shape(grid)))

    def get_grid_type(self, grid: int) -> str:
        """Return ``uniform_rectilinear`` for maps, ``rectilinear`` with layers, ``points`` for other cells."""
        if not self._is_map:
            return "points"
        return "uniform_rectilinear" if self._axis(grid) is None else "rectilinear"

    def get_grid_shape(self, grid: int, shape: np.ndarray) -> np.ndarray:
        """Return the sizes of the axes of a map."""
        self._need_map(grid, "shape")
        shape[...] = self._grid_shape(grid)
        return shape

    def get_grid_spacing(self, grid: int, spacing: np.ndarray) -> np.ndarray:
        """Return the distance of rows and columns of the map of cells [m]."""
        self._need_map(grid, "spacing", only_flat=True)
        spacing[...] = [_spacing(self._rows), _spacing(self._columns)]
        return spacing

    def get_grid_origin(self, grid: int, origin: np.ndarray) -> np.ndarray:
        """Return the centre of the south-west cell, from the middle of the domain [m]."""
        self._need_map(grid, "origin", only_flat=True)
        origin[...] = [self._rows[0], self._columns[0]]
        return origin

    def get_grid_x(self, grid: int, x: np.ndarray) -> np.ndarray:
        """Return the coordinate to the east [m]: of columns of a map, or of every node."""
        return self._coordinate(grid, self._domain.x, self._columns, x)

    def get_grid_y(self, grid: int, y: np.ndarray) -> np.ndarray:
        """Return the coordinate to the north [m]: of rows of a map, or of every node."""
        return self._coordinate(grid, self._domain.y, self._rows, y)

    def get_grid_z(self, grid: int, z: np.ndarray) -> np.ndarray:
        """Return the depth of the middle of the layers, downward [m]; the number of the patch on its grid [1]."""
        axis = self._axis(grid)
        if axis is None:
            raise InputError(f"grid {grid}: it has no third coordinate.")
        depth = self._third(axis)
        z[...] = depth if self._is_map else np.repeat(depth, self._domain.ncell)
        return z

    def get_grid_node_count(self, grid: int) -> int:
        """Return the number of nodes."""
        return self.get_grid_size(grid)

    def get_grid_edge_count(self, grid: int) -> int:
        """Raise: the grids have no list of edges."""
        raise self._no_edges(grid)

    def get_grid_face_count(self, grid: int) -> int:
        """Raise: the grids have no list of faces."""
        raise self._no_edges(grid)

    def get_grid_edge_nodes(self, grid: int, edge_nodes: np.ndarray) -> np.ndarray:
        """Raise: the grids have no list of edges."""
        raise self._no_edges(grid)

    def get_grid_face_edges(self, grid: int, face_edges: np.ndarray) -> np.ndarray:
        """Raise: the grids have no list of faces."""
        raise self._no_edges(grid)

    def get_grid_face_nodes(self, grid: int, face_nodes: np.ndarray) -> np.ndarray:
        """Raise: the grids have no list of faces."""
        raise self._no_edges(grid)

    def get_grid_nodes_per_face(self, grid: int, nodes_per_face: np.ndarray) -> np.ndarray:
        """Raise: the grids have no list of faces."""
        raise self._no_edges(grid)

    # ---- inside ------------------------------------------------------------------------------------------------

    @property
    def _running(self) -> CaseModel:
        """The model, or a sentence."""
        if self._model is None:
            raise InputError("PylandBmi: the model is not initialized; call initialize(config_file) first.")
        return self._model

    @property
    def _is_map(self) -> bool:
        """Whether the cells fill a map."""
        return self._domain.is_grid and self._domain.ncell == self._domain.nx * self._domain.ny

    @property
    def _rows(self) -> np.ndarray:
        """Coordinates of the rows of a map [m]."""
        return self._domain.y[:: self._domain.nx]

    @property
    def _columns(self) -> np.ndarray:
        """Coordinates of the columns of a map [m]."""
        return self._domain.x[: self._domain.nx]

    @property
    def _sizes(self) -> dict[str, int]:
        """Lengths of the second axes."""
        return {"layer": self._layers.nlayer, "thermal_layer": self._layers.nthermal,
                "patch": self._running.state["canopy_water"].shape[0]}

    def _third(self, axis: str) -> np.ndarray:
        """Return the coordinate of a second axis."""
        if axis == "patch":
            return np.arange(self._sizes["patch"], dtype=float)
        thickness = self._layers.thickness if axis == "layer" else self._layers.thermal_thickness
        return np.cumsum(thickness) - 0.5 * thickness

    def _axis(self, grid: int) -> str | None:
        """Return the second axis of a grid."""
        if grid not in range(len(_AXES)):
            raise InputError(f"grid {grid}: expected one of 0 to {len(_AXES) - 1}.")
        return _AXES[grid]

    def _grid_shape(self, grid: int) -> tuple[int, ...]:
        """Return the sizes of the axes of a grid."""
        axis = self._axis(grid)
        flat = (self._domain.ny, self._domain.nx) if self._is_map else (self._domain.ncell,)
        return flat if axis is None else (self._sizes[axis], *flat)

    def _coordinate(self, grid: int, cells: np.ndarray, axis: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Return a horizontal coordinate of an axis of a map, or of all points."""
        layers = 1 if self._axis(grid) is None else self._sizes[self._axis(grid)]
        out[...] = axis if self._is_map else np.tile(cells, layers)
        return out

    def _need_map(self, grid: int, what: str, only_flat: bool = False) -> None:
        """Raise where a grid has none of what regular maps have."""
        if not self._is_map or (only_flat and self._axis(grid) is not None):
            raise InputError(f"grid {grid}: a grid of type {self.get_grid_type(grid)} has no {what}.")

    def _no_edges(self, grid: int) -> InputError:
        """Return the error of what only unstructured grids have."""
        return InputError(f"grid {grid}: a grid of type {self.get_grid_type(grid)} has no list of edges and faces.")

    def _take_weather(self) -> None:
        """Put the weather of the next step into the input variables; at the end the last one stays."""
        if self._running.time >= self._config.time.end64:
            return
        for name, values in self._running.next_weather().items():
            flat = np.asarray(values, dtype=float).reshape(-1)
            if name in self._inputs:
                self._inputs[name][...] = flat
            else:
                self._inputs[name] = flat.copy()

    def _values(self, name: str) -> np.ndarray:
        """Return the values of a variable as the model has them."""
        running = self._running
        if name in self._inputs:
            return self._inputs[name]
        for fields in (running.state, running.flux):
            if name in fields:
                return fields[name]
        raise InputError(
            f"'{name}' is no variable of this model; get_input_var_names and get_output_var_names list them.")

    def _shape_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable without its member axis."""
        shape = self._values(name).shape
        return shape if name in self._inputs else (*shape[:-2], shape[-1])

    def _same_size(self, name: str, array: np.ndarray, size: int) -> None:
        """Raise unless an array has as many values as it needs."""
        if np.size(array) != size:
            raise InputError(f"{name}: expected an array of {size} values, got {np.size(array)}.")

    def _put(self, name: str, where: slice | np.ndarray, src: np.ndarray) -> None:
        """Set values of an input variable."""
        if name not in self.get_input_var_names():
            raise InputError(f"{name}: it cannot be set; expected one of {', '.join(self.get_input_var_names())}.")
        values = self._values(name)
        new = values.reshape(-1).copy()
        source = np.asarray(src, dtype=float).reshape(-1)
        self._same_size(name, source, new[where].size)
        new[where] = source
        variable(name).check_range(new, "PylandBmi.set_value")
        if name in self._inputs:
            values[...] = new
        else:
            self._running.set_state({name: new.reshape(values.shape)})


def _axis_of(name: str, shape: tuple[int, ...], sizes: dict[str, int]) -> str | None | bool:
    """Return the second axis of a variable; False where it has another or the registry knows it not."""
    if not is_variable(name):
        return False
    if len(shape) == 1:
        return None
    axis = next((one for one in variable(name).dims if one != "column"), None)
    return axis if axis in sizes and sizes[axis] == shape[0] else False


def _spacing(coordinates: np.ndarray) -> float:
    """Return the distance of the coordinates of an axis [m]; 1 of a single one."""
    return float(coordinates[1] - coordinates[0]) if coordinates.size > 1 else 1.0
