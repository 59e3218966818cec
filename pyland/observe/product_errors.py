"""What is wrong with a synthetic product beside its noise: factor, shifts that last, noise below leaves."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, Philox

from pyland.base.errors import InputError
from pyland.domain.smooth_field import smooth_field


@dataclass(frozen=True)
class ProductErrors:
    """Errors of a product: value = gain * truth + bias + shift of the place + noise.

    The additive and multiplicative errors are those of the affine error model of triple collocation (Gruber et al.
    2016, Int. J. Appl. Earth Obs. 45, 200-211, equation 1). Noise that grows with leaf area stands for the loss of
    sensitivity below vegetation.

    Attributes
    ----------
    gain : float
        Factor on the truth [1].
    bias, bias_std : float
        Shift of all places, and standard deviation of the shift of single places [unit of the type].
    bias_length : float or None
        Distance over which the correlation of the latter falls to 1/e [m]; None: places are independent.
    noise_per_leaf_area : float
        Growth of the standard deviation of the noise with leaf area index [unit of the type].
    bias_per_leaf_area : float
        Shift with leaf area index, which follows the season [unit of the type].
    noise_length : float or None
        Distance over which the correlation of the noise of one time falls to 1/e [m]; None: places are independent.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    gain: float = 1.0
    bias: float = 0.0
    bias_std: float = 0.0
    bias_length: float | None = None
    noise_per_leaf_area: float = 0.0
    bias_per_leaf_area: float = 0.0
    noise_length: float | None = None

    def __post_init__(self) -> None:
        if not (self.gain > 0 and self.bias_std >= 0 and self.noise_per_leaf_area >= 0):
            raise InputError("twin observations, errors: expected gain > 0, bias_std >= 0 and noise_per_leaf_area >= 0,"
                             f" got {self}.")

    @property
    def needs_leaves(self) -> bool:
        """Whether errors depend on leaf area."""
        return self.noise_per_leaf_area > 0 or self.bias_per_leaf_area != 0

    def shift(self, name: str, seed: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return what is added at all times.

        Parameters
        ----------
        name : str
            Name of the product; two products of one seed have independent shifts.
        seed : int
            Seed, 0 <= seed < 2**32.
        x, y : ndarray, shape (place,)
            Coordinates [m].

        Returns
        -------
        ndarray, shape (place,)
            [unit of the type].
        """
        if self.bias_std == 0:
            return np.full(np.shape(x), self.bias)
        if self.bias_length is not None:
            return self.bias + self.bias_std * smooth_field(x, y, self.bias_length, seed, f"bias:{name}")
        stream = Generator(Philox(key=[seed, zlib.crc32(f"bias:{name}".encode())]))
        return self.bias + self.bias_std * stream.standard_normal(np.shape(x))

    def distorted(self, truth: np.ndarray, shift: np.ndarray, leaf_area: np.ndarray | None) -> np.ndarray:
        """Return what the product would say without noise, (place,) [unit of the type].

        ``leaf_area`` is the leaf area index of what the places see, (place,); None where it is not needed.
        """
        seen = self.gain * truth + shift
        return seen if leaf_area is None else seen + self.bias_per_leaf_area * leaf_area

    def noise(self, error: float | np.ndarray, leaf_area: np.ndarray | None) -> float | np.ndarray:
        """Return the standard deviation of the noise, (place,), from that without leaves [unit of the type]."""
        return error if leaf_area is None else error + self.noise_per_leaf_area * leaf_area
