"""Water stored in a column as a pair of satellites feels it: all of it, whatever its depth and phase.

Gravity missions give the change of mass against a mean over some years, as the thickness of liquid water (Landerer,
F. W., Swenson, S. C., 2012, Water Resour. Res. 48, W04531). A model shows the same less its mean over a period.
"""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError

WATER_DENSITY = 1000.0
"""Of liquid water [kg m-3]."""


def water_storage(
    soil_water: np.ndarray,
    thickness: np.ndarray,
    soil_ice: np.ndarray | float = 0.0,
    snow_mass: np.ndarray | float = 0.0,
    canopy_water: np.ndarray | float = 0.0,
    surface_water: np.ndarray | float = 0.0,
    ground_water: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Return all water of a column.

    Parameters
    ----------
    soil_water : array_like, shape (layer, member, cell)
        Volumetric liquid water [m3 m-3].
    thickness : array_like, shape (layer,)
        Thickness of the layers [m].
    soil_ice : array_like, shape (layer, member, cell)
        Ice as the volume of its water [m3 m-3].
    snow_mass, canopy_water, surface_water, ground_water : array_like, shape (member, cell)
        Snow, water and snow on leaves, on the ground, and below the layers [kg m-2].

    Returns
    -------
    ndarray, shape (member, cell)
        Water [kg m-2].

    Raises
    ------
    InputError
        If shapes do not fit.
    """
    soil_water, thickness = np.asarray(soil_water, float), np.asarray(thickness, float)
    if soil_water.ndim != 3 or thickness.shape != soil_water.shape[:1]:
        raise InputError("tws operator: soil_water must have shape (layer, member, cell) and thickness (layer,); got "
                         f"{soil_water.shape} and {thickness.shape}.")
    volume = soil_water + soil_ice
    stored = np.zeros(soil_water.shape[1:])
    for layer, thick in enumerate(thickness):  # in the order of the layers: the same bits for any number of columns
        stored += WATER_DENSITY * thick * volume[layer]
    return stored + snow_mass + canopy_water + surface_water + ground_water


def storage_anomaly(storage: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Return what is stored beyond the mean of a period [kg m-2], as gravity missions give it.

    Parameters
    ----------
    storage : array_like, shape (..., cell)
        Water [kg m-2].
    baseline : array_like, shape (cell,)
        Its mean over the period against which the product stands [kg m-2].
    """
    return np.asarray(storage, float) - np.asarray(baseline, float)
