"""One call for global and local filters: smoothers and iterations pass on whatever filter they were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.filter_options import OPTIONS
from pyland.assimilate.filters import analyse
from pyland.assimilate.local import analyse_local

PLACES = ("coords_state", "coords_obs", "radius", "distances")
"""Options that only a local analysis has."""


def is_local(options: Mapping[str, Any]) -> bool:
    """Whether options are those of a local analysis: any of ``PLACES`` is among them."""
    return any(options.get(name) is not None for name in PLACES)


def update_ensemble(
    E: Any, Y: Any, d: Any, R: Any, method: str, generator: np.random.Generator, options: Mapping[str, Any]
) -> Any:
    """Analyse with the filter that ``options`` mean.

    Parameters
    ----------
    E, Y, d, R, method
        As in `analyse` and `analyse_local`.
    generator : numpy.random.Generator
        Source of random numbers.
    options : mapping
        Keywords of `analyse_local` if there is one of ``PLACES`` among them, else of `analyse`.

    Returns
    -------
    numpy.ndarray or tuple
        What the filter returns.

    Raises
    ------
    InputError
        As the filters.
    """
    if not is_local(options):
        return analyse(E, Y, d, R, method, rng=generator, **options)
    return analyse_local(E, Y, d, R, method=method, rng=generator,
                         **{"coords_state": None, "coords_obs": None, "radius": np.inf, **options})


def update_blocks(
    blocks: list[np.ndarray], Y: Any, d: Any, R: Any, method: str, generator: np.random.Generator,
    options: Mapping[str, Any]
) -> tuple[list[np.ndarray], Any]:
    """Analyse several states of the same shape and the same local domains in one call.

    Parameters
    ----------
    blocks : list of numpy.ndarray
        Ensembles, each ``(member, state)``.
    Y, d, R, method, generator, options
        As in `update_ensemble`.

    Returns
    -------
    blocks : list of numpy.ndarray
        Analyses.
    diagnostics : object or None
        What the filter returned besides.
    """
    nstate = blocks[0].shape[1]
    if len(blocks) > 1 and "dimension" in OPTIONS.get(str(method).lower(), ()):
        options = {"dimension": nstate, **options}  # that of one state, however many go through the same draw
    if is_local(options) and len(blocks) > 1:
        owner = options.get("domain_of_state")
        owner = np.arange(nstate) if owner is None else np.asarray(owner)
        options = {**options, "domain_of_state": np.tile(owner, len(blocks))}
    result = update_ensemble(np.concatenate(blocks, axis=1), Y, d, R, method, generator, options)
    joined, diagnostics = result if isinstance(result, tuple) else (result, None)
    return [np.array(part, order="F") for part in np.split(joined, len(blocks), axis=1)], diagnostics


def whitened_problem(E: np.ndarray, Y: Any, d: Any, R: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check an analysis and return its observations in units of their errors.

    Parameters
    ----------
    E, Y, d, R
        As in `pyland.assimilate.analyse`.

    Returns
    -------
    anomalies : numpy.ndarray
        ``R^(-1/2) (Y - mean(Y))``, shape ``(member, obs)``.
    innovation : numpy.ndarray
        ``R^(-1/2) (d - mean(Y))``, shape ``(obs,)``.

    Raises
    ------
    InputError
        If shapes, values or R do not fit.
    """
    problem = arguments.check_problem(E, Y, d, R, 1.0, full_covariance=True)
    return problem.anomalies, arguments.whitened(problem, problem.innovation)


__all__ = ["PLACES", "is_local", "update_blocks", "update_ensemble", "whitened_problem"]
