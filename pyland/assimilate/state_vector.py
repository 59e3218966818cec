"""State vector of soil water, pressure heads, or both.

Water of a saturated cell says nothing of its pressure, and pressure of a dry one is far from normal and far from linear
in what is observed. The mixed vector has the pressure head of cells that are saturated in all members and the water
content of the others (Zhang et al. 2018; Hung et al. 2022).

References
----------
.. [1] Hung, C. P., Schalge, B., Baroni, G., Vereecken, H., Hendricks Franssen, H.-J. (2022). Assimilation of
   groundwater level and soil moisture data in an integrated land surface-subsurface model for southwestern Germany.
   Water Resour. Res. 58, e2021WR031549.
.. [2] Zhang, H., Kurtz, W., Kollet, S., Vereecken, H., Hendricks Franssen, H.-J. (2018). Comparison of different
   assimilation methodologies of groundwater levels to improve predictions of root zone soil moisture with an
   integrated terrestrial system model. Adv. Water Resour. 111, 224-238.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

MIXED = ("soil_water", "pressure_head")
"""States that share rows: heads where all members are saturated, water elsewhere."""


@dataclass(frozen=True)
class StateVector:
    """What a filter changes; each cell holds the same quantity in all members.

    Attributes
    ----------
    values : numpy.ndarray, shape (layer, member, cell)
        Volumetric water [m3 m-3] or pressure head [m].
    is_head : numpy.ndarray of bool, shape (layer, 1, cell)
        Where it is the pressure head.
    """

    values: np.ndarray
    is_head: np.ndarray

    @classmethod
    def join(cls, update: Sequence[str], fields: Mapping[str, np.ndarray]) -> StateVector:
        """Take the fields that are to be updated.

        Parameters
        ----------
        update : sequence of str
            One or both of ``MIXED``.
        fields : mapping of str to numpy.ndarray
            At least those of ``update``, all members, each (layer, member, cell).

        Raises
        ------
        InputError
            If ``update`` names nothing that a vector may hold.
        """
        if not update or not set(update) <= set(MIXED):
            raise InputError(f"state vector: expected one or both of {', '.join(MIXED)}, got {list(update)}.")
        first = np.asarray(fields[update[0]])
        nothing = np.zeros((first.shape[0], 1, first.shape[2]), dtype=bool)
        if len(set(update)) == 1:
            return cls(first, nothing | (update[0] == "pressure_head"))
        is_head = is_saturated(fields["pressure_head"])
        return cls(np.where(is_head, fields["pressure_head"], fields["soil_water"]), is_head)

    def put(self, fields: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return both fields with the values of the vector in them; cells that it does not hold stay.

        A field that is not among ``fields`` is not among the result.
        """
        mine = {"soil_water": ~self.is_head, "pressure_head": self.is_head}
        return {name: np.where(mine[name], self.values, field) for name, field in fields.items()}


def is_saturated(heads: np.ndarray) -> np.ndarray:
    """Tell where the ground is saturated in all members, (layer, member, cell) [m] -> (layer, 1, cell)."""
    return (heads >= 0.0).all(axis=1, keepdims=True)


def limit_heads(heads: np.ndarray, prior: np.ndarray, thickness: np.ndarray) -> tuple[np.ndarray, int]:
    """Keep analysed pressure heads within what the ground can have.

    An analysis may bring the water table anywhere between the surface and the base: heads lie between those of columns
    at rest with the one and with the other. Water that stands on the land or rises from below is not made by an
    analysis: above that range a head does not go beyond what its member had. Suctions of roots and sun stay within
    those of the members before the analysis: a line through dry members soon ends where no plant and no wind can bring
    them.

    Parameters
    ----------
    heads : numpy.ndarray, shape (layer, member, cell)
        Analysed pressure heads [m].
    prior : numpy.ndarray, shape (layer, member, cell)
        Those before, of all members [m].
    thickness : numpy.ndarray, shape (layer,)
        Layers [m].

    Returns
    -------
    limited : numpy.ndarray, shape (layer, member, cell)
        [m]
    count : int
        Values that were out of range.
    """
    base = thickness.sum()
    depth = (np.cumsum(thickness) - 0.5 * thickness)[:, None, None]
    lowest = np.minimum(prior.min(axis=1, keepdims=True), depth - base)
    highest = np.maximum(prior, depth)
    limited = np.clip(heads, lowest, highest)
    return limited, int(np.count_nonzero(limited != heads))
