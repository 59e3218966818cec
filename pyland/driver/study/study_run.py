"""A study: one truth, one open loop and one run per experiment, for each seed; what is finished is not run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator, world
from pyland.config import CaseConfig
from pyland.config.study import MERGED_PREFIX, OPEN_LOOP
from pyland.driver.case_run import Progress
from pyland.driver.rivers.given_stages import GivenStages
from pyland.driver.run import kind_of_run, observe_truth, run_case
from pyland.driver.study.study_merging import merged_sets
from pyland.driver.study.study_plan import (
    experiment_config,
    fingerprint,
    seeds_of,
    study_of,
    truth_config,
    wanted_runs,
    with_seed,
)
from pyland.observe import ObservationSet, read_observations, write_observations
from pyland.output.atomic import write_json
from pyland.output.restart import remove_restarts
from pyland.output.segments import remove_segments

STATUS = "experiment.json"
"""Says of a run folder which experiment it holds and whether it is finished."""

OBSERVATIONS = "observations.nc"
"""Observations of all products and stations of a seed."""

_log = get_logger("study")


@dataclass(frozen=True)
class StudyFolders:
    """Where the runs of a study are.

    Attributes
    ----------
    root : Path
        Folder of the study.
    seeds : tuple of int
        Seeds of the ensembles.
    runs : tuple of str
        Names of the runs of each seed, the open loop first.
    """

    root: Path
    seeds: tuple[int, ...]
    runs: tuple[str, ...]

    def seed(self, seed: int) -> Path:
        """Return the folder of a seed."""
        return self.root / f"seed_{seed}"

    def run(self, seed: int, name: str) -> Path:
        """Return the folder of a run."""
        return self.seed(seed) / name

    def truth(self, seed: int) -> Path:
        """Return the folder of the truth."""
        return self.seed(seed) / "truth"

    def finished(self, seed: int) -> tuple[str, ...]:
        """Return the runs of a seed that are finished."""
        return tuple(name for name in self.runs if is_finished(self.run(seed, name)))


def is_finished(folder: Path) -> bool:
    """Tell whether a folder holds a finished run of a study."""
    return bool(_status(folder).get("finished"))


def run_study(
    config: CaseConfig,
    *,
    only: Sequence[str] = (),
    output: str | Path | None = None,
    progress: Progress | None = None,
    comm: Communicator | None = None,
) -> StudyFolders:
    """Run what is not finished of a study.

    Parameters
    ----------
    config : CaseConfig
        A case with a section ``study``.
    only : sequence of str
        Experiments to run, words as in ``study.experiments``; empty takes those.
    output : path, optional
        Folder of the study; ``study`` beside ``case.yaml`` by default.
    progress : callable, optional
        Called with the share of a run that is done [1] and a text.
    comm : Communicator, optional
        Ranks; those the process was launched with by default.

    Returns
    -------
    StudyFolders
        Where all runs are, also those of ``study.experiments`` that an earlier call finished.

    Raises
    ------
    InputError
        If the case has no study, or a word names no experiment.
    PylandError
        What a run raises; runs that are finished stay.
    """
    comm, study = comm or world(), study_of(config)
    chosen = wanted_runs(study, list(only) or study.experiments)
    every = dict.fromkeys((OPEN_LOOP, *wanted_runs(study, study.experiments), *chosen))
    folders = StudyFolders(Path(output) if output is not None else config.directory / "study", seeds_of(config),
                           tuple(every))
    for seed in folders.seeds:
        _run_seed(config, seed, (OPEN_LOOP, *chosen), folders, progress, comm)
    return folders


def _run_seed(
    config: CaseConfig, seed: int, names: Sequence[str], folders: StudyFolders, progress: Progress | None,
    comm: Communicator
) -> None:
    """Run what is not finished of one seed."""
    study, seeded, show = study_of(config), with_seed(config, seed), _shown(progress, seed)
    is_twin = any(entry.twin is not None for entry in config.observations if entry.name in study.products)
    truth = truth_config(config, seed) if is_twin else None
    sets: list[ObservationSet] | None = None
    for name in names:
        folder = folders.run(seed, name)
        case = experiment_config(seeded, name, folder)
        status = {"experiment": name, "fingerprint": fingerprint(case, truth, study, name), "finished": False}
        found = comm.broadcast(_status(folder))
        if found == {**status, "finished": True}:
            continue
        if sets is None:
            sets = _observations(seeded, truth, seed, folders, show, comm)
        given = GivenStages(sets, folders.truth(seed) if is_twin else None,
                            None if name == OPEN_LOOP else folders.run(seed, OPEN_LOOP))
        if comm.is_root:
            if found != status:  # what another case left here must not be taken up
                remove_restarts(folder)
                remove_segments(folder)
            write_json(folder / STATUS, status)
        comm.barrier()
        if name.startswith(MERGED_PREFIX) and name not in study.products:
            whole = kind_of_run(case)(case, folder, comm, False, lambda done, text: None).setup.whole
            merged = merged_sets(seeded, name, sets, whole, folder, comm)
            given = GivenStages(sets + merged, given.truth, given.open_loop)
        _log.info("study, seed %d: %s", seed, name)
        run_case(case, resume=found == status, output=folder, progress=show(name), comm=comm, given=given)
        if comm.is_root:
            write_json(folder / STATUS, {**status, "finished": True})
        comm.barrier()


def _observations(
    config: CaseConfig, truth: CaseConfig | None, seed: int, folders: StudyFolders,
    show: Callable[[str], Progress | None], comm: Communicator
) -> list[ObservationSet]:
    """Return the observations of all products and stations of a seed, on every rank, and keep them in one file."""
    path, study = folders.seed(seed) / OBSERVATIONS, study_of(config)
    if truth is not None:
        sets = observe_truth(truth, folders.truth(seed), progress=show("truth"), comm=comm)
    else:
        used = [entry for entry in config.observations if entry.name in (*study.products, *study.stations)]
        case = config.model_copy(update={"observations": used})
        run = kind_of_run(case)(case, folders.seed(seed), comm, False, lambda done, text: None)
        sets = run.read_observations()
    if comm.is_root:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_observations(path, sets)
    return comm.broadcast(read_observations(path) if comm.is_root else None)


def _shown(progress: Progress | None, seed: int) -> Callable[[str], Progress | None]:
    """Return what makes the progress of a run say which one it is."""

    def of_run(name: str) -> Progress | None:
        return None if progress is None else lambda done, text: progress(done, f"seed {seed}, {name}: {text}")

    return of_run


def _status(folder: Path) -> dict[str, object]:
    """Return what a folder says of itself; nothing where it is no run of a study, or its file is damaged."""
    try:
        found = json.loads((folder / STATUS).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
