"""PDAF v3.0 offline verification: 18 x 36 field, 8 members, forgetting factor 0.8 (inflation 1/sqrt(0.8))."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_local

ERROR_VARIANCE = 0.25
RADIUS = 5.0
INFLATION = 1.0 / np.sqrt(0.8)


@pytest.fixture(scope="module")
def problem(shared_data):
    folder = shared_data / "pdaf_verification"
    if not folder.is_dir():
        pytest.skip(f"{folder} not found")
    inputs = folder / "inputs_offline_18x36"

    def field(name):
        return np.loadtxt(inputs / name).ravel(order="F")  # y runs fastest

    E = np.array([field(f"ens_{k}.txt") for k in range(1, 9)])
    obs = field("obs.txt")
    observed = np.flatnonzero(obs > -998.0)
    j, i = np.divmod(np.arange(obs.size), 18)
    places = np.column_stack([i + 1.0, j + 1.0])
    reference = np.load(folder / "offline_reference.npz")

    def analysis(case):
        return np.array([reference[f"{case}/ens_{k:02d}_ana"].ravel(order="F") for k in range(1, 9)])

    return {"E": E, "d": obs[observed], "observed": observed, "places": places, "analysis": analysis,
            "truth": field("true.txt"), "R": np.full(observed.size, ERROR_VARIANCE)}


@pytest.mark.parametrize("case", ["offline_2D_ftype4s0", "offline_2D_ftype4s1"])
def test_etkf(problem, case):
    p = problem
    E = analyse(p["E"], p["E"][:, p["observed"]], p["d"], p["R"], method="etkf", inflation=INFLATION)
    np.testing.assert_allclose(E, p["analysis"](case), rtol=0, atol=1e-10)
    rmse = np.sqrt(np.mean((E.mean(axis=0) - p["truth"]) ** 2))
    assert rmse == pytest.approx(0.46212342, abs=1e-8)


def test_letkf(problem):
    """Equal everywhere but where no observation is near: PDAF inflates there, pyland leaves the ensemble alone."""
    p = problem
    E = analyse_local(
        p["E"], p["E"][:, p["observed"]], p["d"], p["R"], p["places"], p["places"][p["observed"]], RADIUS,
        method="letkf", taper="none", inflation=INFLATION)
    distance = np.linalg.norm(p["places"][:, None] - p["places"][p["observed"]][None], axis=2)
    near = (distance <= RADIUS).any(axis=1)
    assert 0 < near.sum() < near.size
    reference = p["analysis"]("offline_2D_ftype5s0")
    np.testing.assert_allclose(E[:, near], reference[:, near], rtol=0, atol=1e-10)
    assert (E[:, ~near] == p["E"][:, ~near]).all()
    inflated = p["E"].mean(axis=0) + INFLATION * (p["E"] - p["E"].mean(axis=0))
    np.testing.assert_allclose(reference[:, ~near], inflated[:, ~near], rtol=0, atol=1e-10)
    rmse = np.sqrt(np.mean((E.mean(axis=0) - p["truth"]) ** 2))
    assert rmse == pytest.approx(0.71012721, abs=1e-8)


def test_letkf_untouched_like_lestkf(problem):
    """The LESTKF of PDAF leaves far domains alone as well: equal everywhere."""
    p = problem
    E = analyse_local(
        p["E"], p["E"][:, p["observed"]], p["d"], p["R"], p["places"], p["places"][p["observed"]], RADIUS,
        taper="none", inflation=INFLATION)
    np.testing.assert_allclose(E, p["analysis"]("offline_2D_ftype7s0"), rtol=0, atol=1e-10)


def test_enkf_mean(problem):
    """Recentred perturbations leave the mean of the Kalman update, whatever the seed (PDAF: not recentred)."""
    p = problem
    for seed in (1, 2):
        E = analyse(p["E"], p["E"][:, p["observed"]], p["d"], p["R"], method="enkf", inflation=INFLATION, rng=seed)
        rmse = np.sqrt(np.mean((E.mean(axis=0) - p["truth"]) ** 2))
        assert rmse == pytest.approx(0.46212342, abs=1e-8)
