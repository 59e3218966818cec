"""``pyland merge``: products of one quantity become one, with errors and a report of what is there; needs no case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError, UnavailableError
from pyland.base.free_memory import free_memory
from pyland.base.logging import get_logger
from pyland.base.observation_reasons import in_words
from pyland.config.merge import ErrorSection, GridSection, MergeSettings, ProductSection, load_merge_settings
from pyland.driver.merged_output import merged_table, write_completeness, write_merged
from pyland.observe import ObservationTable, read_product, write_table
from pyland.observe.climatology import LinearMatch
from pyland.observe.merging import (
    CommonGrid,
    Completeness,
    MergeContext,
    Merged,
    align_table,
    completeness_of,
    merge_products,
    read_predictor,
    stations_at_places,
    times_between,
)
from pyland.observe.observation_table import check_table_path
from pyland.observe.quality import (
    ConstantError,
    ErrorModel,
    ProductError,
    QualityRules,
    RelativeError,
    apply_quality,
    error_of_table,
)
from pyland.observe.readers.source_files import expand_paths
from pyland.observe.target_cells import EARTH_RADIUS
from pyland.output.provenance import hash_of_config, provenance

_SUFFIXES = (".nc", ".nc4")

_COPIES = 5
"""Arrays of the size of each product: values and errors, both once more while they are joined, and weights."""

COMPLETENESS = "completeness.nc"
"""Name of the file in the folder of the report."""


def merge_files(config: str | Path, changes: Mapping[str, Any] | None = None) -> str:
    """Merge products in files.

    Parameters
    ----------
    config : str or Path
        The file, see `pyland.config.merge`.
    changes : mapping of str to object, optional
        Values by key path that replace those of the file.

    Returns
    -------
    str
        What was done, in lines.

    Raises
    ------
    ConfigError, InputError
        If a file, a value or an option does not fit; nothing is written then.
    """
    settings = load_merge_settings(config, changes)
    _check_paths(settings, config)
    if settings.grid.product is None:
        _check_memory(settings, _cells_of(settings.grid), config)
    tables = [_read(one, settings) for one in settings.products]
    names = tuple(one.name for one in settings.products)
    kinds = {one.type for one in tables}
    if len(kinds) != 1:
        raise InputError(f"{config}: products must be of one type, got "
                         f"{', '.join(f'{name} {one.type}' for name, one in zip(names, tables, strict=True))}.")
    kind = kinds.pop()
    grid = _grid(settings, tables, names)
    interval = np.timedelta64(int(settings.period.interval), "s")
    times = times_between(settings.period.start, settings.period.end, interval)
    _check_memory(settings, grid.size, config)
    aligned = [align_table(table, times, grid, method=one.alignment, radius=one.radius, interval=interval)
               for one, table in zip(settings.products, tables, strict=True)]
    products, sigma = (np.stack([one[k] for one in aligned]) for k in range(2))
    _check_found(products, names, config)
    found = completeness_of(products, names)
    products, sigma = _rescaled(products, sigma, times, settings, names)
    context = MergeContext(names, times, grid.latitude, grid.longitude, *_learned_from(settings, kind, times, grid,
                                                                                       interval))
    merged = merge_products(settings.method, products, sigma, context, settings.options)
    found = completeness_of(products, names, merged.value)
    about = _about(settings, config)
    write_merged(settings.output, merged, grid, times, names, kind, settings.period.interval, about)
    if not np.isfinite(merged.value).any():
        get_logger("merge").warning("%s: the result has no value at all, and %s has only gaps; the flags of the places "
                                    "below say why, and %s", config, settings.output, _way_out(settings))
    lines = [f"{settings.output}: {kind} of {', '.join(names)} merged by {settings.method}, {times.size} times, "
             f"{grid.size} places.", *(f"  {line}" for line in found.lines()), *_flag_lines(merged)]
    if settings.table is not None:
        history = {"history": f"merged by {settings.method} from {', '.join(names)}",
                   "products": json.dumps({name: dict(one.provenance) for name, one in
                                           zip(names, tables, strict=True)})}
        table = merged_table(merged, grid, times, kind, _sensed(settings, tables, grid), {**about, **history})
        write_table(settings.table, table)
        lines.append(f"{settings.table}: {table.size} observations ({in_words(table.counts())}).")
    if settings.report is not None:
        lines += _report(settings, found, grid, times, about)
    return "\n".join(lines)


def _read(one: ProductSection, settings: MergeSettings) -> ObservationTable:
    """Read a product, apply its rules and its errors."""
    period = (settings.period.start.isoformat(), settings.period.end.isoformat())
    table = read_product(one.files, one.reader, product=one.name, period=period, bounds=_box(one, settings),
                         **one.reader_options)
    limits = one.quality.limits()
    table = apply_quality(table, QualityRules.usual(table, **limits) if one.quality.usual else QualityRules(**limits))
    return table if one.errors is None else error_of_table(table, _error_model(one.errors))


def _learned_from(
    settings: MergeSettings, kind: str, times: np.ndarray, grid: CommonGrid, interval: np.timedelta64
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return predictors, and the values of stations at the places, of a method that learns."""
    predictors = {one.name: read_predictor(one.file, one.variable or one.name, times, grid, one.radius, interval)
                  for one in settings.predictors}
    if settings.stations is None:
        return predictors, None
    table = _read(settings.stations, settings)
    if table.type != kind:
        raise InputError(f"stations: expected {kind} as the products have, got {table.type}.")
    return predictors, stations_at_places(table, times, grid, settings.stations.radius, interval)


def _error_model(section: ErrorSection) -> ErrorModel:
    if section.error is not None:
        return ConstantError(section.error)
    if section.share is not None:
        return RelativeError(section.share, section.floor)
    return ProductError(section.factor, section.floor)


def _box(one: ProductSection, settings: MergeSettings) -> tuple[float, ...] | None:
    """Return the box that is read: that of the grid, wider by the radius where it is known."""
    if settings.grid.bounds is None or one.radius is None:
        return None
    south, north, west, east = settings.grid.bounds
    reach = float(np.rad2deg(one.radius / EARTH_RADIUS))
    south, north = max(south - reach, -90.0), min(north + reach, 90.0)
    aside = reach / max(np.cos(np.deg2rad(max(abs(south), abs(north)))), np.sin(np.deg2rad(reach)))
    if (east - west) % 360.0 + 2.0 * aside >= 360.0 or east - west >= 360.0:
        return (south, north, -180.0, 180.0)
    west, east = ((edge + 180.0) % 360.0 - 180.0 for edge in (west - aside, east + aside))
    return (south, north, west, east)


def _grid(settings: MergeSettings, tables: list[ObservationTable], names: tuple[str, ...]) -> CommonGrid:
    if settings.grid.product is not None:
        return CommonGrid.of_table(tables[names.index(settings.grid.product)])
    return CommonGrid.regular(settings.grid.bounds, settings.grid.spacing)


def _check_paths(settings: MergeSettings, config: str | Path) -> None:
    """Refuse results that would take the place of what is read, of each other, or of a folder."""
    if settings.table is not None:
        check_table_path(settings.table)
    if Path(settings.output).is_dir() or Path(settings.output).suffix not in _SUFFIXES:
        raise InputError(f"{config}: output: expected the name of a netCDF file that ends in {' or '.join(_SUFFIXES)}, "
                         f"got {settings.output}.")
    if settings.report is not None and Path(settings.report).exists() and not Path(settings.report).is_dir():
        raise InputError(f"{config}: report: expected a folder, got the file {settings.report}.")
    taken = {Path(config).resolve(): str(config)}
    for one in [*settings.products, *([settings.stations] if settings.stations is not None else [])]:
        taken |= {path.resolve(): f"a file of '{one.name}'" for path in expand_paths(one.files)}
    taken |= {Path(one.file).resolve(): f"the predictor '{one.name}'" for one in settings.predictors}
    for name in ("output", "table"):
        given = getattr(settings, name)
        if given is not None and Path(given).resolve() in taken:
            raise InputError(f"{config}: {name}: {given} is {taken[Path(given).resolve()]}, which would be lost. Name "
                             "another file.")
        if given is not None:
            taken[Path(given).resolve()] = name


def _cells_of(section: GridSection) -> float:
    """Return how many places a regular grid has, nearly."""
    south, north, west, east = section.bounds
    return (north - south) * ((east - west) % 360.0 or 360.0) / section.spacing**2


def _check_memory(settings: MergeSettings, places: float, config: str | Path) -> None:
    """Refuse what cannot fit: the system would end the process without a word."""
    times = (settings.period.end - settings.period.start).total_seconds() / settings.period.interval
    count = len(settings.products)
    need = 8.0 * times * places * (_COPIES * count + 2)  # value and sigma of the result, 8 bytes a number
    if need > free_memory():
        raise InputError(f"{config}: {count} products at {times:.0f} times and {places:.0f} places need "
                         f"{need / 2**30:.1f} GiB at least, and {free_memory() / 2**30:.1f} GiB are free. Take a "
                         "smaller period or box (parts can be merged one by one), or a larger interval or spacing.")


def _check_found(products: np.ndarray, names: tuple[str, ...], config: str | Path) -> None:
    for name, one in zip(names, products, strict=True):
        if not np.isfinite(one).any():
            raise InputError(f"{config}: no used observation of '{name}' lies within the period and the radius of a "
                             "place. Check grid, period, radius and the rules of quality; the log counts the reasons.")


def _rescaled(
    products: np.ndarray, sigma: np.ndarray, times: np.ndarray, settings: MergeSettings, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Bring all products to the climatology of the reference; places without one lose their values."""
    if settings.rescale == "none":
        return products, sigma
    reference = 0 if settings.rescale_reference is None else names.index(settings.rescale_reference)
    products, sigma = products.copy(), sigma.copy()
    place, when = np.broadcast_arrays(np.arange(products.shape[2]), times[:, None])
    for one in range(len(products)):
        if one == reference:
            continue
        match = LinearMatch.fit(settings.rescale, products[one], products[reference], times)
        values, errors = match.apply(products[one].ravel(), place.ravel(), when.ravel(), sigma[one].ravel())
        products[one], sigma[one] = values.reshape(place.shape), errors.reshape(place.shape)
    return products, sigma


def _sensed(settings: MergeSettings, tables: list[ObservationTable], grid: CommonGrid) -> dict[str, float]:
    """Return depths and footprint of the result."""
    first = tables[0].rows(tables[0].used)
    top, bottom, decay = (float(np.median(one)) for one in (first.top, first.bottom, first.e_folding_depth))
    if settings.depth is not None:
        top, bottom, decay = *settings.depth, np.inf
    if settings.grid.spacing is not None:
        footprint = float(np.deg2rad(settings.grid.spacing) * EARTH_RADIUS)
    else:
        index = [one.name for one in settings.products].index(settings.grid.product)
        footprint = float(np.median(tables[index].footprint))
    return {"top": top, "bottom": bottom, "e_folding_depth": decay, "footprint": footprint}


def _way_out(settings: MergeSettings) -> str:
    if settings.method == "tc":
        return "a longer period, a larger radius or tc.fallback: mean help"
    return "the shares of the products what they have in common"


def _flag_lines(merged: Merged) -> list[str]:
    counts = {word: int((merged.flag == code).sum()) for code, word in enumerate(merged.flag_words)}
    return [f"  places: {in_words({word: count for word, count in counts.items() if count})}"]


def _about(settings: MergeSettings, config: str | Path) -> dict[str, str]:
    about = provenance(config_hash=hash_of_config(settings.model_dump(mode="json")), inputs=[config])
    chosen = {name: str(about[name]) for name in ("source", "commit", "config_hash")}
    return {"title": "merged observations", **chosen, "merge_method": settings.method,
            "merge_options": json.dumps(settings.options), "products": " ".join(one.name for one in settings.products)}


def _report(
    settings: MergeSettings, found: Completeness, grid: CommonGrid, times: np.ndarray, about: dict[str, str]
) -> list[str]:
    """Write completeness and figures; return lines that name them."""
    folder = Path(settings.report)
    file = folder / COMPLETENESS
    write_completeness(file, found, grid, times, settings.period.interval, about)
    lines = [f"{file}: written."]
    if not settings.figures:
        return lines
    from pyland.view.merged_maps import plot_merged_maps, plot_merged_series
    from pyland.view.product_completeness import plot_completeness_maps, plot_completeness_series

    try:
        drawn = [
            plot_completeness_series(file, folder / "completeness_series.png"),
            plot_completeness_maps(file, folder / "completeness_maps.png"),
            plot_merged_series(settings.output, folder / "merged_series.png"),
            plot_merged_maps(settings.output, folder / "merged_maps.png"),
        ]
    except UnavailableError as error:
        return [*lines, f"no figures: {error}"]
    return [*lines, *(f"{one}: drawn." for one in drawn)]


__all__ = ["merge_files"]
