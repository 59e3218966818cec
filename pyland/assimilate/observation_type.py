"""Observations of one type: values, errors, places, what they see of the state, and which of them may be used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from pyland.assimilate.arguments import check_number
from pyland.assimilate.nearby_points import NearbyPoints
from pyland.assimilate.observation_errors import error_model
from pyland.assimilate.observation_operators import FunctionOperator, ObservationOperator
from pyland.assimilate.thinning import Candidates, Thinning, joined_places, joined_variance
from pyland.base.errors import InputError
from pyland.base.observation_reasons import (
    BAD_ERROR,
    INNOVATION,
    MISSING,
    NO_PREDICTION,
    NOT_ASSIMILATED,
    OUT_OF_RANGE,
    OUTSIDE,
    QUALITY,
    THINNED,
    USED,
    WITHHELD,
)
from pyland.base.text import one_of
from pyland.core.localisation import TAPERS


@dataclass(eq=False)
class ObservationType:
    """Observations of one type at one analysis.

    Parameters
    ----------
    name : str
        Name of the type, for messages and diagnostics.
    values : array_like
        Observed values, shape ``(obs,)``, any unit; NaN where missing.
    error : float, array_like or error model
        Standard deviation of the errors in the unit of the values: one, one per observation, or a model
        (`RelativeError`, `TableError`).
    coords : array_like
        Places, shape ``(obs, ndim)`` or ``(obs,)``, in the coordinates of the localisation.
    operator : ObservationOperator or FunctionOperator
        What the observations see of the state.
    quality : array_like, optional
        True where the observation is good, shape ``(obs,)``; default all.
    valid_range : (float, float), optional
        Lowest and highest possible value.
    innovation_limit : float, optional
        An observation is rejected where ``|O - F| > limit sqrt(spread² + error²)``; default no check.
    correlation_length : float, optional
        Errors within the type are correlated as exp(-distance/length); in the unit of distances, above 0.
    radius : float or array_like, optional
        Support radius of the localisation, one or shape ``(obs,)``; default that of the analysis.
    taper : str, optional
        Weight with distance: ``gaspari_cohn``, ``exponential`` or ``none``; default that of the analysis.
    depth : float or array_like, optional
        Depth [m], one or shape ``(obs,)``; NaN acts at every depth. Default none.
    depth_radius : float or array_like, optional
        Support of the localisation over depth [m], one or shape ``(obs,)``; default that of the analysis.
    thinning : CellMean, CellBest or MinimumDistance, optional
        How dense observations are made fewer.
    withheld_share : float
        Share of the places whose observations are kept for diagnosis, 0 to 1. A place is chosen by its coordinates and
        the seed alone: it stays with all analyses, and adding observations elsewhere changes nothing.
    seed : int
        Seed of that choice.
    is_assimilated : bool
        False compares only: reason ``not_assimilated``.
    metric : {"euclidean", "haversine"}
        Distance between coordinates, the same for all types of a batch.
    period : array_like, optional
        Length of each periodic axis, shape ``(ndim,)``, 0 for none; the same for all types of a batch.

    Raises
    ------
    InputError
        If a shape or an option does not fit.
    """

    name: str
    values: Any
    error: Any
    coords: Any
    operator: ObservationOperator | FunctionOperator
    quality: Any = None
    valid_range: tuple[float, float] | None = None
    innovation_limit: float | None = None
    correlation_length: float | None = None
    radius: Any = None
    taper: str | None = None
    depth: Any = None
    depth_radius: Any = None
    thinning: Thinning | None = None
    withheld_share: float = 0.0
    seed: int = 0
    is_assimilated: bool = True
    metric: str = "euclidean"
    period: Any = None
    deviation: np.ndarray = field(init=False)
    index: NearbyPoints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.values = np.array(self.values, dtype=np.float64)
        if self.values.ndim != 1:
            raise InputError(f"observations '{self.name}': values must have shape (obs,); got {self.values.shape}")
        try:
            self.deviation = error_model(self.error).deviations(self.values)
            self.index = NearbyPoints(self.coords, self.metric, self.period)
        except InputError as error:
            raise InputError(f"observations '{self.name}': {error}") from None
        self.coords = self.index.points
        if len(self.coords) != self.size:
            raise InputError(
                f"observations '{self.name}': coords must have one row per value, {self.size}; got {len(self.coords)}"
            )
        if not (callable(self.operator) and hasattr(self.operator, "nobs")):
            raise InputError(
                f"observations '{self.name}': operator must be an operator, got {type(self.operator).__name__}; for "
                "observed elements of the state use at_cells(cells, nstate), for a function of your own "
                "FunctionOperator(function, nobs)"
            )
        if self.operator.nobs != self.size:
            raise InputError(
                f"observations '{self.name}': the operator gives {self.operator.nobs} values for {self.size} of them"
            )
        self.quality = np.ones(self.size, bool) if self.quality is None else np.array(self.quality)
        if self.quality.shape != (self.size,) or self.quality.dtype != bool:
            raise InputError(
                f"observations '{self.name}': quality must be true or false for each, shape ({self.size},); "
                f"got shape {self.quality.shape} of {self.quality.dtype}"
            )
        self._check_options()
        for name in ("radius", "depth_radius"):
            setattr(self, name, self._each(name, getattr(self, name), open_low=True))
        self.depth = self._each("depth", self.depth, open_low=False)

    def _check_options(self) -> None:
        about = f"observations '{self.name}': "
        if self.valid_range is not None:
            low, high = self.valid_range
            if not low <= high:
                raise InputError(f"{about}valid_range must be (lowest, highest); got ({low:g}, {high:g})")
        for name in ("innovation_limit", "correlation_length"):
            if getattr(self, name) is not None:
                check_number(about + name, getattr(self, name), 0.0, np.finfo(float).max, open_low=True)
        check_number(about + "withheld_share", self.withheld_share, 0.0, 1.0)
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)):
            raise InputError(f"{about}seed must be a whole number; got {self.seed!r}")
        if self.taper is not None and self.taper not in TAPERS:
            raise InputError(f"{about}taper must be {one_of(TAPERS)}; got {self.taper!r}")
        if self.thinning is not None and not hasattr(self.thinning, "matrix"):
            raise InputError(
                f"{about}thinning must be CellMean, CellBest or MinimumDistance; got {type(self.thinning).__name__}"
            )

    def _each(self, name: str, value: Any, *, open_low: bool) -> np.ndarray | None:
        """Return one number per observation, or None where nothing is given; only depths may be NaN."""
        if value is None:
            return None
        try:
            numbers = np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (self.size,)))
        except (TypeError, ValueError):
            raise InputError(
                f"observations '{self.name}': {name} must be a number or one per observation, shape ({self.size},); "
                f"got shape {np.shape(value)}"
            ) from None
        wrong = (np.isnan(numbers) | (numbers <= 0)) if open_low else np.isinf(numbers)
        if wrong.any():
            raise InputError(
                f"observations '{self.name}': {name} must be {'above 0' if open_low else 'a depth, or NaN for none'}; "
                f"got {numbers[wrong][0]} at observation {int(np.argmax(wrong))}"
            )
        return numbers

    @property
    def size(self) -> int:
        """Number of observations, used or not."""
        return self.values.size

    def screen(self, predicted: np.ndarray) -> tuple[np.ndarray, csr_array]:
        """Decide which observations take part.

        Parameters
        ----------
        predicted : numpy.ndarray
            Predicted observations, shape ``(member, obs)``.

        Returns
        -------
        flags : numpy.ndarray of int8, shape (obs,)
            Codes of `pyland.base.observation_reasons`; of several reasons the first of: quality flag, missing value,
            value not finite, error not above 0, value out of range, outside the domain, prediction not finite,
            innovation too large, withheld or not assimilated, thinned.
        weights : scipy.sparse.csr_array, shape (kept, obs)
            What of the used observations goes into each that is assimilated; one weight of 1 but in cell means.
        """
        flags = np.zeros(self.size, np.int8)

        def reject(where: np.ndarray, reason: int) -> None:
            flags[(flags == USED) & where] = reason

        reject(~self.quality, QUALITY)
        reject(np.isnan(self.values), MISSING)
        reject(np.isinf(self.values), OUT_OF_RANGE)
        reject(~np.isfinite(self.deviation), BAD_ERROR)
        if self.valid_range is not None:
            reject((self.values < self.valid_range[0]) | (self.values > self.valid_range[1]), OUT_OF_RANGE)
        reject(self.operator.outside, OUTSIDE)
        reject(~np.isfinite(predicted).all(axis=0), NO_PREDICTION)
        if self.innovation_limit is not None:
            good = flags == USED
            expected = np.sqrt(predicted[:, good].var(axis=0, ddof=1) + self.deviation[good] ** 2)
            far = np.zeros(self.size, bool)
            far[good] = np.abs(self.values[good] - predicted[:, good].mean(axis=0)) > self.innovation_limit * expected
            reject(far, INNOVATION)
        reject(self.withheld_places(), WITHHELD if self.is_assimilated else NOT_ASSIMILATED)
        chosen = np.flatnonzero(flags == USED)
        if self.thinning is None or not chosen.size:
            kept = np.arange(chosen.size)
            weights = csr_array((np.ones(chosen.size), (kept, chosen)), shape=(chosen.size, self.size))
            return flags, weights
        candidates = self.candidates(chosen)
        few = self.thinning.matrix(candidates).tocoo()
        weights = csr_array((few.data, (few.row, chosen[few.col])), shape=(few.shape[0], self.size))
        taken = np.zeros(self.size, bool)
        taken[weights.indices] = True
        reject(~taken, THINNED)
        return flags, weights

    def candidates(self, chosen: np.ndarray) -> Candidates:
        """Return some of the observations as thinning takes them."""
        return Candidates(
            index=NearbyPoints(self.coords[chosen], self.metric, self.period),
            variance=self.deviation[chosen] ** 2,
            depth=np.full(chosen.size, np.nan) if self.depth is None else self.depth[chosen],
            correlation_length=self.correlation_length,
        )

    def withheld_places(self) -> np.ndarray:
        """Return True for the observations whose place is kept for diagnosis, shape (obs,).

        A place is its coordinates without the sign of zero; its hash (BLAKE2b of name, seed and coordinates) is
        compared with the share.
        """
        if not self.is_assimilated:
            return np.ones(self.size, bool)
        if self.withheld_share == 0.0:
            return np.zeros(self.size, bool)
        salt = f"{self.name}\n{int(self.seed)}\n".encode()
        places = np.ascontiguousarray(self.coords + 0.0, dtype="<f8")
        draws = [int.from_bytes(hashlib.blake2b(salt + row.tobytes(), digest_size=8).digest(), "little")
                 for row in places]  # fmt: skip
        return np.array(draws, dtype=np.float64) < self.withheld_share * 2.0**64

    def assimilated(self, weights: csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return places (kept, ndim) and error variances (kept,) of what is assimilated, by the weights of `screen`."""
        chosen = np.unique(weights.indices)
        candidates, few = self.candidates(chosen), csr_array(weights[:, chosen])
        return joined_places(candidates, few), joined_variance(candidates, few)


__all__ = ["ObservationType"]
