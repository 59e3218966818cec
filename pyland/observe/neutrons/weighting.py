"""How much soil at a distance and a depth counts in what a probe sees, to compare it with cores.

Koehli et al. (2015), Water Resour. Res. 51, 5772-5790 (table A1), and Schroen et al. (2017), Hydrol. Earth Syst. Sci.
21, 5009-5030 (appendix A), who added the first metre and scale distances by pressure and plants. Air humidity is x,
moisture of all pools y. The functions of 2017 are those of 2015 with moisture divided by 1.321, to four digits (tests),
but for one exponent: beyond 50 m 4.156 of 2015 became 3.146, where 1.321 times it, 5.490, would be expected. With 3.146
the weight falls by 7 % at 50 m (moisture 0.25), with that of 2015 by 2 %. The published values are kept.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError

FARTHEST = 600.0
"""Distance to which the functions are defined [m]."""

NEAR, FAR = 1.0, 50.0
"""Distances at which the function of the distance changes its form [m]."""

DRIEST = 0.01
"""Least moisture at which the functions are evaluated [m3 m-3]; they were fitted from 0.02 to 0.5, and have a pole
at 0."""

STANDARD_PRESSURE = 101325.0
"""Air pressure to which distances are scaled [Pa]."""

_NEAR_FIELD = 3.7  # F0 of Schroen et al. [m-1]
_DEPTH = MappingProxyType({"schroen2017": (20.0, 0.0429), "koehli2015": (26.42, 0.0567)})
_MIDDLE = MappingProxyType({
    "schroen2017": ((8735.0, 22.689, 11720.0, 0.00978, 9306.0, 0.003632),
                    (2.7925e-2, 6.6577, 0.028544, 0.002455, 6.851e-5, 12.2755),
                    (247970.0, 23.289, 374655.0, 0.00191, 258552.0),
                    (5.4818e-2, 21.032, 0.6373, 0.0791, 5.425e-4)),
    "koehli2015": ((8735.0, 17.1758, 11720.0, 0.00978, 7045.0, 0.003632),
                   (2.7925e-2, 5.0399, 0.028544, 0.002455, 6.851e-5, 9.2926),
                   (247970.0, 17.63, 374655.0, 0.00191, 195725.0),
                   (5.4818e-2, 15.921, 0.6373, 0.0599, 5.425e-4)),
})
_DISTANT = MappingProxyType({
    "schroen2017": ((6.031e-5, 98.5, 1.3826e-3), (11747.0, 55.033, 4521.0, 0.01998, 0.00604, 3347.4, 0.00475),
                    (1.543e-2, 13.29, 1.807e-2, 0.0011, 8.81e-5, 0.0405, 26.74)),
    "koehli2015": ((6.031e-5, 98.5, 1.0466e-3), (11747.0, 41.66, 4521.0, 0.01998, 0.00604, 2534.0, 0.00475),
                   (1.543e-2, 10.06, 1.807e-2, 0.0011, 8.81e-5, 0.0405, 20.24)),
})
RELATIONS = tuple(_DEPTH)
"""Sets of functions."""


def sensing_depth(
    distance: ArrayLike, bulk_density: ArrayLike, moisture: ArrayLike, relation: str = "schroen2017"
) -> np.ndarray:
    """Return D86, the depth above which 86 % of the neutrons from soil at a distance are made.

    Parameters
    ----------
    distance : array_like
        Distance from the probe, scaled by `scaled_distance` for ``schroen2017`` [m].
    bulk_density : array_like
        Dry bulk density [kg m-3].
    moisture : array_like
        Water of all pools [m3 m-3].
    relation : {"schroen2017", "koehli2015"}
        Set of coefficients.

    Returns
    -------
    ndarray
        Depth [m]; shape to which the arguments broadcast.

    Raises
    ------
    InputError
        If there is no such relation, or a value is impossible.
    """
    _check(relation, moisture)
    density = 1.0e-3 * np.asarray(bulk_density, float)
    if not (density > 0).all():
        raise InputError("D86: bulk density must be above 0 kg m-3.")
    a, b = _DEPTH[relation]
    y = np.asarray(moisture, float)
    decay = 0.96655 + np.exp(-0.01 * np.asarray(distance, float))
    return 0.01 * (8.321 + 0.14249 * decay * (a + y) / (b + y)) / density


def vertical_weight(depth: ArrayLike, sensing: ArrayLike) -> np.ndarray:
    """Return W_d = exp(-2 d/D86) [1] of soil at a depth [m] where D86 is ``sensing`` [m]."""
    return np.exp(-2.0 * np.asarray(depth, float) / np.asarray(sensing, float))


def horizontal_weight(
    distance: ArrayLike, moisture: ArrayLike, humidity: ArrayLike, relation: str = "schroen2017"
) -> np.ndarray:
    """Return W_r, the neutrons that come from a ring of soil at a distance, for each metre of its width.

    Parameters
    ----------
    distance : array_like
        Distance from the probe, scaled by `scaled_distance` for ``schroen2017`` [m], up to 600 m.
    moisture : array_like
        Water of all pools, mean of the field [m3 m-3].
    humidity : array_like
        Absolute humidity of the air [kg m-3].
    relation : {"schroen2017", "koehli2015"}
        Set of functions. That of 2015 begins at 0.5 m; nearer, its function goes on here.

    Returns
    -------
    ndarray
        Weight [1], not normalised; shape to which the arguments broadcast.

    Raises
    ------
    InputError
        If there is no such relation, a distance is outside 0 to 600 m, or moisture or humidity is impossible.
    """
    _check(relation, moisture)
    r, y, x = np.broadcast_arrays(
        np.asarray(distance, float), np.asarray(moisture, float), 1000.0 * np.asarray(humidity, float))
    if not ((r >= 0) & (r <= FARTHEST)).all():
        raise InputError(f"weight of the distance: distances must lie between 0 and {FARTHEST:g} m, got "
                         f"{r.min():.4g} to {r.max():.4g}. Leave soil out that is farther away.")
    if not ((x >= 0) & (x <= 50)).all():
        raise InputError("weight of the distance: absolute humidity must lie between 0 and 0.05 kg m-3; 1 g m-3 is "
                         "0.001 kg m-3.")
    middle = _middle(r, y, x, *_MIDDLE[relation])
    near = 1.0 - np.exp(-_NEAR_FIELD * r) if relation == "schroen2017" else 1.0
    return np.where(r <= NEAR, middle * near, np.where(r <= FAR, middle, _distant(r, y, x, relation)))


def scaled_distance(
    distance: ArrayLike, pressure: ArrayLike = STANDARD_PRESSURE, vegetation_height: ArrayLike = 0.0,
    moisture: ArrayLike = 0.1,
) -> np.ndarray:
    """Return r* = r/F_p/F_veg, the distance that weighs alike at standard pressure (Schroen et al. 2017, appendix A).

    Parameters
    ----------
    distance : array_like
        Distance from the probe [m].
    pressure : array_like
        Air pressure [Pa].
    vegetation_height : array_like
        Height of plants [m].
    moisture : array_like
        Water of all pools, mean of the field [m3 m-3].

    Raises
    ------
    InputError
        If pressure is below 300 hPa, where its factor ends, or moisture is impossible.
    """
    pressure, height = np.asarray(pressure, float), np.asarray(vegetation_height, float)
    _check("schroen2017", moisture)
    if not ((pressure > 3.0e4) & (pressure < 1.2e5)).all() or not (height >= 0).all():
        raise InputError("scaled distance: pressure must lie between 30 000 and 120 000 Pa, and the height of plants "
                         "be at least 0 m; 1 hPa is 100 Pa.")
    for_pressure = 0.4922 / (0.86 - np.exp(-pressure / STANDARD_PRESSURE))
    for_plants = 1.0 - 0.17 * (1.0 - np.exp(-0.41 * height)) * (1.0 + np.exp(-9.25 * np.asarray(moisture, float)))
    return np.asarray(distance, float) / for_pressure / for_plants


def _middle(
    r: np.ndarray, y: np.ndarray, x: np.ndarray, f1: tuple[float, ...], f2: tuple[float, ...], f3: tuple[float, ...],
    f4: tuple[float, ...],
) -> np.ndarray:
    first = f1[0] * (1 + f1[3] * x) * np.exp(-f1[1] * y) + f1[2] * (1 + f1[5] * x) - f1[4] * y
    slow = ((-f2[0] + f2[4] * x) * np.exp(-f2[1] * y / (1 + f2[5] * y)) + f2[2]) * (1 + x * f2[3])
    second = f3[0] * (1 + f3[3] * x) * np.exp(-f3[1] * y) + f3[2] - f3[4] * y
    fast = f4[0] * np.exp(-f4[1] * y) + f4[2] - f4[3] * y + f4[4] * x
    return first * np.exp(-slow * r) + second * np.exp(-fast * r)


def _distant(r: np.ndarray, y: np.ndarray, x: np.ndarray, relation: str) -> np.ndarray:
    f6, f7, f8 = _DISTANT[relation]
    if relation == "schroen2017":
        first = ((39006.0 - 15002337.0 / (2009.24 * y + x - 0.13)) * (0.01181 - y) * np.exp(-3.146 * y)
                 - 16.7417 * x * y + 3727.0)
    else:
        first = (1383702.0 * (0.02 - 1.0 / 0.130 / (x - 0.130 + 1521.0 * y)) * (0.0156 - y)
                 * np.exp(-4.156 * (y - 0.0156)) + 5325.0 * (0.7 - 0.00238 * x * y))
    slow = f6[0] * (x + f6[1]) + f6[2] * y
    second = (f7[0] * (1 - f7[6] * x) * np.exp(-f7[1] * y * (1 - x * f7[4])) + f7[2] - f7[5] * y) * (2 + x * f7[3])
    fast = ((-f8[0] + f8[4] * x) * np.exp(-f8[1] * y / (1 + f8[5] * x + f8[6] * y)) + f8[2]) * (2 + x * f8[3])
    return first * np.exp(-slow * r) + second * np.exp(-fast * r)


def _check(relation: str, moisture: ArrayLike) -> None:
    if relation not in RELATIONS:
        raise InputError(f"weights of soil: unknown relation '{relation}'; available: {', '.join(RELATIONS)}.")
    moisture = np.asarray(moisture, float)
    if not ((moisture >= DRIEST) & (moisture <= 1)).all():
        raise InputError(f"weights of soil: moisture must lie between {DRIEST} and 1 m3 m-3.")


__all__ = ["FARTHEST", "RELATIONS", "horizontal_weight", "scaled_distance", "sensing_depth", "vertical_weight"]
