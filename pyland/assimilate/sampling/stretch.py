"""Affine-invariant ensemble sampling by stretch moves."""

from __future__ import annotations

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.sampling.chains import LogDensity, Walkers, check_bounds, evaluate
from pyland.base.errors import InputError


class StretchMove:
    """Stretch move of Goodman and Weare: a walker moves along the line to another one.

    One half of the walkers moves while the other half stands, then they change places: two calls of the density per
    generation, each with half of the walkers.

    Parameters
    ----------
    stretch : float
        Largest stretch a > 1: factors z in [1/a, a] with density proportional to 1/sqrt(z).
    low, high : array_like, shape (parameter,), optional
        Bounds; a stretch is not symmetric, so what leaves them is rejected and not reflected.

    Raises
    ------
    InputError
        If the stretch is not above 1.

    References
    ----------
    .. [1] Goodman, J., and Weare, J. (2010). Ensemble samplers with affine invariance. Comm. App. Math. Comp. Sci. 5,
       65-80.
    .. [2] Foreman-Mackey, D., Hogg, D. W., Lang, D., and Goodman, J. (2013). emcee: The MCMC hammer. Publ. Astron.
       Soc. Pac. 125, 306-312 (both halves in turn).
    """

    def __init__(self, stretch: float = 2.0, low: object = None, high: object = None) -> None:
        self._stretch = arguments.check_number("stretch", stretch, 1.0, np.inf, open_low=True)
        self._bounds = low, high

    def advance(self, walkers: Walkers, log_density: LogDensity, generator: np.random.Generator) -> Walkers:
        """Return the walkers one generation later."""
        count, size = walkers.points.shape
        if count < 2 * size or count % 2:
            raise InputError(f"stretch: expected an even number of chains of at least twice the parameters "
                             f"({2 * size}), got {count}.")
        low, high = check_bounds(*self._bounds, size)
        points, density = walkers.points.copy(), walkers.log_density.copy()
        accepted = np.zeros(count, dtype=bool)
        order = generator.permutation(count)
        halves = order[: count // 2], order[count // 2:]
        for moving, standing in (halves, halves[::-1]):
            number = len(moving)
            factor = (1.0 + (self._stretch - 1.0) * generator.random(number)) ** 2 / self._stretch
            partner = points[standing[generator.integers(0, len(standing), number)]]
            luck = np.log(generator.random(number))
            proposed = partner + factor[:, None] * (points[moving] - partner)
            inside = ((proposed >= low) & (proposed <= high)).all(axis=1)
            found = evaluate(log_density, np.where(inside[:, None], proposed, points[moving]))
            taken = inside & (luck < found - density[moving] + (size - 1) * np.log(factor))
            points[moving[taken]], density[moving[taken]] = proposed[taken], found[taken]
            accepted[moving] = taken
        return walkers.advanced(points, density, accepted, walkers.memory)


__all__ = ["StretchMove"]
