"""Whole records in memory, as many as fit: percentiles and means over time need all maps of a variable each time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

KEPT_LIMIT = 800 * 2**20
"""Bytes of all that is kept, for all runs together: two records of the largest size, to compare them."""


class KeptRecords:
    """Arrays by key; what was not asked for longest goes first.

    Parameters
    ----------
    limit : int
        Bytes in all. An array that is larger is kept until the next one comes.
    """

    def __init__(self, limit: int = KEPT_LIMIT) -> None:
        self._limit = limit
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array of a key, made now if it is not there; two threads do not make two."""
        with self._lock:
            if key not in self._arrays:
                self._arrays[key] = make()
                while len(self._arrays) > 1 and sum(one.nbytes for one in self._arrays.values()) > self._limit:
                    self._arrays.popitem(last=False)
            self._arrays.move_to_end(key)
            return self._arrays[key]
