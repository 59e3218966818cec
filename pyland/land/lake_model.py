"""Lakes: temperature of water and ice, fluxes to the air, snow on the ice."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core.lake import Lakes

NOMINAL_LAYERS = (0.1, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 7.0, 10.45, 10.45)
"""Layers of a lake of 50 m, top first [m] (CLM Technical Note, table 12.1)."""

NLAYER = len(NOMINAL_LAYERS)
"""Layers of a lake [1]."""

TOP_LAYER = NOMINAL_LAYERS[0]
"""Thickness that the top layer keeps in lakes deeper than `SHALLOW` [m]."""

SHALLOW = 1.0
"""Depth down to which all layers are equally thick [m]."""

DENSEST = 277.0
"""Temperature at which water is densest [K]."""

FREEZING = 273.15
"""Freezing point [K]."""

LATENT_FUSION, HEAT_WATER, HEAT_ICE = 3.337e5, 4188.0, 2117.27
"""Latent heat of fusion [J kg-1], heat capacities of water and ice [J kg-1 K-1], as in the core."""


def lake_layers(depth: ArrayLike) -> np.ndarray:
    """Return the layers of lakes.

    Parameters
    ----------
    depth : float or array_like, shape (column,)
        Depth [m], above 0.

    Returns
    -------
    numpy.ndarray, shape (10, column)
        Thickness, top first [m]; adds up to the depth.

    Raises
    ------
    InputError
        If a depth is not positive.

    Notes
    -----
    The top layer has 0.1 m, the others are those of CLM scaled to the depth; lakes of 1 m and less have ten equal
    layers.
    """
    depth = np.atleast_1d(np.asarray(depth, dtype=float))
    if not (depth > 0.0).all():
        raise InputError(f"lakes: expected depths above 0 m, got {depth[~(depth > 0.0)][0]:g}.")
    nominal = np.array(NOMINAL_LAYERS)[:, None]
    scaled = nominal * (depth - TOP_LAYER) / (nominal.sum() - TOP_LAYER)
    scaled[0] = TOP_LAYER
    return np.where(depth > SHALLOW, scaled, depth / NLAYER)


def light_extinction(depth: ArrayLike) -> np.ndarray:
    """Return the extinction of visible light in lakes of a depth [m], after Hakanson (1995) [m-1].

    Notes
    -----
    1.1925 d^-0.424: shallow lakes are more turbid (CLM Technical Note, equation 12.31).
    """
    return 1.1925 * np.asarray(depth, dtype=float) ** -0.424


class LakeModel:
    """Lakes under given weather.

    Parameters
    ----------
    depth : float or array_like, shape (column,)
        Depth [m].
    ncolumn : int, optional
        Number of lakes; that of ``depth`` by default.
    latitude : float or array_like
        [degrees north].
    extinction : float or array_like, optional
        Extinction of visible light [m-1]; by default that of the depth, see `light_extinction`.
    reference_height : float or array_like
        Height of the forcing above the surface [m].
    stability_limit : float
        Largest stability parameter zeta of stable air [1].

    Attributes
    ----------
    state, parameter, forcing, flux : Mapping[str, numpy.ndarray]
        Live views of the fields of the core, ``(column,)`` or ``(10, column)``, layers first.

    Raises
    ------
    InputError
        If a name, a size or a value does not fit.

    Notes
    -----
    Ten layers after Subin et al. (2012): docs/theory/lake.md. A lake starts at 277 K without ice. Its level is fixed:
    precipitation less evaporation is ``flux["surface_runoff"]``, negative where more evaporates.

    Examples
    --------
    >>> lake = LakeModel(20.0, latitude=60.0)
    >>> noon = dict(air_temperature=293.0, specific_humidity=0.008, surface_pressure=1e5, wind_speed=3.0,
    ...             shortwave_down=700.0, longwave_down=330.0, rain=0.0, snowfall=0.0, cosine_zenith=0.8)
    >>> lake.advance(noon, 1800.0)
    >>> bool(277.0 < lake.state["lake_temperature"][0, 0] < 279.0)
    True
    >>> bool(abs(lake.flux["energy_balance_residual"][0]) < 1e-6)
    True
    """

    def __init__(
        self,
        depth: ArrayLike,
        *,
        ncolumn: int | None = None,
        latitude: ArrayLike = 45.0,
        extinction: ArrayLike | None = None,
        reference_height: ArrayLike = 10.0,
        stability_limit: float = 0.5,
    ) -> None:
        depth = np.atleast_1d(np.asarray(depth, dtype=float))
        self.ncolumn = depth.size if ncolumn is None else ncolumn
        self._lakes = Lakes(self.ncolumn, stability_limit)
        self.state = _views(self._lakes.state)
        self.parameter = _views(self._lakes.parameter)
        self.forcing = _views(self._lakes.forcing)
        self.flux = _views(self._lakes.flux)
        self.set_parameters({
            "lake_layer_thickness": lake_layers(depth),
            "lake_extinction": light_extinction(depth) if extinction is None else extinction,
            "latitude": latitude,
            "reference_height": reference_height,
        })
        self.set_temperature(DENSEST)

    def _set(self, target: Mapping[str, np.ndarray], values: Mapping[str, ArrayLike]) -> None:
        for name, value in values.items():
            if name not in target:
                raise InputError(f"LakeModel: there is no field '{name}'; there are {', '.join(sorted(target))}.")
            view, array = target[name], np.asarray(value, dtype=float)
            try:
                view[...] = array
            except ValueError as error:
                raise InputError(
                    f"LakeModel: '{name}' has shape {np.shape(value)}; expected a number or {view.shape}.") from error

    def set_parameters(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Set parameter fields: numbers, ``(column,)`` or ``(10, column)``."""
        self._set(self.parameter, parameters)
        self._lakes.check()

    def set_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Set state fields: numbers, ``(column,)`` or ``(10, column)``."""
        self._set(self.state, state)

    def set_temperature(self, temperature: ArrayLike) -> None:
        """Set water, or ice where it is below freezing, to ``temperature`` [K], without snow; shape () or (column,)."""
        warmth = np.broadcast_to(np.asarray(temperature, dtype=float), (self.ncolumn,))
        if not ((warmth > 173.15) & (warmth < 373.15)).all():
            raise InputError(f"LakeModel: expected temperatures between 173.15 and 373.15 K, got {temperature!r}.")
        self.set_state({
            "lake_temperature": warmth, "lake_ice_fraction": (warmth < FREEZING).astype(float), "lake_snow": 0.0,
            "lake_surface_temperature": warmth})

    def advance(self, weather: Mapping[str, ArrayLike], dt: float) -> None:
        """Advance all lakes by one step.

        Parameters
        ----------
        weather : Mapping[str, array_like]
            Means over the step, each a number or ``(column,)``: the fields of ``model.forcing``; what is left out keeps
            its last value.
        dt : float
            Time step [s], in (0, 86400].

        Raises
        ------
        InputError
            If a name or a shape does not fit, or the step is out of range.
        StateError, BalanceError
            If forcing or state is not finite, or energy or water does not close.
        """
        self._set(self.forcing, weather)
        self._lakes.step(dt)

    def enthalpy(self) -> np.ndarray:
        """Heat of the layers above that of ice at the freezing point, shape (10, column) [J m-2]."""
        warmth = self.state["lake_temperature"] - FREEZING
        ice = self.state["lake_ice_fraction"]
        specific = (1.0 - ice) * (LATENT_FUSION + HEAT_WATER * warmth) + ice * HEAT_ICE * warmth
        return 1000.0 * self.parameter["lake_layer_thickness"] * specific

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per lake [byte]."""
        return self._lakes.bytes_per_column


def _views(fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Fields of one value per lake lose their first axis."""
    return MappingProxyType({name: field[0] if field.shape[0] == 1 else field for name, field in fields.items()})
