"""What every source of weather offers to the rest of pyland."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.precipitation_phase import PrecipitationPhase

WEATHER_FIELDS = (
    "air_temperature",
    "specific_humidity",
    "surface_pressure",
    "wind_speed",
    "shortwave_down",
    "longwave_down",
    "rain",
    "snowfall",
    "cosine_zenith",
    "daylength_factor",
)
"""Keys of what `Forcing.weather` returns, in SI units of the variable registry."""


@runtime_checkable
class Forcing(Protocol):
    """A source of weather for a fixed set of cells.

    Attributes
    ----------
    start, end : numpy.datetime64
        Time cover, UTC, second resolution: weather is known for steps within ``[start, end]``.
    ncell : int
        Number of cells.
    reference_height : numpy.ndarray
        Height of the forcing level above ground [m], ``(cell,)``.
    phase : PrecipitationPhase or None
        Rule that split precipitation into rain and snowfall, to be used again where temperature is changed; None where
        the source knew both.
    """

    start: np.datetime64
    end: np.datetime64
    ncell: int
    reference_height: np.ndarray
    phase: PrecipitationPhase | None

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Mean weather of the step ``[start, start + dt)``.

        Parameters
        ----------
        start : numpy.datetime64
            Start of the step, UTC.
        dt : float
            Length of the step [s], above 0.

        Returns
        -------
        dict of str to numpy.ndarray
            One new array of shape ``(cell,)`` per name of `WEATHER_FIELDS`; ``cosine_zenith`` is the mean over the
            sunlit part of the step and 0 at night. The answer depends on ``start`` and ``dt`` alone, never on earlier
            calls.

        Raises
        ------
        InputError
            If the step leaves the time cover.
        """
        ...

    def checksums(self) -> dict[str, str]:
        """SHA-256 of every input file, of its head alone where files are large, by path; empty without files."""
        ...

    def describe(self) -> dict[str, Any]:
        """Provenance: plain values that say where the weather comes from and how it was treated."""
        ...


def check_cover(forcing: Forcing, start: np.datetime64, end: np.datetime64) -> None:
    """Make sure that a source of weather covers a period.

    Parameters
    ----------
    forcing : Forcing
        The source.
    start, end : numpy.datetime64
        The period that a run needs, UTC.

    Raises
    ------
    InputError
        If the source begins after ``start`` or ends before ``end``; the message names both periods.
    """
    start, end = np.datetime64(start, "s"), np.datetime64(end, "s")
    if start < forcing.start or end > forcing.end:
        name = forcing.describe().get("path", forcing.describe().get("format", "the forcing"))
        raise InputError(
            f"{name}: the forcing covers {forcing.start} to {forcing.end} UTC, but {start} to {end} is needed; "
            "change time.start and time.end (or the spin-up window), or give a longer forcing file"
        )
