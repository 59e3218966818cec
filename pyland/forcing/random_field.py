"""Gaussian random fields in space and time whose value depends on the place and the time alone.

A field is a sum of plane waves with fixed wave vectors and random amplitudes. The amplitudes of a time step come from a
counter-based generator keyed by seed, purpose and day, so a value needs neither its neighbours nor its past: it is the
same for any choice of cells, start of the run, or order of calls, bit for bit.

References
----------
.. [1] Rahimi, A., Recht, B. (2007). Random features for large-scale kernel machines. NIPS 20: plane waves with wave
       vectors drawn from the spectrum of a covariance.
.. [2] Salmon, J. K., et al. (2011). Parallel random numbers: as easy as 1, 2, 3. SC11 (Philox).
.. [3] Press, W. H., et al. (1992). Numerical recipes in Fortran, 2nd edition, section 6.2 (erfcc).
"""

from __future__ import annotations

import math

import numpy as np

from pyland.base.errors import InputError

_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))  # spreads directions evenly [rad]
_WORD = 2**64
_ERFC = (
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806,
    0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
)  # fmt: skip


def exceedance(z: np.ndarray) -> np.ndarray:
    """Probability that a standard normal variable exceeds ``z``; relative error below 1.2e-7, reference [3]_."""
    x = np.abs(z) * math.sqrt(0.5)
    t = 1.0 / (1.0 + 0.5 * x)
    series = np.full_like(t, _ERFC[-1])
    for coefficient in _ERFC[-2::-1]:
        series = series * t + coefficient
    tail = 0.5 * t * np.exp(series - x * x)
    return np.where(z >= 0.0, tail, 1.0 - tail)


def draw_normals(seed: int, purpose: int, block: int, shape: tuple[int, ...]) -> np.ndarray:
    """Draw the standard normal numbers of one block of time.

    Parameters
    ----------
    seed, purpose : int
        Key of the generator, reference [2]_: which run, which field.
    block : int
        Number of the block (day), may be negative; the highest word of the counter, so that blocks never overlap.
    shape : tuple of int
        Shape of the answer.
    """
    return _generator(seed, purpose, (0, 0, 0, block % _WORD)).standard_normal(shape)


def _generator(seed: int, purpose: int, counter: tuple[int, int, int, int]) -> np.random.Generator:
    words = np.array(counter, dtype=np.uint64)  # explicit type: words above 2**63 must not pass through floats
    return np.random.Generator(np.random.Philox(key=np.array([seed % _WORD, purpose], dtype=np.uint64), counter=words))


class RandomField:
    """Standard normal field with Gaussian covariance in space and exponential memory in time.

    Parameters
    ----------
    x, y : numpy.ndarray
        Places [m], ``(cell,)``.
    seed, purpose : int
        Key of the random numbers.
    length : float
        Correlation length [m]: the correlation at distance r is ``exp(-r^2/(2 length^2))``.
    steps_per_day : int
        Time steps per day: 1 for a value per day, 24 for one per hour.
    memory : float
        Correlation of successive steps [1], in [0, 1).
    velocity : tuple of float, optional
        Speed at which the pattern moves towards x and y [m s-1].
    waves : int, optional
        Number of plane waves, a power of 2.

    Attributes
    ----------
    step_correlation : float
        Correlation of successive steps of the finite moving average [1].

    Notes
    -----
    Directions are spread by the golden angle and lengths by the quantiles of the spectrum, so that few waves already
    give the covariance (reference [1]_ with stratified instead of random wave vectors). Memory is a moving average
    of ``memory^j`` over the steps until ``memory^j`` falls below 1 percent: the first-order autoregression without its
    infinite past. Waves are summed in a fixed order of pairs, never along a reduced axis, so that no bit depends on
    the number of cells.
    """

    _FORGOTTEN = 0.01  # weight at which the moving average ends [1]
    _DAYS_KEPT = 64  # of white noise
    _CELLS_AT_ONCE = 128  # so that the terms of a sum stay in the second-level cache

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        seed: int,
        purpose: int,
        length: float,
        steps_per_day: int,
        memory: float,
        velocity: tuple[float, float] = (0.0, 0.0),
        waves: int = 32,
    ) -> None:
        if waves < 1 or waves & (waves - 1):
            raise InputError(f"random field: waves must be a power of 2, got {waves}")
        self._seed, self._purpose = seed, purpose
        self._steps_per_day = steps_per_day
        rank = np.arange(waves)
        no_block = (0, 0, 1, 0)  # a counter that no block of time reaches
        angle = math.pi * _generator(seed, purpose, no_block).random() + rank * _GOLDEN_ANGLE
        number = np.sqrt(-2.0 * np.log(1.0 - (rank + 0.5) / waves)) / length
        self._wave_x, self._wave_y = number * np.cos(angle), number * np.sin(angle)
        self._drift = (self._wave_x * velocity[0] + self._wave_y * velocity[1]) * (86400.0 / steps_per_day)
        self._waves = np.empty((2 * waves, x.size))  # cosines, then sines
        for k in range(waves):
            phase = self._wave_x[k] * x + self._wave_y[k] * y
            self._waves[k], self._waves[waves + k] = np.cos(phase), np.sin(phase)
        terms = 1 if memory <= 0.0 else math.ceil(math.log(self._FORGOTTEN) / math.log(memory)) + 1
        weights = memory ** np.arange(terms) if memory > 0.0 else np.ones(1)
        self._weights = weights / math.sqrt(float(np.sum(weights**2)) * waves)
        products = weights[1:] * weights[:-1]
        self.step_correlation = float(np.sum(products) / np.sum(weights**2))
        self._drawn: dict[int, np.ndarray] = {}

    def day(self, day: int) -> np.ndarray:
        """Field at the steps of a day (days since 1970-01-01), ``(step, cell)``."""
        amplitude = self._amplitudes(day)
        ncell = self._waves.shape[1]
        field = np.empty((self._steps_per_day, ncell))
        for first in range(0, ncell, self._CELLS_AT_ONCE):
            block = slice(first, first + self._CELLS_AT_ONCE)
            terms = amplitude[:, :, None] * self._waves[:, None, block]
            while terms.shape[0] > 1:  # a tree of sums of pairs: their order never depends on the number of cells
                half = terms.shape[0] // 2
                terms = terms[:half] + terms[half:]
            field[:, block] = terms[0]
        return field

    def _amplitudes(self, day: int) -> np.ndarray:
        """Amplitudes of cosine and sine waves at the steps of a day, ``(2 wave, step)``."""
        n = self._steps_per_day
        past = -(-(self._weights.size - 1) // n)  # whole days that the moving average reaches back
        noise = np.concatenate([self._noise(d) for d in range(day - past, day + 1)])
        last = past * n
        amplitude = np.zeros((n, *noise.shape[1:]))
        for j, weight in enumerate(self._weights):
            amplitude += weight * noise[last - j : last - j + n]
        turn = self._drift[None, :] * (day * n + np.arange(n, dtype=np.float64))[:, None]
        cosine, sine = np.cos(turn), np.sin(turn)
        a, b = amplitude[:, 0], amplitude[:, 1]
        return np.concatenate([a * cosine - b * sine, a * sine + b * cosine], axis=1).T

    def _noise(self, day: int) -> np.ndarray:
        """White noise of a day, ``(step, 2, wave)``; kept for the days that the moving average may ask for again."""
        if day not in self._drawn:
            if len(self._drawn) >= self._DAYS_KEPT:
                self._drawn.clear()
            self._drawn[day] = draw_normals(
                self._seed, self._purpose, day, (self._steps_per_day, 2, self._wave_x.size))
        return self._drawn[day]
