"""One variable of a state vector: its transform, where it is updated, its damping and its bounds.

What the filter sees are rows of one number per member and cell: a layer, a patch, a value of the surface, or what all
layers of a parameter share. A row belongs to its cell, so that all rows of a column share their local analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from pyland.base.errors import InputError

TRANSFORMS = ("none", "log", "logit", "anamorphosis")
"""Transforms by name."""


@dataclass(frozen=True)
class StatePart:
    """A variable before the analysis, and how it takes part.

    Attributes
    ----------
    name : str
        Registry id.
    values : numpy.ndarray, shape (layer, member, cell)
        Prior of all members [unit of the variable].
    is_updated : numpy.ndarray of bool
        Where an analysis changes it; broadcasts to (layer, 1, cell).
    transform : str
        One of ``TRANSFORMS``.
    damping : float
        Share of the increment that is applied, after the transform [1].
    lower, upper : float or numpy.ndarray
        Range of analysed values; broadcasts to ``values``.
    span : tuple of numpy.ndarray, optional
        Ends of ``logit``, which the values lie between and do not reach; None: ``lower`` and ``upper``.
    is_shared : bool
        All layers get one increment, that of their mean after the transform.
    depth : numpy.ndarray, shape (layer,)
        Middle of each layer [m]; NaN for what belongs to no depth. None: at the surface.
    """

    name: str
    values: np.ndarray
    is_updated: np.ndarray
    transform: str = "none"
    damping: float = 1.0
    lower: Any = -np.inf
    upper: Any = np.inf
    span: tuple[np.ndarray, np.ndarray] | None = None
    is_shared: bool = False
    depth: np.ndarray | None = None

    def only(self, where: np.ndarray) -> StatePart:
        """Return the part, updated in some places only, (layer, 1, cell)."""
        return replace(self, is_updated=self.is_updated & where)

    @property
    def count(self) -> int:
        """Rows that the filter sees."""
        return 1 if self.is_shared else self.values.shape[0]

    @property
    def row_depth(self) -> np.ndarray:
        """Depth of each row, (row,) [m]; NaN for one that all layers share, which belongs to all depths alike."""
        if self.is_shared:
            return np.full(self.count, np.nan)
        return np.zeros(self.count) if self.depth is None else np.asarray(self.depth, dtype=float)

    @property
    def is_row_updated(self) -> np.ndarray:
        """Where an analysis changes a row, (row, cell): one that layers share, where it changes any of them."""
        found = np.broadcast_to(self.is_updated, (self.values.shape[0], 1, self.values.shape[2]))[:, 0]
        return found.any(axis=0, keepdims=True) if self.is_shared else found

    def rows(self, transformed: np.ndarray) -> np.ndarray:
        """Return what the filter sees of transformed values, (row, member, cell)."""
        if not self.is_shared:
            return transformed
        # one layer after the other: numpy would add those of a single column in pairs, with other bits
        return reduce(np.add, transformed)[None] / transformed.shape[0]

    def forward(self) -> np.ndarray:
        """Return the transformed prior, (layer, member, cell); 0 where nothing is updated.

        Raises
        ------
        InputError
            If the transform is unknown, or a value has none.
        """
        return np.where(self.is_updated, self._transformed()[0], 0.0)

    def back(self, analysed: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the analysed variable.

        Parameters
        ----------
        analysed : numpy.ndarray, shape (row, member, cell)
            What the filter gives for the rows.

        Returns
        -------
        values : numpy.ndarray, shape (layer, member, cell)
            Those that are not updated, and those that the filter leaves, keep their bits.
        clipped : int
            Number of values that had to be brought into ``lower`` and ``upper``.
        """
        prior, inverse = self._transformed()
        shift = analysed - self.rows(np.where(self.is_updated, prior, 0.0))
        moves = np.broadcast_to(self.is_updated & (shift != 0.0), self.values.shape)
        values = inverse(np.where(moves, prior + self.damping * shift, prior))
        allowed = np.clip(values, self.lower, self.upper)
        return np.where(moves, allowed, self.values), int(np.count_nonzero((allowed != values) & moves))

    def _transformed(self) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        """Return the transformed prior, (layer, member, cell), and the way back."""
        if self.transform == "none":
            return self.values, lambda scores: scores
        from pyland.assimilate.anamorphosis import GaussianAnamorphosis
        from pyland.assimilate.variable_transforms import LogitTransform, LogTransform

        if self.transform == "log":
            log = LogTransform()
            return self._named(log.forward, np.where(self.is_updated, self.values, 1.0)), log.inverse
        if self.transform == "logit":
            low, high = (self.lower, self.upper) if self.span is None else self.span
            logit = LogitTransform(0.0, 1.0)
            share = np.where(self.is_updated, (self.values - low) / (high - low), 0.5)
            return self._named(logit.forward, share), lambda scores: low + (high - low) * logit.inverse(scores)
        if self.transform == "anamorphosis":
            scores = GaussianAnamorphosis(self.values.transpose(1, 0, 2))
            return (scores.forward(self.values.transpose(1, 0, 2)).transpose(1, 0, 2),
                    lambda given: scores.inverse(given.transpose(1, 0, 2)).transpose(1, 0, 2))
        raise InputError(f"state vector: {self.name} has the transform '{self.transform}'; expected one of "
                         f"{', '.join(TRANSFORMS)}.")

    def _named(self, forward: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
        """Transform values; an error names the variable."""
        try:
            return forward(values)
        except InputError as error:
            raise InputError(f"state vector: {self.transform} of {self.name}: {error}") from error


@dataclass(frozen=True)
class JoinedState:
    """Variables as one vector: what the filter sees, and the way back.

    Attributes
    ----------
    parts : tuple of StatePart
        The variables.
    start : tuple of int
        First row of each part. Parts that never update the same place may share rows, as water and heads do.
    values : numpy.ndarray, shape (row, member, cell)
        What the filter sees.
    depth : numpy.ndarray, shape (row,)
        Depth of the rows [m]; NaN: all depths alike.
    is_updated : numpy.ndarray of bool, shape (row, cell)
        Where an analysis changes a row; elsewhere ``values`` are 0.
    """

    parts: tuple[StatePart, ...]
    start: tuple[int, ...]
    values: np.ndarray
    depth: np.ndarray
    is_updated: np.ndarray

    @classmethod
    def join(cls, parts: Sequence[StatePart], together: Sequence[Sequence[str]] = ()) -> JoinedState:
        """Join parts, one below the other.

        Parameters
        ----------
        parts : sequence of StatePart
            At least one, all with the same members and cells.
        together : sequence of sequence of str
            Names of parts that share rows.

        Raises
        ------
        InputError
            If there is no part, or parts that share rows update the same place.
        """
        if not parts:
            raise InputError("state vector: expected at least one variable, got none.")
        rows: list[np.ndarray] = []
        depth: list[np.ndarray] = []
        is_updated: list[np.ndarray] = []
        first: dict[str, int] = {}
        count, start = 0, []
        for part in parts:
            names = next((group for group in together if part.name in group), (part.name,))
            seen = next((name for name in names if name in first), None)
            own = part.rows(part.forward())
            if seen is None:
                first[part.name] = len(rows)
                rows.append(own)
                depth.append(part.row_depth)
                is_updated.append(part.is_row_updated)
                start.append(count)
                count += part.count
                continue
            other = next(one for one in parts if one.name == seen)
            if (np.asarray(other.is_updated) & part.is_updated).any():
                raise InputError(f"state vector: {seen} and {part.name} share rows and update the same place.")
            rows[first[seen]] = np.where(part.is_updated, own, rows[first[seen]])
            is_updated[first[seen]] = is_updated[first[seen]] | part.is_row_updated
            start.append(start[[one.name for one in parts].index(seen)])
        return cls(tuple(parts), tuple(start), np.concatenate(rows), np.concatenate(depth), np.concatenate(is_updated))

    def back(self, analysed: np.ndarray) -> dict[str, tuple[np.ndarray, int]]:
        """Return the analysed variables by name, see `StatePart.back`; ``analysed`` (row, member, cell)."""
        return {part.name: part.back(analysed[first:first + part.count])
                for part, first in zip(self.parts, self.start, strict=True)}
