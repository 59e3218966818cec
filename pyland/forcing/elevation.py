"""Weather carried from the elevation of its source to the elevation of the cells.

References
----------
.. [1] Cosgrove, B. A., et al. (2003). Real-time and retrospective forcing in the North American Land Data Assimilation
       System (NLDAS) project. J. Geophys. Res. 108(D22), 8842. Section 2.3: temperature, pressure, humidity, longwave.
.. [2] Satterlund, D. R. (1979). An improved equation for estimating long-wave radiation from the atmosphere. Water
       Resour. Res. 15, 1649-1650.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.moist_air import (
    GAS_DRY_AIR,
    GRAVITY,
    humidity_from_vapour,
    saturation_pressure,
    vapour_from_humidity,
)
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.protocol import Forcing
from pyland.forcing.read_ahead import reading_ahead

STANDARD_LAPSE_RATE = 0.0065  # decrease of temperature with height in the standard atmosphere [K m-1]
STEEPEST_LAPSE_RATE = 0.02  # twice the dry adiabatic; larger numbers are per kilometre by mistake [K m-1]
_HECTOPASCAL = 100.0  # [Pa]


def satterlund_emissivity(vapour_pressure: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Emissivity of the clear sky [1] from vapour pressure [Pa] and temperature [K] near the ground, reference [2]_."""
    return 1.08 * (1.0 - np.exp(-((vapour_pressure / _HECTOPASCAL) ** (temperature / 2016.0))))


class ElevationCorrected:
    """A forcing at cells that lie higher or lower than its source.

    Parameters
    ----------
    source : Forcing
        Weather at ``source_elevation``.
    source_elevation, target_elevation : numpy.ndarray
        Elevation that the weather stands for, and that of the cells [m], ``(cell,)``.
    lapse_rate : float
        Decrease of air temperature with height [K m-1].

    Raises
    ------
    InputError
        If an elevation is missing, or the lapse rate is outside -0.02 to 0.02 K m-1.

    Notes
    -----
    Following [1]_ of the module: temperature by the lapse rate, pressure hydrostatic at the mean temperature of the
    layer between, humidity with the relative humidity kept, longwave by the emissivity of [2]_ and the fourth power
    of temperature. Where temperature changes, rain and snowfall are split again at the new temperature, humidity and
    pressure, by the rule of the source (the ramp of CLM5 if it has its own phase, which does not hold at another
    elevation); their sum is kept. Cells at the elevation of the source keep their weather bit for bit.
    """

    def __init__(
        self, source: Forcing, source_elevation: np.ndarray, target_elevation: np.ndarray, lapse_rate: float
    ) -> None:
        if not abs(lapse_rate) <= STEEPEST_LAPSE_RATE:
            raise InputError(
                f"forcing.lapse_rate must lie within -{STEEPEST_LAPSE_RATE} and {STEEPEST_LAPSE_RATE} K m-1, got "
                f"{lapse_rate}; the standard atmosphere has {STANDARD_LAPSE_RATE}"
            )
        rise = np.broadcast_to(
            np.asarray(target_elevation, dtype=np.float64) - np.asarray(source_elevation, dtype=np.float64),
            (source.ncell,),
        )
        if not np.all(np.isfinite(rise)):
            raise InputError(
                "the elevation of the cells or of the forcing has missing values; it is needed for forcing.lapse_rate"
            )
        self._source, self._rise, self._lapse_rate = source, rise, float(lapse_rate)
        self.start, self.end, self.ncell = source.start, source.end, source.ncell
        self.reference_height, self.phase = source.reference_height, source.phase

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Mean weather of a step at the cells; see `pyland.forcing.protocol.Forcing.weather`."""
        fields = self._source.weather(start, dt)
        moved = self._rise != 0.0
        if not moved.any():
            return fields
        warm, pressure = fields["air_temperature"], fields["surface_pressure"]
        temperature = warm - self._lapse_rate * self._rise
        layer = 0.5 * (warm + temperature)
        new_pressure = pressure * np.exp(-GRAVITY * self._rise / (GAS_DRY_AIR * layer))
        vapour = vapour_from_humidity(fields["specific_humidity"], pressure)
        new_vapour = vapour * saturation_pressure(temperature) / saturation_pressure(warm)
        emissivity = satterlund_emissivity(vapour, warm)
        ratio = satterlund_emissivity(new_vapour, temperature) / np.where(emissivity > 0.0, emissivity, 1.0)
        ratio = np.where(emissivity > 0.0, ratio, 1.0)  # air without any vapour: temperature alone
        new_humidity = humidity_from_vapour(new_vapour, new_pressure)
        corrected = {
            "air_temperature": temperature,
            "surface_pressure": new_pressure,
            "specific_humidity": new_humidity,
            "longwave_down": fields["longwave_down"] * ratio * (temperature / warm) ** 4,
        }
        for name, values in corrected.items():
            fields[name] = np.where(moved, values, fields[name])
        split_again = moved & (temperature != warm)
        rain, snowfall = (self.phase or PrecipitationPhase()).split(
            fields["rain"] + fields["snowfall"], temperature, new_humidity, new_pressure)
        fields["rain"] = np.where(split_again, rain, fields["rain"])
        fields["snowfall"] = np.where(split_again, snowfall, fields["snowfall"])
        return fields

    def read_ahead(self) -> AbstractContextManager[None]:
        """Let the source read ahead within the context, if it can."""
        return reading_ahead(self._source)

    def checksums(self) -> dict[str, str]:
        """Checksums of the files of the source."""
        return self._source.checksums()

    def describe(self) -> dict[str, Any]:
        """Provenance of the source, with the lapse rate and the range of the correction."""
        return {
            **self._source.describe(),
            "lapse_rate": self._lapse_rate,
            "elevation_change": [float(self._rise.min()), float(self._rise.max())],
        }
