"""Soil of the land on layers of its own, from that of the subsurface below it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from pyland.base.errors import InputError

VOLUMES = ("porosity", "residual_water")
"""Parameters that are volumes: a layer of the land has their mean, so that its water fits into its pores."""


def overlap_of_layers(land: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Return the thickness that layers of two layerings have in common, (layer of the land, layer of the ground) [m].

    Parameters
    ----------
    land, ground : numpy.ndarray, shape (layer,)
        Thickness of the layers, top first [m].
    """
    bounds_land, bounds_ground = (np.concatenate([[0.0], np.cumsum(one)]) for one in (land, ground))
    top = np.maximum(bounds_land[:-1, None], bounds_ground[None, :-1])
    base = np.minimum(bounds_land[1:, None], bounds_ground[None, 1:])
    return np.maximum(base - top, 0.0)


def map_to_land_layers(
    soil: Mapping[str, np.ndarray], land: np.ndarray, ground: np.ndarray, means: Collection[str] = VOLUMES
) -> dict[str, np.ndarray]:
    """Return soil parameters on the layers of the land.

    Volumes are means over a layer of the land; parameters of curves are those of the layer of the ground that fills
    most of it, for a mean of them is no soil.

    Parameters
    ----------
    soil : mapping of str to numpy.ndarray, shape (layer of the ground, cell)
        Parameters by name.
    land, ground : numpy.ndarray, shape (layer,)
        Thickness of the layers, top first [m].
    means : collection of str
        Names of the parameters of which a layer has the mean.

    Returns
    -------
    dict of str to numpy.ndarray, shape (layer of the land, cell)

    Raises
    ------
    InputError
        If the land reaches deeper than the ground.
    """
    depth, base = float(np.sum(land)), float(np.sum(ground))
    if depth > base * (1.0 + 1e-9):
        raise InputError(f"soil layers of the land reach {depth:g} m deep; expected at most the {base:g} m of the "
                         "subsurface. Give fewer or thinner ones.")
    common = overlap_of_layers(land, ground)
    share = common / common.sum(axis=1, keepdims=True)
    most = common.argmax(axis=1)
    return {name: share @ values if name in means else values[most] for name, values in soil.items()}
