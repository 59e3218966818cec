"""Mean and uncertainty of van Genuchten parameters from texture, by Rosetta 3 (extra ``soil``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError, UnavailableError

_VERSION = 3
_CENTIMETRE = 0.01  # [m]
_CENTIMETRE_PER_DAY = 0.01 / 86400.0  # [m s-1]


@dataclass(frozen=True)
class Estimate:
    """One parameter.

    Attributes
    ----------
    median : float
        Median [unit of the registry].
    std : float
        Standard deviation; of the natural logarithm where ``is_log``.
    is_log : bool
        Whether the logarithm is normal.
    """

    median: float
    std: float
    is_log: bool


def rosetta_estimate(sand: float, clay: float, bulk_density: float | None = None) -> dict[str, Estimate]:
    """Estimate van Genuchten parameters and their uncertainty.

    Parameters
    ----------
    sand, clay : float
        Share of the mineral soil [%].
    bulk_density : float, optional
        Bulk density [g cm-3]; without it the model of texture alone (code 2 of Rosetta), with it code 3.

    Returns
    -------
    dict of str to Estimate
        By registry id. The uncertainty is that of the mean over bootstrapped networks [1]_; single soils of one texture
        differ more.

    Raises
    ------
    UnavailableError
        If the package is not installed.
    InputError
        If the texture is impossible.

    References
    ----------
    .. [1] Zhang, Y., and Schaap, M. G. (2017). Weighted recalibration of the Rosetta pedotransfer model with improved
       estimates of hydraulic parameter distributions and summary statistics (Rosetta3). J. Hydrol. 547, 39-53.
    """
    try:
        from rosetta import SoilData, rosetta
    except ImportError as error:
        raise UnavailableError(
            "Priors of Rosetta need the package rosetta-soil, which is not installed. Install it with: "
            "pip install 'pyland[soil]'") from error
    if not (sand >= 0.0 and clay >= 0.0 and sand + clay <= 100.0):
        raise InputError(f"Rosetta: expected sand and clay of at least 0 and at most 100 % together, got {sand:g} and "
                         f"{clay:g}.")
    soil = [sand, 100.0 - sand - clay, clay, *([] if bulk_density is None else [bulk_density])]
    mean, std, _ = rosetta(_VERSION, SoilData.from_iter([soil]), estimate_type="log")
    logarithm = np.log(10.0)
    # log10 of alpha [cm-1], n and Ks [cm d-1]; water contents as they are
    out = {"residual_water": Estimate(float(mean[0, 0]), float(std[0, 0]), False),
           "porosity": Estimate(float(mean[0, 1]), float(std[0, 1]), False)}
    for place, name, factor in ((2, "van_genuchten_alpha", 1.0 / _CENTIMETRE), (3, "van_genuchten_n", 1.0),
                                (4, "saturated_conductivity", _CENTIMETRE_PER_DAY)):
        out[name] = Estimate(float(factor * 10.0 ** mean[0, place]), float(logarithm * std[0, place]), True)
    return out


__all__ = ["Estimate", "rosetta_estimate"]
