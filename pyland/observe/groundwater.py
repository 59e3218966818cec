"""Depth of the water table as a well would see it."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError


def column_water_table(pressure_head: np.ndarray, thickness: np.ndarray) -> np.ndarray:
    """Return the depth to the top of the saturated zone that reaches the base of each column.

    The head above the highest cell of the zone is taken as hydrostatic: that is the level in a well with its screen
    there.

    Parameters
    ----------
    pressure_head : array_like, shape (layer, member, cell)
        Pressure head [m].
    thickness : array_like, shape (layer,)
        Thickness of the layers [m].

    Returns
    -------
    ndarray, shape (member, cell)
        Depth below the surface [m]; 0 where the surface is saturated or under water, the depth of the base where no
        saturated zone reaches it.

    Raises
    ------
    InputError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> head = np.array([-0.3, 0.2, 1.2]).reshape(3, 1, 1)   # centres at 0.5, 1.5, 2.5 m
    >>> round(float(column_water_table(head, [1.0, 1.0, 1.0])[0, 0]), 10)
    1.3
    """
    head, thickness = np.asarray(pressure_head, float), np.asarray(thickness, float)
    if head.ndim != 3 or thickness.shape != head.shape[:1]:
        raise InputError(f"groundwater operator: pressure_head must have shape (layer, member, cell) and thickness "
                         f"(layer,); got {head.shape} and {thickness.shape}.")
    bottom = np.cumsum(thickness)
    centre = bottom - 0.5 * thickness
    zone = np.logical_and.accumulate((head >= 0.0)[::-1], axis=0)[::-1]
    top = np.argmax(zone, axis=0)
    level = centre[top] - np.take_along_axis(head, top[None], 0)[0]
    return np.where(zone.any(axis=0), np.maximum(level, 0.0), bottom[-1])
