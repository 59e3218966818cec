"""Heat and phase change in snow and soil: analytic fronts, energy to round-off, extreme states."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf, erfc

from pyland.land.soil_heat import step_ground_heat

TF, LF, CI, CW = 273.15, 3.337e5, 2117.27, 4188.0


def stefan_number(thermal_frozen, thermal_thawed, warm, cold, latent):
    """Neumann's root: the front lies at 2 lambda sqrt(kappa_f t) (Carslaw and Jaeger 1959, section 11.2)."""
    (kf, cf), (kt, ct) = thermal_frozen, thermal_thawed
    af, at = kf / cf, kt / ct

    def balance(root):
        cooled = cold * kf * np.exp(-root**2) / (np.sqrt(np.pi * af) * erf(root))
        warmed = warm * kt * np.exp(-(root**2) * af / at) / (np.sqrt(np.pi * at) * erfc(root * np.sqrt(af / at)))
        return cooled - warmed - latent * root * np.sqrt(af)

    return brentq(balance, 1e-6, 5.0), af


@pytest.mark.parametrize(("dt", "tolerance"), [(600.0, 0.015), (3600.0, 0.02)])
def test_neumann_freezing_front(dt, tolerance):
    """Wet soil at 2 degC meets a surface at -10 degC; all water freezes within 0.01 K of the freezing point."""
    n, dz, porosity, k = 200, 0.01, 0.4, 2.0
    solid = 1.2e6
    water = 1000.0 * porosity * dz
    frozen, thawed = solid + 1000 * porosity * CI, solid + 1000 * porosity * CW
    root, diffusivity = stefan_number((k, frozen), (k, thawed), 2.0, 10.0, LF * 1000 * porosity)
    temperature = np.full((n, 1), TF + 2.0)
    liquid = np.full((n, 1), water)
    link = 2 * k / dz
    # a sharp curve: half of the water is frozen at 1e-4 K below the freezing point
    curve = {"film": 0.0, "curve_scale": 0.5 * water * 1e-4**2, "curve_power": 2.0}
    steps = int(10 * 86400 / dt)
    for _ in range(steps):
        r = step_ground_heat(dt, dry_capacity=solid * dz, conductance=k / dz, temperature=temperature, water=water,
                             liquid=liquid, soil_flux=link * (TF - 10.0 - temperature[0]), soil_flux_slope=-link,
                             **curve)
        temperature, liquid = r.temperature, r.liquid
    time = dt * steps
    front = dz * (water - liquid).sum() / water
    assert front == pytest.approx(2 * root * np.sqrt(diffusivity * time), rel=tolerance)
    depth = dz * (np.arange(n) + 0.5)
    exact = TF - 10 + 10 * erf(depth / (2 * np.sqrt(diffusivity * time))) / erf(root)
    inside = depth < front - 3 * dz
    assert np.abs(temperature[inside, 0] - exact[inside]).max() < 0.15


def test_isothermal_pack_melts_at_the_rate_of_its_heating():
    """At the freezing point all heat goes to melt: 100 W m-2 for an hour melt 1.0788 kg m-2."""
    ice = np.array([[2.0], [20.0], [80.0], [0.0]])
    capacity = np.array([[0.0], [0.0], [0.0], [2e6]])
    r = step_ground_heat(3600.0, dry_capacity=capacity, conductance=np.array([[5.0], [2.0], [2.0], [0.0]]),
                         temperature=np.full((4, 1), TF), water=ice, liquid=0.0, snow_rows=3, snow_flux=100.0)
    assert r.liquid[:, 0] == pytest.approx([100.0 * 3600 / LF, 0, 0, 0], abs=1e-12)
    assert (r.temperature == TF).all()
    assert r.snow_heat[0] == pytest.approx(3.6e5, rel=1e-14)


def test_cold_pack_warms_before_it_melts():
    """The heat to melt a single layer is its cold content plus the heat of fusion; the rest warms what lies below."""
    ice, cold = 10.0, 8.0
    needed = ice * (CI * cold + LF)
    flux = needed / 86400.0
    temperature, liquid = np.array([[TF - cold], [TF]]), np.zeros((2, 1))
    for hour in range(24):
        r = step_ground_heat(3600.0, dry_capacity=np.array([[0.0], [2e6]]), conductance=0.0, temperature=temperature,
                             water=np.array([[ice], [0.0]]), liquid=liquid, snow_rows=1, snow_flux=flux)
        temperature, liquid = r.temperature, r.liquid
        if hour == 0:
            assert temperature[0, 0] == pytest.approx(TF - cold + flux * 3600 / (CI * ice), abs=1e-9)
    assert liquid[0, 0] == pytest.approx(ice, rel=1e-12)


def test_melted_snow_gives_its_excess_to_the_soil():
    """Two thirds of the heat are left when the snow is gone; snow ends at the freezing point as water."""
    r = step_ground_heat(3600.0, dry_capacity=np.array([[0.0], [4e5]]), conductance=np.array([[50.0], [0.0]]),
                         temperature=np.full((2, 1), TF), water=np.array([[1.0], [0.0]]), liquid=0.0, snow_rows=1,
                         snow_flux=3 * LF / 3600.0)
    assert r.liquid[0, 0] == pytest.approx(1.0, rel=1e-14)
    assert r.temperature[0, 0] == pytest.approx(TF, abs=1e-9)
    assert r.temperature[1, 0] == pytest.approx(TF + 2 * LF / 4e5, rel=1e-6)


def test_supercooled_water_follows_the_curve():
    """In the end liquid = film + scale*u**-power in every frozen row, whatever way led there."""
    rng = np.random.default_rng(4)
    n, m = 10, 64
    dz = rng.uniform(0.02, 0.5, (n, m))
    water = 1000 * dz * rng.uniform(0.02, 0.45, (n, m))
    power = rng.uniform(0.05, 2.0, (n, m))
    scale = 1000 * dz * 0.4 * rng.uniform(0.001, 0.05, (n, m)) ** power
    film = 0.1 * water
    temperature = rng.uniform(255, 280, (n, m))
    r = step_ground_heat(1800.0, dry_capacity=2e6 * dz, conductance=rng.uniform(0.5, 20, (n, m)),
                         temperature=temperature, water=water, liquid=water, film=film, curve_scale=scale,
                         curve_power=power,
                         soil_flux=rng.uniform(-200, 200, m), soil_flux_slope=-20.0)
    depression = TF - r.temperature
    frozen = r.liquid < water
    assert frozen.sum() > 100
    assert r.liquid[frozen] == pytest.approx((film + scale * np.maximum(depression, 1e-9) ** -power)[frozen], rel=1e-6)
    assert (depression[~frozen] <= (scale / (water - film))[~frozen] ** (1 / power[~frozen]) * (1 + 1e-9)).all()


def test_energy_of_phase_change_closes_to_round_off():
    """Heat gained equals fluxes at the surface temperatures that were reached, and the enthalpy of the state."""
    rng = np.random.default_rng(8)
    nsnow, nsoil, m = 5, 15, 400
    n = nsnow + nsoil
    top = rng.integers(1, nsnow + 2, m)
    row = np.arange(1, n + 1)[:, None]
    present = (row >= top) | (row > nsnow)
    is_snow = present & (row <= nsnow)
    wet = np.where(row > nsnow, rng.uniform(0, 200, (n, m)), 0.0)
    water = np.where(is_snow, 10.0 ** rng.uniform(-5, 2.5, (n, m)), wet)
    capacity = np.where(is_snow, 0.0, np.where(present, 10.0 ** rng.uniform(4, 7, (n, m)), 1.0))
    link = np.where(present, 10.0 ** rng.uniform(-2, 2, (n, m)), 0.0)
    temperature = np.where(is_snow, rng.uniform(230, TF, (n, m)), np.where(present, rng.uniform(250, 290, (n, m)), TF))
    liquid = water * np.where(present, rng.uniform(0, 1, (n, m)), 0.0)
    curve = {"film": 0.02 * water[nsnow:], "curve_scale": 0.5 * water[nsnow:] * 0.01**0.2, "curve_power": 0.2}
    flux, slope = rng.uniform(-300, 900, (2, m)), rng.uniform(-60, 0, (2, m))
    flux[0], slope[0] = np.where(top > nsnow, 0.0, flux[0]), np.where(top > nsnow, 0.0, slope[0])
    source = np.where(is_snow, rng.uniform(0, 50, (n, m)), 0.0)
    dt = 1800.0
    r = step_ground_heat(dt, dry_capacity=capacity, conductance=link, temperature=temperature, water=water,
                         liquid=liquid, snow_rows=nsnow, top=top, source=source, snow_flux=flux[0],
                         snow_flux_slope=slope[0],
                         soil_flux=flux[1], soil_flux_slope=slope[1], **curve)
    given = dt * (flux[0] + slope[0] * r.snow_change + flux[1] + slope[1] * r.soil_change + source.sum(axis=0))
    content = ((capacity + CW * water) * 300 + LF * water).sum(axis=0)
    assert (np.abs(r.snow_heat + r.soil_heat - given) / content).max() < 1e-13
    assert np.abs((r.snow_heat + r.soil_heat - given) / dt).max() < 1e-6  # W m-2

    def enthalpy(t, wet):
        own = np.where(is_snow, 0.0, CW)  # liquid in snow is at the freezing point
        return (capacity + CI * (water - wet) + own * wet) * (t - TF) + LF * wet

    change = (enthalpy(r.temperature, r.liquid) - enthalpy(temperature, liquid)).sum(axis=0)
    assert (np.abs(change - r.snow_heat - r.soil_heat) / content).max() < 1e-13
    assert (r.liquid >= 0).all() and (r.liquid <= water).all()
    assert (r.temperature[is_snow] <= TF).all() and (r.liquid[:nsnow][r.temperature[:nsnow] < TF] == 0).all()
    assert r.iterations.max() < 40, "Newton's method did not come to rest"


def test_columns_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(9)
    n, m = 12, 70
    arguments = {
        "dry_capacity": np.vstack([np.zeros((4, m)), rng.uniform(1e4, 1e6, (8, m))]),
        "conductance": rng.uniform(1, 20, (n, m)),
        "temperature": np.vstack([rng.uniform(250, TF, (4, m)), rng.uniform(265, 280, (8, m))]),
        "water": rng.uniform(0.1, 30, (n, m)), "liquid": np.zeros((n, m)),
    }
    curve = {"film": 0.01, "curve_scale": rng.uniform(0.5, 5, (8, m)), "curve_power": rng.uniform(0.1, 0.5, (8, m))}
    flux = rng.uniform(-100, 500, m)
    whole = step_ground_heat(1800.0, **arguments, **curve, snow_rows=4, snow_flux=flux, snow_flux_slope=-20.0)
    for i in (0, 31, 40, 69):
        one = step_ground_heat(1800.0, **{k: v[:, i : i + 1] for k, v in arguments.items()}, snow_rows=4,
                               film=0.01, curve_scale=curve["curve_scale"][:, i : i + 1],
                               curve_power=curve["curve_power"][:, i : i + 1], snow_flux=flux[i], snow_flux_slope=-20.0)
        assert (one.temperature[:, 0] == whole.temperature[:, i]).all()
        assert (one.liquid[:, 0] == whole.liquid[:, i]).all()
