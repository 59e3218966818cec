"""Products of a study, merged by the methods of ``pyland merge``, as one product that a run can assimilate."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.study import MERGED_PREFIX
from pyland.domain import Domain
from pyland.driver.analysis.observing import target_cells
from pyland.driver.study.study_plan import MERGED_FILE, MERGED_NAME, study_of
from pyland.observe import ObservationSet, TargetCells, grid_places, table_of_sets, write_table
from pyland.observe.merging import CommonGrid, MergeContext, Merged, align_tables, merge_products

_log = get_logger("study")


def merged_sets(
    config: CaseConfig, name: str, sets: list[ObservationSet], whole: Domain, folder: Path, comm: Communicator
) -> list[ObservationSet]:
    """Merge the products of a study on a grid over the domain.

    Parameters
    ----------
    config : CaseConfig
        The case with the study.
    name : str
        Name of the run, ``merged_`` and a method.
    sets : list of ObservationSet
        Observations of all products.
    whole : Domain
        All cells of the run.
    folder : Path
        Where the table ``merged.nc`` goes.
    comm : Communicator
        Ranks of the run; the root merges.

    Returns
    -------
    list of ObservationSet
        One for each interval with a merged value, on every rank.

    Raises
    ------
    InputError
        If nothing could be merged.
    """
    made = None
    if comm.is_root:
        target = target_cells(config, whole)
        made, merged = _merge(config, name.removeprefix(MERGED_PREFIX), sets, target)
        if not made:
            raise InputError(f"study, {name}: no place and time has a merged value; look at the products, at "
                             "study.merging and at the options of the method.")
        write_table(folder / MERGED_FILE, table_of_sets(
            made, target, product=f"{name} of {', '.join(study_of(config).products)}",
            footprint=study_of(config).merging.footprint))
        _log.info("%s: %d values of %d places and %d times; %s", name, sum(one.size for one in made),
                  merged.value.shape[1], merged.value.shape[0], _flags_in_words(merged))
    return comm.broadcast(made)


def _merge(
    config: CaseConfig, method: str, sets: list[ObservationSet], target: TargetCells
) -> tuple[list[ObservationSet], Merged]:
    """Align products in time and place, merge them, and return the sets of what came out, and all of it."""
    study, start, end = study_of(config), config.time.start64, config.time.end64
    merging = study.merging
    width = np.timedelta64(round(merging.every), "s")
    times = np.arange(start, end - width // 2, width) + width // 2
    x, y, _ = grid_places(target, merging.spacing)
    latitude, longitude = target.geographic(x, y)
    entries = {entry.name: entry for entry in config.observations}
    tables = [table_of_sets([one for one in sets if one.name == name], target, product=name,
                            footprint=entries[name].footprint) for name in study.products]
    products = align_tables(tables, times, CommonGrid(latitude, longitude), radius=merging.radius or merging.spacing,
                            interval=width)
    if merging.reference is not None:
        products = _like(products, study.products.index(merging.reference))
    merged = merge_products(method, products, None, MergeContext(
        tuple(study.products), times, latitude, longitude), merging.options.get(method))
    cells, weights = (np.arange(0), np.ones(0)) if x.size == 0 else target.footprints(x, y, merging.footprint)
    out, known = [], np.isfinite(merged.value)
    if not merging.interpolated:
        known &= np.isfinite(products).any(axis=0)
    for step in np.flatnonzero(known.any(axis=1)):
        there = np.flatnonzero(known[step])
        sigma = np.where(merged.sigma[step, there] > 0, merged.sigma[step, there], merging.error)
        out.append(ObservationSet(
            MERGED_NAME, "soil_moisture", _on_step(times[step], config), merged.value[step, there], sigma**2, x[there],
            y[there], cells[there], weights[there], *merging.depth, location=there))
    return out, merged


def _like(products: np.ndarray, reference: int) -> np.ndarray:
    """Return products (product, time, place) with mean and standard deviation of the reference at each place.

    Both are taken over all times of a product. Where one does not vary, nothing of it is left.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # places without a value
        mean, spread = np.nanmean(products, axis=1), np.nanstd(products, axis=1)
    ratio = np.where(spread > 0, spread[reference] / np.where(spread > 0, spread, 1.0), np.nan)
    return mean[reference] + (products - mean[:, None]) * ratio[:, None]


def _on_step(time: np.datetime64, config: CaseConfig) -> np.datetime64:
    """Return the end of the model step that holds a time."""
    step = np.timedelta64(round(config.time.step), "s")
    return config.time.start64 + -((config.time.start64 - time) // step) * step


def _flags_in_words(merged: Merged) -> str:
    counts = [(word, int((merged.flag == code).sum())) for code, word in enumerate(merged.flag_words)]
    return ", ".join(f"{count} places {word}" for word, count in counts if count)
