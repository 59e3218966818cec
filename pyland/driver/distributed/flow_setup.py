"""From a configuration to the distributed subsurface: grid, slopes, soil, sides, outlets, initial heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.base.errors import ConvergenceError, InputError
from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator
from pyland.base.piecewise import PiecewiseConstant
from pyland.config import CaseConfig
from pyland.config.domain import SlopesSection
from pyland.config.flow import BOUNDARY_UNITS, LEAST_MANNING, SIDES, BoundarySection
from pyland.config.surface import RETENTION_PARAMETERS
from pyland.domain import Domain, Layers, build_domain, build_layers, build_surface
from pyland.domain.domain_file import read_field, read_heads
from pyland.domain.pfb import read_pfb, read_pfb_header
from pyland.driver.rivers.river_setup import distance_to
from pyland.subsurface import Boundary, DistributedSubsurface, head_from_water
from pyland.subsurface.slopes import slopes_from_elevation

_log = get_logger("run")

SIZE_TOLERANCE = 0.01
"""Largest relative difference of the sizes of cells of a domain file [1]; the distributed grid has one size."""

AIR_ENTRY = 0.0
"""Air-entry head of van Genuchten soils [m]: the plain curve, as ParFlow has it."""

STEEPEST = 10.0
"""Largest slope of a face [1], as for the numbers of ``domain.slopes``; beyond it the file holds something else."""

KINDS = {"water_table": "hydrostatic"}
"""Kind of boundary of the words of ``lower_boundary`` that are not kinds themselves."""


@dataclass(frozen=True)
class FlowSetup:
    """What a run of the distributed subsurface needs before it starts; fields cover the whole grid.

    Attributes
    ----------
    config : CaseConfig
        The case.
    comm : Communicator
        Ranks of the run.
    whole : Domain
        All cells of the run.
    layers : Layers
        Layers from the top.
    dx, dy : float
        Size of a cell [m].
    soil : mapping of str to numpy.ndarray, shape (layer, y, x)
        Soil parameters as the kernel takes them.
    slope_x, slope_y : numpy.ndarray, shape (y, x)
        Slopes of the land [1].
    manning : numpy.ndarray, shape (y, x)
        Roughness [s m-1/3].
    initial : mapping
        ``pressure_head`` (layer, y, x) or ``water_table_depth`` (y, x) [m].
    outlets : mapping of str to numpy.ndarray of int
        Cells, by their place in the flattened grid, whose discharge counts for each outlet.
    """

    config: CaseConfig
    comm: Communicator
    whole: Domain
    layers: Layers
    dx: float
    dy: float
    soil: Mapping[str, np.ndarray]
    slope_x: np.ndarray
    slope_y: np.ndarray
    manning: np.ndarray
    initial: Mapping[str, np.ndarray]
    outlets: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, rows and columns of the grid."""
        return self.layers.nlayer, self.whole.ny, self.whole.nx

    @property
    def domain_area(self) -> float:
        """Area of all cells [m2]."""
        return self.dx * self.dy * self.whole.ncell


def prepare_flow(config: CaseConfig, comm: Communicator) -> FlowSetup:
    """Read and build all that the distributed subsurface of a case needs.

    Raises
    ------
    InputError
        If files are missing or do not fit, with all problems; or if the spin-up has no steady state.
    """
    whole = _part(config, "domain", lambda: build_domain(config.domain))
    layers = build_layers(config.domain.layers, 0, None)
    dx, dy = _part(config, "domain", lambda: cell_size(config, whole))
    soil: dict[str, np.ndarray] = {}
    parts: dict[str, Callable[[], Any]] = {
        "surface.soil": lambda: soil.update(soil_fields(config, whole, layers)),
        "domain.slopes": lambda: slope_fields(config, whole, dx, dy),
        "subsurface.manning": lambda: manning_field(config, whole),
        "subsurface.initial": lambda: initial_heads(config, whole, layers, soil),
        "subsurface.outlets": lambda: find_outlets(config, whole),
    }
    built, problems = {}, []
    for path, build in parts.items():
        if path == "subsurface.initial" and not soil:
            continue  # saturation needs the soil, which has a problem of its own
        try:
            built[path] = _part(config, path, build)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    setup = FlowSetup(
        config, comm, whole, layers, dx, dy, soil, *built["domain.slopes"], built["subsurface.manning"],
        built["subsurface.initial"], built["subsurface.outlets"])
    if _fills_up(setup):
        raise InputError(
            f"{config.where('subsurface.spinup.recharge')}: expected a way out for the recharge; all sides are closed "
            "and no face of the rim falls outwards, so there is no steady state. Give a side in subsurface.boundaries, "
            "slopes that fall to the rim, or no spinup.")
    return setup


def _part(config: CaseConfig, path: str, build: Callable[[], Any]) -> Any:
    """Return what is built; a message says which key asked for it.

    Raises
    ------
    InputError
        If files are missing or do not fit.
    """
    try:
        return build()
    except InputError as error:
        raise InputError(f"{config.where(path)}: {error}") from None


def build_flow(setup: FlowSetup, members: int = 1) -> DistributedSubsurface:
    """Build the kernel at its initial state, which all members have."""
    section, whole = setup.config.subsurface, setup.whole
    over_land = section.overland != "none"
    solver = {name: section.solver_value(name) for name in ("tolerance", "max_iterations", "min_step", "max_step")}
    return DistributedSubsurface(
        setup.layers.thickness, setup.soil, nx=whole.nx, ny=whole.ny, dx=setup.dx, dy=setup.dy,
        retention=section.retention, active=None if whole.mask.all() else whole.mask,
        slope_x=setup.slope_x, slope_y=setup.slope_y, terrain_following=section.terrain_following,
        overland=section.overland, manning=setup.manning, slope_floor=section.slope_floor,
        ponding_depth=0.0 if over_land else section.ponding_depth,
        boundaries={side: Boundary(kind, series.mean(0.0, setup.config.time.step))
                    for side, (kind, series) in boundary_series(setup.config).items()},
        air_entry=AIR_ENTRY, members=members, comm=setup.comm, **setup.initial, **solver)


def reach_steady_state(flow: DistributedSubsurface, recharge: float) -> None:
    """Bring the heads of a kernel to the steady state under a recharge [kg m-2 s-1], and log what it took.

    Raises
    ------
    ConvergenceError
        If the solver gives up, or heads do not become steady.
    """
    try:
        found = flow.spin_up(recharge)
    except ConvergenceError as error:
        raise ConvergenceError(
            f"{error} (in the spin-up to a steady state; sides must be able to give what is asked of them)"
        ) from error
    _log.info("steady state under %.4g kg m-2 s-1: %d steps, %d Newton iterations, last change %.1g m", recharge,
              found["steps"], found["newton_iterations"], found["change"])


def cell_size(config: CaseConfig, whole: Domain) -> tuple[float, float]:
    """Return width and height of a cell [m].

    Raises
    ------
    InputError
        If the cells of a file are of different size, or its rows and columns do not run to the north and east.
    """
    if whole.kind == "grid":
        return config.domain.dx, config.domain.dy
    sizes = []
    for name, values, axis in (("x", whole.x, 1), ("y", whole.y, 0)):
        steps = np.diff(whole.to_grid(values), axis=axis)
        steps = steps[np.isfinite(steps)]
        if steps.size == 0:
            raise InputError(f"{config.domain.file}: a grid of a single row or column has no cell size in {name}; "
                             "use domain.type: grid.")
        size = float(np.median(steps))
        if size <= 0.0:
            way = "columns must run to the east" if axis else "rows must run to the north"
            raise InputError(f"{config.domain.file}: {way} in subsurface.mode: distributed; turn the file round.")
        if np.abs(steps / size - 1.0).max() > SIZE_TOLERANCE:
            raise InputError(
                f"{config.domain.file}: the cells are {steps.min():.6g} to {steps.max():.6g} m wide in {name}; the "
                f"distributed subsurface needs cells of one size (within {100 * SIZE_TOLERANCE:g} %).")
        sizes.append(size)
    return sizes[0], sizes[1]


def soil_fields(config: CaseConfig, whole: Domain, layers: Layers) -> dict[str, np.ndarray]:
    """Return the soil parameters of the kernel, (layer, y, x); cells that are not modelled get those of the first."""
    section = config.subsurface
    surface = build_surface(config.surface, section.retention, whole, layers)
    fields = {name: surface.hydraulic[name] for name in RETENTION_PARAMETERS[section.retention]
              if name in surface.hydraulic}
    shape = (layers.nlayer, whole.ncell)
    fields["specific_storage"] = np.broadcast_to(
        surface.hydraulic.get("specific_storage", section.specific_storage), shape)
    horizontal = fields["saturated_conductivity"] * section.anisotropy
    fields |= {"saturated_conductivity_x": horizontal, "saturated_conductivity_y": horizontal}
    return {name: on_grid(np.asarray(values, dtype=float), whole) for name, values in fields.items()}


def on_grid(values: np.ndarray, whole: Domain) -> np.ndarray:
    """Put cell values on the grid; cells that are not modelled get the value of the first."""
    grid = whole.to_grid(values)
    return np.where(whole.mask, grid, values[..., :1, None])


def slope_fields(config: CaseConfig, whole: Domain, dx: float, dy: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes of the land, each (y, x): numbers, from a file, or from the elevation.

    Raises
    ------
    InputError
        If the file does not fit.
    """
    section, shape = config.domain.slopes, (whole.ny, whole.nx)
    if section is None or section.is_from_elevation:
        least = (section or SlopesSection()).least
        if section is None and np.ptp(whole.elevation) == 0.0:  # a plain without slopes is level, not a funnel
            return np.zeros(shape), np.zeros(shape)
        return slopes_from_elevation(np.nan_to_num(whole.to_grid(whole.elevation)), dx, dy, whole.mask, least)
    if section.file is None:
        return np.full(shape, section.x or 0.0), np.full(shape, section.y or 0.0)
    slopes = []
    for path, name in _slope_files(section):
        field = _pfb_field(path, (1, *shape))[0] if section.is_pfb else read_field(path, name, *shape, "1")
        if not np.isfinite(field[whole.mask]).all():
            raise InputError(f"{path}: {name} is missing in a modelled cell.")
        steepest = float(np.abs(field[whole.mask]).max())
        if steepest > STEEPEST:
            raise InputError(
                f"{path}: {name} is up to {steepest:g} in a modelled cell; slopes are rise over run, at most "
                f"{STEEPEST:g}.")
        slopes.append(np.where(whole.mask, field, 0.0))
    return slopes[0], slopes[1]


def _slope_files(section: SlopesSection) -> list[tuple[str, str]]:
    """Return file and name of the slopes to the east and to the north."""
    if section.is_pfb:
        return [(str(section.file), "slope_x"), (str(section.file_y), "slope_y")]
    return [(str(section.file), section.variable_x), (str(section.file), section.variable_y)]


def _pfb_field(path: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Read a PFB file, (layer, y, x), the top first and rows from south to north.

    Raises
    ------
    InputError
        If it has other cells than the domain.
    """
    cells = read_pfb_header(path).shape
    if cells != shape:
        raise InputError(f"{path}: expected {shape[2]} x {shape[1]} x {shape[0]} cells (x, y, z) as in the domain, got "
                         f"{cells[2]} x {cells[1]} x {cells[0]}.")
    return read_pfb(path, flip=True)


def manning_field(config: CaseConfig, whole: Domain) -> np.ndarray:
    """Return Manning's roughness, (y, x) [s m-1/3].

    Raises
    ------
    InputError
        If the file does not fit, or a value is not positive.
    """
    given, shape = config.subsurface.manning, (whole.ny, whole.nx)
    if isinstance(given, float):
        return np.full(shape, given)
    name = given.variable or "manning"
    field = read_field(given.file, name, *shape)
    if not (np.isfinite(field) & (field >= LEAST_MANNING))[whole.mask].all():
        raise InputError(f"{given.file}: {name} must be at least {LEAST_MANNING:g} s m-1/3 in every modelled cell; "
                         "ParFlow's values in h m-1/3 times 3600.")
    return np.where(whole.mask, field, field[whole.mask][0])


def initial_heads(
    config: CaseConfig, whole: Domain, layers: Layers, soil: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return ``pressure_head`` (layer, y, x) or ``water_table_depth`` (y, x) [m] at the start.

    Raises
    ------
    InputError
        If the file does not fit or lacks a value.
    """
    name, value = config.subsurface.initial.chosen
    shape = (layers.nlayer, whole.ny, whole.nx)
    if name == "file":
        path = str(value)
        is_pfb = path.lower().endswith(".pfb")
        name, field = ("pressure_head", _pfb_field(path, shape)) if is_pfb else read_heads(path, *shape)
        if not np.isfinite(field[..., whole.mask]).all():
            raise InputError(f"{value}: {name} is missing in a modelled cell.")
        return {name: np.where(whole.mask, field, field[..., whole.mask][..., :1, None])}
    if name == "water_table_depth":
        return {name: np.full(shape[1:], float(value))}
    profile = np.asarray(value, dtype=float).reshape(-1, 1, 1)
    if name == "pressure_head":
        return {name: np.broadcast_to(profile, shape)}
    porosity, residual = soil["porosity"], soil.get("residual_water", np.zeros(shape))
    water = residual + profile * (porosity - residual) if name == "saturation" else np.clip(profile, residual, porosity)
    columns = {key: field.reshape(shape[0], -1) for key, field in soil.items()
               if not key.startswith("saturated_conductivity_")}
    head = head_from_water(np.broadcast_to(water, shape).reshape(shape[0], -1), columns,
                           retention=config.subsurface.retention, air_entry=AIR_ENTRY)
    return {"pressure_head": head.reshape(shape)}


def boundary_series(config: CaseConfig) -> dict[str, tuple[str, PiecewiseConstant]]:
    """Return kind and value in time of the sides that let water through."""
    section = config.subsurface
    out = {}
    for side in SIDES:
        entry: BoundarySection | None = getattr(section.boundaries, side)
        if entry is not None and entry.kind != "no_flow":
            until = [one.until for one in entry.series] or [None]
            values = [one.value for one in entry.series] or [entry.value or 0.0]
            out[side] = (entry.kind, PiecewiseConstant(until, values))
    if section.boundaries.bottom is None and section.bottom != "no_flow":
        depth = section.water_table_depth or 0.0
        out["bottom"] = (KINDS.get(section.bottom, section.bottom), PiecewiseConstant([None], [depth]))
    return out


class MovingSides:
    """Sides whose condition changes in time.

    Parameters
    ----------
    config : CaseConfig
        The case.
    """

    def __init__(self, config: CaseConfig) -> None:
        self._start = config.time.start64
        self._series = {side: series for side, (kind, series) in boundary_series(config).items()
                        if kind in BOUNDARY_UNITS and not series.is_constant}

    def move(self, flow: DistributedSubsurface, start: np.datetime64, seconds: float) -> None:
        """Give them their mean over a step that begins at ``start``, UTC, before the run its first value."""
        begin = float((start - self._start) / np.timedelta64(1, "s"))
        for side, series in self._series.items():
            flow.set_boundary(side, series.mean(begin, begin + seconds))


def find_outlets(config: CaseConfig, whole: Domain) -> dict[str, np.ndarray]:
    """Return the cells of the rim that count for each outlet, ``total`` first; empty without overland flow.

    Raises
    ------
    InputError
        If a place lies farther from the rim than its radius and more than a cell.
    """
    if config.subsurface.overland == "none":
        return {}
    rim = _rim(whole)
    out = {"total": whole.cell_id[rim]}
    longest = float(np.sqrt(2.0 * whole.area.max()))
    for entry in config.subsurface.outlets:
        distance = distance_to(entry, whole)[rim]
        nearest = float(distance.min())
        if nearest > max(entry.radius, longest):
            raise InputError(
                f"the nearest cell of the rim is {nearest:.4g} m from "
                f"'{entry.name}'; water leaves at the rim: give a place there, or a radius.")
        out[entry.name] = whole.cell_id[rim[distance <= max(entry.radius, nearest)]]
    return out


def open_rim(setup: FlowSetup) -> dict[str, int]:
    """Return how many faces of the rim fall outwards on each side; overland flow leaves through them alone."""
    mask = setup.whole.mask
    around = np.pad(mask, 1)
    falls = {"west": (around[1:-1, :-2], setup.slope_x > 0.0), "east": (around[1:-1, 2:], setup.slope_x < 0.0),
             "south": (around[:-2, 1:-1], setup.slope_y > 0.0), "north": (around[2:, 1:-1], setup.slope_y < 0.0)}
    counts = {side: int((mask & ~beyond & outwards).sum()) for side, (beyond, outwards) in falls.items()}
    return {side: count for side, count in counts.items() if count}


def _fills_up(setup: FlowSetup) -> bool:
    """Tell whether the recharge of the spin-up has no way out: it would fill the domain without end."""
    section = setup.config.subsurface
    return (section.spinup is not None and section.spinup.recharge > 0.0 and section.overland != "none"
            and not boundary_series(setup.config) and not open_rim(setup))


def _describe_overland(setup: FlowSetup) -> str:
    """Say which wave it is and where it leaves."""
    kind, ways = setup.config.subsurface.overland, open_rim(setup)
    if kind == "none":
        return kind
    if not ways:
        return f"{kind}; no face of the rim falls outwards: water stays on the land"
    return f"{kind}, leaves where the rim falls outwards: " + ", ".join(
        f"{_counted(count, 'face')} in the {side}" for side, count in ways.items())


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _rim(whole: Domain) -> np.ndarray:
    """Return the cells with fewer than four neighbours, as numbers of the domain."""
    inside = np.pad(whole.mask, 1)
    neighbours = [inside[1:-1, 2:], inside[1:-1, :-2], inside[2:, 1:-1], inside[:-2, 1:-1]]
    surrounded = np.logical_and.reduce(neighbours).ravel()[whole.cell_id]
    return np.flatnonzero(~surrounded)


def describe_flow(setup: FlowSetup) -> dict[str, Any]:
    """Say what the distributed subsurface is, for ``pyland check``."""
    config, whole = setup.config, setup.whole
    steepest = np.hypot(setup.slope_x, setup.slope_y)[whole.mask]
    facts = {
        "grid": f"{whole.nx} x {whole.ny} cells of {setup.dx:g} x {setup.dy:g} m, "
                f"{_counted(setup.layers.nlayer, 'layer')} to {setup.layers.depth:g} m, "
                f"{whole.ncell * setup.layers.nlayer} cells in all",
        "slopes": f"{steepest.min():.3g} to {steepest.max():.3g}",
        "overland": _describe_overland(setup),
        "sides": ", ".join(f"{side} {kind}" for side, (kind, _) in boundary_series(config).items()) or "closed",
    }
    return facts | {f"outlet {name}": f"{_counted(cells.size, 'cell')} of the rim"
                    for name, cells in setup.outlets.items()}
