"""Canopy, bare ground, leaf and root processes as plain vectorised functions of numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core import canopy as core

__all__ = [
    "bare_ground_fluxes",
    "canopy_fluxes",
    "leaf_photosynthesis",
    "root_distribution",
    "stability_profiles",
    "water_stress",
]


def _count(groups: Mapping[str, Mapping[str, ArrayLike]]) -> int:
    """Return the number of columns: the length of the first array that is not a scalar."""
    for group in groups.values():
        for value in group.values():
            if np.ndim(value) > 0:
                return int(np.shape(value)[0])
    return 1


def _named(table: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    result = {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate(names)}
    if "converged" in result:
        result["converged"] = result["converged"] > 0.5
    return result


def _require_limit(stability_limit: float) -> None:
    if not stability_limit > 0.0:
        raise InputError(f"stability_limit: expected a positive number, got {stability_limit}")


def stability_profiles(
    zeta: ArrayLike, height: ArrayLike, roughness_momentum: ArrayLike, roughness_scalar: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the Monin-Obukhov profiles between roughness length and height.

    Parameters
    ----------
    zeta : array_like, shape (n,)
        Height over Obukhov length [1]; positive in stable air.
    height : array_like, scalar or shape (n,)
        Above displacement [m].
    roughness_momentum, roughness_scalar : array_like, scalar or shape (n,)
        Roughness lengths [m], below ``height``.

    Returns
    -------
    momentum, scalar : numpy.ndarray, shape (n,)
        ``k V / u*`` and ``k (theta_a - theta_s) / theta*`` [1].

    Raises
    ------
    InputError
        If shapes differ, a value is not finite or a roughness length is not inside (0, height).

    Notes
    -----
    Four regimes, borders at zeta = -1.574 (momentum), -0.465 (scalars), 0 and 1 [1]_.

    References
    ----------
    .. [1] Zeng, X., Zhao, M., Dickinson, R. E. (1998). J. Climate 11, 2628-2644.
    """
    zeta, height, rough_m, rough_h = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(a, dtype=float)) for a in (zeta, height, roughness_momentum, roughness_scalar)))
    for name, rough in (("roughness_momentum", rough_m), ("roughness_scalar", rough_h)):
        if not np.all((rough > 0.0) & (rough < height)):
            raise InputError(f"{name}: expected values inside (0, height)")
    values = {
        "zeta": zeta,
        "log_momentum": np.log(height / rough_m),
        "log_scalar": np.log(height / rough_h),
        "ratio_momentum": rough_m / height,
        "ratio_scalar": rough_h / height,
    }
    output = core.call_profiles(core.make_table("profiles", values, core.PROFILE, zeta.size))
    return output[:, 0].copy(), output[:, 1].copy()


def leaf_photosynthesis(leaf: Mapping[str, ArrayLike], stomata: str = "medlyn") -> dict[str, np.ndarray]:
    """Solve assimilation, stomatal conductance and internal CO2 of one class of leaves.

    Parameters
    ----------
    leaf : Mapping[str, array_like]
        Scalars or arrays of shape (n,): ``leaf_temperature`` [K], ``absorbed_light`` (visible, [W m-2 leaf]),
        ``vcmax25`` [umol m-2 s-1], ``is_c4`` (1 or 0), ``stomatal_slope`` (Medlyn g1 [kPa^0.5] or Ball-Berry m [1]),
        ``stomatal_intercept`` [umol m-2 s-1], ``growth_temperature`` [K], ``water_stress`` [1],
        ``vapour_pressure`` of the air around the leaf [Pa], ``boundary_resistance`` [s m-1], ``co2_pressure`` [Pa],
        ``air_pressure`` [Pa], ``potential_temperature`` of the air [K].
    stomata : {"medlyn", "ball_berry"}
        Stomatal conductance scheme.

    Returns
    -------
    dict[str, numpy.ndarray]
        Arrays of shape (n,): ``net_assimilation``, ``gross_assimilation``, ``respiration`` [umol m-2 leaf s-1],
        ``stomatal_resistance`` [s m-1], ``internal_co2`` [Pa], ``stomatal_conductance`` [umol m-2 leaf s-1] and
        ``converged`` [bool].

    Raises
    ------
    InputError
        If a name is missing or unknown, a shape does not fit, a value is not finite, or a resistance or pressure
        is not positive.

    Notes
    -----
    Farquhar (C3) or Collatz (C4) rates as in chapter 9 of the CLM Technical Note. Where net assimilation at the CO2
    pressure of the air is not positive, internal pressure is that of the air and conductance the intercept.
    """
    table = core.make_table("leaf", leaf, core.LEAF, _count({"leaf": leaf}))
    for name in ("boundary_resistance", "co2_pressure", "air_pressure", "potential_temperature", "leaf_temperature"):
        if not np.all(table[:, core.LEAF.index(name)] > 0.0):
            raise InputError(f"leaf.{name}: expected positive numbers")
    return _named(core.call_leaf(core.stomata_number(stomata), table), core.LEAF_RESULT)


def canopy_fluxes(
    weather: Mapping[str, ArrayLike],
    plant: Mapping[str, ArrayLike],
    ground: Mapping[str, ArrayLike],
    radiation: Mapping[str, ArrayLike],
    canopy: Mapping[str, ArrayLike],
    *,
    dt: float = 1800.0,
    stomata: str = "medlyn",
    stability_limit: float = 0.5,
) -> dict[str, np.ndarray]:
    """Solve the exchange of heat, vapour and CO2 between a canopy, the ground below it and the air.

    Parameters
    ----------
    weather : Mapping[str, array_like]
        ``air_temperature`` [K], ``specific_humidity`` [kg kg-1], ``air_pressure`` [Pa], ``wind_speed`` [m s-1],
        ``longwave_down`` [W m-2], ``co2`` [mol mol-1], ``reference_height`` [m].
    plant : Mapping[str, array_like]
        ``fraction``, ``leaf_area``, ``stem_area`` [1], ``canopy_top`` [m], ``roughness_ratio``,
        ``displacement_ratio`` [1], ``leaf_dimension`` [m], ``vcmax25_top`` [umol m-2 s-1], ``is_c4``,
        ``stomatal_slope``, ``stomatal_intercept`` [umol m-2 s-1], ``growth_temperature`` [K],
        ``daylength_factor``, ``water_stress`` [1].
    ground : Mapping[str, array_like]
        ``temperature`` [K], ``emissivity`` [1], ``roughness`` [m], ``humidity`` [kg kg-1],
        ``humidity_slope`` [kg kg-1 K-1], ``resistance`` [s m-1].
    radiation : Mapping[str, array_like]
        ``canopy_absorbed`` [W m-2], ``sunlit_leaf_area``, ``shaded_leaf_area`` [1], ``sunlit_par``, ``shaded_par``
        [W m-2 leaf], ``extinction``, ``canopy_emissivity`` [1].
    canopy : Mapping[str, array_like]
        ``leaf_temperature`` (first guess) [K], ``canopy_water`` [kg m-2], ``wet_fraction``, ``dry_fraction`` [1].
    dt : float
        Time step [s], positive.
    stomata : {"medlyn", "ball_berry"}
        Stomatal conductance scheme.
    stability_limit : float
        Largest height over Obukhov length in stable air [1].

    Returns
    -------
    dict[str, numpy.ndarray]
        Arrays of shape (n,): the members of ``flux_chunk_type`` in fortran/land/pl_land_chunk.f90, ``converged``
        [bool] and ``leaf_temperature`` [K]. Zero where the patch has no canopy (leaf and stem area below 0.05).

    Raises
    ------
    InputError
        If a name is missing or unknown, a shape does not fit or a value is not finite or out of range.

    Notes
    -----
    Chapter 5.3 of the CLM Technical Note. Energy closes to round-off: the absorbed shortwave equals
    ``longwave_canopy + sensible_canopy + 2.501e6 * (transpiration + canopy_evaporation)``.
    """
    groups = {"weather": weather, "plant": plant, "ground": ground, "radiation": radiation, "canopy": canopy}
    n = _count(groups)
    if not dt > 0.0:
        raise InputError(f"dt: expected a positive time step [s], got {dt}")
    _require_limit(stability_limit)
    names = {"weather": core.WEATHER, "plant": core.PLANT, "ground": core.GROUND, "radiation": core.RADIATION,
             "canopy": core.STATE}
    tables = {key: core.make_table(key, groups[key], names[key], n) for key in groups}
    flux = core.call_exchange(
        float(dt), core.stomata_number(stomata), float(stability_limit), tables["weather"], tables["plant"],
        tables["ground"], tables["radiation"], tables["canopy"])
    result = _named(flux, core.FLUX)
    result["leaf_temperature"] = tables["canopy"][:, 0].copy()
    return result


def bare_ground_fluxes(
    weather: Mapping[str, ArrayLike], ground: Mapping[str, ArrayLike], *, stability_limit: float = 0.5
) -> dict[str, np.ndarray]:
    """Compute the exchange of heat and vapour between bare ground and the air.

    Parameters
    ----------
    weather, ground : Mapping[str, array_like]
        As for :func:`canopy_fluxes`.
    stability_limit : float
        Largest height over Obukhov length in stable air [1].

    Returns
    -------
    dict[str, numpy.ndarray]
        As for :func:`canopy_fluxes`; the canopy terms are zero.

    Raises
    ------
    InputError
        If a name is missing or unknown, a shape does not fit or a value is not finite.
    """
    _require_limit(stability_limit)
    n = _count({"weather": weather, "ground": ground})
    flux = core.call_bare_ground(
        float(stability_limit),
        core.make_table("weather", weather, core.WEATHER, n),
        core.make_table("ground", ground, core.GROUND, n),
    )
    return _named(flux, core.FLUX)


def water_stress(
    root_fraction: ArrayLike,
    pressure_head: ArrayLike,
    soil_temperature: ArrayLike,
    psi_open: ArrayLike,
    psi_closed: ArrayLike,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the water stress of leaves and the share of each layer in root uptake.

    Parameters
    ----------
    root_fraction : array_like, shape (nlayer, n)
        Share of the roots [1].
    pressure_head : array_like, shape (nlayer, n)
        Of soil water [m].
    soil_temperature : array_like, shape (nlayer, n)
        [K]; layers below 271.15 K deliver nothing.
    psi_open, psi_closed : array_like, scalar or shape (n,)
        Pressure heads at which stomata are fully open and fully closed [m].

    Returns
    -------
    stress : numpy.ndarray, shape (n,)
        1 without stress, 0 where no layer delivers [1].
    uptake_share : numpy.ndarray, shape (nlayer, n)
        Sums to 1 over the layers, to 0 where ``stress`` is 0 [1].

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or ``psi_open`` is not above ``psi_closed``.
    """
    roots, head, temperature = (
        np.ascontiguousarray(np.atleast_2d(np.asarray(a, dtype=float)))
        for a in (root_fraction, pressure_head, soil_temperature))
    n = roots.shape[1]
    limits = core.make_table("limits", {"psi_open": psi_open, "psi_closed": psi_closed}, ("psi_open", "psi_closed"), n)
    stress, share = core.call_stress(roots.T, head.T, temperature.T, limits)
    return stress.copy(), np.ascontiguousarray(share.T)


def root_distribution(beta: float, interfaces: ArrayLike) -> np.ndarray:
    """Distribute roots over soil layers.

    Parameters
    ----------
    beta : float
        Extinction per centimetre, inside (0, 1) [1].
    interfaces : array_like, shape (nlayer + 1,)
        Depths of the layer interfaces, increasing [m].

    Returns
    -------
    numpy.ndarray, shape (nlayer,)
        Share of the roots in each layer; sums to 1 [1].

    Raises
    ------
    InputError
        If ``beta`` or the interfaces do not fit.

    References
    ----------
    .. [1] Jackson, R. B., et al. (1996). Oecologia 108, 389-411.
    """
    return core.call_roots(float(beta), np.ascontiguousarray(interfaces, dtype=float))
