"""Counter-based random numbers: a value is a function of its name, not of the order of drawing.

Philox4x32-10 maps a counter of four 32-bit words and a key of two to four random words (Salmon et al. 2011,
table 1). The key is (seed, purpose); the counter is (node, node_high, member, step). A number therefore depends on
none of: ranks, threads, restarts, the number of members, the number of cells. ``numpy.random.Philox`` is keyed once
per object, which costs 10 microseconds per key; the ten rounds written in array operations serve any set of
counters at once.

References
----------
.. [1] Salmon, J. K., Moraes, M. A., Dror, R. O., Shaw, D. E. (2011). Parallel random numbers: as easy as 1, 2, 3.
   Proceedings of SC11, doi:10.1145/2063384.2063405.
.. [2] Box, G. E. P., Muller, M. E. (1958). A note on the generation of random normal deviates.
   Ann. Math. Statist. 29, 610-611.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from pyland.base.errors import InputError

CHANNELS = 4
"""Independent numbers that one counter gives."""

_ROUNDS = 10
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_WORD_SPAN = 2.0**32


def philox4x32(counter: tuple[np.ndarray, ...], key: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Evaluate Philox4x32-10.

    Parameters
    ----------
    counter : tuple of 4 arrays of uint64
        Counter words, each below 2**32; the shapes are broadcast.
    key : tuple of 2 int
        Key words, each below 2**32.

    Returns
    -------
    tuple of 4 arrays of uint64
        Random words below 2**32, each of the broadcast shape.
    """
    shape = np.broadcast_shapes(*(np.shape(word) for word in counter))
    c0, c1, c2, c3 = (np.array(np.broadcast_to(word, shape), dtype=np.uint64) for word in counter)
    k0, k1 = int(key[0]), int(key[1])
    product_0, product_1 = np.empty(shape, np.uint64), np.empty(shape, np.uint64)
    for _ in range(_ROUNDS):
        np.multiply(c0, _MULTIPLIER_0, out=product_0)
        np.multiply(c2, _MULTIPLIER_1, out=product_1)
        np.right_shift(product_1, _HALF, out=c0)
        np.bitwise_xor(c0, c1, out=c0)
        np.bitwise_xor(c0, np.uint64(k0), out=c0)
        np.right_shift(product_0, _HALF, out=c2)
        np.bitwise_xor(c2, c3, out=c2)
        np.bitwise_xor(c2, np.uint64(k1), out=c2)
        np.bitwise_and(product_1, _WORD, out=c1)
        np.bitwise_and(product_0, _WORD, out=c3)
        k0, k1 = (k0 + _WEYL_0) & 0xFFFFFFFF, (k1 + _WEYL_1) & 0xFFFFFFFF
    return c0, c1, c2, c3


def random_key(seed: int, purpose: str) -> tuple[int, int]:
    """Return the key words of a seed and a purpose.

    Parameters
    ----------
    seed : int
        Seed of the experiment, 0 <= seed < 2**32.
    purpose : str
        What the numbers are for, for example ``"forcing"``; enters as its CRC-32.

    Returns
    -------
    tuple of 2 int
        Key of :func:`philox4x32`.

    Raises
    ------
    InputError
        If the seed is not an integer in the range.
    """
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise InputError(f"ensemble.seed: expected an integer from 0 to {2**32 - 1}, got {seed!r}.")
    return int(seed), zlib.crc32(purpose.encode("utf-8"))


def standard_normal(
    seed: int,
    purpose: str,
    member: np.ndarray | int,
    step: int,
    node: np.ndarray | int,
    node_high: np.ndarray | int = 0,
    channels: int = CHANNELS,
) -> np.ndarray:
    """Return independent standard-normal numbers that depend on their indices only.

    Parameters
    ----------
    seed : int
        Seed of the experiment, 0 <= seed < 2**32.
    purpose : str
        What the numbers are for; different purposes are independent.
    member, step : int or array of int
        Global member index and step index; the low 32 bits count.
    node, node_high : int or array of int
        Index of a lattice node (column and row) or a cell (low and high part); may be negative, the low 32 bits count.
    channels : int
        How many independent numbers per index set are wanted, 1 to 4.

    Returns
    -------
    ndarray, shape (channels, ...)
        Standard-normal numbers [1] of the broadcast shape of the indices. The 32-bit uniform numbers bound them
        by sqrt(-2 ln 2**-33) = 6.76.

    Raises
    ------
    InputError
        If the seed or ``channels`` is out of range.
    """
    if not 1 <= channels <= CHANNELS:
        raise InputError(f"standard_normal: channels must lie in 1..{CHANNELS}, got {channels}. Use another purpose.")
    words = tuple((np.asarray(index, np.int64) & 0xFFFFFFFF).astype(np.uint64)
                  for index in (node, node_high, member, step))
    shape = np.broadcast_shapes(*(word.shape for word in words))
    raw = [np.atleast_1d(word) for word in philox4x32(words, random_key(seed, purpose))]
    result = np.empty((channels, *raw[0].shape))
    for pair in range((channels + 1) // 2):
        radius = (raw[2 * pair].astype(np.float64) + 0.5) / _WORD_SPAN
        np.log(radius, out=radius)
        radius *= -2.0
        np.sqrt(radius, out=radius)
        angle = raw[2 * pair + 1].astype(np.float64)
        angle *= 2.0 * math.pi / _WORD_SPAN
        np.multiply(radius, np.cos(angle), out=result[2 * pair])
        if 2 * pair + 1 < channels:
            np.multiply(radius, np.sin(angle), out=result[2 * pair + 1])
    return result.reshape(channels, *shape)
