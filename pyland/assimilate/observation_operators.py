"""Observation operators: from a state ensemble (member, state) to predicted observations (member, obs), and back.

A linear operator is a sparse matrix, so that operators compose, stack and have an adjoint. `footprints`,
`interpolation` and `depth_weights` make the matrices of sensors; this file holds what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse, vstack

from pyland.assimilate.arguments import to_floats
from pyland.base.errors import InputError


class ObservationOperator:
    """A linear observation operator H.

    Parameters
    ----------
    matrix : sparse or dense array
        H, shape ``(obs, state)``, finite.
    outside : array_like of bool, optional
        Observations that the state does not cover, shape ``(obs,)``; they are rejected as ``outside_domain``. By
        default those whose row of H is empty.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array
        H, shape ``(obs, state)``, without stored zeros.
    outside : numpy.ndarray of bool
        Shape ``(obs,)``.

    Raises
    ------
    InputError
        If a shape or a weight is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from pyland.assimilate.observation_operators import at_cells
    >>> H = at_cells([2, 0], nstate=3)
    >>> H(np.array([[1.0, 2.0, 3.0]])).tolist(), H.adjoint(np.array([[1.0, 1.0]])).tolist()
    ([[3.0, 1.0]], [[1.0, 0.0, 1.0]])
    """

    def __init__(self, matrix: Any, outside: Any = None) -> None:
        if not issparse(matrix) and np.ndim(matrix) != 2:
            raise InputError(f"an observation operator must be a matrix (obs, state); got shape {np.shape(matrix)}")
        self.matrix = csr_array(matrix, dtype=np.float64)
        self.matrix.sum_duplicates()
        if not np.isfinite(self.matrix.data).all():
            raise InputError("an observation operator holds a weight that is not finite")
        self.matrix.eliminate_zeros()
        empty = np.diff(self.matrix.indptr) == 0
        self.outside = empty if outside is None else np.array(outside, dtype=bool)
        if self.outside.shape != empty.shape:
            raise InputError(f"outside must have shape (obs,) = {empty.shape}; got {self.outside.shape}")

    @property
    def nobs(self) -> int:
        """Number of observations."""
        return self.matrix.shape[0]

    @property
    def nstate(self) -> int:
        """Number of state elements."""
        return self.matrix.shape[1]

    def __call__(self, E: Any) -> np.ndarray:
        """Return the predicted observations (member, obs) of an ensemble (member, state)."""
        return np.ascontiguousarray((self.matrix @ _ensemble(E, self.nstate, "state").T).T)

    def adjoint(self, V: Any) -> np.ndarray:
        """Return Hᵀ applied to (member, obs): shape (member, state)."""
        return np.ascontiguousarray((self.matrix.T @ _ensemble(V, self.nobs, "obs").T).T)

    def linearised(self, state: Any) -> ObservationOperator:
        """Return the tangent operator at a state (state,): itself."""
        return self

    def __matmul__(self, other: ObservationOperator) -> ObservationOperator:
        """Return the operator that applies ``other`` first; what needs something outside is outside."""
        if other.nobs != self.nstate:
            raise InputError(
                f"operators do not fit: the first gives {other.nobs} values, the second takes {self.nstate}"
            )
        lacks = (abs(self.matrix) @ other.outside.astype(float)) > 0
        return ObservationOperator(self.matrix @ other.matrix, self.outside | lacks)

    def in_state(self, start: int, nstate: int) -> ObservationOperator:
        """Return the operator on a longer state in which this one's elements begin at ``start``."""
        if start < 0 or start + self.nstate > nstate:
            raise InputError(
                f"{self.nstate} state elements from {start} do not fit into a state of {nstate} elements"
            )
        moved = self.matrix.tocoo()
        matrix = coo_array((moved.data, (moved.row, moved.col + start)), shape=(self.nobs, nstate))
        return ObservationOperator(matrix, self.outside)

    def over_layers(self, layer_weights: Any) -> ObservationOperator:
        """Return the operator on a state (layer, cell), flattened with cells fastest, for one on cells.

        Parameters
        ----------
        layer_weights : array_like
            Weight of each layer, shape ``(layer,)`` for all or ``(obs, layer)``; see `depth_weights`. An observation
            whose weights are all 0 is outside.
        """
        weights = np.asarray(layer_weights, dtype=np.float64)
        weights = np.broadcast_to(weights, (self.nobs, weights.shape[-1])) if weights.ndim == 1 else weights
        weights = to_floats("layer_weights (obs, layer)", weights, 2)
        if len(weights) != self.nobs:
            raise InputError(
                f"layer_weights must have shape (layer,) or (obs, layer) with {self.nobs} observations; "
                f"got {np.shape(layer_weights)}"
            )
        nlayer = weights.shape[1]
        here = self.matrix.tocoo()
        layer, entry = np.nonzero(weights.T[:, here.row])
        row = here.row[entry]
        matrix = coo_array(
            (here.data[entry] * weights[row, layer], (row, layer * self.nstate + here.col[entry])),
            shape=(self.nobs, nlayer * self.nstate),
        )
        return ObservationOperator(matrix, self.outside | ~weights.any(axis=1))


class FunctionOperator:
    """A nonlinear observation operator: a function of the user.

    Parameters
    ----------
    function : callable
        Maps an ensemble (member, state) to predicted observations (member, obs); each member by itself.
    nobs : int
        Number of observations.
    outside : array_like of bool, optional
        Observations that the state does not cover, shape ``(obs,)``; default none.
    tangent : callable, optional
        Maps a state (state,) to the tangent operator as a matrix (obs, state), for the adjoint of variational methods.
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], Any],
        nobs: int,
        outside: Any = None,
        tangent: Callable[[np.ndarray], Any] | None = None,
    ) -> None:
        if not callable(function):
            raise InputError(f"an operator must be a function of an ensemble (member, state); got {function!r}")
        self._function, self._tangent, self.nobs = function, tangent, int(nobs)
        self.outside = np.zeros(self.nobs, bool) if outside is None else np.array(outside, dtype=bool)
        if self.outside.shape != (self.nobs,):
            raise InputError(f"outside must have shape (obs,) = ({self.nobs},); got {self.outside.shape}")

    def __call__(self, E: Any) -> np.ndarray:
        """Return the predicted observations (member, obs) of an ensemble (member, state).

        They may be NaN where an observation cannot be predicted; it is then rejected.
        """
        ensemble = np.asarray(E, dtype=np.float64)
        predicted = np.asarray(self._function(ensemble.copy()), dtype=np.float64)  # the function may write into it
        if predicted.shape != (len(ensemble), self.nobs):
            raise InputError(
                f"the observation operator must return shape (member, obs) = ({len(ensemble)}, {self.nobs}); "
                f"got {predicted.shape}"
            )
        return predicted

    def linearised(self, state: Any) -> ObservationOperator:
        """Return the tangent operator at a state (state,).

        Raises
        ------
        InputError
            If no tangent was given.
        """
        if self._tangent is None:
            raise InputError(
                "this observation operator is a function without a tangent, so that it has no adjoint; "
                "give FunctionOperator(..., tangent=...)"
            )
        return ObservationOperator(self._tangent(np.asarray(state, dtype=np.float64)), self.outside)


def at_cells(cells: Any, nstate: int) -> ObservationOperator:
    """Return the operator that takes one state element per observation.

    Parameters
    ----------
    cells : array_like of int
        State element of each observation, shape ``(obs,)``, from 0; -1 outside the domain.
    nstate : int
        Number of state elements.
    """
    chosen = np.asarray(cells)
    if chosen.ndim != 1:
        raise InputError(f"cells must have shape (obs,); got {chosen.shape}")
    return weighted(chosen[:, np.newaxis], np.ones((chosen.size, 1)), nstate)


def averaged(cells: Any, nstate: int) -> ObservationOperator:
    """Return the operator that averages state elements with equal weights.

    Parameters
    ----------
    cells : array_like of int
        State elements of each observation, shape ``(obs, slot)``, from 0; -1 for an empty slot.
    nstate : int
        Number of state elements.
    """
    chosen = np.asarray(cells)
    count = (chosen >= 0).sum(axis=-1, keepdims=True)
    return weighted(chosen, (chosen >= 0) / np.maximum(count, 1), nstate)


def weighted(cells: Any, weights: Any, nstate: int) -> ObservationOperator:
    """Return the operator of given cells and weights; weights are used as they are.

    Parameters
    ----------
    cells : array_like of int
        State elements of each observation, shape ``(obs, slot)``, from 0; -1 for an empty slot.
    weights : array_like
        Their weights, same shape.
    nstate : int
        Number of state elements.

    Raises
    ------
    InputError
        If shapes differ or a cell is not in the state.
    """
    chosen = np.asarray(cells)
    share = to_floats("weights (obs, slot)", weights, 2)
    if chosen.shape != share.shape or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise InputError(
            f"cells must hold whole numbers in the shape of weights {share.shape}; got {chosen.shape} of {chosen.dtype}"
        )
    if chosen.size and (chosen.max() >= nstate or chosen.min() < -1):
        raise InputError(
            f"cells must lie in 0 to {nstate - 1}, or be -1 for none; got {chosen.min()} to {chosen.max()}"
        )
    row, slot = np.nonzero(chosen >= 0)
    matrix = coo_array((share[row, slot], (row, chosen[row, slot])), shape=(len(chosen), nstate))
    return ObservationOperator(matrix)


def stacked(operators: Sequence[ObservationOperator]) -> ObservationOperator:
    """Return one operator with the observations of all, in order; all act on the same state."""
    if not operators:
        raise InputError("stacked needs at least one operator")
    if len({one.nstate for one in operators}) > 1:
        raise InputError(
            f"operators must act on one state; got states of {', '.join(str(one.nstate) for one in operators)} elements"
        )
    return ObservationOperator(
        vstack([one.matrix for one in operators]), np.concatenate([one.outside for one in operators])
    )


def _ensemble(values: Any, size: int, what: str) -> np.ndarray:
    ensemble = np.asarray(values, dtype=np.float64)
    if ensemble.ndim != 2 or ensemble.shape[1] != size:
        raise InputError(
            f"the observation operator takes an array of shape (member, {what}) with {size} elements; "
            f"got {ensemble.shape}"
        )
    return ensemble


__all__ = ["FunctionOperator", "ObservationOperator", "at_cells", "averaged", "stacked", "weighted"]
