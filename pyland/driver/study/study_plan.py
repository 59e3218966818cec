"""What the runs of a study are: one configuration per experiment, made of the one that the case gives."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.config import CaseConfig, config_hash, load_case
from pyland.config.observations import ObservationSection
from pyland.config.study import MERGED_PREFIX, OPEN_LOOP, StudySection

MERGED_FILE = "merged.nc"
"""Table of a merged product, in the folder of the run that assimilates it."""

MERGED_NAME = "merged"
"""Name of its observations."""


def study_of(config: CaseConfig) -> StudySection:
    """Return the section ``study`` of a case, or raise InputError where there is none."""
    if config.study is None:
        raise InputError(f"{config.case.name}: expected a section `study` with products, stations and experiments, got "
                         "none. See docs/guide/studies.md.")
    return config.study


def seeds_of(config: CaseConfig) -> tuple[int, ...]:
    """Return the seeds of the ensembles of a study."""
    return tuple(study_of(config).seeds) or (config.ensemble.seed,)


def with_seed(config: CaseConfig, seed: int) -> CaseConfig:
    """Return the case with another seed of the ensemble; seeds of twins move by as much, and stay apart from it."""
    shift = seed - config.ensemble.seed
    entries = [
        entry if entry.twin is None else entry.model_copy(update={
            "twin": entry.twin.model_copy(update={"seed": (entry.twin.seed + shift) % 2**32})})
        for entry in config.observations]
    return config.model_copy(update={
        "ensemble": config.ensemble.model_copy(update={"seed": seed}), "observations": entries})


def truth_config(config: CaseConfig, seed: int) -> CaseConfig:
    """Return the case that makes the truth and its observations, with what ``study.truth`` changes.

    Raises
    ------
    ConfigError
        If a changed value is wrong.
    """
    study = study_of(config)
    changes = [f"{path}={json.dumps(value, default=str)}" for path, value in study.truth.items()]
    changed = with_seed(load_case(config, changes), seed)
    return changed.model_copy(update={"study": None, "observations": _named(changed, (*study.products,
                                                                                      *study.stations))})


def experiment_config(config: CaseConfig, name: str, folder: Path) -> CaseConfig:
    """Return the case of one run.

    Parameters
    ----------
    config : CaseConfig
        The case of the study, with the seed of the run.
    name : str
        ``open_loop``, ``joint``, a product, or ``merged_`` and a method.
    folder : Path
        Where the run goes.

    Returns
    -------
    CaseConfig
        Stations are predicted and judge; in the open loop products are, too. There is no section ``study``.
    """
    study = study_of(config)
    stations = [_passive(one) for one in _named(config, study.stations)]
    if name == OPEN_LOOP:
        used = [_passive(one) for one in _named(config, study.products)]
    elif name in study.products:
        used = [_active(one) for one in _named(config, [name])]
    elif name.startswith(MERGED_PREFIX):
        used = [merged_entry(study, folder)]
    else:
        used = [_active(one) for one in _named(config, study.products)]
    section = config.assimilation.model_copy(update={"open_loop": name != OPEN_LOOP})
    about = config.case.model_copy(update={"name": f"{config.case.name}: {name}"})
    return config.model_copy(update={
        "case": about, "observations": used + stations, "assimilation": section, "study": None})


def merged_entry(study: StudySection, folder: Path) -> ObservationSection:
    """Return the entry of ``observations`` of a merged product."""
    merging = study.merging
    return ObservationSection.model_validate({
        "name": MERGED_NAME, "file": str(folder / MERGED_FILE), "reader": "table", "depth": merging.depth,
        "error": merging.error, "footprint": merging.footprint, "scaling": merging.scaling,
        "quality": {"frozen": merging.frozen}})


def fingerprint(config: CaseConfig, truth: CaseConfig | None, study: StudySection, name: str) -> str:
    """Return the SHA-256 of all that a run depends on: its case, the truth, and how products are merged."""
    parts = [config_hash(config), "" if truth is None else config_hash(truth)]
    if name.startswith(MERGED_PREFIX):
        how = study.merging.model_dump(mode="json", exclude={"methods", "options"})
        options = study.merging.options.get(name.removeprefix(MERGED_PREFIX), {})
        parts.append(json.dumps([how, options, study.products], sort_keys=True, default=str))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def wanted_runs(study: StudySection, words: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return the runs that words ask for.

    Raises
    ------
    InputError
        If a word names none.
    """
    unknown = [word for word in words if word not in study.words]
    if unknown:
        raise InputError(f"study: unknown experiment '{unknown[0]}'; expected one of {one_of(study.words)}.")
    return study.runs_of(words)


def _named(config: CaseConfig, names: list[str] | tuple[str, ...]) -> list[ObservationSection]:
    return [entry for entry in config.observations if entry.name in names]


def _passive(entry: ObservationSection) -> ObservationSection:
    return entry.model_copy(update={"assimilate": False, "withheld": 0.0, "scaling": "none"})


def _active(entry: ObservationSection) -> ObservationSection:
    return entry.model_copy(update={"assimilate": True})
