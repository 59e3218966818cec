"""What a filter needs of the observations, and what it cannot do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyland.config.fields import Problem
from pyland.config.filters import OPTIONS, SERIAL_FILTERS, is_local

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig


def filter_problems(config: CaseConfig) -> list[Problem]:
    """Return what does not fit between the sections ``assimilation`` and ``observations``.

    Parameters
    ----------
    config : CaseConfig
        The case.
    """
    if config.assimilation.filter == "none":
        return []
    return [*_reach(config), *_correlated_errors(config), *_localised_covariances(config), *_rivers(config),
            *_bounds(config), *_increments(config)]


def _reach(config: CaseConfig) -> list[Problem]:
    """Check that a local filter has a radius for every observation, and a global one has none."""
    name, keys = config.assimilation.filter, ("assimilation.localization", "assimilation.filter")
    own = {place: entry.localization for place, entry in enumerate(config.observations)}
    if not is_local(name):
        return [
            (f"observations.{place}.localization", f"expected no localization with assimilation.filter: {name}, which "
             "is global; did you mean letkf?", (f"observations.{place}.localization", "assimilation.filter"))
            for place, section in own.items()
            if section is not None
        ]
    without = [place for place, section in own.items() if section is None or section.radius is None]
    if config.assimilation.localization.radius is not None or (own and not without):
        return []
    return [("assimilation.localization.radius", f"expected a radius [m] with filter: {name}, got nothing", keys)]


def _correlated_errors(config: CaseConfig) -> list[Problem]:
    """Check that errors are independent where a filter takes one observation after the other."""
    name = config.assimilation.filter
    if name not in SERIAL_FILTERS:
        return []
    return [
        (f"observations.{place}.error_correlation", f"expected 0 with assimilation.filter: {name}, which takes one "
         f"observation after the other, got {entry.error_correlation:g} m",
         (f"observations.{place}.error_correlation", "assimilation.filter"))
        for place, entry in enumerate(config.observations)
        if entry.error_correlation > 0
    ]


def _localised_covariances(config: CaseConfig) -> list[Problem]:
    """Check what makes localised covariances of the LEnKF indefinite, or goes with errors of observations only."""
    section = config.assimilation
    if section.filter != "lenkf" or section.options.localise == "errors":
        return []
    why = "with assimilation.filter: lenkf, which localises covariances"
    or_else = "; or assimilation.options: {localise: errors}"
    common = section.localization
    own = {f"observations.{place}": entry for place, entry in enumerate(config.observations)}
    tapers = {"assimilation.localization.taper": common.taper}
    tapers |= {f"{place}.localization.taper": entry.localization.taper for place, entry in own.items()
               if entry.localization is not None and entry.localization.taper is not None}
    problems: list[Problem] = [
        (path, f"expected gaspari_cohn {why}, got {taper}; a weight that jumps to 0 makes them indefinite{or_else}",
         (path, "assimilation.filter"))
        for path, taper in tapers.items()
        if taper != "gaspari_cohn"
    ]
    if common.adaptive != "none":
        path = "assimilation.localization.adaptive"
        problems.append((path, f"expected none {why}, got {common.adaptive}{or_else}", (path, "assimilation.filter")))
    problems += [
        (f"{place}.error_correlation", f"expected 0 {why}, got {entry.error_correlation:g} m{or_else}",
         (f"{place}.error_correlation", "assimilation.filter"))
        for place, entry in own.items()
        if entry.error_correlation > 0
    ]
    return problems


def _rivers(config: CaseConfig) -> list[Problem]:
    """Check that there are rivers where observations reach along them, gauges in them, and a filter that can."""
    section, problems = config.assimilation, list[Problem]()
    if not is_local(section.filter):
        return []
    common, path = section.localization, "assimilation.localization"
    along = []
    for place, entry in enumerate(config.observations):
        own, where = entry.localization, f"observations.{place}"
        of_entry = own is not None and own.metric is not None
        key = f"{where}.localization.metric" if of_entry else f"{path}.metric"
        if (own.metric if of_entry else common.metric) == "river":
            along.append(key)
            if entry.type != "discharge":
                problems.append((f"{where}.localization.metric", f"expected metric: euclidean with type: {entry.type}, "
                                 "got river; rivers lead to gauges (type: discharge). Give this entry localization: "
                                 "{metric: euclidean}", (key, f"{where}.type")))
        elif own is not None and own.direction is not None:
            problems.append((f"{where}.localization.direction", "expected metric: river with direction, got euclidean",
                             (f"{where}.localization.direction", key)))
    if not along:
        if common.changes("direction"):
            problems.append((f"{path}.direction", "expected metric: river with direction, here or in localization of "
                             "an entry, got euclidean", (f"{path}.direction", f"{path}.metric")))
        return problems
    keys = list(dict.fromkeys(along))
    if config.rivers.scheme == "none":
        problems += [(key, "expected a rivers.scheme (linear or kinematic) with metric: river, got none",
                      (key, "rivers.scheme")) for key in keys]
    why = "takes one observation after the other" if section.filter in SERIAL_FILTERS else None
    if section.filter == "lenkf" and section.options.localise != "errors":
        why = "localises covariances"
    if why is not None:
        or_else = "; or assimilation.options: {localise: errors}" if section.filter == "lenkf" else "; letkf has it"
        problems += [(key, f"expected metric: euclidean with assimilation.filter: {section.filter}, which {why} and "
                      f"needs distances between observations too, got river{or_else}", (key, "assimilation.filter"))
                     for key in keys]
    return problems + [
        (f"observations.{place}.error_correlation", f"expected 0 with {keys[0]}: river, got "
         f"{entry.error_correlation:g} m; a filter takes distances along rivers or correlated errors, not both",
         (f"observations.{place}.error_correlation", keys[0]))
        for place, entry in enumerate(config.observations)
        if entry.error_correlation > 0
    ]


def _bounds(config: CaseConfig) -> list[Problem]:
    """Check that bounds of what is observed go to a filter that has them, and that nothing pushes it beyond."""
    section, problems = config.assimilation, list[Problem]()
    owners = [name for name, names in OPTIONS.items() if "bounds" in names]
    for place, entry in enumerate(config.observations):
        path = f"observations.{place}.bounds"
        if entry.bounds is None:
            continue
        if section.filter not in owners:
            problems.append((path, f"expected no bounds with assimilation.filter: {section.filter}; they belong to "
                             f"{', '.join(owners)}", (path, "assimilation.filter")))
        elif section.inflation.adaptive is not None:
            problems.append((path, "expected no bounds with assimilation.inflation.adaptive, which inflates "
                             "predictions beyond them", (path, "assimilation.inflation.adaptive")))
    return problems


def _increments(config: CaseConfig) -> list[Problem]:
    """Check that an increment has entered before the next analysis comes."""
    section = config.assimilation
    if section.incremental is None or section.every is None or section.incremental.window <= section.every:
        return []
    return [("assimilation.incremental.window", f"expected at most assimilation.every, {section.every:g} s, got "
             f"{section.incremental.window:g} s", ("assimilation.incremental.window", "assimilation.every"))]
