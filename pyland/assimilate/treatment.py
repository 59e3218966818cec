"""Inflation, relaxation and rotation: checked options that all filters share."""

from __future__ import annotations

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.random_numbers import random_rotation
from pyland.core.filters import RELAXATIONS, Treatment


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


__all__ = ["make_treatment"]
