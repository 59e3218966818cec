"""Observations in a netCDF file with one row each, as the observation types of an offline analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
from scipy.sparse import coo_array

from pyland.assimilate.depth_weights import exponential_weights, window_weights
from pyland.assimilate.footprints import SENSORS, footprint_average, nearest_cell
from pyland.assimilate.interpolation import linear_on_axes, linear_on_triangles
from pyland.assimilate.observation_errors import RelativeError
from pyland.assimilate.observation_operators import ObservationOperator
from pyland.assimilate.observation_type import ObservationType
from pyland.assimilate.thinning import CellBest, CellMean, MinimumDistance, Thinning
from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.base.units import convert
from pyland.config.offline_analysis import AnalysisSettings, ObservedSection, ThinningSection
from pyland.driver.offline.offline_ensemble import OfflineEnsemble, StateVariable

_PLACES = {"haversine": (("lat", "latitude"), ("lon", "longitude")), "euclidean": (("y",), ("x",))}
_DEFAULT_TYPE = "observation"
_DEGREES = 360.0


@dataclass(frozen=True, eq=False)
class ObservationTable:
    """Rows of an observation file; every array has shape ``(obs,)``.

    Attributes
    ----------
    path : Path
        The file.
    value : numpy.ndarray
        Observed values, NaN where missing.
    error : numpy.ndarray or None
        Standard deviations of the errors.
    places : numpy.ndarray
        (latitude, longitude) or (y, x), shape ``(obs, 2)``.
    depth : numpy.ndarray or None
        Depths [m], NaN for none.
    quality : numpy.ndarray or None
        Quality flags.
    type, variable : numpy.ndarray of str
        Type, and the variable that is seen ("" where the file does not say).
    units, error_units : str
        Units of the values and of their errors, "" if the file does not say; errors are then in that of the values.
    """

    path: Path
    value: np.ndarray
    error: np.ndarray | None
    places: np.ndarray
    depth: np.ndarray | None
    quality: np.ndarray | None
    type: np.ndarray
    variable: np.ndarray
    units: str
    error_units: str

    @property
    def size(self) -> int:
        """Number of rows."""
        return self.value.size


def read_observation_table(path: str | Path, metric: str) -> ObservationTable:
    """Read an observation file.

    Parameters
    ----------
    path : str or Path
        netCDF file with the dimension ``obs`` and the variables ``value``, ``lat`` and ``lon`` or ``x`` and ``y``, and
        optionally ``error``, ``depth``, ``quality``, ``type`` and ``variable``.
    metric : str
        ``haversine`` or ``euclidean``, by the coordinates of the ensemble.

    Raises
    ------
    InputError
        If the file or a column does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read as netCDF ({error})") from None
    with file:
        if "obs" not in file.dimensions:
            raise InputError(
                f"{path}: expected a dimension 'obs' with one row per observation, got {', '.join(file.dimensions)}"
            )
        value = _column(file, path, ("value",))
        if value is None:
            raise InputError(f"{path}: expected a variable 'value(obs)', got {', '.join(file.variables)}")
        columns = [_column(file, path, names) for names in _PLACES[metric]]
        if any(one is None for one in columns):
            raise InputError(
                f"{path}: expected the columns {' and '.join(names[0] for names in _PLACES[metric])}, as the ensemble "
                f"has them; got {', '.join(file.variables)}"
            )
        places = np.column_stack(columns)
        if not np.isfinite(places).all():
            row = int(np.argmax(~np.isfinite(places).all(axis=1)))
            raise InputError(f"{path}: observation {row} has no place; every row needs one, also without a value")
        variable = _words(file, path, "variable")
        if variable is None:
            variable = np.full(value.size, str(getattr(file["value"], "variable", "")), dtype=object)
        kind = _words(file, path, "type")
        if kind is None:
            kind = np.array([name or _DEFAULT_TYPE for name in variable], dtype=object)
        return ObservationTable(
            path, value, _column(file, path, ("error",)), places, _depths(file, path),
            _column(file, path, ("quality",)), kind, variable, _units(file, "value"), _units(file, "error"),
        )  # fmt: skip


def observation_types(
    table: ObservationTable, ensemble: OfflineEnsemble, settings: AnalysisSettings
) -> tuple[list[ObservationType], list[np.ndarray]]:
    """Return the types of a table, and the rows of each.

    Values and errors of a type are in the unit of the variable that it sees, where both units are known.

    Raises
    ------
    InputError
        If a type is not described, sees no variable of the state, is in a unit that does not convert to that of the
        variable, or an operator cannot be made.
    """
    found = list(dict.fromkeys(table.type.tolist()))
    described = {one.type: one for one in settings.observations}
    if described:
        unknown = [name for name in found if name not in described]
        if unknown:
            raise InputError(
                f"{table.path}: observations of type '{unknown[0]}' are not described in `observations` of "
                f"analysis.yaml ({one_of(described)}); add them, with `assimilate: false` to compare only"
            )
        absent = [name for name in described if name not in found]
        if absent and table.size:
            raise InputError(
                f"{table.path}: there are no observations of type '{absent[0]}', which analysis.yaml describes; "
                f"the file has {one_of(found)}"
            )
        found = list(described)
    elif not found:
        found = [_DEFAULT_TYPE]
    types, rows = [], []
    for name in found:
        section = described.get(name, ObservedSection(type=name))
        chosen = np.flatnonzero(table.type == name)
        try:
            types.append(_observation_type(table, chosen, ensemble, section, settings))
        except InputError as error:
            text = str(error)
            known = ("analysis.yaml: ", *(f"{path}: " for path in (table.path, *ensemble.files)))
            raise InputError(text if text.startswith(known) else f"{table.path}: {text}") from None
        rows.append(chosen)
    return types, rows


def units_of_types(
    table: ObservationTable, types: Sequence[str], rows: Sequence[np.ndarray], ensemble: OfflineEnsemble,
    settings: AnalysisSettings,
) -> dict[str, str]:
    """Return the unit in which each type is compared, "" where nobody says: that of its variable, else its own."""
    described = {one.type: one for one in settings.observations}
    units = {}
    for name, chosen in zip(types, rows, strict=True):
        section = described.get(name, ObservedSection(type=name))
        own = table.units if section.units is None else section.units
        units[name] = seen_variable(table, chosen, ensemble, section).units or own
    return units


def _observation_type(
    table: ObservationTable, rows: np.ndarray, ensemble: OfflineEnsemble, section: ObservedSection,
    settings: AnalysisSettings,
) -> ObservationType:  # fmt: skip
    name = section.type
    variable = seen_variable(table, rows, ensemble, section)
    values, file_error = _in_units_of(variable, table, rows, section)
    depth = None if table.depth is None else table.depth[rows]
    if section.relative_error is not None:
        error = RelativeError(section.relative_error, section.error)
    elif section.error is not None:
        error = section.error
    elif file_error is not None:
        error = file_error
    else:
        raise InputError(f"observations '{name}' have no error: give a column 'error', or `error` in analysis.yaml")
    quality = None
    if table.quality is not None:
        quality = np.isin(table.quality[rows], section.accepted)
    localisation = settings.localisation
    period = (localisation.period_y, localisation.period_x)
    if any(period) and ensemble.grid.metric == "haversine":
        raise InputError(
            "analysis.yaml: period_y and period_x belong to x and y; latitude and longitude close by themselves")
    return ObservationType(
        name, values, error, table.places[rows], _operator(table, rows, ensemble, variable, section, period),
        quality=quality, valid_range=None if section.valid_range is None else tuple(section.valid_range),
        innovation_limit=section.max_innovation, correlation_length=section.correlation_length, radius=section.radius,
        taper=section.taper, depth=depth, depth_radius=section.depth_radius, thinning=_thinning(section.thinning),
        withheld_share=section.withheld_share, seed=section.seed, is_assimilated=section.assimilate,
        metric=ensemble.grid.metric, period=period if any(period) else None,
    )  # fmt: skip


def seen_variable(
    table: ObservationTable, rows: np.ndarray, ensemble: OfflineEnsemble, section: ObservedSection
) -> StateVariable:
    """Return the variable that the rows of a type see.

    Raises
    ------
    InputError
        If it cannot be told, or is not of the state.
    """
    if section.variable is not None:
        try:
            return ensemble.variable(section.variable)
        except InputError as error:
            raise InputError(f"analysis.yaml: observations '{section.type}': variable: {error}") from None
    named = sorted({name for name in table.variable[rows] if name})
    if len(named) > 1:
        raise InputError(f"observations '{section.type}' see {' and '.join(named)}; give each a type of its own")
    names = [one.name for one in ensemble.variables]
    if named:
        return ensemble.variable(named[0])
    if section.type in names:
        return ensemble.variable(section.type)
    if len(names) == 1:
        return ensemble.variables[0]
    raise InputError(
        f"observations '{section.type}' do not say which variable they see ({one_of(names)}); give a column "
        "'variable', or `variable` in analysis.yaml"
    )


def _in_units_of(
    variable: StateVariable, table: ObservationTable, rows: np.ndarray, section: ObservedSection
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return values and errors of the file in the unit of the variable; an error is a difference, without offset."""
    units = table.units if section.units is None else section.units
    of_error = table.error_units or units
    values, error = table.value[rows], None if table.error is None else table.error[rows]
    if not variable.units:
        return values, error
    what = f"observations '{section.type}' of '{variable.name}'"
    way_out = "correct the units in the file, or give `units` in analysis.yaml"
    try:
        if units:
            values = convert(values, units, variable.units, f"the values of {what}")
        if error is not None and of_error and of_error != variable.units:
            of_zero = convert(0.0, of_error, variable.units, f"the errors of {what}")
            error = convert(error, of_error, variable.units) - of_zero
    except InputError as refused:
        raise InputError(f"{str(refused).rstrip('.')}; {way_out}") from None
    return values, error


def _operator(
    table: ObservationTable, rows: np.ndarray, ensemble: OfflineEnsemble, variable: StateVariable,
    section: ObservedSection, period: tuple[float, float],
) -> ObservationOperator:  # fmt: skip
    """Return the operator on the state vector: over the grid, over depth, and without missing elements."""
    operator = _over_grid(table.places[rows], ensemble, section, period)
    weights = _layer_weights(table, rows, ensemble, variable, section)
    if weights is not None:
        operator = operator.over_layers(weights)
    columns = variable.columns
    entries = operator.matrix.tocoo()
    kept = columns[entries.col] >= 0
    total = np.bincount(entries.row, entries.data, minlength=operator.nobs)
    left = np.bincount(entries.row[kept], entries.data[kept], minlength=operator.nobs)
    lost = np.bincount(entries.row[~kept], minlength=operator.nobs) > 0
    outside = operator.outside | (lost if section.sensor not in SENSORS else left == 0.0)
    share = np.ones(operator.nobs)
    part = lost & (left != 0.0)
    share[part] = total[part] / left[part]  # of a footprint, the cells that are there count
    matrix = coo_array(
        (entries.data[kept] * share[entries.row[kept]], (entries.row[kept], columns[entries.col[kept]])),
        shape=(operator.nobs, ensemble.state.shape[1]),
    )
    return ObservationOperator(matrix, outside)


def _over_grid(
    places: np.ndarray, ensemble: OfflineEnsemble, section: ObservedSection, period: tuple[float, float]
) -> ObservationOperator:
    """Return the operator on the cells of the grid, in the order of the file."""
    grid = ensemble.grid
    around = period if any(period) else None
    if section.sensor in SENSORS:
        return footprint_average(
            grid.places, places, section.width, section.sensor, metric=grid.metric, period=around
        )
    if grid.axes is None or min(grid.shape) == 1:
        if section.sensor == "nearest":
            return nearest_cell(grid.places, places, metric=grid.metric, period=around)
        if grid.metric == "haversine" or around is not None:
            raise InputError(
                f"observations '{section.type}': linear interpolation needs axes (1-D coordinates), or plane x and y; "
                "use sensor: nearest or a footprint"
            )
        return linear_on_triangles(grid.places, places)
    axes, points = grid.axes, places
    if grid.metric == "haversine":
        step = np.abs(np.diff(axes[1])).max(initial=0.0)
        closes = np.ptp(axes[1]) + 1.5 * step >= _DEGREES  # less than half a column is missing around the globe
        points = np.column_stack([places[:, 0], _longitudes_like(axes[1], places[:, 1])])
        around = (0.0, _DEGREES) if closes else None
    if grid.swapped:
        axes, points = axes[::-1], points[:, ::-1]
        around = None if around is None else around[::-1]
    return linear_on_axes(axes, points, period=around, nearest=section.sensor == "nearest")


def _longitudes_like(axis: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return longitudes in the turn of the axis: -10 is 350 on an axis from 0 to 360."""
    middle = 0.5 * (axis.min() + axis.max())
    return longitude - _DEGREES * np.round((longitude - middle) / _DEGREES)


def _layer_weights(
    table: ObservationTable, rows: np.ndarray, ensemble: OfflineEnsemble, variable: StateVariable,
    section: ObservedSection,
) -> np.ndarray | None:  # fmt: skip
    """Return the weights of the layers (obs, layer) or (layer,); None for a variable without layers."""
    vertical = ensemble.vertical(variable)
    given = [name for name in ("top", "fading_depth", "layer_weights") if getattr(section, name) is not None]
    if vertical is None:
        if given:
            raise InputError(
                f"analysis.yaml: observations '{section.type}': {given[0]} is given, but '{variable.name}' has no "
                "layers")
        return None
    if section.layer_weights is not None:
        nlayer = dict(zip(variable.dims, variable.shape, strict=True))[vertical]
        if len(section.layer_weights) != nlayer:
            raise InputError(
                f"analysis.yaml: observations '{section.type}': layer_weights must hold {nlayer} numbers, one per "
                f"layer of '{variable.name}'; got {len(section.layer_weights)}"
            )
        return np.array(section.layer_weights)
    if section.fading_depth is not None:
        return exponential_weights(ensemble.depth_bounds(vertical), np.full(rows.size, section.fading_depth))
    if section.top is not None:
        return window_weights(
            ensemble.depth_bounds(vertical), np.full(rows.size, section.top), np.full(rows.size, section.bottom)
        )
    if table.depth is not None and np.isfinite(table.depth[rows]).all():
        return window_weights(ensemble.depth_bounds(vertical), table.depth[rows], table.depth[rows])
    raise InputError(
        f"observations '{section.type}' see '{variable.name}', which has layers along '{vertical}': give every row a "
        "'depth', or top and bottom, fading_depth or layer_weights in analysis.yaml"
    )


def _thinning(section: ThinningSection | None) -> Thinning | None:
    if section is None:
        return None
    return {"mean": CellMean, "best": CellBest, "distance": MinimumDistance}[section.method](section.size)


def _column(file: netCDF4.Dataset, path: Path, names: tuple[str, ...]) -> np.ndarray | None:
    """Return a column of numbers (obs,) with NaN for missing values; None if the file lacks it."""
    name = next((one for one in names if one in file.variables), None)
    if name is None:
        return None
    column = file[name]
    if column.dimensions != ("obs",):
        raise InputError(f"{path}: expected '{name}' along the dimension 'obs', got {column.dimensions}")
    try:
        return np.ma.filled(np.ma.asarray(column[:], dtype=np.float64), np.nan)
    except (TypeError, ValueError):
        raise InputError(f"{path}: expected numbers in '{name}', got {column.dtype}") from None


def _units(file: netCDF4.Dataset, name: str) -> str:
    return str(getattr(file[name], "units", "")) if name in file.variables else ""


def _depths(file: netCDF4.Dataset, path: Path) -> np.ndarray | None:
    """Return depths [m]."""
    depth, units = _column(file, path, ("depth",)), _units(file, "depth")
    return depth if depth is None or not units else convert(depth, units, "m", f"{path}: 'depth'")


def _words(file: netCDF4.Dataset, path: Path, name: str) -> np.ndarray | None:
    """Return a column of words: strings, characters, or integers with flag_values and flag_meanings."""
    if name not in file.variables:
        return None
    column = file[name]
    if not column.dimensions or column.dimensions[0] != "obs":
        raise InputError(f"{path}: expected '{name}' along the dimension 'obs', got {column.dimensions}")
    if column.dtype is str:
        return np.array([str(word) for word in column[:]], dtype=object)
    if np.dtype(column.dtype).kind == "S":
        column.set_auto_chartostring(False)
        letters = np.ma.filled(column[:], b"\0")
        return np.array([b"".join(row).rstrip(b"\0 ").decode("utf-8") for row in letters], dtype=object)
    if np.dtype(column.dtype).kind in "iu" and column.ndim == 1:
        numbers = np.ma.filled(column[:], -1)
        words = str(getattr(column, "flag_meanings", "")).split()
        codes = np.atleast_1d(getattr(column, "flag_values", [])).tolist()
        meanings = dict(zip(codes, words, strict=False))
        return np.array([meanings.get(int(code), str(int(code))) for code in numbers], dtype=object)
    raise InputError(f"{path}: expected words or whole numbers in '{name}', got {column.dtype}")


__all__ = ["ObservationTable", "observation_types", "read_observation_table", "units_of_types"]
