"""Section ``study``: what is compared with what, over one set of observations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import model_validator

from pyland.base.text import one_of
from pyland.config.fields import Problem, Problems, Section, key

OPEN_LOOP, SEPARATE, JOINT, MERGED = "open_loop", "separate", "joint", "merged"
KINDS = (OPEN_LOOP, SEPARATE, JOINT, MERGED)
"""Kinds of experiments; `separate` and `merged` are one run for each product and for each method."""

MERGED_PREFIX = "merged_"
"""Before the method in the name of a run with a merged product."""

MERGE_METHODS = ("mean", "tc", "bme", "lstm")
"""Methods of ``study.merging``; see ``pyland.observe.merging``."""

LARGEST_SEED = 2**32 - 1
MOST_SEEDS = 1000

SAME_IN_TRUTH = ("case", "time", "domain", "observations", "assimilation", "output", "parallel", "study")
"""Sections that the truth shares with the ensemble."""


class MergingSection(Section):
    """How products are merged before they are assimilated as one."""

    methods: list[str] = key(lambda: ["mean", "tc"], "methods, one run each", names=MERGE_METHODS, factory=True)
    spacing: float = key(25000.0, "distance of the places of the merged product, a grid over the domain", unit="m",
                         above=0)
    radius: float | None = key(
        None, "a product has a value at a place if it has one within this distance; null is the spacing", unit="m",
        above=0)
    reference: str | None = key(
        None, "product to whose mean and standard deviation at each place all are brought before they are merged; "
        "null merges them as they are", kind="text")
    frozen: float | None = key(
        None, "merged values are rejected where the ensemble mean of the temperature of the top soil layer is below "
        "this; null for never", unit="K", above=0)
    interpolated: bool = key(
        False, "assimilate values of methods that fill gaps (bme, lstm) also where no product has one; frozen ground is"
        " such a gap", kind="switch")
    every: float = key(86400.0, "time that the products share a value in; merged values stand for its middle", unit="s",
                       above=0)
    footprint: float = key(25000.0, "diameter that a merged value is taken for", unit="m", at_least=0)
    depth: list[float] = key(lambda: [0.0, 0.05], "top and bottom of the layer that a merged value is taken for",
                             unit="m", kind="numbers", at_least=0, length=2, factory=True)
    error: float = key(0.04, "error of a merged value where the method gives none", unit="m3 m-3", above=0, at_most=1)
    scaling: str = key("mean_std", "rescaling of the merged product to the climatology of the model",
                       choices=("none", "mean", "mean_std"))
    options: dict[str, dict[str, Any]] = key(
        dict, "options of single methods by their name, as in the file of `pyland merge`", factory=True)

    @model_validator(mode="after")
    def _check(self) -> MergingSection:
        problems = _unknown("methods", self.methods, MERGE_METHODS, "a method")
        problems += _unknown("options", list(self.options), MERGE_METHODS, "a method")
        if not self.methods:
            problems.append(("methods", "expected at least one method, got none", ("methods",)))
        if self.depth[1] < self.depth[0]:
            problems.append(("depth", f"expected [top, bottom] with bottom below top, got {self.depth}", ("depth",)))
        if problems:
            raise Problems(problems)
        return self


class StudySection(Section):
    """Experiments over the same truth, weather and observations, and who judges them."""

    experiment: str | None = key(
        JOINT, "what `pyland run` does: open_loop; separate (one run per product); joint (all products in one "
        "analysis); merged (one run per method); the name of a product; merged_METHOD; null: the case as it is, with "
        "all observations", kind="text")
    experiments: list[str] = key(
        lambda: [SEPARATE, JOINT, MERGED], "what `pyland study` runs and compares with the open loop, words as for "
        "experiment", factory=True)
    products: list[str] = key(list, "names of the observations that experiments use", factory=True)
    stations: list[str] = key(
        list, "names of the observations that judge all experiments and enter none", factory=True)
    seeds: list[int] = key(
        list, "seeds of the ensemble, the study is repeated with each; seeds of twin observations move by as much; "
        "none: ensemble.seed", factory=True)
    start: datetime | None = key(
        None, "scores and maps count from here (UTC); null is time.start", kind="time")
    merging: MergingSection = key(MergingSection, "how products are merged", factory=True)
    truth: dict[str, Any] = key(
        dict, "values of this file, by key.path, that the truth of twin observations has and the ensemble does not "
        "know; not of domain, time and what follows from the truth", factory=True)

    @model_validator(mode="after")
    def _check(self) -> StudySection:
        problems: list[Problem] = []
        for name in ("products", "stations"):
            if not getattr(self, name):
                problems.append((name, f"expected names of observations, got none; a study has {name}", (name,)))
        both = sorted(set(self.products) & set(self.stations))
        if both:
            problems.append(("stations", f"expected other observations than products, got '{both[0]}' in both",
                             ("stations", "products")))
        wrong = [seed for seed in self.seeds if not 0 <= seed <= LARGEST_SEED]
        if wrong or len(set(self.seeds)) < len(self.seeds) or len(self.seeds) > MOST_SEEDS:
            problems.append(("seeds", f"expected at most {MOST_SEEDS} different whole numbers from 0 to "
                             f"{LARGEST_SEED}, got {self.seeds}", ("seeds",)))
        words = self.words
        asked = [*self.experiments, *([] if self.experiment is None else [self.experiment])]
        problems += _unknown("experiments" if set(self.experiments) - set(words) else "experiment", asked, words,
                             "an experiment")
        if self.merging.reference not in (None, *self.products):
            problems.append(("merging.reference", f"expected one of products, got '{self.merging.reference}'",
                             ("merging.reference", "products")))
        for path in self.truth:
            if str(path).split(".")[0] in SAME_IN_TRUTH:
                problems.append(("truth", f"expected keys of other sections than {one_of(SAME_IN_TRUTH)}, got "
                                 f"'{path}'; truth and ensemble share these", ("truth",)))
        if problems:
            raise Problems(problems)
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """Words that name experiments."""
        return (*KINDS, *self.products, *(MERGED_PREFIX + one for one in MERGE_METHODS))

    def runs_of(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the runs that words ask for, without the open loop, each once, in the order of words."""
        kinds = {OPEN_LOOP: (), SEPARATE: self.products, MERGED: [MERGED_PREFIX + one for one in self.merging.methods]}
        return tuple(dict.fromkeys(name for word in words for name in kinds.get(word, (word,))))


def _unknown(path: str, given: Sequence[str], known: Sequence[str], what: str) -> list[Problem]:
    wrong = [one for one in given if one not in known]
    return [(path, f"expected {one_of(known)}, got '{wrong[0]}', which is not {what}", (path,))] if wrong else []


def study_problems(study: StudySection | None, names: Sequence[str], types: Sequence[str], twins: Sequence[bool],
                   filter_name: str) -> list[Problem]:
    """Return what of a study does not fit the rest of the case.

    Parameters
    ----------
    study : StudySection or None
        The section.
    names, types : sequence of str
        Names and types of the observations of the case.
    twins : sequence of bool
        Which of them are twins.
    filter_name : str
        ``assimilation.filter``.
    """
    if study is None:
        return []
    problems: list[Problem] = []
    for part in ("products", "stations"):
        for name in getattr(study, part):
            if name not in names:
                known = one_of(names) if names else "none"
                problems.append((f"study.{part}", f"expected names of observations ({known}), got '{name}'",
                                 (f"study.{part}", "observations")))
    if filter_name == "none":
        problems.append(("assimilation.filter", "expected a filter with a study, got none",
                         ("assimilation.filter", "study")))
    used = [place for place, name in enumerate(names) if name in (*study.products, *study.stations)]
    made = [twins[place] for place in used]
    if study.truth and not any(made):
        problems.append(("study.truth", "expected twin observations with truth, got files, which have one of their own",
                         ("study.truth", "observations")))
    if any(made) and not all(made):
        problems.append(("study", "expected either twins or files for all products and stations, got both; a generated "
                         "truth says nothing of real stations", ("study", "observations")))
    merged = [name for name in study.runs_of([*study.experiments, study.experiment or JOINT])
              if name.startswith(MERGED_PREFIX) and name not in study.products]
    kinds = {types[place] for place in used if names[place] in study.products}
    if merged and kinds - {"soil_moisture"}:
        problems.append(("study.experiments", "expected products of type soil_moisture with merged, got "
                         f"{one_of(sorted(kinds - {'soil_moisture'}))}", ("study.experiments", "observations")))
    return problems
