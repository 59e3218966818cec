"""Weight matrices of the transforms against their formulas, their limits and PDAF."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse, global_weights, random_rotation, seik_omega
from pyland.base.errors import InputError
from pyland.core.transforms import HYBRID_RULES, VARIANTS

SIZES = [(2, 1), (3, 2), (8, 3), (8, 8), (9, 40), (33, 10), (40, 120)]
DETERMINISTIC = ("etkf", "estkf", "denkf", "seik", "netf", "knetf")
ALL = (*DETERMINISTIC, "enkf")


def draw(nmember, nobs, nstate=6, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate))
    Y = E @ rng.standard_normal((nstate, nobs)) + 0.3 * rng.standard_normal((nmember, nobs)) ** 2
    return E, Y, Y.mean(axis=0) + rng.standard_normal(nobs), rng.uniform(2.0, 9.0, nobs)


def update(E, W):
    mean = E.mean(axis=0)
    return mean + W.T @ (E - mean)


def scaled(Y, d, R):
    """Anomalies (member, obs) and innovations (obs) over the error deviation."""
    return (Y - Y.mean(axis=0)) / np.sqrt(R), (d - Y.mean(axis=0)) / np.sqrt(R)


def normalised(logs):
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def likelihood(Y, d, R, kind="gaussian", exponent=1.0):
    residual = (d - Y) / np.sqrt(R)
    logs = -np.sqrt(2.0) * np.abs(residual) if kind == "laplace" else -0.5 * residual**2
    return normalised(exponent * logs.sum(axis=1))


def netf_oracle(weights):
    """N^(1/2) (diag(w) - w w^T)^(1/2) plus the weights of the mean, by eigenvalues of a dense matrix."""
    values, U = np.linalg.eigh(np.diag(weights) - np.outer(weights, weights))
    return np.sqrt(weights.size) * (U * np.sqrt(values.clip(0.0))) @ U.T + weights[:, None]


def etkf_oracle(S, d):
    """Weights of Hunt et al. (2007), eqs. 20-24; S over the error deviation."""
    n = len(S)
    values, U = np.linalg.eigh((n - 1) * np.eye(n) + S @ S.T)
    return np.sqrt(n - 1) * (U / np.sqrt(values)) @ U.T + ((U / values) @ U.T @ S @ d)[:, None]


def centred(W):
    return W - W.mean(axis=0)


def effective(weights):
    return 1.0 / (weights**2).sum()


# ---- Kalman kind --------------------------------------------------------------------------------


@pytest.mark.parametrize("nmember, nobs", SIZES)
def test_etkf_and_enkf_are_those_of_the_global_filters(nmember, nobs):
    E, Y, d, R = draw(nmember, nobs)
    for method in ("etkf", "estkf"):
        W = global_weights(Y, d, R, method, inflation=1.2)
        np.testing.assert_allclose(update(E, W), analyse(E, Y, d, R, "etkf", inflation=1.2), rtol=0, atol=1e-12)
    W = global_weights(Y, d, R, "enkf", rng=5, inflation=1.2)
    np.testing.assert_allclose(update(E, W), analyse(E, Y, d, R, "enkf", rng=5, inflation=1.2), rtol=0, atol=1e-12)
    S, v = scaled(Y, d, R)
    np.testing.assert_allclose(global_weights(Y, d, R), centred(etkf_oracle(S, v)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("nmember, nobs", SIZES)
def test_enkf_of_given_perturbations(nmember, nobs):
    E, Y, d, R = draw(nmember, nobs)
    given = np.sqrt(R) * np.random.default_rng(1).standard_normal((nmember, nobs))
    S, v = scaled(Y, d, R)
    gain = (E - E.mean(axis=0)).T @ S @ np.linalg.inv(S.T @ S + (nmember - 1) * np.eye(nobs))
    expected = E + (v - S + given / np.sqrt(R)) @ gain.T
    W = global_weights(Y, d, R, "enkf", perturbations=given)
    np.testing.assert_allclose(update(E, W), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("nmember, nobs", SIZES)
def test_denkf_moves_anomalies_by_half_the_gain(nmember, nobs):
    """Sakov and Oke (2008)."""
    E, Y, d, R = draw(nmember, nobs)
    X, (S, v) = E - E.mean(axis=0), scaled(Y, d, R)
    gain = X.T @ S @ np.linalg.inv(S.T @ S + (nmember - 1) * np.eye(nobs))
    expected = E.mean(axis=0) + gain @ v + X - 0.5 * S @ gain.T
    np.testing.assert_allclose(update(E, global_weights(Y, d, R, "denkf")), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("nmember, nobs", SIZES)
@pytest.mark.parametrize("root", ["symmetric", "cholesky"])
@pytest.mark.parametrize("rotation", [False, True])
def test_seik_by_its_own_formulas(nmember, nobs, root, rotation):
    """Nerger et al. (2012); mean and covariance are those of the ETKF."""
    E, Y, d, R = draw(nmember, nobs)
    n, X, (S, v) = nmember, E - E.mean(axis=0), scaled(Y, d, R)
    T = np.eye(n)[:, :-1] - 1.0 / n
    inverse = (n - 1) * T.T @ T + (S.T @ T).T @ (S.T @ T)
    U = np.linalg.inv(inverse)
    if root == "symmetric":
        values, V = np.linalg.eigh(U)
        C = (V * np.sqrt(values)) @ V.T
    else:
        C = np.linalg.inv(np.linalg.cholesky(inverse)).T
    omega = seik_omega(n, 3 if rotation else None)
    L = X.T @ T
    expected = (E.mean(axis=0) + L @ U @ (S.T @ T).T @ v)[:, None] + np.sqrt(n - 1) * L @ C @ omega.T
    W = global_weights(Y, d, R, "seik", root=root, rotation=rotation, rng=3)
    A, reference = update(E, W), analyse(E, Y, d, R)
    np.testing.assert_allclose(A, expected.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(A.mean(axis=0), reference.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(A.T), np.cov(reference.T), rtol=0, atol=1e-12)


# ---- nonlinear ----------------------------------------------------------------------------------


@pytest.mark.parametrize("nmember, nobs", SIZES)
@pytest.mark.parametrize("kind", ["gaussian", "laplace"])
def test_netf_has_the_moments_of_the_weighted_members(nmember, nobs, kind):
    E, Y, d, R = draw(nmember, nobs)
    w = likelihood(Y, d, R, kind)
    W = global_weights(Y, d, R, "netf", likelihood=kind)
    A, mean = update(E, W), w @ E
    np.testing.assert_allclose(A.mean(axis=0), mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(A.T, bias=True), (E - mean).T @ (w[:, None] * (E - mean)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("nmember, nobs", SIZES[:4])
def test_netf_root_is_symmetric(nmember, nobs):
    _, Y, d, R = draw(nmember, nobs)
    w = likelihood(Y, d, R * nobs)
    np.testing.assert_allclose(global_weights(Y, d, R * nobs, "netf"), centred(netf_oracle(w)), rtol=0, atol=1e-12)


def test_netf_of_weights_of_any_range_and_multiplicity():
    """T = T^T >= 0 with T T = diag(w) - w w^T, with an error of T below 1e-14; a dense solver has 1e-8."""
    rng = np.random.default_rng(1)
    for trial in range(200):
        nmember, nobs, precision = int(rng.integers(2, 50)), int(rng.integers(1, 40)), 10.0 ** rng.uniform(-8, 5)
        Y = rng.standard_normal((nmember, nobs))
        if trial % 3 == 0:
            Y = np.round(2.0 * Y) / 2.0  # members that are alike
        if trial % 5 == 0:
            Y[-1] = Y[0]
        d = 10.0 ** rng.uniform(-2, 3) * rng.standard_normal(nobs)
        S, v = scaled(Y, d, np.full(nobs, 1.0 / precision))
        w = normalised((S * (v - 0.5 * S)).sum(axis=1))
        W = global_weights(Y, d, np.full(nobs, 1.0 / precision), "netf")
        T = (W - W.mean(axis=1, keepdims=True)) / np.sqrt(nmember)
        size = np.sqrt(w)[:, None] + np.sqrt(w)[None, :] + 1e-14
        assert (np.abs(T @ T - np.diag(w) + np.outer(w, w)) <= 1e-14 * size * np.sqrt(nmember)).all()
        np.testing.assert_allclose(T, T.T, rtol=0, atol=1e-14)
        assert np.linalg.eigvalsh(T).min() > -1e-14


@pytest.mark.parametrize("method", ["netf", "knetf"])
def test_nonlinear_filters_of_members_far_from_the_observations(method):
    """Weights follow the differences between members, whatever they have in common; nothing overflows."""
    E, Y, _, R = draw(12, 5)
    for distance in (1e3, 1e8, 1e30, 1e60):
        for kind in ("gaussian", "laplace"):
            W = global_weights(Y, Y.mean(axis=0) + distance, R, method, likelihood=kind)
            assert np.isfinite(W).all()
            if method == "netf":
                assert (update(E, W).std(axis=0) <= E.std(axis=0) * 2.0).all()
    best = int(np.argmax((Y / R).sum(axis=1)))
    W = global_weights(Y, Y.mean(axis=0) + 1e30, R, "netf")
    np.testing.assert_allclose(update(E, W), np.repeat(E[best : best + 1], 12, axis=0), atol=1e-12)


@pytest.mark.parametrize("least", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("distance", [1.0, 1e3, 1e40])
def test_least_effective_sample_size(least, distance):
    """R is inflated by the smallest factor that leaves this share of the members."""
    nmember = 20
    E, Y, d, R = draw(nmember, 15)
    W = global_weights(Y, d * distance, R, "netf", least_effective=least)
    w = W.mean(axis=1) + 1.0 / nmember
    plain = likelihood(Y, d * distance, R)
    assert effective(w) >= least * nmember * (1.0 - 1e-12)
    if effective(plain) < least * nmember and least < 1.0:
        assert effective(w) == pytest.approx(least * nmember, rel=1e-10)
        logs = np.log(w.clip(1e-300))
        S, v = scaled(Y, d * distance, R)
        full = (S * (v - 0.5 * S)).sum(axis=1)
        seen = w > 1e-12
        assert np.corrcoef(logs[seen], full[seen])[0, 1] == pytest.approx(1.0, abs=1e-8)
    np.testing.assert_allclose(update(E, W).mean(axis=0), w @ E, atol=1e-12)


def test_netf_reaches_the_kalman_filter_in_a_large_ensemble():
    """Linear, Gaussian: the posterior of importance sampling is that of Kalman but for the noise of the sample."""
    nmember = 1500
    rng = np.random.default_rng(3)
    E = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]], size=nmember)
    Y, d, R = E[:, :1], np.array([0.7]), np.array([1.0])
    C, H = np.cov(E.T), np.array([[1.0, 0.0]])
    K = C @ H.T / (C[0, 0] + 1.0)
    mean, covariance = E.mean(axis=0) + K @ (d - E.mean(axis=0)[:1]), C - K @ H @ C
    for method in ("netf", "knetf"):
        A = update(E, global_weights(Y, d, R, method))
        np.testing.assert_allclose(A.mean(axis=0), mean, atol=4.0 / np.sqrt(nmember))
        np.testing.assert_allclose(np.cov(A.T), covariance, atol=4.0 / np.sqrt(nmember))


# ---- hybrid -------------------------------------------------------------------------------------


def hybrid_share(Y, d, R, rule, h=0.95, c=None):
    n = len(Y)
    c = n if c is None else c
    w = likelihood(Y, d, R)
    X = Y - Y.mean(axis=0)
    m2, m3, m4 = ((X**k).mean(axis=0) for k in (2, 3, 4))
    s, k = np.abs(m3 / m2**1.5).mean(), np.abs(m4 / m2**2 - 3.0).mean()
    moments = max(0.0, min(1.0 - s / np.sqrt(c), 1.0 - k / c))
    low, high = 0.0, 1.0  # least alpha with an effective sample size of at least h N
    if effective(w) < h * n:
        for _ in range(80):
            middle = 0.5 * (low + high)
            if effective(likelihood(Y, d, R, exponent=1.0 - middle)) >= h * n:
                high = middle
            else:
                low = middle
        alpha = high
    else:
        alpha = 0.0
    lin = 1.0 - effective(w) / n
    return {"fixed": h, "lin": h * lin, "alpha": alpha, "ska": max(moments, alpha), "sklin": max(moments, lin)}[rule]


@pytest.mark.parametrize("nmember, nobs", [(2, 1), (8, 3), (9, 12), (20, 6)])
@pytest.mark.parametrize("rule", HYBRID_RULES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_knetf_by_its_formulas(nmember, nobs, rule, variant):
    """Nerger (2022); the second step sees the members of the first."""
    E, Y, d, R = draw(nmember, nobs)
    R = R * nobs
    h = 0.6
    g = hybrid_share(Y, d, R, rule, h)
    assert 0.0 <= g <= 1.0
    stack = np.hstack([E, Y])
    if variant == "hsync":
        S, v = scaled(Y, d, R)
        expected = update(E, g * centred(etkf_oracle(S, v)) + (1.0 - g) * centred(netf_oracle(likelihood(Y, d, R))))
    else:
        for step in ("nonlinear", "kalman") if variant == "hnk" else ("kalman", "nonlinear"):
            predicted = stack[:, E.shape[1] :]
            if step == "nonlinear":
                stack = update(stack, centred(netf_oracle(likelihood(predicted, d, R, exponent=1.0 - g))))
            else:
                S, v = scaled(predicted, d, R / g) if g > 0.0 else (0.0 * predicted, 0.0 * d)
                stack = update(stack, centred(etkf_oracle(S, v)))
        expected = stack[:, : E.shape[1]]
    W = global_weights(Y, d, R, "knetf", variant=variant, hybrid_rule=rule, hybrid_weight=h)
    np.testing.assert_allclose(update(E, W), expected, rtol=0, atol=1e-12 if nmember < 20 else 1e-11)


@pytest.mark.parametrize("variant", VARIANTS)
def test_knetf_ends_at_its_two_filters(variant):
    _, Y, d, R = draw(10, 14)
    for share, method in ((1.0, "etkf"), (0.0, "netf")):
        W = global_weights(Y, d, R, "knetf", variant=variant, hybrid_rule="fixed", hybrid_weight=share)
        np.testing.assert_allclose(W, global_weights(Y, d, R, method), rtol=0, atol=1e-12)


def test_knetf_norm_of_the_moments():
    _, Y, d, R = draw(9, 5)
    Y = Y**2
    W = global_weights(Y, d, 1e6 * R, "knetf", variant="hsync", hybrid_rule="sklin", hybrid_norm=4.0)
    g = hybrid_share(Y, d, 1e6 * R, "sklin", c=4.0)
    fixed = global_weights(Y, d, 1e6 * R, "knetf", variant="hsync", hybrid_rule="fixed", hybrid_weight=g)
    np.testing.assert_allclose(W, fixed, rtol=0, atol=1e-12)
    assert 0.0 < g < hybrid_share(Y, d, 1e6 * R, "sklin")


# ---- properties of all --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_columns_sum_to_zero_and_nothing_observed_is_the_prior(method):
    E, Y, d, R = draw(7, 4)
    assert np.abs(global_weights(Y, d, R, method, rng=1).sum(axis=0)).max() < 1e-14
    W = global_weights(np.empty((7, 0)), [], [], method, inflation=1.3)
    np.testing.assert_allclose(update(E, W), E, rtol=0, atol=1e-14)


@pytest.mark.parametrize("method", DETERMINISTIC)
def test_order_of_members_and_observations(method):
    for nmember, nobs in ((2, 1), (9, 4), (12, 30)):
        E, Y, d, R = draw(nmember, nobs)
        rng = np.random.default_rng(2)
        p, q = rng.permutation(nobs), rng.permutation(nmember)
        A = update(E, global_weights(Y, d, R, method))
        B = update(E, global_weights(Y[:, p], d[p], R[p], method))
        np.testing.assert_allclose(B, A, rtol=0, atol=1e-11)
        if method != "seik":  # its members are made of modes; only mean and covariance are theirs
            C = update(E[q], global_weights(Y[q], d, R, method))
            np.testing.assert_allclose(C, A[q], rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", ALL)
def test_rotation_keeps_mean_and_covariance(method):
    E, Y, d, R = draw(11, 6)
    plain = update(E, global_weights(Y, d, R, method, rng=1))
    turned = update(E, global_weights(Y, d, R, method, rng=1, rotation=True))
    np.testing.assert_allclose(turned.mean(axis=0), plain.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(turned.T), np.cov(plain.T), rtol=0, atol=1e-12)
    assert np.abs(turned - plain).max() > 1e-3
    np.testing.assert_array_equal(turned, update(E, global_weights(Y, d, R, method, rng=1, rotation=True)))


def test_given_rotation():
    _, Y, d, R = draw(6, 4)
    turn = random_rotation(6, 4)
    for method in ("etkf", "netf", "knetf"):
        expected = global_weights(Y, d, R, method) @ turn
        np.testing.assert_allclose(global_weights(Y, d, R, method, rotation=turn), expected, rtol=0, atol=1e-14)
    omega = seik_omega(6)
    np.testing.assert_array_equal(
        global_weights(Y, d, R, "seik", rotation=omega), global_weights(Y, d, R, "seik"))


@pytest.mark.parametrize("method", ALL)
def test_extremes_stay_finite(method):
    rng = np.random.default_rng(8)
    for nmember, nobs in ((2, 1), (2, 9), (9, 3), (9, 9), (10, 33)):
        E, Y, d, R = draw(nmember, nobs)
        for variances in (R * 1e-100, R * 1e-30, R * 1e100, R * 1e300, R * 10.0 ** rng.integers(-60, 60, nobs)):
            W = global_weights(Y, d, variances, method, rng=1)
            assert np.isfinite(W).all()
        flat = np.repeat(Y[:1], nmember, axis=0)
        A = update(E, global_weights(flat, d, R, method, rng=1))
        np.testing.assert_allclose(A.mean(axis=0), E.mean(axis=0), rtol=0, atol=1e-13)
        np.testing.assert_allclose(np.cov(A.T), np.cov(E.T), rtol=0, atol=1e-12)
        W = global_weights(Y[:, [0] * 5], np.full(5, d[0]), np.full(5, R[0]), method, rng=1)
        assert np.isfinite(W).all()


def test_full_covariance():
    E, Y, d, R = draw(10, 4)
    L = np.eye(4) + 0.2 * np.tril(np.ones((4, 4)), -1)
    for method in DETERMINISTIC:
        decorrelated = update(E, global_weights(Y @ np.linalg.inv(L).T, np.linalg.inv(L) @ d, R, method))
        full = update(E, global_weights(Y, d, L @ np.diag(R) @ L.T, method))
        np.testing.assert_allclose(full, decorrelated, rtol=0, atol=1e-12)


# ---- PDAF ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pdaf(shared_data):
    """The offline case of PDAF v3.0: 18 x 36 field, 8 members, forgetting factor 0.8, radius 5 cells."""
    folder = shared_data / "pdaf_verification"
    if not folder.is_dir():
        pytest.skip(f"{folder} not found")

    def field(name):
        return np.loadtxt(folder / "inputs_offline_18x36" / name).ravel(order="F")

    obs = field("obs.txt")
    used = np.flatnonzero(obs > -998.0)
    j, i = np.divmod(np.arange(obs.size), 18)
    places = np.column_stack([i + 1.0, j + 1.0])
    distance = np.linalg.norm(places[:, None] - places[used][None], axis=2)
    reference = np.load(folder / "offline_reference.npz")
    return {
        "E": np.array([field(f"ens_{k}.txt") for k in range(1, 9)]), "used": used, "d": obs[used],
        "R": np.full(used.size, 0.25), "near": distance <= 5.0, "inflation": 1.0 / np.sqrt(0.8),
        "truth": field("true.txt"),
        "analysis": lambda case: np.array([reference[f"offline_2D_{case}/ens_{k:02d}_ana"].ravel(order="F")
                                           for k in range(1, 9)]),
    }  # fmt: skip


def rmse(A, truth):
    return np.sqrt(np.mean((A.mean(axis=0) - truth) ** 2))


@pytest.mark.parametrize("case, root", [("ftype1s0", "symmetric"), ("ftype1s0tsqrt1", "cholesky")])
def test_pdaf_seik(pdaf, case, root):
    """Same Omega and same root: the same members."""
    p = pdaf
    W = global_weights(p["E"][:, p["used"]], p["d"], p["R"], "seik", root=root, inflation=p["inflation"])
    np.testing.assert_allclose(update(p["E"], W), p["analysis"](case), rtol=0, atol=1e-10)


def test_pdaf_netf(pdaf):
    """PDAF turns the members by a random rotation: mean and covariance are the same."""
    p = pdaf
    A = update(p["E"], global_weights(p["E"][:, p["used"]], p["d"], p["R"], "netf", inflation=p["inflation"]))
    reference = p["analysis"]("ftype9s0")
    np.testing.assert_allclose(A.mean(axis=0), reference.mean(axis=0), rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.cov(A.T), np.cov(reference.T), rtol=0, atol=1e-12)
    assert rmse(A, p["truth"]) == pytest.approx(0.68026659, abs=1e-8)
    assert np.sqrt(A.var(axis=0, ddof=1).mean()) == pytest.approx(0.00016947, abs=1e-8)


def local_update(p, E, Y, weights):
    """Every domain by itself; one without observations keeps its members."""
    A = E.copy()
    for k, near in enumerate(p["near"]):
        if near.any():
            A[:, k] = update(E[:, k], weights(k, Y[:, near], p["d"][near], p["R"][near]))
    return A


@pytest.mark.parametrize("case, options, score", [
    ("ftype10s0", {"method": "netf"}, 0.77464022),
    ("ftype11s2", {"method": "knetf", "variant": "hsync"}, 0.71935509),
])
def test_pdaf_local_nonlinear(pdaf, case, options, score):
    """Mean and variance where observations are near; PDAF's dense root leaves 3e-9 of it along (1, ..., 1)."""
    p = pdaf
    E = p["E"]
    inflated = E.mean(axis=0) + p["inflation"] * (E - E.mean(axis=0))
    A = local_update(p, inflated, inflated[:, p["used"]], lambda k, Y, d, R: global_weights(Y, d, R, **options))
    reference, near = p["analysis"](case), p["near"].any(axis=1)
    np.testing.assert_allclose(A.mean(axis=0)[near], reference.mean(axis=0)[near], rtol=0, atol=1e-9)
    np.testing.assert_allclose(A.var(axis=0)[near], reference.var(axis=0)[near], rtol=0, atol=1e-9)
    assert rmse(A, p["truth"]) == pytest.approx(score, abs=1e-7)


@pytest.mark.parametrize("case, order, score", [
    ("ftype11s0", ("netf", "etkf"), 0.71942199), ("ftype11s1", ("etkf", "netf"), 0.72300688)])
def test_pdaf_hybrid_of_two_steps(pdaf, case, order, score):
    """PDAF lets every domain finish the first step before any begins the second; means do not see its rotation."""
    p = pdaf
    E = p["E"]
    E = E.mean(axis=0) + p["inflation"] * (E - E.mean(axis=0))
    share = {k: hybrid_share(E[:, p["used"]][:, near], p["d"][near], p["R"][near], "lin")
             for k, near in enumerate(p["near"]) if near.any()}
    near = p["near"].any(axis=1)
    for method in order:
        part = {k: g if method == "etkf" else 1.0 - g for k, g in share.items()}
        E = local_update(p, E, E[:, p["used"]], lambda k, Y, d, R, method=method, part=part: global_weights(
            Y, d, R / part[k], method))
    reference = p["analysis"](case)
    np.testing.assert_allclose(E.mean(axis=0)[near], reference.mean(axis=0)[near], rtol=0, atol=1e-9)
    assert rmse(E, p["truth"]) == pytest.approx(score, abs=1e-7)


# ---- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("change, text", [
    ({"method": "kalman"}, "has no weight matrix; available are etkf"),
    ({"root": "cholesky"}, "method 'etkf' has no option root: it belongs to seik"),
    ({"likelihood": "gaussian"}, "no option likelihood: it belongs to netf"),
    ({"method": "netf", "likelihood": "cauchy"}, "likelihood must be one of gaussian, laplace"),
    ({"method": "netf", "least_effective": 1.5}, "least_effective must lie in"),
    ({"method": "knetf", "least_effective": 0.5}, "no option least_effective: it belongs to netf"),
    ({"method": "knetf", "variant": "hh"}, "variant must be one of hnk, hkn, hsync"),
    ({"method": "knetf", "hybrid_rule": "beta"}, "hybrid_rule must be one of fixed"),
    ({"method": "knetf", "hybrid_weight": -0.1}, "hybrid_weight must lie in"),
    ({"method": "knetf", "hybrid_norm": 0.0}, "hybrid_norm must lie in"),
    ({"method": "seik", "root": "qr"}, "root must be one of symmetric, cholesky"),
    ({"method": "enkf", "perturbations": np.ones((4, 2))}, r"perturbations must have shape \(member, obs\) = \(4, 3\)"),
    ({"method": "enkf", "rng": "seed"}, "rng must be"),
    ({"rotation": np.eye(3)}, r"rotation must be False, True or an array of shape \(4, 4\)"),
    ({"rotation": np.eye(4)[[1, 2, 3, 0]] * 2.0}, "orthonormal columns that sum to 1"),
    ({"rotation": np.diag([1.0, 1.0, 1.0, -1.0])}, "orthonormal columns that sum to 1"),
    ({"Y": np.ones((1, 3))}, "at least 2 members"),
    ({"R": [1.0, 0.0, 1.0]}, "above 0"),
    ({"inflation": 0.0}, "inflation must lie in"),
])
def test_bad_input_is_a_sentence(change, text):
    _, Y, d, R = draw(4, 3)
    with pytest.raises(InputError, match=text):
        global_weights(**{"Y": Y, "d": d, "R": R, **change})


@pytest.mark.parametrize("method", ["etkf", "estkf", "denkf", "enkf", "seik", "netf", "knetf"])
def test_without_observations_a_rotation_turns_the_prior(method):
    nothing = np.empty((5, 0))
    np.testing.assert_array_equal(global_weights(nothing, [], [], method, rng=1), np.eye(5) - 0.2)
    W = global_weights(nothing, [], [], method, rotation=True, rng=1, inflation=1.5)
    np.testing.assert_allclose(W.sum(axis=0), 0.0, rtol=0, atol=1e-14)
    np.testing.assert_allclose(W @ W.T, np.eye(5) - 0.2, rtol=0, atol=1e-13)
    assert np.abs(W - np.eye(5) + 0.2).max() > 0.1
