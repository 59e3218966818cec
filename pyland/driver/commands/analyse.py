"""``pyland analyse``: an analysis of an ensemble in files by observations in a file; needs no model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.assimilate.filter_table import LOCAL_FILTERS
from pyland.assimilate.observation_batch import ObservationBatch
from pyland.assimilate.observation_departures import TypeDepartures
from pyland.assimilate.observation_type import ObservationType
from pyland.base.errors import InputError
from pyland.base.observation_reasons import in_words
from pyland.base.text import one_of, suggestion
from pyland.config.offline_analysis import AnalysisSettings, load_analysis_settings
from pyland.driver.analysis.observation_warnings import cell_spacing, short_radius
from pyland.driver.offline.offline_ensemble import OfflineEnsemble, read_ensemble
from pyland.driver.offline.offline_observations import observation_types, read_observation_table, units_of_types
from pyland.driver.offline.offline_output import write_analysis
from pyland.output.provenance import hash_of_config, provenance


def analyse_files(
    sources: Sequence[str | Path],
    observations: str | Path,
    output: str | Path,
    *,
    config: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> str:
    """Analyse an ensemble in netCDF files.

    Parameters
    ----------
    sources : sequence of str or Path
        One file with a dimension of members, or one file per member; names or patterns.
    observations : str or Path
        Observation file, one row per observation (docs/guide/offline_analysis.md).
    output : str or Path
        File to write; an older one is replaced.
    config : str or Path, optional
        ``analysis.yaml``.
    changes : mapping of str to object, optional
        Values by key path that replace those of ``config``.

    Returns
    -------
    str
        What was done: a line for the file and one for each type of observations.

    Raises
    ------
    ConfigError, InputError
        If a file, a value or an option does not fit; nothing is written then.
    UnavailableError
        If the method is a known filter that this version does not have.
    """
    settings = load_analysis_settings(config, changes)
    ensemble = read_ensemble(sources, member=settings.member, variables=settings.variables)
    if any(Path(output).resolve() == one.resolve() for one in (*ensemble.files, Path(observations))):
        raise InputError(f"{output}: the output would replace an input; give another name")
    if Path(output).is_dir() or not Path(output).resolve().parent.is_dir():
        what = "is a folder" if Path(output).is_dir() else "lies in a folder that does not exist"
        raise InputError(f"{output}: the output {what}; give the name of a file to write, such as -o OUT.nc")
    _check_bounds(settings, ensemble)
    _check_periods(settings, ensemble)
    table = read_observation_table(observations, ensemble.grid.metric)
    types, rows = observation_types(table, ensemble, settings)
    batch = ObservationBatch.join(types, ensemble.state)
    result = batch.analyse(ensemble.state, settings.method, **method_options(settings, ensemble, types))
    analysis, cut = limited(result.ensemble, ensemble, settings.bounds)
    departures = batch.departures(analysis) if any(cut.values()) else result.departures
    about = provenance(
        config_hash=hash_of_config(settings.model_dump(mode="json", exclude={"threads"})),
        inputs=[*ensemble.files, observations],
    )
    attributes = {f"analysis_{name}": about[name] for name in ("source", "commit", "config_hash", "input_checksums")}
    attributes["analysis_settings"] = json.dumps(settings.model_dump(mode="json", exclude={"threads"}))
    attributes["analysis_clipped_values"] = json.dumps(cut)
    by_type = {one.name: part for one, part in zip(types, rows, strict=True)}
    units = units_of_types(table, list(by_type), rows, ensemble, settings)
    write_analysis(output, ensemble, analysis, table, departures, by_type, units, attributes)
    text = _report(Path(output), ensemble, batch, departures, cut)
    return "\n".join([text, *(f"warning: {one}." for one in _doubts(settings, ensemble))])


def method_options(
    settings: AnalysisSettings, ensemble: OfflineEnsemble, types: Sequence[ObservationType]
) -> dict[str, Any]:
    """Return the options of a method, with the local domains of the state for a local one.

    Raises
    ------
    InputError
        If the method has no such option.
    """
    is_local = settings.method.lower() in LOCAL_FILTERS
    chosen: dict[str, Any] = {
        "inflation": settings.inflation, "relaxation": settings.relaxation, "threads": settings.threads,
        "rng": settings.seed, **settings.options.given(),
    }  # fmt: skip
    localisation = settings.localisation
    for name in ("radius", "taper", "depth_radius"):
        if is_local or localisation.changes(name):
            chosen[name] = getattr(localisation, name)
    if not is_local:
        return chosen
    if localisation.radius is None and any(one.radius is None for one in types):
        raise InputError(
            f"method '{settings.method}' is local and needs a radius: --radius, or `localisation: {{radius: ...}}` in "
            f"analysis.yaml, in {'m' if ensemble.grid.metric == 'haversine' else 'the unit of x and y'}"
        )
    if localisation.depth_radius is None and all(one.depth_radius is None for one in types):
        cell = [np.flatnonzero(one.valid) % ensemble.grid.ncell for one in ensemble.variables]
        return chosen | {"coords_state": ensemble.grid.places, "domain_of_state": np.concatenate(cell)}
    return chosen | _domains_over_depth(ensemble)


def _domains_over_depth(ensemble: OfflineEnsemble) -> dict[str, Any]:
    """Return a local domain for each cell of each layer; variables without layers are at the surface, depth 0."""
    ncell, start = ensemble.grid.ncell, 0
    first: dict[str | None, int] = {}
    places, depths, owner = [], [], []
    for one in ensemble.variables:
        vertical = ensemble.vertical(one)
        if vertical not in first:
            bounds = np.zeros(2) if vertical is None else ensemble.depth_bounds(vertical)
            middles = 0.5 * (bounds[1:] + bounds[:-1])
            first[vertical] = start
            start += middles.size * ncell
            places.append(np.tile(ensemble.grid.places, (middles.size, 1)))
            depths.append(np.repeat(middles, ncell))
        owner.append(first[vertical] + np.flatnonzero(one.valid))
    return {
        "coords_state": np.concatenate(places), "depth_state": np.concatenate(depths),
        "domain_of_state": np.concatenate(owner),
    }  # fmt: skip


def limited(
    analysis: np.ndarray, ensemble: OfflineEnsemble, bounds: Mapping[str, Sequence[float]]
) -> tuple[np.ndarray, dict[str, int]]:
    """Return an analysis (member, state) within bounds, and how many values of each variable were set to a bound."""
    inside, cut = np.array(analysis), {}
    for name, (low, high) in bounds.items():
        one = ensemble.variable(name)
        part = slice(one.start, one.start + one.size)
        inside[:, part] = np.clip(analysis[:, part], low, high)
        cut[name] = int(np.count_nonzero(inside[:, part] != analysis[:, part]))
    return inside, cut


def _check_bounds(settings: AnalysisSettings, ensemble: OfflineEnsemble) -> None:
    names = [one.name for one in ensemble.variables]
    for name in settings.bounds:
        if name not in names:
            raise InputError(
                f"bounds.{name}: there is no such variable in the state ({one_of(names)}){suggestion(name, names)}"
            )


def _check_periods(settings: AnalysisSettings, ensemble: OfflineEnsemble) -> None:
    """Refuse a period that is shorter than its axis."""
    if ensemble.grid.metric == "haversine":
        return  # latitude and longitude take no period, which their operators say
    for axis, name in enumerate(("period_y", "period_x")):
        period, extent = getattr(settings.localisation, name), np.ptp(ensemble.grid.places[:, axis])
        if 0.0 < period < extent:
            raise InputError(
                f"analysis.yaml: localisation.{name}: expected at least the extent of the cells, {extent:g}, got "
                f"{period:g}; it is the length of the axis with the gap that closes it"
            )


def _report(
    output: Path, ensemble: OfflineEnsemble, batch: ObservationBatch, departures: Mapping[str, TypeDepartures],
    cut: Mapping[str, int],
) -> str:  # fmt: skip
    """Return what was done, in lines."""
    names = ", ".join(one.name for one in ensemble.variables)
    lines = [
        f"{output}: {ensemble.nmember} members of {names} ({ensemble.state.shape[1]} values each), "
        f"{batch.nobs} observations assimilated."
    ]
    for name, one in departures.items():
        summary = one.summary()
        lines.append(f"  {name}: {in_words(summary['reasons'])}")
        for subset in ("used", "withheld"):
            if summary[f"{subset}_o_f_rms"] is None:
                continue
            before, after = (
                f"mean {summary[f'{subset}_{which}_mean']:.4g}, rms {summary[f'{subset}_{which}_rms']:.4g}"
                for which in ("o_f", "o_a")
            )
            lines.append(f"    {subset}: O-F {before}; O-A {after}")
    if not batch.nobs:
        lines.append(f"warning: {_why_nothing(departures)}; {output} holds the ensemble as it was.")
    lines += [f"  {name}: {count} values set to a bound" for name, count in cut.items() if count]
    return "\n".join(lines)


def _doubts(settings: AnalysisSettings, ensemble: OfflineEnsemble) -> list[str]:
    """Return what is probably a mistake in the localisation."""
    if settings.method.lower() not in LOCAL_FILTERS:
        return []
    spacing = cell_spacing(ensemble.grid.places, ensemble.grid.metric)
    radii = {"localisation.radius": settings.localisation.radius} | {
        f"the radius of observations '{one.type}'": one.radius for one in settings.observations}
    found = [short_radius(radius, spacing, name) for name, radius in radii.items() if radius is not None]
    return [one for one in found if one is not None]


def _why_nothing(departures: Mapping[str, TypeDepartures]) -> str:
    """Say why no observation was assimilated."""
    counts: dict[str, int] = {}
    for one in departures.values():
        for reason, count in one.counts().items():
            counts[reason] = counts.get(reason, 0) + count
    total = sum(counts.values())
    if not total:
        return "nothing was assimilated, as the file has no observation"
    return f"none of the {total} observations was assimilated ({in_words(counts)})"


__all__ = ["analyse_files", "limited", "method_options"]
