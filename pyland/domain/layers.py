"""Vertical layers of soil and bedrock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

CLM5_THICKNESS = (
    0.02,
    0.04,
    0.06,
    0.08,
    0.12,
    0.16,
    0.20,
    0.24,
    0.28,
    0.32,
    0.36,
    0.40,
    0.44,
    0.54,
    0.64,
    0.74,
    0.84,
    0.94,
    1.04,
    1.14,
)
"""Soil layers of CLM5 [m], Technical Note (Lawrence et al. 2018), table 2.3."""

CLM5_BEDROCK_THICKNESS = (2.390, 4.676, 7.635, 11.140, 15.115)
"""Bedrock layers of CLM5 below the soil [m], same table."""


@dataclass(frozen=True)
class Layers:
    """Soil layers above bedrock layers, numbered from the top.

    Attributes
    ----------
    thickness : numpy.ndarray
        Of the soil layers, which hold water, shape ``(layer,)`` [m].
    bedrock_thickness : numpy.ndarray
        Of the bedrock layers, which hold heat only [m].
    """

    thickness: np.ndarray
    bedrock_thickness: np.ndarray

    @property
    def nlayer(self) -> int:
        """Number of soil layers."""
        return self.thickness.size

    @property
    def nthermal(self) -> int:
        """Number of soil and bedrock layers."""
        return self.thickness.size + self.bedrock_thickness.size

    @property
    def thermal_thickness(self) -> np.ndarray:
        """Thickness of soil and bedrock layers [m], shape ``(thermal_layer,)``."""
        return np.concatenate([self.thickness, self.bedrock_thickness])

    @property
    def interface_depth(self) -> np.ndarray:
        """Depth of the soil layers' edges [m], shape ``(layer + 1,)``, starting with 0."""
        return interfaces(self.thickness)

    @property
    def node_depth(self) -> np.ndarray:
        """Depth of the soil layers' centres [m], shape ``(layer,)``."""
        edges = self.interface_depth
        return 0.5 * (edges[:-1] + edges[1:])

    @property
    def depth(self) -> float:
        """Depth of the soil [m]."""
        return float(self.interface_depth[-1])

    @property
    def thermal_node_depth(self) -> np.ndarray:
        """Depth of the centres of soil and bedrock layers [m], shape ``(thermal_layer,)``."""
        edges = interfaces(self.thermal_thickness)
        return 0.5 * (edges[:-1] + edges[1:])


def interfaces(thickness: np.ndarray) -> np.ndarray:
    """Return the depth of layer edges [m], shape ``(layer + 1,)``."""
    return np.concatenate([[0.0], np.cumsum(thickness)])


def build_layers(
    layers: str | Sequence[float] = "clm5", bedrock_layers: int = 5, bedrock_thickness: Sequence[float] | None = None
) -> Layers:
    """Build the layers of a domain.

    Parameters
    ----------
    layers : "clm5" or sequence of float
        The 20 layers of CLM5 to 8.6 m depth, or thicknesses from the top [m].
    bedrock_layers : int
        How many of CLM5's bedrock layers follow below, 0 to 5. The 20 layers of soil and all five of rock reach 49.6 m:
        the lowest centre lies at 42 m, below the depth that seasons reach in rock (about 15 m).
    bedrock_thickness : sequence of float, optional
        Thicknesses of the bedrock layers instead [m].

    Raises
    ------
    InputError
        If a thickness is not positive or a number is out of range.
    """
    if isinstance(layers, str):
        if layers != "clm5":
            raise InputError(f"domain.layers: expected clm5 or a list of thicknesses [m], got '{layers}'.")
        layers = CLM5_THICKNESS
    thickness = np.asarray(layers, dtype=float)
    if thickness.ndim != 1 or thickness.size == 0 or not (np.isfinite(thickness) & (thickness > 0)).all():
        raise InputError(f"domain.layers: expected a list of positive thicknesses [m], got {layers}.")
    if not 0 <= bedrock_layers <= len(CLM5_BEDROCK_THICKNESS):
        raise InputError(f"domain.bedrock_layers: expected 0 to {len(CLM5_BEDROCK_THICKNESS)}, got {bedrock_layers}.")
    if bedrock_thickness is None:
        return Layers(thickness, np.array(CLM5_BEDROCK_THICKNESS[:bedrock_layers], dtype=float))
    bedrock = np.asarray(bedrock_thickness, dtype=float)
    if bedrock.ndim != 1 or not (np.isfinite(bedrock) & (bedrock > 0)).all():
        raise InputError(
            f"domain.bedrock_thickness: expected a list of positive thicknesses [m], got {bedrock_thickness}.")
    return Layers(thickness, bedrock)


def map_profile(values: Sequence[float] | np.ndarray, bottom: Sequence[float], thickness: np.ndarray) -> np.ndarray:
    """Average a profile given on its own layers over the layers of the model.

    Parameters
    ----------
    values : array_like, shape (n,)
        Profile; the last value continues downward.
    bottom : array_like, shape (n,)
        Depth of the lower edge of each value [m], increasing.
    thickness : numpy.ndarray, shape (layer,)
        Layers of the model [m].

    Returns
    -------
    numpy.ndarray, shape (layer,)
        Means weighted by thickness.
    """
    values, bottom = np.asarray(values, dtype=float), np.asarray(bottom, dtype=float)
    if values.shape != bottom.shape or values.ndim != 1 or (np.diff(np.concatenate([[0.0], bottom])) <= 0).any():
        raise InputError(
            f"a profile needs one positive, increasing depth per value; got {values.size} values and depths "
            f"{bottom.tolist()}."
        )
    edges = interfaces(thickness)
    reach = np.concatenate([[0.0], bottom])
    reach[-1] = max(reach[-1], edges[-1])
    overlap = np.minimum(edges[1:, None], reach[None, 1:]) - np.maximum(edges[:-1, None], reach[None, :-1])
    weight = np.maximum(overlap, 0.0)
    return (weight * values).sum(axis=1) / weight.sum(axis=1)
