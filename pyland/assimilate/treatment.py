"""Inflation, relaxation and rotation: checked options that all filters share, and an analysis without observations."""

from __future__ import annotations

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.random_numbers import random_rotation
from pyland.core.filters import RELAXATIONS, Treatment, update_by_weights


def make_treatment(
    nmember: int,
    *,
    inflation: float,
    relaxation: float,
    relaxation_to: str,
    rotation: bool,
    generator: np.random.Generator | None,
    threads: int | None,
    inflate_unobserved: bool = False,
) -> Treatment:
    """Check the options that all filters share; a rotation is drawn from ``generator``.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    turned = random_rotation(nmember, generator) if rotation else None
    return Treatment(
        inflation=arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True),
        relaxation=arguments.check_number("relaxation", relaxation, 0.0, 1.0),
        relaxation_to=arguments.check_choice("relaxation_to", relaxation_to, RELAXATIONS),
        inflate_unobserved=bool(inflate_unobserved),
        rotation=turned,
        threads=arguments.check_threads(threads),
    )


def without_observations(ensemble: np.ndarray, treatment: Treatment) -> np.ndarray:
    """Return the analysis where there is no observation at all, as that of domains that no observation reaches.

    Parameters
    ----------
    ensemble : numpy.ndarray
        Prior, shape ``(member, state)``.
    treatment : Treatment
        A rotation is applied; inflation with ``inflate_unobserved``; relaxation has nothing to relax.

    Returns
    -------
    numpy.ndarray
        Shape ``(member, state)``, a new array; the prior to the last bit where neither is asked.
    """
    inflation = treatment.inflation if treatment.inflate_unobserved else 1.0
    if inflation == 1.0 and treatment.rotation is None:
        return np.array(ensemble, order="F")
    asked = Treatment(inflation=inflation, rotation=treatment.rotation, threads=treatment.threads)
    nmember = len(ensemble)
    return update_by_weights(ensemble, np.eye(nmember) - 1.0 / nmember, asked)


__all__ = ["make_treatment", "without_observations"]
