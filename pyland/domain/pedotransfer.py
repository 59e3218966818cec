"""Soil hydraulic parameters from texture.

References
----------
.. [1] Cosby, B. J., Hornberger, G. M., Clapp, R. B., Ginn, T. R. (1984). A statistical exploration of the relationships
   of soil moisture characteristics to the physical properties of soils. Water Resour. Res. 20, 682-690. In the form of
   the CLM Technical Note, section 7.3.1.
.. [2] Schaap, M. G., Leij, F. J., van Genuchten, M. T. (2001). Rosetta: a computer program for estimating soil
   hydraulic parameters with hierarchical pedotransfer functions. J. Hydrol. 251, 163-176 (class averages).
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError

ROSETTA_CLASSES = MappingProxyType({
    # class: residual water, saturated water [m3 m-3], log10 alpha [cm-1], log10 n [1], log10 Ks [cm d-1]
    "clay": (0.098, 0.459, -1.825, 0.098, 1.169),
    "clay loam": (0.079, 0.442, -1.801, 0.151, 0.913),
    "loam": (0.061, 0.399, -1.954, 0.168, 1.081),
    "loamy sand": (0.049, 0.390, -1.459, 0.242, 2.022),
    "sand": (0.053, 0.375, -1.453, 0.502, 2.808),
    "sandy clay": (0.117, 0.385, -1.476, 0.082, 1.055),
    "sandy clay loam": (0.063, 0.384, -1.676, 0.124, 1.120),
    "sandy loam": (0.039, 0.387, -1.574, 0.161, 1.583),
    "silt": (0.050, 0.489, -2.182, 0.225, 1.641),
    "silty clay": (0.111, 0.481, -1.790, 0.121, 0.983),
    "silty clay loam": (0.090, 0.482, -2.076, 0.182, 1.046),
    "silt loam": (0.065, 0.439, -2.296, 0.221, 1.261),
})
"""Class averages of Rosetta, table 3 of [2]_."""

_CM_PER_DAY = 0.01 / 86400.0  # [m s-1]


def clapp_hornberger_cosby(sand: np.ndarray, clay: np.ndarray) -> dict[str, np.ndarray]:
    """Return Clapp-Hornberger parameters from texture [1]_.

    Parameters
    ----------
    sand, clay : array_like
        Share of the mineral soil [%], any one shape.

    Returns
    -------
    dict of str to numpy.ndarray
        ``porosity`` [m3 m-3], ``clapp_hornberger_b`` [1], ``air_entry_head`` [m, negative],
        ``saturated_conductivity`` [m s-1].

    Raises
    ------
    InputError
        If the texture is impossible.
    """
    sand, clay = _checked(sand, clay)
    return {
        "porosity": 0.489 - 0.00126 * sand,
        "clapp_hornberger_b": 2.91 + 0.159 * clay,
        "air_entry_head": -0.01 * 10.0 ** (1.88 - 0.0131 * sand),
        "saturated_conductivity": 0.0070556e-3 * 10.0 ** (-0.884 + 0.0153 * sand),
    }


def van_genuchten_rosetta(sand: np.ndarray, clay: np.ndarray) -> dict[str, np.ndarray]:
    """Return van Genuchten parameters of the texture class [2]_.

    Parameters
    ----------
    sand, clay : array_like
        Share of the mineral soil [%], any one shape.

    Returns
    -------
    dict of str to numpy.ndarray
        ``porosity``, ``residual_water`` [m3 m-3], ``van_genuchten_alpha`` [m-1], ``van_genuchten_n`` [1],
        ``saturated_conductivity`` [m s-1].

    Raises
    ------
    InputError
        If the texture is impossible.
    """
    sand, clay = _checked(sand, clay)
    names = np.vectorize(texture_class, otypes=[object])(sand, clay)
    table = np.array([ROSETTA_CLASSES[name] for name in names.ravel()]).reshape(*sand.shape, 5)
    return {
        "porosity": table[..., 1],
        "residual_water": table[..., 0],
        "van_genuchten_alpha": 100.0 * 10.0 ** table[..., 2],
        "van_genuchten_n": 10.0 ** table[..., 3],
        "saturated_conductivity": _CM_PER_DAY * 10.0 ** table[..., 4],
    }


def texture_class(sand: float, clay: float) -> str:
    """Return the USDA texture class (USDA Soil Survey Manual, 2017, chapter 3).

    Parameters
    ----------
    sand, clay : float
        Share of the mineral soil [%].
    """
    silt = 100.0 - sand - clay
    if silt + 1.5 * clay < 15.0:
        return "sand"
    if silt + 2.0 * clay < 30.0:
        return "loamy sand"
    if (7.0 <= clay < 20.0 and sand > 52.0) or (clay < 7.0 and silt < 50.0):
        return "sandy loam"
    if clay < 12.0 and silt >= 80.0:
        return "silt"
    if clay < 27.0 and silt >= 50.0:
        return "silt loam"
    if 7.0 <= clay < 27.0 and 28.0 <= silt < 50.0 and sand <= 52.0:
        return "loam"
    if 20.0 <= clay < 35.0 and silt < 28.0 and sand > 45.0:
        return "sandy clay loam"
    if clay >= 35.0 and sand > 45.0:
        return "sandy clay"
    if clay >= 40.0 and silt >= 40.0:
        return "silty clay"
    if clay >= 40.0:
        return "clay"
    return "silty clay loam" if sand <= 20.0 else "clay loam"


def _checked(sand: np.ndarray, clay: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sand, clay = np.broadcast_arrays(np.asarray(sand, float), np.asarray(clay, float))
    if not ((sand >= 0) & (clay >= 0) & (sand + clay <= 100.0 + 1e-9)).all():
        raise InputError("pedotransfer: sand and clay must be at least 0 and at most 100 % together.")
    return sand, clay
