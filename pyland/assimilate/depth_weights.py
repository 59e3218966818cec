"""How much each layer of the ground counts for a sensor: windows, probes and signals that fade with depth."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate.arguments import to_floats
from pyland.base.errors import InputError


def window_weights(bounds: Any, top: Any, bottom: Any) -> np.ndarray:
    """Return the weights of a sensor that sees a range of depths evenly.

    Parameters
    ----------
    bounds : array_like
        Depths of the bounds of the layers [m], shape ``(layer + 1,)``, ascending downwards.
    top, bottom : float or array_like
        Depth range of each observation [m], numbers or shape ``(obs,)``. Where both are equal it is a probe, linear
        between the middles of the layers, and the value of the first or last layer beyond them.

    Returns
    -------
    numpy.ndarray
        Weights, shape ``(obs, layer)``, that sum to 1; those of a range or probe that leaves the layers are all 0
        (outside).

    Raises
    ------
    InputError
        If bounds do not ascend or a range is turned over.
    """
    edges = _bounds(bounds)
    first, last = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (top, bottom))
    first, last = np.broadcast_arrays(first, last)
    if first.ndim != 1 or not (np.isfinite(first).all() and np.isfinite(last).all()):
        raise InputError("top and bottom must be depths [m], numbers or shape (obs,), finite")
    if (last < first).any():
        k = int(np.argmax(last < first))
        raise InputError(f"observation {k} has its bottom at {last[k]:g} m above its top at {first[k]:g} m; swap them")
    overlap = np.minimum(edges[1:], last[:, np.newaxis]) - np.maximum(edges[:-1], first[:, np.newaxis])
    thickness = last - first
    weights = np.maximum(overlap, 0.0)
    probe = thickness == 0.0
    weights[~probe] /= thickness[~probe, np.newaxis]
    middle = 0.5 * (edges[1:] + edges[:-1])
    hats = np.eye(middle.size)
    weights[probe] = np.column_stack([np.interp(first[probe], middle, hat) for hat in hats])
    weights[(first < edges[0]) | (last > edges[-1])] = 0.0
    return weights


def exponential_weights(bounds: Any, scale: Any) -> np.ndarray:
    """Return the weights of a signal that fades as exp(-depth/scale).

    Parameters
    ----------
    bounds : array_like
        Depths of the bounds of the layers [m], shape ``(layer + 1,)``, ascending downwards, the first at the surface.
    scale : float or array_like
        Depth at which the signal has faded to 1/e [m], a number or shape ``(obs,)``, above 0.

    Returns
    -------
    numpy.ndarray
        Weights, shape ``(obs, layer)``, that sum to 1: what comes from below the layers is shared among them.

    Raises
    ------
    InputError
        If bounds do not ascend or a scale is not positive.
    """
    edges = _bounds(bounds)
    depth = np.atleast_1d(np.asarray(scale, dtype=np.float64))
    if depth.ndim != 1 or not (np.isfinite(depth).all() and (depth > 0).all()):
        raise InputError(f"scale must be a depth above 0 [m], a number or shape (obs,); got {scale!r}")
    start = (edges - edges[0]) / depth[:, np.newaxis]
    share = np.exp(-start[:, :-1]) * -np.expm1(-np.diff(start, axis=1))
    return share / -np.expm1(-start[:, -1:])


def _bounds(bounds: Any) -> np.ndarray:
    edges = to_floats("bounds (layer + 1)", bounds, 1)
    if edges.size < 2 or (np.diff(edges) <= 0).any():
        raise InputError(f"bounds must be at least 2 depths that increase downwards [m]; got {edges.tolist()[:6]}")
    return edges


__all__ = ["exponential_weights", "window_weights"]
