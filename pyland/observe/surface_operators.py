"""What sensors see of the surface: its temperature, its snow, its leaves and their fluorescence.

References
----------
.. [1] Norman, J. M., Kustas, W. P., Humes, K. S. (1995). Source approach for estimating soil and vegetation energy
   fluxes in observations of directional radiometric surface temperature. Agric. For. Meteorol. 77, 263-293.
.. [2] Niu, G.-Y., Yang, Z.-L. (2007). An observation-based formulation of snow cover fraction and its evaluation over
   large North American river basins. J. Geophys. Res. 112, D21101.
.. [3] Guanter, L., et al. (2014). Global and time-resolved monitoring of crop photosynthesis with chlorophyll
   fluorescence. PNAS 111, E1327-E1333.
"""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError

STEFAN_BOLTZMANN = 5.67e-8
"""[W m-2 K-4]; the number of the land model, so that black radiation gives back its own temperature."""

EXTINCTION = 0.5
"""Share of the leaf area that is projected where the angles of leaves are spread as on a sphere [1] [1]_."""


def land_surface_temperature(
    longwave_up: np.ndarray, longwave_down: np.ndarray | float = 0.0, emissivity: float = 1.0
) -> np.ndarray:
    """Return the temperature that a thermal sensor retrieves with an emissivity.

    Upward radiation is emission and the share of the sky that is reflected:
    ``T = ((up - (1 - emissivity) down) / (emissivity sigma))**(1/4)``.

    Parameters
    ----------
    longwave_up, longwave_down : array_like, shape (member, cell)
        Longwave radiation of the surface and of the sky [W m-2]; the latter has no part with emissivity 1.
    emissivity : float
        Emissivity with which the product was made, above 0 and at most 1 [1].

    Returns
    -------
    ndarray, shape (member, cell)
        Temperature [K].

    Raises
    ------
    InputError
        If the emissivity is out of range, or less than what is reflected comes up.
    """
    if not 0.0 < emissivity <= 1.0:
        raise InputError(f"lst operator: expected an emissivity above 0 and at most 1, got {emissivity}.")
    emitted = np.asarray(longwave_up, float)
    if emissivity < 1.0:
        emitted = (emitted - (1.0 - emissivity) * np.asarray(longwave_down, float)) / emissivity
    if not (emitted > 0.0).all():
        raise InputError("lst operator: the surface emits nothing in some cell; expected longwave_up above the share "
                         "of longwave_down that is reflected [W m-2].")
    return (emitted / STEFAN_BOLTZMANN) ** 0.25


def vegetation_share(leaf_area: np.ndarray, angle: float = 0.0) -> np.ndarray:
    """Return the share of the view that leaves fill, ``1 - exp(-0.5 leaf_area / cos(angle))`` [1]_ eq. 3.

    Parameters
    ----------
    leaf_area : array_like
        Leaf area index [1].
    angle : float
        Angle from the zenith at which the sensor looks [degrees], 0 to below 90.

    Returns
    -------
    ndarray
        Share [1].

    Raises
    ------
    InputError
        If the angle is out of range.
    """
    if not 0.0 <= angle < 90.0:
        raise InputError(f"lst operator: expected an angle from 0 to below 90 degrees, got {angle}.")
    return -np.expm1(-EXTINCTION * np.asarray(leaf_area, float) / np.cos(np.deg2rad(angle)))


def two_source_temperature(
    leaf_temperature: np.ndarray, ground_temperature: np.ndarray, leaf_area: np.ndarray, patch_fraction: np.ndarray,
    angle: float = 0.0,
) -> np.ndarray:
    """Return the temperature of leaves and ground as a sensor sees them side by side [1]_ eq. 1.

    ``T**4`` is the mean of those of leaves and ground over the view, and then over the patches.

    Parameters
    ----------
    leaf_temperature : array_like, shape (patch, member, cell)
        [K]
    ground_temperature : array_like, shape (member, cell)
        Of the ground, snow included [K].
    leaf_area : array_like, shape (patch, member, cell)
        Leaf area index [1].
    patch_fraction : array_like, shape (patch, member, cell)
        Shares of the patches; they sum to 1 [1].
    angle : float
        Angle from the zenith at which the sensor looks [degrees].

    Returns
    -------
    ndarray, shape (member, cell)
        Temperature [K].
    """
    leaves = vegetation_share(leaf_area, angle)
    fourth = leaves * np.asarray(leaf_temperature, float) ** 4 + (1.0 - leaves) * np.asarray(
        ground_temperature, float) ** 4
    return _patch_mean(fourth, patch_fraction) ** 0.25


def snow_cover_niu_yang(
    depth: np.ndarray, mass: np.ndarray, roughness: float = 0.01, fresh_density: float = 100.0, exponent: float = 1.6
) -> np.ndarray:
    """Return the share of the ground under snow, ``tanh(depth / (2.5 z0 (density / fresh_density)**exponent))``.

    Parameters
    ----------
    depth : array_like
        Depth of snow, mean over the cell [m].
    mass : array_like
        Mass of snow [kg m-2].
    roughness : float
        Roughness length of the ground, z0 [m].
    fresh_density : float
        Density of new snow [kg m-3].
    exponent : float
        How cover falls with density: 1.6 at the scale of some kilometres [2]_ [1].

    Returns
    -------
    ndarray
        Share [1]; 0 without snow.

    Raises
    ------
    InputError
        If a number is not positive.
    """
    if not (roughness > 0 and fresh_density > 0 and exponent > 0):
        raise InputError("snow_cover operator: roughness, fresh density and exponent must be positive, got "
                         f"{roughness}, {fresh_density}, {exponent}.")
    depth, mass = np.asarray(depth, float), np.asarray(mass, float)
    lies = (depth > 0.0) & (mass > 0.0)
    deep = np.where(lies, depth, 1.0)
    density = np.where(lies, mass, fresh_density) / deep
    return np.where(lies, np.tanh(deep / (2.5 * roughness * (density / fresh_density) ** exponent)), 0.0)


def fluorescence(gross_primary_production: np.ndarray, sif_yield: float) -> np.ndarray:
    """Return sun-induced fluorescence in proportion to photosynthesis [3]_; no fluorescence physics.

    Parameters
    ----------
    gross_primary_production : array_like, shape (member, cell)
        Carbon [kg m-2 s-1].
    sif_yield : float
        Factor [W m-2 um-1 sr-1 / (kg m-2 s-1)].

    Returns
    -------
    ndarray, shape (member, cell)
        Fluorescence [W m-2 um-1 sr-1].
    """
    return sif_yield * np.asarray(gross_primary_production, float)


def _patch_mean(values: np.ndarray, patch_fraction: np.ndarray) -> np.ndarray:
    """Return the mean over patches, added in their order."""
    total = np.zeros(values.shape[1:])
    for share, one in zip(np.asarray(patch_fraction, float), values, strict=True):
        total += share * one
    return total
