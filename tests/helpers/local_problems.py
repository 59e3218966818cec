"""Random analyses with places."""

from __future__ import annotations

import numpy as np


def problem(nmember=10, nstate=60, nobs=25, ndim=2, seed=1, extent=100.0):
    """Return E, Y, d, R, and the places of state elements and observations within a square."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0.0, extent, (nstate, ndim))
    where = rng.uniform(0.0, extent, (nobs, ndim))
    E = rng.standard_normal((nmember, nstate))
    Y, d, R = rng.standard_normal((nmember, nobs)), rng.standard_normal(nobs), rng.uniform(0.2, 2.0, nobs)
    return E, Y, d, R, places, where
