"""Perturbation of the weather of each member.

Precipitation and shortwave are multiplied by log-normal factors of mean 1, longwave and air temperature get normal
shifts of mean 0. The four noises are cross-correlated, correlated in space and first-order autoregressive in time:
n(t) = phi n(t - dt) + sqrt(1 - phi**2) e(t) with phi = exp(-dt / time_scale), started from its stationary
distribution, so that the spread is the same from the first step on. Spreads and correlations are those in use for
land data assimilation (Reichle et al. 2007, table 1; Han et al. 2014, table 1).

References
----------
.. [1] Reichle, R. H., et al. (2007). Comparison and assimilation of global soil moisture retrievals from AMSR-E and
   SMMR. J. Geophys. Res. 112, D09108.
.. [2] Han, X., Franssen, H.-J. H., Montzka, C., Vereecken, H. (2014). Soil moisture and soil properties estimation in
   the Community Land Model with synthetic brightness temperature observations. Water Resour. Res. 50, 6081-6105.
.. [3] World Meteorological Organization (2008). Guide to meteorological instruments, WMO-No. 8, annex 4.B.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.ensemble.noise_shape import ADD, DEFAULT_TRUNCATION, MULTIPLY, NoiseShape
from pyland.ensemble.random_fields import RandomField
from pyland.forcing import PrecipitationPhase

VARIABLES = ("precipitation", "shortwave", "longwave", "temperature")
"""Keys of the perturbation settings, in the order of the correlation matrix."""

DEFAULT_CORRELATION = (
    (1.0, -0.8, 0.5, 0.0),
    (-0.8, 1.0, -0.5, 0.4),
    (0.5, -0.5, 1.0, 0.4),
    (0.0, 0.4, 0.4, 1.0),
)
"""Cross-correlation of the noises (Han et al. 2014, table 1)."""

_KINDS = {"precipitation": MULTIPLY, "shortwave": MULTIPLY, "longwave": ADD, "temperature": ADD}
_FIELDS = {
    "precipitation": ("rain", "snowfall"),
    "shortwave": ("shortwave_down",),
    "longwave": ("longwave_down",),
    "temperature": ("air_temperature",),
}
BOUNDS = {
    "shortwave_down": (0.0, 1500.0),    # W m-2; the solar constant plus cloud enhancement
    "longwave_down": (40.0, 700.0),     # W m-2; black bodies of 163 K and 333 K
    "air_temperature": (180.0, 335.0),  # K; beyond the records of Vostok and Death Valley
}
"""Bounds of perturbed fields. A value of the forcing that lies outside already is left as it is for shift 0."""

_OTHER_KEYS = ("correlation", "time_scale", "length_scale", "truncation", "control")
_PURPOSE = "forcing"


class ForcingPerturbation:
    """Perturbs the forcing of the members of one rank.

    Parameters
    ----------
    settings : mapping
        ``{"precipitation": {"std": 0.5}, "shortwave": {"std": 0.3}, "longwave": {"std": 20.0},
        "temperature": {"std": 1.0}, "correlation": 4 x 4, "time_scale": 86400.0, "length_scale": 1e5,
        "truncation": 2.5, "control": False}``. Every key is optional; a variable without a key is not perturbed.
        Standard deviations are relative [1] for precipitation and shortwave, [W m-2] and [K] for the others;
        ``time_scale`` [s], ``length_scale`` [m], ``truncation`` [standard deviations] or None for no cut.
        ``control`` leaves member 0 unperturbed.
    seed : int
        Seed of the experiment.
    members : array_like of int, shape (member,)
        Global indices of the members.
    x, y : array_like, shape (cell,)
        Coordinates of the cells of this rank [m].
    cell_id : array_like of int, shape (cell,)
        Global indices of the cells.
    dt : float
        Time step [s].
    phase : PrecipitationPhase, optional
        Rule that split the precipitation (``Forcing.phase``); None where the forcing knew rain and snow.

    Raises
    ------
    InputError
        If a key is unknown, a number is out of range, or the correlation matrix is not positive definite.

    Notes
    -----
    Correlations hold for the Gaussian noises before the exponential. Specific humidity is kept, since it is a
    property of the air mass that an error of temperature does not change, but limited to saturation over water at the
    perturbed temperature. Snow and rain share the factor. Where the phase of precipitation was diagnosed, it is
    diagnosed again at the temperature and humidity of the member; a phase that was observed stays.
    """

    def __init__(self, settings: Mapping[str, Any], seed: int, members: np.ndarray, x: np.ndarray, y: np.ndarray,
                 cell_id: np.ndarray, dt: float, phase: PrecipitationPhase | None = None) -> None:
        where = "ensemble.perturb.forcing"
        unknown = sorted(set(settings) - set(VARIABLES) - set(_OTHER_KEYS))
        if unknown:
            known = ", ".join(VARIABLES + _OTHER_KEYS)
            raise InputError(f"{where}: unknown key '{unknown[0]}'; expected one of {known}.")
        self.seed, self._phase = seed, phase
        self.members = np.asarray(members, np.int64)
        truncation = settings.get("truncation", DEFAULT_TRUNCATION)
        self._variables = tuple(name for name in VARIABLES if settings.get(name) is not None)
        self._shapes = {name: NoiseShape.build(f"{where}.{name}", _KINDS[name], _std(where, name, settings[name]),
                                               truncation) for name in self._variables}
        self._factor = _correlation_factor(where, settings.get("correlation"), self._variables)
        self._phi_exponent = _rate(where, settings.get("time_scale", 86400.0), dt)
        self._field = RandomField(x, y, cell_id, settings.get("length_scale", 0.0))
        self._control = self.members == 0 if settings.get("control", False) else np.zeros(self.members.size, bool)
        self._noise: np.ndarray | None = None
        self._step = -1

    def apply(self, step: int, weather: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the weather of each member at one step.

        Parameters
        ----------
        step : int
            Step index since the start of the experiment; must not go back. Calling twice with the same step gives
            the same result; skipped steps decorrelate the noise as if they had been taken.
        weather : mapping
            Forcing fields of shape ``(cell,)``; among them those that are perturbed.

        Returns
        -------
        dict
            Every field of ``weather`` with shape ``(member, cell)``; fields that are not perturbed are read-only views.

        Raises
        ------
        InputError
            If the step goes back or a field is missing or has another shape.
        """
        shape = (self.members.size, self._field.cell_id.size)
        for name, value in weather.items():
            if np.shape(value) != shape[1:]:
                raise InputError(f"forcing perturbation: '{name}' must have shape {shape[1:]}, got {np.shape(value)}.")
        self._advance(step)
        perturbed = {name: np.broadcast_to(np.asarray(value), shape) for name, value in weather.items()}
        for row, variable in enumerate(self._variables):
            change = self._shapes[variable].of(self._noise[row])
            change[self._control] = self._shapes[variable].neutral
            for name in _FIELDS[variable]:
                if name not in weather:
                    raise InputError(f"forcing perturbation: '{name}' is to be perturbed but is not in the forcing.")
                perturbed[name] = _changed(name, np.asarray(weather[name], float), change, self._shapes[variable].kind)
        if "temperature" in self._variables and "specific_humidity" in weather and "surface_pressure" in weather:
            humidity, temperature = np.asarray(weather["specific_humidity"], float), perturbed["air_temperature"]
            cooler = temperature < weather["air_temperature"]
            limit = saturation_humidity(temperature, np.asarray(weather["surface_pressure"], float))
            perturbed["specific_humidity"] = np.where(cooler, np.minimum(humidity, limit), humidity)
            self._split_again(perturbed, weather)
        return perturbed

    def _split_again(self, perturbed: dict[str, np.ndarray], weather: Mapping[str, np.ndarray]) -> None:
        """Diagnose rain and snowfall at the temperature of the members, where it differs from that of the forcing."""
        if self._phase is None or not {"rain", "snowfall"} <= set(perturbed):
            return
        rain, snowfall = self._phase.split(
            perturbed["rain"] + perturbed["snowfall"],
            *(perturbed[name] for name in ("air_temperature", "specific_humidity", "surface_pressure")))
        is_changed = perturbed["air_temperature"] != weather["air_temperature"]
        perturbed["rain"] = np.where(is_changed, rain, perturbed["rain"])
        perturbed["snowfall"] = np.where(is_changed, snowfall, perturbed["snowfall"])

    def _advance(self, step: int) -> None:
        """Bring the noise (variable, member, cell) to ``step``."""
        if self._noise is not None and step < self._step:
            raise InputError(f"forcing perturbation: step {step} lies before step {self._step}.")
        if not self._variables or (self._noise is not None and step == self._step):
            return
        white = self._field.sample(self.seed, _PURPOSE, self.members, step, len(self._variables))
        innovation = np.zeros_like(white)
        for row, weights in enumerate(self._factor):
            for column in range(row + 1):
                innovation[row] += weights[column] * white[column]
        if self._noise is None:
            self._noise = innovation
        else:
            phi = math.exp(-self._phi_exponent * (step - self._step))
            self._noise = phi * self._noise + math.sqrt(1.0 - phi**2) * innovation
        self._step = step

    def state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs: ``noise`` (variable, member, cell) [1] and ``step`` (); empty before use."""
        if self._noise is None:
            return {}
        return {"noise": self._noise.copy(), "step": np.array(self._step, np.int64)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from :meth:`state`; the following steps are bit-identical.

        Raises
        ------
        InputError
            If the shape of the noise differs: other members, cells or perturbed variables.
        """
        if not state:
            self._noise, self._step = None, -1
            return
        shape = (len(self._variables), self.members.size, self._field.cell_id.size)
        noise = np.array(state["noise"], float)
        if noise.shape != shape or not np.isfinite(noise).all():
            raise InputError(
                f"restart: the forcing noise must be finite with shape (variable, member, cell) = {shape}, got "
                f"{noise.shape}. The restart belongs to another ensemble or other perturbation settings."
            )
        self._noise, self._step = noise, int(state["step"])


def saturation_humidity(temperature: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """Return the specific humidity of saturated air over water [kg kg-1].

    Parameters
    ----------
    temperature : ndarray
        Air temperature [K].
    pressure : ndarray
        Air pressure [Pa].

    Notes
    -----
    Magnus formula over water, WMO-No. 8 (2008), annex 4.B; 0.622 is the ratio of the gas constants of dry air and
    vapour.
    """
    celsius = temperature - 273.15
    vapour = np.minimum(611.2 * np.exp(17.62 * celsius / (243.12 + celsius)), pressure)
    return 0.622 * vapour / (pressure - 0.378 * vapour)


def _changed(name: str, value: np.ndarray, change: np.ndarray, kind: str) -> np.ndarray:
    result = value * change if kind == MULTIPLY else value + change
    if name in BOUNDS:
        low, high = BOUNDS[name]
        np.clip(result, np.minimum(low, value), np.maximum(high, value), out=result)
    return result


def _std(where: str, name: str, entry: Any) -> float:
    if not isinstance(entry, Mapping) or "std" not in entry:
        raise InputError(f"{where}.{name}: expected a mapping with 'std', got {entry!r}.")
    unknown = sorted(set(entry) - {"std"})
    if unknown:
        raise InputError(f"{where}.{name}: unknown key '{unknown[0]}'; expected 'std'.")
    return entry["std"]


def _rate(where: str, time_scale: Any, dt: float) -> float:
    """Return dt / time_scale [1]; infinite for noise that is white in time."""
    if not (isinstance(time_scale, (int, float)) and math.isfinite(time_scale) and time_scale >= 0):
        raise InputError(f"{where}.time_scale: expected 0 or a positive time [s], got {time_scale!r}.")
    if not (math.isfinite(dt) and dt > 0):
        raise InputError(f"forcing perturbation: the time step must be positive [s], got {dt}.")
    return math.inf if time_scale == 0 else dt / time_scale


def _correlation_factor(where: str, matrix: Any, variables: tuple[str, ...]) -> np.ndarray:
    """Return the Cholesky factor of the correlation matrix of the perturbed variables."""
    full = np.array(DEFAULT_CORRELATION if matrix is None else matrix, float)
    order = f"the order is {', '.join(VARIABLES)}"
    if full.shape != (4, 4) or not np.isfinite(full).all():
        raise InputError(f"{where}.correlation: expected a finite 4 x 4 matrix ({order}), got shape {full.shape}.")
    if not np.array_equal(full, full.T) or not np.array_equal(np.diag(full), np.ones(4)):
        raise InputError(f"{where}.correlation: the matrix must be symmetric with ones on the diagonal ({order}).")
    chosen = [VARIABLES.index(name) for name in variables]
    part = full[np.ix_(chosen, chosen)]
    try:
        return np.linalg.cholesky(part)
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(part)[0])
        raise InputError(
            f"{where}.correlation: no noises have these correlations, since the matrix is not positive definite "
            f"(smallest eigenvalue {smallest:.3g}; {order}). Bring the large correlations nearer to 0."
        ) from None
